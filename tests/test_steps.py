"""The steps of the function app: whatever is delivered twice, late, out of order, or killed anywhere, the evidence is the same."""

import json
import random
from dataclasses import replace

import pytest

from shared import layout
from shared.errors import Refused
from shared.service.steps.work import CollectAccount, CollectUnit, ForNewerApp, parse_work
from tests.fixtures.steps import Dropped, plant


@pytest.fixture
def works(tmp_path):
    with plant(tmp_path) as made:
        yield made


def findings(works):
    """(control, resource, status, reason) of every finding: what was judged, without indexes and times."""
    return sorted((f["sweep"], f["control"], f["resource"] or "", f["status"], f["reason"]) for _, f in works.estate.records("finding"))


def sweep(works, chance=None, duplicates=0.0):
    works.plan()
    works.collect(chance, duplicates)
    return works.settle()


def sound(works):
    verdict = works.verify()
    assert list(verdict.problems) == []
    return verdict


def test_a_sweep_in_steps_is_the_sweep_of_one_process(works, tmp_path_factory):
    [closed] = sweep(works)
    sound(works)
    with plant(tmp_path_factory.mktemp("one")) as other:
        done = other.estate.collect(by="schedule")
        assert (done.sweep, done.units, done.findings, done.missing, len(done.failures)) == (
            closed.sweep, closed.units, closed.findings, closed.missing, len(closed.failures),
        )  # fmt: skip
        assert findings(works) == findings(other)


def test_nothing_is_left_open_and_the_next_sweep_sees_what_changed(works):
    sweep(works)
    works.estate.clock.advance(hours=6)
    [second] = sweep(works)
    assert second.changes == 0
    sound(works)
    assert list(works.estate.store.list(layout.OPEN_SWEEPS)) == []
    assert list(works.estate.store.list(layout.PLAN_HEADERS)) == []


def test_a_slot_is_planned_once_whenever_the_timer_fires(works):
    first = works.plan()
    again = works.plan()
    assert (first.new, again.new, again.queued) == (True, False, 0)
    assert first.queued == works.queues.length(layout.COLLECT_QUEUE) > 0
    works.collect()
    works.settle()
    assert works.plan().new is False
    works.estate.clock.advance(days=3)
    late = works.plan()
    assert late.new, "three days late: the slot that is due now"
    works.collect()
    works.settle()
    assert sound(works).exit_code == 3, "the slots in between are gaps"


