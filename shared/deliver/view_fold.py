"""One pass over the records of a period, in the order of the log: what is kept is small, whatever the period's length.

Of every sweep a few numbers stay; of every control × resource its runs of status. Findings and answers stay only for the sweep that
will be shown in full and for those still open: the last one to close that was not narrowed to some resources, else the last to
close, else the last planned.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from sys import intern

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.view_coverage import instant
from shared.deliver.view_failures import Failures
from shared.deliver.view_gone import Gone
from shared.deliver.view_history import CountRuns, Passes, StatusRuns
from shared.deliver.view_model import StorageRun
from shared.deliver.view_pass import Pass, judged, seen
from shared.deliver.view_points import Load
from shared.deliver.view_sweeps import Period
from shared.deliver.waived import Waived
from shared.records import whole

_ATTRIBUTED = ("change", "status", "by", "client", "operation", "outcome", "reason")

MOST_OPEN = 4
"""Sweeps that may be under way at once with all they brought in memory; an older one keeps its numbers only."""


@dataclass(slots=True)
class Presence:
    """In which sweeps an account was in the population."""

    first: int
    last: int
    sweeps: int = 1


@dataclass(slots=True)
class Fold:
    """Takes records in, one after another."""

    period: Period
    load: Load
    order: Passes = field(default_factory=Passes)
    runs: StatusRuns = field(init=False)
    counts: CountRuns = field(default_factory=CountRuns)
    failures: Failures = field(default_factory=Failures)
    passes: dict[str, Pass] = field(default_factory=dict)
    """Every sweep by name; all but the one to be shown, and those still open, with their numbers only."""
    shown: Pass | None = None
    changes: list[tuple[int, Json]] = field(default_factory=list)
    attributions: dict[tuple[Json, ...], tuple[int, Json]] = field(default_factory=dict)
    """By what tells a change apart: the last record about who made it."""
    gone: Gone = field(init=False)
    storage: list[StorageRun] = field(default_factory=list)
    profiles: list[tuple[int, Json]] = field(default_factory=list)
    used_profiles: dict[str, None] = field(default_factory=dict)
    presence: dict[str, Presence] = field(default_factory=dict)
    personal_data: str | None = None
    exhibits: dict[int, Json] = field(default_factory=dict)
    """Records of exhibits, which findings point at, whenever they were filed."""
    waived: Waived = field(default_factory=Waived)
    waivers: dict[int, Json] = field(default_factory=dict)
    """Records of waivers, which findings point at, whenever they were granted."""
    others: Counter[str] = field(default_factory=Counter)
    records: int = 0
    _outside: set[str] = field(default_factory=set)
    _open: dict[str, Pass] = field(default_factory=dict)
    _handlers: Mapping[str, Callable[[Pass, int, Json], None]] = field(init=False)

    def __post_init__(self) -> None:
        self.runs = StatusRuns(self.order)
        self.gone = Gone(self.load)
        self._handlers = self._by_type()

    def take(self, records: Iterable[tuple[int, Json]]) -> None:
        """Take in every record; those of sweeps outside the period are passed over."""
        for index, record in records:
            self.records += 1
            kind = record["type"]
            if kind == "profile":
                # One sealed before the period may still be in force in it.
                if instant(record["at"]) < instant(self.period.end):
                    self.profiles.append((index, record))
            elif kind == "event" and isinstance(record.get("store"), dict):
                self.personal_data = record["store"].get("personal_data")
            elif kind in self._handlers and record.get("sweep"):
                self._of_sweep(index, kind, record)
            elif kind == "exhibit":
                self.exhibits[index] = record
            elif kind == "waiver":
                self.waivers[index] = self._whole(record)
                self.waived.take(index, self.waivers[index])
            elif self._inside(record["at"]):
                self.others[kind] += 1

    def finish(self) -> None:
        """Say that no more records come: where nothing closed, the last sweep planned is shown."""
        for each in list(self._open.values()):
            self._consider(each)

    @property
    def strays(self) -> int:
        """Records of sweeps whose plan did not come."""
        return sum(each.records for each in self.passes.values() if each.number < 0)

    def _inside(self, at: str) -> bool:
        return instant(self.period.start) <= instant(at) < instant(self.period.end)

    def _of_sweep(self, index: int, kind: str, record: Json) -> None:
        name = record["sweep"]
        if name in self._outside:
            return
        current = self.passes.get(name)
        if current is None:
            current = self.passes[name] = Pass(intern(name))
        current.records += 1
        if "overflow" in record:
            record = self._whole(record)
        self._handlers[kind](current, index, record)

    def _by_type(self) -> Mapping[str, Callable[[Pass, int, Json], None]]:
        return {
            "sweep-planned": self._planned,
            "observation": self._observation,
            "failure": self._failure,
            "retention": self._retention,
            "finding": self._finding,
            "change": self._change,
            "attribution": self._attribution,
            "deletion": self._deletion,
            "sweep-closed": self._closed,
        }

    def _whole(self, record: Json) -> Json:
        try:
            return whole(record, self.load)
        except Exception:  # noqa: BLE001 - whatever `load` raises, the record without its large fields is better than none
            return record

    def _planned(self, current: Pass, index: int, record: Json) -> None:
        # A sweep planned late belongs to the slot's period and to that in which it ran.
        if not self._inside(record["at"]) and not (record.get("slot") and self._inside(record["slot"])):
            self._outside.add(current.name)
            del self.passes[current.name]
            return
        current.plan, current.plan_record = record, index
        current.number = self.order.add(record["at"], narrowed=current.narrowed)
        for unit in current.units():
            if str(unit.get("asked", "")).startswith("account"):
                self._present(intern(unit["resource"]), current.number)
        for earlier, raw in current.raw.items():  # answers to what planning asks come before the plan
            if raw["type"] == "retention":
                self._store_said(earlier, raw, current.number)
            else:
                self._failed(raw, current.number)
        current.raw[index] = record
        self._open[current.name] = current
        if len(self._open) > MOST_OPEN:
            self._open.pop(next(iter(self._open))).forget()

    def _present(self, resource: str, number: int) -> None:
        known = self.presence.get(resource)
        if known is None:
            self.presence[resource] = Presence(number, number)
        elif known.last != number:
            known.last, known.sweeps = number, known.sweeps + 1

    def _retention(self, current: Pass, index: int, record: Json) -> None:
        current.raw[index] = record
        if current.number >= 0:
            self._store_said(index, record, current.number)

    def _store_said(self, index: int, record: Json, number: int) -> None:
        storage = record.get("storage") or {}
        policy, until, source = str(storage.get("policy")), storage.get("until"), str(record.get("source") or "")
        first = number
        if self.storage and (self.storage[-1].policy, self.storage[-1].source) == (policy, source):
            first = self.storage.pop().first
        self.storage.append(StorageRun(policy, until, source, first, number, index))

    def _observation(self, current: Pass, index: int, record: Json) -> None:
        kept = seen(record)
        self.gone.answered(index, kept.kind, kept.resource, kept.digests)
        if current.kept:
            current.seen[index] = kept

    def _deletion(self, current: Pass, index: int, record: Json) -> None:
        if current.number >= 0:
            self.gone.take(index, record)

    def _change(self, current: Pass, index: int, record: Json) -> None:
        current.changes += 1
        self.changes.append((index, record))

    def _attribution(self, _: Pass, index: int, record: Json) -> None:
        self.attributions[rejudge.change_key(record)] = (index, {name: record.get(name) for name in _ATTRIBUTED})

    def _failure(self, current: Pass, index: int, record: Json) -> None:
        current.failed += 1
        if current.kept:
            current.seen[index], current.raw[index] = seen(record), record
        if current.number >= 0:
            self._failed(record, current.number)

    def _failed(self, record: Json, number: int) -> None:
        kept = seen(record)
        detail = record.get("detail")
        self.failures.add(kept, record["at"], str(detail) if detail else None, number)

    def _finding(self, current: Pass, index: int, record: Json) -> None:
        finding = judged(index, record, self.waived.of(index, record))
        current.counts[finding.status] += 1
        current.by_control.setdefault(finding.control, Counter())[finding.status] += 1
        if finding.profile:
            self.used_profiles[finding.profile] = None
        if current.number >= 0:
            self.runs.add(finding.control, finding.resource, finding.status, current.number)
        if current.kept:
            current.findings.append(finding)

    def _closed(self, current: Pass, index: int, record: Json) -> None:
        if current.number < 0:
            return
        current.closed, current.closed_record, current.raw[index] = record, index, record
        if not current.narrowed:
            for control, counts in current.by_control.items():
                self.counts.add(control, counts, current.number)
        current.by_control.clear()
        self._open.pop(current.name, None)
        self._consider(current)

    def _consider(self, candidate: Pass) -> None:
        """Show `candidate` in full if it is the better one; let go of the other."""
        if self.shown is None or _weight(candidate) >= _weight(self.shown):
            if self.shown is not None and self.shown is not candidate:
                self.shown.forget()
            self.shown = candidate
        else:
            candidate.forget()


def _weight(candidate: Pass) -> tuple[bool, bool, int]:
    return candidate.closed is not None, not candidate.narrowed, candidate.number
