"""A bundle's zip, read by someone who trusts nothing in it: no size, no offset, no name, no claim of how much it unpacks to.

A bundle has one shape of zip (`zipform`), so everything between the entries is known beforehand: whatever is hidden in front of, behind
or between them, named twice, or said differently in two places is found. Entries are streamed, and never more than they declare.
"""

import hashlib
import re
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from shared.deliver import zipform
from shared.deliver.verify.verdict import Tally, shown
from shared.deliver.zipform import Member
from shared.errors import VerificationError

MAX_ENTRIES = 500_000
MAX_DIRECTORY = 256 * 1024 * 1024
CHUNK = 256 * 1024

_NOT_OURS = "ask for the file again, as `aoai-evidence bundle` wrote it (not packed again by another program)"

_NAME = re.compile(
    r"README\.txt|SHA256SUMS|manifest\.json|checkpoint|catalogue\.json|findings\.csv|period\.json|disclosures\.json|verify\.py|index\.html"
    r"|by-control/(?:[a-z0-9]{1,40}/[a-z0-9][a-z0-9-]{0,80}|[A-Z][A-Za-z0-9 ]{0,38}[A-Za-z0-9]/(?:index|"
    r"[A-Z0-9][A-Za-z0-9 '(),.-]{0,98}[A-Za-z0-9)]/[A-Z0-9][A-Za-z0-9 '(),.-]{0,98}[A-Za-z0-9)]))\.csv"
    r"|sample/(?:sample\.json|population\.txt|selection\.txt)|certificate/(?:request\.json|certificate\.html)"
    r"|checkpoints/[0-9]{20}(?:\.[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.(?:tsr|cosig))?"
    r"|keys/[0-9]{20}\.checkpoint"
    r"|exhibits/[0-9]{6}-[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9_-])?"
    r"|records/[0-9]{20}\.jsonl"
    r"|tile/[0-9]{1,2}/(?:x[0-9]{3}/)*[0-9]{3}(?:\.p/[1-9][0-9]{0,2})?"
    r"|proofs/[A-Za-z0-9][A-Za-z0-9._-]{0,127}\.tlog-proof"
    r"|body/sha256/([0-9a-f]{2})/\1[0-9a-f]{62}"
)


class DamagedEntryError(Exception):
    """An entry whose data is not what its header says; the message is one sentence."""


