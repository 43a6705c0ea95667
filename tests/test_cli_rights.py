"""The command as a process without rights, and without room: one line, nothing half-done, and the next run goes on."""

import os
import resource
import shlex
import shutil
import subprocess
import sys

import pytest

from tests.fixtures.commandline import COMMAND, ROOT, sealed, snapshot, stays_sound, without_privileges

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="modes and limits of POSIX")

@pytest.fixture
def modes():
    """Changes modes, and changes them back: what cannot be removed would stay."""
    changed = []

    def change(path, mode):
        changed.append((path, path.stat().st_mode))
        path.chmod(mode)

    yield change
    for path, mode in reversed(changed):
        path.chmod(mode)


def read_only(folder, modes):
    for path in [*folder.rglob("*"), folder]:
        modes(path, 0o555 if path.is_dir() else 0o444)


READERS = ["status", "findings", "changes", "deletions", "resources", "report -o r.html", "export -o f.csv", "bundle -o b.zip"]


def test_reading_needs_no_right_to_write(desk, modes):
    read_only(desk.folder / "store", modes)
    before = snapshot(desk.folder / "store")
    for line in [*READERS, f"verify --store store --key {desk.vkey}"]:
        outcome = desk.run(*line.split(), preexec_fn=without_privileges)
        assert outcome.code == 0, (line, outcome.err)
    assert snapshot(desk.folder / "store") == before


def test_reading_needs_no_right_to_write_where_hints_are_missing(desk, modes):
    shutil.rmtree(desk.folder / "store/state")
    read_only(desk.folder / "store", modes)
    for line in ["status", "resources"]:
        outcome = desk.run(*line.split(), preexec_fn=without_privileges)
        assert outcome.code == 0, (line, outcome.err)


def test_a_store_that_cannot_be_written(desk, modes):
    read_only(desk.folder / "store", modes)
    before = snapshot(desk.folder)
    asked = desk.azure.served
    outcome = desk.run("collect", preexec_fn=without_privileges)
    assert outcome.code == 4
    assert "permission denied: give this user write access" in outcome.error
    assert snapshot(desk.folder) == before
    assert desk.azure.served == asked
    doctor = desk.run("doctor", preexec_fn=without_privileges)
    assert doctor.code == 3
    assert "permission denied" in doctor.out


@pytest.mark.parametrize("place", ["store", "store/evidence/batch", "store/evidence/log", "store/evidence/log/commit"])
def test_a_store_that_cannot_be_read(desk, modes, place):
    vkey = desk.vkey
    modes(desk.folder / place, 0)
    for line in ("status", "collect", f"verify --store store --key {vkey}"):
        outcome = desk.run(*line.split(), preexec_fn=without_privileges)
        assert outcome.code == 4, (line, outcome.err)
        assert "permission denied" in outcome.error


def test_a_key_that_cannot_be_read(desk, modes):
    modes(desk.folder / "store.key.pem", 0)
    outcome = desk.run("collect", preexec_fn=without_privileges)
    assert outcome.code == 2
    assert "store.key.pem: Permission denied" in outcome.error


@pytest.mark.parametrize("line", [
    "report -o locked/x", "export -o locked/x", "bundle -o locked/x", "init --store locked/new", "demo --directory locked/new",
])  # fmt: skip
def test_a_folder_that_cannot_be_written(desk, modes, line):
    (desk.folder / "locked").mkdir()
    modes(desk.folder / "locked", 0o555)
    before = snapshot(desk.folder)
    outcome = desk.run(*line.split(), preexec_fn=without_privileges)
    assert outcome.code == 2
    assert "Permission denied" in outcome.error
    assert snapshot(desk.folder) == before
    assert list((desk.folder / "locked").iterdir()) == []


def with_room_for(desk, size, *arguments):
    """The command as a process in which no file grows beyond `size` bytes. Python's own are not written: it takes cut ones for whole."""
    person = desk.having(PYTHONDONTWRITEBYTECODE="1")
    return person.run(*arguments, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size)))


@pytest.mark.parametrize("size", [100, 700, 2500])
def test_a_file_that_cannot_be_finished_is_not_there_and_the_next_run_goes_on(desk, size):
    before = sealed(desk.folder)
    outcome = with_room_for(desk, size, "collect")
    assert outcome.code == 4
    assert "cannot write to the store: " in outcome.error
    after = sealed(desk.folder)
    assert before.items() <= after.items()
    assert max(len(after[path]) for path in {*after} - {*before}) <= size if after != before else True
    assert list((desk.folder / "store/state/tmp").iterdir()) == [], "what was begun is removed"
    assert desk("collect").code == 0
    assert stays_sound(desk).code == 0


@pytest.mark.parametrize(("line", "codes"), [
    ("report -o out", {2}), ("export -o out", {2}), ("bundle -o out", {2}),
])  # fmt: skip
def test_an_old_file_stays_where_the_new_one_cannot_be_finished(desk, line, codes):
    (desk.folder / "out").write_text("old")
    before = snapshot(desk.folder)
    outcome = with_room_for(desk, 5000, *line.split())
    assert outcome.code in codes
    assert "cannot write out" in outcome.error
    assert snapshot(desk.folder) == before


def test_init_can_be_done_again_where_there_was_no_room(desk):
    outcome = with_room_for(desk, 150, "init", "--store", "new")
    assert outcome.code == 4
    assert outcome.error
    assert desk("init", "--store", "new").code == 0


FULL = """
set -e
mount -t tmpfs -o size=$SIZE tmpfs disk
cp -a store/. disk/
set +e
$COMMAND collect --store disk > full.out 2> full.err; echo $? > full.code
mount -o remount,size=64m disk
$COMMAND collect --store disk > next.out 2> next.err; echo $? > next.code
$COMMAND verify --store disk --key "$VKEY" > verify.out 2> verify.err; echo $? > verify.code
ls disk/state/tmp | wc -l > left
"""


def test_a_disk_that_is_full_and_then_has_room_again(desk):
    (desk.folder / "disk").mkdir()
    mount = ["unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", desk.folder / "disk"]
    if not shutil.which("unshare") or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("LOUD: no file system can be mounted here: a full disk is tried with limits on files alone")
    pages = sum(-(-path.stat().st_size // 4096) if path.is_file() else 0 for path in (desk.folder / "store").rglob("*"))
    for spare in (0, 25):
        environment = {
            **os.environ, **desk.environment, "PYTHONPATH": str(ROOT), "COMMAND": shlex.join(COMMAND), "VKEY": desk.vkey,
            "SIZE": str((pages + spare) * 4096), "EVIDENCE_SIGNING_KEY": "store.key.pem",
        }  # fmt: skip
        done = subprocess.run(["unshare", "-rm", "sh", "-c", FULL], cwd=desk.folder, env=environment, capture_output=True, text=True, check=False, timeout=60)
        assert done.returncode == 0, done.stderr
        said = {name: (desk.folder / name).read_text() for name in ("full.code", "full.err", "next.code", "next.err", "verify.code", "verify.out", "left")}
        assert said["full.code"] == "4\n", (spare, said)
        *_, last = said["full.err"].splitlines()
        assert last == "aoai-evidence: cannot write to the store: the disk is full: free some space and run again, nothing sealed is lost", spare
        assert (said["next.code"], said["verify.code"]) == ("0\n", "0\n"), (spare, said)
        assert said["left"] == "0\n"
