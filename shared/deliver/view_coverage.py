"""How much of a period was looked at: its slots, its days, its gaps."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from shared.deliver.view_sweeps import Coverage, Day, Period, Slot, SlotState, Stretch, Sweep

_RANK: dict[SlotState, int] = {"complete": 0, "failures": 1, "missing-units": 2, "not-closed": 3, "gap": 4}


def instant(text: str) -> datetime:
    """The time that a record or a person wrote, in UTC; a date is its first moment.

    Raises:
        ValueError: it is no time.
    """
    parsed = datetime.fromisoformat(text)
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)


def stamp(moment: datetime) -> str:
    """As records write times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def coverage(period: Period, expected: Iterable[str], sweeps: Sequence[Sweep]) -> Coverage:
    """What became of the slots `expected` of the declared schedule, given the sweeps of the period.

    Raises:
        ValueError: a border of the period or an expected slot is no time.
    """
    start, end = instant(period.start), instant(period.end)
    due = sorted({moment for moment in map(instant, expected) if start <= moment < end})
    by_slot: dict[datetime, Sweep] = {}
    besides: list[Sweep] = []
    expected_set = set(due)
    for sweep in sweeps:
        moment = _slot(sweep)
        if moment is not None and not start <= moment < end:
            continue  # of a slot beyond the border, planned late
        if moment is None or moment not in expected_set:
            besides.append(sweep)
        elif moment not in by_slot or _RANK[_state(sweep)] < _RANK[_state(by_slot[moment])]:
            by_slot[moment] = sweep
    slots = tuple(_as_slot(moment, by_slot.get(moment)) for moment in due)
    schedules = tuple(dict.fromkeys(sweep.schedule for sweep in sweeps if sweep.schedule))
    return Coverage(
        bool(due), schedules, slots, _days(start, end, slots, besides), _gaps(slots, end), _longest(start, end, sweeps, slots), len(besides)
    )


def _slot(sweep: Sweep) -> datetime | None:
    try:
        return instant(sweep.slot) if sweep.slot else None
    except ValueError:
        return None


def _state(sweep: Sweep) -> SlotState:
    if sweep.closed_at is None:
        return "not-closed"
    if sweep.missing:
        return "missing-units"
    return "failures" if sweep.failures or not sweep.complete else "complete"


def _as_slot(moment: datetime, sweep: Sweep | None) -> Slot:
    return Slot(stamp(moment), _state(sweep), sweep.name) if sweep else Slot(stamp(moment), "gap", None)


def _days(start: datetime, end: datetime, slots: Sequence[Slot], besides: Sequence[Sweep]) -> tuple[Day, ...]:
    tally: dict[str, list[int]] = {}
    day = start
    while day.date() < end.date() or (day.date() == end.date() and end.time() != datetime.min.time()):
        tally[day.date().isoformat()] = [0, 0, 0, 0]
        day += timedelta(days=1)
    for slot in slots:
        counts = tally.setdefault(slot.time[:10], [0, 0, 0, 0])
        counts[0] += 1
        counts[1] += slot.state != "gap"
        counts[2] += slot.state == "complete"
    for sweep in besides:
        tally.setdefault(sweep.planned_at[:10], [0, 0, 0, 0])[3] += 1
    return tuple(Day(date, *counts) for date, counts in sorted(tally.items()))


def _gaps(slots: Sequence[Slot], end: datetime) -> tuple[Stretch, ...]:
    """Runs of slots without a sweep."""
    gaps: list[Stretch] = []
    first: int | None = None
    for position in range(len(slots) + 1):
        missing = position < len(slots) and slots[position].state == "gap"
        if missing and first is None:
            first = position
        elif not missing and first is not None:
            until = slots[position].time if position < len(slots) else stamp(end)
            gaps.append(_stretch(slots[first].time, until, position - first))
            first = None
    return tuple(gaps)


def _longest(start: datetime, end: datetime, sweeps: Sequence[Sweep], slots: Sequence[Slot]) -> Stretch | None:
    """The longest time in which nobody looked; a sweep that never closed, or was narrowed, does not end it."""
    looked = [instant(sweep.planned_at) for sweep in sweeps if sweep.closed_at and not sweep.narrowed]
    moments = sorted([start, end, *(moment for moment in looked if start <= moment <= end)])
    if not moments or end <= start:
        return None
    before, after = max(pairwise(moments), key=lambda pair: (pair[1] - pair[0], -pair[0].timestamp()))
    return _stretch(stamp(before), stamp(after), sum(slot.state == "gap" and before <= instant(slot.time) < after for slot in slots))


def _stretch(start: str, end: str, slots: int) -> Stretch:
    return Stretch(start, end, (instant(end) - instant(start)).total_seconds(), slots)


def duration(seconds: float) -> str:
    """A length of time for people: `6 h 2 min`, `2 d 6 h`, `45 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    days, rest = divmod(whole, 86_400)
    hours, minutes = divmod(rest // 60, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    said = [f"{number} {unit}" for number, unit in parts if number]
    return " ".join(said[:2])
