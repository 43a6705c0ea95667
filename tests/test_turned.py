"""What is told besides changes: findings that turned, waivers that expired, trouble of the app itself; each once, whatever is replayed."""

from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import alarms, layout
from shared.canonical import canonical
from shared.deliver.alerts.decide import STORM, alerts_of
from shared.seal.commits import last_commit
from shared.service import outbox, turned, waiver
from shared.service.steps.watch import watch
from shared.service.telling import expired, fill
from tests.fixtures.steps import plant
from tests.test_outbox import Killed, Memory, Mortal, change

LOCAL_AUTH = "local-auth-disabled"


def sweep(works, hours=6):
    works.estate.clock.advance(hours=hours)
    works.plan()
    works.collect()
    (closed,) = works.settle()
    return closed.sweep


def one_account(works):
    return next(iter(works.estate.azure.world.accounts()))


def log_in_with_keys(works, allowed):
    works.estate.azure.world.set_property(one_account(works), "/properties/disableLocalAuth", not allowed)


def waiting(works, name="memory"):
    paths = works.estate.store.list(layout.outbox(layout.WAITING, name))
    return [outbox.read_entry(works.estate.store, path)["alert"] for path in paths]


def turns(works, sweep):
    read = works.estate.reading()
    return turned.turned(read, next(one for one in read.sweeps if one["sweep"] == sweep))


# -- findings --------------------------------------------------------------------------------------------------------------


def finding(record, control="local-auth", resource="/s/a", severity="high", was="satisfied"):
    means = [{"severity": severity, "text": f"{control} is not-satisfied", "control": control, "pointer": None}]
    return {"record": record, "at": "2026-11-01T00:00:00.000000Z", "resource": resource, "severity": severity, "means": means,
            "control": control, "unit": "u", "status": "not-satisfied", "was": was}  # fmt: skip


def test_a_finding_that_a_change_explains_is_told_with_it():
    inside = {**change(1), "resource": "/s/a/deployments/d"}
    (told,) = alerts_of("e", "s", [inside], [finding(9)])
    assert told["findings"] == [9] and told["key"] == alerts_of("e", "s", [inside])[0]["key"]
    for other in (finding(9, control="tags"), finding(9, resource="/s/b"), finding(9, resource="/s/a/deployments")):
        alone = alerts_of("e", "s", [{**inside, "resource": "/s/ab"} if other["resource"] == "/s/a" and other["control"] == "local-auth" else inside], [other])
        expected = 1 if other["resource"] == "/s/a/deployments" else 2
        assert len(alone) == expected
    lone = alerts_of("e", "s", [], [finding(9)])
    assert (lone[0]["status"], lone[0]["was"], lone[0]["records"], lone[0]["controls"]) == ("not-satisfied", "satisfied", [9], ["local-auth"])


@given(st.integers(0, 30), st.integers(0, 30))
def test_changes_and_findings_are_a_storm_together(many, more):
    found = alerts_of("e", "s", [change(n) for n in range(many)], [finding(100 + n, resource=f"/s/{n}") for n in range(more)])
    assert len(found) == (many + more if many + more <= STORM else 1)
    assert sum(alert["count"] for alert in found) == many + more


def test_what_was_bad_already_has_not_turned_and_what_turned_is_the_same_whenever_it_is_asked(tmp_path):
    with plant(tmp_path) as works:
        log_in_with_keys(works, allowed=False)
        first = sweep(works, 0)
        log_in_with_keys(works, allowed=True)
        second = sweep(works)
        third = sweep(works)
        assert turns(works, first) == [], "the first sweep says how things stand"
        found = [item for item in turns(works, second) if item["control"] == LOCAL_AUTH]
        assert [(item["status"], item["was"], item["resource"]) for item in found] == [("not-satisfied", "satisfied", one_account(works).lower())]
        assert turns(works, third) == []
        log_in_with_keys(works, allowed=False)
        sweep(works)
        log_in_with_keys(works, allowed=True)
        last = sweep(works)
        assert [item["control"] for item in turns(works, last)] == [LOCAL_AUTH], "again, after it was right: another one"
        assert [item for item in turns(works, second) if item["control"] == LOCAL_AUTH] == found
        told, now = Memory(severity="info"), works.estate.clock()
        for name in (last, second, third, first, second, last):
            fill(works.estate.store, name, [told], now)
        alerts = waiting(works)
        assert len({alert["key"] for alert in alerts}) == len(alerts)
        assert sorted(alert["sweep"] for alert in alerts if LOCAL_AUTH in alert["controls"] and alert.get("findings")) == [second, last]


