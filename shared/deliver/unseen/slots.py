"""Slots of the declared schedule that have no closed sweep, by the schedule that was in force then. From plans alone."""

from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from shared.canonical import Json
from shared.deliver.unseen.stretches import Place
from shared.records import timestamp
from shared.schedule import parse


@dataclass(frozen=True, slots=True)
class Missed:
    """Slots without a sweep, one after another."""

    first: str
    last: str
    slots: int
    before: Place | None
    """The plan of the sweep before them; None: there was none."""
    after: Place | None
    """Of the sweep after them; None: there was none yet."""


def missed(plans: Sequence[tuple[int, Json]], closed: Collection[str], start: str, end: str) -> list[Missed]:
    """The slots from `start` (included) to `end` (not included) without a sweep, in runs.

    `plans`: (index, plan) of sweeps that no event caused, those after `end` too; `closed`: the names of those that
    were closed. Before the first plan no schedule was declared to this log.
    """
    done = {plan["slot"] for _, plan in plans if plan["sweep"] in closed}
    looks = sorted((plan["slot"] or plan["at"], (index, plan["at"])) for index, plan in plans if plan["sweep"] in closed)
    found: dict[int, list[str]] = {}
    for slot in _due(plans, start, end):
        if slot not in done:
            found.setdefault(bisect_right(looks, slot, key=lambda look: look[0]), []).append(slot)
    around = [None, *(place for _, place in looks), None]
    return [Missed(slots[0], slots[-1], len(slots), around[number], around[number + 1]) for number, slots in found.items()]


def _due(plans: Sequence[tuple[int, Json]], start: str, end: str) -> Iterator[str]:
    """Every slot, by the schedule of the last plan before it."""
    borders = sorted((plan["slot"] or plan["at"], plan["schedule"] or "") for _, plan in plans)
    for (since, schedule), (until, _) in pairwise([*borders, (end, "")]):
        first, last = max(since, start), min(until, end)
        if schedule and first < last:
            yield from map(timestamp, parse(schedule).slots(datetime.fromisoformat(first), datetime.fromisoformat(last)))
