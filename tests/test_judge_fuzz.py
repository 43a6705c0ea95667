"""Whatever Azure answers, judging gives findings, never an exception, and never `satisfied` for what is not there or not understood."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.judge.engine import FAILED, Judged, judge_account, judge_subscription
from shared.judge.profile import DEFAULT, Profile
from shared.judge.reading import identical
from shared.model import STATUSES, Answer, Evidence, Point
from tests.test_judge_engine import STRICT, resolve
from tests.test_judge_samples import (
    ACCOUNT,
    SINGLE,
    SUBSCRIPTION,
    account,
    bodies,
    change,
    diagnostic_setting,
    evidence,
    log,
    subscription_evidence,
)

Json = Any

WORDS = [
    "", "false", "true", "True", "Enabled", "Disabled", "Deny", "Microsoft.KeyVault", "Standard", "GlobalBatch", "Strict", "hate", "Prompt",
    "RequestResponse", "allLogs", "swedencentral", "OpenAI", "AIServices", "ContentLogging", ACCOUNT, f"{ACCOUNT}/deployments/x",
    "https://",
    "https://x.openai.azure.com", "\x00\n\ud800", "x" * 5000,
]  # fmt: skip
NAMES = [
    "id", "name", "value", "kind", "location", "properties", "sku", "capabilities", "model", "format", "version", "enabled", "logs",
    "source",
    "contentFilters", "endpoint", "endpoints", "encryption", "keySource", "networkAcls", "committed", "withheld", "metadata", "versions",
    "chain",
]  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(WORDS) | st.text(max_size=5)
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=3), inner, max_size=5),
    max_leaves=25,
)
JUNK: list[Json] = [
    None, True, False, 0, -1, 1.5, float("nan"), "", "junk", "true", [], {}, [[]], [None], [5], [{}], {"committed": "x"},
    {"withheld": "secret"},
    {"value": [{}]}, [{"name": None}], {"a": {"b": {"c": {"d": {"e": []}}}}},
]  # fmt: skip
PROFILES = st.sampled_from([DEFAULT, STRICT])


def _sound(found: list[Judged]) -> None:
    seen = set()
    for control, judgement in found:
        assert not judgement.reason.startswith(FAILED), (control, judgement)
        assert judgement.status in STATUSES
        assert judgement.points or judgement.status not in ("satisfied", "not-satisfied"), (control, judgement)
        assert judgement.reason
        assert not set(judgement.reason) & set("\n\r\x00")
        assert len(judgement.reason) < 2000
        assert (control, judgement.resource) not in seen, control
        seen.add((control, judgement.resource))


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(sorted(bodies())), st.lists(JSON, min_size=0, max_size=2), max_size=8), PROFILES)
def test_any_json_in_any_page(pages: dict[tuple[str, str], list[Json]], profile: Profile) -> None:
    """Findings, one for each control and resource, each with its bytes where it concludes something."""
    answers = {key: Answer(*key, number, tuple(found), None, 200) for number, (key, found) in enumerate(pages.items())}
    context = Evidence(SUBSCRIPTION, {key: answer for key, answer in answers.items() if key[1] == SUBSCRIPTION})
    whole = Evidence(ACCOUNT, {key: answer for key, answer in answers.items() if key[1] != SUBSCRIPTION}, context)
    _sound(judge_account(whole, profile, "public"))
    _sound(judge_subscription(Evidence(SUBSCRIPTION, answers), profile, "public"))


def _places(value: Json, pointer: str = "") -> list[str]:
    """Every pointer into a value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [pointer, *(found for name, part in inner for found in _places(part, f"{pointer}/{name}".replace("~", "~0")))]


