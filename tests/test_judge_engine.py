"""The engine: deterministic, complete, a function of the records that a finding names, and never without a finding."""

import json
import random
from typing import Any

import pytest

from shared.canonical import canonical
from shared.judge import engine
from shared.judge.catalogue import catalogue
from shared.judge.engine import FAILED, judge_account, judge_subscription
from shared.judge.profile import DEFAULT, Profile
from shared.judge.profile_text import read_profile
from shared.model import Evidence, Judgement, Point
from tests.test_judge_samples import (
    ACCOUNT,
    SUBSCRIPTION,
    account,
    bodies,
    change,
    evidence,
    judged,
    only,
    role_assignment,
    subscription_evidence,
)

Json = Any

STRICT = read_profile(
    """
    [location]
    geographies = ["Sweden"]
    processing_scopes = ["geography"]
    [encryption]
    key_source = "customer"
    key_version = "rotating"
    [network]
    private_endpoint = "required"
    outbound = "restricted"
    perimeter = "enforced"
    [access]
    roles_allowed = []
    [storage]
    agent_storage = "own"
    """
)


def _sample() -> Evidence:
    """The sample with one deployment of every type, so that every control has something to read."""
    given = bodies()
    skus = ["Standard", "DataZoneStandard", "GlobalBatch", "GlobalStandard", "Odd"]
    deployments = given["deployments", ACCOUNT]
    for number, sku in enumerate(skus):
        deployments[number]["sku"]["name"] = sku
    deployments[0]["properties"]["spilloverDeploymentName"] = "gpt-3"
    deployments[1]["properties"]["model"]["name"] = "gpt-4o.ft-1"
    return evidence(given)


def _restricted(whole: Evidence, records: set[int]) -> Evidence:
    """Only the answers whose records a finding names."""
    kept = {key: answer for key, answer in whole.answers.items() if answer.record in records}
    context = None if whole.context is None else _restricted(whole.context, records)
    return Evidence(whole.resource, kept, context)


@pytest.mark.parametrize("profile", [DEFAULT, STRICT], ids=["default", "strict"])
def test_a_finding_can_be_judged_again_from_the_records_that_it_names(profile: Profile) -> None:
    whole = _sample()
    for control, judgement in judge_account(whole, profile, "public"):
        part = _restricted(whole, {point.record for point in judgement.points})
        assert (control, judgement) in judge_account(part, profile, "public"), control


def test_of_a_subscription_too() -> None:
    whole = subscription_evidence(accounts=[account()], deletedAccounts=[], subscriptionDiagnosticSettings=[])
    for control, judgement in judge_subscription(whole, DEFAULT, "public"):
        part = _restricted(whole, {point.record for point in judgement.points})
        assert (control, judgement) in judge_subscription(part, DEFAULT, "public")


def test_the_same_evidence_in_another_order_gives_the_same_findings_in_the_same_order() -> None:
    whole = _sample()
    first = judge_account(whole, STRICT, "public")
    items = list(whole.answers.items())
    for seed in range(5):
        random.Random(seed).shuffle(items)
        assert judge_account(Evidence(whole.resource, dict(items), whole.context), STRICT, "public") == first


def test_findings_come_in_the_order_of_the_catalogue() -> None:
    order = [control.id for control in catalogue().of_scope("account", "deployment")]
    seen = list(dict.fromkeys(control for control, _ in judge_account(_sample(), DEFAULT, "public")))
    assert seen == order


def test_judging_changes_nothing_that_it_is_given() -> None:
    whole = _sample()
    before = canonical([answer.pages for answer in whole.answers.values()])
    judge_account(whole, STRICT, "public")
    assert canonical([answer.pages for answer in whole.answers.values()]) == before


def test_what_is_judged_later_in_one_process_is_judged_the_same() -> None:
    """Tables and lists are kept from one account to the next."""
    fresh = judge_account(_sample(), DEFAULT, "public")
    given = bodies()
    given["locations", SUBSCRIPTION] = []
    given["models", ACCOUNT] = []
    given["accounts", SUBSCRIPTION] = []
    assert judge_account(evidence(given), DEFAULT, "public") != fresh
    assert judge_account(_sample(), DEFAULT, "public") == fresh


