"""What is derived again in a bundle is derived from records that anybody may have written: one that is malformed is passed over, and never ends the verifier."""

from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import canonical
from shared.deliver.bundle.sample import Sample, Sampler
from shared.deliver.verify.texts import Texts
from shared.deliver.verify.verdict import Tally

FINDING = {
    "at": "2026-11-01T06:00:00.000000Z", "catalogue": "2026.11.4", "control": "content-logging-off", "kind": "finding", "profile": None, "reason": "It is so.",
    "records": [3, 4], "resource": "/subscriptions/s", "status": "satisfied", "sweep": "20261101T060000000000Z", "type": "finding", "unit": "u", "v": 1,
}  # fmt: skip
FIELDS = ("at", "control", "reason", "records", "resource", "status", "sweep", "type")
plain = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
anything = st.recursive(plain, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6)


def texts():
    manifest = SimpleNamespace(framework=None, period=("2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"))
    made = Texts(manifest, SimpleNamespace(load=lambda digest: None), Tally())
    made._sampler = Sampler(Sample(3, "s", None), None, lambda _: None)
    return made


def derived(made):
    return made._digest.hexdigest(), dict(made._by_control.files()), made._sampler.population()


@given(st.sampled_from(FIELDS), anything)
def test_a_field_of_any_kind_is_taken_or_passed_over_as_a_whole(name, value):
    made, whole, without = texts(), texts(), texts()
    line = canonical({**FINDING, name: value, **({"sweep": "s"} if name == "type" else {})})
    made.take(1, [canonical(FINDING), line])
    whole.take(1, [canonical(FINDING)])
    taken = derived(made) != derived(whole)
    assert not taken or isinstance(value, str | None) or (name == "records" and all(type(each) is int for each in value)) or (name == "resource" and not value)
    assert derived(whole) != derived(without), "what is sound is taken"


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_that_is_missing_is_passed_over(name):
    made, empty = texts(), texts()
    lacking = canonical({key: value for key, value in FINDING.items() if key != name})
    made.take(1, [lacking, b'"type":"finding"', b'["type":"finding"]', b'{"type":"finding"}'])
    assert derived(made) == derived(empty)
