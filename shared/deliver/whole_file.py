"""Files that people ask for: written aside and renamed into place, so that there is never half of one, and an old one stays until then."""

import contextlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from shared import layout
from shared.errors import Misuse, Unwritable


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """A file to write and read, in folders that are made. It gets its name when all of it is on the disk, and replaces what had it.

    A link is followed. What evidence rests on is out of reach: a store, but for its `bundles/`, and private keys.

    Raises:
        Misuse: it cannot be written there. Nothing is left.
    """
    aside: Path | None = None
    target = place_of(path)
    try:
        with contextlib.suppress(FileExistsError):
            target.parent.mkdir(parents=True)
        aside, file = _new_file(target.parent)
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        aside.replace(target)
    except OSError as error:
        raise Unwritable(f"cannot write {path}: {error.strerror}; name another file with -o") from None
    finally:
        if aside is not None:
            with contextlib.suppress(OSError):
                aside.unlink()


def place_of(path: Path) -> Path:
    """Where the bytes of a file of this name will be. Asked before long work, it saves work for nothing.

    Raises:
        Misuse: no file may be there.
    """
    target = Path(os.path.realpath(path))
    # A device would be gone for everybody; `/dev/stdout` is a link to whatever that is.
    device = os.path.dirname(os.path.abspath(path)) in ("/dev", "/dev/fd") or target.is_relative_to("/proc")
    if device or str(path) == "-" or (os.path.exists(path) and not os.path.isfile(path)):
        raise Misuse(f"cannot write {path}: it is not a file; name one with -o")
    for folder in target.parents:
        if os.path.isdir(folder / layout.COMMITS) and not target.is_relative_to(folder / layout.BUNDLES):
            raise Misuse(f"cannot write {path}: it lies in the store {folder}, which holds evidence; name a file outside it with -o")
    if _is_private_key(target):
        raise Misuse(f"cannot write {path}: there is a private key in it; name another file with -o")
    return target


def _is_private_key(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            return b"PRIVATE KEY-----" in file.read(100)
    except OSError:
        return False


def _new_file(folder: Path) -> tuple[Path, BinaryIO]:
    """A file that was not there, under a name that is short whatever the other is, with the rights that the user's umask leaves."""
    for number in itertools.count(os.getpid()):
        aside = folder / f".{number}.part"
        with contextlib.suppress(FileExistsError):
            return aside, open(aside, "x+b")
    raise AssertionError("numbers do not end")
