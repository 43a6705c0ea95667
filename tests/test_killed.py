"""Workers that are killed, with the real runtime and with SIGKILL, after each of their writes: nothing is lost, nothing is there twice.

Every life is one sweep, in which each step is killed once at its n-th write and then runs again, as the host would have it: n goes up
until no step has so many writes. What must hold at the end is asked of the evidence, by the verifier among others.
"""

import base64
import json

import pytest

from shared import alarms, layout
from shared.canonical import sha256
from tests.fixtures.app import arrived, deployed, event, left_over, sound, tiny
from tests.fixtures.estate import estate
from tests.fixtures.mortal import NEVER, Mortals, Yard
from tests.fixtures.steps import SCHEDULE

pytestmark = pytest.mark.needs("functions")


@pytest.fixture(scope="module")
def mortals():
    with Mortals() as found:
        yield found


@pytest.fixture
def yard(mortals, tmp_path):
    with estate(tmp_path, tiny) as made:
        yield Yard(mortals, made, SCHEDULE)


def test_each_step_is_killed_after_each_of_its_writes(yard):
    account = yard.estate.azure.world.accounts()[0]
    asked, told_of, kills, number = [], [], {}, 0
    killed = True
    while killed:
        number += 1
        killed = False

        def at(step, kill):
            """Kill a step here, as long as it has so many writes."""
            return kill if kills.get(step, 0) == number - 1 else NEVER

        def noted(step, was_killed):
            nonlocal killed
            if was_killed:
                kills[step], killed = number, True

        # A timer: whoever is killed is not called again; the step `watch` plans what was not planned, the step `seal` queues the rest.
        was_killed = yard.run("sweep", kill=at("sweep", number)).killed
        noted("sweep", was_killed)
        yard.clock.advance(minutes=4)
        if was_killed:
            noted("watch", yard.run("watch", kill=at("watch", number)).killed)
            yard.surely("watch")
            yard.surely("seal")
        noted("collect_unit", yard.deliver(layout.COLLECT_QUEUE, "collect_unit", kill=at("collect_unit", number)))

        if at("on_change", number) != NEVER:
            told_of.append(f"e-{number}")
            yard.waiting[layout.CHANGE_QUEUE].append(event(account, number).decode())
            noted("on_change", yard.deliver(layout.CHANGE_QUEUE, "on_change", kill=number))
            # Two deliveries of the event may have asked for its account: for one and the same collection.
            noted("an account", yard.deliver(layout.COLLECT_QUEUE, "collect_unit", kill=at("an account", number)))

        noted("seal", yard.run("seal", kill=at("seal", number)).killed)
        while list(yard.estate.store.list(layout.OPEN_SWEEPS)):
            yard.surely("seal")

        if at("build_bundle", number) != NEVER:
            asked.append(ask_for_bundle(yard, number))
            noted("build_bundle", yard.deliver(layout.BUNDLE_QUEUE, "build_bundle", kill=number))
        yard.estate.azure.world.set_property(account, "/properties/publicNetworkAccess", ["Enabled", "Disabled"][number % 2])
        yard.clock.advance(hours=6, minutes=-4)
    yard.clock.advance(hours=-5)
    yard.surely("watch")

    assert kills["seal"] > 30 and kills["sweep"] > 8 and kills["collect_unit"] > 8 and kills["on_change"] > 5 and kills["build_bundle"] == 3, kills
    store = yard.estate.store
    sound(yard.estate)
    closings = [record for _, record in yard.estate.records("sweep-closed")]
    assert [c["slot"] for c in closings if c["slot"]] == sorted(c["slot"] for c in closings if c["slot"])
    assert len([c for c in closings if c["slot"]]) == number
    assert [c["missing"] for c in closings] == [[]] * len(closings)
    assert [c["failures"] for c in closings] == [7] * len(closings), "the account's own endpoint, whose authority these workers do not know: seven lists in each sweep"
    assert [record["event"]["id"] for _, record in yard.estate.records("event")[1:]] == told_of
    assert len(closings) - number == len(told_of), "each event had its account collected, once"
    flips = [field for _, record in yard.estate.records("change") for field in record["fields"] if field["pointer"] == "/properties/publicNetworkAccess"]
    assert len(flips) == number - 1, "every change is there, once"
    for name in asked:
        request = json.loads(store.get(layout.bundle_request(name)))
        assert (request["state"], request["sha256"]) == ("built", sha256(store.get(layout.built_bundle(name))))
    told = {line.split(" ")[1].rstrip(":") for line in yard.log if line.startswith(alarms.SWEEP_INCOMPLETE)}
    assert told == {closing["sweep"] for closing in closings}, "whoever was killed between closing and telling, it was told"
    assert left_over(store) == []


