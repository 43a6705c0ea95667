"""The use-case `init`: a new store, what signs it, and the verifier keys to hand to the auditor.

The key is one in a vault, or a PEM file, which is made beside the store where it is not there. An `init` that ends half-way can be done
again. What it is about to sign with it notes before the key is written, so that the next one knows the key for its own; any other key
that is in the way may be somebody's, and is neither overwritten nor used. Order of writes:

    1  state/open/init           the marker, with the verifier key to be
    2  the key file              never replaced; a key in a vault is there, and was found to sign
    3  batch/init/plan.jsonl     the first record, with the list of keys
    4  commit, tiles, checkpoint: from the commit on there is a store, and whoever opens it next finishes it
"""

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Misuse, VerificationError
from shared.records import line, record, timestamp
from shared.seal import note
from shared.seal.key_list import KeyList, first_fields, first_keys
from shared.seal.pen import Pen, try_out
from shared.seal.sequencer import Sequencer
from shared.seal.signing import FileSigner, Signer, create_key_file, load_key_file, new_private_key, signer_for
from shared.seal.store import InFolder, Store, put_body
from shared.service.compose import Clock, random_bytes, utc_now
from shared.service.recovery import set_torn_aside
from shared.service.signers import Place, first_place, second_place, signers_at, vaults_of
from shared.service.stores import store_of
from shared.settings import Settings

ALGORITHMS = {"ed25519": note.ED25519, "ecdsa-p256": note.ECDSA}


@dataclass(frozen=True, slots=True)
class NewStore:
    """What `init` made."""

    store: str
    origin: str
    vkeys: tuple[str, ...]
    """The list of keys, as it was sealed; the one that signs first of all comes first."""
    vaults: dict[str, str]
    """Of keys in a vault, by vkey: their identifier there."""
    key_file: str | None
    """Path of the first key; None where it is in a vault."""

    @property
    def vkey(self) -> str:
        """The first of the list."""
        return self.vkeys[0]


def init(settings: Settings, *, origin: str | None = None, algorithm: str = "ed25519", now: Clock = utc_now) -> NewStore:
    """Make a new store at the place that the settings name. `algorithm`: of a key file that has to be made.

    Raises:
        Misuse: there is a store already, or the place, a key or the origin cannot be one.
        Unreachable: the place cannot be written to, or the vault of a key does not answer.
    """
    store = store_of(settings, create=True)
    where, beside = first_place(settings, store), second_place(settings)
    begun = _begun(store)
    name = origin or (begun.name if begun else f"aoai-evidence.local/{random_bytes(4).hex()}")
    if not note.good_key_name(name) or len(name) > 200:
        raise Misuse(f"--origin {name!r}: a log's name has no spaces and no plus sign, such as example.com/evidence")
    _take_place(settings.store, store)
    found = [_first(settings, store, where, name, algorithm)]
    if beside is not None:
        found.append(_at_hand(beside, settings, store, name))
    sequencer = Sequencer(store, Pen(found))
    set_torn_aside(store, sequencer)
    listed = first_fields([signer.key for signer in found], vaults_of(found))
    facts = {"format": 1, "origin": name, **listed, "personal_data": settings.personal_data}
    _write_first_record(settings.store, store, record("event", timestamp(now()), sweep=None, kind="store", store=facts))
    sequencer.seal()
    store.delete(layout.open_sweep(layout.BIRTH))
    return NewStore(settings.store, name, tuple(listed["keys"]), vaults_of(found), str(where.file) if where.file else None)


def _take_place(location: str, store: Store) -> None:
    """Make the folder, or find it empty but for what an `init` leaves. Of an account, the containers are there."""
    if any(True for _ in store.list(layout.COMMITS)):
        another = "folder" if isinstance(store, InFolder) else "storage account"
        raise Misuse(f"there is a store at {location} already: evidence is never overwritten; name another {another}")
    if not isinstance(store, InFolder):
        return
    try:
        store.root.mkdir(parents=True, exist_ok=True)
        strange = [entry.name for entry in store.root.iterdir() if entry.name not in ("evidence", "state", "personal", "bundles")]
    except FileExistsError:
        raise Misuse(f"{location} is not an empty folder: name a new one") from None
    except OSError as error:
        raise Misuse(f"cannot make a store at {location}: {error.strerror}; name another folder") from None
    if strange:
        raise Misuse(f"{location} is not an empty folder: name a new one")


def _begun(store: Store) -> note.VerifierKey | None:
    """What an `init` that ended half-way was to sign with; None where there was none."""
    try:
        return note.parse_vkey(json.loads(store.get(layout.open_sweep(layout.BIRTH)) or b"null")["key"])
    except (VerificationError, ValueError, TypeError, KeyError, AttributeError):
        return None


def _listed(store: Store) -> list[KeyList]:
    """The list that an `init` which ended half-way has written, which is there to stay; none where it had not come so far."""
    try:
        found = first_keys(json.loads(store.get(layout.batch(layout.BIRTH, layout.PLAN)) or b"null"))
    except (ValueError, RecursionError):
        return []
    return [found] if found else []


def _first(settings: Settings, store: Store, where: Place, name: str, algorithm: str) -> Signer:
    """The key of the new store: the one that EVIDENCE_SIGNING_KEY names, the one of an `init` that ended half-way, or a new one."""
    if where.file is None:
        signer = _at_hand(where, settings, store, name)
        _mark(store, signer)
        return signer
    found = None
    if os.path.lexists(where.file):
        found = load_key_file(where.file, name) if settings.signing_key else _left_behind(store, where.file, name, algorithm)
    made = found or signer_for(name, new_private_key(algorithm))
    _mark(store, made)
    if found is None:
        create_key_file(where.file, made.private)
    return made


def _at_hand(where: Place, settings: Settings, store: Store, name: str) -> Signer:
    """A key that is there already, and signs: in the version that a half `init` has written, else in the current one."""
    signer = signers_at(where, settings, name, _listed(store))[0]
    try_out(signer)
    return signer


def _mark(store: Store, signer: Signer) -> None:
    store.put(layout.open_sweep(layout.BIRTH), canonical({"since": 0, "key": str(signer.key)}))
    store.flush()


def _left_behind(store: Store, path: Path, name: str, algorithm: str) -> FileSigner:
    """The key of an `init` that ended half-way. Its marker is the proof: a key that is used for another log makes two logs look like one."""
    with contextlib.suppress(Misuse):
        signer = load_key_file(path, name)
        if signer.key == _begun(store) and signer.key.algorithm == ALGORITHMS[algorithm]:
            return signer
    raise Misuse(
        f"{path} exists: a signing key is never overwritten; move it away, name another with EVIDENCE_SIGNING_KEY, "
        "or, if an `init` here ended half-way, give it the same options again"
    )


def _write_first_record(location: str, store: Store, first: Json) -> None:
    """Write what kind of store this is, or find it written by an `init` that ended half-way."""
    path = layout.batch(layout.BIRTH, layout.PLAN)
    if store.put_new(path, line(first, lambda data: put_body(store, data)) + b"\n"):
        return
    if json.loads(store.get(path) or b"null")["store"] != first["store"]:
        raise Misuse(f"an `init` ended half-way at {location}: give it the same options and settings again, or name another folder")
