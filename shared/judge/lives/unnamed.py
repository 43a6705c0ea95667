"""Deletions on the data plane: what vanished from inventories, and what resource logs say was deleted without saying what. Pure.

`n` objects of a kind vanished between two whole inventories; `k` deletions of that kind were logged in that time. With k ≥ n each is
corroborated. With 0 < k < n none is, for nothing tells which. Deletions beyond what vanished are told as well, as one of objects unknown.
"""

from collections.abc import Iterable, Sequence

from shared.canonical import Json
from shared.judge.assemble import Entry
from shared.judge.lives.given import ACCOUNT_ANSWER, DELETIONS, SETTINGS, Given, Loss
from shared.judge.lives.inventory import Inventory, identity_of
from shared.judge.lives.kinds import DEPLOYMENT, FAMILIES, MODEL, UNLISTED, Kind, plural
from shared.judge.lives.matching import Match, components, matches
from shared.judge.lives.observable import logs_between, resource_log, settings_for
from shared.judge.lives.rows import Call, calls, deletes
from shared.judge.lives.statement import INVENTORY, MOST_WITNESSES, RESOURCE_LOG, Cause, Statement, Status, Witness, common_actor, rests_on
from shared.judge.reading import count, shown, verb
from shared.model import Point


def unnamed(given: Given, account: str, families: Iterable[Sequence[Kind]] = FAMILIES) -> list[Statement]:
    """All that can be said of deletions on an account's data plane from what is given."""
    told = [call for call in calls(given.under(DELETIONS, account), given.shelf) if deletes(call)]
    found: list[Statement] = []
    for family in families:
        found += _family(given, account, family, [call for call in told if any(kind.name in deletes(call) for kind in family)])
    unlisted = _Told(given, [call for call in told if deletes(call)[0] in UNLISTED])
    return found + _surplus(given, account, unlisted, set(), {})


class _Told:
    """Calls that logs tell of, those that were counted for an earlier statement apart."""

    def __init__(self, given: Given, told: list[Call]) -> None:
        self.all = told
        self.counted = [call for call in told if given.is_counted(call.key, call.points)]
        gone = {call.key for call in self.counted}
        self.open = [call for call in told if call.key not in gone]

    def places(self, records: Iterable[int], kind: str) -> tuple[Point, ...]:
        """Where these records tell of calls for a kind that were counted before and would count again."""
        held = set(records)
        own = (call for call in self.counted if kind in deletes(call))
        return tuple(point for call in own if (point := next((p for p in call.points if p.record in held), None)) is not None)


def _family(given: Given, account: str, family: Sequence[Kind], calls_: list[Call]) -> list[Statement]:
    """Kinds that one call can speak for together."""
    told = _Told(given, calls_)
    found: list[Statement] = []
    used: set[str] = set()
    beside: dict[str, list[_Component]] = {}
    for kind in family:
        for group in components(matches(given.losses(kind, account), [call for call in told.open if kind.name in deletes(call)])):
            component = _Component(given, account, kind, group, told)
            found += component.statements()
            for match in group:
                used.update(call.key for call in (*match.taken, *match.taken_due))
                for call in match.near:
                    beside.setdefault(call.key, []).append(component)
        found += _listed_again(given, account, kind)
    return found + _surplus(given, account, told, used, beside)


