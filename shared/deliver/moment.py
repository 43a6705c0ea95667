"""The answers around one moment: to each question the last one before it, and the first one after. Pure, given records from both sides."""

from dataclasses import dataclass, field

from shared.canonical import Json
from shared.judge.assemble import Entry, entry_of

ACCOUNTS, ACCOUNT, DEPLOYMENTS, LOCATIONS = "accounts", "account", "deployments", "locations"
KINDS = (ACCOUNTS, ACCOUNT, DEPLOYMENTS, LOCATIONS)

Key = tuple[str, str]
"""Question and resource."""


@dataclass(slots=True)
class Around:
    """What is kept of the records on both sides of `at`; one of that very moment lies before it."""

    at: str
    before: dict[Key, Entry] = field(default_factory=dict)
    after: dict[Key, Entry] = field(default_factory=dict)
    failed: dict[Key, Entry] = field(default_factory=dict)
    """The newest failure before the moment, where it is newer than the answer."""
    sweeps: dict[int, str] = field(default_factory=dict)
    """By record that is kept: its sweep."""

    def take(self, index: int, record: Json) -> Key | None:
        """Take in an observation or failure, in any order; the key of what is known better now, if anything is. Others tell nothing."""
        if record["type"] not in ("observation", "failure") or record["kind"] not in KINDS:
            return None
        entry = entry_of(index, record)
        key = (entry.kind, entry.resource)
        kept, newer = (self.before, True) if entry.at <= self.at else (self.after, False)
        if entry.failure is not None:
            if newer and _beats(entry, self.failed.get(key), newer=True):
                self.failed[key] = entry
            return None
        if not _beats(entry, kept.get(key), newer=newer):
            return None
        kept[key] = entry
        self.sweeps[index] = record["sweep"]
        return key

    def unanswered(self, key: Key) -> Entry | None:
        """The failure that stands between the answer before and the moment; None where there is none."""
        failed = self.failed.get(key)
        return failed if failed is not None and _beats(failed, self.before.get(key), newer=True) else None


def _beats(entry: Entry, known: Entry | None, *, newer: bool) -> bool:
    """Whether an entry is nearer to the moment than what is known."""
    if known is None:
        return True
    return (entry.at, entry.record) > (known.at, known.record) if newer else (entry.at, entry.record) < (known.at, known.record)
