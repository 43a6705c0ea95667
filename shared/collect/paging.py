"""Pages of one answer as they come: guarded against repetition, screened, kept, and let go of before the next one is asked for."""

import hashlib
from dataclasses import dataclass, field
from urllib.parse import quote, urljoin

from shared.canonical import Json
from shared.collect.asked import Failed, Page, Take

MAX_PAGES = 10_000


@dataclass(slots=True)
class Pages:
    """The pages of one answer to a question of `kind`; without `take` they are held as they are."""

    kind: str
    take: Take | None = None
    pages: list[Page] = field(default_factory=list)
    _seen: set[bytes] = field(default_factory=set)

    def add(self, page: Page) -> Failed | None:
        """Take in the next page; or say why it cannot be one."""
        if len(self.pages) >= MAX_PAGES:
            return _failed("paging", f"more than {MAX_PAGES} pages", page)
        for mark in (hashlib.sha256(page.content).digest(), page.url.encode("utf-8", "surrogatepass")):
            if mark in self._seen:
                return _failed("paging", "a page came twice", page)
            self._seen.add(mark)
        if self.take is not None:
            try:
                page = self.take(self.kind, page)
            except ValueError:
                # What cannot be screened for secrets and personal data is not kept, and no digest of it either.
                return _failed("malformed", "cannot be screened", page)
        self.pages.append(page)
        return None


def _failed(reason: str, detail: str, page: Page) -> Failed:
    return Failed(reason, detail, 200, page.request_id, page.date, page.attempts)


# -- where the next page is ---------------------------------------------------------------------------------------------


def next_link(url: str, body: Json) -> str | None:
    """The page after this one, of a list of Resource Manager.

    Raises:
        ValueError: the link is none.
    """
    link = body.get("nextLink")
    if link is not None and not isinstance(link, str):
        raise ValueError("the link to the next page is not one")
    return urljoin(url, link) if link else None


def next_cursor(body: Json) -> str | None:
    """The id after which the next page of a list of the data plane begins; None: it was the last page.

    A list that does not say whether there is more has no pages (the dated list of files).

    Raises:
        ValueError: there is more, and nothing says after what.
    """
    members = body.get("data")
    if body.get("has_more") is not True:
        return None
    last = members[-1].get("id") if isinstance(members, list) and members and isinstance(members[-1], dict) else None
    cursor = body.get("last_id") or last
    if not isinstance(cursor, str) or not members:
        raise ValueError("there is more, and nothing to go on after")
    return cursor


def after(url: str, cursor: str) -> str:
    """The address of the page after `cursor`, given that of the first page."""
    return f"{url}{'&' if '?' in url else '?'}after={quote(cursor, safe='', errors='surrogatepass')}"
