"""Deletions, concluded again: each follows from the records that it names, and none is missing where two whole inventories follow each other.

The records that a deletion names lie anywhere before it. So deletions are put aside in a file while the log streams by, and when it is
over they are taken up again, some at a time, with the records they name read a second time. In memory is one such portion, and the last
inventory of each kind and unit.
"""

import json
import tempfile
from array import array
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import IO, Final

from shared.canonical import Json, canonical
from shared.deliver import shapes
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.sweep import SweepState, UnitRecords
from shared.deliver.verify.verdict import Tally
from shared.judge.assemble import Entry, Likeness, entry_of
from shared.judge.lives.fold import NOT_SERVED, gone_from
from shared.judge.lives.given import ACTIVITY
from shared.judge.lives.inventory import Inventory, Shelf
from shared.judge.lives.kinds import ACCOUNT, BY_NAME, BY_QUESTION
from shared.judge.lives.recompute import FIELDS, compared, concluded
from shared.records import whole

PORTION: Final = 2_000
"""Deletions that are concluded again at a time."""

Read = Callable[[Sequence[int]], Iterable[tuple[int, bytes]]]
"""Gives the lines of the records at these ascending indexes, as far as they are here, in that order."""

_OF_ACCOUNTS: Final = BY_QUESTION.keys() - {ACCOUNT.question}

_NOTHING: Final = "cannot be concluded again"


def told(value: Json) -> Json:
    """Of a deletion record, what a unit is judged with."""
    return {name: value[name] for name in FIELDS if name in value}


def say_deletions(tally: Tally) -> None:
    """Say how many deletions were concluded again, and what of them was not."""
    if tally.counts["deletions"]:
        tally.checked.append(f"{tally.counts['deletions concluded again']:,} of {tally.counts['deletions']:,} deletions follow from the records they name")
        tally.unchecked("since when what is gone had been listed (`first_seen`): it is what the collector remembered")
    tally.unchecked("what was said of changes between sweeps: their records are proven, not derived again")


