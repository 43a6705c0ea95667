"""The sequencer: from batches to a signed log. Any number of them may run at once; records are appended exactly once.

Order of writes, and what a crash after each leaves (the next run of any sequencer finishes it):

    1  batches and bodies (by the workers)      not in the log yet; found again through the marker of the open sweep
    2  (each batch, commit and checkpoint gets its name only after a flush of all that was written before: store.py)
    3  commit/<seq>, create-if-absent           THE point at which the records are in the log; a loser reloads and looks again
    4  full tiles and entry bundles, partial    derived from the commits: written again with the same bytes, whoever does it
    5  checkpoint/<size>                        derived, but for the signature: the first one written stands
    6  state/                                   hints; rebuilt when lost

A change of keys is a commit of its own, and is appended only where all that must sign the checkpoint over it are at hand; until then it
waits, and everything else goes on. In no other batch may a record change the keys. Leaves out: when to seal (the service's affair) and
what other records say.
"""

import contextlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from shared import layout
from shared.canonical import canonical, sha256
from shared.errors import StoreConflict
from shared.seal import note, tiles
from shared.seal.commits import BatchRef, Commit, commit_of, last_commit, read_commit
from shared.seal.key_list import KeyList, changes_after, key_changes
from shared.seal.pen import Pen
from shared.seal.places import Places
from shared.seal.signing import Signer
from shared.seal.store import Store, hinted_number, put_same, read_hint

MAX_COMMIT_BYTES = 64 * 1024 * 1024
"""Batches of one commit together, roughly: what a sequencer holds in memory at once."""

READERS = 8
"""Batches that are read at once."""


def batch_order(name: str) -> tuple[int, str]:
    """Where a batch stands among those of its sweep: plan, units, findings, the closing record."""
    if name == layout.PLAN:
        return 0, name
    if name == layout.CLOSED:
        return 3, name
    return (2 if name.endswith(layout.FINDINGS_SUFFIX) else 1), name


def batch_lines(data: bytes, path: str) -> list[bytes]:
    """The records of a batch file.

    Raises:
        StoreConflict: it is torn or holds what cannot be a record.
    """
    if not data.endswith(b"\n"):
        raise StoreConflict(f"{path} is torn (its last line has no end): move it aside, its unit will be collected again")
    lines = data[:-1].split(b"\n")
    if any(not 2 <= len(line) <= tiles.MAX_RECORD for line in lines):
        raise StoreConflict(f"{path} holds a line that cannot be a record: move it aside, its unit will be collected again")
    return lines


@dataclass(slots=True)
class _Head:
    seq: int = 0
    edge: tiles.Edge = field(default_factory=tiles.Edge)


