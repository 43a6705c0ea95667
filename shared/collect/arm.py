"""Ask Azure Resource Manager one question, and keep what came: every page, its exact bytes, or why there is none.

Guarantees: only GET; a token goes to the one ARM endpoint and nowhere else; no page is dropped, repeated or invented; nothing is
parsed into a typed model (they lose what they do not know). Leaves out: what the bytes say, and what may be kept of them.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urljoin, urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest

from shared.canonical import Json
from shared.collect.endpoints import Endpoint
from shared.collect.pace import Pace
from shared.collect.transport import AnswerTimeout, BodyTooLarge, Response
from shared.recent import Recent

ATTEMPTS = 5
"""Tries of one request at most, throttling apart: that may take as many as the budget has."""

ATTEMPTS_IN_SILENCE = 2
"""Tries of a request that is not answered at all: each costs the whole time-out."""

MAX_PAGES = 10_000

READ_LATELY = 2 * 1024 * 1024
"""Bytes of answers whose parsed form is kept for when the same bytes come again."""

_ID_CHARACTERS = "/()-_.~!$&'*+,;=:@"

_REASONS = {400: "refused", 401: "unauthenticated", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone", 429: "throttled"}
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(slots=True)
class Budget:
    """What one unit of work may spend on trying again: so that one bad account cannot hold up a sweep."""

    retries: int = 10
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Page:
    """One answer with status 200."""

    url: str
    content: bytes
    request_id: str | None
    date: str | None
    attempts: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a request has no usable answer. `detail` is Azure's error code or ours, never a message (they name people)."""

    reason: str
    detail: str
    status: int | None = None
    request_id: str | None = None
    date: str | None = None
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question."""

    endpoint: Endpoint
    resource: str
    """As Azure spells it."""
    url: str
    pages: tuple[Page, ...]
    failed: Failed | None = None
    parsed: tuple[Json, ...] = field(default=(), compare=False)
    """The pages, parsed: for those who need to go on from them, such as to the projects of an account."""

    def items(self) -> Iterator[Json]:
        """The members of a list over all pages."""
        for page in self.parsed:
            yield from page["value"]


class Arm:
    """Asks the questions of one sweep. Safe for several threads."""

    def __init__(self, endpoint: str, pipeline: Pipeline[HttpRequest, Response], pace: Pace, sleep: Callable[[float], None]) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._origin = urlsplit(self._endpoint)[:2]
        self._pipeline = pipeline
        self._pace = pace
        self._sleep = sleep
        # The same bytes come again and again (empty lists, a region's models): what they are is remembered.
        self._read_lately = Recent[tuple[bytes, bool], tuple[Json, str | None]](READ_LATELY)

    def ask(self, endpoint: Endpoint, resource: str, budget: Budget) -> Asked:
        """Ask `endpoint` about `resource` (an ARM id, "" for the tenant), with all its pages."""
        url: str | None = self._endpoint + endpoint.url(quote(resource, safe=_ID_CHARACTERS))
        first = url or ""
        pages: list[Page] = []
        parsed: list[Json] = []
        while url is not None:
            failed: Failed | None = None
            got = self._foreign(url) or self._fetch(url, budget)
            if isinstance(got, Page):
                body, failed = self._read(got, endpoint.is_list)
                failed = failed or _repeated(got, pages)
            else:
                body, failed = None, got
            if failed or not isinstance(got, Page):
                return Asked(endpoint, resource, first, tuple(pages), failed, tuple(parsed))
            pages.append(got)
            parsed.append(body)
            url = _next_page(got.url, body) if endpoint.is_list else None
        return Asked(endpoint, resource, first, tuple(pages), None, tuple(parsed))

    def _read(self, page: Page, is_list: bool) -> tuple[Json, Failed | None]:
        known = self._read_lately.get((page.content, is_list))
        if known is None:
            known = _shape(page.content, is_list)
            self._read_lately.put((page.content, is_list), known, len(page.content))
        body, wrong = known
        if wrong is None and is_list and not _is_link(page.url, body.get("nextLink")):
            wrong = "the link to the next page is not one"
        return body, Failed("malformed", wrong, 200, page.request_id, page.date, page.attempts) if wrong else None

    def _foreign(self, url: str) -> Failed | None:
        """A page on another host is not asked for, and no token goes there."""
        try:
            here = urlsplit(url)[:2] == self._origin
        except ValueError:
            here = False
        return None if here else Failed("foreign-host", "the next page is not on the endpoint that was asked")

    def _fetch(self, url: str, budget: Budget) -> Page | Failed:
        subscription = _subscription(url)
        attempts = 0
        while True:
            self._pace.wait(subscription)
            attempts += 1
            got, wait = self._once(url, attempts)
            if isinstance(got, Page) or wait is None:
                return got
            throttled = got.reason == "throttled"
            if attempts >= (ATTEMPTS_IN_SILENCE if got.reason == "timeout" else ATTEMPTS) and not throttled:
                return got
            wait = wait or min(0.5 * 2.0 ** (attempts - 1), 8.0)
            if budget.retries <= 0 or budget.seconds < wait:
                return got
            budget.retries -= 1
            budget.seconds -= wait
            if throttled:
                self._pace.hold(subscription, wait)
            else:
                self._sleep(wait)

    def _once(self, url: str, attempts: int) -> tuple[Page | Failed, float | None]:
        """One try: what came of it, and how long to wait before another (0: as we think; None: no use)."""
        try:
            response = self._pipeline.run(HttpRequest("GET", url)).http_response
        except ClientAuthenticationError as error:
            return Failed("unauthenticated", type(error).__name__, attempts=attempts), None
        except AnswerTimeout:
            return Failed("timeout", "no whole answer in time", attempts=attempts), 0.0
        except BodyTooLarge:
            return Failed("malformed", "the answer is too large", attempts=attempts), None
        except (ServiceRequestError, ServiceResponseError) as error:
            return Failed("unreachable", _one_line(error.message), attempts=attempts), 0.0
        except AzureError as error:
            return Failed("unreachable", type(error).__name__, attempts=attempts), None
        headers = response.headers
        facts = headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id"), headers.get("Date")
        status = response.status_code
        if status == 200:
            return Page(url, response.content, *facts, attempts), None
        failed = Failed(_reason(status), _error_code(response.content), status, *facts, attempts)
        return failed, _retry_after(response) if status in _AGAIN else None


def _subscription(url: str) -> str:
    parts = urlsplit(url).path.split("/", 3)
    return parts[2].lower() if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def _reason(status: int) -> str:
    if 300 <= status < 400:
        return "redirected"
    if status in (200, 201, 202, 204) or status < 300:
        return "malformed"
    return _REASONS.get(status, "server-error" if status >= 500 else "timeout" if status == 408 else "refused")


def _retry_after(response: Response) -> float:
    """Seconds that Azure asks for: `Retry-After` in seconds or as a date, or the millisecond headers; 0 where it says nothing."""
    for header, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = response.headers.get(header)
        if value is not None:
            try:
                return max(float(value) * unit, 0.0)
            except ValueError:
                try:
                    asked_at = parsedate_to_datetime(response.headers.get("Date", value))
                    return max((parsedate_to_datetime(value) - asked_at).total_seconds(), 0.0)
                except (ValueError, TypeError):
                    continue
    return 0.0


def _error_code(content: bytes) -> str:
    """Azure's error code, such as `AuthorizationFailed`; what is no such word is not repeated."""
    try:
        error = json.loads(content)
        error = error.get("error", error)
        code = error.get("code") if isinstance(error, dict) else None
    except (ValueError, AttributeError, RecursionError):
        return "no error code"
    return code if isinstance(code, str) and code.replace(".", "").replace("_", "").isalnum() and len(code) <= 80 else "no error code"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]


def _shape(content: bytes, is_list: bool) -> tuple[Json, str | None]:
    """The parsed body, or what is wrong with its shape."""
    try:
        body = json.loads(content)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if not isinstance(body, dict):
        return None, "not a JSON object"
    values = body.get("value")
    if is_list and not (isinstance(values, list) and all(isinstance(value, dict) for value in values)):
        return None, "not a list of resources"
    return body, None


def _is_link(url: str, link: Json) -> bool:
    try:
        return link is None or (isinstance(link, str) and isinstance(urljoin(url, link), str))
    except ValueError:
        return False


def _repeated(page: Page, before: list[Page]) -> Failed | None:
    if any(page.url == other.url or page.content == other.content for other in before[-50:]):
        return Failed("paging", "a page came twice", 200, page.request_id, page.date, page.attempts)
    if len(before) >= MAX_PAGES:
        return Failed("paging", f"more than {MAX_PAGES} pages", 200, page.request_id, page.date, page.attempts)
    return None


def _next_page(url: str, body: Json) -> str | None:
    link = body.get("nextLink")
    return urljoin(url, link) if link else None
