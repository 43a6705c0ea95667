"""Ask an account's own endpoint what it holds: lists of files, jobs, models, batches, stores, each page as it came.

Guarantees: only GET; a token goes to a host of the chosen cloud and nowhere else; a server that repeats itself ends as a failure; one page
is held at a time where it is handed on to be kept. What is asked is metadata: no address here returns content.

Each question exists in two generations: `/openai/v1/…`, with pages, and the dated one. Where the first is answered with 404 the second
is asked. Source: learn.microsoft.com/azure/foundry/reference/rest, azure-rest-api-specs (AzureOpenAI/authoring 2024-10-21).
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise

from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest

from shared.canonical import Json, TwiceError, unambiguous
from shared.collect.asked import Asked, Budget, Failed, Page, Take
from shared.collect.children import PARENTS, child_object, child_resource, usable_id
from shared.collect.clouds import account_base
from shared.collect.endpoints import Endpoint
from shared.collect.fetch import Fetcher, Patience
from shared.collect.pace import Pace
from shared.collect.paging import Pages, after, next_cursor
from shared.collect.refusals import closes, explained
from shared.collect.transport import Response

TIMEOUTS = (4.0, 20.0)
"""Seconds to connect, and of silence. Short: an account behind a private endpoint is not found or not let into, and there may be many."""

PATIENCE = Patience(answered=3, silence=1, nobody=2)

PER_SECOND, BURST = 10.0, 30
"""Reads of one account. Azure documents no limit for lists; its own answers (`callRateLimit`) show 30 a second for everything not named."""


class DataPlane:
    """Gives the endpoints of accounts. Safe for several threads."""

    def __init__(self, cloud: str, pipeline: Pipeline[HttpRequest, Response], pace: Callable[[], Pace], sleep: Callable[[float], None]) -> None:
        self._cloud = cloud
        self._fetcher = Fetcher(pipeline, sleep, patience=PATIENCE, explain=explained)
        self._pace = pace

    def of(self, account_id: str, endpoint: str | None, why: str = "") -> "OwnEndpoint":
        """The endpoint of an account, at the URL that the account itself names; None: it names none that can be read, `why`."""
        if endpoint is None:
            return OwnEndpoint(account_id, "", self._fetcher, self._pace(), Failed("skipped", why))
        base = account_base(endpoint, self._cloud)
        foreign = None if base else Failed("foreign-host", "the account's endpoint is not on a host of this cloud")
        return OwnEndpoint(account_id, base or endpoint, self._fetcher, self._pace(), foreign)


@dataclass(slots=True)
class OwnEndpoint:
    """The endpoint of one account, for one sweep, and one thread."""

    account_id: str
    base: str
    """Without a slash at the end."""
    fetcher: Fetcher
    pace: Pace
    closed: Failed | None = None
    """Why nothing more is asked here."""
    told: bool = False
    """Whether a failure has said so already: the others are skipped."""
    answered: bool = False
    """Whether it answered a question with a list."""
    budget: Budget = field(default_factory=lambda: Budget(retries=8, seconds=60.0))

    def ask(self, endpoint: Endpoint, identifier: str = "", take: Take | None = None) -> Asked:
        """Ask `endpoint` about the account, or its object `identifier`, with all pages."""
        resource, about = self.account_id, None
        if identifier:
            resource, about = child_resource(self.account_id, endpoint.scope, identifier), child_object(endpoint.scope, identifier)
        if self.closed is not None:
            return self._not_asked(endpoint, resource, about)
        addresses = endpoint.addresses(self.base, identifier)
        asked = self._pages(endpoint, resource, addresses[0], take)
        for _, other in pairwise(addresses):
            if asked.failed and asked.failed.status == 404 and not asked.pages:
                before = asked.attempts + asked.failed.attempts
                asked = replace(self._pages(endpoint, resource, other, take), attempts=before)
        if asked.failed and closes(asked.failed):
            self.closed, self.told = asked.failed, True
        self.answered = self.answered or asked.failed is None
        return replace(asked, object=about)

    def _not_asked(self, endpoint: Endpoint, resource: str, about: Json) -> Asked:
        """A question that would have the same failure: the first says why, the others that they were skipped, and why."""
        assert self.closed is not None
        failed, url = self.closed, ""
        if failed.reason == "foreign-host" and not self.told:
            url = self.base
        elif failed.reason != "skipped":
            failed = Failed("skipped", f"the account's endpoint: {failed.reason} ({failed.detail})"[:200])
        self.told = True
        return Asked(endpoint, resource, url, (), failed, object=about)

    def _pages(self, endpoint: Endpoint, resource: str, first: str, take: Take | None) -> Asked:
        url: str | None = first
        pages = Pages(endpoint.kind, take)
        members: list[str] = []
        failed: Failed | None = None
        while url is not None:
            got = self._fetch(url)
            if not isinstance(got, Page):
                failed = got
                break
            body, wrong = _shape(got.content)
            cursor, failed = None, _wrong(got, "malformed", wrong)
            if failed is None:
                try:
                    cursor = next_cursor(body)
                except ValueError as error:
                    failed = _wrong(got, "paging", str(error))
            failed = failed or pages.add(got)
            if failed is not None:
                break
            if endpoint.kind in PARENTS:
                members += (identifier for item in body["data"] if (identifier := usable_id(item)))
            url = after(first, cursor) if cursor is not None else None
        return Asked(endpoint, resource, first, tuple(pages.pages), failed, members=tuple(members))

    def _fetch(self, url: str) -> Page | Failed:
        return self.fetcher.fetch(lambda: HttpRequest("GET", url), self.pace, "", self.budget)


def _wrong(page: Page, reason: str, detail: str | None) -> Failed | None:
    return Failed(reason, detail, 200, page.request_id, page.date, page.attempts) if detail else None


def _shape(content: bytes) -> tuple[Json, str | None]:
    """The parsed body of a list, or what is wrong with its shape."""
    try:
        body = unambiguous(content)
    except TwiceError as error:
        return None, str(error)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if not isinstance(body, dict):
        return None, "not a JSON object"
    values = body.get("data")
    if not (isinstance(values, list) and all(isinstance(value, dict) for value in values)):
        return None, "not a list of objects"
    if not isinstance(body.get("has_more", False), bool):
        return None, "has_more is neither true nor false"
    return body, None
