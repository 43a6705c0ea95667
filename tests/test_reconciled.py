"""Deletions as sweeps seal them: over a whole story, when runs are killed, when what is kept in mind is lost, when sweeps of events come between."""

import io
import itertools
import json
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import pytest

from infra.local import tuning_story
from infra.local.scenarios import demo_world
from infra.local.world import World
from shared import layout
from shared.canonical import canonical
from shared.deliver.bundle import verify_alone
from shared.deliver.bundle.build import build
from shared.deliver.bundle.manifest import NAME as MANIFEST
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.judge.assemble import SWEEP_UNIT
from shared.seal import note
from shared.service import collect as collect_module
from shared.service.judging import Judge
from shared.service.reconciling import Reconciling
from tests.fixtures.bundles import apart, together
from tests.fixtures.estate import estate
from tests.fixtures.faulty import DyingStore, Killed
from tests.fixtures.steps import plant

SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/ops/providers/Microsoft.OperationalInsights/workspaces/logs"


def small(clock):
    world = World(clock)
    world.add_subscription(SUBSCRIPTION, "one")
    for name in ("alpha", "beta"):
        account = world.create_account(SUBSCRIPTION, "rg", name, kind="OpenAI", location="swedencentral")
        world.put_deployment(account, "chat", model="gpt-4o", version="2024-08-06", sku="Standard")
        world.put_diagnostic_setting(account, "logs", ["allLogs"], workspace=WORKSPACE)
        world.data.admit(account)
        for _ in range(3):
            world.data.upload_file(account)
    return world


def tuned(clock):
    world = demo_world(clock)
    tuning_story.prepare(world)
    return world


def with_logs(site):
    site.settings = replace(site.settings, logs_endpoint=site.azure.endpoint)
    return site


def later(site, hours=6):
    site.clock.advance(hours=hours)
    return site.collect()


def until_withdrawn(site):
    """The story (infra/local/tuning_story.py) until the training file is deleted, which no sweep has seen yet."""
    story = tuning_story.train(site.azure.world)
    later(site)
    tuning_story.deploy(site.azure.world, story)
    later(site)
    tuning_story.withdraw_file(site.azure.world, story)
    return story


def deletions(site):
    return [record for _, record in site.records("deletion")]


def standing(site):
    """The deletions that none superseded."""
    found = site.records("deletion")
    outdated = {index for _, record in found for index in record["supersedes"]}
    return [record for index, record in found if index not in outdated]


def intact(site):
    verdict = verify_store(site.store, [note.parse_vkey(site.vkey)])
    assert list(verdict.problems) == []
    assert verdict.counts["deletions concluded again"] == verdict.counts["deletions"] == len(site.records("deletion"))
    return verdict


def test_the_story_of_a_file_and_a_model_is_told_by_sealed_records(tmp_path):
    with estate(tmp_path, tuned, inside=False) as site:
        with_logs(site)
        world, story = site.azure.world, until_withdrawn(site)
        later(site)
        account = story.account.lower()
        mine = [r for r in standing(site) if r["account"] == account]
        assert [(r["kind"], r["object"]["id"], r["status"], r["cause"]) for r in mine] == [("file", story.training, "corroborated", "deleted")]
        assert mine[0]["resource"] == f"{account}/files/{story.training}" and mine[0]["unit"].startswith("account-")
        assert mine[0]["first_seen"]["record"] < min(mine[0]["pairs"][0])
        findings = {f["control"]: f for _, f in site.records("finding") if f["resource"] == account}
        assert findings["deletions-reconciled"]["status"] == "satisfied" and "1 file corroborated" in findings["deletions-reconciled"]["reason"]
        assert set(mine[0]["records"]) <= set(findings["deletions-reconciled"]["records"])

        tuning_story.delete_model(world, story)
        later(site)
        later(site)
        mine = [r for r in standing(site) if r["account"] == account]
        assert sorted((r["kind"], r["status"]) for r in mine) == [
            ("deployment", "corroborated"), ("file", "corroborated"), ("fine-tuned-model", "corroborated"), ("fine-tuning-job", "corroborated"),
        ]  # fmt: skip
        assert all(r["first_seen"]["at"] < r["after"] or r["first_seen"]["at"] == r["after"] for r in mine)
        intact(site)


