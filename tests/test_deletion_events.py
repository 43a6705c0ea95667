"""Events of Event Grid as witnesses of deletions: before the Activity Log has them, once beside it, out of the log again, and verified."""

import json
from datetime import timedelta

import pytest

from infra.local import faults
from infra.local.authorship import Actor
from infra.local.resource_events import resource_events
from shared import layout
from shared.deliver.bundle.build import build
from shared.deliver.verify import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.judge.lives.state import state_of
from shared.seal import note
from shared.seal.store import read_hint
from tests.fixtures.bundles import apart
from tests.fixtures.steps import plant
from tests.test_attributed import account, resealed, sweep, world
from tests.test_reconciled import standing
from tests.test_windows import SUBSCRIPTION, small

BOB = Actor("bob@example.org")


@pytest.fixture
def works(tmp_path):
    with plant(tmp_path, world=small) as made:
        yield made


def messages(works, since):
    return [json.dumps(told).encode() for told in resource_events(world(works), since)]


def deliver(works, since):
    """Deliver what Event Grid has to say. The seal step comes once, after all is collected: as in an app, where it runs every half minute."""
    works.change(*messages(works, since))
    works.estate.clock.advance(seconds=12)
    works.collect()
    works.estate.clock.advance(minutes=0.5)
    return works.settle()


def said(works):
    return [record for _, record in works.estate.records("deletion")]


def witnesses(deletion):
    return [each["witness"] for each in deletion["witnesses"]]


def sound(works):
    verdict = works.verify()
    assert list(verdict.problems) == []
    assert verdict.counts["deletions concluded again"] == verdict.counts["deletions"] == len(said(works)) > 0


def delete_deployment(works):
    """A deployment is deleted at night, two hours after a sweep; when."""
    world(works).put_deployment(account(works), "glob", sku="GlobalStandard")
    sweep(works)
    night = works.estate.clock.advance(hours=2)
    world(works).actor = BOB
    world(works).delete_deployment(account(works), "glob")
    return night


def test_a_deployment_is_corroborated_by_its_event_before_the_activity_log_has_it(works):
    night = delete_deployment(works)
    [closed] = deliver(works, night)
    [gone] = said(works)
    assert (gone["sweep"], gone["object"]["id"], gone["status"], gone["cause"], gone["by"]) == (closed.sweep, "glob", "corroborated", "deleted", BOB.object_id)
    assert witnesses(gone) == ["inventory", "inventory", "event"] and gone["reason"] == "It is no longer listed, and Azure's event says that it was deleted."
    [event] = [index for index, record in works.estate.records("event") if (record.get("event") or {}).get("operation", "").endswith("delete")]
    assert event in gone["records"] and gone["witnesses"][-1]["record"] == event
    for _ in range(3):
        sweep(works, 4)
    assert said(works) == [gone], "the Activity Log says the same, later"
    sound(works)
    everything = b"".join(file.read_bytes() for file in (works.estate.root / "evidence").rglob("*") if file.is_file())
    assert BOB.name.encode() not in everything


def test_what_the_event_says_is_in_the_bundle_of_one_account_and_no_verifier_lets_it_be_left_out(works, tmp_path):
    night = delete_deployment(works)
    deliver(works, night)
    file, start = tmp_path / "bundle.zip", works.estate.clock()
    build(works.estate.store, file, period=(start - timedelta(minutes=5), start + timedelta(hours=1)), resources=[account(works).lower()])
    verdict = verify_bundle(file, [note.parse_vkey(works.estate.vkey)])
    assert list(verdict.problems) == [] and verdict.counts["deletions concluded again"] == verdict.counts["deletions"] == 1
    [gone] = said(works)
    ranges = json.loads(apart(file.read_bytes())["manifest.json"])["ranges"]
    assert all(any(first <= index < first + count for first, count in ranges) for index in gone["records"])

    def forged(value):
        if value["type"] == "deletion":
            value["witnesses"].pop()
        return value

    store, key = resealed(works.estate, tmp_path / "forged", forged)
    assert any("give another witnesses" in str(problem) for problem in verify_store(store, [key]).problems)


def test_an_account_that_is_deleted_takes_with_it_what_it_held_on_the_word_of_an_event(works):
    world(works).put_deployment(account(works), "glob", sku="GlobalStandard")
    sweep(works)
    night = works.estate.clock.advance(hours=2)
    world(works).actor = BOB
    gone = account(works).lower()
    world(works).delete_account(account(works))
    deliver(works, night)
    found = {(record["kind"], record["object"]["id"]): record for record in said(works)}
    own = found[("account", next(name for kind, name in found if kind == "account"))]
    assert (own["resource"], own["status"], own["by"]) == (gone, "corroborated", BOB.object_id) and "event" in witnesses(own)
    held = [record for record in found.values() if record["kind"] != "account"]
    assert held and {(record["cause"], record["status"], record["by"]) for record in held} == {("account-deleted", "corroborated", BOB.object_id)}
    for _ in range(2):
        sweep(works, 5)
    assert len(standing(works.estate)) == len(found) == len(said(works))
    sound(works)


def test_made_and_deleted_between_two_sweeps_is_known_from_the_event_alone(works):
    sweep(works)
    night = works.estate.clock.advance(hours=2)
    world(works).put_deployment(account(works), "brief", sku="GlobalStandard")
    works.estate.clock.advance(minutes=1)
    world(works).actor = BOB
    world(works).delete_deployment(account(works), "brief")
    deliver(works, night)
    [told] = said(works)
    assert (told["object"]["id"], told["status"], told["by"], witnesses(told)) == ("brief", "logged", BOB.object_id, ["event"])
    for _ in range(3):
        sweep(works, 4)
    [stands] = standing(works.estate)
    assert (stands["object"]["id"], stands["status"], stands["by"]) == ("brief", "logged", BOB.object_id)
    sound(works)


def test_an_event_that_comes_days_later_is_taken_in_by_the_next_sweep_and_supersedes(works):
    night = delete_deployment(works)
    works.estate.azure.faults.add(f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes", faults.forbidden())
    for _ in range(6):
        sweep(works, 6)
    [first] = said(works)
    assert (first["status"], first["by"]) == ("unobservable", None)
    works.change(*messages(works, night))
    works.settle()
    works.queues.waiting.clear()  # the collection that it asks for never comes to pass
    sweep(works)
    [_, second] = said(works)
    assert (second["status"], second["by"], witnesses(second)) == ("corroborated", BOB.object_id, ["inventory", "inventory", "event"])
    assert standing(works.estate) == [second] and (second["after"], second["before"]) == (first["after"], first["before"])
    sound(works)


def test_lost_memory_is_read_again_with_its_events_and_says_nothing_anew(works):
    night = delete_deployment(works)
    deliver(works, night)
    sweep(works, 4)
    before = {path: read_hint(works.estate.store, path) for path in works.estate.store.list(layout.STATE + "lives/")}
    for path in before:
        works.estate.store.delete(path)
    known = len(said(works))
    sweep(works)
    again = {path: read_hint(works.estate.store, path) for path in before}
    for path, value in before.items():
        was, now = state_of(value), state_of(again[path])
        assert now.said == was.said and [e.record for e in now.logs if e.kind == "event"] == [e.record for e in was.logs if e.kind == "event"]
        assert now.counted.keys() == was.counted.keys()
    assert len(said(works)) == known
    sound(works)