@pytest.mark.parametrize("seed", range(6))
def test_twice_and_in_any_order(works, seed):
    chance = random.Random(seed)
    works.plan()
    messages = works.queues.take(layout.COLLECT_QUEUE, chance, duplicates=0.7)
    while messages:  # a few now, the seal in between, the rest later
        now, messages = messages[: len(messages) // 2 + 1], messages[len(messages) // 2 + 1 :]
        works.queues.waiting[layout.COLLECT_QUEUE] = [message.decode() for message in now]
        works.collect(chance)
        works.seal(budget=chance.choice([0.0, 240.0]))
    works.settle()
    sound(works)
    planned = [record for _, record in works.estate.records("sweep-planned")]
    units = [record["unit"] for _, record in works.estate.records("observation", "failure") if record["kind"] == "account"]
    assert len(planned) == 1
    assert len(units) == len(set(units)), "no account is observed twice"
    checked = findings(works)
    assert len(checked) == len({row[:3] for row in checked}), "no finding twice"


def test_a_message_comes_after_its_sweep_was_closed(works):
    works.plan()
    messages = works.queues.take(layout.COLLECT_QUEUE)
    works.queues.waiting[layout.COLLECT_QUEUE] = [message.decode() for message in messages[:-1]]
    works.collect()
    assert works.seal().closed == [], "it is waited for until the deadline"
    works.estate.clock.advance(hours=7)
    [closed] = works.seal().closed
    assert len(closed.missing) == 1
    works.queues.waiting[layout.COLLECT_QUEUE] = [messages[-1].decode()]
    works.collect()
    works.settle()
    assert sound(works).exit_code == 3
    [record] = [record for _, record in works.estate.records("sweep-closed")]
    assert record["missing"] == closed.missing


def test_a_lost_message_is_a_unit_that_is_named(works):
    works.plan()
    works.queues.take(layout.COLLECT_QUEUE)
    works.estate.clock.advance(hours=7)
    [closed] = works.settle()
    assert len(closed.missing) == closed.units
    assert sound(works).exit_code == 3


def test_the_queue_refuses_half_way_and_the_seal_queues_again(works):
    works.queues.fail_after = 2
    with pytest.raises(Dropped):
        works.plan()
    works.queues.fail_after = None
    works.seal()
    works.collect(duplicates=0.5)
    [closed] = works.settle()
    assert closed.missing == []
    sound(works)


def test_two_seals_at_once_one_works(works):
    from shared.seal.lease import leased

    works.plan()
    works.collect()
    with leased(works.estate.store, layout.SEQUENCER_LOCK):
        assert works.seal().held
    assert not works.seal().held


@pytest.mark.parametrize(("looks", "stays"), [([True], True), ([False, True], True), ([False, False], False)])
def test_a_marker_is_taken_away_only_where_no_batch_comes_in_that_moment(works, looks, stays):
    from shared.service import state

    store = works.estate.store
    state.mark_open(store, "s", 7)
    state.forget(store, "s", iter(looks).__next__)
    assert (store.exists(layout.open_sweep("s")), state.since(store, "s")) == (stays, 7 if stays else 0)


def test_a_process_that_lives_on_gives_whom_was_erased_a_new_pseudonym(works):
    """What it remembers of commitments, and of the bodies that hold them, is of the sweep before."""
    from shared.service.erase import erase
    from tests.test_erase import people

    app = works.app()
    works.app = lambda: app
    sweep(works)
    subject = sorted(value for value in people(works.estate).values() if isinstance(value, str) and "@" in value)[0]
    erased = erase(works.estate.settings, subject, now=works.estate.clock)
    assert subject not in people(works.estate).values()
    works.estate.clock.advance(hours=6)
    sweep(works)
    [new] = [commitment for commitment, value in people(works.estate).items() if value == subject]
    assert new not in erased
    sound(works)


# -- events -----------------------------------------------------------------------------------------------------------------------


def event(resource, number=1, cloud=False, operation="Microsoft.CognitiveServices/accounts/write"):
    data = {
        "operationName": operation, "status": "Succeeded", "correlationId": "c-1",
        "claims": {"name": "Ada Example", "ipaddr": "203.0.113.7"}, "caller": "ada@example.org",
        "httpRequest": {"clientIpAddress": "203.0.113.7", "method": "PUT"},
    }  # fmt: skip
    common = {"id": f"e-{number}", "subject": resource, "data": data}
    if cloud:
        return json.dumps({"specversion": "1.0", "type": "Microsoft.Resources.ResourceWriteSuccess", "source": "/s", "time": "2026-11-01T00:00:00Z", **common}).encode()
    whole = {"eventType": "Microsoft.Resources.ResourceWriteSuccess", "topic": "/s", "eventTime": "2026-11-01T00:00:00Z", "dataVersion": "2", **common}
    return json.dumps(whole).encode()


def an_account(works):
    sweep(works)
    return next(record["resource"] for _, record in works.estate.records("observation") if record["kind"] == "account")


@pytest.mark.parametrize("cloud", [False, True], ids=["EventGridSchema", "CloudEvents"])
def test_an_event_is_a_record_and_its_account_is_collected(works, cloud):
    account = an_account(works)
    works.estate.clock.advance(minutes=1)
    message = event(account + "/deployments/x", cloud=cloud)
    works.change(message, message)
    assert 0 < works.queues.delays[-1] <= 10
    works.collect()
    works.settle()
    [(_, record)] = [pair for pair in works.estate.records("event") if pair[1]["kind"] == "resource"]
    assert record["resource"] == account
    assert record["event"]["operation"] == "Microsoft.CognitiveServices/accounts/write"
    everything = b"".join(path.read_bytes() for path in (works.estate.root / "evidence").rglob("*") if path.is_file())
    assert b"ada@example.org" not in everything
    assert b"203.0.113.7" not in everything
    plans = [record for _, record in works.estate.records("sweep-planned")]
    assert plans[-1]["cause"] == {"by": "event", "ref": "e-1"}
    assert plans[-1]["scope"]["resources"] == [account]
    assert len(plans) == 2, "two deliveries, one window, one collection"
    sound(works)


def test_an_event_names_nobody_whatever_the_setting_says_after_the_store_was_made(works):
    account = an_account(works)
    works.estate.settings = replace(works.estate.settings, personal_data="keep")
    works.change(event(account))
    everything = b"".join(path.read_bytes() for path in (works.estate.root / "evidence").rglob("*") if path.is_file())
    assert b"ada@example.org" not in everything and b"203.0.113.7" not in everything


def test_an_event_that_comes_again_much_later_is_sealed_once(works):
    account = an_account(works)
    works.change(event(account))
    works.collect()
    works.settle()
    works.estate.clock.advance(hours=3)
    works.change(event(account))
    works.collect()
    works.settle()
    assert len([1 for _, record in works.estate.records("event") if record["kind"] == "resource"]) == 1
    assert len(works.estate.records("sweep-planned")) == 2, "the same evidence: its account was collected when it first came"
    sound(works)


def test_what_is_asked_after_an_event_is_answered_of_everything(works):
    from shared.service import accounts, queries, standing
    from shared.service.queries import Filter
    from tests.fixtures.app import event as small_event

    account = an_account(works)
    before = standing.status(works.estate.reading(), works.estate.clock)
    findings_before = {(f["control"], f["resource"]): f for f in queries.findings(works.estate.reading(), None, Filter())}
    names = {resource["name"] for resource in accounts.resources(works.estate.reading(), Filter())}
    works.estate.clock.advance(minutes=1)
    subscription = account.split("/")[2]
    new = works.estate.azure.world.create_account(subscription, "rg", "brand-new")
    changed = next(a for a in works.estate.azure.world.accounts() if a.lower() == account)
    off = works.estate.azure.world.get(changed)["properties"].get("disableLocalAuth")
    works.estate.azure.world.set_property(changed, "/properties/disableLocalAuth", not off)
    works.change(small_event(account), small_event(new, 2))
    works.collect()
    works.settle()
    read = works.estate.reading()
    after = standing.status(read, works.estate.clock)
    assert (after["schedule"], after["last_sweep"], after["missed_slots"]) == (before["schedule"], before["last_sweep"], before["missed_slots"])
    assert after["sweeps"] == before["sweeps"] + 2
    assert {resource["name"] for resource in accounts.resources(read, Filter())} == names | {"brand-new"}
    held = list(queries.findings(read, None, Filter()))
    now = {(f["control"], f["resource"]): f for f in held}
    assert len(held) == len(now) and [f["record"] for f in held] == sorted(f["record"] for f in held)
    assert set(now) == set(findings_before) | {(f["control"], f["resource"]) for f in held if f["resource"] == new.lower()}
    assert now["local-auth-disabled", account]["status"] != findings_before["local-auth-disabled", account]["status"]
    newer = {"/".join(resource.split("/")[:9]) for (_, resource), f in now.items() if f["sweep"] != before["last_sweep"]["sweep"]}
    assert newer == {account, new.lower()}
    assert sum(sum(counts.values()) for counts in after["controls"].values()) == len(held)


def test_an_event_with_a_clock_that_is_set_back_waits_no_longer_than_a_window(works):
    account = an_account(works)
    works.change(event(account))
    works.estate.clock.advance(hours=-1)
    works.change(event(account))
    assert works.queues.delays[-1] <= 10
    first, second = (message.decode() for message in works.queues.take(layout.COLLECT_QUEUE))
    assert first == second
    works.queues.waiting[layout.COLLECT_QUEUE] = [first, second]
    works.collect()
    works.settle()
    sound(works)


def test_an_event_of_what_is_gone_is_collected_as_gone(works):
    account = an_account(works)
    works.change(event(account.rsplit("/", 1)[0] + "/was-here", operation="Microsoft.CognitiveServices/accounts/delete"))
    works.collect()
    works.settle()
    failure = [record for _, record in works.estate.records("failure") if record["resource"].endswith("/was-here") and record["kind"] == "account"]
    assert [record["reason"] for record in failure] == ["not-found"]
    sound(works)


def test_a_storm_of_events_is_few_collections(works):
    account = an_account(works)
    works.change(*(event(account, number) for number in range(50)))
    assert len(works.collect()) == 50
    works.settle()
    assert len([1 for _, record in works.estate.records("event") if record["kind"] == "resource"]) == 50
    assert len(works.estate.records("sweep-planned")) <= 3
    sound(works)


# -- messages that are none ---------------------------------------------------------------------------------------------------------

JUNK = [
    b"", b"\xff", b"null", b"[]", b"{}", b'{"v":true}', b'{"v":1}',
    b'{"v":1,"do":"unit","sweep":"../x","unit":"a","asked":"b","id":"/subscriptions/x"}',
    b'{"v":1,"do":"unit","sweep":"s","unit":"u","asked":"b","id":7}', b'{"v":1,"do":"account","sweep":"s","account":"/subscriptions/x"}', b"[" * 100_000,
]  # fmt: skip


def test_a_message_of_a_newer_app_waits_for_it(works):
    from shared.service.steps.unit import collect_message

    with pytest.raises(ForNewerApp):
        collect_message(works.app(), b'{"v":2,"do":"unit"}')


@pytest.mark.parametrize("message", JUNK, ids=lambda message: message[:40].decode("latin-1"))
def test_what_is_no_message_is_refused_and_changes_nothing(works, message):
    from shared.service.steps.bundle import build_message
    from shared.service.steps.change import change_message
    from shared.service.steps.unit import collect_message

    before = {path: path.stat().st_mtime_ns for path in works.estate.root.rglob("*")}
    for step in (collect_message, change_message, build_message):
        with pytest.raises(Refused):
            step(works.app(), message)
    assert {path: path.stat().st_mtime_ns for path in works.estate.root.rglob("*")} == before


def test_messages_come_back_as_they_went(works):
    works.plan()
    for message in works.queues.take(layout.COLLECT_QUEUE):
        work = parse_work(message)
        assert isinstance(work, CollectUnit)
        assert work.text().encode() == message
    other = CollectAccount("s", "/subscriptions/s/resourceGroups/g/providers/Microsoft.CognitiveServices/accounts/a", "e")
    assert parse_work(other.text().encode()) == other
    around = replace(other, around="2026-11-01T00:00:00.000000Z")
    assert parse_work(around.text().encode()) == around
    with pytest.raises(Refused):
        parse_work(replace(other, around="yesterday").text().encode())
