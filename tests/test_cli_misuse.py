"""The command line in the hands of the hapless: one line that says what to do, exit code 2, and nothing is changed.

Everything here goes through the real `main`, inside this process; what needs a process of its own is in test_cli_killed.py and its neighbours.
"""

import shlex
from datetime import datetime

import pytest

from shared.terminal import printable
from tests.fixtures.commandline import SUBSCRIPTION, snapshot

LONG = "n" * 300
ESCAPE = "\x1b[31m"
VAULT = "https://kv.vault.azure.net/keys/k/1"

MISUSE = [
    # the line itself
    ("collct", {}, ["did you mean 'collect'", "`aoai-evidence --help`"]),
    ("collect --bogus", {}, ["--bogus", "`aoai-evidence collect --help`"]),
    ("collect extra", {}, ["extra"]),
    ("bundle", {}, ["'-o'"]),
    ("erase", {}, ["--subject"]),
    ("findings --from", {}, ["--from"]),
    (["findings", "--bogus\n\x1b[31m"], {}, ["--bogus"]),
    (["collect", "--subscription", ""], {}, ["--subscription", "empty"]),
    (["collect", "--subscription="], {}, ["--subscription=", "empty"]),
    (["findings", "--resource", ""], {}, ["--resource", "empty"]),
    (["verify", ""], {}, ["verify", "empty"]),
    ("status --store", {}, ["--store needs a folder"]),
    ("status --store=", {}, ["--store needs a folder"]),
    ("--store --quiet status", {}, ["--store needs a folder"]),
    ("simulate --bogus", {}, ["--bogus", "`aoai-evidence simulate --help`"]),
    ("simulate --port x", {}, ["--port"]),
    ("simulate --scenario nowhere", {}, ["nowhere"]),
    ("simulate --port 99999999", {}, ["port"]),
    # stores that are none
    ("status --store nowhere", {}, ["there is no store at nowhere", "aoai-evidence init --store nowhere"]),
    ("status", {"EVIDENCE_STORE": "nowhere"}, ["there is no store at nowhere"]),
    ("collect --store file", {}, ["file is not a store"]),
    ("status --store file/below", {}, ["there is no store at file/below"]),
    ("findings --store empty", {}, ["empty is not a store"]),
    ("doctor --store ./empty --bogus", {}, ["--bogus"]),
    (["status", "--store", f"{ESCAPE}\n"], {}, ["\\x1b[31m\\n"]),
    ("collect --store https://account.blob.core.windows.net", {}, ["EVIDENCE_STORE_ENDPOINT", "http://127.0.0.1:10000"]),
    ("status --store https://account.blob.core.windows.net.evil.example", {"EVIDENCE_CLOUD": "public", "EVIDENCE_ARM_ENDPOINT": None},
     ["no storage account of the cloud public", "https://ACCOUNT.blob.core.windows.net"]),
    ("status", {"EVIDENCE_STORE": "~nobody-of-that-name/x"}, ["~nobody-of-that-name"]),
    ("init", {}, ["there is a store at store already", "never overwritten"]),
    ("init --store file", {}, ["file"]),
    ("init --store file/below", {}, ["Not a directory"]),
    ("init --store new --origin 'a b'", {}, ["--origin", "no spaces"]),
    (["init", "--store", "new", "--origin", f"a{ESCAPE}\u202eb"], {}, ["--origin"]),
    ("init --store new --algorithm rsa", {}, ["--algorithm 'rsa'", "ed25519 or ecdsa-p256"]),
    ("demo --directory store", {}, ["store holds something else", "--directory"]),
    ("demo --directory file", {}, ["file holds something else"]),
    ("demo --directory file/below", {}, ["file/below"]),
    # what to ask for
    ("collect --subscription nonsense", {}, ["--subscription", "'nonsense' is not a subscription id", "az account list"]),
    (f"collect --subscription {SUBSCRIPTION}x", {}, ["--subscription"]),
    ("collect --resource nonsense", {}, ["--resource 'nonsense'", "az cognitiveservices account show"]),
    ("collect --fail-on fine", {}, ["'fine' is no status", "not-satisfied"]),
    ("findings --status fine", {}, ["'fine' is no status", "not-satisfied"]),
    ("status --fail-on fine", {}, ["'fine' is no status"]),
    ("findings --control content-loging-off", {}, ["did you mean content-logging-off?"]),
    ("findings --control zzz", {}, ["'zzz' is not in the catalogue"]),
    ("findings --framework pci", {}, ["--framework 'pci'", "soc2, gdpr, iso27001"]),
    ("bundle -o x --framework pci", {}, ["--framework 'pci'"]),
    ("export -o x --format pdf", {}, ["--format 'pdf'", "csv"]),
    ("bundle -o x --resource nobody", {}, ["--resource 'nobody'", "no account of that name"]),
    ("bundle -o x --since nowhere", {}, ["cannot read the checkpoint nowhere"]),
    ("bundle -o x --since file", {}, ["--since", "give the file `checkpoint` out of an earlier bundle"]),
    ("bundle -o x --since /dev/zero", {}, ["/dev/zero is too large to be the checkpoint"]),
    ("erase --subject nobody@example.org", {}, ["nothing to erase"]),
    (["erase", "--subject", " "], {}, ["--subject is empty"]),
    # when
    ("findings --from 2026-12-01 --to 2026-11-01", {}, ["ends (2026-11-01) before it begins (2026-12-01)", "exchange --from and --to"]),
    ("findings --from 2026-12-01T00:00:00Z --to 2026-12-01T00:00:00Z", {}, ["before it begins"]),
    ("changes --from yesterday", {}, ["--from 'yesterday' is not a date", "2026-11-01T12:00:00Z"]),
    ("report --to 2026-13-01", {}, ["--to '2026-13-01' is not a date"]),
    ("export -o x --from 2026-02-30", {}, ["--from '2026-02-30' is not a date"]),
    ("findings --from 2026-11-01T12:00:00+99:00", {}, ["is not a date"]),
    (["findings", "--from", f"{ESCAPE}\n"], {}, ["is not a date"]),
    ("bundle -o x --from 2020-01-01 --to 2020-01-02", {}, ["no sweep lies between", "choose another period"]),
    ("report --from 2020-01-01 --to 2020-01-02", {}, ["no closed sweep in this period"]),
    # settings
    ("collect", {"EVIDENCE_CLOUD": "mars"}, ["EVIDENCE_CLOUD is 'mars'", "loopback"]),
    ("collect", {"EVIDENCE_CLOUD": None}, ["EVIDENCE_ARM_ENDPOINT", "unset it"]),
    ("collect", {"EVIDENCE_ARM_ENDPOINT": None}, ["set EVIDENCE_ARM_ENDPOINT"]),
    ("collect", {"EVIDENCE_ARM_ENDPOINT": "http://127.0.0.1.evil.example"}, ["EVIDENCE_ARM_ENDPOINT", "such as http://127.0.0.1:8080"]),
    ("status", {"EVIDENCE_ARM_ENDPOINT": f"http://127.0.0.1:1/{ESCAPE}\n"}, ["EVIDENCE_ARM_ENDPOINT"]),
    ("collect", {"EVIDENCE_LOGS_ENDPOINT": "http://10.0.0.1"}, ["EVIDENCE_LOGS_ENDPOINT"]),
    ("collect", {"EVIDENCE_STORE_ENDPOINT": "http://localhost:1"}, ["EVIDENCE_STORE_ENDPOINT"]),
    ("collect", {"EVIDENCE_PERSONAL_DATA": "maybe"}, ["EVIDENCE_PERSONAL_DATA is 'maybe'", "commit or keep"]),
    ("collect", {"EVIDENCE_PERSONAL_DATA": "keep"}, ["EVIDENCE_PERSONAL_DATA=commit", "keep"]),
    ("collect", {"EVIDENCE_SUBSCRIPTIONS": "one,two"}, ["EVIDENCE_SUBSCRIPTIONS", "'one'"]),
    ("collect", {"EVIDENCE_READS_PER_SECOND": "fast"}, ["EVIDENCE_READS_PER_SECOND is 'fast'"]),
    ("collect", {"EVIDENCE_SCHEDULE": "hourly"}, ["schedule 'hourly' has 1 fields", "such as '0 0 */6 * * *'"]),
    ("collect", {"EVIDENCE_SCHEDULE": "0 */6 * * *"}, ["put the second first", "'0 0 */6 * * *'"]),
    ("collect", {"EVIDENCE_SCHEDULE": "0 0 0 31 2 *"}, ["has no slot"]),
    ("collect", {"EVIDENCE_SCHEDULE": f"{ESCAPE} * * * * *"}, ["field 1 (second)"]),
    # keys
    ("collect", {"EVIDENCE_SIGNING_KEY": "nowhere.pem"}, ["cannot read the signing key nowhere.pem", "set EVIDENCE_SIGNING_KEY"]),
    ("collect", {"EVIDENCE_SIGNING_KEY": "empty"}, ["cannot read the signing key empty"]),
    ("collect", {"EVIDENCE_SIGNING_KEY": "file"}, ["file is not an unencrypted private key in PEM"]),
    ("collect", {"EVIDENCE_SIGNING_KEY": "other.pem"}, ["other.pem is not the key of this store (example.org/evidence)", "set EVIDENCE_SIGNING_KEY"]),
    ("erase --subject x", {"EVIDENCE_SIGNING_KEY": "other.pem"}, ["not the key of this store"]),
    ("collect", {"EVIDENCE_SIGNING_KEY": VAULT}, ["EVIDENCE_SIGNING_KEY", "127.0.0.1:PORT"]),
    ("init --store new", {"EVIDENCE_SIGNING_KEY": VAULT}, ["EVIDENCE_SIGNING_KEY", "127.0.0.1:PORT"]),
    ("collect", {"EVIDENCE_SIGNING_KEY": "~nobody-of-that-name/x"}, ["~nobody"]),
    # profiles
    ("collect", {"EVIDENCE_PROFILE": "nowhere.toml"}, ["cannot read the profile nowhere.toml", "EVIDENCE_PROFILE"]),
    ("collect", {"EVIDENCE_PROFILE": "empty"}, ["cannot read the profile empty"]),
    ("collect", {"EVIDENCE_PROFILE": "/dev/zero"}, ["/dev/zero is too large to be the profile", "EVIDENCE_PROFILE"]),
    ("doctor --bogus", {"EVIDENCE_PROFILE": "value.toml"}, ["--bogus"]),
    ("collect", {"EVIDENCE_PROFILE": "value.toml"}, ["value.toml:3:19: monitoring.content_logging", '"off"']),
    ("collect", {"EVIDENCE_PROFILE": "syntax.toml"}, ["syntax.toml:1:12: not TOML"]),
    ("collect", {"EVIDENCE_PROFILE": "bytes.toml"}, ["bytes.toml:2:3: not UTF-8"]),
    ("collect", {"EVIDENCE_PROFILE": "key.toml"}, ["key.toml:2:1: unknown key"]),
    ("collect", {"EVIDENCE_PROFILE": "schedule.toml"}, ["schedule.toml:2:12: collection.schedule", "put the second first"]),
    ("collect", {"EVIDENCE_PROFILE": "~nobody-of-that-name/x"}, ["~nobody"]),
    # verify
    ("verify", {}, ["name a bundle, or a store with --store"]),
    ("verify --store store", {}, ["--key is missing"]),
    ("verify --store store --key nowhere", {}, ["cannot read the verifier key nowhere"]),
    ("verify --store store --key other.vkey", {}, ["--key is missing"]),
    ("verify --store store --key a+b+c", {}, ["--key: malformed", "give the line that `init` printed, or a file with it"]),
    ("verify --store store --key store.key.pem", {}, ["--key: not a verifier key"]),
    ("verify --store store --key /dev/zero", {}, ["/dev/zero is too large to be the verifier key"]),
    ("verify --store store --key bundle.zip", {}, ["--key: not a verifier key"]),
    ("verify --store store --key VKEY --checkpoint nowhere", {}, ["cannot read the checkpoint nowhere"]),
    ("verify --store store --key VKEY --checkpoint /dev/zero", {}, ["/dev/zero is too large to be the checkpoint"]),
    ("verify bundle.zip", {}, ["--key is missing", "by another way than the evidence"]),
    ("verify --store empty --key VKEY", {}, ["empty is not a store"]),
    ("verify nowhere.zip --key VKEY", {}, ["there is no file nowhere.zip"]),
    ("verify store --key VKEY", {}, ["store is a folder: name a bundle, or verify a store with --store store"]),
    ("verify bundle.zip --store store --key VKEY", {}, ["two things to verify"]),
]  # fmt: skip


