"""The step `sweep`: plan the slot that is due, and queue its units. Timers fire late, twice or not at all: the slot names the sweep."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.pace import BURST
from shared.collect.plan import Unit, planned_unit
from shared.errors import Misuse, Refused
from shared.records import whole
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store
from shared.service import state
from shared.service.collector import schedule_of
from shared.service.compose import THREADS
from shared.service.planning import Planner, Scope, SweepName, slot_sweep
from shared.service.steps.app import App
from shared.service.steps.work import CollectUnit

HEADER = ("cause", "collector", "storage", "questions", "deadline", "windows", "workspace")
"""What each unit of a sweep needs of its plan, and whoever waits for its end; a plan of an earlier version has not all of it."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What the step came to."""

    sweep: str
    new: bool
    """False: the slot was planned before."""
    queued: int


def plan_due(app: App, *, by: str = "schedule") -> Planned:
    """Plan the slot that is due, unless it was; queue the units that were not queued yet.

    Raises:
        Misuse: no schedule is declared.
        Unreachable: Azure, the store or the queue; the next run of any step goes on.
    """
    schedule = schedule_of(app.settings)
    if schedule is None:
        raise Misuse("no schedule is declared: set EVIDENCE_SCHEDULE, such as '0 0 */6 * * *'")
    sweep = slot_sweep(schedule, app.now())
    new = False
    if not app.store.exists(layout.batch(sweep.name, layout.PLAN)):
        scope = Scope(app.settings.subscriptions or None, None)
        new = plan_sweep(app, sweep, scope, schedule.text, {"by": by, "ref": None})
    return Planned(sweep.name, new, queue_units(app, sweep.name))


def plan_sweep(app: App, sweep: SweepName, scope: Scope, schedule: str | None, cause: Json, around: str | None = None) -> bool:
    """Write the plan of a sweep; False where another worker was faster. `around`: when the event was that causes it."""
    return Planner(app.collector_for(sweep.name), sweep, scope, schedule, cause, around).plan()


def queue_units(app: App, sweep: str) -> int:
    """Queue every unit of a planned sweep that has no batch, once; return how many. Nothing of a sweep that is closed."""
    if (header_of(app.store, sweep) or {}).get("queued") or app.store.exists(layout.batch(sweep, layout.CLOSED)):
        return 0
    plan = plan_of(app.store, sweep)
    head = _header(plan, state.since(app.store, sweep))
    app.store.put(layout.plan_header(sweep), canonical(head))  # first: a unit that is taken at once need not read the whole plan
    there = set(app.store.list(f"{layout.BATCHES}{sweep}/"))
    waiting = [unit for unit in map(planned_unit, plan["units"]) if layout.batch(sweep, unit.name) not in there]
    delays = paced(waiting, plan["questions"], app.settings.reads_per_second)
    with ThreadPoolExecutor(THREADS, "queue") as pool:
        list(pool.map(lambda unit, delay: app.queues.send(layout.COLLECT_QUEUE, CollectUnit(sweep, unit).text(), delay=delay), waiting, delays))
    # Last: a worker killed before this queues them all again, and a unit that is there already costs one look.
    app.store.put(layout.plan_header(sweep), canonical({**head, "queued": True}))
    return len(waiting)


def paced(units: Sequence[Unit], questions: dict[str, list[str]], per_second: float) -> list[int]:
    """Seconds after which each unit is to be taken, so that all instances together ask no subscription for more than it answers.

    Each instance keeps to the rate by itself; several on one subscription would not, and would be refused until their patience ended.
    """
    asked: Counter[str] = Counter()
    delays = []
    for unit in units:
        subscription = unit.resource.split("/")[2]
        delays.append(int(max(0, asked[subscription] - BURST) / per_second) if per_second else 0)
        asked[subscription] += len(questions.get(unit.asked, ()))
    return delays


def header(store: Store, sweep: str) -> Json:
    """What each unit needs of the plan of its sweep.

    Raises:
        Refused: no such sweep is planned.
    """
    return header_of(store, sweep) or _header(plan_of(store, sweep), state.since(store, sweep))


def header_of(store: Store, sweep: str) -> Json:
    """What `queue_units` left; None where it was lost, or is torn."""
    try:
        found = json.loads(store.get(layout.plan_header(sweep)) or b"null")
    except ValueError:
        found = None
    return found if isinstance(found, dict) and all(name in found for name in ("since", "units", *HEADER)) else None


def _header(plan: Json, since: int) -> Json:
    return {"since": since, "units": len(plan["units"]), **{name: plan.get(name) for name in HEADER}}


def planned_units(store: Store, sweep: str) -> list[Unit]:
    """The units of a planned sweep.

    Raises:
        Refused: no such sweep is planned.
    """
    return [planned_unit(unit) for unit in plan_of(store, sweep)["units"]]


def plan_of(store: Store, sweep: str) -> Json:
    """The record `sweep-planned` of a sweep.

    Raises:
        Refused: no such sweep is planned.
    """
    path = layout.batch(sweep, layout.PLAN)
    data = store.get(path)
    if data is None:
        raise Refused(f"no sweep {sweep} is planned in this store")
    return whole(json.loads(batch_lines(data, path)[-1]), lambda digest: json.loads(store.get(layout.body(digest)) or b"null"))
