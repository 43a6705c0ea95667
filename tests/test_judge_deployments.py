"""Each control of deployments: one judgement per deployment it applies to, one for the account where there is none."""

from typing import Any

import pytest

from shared.model import Judgement
from tests.test_judge_samples import ACCOUNT, Bodies, bodies, change, content_filters, deployment, judged, model, only, policy

Json = Any
EVERY = (
    "processing-scope-allowed", "content-filter-blocking", "content-filter-thresholds", "content-filter-mode", "prompt-shields",
    "protected-material", "preview-models",
)  # fmt: skip
SOME = ("data-zone", "batch-scope", "spillover-scope", "fine-tuned-source", "fine-tuned-weights")


def _deployed(*deployments: Json, **lists: Json) -> Bodies:
    given = bodies()
    given["deployments", ACCOUNT] = list(deployments)
    return {**given, **{(kind, ACCOUNT): body for kind, body in lists.items()}}


def _of(control: str, given: Bodies, profile: str = "", name: str = "gpt") -> Judgement:
    """The judgement about one deployment."""
    return only(found for found in judged(control, given, profile) if found.resource == f"{ACCOUNT}/deployments/{name}")


def _located(region: str, sku: str = "DataZoneStandard") -> Bodies:
    given = _deployed(deployment(sku=sku))
    given["account", ACCOUNT] = change(given["account", ACCOUNT], "location", region)
    return given


def _routed(*regions: str, sku: str = "Standard") -> Bodies:
    """The account is in Sweden, and routes to these regions."""
    given = _located("swedencentral", sku)
    routing = {"routingMethod": "Performance", "regions": [{"name": region, "value": 1} for region in regions]}
    given["account", ACCOUNT] = change(given["account", ACCOUNT], "properties/locations", routing)
    return given


def _filtered(path: str, new: Json, **properties: Json) -> Bodies:
    """Filters: 0-7 hate, sexual, violence, selfharm, each prompt and completion; 8 jailbreak, 9 indirect, 10 text, 11 code."""
    filters = content_filters()
    return _deployed(deployment(), raiPolicies=[policy(contentFilters=change(filters, path, new) if path else filters, **properties)])


def _base(path: str, new: Json) -> Bodies:
    return _filtered(path, new, basePolicyName="Microsoft.Default")


def _tuned(sku: str = "Standard", **more: Json) -> Bodies:
    return _deployed(deployment(sku=sku, model={"format": "OpenAI", "name": "gpt-4o.ft-1", "version": "1", **more}))


