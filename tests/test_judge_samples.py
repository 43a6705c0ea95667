"""An account as Azure shows it, complete and as every default expectation would have it, for the judge's tests to spoil.

Also: that the sample is what it says, and that real accounts are judged, where the examples are at hand.
"""

import copy
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from shared.judge.engine import judge_account, judge_subscription
from shared.judge.profile import DEFAULT, Profile
from shared.judge.profile_text import read_profile
from shared.model import Answer, Evidence, Judgement

Json = Any

SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
ACCOUNT_ID = f"{SUBSCRIPTION}/resourceGroups/Chat/providers/Microsoft.CognitiveServices/accounts/chat-eu"
ACCOUNT = ACCOUNT_ID.lower()
PROJECT = f"{ACCOUNT}/projects/main"
EXAMPLES = Path(os.environ.get("AOAI_SHARED", Path(__file__).resolve().parents[2] / "shared"))
"""Recorded answers that are not part of the repository."""


def need(path: Path) -> Path:
    """`path`, or a skip that says what was not tested."""
    if not path.exists():
        pytest.skip(f"NOT TESTED: {path.name} is not at hand (set AOAI_SHARED to the folder that has it)")
    return path


def account() -> dict[str, Json]:
    """The account's own answer: an AIServices account in Sweden with everything closed and storage for abuse monitoring off."""
    return {
        "id": ACCOUNT_ID,
        "name": "chat-eu",
        "type": "Microsoft.CognitiveServices/accounts",
        "etag": '"1"',
        "location": "swedencentral",
        "kind": "AIServices",
        "sku": {"name": "S0"},
        "identity": {"type": "SystemAssigned", "principalId": "87ee6121-d4fa-463b-ab71-99d95abdcdc6"},
        "properties": {
            "endpoint": "https://chat-eu.cognitiveservices.azure.com/",
            "endpoints": {
                "OpenAI Language Model Instance API": "https://chat-eu.openai.azure.com/",
                "Speech Services Speech to Text (Standard)": "https://swedencentral.stt.speech.microsoft.com",
            },
            "capabilities": [
                {"name": "VirtualNetworks"},
                {"name": "CustomerManagedKey"},
                {"name": "quotaRefundsEnabled", "value": "false"},
                {"name": "ContentLogging", "value": "false"},
            ],
            "publicNetworkAccess": "Disabled",
            "networkAcls": {
                "defaultAction": "Deny",
                "ipRules": [{"value": "198.51.100.7"}],
                "virtualNetworkRules": [],
                "bypass": "AzureServices",
            },
            "disableLocalAuth": True,
            "storedCompletionsDisabled": True,
            "restrictOutboundNetworkAccess": True,
            "encryption": {
                "keySource": "Microsoft.KeyVault",
                "keyVaultProperties": {"keyName": "chat", "keyVersion": "0123", "keyVaultUri": "https://v.vault.azure.net"},
            },
            "privateEndpointConnections": [],
            "provisioningState": "Succeeded",
        },
    }


def deployment(name: str = "gpt", sku: str = "Standard", **properties: Json) -> dict[str, Json]:
    """A deployment of gpt-4o under the policy `Strict`."""
    return {
        "id": f"{ACCOUNT_ID}/deployments/{name}",
        "name": name,
        "type": "Microsoft.CognitiveServices/accounts/deployments",
        "sku": {"name": sku, "capacity": 10},
        "properties": {
            "model": {"format": "OpenAI", "name": "gpt-4o", "version": "2024-11-20"},
            "raiPolicyName": "Strict",
            "provisioningState": "Succeeded",
            **properties,
        },
    }


