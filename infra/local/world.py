"""The world behind the stand-in: accounts and all that hangs on them, in memory, to be changed at will.

Every change is a method; each marks what it touched with a new etag and `systemData.lastModified*`, by `world.actor`, at
`world.now()`. Set `actor` or `now` (or use `at`) to tell a story. Ids come in any casing. A change of what is not there
raises KeyError; a change that Azure would refuse raises ValueError with Azure's code.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from infra.local import child_shapes as shapes
from infra.local import scope_shapes as scoped
from infra.local.account_shape import account_body
from infra.local.authorship import etag, system_data
from infra.local.clock import real_time, stamp
from infra.local.data_plane import DataPlane
from infra.local.data_store import Held
from infra.local.ids import COGNITIVE, account_id, account_name, deleted_account_id, fold, guid, subscription_of
from infra.local.resources import Body, Recipe
from infra.local.state import State

Json = Any

SERVES_MODELS = ("openai", "aiservices")
KEPT_AFTER_DELETION = timedelta(hours=48)
"""How long a soft-deleted account can be restored, after Azure's documentation; then it is purged without anybody asking."""


@dataclass(frozen=True, slots=True)
class Deleted:
    """A soft-deleted account: what the deletedAccounts list shows, and what restoring brings back."""

    body: Body
    at: datetime
    taken: list[tuple[str, Body | Recipe]]
    account: str
    data: Held


