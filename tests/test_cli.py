"""The command line itself: global options, help, version, one JSON document, exit codes."""

import json
import shlex
import subprocess
import sys
from unittest import mock

import pytest

from infra.local.__main__ import parser as stand_in_options
from shared import cli
from tests.fixtures.commandline import ROOT


@pytest.mark.parametrize("line", ["--json status --quiet", "status --json --quiet", "--quiet --json --store store status", "status --store=store --json"])
def test_global_options_stand_anywhere(quarry, line):
    outcome = quarry.having(EVIDENCE_STORE=None if "--store" in line else "store")(*line.split())
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.json["store"]["origin"] == "example.org/evidence"


def test_behind_two_dashes_nothing_is_an_option(quarry):
    outcome = quarry("verify", "--key", quarry.vkey, "--", "--json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "there is no file --json" in outcome.error


def test_quiet_leaves_the_answer_and_nothing_else(desk):
    outcome = desk("--quiet", "collect")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("sweep ")
    assert "planning" in desk("collect").err


def test_a_resource_that_nothing_is_known_of_is_said_to_be_one(quarry):
    """An empty table could be taken for: nothing is wrong there."""
    found = quarry("findings", "--resource", "alhpa")
    assert (found.code, found.err) == (0, "no finding about alhpa is here: `aoai-evidence resources` lists what there is\n")
    assert "is here" not in quarry("findings", "--resource", "alpha").err


def test_without_a_command_there_is_help_and_it_is_misuse(quarry):
    outcome = quarry()
    assert (outcome.code, outcome.err) == (2, "")
    assert "Commands:" in outcome.out
    assert quarry("--help").code == 0
    assert quarry("--json").json["exit_code"] == 2


COMMANDS = cli.every_command()


@pytest.mark.parametrize(("command", "example"), [(name, known.epilog.removeprefix(f"{cli.UNWRAPPED}Example: ")) for name, known in COMMANDS.items()])
def test_help_ends_with_an_example_that_can_be_copied_and_parses(quarry, command, example):
    outcome = quarry.having(COLUMNS="40")(*command.split(), "--help")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.rstrip().splitlines()[-1].strip() == f"Example: {example}"
    program, *arguments = shlex.split(example)
    words = command.split()
    assert (program, arguments[: len(words)]) == ("aoai-evidence", words)
    arguments = arguments[len(words) :]
    if command == "simulate":
        stand_in_options().parse_args(arguments)
    else:
        with mock.patch.multiple(cli.options, store=None, json=False, quiet=False):
            COMMANDS[command].make_context(command, cli._hoist(arguments))


def test_version_is_there_at_once(quarry):
    assert quarry("--version").out.startswith("aoai-evidence ")
    assert list(quarry("--version", "--json").json) == ["version"]
    heavy = ("azure", "cryptography", "rich", "jinja2", "pycurl", "ssl", "asyncio", "shared.service", "shared.judge", "infra")
    code = f"import sys; import shared.cli; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True).stdout == "[]\n"


def a_person(desk):
    """An address that the evidence of the store commits to."""
    values = [json.loads(path.read_bytes())["value"] for path in (desk.folder / "store/personal/value").rglob("*.json")]
    return next(value for value in values if isinstance(value, str) and "@" in value and " " not in value)


def test_every_command_answers_with_one_json_document(desk):
    lines = [
        "init --store new", "collect", "status", "findings", "changes", "deletions", "period", "unseen", "resources", "resources --kind file", "doctor",
        "baseline approve --all --owner board --reason reviewed", "drift",
        "report -o r.html", "export -o f.csv", "bundle -o b.zip", f"verify b.zip --key {desk.vkey}", f"verify --store store --key {desk.vkey}",
        "--version", f"erase --subject {a_person(desk)}",
    ]  # fmt: skip
    lines.append(f"residency --at {desk('status', '--json').json['last_sweep']['closed_at']}")
    for line in lines:
        outcome = desk(*line.split(), "--json", "--quiet")
        assert outcome.code == 0, line
        assert outcome.err == "", line
        assert outcome.out[0] in "[{", line
        assert isinstance(outcome.json, dict | list), line
    assert {line.split()[0] for line in lines} >= {name for name in COMMANDS if " " not in name} - {"simulate", "demo", "portal"}


def test_a_defect_of_ours_is_no_answer(desk, monkeypatch):
    """A traceback is for those who mend it; its exit code must not read as "the answer is no", nor its output as half a document."""

    def wrong(*_arguments, **_options):
        raise RecursionError("deep\x1b[31m")

    monkeypatch.setattr("shared.service.queries.reading", wrong)
    for line in ("status", "findings"):
        outcome = desk(line, "--json")
        assert outcome.code == 70 and outcome.json["exit_code"] == 70, line
        assert "RecursionError was not expected" in outcome.json["error"]
        assert "Traceback" in outcome.err and outcome.err.splitlines()[-1].startswith("aoai-evidence: RecursionError")
