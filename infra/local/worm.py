"""What the emulator of Azure Storage leaves out, as a layer in front of it: retention, rights, faults. On 127.0.0.1 alone.

    with Worm(azurite.blob) as worm:
        worm.policy = "locked"
        os.environ["EVIDENCE_STORE_ENDPOINT"] = worm.endpoint
        worm.faults.append(Fault("PUT", "/evidence/", status=503, code="ServerBusy", retry_after=1, times=2))

Requests pass through unchanged (same path, so that their signatures stay valid), answers too, but for what Azure does and the emulator
does not: container `evidence` under a time-based policy or legal hold, an identity that may only add, and errors on demand. Never
kinder than Azure: where its documentation leaves two answers open, `says_of_taken` chooses between them, and a test should try both.

Sources (learn.microsoft.com): storage/blobs/immutable-storage-overview and -time-based-retention-policy-overview; rest/api/storageservices
"Get Blob Properties", "Get Container Properties", "Put Blob", "Set Blob Legal Hold", "Put Block", "Blob service error codes", "Create user delegation SAS".
"""

import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Literal, Self
from urllib.parse import unquote, urlsplit

from infra.local import delegation
from infra.local.blob_wire import Answer, Call, Fault, Headers, refusal

Policy = Literal["none", "unlocked", "locked"]

EVIDENCE = "evidence"


