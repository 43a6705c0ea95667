"""The bodies of a storage account and what lies in it, as Microsoft.Storage gives them: account, blob service, a container, its policy.

Shapes after azure-mgmt-storage 25.3.0 and Microsoft's specification examples. Kept on purpose: a container without a policy answers for
its policy with 0 days and `Unlocked`, and `updateHistory` carries the user name of who changed it.
"""

from typing import Any

from infra.local.resources import Body
from infra.local.world import World

Json = Any

STORAGE = "Microsoft.Storage"


def put_evidence_account(
    world: World,
    subscription: str,
    group: str = "rg",
    name: str = "evidence01",
    *,
    state: str | None = "Locked",
    days: int = 400,
    **properties: Json,
) -> str:
    """Put a storage account with a container `evidence` into the world; return its id. `state` None: no policy. `properties`: of the account."""
    account = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{STORAGE}/storageAccounts/{name}"
    service, container = f"{account}/blobServices/default", f"{account}/blobServices/default/containers/evidence"
    shown = {
        "allowBlobPublicAccess": False,
        "allowSharedKeyAccess": False,
        "minimumTlsVersion": "TLS1_2",
        "supportsHttpsTrafficOnly": True,
    } | properties
    policy = _policy(state, days)
    bodies: dict[str, Body] = {
        account: _body(account, "", name, shown | {"provisioningState": "Succeeded", "publicNetworkAccess": "Enabled"})
        | {"sku": {"name": "Standard_ZRS", "tier": "Standard"}, "kind": "StorageV2", "location": "swedencentral", "tags": {}},
        service: _body(
            service, "/blobServices", "default", {"isVersioningEnabled": True, "deleteRetentionPolicy": {"enabled": True, "days": 7}}
        ),
        container: _body(
            container,
            "/blobServices/containers",
            "evidence",
            {
                "publicAccess": "None",
                "leaseStatus": "Unlocked",
                "hasImmutabilityPolicy": state is not None,
                "hasLegalHold": False,
                "immutableStorageWithVersioning": {"enabled": True},
            },
        ),
        f"{container}/immutabilityPolicies/default": _body(
            f"{container}/immutabilityPolicies/default", "/blobServices/containers/immutabilityPolicies", "default", policy
        ),
    }
    with world.changing():
        for resource, body in bodies.items():
            world.resources.put(resource, body)
    return account


def _body(resource: str, inner: str, name: str, properties: Json) -> Body:
    return {"id": resource, "name": name, "type": f"{STORAGE}/storageAccounts{inner}", "properties": properties}


def _policy(state: str | None, days: int) -> Json:
    if state is None:
        return {"immutabilityPeriodSinceCreationInDays": 0, "state": "Unlocked"}
    history = [{"update": "lock" if state == "Locked" else "put", "immutabilityPeriodSinceCreationInDays": days, "timestamp": "2026-10-01T08:00:00.0000000Z",
                "objectIdentifier": "5f0a1f0e-0000-0000-0000-000000000001", "tenantId": "5f0a1f0e-0000-0000-0000-000000000002",
                "upn": "keeper@example.com"}]  # fmt: skip
    return {"immutabilityPeriodSinceCreationInDays": days, "allowProtectedAppendWrites": False, "state": state, "updateHistory": history}
