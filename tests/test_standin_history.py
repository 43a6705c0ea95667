"""Random histories and the demo's story: what the stand-in shows is what the truth says, at every moment."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local.clock import Clock
from infra.local.history import START, History
from infra.local.ids import account_name, fold
from infra.local.scenarios import demo_world, drift
from infra.local.server import StandIn
from infra.local.truth import COLLECTIONS, object_id
from infra.local.tuning_story import delete_model, deploy, prepare, train, withdraw_file
from tests.test_standin_data import Site


def listed(world):
    """Every object that lists show, as findings name it; and the deployments and accounts."""
    found = {fold(account) for account in world.accounts()}
    for account in world.accounts():
        found |= {fold(row["id"]) for row in world.children(account, "deployments")}
        for kind, collection in COLLECTIONS.items():
            bodies = (world.data.body(account, collection, one) for one in world.data.ids(account, collection))
            found |= {object_id(account, kind, body["id"]) for body in bodies if body.get("status") != "deleted"}
    return found


KINDS = {*COLLECTIONS, "deployment", "account"}


def alive(world):
    return set().union(*(world.truth.alive(world.now(), kind) for kind in KINDS))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000))
def test_lists_and_truth_agree_all_the_time(seed):
    history = History(seed)
    for _ in range(12):
        history.pass_hours(6)
        assert listed(history.world) == alive(history.world)


@settings(max_examples=8, deadline=None)
@given(st.integers(0, 10_000))
def test_logs_have_what_the_truth_says_they_have_and_nothing_else(seed):
    history = History(seed)
    world = history.world
    for _ in range(16):
        history.pass_hours(6)
    history.clock.advance(hours=1)
    assert not any(one.logged for one in world.truth.deletions() if one.by is None and one.kind != "deployment")
    truth = [one for one in world.truth.happenings if one.event == "deleted" and one.cause == "deleted"]
    rows = [row for row in world.logs.rows(history.workspace, history.clock()) if not row.bare and row.status in (200, 204)]
    for kind, names in {
        "file": ("Files_Delete", "deleteFile"),
        "fine-tuning-job": ("FineTuning_Delete", "deleteFineTuningJob"),
        "vector-store": ("Delete_VectorStore", "deleteVectorStore"),
        "assistant": ("Delete_Assistant", "deleteAssistant"),
    }.items():
        expected = sorted(one.at + world.logs.skew for one in truth if one.kind == kind and one.logged)
        assert sorted(row.at for row in rows if row.operation in names) == expected, kind
    events = world.activity.events(history.subscription, history.clock())
    deleted = [e.operation.resource.lower() for e in events if e.status == "Succeeded" and e.operation.action.endswith("/deployments/delete")]
    really = [one.resource for one in world.truth.deletions("deployment") if one.logged]
    assert len(deleted) >= len(really)
    promised = list(deleted)
    for resource in really:
        promised.remove(resource)  # each that happened is told once; what is left was promised, and did not happen


def test_the_same_seed_makes_the_same_history_and_another_another():
    def told(seed):
        history = History(seed)
        history.pass_hours(48)
        return history.world.truth.happenings

    assert told(3) == told(3)
    assert told(3) != told(4)


def test_histories_hold_all_that_reconciliation_must_bear_with():
    events, kinds, causes = set(), set(), set()
    keyed = unlogged = False
    for seed in range(12):
        history = History(seed)
        history.pass_hours(24 * 6)
        for one in history.world.truth.happenings:
            events.add(one.event)
            causes.add(one.cause)
            if one.event == "deleted":
                kinds.add(one.kind)
                keyed |= one.keyed
                unlogged |= one.cause == "deleted" and one.kind == "file" and not one.logged
    assert {"created", "changed", "deleted", "restored", "purged", "keys-listed", "outage-began", "outage-ended"} <= events
    assert {"deleted", "expired", "developer-tier", "account-deleted", "account-purged"} <= causes
    assert {"file", "fine-tuning-job", "fine-tuned-model", "vector-store", "assistant", "container", "deployment", "account"} <= kinds
    assert keyed and unlogged


def test_faults_and_outages_are_in_the_truth():
    site = Site()
    site.data.refuse(site.account, dead=True)
    site.azure.faults.add("/files", lambda request, response: response)
    assert site.world.truth.outages(site.clock()) == {fold(site.account), "/files"}
    site.clock.advance(hours=1)
    site.data.admit(site.account)
    site.azure.faults.clear()
    assert site.world.truth.outages(site.clock()) == set()
    assert len(site.world.truth.outages(site.clock() - timedelta(minutes=1))) == 2


# the story


def test_the_story_of_a_file_and_a_model():
    clock = Clock(START)
    world = demo_world(clock)
    prepare(world)
    with StandIn(world, data_plane="http") as azure:
        site = Site()
        site.world, site.azure, site.account = world, azure, world.account("bw-underwriting-scus")
        assert [row["filename"] for row in site.v1("/files").json["data"]] == ["rates.jsonl"]
        story = train(world)
        [job] = site.v1("/fine_tuning/jobs").json["data"]
        assert (job["id"], job["training_file"], job["fine_tuned_model"]) == (story.job, story.training, None)
        with pytest.raises(KeyError):
            deploy(world, story)
        clock.advance(hours=6)
        deploy(world, story)
        [job] = site.v1("/fine_tuning/jobs").json["data"]
        assert job["fine_tuned_model"] == story.model
        clock.advance(days=1)
        withdraw_file(world, story)
        assert site.v1(f"/files/{story.training}").status == 404
        assert site.v1(f"/models/{story.model}").status == 200
        clock.advance(days=1)
        delete_model(world, story)
        assert site.v1(f"/models/{story.model}").status == 404
        assert site.v1(f"/files/{story.validation}").status == 200
        clock.advance(hours=1)
        told = [(one.kind, one.by, one.logged) for one in world.truth.deletions() if one.at > START]
        assert told == [
            ("file", "priya.nair@brightwater.example", True),
            ("deployment", "annika.holm@brightwater.example", True),
            ("fine-tuning-job", "annika.holm@brightwater.example", True),
            ("fine-tuned-model", "annika.holm@brightwater.example", True),
        ]
        assert site.v1("/files", account=world.account("bw-claims-sdc")).status == 200
        assert site.v1("/files", account=world.account("bw-lab-chn")).status == 400
        assert site.v1("/vector_stores", account=world.account("bw-assist-frc")).json["data"][0]["name"] == "customer desk"


def test_the_demo_world_still_drifts_as_it_did():
    clock = Clock(START)
    world = demo_world(clock)
    clock.advance(days=4)
    assert len(drift(world)) == 10
    assert account_name(world.account("bw-lab-chn")).name == "bw-lab-chn"
    clock.advance(hours=1)
    events = [event for event in world.activity.events(account_name(world.account("bw-claims-sdc")).subscription, clock()) if event.status == "Succeeded"]
    assert any(event.operation.action == "microsoft.insights/diagnosticSettings/delete" for event in events)
    assert world.truth.deletions("deployment")[-1].at > START + timedelta(days=3)
