"""The use-case `key rotate`: another list of keys is sealed, and the checkpoint that covers it is signed by the keys before and after it.

Whoever trusts an old key is led to the new ones by that checkpoint. Done again, it finishes what was begun, or finds that there is
nothing to do; two at once make one change. A change that was begun and cannot be finished any more, since its new key is gone, is followed
by another one in the same step. Order of writes:

    1  the new key file             only where `to` names one that is not there; never replaced
    2  batch/keys/<number>.jsonl    the change is begun; collectors go on with the keys in force
    3  commit                       from here on nothing else is appended until the checkpoint is there
    4  tiles, checkpoint            the change is in force
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from shared import layout
from shared.errors import Misuse
from shared.records import line, record, timestamp
from shared.seal import note
from shared.seal.key_list import KIND, KeyList, change_fields, parse_change
from shared.seal.keys import Keys, read_keys
from shared.seal.pen import Pen, try_out
from shared.seal.sequencer import Sequencer
from shared.seal.signing import Signer, create_key_file, new_private_key
from shared.seal.store import InFolder, Store, put_body
from shared.service.compose import Clock, not_in_force, store_facts, utc_now
from shared.service.signers import FIRST, SECOND, Place, current, first_place, listed_at, place, second_place, vaults_of
from shared.service.stores import store_of
from shared.settings import Settings

NONE = "none"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which keys are to sign from now on, and why."""

    to: str | None = None
    """Place of the first key; None: where the settings name it, in the version that is current in its vault."""
    second: str | None = None
    """Place of the second key, or `none`; None: as the settings say."""
    lost: bool = False
    """Go on without those of the keys in force that cannot sign."""
    reason: str | None = None
    algorithm: str = "ed25519"
    """Of a key file that has to be made."""


@dataclass(frozen=True, slots=True)
class Rotated:
    """What a change of keys came to."""

    changed: bool
    """False: the keys asked for were in force already."""
    keys: Keys
    settings: dict[str, str]
    """What to set from now on, where that is not what is set now."""


def rotate(settings: Settings, wanted: Wanted, now: Clock = utc_now) -> Rotated:
    """Change the keys of the store that the settings name. The keys in force are looked for where the settings name them.

    Raises:
        Misuse: a key cannot be had or cannot sign, or one in force cannot and is not given up.
        Unreachable: the store, or a vault, does not answer. Nothing is lost; the same again goes on.
        StoreConflict: the store contradicts itself.
    """
    store = store_of(settings)
    origin = store_facts(store)["origin"]
    keys = read_keys(store)
    where = place(wanted.to, settings, FIRST, "--to") if wanted.to else first_place(settings, store)
    beside = _second(settings, wanted)
    file = where.file if wanted.to and where.file and not os.path.lexists(where.file) else None
    new = [] if file else [_tried(where, settings, origin, keys, named=wanted.to is not None)]
    new += [_tried(beside, settings, origin, keys, named=wanted.second is not None)] if beside else []
    to_set = _to_set(settings, wanted, where, beside)
    if tuple(signer.key for signer in new) == keys.in_force.keys and not keys.pending and file is None:
        return Rotated(changed=False, keys=keys, settings=to_set)
    there = [each for each in (where, beside) if each is not None and (each.file is None or each.file != file)]
    held, gone = _held(settings, store, keys.in_force, there, origin)
    _refuse_gone(gone, lost=wanted.lost)
    if file:
        _make(file, wanted.algorithm)
        new = [_tried(where, settings, origin, keys, named=True), *new]
    if len({signer.key for signer in new}) < len(new):
        raise Misuse(f"{where} and {beside} hold the same key: the second one is a key of its own")
    return Rotated(changed=True, keys=_Change(store, keys, held, gone, new).seal(wanted.reason, now), settings=to_set)


# -- which keys -----------------------------------------------------------------------------------------------------------


def _second(settings: Settings, wanted: Wanted) -> Place | None:
    if wanted.second == NONE:
        return None
    return place(wanted.second, settings, SECOND, "--second") if wanted.second else second_place(settings)


def _tried(where: Place, settings: Settings, origin: str, keys: Keys, *, named: bool) -> Signer:
    """The key at a place, which signs, and never signed this log before unless it does so now. `named`: on the command line."""
    signer = current(where, settings, origin)
    change = keys.retired_by(signer.key)
    if change is not None and not named:
        raise not_in_force(signer, where, keys)
    if change is not None:
        raise Misuse(f"{signer.key.short} signed this log until record {change.record}, and a key is not used twice: make a new one")
    try_out(signer)
    return signer


