"""The sentence about a model that outlived its training data says no more than the deletions that it rests on."""

import pytest

from shared.judge.lives.lineage import lineages
from shared.judge.reading import Node

MODEL = "gpt-4o.ft-1"
IN_PART = "is gone, as far as that is known between 2026-11-01 and 2026-11-02 (a, b); the model is listed still."


def deletion(file, status="corroborated", cause="deleted", after="2026-11-01", before="2026-11-02"):
    return {"object": {"kind": "file", "id": file}, "status": status, "cause": cause, "after": after, "before": before}


def sentence(*deletions):
    models = {MODEL: Node({"id": MODEL, "fine_tune": "job"}, 1, 0, "/data/0")}
    jobs = {"job": Node({"id": "job", "fine_tuned_model": MODEL, "training_file": "a", "validation_file": "b"}, 2, 0, "/data/0")}
    [line] = lineages(models, jobs, {}, {}, [(10 + place, one) for place, one in enumerate(deletions)])
    return line.sentence()


@pytest.mark.parametrize(
    ("deletions", "said"),
    [
        ([deletion("a"), deletion("b", before="2026-11-05")], "was deleted between 2026-11-01 and 2026-11-05 (a, b); the model was not."),
        ([deletion("a")], IN_PART),
        ([deletion("a"), deletion("b", "unlogged", "expired")], IN_PART),
        ([deletion("a", "unobservable", "unknown"), deletion("b")], IN_PART),
        ([deletion("a"), deletion("b"), deletion("b", "not-effective")], IN_PART),
        ([], "is no longer listed (a, b); the model was not."),
    ],
)
def test_training_data_is_said_to_be_deleted_only_where_a_witness_says_so_of_all_of_it(deletions, said):
    assert sentence(*deletions) == f"Training data of {MODEL} {said}"
