"""Calls to a Key Vault: how long one may take, what is tried again, and what a refusal means to people.

The SDK's own retries, bounded on purpose: TRIES, each at most TIMEOUTS long; a Retry-After is obeyed up to LONGEST_WAIT, and where the
vault asks for more the call fails at once: a collector that sleeps for an hour looks like one that hangs. Signing twice does no harm, so
a POST is repeated like a GET. No redirects are followed: a token goes to the vault that was named, and to no other host. Leaves out:
whether that host may be given a token at all (`shared.collect.clouds.vault_address`).

Sources: learn.microsoft.com/azure/key-vault/general, "Azure Key Vault REST API error codes" and "throttling guidance"; inner codes as
recorded in issues of Microsoft's SDKs (KeyDisabled, SecretDisabled, ForbiddenByRbac, ForbiddenByFirewall, ForbiddenByConnection).
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError
from azure.core.pipeline import PipelineResponse
from azure.core.pipeline.policies import RetryPolicy
from azure.core.pipeline.transport import RequestsTransport

from shared.errors import EvidenceError, Misuse, Unreachable

TRIES = 5
TIMEOUTS = (5.0, 15.0)
"""Seconds to connect, and of silence within an answer."""
FIRST_WAIT = 0.5
LONGEST_WAIT = 10.0
API_VERSION = "7.4"
"""Pinned: one that every cloud and Managed HSM has, whatever is the newest that the SDK knows."""
_METHODS = frozenset({"GET", "POST"})


class LocalCredential:
    """The token of the stand-in on loopback, which is no secret."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        """Always `local`."""
        return AccessToken("local", 4_102_444_800)  # the year 2100


@lru_cache(maxsize=4)
def login(authority: str) -> Any:
    """Whoever this process runs as, once a process: it keeps the tokens."""
    from azure.identity import DefaultAzureCredential

    logging.getLogger("azure").setLevel(logging.CRITICAL)  # its many lines about ways to log in that it tried: ours is one
    return DefaultAzureCredential(authority=authority, exclude_interactive_browser_credential=True)


class Patience(RetryPolicy):  # type: ignore[type-arg]
    """The SDK's retries, but for an answer that asks to wait longer than we will."""

    def is_retry(self, settings: dict[str, Any], response: PipelineResponse[Any, Any]) -> bool:
        """Whether to try again."""
        if (self.get_retry_after(response) or 0) > LONGEST_WAIT:
            return False
        return bool(super().is_retry(settings, response))


class LoopbackTransport(RequestsTransport):  # type: ignore[misc]
    """Speaks plain http with the stand-in on 127.0.0.1. The SDK gives tokens to https alone, so it is told https; nothing else is reached."""

    def send(self, request: Any, **options: Any) -> Any:
        """Send to loopback."""
        told = request.url
        if not told.startswith("https://127.0.0.1:"):
            raise Misuse("the stand-in of a vault is on 127.0.0.1 alone")
        try:
            request.url = "http" + told[len("https") :]
            return super().send(request, **options)
        finally:
            request.url = told


def client_options(*, loopback: bool, ca_file: str | None) -> dict[str, Any]:
    """What every client of a vault is made with."""
    session = requests.Session()
    session.trust_env = not loopback  # proxies of the environment
    transport = (LoopbackTransport if loopback else RequestsTransport)(
        session=session,
        session_owner=False,
        connection_timeout=TIMEOUTS[0],
        read_timeout=TIMEOUTS[1],
        connection_verify=ca_file or True,
    )
    again = TRIES - 1
    retries = Patience(
        retry_total=again, retry_connect=again, retry_read=again, retry_status=again, retry_backoff_factor=FIRST_WAIT, retry_backoff_max=LONGEST_WAIT
    )  # fmt: skip
    # Of a stand-in the challenge names a vault's audience, which 127.0.0.1 is not.
    return {
        "transport": transport, "retry_policy": retries, "permit_redirects": False, "verify_challenge_resource": not loopback,
        "api_version": API_VERSION,
    }  # fmt: skip


CALL: dict[str, Any] = {"retry_on_methods": _METHODS}
"""What every call is made with."""


@contextmanager
def explained(what: str, doing: str) -> Iterator[None]:
    """Turn what the SDK raises within into an error for people. `what`: the key or secret; `doing`: `sign`, `get`, `read`."""
    try:
        yield
    except AzureError as error:
        raise explain(error, what, doing) from None
    except ValueError as error:  # its policy for challenges: the vault named another host than its own
        reason = "a host that is not its own" if "challenge" in str(error) else "what cannot be read"
        raise Unreachable(f"{what}: the vault answered with {reason}: is it a Key Vault? No token was sent") from None


