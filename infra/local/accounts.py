"""The life of accounts: created, changed, soft-deleted with all they hold, restored, purged; their keys; and what goes without anybody asking.

What Azure does by itself: a soft-deleted account is purged after 48 hours. Where `automatic_deletions` is on, a deployment of the SKU
DeveloperTier goes after 24 hours, and one of a fine-tuned model when it was not used for 15 days (the model stays). Whether the Activity
Log tells of those is not documented: `logs_automatic_deletions`.
"""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from infra.local import child_shapes as shapes
from infra.local.account_shape import account_body
from infra.local.authorship import Actor, Caller, etag, system_data
from infra.local.clock import real_time, stamp
from infra.local.data_plane import DataPlane
from infra.local.data_store import Held
from infra.local.ids import COGNITIVE, account_id, account_name, deleted_account_id, fold, subscription_of
from infra.local.resource_log import ResourceLog
from infra.local.resources import Body, Recipe
from infra.local.state import State
from infra.local.truth import Cause

Json = Any

SERVES_MODELS = ("openai", "aiservices")
KEPT_AFTER_DELETION = timedelta(hours=48)
"""How long a soft-deleted account can be restored, after Azure's documentation; then it is purged without anybody asking."""
DEVELOPER_TIER = timedelta(hours=24)
IDLE = timedelta(days=15)

AZURE = Actor("Azure OpenAI Service", "Application")


@dataclass(frozen=True, slots=True)
class Deleted:
    """A soft-deleted account: what the deletedAccounts list shows, and what restoring brings back."""

    body: Body
    at: datetime
    taken: list[tuple[str, Body | Recipe]]
    account: str
    data: Held


