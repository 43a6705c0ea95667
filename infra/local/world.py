"""The world behind the stand-in: accounts and all that hangs on them, in memory, to be changed at will.

Every change is a method; each marks what it touched with a new etag and `systemData.lastModified*`, by `world.actor`, at
`world.now()`. Set `actor` or `now` (or use `at`) to tell a story. Ids come in any casing. A change of what is not there
raises KeyError; a change that Azure would refuse raises ValueError with Azure's code.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from infra.local import child_shapes as shapes
from infra.local import scope_shapes as scoped
from infra.local.accounts import SERVES_MODELS, Accounts
from infra.local.ids import guid, subscription_of

__all__ = ["SERVES_MODELS", "World"]

Json = Any


class World(Accounts):
    """A mutable Azure for a test or a demo."""

    def set_content_logging(self, account: str, value: str | None) -> None:
        """The capability ContentLogging: `"false"` is what Azure shows when storage for abuse monitoring is off; None takes it out."""
        held = self.get(account)["properties"].get("capabilities") or []
        others = [capability for capability in held if capability.get("name") != "ContentLogging"]
        shown = [] if value is None else [{"name": "ContentLogging", "value": value}]
        with self.unasked():  # Microsoft does it, when it has approved
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
        made = self.put(
            shapes.deployment_body(
                shown["id"], name, model=model, version=version, sku=sku, capacity=capacity, policy=policy,
                location=shown["location"], properties=properties,
            ),
            slow=True,
        )  # fmt: skip
        self.age(made)
        return made

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
        with self.acting("write", project["id"]):
            named = [*body["properties"].get("associatedProjects", []), name]
            self.set_property(account, "/properties/associatedProjects", list(dict.fromkeys(named)))
            if default:
                self.set_property(account, "/properties/defaultProject", name)
            return self.put(project, style="dated")

    def delete_project(self, account: str, name: str) -> None:
        """Delete a project with all that lies in it; the account does not name it any more."""
        with self.acting("delete", f"{account}/projects/{name}"):
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
        with self.acting("write", body["id"]):
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
        self,
        resource: str,
        name: str,
        logs: Sequence[str],
        *,
        workspace: str | None = None,
        storage: str | None = None,
        dedicated: bool = False,
    ) -> str:
        """A diagnostic setting: logs are `allLogs`, `audit` or categories; `-RequestResponse` is listed but off. `dedicated`: own tables."""
        body = scoped.diagnostic_setting_body(self._id(resource), name, logs=logs, workspace=workspace, storage=storage)
        if dedicated:
            body["properties"]["logAnalyticsDestinationType"] = "Dedicated"
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
