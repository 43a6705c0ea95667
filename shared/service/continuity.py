"""What a plan says of the sweep before it, and of the log: so that a break between two sweeps is itself in the evidence."""


from shared import layout
from shared.canonical import Json
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.keys import read_keys
from shared.seal.log import Log
from shared.seal.store import Store
from shared.service.newest import Newest


def previous_sweep(known: Newest) -> Json:
    """The sweep that closed last, and the newest slot any closed sweep belongs to; null before the first."""
    return {"record": known.record, "at": known.at, "slot": known.slot} if known.end else None


def continuity(store: Store, log: Log, known: Newest) -> Json:
    """Whether the log extends the state that the sweep before left: its checkpoint is read, and the root recomputed from the tiles.

    Raises:
        StoreConflict: the lists of keys are not as we write them.
    """
    if not known.end:
        return {"size": log.size, "held": None, "consistent": None}
    held = known.end
    data = store.get(layout.checkpoint(held))
    if data is None:  # that sweep was sealed together with what came after it
        return {"size": log.size, "held": None, "consistent": None}
    try:
        checkpoint = note.open_checkpoint(data, read_keys(store).ever)
        consistent = checkpoint.size == held and checkpoint.root == log.root_at(held)
    except VerificationError:
        consistent = False
    return {"size": log.size, "held": held, "consistent": consistent}
