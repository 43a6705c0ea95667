"""The outbox: what is to be told to whom, until it was taken or given up. Each is told at least once, with the same key each time.

    state/outbox/waiting/<receiver>/<key>   an alert that is to be sent; when it was tried last, and why it was not taken
    state/outbox/sent/<receiver>/<key>      it was taken: what has its key is not sent again
    state/outbox/dead/<receiver>/<key>      it was given up, with the last reason: `watch` says so until the blob is deleted

Order of writing: `sent` or `dead` is written before `waiting` is deleted, and is looked for before anything is sent: whoever is killed in
between leaves what the next run clears away. Killed between the answer of a receiver and `sent`: it is sent again, with the same key.
A receiver that is down delays itself alone: each has its own folder, and after a failure the rest of it is left for the next run.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared import layout
from shared.canonical import Json, canonical
from shared.deliver.alerts.decide import alerts_of, at_least
from shared.model import Severity
from shared.records import moment, timestamp
from shared.seal.attestor import Owed
from shared.seal.lease import leased
from shared.seal.log import open_log
from shared.seal.store import Store
from shared.service import state
from shared.service.compose import Clock, store_facts
from shared.service.queries import Filter, Reading, changes

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

GIVEN_UP = timedelta(days=3)
"""After so long without being taken an alert is dead."""

BUDGET = 20.0
"""Seconds that one run may take: the next run that seals waits for it."""


class Receiver(Protocol):
    """Who is told."""

    @property
    def name(self) -> str:
        """Its folder in the outbox."""

    def send(self, alert: Json, now: datetime) -> None:
        """Tell it once. Raises Owed: it was not taken."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one alert in a run."""

    receiver: str
    key: str
    error: str | None
    dead: bool = False


def fill(store: Store, sweep: str, receivers: Sequence[Receiver], least: Severity) -> int:
    """Put what a closed sweep gives into the outbox of everybody; how much was not in it yet. Any number of times is as good as once.

    Raises:
        StoreConflict: the log is not what was sealed.
        Unreachable: the store.
    """
    if not receivers:
        return 0
    found = [*_alerts(store, sweep, least)]
    return sum(_put(store, one.name, alert) for one in receivers for alert in found)


def _alerts(store: Store, sweep: str, least: Severity) -> list[Json]:
    log = open_log(store)
    summary = next((one for one in state.summaries(store, log) if one["sweep"] == sweep), None)
    if summary is None or not summary["changes"]:
        return []
    facts = store_facts(store)
    return alerts_of(facts["origin"], sweep, list(changes(Reading(store, log, facts, [summary]), None, Filter(), at_least(least))))


def _put(store: Store, receiver: str, alert: Json) -> bool:
    done = (layout.outbox(folder, receiver, alert["key"]) for folder in (layout.SENT, layout.DEAD))
    if any(map(store.exists, done)):
        return False
    entry = {"alert": alert, "since": None, "failures": 0, "wait": None, "error": None}
    return store.put_new(layout.outbox(layout.WAITING, receiver, alert["key"]), canonical(entry))


def deliver(store: Store, receivers: Sequence[Receiver], now: Clock, budget: float = BUDGET) -> Iterator[Delivery]:
    """Send what is due, one after the other; nothing while another run does.

    Raises:
        Unreachable: the store.
    """
    if not receivers:
        return
    with leased(store, layout.DELIVERING_LOCK) as taken:
        ends = time.monotonic() + budget
        for one in receivers if taken else ():
            for path in list(store.list(layout.outbox(layout.WAITING, one.name))):
                if time.monotonic() > ends or taken is None or not taken.renew():
                    return
                done = _one(store, one, path.rpartition("/")[2], now())
                if done:
                    yield done
                if done and done.error:
                    break


def _one(store: Store, one: Receiver, key: str, now: datetime) -> Delivery | None:
    """Send one, if it is due. None: it is not, or was sent already."""
    waiting = layout.outbox(layout.WAITING, one.name, key)
    if any(store.exists(layout.outbox(folder, one.name, key)) for folder in (layout.SENT, layout.DEAD)):
        store.delete(waiting)
        return None
    entry = _read(store, waiting)
    if entry is None:
        torn = "its entry in the outbox cannot be read: GET /api/changes has what it told"
        store.put(layout.outbox(layout.DEAD, one.name, key), canonical({"at": timestamp(now), "error": torn}))
        store.delete(waiting)
        return Delivery(one.name, key, torn, dead=True)
    if entry["wait"] and now < moment(entry["wait"]) <= now + LONGEST_WAIT:  # later than that: the clock was set back since
        return None
    try:
        one.send(entry["alert"], now)
    except Owed as error:
        return _failed(store, one.name, entry, error, now)
    store.put(layout.outbox(layout.SENT, one.name, key), canonical({"at": timestamp(now)}))
    store.delete(waiting)
    return Delivery(one.name, key, None)


def _failed(store: Store, receiver: str, entry: Json, error: Owed, now: datetime) -> Delivery:
    key = entry["alert"]["key"]
    rest = min(max(FIRST_WAIT * 2 ** min(entry["failures"], 20), timedelta(seconds=min(error.wait or 0, 1e6))), LONGEST_WAIT)
    since = entry["since"] or timestamp(now)
    entry = {**entry, "since": since, "failures": entry["failures"] + 1, "wait": timestamp(now + rest), "error": str(error)}
    dead = now - moment(since) > GIVEN_UP
    store.put(layout.outbox(layout.DEAD if dead else layout.WAITING, receiver, key), canonical(entry))
    if dead:
        store.delete(layout.outbox(layout.WAITING, receiver, key))
    return Delivery(receiver, key, str(error), dead)


def _read(store: Store, path: str) -> Json:
    try:
        entry = json.loads(store.get(path) or b"null")
        for name in ("wait", "since"):
            if entry[name] is not None:
                moment(entry[name])
        sound = isinstance(entry["alert"]["key"], str) and type(entry["failures"]) is int and entry["failures"] >= 0
    except (ValueError, TypeError, KeyError):
        return None
    return entry if sound else None


def dead(store: Store) -> dict[str, int]:
    """How many alerts were given up, by receiver."""
    found: dict[str, int] = {}
    for path in store.list(layout.OUTBOX + layout.DEAD + "/"):
        name = path.split("/")[-2]
        found[name] = found.get(name, 0) + 1
    return found
