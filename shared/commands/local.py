"""Commands that need no Azure: simulate, demo."""

from pathlib import Path
from typing import Annotated

import typer

from shared.commands.context import terminal


def simulate(context: typer.Context) -> None:
    """Run the stand-in for Azure on loopback. --port N, --scenario NAME, --latency-ms N, --throttle, --tls, …"""
    from infra.local.__main__ import main as serve

    raise typer.Exit(serve(context.args))


def demo(directory: Annotated[Path, typer.Option(help="A new or empty folder to work in.")] = Path("aoai-evidence-demo")) -> None:
    """The whole job on the local stand-in: sweeps with a drift and deletions between, bundle, verify, tampering found, report."""
    from shared.service.demo import demo as show

    screen = terminal()
    shown = show(directory, say=screen.note)
    screen.answer(shown, shown["summary"])
