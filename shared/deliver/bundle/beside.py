"""What lies beside the evidence in every bundle, so that it can be checked without us. It follows from the release and the manifest."""

from collections.abc import Iterable, Mapping
from importlib import resources

from shared.deliver.bundle.manifest import ALONE, Manifest
from shared.deliver.bundle.page import page

CHECKSUMS = "SHA256SUMS"
PAGE = "index.html"


def beside(manifest: Manifest) -> Mapping[str, bytes]:
    """The files, by the name that they have in the bundle with this manifest, whose list of files is not looked at."""
    return {ALONE: resources.files(__package__).joinpath("verify_alone.py").read_bytes(), PAGE: page(manifest)}


def checksums(files: Iterable[tuple[str, str]]) -> bytes:
    """What `sha256sum -c` reads: (path, SHA-256) of all files but itself and the manifest, which has the digest of this one."""
    return "".join(f"{digest}  {path}\n" for path, digest in sorted(files) if path != CHECKSUMS).encode()
