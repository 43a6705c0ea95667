"""The picture of coverage: one cell for each slot of the schedule, or, where these are too many or none are declared, for each day."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from shared.deliver.report.text import SLOT_WORDS
from shared.deliver.view_sweeps import Coverage, Day, Slot

MOST_ROWS: Final = 12
MOST_COLUMNS: Final = 100
_WIDTH: Final = 960.0
_LEFT: Final = 46.0
_TOP: Final = 34.0
_WEEKDAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


@dataclass(frozen=True, slots=True)
class Cell:
    """One slot or day."""

    x: float
    y: float
    state: str
    title: str


@dataclass(frozen=True, slots=True)
class Label:
    """A word beside the cells."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """All that the template draws."""

    unit: str
    """What one cell is: `slot` or `day`."""
    width: float
    height: float
    size: float
    """Width of a cell."""
    tall: float
    cells: tuple[Cell, ...]
    rows: tuple[Label, ...]
    columns: tuple[Label, ...]
    states: tuple[str, ...]
    """The states that occur, for the key."""


def calendar(coverage: Coverage) -> Calendar:
    """The picture of `coverage`."""
    times = sorted({slot.time[11:16] for slot in coverage.slots})
    if coverage.declared and len(times) <= MOST_ROWS and len(coverage.days) <= MOST_COLUMNS:
        return _by_slot(coverage.slots, coverage.days, times)
    return _by_day(coverage.days, declared=coverage.declared)


def _by_slot(slots: Sequence[Slot], days: Sequence[Day], times: Sequence[str]) -> Calendar:
    pitch = min(28.0, (_WIDTH - _LEFT) / max(1, len(days)))
    size, tall = round(pitch - max(1.0, pitch * 0.12), 2), 20.0
    column = {each.date: position for position, each in enumerate(days)}
    row = {time: position for position, time in enumerate(times)}
    cells = tuple(
        Cell(
            round(_LEFT + column[slot.time[:10]] * pitch, 1),
            _TOP + row[slot.time[11:16]] * (tall + 3),
            slot.state,
            f"{slot.time[:10]} {slot.time[11:16]}: {SLOT_WORDS[slot.state]}",
        )
        for slot in slots
    )
    rows = tuple(Label(_LEFT - 6, _TOP + position * (tall + 3) + tall * 0.72, time) for time, position in row.items())
    height = _TOP + len(times) * (tall + 3)
    width = max(_LEFT + len(days) * pitch, 320.0)
    return Calendar("slot", width, height, size, tall, cells, rows, _day_labels(days, pitch, size), _states(cells))


def _day_labels(days: Sequence[Day], pitch: float, size: float) -> tuple[Label, ...]:
    step = next(step for step in (1, 2, 7, 14, 28, 400) if pitch * step >= 22)
    labels = []
    month = ""
    for position, each in enumerate(days):
        x = round(_LEFT + position * pitch + size / 2, 1)
        if each.date[:7] != month:
            month = each.date[:7]
            labels.append(Label(round(x - size / 2, 1), 12.0, f"{date.fromisoformat(each.date):%B %Y}"))
        if position % step == 0:
            labels.append(Label(x, 28.0, str(int(each.date[8:]))))
    return tuple(labels)


def _by_day(days: Sequence[Day], *, declared: bool) -> Calendar:
    """Weeks as columns, Monday to Sunday as rows."""
    if not days:
        return Calendar("day", _WIDTH, 0, 0, 0, (), (), (), ())
    first = date.fromisoformat(days[0].date)
    monday = first - timedelta(days=first.weekday())
    weeks = (date.fromisoformat(days[-1].date) - monday).days // 7 + 1
    pitch = min(24.0, (_WIDTH - _LEFT) / weeks)
    size = round(pitch - max(1.0, pitch * 0.12), 2)
    cells = []
    for each in days:
        distance = (date.fromisoformat(each.date) - monday).days
        x, y = _LEFT + distance // 7 * pitch, _TOP + distance % 7 * pitch
        state, said = _of_day(each, declared=declared)
        cells.append(Cell(round(x, 1), round(y, 1), state, f"{each.date}: {said}"))
    rows = tuple(Label(_LEFT - 6, round(_TOP + number * pitch + pitch * 0.7, 1), name) for number, name in enumerate(_WEEKDAYS))
    labels = _month_labels(monday, weeks, pitch)
    width = max(_LEFT + weeks * pitch, 320.0)
    return Calendar("day", width, round(_TOP + 7 * pitch, 1), size, size, tuple(cells), rows, labels, _states(cells))


def _of_day(each: Day, *, declared: bool) -> tuple[str, str]:
    if not declared or not each.expected:
        return ("complete", f"{each.besides} sweeps") if each.besides else ("none", "no sweep")
    if each.swept == 0:
        return "gap", f"none of {each.expected} slots has a sweep"
    if each.swept < each.expected:
        return "part", f"{each.swept} of {each.expected} slots have a sweep"
    if each.complete < each.expected:
        return "failures", f"{each.complete} of {each.expected} sweeps were complete"
    return "complete", f"all {each.expected} sweeps complete"


def _month_labels(monday: date, weeks: int, pitch: float) -> tuple[Label, ...]:
    labels, last_x, month = [], -100.0, ""
    for week in range(weeks):
        moment = monday + timedelta(weeks=week, days=6)
        x = round(_LEFT + week * pitch, 1)
        if f"{moment:%Y-%m}" != month and x - last_x >= 34:
            labels.append(Label(x, 26.0, f"{moment:%b}" + (f" {moment:%Y}" if month[:4] != f"{moment:%Y}" else "")))
            month, last_x = f"{moment:%Y-%m}", x
    return tuple(labels)


def _states(cells: Sequence[Cell]) -> tuple[str, ...]:
    present = {cell.state for cell in cells}
    return tuple(state for state in ("complete", "failures", "missing-units", "part", "not-closed", "gap", "none") if state in present)
