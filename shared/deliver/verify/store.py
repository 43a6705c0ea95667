"""`verify --store`: a whole store, blob by blob and record by record, in memory that does not grow with it."""

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress

from shared import layout
from shared.deliver.verify.attested import NOBODY, Attested, Marks, Trusted, held_cosigned
from shared.deliver.verify.blobs import Blobs
from shared.deliver.verify.bodies import Parsed, StoreBodies
from shared.deliver.verify.deletions import Read, say_deletions
from shared.deliver.verify.examine import Examiner
from shared.deliver.verify.held import check_held, open_held
from shared.deliver.verify.log_walk import Walk
from shared.deliver.verify.slots import check_slots
from shared.deliver.verify.trust import Trust
from shared.deliver.verify.verdict import Progress, Tally, Verdict, no_progress, shown
from shared.deliver.verify.view import View
from shared.errors import NewerFormat, StoreConflict, VerificationError
from shared.seal import note
from shared.seal.commits import FORMAT
from shared.seal.log import Log
from shared.seal.store import Store
from shared.seal.tiles import WIDTH

_TILE = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


def verify_store(
    store: Store, keys: Sequence[note.VerifierKey], *, held: bytes | None = None, trusted: Trusted = NOBODY, progress: Progress = no_progress
) -> Verdict:
    """Verify everything under `evidence/`.

    `keys`: whom the auditor trusts to have signed; `trusted`: whom besides; `held`: a checkpoint that he kept from earlier.

    Raises:
        VerificationError: nothing can be said: no key, no sealed record, signed by none of the keys; or `held` is of no use.
        NewerFormat: a later version wrote it.
        Unreachable: the store cannot be read.
    """
    if not keys:
        raise VerificationError("no key was given: name the verifier key that you had from the keeper of the log, --key VKEY")
    tally = Tally()
    blobs = Blobs(store, tally)
    files = _Files(blobs, tally, Attested(layout.CHECKPOINTS, trusted, tally))
    files.read(progress)
    newest = _trusted(blobs, files.checkpoints, keys)
    trust = Trust(keys, tally)
    parsed = Parsed(files.bodies)
    examiner = Examiner(tally, parsed, View(), trust)
    marks = Marks(files.attested.sizes, examiner.take, lambda: examiner.last_at)
    walk = Walk(blobs, trust, tally, marks, progress, files.checkpoints)
    walk.run(files.last_commit)
    if walk.newest is not None and isinstance(examiner.format, int) and examiner.format > FORMAT:  # signed: nobody altered it on the way
        raise NewerFormat(f"this store has format {examiner.format}, this version of aoai-evidence verifies {FORMAT}: install a newer one")
    kept = open_held(held, newest.origin, trust.known) if held is not None else None
    examiner.finish(_reader(store, walk.edge.size))
    trust.conclude()
    files.compare(walk)
    _conclude(walk, examiner, tally)
    check_slots(examiner.plans, tally, start=None, end=examiner.last_at)
    last = walk.newest or newest
    if kept is not None and held is not None:
        held_cosigned(held, trusted, tally)
        check_held(kept, last, lambda path: blobs.get(layout.LOG + path), tally, bundle=False)
    else:
        tally.unchecked("that the newest records were not cut off: that shows only against a later checkpoint (--checkpoint FILE)")
    files.attested.check(files.checkpoint, lambda name: blobs.get(layout.CHECKPOINTS + name), marks)
    _say(walk, files, tally)
    files.attested.conclude(last.size, examiner.closings)
    return tally.verdict("store", origin=last.origin, size=last.size, root=last.root)


def _trusted(blobs: Blobs, sizes: "array[int]", keys: Sequence[note.VerifierKey]) -> note.Checkpoint:
    """The newest checkpoint that one of the keys signed.

    Raises:
        VerificationError: there is none.
    """
    reason = "there is no checkpoint in the store: it was never sealed, or is no store; run `collect` first, or name another"
    for size in reversed(sizes):
        try:
            return note.open_checkpoint(blobs.store.get(layout.checkpoint(size)) or b"", keys)
        except VerificationError as error:
            if size == sizes[-1]:
                reason = f"{error} (checkpoint of {size} records): ask the keeper of the log for its verifier key"
    raise VerificationError(reason)


