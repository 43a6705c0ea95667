"""Rows of resource logs, as a query of Log Analytics answers with them, folded into the calls that they tell of. Pure.

Tolerated, since Azure contracts none of it: columns of AzureDiagnostics and of tables of their own, in any order and casing; `properties` as
text or as an object, or withheld; a result as text or number; two rows for one call, one of them nearly empty; the same row in two answers.
A row names no object: only the account, the operation, the time, the result and, where a person or a program logged in, its object id.

Real rows: elastic/integrations, packages/azure_openai (AZ CLI and SDK calls, 2024).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from shared.canonical import Json, canonical, sha256
from shared.judge.assemble import Entry, LoadBody
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.kinds import letters, spoken_for
from shared.judge.lives.times import MEMORY, plus, when
from shared.model import Point

_TYPES: Final = ("s", "g", "d", "b", "t")
"""Suffixes by which AzureDiagnostics tells the type of a column: `properties_s`."""

OVERLAP: Final = timedelta(hours=1)
"""More than by what the windows of two answers overlap."""

_GOOD: Final = ("ok", "success", "succeeded", "successful", "created", "accepted", "nocontent")


@dataclass(frozen=True, slots=True)
class Row:
    """One row, its columns by name without casing, punctuation and type."""

    columns: dict[str, Json]
    at: str
    operation: str
    point: Point

    def first(self, *names: str) -> Json:
        """The first of these columns, or members of its properties, that holds something."""
        return next((value for name in names if (value := self.columns.get(name)) not in (None, "", {})), None)

    @property
    def succeeded(self) -> bool | None:
        """Whether the call did what it was for; None where the row does not say."""
        value = self.first("resultsignature", "httpstatuscode", "statuscode", "resultcode", "status", "resulttype")
        text = letters(str(value)) if isinstance(value, str | int | float) else ""
        if text.isdigit():
            return 200 <= int(text[:3]) < 300
        return (text in _GOOD) if text else None

    @property
    def ingested(self) -> str | None:
        """When it came into the log, where that was asked for."""
        return when(self.columns.get("ingestedat"))

    @property
    def by(self) -> Json:
        """The object id of whoever called: text, or what stands for it; None where a key was used or nothing is said."""
        return self.first("callerobjectid", "objectid", "identityobjectid")


@dataclass(frozen=True, slots=True)
class Call:
    """One call of the data plane, as the rows that tell of it say."""

    key: str
    """The same in whatever answer it comes."""
    at: str
    operation: str
    succeeded: bool | None
    by: Json
    point: Point
    """The row that says most."""
    points: tuple[Point, ...]
    """A row of each answer that it came in, in the order of the log."""
    known: str = ""
    """Up to when answers may tell of it again: when it came into the log, else when it was made."""

    @property
    def first(self) -> int:
        """The answer that brought it first."""
        return self.points[0].record

    @property
    def records(self) -> tuple[int, ...]:
        """The answers that it came in."""
        return tuple(point.record for point in self.points)


def calls(entries: Iterable[Entry], shelf: Shelf) -> list[Call]:
    """The calls that the answers tell of, each once, by time: of the deletions and listings of keys that the query asks for.

    Answers are taken in the order of the log. What is much older than where the answer before it ended was told by that one.
    """
    found: dict[str, Call] = {}
    read: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.record):
        if entry.failure is not None:
            continue
        before = read.get(entry.resource)
        groups: dict[str, list[Row]] = {}
        for row in shelf.lines(entry, rows):
            if before is None or not _told_before(row, before):
                groups.setdefault(_identity(row), []).append(row)
        for key, told in groups.items():
            for number, row in enumerate(_distinct(told)):
                name = f"{key}#{number}"
                known = found.get(name)
                if known is None:
                    found[name] = Call(name, row.at, row.operation, row.succeeded, row.by, row.point, (row.point,), row.ingested or row.at)
                else:
                    found[name] = _again(known, row)
        if entry.window is not None:
            read[entry.resource] = max(before or "", entry.window.end)
    return sorted(found.values(), key=lambda call: (call.at, call.key))


def _again(known: Call, row: Row) -> Call:
    """A call that a later answer tells of too, perhaps in full for the first time."""
    points = (*known.points, row.point)
    if known.succeeded is None and row.succeeded is not None:
        return Call(known.key, row.at, row.operation, row.succeeded, row.by or known.by, row.point, points, max(known.known, row.ingested or row.at))
    return replace(known, points=points, known=max(known.known, row.ingested or row.at))


def rows(entry: Entry, load: LoadBody) -> Iterator[Row]:
    """The rows of an answer that have a time and an operation."""
    for number, digest in enumerate(entry.digests):
        for place, names, values in tables(load(digest)) or ():
            for position, cells in enumerate(values):
                row = _row(names, cells, Point(entry.record, number, f"/tables/{place}/rows/{position}"))
                if row is not None:
                    yield row


def tables(page: Json) -> list[tuple[int, list[str], list[Json]]] | None:
    """(number, plain names of the columns, rows) of each table of an answer; None where it is no answer of Log Analytics."""
    found = page.get("tables") if isinstance(page, dict) else None
    if not isinstance(found, list):
        return None
    read = []
    for number, table in enumerate(found):
        columns, values = (table.get("columns"), table.get("rows")) if isinstance(table, dict) else (None, None)
        if not isinstance(columns, list) or not isinstance(values, list):
            return None
        names = [column.get("name") if isinstance(column, dict) else None for column in columns]
        read.append((number, [_plain(name) if isinstance(name, str) else "" for name in names], values))
    return read


def _told_before(row: Row, end: str) -> bool:
    """Whether the answers up to a time told of a row: by when it was ingested, or by its age where that is not said."""
    ingested = row.ingested
    return ingested < plus(end, -OVERLAP) if ingested is not None else row.at < plus(end, -MEMORY)


def deletes(call: Call) -> tuple[str, ...]:
    """The kinds that a call may have deleted one object of; empty where it deleted nothing, as far as the log says."""
    return () if call.succeeded is False else spoken_for(call.operation)


def _row(names: list[str], values: Json, point: Point) -> Row | None:
    if not isinstance(values, list) or len(values) != len(names):
        return None
    columns = {name: value for name, value in zip(names, values, strict=True) if name}
    properties = columns.get("properties")
    if isinstance(properties, str):
        try:
            properties = json.loads(properties)
        except (ValueError, RecursionError):
            properties = None
    if isinstance(properties, dict):
        columns = {**{_plain(name): value for name, value in properties.items()}, **{n: v for n, v in columns.items() if v not in (None, "")}}
    at = when(next((columns[name] for name in ("timegenerated", "time", "firstat") if columns.get(name)), None))
    operation = columns.get("operationname")
    return Row(columns, at, operation, point) if at is not None and isinstance(operation, str) and operation else None


def _plain(name: str) -> str:
    """The name of a column without casing, punctuation, and the suffix that tells its type."""
    stem, _, suffix = name.rpartition("_")
    return letters(stem if stem and suffix.casefold() in _TYPES else name)


def _identity(row: Row) -> str:
    """What rows of one call have in common."""
    correlation = row.first("correlationid")
    if isinstance(correlation, str):
        return f"{correlation.casefold()} {letters(row.operation)}"
    return sha256(canonical([row.at, letters(row.operation), row.first("resultsignature"), row.first("durationms"), row.first("properties")]))[:32]


def _distinct(told: list[Row]) -> list[Row]:
    """Of rows that share a correlation: one for each call, the fullest. A nearly empty one adds nothing to a full one."""
    full: dict[bytes, Row] = {}
    whole = {(row.at[:19], str(row.first("resultsignature"))) for row in told if row.first("requesttime") is not None}
    for row in sorted(told, key=lambda row: row.at):
        request = row.first("requesttime")
        if row.succeeded is not None and (request is not None or (row.at[:19], str(row.first("resultsignature"))) not in whole):
            full.setdefault(canonical([request, row.at[:19], row.first("resultsignature")]), row)
    return list(full.values()) or told[:1]
