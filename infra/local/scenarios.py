"""Worlds with a story: the company of the demo, what changes there between two sweeps, and (`estate`) worlds of any size.

Brightwater Insurance, an invented insurer, runs Azure OpenAI in three subscriptions:

    bw-prod-eu   approved for modified abuse monitoring. `bw-claims-sdc` (claims; personal data) does it all by the book: storage for abuse
                 monitoring off, its own key with a pinned version, private network, no keys, all logs. `bw-assist-frc` (Foundry, agents)
                 is in the same subscription and was forgotten. `bw-docs-weu` is Document Intelligence: none of our business.
    bw-prod-us   `bw-policy-eus2` (spillover, batch, no logs), `bw-voice-wus3` (Foundry; a loosened filter, a router),
                 `bw-underwriting-scus` (fine-tuned models, key that rotates, a network perimeter), `bw-speech-eus` (Speech)
    bw-sandbox   `bw-lab-ncus` (everything open), `bw-lab-chn` (Switzerland), and a pilot that was deleted yesterday
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.local.authorship import Actor
from infra.local.child_shapes import content_filters
from infra.local.estate import estate
from infra.local.ids import account_name, guid
from infra.local.world import World

__all__ = ["PROD_EU", "PROD_US", "SANDBOX", "demo_world", "drift", "estate"]

Json = Any

PROD_EU = guid("subscription", "bw-prod-eu")
PROD_US = guid("subscription", "bw-prod-us")
SANDBOX = guid("subscription", "bw-sandbox")

PIPELINE = Actor(guid("bw-pipeline"), "Application")
ANNIKA = Actor("annika.holm@brightwater.example")
MARCUS = Actor("marcus.bell@brightwater.example")
PRIYA = Actor("priya.nair@brightwater.example")

_WORKSPACE = f"/subscriptions/{PROD_EU}/resourceGroups/rg-monitor/providers/Microsoft.OperationalInsights/workspaces/log-bw-prod"
_HR_TEAM, _CLAIMS_TEAM, _ML_TEAM = guid("group", "hr"), guid("group", "claims"), guid("group", "ml")


def demo_world(now: Callable[[], datetime], endpoints: Mapping[str, str] | str | None = None) -> World:
    """The company as the first sweep finds it.

    `endpoints` replaces `properties.endpoint`, of all accounts (a string) or of those named (by account name): give
    loopback addresses (`infra.local.endpoints_tls`) where endpoints are probed. Without it they are those of the public cloud.
    """
    world = World(now)
    world.add_subscription(PROD_EU, "bw-prod-eu")
    world.add_subscription(PROD_US, "bw-prod-us")
    world.add_subscription(SANDBOX, "bw-sandbox")
    start = now()
    with world.at(start - timedelta(days=240, hours=8, seconds=13.482917)):
        world.actor = PIPELINE
        world.put_activity_export(
            PROD_EU, "activity-to-workspace", ["Administrative", "Security", "Policy", "-Alert"], workspace=_WORKSPACE
        )
        world.put_role_assignment(f"/subscriptions/{PROD_EU}", "Reader", guid("collector"), sort="ServicePrincipal")
        world.put_role_assignment(f"/subscriptions/{PROD_US}", "Reader", guid("collector"), sort="ServicePrincipal")
        _claims(world)
        _policy(world)
        _others(world)
    with world.at(start - timedelta(days=95, hours=3, seconds=41.907265)):
        world.actor = ANNIKA
        _assistant(world)
        _underwriting(world)
    with world.at(start - timedelta(days=40, hours=2, seconds=7.318842)):
        world.actor = MARCUS
        _voice(world)
        _sandbox(world)
    with world.at(start - timedelta(hours=20, seconds=52.661409)):
        world.actor = PRIYA
        world.delete_account(world.account("bw-pilot-weu"))
    if endpoints is not None:
        _point(world, endpoints)
    return world


def _claims(world: World) -> None:
    account = world.create_account(
        PROD_EU,
        "rg-claims",
        "bw-claims-sdc",
        location="swedencentral",
        tags={"owner": "claims-platform", "data": "personal", "cost-center": "4711"},
        properties={
            "disableLocalAuth": True,
            "storedCompletionsDisabled": True,
            "restrictOutboundNetworkAccess": True,
            "publicNetworkAccess": "Disabled",
            "networkAcls": {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": [], "bypass": "None"},
            "encryption": _own_key("kv-bw-claims", "claims-aoai", version=guid("key", 1).replace("-", "")),
        },
    )
    world.set_property(account, "/identity", {"principalId": guid(account), "tenantId": world.tenant, "type": "SystemAssigned"})
    world.set_content_logging(account, "false")
    world.put_private_endpoint(account, "pe-claims-sdc")
    world.put_blocklist(account, "policy-numbers", "Policy numbers of closed cases")
    world.put_policy(account, "strict", content_filters("Low", indirect=True), blocklists=["policy-numbers"])
    world.put_deployment(account, "claims-triage", model="gpt-4o", sku="DataZoneStandard", capacity=120, policy="strict")
    world.put_deployment(account, "claims-summary", model="gpt-4o-mini", sku="Standard", capacity=60, policy="strict")
    world.put_deployment(account, "claims-search", model="text-embedding-3-large", sku="Standard", capacity=200, policy="strict")
    world.put_diagnostic_setting(account, "all-to-workspace", ["allLogs"], workspace=_WORKSPACE)
    world.put_role_assignment(account, "Cognitive Services OpenAI User", _CLAIMS_TEAM)
    world.put_encryption_scope(account, "scope-archive", vault="https://kv-bw-claims.vault.azure.net/", key="claims-archive")


def _assistant(world: World) -> None:
    account = world.create_account(PROD_EU, "rg-assist", "bw-assist-frc", kind="AIServices", location="francecentral")
    world.put_policy(account, "desk-filter", content_filters("Medium", indirect=True))
    world.put_deployment(account, "assist", model="gpt-4.1", sku="DataZoneStandard", capacity=80, policy="desk-filter")
    world.put_deployment(account, "assist-batch", model="gpt-4.1-mini", sku="DataZoneBatch", capacity=500)
    project = world.put_project(account, "customer-desk", display="Customer desk", default=True)
    other = world.put_project(account, "hr-helper", display="HR helper")
    world.put_connection(account, "models", target="https://bw-assist-frc.cognitiveservices.azure.com/", shared=True)
    world.put_connection(
        project,
        "desk-files",
        category="AzureStorageAccount",
        target="https://bwdeskfiles.blob.core.windows.net/",
        auth="AccountKey",
        credentials={"key": "c3RhbmQtaW4gc2VjcmV0OiBuZXZlciB0byBiZSBzZWFsZWQ="},
        metadata={"AccountName": "bwdeskfiles", "ContainerName": "agents"},
    )
    world.put_connection(
        project,
        "desk-search",
        category="CognitiveSearch",
        target="https://bw-desk-search.search.windows.net/",
        auth="ApiKey",
        credentials={"key": "StandInSearchAdminKeyNeverToBeSealed0123456789abcdefAzSe"},
    )
    world.put_connection(project, "desk-threads", category="CosmosDB", target="https://bw-desk-threads.documents.azure.com:443/")
    world.put_connection(other, "hr-mail", category="CustomKeys", target="https://mail.brightwater.example/",
                         auth="CustomKeys", credentials={"keys": {"client-secret": "stand-in~secret~of~the~mail~gateway"}})  # fmt: skip
    world.put_capability_host(account, "agents")
    world.put_capability_host(
        project,
        "desk-agents",
        storageConnections=["desk-files"],
        threadStorageConnections=["desk-threads"],
        vectorStoreConnections=["desk-search"],
    )
    world.put_diagnostic_setting(account, "audit-only", ["audit"], workspace=_WORKSPACE)
    world.put_role_assignment(account, "Cognitive Services OpenAI Contributor", _HR_TEAM)
    world.set_defender(account, "Enabled")


def _policy(world: World) -> None:
    # Made with a script that shouts: Azure echoes the casing for ever.
    account = world.create_account(PROD_US, "RG-Policy", "bw-policy-eus2", location="EASTUS2", tags={"owner": "policy-admin"})
    world.put_deployment(account, "policy-chat-spill", model="gpt-4o", sku="GlobalStandard", capacity=150)
    world.put_deployment(account, "policy-chat", model="gpt-4o", sku="ProvisionedManaged", capacity=100,
                         properties={"spilloverDeploymentName": "policy-chat-spill"})  # fmt: skip
    world.put_deployment(account, "policy-batch", model="gpt-4o-mini", sku="GlobalBatch", capacity=1000)
    world.put_deployment(account, "policy-legacy", model="gpt-35-turbo", version="0125", sku="standard", capacity=30)


def _underwriting(world: World) -> None:
    account = world.create_account(
        PROD_US,
        "rg-underwriting",
        "bw-underwriting-scus",
        location="SOUTHCENTRALUS",
        properties={
            "encryption": _own_key("kv-bw-us", "underwriting"),
            "publicNetworkAccess": "Enabled",
            "networkAcls": {
                "defaultAction": "Deny",
                "ipRules": [{"value": "203.0.113.0/24"}],
                "virtualNetworkRules": [],
                "bypass": "AzureServices",
            },
            "userOwnedStorage": [{"resourceId": f"/subscriptions/{PROD_US}/resourceGroups/rg-underwriting/providers/"
                                                "Microsoft.Storage/storageAccounts/bwunderwriting"}],
            "apiProperties": {"storageAccountConnectionString": "DefaultEndpointsProtocol=https;AccountName=bwunderwriting;"
                                                                "AccountKey=c3RhbmQtaW4gc2VjcmV0;EndpointSuffix=core.windows.net"},
        },
    )  # fmt: skip
    tuned = {"format": "OpenAI", "name": "gpt-4o-mini-2024-07-18.ft-9c41f2d07c9e4f6b8a0e-risk", "version": "1",
             "source": world.account("bw-policy-eus2"), "sourceAccount": world.account("bw-policy-eus2")}  # fmt: skip
    world.put_deployment(account, "risk-score", model="gpt-4o-mini", sku="Standard", capacity=50, properties={"model": tuned})
    world.put_deployment(account, "risk-embed", model="text-embedding-3-small", sku="Standard", capacity=100)
    world.put_perimeter(account, "nsp-bw-us", mode="Enforced")
    world.put_diagnostic_setting(account, "requests", ["RequestResponse", "Audit", "-Trace"], workspace=_WORKSPACE)
    world.put_role_assignment(account, "Cognitive Services OpenAI Contributor", _ML_TEAM)


def _voice(world: World) -> None:
    account = world.create_account(PROD_US, "rg-voice", "bw-voice-wus3", kind="AIServices", location="westus3")
    world.put_project(account, "ivr", display="Phone menu", default=True)
    weak = content_filters("High", jailbreak=False)
    weak[0] = {**weak[0], "enabled": False, "blocking": False}
    world.put_policy(account, "low-latency", weak, mode="Asynchronous_filter")
    world.put_deployment(account, "ivr-router", model="model-router", sku="GlobalStandard", capacity=100, policy="low-latency",
                         properties={"routing": {"mode": "balanced", "models": ["gpt-5-mini", "gpt-4.1-nano"]}})  # fmt: skip
    world.put_deployment(account, "ivr-realtime", model="gpt-realtime", version="2025-08-28", sku="GlobalStandard", policy="low-latency")
    world.put_diagnostic_setting(account, "off", ["-allLogs"], storage=_storage(PROD_US, "bwdiag"))


def _sandbox(world: World) -> None:
    lab = world.create_account(SANDBOX, "rg-lab", "bw-lab-ncus", location="northcentralus")
    world.put_deployment(lab, "tuned-trial", model="gpt-4o-mini", sku="DeveloperTier", capacity=1)
    world.put_deployment(lab, "playground", model="gpt-5-chat", version="2025-08-07", sku="GlobalStandard", capacity=5)
    swiss = world.create_account(SANDBOX, "rg-lab", "bw-lab-chn", location="switzerlandnorth")
    world.put_deployment(swiss, "reader", model="gpt-4o-mini", sku="Standard", capacity=5)
    pilot = world.create_account(SANDBOX, "rg-pilot", "bw-pilot-weu", location="westeurope")
    world.put_deployment(pilot, "pilot", model="gpt-4o", sku="GlobalStandard")


def _others(world: World) -> None:
    """Accounts of the same provider that serve no models of Azure OpenAI."""
    world.create_account(PROD_EU, "rg-docs", "bw-docs-weu", kind="FormRecognizer", location="westeurope")
    world.create_account(PROD_US, "rg-voice", "bw-speech-eus", kind="SpeechServices", location="eastus")


def drift(world: World, within: timedelta = timedelta(hours=12)) -> list[str]:
    """What happens at Brightwater in the time before the world's, `within` long; each change in one line, for a person."""
    claims, policy = world.account("bw-claims-sdc"), world.account("bw-policy-eus2")
    voice, assist, swiss = world.account("bw-voice-wus3"), world.account("bw-assist-frc"), world.account("bw-lab-chn")
    now, hour = world.now(), within / 12
    with world.at(now - 11 * hour):
        world.actor = PIPELINE
        world.set_content_logging(claims, None)
        world.delete_deployment(policy, "policy-batch")
    with world.at(now - 9 * hour):
        world.actor = MARCUS
        world.put_deployment(claims, "claims-burst", model="gpt-4o", sku="GlobalStandard", capacity=200)
        world.put_policy(claims, "strict", content_filters("High", indirect=False), blocklists=[])
        world.set_property(claims, "/properties/publicNetworkAccess", "Enabled")
        world.set_property(claims, "/properties/networkAcls/defaultAction", "Allow")
        world.delete(f"{claims}/providers/Microsoft.Insights/diagnosticSettings/all-to-workspace")
        world.put_policy(voice, "low-latency", content_filters("Medium"))
    with world.at(now - 5 * hour):
        world.actor = PRIYA
        world.delete_project(assist, "hr-helper")
        world.delete_account(world.account("bw-lab-ncus"))
        world.delete_account(swiss)
    with world.at(now - 4 * hour):
        world.restore_account(swiss)
    return [
        "bw-claims-sdc: storage for abuse monitoring is back on (ContentLogging is gone)",
        "bw-claims-sdc: a GlobalStandard deployment, claims-burst, was added",
        "bw-claims-sdc: the content filter `strict` was loosened from Low to High",
        "bw-claims-sdc: public network access was opened",
        "bw-claims-sdc: its diagnostic setting was deleted",
        "bw-policy-eus2: the deployment policy-batch was deleted",
        "bw-voice-wus3: the content filter `low-latency` was tightened",
        "bw-assist-frc: the project hr-helper was deleted, its connection with it",
        "bw-lab-ncus: the account was deleted (soft)",
        "bw-lab-chn: the account was deleted and restored within an hour",
    ]


def _own_key(vault: str, key: str, *, version: str = "") -> Json:
    """A customer's key; no version means that it rotates by itself."""
    held = {"keyVaultUri": f"https://{vault}.vault.azure.net/", "keyName": key, "identityClientId": guid(vault)}
    return {"keySource": "Microsoft.KeyVault", "keyVaultProperties": held | ({"keyVersion": version} if version else {})}


def _storage(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/rg-monitor/providers/Microsoft.Storage/storageAccounts/{name}"


def _point(world: World, endpoints: Mapping[str, str] | str) -> None:
    """Let accounts answer elsewhere, without marking them as changed."""
    with world.changing():
        for account in world.accounts():
            url = endpoints if isinstance(endpoints, str) else endpoints.get(account_name(account).name)
            if url is not None:
                world.resources.kept(account)["properties"]["endpoint"] = url
