"""Batches and entry bundles as a storage account keeps them: packed with gzip, to a tenth. What is hashed and sealed is what unpacks.

Most of what a sweep of an unchanged estate writes is said again and again. The blob says `Content-Encoding: gzip`, as whoever serves a log
over HTTP may. One that was copied out as it lies is known by its first bytes: no batch and no entry bundle has them, since a record begins
with `{`. Leaves out: what a folder keeps, which is not packed, so that other tools read it; and what a blob must hold: one that does not
unpack is given as it is, and whoever reads it finds that it is not what was sealed.
"""

import zlib

from shared import layout

ENCODING = "gzip"

PACKED = (layout.BATCHES, layout.LOG + "tile/entries/")

LEAST = 1024
"""Bytes below which packing is not worth it."""

MOST = 60 * 1024 * 1024
"""Bytes that anything of ours unpacks to, at most."""

HEADER = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"
"""Of RFC 1952: deflate, no flags, no time, no system. Always this one, so that none of its bits can be turned unseen."""

_RAW = -15  # zlib: deflate alone
_LEVEL = 6


def pack(path: str, data: bytes) -> bytes:
    """What to keep at `path` for `data`: the same bytes where they are not to be packed."""
    if not path.startswith(PACKED) or len(data) < LEAST:
        return data
    packing = zlib.compressobj(_LEVEL, zlib.DEFLATED, _RAW)
    return b"".join((HEADER, packing.compress(data), packing.flush(), _trailer(data)))


def is_packed(path: str, kept: bytes) -> bool:
    """Whether what is kept at `path` was packed."""
    return kept.startswith(HEADER) and path.startswith(PACKED)


def unpack(path: str, kept: bytes) -> bytes:
    """What was packed; what is kept, where that was not packed or does not unpack."""
    if not is_packed(path, kept):
        return kept
    unpacking = zlib.decompressobj(_RAW)
    try:
        data = unpacking.decompress(kept[len(HEADER) :], MOST)
    except zlib.error:
        return kept
    whole = unpacking.eof and unpacking.unused_data == _trailer(data)
    return data if whole else kept


def _trailer(data: bytes) -> bytes:
    return zlib.crc32(data).to_bytes(4, "little") + len(data).to_bytes(4, "little")
