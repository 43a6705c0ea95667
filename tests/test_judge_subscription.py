"""Each control of a subscription, and each of the collection itself."""

from dataclasses import replace
from typing import Any

import pytest

from shared.judge.catalogue import catalogue
from shared.judge.checks.collection import Collection, Failed
from shared.judge.engine import judge_sweep, provider_attested
from shared.model import Judgement
from tests.test_judge_samples import SUBSCRIPTION, account, as_profile, change, diagnostic_setting, log, of_subscription, only

Json = Any
OFF = [{"name": "ContentLogging", "value": "false"}]


def _accounts(**capabilities: Json) -> list[Json]:
    return [change(account() | {"name": name}, "properties/capabilities", entries) for name, entries in capabilities.items()]


EXPORT = diagnostic_setting(log("Administrative"))
SUBSCRIPTION_CASES: list[tuple[str, dict[str, Json], str, str, str]] = [
    ("content-logging-agrees", {"accounts": _accounts(a=OFF, b=OFF)}, "", "satisfied", "every account of the subscription (2 accounts)"),
    ("content-logging-agrees", {"accounts": _accounts(a=OFF, b=[], c=[])}, "", "not-satisfied", "2 accounts of 3 do not show"),
    ("content-logging-agrees", {"accounts": _accounts(a=OFF, b=[])}, "", "not-satisfied", "while others do: b"),
    ("content-logging-agrees", {"accounts": _accounts(a=OFF, b=OFF * 2)}, "", "unknown", "cannot be told: b"),
    ("content-logging-agrees", {"accounts": _accounts(a=OFF, b=None)}, "", "unknown", "b"),
    ("content-logging-agrees", {"accounts": _accounts(a=OFF, b=[], c=None)}, "", "not-satisfied", "1 account of 3 does not"),
    ("content-logging-agrees", {"accounts": _accounts(a=OFF) + 2 * _accounts(b=[])}, "", "not-satisfied", "2 accounts of 3 do not show"),
    ("content-logging-agrees", {"accounts": _accounts(a=[], b=[])}, "", "not-applicable", "None of 2 accounts"),
    ("content-logging-agrees", {"accounts": [account() | {"kind": "SpeechServices"}]}, "", "not-applicable", "no accounts of kind"),
    ("content-logging-agrees", {"accounts": [account() | {"kind": "OPENAI"}]}, "", "satisfied", "1 account"),
    ("content-logging-agrees", {"accounts": [account() | {"kind": None}]}, "", "unknown", "null"),
    ("content-logging-agrees", {"accounts": "forbidden"}, "", "unknown", "403"),
    ("content-logging-agrees", {}, "", "unknown", "not asked"),
    ("deleted-accounts-purged", {"deletedAccounts": []}, "", "satisfied", "No account"),
    ("deleted-accounts-purged", {"deletedAccounts": [{"name": "old", "kind": "OpenAI"}]}, "", "not-satisfied",
     "1 deleted account can still be restored"),
    ("deleted-accounts-purged", {"deletedAccounts": [{"name": "old", "kind": "FormRecognizer"}]}, "", "satisfied", "No account"),
    ("deleted-accounts-purged", {"deletedAccounts": [{"name": "old"}]}, "", "unknown", "no kind"),
    ("deleted-accounts-purged", {"deletedAccounts": {"value": None}}, "", "unknown", "not a list"),
    ("activity-log-exported", {"subscriptionDiagnosticSettings": [EXPORT]}, "", "satisfied", "exported"),
    ("activity-log-exported", {"subscriptionDiagnosticSettings": [diagnostic_setting(log("Security"))]}, "", "not-satisfied", "90 days"),
    ("activity-log-exported", {"subscriptionDiagnosticSettings": []}, "", "not-satisfied", "90 days"),
    ("activity-log-exported", {"subscriptionDiagnosticSettings": [diagnostic_setting(log("Administrative", enabled=1))]}, "", "unknown",
     "cannot be read"),
    ("activity-log-exported", {"subscriptionDiagnosticSettings": [EXPORT]}, '[logging]\nactivity_log_export = "any"', "not-applicable",
     "is exported"),
    ("activity-log-exported", {"subscriptionDiagnosticSettings": "throttled"}, "", "unknown", "throttled"),
]  # fmt: skip


