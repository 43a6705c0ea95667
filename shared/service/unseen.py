"""The use-case `unseen`: what could not be seen now, or in a period. Read-only; the pass over the records is in `shared.deliver.unseen`."""

from collections.abc import Sequence
from datetime import datetime

from shared import layout
from shared.canonical import Json
from shared.deliver.unseen.slots import missed
from shared.deliver.unseen.stretches import Unseen
from shared.deliver.unseen.subscriptions import Absent, Sight
from shared.deliver.unseen.words import document
from shared.records import timestamp
from shared.service import state
from shared.service.current import last_sweep
from shared.service.looking import backwards, forwards, plans_of
from shared.service.queries import Period, Reading

_LOOKED_BACK = (b'"type":"observation"', b'"type":"failure"', b'"type":"sweep-closed"')
_TAKEN = (*_LOOKED_BACK, b'"type":"finding"', b'"type":"sweep-planned"')


def unseen(read: Reading, when: Period | None, now: datetime) -> Json:
    """What could not be seen in the sweeps of a period; without one, in the last sweep and what events made of it since (docs/questions.md).

    Raises:
        StoreConflict: the log is not what was sealed.
    """
    sweeps = read.within(when) if when else _current(read.sweeps)
    start, end = _borders(when, sweeps, timestamp(now))
    fold, sight, plans = Unseen(frozenset(sweep["sweep"] for sweep in sweeps)), Sight(), plans_of(read)
    first, last = min((sweep["first"] for sweep in sweeps), default=0), _last(read, when, sweeps)
    for index, record in forwards(read, first, last, _TAKEN):
        fold.take(index, record)
    stretches = fold.stretches if when else fold.still()
    fold.look_back(stretches, backwards(read, first, _LOOKED_BACK))
    for index, plan in plans:
        if plan["at"] < end:
            sight.take(index, plan)
    scheduled = [(index, plan) for index, plan in plans if layout.BY_EVENT not in plan["sweep"]]
    return document(
        period=(timestamp(when.start), timestamp(when.end)) if when else None,
        sweeps=sweeps,
        plans=[(index, plan) for index, plan in plans if plan["sweep"] in fold.names],
        fold=fold,
        stretches=sorted(stretches, key=lambda one: (one.resource, one.key, one.since)),
        absences=[one for one in sight.absences if _concerns(one, start, now=when is None)],
        beside=sight.beside,
        missed=missed(scheduled, {sweep["sweep"] for sweep in read.sweeps}, start, end),
        schedule=any(plan["schedule"] for _, plan in scheduled if plan["at"] < end),
        begins=min((sweep["slot"] or sweep["planned_at"] for sweep in read.sweeps), default=None),
        left_open=() if when else state.open_sweeps(read.store),
    )


def _current(sweeps: Sequence[Json]) -> list[Json]:
    """The last sweep of everything, and those that events caused since."""
    last = last_sweep(sweeps)
    return [sweep for sweep in sweeps if sweep["closed_record"] >= last["closed_record"]] if last else []


def _borders(when: Period | None, sweeps: Sequence[Json], now: str) -> tuple[str, str]:
    """From when to when slots are looked at: what lies ahead was not missed."""
    if when:
        return timestamp(when.start), min(timestamp(when.end), now)
    return (sweeps[0]["slot"] or sweeps[0]["planned_at"] if sweeps else now), now


def _last(read: Reading, when: Period | None, sweeps: Sequence[Json]) -> int:
    """Up to where records are taken in: now, all there are, since what came late is there after the end of its sweep."""
    return max((sweep["end"] for sweep in sweeps), default=0) if when else read.log.size if sweeps else 0


def _concerns(absence: Absent, start: str, *, now: bool) -> bool:
    """Whether an absence is one of the time that is asked about."""
    return not absence.ended if now else absence.last[1] >= start
