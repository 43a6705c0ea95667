"""What lies beside the evidence in every bundle, so that it can be checked without us: the same bytes in every bundle of a release."""

from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from shared.deliver.bundle.manifest import ALONE

CHECKSUMS = "SHA256SUMS"


@cache
def beside() -> Mapping[str, bytes]:
    """The files, by the name that they have in a bundle."""
    return {ALONE: resources.files(__package__).joinpath("verify_alone.py").read_bytes()}


def checksums(files: Iterable[tuple[str, str]]) -> bytes:
    """What `sha256sum -c` reads: (path, SHA-256) of all files but itself and the manifest, which has the digest of this one."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(files) if path != CHECKSUMS).encode()
