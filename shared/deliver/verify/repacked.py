"""A bundle that another program packed again: its content is put back into the one shape of zip that is checked byte for byte.

What an archive program changes on the way (order, times, compression) says nothing about the evidence, so it is no problem; what an entry
*is* is checked afterwards as always, and named. Reads with the same distrust: no name that climbs, no size that is believed.
"""

import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO, cast

from shared.deliver import zipform
from shared.deliver.bundle.zipwriter import ZipWriter
from shared.deliver.verify.archive import MAX_DIRECTORY, MAX_ENTRIES
from shared.deliver.verify.verdict import Tally, shown
from shared.errors import VerificationError

MAX_TOTAL = 64 * 1024**3
"""Bytes of all entries together, unpacked."""

_CHUNK = 256 * 1024


def packed_again(file: BinaryIO, tally: Tally) -> BinaryIO | None:
    """The content of a zip that is not packed as a bundle is, packed as one; None where the file is no such zip.

    Raises:
        VerificationError: it is one that cannot be read, or that claims to be larger than any bundle.
    """
    file.seek(0)
    if file.read(4) != b"PK\x03\x04":
        return None
    _refuse_too_many(file)
    try:
        source = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OverflowError, OSError):
        return None
    with source:
        if source.comment:
            tally.problem("zip", "the bytes at the end of the zip are not those that were written")
        else:
            tally.note("the zip was packed again by another program since it was built: its content is what was checked")
        return _rewritten(source, tally)


def _refuse_too_many(file: BinaryIO) -> None:
    """Look at what the end of the zip claims, before its whole directory is read into memory.

    Raises:
        VerificationError: more entries than any bundle has.
    """
    size = file.seek(0, 2)
    file.seek(max(0, size - 66_000))
    tail = file.read()
    end = tail.rfind(b"PK\x05\x06")
    if end < 0 or end + 22 > len(tail):
        return
    count, directory = struct.unpack_from("<HL", tail, end + 10)
    wide = tail.rfind(b"PK\x06\x06", 0, end)
    if wide >= 0 and wide + 56 <= len(tail):
        count, directory = struct.unpack_from("<QQ", tail, wide + 32)
    if count > MAX_ENTRIES or directory > MAX_DIRECTORY:
        raise VerificationError(f"the zip claims {count} entries: a bundle has at most {MAX_ENTRIES}, it is not unpacked")


def _rewritten(source: zipfile.ZipFile, tally: Tally) -> BinaryIO:
    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in source.infolist():
        if entry.is_dir():
            continue
        if entry.filename in entries:
            tally.problem("zip", "the entry is there twice", file=shown(entry.filename))
        entries[entry.filename] = entry
    total = sum(entry.file_size for entry in entries.values())
    if len(entries) > MAX_ENTRIES or total > MAX_TOTAL:
        raise VerificationError(f"the zip claims {len(entries)} entries of {total} bytes: no bundle is that large, it is not unpacked")
    out = cast(BinaryIO, tempfile.TemporaryFile())  # noqa: SIM115 - it lives as long as the verification, and vanishes with it
    writer = ZipWriter(out)
    for name in sorted(entries):
        _copy(source, entries[name], writer, tally)
    writer.close()
    return out


def _copy(source: zipfile.ZipFile, entry: zipfile.ZipInfo, writer: ZipWriter, tally: Tally) -> None:
    name = entry.filename
    if entry.flag_bits & 1 or not (name.isascii() and name.isprintable()) or name.startswith("/") or ".." in name or len(name) > 300:
        tally.problem("zip", "no bundle has an entry of this name, or an encrypted one: it is not read", file=shown(name))
        return
    if zipform.suspicious(entry.file_size, entry.compress_size):
        claim = f"the entry claims {entry.file_size} bytes out of {entry.compress_size}: that is what a zip bomb does, it is not unpacked"
        tally.problem("zip", claim, file=name)
        return
    try:
        if sum(len(data) for data in _chunks(source, entry)) != entry.file_size:
            raise zipfile.BadZipFile
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError):
        tally.problem("zip", "the entry does not fit its check sum: its bytes were altered", file=name)
        return
    writer.add(name, entry.file_size, lambda: _chunks(source, entry))


def _chunks(source: zipfile.ZipFile, entry: zipfile.ZipInfo) -> Iterator[bytes]:
    with source.open(entry) as content:
        total = 0
        while data := content.read(_CHUNK):
            total += len(data)
            if total > entry.file_size:
                raise zipfile.BadZipFile
            yield data
