"""The query endpoint of Log Analytics: `POST /v1/workspaces/{customer id}/query`, `POST /v1{resource id}/query`, and their GETs.

The resource may be a workspace (its whole content) or an account (its rows, in whatever workspace they are). A query is restricted to
`timespan` by TimeGenerated, where there is one: who asks by ingestion time gives none, or one that is wide enough. Errors in Azure's shape:
`BadArgumentError` around `SemanticError` or `SyntaxError`, `InsufficientAccessError`, `PathNotFoundError`.

Source: learn.microsoft.com/azure/azure-monitor/logs/api (requests, responses, errors), and answers that users report.
"""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from infra.local.ids import fold, guid
from infra.local.kql import KqlError
from infra.local.kql_run import run, shown
from infra.local.log_tables import Table, tables
from infra.local.resource_log import WORKSPACES
from infra.local.wire import Request, Response, json_bytes
from infra.local.world import World

Json = Any

_PATH = re.compile(r"/v1(?:/workspaces/(?P<customer>[^/]+)|(?P<resource>/subscriptions/.+))/query", re.IGNORECASE)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")


class LogError(Exception):
    """A query that is refused."""

    def __init__(self, status: int, code: str, message: str, inner: Json = None, headers: tuple[tuple[str, str], ...] = ()) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.error = {"message": message, "code": code, "correlationId": guid("query", code, message)}
        if inner is not None:
            self.error["innererror"] = inner

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        return Response(self.status, json_bytes({"error": self.error}), self.headers)


class Asked(NamedTuple):
    """A query, understood."""

    query: str
    since: datetime | None
    until: datetime | None


def customer_id(workspace: str) -> str:
    """The id by which a workspace is called in paths; `workspace` is its ARM id."""
    return guid("workspace", fold(workspace))


def is_query(request: Request) -> bool:
    """Whether a request is for this endpoint."""
    return request.method in ("GET", "POST") and _PATH.fullmatch(request.path) is not None


def answer_query(world: World, request: Request) -> Response:
    """The answer to a query; partial where there are more rows than `world.logs.most_rows`."""
    most = world.logs.most_rows
    match = _PATH.fullmatch(request.path)
    assert match is not None
    try:
        if not request.has_authorization:
            raise LogError(401, "AuthorizationRequiredError", "Valid authentication was not provided")
        with world.lock:
            world.pass_time()
            held = _tables(world, match["customer"], match["resource"])
            asked = _understood(request, world.now())
            try:
                result = run(asked.query, _within(held, asked), world.now())
            except KqlError as error:
                raise _bad_query(error) from None
    except LogError as error:
        return error.response()
    body = {"tables": [_shown(Table(result.columns, result.rows[:most]))]}
    if len(result.rows) > most:
        body["error"] = partial_error()
    return Response(200, json_bytes(body))


def partial_error() -> Json:
    """What stands beside the tables where not all rows came: the status is 200 all the same."""
    said = "The results of this query exceed the set limit of 64000000 bytes, so not all records were returned"
    inner = {"code": "-2133196797", "message": said, "severity": 2, "severityName": "Error"}
    detail = {"code": "EngineError", "message": "Something went wrong processing your query on the server.", "innererror": inner}
    return {"code": "PartialError", "message": "There were some errors when processing your query.", "details": [detail]}


def insufficient_access() -> LogError:
    """403."""
    return LogError(403, "InsufficientAccessError", "The provided credentials have insufficient access to perform the requested operation")


def _tables(world: World, customer: str | None, resource: str | None) -> dict[str, Table]:
    known = world.logs.workspaces()
    if resource is not None and f"/providers/{WORKSPACES}/".lower() not in fold(resource):
        return _of_resource(world, fold(resource), known)
    wanted = fold(resource) if resource else next((one for one in known if customer_id(one) == str(customer).lower()), "")
    if wanted not in known:
        raise LogError(404, "PathNotFoundError", "The requested path does not exist")
    if world.logs.is_denied(wanted):
        raise insufficient_access()
    return tables(world.logs, wanted, world.logs.rows(wanted, world.now()), world.logs.ever(wanted, world.now()))


def _of_resource(world: World, account: str, known: set[str]) -> dict[str, Table]:
    if world.is_denied(account):
        raise insufficient_access()
    if account not in world.resources:
        raise LogError(404, "PathNotFoundError", "The requested path does not exist")
    held: dict[str, Table] = {}
    for workspace in sorted(known):
        rows = [row for row in world.logs.rows(workspace, world.now()) if fold(row.account) == account]
        for name, table in tables(world.logs, workspace, rows, world.logs.ever(workspace, world.now())).items():
            held[name] = Table(table.columns, held[name].rows + table.rows if name in held else table.rows)
    return held


def _understood(request: Request, now: datetime) -> Asked:
    if request.method == "GET":
        body: Json = request.query
    else:
        try:
            body = json.loads(request.body)
        except ValueError:
            raise LogError(400, "BadArgumentError", "The request had some invalid properties", {"code": "InvalidJsonBody"}) from None
    query = body.get("query") if isinstance(body, dict) else None
    if not isinstance(query, str) or not query.strip():
        raise LogError(400, "BadArgumentError", "The request had some invalid properties", {"code": "QueryValidationError"})
    since, until = _timespan(body.get("timespan"), now)
    return Asked(query, since, until)


def _timespan(text: Json, now: datetime) -> tuple[datetime | None, datetime | None]:
    """`start/end`, `start/duration`, `duration/end` or a duration up to now; nothing: no bounds."""
    if text is None:
        return None, None
    first, _, second = str(text).partition("/")
    try:
        if not second:
            return now - _duration(first), now
        if first.startswith("P"):
            return _moment(second) - _duration(first), _moment(second)
        return _moment(first), _moment(first) + _duration(second) if second.startswith("P") else _moment(second)
    except ValueError:
        inner = {"code": "InvalidTimespan", "message": "The timespan is not valid"}
        raise LogError(400, "BadArgumentError", "The request had some invalid properties", inner) from None


def _duration(text: str) -> timedelta:
    match = _DURATION.fullmatch(text)
    if match is None or not any(match.groups()):
        raise ValueError(text)
    days, hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _within(held: dict[str, Table], asked: Asked) -> dict[str, Table]:
    if asked.since is None or asked.until is None:
        return held
    since, until = asked.since, asked.until
    return {name: Table(t.columns, [row for row in t.rows if since <= _moment(row["TimeGenerated"]) < until]) for name, t in held.items()}


def _bad_query(error: KqlError) -> LogError:
    sort = "SyntaxError" if error.code.startswith("SYN") else "SemanticError"
    said = "A syntax error was found in the query." if sort == "SyntaxError" else "A semantic error occurred."
    inner = {"code": sort, "message": said, "innererror": {"code": error.code, "message": error.message}}
    return LogError(400, "BadArgumentError", "The request had some invalid properties", inner)


def _shown(table: Table) -> Json:
    columns = [{"name": name, "type": kind} for name, kind in table.columns.items()]
    rows = [[shown(row.get(name)) for name in table.columns] for row in table.rows]
    return {"name": "PrimaryResult", "columns": columns, "rows": rows}
