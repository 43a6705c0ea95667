"""`verify FILE.zip`: a bundle, by somebody who has nothing but the file and a key."""

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from shared import layout
from shared.canonical import canonical, sha256
from shared.deliver.bundle.manifest import NAME, File, Manifest, parse_manifest, proof_path, records_path
from shared.deliver.verify.archive import Archive, DamagedEntryError
from shared.deliver.verify.bodies import BodyError, Parsed, is_digest
from shared.deliver.verify.bundle_proofs import check_proofs, check_tiles
from shared.deliver.verify.bundle_texts import Texts
from shared.deliver.verify.examine import Examiner, View
from shared.deliver.verify.held import check_held, open_held
from shared.deliver.verify.period import check_period
from shared.deliver.verify.verdict import Progress, Tally, Verdict, no_progress
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.merkle import HASH_SIZE, leaf_hash
from shared.seal.tiles import MAX_RECORD, WIDTH

MAX_MANIFEST = 128 * 1024 * 1024
MAX_BODY = 256 * 1024 * 1024
MAX_SMALL = 16 * 1024 * 1024


def verify_bundle(
    bundle: str | Path | BinaryIO, keys: Sequence[note.VerifierKey], *, held: bytes | None = None, progress: Progress = no_progress
) -> Verdict:
    """Verify a bundle.

    `keys`: whom the auditor trusts to have signed; `held`: a checkpoint that he kept from earlier.

    Raises:
        VerificationError: nothing can be said: no file, no zip of ours, no manifest, no key, signed by none of the keys; or `held` is of
            no use. Nothing else is raised, whatever the bytes are.
    """
    if not keys:
        raise VerificationError("no key was given: name the verifier key that you had from the keeper of the log, --key VKEY")
    try:
        if isinstance(bundle, str | Path):
            with Path(bundle).open("rb") as file:
                return _Bundle(file, keys, progress).verify(held)
        return _Bundle(bundle, keys, progress).verify(held)
    except OSError as error:
        raise VerificationError(f"the bundle cannot be read ({error.strerror or type(error).__name__}): name the file you received") from None


