"""What is gone, unit by unit: folds each sweep into what is kept in mind of the unit (`shared.judge.lives`), and makes the records of deletions.

What is kept lies in `state/lives/` and `state/alive/`, written only when the findings of the unit are: a crash before folds the same sweep
into the same state again, and concludes the same. Where it is lost, or ahead of the evidence, it is read again from the log
(`shared.service.remembering`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.plan import account_unit
from shared.judge.assemble import Entry, LoadBody, entry_of
from shared.judge.lives.accounts import accounts_gone
from shared.judge.lives.alive import Alive, First, alive_of
from shared.judge.lives.deployments import deployments_gone
from shared.judge.lives.fold import Deletion, Folded, Seen, UnitSweep, fold
from shared.judge.lives.given import ACTIVITY, subscription_of
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.kinds import ACCOUNT, BY_NAME, DEPLOYMENT
from shared.judge.lives.state import State, state_of
from shared.judge.lives.statement import Statement
from shared.judge.lives.unnamed import copied_from
from shared.records import record
from shared.seal.store import Store, read_hint
from shared.service.deletion_events import CommitEvents, DeletionEvents, commit_events
from shared.service.latest import LatestAnswers, answer_key
from shared.service.remembering import Past, Places


@dataclass(slots=True)
class Mind:
    """What is kept of one unit."""

    state: State
    alive: Alive | None = None
    """None: not read yet. It is as large as what is there, and needed only where something changed."""


@dataclass(slots=True)
class Reconciled:
    """What folding a unit's sweep came to."""

    folded: Folded
    alive: Alive | None
    first_seen: dict[tuple[str, str], First]
    """Since when what is gone was listed, by kind and id."""

    @property
    def deletions(self) -> tuple[Json, ...]:
        """What a unit is judged with: the fields of its deletions that follow from the records they name."""
        return tuple(deletion.statement.as_json() for deletion in self.folded.deletions)


