"""What could not be seen: since when, last seen when, by which record, against a slow and obvious oracle; and never nothing without what was looked at."""

import json
import re
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import faults
from shared import layout
from shared.deliver.unseen.slots import missed
from shared.deliver.unseen.stretches import LATE, MISSING, Unseen
from shared.deliver.unseen.subscriptions import Sight
from shared.deliver.unseen.words import sentences
from shared.records import timestamp
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore
from shared.service.queries import period, reading
from shared.service.unseen import unseen
from shared.settings import Settings
from tests.fixtures.records import START, SUBSCRIPTION, Account, LogMaker, account_unit

OTHER = "99999999-1111-2222-3333-444444444444"


def hour(number):
    return START + timedelta(hours=number)


class Told:
    """A log, and what is asked of it."""

    def __init__(self, folder, **options):
        self.store = DirectoryStore(folder)
        self.maker = LogMaker(self.store, **options).birth()
        self.folder = folder

    def sweep(self, *accounts, at, **options):
        return self.maker.sweep(list(accounts), slot=hour(at), **options)

    def ask(self, *between, at=23):
        when = period(*between, hour(at)) if between else None
        return unseen(reading(Settings(store=str(self.folder))), when, hour(at))

    def records(self, *types):
        log = open_log(self.store)
        return [(index, value) for index, value in log.records(0, log.size) if value["type"] in types]

    def about(self, kind, account, type_):
        """The indexes of the records about a question of an account."""
        return [index for index, value in self.records(type_) if value["kind"] == kind and value["resource"] == account.id.lower()]


@pytest.fixture
def told(tmp_path):
    return Told(tmp_path / "store")


ONE, TWO = Account("one"), Account("two")


def blind(**reasons):
    return Account("one", fails=reasons)


# -- questions ----------------------------------------------------------------------------------------------------------


def test_a_failure_is_told_with_its_first_record_the_last_answer_and_the_controls_it_took(told):
    told.sweep(ONE, TWO, at=0)
    told.sweep(ONE, TWO, at=6)
    told.sweep(blind(deployments="forbidden"), TWO, at=12)
    told.sweep(blind(deployments="throttled"), TWO, at=18)
    value = told.ask(at=19)
    [one] = value["unseen"]
    failures, answers = told.about("deployments", ONE, "failure"), told.about("deployments", ONE, "observation")
    assert (one["question"], one["resource"], one["reason"], one["record"]) == ("deployments", ONE.id.lower(), "throttled", failures[-1])
    assert (one["since"]["record"], one["last_seen"]["record"], one["times"]) == (failures[0], answers[1], 2)
    assert one["reasons"] == {"throttled": 1, "forbidden": 1}
    taken = {f["control"] for _, f in told.records("finding") if failures[-1] in f["records"] and f["status"] == "unknown"}
    assert set(one["controls"]) == taken and "data-zone" in taken
    besides = {(row["control"], each["resource"]) for row in value["controls"] for each in row["resources"]}
    assert not [one for one in besides if one[0] in taken and one[1] == ONE.id.lower()], "each is said once, where it belongs"
    assert value["complete"] is False
    for word in ("account one", "deployments", "(429)", f"record {failures[0]}", f"last seen 2026-11-01 06:00 UTC (record {answers[1]})", "and "):
        assert word in one["says"]
    assert one["says"] in sentences(value)


def test_what_never_had_an_answer_was_never_seen(told):
    told.sweep(blind(files="unreachable"), at=0)
    told.sweep(blind(files="unreachable"), at=6)
    [one] = told.ask(at=7)["unseen"]
    assert one["last_seen"] is None and one["since"]["record"] == told.about("files", ONE, "failure")[0]
    assert "never seen before" in one["says"]


def test_what_is_seen_again_is_unseen_no_more_but_was_in_the_period(told):
    told.sweep(ONE, at=0)
    told.sweep(blind(deployments="forbidden"), at=6)
    told.sweep(ONE, at=12)
    now = told.ask(at=13)
    assert (now["unseen"], now["gaps"], now["subscriptions"], now["complete"]) == ([], [], [], True)
    [one] = told.ask("2026-11-01T06:00:00Z", "2026-11-01T13:00:00Z", at=13)["unseen"]
    assert one["seen_again"]["record"] == told.about("deployments", ONE, "observation")[-1]
    assert one["last_seen"]["record"] == told.about("deployments", ONE, "observation")[0]
    assert "Seen again 2026-11-01 12:00 UTC" in one["says"]
    assert told.ask("2026-11-01T12:00:00Z", "2026-11-01T13:00:00Z", at=13)["unseen"] == []