def test_deletions_stand_before_the_findings_that_are_judged_with_them(tmp_path):
    with estate(tmp_path, small) as site:
        with_logs(site).collect()
        account = site.azure.world.accounts()[0]
        site.azure.world.data.delete_file(account, site.azure.world.data.ids(account, "files")[0])
        later(site)
        gone, record = site.records("deletion")[-1]
        own = [r["type"] for _, r in site.records() if r["sweep"] == record["sweep"] and r.get("unit") == record["unit"]]
        own = own[own.index("deletion") :]
        assert own[0] == "deletion" and own[1] == "finding"
        assert gone > max(record["records"])


def test_what_a_late_row_says_supersedes_what_was_said(tmp_path):
    with estate(tmp_path, small) as site:
        with_logs(site).collect()
        world = site.azure.world
        account = world.accounts()[0]
        site.clock.advance(hours=6)
        world.data.delete_file(account, world.data.ids(account, "files")[0])
        site.clock.advance(seconds=1)
        site.collect()
        (first, said), = site.records("deletion")
        assert said["status"] in ("unlogged", "unobservable")
        later(site)
        again = deletions(site)[-1]
        assert (again["status"], again["supersedes"]) == ("corroborated", [first])
        assert [r["status"] for r in standing(site)] == ["corroborated"]
        intact(site)


@pytest.mark.parametrize("narrow", [False, True])
def test_a_bundle_that_begins_between_a_deletion_and_its_late_row_holds_both(tmp_path, narrow):
    with estate(tmp_path, small) as site:
        with_logs(site).collect()
        account = site.azure.world.accounts()[0]
        site.clock.advance(hours=6)
        site.azure.world.data.delete_file(account, site.azure.world.data.ids(account, "files")[0])
        site.clock.advance(seconds=1)
        site.collect()
        (first, _), = site.records("deletion")
        later(site)
        when, out = (site.clock() - timedelta(hours=1), site.clock() + timedelta(hours=1)), tmp_path / "b.zip"
        build(site.store, out, period=when, resources=[account] if narrow else None)
        keys = [note.parse_vkey(site.vkey)]
        found = verify_bundle(out, keys)
        assert (list(found.problems), found.counts["deletions concluded again"]) == ([], 1)
        alone = subprocess.run([sys.executable, verify_alone.__file__, out, "--key", site.vkey], capture_output=True, text=True)
        assert alone.returncode == found.exit_code, alone.stdout

        # Without the one that is superseded, or with another record in its place, it is no such bundle.
        entries = apart(out.read_bytes())
        entries.pop(f"records/{first:020}.jsonl")
        ranges = [run for run in json.loads(entries[MANIFEST])["ranges"] if run[0] != first]
        found = verify_bundle(io.BytesIO(together(entries, ranges=ranges)), keys)
        assert [p.reason for p in found.problems if p.what == "deletion"] == [f"supersedes record {first}, which is no deletion of this unit before it"]


def test_no_deletion_is_lost_or_doubled_by_a_kill(tmp_path, monkeypatch):
    killed = True
    for fatal in itertools.takewhile(lambda _: killed, itertools.count(4, 13)):
        folder = tmp_path / f"{fatal}"
        folder.mkdir()
        with estate(folder, small) as site:
            with_logs(site).collect()
            world = site.azure.world
            for account in world.accounts():
                world.data.delete_file(account, world.data.ids(account, "files")[0])
            world.delete_deployment(account, "chat")
            site.clock.advance(hours=6)
            with monkeypatch.context() as patch:
                patch.setattr(collect_module, "store_of", lambda settings: DyingStore(site.store, fatal, after=True))
                killed = False
                try:
                    site.collect()
                except Killed:
                    killed = True
            later(site)
            later(site)
            found = Counter((r["kind"], r["account"].rpartition("/")[2], r["object"]["id"]) for r in standing(site))
            assert set(found.values()) == {1}, fatal
            assert sorted((kind, account) for kind, account, _ in found) == [("deployment", "beta"), ("file", "alpha"), ("file", "beta")]
            assert {r["status"] for r in standing(site)} == {"corroborated"}
            if not killed or fatal % 3 == 1:
                intact(site)
    assert fatal > 80


