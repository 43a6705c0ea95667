"""The one shape of zip that a bundle has, down to the byte: what the builder writes and the verifier compares with.

Entries follow each other from the first byte on, without a gap; then the directory, then the end record, whose comment is the SHA-256 of
all bytes before the end record. Times are 1980-01-01, modes 0644, names ASCII; nothing is encrypted, and no entry has a
data descriptor. Zip64 fields appear where the sizes need them, and only there. Any unzip program reads it.
"""

import struct
from dataclasses import dataclass

STORED = 0
DEFLATED = 8

WIDE = 0xFF00_0000
"""An entry of this size or more has its sizes in zip64 fields (below 4 GiB, as deflate can make data a little longer)."""

RATIO = 200
FLOOR = 64 * 1024
"""An entry larger than `FLOOR` never claims to be more than `RATIO` times its packed size: no records or bodies are so repetitive, bombs are."""

COMMENT_HEAD = b"sha256:"
END_SIZE = 22 + len(COMMENT_HEAD) + 64

_LIMIT_32 = 0xFFFF_FFFF
_LIMIT_16 = 0xFFFF
_DATE = 0x0021
_MODE = 0o100644 << 16
_MADE_BY_UNIX = 3 << 8

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_END_64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR_64 = struct.Struct("<4sLQL")


@dataclass(frozen=True, slots=True)
class Member:
    """One entry."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    @property
    def data_offset(self) -> int:
        """Where its data begins."""
        return self.offset + len(local_header(self))

    @property
    def end(self) -> int:
        """Where its data ends, and the next entry begins."""
        return self.data_offset + self.packed


def suspicious(size: int, packed: int) -> bool:
    """Whether this much data in so few bytes is what a bomb looks like, and no entry of a bundle."""
    return size > FLOOR and size > RATIO * packed


def _version(wide: bool) -> int:
    return 45 if wide else 20


def local_header(member: Member) -> bytes:
    """What stands before the data of an entry."""
    wide = member.size >= WIDE
    extra = struct.pack("<2H2Q", 1, 16, member.size, member.packed) if wide else b""
    packed, size = (_LIMIT_32, _LIMIT_32) if wide else (member.packed, member.size)
    name = member.name.encode()
    fixed = _LOCAL.pack(b"PK\x03\x04", _version(wide), 0, member.method, 0, _DATE, member.crc, packed, size, len(name), len(extra))
    return fixed + name + extra


def central_header(member: Member) -> bytes:
    """The entry in the directory."""
    wide, far = member.size >= WIDE, member.offset >= _LIMIT_32
    fields = [member.size, member.packed] * wide + [member.offset] * far
    extra = struct.pack(f"<2H{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
    packed, size = (_LIMIT_32, _LIMIT_32) if wide else (member.packed, member.size)
    version, name = _version(wide or far), member.name.encode()
    fixed = _CENTRAL.pack(
        b"PK\x01\x02", _MADE_BY_UNIX | version, version, 0, member.method, 0, _DATE, member.crc, packed, size,
        len(name), len(extra), 0, 0, 0, _MODE, _LIMIT_32 if far else member.offset,
    )  # fmt: skip
    return fixed + name + extra


def parse_central(data: bytes, position: int) -> tuple[Member, int]:
    """The entry at `position` of the directory, and the position after it. Whether it is in our shape is not looked at.

    Raises:
        ValueError: no entry is there.
    """
    try:
        signature, _, _, _, method, _, _, crc, packed, size, names, extras, comment, _, _, _, offset = _CENTRAL.unpack_from(data, position)
    except struct.error:
        raise ValueError("cut short") from None
    start = position + _CENTRAL.size
    end = start + names + extras + comment
    if signature != b"PK\x01\x02" or end > len(data):
        raise ValueError("not an entry of a directory")
    name = data[start : start + names].decode("ascii")
    extra = data[start + names : start + names + extras]
    fields = [int.from_bytes(extra[i : i + 8], "little") for i in range(4, len(extra) - 7, 8)] if extra[:2] == b"\x01\0" else []
    if size == packed == _LIMIT_32 and len(fields) >= 2:
        size, packed = fields.pop(0), fields.pop(0)
    if offset == _LIMIT_32 and fields:
        offset = fields.pop(0)
    return Member(name, method, crc, packed, size, offset), end


def end_record(count: int, directory_size: int, directory_offset: int) -> bytes:
    """What follows the directory, without the comment; a zip64 record and its locator come first where they are needed."""
    before = b""
    if count >= _LIMIT_16 or directory_offset >= _LIMIT_32 or directory_size >= _LIMIT_32:
        place = directory_offset + directory_size
        before = _END_64.pack(
            b"PK\x06\x06", 44, _MADE_BY_UNIX | 45, 45, 0, 0, count, count, directory_size, directory_offset
        ) + _LOCATOR_64.pack(b"PK\x06\x07", 0, place, 1)
    short = min(count, _LIMIT_16)
    sizes = min(directory_size, _LIMIT_32), min(directory_offset, _LIMIT_32)
    return before + _END.pack(b"PK\x05\x06", 0, 0, short, short, *sizes, len(COMMENT_HEAD) + 64)


def parse_end(tail: bytes) -> tuple[int, int, int]:
    """(entries, size of the directory, its offset) as the end of a file says, given its last bytes (those of both end records).

    Raises:
        ValueError: no end of a bundle's zip is there.
    """
    end = tail[-END_SIZE:]
    if len(end) < END_SIZE or end[:4] != b"PK\x05\x06" or end[22 : 22 + len(COMMENT_HEAD)] != COMMENT_HEAD:
        raise ValueError("not the end of a bundle")
    _, _, _, _, count, size, offset, _ = _END.unpack_from(end)
    wide = tail[-END_SIZE - _LOCATOR_64.size - _END_64.size : -END_SIZE]
    if len(wide) == _LOCATOR_64.size + _END_64.size and wide[:4] == b"PK\x06\x06":
        count, size, offset = struct.unpack_from("<3Q", wide, 32)
    return count, size, offset


TAIL_SIZE = END_SIZE + _LOCATOR_64.size + _END_64.size
"""As many bytes as `parse_end` looks at."""
