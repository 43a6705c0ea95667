"""The bodies of what lies in an account: deployments, content filters, projects, connections and the rest.

Shapes after real answers (deployments, projects, connections), Microsoft's specification examples and the property names of
azure-mgmt-cognitiveservices 14.1.0. Kept on purpose: an odd key in a deployment's capabilities, a project's name with the account's in it,
`agentIdentity` which the SDK drops, connections with explicit nulls, no etag, and *secrets in `credentials`*, so that screening can be
shown to work. `etag` and `systemData` are put on by the world.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from infra.local.ids import COGNITIVE, account_name, guid
from infra.local.model_list import area

Json = Any
Body = dict[str, Json]

_VERSIONS = {
    "gpt-4o": "2024-11-20",
    "gpt-4o-mini": "2024-07-18",
    "gpt-4.1": "2025-04-14",
    "gpt-4.1-mini": "2025-04-14",
    "gpt-5": "2025-08-07",
    "o3-mini": "2025-01-31",
    "model-router": "2025-08-07",
    "text-embedding-3-large": "1",
    "text-embedding-3-small": "1",
}
"""The version deployed where none is named."""

_HARMS = ("Hate", "Sexual", "Violence", "Selfharm")
SYSTEM_POLICIES = ("Microsoft.Default", "Microsoft.DefaultV2")
"""Policies that every account shows without anybody making them."""


def child(parent: str, collection: str, name: str, properties: Mapping[str, Json], **more: Json) -> Body:
    """What all children share: an id under the parent's, and a type that follows from where it lies."""
    inner = "/projects" if "/projects/" in parent.lower() else ""
    return {
        "id": f"{parent}/{collection}/{name}",
        "name": name,
        "type": f"{COGNITIVE}/accounts{inner}/{collection}",
        **more,
        "properties": dict(properties),
    }


def deployment_body(
    account: str,
    name: str,
    *,
    model: str,
    version: str | None,
    sku: str,
    capacity: int,
    policy: str,
    location: str,
    properties: Mapping[str, Json] | None,
) -> Body:
    """A deployment. `properties` are set on top: spilloverDeploymentName, parentDeploymentName, routing, model, …"""
    embeds = "embedding" in model
    abilities = {"area": area(location), "embeddings" if embeds else "chatCompletion": "true"}
    if not embeds:
        abilities |= {"jsonObjectResponse": "true", "maxContextToken": "128000", "maxOutputToken": "16384", "responses": "true"}
    abilities["_H_azureml-throttling-key"] = f"oai-{guid(account, name).replace('-', '')}"
    shown: Body = {
        "model": {"format": "OpenAI", "name": model, "version": version or _VERSIONS.get(model, "1")},
        "versionUpgradeOption": "OnceNewDefaultVersionAvailable",
        "currentCapacity": capacity,
        "capabilities": abilities,
        "raiPolicyName": policy,
        "provisioningState": "Succeeded",
    }
    if "Provisioned" not in sku:
        shown["rateLimits"] = [
            {"key": "request", "renewalPeriod": 60, "count": capacity * 10},
            {"key": "token", "renewalPeriod": 60, "count": capacity * 1000},
        ]
    return child(account, "deployments", name, shown | dict(properties or {}), sku={"name": sku, "capacity": capacity})


def content_filters(
    threshold: str = "Medium",
    *,
    blocking: bool = True,
    enabled: bool = True,
    jailbreak: bool = True,
    indirect: bool = False,
    code: bool = True,
) -> list[Json]:
    """Filters of a policy: the four harms on prompt and completion at one `threshold` (Low is the strictest), and the others.

    Filters without severities have no `severityThreshold` key. Names are spelled as one api-version does; others differ.
    """
    filters: list[Json] = [
        {"name": harm, "severityThreshold": threshold, "blocking": blocking, "enabled": enabled, "source": source}
        for harm in _HARMS
        for source in ("Prompt", "Completion")
    ]
    filters.append({"name": "Jailbreak", "blocking": jailbreak, "enabled": jailbreak, "source": "Prompt"})
    if indirect:
        filters.append({"name": "Indirect Attack", "blocking": True, "enabled": True, "source": "Prompt"})
    filters.append({"name": "Protected Material Text", "blocking": True, "enabled": True, "source": "Completion"})
    filters.append({"name": "Protected Material Code", "blocking": False, "enabled": code, "source": "Completion"})
    return filters


def policy_body(account: str, name: str, filters: Sequence[Json], *, mode: str, base: str, blocklists: Sequence[str] = ()) -> Body:
    """A content filter policy; the provider's own are those whose name begins with `Microsoft.`"""
    managed = "SystemManaged" if name.startswith("Microsoft.") else "UserManaged"
    shown: Body = {"mode": mode, "basePolicyName": base, "type": managed, "contentFilters": list(filters)}
    if managed == "SystemManaged":
        del shown["basePolicyName"]
    else:
        names = [(blocklist, source) for blocklist in blocklists for source in ("Prompt", "Completion")]
        shown["customBlocklists"] = [{"blocklistName": n, "blocking": True, "source": source} for n, source in names]
    return child(account, "raiPolicies", name, shown)


