"""What is deployed: which models, whether in preview, and customised models with where they came from."""

from collections import Counter

from shared.judge.case import Case, Deployment, each_deployment
from shared.judge.expectation import Expectation
from shared.judge.location import processing_scope
from shared.judge.reading import Node, count, names, shown, verb
from shared.judge.verdict import Unclear, not_applicable, satisfied, unknown, verdict
from shared.model import Judgement

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
    listed = [model for model in case.items("models") if _is(model, format_, name, version)]
    if not listed:
        raise Unclear(f"The account's list of models does not hold {label}, so its lifecycle is not shown.", served)
    stages = {model.needed_text("lifecycleStatus").casefold() for model in listed}
    points = (served, *(model.point("lifecycleStatus") for model in listed))
    if len(stages) > 1 or not stages <= {"preview", *_PAST_PREVIEW}:
        raise Unclear(f"The lifecycle of {label} is given as {names(map(shown, stages))}, which is not one known stage.", *points)
    stage = stages.pop()
    fact = f"The model {label} is {'in preview' if stage == 'preview' else f'past preview ({stage})'}"
    because = expect.because("preview.use")
    if expect.word("preview.use") == "allowed":
        return not_applicable(deployment.id, f"{fact}; the profile allows preview.", *points)
    return verdict(deployment.id, stage != "preview", f"{fact} ({because}: no preview).", *points)


def _is(model: Node, format_: str, name: str, version: str) -> bool:
    """Entries of the list that name no model are no match, whatever they are."""
    wanted = (("name", name), ("version", version), ("format", format_))
    values = model.value
    for key, value in wanted:
        given = values.get(key)
        if not isinstance(given, str) or given.casefold() != value.casefold():
            return False
    return True


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
