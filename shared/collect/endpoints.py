"""Every question the collector asks of Azure: one row each, and nothing is asked that has no row here.

A row says where the answer is, with which pinned api-version, which action the identity needs for it (the least-privilege
roles in infra/ and the README are tested against this column), which statements of the catalogue it serves, and in which
unit of work it is asked. Fields that are personal or secret are named per kind in `shared.privacy.fields`, those of the data plane that
may stay in `shared.privacy.allowed`.

Nothing here returns content: no content of files, no messages, completions or items of evaluations (a test looks for such paths). Kinds
that Azure does not list (threads, responses, conversations), or whose list is what users wrote (stored completions, evaluations), have no
row on purpose.

Sources: the operations of azure-mgmt-cognitiveservices 14.1.0 (a test compares URL and api-version with the SDK's own, where
it has the operation); Azure's REST reference for subscriptions, locations, diagnostic settings, role assignments, storage accounts and the
Activity Log; of the data plane, learn.microsoft.com/azure/foundry/reference/rest (v1) and azure-rest-api-specs, AzureOpenAI/authoring
(dated); data actions as built-in roles and the provider's permission list name them, those of `UNVERIFIED` apart.
"""

from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote

from shared.collect.windows import Window

COGNITIVE = "2025-09-01"
"""The api-version pinned for Microsoft.CognitiveServices: the same account answers differently per version."""

STORAGE = "2025-06-01"
"""The same for Microsoft.Storage."""

DATED = "2024-10-21"
"""The newest dated api-version of the data plane that is no preview."""

PREVIEW = "2025-04-01-preview"
"""The last dated one with assistants and vector stores."""

V1 = "v1"
"""In place of an api-version: the generation of the data plane that has none."""

Scope = Literal["tenant", "plan", "subscription", "account", "project", "store", "data", "fineTuningJob", "vectorStore", "workspace"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One question. `path` is appended to the ARM id of the resource it is asked about (empty for the tenant).

    Of the data plane, `path` is appended to the account's own endpoint, and `dated` is asked where `path` is answered with 404.
    """

    kind: str
    scope: Scope
    """`tenant` and `plan` are asked while planning, and `store` of the account that holds the evidence; the others once for each resource.
    `data` is asked of an account's own endpoint, `fineTuningJob` and `vectorStore` there of each that was listed, `workspace` of each Log
    Analytics workspace that holds an account's logs."""
    path: str
    api_version: str
    action: str
    """ARM action; of the data plane a data action."""
    serves: tuple[str, ...]
    """Statements of the catalogue (S01…S36) that the answer speaks to; `collection` for the collection itself."""
    why: str
    query: str = ""
    """Further query parameters, already encoded."""
    foundry_only: bool = False
    """Asked of kind AIServices alone: kind OpenAI has no projects, connections or capability hosts."""
    is_list: bool = True
    dated: str = ""
    """Path and query in the dated generation of the data plane; empty: it has none."""
    also: tuple[str, ...] = ()
    """Further actions, where Azure's documents leave open which of them it asks for."""

    def url(self, resource: str, window: Window | None = None) -> str:
        """Path and query of the question about `resource`, relative to the ARM endpoint."""
        query = f"api-version={self.api_version}" + (f"&{self.query}" if self.query else "")
        if window is not None:
            query = query.replace("{from}", window.start).replace("{to}", window.end)
        return f"{resource}{self.path}?{query}"

    def addresses(self, base: str, identifier: str = "") -> tuple[str, ...]:
        """Of the data plane: the question about the account, or its object `identifier`, at `base`, in each generation that has it."""
        version = "" if self.api_version == V1 else f"api-version={self.api_version}"
        query = "&".join(part for part in (version, self.query) if part)
        asked = (f"{self.path}?{query}" if query else self.path, self.dated)
        return tuple(base + text.replace("{id}", quote(identifier, safe="")) for text in asked if text)


_CS = "Microsoft.CognitiveServices"
_OPENAI = f"{_CS}/accounts/OpenAI"
_EVENTS = "/providers/Microsoft.Insights/eventtypes/management/values"
_EVENTS_READ = "Microsoft.Insights/eventtypes/values/read"
_LOGS_READ = "Microsoft.OperationalInsights/workspaces/query/read"


def _events(provider: str) -> str:
    """The filter of the Activity Log, which takes times and one thing more (azure-mgmt-monitor, `ActivityLogsOperations.list`)."""
    return (
        "$filter=eventTimestamp%20ge%20%27{from}%27%20and%20eventTimestamp%20le%20%27{to}%27"
        f"%20and%20resourceProvider%20eq%20%27{provider}%27"
    )


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
    Endpoint("activityLog", "subscription", _EVENTS, "2015-04-01", _EVENTS_READ,
             ("S21", "S23"), "who created, changed, deleted and purged accounts and deployments, and who listed keys", query=_events(_CS)),
    Endpoint("activityLogInsights", "subscription", _EVENTS, "2015-04-01", _EVENTS_READ,
             ("S21", "collection"), "who switched the logging of an account on or off", query=_events("Microsoft.Insights")),
    Endpoint("activityLogAuthorization", "subscription", _EVENTS, "2015-04-01", _EVENTS_READ,
             ("S01", "S21"), "who gave or took rights at an account, or a lock", query=_events("Microsoft.Authorization")),
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
    # Of the data plane. Ascending order where it can be had: what is new then changes the last page alone.
    Endpoint("files", "data", "/openai/v1/files", V1, f"{_OPENAI}/files/read",
             ("S09", "S12", "S21"), "which files were uploaded: purpose, size, age", query="limit=1000&order=asc",
             dated=f"/openai/files?api-version={DATED}"),
    Endpoint("fineTuningJobs", "data", "/openai/v1/fine_tuning/jobs", V1, f"{_OPENAI}/fine-tunes/read",
             ("S12", "S23", "S28"), "fine-tuning jobs: base model, training and validation files, resulting model", query="limit=100",
             dated=f"/openai/fine_tuning/jobs?api-version={DATED}&limit=100"),
    Endpoint("servedModels", "data", "/openai/v1/models", V1, f"{_OPENAI}/models/read",
             ("S06", "S23"), "the models that the account can serve: base models and its own fine-tuned ones",
             dated=f"/openai/models?api-version={DATED}"),
    Endpoint("batches", "data", "/openai/v1/batches", V1, f"{_OPENAI}/batches/read",
             ("S24",), "batch jobs: input, output and error files", query="limit=100",
             dated=f"/openai/batches?api-version={DATED}&limit=100", also=(f"{_OPENAI}/batch-jobs/read",)),
    Endpoint("vectorStores", "data", "/openai/v1/vector_stores", V1, f"{_OPENAI}/vector-stores/read",
             ("S09",), "vector stores: size, age, when they expire", query="limit=100&order=asc",
             dated=f"/openai/vector_stores?api-version={PREVIEW}&limit=100&order=asc"),
    Endpoint("assistants", "data", "/openai/assistants", PREVIEW, f"{_OPENAI}/assistants/read",
             ("S10", "S25"), "assistants, without their instructions; retired in 2026, so an account may no longer serve them",
             query="limit=100&order=asc"),
    Endpoint("containers", "data", "/openai/v1/containers", V1, f"{_OPENAI}/containers/read",
             ("S09", "S25"), "containers of the code interpreter: age, when they expire", query="limit=100&order=asc"),
    Endpoint("fineTuningEvents", "fineTuningJob", "/openai/v1/fine_tuning/jobs/{id}/events", V1, f"{_OPENAI}/fine-tunes/read",
             ("S28",), "events of a fine-tuning job, with the verdict of the safety evaluation", query="limit=100",
             dated=f"/openai/fine_tuning/jobs/{{id}}/events?api-version={DATED}&limit=100"),
    Endpoint("vectorStoreFiles", "vectorStore", "/openai/v1/vector_stores/{id}/files", V1, f"{_OPENAI}/vector-stores/read",
             ("S09", "S12"), "which files a vector store holds", query="limit=100&order=asc",
             dated=f"/openai/vector_stores/{{id}}/files?api-version={PREVIEW}&limit=100&order=asc"),
    # Of Log Analytics: the texts are in shared/collect/kql.py.
    Endpoint("resourceLogDeletions", "workspace", "/query", "v1", _LOGS_READ,
             ("S21", "S23"), "who deleted or cancelled something on the data plane, or listed keys, as far as logs were kept", is_list=False),
    Endpoint("resourceLogOperations", "workspace", "/query", "v1", _LOGS_READ,
             ("S22", "S26", "S35"), "which operations were called how often, with which api-version", is_list=False),
)

