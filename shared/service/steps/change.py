"""The step `on_change`: an event of Azure becomes a record, and its account is collected at once.

Events come at least once, out of order, late by hours, or not at all: they are hints. What is sealed of one is the same however often it
comes, and completeness rests on sweeps.

Sources: https://learn.microsoft.com/azure/event-grid/event-schema and event-schema-subscriptions; CloudEvents 1.0.
"""

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.plan import is_account_id
from shared.errors import Refused
from shared.judge.lives.times import when
from shared.privacy.disclosures import Disclosures
from shared.privacy.fields import EVENT
from shared.privacy.screen import screened
from shared.records import line, moment, record, timestamp
from shared.seal.commits import last_commit
from shared.seal.sequencer import batch_lines
from shared.seal.store import put_body
from shared.service import state
from shared.service.attributing import note_event
from shared.service.compose import random_bytes
from shared.service.steps.app import App
from shared.service.steps.work import CollectAccount, short

WINDOW = 10
"""Seconds. The events that arrive in one window are answered by one collection, which begins when the window is over: after all of them."""

_ACCOUNT = re.compile(r"/subscriptions/[^/]+/resourcegroups/[^/]+/providers/microsoft\.cognitiveservices/accounts/[^/]+", re.IGNORECASE)
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)(/|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Event:
    """What both schemas of Event Grid say."""

    id: str
    type: str
    subject: str
    time: str
    data: Json
    whole: Json

    @property
    def account(self) -> str | None:
        """The account that the event is about, or about a part of."""
        found = _ACCOUNT.match(self.subject)
        return found[0] if found and is_account_id(found[0]) else None

    @property
    def name(self) -> str:
        """The name of its batch: the same for every delivery."""
        return f"event-{short(canonical([self.id, self.type, self.subject, self.time]).decode())}"


def parse_events(data: bytes) -> list[Event]:
    """Read a message of the queue `on-change`: one event or a list, EventGridSchema or CloudEvents.

    Raises:
        Refused: it is neither; the line says why.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("the message is not JSON") from None
    events = [_event(item) for item in (value if isinstance(value, list) else [value])]
    if not events:
        raise Refused("the message holds no event")
    return events


def _event(value: Json) -> Event:
    if not isinstance(value, dict):
        raise Refused("the message is no event of Event Grid")
    type_, time = ("type", "time") if "specversion" in value else ("eventType", "eventTime")
    fields = [value.get(name) for name in ("id", type_, "subject", time)]
    if not all(isinstance(field, str) and 0 < len(field) <= 2048 for field in fields):
        raise Refused(f"the message is no event of Event Grid: one of id, {type_}, subject, {time} is not there")
    identifier, kind, subject, at = (str(field) for field in fields)
    if not _SUBSCRIPTION.match(subject):
        raise Refused("the event is not about a resource of a subscription")
    return Event(identifier, kind, subject, at, value.get("data"), value)


def change_message(app: App, message: bytes) -> str:
    """Seal what a message says, and queue the collection of the account it is about; return a line that says what was done.

    Raises:
        Refused: the message is none, or cannot be kept without naming people.
        Unreachable: the store or the queue: the host delivers the message again.
    """
    return "; ".join(_take(app, event) for event in parse_events(message))


def _take(app: App, event: Event) -> str:
    subscription = _SUBSCRIPTION.match(event.subject)
    if app.settings.subscriptions and subscription and subscription[1].lower() not in app.settings.subscriptions:
        return f"{event.name}: of a subscription outside the scope, passed over"
    new = _keep(app, event)
    if event.account is None:
        return f"{event.name}: {'kept' if new else 'known'}, about no account"
    # Of the delivery that was kept, not of this one: whenever it comes again, it asks for the same collection.
    end = datetime.fromtimestamp(math.floor(_kept_at(app, event).timestamp() / WINDOW + 1) * WINDOW, UTC)
    sweep = f"{end:%Y%m%dT%H%M%SZ}{layout.BY_EVENT}{short(event.account.lower())}"
    delay = min(max(0, math.ceil((end - app.now()) / timedelta(seconds=1))), WINDOW)
    if app.store.exists(layout.open_sweep(event.name)) and not app.store.exists(layout.batch(sweep, layout.CLOSED)):
        note_event(app.store, sweep, event.name, state.since(app.store, event.name))
    work = CollectAccount(sweep, event.account, event.id, when(event.time))
    app.queues.send(layout.COLLECT_QUEUE, work.text(), delay=delay)
    return f"{event.name}: {'kept' if new else 'known'}, {sweep} queued"


def _keep(app: App, event: Event) -> bool:
    """Write the event's record as a batch of its own; False where a delivery before did."""
    store, path = app.store, layout.batch(event.name, layout.EVENT)
    if store.exists(path):
        return False
    data = event.data if isinstance(event.data, dict) else {}
    try:
        # As the store was made, whatever a setting says today: what is sealed in clear cannot be taken back.
        commit = Disclosures(store, random_bytes).commit if app.facts["personal_data"] == "commit" else None
        body = screened(canonical(event.whole), EVENT, commit)
    except (ValueError, RecursionError):
        raise Refused("the event holds what cannot be screened for personal values: it is not kept") from None
    since = last_commit(store)
    state.mark_open(store, event.name, since)
    value = record(
        "event",
        timestamp(app.now()),
        sweep=None,
        kind="resource",
        resource=(event.account or event.subject).lower(),
        event={
            "id": event.id,
            "type": event.type,
            "subject": event.subject,
            "time": event.time,
            "operation": _text(data.get("operationName")),
            "status": _text(data.get("status")),
            "correlation": _text(data.get("correlationId")),
        },
        pages=[{"sha256": put_body(store, body), "bytes": len(body)}],
    )
    new = store.put_new(path, line(value, lambda data: put_body(store, data)) + b"\n")
    state.mark_open(store, event.name, since)  # taken meanwhile, where it seemed to be of nothing
    return new


def _kept_at(app: App, event: Event) -> datetime:
    """When the event was first delivered, as its record says."""
    path = layout.batch(event.name, layout.EVENT)
    value = json.loads(batch_lines(app.store.get(path) or b"", path)[0])
    return moment(value["at"])


def _text(value: Json) -> str | None:
    return value if isinstance(value, str) else None
