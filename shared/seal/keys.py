"""The keys of a log as its store has them: every list that was sealed, and the one that waits to be.

The first list is in the first record. Each change is a batch of one record at a path with a number (`layout.key_change`): two who change
the keys at once cannot both have it, and nobody has to read the log to know who may sign. A change is in force when its record is sealed
and the checkpoint that covers it is there.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared import layout
from shared.errors import StoreConflict, VerificationError
from shared.seal import note
from shared.seal.commits import parse_commit
from shared.seal.key_list import KeyList, sealed_keys
from shared.seal.log import first_record
from shared.seal.store import Store


@dataclass(frozen=True, slots=True)
class Change:
    """One list of keys, and where it is in the log."""

    number: int
    """0: the first record."""
    list: KeyList
    record: int | None = None
    """Index of its record; None where it is not sealed yet."""
    size: int | None = None
    """Size of the log whose checkpoint covers it."""
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class Keys:
    """All lists of one log, the first one first."""

    changes: tuple[Change, ...]

    @property
    def in_force(self) -> KeyList:
        """The keys that may sign now."""
        return [change for change in self.changes if change.in_force][-1].list

    @property
    def pending(self) -> Change | None:
        """A change that was begun and not finished."""
        return None if self.changes[-1].in_force else self.changes[-1]

    @property
    def ever(self) -> list[note.VerifierKey]:
        """Every key that was in force at some time, the newest last."""
        return list(dict.fromkeys(key for change in self.changes if change.in_force for key in change.list.keys))

    def retired_by(self, key: note.VerifierKey) -> Change | None:
        """The change that took `key` out of force; None where it is in force, or never was."""
        found = None
        for before, after in zip(self.changes, self.changes[1:], strict=False):
            if after.in_force and before.list.names(key) and not after.list.names(key):
                found = after
        return found if key in self.ever and not self.in_force.names(key) else None


def read_keys(store: Store) -> Keys:
    """Every list of keys in the store.

    Raises:
        StoreConflict: a list, or a commit, is not as we write it.
    """
    first = sealed_keys(first_record(store))
    if first is None:
        raise StoreConflict("the first record of this log names no keys that can be read: run verify --store")
    return Keys((Change(0, first, 0, 1, in_force=True), *_changes(store)))


def _changes(store: Store) -> Iterator[Change]:
    number = 1
    while (data := store.get(layout.key_change(number))) is not None:
        try:
            found = sealed_keys(json.loads(data))
        except (ValueError, RecursionError):
            found = None
        if found is None:
            raise StoreConflict(f"{layout.key_change(number)} holds no list of keys: run verify --store")
        record, size = _place(store, layout.key_change(number), found.after) or (None, None)
        yield Change(number, found, record, size, in_force=size is not None and store.exists(layout.checkpoint(size)))
        number += 1


def _place(store: Store, path: str, after: int) -> tuple[int, int] | None:
    """Index of the record, and size of the log after its commit. It is looked for from the commit on that was the last when it was written."""
    seq = after + 1
    while (data := store.get(layout.commit(seq))) is not None:
        try:
            commit = parse_commit(data)
        except VerificationError as error:
            raise StoreConflict(f"{layout.commit(seq)}: {error}; run verify --store") from None
        for batch, first in commit.places():
            if batch.path == path:
                return first, commit.size
        seq += 1
    return None
