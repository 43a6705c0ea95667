"""The commands `waiver add`, `waiver list` and `waiver end`."""

from typing import Annotated

import typer

from shared.commands.context import settings, terminal
from shared.terminal import table

Control = Annotated[str, typer.Argument(help="The control that is waived, such as public-network-access.", metavar="CONTROL")]
Scope = Annotated[str, typer.Option(help="Where: an ARM id (of a resource, a resource group), a subscription's id, or `all`.", metavar="ID|all")]
Until = Annotated[str, typer.Option(help="The last day, UTC, or a moment; at most 366 days away.", metavar="DATE")]
Owner = Annotated[str, typer.Option(help="Who accepts it; a personal value of the evidence, that can be erased.")]
Reason = Annotated[str, typer.Option(help="Why; goes into the evidence, so name nobody in it.")]
Number = Annotated[int, typer.Argument(help="Number of the waiver, as `waiver list` shows it.", metavar="NUMBER")]


def add(control: Control, scope: Scope, until: Until, owner: Owner, reason: Reason) -> None:
    """Accept, until a day, that a control is not satisfied somewhere. Its findings stay what they are, and say that they are waived."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.waiver import add as waive

    done = waive(settings(), control, scope, until=until, owner=owner, reason=reason)
    value = done.as_json(timestamp(utc_now()))
    where = value["scope"] or "everywhere"
    terminal().answer(value, [f"waiver {value['waiver']} (record {value['record']}): {control} is waived until {value['until']}, {where}"])


def list_(all_: Annotated[bool, typer.Option("--all", help="Those too that were ended or renewed.")] = False) -> None:
    """The waivers in force, and those that expired and that nobody ended or renewed: what, where, until when, why, and the record that grants each."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.queries import reading
    from shared.service.waiver import waivers

    found = waivers(reading(settings()), timestamp(utc_now()), over=all_)
    rows = (
        [one["waiver"], one["record"], one["state"], one["control"], one["scope"] or "all", one["until"][:16].replace("T", " "), one["reason"]]
        for one in found
    )
    terminal().answer(found, table(["waiver", "record", "state", "control", "scope", "until", "reason"], rows))


def end(number: Number, owner: Owner, reason: Reason) -> None:
    """End a waiver: before its time, or once that is over, to say that it was seen to."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.waiver import end as finish

    value = finish(settings(), number, owner=owner, reason=reason).as_json(timestamp(utc_now()))
    terminal().answer(value, [f"waiver {number} of {value['control']} is ended: {value['ended']}"])
