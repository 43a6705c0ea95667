"""The step `collect_unit`: one unit of a planned sweep, or the whole sweep of one account that an event named."""

import json

from shared import layout
from shared.collect.asked import Budget
from shared.collect.endpoints import ACCOUNT_KINDS, BY_KIND
from shared.collect.plan import Unit
from shared.errors import Refused
from shared.records import Origin, whole
from shared.seal.sequencer import batch_lines
from shared.service import state
from shared.service.attributing import forget_events
from shared.service.collector import orders_of
from shared.service.planning import UNSCHEDULED_DEADLINE, Scope, SweepName
from shared.service.steps.app import App
from shared.service.steps.plan import header, plan_sweep, planned_units
from shared.service.steps.work import CollectAccount, CollectUnit, ForNewerApp, parse_work


def collect_message(app: App, message: bytes) -> str:
    """Do what a message asks; return a line that says what was done.

    Raises:
        Refused: the message is none of ours, or is about what is not planned here: it will never be better.
        ForNewerApp: another version of this app must take it: the host delivers it again.
        Unreachable: the store cannot be used: the same.
    """
    work = parse_work(message)
    if isinstance(work, CollectAccount):
        return _collect_account(app, work)
    unit = _as_planned(app, work)
    if unit is None:
        raise Refused(f"the plan of {work.sweep} has no unit {work.unit.name} like that of the message")
    return f"{work.sweep} {unit.name}: {'collected' if _collect_unit(app, work.sweep, unit) else 'was collected before'}"


def _as_planned(app: App, work: CollectUnit) -> Unit | None:
    """The unit that a message names; None: the plan has none like it. Nothing is collected that no plan has, nor in a window that no plan has."""
    if app.has_planned(work.sweep, work.unit, lambda: planned_units(app.store, work.sweep)):
        return work.unit
    # A message that tells no windows is of an app that knew of none, or had too many.
    return None if work.unit.windows else next((unit for unit in planned_units(app.store, work.sweep) if unit == work.unit), None)


def _collect_unit(app: App, sweep: str, unit: Unit) -> bool:
    if app.store.exists(layout.batch(sweep, unit.name)):
        _mark_late(app, sweep, unit)
        return False
    plan = header(app.store, sweep)
    orders = orders_of(plan)
    unknown = orders.unknown(unit.asked)
    if unknown:
        raise ForNewerApp(f"the plan of {sweep} asks {unknown[0]!r}, which this version of the app does not know: another one must collect it")
    origin = Origin(sweep, plan["cause"], plan["collector"], plan["storage"])
    new = app.collector_for(sweep).collect_batch(sweep, unit, orders, origin)
    state.mark_open(app.store, sweep, plan["since"])  # the marker is gone where the sweep was closed without this unit
    return new


def _mark_late(app: App, sweep: str, unit: Unit) -> None:
    """See to it that a batch is sealed whose worker was killed before it could: one that came after its sweep was closed."""
    if app.store.exists(layout.open_sweep(sweep)):
        return
    path = layout.batch(sweep, layout.CLOSED)
    data = app.store.get(path)
    if data is None:
        return
    closing = whole(json.loads(batch_lines(data, path)[0]), lambda digest: json.loads(app.store.get(layout.body(digest)) or b"null"))
    if unit.name in closing["missing"]:
        state.mark_open(app.store, sweep, 0)


# -- the sweep of one account -------------------------------------------------------------------------------------------------


def _collect_account(app: App, work: CollectAccount) -> str:
    """A sweep of its own: planned and collected here, sealed and judged by the step that seals."""
    if not app.store.exists(layout.batch(work.sweep, layout.PLAN)):
        other = _other_kind(app, work.account)
        if other is not None:
            forget_events(app.store, work.sweep)
            return f"{work.sweep}: {work.account.rpartition('/')[2]} is of kind {other}, which serves no Azure OpenAI: not collected"
        name = SweepName(work.sweep, None, app.now() + UNSCHEDULED_DEADLINE)
        plan_sweep(app, name, Scope(None, (work.account.lower(),)), None, {"by": "event", "ref": work.event}, work.around)
    units = planned_units(app.store, work.sweep)
    done = [_collect_unit(app, work.sweep, unit) for unit in units]
    return f"{work.sweep}: {sum(done)} of {len(done)} units collected"


def _other_kind(app: App, account: str) -> str | None:
    """The kind of an account that is none of ours (Speech, Document Intelligence …: events of the same provider tell of them too).

    None also where that cannot be told: a sweep then says what Azure answers.
    """
    asked = app.collector.arm.ask(BY_KIND["account"], account, Budget())
    answer = asked.parsed[0] if asked.failed is None else None
    kind = answer.get("kind") if isinstance(answer, dict) else None
    ours = {known.lower() for known in ACCOUNT_KINDS}
    return kind if isinstance(kind, str) and kind.lower() not in ours else None