UNVERIFIED = frozenset((f"{_OPENAI}/vector-stores/read", f"{_OPENAI}/containers/read"))
"""Data actions whose names follow the pattern of the others and stand in no list that could be had: Azure refuses a role with a name that it does
not know, so no role of ours has them. Where these questions are refused, the failure says so."""

BY_KIND: dict[str, Endpoint] = {endpoint.kind: endpoint for endpoint in ENDPOINTS}

OWN = frozenset(endpoint.kind for endpoint in ENDPOINTS if endpoint.scope in ("data", "fineTuningJob", "vectorStore"))
"""Questions that are asked at an account's own endpoint: of the data plane."""

UNCOMPARED = OWN | {endpoint.kind for endpoint in ENDPOINTS if endpoint.scope == "workspace" or "{from}" in endpoint.query}
"""Questions whose answers are no states of a resource that could drift: logs, and inventories, of which lives and deletions are told."""

TLS = "tls"
"""The one question that is not ARM's: a handshake with the account's own endpoint (`shared.collect.tls`)."""

ACCOUNT_KINDS = ("OpenAI", "AIServices")
"""Kinds of account that serve Azure OpenAI models; compared without regard to case."""


def _kinds(scope: Scope) -> list[str]:
    return [endpoint.kind for endpoint in ENDPOINTS if endpoint.scope == scope]


def questions() -> dict[str, list[str]]:
    """What is asked of each sort of unit, by name: sealed with every plan, so that a verifier can count the answers."""
    account = _kinds("account")
    own = [TLS, *_kinds("data")]
    return {
        "subscription": _kinds("subscription"),
        "account:OpenAI": [kind for kind in account if not BY_KIND[kind].foundry_only] + own,
        "account:AIServices": [*account, *own],
        "project": _kinds("project"),
        "fineTuningJob": _kinds("fineTuningJob"),
        "vectorStore": _kinds("vectorStore"),
        "workspace": _kinds("workspace"),
    }
