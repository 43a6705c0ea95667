"""The sweep that was closed last, for the plan of the next: remembered in `state/newest.json`, so that planning costs the same after years.

A hint. Commits that came after it are looked through; where it is lost, it is made from what is remembered of every sweep.
"""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace

from shared import layout
from shared.canonical import canonical
from shared.seal.commits import Commit, last_commit, read_commit
from shared.seal.log import Log
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store, read_hint
from shared.service import state

READERS = 16
"""Commits that are read at once."""


@dataclass(frozen=True, slots=True)
class Newest:
    """What is known of the closed sweeps, up to the commit numbered `seq`."""

    seq: int
    record: int = -1
    """Index of the last closing record; -1 before the first."""
    at: str = ""
    slot: str | None = None
    """The newest slot that any closed sweep belongs to."""

    @property
    def end(self) -> int:
        """The size that the log had when that sweep was closed."""
        return self.record + 1


def newest_sweep(store: Store, log: Log) -> Newest:
    """The sweep that was closed last, as the log has it."""
    hinted = _hint(store)
    found = hinted if hinted is not None and hinted.end <= log.size else _from_summaries(store, log)
    for commit in _commits(store, found.seq, last_commit(store)):
        if commit.size > log.size:
            break
        found = replace(found, seq=commit.seq)
        for batch, first in commit.places():
            if layout.batch_parts(batch.path)[1] == layout.CLOSED:
                closed = json.loads(batch_lines(store.get(batch.path) or b"", batch.path)[0])
                slots = [slot for slot in (found.slot, closed["slot"]) if slot]
                found = Newest(commit.seq, first, closed["at"], max(slots, default=None))
    if found != hinted:
        store.put(layout.NEWEST_SWEEP, canonical(asdict(found)))
    return found


def _hint(store: Store) -> Newest | None:
    value = read_hint(store, layout.NEWEST_SWEEP)
    seq, record, at, slot = (value.get(name) for name in ("seq", "record", "at", "slot"))
    if isinstance(seq, int) and isinstance(record, int) and isinstance(at, str) and isinstance(slot, str | None):
        return Newest(seq, record, at, slot) if seq > 0 and store.exists(layout.commit(seq)) else None
    return None


def _from_summaries(store: Store, log: Log) -> Newest:
    known = state.summaries(store, log)
    seq = next((seq for seq in range(last_commit(store), 0, -1) if read_commit(store, seq).size <= log.size), 0)
    if not known:
        return Newest(seq)
    slots = [summary["slot"] for summary in known if summary["slot"]]
    return Newest(seq, known[-1]["closed_record"], known[-1]["closed_at"], max(slots, default=None))


def _commits(store: Store, after: int, upto: int) -> Iterator[Commit]:
    with ThreadPoolExecutor(READERS, "commits") as pool:
        for start in range(after + 1, upto + 1, READERS):
            numbers = range(start, min(start + READERS, upto + 1))
            yield from pool.map(lambda seq: read_commit(store, seq), numbers)
