"""The commands `exhibit add`, `exhibit list` and `exhibit withdraw`."""

from pathlib import Path
from typing import Annotated

import typer

from shared.canonical import Json
from shared.commands.context import settings, terminal
from shared.terminal import table

Kind = Annotated[str, typer.Argument(help="soc-report, data-protection-addendum, product-terms, subprocessor-list, approval-letter, impact-assessment, preview-terms, "
    "provider-page, residency-statement, permissions-record, other; or a statement or control that wants just one kind.", metavar="KIND|ID")]  # fmt: skip
File = Annotated[Path, typer.Option(help="The document. Its SHA-256, size and name are sealed.", metavar="FILE")]
Issuer = Annotated[str, typer.Option(help="Who issued it: an organisation, in clear.")]
Covers = Annotated[str, typer.Option(help="The time that it covers, whole days, UTC; without TO where it names no end.", metavar="FROM..TO")]
Expires = Annotated[str | None, typer.Option(help="The last day on which it is relied on; without it, the last day that it covers.", metavar="DATE")]
Statements = Annotated[str | None, typer.Option(help="What it speaks to, such as S14,S15; without it, what documents of its kind speak to.", metavar="IDS")]
Title = Annotated[str | None, typer.Option(help="What it is, in one line, in clear.")]
Keep = Annotated[bool, typer.Option("--keep-file", help="Keep the file itself in the store, and give it with bundles. It cannot be taken out again.")]
Owner = Annotated[str, typer.Option(help="Who files it; a personal value of the evidence, that can be erased.")]
Reason = Annotated[str, typer.Option(help="Why; goes into the evidence, so name nobody in it.")]
Number = Annotated[int, typer.Argument(help="Number of the exhibit, as `exhibit list` shows it.", metavar="NUMBER")]


def add(
    kind: Kind, file: File, issuer: Issuer, covers: Covers, owner: Owner, reason: Reason, expires: Expires = None, statements: Statements = None,
    title: Title = None, keep_file: Keep = False,
) -> None:  # fmt: skip
    """File a document that speaks to what only the provider can observe. What is sealed is that it was filed, never that it is genuine."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.exhibit import Asked
    from shared.service.exhibit import add as file_it

    asked = Asked(file, issuer, covers, expires, tuple((statements or "").split(",")), title, keep_file)
    value = file_it(settings(), kind, asked, owner=owner, reason=reason).as_json(timestamp(utc_now()))
    kept = "kept in the store" if value["file"]["kept"] else "not kept: keep it yourself, an auditor compares it with this digest"
    terminal().answer(value, [
        f"exhibit {value['exhibit']} (record {value['record']}): {value['title']}, {value['state']}, relied on until {_last(value)}",
        f"SHA-256 {value['file']['sha256']}, {value['file']['bytes']} bytes, {kept}", f"speaks to {', '.join(value['statements'])}",
    ])  # fmt: skip


def list_(all_: Annotated[bool, typer.Option("--all", help="Those too that expired or were withdrawn.")] = False) -> None:
    """The exhibits in force: which document, by whom, what it covers, until when it is relied on, and what it speaks to."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.exhibit import exhibits
    from shared.service.queries import reading

    found = exhibits(reading(settings()), timestamp(utc_now()), over=all_)
    rows = (
        [one["exhibit"], one["record"], one["state"], one["kind"], one["issuer"], one["covers"]["from"][:10], _last(one), one["file"]["sha256"][:16],
         "yes" if one["file"]["kept"] else "no", ",".join(one["statements"])]
        for one in found
    )  # fmt: skip
    terminal().answer(found, table(["exhibit", "record", "state", "kind", "issuer", "covers from", "until", "SHA-256", "kept", "statements"], rows))


def withdraw(number: Number, owner: Owner, reason: Reason) -> None:
    """Withdraw an exhibit: it speaks no more from the next sweep on. What was sealed of it stays."""
    from shared.records import timestamp
    from shared.service.compose import utc_now
    from shared.service.exhibit import withdraw as take_back

    value = take_back(settings(), number, owner=owner, reason=reason).as_json(timestamp(utc_now()))
    terminal().answer(value, [f"exhibit {number} ({value['title']}) is withdrawn: {value['withdrawn']}"])


def _last(one: Json) -> str:
    from shared.judge.exhibits import last_day

    return last_day(one["until"])
