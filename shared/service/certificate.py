"""The use-case of a deletion request: one page for the person who asked, about one object."""

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from shared.canonical import Json
from shared.deliver.certificate.page import render
from shared.deliver.certificate.standing import told_of
from shared.deliver.certificate.told import Certificate, Proven
from shared.deliver.whole_file import place_of, whole_file
from shared.errors import Misuse
from shared.records import timestamp
from shared.seal import merkle
from shared.seal.keys import read_keys
from shared.service.queries import Reading

MOST: Final = 12
"""Ends that one certificate tells of: more are not one request."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written."""

    path: str
    bytes: int
    deletions: int
    proven: int


def certify(read: Reading, found: Sequence[Json], asked: str, out: Path, written_at: datetime) -> Written:
    """Write the certificate of the deletions `found` (as `gone.deletions` gives them) of the object that was asked for.

    Raises:
        Misuse: there is none, there are too many, or the file cannot be written. Nothing is written then.
    """
    place_of(out)
    if not found:
        raise Misuse(
            f"no deletion of {asked!r} is sealed, so there is nothing to certify: `aoai-evidence resources --kind file` tells what is listed still, "
            "and `aoai-evidence deletions` what is gone"
        )
    if len(found) > MOST:
        raise Misuse(f"{len(found)} deletions are of {asked!r}, a certificate tells of {MOST} at most: give an id, --kind or --resource")
    last = read.sweeps[-1]
    indexes = sorted({index for each in found for index in told_of(each)})
    certificate = Certificate(
        asked, read.facts["origin"], read.log.size, str(read_keys(read.store).in_force.keys[0]), last["slot"] or last["planned_at"], timestamp(written_at),
        found, [_proven(read, index) for index in indexes], _command(read, found, asked),
    )  # fmt: skip
    html = render(certificate).encode()
    with whole_file(out) as file:
        file.write(html)
    return Written(str(out), len(html), len(found), len(indexes))


def _proven(read: Reading, index: int) -> Proven:
    _, line = next(iter(read.log.lines(index, index + 1)))
    return Proven(index, line, merkle.leaf_hash(line).hex(), read.log.inclusion(index))


def _command(read: Reading, found: Sequence[Json], asked: str) -> str:
    """The bundle of the sweeps in which these deletions were sealed, about their accounts; what they rest on comes along by itself."""
    words = ["aoai-evidence", "bundle"]
    if all(each["object"]["id"] is not None for each in found):
        words += ["--object", asked]
    else:
        names = {each["sweep"] for each in found}
        slots = sorted(sweep["slot"] or sweep["planned_at"] for sweep in read.sweeps if sweep["sweep"] in names)
        words += ["--from", slots[0][:10], "--to", slots[-1][:10]]
    for account in sorted({each["account"] for each in found}):
        words += ["--resource", account]
    return shlex.join([*words, "-o", "deletion.zip"])
