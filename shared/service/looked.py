"""What was known of each resource at one size of the log: read from the sweeps that were closed by then, and from nothing in `state/`.

The newest of a question is the one with the highest index, out of sweeps that were planned and closed within the records that are looked
at. A sweep that somebody narrowed, or an event caused, says nothing of what lies outside its scope.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

from shared import layout
from shared.canonical import Json
from shared.collect.endpoints import UNCOMPARED
from shared.judge.assemble import PLAN_UNIT
from shared.judge.baselines import Key, Outcome
from shared.records import whole
from shared.seal.log import Log
from shared.service.queries import Reading

LOOK_BACK = 8
"""Sweeps that no event caused, among which the answer to a question is looked for that failed in the last one."""

_AWAY = ("not-found", "gone")
"""Failures that say that nothing is there: an answer. Not where it is the subscription that is not found: so Azure answers who lost all rights in it, too."""


def reach(sweeps: list[Json], size: int) -> int:
    """The index of the first record to look at, given the size of the log."""
    first, left = size, LOOK_BACK
    for sweep in reversed([sweep for sweep in sweeps if sweep["end"] <= size]):
        first = min(first, sweep["first"])
        left -= layout.BY_EVENT not in sweep["sweep"]
        if not left:
            break
    return int(first)


class _Sweep:
    """A closed sweep: its plan and its records, read when they are asked for."""

    def __init__(self, read: Reading, log: Log, summary: Json) -> None:
        self._read, self._log = read, log
        self.name, self.end = str(summary["sweep"]), int(summary["end"])
        self._places = summary["plan_record"], summary["closed_record"]
        self._first = int(summary["first"])

    def _record(self, index: int) -> Json:
        return whole(next(self._log.records(index, index + 1))[1], self._read.body)

    def plan(self) -> Json:
        """Not kept: one of a large estate is large."""
        return self._record(self.planned)

    @property
    def planned(self) -> int:
        return int(self._places[0])

    @cached_property
    def _scope(self) -> Json:
        return self.plan()["scope"]

    @cached_property
    def _units(self) -> Mapping[str, list[int]]:
        return dict(self._record(self._places[1])["units"])

    @cached_property
    def _asked_in_plan(self) -> dict[str, list[tuple[int, Json]]]:
        found: dict[str, list[tuple[int, Json]]] = {}
        first, _ = self._units.get(PLAN_UNIT, (self._first, 0))  # a limited view has no such unit, and some of its records
        for index, record in self._log.records(first, self.planned):
            found.setdefault(record.get("unit", ""), []).append((index, whole(record, self._read.body)))
        return found

    def covers(self, resource: str) -> bool:
        """Whether its scope includes a resource: all of it, where nothing narrows it."""
        if self._scope["resources"] is not None:
            return resource in self._scope["resources"]
        return self._scope["subscriptions"] is None or resource.split("/")[2] in self._scope["subscriptions"]

    @property
    def is_whole(self) -> bool:
        """Whether nothing narrows it."""
        return self._scope["resources"] is None and self._scope["subscriptions"] is None

    def outcomes(self, unit: str) -> list[tuple[Key, Outcome]]:
        """What the questions about a unit came to, in the order of the log."""
        first, count = self._units.get(unit, (0, 0)) if unit != PLAN_UNIT else (0, 0)
        own = [(index, whole(record, self._read.body)) for index, record in self._log.records(first, first + count)]
        return [
            ((record["kind"], record["resource"] or ""), _outcome(index, record))
            for index, record in self._asked_in_plan.get(unit, []) + own
            if record["type"] in ("observation", "failure") and record["kind"] not in UNCOMPARED
        ]


def _outcome(index: int, record: Json) -> Outcome:
    if record["type"] == "observation":
        return Outcome(index, record["at"], record["sweep"], tuple(page["sha256"] for page in record["pages"]))
    reason, detail = record["reason"], record["detail"]
    away = reason in _AWAY and "subscription" not in detail.casefold()
    why = reason + (f" ({detail})" if detail else "")
    return Outcome(index, record["at"], record["sweep"], None, None if away else why)


@dataclass(frozen=True, slots=True)
class Presence:
    """Whether a resource was there."""

    state: Literal["there", "gone", "unseen"]
    why: str = ""
    record: int | None = None
    """What shows it."""


@dataclass(slots=True)
class Looked:
    """What was known, given the records from `start` to before `size`.

    `answers`: where the newest outcome of a question is a failure, the answer before it, as far as one is there, is taken instead.
    """

    read: Reading
    start: int
    size: int
    answers: bool = False
    _sweeps: list[_Sweep] = field(init=False)
    _lists: dict[str, tuple[Outcome | None, frozenset[str] | None]] = field(default_factory=dict)
    _last: tuple[str, dict[Key, Outcome]] = ("", {})

    def __post_init__(self) -> None:
        log = self.read.log_afresh()
        within = [sweep for sweep in self.read.sweeps if self.start <= sweep["first"] and sweep["end"] <= self.size]
        self._sweeps = [_Sweep(self.read, log, sweep) for sweep in reversed(within)]

    def units(self) -> dict[str, Json]:
        """By name, the units that were planned in the last sweep of everything and since, and the plan itself; not all of them were there."""
        found: dict[str, Json] = {}
        for sweep in self._sweeps:
            for unit in sweep.plan()["units"]:
                found.setdefault(unit["unit"], unit)
            if sweep.is_whole:
                break
        return found | ({PLAN_UNIT: {"unit": PLAN_UNIT, "resource": "", "asked": PLAN_UNIT}} if self._sweeps else {})

    def of(self, unit: str) -> dict[Key, Outcome]:
        """What the questions that were asked last about a unit came to."""
        if self._last[0] != unit:
            self._last = (unit, self._read_unit(unit))
        return self._last[1]

    def one(self, unit: str, key: Key) -> Outcome | None:
        """What a single question about a unit came to: earlier sweeps are read where it failed alone, not where any other did."""
        return self._read_unit(unit, key).get(key)

    def _read_unit(self, unit: str, only: Key | None = None) -> dict[Key, Outcome]:
        found: dict[Key, Outcome] = {}
        first = -1
        for sweep in self._sweeps:
            failed = self.answers and any(outcome.failure for key, outcome in found.items() if only in (None, key))
            if found and not failed and sweep.end <= min(outcome.record for outcome in found.values()):
                break
            newest = not found or sweep.end > first  # one that was closed before may have asked later
            for key, outcome in sweep.outcomes(unit):
                known = found.get(key)
                if newest if known is None else self._rather(outcome, known):
                    found[key] = outcome
            if first < 0 and found:
                first = min(outcome.record for outcome in found.values())
        return found

    def _rather(self, outcome: Outcome, known: Outcome) -> bool:
        if self.answers and bool(outcome.failure) != bool(known.failure):
            return not outcome.failure
        return outcome.record > known.record

    def presence(self, unit: Json) -> Presence:
        """Whether what a unit is about was there, as far as sweeps told."""
        resource = unit["resource"]
        outcomes = self.of(unit["unit"])
        asked = max((outcome.record for outcome in outcomes.values()), default=-1)
        if not resource:
            return Presence("there")
        listed: Outcome | None = None
        if "/accounts/" in resource:
            listed, ids = self._listed(resource.split("/")[2])
            if listed and listed.record > asked and ids is not None and resource not in ids:
                return Presence("gone", "is not in the list of accounts any more", listed.record)
            own = outcomes.get(("account", resource))
            if own and own.pages is None and not own.failure:
                return Presence("gone", "Azure says that it is not there", own.record)
        over = next((sweep for sweep in self._sweeps if sweep.planned > asked and sweep.covers(resource)), None)
        if over is None:
            return Presence("there") if asked >= 0 else Presence("unseen", f"was not asked about in the last {LOOK_BACK} sweeps")
        failure = listed.failure if listed and listed.record > asked else None
        return Presence("unseen", f"the list of accounts failed: {failure}" if failure else f"sweep {over.name} did not come to it")

    def list_of(self, resource: str) -> Outcome | None:
        """The newest outcome of listing what a unit appears in, None where that was not asked: accounts, or subscriptions."""
        if "/accounts/" in resource:
            return self._listed(resource.split("/")[2])[0]
        return self._read_unit(PLAN_UNIT).get(("subscriptions", ""))

    def _listed(self, subscription: str) -> tuple[Outcome | None, frozenset[str] | None]:
        """The newest list of a subscription's accounts, and the ids in it where it was answered."""
        if subscription not in self._lists:
            outcome = self._read_unit(f"subscription-{subscription}").get(("accounts", f"/subscriptions/{subscription}"))
            ids = frozenset(_ids(self.read, outcome.pages)) if outcome and outcome.pages is not None else None
            self._lists[subscription] = (outcome, ids)
        return self._lists[subscription]


def _ids(read: Reading, pages: tuple[str, ...]) -> Iterator[str]:
    for digest in pages:
        page = read.body(digest)
        for item in page.get("value") or () if isinstance(page, dict) else ():
            if isinstance(item, dict) and isinstance(item.get("id"), str):
                yield item["id"].lower()
