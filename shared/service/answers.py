"""From what Azure answered to records: screened, personal values replaced, bodies kept, one line each."""

from collections.abc import Callable
from typing import Any

from shared.canonical import Json
from shared.collect.arm import Asked, Page
from shared.collect.endpoints import TLS
from shared.privacy.redact import redact
from shared.recent import Recent
from shared.records import KeepBody, Origin, record

MOST_REMEMBERED = 4 * 1024 * 1024
"""Bytes of answers that are remembered."""

Commit = Callable[[Json], bytes]
"""Gives the commitment to a personal value, as canonical JSON; None instead of it keeps such values."""


class Keeper:
    """Turns answers into records. Safe for several threads."""

    def __init__(self, keep_body: KeepBody, commit: Commit | None) -> None:
        self._keep_body = keep_body
        self._commit = commit
        # Many answers are the same to the byte (empty lists, a region's models): what became of them is remembered.
        self._kept = Recent[tuple[str, bytes], tuple[str, int]](MOST_REMEMBERED)

    def record(self, asked: Asked, unit: str, origin: Origin, at: str) -> Json:
        """The observation or failure that seals `asked`; its bodies are in the store when this returns."""
        pages, unscreened = [], None
        for page in asked.pages:
            try:
                pages.append(self._page(page, asked.endpoint.kind))
            except ValueError:
                # What cannot be screened for secrets and personal data is not kept, and no digest of it either.
                unscreened = page
                break
        last = asked.pages[-1] if asked.pages else None
        fields: dict[str, Any] = {
            "request": {"method": "TLS" if asked.endpoint.kind == TLS else "GET", "url": asked.url},
            "pages": pages,
            "attempts": sum(page.attempts for page in asked.pages) + (asked.failed.attempts if asked.failed else 0),
            "cause": origin.cause,
            "collector": origin.collector,
            "storage": origin.storage,
        }
        common: dict[str, Any] = {"sweep": origin.sweep, "kind": asked.endpoint.kind, "resource": asked.resource.lower() or None, "unit": unit}
        if asked.failed:
            failed = asked.failed
            answered = failed.status is not None
            response = {"status": failed.status, "request_id": failed.request_id, "date": failed.date} if answered else None
            return record("failure", at, **common, **fields, response=response, reason=failed.reason, detail=failed.detail)
        response = {"status": 200, "request_id": last.request_id, "date": last.date} if last and asked.endpoint.kind != TLS else None
        if unscreened is not None:
            return record("failure", at, **common, **fields, response=response, reason="malformed", detail="cannot be screened")
        return record("observation", at, **common, **fields, response=response)

    def _page(self, page: Page, kind: str) -> Json:
        kept = self._kept.get((kind, page.content))
        if kept is None:
            body = redact(page.content, kind, self._commit).body
            kept = self._keep_body(body), len(body)
            self._kept.put((kind, page.content), kept, len(page.content))
        return {
            "sha256": kept[0],
            "bytes": kept[1],
            "url": page.url,
            "request_id": page.request_id,
            "date": page.date,
            "attempts": page.attempts,
        }
