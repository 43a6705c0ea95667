"""Real incidents, one after another: what changed, what it means and how much it matters, who did it, which finding says so, and who is told.

Each happens in a company of its own between two sweeps, or between two events; the store, and a bundle of it, verify. A real receiver of
webhooks is told of each change once, and of each finding that turned, however often what closed a sweep is done again.
"""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta

import pytest

from infra.local.authorship import Actor
from infra.local.child_shapes import content_filters
from infra.local.ids import guid
from infra.local.world import World
from shared import layout
from shared.deliver.bundle.build import build
from shared.deliver.verify import verify_bundle
from shared.seal import note
from shared.service import outbox
from shared.service.queries import Filter, changes
from shared.service.steps.watch import watch
from tests.fixtures.steps import plant
from tests.test_attributed import deliver, sweep
from tests.test_outbox import SECRET, Hooked

SUBSCRIPTION = guid("test", "incidents")
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ops/providers/Microsoft.OperationalInsights/workspaces/logs"
EVE, MAL = Actor("eve@example.org"), Actor("mal@example.org")
KEY = {"keySource": "Microsoft.KeyVault", "keyVaultProperties": {"keyVaultUri": "https://v.vault.azure.net/", "keyName": "k", "identityClientId": guid("v")}}


def guarded(clock):
    """One account in which everything is as it should be."""
    world = World(clock)
    world.add_subscription(SUBSCRIPTION, "incidents")
    closed = {"publicNetworkAccess": "Disabled", "networkAcls": {"defaultAction": "Deny", "ipRules": [], "virtualNetworkRules": []}, "encryption": KEY}
    account = world.create_account(SUBSCRIPTION, "rg", "guarded", properties=closed)
    world.set_content_logging(account, "false")
    world.put_policy(account, "strict", content_filters("Low"))
    world.put_deployment(account, "chat", policy="strict")
    world.put_diagnostic_setting(account, "all", ["allLogs"], workspace=WORKSPACE)
    return world


Act = Callable[[World, str], None]


@dataclass(frozen=True)
class Expected:
    """A change that must come out."""

    kind: str
    tail: str
    """How its resource ends."""
    op: str
    text: str
    """A word of what it means."""
    severity: str
    by: Actor | None
    """None: nobody can be named, for the reason below."""
    reason: str = ""


@dataclass(frozen=True)
class Incident:
    """What somebody does, and what must be said of it."""

    acts: tuple[tuple[Actor, Act], ...]
    expected: tuple[Expected, ...]
    findings: dict[str, str] = field(default_factory=dict)
    """By control: the status that it has of the account after it, and had not before."""
    by_event: bool = False


PROFILE = """
[access]
roles_allowed = ["Cognitive Services OpenAI User"]

[encryption]
key_source = "customer"
"""


def logging_off(world, account):
    world.delete(f"{account}/providers/Microsoft.Insights/diagnosticSettings/all")


INCIDENTS = {
    "storage for abuse monitoring is on again": Incident(
        ((EVE, lambda world, account: world.set_content_logging(account, None)),),
        (Expected("account", "/guarded", "provided", "abuse monitoring is on again", "high", None, "the provider's"),),
        {"content-logging-off": "not-satisfied"},
    ),
    "a Global deployment, added at night and gone before the next sweep": Incident(
        ((EVE, lambda world, account: world.put_deployment(account, "night", sku="GlobalStandard")),
         (MAL, lambda world, account: world.delete_deployment(account, "night"))),
        (Expected("deployments", "/night", "added", "in any geography", "high", EVE),
         Expected("deployments", "/night", "removed", "deployment night of account guarded is gone", "medium", MAL)),
        by_event=True,
    ),
    "the customer's key is removed": Incident(
        ((EVE, lambda world, account: world.set_property(account, "/properties/encryption", {"keySource": "Microsoft.CognitiveServices"})),),
        (Expected("account", "/guarded", "changed", "the customer's key was replaced by the provider's key", "medium", EVE),),
        {"encryption-key-source": "not-satisfied"},
    ),
    "a filter is loosened": Incident(
        ((EVE, lambda world, account: world.put_policy(account, "strict", content_filters("High"))),),
        (Expected("raiPolicies", "/strict", "changed", "filter strict blocks violence in prompts from severity High on", "medium", EVE),),
        {"content-filter-thresholds": "not-satisfied"},
    ),
    "the public network is opened": Incident(
        ((EVE, lambda world, account: world.set_property(account, "/properties/publicNetworkAccess", "Enabled")),
         (EVE, lambda world, account: world.set_property(account, "/properties/networkAcls/defaultAction", "Allow"))),
        (Expected("account", "/guarded", "changed", "can be reached from public networks", "high", EVE),),
        {"public-network-access": "not-satisfied"},
    ),
    "two people open it, and which of them did what is not guessed": Incident(
        ((EVE, lambda world, account: world.set_property(account, "/properties/publicNetworkAccess", "Enabled")),
         (MAL, lambda world, account: world.set_property(account, "/properties/networkAcls/defaultAction", "Allow"))),
        (Expected("account", "/guarded", "changed", "lets in networks that no rule names", "high", None, "Several people wrote it"),),
        {"public-network-access": "not-satisfied"},
    ),
    "diagnostic logs are switched off before something is deleted": Incident(
        ((EVE, logging_off), (MAL, lambda world, account: world.delete_deployment(account, "chat"))),
        (Expected("diagnosticSettings", "/all", "removed", "is not logged there any more", "high", EVE),
         Expected("deployments", "/chat", "removed", "deployment chat of account guarded is gone", "medium", MAL)),
        {"data-plane-logging": "not-satisfied"},
    ),
    "the account is deleted": Incident(
        ((EVE, lambda world, account: world.delete_account(account)),),
        (Expected("accounts", "/accounts/guarded", "removed", "with all it held", "high", EVE),
         Expected("deletedAccounts", "/deletedaccounts/guarded", "added", "can be restored for 48 hours", "high", EVE)),
        {"deleted-accounts-purged": "not-satisfied"},
    ),
    "the account is deleted and restored in between": Incident(
        ((EVE, lambda world, account: world.delete_account(account)), (MAL, lambda world, account: world.restore_account(account))),
        (Expected("account", "/guarded", "changed", "was deleted and restored in between", "high", MAL),),
    ),
    "a role is granted": Incident(
        ((EVE, lambda world, account: world.put_role_assignment(account, "Owner", guid("group"))),),
        (Expected("roleAssignments", "", "added", "Owner was granted to Group", "high", EVE),),
        {"role-assignments": "not-satisfied"},
    ),
}  # fmt: skip


