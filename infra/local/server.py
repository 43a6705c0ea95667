"""The stand-in on the network: HTTP/1.1 with keep-alive, on 127.0.0.1 alone, in a thread of its own.

    with StandIn(demo_world(clock)) as azure:
        client = CognitiveServicesManagementClient(credential, subscription, base_url=azure.endpoint)
        …
        assert not azure.violations

With `data_plane` every account has an address on loopback of its own, where its files, models and the rest are (`infra.local.data_ports`).

Raw asyncio transports and a parser of our own: a benchmark of a collector is none if the server is what it measures.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Literal, Self

from infra.local.answering import Answerer
from infra.local.connection import Connection, Service
from infra.local.data_ports import DataPorts
from infra.local.faults import Faults
from infra.local.server_thread import ServerThread
from infra.local.throttle import TokenBuckets
from infra.local.wire import Request
from infra.local.world import World


class StandIn:
    """Azure Resource Manager on loopback. A context manager; `start` and `stop` do the same.

    `page_sizes` gives lists of a kind in pages (default: single pages, as real answers came). `latency` in seconds is added to
    every answer. `throttle` turns on the read limit. `gzip` compresses for those who accept it. `data_plane` gives accounts addresses of
    their own, by plain HTTP or TLS; without it they name hosts of the public cloud.
    """

    def __init__(
        self,
        world: World,
        *,
        port: int = 0,
        latency: float = 0.0,
        gzip: bool = False,
        page_sizes: Mapping[str, int] | None = None,
        throttle: TokenBuckets | None = None,
        keep_requests: bool = True,
        data_plane: Literal["http", "tls"] | None = None,
    ) -> None:
        self.world = world
        self.certificate_pem = b""
        """Of all accounts' addresses, where they speak TLS: self-signed, good for 127.0.0.1."""
        self._answerer = Answerer(world, page_sizes or {}, throttle, keep_requests)
        self._service = Service(self._answerer, latency=latency, gzip=gzip)
        self._port = port
        self._thread: ServerThread | None = None
        self._ports = DataPorts(world, self._service, self._tls() if data_plane == "tls" else None) if data_plane else None

    @property
    def endpoint(self) -> str:
        """`http://127.0.0.1:<port>`, without a slash at its end. Empty until started."""
        return self._answerer.endpoint

    @property
    def requests(self) -> list[Request]:
        """Every request so far, in order (none if `keep_requests` is off)."""
        return self._answerer.requests

    @property
    def violations(self) -> list[Request]:
        """Every request that was no GET (queries of logs apart), or that asked for content. A collector leaves this empty."""
        return self._answerer.violations

    @property
    def served(self) -> int:
        """How many requests were answered."""
        return self._answerer.served

    @property
    def faults(self) -> Faults:
        """What goes wrong: add rules to it."""
        return self._answerer.faults

    def page_by(self, kind: str, size: int | None) -> None:
        """From now on, give lists of `kind` (`accounts`, `deployments`, …) in pages of `size`; None: single pages."""
        self._answerer.page_by(kind, size)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, and answer from a thread. Raises OSError if the port is taken."""
        listener = socket.create_server(("127.0.0.1", self._port), backlog=1024)
        self._answerer.endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
        if self._ports is not None:
            self._ports.open()
        self._thread = ServerThread("stand-in", lambda: self._listen(listener), self._abandon)
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and end the thread."""
        if self._thread is not None:
            self._thread.stop()
            self._thread = None

    def _tls(self) -> ssl.SSLContext:
        from infra.local.endpoints_tls import server_context, throw_away_certificate  # needs cryptography, the rest does not

        self.certificate_pem, key = throw_away_certificate(days=30, now=datetime.now(UTC))
        return server_context(self.certificate_pem, key, "TLSv1.2", "TLSv1.3")

    async def _listen(self, listener: socket.socket) -> asyncio.Server:
        if self._ports is not None:
            await self._ports.serve()
        return await asyncio.get_running_loop().create_server(lambda: Connection(self._service), sock=listener)

    def _abandon(self) -> None:
        if self._ports is not None:
            self._ports.close()
        for connection in list(self._service.connections):
            connection.abandon()
