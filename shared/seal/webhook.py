"""Copies of checkpoints to a receiver of webhooks, signed so that it can tell them from anybody else's.

The body is canonical JSON, `{"v":1,"kind":"aoai-evidence-checkpoint","origin","size","checkpoint","beside":{name: base64}}`: the checkpoint as
text, to be kept and given to `verify --checkpoint` as it is, and what others said of it, by the name that the file has in the store.
Signed as Standard Webhooks 1.0 has it: `webhook-id`, `webhook-timestamp` (seconds), and `webhook-signature`, which is `v1,` and the base64 of
HMAC-SHA-256 over `<id>.<timestamp>.<body>`. The id is that of the content: what is sent again has it again. Any 2xx means kept; 409 means
that the receiver holds another checkpoint of this size.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from shared.canonical import canonical, sha256
from shared.seal.attestor import Asked, Owed, Sort
from shared.seal.post import Post

KIND = "aoai-evidence-checkpoint"
_PREFIX = "whsec_"
_UNRESOLVED = "@Microsoft.KeyVault("


def is_unresolved(secret: str) -> bool:
    """Whether it is what a function app has in place of a secret that it may not read."""
    return secret.startswith(_UNRESOLVED)


def signing_key(secret: str, setting: str = "EVIDENCE_COPY_SECRET") -> bytes:
    """The bytes that sign: what `whsec_` stands before in base64, or else the secret itself in UTF-8.

    Raises:
        Owed: it is no secret.
    """
    if is_unresolved(secret):
        raise Owed(f"{setting} could not be read from the vault: may the app read that secret?")
    if not secret.startswith(_PREFIX):
        return secret.encode()
    try:
        return base64.b64decode(secret[len(_PREFIX) :], validate=True)
    except (binascii.Error, ValueError):
        raise Owed(f"{setting} begins with whsec_, and what follows is not base64") from None


def message(asked: Asked) -> bytes:
    """The body."""
    beside = {name: base64.b64encode(data).decode() for name, data in asked.beside.items()}
    return canonical(
        {"v": 1, "kind": KIND, "origin": asked.origin, "size": asked.size, "checkpoint": asked.checkpoint.decode(), "beside": beside}
    )


def signed_headers(body: bytes, key: bytes, seconds: int) -> dict[str, str]:
    """The headers by which the receiver knows who sent the body, and when."""
    id_ = f"msg_{sha256(body)[:32]}"
    signature = hmac.new(key, f"{id_}.{seconds}.".encode() + body, hashlib.sha256).digest()
    return {
        "Content-Type": "application/json",
        "webhook-id": id_,
        "webhook-timestamp": str(seconds),
        "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
    }


@dataclass(frozen=True, slots=True)
class Webhook:
    """One receiver."""

    name: str
    url: str
    secret: str
    post: Post
    sort: Sort = "copy"

    def ask(self, asked: Asked) -> bytes:
        """Send the copy; nothing comes of it that would be kept here.

        Raises:
            Owed: it was not taken.
        """
        body = message(asked)
        answer = self.post(self.url, body, signed_headers(body, signing_key(self.secret), int(asked.now.timestamp())))
        if answer.status == 409:
            raise Owed(f"it holds another checkpoint of {asked.size} records: the log was rewritten, or another one sends there", grave=True)
        if not 200 <= answer.status < 300:
            raise answer.refused("the copy was not taken")
        return b""
