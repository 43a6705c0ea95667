"""Endpoints of accounts to shake hands with: TLS listeners on loopback, with throw-away certificates.

    with TlsEndpoint(minimum="TLSv1.2") as good, TlsEndpoint(minimum="TLSv1") as old, SilentEndpoint() as mute:
        world = demo_world(clock, {"bw-claims-sdc": good.url, "bw-lab-ncus": old.url, "bw-lab-chn": mute.url})

After the handshake a request gets 404, as Azure's endpoints give without a path: nothing of the data plane is here.
"""

import abc
import asyncio
import contextlib
import ipaddress
import socket
import ssl
import tempfile
import warnings
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from infra.local.server_thread import ServerThread

TlsVersion = Literal["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]

_VERSIONS = {
    "TLSv1": ssl.TLSVersion.TLSv1,
    "TLSv1.1": ssl.TLSVersion.TLSv1_1,
    "TLSv1.2": ssl.TLSVersion.TLSv1_2,
    "TLSv1.3": ssl.TLSVersion.TLSv1_3,
}
_NOT_FOUND = b"HTTP/1.1 404 Resource Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class _Endpoint(abc.ABC):
    """A listener on loopback with a thread of its own. What it says is the subclass's."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._thread = ServerThread(f"endpoint-{self.port}", self._serve)

    @property
    def url(self) -> str:
        """As `properties.endpoint` of an account: `https://127.0.0.1:<port>/`."""
        return f"https://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Answer connections from now on (until then they wait)."""
        self._thread.start()

    def stop(self) -> None:
        """Close the listener and every connection. An endpoint is started once."""
        self._thread.stop()
        self._listener.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.stop()

    @abc.abstractmethod
    async def _serve(self) -> asyncio.Server: ...


class TlsEndpoint(_Endpoint):
    """Speaks TLS from `minimum` to `maximum` with a self-signed certificate for 127.0.0.1, good for `days` from `now`.

    Versions below 1.2 are offered with OpenSSL's security level lowered to 0. Whether OpenSSL still has them: `can_speak`.
    A negative number of days makes an expired certificate.
    """

    def __init__(
        self, minimum: TlsVersion = "TLSv1.2", maximum: TlsVersion = "TLSv1.3", *, days: float = 30, now: datetime | None = None
    ) -> None:
        super().__init__()
        self.certificate_pem, key = throw_away_certificate(days=days, now=now or datetime.now(UTC))
        self._context = server_context(self.certificate_pem, key, minimum, maximum)

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(_not_found, sock=self._listener, ssl=self._context)


class SilentEndpoint(_Endpoint):
    """Accepts the TCP connection and never says a word: a handshake with it times out."""

    async def _serve(self) -> asyncio.Server:
        return await asyncio.start_server(_mute, sock=self._listener)


def can_speak(version: TlsVersion) -> bool:
    """Whether the local OpenSSL can offer `version` at all; what a distribution forbids beyond that shows in the handshake."""
    return {"TLSv1": ssl.HAS_TLSv1, "TLSv1.1": ssl.HAS_TLSv1_1, "TLSv1.2": ssl.HAS_TLSv1_2, "TLSv1.3": ssl.HAS_TLSv1_3}[version]


def throw_away_certificate(*, days: float, now: datetime) -> tuple[bytes, bytes]:
    """A self-signed certificate for 127.0.0.1 and localhost, and its key, as PEM. The key is worth nothing."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stand-in for Azure, loopback only")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")])
    first, last = now - timedelta(days=1), now + timedelta(days=days)
    builder = x509.CertificateBuilder(
        issuer_name=name,
        subject_name=name,
        public_key=key.public_key(),
        serial_number=x509.random_serial_number(),
        not_valid_before=min(first, last - timedelta(days=1)),
        not_valid_after=last,
    )
    certificate = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return certificate.public_bytes(Encoding.PEM), private


def server_context(certificate: bytes, key: bytes, minimum: TlsVersion, maximum: TlsVersion) -> ssl.SSLContext:
    """What a listener speaks: the versions from `minimum` to `maximum`, with a certificate and its key in PEM."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if _VERSIONS[minimum] < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # old versions are the point
        context.minimum_version, context.maximum_version = _VERSIONS[minimum], _VERSIONS[maximum]
    with tempfile.TemporaryDirectory() as folder:  # the ssl module reads certificates from files alone
        path = Path(folder, "endpoint.pem")
        path.write_bytes(key + certificate)
        context.load_cert_chain(path)
    return context


async def _not_found(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(_NOT_FOUND)
            await writer.drain()
            writer.close()
            await writer.wait_closed()
    finally:
        writer.transport.abort()


async def _mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while await reader.read(65536):
                pass
    finally:
        writer.transport.abort()
