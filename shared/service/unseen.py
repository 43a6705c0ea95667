"""The use-case `unseen`: what could not be seen now, or in a period. Read-only; the pass over the records is in `shared.deliver.unseen`."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime

from shared import layout
from shared.canonical import Json
from shared.deliver.unseen.slots import missed
from shared.deliver.unseen.stretches import Unseen
from shared.deliver.unseen.subscriptions import Absent, Sight
from shared.deliver.unseen.words import document
from shared.records import timestamp, whole
from shared.service import state
from shared.service.current import last_sweep
from shared.service.queries import Period, Reading

_LOOKED_BACK = (b'"type":"observation"', b'"type":"failure"', b'"type":"sweep-closed"')
_TAKEN = (*_LOOKED_BACK, b'"type":"finding"', b'"type":"sweep-planned"')
_CHUNK = 256
"""Records that are read at once when looking back: those of one entry bundle."""

_OF_A_PLAN = frozenset(("seen", "scope", "schedule"))


def unseen(read: Reading, when: Period | None, now: datetime) -> Json:
    """What could not be seen in the sweeps of a period; without one, in the last sweep and what events made of it since (docs/questions.md).

    Raises:
        StoreConflict: the log is not what was sealed.
    """
    sweeps = read.within(when) if when else _current(read.sweeps)
    start, end = _borders(when, sweeps, timestamp(now))
    fold, sight, plans = Unseen(frozenset(sweep["sweep"] for sweep in sweeps)), Sight(), _plans(read)
    first, last = min((sweep["first"] for sweep in sweeps), default=0), _last(read, when, sweeps)
    for index, record in _records(read, first, last):
        fold.take(index, record)
    stretches = fold.stretches if when else fold.still()
    fold.look_back(stretches, _backwards(read, first))
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


def _plans(read: Reading) -> list[tuple[int, Json]]:
    """The plans of the closed sweeps, in their order; of their units nothing is needed here."""
    plans = (next(read.log.records(place, place + 1)) for place in sorted(sweep["plan_record"] for sweep in read.sweeps))
    return [(index, plan if plan.keys() >= _OF_A_PLAN else whole(plan, read.body)) for index, plan in plans]


def _records(read: Reading, first: int, end: int) -> Iterator[tuple[int, Json]]:
    for index, line in read.log.lines(first, end):
        if any(mark in line for mark in _TAKEN):
            yield index, _whole(read, line)


def _backwards(read: Reading, end: int) -> Iterator[tuple[int, Json]]:
    """The records before `end`, the newest first."""
    while end > 0:
        start = (end - 1) // _CHUNK * _CHUNK
        for index, line in reversed(list(read.log.lines(start, end))):
            if any(mark in line for mark in _LOOKED_BACK):
                yield index, _whole(read, line)
        end = start


def _whole(read: Reading, line: bytes) -> Json:
    return whole(json.loads(line), read.body)


def _concerns(absence: Absent, start: str, *, now: bool) -> bool:
    """Whether an absence is one of the time that is asked about."""
    return not absence.ended if now else absence.last[1] >= start
