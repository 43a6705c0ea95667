"""Files that people ask for: written aside and renamed into place, so that there is never half of one."""

import os
from pathlib import Path

from shared.errors import Misuse


def write_whole(path: Path, data: bytes) -> None:
    """Write a file, replacing what was there, or nothing.

    Raises:
        Misuse: it cannot be written there.
    """
    if path.is_dir() or not path.name:
        raise Misuse(f"cannot write {path}: it is a folder; name a file with -o")
    aside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        aside.write_bytes(data)
        aside.replace(path)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise Misuse(f"cannot write {path}: {error.strerror}; name another file with -o") from None
