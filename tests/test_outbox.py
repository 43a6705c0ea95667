"""Alerts: what gives one, that each is told at least once and with one key, and that a receiver can check who sent it."""

import base64
import hashlib
import hmac
import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import alarms, layout
from shared.canonical import canonical
from shared.deliver.alerts.decide import STORM, WORST, alerts_of, digest_of
from shared.deliver.alerts.route import Route, at_least
from shared.deliver.alerts.words import words_of
from shared.seal.attestor import Owed
from shared.service import outbox
from shared.service.standing import status
from shared.service.steps.watch import watch
from shared.service.telling import fill
from tests.fixtures.app import event
from tests.fixtures.local_http import Served
from tests.fixtures.steps import plant

SECRET = "a secret of the receiver"


def change(record, severity="high", text="local keys may be used again"):
    means = [{"severity": severity, "text": text, "control": "local-auth", "pointer": "/properties/disableLocalAuth", "direction": "worse", "statements": []}]
    return {"record": record, "at": "2026-11-01T00:00:00.000000Z", "resource": f"/subscriptions/s/account-{record}", "severity": severity, "means": means,
            "kind": "account", "unit": f"account-{record}", "fields": [],
            "since": "2026-10-31T18:00:00.000000Z", "until": f"2026-11-01T00:00:00.{record:06}Z"}  # fmt: skip


# -- what gives an alert ----------------------------------------------------------------------------------------------------


def test_an_alert_says_what_where_why_and_which_record():
    (found,) = alerts_of("example.org/e", "sweep", [change(7)])
    assert (found["severity"], found["text"], found["records"]) == ("high", "local keys may be used again", [7])
    assert (found["resource"], found["controls"]) == ("/subscriptions/s/account-7", ["local-auth"])
    assert (found["since"], found["until"]) == ("2026-10-31T18:00:00.000000Z", "2026-11-01T00:00:00.000007Z")
    assert ("changed", "between 2026-10-31T18:00:00Z and 2026-11-01T00:00:00Z, unobserved in between") in words_of(found).facts


@given(st.permutations(range(30)), st.integers(0, 30))
def test_keys_follow_from_the_log_and_not_from_the_order(order, most):
    found = alerts_of("e", "s", [change(n) for n in order[:most]])
    assert found == alerts_of("e", "s", [change(n) for n in sorted(order[:most])])
    assert len({one["key"] for one in found}) == len(found) == (most if most <= STORM else 1)


def test_another_log_has_other_keys():
    assert alerts_of("a", "s", [change(7)])[0]["key"] != alerts_of("b", "s", [change(7)])[0]["key"]


def test_a_storm_is_one_alert_with_the_worst():
    many = [change(n, "high" if n in (5, 900) else "low") for n in range(1000)]
    (found,) = alerts_of("e", "s", many)
    assert found["text"] == "1000 changes in one sweep: 2 high, 998 low"
    assert found["records"] == [5, 900, *range(5), 6, 7, 8] and len(found["records"]) == WORST
    assert (found["count"], found["severity"]) == (1000, "high")


