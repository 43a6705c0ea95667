"""Runs of records, read again: for their digest, and for the period view as a reader of the bundle comes to it."""

import hashlib
from collections.abc import Callable, Sequence

from shared.canonical import Json
from shared.deliver.period.fold import PeriodFold
from shared.seal.log import Log


def run_digest(log: Log, first: int, count: int) -> tuple[int, str]:
    """Length and SHA-256 of a run of records as a bundle has them, one a line."""
    digest, length = hashlib.sha256(), 0
    for _, line in log.lines(first, first + count):
        digest.update(line + b"\n")
        length += len(line) + 1
    return length, digest.hexdigest()


def view_again(log: Log, ranges: Sequence[tuple[int, int]], start: str, end: str, load: Callable[[str], Json]) -> PeriodFold:
    """The period view of all runs, those included that were found to be needed only when the others had been read."""
    view = PeriodFold(start, end, load)
    for first, count in ranges:
        for index, line in log.lines(first, first + count):
            view.line(index, line)
    return view
