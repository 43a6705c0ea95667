"""Folding a sweep into what is kept in mind: what is gone since the sweep before, what logs tell of it, what must be said now. Pure.

    fold(state, sweep) → (state', deletions, notes)

A sweep is folded once, in the order in which units are judged. What was said is said again only where it has changed, and then names what
it supersedes. Failed questions move nothing: an inventory that could not be had widens the interval, and concludes nothing.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from shared.judge.assemble import EVENT, Entry
from shared.judge.lives.accounts import accounts, accounts_gone, deleted_list
from shared.judge.lives.aftermath import purges, strays
from shared.judge.lives.deployments import deployments, deployments_gone
from shared.judge.lives.forget import forget
from shared.judge.lives.given import ACCOUNT_ANSWER, ACTIVITY, DELETED_ACCOUNTS, DELETIONS, SETTINGS, Given
from shared.judge.lives.inventory import Inventory, Shelf
from shared.judge.lives.kinds import ACCOUNT, BY_QUESTION, DEPLOYMENT, JOB, KINDS, MODEL, Kind
from shared.judge.lives.operations import concerns
from shared.judge.lives.rows import rows
from shared.judge.lives.state import FINAL, SWEEPS_KEPT, Kept, Said, State
from shared.judge.lives.statement import Statement
from shared.judge.lives.times import CLOCKS, plus
from shared.judge.lives.unnamed import unnamed

NOT_SERVED = (404, 410)
"""An answer with such a status says that nothing of its kind is served any more: not what became of what had been listed."""

_UNEXPLAINED = ("unlogged", "unobservable")


@dataclass(frozen=True, slots=True)
class UnitSweep:
    """What one sweep brought for one unit, an account or a subscription."""

    name: str
    at: str
    """When it was planned."""
    resource: str
    entries: Sequence[Entry]
    """Its own answers; of an account also its subscription's about the Activity Log, and events of Event Grid."""
    beside: Callable[[str], Sequence[Entry]] = lambda _: ()
    """Given a lower-cased id of an account: what it held last, as far as its own unit knows; of this account's models, where copies are served."""
    events_to: int | None = None
    """Events that are sealed before this record may be looked for; those after it belong to the next sweep. None: none may."""

    @property
    def is_account(self) -> bool:
        """Whether the unit is an account's."""
        return "/accounts/" in self.resource


@dataclass(frozen=True, slots=True)
class Deletion:
    """What must be sealed: a statement, and the places of those that it supersedes."""

    statement: Statement
    supersedes: tuple[tuple[str, int], ...] = ()
    """Sweep, and which of the deletions in this unit's batch of findings it is."""


@dataclass(slots=True)
class Seen:
    """What changed with an inventory, for those who keep lives of objects."""

    kind: Kind
    was: Inventory | None
    now: Inventory


@dataclass(slots=True)
class Folded:
    """What became of it."""

    state: State
    deletions: list[Deletion] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seen: list[Seen] = field(default_factory=list)
    """Inventories that are not what they were."""


def fold(state: State, sweep: UnitSweep, shelf: Shelf) -> Folded:
    """Fold a sweep in."""
    if sweep.name in state.sweeps:
        return Folded(state, notes=[f"sweep {sweep.name} was folded before"])
    folded = Folded(state.copy())
    folded.state.sweeps = [*state.sweeps[-SWEEPS_KEPT + 1 :], sweep.name]
    told = _take(folded, sweep, shelf)
    if told or folded.seen or any(kept.open for kept in folded.state.kept) or any(said.waits for said in folded.state.said):
        stand = _say(folded, sweep, _evaluate(folded, sweep, shelf))
        _settle(folded.state, sweep, stand)
    forget(folded.state, sweep.at)
    return folded


# -- taking in ------------------------------------------------------------------------------------------------------------


