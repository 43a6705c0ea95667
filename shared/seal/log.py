"""Reading a sealed log: its checkpoint, its records by index, proofs. Trusts nothing that it does not have to."""

import json
from collections.abc import Iterator, Sequence

from shared import layout
from shared.canonical import Json
from shared.errors import StoreConflict, VerificationError
from shared.seal import merkle, note, tiles
from shared.seal.commits import last_commit, parse_commit, read_commit
from shared.seal.store import Store


class Log:
    """A log at one size. Records appended later are not seen through this object."""

    def __init__(self, store: Store, size: int) -> None:
        self._store = store
        self.size = size
        self._hashes = tiles.TileHashes(size, self.tile)
        self._bundle: tuple[int, list[bytes]] = (-1, [])

    def tile(self, path: str) -> bytes | None:
        """The blob at a path relative to the log (`tile/0/000`)."""
        return self._store.get(layout.LOG + path)

    def checkpoint(self) -> bytes:
        """The signed checkpoint of this size.

        Raises:
            StoreConflict: it is missing.
        """
        data = self._store.get(layout.checkpoint(self.size))
        if data is None:
            raise StoreConflict(f"{layout.checkpoint(self.size)} is missing: run `collect` to finish sealing, or verify --store")
        return data

    def lines(self, first: int, end: int) -> Iterator[tuple[int, bytes]]:
        """(index, line) of the records [first, end), in order, each with the hash that the log has for it.

        Raises:
            StoreConflict: an entry bundle is missing, or is not what was sealed.
        """
        index = first
        while index < end:
            bundle = self._entries(index // tiles.WIDTH)
            for line in bundle[index % tiles.WIDTH : end - index + index % tiles.WIDTH]:
                yield index, line
                index += 1

    def records(self, first: int, end: int) -> Iterator[tuple[int, Json]]:
        """(index, parsed record) of the records [first, end)."""
        for index, line in self.lines(first, end):
            yield index, json.loads(line)

    def _entries(self, number: int) -> list[bytes]:
        if self._bundle[0] != number:
            width = min(tiles.WIDTH, self.size - number * tiles.WIDTH)
            path = layout.LOG + layout.tile("entries", number, width)
            try:
                lines = tiles.decode_bundle(self._widest("entries", number, width))[:width]
            except VerificationError:
                lines = []
            if len(lines) < width:
                raise StoreConflict(f"{path} is missing or cut short: run verify --store, and restore it from a copy")
            if b"".join(map(merkle.leaf_hash, lines)) != self._widest(0, number, width)[: width * merkle.HASH_SIZE]:
                raise StoreConflict(f"{path} holds a record that is not what was sealed: run verify --store, and restore it from a copy")
            self._bundle = (number, lines)
        return self._bundle[1]

    def _widest(self, level: int | str, number: int, width: int) -> bytes:
        """A tile of this width, or where there is none the full one; empty where there is neither."""
        data = self.tile(layout.tile(level, number, width))
        return (self.tile(layout.tile(level, number)) if data is None and width < tiles.WIDTH else data) or b""

    def inclusion(self, index: int) -> bytes:
        """The offline proof of one record (c2sp.org/tlog-proof)."""
        proof = merkle.inclusion_proof(index, self.size, self._hashes.subtree)
        return note.proof_text(index, proof, self.checkpoint())

    def consistency(self, old: int) -> Sequence[bytes]:
        """The hashes which show that this log extends the one of size `old`."""
        return merkle.consistency_proof(old, self.size, self._hashes.subtree)

    def root_at(self, size: int) -> bytes:
        """The root hash that this log had when it was `size` records long."""
        return self._hashes.subtree(0, size) if size else merkle.EMPTY_ROOT


def open_log(store: Store) -> Log:
    """The log at its newest checkpoint (of size 0 where nothing is sealed yet). A commit that was not finished is not seen.

    Raises:
        StoreConflict: a commit is none.
        Misuse: a newer version of this software wrote one.
    """
    for seq in range(last_commit(store), 0, -1):
        size = read_commit(store, seq).size
        if store.exists(layout.checkpoint(size)):
            return Log(store, size)
    return Log(store, 0)


def first_record(store: Store) -> Json:
    """The record with index 0, null where there is none: out of its batch, so that it can be read before the log is finished."""
    data = store.get(layout.commit(1))
    batch = store.get(parse_commit(data).batches[0].path) if data else None
    return json.loads(batch.partition(b"\n")[0]) if batch else None
