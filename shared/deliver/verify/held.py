"""A checkpoint that the auditor holds from earlier: does the log at hand extend the log that it is of, unchanged and not cut off?"""

from shared.deliver.verify.verdict import Tally
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.merkle import EMPTY_ROOT
from shared.seal.tiles import Fetch, TileHashes


def check_held(held: note.Checkpoint, newest: note.Checkpoint, fetch: Fetch, tally: Tally, *, bundle: bool) -> None:
    """Compare with a checkpoint whose signature was checked; `fetch` gives the tiles of the log, found to be in order before."""
    if held.size > newest.size:
        tally.problem(
            "checkpoint", f"the newest {held.size - newest.size} records are cut off: the checkpoint held covers {held.size}, this log has {newest.size}"
            + ("; ask for a bundle made later" if bundle else ""),
        )  # fmt: skip
        return
    try:
        root = TileHashes(newest.size, fetch).subtree(0, held.size) if held.size else EMPTY_ROOT
    except (VerificationError, IndexError):
        if bundle:
            tally.unchecked(
                f"that the log extends the checkpoint held ({held.size} records): the bundle lacks a tile for it; "
                "send that checkpoint and ask for `bundle --since CHECKPOINT`"
            )
        else:
            tally.problem("tile", f"the tiles do not give the root of the first {held.size} records")
        return
    if root != held.root:
        tally.problem("checkpoint", f"the first {held.size} records are not those of the checkpoint held: the log was rewritten", record=held.size - 1)
    else:
        tally.checked.append(f"the log extends the checkpoint held ({held.size:,} records), unchanged")


def open_held(data: bytes, newest_origin: str, keys: list[note.VerifierKey]) -> note.Checkpoint:
    """The checkpoint that the auditor holds.

    Raises:
        VerificationError: it is none, is signed by another key, or of another log.
    """
    try:
        held = note.open_checkpoint(data, keys)
    except VerificationError as error:
        raise VerificationError(f"the checkpoint held cannot be used: {error}") from None
    if held.origin != newest_origin:
        raise VerificationError(f"the checkpoint held is of the log {held.origin}, this is {newest_origin}: name the one of this log")
    return held
