"""The command line `aoai-evidence`: every error for a person is one line, with the exit codes of DESIGN.md section 8."""

import os
import sys
from typing import Final, NoReturn

import typer

from shared import __version__
from shared.commands import asking, collecting, delivering, local
from shared.commands.context import options, terminal
from shared.errors import EvidenceError, Misuse
from shared.terminal import printable

COMMANDS: Final = (
    (collecting.init, "aoai-evidence init --store ./evidence-store --origin example.com/evidence"),
    (collecting.collect, "aoai-evidence collect --subscription 11111111-2222-3333-4444-555555555555"),
    (collecting.doctor, "aoai-evidence doctor"),
    (collecting.erase, "aoai-evidence erase --subject jane.doe@example.com --reason 'request of 2026-11-20'"),
    (asking.status, "aoai-evidence status --json"),
    (asking.findings, "aoai-evidence findings --status not-satisfied --framework soc2"),
    (asking.changes, "aoai-evidence changes --from 2026-11-01 --to 2026-11-30"),
    (asking.resources, "aoai-evidence resources"),
    (delivering.bundle, "aoai-evidence bundle --from 2026-10-01 --to 2026-12-31 -o q4.zip"),
    (delivering.verify, "aoai-evidence verify q4.zip --key auditor.vkey --checkpoint last-quarter.checkpoint"),
    (delivering.report, "aoai-evidence report -o report.html"),
    (delivering.export, "aoai-evidence export --format csv -o findings.csv --framework soc2"),
    (local.simulate, "aoai-evidence simulate --port 8080 --scenario demo"),
    (local.demo, "aoai-evidence demo --directory ./demo"),
)
"""Each command with an example."""

app = typer.Typer(
    name="aoai-evidence", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None,
    help="Tamper-evident evidence of what was true of your Azure OpenAI resources, that an auditor can check offline.",
    epilog="Global options, anywhere on the line: --store PATH (or EVIDENCE_STORE), --json, --quiet; --version. "
    "Exit codes: 0 fine, 1 the answer is no, 2 misuse, 3 intact but incomplete, 4 Azure or the store unreachable.",
)  # fmt: skip
for _command, _example in COMMANDS:
    # `simulate` hands its options on to the stand-in, which explains them itself.
    _onwards = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []} if _command is local.simulate else None
    app.command(epilog=f"Example: {_example}", context_settings=_onwards)(_command)


def main() -> None:
    """Run the command line."""
    arguments = _hoist(sys.argv[1:])
    if arguments == ["--version"]:
        print(f"aoai-evidence {__version__}")
        return
    try:
        if options.json:
            sys.exit(_run_for_a_program(arguments))
        app(arguments)
    except EvidenceError as error:
        terminal().error(printable(str(error)), error.exit_code)
        sys.exit(error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except KeyboardInterrupt:
        terminal().error("interrupted: nothing sealed is lost, the next run goes on", 130)
        sys.exit(130)


def _run_for_a_program(arguments: list[str]) -> int:
    """With --json, what is wrong with the options is one JSON document too."""
    try:
        code = app(arguments, standalone_mode=False)
    except Exception as error:
        if not (hasattr(error, "format_message") and hasattr(error, "exit_code")):
            raise
        raise Misuse(error.format_message()) from None  # an error of the option parser, which has no public name in typer
    return code if isinstance(code, int) else 0


def _hoist(arguments: list[str]) -> list[str]:
    """Take the global options out, wherever they stand."""
    rest: list[str] = []
    waiting = iter(arguments)
    for argument in waiting:
        if argument == "--":
            return [*rest, argument, *waiting]
        if argument == "--json":
            options.json = True
        elif argument == "--quiet":
            options.quiet = True
        elif argument == "--store":
            options.store = next(waiting, None) or _no_store()
        elif argument.startswith("--store="):
            options.store = argument.partition("=")[2] or _no_store()
        else:
            rest.append(argument)
    return rest


def _no_store() -> NoReturn:
    terminal().error("--store needs a folder after it", Misuse.exit_code)
    sys.exit(Misuse.exit_code)