def test_an_answer_that_says_all_is_well_says_what_was_looked_at(told):
    name = told.sweep(ONE, TWO, at=0)
    lines = sentences(told.ask(at=1))
    asked = len(told.records("observation", "failure"))
    assert f"Looked at the last sweep, {name}" in lines[0] and f"2 accounts, {asked} questions of which {asked} had an answer" in lines[0]
    assert any(f"Each of the {asked} questions" in line for line in lines)
    assert any("No slot of the schedule" in line for line in lines) and any("No subscription" in line for line in lines)
    assert any(line.startswith("threads-unobservable is unknown of 2 resources") for line in lines)
    assert any("nobody outside the provider" in line for line in lines) and any("other kinds than" in line for line in lines)


@pytest.mark.parametrize("between", [(), ("2001-01-01", "2001-01-02")])
def test_where_nothing_was_looked_at_everything_is_unseen(told, between):
    if between:
        told.sweep(ONE, at=0)
    value = told.ask(*between)
    assert value["complete"] is False and value["looked_at"]["sweeps"] == []
    assert sentences(value)[0].startswith("Nothing was seen")


def test_a_unit_that_brought_nothing_is_told(told):
    told.sweep(ONE, TWO, at=0)
    told.sweep(ONE, TWO, at=6, missing=("two",))
    told.sweep(ONE, TWO, at=12, missing=("two",))
    [one] = told.ask(at=13)["unseen"]
    closings = [index for index, _ in told.records("sweep-closed")]
    seen = [index for index, value in told.records("observation") if value["resource"] == TWO.id.lower()]
    assert (one["question"], one["reason"], one["resource"]) == (None, MISSING, TWO.id.lower())
    assert (one["record"], one["since"]["record"], one["last_seen"]["record"], one["times"]) == (closings[2], closings[1], max(seen), 2)


# -- the pass, against an oracle ----------------------------------------------------------------------------------------

histories = st.lists(st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["seen", "forbidden", "throttled", "narrow"])), min_size=1, max_size=10)


def answered(index, kind, outcome, sweep):
    common = {"at": timestamp(hour(index)), "sweep": sweep, "unit": "u", "kind": kind, "resource": "/r"}
    if outcome in ("seen", "narrow"):
        window = {"from": "1", "to": "2", "previous": None, **({"around": "1"} if outcome == "narrow" else {})}
        return {**common, "type": "observation", "pages": [], "window": window}
    return {**common, "type": "failure", "reason": outcome, "detail": None}


def as_records(history):
    found = []
    for number, sweep in enumerate(history):
        found += [answered(len(found) + place, kind, outcome, str(number)) for place, (kind, outcome) in enumerate(sorted(sweep.items()))]
    return list(enumerate(found))


@given(histories, st.integers(0, 9))
def test_stretches_are_what_a_look_at_each_question_alone_says(history, begin):
    """Whatever part of the log is in view, a stretch has all of its failures since the last answer."""
    records = as_records(history)
    names = frozenset(str(number) for number in range(begin, len(history)))
    first = next((index for index, value in records if value["sweep"] in names), len(records))
    fold = Unseen(names)
    for index, value in records[first:]:
        fold.take(index, value)
    fold.look_back(fold.stretches, reversed(records[:first]))
    expected = []
    for kind in ("a", "b"):
        own = [(index, value) for index, value in records if value["kind"] == kind and "around" not in value.get("window", ())]
        runs, run, seen = [], [], None
        for index, value in [*own, (None, None)]:
            if value is not None and value["type"] == "failure":
                run.append(index)
            else:
                runs += [(kind, run[0], run[-1], len(run), seen, index)] if run else []
                run, seen = [], index
        expected += [one for one in runs if one[2] >= first]
    got = [
        (s.key[0], s.since[0], s.last[0], s.reasons.total(), s.seen_before and s.seen_before[0], s.seen_again and s.seen_again[0])
        for s in fold.stretches
    ]
    assert sorted(got, key=str) == sorted(expected, key=str)


def test_a_log_that_was_read_again_without_a_hole_lost_nothing_and_a_hole_is_told():
    fold = Unseen(frozenset("s"))
    reads = [(0, "1", None), (None, None, None), (2, "2", "2"), (None, None, None), (4, "5", "3")]
    for index, (found, start, previous) in enumerate(reads):
        value = answered(index, "activityLog", "seen" if found is not None else "timeout", "s")
        if start:
            value["window"] = {"from": start, "to": "9", "previous": {"record": 0, "to": previous} if previous else None}
        fold.take(index, value)
    assert [(one.caught_up, one.seen_again[0]) for one in fold.stretches] == [(True, 2), (False, 4)]
    [gap] = fold.gaps
    assert (gap.start, gap.end, gap.record) == ("3", "5", 4)


