"""Triggers that seal and watch: both timers, both safe to run at any time."""

import logging
from collections.abc import Callable

import azure.functions as func

from functions.process import LOG, app, told
from shared.alarms import DRIFT
from shared.service.attest import attest
from shared.service.outbox import deliver
from shared.service.steps.advance import advance
from shared.service.steps.alerts import Alarm, closing_alarms
from shared.service.steps.watch import watch as look
from shared.service.sweep import SweepResult

blueprint = func.Blueprint()


@blueprint.timer_trigger(arg_name="timer", schedule="*/30 * * * * *", run_on_startup=False, use_monitor=False)
def seal(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it
    """Seal what waits, judge what is sealed, close what is whole or overdue; then have others vouch for what is sealed, and tell who is told."""
    failures = [error for step in (_seal, _attest, _deliver) if (error := _failure(step))]
    if failures:
        raise failures[0]


def _failure(step: Callable[[], None]) -> Exception | None:
    """What a step failed with. The others go on: that the vault is away is what receivers are to hear of, and no reason for a witness to wait."""
    try:
        told(step)
    except Exception as error:  # noqa: BLE001 - it is raised when all have run
        return error
    return None


def _seal() -> None:
    ran = advance(app(), tell=_closed)
    if ran.sealed or ran.queued or ran.judged:
        LOG.info("sealed %d records, judged %d units, queued %d", ran.sealed, ran.judged, ran.queued)


def _attest() -> None:
    for given in attest(app().store, app().attestors, app().now):
        LOG.info("%s vouches for the first %d records, or has a copy", given.name, given.size)


def _deliver() -> None:
    for done in deliver(app().store, app().receivers, app().now):
        LOG.info("alert %s to %s: %s", done.key, done.receiver, done.error or "taken")


def _closed(closed: SweepResult) -> None:
    LOG.info("sweep %s closed: %d units, findings %s", closed.sweep, closed.units, closed.findings)
    for alarm in closing_alarms(closed.sweep, missing=len(closed.missing), failures=len(closed.failures), changes=closed.changes):
        _tell(alarm)


def _tell(alarm: Alarm) -> None:
    LOG.log(logging.WARNING if alarm.id == DRIFT else logging.ERROR, "%s %s", alarm.id, alarm.text)


@blueprint.timer_trigger(arg_name="timer", schedule="0 */5 * * * *", run_on_startup=False, use_monitor=True)
def watch(timer: func.TimerRequest) -> None:  # noqa: ARG001 - the host binds it
    """Say what should have happened and has not."""
    told(lambda: look(app(), tell=_tell))
