"""Commits: which batches were appended to the log, in which order (docs/format.md section 1). They are numbered from 1 without a gap."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared import layout
from shared.canonical import canonical
from shared.errors import Misuse, StoreConflict, VerificationError
from shared.seal.store import Store, hinted_number, read_hint

FORMAT = 1
"""The version of commits that this code writes and reads."""


@dataclass(frozen=True, slots=True)
class BatchRef:
    """A batch as a commit names it."""

    path: str
    sha256: str
    records: int


@dataclass(frozen=True, slots=True)
class Commit:
    """One step of the log: `size - first` records, in the order of the batches."""

    seq: int
    first: int
    size: int
    batches: tuple[BatchRef, ...]

    def encoded(self) -> bytes:
        """The bytes of the blob (docs/format.md section 1)."""
        batches = [{"path": b.path, "records": b.records, "sha256": b.sha256} for b in self.batches]
        return canonical({"v": FORMAT, "seq": self.seq, "first": self.first, "size": self.size, "batches": batches})

    def places(self) -> Iterator[tuple[BatchRef, int]]:
        """Each batch with the index of its first record."""
        first = self.first
        for batch in self.batches:
            yield batch, first
            first += batch.records


def parse_commit(data: bytes) -> Commit:
    """Read a commit.

    Raises:
        Misuse: it was written by a newer version of this software.
        VerificationError: it is not a commit, or not in its canonical form.
    """
    try:
        value = json.loads(data)
        if value["v"] != FORMAT and isinstance(value["v"], int) and value["v"] > FORMAT:
            raise Misuse(f"this store has format {value['v']}, this version of aoai-evidence reads {FORMAT}: install a newer one")
        batches = tuple(BatchRef(b["path"], b["sha256"], b["records"]) for b in value["batches"])
        found = Commit(value["seq"], value["first"], value["size"], batches)
        for batch in batches:
            layout.batch_parts(batch.path)
        well_formed = found.encoded() == data and found.first + sum(b.records for b in batches) == found.size
    except (ValueError, KeyError, TypeError, RecursionError):
        raise VerificationError("malformed commit") from None
    if not well_formed or any(b.records < 1 for b in batches):
        raise VerificationError("malformed commit")
    return found


def read_commit(store: Store, seq: int) -> Commit:
    """The commit numbered `seq`.

    Raises:
        StoreConflict: it is missing, or is none.
        Misuse: it was written by a newer version of this software.
    """
    return commit_of(store.get(layout.commit(seq)) or b"", seq)


def commit_of(data: bytes, seq: int) -> Commit:
    """The commit that these bytes are, which must be the one numbered `seq`.

    Raises:
        StoreConflict: they are none, or another.
        Misuse: a newer version of this software wrote them.
    """
    try:
        commit = parse_commit(data)
    except VerificationError as error:
        raise StoreConflict(f"{layout.commit(seq)}: {error}; run verify --store") from None
    if commit.seq != seq:
        raise StoreConflict(f"{layout.commit(seq)} says it is number {commit.seq}; run verify --store")
    return commit


def last_commit(store: Store) -> int:
    """The number of the newest commit, 0 for an empty log. Commits have no gaps, so a few look-ups find it."""
    hint = hinted_number(read_hint(store, layout.SEQUENCER_HINT), "seq")
    low = hint if hint and store.exists(layout.commit(hint)) else 0
    step = 1
    while store.exists(layout.commit(low + step)):
        low += step
        step *= 2
    while step > 1:
        step //= 2
        if store.exists(layout.commit(low + step)):
            low += step
    return low