class World(State):
    """A mutable Azure for a test or a demo."""

    def __init__(self, now: Callable[[], datetime] = real_time) -> None:
        super().__init__(now)
        self.shows_deletion_dates = False
        """Newer models have deletionDate and scheduledPurgeDate in deletedAccounts; no real answer with them was found."""
        self.data = DataPlane(self)
        """What the accounts hold: files, jobs, models and the rest."""
        self.address: Callable[[str], str | None] = lambda account: None
        """Where a new account answers; None: at the host that Azure would give it."""
        self._accounts: dict[str, dict[str, str]] = {}
        self._deleted: dict[str, Deleted] = {}

    def accounts(self, subscription: str | None = None) -> list[str]:
        """The ids of the accounts, of one subscription or of all, in order of creation."""
        with self.lock:
            held = [self._accounts.get(subscription.lower(), {})] if subscription else list(self._accounts.values())
            return [account for group in held for account in group.values()]

    def account(self, name: str) -> str:
        """The id of the account of that name. Raises KeyError where there is none."""
        found = [account for account in self.accounts() if account_name(account).name.lower() == name.lower()]
        if not found:
            raise KeyError(name)
        return found[0]

    def deleted_accounts(self, subscription: str) -> list[Body]:
        """The soft-deleted accounts that can still be restored, as the list shows them."""
        with self.lock:
            held = (gone for gone in self._deleted.values() if not self._expired(gone))
            return [gone.body for gone in held if subscription_of(gone.account) == subscription.lower()]

    def create_account(
        self,
        subscription: str,
        group: str,
        name: str,
        *,
        kind: str = "OpenAI",
        location: str = "swedencentral",
        endpoint: str | None = None,
        tags: Mapping[str, str] | None = None,
        properties: Mapping[str, Json] | None = None,
    ) -> str:
        """A new account with default settings and `properties` on top; its id."""
        resource = account_id(subscription, group, name)
        if fold(resource) in self._deleted and not self._expired(self._deleted[fold(resource)]):
            raise ValueError("FlagMustBeSetForRestore: an account of that name is soft-deleted; restore or purge it first")
        with self.changing() as (moment, tick):
            body = account_body(
                resource, kind=kind, location=location, endpoint=endpoint or self.address(resource), actor=self.actor, tenant=self.tenant,
                moment=moment, tick=tick, tags=tags, properties=properties,
            )  # fmt: skip
            self.adopt_account(resource, kind, body)
        return resource

    def adopt_account(self, resource: str, kind: str, body: Body | Recipe) -> None:
        """Take in an account as it is, with what Azure puts into every one that serves models."""
        with self.changing():
            self._index(resource)
            self.resources.put(resource, body)
            if kind.lower() in SERVES_MODELS:
                for name in shapes.SYSTEM_POLICIES:
                    self.resources.put(f"{resource}/raiPolicies/{name}", partial(shapes.system_policy_body, resource, name))
                self.resources.put(f"{resource}/defenderForAISettings/Default", partial(shapes.defender_body, resource, "Disabled"))

    def delete_account(self, account: str) -> None:
        """Soft-delete: out of the lists, into deletedAccounts, with all that lies in it."""
        with self.changing() as (moment, tick):
            body = copy.deepcopy(self.resources.body(account))
            named = account_name(str(body["id"]))
            shown = {
                **body,
                "id": deleted_account_id(named, str(body["location"])),
                "type": f"{COGNITIVE}/deletedAccounts",
                "etag": etag(moment, tick, account),
            }
            if self.shows_deletion_dates:
                purge = stamp(moment + KEPT_AFTER_DELETION, tick)
                shown["properties"] = {**body["properties"], "deletionDate": stamp(moment, tick), "scheduledPurgeDate": purge}
            taken = self.resources.take(account)
            del self._accounts[named.subscription.lower()][fold(account)]
            self._deleted[fold(account)] = Deleted(shown, moment, taken, str(body["id"]), self.data.take(account))

    def restore_account(self, account: str) -> None:
        """Bring back a soft-deleted account: createdAt becomes the time of restoring, dateCreated and internalId stay.

        That what lies in it comes back too is not documented anywhere we found; the stand-in brings it back.
        """
        gone = self._deleted[fold(account)]
        if self._expired(gone):
            raise KeyError(account)
        with self.changing() as (moment, tick):
            del self._deleted[fold(account)]
            self._index(gone.account)
            for key, body in gone.taken:
                self.resources.put(key, body)
            self.data.give_back(account, gone.data)
            restored = self.resources.kept(account)
            if (address := self.address(account)) is not None:
                restored["properties"]["endpoint"] = address
            restored["systemData"] = system_data(self.actor, moment, tick)
            restored["etag"] = etag(moment, tick, account)

    def purge_account(self, account: str) -> None:
        """Delete for good what was soft-deleted."""
        with self.changing():
            del self._deleted[fold(account)]

    def set_content_logging(self, account: str, value: str | None) -> None:
        """The capability ContentLogging: `"false"` is what Azure shows when storage for abuse monitoring is off; None takes it out."""
        held = self.get(account)["properties"].get("capabilities") or []
        others = [capability for capability in held if capability.get("name") != "ContentLogging"]
        shown = [] if value is None else [{"name": "ContentLogging", "value": value}]
        self.set_property(account, "/properties/capabilities", others + shown)

    def put_deployment(
        self,
        account: str,
        name: str,
        *,
        model: str = "gpt-4o",
        version: str | None = None,
        sku: str = "Standard",
        capacity: int = 10,
        policy: str = "Microsoft.DefaultV2",
        properties: Mapping[str, Json] | None = None,
    ) -> str:
        """A deployment; `properties` (spilloverDeploymentName, parentDeploymentName, routing, …) go on top."""
        shown = self.resources.body(account)
        return self.put(
            shapes.deployment_body(
                shown["id"], name, model=model, version=version, sku=sku, capacity=capacity, policy=policy,
                location=shown["location"], properties=properties,
            )
        )  # fmt: skip

    def delete_deployment(self, account: str, name: str) -> None:
        """Delete one deployment."""
        self.delete(f"{account}/deployments/{name}")

    def put_policy(
        self,
        account: str,
        name: str,
        filters: Sequence[Json],
        *,
        mode: str = "Blocking",
        base: str = "Microsoft.DefaultV2",
        blocklists: Sequence[str] = (),
    ) -> str:
        """A content filter policy of the customer's."""
        return self.put(shapes.policy_body(self._id(account), name, filters, mode=mode, base=base, blocklists=blocklists))

    def put_blocklist(self, account: str, name: str, description: str) -> str:
        """A blocklist, without its words."""
        return self.put(shapes.child(self._id(account), "raiBlocklists", name, {"description": description}))

    def put_project(self, account: str, name: str, *, display: str | None = None, default: bool = False) -> str:
        """A Foundry project, named in its account as Azure does."""
        body = self.get(account)
        project = shapes.project_body(
            body["id"], name, location=body["location"], tenant=self.tenant, display=display or name, default=default
        )
        with self.changing():
            named = [*body["properties"].get("associatedProjects", []), name]
            self.set_property(account, "/properties/associatedProjects", list(dict.fromkeys(named)))
            if default:
                self.set_property(account, "/properties/defaultProject", name)
            return self.put(project, style="dated")

    def delete_project(self, account: str, name: str) -> None:
        """Delete a project with all that lies in it; the account does not name it any more."""
        with self.changing():
            self.delete(f"{account}/projects/{name}")
            named = self.get(account)["properties"]["associatedProjects"]
            self.set_property(account, "/properties/associatedProjects", [other for other in named if other.lower() != name.lower()])

    def put_connection(
        self,
        parent: str,
        name: str,
        *,
        category: str = "AzureOpenAI",
        target: str = "",
        auth: str = "AAD",
        credentials: Mapping[str, Json] | None = None,
        metadata: Mapping[str, str] | None = None,
        shared: bool = False,
    ) -> str:
        """A connection of an account or a project; `credentials` are secrets, shown in the open to prove that they are screened."""
        body = shapes.connection_body(
            self._id(parent), name, category=category, target=target, auth=auth, credentials=credentials, metadata=metadata, shared=shared
        )
        return self.put(body, style=None)

    def put_capability_host(self, parent: str, name: str, **connections: Sequence[str]) -> str:
        """A capability host of an account or a project: `threadStorageConnections=[…]`, `vectorStoreConnections=[…]`, …"""
        shown = {key: list(names) for key, names in connections.items()}
        return self.put(shapes.capability_host_body(self._id(parent), name, shown), style=None)

    def put_encryption_scope(self, account: str, name: str, *, vault: str, key: str, version: str = "") -> str:
        """An encryption scope with a key of its own."""
        return self.put(shapes.encryption_scope_body(self._id(account), name, vault=vault, key=key, version=version))

    def put_private_endpoint(self, account: str, name: str, *, status: str = "Approved") -> str:
        """A private endpoint connection, listed and embedded in the account as Azure does."""
        body = shapes.private_endpoint_body(self._id(account), name, status=status)
        with self.changing():
            others = [c for c in self.get(account)["properties"]["privateEndpointConnections"] if c["id"] != body["id"]]
            self.set_property(account, "/properties/privateEndpointConnections", [*others, copy.deepcopy(body)])
            return self.put(body, authored=False, style=None)

    def put_perimeter(self, account: str, perimeter: str, *, mode: str = "Enforced") -> str:
        """Associate an account with a network security perimeter."""
        body = self.resources.body(account)
        return self.put(shapes.perimeter_body(body["id"], perimeter, mode=mode, location=body["location"]), authored=False, style=None)

    def set_defender(self, account: str, state: str) -> str:
        """Threat protection that reads prompts: `Enabled` or `Disabled`."""
        return self.put(shapes.defender_body(self._id(account), state))

    def put_diagnostic_setting(
        self, resource: str, name: str, logs: Sequence[str], *, workspace: str | None = None, storage: str | None = None
    ) -> str:
        """A diagnostic setting: logs are `allLogs`, `audit` or categories; `-RequestResponse` is listed but off."""
        body = scoped.diagnostic_setting_body(self._id(resource), name, logs=logs, workspace=workspace, storage=storage)
        return self.put(body, authored=False, style=None)

    def put_activity_export(self, subscription: str, name: str, logs: Sequence[str], *, workspace: str | None = None) -> str:
        """Export of a subscription's Activity Log."""
        body = scoped.activity_export_body(subscription, name, logs=logs, workspace=workspace)
        return self.put(body, authored=False, style=None)

    def put_role_assignment(self, scope: str, role: str, principal: str, *, sort: str = "Group") -> str:
        """A role assignment at a scope: `role` is a built-in role's name or a GUID, `principal` an object id."""
        by, subscription = guid(self.actor.name), subscription_of(scope) or ""
        with self.changing() as (moment, _):
            body = scoped.role_assignment_body(scope, role, principal, sort=sort, moment=moment, by=by, subscription=subscription)
            return self.put(body, authored=False, style=None)

    def _id(self, resource: str) -> str:
        return str(self.resources.body(resource)["id"])

    def _index(self, account: str) -> None:
        self._accounts.setdefault(account_name(account).subscription.lower(), {})[fold(account)] = account

    def _expired(self, gone: Deleted) -> bool:
        return self.now() - gone.at >= KEPT_AFTER_DELETION
