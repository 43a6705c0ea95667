"""What a loss of power leaves: batches that were named before their bytes, or their bodies, were on the disk. Found before anything is sealed."""

import json

from shared import layout
from shared.canonical import sha256
from shared.errors import StoreConflict
from shared.seal.sequencer import Sequencer, batch_lines
from shared.seal.store import InFolder, Store
from shared.service import state


def set_torn_aside(store: Store, sequencer: Sequencer) -> list[str]:
    """Look at every batch that waits to be sealed; set aside those that are not whole, and return their paths.

    Their units have no batch then, and are collected (or judged) again. Batches that a commit names are not looked at: the commit
    was written after they were safe. In a storage account there is nothing to look for: a batch is there whole, after its bodies.
    """
    torn: list[str] = []
    if not isinstance(store, InFolder):
        return torn
    for sweep in state.open_sweeps(store):
        sealed = sequencer.places(sweep)
        for path in list(store.list(f"{layout.BATCHES}{sweep}/")):
            if layout.batch_parts(path)[1] not in sealed and not _whole(store, path):
                store.set_aside(path)
                torn.append(path)
    return torn


def _whole(store: Store, path: str) -> bool:
    """Whether every line is a record, and every body that one names is there with the bytes that its name promises."""
    try:
        records = [json.loads(line) for line in batch_lines(store.get(path) or b"", path)]
        places = [place for record in records for place in _bodies(record)]
    except (StoreConflict, ValueError, TypeError, KeyError):
        return False
    return all((data := store.get(layout.body(digest))) is not None and sha256(data) == digest for digest in set(places))


def _bodies(record: dict[str, object]) -> list[str]:
    pages, overflow, profile = record.get("pages") or [], record.get("overflow") or {}, record.get("profile")
    places = [*pages, *overflow.values()]  # type: ignore[misc, attr-defined]
    return [place["sha256"] for place in places] + ([profile["sha256"]] if isinstance(profile, dict) else [])
