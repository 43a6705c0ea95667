"""The erasable side of commitments: salts and values under `personal/`, and nothing of them anywhere else.

    personal/key                               32 random bytes, made once
    personal/value/<aa>/<name>.json            {"committed","salt","value"}; name: HMAC-SHA-256(key, canonical value) in hexadecimal
    personal/commitment/<aa>/<digest>.json     {"value": name}; digest: the 32 bytes of the commitment in hexadecimal

commitment = base64(SHA-256(salt ‖ canonical JSON of the value)), one random salt of 32 bytes per distinct value until it is erased:
an unchanged body keeps its bytes, and one person reads as one pseudonym. The name of a value is keyed, since names of people are
guessable: without `personal/` nobody can test a guess, and after erasure nobody can at all.

Order of writes. A value first, then its commitment: a crash between leaves a value that no evidence refers to yet (`commit` had not
returned), and the next `commit` of it writes what is missing. Erasing goes the other way round: a crash between leaves the value,
which the next `erase` finds. Two processes at once that commit the same value agree on the one that was created first.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from shared.canonical import Json, canonical
from shared.errors import StoreConflict
from shared.layout import PERSONAL

KEY = PERSONAL + "key"
VALUES = PERSONAL + "value/"
COMMITMENTS = PERSONAL + "commitment/"
_ATTEMPTS = 8  # each but the first needs somebody to erase the value between two of our calls


class ErasableStore(Protocol):
    """What is asked of the store: of `shared.seal.store.Store`, the part that `personal/` needs."""

    def get(self, path: str) -> bytes | None:
        """The bytes of the blob, None where there is none."""

    def put_new(self, path: str, data: bytes) -> bool:
        """Create the blob, whole or not at all; False where there is one already."""

    def delete(self, path: str) -> None:
        """Remove the blob; nothing happens where there is none."""

    def list(self, prefix: str) -> Iterable[str]:
        """The paths of all blobs below `prefix`."""


def commitment_of(salt: bytes, value: Json) -> str:
    """The commitment to `value`, base64 (44 characters)."""
    return base64.b64encode(hashlib.sha256(salt + canonical(value)).digest()).decode("ascii")


def check(commitment: str, salt: str, value: Json) -> bool:
    """Whether `commitment` is that of `value` under `salt` (both base64): what a verifier asks of a disclosure."""
    try:
        raw = base64.b64decode(salt, validate=True)
        return len(raw) == 32 and commitment_of(raw, value) == commitment
    except (ValueError, TypeError, RecursionError):
        return False


class Disclosures:
    """Commits to values, discloses and erases them. Safe for several threads and several processes.

    What was committed is remembered in this process (`remembered` at most), the values themselves are not. A process goes on using
    a commitment that another process erased meanwhile until it calls `forget`: call it when a sweep begins.
    """

    def __init__(self, store: ErasableStore, rng: Callable[[int], bytes], *, remembered: int = 10_000) -> None:
        self._store = store
        self._rng = rng
        self._remembered = remembered
        self._known: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()
        self._key: bytes | None = None

    def commit(self, value: Json) -> bytes:
        """`{"committed":"…"}` for `value`, as canonical JSON; the same until it is erased.

        Raises:
            ValueError, TypeError: not a JSON value.
            StoreConflict: what is under `personal/` is not what was written there.
        """
        data = canonical(value)
        name = hmac.digest(self._personal_key(), data, "sha256")
        with self._lock:
            known = self._known.get(name)
            if known is not None:
                self._known.move_to_end(name)
                return known
        committed = canonical({"committed": self._commitment(name.hex(), data, value)})
        with self._lock:
            self._known[name] = committed
            while len(self._known) > self._remembered:
                self._known.popitem(last=False)
        return committed

    def known(self, value: Json) -> str | None:
        """The commitment to `value`, where the store holds one; nothing is written.

        Raises:
            StoreConflict: what is under `personal/` is not what was written there.
        """
        key = self._store.get(KEY)
        found = self._read(_path(hmac.digest(key, canonical(value), "sha256").hex())) if key is not None else None
        return _text(found, "committed") if found is not None else None

    def forget(self) -> None:
        """Ask the store again from now on: what another process erased gets a new salt."""
        with self._lock:
            self._known.clear()

    def disclose(self, commitment: str) -> Json | None:
        """`{"salt","value"}` (the salt base64) behind a commitment; None where it was erased, or never was ours.

        Raises:
            StoreConflict: what is under `personal/` does not belong to the commitment.
        """
        pointer = self._read(_pointer(commitment))
        if pointer is None:
            return None
        found = self._read(_path(_text(pointer, "value")))
        if found is None or _text(found, "committed") != commitment:
            return None  # erased half, or erased and committed to anew under another salt
        if not check(commitment, _text(found, "salt"), found.get("value")):
            raise _altered(_path(_text(pointer, "value")))
        return {"salt": found["salt"], "value": found["value"]}

    def erase(self, subject: str) -> list[str]:
        """Erase every value that is `subject` or mentions it, and return their commitments, sorted.

        Compared without regard to case; a text mentions a subject that stands in it between other than word characters; a list or
        object mentions what any key or value within it does. What is erased cannot be recovered. Sealing that it was is the caller's.

        Raises:
            ValueError: nothing to erase was named.
            StoreConflict: what is under `personal/` is not what was written there.
        """
        mentions = _matcher(subject)
        erased = []
        for path in list(self._store.list(VALUES)):
            found = self._read(path)
            if found is None or not any(mentions(text) for text in _texts(found.get("value"))):
                continue
            commitment = _text(found, "committed")
            self._store.delete(_pointer(commitment))
            self._store.delete(path)
            erased.append(commitment)
        self.forget()
        return sorted(erased)

    def _personal_key(self) -> bytes:
        if self._key is None:
            key = self._store.get(KEY)
            if key is None:
                self._store.put_new(KEY, self._rng(32))
                key = self._store.get(KEY)  # whoever was first
            if key is None or len(key) != 32:
                raise _altered(KEY)
            self._key = key
        return self._key

    def _commitment(self, name: str, data: bytes, value: Json) -> str:
        """The commitment that the store holds for a value, made where it holds none."""
        path = _path(name)
        for _ in range(_ATTEMPTS):
            found = self._read(path)
            if found is None:
                salt = self._rng(32)
                found = {"committed": commitment_of(salt, value), "salt": base64.b64encode(salt).decode("ascii"), "value": value}
                if not self._store.put_new(path, canonical(found)):
                    continue  # another process was first: its salt counts
            elif canonical(found.get("value")) != data or not check(_text(found, "committed"), _text(found, "salt"), value):
                raise _altered(path)
            commitment = _text(found, "committed")
            self._store.put_new(_pointer(commitment), canonical({"value": name}))
            return commitment
        raise _altered(path)

    def _read(self, path: str) -> dict[str, Json] | None:
        data = self._store.get(path)
        if data is None:
            return None
        try:
            found = json.loads(data)
        except (ValueError, RecursionError):
            raise _altered(path) from None
        if not isinstance(found, dict):
            raise _altered(path)
        return found


def _path(name: str) -> str:
    if not re.fullmatch("[0-9a-f]{64}", name):
        raise _altered(COMMITMENTS)
    return f"{VALUES}{name[:2]}/{name}.json"


def _pointer(commitment: str) -> str:
    try:
        digest = base64.b64decode(commitment, validate=True).hex()
    except (ValueError, binascii.Error):
        digest = ""
    return f"{COMMITMENTS}{digest[:2]}/{digest}.json" if len(digest) == 64 else f"{COMMITMENTS}none"


def _text(found: dict[str, Json], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str):
        raise _altered("a blob below personal/")
    return value


def _altered(path: str) -> StoreConflict:
    return StoreConflict(f"{path} is not what was written there: restore it from a copy, or remove it if what it held was to be erased")


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _matcher(subject: str) -> Callable[[str], bool]:
    wanted = _folded(subject).strip()
    if not wanted:
        raise ValueError("name what to erase")
    mention = re.compile(rf"(?<![\w.+-]){re.escape(wanted)}(?![\w+-]|\.\w)")

    def mentions(text: str) -> bool:
        folded = _folded(text)
        return folded.strip() == wanted or mention.search(folded) is not None

    return mentions


def _texts(value: Json) -> Iterator[str]:
    """Every text within `value`: strings, keys, and numbers as they are written."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, dict):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif item is not None and not isinstance(item, bool):
            yield json.dumps(item)
