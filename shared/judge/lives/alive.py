"""What is there: each object with the inventory that saw it first. Plain data, kept by whoever folds; as large as what is alive. Pure.

The end of a life is a deletion record, which takes with it when the object was first seen. Both together are the lives of all objects
that ever were in an inventory.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from sys import intern

from shared.canonical import Json
from shared.judge.lives.fold import Seen
from shared.judge.lives.kinds import BY_NAME, object_resource
from shared.judge.lives.state import State

FORMAT = 1

First = tuple[int, str]
"""Record and time of the inventory that saw an object first."""


@dataclass(frozen=True, slots=True)
class Life:
    """An object that is there."""

    kind: str
    id: str
    """By which inventories know it: exact on the data plane, the lower-cased ARM id elsewhere."""
    resource: str
    first_seen: First
    last_seen: First


@dataclass(slots=True)
class Alive:
    """What is there of one account, by kind and id."""

    objects: dict[str, dict[str, First]] = field(default_factory=dict)

    def see(self, seen: Seen) -> dict[str, First]:
        """Take in an inventory that is not what it was; return what it no longer lists, by id."""
        known = self.objects.setdefault(seen.kind.name, {})
        now, first = seen.now.places, (seen.now.record, seen.now.at)
        gone = {identifier: known.pop(identifier) for identifier in [i for i in known if i not in now]}
        for identifier in now.keys() - known.keys():
            known[identifier] = first
        return gone

    def renew(self, kind: str, identifier: str, first: First) -> First | None:
        """An object that was made anew under its name lives from now on; returns since when the one before did."""
        known = self.objects.get(kind, {})
        before = known.get(identifier)
        if before is not None:
            known[identifier] = first
        return before

    def lives(self, account: str, state: State) -> Iterator[Life]:
        """Everything that is there, with when it was seen last."""
        for kind, objects in sorted(self.objects.items()):
            last = state.last.get(BY_NAME[kind].question)
            for identifier, first in sorted(objects.items()):
                resource = identifier if kind in ("deployment", "account") else object_resource(account, kind, identifier)
                yield Life(kind, identifier, resource, first, (last.record, last.at) if last is not None else first)

    def as_json(self) -> Json:
        """As it is kept in the store: ids by the inventory that saw them first."""
        grouped: dict[str, dict[str, Json]] = {}
        for kind, objects in self.objects.items():
            for identifier, (record, at) in objects.items():
                grouped.setdefault(kind, {}).setdefault(str(record), [at, []])[1].append(identifier)
        return {"v": FORMAT, "objects": grouped}


def alive_of(value: Json) -> Alive | None:
    """What was kept; None for what is none, or of another version."""
    try:
        if value["v"] != FORMAT:
            return None
        return Alive({
            kind: {intern(identifier): first for first, ids in _by_first(grouped) for identifier in ids}
            for kind, grouped in value["objects"].items()
        })  # fmt: skip
    except (TypeError, KeyError, ValueError, AttributeError):
        return None


def _by_first(grouped: Json) -> Iterator[tuple[First, list[str]]]:
    for record, (at, ids) in grouped.items():
        yield (int(record), at), ids
