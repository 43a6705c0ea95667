"""What is deployed: which models, whether in preview, and customised models with where they came from."""

from collections import Counter
from collections.abc import Sequence

from shared.canonical import Json
from shared.judge.case import Case, Deployment, each_deployment
from shared.judge.expectation import Expectation
from shared.judge.location import processing_scope
from shared.judge.reading import Node, answered, count, names, shown, verb
from shared.judge.verdict import Unclear, not_applicable, satisfied, unknown, verdict
from shared.model import Answer, Judgement, Point

_PAST_PREVIEW = ("stable", "generallyavailable", "deprecating", "deprecated", "legacy")
_NO_CUSTOM = "No deployment serves a recognisably fine-tuned model (.ft- in its name, a source, or DeveloperTier)."


def _model(deployment: Deployment) -> tuple[str, str, str]:
    """Format, name and version, as they identify a model."""
    model = deployment.model
    return model.needed_text("format"), model.needed_text("name"), model.needed_text("version")


def model_inventory(case: Case) -> list[Judgement]:
    """Every deployment names the model that it serves: what kinds of data the account processes."""
    if case.nameless or any(deployment.twice for deployment in case.deployments):
        reason = "The list of deployments cannot be counted: it holds entries without an id of this account's, or twice."
        return [unknown(case.id, reason, case.list_point("deployments"))]
    if not case.deployments:
        return [not_applicable(case.id, "The account has no deployments.", case.list_point("deployments"))]
    counted = Counter(" ".join(_model(deployment)[1:]) for deployment in case.deployments)
    number = len(case.deployments)
    said = names((f"{name} ({times})" for name, times in counted.items()), 8)
    reason = f"{count(number, 'deployment')} {verb(number, 'serves', 'serve')} {said}."
    return [satisfied(case.id, reason, *(deployment.node.point("properties", "model") for deployment in case.deployments))]


def preview_models(case: Case) -> list[Judgement]:
    """No deployment serves a model in preview, unless the profile allows it."""
    return list(each_deployment(case, _past_preview))


def _past_preview(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    format_, name, version = _model(deployment)
    served = deployment.node.point("properties", "model")
    label = shown(f"{name} {version}")
    rows = _listed(answered(case.evidence, "models"), (format_, name, version))
    if not rows:
        raise Unclear(f"The account's list of models does not hold {label}, so its lifecycle is not shown.", served)
    stages = {model.needed_text("lifecycleStatus").casefold() for model in rows}
    points = (served, *(model.point("lifecycleStatus") for model in rows))
    if len(stages) > 1 or not stages <= {"preview", *_PAST_PREVIEW}:
        raise Unclear(f"The lifecycle of {label} is given as {names(map(shown, stages))}, which is not one known stage.", *points)
    stage = stages.pop()
    fact = f"The model {label} is {'in preview' if stage == 'preview' else f'past preview ({stage})'}"
    because = expect.because("preview.use")
    if expect.word("preview.use") == "allowed":
        return not_applicable(deployment.id, f"{fact}; the profile allows preview.", *points)
    return verdict(deployment.id, stage != "preview", f"{fact} ({because}: no preview).", *points)


Row = tuple[int, str, dict[str, Json]]
_last: tuple[Sequence[Json], dict[tuple[str, ...], list[Row]]] = ((), {})


def _listed(answer: Answer, wanted: tuple[str, str, str]) -> list[Node]:
    """The rows of the list that are this model. Many accounts are shown the same list, so the last one is kept."""
    global _last  # noqa: PLW0603 - a memo of a pure function; racing threads compute the same
    pages, rows = _last
    if len(pages) != len(answer.pages) or any(kept is not page for kept, page in zip(pages, answer.pages, strict=True)):
        pages, rows = _last = (tuple(answer.pages), _rows(answer))
    found = rows.get(tuple(word.casefold() for word in wanted), [])
    return [Node(row, answer.record, page, pointer) for page, pointer, row in found]


def _rows(answer: Answer) -> dict[tuple[str, ...], list[Row]]:
    """Rows by format, name and version in lower case; a row that names no model is no match for any."""
    if not answer.well_formed_list:
        raise Unclear("The answer to models is not a list of objects.", Point(answer.record))
    found: dict[tuple[str, ...], list[Row]] = {}
    for page, pointer, row in answer.items():
        format_, name, version = row.get("format"), row.get("name"), row.get("version")
        if isinstance(format_, str) and isinstance(name, str) and isinstance(version, str):
            found.setdefault((format_.casefold(), name.casefold(), version.casefold()), []).append((page, pointer, row))
    return found


def fine_tuned_source(case: Case) -> list[Judgement]:
    """A customised model was made in this account, or copied from another of the same subscription."""
    return list(each_deployment(case, _source, applies=lambda d: d.is_fine_tuned, otherwise=_NO_CUSTOM))


def _source(case: Case, deployment: Deployment, _expect: Expectation) -> Judgement:
    model = deployment.model
    named = model.needed_text("name")
    account = model.text("sourceAccount")
    origin = model.text("source")
    if account is None and origin is not None:
        account = "/".join(origin.split("/")[:9])
    if account is None:
        reason = f"The fine-tuned model {shown(named)} names no other account that it came from."
        return satisfied(deployment.id, reason, model.point("name"))
    point = model.point("sourceAccount" if model.has("sourceAccount") else "source")
    if account.lower() == case.id:
        return satisfied(deployment.id, f"The fine-tuned model {shown(named)} was made in this account.", point)
    if account.lower().startswith("/".join(case.id.split("/")[:3]) + "/"):
        return satisfied(
            deployment.id, f"The fine-tuned model {shown(named)} was copied from {shown(account)}, of the same subscription.", point
        )
    reason = f"The fine-tuned model {shown(named)} was copied from {shown(account)}; whose that is, is not shown here."
    return unknown(deployment.id, reason, point)


def fine_tuned_weights(case: Case) -> list[Judgement]:
    """The weights of a customised model stay in the geography: on a global deployment the provider may store them elsewhere for a time."""
    return list(each_deployment(case, _weights, applies=lambda d: d.is_fine_tuned, otherwise=_NO_CUSTOM))


def _weights(_case: Case, deployment: Deployment, _expect: Expectation) -> Judgement:
    named = deployment.model.needed_text("name")
    scope = processing_scope(deployment.sku)
    if scope is None:
        raise Unclear(f"Where a deployment of type {shown(deployment.sku)} keeps a fine-tuned model is not known.", deployment.sku_point)
    outside = scope != "geography"
    where = "may for a time be stored outside the account's geography" if outside else "stay in the account's geography"
    reason = f"The weights of the fine-tuned model {shown(named)} {where} ({deployment.sku} deployment)."
    return verdict(deployment.id, not outside, reason, deployment.sku_point, deployment.model.point("name"))
