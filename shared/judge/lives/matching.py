"""Which logged calls can explain which losses, where a log names no object: by kind, time and count. Pure.

A call explains at most one object of a kind, and as many objects as possible are explained: calls are taken by time, each by the loss that
ends first among those whose time it lies in, give or take the difference of two clocks. That is a largest matching, since times are on a
line. Where as many are explained without that allowance, a call explains what is gone in its very time. Objects that were due to expire
need no call, so they come after the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shared.judge.lives.causes import Expiry, expiry
from shared.judge.lives.given import Loss
from shared.judge.lives.rows import Call
from shared.judge.lives.times import CLOCKS, plus


@dataclass(slots=True)
class Match:
    """One loss, and the calls that may explain it."""

    loss: Loss
    plain: list[str]
    """Ids of what nothing but a deletion explains."""
    due: list[tuple[Expiry, str]]
    """What was due to expire, the earliest first."""
    start: str
    end: str
    near: list[Call] = field(default_factory=list)
    """Every call in its time."""
    taken: list[Call] = field(default_factory=list)
    """Those that are counted for `plain`."""
    taken_due: list[Call] = field(default_factory=list)
    """Those that are counted for `due`: for all of them, or none."""


def matches(losses: Sequence[Loss], calls: Sequence[Call]) -> list[Match]:
    """The losses of one kind, in order, with the calls, by time, that explain them."""
    found = [_match(loss) for loss in losses]
    for call in calls:
        for match in found:
            if match.start <= call.at <= match.end:
                match.near.append(call)
    exact, loose = _taken(found, calls, exact=True), _taken(found, calls, exact=False)
    used: set[str] = set()
    for match, taken in zip(found, exact if sum(map(len, exact)) == sum(map(len, loose)) else loose, strict=True):
        match.taken = sorted(taken, key=lambda call: (call.at, call.key))
        used.update(call.key for call in taken)
    for match in found:
        match.taken_due = _for_due(match, [call for call in match.near if call.key not in used])
        used.update(call.key for call in match.taken_due)
    return found


def _taken(found: Sequence[Match], calls: Sequence[Call], *, exact: bool) -> list[list[Call]]:
    """For each loss the calls that explain `plain` of it: taken by time, each by the loss that ends first.

    `exact`: those go first in whose very time a call lies.
    """
    taken: list[list[Call]] = [[] for _ in found]
    left = list(calls)
    for start, end in ((_after, _before), (_start, _end)) if exact else ((_start, _end),):
        rest: list[Call] = []
        for call in left:
            places = (n for n, match in enumerate(found) if len(taken[n]) < len(match.plain) and start(match) <= call.at <= end(match))
            place = next(places, None)
            (rest if place is None else taken[place]).append(call)
        left = rest
    return taken


def _after(match: Match) -> str:
    return match.loss.after


def _before(match: Match) -> str:
    return match.loss.before


def _start(match: Match) -> str:
    return match.start


def _end(match: Match) -> str:
    return match.end


def _match(loss: Loss) -> Match:
    plain, due = [], []
    for identifier in loss.ids:
        rule = expiry(loss.kind, loss.was.ends(identifier), loss.was.created(identifier), loss.before)
        if rule is None:
            plain.append(identifier)
        else:
            due.append((rule, identifier))
    return Match(loss, plain, sorted(due, key=lambda pair: (pair[0].at, pair[1])), plus(loss.after, -CLOCKS), plus(loss.before, CLOCKS))


def _for_due(match: Match, left: list[Call]) -> list[Call]:
    """Calls for what was due to expire, each before its time; none unless there is one for each."""
    taken: list[Call] = []
    for rule, _ in match.due:
        call = next((call for call in left if call not in taken and call.at <= plus(rule.at, CLOCKS)), None)
        if call is None:
            return []
        taken.append(call)
    return taken


def components(found: Iterable[Match]) -> list[list[Match]]:
    """Losses that share a call belong together: what is said of one depends on the other."""
    groups: list[list[Match]] = []
    for match in found:
        keys = {call.key for call in match.near}
        linked = [group for group in groups if any(call.key in keys for other in group for call in other.near)]
        groups = [group for group in groups if group not in linked]
        groups.append([*(other for group in linked for other in group), match])
    return groups
