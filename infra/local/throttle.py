"""Azure Resource Manager's read limit: a token bucket for each subscription, 250 deep, filled with 25 a second.

Documented in request-limits-and-throttling; real buckets are also kept per region and principal, of which there is one here.
Time is the machine's monotonic clock, not the world's: throttling is about load, and the world's clock may stand still.
"""

import time
from collections.abc import Callable


class TokenBuckets:
    """One bucket for each subscription, and one for requests outside any."""

    def __init__(self, burst: int = 250, per_second: float = 25.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst = burst
        self.per_second = per_second
        self._clock = clock
        self._held: dict[str | None, tuple[float, float]] = {}

    def take(self, subscription: str | None) -> tuple[int, float]:
        """Take a token: (what remains, 0.0), or (0, seconds until there is one again) if there is none."""
        now = self._clock()
        tokens, since = self._held.get(subscription, (float(self.burst), now))
        tokens = min(float(self.burst), tokens + (now - since) * self.per_second)
        if tokens < 1.0:
            self._held[subscription] = (tokens, now)
            return 0, (1.0 - tokens) / self.per_second
        self._held[subscription] = (tokens - 1.0, now)
        return int(tokens - 1.0), 0.0
