"""What is too large to be held: written into a spooled file while records are read, and read from it twice."""

import hashlib
from collections.abc import Iterator
from typing import IO

_CHUNK = 256 * 1024


def spooled_bytes(file: IO[bytes]) -> Iterator[bytes]:
    """The bytes of a file, from its start."""
    file.seek(0)
    while data := file.read(_CHUNK):
        yield data


def measured(file: IO[bytes]) -> tuple[str, int]:
    """SHA-256 and length of a file."""
    digest, length = hashlib.sha256(), 0
    for data in spooled_bytes(file):
        digest.update(data)
        length += len(data)
    return digest.hexdigest(), length
