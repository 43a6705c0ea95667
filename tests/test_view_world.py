"""The made-up estates behind the sample: what Azure would answer about each account, slot by slot."""

from dataclasses import dataclass, field
from typing import Any

Json = Any

_DEFAULTS = ("VirtualNetworks", "CustomerManagedKey", "MaxFineTuneCount=500", "TrustedServices=Microsoft.CognitiveServices", "RaiMonitor")
_HARMS = ("Hate", "Sexual", "Violence", "Selfharm")
_GEOGRAPHIES = {
    "westeurope": "Europe", "swedencentral": "Sweden", "francecentral": "France", "germanywestcentral": "Germany", "eastus2": "United States",
    "uksouth": "United Kingdom", "switzerlandnorth": "Switzerland", "japaneast": "Japan",
}  # fmt: skip


@dataclass
class Spec:
    """An account: what is set, and from which slot on."""

    name: str
    subscription: str
    group: str
    kind: str
    region: str
    deployments: list[tuple[str, str, str, str, int, int]]
    """Name, SKU, model, version, first slot, slot after the last."""
    off: list[tuple[int, int]] = field(default_factory=lambda: [(0, 10**6)])
    """Slots in which storage for abuse monitoring is shown as off."""
    public: list[tuple[int, int]] = field(default_factory=list)
    local_auth: bool = False
    own_key: bool = True
    logs: bool = True
    lives: tuple[int, int] = (0, 10**6)
    more: dict[str, Json] = field(default_factory=dict)
    failing: dict[str, tuple[str, int | None, str | None, int, int]] = field(default_factory=dict)
    """Question to reason, status, detail, first slot, slot after the last."""
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

    def deployment(self, spec: Spec, each: tuple[str, str, str, str, int, int]) -> Json:
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
    return {"kind": "OpenAI", "model": {"format": "OpenAI", "name": name, "version": version, "lifecycleStatus": status}}


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


def month() -> Estate:
    """Eight accounts and a ninth that goes: a month in the life of an organisation that mostly means well."""
    prod, lab, us = _S.format(1), _S.format(2), _S.format(3)
    private = {"tls": ("unreachable", None, "dns", 96, 10**6)}
    return Estate([
        Spec("claims-chat", prod, "rg-claims", "OpenAI", "westeurope", [
            ("chat", "DataZoneStandard", "gpt-4o", "2024-11-20", *ALWAYS), ("embed", "Standard", "text-embedding-3-large", "1", *ALWAYS),
            ("chat-new", "GlobalStandard", "gpt-4.1", "2025-04-14", 57, 10**6),
        ], failing=private),
        Spec("hr-assistant", prod, "rg-hr", "AIServices", "swedencentral", [
            ("assistant", "Standard", "gpt-4o", "2024-11-20", *ALWAYS), ("assistant-zone", "DataZoneStandard", "gpt-4.1", "2025-04-14", *ALWAYS),
        ], off=[(0, 34), (82, 10**6)]),
        Spec("underwriting", prod, "rg-claims", "OpenAI", "germanywestcentral", [
            ("chat-ptu", "ProvisionedManaged", "gpt-4o", "2024-11-20", *ALWAYS), ("chat-overflow", "GlobalStandard", "gpt-4o", "2024-11-20", *ALWAYS),
            ("batch-review", "GlobalBatch", "gpt-4o", "2024-11-20", *ALWAYS),
        ], more={"storedCompletionsDisabled": True}),
        Spec("research-frc", lab, "rg-research", "AIServices", "francecentral", [
            ("try", "DeveloperTier", "gpt-4o", "2024-11-20", *ALWAYS), ("preview", "GlobalStandard", "o4-lab", "2026-10-01", *ALWAYS),
            ("future", "QuantumStandard", "gpt-4o", "2024-11-20", 90, 10**6),
        ], public=[(70, 75)], local_auth=True, own_key=False, logs=False,
             failing={"roleAssignments": ("forbidden", 403, "AuthorizationFailed", 100, 10**6), "raiPolicies": ("server-error", 500, "InternalServerError", 30, 31)}),
        Spec("pilot-jpe", lab, "rg-research", "OpenAI", "japaneast", [("pilot", "Standard", "gpt-4o", "2024-11-20", *ALWAYS)],
             off=[], public=[ALWAYS], local_auth=True, own_key=False, logs=False, lives=(78, 10**6)),
        Spec("advisory-chn", prod, "rg-advisory", "OpenAI", "switzerlandnorth", [
            ("advice", "Standard", "gpt-4.1", "2025-04-14", *ALWAYS)], failing={"deployments": ("throttled", 429, "TooManyRequests", 22, 24)}),
        Spec("broker-uks", prod, "rg-brokers", "OpenAI", "uksouth", [
            ("broker", "Standard", "gpt-4o", "2024-11-20", *ALWAYS), ("broker-batch", "GlobalBatch", "gpt-4o", "2024-11-20", *ALWAYS)], missing=(89, 90)),
        Spec("us-service", us, "rg-us", "AIServices", "eastus2", [
            ("support", "DataZoneStandard", "gpt-4o", "2024-11-20", *ALWAYS), ("support-batch", "DataZoneBatch", "gpt-4o", "2024-11-20", *ALWAYS)],
             off=[], own_key=False, failing={"models": ("timeout", None, None, 12, 14)}),
        Spec("legacy-eus", us, "rg-us-old", "OpenAI", "eastus2", [("old", "Standard", "gpt-4o", "2024-11-20", *ALWAYS)],
             off=[], own_key=False, local_auth=True, lives=(0, 98)),
    ])  # fmt: skip


def estate(accounts: int, subscriptions: int = 10) -> Estate:
    """An estate of any size; every fifth account leaves something to be desired."""
    regions = sorted(_GEOGRAPHIES)
    skus = ("Standard", "DataZoneStandard", "GlobalStandard", "ProvisionedManaged", "GlobalBatch")
    return Estate([
        Spec(
            f"account-{number:04d}", _S.format(number % subscriptions), f"rg-{number % 40}", ("OpenAI", "AIServices")[number % 2],
            regions[number % len(regions)], [("chat", skus[number % 5], "gpt-4o", "2024-11-20", *ALWAYS)],
            off=[ALWAYS] if number % 5 else [], own_key=bool(number % 3), local_auth=not number % 7, logs=bool(number % 4),
        )
        for number in range(accounts)
    ])  # fmt: skip
