"""What judging came to is counted run by run: closing reads nothing again, and a count that is lost, torn or there twice changes nothing."""

import json
from collections import Counter

import pytest

from infra.local.scenarios import estate
from shared import layout
from shared.collect.plan import Unit
from shared.judge.assemble import entry_of
from shared.service.steps import advance as step
from shared.service.steps import tally
from shared.service.steps.plan import paced
from tests.fixtures.counted import CountedStore
from tests.fixtures.steps import plant
from tests.test_steps import event, findings, sound


def accounts(count):
    return lambda clock: estate(2, count, 1, clock)


@pytest.fixture
def works(tmp_path):
    with plant(tmp_path, world=accounts(5)) as made:
        yield made


def judged(works):
    """Everything is collected and judged, in two runs, and not closed: one unit is still to come."""
    works.plan()
    messages = works.queues.take(layout.COLLECT_QUEUE)
    last = next(message for message in messages if b'"account:' in message)
    rest = [message for message in messages if message != last]
    for part in (rest[:3], rest[3:]):
        works.queues.waiting[layout.COLLECT_QUEUE] = [message.decode() for message in part]
        works.collect()
        assert works.seal().closed == []
    works.queues.waiting[layout.COLLECT_QUEUE] = [last.decode()]
    return last


def tallies(works):
    return list(works.estate.store.list(layout.TALLIES))


def outcome(works):
    [closed] = works.settle()
    sound(works)
    [record] = [record for _, record in works.estate.records("sweep-closed")]
    assert tallies(works) == []
    return closed.findings, closed.changes, len(closed.failures), record["failures"], record["missing"], findings(works)


def test_failures_that_were_counted_are_read_as_they_were(works):
    world = works.estate.azure.world
    world.deny(world.accounts()[0])
    judged(works)
    kept = [tally._parsed(works.estate.store.get(path)) for path in tallies(works)]
    assert all(kept) and any(found.failures for found, _ in kept)
    sealed = dict(works.estate.records("failure"))
    for found, _ in kept:
        for failure in found.failures:
            assert failure.likeness == entry_of(failure.record, sealed[failure.record]).likeness


def test_closing_reads_no_account_again(works):
    judged(works)
    assert len(tallies(works)) >= 1
    works.collect()
    works.store = counted = CountedStore(works.estate.store)
    works.seal()
    sound(works)
    batches = [path for path in counted.read if path.startswith(layout.BATCHES) and "/account-" in path]
    assert len({path.rpartition("/")[2].partition(".")[0] for path in batches}) == 1, "the one that came last"


SPOILED = {
    "as they are": lambda data: data,
    "lost": lambda data: None,
    "cut": lambda data: data[:-9],
    "empty": lambda data: b"",
    "a list": lambda data: b"[]",
    "of a version that did not count deletions": lambda data: json.dumps({k: v for k, v in json.loads(data).items() if k != "deletions"}).encode(),
    "of nothing": lambda data: b'{"units":3}',
    "failures are none": lambda data: json.dumps({**json.loads(data), "failures": [[1]]}).encode(),
}


@pytest.mark.parametrize("how", SPOILED)
def test_a_tally_that_is_lost_or_torn_is_counted_again(works, tmp_path_factory, how):
    judged(works)
    store = works.estate.store
    for path in tallies(works):
        data = SPOILED[how](store.get(path))
        store.delete(path)
        if data is not None:
            store.put(path, data)
    works.collect()
    with plant(tmp_path_factory.mktemp("other"), world=accounts(5)) as other:
        other.plan()
        other.collect()
        assert outcome(works) == outcome(other)


def test_one_that_is_there_twice_is_counted_once(works, tmp_path_factory):
    judged(works)
    store = works.estate.store
    for number, path in enumerate(tallies(works)):
        store.put(f"{path.rpartition('/')[0]}/again-{number}.json", store.get(path))
    works.collect()
    with plant(tmp_path_factory.mktemp("other"), world=accounts(5)) as other:
        other.plan()
        other.collect()
        assert outcome(works) == outcome(other)


