"""Waivers: somebody accepts, until a day, that a control is not satisfied somewhere. Pure.

A waiver never changes what a finding says: it is said beside it. Only `not-satisfied` can be waived; what is unknown stays unknown.
A scope is an ARM id, and covers what it names and all that lies in it; without one everything is covered, the collection included.

Whose time is over comes back to somebody: it has *expired* until it is ended, which says that it was seen to, or renewed, by one of the same
control that holds longer in all of its scope.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import count

from shared.canonical import Json


@dataclass(frozen=True, slots=True)
class Waiver:
    """One waiver. Times are as in records, so that they compare as text."""

    number: int
    control: str
    scope: str | None
    """Lower-cased ARM id; None covers everything."""
    since: str
    until: str
    """The first moment at which it is no longer in force."""
    owner: Json
    """Who accepts it; in most stores a commitment."""
    reason: str
    ended: str | None = None
    """When somebody ended it: before its time, or once that was over, to say that it was seen to."""
    record: int | None = None
    """Index of the record that grants it; None where that is not known, or waits to be sealed."""

    @property
    def over(self) -> str:
        """The first moment at which it is in force no more."""
        return min(self.until, self.ended or self.until)

    def covers(self, control: str, resource: str | None) -> bool:
        """Whether it is about this control at this resource."""
        if control != self.control:
            return False
        return self.scope is None or resource == self.scope or (resource or "").startswith(self.scope + "/")

    def in_force(self, at: str) -> bool:
        """Whether it was, or is, in force at a time."""
        return self.since <= at < self.over

    def lapsed(self, at: str) -> bool:
        """Whether its time was over, without anybody having ended it by then."""
        return self.until <= at and (self.ended is None or at < self.ended)

    def renews(self, other: "Waiver") -> bool:
        """Whether it holds longer than another, wherever that does. Of two that are over at once, the later one."""
        return self.covers(other.control, other.scope) and (self.over, self.number) > (other.until, other.number)


def sealed_waivers(acts: Iterable[tuple[int, str, Json]]) -> list[Waiver]:
    """What sealed acts amount to: (index, at, said) of each, in any order."""
    numbered = numbered_acts(acts)
    places = {number: index for index, number, _, _ in numbered}
    return [replace(one, record=places[one.number]) for one in waivers_of((number, at, said) for _, number, at, said in numbered)]


def numbered_acts(acts: Iterable[tuple[int, str, Json]]) -> list[tuple[int, int, str, Json]]:
    """(index, number, at, said) of acts, by their numbers. Those of old say none: theirs are the first that are free, in the order of the log."""
    known = sorted(acts, key=lambda act: act[0])
    taken = {said["number"] for _, _, said in known if "number" in said}
    free = (number for number in count(1) if number not in taken)
    found = [(index, said["number"] if "number" in said else next(free), at, said) for index, at, said in known]
    return sorted(found, key=lambda act: act[1])


def waivers_of(acts: Iterable[tuple[int, str, Json]]) -> list[Waiver]:
    """The waivers that acts amount to: (number, at, said) of each, in order. An end of one that is not there, or again, says nothing new."""
    found: dict[int, Waiver] = {}
    for number, at, said in acts:
        if said.get("action") == "add":
            found[number] = Waiver(number, said["control"], said["scope"], at, said["until"], said["owner"], said["reason"])
        elif (known := found.get(said.get("waiver", 0))) is not None and known.ended is None:
            found[known.number] = replace(known, ended=at)
    return list(found.values())


def waiver_of(waivers: Sequence[Waiver], finding: Json, at: str) -> Waiver | None:
    """The waiver by which a finding is waived at a time, the one that lasts longest; None where it is not."""
    if finding["status"] != "not-satisfied":
        return None
    fitting = (one for one in waivers if one.covers(finding["control"], finding["resource"]) and one.in_force(at))
    return max(fitting, key=lambda one: (one.until, -one.number), default=None)


def unattended(waivers: Sequence[Waiver], at: str) -> list[Waiver]:
    """Those that had expired at a time, neither ended nor renewed by then. Whatever their controls have come to: nobody said that it was seen to."""
    by_control: dict[str, list[Waiver]] = {}
    for one in waivers:
        by_control.setdefault(one.control, []).append(one)
    return [one for one in waivers if one.lapsed(at) and not any(other.renews(one) for other in by_control[one.control])]


def lapsed(waivers: Sequence[Waiver], findings: Iterable[Json], at: str) -> list[tuple[Waiver, Json]]:
    """Each finding that is not satisfied, and was waived until a time that is over: with the waiver that expired last. For alerts.

    Where another waiver is in force nothing has lapsed; nor where somebody ended the waiver, since that is a decision too.
    """
    found = []
    for finding in findings:
        if finding["status"] != "not-satisfied" or waiver_of(waivers, finding, at) is not None:
            continue
        over = (one for one in waivers if one.covers(finding["control"], finding["resource"]) and one.lapsed(at))
        last = max(over, key=lambda one: (one.until, one.number), default=None)
        if last is not None:
            found.append((last, finding))
    return found