def minds(site, but=()):
    return {path: json.loads(site.store.get(path)) for part in ("lives/", "alive/") for path in site.store.list(layout.STATE + part)}


def test_what_is_kept_in_mind_is_rebuilt_from_the_log_as_it_was(tmp_path):
    with estate(tmp_path, tuned, inside=False) as site:
        with_logs(site)
        until_withdrawn(site)
        world = site.azure.world
        gone = world.account("bw-lab-ncus")
        world.delete_account(gone)
        later(site)
        before = minds(site)
        judge = last_judge(site)
        for path, kept in before.items():
            if path.startswith(layout.STATE + "lives/"):
                unit = path.removeprefix(layout.STATE + "lives/").removesuffix(".json")
                mind = judge.reconciling._rebuilt(unit, resource_of(site, unit), None)
                assert json.loads(canonical(mind.state.as_json())) == kept, unit
                alive = before[path.replace("lives/", "alive/")]
                assert json.loads(canonical(mind.alive.as_json())) == alive, unit


def last_judge(site):
    judge = Judge(site.store, "later", None, "0" * 64, "loopback", lambda: "")
    judge.records.plan = next(plan for _, plan in reversed(site.records("sweep-planned")))
    return judge


def resource_of(site, unit):
    return next(u["resource"] for _, plan in reversed(site.records("sweep-planned")) for u in plan["units"] if u["unit"] == unit)


@pytest.mark.parametrize("lost", ["all", "lives/", "alive/", "torn"])
def test_a_loss_of_what_is_kept_loses_no_deletion_and_doubles_none(tmp_path, lost):
    with estate(tmp_path, small) as site:
        with_logs(site).collect()
        world = site.azure.world
        account = world.accounts()[0]
        files = world.data.ids(account, "files")
        world.data.delete_file(account, files[0])
        later(site)
        world.data.delete_file(account, files[1])
        site.clock.advance(hours=6)
        for path in list(site.store.list(layout.STATE + ("" if lost in ("all", "torn") else lost))):
            if lost == "torn":
                if "/lives/" in path:
                    site.store.put(path, b'{"v":1,"la')
            elif path != layout.LATEST_CHECKPOINT:
                site.store.delete(path)
        site.collect()
        later(site)
        assert sorted(r["object"]["id"] for r in deletions(site)) == sorted(files[:2])
        assert {r["status"] for r in deletions(site)} == {"corroborated"}
        assert all(r["first_seen"]["at"].startswith("2026-11-01T00:00:30") for r in deletions(site))
        intact(site)


