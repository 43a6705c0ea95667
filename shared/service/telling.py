"""What is told of a sweep that was closed, and of a waiver that expired, put into the outbox of everybody whom it concerns."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from shared import layout
from shared.canonical import Json, canonical
from shared.deliver.alerts.channel import Channel
from shared.deliver.alerts.decide import WORST, alerts_of, bare, key_of
from shared.deliver.alerts.route import wanted
from shared.judge.waivers import Waiver, lapsed
from shared.model import SEVERITIES
from shared.records import moment, timestamp
from shared.seal.log import open_log
from shared.seal.store import Store, read_hint
from shared.service import outbox, state
from shared.service.compose import store_facts
from shared.service.departed import Departures
from shared.service.pruning import TOLD
from shared.service.queries import Filter, Reading, changes, findings, waivers_in
from shared.service.turned import severity_of, turned


def fill(store: Store, sweep: str, receivers: Sequence[Channel], now: datetime) -> int:
    """Put what a closed sweep gives into the outbox of everybody; how much was not in it yet. Any number of times is as good as once.

    Of a sweep that was closed long ago nothing is told, unless a note says that nobody was: markers of what was sent are not kept for ever.

    Raises:
        StoreConflict: the log is not what was sealed.
        Unreachable: the store.
    """
    if not receivers:
        return 0
    read = _reading(store)
    summary = next((one for one in read.sweeps if one["sweep"] == sweep), None)
    if summary is None or (now - moment(summary["closed_at"]) > TOLD and not store.exists(layout.alert(sweep))):
        return 0
    changed = list(changes(Reading(store, read.log, read.facts, [summary]), None, Filter())) if summary["changes"] else []
    bad, approved = turned(read, summary), Departures(read) if changed else None
    baseline = approved.of if approved else lambda change: None
    alerts = ((one, alerts_of(read.facts["origin"], sweep, wanted(one.route, changed), wanted(one.route, bad), baseline)) for one in receivers)
    return sum(outbox.put(store, one.name, alert, now) for one, found in alerts for alert in found)


def _reading(store: Store) -> Reading:
    log = open_log(store)
    return Reading(store, log, store_facts(store), state.summaries(store, log))


def expired(store: Store, receivers: Sequence[Channel], now: datetime) -> int:
    """Put into the outbox, once for each waiver whose time is over, which findings it waived that are still not satisfied; how many waivers those are.

    Which were told is noted in `state/`; where that note is lost, their keys in the outbox keep them from being sent twice.

    Raises:
        StoreConflict: the log is not what was sealed.
        Unreachable: the store.
    """
    if not receivers:
        return 0
    at, known = timestamp(now), waivers_in(store)
    told = read_hint(store, layout.EXPIRED).get("told")
    due = {one.number for one in known if one.lapsed(at)} - set(told if isinstance(told, list) else ())
    if not due:
        return 0
    read = _reading(store)
    left: dict[int, tuple[Waiver, list[Json]]] = {}
    for waiver, finding in lapsed(known, findings(read, None, Filter(), lambda: now), at):
        if waiver.number in due:
            left.setdefault(waiver.number, (waiver, []))[1].append(_item(finding))
    for one in receivers:
        for waiver, items in left.values():
            if mine := wanted(one.route, items):
                outbox.put(store, one.name, _expired(read.facts["origin"], waiver, mine, at), now)
    store.put(layout.EXPIRED, canonical({"told": sorted(one.number for one in known if one.lapsed(at))}))
    return len(left)


def _item(finding: Json) -> Json:
    severity = severity_of(finding["control"])
    means = [{"severity": severity, "text": finding["reason"], "control": finding["control"], "resource": finding["resource"]}]
    return {"record": finding["record"], "resource": finding["resource"], "severity": severity, "means": means}


def _expired(origin: str, waiver: Waiver, items: Iterable[Json], at: str) -> Json:
    ranked = sorted(items, key=lambda item: (SEVERITIES.index(item["severity"]), item["record"]))
    text = f"waiver {waiver.number} of {waiver.control} expired at {waiver.until}, and {len(ranked)} of the findings that it waived are still not satisfied"
    found = bare(origin, key_of(origin, f"waiver {waiver.number} expired", []), at, ranked[0]["severity"], text)
    return found | {
        "resource": waiver.scope,
        "controls": [waiver.control],
        "means": [item["means"][0] for item in ranked[:WORST]],
        "records": [item["record"] for item in ranked[:WORST]],
        "waiver": waiver.number,
    }
