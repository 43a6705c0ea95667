"""What closed sweeps came to, many in one blob: `state/sweeps/<year>.json` repeats what is in `state/sweep/`, so that years are a few reads.

A hint: what is in no index, or is none there, is read from its own blob, and put into the index when there are many.
"""

import contextlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Unreachable
from shared.seal.store import Store, read_hint

READERS = 16
"""Summaries that are read at once."""

MOST = 64
"""Summaries that are read one by one; with more, they are put into the index."""


def stored_summaries(store: Store, is_summary: Callable[[Json], bool]) -> list[Json]:
    """What is in `state/sweep/`, in the order of the names; an empty object where a blob is torn."""
    names = [path.removeprefix(layout.SWEEP_SUMMARIES) for path in store.list(layout.SWEEP_SUMMARIES)]
    years = sorted({name[:4] for name in names if layout.is_name(name[:4])})
    known: dict[str, Json] = {}
    with ThreadPoolExecutor(READERS, "summaries") as pool:
        for found in pool.map(lambda year: read_hint(store, layout.sweep_index(year)), years):
            known |= {name: summary for name, summary in found.items() if isinstance(summary, dict) and is_summary(summary)}
        new = [name for name in names if name not in known]
        known |= zip(new, pool.map(lambda name: read_hint(store, layout.SWEEP_SUMMARIES + name), new), strict=True)
    if len(new) > MOST:
        good = {name: known[name] for name in names if is_summary(known[name])}
        for year in years:
            with contextlib.suppress(Unreachable):  # of those who may only read
                store.put(layout.sweep_index(year), canonical({name: good[name] for name in good if name.startswith(year)}))
    return [known[name] for name in names]
