"""The use-case `collect`: go on with sweeps that were left open, else plan the one that is due; collect, judge, close."""

from collections.abc import Sequence

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.arm import Failed
from shared.collect.plan import is_account_id
from shared.collect.tls import probe
from shared.collect.unit import Handshake
from shared.errors import Misuse, VerificationError
from shared.privacy.disclosures import Disclosures
from shared.schedule import Schedule, parse
from shared.seal import note
from shared.seal.log import Log, open_log
from shared.seal.store import put_body
from shared.service import state
from shared.service.answers import Keeper
from shared.service.compose import Clock, Sealing, arm_client, profile_of, random_bytes, sealing, store_at, utc_now
from shared.service.planning import Planner, Scope, name_sweep
from shared.service.recovery import set_torn_aside
from shared.service.sweep import Collector, OpenSweep, Progress, SweepResult
from shared.settings import Settings, subscription_ids


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
    """Run one sweep, or finish the one that was left open.

    `subscriptions` and `resources` narrow the scope; without them it is that of the settings, else all that the identity sees.

    Raises:
        Misuse: settings, scope, profile or store cannot be what they are said to be. Nothing was written.
        Unreachable: nobody is logged in, or the store cannot be written.
        StoreConflict: the store contradicts itself.
    """
    scope = _scope(settings, subscriptions, resources)
    profile = profile_of(settings)
    schedule_text = settings.schedule or profile.schedule
    schedule = parse(schedule_text) if schedule_text else None
    store = store_at(settings.store)
    ready = sealing(settings, store)
    if settings.personal_data != ready.facts["personal_data"]:
        raise Misuse(
            f"this store was made with EVIDENCE_PERSONAL_DATA={ready.facts['personal_data']}, the setting says {settings.personal_data}: "
            "set it as the store has it, or make another store"
        )
    arm, identity = arm_client(settings)
    disclosures = Disclosures(store, random_bytes)
    keeper = Keeper(lambda data: put_body(store, data), disclosures.commit if settings.personal_data == "commit" else None)
    collector = Collector(ready, arm, keeper, _handshake(settings.cloud, now), identity, settings.cloud, profile, now)
    set_torn_aside(store, ready.sequencer)
    ready.sequencer.seal()
    finished = _finish_open(collector, progress, scope)
    if finished is not None:
        return finished
    return _new_sweep(collector, scope, schedule, schedule_text, {"by": by, "ref": cause}, progress)


def _scope(settings: Settings, subscriptions: Sequence[str], resources: Sequence[str]) -> Scope:
    for resource in resources:
        if not is_account_id(resource):
            raise Misuse(
                f"--resource {resource!r} is not the id of an account: expected /subscriptions/ID/resourceGroups/GROUP/providers/"
                "Microsoft.CognitiveServices/accounts/NAME, as `az cognitiveservices account show --query id` prints it"
            )
    named = subscription_ids(list(subscriptions), "--subscription") or settings.subscriptions
    return Scope(named or None, tuple(sorted({resource.lower() for resource in resources})) or None)


def _handshake(cloud: str, now: Clock) -> Handshake:
    def shake(url: str) -> Json | Failed:
        probed = probe(url, cloud=cloud, now=now())
        return probed.body if probed.failure is None else Failed(probed.failure, probed.detail or "not a host of this cloud", attempts=1)

    return shake


def _finish_open(collector: Collector, progress: Progress, scope: Scope) -> SweepResult | None:
    """Finish every sweep that was left open; the result of the last one where it is what was asked for now."""
    sequencer, store = collector.sealing.sequencer, collector.sealing.store
    result = None
    for name in state.open_sweeps(store):
        places = sequencer.places(name)
        if layout.PLAN not in places or layout.CLOSED in places:
            # Nothing was planned before the run was killed, or only late batches came: they are sealed now.
            if layout.CLOSED in places or not store.exists(layout.batch(name, layout.PLAN)):
                store.delete(layout.open_sweep(name))
            continue
        sweep = OpenSweep(collector, name, progress)
        sweep.load()
        if not sweep.overdue():
            sweep.collect()
        done = sweep.close(resumed=True)
        result = done if sweep.plan["scope"] == scope.as_json() and not done.missing else None
    return result


def _new_sweep(
    collector: Collector, scope: Scope, schedule: Schedule | None, schedule_text: str | None, cause: Json, progress: Progress
) -> SweepResult:
    store, sequencer = collector.sealing.store, collector.sealing.sequencer
    log = open_log(store)
    known = state.summaries(store, log)
    name = name_sweep(schedule, collector.now(), lambda name: store.exists(layout.batch(name, layout.PLAN)))
    last = known[-1] if known else None
    slots = [summary["slot"] for summary in known if summary["slot"]]
    previous = {"record": last["closed_record"], "at": last["closed_at"], "slot": max(slots, default=None)} if last else None
    progress("plan", 0, 1)
    since = sequencer.seq
    Planner(collector, name, scope, schedule_text, cause).plan(previous, _continuity(collector.sealing, log, known))
    sequencer.seal()
    while layout.PLAN not in sequencer.places(name.name):
        # Another collector took the marker of a sweep that was still being planned for one that was left behind.
        state.mark_open(store, name.name, since)
        sequencer.seal()
    sweep = OpenSweep(collector, name.name, progress)
    sweep.load()
    store.put(layout.PROFILE_IN_FORCE, canonical({"sha256": collector.profile.digest, "bytes": len(collector.profile.body)}))
    sweep.collect()
    return sweep.close(resumed=False)


def _continuity(ready: Sealing, log: Log, known: list[Json]) -> Json:
    """Whether the log extends the state that the sweep before left: its checkpoint is read, and the root recomputed from the tiles."""
    if not known:
        return {"size": log.size, "held": None, "consistent": None}
    held = int(known[-1]["end"])
    data = ready.store.get(layout.checkpoint(held))
    if data is None:  # that sweep was sealed together with what came after it
        return {"size": log.size, "held": None, "consistent": None}
    try:
        checkpoint = note.open_checkpoint(data, [note.parse_vkey(key) for key in ready.facts["keys"]])
        consistent = checkpoint.size == held and checkpoint.root == log.root_at(held)
    except VerificationError:
        consistent = False
    return {"size": log.size, "held": held, "consistent": consistent}
