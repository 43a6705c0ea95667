"""The manifest of a bundle: what it is about, what is in it, and the digest of every file. Its own SHA-256 is the bundle's identity."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import NewerFormat, VerificationError
from shared.records import moment

KIND = "aoai-evidence-bundle"
NAME = "manifest.json"
HANDOVERS = "keys/"
"""The folder of the checkpoints that cover changes of keys; a bundle of a log without any has none."""
DERIVED = 4
"""The version of the rules by which README.txt, findings.csv, catalogue.json, period.json, by-control/ and SHA256SUMS follow from the rest."""
ALONE = "verify.py"
"""The verifier that needs nothing of ours; a reader of versions 1 and 2 does not know it."""
PERIOD = "period.json"
EXHIBITS = "exhibits/"
"""The folder of exhibits' files; a reader of versions 1 to 3 does not know it."""

CHECKPOINTS = "checkpoints/"
"""The folder of what others say of checkpoints, and of the checkpoints that they say it of."""

_DIGEST = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class File:
    """One entry of the zip, the manifest apart."""

    path: str
    sha256: str
    bytes: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """The manifest."""

    software: str
    """The release that made the bundle."""
    catalogue: str
    """The version of the catalogue in it."""
    period: tuple[str, str]
    """From, included, to, not included: sweeps whose slot (or else plan) lies in it."""
    resources: tuple[str, ...] | None
    framework: str | None
    origin: str
    size: int
    ranges: tuple[tuple[int, int], ...]
    """First index and number of records of each run of records that is in the bundle, ascending, not touching."""
    files: tuple[File, ...]
    derived: int = DERIVED

    @property
    def attested(self) -> bool:
        """Whether others vouch for checkpoints in it: what a reader of version 1 does not know."""
        return any(file.path.startswith(CHECKPOINTS) for file in self.files)

    @property
    def version(self) -> int:
        """Of the format: a reader refuses a bundle that has files he cannot know."""
        if any(file.path.startswith(EXHIBITS) for file in self.files):
            return 4
        return 3 if any(file.path == ALONE for file in self.files) else 2 if self.attested else 1

    def encoded(self) -> bytes:
        """The bytes of the entry."""
        return canonical({
            "v": self.version, "kind": KIND, "software": self.software, "derived": self.derived, "catalogue": self.catalogue,
            "period": {"from": self.period[0], "to": self.period[1]},
            "scope": {"resources": list(self.resources) if self.resources is not None else None, "framework": self.framework},
            "log": {"origin": self.origin, "size": self.size},
            "ranges": [list(place) for place in self.ranges],
            "files": [{"path": f.path, "sha256": f.sha256, "bytes": f.bytes} for f in self.files],
        })  # fmt: skip


def records_path(first: int) -> str:
    """The entry with the run of records that begins at `first`."""
    return f"records/{first:020d}.jsonl"


def body_path(digest: str) -> str:
    """The entry with a body."""
    return layout.body(digest)[len(layout.EVIDENCE) :]


def exhibit_path(number: int, name: str) -> str:
    """The entry with the file of an exhibit."""
    return f"{EXHIBITS}{number:06d}-{name}"


def checkpoint_entry(size: int) -> str:
    """The entry with an earlier checkpoint, which others vouch for."""
    return f"{CHECKPOINTS}{size:020d}"


def proof_path(sweep: str) -> str:
    """The entry with the proof of a sweep's closing record."""
    return f"proofs/{layout.checked_name(sweep)}.tlog-proof"


def handover_path(size: int) -> str:
    """The entry with the checkpoint of this size, which is the first to cover a change of keys."""
    return f"{HANDOVERS}{size:020d}.checkpoint"


def selects(resources: tuple[str, ...], resource: str) -> bool:
    """Whether a bundle about `resources` has the records of the unit for `resource`: it is one of them, lies in one, or holds one."""
    return any(
        resource == one or resource.startswith(f"{one}/") or (one.startswith(f"{resource}/") and "/accounts/" in resource) for one in resources
    )


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest.

    Raises:
        VerificationError: it is none.
        NewerFormat: a later version wrote it.
    """
    try:
        value = json.loads(data.decode())
        if value["kind"] != KIND:
            raise VerificationError(f"the manifest is of another kind of file ({str(value['kind'])[:60]!r}): name a bundle of aoai-evidence")
        if isinstance(value["v"], int) and value["v"] > 4:
            raise NewerFormat(f"the bundle has version {value['v']}: verify it with a later release of aoai-evidence")
        found = _manifest(value)
        good = found.encoded() == data and _sound(found)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        good = False
    if not good:
        raise VerificationError("the manifest is malformed: ask for the bundle again")
    return found


def _manifest(value: Json) -> Manifest:
    resources = value["scope"]["resources"]
    return Manifest(
        _text(value["software"]), _text(value["catalogue"]), (_text(value["period"]["from"]), _text(value["period"]["to"])),
        tuple(_text(resource) for resource in resources) if resources is not None else None, value["scope"]["framework"],
        _text(value["log"]["origin"]), _count(value["log"]["size"]), tuple((_count(first), _count(count)) for first, count in value["ranges"]),
        tuple(File(_text(f["path"]), _text(f["sha256"]), _count(f["bytes"])) for f in value["files"]), _count(value["derived"]),
    )  # fmt: skip


def _text(value: Json) -> str:
    if not isinstance(value, str):
        raise ValueError("not a text")
    return value


def _count(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 63:
        raise ValueError("not a count")
    return value


def _sound(manifest: Manifest) -> bool:
    """Whether what is well-formed also makes sense."""
    for time in manifest.period:
        moment(time)
    paths = [file.path for file in manifest.files]
    return (
        (manifest.framework is None or isinstance(manifest.framework, str))
        and manifest.resources != ()
        and manifest.period[0] < manifest.period[1]
        and _ascending(manifest.ranges, manifest.size)
        and paths == sorted(set(paths))
        and NAME not in paths
        and all(_DIGEST.fullmatch(file.sha256) for file in manifest.files)
    )


def _ascending(ranges: Sequence[tuple[int, int]], size: int) -> bool:
    end = -1
    for first, count in ranges:
        if first <= end or count < 1:
            return False
        end = first + count
    return bool(ranges) and end <= size
