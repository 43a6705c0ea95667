#!/usr/bin/env python3
"""Check a bundle of aoai-evidence, offline, with Python 3.9 or later and nothing else.

    python3 verify.py BUNDLE --key KEY [--checkpoint FILE] [--json]

BUNDLE is the .zip, or the folder that it was unpacked to (left out: the folder that this file lies in). KEY is the verifier key, the line
NAME+8 HEX DIGITS+BASE64 or a file that holds it; get it from the keeper of the log by another way than the bundle, which never brings the
key that it is trusted by. --checkpoint is the file `checkpoint` of a bundle that you received earlier.

Do not take this file from the bundle if you doubt the bundle: the same file is part of every release of aoai-evidence, and the SHA-256
of both must be the same.

What is checked, in this order: the zip, each file against the manifest, the Merkle tree, the signature, each record, and that nothing
which was due is missing. What is not checked is said at the end of every answer.

Exit code: 0 intact and complete, 3 intact but something was not collected, 1 not intact, 2 nothing can be said (no key, no file, or no
program here that can check a signature). Signatures are checked by the package `cryptography` if it is there, otherwise by `openssl`.
"""

from __future__ import annotations

import argparse
import base64
import bisect
import calendar
import hashlib
import json
import os
import re
import stat
import struct
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any, Iterator
from urllib.parse import quote, urljoin

CHUNK = 256 * 1024
MAX_ENTRIES = 500_000
MAX_DIRECTORY = 256 * 1024 * 1024
MAX_MANIFEST = 128 * 1024 * 1024
MAX_BODY = 256 * 1024 * 1024
MAX_SMALL = 16 * 1024 * 1024
MAX_RECORD = 65_535
MAX_SLOTS = 500_000
LISTED = 1_000
"""Problems, and gaps, that are printed; more are only counted."""

# Every entry that a bundle can have. Anything else is not read, and is a problem: nobody could say what it is there for.
NAME = re.compile(
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
ALWAYS = ("README.txt", "SHA256SUMS", "catalogue.json", "checkpoint", "findings.csv", "index.html", "period.json", "verify.py")
DIGEST = re.compile(r"[0-9a-f]{64}")
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
SWEEP = re.compile(r"[A-Za-z0-9._-]{1,128}")

KNOWN = {
    "event", "retention", "profile", "erasure", "sweep-planned", "observation", "failure", "finding", "change", "deletion", "sweep-closed",
    "exhibit", "waiver", "baseline", "attribution",
}  # fmt: skip
CONCLUSIONS = {"finding", "change", "deletion", "attribution"}

MALFORMED = (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError, OverflowError)
"""What reading a value raises that has not the shape it should have."""


class Refused(Exception):
    """Nothing can be said of the bundle; the message is one line."""

    def __init__(self, reason: str, code: int = 1) -> None:
        super().__init__(reason)
        self.code = code


class Damaged(Exception):
    """A file is not there or not what it should be; the message is one sentence."""


def shown(value: object) -> str:
    """Text out of the bundle, made safe to print: no control characters, not long."""
    text = "".join(c if c.isprintable() else "?" for c in str(value)[:301])
    return text if len(text) <= 300 else text[:299] + "..."


class Report:
    """What was found. A problem is evidence that is not what it should be; a gap is something that was not collected."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.gaps: list[str] = []
        self.checked: list[str] = []
        self.unchecked: list[str] = []
        self.notes: list[str] = []
        self.counts: Counter[str] = Counter()
        self.failures: dict[str, list[int]] = {}
        """Of each failure that is listed: its place among the gaps, how often it is there, the first record."""

    def problem(self, reason: str, *, record: int | None = None, file: str | None = None) -> None:
        self._add("problems", self.problems, reason, record, file)

    def gap(self, reason: str, *, record: int | None = None, resource: str | None = None) -> None:
        self._add("gaps", self.gaps, f"{reason} ({resource})" if resource else reason, record, None)

    def failure(self, reason: str, *, record: int, resource: str | None) -> None:
        """A gap that may be there sweep after sweep: it is listed once."""
        reason = shown(f"{reason} ({resource})" if resource else reason)
        known = self.failures.get(reason)
        if known is None:
            if len(self.gaps) < LISTED:
                self.failures[reason] = [len(self.gaps), 1, record]
            self._add("gaps", self.gaps, reason, record, None)
            return
        self.counts["gaps"] += 1
        known[1] += 1
        self.gaps[known[0]] = f"{known[1]:,} times, records {known[2]} to {record}: {reason}"

    def rarest_first(self) -> list[str]:
        """The gaps: what was missed once before what fails always."""
        times = {place: often for place, often, _ in self.failures.values()}
        return [self.gaps[place] for place in sorted(range(len(self.gaps)), key=lambda place: times.get(place, 1))]

    def unlisted(self, name: str) -> int:
        """How many problems or gaps no line stands for."""
        repeated = sum(times - 1 for _, times, _ in self.failures.values()) if name == "gaps" else 0
        return self.counts[name] - len(self.problems if name == "problems" else self.gaps) - repeated

    def _add(self, name: str, lines: list[str], reason: str, record: int | None, file: str | None) -> None:
        self.counts[name] += 1
        places = [f"record {record}"] if record is not None else []
        places += [shown(file)] if file is not None else []
        text = f"{', '.join(places)}: {shown(reason)}" if places else shown(reason)
        if len(lines) < LISTED and lines[-1:] != [text]:  # said over and over, it hides what else there is
            lines.append(text)

    def note(self, sentence: str) -> None:
        if len(self.notes) < 100 and shown(sentence) not in self.notes:
            self.notes.append(shown(sentence))


def progress(what: str) -> None:
    """One line on a terminal, overwritten by the next."""
    if sys.stderr.isatty():
        print(f"\r{what:<70}", end="", file=sys.stderr, flush=True)


# -- the files of a bundle: a zip, or a folder --------------------------------------------------------------------------------


class Folder:
    """An unpacked bundle. Links are not followed: what they lead to is not the bundle."""

    def __init__(self, root: str, report: Report) -> None:
        self.root = root
        self.sizes: dict[str, int] = {}
        for place, folders, files in os.walk(root):
            for name in sorted(files + [folder for folder in folders if os.path.islink(os.path.join(place, folder))]):
                path = os.path.join(place, name)
                entry = os.path.relpath(path, root).replace(os.sep, "/")
                mode = os.lstat(path).st_mode
                if name in (".DS_Store", "Thumbs.db", "desktop.ini"):
                    report.note(f"{entry} was put there by the file manager of this computer: it is not looked at")
                elif not stat.S_ISREG(mode):
                    report.problem("is a link or no file at all: it is not read", file=entry)
                elif not NAME.fullmatch(entry):
                    report.problem("no bundle has a file of this name: it is not read", file=entry)
                else:
                    self.sizes[entry] = os.lstat(path).st_size
            if len(self.sizes) > MAX_ENTRIES:
                raise Refused(f"the folder has more than {MAX_ENTRIES} files: it is no bundle")

    def chunks(self, name: str) -> Iterator[bytes]:
        path = os.path.join(self.root, *name.split("/"))
        with open(os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)), "rb") as file:
            while True:
                data = file.read(CHUNK)
                if not data:
                    return
                yield data

    def finish(self, report: Report) -> None:
        """Nothing is left to check."""

    def close(self) -> None:
        """Nothing is open."""


class Zip:
    """A bundle as it was sent.

    A bundle's zip has one shape: entries follow each other from the first byte on in the order of their names, then comes the directory,
    then the end, whose comment is the SHA-256 of all bytes before it. So whatever is hidden between entries, said differently in two
    places or named twice is found. A zip without comment was packed again by another program: then its content alone is checked.
    """

    def __init__(self, path: str, report: Report) -> None:
        self.file = open(path, "rb")
        try:
            self._open(report)
        except Refused:
            self.close()
            raise

    def close(self) -> None:
        """The zip is read no more."""
        self.file.close()

    def _open(self, report: Report) -> None:
        self.length = self.file.seek(0, 2)
        self._refuse_too_many()
        try:
            directory = zipfile.ZipFile(self.file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OverflowError, EOFError, OSError, struct.error, RuntimeError):
            raise Refused("the file is no zip, or was cut short or damaged on its way: ask for it again") from None
        self.comment, self.start = directory.comment, directory.start_dir
        self.as_written = len(self.comment) == 71 and self.comment.startswith(b"sha256:")
        if self.comment and not self.as_written:
            report.problem("the bytes at the end of the zip are not those that were written")
        elif not self.comment:
            report.note("the zip was packed again by another program since it was built: its content is what was checked")
        self.entries: dict[str, zipfile.ZipInfo] = {}
        end, previous = 0, ""
        for entry in directory.infolist():
            name = entry.filename
            if entry.is_dir() and not self.as_written:
                continue
            if name in self.entries or (self.as_written and name <= previous):
                report.problem("the entry is there twice, or out of order", file=name)
            if not NAME.fullmatch(name) or entry.flag_bits & 1:
                report.problem("no bundle has an entry of this name, or an encrypted one: it is not read", file=name)
                continue
            if self.as_written:
                self._check_place(entry, end, report)
            end, previous = entry.header_offset + len(local_header(entry)) + entry.compress_size, name
            self.entries.setdefault(name, entry)
        if self.as_written:
            self._check_end(directory.infolist(), end, report)
        self.sizes = {name: entry.file_size for name, entry in self.entries.items()}

    def _at(self, offset: int, size: int) -> bytes:
        self.file.seek(offset)
        return self.file.read(size)

    def _refuse_too_many(self) -> None:
        """Look at what the end of the zip claims before its whole directory is read into memory."""
        tail = self._at(max(0, self.length - 66_000), 66_000)
        end = tail.rfind(b"PK\x05\x06")
        if end < 0 or end + 22 > len(tail):
            return
        count, size = struct.unpack_from("<HL", tail, end + 10)
        wide = tail.rfind(b"PK\x06\x06", 0, end)
        if wide >= 0 and wide + 56 <= len(tail):
            count, size = struct.unpack_from("<QQ", tail, wide + 32)
        if count > MAX_ENTRIES or size > MAX_DIRECTORY:
            raise Refused(f"the zip claims {count} entries: a bundle has at most {MAX_ENTRIES}, it is not unpacked")

    def _check_place(self, entry: zipfile.ZipInfo, expected: int, report: Report) -> None:
        if entry.header_offset != expected:
            report.problem(f"the entry is not where the one before it ends (byte {expected})", file=entry.filename)
        header = local_header(entry)
        if self._at(entry.header_offset, len(header)) != header:
            report.problem("the entry's header says something else than the zip's directory", file=entry.filename)

    def _check_end(self, entries: list[zipfile.ZipInfo], end: int, report: Report) -> None:
        written = b"".join(central_header(entry) for entry in entries)
        tail = end_record(len(entries), len(written), end)
        if self.start != end or self._at(end, self.length) != written + tail + self.comment:
            report.problem("the directory at the end of the zip is not as a bundle's is")

    def chunks(self, name: str) -> Iterator[bytes]:
        """The content of an entry, never more of it than it declares."""
        entry = self.entries[name]
        size, packed = entry.file_size, entry.compress_size
        if size > 65_536 and size > 200 * packed:
            raise Damaged(f"the entry claims {size} bytes out of {packed}: that is what a zip bomb does, it is not unpacked")
        # Of a zip that was packed again, the header before the data may be longer than ours.
        names, extras = struct.unpack("<2H", self._at(entry.header_offset + 26, 4).ljust(4, b"\0"))
        start = entry.header_offset + 30 + names + extras
        if start + packed > self.length or entry.compress_type not in (0, 8):
            raise Damaged("the entry is longer than the file, or packed in a way that no bundle is")
        crc = total = 0
        for data in self._inflated(start, packed) if entry.compress_type == 8 else self._stored(start, packed):
            total += len(data)
            if total > size:
                raise Damaged("the entry unpacks to more than it declares")
            crc = zlib.crc32(data, crc)
            yield data
        if (total, crc) != (size, entry.CRC):
            raise Damaged("the entry does not fit its check sum: its bytes were altered")

    def _stored(self, start: int, packed: int) -> Iterator[bytes]:
        for position in range(0, packed, CHUNK):
            yield self._at(start + position, min(CHUNK, packed - position))

    def _inflated(self, start: int, packed: int) -> Iterator[bytes]:
        inflater = zlib.decompressobj(-15)
        try:
            for raw in self._stored(start, packed):
                rest = raw
                while rest:
                    if inflater.eof:
                        raise Damaged("there are bytes after the entry's data")
                    yield inflater.decompress(rest, CHUNK)
                    rest = inflater.unconsumed_tail or inflater.unused_data
            while not inflater.eof:
                data = inflater.decompress(b"", CHUNK)
                if not data:
                    raise Damaged("the entry's data ends too early")
                yield data
        except zlib.error:
            raise Damaged("the entry cannot be unpacked: its bytes were altered") from None

    def finish(self, report: Report) -> None:
        """Compare the digest at the end of the file with the file; what was found before says where."""
        if not self.as_written or report.problems:
            return
        digest, position, upto = hashlib.sha256(), 0, self.length - 22 - 71
        while position < upto:
            data = self._at(position, min(4 * CHUNK, upto - position))
            if not data:
                break
            digest.update(data)
            position += len(data)
        if digest.hexdigest().encode() != self.comment[7:]:
            report.problem("the bytes of the file are not those that were written (the digest at its end differs): ask for it again")


def local_header(entry: zipfile.ZipInfo) -> bytes:
    """What stands before an entry's data in a bundle."""
    wide = entry.file_size >= 0xFF00_0000
    extra = struct.pack("<2H2Q", 1, 16, entry.file_size, entry.compress_size) if wide else b""
    sizes = (0xFFFF_FFFF, 0xFFFF_FFFF) if wide else (entry.compress_size, entry.file_size)
    name = entry.filename.encode("utf-8", "replace")
    version = 45 if wide else 20
    return struct.pack("<4s5H3L2H", b"PK\3\4", version, 0, entry.compress_type, 0, 33, entry.CRC, *sizes, len(name), len(extra)) + name + extra


def central_header(entry: zipfile.ZipInfo) -> bytes:
    """An entry's place in the directory of a bundle."""
    wide, far = entry.file_size >= 0xFF00_0000, entry.header_offset >= 0xFFFF_FFFF
    fields = [entry.file_size, entry.compress_size] * wide + [entry.header_offset] * far
    extra = struct.pack(f"<2H{len(fields)}Q", 1, 8 * len(fields), *fields) if fields else b""
    sizes = (0xFFFF_FFFF, 0xFFFF_FFFF) if wide else (entry.compress_size, entry.file_size)
    version, name = 45 if wide or far else 20, entry.filename.encode("utf-8", "replace")
    offset = 0xFFFF_FFFF if far else entry.header_offset
    return (
        struct.pack("<4s6H3L", b"PK\1\2", 768 | version, version, 0, entry.compress_type, 0, 33, entry.CRC, *sizes)
        + struct.pack("<5H2L", len(name), len(extra), 0, 0, 0, 0o100644 << 16, offset) + name + extra
    )  # fmt: skip


def end_record(count: int, size: int, offset: int) -> bytes:
    """The end of a bundle's zip, its comment apart."""
    before = b""
    if count >= 0xFFFF or max(offset, size) >= 0xFFFF_FFFF:
        before = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 813, 45, 0, 0, count, count, size, offset)
        before += struct.pack("<4sLQL", b"PK\6\7", 0, offset + size, 1)
    short = min(count, 0xFFFF)
    return before + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, short, short, min(size, 0xFFFF_FFFF), min(offset, 0xFFFF_FFFF), 71)


