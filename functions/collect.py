"""Triggers that collect: the timer that plans a sweep, the queue of its units, the queue of events."""

import azure.functions as func

from functions import CONNECTION
from functions.process import LOG, app, taken, told
from shared.layout import CHANGE_QUEUE, COLLECT_QUEUE
from shared.service.steps.change import change_message
from shared.service.steps.plan import plan_due
from shared.service.steps.unit import collect_message

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="%EVIDENCE_SCHEDULE%", run_on_startup=False, use_monitor=True)
def sweep(timer: func.TimerRequest) -> None:
    """Plan the slot that is due, and queue its units."""
    planned = told(lambda: plan_due(app()))
    LOG.info("sweep %s: %s, %d units queued%s", planned.sweep, "planned" if planned.new else "was planned before", planned.queued, _late(timer))


def _late(timer: func.TimerRequest) -> str:
    return " (the timer is late)" if timer.past_due else ""


@blueprint.queue_trigger(arg_name="message", queue_name=COLLECT_QUEUE, connection=CONNECTION)
def collect_unit(message: func.QueueMessage) -> None:
    """Collect one unit of a sweep, or the account that an event named."""
    taken(COLLECT_QUEUE, message, collect_message)


@blueprint.queue_trigger(arg_name="message", queue_name=CHANGE_QUEUE, connection=CONNECTION)
def on_change(message: func.QueueMessage) -> None:
    """Seal an event of Azure, and have its account collected."""
    taken(CHANGE_QUEUE, message, change_message)
