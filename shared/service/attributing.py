"""Who made the changes of a unit: from where the pure part (`shared.judge.attribution`) gets its answers and events, and what is asked again.

A change is attributed when it is found, with what its subscription's Activity Log said in the same sweep, and the events that caused it.
The log is minutes late, so what it does not tell yet is kept in mind with the unit's latest answers, and attributed again in its next sweep;
a second record is sealed only where it says something else, or where nothing more can come. Lost with a hint: then the first one stands.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from shared import layout
from shared.canonical import Json, canonical
from shared.judge.assemble import Entry, LoadBody, entry_of
from shared.judge.attribution import (
    QUESTIONS,
    Attribution,
    Changed,
    Ledger,
    attribute,
    chain,
    essence,
    of_attribution,
    of_change,
    question_of,
)
from shared.judge.lives.inventory import Shelf
from shared.records import moment, record
from shared.seal.commits import commit_of
from shared.seal.log import Log, open_log
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store, hinted_number, read_hint

MOST_WAITING = 1_000
"""Changes of one unit that are kept in mind: of those beyond, the first record stands."""

PATIENCE = timedelta(days=90)
"""How long: Azure keeps the Activity Log no longer."""

LEDGERS = 8
"""Ledgers that are kept: the accounts of one subscription, judged one after another, share one for each question."""


@dataclass(slots=True)
class Waiting:
    """A change that more may be said about."""

    changed: Changed
    essence: str
    """Of what was said last."""
    records: tuple[int, ...]
    """What that rested on."""

    def as_json(self) -> Json:
        """As it is kept."""
        of = self.changed
        return {"kind": of.kind, "resource": of.resource, "change": of.as_json(), "essence": self.essence, "records": list(self.records)}


def waiting_of(value: Json) -> list[Waiting]:
    """What was kept; nothing of what is torn."""
    try:
        return [Waiting(of_attribution(one), str(one["essence"]), tuple(map(int, one["records"]))) for one in value or ()]
    except (TypeError, KeyError, ValueError):
        return []


@dataclass(slots=True)
class Attributing:
    """Attributes the changes of one sweep."""

    store: Store
    sweep: str
    load: LoadBody
    _newest: dict[tuple[str, str], Entry] = field(default_factory=dict)
    """By question and subscription: what was answered in this sweep, or why it was not."""
    _known: dict[int, Entry | None] = field(default_factory=dict)
    _ledgers: dict[tuple[int, ...], Ledger] = field(default_factory=dict)
    _events: list[Entry] | None = None
    _log: Log | None = None
    _shelf: Shelf = field(init=False)

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.load)

    def take(self, index: int, value: Json) -> None:
        """Take in a record of the sweep; those that are no answers of the Activity Log are passed over."""
        if value["type"] in ("observation", "failure") and value["kind"] in QUESTIONS:
            self._newest[value["kind"], value["resource"]] = self._known[index] = entry_of(index, value)

    def lines(self, unit: str, at: str, changes: Iterable[Json], before: Json) -> tuple[list[Json], list[Json]]:
        """The records about a unit's changes, and about those of its earlier sweeps that more is known of now; and what waits after that."""
        found: list[Json] = []
        waiting: list[Waiting] = []
        for changed, said in [*((one.changed, one) for one in waiting_of(before)), *((of_change(one), None) for one in changes)]:
            says = self._attribute(changed, said.records if said else ())
            if said is None or says.essence != said.essence:
                found.append(self._record(says, unit, at))
            if not says.complete and moment(at) - moment(changed.until) < PATIENCE:
                waiting.append(Waiting(changed, says.essence, says.records))
        return found, [one.as_json() for one in waiting[-MOST_WAITING:]]

    def _record(self, says: Attribution, unit: str, at: str) -> Json:
        return record("attribution", at, sweep=self.sweep, kind=says.changed.kind, resource=says.changed.resource, unit=unit, **says.as_json())

    def _attribute(self, changed: Changed, also: Sequence[int]) -> Attribution:
        question = question_of(changed)
        if question is None:
            return attribute(changed, Ledger((), self._shelf))
        entries = self._events_of(changed.target)
        entries += [entry for entry in map(self._entry_at, also) if entry is not None and entry.failure is None]
        newest = self._newest.get((question, "/".join(changed.target.split("/")[:3])))
        if newest is not None:
            entries += chain(newest, changed.since, self._entry_at)
        key = tuple(sorted({entry.record for entry in entries}))
        ledger = self._ledgers.pop(key, None) or Ledger(entries, self._shelf)
        self._ledgers[key] = ledger
        while len(self._ledgers) > LEDGERS:
            del self._ledgers[next(iter(self._ledgers))]
        return attribute(changed, ledger)

    # -- where answers and events are ---------------------------------------------------------------------------------------

    def _entry_at(self, index: int) -> Entry | None:
        """The answer, or event, at an index of the log."""
        if index not in self._known:
            if self._log is None or index >= self._log.size:
                self._log = open_log(self.store)
            value = next((value for _, value in self._log.records(index, index + 1)), None) if index < self._log.size else None
            told = value is not None and value["type"] in ("observation", "failure", "event") and "overflow" not in value
            self._known[index] = entry_of(index, value) if told else None
        return self._known[index]

    def _events_of(self, target: str) -> list[Entry]:
        """The events that caused this sweep, of the account that `target` is, or is in."""
        if self._events is None:
            self._events = [*self._read_events()] if layout.BY_EVENT in self.sweep else []
        return [event for event in self._events if target == event.resource or target.startswith(f"{event.resource}/")]

    def settle_events(self) -> None:
        """Read which events caused this sweep, and forget where that is noted: the sweep is about to be closed."""
        if layout.BY_EVENT in self.sweep:
            self._events_of("")
            forget_events(self.store, self.sweep)

    def _read_events(self) -> Iterable[Entry]:
        for path in list(self.store.list(layout.events_of(self.sweep))):
            batch = layout.batch(path.rpartition("/")[2], layout.EVENT)
            index = self._place(batch, hinted_number(read_hint(self.store, path), "since"))
            data = self.store.get(batch)
            if index is not None and data is not None:
                entry = entry_of(index, json.loads(batch_lines(data, batch)[0]))
                self._known[index] = entry
                yield entry

    def _place(self, batch: str, since: int) -> int | None:
        """The index of the first record of a batch that was sealed after the commit `since`; None where it is not sealed."""
        seq = since
        while (data := self.store.get(layout.commit(seq := seq + 1))) is not None:
            for ref, first in commit_of(data, seq).places():
                if ref.path == batch:
                    return first
        return None


def note_event(store: Store, sweep: str, event: str, since: int) -> None:
    """Note that an event, which is sealed after the commit `since`, caused a sweep: whoever judges that looks for it from there on."""
    store.put(layout.event_of(sweep, event), canonical({"since": since}))


def forget_events(store: Store, sweep: str) -> None:
    """Forget which events caused a sweep."""
    for path in list(store.list(layout.events_of(sweep))):
        store.delete(path)


def after_crash(before: Json, sealed: Iterable[Json]) -> list[Json]:
    """What waits after a unit whose records were written, and not remembered: what was kept before, and what they say may become more."""
    found = {one.changed.key: one for one in waiting_of(before)}
    for value in sealed:
        changed = of_attribution(value)
        found.pop(changed.key, None)
        if not value["complete"]:
            found[changed.key] = Waiting(changed, essence(value["status"], value["by"], complete=False), tuple(value["records"]))
    return [one.as_json() for one in found.values()]

