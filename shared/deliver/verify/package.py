"""The files of a bundle: each read once and compared with the manifest, each accounted for by something that needs it."""

import contextlib
import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from shared.canonical import sha256
from shared.deliver.bundle.manifest import ALONE, NAME, parse_manifest
from shared.deliver.shapes import is_digest
from shared.deliver.verify.archive import Archive, DamagedEntryError
from shared.deliver.verify.bodies import BodyError
from shared.deliver.verify.repacked import packed_again
from shared.deliver.verify.verdict import Progress, Tally
from shared.errors import VerificationError
from shared.seal.merkle import HASH_SIZE
from shared.seal.tiles import MAX_RECORD, WIDTH

MAX_MANIFEST = 128 * 1024 * 1024
MAX_BODY = 256 * 1024 * 1024
MAX_SMALL = 16 * 1024 * 1024

ALWAYS = ("README.txt", "catalogue.json", "checkpoint", "findings.csv")
SINCE_VERSION_3 = ("SHA256SUMS", "index.html", ALONE)


class Package:
    """An opened bundle."""

    def __init__(self, file: BinaryIO, tally: Tally) -> None:
        """Open it and read the manifest.

        Raises:
            VerificationError: it is no bundle.
        """
        self.tally = tally
        self._archive = _opened(file, tally)
        self._accounted = {NAME, *ALWAYS, *SINCE_VERSION_3}
        self._sound: set[str] = set()
        self._read: set[str] = set()
        data = self.needed(NAME, MAX_MANIFEST)
        self.identity = sha256(data)
        self.manifest = parse_manifest(data)
        self._files = {file.path: file for file in self.manifest.files}

    def needed(self, name: str, limit: int) -> bytes:
        """An entry without which nothing can be said.

        Raises:
            VerificationError: it is not there, or damaged.
        """
        if not self.has(name):
            raise VerificationError(f"the zip has no {name}, so it is not a whole bundle: ask for the file that `aoai-evidence bundle` wrote")
        try:
            return self._archive.read(name, limit)
        except DamagedEntryError as error:
            raise VerificationError(f"{name}: {error}; ask for the bundle again") from None

    def has(self, name: str) -> bool:
        """Whether the zip has the entry; it counts as accounted for."""
        if name not in self._archive.members:
            return False
        self._accounted.add(name)
        return True

    def names(self, prefix: str) -> list[str]:
        """The entries below a folder, in order; none is accounted for by that."""
        return [name for name in self._archive.members if name.startswith(prefix)]

    # -- against the manifest -------------------------------------------------------------------------------------------

    def check_files(self, progress: Progress) -> None:
        """Compare the lists, and every entry but the records, which are read later."""
        listed, there = set(self._files), set(self._archive.members) - {NAME}
        for name in sorted(listed - there):
            self.tally.problem("file", "the manifest lists the file, and the zip does not have it", file=name)
        for name in sorted(there - listed):
            self.tally.problem("file", "the zip has the file, and the manifest does not list it", file=name)
        for name in (*ALWAYS, *(SINCE_VERSION_3 if self.manifest.version > 2 else ())):
            if name not in listed | there:
                self.tally.problem("file", "every bundle has this file, and this one does not", file=name)
        for number, name in enumerate(sorted(there & listed)):
            if not name.startswith("records/"):
                for _ in self.content(name):
                    pass
                progress("verify files", number, len(there))

    def content(self, name: str) -> Iterator[bytes]:
        """The bytes of an entry, piece by piece; what does not fit the manifest is noted at the end, when it is read for the first time."""
        digest, file, total, again = hashlib.sha256(), self._files.get(name), 0, name in self._read
        self._read.add(name)
        try:
            for data in self._archive.chunks(name):
                digest.update(data)
                total += len(data)
                yield data
        except DamagedEntryError as error:
            if not again:
                self.tally.problem("file", str(error), file=name)
            return
        if file is not None and not again:
            if (digest.hexdigest(), total) != (file.sha256, file.bytes):
                self.tally.problem("file", "its bytes are not those that the manifest names", file=name)
                return
            self._sound.add(name)
            self.tally.counts["files"] += 1

    def lines(self, name: str) -> Iterator[list[bytes]]:
        """The lines of an entry, some at a time; what is wrong with them is noted as with `content`."""
        rest, again = b"", name in self._read
        for data in self.content(name):
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            if lines:
                yield lines
            if len(rest) > MAX_RECORD:
                if not again:
                    self.tally.problem("records", f"holds a line of more than {MAX_RECORD} bytes", file=name)
                rest = b""
        if rest and not again:
            self.tally.problem("records", "the last line has no end", file=name)

    def glance(self, name: str, limit: int) -> Iterator[bytes]:
        """The bytes of an entry as far as they can be read, before anything was compared with the manifest; what is wrong is not noted."""
        if name in self._archive.members and self._archive.members[name].size <= limit:
            with contextlib.suppress(DamagedEntryError):
                yield from self._archive.chunks(name)

    def size_of(self, name: str) -> int | None:
        """The size of an entry that was found to be what the manifest says."""
        return self._files[name].bytes if name in self._sound else None

    def digest_of(self, name: str) -> str | None:
        """The SHA-256 of an entry that was found to be what the manifest says."""
        return self._files[name].sha256 if name in self._sound else None

    def small(self, name: str, limit: int = MAX_SMALL) -> bytes | None:
        """The bytes of an entry that was found to be in order; None where it was not, or is too large (noted)."""
        if not self.has(name) or name not in self._sound:
            return None
        try:
            return self._archive.read(name, limit)
        except DamagedEntryError as error:
            self.tally.problem("file", str(error), file=name)
            return None

    def tile(self, path: str) -> bytes | None:
        """The bytes of a tile; None where it is missing or damaged."""
        return self.small(path, WIDTH * HASH_SIZE)

    def account(self) -> None:
        """Note what nothing accounted for, and what of the container itself is not as it was written. To be called last."""
        for name in self._archive.members:
            if name not in self._accounted:
                self.tally.problem("file", "nothing in the bundle accounts for the file", file=name)
        self._archive.check_every_byte()


class PackageBodies:
    """The bodies of a bundle (`bodies.Bodies`)."""

    def __init__(self, package: Package) -> None:
        self._package = package
        self._good: set[str] = set()
        for name in package.names("body/"):
            digest = name.rpartition("/")[2]
            package.tally.counts["bodies"] += 1
            if package.digest_of(name) == digest:
                self._good.add(digest)
            else:
                package.tally.problem("body", "the body is not what its name says", file=name)

    def size_of(self, digest: str) -> int | None:
        name = f"body/sha256/{digest[:2]}/{digest}"
        self._package.has(name)
        return self._package.size_of(name) if digest in self._good else None

    def read(self, digest: str) -> bytes:
        data = self._package.small(f"body/sha256/{digest[:2]}/{digest}", MAX_BODY) if is_digest(digest) and digest in self._good else None
        if data is None:
            raise BodyError(f"the body {digest} is missing or altered")
        return data


def _opened(file: BinaryIO, tally: Tally) -> Archive:
    """The bundle's zip; of one that another program packed again, its content."""
    try:
        return Archive(file, tally)
    except VerificationError:
        again = packed_again(file, tally)
        if again is None:
            raise
        return Archive(again, tally)
