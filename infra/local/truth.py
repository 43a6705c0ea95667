"""What really happened: the oracle that reconciliation is tested against. No request shows it, and nothing is ever taken out of it.

Objects are named as findings name them: `<account id>/<collection>/<object id>`, lower-cased, where the collection is `files`,
`finetuningjobs`, `finetunedmodels`, `batches`, `vectorstores`, `assistants` or `containers`; what ARM holds goes by its ARM id.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from infra.local.ids import fold

Event = Literal[
    "created", "changed", "deleted", "restored", "purged", "keys-listed", "outage-began", "outage-ended", "fault-on", "fault-off"
]
Cause = Literal["deleted", "expired", "developer-tier", "idle", "account-deleted", "account-purged"]

COLLECTIONS = {
    "file": "files",
    "fine-tuning-job": "finetuningjobs",
    "fine-tuned-model": "finetunedmodels",
    "batch": "batches",
    "vector-store": "vectorstores",
    "assistant": "assistants",
    "container": "containers",
}
"""Collection of each kind of data-plane object."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that happened."""

    at: datetime
    event: Event
    kind: str
    """`file`, `fine-tuning-job`, …, `deployment`, `account`, `diagnostic-setting`; the ARM type's last word for what has no such name."""
    resource: str
    """The object, as findings name it; of faults, what they are about."""
    object: str = ""
    """Its id in its own casing."""
    account: str = ""
    """The lower-cased id of the account it belongs to; empty outside any."""
    by: str | None = None
    """Name of who did it; None: Azure, by itself."""
    cause: Cause | None = None
    """Of deletions."""
    keyed: bool = False
    """Done with an account's key: no witness can know by whom."""
    logged: bool = False
    """Of deletions: whether a resource log has a row of it, or the Activity Log an event, now or in some minutes."""


@dataclass(slots=True)
class Truth:
    """All happenings. Appended to under the world's lock, in the order in which they were noticed."""

    noticed: list[Happening] = field(default_factory=list)

    @property
    def happenings(self) -> list[Happening]:
        """All of it, in the order in which it happened."""
        return sorted(self.noticed, key=lambda happening: happening.at)

    def note(self, happening: Happening) -> None:
        """It happened."""
        self.noticed.append(happening)

    def deletions(self, kind: str | None = None, account: str = "") -> list[Happening]:
        """What was deleted, by whatever cause; restored accounts and what came back with them included."""
        key = fold(account) if account else ""
        return [one for one in self.happenings if one.event == "deleted" and kind in (None, one.kind) and (not key or one.account == key)]

    def alive(self, at: datetime, kind: str | None = None) -> set[str]:
        """The objects that there were at a moment, what was created at that very moment included."""
        found: set[str] = set()
        for one in self._until(at):
            if kind in (None, one.kind):
                if one.event in ("created", "restored"):
                    found.add(one.resource)
                elif one.event == "deleted":
                    found.discard(one.resource)
        return found

    def outages(self, at: datetime) -> set[str]:
        """What was out of reach or disturbed at a moment: accounts, and what faults are about."""
        found: set[str] = set()
        for one in self._until(at):
            if one.event in ("outage-began", "fault-on"):
                found.add(one.resource)
            elif one.event in ("outage-ended", "fault-off"):
                found.discard(one.resource)
        return found

    def _until(self, at: datetime) -> Iterator[Happening]:
        return (one for one in self.happenings if one.at <= at)


def object_id(account: str, kind: str, identity: str) -> str:
    """An object of the data plane, as findings name it."""
    return f"{fold(account)}/{COLLECTIONS[kind]}/{identity.lower()}"