def test_a_run_that_is_late_counts_what_it_did(works, monkeypatch):
    monkeypatch.setattr(step, "CHUNK", 1)
    works.plan()
    works.collect()
    late = iter([False, False, False, False])
    monkeypatch.setattr(step.Advance, "_late", lambda self: next(late, True))
    assert works.seal().closed == []
    monkeypatch.undo()
    assert len(tallies(works)) == 1
    assert outcome(works)[4] == []


def test_deletions_that_several_runs_concluded_are_counted_in_the_closing_record(works):
    works.plan()
    works.collect()
    works.settle()
    world = works.estate.azure.world
    works.estate.clock.advance(hours=6)
    *rest, gone = world.accounts()
    deployed = [(account, item["name"]) for account in rest for item in world.children(account, "deployments")][:3]
    for account, name in deployed:
        world.delete_deployment(account, name)
    world.delete_account(gone)
    judged(works)
    works.collect()
    works.settle()
    sound(works)
    counted = Counter(one["account"] for _, one in works.estate.records("deletion"))
    assert counted.keys() == {gone.lower(), *(account.lower() for account, _ in deployed)}
    assert [one["deletions"] for _, one in works.estate.records("sweep-closed")] == [{}, counted]


def test_while_it_waits_a_run_does_not_read_the_plan(works):
    judged(works)
    works.store = counted = CountedStore(works.estate.store)
    works.seal()
    assert [path for path in counted.read if path.endswith(f"/{layout.PLAN}.jsonl") and "init" not in path] == []
    works.estate.clock.advance(hours=7)
    [closed] = works.seal().closed
    assert len(closed.missing) == 1, "and still sees that the deadline is past"


def test_a_lost_header_is_made_again(works):
    judged(works)
    store = works.estate.store
    [header] = store.list(layout.PLAN_HEADERS)
    for torn in (None, b"", b"[1]", b'{"since":0}'):
        store.delete(header)
        if torn is not None:
            store.put(header, torn)
        works.seal()
        works.queues.take(layout.COLLECT_QUEUE)  # what it queued again
        assert json.loads(store.get(header))["queued"] is True


def test_messages_come_no_faster_than_one_subscription_answers():
    units = [Unit(f"u{number}", f"/subscriptions/{number % 2}/x/{number}", "account:OpenAI") for number in range(400)]
    delays = paced(units, {"account:OpenAI": ["a", "b", "c", "d", "e"]}, 25.0)
    for second in range(40):
        asked = sum(5 for unit, delay in zip(units, delays, strict=True) if unit.resource.startswith("/subscriptions/1/") and delay <= second)
        assert asked <= 250 + 25 * (second + 1) + 5
    assert max(delays) == (200 * 5 - 5 - 250) // 25
    assert paced(units, {}, 0.0) == [0] * 400


def test_many_sweeps_at_once_cost_each_the_same(tmp_path_factory):
    """A storm of events: what one of them costs does not grow with the others."""

    def calls(storm):
        with plant(tmp_path_factory.mktemp("storm"), world=accounts(12)) as works:
            works.plan()
            works.collect()
            works.settle()
            found = sorted({record["resource"] for _, record in works.estate.records("observation") if record["kind"] == "account"})
            works.estate.clock.advance(minutes=1)
            for number, account in enumerate(found[:storm]):
                works.change(event(account, number))
            works.collect()
            works.store = counted = CountedStore(works.estate.store)
            works.settle()
            works.store = None
            assert len(works.estate.records("sweep-closed")) == 1 + storm
            sound(works)
            return sum(counted.calls.values())

    few, more, many = calls(3), calls(6), calls(12)
    assert (many - more) / 6 < 1.2 * (more - few) / 3, (few, more, many)
