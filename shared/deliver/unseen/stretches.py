"""Questions, and whole units of work, that had no answer: since when, until when, last seen when. One pass in the order of the log, and one back.

A stretch begins with the first failure after an answer, and ends with the next answer. An answer about a narrow window, because of an
event, is none to the whole question: it ends no stretch. What a failure took with it are the findings that name its record.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.judge.assemble import Entry, entry_of

MISSING = "missing"
"""Instead of a failure's reason: a unit of the plan that brought nothing before its sweep was closed."""
LATE = "late"
"""The same, where its answers came, and too late to be judged."""

Key = tuple[str, str]
"""Question and resource; of a whole unit `""` and its name."""
Place = tuple[int, str]
"""Index of a record, and its time."""

_PLANNING = "accounts"
"""The one question of planning that carries the unit of its subscription: its answer does not show that the unit was collected."""


@dataclass(slots=True)
class Stretch:
    """One question without an answer, or one unit without any."""

    key: Key
    resource: str
    unit: str
    since: Place
    """The first failure of the stretch."""
    last: Place
    """The newest one."""
    sweep: str
    reason: str
    detail: str | None
    reasons: Counter[str] = field(default_factory=Counter)
    """How often which reason was met: a question is asked once in each sweep."""
    seen_before: Place | None = None
    """The last answer before it; None: there never was one, or nobody looked back yet."""
    seen_again: Place | None = None
    caught_up: bool = False
    """Of a log: whether the answer after it reaches back to where the one before had ended, so that nothing is lost."""
    controls: set[str] = field(default_factory=set)
    """Controls that are unknown because of it."""


@dataclass(frozen=True, slots=True)
class LogGap:
    """Of which time a log was never read."""

    kind: str
    resource: str
    start: str
    end: str
    record: int


@dataclass(slots=True)
class Unknown:
    """One control of one resource that is unknown, though no question failed."""

    control: str
    resource: str | None
    reason: str
    first: int
    last: int
    times: int = 1
    still: bool = True
    """Whether the newest finding about it says so."""


@dataclass(slots=True)
class Unseen:
    """Takes in the records of the sweeps `names`, in the order of the log; observations of others too, since what they show is seen."""

    names: frozenset[str]
    stretches: list[Stretch] = field(default_factory=list)
    gaps: list[LogGap] = field(default_factory=list)
    unknown: dict[tuple[str, str | None], Unknown] = field(default_factory=dict)
    attested: set[str] = field(default_factory=set)
    units: dict[str, str] = field(default_factory=dict)
    """Name and resource of every unit that was asked about."""
    answered: int = 0
    failed: int = 0
    findings: int = 0
    _open: dict[Key, Stretch] = field(default_factory=dict)
    _seen: dict[Key, Place] = field(default_factory=dict)
    _by_failure: dict[int, Stretch] = field(default_factory=dict)
    _brought: dict[str, set[str]] = field(default_factory=dict)
    """By sweep that is not closed yet: the units that brought something."""

    def take(self, index: int, record: Json) -> None:
        """Take in one record with all its fields; types that tell nothing here are passed over."""
        kind, own = record["type"], record["sweep"] in self.names
        if kind == "observation":
            self._observation(entry_of(index, record), record, own=own)
        elif kind == "failure" and own:
            self._failure(entry_of(index, record), record)
        elif kind == "sweep-planned" and own:
            self.units |= {unit["unit"]: unit["resource"] for unit in record["units"]}
        elif kind == "sweep-closed" and own:
            self._closed(index, record)
        elif kind == "finding" and own:
            self._finding(index, record)

    def still(self) -> list[Stretch]:
        """The stretches that have not ended."""
        return [stretch for stretch in self.stretches if stretch.seen_again is None]

    def look_back(self, stretches: Iterable[Stretch], records: Iterable[tuple[int, Json]]) -> None:
        """Find out since when, and what was seen last, from the records before those that were taken in, the newest first; stops when all is known."""
        waiting = {stretch.key: stretch for stretch in stretches if stretch.seen_before is None}
        for index, record in records if waiting else ():
            if record["type"] == "sweep-closed":
                for unit in record["missing"]:
                    _earlier(waiting.get(("", unit)), (index, record["at"]), MISSING)
            elif record["type"] == "failure":
                _earlier(waiting.get((record["kind"], record["resource"] or "")), (index, record["at"]), record["reason"])
            elif record["type"] == "observation":
                entry = entry_of(index, record)
                for key in _shown_by(entry, record):
                    if stretch := waiting.pop(key, None):
                        stretch.seen_before = (index, entry.at)
                if not waiting:
                    return

    def _observation(self, entry: Entry, record: Json, *, own: bool) -> None:
        self.answered += own
        self._note_unit(record)
        for key in _shown_by(entry, record):
            self._seen[key] = (entry.record, entry.at)
            if stretch := self._open.pop(key, None):
                stretch.seen_again = (entry.record, entry.at)
                stretch.caught_up = entry.window is not None and entry.window.reach == "on"
        window = entry.window
        if own and window is not None and window.previous is not None and window.reach.startswith("gap"):
            self.gaps.append(LogGap(entry.kind, entry.resource, window.previous, window.start, entry.record))

    def _failure(self, entry: Entry, record: Json) -> None:
        self.failed += 1
        self._note_unit(record)
        failed = self._failed((entry.kind, entry.resource), entry.resource, record, entry.record, str(entry.failure), entry.detail)
        self._by_failure[entry.record] = failed

    def _note_unit(self, record: Json) -> None:
        if record["kind"] != _PLANNING:
            self._brought.setdefault(record["sweep"], set()).add(record["unit"])

    def _closed(self, index: int, record: Json) -> None:
        brought = self._brought.pop(record["sweep"], set())
        for unit in record["missing"]:
            self._failed(
                ("", unit), self.units.get(unit, unit), {**record, "unit": unit}, index, LATE if unit in brought else MISSING, None
            )

    def _failed(self, key: Key, resource: str, record: Json, index: int, reason: str, detail: str | None) -> Stretch:
        place = (index, record["at"])
        stretch = self._open.get(key)
        if stretch is None:
            stretch = Stretch(key, resource, record["unit"], place, place, record["sweep"], reason, detail, seen_before=self._seen.get(key))
            self._open[key] = stretch
            self.stretches.append(stretch)
        stretch.last, stretch.sweep, stretch.reason, stretch.detail = place, record["sweep"], reason, detail
        stretch.reasons[reason] += 1
        return stretch

    def _finding(self, index: int, record: Json) -> None:
        self.findings += 1
        key = (record["control"], record["resource"])
        known = self.unknown.get(key)
        if known is not None:
            known.still = False
        if record["status"] == "provider-attested":
            self.attested.add(record["control"])
        elif record["status"] == "unknown":
            because = [self._by_failure[one] for one in record["records"] if one in self._by_failure]
            for stretch in because:
                stretch.controls.add(record["control"])
            if not because and known is None:
                self.unknown[key] = Unknown(*key, record["reason"], index, index)
            elif not because and known is not None:
                known.reason, known.last, known.times, known.still = record["reason"], index, known.times + 1, True


def _shown_by(entry: Entry, record: Json) -> list[Key]:
    """What an observation shows to be seen: its question, and its unit."""
    if entry.window is not None and entry.window.around:
        return []
    unit = [("", record["unit"])] if entry.kind != _PLANNING else []
    return [(entry.kind, entry.resource), *unit]


def _earlier(stretch: Stretch | None, place: Place, reason: str) -> None:
    if stretch is not None:
        stretch.since = place
        stretch.reasons[reason] += 1
