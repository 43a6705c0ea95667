"""From the records of a sweep to the facts that the controls about the collection itself judge. Pure."""

from collections.abc import Sequence
from datetime import datetime

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.assemble import PLAN_UNIT, LoadBody, SweepRecords
from shared.judge.checks.collection import Collection, Failed
from shared.judge.checks.store import STORE_KINDS
from shared.records import timestamp
from shared.schedule import parse


def collection_of(records: SweepRecords, missing: Sequence[str], load: LoadBody) -> Collection:
    """The facts about one sweep whose records, closing one apart, were all taken in; `missing`: planned units that have none."""
    plan = records.plan
    previous, log = plan["previous"] or {}, plan["log"] or {}
    own = [entry for entry in records.units.get(PLAN_UNIT, {}).values() if entry.kind in STORE_KINDS]
    retention, storage = records.retention, (records.retention or {}).get("storage") or {}
    return Collection(
        plan_record=records.plan_record,
        planned_at=plan["at"],
        slot=plan["slot"],
        schedule=plan["schedule"],
        named_subscriptions=_names(plan["scope"]["subscriptions"]),
        named_resources=_names(plan["scope"]["resources"]),
        seen_subscriptions=_names(plan["seen"]),
        units=len(plan["units"]),
        missing_units=tuple(missing),
        failures=tuple(Failed(f.kind, f.resource, f.failure or "", f.record) for f in sorted(records.failures, key=lambda f: f.record)),
        previous_slot=previous.get("slot"),
        previous_closed_at=previous.get("at"),
        missed_slots=_missed(plan["schedule"], previous.get("slot"), plan["slot"] or plan["at"]),
        storage_policy=storage.get("policy"),
        storage_until=storage.get("until"),
        storage_written=(retention or {}).get("written"),
        storage_source=(retention or {}).get("source"),
        store=records.evidence(own[0].resource, own, load) if own else None,
        storage_record=records.retention_record if retention else None,
        clock_skew_seconds=records.skew,
        log_size=log.get("size"),
        previous_log_size=log.get("held"),
        log_consistent=log.get("consistent"),
        exhibits=records.exhibits,
        waivers=records.waivers,
    )


def _names(value: Json) -> tuple[str, ...] | None:
    return tuple(value) if value is not None else None


def _missed(schedule: str | None, since: str | None, until: str) -> tuple[str, ...] | None:
    """The slots strictly between two; None where no schedule is declared or nothing came before."""
    if not schedule or not since:
        return None
    try:
        slots = [timestamp(slot) for slot in parse(schedule).slots(datetime.fromisoformat(since), datetime.fromisoformat(until))]
    except (Misuse, ValueError):
        return None
    return tuple(slot for slot in slots if since < slot < until)
