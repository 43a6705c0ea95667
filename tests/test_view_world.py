"""The made-up estates behind the sample: what Azure would answer about each account, slot by slot."""

from dataclasses import dataclass, field
from typing import Any

Json = Any

_DEFAULTS = ("VirtualNetworks", "CustomerManagedKey", "MaxFineTuneCount=500", "TrustedServices=Microsoft.CognitiveServices", "RaiMonitor")
_HARMS = ("Hate", "Sexual", "Violence", "Selfharm")
_GEOGRAPHIES = {
    "westeurope": "Europe",
    "swedencentral": "Sweden",
    "francecentral": "France",
    "germanywestcentral": "Germany",
    "eastus2": "United States",
    "uksouth": "United Kingdom",
    "switzerlandnorth": "Switzerland",
    "japaneast": "Japan",
}


Served = tuple[str, str, str, str, int, int]
"""A deployment: name, SKU, model, version, first slot, slot after the last."""
Failing = dict[str, tuple[str, int | None, str | None, int, int]]
"""Questions that fail: reason, status, detail, first slot, slot after the last."""


@dataclass
class Spec:
    """An account: what is set, and from which slot on."""

    name: str
    subscription: str
    group: str
    kind: str
    region: str
    deployments: list[Served]
    off: list[tuple[int, int]] = field(default_factory=lambda: [(0, 10**6)])
    """Slots in which storage for abuse monitoring is shown as off."""
    public: list[tuple[int, int]] = field(default_factory=list)
    local_auth: bool = False
    own_key: bool = True
    logs: bool = True
    lives: tuple[int, int] = (0, 10**6)
    more: dict[str, Json] = field(default_factory=dict)
    failing: Failing = field(default_factory=dict)
    missing: tuple[int, int] = (0, 0)

    @property
    def id(self) -> str:
        return f"{self.subscription}/resourcegroups/{self.group}/providers/microsoft.cognitiveservices/accounts/{self.name}".lower()


