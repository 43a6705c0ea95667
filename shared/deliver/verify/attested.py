"""What others say of the checkpoints: timestamps of authorities and cosignatures of witnesses, held against the log and its times.

A timestamp shows that the checkpoint, and so every record before it, existed at a time that somebody else's clock says. A cosignature shows
that somebody saw the log at this size, grown out of all that he had seen of it before. Who these are to be trusted is the reader's to say:
`Trusted`. Leaves out: revocation; whether the clocks of others were right; what was never vouched for (said, as not checked).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from shared import layout
from shared.deliver.verify.closing import Closed
from shared.deliver.verify.verdict import Tally, shown
from shared.errors import VerificationError
from shared.seal import cosignature
from shared.seal.attestor import CLOCKS
from shared.seal.timestamp import Stamp, verify_stamp


@dataclass(frozen=True, slots=True)
class Trusted:
    """Whom the reader trusts besides the keeper of the log. None: nobody, and what they say is not looked at."""

    roots: tuple[x509.Certificate, ...] | None = None
    witnesses: tuple[cosignature.WitnessKey, ...] | None = None


NOBODY = Trusted()


class Marks:
    """Hands records on, and notes the latest time of all those before each of some sizes of the log."""

    def __init__(self, sizes: Iterable[int], take: Callable[[int, list[bytes]], None], last_at: Callable[[], str]) -> None:
        self._sizes = sorted(sizes)
        self._take = take
        self._last_at = last_at
        self._noted: list[str] = []

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take in the records from `first` on."""
        while lines:
            self._note_below(first)
            place = len(self._noted)
            cut = self._sizes[place] - first if place < len(self._sizes) else len(lines)
            self._take(first, lines[:cut])
            first, lines = first + cut, lines[cut:]

    def _note_below(self, index: int) -> None:
        while len(self._noted) < len(self._sizes) and self._sizes[len(self._noted)] <= index:
            self._noted.append(self._last_at())

    def latest(self, size: int) -> datetime | None:
        """The latest time that a record before `size` has; None where there is none that can be read. For when all records are there."""
        place = bisect_left(self._sizes, size)
        text = self._noted[place] if place < len(self._noted) else self._last_at()
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            return None


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that was said, and holds."""

    by: str
    size: int
    at: datetime
    slack: timedelta = timedelta(0)
    """By how much the time may be wrong, as he says himself."""


class Attested:
    """The files beside the checkpoints of one log: gathered first, checked when all records were read."""

    def __init__(self, folder: str, trusted: Trusted, tally: Tally) -> None:
        """`folder`: where they are, for messages."""
        self._folder = folder
        self._trusted = trusted
        self._tally = tally
        self._names: dict[int, list[str]] = {}
        self._unread: Counter[str] = Counter()
        self.stamps: list[Said] = []
        self.cosigned: list[Said] = []

    def add(self, name: str) -> bool:
        """Take note of a file; False where it is not one that belongs beside a checkpoint."""
        try:
            size = layout.attestation_parts(name)[0]
        except ValueError:
            return False
        self._names.setdefault(size, []).append(name)
        return True

    @property
    def sizes(self) -> list[int]:
        """The sizes of the checkpoints that somebody vouches for, ascending."""
        return sorted(self._names)

    def check(self, checkpoint: Callable[[int], bytes | None], read: Callable[[str], bytes | None], marks: Marks) -> None:
        """Check each of them. `checkpoint` gives the checkpoint of a size, `read` a file; None where it is missing, or was found to be bad."""
        before = 0
        for size in self.sizes:
            signed = checkpoint(size)
            for name in sorted(self._names[size]):
                if signed is None:
                    self._problem(
                        name, f"vouches for a checkpoint of {size} records that is not here: the newest records were cut off, or it is not of this log"
                    )
                elif (said := self._said(name, size, signed, read)) is not None:
                    self._compare(name, said, marks, before)
            before = size

    def _problem(self, name: str, reason: str) -> None:
        self._tally.problem("attestation", reason, file=self._folder + name)

    # -- one of them ------------------------------------------------------------------------------------------------------

    def _said(self, name: str, size: int, signed: bytes, read: Callable[[str], bytes | None]) -> Said | None:
        """What the file shows; None where it shows nothing, which is noted."""
        stamp = name.endswith(".tsr")
        if (self._trusted.roots if stamp else self._trusted.witnesses) is None:
            self._unread["timestamps" if stamp else "cosignatures"] += 1
            return None
        data = read(name)
        if data is None:
            return None
        try:
            found = self._stamp(size, signed, data) if stamp else self._cosignature(size, signed, data)
        except VerificationError as error:
            what = "timestamp" if stamp else "cosignature"
            self._problem(name, f"the {what} over {size} records does not hold: {error}")
            return None
        if found is not None:
            (self.stamps if stamp else self.cosigned).append(found)
        return found

    def _stamp(self, size: int, signed: bytes, data: bytes) -> Said | None:
        try:
            found: Stamp = verify_stamp(data, signed, self._trusted.roots or ())
        except ImportError:
            self._unread["tokens"] += 1
            return None
        return Said(found.authority, size, found.at, found.accuracy)

    def _cosignature(self, size: int, signed: bytes, data: bytes) -> Said | None:
        found = cosignature.cosignatures(cosignature.beside(signed, data), self._trusted.witnesses or ())
        if not found:
            self._unread["of witnesses whose keys were not given"] += 1
            return None
        return Said(found[0].key.name, size, found[0].at)

    def _compare(self, name: str, said: Said, marks: Marks, before: int) -> None:
        """No record can be younger than what was said of it."""
        latest = marks.latest(said.size)
        if latest is not None and latest > said.at + said.slack + CLOCKS:
            self._problem(
                name, f"{said.by} vouched for the first {said.size} records at {_time(said.at)}, and one of those from {before} on says that it is of "
                f"{_time(latest)}: the collector's clock was ahead, or that time is false",
            )  # fmt: skip

    # -- what it comes to -------------------------------------------------------------------------------------------------

    def conclude(self, size: int, closings: Sequence[Closed]) -> None:
        """Say what all of it shows about a log of `size` records."""
        tally = self._tally
        tally.counts["timestamps"], tally.counts["cosignatures"] = len(self.stamps), len(self.cosigned)
        for newest, count in _newest(self.stamps):
            tally.checked.append(f"the first {newest.size:,} records existed at {_time(newest.at)}, says {shown(newest.by)} ({_many(count, 'timestamp')})")
        if self.stamps:
            tally.checked.append(self._longest(closings))
            tally.unchecked("whether an authority's certificate was revoked, and whether its clock was right")
        for newest, count in _newest(self.cosigned):
            tally.checked.append(
                f"{shown(newest.by)} saw the log at {newest.size:,} records at {_time(newest.at)}, grown out of all that it had seen before "
                f"({_many(count, 'cosignature')})"
            )
        self._not_checked(size)

    def _longest(self, closings: Sequence[Closed]) -> str:
        """How long records waited until somebody else's clock was over them."""
        ordered = sorted(self.stamps, key=lambda said: said.size)
        earliest: list[datetime] = []  # from the end: the first time at which a checkpoint of this size, or a larger one, was stamped
        for said in reversed(ordered):
            earliest.append(min(said.at, earliest[-1]) if earliest else said.at)
        earliest.reverse()
        sizes = [said.size for said in ordered]
        waits = []
        for closed in closings:
            place = bisect_left(sizes, closed.record + 1)
            if place < len(sizes):
                waits.append((earliest[place] - datetime.fromisoformat(closed.at), closed.record))
        if not waits:
            return "no sweep that is here was over when a timestamp was made"
        wait, record = max(waits)
        return f"no sweep waited longer for a timestamp than {_span(wait)} from its end (the one closed by record {record})"

    def _not_checked(self, size: int) -> None:
        tally, unread, trusted = self._tally, self._unread, self._trusted
        if unread["timestamps"]:
            tally.unchecked(f"{_many(unread['timestamps'], 'timestamp')}: give the root certificates of the authorities that you trust, --tsa-roots PEM")
        if unread["tokens"]:
            tally.unchecked(f"{_many(unread['tokens'], 'timestamp')}: that needs the package rfc3161-client (pip install rfc3161-client)")
        if unread["cosignatures"]:
            tally.unchecked(f"{_many(unread['cosignatures'], 'cosignature')}: give the keys of the witnesses that you trust, --witness VKEY")
        if other := unread["of witnesses whose keys were not given"]:
            tally.unchecked(f"{_many(other, 'cosignature')} of witnesses whose keys were not given")
        if trusted.roots is not None and not unread["tokens"]:
            covered = max((said.size for said in self.stamps), default=0)
            if covered < size:
                tally.unchecked(f"when the newest {_many(size - covered, 'record')} of {size:,} were made, but by the collector's clock: no timestamp is over them")
        if trusted.witnesses is not None:
            covered = max((said.size for said in self.cosigned), default=0)
            if covered < size:
                tally.unchecked(f"that the newest {_many(size - covered, 'record')} of {size:,} were seen by a witness: no cosignature is over them")


def held_cosigned(held: bytes, trusted: Trusted, tally: Tally) -> None:
    """Say who cosigned the checkpoint that the reader holds.

    Raises:
        VerificationError: it claims to be cosigned by a witness that is trusted, and is not.
    """
    try:
        found = cosignature.cosignatures(held, trusted.witnesses or ())
    except VerificationError as error:
        raise VerificationError(f"the checkpoint held cannot be used: {error}") from None
    for one in found:
        tally.checked.append(f"the checkpoint held was cosigned by {shown(one.key.name)} at {_time(one.at)}")


def _newest(said: Sequence[Said]) -> list[tuple[Said, int]]:
    """Of each who spoke, the largest that he vouched for, at the earliest time that he did, and how often he spoke."""
    counts = Counter(one.by for one in said)
    best: dict[str, Said] = {}
    for one in said:
        known = best.get(one.by)
        if known is None or (one.size, -one.at.timestamp()) > (known.size, -known.at.timestamp()):
            best[one.by] = one
    return [(best[by], counts[by]) for by in sorted(best)]


def _time(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def _span(span: timedelta) -> str:
    seconds = max(round(span.total_seconds()), 0)
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    return f"{seconds // 3600} h" if seconds < 172_800 else f"{seconds // 86_400} days"


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
