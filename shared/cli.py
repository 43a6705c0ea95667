"""The command line `aoai-evidence`: every error for a person is one line, with the exit codes of DESIGN.md section 8."""

import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, NoReturn

import typer

from shared import __version__
from shared.commands import (
    alerting,
    asking,
    baselining,
    collecting,
    delivering,
    exhibiting,
    holding,
    keys,
    local,
    profiling,
    questions,
    showing,
    stating,
    waiving,
)
from shared.commands.context import options, terminal
from shared.errors import EvidenceError, Misuse
from shared.terminal import close_streams, prepare_streams

COMMANDS: Final = (
    (collecting.init, "aoai-evidence init --store ./evidence-store --origin example.com/evidence"),
    (collecting.collect, "aoai-evidence collect --subscription 11111111-2222-3333-4444-555555555555"),
    (collecting.doctor, "aoai-evidence doctor"),
    (collecting.erase, "aoai-evidence erase --subject jane.doe@example.com --reason 'request of 2026-11-20'"),
    (asking.status, "aoai-evidence status --json"),
    (asking.findings, "aoai-evidence findings --status not-satisfied --framework soc2"),
    (asking.changes, "aoai-evidence changes --from 2026-11-01 --to 2026-11-30"),
    (baselining.drift, "aoai-evidence drift --resource contoso-prod"),
    (asking.period, "aoai-evidence period --from 2026-10-01 --to 2026-12-31 --control content-logging-off"),
    (questions.unseen, "aoai-evidence unseen --from 2026-10-01 --to 2026-12-31"),
    (questions.residency, "aoai-evidence residency --at 2026-11-01T12:00:00Z"),
    (asking.deletions, "aoai-evidence deletions --object train.jsonl --certificate gone.html"),
    (asking.resources, "aoai-evidence resources --kind file --kind fine-tuned-model"),
    (delivering.bundle, "aoai-evidence bundle --from 2026-10-01 --to 2026-12-31 -o q4.zip"),
    (delivering.verify, "aoai-evidence verify q4.zip --key auditor.vkey --checkpoint last-quarter.checkpoint"),
    (delivering.report, "aoai-evidence report -o report.html"),
    (delivering.export, "aoai-evidence export --format csv -o findings.csv --framework soc2"),
    (showing.portal, "aoai-evidence portal --port 8081"),
    (local.simulate, "aoai-evidence simulate --port 8080 --scenario demo"),
    (local.demo, "aoai-evidence demo --directory ./demo"),
)
"""Each command with an example."""

GROUPS: Final[tuple[tuple[str, str, tuple[tuple[Any, str], ...]], ...]] = (
    ("key", "The keys that sign: which there were, and how to change them.", (
        (keys.show, "aoai-evidence key list"),
        (keys.rotate, "aoai-evidence key rotate --to https://VAULT.vault.azure.net/keys/evidence-log"),
    )),
    ("profile", "What you expect of your resources.", (
        (profiling.check, "aoai-evidence profile check profile.toml --resource /subscriptions/ID/resourceGroups/sandbox"),
        (profiling.schema, "aoai-evidence profile schema"),
    )),
    ("statements", "What the provider states, and who must show that it holds.", (
        (stating.list_, "aoai-evidence statements list --who provider"),
        (stating.compare, "aoai-evidence statements compare data-privacy.md"),
    )),
    ("hold", "Legal holds: nothing of the evidence can be deleted while one is in force, whatever its retention.", (
        (holding.add, "aoai-evidence hold add case-2026-17 --owner 'General Counsel' --reason 'preservation letter of 2026-11-20'"),
        (holding.release, "aoai-evidence hold release case-2026-17 --owner 'General Counsel' --reason 'case closed'"),
    )),
    ("alerts", "Alerts: who is told of what changed, and whether he was.", (
        (alerting.list_, "aoai-evidence alerts list"),
        (alerting.test, "aoai-evidence alerts test --receiver security"),
    )),
    ("waiver", "Waivers: what somebody accepts for a time, though it is not as it should be.", (
        (waiving.add, "aoai-evidence waiver add public-network-access --scope all --until 2026-12-31 --owner 'Head of Platform' --reason 'private link is being built'"),
        (waiving.list_, "aoai-evidence waiver list --all"),
        (waiving.end, "aoai-evidence waiver end 1 --owner 'Head of Platform' --reason 'private link is in use'"),
    )),
    ("baseline", "Baselines: the state that somebody approved, from which drift is told.", (
        (baselining.approve, "aoai-evidence baseline approve --all --owner 'Head of Platform' --reason 'reviewed in the change board of 2026-11-20'"),
        (baselining.list_, "aoai-evidence baseline list"),
    )),
    ("exhibit", "Exhibits: documents that speak to what only the provider can observe.", (
        (exhibiting.add, "aoai-evidence exhibit add soc-report --file soc2.pdf --issuer 'Example Auditors LLP' --covers 2025-10-01..2026-09-30 --expires 2027-03-31 "
            "--owner 'Head of Compliance' --reason 'vendor review of 2026'"),
        (exhibiting.list_, "aoai-evidence exhibit list --all"),
        (exhibiting.withdraw, "aoai-evidence exhibit withdraw 1 --owner 'Head of Compliance' --reason 'superseded by the report of 2027'"),
    )),
)  # fmt: skip
"""Commands of two words: name, what they have in common, and each with an example."""

UNWRAPPED: Final = "\b\n"
"""Before a paragraph of help that is not to be broken into lines: an example is there to be copied."""

DEFECT: Final = 70
"""Exit code where we are wrong ourselves: Python's own would be 1, which reads as an answer. `EX_SOFTWARE` of sysexits.h."""

