"""`verify --store`: every bit counts and has a place; what was cut off, rewritten, not sealed or not foreseen is said, and never raises."""

import ast
import json
import random
import shutil
import subprocess
import sys
from array import array
from datetime import timedelta
from pathlib import Path

import pytest

from shared import layout
from shared.canonical import canonical, sha256
from shared.deliver.verify import verify_store
from shared.deliver.verify.store import _is_tile
from shared.errors import Unreachable, VerificationError
from shared.seal.commits import Commit
from shared.seal.log import open_log
from shared.seal.sequencer import Sequencer
from shared.seal.store import DirectoryStore
from tests.fixtures.records import OTHER, P256, SIGNER, START, Account, LogMaker, small_log

KEYS = [SIGNER.key]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A log of two sweeps, never changed."""
    root = tmp_path_factory.mktemp("made")
    small_log(DirectoryStore(root), sweeps=2)
    return root


@pytest.fixture
def root(made, tmp_path):
    shutil.copytree(made, tmp_path / "store")
    return tmp_path / "store"


def verdict(root, keys=KEYS, **options):
    return verify_store(DirectoryStore(root), keys, **options)


def evidence(root):
    return sorted(path for path in (root / "evidence").rglob("*") if path.is_file())


def places(found):
    return [problem.file for problem in found.problems]


def names(found, path):
    """Whether some problem is at this file, or names it."""
    return any(problem.file == path or path in problem.reason for problem in found.problems)


# -- as it should be ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("signer", [SIGNER, P256])
def test_a_log_in_order_is_intact_and_complete(tmp_path, signer):
    store = DirectoryStore(tmp_path)
    small_log(store, sweeps=2, signer=signer)
    told = []
    found = verify_store(store, [signer.key], progress=lambda *step: told.append(step))
    assert (found.exit_code, found.problems, found.gaps) == (0, (), ())
    assert found.counts["records"] == found.size == open_log(store).size
    assert found.counts["findings recomputed"] == found.counts["findings"] > 100
    assert told[-1] == ("verify", found.size, found.size)
    assert any("newest records were not cut off" in line for line in found.not_checked)
    assert json.loads(canonical(found.as_json()))["intact"] is True
    assert found.as_lines()[0] == f"Intact and complete (log example.org/evidence, {found.size} records)"


def test_more_than_one_entry_bundle_and_tile_level(tmp_path):
    store = DirectoryStore(tmp_path)
    estate = [Account(f"a{n}") for n in range(12)]
    maker = LogMaker(store).birth()
    for number in range(2):
        maker.sweep(estate, slot=START + timedelta(hours=6 * (number + 1)))
    found = verify_store(store, KEYS)
    assert found.exit_code == 0 and found.size > 5 * 256


# -- one altered byte -----------------------------------------------------------------------------------------------------


def test_every_flipped_bit_is_found_and_located(root):
    generator = random.Random(7)
    for path in evidence(root):
        good, name = path.read_bytes(), str(path.relative_to(root))
        small = len(good) <= 200
        positions = range(generator.randrange(9), len(good), 31) if small else generator.sample(range(len(good)), 2)
        for position in positions:
            bad = bytearray(good)
            bad[position] ^= 1 << generator.randrange(8)
            path.write_bytes(bad)
            found = verdict(root)
            assert found.exit_code == 1, (name, position)
            assert names(found, name), (name, position, found.problems)
            assert len(found.problems) < 12, (name, position, found.problems)
        path.write_bytes(good)
    assert verdict(root).exit_code == 0


def test_the_record_is_named(root):
    batch = next(path for path in evidence(root) if path.name.startswith("account-") and not path.name.endswith(".findings.jsonl"))
    lines = batch.read_bytes().split(b"\n")
    lines[3] = lines[3].replace(b'"status":200', b'"status":201')
    batch.write_bytes(b"\n".join(lines))
    found = verdict(root)
    [problem] = found.problems
    index = next(i for i, line in open_log(DirectoryStore(root)).lines(0, found.size) if line == lines[3].replace(b"201", b"200"))
    assert (problem.record, problem.file) == (index, str(batch.relative_to(root)))
    assert problem.line().startswith(f"record {index}, evidence/batch/")


@pytest.mark.parametrize("how", ["cut", "longer", "missing", "empty"])
def test_every_torn_longer_or_missing_file_is_found(root, how):
    last = layout.checkpoint(open_log(DirectoryStore(root)).size)
    for path in evidence(root):
        good, name = path.read_bytes(), str(path.relative_to(root))
        if how == "missing":
            path.unlink()
        else:
            path.write_bytes({"cut": good[:-1], "longer": good + b"\n", "empty": b""}[how])
        found = verdict(root)
        if how == "missing" and name == last:
            assert found.exit_code == 3 and found.gaps[0].what == "unsigned"
        else:
            body = path.name if how == "missing" and "/body/" in name else name
            assert found.exit_code == 1 and names(found, body), (name, found.problems)
        path.write_bytes(good)


def test_two_files_altered_alike_are_still_found(root):
    """Batch, entry bundle and commit agree on a lie; the tiles and the signature do not."""
    log, store = root / "evidence/log", DirectoryStore(root)
    commit_path = log / "commit/000000000003.json"
    commit = json.loads(commit_path.read_bytes())
    batch = root / commit["batches"][-1]["path"]
    lied = batch.read_bytes().replace(b'"attempts":1', b'"attempts":2', 1)
    old, new = batch.read_bytes().split(b"\n")[0], lied.split(b"\n")[0]
    batch.write_bytes(lied)
    commit_path.write_bytes(commit_path.read_bytes().replace(commit["batches"][-1]["sha256"].encode(), sha256(lied).encode()))
    for path in (log / "tile/entries").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes().replace(old, new))
    found = verify_store(store, KEYS)
    assert found.exit_code == 1
    assert any(problem.what == "tile" and "tile/0/" in problem.file for problem in found.problems)
    assert any("not those that were signed" in problem.reason for problem in found.problems)
    assert len(found.problems) < 12


def test_a_commit_that_is_lost_does_not_hide_what_comes_after(root):
    (root / layout.commit(4)).unlink()
    commit = json.loads((root / layout.commit(6)).read_bytes())
    batch = root / commit["batches"][0]["path"]
    batch.write_bytes(batch.read_bytes().replace(b"2026", b"2027", 1))
    found = verdict(root)
    assert {layout.commit(4), commit["batches"][0]["path"]} <= set(places(found))
    assert found.counts["records"] == found.size


def test_files_that_belong_to_nothing(root):
    strange = [
        "evidence/note.txt", "evidence/log/tile/0/999", "evidence/log/tile/0/000.p/7", "evidence/log/tile/entries/000.p/3", "evidence/log/tile/9/000",
        "evidence/log/checkpoint/5", f"evidence/log/checkpoint/{5:020d}", "evidence/log/commit/x.json", "evidence/log/extra", "evidence/body/sha256/aa/bb",
        "evidence/batch/loose.jsonl", "evidence/log/tile/0/000.p/256", "evidence/log/tile/0/x000/000",
    ]  # fmt: skip
    for name in strange:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    found = verdict(root)
    assert found.exit_code == 1
    assert set(strange) <= set(places(found))


def test_a_folder_where_a_file_should_be_is_a_problem(root):
    path = root / "evidence/log/tile/0/000"
    path.unlink()
    path.mkdir()
    found = verdict(root)
    assert found.exit_code == 1 and "evidence/log/tile/0/000" in places(found)


def test_a_store_that_cannot_be_read_at_all_is_unreachable(root):
    class Gone(DirectoryStore):
        def get(self, path):
            raise Unreachable("the disk is away")

    with pytest.raises((Unreachable, VerificationError)):
        verify_store(Gone(root), KEYS)


# -- keys and checkpoints -------------------------------------------------------------------------------------------------


def test_a_wrong_key_and_no_key_are_one_line(root):
    with pytest.raises(VerificationError, match="not signed by the key given .*: ask the keeper of the log for its verifier key"):
        verdict(root, [OTHER.key])
    with pytest.raises(VerificationError, match="no key was given"):
        verdict(root, [])
    assert verdict(root, [OTHER.key, SIGNER.key]).exit_code == 0


def test_a_folder_without_a_log_is_one_line(tmp_path):
    with pytest.raises(VerificationError, match="no checkpoint in the store"):
        verdict(tmp_path)


def test_a_log_signed_again_by_another_is_refused(root):
    for path in (root / layout.CHECKPOINTS).iterdir():
        path.unlink()
    Sequencer(DirectoryStore(root), OTHER).seal()
    with pytest.raises(VerificationError):
        verdict(root)


def newest(root):
    store = DirectoryStore(root)
    return store.get(layout.checkpoint(open_log(store).size))


def test_a_checkpoint_held_from_earlier(root):
    store = DirectoryStore(root)
    for path in sorted((root / layout.CHECKPOINTS).iterdir()):
        found = verdict(root, held=path.read_bytes())
        assert found.exit_code == 0
        assert any("extends the checkpoint held" in line for line in found.checked)
    with pytest.raises(VerificationError, match="the checkpoint held cannot be used"):
        verdict(root, held=b"nonsense")
    foreign = DirectoryStore(root.parent / "foreign")
    small_log(foreign, sweeps=1, signer=OTHER)
    with pytest.raises(VerificationError, match="not signed by the key"):
        verdict(root, held=newest(foreign.root))
    assert store.get(layout.LATEST_CHECKPOINT) == newest(root)


def test_the_newest_sweep_cut_off_is_seen_by_whoever_holds_a_later_checkpoint(root):
    later = newest(root)
    commits = sorted((root / layout.COMMITS).iterdir())
    kept = json.loads(commits[4].read_bytes())["size"]
    cut_off(root, 5)
    shorter = verdict(root)
    assert shorter.intact and shorter.size == kept
    assert any("cut off" in line for line in shorter.not_checked)
    found = verdict(root, held=later)
    assert found.exit_code == 1
    assert "newest" in found.problems[0].reason and "cut off" in found.problems[0].reason


def cut_off(root, commits):
    """Remove everything after so many commits, leaving no trace."""
    paths = sorted((root / layout.COMMITS).iterdir())
    sizes = array("Q", [json.loads(path.read_bytes())["size"] for path in paths[:commits]])
    for path in paths[commits:]:
        for batch in json.loads(path.read_bytes())["batches"]:
            (root / batch["path"]).unlink()
        path.unlink()
    for path in (root / layout.CHECKPOINTS).iterdir():
        if int(path.name) > sizes[-1]:
            path.unlink()
    for path in [path for path in (root / "evidence/log/tile").rglob("*") if path.is_file()]:
        if not _is_tile(str(path.relative_to(root / "evidence/log")), sizes):
            path.unlink()


def test_a_log_written_again_with_the_same_key_is_seen(root, tmp_path):
    """Whoever has store and key can write another history; a checkpoint held shows it."""
    held = newest(root)
    other = DirectoryStore(tmp_path / "other")
    small_log(other, sweeps=3, accounts=[Account("one"), Account("three")])
    assert verify_store(other, KEYS).exit_code == 0
    found = verify_store(other, KEYS, held=held)
    assert found.exit_code == 1
    assert any("rewritten" in problem.reason for problem in found.problems)


# -- not sealed yet -------------------------------------------------------------------------------------------------------


def test_batches_that_wait_are_said_and_no_problem(root):
    store = DirectoryStore(root)
    store.put_new(layout.batch("20261109T000000Z", "plan"), b'{"a":1}\n')
    found = verdict(root)
    assert found.exit_code == 0
    assert any("not sealed yet" in line for line in found.not_checked)


def test_a_body_that_no_record_names_is_worth_knowing(root):
    from shared.seal.store import put_body

    put_body(DirectoryStore(root), b"orphan")
    found = verdict(root)
    assert found.exit_code == 0
    assert any("named by no sealed record" in line for line in found.notes)


def test_what_a_crash_left_unsigned_is_a_gap(made, tmp_path):
    root = tmp_path / "store"
    shutil.copytree(made, root)
    size = open_log(DirectoryStore(root)).size
    (root / layout.checkpoint(size)).unlink()
    for path in (root / "evidence/log/tile").rglob(f"*.p/{size % 256}"):
        path.unlink()
    found = verdict(root)
    assert found.exit_code == 3
    assert "not signed yet" in found.gaps[0].reason
    Sequencer(DirectoryStore(root), SIGNER).seal()
    assert verdict(root).exit_code == 0


def test_the_verifier_needs_the_standard_library_and_cryptography_alone():
    script = (
        "import sys, shared.deliver.verify; "
        "ours = {name.partition('.')[0] for name in sys.modules} - set(sys.stdlib_module_names); "
        "print(sorted(name for name in ours if not name.startswith('_')))"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=Path(__file__).parent.parent).stdout
    # bcrypt: cryptography takes it where it is, and a library of the tests brings it
    assert set(ast.literal_eval(said)) <= {"shared", "cryptography", "sitecustomize", "usercustomize", "coverage", "bcrypt"}


# -- commits that contradict each other -----------------------------------------------------------------------------------


def test_a_commit_taken_out_and_the_others_numbered_again(root):
    commits = sorted((root / layout.COMMITS).iterdir())
    commits[4].unlink()
    for seq, path in enumerate(commits[5:], 5):
        value = json.loads(path.read_bytes())
        path.unlink()
        (root / layout.commit(seq)).write_bytes(canonical({**value, "seq": seq}))
    found = verdict(root)
    assert found.exit_code == 1
    assert any("appends to a log of" in problem.reason and problem.file == layout.commit(5) for problem in found.problems)
    assert found.counts["records"] == found.size


def test_a_commit_put_in_twice(root):
    commits = sorted((root / layout.COMMITS).iterdir())
    for seq in range(len(commits), 4, -1):
        value = json.loads((root / layout.commit(seq)).read_bytes())
        (root / layout.commit(seq + 1)).write_bytes(canonical({**value, "seq": seq + 1}))
    (root / layout.commit(5)).write_bytes(canonical({**json.loads((root / layout.commit(4)).read_bytes()), "seq": 5}))
    found = verdict(root)
    assert found.exit_code == 1
    assert [problem.file for problem in found.problems] == [layout.commit(5)]


def test_a_batch_sealed_a_second_time(root):
    store = DirectoryStore(root)
    sequencer = Sequencer(store, SIGNER)
    size, seq = sequencer.catch_up(), sequencer.seq
    batch = next(sequencer.commits(3)).batches[0]
    store.put_new(layout.commit(seq + 1), Commit(seq + 1, size, size + batch.records, (batch,)).encoded())
    sequencer.catch_up()
    found = verdict(root)
    assert any(problem.reason == f"seals {batch.path} a second time" for problem in found.problems)


def test_what_is_lost_twice_is_passed_over_with_the_signed_tiles(root):
    """A batch and the entry bundle that held the same records are both gone: what comes after them is still verified."""
    batch = json.loads((root / layout.commit(3)).read_bytes())["batches"][1]
    (root / batch["path"]).unlink()
    (root / "evidence/log/tile/entries/000").unlink()
    for path in (root / "evidence/log/tile/entries").glob("000.p/*"):
        path.unlink()
    last = json.loads((root / layout.commit(9)).read_bytes())["batches"][0]["path"]
    (root / last).write_bytes((root / last).read_bytes()[:-9])
    found = verdict(root)
    assert {batch["path"], "evidence/log/tile/entries/000", last} <= set(places(found))
    assert not any(problem.what == "checkpoint" for problem in found.problems)


def test_the_last_commit_unreadable_and_unsigned(root):
    size = open_log(DirectoryStore(root)).size
    (root / layout.commit(9)).write_bytes(b"{}")
    (root / layout.checkpoint(size)).unlink()
    found = verdict(root)
    assert layout.commit(9) in places(found)
    assert any("or what it sealed, is lost" in line for line in found.not_checked)


def test_bodies_that_are_not_listed_in_order(root):
    class Shuffled(DirectoryStore):
        def list(self, prefix):
            return iter(sorted(super().list(prefix), key=lambda path: path[::-1]))

    assert verify_store(Shuffled(root), KEYS).exit_code == 0
