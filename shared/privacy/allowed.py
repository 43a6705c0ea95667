"""What may stay of answers in which customers can write: of the data plane, of logs, of the Activity Log. Whatever is not listed is withheld.

A table for each kind of answer: names of members, and what may stand there. Names that are personal (`filename`, `user`, `suffix`, the
`name` of a store) are listed here, since they are not lost: `shared.privacy.fields` commits them. Metadata, instructions, descriptions,
messages, attributes and everything that Azure adds tomorrow is not: it is replaced whole by `{"withheld":"unlisted"}`.

Sources: learn.microsoft.com/azure/foundry/reference/rest (v1), azure-rest-api-specs AzureOpenAI/authoring 2024-10-21, and for messages
of fine-tuning those and the page on safety evaluation (articles/ai-foundry/openai/how-to/fine-tuning-safety-evaluation.md). Logs: the
columns that shared/collect/kql.py asks for and those that AzureDiagnostics has for Cognitive Services. Claims: Azure Monitor's Activity
Log schema.
"""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Union

from shared.privacy.fields import ACTIVITY, EVENT


class Leaf(Enum):
    """What may stand under a listed name."""

    PLAIN = "a number, true, false, a short text, or a list of these"
    FIGURES = "an object of numbers, or of such objects: counts, settings"
    WORDS = "a message in Azure's own words"
    WHOLE = "anything: it is screened by the name of each key, as everywhere"
    ROWS = "the rows of a table, each cell by the name of its column"


Shape = Union[Leaf, Mapping[str, "Shape"]]  # noqa: UP007 - a forward reference
"""What may stay: of an object, its listed members (of a list, in each of its members)."""

PLAIN, FIGURES, WORDS, WHOLE, ROWS = Leaf.PLAIN, Leaf.FIGURES, Leaf.WORDS, Leaf.WHOLE, Leaf.ROWS

OTHERS = "*"
"""In place of a name: every member that is not named."""

LONGEST = 512
"""Characters of a text that may stand as `PLAIN`: ids, states, names of models are shorter."""


def _plain(names: str) -> dict[str, Shape]:
    return dict.fromkeys(names.split(), PLAIN)


_ERROR: Shape = {**_plain("code type param status"), "message": WORDS}
_EXPIRES = {"expires_after": _plain("anchor seconds days minutes")}
_HYPERPARAMETERS: Shape = _plain(
    "n_epochs batch_size learning_rate_multiplier prompt_loss_weight beta l2_multiplier compute_multiplier eval_interval eval_samples reasoning_effort"
)
_METHOD: Shape = {**_plain("type"), **{name: {"hyperparameters": _HYPERPARAMETERS} for name in ("supervised", "dpo", "reinforcement")}}


def _list_of(**members: Shape) -> Shape:
    """A list of the data plane, and what stands in its place where there is none."""
    return {**_plain("object first_id last_id has_more"), "data": members, "error": _ERROR}


_ROW_ERROR: dict[str, Shape] = _plain("code severity severityName")
_LOG: Shape = {
    "tables": {**_plain("name"), "columns": _plain("name type"), "rows": ROWS},
    "error": {**_ROW_ERROR, "details": {**_ROW_ERROR, "innererror": _ROW_ERROR}, "innererror": _ROW_ERROR},
}
_CLAIMS: Shape = _plain(
    "aud iss appid appidacr ver idtyp xms_mirid groups roles wids name upn unique_name preferred_username email ipaddr "
    "given_name family_name onprem_sid puid "
    "http://schemas.microsoft.com/identity/claims/objectidentifier http://schemas.microsoft.com/identity/claims/tenantid "
    "http://schemas.microsoft.com/identity/claims/scope http://schemas.microsoft.com/identity/claims/identityprovider "
    "http://schemas.microsoft.com/claims/authnmethodsreferences http://schemas.microsoft.com/claims/authnclassreference "
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn "
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname "
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/emailaddress "
    "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/nameidentifier"
)
"""Whose token it was, by ids; names and addresses, which are committed; nothing of the token itself, which is new each time."""
_ACTIVITY: Shape = {
    OTHERS: WHOLE,
    "value": {
        OTHERS: WHOLE,
        "claims": _CLAIMS,
    },
}
_EVENT: Shape = {OTHERS: WHOLE, "data": {OTHERS: WHOLE, "claims": _CLAIMS}}

