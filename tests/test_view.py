"""The view of a period: what is in it, what is counted, what is said of what is not there."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from shared.deliver.view import build
from shared.deliver.view_coverage import coverage, duration, instant
from shared.deliver.view_fold import MOST_OPEN, Fold
from shared.deliver.view_sweeps import Period, Sweep
from shared.deliver.view_tables import changes, findings, resources, status
from shared.deliver.view_words import words
from shared.judge.catalogue import catalogue
from shared.records import record
from tests.test_view_sample import ORIGIN, Sample, of_type, sample

DAY = Period("2026-11-01T00:00:00.000000Z", "2026-11-02T00:00:00.000000Z")
SLOTS = [f"2026-11-01T{hour:02d}:00:00.000000Z" for hour in (0, 6, 12, 18)]


@pytest.fixture(scope="module")
def made():
    return sample()


@pytest.fixture(scope="module")
def view(made):
    return made.view()


def sweep(number, slot, **changed):
    fields = {
        "name": f"s{number}", "number": number, "slot": slot, "planned_at": slot, "closed_at": slot, "schedule": "0 0 */6 * * *",
        "cause": "schedule", "narrowed": False, "units": 3, "missing": (), "failures": 0, "complete": True, "plan_record": number,
        "closed_record": number, "findings": {}, "changes": 0,
    }  # fmt: skip
    return Sweep(**(fields | changed))


# -- coverage ---------------------------------------------------------------------------------------------------------------


def test_every_slot_has_a_state():
    sweeps = [sweep(0, SLOTS[0]), sweep(1, SLOTS[1], failures=2, complete=False), sweep(2, SLOTS[3], closed_at=None)]
    found = coverage(DAY, SLOTS, sweeps)
    assert [slot.state for slot in found.slots] == ["complete", "failures", "gap", "not-closed"]
    assert [(gap.start, gap.end, gap.slots) for gap in found.gaps] == [(SLOTS[2], SLOTS[3], 1)]
    assert (found.days[0].expected, found.days[0].swept, found.days[0].complete) == (4, 3, 1)


def test_missing_units_are_worse_than_failures():
    found = coverage(DAY, SLOTS[:1], [sweep(0, SLOTS[0], missing=("/a",), failures=1, complete=False)])
    assert found.slots[0].state == "missing-units"


def test_of_two_sweeps_of_one_slot_the_better_counts():
    found = coverage(DAY, SLOTS[:1], [sweep(0, SLOTS[0], closed_at=None), sweep(1, SLOTS[0])])
    assert (found.slots[0].state, found.slots[0].sweep) == ("complete", "s1")


def test_a_gap_at_the_end_lasts_to_the_end_of_the_period():
    found = coverage(DAY, SLOTS, [sweep(0, SLOTS[0])])
    assert [(gap.start, gap.end, gap.slots) for gap in found.gaps] == [(SLOTS[1], DAY.end, 3)]
    assert (found.longest.start, found.longest.end, found.longest.slots) == (SLOTS[0], DAY.end, 3)


def test_a_sweep_that_did_not_finish_or_was_narrowed_ends_no_stretch():
    sweeps = [sweep(0, SLOTS[0]), sweep(1, SLOTS[1], closed_at=None), sweep(2, SLOTS[2], narrowed=True)]
    assert coverage(DAY, SLOTS, sweeps).longest.start == SLOTS[0]


def test_without_a_schedule_nothing_is_a_gap():
    found = coverage(DAY, [], [sweep(0, None, planned_at=SLOTS[1])])
    assert not found.declared
    assert not found.gaps
    assert found.besides == 1
    assert found.days[0].besides == 1


def test_an_empty_period_is_all_gap():
    found = coverage(DAY, SLOTS, [])
    assert found.count("gap") == 4
    assert found.longest.seconds == 86_400


def test_slots_outside_the_period_do_not_count():
    assert len(coverage(DAY, [*SLOTS, "2026-11-02T00:00:00Z", "2026-10-31T18:00:00Z"], []).slots) == 4


@pytest.mark.parametrize(
    ("seconds", "said"), [(0, "0 s"), (59, "59 s"), (60, "1 min"), (21_720, "6 h 2 min"), (194_400, "2 d 6 h"), (86_400, "1 d")]
)
def test_lengths_of_time(seconds, said):
    assert duration(seconds) == said


# -- the whole view ---------------------------------------------------------------------------------------------------------


def test_the_gap_of_the_sample_is_seen(view):
    assert view.coverage.count("gap") == 8
    assert [(gap.start[:13], gap.end[:13]) for gap in view.coverage.gaps] == [("2026-11-12T00", "2026-11-14T00")]
    assert len(view.sweeps) == 113
    assert view.coverage.besides == 1


def test_every_finding_of_the_last_sweep_is_in_the_view_with_its_bytes(made, view):
    last = [(index, value) for index, value in of_type(made, "finding") if value["sweep"] == view.shown.name]
    assert sorted(finding.record for finding in view.findings) == [index for index, _ in last]
    by_record = {finding.record: finding for finding in view.findings}
    for index, value in last:
        assert by_record[index].reason == value["reason"]
        assert [(e.record, e.page, e.pointer) for e in by_record[index].excerpts] == [
            (point["record"], point["page"], point["pointer"]) for point in value["points"]
        ]


def test_excerpts_are_what_the_bodies_say(view):
    off = next(f for f in view.findings if f.control == "content-logging-off" and f.status == "satisfied")
    assert '{"name":"ContentLogging","value":"false"}' in [each.text for each in off.excerpts]
    assert all(len(each.text) <= 400 for finding in view.findings for each in finding.excerpts)


def test_the_command_names_the_resource(view):
    off = next(f for f in view.findings if f.control == "content-logging-off" and "hr-assistant" in (f.resource or ""))
    assert off.commands == (
        "az cognitiveservices account show -n hr-assistant -g rg-hr --query properties.capabilities"
        " --subscription 7c41d9a2-30b5-4f7e-9d11-000000000001",
    )


def test_no_command_keeps_a_placeholder_of_the_account(view):
    for finding in view.findings:
        if finding.resource and "/accounts/" in finding.resource:
            for command in finding.commands:
                assert not {"NAME", "GROUP", "ACCOUNT_ID", "ENDPOINT", "HOST"} & set(command.replace("/", " ").replace(":", " ").split())


def test_headlines_count_what_the_findings_say(view):
    for headline in view.headlines:
        counted = Counter(finding.status for finding in view.findings if finding.control == headline.control)
        assert headline.counts == counted
        assert headline.worst is None or headline.worst.status == headline.status
    assert [headline.control for headline in view.headlines] == [control.id for control in catalogue().controls]


def test_the_worst_comes_first(view):
    headline = view.headline("content-logging-off")
    assert headline.status == "not-satisfied"
    assert headline.worst.resource.endswith(("pilot-jpe", "us-service"))


def test_history_follows_the_account_that_drifted(view):
    history = next(h for h in view.histories if h.control == "content-logging-off" and (h.resource or "").endswith("hr-assistant"))
    assert [(run.status, run.since[:13]) for run in history.runs] == [
        ("satisfied", "2026-11-01T00"), ("not-satisfied", "2026-11-09T12"), ("satisfied", "2026-11-21T12"),
    ]  # fmt: skip
    assert sum(run.sweeps for run in history.runs) == 112


def test_population(view):
    accounts = {account.name: account for account in view.accounts}
    assert len(accounts) == 9
    assert accounts["legacy-eus"].gone
    assert accounts["legacy-eus"].sweeps == 90
    assert accounts["pilot-jpe"].first_at.startswith("2026-11-20T12")
    assert accounts["claims-chat"].geography == "Europe"
    scopes = {deployment.name: deployment.scope for deployment in accounts["research-frc"].deployments}
    assert scopes == {"future": "unknown", "preview": "global", "try": "global"}
    spilling = next(each for each in accounts["underwriting"].deployments if each.spillover)
    assert (spilling.scope, spilling.spillover, spilling.spillover_scope) == ("geography", "chat-overflow", "global")
    assert view.other_accounts == 3


def test_failures_are_grouped(view):
    groups = {(group.kind, group.reason): group for group in view.failures}
    assert groups["roleAssignments", "forbidden"].count == 20
    assert groups["roleAssignments", "forbidden"].in_last == 1
    assert groups["roleAssignments", "forbidden"].details == ("AuthorizationFailed",)
    assert groups["deployments", "throttled"].in_last == 0


def test_what_is_missing_is_named(view):
    lacking = [each for each in view.sweeps if each.missing]
    assert [each.missing[0].rsplit("/", 1)[-1] for each in lacking] == ["broker-uks"]


def test_storage_and_profile(view):
    assert [(run.policy, view.sweeps[run.first].planned_at[:10]) for run in view.storage] == [
        ("unlocked", "2026-11-01"),
        ("locked", "2026-11-06"),
    ]
    assert [profile.source for profile in view.profiles] == ["profile.toml"]
    assert view.profiles[0].values["v"] == 1
    assert view.personal_data == "commit"


def test_a_body_that_is_not_to_be_had_is_said_so(made):
    def load(digest):
        raise KeyError(digest)

    view = build(iter(made.records), load, words(catalogue()), period=made.period, log=made.log, expected=made.expected)
    assert len(view.findings) == len(made.view().findings)
    told = [each for finding in view.findings for each in finding.excerpts if each.digest]
    assert told
    assert {each.text for each in told} == {"the body is not among what this was made from"}
    assert all(account.unread or account.gone for account in view.accounts)


def test_the_narrowed_sweep_is_not_the_one_shown(made):
    cut = next(index for index, value in of_type(made, "sweep-planned") if (value["scope"]["resources"] or []))
    closed = next(index for index, value in of_type(made, "sweep-closed") if index > cut)
    until = Sample(made.records[: closed + 1], made.bodies, made.expected, made.period)
    view = until.view()
    assert view.sweeps[-1].narrowed
    assert view.shown.name == view.sweeps[-2].name


def test_a_sweep_under_way_is_not_the_one_shown(made):
    *_, (planned, _) = of_type(made, "sweep-planned")
    view = Sample(made.records[: planned + 50], made.bodies, made.expected, made.period).view()
    assert view.sweeps[-1].closed_at is None
    assert view.shown.number == view.sweeps[-2].number
    assert view.coverage.slots[-1].state == "not-closed"


def test_where_nothing_closed_the_last_one_planned_is_shown():
    made = sample(1, gap=range(1, 4))
    cut = next(index for index, _ in of_type(made, "sweep-closed"))
    view = Sample(made.records[:cut], made.bodies, made.expected, made.period).view()
    assert view.shown is not None
    assert view.shown.closed_at is None
    assert view.findings


def test_sweeps_outside_the_period_are_passed_over(made):
    view = made.view(period=Period("2026-11-03", "2026-11-05"), expected=made.expected)
    assert len(view.sweeps) == 8
    assert len(view.coverage.slots) == 8
    assert all("2026-11-03" <= each.planned_at[:10] <= "2026-11-04" for each in view.sweeps)
    assert [profile.record is not None for profile in view.profiles] == [True]


def test_records_without_their_plan_are_counted(made):
    *_, (planned, _) = of_type(made, "sweep-planned")
    rest = made.records[planned + 1 :]
    view = Sample(rest, made.bodies, made.expected, made.period).view()
    assert view.stray_records == len(rest)
    assert view.shown is None
    assert not view.findings


def test_records_of_other_types_are_counted():
    made = sample(1, gap=range(1, 4))
    made.add(record("deletion", "2026-11-01T12:00:00.000000Z", sweep=None, kind="file"))
    assert made.view().other_records == {"deletion": 1}


def test_nothing_at_all():
    view = build([], dict.__getitem__, words(catalogue()), period=DAY, log=Sample().log, expected=SLOTS)
    assert view.shown is None
    assert view.coverage.count("gap") == 4
    assert {headline.status for headline in view.headlines} == {None}


def test_large_fields_come_from_their_bodies():
    made = sample(1, gap=range(1, 4))
    index, plan = next(of_type(made, "sweep-planned"))
    digest = made.keep(plan["units"])
    moved = {name: value for name, value in plan.items() if name != "units"} | {"overflow": {"units": {"bytes": 1, "sha256": digest}}}
    made.records[index] = (index, moved)
    assert made.view().sweeps[0].units == len(plan["units"])
    del made.bodies[digest]
    assert made.view().sweeps[0].plan_unread


def test_only_the_sweep_shown_is_kept(made):
    fold = Fold(made.period, made.load)
    fold.take(made.records)
    fold.finish()
    kept = [each.name for each in fold.passes.values() if each.findings or each.seen or each.raw]
    assert kept == [fold.shown.name]


def test_sweeps_that_never_close_do_not_pile_up():
    made = sample(3, gap=range(0))
    fold = Fold(made.period, made.load)
    fold.take((index, value) for index, value in made.records if value["type"] != "sweep-closed")
    assert sum(bool(each.findings) for each in fold.passes.values()) <= MOST_OPEN


def test_the_same_records_give_the_same_view(made, view):
    assert made.view() == view


def test_times_of_the_sample_are_real(made):
    assert instant(made.expected[1]) - instant(made.expected[0]) == timedelta(hours=6)
    assert made.log.origin == ORIGIN


# -- what the command line prints -------------------------------------------------------------------------------------------


def test_tables_are_json(view):
    for value in (status(view), resources(view), changes(view)):
        assert json.loads(json.dumps(value)) is not None


def test_status_says_what_the_view_says(view):
    said = status(view)
    assert said["coverage"]["without_sweep"] == 8
    assert said["last_sweep"]["failures"] == 2
    assert sum(said["by_status"].values()) == len(view.headlines)
    assert said["storage"]["policy"] == "locked"


def test_findings_are_filtered(made, view):
    everything = list(findings(made.records))
    assert len(everything) == len(list(of_type(made, "finding")))
    some = list(
        findings(
            made.records,
            controls=frozenset({"content-logging-off"}),
            statuses=frozenset({"not-satisfied"}),
            sweeps=frozenset({view.shown.name}),
        )
    )
    assert sorted(each["resource"].rsplit("/", 1)[-1] for each in some) == ["pilot-jpe", "us-service"]
    account = view.accounts[0].resource
    within = list(findings(made.records, resource=account.upper(), start="2026-11-02", end="2026-11-03"))
    assert within
    assert all(each["resource"].startswith(account) and each["at"].startswith("2026-11-02") for each in within)


def test_changes_of_one_resource(view):
    one = changes(view, resource=next(a.resource for a in view.accounts if a.name == "hr-assistant"))
    assert {each["resource"].rsplit("/", 1)[-1] for each in one} == {"hr-assistant"}
