"""What Resource Manager listed and no longer lists, or lists anew, and the operations that explain it: by name and time. Pure.

Unlike on the data plane, a log names the resource, and a name can be used again: what was deleted and made anew is listed in both of two
inventories, with a later time of its making.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.canonical import Json
from shared.judge.lives.inventory import Inventory
from shared.judge.lives.operations import Operation, Told
from shared.judge.lives.statement import ACTIVITY_LOG, EVENT, INVENTORY, MOST_WITNESSES, Witness
from shared.judge.lives.times import CLOCKS, plus
from shared.model import Point

UNORDERED: Final = "and which came first cannot be told, since the clocks of the two may differ"
"""Of a deletion that a log tells of and a making that an inventory shows, too near to each other."""

How = Literal["vanished", "remade", "restored"]

Compare = Callable[[Inventory, Inventory, str], How | None]
"""How an object that both of two inventories list differs, if it is not the same object."""


@dataclass(slots=True)
class Gone:
    """One disappearance, between two inventories."""

    id: str
    was: Inventory
    now: Inventory
    how: How
    near: list[Operation] = field(default_factory=list)
    """Operations in its time."""
    operation: Operation | None = None
    """The one that explains it."""

    def spans(self, operation: Operation) -> bool:
        """Whether an operation lies in its time, give or take the difference of two clocks."""
        return operation.end >= plus(self.was.at, -CLOCKS) and operation.start <= plus(self.now.at, CLOCKS)

    @property
    def pair(self) -> tuple[int, int]:
        """Records of the two inventories."""
        return self.was.record, self.now.record

    @property
    def records(self) -> set[int]:
        """The inventories, and all that tells of the operations near it."""
        return {self.was.record, self.now.record, *(point.record for operation in self.near for point in operation.places)}


def disappearances(pairs: Iterable[tuple[Inventory, Inventory]], compare: Compare) -> dict[str, list[Gone]]:
    """What is gone from one inventory to the next, by id, in the order of time."""
    found: dict[str, list[Gone]] = {}
    for was, now in pairs:
        for one in gone_between(was, now, compare):
            found.setdefault(one.id, []).append(one)
    return found


def gone_between(was: Inventory, now: Inventory, compare: Compare) -> list[Gone]:
    """What is gone from one inventory to another."""
    found = []
    for identifier in sorted(was.places) if was.entry.digests != now.entry.digests else ():
        how: How | None = "vanished" if identifier not in now else compare(was, now, identifier)
        if how is not None:
            found.append(Gone(identifier, was, now, how))
    return found


def explain(gone: Sequence[Gone], operations: Sequence[Operation]) -> list[Operation]:
    """Let each operation explain one disappearance, and as many as possible be explained; return the ones that explain none.

    Each explains the one in whose very time it lies, unless more are explained where clocks are taken to differ.
    """
    for operation in operations:
        for one in gone:
            if one.spans(operation):
                one.near.append(operation)
    exact, loose = _matched(gone, operations, exact=True), _matched(gone, operations, exact=False)
    chosen = exact if len(exact) == len(loose) else loose
    for place, operation in chosen.items():
        gone[place].operation = operation
    return [operation for operation in operations if operation not in chosen.values()]


def _matched(gone: Sequence[Gone], operations: Sequence[Operation], *, exact: bool) -> dict[int, Operation]:
    """Operations by the place of what they explain: taken by time, each for what ends first."""
    found: dict[int, Operation] = {}
    left = []
    for operation in operations if exact else ():
        place = next((n for n, one in enumerate(gone) if n not in found and one.was.at <= operation.start and operation.end <= one.now.at), None)
        if place is None:
            left.append(operation)
        else:
            found[place] = operation
    for operation in left if exact else operations:
        place = next((n for n, one in enumerate(gone) if n not in found and one.spans(operation)), None)
        if place is not None:
            found[place] = operation
    return found


def linked(gone: Sequence[Gone], told: Iterable[Operation]) -> list[Gone]:
    """The disappearances of one name, where an operation is near several: what is said of one then depends on the others."""
    return list(gone) if any(sum(one.spans(operation) for one in gone) > 1 for operation in told) else []


def counted_before(gone: Sequence[Gone], counted: Iterable[Operation]) -> tuple[Point, ...]:
    """Where operations are told that could explain these disappearances, and were counted for earlier ones."""
    return tuple(point for operation in counted if any(one.spans(operation) for one in gone) for point in operation.places)


def later(inventories: Iterable[Inventory], after: str, record: int = -1) -> Inventory | None:
    """The first inventory of a time that is later by more than clocks may differ."""
    return next((inventory for inventory in inventories if inventory.record > record and inventory.at > plus(after, CLOCKS)), None)


def told_by(operation: Operation | None) -> tuple[Witness, ...]:
    """The entries that tell of an operation."""
    return tuple(map(_witness, operation.told[-MOST_WITNESSES + 2 :])) if operation is not None else ()


def says(operation: Operation) -> str:
    """The beginning of a sentence: who tells of an operation."""
    return f"Azure's {'log' if any(told.witness == 'activity-log' for told in operation.told) else 'event'} says"


def _witness(told: Told) -> Witness:
    return Witness(ACTIVITY_LOG if told.witness == "activity-log" else EVENT, told.point, told.at)


def seen_gone(one: Gone) -> tuple[Witness, ...]:
    """The two inventories of a disappearance."""
    now = one.now.point(one.id) if one.id in one.now else Point(one.now.record)
    return Witness(INVENTORY, one.was.point(one.id), one.was.at), Witness(INVENTORY, now, one.now.at)


def actor(operation: Operation | None) -> Json:
    """Who did it, as far as it is told."""
    return operation.by if operation is not None else None
