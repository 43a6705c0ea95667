"""Waivers: somebody accepts, until a day, that a control is not satisfied somewhere. Pure.

A waiver never changes what a finding says: it is said beside it. Only `not-satisfied` can be waived; what is unknown stays unknown.
A scope is an ARM id, and covers what it names and all that lies in it; without one everything is covered, the collection included.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

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
    """When somebody ended it before its time."""

    def covers(self, control: str, resource: str | None) -> bool:
        """Whether it is about this control at this resource."""
        if control != self.control:
            return False
        return self.scope is None or resource == self.scope or (resource or "").startswith(self.scope + "/")

    def in_force(self, at: str) -> bool:
        """Whether it was, or is, in force at a time."""
        return self.since <= at < min(self.until, self.ended or self.until)

    def lapsed(self, at: str) -> bool:
        """Whether its time was over, without anybody having ended it before."""
        return self.until <= at and (self.ended is None or self.ended >= self.until)


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


def lapsed(waivers: Sequence[Waiver], findings: Iterable[Json], at: str) -> list[tuple[Waiver, Json]]:
    """Each finding that is not satisfied, and was waived until a time that is over: with the waiver that expired last. For alerts.

    Where another waiver is in force nothing has lapsed; nor where somebody ended the waiver in time, since that is a decision too.
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