def statuses(works):
    """The newest status of each control, the worst where it has several resources: `not-satisfied` anywhere counts."""
    found = {}
    for _, record in works.estate.records("finding"):
        found.setdefault((record["sweep"], record["control"]), set()).add(record["status"])
    last = [record["sweep"] for _, record in works.estate.records("sweep-closed")][-1]
    return {control: "not-satisfied" if "not-satisfied" in said else min(said) for (sweep_, control), said in found.items() if sweep_ == last}


@contextmanager
def listening(clock):
    """A receiver of webhooks."""
    hook = Hooked(clock)
    try:
        yield hook
    finally:
        hook.server.stop()


def told(works):
    """Deliver what waits."""
    app = works.app()
    assert [done.error for done in outbox.deliver(app.store, app.receivers, app.now) if done.error] == []


def check_alerts(works, hook, incident):
    """Each change that must come out is told once, and what turned is told with it or by itself; nothing again, whatever is done again."""
    told(works)
    for summary in works.estate.reading().sweeps:
        works.estate.store.put(layout.alert(summary["sweep"]), b"{}")
    watch(works.app())
    told(works)
    taken = hook.taken
    assert len({alert["key"] for alert in taken}) == len(taken)
    for expected in incident.expected:
        [alert] = [one for one in taken if any(expected.text in mean["text"] for mean in one["means"]) and (one["resource"] or "").endswith(expected.tail)]
        assert alert["severity"] == expected.severity and works.estate.records()[alert["records"][0]][1]["type"] == "change"
        change = works.estate.records()[alert["records"][0]][1]
        assert (alert["since"], alert["until"]) == (change["since"], change["until"])
        assert alert["who"]["by"] == (expected.by and expected.by.object_id) and (expected.by.object_id if expected.by else expected.reason) in alert["who"]["text"]
    for control in incident.findings:
        turned = [alert for alert in taken if control in alert["controls"] and (alert.get("findings") or alert.get("status") == "not-satisfied")]
        assert len(turned) == 1, control


@pytest.mark.parametrize("name", INCIDENTS)
def test_an_incident(tmp_path, name):
    incident = INCIDENTS[name]
    (tmp_path / "profile.toml").write_text(PROFILE)
    with plant(tmp_path / "store", world=guarded) as works, listening(works.estate.clock) as hook:
        works.estate.settings = replace(
            works.estate.settings, profile=str(tmp_path / "profile.toml"), alert_webhooks=(f"{hook.server.url}/hook",), alert_secret=SECRET, alert_severity="info"
        )
        sweep(works)
        told(works)
        hook.taken.clear()
        before, world, began = statuses(works), works.estate.azure.world, works.estate.clock()
        account = world.account("guarded")
        for actor, act in incident.acts:
            since = works.estate.clock.advance(minutes=30)
            world.actor = actor
            act(world, account)
            if incident.by_event:
                deliver(works, since)
        found = list(changes(works.estate.reading(), None, Filter())) if incident.by_event else []
        sweep(works)
        found = found or list(changes(works.estate.reading(), None, Filter()))

        for expected in incident.expected:
            [change] = [c for c in found if c["kind"] == expected.kind and c["resource"].endswith(expected.tail) and c["attribution"]["change"]["op"] == expected.op]
            assert change["severity"] == expected.severity and any(expected.text in means["text"] for means in change["means"]), change["means"]
            who = change["attribution"]
            if expected.by is None:
                assert who["status"] == "unattributed" and who["by"] is None and expected.reason in who["reason"]
            else:
                assert (who["status"], who["by"]) == ("attributed", expected.by.object_id), who["reason"]
        check_alerts(works, hook, incident)
        after = statuses(works)
        for control, status in incident.findings.items():
            assert (before[control] != status, after[control]) == (True, status), control

        assert list(works.verify().problems) == []
        for resources in (None, [account.lower()]):
            build(works.estate.store, tmp_path / "bundle.zip", period=(began - timedelta(hours=7), works.estate.clock() + timedelta(hours=1)), resources=resources)
            verdict = verify_bundle(tmp_path / "bundle.zip", [note.parse_vkey(works.estate.vkey)])
            assert list(verdict.problems) == [] and verdict.counts.get("attributions") == verdict.counts.get("attributions recomputed")
            assert resources or verdict.counts["attributions"]
