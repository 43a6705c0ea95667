"""What becomes of an answer before it may be kept: the one way in for whoever keeps bodies.

In this order: what is no business of ours is left out (of the Activity Log of other providers, all but what is about accounts of Cognitive
Services); what nobody listed is left out; personal values are committed to and secrets left out, in what remains. Every other byte stays.
"""

import json
from collections.abc import Iterator

from shared.canonical import Json
from shared.privacy.allowed import COLUMNS, OF_KIND
from shared.privacy.fields import LOGS
from shared.privacy.listed import Span, listed_only, spliced
from shared.privacy.recheck import parsed
from shared.privacy.redact import Commit, redact
from shared.privacy.rows import cells_committed
from shared.privacy.spans import elements, members

OUT_OF_SCOPE = b'{"withheld":"out-of-scope"}'

SCOPED = frozenset(("activityLogInsights", "activityLogAuthorization"))
"""Kinds of which only the entries about accounts of Cognitive Services are kept."""

_ABOUT = "/providers/microsoft.cognitiveservices/accounts/"
_BOM = b"\xef\xbb\xbf"


def screened(body: bytes, kind: str, commit: Commit | None) -> bytes:
    """`body`, an answer to `kind`, as it may be kept; `commit` None: personal values stay.

    Raises:
        ValueError: it is not JSON in UTF-8, or cannot be cleaned. The message holds nothing of it.
        Whatever `commit` raises.
    """
    if body.startswith(_BOM):
        return _BOM + screened(body[len(_BOM) :], kind, commit)
    try:
        if kind in SCOPED:
            body = spliced(body, _out_of_scope(body))
        if kind in OF_KIND:
            body = listed_only(body, OF_KIND[kind], lambda inner: _cell(inner, kind, commit))
        if kind in LOGS:
            body = cells_committed(body, kind, commit)
    except (KeyError, AttributeError, TypeError, RecursionError):
        raise ValueError("not of the shape that is due") from None
    return redact(body, kind, commit).body


def _cell(inner: bytes, kind: str, commit: Commit | None) -> bytes:
    """A text of JSON within a cell of a log row."""
    kept = listed_only(inner, COLUMNS["properties"], lambda deeper: deeper)
    return redact(kept, kind, commit).body


def _out_of_scope(body: bytes) -> Iterator[Span]:
    """Every entry of the list that is not about an account."""
    parsed(body)
    start = len(body) - len(body.lstrip())
    for name, value, _ in members(body, start):
        if parsed(name) == "value" and body[value : value + 1] == b"[":
            for begin, end in elements(body, value):
                if not _is_about_account(json.loads(body[begin:end])):
                    yield begin, end, OUT_OF_SCOPE


def _is_about_account(entry: Json) -> bool:
    about = entry.get("resourceId") if isinstance(entry, dict) else None
    return isinstance(about, str) and _ABOUT in about.lower()
