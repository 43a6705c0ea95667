"""What a period looks like, worked out once and kept for some minutes while the log does not grow: all pages of a visit are of one state."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from shared.canonical import Json
from shared.deliver.period.fold import PeriodFold
from shared.deliver.period.summary import document
from shared.deliver.report.page import Page, page
from shared.errors import Misuse, Refused
from shared.service import queries, standing
from shared.service.compose import Clock
from shared.service.drifted import at_the_end
from shared.service.queries import Filter, Period, Reading
from shared.service.report import viewed
from shared.service.unseen import unseen

DEFAULT = timedelta(days=30)
FRESH = timedelta(minutes=5)
"""How long what was worked out is shown while nothing new is sealed: the end of the period is the moment in which it was, and stands on each page."""
MOST = 4
"""Periods that are kept."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """The period that the caller chose, as the form shows it; empty where none was."""

    first: str = ""
    last: str = ""

    @property
    def given(self) -> bool:
        """Whether there is a choice."""
        return bool(self.first or self.last)

    @property
    def kept(self) -> dict[str, str]:
        """What links carry on."""
        return {name: value for name, value in (("from", self.first), ("to", self.last)) if value}


@dataclass(slots=True)
class Shown:
    """One period of one state of the log."""

    read: Reading
    page: Page
    _fold: PeriodFold
    findings: list[Json]
    """That hold now."""
    standing: Json
    """As `standing.status` gives it."""
    at: datetime
    when: Period | None
    _evidenced: list[Json] = field(default_factory=list)
    _unseen: dict[bool, Json] = field(default_factory=dict)
    _drift: list[list[Json] | None] = field(default_factory=list)

    def unseen(self, *, period: bool) -> Json:
        """What could not be seen, in the period or now."""
        if period not in self._unseen:
            when = self.when or queries.period(self.page.view.period.start, self.page.view.period.end, self.at) if period else None
            self._unseen[period] = unseen(self.read, when, self.at)
        return self._unseen[period]


    @property
    def evidenced(self) -> Json:
        """The period view: of every control of every resource, so only when a page needs it."""
        if not self._evidenced:
            self._evidenced.append(document(self._fold))
        return self._evidenced[0]

    @property
    def sweeps(self) -> list[Json]:
        """The closed sweeps of the period."""
        return self.read.within(self.when) if self.when else self.read.sweeps

    def drift(self) -> list[Json] | None:
        """What differed at the end of the period from what was approved by then; None where nothing was."""
        if not self._drift:
            self._drift.append(at_the_end(self.read, self.sweeps))
        return self._drift[0]


class Nothing(Misuse):
    """There is no closed sweep to show."""


class Shelf:
    """Keeps the last few periods that were shown. Safe for several threads: a period is worked out by one of them, the others wait."""

    def __init__(self, opened: Callable[[], Reading], now: Clock) -> None:
        self._opened = opened
        self._now = now
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, Chosen], Shown] = OrderedDict()

    def get(self, chosen: Chosen) -> Shown:
        """What the chosen period looks like; without a choice the last 30 days, or all there is where these have no sweep.

        Raises:
            Refused: the choice is no period.
            Nothing: no closed sweep is in it.
        """
        now = self._now()
        read = self._opened()
        key = (read.log.size, chosen)
        with self._lock:
            found = self._kept.get(key)
            if found is None or now - found.at > FRESH:
                found = self._kept[key] = _shown(read, chosen, now)
            self._kept.move_to_end(key)
            while len(self._kept) > MOST:
                self._kept.popitem(last=False)
        return found


def chosen_in(asked: Mapping[str, str]) -> Chosen:
    """The period that a request names."""
    return Chosen(asked.get("from", "").strip(), asked.get("to", "").strip())


def _shown(read: Reading, chosen: Chosen, now: datetime) -> Shown:
    try:
        when = queries.period(chosen.first or None, chosen.last or None, now) if chosen.given else _lately(read, now)
    except Misuse as error:
        raise Refused(str(error).replace("--", "")) from None
    if not (read.within(when) if when else read.sweeps):
        raise Nothing(
            "No sweep of this period was closed: choose another one." if chosen.given
            else "Nothing is sealed yet: no sweep was closed. The first one shows here as soon as it is."
        )  # fmt: skip
    view, fold = viewed(read, when, now)
    found = list(queries.findings(read, None, Filter(), lambda: now))
    return Shown(read, page(view, None), fold, found, standing.status(read, lambda: now, found), now, when)


def _lately(read: Reading, now: datetime) -> Period | None:
    """The last 30 days, from a midnight on; None, which is all there is, where they have no sweep or the log is no older."""
    start = (now - DEFAULT).replace(hour=0, minute=0, second=0, microsecond=0)
    when = Period(start, now + timedelta(days=1))
    return when if read.within(when) else None
