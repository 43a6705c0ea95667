"""Events of Azure's resources as Event Grid delivers them: one for each write, deletion or action that ended, at once, whatever the Activity Log shows.

Shape after learn.microsoft.com/azure/event-grid/event-schema-subscriptions: the subject is the id of what was changed, `data` has who did it
(claims of the token), the operation and the correlation that the Activity Log has too. Reads are no events.
"""

from datetime import datetime
from typing import Any

from infra.local.activity_log import Event
from infra.local.activity_shape import claims_of, correlation_of, provider_of
from infra.local.clock import stamp
from infra.local.ids import guid
from infra.local.world import World

Json = Any

_VERBS = {"write": "Write", "delete": "Delete", "action": "Action"}
_OUTCOMES = {"Succeeded": "Success", "Failed": "Failure"}


def resource_events(world: World, since: datetime, *, cloud: bool = True) -> list[Json]:
    """The events about accounts of Cognitive Services, and what lies in and at them, since then; in the schema of CloudEvents, or Event Grid's own."""
    with world.lock:
        ended = [event for subscription in world.subscriptions for event in world.activity.ended(subscription, since)]
    about = "/providers/microsoft.cognitiveservices/accounts/"
    return [_message(event, world.tenant, cloud=cloud) for event in ended if about in f"{event.operation.resource}/".lower()]


def _message(event: Event, tenant: str, *, cloud: bool) -> Json:
    operation = event.operation
    kind = f"Microsoft.Resources.Resource{_VERBS[operation.action.rpartition('/')[2]]}{_OUTCOMES[event.status]}"
    subscription = operation.resource.split("/")[2]
    data = {
        "authorization": {"scope": operation.resource, "action": operation.action, "evidence": {"role": "Contributor", "principalType": operation.actor.kind}},
        "claims": claims_of(operation.actor, tenant, operation.at),
        "correlationId": correlation_of(event),
        "httpRequest": {"clientRequestId": guid("client", operation.serial), "clientIpAddress": operation.actor.address, "method": operation.method,
                        "url": f"https://management.azure.com{operation.resource}"},
        "resourceProvider": provider_of(event),
        "resourceUri": operation.resource,
        "operationName": operation.action,
        "status": event.status,
        "subscriptionId": subscription,
        "tenantId": tenant,
    }  # fmt: skip
    common = {"id": guid("grid", operation.serial, event.status), "subject": operation.resource, "data": data}
    at = stamp(event.at, operation.serial)
    if cloud:
        return {"specversion": "1.0", "type": kind, "source": f"/subscriptions/{subscription}", "time": at, **common}
    return {"eventType": kind, "topic": f"/subscriptions/{subscription}", "eventTime": at, "dataVersion": "2", "metadataVersion": "1", **common}
