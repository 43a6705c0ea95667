"""What happens by itself when its time has come: expiry, the end of a training, purges. Each happens at its own moment, however late it is noticed."""

import heapq
from collections.abc import Callable
from datetime import datetime
from itertools import count


class Due:
    """Things to come, by time. An action that finds nothing to do any more does nothing."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Callable[[], object]]] = []
        self._serial = count()

    def add(self, at: datetime, action: Callable[[], object]) -> None:
        """Let `action` happen at a moment."""
        heapq.heappush(self._heap, (at, next(self._serial), action))

    def take(self, now: datetime) -> tuple[datetime, Callable[[], object]] | None:
        """The next thing whose time has come, taken out; None where there is none."""
        if not self._heap or self._heap[0][0] > now:
            return None
        at, _, action = heapq.heappop(self._heap)
        return at, action
