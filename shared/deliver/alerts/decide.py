"""Which alerts the changes and findings of a closed sweep give, and which digest several alerts give. Pure.

An alert is a JSON object: v, kind, key, origin, sweep, at, severity, resource, controls, text, means, records, count. `records` are indexes in the
log: whoever receives it can ask for these records, or verify a bundle that holds them. `key` follows from the log and these indexes alone, so
that the same change gives the same alert however often it is looked at. Some have more: a change was made after `since` and before `until`,
unobserved in between; `who` made it, and what it does to the `baseline` that holds there; `findings`, indexes of those that turned by a change;
`status` and `was` of one that turned by itself; `alarm` and `state` of the app's own trouble; `waiver` of one that expired; `members` of a digest,
the keys of what it tells; `test` of a test.
Leaves out: who is told (`route`), and whether he was (`shared.service.outbox`).
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from shared.canonical import Json, canonical, sha256
from shared.model import SEVERITIES

KIND = "aoai-evidence-alert"

STORM = 20
"""What is told of one sweep one by one, at most; more is one alert."""

WORST = 10
"""What such an alert names."""

LISTED = 30
"""Alerts that a digest names."""


def alerts_of(
    origin: str, sweep: str, changes: Sequence[Json], turned: Sequence[Json] = (), baseline: Callable[[Json], Json] = lambda change: None
) -> list[Json]:
    """The alerts that one sweep gives: one for each change, and for each finding that turned and is not told with a change; the worst first.

    Those that say the same are one, and so is all of a storm. `changes`: change records with `record` (index), `severity`, `means` and
    `attribution`, as `queries.changes` gives them; `turned`: findings, as `service.turned` has them; `baseline`: what a change does to what
    was approved, null where nothing was.
    """
    seen, at = _seen(changes), _places(turned)
    told = {each["record"]: _told_with(each, at) for each in seen}
    with_a_change = {record for records in told.values() for record in records}
    alone = [one for one in turned if one["record"] not in with_a_change]
    ranked = sorted([*seen, *alone], key=lambda item: (SEVERITIES.index(item["severity"]), item["record"]))
    if len(ranked) > STORM:
        return [_storm(origin, sweep, ranked, len(changes), baseline)]
    return [_turned(origin, sweep, item) if "was" in item else _alert(origin, sweep, item, told[item["record"]], baseline) for item in ranked]


def _seen(changes: Sequence[Json]) -> list[Json]:
    """What changed, each thing once: a role that many accounts inherit is a change of each. `parts`: the changes that say the same, in order."""
    found: dict[bytes, list[Json]] = {}
    for change in sorted(changes, key=lambda change: int(change["record"])):
        found.setdefault(canonical([change["kind"], change["resource"], change["fields"]]), []).append(change)
    return [{**parts[0], "parts": parts} for parts in found.values()]


def _places(turned: Sequence[Json]) -> Mapping[tuple[str, Json, Json], list[int]]:
    """Findings, by their control with their resource, and by their control with their unit."""
    found: dict[tuple[str, Json, Json], list[int]] = {}
    for one in turned:
        for place in ((one["control"], one["resource"], None), (one["control"], None, one["unit"])):
            found.setdefault(place, []).append(one["record"])
    return found


def _told_with(change: Json, at: Mapping[tuple[str, Json, Json], list[int]]) -> list[int]:
    """The findings of which a change says by itself that they turned: about that control, at that resource or above it; or of what lies above
    accounts, where it was seen."""
    found = set[int]()
    for part in change["parts"]:
        steps = str(part["resource"]).split("/")
        above = [("/".join(steps[:number]), None) for number in range(1, len(steps))]
        where = [*above, (part["resource"], None), *([(None, part["unit"])] if "/accounts/" not in str(part["resource"]) else [])]
        for control in {mean["control"] for mean in part["means"]} - {None}:
            found.update(record for resource, unit in where for record in at.get((control, resource, unit), ()))
    return sorted(found)


def key_of(origin: str, what: str, records: Sequence[int]) -> str:
    """The name of an alert: 40 hexadecimal digits."""
    return sha256(canonical({"origin": origin, "what": what, "records": list(records)}))[:40]


def bare(origin: str, key: str, at: str, severity: str, text: str) -> Json:
    """An alert that is about no sweep and no record; `|` it with what it is about."""
    return {
        "v": 1,
        "kind": KIND,
        "key": key,
        "origin": origin,
        "sweep": None,
        "at": at,
        "severity": severity,
        "resource": None,
        "controls": [],
        "text": text,
        "means": [],
        "records": [],
        "count": 1,
    }


def _turned(origin: str, sweep: str, finding: Json) -> Json:
    about = bare(origin, key_of(origin, "finding", [finding["record"]]), finding["at"], finding["severity"], _text(finding))
    controls = [finding["control"]] if finding["control"] else []
    return about | {"sweep": sweep, "resource": finding["resource"], "controls": controls, "means": finding["means"], "records": [finding["record"]],
                    "status": finding["status"], "was": finding["was"]}  # fmt: skip


def _alert(origin: str, sweep: str, change: Json, findings: Sequence[int], baseline: Callable[[Json], Json]) -> Json:
    more: Json = {"findings": list(findings)} if findings else {}
    who = _attributed(change)
    more |= {"who": who} if who else {}
    approved = _approved(change, baseline)
    more |= {"baseline": approved} if approved else {}
    return more | {
        "v": 1,
        "kind": KIND,
        "key": key_of(origin, "change", [change["record"]]),
        "origin": origin,
        "sweep": sweep,
        "at": change["at"],
        "since": min(part["since"] for part in change["parts"]),
        "until": max(part["until"] for part in change["parts"]),
        "severity": change["severity"],
        "resource": change["resource"],
        "controls": sorted({mean["control"] for mean in change["means"] if mean["control"]}),
        "text": _text(change),
        "means": [{name: mean[name] for name in ("severity", "text", "control", "pointer")} for mean in change["means"]],
        "records": [part["record"] for part in change["parts"][:LISTED]],
        "count": len(change["parts"]),
    }


def _approved(item: Json, baseline: Callable[[Json], Json]) -> Json:
    """What a change does to what was approved, at the first resource where anything was; null for a finding."""
    return next((said for part in item.get("parts", ()) if (said := baseline(part))), None)


def _attributed(item: Json) -> Json:
    """Who made a change, as far as it was known when it was found, since the Activity Log is minutes late; null where nothing is said of it."""
    attribution = item.get("attribution")
    if not attribution:
        return None
    later = "" if attribution["complete"] or attribution["status"] == "attributed" else " The next sweep may tell more."
    return {"text": attribution["says"] + later, **{name: attribution[name] for name in ("record", "status", "by")}}


def _listed(item: Json, text: str, who: Json, baseline: Json) -> Json:
    """A change, finding or alert among many: `who` made it only where somebody is named."""
    more = {"who": who["text"]} if who and who["status"] == "attributed" else {}
    more |= {"baseline": baseline["text"]} if baseline else {}
    return {"severity": item["severity"], "text": text, "resource": item["resource"], **more}


def _text(item: Json) -> str:
    """The worst that a change or finding means, in one sentence."""
    text, places = str(item["means"][0]["text"]) if item["means"] else "it changed", len(item.get("parts", ()))
    return f"{text} (seen at {places} resources)" if places > 1 else text


def _storm(origin: str, sweep: str, ranked: Sequence[Json], changes: int, baseline: Callable[[Json], Json]) -> Json:
    """One alert for more than anybody reads one by one. It is named after the sweep: there is one of it, whatever is found worst."""
    counts = Counter[str]()
    for item in ranked:
        counts[item["severity"]] += len(item.get("parts", (item,)))
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
        "text": f"{_counted(changes, counts.total() - changes)} in one sweep: " + ", ".join(f"{counts[name]} {name}" for name in SEVERITIES if counts[name]),
        "means": [_listed(one, _text(one), _attributed(one), _approved(one, baseline)) for one in worst],
        "records": [change["record"] for change in worst],
        "count": counts.total(),
    }


def _counted(changes: int, findings: int) -> str:
    said = [f"{changes} changes"] * (changes > 0) + [f"{findings} findings that turned"] * (findings > 0)
    return " and ".join(said)


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
        "means": [_listed(alert, alert["text"], alert.get("who"), alert.get("baseline")) for alert in listed],
        "records": sorted({record for alert in listed for record in alert["records"]}),
        "count": len(ranked),
        "members": members,
    }


def trial(origin: str, at: str, receiver: str) -> Json:
    """An alert that says of itself that nothing happened."""
    text = f"this is a test of the receiver {receiver}: nothing happened, nothing is to be done"
    return bare(origin, key_of(origin, f"test {receiver} {at}", []), at, "info", text) | {"test": True}
