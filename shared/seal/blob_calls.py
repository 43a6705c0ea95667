"""Calls to a storage account: how long one may take, what is tried again, and what a refusal means to people.

The SDK's own retries are off: they know no Retry-After, and whoever creates a blob must know that an answer was lost. Waiting is
bounded: ATTEMPTS tries, each at most TIMEOUTS long, and no single wait above LONGEST_WAIT. Leaves out: what an expected refusal
(a name that is taken, a blob that is not there) means, which only the caller knows.

Sources: learn.microsoft.com/rest/api/storageservices, "Common REST API error codes", "Azure Blob Storage error codes", "Put Blob".
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

from shared.errors import EvidenceError, Misuse, Unreachable

T = TypeVar("T")

ATTEMPTS = 6
TIMEOUTS = (10.0, 30.0)
"""Seconds to connect, and of silence within an answer."""
LONGEST_WAIT = 30.0
_FIRST_WAIT = 0.5
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})

Sleep = Callable[[float], None]


def code_of(error: AzureError) -> tuple[int, str]:
    """HTTP status and Azure's error code; 0 and nothing where no answer came."""
    response = error.response if isinstance(error, HttpResponseError) else None
    return (int(response.status_code or 0) if response is not None else 0), _header(error, "x-ms-error-code")


def _header(error: AzureError, name: str) -> str:
    return str(getattr(getattr(error, "response", None), "headers", {}).get(name) or "")


class Attempts:
    """Tries one call, again where that can help. `repeated`: an earlier try may have been carried out although its answer was lost."""

    def __init__(self, sleep: Sleep = time.sleep) -> None:
        self._sleep = sleep
        self.repeated = False

    def run(self, action: Callable[[], T]) -> T:
        """The result of `action`.

        Raises:
            AzureError: an answer that asking again does not change, or the last of several that might have.
        """
        for number in range(ATTEMPTS):
            try:
                return action()
            except AzureError as error:
                if number == ATTEMPTS - 1 or not _worth_repeating(error):
                    raise
                wait = _wait(error, number)
            self.repeated = True
            self._sleep(wait)
        raise AssertionError


def _worth_repeating(error: AzureError) -> bool:
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return False  # nobody is logged in: no storage account was asked
    status, _ = code_of(error)
    return status in _AGAIN or status < 400  # no answer, or half of one


def _wait(error: AzureError, number: int) -> float:
    """What Retry-After asks for (seconds or, of some front ends, milliseconds), else twice as long each time."""
    for name, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        text = _header(error, name)
        if text.isascii() and text.isdigit():
            return min(int(text) * unit, LONGEST_WAIT)
    return min(_FIRST_WAIT * 2.0**number, LONGEST_WAIT)


@contextmanager
def explained(account: str, container: str, doing: str) -> Iterator[None]:
    """Turn what Azure's SDK raises within into an error for people. `doing`: `read`, `add to`, `write to`, `delete from`, …"""
    try:
        yield
    except AzureError as error:
        raise explain(error, account, container, doing) from None


ROLES = {
    "read": "Storage Blob Data Reader",
    "add to": "the role of infra/ that may add evidence (blobs/read and blobs/add/action)",
    "create": "Storage Blob Data Contributor, or let infra/ make the containers",
    "link to": "Storage Blob Delegator",
    "hold": "Storage Blob Data Owner, for as long as it takes (docs/deploy.md, \"Hold\")",
}
_NO_ROLE = frozenset({"AuthorizationPermissionMismatch", "InsufficientAccountPermissions", "UnauthorizedBlobOverwrite"})
_CONTAINER_GONE = frozenset({"ContainerNotFound", "ContainerBeingDeleted"})
_KEPT = frozenset({"BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"})


def explain(error: AzureError, account: str, container: str, doing: str) -> EvidenceError:
    """What happened and what to do, in one line; never Azure's own message, which may hold anything."""
    status, code = code_of(error)
    if status < 400:
        return _no_answer(error, account)
    if status == 401:
        return Unreachable(f"{account} does not take this login ({code or status}): log in to the tenant it is in, and see EVIDENCE_CLOUD")
    if status == 403:
        return _refused(code, account, container, doing)
    if status == 404 and code in _CONTAINER_GONE:
        return Misuse(f"{account} has no container {container}: make the store with `aoai-evidence init`, or name another with --store")
    if code in _KEPT:
        return Misuse(
            f"{container} of {account} is under a retention policy or legal hold ({code}): only evidence may be; take it off {container}"
        )
    if status in _AGAIN or code in _CONTAINER_GONE:
        return Unreachable(f"{account} is busy or out of order ({status} {code}, {ATTEMPTS} tries): run again later, nothing is lost")
    return Unreachable(f"cannot {doing} {container} of {account}: {status} {code}".rstrip())


def _refused(code: str, account: str, container: str, doing: str) -> EvidenceError:
    if code in _NO_ROLE:
        role = ROLES.get(doing, "Storage Blob Data Contributor")
        return Unreachable(f"not allowed to {doing} {container} of {account} ({code}): give this identity {role} there")
    if code == "KeyBasedAuthenticationNotPermitted":
        return Unreachable(f"{account} takes no shared keys ({code}): log in with an identity")
    if code == "AuthenticationFailed":
        return Unreachable(f"{account} does not take this login ({code}): log in again, and set this machine's clock")
    return Unreachable(
        f"{account} refuses this network or identity ({code or 403}): allow it in the account's firewall, or use its private endpoint"
    )


def _no_answer(error: AzureError, account: str) -> EvidenceError:
    if isinstance(error, ClientAuthenticationError):
        return Unreachable(f"no login to Azure ({type(error).__name__}): run `az login`, or give this machine an identity")
    said = str(error)
    if "resolve" in said or "Name or service not known" in said:
        return Unreachable(f"there is no {account} (the name cannot be resolved): correct EVIDENCE_STORE, or the network's DNS")
    if "CERTIFICATE_VERIFY_FAILED" in said:
        return Unreachable(f"the certificate of {account} is not trusted: name your network's authorities in REQUESTS_CA_BUNDLE")
    return Unreachable(f"no answer from {account} ({ATTEMPTS} tries): check network and proxy, and run again; nothing is lost")
