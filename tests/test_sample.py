"""A sample is what the seed and the records make it: a shell without our program draws the same, and verify says when it is another."""

import json
import shutil
import subprocess
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import canonical, sha256
from shared.deliver.bundle.sample import FACTS, POPULATION, SELECTION, Sample, Sampler
from shared.errors import Misuse
from shared.seal.store import DirectoryStore
from tests.fixtures.bundles import apart, built, hours, together, verdict
from tests.fixtures.records import small_log

SEED = "audit's 2026 $(seed)"


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = DirectoryStore(tmp_path_factory.mktemp("log"))
    small_log(made, sweeps=2)
    return made


@pytest.fixture(scope="module")
def entries(store, tmp_path_factory):
    return apart(built(store, tmp_path_factory.mktemp("b"), hours(0, 240), sample=Sample(3, SEED, "control")))


found = st.lists(st.tuples(st.sampled_from(["a", "b", "c"]), st.sampled_from(["/x", "/y", None]), st.sampled_from(["2026-11", "2026-12"])), max_size=40)


@given(found, st.integers(1, 6), st.sampled_from([None, "control", "resource", "month"]))
def test_the_sample_is_what_sorting_everything_gives(findings, count, stratify):
    written = []
    sampler = Sampler(Sample(count, "s", stratify), None, written.append)
    for index, (control, resource, month) in enumerate(findings):
        sampler.add(index, {"status": "satisfied", "control": control, "resource": resource, "at": f"{month}-01T00:00:00.000000Z"})
    lines = b"".join(written).decode().splitlines()
    ranked = sorted((sha256(f"s\t{line}".encode()), line) for line in lines)
    seen, drawn = Counter(), []
    for rank, line in ranked:
        stratum = line.split("\t")[{"month": 1, "control": 2, "resource": 3}[stratify]] if stratify else ""
        if seen[stratum] < count:
            drawn.append(f"{rank}\t{line}\n")
        seen[stratum] += 1
    assert sampler.selection().decode() == "".join(drawn)
    assert len(lines) == len(findings)


@pytest.mark.parametrize("stratify", [None, "control", "resource", "month"])
@pytest.mark.skipif(not shutil.which("sha256sum"), reason="sha256sum is not here")
def test_a_shell_draws_the_same(store, tmp_path, stratify):
    made = apart(built(store, tmp_path, hours(0, 240), sample=Sample(2, SEED, stratify)))
    (tmp_path / "population.txt").write_bytes(made[POPULATION])
    command = json.loads(made[FACTS])["reproduce"]
    done = subprocess.run(["sh", "-c", command], cwd=tmp_path, check=True, capture_output=True)
    assert done.stdout == made[SELECTION] != b""


def test_the_population_is_every_finding_that_rests_on_something(entries):
    facts = json.loads(entries[FACTS])
    findings = [
        (index, record)
        for name, data in entries.items()
        if name.startswith("records/")
        for index, record in enumerate(map(json.loads, data.splitlines()), int(name[8:28]))
        if record["type"] == "finding" and record["status"] != "provider-attested"
    ]
    assert [int(line.split(b"\t")[0]) for line in entries[POPULATION].splitlines()] == [index for index, _ in findings]
    assert facts["population"] == {"count": len(findings), "sha256": sha256(entries[POPULATION])}
    assert set(facts["strata"]) == {record["control"] for _, record in findings}


def test_verify_draws_again(entries):
    found = verdict(together(entries))
    assert found.intact, found.problems
    assert any("was drawn again by the seed" in line for line in found.as_lines())


@pytest.mark.parametrize("name", [FACTS, POPULATION, SELECTION])
def test_a_sample_that_was_improved_is_found(entries, name):
    lines = entries[name].splitlines(keepends=True)
    worse = {**json.loads(entries[FACTS]), "strata": {}} if name == FACTS else None
    spoiled = canonical(worse) if worse else b"".join(lines[1:])
    found = verdict(together({**entries, name: spoiled}))
    assert any(problem.file == name and "does not follow" in problem.reason for problem in found.problems)


def test_another_seed_than_was_drawn_by_is_found(entries):
    spoiled = canonical({**json.loads(entries[FACTS]), "seed": "another"})
    assert not verdict(together({**entries, FACTS: spoiled})).intact


@pytest.mark.parametrize("name", [FACTS, POPULATION, SELECTION])
def test_a_file_of_the_sample_left_out(entries, name):
    assert not verdict(together({other: data for other, data in entries.items() if other != name})).intact


@pytest.mark.parametrize("facts", [b"", b"[]", b"{}", b'{"count":0,"seed":"s","stratify":null}', b'{"count":true,"seed":"s","stratify":null}', b"[" * 100_000])
def test_facts_that_are_none(entries, facts):
    assert not verdict(together({**entries, FACTS: facts})).intact


@pytest.mark.parametrize(("count", "seed", "by"), [(0, "s", None), (1, "", None), (1, "a\tb", None), (1, "é", None), (1, "s", "colour"), (10**6, "s", None)])
def test_what_cannot_be_drawn(count, seed, by):
    with pytest.raises(Misuse):
        Sample(count, seed, by)
