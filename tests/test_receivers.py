"""The list of receivers: whatever is wrong with it is one line with its place, and what is right becomes who it says."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliver.alerts.decide import trial
from shared.deliver.alerts.receivers import KEYS, read_receivers
from shared.errors import Misuse
from shared.records import timestamp
from shared.seal.attestor import Owed
from shared.seal.post import Answer
from shared.service.receivers import receivers
from shared.settings import Settings, is_elsewhere
from shared.settings import read as read_settings

GUID = "11111111-2222-3333-4444-555555555555"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
SECRETS = (("hook", "sixteen characters"), ("slack", "https://hooks.slack.example/services/T/B/x"), ("topic", "key"))
WHOLE = f"""
[receiver.security]
kind = "slack"
secret = "slack"
severity = "high"
scopes = ["{GUID.upper()}", "/subscriptions/{GUID}/resourceGroups/Prod/"]
controls = ["public-network-access"]
zone = "Europe/Berlin"
quiet = "22:00-07:30"
through = "none"
digest = "daily"
digest_at = "09:15"

[receiver.own]
kind = "webhook"
address = "https://hook.example/x"
secret = "hook"

[receiver.topic]
kind = "event-grid"
address = "https://top.westeurope-1.eventgrid.azure.net/api/events"
secret = "topic"
private = true
"""


def read(text):
    return read_receivers(text.encode(), "receivers.toml", lambda url: is_elsewhere(url, "public"))


def built(folder, text, **settings):
    (folder / "receivers.toml").write_text(text)
    return receivers(Settings(store="x", alert_receivers=str(folder / "receivers.toml"), **{"alert_secrets": SECRETS, **settings}))


def test_everything_that_can_be_said():
    security, own, topic = read(WHOLE)
    route = security.route
    assert route.scopes == (f"/subscriptions/{GUID}", f"/subscriptions/{GUID}/resourcegroups/prod") and route.controls == ("public-network-access",)
    assert (route.quiet, route.through, route.digest, route.digest_at) == ((22 * 60, 7 * 60 + 30), None, "daily", 9 * 60 + 15)
    assert (route.alarms, own.route.alarms) == (False, True), "who asked for a part of the estate is told of that part alone, unless he says more"
    assert (own.route.severity, own.private, topic.private) == ("medium", False, True)


@pytest.mark.parametrize(
    ("line", "place", "word"),
    [
        ("kind = 'pager'", "2:8", "one of webhook, teams, slack, event-grid"),
        ("kind = 'webhok'\naddress = 'https://a.example'", "2:8", 'did you mean "webhook"'),
        ("kind = 'webhook'", "1:11", "address is missing"),
        ("kind = 'webhook'\naddress = 'http://a.example'", "3:11", "expected https://"),
        ("kind = 'webhook'\naddress = 'https://u:p@a.example'", "3:11", "expected https://"),
        ("kind = 'slack'", "1:11", "give `secret`"),
        ("kind = 'slack'\naddress = 'https://a.example'\nsecret = 'X'", "1:11", "not both"),
        ("kind = 'slack'\nsecret = 'https://hooks.slack.example/T/B/s3cret'", "3:10", "a name is due"),
        ("kind = 'slack'\nsecret = 'X'\nseverty = 'high'", "4:1", 'did you mean "severity"'),
        ("kind = 'slack'\nsecret = 'X'\nseverity = 'critical'", "4:12", "one of high, medium, low, info"),
        ("kind = 'slack'\nsecret = 'X'\ncontrols = ['public-network-acess']", "4:12", 'did you mean "public-network-access"'),
        ("kind = 'slack'\nsecret = 'X'\ncontrols = []", "4:12", "leave the key out"),
        ("kind = 'slack'\nsecret = 'X'\nscopes = ['prod']", "4:10", "neither the id of a subscription"),
        ("kind = 'slack'\nsecret = 'X'\nzone = 'Europe/Bern'", "4:8", "no time zone"),
        ("kind = 'slack'\nsecret = 'X'\nzone = '../../etc/passwd'", "4:8", "no time zone"),
        ("kind = 'slack'\nsecret = 'X'\nquiet = '22-7'", "4:9", "22:00-07:00"),
        ("kind = 'slack'\nsecret = 'X'\nquiet = '07:00-07:00'", "4:9", "leave it out"),
        ("kind = 'slack'\nsecret = 'X'\ndigest_at = '08:00'", "4:1", "daily"),
        ("kind = 'slack'\nsecret = 'X'\nprivate = 'yes'", "4:11", "true or false"),
        ("kind = 'slack'\nsecret = 'X'\nseverity = 2026-11-01", "4:12", "one of high, medium, low, info is due, in quotation marks"),
        ("kind = 'slack'\nsecret = 'X'\nprivate = " + "9" * 5000, "4:11", "too many digits"),
        ("kind = 'slack'\nkind = 'teams'", "3:15", "not TOML"),
    ],
)  # fmt: skip
def test_what_is_wrong_has_its_place_and_what_is_right(line, place, word):
    with pytest.raises(Misuse) as caught:
        read(f"[receiver.one]\n{line}\n")
    said = str(caught.value)
    assert said.startswith("receivers.toml:") and word in said and "\n" not in said and "s3cret" not in said
    assert place == "3:15" or said.startswith(f"receivers.toml:{place}:"), said


@pytest.mark.parametrize("text", ["[reciever.x]\nkind='slack'", "receiver = 1", "[receiver]\nx = 1", "[receiver.'a/../b']\nkind='slack'", "[receiver.A]\nkind='slack'"])
def test_what_is_no_receiver_is_refused(text):
    with pytest.raises(Misuse, match=r"receivers\.toml:\d+:\d+: "):
        read(text)


LISTS, WORDS = st.lists(st.sampled_from(["a", "local-auth"]), max_size=2), st.sampled_from(["slack", "high", "X"])
VALUES = st.text(max_size=8) | st.integers() | st.dates() | st.booleans() | LISTS | WORDS


@given(st.dictionaries(st.sampled_from([*KEYS, "x"]), VALUES))
def test_anything_at_all_is_a_receiver_or_a_line(values):
    written = {name: str(value) if isinstance(value, date) else json.dumps(value) for name, value in values.items()}
    text = "[receiver.one]\n" + "\n".join(f"{name} = {value}" for name, value in written.items())
    try:
        (found,) = read(text)
        assert found.name == "one"
    except Misuse as error:
        assert "\n" not in str(error)


# -- what becomes of it ----------------------------------------------------------------------------------------------------


def test_declared_receivers_stand_beside_those_of_the_settings(tmp_path):
    found = built(tmp_path, WHOLE, alert_webhooks=("https://a.example/h",), alert_secret="another secret 16", alert_severity="low")
    assert [(one.kind, one.route.severity) for one in found] == [("webhook", "low"), ("slack", "high"), ("webhook", "medium"), ("event-grid", "medium")]
    assert found[1].url == dict(SECRETS)["slack"] and found[3].url.endswith("/api/events?api-version=2018-01-01")
    assert [one.post.public for one in found] == [True, True, True, False], "an address that is not on the internet is for who asked for it alone"
    assert all(not one.post.proxies for one in found)
    assert dict(SECRETS)["slack"] not in repr(found)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"alert_secrets": ()}, "secret. is slack, which EVIDENCE_ALERT_SECRETS does not have"),
        ({"alert_secrets": (*SECRETS[:1], ("slack", "hooks.slack.example/s3cret"), ("topic", "k"))}, "slack of EVIDENCE_ALERT_SECRETS is no address"),
        ({"alert_secrets": (*SECRETS[:2], ("topic", "s3cret-\u00fc"))}, "topic of EVIDENCE_ALERT_SECRETS is no key of a topic"),
        ({"alert_secrets": (("hook", "short"), *SECRETS[1:])}, "receiver own: hook of EVIDENCE_ALERT_SECRETS is not set, or shorter"),
    ],
)
def test_a_secret_that_cannot_be_is_told_by_its_name_alone(tmp_path, change, word):
    with pytest.raises(Misuse, match=word) as caught:
        built(tmp_path, WHOLE, **change)
    assert "s3cret" not in str(caught.value)


def test_a_key_or_a_token_goes_to_topics_alone(tmp_path):
    for address in ("https://evil.example/api/events", "https://top.westeurope-1.eventgrid.azure.net.evil.example/api/events", "https://top.x.eventgrid.azure.net/other"):
        with pytest.raises(Misuse, match="the endpoint of a custom topic"):
            built(tmp_path, f"[receiver.t]\nkind = 'event-grid'\naddress = '{address}'\n")
    with pytest.raises(Misuse, match="EVIDENCE_CLOUD=public alone"):
        built(tmp_path, "[receiver.t]\nkind = 'event-grid'\naddress = 'https://top.x.eventgrid.azure.us/api/events'\n", cloud="usgov")


def test_a_secret_that_the_vault_withholds_is_owed_and_breaks_nothing_else(tmp_path):
    withheld = "@Microsoft.KeyVault(SecretUri=https://v.vault.azure.net/secrets/x)"
    found = built(tmp_path, WHOLE, alert_secrets=read_settings({"EVIDENCE_ALERT_SECRETS": withheld}).alert_secrets)
    for one in found:
        with pytest.raises(Owed, match="could not be read from the vault"):
            one.send(trial("e", "2026-11-01T00:00:00.000000Z", one.name), NOW)


@pytest.mark.parametrize("kind", ["slack", "teams"])
def test_an_address_inside_is_not_reached_by_any_kind(tmp_path, kind):
    for address in ("https://127.0.0.1:9/x", "https://169.254.169.254/metadata"):
        (one,) = built(tmp_path, f"[receiver.x]\nkind = '{kind}'\naddress = '{address}'\n")
        with pytest.raises(Owed, match="not on the internet") as caught:
            one.send(trial("e", "2026-11-01T00:00:00.000000Z", "x"), NOW)
        assert "metadata" not in str(caught.value)


def test_two_of_one_name_are_refused(tmp_path):
    name = receivers(Settings(store="x", alert_webhooks=("https://a/",), alert_secret="s" * 16))[0].name
    with pytest.raises(Misuse, match="two receivers are called"):
        built(tmp_path, f"[receiver.{name}]\nkind='slack'\nsecret='slack'\n", alert_webhooks=("https://a/",), alert_secret="s" * 16)


def test_the_example_of_the_documents_is_a_list():
    import re
    from pathlib import Path

    text = (Path(__file__).parents[1] / "docs" / "alerts.md").read_text()
    found = read(re.search(r"```toml\n(.*?)```", text, re.DOTALL)[1])
    assert [one.kind for one in found] == ["teams", "slack", "webhook", "event-grid"]
    keys = text.partition("## A list of receivers")[2].partition("\n## ")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", keys, re.MULTILINE)) == sorted(KEYS)


HOST = "https://evidence.azurewebsites.net/api/portal/"
RESOURCE = f"/subscriptions/{GUID}/resourcegroups/prod/providers/microsoft.cognitiveservices/accounts/one&two"


@pytest.mark.parametrize(("about", "page"), [
    ({"resource": RESOURCE, "records": [7]}, f"resource?id={RESOURCE.replace('/', '%2F').replace('&', '%26')}&from=2026-11-01&to=2026-11-01"),
    ({"resource": None, "records": [7, 8], "count": 1000}, "changes?from=2026-11-01&to=2026-11-01"),
    ({"resource": RESOURCE, "records": [7, 8], "count": 2}, "changes?from=2026-11-01&to=2026-11-01"),
    ({}, ""),
])  # fmt: skip
def test_an_alert_leads_into_the_portal_whoever_is_told(tmp_path, about, page):
    for channel in built(tmp_path, WHOLE, portal=HOST):
        alert = {**trial("example.org/log", timestamp(NOW), channel.name), **about}
        sent = []
        told = replace(channel, post=lambda url, body, headers, sent=sent: sent.append(body) or Answer(200, None, b""))
        told.send(alert, NOW)
        shown = sent[0].decode().replace("\\u0026", "&")
        if channel.kind == "slack":  # in plain text nothing can be followed
            (block,) = [block for block in json.loads(shown)["blocks"] if block["text"]["type"] == "mrkdwn"]
            shown = block["text"]["text"].replace("&amp;", "&")
            assert shown.startswith("<https://") and shown.endswith("|Open the portal>")
        assert HOST + page in shown, channel.kind
        sent.clear()
        replace(told, portal=None).send(alert, NOW)
        assert b"/api/portal/" not in sent[0] and "link" not in alert


@pytest.mark.parametrize(("host", "portal"), [
    ("Evidence-1.azurewebsites.net", "https://evidence-1.azurewebsites.net/api/portal/"), ("localhost:7071", None), ("a.b/c", None), ("", None),
])  # fmt: skip
def test_the_portal_is_where_the_platform_says_that_the_app_is(host, portal):
    assert read_settings({"WEBSITE_HOSTNAME": host}).portal == portal
