"""Triggers that seal and watch: both timers, both safe to run at any time."""

import azure.functions as func

from functions.process import LOG, app, told
from shared import alarms
from shared.service.attest import attest
from shared.service.steps.advance import advance
from shared.service.steps.watch import watch as look
from shared.service.sweep import SweepResult

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="*/30 * * * * *", run_on_startup=False, use_monitor=False)
def seal(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it
    """Seal what waits, judge what is sealed, close what is whole or overdue; then have others vouch for what is sealed."""
    done = told(lambda: advance(app()))
    if done.held:
        return
    for closed in done.closed:
        _tell(closed)
    if done.sealed or done.queued or done.judged:
        LOG.info("sealed %d records, judged %d units, queued %d", done.sealed, done.judged, done.queued)
    for given in told(lambda: attest(app().store, app().attestors, app().now)):
        LOG.info("%s vouches for the first %d records, or has a copy", given.name, given.size)


def _tell(closed: SweepResult) -> None:
    LOG.info("sweep %s closed: %d units, findings %s", closed.sweep, closed.units, closed.findings)
    if not closed.complete:
        LOG.error("%s %s: %d units missing, %d failures", alarms.SWEEP_INCOMPLETE, closed.sweep, len(closed.missing), len(closed.failures))
    if closed.changes:
        LOG.warning("%s %s: %d changes; GET /api/changes names them", alarms.DRIFT, closed.sweep, closed.changes)


@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False, use_monitor=True)
def watch(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it
    """Say what should have happened and has not."""
    for alarm in told(lambda: look(app())):
        LOG.error("%s %s", alarm.id, alarm.text)
