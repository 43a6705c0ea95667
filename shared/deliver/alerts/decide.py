"""Which alerts the changes of a closed sweep give, and which digest several alerts give. Pure.

An alert is a JSON object: v, kind, key, origin, sweep, at, severity, resource, controls, text, means, records, count. `records` are indexes in the
log: whoever receives it can ask for these records, or verify a bundle that holds them. `key` follows from the log and these indexes alone, so
that the same change gives the same alert however often it is looked at. A digest has `members` too, the keys of what it tells; a test has `test`.
Leaves out: who is told (`route`), and whether he was (`shared.service.outbox`).
"""

from collections import Counter
from collections.abc import Sequence

from shared.canonical import Json, canonical, sha256
from shared.model import SEVERITIES

KIND = "aoai-evidence-alert"

STORM = 20
"""Changes of one sweep that are told one by one, at most; more are one alert."""

WORST = 10
"""Changes that such an alert names."""

LISTED = 30
"""Alerts that a digest names."""


def alerts_of(origin: str, sweep: str, changes: Sequence[Json]) -> list[Json]:
    """The alerts that these changes of one sweep give: one each, the worst first, or one for all of a storm.

    `changes`: change records of one sweep with `record` (index), `severity` and `means`, as `queries.changes` gives them.
    """
    ranked = sorted(changes, key=lambda change: (SEVERITIES.index(change["severity"]), change["record"]))
    if len(ranked) <= STORM:
        return [_alert(origin, sweep, change) for change in ranked]
    return [_storm(origin, sweep, ranked)]


def key_of(origin: str, what: str, records: Sequence[int]) -> str:
    """The name of an alert: 40 hexadecimal digits."""
    return sha256(canonical({"origin": origin, "what": what, "records": list(records)}))[:40]


def _alert(origin: str, sweep: str, change: Json) -> Json:
    return {
        "v": 1,
        "kind": KIND,
        "key": key_of(origin, "change", [change["record"]]),
        "origin": origin,
        "sweep": sweep,
        "at": change["at"],
        "severity": change["severity"],
        "resource": change["resource"],
        "controls": sorted({mean["control"] for mean in change["means"] if mean["control"]}),
        "text": _text(change),
        "means": [{name: mean[name] for name in ("severity", "text", "control", "pointer")} for mean in change["means"]],
        "records": [change["record"]],
        "count": 1,
    }


def _text(change: Json) -> str:
    """The worst that a change means, in one sentence."""
    return str(change["means"][0]["text"]) if change["means"] else "it changed"


def _storm(origin: str, sweep: str, ranked: Sequence[Json]) -> Json:
    """One alert for more changes than anybody reads one by one. It is named after the sweep: there is one of it, whatever is found worst."""
    counts = Counter(change["severity"] for change in ranked)
    worst = ranked[:WORST]
    return {
        "v": 1,
        "kind": KIND,
        "key": key_of(origin, f"storm {sweep}", []),
        "origin": origin,
        "sweep": sweep,
        "at": max(change["at"] for change in ranked),
        "severity": ranked[0]["severity"],
        "resource": None,
        "controls": sorted({mean["control"] for change in ranked for mean in change["means"] if mean["control"]}),
        "text": f"{len(ranked)} changes in one sweep: " + ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name]),
        "means": [{"severity": change["severity"], "text": _text(change), "resource": change["resource"]} for change in worst],
        "records": [change["record"] for change in worst],
        "count": len(ranked),
    }


def digest_of(alerts: Sequence[Json]) -> Json:
    """One alert for several of one log, the worst first. Its key follows from theirs."""
    ranked = sorted(alerts, key=lambda alert: (SEVERITIES.index(alert["severity"]), alert["at"], alert["key"]))
    counts = Counter(alert["severity"] for alert in ranked)
    members, listed = sorted(alert["key"] for alert in ranked), ranked[:LISTED]
    return {
        "v": 1,
        "kind": KIND,
        "key": key_of(ranked[0]["origin"], "digest " + " ".join(members), []),
        "origin": ranked[0]["origin"],
        "sweep": None,
        "at": max(alert["at"] for alert in ranked),
        "severity": ranked[0]["severity"],
        "resource": None,
        "controls": sorted({control for alert in ranked for control in alert["controls"]}),
        "text": f"digest of {len(ranked)} alerts: " + ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name]),
        "means": [{"severity": alert["severity"], "text": alert["text"], "resource": alert["resource"]} for alert in listed],
        "records": sorted({record for alert in listed for record in alert["records"]}),
        "count": len(ranked),
        "members": members,
    }


def trial(origin: str, at: str, receiver: str) -> Json:
    """An alert that says of itself that nothing happened."""
    return {
        "v": 1,
        "kind": KIND,
        "key": key_of(origin, f"test {receiver} {at}", []),
        "origin": origin,
        "sweep": None,
        "at": at,
        "severity": "info",
        "resource": None,
        "controls": [],
        "text": f"this is a test of the receiver {receiver}: nothing happened, nothing is to be done",
        "means": [],
        "records": [],
        "count": 1,
        "test": True,
    }
