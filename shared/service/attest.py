"""The use-case `attest`: have others vouch for checkpoints, and keep copies of them. Run after every sealing, and never waited for by one.

Each is asked in a thread of its own, with short time-outs, and none hears of another's trouble. One run takes BUDGET seconds and little
more; what does not work is owed, and asked for again later (`shared.seal.debts`). Order of writes, each of which may be the last:

    1  <size>.<name>.tsr, .cosig    create-if-absent: of two at once, what the first one got stands; a run that finds one does not ask again
    2  state/attested.json          what was given, and to which copies it is owed for that
    3  the copies
    4  state/attested.json          which copies have it

Leaves out: when a checkpoint is signed, and whether what was given is worth anything to a reader (`shared.deliver.verify.attested`).
"""

import contextlib
import json
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import EvidenceError, StoreConflict, VerificationError
from shared.records import moment
from shared.seal import note, tiles
from shared.seal.attestor import ENDINGS, Asked, Attestor, Owed
from shared.seal.commits import Commit, last_commit, parse_commit
from shared.seal.debts import Debt, due, failed, owing, paid, read_debt
from shared.seal.lease import leased
from shared.seal.log import Log, open_log
from shared.seal.store import Store
from shared.service.compose import Clock

BUDGET = 15.0
"""Seconds after which nobody is asked any more in one run."""

SCANNED = 1_000
"""Commits that are looked at for landmarks in one run, at most: the newest."""

@dataclass(frozen=True, slots=True)
class Given:
    """What a run came to, for one checkpoint."""

    name: str
    size: int


def attest(store: Store, attestors: list[Attestor], now: Clock) -> list[Given]:
    """Ask for what is owed; what was given. Nothing where another run is at it.

    Raises:
        Unreachable: the store cannot be reached. That others cannot be is no error: it is written down.
        StoreConflict: the store contradicts itself.
    """
    if not attestors:
        if store.exists(layout.ATTESTED):
            store.delete(layout.ATTESTED)
        return []
    with leased(store, layout.ATTESTING_LOCK) as taken:
        if taken is None:
            return []
        return _Run(store, attestors, now(), time.monotonic() + BUDGET).run()


@dataclass(slots=True)
class _Run:
    store: Store
    attestors: list[Attestor]
    now: datetime
    ends: float
    debts: dict[str, Debt] = field(default_factory=dict)
    given: list[Given] = field(default_factory=list)

    def run(self) -> list[Given]:
        log = open_log(self.store)
        if not log.size:
            return []
        before = read_standing(self.store)
        seen, landmarks = self._landmarks(log, before.seen)
        for one in self.attestors:
            # Whoever is new vouches for what comes: an old checkpoint, vouched for today, says no more than the newest one does.
            debt = before.debts.get(one.name, Debt())
            self.debts[one.name] = owing(debt, landmarks, log.size, self.now, newest_alone=_newest_alone(one))
        self._ask([one for one in self.attestors if one.sort != "copy"], log)
        for size in {given.size for given in self.given}:
            self._owed_to_copies(size)
        self._ask([one for one in self.attestors if one.sort == "copy"], log)
        after = Standing(seen, dict(self.debts), {one.name: one.sort for one in self.attestors})
        if after != before:
            self.store.put(layout.ATTESTED, after.encoded())
        return self.given

    def _landmarks(self, log: Log, seen: int | None) -> tuple[int, list[int]]:
        """The landmarks after the commit `seen`, and the commit that was looked at last. Where nothing was seen: none, and the last."""
        found: list[int] = []
        last = last_commit(self.store)
        start = last - 1 if seen is None or seen > last else max(seen, last - SCANNED)
        looked = max(start, 0)
        for seq in range(start + 1, last + 1):
            commit = parse_commit(self.store.get(layout.commit(seq)) or b"")
            if commit.size > log.size:
                break  # another sequencer is about to sign it
            looked = seq
            if is_landmark(commit) and seen is not None:
                found.append(commit.size)
        return looked, found

    def _owed_to_copies(self, size: int) -> None:
        """What others say of a checkpoint belongs beside its copy, also where the copy was made before."""
        for one in self.attestors:
            if one.sort == "copy":
                debt = self.debts[one.name]
                self.debts[one.name] = replace(debt, owed=tuple(sorted({*debt.owed, size})))

    # -- asking -----------------------------------------------------------------------------------------------------------

    def _ask(self, some: list[Attestor], log: Log) -> None:
        waiting = [(one, sizes) for one in some if (sizes := due(self.debts[one.name], log.size, self.now, newest_alone=_newest_alone(one)))]
        if not waiting:
            return
        with ThreadPoolExecutor(len(waiting), "attest") as pool:
            for result in [pool.submit(self._ask_one, one, sizes) for one, sizes in waiting]:
                result.result()

    def _ask_one(self, one: Attestor, sizes: Iterable[int]) -> None:
        """Ask one for one size after the other, until it does not give, or time is over."""
        for size in sizes:
            if time.monotonic() > self.ends:
                return
            debt = self.debts[one.name]
            try:
                self._one_size(one, size, debt)
            except Owed as owed:
                grave = owed.grave or (owed.seen is not None and owed.seen > open_log(self.store).size)
                self.debts[one.name] = failed(debt, f"{str(owed)[:300]}", self.now, wait=owed.wait, grave=grave)
                return
            self.debts[one.name] = paid(debt, size, self.now, newest_alone=_newest_alone(one))
            self.given.append(Given(one.name, size))

    def _one_size(self, one: Attestor, size: int, debt: Debt) -> None:
        """Ask, and write what it gives.

        Raises:
            Owed: it did not give.
        """
        path = layout.attestation(size, one.name, ENDINGS[one.sort]) if one.sort in ENDINGS else None
        if path is not None and self.store.exists(path):
            return
        data = self._given(one, self._asked(size, debt, self._beside(size) if path is None else {}))
        if path is not None:
            self.store.put_new(path, data)

    def _given(self, one: Attestor, asked: Asked) -> bytes:
        try:
            return one.ask(asked)
        except (Owed, EvidenceError):
            raise
        except ImportError as error:
            raise Owed(f"{error.name or 'a package'} is not installed") from None
        except Exception as error:  # noqa: BLE001 - what a stranger's answer does to a parser must not keep the others from being asked
            raise Owed(f"its answer cannot be read ({type(error).__name__})") from None

    def _asked(self, size: int, debt: Debt, beside: dict[str, bytes]) -> Asked:
        log = Log(self.store, size)
        checkpoint = self.store.get(layout.checkpoint(size))
        try:
            origin = note.parse_checkpoint(note.parse_note(checkpoint or b"").text).origin
        except VerificationError:
            raise Owed(f"{layout.checkpoint(size)} is missing or damaged: run verify --store", grave=True) from None
        assert checkpoint is not None

        def consistency(old: int) -> list[bytes]:
            try:
                return list(log.consistency(old))
            except (VerificationError, StoreConflict, IndexError):
                raise Owed("tiles of the log are missing or damaged: run verify --store", grave=True) from None

        def latest() -> datetime | None:
            try:
                return max(_times(log, max(0, size - tiles.WIDTH)), default=None)
            except StoreConflict:
                raise Owed("the newest records of the log are missing or damaged: run verify --store", grave=True) from None

        return Asked(origin, size, checkpoint, debt.size, consistency, beside, self.now, latest)

    def _beside(self, size: int) -> dict[str, bytes]:
        paths = [layout.attestation(size, one.name, ENDINGS[one.sort]) for one in self.attestors if one.sort in ENDINGS]
        found = {path.removeprefix(layout.CHECKPOINTS): self.store.get(path) for path in paths}
        return {name: data for name, data in found.items() if data is not None}


