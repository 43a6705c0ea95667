"""Which deletions stand: those that no later one takes the place of. Pure."""

from collections.abc import Callable
from dataclasses import dataclass, field

from shared.canonical import Json


@dataclass(slots=True)
class Standing:
    """Takes in deletions in the order of the log; `found` are those that stand, by their index.

    `superseded` of each names the records that it takes the place of; `first_seen` is of the first of them that knows.
    """

    wanted: Callable[[Json], bool] = lambda _: True
    """Which are asked for; the others are looked at for what they take the place of, and not kept."""
    found: dict[int, Json] = field(default_factory=dict)

    def take(self, index: int, record: Json) -> None:
        """Take in a deletion, whole."""
        earlier = [self.found.pop(before) for before in record["supersedes"] if before in self.found]
        if not self.wanted(record):
            return
        superseded = sorted({*record["supersedes"], *(before for one in earlier for before in one["superseded"])})
        first = record["first_seen"] or next((one["first_seen"] for one in earlier if one["first_seen"]), None)
        self.found[index] = {"record": index, **record, "first_seen": first, "superseded": superseded}


def told_of(found: Json) -> set[int]:
    """The records that a certificate prints of a deletion that stands: itself, its witnesses, and what saw the object first."""
    first = [found["first_seen"]["record"]] if found["first_seen"] else []
    return {found["record"], *first, *(witness["record"] for witness in found["witnesses"])}
