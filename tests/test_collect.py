"""The use-case `collect`, whole: what is asked, what is kept, what is said of what could not be had."""

import json
import re
from collections import Counter

import pytest

from infra.local import faults
from infra.local.scenarios import drift
from infra.local.world import World
from shared import layout
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.records import whole
from shared.service import standing
from tests.fixtures.estate import estate


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path) as made:
        yield made


def evidence_bytes(site):
    texts = (layout.BATCHES, layout.BODIES, layout.COMMITS, layout.LOG + "tile/entries/")
    return b"\n".join(site.store.get(path) for folder in texts for path in site.store.list(folder))


def strings(value):
    if isinstance(value, dict):
        return [s for v in value.values() for s in strings(v)]
    return [value] if isinstance(value, str) else []


def test_everything_planned_is_answered_and_nothing_is_asked_twice(site):
    done = site.collect()
    plan = site.reading().body
    record = whole(site.records("sweep-planned")[0][1], plan)
    asked = Counter((r["kind"], r["resource"]) for _, r in site.records("observation", "failure"))
    assert set(asked.values()) == {1}
    for unit in record["units"]:
        assert {kind for kind, resource in asked if resource == unit["resource"]} >= set(record["questions"][unit["asked"]])
    targets = Counter((request.account, request.target, request.body) for request in site.azure.requests)
    assert set(targets.values()) == {1}
    assert site.azure.violations == []
    assert {f["kind"] for f in done.failures} <= {"tls"}


def test_accounts_of_other_kinds_are_left_alone(site):
    site.collect()
    plan = whole(site.records("sweep-planned")[0][1], site.reading().body)
    kinds = {unit["asked"] for unit in plan["units"]}
    assert kinds == {"subscription", "account:OpenAI", "account:AIServices"}


def test_bodies_are_azures_bytes_but_for_what_is_personal_or_secret(site):
    site.collect(settings={})
    kept = site.store
    for _, record in site.records("observation"):
        for page in record["pages"]:
            body = kept.get(layout.body(page["sha256"]))
            assert len(body) == page["bytes"]
            if record["kind"] == "locations":
                fetched = next(r for r in site.azure.requests if r.target in page["url"])
                assert fetched
    data = evidence_bytes(site)
    assert re.findall(rb"[\w.+-]+@[\w-]+\.[\w.-]+", data) == []
    world = site.azure.world
    parents = [parent for account in world.accounts() for parent in (account, *(p["id"] for p in world.children(account, "projects")))]
    shown = [child for parent in parents for child in world.children(parent, "connections")]
    secrets = [value for body in shown for value in strings(body["properties"].get("credentials"))]
    assert secrets, "the stand-in shows no secret, so this proves nothing"
    assert [secret for secret in secrets if secret.encode() in data] == []


def test_a_subscription_that_answers_403_is_named_not_left_out(site):
    denied = site.azure.world.accounts()[0].split("/")[2]
    site.azure.faults.add(f"/subscriptions/{denied}/providers/Microsoft.CognitiveServices/accounts", faults.forbidden())
    done = site.collect()
    assert not done.complete
    assert any(f["kind"] == "accounts" and denied in f["resource"] and f["reason"] == "forbidden" for f in done.failures)
    assert b"client" not in json.dumps(site.records("failure")).encode().lower()


def test_a_subscription_without_a_usable_id_is_named_not_left_out(site):
    def strange(body):
        body["value"].append({"id": "/subscriptions/../x", "subscriptionId": "a/../b", "displayName": "?"})

    site.azure.faults.add(re.compile(r"^/subscriptions\?"), faults.edited(strange))
    done = site.collect()
    assert any(f["kind"] == "accounts" and f["reason"] == "malformed" for f in done.failures)


@pytest.mark.parametrize("kind", ["deployments", "raiPolicies", "diagnosticSettings", "account"])
def test_what_cannot_be_read_is_unknown_never_satisfied(site, kind):
    account = site.azure.world.accounts()[0]
    tail = {"account": "?", "diagnosticSettings": "/providers/Microsoft.Insights/diagnosticSettings"}.get(kind, f"/{kind}")
    site.azure.faults.add(account + tail, faults.forbidden())
    site.collect()
    failed = next(index for index, r in site.records("failure") if r["kind"] == kind and r["resource"] == account.lower())
    about = [r for _, r in site.records("finding") if failed in r["records"] and r["unit"] != "sweep"]
    assert about
    assert {r["status"] for r in about} <= {"unknown", "not-applicable"}, [(r["control"], r["reason"]) for r in about if r["status"] not in ("unknown",)]


def test_an_unchanged_account_costs_records_not_bodies(site):
    """But for the logs, in which our own questions stand."""
    site.collect()
    bodies = set(site.store.list(layout.BODIES))
    site.clock.advance(hours=6)
    done = site.collect()
    assert done.changes == 0
    logs = {layout.body(page["sha256"]) for _, r in site.records("observation") if "window" in r for page in r["pages"]}
    plans = {layout.body(place["sha256"]) for _, r in site.records("sweep-planned") for place in r.get("overflow", {}).values()}
    assert set(site.store.list(layout.BODIES)) - bodies - logs - plans == set()


def test_a_drift_is_seen_with_what_it_was_and_is(site):
    site.collect()
    site.clock.advance(hours=6)
    drift(site.azure.world)
    done = site.collect()
    changes = [r for _, r in site.records("change")]
    assert done.changes == len(changes) > 5
    gone = [f for r in changes for f in r["fields"] if r["kind"] == "account" and f["op"] == "removed" and "capabilities" in f["pointer"]]
    assert [f["was"] for f in gone] == [{"name": "ContentLogging", "value": "false"}]
    assert len({(r["kind"], r["resource"]) for r in changes}) == len(changes)


