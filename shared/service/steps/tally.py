"""What judging came to, run by run, in `state/tally/`: so that closing a sweep does not read again every record and finding of it.

Hints. A unit that is in none, because a run was killed or a blob is torn, is read again. Subscriptions are never in one: their answers are
what accounts are judged with, and closing may have to judge some.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.plan import Unit
from shared.judge.assemble import Entry
from shared.seal.store import Store
from shared.service.sweep import OpenSweep


@dataclass(slots=True)
class Tally:
    """The accounts that one run judged, and what came of them together."""

    units: list[str] = field(default_factory=list)
    statuses: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    deletions: Counter[str] = field(default_factory=Counter)
    failures: list[Entry] = field(default_factory=list)

    def judge(self, sweep: OpenSweep, unit: Unit, first: int) -> None:
        """Judge an account whose batch begins at the record `first`, and count what comes of it."""
        judge = sweep.judge
        statuses, changes, failures = judge.statuses.copy(), judge.changes, len(judge.records.failures)
        deletions = judge.deletions.copy()
        judge.take(unit.name, first)
        judge.judge_unit(unit.name, unit.resource)
        self.units.append(unit.name)
        self.statuses += judge.statuses - statuses
        self.changes += judge.changes - changes
        self.deletions += judge.deletions - deletions
        self.failures += judge.records.failures[failures:]

    def keep(self, sweep: OpenSweep) -> None:
        """Write it; to be called when the findings it counts are written."""
        if self.units:
            value = {
                "units": self.units,
                "statuses": dict(self.statuses),
                "changes": self.changes,
                "deletions": dict(self.deletions),
                "failures": [_told(entry) for entry in self.failures],
                "skew": sweep.judge.records.skew,
            }
            sweep.collector.store.put(layout.tally(sweep.name, self.units[0]), canonical(value))


def take_up(store: Store, sweep: OpenSweep) -> None:
    """Take the accounts that were counted for judged, with what came of them."""
    judge = sweep.judge
    for path in list(store.list(layout.tallies(sweep.name))):
        found = _parsed(store.get(path) or b"")
        if found is None or not sweep.judged.isdisjoint(found[0].units):
            continue
        tally, skew = found
        sweep.taken.update(tally.units)
        sweep.judged.update(tally.units)
        judge.statuses += tally.statuses
        judge.changes += tally.changes
        judge.deletions += tally.deletions
        judge.records.failures += tally.failures
        judge.records.skew = max((each for each in (judge.records.skew, skew) if each is not None), default=None)


def forget(store: Store, sweep: str) -> None:
    """Remove what was kept of a sweep that is closed."""
    for path in list(store.list(layout.tallies(sweep))):
        store.delete(path)


def _parsed(data: bytes) -> tuple[Tally, float | None] | None:
    try:
        value: Json = json.loads(data)
        failures = [_entry(*each) for each in value["failures"]]
        return Tally(value["units"], Counter(value["statuses"]), value["changes"], Counter(value["deletions"]), failures), value["skew"]
    except (ValueError, TypeError, KeyError):
        return None


def _told(entry: Entry) -> Json:
    """A failure as it is kept: all of it but the window, which nothing about the collection rests on."""
    return [entry.kind, entry.resource, entry.record, entry.at, list(entry.digests), entry.failure, entry.status, entry.detail, entry.reach]


def _entry(
    kind: str, resource: str, record: int, at: str, digests: list[str], failure: str, status: int | None, detail: str | None, reach: str | None
) -> Entry:
    return Entry(kind, resource, record, at, tuple(digests), failure, status, detail, reach)
