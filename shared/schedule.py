"""NCRONTAB, the schedule of Azure Functions' timers: which moments are slots.

Six fields, separated by spaces: second (0-59) minute (0-59) hour (0-23) day (1-31) month (1-12 or names) day of the week (0-6,
0 is Sunday, or names). Each is `*`, a value, a range `a-b`, either of these with a step `/n`, `a/n` (from a to the end), or a list of such,
with commas. A moment is a slot when all six match: a day of the month AND a day of the week, where crontab takes either.
Times are UTC, as they are in Functions unless an app sets WEBSITE_TIME_ZONE.

Source: NCrontab (CrontabFieldImpl, CrontabSchedule), the library of the Functions host. Refused here though it takes them, since
hardly anyone means what they do there: backward ranges (`5-1` is 1-5), names of one or two letters (`J` is January), steps longer
than the field (`*/90` is 0). Pure, standard library only: the offline verifier counts the slots of a period with it.
"""

import bisect
import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import MINYEAR, UTC, date, datetime, timedelta

from shared.errors import Misuse

_MONTHS = ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november", "december")
_WEEKDAYS = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")


@dataclass(frozen=True, slots=True)
class _Field:
    name: str
    least: int
    most: int
    names: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """The values there are, for a message."""
        span = f"{self.least}-{self.most}"
        return f"{span} or {self.names[0][:3]}-{self.names[-1][:3]}" if self.names else span


_FIELDS = (
    _Field("second", 0, 59),
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _WEEKDAYS),
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """The slots that an NCRONTAB text means. Made by `parse`; every moment is UTC and of whole seconds."""

    text: str
    times: tuple[int, ...]
    """Seconds after midnight of the slots of a day, ascending."""
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    """0 is Sunday."""

    def slots(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Every slot from `start` (included) to `end` (excluded), ascending.

        Raises:
            ValueError: a time without a zone.
        """
        first, last = _utc(start), _utc(end)
        if first >= last:
            return
        for day in self._days_from(first.date(), last.date()):
            midnight = _midnight(day)
            times = self.times[bisect.bisect_left(self.times, _seconds(first)) :] if day == first.date() else self.times
            for seconds in times:
                moment = midnight + timedelta(seconds=seconds)
                if moment >= last:
                    return
                yield moment

    def latest(self, at: datetime) -> datetime:
        """The last slot that is not after `at`.

        Raises:
            ValueError: a time without a zone.
            OverflowError: there is none since the year 1.
        """
        moment = _utc(at)
        today = moment.date()
        passed = bisect.bisect_right(self.times, _seconds(moment))
        for day in self._days_until(today):
            if day < today or passed:
                return _midnight(day) + timedelta(seconds=self.times[-1 if day < today else passed - 1])
        raise OverflowError(f"schedule {self.text!r} has no slot before {at.isoformat()}")

    def next(self, at: datetime) -> datetime:
        """The first slot after `at`.

        Raises:
            ValueError: a time without a zone.
            OverflowError: there is none until the year 9999.
        """
        moment = _utc(at)
        today = moment.date()
        passed = bisect.bisect_right(self.times, _seconds(moment))
        for day in self._days_from(today, date.max):
            if day > today or passed < len(self.times):
                return _midnight(day) + timedelta(seconds=self.times[0 if day > today else passed])
        raise OverflowError(f"schedule {self.text!r} has no slot after {at.isoformat()}")

    def _days_from(self, first: date, last: date) -> Iterator[date]:
        for year in range(first.year, last.year + 1):
            for month in sorted(self.months):
                if (first.year, first.month) <= (year, month) <= (last.year, last.month):
                    yield from (day for day in self._days_of(year, month) if first <= day <= last)

    def _days_until(self, last: date) -> Iterator[date]:
        for year in range(last.year, MINYEAR - 1, -1):
            for month in sorted(self.months, reverse=True):
                if (year, month) <= (last.year, last.month):
                    yield from (day for day in reversed(self._days_of(year, month)) if day <= last)

    def _days_of(self, year: int, month: int) -> list[date]:
        before, length = calendar.monthrange(year, month)  # `before`: weekday of the first day, Monday being 0
        return [date(year, month, day) for day in sorted(self.days) if day <= length and (before + day) % 7 in self.weekdays]


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError("a time without a zone: schedules are in UTC")
    return at.astimezone(UTC)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _seconds(at: datetime) -> float:
    return (at - _midnight(at.date())) / timedelta(seconds=1)


def parse(text: str) -> Schedule:
    """Read an NCRONTAB text.

    Raises:
        Misuse: it is none, or has no slot; the line names the field and says what to write.
    """
    tokens = [token for token in text.split(" ") if token]
    if len(tokens) == 5:
        raise Misuse(f"schedule {_shown(text)} has five fields, as crontab has: put the second first, {_shown(' '.join(['0', *tokens]))}")
    if len(tokens) != 6:
        raise Misuse(
            f"schedule {_shown(text)} has {len(tokens)} fields, not six: second minute hour day month day-of-week, such as '0 0 */6 * * *'"
        )
    second, minute, hour, day, month, weekday = (_values(number, token, text) for number, token in enumerate(tokens))
    longest = {number: 29 if number == 2 else calendar.monthrange(2001, number)[1] for number in month}
    if min(day) > max(longest.values()):
        raise Misuse(f"schedule {_shown(text)} has no slot: month {_listed(month)} has no day {min(day)}; change field 4 or 5")
    times = tuple(h * 3600 + m * 60 + s for h in sorted(hour) for m in sorted(minute) for s in sorted(second))
    return Schedule(" ".join(tokens), times, day, month, weekday)


def _values(number: int, token: str, text: str) -> frozenset[int]:
    """The values that field `number` of the schedule `text` allows.

    Raises:
        Misuse: `token` says none.
    """
    field = _FIELDS[number]
    try:
        return frozenset(value for part in token.split(",") for value in _part(field, part))
    except ValueError as error:
        raise Misuse(f"schedule {_shown(text)}: field {number + 1} ({field.name}) is {_shown(token)}: {error}") from None


def _part(field: _Field, part: str) -> range:
    """The values of one element of a list: `*`, `a`, `a-b`, each with or without `/n`."""
    span, slash, step_text = part.partition("/")
    step = _number(step_text, "the step after / must be a whole number from 1") if slash else 1
    if not 1 <= step <= field.most - field.least + 1:
        raise ValueError(f"the step after / must be from 1 to {field.most - field.least + 1}")
    first, dash, last = span.partition("-")
    if span == "*":
        return range(field.least, field.most + 1, step)
    least = _value(field, first)
    most = _value(field, last) if dash else field.most if slash else least
    if most < least:
        raise ValueError(f"the range runs backwards: write {last}-{first}, or two ranges with a comma")
    return range(least, most + 1, step)


def _value(field: _Field, text: str) -> int:
    lowered = text.lower()
    if len(lowered) >= 3:
        for position, name in enumerate(field.names):
            if name.startswith(lowered):
                return field.least + position
    value = _number(text, f"write {field.said}, *, a list (a,b), a range (a-b) or a step (*/n)")
    if not field.least <= value <= field.most:
        hint = "; Sunday is 0" if field.name == "day of week" and value == 7 else ""
        raise ValueError(f"{value} is not within {field.said}{hint}")
    return value


def _number(text: str, otherwise: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 4):
        raise ValueError(otherwise)
    return int(text)


def _listed(values: frozenset[int]) -> str:
    return ", ".join(map(str, sorted(values)))


def _shown(text: str) -> str:
    """`text` in a message: quoted, on one line, not for ever."""
    return repr(text if len(text) <= 80 else text[:77] + "...")
