"""What the verifier keeps of one sweep while its records pass by: little for each record, and of a unit only until it is settled."""

from collections import Counter
from dataclasses import dataclass, field, replace

from shared.canonical import Json
from shared.judge.assemble import Entry, Likeness, SweepRecords


@dataclass(slots=True)
class UnitRecords:
    """The answers of one unit of work."""

    first: int = -1
    """Index of the first record of its own batch; -1 while there is none."""
    count: int = 0
    likes: list[Likeness] = field(default_factory=list)
    """In the order of the log; those that planning asked for come first."""
    indexes: list[int] = field(default_factory=list)
    addresses: list[str] = field(default_factory=list)
    """Of each, where it was asked, if that does not follow from its resource; else empty."""
    planned: int = 0
    """How many of them planning asked for."""
    skew: float | None = None
    """The largest distance between our clock and Azure's in its answers."""
    settled: bool = False
    judged: bool = False

    def add(self, index: int, like: Likeness, address: str = "") -> bool:
        """Take in an answer of the unit's own batch; False where that batch had ended already."""
        if self.first < 0:
            self.first = index
        together = index == self.first + self.count and not self.settled
        self.count += 1
        self.likes.append(like)
        self.indexes.append(index)
        self.addresses.append(address)
        return together

    def forget(self) -> None:
        """Let go of the answers."""
        self.settled = True
        self.likes, self.indexes, self.addresses = [], [], []


@dataclass(slots=True)
class SweepState:
    """One sweep."""

    name: str
    first: int
    records: SweepRecords = field(default_factory=SweepRecords)
    units: dict[str, UnitRecords] = field(default_factory=dict)
    findings: dict[str, list[int]] = field(default_factory=dict)
    """Batches of findings: name → [first index, records]."""
    asked: dict[str, Json] = field(default_factory=dict)
    """What the plan says of each unit, by name."""
    about_collection: list[tuple[int, Json, bytes]] = field(default_factory=list)
    """Findings of the unit `sweep`: what they rest on is known when the sweep is closed."""
    failed: list[tuple[str, Entry]] = field(default_factory=list)
    """Failures since the plan, with the unit that each belongs to."""
    deletions: Counter[str] = field(default_factory=Counter)
    """How many there are of each account, whichever unit concluded them."""
    located: dict[str, tuple[int, Likeness]] = field(default_factory=dict)
    """The answer to `locations`, by subscription."""
    questions_key: int = 0
    """Equal for two plans that ask the same questions."""
    before: int = 0
    """Records that came before the plan: those of its batch."""
    early: int = 0
    """Records with a time before the plan's."""
    outside: bool = False
    """Not of the period that a bundle is about: only there to show where it ends."""

    @property
    def plan(self) -> Json:
        """The plan, None while it is not known."""
        return self.records.plan

    @property
    def time(self) -> str:
        """The time by which the sweep belongs to a period: its slot, else when it was planned."""
        return str(self.plan["slot"] or self.plan["at"])

    def planned(self, index: int, plan: Json) -> None:
        """The plan was read: what came before it in this sweep is what planning asked for."""
        self.asked = {unit["unit"]: unit for unit in plan["units"]}
        self.questions_key = hash(repr((sorted(plan["questions"].items()), plan.get("workspace"), plan["cloud"])))
        for name, entries in self.records.units.items():
            unit = self.units.setdefault(name, UnitRecords())
            for entry in entries.values():
                unit.likes.append(entry.likeness)
                unit.indexes.append(entry.record)
                unit.addresses.append("")
            unit.planned = len(unit.likes)
        self.records.add(index, plan)

    def context(self, resource: str) -> tuple[int, Likeness] | None:
        """Of the subscription that `resource` is in: the answer that it is judged with (as `SweepRecords.context_entries`)."""
        return self.located.get("/".join(resource.split("/")[:3]))

    def failures_without(self, missing: frozenset[str]) -> list[Entry]:
        """The failures that the closing record counts: those of units that came too late are not among them."""
        return self.records.failures + [entry for unit, entry in self.failed if unit not in missing]

    def collected(self, missing: frozenset[str]) -> SweepRecords:
        """The records as the collection was judged by, units that came too late left out."""
        skews = [self.records.skew, *(unit.skew for name, unit in self.units.items() if name not in missing)]
        return replace(
            self.records, failures=self.failures_without(missing), skew=max((skew for skew in skews if skew is not None), default=None)
        )
