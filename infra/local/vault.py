"""A stand-in for a Key Vault, on 127.0.0.1 alone: what a signer asks of one, and how one refuses.

    with LocalVault() as vault:
        vault.add_key("evidence")
        os.environ["EVIDENCE_SIGNING_KEY"] = f"{vault.endpoint}/keys/evidence"

It answers GET of a key, of a version of it and of a secret, and POST `sign`; all else is refused. Never kinder than Key Vault: without a
token comes the challenge, a digest of the wrong length is no digest, what is disabled or expired does not sign. The one token it takes is
`local`. Codes, inner codes and shapes are those of "Azure Key Vault REST API error codes", the REST reference and recorded answers; the
words of messages are shortened.
"""

import base64
import json
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

API_VERSIONS = frozenset({"7.4", "7.5", "7.6", "2025-07-01"})
TOKEN = "local"
_CURVES: dict[str, Callable[[], ec.EllipticCurve]] = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1, "P-256K": ec.SECP256K1}
_ALGORITHMS = {"ES256": ("P-256", 32), "ES256K": ("P-256K", 32), "ES384": ("P-384", 48)}

Answer = tuple[int, dict[str, Any], dict[str, str]]
"""Status, body, further headers."""


class RefusedError(Exception):
    """The vault's refusal: status, code, inner code, message."""

    def __init__(self, status: int, code: str, message: str, inner: str = "", headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        said: dict[str, Any] = {"code": code, "message": message}
        if inner:
            said["innererror"] = {"code": inner}
        self.answer: Answer = (status, {"error": said}, headers or {})


@dataclass
class Version:
    """One version of a key or a secret."""

    private: ec.EllipticCurvePrivateKey | None = None
    curve: str = "P-256"
    value: str = ""
    enabled: bool = True
    not_before: int | None = None
    expires: int | None = None
    created: int = field(default_factory=lambda: int(time.time()))

    def attributes(self) -> dict[str, Any]:
        """As answers have them."""
        dates = {"nbf": self.not_before, "exp": self.expires}
        known = {name: value for name, value in dates.items() if value is not None}
        return {"enabled": self.enabled, **known, "created": self.created, "updated": self.created, "recoveryLevel": "Recoverable+Purgeable"}

    def usable(self, operation: str, sort: str) -> None:
        """Refuse what is disabled or out of its time."""
        noun, now = sort.removesuffix("s"), time.time()
        if not self.enabled:
            raise RefusedError(403, "Forbidden", f"Operation {operation} is not allowed on a disabled {noun}.", f"{noun.title()}Disabled")
        if self.expires is not None and self.expires <= now:
            raise RefusedError(403, "Forbidden", f"Operation {operation} is not allowed on an expired {noun}.", f"{noun.title()}Expired")
        if self.not_before is not None and self.not_before > now:
            raise RefusedError(403, "Forbidden", f"Operation {operation} is not allowed on a {noun} that is not yet valid.", f"{noun.title()}NotYetValid")


class LocalVault:
    """The vault. A context manager. `permissions`: what the identity may do."""

    def __init__(self, permissions: frozenset[str] = frozenset({"keys/get", "keys/sign", "secrets/get"})) -> None:
        self.permissions = permissions
        self.held: dict[str, dict[str, dict[str, Version]]] = {"keys": {}, "secrets": {}}
        self.faults: deque[RefusedError | Callable[[], None]] = deque()
        """What the next calls with a token get instead of an answer."""
        self.spoil: Callable[[bytes], bytes] = lambda signature: signature
        """What becomes of signatures on their way out."""
        self.resource = "https://vault.azure.net"
        """What the challenge says that a token must be for."""
        self.requests: list[tuple[str, str, str]] = []
        """Method, path, token (empty: none) of every request."""
        self._server: ThreadingHTTPServer | None = None

    @property
    def endpoint(self) -> str:
        """`http://127.0.0.1:<port>`."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"owner": self}))
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.02,), name="vault", daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    # -- what the keeper of the vault does ------------------------------------------------------------------------------

    def add_key(self, name: str, curve: str = "P-256") -> str:
        """Make a key, or a new version of it, as a rotation does; return the version."""
        version = secrets.token_hex(16)
        self.held["keys"].setdefault(name, {})[version] = Version(ec.generate_private_key(_CURVES[curve]()), curve)
        return version

    def add_secret(self, name: str, value: str) -> str:
        """Put a secret, or a new version of it; return the version."""
        version = secrets.token_hex(16)
        self.held["secrets"].setdefault(name, {})[version] = Version(value=value)
        return version

    def throttle(self, times: int, retry_after: int | None = None) -> None:
        """Let the next calls be one too many."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}
        message = "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
        self.faults.extend(RefusedError(429, "Throttled", message, headers=headers) for _ in range(times))

    # -- what it answers ------------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, token: str, body: bytes) -> Answer:
        """The answer to a request."""
        parts = urlsplit(target)
        self.requests.append((method, parts.path, token))
        try:
            self._known(token)
            if self.faults:
                fault = self.faults.popleft()
                if isinstance(fault, RefusedError):
                    raise fault
                fault()
            if parse_qs(parts.query).get("api-version", [""])[0] not in API_VERSIONS:
                raise RefusedError(400, "BadParameter", "api-version must be specified, and supported")
            return 200, self._found(method, [part for part in parts.path.split("/") if part], body), {}
        except RefusedError as refused:
            return refused.answer

    def _known(self, token: str) -> None:
        challenge = f'Bearer authorization="https://login.microsoftonline.com/00000000-0000-0000-0000-00000000000a", resource="{self.resource}"'
        if not token:
            raise RefusedError(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.", headers={"WWW-Authenticate": challenge})
        if token != TOKEN:
            more = {"WWW-Authenticate": f'{challenge}, error="invalid_token"'}
            raise RefusedError(401, "Unauthorized", "AKV10022: Invalid audience.", headers=more)

    def _found(self, method: str, parts: list[str], body: bytes) -> dict[str, Any]:
        match (method, parts):
            case ("GET", ["keys" | "secrets" as sort, name, *rest]) if len(rest) <= 1:
                operation = "get"
            case ("POST", ["keys" as sort, name, *rest, "sign"]) if len(rest) <= 1:
                operation = "sign"
            case _:
                raise RefusedError(403, "Forbidden", "Caller is not authorized to perform action on resource.", "ForbiddenByRbac")
        if f"{sort}/{operation}" not in self.permissions:
            message = f"Caller is not authorized to perform action on resource.\r\nAction: 'Microsoft.KeyVault/vaults/{sort}/{operation}/action'"
            raise RefusedError(403, "Forbidden", message, "ForbiddenByRbac")
        version = rest[0] if rest else list(self.held[sort].get(name, {"": None}))[-1]
        held = self.held[sort].get(name, {}).get(version)
        if held is None:
            noun = sort.removesuffix("s").title()
            raise RefusedError(404, f"{noun}NotFound", f"A {noun.lower()} with (name/id) {name} was not found in this key vault.")
        identifier = f"{self.endpoint}/{sort}/{name}/{version}"
        if sort == "secrets":
            held.usable("get", sort)
            return {"value": held.value, "id": identifier, "attributes": held.attributes()}
        return self._sign(held, identifier, body) if operation == "sign" else self._key(held, identifier)

    def _key(self, held: Version, identifier: str) -> dict[str, Any]:
        """Also of a key that is disabled or expired: its public half is no secret."""
        assert held.private is not None
        numbers, width = held.private.public_key().public_numbers(), _width(held)
        jwk = {"kid": identifier, "kty": "EC", "key_ops": ["sign", "verify"], "crv": held.curve}
        return {"key": {**jwk, "x": _encoded(numbers.x.to_bytes(width)), "y": _encoded(numbers.y.to_bytes(width))}, "attributes": held.attributes()}

    def _sign(self, held: Version, identifier: str, body: bytes) -> dict[str, Any]:
        held.usable("sign", "keys")
        try:
            said = json.loads(body)
            algorithm, digest = said["alg"], base64.urlsafe_b64decode(said["value"] + "=" * (-len(said["value"]) % 4))
        except (ValueError, KeyError, TypeError):
            raise RefusedError(400, "BadParameter", "Property has invalid value\r\n") from None
        curve, length = _ALGORITHMS.get(algorithm, ("", 0))
        if curve != held.curve:
            message = f"Key and signing algorithm are incompatible. Key {identifier} is of type 'EC', curve '{held.curve}'; algorithm '{algorithm}' is not for it."
            raise RefusedError(400, "BadParameter", message)
        if len(digest) != length:
            raise RefusedError(400, "BadParameter", f"Invalid length of 'value': {len(digest)} bytes. {algorithm} requires {length} bytes.")
        assert held.private is not None
        hashed = hashes.SHA384() if length == 48 else hashes.SHA256()
        r, s = utils.decode_dss_signature(held.private.sign(digest, ec.ECDSA(utils.Prehashed(hashed))))
        raw = r.to_bytes(_width(held)) + s.to_bytes(_width(held))
        return {"kid": identifier, "value": _encoded(self.spoil(raw))}


def _width(held: Version) -> int:
    assert held.private is not None
    return (held.private.key_size + 7) // 8


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 64 * 1024  # an answer in one piece: in two it waits for the client's delayed acknowledgement
    owner: LocalVault

    def log_message(self, *_args: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        """Answer any request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        status, value, more = self.owner.answer(self.command, self.path, token if kind.lower() == "bearer" else "", body)
        data = json.dumps(value).encode()
        self.send_response(status)
        fixed = {"Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(data)), "x-ms-keyvault-service-version": "1.9.0"}
        for name, text in {**fixed, "x-ms-request-id": secrets.token_hex(16), **more}.items():
            self.send_header(name, text)
        self.end_headers()
        self.wfile.write(data)

    do_POST = do_PUT = do_PATCH = do_DELETE = do_GET  # noqa: N815