def test_what_is_waived_has_not_turned(tmp_path):
    with plant(tmp_path) as works:
        log_in_with_keys(works, allowed=False)
        sweep(works, 0)
        until = (works.estate.clock() + timedelta(days=1)).date().isoformat()
        waiver.add(works.estate.settings, LOCAL_AUTH, one_account(works), until=until, owner="x", reason="y", now=works.estate.clock)
        log_in_with_keys(works, allowed=True)
        assert [item for item in turns(works, sweep(works)) if item["control"] == LOCAL_AUTH] == []


@pytest.mark.parametrize(
    ("control", "status", "severity"),
    [("public-network-access", "not-satisfied", "high"), ("public-network-access", "unknown", "medium"), ("of-another-version", "not-satisfied", "medium")],
)
def test_a_finding_matters_as_its_control_does_and_what_nobody_knows_less(control, status, severity):
    item = turned._item(7, {"control": control, "status": status, "reason": "r", "at": "t", "resource": "/s/a", "unit": "u"}, None)
    assert (item["severity"], item["means"][0]["severity"]) == (severity, severity) and "for the first time" in item["means"][0]["text"]


def test_of_very_many_findings_how_many_are_bad_is_compared(tmp_path, monkeypatch):
    monkeypatch.setattr(turned, "LARGE", 1)
    with plant(tmp_path) as works:
        log_in_with_keys(works, allowed=False)
        sweep(works, 0)
        assert turns(works, sweep(works)) == []
        log_in_with_keys(works, allowed=True)
        (item,) = turns(works, sweep(works))
        assert item["severity"] == "high" and "too many to be compared" in item["means"][0]["text"] and item["resource"] is None


# -- waivers ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["expired", "ended", "satisfied"])
def test_a_waiver_that_expired_is_told_once_if_what_it_waived_is_still_so(tmp_path, kind):
    with plant(tmp_path) as works:
        log_in_with_keys(works, allowed=True)
        sweep(works, 0)
        until = (works.estate.clock() + timedelta(days=1)).date().isoformat()
        given_ = waiver.add(works.estate.settings, LOCAL_AUTH, one_account(works), until=until, owner="x", reason="y", now=works.estate.clock)
        told, store = Memory(), works.estate.store
        assert expired(store, [told], works.estate.clock()) == 0
        if kind == "ended":
            waiver.end(works.estate.settings, given_.waiver.number, owner="x", reason="y", now=works.estate.clock)
        if kind == "satisfied":
            log_in_with_keys(works, allowed=False)
            sweep(works)
        works.estate.clock.advance(days=2)
        if kind == "expired":
            after = sweep(works)
            judged = [record for _, record in works.estate.records("finding") if record["sweep"] == after and record["control"] == "waivers-current"]
            assert [record["status"] for record in judged] == ["not-satisfied"]
            assert "waivers-current" not in [item["control"] for item in turns(works, after)], "it is told of the waiver itself, and once"
        works.estate.clock.advance(days=1)
        elsewhere = Memory(scopes=("/subscriptions/other",))
        elsewhere.name = "elsewhere"
        for _ in range(3):
            expired(store, [told, elsewhere], works.estate.clock())
            list(outbox.deliver(store, [told, elsewhere], works.estate.clock))
        store.delete(layout.EXPIRED)  # lost: the outbox knows
        expired(store, [told], works.estate.clock())
        list(outbox.deliver(store, [told], works.estate.clock))
        assert len(told.got) == (kind == "expired") and elsewhere.got == []


