"""`bundle --since`: the checkpoint that an auditor holds. Pure."""

from shared.errors import Misuse, VerificationError
from shared.seal import note
from shared.seal.log import Log


def held_size(since: bytes, log: Log) -> int:
    """The size of the log that a checkpoint is of; whoever holds it checks its signature himself.

    Raises:
        Misuse: it is no checkpoint of this log.
    """
    try:
        held = note.parse_checkpoint(note.parse_note(since).text)
        ours = note.parse_checkpoint(note.parse_note(log.checkpoint()).text)
    except VerificationError as error:
        raise Misuse(f"--since: {error}; give the file `checkpoint` out of an earlier bundle") from None
    if held.origin != ours.origin or held.size > log.size:
        raise Misuse(f"--since: that checkpoint is of the log {held.origin} with {held.size} records, this is {ours.origin} with {log.size}")
    return held.size
