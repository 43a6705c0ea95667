"""Bytes and digests: the one way in which a JSON value becomes bytes.

Canonical JSON here: UTF-8, object keys sorted by code point, no spaces, no escaping beyond what JSON demands; a lone
surrogate, which UTF-8 cannot carry, stays a \\uXXXX escape. Records are written once in this form and never re-serialised
to be checked: what is hashed is the stored line.
"""

import hashlib
import json
from typing import Any

Json = Any  # no alias describes `json.loads` usefully; shapes are given where values are used

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode


def canonical(value: Json) -> bytes:
    """Return `value` as canonical JSON bytes.

    Raises:
        ValueError: not a number (NaN or infinity), which JSON has no word for.
        TypeError: a value JSON has no shape for.
    """
    return _encode(value).encode("utf-8", "backslashreplace")


class TwiceError(ValueError):
    """A member stands twice in an object: which of them counts, readers of JSON do not agree about."""


def unambiguous(content: bytes) -> Json:
    """Parse JSON that others wrote.

    Raises:
        TwiceError: a member stands twice in an object.
        ValueError: it is not JSON.
        RecursionError: it is nested deeper than can be read.
    """
    return json.loads(content, object_pairs_hook=_once)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise TwiceError("a member stands twice in an object")
    return members


def sha256(data: bytes) -> str:
    """SHA-256 of `data`, lower-case hexadecimal (64 characters)."""
    return hashlib.sha256(data).hexdigest()
