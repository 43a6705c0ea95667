"""Which path is answered by what: the routing table. A new part of Azure is a new row here and a handler.

A handler takes the world and what was asked and gives a body, a `Listing` (paged and wrapped by `infra.local.answering`) or
bytes that are ready to send; it raises ArmError for what Azure would refuse. It is called with the world's lock held.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.local import arm_errors, versions
from infra.local.activity_filter import read_filter
from infra.local.activity_shape import event_body
from infra.local.ids import AUTHORIZATION, COGNITIVE, account_id, account_name, fold
from infra.local.model_list import account_models_body
from infra.local.world import World

Json = Any

ACTIVITY_PAGE = 200
"""Events of a page of the Activity Log."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request asks: its decoded path, the parts the route named, and the query (names in lower case)."""

    path: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    kind: str
    mark: str = ""
    """What the page before handed on."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list answer before paging: rows are bodies, or ids of resources whose bodies they are."""

    rows: Sequence[str | Json]
    beside: Mapping[str, Json] = field(default_factory=dict)
    """Members of the answer beside `value`."""
    size: int | None = None
    """Members of a page, where it is not told; None: all in one."""
    mark: str = ""
    """What the next page is handed on."""


Answer = bytes | dict[str, Json] | Listing
Handler = Callable[[World, Asked], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """One row: a method and a pattern, what answers it, in which api-versions, and the action that a 403 names."""

    kind: str
    """Name of the question, by which page sizes are set: that of the collection."""
    pattern: re.Pattern[str]
    handler: Handler
    versions: frozenset[str]
    action: str
    method: str = "GET"
    volatile: bool = False
    """The answer changes with time alone, without any change of the world."""


def get(kind: str, template: str, handler: Handler, accepted: frozenset[str], action: str, *, volatile: bool = False) -> Route:
    """A row for GET. `{name}` in the template is one segment, `{name*}` one or more; case does not matter."""
    expression = re.sub(r"\\\{(\w+)\\\*\\\}", r"(?P<\1>.+)", re.escape(template))
    expression = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", expression)
    return Route(kind, re.compile(expression, re.IGNORECASE), handler, accepted, action, volatile=volatile)


def subscriptions(world: World, asked: Asked) -> Answer:
    """The subscriptions the caller sees, denied ones among them."""
    rows = list(world.subscriptions.values())
    return Listing(rows, {"count": {"type": "Total", "value": len(rows)}})


def subscription(world: World, asked: Asked) -> Answer:
    """One subscription."""
    return world.subscriptions[asked.parts["subscription"].lower()]


def locations(world: World, asked: Asked) -> Answer:
    """The regions, as this subscription sees them."""
    guid = asked.parts["subscription"].lower()
    return Listing(world.location_rows(world.subscriptions[guid]["subscriptionId"]))


def accounts(world: World, asked: Asked) -> Answer:
    """The accounts of every kind, of a subscription or of a resource group in it."""
    held = world.accounts(asked.parts["subscription"])
    group = asked.parts.get("group")
    if group is None:
        return Listing(held)
    _require_group(world, asked)
    return Listing([account for account in held if account_name(account).group.lower() == group.lower()])


def resource(world: World, asked: Asked) -> Answer:
    """One resource of the provider's: an account or something in one."""
    if asked.path in world.resources:
        return world.resources.body(asked.path)
    _require_group(world, asked)
    kinds = asked.path.split("/")[7:]
    raise arm_errors.resource_not_found("/".join((COGNITIVE, *kinds)), asked.parts["group"])


def members(world: World, asked: Asked) -> Answer:
    """What lies in an account or in something in it."""
    parent = asked.path.rpartition("/")[0]
    held = world.resources.members(asked.path)
    if parent not in world.resources and not held:
        _require_group(world, asked)
        raise arm_errors.parent_not_found(f"accounts/{asked.kind}", parent)
    return Listing(held)


def models(world: World, asked: Asked) -> Answer:
    """The models that an account can deploy: they follow from its region."""
    parent = asked.path.rpartition("/")[0]
    if parent not in world.resources:
        raise arm_errors.parent_not_found("accounts/models", parent)
    return account_models_body(str(world.resources.body(parent)["location"]).lower())


def deleted_accounts(world: World, asked: Asked) -> Answer:
    """The soft-deleted accounts of a subscription; they go by themselves after 48 hours."""
    return Listing(world.deleted_accounts(asked.parts["subscription"]))


def deleted_account(world: World, asked: Asked) -> Answer:
    """One soft-deleted account."""
    for body in world.deleted_accounts(asked.parts["subscription"]):
        if fold(body["id"]) == fold(asked.path):
            return dict(body)
    raise arm_errors.resource_not_found(f"{COGNITIVE}/deletedAccounts/{asked.parts['account']}", asked.parts["group"])


def diagnostic_settings(world: World, asked: Asked) -> Answer:
    """The diagnostic settings of any scope."""
    held = world.resources.members(asked.path)
    if not held:
        _require_scope(world, asked)
    return Listing(held)


def role_assignments(world: World, asked: Asked) -> Answer:
    """Role assignments of a scope and of those above it; below it too, unless the filter says atScope()."""
    _require_scope(world, asked)
    scope = "/" + asked.parts["scope"].strip("/")
    wanted = asked.query.get("$filter", "").replace(" ", "").lower()
    if wanted not in ("", "atscope()"):
        raise arm_errors.ArmError(400, "UnsupportedQuery", f"The filter '{wanted}' is not one the stand-in knows.")
    above = _above(scope)
    held = [key for place in above for key in world.resources.members(f"{place}/providers/{AUTHORIZATION}/roleAssignments")]
    if not wanted:
        held += [key for key in world.resources.under(scope) if "/roleassignments/" in key and key not in held]
    return Listing(held)


def activity_log(world: World, asked: Asked) -> Answer:
    """The Activity Log of a subscription, newest first. All pages show what was visible when the first was asked for."""
    try:
        now = datetime.fromisoformat(asked.mark) if asked.mark else world.moment
    except ValueError:
        raise arm_errors.ArmError(400, "InvalidSkipToken", "The provided skip token is not valid.") from None
    wanted = read_filter(asked.query.get("$filter", ""), now)
    rows = [event for event in world.activity.events(asked.parts["subscription"], now) if wanted.matches(event)]
    return Listing([event_body(event, world.tenant) for event in rows], size=ACTIVITY_PAGE, mark=now.isoformat())


def stored(world: World, asked: Asked) -> Answer:
    """A storage account, or something in one."""
    if asked.path in world.resources:
        return world.resources.body(asked.path)
    raise arm_errors.resource_not_found(f"Microsoft.Storage/storageAccounts/{asked.parts['storage']}", asked.parts["group"])


def _above(scope: str) -> list[str]:
    """The scope itself and those that contain it: account, resource group, subscription."""
    parts = scope.split("/")
    return [scope] + ["/".join(parts[:length]) for length in (5, 3) if len(parts) > length]


def _require_group(world: World, asked: Asked) -> None:
    """Groups exist through the accounts in them: the stand-in knows no others."""
    group, held = asked.parts["group"].lower(), world.accounts(asked.parts["subscription"])
    if not any(account_name(account).group.lower() == group for account in held):
        raise arm_errors.group_not_found(asked.parts["group"])


def _require_scope(world: World, asked: Asked) -> None:
    scope = "/" + asked.parts["scope"].strip("/")
    parts = scope.split("/")
    known = scope in world.resources or (len(parts) == 3 and parts[2].lower() in world.subscriptions)
    if len(parts) == 5 and any(fold(account).startswith(f"{fold(scope)}/") for account in world.accounts(parts[2])):
        known = True
    if not known:
        raise arm_errors.resource_not_found("/".join(parts[6:]) or scope, parts[4] if len(parts) > 4 else "")


_SUBSCRIPTION = "/subscriptions/{subscription}"
_PROVIDER = f"{_SUBSCRIPTION}/providers/{COGNITIVE}"
_ACCOUNT = account_id("{subscription}", "{group}", "{account}")

_STORAGE = "Microsoft.Storage/storageAccounts"
_STORAGE_ACCOUNT = f"{_SUBSCRIPTION}/resourceGroups/{{group}}/providers/{_STORAGE}/{{storage}}"
_CONTAINER = f"{_STORAGE_ACCOUNT}/blobServices/default/containers/{{container}}"

_IN_ACCOUNT = {
    "deployments": "2021-10-01",
    "raiPolicies": "2023-10-01",
    "raiBlocklists": "2023-10-01",
    "encryptionScopes": "2023-10-01",
    "privateEndpointConnections": "2017-04-18",
    "networkSecurityPerimeterConfigurations": "2024-04-01",
    "defenderForAISettings": "2024-06-01",
    "commitmentPlans": "2021-10-01",
    "projects": "2025-04-01",
    "connections": "2025-04-01",
    "capabilityHosts": "2025-04-01",
}
"""Collections of an account, and the oldest api-version that has them (those before 2025 are approximate)."""
_IN_CHILD = {"projects": ("connections", "capabilityHosts"), "raiBlocklists": ("raiBlocklistItems",)}


def _collection(template: str, name: str, action: str, first: str) -> tuple[Route, Route]:
    accepted = versions.since(versions.COGNITIVE, first)
    return (
        get(name, f"{template}/{name}", members, accepted, f"{action}/{name}/read"),
        get(name, f"{template}/{name}/{{{name}}}", resource, accepted, f"{action}/{name}/read"),
    )


def _collections() -> list[Route]:
    rows = [route for name, first in _IN_ACCOUNT.items() for route in _collection(_ACCOUNT, name, f"{COGNITIVE}/accounts", first)]
    for parent, names in _IN_CHILD.items():
        template, action = f"{_ACCOUNT}/{parent}/{{{parent}}}", f"{COGNITIVE}/accounts/{parent}"
        rows += [route for name in names for route in _collection(template, name, action, _IN_ACCOUNT[parent])]
    return rows


ROUTES: tuple[Route, ...] = (
    get("subscriptions", "/subscriptions", subscriptions, versions.SUBSCRIPTIONS, "Microsoft.Resources/subscriptions/read"),
    get("subscription", _SUBSCRIPTION, subscription, versions.SUBSCRIPTIONS, "Microsoft.Resources/subscriptions/read"),
    get("locations", f"{_SUBSCRIPTION}/locations", locations, versions.SUBSCRIPTIONS, "Microsoft.Resources/subscriptions/locations/read"),
    get("accounts", f"{_PROVIDER}/accounts", accounts, versions.COGNITIVE, f"{COGNITIVE}/accounts/read"),
    get("accounts", _ACCOUNT.rpartition("/")[0], accounts, versions.COGNITIVE, f"{COGNITIVE}/accounts/read"),
    get("account", _ACCOUNT, resource, versions.COGNITIVE, f"{COGNITIVE}/accounts/read"),
    get("models", f"{_ACCOUNT}/models", models, versions.since(versions.COGNITIVE, "2022-10-01"), f"{COGNITIVE}/accounts/models/read"),
    *_collections(),
    get("deletedAccounts", f"{_PROVIDER}/deletedAccounts", deleted_accounts, versions.since(versions.COGNITIVE, "2021-04-30"),
        f"{COGNITIVE}/deletedAccounts/read", volatile=True),
    get("deletedAccount", f"{_PROVIDER}/locations/{{location}}/resourceGroups/{{group}}/deletedAccounts/{{account}}", deleted_account,
        versions.since(versions.COGNITIVE, "2021-04-30"), f"{COGNITIVE}/locations/resourceGroups/deletedAccounts/read", volatile=True),
    get("diagnosticSettings", "{scope*}/providers/Microsoft.Insights/diagnosticSettings", diagnostic_settings,
        versions.DIAGNOSTIC_SETTINGS, "Microsoft.Insights/diagnosticSettings/read"),
    get("activityLog", f"{_SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values", activity_log,
        versions.ACTIVITY_LOG, "Microsoft.Insights/eventtypes/values/read", volatile=True),
    get("roleAssignments", f"{{scope*}}/providers/{AUTHORIZATION}/roleAssignments", role_assignments,
        versions.ROLE_ASSIGNMENTS, f"{AUTHORIZATION}/roleAssignments/read"),
    get("storageAccount", _STORAGE_ACCOUNT, stored, versions.STORAGE, f"{_STORAGE}/read"),
    get("blobService", f"{_STORAGE_ACCOUNT}/blobServices/default", stored, versions.STORAGE, f"{_STORAGE}/blobServices/read"),
    get("evidenceContainer", _CONTAINER, stored, versions.STORAGE, f"{_STORAGE}/blobServices/containers/read"),
    get("evidenceImmutability", f"{_CONTAINER}/immutabilityPolicies/default", stored, versions.STORAGE,
        f"{_STORAGE}/blobServices/containers/immutabilityPolicies/read"),
)  # fmt: skip
"""All of ARM that is served. The data plane has a table of its own (`infra.local.data_routes`), and queries of logs are read otherwise."""


def find(method: str, path: str) -> tuple[Route, re.Match[str]] | None:
    """The row that answers, or None."""
    for route in ROUTES:
        match = route.pattern.fullmatch(path)
        if match is not None and route.method == method:
            return route, match
    return None


def action_of(path: str) -> str:
    """The action that reading `path` needs, as a 403 names it."""
    found = find("GET", path)
    return found[0].action if found else f"{COGNITIVE}/*/read"
