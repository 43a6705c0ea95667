"""Ask Azure Resource Manager one question, and keep what came: every page, its exact bytes, or why there is none.

Guarantees: only GET; a token goes to the one ARM endpoint and nowhere else; no page is dropped, repeated or invented; nothing is
parsed into a typed model (they lose what they do not know). Leaves out: what the bytes say, and what may be kept of them.
"""

from collections.abc import Callable
from urllib.parse import quote, urlsplit

from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest

from shared.canonical import Json, TwiceError, unambiguous
from shared.collect.asked import Asked, Budget, Failed, Page, Take
from shared.collect.endpoints import Endpoint
from shared.collect.fetch import Fetcher
from shared.collect.pace import Pace
from shared.collect.paging import Pages, next_link
from shared.collect.transport import Response
from shared.collect.windows import Window
from shared.recent import Recent

READ_LATELY = 2 * 1024 * 1024
"""Bytes of answers whose parsed form is kept for when the same bytes come again."""

_ID_CHARACTERS = "/()-_.~!$&'*+,;=:@"


class Arm:
    """Asks the questions of one sweep. Safe for several threads."""

    def __init__(self, endpoint: str, pipeline: Pipeline[HttpRequest, Response], pace: Pace, sleep: Callable[[float], None]) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._origin = _origin(self._endpoint)
        self._fetcher = Fetcher(pipeline, sleep)
        self._pace = pace
        # The same bytes come again and again (empty lists, a region's models): what they are is remembered.
        self._read_lately = Recent[tuple[bytes, bool], tuple[Json, str | None]](READ_LATELY)

    def ask(self, endpoint: Endpoint, resource: str, budget: Budget, *, window: Window | None = None, take: Take | None = None) -> Asked:
        """Ask `endpoint` about `resource` (an ARM id, "" for the tenant), with all its pages.

        Of a question with a window, which may have many pages, nothing is held but what `take` gives back of them.
        """
        url: str | None = self._endpoint + endpoint.url(quote(resource, safe=_ID_CHARACTERS, errors="surrogatepass"), window)
        first = url or ""
        pages = Pages(endpoint.kind, take)
        parsed: list[Json] = []
        failed: Failed | None = None
        while url is not None:
            got = self._foreign(url) or self._fetch(url, budget)
            if isinstance(got, Page):
                body, following, failed = self._read(got, endpoint.is_list)
                failed = failed or pages.add(got)
            else:
                failed = got
            if failed or not isinstance(got, Page):
                break
            if window is None:
                parsed.append(body)
            url = following
        return Asked(endpoint, resource, first, tuple(pages.pages), failed, tuple(parsed), window=window)

    def _read(self, page: Page, is_list: bool) -> tuple[Json, str | None, Failed | None]:
        """The parsed body, where the next page is, and what is wrong."""
        known = self._read_lately.get((page.content, is_list))
        if known is None:
            known = _shape(page.content, is_list)
            if len(page.content) <= READ_LATELY // 8:
                self._read_lately.put((page.content, is_list), known, len(page.content))
        body, wrong = known
        following = None
        if wrong is None and is_list:
            try:
                following = next_link(page.url, body)
            except ValueError:
                wrong = "the link to the next page is not one"
        return body, following, Failed("malformed", wrong, 200, page.request_id, page.date, page.attempts) if wrong else None

    def _foreign(self, url: str) -> Failed | None:
        """A page on another host is not asked for, and no token goes there."""
        try:
            here = _origin(url) == self._origin
        except ValueError:
            here = False
        return None if here else Failed("foreign-host", "the next page is not on the endpoint that was asked")

    def _fetch(self, url: str, budget: Budget) -> Page | Failed:
        return self._fetcher.fetch(lambda: HttpRequest("GET", url), self._pace, _subscription(url), budget)


def _origin(url: str) -> tuple[str, str]:
    """Scheme and authority. Azure writes its own host in some links as `management.azure.com:443`: that is the same place."""
    scheme, authority = urlsplit(url)[:2]
    return scheme, authority.lower().removesuffix({"https": ":443", "http": ":80"}.get(scheme, ""))


def _subscription(url: str) -> str:
    parts = urlsplit(url).path.split("/", 3)
    return parts[2].lower() if len(parts) > 2 and parts[1].lower() == "subscriptions" else ""


def _shape(content: bytes, is_list: bool) -> tuple[Json, str | None]:
    """The parsed body, or what is wrong with its shape."""
    try:
        body = unambiguous(content)
    except TwiceError as error:
        return None, str(error)
    except (ValueError, RecursionError):
        return None, "not JSON"
    if not isinstance(body, dict):
        return None, "not a JSON object"
    values = body.get("value")
    if is_list and not (isinstance(values, list) and all(isinstance(value, dict) for value in values)):
        return None, "not a list of resources"
    return body, None