def test_what_many_accounts_inherit_is_told_once_and_what_else_is_new_of_it_too():
    def granted(record, resource="/s/providers/microsoft.authorization/roleassignments/r", is_=1):
        return {**change(record), "resource": resource, "kind": "roleAssignments", "fields": [{"pointer": "", "op": "added", "was": None, "is": is_}]}

    bad = {"control": "local-auth", "status": "not-satisfied", "was": None}
    turned = [{**change(50 + n), **bad, "resource": f"/s/accounts/{n}", "unit": f"account-{n}"} for n in (1, 2, 9)]
    said = {2: {"text": "departs from baseline 1", "state": "departs"}}
    found = alerts_of("e", "s", [granted(2), granted(1), granted(3)], turned, lambda one: said.get(one["record"]))
    assert [(one["records"], one.get("findings"), one["count"]) for one in found] == [([1, 2, 3], [51, 52], 3), ([59], None, 1)]
    assert found[0]["key"] == alerts_of("e", "s", [granted(1)])[0]["key"] and found[0]["text"].endswith(" (seen at 3 resources)")
    assert found[0]["until"].endswith(".000003Z") and found[0]["baseline"] == said[2] and "baseline" not in found[1]
    assert len(alerts_of("e", "s", [granted(1), granted(2, is_=2), granted(3, resource="/s/other")])) == 3
    many = alerts_of("e", "s", [granted(n) for n in range(1000)])
    assert len(many) == 1 and many[0]["records"] == list(range(30)) and many[0]["count"] == 1000
    (storm,) = alerts_of("e", "s", [granted(1000 + n) for n in range(1000)] + [change(3000 + n) for n in range(STORM)], turned)
    assert storm["text"] == "1020 changes and 3 findings that turned in one sweep: 1023 high" and len(storm["means"]) == WORST
    inside = {**granted(1, resource="/s/accounts/1/deployments/d"), "unit": "account-9"}
    assert [one.get("findings") for one in alerts_of("e", "s", [inside], turned)] == [[51], None, None], "another resource of an account says nothing of it"


def test_what_is_told_names_who_did_it_where_it_is_known():
    known = {"record": 9, "status": "attributed", "by": "0-1", "complete": False, "says": "0-1 with Azure CLI: x/write"}
    nobody = {**known, "status": "unattributed", "by": None, "says": "not known: nothing is told of it."}
    (alone,), (unknown,), (settled,) = (alerts_of("e", "s", [{**change(1), "attribution": one}]) for one in (known, nobody, {**nobody, "complete": True}))
    assert alone["who"] == {"text": known["says"], "record": 9, "status": "attributed", "by": "0-1"}
    assert unknown["who"]["text"] == "not known: nothing is told of it. The next sweep may tell more." and settled["who"]["text"] == nobody["says"]
    away = {"text": "departs from baseline 1", "state": "departs"}
    (storm,) = alerts_of("e", "s", [{**change(n), "attribution": known if n else nobody} for n in range(STORM + 1)], (), lambda one: away if one["record"] else None)
    assert [one.get("who") for one in storm["means"]] == [None, *[known["says"]] * (WORST - 1)]
    assert sorted(str(one.get("who")) for one in digest_of([alone, {**unknown, "key": "0"}])["means"]) == [known["says"], "None"]
    assert [line.endswith(", by 0-1 with Azure CLI: x/write; departs from baseline 1") for line in words_of(storm).lines] == [False, *[True] * (WORST - 1)]


def test_the_least_severity_is_counted_from_the_worst():
    assert at_least("high") == ("high",)
    assert at_least("low") == ("high", "medium", "low")


# -- through the steps, to a real receiver ----------------------------------------------------------------------------------


class Hooked:
    """A receiver that checks the signature as its specification says, written out here; `fault` is what it answers instead."""

    def __init__(self, now):
        self.now, self.fault, self.taken, self.ids = now, None, [], []
        self.server = Served(self._answer)

    def _answer(self, _method, _path, headers, body):
        self.ids.append(headers["webhook-id"])
        if self.fault:
            return self.fault, {"Location": f"{self.server.url}/elsewhere"}, b""
        text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        wanted = "v1," + base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
        if headers["webhook-signature"] != wanted or abs(self.now().timestamp() - int(headers["webhook-timestamp"])) > 300:
            return 401, {}, b""
        self.taken.append(json.loads(body))
        return 204, {}, b""


@contextmanager
def alerted(folder, receivers=1):
    with plant(folder) as works:
        hooks = [Hooked(works.estate.clock) for _ in range(receivers)]
        urls = tuple(f"{hook.server.url}/hook" for hook in hooks)
        works.estate.settings = replace(works.estate.settings, alert_webhooks=urls, alert_secret=SECRET, alert_severity="low")
        try:
            yield works, hooks
        finally:
            for hook in hooks:
                hook.server.stop()


