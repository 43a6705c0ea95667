"""The use-case `period`: for how much of a period each control of each resource was evidenced, and what it was."""

from datetime import datetime

from shared.canonical import Json
from shared.deliver.period.fold import PeriodFold
from shared.deliver.period.summary import document, only
from shared.errors import Misuse
from shared.records import timestamp
from shared.service.filed import exhibit_records
from shared.service.queries import Filter, Period, Reading


def period(read: Reading, when: Period | None, wanted: Filter, now: datetime) -> Json:
    """The period view (docs/period.md); without a period, from the first sweep until now. What lies ahead is no part of it.

    Raises:
        Misuse: no closed sweep lies in it.
    """
    first = read.sweeps[0]["slot"] or read.sweeps[0]["planned_at"] if read.sweeps else timestamp(now)
    start, end = (timestamp(when.start), timestamp(when.end)) if when else (first, timestamp(now))
    start, end = max(start, first) if when is None or when.start.year < 2000 else start, min(end, timestamp(now))
    sweeps = [sweep for sweep in read.sweeps if start <= (sweep["slot"] or sweep["planned_at"]) < end]
    if not sweeps:
        raise Misuse("no closed sweep in this period: run `aoai-evidence collect`, or choose --from and --to so that one is in it")
    fold = PeriodFold(start, end, read.body)
    for index, record in exhibit_records(read):
        fold.take(index, record)
    for index, line in read.log.lines(min(sweep["first"] for sweep in sweeps), max(sweep["end"] for sweep in sweeps)):
        fold.line(index, line)
    return only(document(fold), wanted.passes)
