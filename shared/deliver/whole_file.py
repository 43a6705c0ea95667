"""Files that people ask for: written aside and renamed into place, so that there is never half of one, and an old one stays until then."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shared.errors import Misuse


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write and read, in folders that are made. It gets its name when all of it is on the disk, and replaces what had it.

    Raises:
        Misuse: it cannot be written there. Nothing is left.
    """
    if os.path.lexists(path) and not os.path.isfile(path):  # a device too: /dev/null would be gone for everybody
        raise Misuse(f"cannot write {path}: it is not a file; name one with -o")
    aside: Path | None = None
    try:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(parents=True)
        aside, file = _new_file(path.parent)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except OSError as error:
        raise Misuse(f"cannot write {path}: {error.strerror}; name another file with -o") from None
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()


def _new_file(folder: Path) -> tuple[Path, BinaryIO]:
    """A file that was not there, under a name that is short whatever the other is, with the rights that the user's umask leaves."""
    for number in itertools.count(os.getpid()):
        aside = folder / f".{number}.part"
        with contextlib.suppress(FileExistsError):
            return aside, open(aside, "x+b")
    raise AssertionError("numbers do not end")
