"""What holds now: the last sweep of everything; and of each account that was collected since because of an event, that collection instead.

Pure, given the summaries of closed sweeps in the order of their closing. A sweep that somebody narrowed by hand is taken as it is: who
runs one wants to see it.
"""

from collections.abc import Sequence

from shared import layout
from shared.canonical import Json


def last_sweep(sweeps: Sequence[Json]) -> Json:
    """The summary of the last sweep that no event caused; where there is none, of the last one. Null before the first."""
    return next((sweep for sweep in reversed(sweeps) if layout.BY_EVENT not in sweep["sweep"]), sweeps[-1] if sweeps else None)


def collected_since(sweeps: Sequence[Json]) -> dict[str, Json]:
    """By unit, the newest sweep since then that collected this account because of an event."""
    found: dict[str, Json] = {}
    last = last_sweep(sweeps)
    for sweep in sweeps:
        event, _, account = sweep["sweep"].partition(layout.BY_EVENT)
        unit = f"account-{account}"  # both name an account by the same digits of its SHA-256
        if account and event and sweep["closed_record"] > last["closed_record"] and unit not in sweep["missing"]:
            found[unit] = sweep
    return found
