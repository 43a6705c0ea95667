"""The use-case `hold`: a legal hold over all evidence there is, put on and taken off; by whom and why is sealed.

In a storage account each blob is held (version-level immutability has no hold of a whole container), so that nobody can delete it, whatever
its retention; in a folder nothing can enforce a hold, and that it was declared is all there is. What is written later is not held: add
the same hold again. Holds overlap: a blob is let go of when the last one in force is released.

Each act is a record, in a batch at a path with a number (`layout.hold`), sealed before the blobs are touched, so that it is held as well.
One that is killed half-way is gone on with by the same command. The right to hold is the right to take holds off, and more: it is given
to a person for as long as it takes (docs/deploy.md), never to the app.
"""

import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from shared import layout
from shared.errors import Misuse
from shared.seal.store import InFolder, Store
from shared.service.acts import acts, personal, ready_to_act, seal_act
from shared.service.compose import THREADS, Clock, Sealing, utc_now
from shared.service.stores import store_of
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.seal.blobs import BlobStore

Progress = Callable[[str, int, int], None]

CHUNK = 512
"""Blobs that are on their way together."""

_TAG = re.compile(r"[a-z0-9][a-z0-9-]{1,38}[a-z0-9]")


@dataclass(frozen=True, slots=True)
class Held:
    """What an act came to."""

    tag: str
    blobs: int
    """How many were touched; 0 where nothing can hold them, or another hold is still in force."""
    enforced: bool
    """Whether the storage itself holds them."""
    in_force: tuple[str, ...]
    """The holds in force now."""


def add(settings: Settings, tag: str, *, owner: str, reason: str, progress: Progress, now: Clock = utc_now) -> Held:
    """Hold all the evidence there is. Where the tag is in force already, hold what was written since.

    Raises:
        Misuse: the tag, the owner or the reason cannot be one.
        Unreachable: this identity may not hold blobs, or no answer. What was sealed of the act stays; the same command goes on.
    """
    ready = _ready(settings, tag, owner, reason)
    blobs = _account(ready.store)
    if blobs is not None:
        _set(blobs, layout.commit(1), on=True)  # before anything is sealed: who may not, is told at once
    if tag not in in_force(ready.store):
        seal_act(ready, "hold", {"action": "add", "tag": tag, "owner": personal(ready, owner), "reason": reason}, now)
    count = _each(blobs, on=True, progress=progress)
    return Held(tag, count, blobs is not None, in_force(ready.store))


def release(settings: Settings, tag: str, *, owner: str, reason: str, progress: Progress, now: Clock = utc_now) -> Held:
    """Take a hold off; the blobs are let go of where no other is in force. One that was killed while it let go of them is gone on with.

    Raises:
        Misuse: there never was such a hold, or it is released and another one is in force.
        Unreachable: as `add`.
    """
    ready = _ready(settings, tag, owner, reason)
    blobs, holds = _account(ready.store), in_force(ready.store)
    begun = not holds and tag in {known for _, known in _acts(ready.store)}
    if tag not in holds and not begun:
        raise Misuse(f"no hold {tag!r} is in force: {', '.join(holds) or 'there is none'}")
    if not begun:
        if blobs is not None:
            _set(blobs, layout.commit(1), on=bool(set(holds) - {tag}))
        seal_act(ready, "hold", {"action": "release", "tag": tag, "owner": personal(ready, owner), "reason": reason}, now)
    left = in_force(ready.store)
    return Held(tag, 0 if left else _each(blobs, on=False, progress=progress), blobs is not None, left)


def in_force(store: Store) -> tuple[str, ...]:
    """The tags of the holds in force, in the order in which they were put on."""
    found: dict[str, None] = {}
    for action, tag in _acts(store):
        if action == "add":
            found[tag] = None
        else:
            found.pop(tag, None)
    return tuple(found)


def _acts(store: Store) -> Iterator[tuple[str, str]]:
    """(action, tag) of every act, sealed or about to be."""
    for act in acts(store, "hold"):
        yield str(act.said.get("action")), str(act.said.get("tag"))


def _ready(settings: Settings, tag: str, owner: str, reason: str) -> Sealing:
    if not _TAG.fullmatch(tag):
        raise Misuse(f"{tag!r} cannot name a hold: 3 to 40 lower-case letters, digits and hyphens, such as case-2026-17")
    return ready_to_act(settings, store_of(settings), "a hold", owner, reason)


def _account(store: Store) -> "BlobStore | None":
    if isinstance(store, InFolder):
        return None
    from shared.seal.blobs import BlobStore

    assert isinstance(store, BlobStore)
    return store


def _each(blobs: "BlobStore | None", *, on: bool, progress: Progress) -> int:
    """Hold every blob of the evidence, or let go of it; return how many there are."""
    if blobs is None:
        return 0
    count, paths = 0, iter(blobs.list(layout.EVIDENCE))
    with ThreadPoolExecutor(THREADS, "hold") as pool:
        while some := list(islice(paths, CHUNK)):
            list(pool.map(lambda path: _set(blobs, path, on=on), some))
            count += len(some)
            progress("hold" if on else "release", count, 0)
    return count


def _set(blobs: "BlobStore", path: str, *, on: bool) -> None:
    blobs.call(path, "hold", lambda: blobs.blob(path).set_legal_hold(on))
