"""Where the sealed batches of open sweeps are: names and record indexes, out of the commits.

Each commit is read once, however many sweeps are open; only those since the oldest of them began are read. What is kept grows with the
batches sealed since then: about 200 bytes each.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from shared import layout

if TYPE_CHECKING:
    from shared.seal.commits import Commit


class Places:
    """The places of batches, by sweep and name."""

    def __init__(self, read: Callable[[int], "Commit"]) -> None:
        """`read` gives the commit of a number, which is there."""
        self._read_commit = read
        self._places: dict[str, dict[str, tuple[int, int]]] = {}
        self._read: tuple[int, int] | None = None
        """The commits above the first number, up to the second, were read."""

    def of(self, sweep: str, *, since: int, seq: int) -> Mapping[str, tuple[int, int]]:
        """By name, index of the first record and number of records; `since`, `seq`: the commits that may hold batches of the sweep."""
        lowest, highest = self._read or (since, since)
        for number in (*range(since + 1, lowest + 1), *range(highest + 1, seq + 1)):
            for batch, first in self._read_commit(number).places():
                owner, name = layout.batch_parts(batch.path)
                self._places.setdefault(owner, {})[name] = (first, batch.records)
        self._read = min(since, lowest), max(highest, seq)
        return self._places.setdefault(sweep, {})
