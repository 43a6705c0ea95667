"""`verify FILE.zip`: a bundle, by somebody who has nothing but the file and a key."""

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from shared.deliver.bundle.manifest import CHECKPOINTS, NAME, checkpoint_entry, proof_path, records_path
from shared.deliver.verify.attested import NOBODY, Attested, Marks, Trusted, held_cosigned
from shared.deliver.verify.bodies import Parsed
from shared.deliver.verify.certified import Certified
from shared.deliver.verify.deletions import Read, say_deletions
from shared.deliver.verify.examine import Examiner
from shared.deliver.verify.handovers import follow_handovers, led_to
from shared.deliver.verify.held import check_held, open_held
from shared.deliver.verify.package import Package, PackageBodies
from shared.deliver.verify.period import check_period
from shared.deliver.verify.texts import Texts, check_disclosures
from shared.deliver.verify.tree import Tree
from shared.deliver.verify.trust import Trust
from shared.deliver.verify.verdict import Progress, Tally, Verdict, no_progress
from shared.deliver.verify.view import View
from shared.errors import VerificationError
from shared.seal import note

Taker = Callable[[int, list[bytes]], None]
"""Takes records: the index of the first, and their lines."""


def verify_bundle(
    bundle: str | Path | BinaryIO, keys: Sequence[note.VerifierKey], *, held: bytes | None = None, trusted: Trusted = NOBODY,
    progress: Progress = no_progress,
) -> Verdict:  # fmt: skip
    """Verify a bundle.

    `keys`: whom the auditor trusts to have signed; `trusted`: whom besides; `held`: a checkpoint that he kept from earlier.

    Raises:
        VerificationError: nothing can be said: no file, no zip of ours, no manifest, no key, signed by none of the keys; or `held` is of
            no use. Nothing else is raised, whatever the bytes are.
    """
    if not keys:
        raise VerificationError("no key was given: name the verifier key that you had from the keeper of the log, --key VKEY")
    try:
        if isinstance(bundle, str | Path):
            with Path(bundle).open("rb") as file:
                return _verify(file, keys, held, trusted, progress)
        return _verify(bundle, keys, held, trusted, progress)
    except OSError as error:
        raise VerificationError(f"the bundle cannot be read ({error.strerror or type(error).__name__}): name the file you received") from None


def _verify(file: BinaryIO, keys: Sequence[note.VerifierKey], held: bytes | None, trusted: Trusted, progress: Progress) -> Verdict:
    tally = Tally()
    package = Package(file, tally)
    manifest = package.manifest
    signed, checkpoint = _checkpoint(package, keys)
    trust = Trust(keys, tally)
    package.check_files(progress)
    tree = Tree(checkpoint, package.tile, tally)
    tree.check(package.names("tile/"))
    bodies = Parsed(PackageBodies(package))
    from_start = manifest.resources is None and manifest.ranges[0][0] == 0
    examiner = Examiner(tally, bodies, View(from_start, manifest.resources, manifest.period), trust)
    texts = Texts(manifest, bodies, tally)
    texts.expect_sample(package)
    certified = Certified(package, bodies)
    attested = _attested(package, trusted)
    marks = Marks(attested.sizes, examiner.take, lambda: examiner.last_at)
    for first, count in manifest.ranges:
        _run(package, tree, first, count, (marks.take, texts.take, certified.take), progress)
    examiner.finish(_reader(package))
    follow_handovers(package, tree, trust, signed)
    kept = open_held(held, checkpoint.origin, trust.known) if held is not None else None
    attested.check(lambda size: _earlier(package, tree, trust.known, checkpoint, size), lambda name: package.small(CHECKPOINTS + name), marks)
    check_period(manifest, examiner, trust.records, tally)
    for sweep, index in texts.closings.items():
        _proof(package, tree, sweep, index, signed)
    texts.compare(package)
    certified.compare(_reader(package), lambda index: tree.proof(index, signed))
    examiner.exhibits.check_files(package)
    check_disclosures(package, tally)
    package.account()
    if kept is not None and held is not None:
        held_cosigned(held, trusted, tally)
        check_held(kept, checkpoint, package.tile, tally, bundle=True)
    else:
        tally.unchecked("that the log extends an earlier state of it: keep `checkpoint` of this bundle, and give it next time with --checkpoint")
    _say(tally, package)
    attested.conclude(checkpoint.size, examiner.closings)
    return tally.verdict(
        "bundle", origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root, identity=package.identity, period=manifest.period
    )


