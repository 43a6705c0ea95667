"""The bodies of what other providers hang on a scope: diagnostic settings and role assignments; and of subscriptions.

Shapes after real answers of Microsoft.Insights (2017-05-01-preview; of 2021-05-01-preview only the models are known) and
Azure's REST reference for Microsoft.Authorization. Kept on purpose: explicit nulls, `category` xor `categoryGroup`, lower-case ids on
resources, and an id *without* its leading slash at subscriptions.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from infra.local.clock import stamp
from infra.local.ids import AUTHORIZATION, INSIGHTS, guid

Json = Any
Body = dict[str, Json]

ROLES = {
    "Owner": "8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Cognitive Services User": "a97b65f3-24c7-4388-baec-2e87135dc908",
    "Cognitive Services OpenAI User": "5e0bd9bd-7b93-4f28-af87-19fc36ad61bd",
    "Cognitive Services OpenAI Contributor": "a001fd3d-188f-4b5d-821b-7da978bf7442",
    "Cognitive Services Data Reader": "b59867f0-fa02-499b-be73-45a86b5b3e1c",
}
"""Built-in roles by name: their ids are the same in every tenant."""

_NO_RETENTION = {"enabled": False, "days": 0}


def log_switches(logs: Sequence[str]) -> list[Json]:
    """`logs` of a setting. Groups are `audit` and `allLogs`; any other word is a category; a leading `-` means listed but off."""
    switches: list[Json] = []
    for word in logs:
        name = word.removeprefix("-")
        group = name in ("audit", "allLogs")
        switches.append(
            {
                "category": None if group else name,
                "categoryGroup": name if group else None,
                "enabled": not word.startswith("-"),
                "retentionPolicy": dict(_NO_RETENTION),
            }
        )
    return switches


def diagnostic_setting_body(resource: str, name: str, *, logs: Sequence[str], workspace: str | None, storage: str | None) -> Body:
    """A diagnostic setting of a resource: every destination it does not use is an explicit null."""
    return {
        "id": f"{resource.lower()}/providers/{INSIGHTS}/diagnosticSettings/{name}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": name,
        "location": None,
        "kind": None,
        "tags": None,
        "properties": {
            "storageAccountId": storage,
            "serviceBusRuleId": None,
            "workspaceId": workspace,
            "eventHubAuthorizationRuleId": None,
            "eventHubName": None,
            "marketplacePartnerId": None,
            "metrics": [{"category": "AllMetrics", "enabled": False, "retentionPolicy": dict(_NO_RETENTION)}],
            "logs": log_switches(logs),
            "logAnalyticsDestinationType": None,
        },
        "identity": None,
    }


def activity_export_body(subscription: str, name: str, *, logs: Sequence[str], workspace: str | None) -> Body:
    """A diagnostic setting of a subscription: exports its Activity Log. `subscription` is the GUID."""
    return {
        "id": f"subscriptions/{subscription}/providers/{INSIGHTS}/diagnosticSettings/{name}",
        "type": "Microsoft.Insights/diagnosticSettings",
        "name": name,
        "location": "global",
        "properties": {
            "workspaceId": workspace,
            "logs": [{"category": word.removeprefix("-"), "enabled": word[0] != "-", "categoryGroup": None} for word in logs],
        },
    }


def role_assignment_body(scope: str, role: str, principal: str, *, sort: str, moment: datetime, by: str, subscription: str) -> Body:
    """A role assignment at `scope`. `role` is a name out of `ROLES` or a GUID; principals are object ids, `by` too."""
    name, at = guid(scope, role, principal), stamp(moment)
    definition = f"{AUTHORIZATION}/roleDefinitions/{ROLES.get(role, role)}"
    return {
        "properties": {
            "roleDefinitionId": f"/subscriptions/{subscription}/providers/{definition}" if subscription else f"/providers/{definition}",
            "principalId": principal,
            "principalType": sort,
            "scope": scope,
            "condition": None,
            "conditionVersion": None,
            "createdOn": at,
            "updatedOn": at,
            "createdBy": by,
            "updatedBy": by,
            "delegatedManagedIdentityResourceId": None,
            "description": None,
        },
        "id": f"{scope}/providers/{AUTHORIZATION}/roleAssignments/{name}",
        "type": f"{AUTHORIZATION}/roleAssignments",
        "name": name,
    }


def subscription_body(guid_: str, name: str, tenant: str, state: str) -> Body:
    """A row of `GET /subscriptions?api-version=2022-12-01`."""
    return {
        "id": f"/subscriptions/{guid_}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": guid_,
        "tenantId": tenant,
        "displayName": name,
        "state": state,
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "EnterpriseAgreement_2014-09-01",
            "spendingLimit": "Off",
        },
    }