def test_points_lead_to_something_in_the_bytes() -> None:
    whole = _sample()
    pages = {answer.record: answer.pages for answer in whole.answers.values()}
    assert whole.context is not None
    pages |= {answer.record: answer.pages for answer in whole.context.answers.values()}
    for control, judgement in judge_account(whole, STRICT, "public"):
        assert judgement.points or judgement.status == "unknown"
        for point in judgement.points:
            resolve(pages[point.record][point.page], point, control)


def resolve(page: Json, point: Point, why: str) -> Json:
    """What an RFC 6901 pointer leads to."""
    for raw in point.pointer.split("/")[1:]:
        name = raw.replace("~1", "/").replace("~0", "~")
        assert name in page if isinstance(page, dict) else int(name) < len(page), (why, point)
        page = page[int(name)] if isinstance(page, list) else page[name]
    return page


def test_a_point_into_a_name_with_a_slash() -> None:
    given = bodies()
    given["account", ACCOUNT] = change(given["account", ACCOUNT], "properties/endpoints", {"a/b~c": "https://evil.example"})
    found = dict(judge_account(evidence(given), DEFAULT, "public"))["endpoint-host"]
    assert found.points[0].pointer == "/properties/endpoints/a~1b~0c"


def test_a_check_with_a_bug_loses_no_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> list[Judgement]:
        raise ZeroDivisionError

    control = catalogue().control("local-auth-disabled")
    monkeypatch.setattr(engine, "_account_checks", lambda: ((control, broken),))
    ((id_, judgement),) = judge_account(evidence(), DEFAULT, "public")
    assert (id_, judgement.status, judgement.resource) == ("local-auth-disabled", "unknown", ACCOUNT)
    assert judgement.reason == f"{FAILED} (ZeroDivisionError): please report it."


def test_a_finding_fits_into_its_line() -> None:
    """Hundreds of endpoints, rules or assignments make no record of a megabyte."""
    given = bodies()
    many = {f"endpoint {number}": f"https://evil-{number}.example/" for number in range(3000)}
    given["account", ACCOUNT] = change(given["account", ACCOUNT], "properties/endpoints", many)
    given["roleAssignments", ACCOUNT] = given["roleAssignments", ACCOUNT] * 2000
    for _, judgement in judge_account(evidence(given), STRICT, "public"):
        points = [[point.record, point.page, point.pointer] for point in judgement.points]
        assert len(json.dumps([judgement.reason, points])) < 16_384


def test_an_account_of_which_nothing_was_asked() -> None:
    for control, judgement in judge_account(Evidence(ACCOUNT), DEFAULT, "public"):
        assert judgement.status == "unknown", control
        assert judgement.resource == ACCOUNT
        assert judgement.points == ()


def test_an_account_of_which_everything_failed() -> None:
    given: dict[tuple[str, str], Json] = dict.fromkeys(bodies(), "forbidden")
    for control, judgement in judge_account(evidence(given), DEFAULT, "public"):
        assert judgement.status == "unknown", control
        assert judgement.points or not catalogue().control(control).collected


def test_the_roles_that_reach_something_are_pointed_at_and_no_others() -> None:
    """A reader sees which assignments a conclusion is about: those of roles that reach data, keys or rights, and of roles nobody knows."""
    user, reader, stranger = "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd", "acdd72a7-3385-48ef-bd42-f606fba81ae7", "1111"
    given = {**bodies(), ("roleAssignments", ACCOUNT): [role_assignment(guid) for guid in (reader, user, stranger)]}
    found = only(judged("role-assignments", given))
    assert [point.pointer for point in found.points] == [f"/value/{place}/properties/roleDefinitionId" for place in (1, 2)]
    nobody = only(judged("role-assignments", {**given, ("roleAssignments", ACCOUNT): [role_assignment(reader)]}))
    assert [point.pointer for point in nobody.points] == ["/value"]
