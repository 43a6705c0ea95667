"""The use-case `drift`: what differs now from what was approved. Read from the log: nothing that was remembered is relied on.

What differs now counts, whatever happened in between: what changed and changed back is as approved. Where nobody could look, then or
now, it is unknown and never as approved.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import lru_cache

from shared.canonical import Json
from shared.judge import drift
from shared.judge.baselines import Baseline, Key, Outcome, baseline_of, holding, paired
from shared.judge.meaning import meanings, worst
from shared.judge.profile import Profile, effective
from shared.model import SEVERITIES
from shared.service.baseline import baselines_in
from shared.service.judging import difference
from shared.service.looked import Looked, reach
from shared.service.queries import Filter, Reading, profile_in_force

DRIFTED = ("drifted", "new", "gone")
NOT_KNOWN = ("unknown", "never approved")
AS_APPROVED = "as approved"
BEFORE = "what was approved was seen before the period that this view shows"
"""Why a limited view does not know."""


def drifted(read: Reading, wanted: Filter, size: int | None = None) -> Iterator[Json]:
    """Each resource that sweeps ask about, with what differs from its baseline: `state` is `as approved`, `drifted`, `new` or `gone`,
    `unknown`, or `never approved`, where no baseline covers it. None that is not there now and was not there then.
    `size`: as things stood when the log had so many records; without it, at the end of the last closed sweep that is read.

    Raises:
        StoreConflict: the log is not what was sealed, or what is at the path of a baseline is none.
    """
    upto = max((int(sweep["end"]) for sweep in read.sweeps), default=0) if size is None else size
    known = holding([one for one in baselines_in(read.store) if one.size <= upto])
    return _Comparison(read, known, profile_in_force(read), upto).run(wanted)


def at_the_end(read: Reading, sweeps: list[Json]) -> list[Json] | None:
    """The same as of the last of these closed sweeps; None where nothing was approved by then."""
    size = max((int(sweep["end"]) for sweep in sweeps), default=0)
    approved = any(one.size <= size for one in baselines_in(read.store))
    return list(drifted(read, Filter(), size)) if approved else None


def summary(read: Reading) -> Json:
    """How many resources are as approved, drifted and unknown; null where nothing was ever approved."""
    if not baselines_in(read.store):
        return None
    states = Counter(one["state"] for one in drifted(read, Filter()))
    return {
        "as_approved": states[AS_APPROVED], "drifted": sum(states[state] for state in DRIFTED), "unknown": states["unknown"],
        "never_approved": states["never approved"],
    }  # fmt: skip


@dataclass(slots=True)
class _Comparison:
    read: Reading
    baselines: list[Baseline]
    profile: Profile
    size: int
    now: Looked = field(init=False)
    body: Callable[[str], Json] = field(init=False)
    """Those loaded lately are kept, since many accounts share them."""
    first: int = field(init=False)
    """Index of the first record that can be read."""
    _then: dict[tuple[int, int], Looked] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.now = Looked(self.read, reach(self.read.sweeps, self.size), self.size)
        self.body = lru_cache(64)(self.read.body)
        self.first = min((int(sweep["first"]) for sweep in self.read.sweeps), default=0)

    def then(self, baseline: Baseline) -> Looked:
        """What was known when a baseline was approved."""
        place = baseline.start, baseline.size
        if place not in self._then:
            self._then[place] = Looked(self.read, *place, answers=True)
        return self._then[place]

    def run(self, wanted: Filter) -> Iterator[Json]:
        units = self.now.units()
        for one in self.baselines:
            units = {**{name: unit for name, unit in self.then(one).units().items() if one.covers(unit["resource"] or None)}, **units}
        for unit in sorted(units.values(), key=lambda unit: str(unit["resource"])):
            baseline = baseline_of(self.baselines, unit["resource"] or None)
            if wanted.passes({"resource": unit["resource"]}) and self.read.holds(unit["resource"]):
                said = self._unit(unit, baseline) if baseline else self._uncovered(unit)
                if said is not None:
                    yield {"resource": unit["resource"] or None, "baseline": baseline.number if baseline else None, **said}

    def _uncovered(self, unit: Json) -> Json:
        """Of what no baseline covers: only accounts are told of, and only while they are there."""
        if "/accounts/" not in unit["resource"] or self.now.presence(unit).state == "gone":
            return None
        return _said("never approved", [], [_unknown(_itself(unit), "no baseline covers it")])

    def _unit(self, unit: Json, baseline: Baseline) -> Json:
        if baseline.start < self.first:
            return _said("unknown", [], [_unknown(_itself(unit), BEFORE)])
        then = self.then(baseline)
        was, is_ = then.presence(unit), self.now.presence(unit)
        approved = was.state != "gone" and bool(then.of(unit["unit"]))
        if is_.state == "gone":
            return _said("gone", [self._whole(unit, "removed", is_.record, then.of(unit["unit"]))], []) if approved else None
        if is_.state == "unseen":
            return _said("unknown", [], [_unknown(_itself(unit), is_.why)])
        if not approved:
            listed = then.list_of(unit["resource"])
            if listed is None or listed.failure:
                why = f"nobody could tell whether it was there when everything was approved{f': {listed.failure}' if listed else ''}"
                return _said("never approved", [], [_unknown(_itself(unit), why)])
            return _said("new", [self._whole(unit, "added", listed.record, self.now.of(unit["unit"]))], [])
        return self._compared(then.of(unit["unit"]), self.now.of(unit["unit"]))

    def _compared(self, then: dict[Key, Outcome], now: dict[Key, Outcome]) -> Json:
        questions = paired(_states(then), _states(now))
        differences = [one for key, was, is_ in questions.both for one in self._differences(key, was, is_)]
        left = questions.left(_those(differences, "added"), _those(differences, "removed"))
        unknown = [_unknown(key, why) for key, why in left]
        return _said("drifted" if differences else "unknown" if unknown else AS_APPROVED, differences, unknown)

    def _differences(self, key: Key, was: Outcome, is_: Outcome) -> Iterator[Json]:
        kind, resource = key
        before, after = ([self.body(digest) for digest in one.pages] if one.pages is not None else None for one in (was, is_))
        for change in drift.changes(kind, resource, before, after):
            yield self._told(kind, change.resource, [difference(part) for part in change.fields], was, is_)

    def _told(self, kind: str, resource: str, fields: list[Json], was: Outcome | None, is_: Outcome | None) -> Json:
        means = meanings({"kind": kind, "resource": resource, "fields": fields}, effective(self.profile, resource or None))
        return {
            "kind": kind, "resource": resource, "fields": fields, "severity": worst(means), "means": [asdict(meaning) for meaning in means],
            "approved": was.record if was else None, "approved_at": was.at if was else None,
            "now": is_.record if is_ else None, "now_at": is_.at if is_ else None, "sweep": is_.sweep if is_ else None,
        }  # fmt: skip

    def _whole(self, unit: Json, op: str, record: int | None, outcomes: dict[Key, Outcome]) -> Json:
        """A resource that is new or gone. `record`: what shows it, or that it was not there before."""
        kind = "accounts" if "/accounts/" in unit["resource"] else "subscriptions"
        own = next((outcome for (asked, resource), outcome in outcomes.items() if resource == unit["resource"] and asked == "account"), None)
        own = own or next(iter(outcomes.values()), None)
        fields = [{"pointer": "", "op": op, "was": None, "is": None}]
        told = self._told(kind, unit["resource"], fields, *((None, own) if op == "added" else (own, None)))
        return {**told, "approved" if op == "added" else "now": record}


def _states(outcomes: dict[Key, Outcome]) -> dict[Key, Outcome]:
    """Without the list of accounts: what came and went of it is told of each account."""
    return {key: outcome for key, outcome in outcomes.items() if key[0] != "accounts"}


def _those(differences: list[Json], op: str) -> list[str]:
    """The resources that came, or went, as a whole."""
    return [one["resource"] for one in differences if any(part["op"] == op and not part["pointer"] for part in one["fields"])]


def _itself(unit: Json) -> Key:
    """What is unknown where nothing of a unit can be said."""
    return str(unit["asked"]).partition(":")[0], str(unit["resource"])


def _unknown(key: Key, why: str) -> Json:
    return {"kind": key[0], "resource": key[1], "why": why}


def _said(state: str, differences: list[Json], unknown: list[Json]) -> Json:
    severity = min((one["severity"] for one in differences), key=SEVERITIES.index, default=None)
    return {"state": state, "severity": severity, "differences": differences, "unknown": unknown}
