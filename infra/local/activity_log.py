"""The Activity Log: what somebody asked of ARM, remembered when it is asked, shown minutes later, forgotten after 90 days.

Nothing of the data plane is ever in it. One operation gives two or three events (Started, Accepted where Azure is done later, Succeeded or
Failed) that share correlationId and operationId; each becomes visible in its own time. What an event looks like is in
`infra.local.activity_shape`.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from infra.local.authorship import Actor
from infra.local.ids import subscription_of

Json = Any

KEPT = timedelta(days=90)

_METHODS = {"write": "PUT", "delete": "DELETE"}
_REQUESTS_SHOWN = ("diagnosticsettings", "roleassignments", "deployments", "raiblocklists")
"""Types whose events carry what was asked for."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: what all its events share."""

    serial: int
    at: datetime
    action: str
    resource: str
    actor: Actor
    method: str
    slow: bool
    failed: str | None
    """Azure's code of the refusal."""
    request: str
    """The body of the request as text, as far as events show it."""
    category: Literal["Administrative", "Policy"] = "Administrative"


@dataclass(frozen=True, slots=True)
class Event:
    """One event of an operation."""

    operation: Operation
    status: Literal["Started", "Accepted", "Succeeded", "Failed"]
    at: datetime
    visible: datetime
    """When a query shows it first."""


class ActivityLog:
    """The operations of all subscriptions. Held under the world's lock."""

    def __init__(self) -> None:
        self.latency = (3.0, 20.0)
        """Minutes from an event to when it is visible, at least and at most."""
        self.skew = timedelta(0)
        """How far the clock of this witness is ahead."""
        self._events: dict[str, list[Event]] = {}
        self._serial = 0

    def record(
        self,
        moment: datetime,
        verb: str,
        resource: str,
        actor: Actor,
        *,
        method: str = "",
        slow: bool = False,
        failed: str | None = None,
        request: Json = None,
    ) -> None:
        """Remember an operation on a resource; `verb` is what its action ends with."""
        self._serial += 1
        resource = f"/{resource.strip('/')}"
        kind = resource.lower().split("/")[-2]
        asked = json.dumps({"properties": request}) if request is not None and kind in _REQUESTS_SHOWN else ""
        operation = Operation(
            self._serial, moment, action_of(resource, verb), resource, actor, method or _METHODS.get(verb, "POST"), slow, failed, asked
        )
        held = self._events.setdefault(subscription_of(resource) or "", [])
        held += self._events_of(operation)

    def record_policy(self, moment: datetime, resource: str, actor: Actor) -> None:
        """A policy found fault with what somebody wrote: one event, filed under the provider of the resource and not of policies."""
        self._serial += 1
        action = "Microsoft.Authorization/policies/audit/action"
        operation = Operation(self._serial, moment, action, resource, actor, "PUT", False, None, "", "Policy")
        at = moment + self.skew
        event = Event(operation, "Succeeded", at, moment + self._delay(operation, "Succeeded"))
        self._events.setdefault(subscription_of(resource) or "", []).append(event)

    def events(self, subscription: str, now: datetime) -> list[Event]:
        """What a subscription's log shows now, newest first."""
        held = self._events.get(subscription.lower(), [])
        shown = [event for event in held if event.visible <= now and now - event.at < KEPT]
        return sorted(shown, key=lambda event: (event.at, event.operation.serial), reverse=True)

    def ended(self, subscription: str, since: datetime) -> list[Event]:
        """How operations that began since then ended, whether or not a query shows it yet: what Event Grid tells at once."""
        held = self._events.get(subscription.lower(), [])
        return [e for e in held if e.operation.at >= since and e.operation.category == "Administrative" and e.status in ("Succeeded", "Failed")]

    def _events_of(self, operation: Operation) -> Iterator[Event]:
        steps: list[tuple[Literal["Started", "Accepted", "Succeeded", "Failed"], float]] = [("Started", 0.0)]
        if operation.slow:
            steps.append(("Accepted", 1.2))
        steps.append(("Failed" if operation.failed else "Succeeded", 18.3 if operation.slow else 0.4))
        for status, later in steps:
            at = operation.at + self.skew + timedelta(seconds=later)
            yield Event(operation, status, at, operation.at + timedelta(seconds=later) + self._delay(operation, status))

    def _delay(self, operation: Operation, status: str) -> timedelta:
        """Always the same for the same event, and not in order."""
        low, high = self.latency
        share = zlib.crc32(f"{operation.serial}{status}".encode()) % 1000 / 1000
        return timedelta(minutes=low + (high - low) * share)


def action_of(resource: str, verb: str) -> str:
    """The action on a resource: provider, the types in its id, and the verb. Of two providers in an id the last counts."""
    _, _, path = resource.rpartition("/providers/")
    parts = path.split("/")
    if len(parts) < 2:
        return f"Microsoft.Resources/subscriptions/{verb}"
    if parts[1].lower() == "locations" and "deletedaccounts" in path.lower():
        return f"{parts[0]}/locations/resourceGroups/deletedAccounts/{verb}"
    return "/".join((parts[0], *parts[1::2], verb))
