"""One TLS handshake with one version, seen from outside: what was offered, what came back, which certificates.

OpenSSL works on bytes in memory, so that what the endpoint sent can be read even where OpenSSL then gives up (a key too short for
it, a digest too old): an endpoint that answers TLSv1 with a ServerHello accepts TLSv1. Nothing but handshake records is sent.
RFC 5246 (records, ServerHello), RFC 8446 4.2.1 (supported_versions).
"""

import contextlib
import queue
import socket
import ssl
import threading
import time
import warnings
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, Self

TlsVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
VERSIONS: tuple[TlsVersion, ...] = ("TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3")
Outcome = Literal["accepted", "refused", "not-offered", "no-answer", "not-tls"]

_OPENSSL: dict[TlsVersion, ssl.TLSVersion] = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_ON_THE_WIRE: dict[bytes, TlsVersion] = {b"\x03\x01": "TLSv1", b"\x03\x02": "TLSv1.1", b"\x03\x03": "TLSv1.2", b"\x03\x04": "TLSv1.3"}
_EVERY_CIPHER = "ALL:!aNULL:!eNULL:@SECLEVEL=0"
_LEGACY_SERVER_CONNECT = 0x4  # ssl.OP_LEGACY_SERVER_CONNECT, named since Python 3.12
_ALERT, _HANDSHAKE, _SERVER_HELLO, _SUPPORTED_VERSIONS = 21, 22, 2, 43
_MOST = 256 * 1024  # bytes of one endpoint's answer: a chain of certificates is some kilobytes


class NoConnectionError(Exception):
    """The endpoint was not reached, or left in the middle. `stage`: `dns`, `connect`, `closed` or `silent`."""

    def __init__(self, stage: str, timed_out: bool) -> None:
        super().__init__(stage)
        self.stage = stage
        self.timed_out = timed_out


@dataclass(frozen=True, slots=True)
class Route:
    """A way to an endpoint that worked once: every handshake of a probe takes the same."""

    host: str
    port: int
    timeout: float
    family: int
    address: Any

    @classmethod
    def to(cls, host: str, port: int, timeout: float) -> Self:
        """Find and reach the endpoint, within `timeout` seconds for both.

        Raises:
            NoConnectionError: not found, or none of its addresses lets us in.
        """
        deadline = time.monotonic() + timeout
        timed_out = False
        for family, address in _looked_up(host, port, timeout):
            route = cls(host, port, timeout, family, address)
            try:
                route.connect(deadline - time.monotonic()).close()
            except NoConnectionError as error:
                timed_out = timed_out or error.timed_out
            else:
                return route
        raise NoConnectionError("connect", timed_out)

    def connect(self, timeout: float | None = None) -> socket.socket:
        """A new connection.

        Raises:
            NoConnectionError: the endpoint does not let us in.
        """
        connection = socket.socket(self.family, socket.SOCK_STREAM)
        try:
            connection.settimeout(max(self.timeout if timeout is None else timeout, 0.001))
            connection.connect(self.address)
        except OSError as error:
            connection.close()
            raise NoConnectionError("connect", isinstance(error, TimeoutError)) from None
        return connection


def _looked_up(host: str, port: int, timeout: float) -> list[tuple[int, Any]]:
    """Addresses of `host`. In a thread that is left behind if the resolver hangs, since nothing can interrupt it.

    Raises:
        NoConnectionError: it has none, or none in time.
    """
    answer: queue.SimpleQueue[list[tuple[int, Any]]] = queue.SimpleQueue()

    def look_up() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            found = []
        answer.put([(family, address) for family, _, _, _, address in found])

    threading.Thread(target=look_up, name="dns", daemon=True).start()
    try:
        addresses = answer.get(timeout=timeout)
    except queue.Empty:
        raise NoConnectionError("dns", timed_out=True) from None
    if not addresses:
        raise NoConnectionError("dns", timed_out=False)
    return addresses


@dataclass(frozen=True, slots=True)
class Handshake:
    """What one handshake came to."""

    outcome: Outcome
    spoke: bool = False
    """Whether a TLS record came back."""
    certificates: tuple[bytes, ...] = ()
    """DER, leaf first, as sent."""


def shake_hands(route: Route, version: TlsVersion) -> Handshake:
    """Offer `version` alone, and say what came of it.

    Raises:
        NoConnectionError: the endpoint does not let us in any more.
    """
    context = _offering(version)
    if context is None:
        return Handshake("not-offered")
    for _ in range(2):
        # A connection that is closed without a word is a refusal, unless it was an accident: so it is tried twice.
        # One that is closed in the middle of an answer is none: what would have come is not known.
        talk = _Talk(route, context)
        if not talk.hello:
            return Handshake("not-offered")
        with contextlib.suppress(ssl.SSLError):
            talk.run()
        if talk.timed_out or (talk.received and not _cut_off(bytes(talk.received))):
            break
    if not talk.received:
        return Handshake("no-answer" if talk.timed_out else "refused")
    if talk.received[0] not in (_ALERT, _HANDSHAKE):
        return Handshake("not-tls")
    if chosen(bytes(talk.received)) == version:
        return Handshake("accepted", spoke=True, certificates=talk.certificates())
    return Handshake("no-answer" if _cut_off(bytes(talk.received)) else "refused", spoke=True)


