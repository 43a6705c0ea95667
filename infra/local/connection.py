"""One connection of the stand-in: bytes in, answers out, in the order in which the requests came."""

import asyncio
import socket
import struct
from dataclasses import replace
from typing import cast

from infra.local.answering import Answerer
from infra.local.clock import http_date
from infra.local.wire import LONGEST_HEAD, MalformedError, Request, Response, parse_head

_RESET = struct.pack("ii", 1, 0)
_BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
TLS_HANDSHAKE = 0x16
"""The first byte of a client that speaks TLS (RFC 8446, section 5.1): plain HTTP servers refuse it at once, and do not wait for its head to end."""


class Service:
    """What all connections share."""

    def __init__(self, answerer: Answerer, *, latency: float, gzip: bool) -> None:
        self.answerer = answerer
        self.latency = latency
        self.gzip = gzip
        self.connections: set[Connection] = set()
        self._serial = 0
        self._dated: tuple[int, bytes, str] = (-1, b"", "")

    def dynamic(self, dated: bool, remaining: int, data_id: str = "") -> bytes:
        """The fields that differ each time: ids, the read limit, and the date by the world's clock; the data plane has other ids."""
        self._serial += 1
        moment = self.answerer.world.now()
        second = int(moment.timestamp())
        if self._dated[0] != second:
            self._dated = (second, f"Date: {http_date(moment)}\r\n".encode(), f"{moment:%Y%m%dT%H%M%SZ}")
        identity = f"5f0a1f0e-5f4e-4d52-9d5e-{self._serial:012x}"
        fields = (
            f"x-ms-ratelimit-remaining-subscription-reads: {remaining}\r\nx-ms-ratelimit-remaining-subscription-global-reads: 3749\r\n"
            f"x-ms-request-id: {identity}\r\nx-ms-correlation-request-id: {identity}\r\n"
            f"x-ms-routing-request-id: SWEDENCENTRAL:{self._dated[2]}:{identity}\r\n"
        )
        if data_id:
            fields = f"apim-request-id: {data_id}\r\nx-ms-client-request-id: {identity}\r\nx-ms-region: Sweden Central\r\n"
        return fields.encode() + self._dated[1] if dated else fields.encode()


class Connection(asyncio.Protocol):
    """One connection: requests are answered one after the other, in the order in which they came."""

    def __init__(self, service: "Service", account: str = "") -> None:
        self._service = service
        self._account = account
        self._buffer = b""
        self._busy = False
        self._transport: asyncio.Transport = cast(asyncio.Transport, None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._service.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._service.connections.discard(self)
        self._busy = True

    def data_received(self, data: bytes) -> None:
        self._buffer = self._buffer + data if self._buffer else data
        if not self._busy:
            self._serve()

    def _serve(self) -> None:
        """Answer what lies in the buffer, until a request is incomplete or an answer has to wait."""
        while self._buffer and not self._busy:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0 and len(self._buffer) <= LONGEST_HEAD and self._buffer[0] != TLS_HANDSHAKE:
                return
            request = self._parsed(end)
            if request is None:
                self._close(_BAD_REQUEST)
                return
            whole = end + 4 + request.body_length
            if len(self._buffer) < whole:
                return
            if request.body_length or self._account:
                request = replace(request, body=self._buffer[end + 4 : whole], account=self._account)
            self._buffer = self._buffer[whole:]
            self._answer(request)

    def _parsed(self, end: int) -> Request | None:
        if not 0 <= end <= LONGEST_HEAD:
            return None
        try:
            return parse_head(self._buffer[:end])
        except MalformedError:
            return None

    def _answer(self, request: Request) -> None:
        response, remaining = self._service.answerer.answer(request)
        delay = response.delay + self._service.latency
        if delay <= 0.0:
            self._send(request, response, remaining)
        else:
            self._busy = True
            asyncio.get_running_loop().call_later(delay, self._send_late, request, response, remaining)

    def _send_late(self, request: Request, response: Response, remaining: int) -> None:
        if self._transport.is_closing():
            return
        self._busy = False
        self._send(request, response, remaining)
        self._serve()

    def _send(self, request: Request, response: Response, remaining: int) -> None:
        if response.ending == "silent":
            self._busy = True
            return
        if response.ending == "reset":
            self.reset()
            return
        packed = self._service.gzip and request.accepts_gzip and bool(response.body)
        body = response.payload(packed)
        shown = b"" if request.method == "HEAD" else body
        dynamic = self._service.dynamic(response.dated, remaining, response.request_id)
        if response.ending == "truncated":
            self._close(b"".join((response.head(packed), dynamic, b"\r\n", body[: len(body) // 2])))
        elif request.keep_alive:
            self._transport.write(b"".join((response.head(packed), dynamic, b"\r\n", shown)))
        else:
            self._close(b"".join((response.head(packed), dynamic, b"Connection: close\r\n\r\n", shown)))

    def _close(self, last: bytes) -> None:
        self._busy = True
        self._transport.write(last)
        self._transport.close()

    def reset(self) -> None:
        """Close with a TCP reset: what was not sent yet is not sent any more."""
        self._busy = True
        held = self._transport.get_extra_info("socket")
        held.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        self._transport.abort()

    def abandon(self) -> None:
        """Close without waiting for what is still to be sent."""
        self._busy = True
        self._transport.abort()
