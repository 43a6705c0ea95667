"""Stores that are newer, damaged, or without their hints, in the hands of every command."""

import json
import shutil
import zipfile
from unittest import mock

import pytest

from infra.local import faults
from shared.service import init as init_module
from tests.fixtures.commandline import Office, sealed, snapshot

READERS = ("status", "findings", "changes", "deletions", "resources", "report -o r.html", "export -o f.csv", "bundle -o b.zip")


@pytest.fixture
def from_the_future(quarry, tmp_path):
    """A store as a newer version would make it: sound, but for its format."""
    person = Office(tmp_path, quarry.environment, quarry.azure)
    real = init_module.record

    def newer(*positional, **fields):
        value = real(*positional, **fields)
        value["store"]["format"] = 2
        return value

    with mock.patch.object(init_module, "record", newer):
        assert person("init").code == 0
    return person


@pytest.mark.parametrize("line", [*READERS, "collect", "erase --subject x"])
def test_a_store_of_a_newer_version_is_left_alone(from_the_future, line):
    before = snapshot(from_the_future.folder)
    outcome = from_the_future(*line.split())
    assert outcome.code == 2
    assert "format 2" in outcome.error
    assert "install a newer one" in outcome.error
    assert snapshot(from_the_future.folder) == before


def test_a_store_of_a_newer_version_cannot_be_verified(from_the_future):
    outcome = from_the_future.verify()
    assert (outcome.code, outcome.out) == (2, "")
    assert "install a newer one" in outcome.error


def test_a_number_that_somebody_changed_is_no_newer_version(desk):
    for path in (desk.folder / "store/evidence/batch/init/plan.jsonl", commits(desk)[-1]):
        before = path.read_bytes()
        path.write_bytes(before.replace(b'"format":1', b'"format":3').replace(b'"v":1}', b'"v":3}'))
        outcome = desk.verify("--json")
        assert outcome.code == 1
        assert [problem["file"] for problem in outcome.json["problems"]] == [str(path.relative_to(desk.folder / "store"))]
        path.write_bytes(before)


def test_a_bundle_of_a_newer_version_cannot_be_verified(desk):
    with zipfile.ZipFile(desk.folder / "bundle.zip") as old, zipfile.ZipFile(desk.folder / "newer.zip", "w") as new:
        for name in old.namelist():
            data = old.read(name)
            new.writestr(name, data.replace(b'"v":3}', b'"v":5}') if name == "manifest.json" else data)
    outcome = desk("verify", "newer.zip", "--key", "store.vkey")
    assert (outcome.code, outcome.out) == (2, "")
    assert "later release" in outcome.error


def commits(desk):
    return sorted((desk.folder / "store/evidence/log/commit").iterdir())


def add_newer_commit(desk):
    last = commits(desk)[-1]
    newer = json.loads(last.read_bytes()) | {"v": 2, "new": True}
    last.with_name(f"{int(last.stem) + 1:012d}.json").write_text(json.dumps(newer))


@pytest.mark.parametrize("line", [*READERS, "collect"])
def test_a_commit_of_a_newer_version_is_not_appended_to(desk, line):
    add_newer_commit(desk)
    before = snapshot(desk.folder)
    outcome = desk(*line.split())
    assert outcome.code == 2
    assert "install a newer one" in outcome.error
    assert snapshot(desk.folder) == before


def test_a_commit_of_a_newer_version_is_not_called_tampering(desk):
    add_newer_commit(desk)
    outcome = desk.verify()
    assert outcome.code == 2
    assert "install a newer one" in outcome.error


@pytest.mark.parametrize("line", ["status", "findings", "collect"])
def test_a_commit_that_is_none_is_an_alarm(desk, line):
    commits(desk)[-1].write_text("junk")
    outcome = desk(line)
    assert outcome.code == 1
    assert "malformed commit" in outcome.error
    assert desk.verify().code == 1


def test_records_that_were_removed_are_missed_before_anything_is_added(desk):
    commits(desk)[-1].unlink()
    before = sealed(desk.folder)
    outcome = desk("collect")
    assert outcome.code == 1
    assert "were removed" in outcome.error
    assert sealed(desk.folder) == before


def test_entries_that_are_gone_are_an_alarm_not_a_shorter_answer(desk):
    for path in (desk.folder / "store/evidence/log/tile/entries").rglob("*"):
        if path.is_file():
            path.unlink()
    outcome = desk("findings")
    assert (outcome.code, outcome.out) == (1, "")
    assert "verify --store" in outcome.error


