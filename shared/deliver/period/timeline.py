"""One control of one resource over time: what each observation speaks for, and where none does. Times are microseconds since 1970, UTC.

An observation speaks from its answer until the next one of the same control and resource, and never longer than it is valid. What no
valid observation speaks for is unobserved: it is never satisfied. One that is sealed after a newer one is counted and claims no time.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from shared.model import Status

EVIDENCED: frozenset[Status] = frozenset({"satisfied", "not-satisfied", "not-applicable"})
"""Statuses that say what was so. `unknown` says that somebody looked and could not see; `provider-attested`, that nobody can."""

Window = tuple[int, int]
"""From, included, to, not included."""


@dataclass(slots=True)
class Span:
    """Time for which valid observations say one thing without a break."""

    status: Status
    start: int
    end: int
    observations: int
    first: int
    """Index of the first record that says so."""
    last: int


@dataclass(slots=True)
class Timeline:
    """Takes observations in, in the order of the log."""

    statuses: Counter[Status] = field(default_factory=Counter)
    first: int = -1
    last: int = -1
    """Indexes of the first and last finding."""
    between: Window | None = None
    """The longest time between two consecutive observations."""
    _spans: list[Span] = field(default_factory=list)
    _at: int = -1
    _until: int = -1

    def add(self, status: Status, record: int, *, at: int, until: int) -> None:
        """Note that the record says `status` of the moment `at`, and is valid before `until`."""
        self.statuses[status] += 1
        self.first = record if self.first < 0 else self.first
        self.last = record
        if at < self._at:
            return
        if self._spans:
            if self.between is None or at - self._at > self.between[1] - self.between[0]:
                self.between = (self._at, at)
            self._spans[-1].end = min(self._until, at)
        self._at, self._until = at, until
        before = self._spans[-1] if self._spans else None
        if before is not None and before.status == status and before.end == at:
            before.end, before.observations, before.last = until, before.observations + 1, record
        else:
            self._spans.append(Span(status, at, until, 1, record, record))

    def spans(self) -> list[Span]:
        """What was so when, ascending, without overlap; stretches between are unobserved."""
        return [span for span in self._spans if span.end > span.start]


def clip(pieces: Iterable[Window], windows: Sequence[Window]) -> list[Window]:
    """The parts of ascending pieces that lie in ascending windows; what touches is joined."""
    found: list[Window] = []
    for start, end in pieces:
        for low, high in windows:
            first, last = max(start, low), min(end, high)
            if first < last and found and found[-1][1] == first:
                found[-1] = (found[-1][0], last)
            elif first < last:
                found.append((first, last))
    return found


def holes(pieces: Sequence[Window], windows: Sequence[Window]) -> list[Window]:
    """The parts of windows in which no piece lies."""
    found: list[Window] = []
    for low, high in windows:
        inside = clip(pieces, [(low, high)])
        edges = [(low, low), *inside, (high, high)]
        found += [(before[1], after[0]) for before, after in pairwise(edges) if before[1] < after[0]]
    return found


def total(pieces: Iterable[Window]) -> int:
    """How long they are together."""
    return sum(end - start for start, end in pieces)


def longest(pieces: Iterable[Window]) -> Window | None:
    """The longest, the earliest of several."""
    return max(pieces, key=lambda piece: (piece[1] - piece[0], -piece[0]), default=None)


def share(part: int, whole: int) -> str:
    """A share in percent with two places, cut off, never rounded up: 100.00 means all of it."""
    hundredths = part * 10_000 // whole if whole else 0
    return f"{hundredths // 100}.{hundredths % 100:02d}"
