"""Every question the collector asks of Azure: one row each, and nothing is asked that has no row here.

A row says where the answer is, with which pinned api-version, which ARM action the identity needs for it (the least-privilege
role in infra/ and the README are tested against this column), which statements of the catalogue it serves, and in which
unit of work it is asked. Fields that are personal or secret are named per kind in `shared.privacy.fields`.

Sources: the operations of azure-mgmt-cognitiveservices 14.1.0 (a test compares URL and api-version with the SDK's own, where
it has the operation); Azure's REST reference for subscriptions, locations, diagnostic settings, role assignments and storage accounts.
"""

from dataclasses import dataclass
from typing import Literal

COGNITIVE = "2025-09-01"
"""The api-version pinned for Microsoft.CognitiveServices: the same account answers differently per version."""

STORAGE = "2025-06-01"
"""The same for Microsoft.Storage."""

Scope = Literal["tenant", "plan", "subscription", "account", "project", "store"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One question. `path` is appended to the ARM id of the resource it is asked about (empty for the tenant)."""

    kind: str
    scope: Scope
    """`tenant` and `plan` are asked while planning, and `store` of the account that holds the evidence; the others once for each resource."""
    path: str
    api_version: str
    action: str
    serves: tuple[str, ...]
    """Statements of the catalogue (S01…S36) that the answer speaks to; `collection` for the collection itself."""
    why: str
    query: str = ""
    """Further query parameters, already encoded."""
    foundry_only: bool = False
    """Asked of kind AIServices alone: kind OpenAI has no projects, connections or capability hosts."""
    is_list: bool = True

    def url(self, resource: str) -> str:
        """Path and query of the question about `resource`, relative to the ARM endpoint."""
        query = f"api-version={self.api_version}" + (f"&{self.query}" if self.query else "")
        return f"{resource}{self.path}?{query}"


_CS = "Microsoft.CognitiveServices"
_SA = "Microsoft.Storage/storageAccounts"
_EVIDENCE = "/blobServices/default/containers/evidence"

ENDPOINTS: tuple[Endpoint, ...] = (
    Endpoint("subscriptions", "tenant", "/subscriptions", "2022-12-01", "Microsoft.Resources/subscriptions/read",
             ("collection",), "which subscriptions the identity can see: the first half of the population"),
    Endpoint("accounts", "plan", f"/providers/{_CS}/accounts", COGNITIVE, f"{_CS}/accounts/read",
             ("S19", "S34", "collection"), "the accounts of a subscription: the population, and whether they agree"),
    Endpoint("locations", "subscription", "/locations", "2022-12-01", "Microsoft.Resources/subscriptions/locations/read",
             ("S15", "S17", "S19", "S31"), "region to geography, as Azure says it"),
    Endpoint("deletedAccounts", "subscription", f"/providers/{_CS}/deletedAccounts", COGNITIVE, f"{_CS}/deletedAccounts/read",
             ("S21",), "soft-deleted accounts: deleted, but their data is not gone yet"),
    Endpoint("subscriptionDiagnosticSettings", "subscription", "/providers/Microsoft.Insights/diagnosticSettings",
             "2021-05-01-preview", "Microsoft.Insights/diagnosticSettings/read", ("S21", "collection"),
             "whether the Activity Log is exported before Azure forgets it after 90 days"),
    Endpoint("account", "account", "", COGNITIVE, f"{_CS}/accounts/read",
             ("S01", "S13", "S15", "S19", "S20", "S26", "S29", "S30", "S31", "S32", "S33"),
             "what `az cognitiveservices account show` prints: capabilities, encryption, network, location", is_list=False),
    Endpoint("deployments", "account", "/deployments", COGNITIVE, f"{_CS}/accounts/deployments/read",
             ("S06", "S08", "S14", "S15", "S17", "S22", "S24"), "which models are served, where they process, which filter they use"),
    Endpoint("raiPolicies", "account", "/raiPolicies", COGNITIVE, f"{_CS}/accounts/raiPolicies/read",
             ("S14", "S27"), "content filters: categories, thresholds, blocking, mode"),
    Endpoint("raiBlocklists", "account", "/raiBlocklists", COGNITIVE, f"{_CS}/accounts/raiBlocklists/read",
             ("S14",), "blocklists the policies refer to (their words are never asked for)"),
    Endpoint("encryptionScopes", "account", "/encryptionScopes", COGNITIVE, f"{_CS}/accounts/encryptionScopes/read",
             ("S20",), "keys of single scopes within the account"),
    Endpoint("privateEndpointConnections", "account", "/privateEndpointConnections", COGNITIVE,
             f"{_CS}/accounts/privateEndpointConnections/read", ("S01", "S13"), "private network paths to the account"),
    Endpoint("networkSecurityPerimeterConfigurations", "account", "/networkSecurityPerimeterConfigurations", COGNITIVE,
             f"{_CS}/accounts/networkSecurityPerimeterConfigurations/read", ("S01", "S13"), "perimeter the account is in, and whether it is enforced"),
    Endpoint("defenderForAISettings", "account", "/defenderForAISettings", COGNITIVE, f"{_CS}/accounts/defenderForAISettings/read",
             ("S29",), "whether threat protection reads prompts in this account"),
    Endpoint("models", "account", "/models", COGNITIVE, f"{_CS}/accounts/models/read",
             ("S22", "S35"), "lifecycle of the models: preview, generally available, deprecated"),
    Endpoint("diagnosticSettings", "account", "/providers/Microsoft.Insights/diagnosticSettings", "2021-05-01-preview",
             "Microsoft.Insights/diagnosticSettings/read", ("S10", "S21", "S26"), "whether deletions of files and models would be logged"),
    Endpoint("roleAssignments", "account", "/providers/Microsoft.Authorization/roleAssignments", "2022-04-01",
             "Microsoft.Authorization/roleAssignments/read", ("S01", "S06"), "who holds rights at the account", query="$filter=atScope()"),
    Endpoint("projects", "account", "/projects", COGNITIVE, f"{_CS}/accounts/projects/read",
             ("S11", "S25"), "Foundry projects of the account", foundry_only=True),
    Endpoint("connections", "account", "/connections", COGNITIVE, f"{_CS}/accounts/connections/read",
             ("S11", "S18"), "resources the account is connected to (never their secrets)", foundry_only=True),
    Endpoint("capabilityHosts", "account", "/capabilityHosts", COGNITIVE, f"{_CS}/accounts/capabilityHosts/read",
             ("S10", "S18", "S25"), "where threads and vectors are stored", foundry_only=True),
    Endpoint("projectConnections", "project", "/connections", COGNITIVE, f"{_CS}/accounts/projects/connections/read",
             ("S11", "S18"), "resources a project is connected to (never their secrets)"),
    Endpoint("projectCapabilityHosts", "project", "/capabilityHosts", COGNITIVE, f"{_CS}/accounts/projects/capabilityHosts/read",
             ("S10", "S18", "S25"), "where a project's threads and vectors are stored"),
    Endpoint("storageAccount", "store", "", STORAGE, f"{_SA}/read",
             ("collection",), "the account that holds the evidence: shared keys, public access, TLS", is_list=False),
    Endpoint("blobService", "store", "/blobServices/default", STORAGE, f"{_SA}/blobServices/read",
             ("collection",), "its versioning and soft delete, which decide when erased values are gone", is_list=False),
    Endpoint("evidenceContainer", "store", _EVIDENCE, STORAGE, f"{_SA}/blobServices/containers/read",
             ("collection",), "the container of the evidence: public access, legal hold, immutability", is_list=False),
    Endpoint("evidenceImmutability", "store", f"{_EVIDENCE}/immutabilityPolicies/default", STORAGE,
             f"{_SA}/blobServices/containers/immutabilityPolicies/read",
             ("collection",), "its retention policy: how long, and whether it is locked", is_list=False),
)

BY_KIND: dict[str, Endpoint] = {endpoint.kind: endpoint for endpoint in ENDPOINTS}

TLS = "tls"
"""The one question that is not ARM's: a handshake with the account's own endpoint (`shared.collect.tls`)."""

ACCOUNT_KINDS = ("OpenAI", "AIServices")
"""Kinds of account that serve Azure OpenAI models; compared without regard to case."""


def questions() -> dict[str, list[str]]:
    """What is asked of each sort of unit, by name: sealed with every plan, so that a verifier can count the answers."""
    account = [e.kind for e in ENDPOINTS if e.scope == "account"]
    return {
        "subscription": [e.kind for e in ENDPOINTS if e.scope == "subscription"],
        "account:OpenAI": [kind for kind in account if not BY_KIND[kind].foundry_only] + [TLS],
        "account:AIServices": [*account, TLS],
        "project": [e.kind for e in ENDPOINTS if e.scope == "project"],
    }
