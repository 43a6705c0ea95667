"""The step `watch`: what should have happened and has not. Alarms only: nothing is evidence here but what the other steps seal.

A slot whose timer never fired is planned here; what cannot be helped is told, again at every run until somebody does.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared import alarms, layout
from shared.canonical import Json, canonical
from shared.errors import EvidenceError
from shared.records import timestamp
from shared.seal.keys import read_keys
from shared.service import state
from shared.service.collector import schedule_of
from shared.service.planning import slot_sweep
from shared.service.steps.app import App
from shared.service.steps.plan import plan_due

GRACE = timedelta(minutes=3)
"""How late a timer may be before its slot is planned here."""

PATIENCE = timedelta(minutes=15)
"""How long a batch may wait to be sealed, and a sweep to be closed after its deadline."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """One line for the log; alert rules look for its id."""

    id: str
    text: str


def watch(app: App) -> list[Alarm]:
    """Look at everything once.

    Raises:
        Misuse: settings cannot be what they say.
        Unreachable: the store cannot be read: an alarm in itself, for the rule on failed invocations.
    """
    memory = _remembered(app)
    found = [*_slots(app), *_unsealed(app, memory), *_poison(app), *_retention(app, memory)]
    app.store.put(layout.WATCH, canonical(memory))
    return found


def _remembered(app: App) -> dict[str, Json]:
    try:
        value = json.loads(app.store.get(layout.WATCH) or b"{}")
    except ValueError:
        value = {}
    return value if isinstance(value, dict) else {}


def _slots(app: App) -> Iterator[Alarm]:
    schedule = schedule_of(app.settings)
    if schedule is None:
        yield Alarm(alarms.SLOT_MISSED, "no schedule is declared: set EVIDENCE_SCHEDULE")
        return
    now = app.now()
    due = slot_sweep(schedule, now)
    assert due.slot is not None
    if not app.store.exists(layout.batch(due.name, layout.PLAN)) and now - due.slot > GRACE:
        try:
            plan_due(app)
        except EvidenceError as error:
            yield Alarm(alarms.SLOT_MISSED, f"slot {timestamp(due.slot)} is not planned: {error}")
    before = slot_sweep(schedule, due.slot - timedelta(seconds=1))
    assert before.slot is not None
    if _had_begun(app, before.slot) and not app.store.exists(layout.batch(before.name, layout.PLAN)):
        yield Alarm(alarms.SLOT_MISSED, f"slot {timestamp(before.slot)} has no sweep, and will not have one: a gap in the evidence")


def _had_begun(app: App, slot: datetime) -> bool:
    """Whether a sweep older than `slot` is there: before the first one, no slot can be missed."""
    first = next(app.store.list(layout.SWEEP_SUMMARIES), None)
    return first is not None and first.removeprefix(layout.SWEEP_SUMMARIES) < slot.strftime("%Y%m%dT%H%M%SZ")


def _unsealed(app: App, memory: dict[str, Json]) -> Iterator[Alarm]:
    """Sweeps that are open for long: their batches are not sealed, or their end does not come."""
    now, known = app.now(), memory.get("open")
    since = known if isinstance(known, dict) else {}
    begun = [layout.KEY_CHANGES] if read_keys(app.store).pending else []
    waiting = {name: since.get(name, timestamp(now)) for name in (*begun, *state.open_sweeps(app.store))}
    memory["open"] = waiting
    for name, first in waiting.items():
        allowed = PATIENCE
        if app.store.exists(layout.batch(name, layout.PLAN)):
            allowed += _deadline(app, name, now) - now
        if now - datetime.fromisoformat(first) > allowed:
            told = "does the function `seal` run, and may it sign?"
            if name == layout.KEY_CHANGES:
                told = "a change of the signing keys was begun and not finished, run the same `aoai-evidence key rotate` again"
            yield Alarm(alarms.BATCH_UNSEALED, f"{name} is open since {first} or longer: {told}")


def _deadline(app: App, name: str, now: datetime) -> datetime:
    schedule = schedule_of(app.settings)
    if schedule is None or "-event-" in name:
        return now
    return max(now, schedule.next(datetime.strptime(name[:16], "%Y%m%dT%H%M%S%z")))


def _poison(app: App) -> Iterator[Alarm]:
    for queue in layout.QUEUES:
        count = app.queues.length(queue + layout.POISON_SUFFIX)
        if count:
            yield Alarm(alarms.POISON, f"{count} messages in {queue}{layout.POISON_SUFFIX}: each holds its reason; see docs/deploy.md")


def _retention(app: App, memory: dict[str, Json]) -> Iterator[Alarm]:
    now = app.store.retention()["policy"]
    before = memory.get("retention", now)
    if before != now:
        yield Alarm(alarms.RETENTION_CHANGED, f"evidence was under a retention policy that is {before}, and is now under one that is {now}")
    if memory.get("retention") is None or now == "locked":
        memory["retention"] = now  # anything weaker is told until somebody looks
