"""A bundle's checkpoints that cover changes of keys: do the keys that the auditor holds lead to the one that signed the bundle?

Looked at twice: at a glance, before anything else, since without a key that is trusted nothing can be said of a bundle; and again when
every record and tile was checked, which is when it counts.
"""

import re
from collections.abc import Iterator, Sequence

from shared.deliver.bundle.manifest import HANDOVERS, records_path
from shared.deliver.verify.package import Package
from shared.deliver.verify.tree import Tree
from shared.deliver.verify.trust import MOST, Trust
from shared.deliver.verify.verdict import Tally
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.key_list import MARK
from shared.seal.tiles import MAX_RECORD

_ENTRY = re.compile(re.escape(HANDOVERS) + r"([0-9]{20})\.checkpoint")
_ANY_SIZE = 1 << 62


def led_to(package: Package, signed: bytes, keys: Sequence[note.VerifierKey]) -> note.Checkpoint:
    """The checkpoint of a bundle, signed by one of `keys` or, as far as can be told at a glance, by one that they lead to.

    Raises:
        VerificationError: it is none, or nothing leads to who signed it.
    """
    handovers = package.names(HANDOVERS)[:MOST]
    try:
        return note.open_checkpoint(signed, keys)
    except VerificationError:
        if not handovers:
            raise
    trust = Trust(keys, Tally())
    for first, count in package.manifest.ranges:
        for index, line in _changes(package, first, count):
            trust.take(index, [line])
    for name in handovers:
        trust.checkpoint(b"".join(package.glance(name, note.MAX_NOTE)))
    checkpoint = trust.checkpoint(signed)
    refusal = trust.refusal()
    if refusal is not None:
        raise VerificationError(refusal)
    return checkpoint


def _changes(package: Package, first: int, count: int) -> Iterator[tuple[int, bytes]]:
    """The records of a range that change the keys, with their indexes."""
    rest, index = b"", first
    for data in package.glance(records_path(first), _ANY_SIZE):
        lines = (rest + data).split(b"\n")
        rest = lines.pop()[-MAX_RECORD - 1 :]
        for line in lines:
            if MARK in line and index < first + count:
                yield index, line
            index += 1


def follow_handovers(package: Package, tree: Tree, trust: Trust, signed: bytes) -> None:
    """Look at the checkpoints that cover changes of keys, and at the bundle's own; note what does not hold.

    `trust` has taken in every record that is what was sealed.
    """
    tally, size = package.tally, package.manifest.size
    for name in package.names(HANDOVERS)[:MOST]:
        found = _ENTRY.fullmatch(name)
        if found is None:
            continue
        data = package.small(name, note.MAX_NOTE)
        if data is None:
            trust.pass_over(int(found[1]))
            continue
        before = trust.covered
        try:
            checkpoint = trust.checkpoint(data)
            if (checkpoint.size, checkpoint.origin) != (int(found[1]), package.manifest.origin) or checkpoint.size >= size:
                raise VerificationError(f"it is of a log {checkpoint.origin} of {checkpoint.size} records")
        except VerificationError as error:
            trust.pass_over(int(found[1]))
            tally.problem("checkpoint", f"the checkpoint does not hold: {error}", file=name)
            continue
        if trust.covered == before:
            tally.problem("checkpoint", "covers no change of keys that the bundle has: nothing in the bundle accounts for the file", file=name)
        if tree.root_of_first(checkpoint.size) != checkpoint.root:
            tally.problem("checkpoint", f"does not have the root of the first {checkpoint.size} records: it is of another log", file=name, record=checkpoint.size - 1)
    try:
        trust.checkpoint(signed)
    except VerificationError as error:
        tally.problem("checkpoint", f"the checkpoint does not hold: {error}", file="checkpoint")
    trust.conclude()

