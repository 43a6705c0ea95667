"""A receiver of alerts on loopback, as docs/alerts.md tells whoever writes one: what is not signed by the secret, or is old, is refused."""

import base64
import hashlib
import hmac
import json
import threading
from collections.abc import Callable
from datetime import datetime
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

LATEST = 300
"""Seconds that a message may be away from the receiver's clock."""


class Receiver:
    """`taken`: every message that was genuine, in the order in which they came."""

    def __init__(self, secret: str, now: Callable[[], datetime]) -> None:
        self.taken: list[Any] = []
        self._secret = secret.encode()
        self._now = now
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                """Take a message, or refuse it."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                genuine = receiver._is_genuine(self.headers, body)
                if genuine:
                    receiver.taken.append(json.loads(body))
                self.send_response(204 if genuine else 401)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/alerts"

    def _is_genuine(self, headers: Message, body: bytes) -> bool:
        """By Standard Webhooks 1.0 (https://www.standardwebhooks.com)."""
        name, at = headers.get("webhook-id") or "", headers.get("webhook-timestamp") or ""
        wanted = base64.b64encode(hmac.new(self._secret, f"{name}.{at}.".encode() + body, hashlib.sha256).digest()).decode()
        signed = hmac.compare_digest(headers.get("webhook-signature") or "", f"v1,{wanted}")
        return signed and abs(self._now().timestamp() - int(at)) <= LATEST

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()
