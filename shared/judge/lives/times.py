"""Times as Azure and records write them, and the allowances by which times of different clocks are compared. Pure.

A time is text in the form of records (`2026-11-22T18:00:00.000000Z`), so that it sorts as it is; arithmetic goes through `plus`.
"""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from shared.canonical import Json
from shared.records import timestamp

CLOCKS: Final = timedelta(minutes=5)
"""How far the clocks of two witnesses may be apart."""

LATENCY: Final = timedelta(minutes=30)
"""After so long a log has what happened: Azure Monitor says 3 to 20 minutes of the Activity Log, 3 to 10 of resource logs."""

MEMORY: Final = timedelta(hours=48)
"""How long after a log was read past it a deletion is kept in mind, for what comes later still; so long a deleted account can be restored."""

FORGET: Final = timedelta(days=90)
"""After so long without a log that was read: Azure keeps the Activity Log no longer, and collecting reaches back no further."""


@lru_cache(maxsize=8192)
def moment(text: str) -> datetime:
    """The time that `text` says.

    Raises:
        ValueError: none.
    """
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def plus(text: str, distance: timedelta) -> str:
    """A later time; earlier, where `distance` is negative."""
    try:
        return timestamp(moment(text) + distance)
    except OverflowError:
        return text


def when(value: Json) -> str | None:
    """A time of Azure's in the form of records: RFC 3339 with any number of digits, or whole seconds since 1970. None for anything else."""
    try:
        if isinstance(value, str):
            return timestamp(moment(value))
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return timestamp(datetime.fromtimestamp(value, UTC))
    except (ValueError, OverflowError, OSError):
        pass
    return None