def drift(works):
    """Two sweeps with a change of one account in between; the name of the second."""
    works.plan()
    works.collect()
    works.settle()
    account = next(iter(works.estate.azure.world.accounts()))
    off = works.estate.azure.world.get(account)["properties"].get("disableLocalAuth")
    works.estate.azure.world.set_property(account, "/properties/disableLocalAuth", not off)
    works.estate.clock.advance(hours=6)
    works.plan()
    works.collect()
    (closed,) = works.settle()
    assert closed.changes == 1
    return closed.sweep


def sent(works):
    app = works.app()
    return list(outbox.deliver(app.store, app.receivers, app.now))


def kept(works, folder):
    return list(works.estate.store.list(layout.OUTBOX + folder + "/"))


def test_from_change_to_receiver_once_whatever_is_replayed(tmp_path):
    with alerted(tmp_path) as (works, (hook,)):
        sweep = drift(works)
        assert [one.error for one in sent(works)] == [None]
        (alert,) = hook.taken
        assert alert["sweep"] == sweep and alert["kind"] == "aoai-evidence-alert"
        for _ in range(3):  # whatever is told again
            app = works.app()
            assert fill(app.store, sweep, app.receivers, app.now()) == 0
            app.store.put(layout.alert(sweep), b"{}")  # as if nobody had lived to tell
            watch(app)
            assert sent(works) == []
        assert len(hook.taken) == 1 and kept(works, layout.WAITING) == []
        assert works.verify().intact


def test_an_event_is_told_without_waiting_for_a_sweep(tmp_path):
    with alerted(tmp_path) as (works, (hook,)):
        works.plan()
        works.collect()
        works.settle()
        works.estate.clock.advance(minutes=1)
        account = next(iter(works.estate.azure.world.accounts()))
        off = works.estate.azure.world.get(account)["properties"].get("disableLocalAuth")
        works.estate.azure.world.set_property(account, "/properties/disableLocalAuth", not off)
        before = len(works.queues.delays)
        works.change(event(account), event(account))  # delivered twice
        works.collect()
        works.settle()
        assert len(sent(works)) == 1 and len(hook.taken) == 1
        waits = max(works.queues.delays[before:])
        assert waits + 30 < 60, "the queue's delay, and the timer of the function that seals and then delivers"


@pytest.mark.parametrize("fault", [302, 400, 500, 503])
def test_what_is_not_taken_is_sent_again_later_with_the_same_key(tmp_path, fault):
    with alerted(tmp_path) as (works, (hook,)):
        drift(works)
        hook.fault = fault
        assert f"answers {fault}" in sent(works)[0].error
        assert sent(works) == [], "it is left alone for a while"
        works.estate.clock.advance(seconds=31)
        assert len(sent(works)) == 1
        hook.fault = None
        works.estate.clock.advance(seconds=61)
        assert [one.error for one in sent(works)] == [None]
        assert len(hook.ids) == 3 and len(set(hook.ids)) == 1 and len(hook.taken) == 1


def test_one_that_is_down_delays_itself_alone_and_is_given_up_after_days(tmp_path):
    with alerted(tmp_path, receivers=2) as (works, (down, up)):
        sweep = drift(works)
        down.fault = 500
        sent(works)
        assert len(up.taken) == 1 and len(kept(works, layout.WAITING)) == 1
        works.estate.clock.advance(days=3, hours=1)
        assert [one.dead for one in sent(works)] == [True]
        assert len(kept(works, layout.DEAD)) == 1 and kept(works, layout.WAITING) == []
        (name,) = status(works.estate.reading(), works.estate.clock)["alerts"]["dead"]
        assert name == works.app().receivers[0].name
        assert [alarm.id for alarm in watch(works.app())].count(alarms.ALERT_UNDELIVERED) == 1
        app = works.app()
        assert fill(app.store, sweep, app.receivers, app.now()) == 0, "what was given up is not begun again"


