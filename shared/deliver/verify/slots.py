"""The slots of the declared schedule: each has a sweep that was closed, or is a gap. Where no schedule was declared, that is said."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.deliver.verify.verdict import UNSCHEDULED, Tally, shown
from shared.deliver.verify.view import Plan
from shared.errors import Misuse
from shared.records import timestamp
from shared.schedule import parse

MOST = 500_000
"""Slots that are looked at: more of them is a schedule nobody means."""
BEGINNING = timedelta(days=1)
"""A log that begins with its period, on the same day, has missed nothing; one that begins later has nothing to show for the time before."""


def check_slots(plans: Sequence[Plan], tally: Tally, *, start: str | None, end: str) -> None:
    """Note a gap for every slot in [start, end) without a sweep of all there is. `start` None: from the first sweep that declares a schedule.

    The schedule in force is that of the last plan before; before the first plan, its own. A log that had no scheduled
    sweep before may begin up to `BEGINNING` after the period; where it begins later, nobody looked from `start` on.
    """
    declared = [plan for plan in plans if plan.schedule is not None]
    if not declared or len(declared) < len(plans):
        tally.counts[UNSCHEDULED] = 1
    if not declared:
        tally.unchecked("that no sweep is missing: no schedule was declared, so nothing says when sweeps were due")
        return
    if len(declared) < len(plans):
        tally.unchecked("that no sweep is missing while no schedule was declared (some plans name none)")
    done = {datetime.fromisoformat(plan.slot) for plan in plans if plan.slot is not None and not plan.narrowed}
    narrowed = {datetime.fromisoformat(plan.slot) for plan in plans if plan.slot is not None and plan.narrowed}
    due, missed, row = 0, 0, _Row()
    for slot in _due(plans, start, end, tally):
        due += 1
        if slot in done:
            row.tell(tally)
        else:
            missed += 1
            row.add(slot, slot in narrowed, tally)
        if due == MOST:
            tally.unchecked(f"slots after {timestamp(slot)}: there are too many")
            break
    row.tell(tally)
    tally.counts["slots"] = due
    tally.counts["slots without a sweep"] = missed
    tally.checked.append(f"{due - missed:,} of {due:,} slots of the declared schedule have their sweep")


@dataclass(slots=True)
class _Row:
    """Slots in a row without a sweep: one gap."""

    first: datetime | None = None
    last: datetime | None = None
    count: int = 0
    narrowed: bool = False

    def add(self, slot: datetime, narrowed: bool, tally: Tally) -> None:
        if narrowed is not self.narrowed:
            self.tell(tally)
        self.narrowed = narrowed
        self.first = self.first or slot
        self.last = slot
        self.count += 1

    def tell(self, tally: Tally) -> None:
        if self.first is not None and self.last is not None:
            row = f"the slot {timestamp(self.first)}"
            if self.count > 1:
                row = f"{self.count} slots in a row, {timestamp(self.first)} to {timestamp(self.last)}"
            what = "no sweep but of named accounts" if self.narrowed else "no sweep"
            tally.gap("slot", f"{what} was planned for {row}")
        self.first, self.count = None, 0


def _due(plans: Sequence[Plan], start: str | None, end: str, tally: Tally) -> Iterator[datetime]:
    first, begin = plans[0], next(plan.slot or plan.at for plan in plans if plan.schedule is not None)
    begun = first.previous and first.previous["slot"]
    if start is None or (not begun and datetime.fromisoformat(begin) - datetime.fromisoformat(start) <= BEGINNING):
        start = begin
    for number, plan in enumerate(plans):
        since = start if number == 0 else max(start, plan.slot or plan.at)
        until = (plans[number + 1].slot or plans[number + 1].at) if number + 1 < len(plans) else end
        if plan.schedule is None or since >= until:
            continue
        try:
            schedule = parse(plan.schedule)
            yield from schedule.slots(datetime.fromisoformat(since), datetime.fromisoformat(until))
        except (Misuse, OverflowError, ValueError):
            tally.problem("plan", f"the schedule {shown(plan.schedule)} is none", record=plan.record)
