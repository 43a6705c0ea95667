"""What an account held that is deleted: gone with it, unless it had gone before; back with it, if it was restored. Pure.

Between its last inventory and the end of its account an object may have been deleted by somebody else, or have expired. A log names
deployments, and the rules of the service are known; of anything else it is said that it went with its account, which is true either way.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.canonical import Json
from shared.judge.assemble import Entry
from shared.judge.lives.causes import SENTENCES, expiry
from shared.judge.lives.disappearance import Gone, says, told_by
from shared.judge.lives.given import Given
from shared.judge.lives.inventory import Inventory
from shared.judge.lives.kinds import DEPLOYMENT, KINDS, Kind
from shared.judge.lives.operations import DELETE_DEPLOYMENT, Operation, operations
from shared.judge.lives.statement import INVENTORY, MOST_WITNESSES, Cause, Statement, Witness, rests_on
from shared.judge.lives.times import CLOCKS, plus


@dataclass(frozen=True, slots=True)
class _End:
    """How one object ended."""

    cause: Cause
    by: Json
    reason: str
    own: tuple[Operation, ...] = ()
    """What deleted it, where that was not what deleted its account."""


def held(given: Given, one: Gone, account: Statement, logs: list[Entry]) -> Iterable[Statement]:
    """What the last inventories of an account listed: gone with it, where its end is witnessed; back with it, if it was restored."""
    if one.how != "vanished" or account.status not in ("corroborated", "not-effective"):
        return
    restored = account.status == "not-effective"
    told = _deleted_deployments(given, one.id, logs)
    for kind in KINDS:
        known = [inventory for inventory in given.inventories(kind, one.id) if inventory.record < one.now.record]
        for identifier in sorted(known[-1].places) if known else ():
            own = [o for o in told if o.resource == identifier and _between(o, known[-1], one)]
            counted = [o for o in own if given.is_counted(o.key, o.places)]
            end = _end(kind, known[-1], identifier, one, account, own if restored else [o for o in own if o not in counted])
            if not restored:
                yield _statement(kind, known[-1], identifier, account, end, counted)
            elif end.cause == "account-deleted":  # whatever had gone before the account did not come back with it
                end = _End("account-deleted", account.by, "Its account was deleted and restored, and it with it.")
                yield _statement(kind, known[-1], identifier, account, end, [])


def _statement(kind: Kind, was: Inventory, identifier: str, account: Statement, end: _End, counted: Iterable[Operation]) -> Statement:
    last = end.own[-1] if end.own else None
    before = (*account.counted, *(point for operation in counted for point in operation.places))
    return Statement(
        kind.name, account.account, was.object_id(identifier), was.at, account.before, account.status, end.cause, end.by, end.reason,
        (Witness(INVENTORY, was.point(identifier), was.at), *told_by(last), *account.witnesses[1:])[:MOST_WITNESSES],
        rests_on(account.records, [was.record], (p.record for p in before), (p.record for own in end.own for p in own.places)),
        pairs=account.pairs, created=was.created(identifier), counted=before, explained_by=tuple(own.key for own in end.own),
    )  # fmt: skip


def _end(kind: Kind, was: Inventory, identifier: str, one: Gone, account: Statement, own: list[Operation]) -> _End:
    if own:
        return _End("deleted", own[-1].by, f"{says(own[-1])} that it was deleted, and after that its account was.", tuple(own))
    rule = expiry(kind, was.ends(identifier), was.created(identifier), one.now.at)
    # What had been due for long and was listed all the same, Azure does not seem to remove by itself.
    if rule is not None and rule.cause != "idle" and one.operation is not None and was.at < rule.at <= one.operation.start:
        cause: Cause = "developer-tier" if rule.cause == "developer-tier" else "expired"
        due = SENTENCES[cause] + (f" at {rule.at}" if cause == "expired" else "")
        return _End(cause, None, f"{due[0].upper()}{due[1:]}, and its account was deleted after that time.")
    return _End("account-deleted", account.by, "It was in an account that was deleted.")


def _deleted_deployments(given: Given, account: str, logs: list[Entry]) -> list[Operation]:
    """Deletions of the account's deployments that succeeded, by time."""
    told = operations(logs, given.shelf, frozenset({DELETE_DEPLOYMENT}))
    return [o for o in told if o.outcome == "succeeded" and o.resource.startswith(f"{account}/{DEPLOYMENT.collection}/")]


def _between(operation: Operation, was: Inventory, one: Gone) -> bool:
    """Whether an operation lies between the last inventory and the end of the account, give or take the difference of two clocks."""
    end = one.operation.start if one.operation is not None else one.now.at
    return operation.end >= plus(was.at, -CLOCKS) and operation.start <= plus(end, CLOCKS)