def _take(folded: Folded, sweep: UnitSweep, shelf: Shelf) -> bool:
    """Take in the answers; whether a log tells of something that was not counted yet."""
    state, told = folded.state, False
    logs = (DELETIONS, ACTIVITY) if sweep.is_account else (ACTIVITY,)
    known = {entry.record for entry in state.logs}
    for entry in sorted(sweep.entries, key=lambda entry: entry.record):
        if entry.failure is not None or not entry.digests:
            continue
        kind = BY_QUESTION.get(entry.kind)
        if kind is not None and entry.resource == sweep.resource and (kind is ACCOUNT) != sweep.is_account:
            _inventory(folded, sweep, shelf, kind, entry)
        elif entry.kind == DELETED_ACCOUNTS and not sweep.is_account:
            _deleted_accounts(folded, shelf, entry)
        elif entry.kind in (SETTINGS, ACCOUNT_ANSWER) and entry.resource == sweep.resource and sweep.is_account:
            state.facts.append(entry)
        elif entry.kind in (*logs, EVENT) and entry.record not in known:
            state.logs.append(entry)
            if entry.window is not None and not entry.window.around:
                state.read[entry.kind] = max(state.read.get(entry.kind, ""), entry.window.end)
            told = told or bool(shelf.lines(entry, rows) if entry.kind == DELETIONS else concerns(entry, shelf, sweep.resource))
    return told


def _inventory(folded: Folded, sweep: UnitSweep, shelf: Shelf, kind: Kind, entry: Entry) -> None:
    state = folded.state
    before = state.last.get(kind.question)
    if before is not None and entry.record <= before.record:
        folded.notes.append(f"{kind.question} at record {entry.record} is older than what is known, and was passed over")
        return
    if before is not None and before.digests == entry.digests:
        state.last[kind.question] = entry
        return
    now = shelf.inventory(kind, entry)
    if now is None and entry.status in NOT_SERVED:
        state.last.pop(kind.question, None)
        return
    if now is None:
        folded.notes.append(f"{kind.question} at record {entry.record} is no whole inventory")
        return
    was = shelf.inventory(kind, before) if before is not None else None
    gone = gone_from(was, now) if was is not None else ()
    if before is not None and gone:
        beside = [held for account in gone for held in sweep.beside(account)] if kind is ACCOUNT else []
        beside += sweep.beside(sweep.resource) if kind is MODEL else ()
        state.kept.append(Kept(kind.question, before, entry, beside=beside))
    state.last[kind.question] = entry
    folded.seen.append(Seen(kind, was, now))


def gone_from(was: Inventory, now: Inventory) -> Iterable[str]:
    """What is gone, or is not what it was, from one whole inventory to the next."""
    if was.kind is ACCOUNT:
        return accounts_gone(was, now)
    return deployments_gone(was, now) if was.kind is DEPLOYMENT else was.shelf.lost(was, now)


def _deleted_accounts(folded: Folded, shelf: Shelf, entry: Entry) -> None:
    """Deleted accounts are an inventory too: what is no longer in it was purged, or restored."""
    state = folded.state
    before = state.last.get(DELETED_ACCOUNTS)
    if before is not None and (entry.record <= before.record or before.digests == entry.digests):
        state.last[DELETED_ACCOUNTS] = max(before, entry, key=lambda one: one.record)
        return
    given = Given([entry], shelf, ())
    now, was = deleted_list(given, entry), deleted_list(given, before) if before is not None else None
    if now is None:
        folded.notes.append(f"{DELETED_ACCOUNTS} at record {entry.record} is no list")
        return
    if before is not None and was is not None and was.keys() - now.keys():
        state.kept.append(Kept(DELETED_ACCOUNTS, before, entry))
    state.last[DELETED_ACCOUNTS] = entry


# -- concluding -----------------------------------------------------------------------------------------------------------


