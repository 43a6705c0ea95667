"""What is owed: which checkpoints somebody is still to vouch for, or to keep, and when he is asked again. Pure.

A later checkpoint covers all records before it, so not every one needs its own (docs/adr/0012):

    landmark    a checkpoint whose commit closes a sweep that a schedule or a person began: each is owed a timestamp of each authority, and
                its place in each copy, until it has them
    the newest  is owed what it covers that nothing covers yet: at once where it is a landmark, else at most every PACE

The newest is asked for first, then the landmarks from new to old: the newest covers the most, and shows soonest that records were cut off. A
witness never goes back, so it is asked for the newest alone, and that settles what came before.

`Debt` is a hint in `state/`: where it is lost, what is owed begins anew with the newest.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta

from shared.canonical import Json
from shared.records import moment, timestamp

PACE = timedelta(minutes=10)
"""At most so often the newest is asked for where it is no landmark: a busy log signs thousands a day, authorities want to be left alone."""

KEPT = 256
"""Landmarks that stay owed, at most; older ones are covered by newer ones, which is all that can still be had."""

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Debt:
    """How things stand with one of those who vouch. Times as in records; sizes are those of the log."""

    size: int = 0
    """The largest that it vouched for; 0: none yet."""
    at: str | None = None
    """When it did."""
    owed: tuple[int, ...] = ()
    """Landmarks, ascending."""
    since: str | None = None
    """Since when something has been owed without a break."""
    failures: int = 0
    """In a row."""
    wait: str | None = None
    """It is not asked before then."""
    error: str | None = None
    """Why it did not, the last time it was asked; None: it did."""
    grave: bool = False
    """What it said is an alarm."""

    def as_json(self) -> Json:
        """As it is in `state/`."""
        return {field.name: list(self.owed) if field.name == "owed" else getattr(self, field.name) for field in fields(self)}


def read_debt(value: Json) -> Debt:
    """The debt out of `state/`; whatever cannot be one is none."""
    try:
        found = Debt(**{**value, "owed": tuple(value["owed"])})
        for text in (found.at, found.since, found.wait):
            if text is not None:
                moment(text)
        numbers = (found.size, found.failures, *found.owed)
        sound = all(type(number) is int and number >= 0 for number in numbers) and list(found.owed) == sorted(set(found.owed))
        return found if sound and isinstance(found.error, str | None) and isinstance(found.grave, bool) else Debt()
    except (TypeError, KeyError, ValueError):
        return Debt()


def owing(debt: Debt, landmarks: Iterable[int], head: int, now: datetime, *, newest_alone: bool) -> Debt:
    """The debt after the log grew to `head`, with these landmarks new in it."""
    owed = sorted({*debt.owed, *landmarks})[-KEPT:]
    if newest_alone:
        owed = [size for size in owed if size > debt.size][-1:]
    something = bool(owed) or head > debt.size
    return replace(debt, owed=tuple(owed), since=(debt.since or timestamp(now)) if something else None)


def due(debt: Debt, head: int, now: datetime, *, newest_alone: bool) -> list[int]:
    """Which sizes to ask for now, in this order; none while it is to be left alone."""
    if debt.wait is not None and now < moment(debt.wait) <= now + LONGEST_WAIT:  # later than that: the clock was set back since
        return []
    rested = debt.at is None or not moment(debt.at) <= now < moment(debt.at) + PACE
    newest = head > debt.size and (rested or head in debt.owed or (newest_alone and bool(debt.owed)))
    rest = () if newest_alone else (size for size in reversed(debt.owed) if size != head or not newest)
    return [*([head] if newest else []), *rest]


def paid(debt: Debt, size: int, now: datetime, *, newest_alone: bool) -> Debt:
    """The debt after it vouched for `size`."""
    owed = tuple(one for one in debt.owed if one != size and not (newest_alone and one <= size))
    newer = size > debt.size
    at = timestamp(now) if newer else debt.at
    return replace(
        debt, size=max(size, debt.size), at=at, owed=owed, since=debt.since if owed else None, failures=0, wait=None, error=None, grave=False
    )


def failed(debt: Debt, reason: str, now: datetime, *, wait: float | None, grave: bool) -> Debt:
    """The debt after it was asked and did not: it is left alone for twice as long each time, or for as long as it asks for."""
    rest = min(FIRST_WAIT * 2 ** min(debt.failures, 20), LONGEST_WAIT)
    if wait is not None:
        rest = min(max(rest, timedelta(seconds=min(wait, 1e6))), LONGEST_WAIT)
    return replace(debt, failures=debt.failures + 1, wait=timestamp(now + rest), error=reason, grave=grave, since=debt.since or timestamp(now))
