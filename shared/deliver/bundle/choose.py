"""Which records go into a bundle: the sweeps of a period, and what shows that none is left out before, between or after them.

Found through the commits, which say where each batch is: cost depends on the period and what came since, not on what came before.
"""

from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass, field

from shared import layout
from shared.canonical import Json
from shared.deliver.bundle.manifest import selects
from shared.errors import Misuse, StoreConflict, VerificationError
from shared.judge.assemble import SWEEP_UNIT
from shared.seal.commits import Commit, last_commit, parse_commit
from shared.seal.log import Log
from shared.seal.store import Store

Range = tuple[int, int]
"""First index, number of records."""

RecordAt = Callable[[int], Json]
"""Gives the record at an index, with the fields that had moved to bodies."""


@dataclass(slots=True)
class SweepPlace:
    """Where the batches of a sweep are."""

    name: str
    plan: Json
    time: str
    batches: dict[str, Range] = field(default_factory=dict)

    @property
    def end(self) -> int:
        """The index after its last record."""
        return max(first + count for first, count in self.batches.values())


@dataclass(frozen=True, slots=True)
class Choice:
    """What goes into a bundle."""

    ranges: tuple[Range, ...]
    sweeps: tuple[str, ...]


def choose(
    store: Store, log: Log, record_at: RecordAt, period: tuple[str, str], resources: Sequence[str] | None, changes: Sequence[int] = ()
) -> Choice:
    """The records of the sweeps in a period; and of `changes`, which change the signing keys, whenever they were made.

    Raises:
        Misuse: no sweep lies in the period, or none has a unit for one of `resources`.
        StoreConflict: the store contradicts itself.
    """
    commits = _Commits(store, log, record_at)
    sweeps, after = commits.sweeps(period)
    if not sweeps:
        raise Misuse(f"no sweep lies between {period[0]} and {period[1]}{commits.extent()}: choose another period")
    if resources is None:
        found = [(min(first for sweep in sweeps for first, _ in sweep.batches.values()), max(sweep.end for sweep in sweeps))]
        found.append(_through(after.batches[layout.PLAN]) if after else (found[0][1], log.size))
        pieces = [(found[0][0], max(end for _, end in found) - found[0][0])]
    else:
        gone = [place for sweep in sweeps for place in _deletions(log, sweep, tuple(resources))]
        pieces = [piece for sweep in sweeps for piece in _pieces(log, sweep, tuple(resources))]
        pieces += [(index, 1) for index, _ in gone]
        end = max(sweep.end for sweep in sweeps)
        pieces.append((after.batches[layout.PLAN][0] + after.batches[layout.PLAN][1] - 1, 1) if after else (end, log.size - end))
        _check_named(sweeps, resources, {account for _, account in gone})
    previous = sweeps[0].plan["previous"]
    if previous:
        pieces.append((previous["record"], 1))
    pieces += [(record, 1) for record in changes]
    return Choice(tuple(merged(pieces)), tuple(sweep.name for sweep in sweeps))


def _through(place: Range) -> Range:
    return place[0], place[0] + place[1]


def merged(pieces: Sequence[Range]) -> Iterator[Range]:
    """The same records, as ascending runs that do not touch."""
    start = end = -1
    for first, count in sorted(pieces):
        if count == 0:
            continue
        if first > end:
            if end > start:
                yield start, end - start
            start = first
            end = first + count
        else:
            end = max(end, first + count)
    if end > start:
        yield start, end - start


def _check_named(sweeps: Sequence[SweepPlace], resources: Sequence[str], gone: Set[str]) -> None:
    known = {unit["resource"] for sweep in sweeps for unit in sweep.plan["units"]} | gone
    for resource in resources:
        if not any(selects((resource,), one) for one in known):
            raise Misuse(f"{resource} was in no sweep of the period: `aoai-evidence resources` lists what was collected")


