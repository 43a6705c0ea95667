"""The Merkle tree of a bundle: tiles that lead to the signed root, leaf hashes of the records, proofs of single records."""

import re
from collections.abc import Iterator, Sequence

from shared import layout
from shared.deliver.verify.verdict import Tally
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.merkle import HASH_SIZE, inclusion_proof, leaf_hash, root_of
from shared.seal.tiles import WIDTH, Fetch, TileHashes, split_hashes

_TILE = re.compile(r"tile/([0-9])/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/[0-9]{1,3})?")


class Tree:
    """The tree of a log at the size of a checkpoint, as far as its tiles are here."""

    def __init__(self, checkpoint: note.Checkpoint, fetch: Fetch, tally: Tally) -> None:
        self._checkpoint = checkpoint
        self._fetch = fetch
        self._tally = tally
        self._leaves: tuple[int, bytes] = (-1, b"")
        self._bad: list[int] = []

    def check(self, paths: Sequence[str]) -> None:
        """Check that every tile among `paths` belongs to the tree, and that they lead to its root."""
        size = self._checkpoint.size
        for path in sorted(paths, key=_level, reverse=True):
            place = _place(path, size)
            if place is None:
                self._tally.problem("tile", f"a log of {size} records has no such tile", file=path)
                continue
            self._tally.counts["tiles"] += 1
            self._belongs(path, *place)
        try:
            root = TileHashes(size, self._fetch).subtree(0, size)
        except (VerificationError, IndexError) as error:
            self._tally.problem("tile", f"the tiles do not reach the root: {error}", file="checkpoint")
            return
        if root != self._checkpoint.root:
            self._tally.problem("tile", "the tiles do not lead to the root of the checkpoint: records or tiles were altered", file="checkpoint")

    def _belongs(self, path: str, level: int, number: int, width: int) -> None:
        """Check that a full tile hashes to its place in the tile above it; those at the right edge are part of the root."""
        data = self._fetch(path)
        if data is None:
            return  # noted where it was read
        record = number * WIDTH ** (level + 1)
        if len(data) != width * HASH_SIZE:
            self._tally.problem("tile", f"the tile has not the length of {width} hashes", file=path, record=record)
            return
        if width < WIDTH:
            return
        above = _tile_path(level + 1, number // WIDTH, self._checkpoint.size)
        parent = self._fetch(above) or b""
        position = number % WIDTH * HASH_SIZE
        if root_of(split_hashes(data)) != parent[position : position + HASH_SIZE]:
            self._tally.problem("tile", f"the tile does not hash to its place in {above}", file=path, record=record)

    def root_at(self, size: int) -> bytes:
        """The root that this log had at a smaller size.

        Raises:
            VerificationError: the tiles for it are not here, or the size is none of a smaller log.
        """
        if not 0 < size < self._checkpoint.size:
            raise VerificationError(f"a log of {self._checkpoint.size} records has no earlier checkpoint of {size}")
        try:
            return TileHashes(self._checkpoint.size, self._fetch).subtree(0, size)
        except IndexError:
            raise VerificationError("the bundle lacks a tile for it") from None

    def proven(self, first: int, lines: list[bytes]) -> Iterator[tuple[int, list[bytes]]]:
        """Compare records with their leaf hashes; give back, as runs with the index of their first, those that are not found to be altered."""
        begin = 0
        for position, line in enumerate(lines):
            if leaf_hash(line) == self._leaf(first + position):
                continue
            if self._leaves[1]:
                if position > begin:
                    yield first + begin, lines[begin:position]
                begin = position + 1
                self._altered(first + position)
        if begin < len(lines):
            yield first + begin, lines[begin:]

    def root_of_first(self, size: int) -> bytes | None:
        """The root hash that the log had at `size` records; None where the tiles here do not give it."""
        try:
            return TileHashes(self._checkpoint.size, self._fetch).subtree(0, size)
        except (VerificationError, IndexError):
            return None

    def _leaf(self, index: int) -> bytes:
        number, position = divmod(index, WIDTH)
        if self._leaves[0] != number:
            path = _tile_path(0, number, self._checkpoint.size)
            self._leaves = number, self._fetch(path) or b""
            if not self._leaves[1]:
                self._tally.problem("tile", f"there is no tile to prove the records from {index} on with", record=index, file=path)
        return self._leaves[1][position * HASH_SIZE : (position + 1) * HASH_SIZE]

    def _altered(self, index: int) -> None:
        if self._bad and index == self._bad[1]:
            self._bad[1] += 1
        else:
            self.end_of_run()
            self._bad = [index, index + 1]

    def end_of_run(self) -> None:
        """Note the records found to be altered, in a row as one."""
        if self._bad:
            first, end = self._bad
            more = f" (nor are the {end - first - 1} after it)" if end - first > 1 else ""
            self._tally.problem("record", f"the record is not what was sealed{more}", record=first)
        self._bad = []

    def proof(self, index: int, signed: bytes) -> bytes | None:
        """The offline proof of a record under the checkpoint with these bytes; None where a tile for it is not here."""
        try:
            hashes = inclusion_proof(index, self._checkpoint.size, TileHashes(self._checkpoint.size, self._fetch).subtree)
        except (VerificationError, ValueError, IndexError):
            return None
        return note.proof_text(index, hashes, signed)

    def check_proof(self, data: bytes, index: int, signed: bytes, file: str) -> None:
        """Check that an offline proof is the one of the record `index` under the checkpoint with these bytes."""
        proof = self.proof(index, signed)
        if proof is None:
            self._tally.unchecked(f"{file}: the bundle lacks a tile for it")
        elif data != proof:
            self._tally.problem("proof", "is not the proof of the sweep's closing record", record=index, file=file)


def _tile_path(level: int, number: int, size: int) -> str:
    return layout.tile(level, number, max(1, min(WIDTH, (size >> 8 * level) - number * WIDTH)))


def _level(path: str) -> tuple[int, str]:
    return int(path.split("/")[1]) if path.split("/")[1].isdigit() else -1, path


def _place(path: str, size: int) -> tuple[int, int, int] | None:
    """(level, number, width) of a tile that a log of this size has; None where it has none at this path."""
    found = _TILE.fullmatch(path)
    if not found:
        return None
    level, number = int(found[1]), int(found[2].replace("/", "").replace("x", ""))
    width = min(WIDTH, (size >> 8 * level) - number * WIDTH)
    return (level, number, width) if width > 0 and path == layout.tile(level, number, width) else None