# -- the manifest -------------------------------------------------------------------------------------------------------------


def canonical(value: Any) -> bytes:
    """JSON as evidence is written: sorted, without spaces, UTF-8."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return text.encode("utf-8", "backslashreplace")


def count(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError("not a count")
    return value


def is_time(text: Any) -> bool:
    return isinstance(text, str) and TIME.fullmatch(text) is not None and moment(text) is not None


def moment(text: str) -> datetime:
    """A time out of a record; UTC, without saying so."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ")


class Bundle:
    """The files, each read once and compared with the manifest. The manifest's own SHA-256 is the bundle's name."""

    def __init__(self, source: Folder | Zip, report: Report) -> None:
        self.source, self.report = source, report
        data = self.needed("manifest.json", MAX_MANIFEST)
        self.identity = hashlib.sha256(data).hexdigest()
        try:
            self._read(json.loads(data.decode()), data)
        except MALFORMED:
            raise Refused("the manifest is malformed: ask for the bundle again") from None
        self.sound: set[str] = set()
        self.named: set[str] = set()
        """Bodies that a record names."""
        self.exhibits: set[str] = set()
        """Files of exhibits that a record names."""

    def _read(self, value: Any, data: bytes) -> None:
        if value["kind"] != "aoai-evidence-bundle":
            raise Refused(f"the manifest is of another kind of file ({shown(value['kind'])}): name a bundle of aoai-evidence")
        if value["v"] != 3 + any(file["path"].startswith("exhibits/") for file in value["files"]):
            raise Refused(f"the bundle has version {shown(value['v'])}, this file is for versions 3 and 4: use the verify.py that came with it")
        self.period = (value["period"]["from"], value["period"]["to"])
        self.resources = value["scope"]["resources"]
        self.origin, self.size = value["log"]["origin"], count(value["log"]["size"])
        self.ranges = [(count(first), count(many)) for first, many in value["ranges"]]
        self.files = {file["path"]: (file["sha256"], count(file["bytes"])) for file in value["files"]}
        paths, end = [file["path"] for file in value["files"]], -1
        for first, many in self.ranges:
            if first <= end or many < 1:
                raise ValueError("ranges are not in order")
            end = first + many
        members = {"v", "kind", "software", "derived", "catalogue", "period", "scope", "log", "ranges", "files"}
        inner = [{"from", "to"}, {"resources", "framework"}, {"origin", "size"}]
        good = (
            set(value) == members and [set(value[name]) for name in ("period", "scope", "log")] == inner and count(value["derived"]) >= 0
            and all(isinstance(text, str) for text in (value["software"], value["catalogue"], value["scope"]["framework"] or ""))
            and all(set(file) == {"path", "sha256", "bytes"} for file in value["files"])
            and canonical(value) == data and paths == sorted(set(paths)) and "manifest.json" not in paths and self.ranges and end <= self.size
            and all(DIGEST.fullmatch(digest) for digest, _ in self.files.values()) and isinstance(self.origin, str)
            and all(map(is_time, self.period)) and self.period[0] < self.period[1]
            and (self.resources is None or (self.resources and all(isinstance(one, str) for one in self.resources)))
        )  # fmt: skip
        if not good:
            raise ValueError("not as a manifest is")

    def needed(self, name: str, limit: int) -> bytes:
        """A file without which nothing can be said."""
        if name not in self.source.sizes:
            raise Refused(f"there is no {name}, so this is not a whole bundle: ask for the file that `aoai-evidence bundle` wrote")
        try:
            return self._whole(name, limit)
        except Damaged as error:
            raise Refused(f"{name}: {error}; ask for the bundle again") from None

    def _whole(self, name: str, limit: int) -> bytes:
        if self.source.sizes[name] > limit:
            raise Damaged(f"the file is larger than {limit} bytes")
        return b"".join(self.source.chunks(name))

    def check_files(self) -> None:
        """Compare the lists, and every file but the records, which are read later."""
        there = set(self.source.sizes) - {"manifest.json"}
        for name in sorted(set(self.files) - there):
            self.report.problem("the manifest lists the file, and it is not there", file=name)
        for name in sorted(there - set(self.files)):
            self.report.problem("the file is there, and the manifest does not list it", file=name)
        for name in ALWAYS:
            if name not in there and name not in self.files:
                self.report.problem("every bundle has this file, and this one does not", file=name)
        for number, name in enumerate(sorted(there & set(self.files))):
            if not name.startswith("records/"):
                for _ in self.content(name):
                    pass
            if number % 500 == 0:
                progress(f"files: {number:,} of {len(there):,}")
        sums = "".join(f"{digest}  {name}\n" for name, (digest, _) in sorted(self.files.items()) if name != "SHA256SUMS")
        if self.files.get("SHA256SUMS", (None,))[0] not in (None, hashlib.sha256(sums.encode()).hexdigest()):
            self.report.problem("does not say the same as the manifest", file="SHA256SUMS")
        for name in sorted(there):
            if name.startswith("body/"):
                self.report.counts["bodies"] += 1
                if name in self.sound and self.files[name][0] != name[-64:]:
                    self.sound.discard(name)
                    self.report.problem("the body is not what its name says", file=name)

    def content(self, name: str) -> Iterator[bytes]:
        """The bytes of a file; what does not fit the manifest is noted at the end."""
        digest, total = hashlib.sha256(), 0
        try:
            for data in self.source.chunks(name):
                digest.update(data)
                total += len(data)
                yield data
        except (Damaged, OSError) as error:
            self.report.problem(str(error), file=name)
            return
        if name in self.files and (digest.hexdigest(), total) == self.files[name]:
            self.sound.add(name)
            self.report.counts["files"] += 1
        elif name in self.files:
            self.report.problem("its bytes are not those that the manifest names", file=name)

    def small(self, name: str, limit: int = MAX_SMALL) -> bytes | None:
        """A file that was found to be what the manifest says; None where it was not."""
        if name not in self.sound:
            return None
        try:
            return self._whole(name, limit)
        except (Damaged, OSError) as error:
            self.report.problem(str(error), file=name)
            return None

    def lines(self, name: str) -> Iterator[bytes]:
        """The records in a file, one after another."""
        rest = b""
        for data in self.content(name):
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            yield from lines
            if len(rest) > MAX_RECORD:
                self.report.problem(f"holds a line of more than {MAX_RECORD} bytes", file=name)
                rest = b""
        if rest:
            self.report.problem("the last line has no end", file=name)

    def body(self, digest: str) -> Any:
        """A body, parsed."""
        data = self.small(body_name(digest), MAX_BODY) if DIGEST.fullmatch(digest) else None
        if data is None:
            raise Damaged(f"the body {digest} is missing or altered")
        try:
            return json.loads(data)
        except (ValueError, RecursionError):
            raise Damaged(f"the body {digest} is not JSON") from None


