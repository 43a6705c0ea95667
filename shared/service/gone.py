"""What people ask of deletions: which there are, which of them stand, what became of one object. Read-only."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver.certificate.standing import Standing
from shared.deliver.certificate.told import NAMES, is_called
from shared.deliver.view_points import resolve
from shared.errors import EvidenceError
from shared.judge.lives.kinds import BY_NAME
from shared.judge.lives.statement import INVENTORY
from shared.model import Point
from shared.privacy.disclosures import Disclosures
from shared.records import whole
from shared.service.queries import Filter, Period, Reading

LONGEST = 1_000
"""Characters of an id or a name that is asked for."""


@dataclass(slots=True)
class Asked:
    """Which deletions are asked for; None and empty mean all."""

    kinds: tuple[str, ...] = ()
    object: str | None = None
    """An id, or a name that the object had."""

    def is_kind(self, value: Json) -> bool:
        """Whether a deletion is of a kind that is asked for."""
        return not self.kinds or value["kind"] in self.kinds


def deletions(read: Reading, when: Period | None, wanted: Filter, asked: Asked | None = None, *, by_name: bool = True) -> list[Json]:
    """The deletions that stand, of those sealed in a period (default: all there are), with their indexes, in the order of the log.

    `superseded` names the records that each takes the place of; `first_seen` is of the first of them that knows. `by_name`: whether the
    names that objects had, and which are kept apart as personal, may be looked at to find the one that is asked for.
    """
    about = asked or Asked()
    standing = Standing()
    for index, record in read.records(read.within(when) if when else read.sweeps, frozenset({"deletion"})):
        standing.take(index, record)
    names = _Names(read, about.object, by_name=by_name) if about.object else None
    return [one for one in standing.found.values() if concerns(wanted, one) and about.is_kind(one) and (names is None or names.match(one))]


def concerns(wanted: Filter, one: Json) -> bool:
    """Whether an object, or the account that it is or was in, is what is asked for."""
    return wanted.passes({"resource": one["resource"]}) or wanted.passes({"resource": one["account"]})


def listed_item(read: Reading, deletion: Json) -> tuple[dict[str, Json], Point] | None:
    """What is gone, as the last inventory listed it, and where; None where none did, or that cannot be had."""
    place = next((w for w in deletion["witnesses"] if w["witness"] == INVENTORY and w["pointer"]), None)
    if place is None:
        return None
    point = Point(place["record"], place["page"], place["pointer"])
    try:
        _, record = next(read.log.records(point.record, point.record + 1))
        item = resolve(read.body(whole(record, read.body)["pages"][point.page]["sha256"]), point.pointer)
    except (EvidenceError, StopIteration, LookupError, ValueError):
        return None
    return (item, point) if isinstance(item, dict) else None


@dataclass(slots=True)
class _Names:
    """Finds an object by its id, or by a name that it had."""

    read: Reading
    wanted: str
    by_name: bool
    _disclosed: dict[str, Json] = field(default_factory=dict)

    def match(self, deletion: Json) -> bool:
        """Whether a deletion is of the object."""
        wanted = self.wanted.casefold()
        if is_called(deletion, self.wanted):
            return True
        return self.by_name and any(name.casefold() == wanted for name in self._names(deletion))

    def _names(self, deletion: Json) -> Iterator[str]:
        found = listed_item(self.read, deletion)
        for member in NAMES if found is not None else ():
            value = found[0].get(member) if found is not None else None
            committed = value.get("committed") if isinstance(value, dict) else None
            told = self._disclose(committed) if isinstance(committed, str) else value
            if isinstance(told, str):
                yield told

    def _disclose(self, commitment: str) -> Json:
        if commitment not in self._disclosed:
            told = Disclosures(self.read.store, lambda size: b"\0" * size).disclose(commitment)
            self._disclosed[commitment] = told["value"] if told else None
        return self._disclosed[commitment]


def kinds_of(names: Iterable[str]) -> tuple[str, ...]:
    """The kinds that a caller may ask for.

    Raises:
        ValueError: one of them is none; its text says which there are.
    """
    asked = tuple(names)
    unknown = next((name for name in asked if name not in BY_NAME), None)
    if unknown is not None:
        raise ValueError(f"{unknown!r} is no kind of object: {', '.join(BY_NAME)}")
    return asked