class _Component:
    """Losses of one kind whose explanation hangs together."""

    def __init__(self, given: Given, account: str, kind: Kind, group: list[Match], told: _Told) -> None:
        self.given, self.account, self.kind, self.group = given, account, kind, group
        logs, settings = given.under(DELETIONS, account), given.of(SETTINGS, account)
        self.logs = {id(match): logs_between(logs, match.loss.after, match.loss.before) for match in group}
        self.settings = {id(match): settings_for(settings, match.loss.after, match.loss.before) for match in group}
        self.counted = tuple(
            point
            for call in told.counted
            if kind.name in deletes(call) and any(match.start <= call.at <= match.end for match in group)
            for point in call.points
        )
        self.records = rests_on(
            (record for match in group for record in (match.loss.was.record, match.loss.now.record)),
            (record for match in group for call in match.near for record in call.records),
            (entry.record for entries in (*self.logs.values(), *self.settings.values()) for entry in entries),
            (point.record for point in self.counted),
        )
        self.pairs = tuple((match.loss.was.record, match.loss.now.record) for match in group)

    def statements(self) -> list[Statement]:
        again = {identifier for match in self.group for identifier in _again(self.given, match.loss)}
        return [
            self._statement(match, identifier, expired)
            for match in self.group
            for identifier, expired in [*((plain, None) for plain in match.plain), *((name, rule.at) for rule, name in match.due)]
            if identifier not in again
        ]

    def _statement(self, match: Match, identifier: str, expired: str | None) -> Statement:
        needed, taken = (len(match.plain), match.taken) if expired is None else (len(match.due), match.taken_due)
        loss = match.loss
        status: Status = "corroborated"
        cause: Cause = "deleted"
        if len(taken) < needed:
            why = resource_log(self.settings[id(match)], self.logs[id(match)], self.account, self.given.load, loss.after, loss.before)
            status = "unobservable" if why else "unlogged"
            cause = "unknown" if expired is None else "expired"
            reason = self._unexplained(needed, len(taken), expired, why)
        else:
            reason = self._explained(needed, match)
        remade = _remade(self.given, self.account, match)
        if remade:
            cause, reason = "account-deleted", f"{reason} The account of that name is another one than before."
        copies, copied = _copies(self.given, self.account, identifier) if self.kind is MODEL else ([], "")
        witnesses = (
            Witness(INVENTORY, loss.was.point(identifier), loss.after),
            Witness(INVENTORY, Point(loss.now.record), loss.before),
            *(Witness(RESOURCE_LOG, call.point, call.at) for call in taken[: MOST_WITNESSES - 2]),
        )
        return Statement(
            self.kind.name, self.account, identifier, loss.after, loss.before, status, cause,
            common_actor(call.by for call in match.near) if status == "corroborated" else None,
            reason + copied, witnesses, rests_on(self.records, (entry.record for entry in (*remade, *copies))),
            pairs=self.pairs, created=loss.was.created(identifier), counted=self.counted,
            explained_by=tuple(call.key for call in taken),
        )  # fmt: skip

    def _explained(self, needed: int, match: Match) -> str:
        gone = "It is" if needed == 1 else f"{needed} {self.kind.plural} are"
        logged = "a deletion of this kind was" if needed == 1 else "as many deletions of this kind were"
        actors = {shown(call.by) for call in match.near if call.by is not None}
        who = "" if len(actors) == 1 else ", by more than one caller" if actors else ", with a key or without saying by whom"
        return f"{gone} no longer listed, and {logged} logged in that time{who}."

    def _unexplained(self, needed: int, logged: int, expired: str | None, why: str | None) -> str:
        if expired is not None:
            seen = f"; {why}" if why else ", and no log tells of a deletion"
            return f"It is no longer listed; it was due to expire at {expired}{seen}."
        if logged:
            part = f"{count(logged, 'deletion')} of this kind {verb(logged, 'was', 'were')} logged for {needed} that vanished"
            return f"It is no longer listed; {part}, and which ones cannot be told{f' ({why})' if why else ''}."
        return f"It is no longer listed; {why}." if why else "It is no longer listed, and no log tells of a deletion, though logs were kept and read."


def _surplus(given: Given, account: str, told: _Told, used: set[str], beside: dict[str, list[_Component]]) -> list[Statement]:
    """Deletions that were logged, of objects that nothing names: one statement for each kind and answer that told of them first."""
    groups: dict[tuple[str, int], list[Call]] = {}
    for call in told.open:
        if call.succeeded and call.key not in used:
            groups.setdefault((deletes(call)[0], call.first), []).append(call)
    logs = given.under(DELETIONS, account)
    return [_unknown(account, logs, told, beside, kind, log, group) for (kind, log), group in sorted(groups.items())]


def _unknown(
    account: str, logs: list[Entry], told: _Told, beside: dict[str, list[_Component]], kind: str, log: int, group: list[Call]
) -> Statement:
    shared = [call for call in told.open if log in call.records and deletes(call)[0] == kind]
    read = next(entry for entry in logs if entry.record == log)
    earlier = [entry.record for entry in logs if entry.resource == read.resource and entry.record < log]
    near = {id(component): component for call in shared for component in beside.get(call.key, ())}.values()
    records = rests_on([log], earlier[-1:], *(call.records for call in shared), *(component.records for component in near))
    return Statement(
        kind, account, None, group[0].at, group[-1].at, "logged", "deleted", common_actor(call.by for call in group),
        _surplus_reason(kind, len(group), sorted({call.operation for call in group})),
        tuple(Witness(RESOURCE_LOG, call.point, call.at) for call in group[:MOST_WITNESSES]), records,
        pairs=tuple(sorted({pair for component in near for pair in component.pairs})), count=len(group), log=log,
        counted=told.places(records, kind), explained_by=tuple(call.key for call in group),
    )  # fmt: skip


