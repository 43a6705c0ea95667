"""The step `watch`: what should have happened and has not. Alarms only: nothing is evidence here but what the other steps seal.

A slot whose timer never fired is planned here; what cannot be helped is told, again at every run until somebody does.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from shared import alarms, layout
from shared.canonical import Json, canonical
from shared.errors import EvidenceError, Misuse, StoreConflict
from shared.records import moment, timestamp
from shared.seal.commits import parse_commit
from shared.seal.keys import read_keys
from shared.seal.log import open_log
from shared.seal.sequencer import batch_lines
from shared.seal.store import read_hint
from shared.service import outbox, state
from shared.service.attest import owed_line, read_standing
from shared.service.collector import schedule_of
from shared.service.heartbeat import beat
from shared.service.newest import newest_sweep
from shared.service.planning import slot_sweep
from shared.service.pruning import prune
from shared.service.steps import alerts
from shared.service.steps.alarmed import tell_alarms
from shared.service.steps.alerts import Alarm
from shared.service.steps.app import App
from shared.service.steps.plan import plan_due
from shared.service.telling import expired, fill

GRACE = timedelta(minutes=3)
"""How late a timer may be before its slot is planned here."""

PATIENCE = timedelta(minutes=15)
"""How long a batch may wait to be sealed, and a sweep to be closed after its deadline."""


FORGOTTEN = timedelta(hours=1)
"""How long a sweep may be planned: a marker without any batch is then of a worker that was killed. Longer than the host lets anybody run."""

_RANKS = ("none", "unlocked", "locked")


def watch(app: App, *, tell: Callable[[Alarm], None] = lambda alarm: None) -> list[Alarm]:
    """Look at everything once; `tell` is called with each alarm as it is found, and only then it is noted that it was.

    Raises:
        Misuse: settings cannot be what they say.
        Unreachable: the store or the queues cannot be read: an alarm in itself, for the rule on silence. What else there is was looked at.
    """
    before = _remembered(app)
    memory, told, failures = {**before}, list[Alarm](), list[EvidenceError]()

    def looked(look: Callable[[App, dict[str, Json]], Iterator[Alarm]]) -> None:
        mind = {**memory}
        try:
            for alarm in look(app, mind):
                tell(alarm)
                told.append(alarm)
            memory.update(mind)
        except EvidenceError as error:  # the others look all the same; of this one is remembered what was
            failures.append(error)

    for look in (_slots, _still, _unsealed, _retention, _handing_over, _undelivered, _poison, _owed):
        looked(look)
    if not failures:
        looked(lambda app, mind: _heartbeat(app, mind, told))
    tell_alarms(app, before, memory, told, whole=not failures)
    day = timestamp(app.now())[:10]
    pruned, memory["pruned"] = memory.get("pruned"), day
    app.store.put(layout.WATCH, canonical(memory))
    if pruned != day:
        prune(app.store, app.now())
    if failures:
        raise next((error for error in failures if isinstance(error, StoreConflict)), failures[0])  # that one is an alarm
    return told


def _remembered(app: App) -> dict[str, Json]:
    try:
        value = json.loads(app.store.get(layout.WATCH) or b"{}")
    except ValueError:
        value = {}
    return value if isinstance(value, dict) else {}


def _slots(app: App, _: dict[str, Json]) -> Iterator[Alarm]:
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
            yield Alarm(alarms.SLOT_MISSED, f"slot {timestamp(due.slot)} is not planned: {error}", timestamp(due.slot))
    before = slot_sweep(schedule, due.slot - timedelta(seconds=1))
    assert before.slot is not None
    if _had_begun(app, before.slot) and not app.store.exists(layout.batch(before.name, layout.PLAN)):
        told = f"slot {timestamp(before.slot)} has no sweep, and will not have one: a gap in the evidence"
        yield Alarm(alarms.SLOT_MISSED, told, f"gap {timestamp(before.slot)}", ends=False)


def _still(app: App, memory: dict[str, Json]) -> Iterator[Alarm]:
    """A log that did not grow between two slots: each slot has a plan at least."""
    schedule, now, size = schedule_of(app.settings), app.now(), open_log(app.store).size
    known, since = _grown(memory.get("size"))
    if known != size or since is None:
        memory["size"] = {"size": size, "since": timestamp(now)}
        return
    due = slot_sweep(schedule, now).slot if schedule else None
    before = slot_sweep(schedule, due - timedelta(seconds=1)).slot if schedule and due else None
    if due and before and moment(since) < before and now - due > PATIENCE:
        yield Alarm(alarms.LOG_STILL, f"the log has {size} records since {since}: nothing was sealed between {timestamp(before)} and {timestamp(due)}")


def _grown(known: Json) -> tuple[int | None, str | None]:
    """The size that the log had at the last look, and since when."""
    try:
        moment(known["since"])
        return int(known["size"]), known["since"]
    except (KeyError, TypeError, ValueError):
        return None, None


def _had_begun(app: App, slot: datetime) -> bool:
    """Whether a sweep older than `slot` is there: before the first one, no slot can be missed."""
    first = next(app.store.list(layout.SWEEP_SUMMARIES), None)
    return first is not None and first.removeprefix(layout.SWEEP_SUMMARIES) < slot.strftime("%Y%m%dT%H%M%SZ")


def _unsealed(app: App, memory: dict[str, Json]) -> Iterator[Alarm]:
    """What waits for the step that seals, and waits too long: batches that are not sealed, sweeps that are not closed."""
    now, known = app.now(), memory.get("open")
    memory["open"] = {}
    for name in state.open_sweeps(app.store):
        waiting = _unsealed_batches(app, name)
        batch, since = _seen(known, name)
        # The same batch as at the last look, or none then and now: since when that is so is remembered.
        if since is None or not (batch in waiting if waiting else batch is None):
            batch, since = min(waiting, default=None), timestamp(now)
        age = now - moment(since)
        if not waiting and age > FORGOTTEN and not _has_batches(app, name):
            state.forget(app.store, name, lambda sweep=name: _has_batches(app, sweep))  # type: ignore[misc]
            continue
        memory["open"][name] = {"batch": batch, "since": since}
        if waiting and age > PATIENCE:
            yield Alarm(alarms.BATCH_UNSEALED, f"{len(waiting)} batches of {name} wait since {since}: does the function `seal` run, and may it sign?", name)
        elif not waiting and (deadline := _deadline(app, name)) and now - deadline > PATIENCE:
            yield Alarm(alarms.BATCH_UNSEALED, f"{name} was to be closed by {timestamp(deadline)}: does the function `seal` run?", name)


def _seen(known: Json, sweep: str) -> tuple[str | None, str | None]:
    """What was remembered of an open sweep: the batch that waited, and since when it is as it was."""
    try:
        batch, since = known[sweep]["batch"], known[sweep]["since"]
        moment(since)
    except (KeyError, TypeError, ValueError):
        return None, None
    return batch, since


def _unsealed_batches(app: App, sweep: str) -> set[str]:
    """Names of the batches of an open sweep that no commit has; read from the log, and nothing of it is finished on the way."""
    found = {layout.batch_parts(path)[1] for path in app.store.list(f"{layout.BATCHES}{sweep}/")}
    seq = state.since(app.store, sweep)
    while found and (data := app.store.get(layout.commit(seq := seq + 1))) is not None:
        found -= {layout.batch_parts(batch.path)[1] for batch in parse_commit(data).batches if batch.path.startswith(f"{layout.BATCHES}{sweep}/")}
    return found


def _has_batches(app: App, sweep: str) -> bool:
    return next(iter(app.store.list(f"{layout.BATCHES}{sweep}/")), None) is not None


def _deadline(app: App, name: str) -> datetime | None:
    """By when a sweep must be closed, as its plan says; None of what has no plan, or is closed and has only to be forgotten."""
    path = layout.batch(name, layout.PLAN)
    plan = json.loads(batch_lines(data, path)[-1]) if (data := app.store.get(path)) else {}
    return moment(plan["deadline"]) if plan.get("type") == "sweep-planned" else None


def _retention(app: App, memory: dict[str, Json]) -> Iterator[Alarm]:
    """What protects the evidence, against the strongest that was seen. What is weaker is told until it is as strong again."""
    kept = app.store.retention()
    until, written = kept["until"], kept["written"]
    days = round((moment(until) - moment(written)) / timedelta(days=1)) if until and written else None
    now, before = {"policy": kept["policy"], "days": days}, memory.get("retention")
    if not isinstance(before, dict):
        memory["retention"] = now
        return
    weaker = _strength(now) < _strength(before)
    if now != before:
        told = f"evidence was under a policy that is {_policy(before)}, and is now under one that is {_policy(now)}"
        yield Alarm(alarms.RETENTION_CHANGED, told, str(_policy(now)), ends=weaker)
    if not weaker:
        memory["retention"] = now


def _policy(kept: Json) -> str:
    return f"{kept.get('policy')}, {kept.get('days')} days" if kept.get("days") is not None else str(kept.get("policy"))


def _strength(kept: Json) -> tuple[int, int]:
    return _RANKS.index(kept["policy"]) if kept.get("policy") in _RANKS else -1, kept.get("days") or 0


def _handing_over(app: App, memory: dict[str, Json]) -> Iterator[Alarm]:
    """A change of the signing keys that was begun, and is not finished for long."""
    if not read_keys(app.store).pending:
        memory["handing over"] = None
        return
    since = memory["handing over"] = _text(memory.get("handing over")) or timestamp(app.now())
    if app.now() - moment(since) > PATIENCE:
        told = "a change of the signing keys was begun and not finished, run the same `aoai-evidence key rotate` again"
        yield Alarm(alarms.BATCH_UNSEALED, f"{layout.KEY_CHANGES} is open since {since} or longer: {told}", "keys")


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _undelivered(app: App, _: dict[str, Json]) -> Iterator[Alarm]:
    """What was to be told of sweeps whose closing nobody lived to tell."""
    try:
        receivers = app.receivers
    except Misuse as error:
        receivers = None
        yield Alarm(alarms.ALERT_UNDELIVERED, f"nobody is told of anything: {error}", "receivers")
    for sweep, found in alerts.owed(app.store):
        yield from found
        if receivers is not None:
            fill(app.store, sweep, receivers, app.now())
            alerts.settle(app.store, sweep)
    expired(app.store, receivers or (), app.now())
    for receiver, count in outbox.counted(app.store, layout.DEAD).items():
        where = f"{layout.OUTBOX}{layout.DEAD}/{receiver}/"
        yield Alarm(alarms.ALERT_UNDELIVERED, f"{count} alerts for {receiver} were given up: {where} holds each with its reason", receiver)
    known = {one.name for one in receivers or ()}
    for receiver, count in outbox.counted(app.store, layout.WAITING).items() if receivers is not None else ():
        if receiver not in known:
            where = f"{layout.OUTBOX}{layout.WAITING}/{receiver}/"
            text = f"{count} alerts wait for {receiver}, who is no receiver any more: declare it again, or delete {where}"
            yield Alarm(alarms.ALERT_UNDELIVERED, text, f"gone {receiver}")


def _poison(app: App, _: dict[str, Json]) -> Iterator[Alarm]:
    for queue in layout.QUEUES:
        count = app.queues.length(queue + layout.POISON_SUFFIX)
        if count:
            yield Alarm(alarms.POISON, f"{count} messages in {queue}{layout.POISON_SUFFIX}: each holds its reason; see docs/deploy.md", queue)


def _heartbeat(app: App, memory: dict[str, Json], found: Sequence[Alarm]) -> Iterator[Alarm]:
    """Call who waits to hear of each slot that its sweep closed whole and sealed; not while anything is alarmed. What changed is no alarm here."""
    if app.settings.heartbeat_url is None or any(alarm.id != alarms.DRIFT for alarm in found):
        return
    slot = newest_sweep(app.store, open_log(app.store)).slot
    if slot is None or slot == memory.get("beat"):
        return
    summary = read_hint(app.store, layout.sweep_summary(f"{moment(slot):%Y%m%dT%H%M%SZ}"))
    if summary.get("missing") != []:
        return
    if (error := beat(app.settings)) is None:
        memory["beat"] = slot
    else:
        yield Alarm(alarms.ALERT_UNDELIVERED, error, "heartbeat")


def _owed(app: App, _: dict[str, Json]) -> Iterator[Alarm]:
    """Who was asked to vouch for checkpoints, or to keep copies, and has not for long; and whoever saw another log than this one."""
    standing = read_standing(app.store)
    for one in standing.of(open_log(app.store).size) if standing.debts else ():
        if one["grave"]:
            yield Alarm(alarms.VERIFICATION_FAILED, f"{one['name']}: {one['error']}", one["name"])
        elif one["since"] and app.now() - datetime.fromisoformat(one["since"]) > PATIENCE and (line := owed_line(one)):
            yield Alarm(alarms.ATTESTATION_OWED, line, one["name"])
