"""The period view: what each observation speaks for, against a slow and obvious oracle; what is never claimed."""

import json
import re
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.deliver.period import fold as folding
from shared.deliver.period.fold import GRACE, UNDECLARED, PeriodFold, micros, stamp, valid_for
from shared.deliver.period.population import Population
from shared.deliver.period.summary import document, encoded
from shared.deliver.period.timeline import EVIDENCED, Timeline, clip, holes, longest, share, total
from shared.records import timestamp
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore
from shared.service.report import report
from tests.fixtures.estate import estate
from tests.fixtures.records import START, Account, LogMaker, small_log

STATUSES = ("satisfied", "not-satisfied", "unknown", "not-applicable", "provider-attested")
HORIZON = 40
observations = st.lists(st.tuples(st.integers(0, HORIZON - 1), st.integers(1, 8), st.sampled_from(STATUSES)), max_size=14)
windows = st.lists(st.integers(0, HORIZON), min_size=2, max_size=6, unique=True).map(
    lambda edges: [(low, high) for low, high in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False)]
)


def oracle(seen):
    """What is so at each moment: the last observation taken that none newer had preceded, if it is still valid."""
    kept, newest = [], -1
    for at, valid, status in seen:
        if at >= newest:
            kept.append((at, valid, status))
            newest = at
    moments = []
    for now in range(HORIZON + 10):
        before = [each for each in kept if each[0] <= now]
        current = before[-1] if before else None
        moments.append(current[2] if current and now < current[0] + current[1] else None)
    return moments


def pieces(moments, wanted):
    """Runs of moments, one by one."""
    return [(now, now + 1) for now, what in enumerate(moments) if what in wanted]


@given(observations, windows)
def test_a_timeline_is_what_a_look_at_every_moment_says(seen, windows):
    timeline = Timeline()
    for record, (at, valid, status) in enumerate(seen):
        timeline.add(status, record, at=at, until=at + valid)
    moments = oracle(seen)
    spans = timeline.spans()
    found = [None] * (HORIZON + 10)
    for span in spans:
        for now in range(span.start, span.end):
            assert found[now] is None, "spans overlap"
            found[now] = span.status
    assert found == moments
    evidenced = clip([(s.start, s.end) for s in spans if s.status in EVIDENCED], windows)
    inside = [now for low, high in windows for now in range(low, high)]
    assert total(evidenced) == sum(moments[now] in EVIDENCED for now in inside)
    assert total(holes(evidenced, windows)) == len(inside) - total(evidenced)
    assert sum(timeline.statuses.values()) == len(seen)
    worst = 0
    for low, high in windows:
        run = 0
        for now in range(low, high):
            run = run + 1 if moments[now] not in EVIDENCED else 0
            worst = max(worst, run)
    stretch = longest(holes(evidenced, windows))
    assert (stretch[1] - stretch[0] if stretch else 0) == worst


@given(observations)
def test_the_longest_time_between_observations(seen):
    timeline, kept = Timeline(), []
    for record, (at, valid, status) in enumerate(seen):
        timeline.add(status, record, at=at, until=at + valid)
        if not kept or at >= kept[-1]:
            kept.append(at)
    apart = max((after - before for before, after in pairwise(kept)), default=None)
    assert (timeline.between[1] - timeline.between[0] if timeline.between else None) == apart


def test_a_share_is_cut_off_and_never_rounded_up():
    assert share(99_999, 100_000) == "99.99"
    assert share(1, 1) == "100.00"
    assert share(0, 0) == "0.00"


def test_an_observation_stands_until_the_next_slot_and_the_grace():
    assert valid_for("0 0 */6 * * *", "2026-11-01T06:00:00.000000Z") == 6 * 3_600_000_000 + GRACE
    assert valid_for("0 0 */6 * * *", "2026-11-01T07:11:00.000000Z") == 6 * 3_600_000_000 + GRACE
    assert valid_for(None, "2026-11-01T06:00:00.000000Z") == UNDECLARED
    assert valid_for("nonsense", "2026-11-01T06:00:00.000000Z") == UNDECLARED