def _surplus_reason(kind: str, number: int, operations: list[str]) -> str:
    names = ", ".join(map(shown, operations[:3])) + (" and others" if len(operations) > 3 else "")
    told = f"{count(number, 'deletion')} of {plural(kind)} {verb(number, 'was', 'were')} logged ({names})"
    if kind in UNLISTED:
        return f"{told}; Azure has no inventory of these, so which ones, and whether they are gone, cannot be told."
    return f"{told}, of {verb(number, 'one', 'some')} that no inventory saw, or that {verb(number, 'is', 'are')} still listed."


# -- what else is seen ----------------------------------------------------------------------------------------------------


def _again(given: Given, loss: Loss) -> dict[str, Inventory]:
    """What was lost and is listed again, with the first inventory after the loss that does."""
    found: dict[str, Inventory] = {}
    for later in given.inventories(loss.kind, loss.was.entry.resource):
        if later.record > loss.now.record:
            for identifier in given.shelf.listed_again(loss.was, loss.now, later):
                found.setdefault(identifier, later)
    return found


def _listed_again(given: Given, account: str, kind: Kind) -> list[Statement]:
    """Objects that one inventory did not list and a later one does: ids are never used twice, so they were not deleted."""
    found = []
    for loss in (*given.losses(kind, account, settled=True), *given.losses(kind, account)):
        for identifier, later in sorted(_again(given, loss).items()):
            witnesses = (
                Witness(INVENTORY, loss.was.point(identifier), loss.after),
                Witness(INVENTORY, Point(loss.now.record), loss.before),
                Witness(INVENTORY, later.point(identifier), later.at),
            )
            reason = "It was missing from an inventory and is listed again: it was not deleted, or its account was restored."
            found.append(
                Statement(
                    kind.name, account, identifier, loss.after, loss.before, "not-effective", "unknown", None, reason, witnesses,
                    rests_on([loss.was.record, loss.now.record, later.record]), pairs=((loss.was.record, loss.now.record),),
                    created=loss.was.created(identifier),
                )
            )  # fmt: skip
    return found


def _remade(given: Given, account: str, match: Match) -> list[Entry]:
    """The account's own answers before and after, where they are not of the same account."""
    answers = settings_for(given.of(ACCOUNT_ANSWER, account), match.loss.after, match.loss.before)
    pair = [answers[0], answers[-1]] if len(answers) > 1 else []
    bodies: list[Json] = [given.load(entry.digests[0]) for entry in pair if entry.digests]
    return pair if len(bodies) == 2 and identity_of(bodies[0]) != identity_of(bodies[1]) else []


def _copies(given: Given, account: str, model: str) -> tuple[list[Entry], str]:
    """Answers about deployments of other accounts that serve a copy of this account's model, and the sentence that says so."""
    found: list[Entry] = []
    names: set[str] = set()
    for entry in given.elsewhere(DEPLOYMENT.question, account):
        inventory = given.shelf.inventory(DEPLOYMENT, entry)
        for identifier in inventory.places if inventory is not None else ():
            assert inventory is not None
            if serves_copy(inventory.item(identifier), account, model):
                found.append(entry)
                names.add(identifier)
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return found, f" A copy of it is served elsewhere: {min(names)}{more}." if names else ""


def copied_from(item: dict[str, Json]) -> tuple[str, str] | None:
    """(account, model) where a deployment serves a model of another account, both lower-cased; None where it does not say so."""
    properties = item.get("properties")
    model = properties.get("model") if isinstance(properties, dict) else None
    name = model.get("name") if isinstance(model, dict) else None
    source = (model.get("sourceAccount") or model.get("source")) if isinstance(model, dict) else None
    if not isinstance(source, str) or not isinstance(name, str):
        return None
    return "/".join(source.lower().rstrip("/").split("/")[:9]), name.lower()


def serves_copy(item: dict[str, Json], account: str, model: str) -> bool:
    """Whether a deployment serves this model out of this account."""
    return copied_from(item) == (account, model.lower())
