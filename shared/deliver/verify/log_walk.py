"""Walking the log of a store from its first commit to its last: batches, entry bundles, tiles, the root and signature of every checkpoint.

In memory: the right edge of the tree, one batch, and eight bytes for each commit and batch. Where something is broken and the signed tiles
allow it, the walk goes on from them, so that what comes after is still verified.
"""

import hashlib
import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

from shared import layout
from shared.canonical import sha256
from shared.deliver.verify.blobs import Blobs
from shared.deliver.verify.lines import Entries, Place, batch_records, leaf_of, records_in, settle
from shared.deliver.verify.trust import Trust
from shared.deliver.verify.verdict import Progress, Tally
from shared.errors import Misuse, NewerFormat, StoreConflict, VerificationError
from shared.seal import note
from shared.seal.commits import FORMAT, BatchRef, Commit, parse_commit
from shared.seal.merkle import HASH_SIZE, root_of
from shared.seal.tiles import WIDTH, Edge, encode_bundle, load_edge


class Sink(Protocol):
    """What is told of the records, in order; it tells `Walk.trust` of those that may change the keys."""

    def take(self, first: int, lines: list[bytes]) -> None:
        """The records from `first` on."""


@dataclass(slots=True)
class Walk:
    """One walk over one log."""

    blobs: Blobs
    trust: Trust
    tally: Tally
    sink: Sink
    progress: Progress
    checkpoints: "array[int]"
    """Sizes of the checkpoints that are there, ascending."""
    edge: Edge = field(default_factory=Edge)
    sizes: "array[int]" = field(default_factory=lambda: array("Q"))
    """The size of the log after each commit, ascending."""
    batches: set[int] = field(default_factory=set)
    """`hash` of the path of every batch that was sealed."""
    seq: int = 0
    newest: note.Checkpoint | None = None
    """The last checkpoint that was found to be in order."""
    entries: Entries = field(init=False)
    opened: int = 0
    lost: int = 0
    """Checkpoints whose root is not that of the records, since the first of them."""
    unsigned: list[int] = field(default_factory=list)
    """Sizes, since the last checkpoint that is there, whose checkpoint is not."""

    def __post_init__(self) -> None:
        self.entries = Entries(self.blobs, self.tally)

    @property
    def signed(self) -> int:
        """The size of the newest checkpoint that is there."""
        return self.checkpoints[-1] if self.checkpoints else 0

    def run(self, last: int) -> None:
        """Walk the commits up to `last`, and those that were written meanwhile.

        Raises:
            NewerFormat: a later version wrote one of them.
        """
        while self.seq < last or self.edge.size < self.signed or self.blobs.store.exists(layout.commit(self.seq + 1)):
            self.seq += 1
            if not self._commit(self.seq):
                self.tally.unchecked(f"records from {self.edge.size} on: {layout.commit(self.seq)}, or what it sealed, is lost, and no tiles lead past it")
                break
            self.progress("verify", self.edge.size, max(self.signed, self.edge.size))
        self._tell_unsigned(gave_up=False)
        if self.lost > 1:
            self.tally.note(f"{self.lost - 1} later checkpoints do not have the root of the records before them either")

    # -- commits --------------------------------------------------------------------------------------------------------

    def _commit(self, seq: int) -> bool:
        commit = self._readable(seq, tell=True)
        if commit is None:
            size = self._size_without(seq)
            return size is not None and self._fill(seq, size)
        if commit.first != self.edge.size:
            self.tally.problem(
                "commit", f"appends to a log of {commit.first} records, and the commits before it make {self.edge.size}",
                file=layout.commit(seq), record=self.edge.size,
            )  # fmt: skip
            if commit.first < self.edge.size or not self._fill(seq, commit.first):
                return commit.first < self.edge.size
        whole = True
        for ref, first in commit.places():
            if hash(ref.path) in self.batches:
                self.tally.problem("commit", f"seals {ref.path} a second time", file=layout.commit(seq), record=first)
            self.batches.add(hash(ref.path))
            if whole:
                whole = self._batch(ref, first, commit)
            elif sha256(self.blobs.get(ref.path) or b"") != ref.sha256:
                self.tally.problem("batch", f"is not what {layout.commit(seq)} says was sealed", file=ref.path, record=first)
        return self._end(commit.size, whole)

    def _readable(self, seq: int, *, tell: bool) -> Commit | None:
        path = layout.commit(seq)
        data = self.blobs.get(path)
        reason = "the commit is missing"
        if data is not None:
            try:
                commit = parse_commit(data)
            except Misuse as error:
                if not _but_for_its_version(data):
                    raise NewerFormat(str(error)) from None
                reason = "the commit says that a newer version wrote it, and is otherwise one of this"
            except VerificationError as error:
                reason = str(error)
            else:
                if commit.seq == seq:
                    return commit
                reason = f"says that it is number {commit.seq}"
        if tell:
            self.tally.problem("commit", reason, file=path, record=self.edge.size)
        return None

    def _size_without(self, seq: int) -> int | None:
        """How long the log was after a commit that cannot be read: its checkpoint, or the next commit, says so."""
        following = self._readable(seq + 1, tell=False)
        if following is not None and following.first > self.edge.size:
            return following.first
        return next((size for size in self.checkpoints if size > self.edge.size), None)

    def _fill(self, seq: int, size: int) -> bool:
        """Go on to `size` with the log's own entry bundles, where no readable commit says which batches they came from."""
        lines = self.entries.slice(self.edge.size, size, size, self.edge.bundle, needed=True)
        if lines is not None:
            self._append(lines, size)
        self.tally.unchecked(f"which batches {layout.commit(seq)} sealed: the records were taken from the log itself")
        return self._end(size, lines is not None)

    # -- records --------------------------------------------------------------------------------------------------------

    def _batch(self, ref: BatchRef, first: int, commit: Commit) -> bool:
        data = self.blobs.get(ref.path)
        end = first + ref.records
        sealed = self.entries.slice(first, end, commit.size, self.edge.bundle, needed=commit.size <= self.signed)
        lines = batch_records(data) if data is not None and sha256(data) == ref.sha256 else None
        if lines is None or len(lines) != ref.records or (lines != sealed and sealed is not None):
            place = Place(first, commit.size, layout.commit(commit.seq))
            lines = settle(ref, data, sealed, place, leaf_of(self.blobs, commit.size), self.tally)
        if lines is not None:
            self._append(lines, commit.size)
        return lines is not None

    def _append(self, lines: list[bytes], size: int) -> None:
        self.tally.counts["records"] += len(lines)
        self.sink.take(self.edge.size, lines)
        for path, data in grown(self.edge, lines):
            self._compare(path, data, size)

    def _compare(self, path: str, expected: bytes, size: int) -> None:
        data = self.blobs.get(layout.LOG + path)
        self.tally.counts["tiles"] += 1
        if data == expected or (data is None and size > self.signed):
            return
        level = int(path.split("/")[1])
        number = (self.edge.size // WIDTH**level - 1) // WIDTH
        if data is None:
            self.tally.problem("tile", "the tile is missing", file=layout.LOG + path, record=number * WIDTH ** (level + 1))
            return
        differing = next((i for i, (a, b) in enumerate(zip(data, expected, strict=False)) if a != b), min(len(data), len(expected)))
        place = (number * WIDTH + min(differing, len(expected) - 1) // HASH_SIZE) * WIDTH**level
        about = "of the record" if level == 0 else f"of the {WIDTH**level} records from here"
        self.tally.problem("tile", f"the hash {about} is not what was sealed", file=layout.LOG + path, record=place)

    # -- checkpoints ----------------------------------------------------------------------------------------------------

    def _end(self, size: int, whole: bool) -> bool:
        """The end of a commit: its partial tiles and its checkpoint. False where the walk cannot go on."""
        self.sizes.append(size)
        if whole and self.edge.size == size:
            for path, data in self.edge.partial():
                if not path.startswith("tile/entries/"):
                    self._compare(path, data, size)
        checkpoint = self._checkpoint(size)
        if whole and self.edge.size == size and (checkpoint is None or checkpoint.root == self.edge.root()):
            self.newest = checkpoint or self.newest
            return True
        return self._resume(size, checkpoint)

    def _checkpoint(self, size: int) -> note.Checkpoint | None:
        path = layout.checkpoint(size)
        data = self.blobs.get(path)
        if data is None:
            if size <= self.signed:
                self.unsigned.append(size)
                self.trust.pass_over(size)
            return None
        self.tally.counts["checkpoints"] += 1
        try:
            checkpoint = self.trust.checkpoint(data)
            if checkpoint.size != size:
                raise VerificationError(f"it is of a log of {checkpoint.size} records")
        except VerificationError as error:
            self.trust.pass_over(size)
            self._tell_unsigned(gave_up=False)
            self.tally.problem("checkpoint", f"the checkpoint does not hold: {error}", file=path, record=size - 1)
            return None
        self._tell_unsigned(gave_up=self.trust.gave_up)
        self.opened += 1
        return checkpoint

    def _tell_unsigned(self, *, gave_up: bool) -> None:
        """Say which checkpoints are missing. One that a lost key owed is made up for by the one in which it is given up."""
        for size in self.unsigned:
            if gave_up:
                self.tally.note(f"{layout.checkpoint(size)} was never signed: the key was lost then, and a later checkpoint covers its records")
            else:
                self.tally.problem("checkpoint", "the checkpoint is missing", file=layout.checkpoint(size), record=size - 1)
        self.unsigned = []

    def _resume(self, size: int, checkpoint: note.Checkpoint | None) -> bool:
        """The records do not lead to the signed root, or not all were found: go on from the tiles, where these do."""
        first = self.sizes[-2] if len(self.sizes) > 1 else 0
        try:
            stored = load_edge(size, lambda path: self._tile_or_unknown(path, size))
        except (StoreConflict, VerificationError):
            stored = None
        trusted = stored is not None and checkpoint is not None and stored.root() == checkpoint.root
        if self.edge.size == size and checkpoint is not None:
            reason = f"the records {first} to {size - 1} are not those that were signed: the tiles are" if trusted else "its root is not that of the records before it"
            self.lost += not trusted
            if trusted or self.lost == 1:
                self.tally.problem("checkpoint", reason, file=layout.checkpoint(size), record=first)
        if stored is not None and (trusted or self.edge.size != size):
            self.edge = stored
        return self.edge.size == size


    def _tile_or_unknown(self, path: str, size: int) -> bytes | None:
        """A tile; of an entry bundle that is lost, as many unknown (empty) records."""
        data = self.blobs.store.get(layout.LOG + path)
        lost = path.startswith("tile/entries/") and (data is None or records_in(data) is None)
        return encode_bundle([b""] * (size % WIDTH)) if lost else data


def _but_for_its_version(data: bytes) -> bool:
    """Whether a commit is one of ours but for the number of its version: a flipped bit, not a later format."""
    try:
        return bool(parse_commit(re.sub(rb'"v":[0-9]+\}\Z', b'"v":%d}' % FORMAT, data)))
    except (VerificationError, Misuse):
        return False


def grown(edge: Edge, lines: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """Append records to `edge`; yield (path, bytes) of every tile that is now full, as `Edge.append`, but no entry bundle.

    Those were compared record by record. Written for speed: every record of a store passes here.
    """
    sha, position = hashlib.sha256, 0
    while position < len(lines):
        taken = lines[position : position + WIDTH - len(edge.bundle)]
        position += len(taken)
        edge.bundle += taken
        edge.levels[0] += [sha(b"\x00" + line).digest() for line in taken]
        edge.size += len(taken)
        level = 0
        while len(edge.levels[level]) == WIDTH:
            hashes, edge.levels[level] = edge.levels[level], []
            yield layout.tile(level, edge.size // WIDTH ** (level + 1) - 1), b"".join(hashes)
            level += 1
            if level == len(edge.levels):
                edge.levels.append([])
            edge.levels[level].append(root_of(hashes))
        if level:
            edge.bundle = []
