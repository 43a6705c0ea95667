"""The sweep that closed last is found whatever became of the hint; and years of summaries are a few reads."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from shared import layout
from shared.canonical import canonical
from shared.seal.log import Log, open_log
from shared.seal.store import DirectoryStore
from shared.service import state
from shared.service.newest import newest_sweep
from shared.service.summary_index import MOST, stored_summaries
from tests.fixtures.records import START, Account, LogMaker


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path)


def hours(number):
    return START + timedelta(hours=6 * number)


def said(store, log=None):
    found = newest_sweep(store, log or open_log(store))
    return (found.record, found.slot) if found.end else None


def read(store):
    """The same, out of every record of the log."""
    log = open_log(store)
    closed = [(index, record["slot"]) for index, record in log.records(0, log.size) if record["type"] == "sweep-closed"]
    return (closed[-1][0], max((slot for _, slot in closed if slot), default=None)) if closed else None


def test_it_is_what_the_log_says_whatever_became_of_the_hint(store):
    maker = LogMaker(store).birth()
    assert said(store) is None
    old = None
    for number, what in enumerate(["kept", "lost", "torn", "old", "of nothing", "kept", "ahead"], 1):
        hint = store.get(layout.NEWEST_SWEEP)
        maker.sweep([Account("one")], slot=hours(number) if number != 3 else None, name=None if number != 3 else "event")
        if what == "lost":
            store.delete(layout.NEWEST_SWEEP)
        elif what == "torn":
            store.put(layout.NEWEST_SWEEP, hint[:-5])
        elif what == "old":
            store.put(layout.NEWEST_SWEEP, old)
        elif what == "of nothing":
            store.put(layout.NEWEST_SWEEP, b'["x"]')
        elif what == "ahead":
            store.put(layout.NEWEST_SWEEP, canonical({**json.loads(hint), "record": 10**9}))
        assert said(store) == read(store) is not None, what
        old = old or hint


def test_an_older_slot_that_is_closed_later_does_not_hide_the_newer(store):
    maker = LogMaker(store).birth()
    maker.sweep([Account("one")], slot=hours(2))
    maker.sweep([Account("one")], slot=hours(1))
    assert said(store) == read(store)


def test_what_the_log_object_does_not_see_is_not_said(store):
    maker = LogMaker(store).birth()
    maker.sweep([Account("one")], slot=hours(1))
    before, size = read(store), open_log(store).size
    maker.sweep([Account("one")], slot=hours(2))
    assert said(store, Log(store, size)) == before
    assert said(store) == read(store) != before


class Counting(DirectoryStore):
    def __init__(self, root):
        super().__init__(root)
        self.gets = Counter()

    def get(self, path):
        self.gets[path] += 1
        return super().get(path)


def is_summary(value):
    return "closed_record" in value


def summary(number):
    return {"sweep": f"{2026 + number // 300}0101T{number:06d}Z", "closed_record": number * 10 + 9, "end": number * 10 + 10}


def test_years_of_summaries_are_a_few_reads(tmp_path):
    store = Counting(tmp_path)
    every = [summary(number) for number in range(MOST * 8)]
    for each in every:
        store.put(layout.sweep_summary(each["sweep"]), canonical(each))
    assert stored_summaries(store, is_summary) == every
    store.gets.clear()
    store.put(layout.sweep_summary("20990101T000000Z"), canonical(summary(1)))
    assert stored_summaries(store, is_summary) == [*every, summary(1)]
    assert sum(store.gets.values()) < 5


@pytest.mark.parametrize("torn", [b"", b"[]", b"{", b"\xff", b'{"x":', b'{"20260101T000000Z":3}', b'{"20260101T000000Z":{"sweep":"x"}}'])
def test_a_torn_index_is_none_and_a_summary_that_is_gone_is_gone(tmp_path, torn):
    store = DirectoryStore(tmp_path)
    every = [summary(number) for number in range(MOST + 5)]
    for each in every:
        store.put(layout.sweep_summary(each["sweep"]), canonical(each))
    stored_summaries(store, is_summary)
    store.delete(layout.sweep_summary(every[3]["sweep"]))
    assert stored_summaries(store, is_summary) == every[:3] + every[4:]
    store.put(layout.sweep_index("2026"), torn)
    assert stored_summaries(store, is_summary) == every[:3] + every[4:]
    store.put(layout.sweep_summary(every[0]["sweep"]), torn)
    store.put(layout.sweep_index("2026"), torn)
    assert not is_summary(stored_summaries(store, is_summary)[0])


def test_summaries_are_the_same_with_an_index_and_without(store, monkeypatch):
    monkeypatch.setattr("shared.service.summary_index.MOST", 1)
    maker = LogMaker(store).birth()
    for number in range(1, 5):
        maker.sweep([Account("one")], slot=hours(number))
    log = open_log(store)
    first = state.summaries(store, log)
    assert state.summaries(store, log) == first
    assert store.get(layout.sweep_index(f"{START:%Y}"))
    assert state.summaries(store, log) == first
