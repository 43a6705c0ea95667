"""Who gets into the data plane of an account, and the refusals of those who do not.

Azure's wording as users report it (401 and 403 with a number for a code, `PermissionDenied`, `BadRequest`); the reports say 401 for a
missing data action. Messages name people and ids.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

from infra.local.ids import COGNITIVE
from infra.local.wire import Response

Json = Any


@dataclass(frozen=True, slots=True)
class Access:
    """What keeps a caller out of one account, beside its own properties."""

    inside: bool = False
    """Called from within the private network: publicNetworkAccess and networkAcls do not matter."""
    lacks: tuple[str, ...] = ()
    """Data actions that the caller's roles do not have (`files/read`); `*` for all."""
    lacking_status: int = 401
    """With which a missing data action is refused: users report 401; the documents would have 403."""
    keys_only: bool = False
    """No custom subdomain: no token is taken."""
    v1: bool = True
    """Serves `/openai/v1`."""
    dated: bool = True
    """Serves `/openai?api-version=`."""
    dead: bool = False
    """Answers 503 to everything."""

    def having(self, **changed: Any) -> Self:
        """The same with other fields."""
        return replace(self, **changed)


class DataError(Exception):
    """A request that the data plane refuses."""

    def __init__(self, status: int, code: str | None, message: str, headers: tuple[tuple[str, str], ...] = (), **more: Json) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.headers = headers
        self.error = {"code": code, "message": message, **more}

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        return Response(self.status, json.dumps({"error": self.error}, separators=(",", ":")).encode(), self.headers)


def unauthenticated() -> DataError:
    """401: neither token nor key."""
    message = (
        "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active "
        "subscription and use a correct regional API endpoint for your resource."
    )
    return DataError(401, "401", message)


def not_found(what: str = "Resource not found") -> DataError:
    """404: no such path, or no such api-version."""
    return DataError(404, "404", what)


def no_such_object(kind: str, identity: str) -> DataError:
    """404: the path is right, the object is not there."""
    return DataError(404, "notFound", f"No such {kind} object: {identity}", type="invalid_request_error", param="id")


def bad_version() -> DataError:
    """400: `/openai/v1` knows the versions v1 and preview alone."""
    return DataError(400, "BadRequest", "API version not supported")


def wrong(message: str, param: str, code: str | None = "invalidPayload") -> DataError:
    """400: a parameter that cannot be."""
    return DataError(400, code, message, type="invalid_request_error", param=param)


def throttled(retry_after: float = 1) -> DataError:
    """429."""
    said = f"Rate limit is exceeded. Try again in {retry_after:g} seconds."
    return DataError(429, "429", said, (("Retry-After", f"{retry_after:g}"),))


def retired(status: int) -> DataError:
    """The API of assistants, after its end."""
    said = "ENDPOINT RETIRED: the Assistants API was retired on August 26, 2026. See https://aka.ms/assistants-retirement"
    return DataError(status, "EndpointRetired", said)


def deployment_not_found() -> DataError:
    """404: the account is there, the deployment is not."""
    said = (
        "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, "
        "please wait a moment and try again."
    )
    return DataError(404, "DeploymentNotFound", said)


def check(properties: Mapping[str, Json], access: Access, *, token: bool, key: bool, action: str, principal: str, call: str) -> None:
    """Let a caller in. `action` is a data action after `…/OpenAI/`, `call` the method and template that a refusal names.

    Raises:
        DataError: it is not let in.
    """
    if access.dead:
        raise DataError(503, "ServiceUnavailable", "The service is temporarily unable to process your request. Please try again later.")
    if not access.inside:
        _check_network(properties)
    if not (token or key):
        raise unauthenticated()
    if key:
        if properties.get("disableLocalAuth") is True:
            raise DataError(403, "AuthenticationTypeDisabled", "Key based authentication is disabled for this resource.")
        return
    if access.keys_only or not properties.get("customSubDomainName"):
        said = "Please provide a custom subdomain for token authentication, otherwise API key is required."
        raise DataError(400, "BadRequest", said)
    if "*" in access.lacks or action in access.lacks:
        said = f"The principal `{principal}` lacks the required data action `{COGNITIVE}/accounts/OpenAI/{action}` to perform `{call}` operation."
        raise DataError(access.lacking_status, "PermissionDenied", said)


def _check_network(properties: Mapping[str, Json]) -> None:
    if str(properties.get("publicNetworkAccess", "")).lower() == "disabled":
        raise DataError(403, "403", "Public access is disabled. Please configure private endpoint.")
    if str((properties.get("networkAcls") or {}).get("defaultAction", "")).lower() == "deny":
        raise DataError(403, "403", "Access denied due to Virtual Network/Firewall rules.")
