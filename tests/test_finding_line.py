"""A finding is written member by member: the very bytes that its record is in canonical JSON, whatever stands in it."""

import json
from datetime import UTC, datetime

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.canonical import canonical
from shared.judge.profile import DEFAULT
from shared.model import STATUSES, Judgement, Point
from shared.records import MAX_LINE, timestamp, whole
from shared.seal.store import DirectoryStore, get_body
from shared.service.judging import Judge, finding, finding_line

TEXT = st.text(st.characters(codec=None), max_size=40) | st.sampled_from(['"', "\\", "%", "%b", "\x00\x1f\x7f", "\ud800", "\u2028", "é 证据", "�"])
POINTS = st.lists(st.builds(Point, st.integers(0, 2**63), st.integers(0, 300), TEXT), max_size=5).map(tuple)
JUDGEMENTS = st.builds(Judgement, st.none() | TEXT, st.sampled_from(STATUSES), TEXT, POINTS)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(TEXT, JUDGEMENTS, TEXT, TEXT, TEXT, TEXT)
def test_the_line_of_a_finding_is_its_canonical_json(control, judgement, at, sweep, unit, profile):
    fields = (control, judgement, at, sweep, unit, profile)
    assert finding_line(*fields) == canonical(finding(*fields))


def test_a_finding_too_long_for_a_line_keeps_what_is_long_as_a_body(tmp_path):
    store = DirectoryStore(tmp_path)
    judge = Judge(store, "s", DEFAULT, "0" * 64, "loopback", lambda: timestamp(datetime(2026, 11, 1, tzinfo=UTC)))
    judgement = Judgement("/x", "unknown", "é" * MAX_LINE, (Point(1), Point(0, 2, "/a")))
    [line] = judge._findings("u", [("control", judgement)])
    assert len(line) <= MAX_LINE
    value = whole(json.loads(line), lambda digest: json.loads(get_body(store, digest)))
    assert value == finding("control", judgement, judge.now(), "s", "u", "0" * 64)