@dataclass(slots=True)
class Reconciling:
    """Reconciles the units of one sweep."""

    store: Store
    sweep: str
    load: LoadBody
    latest: LatestAnswers
    places: Places
    """Where the batches of an open sweep are; whatever waits is sealed before."""
    units: Callable[[], Sequence[Json]]
    """The units that were planned."""
    commits: CommitEvents = field(default_factory=commit_events)
    _shelf: Shelf = field(init=False)
    _past: Past = field(init=False)
    _events: DeletionEvents = field(init=False)
    _told: dict[str, list[Entry]] = field(default_factory=dict)
    """By subscription: what its Activity Log answered in this sweep."""
    _behind: dict[str, frozenset[str]] | None = None
    """Other open sweeps, and the units of them whose findings are written."""
    _gone: dict[str, Alive] = field(default_factory=dict)
    """What accounts held that are gone, by account."""
    _copies: dict[str, list[Entry]] | None = None
    """Answers about deployments that serve models of another account, by that account."""

    def __post_init__(self) -> None:
        self._shelf = Shelf(self.load)
        self._past = Past(self.store, self.places, self.load)
        self._events = DeletionEvents(self.store, self.commits)

    def take(self, index: int, value: Json) -> None:
        """Take in a record of the sweep; those that are no answers of the Activity Log are passed over."""
        if value["type"] == "observation" and value["kind"] == ACTIVITY:
            self._told.setdefault(value["resource"], []).append(entry_of(index, value))

    def fold(self, unit: str, resource: str, entries: Iterable[Entry], at: str, judged_at: int | None = None) -> Reconciled:
        """Fold what this sweep brought for a unit. `at`: when it was planned; `judged_at`: where its findings stand, if they are sealed."""
        answers = [*entries, *self._beside_own(resource)]
        before = self._events.size(1 + max((entry.record for entry in answers), default=-1)) if judged_at is None else judged_at
        own = UnitSweep(self.sweep, at, resource, answers, self._beside(resource, None), before)
        return self._fold(self._mind(unit, resource), unit, own)

    def keep(self, unit: str, done: Reconciled) -> None:
        """Keep what is known now. To be called when the findings of the unit are written."""
        if done.alive is not None:
            self.store.put(layout.alive(unit), canonical(done.alive.as_json()))
        self.store.put(layout.lives(unit), canonical(done.folded.state.as_json()))

    def again(self, unit: str, resource: str, entries: Iterable[Entry], at: str) -> None:
        """Keep what a run that was killed had concluded, and not kept."""
        found = _state(self.store, unit)
        if found is None or self.sweep not in found.sweeps:
            findings = self.places(self.sweep).get(unit + layout.FINDINGS_SUFFIX)
            self.keep(unit, self.fold(unit, resource, entries, at, findings[0] if findings is not None else None))

    def records(self, unit: str, at: str, done: Reconciled) -> list[Json]:
        """The records of what is gone."""
        return [self._record(deletion, unit, at, done) for deletion in done.folded.deletions]

    def _record(self, deletion: Deletion, unit: str, at: str, done: Reconciled) -> Json:
        said = deletion.statement
        first = done.first_seen.get(_life(said)) or self._held_since(said) if said.id is not None else None
        seen = {"record": first[0], "at": first[1]} if first else None
        supersedes = sorted(self._past.index(sweep, unit) + position for sweep, position in deletion.supersedes)
        return record("deletion", at, sweep=self.sweep, unit=unit, supersedes=supersedes, first_seen=seen, **said.as_json())

    def _held_since(self, said: Statement) -> First | None:
        """Since when an account that is gone listed what went with it, as far as is kept of that account."""
        if said.cause != "account-deleted":
            return None
        if said.account not in self._gone:
            self._gone[said.account] = alive_of(read_hint(self.store, layout.alive(account_unit(said.account, "").name))) or Alive()
        kind, identifier = _life(said)
        return self._gone[said.account].objects.get(kind, {}).get(identifier)

    def known(self, unit: str, resource: str) -> Mind:
        """What is kept of a unit, for those who only read: with what it holds."""
        state, alive = _state(self.store, unit), alive_of(read_hint(self.store, layout.alive(unit)))
        return Mind(state, alive) if state is not None and alive is not None else self._rebuilt(unit, resource, None)

    # -- what is kept ---------------------------------------------------------------------------------------------------

    def _mind(self, unit: str, resource: str) -> Mind:
        """What is kept of a unit, with all that is sealed folded in."""
        state = _state(self.store, unit)
        if state is not None and self.sweep in state.sweeps:
            state = None  # its findings were lost after all: what is kept is ahead of the evidence
        if state is None:
            return self._rebuilt(unit, resource, None) if self.latest.of(unit) else Mind(State(), Alive())
        mind = Mind(state)
        for sweep, units in self._open().items():
            if unit in units and sweep not in state.sweeps:
                past = self._past.unit_sweep(sweep, unit, resource)
                if past is not None:
                    mind = self._then(mind, unit, past)
        return mind

    def _open(self) -> dict[str, frozenset[str]]:
        if self._behind is None:
            self._behind = self._past.judged_in_open_sweeps(self.sweep)
        return self._behind

    def _rebuilt(self, unit: str, resource: str, until: int | None) -> Mind:
        """What was known of a unit when the record `until` was not there yet, out of the log; None for now."""
        mind = Mind(State(), Alive())
        for past in self._past.of(unit, resource, self.sweep):
            if until is not None and any(entry.record >= until for entry in past.entries):
                break
            mind = self._then(mind, unit, replace(past, beside=self._beside(resource, past)))
        return mind

    def _then(self, mind: Mind, unit: str, past: UnitSweep) -> Mind:
        done = self._fold(mind, unit, past)
        return Mind(done.folded.state, done.alive if done.alive is not None else mind.alive)

    def _fold(self, mind: Mind, unit: str, sweep: UnitSweep) -> Reconciled:
        folded = fold(mind.state, self._with_events(mind.state, sweep), self._shelf)
        alive, first_seen = mind.alive, dict[tuple[str, str], First]()
        if folded.seen and alive is None:
            alive = alive_of(read_hint(self.store, layout.alive(unit)))
            if alive is None:
                alive = self._rebuilt(unit, sweep.resource, None).alive or Alive()
        for seen in folded.seen:
            assert alive is not None
            gone = alive.see(seen)
            first_seen |= {(seen.kind.name, identifier): first for identifier, first in gone.items()}
            for identifier in _made_anew(seen):
                before = alive.renew(seen.kind.name, identifier, (seen.now.record, seen.now.at))
                if before is not None:
                    first_seen[seen.kind.name, identifier] = before
        return Reconciled(folded, alive, first_seen)

    def _with_events(self, state: State, sweep: UnitSweep) -> UnitSweep:
        """The sweep, with the events that were sealed since what is known; since its own first answer, if nothing is."""
        if sweep.events_to is None:
            return sweep
        known = state.newest
        since = known + 1 if known is not None else min((entry.record for entry in sweep.entries), default=sweep.events_to)
        return replace(sweep, entries=[*sweep.entries, *self._events.about(sweep.resource, since, sweep.events_to)])

    # -- what is beside a unit's own answers ----------------------------------------------------------------------------

    def _beside_own(self, resource: str) -> Sequence[Entry]:
        """What the Activity Log said of an account's subscription: its own unit has it already."""
        return self._told.get(subscription_of(resource), ()) if "/accounts/" in resource else ()

    def _beside(self, resource: str, past: UnitSweep | None) -> Callable[[str], Sequence[Entry]]:
        if "/accounts/" in resource:
            return self._served_elsewhere
        return lambda account: self._held(account, past)

    def _held(self, account: str, past: UnitSweep | None) -> Sequence[Entry]:
        """What an account held when it was listed last."""
        unit = account_unit(account, "").name
        until = min((entry.record for entry in past.entries), default=None) if past is not None else None
        state = _state(self.store, unit)
        if state is None or (until is not None and any(entry.record >= until for entry in state.last.values())):
            state = self._rebuilt(unit, account, until).state
        return list(state.last.values())

    def _served_elsewhere(self, account: str) -> Sequence[Entry]:
        """The last answers about deployments of other accounts that serve models out of this one."""
        if self._copies is None:
            self._copies = {}
            for unit in self.units():
                if "/accounts/" in unit["resource"]:
                    self._look_for_copies(unit["unit"], unit["resource"])
        return self._copies.get(account, [])

    def _look_for_copies(self, unit: str, resource: str) -> None:
        assert self._copies is not None
        last = self.latest.of(unit).get(answer_key(DEPLOYMENT.question, resource))
        if last is None:
            return
        entry = Entry(DEPLOYMENT.question, resource, last["record"], last["at"], tuple(last["pages"]), None, 200)
        inventory = self._shelf.inventory(DEPLOYMENT, entry)
        sources = {copied_from(inventory.item(identifier)) for identifier in inventory.places} if inventory is not None else set()
        for source in {source[0] for source in sources if source is not None} - {resource}:
            self._copies.setdefault(source, []).append(entry)


def _state(store: Store, unit: str) -> State | None:
    return state_of(read_hint(store, layout.lives(unit)))


def _made_anew(seen: Seen) -> Iterable[str]:
    """What both of two inventories list, though it is not the same."""
    if seen.was is None or seen.kind not in (ACCOUNT, DEPLOYMENT):
        return ()
    gone = accounts_gone(seen.was, seen.now) if seen.kind is ACCOUNT else deployments_gone(seen.was, seen.now)
    return [identifier for identifier in gone if identifier in seen.now]


def _life(said: Statement) -> tuple[str, str]:
    """By which inventories know it."""
    named = said.kind in BY_NAME and BY_NAME[said.kind].key == "value"
    return said.kind, said.resource if named else str(said.id)


