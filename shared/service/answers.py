"""From what Azure answered to records: screened, personal values replaced, bodies kept, one line each."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from shared.canonical import Json
from shared.collect.asked import Asked, Page
from shared.collect.endpoints import TLS
from shared.privacy.screen import screened
from shared.recent import Recent
from shared.records import KeepBody, Origin, record

MOST_REMEMBERED = 4 * 1024 * 1024
"""Bytes of answers that are remembered, none of them larger than an eighth of that."""

Commit = Callable[[Json], bytes]
"""Gives the commitment to a personal value, as canonical JSON; None instead of it keeps such values."""


class Keeper:
    """Turns answers into records. Safe for several threads."""

    def __init__(self, keep_body: KeepBody, commit: Commit | None) -> None:
        self._keep_body = keep_body
        self._commit = commit
        # Many answers are the same to the byte (empty lists, a region's models): what became of them is remembered.
        self._kept = Recent[tuple[str, bytes], tuple[str, int]](MOST_REMEMBERED)

    def take(self, kind: str, page: Page) -> Page:
        """The page without its content: screened, that is in the store when this returns.

        Raises:
            ValueError: it cannot be screened for secrets and personal data, so that neither it nor a digest of it is kept.
        """
        kept = self._kept.get((kind, page.content))
        if kept is None:
            body = screened(page.content, kind, self._commit)
            kept = self._keep_body(body), len(body)
            if len(page.content) <= MOST_REMEMBERED // 8:
                self._kept.put((kind, page.content), kept, len(page.content))
        return replace(page, content=b"", kept=kept)

    def record(self, asked: Asked, unit: str, origin: Origin, at: str) -> Json:
        """The observation or failure that seals `asked`, whose pages were taken."""
        failed, last = asked.failed, asked.pages[-1] if asked.pages else None
        common: dict[str, Any] = {"sweep": origin.sweep, "kind": asked.endpoint.kind, "resource": asked.resource.lower() or None, "unit": unit}
        fields: dict[str, Any] = {
            "request": _request(asked),
            "pages": [_place(page) for page in asked.pages],
            "attempts": asked.attempts + sum(page.attempts for page in asked.pages) + (failed.attempts if failed else 0),
            "cause": origin.cause,
            "collector": origin.collector,
            "storage": origin.storage,
        }
        if asked.object is not None:
            fields["object"] = asked.object
        if asked.window is not None:
            fields["window"] = asked.window.as_json()
        if not asked.served:
            fields["served"] = False
        if failed:
            answered = failed.status is not None
            response = {"status": failed.status, "request_id": failed.request_id, "date": failed.date} if answered else None
            return record("failure", at, **common, **fields, response=response, reason=failed.reason, detail=failed.detail)
        response = None
        if last and asked.endpoint.kind != TLS:
            response = {"status": asked.status, "request_id": last.request_id, "date": last.date}
        return record("observation", at, **common, **fields, response=response)


def _request(asked: Asked) -> Json:
    if asked.endpoint.kind == TLS:
        return {"method": "TLS", "url": asked.url}
    if asked.endpoint.scope == "workspace":
        return {"method": "POST", "url": asked.url, "body": asked.body}
    return {"method": "GET", "url": asked.url}


def _place(page: Page) -> Json:
    assert page.kept is not None, "a page that was not taken"
    return {
        "sha256": page.kept[0],
        "bytes": page.kept[1],
        "url": page.url,
        "request_id": page.request_id,
        "date": page.date,
        "attempts": page.attempts,
    }
