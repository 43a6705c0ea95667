"""Whom an alert concerns and when he is told: scopes, controls, quiet hours, digests; and through the outbox, to real receivers of each kind."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from shared import layout
from shared.deliver.alerts.decide import LISTED, alerts_of, bare, digest_of, trial
from shared.deliver.alerts.event_grid import event
from shared.deliver.alerts.route import Route, is_quiet, last_digest, wanted
from shared.deliver.alerts.slack import message
from shared.deliver.alerts.teams import MOST, card
from shared.service import outbox
from shared.service.telling import fill
from tests.fixtures import told
from tests.fixtures.steps import plant
from tests.test_outbox import Killed, Memory, Mortal, change, drift


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# -- whom ------------------------------------------------------------------------------------------------------------------


def test_scopes_are_whole_parts_of_an_id():
    route = Route(scopes=("/subscriptions/s/resourcegroups/prod",))
    prod = "/subscriptions/s/resourcegroups/prod"
    about = [prod, f"{prod}/providers/x", f"{prod}uction/x", "/subscriptions/s", None]
    assert [item["resource"] for item in wanted(route, [change(1) | {"resource": resource} for resource in about])] == about[:2]


def test_a_control_counts_with_its_own_severity():
    means = [{"severity": "high", "control": "local-auth"}, {"severity": "low", "control": "tags"}, {"severity": "high", "control": None}]
    item = {**change(1), "means": means}
    assert wanted(Route(controls=("local-auth",), severity="high"), [item]) == [item]
    assert wanted(Route(controls=("tags",), severity="high"), [item]) == [], "what is severe about it is not what it was asked for"
    assert wanted(Route(controls=("tags",), severity="low"), [item]) == [item]
    assert wanted(Route(severity="medium"), [item | {"severity": "low"}]) == []


# -- when ------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "quiet"),
    [("2026-07-01T19:59", False), ("2026-07-01T20:00", True), ("2026-07-02T04:59", True), ("2026-07-02T05:00", False),
     ("2026-03-29T04:59", True), ("2026-03-29T05:00", False), ("2026-10-25T05:59", True), ("2026-10-25T06:00", False),
     ("2026-12-01T20:59", False), ("2026-12-01T21:00", True), ("2026-12-02T05:59", True), ("2026-12-02T06:00", False)],
)  # fmt: skip
def test_quiet_hours_follow_the_clock_on_the_wall_over_midnight(now, quiet):
    assert is_quiet(Route(zone="Europe/Berlin", quiet=(22 * 60, 7 * 60)), utc(now)) is quiet
    assert is_quiet(Route(zone="Europe/Berlin", quiet=(7 * 60, 22 * 60)), utc(now)) is not quiet


def test_a_digest_is_due_at_the_hour_or_at_the_time_of_the_day():
    daily = Route(zone="Europe/Berlin", digest="daily", digest_at=8 * 60)
    assert last_digest(daily, utc("2026-07-01T05:59:59")) == utc("2026-06-30T06:00")
    assert last_digest(daily, utc("2026-07-01T06:00")) == utc("2026-07-01T06:00")
    assert last_digest(daily, utc("2026-12-01T06:59")) == utc("2026-11-30T07:00")
    at_night = Route(zone="Europe/Berlin", digest="daily", digest_at=2 * 60 + 30)
    assert last_digest(at_night, utc("2026-03-29T23:00")) == utc("2026-03-29T01:30"), "a time that the clock leaps over is an hour later"
    assert [last_digest(at_night, utc(f"2026-10-25T{now}")) for now in ("00:29", "00:30", "01:30", "23:59")] == [utc("2026-10-24T00:30"), *[utc("2026-10-25T00:30")] * 3]
    assert last_digest(Route(digest="hourly"), utc("2026-12-01T06:59:59")) == utc("2026-12-01T06:00")


def put_all(works, receiver, *alerts):
    for alert in alerts:
        outbox.put(works.estate.store, receiver.name, alert, works.estate.clock())


def sent(works, receiver):
    return list(outbox.deliver(works.estate.store, [receiver], works.estate.clock))


def waiting(works, folder=layout.WAITING):
    return len(list(works.estate.store.list(layout.outbox(folder, "memory"))))


def test_quiet_hours_keep_back_and_lose_nothing_and_what_is_severe_breaks_through(tmp_path):
    with plant(tmp_path) as works:  # the clock begins at 00:00:30
        one = Memory(quiet=(22 * 60, 7 * 60))
        put_all(works, one, *alerts_of("e", "s", [change(1, "medium"), change(2, "high"), change(3, "low")]))
        assert len(sent(works, one)) == 1 and waiting(works) == 2
        works.estate.clock.advance(days=2)
        assert sent(works, one) == [], "however long it waits: it has not failed"
        works.estate.clock.advance(hours=7)
        assert [done.dead for done in sent(works, one)] == [False, False] and len(set(one.got)) == len(one.got) == 3
        strict = Memory(quiet=(22 * 60, 7 * 60), through=None)
        works.estate.clock.advance(hours=17)
        put_all(works, strict, *alerts_of("e", "t", [change(4, "high")]))
        assert sent(works, strict) == []


def test_a_digest_tells_once_what_came_before_it_and_leaves_the_rest_for_the_next(tmp_path):
    with plant(tmp_path) as works:
        one, clock = Memory(digest="daily", digest_at=8 * 60), works.estate.clock
        put_all(works, one, *alerts_of("e", "s", [change(1, "medium"), change(2, "high"), change(3, "low")]))
        assert len(sent(works, one)) == 1, "the severe one, at once"
        clock.advance(hours=8)
        put_all(works, one, *alerts_of("e", "t", [change(4, "medium")]))
        assert len(sent(works, one)) == 1 and len(one.got) == 2 and waiting(works) == 1
        put_all(works, one, *alerts_of("e", "s", [change(1, "medium"), change(3, "low")]))  # replayed
        clock.advance(hours=1)
        assert sent(works, one) == [] and waiting(works) == 1
        clock.advance(hours=23)
        assert len(sent(works, one)) == 1 and len(one.got) == 3 and waiting(works) == 0
        assert waiting(works, layout.SENT) == 4 + 2


def test_a_digest_names_the_worst_and_how_many():
    alerts = [alert for n in range(50) for alert in alerts_of("e", f"s{n}", [change(n, "low" if n else "medium")])]
    found = digest_of(alerts)
    assert (found["text"], found["severity"], found["count"], len(found["means"])) == ("digest of 50 alerts: 1 medium, 49 low", "medium", 50, LISTED)
    assert found["members"] == sorted(alert["key"] for alert in alerts) and found["key"] == digest_of(alerts[::-1])["key"]


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("last", range(9))
def test_killed_at_any_write_of_a_digest_every_member_is_in_one_digest(tmp_path, last, after):
    with plant(tmp_path) as works:
        found, bodies = alerts_of("e", "s", [change(1, "low"), change(2, "low")]), {}
        one = Memory(digest="hourly")
        one.send = lambda alert, _now: bodies.setdefault(alert["key"], alert["members"])
        put_all(works, one, *found)
        works.estate.clock.advance(hours=1)
        for store in (Mortal(works.estate.store, last, after=after), works.estate.store, works.estate.store):
            try:
                list(outbox.deliver(store, [one], works.estate.clock))
            except Killed:
                put_all(works, one, *alerts_of("e", "t", [change(3, "low")]))  # comes while nobody lives
        assert list(bodies.values()) == [sorted(alert["key"] for alert in found)]
        assert waiting(works) <= 1


# -- to receivers of each kind ---------------------------------------------------------------------------------------------


KINDS = {"teams": (told.teams, "/workflows/x"), "slack": (told.slack, "/services/T/B/x"), "event-grid": (told.topic, "/api/events")}


@pytest.mark.parametrize("kind", KINDS)
def test_a_change_is_told_once_to_each_kind_and_again_after_a_fault_with_the_same_key(tmp_path, kind):
    judge, path = KINDS[kind]
    with told.Told(judge, key="the key") as one, plant(tmp_path / "store") as works:
        secret = f"{one.url}{path}" if kind != "event-grid" else "the key"
        where = f'address = "{one.url}{path}"\n' if kind == "event-grid" else ""
        (tmp_path / "receivers.toml").write_text(f'[receiver.people]\nkind = "{kind}"\nsecret = "one"\nseverity = "low"\n{where}')
        works.estate.settings = replace(works.estate.settings, alert_receivers=str(tmp_path / "receivers.toml"), alert_secrets=(("one", secret),))
        sweep = drift(works)
        app = works.app()
        one.fault = 410
        (failed,) = outbox.deliver(app.store, app.receivers, app.now)
        assert "answers 410" in failed.error and "no_service" in failed.error and path not in failed.error
        one.fault = None
        works.estate.clock.advance(seconds=31)
        (done,) = outbox.deliver(app.store, app.receivers, app.now)
        assert done.error is None and done.key == failed.key
        (message,) = one.taken
        assert done.key in (told.text_of(message) if kind != "event-grid" else message[0]["id"])
        assert fill(app.store, sweep, app.receivers, app.now()) == 0
        assert list(outbox.deliver(app.store, app.receivers, app.now)) == [] and len(one.taken) == 1


def test_a_topic_without_a_key_gets_a_token(tmp_path):
    with told.Told(told.topic, key="other") as one, plant(tmp_path / "store") as works:
        (tmp_path / "r.toml").write_text(f'[receiver.t]\nkind = "event-grid"\naddress = "{one.url}/api/events"\nseverity = "low"\n')
        works.estate.settings = replace(works.estate.settings, alert_receivers=str(tmp_path / "r.toml"))
        drift(works)
        app = works.app()
        assert [done.error for done in outbox.deliver(app.store, app.receivers, app.now)] == [None]
        assert one.taken[0][0]["data"]["key"] == one.taken[0][0]["id"]


HOSTILE = "<!channel> [pay here](https://evil.example) & <https://evil.example|x> **bold** "


@pytest.mark.parametrize("lines", [0, 1, 400])
def test_what_others_wrote_is_text_within_the_limits(lines):
    means = [{"severity": "high", "text": HOSTILE + "y" * 800, "control": "local-auth", "pointer": "/x"}] * lines
    (alert,) = alerts_of("e", "s", [{**change(1), "means": means, "resource": "/subscriptions/" + "z" * 4000}])
    for dress, judge in ((card, told.teams), (message, told.slack)):
        body, headers = dress(alert, utc("2026-11-01"))
        assert judge(None, "POST", "/", headers, body) is None
        assert len(body) <= MOST


def test_a_list_that_is_wrong_stops_no_sealing_and_is_told_when_it_is_right(tmp_path):
    from shared import alarms
    from shared.service.steps.watch import watch

    with told.Told(told.slack) as one, plant(tmp_path / "store") as works:
        (tmp_path / "r.toml").write_text("[receiver.x]\nkind = 'slak'\n")
        works.estate.settings = replace(works.estate.settings, alert_receivers=str(tmp_path / "r.toml"))
        drift(works)
        found = [alarm.text for alarm in watch(works.app()) if alarm.id == alarms.ALERT_UNDELIVERED]
        assert len(found) == 1 and "r.toml:2:8: kind" in found[0]
        (tmp_path / "r.toml").write_text(f"[receiver.x]\nkind = 'slack'\naddress = '{one.url}/x'\nseverity = 'low'\n")
        app = works.app()
        assert not [alarm for alarm in watch(app) if alarm.id == alarms.ALERT_UNDELIVERED]
        assert [done.error for done in outbox.deliver(app.store, app.receivers, app.now)] == [None]
        assert len(one.taken) == 1


def test_alerts_that_wait_for_who_is_no_receiver_any_more_are_an_alarm_and_not_forgotten(tmp_path):
    from shared import alarms
    from shared.service.steps.watch import watch

    with plant(tmp_path / "store") as works:
        lists = tmp_path / "r.toml"
        lists.write_text("[receiver.old]\nkind = 'slack'\naddress = 'http://127.0.0.1:9/x'\nseverity = 'low'\n")
        works.estate.settings = replace(works.estate.settings, alert_receivers=str(lists))
        drift(works)
        alarmed = lambda: [alarm.text for alarm in watch(works.app()) if alarm.id == alarms.ALERT_UNDELIVERED]  # noqa: E731
        assert alarmed() == []
        lists.write_text(lists.read_text().replace("old", "new"))
        (text,) = alarmed()
        assert "1 alerts wait for old" in text and f"{layout.OUTBOX}{layout.WAITING}/old/" in text
        lists.write_text(lists.read_text() + lists.read_text().replace("new", "old"))
        assert alarmed() == []


def test_every_sort_of_alert_can_be_shown_in_every_channel():
    one, at = alerts_of("e", "s", [change(1)])[0], "2026-11-01T00:00:00.000000Z"
    alarm = bare("e", "k", at, "high", "EVIDENCE-POISON: 3 messages") | {"alarm": "EVIDENCE-POISON", "state": "began"}
    storm = alerts_of("e", "s", [change(n) for n in range(40)])[0]
    for alert in (one, alarm, storm, digest_of([one, alarm]), trial("e", at, "people")):
        for dress, judge in ((card, told.teams), (message, told.slack), (event(lambda: {"aeg-sas-key": "k"}), told.topic)):
            body, headers = dress(alert, utc("2026-11-01"))
            assert judge(SimpleNamespace(key="k"), "POST", "/api/events?api-version=2018-01-01", headers, body) is None, alert["text"]
            assert alert["key"].encode() in body and alert["text"].encode() in body
