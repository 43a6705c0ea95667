"""The commands `alerts list` and `alerts test`."""

from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import settings, terminal
from shared.terminal import table

Receiver = Annotated[str | None, typer.Option("--receiver", help="One receiver, by its name; default: all.", metavar="NAME")]


def list_() -> None:
    """What is to be told to whom: what waits and why, what was sent in the last week, what was given up with the last reason."""
    from shared.service.alert_list import listed

    found, screen = listed(settings()), terminal()
    rows = [[state, *_row(one)] for state in ("waiting", "dead", "sent") for one in found[state]]
    screen.answer(found, table(["", "at", "receiver", "severity", "alert", "records", "reason"], rows))
    if found["problem"]:
        screen.problem(f"nobody is told of anything: {found['problem']}")


def _row(one: Json) -> list[str]:
    records = ", ".join(map(str, one["records"] or ()))
    return [(one["at"] or "")[:19].replace("T", " "), one["receiver"], one["severity"] or "", one["text"] or one["key"], records, one["reason"] or ""]


def test(receiver: Receiver = None) -> None:
    """Send a test to each receiver, marked as one, as an alert is sent; say what came back. Exit 1 where one was not taken."""
    from dataclasses import asdict

    from shared.service.alert_list import test as try_out

    found = try_out(settings(), receiver)
    rows = ([one.receiver, one.kind, "taken" if one.taken else "not taken", one.answer] for one in found)
    terminal().answer([asdict(one) for one in found], table(["receiver", "kind", "", "answer"], rows))
    raise typer.Exit(0 if all(one.taken for one in found) else 1)
