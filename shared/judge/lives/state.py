"""What reconciliation keeps in mind from sweep to sweep: places of answers, not what they hold. Plain data, to JSON and back.

Its size follows what waits, not what was: the last inventory of each kind, pairs of inventories between which something is gone as long as
a log may still tell of it, the answers about logs that reach back so far, and what was said of these. All of it can be rebuilt from the log.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.judge.assemble import Entry, Window
from shared.judge.lives.statement import Statement
from shared.judge.lives.times import CLOCKS, plus

FORMAT = 1

SWEEPS_KEPT = 64
"""Names of sweeps that are known to have been folded."""


@dataclass(slots=True)
class Kept:
    """Two inventories that follow each other, and between which something is gone."""

    question: str
    was: Entry
    now: Entry
    open: bool = True
    """Whether something of it is not explained yet."""
    beside: list[Entry] = field(default_factory=list)
    """What else must be looked at: what an account that is gone had held, where a copy of a model is served."""
    calls: tuple[str, ...] = ()
    """Keys of what logs tell of it, though not of enough to explain it."""

    @property
    def pair(self) -> tuple[int, int]:
        """Records of the two."""
        return self.was.record, self.now.record


FINAL = ("corroborated", "not-effective")
"""What is not said anew, save that something is there again."""


@dataclass(frozen=True, slots=True)
class Said:
    """A deletion that was sealed and may have to be said anew."""

    kind: str
    resource: str
    part: str
    status: str
    essence: str
    after: str
    before: str
    sweep: str
    """Whose batch of findings it is in."""
    position: int
    """Which of the deletions in that batch it is, from 0."""
    waits: tuple[str, ...] = ()
    """What logs tell, and is counted for nothing else yet."""

    @property
    def key(self) -> tuple[str, str, str]:
        """As `Statement.key`."""
        return self.kind, self.resource, self.part

    def concerns(self, statement: Statement) -> bool:
        """Whether a statement is about the same disappearance."""
        if self.key == statement.key:
            return statement.id is None or self._meets(statement)
        return statement.id is not None and bool(self.waits) and not set(self.waits).isdisjoint(statement.explained_by)

    def _meets(self, statement: Statement) -> bool:
        """Whether two times overlap; of a time that a log tells, give or take the difference of two clocks."""
        if "logged" in (self.status, statement.status):
            return statement.after <= plus(self.before, CLOCKS) and statement.before >= plus(self.after, -CLOCKS)
        return statement.after < self.before and statement.before > self.after


@dataclass(slots=True)
class State:
    """Of one unit: an account, or a subscription."""

    last: dict[str, Entry] = field(default_factory=dict)
    """The last whole inventory, by question."""
    kept: list[Kept] = field(default_factory=list)
    logs: list[Entry] = field(default_factory=list)
    """Answers about logs, and events."""
    facts: list[Entry] = field(default_factory=list)
    """Answers about diagnostic settings and the account itself."""
    counted: dict[str, str] = field(default_factory=dict)
    """Keys of what logs tell and is accounted for, and when that was."""
    said: list[Said] = field(default_factory=list)
    read: dict[str, str] = field(default_factory=dict)
    """By question, to when logs were read."""
    sweeps: list[str] = field(default_factory=list)

    @property
    def newest(self) -> int | None:
        """The newest record that was taken in, and is kept; None: there is none."""
        return max((entry.record for entry in (*self.last.values(), *self.logs, *self.facts)), default=None)

    def copy(self) -> "State":
        """One that can be changed."""
        return State(
            dict(self.last), list(self.kept), list(self.logs), list(self.facts), dict(self.counted), list(self.said), dict(self.read),
            list(self.sweeps),
        )  # fmt: skip

    def as_json(self) -> Json:
        """As it is kept in the store."""
        return {
            "v": FORMAT,
            "last": {question: _entry(entry) for question, entry in self.last.items()},
            "kept": [
                [kept.question, _entry(kept.was), _entry(kept.now), kept.open, [_entry(entry) for entry in kept.beside], list(kept.calls)]
                for kept in self.kept
            ],
            "logs": [_entry(entry) for entry in self.logs],
            "facts": [_entry(entry) for entry in self.facts],
            "counted": self.counted,
            "said": [_said(said) for said in self.said],
            "read": self.read,
            "sweeps": self.sweeps,
        }


def state_of(value: Json) -> State | None:
    """The state that was kept; None for what is none, or of another version: it is rebuilt from the log then."""
    try:
        if value["v"] != FORMAT:
            return None
        return State(
            {question: _from(entry) for question, entry in value["last"].items()},
            [
                Kept(question, _from(was), _from(now), open_, _all(beside), tuple(calls))
                for question, was, now, open_, beside, calls in value["kept"]
            ],
            _all(value["logs"]),
            _all(value["facts"]),
            dict(value["counted"]),
            [_said_of(said) for said in value["said"]],
            dict(value["read"]),
            list(value["sweeps"]),
        )
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _said(said: Said) -> Json:
    return [
        said.kind, said.resource, said.part, said.status, said.essence, said.after, said.before, said.sweep, said.position, list(said.waits),
    ]  # fmt: skip


def _said_of(value: Json) -> Said:
    kind, resource, part, status, essence, after, before, sweep, position, waits = value
    return Said(kind, resource, part, status, essence, after, before, sweep, position, tuple(waits))


def _entry(entry: Entry) -> Json:
    of = entry.window
    window = [of.start, of.end, of.previous, of.record, of.around] if of else None
    return [entry.kind, entry.resource, entry.record, entry.at, list(entry.digests), entry.status, window]


def _from(value: Json) -> Entry:
    kind, resource, record, at, digests, status, window = value
    found = Window(*window) if window else None
    return Entry(kind, resource, record, at, tuple(digests), None, status, None, found.reach if found else None, found)


def _all(values: Iterable[Json]) -> list[Entry]:
    return [_from(value) for value in values]
