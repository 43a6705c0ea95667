"""The outbox under everything at once: receivers that are down, answers that are lost, runs that are killed, clocks that leap, alerts put again."""

import json
import random
from datetime import UTC, datetime, timedelta

import pytest

from shared import layout
from shared.deliver.alerts.decide import alerts_of
from shared.deliver.alerts.route import Route
from shared.seal.attestor import Owed
from shared.seal.store import DirectoryStore
from shared.service import outbox
from tests.test_outbox import Killed, Mortal, change


class Frail:
    """A receiver that is down at times, and whose answer is lost at others, though it took the alert."""

    def __init__(self, name, chance, route):
        self.name, self.chance, self.route = name, chance, route
        self.down, self.lost, self.taken = False, 0, []

    def send(self, alert, _now):
        if self.down:
            raise Owed("it is down", wait=self.chance.choice([None, 5, 99_999]))
        self.taken.append(alert)
        if self.chance.random() < 0.1:
            self.lost += 1
            raise Owed("the answer was lost")


class Weather:
    """Two receivers, one store, one clock, and what happens to them."""

    def __init__(self, folder, seed):
        self.chance, self.store, self.time, self.sweeps, self.kills = random.Random(seed), DirectoryStore(folder), datetime(2026, 10, 24, 12, tzinfo=UTC), 0, 0
        pick = self.chance.choice
        held = Route(severity="info", quiet=pick([None, (22 * 60, 7 * 60)]), zone=pick(["UTC", "Europe/Berlin"]), digest=pick([None, "hourly", "daily"]),
                     through=pick([None, "high", "info"]))  # fmt: skip
        self.receivers = [Frail("held", self.chance, held), Frail("plain", self.chance, Route(severity="info"))]
        self.put = {}

    def sweep(self):
        self.sweeps += 1
        changed = [change(1000 * self.sweeps + n, self.chance.choice(["high", "medium", "low"])) for n in range(self.chance.randint(1, 3))]
        self.put |= {alert["key"]: alert for alert in alerts_of("e", f"s{self.sweeps}", changed)}
        self.again(list(self.put.values())[-len(changed) :])

    def again(self, alerts):
        for alert in alerts:
            for one in self.receivers:
                outbox.put(self.store, one.name, alert, self.time)

    def deliver(self, store):
        try:
            list(outbox.deliver(store, self.receivers, lambda: self.time))
        except Killed:
            self.kills += 1
            self.time += timedelta(seconds=self.chance.choice([0, 400]))

    def step(self):
        chance, happens = self.chance, self.chance.random()
        if happens < 0.3:
            self.sweep()
        elif happens < 0.4:
            chance.choice(self.receivers).down ^= True
        elif happens < 0.6:
            self.time += timedelta(seconds=chance.choice([1, 31, 600, 3600, 86_400, 4 * 86_400, -1, -3600, -86_400]))
        elif happens < 0.65:
            self.again(chance.sample(list(self.put.values()), min(2, len(self.put))))
        else:
            self.deliver(Mortal(self.store, chance.randint(0, 12), after=chance.random() < 0.5) if chance.random() < 0.4 else self.store)

    def waiting(self):
        return list(self.store.list(f"{layout.OUTBOX}{layout.WAITING}/"))

    def clears(self):
        for one in self.receivers:
            one.down = False
        for _ in range(100):
            self.time += timedelta(hours=3)
            self.deliver(self.store)

    def check(self, one):
        """Each alert was told by itself or in one digest, or was given up and says so; none more often than answers or runs were lost."""
        told = {}
        for alert in one.taken:
            for key in alert.get("members", [alert["key"]]):
                told.setdefault(key, set()).add(alert["key"])
        for key in self.put:
            dead, sent = (self.store.get(layout.outbox(folder, one.name, key)) for folder in (layout.DEAD, layout.SENT))
            if key in told:
                assert len(told[key]) == 1 and (dead or sent)
            else:
                digest = json.loads(sent)["digest"] if sent else None
                assert dead or (digest and self.store.exists(layout.outbox(layout.DEAD, one.name, digest))), key
        keys = [alert["key"] for alert in one.taken]
        assert len(keys) - len(set(keys)) <= self.kills + one.lost


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_every_alert_is_told_in_one_shape_or_given_up_and_said_to_be(tmp_path, seed):
    weather = Weather(tmp_path, seed)
    for _ in range(60):
        weather.step()
    weather.clears()
    assert weather.waiting() == []
    for one in weather.receivers:
        weather.check(one)
