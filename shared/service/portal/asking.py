"""What the portal's forms ask for: bundles and certificates, read from what a browser sends."""

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from shared.canonical import Json, canonical
from shared.deliver.rejudge import frameworks
from shared.deliver.view_words import FRAMEWORK_NAMES
from shared.errors import Refused
from shared.service.certificate import certify
from shared.service.gone import deletions
from shared.service.queries import Filter, Reading
from shared.service.steps.bundle import FIELDS, MOST, Wanted, parse_wanted

__all__ = ["FRAMEWORKS", "MOST", "WORDS", "certificate", "from_here", "wanted"]

FRAMEWORKS = tuple((name, FRAMEWORK_NAMES.get(name, name)) for name in frameworks())
WORDS = {
    "queued": "It waits to be built.", "building": "It is being built.", "built": "It is built.",
    "expired": "It was built, and is no longer kept: ask for it again.", "failed": "It could not be built.",
}  # fmt: skip
"""By state of a request."""


def wanted(fields: Mapping[str, str] | None) -> Wanted:
    """What the form asks for.

    Raises:
        Refused: it is too long, or names what is not known.
    """
    if fields is None:
        raise Refused(f"the request is longer than {MOST} bytes")
    if unknown := set(fields) - set(FIELDS):
        raise Refused(f"{sorted(unknown)[0]!r} is no field of the form")
    made: dict[str, Json] = {name: fields.get(name, "").strip() or None for name in ("from", "to", "framework", "object")}
    made |= {name: [line.strip() for line in fields.get(name, "").splitlines() if line.strip()] for name in ("resources", "disclose")}
    return parse_wanted(canonical(made))


def from_here(headers: Mapping[str, str]) -> bool:
    """Whether a form was sent from a page of the same site: browsers say so, and let no page say otherwise."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = headers.get("origin")
    return origin is None or origin.partition("://")[2] == headers.get("host", "")


def certificate(read: Reading, record: int, now: datetime) -> bytes | None:
    """The certificate of one deletion that stands; None where there is none of that record."""
    found = [one for one in deletions(read, None, Filter()) if one["record"] == record]
    if not found:
        return None
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "certificate.html"
        certify(read, found, found[0]["object"]["id"] or f"record {record}", out, now)
        return out.read_bytes()