def _make(file: Path, algorithm: str) -> None:
    try:
        create_key_file(file, new_private_key(algorithm))
    except Misuse:
        if not os.path.lexists(file):
            raise  # otherwise the same command, running twice, has just made it


def _set_places(settings: Settings, store: Store) -> tuple[list[Place], list[str]]:
    """Where the settings say that keys are; and why they say nothing."""
    places, reasons = [], []
    try:
        places.append(first_place(settings, store))
    except Misuse as error:
        reasons.append(str(error))
    beside = second_place(settings)
    return [*places, *([beside] if beside else [])], reasons


def _held(settings: Settings, store: Store, in_force: KeyList, new: Sequence[Place], origin: str) -> tuple[list[Signer], dict[note.VerifierKey, str]]:
    """What signs with the keys in force; and those of them that cannot sign, with the reason."""
    found: dict[note.VerifierKey, Signer] = {}
    places, reasons = _set_places(settings, store)
    for where in (*places, *new):
        try:
            found.update({signer.key: signer for signer in listed_at(where.of_any_version, settings, origin, [in_force])})
        except Misuse as error:
            reasons.append(str(error))
    gone = {}
    for key in in_force.keys:
        if key not in found:
            gone[key] = next(iter(reasons), f"it is at no place that {FIRST} and {SECOND} name")
            continue
        try:
            try_out(found[key])
        except Misuse as error:
            gone[key] = str(error)
    return [found[key] for key in in_force.keys if key not in gone], gone


def _refuse_gone(gone: dict[note.VerifierKey, str], *, lost: bool) -> None:
    for key, reason in gone.items():
        if not lost:
            raise Misuse(
                f"{key.short} is in force and must sign the change, and cannot ({reason}): put that right; only if the key is lost for good, say --lost: "
                "nothing then leads from it to the new one, and every auditor who holds it must be given the new one"
            )
    if lost and not gone:
        raise Misuse("all keys in force can sign: none is lost, leave --lost out")


def _to_set(settings: Settings, wanted: Wanted, where: Place, beside: Place | None) -> dict[str, str]:
    found = {}
    if wanted.to and str(where) != (settings.signing_key or ""):
        found[FIRST] = str(where)
    if wanted.second and str(beside or "") != (settings.second_signing_key or ""):
        found[SECOND] = str(beside or "")
    return found


# -- the change -----------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class _Change:
    store: Store
    keys: Keys
    held: Sequence[Signer]
    """What signs with those keys in force that can."""
    gone: dict[note.VerifierKey, str]
    new: Sequence[Signer]

    def seal(self, reason: str | None, now: Clock) -> Keys:
        """Begin the change, or find it begun; finish it."""
        lost = {vkey for change in self.keys.pending for vkey in change.list.lost} | {str(key) for key in self.gone}
        signers = {signer.key: signer for signer in (*self.new, *self.held)}
        at_hand = [signer for key, signer in signers.items() if str(key) not in lost]
        sequencer = Sequencer(self.store, Pen(at_hand, lambda: read_keys(self.store), given_up=bool(lost)))
        sequencer.catch_up()
        self.keys = read_keys(self.store)
        if not self._begun():
            self._begin(sequencer.seq, reason, now)
        sequencer.seal()
        found = read_keys(self.store)
        if found.pending or found.in_force.keys != self.wanted:
            raise Misuse("the keys of this log are being changed by somebody else too: `aoai-evidence key list` tells how far that is; then run this again")
        return found

    @property
    def wanted(self) -> tuple[note.VerifierKey, ...]:
        """The keys that are to be in force."""
        return tuple(signer.key for signer in self.new)

    def _begun(self) -> bool:
        pending = [change.list for change in self.keys.pending]
        lost = {vkey for change in pending for vkey in change.lost}
        if not pending:
            return self.keys.in_force.keys == self.wanted
        return pending[-1].keys == self.wanted and all(str(key) in lost for key in self.gone)

    def _begin(self, after: int, reason: str | None, now: Clock) -> None:
        last, at = self.keys.changes[-1].list, timestamp(now())
        lost = tuple(str(key) for key in self.gone)
        change = KeyList(self.wanted, vaults_of(self.new), last.keys, lost, last.number + 1, after, at, reason)
        value = record("event", at, sweep=None, kind=KIND, key=change_fields(change))
        path = layout.key_change(change.number)
        torn = self.store.get(path)
        if torn is not None and parse_change(torn) is None and isinstance(self.store, InFolder):
            self.store.set_aside(path)  # named before a loss of power, and torn by it: nothing was sealed of it
        # Where another was faster, its change stands.
        self.store.put_new(path, line(value, lambda data: put_body(self.store, data)) + b"\n")