app = typer.Typer(
    name="aoai-evidence", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Tamper-evident evidence of what was true of your Azure OpenAI resources, that an auditor can check offline.",
    epilog="Global options, anywhere on the line: --store PATH (or EVIDENCE_STORE), --json, --quiet; --version. "
    "Exit codes: 0 fine, 1 the answer is no, 2 misuse, 3 intact but incomplete, 4 Azure or the store unreachable.",
)  # fmt: skip
for _command, _example in COMMANDS:
    # `simulate` hands its options on to the stand-in, which explains them itself.
    _onwards = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []} if _command is local.simulate else None
    app.command(epilog=f"{UNWRAPPED}Example: {_example}", context_settings=_onwards)(_command)
for _name, _meaning, _members in GROUPS:
    _group = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None, help=_meaning)
    for _member, _example in _members:
        _group.command(_example.split()[2], epilog=f"{UNWRAPPED}Example: {_example}")(_member)
    app.add_typer(_group, name=_name)


def every_command() -> dict[str, Any]:
    """Every command by its words, as `hold add`, for those who document or test them: as click has it, help and options included."""
    commands: dict[str, Any] = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    groups = {name: command.commands for name, command in commands.items() if hasattr(command, "commands")}
    alone = {name: command for name, command in commands.items() if name not in groups}
    return alone | {f"{name} {inner}": command for name, members in groups.items() for inner, command in members.items()}


def main() -> None:
    """Run the command line."""
    prepare_streams()
    try:
        with _stoppable():
            code = _run(sys.argv[1:])
    except EvidenceError as error:
        code = error.exit_code
        terminal().error(str(error), code)
    except _Stopped as stopped:
        stopped.say()
        sys.exit(stopped.code)
    except Exception as error:  # noqa: BLE001 - whatever it is, it must not end as "the answer is no"
        code = DEFECT
        traceback.print_exc()  # for those who mend it
        what = f"{type(error).__name__} was not expected: a defect of aoai-evidence, and no answer"
        terminal().error(f"{what}; please report the lines above. What was sealed is not lost", code)
    close_streams()
    sys.exit(code)


def _run(arguments: list[str]) -> int:
    """Run a command; its exit code."""
    rest = _hoist(arguments)
    if rest == ["--version"]:
        terminal().answer({"version": __version__}, [f"aoai-evidence {__version__}"])
        return 0
    if not rest and options.json:
        raise Misuse("name a command: `aoai-evidence --help` lists them")
    command = typer.main.get_command(app)
    try:
        with command.make_context("aoai-evidence", [*rest] or ["--help"]) as context:
            command.invoke(context)
    except typer.Exit as done:
        return done.exit_code if rest else Misuse.exit_code
    except typer.TyperException as error:  # of the option parser: its own way of telling takes several lines
        about = getattr(getattr(error, "ctx", None), "command_path", "aoai-evidence")
        raise Misuse(f"{_lowered(error.format_message())} (`{about} --help` tells more)") from None
    except BrokenPipeError:
        if rest and "--help" not in rest:
            raise  # not from our answer, which knows of readers who leave
    return 0


def _lowered(sentence: str) -> str:
    return (sentence[:1].lower() + sentence[1:]).rstrip(".")


class _Stopped(KeyboardInterrupt):
    """Ctrl-C, or a request to end. Not an `Exception`: whatever is under way is given up."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.code = 128 + number
        self._said = threading.Lock()

    def say(self) -> None:
        """One line, once."""
        if self._said.acquire(blocking=False):
            terminal().error("interrupted: nothing sealed is lost; run the same command again to go on", self.code)

    def leave(self) -> NoReturn:
        """End the process here and now, as a kill would: the store is made for it."""
        if sys.stderr is not None and sys.stderr.isatty():
            sys.stderr = sys.__stderr__  # not through a progress bar, which would draw itself again below what is said
            os.write(2, b"\r\x1b[2K\x1b[?25h")  # it holds a line, and hides the cursor
        self.say()
        os._exit(self.code)


PATIENCE = 3.0
"""Seconds in which a command that was interrupted may end in good order: an answer of Azure's that does not come can take longer."""


@contextmanager
def _stoppable() -> Iterator[None]:
    """Let Ctrl-C and SIGTERM end the command in good order; when asked again, or when that takes too long, at once."""
    asked: list[_Stopped] = []

    def stop(number: int, _frame: object) -> None:
        if asked:
            asked[0].leave()
        asked.append(_Stopped(number))
        overdue = threading.Timer(PATIENCE, asked[0].leave)
        overdue.daemon = True
        overdue.start()
        raise asked[0]

    # Where a signal is ignored (nohup, a job in the background), it stays so.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) is not signal.SIG_IGN]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        if not asked:
            for number, handler in before.items():
                signal.signal(number, handler)


def _hoist(arguments: list[str]) -> list[str]:
    """Take the global options out, wherever they stand."""
    rest: list[str] = []
    options.json = "--json" in arguments[: arguments.index("--") if "--" in arguments else None]  # first: errors depend on it
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*rest, argument, *waiting]
        if argument == "--json":
            continue
        if argument == "--quiet":
            options.quiet = True
        elif argument == "--store":
            options.store = _folder(next(waiting, ""))
        elif argument.startswith("--store="):
            options.store = argument.partition("=")[2] or _folder("")
        elif not argument or (argument.startswith("--") and argument.endswith("=")):
            # Of a script whose variable is not set. No option means anything then, and `--resource ""` must not mean all of them.
            raise Misuse(f"the value after {argument or ' '.join(rest[-1:])} is empty: give one, or leave both out (is a variable not set?)")
        else:
            rest.append(argument)
    return rest


def _folder(name: str) -> str:
    if not name or name.startswith("--"):
        raise Misuse("--store needs a folder after it")
    return name