def system_policy_body(account: str, name: str) -> Body:
    """A policy of the provider's own; Microsoft.Default is the older and has no filters beyond the harms and jailbreak."""
    filters = content_filters()
    return policy_body(account, name, filters if name == "Microsoft.DefaultV2" else filters[:9], mode="Blocking", base="")


def defender_body(account: str, state: str) -> Body:
    """Threat protection that reads prompts; `state` is Enabled or Disabled."""
    return child(account, "defenderForAISettings", "Default", {"state": state})


def project_body(account: str, name: str, *, location: str, tenant: str, display: str, default: bool) -> Body:
    """A Foundry project. Its `name` is `account/project`, its id ends in the project's alone."""
    host = account_name(account).name
    shown = {
        "displayName": display,
        "endpoints": {"AI Foundry API": f"https://{host.lower()}.services.ai.azure.com/api/projects/{name}"},
        "agentIdentity": {"agentIdentityId": guid(account, name, "agent"), "agentIdentityBlueprintId": guid(account, name, "blueprint")},
        "isDefault": default,
        "internalId": guid(account, name, "internal").replace("-", ""),
        "provisioningState": "Succeeded",
    }
    identity = {"principalId": guid(account, name, "principal"), "tenantId": tenant, "type": "SystemAssigned"}
    body = child(account, "projects", name, shown, location=location, kind="AIServices", identity=identity)
    return body | {"name": f"{host}/{name}"}


def connection_body(
    parent: str,
    name: str,
    *,
    category: str,
    target: str,
    auth: str,
    credentials: Mapping[str, Json] | None,
    metadata: Mapping[str, str] | None,
    shared: bool,
) -> Body:
    """A connection of an account or project. Azure is not known to show `credentials` in a list; the stand-in does: never kinder."""
    shown: Body = {
        "authType": auth,
        "group": "AzureAI",
        "category": category,
        "expiryTime": None,
        "target": target,
        "useWorkspaceManagedIdentity": False,
        "isSharedToAll": shared,
        "sharedUserList": [],
        "peRequirement": "NotRequired",
        "peStatus": "NotApplicable",
        "error": None,
        "isDefault": False,
        "metadata": dict(metadata or {}),
    }
    if credentials is not None:
        shown["credentials"] = dict(credentials)
    return {"tags": None, "location": None, **child(parent, "connections", name, shown)}


def capability_host_body(parent: str, name: str, properties: Mapping[str, Json]) -> Body:
    """Where threads, files and vectors of agents are kept: `storageConnections`, `threadStorageConnections`, `vectorStoreConnections`."""
    return child(parent, "capabilityHosts", name, {"capabilityHostKind": "Agents", "provisioningState": "Succeeded", **properties})


def encryption_scope_body(account: str, name: str, *, vault: str, key: str, version: str) -> Body:
    """A scope with a key of its own."""
    key_vault = {"keyVaultUri": vault, "keyName": key, "keyVersion": version}
    shown = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": key_vault, "state": "Enabled", "provisioningState": "Succeeded"}
    return child(account, "encryptionScopes", name, shown)


def private_endpoint_body(account: str, name: str, *, status: str) -> Body:
    """A private endpoint connection. The endpoint itself belongs to the network team's resource group."""
    subscription = account_name(account).subscription
    endpoint = f"/subscriptions/{subscription}/resourceGroups/rg-network/providers/Microsoft.Network/privateEndpoints/{name}"
    state = {"status": status, "description": "Auto-Approved" if status == "Approved" else "", "actionsRequired": "None"}
    shown = {
        "privateEndpoint": {"id": endpoint},
        "groupIds": ["account"],
        "privateLinkServiceConnectionState": state,
        "provisioningState": "Succeeded",
    }
    return child(account, "privateEndpointConnections", f"{name}.{guid(account, name)}", shown)


def perimeter_body(account: str, perimeter: str, *, mode: str, location: str) -> Body:
    """The network security perimeter an account is associated with; `mode` is Enforced, Learning or Audit."""
    subscription = account_name(account).subscription
    where = f"/subscriptions/{subscription}/resourceGroups/rg-network/providers/Microsoft.Network/networkSecurityPerimeters/{perimeter}"
    key = guid(perimeter, "perimeter")
    shown = {
        "provisioningState": "Succeeded",
        "networkSecurityPerimeter": {"id": where, "perimeterGuid": key, "location": location},
        "resourceAssociation": {"name": "cognitive-services", "accessMode": mode},
        "profile": {"name": "default", "accessRulesVersion": "1", "accessRules": [], "diagnosticSettingsVersion": "1"},
        "provisioningIssues": [],
    }
    return child(account, "networkSecurityPerimeterConfigurations", f"{key}.cognitive-services", shown)