class _Files:
    """Every file under `evidence/`: read before the walk, compared with it after."""

    def __init__(self, blobs: Blobs, tally: Tally, attested: Attested) -> None:
        self._blobs = blobs
        self._tally = tally
        self.attested = attested
        self.bodies = StoreBodies(blobs, tally)
        self.checkpoints = array("Q")
        self.last_commit = 0

    def read(self, progress: Progress) -> None:
        """Take stock; hash every body."""
        for path in self._blobs.store.list(layout.EVIDENCE):
            if path.startswith(layout.BODIES):
                self.bodies.add(path)
                progress("verify bodies", self._tally.counts["bodies"], 0)
            elif path.startswith(layout.CHECKPOINTS):
                self._take_checkpoint(path)
            elif path.startswith(layout.COMMITS):
                self._take_commit(path)
            elif not path.startswith((layout.LOG + "tile/", layout.BATCHES)):
                self._foreign(path)
        self.bodies.sort()
        self.checkpoints = array("Q", sorted(self.checkpoints))

    def _take_checkpoint(self, path: str) -> None:
        name = path[len(layout.CHECKPOINTS) :]
        if self.attested.add(name):
            return
        if name.isascii() and name.isdigit() and len(name) == 20 and 0 < int(name) < 1 << 63:
            self.checkpoints.append(int(name))
        else:
            self._foreign(path)

    def checkpoint(self, size: int) -> bytes | None:
        """The checkpoint of a size; None where there is none (whether it holds is seen by the walk)."""
        return self._blobs.get(layout.checkpoint(size)) if _holds(self.checkpoints, size, size + 1) else None

    def _take_commit(self, path: str) -> None:
        name = path[len(layout.COMMITS) :].removesuffix(".json")
        if name.isascii() and name.isdigit() and int(name) and path == layout.commit(int(name)):
            self.last_commit = max(self.last_commit, int(name))
        else:
            self._foreign(path)

    def _foreign(self, path: str) -> None:
        self._tally.problem("foreign", "the file belongs to nothing here: nothing that was sealed accounts for it", file=path)

    def compare(self, walk: Walk) -> None:
        """Look for tiles, batches and checkpoints that the walk did not account for."""
        grown = self._blobs.store.exists(layout.commit(walk.seq + 1))
        for size in self.checkpoints:
            if not _holds(walk.sizes, size, size + 1) and size <= walk.edge.size:
                self._foreign(layout.checkpoint(size))
        for path in self._blobs.store.list(layout.LOG + "tile/"):
            if not _is_tile(path[len(layout.LOG) :], walk.sizes):
                if grown:
                    self._tally.note("the log grew while it was verified: verify again to see the newest records")
                else:
                    self._foreign(path)
        waiting = []
        for path in self._blobs.store.list(layout.BATCHES):
            if hash(path) in walk.batches:
                continue
            try:
                layout.batch_parts(path)
                waiting.append(path)
            except ValueError:
                self._foreign(path)
        if waiting:
            self._tally.unchecked(f"{len(waiting)} batches that are not sealed yet (such as {waiting[0]}): `collect` will seal or finish them")
            self._tally.counts["batches not sealed"] = len(waiting)


def _holds(sizes: "array[int]", low: int, high: int) -> bool:
    """Whether one of `sizes` lies in [low, high)."""
    place = bisect_left(sizes, low)
    return place < len(sizes) and sizes[place] < high


def _is_tile(path: str, sizes: "array[int]") -> bool:
    """Whether a log that had these sizes has written this tile, full or partial."""
    found = _TILE.fullmatch(path)
    if not found:
        return False
    level = 0 if found[1] == "entries" else int(found[1])
    number = int(found[2].replace("/", "").replace("x", ""))
    width = int(found[3] or WIDTH)
    if path != layout.tile(found[1], number, width) or level > 7 or (found[3] and width >= WIDTH):
        return False
    unit = WIDTH**level
    low = (number * WIDTH + width) * unit
    return _holds(sizes, low, low + unit) if width < WIDTH else bool(sizes) and sizes[-1] >= low


def _reader(store: Store, size: int) -> Read:
    """Reads single records, each with the hash that the log has for it."""
    log = Log(store, size)

    def read(indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for index in indexes:
            with suppress(StoreConflict):  # what is wrong with it was said by the walk
                yield from log.lines(index, index + 1) if index < size else ()

    return read


def _conclude(walk: Walk, examiner: Examiner, tally: Tally) -> None:
    newest = walk.newest
    if examiner.origin is not None and newest is not None and examiner.origin != newest.origin:
        tally.problem("record", f"the first record says that the log is {shown(examiner.origin)}, its checkpoints say {newest.origin}", record=0)
    if walk.edge.size > walk.signed:
        tally.gap(
            "unsigned", f"the newest {walk.edge.size - walk.signed} records are not signed yet: run `collect`, which finishes sealing", record=walk.signed
        )


def _say(walk: Walk, files: _Files, tally: Tally) -> None:
    counts = tally.counts
    tally.checked[:0] = [
        f"{counts['records']:,} records in {walk.seq:,} commits hash to the roots of {counts['checkpoints']:,} signed checkpoints",
        f"{counts['bodies']:,} bodies are what their names say",
        f"{counts['findings recomputed']:,} of {counts['findings']:,} findings were judged again from the bodies",
    ]
    if counts["attributions"]:
        tally.checked.append(f"{counts['attributions recomputed']:,} of {counts['attributions']:,} attributions of changes follow from what they name")
    files.bodies.finish()
    say_deletions(tally)
    tally.unchecked("whether Azure's answers were true, and whether the identity could see everything: nothing after the fact can show that")
