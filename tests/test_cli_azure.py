"""What Azure can do to a sweep, as the command line tells it: sealed, said in one line, with the right exit code; and hostile answers."""

import time
from unittest import mock

import pytest

from infra.local import faults
from shared.terminal import printable, table
from tests.fixtures.commandline import SUBSCRIPTION, harmless, sealed

OTHER = "99999999-2222-3333-4444-555555555555"
ACCOUNTS = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts?"


def incomplete(outcome, code, said):
    assert outcome.code == code, (outcome.out, outcome.err)
    assert "incomplete" in outcome.error
    assert said in outcome.error, outcome.error
    assert "incomplete" in outcome.out


def goes_on_well(desk):
    desk.azure.faults.clear()
    assert desk("collect").code == 0
    verified = desk.verify("--json")
    assert verified.code == 3, "what could not be collected stays a gap"
    assert verified.json["intact"], verified.json["problems"]


@pytest.mark.parametrize(("fault", "where", "arguments", "code", "said"), [
    (None, "", ["--subscription", OTHER], 3, "not-found (check the id"),
    (faults.forbidden(), "", [], 3, "forbidden (give the identity the reader role there"),
    (faults.forbidden(), "/accounts/alpha", [], 3, "forbidden (give the identity the reader role there"),
    (faults.expired_token(), "", [], 4, "unauthenticated (log in again, `az login`)"),
    (faults.unauthenticated(), "/accounts?", [], 3, "unauthenticated (log in again, `az login`)"),
    (faults.html_page(), "", [], 3, "malformed (what answers is not Azure"),
    (faults.redirected("https://login.example/"), "", [], 3, "redirected (what answers is not Azure"),
], ids=["unknown-subscription", "no-rights", "no-rights-at-one", "expired", "expired-on-the-way", "portal", "redirect"])  # fmt: skip
def test_what_could_not_be_collected_is_sealed_and_said_in_one_line(desk, fault, where, arguments, code, said):
    if fault:
        desk.azure.faults.add(where, fault)
    before = sealed(desk.folder)
    incomplete(desk("collect", *arguments), code, said)
    document = desk("collect", "--json", "--quiet", *arguments)
    assert (document.code, document.json["complete"]) == (code, False)
    assert document.json["failures"]
    assert document.error
    assert before.items() <= sealed(desk.folder).items()
    goes_on_well(desk)


def test_a_login_that_expires_in_the_middle(desk):
    desk.azure.faults.add("", faults.expired_token(), skip=9)
    incomplete(desk("collect"), 3, "log in again")
    goes_on_well(desk)


def test_nobody_listens(desk):
    with mock.patch.object(time, "sleep", lambda seconds: None):
        outcome = desk.having(EVIDENCE_ARM_ENDPOINT="http://127.0.0.1:9")("collect")
    incomplete(outcome, 4, "unreachable (no connection; check network and proxy)")
    goes_on_well(desk)


def test_azure_goes_down_in_the_middle(desk):
    rule = desk.azure.faults.add("", faults.connection_reset(), skip=12)
    with mock.patch.object(time, "sleep", lambda seconds: None):
        outcome = desk("collect")
    assert rule.fired
    incomplete(outcome, 3, "unreachable")
    goes_on_well(desk)


def test_sweeps_between_those_of_the_schedule_are_no_tampering(desk):
    person = desk.having(EVIDENCE_SCHEDULE="0 0 */6 * * *")
    slots = [person("collect", "--json").json["slot"] for _ in range(3)]
    assert slots[0]
    assert slots[2] is None
    assert desk.verify("--json").json["problems"] == []
    assert desk("bundle", "-o", "b.zip").code == 0
    assert desk("verify", "b.zip", "--key", "store.vkey", "--json").json["problems"] == []


def test_fail_on_says_no(desk):
    assert desk("collect", "--fail-on", "not-satisfied").code == 1
    assert desk("status", "--fail-on", "not-satisfied").code == 1
    assert desk("status").code == 0


EXPIRED = """#!/bin/sh
echo 'ERROR: AADSTS700082: The refresh token has expired due to inactivity.' >&2
echo 'Interactive authentication is needed. Please run:' >&2
echo 'az login' >&2
exit 1
"""


@pytest.fixture
def real_azure(desk):
    """The public cloud, for whoever has nothing but the Azure CLI to log in with; none is installed."""
    (desk.folder / "bin").mkdir()
    return desk.having(EVIDENCE_CLOUD="public", EVIDENCE_ARM_ENDPOINT=None, AZURE_TOKEN_CREDENTIALS="AzureCliCredential", PATH=str(desk.folder / "bin"))


@pytest.mark.parametrize("az", [None, EXPIRED], ids=["no az", "expired"])
def test_without_a_login_nothing_is_begun(real_azure, az):
    if az:
        (real_azure.folder / "bin/az").write_text(az)
        (real_azure.folder / "bin/az").chmod(0o755)
    before = sealed(real_azure.folder)
    outcome = real_azure("collect")
    assert (outcome.code, outcome.out) == (4, "")
    assert "no login to Azure" in outcome.error
    assert "run `az login`" in outcome.error
    assert real_azure("collect", "--json").json == {"error": outcome.error, "exit_code": 4}
    doctor = real_azure("doctor")
    assert (doctor.code, doctor.err) == (4, "")
    assert "run `az login`" in doctor.out
    assert sealed(real_azure.folder) == before
    for line in ("status", "findings", "report", "bundle -o b.zip", "verify b.zip --key store.vkey"):
        assert real_azure(*line.split()).code == 0, line