def content_filters() -> list[dict[str, Json]]:
    """Everything filtered and blocked, at medium severity, spelled as one api-version does."""
    harms: list[dict[str, Json]] = [
        {"name": harm, "enabled": True, "blocking": True, "severityThreshold": "Medium", "source": source}
        for harm in ("Hate", "Sexual", "Violence", "Selfharm")
        for source in ("Prompt", "Completion")
    ]
    others = [
        ("Jailbreak", "Prompt"),
        ("Indirect Attack", "Prompt"),
        ("Protected Material Text", "Completion"),
        ("protected_material_code", "Completion"),
    ]
    return harms + [{"name": name, "enabled": True, "blocking": True, "source": source} for name, source in others]


def policy(name: str = "Strict", **properties: Json) -> dict[str, Json]:
    """A content filter policy that is not based on another."""
    return {
        "id": f"{ACCOUNT_ID}/raiPolicies/{name}",
        "name": name,
        "properties": {
            "mode": "Blocking",
            "type": "UserManaged",
            "contentFilters": content_filters(),
            "customBlocklists": [],
            **properties,
        },
    }


def tls() -> dict[str, Json]:
    """What a handshake with the account's endpoint showed."""
    return {
        "host": "chat-eu.cognitiveservices.azure.com",
        "port": 443,
        "versions": {"TLSv1": "refused", "TLSv1.1": "refused", "TLSv1.2": "accepted", "TLSv1.3": "accepted"},
        "lowest": "TLSv1.2",
        "chain": [
            {"sha256": "ab" * 32, "subject": "CN=*.cognitiveservices.azure.com", "issuer": "CN=x", "not_before": "a", "not_after": "b"}
        ],
        "trusted": True,
        "trust_error": None,
    }


def diagnostic_setting(*logs: Mapping[str, Json], workspace: Json = "/subscriptions/1/workspaces/w") -> dict[str, Json]:
    """A diagnostic setting with Azure's explicit nulls."""
    return {"id": f"{ACCOUNT}/providers/microsoft.insights/diagnosticSettings/x", "name": "x", "properties": {
        "workspaceId": workspace, "storageAccountId": None, "logs": [dict(log) for log in logs], "metrics": []}}  # fmt: skip


def log(category: str | None = None, group: str | None = None, *, enabled: Json = True) -> dict[str, Json]:
    """A switch of a diagnostic setting."""
    return {"category": category, "categoryGroup": group, "enabled": enabled, "retentionPolicy": {"enabled": False, "days": 0}}


def connection(metadata: Json = None, category: str = "AzureBlob") -> dict[str, Json]:
    """A connection; its secrets were replaced before sealing."""
    return {"id": f"{ACCOUNT}/connections/c", "name": "c", "properties": {
        "category": category, "target": "https://x", "credentials": {"withheld": "secret"}, "metadata": metadata or {}}}  # fmt: skip


def capability_host(**stores: Json) -> dict[str, Json]:
    """A capability host with storage of the customer's own."""
    own = {"threadStorageConnections": ["c"], "storageConnections": ["c"], "vectorStoreConnections": ["c"]}
    return {"id": f"{ACCOUNT}/capabilityHosts/h", "name": "h", "properties": own | stores}