def _evaluate(folded: Folded, sweep: UnitSweep, shelf: Shelf) -> list[Statement]:
    state = folded.state
    entries = [*state.last.values(), *state.logs, *state.facts, *(seen.was.entry for seen in folded.seen if seen.was is not None)]
    for kept in state.kept:
        entries += (kept.was, kept.now, *kept.beside)
    if not sweep.is_account:  # of deleted accounts, each answer may be the one that names an account first
        entries += (entry for entry in sweep.entries if entry.kind == DELETED_ACCOUNTS)
    given = Given(
        entries, shelf, [kept.pair for kept in state.kept],
        settled=[kept.pair for kept in state.kept if not kept.open], counted=frozenset(state.counted),
    )  # fmt: skip
    if sweep.is_account:
        return [*unnamed(given, sweep.resource), *deployments(given, sweep.resource)]
    found = accounts(given, sweep.resource)
    known = {statement.key for statement in found} | {said.key for said in state.said}
    return [*found, *purges(given, sweep.resource), *(one for one in strays(given, sweep.resource) if one.key not in known)]


def _say(folded: Folded, sweep: UnitSweep, statements: Iterable[Statement]) -> list[Statement]:
    """What has to be said that was not said like that before; returns all that stands now."""
    state = folded.state
    fresh: list[Said] = []
    outdated: set[int] = set()
    stand: list[Statement] = []
    for statement in sorted(statements, key=_order):
        about = [said for said in state.said if said.concerns(statement)]
        own = [said for said in about if said.key == statement.key]
        if statement.status != "not-effective" and any(said.status in FINAL for said in own):
            continue
        stand.append(statement)
        if any(said.essence == statement.essence for said in own):
            continue
        outdated.update(id(said) for said in about)
        places = tuple(sorted({(said.sweep, said.position) for said in about}))
        fresh.append(
            Said(
                *statement.key, statement.status, statement.essence, statement.after, statement.before, sweep.name, len(folded.deletions)
            )
        )
        folded.deletions.append(Deletion(statement, places))
    state.said = [said for said in state.said if id(said) not in outdated] + fresh
    return stand


def _order(statement: Statement) -> tuple[str, ...]:
    return statement.account, statement.kind, statement.id or "", statement.after, str(statement.log or ""), statement.essence


def _settle(state: State, sweep: UnitSweep, stand: Sequence[Statement]) -> None:
    """Note what is explained, and what may still change."""
    waits: dict[tuple[tuple[str, str, str], str], tuple[str, ...]] = {}
    for statement in stand:
        if statement.pending or (statement.id is None and not _is_past(state, statement)):
            waits[statement.key, statement.essence] = statement.explained_by
        elif statement.status not in _UNEXPLAINED:
            state.counted.update(dict.fromkeys(statement.explained_by, sweep.at))
    state.said = [_waiting(said, waits.get((said.key, said.essence), ())) for said in state.said]
    unexplained: dict[tuple[str, str, str], tuple[str, ...]] = {}
    for statement in stand:
        if statement.status in _UNEXPLAINED and (statement.cause, statement.status) != ("expired", "unlogged"):
            place = statement.kind, statement.after, statement.before
            unexplained[place] = max(unexplained.get(place, ()), statement.explained_by, key=len)
    state.kept = [_reopened(state, kept, unexplained) if kept.open else kept for kept in state.kept]


def _waiting(said: Said, waits: tuple[str, ...]) -> Said:
    return said if said.waits == waits else replace(said, waits=waits)


def _reopened(state: State, kept: Kept, unexplained: dict[tuple[str, str, str], tuple[str, ...]]) -> Kept:
    if kept.question == DELETED_ACCOUNTS:  # open until a later list of accounts shows what became of it
        later = state.last.get(ACCOUNT.question)
        return replace(kept, open=later is None or later.record <= kept.now.record)
    calls = unexplained.get((BY_QUESTION[kept.question].name, kept.was.at, kept.now.at))
    return replace(kept, open=calls is not None, calls=calls or ())


def _is_past(state: State, statement: Statement) -> bool:
    """Whether no loss to come can be what a log tells of: an inventory was had since, or there never was one."""
    kinds = [kind for kind in KINDS if kind.name == statement.kind or (kind is MODEL and statement.kind == JOB.name)]
    last = [state.last[kind.question].at for kind in kinds if kind.question in state.last]
    return not last or min(last) > plus(statement.before, CLOCKS)