class Sequencer:
    """Appends waiting batches to the log of one store. Not for several threads at once; several of it are fine."""

    def __init__(self, store: Store, signer: Signer | Pen) -> None:
        """`signer`: a key, or several that sign together."""
        self._store = store
        self._pen = signer if isinstance(signer, Pen) else Pen([signer])
        self._head: _Head | None = None
        self._since: dict[str, int] = {}
        self._places = Places(lambda seq: read_commit(store, seq))

    # -- the log as it is -----------------------------------------------------------------------------------------------

    def catch_up(self) -> int:
        """Finish what a crashed or concurrent sequencer left underived; return the size of the log.

        Raises:
            StoreConflict: what is there contradicts the commits.
        """
        # Read before the commits: what another sequencer signs meanwhile is then never ahead of the commits that are seen.
        signed = self._store.get(layout.LATEST_CHECKPOINT) if self._head is None else None
        head = self._head or self._load()
        if self._head is None:
            self._pen.renew()  # after the log was read: no change of keys in what was read is unknown then
        while (data := self._store.get(layout.commit(head.seq + 1))) is not None:
            self._derive(head, commit_of(data, head.seq + 1))
        if signed is not None:
            self._refuse_a_fork(head, signed)
        self._head = head
        return head.edge.size

    def _refuse_a_fork(self, head: _Head, latest: bytes) -> None:
        """A log never signs what contradicts a checkpoint it signed before: were the newest commits removed, it must not go on."""
        signed = self._pen.opened(latest)
        if signed is None:
            return  # a hint that is torn
        if signed.size > head.edge.size or (signed.size == head.edge.size and signed.root != head.edge.root()):
            raise StoreConflict(
                f"this log has {head.edge.size} records, but a checkpoint for {signed.size} was signed: the newest were removed or replaced; "
                "restore evidence/ from a copy, nothing is appended until then"
            )

    def commits(self, after: int = 0) -> Iterator[Commit]:
        """The commits numbered above `after`, in order."""
        seq = after + 1
        while (data := self._store.get(layout.commit(seq))) is not None:
            yield commit_of(data, seq)
            seq += 1

    def _load(self) -> _Head:
        """The newest state of the log that is wholly derived (its checkpoint is there)."""
        seq = last_commit(self._store)
        while seq > 0:
            commit = read_commit(self._store, seq)
            if self._store.exists(layout.checkpoint(commit.size)):
                return _Head(seq, tiles.load_edge(commit.size, lambda path: self._store.get(layout.LOG + path)))
            seq -= 1
        return _Head()

    # -- appending ------------------------------------------------------------------------------------------------------

    def seal(self, only: str | None = None) -> int:
        """Append every batch that waits in an open sweep (or in `only` that one); return how many records were appended.

        Raises:
            StoreConflict: the store contradicts itself.
            Unreachable: the store cannot be read or written, or the key's vault does not answer.
            Misuse: the keys here may not sign any more.
        """
        before = self.catch_up()
        waiting = self._waiting(only)
        while waiting:
            handing_over = layout.batch_parts(waiting[0])[0] == layout.KEY_CHANGES
            if not handing_over:
                self._pen.check()
            self._append(waiting)
            self.catch_up()
            # Listed again when all of these are sealed, not after each commit: a list of a large sweep is many requests.
            left = [] if handing_over else [path for path in waiting if not self._is_sealed(path)]
            waiting = left or self._waiting(only)
        assert self._head is not None
        self._store.put(layout.SEQUENCER_HINT, canonical({"seq": self._head.seq}))
        self._store.flush()
        return self._head.edge.size - before

    def _is_sealed(self, path: str) -> bool:
        sweep, name = layout.batch_parts(path)
        return name in self.places(sweep)

    def _waiting(self, only: str | None) -> list[str]:
        changes = changes_after(self._pen.number, self._store.get) if self._pen.number is not None else {}
        if changes and self._pen.can_hand_over(list(changes.values())):
            return list(changes)
        sweeps = [only] if only else [marker[len(layout.OPEN_SWEEPS) :] for marker in self._store.list(layout.OPEN_SWEEPS)]
        return [path for sweep in sweeps if sweep != layout.KEY_CHANGES for path in self._waiting_of(sweep)]

    def _waiting_of(self, sweep: str) -> list[str]:
        sealed = self.places(sweep)
        return [layout.batch(sweep, name) for name in sorted(batch_names(self._store, sweep), key=batch_order) if name not in sealed]

    def waits(self, sweep: str) -> bool:
        """Whether a batch of the sweep is there that is not sealed."""
        return bool(self._waiting_of(sweep))

    def places(self, sweep: str) -> Mapping[str, tuple[int, int]]:
        """Where the sealed batches of an open sweep are: by name, index of the first record and number of records."""
        if self._head is None:
            self.catch_up()
        assert self._head is not None
        if sweep not in self._since:
            self._since[sweep] = hinted_number(read_hint(self._store, layout.OPEN_SWEEPS + sweep), "since")
        since = self._since[sweep]
        return self._places.of(sweep, since=since if since <= self._head.seq else 0, seq=self._head.seq)

    @property
    def seq(self) -> int:
        """The number of the newest commit that this sequencer has caught up with."""
        return self._head.seq if self._head else 0

    def _append(self, paths: list[str]) -> None:
        assert self._head is not None
        refs, lines, total = [], [], 0
        for path, data in self._fetched(paths):
            records = batch_lines(data, path)
            key_changes(path, records)
            refs.append(BatchRef(path, sha256(data), len(records)))
            lines.append(records)
            total += len(data)
            if total > MAX_COMMIT_BYTES:
                break
        first = self._head.edge.size
        commit = Commit(self._head.seq + 1, first, first + sum(ref.records for ref in refs), tuple(refs))
        if self._store.put_new(layout.commit(commit.seq), commit.encoded()):
            self._derive(self._head, commit, lines)

    def _fetched(self, paths: list[str]) -> Iterator[tuple[str, bytes]]:
        """The batches at these paths, several on their way at once: waiting for storage is not sealing."""
        with ThreadPoolExecutor(READERS, "batches") as pool:
            for start in range(0, len(paths), READERS):
                some = paths[start : start + READERS]
                yield from zip(some, (data or b"" for data in pool.map(self._store.get, some)), strict=True)

    def _derive(self, head: _Head, commit: Commit, known: list[list[bytes]] | None = None) -> None:
        if commit.first != head.edge.size:
            raise StoreConflict(
                f"{layout.commit(commit.seq)} begins at {commit.first}, the log has {head.edge.size} records; run verify --store"
            )
        self._head = None  # a vault that does not sign leaves it half grown: it is read again then, and this checkpoint is not passed over
        changes: list[KeyList] = []
        for position, ref in enumerate(commit.batches):
            records = known[position] if known else self._committed_batch(ref)
            changes += key_changes(ref.path, records)
            for path, data in head.edge.append(records):
                put_same(self._store, layout.LOG + path, data)
        for path, data in head.edge.partial():
            put_same(self._store, layout.LOG + path, data)
        head.seq = commit.seq
        checkpoint = self._sign(head.edge, changes)
        if checkpoint is not None:
            self._pen.settle(checkpoint, changes)
        self._head = head

    def _committed_batch(self, ref: BatchRef) -> list[bytes]:
        data = self._store.get(ref.path)
        if data is None or sha256(data) != ref.sha256:
            raise StoreConflict(f"{ref.path} is not what was sealed; run verify --store, and restore it from a copy")
        return batch_lines(data, ref.path)

    def _sign(self, edge: tiles.Edge, changes: list[KeyList]) -> bytes | None:
        path = layout.checkpoint(edge.size)
        text = note.Checkpoint(self._pen.origin, edge.size, edge.root()).text()
        existing = self._store.get(path)
        if existing is None:
            signed = self._pen.signed(text, changes)
            if signed is None:
                return None
            # ECDSA signs differently every time: of two sequencers, the first one's signature stands.
            existing = signed if self._store.put_new(path, signed) else self._store.get(path)
        if existing is None or existing.partition(b"\n\n")[0] + b"\n" != text.encode():
            raise StoreConflict(f"{path} is of another log, or was altered; run verify --store")
        self._store.put(layout.LATEST_CHECKPOINT, existing)
        return existing


def batch_names(store: Store, sweep: str) -> Iterator[str]:
    """The names of a sweep's batches. What else lies there is nothing of ours: `verify --store` names it."""
    for path in store.list(f"{layout.BATCHES}{sweep}/"):
        with contextlib.suppress(ValueError):
            yield layout.batch_parts(path)[1]
