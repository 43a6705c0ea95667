"""The kinds of exhibits: documents that speak to what nobody outside the provider can observe. Data, of the catalogue's version."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

OTHER: Final = "other"
"""The kind of a document that is none of the others: who files it says what it speaks to."""


@dataclass(frozen=True, slots=True)
class ExhibitKind:
    """One kind of document."""

    kind: str
    title: str
    statements: tuple[str, ...]
    """What it speaks to unless who files it says otherwise."""
    looks_back: bool = False
    """Whether it can only cover what is over."""
    reliance_days: int | None = None
    """How long after the end of what it covers it may be relied on at most; None: whoever files it decides."""
    control: str | None = None
    """The control that wants it on file; None where it is only ever one of several that would do."""


@cache
def exhibit_kinds() -> tuple[ExhibitKind, ...]:
    """Every kind, in a fixed order."""
    return tuple(_kind(row) for row in tomllib.loads(exhibits_text())["exhibit"])


def exhibits_text() -> str:
    """The table of kinds and of their controls, as TOML."""
    return files("shared.judge.catalogue").joinpath("exhibits.toml").read_text("utf-8")


def _kind(row: dict[str, Any]) -> ExhibitKind:
    return ExhibitKind(**{**row, "statements": tuple(row["statements"])})
