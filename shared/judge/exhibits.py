"""Exhibits: documents that somebody filed because they speak to what nobody outside the provider can observe. Pure.

What is in the evidence is that a document with this digest was filed, by whom and as what; never that it is genuine, nor that it says what
it was filed for. It is *in force* from the beginning of what it covers until it is relied on no more: until it expires, where that is said, else
until the end of what it covers. Nothing is added to that: a report on a year that is over is in force no more, unless who files it says until
when he relies on it. Withdrawn, it speaks no more, whenever that was.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared.canonical import Json

_FILE_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?")


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One exhibit. Times are as in records, so that they compare as text."""

    number: int
    record: int | None
    """Index of the record that files it; None while that waits to be sealed."""
    at: str
    """When it was filed."""
    kind: str
    title: str
    issuer: str
    start: str
    """The first moment that it covers."""
    end: str | None
    """The first moment that it covers no more; None: it names no end."""
    expires: str | None
    """The first moment at which it is relied on no more, where that was said."""
    statements: tuple[str, ...]
    """What it speaks to."""
    name: str
    """Of the file."""
    bytes: int
    sha256: str
    kept: bool
    """Whether the file itself is in the store."""
    owner: Json
    """Who filed it; in most stores a commitment."""
    reason: str
    withdrawn: str | None = None
    """When somebody withdrew it."""

    @property
    def until(self) -> str:
        """The first moment at which it is in force no more, whether it was withdrawn or not."""
        return self.expires or self.end or self.start

    def in_force(self, at: str) -> bool:
        """Whether it speaks at a time."""
        return self.withdrawn is None and self.start <= at < self.until

    def concerns(self, start: str, end: str) -> bool:
        """Whether it covers, or is in force at, any moment from `start`, included, to `end`."""
        return self.withdrawn is None and self.start < end and start < max(self.until, self.end or self.until)

    @property
    def said(self) -> str:
        """Which document, by whom, about what time: for a sentence."""
        return f"exhibit {self.number} ({self.title}, by {self.issuer}, covers {day(self.start)} to {last_day(self.end) if self.end else 'no named end'})"


def is_file_name(name: str) -> bool:
    """Whether an exhibit's file can be called this: a name that any system, and a bundle, can have."""
    return _FILE_NAME.fullmatch(name) is not None


def exhibits_of(acts: Iterable[tuple[int | None, str, Json]]) -> list[Exhibit]:
    """What acts amount to: (index, at, said) of each. Withdrawing one that is not there, or again, says nothing new."""
    found: dict[int, Exhibit] = {}
    for index, at, said in sorted(acts, key=lambda act: act[2]["number"]):
        if said.get("action") == "add":
            found[said["number"]] = _exhibit(index, at, said)
        elif (known := found.get(said.get("exhibit", 0))) is not None and known.withdrawn is None:
            found[known.number] = replace(known, withdrawn=at)
    return list(found.values())


def _exhibit(index: int | None, at: str, said: Json) -> Exhibit:
    file, covers = said["file"], said["covers"]
    return Exhibit(
        said["number"], index, at, said["kind"], said["title"], said["issuer"], covers["from"], covers["to"], said["expires"], tuple(said["statements"]),
        file["name"], file["bytes"], file["sha256"], file["kept"], said["owner"], said["reason"],
    )  # fmt: skip


def speaking(exhibits: Sequence[Exhibit], statements: Iterable[str], at: str) -> list[Exhibit]:
    """Those in force at a time that speak to any of these statements, in the order in which they were filed."""
    wanted = frozenset(statements)
    return [one for one in exhibits if one.in_force(at) and not wanted.isdisjoint(one.statements)]


def day(moment: str) -> str:
    """The day of a moment."""
    return moment[:10]


def last_day(end: str) -> str:
    """The last day before a moment."""
    try:
        return (datetime.fromisoformat(end) - timedelta(microseconds=1)).date().isoformat()
    except (ValueError, OverflowError):
        return day(end)
