"""What comes after the end of an account: the purge that removes its data for good, and what logs tell of things in accounts unknown. Pure."""

from itertools import pairwise

from shared.judge.assemble import Entry
from shared.judge.lives.accounts import deleted_list
from shared.judge.lives.disappearance import says, told_by
from shared.judge.lives.given import DELETED_ACCOUNTS, Given, subscription_of
from shared.judge.lives.inventory import every_id
from shared.judge.lives.kinds import ACCOUNT, DEPLOYMENT
from shared.judge.lives.observable import logs_between, read
from shared.judge.lives.operations import DELETE_DEPLOYMENT, PURGE_ACCOUNT, Operation, operations
from shared.judge.lives.statement import DELETED_ACCOUNTS as AMONG_DELETED
from shared.judge.lives.statement import INVENTORY, Statement, Status, Witness, rests_on
from shared.judge.lives.times import CLOCKS, LATENCY, plus
from shared.model import Point

Listed = tuple[Entry, dict[str, Point]]
"""An answer about deleted accounts, and where each is in it."""


def purges(given: Given, subscription: str) -> list[Statement]:
    """Accounts that were purged, by somebody or by Azure when their time was over: deleted ones that can no longer be restored."""
    logs = given.activity(subscription)
    told = [o for o in operations(logs, given.shelf, frozenset({PURGE_ACCOUNT})) if o.outcome == "succeeded"]
    told = [o for o in told if not given.is_counted(o.key, o.places) and o.resource.startswith(f"{subscription}/")]
    answers = [(entry, given_list) for entry in given.of(DELETED_ACCOUNTS, subscription) if (given_list := deleted_list(given, entry)) is not None]
    found: list[Statement] = []
    used: set[str] = set()
    open_ = frozenset(given.pairs) - given.settled
    for was, now in pairwise(answers):
        if (was[0].record, now[0].record) not in open_:
            continue
        for identifier in sorted(was[1].keys() - now[1].keys()):
            operation = next((o for o in told if o.resource == identifier and _within(o, was[0].at, now[0].at) and o.key not in used), None)
            statement = _purged(identifier, was, now, operation) if operation else _overdue(given, subscription, identifier, was, now, logs)
            found += [statement] if statement is not None else []
            used.update([operation.key] if operation else [])
    return found + [_logged(o, answers) for o in told if o.key not in used]


def _within(operation: Operation, after: str, before: str) -> bool:
    return operation.end >= plus(after, -CLOCKS) and operation.start <= plus(before, CLOCKS)


def _purged(identifier: str, was: Listed, now: Listed, operation: Operation) -> Statement:
    witnesses = (Witness(AMONG_DELETED, was[1][identifier], was[0].at), Witness(AMONG_DELETED, Point(now[0].record), now[0].at))
    reason = f"It was purged, as {says(operation)}, and is no longer among the accounts that can be restored: what it held is gone for good."
    return Statement(
        ACCOUNT.name, identifier, identifier, was[0].at, now[0].at, "corroborated", "account-purged", operation.by, reason,
        (*witnesses, *told_by(operation)), rests_on((was[0].record, now[0].record), (point.record for point in operation.places)),
        pairs=((was[0].record, now[0].record),), explained_by=(operation.key,),
    )  # fmt: skip


def _overdue(given: Given, subscription: str, identifier: str, was: Listed, now: Listed, logs: list[Entry]) -> Statement | None:
    """Purged without a word: said only when a later list of accounts shows that it was not restored instead."""
    since = [inventory for inventory in given.inventories(ACCOUNT, subscription) if inventory.record > was[0].record]
    shown = next((inventory for inventory in since if inventory.record > now[0].record), None)
    if shown is None or any(identifier in inventory for inventory in since if inventory.record <= shown.record):
        return None  # not known yet; or restored, and perhaps deleted again
    own = logs_between(logs, was[0].at, now[0].at)
    why = read(own, was[0].at, now[0].at)
    status: Status = "unobservable" if why else "unlogged"
    reason = f"It is no longer among the accounts that can be restored{f'; {why}' if why else ', and nobody purged it'}: Azure purges them after 48 hours."
    witnesses = (
        Witness(AMONG_DELETED, was[1][identifier], was[0].at),
        Witness(AMONG_DELETED, Point(now[0].record), now[0].at),
        Witness(INVENTORY, Point(shown.record), shown.at),
    )
    return Statement(
        ACCOUNT.name, identifier, identifier, was[0].at, now[0].at, status, "account-purged", None, reason, witnesses,
        rests_on((was[0].record, now[0].record, shown.record), (log.record for log in own)), pairs=((was[0].record, now[0].record),),
    )  # fmt: skip


def _logged(operation: Operation, answers: list[Listed]) -> Statement:
    """A purge that succeeded, as the log says, of an account that no answer lists as deleted, or that one still does."""
    following = next(((entry, names) for entry, names in answers if entry.at > plus(operation.end, CLOCKS)), None)
    status: Status = "logged"
    witnesses = told_by(operation)
    if following is None:
        reason = f"It was purged, as {says(operation)}; no list of deleted accounts since then shows whether it is gone."
    elif operation.resource in following[1]:
        status, reason = "not-effective", f"It was purged, as {says(operation)}, and is still among the accounts that can be restored."
        witnesses += (Witness(AMONG_DELETED, following[1][operation.resource], following[0].at),)
    else:
        reason = f"It was purged, as {says(operation)}: what it held is gone for good. No list of deleted accounts had named it before."
    return Statement(
        ACCOUNT.name, operation.resource, operation.resource, operation.start, operation.end, status, "account-purged", operation.by, reason,
        witnesses, rests_on((point.record for point in operation.places), [following[0].record] if following else []),
        explained_by=(operation.key,), pending=following is None,
    )  # fmt: skip


def strays(given: Given, subscription: str) -> list[Statement]:
    """Deletions of deployments that a log tells of in accounts that the subscription does not list, and whose own unit is no more."""
    lists = given.of(ACCOUNT.question, subscription)
    if not lists:
        return []
    listed = every_id(lists[-1], given.load)
    found = []
    for operation in operations(given.activity(subscription), given.shelf, frozenset({DELETE_DEPLOYMENT})):
        account, _, name = operation.resource.rpartition("/deployments/")
        strange = operation.outcome == "succeeded" and account.startswith(f"{subscription}/") and account not in listed
        if not strange or given.is_counted(operation.key, operation.places) or _was_told(given, account, operation):
            continue
        found.append(
            Statement(
                DEPLOYMENT.name, account, name, operation.start, operation.end, "logged", "deleted", operation.by,
                f"{says(operation)} that it was deleted; its account is not listed.", told_by(operation),
                rests_on((point.record for point in operation.places), [lists[-1].record]), explained_by=(operation.key,),
            )
        )  # fmt: skip
    return found


def _was_told(given: Given, account: str, operation: Operation) -> bool:
    """Whether the account's own unit was judged with what is told of an operation, while the account was there.

    It was told in the sweep of the last inventory or before, or so long before that an earlier answer must have had it.
    """
    known = given.inventories(DEPLOYMENT, account)
    if not known:
        return False
    records = {point.record for point in operation.places}
    first = min(entry.at for entry in given.activity(subscription_of(account)) if entry.record in records)
    return first <= plus(known[-1].at, CLOCKS) or plus(operation.end, LATENCY) <= known[-1].at
