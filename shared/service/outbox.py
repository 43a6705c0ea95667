"""The outbox: what is to be told to whom, until it was taken or given up. Each is told at least once, with the same key each time.

    state/outbox/waiting/<receiver>/<key>   an alert that is to be sent; when it was put there, tried last, and why it was not taken
    state/outbox/sent/<receiver>/<key>      it was taken: what has its key is not sent again; forgotten after a month (`shared.service.pruning`)
    state/outbox/dead/<receiver>/<key>      it was given up, with the last reason: `watch` says so until the blob is deleted

Order of writing: `sent` or `dead` is written before `waiting` is deleted, and is looked for before anything is sent: whoever is killed in
between leaves what the next run clears away. Killed between the answer of a receiver and `sent`: it is sent again, with the same key.
A receiver that is down delays itself alone: each has its own folder, and after a failure the rest of it is left for the next run.

A digest is an alert of its own, in `waiting` before any of its members is marked as sent in it; the next run goes on with that.
"""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from shared import layout
from shared.canonical import Json, canonical
from shared.deliver.alerts.decide import digest_of
from shared.deliver.alerts.route import Route, breaks_through, is_quiet, last_digest
from shared.model import SEVERITIES
from shared.records import moment, timestamp
from shared.seal.attestor import Owed
from shared.seal.lease import leased
from shared.seal.store import Store
from shared.service.compose import Clock

FIRST_WAIT = timedelta(seconds=30)
LONGEST_WAIT = timedelta(hours=1)

GIVEN_UP = timedelta(days=3)
"""After so long without being taken an alert is dead."""

PAUSE = 2.0
"""Seconds, at most, that are waited for at once where a receiver asks for them: Slack does, to more than one message a second."""

BUDGET = 20.0
"""Seconds that one run may take: the next run that seals waits for it."""


_SORTS = {"members": "digest", "alarm": "alarm", "waiver": "waiver", "sweep": "sweep"}
"""What an alert is of, by the field that says so: how long its marker is kept follows from it (`shared.service.pruning`)."""


class Receiver(Protocol):
    """Who is told."""

    @property
    def name(self) -> str:
        """Its folder in the outbox."""

    @property
    def route(self) -> Route:
        """What it wants to be told, and when."""

    def send(self, alert: Json, now: datetime) -> object:
        """Tell it once. Raises Owed: it was not taken."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of one alert in a run."""

    receiver: str
    key: str
    error: str | None
    dead: bool = False


def put(store: Store, receiver: str, alert: Json, now: datetime) -> bool:
    """Put an alert into the outbox of a receiver; False where it is in it, or was."""
    if _is_done(store, receiver, alert["key"]):
        return False
    entry = {"alert": alert, "put": timestamp(now), "since": None, "failures": 0, "wait": None, "error": None}
    return store.put_new(layout.outbox(layout.WAITING, receiver, alert["key"]), canonical(entry))


def _is_done(store: Store, receiver: str, key: str) -> bool:
    return any(store.exists(layout.outbox(folder, receiver, key)) for folder in (layout.SENT, layout.DEAD))


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
            if one.route.digest and not is_quiet(one.route, now()):
                _gather(store, one, now())
            for key in _keys(store, one.name):
                if time.monotonic() > ends or taken is None or not taken.renew():
                    return
                done = _one(store, one, key, now())
                if done:
                    yield done
                if done and done.error:
                    break


def _keys(store: Store, receiver: str) -> list[str]:
    return [path.rpartition("/")[2] for path in store.list(layout.outbox(layout.WAITING, receiver))]


