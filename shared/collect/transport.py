"""How bytes travel: azure-core's transport seam over libcurl.

azure-core's own transport (requests) costs many times the processor time for each answer, and so does urllib3 (docs/adr/0003 has the
figures). This one never follows a redirect and never retries: that is for policies to decide, and to record. libcurl brings what
networks of companies need: proxies from the environment (HTTPS_PROXY, NO_PROXY), TLS with the authorities of one's choice.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any
from urllib.parse import quote

import pycurl
from azure.core.exceptions import ServiceRequestError, ServiceResponseError
from azure.core.pipeline.transport import HttpTransport
from azure.core.rest import HttpRequest

MAX_BODY = 256 * 1024 * 1024
"""Bytes of one answer, decompressed: more than any list of Azure's, and a bound on what a hostile server can make us hold."""

LONGEST = 600
"""Seconds that one answer may take, however steadily it trickles: a server that never ends must not hold up a sweep for ever."""

_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
"""What may stand in an address as it is, beside letters and digits. Azure's links to further pages hold spaces, and might hold anything."""

_NOT_SENT = frozenset({pycurl.E_COULDNT_RESOLVE_HOST, pycurl.E_COULDNT_RESOLVE_PROXY, pycurl.E_COULDNT_CONNECT, pycurl.E_SSL_CONNECT_ERROR,
                       pycurl.E_PEER_FAILED_VERIFICATION, pycurl.E_URL_MALFORMAT, pycurl.E_UNSUPPORTED_PROTOCOL})  # fmt: skip

_REASONS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "the name cannot be resolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "the name of the proxy cannot be resolved",
    pycurl.E_COULDNT_CONNECT: "no connection",
    pycurl.E_SSL_CONNECT_ERROR: "no TLS connection",
    pycurl.E_PEER_FAILED_VERIFICATION: "the certificate is not trusted",
    pycurl.E_PARTIAL_FILE: "the answer broke off",
    pycurl.E_RECV_ERROR: "the connection broke",
    pycurl.E_SEND_ERROR: "the connection broke",
    pycurl.E_GOT_NOTHING: "the connection was closed without an answer",
}


class AnswerTimeout(ServiceResponseError):
    """No whole answer came within the time allowed."""


class BodyTooLarge(ServiceResponseError):
    """The answer is larger than anything that is collected."""


class Headers(dict[str, str]):
    """Header fields; names without regard to case."""

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and super().__contains__(name.lower())

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


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


class CurlTransport(HttpTransport[Any, Any]):
    """GET, and the POST of a query, with a handle for each thread that asks; it keeps its last few connections.

    `timeouts`: seconds to connect, and of silence within an answer. `ca_file`: PEM of the authorities to trust.
    `proxies`: whether those that the environment names are used.
    """

    def __init__(self, *, timeouts: tuple[float, float], ca_file: str | None = None, proxies: bool = True) -> None:
        self._connect_ms, self._silence = int(timeouts[0] * 1000), max(timeouts[1], 0.001)
        self._ca_file = ca_file
        self._proxies = proxies
        self._local = threading.local()

    def open(self) -> None:
        """Nothing to do: connections are opened when first used."""

    def close(self) -> None:
        """Nothing to do: connections are closed with their threads."""

    def __enter__(self) -> "CurlTransport":
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None = None, exc_value: BaseException | None = None, traceback: TracebackType | None = None
    ) -> None:
        self.close()

    def _handle(self) -> pycurl.Curl:
        handle = getattr(self._local, "handle", None)
        if handle is None:
            handle = self._local.handle = pycurl.Curl()
            handle.setopt(pycurl.NOSIGNAL, 1)
            handle.setopt(pycurl.FOLLOWLOCATION, 0)
            handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
            handle.setopt(pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1)
            handle.setopt(pycurl.CONNECTTIMEOUT_MS, self._connect_ms)
            # Silence, not length: a large list over a slow line may take its time as long as it keeps coming.
            handle.setopt(pycurl.LOW_SPEED_LIMIT, 1)
            handle.setopt(pycurl.LOW_SPEED_TIME, max(int(self._silence), 1))
            handle.setopt(pycurl.TIMEOUT_MS, int(self._silence * 1000) if self._silence < 1 else LONGEST * 1000)
            handle.setopt(pycurl.ACCEPT_ENCODING, "gzip")
            if not self._proxies:
                handle.setopt(pycurl.PROXY, "")
            if self._ca_file:
                handle.setopt(pycurl.CAINFO, self._ca_file)
        return handle

    def send(self, request: HttpRequest, **_kwargs: Any) -> Response:
        """Send one request and read its whole answer.

        Raises:
            ServiceRequestError: no connection, so nothing was asked.
            AnswerTimeout, BodyTooLarge, ServiceResponseError: asked, and no whole answer came.
        """
        handle = self._handle()
        answer = _Answer()
        handle.setopt(pycurl.URL, quote(request.url, safe=_URL_CHARACTERS, errors="surrogatepass"))
        if request.content is not None:
            handle.setopt(pycurl.POSTFIELDS, request.content)
        elif getattr(self._local, "posted", False):
            handle.setopt(pycurl.HTTPGET, 1)
        self._local.posted = request.content is not None
        handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" for name, value in request.headers.items()])
        handle.setopt(pycurl.HEADERFUNCTION, answer.lines.append)
        handle.setopt(pycurl.WRITEFUNCTION, answer.take)
        try:
            handle.perform()
        except pycurl.error as error:
            raise _raised(error.args[0], answer, handle.getinfo(pycurl.PRETRANSFER_TIME) > 0) from None
        return Response(handle.getinfo(pycurl.RESPONSE_CODE), answer.headers(), b"".join(answer.parts))


class _Answer:
    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.parts: list[bytes] = []
        self.length = 0

    def take(self, data: bytes) -> int | None:
        self.length += len(data)
        if self.length > MAX_BODY:
            return -1
        self.parts.append(data)
        return None

    def headers(self) -> Headers:
        """Those of the last answer: a proxy's and an interim one's come before it."""
        found = Headers()
        for line in self.lines:
            if line.startswith(b"HTTP/"):
                found = Headers()
            else:
                name, colon, value = line.partition(b":")
                if colon:
                    dict.__setitem__(found, name.decode("latin-1").strip().lower(), value.decode("latin-1").strip())
        return found


def _raised(code: int, answer: _Answer, asked: bool) -> Exception:
    if answer.length > MAX_BODY:
        return BodyTooLarge(f"the answer is larger than {MAX_BODY} bytes")
    if code == pycurl.E_OPERATION_TIMEDOUT:
        return AnswerTimeout("no whole answer in time" if asked else "no connection in time")
    reason = _REASONS.get(code, f"libcurl error {code}")
    return ServiceRequestError(reason) if code in _NOT_SENT else ServiceResponseError(reason)
