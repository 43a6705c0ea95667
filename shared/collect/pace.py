"""Azure's read limits, honoured before Azure has to say so: a token bucket for each subscription, account or service.

Source: Azure Resource Manager request limits: 250 reads at once, refilled at 25 a second, per subscription and principal. When
Azure asks all the same for patience (429 with Retry-After), every thread that reads from that subscription waits.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass

BURST = 250


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float
    held_until: float = 0.0


class Pace:
    """When the next read may be sent. `per_second` 0 means as fast as Azure allows; holds are obeyed in any case.

    `monotonic` gives seconds, `sleep` waits for some; `burst` reads may be sent at once.
    """

    def __init__(self, per_second: float, monotonic: Callable[[], float], sleep: Callable[[float], None], burst: int = BURST) -> None:
        self._per_second = per_second
        self._burst = burst
        self._monotonic = monotonic
        self._sleep = sleep
        self._buckets: dict[str, _Bucket] = {}
        self._lock = threading.Lock()

    def wait(self, subscription: str) -> None:
        """Return when a read from `subscription` may be sent."""
        while (delay := self._take(subscription)) > 0:
            self._sleep(delay)

    def _take(self, subscription: str) -> float:
        with self._lock:
            now = self._monotonic()
            bucket = self._buckets.setdefault(subscription, _Bucket(self._burst, now))
            if bucket.held_until > now:
                return bucket.held_until - now
            if not self._per_second:
                return 0.0
            bucket.tokens = min(self._burst, bucket.tokens + (now - bucket.filled) * self._per_second)
            bucket.filled = now
            if bucket.tokens < 1:
                # At least a millisecond: a wait too short for the clock to notice would be waited for for ever.
                return max((1 - bucket.tokens) / self._per_second, 0.001)
            bucket.tokens -= 1
            return 0.0

    def hold(self, subscription: str, seconds: float) -> None:
        """Send nothing more to `subscription` for so long: Azure said so."""
        with self._lock:
            now = self._monotonic()
            bucket = self._buckets.setdefault(subscription, _Bucket(self._burst, now))
            bucket.held_until = max(bucket.held_until, now + seconds)
