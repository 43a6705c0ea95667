"""A generated estate of any size, for benchmarks: every body is a recipe, made when it is asked for.

What an account is like follows from its number alone, so that the same size gives the same bytes in every run: one in four is a
Foundry account with a project, one in five has ContentLogging "false", one in three a customer key, and deployments go through
all SKUs. Account bodies are of real size (about 4 KB; Foundry accounts, which are longer in Azure, are kept to that too).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from infra.local import child_shapes as shapes
from infra.local import scope_shapes as scoped
from infra.local.account_shape import account_body, rate_rules
from infra.local.authorship import Actor, guid_etag, system_data
from infra.local.ids import account_id, guid
from infra.local.resources import Body
from infra.local.world import World

Json = Any

REGIONS = ("swedencentral", "eastus2", "westeurope", "francecentral", "northcentralus", "germanywestcentral", "switzerlandnorth", "uksouth")
SKUS = ("Standard", "GlobalStandard", "DataZoneStandard", "ProvisionedManaged", "GlobalBatch", "DataZoneBatch", "GlobalProvisionedManaged")
MODELS = ("gpt-4o", "gpt-4o-mini", "gpt-4.1", "text-embedding-3-large", "o3-mini")

_ACTOR = Actor("platform-deployer", "Application")


def estate(subscriptions: int, accounts: int, deployments: int, now: Callable[[], datetime]) -> World:
    """`accounts` accounts in all, spread over the subscriptions, each with `deployments` deployments."""
    world = World(now)
    born = now() - timedelta(days=200)
    guids = [world.add_subscription(guid("estate", n), f"estate-{n:03d}") for n in range(subscriptions)]
    with world.changing():
        for number in range(accounts):
            _add(world, guids[number % subscriptions], number, deployments, born)
    return world


def _add(world: World, subscription: str, number: int, deployments: int, born: datetime) -> None:
    foundry = number % 4 == 3
    kind, location = "AIServices" if foundry else "OpenAI", REGIONS[number % len(REGIONS)]
    account = account_id(subscription, f"rg-ai-{number % 40:02d}", f"aoai-{number:05d}")
    put = world.resources.put
    world.adopt_account(account, kind, partial(_account, account, kind, location, number, born, world.tenant))
    for one in range(deployments):
        put(f"{account}/deployments/chat-{one}", partial(_deployment, account, location, number + one, one, born))
    if foundry:
        put(f"{account}/projects/main", partial(_project, account, location, born, world.tenant))
    if number % 3:
        put(f"{account}/providers/Microsoft.Insights/diagnosticSettings/logs", partial(_setting, account, subscription, number))


def _account(account: str, kind: str, location: str, number: int, born: datetime, tenant: str) -> Body:
    properties: dict[str, Json] = {"callRateLimit": {"rules": rate_rules("OpenAI")}}
    if number % 3 == 0:
        vault = {
            "keyName": "aoai",
            "keyVersion": guid(account, "key").replace("-", ""),
            "keyVaultUri": "https://kv-estate.vault.azure.net/",
        }
        properties["encryption"] = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": vault}
    if number % 2:
        properties |= {"disableLocalAuth": True, "publicNetworkAccess": "Disabled"}
    body = account_body(
        account, kind=kind, location=location, endpoint=None, actor=_ACTOR, tenant=tenant, moment=born, tick=number, properties=properties
    )
    if number % 5 == 0:
        body["properties"]["capabilities"].append({"name": "ContentLogging", "value": "false"})
    return body


def _authored(body: Body, born: datetime, tick: int) -> Body:
    return {**body, "systemData": system_data(_ACTOR, born, tick), "etag": guid_etag(body["id"], born)}


def _deployment(account: str, location: str, number: int, one: int, born: datetime) -> Body:
    body = shapes.deployment_body(
        account,
        f"chat-{one}",
        model=MODELS[number % len(MODELS)],
        version=None,
        sku=SKUS[number % len(SKUS)],
        capacity=10,
        policy="Microsoft.DefaultV2",
        location=location,
        properties=None,
    )
    return _authored(body, born, number)


def _project(account: str, location: str, born: datetime, tenant: str) -> Body:
    return _authored(shapes.project_body(account, "main", location=location, tenant=tenant, display="main", default=True), born, 1)


def _setting(account: str, subscription: str, number: int) -> Body:
    workspace = f"/subscriptions/{subscription}/resourceGroups/rg-logs/providers/Microsoft.OperationalInsights/workspaces/logs"
    logs = ["allLogs"] if number % 3 == 1 else ["audit"]
    return scoped.diagnostic_setting_body(account, "logs", logs=logs, workspace=workspace, storage=None)