def _pieces(log: Log, sweep: SweepPlace, resources: tuple[str, ...]) -> Iterator[Range]:
    """Of one sweep: plan, retention and profile, all records of the units concerned, where their subscription is, and the closing record."""
    wanted = [unit for unit in sweep.plan["units"] if selects(resources, unit["resource"])]
    names = [unit["unit"] for unit in wanted]
    for index, record in log.records(*_through(sweep.batches[layout.PLAN])):
        if record["type"] in ("sweep-planned", "retention", "profile") or record.get("unit") in names:
            yield index, 1
    for name in (*names, *(name + layout.FINDINGS_SUFFIX for name in (*names, SWEEP_UNIT)), layout.CLOSED):
        if name in sweep.batches:
            yield sweep.batches[name]
    subscriptions = {"/".join(unit["resource"].split("/")[:3]) for unit in wanted}
    for unit in sweep.plan["units"]:
        if unit["resource"] in subscriptions and unit["unit"] in sweep.batches:
            for index, record in log.records(*_through(sweep.batches[unit["unit"]])):
                if record["kind"] == "locations":
                    yield index, 1


def _deletions(log: Log, sweep: SweepPlace, resources: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    """Of one sweep, deletions that stand in a batch which is not concerned otherwise: what went with an account is concluded with its
    subscription's answers. (index, account) of each.
    """
    above = {"/".join(resource.split("/")[:3]) for resource in resources}
    for unit in sweep.plan["units"]:
        place = sweep.batches.get(unit["unit"] + layout.FINDINGS_SUFFIX)
        if place is None or unit["resource"] not in above or selects(resources, unit["resource"]):
            continue
        for index, record in log.records(*_through(place)):
            if record["type"] != "deletion":
                break  # they come first
            if selects(resources, record["account"]):
                yield index, record["account"]


class _Commits:
    """The commits of a store, read in the order of the log or found by time."""

    def __init__(self, store: Store, log: Log, record_at: RecordAt) -> None:
        self._store = store
        self._log = log
        self._record_at = record_at
        self._last = last_commit(store)
        while self._last and self._read(self._last).size > log.size:  # not signed yet
            self._last -= 1

    def _read(self, seq: int) -> Commit:
        data = self._store.get(layout.commit(seq))
        try:
            if data is None:
                raise VerificationError("it is missing")
            return parse_commit(data)
        except VerificationError as error:
            raise StoreConflict(f"{layout.commit(seq)}: {error}; run verify --store") from None

    def _plans(self, seq: int) -> Iterator[SweepPlace]:
        """The sweeps whose plans the commit `seq` appends."""
        for batch, first in self._read(seq).places():
            sweep, name = layout.batch_parts(batch.path)
            if name == layout.PLAN:
                plan = self._record_at(first + batch.records - 1)
                if plan["type"] == "sweep-planned":
                    yield SweepPlace(sweep, plan, plan["slot"] or plan["at"], {name: (first, batch.records)})

    def _first_from(self, time: str) -> int:
        """A commit before which no sweep of this time or a later one was planned."""
        low, high = 1, self._last + 1
        while low < high:
            middle = (low + high) // 2
            probe, found = middle, None
            while probe < high and found is None:
                found = next((place.time for place in self._plans(probe)), None)
                probe += 1
            if found is None or found >= time:
                high = middle
            else:
                low = probe
        return low

    def sweeps(self, period: tuple[str, str]) -> tuple[list[SweepPlace], SweepPlace | None]:
        """The sweeps of a period with the places of their batches, and the first one planned after it."""
        found: dict[str, SweepPlace] = {}
        after: SweepPlace | None = None
        for seq in range(self._first_from(period[0]), self._last + 1):
            for place in self._plans(seq):
                if period[0] <= place.time < period[1]:
                    found[place.name] = place
                elif place.time >= period[1]:
                    after = after or place
            for batch, first in self._read(seq).places():
                sweep, name = layout.batch_parts(batch.path)
                if sweep in found and first < self._log.size:
                    found[sweep].batches.setdefault(name, (first, batch.records))
            if after is not None and all(layout.CLOSED in place.batches for place in found.values()):
                break
        return list(found.values()), after

    def extent(self) -> str:
        """From when to when there are sweeps, for a message."""
        first = next((place for seq in range(1, self._last + 1) for place in self._plans(seq)), None)
        last = next((place for seq in range(self._last, 0, -1) for place in self._plans(seq)), None)
        return f" (there are sweeps from {first.time} to {last.time})" if first and last else " (there are none at all yet)"
