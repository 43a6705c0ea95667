"""What earlier sweeps brought for a unit, read again from the log: for those whose memory of it was lost (`shared.service.reconciling`).

Costs as many look-ups as there were sweeps. What was sealed longer ago than `REACH` is not looked at: no log tells of it any more.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared import layout
from shared.canonical import Json
from shared.collect.plan import subscription_unit
from shared.errors import StoreConflict
from shared.judge.assemble import Entry, LoadBody, entry_of
from shared.judge.lives.fold import UnitSweep
from shared.judge.lives.given import ACTIVITY
from shared.judge.lives.times import FORGET
from shared.records import moment, timestamp, whole
from shared.seal.log import Log, open_log
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store, read_hint
from shared.service import state

REACH: Final = 2 * FORGET + timedelta(days=7)

Range = tuple[int, int]
"""First index, number of records."""

Places = Callable[[str], Mapping[str, Range]]


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where the batches of a sweep are, with their findings, and when it was planned."""

    sweep: str
    at: str
    places: Mapping[str, Range]

    def judged(self, unit: str) -> int:
        """Where the findings of a unit begin; -1 where it has none."""
        return self.places.get(unit + layout.FINDINGS_SUFFIX, (-1, 0))[0]


@dataclass(slots=True)
class Past:
    """Earlier sweeps. For use during one sweep."""

    store: Store
    open_places: Places
    load: LoadBody
    _log: Log | None = None
    _closed: list[Sealed] | None = None
    _open: dict[str, Sealed] = field(default_factory=dict)

    def of(self, unit: str, resource: str, but: str) -> Iterator[UnitSweep]:
        """What each sweep brought for a unit, in the order in which it was judged; the sweep `but` left out."""
        judged = [sealed for sealed in [*self._all_closed(), *self._all_open(but)] if sealed.sweep != but and sealed.judged(unit) >= 0]
        for sealed in sorted(judged, key=lambda sealed: sealed.judged(unit)):
            yield self._unit_sweep(sealed, unit, resource)

    def unit_sweep(self, sweep: str, unit: str, resource: str) -> UnitSweep | None:
        """What an open sweep brought for a unit; None where it was not judged."""
        sealed = self._of_open(sweep)
        return self._unit_sweep(sealed, unit, resource) if sealed is not None and sealed.judged(unit) >= 0 else None

    def judged_in_open_sweeps(self, but: str) -> dict[str, frozenset[str]]:
        """By open sweep, the oldest first, the units whose findings are written; the sweep `but` left out."""
        found = {}
        for sweep in state.open_sweeps(self.store):
            if sweep != but and self.store.exists(layout.batch(sweep, layout.PLAN)):
                names = (layout.batch_parts(path)[1] for path in self.store.list(f"{layout.BATCHES}{sweep}/"))
                found[sweep] = frozenset(name.removesuffix(layout.FINDINGS_SUFFIX) for name in names if name.endswith(layout.FINDINGS_SUFFIX))
        return found

    def index(self, sweep: str, unit: str) -> int:
        """Where the findings of a unit in an earlier sweep begin.

        Raises:
            StoreConflict: they are not sealed, though they were written.
        """
        summary = read_hint(self.store, layout.sweep_summary(sweep))
        place = summary.get("closed_record")
        known = state.read_closing(self.store, self._opened(), place)["findings"] if isinstance(place, int) and place < self._opened().size else {}
        sealed = known.get(unit + layout.FINDINGS_SUFFIX) or self.open_places(sweep).get(unit + layout.FINDINGS_SUFFIX)
        if sealed is None:
            raise StoreConflict(f"the findings of {unit} in {sweep} are not in the log, and what is kept in state/ rests on them: run verify --store")
        return int(sealed[0])

    # -- where sweeps are -----------------------------------------------------------------------------------------------

    def _opened(self) -> Log:
        if self._log is None:
            self._log = open_log(self.store)
        return self._log

    def _all_closed(self) -> list[Sealed]:
        if self._closed is None:
            summaries = state.summaries(self.store, self._opened())
            since = timestamp(moment(summaries[-1]["planned_at"]) - REACH) if summaries else ""
            self._closed = [self._of_closed(summary) for summary in summaries if summary["planned_at"] >= since]
        return self._closed

    def _of_closed(self, summary: Json) -> Sealed:
        closing = state.read_closing(self.store, self._opened(), summary["closed_record"])
        places = {**closing["units"], **closing["findings"]}
        return Sealed(summary["sweep"], summary["planned_at"], {name: (place[0], place[1]) for name, place in places.items()})

    def _all_open(self, but: str) -> list[Sealed]:
        closed = {sealed.sweep for sealed in self._all_closed()}
        found = (self._of_open(sweep) for sweep in state.open_sweeps(self.store) if sweep != but and sweep not in closed)
        return [sealed for sealed in found if sealed is not None]

    def _of_open(self, sweep: str) -> Sealed | None:
        if sweep not in self._open:
            places = self.open_places(sweep)
            if layout.PLAN not in places:
                return None
            lines = self._lines(sweep, layout.PLAN)
            self._open[sweep] = Sealed(sweep, json.loads(lines[-1])["at"], dict(places))
        return self._open[sweep]

    # -- what they brought ----------------------------------------------------------------------------------------------

    def _unit_sweep(self, sealed: Sealed, unit: str, resource: str) -> UnitSweep:
        entries = list(self._entries(sealed, layout.PLAN, unit))
        entries += self._entries(sealed, unit, unit)
        if "/accounts/" in resource:
            subscription = subscription_unit(resource.split("/")[2]).name
            entries += (entry for entry in self._entries(sealed, subscription, subscription) if entry.kind == ACTIVITY)
        return UnitSweep(sealed.sweep, sealed.at, resource, entries, events_to=sealed.judged(unit))

    def _entries(self, sealed: Sealed, batch: str, unit: str) -> Iterator[Entry]:
        """The answers for a unit in a batch."""
        if batch in sealed.places:
            for index, data in enumerate(self._lines(sealed.sweep, batch), sealed.places[batch][0]):
                value = json.loads(data)
                if value["type"] in ("observation", "failure") and value["unit"] == unit:
                    yield entry_of(index, whole(value, self.load))

    def _lines(self, sweep: str, name: str) -> list[bytes]:
        path = layout.batch(sweep, name)
        return batch_lines(self.store.get(path) or b"", path)