class Accounts(State):
    """Accounts; what lies in them is in `infra.local.world`."""

    def __init__(self, now: Callable[[], datetime] = real_time) -> None:
        super().__init__(now)
        self.shows_deletion_dates = False
        """Newer models have deletionDate and scheduledPurgeDate in deletedAccounts; no real answer with them was found."""
        self.automatic_deletions = False
        """Whether Azure deletes deployments by itself, from the next one that is put."""
        self.logs_automatic_deletions = False
        self.data = DataPlane(self)
        """What the accounts hold: files, jobs, models and the rest."""
        self.logs = ResourceLog(self)
        """What the diagnostic settings send to workspaces."""
        self.data.on_call, self.data.is_logged = self.logs.record_call, self.logs.is_logged
        self.address: Callable[[str], str | None] = lambda account: None
        """Where a new account answers; None: at the host that Azure would give it."""
        self._accounts: dict[str, dict[str, str]] = {}
        self._deleted: dict[str, Deleted] = {}
        self._used: dict[str, datetime] = {}

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
        with self.acting("write", resource, slow=True) as (moment, tick):
            body = account_body(
                resource, kind=kind, location=location, endpoint=endpoint or self.address(resource), actor=self.actor, tenant=self.tenant,
                moment=moment, tick=tick, tags=tags, properties=properties,
            )  # fmt: skip
            self.adopt_account(resource, kind, body)
            self.note("created", resource)
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
        with self.acting("delete", account, slow=True) as (moment, tick):
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
            gone = Deleted(shown, moment, taken, str(body["id"]), self.data.take(account))
            self._deleted[fold(account)] = gone
            for key, held in taken:
                if isinstance(held, dict) and key != fold(account):
                    self.note("deleted", key, cause="account-deleted")
            self.note("deleted", account, cause="deleted")
            self.due.add(moment + KEPT_AFTER_DELETION, lambda: self._purge_in_time(gone))

    def restore_account(self, account: str) -> None:
        """Bring back a soft-deleted account: createdAt becomes the time of restoring, dateCreated and internalId stay.

        That what lies in it comes back too is not documented anywhere we found; the stand-in brings it back.
        """
        gone = self._deleted[fold(account)]
        if self._expired(gone):
            raise KeyError(account)
        with self.acting("write", gone.account, slow=True) as (moment, tick):
            del self._deleted[fold(account)]
            self._index(gone.account)
            self.note("restored", account)
            for key, body in gone.taken:
                self.resources.put(key, body)
                if isinstance(body, dict) and key != fold(account):
                    self.note("restored", key)
            self.data.give_back(account, gone.data)
            restored = self.resources.kept(account)
            if (address := self.address(account)) is not None:
                restored["properties"]["endpoint"] = address
            restored["systemData"] = system_data(self.actor, moment, tick)
            restored["etag"] = etag(moment, tick, account)

    def purge_account(self, account: str) -> None:
        """Delete for good what was soft-deleted. The Activity Log has it outside any resource group."""
        gone = self._deleted[fold(account)]
        with self.acting("delete", str(gone.body["id"]), slow=True):
            del self._deleted[fold(account)]
            self.note("purged", account, cause="account-purged")

    def list_keys(self, account: str) -> None:
        """Somebody reads the keys: the Activity Log knows, and (where audit logs are on) the resource log."""
        with self.acting("listKeys/action", account, method="POST"):
            self.resources.body(account)
            self.logs.record_audit(account, "ListKey", self.actor)
            self.note("keys-listed", account)

    def regenerate_key(self, account: str) -> None:
        """Somebody makes a new key."""
        with self.acting("regenerateKey/action", account, method="POST"):
            self.resources.body(account)

    def use(self, account: str, deployment: str, *, caller: Caller | None = None) -> None:
        """Somebody asks a deployment for a completion: it is not idle, and logs may know of the call."""
        with self.changing() as (moment, _):
            resource = f"{account}/deployments/{deployment}"
            self.resources.body(resource)
            self._used[fold(resource)] = moment
            self.data.call(account, "chat", caller=caller)

    def age(self, deployment: str) -> None:
        """From now on the deployment ages, if Azure deletes any by itself."""
        body = self.resources.body(deployment)
        if not self.automatic_deletions:
            return
        born = body["systemData"]["createdAt"]
        if body["sku"]["name"] == "DeveloperTier":
            self.due.add(self.moment + DEVELOPER_TIER, lambda: self._drop(deployment, born, "developer-tier"))
        elif ".ft-" in str(body["properties"]["model"]["name"]):
            self._used[fold(deployment)] = self.moment
            self.due.add(self.moment + IDLE, lambda: self._drop_idle(deployment, born))

    def _drop_idle(self, deployment: str, born: str) -> None:
        since = self._used.get(fold(deployment), self.moment)
        if self.moment - since < IDLE:
            self.due.add(since + IDLE, lambda: self._drop_idle(deployment, born))
        else:
            self._drop(deployment, born, "idle")

    def _drop(self, deployment: str, born: str, cause: Cause) -> None:
        """Azure deletes a deployment, if it is still the one that was born then."""
        if deployment not in self.resources or self.resources.body(deployment)["systemData"]["createdAt"] != born:
            return
        with self.changing() as (moment, _):
            resource = str(self.resources.body(deployment)["id"])
            self.resources.take(deployment)
            self.note("deleted", resource, cause=cause, by=None, logged=self.logs_automatic_deletions)
            if self.logs_automatic_deletions:
                self.activity.record(moment, "delete", resource, AZURE)

    def _purge_in_time(self, gone: Deleted) -> None:
        if self._deleted.get(fold(gone.account)) is gone:
            with self.changing():
                del self._deleted[fold(gone.account)]
                self.note("purged", gone.account, cause="account-purged", by=None)

    def _id(self, resource: str) -> str:
        return str(self.resources.body(resource)["id"])

    def _index(self, account: str) -> None:
        self._accounts.setdefault(account_name(account).subscription.lower(), {})[fold(account)] = account

    def _expired(self, gone: Deleted) -> bool:
        return self.now() - gone.at >= KEPT_AFTER_DELETION