# -- population -----------------------------------------------------------------------------------------------------------------

SUB = "/subscriptions/s"
ONE, TWO = (f"{SUB}/resourcegroups/g/providers/microsoft.cognitiveservices/accounts/{name}" for name in ("one", "two"))


def planned(*sweeps):
    population = Population((0, 100))
    for number, (at, names, unlisted) in enumerate(sweeps):
        units = {SUB: "subscription", **dict.fromkeys(names, "account:OpenAI")}
        population.plan(number, at, units, {SUB} if unlisted else set())
    return population


def test_what_was_there_first_counts_from_the_start_and_what_came_later_from_then():
    found = planned((10, [ONE], False), (30, [ONE, TWO], False), (60, [TWO], False))
    assert found.windows(ONE) == [(0, 60)]
    assert found.windows(f"{TWO}/deployments/d") == [(30, 100)]
    assert found.windows(None) == [(0, 100)]
    assert (found.accounts[ONE].vanished, found.accounts[TWO].appeared) == (1, 1)


def test_a_list_that_failed_says_of_nobody_that_he_is_gone():
    assert planned((10, [ONE], False), (30, [], True)).windows(ONE) == [(0, 100)]
    assert planned((10, [ONE], False), (30, [], False)).windows(ONE) == [(0, 30)]


# -- over a log -----------------------------------------------------------------------------------------------------------------


def viewed(store, start=0, end=24):
    log = open_log(store)
    fold = PeriodFold(timestamp(START + timedelta(hours=start)), timestamp(START + timedelta(hours=end)), lambda digest: pytest.fail(digest))
    for index, line in log.lines(0, log.size):
        fold.line(index, line)
    return fold


def rows(found, control):
    return [row for row in found["rows"] if row["control"] == control]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    store = DirectoryStore(tmp_path_factory.mktemp("log"))
    small_log(store, sweeps=5)
    return store


def test_a_period_that_was_looked_at_in_every_slot_has_no_gap(small):
    found = document(viewed(small, 6, 30))
    assert found["sweeps"] == 4
    control = next(each for each in found["controls"] if each["control"] == "content-logging-off")
    assert control["unexplained_gaps"] == 0 and float(control["least_evidenced"]) > 99.9
    assert 6 * 3600 - 60 < control["longest_between"]["seconds"] < 6 * 3600 + 60
    assert "0 unexplained gaps" in control["sentence"] and "longest stretch between observations" in control["sentence"]
    assert len(found["statements"]) == 36
    log = open_log(small)
    for row in found["rows"]:
        for index in row["records"]:
            _, record = next(log.records(index, index + 1))
            assert (record["type"], record["control"], record["resource"]) == ("finding", row["control"], row["resource"])


def test_records_taken_whole_give_what_lines_give(small):
    log = open_log(small)
    fold = PeriodFold(timestamp(START), timestamp(START + timedelta(hours=24)), lambda digest: None)
    for index, record in log.records(0, log.size):
        fold.take(index, record)
    assert fold.timelines and encoded(fold) == encoded(viewed(small))


def test_a_slot_without_a_sweep_is_an_unexplained_gap(tmp_path):
    store = DirectoryStore(tmp_path)
    maker = LogMaker(store).birth()
    account = Account("one")
    for hour in (0, 6, 18):
        maker.sweep([account], slot=START + timedelta(hours=hour))
    row = rows(document(viewed(store)), "content-logging-off")[0]
    (gap,) = row["unexplained_gaps"]
    assert gap["from"].startswith(stamp(micros(timestamp(START + timedelta(hours=13))))[:13])
    assert 70 < float(row["evidenced"]) < 80


