"""Ask Log Analytics for an account's resource logs. The one POST there is: the query stands in its body; nothing is written by it.

Guarantees: a token goes to the query API of the chosen cloud and nowhere else; an answer that says itself that it is not whole (status 200
with an `error`) is a failure, whose page is kept. At most 5 queries at once and 200 in 30 seconds, which are Azure's limits for one
identity; several processes share those, and where Azure says so (429), they wait.

Source: learn.microsoft.com/azure/azure-monitor/logs/api/request-format; includes/azure-monitor-limits-log-queries.md.
"""

import threading
from collections.abc import Callable
from urllib.parse import quote

from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest

from shared.canonical import Json, canonical, unambiguous
from shared.collect.asked import Asked, Budget, Failed, Page, Take
from shared.collect.children import Workspace
from shared.collect.endpoints import Endpoint
from shared.collect.fetch import Fetcher
from shared.collect.kql import request_body
from shared.collect.pace import Pace
from shared.collect.paging import Pages
from shared.collect.transport import Response
from shared.collect.windows import Window

AT_ONCE = 5
PER_SECOND, BURST = 5.0, 50
"""50 at once and 5 a second: never more than 200 in 30 seconds."""

WAIT = 60
"""Seconds that the service may take for one query."""

TIMEOUTS = (10.0, WAIT + 15.0)
"""Seconds to connect, and of silence, which a query's are."""


class Logs:
    """Asks about accounts. Safe for several threads."""

    def __init__(self, endpoint: str, pipeline: Pipeline[HttpRequest, Response], pace: Pace, sleep: Callable[[float], None]) -> None:
        self._endpoint = endpoint.rstrip("/")
        self._fetcher = Fetcher(pipeline, sleep)
        self._pace = pace
        self._free = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, endpoint: Endpoint, account_id: str, where: Workspace, window: Window, budget: Budget, take: Take | None = None) -> Asked:
        """Ask `endpoint` about the account, in one workspace, for one window."""
        url = f"{self._endpoint}/v1{quote(where.path, errors='surrogatepass')}{endpoint.path}"
        body = request_body(endpoint.kind, account_id.lower(), window)
        pages = Pages(endpoint.kind, take)
        got = self._fetch(url, body, budget)
        failed = got if isinstance(got, Failed) else _wrong(got)
        if isinstance(got, Page) and (failed is None or failed.reason == "partial"):
            failed = pages.add(got) or failed
        return Asked(endpoint, where.resource(account_id), url, tuple(pages.pages), failed, window=window, body=body)

    def _fetch(self, url: str, body: Json, budget: Budget) -> Page | Failed:
        headers = {"Content-Type": "application/json", "Prefer": f"wait={WAIT}", "Expect": ""}
        content = canonical(body)
        with self._free:
            return self._fetcher.fetch(lambda: HttpRequest("POST", url, content=content, headers=headers), self._pace, "", budget)


def _wrong(page: Page) -> Failed | None:
    """What is wrong with the shape of an answer, or that it is not whole."""
    try:
        body = unambiguous(page.content)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict) or not _tables(body.get("tables")):
        return _failed("malformed", "not the tables of a query", page)
    error = body.get("error")
    if error is None:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    return _failed("partial", code if isinstance(code, str) and code.isalnum() and len(code) <= 80 else "no error code", page)


def _failed(reason: str, detail: str, page: Page) -> Failed:
    return Failed(reason, detail, 200, page.request_id, page.date, page.attempts)


def _tables(tables: Json) -> bool:
    return isinstance(tables, list) and bool(tables) and all(map(_is_table, tables))


def _is_table(table: Json) -> bool:
    if not isinstance(table, dict) or not isinstance(table.get("columns"), list) or not isinstance(table.get("rows"), list):
        return False
    columns = table["columns"]
    named = all(isinstance(column, dict) and isinstance(column.get("name"), str) for column in columns)
    return named and all(isinstance(row, list) and len(row) == len(columns) for row in table["rows"])