def distrust(route: Route, version: TlsVersion) -> str | None:
    """Why this system does not trust the endpoint's certificate for its host; None where it does.

    Raises:
        NoConnectionError: the endpoint does not let us in any more, or does not answer to the end.
    """
    talk = _Talk(route, _trusting(version))
    try:
        talk.run()
    except ssl.SSLCertVerificationError as error:
        return str(error.verify_message)
    except ssl.SSLError as error:
        return f"handshake failed ({error.reason})"
    if not talk.finished:
        raise NoConnectionError("silent" if talk.timed_out else "closed", talk.timed_out)
    return None


class _Talk:
    """A handshake between OpenSSL, which works in memory, and a connection."""

    def __init__(self, route: Route, context: ssl.SSLContext) -> None:
        self._route = route
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=route.host)
        self.received = bytearray()
        self.timed_out = False
        self.finished = False
        # OpenSSL answers "want read" once it has said hello; another error means that it has nothing to offer
        with contextlib.suppress(ssl.SSLError):
            self._tls.do_handshake()
        self.hello = self._outgoing.read()

    def run(self) -> None:
        """Talk until the handshake is finished, the endpoint closes, or time is up.

        Raises:
            ssl.SSLError: OpenSSL does not like what came.
            NoConnectionError: the endpoint does not let us in.
        """
        deadline = time.monotonic() + self._route.timeout
        with contextlib.closing(self._route.connect()) as connection:
            try:
                connection.sendall(self.hello)
                while not self.finished and len(self.received) < _MOST:
                    connection.settimeout(max(deadline - time.monotonic(), 0.001))
                    chunk = connection.recv(16_384)
                    if not chunk:
                        return
                    self._take(chunk, connection)
            except ssl.SSLError:
                raise
            except TimeoutError:
                self.timed_out = True
            except OSError:
                return  # reset: closed, less politely

    def _take(self, chunk: bytes, connection: socket.socket) -> None:
        self.received += chunk
        self._incoming.write(chunk)
        try:
            self._tls.do_handshake()
            self.finished = True
        except ssl.SSLWantReadError:
            pass
        finally:
            answer = self._outgoing.read()
            if answer:
                connection.sendall(answer)

    def certificates(self) -> tuple[bytes, ...]:
        """What the endpoint sent, DER, leaf first; the leaf alone where Python shows no more."""
        with contextlib.suppress(AttributeError, ValueError):
            if hasattr(self._tls, "get_unverified_chain"):  # since Python 3.13
                return tuple(self._tls.get_unverified_chain())
            chain = self._tls._sslobj.get_unverified_chain()  # type: ignore[attr-defined]
            return tuple(ssl.PEM_cert_to_DER_cert(certificate.public_bytes()) for certificate in chain or ())
        with contextlib.suppress(ValueError):
            leaf = self._tls.getpeercert(binary_form=True)
            return (leaf,) if leaf else ()
        return ()


def chosen(received: bytes) -> TlsVersion | None:
    """The version in the ServerHello that `received`, a stream of TLS records, begins with; None where there is none.

    TLSv1.3 says TLSv1.2 where the others say who they are, and itself in an extension.
    """
    messages = _messages(received)
    hello = messages[4 : 4 + int.from_bytes(messages[1:4], "big")]
    if len(hello) < 38 or messages[0] != _SERVER_HELLO:
        return None
    # version 2, random 32, session id with its length 1, cipher suite 2, compression 1, extensions with their length 2
    position = 35 + hello[34] + 3 + 2
    while position + 4 <= len(hello):
        kind, length = int.from_bytes(hello[position : position + 2], "big"), int.from_bytes(hello[position + 2 : position + 4], "big")
        if kind == _SUPPORTED_VERSIONS:
            return _ON_THE_WIRE.get(hello[position + 4 : position + 4 + length])
        position += 4 + length
    return _ON_THE_WIRE.get(hello[:2])


def _messages(received: bytes) -> bytes:
    """What the handshake records at the beginning of `received` carry."""
    messages = b""
    position = 0
    while len(received) >= position + 5 and received[position] == _HANDSHAKE:
        end = position + 5 + int.from_bytes(received[position + 3 : position + 5], "big")
        messages += received[position + 5 : end]
        position = end
    return messages


def _cut_off(received: bytes) -> bool:
    """Whether `received` is the beginning of a handshake message, and not all of it."""
    messages = _messages(received)
    return received[:1] == bytes((_HANDSHAKE,)) and len(messages) < 4 + int.from_bytes(messages[1:4], "big")


_making = threading.Lock()


@lru_cache
def _offering(version: TlsVersion) -> ssl.SSLContext | None:
    """What offers `version` alone, with every cipher that authenticates, and verifies nothing; None where OpenSSL cannot."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        context.set_ciphers(_EVERY_CIPHER)
        context.options |= _LEGACY_SERVER_CONNECT
        _only(context, version)
    except (ssl.SSLError, ValueError):
        return None
    return context


@lru_cache
def _trusting(version: TlsVersion) -> ssl.SSLContext:
    """What speaks `version` alone and verifies by the system's roots, with the same strictness in every version of Python."""
    context = ssl.create_default_context()
    context.verify_flags = ssl.VERIFY_X509_TRUSTED_FIRST
    if version in VERSIONS[:2]:
        context.set_ciphers(_EVERY_CIPHER)
        context.options |= _LEGACY_SERVER_CONNECT
    _only(context, version)
    return context


def _only(context: ssl.SSLContext, version: TlsVersion) -> None:
    with _making, warnings.catch_warnings():
        # Python warns that the old versions should not be used, which is what is tested here
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = _OPENSSL[version]
        context.maximum_version = _OPENSSL[version]
