"""Operations by the resource that they were on, out of answers about the Activity Log and events; and which of these answers a time needs. Pure."""

from collections.abc import Callable, Iterable
from typing import Final

from shared.judge.assemble import EVENT, Entry
from shared.judge.attribution.changed import Changed
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.operations import Operation, operations
from shared.judge.lives.times import CLOCKS, LATENCY, plus

MOST: Final = 64
"""Answers that are gone back through, at most: what was not looked at for so long stays as far as it was read."""


class Ledger:
    """What a set of answers of one question, or the failure of it, and of events tell. `entries` stands for all of them, in the order of the log."""

    def __init__(self, entries: Iterable[Entry], shelf: Shelf) -> None:
        self.entries = tuple(sorted({entry.record: entry for entry in entries}.values(), key=lambda entry: entry.record))
        self._by: dict[str, list[Operation]] = {}
        for operation in operations((entry for entry in self.entries if entry.failure is None), shelf):
            if operation.outcome != "failed" and operation.name.endswith(("/write", "/delete")):
                self._by.setdefault(operation.resource, []).append(operation)

    def on(self, resource: str) -> list[Operation]:
        """The writes and deletions of a resource that did not fail, by time."""
        return self._by.get(resource, [])

    def failure(self) -> str | None:
        """Why the newest question was not answered; None where it was."""
        logs = [entry for entry in self.entries if entry.kind != EVENT]
        return logs[-1].failure if logs else "it was not asked"

    def reach(self) -> tuple[str, str] | None:
        """From when to when the log was read without a hole, to the end of the newest answer; None where it was not."""
        windows = [entry.window for entry in self.entries if entry.failure is None and entry.window is not None]
        if not windows:
            return None
        windows.sort(key=lambda window: window.end)
        start, end = windows[-1].start, windows[-1].end
        for window in reversed(windows[:-1]):
            if window.end >= start:
                start = min(start, window.start)
        return start, end


def covers(reach: tuple[str, str] | None, changed: Changed) -> bool:
    """Whether a log that was read over that time has all that it will ever have of a change."""
    if reach is None or changed.since is None:
        return False
    return reach[0] <= plus(changed.since, -CLOCKS) and reach[1] >= plus(changed.until, LATENCY)


def chain(newest: Entry, since: str | None, entry_at: Callable[[int], Entry | None]) -> list[Entry]:
    """A question's newest answer and those before it, as its window names them, until they reach back to `since`; of a failure, that alone.

    `entry_at` gives the answer at an index; None where it cannot be had.
    """
    found = [newest]
    while len(found) < MOST and since is not None:
        window = found[-1].window
        if found[-1].failure is not None or window is None or window.record is None or window.start <= plus(since, -CLOCKS):
            break
        before = entry_at(window.record)
        if before is None or before.failure is not None or (before.kind, before.resource) != (newest.kind, newest.resource):
            break
        found.append(before)
    return found[::-1]
