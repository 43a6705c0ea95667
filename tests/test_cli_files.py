"""Files that the command line is asked to write, and bundles that it is handed: whatever they are, nothing else changes."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from shared.seal import note
from shared.seal.signing import new_private_key, signer_for
from tests.fixtures.commandline import harmless, snapshot, stays_sound

WRITERS = ("report", "export", "bundle")


# -- written ---------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("line", WRITERS)
def test_a_file_is_written_into_folders_that_are_made(desk, line):
    outcome = desk(line, "-o", "new/deep/file")
    assert outcome.code == 0, outcome.err
    assert [path.name for path in (desk.folder / "new/deep").iterdir()] == ["file"]


@pytest.mark.parametrize("line", WRITERS)
def test_a_file_that_is_there_is_replaced_whole(desk, line):
    (desk.folder / "out").mkdir()
    for _ in range(2):
        assert desk(line, "-o", "out/file").code == 0
        assert [path.name for path in (desk.folder / "out").iterdir()] == ["file"]
        (desk.folder / "out/file").write_bytes(b"old" * 1_000_000)


def test_a_link_is_followed(desk):
    (desk.folder / "real").write_text("old")
    for target, name in (("real", "link"), ("new", "dangling")):
        (desk.folder / name).symlink_to(target)
        assert desk("export", "-o", name).code == 0
        assert (desk.folder / name).is_symlink()
        assert (desk.folder / target).read_text(encoding="utf-8-sig").startswith("record,")


@pytest.mark.parametrize("line", WRITERS)
@pytest.mark.parametrize("name", ["\x1b[31m\u202ename", "-name", "-o", "store.csv", "é 证据"], ids=ascii)
def test_a_strange_name_is_a_name(desk, line, name):
    outcome = desk(line, "-o", name)
    assert outcome.code == 0, outcome.err
    assert harmless(outcome.out)
    assert (desk.folder / name).is_file()


def test_a_place_for_bundles_is_one(desk):
    assert desk("bundle", "-o", "store/bundles/b.zip").code == 0
    assert desk("verify", "store/bundles/b.zip", "--key", "store.vkey").code == 0
    assert stays_sound(desk).code == 0


NO_FILE = "it is not a file"
IN_A_STORE = "which holds evidence; name a file outside it with -o"


@pytest.mark.parametrize("line", WRITERS)
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("empty", NO_FILE), (".", NO_FILE), ("/", NO_FILE), ("-", NO_FILE), ("/dev/full", NO_FILE), ("/dev/stdout", NO_FILE), ("/dev/fd/1", NO_FILE),
        ("pipe", NO_FILE), ("file/below", "Not a directory"), ("n" * 300, "File name too long"),
        ("store/r", IN_A_STORE), ("store/evidence/r", IN_A_STORE), ("store/evidence/new/r", IN_A_STORE), ("store/state/r", IN_A_STORE),
        ("./empty/../store/bundles/../r", IN_A_STORE), ("into", IN_A_STORE), ("store.key.pem", "private key"), ("key", "private key"),
    ],
)  # fmt: skip
def test_where_no_file_may_be_nothing_is_written(desk, line, name, said):
    os.mkfifo(desk.folder / "pipe")
    (desk.folder / "into").symlink_to("store/evidence/log/commit/000000000001.json")
    (desk.folder / "key").symlink_to("other.pem")
    before = snapshot(desk.folder), sorted(desk.folder.rglob("*"))
    outcome = desk(line, "-o", name)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.error.startswith(f"cannot write {Path(name)}: ")
    assert said.lower() in outcome.error.lower()
    assert (snapshot(desk.folder), sorted(desk.folder.rglob("*"))) == before


def test_a_store_in_a_relative_path_with_spaces_and_more(desk):
    name = "mes preuves/é 证据 \u202e'\"$(x)"
    person = desk.having(EVIDENCE_STORE=name)
    (desk.folder / "mes preuves").mkdir()
    for line in ("init", "collect", "status", "findings", "doctor", "report -o é.html", "bundle -o b.zip"):
        outcome = person(*line.split())
        assert outcome.code == 0, (line, outcome.err)
        assert harmless(outcome.out + outcome.err)
    assert person.verify().code == 0
    assert desk("status", "--store", name, "--json").json["sweeps"] == 1


# -- handed over -----------------------------------------------------------------------------------------------------------------


def packed(entries):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return file.getvalue()


def with_another(data, name, content):
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return packed([*((entry, archive.read(entry)) for entry in archive.namelist()), (name, content)])


def flipped(data):
    middle = data.index(b"body/") + 100
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


BAD = {
    "empty": (lambda good: b"", "the file is empty: ask for the bundle again"),
    "a text": (lambda good: b"not a zip at all\n" * 100, "not a zip"),
    "a page": (lambda good: b"<!DOCTYPE html><title>Sign in</title>", "not a zip"),
    "cut short": (lambda good: good[: len(good) // 2], "cut"),
    "bytes before it": (lambda good: b"x" + good, ""),
    "another zip": (lambda good: packed([("word/document.xml", b"<x/>")]), "manifest.json"),
    "an empty zip": (lambda good: packed([]), ""),
}
ALTERED = {
    "its last byte is gone": (lambda good: good[:-1], "the bytes at the end"),
    "bytes after it": (lambda good: good + b"x", "the bytes at the end"),
    "a flipped bit": (flipped, "body/"),
    "a file more": (lambda good: with_another(good, "extra.txt", b"x"), "extra.txt"),
    "a path that climbs out": (lambda good: with_another(good, "../../climbed", b"x"), "climbed"),
    "a path from the root": (lambda good: with_another(good, "/tmp/climbed", b"x"), "climbed"),
    "a bomb": (lambda good: with_another(good, f"body/sha256/aa/{'a' * 64}", bytes(32 * 1024 * 1024)), "aaaa"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_no_bundle_is_one_line_and_exit_1(desk, case):
    make, said = BAD[case]
    (desk.folder / "bad.zip").write_bytes(make((desk.folder / "bundle.zip").read_bytes()))
    before = snapshot(desk.folder.parent)
    outcome = desk("verify", "bad.zip", "--key", "store.vkey")
    assert (outcome.code, outcome.out) == (1, "")
    assert said in outcome.error
    program = desk("verify", "bad.zip", "--key", "store.vkey", "--json")
    assert program.json == {"error": outcome.error, "exit_code": 1}
    assert snapshot(desk.folder.parent) == before


@pytest.mark.parametrize("case", ALTERED)
def test_a_bundle_that_was_altered_is_said_to_be_and_where(desk, case):
    make, said = ALTERED[case]
    (desk.folder / "bad.zip").write_bytes(make((desk.folder / "bundle.zip").read_bytes()))
    before = snapshot(desk.folder.parent)
    outcome = desk("verify", "bad.zip", "--key", "store.vkey", "--quiet")
    assert (outcome.code, outcome.err) == (1, "")
    assert outcome.out.startswith("NOT INTACT: ")
    assert said in outcome.out
    program = desk("verify", "bad.zip", "--key", "store.vkey", "--json")
    assert (program.json["intact"], program.json["exit_code"]) == (False, 1)
    assert snapshot(desk.folder.parent) == before


@pytest.mark.parametrize("what", ["bundle.zip", "--store=store"])
def test_evidence_that_another_key_signed_is_one_line_and_exit_1(desk, what):
    wrong = signer_for("example.org/evidence", new_private_key("ed25519")).key
    foreign = signer_for("example.com/other", new_private_key("ecdsa-p256")).key
    for key in (wrong, foreign):
        outcome = desk("verify", what, "--key", str(key))
        assert (outcome.code, outcome.out) == (1, "")
        assert "verifier key" in outcome.error
    assert desk("verify", what, "--key", str(wrong), "--key", "store.vkey").code == 0
    assert note.parse_vkey((desk.folder / "store.vkey").read_text().strip()) not in (wrong, foreign)


def test_a_checkpoint_that_is_held_is_extended_or_the_answer_is_no(desk):
    checkpoints = desk.folder / "store/evidence/log/checkpoint"
    for checkpoint in (min(checkpoints.iterdir()), max(checkpoints.iterdir())):
        assert desk("verify", "--store", "store", "--key", "store.vkey", "--checkpoint", checkpoint).code == 0
    other = desk.having(EVIDENCE_STORE="theirs")
    assert other("init", "--origin", "example.com/theirs").code == 0
    theirs = next((desk.folder / "theirs/evidence/log/checkpoint").iterdir())
    outcome = desk("verify", "--store", "store", "--key", "store.vkey", "--checkpoint", theirs)
    assert (outcome.code, outcome.out) == (1, "")
    assert "checkpoint" in outcome.error
    before = int(max(checkpoints.iterdir()).name)
    assert desk("collect").code == 0
    cut = desk("verify", "bundle.zip", "--key", "store.vkey", "--checkpoint", max(checkpoints.iterdir()))
    assert cut.code == 1
    assert f"the newest {int(max(checkpoints.iterdir()).name) - before} records" in cut.out
