"""Of which time a document speaks, and until when it is relied on: read from what a person writes, and refused where it cannot be."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from shared.errors import Misuse
from shared.judge.catalogue.exhibits import ExhibitKind
from shared.records import timestamp


@dataclass(frozen=True, slots=True)
class Covered:
    """As it is sealed: times of records."""

    start: str
    end: str | None
    """The first moment that it covers no more."""
    expires: str | None
    """The first moment at which it is relied on no more."""


def covered(kind: ExhibitKind, covers: str, expires: str | None, now: datetime) -> Covered:
    """The time that `covers` (FROM..TO, or FROM.. where no end is named) and `expires` say; a day is meant whole, in UTC.

    Raises:
        Misuse: no dates, inverted, of a time to come, or relied on for longer than can be.
    """
    first, dots, last = covers.partition("..")
    if not dots or not first.strip():
        raise Misuse(f"--covers {covers!r} is no period: write 2025-10-01..2026-09-30, or 2025-10-01.. where the document names no end")
    start, end = _moment(first, "--covers"), _moment(last, "--covers", whole=True) if last.strip() else None
    until = _moment(expires, "--expires", whole=True) if expires is not None else None
    if end is not None and end <= start:
        raise Misuse(f"--covers {covers}: it ends before it begins; exchange the two")
    if start > now:
        raise Misuse(f"--covers {covers}: it begins in a time to come; file it when it has begun")
    if kind.looks_back and (end is None or end > now):
        raise Misuse(f"--covers {covers}: a {kind.title} covers a time that is over; name the period that it covers, and with --expires until when you rely on it")
    if end is None and until is None:
        raise Misuse("a document that names no end needs --expires: until when do you rely on it before somebody looks again?")
    if until is not None and until <= start:
        raise Misuse(f"--expires {expires} is before what it covers begins")
    if until is not None and end is not None and kind.reliance_days is not None and until - end > timedelta(days=kind.reliance_days):
        raise Misuse(f"--expires {expires} is more than {kind.reliance_days} days after the end of what it covers: a {kind.title} says nothing of that time")
    return Covered(timestamp(start), timestamp(end) if end else None, timestamp(until) if until else None)


def _moment(text: str, option: str, *, whole: bool = False) -> datetime:
    """A moment; of a day that is meant `whole`, the first moment after it."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Misuse(f"{option}: {text.strip()!r} is not a date: write 2026-12-31, which is meant whole, or 2026-12-31T12:00:00Z") from None
    try:
        found = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
        return found + timedelta(days=1) if whole and found.time() == time() and len(text.strip()) <= len("2026-12-31") else found
    except OverflowError:
        raise Misuse(f"{option}: {text.strip()} is too far away") from None
