"""Markers of what was sent are forgotten after a month, and nothing is sent twice for it, whatever is done again and however late."""

import random
from datetime import timedelta

import pytest

from shared import layout
from shared.canonical import canonical
from shared.records import timestamp
from shared.service import outbox
from shared.service.pruning import KEPT, TOLD, prune
from shared.service.steps import alerts
from shared.service.steps.watch import watch
from shared.service.telling import expired, fill
from tests.fixtures.steps import plant
from tests.test_incidents import guarded
from tests.test_outbox import Memory, alerted, drift, kept, sent
from tests.test_turned import log_in_with_keys


@pytest.mark.parametrize("seed", range(2))
def test_whatever_is_done_again_nothing_is_sent_twice_and_markers_do_not_pile_up(tmp_path, seed):
    chance = random.Random(seed)
    with plant(tmp_path, world=guarded) as works:
        every_hour, at_once = Memory(severity="info", digest="hourly", through=None), Memory(severity="info")
        every_hour.name = "every-hour"
        both, store, clock, sweeps, most = [every_hour, at_once], works.estate.store, works.estate.clock, [], 0

        def closed():
            log_in_with_keys(works, allowed=chance.random() < 0.5)
            works.estate.clock.advance(hours=6)
            works.plan()
            works.collect()
            for one in works.settle():
                sweeps.append(one.sweep)
                fill(store, one.sweep, both, clock())

        def replayed():
            for name in chance.sample(sweeps, min(3, len(sweeps))):
                fill(store, name, both, clock())

        def watched():
            app = works.app()
            app.__dict__["receivers"] = both
            watch(app)

        closed()
        for _ in range(60):
            chance.choice([closed, replayed, replayed, watched, lambda: prune(store, clock()), lambda: expired(store, both, clock())])()
            list(outbox.deliver(store, both, clock))
            clock.advance(days=chance.choice([0, 0, 1, 12, 33]), hours=chance.randrange(24))
            most = max(most, len(list(store.list(layout.OUTBOX + layout.SENT + "/"))))
        for one in both:
            assert len(set(one.got)) == len(one.got)
        assert len(at_once.got) > 10 and most < len(at_once.got) * 3
        clock.advance(days=40)
        prune(store, clock())
        assert list(store.list(layout.OUTBOX + layout.SENT + "/")) == []
        for name in sweeps:
            assert fill(store, name, both, clock()) == 0


def of_changes(hook):
    """What was told but of the app, which has been without sweeps for long."""
    return [alert for alert in hook.taken if "alarm" not in alert]


def test_a_marker_goes_a_month_later_and_not_before(tmp_path):
    with alerted(tmp_path) as (works, (hook,)):
        name = drift(works)
        sent(works)
        assert works.estate.clock.advance(days=31) and prune(works.estate.store, works.estate.clock()) == 0
        works.estate.clock.advance(hours=1)
        store = works.estate.store
        store.put(layout.alert(name), b"{}")
        assert prune(store, works.estate.clock()) == 0, "somebody may still tell this sweep"
        store.delete(layout.alert(name))
        (marker,) = kept(works, layout.SENT)
        waiting = marker.replace("/sent/", "/waiting/")
        store.put(waiting, b"{}")
        assert prune(store, works.estate.clock()) == 0, "what waits is looked for among what was sent"
        store.delete(waiting)
        assert prune(store, works.estate.clock()) == 1 and kept(works, layout.SENT) == []
        app = works.app()
        assert fill(store, name, app.receivers, app.now()) == 0
        alerts.owe(store, name)
        watch(app)
        sent(works)
        assert len(of_changes(hook)) == 1


def test_a_sweep_that_nobody_told_is_told_however_late(tmp_path):
    with alerted(tmp_path) as (works, (hook,)):
        name = drift(works)
        for path in list(works.estate.store.list(layout.OUTBOX)):
            works.estate.store.delete(path)
        works.estate.store.put(layout.alert(name), b"{}")
        works.estate.clock.advance(days=100)
        watch(works.app())
        assert len(of_changes(hook)) == 0
        sent(works)
        assert len(of_changes(hook)) == 1


@pytest.mark.parametrize("marker", [{"of": "waiver"}, {}, {"of": None}, {"of": "sweep", "at": 7}])
def test_markers_that_cannot_be_made_again_or_say_nothing_stay(tmp_path, marker):
    with plant(tmp_path) as works:
        store, now = works.estate.store, works.estate.clock()
        store.put(layout.outbox(layout.SENT, "x", "k"), canonical({"at": timestamp(now - timedelta(days=999)), **marker}))
        assert prune(store, now) == 0


def test_a_marker_outlives_the_time_in_which_its_sweep_may_be_told():
    assert timedelta(days=1) <= KEPT - TOLD