def test_the_hints_are_found_again_when_all_are_lost(desk):
    before = {line: desk(line, "--json").json for line in ("status", "findings", "changes")}
    shutil.rmtree(desk.folder / "store/state")
    assert {line: desk(line, "--json").json for line in before} == before
    assert desk("collect").code == 0
    assert desk.verify().code == 0


def test_the_summary_of_an_older_sweep_is_found_again(desk):
    before = desk("status", "--json").json["sweeps"]
    min((desk.folder / "store/state/sweep").iterdir()).unlink()
    assert desk("status", "--json").json["sweeps"] == before


def test_the_latest_answers_are_found_again(desk):
    before = desk("resources", "--json").json
    shutil.rmtree(desk.folder / "store/state/unit")
    assert desk("resources", "--json").json == before


@pytest.mark.parametrize("lost", ["nothing", "state", "state/unit", "state/sweep"])
def test_a_change_is_seen_although_the_hints_are_lost(desk, lost):
    shutil.rmtree(desk.folder / "store" / lost, ignore_errors=True)
    desk.azure.faults.add("/accounts/alpha?", faults.edited(lambda body: body["properties"].update(publicNetworkAccess="Disabled")))
    assert desk("collect", "--json").json["changes"] == 1


JUNK = [b"\0\0\0\0", b"[]", b'"x"', b"\xff\xfe"]


@pytest.mark.parametrize("junk", JUNK, ids=repr)
@pytest.mark.parametrize("folder", ["", "sweep", "unit"])
def test_a_hint_that_is_torn_is_as_good_as_none(desk, folder, junk):
    place = desk.folder / "store/state" / folder
    before = {line: desk(line, "--json").json for line in ("status", "resources", "changes")}
    for path in [place / "sequencer.json"] if not folder else list(place.iterdir()):
        path.write_bytes(junk)
    assert {line: desk(line, "--json").json for line in before} == before
    desk.azure.faults.add("/accounts/alpha?", faults.edited(lambda body: body["properties"].update(publicNetworkAccess="Disabled")))
    done = desk("collect", "--json")
    assert (done.code, done.json["changes"]) == (0, 1)
    assert desk.verify().code == 0


@pytest.mark.parametrize("junk", [b"x", b'{"since":"x"}', b"[]", b'{"since":999}'], ids=repr)
def test_a_marker_of_an_open_sweep_that_is_torn_is_no_obstacle(desk, junk):
    (desk.folder / "store/state/open").mkdir(exist_ok=True)
    (desk.folder / "store/state/open/20261101T000000Z").write_bytes(junk)
    assert desk("collect").code == 0


@pytest.mark.parametrize("name", [".DS_Store", "plan.jsonl~", "a..b.jsonl"])
def test_what_others_leave_in_a_store_is_no_obstacle_and_is_named(desk, name):
    sweep = next(path for path in (desk.folder / "store/evidence/batch").iterdir() if path.name != "init")
    for place in (sweep, desk.folder / "store/state/open", desk.folder / "store/state/sweep", desk.folder / "store/state/unit"):
        place.mkdir(exist_ok=True)
        (place / name).write_bytes(b"x")
    desk.azure.faults.add("", faults.slow(0))
    assert desk("collect").code == 0
    assert desk("status").code == 0
    assert desk("doctor").code == 0
    verified = desk.verify("--json")
    assert verified.code == 1
    assert [problem["file"] for problem in verified.json["problems"]] == [f"evidence/batch/{sweep.name}/{name}"]


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


@pytest.mark.parametrize("line", ["status", "findings", "changes --from 2020-01-01", "bundle -o b.zip", "report -o r.html", "export -o f.csv"])
def test_what_is_no_longer_what_was_sealed_is_not_shown(desk, line):
    for path in (desk.folder / "store/evidence/log/tile/entries").rglob("*"):
        if path.is_file():
            flip(path)
    shutil.rmtree(desk.folder / "store/state/sweep")
    before = snapshot(desk.folder)
    outcome = desk(*line.split())
    assert (outcome.code, outcome.out) == (1, "")
    assert "verify --store" in outcome.error
    assert snapshot(desk.folder) == before


def test_a_body_that_is_no_longer_what_was_sealed_is_not_shown(desk):
    for path in (desk.folder / "store/evidence/body").rglob("*"):
        if path.is_file():
            flip(path)
    for line in ("resources", "bundle -o b.zip"):
        outcome = desk(*line.split())
        assert (outcome.code, outcome.out) == (1, ""), line
        assert "verify --store" in outcome.error
    assert desk("report", "-o", "r.html").code == 0
    assert "body not available" in (desk.folder / "r.html").read_text()
