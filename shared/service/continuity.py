"""What a plan says of the sweep before it, and of the log: so that a break between two sweeps is itself in the evidence."""

from collections.abc import Sequence

from shared import layout
from shared.canonical import Json
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.keys import read_keys
from shared.seal.log import Log
from shared.seal.store import Store


def previous_sweep(known: Sequence[Json]) -> Json:
    """The sweep that closed last, and the newest slot any closed sweep belongs to; null before the first."""
    if not known:
        return None
    slots = [summary["slot"] for summary in known if summary["slot"]]
    return {"record": known[-1]["closed_record"], "at": known[-1]["closed_at"], "slot": max(slots, default=None)}


def continuity(store: Store, log: Log, known: Sequence[Json]) -> Json:
    """Whether the log extends the state that the sweep before left: its checkpoint is read, and the root recomputed from the tiles.

    Raises:
        StoreConflict: the lists of keys are not as we write them.
    """
    if not known:
        return {"size": log.size, "held": None, "consistent": None}
    held = int(known[-1]["end"])
    data = store.get(layout.checkpoint(held))
    if data is None:  # that sweep was sealed together with what came after it
        return {"size": log.size, "held": None, "consistent": None}
    try:
        checkpoint = note.open_checkpoint(data, read_keys(store).ever)
        consistent = checkpoint.size == held and checkpoint.root == log.root_at(held)
    except VerificationError:
        consistent = False
    return {"size": log.size, "held": held, "consistent": consistent}
