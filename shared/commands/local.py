"""Commands that need no Azure: simulate, demo."""

import contextlib
import io
import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from shared.commands.context import terminal
from shared.errors import Misuse


def simulate(context: typer.Context) -> None:
    """Run the stand-in for Azure on loopback. --port N, --scenario NAME, --latency-ms N, --throttle, --tls, …"""
    from infra.local.__main__ import CannotServe, parser, serve

    options, said, screen = parser(), io.StringIO(), terminal()
    options.prog = "aoai-evidence simulate"
    if {"-h", "--help"} & {*context.args}:
        screen.show(f"{options.format_help()}\n{context.command.epilog}")
        raise typer.Exit
    try:
        with contextlib.redirect_stderr(said):
            asked = options.parse_args(context.args)
        screen.note(serve(asked, lambda endpoint: screen.answer({"endpoint": endpoint}, [endpoint])))
    except SystemExit:
        raise Misuse(f"{said.getvalue().rpartition(': error: ')[2].strip()} (`aoai-evidence simulate --help` tells more)") from None
    except CannotServe as error:
        raise Misuse(f"{error} (`aoai-evidence simulate --help` tells more)") from None


def demo(directory: Annotated[Path, typer.Option(help="A new or empty folder to work in.")] = Path("aoai-evidence-demo")) -> None:
    """The whole job on the local stand-in: sweeps with a drift and deletions between, bundle, verify, tampering found, report."""
    from shared.service.demo import demo as show

    screen = terminal()
    shown = show(directory, screen.note, _program())
    screen.answer(shown, shown["summary"])


def _program() -> str:
    """How this program was called, so that a command which it prints can be copied: it need not be on the PATH."""
    called = Path(sys.argv[0])
    if called.name == "__main__.py":
        return "python -m shared"
    return "aoai-evidence" if shutil.which("aoai-evidence") == str(called) else shlex.quote(os.path.relpath(called))
