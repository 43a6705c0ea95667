"""The keys of a log as its store has them: every list that was sealed, and those that wait to be.

The first list is in the first record. Each change is a batch of one record at a path with a number (`layout.key_change`): two who change
the keys at once cannot both have it, and nobody has to read the log to know who may sign. A change is in force when its record is sealed
and the checkpoint that covers it is there, signed by all that it must be signed by (`shared.seal.key_list`). Whoever is to seal believes
no list that was not handed over so: with the right to write to the store alone, nobody changes the keys.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby

from shared import layout
from shared.errors import StoreConflict, VerificationError
from shared.seal import note
from shared.seal.commits import parse_commit
from shared.seal.key_list import KeyList, broken, first_keys, parse_change
from shared.seal.log import first_record
from shared.seal.store import InFolder, Store


@dataclass(frozen=True, slots=True)
class Change:
    """One list of keys, and where it is in the log."""

    list: KeyList
    record: int | None = None
    """Index of its record; None where it is not sealed yet."""
    size: int | None = None
    """Size of the log whose checkpoint covers it."""
    in_force: bool = False
    """Whether that checkpoint is there. The list may have been followed by another since."""

    @property
    def number(self) -> int:
        """0: the first record."""
        return self.list.number


@dataclass(frozen=True, slots=True)
class Keys:
    """All lists of one log, the first one first."""

    changes: tuple[Change, ...]

    @property
    def in_force(self) -> KeyList:
        """The keys that may sign now."""
        return [change for change in self.changes if change.in_force][-1].list

    @property
    def pending(self) -> tuple[Change, ...]:
        """Changes that were begun and not finished."""
        return tuple(change for change in self.changes if not change.in_force)

    @property
    def ever(self) -> list[note.VerifierKey]:
        """Every key that was in force at some time, the newest last."""
        return list(dict.fromkeys(key for change in self.changes if change.in_force for key in change.list.keys))

    def retired_by(self, key: note.VerifierKey) -> Change | None:
        """The change that took `key` out of force; None where it is in force, or never was."""
        found = None
        for change in self.changes[1:]:
            if change.in_force and key in change.list.before and key not in change.list.keys:
                found = change
        return None if key in self.in_force.keys else found


def read_keys(store: Store) -> Keys:
    """Every list of keys in the store.

    Raises:
        StoreConflict: a list, or a commit, is not as we write it, or a list was not handed over to by the keys before it.
    """
    first = first_keys(first_record(store))
    if first is None:
        raise StoreConflict("the first record of this log names no keys that can be read: run verify --store")
    lists = [Change(first, 0, 1, in_force=True)]
    for change in _changes(store):
        if (change.number, change.list.before) != (len(lists), lists[-1].list.keys):
            raise StoreConflict(f"{layout.key_change(len(lists))} does not follow from the list of keys before it: run verify --store")
        lists.append(change)
    return Keys((lists[0], *_in_force(store, lists)))


def _changes(store: Store) -> Iterator[Change]:
    number = 1
    while (data := store.get(layout.key_change(number))) is not None:
        path = layout.key_change(number)
        found = parse_change(data)
        if found is None:
            if isinstance(store, InFolder) and _place(store, path, 0) is None:
                return  # a loss of power tore it: whoever begins a change sets it aside (shared.service.rotate)
            raise StoreConflict(f"{path} holds no change of keys: run verify --store")
        record, size = _place(store, path, found.after) or (None, None)
        yield Change(found, record, size)
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


def _in_force(store: Store, lists: list[Change]) -> Iterator[Change]:
    """The changes, each with whether it is in force. Those that one checkpoint covers are one step."""
    before = lists[0].list.keys
    for size, group in groupby(lists[1:], key=lambda change: change.size):
        changes = list(group)
        data = store.get(layout.checkpoint(size)) if size is not None else None
        if data is not None:
            known = [*before, *(key for change in changes for key in change.list.keys)]
            why = _broken(data, known, before, [change.list for change in changes])
            if why is not None:
                raise StoreConflict(
                    f"record {changes[-1].record} changes the keys of this log, and {layout.checkpoint(size or 0)} {why}: "
                    "somebody else wrote it; nothing is appended. Run verify --store"
                )
            before = changes[-1].list.keys
        yield from (replace(change, in_force=data is not None) for change in changes)


def _broken(data: bytes, known: list[note.VerifierKey], before: tuple[note.VerifierKey, ...], changes: list[KeyList]) -> str | None:
    try:
        return broken(note.parse_note(data).signers(known), before, changes)
    except VerificationError as error:
        return f"does not hold ({error})"
