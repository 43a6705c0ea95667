"""The picture of changes: a lane for each resource, a mark where a change was seen, as wide as the time in which it may have happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.deliver.report.axis import Axis, Span, axis
from shared.deliver.report.drift import ChangeRow
from shared.deliver.report.text import plural, when
from shared.deliver.view_sweeps import Period

MOST_LANES: Final = 60
"""Lanes of the picture; the table has every change, and the page says how many lanes were left out."""

_LEFT: Final = 200.0
_WIDTH: Final = 740.0
_TOP: Final = 30.0
_PITCH: Final = 24.0
_LABEL: Final = 30.0
"""Room that the number beside a mark needs; where the next mark is nearer, the number is in its title alone."""

Numbered = tuple[int, ChangeRow]


@dataclass(frozen=True, slots=True)
class Mark:
    """The changes of one resource that were seen in one sweep."""

    span: Span
    """From the last look before to the look that saw it."""
    x: float
    y: float
    label: str
    target: int
    """Record of the first of them."""
    title: str
    sort: str
    """`appeared`, `gone` or `changed`."""


@dataclass(frozen=True, slots=True)
class Lane:
    """One resource."""

    name: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Timeline:
    """All that the template draws."""

    axis: Axis
    height: float
    lanes: tuple[Lane, ...]
    left_out: int
    """Resources with changes that have no lane."""


def timeline(rows: Sequence[ChangeRow], period: Period) -> Timeline:
    """The picture of these changes; their numbers are those of the table."""
    along = axis(period, left=_LEFT, width=_WIDTH)
    lanes: dict[str, list[Numbered]] = {}
    for number, row in enumerate(rows, start=1):
        lanes.setdefault(row.owner, []).append((number, row))
    busiest = sorted(lanes, key=lambda name: (-len(lanes[name]), name))[:MOST_LANES]
    drawn = tuple(_lane(name, lanes[name], position, along) for position, name in enumerate(sorted(busiest)))
    return Timeline(along, _TOP + len(drawn) * _PITCH + 4, drawn, len(lanes) - len(drawn))


def _lane(name: str, changes: list[Numbered], position: int, along: Axis) -> Lane:
    y = _TOP + position * _PITCH
    seen: dict[str, list[Numbered]] = {}
    for number, row in changes:
        seen.setdefault(row.change.sweep, []).append((number, row))
    at = sorted((together for together in seen.values() if together[0][1].change.until), key=lambda each: each[0][1].change.until or "")
    xs = [along.at(together[0][1].change.until or "") for together in at]
    following = [*xs[1:], xs[-1] + 2 * _LABEL] if xs else []
    marks = (_mark(each, x, y, along, label=after - x > _LABEL) for each, x, after in zip(at, xs, following, strict=True))
    return Lane(name, y, tuple(marks))


def _mark(together: list[Numbered], x: float, y: float, along: Axis, *, label: bool) -> Mark:
    (first, row), (last, _) = together[0], together[-1]
    change = row.change
    until = change.until or ""
    numbers = str(first) if first == last else f"{first}–{last}" if last - first + 1 == len(together) else f"{first} …"
    places = sorted({field.pointer or each.change.kind for _, each in together for field in each.change.fields})
    title = f"no. {numbers}: {plural(together, 'change')} seen {when(until)}, after {when(change.since)}: {'; '.join(places)}"
    sorts = {each.sort for _, each in together}
    sort = sorts.pop() if len(sorts) == 1 else "changed"
    return Mark(along.span(change.since or until, until), x, y + _PITCH / 2, numbers if label else "", change.record, title, sort)
