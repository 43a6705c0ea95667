"""Bad weather: messages that come twice, late, or are none; timers that fire twice or not at all; clocks that jump; storage that fails;
keys that do not answer; two versions of the app at once. What must hold: no record lost, none twice, what is missing is named.

One app lives through all of it: every test is a slot of its schedule, or several, and at the end the whole log is verified. Workers that
are killed: tests/test_killed.py.
"""

import json
import logging
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local import faults
from infra.local.blob_wire import Fault
from infra.local.worm import Worm
from shared import alarms, layout
from shared.errors import Refused
from shared.seal.log import open_log
from shared.service import state
from tests.fixtures.app import Answering, deployed, drain, event, left_over, principal, running, sound, tiny
from tests.fixtures.authority import Authority
from tests.fixtures.estate import estate
from tests.fixtures.host import worker
from tests.fixtures.mortal import Mortals
from tests.fixtures.steps import Queues

pytestmark = [pytest.mark.needs("functions"), pytest.mark.needs("azurite")]

UNITS = 2
"""The subscription, and its account."""


def whole(site):
    """At the end of all of it."""
    verdict = site.sound()
    assert verdict.intact and verdict.exit_code == 3, "the log is whole, and says what is missing"
    named = {(gap.sweep, gap.reason.split(" ")[0]) for gap in verdict.gaps if gap.what == "unit"}
    assert named == {(closing["sweep"], unit) for closing in site.closings() for unit in closing["missing"]}


@pytest.fixture(scope="module")
def site(tmp_path_factory, azurite):
    """The app with a store in a folder, and the emulator's queues."""
    with deployed(tmp_path_factory.mktemp("weather"), azurite, world=tiny, in_folder=True) as app:
        yield app
        whole(app)


@pytest.fixture(scope="module")
def account(tmp_path_factory, azurite):
    """The app with all its storage in the emulator, behind layers that fail on demand."""
    with Worm(azurite.blob) as blobs, Worm(azurite.queue) as queues:
        with deployed(tmp_path_factory.mktemp("storms"), azurite, world=tiny, blob=blobs.endpoint, queue=queues.endpoint) as app:
            blobs.policy = "locked"
            app.blobs, app.queues = blobs, queues
            yield app
            blobs.faults.clear()
            queues.faults.clear()
            whole(app)


