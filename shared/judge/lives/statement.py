"""What is concluded about something that is gone: the value behind a `deletion` record (docs/format.md section 2). Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

from shared.canonical import Json, canonical, sha256
from shared.judge.lives.kinds import object_resource
from shared.model import Point

Status = Literal["corroborated", "logged", "unlogged", "not-effective", "unobservable"]
Cause = Literal["deleted", "expired", "developer-tier", "idle", "account-deleted", "account-purged", "recreated", "unknown"]

MOST_WITNESSES: Final = 24
"""A record is one line: it points at no more places than this, besides every record it rests on."""

INVENTORY, RESOURCE_LOG, ACTIVITY_LOG, EVENT, DELETED_ACCOUNTS = "inventory", "resource-log", "activity-log", "event", "deleted-accounts"


@dataclass(frozen=True, slots=True)
class Witness:
    """What says so, and where."""

    witness: str
    point: Point
    at: str

    def as_json(self) -> Json:
        """As the record has it."""
        return {"witness": self.witness, "record": self.point.record, "page": self.point.page, "pointer": self.point.pointer, "at": self.at}


@dataclass(frozen=True, slots=True)
class Statement:
    """Something is gone, or a log says that it was deleted."""

    kind: str
    account: str
    """Lower-cased id of the account that it was in, or was."""
    id: str | None
    """As Azure spells it; None where the log that speaks of it names none."""
    after: str
    before: str
    """It went between the two: last seen and first not seen, or the times that a log tells."""
    status: Status
    cause: Cause
    by: Json
    """Who, as the witness names him: an object id, what stands for a name that was withheld, or None."""
    reason: str
    witnesses: tuple[Witness, ...]
    records: tuple[int, ...]
    """All that it rests on: from these alone it follows again."""
    pairs: tuple[tuple[int, int], ...] = ()
    """Of those, the inventories that follow each other and between which something is gone."""
    count: int = 1
    """How many of them, where no id is known."""
    created: str | None = None
    """When Azure says that it was made."""
    log: int | None = None
    """Of one without an id: the answer that told of it first."""
    counted: tuple[Point, ...] = ()
    """What the records it rests on tell beside, and was counted for an earlier statement."""
    explained_by: tuple[str, ...] = ()
    """Keys of what logs tell and is counted for it: not part of the record."""
    pending: bool = False
    """Whether the next inventory may change it: not part of the record."""

    @property
    def key(self) -> tuple[str, str, str]:
        """What two statements about the same thing have in common: the end of an account and the end of its data are two things."""
        part = f"@{self.log}" if self.id is None else "purged" if self.cause == "account-purged" else ""
        return self.kind, self.resource, part

    @property
    def resource(self) -> str:
        """The id that the record is about."""
        return self.account if self.id is None else object_resource(self.account, self.kind, self.id)

    @property
    def essence(self) -> str:
        """Equal for two statements that say the same; what they rest on may grow."""
        said = [self.after, self.before, self.status, self.cause, self.by, self.reason, self.count, [w.as_json() for w in self.witnesses]]
        return sha256(canonical([*self.key, *said]))[:24]

    def as_json(self) -> Json:
        """The fields of the record that follow from the records it names."""
        return {
            "kind": self.kind, "resource": self.resource, "object": {"kind": self.kind, "id": self.id}, "account": self.account,
            "count": self.count, "after": self.after, "before": self.before, "status": self.status, "cause": self.cause, "by": self.by,
            "created": self.created, "reason": self.reason, "witnesses": [witness.as_json() for witness in self.witnesses],
            "records": list(self.records), "pairs": [list(pair) for pair in self.pairs],
            **({"counted": [{"record": p.record, "page": p.page, "pointer": p.pointer} for p in self.counted]} if self.counted else {}),
        }  # fmt: skip


def rests_on(*groups: Iterable[int]) -> tuple[int, ...]:
    """Record indexes, each once, in order."""
    return tuple(sorted({index for group in groups for index in group}))


def common_actor(actors: Iterable[Json]) -> Json:
    """Who it was, if all of them are the same one; None where they differ, or one is not known."""
    found = list(actors)
    return found[0] if found and all(actor == found[0] for actor in found) else None
