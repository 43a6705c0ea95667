"""How bytes travel: azure-core's transport seam over a urllib3 pool.

azure-core's own transport (requests) costs more than twice the processor time for each answer (docs/adr/0003 has the figures), and this
one never follows a redirect and never retries: that is for policies to decide, and to record.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import urllib3
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest
from urllib3.exceptions import HTTPError, NewConnectionError, TimeoutError as Urllib3Timeout

MAX_BODY = 256 * 1024 * 1024
"""Bytes of one answer, decompressed: more than any list of Azure's, and a bound on what a hostile server can make us hold."""


class AnswerTimeout(ServiceResponseError):
    """No whole answer came within the time allowed."""


class BodyTooLarge(ServiceResponseError):
    """The answer is larger than anything that is collected."""


@dataclass(frozen=True, slots=True)
class Response:
    """A whole answer, in the shape that azure-core's policies look at."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes
    """Decompressed, otherwise as sent."""

    def body(self) -> bytes:
        """The bytes, under the name that azure-core's responses have for them."""
        return self.content


class Urllib3Transport(HttpTransport[Any, Any]):
    """GET over pooled connections.

    `timeouts`: seconds to connect, and between two bytes of an answer. `proxy`: URL of an HTTP proxy. `ca_file`: PEM of the authorities
    to trust, None for those of the system.
    """

    def __init__(self, *, threads: int, timeouts: tuple[float, float], proxy: str | None = None, ca_file: str | None = None) -> None:
        self._settings = {"maxsize": threads, "timeout": urllib3.Timeout(connect=timeouts[0], read=timeouts[1])}
        self._proxy = proxy
        self._ca_file = ca_file
        self._pools: dict[tuple[str, str], urllib3.HTTPConnectionPool] = {}

    def open(self) -> None:
        """Nothing to do: connections are opened when first used."""

    def close(self) -> None:
        """Close every idle connection."""
        for pool in self._pools.values():
            pool.close()
        self._pools.clear()

    def __enter__(self) -> "Urllib3Transport":
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None = None, exc_value: BaseException | None = None, traceback: TracebackType | None = None
    ) -> None:
        self.close()

    def _pool(self, scheme: str, netloc: str) -> urllib3.HTTPConnectionPool:
        pool = self._pools.get((scheme, netloc))
        if pool is None:
            settings = dict(self._settings)
            if scheme == "https":
                settings["ssl_context"] = ssl.create_default_context(cafile=self._ca_file)
            manager = urllib3.ProxyManager(self._proxy, **settings) if self._proxy else urllib3.PoolManager(**settings)
            pool = self._pools.setdefault((scheme, netloc), manager.connection_from_url(f"{scheme}://{netloc}"))
        return pool

    def send(self, request: HttpRequest, **kwargs: Any) -> Response:
        """Send one request and read its whole answer.

        Raises:
            ServiceRequestError: no connection, so nothing was asked.
            AnswerTimeout, BodyTooLarge, ServiceResponseError: asked, and no whole answer came.
        """
        parts = urlsplit(request.url)
        target = f"{parts.path}?{parts.query}" if parts.query else parts.path
        try:
            answer = self._pool(parts.scheme, parts.netloc).urlopen(
                request.method, target, headers=dict(request.headers), retries=False, redirect=False,
                assert_same_host=False, preload_content=False, decode_content=True,
            )
            try:
                content = answer.read(MAX_BODY + 1, decode_content=True)
                if len(content) > MAX_BODY:
                    answer.close()
                    raise BodyTooLarge(f"the answer is larger than {MAX_BODY} bytes")
            finally:
                answer.release_conn()
        except NewConnectionError as error:
            raise ServiceRequestError(_cause(error), error=error) from None
        except Urllib3Timeout as error:
            raise AnswerTimeout("no whole answer in time", error=error) from None
        except HTTPError as error:
            raise ServiceResponseError(_cause(error), error=error) from None
        except (OSError, ValueError) as error:
            raise ServiceRequestError(_cause(error), error=error) from None
        return Response(answer.status, answer.headers, content)


def _cause(error: BaseException) -> str:
    """The innermost reason, without addresses of objects in memory."""
    while (inner := error.__cause__ or getattr(error, "reason", None)) is not None and isinstance(inner, BaseException):
        error = inner
    text = getattr(error, "strerror", None) or str(error).rpartition(": ")[2] or type(error).__name__
    return str(text)