def test_the_slot_names_the_sweep_and_is_taken_once(site):
    schedule = {"schedule": "0 0 */6 * * *"}
    first = site.collect(settings=schedule)
    assert (first.slot, first.sweep) == ("2026-11-01T00:00:00.000000Z", "20261101T000000Z")
    again = site.collect(settings=schedule)
    assert again.slot is None
    site.clock.advance(hours=13)
    third = site.collect(settings=schedule)
    assert third.slot == "2026-11-01T12:00:00.000000Z"
    schedule_kept = [r for _, r in site.records("finding") if r["control"] == "schedule-kept"]
    assert schedule_kept[-1]["status"] == "not-satisfied"
    assert "2026-11-01T06:00" in schedule_kept[-1]["reason"]


def test_a_clock_that_jumps_back_loses_nothing(site):
    site.collect()
    site.clock.advance(hours=-1)
    done = site.collect()
    assert done.complete or {f["kind"] for f in done.failures} == {"tls"}
    assert len(site.reading().sweeps) == 2


def test_a_named_resource_narrows_the_sweep(site):
    account = site.azure.world.accounts()[0]
    done = site.collect(resources=[account])
    assert done.units == 2
    plan = site.records("sweep-planned")[0][1]
    assert plan["scope"]["resources"] == [account.lower()]


def test_a_narrowed_sweep_does_not_stand_for_the_whole_of_its_slot(site):
    """Whoever looks at one account in every slot has looked at one account."""
    one, *others = sorted(site.azure.world.subscriptions)
    schedule = {"schedule": "0 0 */6 * * *"}
    narrow = site.collect(settings=schedule, resources=[site.azure.world.accounts()[0]])
    assert standing.status(site.reading(), site.clock)["narrowed_to"] == [site.azure.world.accounts()[0].lower()]
    part = site.collect(settings={**schedule, "subscriptions": (one, *others)}, subscriptions=[one])
    assert (narrow.slot, part.slot) == (None, None)
    scope = [r for _, r in site.records("finding") if r["control"] == "collection-scope"]
    assert (scope[0]["status"], "whatever else there is, was not looked at" in scope[0]["reason"]) == ("not-applicable", True)
    assert site.collect(settings={**schedule, "subscriptions": (one,)}, subscriptions=[one, others[0]]).slot == "2026-11-01T00:00:00.000000Z"


def test_a_resource_that_is_not_there_is_asked_for_and_its_absence_recorded(site):
    account = site.azure.world.accounts()[0].rsplit("/", 1)[0] + "/nobody"
    done = site.collect(resources=[account])
    assert any(f["kind"] == "account" and f["reason"] == "not-found" for f in done.failures)


@pytest.mark.parametrize("bad", ["x", "/subscriptions/1/../2", "https://evil", "/subscriptions/a/resourceGroups/b/providers/Microsoft.Storage/storageAccounts/c"])
def test_a_resource_that_cannot_be_one_is_misuse_before_anything_is_written(site, bad):
    size = len(site.records())
    with pytest.raises(Misuse, match="--resource"):
        site.collect(resources=[bad])
    assert len(site.records()) == size


def test_nobody_at_the_endpoint_is_sealed_too(site):
    site.azure.stop()
    done = site.collect()
    assert done.units == 0
    assert [f["reason"] for f in done.failures] == ["unreachable"]
    site.azure.start()


def test_an_estate_without_accounts_is_complete(tmp_path):
    def empty(clock):
        world = World(clock)
        world.add_subscription("11111111-2222-3333-4444-555555555555", "empty")
        return world

    with estate(tmp_path, empty) as site:
        done = site.collect()
        assert done.complete
        assert done.units == 1


def test_another_key_or_mode_is_refused(site, tmp_path):
    with pytest.raises(Misuse, match="EVIDENCE_PERSONAL_DATA"):
        site.collect(settings={"personal_data": "keep"})
    from shared.seal.signing import create_key_file, new_private_key

    other = tmp_path / "other.pem"
    create_key_file(other, new_private_key("ed25519"))
    with pytest.raises(Misuse, match="not the key of this store"):
        site.collect(settings={"signing_key": str(other)})


def test_a_full_disk_says_so_and_the_next_run_goes_on(site, monkeypatch):
    import errno
    import os

    real, count = os.write, [0]

    def full(handle, data):
        count[0] += 1
        if count[0] > 40:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(handle, data)

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(Unreachable, match="disk is full"):
        site.collect()
    monkeypatch.setattr(os, "write", real)
    done = site.collect()
    assert done.missing == []


def test_a_store_cut_off_behind_our_back_is_not_appended_to(site):
    site.collect()
    newest = sorted(site.store.list(layout.COMMITS))[-1]
    (site.root / newest).unlink()
    with pytest.raises(StoreConflict, match="were removed"):
        site.collect()


def test_recorded_real_answers_are_collected_and_judged(tmp_path):
    from pathlib import Path

    folder = Path(__file__).parents[2] / "shared" / "examples"
    if not folder.is_dir():
        pytest.skip("LOUD: the folder of recorded real answers (../shared/examples) is absent: nothing was tried against them")
    from infra.local.recorded import recorded_world

    with estate(tmp_path, lambda clock: recorded_world(folder, clock)) as site:
        done = site.collect()
        assert {f["kind"] for f in done.failures} <= {"tls"}
        logging = [r for _, r in site.records("finding") if r["control"] == "content-logging-off"]
        assert logging and {r["status"] for r in logging} == {"not-satisfied"}
        kept = [json.loads(site.store.get(layout.body(r["pages"][0]["sha256"]))) for _, r in site.records("observation") if r["kind"] == "account"]
        assert any(body["properties"].get("armFeatures") == [] for body in kept)
