"""The command line under hostile and hapless input: one line that says what to do, the right exit code, nothing sealed lost."""

import json
import random
import signal
import time

import pytest

from infra.local import faults
from tests.fixtures.commandline import SUBSCRIPTION, office

OTHER = "99999999-8888-7777-6666-555555555555"


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    with office(tmp_path_factory.mktemp("office")) as made:
        assert made("init", "--origin", "example.org/evidence").code == 0
        assert made("collect").code in (0, 3)
        yield made


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["collect", "--subscription", "nonsense"], 2, "not a subscription id"),
        (["collect", "--resource", "/x"], 2, "--resource"),
        (["collect", "--bogus"], 2, "--bogus"),
        (["collect", "--fail-on", "bad"], 2, "is no status"),
        (["findings", "--control", "content-loging-off"], 2, "did you mean content-logging-off"),
        (["findings", "--status", "fine"], 2, "is no status"),
        (["findings", "--framework", "pci"], 2, "soc2"),
        (["findings", "--from", "2026-12-01", "--to", "2026-11-01"], 2, "before it begins"),
        (["changes", "--from", "yesterday"], 2, "not a date"),
        (["export", "-o", "x.pdf", "--format", "pdf"], 2, "csv"),
        (["report", "-o", "."], 2, "cannot write"),
        (["bundle", "--from", "2020-01-01", "--to", "2020-02-01", "-o", "b.zip"], 2, ""),
        (["bundle", "-o", "b.zip", "--resource", "nobody"], 2, "no account"),
        (["erase", "--subject", "nobody@example.org"], 2, "nothing to erase"),
        (["verify"], 2, "name a bundle"),
        (["verify", "absent.zip", "--key", "x"], 2, ""),
        (["init"], 2, "already"),
        (["frobnicate"], 2, "frobnicate"),
        (["status", "--store"], 2, "--store needs"),
        (["status", "--store", "absent"], 2, "init"),
    ],
)
def test_misuse_is_one_line_and_exit_2(swept, arguments, code, says):
    records = swept("--json", "status").json["store"]["records"]
    outcome = swept(*arguments)
    assert outcome.code == code
    assert says in outcome.error
    assert swept("--json", *arguments).json["exit_code"] == code
    assert swept("--json", "status").json["store"]["records"] == records
    assert not (swept.folder / "b.zip").exists() and not (swept.folder / "x.pdf").exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("EVIDENCE_CLOUD", "mars"), ("EVIDENCE_CLOUD", "public"), ("EVIDENCE_ARM_ENDPOINT", "http://10.0.0.1:80"),
        ("EVIDENCE_ARM_ENDPOINT", "http://127.0.0.1.evil.example:80"), ("EVIDENCE_ARM_ENDPOINT", "http://user@127.0.0.1:80"),
        ("EVIDENCE_ARM_ENDPOINT", None), ("EVIDENCE_PERSONAL_DATA", "sell"), ("EVIDENCE_READS_PER_SECOND", "many"),
        ("EVIDENCE_SCHEDULE", "every day"), ("EVIDENCE_SUBSCRIPTIONS", "prod"), ("EVIDENCE_PROFILE", "absent.toml"),
        ("EVIDENCE_PROFILE", "."), ("EVIDENCE_SIGNING_KEY", "absent.pem"),
    ],
)  # fmt: skip
def test_a_malformed_setting_is_named(swept, name, value):
    outcome = swept.having(**{name: value})("collect")
    assert outcome.code == 2
    assert outcome.error


def test_a_malformed_profile_is_named_with_line_and_column(swept):
    (swept.folder / "p.toml").write_text('[monitoring]\ncontent_loging = "off"\n')
    outcome = swept.having(EVIDENCE_PROFILE="p.toml")("collect")
    assert outcome.code == 2
    assert "p.toml:2:1" in outcome.error and "content_logging" in outcome.error


def test_every_command_has_help_with_an_example(swept):
    from shared.cli import COMMANDS

    for command, example in COMMANDS:
        if command.__name__ != "simulate":
            shown = swept(*command.__name__.split("_"), "--help")
            assert shown.code == 0
            assert example in shown.out


def test_global_options_stand_anywhere_and_json_is_one_document(swept):
    for arguments in (["--json", "status"], ["status", "--json"], ["status", "--store", swept.store, "--json"]):
        assert swept(*arguments).json["sweeps"] >= 1
    assert isinstance(swept("findings", "--json").json, list)


def test_nobody_there_no_login_and_no_rights(tmp_path):
    with office(tmp_path) as made:
        made("init")
        made.azure.faults.add("/subscriptions", faults.forbidden())
        outcome = made("collect")
        assert outcome.code == 3 and "forbidden" in outcome.out
        made.azure.faults.clear()
        made.azure.faults.add("/subscriptions", faults.expired_token())
        outcome = made("collect")
        assert outcome.code == 4 and "az login" in outcome.out
        made.azure.faults.clear()
        unknown = made("collect", "--subscription", OTHER)
        assert unknown.code == 3 and "not-found" in unknown.out
        nobody = made.having(EVIDENCE_ARM_ENDPOINT="http://127.0.0.1:9")("collect")
        assert nobody.code == 4
        assert made.verify().code == 3


def test_a_killed_process_is_gone_on_with(tmp_path):
    generator = random.Random(7)
    with office(tmp_path) as made:
        made("init")
        for _ in range(8):
            process = made.start("collect", "--quiet")
            time.sleep(generator.uniform(0.15, 0.9))
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert made.run("collect").code in (0, 3)
        verified = made.run("verify", "--store", made.store, "--key", made.vkey, "--json")
        assert verified.json["intact"], verified.json["problems"]
        assert made("--json", "status").json["open_sweeps"] == []


def test_an_interrupted_process_says_so_in_one_line(tmp_path):
    with office(tmp_path) as made:
        made("init")
        made.azure.faults.add("/deployments", faults.slow(1.0))
        process = made.start("collect", "--quiet")
        time.sleep(1.2)
        process.send_signal(signal.SIGINT)
        _out, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert err.decode().count("\n") == 1 and b"interrupted" in err
        made.azure.faults.clear()
        assert made.run("collect").code in (0, 3)
        assert made.verify("--json").json["intact"]


def test_two_processes_at_once(tmp_path):
    with office(tmp_path) as made:
        made("init")
        both = [made.start("collect", "--quiet") for _ in range(2)]
        codes = [process.wait(timeout=60) for process in both]
        assert set(codes) <= {0, 3}
        for process in both:
            process.communicate()
        assert made.verify("--json").json["intact"]


def test_hostile_names_do_not_reach_the_terminal(tmp_path):
    with office(tmp_path) as made:
        made("init")
        account = made.azure.world.accounts(SUBSCRIPTION)[0]
        made.azure.world.set_property(account, "/location", "\x1b]0;owned\x07\u202eeast\nus")
        made("collect")
        for command in ("resources", "findings", "status", "changes"):
            shown = made(command).out
            assert "\x1b" not in shown and "\u202e" not in shown and "\x07" not in shown
        assert json.loads(made("resources", "--json").out)
