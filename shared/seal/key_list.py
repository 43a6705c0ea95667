"""Which keys may sign a log: sealed in its first record and, at each change, again (docs/format.md section 2).

Pure. Reads records that others may have written, so reading raises nothing on any JSON value. Both those who seal and those who verify
decide here whether a change of keys holds.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared import layout
from shared.canonical import Json
from shared.errors import StoreConflict, VerificationError
from shared.seal import note

KIND = "key"
"""The kind of the event that seals another list."""

MARK = b'"kind":"key"'
"""Stands in every line that changes the keys, and in few others."""

MOST_KEYS = 8
"""Of one list, more than which nobody has."""


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys that sign from one record on."""

    keys: tuple[note.VerifierKey, ...]
    vaults: Mapping[str, str]
    """Of keys that lie in a vault, by vkey: their identifier there, version included."""
    before: tuple[note.VerifierKey, ...] = ()
    """Of a change: the keys until then."""
    lost: tuple[str, ...] = ()
    """Of a change: those of `before` that could not sign any more. Nothing leads from them to this list."""
    number: int = 0
    """Of a change: how many there were, with this one."""
    after: int = 0
    """Of a change: the number of the last commit when the record was written; its own comes later."""
    at: str = ""
    reason: str | None = None

    def place(self, key: note.VerifierKey) -> str:
        """What to call a key of the list to people who set it: its identifier in the vault, else the vkey."""
        return self.vaults.get(str(key)) or str(key)


def first_keys(record: Json) -> KeyList | None:
    """The list in the first record of a log; None where it has none that can be read."""
    return _listed(record, "store")


def changed_keys(record: Json) -> KeyList | None:
    """The list that a change seals; None where it has none that can be read."""
    found = _listed(record, KIND)
    return found if found is not None and found.before and found.number > 0 else None


def parse_change(batch: bytes) -> KeyList | None:
    """The list that a batch of one change seals; None where it is torn or holds something else."""
    try:
        return changed_keys(json.loads(batch)) if batch.endswith(b"\n") else None
    except (ValueError, RecursionError):
        return None


def changes_after(number: int, get: Callable[[str], bytes | None]) -> dict[str, KeyList]:
    """The changes that follow the one numbered `number`, by the path of their batch; up to one that a loss of power tore."""
    found: dict[str, KeyList] = {}
    while (data := get(path := layout.key_change(number + len(found) + 1))) is not None:
        change = parse_change(data)
        if change is None:  # whoever begins the next change sets it aside (shared.service.rotate)
            break
        found[path] = change
    return found


def is_change(record: Json) -> bool:
    """Whether a record says of itself that it changes the keys."""
    return isinstance(record, dict) and record.get("type") == "event" and record.get("kind") == KIND


def changes_in(lines: Sequence[bytes]) -> Iterator[tuple[int, KeyList | None]]:
    """Each line that changes the keys: its position, and the list, None where that cannot be read."""
    for position, line in enumerate(lines):
        if MARK in line:
            try:
                record = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if is_change(record):
                yield position, changed_keys(record)


def key_changes(path: str, records: Sequence[bytes]) -> list[KeyList]:
    """The changes of keys in a batch.

    Raises:
        StoreConflict: one cannot be read, or stands in a batch that is not of changes of keys: whoever may write batches would change them.
    """
    found = []
    for _, change in changes_in(records):
        if change is None or layout.batch_parts(path)[0] != layout.KEY_CHANGES:
            raise StoreConflict(f"{path} holds a change of keys that `key rotate` did not write: it is not signed for; find out who wrote it")
        found.append(change)
    return found


def _listed(record: Json, kind: str) -> KeyList | None:
    if not isinstance(record, dict) or (record.get("type"), record.get("kind")) != ("event", kind):
        return None
    said = record.get(kind)
    keys, before = (_keys(said.get(name, [])) if isinstance(said, dict) else None for name in ("keys", "before"))
    if not isinstance(said, dict) or not keys or before is None:
        return None
    vaults, lost, reason = said.get("vaults"), said.get("lost"), said.get("reason")
    return KeyList(
        keys,
        {_text(key): _text(place) for key, place in vaults.items()} if isinstance(vaults, dict) else {},
        before,
        tuple(map(_text, lost)) if isinstance(lost, list) else (),
        _count(said.get("number")),
        _count(said.get("after")),
        _text(record.get("at")),
        reason if isinstance(reason, str) else None,
    )


def _keys(value: Json) -> tuple[note.VerifierKey, ...] | None:
    if not isinstance(value, list) or len(value) > MOST_KEYS:
        return None
    try:
        return tuple(dict.fromkeys(note.parse_vkey(_text(key)) for key in value))
    except VerificationError:
        return None


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def _count(value: Json) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def first_fields(keys: Sequence[note.VerifierKey], vaults: Mapping[str, str]) -> dict[str, Json]:
    """The list as the first record has it."""
    return {"keys": [str(key) for key in keys], **({"vaults": dict(vaults)} if vaults else {})}


def change_fields(change: KeyList) -> dict[str, Json]:
    """The list as the record of a change has it."""
    fields = {**first_fields(change.keys, change.vaults), "before": [str(key) for key in change.before]}
    fields |= {"number": change.number, "after": change.after}
    if change.lost:
        fields["lost"] = list(change.lost)
    return {**fields, "reason": change.reason} if change.reason is not None else fields


def owed(before: Collection[note.VerifierKey], changes: Sequence[KeyList]) -> list[note.VerifierKey]:
    """The keys that must sign the checkpoint which covers these changes: all before them that are not lost, all after the last of them."""
    lost = {vkey for change in changes for vkey in change.lost}
    return list(dict.fromkeys([*(key for key in before if str(key) not in lost), *changes[-1].keys]))


def broken(signed_by: Collection[note.VerifierKey], before: Collection[note.VerifierKey], changes: Sequence[KeyList]) -> str | None:
    """Why a checkpoint with these signatures does not hand a log over as these changes say; None where it does."""
    for key in owed(before, changes):
        if key not in signed_by:
            return f"is not signed by {key.short}, which " + ("signed until then" if key in before else "is to sign from then on")
    return None
