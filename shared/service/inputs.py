"""Small files that a person names: keys, checkpoints, profiles. Whatever they turn out to be, no more of one than this is read."""

from pathlib import Path

from shared.errors import Misuse

MOST = 1024 * 1024
"""Bytes. A device has no end, and a bundle that is given for a key is none."""


def read_input(path: Path, what: str, todo: str = "") -> bytes:
    """The bytes of a file. `what`: its part in this, such as `the profile`; `todo`: what else to say of one that cannot be read.

    Raises:
        Misuse: it cannot be read, or is too large to be one.
    """
    try:
        with path.open("rb") as file:
            data = file.read(MOST + 1)
    except OSError as error:
        raise Misuse(f"cannot read {what} {path}: {error.strerror}{todo and f'; {todo}'}") from None
    if len(data) > MOST:
        raise Misuse(f"{path} is too large to be {what}{todo and f'; {todo}'}")
    return data
