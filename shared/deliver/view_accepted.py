"""What was accepted for a time, as the end of a period finds it: each waiver that was in force in it, or had expired by its end."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from shared.deliver.view_coverage import instant
from shared.deliver.view_sweeps import Period
from shared.deliver.waived import Waived
from shared.judge.waivers import Waiver, unattended
from shared.records import timestamp

_ORDER = ("expired", "in force", "renewed", "ended")


@dataclass(frozen=True, slots=True)
class Accepted:
    """A waiver."""

    waiver: Waiver
    state: str
    """At the end of the period: `in force`, `expired`, `ended`, or `renewed` by another that holds longer."""
    findings: int
    """Of the sweep shown in full: how many it waives."""


def accepted(waived: Waived, period: Period, uses: Iterable[Waiver | None]) -> tuple[Accepted, ...]:
    """Those that have expired first, then those in force, each by when they end. `uses`: what waives each finding of the sweep shown in full."""
    start, end = timestamp(instant(period.start)), timestamp(instant(period.end))
    known, used = waived.before(end), Counter(one.number for one in uses if one is not None)
    expired = {one.number for one in unattended(known, end)}
    found = [Accepted(one, _state(one, end, expired), used[one.number]) for one in known if one.over > start or one.number in expired]
    return tuple(sorted(found, key=lambda each: (_ORDER.index(each.state), each.waiver.over, each.waiver.number)))


def _state(one: Waiver, at: str, expired: set[int]) -> str:
    if one.number in expired:
        return "expired"
    if one.ended is not None:
        return "ended"
    return "in force" if one.in_force(at) else "renewed"
