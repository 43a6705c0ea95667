"""What every step needs, built once a process: the store, the queues, the collector. Functions share nothing else between invocations."""

import threading
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

from shared.collect.clouds import CLOUDS
from shared.collect.plan import Unit
from shared.errors import Misuse
from shared.recent import Recent
from shared.seal.attestor import Attestor
from shared.seal.store import Store
from shared.service.attestors import attestors
from shared.service.collector import Collector, new_keeper, open_collector
from shared.service.compose import Clock, Sealing, queues_at, sealing, utc_now
from shared.service.stores import store_of
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.collect.work_queue import Queues

PLANS = 50_000
"""Units of plans that are remembered: 4 KB each with their windows."""


@dataclass
class App:
    """The parts of one process, each built when it is first needed: a worker that only collects never asks the vault for its key."""

    settings: Settings
    now: Clock = utc_now
    plans: Recent[str, dict[Unit, Unit]] = field(default_factory=lambda: Recent(PLANS))
    """The units of the sweeps that were planned lately, each by what a message tells of it, which is not its windows."""
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _sweep: str | None = None
    _current: Collector | None = None

    def __post_init__(self) -> None:
        if self.settings.cloud not in CLOUDS:
            raise Misuse(f"EVIDENCE_CLOUD is {self.settings.cloud!r}")

    @cached_property
    def store(self) -> Store:
        """The evidence."""
        with self._lock:
            return store_of(self.settings)

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

    @cached_property
    def attestors(self) -> list[Attestor]:
        """Who vouches for checkpoints, and who keeps copies.

        Raises:
            Misuse: one of them cannot be what the settings say.
        """
        with self._lock:
            return attestors(self.settings)

    def sealing(self) -> Sealing:
        """What sealing needs; made anew each time, since keys are rotated and another instance may have sealed meanwhile."""
        return sealing(self.settings, self.store)