class Estate:
    """Accounts, and the answers about them."""

    def __init__(self, specs: list[Spec]) -> None:
        self.by_id = {spec.id: spec for spec in specs}

    def subscriptions(self) -> list[str]:
        return sorted({spec.subscription for spec in self.by_id.values()})

    def names(self, slot: int) -> list[str]:
        return sorted(name for name, spec in self.by_id.items() if spec.lives[0] <= slot < spec.lives[1])

    def kind(self, name: str) -> str:
        return self.by_id[name].kind

    def is_missing(self, name: str, slot: int) -> bool:
        return name in self.by_id and self.by_id[name].missing[0] <= slot < self.by_id[name].missing[1]

    def account_list(self, subscription: str, slot: int) -> Json:
        listed = [self.account(self.by_id[name], slot) for name in self.names(slot) if self.by_id[name].subscription == subscription]
        other = {
            "id": f"{subscription}/resourceGroups/rg-forms/providers/Microsoft.CognitiveServices/accounts/forms",
            "kind": "FormRecognizer",
        }
        return {"value": [*listed, other]}

    def subscription_answers(self, subscription: str, slot: int) -> list[tuple[str, Json]]:
        rows = [{"name": region, "metadata": {"geography": geography}} for region, geography in sorted(_GEOGRAPHIES.items())]
        exported = subscription.endswith("1") or slot > 60
        settings = [
            {"name": "to-archive", "properties": {"storageAccountId": "/s", "logs": [{"category": "Administrative", "enabled": True}]}}
        ]
        return [
            ("locations", {"value": rows}),
            ("deletedAccounts", {"value": []}),
            ("subscriptionDiagnosticSettings", {"value": settings if exported else []}),
        ]

    def account_answers(self, name: str, slot: int) -> list[tuple[str, Json]]:
        spec = self.by_id[name]
        answers: list[tuple[str, Json]] = [
            ("account", self.account(spec, slot)),
            ("deployments", {"value": [self.deployment(spec, each) for each in spec.deployments if each[4] <= slot < each[5]]}),
            (
                "raiPolicies",
                {
                    "value": [
                        _policy(spec, "Microsoft.DefaultV2", "Medium", blocking=True),
                        _policy(spec, "lenient", "High", blocking=False),
                    ]
                },
            ),
            ("raiBlocklists", {"value": []}),
            ("encryptionScopes", {"value": []}),
            ("privateEndpointConnections", {"value": []}),
            ("networkSecurityPerimeterConfigurations", {"value": []}),
            ("defenderForAISettings", {"value": []}),
            (
                "models",
                {"value": [_model("gpt-4o", "2024-11-20"), _model("gpt-4.1", "2025-04-14"), _model("o4-lab", "2026-10-01", "Preview")]},
            ),
            ("diagnosticSettings", {"value": [_diagnostics()] if spec.logs else []}),
            ("roleAssignments", {"value": []}),
            ("tls", _tls(spec.name)),
        ]
        if spec.kind == "AIServices":
            answers += [(kind, {"value": []}) for kind in ("projects", "connections", "capabilityHosts")]
        return [(kind, self._unless_failing(spec, kind, body, slot)) for kind, body in answers]

    def _unless_failing(self, spec: Spec, kind: str, body: Json, slot: int) -> Json:
        failing = spec.failing.get(kind)
        return failing[:3] if failing and failing[3] <= slot < failing[4] else body

    def account(self, spec: Spec, slot: int) -> Json:
        capabilities = [dict(zip(("name", "value"), each.split("="), strict=False)) for each in _DEFAULTS]
        if _within(slot, spec.off):
            capabilities.append({"name": "ContentLogging", "value": "false"})
        properties: dict[str, Json] = {
            "endpoint": f"https://{spec.name}.openai.azure.com/",
            "provisioningState": "Succeeded",
            "dateCreated": "2025-03-20T18:42:05.8451734Z",
            "customSubDomainName": spec.name,
            "publicNetworkAccess": "Enabled" if _within(slot, spec.public) else "Disabled",
            "capabilities": capabilities,
        }
        if not spec.local_auth:
            properties["disableLocalAuth"] = True
        if spec.own_key:
            version = "5f1e" if slot < 90 else "9a3c"
            vault = {"keyName": "aoai", "keyVersion": version, "keyVaultUri": "https://kv-contoso.vault.azure.net/"}
            properties["encryption"] = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": vault}
        identifier = spec.id.replace("resourcegroups", "resourceGroups").replace(
            "microsoft.cognitiveservices", "Microsoft.CognitiveServices"
        )
        return {
            "id": identifier, "name": spec.name, "type": "Microsoft.CognitiveServices/accounts", "kind": spec.kind, "location": spec.region,
            "sku": {"name": "S0"}, "systemData": {"createdBy": {"committed": "u5Qw0bV4o1dGkq8m3mQm5m8l0J2yZ0m0kZC9c1b5o3w="}},
            "properties": properties | spec.more,
        }  # fmt: skip

    def deployment(self, spec: Spec, each: Served) -> Json:
        name, sku, model, version, *_ = each
        properties: dict[str, Json] = {
            "model": {"format": "OpenAI", "name": model, "version": version},
            "raiPolicyName": "lenient" if name == "batch-review" else "Microsoft.DefaultV2",
            "versionUpgradeOption": "OnceNewDefaultVersionAvailable",
            "provisioningState": "Succeeded",
        }
        if name == "chat-ptu":
            properties["spilloverDeploymentName"] = "chat-overflow"
        return {"id": f"{spec.id}/deployments/{name}", "name": name, "sku": {"name": sku, "capacity": 50}, "properties": properties}


def _within(slot: int, stretches: list[tuple[int, int]]) -> bool:
    return any(first <= slot < end for first, end in stretches)


def _policy(spec: Spec, name: str, threshold: str, *, blocking: bool) -> Json:
    filters = [
        {"name": harm, "severityThreshold": threshold, "blocking": blocking, "enabled": True, "source": source}
        for harm in _HARMS
        for source in ("Prompt", "Completion")
    ]
    filters += [{"name": "Jailbreak", "blocking": True, "enabled": True, "source": "Prompt"}]
    filters += [
        {"name": f"Protected Material {sort}", "blocking": True, "enabled": True, "source": "Completion"} for sort in ("Text", "Code")
    ]
    kind = "SystemManaged" if name.startswith("Microsoft.") else "UserManaged"
    return {
        "id": f"{spec.id}/raiPolicies/{name}",
        "name": name,
        "properties": {"type": kind, "mode": "Blocking", "contentFilters": filters},
    }


def _model(name: str, version: str, status: str = "GenerallyAvailable") -> Json:
    return {"format": "OpenAI", "name": name, "version": version, "lifecycleStatus": status}


def _diagnostics() -> Json:
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    return {"name": "to-workspace", "properties": {"workspaceId": "/subscriptions/0/ws", "logs": logs}}


def _tls(name: str) -> Json:
    chain = [
        {"sha256": "9f" * 32, "subject": "CN=*.openai.azure.com", "issuer": "CN=Microsoft TLS", "not_before": "2026", "not_after": "2027"}
    ]
    versions = {"TLSv1": "refused", "TLSv1.1": "refused", "TLSv1.2": "accepted", "TLSv1.3": "accepted"}
    said = {"host": f"{name}.openai.azure.com", "port": 443, "versions": versions, "lowest": "TLSv1.2", "chain": chain}
    return said | {"trusted": True, "trust_error": None}


