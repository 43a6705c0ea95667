"""What is owed: whatever goes wrong for however long, the newest is asked for first, every landmark in the end, and nobody too often."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.records import moment, timestamp
from shared.seal import debts
from shared.seal.debts import KEPT, LONGEST_WAIT, PACE, Debt, due, failed, owing, paid, read_debt

T0 = datetime(2026, 11, 25, 12, tzinfo=UTC)


def grown(debt, head, landmarks=(), at=T0, newest_alone=False):
    return owing(debt, landmarks, head, at, newest_alone=newest_alone)


def asked(debt, head, at=T0, newest_alone=False):
    return due(debt, head, at, newest_alone=newest_alone)


def given_(debt, size, at=T0, newest_alone=False):
    return paid(debt, size, at, newest_alone=newest_alone)


def test_whoever_was_never_asked_is_asked_for_the_newest():
    assert asked(grown(Debt(), 17), 17) == [17]


def test_the_newest_first_then_landmarks_from_new_to_old():
    debt = grown(Debt(size=5, at=timestamp(T0 - PACE)), 40, (10, 20, 30))
    assert asked(debt, 40) == [40, 30, 20, 10]


def test_the_newest_waits_its_turn_unless_it_is_a_landmark():
    debt = given_(grown(Debt(), 10), 10)
    soon = T0 + PACE / 2
    assert asked(grown(debt, 12, (), soon), 12, soon) == []
    assert asked(grown(debt, 12, (), soon), 12, T0 + PACE) == [12]
    assert asked(grown(debt, 12, (12,), soon), 12, soon) == [12]
    assert asked(grown(debt, 14, (12,), soon), 14, soon) == [12], "the landmark at once, what is newer in its turn"


def test_nothing_is_asked_for_twice():
    debt = given_(grown(Debt(), 10, (10,)), 10)
    assert asked(grown(debt, 10), 10, T0 + 5 * PACE) == []
    assert debt.since is None


def test_a_witness_is_asked_for_the_newest_alone_and_that_settles_the_rest():
    debt = grown(Debt(size=5, at=timestamp(T0)), 40, (10, 20, 30), newest_alone=True)
    assert asked(debt, 40, newest_alone=True) == [40]
    assert given_(debt, 40, newest_alone=True).owed == ()


def test_each_failure_doubles_the_wait_up_to_an_hour():
    debt, now, waits = grown(Debt(), 10), T0, []
    for _ in range(12):
        debt = failed(debt, "no connection", now, wait=None, grave=False)
        waits.append(moment(debt.wait) - now)
        assert asked(debt, 10, now) == []
        now = moment(debt.wait)
        assert asked(debt, 10, now) == [10]
    assert waits[:4] == [timedelta(seconds=s) for s in (30, 60, 120, 240)]
    assert waits[-1] == LONGEST_WAIT
    assert debt.since == timestamp(T0)
    assert given_(debt, 10, now) == Debt(size=10, at=timestamp(now))


@pytest.mark.parametrize(("asks", "waits"), [(0, 30), (45, 45), (1e12, 3600), (86_400, 3600)])
def test_it_is_left_alone_for_as_long_as_it_asks_within_reason(asks, waits):
    debt = failed(Debt(), "busy", T0, wait=asks, grave=False)
    assert moment(debt.wait) - T0 == timedelta(seconds=waits)


def test_a_clock_that_was_set_back_keeps_nobody_waiting():
    debt = failed(grown(Debt(), 10), "no connection", T0 + timedelta(days=30), wait=None, grave=False)
    assert asked(debt, 10, T0) == [10]
    ahead = given_(grown(Debt(), 10), 10, T0 + timedelta(days=30))
    assert asked(grown(ahead, 12), 12, T0) == [12]


def test_what_stays_owed_is_bounded():
    debt = grown(Debt(), 100_000, range(1, 100_000, 7))
    assert len(debt.owed) == KEPT
    assert debt.owed[-1] == 99_996, "the newest are kept"


sizes = st.integers(0, 10_000)
texts = st.one_of(st.none(), st.just(timestamp(T0)), st.text(max_size=8))
values = st.dictionaries(st.sampled_from([*Debt.__slots__, "other"]), st.one_of(sizes, texts, st.booleans(), st.lists(sizes), st.floats()))


@given(st.one_of(values, st.none(), st.integers(), st.text(), st.lists(st.integers())))
def test_any_value_in_the_state_is_a_debt_or_none(value):
    debt = read_debt(value)
    asked(grown(debt, 50, (20,)), 50)
    assert read_debt(debt.as_json()) == debt


@given(st.lists(st.tuples(st.integers(1, 9), st.booleans(), st.booleans(), st.integers(1, 4000)), min_size=1, max_size=60), st.booleans())
def test_whatever_happens_in_the_end_everything_is_vouched_for(steps, newest_alone):
    """Logs that grow by chance, somebody who answers by chance, time that passes by chance."""
    debt, now, head, landmarks, got = Debt(), T0, 0, set(), []

    def run(answers):
        nonlocal debt
        for size in asked(debt, head, now, newest_alone):
            assert size not in got, "never twice"
            if not answers:
                debt = failed(debt, "no", now, wait=None, grave=False)
                return
            assert not newest_alone or not got or size > max(got), "never back"
            got.append(size)
            debt = given_(debt, size, now, newest_alone)

    for growth, closes, answers, seconds in steps:
        head += growth
        now += timedelta(seconds=seconds)
        landmarks |= {head} if closes else set()
        debt = grown(debt, head, (head,) if closes else (), now, newest_alone)
        run(answers)
    assert len(got) <= 2 * len(steps)
    now += LONGEST_WAIT + PACE
    debt = grown(debt, head, (), now, newest_alone)
    run(True)
    assert max(got) == head, "the newest covers everything"
    assert newest_alone or landmarks <= set(got)
    assert debt.owed == () and debt.since is None and debt.error is None
    assert timedelta(minutes=1) < debts.PACE
