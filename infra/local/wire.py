"""HTTP/1.1 as bytes: requests in, responses out. No sockets here.

Only what ARM's clients send is understood: a request line, header fields, a body by Content-Length. The parser is the
stand-in's own because it answers tens of thousands of requests in a benchmark, and a general one costs more than the answer.
"""

import base64
import gzip
import json
import re
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Literal
from urllib.parse import parse_qsl, unquote

LONGEST_HEAD = 64 * 1024

Ending = Literal["whole", "truncated", "reset", "silent"]
"""How a response ends: as it should, cut short of its Content-Length, by a connection reset, or not at all."""

_SKIP = re.compile(r"[?&](?:\$|%24)skiptoken=([^&]+)", re.IGNORECASE)
_REASONS = {status.value: status.phrase for status in HTTPStatus}


class MalformedError(Exception):
    """Bytes that are no HTTP request; nothing useful can be answered."""


@dataclass(frozen=True, slots=True)
class Request:
    """One request, as it is logged and as handlers and faults see it. The token itself is never kept."""

    method: str
    target: str
    """Path and query as they came: `/subscriptions?api-version=2022-12-01`."""
    host: str
    has_authorization: bool
    accepts_gzip: bool = False
    keep_alive: bool = True
    body_length: int = 0
    has_key: bool = False
    """An `api-key` came."""
    content_type: str = ""
    body: bytes = field(default=b"", repr=False)
    account: str = ""
    """The account whose data plane is asked; empty elsewhere."""

    @property
    def path(self) -> str:
        """The decoded path, without a slash at its end."""
        return unquote(self.target.partition("?")[0]).rstrip("/") or "/"

    @property
    def query(self) -> dict[str, str]:
        """Query parameters; names in lower case, since ARM does not mind theirs."""
        return {name.lower(): value for name, value in parse_qsl(self.target.partition("?")[2], keep_blank_values=True)}

    @property
    def page(self) -> int:
        """Which page of a list is asked for, from 1; of lists that go on `after` an object, 2 is every page but the first."""
        return 2 if "after" in self.query else skip_of(self.target)[0]


def skip_token(page: int, offset: int, mark: str = "") -> str:
    """The token of the page that begins at `offset`: opaque to clients. `mark` comes back with it."""
    return base64.urlsafe_b64encode(f"{page}:{offset}:{mark}".encode()).decode().rstrip("=")


def skip_of(target: str) -> tuple[int, int]:
    """Page and offset that a target asks for. Raises ValueError for a token we never gave."""
    page, offset, _ = _skipped(target)
    return int(page), int(offset)


def mark_of(target: str) -> str:
    """The mark in the token of a target; empty where there is none. Raises ValueError for a token we never gave."""
    skip_of(target)
    return _skipped(target)[2]


def _skipped(target: str) -> tuple[str, str, str]:
    found = _SKIP.search(target)
    if found is None:
        return "1", "0", ""
    token = unquote(found[1])
    page, offset, mark = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode().split(":", 2)
    return page, offset, mark


def json_bytes(body: object) -> bytes:
    """JSON as it goes over the wire."""
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass")


def parse_head(head: bytes) -> Request:
    """The request whose head (without the empty line) is given. Raises MalformedError."""
    line, *fields = head.decode("latin-1").split("\r\n")
    words = line.split(" ")
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        raise MalformedError(line[:80])
    method, target, version = words
    host, authorization, accepts, connection, length, key, content_type = "", "", "", "", "0", False, ""
    for one in fields:
        name, _, value = one.partition(":")
        match name.lower():
            case "host":
                host = value.strip()
            case "authorization":
                authorization = value.strip()
            case "api-key":
                key = bool(value.strip())
            case "content-type":
                content_type = value.strip()
            case "accept-encoding":
                accepts = value
            case "connection":
                connection = value.strip().lower()
            case "content-length":
                length = value.strip()
            case "transfer-encoding":
                connection = "close"  # chunked: nothing we serve needs the body, and closing saves reading it
    if not target.startswith("/"):
        target = "/" + target.partition("://")[2].partition("/")[2]
    if not (length.isascii() and length.isdigit()):
        raise MalformedError("Content-Length")
    return Request(
        method,
        target,
        host,
        authorization[:7].lower() == "bearer " and len(authorization) > 7,
        "gzip" in accepts,
        connection != "close" if version == "HTTP/1.1" else connection == "keep-alive",
        int(length),
        key,
        content_type,
    )


@dataclass(slots=True)
class Response:
    """One answer, before it has a date and ids. Made once and sent often: head and compressed body are kept."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()
    """Beyond those every answer has."""
    content_type: str = "application/json; charset=utf-8"
    delay: float = 0.0
    ending: Ending = "whole"
    dated: bool = True
    volatile: bool = False
    """Not to be kept: it changes with time alone."""
    request_id: str = ""
    """Of an answer of the data plane: its name in `apim-request-id` and in logs."""
    _heads: dict[bool, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)
    _packed: bytes = field(default=b"", init=False, repr=False, compare=False)

    def payload(self, packed: bool) -> bytes:
        """The body, compressed if `packed`."""
        if not packed:
            return self.body
        if not self._packed:
            self._packed = gzip.compress(self.body, 6, mtime=0)
        return self._packed

    def head(self, packed: bool) -> bytes:
        """Status line and all fields that are the same each time."""
        if packed not in self._heads:
            fields = [
                ("Cache-Control", "no-cache"),
                ("Pragma", "no-cache"),
                ("Content-Length", str(len(self.payload(packed)))),
                *([("Content-Type", self.content_type)] if self.content_type else []),
                *([("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding")] if packed else []),
                ("Expires", "-1"),
                ("Strict-Transport-Security", "max-age=31536000; includeSubDomains"),
                ("X-Content-Type-Options", "nosniff"),
                *self.headers,
            ]
            lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unknown')}", *(f"{name}: {value}" for name, value in fields)]
            self._heads[packed] = "\r\n".join([*lines, ""]).encode("latin-1")
        return self._heads[packed]
