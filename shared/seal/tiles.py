"""The log as tiles and entry bundles (c2sp.org/tlog-tiles): growing the tree, and reading its hashes back.

`Edge` is the right edge of the tree: all that appending needs to know of the past, at most 255 hashes a level. Its `append`
yields the blobs that the new records complete, so that cost depends on what is appended, not on what is there already.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from shared import layout
from shared.errors import StoreConflict, VerificationError
from shared.seal.merkle import EMPTY_ROOT, HASH_SIZE, leaf_hash, root_of

WIDTH = layout.TILE_WIDTH
MAX_RECORD = 65_535
"""Bytes of a record: entry bundles have sixteen bits for its length."""

Fetch = Callable[[str], bytes | None]
"""Gives the blob at a path relative to the log, such as `tile/0/000`; None where there is none."""


def encode_bundle(lines: Sequence[bytes]) -> bytes:
    """An entry bundle: each record after its length in two bytes, big-endian."""
    return b"".join([len(line).to_bytes(2, "big") + line for line in lines])


def decode_bundle(data: bytes) -> list[bytes]:
    """The records of an entry bundle.

    Raises:
        VerificationError: the bytes are not one.
    """
    lines, position, end = [], 0, len(data)
    while position < end:
        start = position + 2
        position = start + int.from_bytes(data[start - 2 : start], "big")
        lines.append(data[start:position])
    if position != end:
        raise VerificationError("malformed entry bundle")
    return lines


def split_hashes(data: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [data[i : i + HASH_SIZE] for i in range(0, len(data), HASH_SIZE)]


@dataclass(slots=True)
class Edge:
    """The right edge of a log of `size` records: the partial tile of each level, and the partial entry bundle."""

    size: int = 0
    levels: list[list[bytes]] = field(default_factory=lambda: [[]])
    bundle: list[bytes] = field(default_factory=list)

    def root(self) -> bytes:
        """The root hash of the whole log."""
        if not self.size:
            return EMPTY_ROOT
        rest: list[bytes] = []
        for hashes in self.levels:
            together = hashes + rest
            rest = [root_of(together)] if together else []
        return rest[0]

    def append(self, lines: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
        """Append records; yield (path relative to the log, bytes) of every entry bundle and tile that is now full."""
        position = 0
        while position < len(lines):
            taken = lines[position : position + WIDTH - len(self.bundle)]
            position += len(taken)
            self.bundle += taken
            self.levels[0] += [leaf_hash(line) for line in taken]
            self.size += len(taken)
            if len(self.bundle) == WIDTH:
                yield layout.tile("entries", self.size // WIDTH - 1), encode_bundle(self.bundle)
                self.bundle = []
                yield from self._fold()

    def _fold(self) -> Iterator[tuple[str, bytes]]:
        level = 0
        while len(self.levels[level]) == WIDTH:
            hashes = self.levels[level]
            yield layout.tile(level, self.size // WIDTH ** (level + 1) - 1), b"".join(hashes)
            self.levels[level] = []
            level += 1
            if level == len(self.levels):
                self.levels.append([])
            self.levels[level].append(root_of(hashes))

    def partial(self) -> Iterator[tuple[str, bytes]]:
        """(path, bytes) of every partial blob that a checkpoint of this size needs."""
        if self.bundle:
            yield layout.tile("entries", self.size // WIDTH, len(self.bundle)), encode_bundle(self.bundle)
        for level, hashes in enumerate(self.levels):
            if hashes:
                yield layout.tile(level, self.size // WIDTH ** (level + 1), len(hashes)), b"".join(hashes)


def load_edge(size: int, fetch: Fetch) -> Edge:
    """The right edge of the log at `size`, from its tiles.

    Raises:
        StoreConflict: a tile that the size needs is missing or has the wrong length.
    """
    edge = Edge(size)
    level = 0
    while size >= WIDTH**level:
        width = size // WIDTH**level % WIDTH
        hashes = split_hashes(_needed(layout.tile(level, size // WIDTH ** (level + 1), width), fetch)) if width else []
        if len(hashes) != width or any(len(value) != HASH_SIZE for value in hashes):
            raise StoreConflict(f"the tile of level {level} at {size} records is not of {width} hashes: run verify --store")
        edge.levels[level:] = [hashes]
        level += 1
    if size % WIDTH:
        edge.bundle = decode_bundle(_needed(layout.tile("entries", size // WIDTH, size % WIDTH), fetch))
    return edge


def _needed(path: str, fetch: Fetch) -> bytes:
    data = fetch(path)
    if data is None:
        raise StoreConflict(f"log/{path} is missing: run verify --store, and restore it from a copy")
    return data


class TileHashes:
    """Hashes of subtrees of a log of `size` records, out of its tiles: what proofs are made of."""

    def __init__(self, size: int, fetch: Fetch) -> None:
        self.size = size
        self._fetch = fetch
        self._tiles: dict[tuple[int, int], list[bytes]] = {}

    def tile(self, level: int, number: int) -> list[bytes]:
        """The hashes of one tile, as the log's size has it.

        Raises:
            VerificationError: it is missing, or not of the length that the size asks for.
        """
        key = (level, number)
        if key not in self._tiles:
            width = min(WIDTH, self.size // WIDTH**level - number * WIDTH)
            data = self._fetch(layout.tile(level, number, width))
            if data is None and width < WIDTH:
                data = self._fetch(layout.tile(level, number))
            hashes = split_hashes(data or b"")[:width]
            if len(hashes) != width or len(hashes[-1]) != HASH_SIZE:
                raise VerificationError(f"{layout.tile(level, number, width)} is missing or has the wrong length")
            if len(self._tiles) > 4096:
                self._tiles.clear()
            self._tiles[key] = hashes
        return self._tiles[key]

    def subtree(self, start: int, end: int) -> bytes:
        """The hash over the leaves [start, end): a whole subtree, or the right edge of the log.

        Raises:
            VerificationError: a tile it needs is missing.
        """
        level = 0
        while (end - start) > WIDTH ** (level + 1) or ((end - start) == WIDTH ** (level + 1) and self._whole(start, end, level + 1)):
            level += 1
        unit = WIDTH**level
        hashes = []
        position = start
        while position < end:
            if position + unit <= end and self._has(level, position // unit):
                hashes.append(self.tile(level, position // unit // WIDTH)[position // unit % WIDTH])
                position += unit
            else:
                hashes.append(self.subtree(position, end))
                position = end
        return root_of(hashes)

    def _whole(self, start: int, end: int, level: int) -> bool:
        return start % WIDTH**level == 0 and end - start == WIDTH**level and self._has(level, start // WIDTH**level)

    def _has(self, level: int, position: int) -> bool:
        return (position + 1) * int(WIDTH**level) <= self.size
