"""What a change does to what was approved: whether it departs from its baseline, or returns to it. Read from the log alone.

The state that was approved, the one before the change and the one after it are answers to one question; what is compared of them is the
resource that changed. So the answer is the same whenever it is asked. Leaves out what differs now: `drifted` says that.
"""

from dataclasses import dataclass, field

from shared.canonical import Json
from shared.judge import drift
from shared.judge.baselines import Baseline, Outcome, baseline_of, baselines_of
from shared.records import whole
from shared.service.acts import acts_within
from shared.service.judging import Bodies
from shared.service.looked import Looked
from shared.service.queries import Reading

_SAYS = {
    "departs": "departs from {}",
    "returns": "is as approved again, by {}",
    "differs": "still differs from {}",
    "unknown": "whether it departs from {} is not known",
}


@dataclass(slots=True)
class Departures:
    """The changes of one log, held against the baselines in it."""

    read: Reading
    _baselines: list[Baseline] = field(init=False)
    _records: dict[int, int] = field(init=False)
    _bodies: Bodies = field(init=False)
    _then: dict[tuple[int, int], Looked] = field(default_factory=dict)
    _said: dict[int, Json] = field(default_factory=dict)

    def __post_init__(self) -> None:
        sealed = acts_within(self.read.store, "baseline", self.read.log.size, note=True)
        self._baselines = baselines_of((act.number, act.at, act.said) for _, act in sealed)
        self._records = {act.number: index for index, act in sealed}
        self._bodies = Bodies(self.read.store)

    def of(self, change: Json) -> Json:
        """What a change record, with its `record`, does to the baseline that holds for its resource: `baseline` (its number), `record`
        (of the approval), `state` (`departs`, `returns`, `differs`: it did before, in another way; `unknown`), `approved`, `owner`, `text`.
        None: no baseline does.

        Raises:
            StoreConflict: the log is not what was sealed.
        """
        index = change["record"]
        if index not in self._said:
            self._said[index] = self._of(change) if self._baselines else None
        return self._said[index]

    def _of(self, change: Json) -> Json:
        asked = self._record(change["to"])
        # What lies elsewhere but was asked about a resource, as a role that it inherits, is approved with that resource.
        about = change["resource"] if change["kind"] == "accounts" else asked["resource"]
        one = baseline_of([known for known in self._baselines if known.size <= change["to"]], about or None)
        if one is None:
            return None
        state, why = self._state(one, change, asked)
        who = one.owner if isinstance(one.owner, str) else "a name that is withheld"
        text = _SAYS[state].format(f"baseline {one.number}, approved by {who} on {one.at[:10]} ({one.reason})")
        return {
            "baseline": one.number, "record": self._records[one.number], "state": state, "approved": one.at, "owner": one.owner,
            "text": f"{text}: {why}" if why else text,
        }  # fmt: skip

    def _state(self, one: Baseline, change: Json, asked: Json) -> tuple[str, str]:
        outcome = self._approved(one, asked)
        if outcome is None:
            return "unknown", "this was not asked then"
        if outcome.failure:
            return "unknown", f"nobody could look then, {outcome.failure}"
        was, is_ = (self._differs(outcome, change, self._record(change[end])) for end in ("from", "to"))
        return ("differs" if was else "departs") if is_ else "returns", ""

    def _approved(self, one: Baseline, asked: Json) -> Outcome | None:
        """What the question came to when everything was approved."""
        place = one.start, one.size
        if place not in self._then:
            self._then[place] = Looked(self.read, *place, answers=True)
        return self._then[place].one(asked["unit"], (asked["kind"], asked["resource"] or ""))

    def _differs(self, approved: Outcome, change: Json, answer: Json) -> bool:
        """Whether the resource that changed is, in this answer, not as approved."""
        pages = [page["sha256"] for page in answer["pages"]]
        then = [self._bodies.load(digest) for digest in approved.pages] if approved.pages is not None else None
        found = drift.changes(answer["kind"], answer["resource"] or "", then, [self._bodies.load(digest) for digest in pages])
        within = change["kind"] != "accounts"  # of the list of accounts what came and went counts; the rest is told of each account
        return any(one.resource == change["resource"] and (within or any(not part.pointer for part in one.fields)) for one in found)

    def _record(self, index: int) -> Json:
        return whole(next(self.read.log.records(index, index + 1))[1], self.read.body)
