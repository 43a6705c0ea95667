"""Deletions of deployments: what vanished from Resource Manager's lists, and what the Activity Log and events say was deleted. Pure."""

from shared.judge.assemble import Entry
from shared.judge.lives.causes import SENTENCES, Expiry, expiry
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
from shared.judge.lives.given import Given, subscription_of
from shared.judge.lives.inventory import Inventory
from shared.judge.lives.kinds import DEPLOYMENT
from shared.judge.lives.observable import logs_between, read
from shared.judge.lives.operations import DELETE_DEPLOYMENT, Operation, operations
from shared.judge.lives.statement import INVENTORY, Cause, Statement, Status, Witness, rests_on
from shared.judge.lives.times import CLOCKS, plus


def deployments(given: Given, account: str) -> list[Statement]:
    """All that can be said of deletions of an account's deployments from what is given."""
    prefix = f"{account}/deployments/"
    logs = given.activity(subscription_of(account))
    told = [
        operation
        for operation in operations(logs, given.shelf, frozenset({DELETE_DEPLOYMENT}))
        if operation.resource.startswith(prefix) and operation.outcome != "failed"
    ]
    inventories = given.inventories(DEPLOYMENT, account)
    gone = disappearances(given.consecutive(DEPLOYMENT, account), _compare)
    settled = disappearances(given.consecutive(DEPLOYMENT, account, settled=True), _compare)
    found: list[Statement] = []
    for identifier in sorted({*gone, *settled, *(operation.resource for operation in told)}):
        own = [operation for operation in told if operation.resource == identifier]
        one = _Deployment(given, account, identifier, inventories, logs)
        found += [statement for past in settled.get(identifier, ()) if (statement := one.again(past)) is not None]
        found += one.statements(gone.get(identifier, []), own)
    return found


def deployments_gone(was: Inventory, now: Inventory) -> list[str]:
    """Ids of the deployments that are gone, or made anew, from one inventory to the next."""
    return [one.id for one in gone_between(was, now, _compare)]


def _compare(was: Inventory, now: Inventory, identifier: str) -> How | None:
    """A deployment was made anew if it is younger than it was."""
    before, after = was.created(identifier), now.created(identifier)
    return "remade" if before is not None and after is not None and after > before else None


class _Deployment:
    def __init__(self, given: Given, account: str, identifier: str, inventories: list[Inventory], logs: list[Entry]) -> None:
        self.given, self.account, self.id, self.inventories, self.logs = given, account, identifier, inventories, logs

    def statements(self, gone: list[Gone], told: list[Operation]) -> list[Statement]:
        counted = [one for one in told if self.given.is_counted(one.key, one.places)]
        left = explain(gone, [one for one in told if one not in counted])
        shared = linked(gone, told)
        found = [self.again(one) or self._gone(one, shared or [one], counted) for one in gone]
        return found + [self._logged(one, shared) for one in left if one.outcome == "succeeded"]

    def _gone(self, one: Gone, shared: list[Gone], counted: list[Operation]) -> Statement:
        created, logs = one.was.created(self.id), logs_between(self.logs, one.was.at, one.now.at)
        before = counted_before(shared, counted)
        records = rests_on(*(other.records for other in shared), (log.record for log in logs), (point.record for point in before))
        status: Status = "corroborated"
        cause: Cause = "recreated" if one.how == "remade" else "deleted"
        if one.operation is not None:
            word = "was deleted" if one.operation.outcome == "succeeded" else "was being deleted"
            seen = "It was made again" if one.how == "remade" else "It is no longer listed"
            reason = f"{seen}, and {says(one.operation)} that it {word}."
        else:
            why = read(logs, one.was.at, one.now.at)
            status = "unobservable" if why else "unlogged"
            rule = expiry(DEPLOYMENT, one.was.item(self.id), created, one.now.at) if one.how == "vanished" else None
            cause, reason = _unlogged(one, rule, why)
        return Statement(
            DEPLOYMENT.name, self.account, one.was.object_id(self.id), one.was.at, one.now.at, status, cause, actor(one.operation), reason,
            (*seen_gone(one), *told_by(one.operation)), records, pairs=tuple(other.pair for other in shared), created=created,
            counted=before, explained_by=(one.operation.key,) if one.operation else (),
        )  # fmt: skip

    def again(self, one: Gone) -> Statement | None:
        """What is to be said where a later inventory lists the same deployment again, not one made later under its name."""
        created = one.was.created(self.id)
        listed = next((i for i in self.inventories if i.record > one.now.record and self.id in i), None)
        if one.how != "vanished" or listed is None or created is None or listed.created(self.id) != created:
            return None
        witnesses = (*seen_gone(one), Witness(INVENTORY, listed.point(self.id), listed.at))
        reason = "It was missing from an inventory and is listed again, no younger than before: it was not deleted."
        return Statement(
            DEPLOYMENT.name, self.account, one.was.object_id(self.id), one.was.at, one.now.at, "not-effective", "unknown", None, reason,
            witnesses, rests_on(one.pair, [listed.record]), pairs=(one.pair,), created=created,
        )  # fmt: skip

    def _logged(self, operation: Operation, shared: list[Gone]) -> Statement:
        """A deletion that succeeded, as a log says, and that explains no disappearance."""
        following = later(self.inventories, operation.end)
        name = self.id.rpartition("/")[2]
        status: Status = "logged"
        cause: Cause = "deleted"
        witnesses = told_by(operation)
        created = None
        if following is None:
            reason = f"{says(operation)} that it was deleted; no inventory since then shows whether it is gone."
        elif self.id not in following:
            reason = f"{says(operation)} that it was deleted; no inventory saw it before, and it is not listed."
        else:
            name, created = following.object_id(self.id), following.created(self.id)
            witnesses += (Witness(INVENTORY, following.point(self.id), following.at),)
            if created is not None and created > operation.start:
                cause, reason = "recreated", f"{says(operation)} that it was deleted; one of that name was made again at {created}."
            elif created is not None and created > plus(operation.start, -CLOCKS):
                reason = f"{says(operation)} that it was deleted; one of that name was made at {created}, {UNORDERED}."
            else:
                status, reason = "not-effective", f"{says(operation)} that it was deleted, and it is still listed."
        records = rests_on(
            (point.record for point in operation.places), *(one.records for one in shared), [following.record] if following else []
        )
        return Statement(
            DEPLOYMENT.name, self.account, name, operation.start, operation.end, status, cause, operation.by, reason, witnesses, records,
            pairs=tuple(one.pair for one in shared), created=created, explained_by=(operation.key,), pending=following is None,
        )  # fmt: skip


def _unlogged(one: Gone, rule: Expiry | None, why: str | None) -> tuple[Cause, str]:
    silence = f"; {why}" if why else ", and Azure's log says nothing of it"
    if one.how == "remade":
        return "recreated", f"It is younger than before, so it was deleted and made again{silence}."
    if rule is None:
        return "unknown", f"It is no longer listed{silence}."
    cause: Cause = "developer-tier" if rule.cause == "developer-tier" else "idle"
    return cause, f"It is no longer listed{silence}; {SENTENCES[cause]}."
