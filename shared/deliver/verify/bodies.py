"""The bodies that records name: whether each is there and is what its name says, and their parsed content.

One seam, two implementations: the bodies of a store, each file hashed once and remembered in a few bytes; and those of a bundle.
"""

import json
from array import array
from bisect import bisect_left
from collections import OrderedDict
from typing import Protocol

from shared import layout
from shared.canonical import Json, sha256
from shared.deliver.shapes import is_digest
from shared.deliver.verify.blobs import Blobs
from shared.deliver.verify.verdict import Tally


class BodyError(Exception):
    """A body is not there, not what its name says, or not JSON; the message is one sentence."""


class NotJsonError(BodyError):
    """A body is what its name says, and not JSON."""


class Bodies(Protocol):
    """What checking records needs of bodies."""

    def size_of(self, digest: str) -> int | None:
        """The size of the body with this SHA-256, None where it is missing or altered. Marks it as named by a record."""

    def read(self, digest: str) -> bytes:
        """Its bytes.

        Raises:
            BodyError: they cannot be had.
        """


SMALL, LARGE = 8_192, 524_288
"""Bytes: what is larger than the one is kept among few, what is larger than the other not at all."""

MANY, FEW = 512, 32
"""How many bodies of either size are kept."""


class Parsed:
    """Parsed bodies, the last of them kept: many accounts share the same list of models, and nearly all the same empty list."""

    def __init__(self, bodies: Bodies) -> None:
        self.bodies = bodies
        self._small: OrderedDict[str, Json] = OrderedDict()
        self._large: OrderedDict[str, Json] = OrderedDict()

    def load(self, digest: str) -> Json:
        """The parsed body.

        Raises:
            BodyError: it is missing, altered, or not JSON.
        """
        for kept in (self._small, self._large):
            if digest in kept:
                kept.move_to_end(digest)
                return kept[digest]
        data = self.bodies.read(digest)
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            raise NotJsonError(f"the body {digest} is not JSON") from None
        if len(data) < LARGE:
            kept, most = (self._small, MANY) if len(data) <= SMALL else (self._large, FEW)
            kept[digest] = value
            if len(kept) > most:
                kept.popitem(last=False)
        return value


class StoreBodies:
    """The bodies of a store: 17 bytes of memory for each."""

    _GOOD, _NAMED = 1, 2

    def __init__(self, blobs: Blobs, tally: Tally) -> None:
        self._blobs = blobs
        self._tally = tally
        self._keys = array("Q")
        self._sizes = array("Q")
        self._marks = bytearray()
        self._altered: list[str] = []

    def add(self, path: str) -> None:
        """Take in the body at `path`: hash it once. They come in the order of their names."""
        digest = path.rpartition("/")[2]
        if not is_digest(digest) or path != layout.body(digest):
            self._tally.problem("foreign", "the file belongs to nothing here: no body has such a name", file=path)
            return
        data = self._blobs.get(path)
        good = data is not None and sha256(data) == digest
        if not good:
            self._altered.append(path)
        self._tally.counts["bodies"] += 1
        self._tally.counts["body bytes"] += len(data or b"")
        self._keys.append(int(digest[:16], 16))
        self._sizes.append(len(data or b""))
        self._marks.append(self._GOOD if good else 0)

    def sort(self) -> None:
        """To be called when all were added: a store whose list is not in order is put in order."""
        if any(self._keys[i] > self._keys[i + 1] for i in range(len(self._keys) - 1)):
            order = sorted(range(len(self._keys)), key=self._keys.__getitem__)
            self._keys = array("Q", (self._keys[i] for i in order))
            self._sizes = array("Q", (self._sizes[i] for i in order))
            self._marks = bytearray(self._marks[i] for i in order)

    def size_of(self, digest: str) -> int | None:
        key = int(digest[:16], 16)
        place = bisect_left(self._keys, key)
        if place == len(self._keys) or self._keys[place] != key:
            return None
        mark = self._marks[place]
        self._marks[place] = mark | self._NAMED
        return self._sizes[place] if mark & self._GOOD else None

    def read(self, digest: str) -> bytes:
        data = self._blobs.store.get(layout.body(digest))
        if data is None or sha256(data) != digest:
            raise BodyError(f"the body {digest} is missing or altered")
        return data

    def finish(self) -> None:
        """All records were read: say what of the bodies is not in order, and what no record names."""
        for path in self._altered:
            place = bisect_left(self._keys, int(path.rpartition("/")[2][:16], 16))
            if self._marks[place] & self._NAMED:
                self._tally.problem("body", "the body is not what its name says: its bytes were altered", file=path)
            else:
                self._tally.note(f"{path} is not what its name says, and no sealed record names it (left by a run that was broken off)")
        unnamed = sum(1 for mark in self._marks if not mark & self._NAMED)
        if unnamed:
            self._tally.note(f"{unnamed} bodies are named by no sealed record (of a run that was broken off, or not sealed yet)")
