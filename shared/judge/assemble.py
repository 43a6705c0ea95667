"""From sealed records to what is judged: the same assembly for the collector, which judges first, and the verifier, which judges again.

Pure: bodies come through a function. Records are added in the order of the log; what is kept of each is small.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, NamedTuple

from shared.canonical import Json
from shared.judge.exhibits import Exhibit
from shared.judge.waivers import Waiver
from shared.model import Answer, Evidence

LoadBody = Callable[[str], Json]
"""Gives the parsed body with this SHA-256."""

SWEEP_UNIT = "sweep"
"""The unit that findings about the collection itself carry."""

PLAN_UNIT = "plan"

EVENT = "event"
"""As what an event of Azure's is kept, beside answers."""


@dataclass(frozen=True, slots=True)
class Window:
    """Of which time a log was asked for, and where the answer before it ended."""

    start: str
    end: str
    previous: str | None
    """None: nothing was answered before."""
    record: int | None = None
    """Of the answer before."""
    around: bool = False
    """Narrow, because of an event: it follows no answer, and none follows it."""

    @property
    def reach(self) -> str:
        """How it follows what was answered before, in words that do not change while all goes well: see `Answer.reach`."""
        if self.around:
            return "around"
        if self.previous is None:
            return f"first {self.start}"
        return "on" if self.start <= self.previous else f"gap {self.previous} {self.start}"


class Likeness(NamedTuple):
    """An answer without its place in the log: equal for two answers exactly when judging them gives the same."""

    kind: str
    resource: str
    digests: tuple[str, ...]
    failure: str | None
    status: int | None
    detail: str | None = None
    reach: str | None = None

    def entry(self, record: int) -> "Entry":
        """The same at its place."""
        return Entry(self.kind, self.resource, record, "", self.digests, self.failure, self.status, self.detail, self.reach)


class Bodies(Sequence[Json]):
    """The parsed pages of an answer, each loaded when it is looked at: a list of a hundred thousand files is never held whole."""

    def __init__(self, digests: tuple[str, ...], load: LoadBody) -> None:
        self._digests = digests
        self._load = load

    def __len__(self) -> int:
        return len(self._digests)

    def __getitem__(self, place: Any) -> Any:
        if isinstance(place, slice):
            return [self._load(digest) for digest in self._digests[place]]
        return self._load(self._digests[place])


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of an observation or failure."""

    kind: str
    resource: str
    record: int
    at: str
    digests: tuple[str, ...]
    failure: str | None
    status: int | None
    detail: str | None = None
    """Of a failure: Azure's error code, or a word of ours."""
    reach: str | None = None
    """Of a question about a log: how it follows the answer before (`Answer.reach`)."""
    window: Window | None = None

    def answer(self, load: LoadBody) -> Answer:
        """The answer with its bodies."""
        pages: Sequence[Json] = () if self.failure else Bodies(self.digests, load) if len(self.digests) > 1 else (load(self.digests[0]),)
        return Answer(self.kind, self.resource, self.record, pages, self.failure, self.status, self.detail, self.reach)

    @property
    def likeness(self) -> "Likeness":
        """Equal for two entries exactly when judging them gives the same, record indexes apart."""
        return Likeness(self.kind, self.resource, () if self.failure else self.digests, self.failure, self.status, self.detail, self.reach)


def entry_of(index: int, record: Json) -> Entry:
    """What is kept of an observation, failure or event record."""
    failed = record["type"] == "failure"
    window = _window(record.get("window"))
    return Entry(
        record["kind"] if record["type"] != "event" else EVENT,
        record["resource"] or "",
        index,
        record["at"],
        tuple(page["sha256"] for page in record.get("pages", ())),
        record["reason"] if failed else None,
        (record.get("response") or {}).get("status"),
        record["detail"] if failed else None,
        window.reach if window else None,
        window,
    )


def _window(value: Json) -> Window | None:
    if not isinstance(value, dict):
        return None
    start, end, previous = value.get("from"), value.get("to"), value.get("previous")
    to, before = (previous.get("to"), previous.get("record")) if isinstance(previous, dict) else (None, None)
    if not isinstance(start, str) or not isinstance(end, str) or not isinstance(to, str | None) or not isinstance(before, int | None):
        return None
    return Window(start, end, to, before, value.get("around") is not None)


@dataclass(slots=True)
class SweepRecords:
    """The records of one sweep, as far as judging needs them."""

    plan: Json = None
    plan_record: int = -1
    retention: Json = None
    retention_record: int = -1
    units: dict[str, dict[tuple[str, str], Entry]] = field(default_factory=dict)
    failures: list[Entry] = field(default_factory=list)
    locations: dict[str, Entry] = field(default_factory=dict)
    """The answer to `locations`, by subscription."""
    skew: float | None = None
    """The largest distance, in seconds, between our clock and the one that Azure's answers show."""
    exhibits: tuple[Exhibit, ...] | None = None
    """What was filed among the first `log.size` records of the plan; None: not read."""
    waivers: tuple[Waiver, ...] | None = None
    """What was waived among them, expired and ended ones too; None: not read."""

    def add(self, index: int, record: Json) -> None:
        """Take in one record; types that judging does not rest on are passed over."""
        kind = record["type"]
        if kind in ("observation", "failure"):
            self._add_answer(index, record)
        elif kind == "sweep-planned":
            self.plan, self.plan_record = record, index
        elif kind == "retention":
            self.retention, self.retention_record = record, index

    def _add_answer(self, index: int, record: Json) -> None:
        entry, response = entry_of(index, record), record.get("response") or {}
        self.units.setdefault(record["unit"], {})[entry.kind, entry.resource] = entry
        if entry.kind == "locations":
            self.locations[entry.resource] = entry
        if entry.failure:
            self.failures.append(entry)
        if response.get("date"):
            distance = _distance(record["at"], response["date"])
            if distance is not None and (self.skew is None or distance > self.skew):
                self.skew = distance

    def unit_resource(self, unit: str) -> str:
        """The resource that the plan names for `unit`."""
        return next((planned["resource"] for planned in self.plan["units"] if planned["unit"] == unit), "")

    def evidence(self, resource: str, entries: Iterable[Entry], load: LoadBody, context: Evidence | None = None) -> Evidence:
        """The evidence of one unit, its bodies loaded."""
        return Evidence(resource, {(entry.kind, entry.resource): entry.answer(load) for entry in entries}, context)

    def context_entries(self, resource: str) -> list[Entry]:
        """Of the subscription that the account `resource` is in: the answers that the account is judged with."""
        located = self.locations.get("/".join(resource.split("/")[:3]))
        return [located] if located else []


def _distance(at: str, date: str) -> float | None:
    try:
        return abs((datetime.fromisoformat(at) - parsedate_to_datetime(date)).total_seconds())
    except (ValueError, TypeError):
        return None
