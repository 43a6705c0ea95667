"""Alerts from the command line: `collect` tells those whom a change concerns, `alerts list` says what became of it, `alerts test` tries receivers out."""

import json

from shared import layout
from shared.canonical import canonical
from tests.fixtures import told
from tests.fixtures.commandline import SUBSCRIPTION, office


def receiver(desk, url, name="people", more=""):
    (desk.folder / "receivers.toml").write_text(f'[receiver.{name}]\nkind = "slack"\nsecret = "slack"\nseverity = "info"\n{more}')
    return desk.having(EVIDENCE_ALERT_RECEIVERS="receivers.toml", EVIDENCE_ALERT_SECRETS=f"slack={url}/services/T/B/s3cret")


def switch(desk, name="alpha"):
    world = desk.azure.world
    account = world.account(name)
    world.set_property(account, "/properties/disableLocalAuth", not world.get(account)["properties"].get("disableLocalAuth"))
    return account.lower()


def store_of(desk):
    from shared.seal.store import DirectoryStore

    return DirectoryStore(desk.store)


def test_collect_tells_and_list_says_so(tmp_path):
    with told.Told(told.slack) as one, office(tmp_path / "office") as made:
        desk = receiver(made, one.url)
        assert desk("init", "--origin", "example.org/evidence").code == 0
        assert desk("collect").code in (0, 3)
        one.taken.clear()
        account = switch(desk)
        one.fault = 503
        done = desk("collect")
        assert one.taken == [] and "alerts that people has not taken: 1, last the alert was not taken: it answers 503" in done.err
        (waiting,) = desk("alerts", "list", "--json").json["waiting"]
        assert "alerts that wait to be sent: 1; given up: 0" in desk("status").out
        assert (waiting["receiver"], waiting["failures"], waiting["resource"]) == ("people", 1, account) and "answers 503" in waiting["reason"]
        assert "s3cret" not in done.err + desk("alerts", "list").out + desk("alerts", "list", "--json").out
        store = store_of(desk)
        (path,) = store.list(layout.outbox(layout.WAITING, "people"))
        store.put(path, canonical({**json.loads(store.get(path)), "wait": None}))  # half a minute later
        one.fault = None
        switch(desk, "beta")
        desk("collect")
        listed = desk("alerts", "list", "--json").json
        assert len(one.taken) == 2 and (listed["waiting"], listed["dead"], listed["problem"]) == ([], [], None)
        assert {sent["key"] for sent in listed["sent"]} >= {waiting["key"]} and listed["sent"][0]["records"]
        desk("collect")
        assert len(one.taken) == 2, "nothing changed"
        renamed = receiver(made, one.url, "others")
        assert renamed("alerts", "list", "--json").json["receivers"][0]["name"] == "others"


def test_a_collector_that_was_killed_before_it_told_is_followed_by_one_that_does(tmp_path):
    with told.Told(told.slack) as one, office(tmp_path / "office") as made:
        assert made("init", "--origin", "example.org/evidence").code == 0
        made("collect")
        switch(made)
        sweep = made("collect", "--json").json["sweep"]  # nobody is told
        store_of(made).put(layout.alert(sweep), b"{}")  # what it leaves behind who is killed right after the closing
        desk = receiver(made, one.url)
        desk("collect")
        assert len(one.taken) == 1 and list(store_of(made).list(layout.ALERTS)) == []


def test_a_list_that_is_wrong_is_said_before_anything_is_written(tmp_path):
    with office(tmp_path / "office") as made:
        assert made("init", "--origin", "example.org/evidence").code == 0
        desk = receiver(made, "http://127.0.0.1:1", more='quite = "22:00-07:00"\n')
        done = desk("collect", "--subscription", SUBSCRIPTION)
        assert done.code == 2 and done.error == 'receivers.toml:5:1: unknown key "quite"; did you mean "quiet"?'
        assert done.out == "" and list(store_of(made).list(layout.STATE + "open/")) == []
        listed = desk("alerts", "list")
        assert listed.code == 0 and "nobody is told of anything: receivers.toml:5:1" in listed.err


def test_a_test_is_marked_as_one_and_says_what_came_back(desk):
    with told.Told(told.slack) as one:
        ready = receiver(desk, one.url, more='[receiver.hook]\nkind = "webhook"\naddress = "http://127.0.0.1:1/x"\nquiet = "00:00-23:59"\n')
        ready = ready.having(EVIDENCE_ALERT_SECRET="sixteen characters")
        done = ready("alerts", "test", "--json")
        assert done.code == 1
        assert [(tried["receiver"], tried["taken"], tried["answer"]) for tried in done.json] == [("people", True, "it answers 202"), ("hook", False, "no connection")]
        (message,) = one.taken
        assert message["text"].startswith("TEST, info: this is a test of the receiver people")
        assert ready("alerts", "test", "--receiver", "people").code == 0
        one.fault = 404
        assert "it answers 404, “no_service”" in ready("alerts", "test", "--receiver", "people").out
        assert "there are people, hook" in ready("alerts", "test", "--receiver", "peple").error
        assert list(store_of(desk).list(layout.OUTBOX)) == [], "a test is in nobody's outbox"
        assert "nobody is told of alerts" in desk("alerts", "test").error
