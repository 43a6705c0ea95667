"""Which keys may sign a log: sealed in its first record and, at each rotation, again (docs/format.md section 2).

Pure. Reads records that others may have written, so nothing here raises on any JSON value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.canonical import Json
from shared.errors import VerificationError
from shared.seal import note

KIND = "key"
"""The kind of the event that seals another list."""


@dataclass(frozen=True, slots=True)
class KeyList:
    """The keys that sign from one record on."""

    keys: tuple[note.VerifierKey, ...]
    vaults: Mapping[str, str]
    """Of keys that lie in a vault, by vkey: their identifier there, version included."""
    lost: tuple[str, ...] = ()
    """Keys of the list before that could not sign any more when this one was made: nothing but this record leads from them here."""
    after: int = 0
    """The number of the last commit when the record was written; its own comes later."""
    at: str = ""

    @property
    def vkeys(self) -> tuple[str, ...]:
        """The keys as they are printed, and sealed."""
        return tuple(str(key) for key in self.keys)

    def names(self, key: note.VerifierKey) -> bool:
        """Whether `key` is one of them."""
        return key in self.keys


def sealed_keys(value: Json) -> KeyList | None:
    """The list that a record seals; None for a record that seals none, or none that can be read."""
    if not isinstance(value, dict) or value.get("type") != "event":
        return None
    said = value.get({"store": "store", KIND: KIND}.get(_text(value.get("kind")), ""))
    if not isinstance(said, dict) or not isinstance(said.get("keys"), list):
        return None
    try:
        keys = tuple(note.parse_vkey(_text(key)) for key in said["keys"])
    except VerificationError:
        return None
    vaults, lost, after = said.get("vaults"), said.get("lost"), said.get("after")
    return KeyList(
        keys,
        {_text(key): _text(place) for key, place in vaults.items()} if isinstance(vaults, dict) else {},
        tuple(map(_text, lost)) if isinstance(lost, list) else (),
        after if isinstance(after, int) and after >= 0 else 0,
        _text(value.get("at")),
    ) if keys else None


def key_fields(keys: Sequence[note.VerifierKey], vaults: Mapping[str, str]) -> Json:
    """The list as a record has it."""
    return {"keys": [str(key) for key in keys], **({"vaults": dict(vaults)} if vaults else {})}


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""
