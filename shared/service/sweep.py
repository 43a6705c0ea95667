"""One sweep: plan, collect, seal, judge, close; and going on where a killed run left off.

Whatever is killed at whatever moment, the next run goes on from what is sealed or waiting: a unit whose batch is there is not collected
again, one whose findings are there is not judged again, and the plan of a slot is made once. Any number of these may run at once.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Self

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.plan import Unit, planned_unit, subscription_unit
from shared.judge.assemble import SWEEP_UNIT
from shared.records import Origin, line, moment, record, whole
from shared.seal.sequencer import Sequencer, batch_lines
from shared.service import state
from shared.service.collector import Collector, orders_of
from shared.service.deletion_events import CommitEvents, commit_events
from shared.service.judging import FINDINGS, Judge

SEAL_EVERY = 64
"""Units between two sealings of a large sweep: what is in flight is what takes memory."""

Progress = Callable[[str, int, int], None]
"""Told of (what is being done, how many of it are done, how many there are)."""


@dataclass(slots=True)
class SweepResult:
    """What a sweep came to."""

    sweep: str
    slot: str | None
    resumed: bool
    units: int
    missing: list[str]
    failures: list[Json]
    findings: dict[str, int]
    changes: int
    records: int
    size: int
    complete: bool = field(init=False)

    def __post_init__(self) -> None:
        self.complete = not self.missing and not self.failures


@dataclass(slots=True)
class OpenSweep:
    """A sweep whose plan is sealed: collects, judges and closes it."""

    collector: Collector
    sequencer: Sequencer
    name: str
    progress: Progress
    commits: CommitEvents = field(default_factory=commit_events)
    plan: Json = None
    plan_record: int = -1
    since: int = 0
    """The commit after which the batches of this sweep are sealed."""
    judge: Judge = field(init=False)
    judged: set[str] = field(default_factory=set)
    taken: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        """Read the sealed plan."""
        collector = self.collector
        first, count = self.sequencer.places(self.name)[layout.PLAN]
        store = collector.store
        self.since = state.since(store, self.name)
        path = layout.batch(self.name, layout.PLAN)
        lines = batch_lines(store.get(path) or b"", path)
        self.judge = Judge(store, self.name, collector.profile.profile, collector.profile.digest, collector.cloud, collector.stamp, self._sealed, self.commits)
        self.plan = whole(json.loads(lines[-1]), self.judge.bodies.load)
        self.plan_record = first + count - 1
        for position, data in enumerate(lines[:-1]):
            self.judge.records.add(first + position, json.loads(data))
        self.judge.records.add(self.plan_record, self.plan)
        return self

    def __exit__(self, *failure: object) -> None:
        """Whoever goes on with this sweep must not meet the last writes of this run."""
        self.judge.stop()

    def _sealed(self, sweep: str) -> Mapping[str, tuple[int, int]]:
        """Where the batches of an open sweep are, those included that waited."""
        self.sequencer.seal(sweep)
        return self.sequencer.places(sweep)

    @property
    def units(self) -> list[Unit]:
        """The units that were planned."""
        return [planned_unit(unit) for unit in self.plan["units"]]

    def overdue(self) -> bool:
        """Whether the time by which it had to be closed is past."""
        return self.collector.now() > moment(self.plan["deadline"])

    # -- collecting -----------------------------------------------------------------------------------------------------

    def collect(self) -> None:
        """Collect every planned unit that has no batch yet; seal and judge along the way."""
        store = self.collector.store
        waiting = [unit for unit in self.units if not store.exists(layout.batch(self.name, unit.name))]
        done, total, in_flight = len(self.units) - len(waiting), len(self.units), 0
        self.progress("collect", done, total)
        finished: SimpleQueue[BaseException | None] = SimpleQueue()
        upcoming = iter(waiting)
        with ThreadPoolExecutor(self.collector.threads, "collect") as pool:
            try:
                while True:
                    # So many ahead that threads never run dry while this one seals, so few that memory does not grow with the estate.
                    for unit in itertools.islice(upcoming, 2 * SEAL_EVERY - in_flight):
                        pool.submit(self._collect_into, unit, finished)
                        in_flight += 1
                    if not in_flight:
                        return
                    if (error := finished.get()) is not None:
                        raise error
                    done, in_flight = done + 1, in_flight - 1
                    self.progress("collect", done, total)
                    if done % SEAL_EVERY == 0:
                        self.seal_and_judge()
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise

    def _collect_into(self, unit: Unit, finished: "SimpleQueue[BaseException | None]") -> None:
        try:
            self._collect_unit(unit)
        except BaseException as error:  # noqa: BLE001 - every unit that began must be heard of, or the sweep would wait for ever
            finished.put(error)
        else:
            finished.put(None)

    def _collect_unit(self, unit: Unit) -> None:
        collector = self.collector
        origin = Origin(self.name, self.plan["cause"], self.plan["collector"], self.plan["storage"])
        collector.collect_batch(self.name, unit, orders_of(self.plan), origin)
        state.mark_open(collector.store, self.name, self.since)  # the marker is gone where the sweep was closed without this unit

    # -- judging --------------------------------------------------------------------------------------------------------

    def seal_and_judge(self, *, closing: bool = False) -> None:
        """Seal what waits, and write the findings of every unit that is sealed with all it is judged with; tell of it at the end."""
        self.judge.settle()
        self.sequencer.seal(self.name)
        places = self.sequencer.places(self.name)
        planned = {unit.name: unit for unit in self.units}
        for unit in planned.values():  # one after another: the records of a unit are let go of when it is judged
            if closing:
                self.progress("judge", len(self.judged), len(planned))
            if unit.name in places and unit.name not in self.taken:
                self.judge.take(unit.name, places[unit.name][0])
                self.taken.add(unit.name)
            if unit.name in self.taken and unit.name not in self.judged and not self._waits(unit, planned):
                self._judge(unit)

    def _waits(self, unit: Unit, planned: dict[str, Unit]) -> bool:
        """Whether what the unit is judged with is still to come: the answers of its subscription, which are planned first."""
        subscription = subscription_unit(unit.resource.split("/")[2]).name
        return subscription in planned and subscription not in self.taken

    def _judge(self, unit: Unit) -> None:
        if self.collector.store.exists(layout.batch(self.name, unit.name + FINDINGS)):
            self.judge.recount(unit.name)
        else:
            self.judge.judge_unit(unit.name, unit.resource)
        self.judged.add(unit.name)

    # -- closing --------------------------------------------------------------------------------------------------------

    def close(self, resumed: bool) -> SweepResult:
        """Judge the rest and the collection itself, and seal the closing record."""
        judge = self.judge
        self.seal_and_judge(closing=True)
        missing = [unit.name for unit in self.units if unit.name not in self.taken]
        for unit in self.units:  # of a subscription that is missing itself
            if unit.name in self.taken and unit.name not in self.judged:
                self._judge(unit)
        if self.collector.store.exists(layout.batch(self.name, SWEEP_UNIT + FINDINGS)):
            judge.recount(SWEEP_UNIT)
        else:
            judge.judge_sweep(missing)
        judge.settle()
        self.progress("seal", 0, 1)
        self.sequencer.seal(self.name)
        self._write_closing(missing)
        self.sequencer.seal(self.name)
        return self._result(missing, resumed)

    def _write_closing(self, missing: list[str]) -> None:
        collector = self.collector
        places = self.sequencer.places(self.name)
        failures = self.judge.records.failures
        closed = record(
            "sweep-closed",
            collector.stamp(),
            sweep=self.name,
            kind="sweep",
            slot=self.plan["slot"],
            planned=self.plan_record,
            units={name: list(place) for name, place in places.items() if not name.endswith(FINDINGS) and name != layout.CLOSED},
            findings={name: list(place) for name, place in places.items() if name.endswith(FINDINGS)},
            missing=missing,
            failures=len(failures),
            complete=not missing and not failures,
            deletions=dict(self.judge.deletions),
        )
        collector.store.put_new(layout.batch(self.name, layout.CLOSED), line(closed, collector.keep_body) + b"\n")

    def _result(self, missing: list[str], resumed: bool) -> SweepResult:
        store, places = self.collector.store, self.sequencer.places(self.name)
        path = layout.batch(self.name, layout.CLOSED)
        closed = whole(json.loads(batch_lines(store.get(path) or b"", path)[0]), self.judge.bodies.load)
        index = places[layout.CLOSED][0]
        first = min(place[0] for place in places.values())
        summary = state.closing_summary(
            closed, index, self.plan, first=first, findings=dict(self.judge.statuses), changes=self.judge.changes
        )
        store.put(layout.sweep_summary(self.name), canonical(summary))
        state.forget(store, self.name, lambda: self.sequencer.waits(self.name))
        failures = [{"kind": f.kind, "resource": f.resource, "reason": f.failure, "record": f.record} for f in self.judge.records.failures]
        count = sum(place[1] for place in places.values())
        return SweepResult(
            self.name,
            self.plan["slot"],
            resumed,
            len(self.units),
            missing,
            failures,
            dict(self.judge.statuses),
            self.judge.changes,
            count,
            index + 1,
        )
