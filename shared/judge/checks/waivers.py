"""Whether what was accepted for a time came back to somebody when that time was over.

Judged of the sweep, by the acts that the log held when the sweep was planned, at the time of the plan. What the controls waived have come to
is not looked at: a waiver that nobody ended or renewed is one that nobody looked at again.
"""

from collections.abc import Sequence

from shared.judge.checks.collection import Collection
from shared.judge.exhibits import last_day
from shared.judge.expectation import Expectation
from shared.judge.reading import count, shown
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied
from shared.judge.waivers import Waiver, unattended
from shared.model import Judgement, Point

WAIVERS_CURRENT = "waivers-current"

_MOST_NAMED = 5


def waivers_current(sweep: Collection, _expect: Expectation) -> list[Judgement]:
    """No waiver is past its end without somebody having ended or renewed it."""
    if sweep.waivers is None:
        raise Unclear("Which waivers there were when the sweep was planned could not be read.", sweep.point)
    if not sweep.waivers:
        return [not_applicable(None, "Nothing was ever waived.", sweep.point)]
    left = sorted(unattended(sweep.waivers, sweep.planned_at), key=lambda one: (one.until, one.number))
    if left:
        return [not_satisfied(None, f"{count(len(left), 'waiver')} expired, and nobody ended or renewed {_them(left)}.", *_points(left))]
    valid = [one for one in sweep.waivers if one.in_force(sweep.planned_at)]
    reason = f"{count(len(valid), 'waiver')} in force; of {count(len(sweep.waivers), 'waiver')} ever granted, each that is past its end was ended or renewed."
    return [satisfied(None, reason, *_points(valid))]


def _them(left: Sequence[Waiver]) -> str:
    named = "; ".join(f"waiver {one.number} of {shown(one.control)} ({_where(one)}), until {last_day(one.until)}" for one in left[:_MOST_NAMED])
    more = f"; and {len(left) - _MOST_NAMED} more" if len(left) > _MOST_NAMED else ""
    return f"{'it' if len(left) == 1 else 'them'}: {named}{more}"


def _where(one: Waiver) -> str:
    return f"in {shown(one.scope)}" if one.scope is not None else "everywhere"


def _points(waivers: Sequence[Waiver]) -> list[Point]:
    return [Point(one.record) for one in waivers if one.record is not None]
