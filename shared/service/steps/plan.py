"""The step `sweep`: plan the slot that is due, and queue its units. Timers fire late, twice or not at all: the slot names the sweep."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from shared import layout
from shared.canonical import Json, canonical
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

HEADER = ("cause", "collector", "storage", "questions", "windows", "workspace")
"""What each unit of a sweep needs of its plan; a plan of an earlier version has not all of it."""


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


def plan_sweep(app: App, sweep: SweepName, scope: Scope, schedule: str | None, cause: Json) -> bool:
    """Write the plan of a sweep; False where another worker was faster."""
    return Planner(app.collector, sweep, scope, schedule, cause).plan()


def queue_units(app: App, sweep: str) -> int:
    """Queue every unit of a planned sweep that has no batch, once; return how many."""
    marker = layout.plan_header(sweep)
    if app.store.exists(marker):
        return 0
    plan = _plan(app.store, sweep)
    waiting = [unit for unit in map(planned_unit, plan["units"]) if not app.store.exists(layout.batch(sweep, unit.name))]
    with ThreadPoolExecutor(THREADS, "queue") as pool:
        list(pool.map(lambda unit: app.queues.send(layout.COLLECT_QUEUE, CollectUnit(sweep, unit).text()), waiting))
    # Last: a worker killed before this queues them all again, and a unit that is there already costs one look.
    app.store.put(marker, canonical(_header(plan, state.since(app.store, sweep))))
    return len(waiting)


def header(store: Store, sweep: str) -> Json:
    """What each unit needs of the plan of its sweep.

    Raises:
        Refused: no such sweep is planned.
    """
    try:
        found = json.loads(store.get(layout.plan_header(sweep)) or b"null")
    except ValueError:
        found = None
    if isinstance(found, dict) and all(name in found for name in ("since", *HEADER)):
        return found
    return _header(_plan(store, sweep), state.since(store, sweep))


def _header(plan: Json, since: int) -> Json:
    return {"since": since, **{name: plan.get(name) for name in HEADER}}


def planned_units(store: Store, sweep: str) -> list[Unit]:
    """The units of a planned sweep.

    Raises:
        Refused: no such sweep is planned.
    """
    return [planned_unit(unit) for unit in _plan(store, sweep)["units"]]


def _plan(store: Store, sweep: str) -> Json:
    path = layout.batch(sweep, layout.PLAN)
    data = store.get(path)
    if data is None:
        raise Refused(f"no sweep {sweep} is planned in this store")
    return whole(json.loads(batch_lines(data, path)[-1]), lambda digest: json.loads(store.get(layout.body(digest)) or b"null"))