class Worm:
    """The layer. Attributes may be changed while it runs."""

    def __init__(self, upstream: str, port: int = 0) -> None:
        self.policy: Policy = "none"
        self.level: Literal["blob", "container"] = "blob"
        """Whose policy it is: version-level immutability shows on the blob, the older sort on the container alone."""
        self.days = 30
        self.legal_hold = False
        """Of all evidence; what `Set Blob Legal Hold` was asked for is in `holds`."""
        self.holds: set[str] = set()
        self.add_only = False
        """The identity has blobs/read and blobs/add/action on `evidence`, and no more."""
        self.says_of_taken: Literal["exists", "immutable", "forbidden"] = "exists"
        """What a create-if-absent of an evidence blob that is there is told."""
        self.faults: list[Fault] = []
        self.calls: list[tuple[str, str]] = []
        """Method and target of every request."""
        self.delegations = delegation.Delegations()
        self._upstream = urlsplit(upstream).netloc
        self._local = threading.local()
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), _handler(self))
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), name="worm", daemon=True)

    @property
    def endpoint(self) -> str:
        """For EVIDENCE_STORE_ENDPOINT."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    # -- one request ----------------------------------------------------------------------------------------------------

    def answer(self, call: Call) -> Answer | None:
        """The answer to a request; None: cut the connection."""
        with self._lock:
            self.calls.append((call.method, call.target))
            fault = next((fault for fault in self.faults if fault.due(call.method, unquote(call.target))), None)
        if fault is None:
            return self._served(call)
        time.sleep(fault.slow)
        if fault.after or not (fault.status or fault.cut):
            served = self._served(call)
            if not (fault.status or fault.cut):
                return served
        if fault.cut:
            return None
        return refusal(fault.status, fault.code, *([("Retry-After", str(fault.retry_after))] if fault.retry_after is not None else []))

    def _served(self, call: Call) -> Answer:
        if call.query.get("comp") == "userdelegationkey":
            key = self.delegations.issue(call.field("authorization"), call.body)
            return Answer(200, [("Content-Type", "application/xml")], key) if key else refusal(403, "AuthenticationFailed")
        if "skoid" in call.query:
            return self._linked(call)
        container, blob = call.place
        if container != EVIDENCE:
            return self.forward(call)
        return self._evidence_blob(call, blob) if blob else self._evidence_container(call)

    def _linked(self, call: Call) -> Answer:
        """What a link leads to; the emulator knows nothing of our keys."""
        if call.method not in ("GET", "HEAD") or not self.delegations.good(call.place, call.query, datetime.now(UTC)):
            return refusal(403, "AuthenticationFailed")
        path = urlsplit(call.target).path
        found = self.forward(Call(call.method, path, delegation.signed(call.method, path), b""))
        shown = call.query.get("rscd")
        return Answer(found.status, [*found.headers, *([("Content-Disposition", shown)] if shown else [])], found.body)

    def _evidence_container(self, call: Call) -> Answer:
        if call.method == "DELETE" and (self.policy != "none" or self.legal_hold):
            return refusal(409, "ContainerProtectedFromDeletion")
        answer = self.forward(call)
        if answer.status == 200 and call.query.get("restype") == "container" and "comp" not in call.query:
            said = {"x-ms-has-immutability-policy": self.policy != "none", "x-ms-has-legal-hold": self.legal_hold}
            kept = [(name, value) for name, value in answer.headers if name.lower() not in said]
            return Answer(200, [*kept, *((name, str(value).lower()) for name, value in said.items())], answer.body)
        return answer

    def _evidence_blob(self, call: Call, blob: str) -> Answer:
        if call.method in ("GET", "HEAD"):
            return self._protected(self.forward(call), blob)
        put_blob = call.method == "PUT" and "comp" not in call.query
        if self.add_only and not put_blob:
            return refusal(403, "AuthorizationPermissionMismatch")
        if call.method == "PUT" and call.query.get("comp") == "legalhold":
            return self._hold(call, blob)
        if put_blob and call.field("if-none-match") == "*":
            answer = self.forward(call)
            return self._taken() if answer.field("x-ms-error-code") == "BlobAlreadyExists" else answer
        found = self.forward(Call("HEAD", urlsplit(call.target).path, delegation.signed("HEAD", urlsplit(call.target).path), b""))
        if found.status == 200 and put_blob and self.add_only:
            return refusal(403, "AuthorizationPermissionMismatch")
        if found.status == 200 and call.query.get("comp") != "lease" and (held := self._held(found, blob)):
            return refusal(409, held)
        return self.forward(call)

    def _taken(self) -> Answer:
        if self.says_of_taken == "forbidden" and self.add_only:
            return refusal(403, "AuthorizationPermissionMismatch")
        if self.says_of_taken == "immutable" and self.policy != "none":
            return refusal(409, "BlobImmutableDueToPolicy")
        return refusal(409, "BlobAlreadyExists")

    # -- retention ------------------------------------------------------------------------------------------------------

    def _until(self, found: Answer) -> datetime:
        created = found.field("x-ms-creation-time") or found.field("last-modified")
        return parsedate_to_datetime(created) + timedelta(days=self.days)

    def _hold(self, call: Call, blob: str) -> Answer:
        """`Set Blob Legal Hold`, which wants version-level immutability; the code where there is none is not documented."""
        path = urlsplit(call.target).path
        found = self.forward(Call("HEAD", path, delegation.signed("HEAD", path), b""))
        if found.status != 200:
            return refusal(404, "BlobNotFound")
        if self.level == "container":
            return refusal(409, "FeatureVersionMismatch")
        wanted = call.field("x-ms-legal-hold").lower()
        if wanted not in ("true", "false"):
            return refusal(400, "InvalidHeaderValue")
        (self.holds.add if wanted == "true" else self.holds.discard)(blob)
        return Answer(200, [("x-ms-legal-hold", wanted)])

    def _held(self, found: Answer, blob: str) -> str | None:
        """The code with which a blob is kept as it is; None where it may be changed."""
        if self.legal_hold or blob in self.holds:
            return "BlobImmutableDueToLegalHold"
        return "BlobImmutableDueToPolicy" if self.policy != "none" and datetime.now(UTC) < self._until(found) else None

    def _protected(self, found: Answer, blob: str) -> Answer:
        """A read of a blob, saying how it is protected: of a container's own policy the blob says nothing."""
        if found.status not in (200, 206) or self.level == "container":
            return found
        said: Headers = [("x-ms-legal-hold", "true")] if self.legal_hold or blob in self.holds else []
        if self.policy != "none":
            until = format_datetime(self._until(found), usegmt=True)
            said += [("x-ms-immutability-policy-until-date", until), ("x-ms-immutability-policy-mode", self.policy)]
        return Answer(found.status, [*found.headers, *said], found.body)

    # -- the emulator ---------------------------------------------------------------------------------------------------

    def forward(self, call: Call) -> Answer:
        """The emulator's answer."""
        for fresh in (False, True):
            connection: HTTPConnection | None = None if fresh else getattr(self._local, "connection", None)
            if connection is None:
                connection = self._local.connection = HTTPConnection(self._upstream, timeout=60)
            try:
                connection.putrequest(call.method, call.target, skip_host=True, skip_accept_encoding=True)
                for name, value in call.headers:
                    connection.putheader(name, value)
                connection.endheaders(call.body)
                response = connection.getresponse()
                kept = [(n, v) for n, v in response.getheaders() if n.lower() not in _HOP]
                if call.method == "HEAD":  # of the body that a GET would have
                    kept.append(("Content-Length", response.getheader("Content-Length") or "0"))
                return Answer(response.status, kept, response.read())
            except (HTTPException, OSError):
                connection.close()
                if fresh:
                    raise
        raise AssertionError


_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length"})


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Nothing: a client that hangs up is no news."""


def _handler(worm: Worm) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = 64 * 1024

        def log_message(self, *_: object) -> None:
            """Nothing."""

        def _serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            answer = worm.answer(Call(self.command, self.path, list(self.headers.items()), body))
            if answer is None:
                self.close_connection = True
                self.connection.shutdown(2)
                return
            self.send_response_only(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            if self.command != "HEAD" and answer.status not in (204, 304):
                self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)
            self.wfile.flush()

        do_GET = do_HEAD = do_PUT = do_DELETE = do_POST = _serve  # noqa: N815 - the names that http.server calls

    return Handler
