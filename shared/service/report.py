"""The use-case `report`: what a period looks like, in one HTML file."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.records import timestamp, whole
from shared.schedule import parse
from shared.seal.keys import read_keys
from shared.service.queries import Period, Reading, last_plan

if TYPE_CHECKING:
    from shared.deliver.period.fold import PeriodFold


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    path: str
    bytes: int
    sweeps: int


def report(read: Reading, when: Period | None, out: Path, written_at: datetime) -> Written:
    """Write the report of a period (default: from the first sweep on).

    Raises:
        Misuse: no sweep in the period, or the file cannot be written.
    """
    from shared.deliver import view as views
    from shared.deliver.period.fold import PeriodFold
    from shared.deliver.period.summary import document
    from shared.deliver.report import render
    from shared.deliver.view_words import words
    from shared.deliver.whole_file import place_of, whole_file

    place_of(out)
    sweeps = read.within(when) if when else read.sweeps
    if not sweeps:
        raise Misuse("no closed sweep in this period: run `aoai-evidence collect`, or choose --from and --to so that one is in it")
    earliest = sweeps[0]["slot"] or sweeps[0]["planned_at"]
    start, end = (timestamp(when.start), timestamp(when.end)) if when else (earliest, timestamp(written_at))
    start, end = max(start, earliest), min(end, timestamp(written_at))
    fold = PeriodFold(start, end, read.body)
    records = _records(read, min(sweep["first"] for sweep in sweeps), max(sweep["end"] for sweep in sweeps))
    built = views.build(
        _passed_on(records, fold),
        read.body,
        words(catalogue()),
        period=views.Period(start, end),
        log=views.LogIdentity(read.facts["origin"], read.log.size, str(read_keys(read.store).in_force.keys[0]), read.log.checkpoint().decode()),
        expected=_expected(read, start, end),
    )
    html = render(built, written_at=timestamp(written_at), evidenced=document(fold)).encode()
    with whole_file(out) as file:
        file.write(html)
    return Written(str(out), len(html), len(sweeps))


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