def _spoiled(page: Json, pointer: str, new: Json) -> Json:
    """A copy of `page` with what `pointer` leads to replaced, or gone for `...`."""
    if not pointer:
        return {} if new is ... else new
    copied = json.loads(json.dumps(page))
    *way, last = [name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")[1:]]
    at = copied
    for name in way:
        at = at[int(name)] if isinstance(at, list) else at[name]
    key: Any = int(last) if isinstance(at, list) else last
    if new is ...:
        del at[key]
    else:
        at[key] = new
    return copied


def _with_page(whole: Evidence, record: int, page: Json) -> Evidence:
    answers = {key: replace(a, pages=(page,)) if a.record == record else a for key, a in whole.answers.items()}
    return Evidence(whole.resource, answers, None if whole.context is None else _with_page(whole.context, record, page))


def _every_page(whole: Evidence) -> dict[int, Json]:
    found = {answer.record: answer.pages[0] for answer in whole.answers.values()}
    return found | (_every_page(whole.context) if whole.context else {})


@settings(max_examples=120, deadline=None)
@given(st.data(), PROFILES)
def test_a_good_account_with_anything_anywhere(data: st.DataObject, profile: Profile) -> None:
    whole = evidence()
    pages = _every_page(whole)
    record = data.draw(st.sampled_from(sorted(pages)))
    pointer = data.draw(st.sampled_from([p for p in _places(pages[record]) if "~" not in p and "(" not in p]))
    new = data.draw(st.sampled_from(JUNK) | JSON)
    _sound(judge_account(_with_page(whole, record, _spoiled(pages[record], pointer, new)), profile, "public"))


MAY_BE_GONE = {
    ("encryption-key-source", "/properties/encryption"): "Azure leaves defaults out: the provider's keys then",
    ("endpoint-host", "/properties/endpoints"): "accounts of some kinds name one endpoint only",
    ("public-network-access", "/properties/publicNetworkAccess"): "the rules of networkAcls deny what is not listed",
}
MAY_BE_ANYTHING = {
    "/value/0/metadata/geography": "Azure's word for a geography has a fallback, the dated table, and the finding says which of them spoke",
}


def _satisfied_points(profile: Profile) -> list[tuple[str, str | None, Point]]:
    return [
        (control, judgement.resource, point)
        for control, judgement in judge_account(evidence(), profile, "public")
        if judgement.status == "satisfied"
        for point in judgement.points
    ]


@pytest.mark.parametrize("profile", [DEFAULT, STRICT], ids=["default", "strict"])
def test_what_a_satisfied_judgement_points_at_is_what_it_rests_on(profile: Profile) -> None:
    """Spoil each place that it points at in every way: then it is not satisfied. Roots are there for the record's sake."""
    whole = evidence()
    pages = _every_page(whole)
    resting: dict[Point, list[tuple[str, str | None]]] = {}
    for control, resource, point in _satisfied_points(profile):
        if point.pointer and point.pointer not in MAY_BE_ANYTHING:
            resting.setdefault(point, []).append((control, resource))
    spoiled, stayed = 0, []
    for point, judged in resting.items():
        there = resolve(pages[point.record], point, judged[0][0])
        for new in (..., *JUNK):
            if new is there:
                continue
            changed = _with_page(whole, point.record, _spoiled(pages[point.record], point.pointer, new))
            found = {(control, judgement.resource): judgement for control, judgement in judge_account(changed, profile, "public")}
            for control, resource in judged:
                if new is ... and (control, point.pointer) in MAY_BE_GONE:
                    continue
                if isinstance(new, str) and new and point.pointer.endswith("/training_file"):
                    continue  # any text can be the id of a file; whether it is listed is said, and expected by nobody
                again = found.get((control, resource))
                if again is not None and again.status == "satisfied" and not _empty_is_meant(control, point.pointer, new):
                    stayed.append(f"{control} with {new!r} at {point.pointer}: {again.reason}")
                spoiled += 1
    assert not stayed, "\n".join(stayed)
    assert spoiled > 500


def _empty_is_meant(control: str, pointer: str, new: Json) -> bool:
    """An account without properties beyond the empty object has none of what is absent by default; no endpoints are no strays."""
    nothing = new == {} or (isinstance(new, dict) and not {"committed", "withheld"} & new.keys())
    return (nothing and pointer == "/properties") or (new == {} and pointer == "/properties/endpoints")


SUBSCRIPTION_SAMPLE = {
    "accounts": [account()],
    "deletedAccounts": [],
    "subscriptionDiagnosticSettings": [diagnostic_setting(log("Administrative"))],
    "activityLog": [],
    "activityLogInsights": [],
    "activityLogAuthorization": [],
}


def test_the_same_for_a_subscription() -> None:
    whole = subscription_evidence(**SUBSCRIPTION_SAMPLE)
    pages = _every_page(whole)
    for control, judgement in judge_subscription(whole, DEFAULT, "public"):
        assert judgement.status == "satisfied"
        for point in judgement.points:
            for new in (..., *JUNK):
                if not point.pointer or (control == "deleted-accounts-purged" and new == []):
                    continue
                changed = _with_page(whole, point.record, _spoiled(pages[point.record], point.pointer, new))
                again = dict(judge_subscription(changed, DEFAULT, "public"))[control]
                assert again.status != "satisfied", (control, new, again.reason)


@pytest.mark.parametrize("kind", sorted({key[0] for key in bodies()}))
@pytest.mark.parametrize("junk", JUNK, ids=repr)
def test_junk_for_a_whole_answer(kind: str, junk: Json) -> None:
    """In place of any answer, alone or as a second page."""
    whole = evidence()
    for answers in (whole.answers, whole.context.answers if whole.context else {}):
        for key, answer in answers.items():
            if key[0] == kind:
                for pages in ((junk,), (answer.pages[0], junk), (junk, answer.pages[0]), ()):
                    spoiled = {**answers, key: Answer(*key, answer.record, pages, None, 200)}
                    inside = key[1] != SUBSCRIPTION
                    context = whole.context if inside else Evidence(SUBSCRIPTION, spoiled)
                    found = judge_account(Evidence(ACCOUNT, spoiled if inside else whole.answers, context), DEFAULT, "public")
                    _sound(found)
                    if kind == "account" or (kind in SINGLE and len(pages) != 1):
                        assert dict(found)["content-logging-off"].status == ("unknown" if kind == "account" else "satisfied")


def test_names_that_azure_sent_do_not_break_a_sentence() -> None:
    whole = evidence({**bodies(), ("account", ACCOUNT): change(account(), "properties/endpoints", {"a\nb\x00" + "c" * 500: None})})
    found = judge_account(whole, DEFAULT, "public")
    _sound(found)
    assert dict(found)["endpoint-host"].status == "unknown"


def test_two_answers_too_deep_to_compare_differ() -> None:
    def buried() -> Json:
        value: Json = []
        for _ in range(100_000):
            value = [value]
        return value

    one = buried()
    assert identical(one, one)
    assert not identical(one, buried())


def test_an_account_buried_deep() -> None:
    deep: Json = {}
    for _ in range(400):
        deep = {"properties": deep, "value": [deep] if not deep else []}
    for kind in ("account", "deployments", "raiPolicies", "tls", "models"):
        given = {**bodies(), (kind, ACCOUNT): deep}
        _sound(judge_account(evidence(given), DEFAULT, "public"))
