"""What closed sweeps came to, many in one blob: `state/sweeps/<year>.json` repeats what is in `state/sweep/`, so that years are a few reads.

A hint: what is in no index is read from its own blob, and put into one when there are many.
"""

import contextlib
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Unreachable
from shared.seal.store import Store

READERS = 16
"""Summaries that are read at once."""

MOST = 64
"""Summaries that are read one by one; with more, they are put into the index."""


def stored_summaries(store: Store) -> list[Json]:
    """What is in `state/sweep/`, in the order of the names; an empty object where a blob is torn."""
    names = [path.removeprefix(layout.SWEEP_SUMMARIES) for path in store.list(layout.SWEEP_SUMMARIES)]
    years = sorted({name[:4] for name in names})
    known: dict[str, Json] = {}
    with ThreadPoolExecutor(READERS, "summaries") as pool:
        for found in pool.map(lambda year: _object(store.get(layout.sweep_index(year))), years):
            known |= found
        new = [name for name in names if name not in known]
        read = dict(zip(new, pool.map(lambda name: _object(store.get(layout.SWEEP_SUMMARIES + name)), new), strict=True))
    known |= read
    if len(new) > MOST:
        _keep(store, {name: known[name] for name in names if known[name]}, {name[:4] for name in new})
    return [known[name] for name in names]


def _keep(store: Store, known: dict[str, Json], years: Iterable[str]) -> None:
    for year in years:
        with contextlib.suppress(Unreachable):  # of those who may only read
            store.put(layout.sweep_index(year), canonical({name: summary for name, summary in known.items() if name.startswith(year)}))


def _object(data: bytes | None) -> dict[str, Json]:
    try:
        value = json.loads(data or b"{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
