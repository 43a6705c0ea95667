"""The TLS probe against real servers on loopback, and which hosts may be probed at all."""

import contextlib
import hashlib
import ipaddress
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.collect import handshake
from shared.collect.clouds import CLOUDS, account_address, allowed
from shared.collect.handshake import VERSIONS, chosen
from shared.collect.tls import Probe, probe
from shared.judge.data import table
from shared.settings import CLOUDS as CLOUD_NAMES

NOW = datetime(2026, 11, 22, 18, tzinfo=UTC)
BORN = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
QUICK = 0.5


class Authority:
    """A throw-away root, one intermediate below it, and leaves below that."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.root_key, self.root = self._issue("throw-away root", None)
        self.middle_key, self.middle = self._issue("throw-away intermediate", (self.root_key, self.root))
        self.root_file = folder / "root.pem"
        self.root_file.write_bytes(self.root.public_bytes(Encoding.PEM))

    def leaf(self, *names: str, days: int = 30) -> Path:
        """A file with key and chain (leaf, intermediate) for `names`, which are host names or addresses."""
        key, leaf = self._issue(names[0], (self.middle_key, self.middle), names, days)
        path = self._folder / f"{len(list(self._folder.iterdir()))}.pem"
        private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        path.write_bytes(private + leaf.public_bytes(Encoding.PEM) + self.middle.public_bytes(Encoding.PEM))
        return path

    @staticmethod
    def _issue(subject: str, issuer: Any, names: tuple[str, ...] = (), days: int = 30) -> tuple[Any, x509.Certificate]:
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject)])
        issuer_key, issuer_name = (issuer[0], issuer[1].subject) if issuer else (key, name)
        builder = (
            x509.CertificateBuilder().subject_name(name).issuer_name(issuer_name).public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(BORN - timedelta(days=400)).not_valid_after(BORN + timedelta(days=days))
            .add_extension(x509.BasicConstraints(ca=not names, path_length=None), critical=True)
        )  # fmt: skip
        if names:
            general: list[x509.GeneralName] = []
            for each in names:
                with contextlib.suppress(ValueError):
                    general.append(x509.IPAddress(ipaddress.ip_address(each)))
                    continue
                general.append(x509.DNSName(each))
            builder = builder.add_extension(x509.SubjectAlternativeName(general), critical=False)
        return key, builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("certificates"))


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[int]:
    """A port on which each connection gets `answer`, until the end."""
    listener = socket.create_server((host, 0))
    stop = threading.Event()

    def serve() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError):
                connection, _ = listener.accept()
                threading.Thread(target=work, args=(connection,), daemon=True).start()

    def work(connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError):
            connection.settimeout(5)
            answer(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        stop.set()
        with contextlib.suppress(OSError):
            socket.create_connection(listener.getsockname(), timeout=1).close()
        listener.close()
        thread.join(5)


def speaking(certificate: Path, oldest: ssl.TLSVersion, newest: ssl.TLSVersion, heard: list[bytes] | None = None, strangers: bool = True):  # type: ignore[no-untyped-def]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = oldest, newest
    if oldest < ssl.TLSVersion.TLSv1_2:
        context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(certificate)
    if not strangers:
        context.verify_mode = ssl.CERT_REQUIRED

    def answer(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as tls:
            said = tls.recv(100)
            if heard is not None:
                heard.append(said)

    return answer


def asked(port: int, host: str = "127.0.0.1", timeout: float = QUICK) -> Probe:
    return probe(f"https://{host}:{port}/", cloud="loopback", timeout=timeout, now=NOW)


def skip_unless_old_versions_are_possible() -> None:
    for version in VERSIONS[:2]:
        context = handshake._offering(version)
        if context is None or not handshake._Talk(handshake.Route("x", 1, 1, 0, None), context).hello:
            pytest.skip(f"LOUD: the OpenSSL here ({ssl.OPENSSL_VERSION}) cannot offer {version}: that old versions are found is NOT tested")


# --- endpoints that speak TLS ---


def test_a_modern_endpoint(authority: Authority) -> None:
    leaf = authority.leaf("127.0.0.1", "localhost")
    heard: list[bytes] = []
    with listening(speaking(leaf, ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3, heard)) as port:
        first = asked(port)
        assert first == asked(port)  # nothing changes while the endpoint does not
    assert first.connected and first.at == NOW and first.failure is None
    body = first.body
    assert list(body) == ["host", "port", "versions", "lowest", "chain", "trusted", "trust_error"]
    assert (body["host"], body["port"], body["lowest"]) == ("127.0.0.1", port, "TLSv1.2")
    assert list(body["versions"]) == ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]
    old, modern = list(body["versions"].values())[:2], list(body["versions"].values())[2:]
    assert set(old) <= {"refused", "not-offered"} and modern == ["accepted", "accepted"]
    certificates = x509.load_pem_x509_certificates(leaf.read_bytes())
    assert [each["sha256"] for each in body["chain"]] == [hashlib.sha256(c.public_bytes(Encoding.DER)).hexdigest() for c in certificates]
    assert body["chain"][0] == {
        "sha256": body["chain"][0]["sha256"], "subject": "CN=127.0.0.1", "issuer": "CN=throw-away intermediate",
        "not_before": (BORN - timedelta(days=400)).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
        "not_after": (BORN + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S.000000Z"),
    }
    assert body["chain"][1]["issuer"] == "CN=throw-away root"
    assert body["trusted"] is False and "unable to get" in body["trust_error"]
    assert set(heard) <= {b""}  # no request


@pytest.mark.parametrize(("oldest", "newest", "accepted"), [
    (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_3, ["TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"]),
    (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2, ["TLSv1.1", "TLSv1.2"]),
    (ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1, ["TLSv1"]),
])
def test_old_versions_are_found(authority: Authority, oldest: ssl.TLSVersion, newest: ssl.TLSVersion, accepted: list[str]) -> None:
    skip_unless_old_versions_are_possible()
    with listening(speaking(authority.leaf("127.0.0.1"), oldest, newest)) as port:
        body = asked(port).body
    assert [version for version, outcome in body["versions"].items() if outcome == "accepted"] == accepted
    assert set(body["versions"].values()) <= {"accepted", "refused"}
    assert body["lowest"] == accepted[0] and len(body["chain"]) == 2


@pytest.mark.parametrize("newest", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_only_one_modern_version(authority: Authority, newest: ssl.TLSVersion) -> None:
    with listening(speaking(authority.leaf("127.0.0.1"), newest, newest)) as port:
        versions = asked(port).body["versions"]
    assert [version for version in VERSIONS[2:] if versions[version] == "accepted"] == [{771: "TLSv1.2", 772: "TLSv1.3"}[newest]]


def test_a_version_that_is_chosen_counts_though_our_side_gives_up(authority: Authority) -> None:
    with listening(speaking(authority.leaf("127.0.0.1"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2, strangers=False)) as port:
        body = asked(port).body  # wants a certificate of us
    assert body["versions"]["TLSv1.2"] == "accepted" and body["lowest"] == "TLSv1.2"
    assert body["trusted"] is False


@pytest.fixture
def system_roots(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.root_file))
    handshake._trusting.cache_clear()
    yield
    handshake._trusting.cache_clear()


@pytest.mark.usefixtures("system_roots")
@pytest.mark.parametrize(("names", "days", "trust_error"), [
    (("127.0.0.1",), 30, None),
    (("localhost",), 30, "IP address mismatch"),
    (("127.0.0.1",), -5, "certificate has expired"),
])
def test_trust_is_that_of_the_systems_roots_for_this_host(
    authority: Authority, names: tuple[str, ...], days: int, trust_error: str | None
) -> None:
    with listening(speaking(authority.leaf(*names, days=days), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)) as port:
        body = asked(port).body
    assert body["trusted"] is (trust_error is None)
    assert body["trust_error"] is None if trust_error is None else trust_error in body["trust_error"]


@pytest.mark.usefixtures("system_roots")
def test_names_and_ipv6_are_probed_too(authority: Authority) -> None:
    answer = speaking(authority.leaf("localhost", "::1"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    with listening(answer) as port:
        body = asked(port, "LOCALHOST").body
    assert (body["host"], body["trusted"]) == ("localhost", True)
    try:
        with listening(answer, "::1") as port:
            body = asked(port, "[::1]").body
    except OSError:
        pytest.skip("no IPv6 here")
    assert (body["host"], body["trusted"]) == ("::1", True)


def test_a_certificate_that_cannot_be_read_is_named_by_its_digest_alone() -> None:
    from shared.collect.tls import _certificate

    assert _certificate(b"no certificate") == {
        "sha256": hashlib.sha256(b"no certificate").hexdigest(), "subject": None, "issuer": None, "not_before": None, "not_after": None,
    }


# --- endpoints that do not ---


def mute(connection: socket.socket) -> None:
    while connection.recv(1000):
        pass


def close(connection: socket.socket) -> None:
    connection.recv(1)


def reset(connection: socket.socket) -> None:
    connection.recv(1)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")


def plain_http(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def alert(connection: socket.socket) -> None:
    connection.recv(1000)
    connection.sendall(b"\x15\x03\x03\x00\x02\x02\x46")


def dribble(connection: socket.socket) -> None:
    for _ in range(1000):
        connection.sendall(b"\x16")
        time.sleep(0.05)


def flood(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"\x16\x03\x03\x40\x00\x0b\xff\xff\xff" + b"x" * 16_379)


@pytest.mark.parametrize(("answer", "failure", "detail"), [
    (mute, "timeout", "silent"), (close, "unreachable", "closed"), (reset, "unreachable", "closed"), (plain_http, "unreachable", "not-tls"),
])
def test_tcp_without_tls(answer: Callable[[socket.socket], None], failure: str, detail: str) -> None:
    with listening(answer) as port:
        start = time.perf_counter()
        found = asked(port)
    assert (found.failure, found.detail, found.body, found.connected) == (failure, detail, None, True)
    assert time.perf_counter() - start < 3 * QUICK


def test_an_endpoint_that_refuses_every_version_spoke_tls_all_the_same() -> None:
    with listening(alert) as port:
        body = asked(port).body
    assert set(body["versions"].values()) <= {"refused", "not-offered"} and body["versions"]["TLSv1.3"] == "refused"
    assert (body["lowest"], body["chain"], body["trusted"], body["trust_error"]) == (None, [], False, "no version is accepted")


@pytest.mark.parametrize("answer", [dribble, flood])
def test_an_endpoint_that_never_comes_to_an_end_is_left(answer: Callable[[socket.socket], None]) -> None:
    with listening(answer) as port:
        start = time.perf_counter()
        found = asked(port)
    assert time.perf_counter() - start < 10 * QUICK
    assert found.failure is not None or "accepted" not in found.body["versions"].values()


def test_silence_for_old_versions_alone_is_no_refusal(authority: Authority) -> None:
    skip_unless_old_versions_are_possible()
    modern = speaking(authority.leaf("127.0.0.1"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

    def answer(connection: socket.socket) -> None:
        hello = connection.recv(1000, socket.MSG_PEEK)
        mute(connection) if hello[9:11] in (b"\x03\x01", b"\x03\x02") else modern(connection)

    with listening(answer) as port:
        body = asked(port).body
    assert body["versions"] == {"TLSv1": "no-answer", "TLSv1.1": "no-answer", "TLSv1.2": "accepted", "TLSv1.3": "accepted"}


def test_an_answer_that_breaks_off_is_no_refusal(authority: Authority) -> None:
    """Six bytes of a ServerHello, and the connection is gone: who says so of TLSv1 has not refused it."""
    skip_unless_old_versions_are_possible()
    modern = speaking(authority.leaf("127.0.0.1"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)

    def answer(connection: socket.socket) -> None:
        hello = connection.recv(1000, socket.MSG_PEEK)
        if hello[9:11] not in (b"\x03\x01", b"\x03\x02"):
            modern(connection)
            return
        connection.recv(1000)
        connection.sendall(b"\x16\x03\x01\x00\x50\x02")

    with listening(answer) as port:
        versions = asked(port).body["versions"]
    assert versions == {"TLSv1": "no-answer", "TLSv1.1": "no-answer", "TLSv1.2": "accepted", "TLSv1.3": "accepted"}


def test_a_connection_lost_once_is_no_refusal(authority: Authority) -> None:
    modern = speaking(authority.leaf("127.0.0.1"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)
    lost: set[bytes] = set()

    def answer(connection: socket.socket) -> None:
        hello = connection.recv(1000, socket.MSG_PEEK)
        kind = hello[9:11] + (b"1.3" if b"\x00\x2b\x00\x03\x02\x03\x04" in hello else b"")
        if hello and kind not in lost:
            lost.add(kind)
            return
        modern(connection)

    with listening(answer) as port:
        versions = asked(port).body["versions"]
    assert (versions["TLSv1.2"], versions["TLSv1.3"]) == ("accepted", "accepted") and len(lost) >= 2


def test_where_openssl_cannot_offer_a_version_nothing_is_known(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    real = handshake._offering
    monkeypatch.setattr(handshake, "_offering", lambda version: None if version in VERSIONS[:2] else real(version))
    with listening(speaking(authority.leaf("127.0.0.1"), ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3)) as port:
        versions = asked(port).body["versions"]
    assert versions == {"TLSv1": "not-offered", "TLSv1.1": "not-offered", "TLSv1.2": "accepted", "TLSv1.3": "accepted"}


def test_nothing_listening() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = asked(taken.getsockname()[1])
    assert (found.failure, found.detail, found.connected) == ("unreachable", "connect", False)


def test_an_address_that_swallows_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        port = full.getsockname()[1]
        waiting = []
        for _ in range(4):  # until its queue takes no more
            each = socket.socket()
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
            waiting.append(each)
        time.sleep(0.1)
        start = time.perf_counter()
        found = asked(port)
        took = time.perf_counter() - start
        for each in waiting:
            each.close()
    assert (found.failure, found.connected) == ("timeout", False) and found.detail == "connect"
    assert took < 3 * QUICK


def test_names_that_do_not_resolve_or_never_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*args: object, **kwargs: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fails)
    found = probe("https://gone.openai.azure.com/", timeout=QUICK, now=NOW)
    assert (found.failure, found.detail, found.connected) == ("unreachable", "dns", False)

    hanging = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: hanging.wait(10) and [])
    start = time.perf_counter()
    found = probe("https://slow.openai.azure.com/", timeout=0.2, now=NOW)
    assert (found.failure, found.detail) == ("timeout", "dns")
    assert time.perf_counter() - start < 2
    hanging.set()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=120) | st.binary(max_size=80).map(lambda rest: b"\x16\x03\x03\x00\x50\x02\x00\x00\x4c\x03\x03" + rest))
def test_any_bytes_are_some_version_or_none(received: bytes) -> None:
    assert chosen(received) in (None, *VERSIONS)


def test_the_version_of_a_server_hello() -> None:
    def hello(legacy: bytes, extensions: bytes = b"", record: int = 1000) -> bytes:
        body = legacy + b"r" * 32 + b"\x02id" + b"\x13\x01" + b"\x00"
        body += len(extensions).to_bytes(2, "big") + extensions if extensions else b""
        message = b"\x02" + len(body).to_bytes(3, "big") + body
        pieces = [message[at : at + record] for at in range(0, len(message), record)]
        return b"".join(b"\x16\x03\x03" + len(piece).to_bytes(2, "big") + piece for piece in pieces)

    assert chosen(hello(b"\x03\x01")) == "TLSv1"
    assert chosen(hello(b"\x03\x03", b"\xff\x01\x00\x01\x00")) == "TLSv1.2"
    assert chosen(hello(b"\x03\x03", b"\x00\x33\x00\x01x\x00\x2b\x00\x02\x03\x04", record=7)) == "TLSv1.3"
    assert chosen(hello(b"\x03\x00")) is None
    assert chosen(hello(b"\x03\x03")[:30]) is None


# --- which hosts may be probed ---


def test_there_is_a_cloud_for_every_name_of_the_settings() -> None:
    assert tuple(CLOUDS) == CLOUD_NAMES and all(cloud.name == name for name, cloud in CLOUDS.items())
    for cloud in list(CLOUDS.values())[:3]:
        assert all(url.startswith("https://") and not url.endswith("/") for url in (cloud.arm, cloud.logs))
        assert all(scope.endswith("/.default") for scope in (cloud.scope, cloud.logs_scope, cloud.data_scope))
        assert len(cloud.account_domains) == 4 and "/" not in cloud.authority


def test_the_judge_knows_every_host_that_may_be_probed() -> None:
    judged = table("hosts")["domains"]
    assert all(set(CLOUDS[name].account_domains) <= set(judged[name]) for name in ("public", "usgov", "china"))


@pytest.mark.parametrize(("host", "cloud"), [
    ("acct.openai.azure.com", "public"), ("ACCT.OpenAI.Azure.COM", "public"), ("a.services.ai.azure.com", "public"),
    ("eastus.api.cognitive.microsoft.com", "public"), ("my-acct--2.cognitiveservices.azure.com", "public"),
    ("a.b.openai.azure.com", "public"), ("acct.openai.azure.us", "usgov"), ("acct.openai.azure.cn", "china"), ("127.0.0.1", "loopback"),
    ("::1", "loopback"), ("localhost", "loopback"), ("LocalHost", "loopback"),
])
def test_hosts_of_the_cloud(host: str, cloud: str) -> None:
    assert allowed(host, cloud)


@pytest.mark.parametrize(("host", "cloud"), [
    ("evilopenai.azure.com", "public"), ("openai.azure.com", "public"), (".openai.azure.com", "public"),
    ("acct.openai.azure.com.", "public"), ("acct.openai.azure.com.evil.com", "public"), ("acct.openai.azure.us", "public"),
    ("acct.openai.azure.com", "usgov"), ("acct.openai.azure.com", "loopback"), ("127.0.0.1", "public"), ("localhost", "public"),
    ("::1", "public"), ("", "public"), ("a..openai.azure.com", "public"), ("-a.openai.azure.com", "public"),
    ("a-.openai.azure.com", "public"), ("a_b.openai.azure.com", "public"), ("acct.openai.azure.com:443", "public"),
    ("u@acct.openai.azure.com", "public"), ("a b.openai.azure.com", "public"), ("evil.com/.openai.azure.com", "public"),
    ("evil.com#.openai.azure.com", "public"), ("evil.com\n.openai.azure.com", "public"), ("acct.openai.azure.com\n", "public"),
    ("\u0430cct.openai.azure.com", "public"), ("acct\u3002openai.azure.com", "public"), ("acct.opena\u0131.azure.com", "public"),
    ("\u212a.openai.azure.com", "public"), ("a" * 64 + ".openai.azure.com", "public"), ("a." * 130 + "openai.azure.com", "public"),
    ("management.azure.com", "public"), ("127.0.0.2", "loopback"), ("127.1", "loopback"), ("2130706433", "loopback"),
    ("localhost.", "loopback"), ("localhost.evil.com", "loopback"), ("0.0.0.0", "loopback"), ("::ffff:127.0.0.1", "loopback"),
    ("", "loopback"),
])
def test_hosts_that_only_look_like_it(host: str, cloud: str) -> None:
    assert not allowed(host, cloud)


@pytest.mark.parametrize(("url", "cloud", "address"), [
    ("https://acct.openai.azure.com/", "public", ("acct.openai.azure.com", 443)),
    ("HTTPS://Acct.OpenAI.azure.com:443", "public", ("acct.openai.azure.com", 443)),
    ("https://acct.openai.azure.com/a?b=c#d", "public", ("acct.openai.azure.com", 443)),
    ("https://127.0.0.1:8443/", "loopback", ("127.0.0.1", 8443)),
    ("http://[::1]:80/", "loopback", ("::1", 80)),
    ("http://localhost", "loopback", ("localhost", 80)),
    ("https://localhost", "loopback", ("localhost", 443)),
])
def test_addresses_of_endpoints(url: str, cloud: str, address: tuple[str, int]) -> None:
    assert account_address(url, cloud) == address


@pytest.mark.parametrize(("url", "cloud"), [
    ("http://acct.openai.azure.com/", "public"), ("https://acct.openai.azure.com:8443/", "public"),
    ("https://acct.openai.azure.com:80/", "public"), ("acct.openai.azure.com", "public"), ("//acct.openai.azure.com/", "public"),
    ("ftp://acct.openai.azure.com/", "public"), ("", "public"), ("https://acct.openai.azure.com@evil.com/", "public"),
    ("https://u:p@acct.openai.azure.com/", "public"), ("https://@acct.openai.azure.com/", "public"),
    ("https://evil.com\\.openai.azure.com/", "public"), ("https://evil.com/.openai.azure.com/", "public"),
    ("https://evil.com?.openai.azure.com", "public"), ("https://evil.com#.openai.azure.com", "public"),
    ("https://evil.com%2f.openai.azure.com/", "public"), ("https://acct.openai.azure.com./", "public"),
    ("https://acct.openai.azure.com:/", "public"), ("https://acct.openai.azure.com:99999/", "public"),
    ("https://acct.openai.azure.com:x/", "public"), ("https://acct.openai.azure.com:0443/", "public"), ("https://[::1]/", "public"),
    ("https://[acct.openai.azure.com]/", "public"), (" https://acct.openai.azure.com/", "public"),
    ("https://acct.openai.azure.com/\n", "public"), ("ht\ttps://acct.openai.azure.com/", "public"),
    ("https:/acct.openai.azure.com/", "public"), ("https:///acct.openai.azure.com/", "public"),
    ("https://\u0430cct.openai.azure.com/", "public"), ("https://127.0.0.1:0/", "loopback"), ("https://127.0.0.1@10.0.0.1/", "loopback"),
    ("https://10.0.0.1/", "loopback"), ("https://[::ffff:127.0.0.1]/", "loopback"), ("https://[::1/", "loopback"),
    ("https://localhost.evil.com/", "loopback"), ("https://acct.openai.azure.com/", "loopback"), ("https://[::1%25lo]/", "loopback"),
])
def test_urls_that_are_not_surely_an_endpoint_are_not_touched(url: str, cloud: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert account_address(url, cloud) is None

    def touched(*args: object, **kwargs: object) -> None:
        raise AssertionError("looked up")

    monkeypatch.setattr(socket, "getaddrinfo", touched)
    monkeypatch.setattr(socket.socket, "connect", touched)
    found = probe(url, cloud=cloud, timeout=QUICK, now=NOW)
    assert (found.failure, found.detail, found.body, found.connected) == ("foreign-host", None, None, False)


def test_a_cloud_that_is_none_is_our_own_mistake() -> None:
    with pytest.raises(KeyError):
        allowed("acct.openai.azure.com", "moon")


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30).map("https://{}.openai.azure.com/".format) | st.text(max_size=40) | st.text(max_size=20).map("https://{}".format))
def test_any_text_is_an_address_of_the_cloud_or_none(url: str) -> None:
    found = account_address(url, "public")
    assert found is None or (found[0].isascii() and found[0].endswith(CLOUDS["public"].account_domains) and found[1] == 443)