@pytest.mark.parametrize(("came", "reason"), [(True, LATE), (False, MISSING)])
def test_answers_that_came_too_late_are_told_apart_from_none(came, reason):
    fold = Unseen(frozenset("s"))
    fold.take(0, {"type": "sweep-planned", "sweep": "s", "units": [{"unit": "u", "resource": "/r"}]})
    if came:
        fold.take(1, answered(1, "account", "seen", "s"))
    fold.take(2, {"type": "sweep-closed", "sweep": "s", "at": timestamp(START), "missing": ["u"]})
    [one] = fold.still()
    assert (one.reason, one.resource) == (reason, "/r")
    fold.take(3, answered(3, "account", "seen", "another sweep"))
    assert fold.still() == []


def test_the_list_of_accounts_that_planning_asks_does_not_show_that_a_subscription_was_collected():
    fold = Unseen(frozenset("st"))
    for index, sweep in enumerate("st"):
        fold.take(3 * index, answered(3 * index, "accounts", "seen", sweep))
        fold.take(3 * index + 1, {"type": "sweep-planned", "sweep": sweep, "units": [{"unit": "u", "resource": "/r"}]})
        fold.take(3 * index + 2, {"type": "sweep-closed", "sweep": sweep, "at": timestamp(START), "missing": ["u"]})
    [one] = fold.still()
    assert (one.reason, one.reasons.total(), one.seen_before) == (MISSING, 2, None)


# -- what came after the last sweep -------------------------------------------------------------------------------------


def by_event(told, account, at):
    unit = account_unit(account.id, account.kind).name.removeprefix("account-")
    name = f"{hour(at):%Y%m%dT%H%M%SZ}{layout.BY_EVENT}{unit}"
    told.maker.now = hour(at)
    return told.maker.sweep([account], name=name, scope_resources=[account.id.lower()])


def test_what_an_event_made_it_look_at_again_counts_now(told):
    strange = Account("one", capabilities=[{"name": "ContentLogging", "value": "strange"}], fails={"deployments": "forbidden"})
    told.sweep(strange, TWO, at=0)
    before = told.ask(at=1)
    assert len(before["unseen"]) == 1 and "content-logging-off" in {row["control"] for row in before["controls"]}
    by_event(told, ONE, 2)
    value = told.ask(at=3)
    assert (value["unseen"], value["gaps"], value["complete"]) == ([], [], True)
    assert "content-logging-off" not in {row["control"] for row in value["controls"]}
    assert "and 1 collection that events caused since" in value["looked_at"]["says"]
    assert "content-logging-off" in {row["control"] for row in told.ask("2026-11-01", "2026-11-01", at=3)["controls"]}
    by_event(told, blind(files="timeout"), 4)
    assert [one["question"] for one in told.ask(at=5)["unseen"]] == ["files"]


def test_an_event_sweep_declares_no_slots_and_hides_none(told):
    told.sweep(ONE, at=0)
    by_event(told, ONE, 7)
    [gap] = told.ask(at=8)["gaps"]
    plans = [index for index, _ in told.records("sweep-planned")]
    assert (gap["from"], gap["slots"], gap["records"]) == (timestamp(hour(6)), 1, plans[:1])


def test_answers_that_came_after_the_end_of_the_sweep_are_seen(told):
    name = told.sweep(ONE, TWO, at=0, missing=("two",))
    assert [one["reason"] for one in told.ask(at=1)["unseen"]] == [MISSING]
    told.maker.put(name, account_unit(TWO.id, TWO.kind).name, told.maker.unit_answers(name, TWO))
    told.maker.seal(name)
    assert told.ask(at=1)["unseen"] == []


# -- subscriptions, slots -----------------------------------------------------------------------------------------------


def test_a_subscription_that_the_identity_lost_is_told(told):
    elsewhere = Account("far", subscription=OTHER)
    told.sweep(ONE, elsewhere, at=0)
    told.sweep(ONE, elsewhere, at=6)
    told.sweep(ONE, at=12)
    value = told.ask(at=13)
    plans = [index for index, _ in told.records("sweep-planned")]
    [one] = value["subscriptions"]
    assert (one["subscription"], one["reason"], one["record"], one["last_seen"]["record"]) == (OTHER, "no-longer-visible", plans[2], plans[1])
    assert value["complete"] is False and one["says"] in sentences(value)
    assert told.ask("2026-11-01", "2026-11-01T12:00:00Z", at=13)["subscriptions"] == []
    told.sweep(ONE, elsewhere, at=18)
    assert told.ask(at=19)["subscriptions"] == [] == told.ask("2026-11-01T18:00:00Z", "2026-11-02", at=19)["subscriptions"]
    [one] = told.ask("2026-11-01T12:00:00Z", "2026-11-02", at=19)["subscriptions"]
    assert one["ended"] is True


