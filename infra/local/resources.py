"""What exists: bodies by id, and the collections they are members of. Ids are compared without regard to case.

The collection of `/…/deployments/chat` is `/…/deployments`: what a list answers follows from the ids alone, in the order in
which things were put. A body may be a *recipe*, made anew whenever it is asked for, so that a thousand generated accounts cost
little until somebody changes one; what has been changed is kept.
"""

from collections.abc import Callable, Iterator
from typing import Any

from infra.local.ids import fold

Json = Any
Body = dict[str, Json]
Recipe = Callable[[], Body]


class Resources:
    """Bodies by id. Not locked: the world it belongs to is."""

    def __init__(self) -> None:
        self._bodies: dict[str, Body | Recipe] = {}
        self._members: dict[str, dict[str, None]] = {}

    def __contains__(self, resource: str) -> bool:
        return fold(resource) in self._bodies

    def __len__(self) -> int:
        return len(self._bodies)

    def put(self, resource: str, body: Body | Recipe) -> None:
        """Add a resource, or replace it in its place."""
        key = fold(resource)
        self._bodies[key] = body
        self._members.setdefault(key.rpartition("/")[0], {})[key] = None

    def body(self, resource: str) -> Body:
        """The body itself, to read. Raises KeyError where there is none."""
        held = self._bodies[fold(resource)]
        return held if isinstance(held, dict) else held()

    def kept(self, resource: str) -> Body:
        """The body itself, to change in place: a recipe becomes what it makes. Raises KeyError where there is none."""
        body = self.body(resource)
        self._bodies[fold(resource)] = body
        return body

    def members(self, collection: str) -> list[str]:
        """The folded ids of a collection's members, in order; empty where nothing was ever put into it."""
        return list(self._members.get(fold(collection), ()))

    def under(self, resource: str) -> list[str]:
        """The folded ids of all that lies under `resource`, itself excepted."""
        key = fold(resource)
        return [found for found in self._at_or_under(key) if found != key]

    def remove(self, resource: str) -> None:
        """Take out one resource; what lies under it stays. Raises KeyError where there is none."""
        key = fold(resource)
        del self._bodies[key]
        del self._members[key.rpartition("/")[0]][key]

    def take(self, resource: str) -> list[tuple[str, Body | Recipe]]:
        """Take out a resource and all that lies under it; what was taken, in the order in which `put` brings it back."""
        key = fold(resource)
        if key not in self._bodies:
            raise KeyError(resource)
        taken = [(found, self._bodies[found]) for found in self._at_or_under(key)]
        for found, _ in taken:
            self.remove(found)
        return taken

    def _at_or_under(self, key: str) -> Iterator[str]:
        under = f"{key}/"
        return (found for found in self._bodies if found == key or found.startswith(under))