def _one(store: Store, one: Receiver, key: str, now: datetime) -> Delivery | None:
    """Send one, if it is due. None: it is not, or was sent already."""
    waiting = layout.outbox(layout.WAITING, one.name, key)
    entry = read_entry(store, waiting)
    if entry is not None and (held_for(one.route, entry["alert"], now) or _rests(entry, now)):
        return None
    if _is_done(store, one.name, key):
        store.delete(waiting)
        return None
    if entry is None:
        torn = "its entry in the outbox cannot be read: GET /api/changes has what it told"
        store.put(layout.outbox(layout.DEAD, one.name, key), canonical({"at": timestamp(now), "error": torn}))
        store.delete(waiting)
        return Delivery(one.name, key, torn, dead=True)
    try:
        _send(one, entry["alert"], now)
    except Owed as error:
        return _failed(store, one.name, entry, error, now)
    _sent(store, one.name, entry["alert"], now)
    return Delivery(one.name, key, None)


def _send(one: Receiver, alert: Json, now: datetime) -> None:
    try:
        one.send(alert, now)
    except Owed as error:
        if error.wait is None or error.wait > PAUSE:
            raise
        time.sleep(error.wait)
        one.send(alert, now)


def held_for(route: Route, alert: Json, now: datetime) -> str | None:
    """What an alert is kept back for, though nothing went wrong; None: it may be sent."""
    if breaks_through(route, alert["severity"]):
        return None
    if is_quiet(route, now):
        return "the end of quiet hours"
    return f"the {route.digest} digest" if route.digest is not None and "members" not in alert else None


def _rests(entry: Json, now: datetime) -> bool:
    """Whether it failed a moment ago. A rest that ends later than any can: the clock was set back since."""
    return entry["wait"] is not None and now < moment(entry["wait"]) <= now + LONGEST_WAIT


def _sent(store: Store, receiver: str, alert: Json, now: datetime, digest: str | None = None) -> None:
    told = {name: alert.get(name) for name in ("severity", "text", "sweep", "resource", "records")}
    of = next((sort for field, sort in _SORTS.items() if alert.get(field)), None)
    store.put(layout.outbox(layout.SENT, receiver, alert["key"]), canonical({"at": timestamp(now), "of": of, "digest": digest, **told}))
    store.delete(layout.outbox(layout.WAITING, receiver, alert["key"]))


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


def _gather(store: Store, one: Receiver, now: datetime) -> None:
    """Make a digest of what was put before the last moment at which one was due; finish one that was begun."""
    entries = {key: entry for key in _keys(store, one.name) if (entry := read_entry(store, layout.outbox(layout.WAITING, one.name, key)))}
    absorbed: set[str] = set()
    for entry in list(entries.values()):
        absorbed |= _absorb(store, one.name, entry["alert"], entries, now)
    due = timestamp(last_digest(one.route, now))
    members = [
        entry["alert"] for key, entry in entries.items()
        if key not in absorbed and "members" not in entry["alert"] and (entry.get("put") or "") < due and not breaks_through(one.route, entry["alert"]["severity"])
        and not _is_done(store, one.name, key)
    ]  # fmt: skip
    if members:
        digest = digest_of(members)
        put(store, one.name, digest, now)
        _absorb(store, one.name, digest, entries, now)


def _absorb(store: Store, receiver: str, digest: Json, entries: dict[str, Json], now: datetime) -> set[str]:
    """Mark the members of a digest, those that wait, as sent in it."""
    found = set(digest.get("members", ())) & entries.keys()
    for key in sorted(found):
        _sent(store, receiver, entries[key]["alert"], now, digest=digest["key"])
    return found


def read_entry(store: Store, path: str) -> Json:
    """An entry that waits; None where it is none."""
    try:
        entry = json.loads(store.get(path) or b"null")
        for name in ("wait", "since"):
            if entry[name] is not None:
                moment(entry[name])
        alert = entry["alert"]
        sound = isinstance(alert["key"], str) and alert["severity"] in SEVERITIES and type(entry["failures"]) is int and entry["failures"] >= 0
    except (ValueError, TypeError, KeyError):
        return None
    return entry if sound else None


def counted(store: Store, folder: str) -> dict[str, int]:
    """How many alerts are in a folder of the outbox, by receiver."""
    found: dict[str, int] = {}
    for path in store.list(f"{layout.OUTBOX}{folder}/"):
        name = path.split("/")[-2]
        found[name] = found.get(name, 0) + 1
    return found