def test_memory_that_is_ahead_of_the_evidence_is_not_believed(tmp_path, monkeypatch):
    """A loss of power tore the findings of a unit, after what they concluded was kept."""
    with estate(tmp_path, small) as site:
        with_logs(site).collect()
        world = site.azure.world
        account = world.accounts()[0]
        world.data.delete_file(account, world.data.ids(account, "files")[0])
        site.clock.advance(hours=6)
        with monkeypatch.context() as patch:
            patch.setattr(Judge, "judge_sweep", lambda *_: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                site.collect()
        first = site.sweeps[0].sweep
        torn = [p for p in site.store.list(layout.BATCHES) if p.endswith(layout.FINDINGS_SUFFIX + ".jsonl") and "/account-" in p]
        newest = max(layout.batch_parts(p)[0] for p in torn)
        assert newest != first
        for path in torn:
            if layout.batch_parts(path)[0] == newest:
                (site.root / path).write_bytes(b"")
        site.collect()
        assert [r["kind"] for r in deletions(site)] == ["file"]
        intact(site)


def test_a_run_that_fails_writes_nothing_any_more_once_it_has_failed(tmp_path, monkeypatch):
    """Findings are written beside judging, and the disk is slow: who goes on with the sweep must not meet the last writes of the run before."""
    written, real, open_disk = [], Judge._keep_unit, threading.Event()

    def slow(judge, unit, *rest):
        open_disk.wait(30)
        real(judge, unit, *rest)
        written.append(unit)

    with estate(tmp_path, small) as site, monkeypatch.context() as patch:
        patch.setattr(Judge, "_keep_unit", slow)
        patch.setattr(Judge, "judge_sweep", lambda *_: (_ for _ in ()).throw(Killed))
        timer = threading.Timer(0.3, open_disk.set)
        timer.start()
        with pytest.raises(Killed):
            site.collect()
        assert len(written) == 3


def test_a_sweep_that_an_event_caused_folds_into_the_same_memory(tmp_path):
    with plant(tmp_path, world=small) as made:
        site = with_logs(made.estate)
        world = site.azure.world
        account = world.accounts()[0]

        def regular():
            made.plan()
            made.collect()
            made.settle()

        regular()
        world.data.delete_file(account, world.data.ids(account, "files")[0])
        site.clock.advance(hours=1)
        made.change(change_of(account, site.clock))
        made.collect()
        made.settle()
        said = deletions(site)
        assert len(said) == 1 and layout.BY_EVENT in said[0]["sweep"]
        site.clock.advance(hours=5)
        regular()
        site.clock.advance(hours=6)
        regular()
        assert [r["object"]["id"] for r in standing(site)] == [said[0]["object"]["id"]]
        assert made.verify().counts["deletions concluded again"] == len(deletions(site))
        assert list(made.verify().problems) == []


def test_a_kill_between_findings_and_memory_is_caught_up_with_by_the_next_sweep_to_judge(tmp_path, monkeypatch):
    """The sweep of an event is judged while the one that was killed stays open, since one of its units was not collected yet."""
    with plant(tmp_path, world=small) as made:
        site = with_logs(made.estate)
        world = site.azure.world
        account = world.accounts()[0]
        made.plan()
        made.collect()
        made.settle()
        world.data.delete_file(account, world.data.ids(account, "files")[0])
        site.clock.advance(hours=6)
        made.plan()
        made.seal()
        waiting = made.queues.waiting[layout.COLLECT_QUEUE]
        made.queues.waiting[layout.COLLECT_QUEUE] = [m for m in waiting if "beta" not in m]
        made.collect()
        with monkeypatch.context() as patch:
            patch.setattr(Reconciling, "keep", lambda *_: (_ for _ in ()).throw(Killed))
            with pytest.raises(Killed):
                made.seal()
        made.change(change_of(account, site.clock))
        site.clock.advance(seconds=15)
        made.collect()
        made.seal()
        assert len(site.records("sweep-closed")) == 2, "the sweep of the event; the other is open"
        made.queues.waiting[layout.COLLECT_QUEUE] = [m for m in waiting if "beta" in m]
        made.collect()
        made.settle()
        assert [r["kind"] for r in standing(site)] == ["file"] and not any(r["sweep"] for r in deletions(site) if layout.BY_EVENT in r["sweep"])
        assert list(made.verify().problems) == []


def change_of(account, clock):
    event = {
        "id": "e-1", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": account, "eventTime": f"{clock():%Y-%m-%dT%H:%M:%SZ}",
        "data": {"operationName": "Microsoft.CognitiveServices/accounts/write", "status": "Succeeded"}, "dataVersion": "1", "topic": "/t",
    }  # fmt: skip
    return json.dumps([event]).encode()


def test_the_collection_itself_is_no_unit_with_a_memory(tmp_path):
    with estate(tmp_path, small) as site:
        site.collect()
        assert not site.store.exists(layout.lives(SWEEP_UNIT))
        assert len(list(site.store.list(layout.STATE + "lives/"))) == 3
