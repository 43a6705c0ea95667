"""The step `seal`: under a lease, seal what waits, judge what is sealed, close what is whole or overdue. Run every half minute.

A run does what is new since the last one and keeps nothing in memory for the next; one that is killed anywhere is gone on with. Two at
once do no harm: the lease keeps them from working for nothing, create-if-absent keeps the log right (shared/seal/sequencer.py).
"""

import contextlib
import json
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from shared import layout
from shared.collect.plan import Unit
from shared.errors import Misuse
from shared.records import moment
from shared.seal.lease import Lease, leased
from shared.seal.sequencer import batch_lines
from shared.service import state
from shared.service.collector import Collector
from shared.service.compose import THREADS, Sealing
from shared.service.steps import alerts
from shared.service.steps.app import App
from shared.service.steps.plan import header_of, queue_units
from shared.service.steps.read_ahead import ReadAhead
from shared.service.steps.tally import Tally, forget, take_up
from shared.service.sweep import OpenSweep, SweepResult
from shared.service.telling import fill

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
        if layout.BY_EVENT not in name:
            self.done.queued += queue_units(self.app, name)
        if self._nothing_new(name):
            return
        with ReadAhead(self.app.store, (), THREADS) as ahead, self._open(name, replace(self.app.collector, store=ahead)) as sweep:
            whole = self._judge(sweep, ahead)
        if self._late() or not (whole or sweep.overdue()):
            return
        self._close(name, sweep.units)

    def _nothing_new(self, name: str) -> bool:
        """Whether there is nothing to judge and nothing to close yet; told without the plan, which names every account."""
        head = header_of(self.app.store, name)
        if head is None or self.app.now() > moment(head["deadline"]):
            return False
        places = self.sealing.sequencer.places(name)
        units = [unit for unit in places if unit != layout.PLAN and not unit.endswith(layout.FINDINGS_SUFFIX)]
        return len(units) < head["units"] and all(unit + layout.FINDINGS_SUFFIX in places for unit in units)

    def _leave(self, name: str) -> None:
        """Forget the marker of what is sealed: an event, a closed sweep with the batches that came late."""
        if self.sealing.sequencer.places(name):
            state.forget(self.app.store, name, lambda: self.sealing.sequencer.waits(name))

    def _open(self, name: str, collector: Collector) -> OpenSweep:
        return OpenSweep(collector, self.sealing.sequencer, name, lambda what, done, total: None, self.app.commits)

    # -- judging --------------------------------------------------------------------------------------------------------

    def _judge(self, sweep: OpenSweep, ahead: ReadAhead) -> bool:
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
        tally = Tally()
        with ThreadPoolExecutor(THREADS, "ahead") as pool:
            for start in range(0, len(ready), CHUNK):
                if self._late():
                    break
                chunk = ready[start : start + CHUNK]
                list(pool.map(self._warm(sweep, ahead), chunk))
                for unit in chunk:
                    if unit.name in sweep.taken:
                        sweep.judge.judge_unit(unit.name, unit.resource)
                    else:
                        tally.judge(sweep, unit, places[unit.name][0])
                    self.done.judged += 1
        sweep.judge.settle()
        tally.keep(sweep)
        if ready:
            self.done.sealed += self.sealing.sequencer.seal(sweep.name)
            places = self.sealing.sequencer.places(sweep.name)
        return all(unit.name in places and unit.name + layout.FINDINGS_SUFFIX in places for unit in units)

    def _warm(self, sweep: OpenSweep, ahead: ReadAhead) -> Callable[[Unit], None]:
        """Reads what a unit is judged by, many units at once: waiting for storage is not judging."""

        def warm(unit: Unit) -> None:
            path = layout.batch(sweep.name, unit.name)
            read = self.app.store.get if unit.name in sweep.taken else ahead.look
            for data in batch_lines(read(path) or b"", path):
                for page in json.loads(data).get("pages") or ():
                    sweep.judge.bodies.load(page["sha256"])
            ahead.look(layout.unit_state(unit.name))
            ahead.look(layout.lives(unit.name))

        return warm

    # -- closing --------------------------------------------------------------------------------------------------------

    def _close(self, name: str, units: Sequence[Unit]) -> None:
        """Read what no run has counted, judge the collection itself, seal the closing record, and tell what it came to."""
        alerts.owe(self.app.store, name)
        self.app.store.delete(layout.plan_header(name))  # before the marker: whoever is killed in between leaves nothing behind
        places = self.sealing.sequencer.places(name)
        with ReadAhead(self.app.store, (), THREADS) as ahead, self._open(name, replace(self.app.collector, store=ahead)) as sweep:
            take_up(self.app.store, sweep)
            forget(self.app.store, name)  # before the marker too: a run that is killed here reads the whole sweep again
            sweep.judge.attributing.settle_events()
            parts = [part for unit in units if unit.name not in sweep.taken for part in (unit.name, unit.name + layout.FINDINGS_SUFFIX)]
            ahead.begin(layout.batch(name, part) for part in parts if part in places)
            closed = sweep.close(resumed=False)
        self.done.closed.append(closed)
        self.tell(closed)
        with contextlib.suppress(Misuse):  # of the list of receivers: sealing goes on, and `watch` tells them when it is right
            fill(self.app.store, name, self.app.receivers, self.app.now())
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
