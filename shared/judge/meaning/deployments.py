"""What changes of deployments mean: where they process, what they serve, which filter they use."""

from typing import Final

from shared.judge.expectation import Expectation
from shared.judge.location import is_batch, processing_scope
from shared.judge.meaning.rules import Rule, Said, Seen, note, part, said

_WHERE: Final = {"geography": "within the account's geography", "data-zone": "anywhere in the data zone", "global": "in any geography", None: "nobody knows where"}
_WIDTH: Final = {"geography": 0, "data-zone": 1, "global": 2, None: 3}


def _scope(sku: object) -> str | None:
    return processing_scope(sku) if isinstance(sku, str) else None


def _is_allowed(sku: object, expect: Expectation) -> bool:
    """Whether the profile lets a deployment of this type be processed where it is; a batch, where batches may be too."""
    asked = ["location.processing_scopes", *(["location.batch_scopes"] if isinstance(sku, str) and is_batch(sku) else [])]
    return all(_scope(sku) in (expect.words(path) or ()) for path in asked)


def _sku(seen: Seen, expect: Expectation) -> Said:
    was, now = _scope(seen.was), _scope(seen.is_)
    text = f"deployment {seen.name} now processes {_WHERE[now]} ({said(seen.is_)}; was: {_WHERE[was]}, {said(seen.was)})"
    if was == now and now is not None:
        return Said("neutral", f"deployment {seen.name} is of type {said(seen.is_)} now (was {said(seen.was)}); where it processes stays the same")
    if _WIDTH[now] < _WIDTH[was]:
        return Said("better", text)
    return Said("neutral", text, "medium") if _is_allowed(seen.is_, expect) else Said("worse", text)


def _whole(seen: Seen, expect: Expectation) -> Said | None:
    if seen.op == "removed":
        return Said("neutral", f"deployment {seen.name} of account {seen.account} is gone ({_served(seen.was)})", "medium")
    if seen.op != "added":
        return None
    sku = part(seen.is_, "sku", "name")
    text = f"deployment {seen.name} of account {seen.account} is new: {_served(seen.is_)}, processed {_WHERE[_scope(sku)]} ({said(sku)})"
    return Said("neutral", text, "medium") if _is_allowed(sku, expect) else Said("worse", text)


def _served(value: object) -> str:
    model, version = part(value, "properties", "model", "name"), part(value, "properties", "model", "version")
    return f"model {said(model)}{f' {said(version)}' if version else ''}"


def _spillover(seen: Seen, _: Expectation) -> Said:
    if seen.op == "removed":
        return Said("better", f"requests to deployment {seen.name} do not spill over any more (they did to {said(seen.was)})")
    return Said("worse", f"requests to deployment {seen.name} may spill over to deployment {said(seen.is_)}")


def _properties(*path: str) -> tuple[str, ...]:
    return ("properties", *path)


RULES: Final[tuple[Rule, ...]] = (
    Rule("deployments", (), _whole, "processing-scope-allowed"),
    Rule("deployments", ("sku", "name"), _sku, "processing-scope-allowed"),
    Rule("deployments", ("sku", "capacity"), note("the capacity of deployment {name} is {now} (was {was})", "low")),
    Rule("deployments", _properties("model", "name"), note("deployment {name} serves model {now} (was {was})", "medium"), "model-inventory"),
    Rule("deployments", _properties("model", "version"), note("deployment {name} serves version {now} of its model (was {was})", "medium"), "model-inventory"),
    Rule("deployments", _properties("model", "source"), note("the model that deployment {name} serves comes from {now} (was {was})", "medium"), "fine-tuned-source"),
    Rule("deployments", _properties("model", "sourceAccount"), note("the model that deployment {name} serves comes from account {now} (was {was})", "medium"),
         "fine-tuned-source"),
    Rule("deployments", _properties("raiPolicyName"), note("deployment {name} is filtered by the policy {now} (was {was})", "high"), "content-filter-blocking"),
    Rule("deployments", _properties("spilloverDeploymentName"), _spillover, "spillover-scope"),
    Rule("deployments", _properties("parentDeploymentName"), note("the parent of deployment {name} is {now} (was {was})", "medium"), "processing-scope-allowed"),
    Rule("deployments", _properties("routing", "**"), note("where deployment {name} routes requests changed: {was} to {now}", "medium"), "processing-scope-allowed"),
    Rule("deployments", _properties("versionUpgradeOption"), note("how deployment {name} takes new model versions: {now} (was {was})", "low")),
    Rule("deployments", _properties("deploymentState"), note("deployment {name} is {now} (was {was})", "low")),
    Rule("deployments", _properties("provisioningState"), note("deployment {name} is {now} (was {was})", "medium")),
)  # fmt: skip
"""Of the answer `deployments`."""