CASES: list[tuple[str, Bodies, str, str, str]] = [
    ("processing-scope-allowed", _deployed(deployment()), "", "satisfied", "within the account's geography"),
    ("processing-scope-allowed", _deployed(deployment(sku="standard")), "", "satisfied", "default expectation: data-zone, geography"),
    ("processing-scope-allowed", _deployed(deployment(sku="DataZoneProvisionedManaged")), "", "satisfied", "data zone"),
    ("processing-scope-allowed", _deployed(deployment(sku="GlobalStandard")), "", "not-satisfied", "in any geography"),
    ("processing-scope-allowed", _deployed(deployment(sku="DeveloperTier")), "", "not-satisfied", "in any geography"),
    ("processing-scope-allowed", _deployed(deployment(sku="GlobalStandard")), '[location]\nprocessing_scopes = ["global"]', "satisfied",
     "profile"),
    ("processing-scope-allowed", _deployed(deployment(sku="DataZoneStandard")), '[location]\nprocessing_scopes = ["geography"]',
     "not-satisfied", "zone"),
    ("processing-scope-allowed", _deployed(deployment(sku="Manual")), "", "unknown", "table of 2026-08"),
    ("processing-scope-allowed", _deployed(change(deployment(), "sku", ...)), "", "unknown", "no sku"),
    ("processing-scope-allowed", _deployed(change(deployment(), "sku/name", None)), "", "unknown", "null"),
    ("processing-scope-allowed", _routed("swedencentral", "swedensouth"), "", "unknown", 'which geography "swedensouth" is, is not known'),
    ("processing-scope-allowed", _routed("swedencentral"), "", "satisfied", "within the account's geography"),
    ("processing-scope-allowed", _routed("swedencentral", "westeurope", "East US"), "", "not-satisfied",
     "may leave the account's geography, since the account routes to eastus (United States), westeurope (Europe)"),
    ("processing-scope-allowed", _routed("eastus"), '[location]\nprocessing_scopes = ["geography", "global"]', "satisfied", "may leave"),
    ("processing-scope-allowed", _routed("westeurope", sku="DataZoneStandard"), "", "satisfied", "anywhere in the data zone"),
    ("processing-scope-allowed", _routed("eastus", sku="DataZoneStandard"), "", "not-satisfied", "may leave the account's data zone"),
    ("processing-scope-allowed", _routed("japaneast", sku="DataZoneStandard"), "", "unknown", 'which data zone "japaneast" is'),
    ("processing-scope-allowed", _routed("eastus", sku="GlobalStandard"), '[location]\nprocessing_scopes = ["global"]', "satisfied", "any geography"),
    ("data-zone", _located("swedencentral", "DataZoneFuture"), "", "unknown", "does not say where"),
    ("data-zone", _located("swedencentral"), "", "satisfied", "EFTA"),
    ("data-zone", _located("eastus"), "", "satisfied", "US zone and by"),
    ("data-zone", _located("eastus"), '[location]\ndata_zones = ["EU"]', "not-satisfied", "expected by the profile: EU"),
    ("data-zone", _located("norwayeast"), "", "unknown", "in no data zone and by the definition of 2026-08 it is in the EU zone"),
    ("data-zone", _located("switzerlandnorth"), '[location]\ndata_zone_definition = "2026-08"', "satisfied", "EU zone"),
    ("data-zone", _located("switzerlandnorth"), '[location]\ndata_zone_definition = "2024-12"', "unknown", "not documented"),
    ("data-zone", _located("uksouth"), "", "unknown", "no data zone"),
    ("data-zone", _located("japaneast"), "", "unknown", "not known"),
    ("data-zone", _located("japaneast"), '[location]\ndata_zone_definition = "2026-08"', "unknown", "not known"),
    ("data-zone", _located("atlantis"), "", "unknown", "not known"),
    ("batch-scope", _deployed(deployment(sku="GlobalBatch")), "", "not-satisfied", "Batches"),
    ("batch-scope", _deployed(deployment(sku="DataZoneBatch")), "", "satisfied", "data zone"),
    ("batch-scope", _deployed(deployment(sku="GlobalBatch")), '[location]\nbatch_scopes = ["global"]', "satisfied", "any geography"),
    ("batch-scope", _deployed(deployment(sku="LunarBatch")), "", "unknown", "does not say"),
    ("batch-scope", _deployed(deployment(sku="BatchOfTheMoon")), "", "unknown", "does not say"),
    ("spillover-scope", _deployed(deployment(spilloverDeploymentName="B"), deployment("b")), "", "satisfied", '"B" (Standard'),
    ("spillover-scope", _deployed(deployment(spilloverDeploymentName="b"), deployment("b", "GlobalStandard")), "", "not-satisfied",
     "any geography"),
    ("spillover-scope", _deployed(deployment(parentDeploymentName="b"), deployment("b", "GlobalBatch")), "", "not-satisfied",
     "any geography"),
    ("spillover-scope", _deployed(deployment(spilloverDeploymentName="gone")), "", "unknown", "does not list"),
    ("spillover-scope", _deployed(deployment(spilloverDeploymentName=None)), "", "unknown", "null"),
    ("spillover-scope", _deployed(deployment(spilloverDeploymentName="b"), deployment("b", "Odd")), "", "unknown", "does not say"),
    ("spillover-scope", _deployed(deployment(spilloverDeploymentName="b"), deployment("b"), deployment("b")), "", "unknown",
     "does not list once"),
    ("spillover-scope", _deployed(deployment(routing={"models": []})), "", "unknown", "router"),
    ("content-filter-blocking", _filtered("", None), "", "satisfied", "default expectation: hate, selfharm, sexual, violence"),
    ("content-filter-blocking", _filtered("0/enabled", False), "", "not-satisfied", "hate in prompts is off"),
    ("content-filter-blocking", _filtered("7/blocking", False), "", "not-satisfied", "selfharm in completions does not block"),
    ("content-filter-blocking", _filtered("7/blocking", False), '[filters]\ncategories = ["hate"]', "satisfied",
     "expected by the profile: hate"),
    ("content-filter-blocking", _filtered("1", ...), "", "not-satisfied", "hate in completions is not listed"),
    ("content-filter-blocking", _base("1", ...), "", "unknown", "based on"),
    ("content-filter-blocking", _filtered("0/enabled", "true"), "", "unknown", "true or false"),
    ("content-filter-blocking", _filtered("0/enabled", ...), "", "unknown", "has no enabled"),
    ("content-filter-blocking", _filtered("1/source", "Prompt"), "", "not-satisfied", "hate in completions is not listed"),
    ("content-filter-blocking", _base("1/source", "Prompt"), "", "unknown", "listed twice"),
    ("content-filter-blocking", _filtered("8/name", None), "", "unknown", "name is null"),
    ("content-filter-blocking", _deployed(deployment(raiPolicyName="Microsoft.Default")), "", "unknown", "does not hold"),
    ("content-filter-blocking", _deployed(deployment(raiPolicyName="STRICT")), "", "satisfied", "STRICT"),
    ("content-filter-blocking", _deployed(change(deployment(), "properties/raiPolicyName", ...)), "", "unknown", "raiPolicyName is absent"),
    ("content-filter-blocking", _deployed(deployment(), raiPolicies=[policy(), policy("strict")]), "", "unknown", "twice"),
    ("content-filter-blocking", _deployed(deployment(), raiPolicies="forbidden"), "", "unknown", "403"),
    ("content-filter-blocking", _filtered("", None), "[filters]\ncategories = []", "not-applicable", "no harms"),
    ("content-filter-thresholds", _filtered("", None), "", "satisfied", "hate medium"),
    ("content-filter-thresholds", _filtered("", None), '[filters]\nthreshold = "low"', "not-satisfied", "starts at medium"),
    ("content-filter-thresholds", _filtered("0/severityThreshold", "High"), "", "not-satisfied", "hate in prompts starts at high"),
    ("content-filter-thresholds", _filtered("0/severityThreshold", "High"), '[filters]\nthresholds = {hate = "high"}', "satisfied",
     "hate high"),
    ("content-filter-thresholds", _filtered("0/severityThreshold", "low"), "", "satisfied", "medium"),
    ("content-filter-thresholds", _filtered("0/severityThreshold", 2), "", "unknown", "starts at 2"),
    ("content-filter-thresholds", _filtered("0/severityThreshold", ...), "", "unknown", "hate in prompts"),
    ("content-filter-thresholds", _filtered("0/enabled", False), "", "not-satisfied", "is off"),
    ("content-filter-thresholds", _filtered("", None), "[filters]\ncategories = []", "not-applicable", "no harms"),
    ("content-filter-mode", _filtered("", None), "", "satisfied", "filtered before it is released"),
    ("content-filter-mode", _filtered("", None, mode="Default"), "", "satisfied", "before"),
    ("content-filter-mode", _filtered("", None, mode="asynchronous_filter"), "", "not-satisfied", "released before it is filtered"),
    ("content-filter-mode", _filtered("", None, mode="Deferred"), "", "not-satisfied", "released before"),
    ("content-filter-mode", _filtered("", None, mode="Deferred"), '[filters]\nmode = "any"', "not-applicable", "released before"),
    ("content-filter-mode", _filtered("", None, mode="Later"), "", "unknown", "not known"),
    ("content-filter-mode", _filtered("", None, mode=None), "", "unknown", "null"),
    ("prompt-shields", _filtered("", None), '[filters]\nprompt_shields = ["jailbreak", "indirect-attack"]', "satisfied", "block attacks"),
    ("prompt-shields", _filtered("9", ...), "", "satisfied", "default expectation: jailbreak"),
    ("prompt-shields", _filtered("9", ...), '[filters]\nprompt_shields = ["indirect-attack"]', "not-satisfied",
     "indirect-attack is not listed"),
    ("prompt-shields", _filtered("8/blocking", False), "", "not-satisfied", "jailbreak does not block"),
    ("prompt-shields", _filtered("8/source", "Completion"), "", "not-satisfied", "jailbreak is not listed"),
    ("prompt-shields", _filtered("8/enabled", None), "", "unknown", "jailbreak"),
    ("prompt-shields", _filtered("", None), "[filters]\nprompt_shields = []", "not-applicable", "nothing"),
    ("protected-material", _filtered("", None), '[filters]\nprotected_material = ["text", "code"]', "satisfied", "protected material"),
    ("protected-material", _filtered("10/name", "protected_material_text"), "", "satisfied", "text"),
    ("protected-material", _filtered("10/enabled", False), "", "not-satisfied", "text is off"),
    ("protected-material", _base("10", ...), "", "unknown", "based on"),
    ("protected-material", _filtered("", None), "[filters]\nprotected_material = []", "not-applicable", "nothing"),
    ("preview-models", _deployed(deployment()), "", "satisfied", "past preview (generallyavailable)"),
    ("preview-models", _deployed(deployment(), models=[model(stage="Preview")]), "", "not-satisfied", "in preview"),
    ("preview-models", _deployed(deployment(), models=[model(stage="preview")]), '[preview]\nuse = "allowed"', "not-applicable", "allows"),
    ("preview-models", _deployed(deployment(), models=[model(stage="Legacy")]), "", "satisfied", "legacy"),
    ("preview-models", _deployed(deployment(), models=[model(stage="Fresh")]), "", "unknown", "not one known stage"),
    ("preview-models", _deployed(deployment(), models=[model(), model(stage="Preview")]), "", "unknown", "not one known stage"),
    ("preview-models", _deployed(deployment(), models=[model(stage=None)]), "", "unknown", "null"),
    ("preview-models", _deployed(deployment(), models=[]), "", "unknown", "does not hold"),
    ("preview-models", _deployed(deployment(), models="throttled"), "", "unknown", "throttled"),
    ("preview-models", _deployed(change(deployment(), "properties/model/name", ...)), "", "unknown", "no name"),
    ("fine-tuned-source", _tuned(), "", "satisfied", "names no other account"),
    ("fine-tuned-source", _tuned(sourceAccount=ACCOUNT.upper()), "", "satisfied", "made in this account"),
    ("fine-tuned-source", _tuned(sourceAccount=ACCOUNT.replace("chat-eu", "other")), "", "satisfied", "same subscription"),
    ("fine-tuned-source", _tuned(source=f"{ACCOUNT}/x/y"), "", "satisfied", "made in this account"),
    ("fine-tuned-source", _tuned(sourceAccount="/subscriptions/9/x"), "", "unknown", "whose that is"),
    ("fine-tuned-source", _tuned(sourceAccount=None), "", "unknown", "null"),
    ("fine-tuned-weights", _tuned(), "", "satisfied", "stay in"),
    ("fine-tuned-weights", _tuned("GlobalStandard"), "", "not-satisfied", "may for a time be stored outside"),
    ("fine-tuned-weights", _tuned("Odd"), "", "unknown", "not known"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("control", "given", "profile", "status", "reason"), CASES, ids=[f"{c[0]}-{c[3]}-{i}" for i, c in enumerate(CASES)]
)
def test_control(control: str, given: Bodies, profile: str, status: str, reason: str) -> None:
    found = _of(control, given, profile)
    assert found.status == status, found.reason
    assert reason in found.reason
    assert found.reason.endswith(".")


@pytest.mark.parametrize("control", EVERY)
def test_one_judgement_per_deployment(control: str) -> None:
    assert [found.resource for found in judged(control)] == [f"{ACCOUNT}/deployments/gpt-{number}" for number in range(5)]


@pytest.mark.parametrize("control", EVERY + SOME)
def test_an_account_without_deployments(control: str) -> None:
    found = only(judged(control, _deployed()))
    assert (found.resource, found.status, found.reason) == (ACCOUNT, "not-applicable", "The account has no deployments.")
    assert found.points


@pytest.mark.parametrize("control", SOME)
def test_deployments_that_a_control_is_not_about(control: str) -> None:
    found = only(judged(control))
    assert (found.resource, found.status) == (ACCOUNT, "not-applicable")
    assert found.reason.startswith("No deployment ")


@pytest.mark.parametrize("control", EVERY + SOME)
@pytest.mark.parametrize("deployments", ["forbidden", {"value": [5]}, {"value": {}}, {}, [5], None])
def test_deployments_that_could_not_be_listed(control: str, deployments: Json) -> None:
    given = bodies()
    given["deployments", ACCOUNT] = deployments
    found = only(judged(control, given))
    assert (found.resource, found.status) == (ACCOUNT, "unknown")
    assert found.points


@pytest.mark.parametrize("control", EVERY + SOME)
def test_what_stands_among_deployments_and_is_none(control: str) -> None:
    """An entry with another's id, or none, is a hole in the account's list: said once, beside the judgements of the others."""
    for odd in ({"id": "elsewhere"}, {}, {"id": None}, {"id": f"{ACCOUNT}/deployments/a/b"}):
        found = judged(control, _deployed(deployment(), odd))
        assert [f.status for f in found if f.resource == ACCOUNT] == ["unknown"]


@pytest.mark.parametrize("control", EVERY + SOME)
def test_a_deployment_listed_twice_is_unknown_once(control: str) -> None:
    """In another casing, and over two pages, too."""
    twice = deployment("TWIN", "GlobalBatch")
    given = _deployed(twice, change(twice, "id", twice["id"].upper()))
    found = [f for f in judged(control, given) if f.resource == f"{ACCOUNT}/deployments/twin"]
    assert [f.status for f in found] in (["unknown"], [])


def test_an_override_for_one_deployment() -> None:
    text = f'[resource."{ACCOUNT}/deployments/gpt-1".location]\nprocessing_scopes = ["global"]'
    statuses = {str(f.resource)[-5:]: f.status for f in judged("processing-scope-allowed", bodies(), text)}
    assert statuses == {"gpt-0": "satisfied", "gpt-1": "not-satisfied", "gpt-2": "satisfied", "gpt-3": "satisfied", "gpt-4": "satisfied"}


def test_only_what_applies_is_judged() -> None:
    given = _deployed(deployment("a"), deployment("b", "GlobalBatch"), deployment("c", "DataZoneStandard"))
    assert [f.resource for f in judged("batch-scope", given)] == [f"{ACCOUNT}/deployments/b"]
    assert [f.resource for f in judged("data-zone", given)] == [f"{ACCOUNT}/deployments/c"]
