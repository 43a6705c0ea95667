"""The statement itself: who made a change, or why that cannot be said. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.canonical import Json, canonical, sha256
from shared.judge.attribution.changed import Changed, question_of
from shared.judge.attribution.ledger import Ledger, covers
from shared.judge.lives.operations import PURGE_ACCOUNT, Operation, Told
from shared.judge.lives.times import CLOCKS, plus

Status = Literal["attributed", "unattributed"]

STATUSES: Final[tuple[Status, ...]] = ("attributed", "unattributed")

MOST_TOLD: Final = 24
"""A record is one line: it names no more operations, and no more places, than this."""

_PROVIDED: Final = "What changed is the provider's: no operation on the resource changes it"
_NO_LOG: Final = "No log that is asked tells of operations on such a resource"


@dataclass(frozen=True, slots=True)
class Attribution:
    """Who made a change."""

    changed: Changed
    status: Status
    by: Json
    """The object id of whoever did it, or what stands for the name; None where unattributed."""
    operation: Operation | None
    """The last one that can have made it, where attributed."""
    reason: str
    complete: bool
    """Whether the log was read over all of the time of the change and long enough after; until then a later entry may say more."""
    candidates: tuple[Operation, ...]
    """All operations that can have made it, by time."""
    records: tuple[int, ...]
    """All that it rests on."""

    def as_json(self) -> Json:
        """The fields of the record that follow from the records it names."""
        named, candidates = self.operation, self.candidates[-MOST_TOLD:]
        return {
            "change": self.changed.as_json(), "status": self.status, "by": self.by, "client": named.client if named else None,
            "operation": named.name if named else None, "outcome": named.outcome if named else None,
            "correlation": named.correlation if named else None, "reason": self.reason, "complete": self.complete,
            "candidates": [_candidate(operation) for operation in candidates],
            "witnesses": [_witness(told) for operation in candidates for told in operation.told][-MOST_TOLD:],
            "records": list(self.records),
        }  # fmt: skip

    @property
    def essence(self) -> str:
        """As the function of this name."""
        return essence(self.status, self.by, complete=self.complete)


def essence(status: Status, by: Json, *, complete: bool) -> str:
    """Equal for two statements about one change of which the second need not be sealed: that the log was read further says nothing new of who it was."""
    return sha256(canonical([status, by, complete or status == "attributed"]))[:16]


def _candidate(operation: Operation) -> Json:
    return {
        "by": operation.by, "client": operation.client, "operation": operation.name, "outcome": operation.outcome,
        "correlation": operation.correlation, "from": operation.start, "to": operation.end,
    }  # fmt: skip


def _witness(told: Told) -> Json:
    return {"witness": told.witness, "record": told.point.record, "page": told.point.page, "pointer": told.point.pointer, "at": told.at}


def attribute(changed: Changed, ledger: Ledger) -> Attribution:
    """Who made a change, as far as the answers and events in `ledger` tell."""
    if question_of(changed) is None:
        return Attribution(changed, "unattributed", None, None, f"{_PROVIDED if changed.op == 'provided' else _NO_LOG}.", True, (), ())
    records, complete = tuple(entry.record for entry in ledger.entries), covers(ledger.reach(), changed)
    found = _not_undone(changed, ledger, _in_time(changed, list(_possible(changed, ledger))))
    callers = {canonical(operation.by): operation.by for operation in found}
    if len(callers) == 1 and None not in callers.values():
        reason = f"One caller is named for {_operations(found)} in that time{'' if complete else ', as far as the log was read'}."
        return Attribution(changed, "attributed", found[-1].by, found[-1], reason, complete, tuple(found), records)
    if found:
        reason = f"{_people(found)} in the interval: which of them made this change cannot be told." if len(callers) > 1 else _nobody(found)
        return Attribution(changed, "unattributed", None, None, reason, complete, tuple(found), records)
    return Attribution(changed, "unattributed", None, None, _nothing(ledger, complete=complete), complete, (), records)


def _possible(changed: Changed, ledger: Ledger) -> Iterator[Operation]:
    """The operations that can have made such a change, whenever they were."""
    for operation in ledger.on(changed.target):
        if _fits(changed, operation):
            yield operation
    if changed.op == "removed" and changed.target == changed.resource:  # whatever holds it was deleted
        parent = changed.resource
        while (parent := parent.rpartition("/")[0].rpartition("/")[0]).count("/") >= 8:
            yield from (operation for operation in ledger.on(parent) if operation.name.endswith("/delete"))


def _fits(changed: Changed, operation: Operation) -> bool:
    deletes = operation.name.endswith("/delete")
    if changed.target == changed.resource:
        return deletes == (changed.op == "removed") and operation.name != PURGE_ACCOUNT
    # Of a deleted account: it comes when the account is deleted, and goes when that is purged or restored.
    return deletes and operation.name != PURGE_ACCOUNT if changed.op == "added" else not deletes or operation.name == PURGE_ACCOUNT


def _in_time(changed: Changed, found: Sequence[Operation]) -> list[Operation]:
    """Those in the very time of the change; where there are none, those in it give or take the difference of two clocks."""
    if changed.since is None:
        return []
    exact = [operation for operation in found if operation.end >= changed.since and operation.start <= changed.until]
    start, end = plus(changed.since, -CLOCKS), plus(changed.until, CLOCKS)
    return exact or [operation for operation in found if operation.end >= start and operation.start <= end]


def _not_undone(changed: Changed, ledger: Ledger, found: Sequence[Operation]) -> list[Operation]:
    """Those that were not undone in that time: what was made again after it was deleted is gone by the next deletion, and the other way round.

    All, where none would be left: then what undid them, by the log, had no effect.
    """
    if changed.target != changed.resource:
        return list(found)
    ended = [operation for operation in ledger.on(changed.target) if operation.outcome == "succeeded" and operation.name != PURGE_ACCOUNT]
    other = [operation for operation in ended if operation.name.endswith("/delete") != (changed.op == "removed")]
    undone = max((operation.start for operation in other if operation.start <= changed.until), default="")
    return [operation for operation in found if operation.end >= undone] or list(found)


def _operations(found: Sequence[Operation]) -> str:
    last = found[-1]
    said = f"{last.name} at {last.start} ({last.outcome})"
    return said if len(found) == 1 else f"{len(found)} operations on it, the last {said}"


def _people(found: Sequence[Operation]) -> str:
    names = dict.fromkeys(_name(operation.by) for operation in found)
    listed = list(names)[:MOST_TOLD]
    return f"Several people wrote it ({', '.join(listed)}{', …' if len(names) > len(listed) else ''})"


def _name(by: Json) -> str:
    if isinstance(by, str):
        return by
    committed = by.get("committed") if isinstance(by, dict) else None
    return f"somebody whose name is withheld, {committed}" if isinstance(committed, str) else "somebody whom nothing names"


def _nobody(found: Sequence[Operation]) -> str:
    return f"Nobody is named for {_operations(found)}."


def _nothing(ledger: Ledger, *, complete: bool) -> str:
    reach = ledger.reach()
    if reach is None:
        return f"The Activity Log could not be read ({ledger.failure()})."
    if complete:
        return "The Activity Log tells of no operation on this resource in the interval."
    return f"The Activity Log, as read from {reach[0]} to {reach[1]}, tells of no operation on this resource: entries come late."