@pytest.mark.parametrize(("control", "given", "profile", "status", "reason"), SUBSCRIPTION_CASES)
def test_subscription_control(control: str, given: dict[str, Json], profile: str, status: str, reason: str) -> None:
    found = of_subscription(control, profile, **given)
    assert (found.status, found.resource) == (status, SUBSCRIPTION), found.reason
    assert reason in found.reason
    assert found.points or not given


def test_a_thousand_accounts_that_differ_make_one_line() -> None:
    """The record of a finding has room for 65,535 bytes."""
    found = of_subscription("content-logging-agrees", accounts=_accounts(a=OFF, **{f"n{i:04}": [] for i in range(1000)}))
    assert found.status == "not-satisfied"
    assert "n0000, n0001, n0002, n0003, n0004 and 995 more" in found.reason
    assert len(found.points) <= 64


SWEEP = Collection(
    plan_record=7,
    planned_at="2026-11-22T18:00:00.000000Z",
    slot="2026-11-22T18:00:00.000000Z",
    schedule="0 0 */6 * * *",
    named_subscriptions=None,
    seen_subscriptions=("a", "b"),
    units=3,
    previous_slot="2026-11-22T12:00:00.000000Z",
    previous_closed_at="2026-11-22T12:04:00.000000Z",
    missed_slots=(),
    storage_policy="locked",
    storage_until="2033-11-22T18:00:00.000000Z",
    storage_record=6,
    clock_skew_seconds=1.0,
    log_size=900,
    previous_log_size=500,
    log_consistent=True,
)
FAILED = Failed("account", "/subscriptions/a/x", "forbidden", 12)
SWEEP_CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("collection-complete", {}, "", "satisfied", "All 3 units"),
    ("collection-complete", {"missing_units": ("u1",)}, "", "not-satisfied", "1 of 3 units of the plan was not collected"),
    ("collection-complete", {"failures": (FAILED, replace(FAILED, record=13))}, "", "not-satisfied",
     "2 questions had no answer: account forbidden"),
    ("collection-scope", {}, "", "satisfied", "all 2 subscriptions"),
    ("collection-scope", {"named_subscriptions": ("A",)}, "", "satisfied", "1 subscription in scope; 1 more is seen"),
    ("collection-scope", {"named_subscriptions": ("a", "c")}, "", "not-satisfied", "cannot be seen by the identity: c"),
    ("collection-scope", {"seen_subscriptions": ()}, "", "not-satisfied", "no subscription at all"),
    ("collection-scope", {"seen_subscriptions": None}, "", "unknown", "could not be asked"),
    ("collection-scope", {"named_resources": ("/subscriptions/A/x",)}, "", "not-applicable", "narrowed to 1 account: whatever else"),
    ("collection-scope", {"named_resources": ("/subscriptions/c/x",)}, "", "not-satisfied", "cannot be seen by the identity: c"),
    ("collection-scope", {"named_resources": ("/subscriptions/a/x",), "seen_subscriptions": ()}, "", "not-satisfied", "no subscription at all"),
    ("schedule-kept", {}, "", "satisfied", "has its sweep"),
    ("schedule-kept", {"missed_slots": ("2026-11-22T06:00:00Z",)}, "", "not-satisfied", "1 slot of the schedule has no sweep"),
    ("schedule-kept", {"schedule": None}, "", "unknown", "No schedule"),
    ("schedule-kept", {"missed_slots": None}, "", "unknown", "cannot be said"),
    ("schedule-kept", {"previous_closed_at": None}, "", "not-applicable", "first sweep"),
    ("schedule-kept", {}, '[collection]\nschedule = "0 0 * * * *"', "not-satisfied", "expected by the profile"),
    ("schedule-kept", {}, '[collection]\nschedule = "0 0  */6 * * *"', "satisfied", "has its sweep"),
    ("store-worm", {}, "", "satisfied", "locked policy until 2033"),
    ("store-worm", {"storage_until": "2026-11-22T18:00:00Z"}, "", "not-satisfied", "which is past"),
    ("store-worm", {"storage_until": "2026-12-22T12:00:00Z"}, "[collection]\nretention_days = 30", "not-satisfied", "30 days"),
    ("store-worm", {"storage_until": "2026-12-22T12:00:00Z", "storage_written": "2026-11-22T12:00:00.400000Z"},
     "[collection]\nretention_days = 30", "satisfied", "30 days"),
    ("store-worm", {"storage_policy": "unlocked"}, "", "not-satisfied", "not locked"),
    ("store-worm", {"storage_policy": "none"}, "", "not-satisfied", "Nothing protects"),
    ("store-worm", {"storage_policy": None}, "", "unknown", "could not be asked"),
    ("store-worm", {"storage_policy": "Locked"}, "", "unknown", '"Locked"'),
    ("store-worm", {"storage_policy": "none"}, '[collection]\nworm = "any"', "not-applicable", "expects nothing"),
    ("store-worm", {}, "[collection]\nretention_days = 2555", "satisfied", "2555 days"),
    ("store-worm", {}, "[collection]\nretention_days = 3000", "not-satisfied", "3000 days"),
    ("store-worm", {"storage_until": None}, "[collection]\nretention_days = 1", "unknown", "for how long"),
    ("store-worm", {"storage_until": "2033-01-01"}, "[collection]\nretention_days = 1", "unknown", "for how long"),
    ("log-continuity", {}, "", "satisfied", "500 records then, 900 now"),
    ("log-continuity", {"log_consistent": False}, "", "not-satisfied", "not a continuation"),
    ("log-continuity", {"log_size": 499}, "", "not-satisfied", "not a continuation"),
    ("log-continuity", {"log_consistent": None}, "", "unknown", "could not be checked"),
    ("log-continuity", {"log_consistent": None, "previous_log_size": None}, "", "not-applicable", "no earlier checkpoint"),
    ("clock", {}, "", "satisfied", "default expectation: 60 seconds"),
    ("clock", {"clock_skew_seconds": 61.0}, "", "not-satisfied", "61 seconds"),
    ("clock", {"clock_skew_seconds": 61.0}, "[collection]\nclock_skew_seconds = 90", "satisfied", "90 seconds"),
    ("clock", {"clock_skew_seconds": None}, "", "unknown", "No answer"),
]  # fmt: skip


def _sweep_judgement(control: str, profile: str, **facts: Any) -> Judgement:
    return only(found for id_, found in judge_sweep(replace(SWEEP, **facts), as_profile(profile)) if id_ == control)


@pytest.mark.parametrize(("control", "facts", "profile", "status", "reason"), SWEEP_CASES)
def test_sweep_control(control: str, facts: dict[str, Any], profile: str, status: str, reason: str) -> None:
    found = _sweep_judgement(control, profile, **facts)
    assert (found.status, found.resource) == (status, None), found.reason
    assert reason in found.reason
    assert 7 in {point.record for point in found.points}


def test_failures_are_named_by_their_records() -> None:
    assert [point.record for point in _sweep_judgement("collection-complete", "", failures=(FAILED,)).points] == [7, 12]


def test_what_only_the_provider_can_observe() -> None:
    """One for each such control, in order, never anything but attested, and it says which exhibit is missing."""
    found = provider_attested((), "2026-11-22T18:00:00.000000Z")
    assert [id_ for id_, _ in found] == [control.id for control in catalogue().of_scope("provider")]
    for _, judgement in found:
        assert (judgement.status, judgement.resource) == ("provider-attested", None)
        assert "needs an exhibit: " in judgement.reason
