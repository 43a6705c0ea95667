"""The use-cases `alerts list` and `alerts test`: what waits in the outbox, was sent lately, or was given up; and whether receivers can be reached."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from shared import layout
from shared.canonical import Json
from shared.deliver.alerts.channel import Channel
from shared.deliver.alerts.decide import trial
from shared.errors import Misuse
from shared.records import timestamp
from shared.seal.attestor import Owed
from shared.seal.store import Store, read_hint
from shared.service.compose import Clock, store_facts, utc_now
from shared.service.outbox import held_for
from shared.service.receivers import receivers
from shared.service.stores import store_of
from shared.settings import Settings

LATELY = timedelta(days=7)

_ABOUT = ("severity", "text", "sweep", "resource", "records")


def listed(settings: Settings, now: Clock = utc_now) -> Json:
    """Receivers, and what became of alerts. Each of `waiting` says why it does; `problem` says why nobody is told of anything.

    Raises:
        Misuse: no store there.
        Unreachable: the store.
    """
    store, problem = store_of(settings), None
    try:
        known = {one.name: one for one in receivers(settings)}
    except Misuse as error:
        known, problem = {}, str(error)
    since = timestamp(now() - LATELY)
    return {
        "receivers": [_receiver(one) for one in known.values()],
        "problem": problem,
        "waiting": [_waiting(known, name, key, entry, now()) for name, key, entry in _entries(store, layout.WAITING)],
        "sent": [_told(name, key, entry, entry) for name, key, entry in _newest_first(store) if str(entry.get("at")) >= since],
        "dead": [_told(name, key, entry.get("alert"), entry) for name, key, entry in _entries(store, layout.DEAD)],
    }


def _newest_first(store: Store) -> list[tuple[str, str, Json]]:
    return sorted(_entries(store, layout.SENT), key=lambda one: str(one[2].get("at")), reverse=True)


def _entries(store: Store, folder: str) -> Iterator[tuple[str, str, Json]]:
    for path in store.list(f"{layout.OUTBOX}{folder}/"):
        name, key = path.split("/")[-2:]
        yield name, key, read_hint(store, path)


def _receiver(one: Channel) -> Json:
    route = one.route
    return {"name": one.name, "kind": one.kind, "host": urlsplit(one.url).hostname, "severity": route.severity, "controls": list(route.controls),
            "scopes": list(route.scopes), "digest": route.digest}  # fmt: skip


def _told(name: str, key: str, alert: Json, entry: Json) -> Json:
    about = alert if isinstance(alert, dict) else {}
    return {"receiver": name, "key": key, **{field: about.get(field) for field in _ABOUT}, "at": entry.get("at") or entry.get("since"), "reason": entry.get("error")}


def _waiting(known: dict[str, Channel], name: str, key: str, entry: Json, now: datetime) -> Json:
    told = _told(name, key, entry.get("alert"), entry)
    reason = told["reason"]
    if name not in known:
        reason = "no receiver has this name"
    elif reason is None and told["severity"] and (held := held_for(known[name].route, entry["alert"], now)):
        reason = f"waits for {held}"
    return {**told, "at": entry.get("put"), "reason": reason, "failures": entry.get("failures"), "next": entry.get("wait")}


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of a test."""

    receiver: str
    kind: str
    taken: bool
    answer: str


def test(settings: Settings, name: str | None = None, now: Clock = utc_now) -> list[Tried]:
    """Send a test to every receiver, or to one: at once, as an alert is sent, by the same guarded call.

    Raises:
        Misuse: there is none of that name, or none at all.
    """
    found = receivers(settings)
    if not found:
        raise Misuse("nobody is told of alerts: set EVIDENCE_ALERT_RECEIVERS or EVIDENCE_ALERT_WEBHOOKS (docs/alerts.md)")
    chosen = [one for one in found if name in (None, one.name)]
    if not chosen:
        raise Misuse(f"--receiver {name!r}: there are {', '.join(one.name for one in found)}")
    origin = store_facts(store_of(settings))["origin"]
    return [_tried(one, origin, now()) for one in chosen]


def _tried(one: Channel, origin: str, now: datetime) -> Tried:
    try:
        status = one.send(trial(origin, timestamp(now), one.name), now)
    except Owed as error:
        return Tried(one.name, one.kind, False, str(error))
    return Tried(one.name, one.kind, True, f"it answers {status}")


def untold(settings: Settings) -> list[str]:
    """A line for each receiver with alerts that failed: no failure of a sweep, which is sealed, and worth a line."""
    if not (settings.alert_receivers or settings.alert_webhooks):
        return []
    found, lines = listed(settings), []
    for name in [one["name"] for one in found["receivers"]]:
        failed = [one for folder in ("waiting", "dead") for one in found[folder] if one["receiver"] == name and (one.get("failures") or folder == "dead")]
        if failed:
            lines.append(f"alerts that {name} has not taken: {len(failed)}, last {failed[-1]['reason']}; `aoai-evidence alerts list` tells more")
    return lines