class _Bundle:
    def __init__(self, file: BinaryIO, keys: Sequence[note.VerifierKey], progress: Progress) -> None:
        self._tally = Tally()
        self._archive = Archive(file, self._tally)
        self._keys = keys
        self._progress = progress
        self._manifest_bytes = self._needed(NAME, MAX_MANIFEST)
        self._manifest = parse_manifest(self._manifest_bytes)
        self._files = {file.path: file for file in self._manifest.files}
        self._sound: set[str] = set()
        """Entries whose bytes are what the manifest says."""
        self._named: set[str] = {"README.txt", NAME, "checkpoint", "catalogue.json", "findings.csv", "disclosures.json"}
        """Entries that something accounts for."""

    def _needed(self, name: str, limit: int) -> bytes:
        if name not in self._archive.members:
            raise VerificationError(f"the zip has no {name}: it is not a bundle, or a part of one; ask for the file that `aoai-evidence bundle` wrote")
        try:
            return self._archive.read(name, limit)
        except DamagedEntryError as error:
            raise VerificationError(f"{name}: {error}; ask for the bundle again") from None

    def verify(self, held: bytes | None) -> Verdict:
        tally, manifest = self._tally, self._manifest
        checkpoint = self._checkpoint()
        kept = open_held(held, checkpoint.origin, list(self._keys)) if held is not None else None
        self._compare_lists()
        for number, name in enumerate(sorted(self._files)):
            if not name.startswith("records/") and name in self._archive.members:
                self._check(name)
                self._progress("verify files", number, len(self._files))
        check_tiles(checkpoint, self._tile, [n for n in self._archive.members if n.startswith("tile/")], tally)
        bodies = _BundleBodies(self)
        first = next(iter(manifest.ranges))[0]
        view = View(from_start=manifest.resources is None and first == 0, resources=manifest.resources, period=manifest.period)
        examiner = Examiner(tally, Parsed(bodies), view)
        texts = Texts(manifest, tally)
        for begin, count in manifest.ranges:
            self._named.add(records_path(begin))
            self._run(begin, count, examiner, texts)
        examiner.finish()
        check_period(manifest, examiner, tally)
        self._check_proofs(examiner, checkpoint)
        texts.compare(lambda name: self._files[name].sha256 if name in self._files else None)
        bodies.compare()
        texts.check_disclosures(self._small("disclosures.json"))
        self._account_for_all()
        if kept is not None:
            check_held(kept, checkpoint, self._tile, tally, bundle=True)
        else:
            tally.unchecked(f"that the log extends an earlier state of it: keep `checkpoint` of this bundle, and give it next time with --checkpoint")
        self._archive.check_every_byte()
        self._say()
        identity = sha256(self._manifest_bytes)
        return tally.verdict(
            "bundle", origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root, identity=identity, period=manifest.period
        )

    # -- files ----------------------------------------------------------------------------------------------------------

    def _checkpoint(self) -> note.Checkpoint:
        data = self._needed("checkpoint", note.MAX_NOTE)
        try:
            checkpoint = note.open_checkpoint(data, self._keys)
        except VerificationError as error:
            raise VerificationError(f"{error}: use the verifier key that you had from the keeper of the log, or ask for the bundle again") from None
        if (checkpoint.origin, checkpoint.size) != (self._manifest.origin, self._manifest.size):
            self._tally.problem("manifest", "the manifest names another log, or another size, than the checkpoint", file=NAME)
        return checkpoint

    def _compare_lists(self) -> None:
        listed, there = set(self._files), set(self._archive.members) - {NAME}
        for name in sorted(listed - there):
            self._tally.problem("file", "the manifest lists the file, and the zip does not have it", file=name)
        for name in sorted(there - listed):
            self._tally.problem("file", "the zip has the file, and the manifest does not list it", file=name)

    def _check(self, name: str) -> None:
        """Read an entry and compare it with the manifest."""
        for _ in self._content(name):
            pass

    def _content(self, name: str) -> Iterator[bytes]:
        """The bytes of an entry; afterwards it is among the sound ones, or a problem was noted."""
        digest = hashlib.sha256()
        file = self._files.get(name, File(name, "", self._archive.members[name].size))
        if self._archive.members[name].size != file.bytes:
            self._tally.problem("file", f"has {self._archive.members[name].size} bytes, and the manifest says {file.bytes}", file=name)
        try:
            for data in self._archive.chunks(name):
                digest.update(data)
                yield data
        except DamagedEntryError as error:
            self._tally.problem("file", str(error), file=name)
            return
        self._tally.counts["files"] += 1
        if name in self._files and digest.hexdigest() != file.sha256:
            self._tally.problem("file", "its bytes are not those that the manifest names", file=name)
        elif name in self._files:
            self._sound.add(name)

    def _small(self, name: str) -> bytes | None:
        if name not in self._sound:
            return None
        try:
            return self._archive.read(name, MAX_SMALL)
        except DamagedEntryError as error:
            self._tally.problem("file", str(error), file=name)
            return None

    def _tile(self, path: str) -> bytes | None:
        if path not in self._archive.members:
            return None
        self._named.add(path)
        try:
            return self._archive.read(path, WIDTH * HASH_SIZE)
        except DamagedEntryError:
            return None  # noted when all entries were read

    # -- records --------------------------------------------------------------------------------------------------------

    def _run(self, first: int, count: int, examiner: Examiner, texts: Texts) -> None:
        """The records of one run: each is compared with its leaf hash, then examined."""
        name, index = records_path(first), first
        if name not in self._archive.members:
            return
        for lines in self._lines(name):
            if index + len(lines) > first + count:
                self._tally.problem("records", f"holds more than the {count} records it should", file=name, record=first + count)
                lines = lines[: first + count - index]  # noqa: PLW2901 - what is too much is left out
            self._compare_leaves(index, lines, name)
            examiner.take(index, lines)
            texts.take(index, lines)
            index += len(lines)
            self._tally.counts["records"] += len(lines)
            self._progress("verify", index - first, count)
        if index != first + count:
            self._tally.problem("records", f"holds {index - first} records, and the manifest says {count}", file=name, record=index)

    def _lines(self, name: str) -> Iterator[list[bytes]]:
        """The lines of an entry, some at a time."""
        rest = b""
        for data in self._content(name):
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            if lines:
                yield lines
            if len(rest) > MAX_RECORD:
                self._tally.problem("records", f"holds a line of more than {MAX_RECORD} bytes", file=name)
                return
        if rest:
            self._tally.problem("records", "the last line has no end", file=name)

    def _compare_leaves(self, first: int, lines: list[bytes], name: str) -> None:
        hashes, number = b"", -1
        for index, line in enumerate(lines, first):
            if index // WIDTH != number:
                number = index // WIDTH
                hashes = self._tile(layout.tile(0, number, min(WIDTH, self._manifest.size - number * WIDTH))) or b""
            position = index % WIDTH * HASH_SIZE
            if leaf_hash(line) != hashes[position : position + HASH_SIZE]:
                reason = "the record is not what was sealed" if hashes else "there is no tile to prove the record with"
                self._tally.problem("record", reason, record=index, file=name)

    # -- proofs, derived files ------------------------------------------------------------------------------------------

    def _check_proofs(self, examiner: Examiner, checkpoint: note.Checkpoint) -> None:
        signed = self._small("checkpoint") or b""
        for sweep, index in examiner.closing_records.items():
            name = proof_path(sweep)
            self._named.add(name)
            proof = self._small(name)
            if proof is None:
                if name not in self._archive.members:
                    self._tally.problem("proof", f"the proof of sweep {sweep} is missing", file=name, record=index)
                continue
            check_proofs(proof, index, checkpoint, signed, self._tile, self._tally, name)

    def _account_for_all(self) -> None:
        for name in sorted(set(self._archive.members) - self._named):
            self._tally.problem("file", "nothing in the bundle accounts for the file", file=name)
        for name in ("README.txt", "catalogue.json", "findings.csv"):
            if name not in self._files:
                self._tally.problem("file", "every bundle has this file", file=name)

    def _say(self) -> None:
        counts, manifest = self._tally.counts, self._manifest
        self._tally.checked[:0] = [
            f"{counts['files'] + 1:,} files are what the manifest says",
            f"{counts['records']:,} records of {manifest.size:,} hash to the root of the signed checkpoint",
            f"{counts['bodies']:,} bodies are what their names say, and every one is named by a record",
            f"{counts['findings recomputed']:,} findings were judged again from the bodies",
        ]
        if manifest.resources is not None:
            self._tally.unchecked("records about other resources than those asked for: they are in the log and not in this bundle")
        self._tally.unchecked("what was said of changes and deletions between sweeps: their records are proven, not derived again")
        self._tally.unchecked("whether Azure's answers were true, and whether the identity could see everything: nothing after the fact can show that")

    # -- for the bodies -------------------------------------------------------------------------------------------------

    @property
    def manifest(self) -> Manifest:
        return self._manifest

    def sound(self, name: str) -> int | None:
        """The size of an entry whose bytes are in order; it counts as accounted for."""
        self._named.add(name)
        return self._files[name].bytes if name in self._sound else None

    def entry(self, name: str) -> bytes:
        """An entry's bytes.

        Raises:
            DamagedEntryError: they cannot be had.
        """
        return self._archive.read(name, MAX_BODY)

    def bodies(self) -> Iterator[tuple[str, bool]]:
        """The name of each entry that is a body, and whether its bytes are what the name says."""
        for name in self._archive.members:
            if name.startswith("body/"):
                yield name, name in self._sound and self._files[name].sha256 == name.rpartition("/")[2]

    @property
    def tally(self) -> Tally:
        return self._tally


class _BundleBodies:
    """The bodies of a bundle."""

    def __init__(self, bundle: _Bundle) -> None:
        self._bundle = bundle
        self._good = {name.rpartition("/")[2] for name, good in bundle.bodies() if good}
        for name, good in bundle.bodies():
            bundle.tally.counts["bodies"] += 1
            if not good:
                bundle.tally.problem("body", "the body is not what its name says", file=name)

    def size_of(self, digest: str) -> int | None:
        name = f"body/sha256/{digest[:2]}/{digest}"
        size = self._bundle.sound(name)
        return size if digest in self._good else None

    def read(self, digest: str) -> bytes:
        if not is_digest(digest) or digest not in self._good:
            raise BodyError(f"the body {digest} is missing or altered")
        try:
            return self._bundle.entry(f"body/sha256/{digest[:2]}/{digest}")
        except DamagedEntryError as error:
            raise BodyError(f"the body {digest} cannot be read: {error}") from None

    def compare(self) -> None:
        """Nothing to do: what no record names is found with all files that nothing accounts for."""


__all__ = ["canonical", "verify_bundle"]
