"""What the accounts hold: objects by account, collection and id, in the order in which they came; what goes, and what is known of it.

Collections are those of `infra.local.truth` and, of a parent, `<collection>/<id>/<name>`. A body may be a *recipe*, made anew whenever it is
asked for, so that a list of a hundred thousand files costs little. Held under the lock of the world, which also counts the changes.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from infra.local.authorship import Actor, Caller
from infra.local.data_operations import OPERATIONS
from infra.local.data_shapes import Generation
from infra.local.ids import fold, guid
from infra.local.resources import Body, Recipe
from infra.local.state import State
from infra.local.truth import COLLECTIONS, Cause, Event, Happening, object_id

Json = Any
Held = dict[str, dict[str, Body | Recipe]]

OnCall = Callable[[str, str, int, Caller, Generation], str]
"""Told of every call: account, name of the operation in logs, status, caller, generation; gives the id of the call."""


EXPIRING = ("file", "vector-store")
"""Kinds whose bodies say when they expire."""


class DataStore:
    """Objects of all accounts. Its verbs are in `infra.local.data_training` and `infra.local.data_plane`."""

    def __init__(self, world: State) -> None:
        self.world = world
        self.on_call: OnCall = lambda account, operation, status, caller, generation: guid("call", self.world.moment)
        self.is_logged: Callable[[str], bool] = lambda account: False
        """Whether logs have a row of a call of an account now."""
        self.calls: Generation = "dated"
        """Which generation of the API the verbs are called through, as far as logs tell."""
        self.keeps_deleted = False
        """A deleted file stays in lists with the status `deleted`, which the specification allows."""
        self._held: dict[str, Held] = {}
        self._serial = 0

    def objects(self, account: str, collection: str) -> dict[str, Body | Recipe]:
        """A collection's members by id, to read."""
        return self._held.get(fold(account), {}).get(collection, {})

    def ids(self, account: str, collection: str) -> list[str]:
        """The ids of a collection's members, oldest first."""
        with self.world.lock:
            return list(self.objects(account, collection))

    def body(self, account: str, collection: str, identity: str) -> Body:
        """One body, to read. Raises KeyError where there is none."""
        held = self.objects(account, collection)[identity]
        return held if isinstance(held, dict) else held()

    def adopt(self, account: str, collection: str, bodies: Iterable[tuple[str, Body | Recipe]]) -> None:
        """Take in many objects as they are: no log and no truth knows of them."""
        with self.world.changing():
            self._held.setdefault(fold(account), {}).setdefault(collection, {}).update(bodies)

    def take(self, account: str) -> Held:
        """Take out all that an account holds, since the account goes; `give_back` undoes it."""
        taken = self._held.pop(fold(account), {})
        for kind, identity in _named(taken):
            self._note("deleted", account, kind, identity, by=self.world.actor, cause="account-deleted")
        return taken

    def give_back(self, account: str, held: Held) -> None:
        """The account is back, with all that it held; what expired meanwhile goes now."""
        self._held[fold(account)] = held
        for kind, identity in _named(held):
            self._note("restored", account, kind, identity, by=self.world.actor)
            expires = self.body(account, COLLECTIONS[kind], identity).get("expires_at") if kind in EXPIRING else None
            if expires is not None:
                self._expires(account, kind, identity, max(datetime.fromtimestamp(expires, UTC), self.world.moment))

    def identity(self, prefix: str, account: str, *, dashed: bool = False) -> str:
        """A new id: the same world has the same ids in every run."""
        self._serial += 1
        made = guid("data", fold(account), self._serial)
        return prefix + (made if dashed else made.replace("-", ""))

    def called(self, account: str, operation: str, status: int, caller: Caller) -> None:
        """A verb was called: logs may know of it. What comes over HTTP is logged by the server, refusals too."""
        if not caller.over_http:
            self.on_call(account, getattr(OPERATIONS[operation], self.calls), status, caller, self.calls)

    def caller(self, caller: Caller | None) -> Caller:
        """Who calls: the world's actor with a token, unless told."""
        return caller or Caller(self.world.actor)

    @contextmanager
    def _changing(self, account: str) -> Iterator[datetime]:
        """Hold the lock for a change. Raises KeyError where there is no such account."""
        with self.world.changing() as (moment, _):
            self.world.resources.body(account)
            yield moment

    def _put(self, account: str, kind: str, body: Body, caller: Caller | None = None) -> str:
        """Put a new object; `caller` None: Azure made it."""
        identity = str(body["id"])
        self._within(account, COLLECTIONS[kind])[identity] = body
        self._note("created", account, kind, identity, by=caller and caller.actor, keyed=bool(caller and caller.keyed))
        return identity

    def _within(self, account: str, collection: str) -> dict[str, Body | Recipe]:
        return self._held.setdefault(fold(account), {}).setdefault(collection, {})

    def _kept(self, account: str, collection: str, identity: str) -> Body:
        """A body to change in place."""
        body = self.body(account, collection, identity)
        self._within(account, collection)[identity] = body
        return body

    def _remove(self, account: str, kind: str, identity: str, cause: Cause, caller: Caller | None) -> None:
        """Take out an object with all that hangs on it. Raises KeyError where it is not."""
        collection = COLLECTIONS[kind]
        held = self._held.get(fold(account), {})
        del held[collection][identity]
        for hanging in [name for name in held if name.startswith(f"{collection}/{identity}/")]:
            del held[hanging]
        logged = caller is not None and self.is_logged(account)
        self._note(
            "deleted", account, kind, identity, by=caller and caller.actor, cause=cause, keyed=bool(caller and caller.keyed), logged=logged
        )

    def _drop(self, account: str, kind: str, identity: str, cause: Cause, caller: Caller | None) -> None:
        """Take out an object, and what goes with it elsewhere."""
        self._remove(account, kind, identity, cause, caller)

    def _expires(self, account: str, kind: str, identity: str, at: datetime) -> None:
        """Let an object go by itself at a moment, if it is still there."""

        def expire() -> None:
            held = self.objects(account, COLLECTIONS[kind])
            if identity in held and not _is_shadow(held[identity]):
                with self._changing(account):
                    self._drop(account, kind, identity, "expired", None)

        self.world.due.add(at, expire)

    def _note(
        self,
        event: Event,
        account: str,
        kind: str,
        identity: str,
        *,
        by: Actor | None,
        cause: Cause | None = None,
        keyed: bool = False,
        logged: bool = False,
    ) -> None:
        name = by.name if by else None
        resource = object_id(account, kind, identity)
        self.world.truth.note(Happening(self.world.moment, event, kind, resource, identity, fold(account), name, cause, keyed, logged))


def _named(held: Held) -> Iterator[tuple[str, str]]:
    """Kind and id of every object; a file that is only listed as deleted is none."""
    for kind, collection in COLLECTIONS.items():
        for identity, body in list(held.get(collection, {}).items()):
            if not _is_shadow(body):
                yield kind, identity


def _is_shadow(body: Body | Recipe) -> bool:
    """Whether it is only listed as deleted."""
    return isinstance(body, dict) and body.get("status") == "deleted"
