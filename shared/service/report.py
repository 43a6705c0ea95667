"""The use-case `report`: what a period looks like, in one HTML file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.records import timestamp, whole
from shared.schedule import parse
from shared.seal.keys import read_keys
from shared.service.filed import exhibit_records
from shared.service.queries import Period, Reading, last_plan
from shared.service.waived import waiver_records

if TYPE_CHECKING:
    from shared.deliver.period.fold import PeriodFold
    from shared.deliver.view_model import PeriodView


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    path: str
    bytes: int
    sweeps: int


def report(read: Reading, when: Period | None, out: Path, written_at: datetime, *, verified: Sequence[str] | None = None) -> Written:
    """Write the report of a period (default: from the first sweep on).

    `verified`: what `verify` said of the store just now, to be printed in it.

    Raises:
        Misuse: no sweep in the period, or the file cannot be written.
    """
    from shared.deliver.period.summary import document
    from shared.deliver.report import render
    from shared.deliver.whole_file import place_of, whole_file
    from shared.service.drifted import at_the_end

    place_of(out)
    built, fold = viewed(read, when, written_at)
    sweeps = _within(read, when)
    html = render(built, written_at=timestamp(written_at), evidenced=document(fold), verified=verified, approved=at_the_end(read, sweeps)).encode()
    with whole_file(out) as file:
        file.write(html)
    return Written(str(out), len(html), len(sweeps))


def viewed(read: Reading, when: Period | None, now: datetime) -> tuple["PeriodView", "PeriodFold"]:
    """What a period looks like (default: from the first sweep on), and how much of it is evidenced, in one pass over its records.

    Raises:
        Misuse: no sweep in the period.
    """
    from shared.deliver import view as views
    from shared.deliver.period.fold import PeriodFold
    from shared.deliver.view_words import words

    sweeps = _within(read, when)
    if not sweeps:
        raise Misuse("no closed sweep in this period: run `aoai-evidence collect`, or choose --from and --to so that one is in it")
    earliest = sweeps[0]["slot"] or sweeps[0]["planned_at"]
    start, end = (timestamp(when.start), timestamp(when.end)) if when else (earliest, timestamp(now))
    start, end = max(start, earliest), min(end, timestamp(now))
    fold = PeriodFold(start, end, read.body)
    filed = list(exhibit_records(read))
    for index, record in filed:
        fold.take(index, record)
    first, last = min(sweep["first"] for sweep in sweeps), max(sweep["end"] for sweep in sweeps)
    acts = sorted([*filed, *waiver_records(read)], key=itemgetter(0))
    records = chain((each for each in acts if each[0] < first), _records(read, first, last), (each for each in acts if each[0] >= last))
    built = views.build(
        _passed_on(records, fold),
        read.body,
        words(catalogue()),
        period=views.Period(start, end),
        log=views.LogIdentity(read.facts["origin"], read.log.size, str(read_keys(read.store).in_force.keys[0]), read.log.checkpoint().decode()),
        expected=_expected(read, start, end),
    )
    return built, fold


def _within(read: Reading, when: Period | None) -> list[Json]:
    return read.within(when) if when else read.sweeps


def _passed_on(records: Iterable[tuple[int, Json]], fold: "PeriodFold") -> Iterator[tuple[int, Json]]:
    """The same records, once the period view has taken each."""
    for index, record in records:
        fold.take(index, record)
        yield index, record


def _records(read: Reading, first: int, end: int) -> Iterator[tuple[int, Json]]:
    """The records of a range, after the very first one, which says what sort of store this is."""
    if first > 0:
        yield from read.log.records(0, 1)
    for index, record in read.log.records(first, end):
        yield index, whole(record, read.body)


def _expected(read: Reading, start: str, end: str) -> list[str]:
    plan: Json = last_plan(read)
    if not plan or not plan["schedule"]:
        return []
    return [timestamp(slot) for slot in parse(plan["schedule"]).slots(datetime.fromisoformat(start), datetime.fromisoformat(end))]
