"""The use-case `collect`: go on with sweeps that were left open, else plan the one that is due; collect, judge, close."""

from collections.abc import Callable, Sequence

from shared import layout
from shared.canonical import Json
from shared.collect.plan import is_account_id
from shared.deliver.alerts.channel import Channel
from shared.errors import Misuse
from shared.schedule import Schedule
from shared.seal.sequencer import Sequencer
from shared.seal.store import Store
from shared.service import state
from shared.service.attest import attest
from shared.service.attestors import attestors
from shared.service.collector import Collector, open_collector, schedule_of
from shared.service.compose import Clock, sealing, utc_now
from shared.service.outbox import deliver
from shared.service.planning import Planner, Scope, name_sweep
from shared.service.pruning import prune
from shared.service.receivers import receivers
from shared.service.recovery import set_torn_aside
from shared.service.steps import alerts
from shared.service.stores import is_account, store_of
from shared.service.sweep import OpenSweep, Progress, SweepResult
from shared.service.telling import expired, fill
from shared.settings import Settings, subscription_ids

Close = Callable[[OpenSweep, bool], SweepResult]
"""Closes a sweep; whether it was gone on with."""


def collect(
    settings: Settings,
    *,
    subscriptions: Sequence[str] = (),
    resources: Sequence[str] = (),
    cause: str | None = None,
    by: str = "manual",
    progress: Progress = lambda what, done, total: None,
    now: Clock = utc_now,
) -> SweepResult:
    """Run one sweep, or finish the one that was left open; then ask others to vouch for it, and tell those whom it concerns.

    `subscriptions` and `resources` narrow the scope; without them it is that of the settings, else all that the identity sees.

    Raises:
        Misuse: settings, scope, profile or store cannot be what they are said to be. Nothing was written.
        Unreachable: nobody is logged in, or the store cannot be written.
        StoreConflict: the store contradicts itself.
    """
    scope = _scope(settings, subscriptions, resources)
    schedule = schedule_of(settings)
    vouching, told = attestors(settings), receivers(settings)
    store = store_of(settings)
    ready = sealing(settings, store)
    collector = open_collector(settings, store, now)
    set_torn_aside(store, ready.sequencer)
    ready.sequencer.seal()
    closing: list[str] = []

    def close(sweep: OpenSweep, resumed: bool) -> SweepResult:
        closing.append(sweep.name)
        if told:
            alerts.owe(store, sweep.name)
        return sweep.close(resumed)

    finished = _finish_open(collector, ready.sequencer, progress, scope, close)
    if finished is None:
        finished = _new_sweep(collector, ready.sequencer, scope, _whole(settings, scope), schedule, {"by": by, "ref": cause}, progress, close)
    attest(store, vouching, now)
    if told:
        _tell(store, told, None if not is_account(settings.store) else closing, now)
    return finished


def _tell(store: Store, told: Sequence[Channel], sweeps: Sequence[str] | None, now: Clock) -> None:
    """Tell of sweeps. None: of all that nobody told of, since nobody else tells of a store in a folder; a storage account has its function app."""
    for sweep, _ in list(alerts.owed(store)):
        if sweeps is None or sweep in sweeps:
            fill(store, sweep, told, now())
            alerts.settle(store, sweep)
    expired(store, told, now())
    for _ in deliver(store, told, now):
        pass
    if sweeps is None:
        prune(store, now())


def _scope(settings: Settings, subscriptions: Sequence[str], resources: Sequence[str]) -> Scope:
    for resource in resources:
        if not is_account_id(resource):
            raise Misuse(
                f"--resource {resource!r} is not the id of an account: expected /subscriptions/ID/resourceGroups/GROUP/providers/"
                "Microsoft.CognitiveServices/accounts/NAME, as `az cognitiveservices account show --query id` prints it"
            )
    named = subscription_ids(list(subscriptions), "--subscription") or settings.subscriptions
    return Scope(named or None, tuple(sorted({resource.lower() for resource in resources})) or None)


def _whole(settings: Settings, scope: Scope) -> bool:
    """Whether nothing of what the settings declare is left out."""
    declared = set(settings.subscriptions)
    return scope.resources is None and (not declared or declared <= set(scope.subscriptions or ()))


def _finish_open(collector: Collector, sequencer: Sequencer, progress: Progress, scope: Scope, close: Close) -> SweepResult | None:
    """Finish every sweep that was left open; the result of the last one where it is what was asked for now."""
    store = collector.store
    result = None
    for name in state.open_sweeps(store):
        places = sequencer.places(name)
        if layout.PLAN not in places or layout.CLOSED in places:
            # Nothing was planned before the run was killed, or only late batches came: they are sealed now.
            if layout.CLOSED in places or not store.exists(layout.batch(name, layout.PLAN)):
                state.forget(store, name, lambda sweep=name: sequencer.waits(sweep))  # type: ignore[misc]
            continue
        with OpenSweep(collector, sequencer, name, progress) as sweep:
            if not sweep.overdue():
                sweep.collect()
            done = close(sweep, True)
        result = done if sweep.plan["scope"] == scope.as_json() and not done.missing else None
    return result


def _new_sweep(
    collector: Collector, sequencer: Sequencer, scope: Scope, whole: bool, schedule: Schedule | None, cause: Json, progress: Progress, close: Close
) -> SweepResult:
    """`whole`: it covers what slots of the schedule are for; a narrower one must not take the place of such a sweep."""
    store = collector.store
    name = name_sweep(schedule if whole else None, collector.now(), lambda name: store.exists(layout.batch(name, layout.PLAN)))
    progress("plan", 0, 1)
    since = sequencer.seq
    Planner(collector, name, scope, schedule.text if schedule else None, cause).plan()
    sequencer.seal()
    while layout.PLAN not in sequencer.places(name.name):
        # Another collector took the marker of a sweep that was still being planned for one that was left behind.
        state.mark_open(store, name.name, since)
        sequencer.seal()
    with OpenSweep(collector, sequencer, name.name, progress) as sweep:
        sweep.collect()
        return close(sweep, False)