class Deletions:
    """Takes in deletions and the inventories that they are about; `finish` concludes them again."""

    def __init__(self, tally: Tally, bodies: Parsed) -> None:
        self._tally = tally
        self._bodies = bodies
        self._shelf = Shelf(self._load, 16 * 1024 * 1024)
        self._aside: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=8 << 20)  # noqa: SIM115 - goes with the verifier
        self._places = array("Q")
        self._known: set[int] = set()
        self._before: dict[int, list[tuple[int, str]]] = {}
        """What is superseded and was not taken in: by whom, and the unit that it has to be of."""
        self._last: dict[tuple[str, str], tuple[Likeness, int]] = {}
        """By question and unit: the last whole inventory, and its record."""
        self._owed: dict[tuple[str, str], int] = {}
        """What is gone and no deletion says so yet: kind and id; and at which record that shows."""
        self.named: set[int] = set()
        """The records that deletions rest on, and take the place of."""

    def _load(self, digest: str) -> Json:
        return self._bodies.load(digest)

    # -- as they come by ------------------------------------------------------------------------------------------------

    def take(self, index: int, value: Json, resource: str) -> None:
        """A deletion of the unit that is about `resource`."""
        self.named.update(value["records"], value["supersedes"])
        for earlier in value["supersedes"]:
            if earlier not in self._known:  # of a sweep before those that are read, or none at all
                self._before.setdefault(earlier, []).append((index, value["unit"]))
        if value["account"] != resource and not f"{value['account']}/".startswith(f"{resource}/"):
            self._tally.problem("deletion", f"is about {value['account']}, which is not of its unit", record=index)
        self._known.add(index)
        self._owed.pop((value["kind"], value["resource"]), None)
        line = canonical([index, resource, value])
        self._aside.write(line + b"\n")
        self._places.append(index)

    def unit(self, sweep: SweepState, name: str, unit: UnitRecords, deletions: Sequence[tuple[int, Json]], index: int) -> None:
        """The inventories of a unit, and the deletions that were sealed with its findings at `index`: is one missing?"""
        if ACTIVITY not in sweep.plan["questions"].get("subscription", ()):
            return  # of a version that did not reconcile
        resource = sweep.asked[name]["resource"]
        asked = {ACCOUNT.question} if "/accounts/" not in resource else _OF_ACCOUNTS
        found = [(record, like) for record, like in zip(unit.indexes, unit.likes, strict=True) if like.kind in asked and like.resource == resource]
        for record, like in sorted(found, key=itemgetter(0)):
            try:
                inventories = self._follows(like, record)
            except BodyError:
                self._last.pop((like.kind, resource), None)  # said where the record was read
                continue
            if inventories is not None:
                self._owe(*inventories, deletions, index)

    def _follows(self, like: Likeness, record: int) -> tuple[Inventory, Inventory] | None:
        """The whole inventory before, and this one; None where nothing follows. The same rules as in `shared.judge.lives.fold`."""
        key = (like.kind, like.resource)
        before = self._last.get(key)
        if like.failure is not None or not like.digests or (before is not None and record <= before[1]):
            return None
        if before is not None and before[0].digests == like.digests:  # as nearly all of them
            self._last[key] = (like, record)
            return None
        kind = BY_QUESTION[like.kind]
        now = self._shelf.inventory(kind, like.entry(record))
        if now is None:
            if like.status in NOT_SERVED:
                self._last.pop(key, None)
            return None
        self._last[key] = (like, record)
        was = self._shelf.inventory(kind, before[0].entry(before[1])) if before is not None else None
        return (was, now) if was is not None else None

    def _owe(self, was: Inventory, now: Inventory, deletions: Sequence[tuple[int, Json]], index: int) -> None:
        """Note what is gone between two inventories, and of which no deletion says so."""
        said = {(tuple(pair), value["resource"]) for _, value in deletions for pair in value["pairs"]}
        for identifier in gone_from(was, now):
            key = _resource(was, identifier)
            if ((was.record, now.record), key) not in said:
                self._owed[was.kind.name, key] = index

    # -- when all came by -----------------------------------------------------------------------------------------------

    def finish(self, read: Read) -> None:
        """Conclude every deletion again, and say of what is gone without one."""
        for (_, resource), index in sorted(self._owed.items(), key=lambda owed: owed[1]):
            self._tally.problem("deletion", f"{resource} was listed and is listed no more, and no deletion says so", record=index)
        self._superseded(read)
        self._aside.seek(0)
        lines = iter(self._aside)
        while portion := [json.loads(line) for _, line in zip(range(PORTION), lines, strict=False)]:
            self._conclude(portion, read)
        self._aside.close()

    def _superseded(self, read: Read) -> None:
        """What was sealed before the first sweep that is read, and is superseded here: it is brought along, and is what it must be."""
        units = {}
        for place, line in read(sorted(self._before)):
            try:
                value = shapes.parse(line)
            except shapes.RecordError:
                continue  # said where it was read first
            if value["type"] == "deletion":
                units[place] = value.get("unit")
        for earlier, those in sorted(self._before.items()):
            for index, unit in those:
                if earlier >= index or units.get(earlier) != unit:
                    self._tally.problem("deletion", f"supersedes record {earlier}, which is no deletion of this unit before it", record=index)

    def _conclude(self, portion: Sequence[tuple[int, str, Json]], read: Read) -> None:
        needed = sorted({record for _, _, value in portion for record in value["records"]})
        entries = dict(self._entries(read(needed)))
        last: tuple[Json, frozenset[bytes], list[Json]] | None = None
        for index, resource, value in portion:
            missing = [record for record in value["records"] if record not in entries]
            why = f"{_NOTHING}: record {missing[0]}, which it rests on, is not here or is no answer" if missing else None
            if why is None:
                key = [resource, value["records"], value["pairs"], value.get("counted")]
                if last is None or last[0] != key:
                    try:
                        found = [said.as_json() for said in concluded(value, [entries[record] for record in value["records"]], self._shelf, resource)]
                    except BodyError as error:
                        found, why = [], f"{_NOTHING}: {error}"
                    except Exception as error:  # noqa: BLE001 - whatever the records hold, it is said of this one
                        found, why = [], f"{_NOTHING}: it names what nothing can be concluded from ({type(error).__name__})"
                    last = (key, frozenset(canonical(said) for said in found), found)
                if why is None and canonical(told(value)) not in last[1]:
                    why = compared(told(value), last[2])
            if why is not None:
                self._tally.problem("deletion", f"{value['kind']} {value['object']['id'] or ''} of {value['account']}: {why}", record=index)
            else:
                self._tally.counts["deletions concluded again"] += 1

    def _entries(self, lines: Iterable[tuple[int, bytes]]) -> Iterator[tuple[int, Entry]]:
        for index, line in lines:
            try:
                value = whole(shapes.parse(line), self._bodies.load)
                shapes.check_fields(value)
            except (shapes.RecordError, BodyError):
                continue  # said where it was read first
            if value["type"] == "observation" or (value["type"] == "event" and "pages" in value):
                yield index, entry_of(index, value)


def _resource(was: Inventory, identifier: str) -> str:
    """The id by which a deletion names what an inventory lists."""
    if was.kind.key == "value":
        return identifier
    return f"{was.entry.resource}/{BY_NAME[was.kind.name].collection}/{identifier}".lower()
