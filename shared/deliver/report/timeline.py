"""The picture of changes: a lane for each resource, a mark where a change was seen, as wide as the time in which it may have happened."""

from dataclasses import dataclass
from typing import Final

from shared.deliver.report.axis import Axis, Span, axis
from shared.deliver.report.text import plural, when
from shared.deliver.view_model import Account, Change, PeriodView
from shared.deliver.view_tables import lies_in

MOST_LANES: Final = 60
"""Lanes of the picture; the table has every change, and the page says how many lanes were left out."""

_LEFT: Final = 200.0
_WIDTH: Final = 740.0
_TOP: Final = 30.0
_PITCH: Final = 24.0


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


def timeline(view: PeriodView) -> Timeline:
    """The picture of the changes of `view`."""
    along = axis(view.period, left=_LEFT, width=_WIDTH)
    lanes: dict[str, list[tuple[int, Change]]] = {}
    for number, change in enumerate(view.changes, start=1):
        lanes.setdefault(lane_of(change.resource, view.accounts), []).append((number, change))
    busiest = sorted(lanes, key=lambda name: (-len(lanes[name]), name))[:MOST_LANES]
    drawn = tuple(_lane(name, lanes[name], position, along) for position, name in enumerate(sorted(busiest)))
    return Timeline(along, _TOP + len(drawn) * _PITCH + 4, drawn, len(lanes) - len(drawn))


def lane_of(resource: str | None, accounts: tuple[Account, ...]) -> str:
    """The account that a resource belongs to, by name; else what the resource is called."""
    if resource is None:
        return "the collection"
    pieces = resource.split("/")
    if "accounts" in pieces[:-1]:
        return pieces[pieces.index("accounts") + 1]
    return next((account.name for account in accounts if lies_in(resource, account.resource)), pieces[-1])


def sort_of(change: Change) -> str:
    """What sort of change it is."""
    if change.before is None:
        return "appeared"
    return "gone" if change.after is None else "changed"


def _lane(name: str, changes: list[tuple[int, Change]], position: int, along: Axis) -> Lane:
    y = _TOP + position * _PITCH
    seen: dict[str, list[tuple[int, Change]]] = {}
    for number, change in changes:
        seen.setdefault(change.until or "", []).append((number, change))
    return Lane(name, y, tuple(_mark(together, y, along) for until, together in sorted(seen.items()) if until))


def _mark(together: list[tuple[int, Change]], y: float, along: Axis) -> Mark:
    (first, change), (last, _) = together[0], together[-1]
    until = change.until or ""
    label = str(first) if first == last else f"{first}–{last}" if last - first + 1 == len(together) else f"{first}+{len(together) - 1}"
    sorts = {sort_of(each) for _, each in together}
    said = f"{plural(len(together), 'change')} seen {when(until)}, after {when(change.since)}: " + "; ".join(
        sorted({field.pointer or each.kind for _, each in together for field in each.fields})
    )
    return Mark(
        along.span(change.since or until, until), along.at(until), y + _PITCH / 2, label, change.record, said,
        sorts.pop() if len(sorts) == 1 else "changed",
    )  # fmt: skip