def test_what_could_not_be_looked_at_is_never_satisfied_and_not_unexplained(tmp_path):
    store = DirectoryStore(tmp_path)
    maker = LogMaker(store).birth()
    maker.sweep([Account("one")], slot=START)
    maker.sweep([Account("one", fails={"account": "forbidden"})], slot=START + timedelta(hours=6))
    row = rows(document(viewed(store, 0, 12)), "content-logging-off")[0]
    assert row["statuses"]["unknown"] == 1
    assert float(row["evidenced"]) < 51
    assert row["unexplained_gaps"] == []
    assert row["longest_unobserved"]["seconds"] > 5 * 3600


@pytest.mark.parametrize("rests_on, minute", [
    ([2 * folding.REACH + 5], 2), ([5], 9), ([5, 2 * folding.REACH + 5], 2), ([2 * folding.REACH + 900], 9), ([-1], 9), ([], 9), ([folding.REACH + 8], 3),
    ([folding.REACH + 7], 9),
])  # fmt: skip
def test_a_finding_is_of_the_moment_of_its_newest_answer_within_reach(rests_on, minute):
    """Answers long ago do not pile up: their places are taken by later ones, which are not taken for them."""
    def at(number):
        return timestamp(START + timedelta(minutes=number))

    fold = folding.PeriodFold(timestamp(START), timestamp(START + timedelta(days=1)), lambda digest: None)
    index = 2 * folding.REACH + 8
    fold.take(4, {"type": "sweep-planned", "at": at(0), "sweep": "s", "slot": None, "schedule": None, "units": [], "scope": {}})
    for place, minutes in ((5, 1), (folding.REACH + 7, 4), (folding.REACH + 8, 3), (2 * folding.REACH + 5, 2)):
        fold.line(place, b'{"at":"%b","type":"observation"}' % at(minutes).encode())
    fold.take(index, {"type": "finding", "at": at(9), "sweep": "s", "control": "c", "resource": None, "status": "satisfied", "records": rests_on})
    [span] = fold.timelines["c", None].spans()
    assert folding.stamp(span.start) == at(minute)


def test_a_change_has_the_actor_of_the_last_attribution(small):
    fold = viewed(small)
    name = next(iter(fold._inside))
    change = {"type": "change", "at": timestamp(START), "sweep": name, "resource": "/a", "kind": "account", "to": 7}
    said = {"type": "attribution", "at": timestamp(START), "sweep": name, "resource": "/a", "kind": "account", "change": {"to": 7}}
    for index, record in enumerate([change, {**said, "by": None}, {**said, "by": "someone"}, {**said, "change": {"to": 8}, "by": "another"}], 900):
        fold.take(index, record)
    assert [(each["actor"], each["attribution"]) for each in document(fold)["changes"] if each["record"] == 900] == [("someone", 902)]


def test_the_report_says_how_much_of_the_period_is_evidenced(tmp_path):
    with estate(tmp_path) as site:
        site.collect()
        made = report(site.reading(), None, tmp_path / "report.html", site.clock() + timedelta(hours=1))
        text = (tmp_path / "report.html").read_text()
    assert made.sweeps == 1
    assert re.search(r"content-logging-off: [^<]*satisfied at [0-9.]+ %[^<]* of [0-9]+ observations? of [0-9]+ account", text)


# -- the command ----------------------------------------------------------------------------------------------------------------


def test_the_command_says_it_in_sentences_and_when_asked_in_intervals(desk):
    every = desk("period")
    assert every.code == 0, every.err
    assert "content-logging-off: " in every.out and "unexplained gap" in every.out
    one = desk("period", "--control", "content-logging-off", "--json")
    found = json.loads(one.out)
    assert {row["control"] for row in found["rows"]} == {"content-logging-off"} and len(found["statements"]) == 36
    assert "first record" in desk("period", "--control", "content-logging-off").out
    nothing = desk("period", "--from", "2001-01-01", "--to", "2001-01-02")
    assert nothing.code == 2 and "no closed sweep in this period" in nothing.err
