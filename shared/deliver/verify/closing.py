"""What a sweep says of itself, in its plan and in its closing record, against what the verifier counted."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from shared import layout
from shared.canonical import Json
from shared.deliver.verify.answers import Remark
from shared.deliver.verify.sweep import SweepState
from shared.deliver.verify.view import View


class Closed(NamedTuple):
    """A closing record that was read."""

    record: int
    at: str
    slot: str | None
    """The newest slot that a sweep closed by then belongs to: after a sweep outside the schedule, that of one before it."""


def plan_remarks(sweep: SweepState, index: int, closings: Sequence[Closed], *, from_start: bool) -> Iterator[Remark]:
    """Whether what the plan says of the log and of the sweep before is so. `from_start`: every record before it was read."""
    plan = sweep.plan
    log, previous = plan["log"], plan["previous"]
    if log["size"] > sweep.first:
        yield Remark("problem", "plan", f"says that the log had {log['size']} records while planning, and its own first is {sweep.first}")
    if log["consistent"] is False:
        yield Remark("problem", "plan", f"the collector found that the log did not extend the one of {log['held']} records that it had left")
    if plan["deadline"] < plan["at"]:
        yield Remark("problem", "plan", "its deadline is before the time of the plan")
    if not from_start:
        return
    before = next((closed for closed in reversed(closings) if closed.record < log["size"]), None)
    said = Closed(previous["record"], previous["at"], previous["slot"]) if previous else None
    if said != before:
        found = f"at record {before.record}" if before else "none"
        yield Remark("problem", "plan", f"names as the sweep before it the one closed at {said.record if said else 'none'}, which is {found}")
    if index - sweep.first != sweep.before:
        yield Remark("problem", "plan", "records of other sweeps stand within its batch")


def closing_remarks(sweep: SweepState, closed: Json, *, whole: bool) -> Iterator[Remark]:
    """Whether the closing record tells what there is. `whole`: every record of the sweep was read; else only some units were."""
    units = {name: [unit.first, unit.count] for name, unit in sweep.units.items() if unit.first >= 0}
    if whole:
        units[layout.PLAN] = [sweep.first, sweep.records.plan_record - sweep.first + 1]
    findings = {f"{name}{layout.FINDINGS_SUFFIX}": place for name, place in sweep.findings.items()}
    for said, counted in ((closed["units"], units), (closed["findings"], findings)):
        for name in sorted({*said, *counted} if whole else counted):
            if said.get(name) != counted.get(name):
                yield Remark("problem", "closing", f"says that {name} is at {_place(said.get(name))}, and it is at {_place(counted.get(name))}")
    if closed["planned"] != sweep.records.plan_record or closed["slot"] != sweep.plan["slot"]:
        yield Remark("problem", "closing", f"names another plan or slot than the one at record {sweep.records.plan_record}")
    if whole:
        yield from _totals(sweep, closed)


def deletion_remarks(sweep: SweepState, closed: Json, view: View) -> Iterator[Remark]:
    """Whether every deletion that the closing record counts is there, of the accounts that a bundle is about; older ones count none."""
    said = closed.get("deletions")
    if said is None:
        return
    for account in sorted({*said, *sweep.deletions}):
        there = sweep.deletions[account]
        if said.get(account, 0) != there and view.concerns(account):
            yield Remark("problem", "closing", f"says that {said.get(account, 0)} deletions of {account} were concluded, and {there} are here")


def _totals(sweep: SweepState, closed: Json) -> Iterator[Remark]:
    said = frozenset(closed["missing"])
    missing = {name for name in sweep.asked if name not in sweep.units or sweep.units[name].first < 0}
    # A unit may arrive while the sweep is being closed without it: then it is there, was not judged, and is still called missing.
    wrong = (missing - said) | {name for name in said - missing if name not in sweep.units or sweep.units[name].judged}
    if wrong:
        yield Remark("problem", "closing", f"is wrong about which units are missing: {', '.join(sorted(wrong)[:3])}")
    failures = len(sweep.failures_without(said))
    if closed["failures"] != failures:
        yield Remark("problem", "closing", f"says that {closed['failures']} questions failed, and {failures} did")
    if closed["complete"] != (not said and not failures):
        yield Remark("problem", "closing", f"says {'complete' if closed['complete'] else 'incomplete'}, and it is the opposite")


def _place(place: Json) -> str:
    return f"records {place[0]} to {place[0] + place[1] - 1}" if place else "no place"
