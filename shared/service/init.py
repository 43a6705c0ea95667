"""The use-case `init`: a new store, its signing key beside it, and the verifier key to hand to the auditor."""

from dataclasses import dataclass
from pathlib import Path

from shared import layout
from shared.canonical import Json
from shared.errors import Misuse
from shared.records import line, record, timestamp
from shared.seal.note import good_key_name
from shared.seal.sequencer import Sequencer
from shared.seal.signing import create_key_file, load_key_file
from shared.seal.store import put_body
from shared.service import state
from shared.service.compose import Clock, key_path, random_bytes, store_at, utc_now
from shared.settings import Settings

BIRTH = "init"
"""The sweep name under which the first record of a log waits to be sealed."""


@dataclass(frozen=True, slots=True)
class NewStore:
    """What `init` made."""

    store: str
    origin: str
    vkey: str
    key_file: str


def init(settings: Settings, *, origin: str | None = None, algorithm: str = "ed25519", now: Clock = utc_now) -> NewStore:
    """Make a new store at the place that the settings name.

    Raises:
        Misuse: there is a store already, or the place or the origin cannot be one.
        Unreachable: the place cannot be written to.
    """
    name = origin or f"aoai-evidence.local/{random_bytes(4).hex()}"
    if not good_key_name(name) or len(name) > 200:
        raise Misuse(f"--origin {name!r}: a log's name has no spaces and no plus sign, such as example.com/evidence")
    store = store_at(settings.store, create=True)
    if (store.root / layout.COMMITS).is_dir() and any(True for _ in store.list(layout.COMMITS)):
        raise Misuse(f"there is a store at {settings.store} already: evidence is never overwritten; name another folder")
    if store.root.is_file() or (store.root.is_dir() and not _only_ours(store.root)):
        raise Misuse(f"{settings.store} is not an empty folder: name a new one")
    path = key_path(settings, store)
    if not path.exists() or settings.signing_key is None:
        create_key_file(path, algorithm)
    signer = load_key_file(path, name)
    facts = {"format": 1, "origin": name, "keys": [str(signer.key)], "personal_data": settings.personal_data}
    first: Json = record("event", timestamp(now()), sweep=None, kind="store", store=facts)
    state.mark_open(store, BIRTH, 0)
    for stale in store.list(f"{layout.BATCHES}{BIRTH}/"):
        raise Misuse(
            f"{settings.store} holds the beginning of a store ({stale}) that was never sealed: remove the folder and run init again"
        )
    store.put_new(layout.batch(BIRTH, layout.PLAN), line(first, lambda data: put_body(store, data)) + b"\n")
    Sequencer(store, signer).seal()
    store.delete(layout.open_sweep(BIRTH))
    return NewStore(settings.store, name, str(signer.key), str(path))


def _only_ours(root: Path) -> bool:
    return all(entry.name in ("evidence", "state", "personal", "bundles") for entry in root.iterdir())
