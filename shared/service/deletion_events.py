"""Events of Azure's that tell of deletions, as the log holds them: witnesses beside the Activity Log (`shared.service.reconciling`).

They are sealed as they come, apart from sweeps. Where they stand is read off the commits, from the newest back to where a unit's last
sweep was judged: a few look-ups. Events of other operations are passed over: they say nothing of a deletion.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from shared import layout
from shared.judge.assemble import Entry, entry_of
from shared.judge.lives.operations import DELETIONS
from shared.recent import Recent
from shared.seal.commits import BatchRef, last_commit, read_commit
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store

CommitEvents = Recent[int, tuple[int, tuple[Entry, ...]]]
"""Of commits that were read: the index of the first record, and the events of deletions. They never change, and many sweeps look at the same."""


def commit_events() -> CommitEvents:
    """Room for some ten thousand commits."""
    return CommitEvents(10_000)


@dataclass(slots=True)
class DeletionEvents:
    """The events among the records that are sealed."""

    store: Store
    read: CommitEvents = field(default_factory=commit_events)
    _seq: int | None = None
    """The number of the newest commit that was not looked at yet."""
    _size: int = 0
    _from: int = 0
    """All from this index on are known."""
    _known: list[Entry] = field(default_factory=list)
    """In the order of the log."""

    def size(self, at_least: int) -> int:
        """How many records are sealed; looked up anew where they must be `at_least` so many."""
        if self._seq is None or self._size < at_least:
            self._begin()
        return self._size

    def about(self, resource: str, first: int, end: int) -> Sequence[Entry]:
        """Those of the records [first, end) that are about an account, or of a subscription about anything in it.

        Raises:
            StoreConflict: a commit, or an event, is not what was sealed.
        """
        self._reach_back(first)
        return [event for event in self._known if first <= event.record < end and f"{event.resource}/".startswith(f"{resource}/")]

    def _begin(self) -> None:
        self._seq, self._known = last_commit(self.store), []
        self._size = self._from = read_commit(self.store, self._seq).size if self._seq else 0

    def _reach_back(self, first: int) -> None:
        if self._seq is None:
            self._begin()
        while self._seq and self._from > first:
            self._from, events = self._of(self._seq)
            self._known = [*events, *self._known]
            self._seq -= 1

    def _of(self, seq: int) -> tuple[int, tuple[Entry, ...]]:
        found = self.read.get(seq)
        if found is None:
            commit = read_commit(self.store, seq)
            places = (place for place in commit.places() if layout.batch_parts(place[0].path)[1] == layout.EVENT)
            found = commit.first, tuple(self._deletions(places))
            self.read.put(seq, found, 1 + len(found[1]))
        return found

    def _deletions(self, places: Iterator[tuple[BatchRef, int]]) -> Iterator[Entry]:
        for batch, index in places:
            value = json.loads(batch_lines(self.store.get(batch.path) or b"", batch.path)[0])
            operation = (value.get("event") or {}).get("operation")
            if isinstance(operation, str) and operation.casefold() in DELETIONS:
                yield entry_of(index, value)