@pytest.mark.parametrize(("asks", "taken"), [("0", 4), ("3", 0), (None, 0)])
def test_who_asks_for_a_moment_gets_it_and_the_rest_does_not_wait_for_the_next_run(tmp_path, asks, taken):
    asked, answered = [], []

    def busy(_method, _path, _headers, body):
        """More than one message at once is too many, as Slack has it."""
        asked.append(body)
        if asked.count(body) == 1:
            return 429, {"Retry-After": asks} if asks else {}, b"rate_limited"
        answered.append(body)
        return 200, {}, b"ok"

    with Served(busy) as server, plant(tmp_path) as works:
        works.estate.settings = replace(works.estate.settings, alert_webhooks=(server.url + "/x",), alert_secret=SECRET)
        (one,) = works.app().receivers
        for number in range(4):
            (alert,) = alerts_of("e", "s", [change(number)])
            outbox.put(works.estate.store, one.name, alert, works.estate.clock())
        done = sent(works)
        assert len(answered) == taken and len(done) == (taken or 1)
        assert len(asked) <= 2 * len(done), "once more, and no further"


# -- killed anywhere --------------------------------------------------------------------------------------------------------


class Memory:
    """Who is told, without a network."""

    name = "memory"

    def __init__(self, fault=None, **route):
        self.got, self.fault, self.route = [], fault, Route(**route)

    def send(self, alert, _now):
        if self.fault:
            raise Owed(self.fault)
        self.got.append(alert["key"])


class Killed(BaseException):
    pass


class Mortal:
    """A store whose user is killed before, or after, the write numbered `last`."""

    def __init__(self, store, last, *, after):
        self.store, self.left, self.after = store, last, after

    def __getattr__(self, name):
        found = getattr(self.store, name)
        if name not in ("put", "put_new", "delete"):
            return found

        def write(*arguments):
            self.left -= 1
            if self.left < 0 and not self.after:
                raise Killed
            result = found(*arguments)
            if self.left < 0:
                raise Killed
            return result

        return write


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("last", range(6))
def test_killed_at_any_write_every_alert_is_told_and_none_has_two_keys(tmp_path, last, after):
    with plant(tmp_path) as works:
        store, found = works.estate.store, alerts_of("e", "s", [change(1), change(2)])
        told = Memory()
        mortal = Mortal(store, last, after=after)
        for one in (mortal, store):
            try:
                for alert in found:
                    outbox.put(one, told.name, alert, works.estate.clock())
                list(outbox.deliver(one, [told], works.estate.clock))
            except Killed:
                pass
        assert set(told.got) == {alert["key"] for alert in found} and len(told.got) <= 3
        assert list(store.list(layout.outbox(layout.WAITING, told.name))) == []
        assert len(list(store.list(layout.outbox(layout.SENT, told.name)))) == 2


def test_two_deliver_at_once_and_one_of_them_does(tmp_path):
    with plant(tmp_path) as works:
        store, told = works.estate.store, Memory()
        for alert in alerts_of("e", "s", [change(1), change(2)]):
            outbox.put(store, told.name, alert, works.estate.clock())
        first = outbox.deliver(store, [told], works.estate.clock)
        next(first)
        assert list(outbox.deliver(store, [told], works.estate.clock)) == []
        assert len(list(first)) == 1 and len(set(told.got)) == len(told.got) == 2


@pytest.mark.parametrize("torn", [b"", b"{", b"[]", canonical({"alert": {}, "since": None, "wait": "x", "failures": 0})])
def test_an_entry_that_is_torn_is_dead_and_not_passed_over(tmp_path, torn):
    with plant(tmp_path) as works:
        store = works.estate.store
        store.put(layout.outbox(layout.WAITING, "memory", "k"), torn)
        assert [one.dead for one in outbox.deliver(store, [Memory()], works.estate.clock)] == [True]
        assert outbox.counted(store, layout.DEAD) == {"memory": 1}