@pytest.mark.parametrize(("line", "environment", "said"), MISUSE)
def test_misuse_is_one_line_and_changes_nothing(quarry, line, environment, said):
    arguments = [quarry.vkey if word == "VKEY" else word for word in (shlex.split(line) if isinstance(line, str) else line)]
    before = snapshot(quarry.folder)
    person = quarry.having(**environment)
    try:
        outcome = person(*arguments)
        assert outcome.code == 2, (outcome.out, outcome.err)
        assert outcome.out == ""
        assert all(words.lower() in outcome.error.lower() for words in said), outcome.error
        assert len(outcome.error) < 600
        program = person("--json", *arguments)
        assert {**program.json, "error": printable(program.json["error"])} == {"error": outcome.error, "exit_code": 2}
        assert program.error == outcome.error
        assert snapshot(quarry.folder) == before
    finally:
        for name in {*snapshot(quarry.folder)} - {*before}:
            (quarry.folder / name).unlink()  # of a case that is known to fail: the next finds things as they were


def test_the_key_beside_the_store_is_missed(desk):
    (desk.folder / "store.key.pem").unlink()
    before = snapshot(desk.folder)
    outcome = desk("collect")
    assert outcome.code == 2
    assert "cannot read the signing key" in outcome.error
    assert "store.key.pem" in outcome.error
    assert snapshot(desk.folder) == before
    assert desk("status").code == 0


@pytest.mark.parametrize(("option", "text"), [
    ("--from", "0001-01-01"), ("--from", "9999-12-31"), ("--from", "9999-12-31T23:59:59-12:00"), ("--to", "0001-01-01T00:00:00+23:59"),
    ("--from", "0001-01-01T00:00:00+23:59"), ("--to", "9999-12-31"),
    ("--to", "9999-12-31T23:59:59-12:00"),
])  # fmt: skip
def test_dates_at_the_edges_of_the_calendar_are_dates_or_misuse(quarry, option, text):
    outcome = quarry("findings", option, text)
    assert outcome.code in (0, 2)
    assert outcome.code == 0 or outcome.error


@pytest.mark.parametrize("day", ["{:%Y-%m-%d}", "{:%G-W%V-%u}", "{:%Y%m%d}"], ids=["usual", "week", "basic"])
def test_the_last_day_is_meant_whole_however_it_is_written(quarry, day):
    moment = datetime.fromisoformat(quarry("status", "--json").json["last_sweep"]["planned_at"])
    assert len(quarry("findings", "--to", day.format(moment), "--json").json) > 100
