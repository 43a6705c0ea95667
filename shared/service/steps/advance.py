"""The step `seal`: under a lease, seal what waits, judge what is sealed, close what is whole or overdue. Run every half minute.

A run does what is new since the last one and keeps nothing in memory for the next; one that is killed anywhere is gone on with. Two at
once do no harm: the lease keeps them from working for nothing, create-if-absent keeps the log right (shared/seal/sequencer.py).
"""

import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from shared import layout
from shared.collect.plan import Unit
from shared.seal.lease import Lease, leased
from shared.seal.sequencer import batch_lines
from shared.service import state
from shared.service.collector import Collector
from shared.service.compose import THREADS, Sealing
from shared.service.steps import alerts
from shared.service.steps.app import App
from shared.service.steps.plan import queue_units
from shared.service.steps.read_ahead import ReadAhead
from shared.service.sweep import OpenSweep, SweepResult

BUDGET = 240.0
"""Seconds that one run may take: well under the host's `functionTimeout`, so that a run ends by itself."""

CHUNK = 32
"""Units that are read ahead together while others are judged."""


@dataclass(slots=True)
class Advanced:
    """What a run came to."""

    held: bool = False
    """Another run has the lease: nothing was done."""
    sealed: int = 0
    queued: int = 0
    judged: int = 0
    closed: list[SweepResult] = field(default_factory=list)
    out_of_time: bool = False
    """The time was over, or the lease lost: the next run goes on."""


@dataclass(slots=True)
class Advance:
    """One run."""

    app: App
    sealing: Sealing
    lease: Lease
    ends: float
    tell: Callable[[SweepResult], None]
    done: Advanced = field(default_factory=Advanced)

    def run(self) -> Advanced:
        """Do what is due until it is done, or the time is over."""
        self._seal()
        for name in state.open_sweeps(self.app.store):
            if self._late():
                break
            self._sweep(name)
        return self.done

    def _late(self) -> bool:
        self.done.out_of_time = self.done.out_of_time or time.monotonic() > self.ends or not self.lease.renew()
        return self.done.out_of_time

    def _seal(self) -> None:
        self.done.sealed += self.sealing.sequencer.seal()

    def _sweep(self, name: str) -> None:
        places = self.sealing.sequencer.places(name)
        if layout.CLOSED in places or layout.PLAN not in places:
            self._leave(name)
            return
        if "-event-" not in name:
            self.done.queued += queue_units(self.app, name)
        sweep = self._open(name, self.app.collector)
        whole = self._judge(sweep)
        if self._late() or not (whole or sweep.overdue()):
            return
        self._close(name, sweep.units)

    def _leave(self, name: str) -> None:
        """Forget the marker of what is sealed: an event, a closed sweep with the batches that came late."""
        if self.sealing.sequencer.places(name):
            state.forget(self.app.store, name, lambda: self.sealing.sequencer.waits(name))

    def _open(self, name: str, collector: Collector) -> OpenSweep:
        sweep = OpenSweep(collector, self.sealing.sequencer, name, lambda what, done, total: None)
        sweep.load()
        return sweep

    # -- judging --------------------------------------------------------------------------------------------------------

    def _judge(self, sweep: OpenSweep) -> bool:
        """Judge every sealed unit that is not judged; whether that is all of them, with their findings sealed."""
        places = self.sealing.sequencer.places(sweep.name)
        units, overdue = sweep.units, sweep.overdue()
        ready = [unit for unit in units if unit.name in places and unit.name + layout.FINDINGS_SUFFIX not in places]
        subscriptions = {unit.resource: unit for unit in units if unit.asked == "subscription"}
        ready = [unit for unit in ready if overdue or _subscription(unit, subscriptions).name in places]
        for unit in {_subscription(unit, subscriptions).name: _subscription(unit, subscriptions) for unit in ready}.values():
            if unit.name in places:
                sweep.judge.take(unit.name, places[unit.name][0])
                sweep.taken.add(unit.name)
        with ThreadPoolExecutor(THREADS, "ahead") as pool:
            for start in range(0, len(ready), CHUNK):
                if self._late():
                    return False
                chunk = ready[start : start + CHUNK]
                list(pool.map(self._warm(sweep), chunk))
                for unit in chunk:
                    self._judge_unit(sweep, unit)
        sweep.judge.settle()
        if ready:
            self._seal()
            places = self.sealing.sequencer.places(sweep.name)
        return all(unit.name in places and unit.name + layout.FINDINGS_SUFFIX in places for unit in units)

    def _judge_unit(self, sweep: OpenSweep, unit: Unit) -> None:
        if self.app.store.exists(layout.batch(sweep.name, unit.name + layout.FINDINGS_SUFFIX)):
            return  # written by a run that was killed before it sealed them
        if unit.name not in sweep.taken:
            sweep.judge.take(unit.name, self.sealing.sequencer.places(sweep.name)[unit.name][0])
        sweep.judge.judge_unit(unit.name, unit.resource)
        self.done.judged += 1

    def _warm(self, sweep: OpenSweep) -> Callable[[Unit], None]:
        """Reads the bodies of a unit into the judge's cache, many units at once: waiting for storage is not judging."""

        def warm(unit: Unit) -> None:
            path = layout.batch(sweep.name, unit.name)
            for data in batch_lines(self.app.store.get(path) or b"", path):
                for page in json.loads(data).get("pages") or ():
                    sweep.judge.bodies.load(page["sha256"])

        return warm

    # -- closing --------------------------------------------------------------------------------------------------------

    def _close(self, name: str, units: Sequence[Unit]) -> None:
        """Read the whole sweep once more, judge the collection itself, seal the closing record, and tell what it came to."""
        alerts.owe(self.app.store, name)
        self.app.store.delete(layout.plan_header(name))  # before the marker: whoever is killed in between leaves nothing behind
        places = self.sealing.sequencer.places(name)
        parts = [part for unit in units for part in (unit.name, unit.name + layout.FINDINGS_SUFFIX) if part in places]
        paths = [layout.batch(name, part) for part in parts]
        with ReadAhead(self.app.store, paths, THREADS) as ahead:
            sweep = self._open(name, replace(self.app.collector, store=ahead))
            closed = sweep.close(resumed=False)
        self.done.closed.append(closed)
        self.tell(closed)
        alerts.settle(self.app.store, name)


def _subscription(unit: Unit, subscriptions: dict[str, Unit]) -> Unit:
    return subscriptions.get("/".join(unit.resource.split("/")[:3]), unit)


def advance(app: App, budget: float = BUDGET, *, tell: Callable[[SweepResult], None] = lambda closed: None) -> Advanced:
    """Run the step once. `tell` is called with every sweep that was closed.

    Raises:
        StoreConflict: the store contradicts itself: an alarm, nothing is appended.
        Unreachable: the store, or what signs, cannot be reached: the next run goes on.
    """
    with leased(app.store, layout.SEQUENCER_LOCK) as taken:
        if taken is None:
            return Advanced(held=True)
        return Advance(app, app.sealing(), taken, time.monotonic() + budget, tell).run()