# -- trouble ---------------------------------------------------------------------------------------------------------------


class Watched:
    """A plant whose app tells one receiver, in memory."""

    def __init__(self, works, **route):
        self.works, self.one, self.alerts = works, Memory(**route), []
        self.one.send = lambda alert, _now: self.alerts.append((alert["alarm"], alert["state"]))

    def run(self, minutes=5, store=None):
        self.works.estate.clock.advance(minutes=minutes)
        app = self.works.app()
        app.__dict__["receivers"] = [self.one]
        if store is not None:
            app.__dict__["store"] = store
        watch(app)
        list(outbox.deliver(self.works.estate.store, [self.one], self.works.estate.clock))
        said, self.alerts = self.alerts, []
        return said


POISONED = layout.COLLECT_QUEUE + layout.POISON_SUFFIX


def test_a_trouble_is_told_once_and_once_more_when_it_is_over_and_again_when_it_comes_back(tmp_path):
    with plant(tmp_path) as works:
        sweep(works, 0)
        watched = Watched(works)
        assert watched.run() == []
        works.queues.send(POISONED, "x")
        assert watched.run() == [(alarms.POISON, "began")]
        works.queues.send(POISONED, "y")
        assert [watched.run() for _ in range(3)] == [[], [], []], "another count is no other trouble"
        works.queues.take(POISONED)
        assert watched.run() == []
        works.queues.send(POISONED, "z")
        assert watched.run() == [], "gone for a moment is not over"
        works.queues.take(POISONED)
        assert [watched.run() for _ in range(4)] == [[], [], [], [(alarms.POISON, "over")]]
        works.queues.send(POISONED, "x")
        assert watched.run() == [(alarms.POISON, "began")], "in another episode it has another key"


def test_who_asked_for_part_of_the_estate_or_for_worse_is_not_told(tmp_path):
    with plant(tmp_path) as works:
        sweep(works, 0)
        works.queues.send(POISONED, "x")
        assert Watched(works, alarms=False).run() == []
        assert Watched(works, severity="high").run() == [(alarms.POISON, "began")]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("last", range(4))
def test_killed_at_any_write_of_watch_a_trouble_is_told_once(tmp_path, last, after):
    with plant(tmp_path) as works:
        sweep(works, 0)
        watched = Watched(works)
        watched.run()
        works.queues.send(POISONED, "x")
        said = []
        with suppress(Killed):
            said += watched.run(store=Mortal(works.estate.store, last, after=after))
        said += watched.run() + watched.run()
        assert said == [(alarms.POISON, "began")]


def test_a_note_that_is_torn_begins_anew(tmp_path):
    with plant(tmp_path) as works:
        sweep(works, 0)
        watched = Watched(works)
        works.queues.send(POISONED, "x")
        watched.run()
        for torn in (b"{", b"[]", canonical({"alarms": [1], "run": 7, "size": {"size": "x", "since": "y"}}), canonical({"alarms": {"x": 1}})):
            works.estate.store.put(layout.WATCH, torn)
            assert watched.run() == [(alarms.POISON, "began")]


def test_a_slot_that_was_missed_stays_missed_and_a_log_that_stands_still_is_told(tmp_path):
    with plant(tmp_path) as works:
        sweep(works, 0)
        watched = Watched(works)
        watched.run()
        size = last_commit(works.estate.store)  # nobody seals any more; slots are planned by `watch`
        said = [one for _ in range(20) for one in watched.run(minutes=60)]
        assert last_commit(works.estate.store) == size
        assert (said.count((alarms.LOG_STILL, "began")), said.count((alarms.LOG_STILL, "over"))) == (1, 0)
        assert (alarms.BATCH_UNSEALED, "began") in said
        works.plan()
        works.collect()
        works.settle()
        said = [one for _ in range(5) for one in watched.run()]
        assert (alarms.LOG_STILL, "over") in said
        works.estate.clock.advance(days=1)
        said = [one for _ in range(100) for one in watched.run()]
        assert (alarms.SLOT_MISSED, "began") in said and (alarms.SLOT_MISSED, "over") not in said