def body_name(digest: str) -> str:
    return f"body/sha256/{digest[:2]}/{digest}"


# -- the Merkle tree: RFC 6962 hashes, in tiles of 256 (c2sp.org/tlog-tiles) ------------------------------------------------------


def node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [node(*hashes[i : i + 2]) if i + 1 < len(hashes) else hashes[i] for i in range(0, len(hashes), 2)]
    return hashes[0]


class Tree:
    """The tree of a log of `size` records, as far as its tiles are in the bundle."""

    def __init__(self, bundle: Bundle, size: int) -> None:
        self.bundle, self.size = bundle, size
        self.kept: dict[str, list[bytes]] = {}

    def path(self, level: int, number: int) -> str:
        width = min(256, (self.size >> 8 * level) - number * 256)
        parts, rest = [f"{number % 1000:03d}"], number // 1000
        while rest:
            parts.append(f"x{rest % 1000:03d}")
            rest //= 1000
        return f"tile/{level}/{'/'.join(reversed(parts))}" + ("" if width == 256 else f".p/{width}")

    def tile(self, level: int, number: int) -> list[bytes]:
        """The hashes of a tile; empty where it is missing or has the wrong length."""
        path = self.path(level, number)
        if path not in self.kept:
            width = min(256, (self.size >> 8 * level) - number * 256)
            data = self.bundle.small(path, 256 * 32) or b""
            if len(self.kept) > 2_000:
                self.kept.clear()
            self.kept[path] = [data[i : i + 32] for i in range(0, len(data), 32)] if len(data) == 32 * width else []
        return self.kept[path]

    def hash_of(self, start: int, end: int) -> bytes:
        """The hash over the records [start, end): a whole subtree, or the right edge of a tree."""
        many = end - start
        high = many.bit_length() - 1
        if many != 1 << high:
            middle = start + (1 << high)
            return node(self.hash_of(start, middle), self.hash_of(middle, end))
        level = high // 8
        place = start >> 8 * level
        hashes = self.tile(level, place // 256)[place % 256 : place % 256 + (many >> 8 * level)]
        if len(hashes) != many >> 8 * level:
            raise Damaged(f"{self.path(level, place // 256)} is missing or has the wrong length")
        return root_of(hashes)

    def check(self, root: bytes) -> None:
        """Each tile hashes to its place in the tile above it, and the uppermost to the root that is signed."""
        report = self.bundle.report
        for name in sorted(self.bundle.source.sizes):
            if not name.startswith("tile/"):
                continue
            _, level_text, rest = name.split("/", 2)
            level, number = int(level_text), int(rest.partition(".p/")[0].replace("/", "").replace("x", ""))
            if (self.size >> 8 * level) - number * 256 <= 0 or self.path(level, number) != name:
                report.problem(f"a log of {self.size} records has no such tile", file=name)
                continue
            hashes = self.tile(level, number)
            report.counts["tiles"] += 1
            if not hashes:
                report.problem("the tile has the wrong length, or was altered", file=name)
            elif len(hashes) == 256 and self.tile(level + 1, number // 256)[number % 256 : number % 256 + 1] != [root_of(hashes)]:
                report.problem("the tile does not hash to its place in the one above it", file=name)
        try:
            if self.hash_of(0, self.size) != root:
                report.problem("the tiles do not lead to the root of the checkpoint: records or tiles were altered", file="checkpoint")
        except Damaged as error:
            report.problem(f"the tiles do not reach the root: {error}", file="checkpoint")

    def proof(self, index: int, checkpoint: bytes) -> bytes:
        """The file that proves one record to anybody who has the checkpoint (c2sp.org/tlog-proof)."""
        start, end, hashes = 0, self.size, []
        while end - start > 1:
            middle = start + (1 << ((end - start - 1).bit_length() - 1))
            hashes.append(self.hash_of(middle, end) if index < middle else self.hash_of(start, middle))
            start, end = (start, middle) if index < middle else (middle, end)
        lines = ["c2sp.org/tlog-proof@v1", f"index {index}", *(base64.b64encode(value).decode() for value in reversed(hashes))]
        return "\n".join(lines).encode() + b"\n\n" + checkpoint


# -- the signature: c2sp.org/signed-note and tlog-checkpoint ----------------------------------------------------------------------


def decode64(text: str) -> bytes:
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise ValueError("base64 that is spelled in another way than it is written")
    return data


class Key:
    """A verifier key, NAME+8 HEX DIGITS+BASE64: Ed25519 (type 1) or ECDSA over P-256 (type 2)."""

    def __init__(self, line: str) -> None:
        try:
            self.name, hexadecimal, encoded = line.strip().split("+", 2)
            blob = decode64(encoded)
        except ValueError:
            raise Refused("--key: not a verifier key: expected NAME+8 HEX DIGITS+BASE64, one line", 2) from None
        self.sort, material = blob[:1], blob[1:]
        if self.sort == b"\1" and len(material) == 32:
            self.id = hashlib.sha256(self.name.encode() + b"\n" + blob).digest()[:4]
            self.der = bytes.fromhex("302a300506032b6570032100") + material  # SubjectPublicKeyInfo of Ed25519, RFC 8410
        elif self.sort == b"\2" and b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07" in material:  # the name of P-256
            self.id, self.der = hashlib.sha256(material).digest()[:4], material
        else:
            raise Refused("--key: neither Ed25519 (type 1) nor ECDSA P-256 (type 2)", 2)
        if self.id.hex() != hexadecimal:
            raise Refused("--key: its id does not belong to its key; copy the whole line again", 2)


class Signatures:
    """Whatever here can check a signature; None where nothing can."""

    def __init__(self) -> None:
        self.how: str | None = None
        try:
            import cryptography  # noqa: F401

            self.how = "the package cryptography"
        except ImportError:
            try:
                said = subprocess.run(["openssl", "version"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30, check=False)
                self.how = said.stdout.decode("ascii", "replace").split(" (")[0].strip()[:60] if said.returncode == 0 else None
            except (OSError, subprocess.SubprocessError):
                self.how = None

    def good(self, key: Key, text: bytes, signature: bytes) -> bool:
        if self.how == "the package cryptography":
            return self._by_package(key, text, signature)
        with tempfile.TemporaryDirectory() as folder:
            names = {name: os.path.join(folder, name) for name in ("key", "text", "signature")}
            pem = f"-----BEGIN PUBLIC KEY-----\n{base64.encodebytes(key.der).decode()}-----END PUBLIC KEY-----\n".encode()
            for name, data in (("key", pem), ("text", text), ("signature", signature)):
                with open(names[name], "wb") as file:
                    file.write(data)
            if key.sort == b"\1":
                command = ["pkeyutl", "-verify", "-pubin", "-inkey", names["key"], "-rawin", "-in", names["text"], "-sigfile", names["signature"]]
            else:
                command = ["dgst", "-sha256", "-verify", names["key"], "-signature", names["signature"], names["text"]]
            done = subprocess.run(["openssl", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False)
            if done.returncode and re.search(b"(?i)unknown option|unsupported|unrecognized|not supported", done.stderr):
                raise Refused(f"signature not checked: {self.how} is too old for this key; install the package cryptography, or OpenSSL 3", 2)
            return done.returncode == 0

    @staticmethod
    def _by_package(key: Key, text: bytes, signature: bytes) -> bool:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        try:
            public: Any = serialization.load_der_public_key(key.der)
            public.verify(signature, text, *([] if key.sort == b"\1" else [ec.ECDSA(hashes.SHA256())]))
        except (InvalidSignature, ValueError, AttributeError, TypeError):
            return False
        return True


class Note:
    """A checkpoint: the name of the log, its size and root, and who signed that."""

    def __init__(self, data: bytes, what: str) -> None:
        try:
            whole = data.decode("utf-8")
            self.text, blank, tail = whole.rpartition("\n\n")
            self.text += "\n"
            lines = self.text.split("\n")
            good = len(data) < 1_000_000 and blank and tail.endswith("\n") and not any(ord(c) < 32 and c != "\n" for c in whole)
            if not good or len(lines) < 4 or not all(lines[:-1]):
                raise ValueError(what)
            self.origin, self.size, self.root = lines[0], int(lines[1]), decode64(lines[2])
            if str(self.size) != lines[1] or self.size < 0 or len(self.root) != 32:
                raise ValueError(what)
            self.signatures = []
            for line in tail[:-1].split("\n"):
                dash, name, encoded = line.split(" ")
                blob = decode64(encoded)
                if dash != "\u2014" or len(blob) < 5:
                    raise ValueError(what)
                self.signatures.append((name, blob[:4], blob[4:]))
        except ValueError:
            raise Refused(f"{what} is malformed: ask for it again") from None

    def signed_by(self, keys: list[Key], signatures: Signatures, what: str) -> bool:
        """Whether one of the keys signed; a line that names a key and does not fit spoils the whole note."""
        found = [(key, blob) for name, key_id, blob in self.signatures for key in keys if (key.name, key.id) == (name, key_id)]
        for key, blob in found:
            if not signatures.good(key, self.text.encode(), blob):
                raise Refused(f"{what}: the signature of {shown(key.name)} does not fit the text")
        if found and all(key.name != self.origin for key, _ in found):
            raise Refused(f"{what} is of the log {shown(self.origin)}, the key given is for {shown(found[0][0].name)}")
        return bool(found)


# -- the records: was everything that was planned answered, and is every answer here? ---------------------------------------------


class Answer:
    """An answer, or a question without one: what completeness needs of it."""

    __slots__ = ("digests", "failed", "index", "kind", "resource")

    def __init__(self, index: int, record: Any) -> None:
        self.index, self.kind, self.resource = index, record["kind"], record["resource"] or ""
        self.failed = record["type"] == "failure"
        self.digests = [page["sha256"] for page in record["pages"]]


class Sweep:
    """One pass over everything in scope: its plan says what was to be asked, its closing record what came of it."""

    def __init__(self, name: str, first: int) -> None:
        self.name, self.first = name, first
        self.plan: Any = None
        self.plan_record = -1
        self.asked: dict[str, Any] = {}
        self.planning: list[tuple[str, Answer]] = []
        """Answers that planning itself asked for: subscriptions, accounts."""
        self.units: dict[str, list[Answer]] = {}
        self.findings: dict[str, list[int]] = {}
        self.deletions: Counter[str] = Counter()
        """How many there are of each account."""
        self.outside = False
        """Of another time than the bundle's period: only there to show where that ends."""
        self.strange = False
        """Has records of types that are not known here: where the others stand cannot be counted."""


class Examiner:
    """Takes in every record that was proven, in the order of the log."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle, self.report, self.resources = bundle, bundle.report, bundle.resources
        self.from_start = self.resources is None and bundle.ranges[0][0] == 0
        self.open: dict[str, Sweep] = {}
        self.done: dict[str, tuple[int, set[str]]] = {}
        self.plans: list[tuple[int, Any]] = []
        self.beyond: list[Any] = []
        """Plans of other times than the period."""
        self.closings: dict[int, str] = {}
        """Sweeps by the index of their closing record."""
        self.key_records: set[int] = set()
        self.rests_on: set[int] = set()
        """Records that deletions and attributions rest on, which a bundle brings along from wherever they are."""
        self.waivers: list[tuple[int, Any]] = []
        """By which waivers were granted, or ended: as `acts`."""
        self.acts: list[tuple[int, Any]] = []
        """By which documents were filed as exhibits, or withdrawn: where, and what each says."""
        self.approvals: list[tuple[int, Any]] = []
        """By which states were approved as baselines."""
        self.strangers: Counter[str] = Counter()
        self.chains: set[int] = set()
        self.uncounted = False
        """Whether closing records do not say how many deletions there are."""
        self.followed = False
        """Whether there are answers about members of lists, or logs, which are not counted here."""

    def concerns(self, resource: str) -> bool:
        """Whether the answers about this resource must be in the bundle."""
        return self.resources is None or any(
            resource == one or resource.startswith(f"{one}/") or (one.startswith(f"{resource}/") and "/accounts/" in resource)
            for one in self.resources
        )

    def take(self, index: int, line: bytes) -> None:
        try:
            record = json.loads(line)
            if record["v"] != 1 or record["v"] is True:
                raise Damaged(f"is of version {record['v']}: use the verify.py that came with it")
            if not is_time(record["at"]) or not isinstance(record["type"], str) or not isinstance(record["kind"], str):
                raise ValueError("a field that every record has is malformed")
            for place in record.get("overflow", {}).values():
                self._body(index, place["sha256"], place["bytes"])
            moved = {name: self.bundle.body(place["sha256"]) for name, place in record.get("overflow", {}).items()}
            self._record(index, {**record, **moved})
        except Damaged as error:
            self.report.problem(str(error), record=index)
        except MALFORMED:
            self.report.problem("the record has not the shape that its type has", record=index)

    def _body(self, index: int, digest: str, size: int) -> None:
        name = body_name(digest)
        self.bundle.named.add(digest)
        if name not in self.bundle.sound or not DIGEST.fullmatch(digest):
            self.report.problem(f"the body {digest} that it names is missing or altered", record=index)
        elif self.bundle.files[name][1] != size:
            self.report.problem(f"says that the body {digest} has {size} bytes, and it has {self.bundle.files[name][1]}", record=index)

    def _record(self, index: int, record: Any) -> None:
        kind, name = record["type"], record["sweep"]
        self.report.counts[kind if kind in KNOWN else "not interpreted"] += 1
        paged = kind in ("observation", "failure") or (kind == "event" and "pages" in record)
        for body in record["pages"] if paged else [record["profile"]] if kind == "profile" else []:
            self._body(index, body["sha256"], body["bytes"])
        if index == 0 and (kind != "event" or record["store"]["origin"] != self.bundle.origin):
            self.report.problem("the first record of a log names the log, and this one does not", record=0)
        if kind == "event" and record["kind"] == "key":
            self.key_records.add(index)
        if kind in ("waiver", "exhibit", "baseline"):
            self.rests_on.add(index)
        if kind in ("waiver", "exhibit"):
            (self.waivers if kind == "waiver" else self.acts).append((index, record[kind]))
        if kind == "baseline":
            self.approvals.append((index, record["baseline"]))
        if kind in ("deletion", "attribution"):
            self.rests_on.update(map(count, [*record["records"], *record.get("supersedes", ())]))
        if kind == "finding" and record["profile"]:
            self.bundle.named.add(record["profile"])
        if kind not in KNOWN:
            self.strangers[kind] += 1
        if name is None:
            return
        if not isinstance(name, str) or not SWEEP.fullmatch(name):
            raise ValueError("not the name of a sweep")
        if name in self.done:
            self._late(index, record)
            return
        if name not in self.open:
            if kind not in ("retention", "sweep-planned") and record.get("unit") != "plan" and not self.from_start:
                if kind == "sweep-closed":  # of the sweep before the first: the records of that are not in the bundle
                    self.closings[index] = name
                return
            self.open[name] = Sweep(name, index)
        self._of_sweep(index, self.open[name], record)

    def _of_sweep(self, index: int, sweep: Sweep, record: Any) -> None:
        kind = record["type"]
        answered = kind in ("observation", "failure")
        if kind == "sweep-planned":
            self._planned(index, sweep, record)
        elif sweep.plan is None:
            if answered:
                self._answer(index, record)
                sweep.planning.append((record["unit"], Answer(index, record)))
        elif sweep.outside:
            return
        elif answered:
            self._answer(index, record)
            self._keep(sweep, index, record)
        elif kind in CONCLUSIONS:
            if kind == "deletion":
                sweep.deletions[record["account"]] += 1
            if record["unit"] not in sweep.asked or self.concerns(sweep.asked[record["unit"]]["resource"]):  # of other units, deletions alone are here
                place = sweep.findings.setdefault(record["unit"], [index, 0])
                if sum(place) != index and not sweep.strange:
                    self.report.problem(f"the findings about {record['unit']} do not stand together", record=index)
                place[1] += 1
            if any(rest is not None and count(rest) >= index for rest in record.get("records", [record.get("from"), record.get("to")])):
                self.report.problem("rests on a record that comes later", record=index)
        elif kind == "sweep-closed":
            self._closed(index, sweep, record)
        elif kind not in KNOWN:
            sweep.strange = True

    def _late(self, index: int, record: Any) -> None:
        closed, missing = self.done[record["sweep"]]
        if record.get("unit") in missing and record["type"] in ("observation", "failure"):
            self.report.note(f"sweep {record['sweep']}: {record['unit']} arrived after the sweep was closed")
        elif record["type"] in KNOWN:
            self.report.problem(f"comes after the closing record of its sweep, at {closed}", record=index)

    def _answer(self, index: int, record: Any) -> None:
        """One answer by itself: every page of it is there. A failure is a gap."""
        failed, pages, url = record["type"] == "failure", record["pages"], record["request"]["url"]
        chain = hash((url, failed, tuple((page["sha256"], page["url"]) for page in pages)))
        if chain not in self.chains:
            reason = self._pages(url, pages, failed)
            if reason is not None:
                self.report.problem(f"{record['kind']}: {reason}", record=index)
            elif len(self.chains) < 100_000:
                self.chains.add(chain)
        if failed:
            self.report.failure(f"{record['kind']}: {record['reason']} ({record['detail']})", record=index, resource=record["resource"])

    def _pages(self, url: str, pages: Any, failed: bool) -> str | None:
        """What is wrong with the pages of an answer: each is the one that the page before it links to, and the last links to none."""
        expected = url
        if not pages:
            return None if failed else "the answer has no page"
        for number, page in enumerate(pages, 1):
            if page["url"] != expected:
                return f"page {number} is not the one that was asked for or linked to"
            try:
                body = self.bundle.body(page["sha256"])
            except Damaged as error:
                # Missing or altered was said where the record names it.
                return str(error) if "JSON" in str(error) else None
            body = body if isinstance(body, dict) else {}
            link = body.get("nextLink") if isinstance(body.get("value"), list) else None
            expected = urljoin(page["url"], link) if isinstance(link, str) and link else ""
            members = body.get("data")
            if "value" not in body and isinstance(members, list) and body.get("has_more") is True:  # a list of an account's own endpoint
                cursor = body.get("last_id") or (members[-1]["id"] if members else None)
                if not isinstance(cursor, str):
                    return f"page {number} says that there is more, and not after what"
                expected = f"{url}{'&' if '?' in url else '?'}after={quote(cursor, safe='')}"
        return f"page {len(pages) + 1} is missing: the one before it links to it" if expected and not failed else None

    def _keep(self, sweep: Sweep, index: int, record: Any) -> None:
        name = record["unit"]
        if name not in sweep.asked:
            self.report.problem(f"the plan has no unit {name}", record=index)
        elif not self.concerns(sweep.asked[name]["resource"]):
            return  # there for what the accounts of its subscription are judged with
        answers = sweep.units.setdefault(name, [])
        if answers and index != answers[0].index + len(answers) and not sweep.strange:
            self.report.problem(f"the answers of {name} do not stand together", record=index)
        answers.append(Answer(index, record))

    # -- the plan, and what became of it --------------------------------------------------------------------------------------

    def _planned(self, index: int, sweep: Sweep, plan: Any) -> None:
        if sweep.plan is not None:
            self.report.problem(f"the sweep was planned already, at record {sweep.plan_record}", record=index)
            return
        previous = plan["previous"]
        times = [plan["at"], plan["deadline"], *(text for text in (plan["slot"], previous and previous["slot"]) if text is not None)]
        if not all(map(is_time, times)) or (previous is not None and count(previous["record"]) < 0) or not isinstance(plan["schedule"], (str, type(None))):
            raise ValueError("not a plan")
        sweep.plan, sweep.plan_record = plan, index
        sweep.asked = {unit["unit"]: unit for unit in plan["units"]}
        sweep.outside = not self.bundle.period[0] <= (plan["slot"] or plan["at"]) < self.bundle.period[1]
        if sweep.outside:
            self.beyond.append(plan)
            return
        self.plans.append((index, plan))
        if count(plan["log"]["size"]) > sweep.first:
            self.report.problem("says that the log was longer while planning than where its own first record is", record=index)
        if plan["log"]["consistent"] is False:
            self.report.problem("the collector found that the log did not extend the one that it had left", record=index)
        if plan["deadline"] < plan["at"]:
            self.report.problem("its deadline is before the time of the plan", record=index)
        if self.resources is None:
            self._population(index, sweep)

    def _items(self, answer: Answer) -> Iterator[Any]:
        for digest in answer.digests:
            try:
                page = self.bundle.body(digest)
            except Damaged:
                continue  # said where the record was read
            values = page.get("value") if isinstance(page, dict) else None
            yield from (item for item in values if isinstance(item, dict)) if isinstance(values, list) else ()

    def _population(self, index: int, sweep: Sweep) -> None:
        """The plan has a unit for everything that Azure named in its scope, and for nothing else."""
        plan, scope, seen = sweep.plan, sweep.plan["scope"], None
        planned, only = {unit["resource"] for unit in plan["units"]}, scope["resources"]
        if len(planned) != len(plan["units"]) or len(sweep.asked) != len(plan["units"]):
            self.report.problem("the plan names a unit, or a resource, twice", record=index)
        good = {(unit, answer.kind, answer.resource): answer for unit, answer in sweep.planning if not answer.failed}
        for (_, kind, resource), answer in good.items():
            if (kind, resource) == ("subscriptions", ""):
                ids = [item.get("subscriptionId") or str(item.get("id", "")).rpartition("/")[2] for item in self._items(answer)]
                seen = {one.lower() for one in ids if isinstance(one, str) and re.fullmatch(r"[0-9A-Za-z_-]{1,64}", one)}
                break
        if "seen" in plan and (None if plan["seen"] is None else set(plan["seen"])) != seen:
            self.report.problem("does not name the subscriptions that Azure's answer names as seen", record=index)
        if only is not None:
            named = {resource.split("/")[2] for resource in only if resource.count("/") >= 2}
        else:
            named = set(scope["subscriptions"]) if scope["subscriptions"] is not None else seen or set()
        named = {f"/subscriptions/{one}" for one in named} | set(only or ())
        kinds = {kind.lower() for kind in scope["kinds"]}
        for (_, kind, resource), answer in good.items():
            for item in self._items(answer) if kind == "accounts" else ():
                one, sort = item.get("id"), item.get("kind")
                known = isinstance(one, str) and one.lower().startswith(resource + "/") and isinstance(sort, str) and sort.lower() in kinds
                if known and (only is None or one.lower() in only):
                    named.add(one.lower())
        # What a list names and cannot be an account has a failure of its own.
        named -= {answer.resource for _, answer in sweep.planning if answer.kind == "account"} - planned
        for resource in sorted(named - planned):
            self.report.problem(f"{resource} is in scope, and the plan has no unit for it", record=index)
        for resource in sorted(planned - named):
            self.report.problem(f"the plan has a unit for {resource}, which neither the scope nor an answer of Azure names", record=index)
        asked = {(unit, answer.resource) for unit, answer in sweep.planning if answer.kind == "accounts"}
        for unit in plan["units"]:
            if unit["resource"].count("/") == 2 and unit["resource"] in named and (unit["unit"], unit["resource"]) not in asked:
                self.report.problem(f"the accounts of {unit['resource']} were not asked for", record=index)

    def _questions(self, sweep: Sweep, name: str, index: int) -> None:
        """Every planned question has one answer, of the unit itself or of one of the projects that it names."""
        unit, answers = sweep.asked[name], sweep.units[name]
        account, kinds = unit["resource"], sweep.plan["questions"].get(unit["asked"])
        if kinds is None:
            self.report.problem(f"the plan asks {unit['asked']} of {name}, and does not say what that is", record=index)
            return
        due = Counter((kind, account) for kind in kinds)
        # What is asked of the members of a list (of each fine-tuning job, say) or of a workspace with logs is not counted here.
        named = sweep.plan["questions"].items()
        beyond = {kind for entry, those in named if ":" not in entry and entry not in ("subscription", "project", unit["asked"]) for kind in those}
        beyond -= {*kinds, *sweep.plan["questions"].get("project", ())}
        self.followed = self.followed or any(answer.kind in beyond for answer in answers)
        for answer in answers:
            if (answer.kind, answer.resource, answer.failed) == ("projects", account, False):
                found = set()
                for item in self._items(answer):
                    one = item.get("id")
                    tail = one.lower()[len(account) + 10 :] if isinstance(one, str) and one.lower().startswith(f"{account}/projects/") else str(one).lower()
                    found.add(one.lower() if isinstance(one, str) and re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,126}", tail) else None)
                if None in found:
                    self.report.gap("the list of projects names what is no project of this account", record=answer.index, resource=account)
                due.update((kind, project) for project in found - {None} for kind in sweep.plan["questions"].get("project", ()))
        answered = Counter((answer.kind, answer.resource) for answer in answers)
        for kind, resource in sorted(due - answered):
            self.report.problem(f"{kind} of {resource} was planned, and has neither an answer nor a failure", record=index)
        for answer in answers:
            if answer.kind not in beyond and answered[answer.kind, answer.resource] > due[answer.kind, answer.resource]:
                self.report.problem(f"{answer.kind} of {answer.resource} was answered more often than the plan asks it", record=answer.index)

    def _closed(self, index: int, sweep: Sweep, closed: Any) -> None:
        whole, missing = self.resources is None, set(closed["missing"])
        for name in sweep.units:
            if name in sweep.asked:
                self._questions(sweep, name, index)
            if name not in missing and name not in sweep.findings and not sweep.strange:
                self.report.problem(f"{name} was collected and not judged", record=index)
        units = {name: [answers[0].index, len(answers)] for name, answers in sweep.units.items()}
        if whole:
            units["plan"] = [sweep.first, sweep.plan_record - sweep.first + 1] if sweep.plan else [sweep.first, 0]
        findings = {f"{name}.findings": place for name, place in sweep.findings.items()}
        for said, counted in ((closed["units"], units), (closed["findings"], findings)) if not sweep.strange else ():
            for name in sorted({*said, *counted} if whole else counted):
                if said.get(name) != counted.get(name):
                    self.report.problem(f"says that {name} is at {said.get(name)}, and it is at {counted.get(name)} (first record, records)", record=index)
        for account in sorted({*closed.get("deletions", ()), *sweep.deletions}) if "deletions" in closed else ():
            due, there = count(closed["deletions"].get(account, 0)), sweep.deletions[account]
            if due != there and self.concerns(account):
                self.report.problem(f"says that {due} deletions of {account} were concluded, and {there} are here", record=index)
        self.uncounted = self.uncounted or ("deletions" not in closed and not whole)
        if closed["planned"] != sweep.plan_record or closed["slot"] != sweep.plan["slot"]:
            self.report.problem(f"names another plan or slot than the one at record {sweep.plan_record}", record=index)
        for name in sorted(missing):
            if self.concerns(sweep.asked.get(name, {}).get("resource") or ""):
                self.report.gap(f"{name} was planned and not collected", record=index, resource=sweep.asked.get(name, {}).get("resource"))
        absent = {name for name, unit in sweep.asked.items() if name not in sweep.units and self.concerns(unit["resource"])}
        if not whole:
            for name in sorted(absent - missing):
                self.report.problem(f"the records of {name} are not in the bundle", record=index)
        else:
            wrong = (absent - missing) | {name for name in missing - absent if name not in sweep.units or name in sweep.findings}
            if wrong:
                self.report.problem(f"is wrong about which units are missing: {', '.join(sorted(wrong)[:3])}", record=index)
            failures = sum(answer.failed for _, answer in sweep.planning)
            failures += sum(answer.failed for name, answers in sweep.units.items() if name not in missing for answer in answers)
            if closed["failures"] != failures:
                self.report.problem(f"says that {closed['failures']} questions failed, and {failures} did", record=index)
            if closed["complete"] != (not missing and not failures):
                self.report.problem("says of the sweep that it is complete, or not, and it is the opposite", record=index)
            if "sweep" not in sweep.findings and not sweep.strange:
                self.report.problem("the collection itself was not judged", record=index)
        self.closings[index] = sweep.name
        self.done[sweep.name] = (index, missing)
        del self.open[sweep.name]

    def finish(self) -> None:
        """There are no more records."""
        for sweep in self.open.values():
            if sweep.plan is None:
                self.report.problem(f"sweep {sweep.name} has records and no plan", record=sweep.first)
            elif not sweep.outside:
                self.report.gap("the sweep was planned and never closed", record=sweep.plan_record)
        try:
            self._period()
        except MALFORMED:
            self.report.problem("the plans have not the shape that they should have: that no sweep is missing cannot be shown")

    # -- the period: no sweep left out before, between or after ------------------------------------------------------------------

    def _period(self) -> None:
        """Each plan names the closing record of the sweep before it, so none can be left out between two that are there."""
        report, start, end = self.report, *self.bundle.period
        if not self.plans:
            report.problem("the bundle has no sweep of its period", file="manifest.json")
            return
        after = next((plan for plan in self.beyond if (plan["slot"] or plan["at"]) >= end), None)
        for index, plan in [*self.plans, *([(-1, after)] if after else [])]:
            if plan["previous"] is not None and plan["previous"]["record"] not in self.closings:
                where = index if index >= 0 else None
                report.problem(f"the sweep before it, closed at record {plan['previous']['record']}, is not in the bundle: it was left out", record=where)
        first, plan = self.plans[0]
        if plan["previous"] is not None and (plan["previous"]["slot"] or "") >= start:
            report.problem("the sweep before it is of the period too, and was left out", record=first)
        beside = {*self.key_records, *self.rests_on, *([plan["previous"]["record"]] if plan["previous"] else [])}
        runs = [(one, many) for one, many in self.bundle.ranges if many > len(beside) or not beside.issuperset(range(one, one + many))]
        if self.resources is None and len(runs) > 1:
            report.problem("records between those of the period are left out", record=sum(runs[0]))
        last = runs[-1] if runs else self.bundle.ranges[-1]
        if after is None and sum(last) != self.bundle.size:
            report.problem(
                f"the bundle ends at record {sum(last) - 1} and the log at {self.bundle.size - 1}: nothing shows that what follows is of later time"
            )
        elif after is None and self.resources is not None and self.closings and max(self.closings) < last[0]:
            report.problem("nothing shows that no sweep was planned after the last one", record=max(self.closings))
        self._slots(start, end)

    def _slots(self, start: str, end: str) -> None:
        """Each slot of the schedule that the plans declare has its sweep."""
        plans = [plan for _, plan in self.plans]
        declared = [plan for plan in plans if plan["schedule"] is not None]
        if len(declared) < len(plans) or not plans:
            self.report.counts["unscheduled"] = 1
            self.report.unchecked.append("that no sweep is missing while no schedule was declared: nothing says when sweeps were due")
        if not declared:
            return
        begin = declared[0]["slot"] or declared[0]["at"]
        # A log that begins with its period, on the same day, has missed nothing; one that begins later has nothing to show for the time before.
        if not (plans[0]["previous"] and plans[0]["previous"]["slot"]) and moment(begin) - moment(start) <= timedelta(days=1):
            start = begin
        done = {plan["slot"] for plan in plans if plan["scope"]["resources"] is None}
        narrowed = {plan["slot"] for plan in plans} - done
        due, missed = 0, 0
        row: list[str] = []
        for slot in self._due(plans, start, end):
            due += 1
            if due == MAX_SLOTS:
                self.report.unchecked.append(f"slots after {slot}: there are too many")
                break
            if slot not in done:
                missed += 1
                if row and (row[-1] in narrowed) != (slot in narrowed):
                    self._missed(row, narrowed)
                    row = []
                row.append(slot)
            elif row:
                self._missed(row, narrowed)
                row = []
        if row:
            self._missed(row, narrowed)
        self.report.checked.append(f"{due - missed:,} of {due:,} slots of the declared schedule have their sweep")

    def _missed(self, row: list[str], narrowed: set[str]) -> None:
        what = f"the slot {row[0]}" if len(row) == 1 else f"{len(row)} slots in a row, {row[0]} to {row[-1]}"
        self.report.gap(f"no sweep{' but of named accounts' if row[0] in narrowed else ''} was planned for {what}")

    def _due(self, plans: list[Any], start: str, end: str) -> Iterator[str]:
        for number, plan in enumerate(plans):
            since = start if number == 0 else max(start, plan["slot"] or plan["at"])
            until = (plans[number + 1]["slot"] or plans[number + 1]["at"]) if number + 1 < len(plans) else end
            if plan["schedule"] is None or since >= until:
                continue
            try:
                yield from slots(plan["schedule"], moment(since), moment(until))
            except MALFORMED:
                self.report.problem(f"the schedule {shown(plan['schedule'])} is none", record=self.plans[number][0])


MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


def slots(schedule: str, start: datetime, end: datetime) -> Iterator[str]:
    """The moments of a schedule of Azure Functions (second minute hour day month day-of-week), from `start` until before `end`."""
    fields = schedule.split()
    if len(fields) != 6:
        raise ValueError("not six fields")
    spans = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    second, minute, hour, day, month, weekday = (values(text, *span) for text, span in zip(fields, spans))
    times = [h * 3600 + m * 60 + s for h in sorted(hour) for m in sorted(minute) for s in sorted(second)]
    today = start.date()
    while today <= end.date():
        if today.month not in month:
            today = date(today.year + today.month // 12, today.month % 12 + 1, 1)
            continue
        if today.day in day and (calendar.weekday(today.year, today.month, today.day) + 1) % 7 in weekday:
            midnight = datetime(today.year, today.month, today.day)
            begin = bisect.bisect_left(times, (start - midnight).total_seconds()) if today == start.date() else 0
            for seconds in times[begin:]:
                at = midnight + timedelta(seconds=seconds)
                if at >= end:
                    return
                yield at.strftime("%Y-%m-%dT%H:%M:%S.000000Z")
        today += timedelta(days=1)


def values(text: str, least: int, most: int) -> set[int]:
    """The values of one field: a list with commas of *, a, a-b, each with or without a step /n; months and days by name too."""
    names = {12: dict(zip(MONTHS, range(1, 13))), 6: dict(zip(DAYS, range(7)))}.get(most, {})

    def value(part: str) -> int:
        found = int(names.get(part.lower()[:3], -1)) if part.isalpha() else int(part)
        if not least <= found <= most:
            raise ValueError("out of range")
        return found

    found: set[int] = set()
    for part in text.split(","):
        span, slash, step = part.partition("/")
        low, dash, high = span.partition("-")
        first = least if span == "*" else value(low)
        last = most if span == "*" or (slash and not dash) else value(high) if dash else first
        if last < first or (slash and int(step) < 1):
            raise ValueError("backwards")
        found.update(range(first, last + 1, int(step) if slash else 1))
    return found


# -- all of it, in order --------------------------------------------------------------------------------------------------------


def verify(source: Folder | Zip, keys: list[Key], held: bytes | None, report: Report) -> Bundle:
    """Check everything that this file checks."""
    bundle, signatures = Bundle(source, report), Signatures()
    data = bundle.needed("checkpoint", 1_000_000)
    checkpoint = Note(data, "the checkpoint")
    if (checkpoint.origin, checkpoint.size) != (bundle.origin, bundle.size):
        report.problem("the manifest names another log, or another size, than the checkpoint", file="manifest.json")
    signed = f"the checkpoint is signed by the key that you gave (checked by {signatures.how})"
    if keys and signatures.how is not None:
        if not checkpoint.signed_by(keys, signatures, "the checkpoint"):
            handed = any(name.startswith("keys/") for name in source.sizes)
            more = "; the log's keys were changed, which this file does not follow: give the newest key, or use `aoai-evidence verify`" if handed else ""
            raise Refused(f"the checkpoint is not signed by the key given: use the one that you had from the keeper of the log{more}")
        report.checked.append(signed)
    bundle.check_files()
    tree = Tree(bundle, checkpoint.size)
    tree.check(checkpoint.root)
    examiner = Examiner(bundle)
    for first, many in bundle.ranges:
        read_run(bundle, tree, examiner, first, many)
    examiner.finish()
    try:
        check_waivers(examiner.waivers, report)
        check_exhibits(bundle, examiner.acts)
    except MALFORMED:
        report.problem("what was waived, or filed as exhibits, has not the shape that it should have")
    try:
        check_approvals(bundle.report, examiner.approvals)
    except MALFORMED:
        report.problem("an approval of a baseline has not the shape that it should have")
    check_earlier(bundle, tree, checkpoint)
    for index, sweep in examiner.closings.items():
        check_proof(bundle, tree, sweep, index, data)
    for name in source.sizes:
        stray = name.startswith("exhibits/") and name not in bundle.exhibits
        stray = stray or (name.startswith("records/") and name not in {f"records/{first:020d}.jsonl" for first, _ in bundle.ranges})
        if stray or (name.startswith("body/") and name[-64:] not in bundle.named):
            report.problem("nothing in the bundle accounts for the file", file=name)
    if held is not None:
        check_held(tree, Note(held, "the checkpoint that you hold"), checkpoint, keys, signatures, report)
    else:
        report.unchecked.append("that the log extends an earlier state of it: keep `checkpoint` of this bundle, and give it next time with --checkpoint")
    source.finish(report)
    say(report, bundle, examiner)
    return bundle


def read_run(bundle: Bundle, tree: Tree, examiner: Examiner, first: int, many: int) -> None:
    """Read the records of a run, prove each by its leaf hash, and hand it on."""
    name, index, report = f"records/{first:020d}.jsonl", first, bundle.report
    if name not in bundle.source.sizes:
        return  # that it is missing was said
    altered = lacking = -1
    for line in bundle.lines(name):
        if index < first + many:
            leaves = tree.tile(0, index // 256)
            if not leaves and lacking != index // 256:
                lacking = index // 256
                report.problem("there is no tile to prove the records from here on with", record=index)
            elif leaves and hashlib.sha256(b"\x00" + line).digest() != leaves[index % 256]:
                if altered != index - 1:
                    report.problem("the record is not what was sealed", record=index)
                altered = index
            elif leaves:
                report.counts["records"] += 1
                examiner.take(index, line)
        index += 1
        if index % 20_000 == 0:
            progress(f"records: {index - first:,} of {many:,}")
    if index != first + many:
        report.problem(f"holds {index - first} records, and the manifest says {many}", file=name)


def check_earlier(bundle: Bundle, tree: Tree, newest: Note) -> None:
    """Earlier checkpoints in the bundle must have the roots that this log had then. Who signed them is not looked at."""
    for name in bundle.source.sizes:
        if re.fullmatch(r"checkpoints/[0-9]{20}|keys/[0-9]{20}\.checkpoint", name):
            size, data = int(re.findall("[0-9]{20}", name)[0]), bundle.small(name) or b""
            try:
                earlier = Note(data, "the checkpoint")
                if earlier.origin != newest.origin or not 0 < earlier.size == size < newest.size or tree.hash_of(0, size) != earlier.root:
                    raise Refused("the checkpoint does not have the root of the records before it: it is of another log")
            except (Refused, Damaged) as error:
                bundle.report.problem(str(error), file=name)


def check_waivers(acts: list[tuple[int, Any]], report: Report) -> None:
    """No act about a waiver is missing. Those of old say no number: theirs are the first that are free."""
    numbers = {count(said["number"]): index for index, said in acts if "number" in said}
    free = [number for number in range(1, len(acts) + 1) if number not in numbers]
    given = [*numbers, *free[: sum("number" not in said for _, said in acts)]]
    if sorted(given) != list(range(1, len(acts) + 1)):
        report.problem("an act about a waiver is not here, though a later one is, or is here twice", record=max(numbers.values()))


def check_approvals(report: Report, approvals: list[tuple[int, Any]]) -> None:
    """No approval of a baseline is missing, and each is of records before it."""
    numbers = {count(said["number"]): index for index, said in approvals}
    if len(numbers) != len(approvals) or sorted(numbers) != list(range(1, len(numbers) + 1)):
        report.problem("an approval of a baseline is not here, though a later one is, or is here twice", record=max(numbers.values()))
    for index, said in approvals:
        if not count(said["from"]) < count(said["size"]) <= index:
            report.problem("approves what was not all sealed before it", record=index)


def check_exhibits(bundle: Bundle, acts: list[tuple[int, Any]]) -> None:
    """No act about an exhibit is missing, and each file that was filed, is kept and is about the period is here and is that file."""
    report, start, end = bundle.report, *bundle.period
    numbers = {count(said["number"]): index for index, said in acts}
    if len(numbers) != len(acts) or sorted(numbers) != list(range(1, len(numbers) + 1)):
        report.problem("an act about an exhibit is not here, though a later one is, or is here twice", record=max(numbers.values()))
    gone = {said["exhibit"] for _, said in acts if said["action"] == "withdraw"}
    for index, said in acts:
        number = said["number"]
        if said["action"] != "add" or number in gone:
            continue
        until = max(said["expires"] or said["covers"]["to"], said["covers"]["to"] or "")
        if not said["covers"]["from"] < end or not start < until:
            continue
        file, name = said["file"], f"exhibits/{number:06d}-{said['file']['name']}"
        if not file["kept"]:
            report.unchecked.append(f"exhibit {number} against its file, which is not in the evidence: the document must have the SHA-256 {shown(file['sha256'])}")
            continue
        bundle.exhibits.add(name)
        if name not in bundle.files:
            report.problem(f"the file of exhibit {number} is not in the bundle", record=index)
        elif bundle.files[name] != (file["sha256"], file["bytes"]):
            report.problem(f"the file is not the one that was filed as exhibit {number}", record=index, file=name)
        else:
            report.counts["exhibits"] += 1


def check_held(tree: Tree, held: Note, newest: Note, keys: list[Key], signatures: Signatures, report: Report) -> None:
    """A checkpoint from earlier: the log must extend the one that it is of."""
    if held.origin != newest.origin:
        raise Refused(f"the checkpoint that you hold is of the log {shown(held.origin)}, this is {shown(newest.origin)}")
    if keys and signatures.how is not None and not held.signed_by(keys, signatures, "the checkpoint that you hold"):
        raise Refused("the checkpoint that you hold is not signed by the key given")
    if held.size > newest.size:
        report.problem(f"the newest {held.size - newest.size} records are cut off: the checkpoint that you hold covers {held.size}", file="checkpoint")
        return
    try:
        root = tree.hash_of(0, held.size) if held.size else hashlib.sha256(b"").digest()
    except Damaged:
        report.unchecked.append("that the log extends the checkpoint that you hold: send it to the keeper and ask for `bundle --since CHECKPOINT`")
        return
    if root != held.root:
        report.problem(f"the first {held.size} records are not those of the checkpoint that you hold: the log was rewritten", file="checkpoint")
    else:
        report.checked.append(f"the log extends the checkpoint that you hold ({held.size:,} records), unchanged")


def check_proof(bundle: Bundle, tree: Tree, sweep: str, index: int, signed: bytes) -> None:
    """The proof of a sweep's closing record."""
    name = f"proofs/{sweep}.tlog-proof"
    data = bundle.small(name)
    if name not in bundle.source.sizes:
        bundle.report.problem(f"the proof of the closing record of sweep {sweep} is missing", record=index)
    try:
        if data is not None and data != tree.proof(index, signed):
            bundle.report.problem("is not the proof of the sweep's closing record", file=name)
    except Damaged:
        pass  # a tile is missing: said where the record was read




def say(report: Report, bundle: Bundle, examiner: Examiner) -> None:
    """What was checked and what was not: an answer without the second is worth nothing."""
    counts = report.counts
    report.checked[:0] = [
        f"{counts['files'] + 1:,} files are what the manifest says",
        f"{counts['records']:,} records of the {bundle.size:,} in the log hash to the root of the checkpoint",
        f"{counts['bodies']:,} bodies are what their names say",
        f"{len(examiner.plans):,} sweeps: each planned question has its answer, each answer all its pages",
    ]
    if counts["exhibits"]:
        report.checked.append(f"each file of an exhibit ({counts['exhibits']:,}) has the digest that was sealed when it was filed")
    if examiner.acts:
        report.unchecked.append("whether exhibits are genuine, and say what they were filed for: what is sealed is that somebody filed documents with these digests")
    if any(name.startswith("checkpoints/") for name in bundle.source.sizes):
        report.unchecked.append("timestamps and cosignatures in checkpoints/: `aoai-evidence verify --tsa-roots --witness` checks them")
    if any(name.startswith("keys/") for name in bundle.source.sizes):
        report.unchecked.append("that each change of the signing keys was signed by the old ones: `aoai-evidence verify` checks it")
    for kind, many in sorted(examiner.strangers.items())[:20]:
        report.unchecked.append(f"what {many:,} records of type {shown(kind)} say: counted and proven, not interpreted here, nor where others of their sweeps stand")
    if examiner.followed:
        report.unchecked.append("that each member of a list, and each workspace with logs, was asked what was planned, and for the right times")
    if bundle.resources is not None:
        report.unchecked.append("records about other resources than those asked for: they are in the log and not in this bundle")
    if examiner.uncounted:
        report.unchecked.append(
            "whether a deletion was left out that was concluded with a subscription's answers: closing records of an older version do not count them"
        )
    report.unchecked += [
        "that the findings, and what was said of changes, deletions and who made them, follow from the answers: `aoai-evidence verify` judges again",
        "that findings.csv, period.json, sample/, certificate/, by-control/, README.txt, "
        "catalogue.json and index.html follow from the rest: `aoai-evidence verify` derives them again",
        "personal values in disclosures.json, and the fine print of each record's form: `aoai-evidence verify` checks them",
        "whether Azure's answers were true, and whether the identity could see everything: nothing after the fact can show that",
    ]


def answer(report: Report, bundle: Bundle, doubt: str | None) -> tuple[str, int]:
    """The first line, and the exit code."""
    log, problems, gaps = f"log {shown(bundle.origin)}, {bundle.size} records", report.counts["problems"], report.counts["gaps"]
    if problems:
        return f"NOT INTACT: {problems:,} problem{'s' * (problems != 1)} ({log})", 1
    if doubt:
        return f"NOT VERIFIED: {doubt} ({log})", 2
    if gaps:
        return f"Intact, but incomplete: {gaps:,} gap{'s' * (gaps != 1)} ({log})", 3
    if report.counts["unscheduled"]:
        return f"Intact, and all that was planned is there; that no sweep is missing cannot be said without a schedule ({log})", 0
    return f"Intact and complete ({log})", 0


def read_keys(given: list[str]) -> list[Key]:
    """The keys given, as lines or as files with lines."""
    lines: list[str] = []
    for text in given:
        if os.path.isfile(text):
            with open(text, encoding="utf-8", errors="replace") as file:
                lines += [line for line in file.read(1_000_000).splitlines() if line.strip()]
        else:
            lines.append(text)
    return [Key(line) for line in lines]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=(__doc__ or "").split("\n", 1)[0],
        epilog="Exit code: 0 intact and complete, 1 not intact, 2 nothing can be said, 3 incomplete.",
    )
    parser.add_argument("bundle", nargs="?", default=os.path.dirname(os.path.abspath(__file__)), help="the .zip, or the folder it was unpacked to")
    parser.add_argument("--key", "--trusted", action="append", default=[], metavar="KEY", help="the verifier key, or a file that holds it")
    parser.add_argument("--checkpoint", metavar="FILE", help="a checkpoint that you hold from earlier")
    parser.add_argument("--json", action="store_true", help="the same answer for a program")
    options = parser.parse_args()
    report = Report()
    try:
        keys, held = read_keys(options.key), None
        if options.checkpoint:
            with open(options.checkpoint, "rb") as file:
                held = file.read(1_000_001)
        if not os.path.exists(options.bundle):
            raise Refused(f"{shown(options.bundle)} is not there: name the bundle that you received", 2)
        source: Folder | Zip = Folder(options.bundle, report) if os.path.isdir(options.bundle) else Zip(options.bundle, report)
        try:
            bundle = verify(source, keys, held, report)
        finally:
            source.close()
    except Refused as error:
        progress("")
        print(json.dumps({"exit_code": error.code, "error": str(error)}) if options.json else f"verify.py: {error}", file=sys.stderr)
        return error.code
    except OSError as error:
        print(f"verify.py: {shown(error.filename)} cannot be read: {error.strerror}", file=sys.stderr)
        return 2
    how = Signatures().how
    doubt = "no key was given, so nothing says who made this: give it with --key" if not keys else None
    doubt = doubt or ("signature not checked: neither the package cryptography nor openssl is here" if how is None else None)
    first, code = answer(report, bundle, doubt)
    if doubt:
        report.unchecked.insert(0, f"the signature of the checkpoint: {doubt}")
    if options.json:
        names = ("problems", "gaps", "checked", "unchecked", "notes")
        print(json.dumps({"answer": first, "exit_code": code, "identity": bundle.identity, **{name: getattr(report, name) for name in names}}))
        return code
    progress("")
    print(first)
    print(f"SHA-256 of the manifest, which names this bundle: {bundle.identity}")
    for title, lines, unlisted in (
        ("Problems", report.problems, report.unlisted("problems")), ("Not collected", report.rarest_first(), report.unlisted("gaps")),
        ("Checked", report.checked, 0), ("Not checked", report.unchecked, 0), ("Worth knowing", report.notes, 0),
    ):  # fmt: skip
        if lines:
            more = [f"... and {unlisted} more"] if unlisted else []
            print("\n  ".join([f"{title}:", *lines, *more]))
    return code


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BrokenPipeError:  # whoever reads the answer stopped reading
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
