"""Accounts that are gone, with all that they held: deleted, restored, made anew under the same name, purged for good. Pure.

A deleted account can be restored for 48 hours, and its data with it; then, or when somebody purges it, the data is gone. An account that is
listed no more may also have been moved, or the identity that collects may have lost the right to see it: what is said, says so.
"""

from collections.abc import Iterable

from shared.judge.assemble import Entry
from shared.judge.lives.disappearance import (
    UNORDERED,
    Gone,
    How,
    actor,
    counted_before,
    disappearances,
    explain,
    gone_between,
    later,
    linked,
    says,
    seen_gone,
    told_by,
)
from shared.judge.lives.given import DELETED_ACCOUNTS, Given
from shared.judge.lives.held import held
from shared.judge.lives.inventory import Inventory, every_id
from shared.judge.lives.kinds import ACCOUNT
from shared.judge.lives.observable import logs_between, read
from shared.judge.lives.operations import DELETE_ACCOUNT, Operation, account_of_deleted, operations
from shared.judge.lives.statement import DELETED_ACCOUNTS as AMONG_DELETED
from shared.judge.lives.statement import INVENTORY, Cause, Statement, Status, Witness, rests_on
from shared.judge.lives.times import CLOCKS, plus
from shared.model import Point


def accounts(given: Given, subscription: str) -> list[Statement]:
    """All that can be said of deletions of a subscription's accounts, and of what they held, from what is given."""
    logs = given.activity(subscription)
    told = [o for o in operations(logs, given.shelf, frozenset({DELETE_ACCOUNT})) if o.outcome != "failed"]
    inventories = given.inventories(ACCOUNT, subscription)
    gone = disappearances(given.consecutive(ACCOUNT, subscription), _compare)
    settled = disappearances(given.consecutive(ACCOUNT, subscription, settled=True), _compare)
    others = {identifier for entry in given.of(ACCOUNT.question, subscription) for identifier in every_id(entry, given.load)}
    others -= {identifier for inventory in inventories for identifier in inventory.places}
    found: list[Statement] = []
    for identifier in sorted({*gone, *settled, *(operation.resource for operation in told)} - others):
        if identifier.startswith(f"{subscription}/"):
            own = [operation for operation in told if operation.resource == identifier]
            one = _Account(given, subscription, identifier, inventories, logs)
            found += one.again(settled.get(identifier, ()), own)
            found += one.statements(gone.get(identifier, []), own)
    return found


def accounts_gone(was: Inventory, now: Inventory) -> list[str]:
    """Ids of the accounts that are gone, or are not what they were, from one inventory to the next; those that were moved left out."""
    return [one.id for one in gone_between(was, now, _compare) if not _moved(one)]


def deleted_list(given: Given, entry: Entry) -> dict[str, Point] | None:
    """Where each deleted account is listed, by the id that it had; None where that was not answered."""
    if entry.failure is not None or entry.status not in (None, 200):
        return None
    found: dict[str, Point] = {}
    for number, digest in enumerate(entry.digests):
        page = given.load(digest)
        values = page.get("value") if isinstance(page, dict) else None
        if not isinstance(values, list):
            return None
        for position, item in enumerate(values):
            identifier = item.get("id") if isinstance(item, dict) else None
            had = account_of_deleted(identifier) if isinstance(identifier, str) else None
            if had is not None:
                found[had] = Point(entry.record, number, f"/value/{position}")
    return found


def _compare(was: Inventory, now: Inventory, identifier: str) -> How | None:
    """An account of the same name is another one, or the same that was restored, which Azure tells by rewriting the time of its making."""
    if was.identity(identifier) != now.identity(identifier):
        return "remade"
    made, again = was.created(identifier), now.created(identifier)
    return "restored" if made is not None and again is not None and again > made else None


def _moved(one: Gone) -> bool:
    """Whether the same account is listed under another id: in another resource group."""
    own = one.was.identity(one.id)
    if one.how != "vanished" or own[0] is None:
        return False
    return any(one.now.identity(other) == own for other in one.now.places if other not in one.was)