OF_KIND: dict[str, Shape] = {
    "files": _list_of(
        **_plain("id object bytes created_at updated_at expires_at filename purpose status user"), **_EXPIRES, statistics=FIGURES, error=_ERROR,
    ),
    "fineTuningJobs": _list_of(
        **_plain("id object created_at updated_at finished_at estimated_finish model fine_tuned_model organization_id result_files status"),
        **_plain("trained_tokens training_file validation_file seed trainingType training_type user_provided_suffix suffix user"),
        hyperparameters=_HYPERPARAMETERS, method=_METHOD, integrations=_plain("type"), error=_ERROR,
    ),
    "fineTuningEvents": _list_of(**_plain("id object created_at level type"), message=WORDS),
    "servedModels": _list_of(
        **_plain("id object created created_at updated_at owned_by status model fine_tune lifecycle_status parent root"),
        capabilities=FIGURES, deprecation=FIGURES, error=_ERROR,
    ),
    "batches": _list_of(
        **_plain("id object endpoint model input_file_id output_file_id error_file_id input_blob output_blob error_blob completion_window status"),
        **_plain("created_at in_progress_at expires_at finalizing_at completed_at failed_at expired_at cancelling_at cancelled_at"),
        output_expires_after=_plain("anchor seconds"), request_counts=FIGURES, usage=FIGURES,
        errors={**_plain("object"), "data": {**_plain("code param line"), "message": WORDS}},
    ),
    "vectorStores": _list_of(
        **_plain("id object created_at name status bytes usage_bytes expires_at last_active_at"), **_EXPIRES, file_counts=FIGURES,
    ),
    "vectorStoreFiles": _list_of(
        **_plain("id object created_at vector_store_id status bytes usage_bytes"), last_error=_ERROR,
        chunking_strategy={**_plain("type"), "static": FIGURES},
    ),
    "assistants": _list_of(
        **_plain("id object created_at model temperature top_p reasoning_effort file_ids"), tools=_plain("type"),
        tool_resources={"code_interpreter": _plain("file_ids"), "file_search": _plain("vector_store_ids")},
    ),
    "containers": _list_of(
        **_plain("id object created_at name status expires_at last_active_at memory_limit file_ids"), **_EXPIRES, network_policy=_plain("type"),
    ),
    "resourceLogDeletions": _LOG,
    "resourceLogOperations": _LOG,
    **dict.fromkeys(ACTIVITY, _ACTIVITY),
    EVENT: _EVENT,
}
"""By kind of question. Kinds that are not here have no such table: what customers write there is named in `shared.privacy.fields`."""

_PROPERTIES: Shape = _plain(
    "apiName apiVersion requestTime requestLength responseTime responseLength objectId callerObjectId tenantId appId streamType "
    "modelDeploymentName modelName modelVersion httpStatusCode operationName correlationId callerIpAddress"
)

COLUMNS: dict[str, Shape] = {
    **_plain(
        "timegenerated ingestedat sourcetable type tenantid resourceid _resourceid subscriptionid resourcegroup resourceprovider resource resourcetype "
        "category operationname operationversion resulttype resultsignature durationms correlationid event event_s location location_s tenant_s "
        "assetidentity assetidentity_g objectid objectid_s callerobjectid callerobjectid_s calleripaddress apiname apiversion rows firstat lastat count_"
    ),
    "properties": _PROPERTIES,
    "properties_s": _PROPERTIES,
}
"""Columns of a log, by their name in lower case: what may stand in a cell; of an object, whether it comes as one or as a text of JSON, its members."""

_ID = re.compile(
    r"\b(?:file|ft|ftjob|ftevent|ftckpt|batch|assistant)-[A-Za-z0-9-]{6,120}"  # objects
    r"|\b[A-Za-z0-9.-]{1,60}\.ft-[A-Za-z0-9._-]{6,120}|\bft:[A-Za-z0-9.:_-]{6,160}"  # fine-tuned models, which are listed by these names
)
_WORD = re.compile(r"[^\W\d_]+")

_OWN_WORDS = """
    a above acceptable accuracy after again ahead all allowed an and any are as at available be because been before being by can canceled
    cancellation cancelled cancelling cannot categories category check checkpoint checkpoints checks complete completed completing content
    created creating data dataset default deploy deployable deployed deployment did directly dpo due during e enqueued epoch epochs error
    eval evaluated evaluating evaluation evaluations exceeds expired fail failed failing fails failure fairness file files fine finetune
    finetuned finetuning finished fix for format found from full gpu grader harm harmful harmless harms has hate hateful have high hours hub
    hyperparameter hyperparameters identified image images import imported importing in inference info input insults internal invalid is it
    job jobs jsonl limit line lines loss low mean medium message metrics minutes missing model models moderation moved moving new no none
    not of on one or out output over parse pass passed passes passing pause paused percent please policy postprocessing preference
    preprocessed preprocessing process processing progress provided queue queued quota rai rate reached reinforcement reject rejected
    resubmit result results resume resumed resuming retry review reward run running safe safety sample samples score scored scores seconds
    selected self server service set severities severity sexual sexually shot skipped snapshot started starting state status step steps stop
    stopped stopping submitted succeeded success successful successfully supervised test than that the these this threshold thresholds to
    token tokens train trained training triggered try tune tuned tuning type types unable unfairness unknown unsafe unsuccessful up updated
    upload uploaded uploading usage user valid validated validating validation validity version very violated violation violations violence
    violent waiting warning was were will with within would you your
"""

VOCABULARY = frozenset(_OWN_WORDS.split())
"""The words of Azure's own messages about fine-tuning (its documents, and messages as users quote them): the verdict of the safety evaluation
is told in them. A message with any other word may quote training data, and is not kept."""


def own_words(text: str) -> bool:
    """Whether a message is made of nothing but the vocabulary, numbers and ids of objects."""
    return len(text) <= LONGEST and all(word.lower() in VOCABULARY for word in _WORD.findall(_ID.sub(" ", text)))
