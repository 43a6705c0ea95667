"""One POST to somebody whom nobody here controls: an authority, a witness, the receiver of copies. Over libcurl.

Guarantees: an end within SECONDS, whatever the other side does; at most MAX_ANSWER bytes of an answer; redirects are never followed (an
address is where its owner said, or nowhere); nothing is sent twice. With `public`, no connection to an address that is private,
link-local or otherwise not on the internet: looked at when the connection is made, so that no name can point elsewhere a moment later.
Leaves out: what an answer means, and trying again (`shared.seal.debts`).
"""

import ipaddress
import socket
from collections.abc import Mapping
from dataclasses import dataclass

import pycurl

from shared import __version__
from shared.seal.attestor import Owed

CONNECT_SECONDS = 3.0
SECONDS = 5.0
"""For the whole of one call. Sealing never waits for it, but the next one in the queue does."""

MAX_ANSWER = 256 * 1024

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_UNICAST = ipaddress.ip_network("2000::/3")
"""All that IANA has given out of IPv6 for the internet; what Python takes for global is more: old forms of IPv4 addresses, site-local ones."""
_NOT_THERE = (ipaddress.ip_network("3fff::/20"), ipaddress.ip_network("168.63.129.16/32"))
"""For documentation (RFC 9637); the host under every machine in Azure (learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16)."""

_REASONS = {
    pycurl.E_COULDNT_RESOLVE_HOST: "its name cannot be resolved",
    pycurl.E_COULDNT_RESOLVE_PROXY: "the name of the proxy cannot be resolved",
    pycurl.E_COULDNT_CONNECT: "no connection",
    pycurl.E_OPERATION_TIMEDOUT: f"no answer within {SECONDS:.0f} seconds",
    pycurl.E_SSL_CONNECT_ERROR: "no TLS connection",
    pycurl.E_PEER_FAILED_VERIFICATION: "its certificate is not trusted (REQUESTS_CA_BUNDLE names a network's own authorities)",
    pycurl.E_WRITE_ERROR: f"its answer is larger than {MAX_ANSWER} bytes",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer."""

    status: int
    retry_after: float | None
    """Seconds, where it says so."""
    body: bytes

    def refused(self, doing: str) -> Owed:
        """What is said of an answer that is not the one that was hoped for."""
        said = f"{doing}: it answers {self.status}"
        if 300 <= self.status < 400:
            said += " (a redirect, which is not followed: name the address that it leads to)"
        return Owed(said, wait=self.retry_after)


@dataclass(frozen=True, slots=True)
class Post:
    """How calls are made. `ca_file`: PEM of the authorities to trust. `proxies`: whether those that the environment names are used."""

    ca_file: str | None = None
    proxies: bool = True
    public: bool = False

    def __call__(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send `body`, and read the answer.

        Raises:
            Owed: there is none; why, in a few words.
        """
        call = _Call(self.public)
        handle = self._handle(url, body, headers)
        handle.setopt(pycurl.HEADERFUNCTION, call.take_header)
        handle.setopt(pycurl.WRITEFUNCTION, call.take)
        if self.public:
            handle.setopt(pycurl.OPENSOCKETFUNCTION, call.open)
        try:
            handle.perform()
            return Answer(handle.getinfo(pycurl.RESPONSE_CODE), call.retry_after, b"".join(call.parts))
        except pycurl.error as error:
            raise Owed(call.refused or _REASONS.get(error.args[0], f"the connection broke (libcurl error {error.args[0]})")) from None
        finally:
            handle.close()

    def _handle(self, url: str, body: bytes, headers: Mapping[str, str]) -> pycurl.Curl:
        handle = pycurl.Curl()
        handle.setopt(pycurl.NOSIGNAL, 1)
        handle.setopt(pycurl.URL, url)
        handle.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
        handle.setopt(pycurl.FOLLOWLOCATION, 0)
        handle.setopt(pycurl.CONNECTTIMEOUT_MS, int(CONNECT_SECONDS * 1000))
        handle.setopt(pycurl.TIMEOUT_MS, int(SECONDS * 1000))
        handle.setopt(pycurl.POST, 1)
        handle.setopt(pycurl.POSTFIELDS, body)
        # libcurl would wait a second for a server that knows no `100 Continue`.
        sent = {"User-Agent": f"aoai-evidence/{__version__}", "Expect": "", **headers}
        handle.setopt(pycurl.HTTPHEADER, [f"{name}: {value}" if value else f"{name}:" for name, value in sent.items()])
        if not self.proxies:
            handle.setopt(pycurl.PROXY, "")
        if self.ca_file:
            handle.setopt(pycurl.CAINFO, self.ca_file)
        return handle


class _Call:
    """What comes back."""

    def __init__(self, public: bool) -> None:
        self.public = public
        self.parts: list[bytes] = []
        self.length = 0
        self.retry_after: float | None = None
        self.refused: str | None = None

    def take_header(self, line: bytes) -> None:
        name, _, value = line.partition(b":")
        text = value.strip().decode("latin-1")
        if name.strip().lower() == b"retry-after" and text.isascii() and text.isdigit():
            self.retry_after = float(text[:9])

    def take(self, data: bytes) -> int | None:
        self.length += len(data)
        if self.length > MAX_ANSWER:
            return -1
        self.parts.append(data)
        return None

    def open(self, _purpose: int, address: tuple[int, int, int, tuple[str | bytes, int]]) -> "socket.socket | int":
        family, kind, protocol, (host, *_) = address
        text = host.decode() if isinstance(host, bytes) else host
        if not is_public(text):
            self.refused = f"its address is {text}, which is not on the internet: nothing is sent there"
            return int(pycurl.SOCKET_BAD)
        return socket.socket(family, kind, protocol)


def is_public(address: str) -> bool:
    """Whether an IP address is on the internet; an address that stands for another one is taken for that one."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        behind = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            behind = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if behind is not None:
            return is_public(str(behind))
        if found not in _UNICAST:
            return False
    return found.is_global and not found.is_multicast and not any(found in network for network in _NOT_THERE)
