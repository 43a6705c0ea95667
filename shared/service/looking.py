"""Reading a log by the moment rather than by the sweep: the plans there were, and records backwards from a place."""

import json
from collections.abc import Iterator

from shared.canonical import Json
from shared.records import whole
from shared.service.queries import Reading

_OF_A_PLAN = frozenset(("seen", "scope", "schedule"))
_CHUNK = 256
"""Records that are read at once: those of one entry bundle."""


def plans_of(read: Reading) -> list[tuple[int, Json]]:
    """The plans of the closed sweeps with their indexes, in their order; of those with many units, these may be left out."""
    plans = (next(read.log.records(place, place + 1)) for place in sorted(sweep["plan_record"] for sweep in read.sweeps))
    return [(index, plan if plan.keys() >= _OF_A_PLAN else whole(plan, read.body)) for index, plan in plans]


def forwards(read: Reading, first: int, end: int, marks: tuple[bytes, ...]) -> Iterator[tuple[int, Json]]:
    """The records [first, end) whose line holds one of `marks`, whole."""
    for index, line in read.log.lines(first, end):
        if any(mark in line for mark in marks):
            yield index, whole(json.loads(line), read.body)


def backwards(read: Reading, end: int, marks: tuple[bytes, ...]) -> Iterator[tuple[int, Json]]:
    """The same of the records before `end`, the newest first."""
    while end > 0:
        start = (end - 1) // _CHUNK * _CHUNK
        for index, line in reversed(list(read.log.lines(start, end))):
            if any(mark in line for mark in marks):
                yield index, whole(json.loads(line), read.body)
        end = start
