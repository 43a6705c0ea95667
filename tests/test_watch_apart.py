"""The step `watch` where something cannot be looked at: the rest is looked at and told, nothing counts as over, and the run fails."""

from dataclasses import replace

import pytest

from shared import alarms, layout
from shared.errors import StoreConflict, Unreachable
from shared.service import outbox
from shared.service.steps.watch import watch
from tests.fixtures.steps import Queues
from tests.test_outbox import alerted


class Refusing(Queues):
    """Queues that this identity may not look at, while `away`."""

    away = True

    def length(self, queue):
        if self.away:
            raise Unreachable(f"queue {queue}: access denied")
        return super().length(queue)


def looked(works):
    """One run, five minutes later, which fails."""
    works.estate.clock.advance(minutes=5)
    with pytest.raises(Unreachable, match="access denied"):
        watch(works.app())


def told(works, hook, id_):
    """What a receiver heard of one alarm."""
    app = works.app()
    list(outbox.deliver(app.store, app.receivers, app.now))
    return [alert["state"] for alert in hook.taken if alert["alarm"] == id_]


def test_what_waits_too_long_is_told_though_the_queues_cannot_be_looked_at(tmp_path):
    with alerted(tmp_path) as (works, (hook,)):
        works.plan()
        works.queues = Refusing()
        for _ in range(5):
            looked(works)
        assert told(works, hook, alarms.BATCH_UNSEALED) == ["began"], "since when it waits was remembered from run to run"


def test_nothing_is_over_because_nobody_could_look(tmp_path):
    with alerted(tmp_path) as (works, (hook,)):
        works.queues = Refusing()
        works.queues.away = False
        works.queues.send(layout.COLLECT_QUEUE + layout.POISON_SUFFIX, "x")
        watch(works.app())
        assert told(works, hook, alarms.POISON) == ["began"]
        works.queues.away = True
        for _ in range(6):
            looked(works)
        assert told(works, hook, alarms.POISON) == ["began"]
        works.queues.away = False
        works.queues.waiting.clear()
        for _ in range(4):
            works.estate.clock.advance(minutes=5)
            watch(works.app())
        assert told(works, hook, alarms.POISON) == ["began", "over"]


def test_a_heart_does_not_beat_while_somebody_cannot_look(tmp_path, monkeypatch):
    beats = []
    monkeypatch.setattr("shared.service.steps.watch.beat", lambda settings: beats.append(settings) or None)
    with alerted(tmp_path) as (works, _):
        works.estate.settings = replace(works.estate.settings, heartbeat_url="http://127.0.0.1:9/beat")
        works.plan()
        works.collect()
        works.settle()
        works.queues = Refusing()
        looked(works)
        assert beats == []
        works.queues.away = False
        watch(works.app())
        assert len(beats) == 1


def test_a_store_that_contradicts_itself_is_what_the_run_fails_with(tmp_path, monkeypatch):
    def contradicts(*_):
        raise StoreConflict("two lists of keys")

    monkeypatch.setattr("shared.service.steps.watch.read_standing", contradicts)
    with alerted(tmp_path) as (works, _):
        works.queues = Refusing()
        with pytest.raises(StoreConflict):
            watch(works.app())
