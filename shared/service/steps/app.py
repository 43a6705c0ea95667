"""What every step needs, built once a process: the store, the queues, the collector. Functions share nothing else between invocations."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from shared.canonical import Json, canonical
from shared.collect.clouds import CLOUDS
from shared.collect.plan import Unit
from shared.deliver.alerts.channel import Channel
from shared.errors import Misuse
from shared.recent import Recent
from shared.seal.attestor import Attestor
from shared.seal.store import Store
from shared.service.attestors import attestors
from shared.service.collector import Collector, new_keeper, open_collector
from shared.service.compose import Clock, Sealing, queues_at, sealing, store_facts, utc_now
from shared.service.deletion_events import CommitEvents, commit_events
from shared.service.limited import Within
from shared.service.limits import Limits
from shared.service.queries import reading
from shared.service.receivers import receivers
from shared.service.stores import store_of
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.collect.work_queue import Queues
    from shared.service.portal.desk import Desk

PLANS = 400_000
"""Units of plans that are remembered, some 80 bytes each."""


@dataclass
class App:
    """The parts of one process, each built when it is first needed: a worker that only collects never asks the vault for its key."""

    settings: Settings
    now: Clock = utc_now
    _plans: Recent[str, frozenset[int]] = field(default_factory=lambda: Recent(PLANS))
    """Of the sweeps that were planned lately, the hash of each unit."""
    commits: CommitEvents = field(default_factory=commit_events)
    """Events of deletions in the commits that were read."""
    _reading: threading.Lock = field(default_factory=threading.Lock)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _sweep: str | None = None
    _current: Collector | None = None
    _within: dict[Limits, Within] = field(default_factory=dict)
    _portals: dict[Limits | None, "Desk"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.settings.cloud not in CLOUDS:
            raise Misuse(f"EVIDENCE_CLOUD is {self.settings.cloud!r}")

    @cached_property
    def store(self) -> Store:
        """The evidence."""
        with self._lock:
            return store_of(self.settings)

    @cached_property
    def facts(self) -> Json:
        """What the first record says of the store: it never changes.

        Raises:
            Misuse: the log does not begin as one of ours does.
        """
        return store_facts(self.store)

    @cached_property
    def queues(self) -> "Queues":
        """The work that waits.

        Raises:
            Misuse: no queue service is set.
        """
        with self._lock:
            return queues_at(self.settings)

    @cached_property
    def collector(self) -> Collector:
        """Who asks Azure."""
        with self._lock:
            return open_collector(self.settings, self.store, self.now)

    def collector_for(self, sweep: str) -> Collector:
        """Who asks Azure for a sweep. Of personal values it knows what is in the store since: a process lives longer than they may."""
        with self._lock:
            if self._current is None or self._sweep != sweep:
                self._current = replace(self.collector, keeper=new_keeper(self.settings, self.store))
                self._sweep = sweep
            return self._current

    def has_planned(self, sweep: str, unit: Unit, units: Callable[[], Iterable[Unit]]) -> bool:
        """Whether the plan of `sweep` names `unit`, with its windows. `units` reads the plan, which names every account: once a process, by one at a time."""
        with self._reading:
            known = self._plans.get(sweep)
            if known is None:
                known = frozenset(map(_hash, units()))
                self._plans.put(sweep, known, len(known) + 1)
        return _hash(unit) in known

    @cached_property
    def attestors(self) -> list[Attestor]:
        """Who vouches for checkpoints, and who keeps copies.

        Raises:
            Misuse: one of them cannot be what the settings say.
        """
        with self._lock:
            return attestors(self.settings)

    @cached_property
    def receivers(self) -> list[Channel]:
        """Who is told of changes.

        Raises:
            Misuse: one of them cannot be what the settings and the file say.
        """
        with self._lock:
            return receivers(self.settings)

    def within(self, limits: Limits) -> Within:
        """The store as a view with these limits has it."""
        with self._lock:
            return self._within.setdefault(limits, Within(lambda: reading(self.settings), limits))

    def portal(self, limits: Limits | None) -> "Desk":
        """Who answers with pages: what a period looks like is worked out once for all that ask within minutes."""
        from shared.service.portal.on_azure import desk_for  # templates: no other function needs them

        with self._lock:
            if limits not in self._portals:
                self._portals[limits] = desk_for(self, limits)
            return self._portals[limits]

    def sealing(self) -> Sealing:
        """What sealing needs; made anew each time, since keys are rotated and another instance may have sealed meanwhile."""
        return sealing(self.settings, self.store)


def _hash(unit: Unit) -> int:
    return hash((unit, canonical(list(unit.windows))))
