"""Baselines: what somebody approved, once, small, and looked up in the log; drift from it is what differs now, and what nobody could look at is never as approved."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import faults
from infra.local.state import fold
from shared import layout
from shared.canonical import sha256
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse
from shared.privacy.disclosures import Disclosures
from shared.records import timestamp
from shared.seal import note
from shared.service import baseline, queries
from shared.service.collector import open_collector
from shared.service.compose import random_bytes, sealing
from shared.service.drifted import drifted, summary
from shared.service.planning import Planner, Scope, SweepName
from shared.service.queries import Filter
from shared.service.sweep import OpenSweep
from tests.fixtures.estate import estate
from tests.fixtures.faulty import killed_at_each_write
from tests.test_crash import small

WHO = {"owner": "Head of Platform", "reason": "reviewed by the change board"}
SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
ALPHA = f"{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.cognitiveservices/accounts/alpha"
BETA = ALPHA.replace("alpha", "beta")


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        made.collect()
        yield made


def approve(site, resource=None, **more):
    return baseline.approve(site.settings, resource, now=site.clock, **{**WHO, **more})


def sweep(site, **options):
    site.clock.advance(hours=6)
    return site.collect(**options)


def told(site, resource=None):
    return {one["resource"]: one for one in drifted(site.reading(), Filter(resource))}


def states(site):
    return {resource: one["state"] for resource, one in told(site).items()}


def texts(one):
    return [meaning["text"] for each in one["differences"] for meaning in each["means"]]


def sealed(site):
    return site.records("baseline")


ALL_AS_APPROVED = dict.fromkeys((None, SUBSCRIPTION, ALPHA, BETA), "as approved")


def test_what_nobody_changed_is_as_approved_whatever_azure_moves_by_itself(site):
    done = approve(site)
    assert states(site) == ALL_AS_APPROVED
    account = site.azure.world.account("alpha")

    def shuffled(body):
        body["etag"] = '"another"'
        body["id"] = body["id"].upper()
        body["properties"]["capabilities"].reverse()
        body["systemData"]["lastModifiedAt"] = "2026-11-01T05:00:00Z"

    site.azure.faults.add(re.compile(re.escape(account) + r"\?"), faults.edited(shuffled))
    site.azure.faults.add("/deployments", faults.edited(lambda body: body["value"].reverse()))
    sweep(site)
    assert states(site) == ALL_AS_APPROVED
    site.azure.faults.add(re.compile(re.escape(account) + r"\?"), faults.edited(lambda body: body["properties"].update(neverHeardOf=True)))
    sweep(site)
    alpha = told(site)[ALPHA]
    assert alpha["state"] == "drifted" and alpha["severity"] == "low" and any("neverHeardOf" in text for text in texts(alpha))
    (index, record), = sealed(site)
    assert index == done.record and record["baseline"]["number"] == 1 and len(json.dumps(record)) < 1000
    said = verify_store(site.store, [note.parse_vkey(site.vkey)])
    assert said.problems == () and said.intact


def test_both_states_are_named_and_anybody_can_look_them_up(site):
    approve(site)
    world = site.azure.world
    world.set_property(world.account("alpha"), "/properties/publicNetworkAccess", "Disabled")
    sweep(site)
    each, = told(site)[ALPHA]["differences"]
    records = dict(site.records())
    was, is_ = records[each["approved"]], records[each["now"]]
    act = sealed(site)[0][1]["baseline"]
    assert was["kind"] == is_["kind"] == "account" == each["kind"] and was["resource"] == ALPHA == is_["resource"]
    assert act["from"] <= each["approved"] < act["size"] <= each["now"]
    newest = max(index for index, r in records.items() if index < act["size"] and r["kind"] == "account" and r["resource"] == ALPHA)
    assert each["approved"] == newest and records[act["size"] - 1]["type"] == "sweep-closed" and records[act["size"] - 1]["sweep"] == act["sweep"]
    assert each["fields"][0]["pointer"] == "/properties/publicNetworkAccess" and each["severity"] == "info"
    assert states(site)[BETA] == "as approved" and summary(site.reading()) == {"as_approved": 3, "drifted": 1, "unknown": 0, "never_approved": 0}


def test_what_changed_and_changed_back_is_two_changes_and_no_drift(site):
    approve(site)
    world = site.azure.world
    account = world.account("alpha")
    world.put_deployment(account, "burst", model="gpt-4o", sku="GlobalStandard")
    sweep(site)
    alpha = told(site)[ALPHA]
    assert alpha["state"] == "drifted" and [each["resource"] for each in alpha["differences"]] == [f"{ALPHA}/deployments/burst"]
    world.delete_deployment(account, "burst")
    sweep(site)
    assert states(site) == ALL_AS_APPROVED
    assert len([c for c in queries.changes(site.reading(), None, Filter()) if "/burst" in c["resource"]]) == 2


def test_drift_stays_until_it_is_approved_though_nothing_changes_any_more(site):
    approve(site)
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku="GlobalStandard")
    for _ in range(3):
        sweep(site)
    assert states(site)[ALPHA] == "drifted"
    approve(site, "alpha", reason="it is wanted")
    assert states(site) == ALL_AS_APPROVED and told(site)[ALPHA]["baseline"] == 2 and told(site)[BETA]["baseline"] == 1
    site.azure.world.delete_deployment(site.azure.world.account("alpha"), "burst")
    sweep(site)
    assert states(site)[ALPHA] == "drifted", "what was approved first is not what is approved now"


def test_an_account_that_is_new_or_gone_is_drift_and_one_that_came_back_too(site):
    approve(site)
    world = site.azure.world
    world.create_account(SUBSCRIPTION.split("/")[2], "RG", "gamma", kind="OpenAI", location="swedencentral")
    world.delete_account(world.account("beta"))
    sweep(site)
    gamma = ALPHA.replace("alpha", "gamma")
    now = told(site)
    assert {resource: one["state"] for resource, one in now.items()} == {**ALL_AS_APPROVED, BETA: "gone", gamma: "new", SUBSCRIPTION: "drifted"}
    assert "is gone from the list of accounts" in texts(now[BETA])[0] and now[BETA]["severity"] == "high"
    shown = dict(site.records())[now[BETA]["differences"][0]["now"]]
    assert (shown["kind"], shown["resource"]) == ("accounts", SUBSCRIPTION)
    assert any("can be restored" in text for text in texts(now[SUBSCRIPTION]))
    approve(site)
    assert told(site).keys() == {None, SUBSCRIPTION, ALPHA, gamma} and set(states(site).values()) == {"as approved"}, "what is gone was approved to be gone"
    world.restore_account(BETA)
    site.azure.world.data.admit(BETA)
    sweep(site)
    assert states(site)[BETA] == "new"


def test_deleted_and_restored_in_between_is_told(site):
    approve(site)
    world = site.azure.world
    account = world.account("beta")
    world.delete_account(account)
    site.clock.advance(hours=1)
    world.restore_account(fold(account))
    sweep(site)
    assert states(site)[BETA] == "drifted" and any("was deleted and restored" in text for text in texts(told(site)[BETA]))


def test_a_resource_in_another_casing_is_the_same(site):
    approve(site, ALPHA.upper().replace("/SUBSCRIPTIONS", "/subscriptions") + "/")
    assert sealed(site)[0][1]["baseline"]["scope"] == ALPHA == sealed(site)[0][1]["resource"]

    def shouted(body):
        for item in body["value"]:
            item["id"] = item["id"].replace("alpha", "ALPHA").replace("/rg/", "/Rg/")

    site.azure.faults.add(re.compile(r"accounts\?"), faults.edited(shouted))
    sweep(site)
    assert states(site) == {ALPHA: "as approved", BETA: "never approved"}


def test_where_nobody_could_look_it_is_unknown_and_what_is_seen_to_drift_still_drifts(site):
    approve(site)
    site.azure.faults.add("/alpha/deployments", faults.forbidden())
    sweep(site)
    alpha = told(site)[ALPHA]
    assert alpha["state"] == "unknown" and [one["kind"] for one in alpha["unknown"]] == ["deployments"] and "could not look: forbidden" in alpha["unknown"][0]["why"]
    assert states(site)[BETA] == "as approved"
    site.azure.world.set_property(site.azure.world.account("alpha"), "/properties/publicNetworkAccess", "Disabled")
    sweep(site)
    alpha = told(site)[ALPHA]
    assert alpha["state"] == "drifted" and len(alpha["unknown"]) == 1
    site.azure.faults.clear()
    site.azure.faults.add(f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/accounts", faults.forbidden())
    sweep(site)
    assert states(site)[ALPHA] == states(site)[BETA] == "unknown", "an account that could not be listed is not as approved, and not gone"
    assert "the list of accounts failed: forbidden" in told(site)[BETA]["unknown"][0]["why"]


def test_a_subscription_that_azure_does_not_know_any_more_makes_its_accounts_unknown_and_not_gone(site):
    approve(site)
    site.azure.faults.add("/subscriptions/", faults.subscription_not_found())
    sweep(site)
    assert states(site) == {**dict.fromkeys(ALL_AS_APPROVED, "unknown"), None: "as approved"}
    sweep(site, resources=[site.azure.world.account("alpha")])
    assert states(site)[ALPHA] == "unknown", "asked about by name"


def test_a_subscription_that_is_not_listed_any_more_is_drift_and_its_accounts_are_unknown(site):
    approve(site)
    site.azure.faults.add(re.compile(r"^/subscriptions\?"), faults.edited(lambda body: body.update(value=[])))
    sweep(site)
    assert states(site) == {**dict.fromkeys(ALL_AS_APPROVED, "unknown"), None: "drifted"}
    sweep(site, resources=[site.azure.world.account("alpha")])
    assert (states(site)[ALPHA], states(site)[BETA]) == ("as approved", "unknown"), "alpha was asked about by name"


def test_approved_while_a_question_failed_is_the_answer_before(site):
    site.azure.faults.add("/alpha/deployments", faults.forbidden())
    sweep(site)
    approve(site)
    site.azure.faults.clear()
    sweep(site)
    assert states(site) == ALL_AS_APPROVED
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku="GlobalStandard")
    sweep(site)
    assert states(site)[ALPHA] == "drifted"


def test_what_was_never_answered_is_not_approved(tmp_path):
    with estate(tmp_path, small) as site:
        site.azure.faults.add("/alpha/deployments", faults.forbidden())
        site.collect()
        approve(site)
        site.azure.faults.clear()
        sweep(site)
        alpha = told(site)[ALPHA]
        assert alpha["state"] == "unknown" and "not approved: nobody could look then, forbidden" in alpha["unknown"][0]["why"]
        assert states(site)[BETA] == "as approved"


def test_a_sweep_of_one_account_says_nothing_of_the_others(site):
    approve(site)
    account = site.azure.world.account("alpha")
    site.azure.world.put_deployment(account, "burst", model="gpt-4o", sku="GlobalStandard")
    sweep(site, resources=[account])
    assert states(site) == {**ALL_AS_APPROVED, ALPHA: "drifted"}
    approve(site)
    assert states(site) == ALL_AS_APPROVED, "what that sweep did not ask was asked before"
    sweep(site)
    assert states(site) == ALL_AS_APPROVED


def planned(site, name, resources=None, around=None):
    """A sweep that is planned and sealed as far as that, to be collected and closed, or only closed."""
    site.clock.advance(hours=1)
    collector, sequencer = open_collector(site.settings, site.store, site.clock), sealing(site.settings, site.store).sequencer
    Planner(collector, SweepName(name, None, site.clock()), Scope(None, resources), None, {"by": "manual", "ref": None}, around=around).plan()
    sequencer.seal()
    return OpenSweep(collector, sequencer, name, lambda what, done, total: None).__enter__()


def test_what_a_sweep_did_not_come_to_is_unknown_though_it_was_seen_before(site):
    approve(site)
    planned(site, "20261101T010000Z").close(resumed=False)
    assert states(site) == {**dict.fromkeys(ALL_AS_APPROVED, "unknown"), None: "as approved"}
    assert "did not come to it" in told(site)[ALPHA]["unknown"][0]["why"]
    sweep(site)
    assert states(site) == ALL_AS_APPROVED


def test_the_collection_after_an_event_counts_and_says_nothing_of_others(site):
    approve(site)
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku="GlobalStandard")
    long = planned(site, "20261101T010000Z")
    event = planned(site, f"20261101T010000Z{layout.BY_EVENT}{sha256(ALPHA.encode())[:16]}", (ALPHA,), timestamp(site.clock()))
    event.collect()
    event.close(resumed=False)
    assert states(site) == {**ALL_AS_APPROVED, ALPHA: "drifted"}
    approve(site, "alpha")
    assert states(site) == ALL_AS_APPROVED
    site.azure.world.delete_deployment(site.azure.world.account("alpha"), "burst")
    long.collect()
    long.close(resumed=False)
    assert states(site) == {**ALL_AS_APPROVED, ALPHA: "drifted"}, "planned before it was approved, and asked after"


@pytest.mark.parametrize("scope", ["alpha", ALPHA, f"{SUBSCRIPTION}/resourceGroups/RG", SUBSCRIPTION, SUBSCRIPTION.split("/")[2]])
def test_what_lies_in_the_scope_is_covered(site, scope):
    approve(site, scope)
    covered = {resource for resource, state in states(site).items() if state == "as approved"}
    assert covered == ({ALPHA} if "alpha" in scope else {ALPHA, BETA} if "resource" in scope else {SUBSCRIPTION, ALPHA, BETA})


@pytest.mark.parametrize(("resource", "more", "hint"), [
    ("alpah", {}, "accounts/alpha"), ("", {}, "nearest"), ("/", {}, "nearest"), ("/subscriptions", {}, "nearest"), (f"{SUBSCRIPTION}/resourceGroups", {}, "nearest"),
    (f"{ALPHA}/deployments/chat", {}, "accounts/alpha"), ("22222222-2222-3333-4444-555555555555", {}, "nearest"),
    (None, {"owner": " "}, "--owner"), (None, {"reason": ""}, "--reason"), (None, {"reason": "a\nb"}, "one line"),
])  # fmt: skip
def test_what_cannot_be_approved_is_refused_and_nothing_is_sealed(site, resource, more, hint):
    with pytest.raises(Misuse, match=hint):
        approve(site, resource, **more)
    assert sealed(site) == []


def test_nothing_was_seen_yet(tmp_path):
    with estate(tmp_path, small) as site:
        with pytest.raises(Misuse, match="nothing to approve"):
            approve(site)
        assert told(site) == {} and summary(site.reading()) is None


def test_the_same_again_adds_nothing_and_another_does(site):
    assert approve(site) == approve(site) and len(sealed(site)) == 1
    approve(site, "alpha")
    approve(site, reason="another")
    sweep(site)
    approve(site)
    assert [record["baseline"]["number"] for _, record in sealed(site)] == [1, 2, 3, 4]
    assert [one["record"] for one in baseline.baselines(site.reading())] == [index for index, _ in sealed(site)]


def test_who_approved_it_stands_nowhere_in_clear(site):
    approve(site)
    committed = sealed(site)[0][1]["baseline"]["owner"]["committed"]
    assert Disclosures(site.store, random_bytes).disclose(committed)["value"] == WHO["owner"]
    assert not any(WHO["owner"].encode() in site.store.get(path) for path in site.store.list("evidence/"))


def test_nothing_of_it_is_read_from_what_can_be_lost(site):
    approve(site)
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku="GlobalStandard")
    sweep(site)
    before = told(site)
    for path in list(site.store.list(layout.STATE)):
        site.store.delete(path)
    assert told(site) == before and before[ALPHA]["state"] == "drifted"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_write_the_same_command_goes_on(site, monkeypatch, when):
    for number in killed_at_each_write(monkeypatch, baseline, site.store, lambda n: approve(site, reason=f"reason {n}"), after=when == "after"):
        reason = f"reason {number}"
        assert approve(site, reason=reason).record is not None
        assert [record["baseline"]["reason"] for _, record in sealed(site)].count(reason) == 1
    assert verify_store(site.store, [note.parse_vkey(site.vkey)]).intact


def test_on_the_command_line(site):
    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "shared", "--store", str(site.root), *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1]
        )
        assert "Traceback" not in done.stderr
        return done

    who = ("--owner", "Head of Platform", "--reason", "reviewed")
    nothing = run("drift")
    assert nothing.returncode == 3 and "never approved" in nothing.stdout and "baseline" not in run("status").stdout
    assert run("baseline", "approve", *who).returncode == 2 == run("baseline", "approve", "--all", "--resource", "alpha", *who).returncode
    added = json.loads(run("baseline", "approve", "--all", *who, "--json").stdout)
    assert added["scope"] is None and added["baseline"] == 1 and isinstance(added["record"], int)
    fine = run("drift")
    assert fine.returncode == 0 and "4 of 4 resources are as approved" in fine.stdout
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku="GlobalStandard")
    site.azure.faults.add("/beta/deployments", faults.forbidden())
    sweep(site)
    shown = run("drift")
    assert shown.returncode == 3 and "2 of 4" in shown.stdout and "burst" in shown.stdout and "could not look" in shown.stdout
    assert run("drift", "--resource", "beta").returncode == 3 and run("drift", "--resource", "nothing-such").returncode == 2
    assert json.loads(run("drift", "--resource", "alpha", "--json").stdout)[0]["differences"][0]["approved"] is not None
    assert "resources that drifted from their baseline: 1 (unknown: 1, never approved: 0, as approved: 2)" in run("status").stdout
    assert "reviewed" in run("baseline", "list").stdout
