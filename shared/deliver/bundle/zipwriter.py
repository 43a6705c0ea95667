"""Writing a bundle's zip: entries one after another, in the shape that `zipform` gives, the same bytes for the same content."""

import hashlib
import zlib
from collections.abc import Callable, Iterable
from typing import BinaryIO

from shared.deliver import zipform
from shared.deliver.zipform import DEFLATED, STORED, Member

LEVEL = 6
"""Of deflate. The packed bytes are the same for the same release of zlib; the manifest, and so the bundle's identity, does not depend on it."""


class ZipWriter:
    """Writes entries, which must come in order of name, into a file that can be read and sought."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._members: list[Member] = []
        self._position = 0

    def add(self, name: str, size: int, content: Callable[[], Iterable[bytes]]) -> str:
        """Write one entry of `size` bytes and return the SHA-256 of its content; `content` may be called twice.

        Packed, unless that makes it no smaller, or so much smaller that a verifier would take it for a bomb.
        """
        assert not self._members or self._members[-1].name < name, "entries come in order of name"
        member, digest = self._write(name, size, DEFLATED, content)
        if member.packed >= size or zipform.suspicious(size, member.packed):
            member, digest = self._write(name, size, STORED, content)
        self._members.append(member)
        self._position = member.end
        return digest

    def _write(self, name: str, size: int, method: int, content: Callable[[], Iterable[bytes]]) -> tuple[Member, str]:
        blank = Member(name, method, 0, 0, size, self._position)
        self._file.seek(blank.data_offset)
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, -15)
        digest, crc, packed, total = hashlib.sha256(), 0, 0, 0
        for data in content():
            digest.update(data)
            crc = zlib.crc32(data, crc)
            total += len(data)
            packed += self._file.write(packer.compress(data) if method == DEFLATED else data)
        if method == DEFLATED:
            packed += self._file.write(packer.flush())
        assert total == size, f"{name} has {total} bytes, {size} were announced"
        member = Member(name, method, crc, packed, size, self._position)
        self._file.seek(member.offset)
        self._file.write(zipform.local_header(member))
        return member, digest.hexdigest()

    def close(self) -> None:
        """Write the directory, the end record, and the digest of everything before it."""
        directory = b"".join(zipform.central_header(member) for member in self._members)
        end = zipform.end_record(len(self._members), len(directory), self._position)
        self._file.seek(self._position)
        self._file.write(directory + end)
        sealed = self._position + len(directory) + len(end) - 22
        self._file.truncate()
        self._file.seek(0)
        digest = hashlib.sha256()
        while sealed:
            data = self._file.read(min(1 << 20, sealed))
            digest.update(data)
            sealed -= len(data)
        self._file.seek(0, 2)
        self._file.write(zipform.COMMENT_HEAD + digest.hexdigest().encode())
