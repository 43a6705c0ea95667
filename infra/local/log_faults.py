"""Faults of the log query endpoint, beside those of `infra.local.faults`.

azure.faults.add("/query", partial_result(), times=1)
"""

from typing import Any

from infra.local.faults import Fault, edited
from infra.local.log_query import LogError, insufficient_access, partial_error

Json = Any


def partial_result(kept: int | None = None) -> Fault:
    """200 with an `error` beside the tables, and (with `kept`) only so many of the rows."""

    def change(body: dict[str, Json]) -> None:
        body["error"] = partial_error()
        if kept is not None:
            body["tables"][0]["rows"] = body["tables"][0]["rows"][:kept]

    return edited(change)


def log_forbidden() -> Fault:
    """403 InsufficientAccessError."""
    return lambda request, response: insufficient_access().response()


def log_throttled(retry_after: float | None = 1) -> Fault:
    """429, with or without Retry-After."""
    headers = () if retry_after is None else (("Retry-After", f"{retry_after:g}"),)
    return lambda request, response: LogError(429, "ThrottledError", "Rate limit is exceeded", headers=headers).response()


def log_timeout() -> Fault:
    """504: the query took too long."""
    inner = {"code": "GatewayTimeout", "message": "Unable to unzip response"}
    return lambda request, response: LogError(504, "GatewayTimeout", "The query timed out", inner).response()


def no_tables() -> Fault:
    """200 without tables."""
    return edited(lambda body: body.update(tables=[]))