def ask_for_bundle(yard, number):
    """As `POST /api/bundles` does."""
    from shared.service.steps.app import App
    from shared.service.steps.bundle import Wanted, ask

    class Told:
        def send(self, queue, text, *, delay=0):
            yard.waiting[queue].append(text)

    app = App(yard.estate.settings, yard.clock)
    app.__dict__["queues"] = Told()
    return ask(app, Wanted(None, None, (), None, ()), None)


@pytest.mark.needs("azurite")
def test_killed_over_and_over_with_the_stores_of_azure(mortals, tmp_path, azurite):
    """Blobs and queues of the emulator: messages that come again by themselves, and a lease that outlives its worker."""
    with deployed(tmp_path, azurite, world=tiny) as app:
        queues = app.host.service

        def run(function, **options):
            return mortals.run(function, app.environment, app.clock(), **options)

        def deliver(queue, function):
            """Each message is killed at its first, third, sixth and tenth write; the fifth attempt, the last that the host makes, is let be."""
            client, kills = queues.get_queue_client(queue), 0
            while messages := list(client.receive_messages(max_messages=32, visibility_timeout=30)):
                for message in messages:
                    attempt = message.dequeue_count
                    body = base64.b64decode(message.content)
                    found = run(function, message=body, dequeue=attempt, kill={1: 1, 2: 3, 3: 6, 4: 10}.get(attempt, NEVER))
                    kills += found.killed
                    assert found.killed or found.worked, found
                    if found.worked:
                        client.delete_message(message)
                    else:
                        client.update_message(message, visibility_timeout=0)
            return kills

        kills = 0
        while (found := run("sweep", kill=kills + 1)).killed:
            kills += 1
        assert found.worked and kills >= 5
        assert deliver(layout.COLLECT_QUEUE, "collect_unit") >= 4

        app.clock.advance(seconds=69.5)
        app.host.send(layout.CHANGE_QUEUE, event(app.world.accounts()[0]))
        assert deliver(layout.CHANGE_QUEUE, "on_change") >= 2
        app.clock.advance(seconds=1)
        arrived(app, layout.COLLECT_QUEUE)
        assert deliver(layout.COLLECT_QUEUE, "collect_unit") >= 2, "bodies that are there already are no writes"

        kills = 0
        while (found := run("seal", kill=2 * kills + 1)).killed:
            kills += 1
            if found.writes[-1].endswith(layout.SEQUENCER_LOCK):
                continue  # killed before it had the lease
            if kills < 5:
                held = run("seal")
                assert held.worked and held.writes == [], "the lease of the dead is held for a minute, and the living wait"
            app.expire_leases()
        assert found.worked and kills >= 5

        name = app.http("request_bundle", "POST", "/api/bundles", body=b"{}")[2]["id"]
        assert deliver(layout.BUNDLE_QUEUE, "build_bundle") >= 1
        assert json.loads(app.store.get(layout.bundle_request(name)))["state"] == "built"
        app.settle()
        app.host.timer("watch")
        app.sound()
        assert [(c["missing"], c["failures"]) for c in app.closings()] == [([], 0)] * 2
        assert left_over(app.store) == []
        assert all(app.host.poison(queue) == [] for queue in layout.QUEUES)