@contextmanager
def one_slot(site):
    """The app at the beginning of its next slot. Afterwards the sky is blue, and nothing may be left over."""
    now = site.clock()
    site.clock.jump_to(datetime(now.year, now.month, now.day, now.hour // 6 * 6, 0, 30, tzinfo=UTC) + timedelta(hours=6))
    size = open_log(site.store).size
    site.new = lambda *types: site.records(*types, since=size)
    site.new_closings = lambda: site.new("sweep-closed")
    with running(site.environment, site.clock):
        yield site
        for layer in (site.blobs, site.queues) if hasattr(site, "blobs") else ():
            layer.faults.clear()
        site.expire_leases()
        drain(site)
        for queue in layout.QUEUES:
            site.host.service.get_queue_client(queue + layout.POISON_SUFFIX).clear_messages()
        site.settle()
        assert left_over(site.store) == []
        site.host.failures.clear()
        site.estate.azure.faults.clear()


@pytest.fixture
def app(site, caplog):
    caplog.set_level(logging.WARNING, "aoai-evidence")
    with one_slot(site) as found:
        yield found


@pytest.fixture
def storm(account, caplog):
    caplog.set_level(logging.WARNING, "aoai-evidence")
    with one_slot(account) as found:
        yield found


def told(caplog, alarm=""):
    return [record.getMessage() for record in caplog.records if record.name == "aoai-evidence" and record.getMessage().startswith(alarm)]


def complete(app, sweeps=1):
    closings = app.new_closings()
    assert [(c["missing"], c["failures"]) for c in closings] == [([], 0)] * sweeps
    return closings


def at_once(action, times):
    """The same by several threads that begin together."""
    barrier = threading.Barrier(times)

    def run(_):
        barrier.wait()
        return action()

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(run, range(times)))


# -- messages and timers ----------------------------------------------------------------------------------------------------------


def test_messages_twice_and_in_any_order_with_seals_in_between(app):
    chance = random.Random(2)
    app.host.timer("sweep")
    app.clock.advance(seconds=9.5)
    for _ in range(3):
        app.host.send(layout.CHANGE_QUEUE, event(app.world.account("small-one"), "twice", cloud=True))
    for _ in range(4):
        for queue in chance.sample(layout.QUEUES, 3):
            app.host.pump(queue, chance=chance, duplicates=0.6, most=2)
        app.host.timer(chance.choice(["seal", "watch", "sweep"]))
    app.host.pump(layout.COLLECT_QUEUE, chance=chance, duplicates=0.6)
    drain(app)
    app.settle()
    assert [c["missing"] for c in app.new_closings() if c["slot"]] == [[]]
    assert len([1 for record in app.new("event") if record.get("event", {}).get("id") == "e-twice"]) == 1


def test_every_timer_fires_twice_at_the_same_moment(app):
    at_once(lambda: app.host.timer("sweep"), 3)
    assert UNITS <= len(app.host.waiting(layout.COLLECT_QUEUE)) <= 3 * UNITS
    at_once(lambda: app.host.pump(layout.COLLECT_QUEUE), 2)
    at_once(lambda: app.host.timer("seal"), 3)
    app.settle()
    complete(app)
    at_once(lambda: app.host.timer("watch"), 2)


def test_a_timer_three_days_late_makes_the_sweep_that_is_due_and_the_others_are_gaps(app, caplog):
    app.sweep()
    app.clock.advance(days=3)
    app.host.timer("sweep", past_due=True)
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    first, second = complete(app, 2)
    assert datetime.fromisoformat(second["slot"]) - datetime.fromisoformat(first["slot"]) == timedelta(days=3)
    missed = app.http("status", "GET", "/api/status")[2]["missed_slots"]
    assert len([slot for slot in missed if first["slot"] < slot < second["slot"]]) == 11
    app.host.timer("watch")
    assert len(told(caplog, alarms.SLOT_MISSED)) == 1


def test_a_timer_that_never_fires_is_made_up_for(app, caplog):
    app.host.timer("watch")
    assert app.host.waiting(layout.COLLECT_QUEUE) == [], "it may still come"
    app.clock.advance(minutes=4)
    app.host.timer("watch")
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    complete(app)
    assert told(caplog, alarms.SLOT_MISSED) == []


def test_a_unit_that_comes_hours_late_is_sealed_late_and_named_as_missing(app):
    app.host.timer("sweep")
    *others, last = app.host.waiting(layout.COLLECT_QUEUE)
    app.host.service.get_queue_client(layout.COLLECT_QUEUE).clear_messages()
    for message in others:
        app.host.send(layout.COLLECT_QUEUE, message)
    app.host.pump(layout.COLLECT_QUEUE)
    app.host.timer("seal")
    assert app.new_closings() == [], "it is waited for"
    app.clock.advance(hours=7)
    app.host.timer("seal")
    [closed] = app.new_closings()
    assert closed["missing"] == [json.loads(last)["unit"]] and not closed["complete"]
    for _ in range(2):
        app.host.send(layout.COLLECT_QUEUE, last)
        app.host.pump(layout.COLLECT_QUEUE)
        app.settle()
        late = [(r["kind"], r["resource"]) for r in app.new("observation", "failure") if (r["sweep"], r["unit"]) == (closed["sweep"], closed["missing"][0])]
        assert len(late) == len(set(late)) > 2, "sealed, and once"


def test_a_late_batch_is_sealed_though_its_worker_died_before_it_could_say_so(app):
    """Killed after the batch, before the marker of its closed sweep: the message that comes again sees to it."""
    app.host.timer("sweep")
    message = next(m for m in app.host.waiting(layout.COLLECT_QUEUE) if b"account:" in m)
    app.host.service.get_queue_client(layout.COLLECT_QUEUE).clear_messages()
    app.clock.advance(hours=7)
    app.host.timer("seal")
    [closed] = app.new_closings()
    app.host.send(layout.COLLECT_QUEUE, message)
    app.host.pump(layout.COLLECT_QUEUE)
    app.store.delete(layout.open_sweep(closed["sweep"]))  # as if it had died there
    app.host.send(layout.COLLECT_QUEUE, message)
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    unit = json.loads(message)["unit"]
    assert [r["unit"] for r in app.new("observation") if r["sweep"] == closed["sweep"] and r["kind"] == "account"] == [unit]


# -- clocks -----------------------------------------------------------------------------------------------------------------------


def test_the_clock_is_set_back_by_an_hour_in_the_middle_of_a_sweep(app):
    app.sweep()
    app.clock.advance(hours=6)
    app.host.timer("sweep")
    app.clock.advance(hours=-1)
    app.host.timer("sweep")
    app.host.timer("watch")
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    complete(app, 2)
    app.clock.advance(hours=1)
    app.host.timer("sweep")
    assert (len(app.new_closings()), state.open_sweeps(app.store)) == (2, []), "the slot has its sweep"


def test_the_clock_jumps_a_day_ahead_and_comes_back(app):
    app.clock.advance(days=1)
    app.host.timer("sweep")
    app.clock.advance(days=-1)
    app.host.timer("sweep")
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    complete(app, 2)
    app.clock.advance(days=1)  # so that the tests that follow are later than all of it


# -- storage ----------------------------------------------------------------------------------------------------------------------

BUSY = {"status": 503, "code": "ServerBusy", "retry_after": 0}
STORMS = {
    "of every three writes the third is refused as busy, and of reads as too many": [
        Fault("PUT", "/evidence/", every=3, times=None, **BUSY), Fault("GET", "/evidence/", 429, "TooManyRequests", retry_after=0, every=3, times=None),
    ],
    "of every three writes one takes effect and its answer is lost, and nobody can look": [
        Fault("PUT", "/evidence/", 500, "InternalError", retry_after=0, after=True, every=3, times=None), Fault("HEAD", "/", every=4, times=None, **BUSY),
    ],
    "connections are cut after the write, and the commit is refused for longer than anybody tries": [
        Fault("PUT", "/evidence/log/tile/", cut=True, after=True), Fault("PUT", "/evidence/batch/", cut=True, after=True),
        Fault("PUT", "/log/commit/", times=8, **BUSY),
    ],
    "notes are refused for a while, and the identity lost its right for a moment": [
        Fault("PUT", "/state/", 412, "ConditionNotMet", times=2), Fault("PUT", "/state/", 409, "LeaseIdMissing", times=2),
        Fault("PUT", "/evidence/batch/", 403, "AuthorizationPermissionMismatch", times=3),
    ],
    "another holds the lease, and then it is lost while it is held": [
        Fault("PUT", "comp=lease", 409, "LeaseAlreadyPresent", times=2),
        Fault("PUT", "comp=lease", 409, "LeaseIdMismatchWithLeaseOperation", times=3, skip=4),
    ],
}  # fmt: skip


@pytest.mark.parametrize("kind", STORMS)
def test_storage_that_fails_now_and_then_costs_nothing_but_time(storm, kind):
    app = storm
    app.blobs.faults += [replace(fault) for fault in STORMS[kind]]
    timers(app, "sweep", until=lambda: app.store.exists(layout.batch(f"{app.clock():%Y%m%dT%H}0000Z", layout.PLAN)))
    app.host.pump(layout.COLLECT_QUEUE)
    timers(app, "seal", until=lambda: not left_over(app.store))
    assert sum(fault.fired for fault in app.blobs.faults) > 0
    complete(app)
    assert app.host.poison(layout.COLLECT_QUEUE) == []


def timers(app, name, until):
    """Fire a timer until something is so; that it fails in between is no surprise, nor that a lease could not be given back."""
    for _ in range(12):
        app.host.worker.timer(name)
        if until():
            return
        app.expire_leases()
    raise AssertionError(f"{name} did not manage")


def test_storage_that_is_out_for_long_is_named_in_the_sweep_and_told(storm, caplog):
    app = storm
    app.host.timer("sweep")
    app.blobs.faults.append(Fault("PUT", "/evidence/batch/", 503, "ServerBusy", retry_after=0, times=None))
    assert app.host.pump(layout.COLLECT_QUEUE) == UNITS * 5
    assert len(app.host.failures) == UNITS * 4, "the fifth time each is set aside, with the reason"
    aside = app.host.poison(layout.COLLECT_QUEUE)
    assert len(aside) == UNITS and all("busy" in reason and "5 attempts" in reason for reason, _ in aside)
    app.blobs.faults.clear()
    app.host.timer("watch")
    assert told(caplog, alarms.POISON) == [f"EVIDENCE-POISON {UNITS} messages in collect-unit-poison: each holds its reason; see docs/deploy.md"]
    app.clock.advance(hours=7)
    app.host.timer("seal")
    [closed] = app.new_closings()
    assert sorted(closed["missing"]) == sorted(json.loads(message)["unit"] for _, message in aside)
    assert f"{alarms.SWEEP_INCOMPLETE} {closed['sweep']}: {UNITS} units missing, 0 questions without an answer" in told(caplog)


def test_the_queue_refuses_in_the_middle_and_the_rest_is_queued_by_the_seal(storm):
    app = storm
    app.queues.faults.append(Fault("POST", "/collect-unit/messages", 403, "AuthorizationPermissionMismatch", skip=1, times=None))
    worked, _, _, error, _ = app.host.worker.timer("sweep")
    assert not worked and "Storage Queue Data Contributor" in error
    app.queues.faults.clear()
    app.host.timer("seal")
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    complete(app)


def test_an_event_is_not_lost_where_nothing_can_be_queued(storm):
    app = storm
    account = app.world.account("small-one")
    app.clock.advance(seconds=9.5)
    app.host.send(layout.CHANGE_QUEUE, event(account, "refused"))
    app.queues.faults.append(Fault("POST", "/collect-unit/messages", 403, "AuthorizationPermissionMismatch", times=2))
    assert app.host.pump(layout.CHANGE_QUEUE) == 3, "twice in vain"
    app.host.timer("seal")
    assert [r["resource"] for r in app.new("event") if r.get("event", {}).get("id") == "e-refused"] == [account.lower()]


# -- what else does not answer ----------------------------------------------------------------------------------------------------


@pytest.fixture
def kept(tmp_path, local_vault):
    """An app whose key is in a vault; its store is a folder, its queues are lists."""
    local_vault.add_key("evidence")
    key = f"{local_vault.endpoint}/keys/evidence"
    with estate(tmp_path, tiny, start=datetime.now(UTC) - timedelta(days=10), signing_key=key) as made:
        app, queues = Answering(made, Queues(), ""), Queues()
        environment = {**app.environment, "EVIDENCE_SIGNING_KEY": key}
        with running(environment, made.clock, queues):
            app.vault, app.settings_there = local_vault, environment
            assert worker().timer("sweep")[0]
            assert all(worker().queue("collect_unit", message)[0] for message in queues.take(layout.COLLECT_QUEUE))
            yield app


def test_a_vault_that_does_not_sign_holds_the_log_up_and_loses_nothing(kept, caplog):
    store, vault = kept.estate.store, kept.vault
    signed = store.get(layout.LATEST_CHECKPOINT)

    def refused(word):
        worked, _, _, error, _ = worker().timer("seal")
        assert not worked and word in error, error
        assert word in "\n".join(told(caplog)) and len(store.get(layout.LATEST_CHECKPOINT)) == len(signed)
        assert store.get(layout.LATEST_CHECKPOINT) == signed, "nothing is called sealed that is not signed"
        status, _, _ = kept.ask("status", headers=principal("Evidence.Reader"))
        assert status == 200, "what was sealed before can be asked"
        caplog.clear()

    vault.throttle(100)
    refused("throttled")
    vault.faults.clear()
    vault.permissions = frozenset({"keys/get"})
    refused("sign")
    [version] = vault.held["keys"]["evidence"].values()
    vault.permissions, version.enabled = frozenset({"keys/get", "keys/sign"}), False
    refused("is disabled")
    version.enabled = True
    assert worker().timer("seal")[0]
    sound(kept.estate)
    [closed] = [record for _, record in kept.estate.records("sweep-closed")]
    assert (closed["missing"], closed["failures"]) == ([], 0)


@pytest.mark.needs("openssl")
def test_an_authority_that_is_down_holds_up_nothing_and_is_told(kept, caplog, tmp_path):
    with Authority(tmp_path / "authority") as authority, running({**kept.settings_there, "EVIDENCE_TSA_URL": authority.url}, kept.estate.clock, Queues()):
        authority.fault = "closed"
        assert worker().timer("seal")[0]
        [closed] = [record for _, record in kept.estate.records("sweep-closed")]
        assert closed["missing"] == [], "a sweep does not wait for others"
        assert worker().timer("watch")[0] and told(caplog, alarms.ATTESTATION_OWED) == []
        kept.estate.clock.advance(minutes=20)
        assert worker().timer("seal")[0] and worker().timer("watch")[0]
        assert len(told(caplog, alarms.ATTESTATION_OWED)) == 1
        authority.fault = None
        kept.estate.clock.advance(hours=1)
        assert worker().timer("seal")[0] and worker().timer("watch")[0]
        assert len(told(caplog, alarms.ATTESTATION_OWED)) == 1
        assert [path for path in kept.estate.store.list(layout.CHECKPOINTS) if path.endswith(".tsr")]
    sound(kept.estate)


def test_records_that_wait_too_long_are_told(app, caplog):
    app.host.timer("sweep")
    app.host.pump(layout.COLLECT_QUEUE)
    for minutes in (0, 5, 5):
        app.clock.advance(minutes=minutes)
        app.host.timer("watch")
    assert told(caplog, alarms.BATCH_UNSEALED) == []
    app.clock.advance(minutes=6)
    app.host.timer("watch")
    [line] = told(caplog, alarms.BATCH_UNSEALED)
    assert f"{UNITS + 1} batches of" in line and "`seal`" in line
    app.settle()
    caplog.clear()
    app.host.timer("watch")
    assert told(caplog, alarms.BATCH_UNSEALED) == []


def test_azure_refuses_the_list_of_subscriptions(app, caplog):
    app.estate.azure.faults.add("/subscriptions?", faults.forbidden())
    app.sweep()
    [closed] = app.new_closings()
    assert (closed["missing"], closed["failures"], closed["complete"]) == ([], 1, False)
    assert told(caplog, alarms.SWEEP_INCOMPLETE)


def test_the_policy_that_protects_the_evidence_is_changed(storm, caplog):
    app = storm
    app.store.delete(layout.WATCH)

    def watched():
        caplog.clear()
        app.host.timer("watch")
        return told(caplog, alarms.RETENTION_CHANGED)

    assert watched() == []
    app.blobs.days = 10
    assert watched() == ["EVIDENCE-RETENTION-CHANGED evidence was under a policy that is locked, 30 days, and is now under one that is locked, 10 days"]
    app.blobs.policy = "none"
    assert len(watched()) == len(watched()) == 1, "until it is as strong again"
    app.blobs.policy, app.blobs.days = "locked", 30
    assert watched() == []
    app.blobs.days = 60
    assert len(watched()) == 1 and watched() == [], "what got stronger is told once"


def test_what_nobody_lived_to_tell_is_told_by_the_watch(app, caplog, monkeypatch):
    from functions import seal

    def die(closed):
        raise KeyboardInterrupt

    app.estate.azure.faults.add("/raiBlocklists", faults.forbidden())
    app.host.timer("sweep")
    app.host.pump(layout.COLLECT_QUEUE)
    app.host.timer("watch")
    assert told(caplog, alarms.SWEEP_INCOMPLETE) == []
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(seal, "_closed", die)
        app.host.worker.timer("seal")
    [closed] = app.new_closings()
    assert (closed["missing"], closed["failures"]) == ([], 1)
    app.host.timer("watch")
    assert told(caplog, alarms.SWEEP_INCOMPLETE) == [f"{alarms.SWEEP_INCOMPLETE} {closed['sweep']}: 0 units missing, 1 questions without an answer"]
    caplog.clear()
    app.host.timer("watch")
    assert told(caplog, alarms.SWEEP_INCOMPLETE) == []


def test_a_plan_that_never_came_to_be_is_forgotten_and_nothing_else_is(app, caplog):
    app.sweep()
    state.mark_open(app.store, "20260101T000000Z", 0)
    state.mark_open(app.store, layout.KEY_CHANGES, 0)
    app.host.timer("watch")
    assert "20260101T000000Z" in state.open_sweeps(app.store)
    app.clock.advance(minutes=61)
    app.host.timer("watch")
    assert state.open_sweeps(app.store) == [] and told(caplog, alarms.BATCH_UNSEALED) == []


# -- messages that are none, or of another version ------------------------------------------------------------------------------------

JUNK = [
    b"", b"\xff\xfe\x00", b"null", b"[]", b"{}", b"7", b'"text"', b'{"v":true}', b'{"v":1}', b'{"v":0,"do":"unit"}', b'{"v":1,"do":["unit"]}', b"[" * 20_000,
    b"\x01" * 40_000, b'{"v":1,"do":"unit","sweep":"../x","unit":"a","asked":"subscription","id":"/subscriptions/x"}', b'{"request":"../../x","v":1}',
    b'{"v":1,"do":"account","sweep":"s","account":"/subscriptions/x/../y","event":"e"}', b'{"specversion":"1.0","id":"1"}', b'[{"id":1}]',
]  # fmt: skip


def test_what_is_no_message_is_set_aside_at_once_with_a_reason(app, caplog):
    def store():
        return {path: app.store.get(path) for folder in (layout.EVIDENCE, layout.STATE, layout.PERSONAL) for path in app.store.list(folder)}

    before = store()
    for queue in layout.QUEUES:
        for junk in JUNK:
            app.host.send(queue, junk)
        assert app.host.pump(queue) == len(JUNK), "each is looked at once"
        aside = app.host.poison(queue)
        assert len(aside) == len(JUNK)
        for reason, message in aside:
            assert reason and "\n" not in reason, message
        whole = {message for _, message in aside}
        assert {junk.decode() for junk in JUNK if junk.isascii() and len(junk) < 1000} <= whole
    assert app.host.failures == []
    assert store() == before
    assert len(told(caplog)) == 3 * len(JUNK)
    app.host.timer("watch")
    assert len(told(caplog, alarms.POISON)) == 3


def test_what_is_about_nothing_here_is_set_aside(app):
    name = app.closings()[-1]["sweep"]
    account = app.world.account("small-speech")
    from shared.collect.plan import account_unit, subscription_unit
    from shared.service.steps.work import CollectUnit, bundle_request

    strange = [
        CollectUnit("20200101T000000Z", subscription_unit("0")).text(), CollectUnit(name, account_unit(account, "OpenAI")).text(),
        CollectUnit(name, account_unit(app.world.account("small-one"), "AIServices")).text(),
        CollectUnit(name, subscription_unit("11111111-2222-3333-4444-555555555555")).text(),
    ]  # fmt: skip
    for text in strange:
        app.host.send(layout.COLLECT_QUEUE, text.encode())
    app.host.send(layout.BUNDLE_QUEUE, bundle_request("20200101T000000Z-0000000000000000").encode())
    assert (app.host.pump(layout.COLLECT_QUEUE), app.host.pump(layout.BUNDLE_QUEUE)) == (4, 1)
    assert sorted(message for _, message in app.host.poison(layout.COLLECT_QUEUE)) == sorted(strange)
    assert "asked for here" in app.host.poison(layout.BUNDLE_QUEUE)[0][0]
    assert state.open_sweeps(app.store) == []


def test_a_fault_of_our_own_ends_too(app, monkeypatch, caplog):
    from functions import collect

    monkeypatch.setattr(collect, "collect_message", lambda app, body: {}["nothing"])
    app.host.send(layout.COLLECT_QUEUE, b"{}")
    assert app.host.pump(layout.COLLECT_QUEUE) == 5
    assert app.host.poison(layout.COLLECT_QUEUE) == [("given up after 5 attempts: a fault of this app, KeyError; its log tells more", "{}")]
    assert "KeyError" in caplog.text


def test_a_bundle_that_cannot_be_built_here_ends_and_who_asked_is_told(storm):
    app = storm
    app.sweep()
    since = f"{app.clock() - timedelta(days=1):%Y-%m-%d}"
    name = app.http("request_bundle", "POST", "/api/bundles", body=json.dumps({"from": since}).encode())[2]["id"]
    app.blobs.faults.append(Fault("PUT", "/bundles/", 403, "AuthorizationPermissionMismatch", times=None))
    [message] = app.host.waiting(layout.BUNDLE_QUEUE)
    assert [worker().queue("build_bundle", message, attempt)[0] for attempt in (1, 4, 5)] == [False, False, True]
    app.host.service.get_queue_client(layout.BUNDLE_QUEUE).clear_messages()
    found = app.http("bundle", "GET", f"/api/bundles/{name}", params={"id": name})[2]
    assert found["state"] == "failed" and "give this identity" in found["reason"]


def test_an_event_about_what_is_none_of_ours_is_kept_and_nothing_is_collected(app):
    speech, other = app.world.account("small-speech"), "/subscriptions/11111111-2222-3333-4444-555555555555/resourceGroups/rg"
    strange = speech.rpartition("/")[0] + "/a b?c=..%2F"
    for number, subject in enumerate((speech, other, strange)):
        app.host.send(layout.CHANGE_QUEUE, event(subject, f"other {number}"))
    app.clock.advance(seconds=9)
    app.host.pump(layout.CHANGE_QUEUE)
    app.clock.advance(minutes=1)
    message = {"v": 1, "do": "account", "sweep": f"{app.clock():%Y%m%dT%H%M%SZ}-event-0123456789abcdef", "account": speech, "event": "e"}
    app.host.send(layout.COLLECT_QUEUE, json.dumps(message).encode())
    app.host.pump(layout.COLLECT_QUEUE)
    app.settle()
    assert [r["resource"] for r in app.new("event") if r.get("event", {}).get("id", "").startswith("e-other")] == [
        speech.lower(), other.lower(), strange.lower(),
    ]  # fmt: skip
    assert app.new_closings() == [] and app.host.poison(layout.COLLECT_QUEUE) == []


NAMES = ["id", "v", "do", "sweep", "unit", "asked", "account", "event", "eventType", "subject", "eventTime", "specversion", "type", "time", "data", "request"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(), lambda c: st.lists(c) | st.dictionaries(st.sampled_from(NAMES), c), max_leaves=12
)


@given(st.binary(max_size=200) | VALUES.map(lambda value: json.dumps(value).encode()))
@settings(max_examples=200, deadline=None)
def test_whatever_a_message_is_it_is_refused_or_understood(data):
    from shared.service.steps.change import parse_events
    from shared.service.steps.work import ForNewerApp, parse_bundle_request, parse_work

    for parse in (parse_work, parse_events, parse_bundle_request):
        try:
            found = parse(data)
        except (Refused, ForNewerApp) as error:
            assert "\n" not in str(error)
        else:
            assert found
            for one in found if isinstance(found, list) else ():
                assert layout.checked_name(one.name)


# -- two versions of the app at once ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def mortals():
    with Mortals() as found:
        yield found


@contextmanager
def other_version(mortals, app):
    """Runs functions in the next version of the app, beside this one."""

    def run(function, message=None, **options):
        found = mortals.run(function, app.environment, app.clock(), message=message, newer=True, **options)
        assert found.worked, found
        return found

    yield run


def test_a_plan_of_the_next_version_waits_for_it_and_is_sealed_by_this_one(app, mortals):
    with other_version(mortals, app) as newer:
        newer("sweep")
        messages = app.host.waiting(layout.COLLECT_QUEUE)
        assert {json.loads(message)["v"] for message in messages} == {2}
        worked, _, _, error, _ = app.host.worker.queue("collect_unit", messages[0])
        assert not worked and "a newer app must take it" in error
        assert app.host.poison(layout.COLLECT_QUEUE) == [], "it waits"
        app.host.service.get_queue_client(layout.COLLECT_QUEUE).clear_messages()
        for message in messages:
            newer("collect_unit", message)
    app.settle()
    [closed] = app.new_closings()
    assert (closed["missing"], closed["failures"]) == ([], 0)
    asked = {r["kind"] for r in app.new("observation") if r["sweep"] == closed["sweep"]}
    assert "futureThings" in asked


def test_a_question_that_this_version_does_not_know_waits_too_and_is_given_up_with_the_reason(app, mortals):
    """Messages are as before, the plan is not."""
    with other_version(mortals, app) as newer:
        newer("sweep")
        messages = [message.replace(b'"v":2', b'"v":1') for message in app.host.waiting(layout.COLLECT_QUEUE)]
        app.host.service.get_queue_client(layout.COLLECT_QUEUE).clear_messages()
        for message in messages:
            app.host.send(layout.COLLECT_QUEUE, message)
        app.host.pump(layout.COLLECT_QUEUE)
        aside = app.host.poison(layout.COLLECT_QUEUE)
        assert len(aside) == 1 and "'futureThings'" in aside[0][0], "a subscription is asked nothing new"
        for _, message in aside:  # as docs/deploy.md says: put back when the cause is gone
            newer("collect_unit", message.encode())
    app.settle()
    complete(app)


def test_a_deployment_in_the_middle_of_a_sweep(app, mortals):
    """This version plans; a unit, and then the sealing, are done by the next one; then this one again, as after a rollback."""
    app.host.timer("sweep")
    first, *others = app.host.waiting(layout.COLLECT_QUEUE)
    app.host.service.get_queue_client(layout.COLLECT_QUEUE).clear_messages()
    with other_version(mortals, app) as newer:
        newer("collect_unit", first)
        newer("seal")
        newer("watch")
        for message in others:
            app.host.send(layout.COLLECT_QUEUE, message)
        app.host.pump(layout.COLLECT_QUEUE)
        app.host.timer("seal")
        newer("collect_unit", others[0])
        newer("seal")
    app.settle()
    complete(app)
