"""The heartbeat: one call for each sweep that closed, from an app that has nothing to complain of; none otherwise."""

from contextlib import contextmanager
from dataclasses import replace

import pytest

from shared import alarms, layout
from shared.errors import Misuse
from shared.service.steps.watch import watch
from shared.settings import read
from tests.fixtures.commandline import office
from tests.fixtures.local_http import Served
from tests.fixtures.steps import plant
from tests.test_attributed import sweep


class Pulse:
    """Who waits to hear."""

    def __init__(self):
        self.status, self.calls = 200, []
        self.server = Served(self._answer)

    def _answer(self, method, path, _headers, body):
        self.calls.append((method, path, body))
        return self.status, {"Location": "/elsewhere"}, b"OK"

    def took(self):
        said, self.calls = self.calls, []
        return said


CALL = ("POST", "/ping/uuid", b"")


@contextmanager
def heard(folder):
    pulse = Pulse()
    try:
        with plant(folder) as works:
            works.estate.settings = replace(works.estate.settings, heartbeat_url=f"{pulse.server.url}/ping/uuid")
            yield works, pulse
    finally:
        pulse.server.stop()


def test_it_is_called_once_for_each_slot_whose_sweep_closed(tmp_path):
    with heard(tmp_path) as (works, pulse):
        watch(works.app())
        assert pulse.took() == [], "nothing is closed yet"
        sweep(works)
        for _ in range(3):
            assert watch(works.app()) == []
        assert pulse.took() == [CALL]
        works.estate.clock.advance(hours=5)
        watch(works.app())
        assert pulse.took() == []
        works.plan()  # closed by nobody
        watch(works.app())
        assert pulse.took() == []
        works.collect()
        works.settle()
        sweep(works)
        watch(works.app())
        assert pulse.took() == [CALL]


@pytest.mark.parametrize("trouble", ["poison", "dead", "missing", "slot"])
def test_it_stops_while_anything_is_alarmed_and_goes_on_afterwards(tmp_path, trouble):
    with heard(tmp_path) as (works, pulse):
        sweep(works)
        watch(works.app())
        assert pulse.took() == [CALL]
        poison, dead = layout.COLLECT_QUEUE + layout.POISON_SUFFIX, layout.outbox(layout.DEAD, "x", "k")
        if trouble == "poison":
            works.queues.send(poison, "x")
        elif trouble == "dead":
            works.estate.store.put(dead, b"{}")
        if trouble == "missing":
            works.estate.clock.advance(hours=6)
            works.plan()
            works.queues.waiting.clear()
            works.estate.clock.advance(hours=6)
            works.settle()
        elif trouble == "slot":
            works.estate.clock.advance(hours=18)
            sweep(works, hours=0)
        else:
            sweep(works)
        for _ in range(2):
            watch(works.app())
        assert pulse.took() == []
        works.queues.waiting.clear()
        works.estate.store.delete(dead)
        sweep(works, hours=0 if trouble == "missing" else 6)
        watch(works.app())
        assert pulse.took() == [CALL]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_was_not_heard_is_said_and_tried_again(tmp_path, status):
    with heard(tmp_path) as (works, pulse):
        sweep(works)
        pulse.status = status
        for _ in range(2):
            (alarm,) = watch(works.app())
            assert alarm.id == alarms.ALERT_UNDELIVERED and f"not heard: it answers {status}" in alarm.text and "uuid" not in alarm.text
        pulse.status = 200
        assert watch(works.app()) == []
        assert pulse.took() == [CALL] * 3


def test_collect_on_the_command_line_calls_it(tmp_path):
    pulse = Pulse()
    try:
        with office(tmp_path / "office") as made:
            assert made("init", "--origin", "example.org/evidence").code == 0
            desk = made.having(EVIDENCE_HEARTBEAT_URL=f"{pulse.server.url}/ping/uuid")
            desk("collect")
            assert pulse.took() == [CALL]
            pulse.status = 410
            assert "the heartbeat was not heard: it answers 410" in desk("collect").err
    finally:
        pulse.server.stop()


@pytest.mark.parametrize("url", ["http://hc.example/x", "https://u:p@hc.example/x", "ftp://hc.example", "hc.example"])
def test_an_address_that_it_cannot_have_is_refused(url):
    with pytest.raises(Misuse, match="EVIDENCE_HEARTBEAT_URL"):
        read({"EVIDENCE_HEARTBEAT_URL": url})
