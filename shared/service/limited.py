"""A store read within limits: what lies outside is not there at all, whoever asks for it and however.

Every use-case reads through a `Reading`. This one holds only records of the resources and the period in its limits, and what they need beside, each
part named here; anything else is refused, so that a use-case which reads something new shows less, and never more.

- Of a plan and of what closes a sweep, the units within are left, counted again. A sweep that was narrowed to others is not there.
- Of a subscription that something within lies in: its answer to `locations`, and its list of accounts, in which the others are null.
- Findings of no resource are not there, save what only the provider can attest: their sentences may name anything.
- A record about a resource within may itself name another (a subnet, who deleted it): it is shown as it is.
- Of a profile, the overrides for what is within.
- Of the approval of a baseline, that there is one which covers what is within; by whom and why, where it is about nothing else.
"""

import json
import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import NoReturn

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Refused
from shared.seal.lease import Lease
from shared.seal.log import Log
from shared.seal.store import Store
from shared.service.latest import answer_state
from shared.service.limits import Limits
from shared.service.narrowing import Narrowing
from shared.service.queries import Reading


class _LimitedLog(Log):
    """The lines that are kept, under their indexes."""

    def __init__(self, log: Log, store: Store, lines: dict[int, bytes]) -> None:
        super().__init__(store, log.size)
        self._whole = log
        self._kept = lines
        self._indexes = sorted(lines)

    def checkpoint(self) -> bytes:
        """The signed checkpoint: of the whole log, and it names nothing."""
        return self._whole.checkpoint()

    def lines(self, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, line) of the records [first, end) that are kept."""
        for place in range(bisect_left(self._indexes, first), bisect_left(self._indexes, end)):
            yield self._indexes[place], self._kept[self._indexes[place]]


@dataclass(slots=True)
class _LimitedStore:
    """Of the store itself: the keys, who vouches, the profile in force, waivers, and the last answers that are kept. Nothing can be written."""

    store: Store
    latest: dict[str, dict[str, Json]]
    units: frozenset[str]
    limits: Limits
    end: int
    """One more than the index of the last record within."""

    def get(self, path: str) -> bytes | None:
        """What is at a path that is allowed; nothing at any other."""
        if path.startswith(layout.UNITS):
            unit = path[len(layout.UNITS) :].removesuffix(".json")
            nothing = {"nothing": answer_state(0, "", [])}  # not empty: that would be looked for in the log
            return canonical(self.latest.get(unit) or nothing) if unit in self.units else None
        if path.startswith(_BASELINES) and ".." not in path:
            data = self.store.get(path)
            return _narrowed_approval(data, self.limits, self.end) if data is not None else None
        return self.store.get(path) if _allowed(path) else None

    def exists(self, path: str) -> bool:
        """Whether there is something that may be read."""
        return _allowed(path) and self.store.exists(path)

    def list(self, prefix: str) -> Iterator[str]:
        """The commits, which the keys are found by."""
        return self.store.list(prefix) if prefix == layout.COMMITS else iter(())

    def put_new(self, path: str, data: bytes) -> bool:
        """Refuse."""
        _refuse(path, data)

    def put(self, path: str, data: bytes) -> None:
        """Refuse."""
        _refuse(path, data)

    def delete(self, path: str) -> None:
        """Refuse."""
        _refuse(path)

    def flush(self) -> None:
        """Nothing was written."""

    def retention(self) -> dict[str, str | None]:
        """Refuse: records say it."""
        _refuse()

    def lease(self, path: str) -> Lease | None:
        """Refuse."""
        _refuse(path)


def _refuse(*_: object) -> NoReturn:
    raise Refused("a limited view reads, and nothing else")


_READABLE = (
    layout.COMMITS, layout.CHECKPOINTS, layout.LATEST_CHECKPOINT, layout.SEQUENCER_HINT, layout.ATTESTED, layout.PROFILE_IN_FORCE,
    f"{layout.BATCHES}{layout.BIRTH}/", f"{layout.BATCHES}{layout.KEY_CHANGES}/", f"{layout.BATCHES}waiver-",
)  # fmt: skip
"""What is read of a store beside its log, and tells of no resource but what is matched with findings that are kept."""


def _allowed(path: str) -> bool:
    return path.startswith(_READABLE) and ".." not in path


_BASELINES = f"{layout.BATCHES}baseline-"


def _narrowed_approval(data: bytes, limits: Limits, end: int) -> bytes:
    """The record of an approval: by owner and reason only where it is about nothing else. One of other things, or of a state after the period, is none here."""
    try:
        record = json.loads(data)
        said, scope, late = record["baseline"], record["baseline"]["scope"], record["baseline"]["size"] > end
    except (ValueError, KeyError, TypeError, RecursionError):
        return b"{}"  # no approval: whoever reads it says so
    ours = limits.resources or ()
    if not late and (limits.resources is None or limits.holds(scope)):
        return data
    covers = not late and (scope is None or any(one.startswith(f"{scope}/") for one in ours))
    left = {**said, **({} if covers else {"action": "elsewhere", "scope": None}), "owner": None, "reason": ""}
    return canonical({**record, "resource": None, "baseline": left})


@dataclass(frozen=True, slots=True)
class _LimitedReading(Reading):
    """A reading whose bodies are narrowed too."""

    load: Callable[[str], Json]
    limits: Limits

    def holds(self, resource: str) -> bool:
        """Whether it lies within."""
        return self.limits.holds(resource)

    def log_afresh(self) -> Log:
        """The same: it is in memory."""
        return self.log

    def body(self, digest: str) -> Json:
        """A parsed body, as far as it is within.

        Raises:
            Refused: it is not.
        """
        return self.load(digest)


def limited(read: Reading, limits: Limits) -> Reading:
    """What of a store lies within the limits.

    Raises:
        StoreConflict: the log is not what was sealed.
    """
    narrowing = Narrowing(read, limits)
    sweeps = narrowing.sweeps()
    store = _LimitedStore(read.store, narrowing.latest, narrowing.named, limits, max((int(sweep["end"]) for sweep in sweeps), default=0))
    return _LimitedReading(store, _LimitedLog(read.log, store, narrowing.lines), read.facts, sweeps, narrowing.body, limits)


class Within:
    """Opens a store within limits: read again only when the log has grown. Safe for several threads."""

    def __init__(self, opened: Callable[[], Reading], limits: Limits) -> None:
        self.limits = limits
        self._opened = opened
        self._lock = threading.Lock()
        self._last: Reading | None = None

    def __call__(self) -> Reading:
        """The store as it is now, within the limits."""
        read = self._opened()
        with self._lock:
            if self._last is None or self._last.log.size != read.log.size:
                self._last = limited(read, self.limits)
            return self._last


def until(now: Callable[[], datetime], limits: Limits) -> Callable[[], datetime]:
    """A clock that stops where the period ends: what came later is not asked about."""
    return lambda: min(now(), limits.end)
