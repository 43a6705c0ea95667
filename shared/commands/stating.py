"""The commands of the group `statements`: what the provider states."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import settings, terminal


def list_(
    who: Annotated[
        str | None, typer.Option(help="Those that this party must show: provider (alone), customer (alone), or both.", metavar="PARTY")
    ] = None,
) -> None:
    """Who must show that each of the provider's statements holds, which controls look at the customer's share, what shows the provider's, and what is on file."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.statements import filed_in, responsibilities

    filed = filed_in(settings())
    found = responsibilities(who, filed, timestamp(utc_now()))
    note = ["no store was looked at: which documents are on file is not said"] if filed is None else []
    terminal().answer(found, [_edition(found), *(line for row in found["statements"] for line in _lines(row)), *note])


def compare(
    file: Annotated[Path, typer.Argument(help="The newer edition of the provider's page, as Markdown.", metavar="FILE")],
    edition: Annotated[Path | None, typer.Option(help="The edition that the catalogue was made from, to show its words too.", metavar="FILE")] = None,
) -> None:
    """Compare a newer edition of the provider's page with the one that the catalogue was made from, statement by statement. Exit 1 where a word differs."""
    from shared.service.statements import compared

    found = compared(file, edition)
    terminal().answer(found, [_edition(found), *_differences(found)])
    raise typer.Exit(0 if found["same"] else 1)


def _differences(found: Json) -> Iterator[str]:
    newer, states = found["edition"], Counter(row["state"] for row in found["statements"])
    yield f"compared with an edition dated {newer['dated'] or '(it does not say)'}, SHA-256 {newer['sha256']}"
    yield f"{states['same']} statements are the same, {states['changed']} changed, {states['gone']} gone; new sentences of no statement: {len(found['new'])}"
    for row in found["statements"]:
        if row["state"] != "same":
            yield f"{row['id']}  {row['state']:<8}  {row['text']}"
            yield from (f"     old  {words}" for words in row["old"] or ())
            yield from (f"     new  {words}" for words in row["new"])
    yield from (f"new  {each['section']}: {each['words']}" for each in found["new"])
    if found["beside"]:
        yield f"sentences that carried no statement and are gone or changed: {found['beside']}"
    if states["same"] < len(found["statements"]) and found["statements"][0]["old"] is None:
        yield "for the old words, name the page that the catalogue was made from with --edition"


def _edition(found: Json) -> str:
    seed = found["seed"]
    return f"catalogue {found['catalogue']}, from “{seed['title']}” of {seed['date']}, changes up to {seed['changed']}, SHA-256 {seed['sha256']}"


def _lines(row: Json) -> Iterator[str]:
    from shared.judge.exhibits import last_day

    yield f"{row['id']}  {row['who']:<8}  {row['text']}"
    customer = row["customer"]["controls"] + [f"{control} (nobody can look)" for control in row["customer"]["unobservable"]]
    if customer:
        yield f"     customer  {', '.join(customer)}"
    for exhibit in row["provider"]["exhibits"]:
        yield f"     provider  {exhibit}"
    if row["provider"]["exhibits"] and row["provider"]["on_file"] is not None:
        on_file = [f"exhibit {one['exhibit']} ({one['title']}, by {one['issuer']}) until {last_day(one['until'])}" for one in row["provider"]["on_file"]]
        yield f"     on file   {'; '.join(on_file) or 'nothing in force'}"
