"""Time as a horizontal axis: where a moment lies, and which days get a tick. Shared by every picture with time in it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.deliver.view_coverage import instant
from shared.deliver.view_sweeps import Period, Stretch

_STEPS: Final = (1, 2, 7, 14, 28, 56, 91, 182, 364)
_MOST_TICKS: Final = 18


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch on the axis."""

    x: float
    width: float
    title: str = ""


@dataclass(frozen=True, slots=True)
class Tick:
    """A day with a line and a label."""

    x: float
    label: str
    month: bool
    """It is the first tick of its month, and its label says so."""


@dataclass(frozen=True, slots=True)
class Axis:
    """A period laid out from `left` over `width`."""

    start: datetime
    end: datetime
    left: float
    width: float

    def at(self, text: str) -> float:
        """Where a time lies; times outside the period lie on its border."""
        whole = (self.end - self.start).total_seconds()
        gone = (instant(text) - self.start).total_seconds()
        return round(self.left + self.width * min(1.0, max(0.0, gone / whole if whole > 0 else 0.0)), 1)

    def span(self, start: str, end: str, *, least: float = 1.5, title: str = "") -> Span:
        """From one time to another, wide enough to be seen."""
        x = self.at(start)
        width = max(least, self.at(end) - x)
        return Span(min(x, round(self.left + self.width - width, 1)), round(width, 1), title)

    def gaps(self, gaps: tuple[Stretch, ...]) -> tuple[Span, ...]:
        """The stretches without a sweep."""
        return tuple(self.span(gap.start, gap.end) for gap in gaps)

    def ticks(self) -> tuple[Tick, ...]:
        """At most eighteen days, evenly apart."""
        days = max(1, (self.end - self.start).days)
        step = next((step for step in _STEPS if days / step <= _MOST_TICKS), _STEPS[-1])
        moment = self.start.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        if moment < self.start:
            moment += timedelta(days=1)
        found: list[Tick] = []
        month = None
        while moment < self.end:
            named = (moment.year, moment.month) != month
            label = f"{moment.day} {moment:%b}" if named else str(moment.day)
            found.append(Tick(self.at(moment.isoformat()), label, named))
            month = (moment.year, moment.month)
            moment += timedelta(days=step)
        return tuple(found)


def axis(period: Period, *, left: float, width: float) -> Axis:
    """The axis of a period."""
    return Axis(instant(period.start), instant(period.end), left, width)
