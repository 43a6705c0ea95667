"""What a reconciliation is given: answers and events of any kind and order, sorted into what they can tell. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.judge.assemble import EVENT, Entry, LoadBody
from shared.judge.lives.inventory import Inventory, Shelf
from shared.judge.lives.kinds import Kind
from shared.model import Point

ACTIVITY: str = "activityLog"
DELETIONS: str = "resourceLogDeletions"
SETTINGS: str = "diagnosticSettings"
ACCOUNT_ANSWER: str = "account"
DELETED_ACCOUNTS: str = "deletedAccounts"


@dataclass(frozen=True, slots=True)
class Loss:
    """What one inventory lists and the next whole one does not: gone between the two, whatever was asked in between and not answered."""

    kind: Kind
    was: Inventory
    now: Inventory
    ids: tuple[str, ...]

    @property
    def after(self) -> str:
        """When they were last seen."""
        return self.was.at

    @property
    def before(self) -> str:
        """When they were first not seen."""
        return self.now.at


Pair = tuple[int, int]
"""Records of two whole inventories of one kind and resource that follow each other."""


class Given:
    """Entries by kind and resource, in the order of the log. Every conclusion follows from these alone."""

    def __init__(
        self, entries: Iterable[Entry], shelf: Shelf, pairs: Iterable[Pair], *,
        settled: Iterable[Pair] = (), counted: frozenset[str | Point] = frozenset(),
    ) -> None:  # fmt: skip
        """Entries that stand for the same record count once.

        `pairs`: the inventories between which something is gone. `settled`: those of which all is said, unless it is listed again.
        `counted`: what logs tell and was counted for an earlier statement, by its key or its place.
        """
        self.shelf = shelf
        self.counted = counted
        self.settled = frozenset(settled)
        self.pairs = tuple(sorted({*pairs, *self.settled}))
        self._by: dict[tuple[str, str], list[Entry]] = {}
        for entry in sorted({entry.record: entry for entry in entries}.values(), key=lambda entry: entry.record):
            self._by.setdefault((entry.kind, entry.resource), []).append(entry)

    def is_counted(self, key: str, points: Iterable[Point]) -> bool:
        """Whether what a log tells was counted before."""
        return key in self.counted or any(point in self.counted for point in points)

    @property
    def load(self) -> LoadBody:
        """Gives bodies."""
        return self.shelf.load

    def of(self, kind: str, resource: str) -> list[Entry]:
        """The answers to a question about a resource."""
        return self._by.get((kind, resource), [])

    def under(self, kind: str, account: str) -> list[Entry]:
        """The answers to a question about an account or what is named under it."""
        found = [
            entry
            for (known, resource), entries in self._by.items()
            if known == kind and (resource == account or resource.startswith(f"{account}/"))
            for entry in entries
        ]
        return sorted(found, key=lambda entry: entry.record)

    def elsewhere(self, kind: str, account: str) -> list[Entry]:
        """The answers to a question about other resources."""
        found = [entry for (known, resource), entries in self._by.items() if known == kind and resource != account for entry in entries]
        return sorted(found, key=lambda entry: entry.record)

    def activity(self, subscription: str) -> list[Entry]:
        """What tells of operations: the subscription's Activity Log, and events."""
        events = [entry for (kind, _), entries in self._by.items() if kind == EVENT for entry in entries]
        return sorted([*self.of(ACTIVITY, subscription), *events], key=lambda entry: entry.record)

    def inventories(self, kind: Kind, resource: str) -> list[Inventory]:
        """The whole inventories of a kind."""
        found = (self.shelf.inventory(kind, entry) for entry in self.of(kind.question, resource))
        return [inventory for inventory in found if inventory is not None]

    def consecutive(self, kind: Kind, resource: str, *, settled: bool = False) -> list[tuple[Inventory, Inventory]]:
        """The pairs of inventories between which something is gone: the open ones, or the settled ones."""
        known = {inventory.record: inventory for inventory in self.inventories(kind, resource)}
        pairs = self.settled if settled else frozenset(self.pairs) - self.settled
        return [(known[was], known[now]) for was, now in sorted(pairs) if was in known and now in known]

    def losses(self, kind: Kind, resource: str, *, settled: bool = False) -> list[Loss]:
        """What is gone from one inventory to the next."""
        found = ((was, now, self.shelf.lost(was, now)) for was, now in self.consecutive(kind, resource, settled=settled))
        return [Loss(kind, was, now, ids) for was, now, ids in found if ids]


def subscription_of(resource: str) -> str:
    """The subscription that a resource is in, as an id."""
    return "/".join(resource.split("/")[:3])
