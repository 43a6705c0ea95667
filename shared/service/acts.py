"""Sealed acts of people: who decided what, and why, as records in numbered batches. What holds and waivers have in common.

Each act is one record, alone in its batch at `layout.act(kind, number)`, numbered from 1 without a gap, so that reading them all needs no
list of batches. Whoever ordered it is a personal value. One that is killed half-way is sealed by the next command that opens the store
with `ready_to_act`; what it was about is then in force, and the same command again finds it and adds nothing.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Misuse, StoreConflict
from shared.privacy.disclosures import Disclosures
from shared.records import line, record, timestamp, whole
from shared.seal.commits import last_commit, read_commit
from shared.seal.log import open_log
from shared.seal.store import Store, get_body, put_body, read_hint
from shared.service import state
from shared.service.compose import Clock, Sealing, random_bytes, sealing
from shared.settings import Settings

LONGEST = 2_000
"""Characters of a reason, or a name: they are shown wherever what was decided is, in lines and tables."""


@dataclass(frozen=True, slots=True)
class Act:
    """One act, as it is in the store: sealed, or about to be."""

    number: int
    at: str
    said: Json
    """The member of its record that is named like its kind."""


def ready_to_act(settings: Settings, store: Store, what: str, owner: str, reason: str) -> Sealing:
    """The store, opened for an act.

    Raises:
        Misuse: nobody is named, or no reason is given in one line; no store, or no key.
    """
    if not owner.strip() or not reason.strip():
        raise Misuse(f"{what} needs --owner, who ordered it, and --reason, why: both go into the evidence")
    for option, text in (("--owner", owner), ("--reason", reason)):
        if not text.isprintable() or len(text) > LONGEST:
            raise Misuse(f"{option} must be one line of at most {LONGEST:,} characters: it goes into the evidence, and is shown beside what it is about")
    ready = sealing(settings, store)
    ready.sequencer.seal()  # an act that was killed before its record was sealed
    return ready


def acts(store: Store, kind: str) -> Iterator[Act]:
    """Every act of a kind, in the order of their numbers.

    Raises:
        StoreConflict: what is at the path of one is none.
    """
    number = 1
    while (data := store.get(layout.act(kind, number))) is not None:
        try:
            value = whole(json.loads(data), lambda digest: json.loads(get_body(store, digest)))  # a reason of 60 KB, as once could be given
            said, at = value[kind], str(value["at"])
        except (ValueError, KeyError, TypeError, RecursionError):
            said, at = None, ""
        if not isinstance(said, dict):
            raise StoreConflict(f"{layout.act(kind, number)} holds no {kind}: run verify --store")
        yield Act(number, at, said)
        number += 1


def personal(ready: Sealing, value: str) -> Json:
    """A personal value as the evidence has it: a commitment, unless the store keeps such values."""
    if ready.facts["personal_data"] == "commit":
        return json.loads(Disclosures(ready.store, random_bytes).commit(value))
    return value


def seal_act(ready: Sealing, kind: str, said: Json, now: Clock, *, type_: str = "event", resource: str | None = None) -> int:
    """Seal the record of an act under the next number that is free, and return the number. `said["owner"]` is `personal` already."""
    store, sequencer, at = ready.store, ready.sequencer, timestamp(now())

    def numbered(number: int) -> bytes:
        state.mark_open(store, layout.act_sweep(kind, number), sequencer.seq)
        about: Json = {kind: {**said, "number": number}}
        value = record(type_, at, sweep=None, kind=kind, resource=resource, **about)
        return line(value, lambda body: put_body(store, body)) + b"\n"

    number = sum(1 for _ in acts(store, kind)) + 1
    while not store.put_new(layout.act(kind, number), numbered(number)):
        number += 1
    sequencer.seal()
    store.delete(layout.open_sweep(layout.act_sweep(kind, number)))
    return number


def records_of(store: Store, kind: str, numbers: set[int]) -> dict[int, int]:
    """The index in the log of each of these acts, as far as they are sealed. Looks through the commits, the newest first."""
    wanted = {layout.act(kind, number): number for number in numbers}
    found: dict[int, int] = {}
    for seq in range(last_commit(store), 0, -1):
        if len(found) == len(wanted):
            break
        found |= {wanted[batch.path]: first for batch, first in read_commit(store, seq).places() if batch.path in wanted}
    return found


def places(store: Store, kind: str) -> dict[int, int]:
    """The index in the log of each act of a kind, as far as they are sealed."""
    return _places(store, kind, list(acts(store, kind)))[0]


def acts_within(store: Store, kind: str, size: int, *, note: bool = False) -> list[tuple[int, Act]]:
    """Every act of a kind that is among the first `size` records of the log, with its index, in the order of their numbers.

    `note`: where each is, is noted in `state/` for the next time.
    """
    found = list(acts(store, kind))
    known, looked = _places(store, kind, found)
    if note and looked:
        store.put(layout.acts_noted(kind), canonical({str(number): place for number, place in known.items()}))
    return [(known[act.number], act) for act in found if known.get(act.number, size) < size]


def _places(store: Store, kind: str, found: list[Act]) -> tuple[dict[int, int], bool]:
    """Where these acts are, and whether the commits had to be looked through for any: an old one lies behind thousands of them.

    What was noted of it is compared with the log.
    """
    if not found:
        return {}, False
    log, noted = open_log(store), read_hint(store, layout.acts_noted(kind))

    def holds(act: Act) -> bool:
        place = noted.get(str(act.number))
        if not isinstance(place, int) or not 0 <= place < log.size:
            return False
        sealed = whole(next(log.records(place, place + 1))[1], lambda digest: json.loads(get_body(store, digest)))
        return bool(sealed.get("at") == act.at and sealed.get(kind) == act.said)

    known = {act.number: int(noted[str(act.number)]) for act in found if holds(act)}
    lost = {act.number for act in found} - known.keys()
    return known | records_of(store, kind, lost), bool(lost)
