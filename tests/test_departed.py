"""An alert says what a change does to what was approved: it departs, is as approved again, still differs, or nobody knows; the same at every telling."""

import json

import pytest

from infra.local import faults
from shared import layout
from shared.deliver.alerts import slack, teams
from shared.service import outbox
from shared.service.telling import fill
from tests.fixtures.estate import estate
from tests.test_baselines import ALPHA, BETA, SUBSCRIPTION, WHO, approve, sweep
from tests.test_crash import small
from tests.test_outbox import Memory


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        made.collect()
        yield made


def alerts(site, name=None):
    """What the last sweep gives to somebody who is told of everything, by the resource."""
    told = Memory(severity="info")
    told.name = name or f"memory-{len(list(site.store.list(layout.OUTBOX)))}"
    fill(site.store, site.sweeps[-1].sweep, [told], site.clock())
    paths = site.store.list(layout.outbox(layout.WAITING, told.name))
    found = [outbox.read_entry(site.store, path)["alert"] for path in paths]
    return {alert["resource"]: alert for alert in found if "was" not in alert}


def said(site):
    return {resource: alert["baseline"]["state"] if "baseline" in alert else None for resource, alert in alerts(site).items()}


def burst(site, sku="GlobalStandard"):
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku=sku)


BURST = f"{ALPHA}/deployments/burst"


def test_a_change_away_from_what_was_approved_and_back_again(site):
    burst(site, "Standard")
    sweep(site)
    assert said(site) == {BURST: None}, "nothing was approved"
    site.clock.advance(days=1)
    done = approve(site)
    burst(site)
    sweep(site)
    alert = alerts(site)[BURST]
    about = alert["baseline"]
    assert (about["state"], about["baseline"], about["record"], about["approved"]) == ("departs", 1, done.record, done.baseline.at)
    assert about["text"] == "departs from baseline 1, approved by a name that is withheld on 2026-11-02 (reviewed by the change board)"
    assert WHO["owner"] not in json.dumps(alert) and dict(site.records())[about["record"]]["baseline"]["owner"] == about["owner"]
    for dress in (slack.message, teams.card):
        assert b"departs from baseline 1" in dress(alert, site.clock())[0]
    burst(site, "DataZoneStandard")
    sweep(site)
    assert said(site) == {BURST: "differs"}
    burst(site, "Standard")
    sweep(site)
    back = alerts(site)[BURST]["baseline"]
    assert back["state"] == "returns" and "is as approved again, by baseline 1" in back["text"]
    burst(site)
    sweep(site)
    before = alerts(site, "one")
    assert before[BURST]["baseline"]["state"] == "departs"
    approve(site, "alpha", reason="it is wanted")
    for path in list(site.store.list(layout.STATE)):
        if not path.startswith((layout.OUTBOX, layout.SWEEP_SUMMARIES)):
            site.store.delete(path)
    assert alerts(site, "two") == before, "what is approved afterwards changes nothing that was told"
    burst(site, "Standard")
    sweep(site)
    now = alerts(site)[BURST]["baseline"]
    assert (now["state"], now["baseline"]) == ("departs", 2), "what was approved first is not what is approved now"


def test_an_account_that_comes_or_goes_departs_and_what_is_told_of_it_too(site):
    approve(site)
    world = site.azure.world
    world.create_account(SUBSCRIPTION.split("/")[2], "RG", "gamma", kind="OpenAI", location="swedencentral")
    world.delete_account(world.account("beta"))
    sweep(site)
    found = said(site)
    assert (found[ALPHA.replace("alpha", "gamma")], found[BETA]) == ("departs", "departs") and set(found.values()) == {"departs"}
    world.restore_account(BETA)
    world.data.admit(BETA)
    sweep(site)
    found = said(site)
    assert found[BETA] == "returns"


def test_only_what_a_baseline_covers_is_held_against_it(site):
    approve(site, "beta")
    burst(site)
    world = site.azure.world
    world.set_property(world.account("beta"), "/properties/publicNetworkAccess", "Disabled")
    sweep(site)
    assert said(site) == {BURST: None, BETA: "departs"}


def test_a_role_that_accounts_inherit_is_told_once_and_departs_where_an_account_was_approved(site):
    approve(site, "beta")
    world = site.azure.world
    world.put_role_assignment(SUBSCRIPTION, "Owner", "0a0a0a0a-0000-0000-0000-000000000001")
    world.delete_account(world.account("beta"))
    sweep(site)
    assert said(site)[BETA] == "departs", "it went from the list of its subscription, which nobody approved"
    world.restore_account(BETA)
    world.data.admit(BETA)
    sweep(site)
    world.put_role_assignment(SUBSCRIPTION, "Contributor", "0a0a0a0a-0000-0000-0000-000000000001")
    sweep(site)
    ((resource, alert),) = alerts(site).items()
    assert resource.startswith(f"{SUBSCRIPTION}/providers/microsoft.authorization/") and "(seen at 2 resources)" in alert["text"]
    assert (alert["count"], len(alert["records"]), alert["baseline"]["state"]) == (2, 2, "departs")


@pytest.mark.parametrize("failed", ["not asked", "failed"])
def test_where_nobody_could_look_it_is_not_known(tmp_path, failed):
    with estate(tmp_path, small) as site:
        if failed == "failed":
            site.azure.faults.add("/alpha/deployments", faults.forbidden())
            site.collect()
        else:
            site.collect(resources=[site.azure.world.account("beta")])
        approve(site)
        site.azure.faults.clear()
        sweep(site)
        burst(site)
        sweep(site)
        about = alerts(site)[BURST]["baseline"]
        assert about["state"] == "unknown" and "is not known" in about["text"]
        assert ("nobody could look then, forbidden" if failed == "failed" else "was not asked then") in about["text"]


def test_who_did_it_is_in_the_alert(site):
    burst(site)
    sweep(site)
    alert = alerts(site)[BURST]
    record = dict(site.records())[alert["who"]["record"]]
    assert record["type"] == "attribution" and record["by"] == alert["who"]["by"] and record["resource"] == BURST
    assert alert["who"]["status"] == "attributed" and alert["who"]["text"].startswith(record["by"])