def _times(log: Log, first: int) -> Iterator[datetime]:
    """When the records from `first` on say that they are of; those that say it in no way that is known are passed over."""
    for _, record in log.records(first, log.size):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            yield moment(record["at"])


def _newest_alone(one: Attestor) -> bool:
    """A witness cosigns nothing older than what it cosigned."""
    return one.sort == "cosignature"


def is_landmark(commit: Commit) -> bool:
    """Whether a commit closes a sweep that a schedule or a person began."""
    parts = [layout.batch_parts(batch.path) for batch in commit.batches]
    return any(name == layout.CLOSED and layout.BY_EVENT not in sweep for sweep, name in parts)


# -- how things stand -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Standing:
    """What `state/attested.json` holds."""

    seen: int | None
    """The commit up to which landmarks were looked for; None: never."""
    debts: dict[str, Debt]
    sorts: dict[str, str]

    def encoded(self) -> bytes:
        """Its bytes."""
        return canonical({"seen": self.seen, "debts": {name: {"sort": self.sorts[name], **debt.as_json()} for name, debt in self.debts.items()}})

    def of(self, size: int) -> list[Json]:
        """One value for each of them, of a log with `size` records: the last that was given, how many are owed, since when, and why."""
        return [
            {
                "name": name, "sort": self.sorts[name], "size": debt.size, "at": debt.at, "since": debt.since, "error": debt.error, "grave": debt.grave,
                "owed": len({*debt.owed, *([size] if size > debt.size else [])}),
            }
            for name, debt in sorted(self.debts.items())
        ]  # fmt: skip


def read_standing(store: Store) -> Standing:
    """How things stood after the last run; nothing where that is lost."""
    try:
        value = json.loads(store.get(layout.ATTESTED) or b"null")
        seen, debts = value["seen"], dict(value["debts"])
        sorts = {name: str(debt.pop("sort")) for name, debt in debts.items()}
        return Standing(seen if type(seen) is int else None, {name: read_debt(debt) for name, debt in debts.items()}, sorts)
    except (ValueError, TypeError, KeyError, AttributeError):
        return Standing(None, {}, {})


def owed_line(one: Json) -> str | None:
    """What somebody owes, as a line for people; None where it is nothing, or was not due yet."""
    if not one["owed"] or (one["error"] is None and one["at"] is not None):
        return None
    noun = {"timestamp": "a timestamp", "cosignature": "a cosignature", "copy": "a copy"}[one["sort"]]
    count = "1 checkpoint is" if one["owed"] == 1 else f"{one['owed']} checkpoints are"
    return f"{one['name']}: {count} owed {noun} since {one['since']}: {one['error'] or 'not asked yet'}"
