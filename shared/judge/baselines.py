"""Baselines: somebody approved the state in which resources were. Which of them holds for a resource, and what differs from it now. Pure.

A scope is an ARM id, and covers what it names and all that lies in it; without one everything is covered, the collection included. Of
those that cover a resource, the one approved last holds.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.canonical import Json


@dataclass(frozen=True, slots=True)
class Baseline:
    """One approval. What was approved of a question is its newest answer among the records from `start` to before `size` (docs/format.md)."""

    number: int
    at: str
    scope: str | None
    """Lower-cased ARM id; None covers everything."""
    start: int
    size: int
    sweep: str
    """The sweep that was closed last of those among the records."""
    owner: Json
    """Who approved it; in most stores a commitment."""
    reason: str

    def covers(self, resource: str | None) -> bool:
        """Whether it is about this resource; None is the collection itself."""
        return self.scope is None or resource == self.scope or (resource or "").startswith(self.scope + "/")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a question came to."""

    record: int
    at: str
    sweep: str
    pages: tuple[str, ...] | None
    """Digests of what was answered; None where Azure said that nothing is there, or where nobody could look."""
    failure: str | None = None
    """Why nobody could look."""


Key = tuple[str, str]
"""A question: its kind, and the resource that it was about (empty where it was about none)."""


def baselines_of(acts: Iterable[tuple[int, str, Json]]) -> list[Baseline]:
    """The baselines that acts amount to: (number, at, said) of each, in order.

    Raises:
        KeyError, TypeError: one is not as it should be.
    """
    return [
        Baseline(number, at, said["scope"], said["from"], said["size"], said["sweep"], said["owner"], said["reason"])
        for number, at, said in acts
        if said["action"] == "approve"
    ]


def baseline_of(baselines: Sequence[Baseline], resource: str | None) -> Baseline | None:
    """The baseline that holds for a resource."""
    return next((one for one in reversed(baselines) if one.covers(resource)), None)


def holding(baselines: Sequence[Baseline]) -> list[Baseline]:
    """Those that can hold for anything: without what later ones cover whole."""
    return [one for place, one in enumerate(baselines) if not any(later.covers(one.scope) for later in baselines[place + 1 :])]


@dataclass(frozen=True, slots=True)
class Paired:
    """The questions about one unit, then and now."""

    both: tuple[tuple[Key, Outcome, Outcome], ...]
    """Answered then and now, not with the same bytes."""
    unclear: tuple[tuple[Key, Outcome | None, Outcome | None], ...]
    """Of which one of the two is not known: then, or now."""

    def left(self, came: Iterable[str], went: Iterable[str]) -> list[tuple[Key, str]]:
        """What is not known, and why; without what is about resources that came, or went: that is told already."""
        there, away = tuple(came), tuple(went)
        found = []
        for key, then, now in self.unclear:
            if now is not None and now.failure:
                found.append((key, f"could not look: {now.failure}"))
            elif now is None and not _within(key[1], away):
                found.append((key, "was not asked in the last sweep"))
            elif now is not None and not _within(key[1], there):
                found.append((key, f"not approved: nobody could look then, {then.failure}" if then else "not approved: was not asked then"))
        return found


def paired(then: Mapping[Key, Outcome], now: Mapping[Key, Outcome]) -> Paired:
    """Compare what questions came to."""
    both, unclear = [], []
    for key in sorted({*then, *now}):
        was, is_ = then.get(key), now.get(key)
        if was is None or is_ is None or was.failure or is_.failure:
            unclear.append((key, was, is_))
        elif was.pages != is_.pages:
            both.append((key, was, is_))
    return Paired(tuple(both), tuple(unclear))


def _within(resource: str, places: tuple[str, ...]) -> bool:
    return any(resource == place or resource.startswith(place + "/") for place in places)