_S = "/subscriptions/7c41d9a2-30b5-4f7e-9d11-0000000000{:02d}"
ALWAYS = (0, 10**6)
_MODELS = {"gpt-4o": "2024-11-20", "gpt-4.1": "2025-04-14", "o4-lab": "2026-10-01", "text-embedding-3-large": "1"}


def served(name: str, sku: str, model: str = "gpt-4o", since: int = 0) -> Served:
    """A deployment, from a slot on."""
    return name, sku, model, _MODELS.get(model, "1"), since, ALWAYS[1]


def month() -> Estate:
    """Eight accounts and a ninth that goes: a month in the life of an organisation that mostly means well."""
    return Estate([*_insurer(_S.format(1)), *_lab(_S.format(2)), *_america(_S.format(3))])


def _insurer(subscription: str) -> list[Spec]:
    claims = [served("chat", "DataZoneStandard"), served("embed", "Standard", "text-embedding-3-large")]
    claims += [served("chat-new", "GlobalStandard", "gpt-4.1", since=57)]
    people = [served("assistant", "Standard"), served("assistant-zone", "DataZoneStandard", "gpt-4.1")]
    risk = [served("chat-ptu", "ProvisionedManaged"), served("chat-overflow", "GlobalStandard"), served("batch-review", "GlobalBatch")]
    brokers = [served("broker", "Standard"), served("broker-batch", "GlobalBatch")]
    unreachable: Failing = {"tls": ("unreachable", None, "dns", 96, ALWAYS[1])}
    throttled: Failing = {"deployments": ("throttled", 429, "TooManyRequests", 22, 24)}
    return [
        Spec("claims-chat", subscription, "rg-claims", "OpenAI", "westeurope", claims, failing=unreachable),
        Spec("hr-assistant", subscription, "rg-hr", "AIServices", "swedencentral", people, off=[(0, 34), (82, ALWAYS[1])]),
        Spec("underwriting", subscription, "rg-claims", "OpenAI", "germanywestcentral", risk, more={"storedCompletionsDisabled": True}),
        Spec(
            "advisory-chn", subscription, "rg-advisory", "OpenAI", "switzerlandnorth",
            [served("advice", "Standard", "gpt-4.1")], failing=throttled,
        ),
        Spec("broker-uks", subscription, "rg-brokers", "OpenAI", "uksouth", brokers, missing=(89, 90)),
    ]  # fmt: skip


def _lab(subscription: str) -> list[Spec]:
    trials = [served("try", "DeveloperTier"), served("preview", "GlobalStandard", "o4-lab"), served("future", "QuantumStandard", since=90)]
    failing: Failing = {
        "roleAssignments": ("forbidden", 403, "AuthorizationFailed", 100, ALWAYS[1]),
        "raiPolicies": ("server-error", 500, "InternalServerError", 30, 31),
    }
    return [
        Spec(
            "research-frc", subscription, "rg-research", "AIServices", "francecentral", trials, public=[(70, 75)], local_auth=True,
            own_key=False, logs=False, failing=failing,
        ),
        Spec(
            "pilot-jpe", subscription, "rg-research", "OpenAI", "japaneast", [served("pilot", "Standard")], off=[], public=[ALWAYS],
            local_auth=True, own_key=False, logs=False, lives=(78, ALWAYS[1]),
        ),
    ]  # fmt: skip


def _america(subscription: str) -> list[Spec]:
    support = [served("support", "DataZoneStandard"), served("support-batch", "DataZoneBatch")]
    slow: Failing = {"models": ("timeout", None, None, 12, 14)}
    return [
        Spec("us-service", subscription, "rg-us", "AIServices", "eastus2", support, off=[], own_key=False, failing=slow),
        Spec(
            "legacy-eus", subscription, "rg-us-old", "OpenAI", "eastus2", [served("old", "Standard")], off=[], own_key=False,
            local_auth=True, lives=(0, 98),
        ),
    ]  # fmt: skip


def estate(accounts: int, subscriptions: int = 10) -> Estate:
    """An estate of any size; every fifth account leaves something to be desired."""
    regions = sorted(_GEOGRAPHIES)
    skus = ("Standard", "DataZoneStandard", "GlobalStandard", "ProvisionedManaged", "GlobalBatch")
    return Estate([
        Spec(
            f"account-{number:04d}", _S.format(number % subscriptions), f"rg-{number % 40}", ("OpenAI", "AIServices")[number % 2],
            regions[number % len(regions)], [served("chat", skus[number % 5])],
            off=[ALWAYS] if number % 5 else [], own_key=bool(number % 3), local_auth=not number % 7, logs=bool(number % 4),
        )
        for number in range(accounts)
    ])  # fmt: skip
