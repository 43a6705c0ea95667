"""Subscriptions that were out of sight: named in the scope and not visible, or visible once and no more. From plans alone."""

from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver.unseen.stretches import Place


@dataclass(slots=True)
class Absent:
    """One subscription, out of sight for a while."""

    subscription: str
    named: bool
    """Whether the scope names it; else the identity saw it once."""
    since: Place
    last: Place
    seen_before: Place | None
    times: int = 1
    ended: bool = False


@dataclass(slots=True)
class Sight:
    """Takes plans in, in the order of the log. One narrowed to some resources says nothing here, nor one that could not ask what there is."""

    absences: list[Absent] = field(default_factory=list)
    beside: list[str] = field(default_factory=list)
    """What the last plan's identity saw, and its scope does not name."""
    _open: dict[str, Absent] = field(default_factory=dict)
    _seen: dict[str, Place] = field(default_factory=dict)

    def take(self, index: int, plan: Json) -> None:
        """Take in a plan."""
        scope = plan.get("scope") or {}
        if plan["seen"] is None or scope.get("resources") is not None:
            return
        seen = {name.casefold() for name in plan["seen"]}
        names = scope.get("subscriptions")
        named = {name.casefold() for name in names} if names is not None else None
        place = (index, plan["at"])
        self.beside = sorted(seen - named) if named is not None else []
        absent = (named if named is not None else self._seen.keys()) - seen
        for name in sorted(self._open.keys() - absent):
            self._open.pop(name).ended = True
        for name in sorted(absent):
            known = self._open.get(name)
            if known is None:
                self._open[name] = known = Absent(name, named is not None, place, place, self._seen.get(name), 0)
                self.absences.append(known)
            known.last, known.times, known.named = place, known.times + 1, named is not None
        self._seen |= dict.fromkeys(seen, place)