def test_a_subscription_of_the_scope_that_nobody_sees_is_told_until_it_is_seen():
    sight = Sight()

    def plan(index, seen, named, resources=None):
        sight.take(index, {"at": timestamp(hour(index)), "seen": seen, "scope": {"subscriptions": named, "resources": resources}})

    plan(0, ["one", "beside"], ["One", "two"])
    plan(1, None, ["one", "two"])
    plan(2, [], None, resources=["/subscriptions/one/x"])
    plan(3, ["one", "beside"], ["one", "two"])
    [absent] = sight.absences
    assert (absent.subscription, absent.named, absent.since[0], absent.last[0], absent.times, absent.ended) == ("two", True, 0, 3, 2, False)
    assert sight.beside == ["beside"] and absent.seen_before is None
    plan(4, ["one", "two"], ["one", "two"])
    assert absent.ended and sight.absences == [absent]


def test_slots_without_a_sweep_are_told_with_the_sweeps_around_them(told):
    told.sweep(ONE, at=0)
    told.sweep(ONE, at=18)
    plans = [index for index, _ in told.records("sweep-planned")]
    [gap] = told.ask("2026-11-01", "2026-11-01", at=23)["gaps"]
    assert (gap["sort"], gap["from"], gap["to"], gap["slots"], gap["records"]) == ("slots", timestamp(hour(6)), timestamp(hour(12)), 2, plans)
    assert told.ask(at=23)["gaps"] == [], "now: since the last sweep"
    [gap] = told.ask(at=31)["gaps"]
    assert (gap["from"], gap["to"], gap["records"]) == (timestamp(hour(24)), timestamp(hour(30)), plans[1:])
    assert "and now nobody looked" in gap["says"]
    before = told.ask("2026-11-01", "2026-11-01T07:00:00Z", at=23)["gaps"]
    assert [(one["slots"], one["records"]) for one in before] == [(1, plans)], "the sweep after it is named, though it lies behind the period"


def test_slots_are_those_of_the_schedule_that_was_in_force():
    def plan(at, schedule):
        return {"at": timestamp(hour(at)), "slot": timestamp(hour(at)), "schedule": schedule, "sweep": str(at)}

    plans = list(enumerate([plan(0, "0 0 */6 * * *"), plan(12, "0 0 */3 * * *"), plan(18, None), plan(24, "0 0 */6 * * *")]))
    found = missed(plans, {"0", "12", "18"}, timestamp(START), timestamp(hour(31)))
    slots = [(one.first, one.slots) for one in found]
    assert slots == [(timestamp(hour(6)), 1), (timestamp(hour(15)), 1), (timestamp(hour(24)), 2)], "and the sweep of hour 24 was never closed"


def test_without_a_schedule_it_is_said_that_gaps_cannot_be_seen(tmp_path):
    told = Told(tmp_path / "store", schedule=None)
    told.sweep(ONE, at=0)
    value = told.ask(at=400)
    assert value["schedule_declared"] is False and value["gaps"] == []
    assert any("No schedule is declared" in line for line in sentences(value))


def test_a_sweep_that_was_narrowed_and_one_that_was_left_open_are_told(told):
    told.sweep(ONE, TWO, at=0)
    told.sweep(ONE, at=6, scope_resources=[ONE.id.lower()])
    name = told.sweep(ONE, TWO, at=12, close=False)
    value = told.ask(at=12)
    assert {gap["sort"] for gap in value["gaps"]} == {"narrowed", "open-sweep"} and value["complete"] is False
    assert any("account one (group rg-ai)): nothing else" in line for line in sentences(value)) and any(name in line for line in sentences(value))


def test_before_the_first_sweep_nobody_looked(told):
    told.sweep(ONE, at=6)
    [gap] = told.ask("2026-10-31", "2026-11-01", at=7)["gaps"]
    assert (gap["sort"], gap["to"]) == ("before-first-sweep", timestamp(hour(6)))
    assert SUBSCRIPTION in told.ask(at=7)["looked_at"]["subscriptions"]


# -- the command --------------------------------------------------------------------------------------------------------


def test_the_command_says_it_in_sentences_and_by_its_exit_code(desk):
    fine = desk("unseen")
    assert (fine.code, fine.err) == (0, "") and fine.out.startswith("Looked at the last sweep, ")
    desk.azure.faults.add(re.compile("accounts/alpha/deployments"), faults.forbidden())
    assert desk("collect", "--quiet").code == 3
    told = desk("unseen")
    assert told.code == 3 and "account alpha (group rg): deployments could not be seen: the collector's identity may not read it (403)" in told.out
    value = desk("unseen", "--json").json
    assert [one["question"] for one in value["unseen"]] == ["deployments"] and value["unseen"][0]["last_seen"]
    assert json.loads(desk("unseen", "--from", "2001-01-01", "--to", "2001-01-02", "--json").out)["complete"] is False
    assert desk("unseen", "--from", "2026-02-01", "--to", "2026-01-01").code == 2
