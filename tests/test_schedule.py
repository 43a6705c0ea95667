"""NCRONTAB: which moments are slots, told apart from a walk over every second; and what is not a schedule is said so."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import Misuse
from shared.schedule import Schedule, parse

MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
WEEKDAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]
SPANS = [(0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6)]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=UTC)  # type: ignore[misc]


def days(text: str, start: datetime, end: datetime) -> list[str]:
    return [slot.strftime("%Y-%m-%d") for slot in parse(text).slots(start, end)]


# --- an independent reading: does this moment match? ---


def matches(text: str, moment: datetime) -> bool:
    now = (moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.isoweekday() % 7)
    return moment.microsecond == 0 and all(
        any(element_matches(element.lower(), value, number) for element in field.split(","))
        for number, (field, value) in enumerate(zip(text.split(), now, strict=True))
    )


def element_matches(element: str, value: int, number: int) -> bool:
    for position, name in enumerate(MONTHS if number == 4 else WEEKDAYS if number == 5 else []):
        element = element.replace(name, str(position + (number == 4)))
    span, _, step = element.partition("/")
    low, high = SPANS[number]
    if span != "*":
        first, _, last = span.partition("-")
        low, high = int(first), int(last or (high if step else first))
    return low <= value <= high and (value - low) % int(step or 1) == 0


@st.composite
def fields(draw: st.DrawFn, number: int) -> str:
    low, high = SPANS[number]
    names = {4: MONTHS, 5: WEEKDAYS}.get(number)

    def said(value: int) -> str:
        if names and draw(st.booleans()):
            return draw(st.sampled_from([str.lower, str.upper, str.title]))(names[value - low])
        return draw(st.sampled_from(["{}", "{:02}"])).format(value)

    elements = []
    for _ in range(draw(st.sampled_from([1, 1, 1, 2, 3]))):
        first, last = sorted((draw(st.integers(low, high)), draw(st.integers(low, high))))
        span = draw(st.sampled_from(["*", "*", said(first), f"{said(first)}-{said(last)}"]))
        elements.append(span + draw(st.sampled_from(["", "", f"/{draw(st.integers(1, high - low + 1))}"])))
    return ",".join(elements)


@st.composite
def expressions(draw: st.DrawFn) -> str:
    # Days, months and weekdays are often left open: else hardly any schedule has a slot in the minutes walked
    return " ".join([draw(fields(number)) if number < 3 or draw(st.booleans()) else "*" for number in range(6)])


MOMENTS = st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1), timezones=st.just(UTC))


def parsed(text: str) -> Schedule | None:
    try:
        return parse(text)
    except Misuse as error:
        assert "has no slot" in str(error)
        return None


@settings(max_examples=60, deadline=None)
@given(expressions(), MOMENTS, st.integers(0, 3000))
def test_slots_are_those_of_a_walk_over_every_second(text: str, start: datetime, length: int) -> None:
    schedule = parsed(text)
    end = start + timedelta(seconds=length, microseconds=length % 3)
    moment = start if start.microsecond == 0 else start.replace(microsecond=0) + timedelta(seconds=1)
    walked = []
    while moment < end:
        if matches(text, moment):
            walked.append(moment)
        moment += timedelta(seconds=1)
    assert list(schedule.slots(start, end) if schedule else []) == walked


@settings(max_examples=60, deadline=None)
@given(expressions(), MOMENTS)
def test_slots_are_those_of_a_walk_over_days(text: str, start: datetime) -> None:
    text = "0 0 12 " + text.split(" ", 3)[3]
    schedule = parsed(text)
    noon = start.replace(hour=12, minute=0, second=0, microsecond=0)
    walked = [moment for number in range(800) if matches(text, moment := noon + timedelta(days=number))]
    assert list(schedule.slots(noon, noon + timedelta(days=800)) if schedule else []) == walked


@settings(max_examples=120, deadline=None)
@given(expressions(), MOMENTS)
def test_latest_and_next_are_the_slots_on_either_side(text: str, moment: datetime) -> None:
    schedule = parsed(text)
    if schedule is None:
        return
    before, after = schedule.latest(moment), schedule.next(moment)
    assert before <= moment < after
    assert matches(text, before) and matches(text, after)
    assert schedule.next(before) == after and schedule.latest(after) == after
    assert schedule.latest(after - timedelta(microseconds=1)) == before
    if after - before < timedelta(days=400):
        assert next(schedule.slots(before + timedelta(seconds=1), after + timedelta(seconds=1))) == after
        assert list(schedule.slots(before, after)) == [before]


# --- what each piece means ---


@pytest.mark.parametrize(("text", "slots"), [
    ("0 0 */6 * * *", ["00:00:00", "06:00:00", "12:00:00", "18:00:00"]),
    ("0 30 9-11 * * *", ["09:30:00", "10:30:00", "11:30:00"]),
    ("15,45 59 23 * * *", ["23:59:15", "23:59:45"]),
    ("0 50/4 7 * * *", ["07:50:00", "07:54:00", "07:58:00"]),
    ("0 10-30/10,59 0 * * *", ["00:10:00", "00:20:00", "00:30:00", "00:59:00"]),
    ("0 0 0,0 * * *", ["00:00:00"]),
    ("  0   0 05 * * *  ", ["05:00:00"]),
])
def test_times_of_a_day(text: str, slots: list[str]) -> None:
    assert [slot.strftime("%H:%M:%S") for slot in parse(text).slots(at(2026, 11, 22), at(2026, 11, 23))] == slots


def test_both_days_must_match_as_ncrontab_has_it_not_either_as_crontab() -> None:
    assert days("0 0 0 13 * FRI", at(2026, 1, 1), at(2027, 1, 1)) == ["2026-02-13", "2026-03-13", "2026-11-13"]
    assert days("0 0 0 1-7 9 monday", at(2026, 1, 1), at(2029, 1, 1)) == ["2026-09-07", "2027-09-06", "2028-09-04"]


def test_names_and_numbers_are_the_same() -> None:
    assert parse("0 0 0 * JAN-mar,Sept tue,Thurs").months == parse("0 0 0 * 1-3,9 2,4").months == {1, 2, 3, 9}
    assert parse("0 0 0 * * SUN-saturday/3").weekdays == {0, 3, 6}


def test_leap_days_and_the_century_that_has_none() -> None:
    leap = parse("0 0 0 29 2 *")
    assert leap.next(at(2096, 2, 29)) == at(2104, 2, 29)
    assert leap.latest(at(2104, 2, 28, 23, 59, 59)) == at(2096, 2, 29)
    assert leap.latest(at(2104, 2, 29)) == at(2104, 2, 29)
    assert days("0 0 0 29 2 *", at(2096, 1, 1), at(2109, 1, 1)) == ["2096-02-29", "2104-02-29", "2108-02-29"]
    assert parse("0 0 0 29 2 MON").next(at(2072, 3, 1)) == at(2112, 2, 29)


def test_days_that_some_months_lack_are_left_out_there() -> None:
    assert days("0 0 0 31 * *", at(2026, 1, 1), at(2026, 9, 1)) == ["2026-01-31", "2026-03-31", "2026-05-31", "2026-07-31", "2026-08-31"]
    assert days("0 0 0 30 2,4 *", at(2026, 1, 1), at(2028, 1, 1)) == ["2026-04-30", "2027-04-30"]


def test_start_is_included_end_is_not_and_fractions_count() -> None:
    daily = parse("0 0 12 * * *")
    noon = at(2026, 11, 22, 12)
    tick = timedelta(microseconds=1)
    assert list(daily.slots(noon, noon + tick)) == [noon]
    assert list(daily.slots(noon, noon)) == list(daily.slots(noon + tick, noon)) == []
    assert list(daily.slots(noon + tick, noon + timedelta(days=1))) == []
    assert daily.latest(noon) == daily.latest(noon + tick) == noon and daily.latest(noon - tick) == noon - timedelta(days=1)
    assert daily.next(noon) == noon + timedelta(days=1) and daily.next(noon - tick) == noon


def test_other_zones_are_understood_and_no_zone_is_not() -> None:
    daily = parse("0 0 0 * * *")
    there = datetime(2026, 11, 23, 1, 30, tzinfo=timezone(timedelta(hours=2)))
    assert daily.latest(there) == at(2026, 11, 22) and daily.latest(there).tzinfo is UTC
    for ask in (daily.latest, daily.next, lambda moment: list(daily.slots(moment, moment))):
        with pytest.raises(ValueError, match="zone"):
            ask(datetime(2026, 11, 22))  # type: ignore[operator]


def test_the_ends_of_the_calendar() -> None:
    yearly = parse("0 0 0 1 1 *")
    assert yearly.latest(at(1, 1, 1)) == at(1, 1, 1)
    assert yearly.next(at(9998, 6, 1)) == at(9999, 1, 1)
    with pytest.raises(OverflowError, match="no slot after"):
        yearly.next(at(9999, 1, 1))
    with pytest.raises(OverflowError, match="no slot before"):
        parse("0 0 0 2 1 *").latest(at(1, 1, 1, 12))
    assert list(parse("59 59 23 31 12 *").slots(at(9999, 12, 31), datetime.max.replace(tzinfo=UTC))) == [at(9999, 12, 31, 23, 59, 59)]


def test_every_second_and_seven_years_are_quick() -> None:
    start = time.perf_counter()
    assert sum(1 for _ in parse("0 0 */6 * * *").slots(at(2026, 1, 1), at(2033, 1, 1))) == 2557 * 4
    assert next(parse("* * * * * *").slots(at(2026, 1, 1, 13, 14, 15), at(2033, 1, 1))) == at(2026, 1, 1, 13, 14, 15)
    assert parse("0 0 0 29 2 SUN").latest(at(2026, 1, 1)) == at(2004, 2, 29)
    assert time.perf_counter() - start < 0.5  # ten times what it takes: for a busy machine


# --- what is refused ---


@pytest.mark.parametrize(("text", "said"), [
    ("0 */6 * * *", "put the second first, '0 0 */6 * * *'"),
    ("", "0 fields"), ("   ", "0 fields"), ("@daily", "1 fields"), ("00:05:00", "1 fields"), ("0 0 0 * * * 2026", "7 fields"),
    ("60 0 0 * * *", "field 1 (second) is '60': 60 is not within 0-59"),
    ("0 -1 0 * * *", "field 2 (minute)"),
    ("0 0 24 * * *", "field 3 (hour)"),
    ("0 0 0 0 * *", "field 4 (day) is '0': 0 is not within 1-31"),
    ("0 0 0 L * *", "field 4 (day) is 'L': write 1-31, *"),
    ("0 0 0 ? * *", "field 4 (day)"), ("0 0 0 1W * *", "field 4 (day)"),
    ("0 0 0 * 13 *", "field 5 (month) is '13': 13 is not within 1-12 or jan-dec"),
    ("0 0 0 * J *", "field 5 (month)"), ("0 0 0 * ma *", "field 5 (month)"), ("0 0 0 * Januar-y *", "field 5 (month)"),
    ("0 0 0 * * 7", "Sunday is 0"), ("0 0 0 * * MON#1", "field 6 (day of week)"), ("0 0 0 mon * *", "field 4 (day)"),
    ("0 0 5-1 * * *", "the range runs backwards: write 1-5"), ("0 0 0 * * sat-mon", "write mon-sat"),
    ("0 */0 * * * *", "step after / must be from 1 to 60"), ("0 */90 * * * *", "step after /"), ("0 */ * * * *", "step after /"),
    ("0 */x * * * *", "step after /"), ("0 /5 * * * *", "field 2 (minute)"), ("0 5/5/5 * * * *", "step after /"),
    ("0 1,,2 * * * *", "field 2 (minute)"), ("0 , * * * *", "field 2 (minute)"), ("0 1-2-3 * * * *", "field 2 (minute)"),
    ("0 ** * * * *", "field 2 (minute)"), ("0 + * * * *", "field 2 (minute)"),
    ("0 ٣ * * * *", "field 2 (minute)"), ("0 ² * * * *", "field 2 (minute)"),
    ("0\t0 0 * * * *", "field 1 (second)"), ("0\n 0 0 * * *", "field 1 (second)"), ("99999999999999999999 0 0 * * *", "field 1 (second)"),
    ("0 0 0 31 2 *", "month 2 has no day 31; change field 4 or 5"), ("0 0 0 30 2 *", "has no slot"), ("0 0 0 31 4,6,9,11 *", "has no slot"),
    ("0 0 0 30-31 2 *", "has no slot"),
])
def test_what_is_no_schedule_says_which_field_and_what_to_write(text: str, said: str) -> None:
    with pytest.raises(Misuse) as caught:
        parse(text)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@settings(max_examples=120, deadline=None)
@given(st.text(max_size=30) | st.lists(st.text("0159*,-/ JANmon", min_size=1, max_size=4), min_size=6, max_size=6).map(" ".join))
def test_any_text_is_a_schedule_or_misuse_in_one_line(text: str) -> None:
    try:
        schedule = parse(text)
    except Misuse as error:
        assert len(str(error).splitlines()) == 1 and len(str(error)) < 400
    else:
        assert parse(schedule.text) == schedule
        assert schedule.latest(schedule.next(at(2026, 1, 1))) > at(2026, 1, 1)


def test_long_texts_are_not_repeated_in_full() -> None:
    with pytest.raises(Misuse) as caught:
        parse("x" * 10_000 + " 0 0 0 0 0")
    assert len(str(caught.value)) < 400
