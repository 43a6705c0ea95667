"""One pass over the records of a period, in the order of the log. What is kept is small: runs of status, not records.

Takes stored lines, so that the verifier, which has them as bytes, need not parse answers: of these only the time is read. Records whose
large fields cannot be loaded are passed over; whoever verifies has said so elsewhere.
"""

import json
import re
from array import array
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from sys import intern

from shared.canonical import Json
from shared.deliver.period.population import Population
from shared.deliver.period.timeline import Timeline
from shared.errors import EvidenceError
from shared.records import whole
from shared.schedule import parse

GRACE = 3_600_000_000
"""How long after the next slot an observation still stands: a sweep needs its time. Microseconds."""
UNDECLARED = 24 * GRACE
"""For how long an observation stands where no schedule says when the next is due. Microseconds."""
REACH = 1 << 17
"""A finding finds the times of answers at most this many records before it; of older ones, its own time is taken."""

_SLOTS = 2 * REACH
_ANSWER = b'{"at":"'
_TAKEN = ("finding", "sweep-planned", "failure", "change", "attribution", "deletion", "waiver", "exhibit")
_MARK = re.compile(b'"type":"(?:%b)"' % "|".join(_TAKEN).encode()).search
_MALFORMED = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError, EvidenceError)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@lru_cache(maxsize=1 << 12)
def micros(time: str) -> int:
    """Microseconds since 1970.

    Raises:
        ValueError: it is no time.
    """
    found = datetime.fromisoformat(time)
    return ((found if found.tzinfo else found.replace(tzinfo=UTC)) - _EPOCH) // _MICROSECOND


def stamp(at: int) -> str:
    """As records write times."""
    time = _EPOCH + timedelta(microseconds=at)
    if at < 0:  # years before 1000 have no leading zeros with `strftime`, which takes four times as long
        return time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return f"{time.isoformat(timespec='microseconds')[:26]}Z"


@dataclass(slots=True)
class PeriodFold:
    """Takes records in, one after another."""

    start: str
    end: str
    load: Callable[[str], Json]
    timelines: dict[tuple[str, str | None], Timeline] = field(default_factory=dict)
    population: Population = field(init=False)
    changes: list[Json] = field(default_factory=list)
    deletions: list[Json] = field(default_factory=list)
    waivers: list[Json] = field(default_factory=list)
    acts: dict[int, tuple[str, Json]] = field(default_factory=dict)
    """By which exhibits were filed or withdrawn, whenever that was: time, and what each says."""
    failures: int = 0
    sweeps: int = 0
    _inside: dict[str, int] = field(default_factory=dict)
    """By sweep of the period: microseconds for which its observations stand, grace included."""
    _changed: dict[tuple[str, str | None, int | None], Json] = field(default_factory=dict)
    _noted: "array[int]" = field(default_factory=lambda: array("q", [-1]) * _SLOTS)
    """Which record's time each slot has; a later record takes the slot of one that is out of reach."""
    _times: "array[int]" = field(default_factory=lambda: array("q", [0]) * _SLOTS)
    _unlisted: dict[str, set[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.population = Population((micros(self.start), micros(self.end)))

    def line(self, index: int, line: bytes) -> None:
        """Take in a stored line; one that is no record, or cannot be loaded whole, is passed over."""
        with suppress(*_MALFORMED):
            if _MARK(line):
                self._take(index, whole(json.loads(line), self.load))
            elif line.startswith(_ANSWER):
                self._note(index, line[7 : line.index(b'"', 7)].decode())

    def take(self, index: int, record: Json) -> None:
        """Take in a record with all its fields; one that is not as records are is passed over."""
        with suppress(*_MALFORMED):
            self._take(index, record)

    def _take(self, index: int, record: Json) -> None:
        kind = record["type"]
        self._note(index, record["at"])
        if kind == "sweep-planned":
            self._planned(index, record)
        elif kind == "finding":
            self._finding(index, record)
        elif kind == "failure":
            self._failure(record)
        elif kind == "exhibit":
            self.acts[index] = (record["at"], record["exhibit"])
        elif kind == "change" and record["sweep"] in self._inside:
            change = _change(index, record)
            self.changes.append(change)
            self._changed[record["kind"], record["resource"], record.get("to")] = change
        elif kind == "attribution":
            change = self._changed.get((record["kind"], record["resource"], record["change"]["to"]))
            if change is not None:
                change |= {"actor": record["by"], "attribution": index}
        elif kind in ("deletion", "waiver") and self.start <= record["at"] < self.end:
            if kind == "deletion":
                self.deletions.append(_other(index, record))
            else:
                self.waivers.append(_other(index, {**record["waiver"], **{name: record[name] for name in ("at", "resource", "kind")}}))

    def _note(self, index: int, at: str) -> None:
        slot = index % _SLOTS
        self._times[slot] = micros(at)
        self._noted[slot] = index

    def _planned(self, index: int, plan: Json) -> None:
        time = plan["slot"] or plan["at"]
        unlisted = self._unlisted.pop(plan["sweep"], set())
        if not self.start <= time < self.end or plan["sweep"] in self._inside:
            return
        self._inside[plan["sweep"]] = valid_for(plan["schedule"], time)
        self.sweeps += 1
        if not (plan.get("scope") or {}).get("resources"):
            units = {intern(unit["resource"]): unit["asked"] for unit in plan["units"]}
            self.population.plan(index, micros(plan["at"]), units, unlisted)

    def _failure(self, record: Json) -> None:
        self.failures += record["sweep"] in self._inside
        if record["kind"] == "accounts" and record["resource"]:
            self._unlisted.setdefault(record["sweep"], set()).add(record["resource"])

    def _finding(self, index: int, finding: Json) -> None:
        valid = self._inside.get(finding["sweep"])
        if valid is None:
            return
        noted, reach = self._noted, index - REACH
        times = [self._times[one % _SLOTS] for one in finding["records"] if max(reach, 0) <= one <= index and noted[one % _SLOTS] == one]
        at = max(times) if times else micros(finding["at"])
        resource = intern(finding["resource"]) if finding["resource"] else None
        timeline = self.timelines.setdefault((intern(finding["control"]), resource), Timeline())
        timeline.add(finding["status"], index, at=at, until=at + valid)


@lru_cache(maxsize=4096)
def valid_for(schedule: str | None, time: str) -> int:
    """For how long the observations of the sweep of this slot (or plan) stand: until the slot after it, and the grace. Microseconds."""
    if not schedule:
        return UNDECLARED
    try:
        parsed, at = parse(schedule), datetime.fromisoformat(time)
        return (parsed.next(at) - parsed.latest(at)) // _MICROSECOND + GRACE
    except (EvidenceError, ValueError, OverflowError):
        return UNDECLARED


def _change(index: int, record: Json) -> Json:
    """What is kept of a change. `actor` is what the last attribution in the period says of who did it, null where none can say."""
    return {
        "record": index, "resource": record["resource"], "kind": record["kind"], "since": record.get("since"), "until": record.get("until"),
        "fields": [str(each.get("pointer")) for each in record.get("fields") or ()], "actor": None, "attribution": None,
    }  # fmt: skip


def _other(index: int, record: Json) -> Json:
    """What is kept of a deletion or a waiver: where it is, and what it is about."""
    kept = (
        "control", "resource", "kind", "object", "count", "after", "before", "status", "cause", "by", "supersedes", "from", "until", "expires", "owner", "reason",
        "action", "number", "waiver",
    )  # fmt: skip
    return {"record": index, "at": record["at"], **{name: record[name] for name in kept if record.get(name) is not None}}
