"""An event of the Activity Log as its REST API gives it.

Shape after Microsoft's documented event (activity-log-schema, REST): localised pairs, seven digits, claims with names, addresses and e-mail,
`properties` of strings. Kept on purpose: ids with `resourcegroups` in lower case here and there, `operationName` in Azure's own casing whatever
the id's, a request's body as text, and no resource group on what happens outside any (purges, settings of a subscription).
"""

import json
from datetime import datetime
from typing import Any

from infra.local.activity_log import Event
from infra.local.authorship import Actor
from infra.local.clock import stamp
from infra.local.ids import guid, subscription_of

Json = Any

_EPOCH_TICKS = 621_355_968_000_000_000
_EVENT_NAMES = {"Started": ("BeginRequest", "Begin request"), "Accepted": ("EndRequest", "End request")}
_WORDS = {
    "Microsoft.CognitiveServices/accounts/write": "Create or update Cognitive Services account",
    "Microsoft.CognitiveServices/accounts/delete": "Delete Cognitive Services account",
    "Microsoft.CognitiveServices/accounts/listKeys/action": "List keys",
    "Microsoft.CognitiveServices/accounts/regenerateKey/action": "Regenerate key",
    "Microsoft.CognitiveServices/accounts/deployments/write": "Create or update deployment",
    "Microsoft.CognitiveServices/accounts/deployments/delete": "Delete deployment",
    "Microsoft.Authorization/roleAssignments/write": "Create role assignment",
    "Microsoft.Authorization/roleAssignments/delete": "Delete role assignment",
}
_SUB_STATUS = {
    "Started": ("", ""),
    "Accepted": ("Accepted", "Accepted (HTTP Status Code: 202)"),
    "Succeeded": ("OK", "OK (HTTP Status Code: 200)"),
    "Failed": ("Conflict", "Conflict (HTTP Status Code: 409)"),
}


def ticks(moment: datetime) -> int:
    """.NET's count of 100 ns since the year 1."""
    return _EPOCH_TICKS + round(moment.timestamp() * 1_000_000) * 10


def provider_of(event: Event) -> str:
    """The resource provider that an event is filed under: the last one in the id."""
    return event.operation.resource.rpartition("/providers/")[2].partition("/")[0]


def group_of(event: Event) -> str:
    """The resource group, empty outside any: the id of a purged account has its group behind the provider, where it is none."""
    parts = event.operation.resource.split("/")
    return parts[4] if len(parts) > 4 and parts[3].lower() == "resourcegroups" else ""


def correlation_of(event: Event) -> str:
    """What all events of an operation share."""
    return guid("correlation", event.operation.serial, event.operation.resource)


def event_body(event: Event, tenant: str) -> dict[str, Json]:
    """The event."""
    operation, tick = event.operation, event.operation.serial
    resource = operation.resource
    if tick % 3 == 0:
        resource = resource.replace("/resourceGroups/", "/resourcegroups/", 1)
    identity = guid("event", tick, event.status, operation.resource)
    kind = type_of(resource)
    when = stamp(event.at, tick)
    provider = provider_of(event)
    return {
        "authorization": {"action": operation.action, "scope": resource},
        "caller": operation.actor.name,
        "channels": "Operation",
        "claims": claims_of(operation.actor, tenant, operation.at),
        "correlationId": correlation_of(event),
        "description": "",
        "eventDataId": identity,
        "eventName": _pair(*_EVENT_NAMES.get(event.status, ("EndRequest", "End request"))),
        "category": _pair(operation.category),
        "eventTimestamp": when,
        "id": f"{resource}/events/{identity}/ticks/{ticks(event.at)}",
        "level": _level(event),
        "operationId": guid("operation", tick),
        "operationName": _pair(operation.action, _WORDS.get(operation.action)),
        "resourceGroupName": group_of(event),
        "resourceProviderName": _pair(provider),
        "resourceType": _pair(kind),
        "resourceId": resource,
        "status": _pair(event.status),
        "subStatus": _pair(*_SUB_STATUS[event.status]),
        "submissionTimestamp": stamp(event.visible, tick),
        "subscriptionId": subscription_of(resource) or "",
        "tenantId": tenant,
        "properties": _properties(event),
        "relatedEvents": [],
        "httpRequest": {
            "clientRequestId": guid("client", tick),
            "clientIpAddress": operation.actor.address,
            "method": operation.method,
        },
    }


def type_of(resource: str) -> str:
    """The type of a resource: provider and types of the last provider in its id."""
    parts = resource.rpartition("/providers/")[2].split("/")
    return "/".join((parts[0], *parts[1::2]))


def _level(event: Event) -> str:
    if event.operation.category == "Policy":
        return "Warning"
    return "Error" if event.status == "Failed" else "Informational"


def _pair(value: str, localized: str | None = None) -> dict[str, str]:
    return {"value": value, "localizedValue": localized or value}


def _properties(event: Event) -> dict[str, str]:
    operation = event.operation
    if operation.category == "Policy":
        policy = {
            "policyDefinitionName": guid("policy"),
            "policyDefinitionEffect": "audit",
            "policyAssignmentName": "Only private endpoints",
        }
        return {"isComplianceCheck": "False", "ancestors": "brightwater", "policies": json.dumps([policy]), "entity": operation.resource}
    shown = {"eventCategory": "Administrative", "entity": operation.resource, "message": operation.action}
    if event.status == "Started":
        return shown | ({"requestbody": operation.request} if operation.request else {})
    shown |= {"statusCode": _SUB_STATUS[event.status][0], "serviceRequestId": guid("service", operation.serial), "responseBody": ""}
    if event.status == "Failed":
        said = f"{operation.failed}: {operation.actor.name} cannot perform {operation.action}"
        shown["statusMessage"] = json.dumps({"error": {"code": operation.failed, "message": said}})
    return shown


def claims_of(actor: Actor, tenant: str, at: datetime) -> dict[str, str]:
    """Of the token that somebody called with."""
    moment = int(at.timestamp())
    shown = {
        "aud": "https://management.core.windows.net/",
        "iss": f"https://sts.windows.net/{tenant}/",
        "iat": str(moment),
        "nbf": str(moment),
        "exp": str(moment + 3600),
        "appid": guid("app", actor.kind),
        "ipaddr": actor.address,
        "http://schemas.microsoft.com/identity/claims/objectidentifier": actor.object_id,
        "http://schemas.microsoft.com/identity/claims/tenantid": tenant,
        "ver": "1.0",
    }
    if actor.kind != "User":
        return shown | {"idtyp": "app", "appidacr": "2"}
    given, _, rest = actor.name.partition("@")[0].partition(".")
    names = {
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/givenname": given.title(),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/surname": rest.title(),
        "name": f"{given} {rest}".title().strip(),
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/name": actor.name,
        "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/upn": actor.name,
        "puid": guid("puid", actor.name)[:16].replace("-", "").upper(),
        "http://schemas.microsoft.com/identity/claims/scope": "user_impersonation",
    }
    return shown | names
