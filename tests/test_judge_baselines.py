"""Which baseline holds for a resource, what is not known of its questions, and the shape that an approval must have."""

import pytest

from shared.deliver.shapes import RecordError, check_fields
from shared.judge.baselines import Outcome, baseline_of, baselines_of, holding, paired

GOOD = {"action": "approve", "number": 1, "scope": None, "from": 1, "size": 9, "sweep": "s", "owner": "x", "reason": "y"}


def test_the_verifier_knows_the_shape():
    check_fields({"type": "baseline", "baseline": GOOD})
    for broken in ({**GOOD, "size": -1}, {**GOOD, "scope": "/A"}, {**GOOD, "action": "end"}, {**GOOD, "owner": None}, {**GOOD, "from": True}, None):
        with pytest.raises(RecordError):
            check_fields({"type": "baseline", "baseline": broken})


def test_of_those_that_cover_a_resource_the_last_holds():
    acts = [(number, "t", {**GOOD, "scope": scope}) for number, scope in enumerate([None, "/a", "/a/b", "/ab", "/a/b/c"], 1)]
    known = baselines_of(acts)
    found = [baseline_of(known, resource) for resource in (None, "/", "/a", "/a/b", "/ab", "/a/b/c/d", "/a/bc")]
    assert [one.number for one in found] == [1, 1, 2, 3, 4, 5, 2]
    assert baseline_of(known[1:], None) is None is baseline_of([], "/a")
    assert holding(known) == known and [one.number for one in holding(known[::-1])] == [1]
    assert [one.number for one in holding([known[2], known[3], known[1]])] == [4, 2]


def test_what_is_not_known_is_said_once_and_not_of_what_came_or_went():
    def outcome(page="x", failure=None):
        return Outcome(1, "t", "s", (page,) if not failure else None, failure)

    away = Outcome(1, "t", "s", None)
    key = ("k", "/a/new/part")
    assert paired({key: outcome()}, {key: outcome()}).left([], []) == [] == paired({key: away}, {key: away}).left([], [])
    assert paired({key: away}, {key: outcome()}).both and paired({key: outcome()}, {key: outcome("y")}).both
    assert paired({}, {key: outcome()}).left(["/a/new"], []) == [] != paired({}, {key: outcome()}).left(["/a/ne"], ["/a/new"])
    assert paired({key: outcome()}, {}).left([], ["/a/new"]) == [] != paired({key: outcome()}, {}).left(["/a/new"], [])
    failed = paired({key: outcome()}, {key: outcome(failure="forbidden")})
    assert failed.both == () and failed.left(["/a/new"], ["/a/new"]) == [(key, "could not look: forbidden")]
