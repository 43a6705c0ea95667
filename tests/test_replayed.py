"""Whatever is delivered again, however often and in whatever order: no change is found twice, nobody is told twice, nothing is sealed twice."""

import json
import random
from dataclasses import replace

import pytest

from infra.local.authorship import Actor
from infra.local.resource_events import resource_events
from shared import layout
from shared.seal.log import open_log
from shared.service import outbox
from shared.service.steps.change import change_message
from shared.service.steps.unit import collect_message
from shared.service.steps.watch import watch
from shared.service.telling import expired, fill
from tests.fixtures.steps import plant
from tests.test_incidents import guarded, listening
from tests.test_outbox import SECRET


class Replayed:
    """A plant that remembers every message that its queues ever had."""

    def __init__(self, works, chance):
        self.works, self.chance, self.events, self.units = works, chance, [], []

    def act(self, number):
        """Something is changed, and told by an event, or seen by the next sweep."""
        works = self.works
        world, account = works.estate.azure.world, works.estate.azure.world.account("guarded")
        since = works.estate.clock.advance(minutes=30)
        world.actor = Actor(f"person-{number % 2}@example.org")
        world.put_deployment(account, f"burst-{number}", sku=self.chance.choice(["GlobalStandard", "Standard"]))
        if self.chance.random() < 0.5:
            self.events += [json.dumps(one).encode() for one in resource_events(world, since)]
            self.redeliver(self.events[-1:])
        else:
            works.estate.clock.advance(hours=6)
            works.plan()
        self.settle()

    def redeliver(self, events):
        for event in events:
            change_message(self.works.app(), event)
        self.works.estate.clock.advance(seconds=12)

    def settle(self):
        works = self.works
        self.units += [text.encode() for text in works.queues.waiting.get(layout.COLLECT_QUEUE, [])]
        works.collect(self.chance, duplicates=0.5)
        works.settle()
        works.collect(self.chance)
        watch(works.app())
        list(outbox.deliver(works.estate.store, works.app().receivers, works.estate.clock))

    def again(self):
        """Everything once more, in an order of its own."""
        works, chance = self.works, self.chance
        app, names = works.app(), [one["sweep"] for one in works.estate.reading().sweeps]
        doings = [lambda one=one: change_message(app, one) for one in self.events]
        doings += [lambda one=one: collect_message(app, one) for one in self.units]
        doings += [lambda one=one: fill(app.store, one, app.receivers, app.now()) for one in names]
        doings += [lambda one=one: app.store.put(layout.alert(one), b"{}") for one in names]
        doings += [lambda: expired(app.store, app.receivers, app.now()), lambda: watch(works.app()), works.seal, works.plan]
        chance.shuffle(doings)
        for doing in doings:
            doing()
            works.estate.clock.advance(seconds=chance.choice([0, 1, 40]))
        self.settle()


@pytest.mark.parametrize("seed", range(3))
def test_replaying_any_sweep_or_event_any_number_of_times_adds_no_change_and_no_alert(tmp_path, seed):
    chance = random.Random(seed)
    with plant(tmp_path / "store", world=guarded) as works, listening(works.estate.clock) as hook:
        hooks = {"alert_webhooks": (f"{hook.server.url}/hook",), "alert_secret": SECRET, "alert_severity": "info"}
        works.estate.settings = replace(works.estate.settings, **hooks)
        told = Replayed(works, chance)
        works.plan()
        told.settle()
        for number in range(4):
            told.act(number)
        works.estate.clock.advance(hours=6)
        works.plan()
        told.settle()
        size, changes, alerts = open_log(works.estate.store).size, len(works.estate.records("change")), list(hook.taken)
        assert changes >= 4 and len({alert["key"] for alert in alerts}) == len(alerts) >= 4
        for _ in range(3):
            told.again()
        assert (len(works.estate.records("change")), hook.taken) == (changes, alerts)
        assert open_log(works.estate.store).size == size, "nothing at all is sealed anew"
        assert works.verify().intact