class Archive:
    """An opened bundle. What is wrong with the container itself is noted in the tally; entries are checked when they are read."""

    def __init__(self, file: BinaryIO, tally: Tally) -> None:
        """Read the directory.

        Raises:
            VerificationError: the file is no zip of ours, or its directory cannot be read.
        """
        self._file = file
        self._tally = tally
        self._size = file.seek(0, 2)
        self.members: dict[str, Member] = {}
        self._read_directory()

    def _at(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    # -- the container --------------------------------------------------------------------------------------------------

    def _read_directory(self) -> None:
        tail = self._at(max(0, self._size - zipform.TAIL_SIZE), zipform.TAIL_SIZE)
        try:
            count, size, offset = zipform.parse_end(tail)
        except ValueError:
            raise VerificationError(self._what_it_is()) from None
        if count > MAX_ENTRIES or size > MAX_DIRECTORY:
            raise VerificationError(f"the file claims {count} entries: a bundle has at most {MAX_ENTRIES}; it is not one of ours")
        end = zipform.end_record(count, size, offset)
        if offset + size + len(end) + len(zipform.COMMENT_HEAD) + 64 != self._size:
            raise VerificationError(f"the zip's directory is not where its end record says: it was cut, or bytes were put in; {_NOT_OURS}")
        self._walk(self._at(offset, size), count, offset)
        if self._at(offset + size, len(end)) != end:
            self._tally.problem("zip", "the end record of the zip is not as a bundle's is")
        self._sealed, self._upto = tail[-64:], offset + size + len(end) - 22

    def _what_it_is(self) -> str:
        if self._size == 0:
            return "the file is empty: ask for the bundle again"
        if self._at(0, 4) == b"PK\x03\x04" and b"PK\x05\x06" in self._at(max(0, self._size - 65_600), 65_600):
            return f"this zip is not packed as a bundle is (or was altered at its end): {_NOT_OURS}"
        if self._at(0, 4) == b"PK\x03\x04":
            return "the file begins as a zip and has no end: it was cut short or damaged on its way; ask for it again"
        return "the file is not a zip, so not a bundle: name the file that `aoai-evidence bundle` wrote"

    def _walk(self, directory: bytes, count: int, directory_offset: int) -> None:
        position = expected = 0
        previous = ""
        for number in range(count):
            try:
                member, after = zipform.parse_central(directory, position)
            except ValueError:
                raise VerificationError(f"the zip's directory is damaged at entry {number + 1} of {count} (after {shown(previous) or 'none'}): {_NOT_OURS}") from None
            self._check_header(member, directory[position:after], expected, previous)
            expected, position, previous = member.end, after, member.name
        if position != len(directory) or expected != directory_offset:
            self._tally.problem("zip", f"there are bytes between the last entry of the zip ({previous}) and its end that belong to no entry")

    def _check_header(self, member: Member, raw: bytes, expected: int, previous: str) -> None:
        name = member.name
        if name <= previous:
            self._tally.problem("zip", "the entry is there twice, or out of order", file=name)
        if not _NAME.fullmatch(name):
            self._tally.problem("zip", "no bundle has an entry of this name: it is not read", file=name)
            return
        if raw != zipform.central_header(member) or member.method not in (zipform.STORED, zipform.DEFLATED):
            self._tally.problem("zip", "the entry's place in the zip's directory is not as a bundle's is (flags, time, mode or sizes)", file=name)
        if member.offset != expected:
            self._tally.problem("zip", f"the entry is not where the one before it ends (byte {expected})", file=name)
        header = zipform.local_header(member)
        if self._at(member.offset, len(header)) != header:
            self._tally.problem("zip", "the entry's header says something else than the zip's directory", file=name)
        self.members.setdefault(name, member)

    def _digest(self, upto: int) -> str:
        digest, position = hashlib.sha256(), 0
        while position < upto:
            data = self._at(position, min(4 * CHUNK, upto - position))
            if not data:
                break
            digest.update(data)
            position += len(data)
        return digest.hexdigest()

    def check_every_byte(self) -> None:
        """Compare the digest at the end of the file with the file. To be called last: what was found before says where."""
        if self._sealed.decode("ascii", "replace") == self._digest(self._upto) or self._tally.problems:
            return
        # The same content out of other bytes: find the entries whose packed form is not what packing their content gives.
        different = [name for name, member in self.members.items() if member.method == zipform.DEFLATED and not self._packs_to_itself(member)]
        if 0 < len(different) <= 3:
            for name in different:
                self._tally.problem("zip", "the packed bytes of the entry were altered", file=name)
        else:
            self._tally.problem("zip", "the bytes of the file are not those that were written (the digest at its end differs): ask for it again")

    def _packs_to_itself(self, member: Member) -> bool:
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        digest, packed = hashlib.sha256(), 0
        try:
            for data in self.chunks(member.name):
                part = packer.compress(data)
                digest.update(part)
                packed += len(part)
        except DamagedEntryError:
            return False
        digest.update(packer.flush())
        return digest.digest() == hashlib.sha256(self._at(member.data_offset, member.packed)).digest()

    # -- entries --------------------------------------------------------------------------------------------------------

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of an entry, piece by piece; that it is whole is known when the iterator ends.

        Raises:
            DamagedEntryError: the data is not what the header says (sizes, check sum), or cannot be unpacked.
        """
        member = self.members[name]
        if zipform.suspicious(member.size, member.packed):
            raise DamagedEntryError(f"the entry claims {member.size} bytes out of {member.packed}: that is what a zip bomb does, it is not unpacked")
        if member.data_offset + member.packed > self._size:
            raise DamagedEntryError("the entry is longer than the file")
        crc = total = 0
        for data in self._stored(member) if member.method == zipform.STORED else self._inflated(member):
            total += len(data)
            if total > member.size:
                raise DamagedEntryError("the entry unpacks to more than it declares")
            crc = zlib.crc32(data, crc)
            yield data
        if total != member.size or crc != member.crc:
            raise DamagedEntryError("the entry does not fit its check sum: its bytes were altered")

    def _stored(self, member: Member) -> Iterator[bytes]:
        for position in range(0, member.packed, CHUNK):
            yield self._at(member.data_offset + position, min(CHUNK, member.packed - position))

    def _inflated(self, member: Member) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-15)
        for raw in self._stored(member):
            pending = raw
            while pending:
                if inflater.eof:
                    raise DamagedEntryError("there are bytes after the entry's data")
                yield _inflate(inflater, pending)
                pending = inflater.unconsumed_tail or inflater.unused_data
        while not inflater.eof:
            data = _inflate(inflater, b"")
            if not data:
                raise DamagedEntryError("the entry's data ends too early")
            yield data

    def read(self, name: str, limit: int) -> bytes:
        """The whole content of an entry.

        Raises:
            DamagedEntryError: as `chunks`, or it is larger than `limit`.
        """
        if self.members[name].size > limit:
            raise DamagedEntryError(f"the entry is larger than {limit} bytes")
        return b"".join(self.chunks(name))


def _inflate(inflater: "zlib._Decompress", packed: bytes) -> bytes:
    try:
        return inflater.decompress(packed, CHUNK)
    except zlib.error:
        raise DamagedEntryError("the entry cannot be unpacked: its bytes were altered") from None
