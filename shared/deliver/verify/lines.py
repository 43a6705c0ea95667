"""Which lines are the records of a batch: the file itself, the log's own entry bundles and its leaf hashes are three witnesses.

Where they agree there is nothing to say. Where they do not, each record is settled by the two that agree, so that one altered byte is one
problem with one place, and not the end of everything after it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared import layout
from shared.canonical import sha256
from shared.deliver.verify.blobs import Blobs
from shared.deliver.verify.verdict import Tally
from shared.seal.commits import BatchRef
from shared.seal.key_list import MARK
from shared.seal.merkle import HASH_SIZE, leaf_hash
from shared.seal.tiles import MAX_RECORD, WIDTH


class Entries:
    """The entry bundles of a log, read in order."""

    def __init__(self, blobs: Blobs, tally: Tally) -> None:
        self._blobs = blobs
        self._tally = tally
        self._path = ""
        self._lines: list[bytes] | None = None

    def slice(self, first: int, end: int, size: int, before: list[bytes], *, needed: bool) -> list[bytes] | None:
        """The records [first, end) of the log at `size`; None where a bundle is missing or malformed (noted, if `needed`).

        `before` holds the records that precede `first` in its bundle: each newly read bundle is compared with them.
        """
        found: list[bytes] = []
        while first < end:
            number, offset = divmod(first, WIDTH)
            width = min(WIDTH, size - number * WIDTH)
            lines = self._bundle(layout.LOG + layout.tile("entries", number, width), width, before if offset else [], number * WIDTH, needed)
            if lines is None:
                return None
            taken = lines[offset : offset + end - first]
            found = found + taken if found else taken
            first += len(taken)
        return found

    def _bundle(self, path: str, width: int, before: list[bytes], start: int, needed: bool) -> list[bytes] | None:
        if path == self._path:
            return self._lines
        self._path, self._lines = path, None
        data = self._blobs.get(path)
        if data is None:
            if needed:
                self._tally.problem("entries", f"the bundle of records {start} to {start + width - 1} is missing", file=path, record=start)
            return None
        lines = records_in(data)
        if lines is None or len(lines) != width:
            self._tally.problem("entries", f"does not hold the {width} records it should", file=path, record=start)
            return None
        if lines[: len(before)] != before:
            # An empty record stands for one that was lost before: nothing is known to compare with.
            differing = [i for i, (line, other) in enumerate(zip(lines, before, strict=False)) if other and line != other]
            if differing:
                self._tally.problem("entries", "holds another record than the batch that was sealed", file=path, record=start + differing[0])
        self._lines = lines
        return lines


def bundle_path(index: int, size: int) -> str:
    """The entry bundle that holds the record `index` of a log of `size`."""
    number = index // WIDTH
    return layout.LOG + layout.tile("entries", number, min(WIDTH, size - number * WIDTH))


def batch_records(data: bytes) -> list[bytes] | None:
    """The records of a batch file, None where it is torn or holds what cannot be one."""
    if not data.endswith(b"\n"):
        return None
    lines = data[:-1].split(b"\n")
    return lines if len(min(lines, key=len)) >= 2 and len(max(lines, key=len)) <= MAX_RECORD else None


def records_in(bundle: bytes) -> list[bytes] | None:
    """The records of an entry bundle, None where it is none (as `tiles.decode_bundle`, in half the time: every record passes here)."""
    lines, position, end = [], 0, len(bundle)
    while position + 1 < end:
        start = position + 2
        position = start + (bundle[start - 2] << 8 | bundle[start - 1])
        lines.append(bundle[start:position])
    return lines if position == end else None


Leaf = Callable[[int], bytes | None]
"""Gives the leaf hash of a record as the log's tiles have it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a batch stands in the log."""

    first: int
    size: int
    """Of the log after the commit."""
    commit: str
    """Path of the commit that seals it."""


def settle(ref: BatchRef, data: bytes | None, sealed: list[bytes] | None, place: Place, leaf: Leaf, tally: Tally) -> list[bytes] | None:
    """The records of a batch that was found not to be in order, with a problem noted for what is not.

    `data`: the batch file; `sealed`: its records as the entry bundles have them. None where neither is there.
    """
    first = place.first
    if data is None:
        if sealed and not _named(ref.path, sealed[0]):
            tally.problem("commit", f"names a batch {ref.path}, which is not that of its records", file=place.commit, record=first)
        else:
            tally.problem("batch", f"the batch is missing (sealed by {place.commit})", file=ref.path, record=first)
        return sealed
    held = (data[:-1] if data.endswith(b"\n") else data).split(b"\n")
    if sealed is None:
        if sha256(data) != ref.sha256:
            tally.problem("batch", f"is not what {place.commit} says was sealed", file=ref.path, record=first)
        return held if len(held) == ref.records else None
    chosen, in_batch, in_entries = _vote(held, sealed, first, leaf)
    for wrong, what in ((in_batch, "batch"), (in_entries, "entries")):
        if wrong:
            more = f" (and {len(wrong) - 1} more after it)" if len(wrong) > 1 else ""
            file = ref.path if what == "batch" else bundle_path(wrong[0], place.size)
            tally.problem(what, f"the record is not what was sealed{more}", record=wrong[0], file=file)
    if not in_batch and sha256(data) != ref.sha256:
        if sha256(b"\n".join(chosen) + b"\n") == ref.sha256:
            tally.problem("batch", "holds bytes that are no record of the log", file=ref.path, record=first)
        else:
            tally.problem("commit", f"names another digest for {ref.path} than it has", file=place.commit, record=first)
    return chosen


def _named(path: str, line: bytes) -> bool:
    """Whether a batch that begins with this record may be at this path."""
    sweep, name = layout.batch_parts(path)
    unit = name.removesuffix(layout.FINDINGS_SUFFIX)
    if sweep == layout.KEY_CHANGES:
        return MARK in line
    named = name in (layout.PLAN, layout.CLOSED) or b'"unit":"%b"' % unit.encode() in line
    return named and (b'"sweep":"%b"' % sweep.encode() in line or b'"sweep":null' in line)


def _vote(held: list[bytes], sealed: list[bytes], first: int, leaf: Leaf) -> tuple[list[bytes], list[int], list[int]]:
    chosen, in_batch, in_entries = [], [], []
    for position, other in enumerate(sealed):
        line = held[position] if position < len(held) else None
        if line is None or line != other:
            witness = leaf(first + position)
            if line is not None and leaf_hash(line) == witness:
                in_entries.append(first + position)
                other = line  # noqa: PLW2901 - the one that two witnesses agree on
            else:
                in_batch.append(first + position)
        chosen.append(other)
    return chosen, in_batch, in_entries


def leaf_of(blobs: Blobs, size: int) -> Leaf:
    """Leaf hashes out of the tiles of the log at `size`."""

    def leaf(index: int) -> bytes | None:
        number, position = divmod(index, WIDTH)
        data = blobs.store.get(layout.LOG + layout.tile(0, number, min(WIDTH, size - number * WIDTH)))
        return data[position * HASH_SIZE : (position + 1) * HASH_SIZE] if data else None

    return leaf
