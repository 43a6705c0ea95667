"""Those who vouch for checkpoints, or keep copies of them: what each is asked, and what it is to be owed something by one.

An *authority* gives a timestamp (`shared.seal.timestamp`), a *witness* a cosignature (`shared.seal.witness`); a *copy* is kept where the
owner of the store has no say (`shared.seal.webhook`, `shared.seal.blob_copy`). None of them is ever waited for by what seals.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

Sort = Literal["timestamp", "cosignature", "copy"]

CLOCKS = timedelta(seconds=60)
"""How far two good clocks may be apart."""

ENDINGS: dict[Sort, str] = {"timestamp": "tsr", "cosignature": "cosig"}
"""Of the file that is written beside the checkpoint; a copy leaves none."""


class Owed(Exception):
    """It was not given. The message is a few words for people: what happened, and what to do where something can be done."""

    def __init__(self, reason: str, *, wait: float | None = None, grave: bool = False, seen: int | None = None) -> None:
        super().__init__(reason)
        self.wait = wait
        """Seconds that it asks to be left alone for."""
        self.grave = grave
        """It says that this log is not the one that it saw: an alarm, however the evidence looks from here."""
        self.seen = seen
        """Grave where the log has fewer records than this, which it says it saw."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A checkpoint that somebody is asked to vouch for, or to keep."""

    origin: str
    size: int
    checkpoint: bytes
    """The signed note, as it is in the store."""
    seen: int
    """The size that this one vouched for last, as far as is known."""
    consistency: Callable[[int], Sequence[bytes]]
    """The hashes which show that the log at `size` extends the one of another size."""
    beside: Mapping[str, bytes]
    """For copies: what others said of this checkpoint already, by the name of the file beside it."""
    now: datetime
    latest: Callable[[], datetime | None] = lambda: None
    """The latest time of its newest records; None: not known. None of them can be younger than what is said of it."""

    def refuse_the_past(self, what: str, at: datetime, accuracy: timedelta = timedelta(0)) -> None:
        """Refuse what would contradict the records for ever, were it kept: somebody's clock is wrong, and tomorrow it may be right.

        Raises:
            Owed: `at` is before the newest records.
        """
        latest = self.latest()
        if latest is not None and at + accuracy + CLOCKS < latest:
            raise Owed(f"its {what} is of {at:%Y-%m-%d %H:%M:%S} UTC, and the newest record of {latest:%Y-%m-%d %H:%M:%S}: one of the clocks is wrong")


class Attestor(Protocol):
    """One of them."""

    @property
    def name(self) -> str:
        """Part of the name of what it gives, and its name in `state/`."""

    @property
    def sort(self) -> Sort:
        """What it gives."""

    def ask(self, asked: Asked) -> bytes:
        """Ask once. What it gave, found to be right; nothing, where there is nothing to be kept here.

        Raises:
            Owed: it did not.
        """
