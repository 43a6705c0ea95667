"""What of a log lies within limits: one pass, each part that is kept named here (`shared.service.limited` says what that is)."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Refused
from shared.records import whole
from shared.service.latest import answer_key, answer_state
from shared.service.limits import Limits
from shared.service.queries import Period, Reading

_PLAN = (
    "v", "type", "at", "sweep", "resource", "kind", "unit", "slot", "schedule", "deadline", "cloud", "questions", "collector", "previous", "log",
)  # fmt: skip
_CLOSED = ("v", "type", "at", "sweep", "resource", "kind", "unit", "slot", "planned")
_OF_SUBSCRIPTIONS = ("accounts", "locations")
_FINDINGS = layout.FINDINGS_SUFFIX


@dataclass(slots=True)
class Narrowing:
    """One pass over the log: what is kept of it."""

    read: Reading
    limits: Limits
    lines: dict[int, bytes] = field(default_factory=dict)
    whole_bodies: set[str] = field(default_factory=set)
    lists: set[str] = field(default_factory=set)
    """Bodies of lists of accounts."""
    profiles: set[str] = field(default_factory=set)
    latest: dict[str, dict[str, Json]] = field(default_factory=dict)
    """By unit, the last answers, as `LatestAnswers` has them."""
    _units: dict[str, set[str]] = field(default_factory=dict)
    """Of each sweep that is kept, the units."""
    _failures: Counter[str] = field(default_factory=Counter)
    _findings: dict[str, Counter[str]] = field(default_factory=dict)
    _changes: Counter[str] = field(default_factory=Counter)

    def sweeps(self) -> list[Json]:
        """Read all that may be kept; the summaries of the sweeps."""
        when = Period(self.limits.start, self.limits.end)
        for index, record in self.read.log.records(0, min(1, self.read.log.size)):
            self._keep(index, record)  # what sort of store it is
        candidates = [sweep for sweep in self.read.within(when) if self._plan(sweep)]
        for index, record in self._records(candidates):
            narrowed = self._narrowed(whole(record, self.read.body))
            if narrowed is not None:
                self._keep(index, narrowed)
        return [self._summary(sweep) for sweep in candidates]

    def _records(self, sweeps: Iterable[Json]) -> Iterator[tuple[int, Json]]:
        seen = -1
        for sweep in sweeps:
            yield from self.read.log.records(max(sweep["first"], seen + 1), sweep["end"])
            seen = max(seen, sweep["end"] - 1)

    def _plan(self, sweep: Json) -> bool:
        """Note what is planned within the limits; False where the sweep was narrowed to something else."""
        plan = whole(next(self.read.log.records(sweep["plan_record"], sweep["plan_record"] + 1))[1], self.read.body)
        only = (plan.get("scope") or {}).get("resources")
        if only is not None and not any(map(self.limits.holds, only)):
            return False
        self._units[sweep["sweep"]] = {unit["unit"] for unit in plan["units"] if self._planned(unit)}
        return True

    @property
    def named(self) -> frozenset[str]:
        """Every unit that is kept."""
        return frozenset().union(*self._units.values())

    def _planned(self, unit: Json) -> bool:
        return self.limits.holds(unit["resource"]) or (unit["asked"] == "subscription" and self.limits.above(unit["resource"]))

    def _keep(self, index: int, record: Json) -> None:
        self.lines[index] = canonical(record)
        kind, sweep = record["type"], record["sweep"]
        if kind == "failure":
            self._failures[sweep] += 1
        elif kind == "change":
            self._changes[sweep] += 1
        elif kind == "finding":
            self._findings.setdefault(sweep, Counter())[record["status"]] += 1
            self.profiles.add(record["profile"])
        if kind in ("observation", "failure"):
            digests = [page["sha256"] for page in record["pages"]]
            (self.lists if record["kind"] == "accounts" and not self.limits.holds(record["resource"]) else self.whole_bodies).update(digests)
            if kind == "observation" and "window" not in record:
                self.latest.setdefault(record["unit"], {})[answer_key(record["kind"], record["resource"])] = answer_state(index, record["at"], digests)

    def _narrowed(self, record: Json) -> Json | None:
        """What is left of a record; None where nothing is."""
        if record["sweep"] not in self._units:
            return None
        kind, about = record["type"], record["resource"]
        if kind == "sweep-planned":
            return self._narrowed_plan(record)
        if kind == "sweep-closed":
            return self._narrowed_closing(record)
        if kind == "retention":
            return record
        if self.limits.holds(about) or (kind == "deletion" and self.limits.holds(record["account"])):
            return record if self.limits.resources is None else _without_ref(record)
        if kind in ("observation", "failure") and record["kind"] in _OF_SUBSCRIPTIONS and self.limits.above(about):
            return _without_ref(record)
        return record if kind == "finding" and about is None and record["status"] == "provider-attested" else None

    def _narrowed_plan(self, plan: Json) -> Json:
        scope, limits = plan.get("scope") or {}, self.limits
        if limits.resources is None:
            return plan

        def ours(names: Json) -> Json:
            return [name for name in names if limits.above(f"/subscriptions/{name.lower()}")] if isinstance(names, list) else None

        only = scope.get("resources")
        return {
            **{name: plan[name] for name in _PLAN if name in plan},
            "cause": _cause(plan.get("cause")),
            "scope": {
                "subscriptions": ours(scope.get("subscriptions")),
                "resources": [one for one in only if limits.holds(one)] if only is not None else None,
                "kinds": scope.get("kinds"),
            },
            "seen": ours(plan.get("seen")),
            "units": [unit for unit in plan["units"] if self._planned(unit)],
        }

    def _narrowed_closing(self, closed: Json) -> Json:
        if self.limits.resources is None:
            return closed
        units = self._units[closed["sweep"]]
        missing, failures = [unit for unit in closed["missing"] if unit in units], self._failures[closed["sweep"]]
        return {
            **{name: closed[name] for name in _CLOSED if name in closed},
            "units": {unit: place for unit, place in closed["units"].items() if unit in units},
            "findings": {name: place for name, place in closed["findings"].items() if name.removesuffix(_FINDINGS) in units},
            "missing": missing, "failures": failures, "complete": not missing and not failures,
        }  # fmt: skip

    def _summary(self, sweep: Json) -> Json:
        name, units = sweep["sweep"], self._units[sweep["sweep"]]
        missing = [unit for unit in sweep["missing"] if unit in units]
        failures = self._failures[name] if self.limits.resources is not None else sweep["failures"]
        return {
            **sweep, "units": len(units), "missing": missing, "failures": failures, "complete": not missing and not failures,
            "findings": dict(self._findings.get(name, {})), "changes": self._changes[name],
        }  # fmt: skip

    def body(self, digest: str) -> Json:
        """A body, as far as it is within.

        Raises:
            Refused: it is not.
        """
        if digest in self.whole_bodies:
            return self.read.body(digest)
        if digest in self.lists:
            page = self.read.body(digest)
            items = page.get("value") if isinstance(page, dict) else None
            return {"value": [item if isinstance(item, dict) and self.limits.holds(item.get("id")) else None for item in items or ()]}
        if digest in self.profiles:
            profile = self.read.body(digest)
            ours = [one for one in profile["overrides"] if self.limits.holds(one["id"]) or self.limits.above(one["id"])]
            return {**profile, "overrides": ours}
        raise Refused("that lies outside of what this view is limited to")


def _cause(cause: Json) -> Json:
    """Why something was looked at, without what it was: an event's id, or words of whoever ran it."""
    return {"by": cause.get("by"), "ref": None} if isinstance(cause, dict) else None


def _without_ref(record: Json) -> Json:
    return {**record, "cause": _cause(record["cause"])} if "cause" in record and record["type"] in ("observation", "failure") else record