class _Account:
    def __init__(self, given: Given, subscription: str, identifier: str, inventories: list[Inventory], logs: list[Entry]) -> None:
        self.given, self.subscription, self.id, self.inventories, self.logs = given, subscription, identifier, inventories, logs

    def statements(self, gone: list[Gone], told: list[Operation]) -> list[Statement]:
        counted = [one for one in told if self.given.is_counted(one.key, one.places)]
        left = explain(gone, [one for one in told if one not in counted])
        shared = linked(gone, told)
        found: list[Statement] = []
        for one in gone:
            if _moved(one):
                continue
            statement = self._returned(one) or self._gone(one, shared or [one], counted)
            found += [statement, *held(self.given, one, statement, self.logs)]
        return found + [self._logged(one, shared) for one in left if one.outcome == "succeeded"]

    def again(self, settled: Iterable[Gone], told: list[Operation]) -> list[Statement]:
        """What is to be said where an account whose end was told is listed again: it was restored, with what it held."""
        found: list[Statement] = []
        for one in settled:
            statement = self._returned(one)
            one.operation = next((operation for operation in told if one.spans(operation)), None)
            if statement is not None:
                found += [statement, *held(self.given, one, statement, self.logs)]
        return found

    # -- the account ----------------------------------------------------------------------------------------------------

    def _gone(self, one: Gone, shared: list[Gone], counted: list[Operation]) -> Statement:
        logs = logs_between(self.logs, one.was.at, one.now.at)
        deleted = self._among_deleted(one)
        before = counted_before(shared, counted)
        records = rests_on(
            *(other.records for other in shared), (log.record for log in logs), [deleted[0]] if deleted else [], (p.record for p in before)
        )
        status, cause, reason = self._verdict(one, deleted is not None, logs)
        listed = (Witness(AMONG_DELETED, deleted[1], deleted[2]),) if deleted is not None else ()
        return Statement(
            ACCOUNT.name, self.id, one.was.object_id(self.id), one.was.at, one.now.at, status, cause, actor(one.operation), reason,
            (*seen_gone(one), *told_by(one.operation), *listed), records, pairs=tuple(other.pair for other in shared),
            created=one.was.created(self.id), counted=before, explained_by=(one.operation.key,) if one.operation else (),
        )  # fmt: skip

    def _verdict(self, one: Gone, deleted: bool, logs: list[Entry]) -> tuple[Status, Cause, str]:
        if one.how == "restored":
            return "not-effective", "deleted", f"It was deleted, and restored at {one.now.created(self.id)}: what it held is there again."
        cause: Cause = "recreated" if one.how == "remade" else "deleted"
        seen = "Another account has its name" if one.how == "remade" else "It is no longer listed"
        if one.operation is not None:
            word = "was deleted" if one.operation.outcome == "succeeded" else "was being deleted"
            kept = "; it can be restored until it is purged" if deleted else ""
            return "corroborated", cause, f"{seen}, and {says(one.operation)} that it {word}{kept}."
        if deleted:
            return "corroborated", cause, f"{seen}, and Azure lists it among the deleted accounts that can be restored."
        why = read(logs, one.was.at, one.now.at)
        doubt = "" if one.how == "remade" else ": it was deleted, or may no longer be seen by the identity that collects"
        silence = f"; {why}" if why else ", and Azure's log says nothing of a deletion"
        return "unobservable" if why else "unlogged", cause if one.how == "remade" else "unknown", f"{seen}{silence}{doubt}."

    def _returned(self, one: Gone) -> Statement | None:
        """What is to be said where a later inventory lists the same account again."""
        again = self._restored(one)
        if again is None:
            return None
        witnesses = (*seen_gone(one), Witness(INVENTORY, again.point(self.id), again.at))
        reason = f"It was deleted, and restored at {again.created(self.id)}: what it held is there again."
        return Statement(
            ACCOUNT.name, self.id, one.was.object_id(self.id), one.was.at, one.now.at, "not-effective", "deleted", None, reason, witnesses,
            rests_on(one.pair, [again.record]), pairs=(one.pair,), created=one.was.created(self.id),
        )  # fmt: skip

    def _restored(self, one: Gone) -> Inventory | None:
        """The first inventory after a disappearance that lists the same account again."""
        if one.how != "vanished":
            return None
        listed = next((i for i in self.inventories if i.record > one.now.record and self.id in i), None)
        same = listed is not None and listed.identity(self.id) == one.was.identity(self.id)
        return listed if same else None

    def _among_deleted(self, one: Gone) -> tuple[int, Point, str] | None:
        """(record, place, time) of the first answer about deleted accounts since the account was last seen that lists it."""
        if one.how != "vanished":
            return None
        for entry in self.given.of(DELETED_ACCOUNTS, self.subscription):
            if entry.record > one.was.record and entry.at >= plus(one.now.at, -CLOCKS):
                found = deleted_list(self.given, entry)
                if found is not None:
                    return (entry.record, found[self.id], entry.at) if self.id in found else None
        return None

    def _logged(self, operation: Operation, shared: list[Gone]) -> Statement:
        """A deletion that succeeded, as a log says, and that explains no disappearance."""
        following = later(self.inventories, operation.end)
        status: Status = "logged"
        cause: Cause = "deleted"
        witnesses = told_by(operation)
        if following is None:
            reason = f"{says(operation)} that it was deleted; no inventory since then shows whether it is gone."
        elif self.id not in following:
            reason = f"{says(operation)} that it was deleted; no inventory saw it before as an account of a kind in scope, and it is not listed."
        else:
            witnesses += (Witness(INVENTORY, following.point(self.id), following.at),)
            created = following.created(self.id)
            if created is not None and created > operation.start:
                cause, reason = "recreated", f"{says(operation)} that it was deleted; it was restored, or made again, at {created}."
            elif created is not None and created > plus(operation.start, -CLOCKS):
                reason = f"{says(operation)} that it was deleted; one of that name was made, or restored, at {created}, {UNORDERED}."
            else:
                status, reason = "not-effective", f"{says(operation)} that it was deleted, and it is still listed."
        records = rests_on(
            (point.record for point in operation.places), *(one.records for one in shared), [following.record] if following else []
        )
        return Statement(
            ACCOUNT.name, self.id, self.id, operation.start, operation.end, status, cause, operation.by, reason, witnesses, records,
            pairs=tuple(one.pair for one in shared), explained_by=(operation.key,), pending=following is None,
        )  # fmt: skip
