"""The portal on loopback: HTTP by the standard library, for one person on this machine.

Two things keep others out. The path begins with a random word that only the printed address has, so other users of the machine, and other pages
in the browser, cannot guess it. And a request whose `Host` is not this machine is refused, so that a name which is made to lead here (DNS
rebinding) opens nothing.
"""

import http.server
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from shared import __version__
from shared.errors import EvidenceError, Misuse
from shared.service.compose import random_bytes
from shared.service.portal.desk import Asked, Desk, Reply

HOST = "127.0.0.1"
NAMES = ("127.0.0.1", "localhost")
MOST = 65_536
"""Bytes of what a form sends."""
PATIENCE = 30.0
"""Seconds in which a request must be there."""


@contextmanager
def listening(desk_at: Callable[[str, Path], Desk], port: int) -> Iterator[tuple[str, "_Server"]]:
    """A server that listens, and its address; `serve_forever` of it answers. `desk_at` makes the desk, given its base and a folder for bundles.

    Raises:
        Misuse: the port cannot be had.
    """
    base = f"/{random_bytes(16).hex()}/"
    with tempfile.TemporaryDirectory(prefix="aoai-evidence-portal-", ignore_cleanup_errors=True) as folder:
        handler = type("Bound", (_Handler,), {"desk": desk_at(base, Path(folder)), "base": base})
        try:
            server = _Server((HOST, port), handler)
        except (OSError, OverflowError) as error:
            raise Misuse(f"cannot listen on port {port}: {getattr(error, 'strerror', None) or error}; choose another with --port") from None
        with server:
            yield f"http://{HOST}:{server.server_port}{base}", server


class _Server(http.server.ThreadingHTTPServer):
    """A thread for each connection, none of which outlives the command."""

    daemon_threads = True

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a browser went away."""


class _Handler(http.server.BaseHTTPRequestHandler):
    """One connection."""

    desk: Desk
    base: str
    server: "_Server"
    protocol_version = "HTTP/1.1"
    server_version = f"aoai-evidence/{__version__}"
    sys_version = ""
    timeout = PATIENCE

    def do_GET(self) -> None:
        """Answer a GET."""
        self._take(b"")

    def do_HEAD(self) -> None:
        """Answer a HEAD, as a GET without its content."""
        self._take(b"")

    def do_POST(self) -> None:
        """Answer a form."""
        length = self.headers.get("Content-Length") or ""
        if not length.isascii() or not length.isdigit() or len(length) > 9 or int(length) > MOST:
            self.close_connection = True  # what it sends is not read
            self._send(_plain(413, "Too much was sent, or it was not said how much."))
            return
        self._take(self.rfile.read(int(length)))

    def _take(self, body: bytes) -> None:
        self._send(self._answer(body))

    def _answer(self, body: bytes) -> Reply:
        if not self._is_for_us():
            return _plain(403, "This portal answers to 127.0.0.1 and localhost alone.")
        parts = urlsplit(self.path)
        if not parts.path.startswith(self.base):
            return _plain(404, "Nothing is here: open the address that `aoai-evidence portal` printed.")
        asked = Asked(
            "POST" if self.command == "POST" else "GET", unquote(parts.path[len(self.base) :]), _query(parts.query),
            {name.lower(): value for name, value in self.headers.items()}, body,
        )  # fmt: skip
        try:
            return self.desk.answer(asked)
        except EvidenceError as error:
            return self.desk.problem(503, f"{error}.")
        except Exception as error:  # noqa: BLE001 - one page that fails must not end the others, or look as if nothing was asked
            sys.stderr.write(f"aoai-evidence: a fault of the portal, {type(error).__name__}: {error}\n")
            return _plain(500, "A fault of the portal: what it was stands where it was started.")

    def _is_for_us(self) -> bool:
        port = self.server.server_port
        host = (self.headers.get("Host") or "").lower()
        return host in {f"{name}:{port}" for name in NAMES} and self.headers.get_all("Host") == [self.headers.get("Host")]

    def _send(self, reply: Reply) -> None:
        size = reply.file.stat().st_size if reply.file is not None else len(reply.body)
        self.send_response(reply.status)
        kind = f"{reply.kind}; charset=utf-8" if reply.kind.startswith("text/") else reply.kind
        for name, value in {"Content-Type": kind, "Content-Length": str(size), **reply.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.file is not None:
            with reply.file.open("rb") as data:
                shutil.copyfileobj(data, self.wfile)
        else:
            self.wfile.write(reply.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
        """Say nothing: addresses hold the word that opens the portal."""


def _query(text: str) -> Mapping[str, str]:
    try:
        return dict(parse_qsl(text, max_num_fields=20))
    except ValueError:
        return {"": ""}  # more than any page takes: refused there


def _plain(status: int, text: str) -> Reply:
    headers = {"Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Reply(status, "text/plain", f"{text}\n".encode(), headers)