ROLES = {
    "sign": "the role Key Vault Crypto User (of a Managed HSM: Managed HSM Crypto User), or the key permission sign",
    "get": "the role Key Vault Crypto User (of a Managed HSM: Managed HSM Crypto User), or the key permission get",
    "read": "the role Key Vault Secrets User, or the secret permission get",
}
_UNUSABLE = {
    "KeyDisabled": "is disabled: enable it in the vault; to sign with another version, run `aoai-evidence key rotate` then",
    "KeyExpired": "has expired: move its expiry date in the vault (`az keyvault key set-attributes --expires`), then run `aoai-evidence key rotate`",
    "KeyNotYetValid": "is not valid yet (its activation date is to come): change that date in the vault",
    "SecretDisabled": "is disabled: enable it in the vault",
    "SecretExpired": "has expired: set a new version in the vault",
    "SecretNotYetValid": "is not valid yet (its activation date is to come): change that date in the vault",
}
_WALLS = frozenset({"ForbiddenByFirewall", "ForbiddenByConnection"})


def explain(error: AzureError, what: str, doing: str) -> EvidenceError:
    """What happened and what to do, in one line; never Azure's own message, which names people and addresses."""
    response = error.response if isinstance(error, HttpResponseError) else None
    if response is None:
        return _no_answer(error, what)
    status, (code, inner, message) = int(response.status_code or 0), _codes(response)
    if inner in _UNUSABLE:
        return Misuse(f"{what} {_UNUSABLE[inner]}")
    if status == 401:
        return Unreachable(f"{what}: the vault does not take this login: log in to the tenant it is in, and see EVIDENCE_CLOUD")
    if status == 403:
        return _refused(inner, message, what, doing)
    if status == 404:
        make = "put the private key there as PEM" if doing == "read" else "make it there (an EC key with the curve P-256)"
        return Misuse(f"there is no {what}: correct the address, or {make}")
    if status == 400 and doing == "sign":
        return Misuse(f"{what} does not {doing} as it must ({code or 400}): it must be an EC key with the curve P-256 that permits sign and verify")
    if status == 429:
        return Unreachable(f"{what}: the vault is throttled and stayed so ({TRIES} tries at most): run again later, nothing is lost")
    return Unreachable(f"{what}: the vault answers {status} {code}".rstrip() + ": run again later, nothing is lost")


def _codes(response: Any) -> tuple[str, str, str]:
    """Azure's code, the inner one that says more, and its message (to look for words in; it is not shown)."""
    try:
        said = json.loads(response.text())["error"]
        inner = said.get("innererror") or said.get("innerError") or {}
        return str(said.get("code") or ""), str(inner.get("code") or ""), str(said.get("message") or "")
    except (ValueError, KeyError, TypeError, AttributeError):
        return "", "", ""


def _refused(inner: str, message: str, what: str, doing: str) -> EvidenceError:
    if inner in _WALLS:
        return Unreachable(f"{what}: the vault refuses this network ({inner}): allow it in the vault's firewall, or use its private endpoint")
    for word, known in (("disabled", "Disabled"), ("expired", "Expired"), ("not yet valid", "NotYetValid")):
        if word in message:  # where the inner code is not one that was recorded
            return Misuse(f"{what} {_UNUSABLE[('Secret' if doing == 'read' else 'Key') + known]}")
    return Misuse(f"{what}: not allowed to {doing} ({inner or 403}): give this identity {ROLES[doing]}; a new role takes minutes to work")


def _no_answer(error: AzureError, what: str) -> EvidenceError:
    if isinstance(error, ClientAuthenticationError):
        return Unreachable(f"no login to Azure ({type(error).__name__}): run `az login`, or give this machine an identity")
    said = str(error)
    if "resolve" in said or "Name or service not known" in said:
        return Unreachable(f"{what}: there is no such vault (its name cannot be resolved): correct the address, or the network's DNS")
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return Unreachable(f"{what}: the vault's certificate is not trusted: name your network's authorities in REQUESTS_CA_BUNDLE")
    return Unreachable(f"{what}: no answer from the vault ({TRIES} tries): check network and proxy, and run again; nothing is lost")