def role_assignment(guid: str = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", principal: Json = None) -> dict[str, Json]:
    """An assignment of Cognitive Services OpenAI User, its principal replaced before sealing."""
    return {"id": f"{ACCOUNT}/providers/x/roleAssignments/{guid[:4]}", "properties": {
        "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/{guid}",
        "principalId": principal or {"committed": "x"}, "scope": ACCOUNT}}  # fmt: skip


def region(name: str, geography: str) -> dict[str, Json]:
    """A row of Azure's `locations`."""
    return {"name": name, "displayName": name, "metadata": {"regionType": "Physical", "geography": geography}}


def perimeter(mode: str = "Enforced") -> dict[str, Json]:
    """A network security perimeter configuration."""
    return {
        "id": f"{ACCOUNT}/networkSecurityPerimeterConfigurations/p",
        "properties": {"resourceAssociation": {"name": "a", "accessMode": mode}},
    }


def private_endpoint(status: str = "Approved") -> dict[str, Json]:
    """A private endpoint connection."""
    return {"id": f"{ACCOUNT}/privateEndpointConnections/e", "properties": {"privateLinkServiceConnectionState": {"status": status}}}


def model(name: str = "gpt-4o", version: str = "2024-11-20", stage: Json = "GenerallyAvailable") -> dict[str, Json]:
    """A row of the account's models."""
    return {"format": "OpenAI", "name": name, "version": version, "lifecycleStatus": stage, "skus": []}


def held(identifier: str, created: int = 1793491200, **fields: Json) -> dict[str, Json]:
    """An object of the data plane; made on the 1st of November 2026 unless told otherwise."""
    return {"id": identifier, "created_at": created, **fields}


MODEL = "gpt-4o-2024-08-06.ft-1"


def log_table(*rows: Mapping[str, Json]) -> dict[str, Json]:
    """An answer of Log Analytics."""
    names = list(rows[0]) if rows else ["FirstAt", "OperationName", "ApiVersion", "Rows"]
    columns = [{"name": name, "type": "string"} for name in names]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": [[row[name] for name in names] for row in rows]}]}


def operation(name: str, version: str = "2024-10-21", rows: int = 3) -> dict[str, Json]:
    """A row of `resourceLogOperations`."""
    return {"FirstAt": "2026-11-01T00:00:00Z", "OperationName": name, "ApiVersion": version, "Rows": rows}


WORKSPACE = f"{ACCOUNT}/workspaces/1/ops/w"

Bodies = dict[tuple[str, str], Json]


def bodies() -> Bodies:
    """Everything asked of the account: by (kind, resource), a list's members or a single body. Kinds of lists: see `LISTS`."""
    return {
        ("account", ACCOUNT): account(),
        ("tls", ACCOUNT): tls(),
        ("deployments", ACCOUNT): [deployment(f"gpt-{number}") for number in range(5)],
        ("raiPolicies", ACCOUNT): [policy(), policy("Microsoft.DefaultV2")],
        ("raiBlocklists", ACCOUNT): [{"id": f"{ACCOUNT}/raiBlocklists/Words", "name": "Words", "properties": {}}],
        ("models", ACCOUNT): [model(), model("gpt-4o-mini", "2024-07-18"), model("gpt-next", "preview", "Preview")],
        ("diagnosticSettings", ACCOUNT): [diagnostic_setting(log(group="allLogs"))],
        ("roleAssignments", ACCOUNT): [role_assignment(), role_assignment("acdd72a7-3385-48ef-bd42-f606fba81ae7")],
        ("encryptionScopes", ACCOUNT): [],
        ("privateEndpointConnections", ACCOUNT): [private_endpoint()],
        ("networkSecurityPerimeterConfigurations", ACCOUNT): [perimeter()],
        ("defenderForAISettings", ACCOUNT): [
            {"id": f"{ACCOUNT}/defenderForAISettings/Default", "name": "Default", "properties": {"state": "Enabled"}}
        ],
        ("projects", ACCOUNT): [{"id": PROJECT, "name": "chat-eu/main", "properties": {"isDefault": True}}],
        ("connections", ACCOUNT): [],
        ("capabilityHosts", ACCOUNT): [capability_host()],
        ("projectConnections", PROJECT): [connection({"ApiVersion": "2024-10-21"}, "AzureOpenAI")],
        ("projectCapabilityHosts", PROJECT): [capability_host()],
        ("files", ACCOUNT): [held("file-1", purpose="fine-tune", bytes=140), held("file-2", purpose="batch", bytes=10)],
        ("fineTuningJobs", ACCOUNT): [held("ftjob-1", status="succeeded", fine_tuned_model=MODEL, training_file="file-1", validation_file=None)],
        ("fineTuningEvents", f"{ACCOUNT}/finetuningjobs/ftjob-1"): [held("e-1", message="Safety evaluation completed.", level="info")],
        ("servedModels", ACCOUNT): [held("gpt-4o", capabilities={}), held(MODEL, model="gpt-4o-2024-08-06", fine_tune="ftjob-1")],
        ("batches", ACCOUNT): [held("batch_1", status="completed", input_file_id="file-2", output_file_id="file-3", error_file_id="")],
        ("vectorStores", ACCOUNT): [held("vs_1", status="completed", usage_bytes=5)],
        ("assistants", ACCOUNT): [],
        ("containers", ACCOUNT): [],
        ("resourceLogDeletions", WORKSPACE): log_table(),
        ("resourceLogOperations", WORKSPACE): log_table(operation("ChatCompletions_Create")),
        ("locations", SUBSCRIPTION): [
            region("swedencentral", "Sweden"),
            region("westeurope", "Europe"),
            {"name": "europe", "metadata": {}},
        ],
        ("accounts", SUBSCRIPTION): [account()],
    }


SINGLE = ("account", "tls")
DATA = ("files", "fineTuningJobs", "fineTuningEvents", "servedModels", "batches", "vectorStores", "assistants", "containers")
LOGS = ("resourceLogDeletions", "resourceLogOperations", "activityLog", "activityLogInsights", "activityLogAuthorization")


def answer(kind: str, resource: str, body: Json, record: int) -> Answer:
    """An answer on one page: `body` is a list's members, a single body, or a failure's reason."""
    if isinstance(body, str):
        return Answer(kind, resource, record, (), body, 403, "PermissionDenied" if kind in DATA else "AuthorizationFailed")
    key = "data" if kind in DATA else "value"
    page = body if kind in SINGLE or not isinstance(body, list) else {key: body}
    return Answer(kind, resource, record, (page,), None, None if kind == "tls" else 200, reach="on" if kind in LOGS else None)


def evidence(given: Bodies | None = None) -> Evidence:
    """The evidence of the account. Records are numbered in the order of the bodies, from 100."""
    given = bodies() if given is None else given
    answers = {key: answer(*key, copy.deepcopy(body), 100 + number) for number, (key, body) in enumerate(given.items())}
    context = Evidence(SUBSCRIPTION, {key: found for key, found in answers.items() if key[1] == SUBSCRIPTION})
    return Evidence(ACCOUNT, {key: found for key, found in answers.items() if key[1] != SUBSCRIPTION}, context)


def subscription_evidence(**given: Json) -> Evidence:
    """The evidence of the subscription."""
    return Evidence(
        SUBSCRIPTION, {(kind, SUBSCRIPTION): answer(kind, SUBSCRIPTION, body, 10 + n) for n, (kind, body) in enumerate(given.items())}
    )


def change(value: Json, path: str, new: Json) -> Json:
    """A copy of `value` with the member at `path` (`a/0/b`) set to `new`, or gone where `new` is `...`."""
    copied = copy.deepcopy(value)
    *way, last = path.split("/")
    at = copied
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at[name]
    key: Any = int(last) if isinstance(at, list) else last
    if new is ...:
        del at[key]
    else:
        at[key] = new
    return copied


def changed(kind: str, path: str, new: Json, given: Bodies | None = None) -> Bodies:
    """The sample with one thing changed in the answer to `kind`."""
    given = bodies() if given is None else given
    key = next(key for key in given if key[0] == kind)
    return {**given, key: change(given[key], path, new) if path else new}


def as_profile(text: str) -> Profile:
    """A profile from TOML, or the default."""
    return read_profile(text) if text else DEFAULT


def judged(control: str, given: Bodies | None = None, profile: str = "", cloud: str = "public") -> list[Judgement]:
    """What one control says of the account."""
    return [judgement for id_, judgement in judge_account(evidence(given), as_profile(profile), cloud) if id_ == control]


def only(judgements: Iterable[Judgement]) -> Judgement:
    """The one judgement."""
    (judgement,) = judgements
    return judgement


def of_subscription(control: str, profile: str = "", **given: Json) -> Judgement:
    """What one control says of the subscription."""
    found = judge_subscription(subscription_evidence(**given), as_profile(profile), "public")
    return only(judgement for id_, judgement in found if id_ == control)


UNKNOWN_IN_SAMPLE = {
    "encryption-coverage",  # a customer's key never covers everything
    "linked-resources",  # the connection is there, and where it leads is not collected
}


def test_the_sample_is_as_every_default_expects() -> None:
    """Whatever is judged of the sample is satisfied, not applicable, or not collected by this version."""
    for control, judgement in judge_account(evidence(), DEFAULT, "public"):
        fine = judgement.status in ("satisfied", "not-applicable")
        pending = judgement.reason.startswith(("Not collected: ", "Unobservable: "))
        assert fine or pending or control in UNKNOWN_IN_SAMPLE, (control, judgement)


def test_how_many_findings_an_account_of_five_deployments_has() -> None:
    """Everything is sealed: a finding more is a record more for each account in each sweep."""
    found = judge_account(evidence(), DEFAULT, "public")
    assert len(found) == 79
    assert len({(control, judgement.resource) for control, judgement in found}) == len(found)


@pytest.mark.parametrize("name", ["real_account_AIServices_trimmed.json", "real_account_OpenAI_trimmed.json"])
def test_real_accounts_of_default_settings(name: str) -> None:
    """Defaults are absent: open, with keys, not shown as off; and nothing about a real account is unexpected."""
    body = json.loads(need(EXAMPLES / "examples" / name).read_text("utf-8"))
    id_ = body["id"].lower()
    found = dict(judge_account(Evidence(id_, {("account", id_): Answer("account", id_, 1, (body,), None, 200)}), DEFAULT, "public"))
    assert found["content-logging-off"].status == "not-satisfied"
    assert found["abuse-penalty-absent"].status == "satisfied"
    assert found["encryption-key-source"].status == "satisfied"
    assert found["local-auth-disabled"].status == "not-satisfied"
    assert found["stored-completions-off"].status == "not-satisfied"
    assert found["public-network-access"].status == "not-satisfied"
    assert found["endpoint-host"].status == "satisfied", found["endpoint-host"].reason
    assert "United States" in found["geography-allowed"].reason
    assert found["processing-scope-allowed"].status == "unknown"


def test_a_real_list_of_deployments() -> None:
    """The recorded deployment, judged in its account."""
    folder = need(EXAMPLES / "examples" / "real_c7n_responses")
    recorded = json.loads(next(folder.glob("GET_accounts_*_deployments_2025-06-01_*.json")).read_text("utf-8"))["response"]["body"]
    id_ = recorded["value"][0]["id"].rsplit("/deployments/", 1)[0].lower()
    answers = {("deployments", id_): Answer("deployments", id_, 1, (recorded,), None, 200)}
    assert dict(judge_account(Evidence(id_, answers), DEFAULT, "public"))["processing-scope-allowed"].status == "unknown"
    answers["account", id_] = Answer("account", id_, 2, ({"id": id_, "properties": {}},), None, 200)
    found = dict(judge_account(Evidence(id_, answers), DEFAULT, "public"))
    assert found["processing-scope-allowed"].status == "satisfied"
    assert found["processing-scope-allowed"].resource == f"{id_}/deployments/cctest-gpt4o-mini"
    assert found["model-inventory"].status == "satisfied"


def test_a_real_list_of_accounts() -> None:
    """A recorded subscription: some accounts are of other kinds, none shows storage off."""
    folder = need(EXAMPLES / "examples" / "real_c7n_responses")
    recorded = json.loads((folder / "GET_providers_Microsoft.CognitiveServices_accounts_2025-06-01_28b7c886.json").read_text("utf-8"))
    found = of_subscription("content-logging-agrees", accounts=recorded["response"]["body"]["value"])
    assert found.status == "not-applicable"
    assert "nothing here speaks of an approval" in found.reason