def _checkpoint(package: Package, keys: Sequence[note.VerifierKey]) -> tuple[bytes, note.Checkpoint]:
    data = package.needed("checkpoint", note.MAX_NOTE)
    try:
        checkpoint = led_to(package, data, keys)
    except VerificationError as error:
        raise VerificationError(f"{error}: use the verifier key that you had from the keeper of the log, or ask for the bundle again") from None
    if (checkpoint.origin, checkpoint.size) != (package.manifest.origin, package.manifest.size):
        package.tally.problem("manifest", "the manifest names another log, or another size, than the checkpoint", file=NAME)
    return data, checkpoint


def _attested(package: Package, trusted: Trusted) -> Attested:
    """What others say, out of the bundle; each file and its checkpoint is accounted for by that."""
    found = Attested(CHECKPOINTS, trusted, package.tally)
    for name in package.names(CHECKPOINTS):
        if found.add(name.removeprefix(CHECKPOINTS)):
            package.has(name)
    for size in found.sizes:
        package.has(checkpoint_entry(size))
    return found


def _earlier(package: Package, tree: Tree, keys: Sequence[note.VerifierKey], newest: note.Checkpoint, size: int) -> bytes | None:
    """The checkpoint of a size, found to be of this log; None where it is not there, or was found to be bad (noted).

    What it says is proven by the tree under the newest one, so that a key which signed it and was given up since need not be known; a
    signature of a key that is known must fit.
    """
    if size == newest.size:
        return package.small("checkpoint", note.MAX_NOTE)
    name = checkpoint_entry(size)
    data = package.small(name, note.MAX_NOTE)
    if data is None:
        return None
    try:
        parsed = note.parse_note(data)
        parsed.signers(keys)
        found = note.parse_checkpoint(parsed.text)
        if (found.origin, found.size) != (newest.origin, size):
            raise VerificationError(f"it is of the log {found.origin} at {found.size} records")
        if tree.root_at(size) != found.root:
            raise VerificationError("its root is not that of the records before it")
    except VerificationError as error:
        package.tally.problem("checkpoint", f"the checkpoint does not hold: {error}", file=name)
        return None
    return data


# -- records --------------------------------------------------------------------------------------------------------------


def _run(package: Package, tree: Tree, first: int, count: int, takers: Sequence[Taker], progress: Progress) -> None:
    """Read one run of records, prove them, and hand them on."""
    name, index = records_path(first), first
    if not package.has(name):
        return
    for lines in package.lines(name):
        kept = lines[: first + count - index]
        for start, proven in tree.proven(index, kept):
            for take in takers:
                take(start, proven)
        index += len(lines)
        package.tally.counts["records"] += len(kept)
        progress("verify", index - first, count)
    tree.end_of_run()
    if index != first + count:
        reason = f"holds {index - first} records, and the manifest says {count}"
        package.tally.problem("records", reason, file=name, record=min(index, first + count))


def _reader(package: Package) -> Read:
    """Reads records of the bundle a second time: one pass over the runs that hold any of them."""

    def read(indexes: Sequence[int]) -> Iterator[tuple[int, bytes]]:
        for first, count in package.manifest.ranges:
            wanted = set(indexes[bisect_left(indexes, first) : bisect_left(indexes, first + count)])
            if wanted and package.has(records_path(first)):
                lines = (line for some in package.lines(records_path(first)) for line in some)
                yield from ((index, line) for index, line in enumerate(lines, first) if index in wanted)

    return read


def _proof(package: Package, tree: Tree, sweep: str, index: int, signed: bytes) -> None:
    name = proof_path(sweep)
    if not package.has(name):
        package.tally.problem("proof", f"the proof of the closing record of sweep {sweep} is missing", file=name, record=index)
        return
    data = package.small(name)
    if data is not None:
        tree.check_proof(data, index, signed, name)


def _say(tally: Tally, package: Package) -> None:
    counts, manifest = tally.counts, package.manifest
    tally.checked[:0] = [
        f"{counts['files'] + 1:,} files are what the manifest says",
        f"{counts['records']:,} records of the {manifest.size:,} in the log hash to the root of the signed checkpoint",
        f"{counts['bodies']:,} bodies are what their names say, and every one is named by a record",
        f"{counts['findings recomputed']:,} of {counts['findings']:,} findings were judged again from the bodies",
    ]
    if counts["attributions"]:
        tally.checked.append(f"{counts['attributions recomputed']:,} of {counts['attributions']:,} attributions of changes follow from what they name")
    if manifest.resources is not None:
        tally.unchecked("records about other resources than those asked for: they are in the log and not in this bundle")
    say_deletions(tally)
    tally.unchecked("whether something was gone already at the first sweep of the period: inventories before it, if there were any, are not in this bundle")
    tally.unchecked("whether Azure's answers were true, and whether the identity could see everything: nothing after the fact can show that")
