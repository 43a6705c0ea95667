"""The step `collect_unit`: one unit of a planned sweep, or the whole sweep of one account that an event named."""

from shared import layout
from shared.errors import Refused
from shared.records import Origin
from shared.service import state
from shared.service.collector import orders_of
from shared.service.planning import UNSCHEDULED_DEADLINE, Scope, SweepName
from shared.service.steps.app import App
from shared.service.steps.plan import header, plan_sweep, planned_units
from shared.service.steps.work import CollectAccount, CollectUnit, parse_work


def collect_message(app: App, message: bytes) -> str:
    """Do what a message asks; return a line that says what was done.

    Raises:
        Refused: the message is none of ours, or is about a sweep that is not planned here: it will never be better.
        Unreachable: the store cannot be used: the host delivers the message again.
    """
    work = parse_work(message)
    if isinstance(work, CollectAccount):
        return _collect_account(app, work)
    return f"{work.sweep} {work.unit.name}: {'collected' if _collect_unit(app, work) else 'was collected before'}"


def _collect_unit(app: App, work: CollectUnit) -> bool:
    if app.store.exists(layout.batch(work.sweep, work.unit.name)):
        return False
    plan = header(app.store, work.sweep)
    if work.unit.asked not in plan["questions"]:
        raise Refused(f"the plan of {work.sweep} has no questions for {work.unit.asked!r}")
    unit = work.unit
    if not work.whole and plan.get("windows"):
        unit = next((planned for planned in planned_units(app.store, work.sweep) if planned.name == unit.name), unit)
    origin = Origin(work.sweep, plan["cause"], plan["collector"], plan["storage"])
    new = app.collector.collect_batch(work.sweep, unit, orders_of(plan), origin)
    state.mark_open(app.store, work.sweep, plan["since"])  # the marker is gone where the sweep was closed without this unit
    return new


def _collect_account(app: App, work: CollectAccount) -> str:
    """A sweep of its own: planned and collected here, sealed and judged by the step that seals."""
    if not app.store.exists(layout.batch(work.sweep, layout.PLAN)):
        name = SweepName(work.sweep, None, app.now() + UNSCHEDULED_DEADLINE)
        plan_sweep(app, name, Scope(None, (work.account.lower(),)), None, {"by": "event", "ref": work.event})
    done = [_collect_unit(app, CollectUnit(work.sweep, unit)) for unit in planned_units(app.store, work.sweep)]
    return f"{work.sweep}: {sum(done)} of {len(done)} units collected"
