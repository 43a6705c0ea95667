"""Who may ask: Entra ID through App Service authentication, app roles checked for every route.

The platform puts the caller's claims into a header after it has checked the token, and strips that header from what comes from outside
(https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities). Where its authentication is off, anybody could
send the header: everything is refused then.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from functions.process import LOG, app, environment
from shared.service.limits import Limits, declared

READER = "Evidence.Reader"
OPERATOR = "Evidence.Operator"
"""May do all that a reader may, and ask for bundles."""

AUDITOR = "Evidence.Auditor"
"""Reads within the limits that EVIDENCE_AUDITORS declares for its holder, and nothing beyond them, whatever other roles they have."""

PRINCIPAL = "x-ms-client-principal"
_ROLE_CLAIMS = ("roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role")
_OBJECT_CLAIMS = ("http://schemas.microsoft.com/identity/claims/objectidentifier", "oid")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks."""

    object_id: str | None
    roles: frozenset[str]
    limits: Limits | None = None
    """What the caller's view is limited to; None where it is not."""

    def may(self, role: str) -> bool:
        """Whether the caller has the role, or the one above it."""
        return role in self.roles or (role == READER and OPERATOR in self.roles)


class Denied(Exception):
    """The request is refused; `status` is the HTTP status, the message is for the caller."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def caller(headers: Mapping[str, str], role: str, *, limited: bool = False) -> Caller:
    """Who asks, if they have the role. `limited`: whether what they ask for can be answered within limits.

    Raises:
        Denied: 503 where the platform's authentication is off, 401 without a caller, 403 without the role, or where a limited view does not
            include it, is declared for others or has expired.
        Misuse: the limits that are declared cannot be read.
    """
    if environment().get("WEBSITE_AUTH_ENABLED", "").strip().lower() != "true":
        LOG.error("refused: App Service authentication is off (WEBSITE_AUTH_ENABLED is not True): infra/main.bicep switches it on")
        raise Denied(503, "authentication is not switched on for this app: ask its operator")
    found = _principal(headers.get(PRINCIPAL) or "")  # names of headers have no case here: azure.functions sees to that
    if found is None:
        raise Denied(401, "log in with Entra ID")
    if AUDITOR in found.roles:
        return replace(found, limits=_limits(found, within=limited and role == READER))
    if not found.may(role):
        raise Denied(403, f"this needs the app role {role}: ask an administrator of the app registration to assign it")
    return found


def _limits(found: Caller, *, within: bool) -> Limits:
    """The limits of somebody's view, while it lasts."""
    if not within:
        raise Denied(403, f"a limited view ({AUDITOR}) does not include this: ask the operator of this app")
    now = app().now()
    limits = declared(app().settings.auditors, found.object_id, now)
    if limits is None:
        raise Denied(403, f"no view is declared for you, and {AUDITOR} alone shows nothing: ask the operator of this app (EVIDENCE_AUDITORS)")
    if over := limits.expired(now):
        raise Denied(403, over)
    return limits


def _principal(header: str) -> Caller | None:
    try:
        value: Any = json.loads(base64.b64decode(header, validate=True))
        claims = [(str(claim["typ"]), str(claim["val"])) for claim in value["claims"]]
        named = (str(value.get("role_typ") or "roles"), *_ROLE_CLAIMS)
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if value.get("auth_typ") != "aad":
        return None
    objects = [text for kind, text in claims if kind in _OBJECT_CLAIMS]
    return Caller(objects[0] if objects else None, frozenset(text for kind, text in claims if kind in named))
