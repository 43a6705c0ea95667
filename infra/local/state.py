"""What the stand-in knows, and how anything in it is changed: subscriptions, rights, the clock, bodies by id.

Every change goes through `changing`: it holds the lock, takes the time, and counts, so that the server knows when what it has
rendered is out of date. The server reads from another thread and holds `lock` while it does.
"""

import copy
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from infra.local import scope_shapes
from infra.local.activity_log import ActivityLog
from infra.local.authorship import Actor, etag, guid_etag, system_data, touch
from infra.local.clock import real_time
from infra.local.due import Due
from infra.local.ids import ACCOUNT, fold, guid
from infra.local.property_path import remove_at, set_at
from infra.local.regions import location_rows
from infra.local.resources import Body, Resources
from infra.local.truth import Cause, Event, Happening, Truth

Json = Any

_SOMEBODY = Actor("somebody")
_KINDS = {
    "accounts": "account",
    "deployments": "deployment",
    "diagnosticsettings": "diagnostic-setting",
    "roleassignments": "role-assignment",
}


class State:
    """Everything but the verbs of accounts (`infra.local.world`)."""

    def __init__(self, now: Callable[[], datetime] = real_time) -> None:
        self.now = now
        """The world's clock: dates changes and the Date header. Replace it to jump."""
        self.actor = Actor("setup@brightwater.example")
        """Who changes things from now on."""
        self.tenant = guid("tenant")
        self.lock = threading.RLock()
        self.version = 0
        """How many changes there were."""
        self.resources = Resources()
        self.subscriptions: dict[str, Body] = {}
        self.location_rows: Callable[[str], list[Json]] = location_rows
        self.due = Due()
        """What will happen by itself."""
        self.activity = ActivityLog()
        """What the Activity Log tells of."""
        self._denied: set[str] = set()
        self._truth = Truth()
        self._story = threading.local()  # of the thread that tells it: the server's requests happen by the clock

    @contextmanager
    def changing(self) -> Iterator[tuple[datetime, int]]:
        """Hold the lock for a change; gives the time of it and its number. What was due before it has happened."""
        with self.lock:
            self.pass_time()
            try:
                yield self.moment, self.version
            finally:
                self.version += 1

    @property
    def truth(self) -> Truth:
        """What really happened until now, for tests alone."""
        self.pass_time()
        return self._truth

    @property
    def moment(self) -> datetime:
        """When a change happens that is made now: the clock's time, or that of the story within `at`."""
        return getattr(self._story, "at", None) or self.now()

    @contextmanager
    def at(self, moment: datetime) -> Iterator[None]:
        """Let the changes within happen at `moment`, without touching the clock that the server shows."""
        before, self._story.at = getattr(self._story, "at", None), moment
        try:
            yield
        finally:
            self._story.at = before

    def pass_time(self) -> None:
        """Let happen what was due by now (by the story's time within `at`), each thing at its own moment."""
        with self.lock:
            now = self.moment
            while (due := self.due.take(now)) is not None:
                with self.at(due[0]):
                    due[1]()

    def add_subscription(self, subscription: str, name: str, *, state: str = "Enabled") -> str:
        """Add a subscription (its GUID) to those the caller sees; the GUID."""
        with self.changing():
            self.subscriptions[subscription.lower()] = scope_shapes.subscription_body(subscription, name, self.tenant, state)
        return subscription

    def deny(self, scope: str) -> None:
        """Answer 403 AuthorizationFailed to everything at or under `scope`; a denied subscription is still listed."""
        with self.changing():
            self._denied.add(fold(scope))

    def allow(self, scope: str) -> None:
        """Take back a `deny`."""
        with self.changing():
            self._denied.discard(fold(scope))

    def is_denied(self, resource: str) -> bool:
        """Whether the caller has no rights at `resource`."""
        key = fold(resource)
        return any(key == scope or key.startswith(f"{scope}/") for scope in self._denied)

    def get(self, resource: str) -> Body:
        """A copy of a body. Raises KeyError where there is none."""
        with self.lock:
            return copy.deepcopy(self.resources.body(resource))

    def children(self, parent: str, collection: str) -> list[Body]:
        """Copies of a collection's members."""
        with self.lock:
            return [self.get(key) for key in self.resources.members(f"{parent}/{collection}")]

    @contextmanager
    def acting(
        self, verb: str, resource: str, *, method: str = "", slow: bool = False, request: Json = None
    ) -> Iterator[tuple[datetime, int]]:
        """A change that somebody asks ARM for, which the Activity Log tells of (once, however many changes are made within).

        `verb` is what the action ends with (`write`, `delete`, `listKeys/action`), `slow` that Azure accepts it first and is done later.
        """
        asked = not getattr(self._story, "unasked", False)
        with self.changing() as (moment, tick), self.unasked():
            yield moment, tick
            if asked:
                self.activity.record(moment, verb, resource, self.actor, method=method, slow=slow, request=request)

    @contextmanager
    def unasked(self) -> Iterator[None]:
        """Changes within are parts of another, or Azure's own: the Activity Log does not tell of them."""
        before = getattr(self._story, "unasked", False)
        self._story.unasked = True
        try:
            yield
        finally:
            self._story.unasked = before

    def note(
        self, event: Event, resource: str, *, cause: Cause | None = None, by: Actor | None = _SOMEBODY, logged: bool | None = None
    ) -> None:
        """Something happened to a resource of ARM's. `by`: the world's actor unless told; None: Azure itself.

        `logged`, of deletions: as the Activity Log does it unless told, which names what was asked for and not what went with it.
        """
        actor = self.actor if by is _SOMEBODY else by
        account = ACCOUNT.match(f"/{resource.strip('/')}")
        kind = fold(resource).split("/")[-2]
        self.truth.note(
            Happening(
                self.moment,
                event,
                _KINDS.get(kind, kind),
                fold(resource),
                resource.rpartition("/")[2],
                fold(account[0]) if account else "",
                actor.name if actor else None,
                cause,
                logged=cause == "deleted" if logged is None else logged,
            )
        )

    def set_property(self, resource: str, path: str, value: Json) -> None:
        """Set one place in a body: a JSON Pointer (`/properties/publicNetworkAccess`) or dotted; `-` appends to a list."""
        with self.acting("write", resource, method="PATCH") as (moment, tick):
            body = self.resources.kept(resource)
            set_at(body, path, value)
            touch(body, self.actor, moment, tick)
            self.note("changed", resource)

    def remove_property(self, resource: str, path: str) -> None:
        """Take one place out of a body: back to the default, which Azure does not show."""
        with self.acting("write", resource, method="PATCH") as (moment, tick):
            body = self.resources.kept(resource)
            remove_at(body, path)
            touch(body, self.actor, moment, tick)
            self.note("changed", resource)

    def put(self, body: Body, *, authored: bool = True, style: str | None = "guid", slow: bool = False) -> str:
        """Add or replace a resource by its own id; `style` of its etag: `guid`, `dated` or None. The id."""
        resource = str(body["id"])
        with self.acting("write", resource, slow=slow, request=body.get("properties")) as (moment, tick):
            self.note("changed" if resource in self.resources else "created", resource)
            if style:
                body["etag"] = guid_etag(resource, moment, tick) if style == "guid" else etag(moment, tick, resource)
            if authored:
                body["systemData"] = system_data(self.actor, moment, tick)
                if resource in self.resources:
                    body["systemData"] |= _creation(self.resources.body(resource))
            self.resources.put(resource, body)
        return resource

    def delete(self, resource: str) -> None:
        """Delete anything but an account, with all that lies under it."""
        resource = str(self.resources.body(resource)["id"])
        with self.acting("delete", resource):
            for key, held in self.resources.take(resource):
                if isinstance(held, dict) or key == fold(resource):
                    name = str(held.get("id", key)) if isinstance(held, dict) else resource
                    self.note("deleted", name, cause="deleted", logged=key == fold(resource))

    def attempt(self, verb: str, resource: str, code: str = "ScopeLocked") -> None:
        """Somebody asks for a change that Azure refuses: the Activity Log says Failed, and all stays as it is."""
        with self.changing() as (moment, _):
            self.activity.record(moment, verb, resource, self.actor, failed=code)

    def promise_deletion(self, resource: str) -> None:
        """The Activity Log says that a deletion succeeded, and the resource is still there."""
        with self.changing() as (moment, _):
            self.activity.record(moment, "delete", str(self.resources.body(resource)["id"]), self.actor, slow=True)


def _creation(body: Body) -> Body:
    return {key: value for key, value in body.get("systemData", {}).items() if key.startswith("created")}
