"""Azure Resource Manager's refusals: status, code and wording, as JSON `{"error":{"code","message"}}`.

Wording after Azure's troubleshooting pages and what its tools print. Messages name people and ids: they are personal data, which
is why the collector keeps the code alone.
"""

import json
from typing import Any

from infra.local.wire import Response

Json = Any

CLIENT = "ida.sorensen@brightwater.example"
"""The person that a 403 names where a test names nobody."""
_CLIENT_ID = "3d0a7f0e-57a1-4a5c-9a57-0f5b3c1d2e4f"


class ArmError(Exception):
    """A request that Azure refuses. `headers` go beyond those of every answer."""

    def __init__(self, status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = (), **more: Json) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers
        self.more = more

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        error = {"code": self.code, "message": self.message, **self.more}
        return Response(self.status, json.dumps({"error": error}, separators=(",", ":")).encode(), self.headers)


def unauthenticated(tenant: str) -> ArmError:
    """401: no token. The challenge names the authority to ask."""
    challenge = (
        f'Bearer authorization_uri="https://login.microsoftonline.com/{tenant}", error="invalid_token", '
        "error_description=\"The authentication failed because of missing 'Authorization' header.\""
    )
    message = "Authentication failed. The 'Authorization' header is missing."
    return ArmError(401, "AuthenticationFailed", message, (("WWW-Authenticate", challenge),))


def expired_token(expired: str, now: str) -> ArmError:
    """401: the token was good once."""
    challenge = (
        'Bearer authorization_uri="https://login.microsoftonline.com/common", error="invalid_token", '
        'error_description="The access token is expired."'
    )
    message = f"The access token expiry UTC time '{expired}' is earlier than current UTC time '{now}'."
    return ArmError(401, "ExpiredAuthenticationToken", message, (("WWW-Authenticate", challenge),))


def authorization_failed(action: str, scope: str, client: str = CLIENT) -> ArmError:
    """403: the message names the caller, as Azure does."""
    message = (
        f"The client '{client}' with object id '{_CLIENT_ID}' does not have authorization to perform action '{action}' over scope "
        f"'{scope}' or the scope is invalid. If access was recently granted, please refresh your credentials."
    )
    return ArmError(403, "AuthorizationFailed", message)


def missing_api_version() -> ArmError:
    """400: every ARM request names its version."""
    return ArmError(400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required for all requests.")


def unsupported_api_version(kind: str, version: str, supported: list[str]) -> ArmError:
    """400: a version that the resource type does not have."""
    message = (
        f"No registered resource provider found for API version '{version}' for type '{kind}'. "
        f"The supported api-versions are '{', '.join(supported)}'."
    )
    return ArmError(400, "NoRegisteredProviderFound", message)


def subscription_not_found(subscription: str) -> ArmError:
    """404, also for a subscription the caller has no rights in."""
    return ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def group_not_found(group: str) -> ArmError:
    """404: no such resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{group}' could not be found.")


def resource_not_found(kind: str, group: str) -> ArmError:
    """404: no such resource. `kind` is type and name, `Microsoft.CognitiveServices/accounts/x`."""
    message = (
        f"The Resource '{kind}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix"
    )
    return ArmError(404, "ResourceNotFound", message)


def parent_not_found(kind: str, parent: str) -> ArmError:
    """404 for what would lie in something that is not there."""
    message = f"Failed to perform 'read' on resource(s) of type '{kind}', because the parent resource '{parent}' could not be found."
    return ArmError(404, "ParentResourceNotFound", message)


def unknown_path(path: str) -> ArmError:
    """404 for what is no resource type at all."""
    return ArmError(404, "InvalidResourceType", f"The resource type could not be found for path '{path}'.")


def method_not_allowed(method: str) -> ArmError:
    """405. The stand-in refuses every write, whether Azure would or not: the collector only looks."""
    return ArmError(405, "HttpMethodNotSupported", f"The http method '{method}' is not supported for this resource.", (("Allow", "GET"),))


def not_registered(namespace: str) -> ArmError:
    """409: the subscription never used the provider. SDKs answer this with a POST …/register: a write."""
    message = (
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions."
    )
    detail = {"code": "MissingSubscriptionRegistration", "target": namespace, "message": message}
    return ArmError(409, "MissingSubscriptionRegistration", message, details=[detail])


def gone(path: str) -> ArmError:
    """410."""
    return ArmError(410, "ResourceGone", f"The resource '{path}' is gone and will not be available again.")


def throttled(subscription: str | None, retry_after: str | None) -> ArmError:
    """429: the token bucket of a subscription (or of the tenant) is empty."""
    scope = f"subscription '{subscription}'" if subscription else "tenant"
    message = (
        f"Number of 'read' requests for {scope} actor '{_CLIENT_ID}' exceeded. Please try again after '{retry_after or 1}' seconds after "
        "additional tokens are available. Refer to https://aka.ms/arm-throttling for additional information."
    )
    code = "SubscriptionRequestsThrottled" if subscription else "TenantRequestsThrottled"
    return ArmError(429, code, message, () if retry_after is None else (("Retry-After", retry_after),))


def server_error(status: int, retry_after: str | None) -> ArmError:
    """500, 503 and their like, from Azure itself."""
    code = {500: "InternalServerError", 503: "ServiceUnavailable", 504: "GatewayTimeout"}.get(status, "ServerError")
    message = "The server encountered an error processing the request. Please try again later."
    return ArmError(status, code, message, () if retry_after is None else (("Retry-After", retry_after),))
