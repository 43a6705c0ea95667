"""Time in the stand-in: a callable that the world asks, and the forms in which Azure writes it."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime


def real_time() -> datetime:
    """The clock of this machine."""
    return datetime.now(UTC)


class Clock:
    """A clock that stands still until it is told to move, for tests and the demo: `World(now=Clock(...))`."""

    def __init__(self, start: datetime) -> None:
        self._moment = start.astimezone(UTC)

    def __call__(self) -> datetime:
        """The moment the clock shows."""
        return self._moment

    def advance(self, *, days: float = 0, hours: float = 0, minutes: float = 0, seconds: float = 0) -> datetime:
        """Move forward (or, with negative numbers, back) and return the new moment."""
        self._moment += timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        return self._moment

    def jump_to(self, moment: datetime) -> None:
        """Show `moment` from now on."""
        self._moment = moment.astimezone(UTC)


def stamp(moment: datetime, tick: int = 1) -> str:
    """As in ARM bodies: `2026-11-22T18:00:00.1234567Z`, one digit more than Python's datetime holds.

    `tick` gives that last digit, never 0 (which .NET would leave out).
    """
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}{tick % 9 + 1}Z"


def http_date(moment: datetime) -> str:
    """As in the Date header: `Sun, 22 Nov 2026 18:00:00 GMT`."""
    return format_datetime(moment.astimezone(UTC), usegmt=True)