def test_a_way_to_log_in_that_is_none_is_misuse(real_azure):
    outcome = real_azure.having(AZURE_TOKEN_CREDENTIALS="pigeon")("collect")
    assert outcome.code == 2
    assert "AZURE_TOKEN_CREDENTIALS" in outcome.error


@pytest.mark.parametrize(("fault", "todo"), [
    (faults.forbidden(), "give the identity Reader"), (faults.expired_token(), "log in again"), (faults.html_page(), "malformed"),
])  # fmt: skip
def test_doctor_says_what_to_do(desk, fault, todo):
    desk.azure.faults.add("", fault)
    outcome = desk("doctor")
    assert (outcome.code, outcome.err) == (4, "")
    assert todo in outcome.out


# -- names that are none ---------------------------------------------------------------------------------------------------------

HOSTILE = "\x1b]0;owned\x07\x1b[31m\u202e\x9b31m\r\nline two\x00\x7f"


def hostile_children(body):
    for item in body["value"]:
        item["name"] = HOSTILE + "n" * 5000
        item["tags"] = {HOSTILE: HOSTILE * 100}
        item["sku"] = {"name": HOSTILE, "capacity": HOSTILE}
        if isinstance(item.get("properties"), dict):
            item["properties"]["model"] = {"name": HOSTILE, "format": HOSTILE, "version": HOSTILE}


def hostile_account(body):
    body |= {"location": HOSTILE, "tags": {HOSTILE: HOSTILE * 200, "long": "n" * 5000}, "name": HOSTILE}
    body["properties"]["capabilities"].append({"name": HOSTILE, "value": HOSTILE})
    body["properties"] |= {"publicNetworkAccess": HOSTILE, "encryption": {"keySource": HOSTILE}, "networkAcls": {"defaultAction": HOSTILE}}


def hostile_list(body):
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg\u202e\x9b31m"
    body["value"] += [
        {"id": HOSTILE, "kind": "OpenAI"}, {"id": HOSTILE, "kind": HOSTILE}, {"id": None, "kind": None},
        {"id": f"{group}/providers/Microsoft.CognitiveServices/accounts/gamma", "kind": "OpenAI"},
    ]  # fmt: skip


def test_hostile_names_reach_no_terminal_and_no_page_raw(desk):
    rules = [("/deployments?", hostile_children), ("/raiPolicies?", hostile_children), ("/accounts/alpha?", hostile_account), (ACCOUNTS, hostile_list)]
    for where, change in rules:
        desk.azure.faults.add(where, faults.edited(change))
    outcome = desk("collect")
    assert outcome.code == 3
    assert harmless(outcome.out + outcome.err)
    assert harmless(desk("doctor").out)
    lines = ["status", "findings", "changes", "resources", "bundle -o b.zip", f"verify b.zip --key {desk.vkey}", f"verify --store store --key {desk.vkey}"]
    for line in lines:
        shown, document = desk(*line.split()), desk("--json", *line.split())
        assert harmless(shown.out), line
        assert harmless(shown.err), line
        assert harmless(document.out), line
        assert max(map(len, shown.out.splitlines())) < 1500, line
        assert document.json, line
    found = desk("resources", "--json").json
    assert found[0]["location"] == HOSTILE, "what is asked for as JSON is what Azure said"
    assert desk("report").code == 0
    assert harmless((desk.folder / "report.html").read_text())
    assert desk.verify("--json").json["intact"]


def test_a_subscription_without_a_usable_id_is_a_gap_not_tampering(desk):
    for strange in (HOSTILE, "", None, 5):
        odd = {"id": strange, "subscriptionId": strange, "displayName": strange}
        desk.azure.faults.add("/subscriptions?", faults.edited(lambda body, odd=odd: body["value"].append(odd)))
    assert desk("collect").code == 3
    verified = desk.verify("--json")
    assert verified.json["problems"] == []
    assert verified.code == 3


def test_a_table_shows_what_would_steer_and_cuts_what_would_not_end():
    lines = table(["a", "b"], [["x\x1b[2J\n", "\u202ey"], ["n" * 5000, "m" * 5000]])
    assert lines[1].startswith("x\\x1b[2J\\n ")
    assert lines[1].endswith("\\u202ey")
    assert len(lines[2].split()[0]) == 140
    assert lines[2].endswith("m" * 5000)
    assert [line.index(cell) for line, cell in zip(lines, ["b", "\\u202ey", "m"], strict=True)] == [142] * 3


@pytest.mark.parametrize(("text", "shown"), [
    ("plain – ünï 证据", "plain – ünï 证据"), ("\x00\x1b\x7f", "\\x00\\x1b\\x7f"), ("\x9b31m", "\\x9b31m"), ("a\r\nb\tc", "a\\r\\nb\\tc"),
    ("\u202e\u2066\ufeff", "\\u202e\\u2066\\ufeff"), ("\U000e0041", "\\U000e0041"), ("\ud800", "\\ud800"), ("", ""),
], ids=ascii)  # fmt: skip
def test_printable(text, shown):
    assert printable(text) == shown
