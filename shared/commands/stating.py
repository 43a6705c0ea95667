"""The commands of the group `statements`: what the provider states."""

from collections.abc import Iterator
from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import terminal


def list_(
    who: Annotated[
        str | None, typer.Option(help="Those that this party must show: provider (alone), customer (alone), or both.", metavar="PARTY")
    ] = None,
) -> None:
    """Who must show that each of the provider's statements holds, which controls look at the customer's share, which exhibit shows the provider's."""
    from shared.service.statements import responsibilities

    found = responsibilities(who)
    terminal().answer(found, [_edition(found), *(line for row in found["statements"] for line in _lines(row))])


def _edition(found: Json) -> str:
    seed = found["seed"]
    return f"catalogue {found['catalogue']}, from “{seed['title']}” of {seed['date']}, changes up to {seed['changed']}, SHA-256 {seed['sha256']}"


def _lines(row: Json) -> Iterator[str]:
    yield f"{row['id']}  {row['who']:<8}  {row['text']}"
    customer = row["customer"]["controls"] + [f"{control} (nobody can look)" for control in row["customer"]["unobservable"]]
    if customer:
        yield f"     customer  {', '.join(customer)}"
    for exhibit in row["provider"]["exhibits"]:
        yield f"     provider  {exhibit}"
