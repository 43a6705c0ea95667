"""verify.py, the file that every bundle brings: it says what `aoai-evidence verify` says of what both check, on every Python from 3.9 on."""

import io
import json
import os
import random
import re
import subprocess
import sys
import zipfile
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.canonical import canonical, sha256
from shared.deliver.bundle import verify_alone as alone
from shared.deliver.bundle.beside import CHECKSUMS
from shared.deliver.verify import verify_bundle
from shared.errors import VerificationError
from shared.seal.store import DirectoryStore
from tests.fixtures.bundles import KEYS, RECORDS, apart, built, hours, together, zipped
from tests.fixtures.records import OTHER, P256, SIGNER, START, SUBSCRIPTION, Account, LogMaker, small_log

FILE = Path(alone.__file__)
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Logs/providers/Microsoft.OperationalInsights/workspaces/First"
FULL = Account("full", files=[["file-1", "file-2"], ["file-3"]], jobs=["ftjob-1", "ftjob-B"], stores=["vs_1"], workspaces=[WORKSPACE])
PYTHONS = ("3.9", "3.10", "3.11", "3.12", "3.13")
BEYOND = {"derived", "finding", "disclosure", "key", "deletion", "attribution"}
"""Sorts of problems that verify.py says it does not look for."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return tmp_path_factory.mktemp("place")


def run(target, *options, key=SIGNER.key):
    """(exit code, what was said) of verify.py, within this process."""
    out, err, argv = io.StringIO(), io.StringIO(), sys.argv
    keys = ["--key", str(key)] if key is not None else []
    sys.argv, streams, (sys.stdout, sys.stderr) = ["verify.py", str(target), *keys, *options], (sys.stdout, sys.stderr), (out, err)
    try:
        code = alone.main()
    finally:
        sys.argv, (sys.stdout, sys.stderr) = argv, streams
    return code, out.getvalue() + err.getvalue()


def same(place, data, *, key=SIGNER.key, what=""):
    """Verify with both; where ours finds a problem of a sort that both look for, so must verify.py, and it never cries wolf."""
    (place / "b.zip").write_bytes(data)
    code, text = run(place / "b.zip", key=key)
    try:
        verdict = verify_bundle(io.BytesIO(data), [key])
    except VerificationError as error:
        assert code == 1 and text.startswith(("verify.py: ", "NOT INTACT")), (what, str(error), text[:500])
        return 1
    if verdict.intact or {problem.what for problem in verdict.problems} - BEYOND:
        assert code == verdict.exit_code, (what, verdict.as_lines()[:4], text[:600])
        gaps = re.search(r"(\d+) gap", text)
        assert verdict.exit_code != 3 or int(gaps[1]) == verdict.counts["gaps"], (what, text[:500])
        assert verdict.exit_code != 3 or repeated(text) == repeated("\n".join(verdict.as_lines())), (what, text[:500])
    return code


def repeated(text):
    """The lines that stand for more than one failure."""
    return re.findall(r"[\d,]+ times, records \d+ to \d+: .*", text)


def some(names):
    """Every entry, and of the many tables of `by-control/` two."""
    tables = [name for name in names if name.startswith("by-control/")]
    return [name for name in names if name not in tables[1:-1]]


# -- the same answer ------------------------------------------------------------------------------------------------------


LONG_BEFORE = "no sweep was planned for 125 slots in a row, 2026-10-01T00:00:00.000000Z to 2026-11-01T00:00:00.000000Z"


def test_a_period_that_begins_long_before_its_log_is_incomplete(store, entries, place):
    """Whoever asks for a quarter and is given its last month is told so; also where somebody wrote the quarter into the manifest afterwards."""
    honest = built(store, place, (START - timedelta(days=31), START + timedelta(hours=13)))
    for data in (honest, together(entries, period={"from": "2026-10-01T00:00:00.000000Z", "to": json.loads(entries["manifest.json"])["period"]["to"]})):
        assert same(place, data) == 3 and LONG_BEFORE in run(place / "b.zip")[1]
        assert LONG_BEFORE in "\n".join(verify_bundle(io.BytesIO(data), [SIGNER.key]).as_lines())
    assert same(place, built(store, place, (START - timedelta(hours=18), START + timedelta(hours=13)))) == 0, "a log that begins on its period's first day"


def test_a_good_bundle(good, place):
    assert same(place, good) == 0


def test_it_is_in_the_bundle_as_it_is_here(good, entries):
    assert entries["verify.py"] == FILE.read_bytes()
    manifest = json.loads(entries["manifest.json"])
    assert {"path": "verify.py", "sha256": sha256(FILE.read_bytes()), "bytes": FILE.stat().st_size} in manifest["files"]


def test_incomplete_bundles_have_the_same_gaps(tmp_path, place):
    store = DirectoryStore(tmp_path / "store")
    maker = LogMaker(store).birth()
    estate = [Account("a"), Account("b", "AIServices", projects=["p", "q"], fails={"deployments": "throttled"}), Account("c", deployments=[["S"], ["T", "U"]])]
    maker.sweep(estate, slot=START + timedelta(hours=6))
    maker.sweep(estate[:2], slot=START + timedelta(hours=18))
    maker.sweep(estate, slot=START + timedelta(hours=24))
    for hour in (30, 36):
        maker.sweep(estate[:1], slot=START + timedelta(hours=hour), scope_resources=[estate[0].id.lower()])
    for period in (hours(0, 7), hours(0, 25), hours(0, 49), hours(12, 25)):
        assert same(place, built(store, tmp_path, period)) == 3
    said = run(place / "b.zip")[1]
    assert len(repeated(said)) == 1, "one question, in two sweeps"
    assert said.index("2 times, records") > said.index("no sweep was planned for"), "what was missed once comes first"
    one = built(store, tmp_path, hours(0, 25), resources=[Account("b").id])
    assert same(place, one) == 3
    assert same(place, built(store, tmp_path, hours(0, 25), resources=[Account("a").id])) in (0, 3)


def test_every_part_of_the_log(store, tmp_path, place):
    for period in (hours(0, 7), hours(6, 7), hours(6, 13), hours(12, 25), hours(0, 25)):
        assert same(place, built(store, tmp_path, period), what=period) == 0


def test_data_planes_and_logs(place, tmp_path):
    """Lists with their own way of paging, questions about their members and workspaces with logs: no false alarm, and what is not counted is said."""
    store = DirectoryStore(tmp_path / "store")
    maker = LogMaker(store).birth()
    for number in range(2):
        maker.sweep([FULL], slot=START + timedelta(hours=6 * (number + 1)))
    data = built(store, tmp_path, hours(0, 13))
    assert same(place, data) == 0
    (place / "b.zip").write_bytes(data)
    assert "each member of a list, and each workspace with logs" in run(place / "b.zip")[1]


@pytest.mark.parametrize("narrow", [False, True])
def test_what_deletions_rest_on_lies_outside_the_period(place, tmp_path, narrow):
    """A bundle brings records of sweeps before its period along: they are proven, and no gap in the period."""
    store = DirectoryStore(tmp_path / "store")
    maker = LogMaker(store).birth()
    for number, files in enumerate((["file-1", "file-2"], ["file-1", "file-2"], ["file-2"], ["file-2"])):
        maker.sweep([Account("full", files=[files], workspaces=[WORKSPACE]), Account("other")], slot=START + timedelta(hours=6 * (number + 1)))
    data = built(store, tmp_path, hours(18, 25), resources=[Account("full").id] if narrow else None)
    assert len(json.loads(apart(data)["manifest.json"])["ranges"]) > 2 * narrow
    assert same(place, data) == 0


# -- tampered -------------------------------------------------------------------------------------------------------------


def test_a_flipped_bit_in_every_entry(good, place):
    with ZipFile(io.BytesIO(good)) as bundle:
        infos = [bundle.getinfo(name) for name in some(bundle.namelist())]
        spans = [(i.header_offset, i.header_offset + 30 + len(i.filename) + i.compress_size) for i in infos]
    generator = random.Random(5)
    chosen = [position for span in spans for position in (generator.randrange(*span), span[1] - 1, span[0] + generator.randrange(30))]
    chosen += generator.sample(range(spans[-1][1], len(good)), 60)
    for position in chosen:
        bad = bytearray(good)
        bad[position] ^= 1 << generator.randrange(8)
        assert same(place, bytes(bad), what=position) == 1


def test_entries_dropped_put_in_and_cut_short(good, entries, place):
    for name in some(entries):
        data = entries[name]
        rest = {each: content for each, content in entries.items() if each != name}
        assert same(place, zipped(rest), what=f"without {name}") == 1
        if name != "manifest.json":
            code = same(place, together(rest), what=f"without {name}, and a manifest that fits")
            assert code == 1 or name.startswith("by-control/"), name
            same(place, together({**entries, name: data[:-1]}), what=f"{name} cut")
            flipped = data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 1]) + data[len(data) // 2 + 1 :]
            same(place, together({**entries, name: flipped}), what=f"{name} flipped, with a manifest that fits")
    for name in ("body/sha256/00/" + "0" * 64, "records/00000000000000000900.jsonl", "note.txt", "../up", "tile/0/009", "a" * 90):
        assert same(place, together({**entries, name: b"x"}), what=name) == 1
    for length in (*range(0, len(good), len(good) // 40), len(good) - 1):
        assert same(place, good[:length], what=length) == 1
    for data in (good + b"x", b"x" + good, good + good):
        assert same(place, data) == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[:50] + lines[51:],
        lambda lines: [*lines[:50], lines[50], *lines[50:]],
        lambda lines: [*lines[:50], lines[51], lines[50], *lines[52:]],
        lambda lines: [*lines[:50], b'{"v":1}', *lines[50:]],
        lambda lines: lines[:-1],
        lambda lines: lines[1:],
        lambda lines: [*lines, lines[-1]],
        lambda lines: [*lines, b"x" * 70_000],
        lambda lines: [b"[" * 60_000, *lines[1:]],
    ],
)
def test_records_dropped_doubled_swapped_put_in(entries, change, place):
    lines = entries[RECORDS][:-1].split(b"\n")
    assert same(place, together({**entries, RECORDS: b"\n".join(change(lines)) + b"\n"})) == 1


def test_another_checkpoint_or_key(good, entries, tmp_path, place):
    other = DirectoryStore(tmp_path / "store")
    small_log(other, sweeps=4, signer=OTHER)
    foreign = apart(built(other, tmp_path, hours(0, 13)))
    assert same(place, together({**entries, "checkpoint": foreign["checkpoint"]})) == 1
    assert same(place, good, key=OTHER.key) == 1
    signed = entries["checkpoint"]
    for position in range(len(signed) - 60, len(signed) - 4, 7):
        forged = signed[:position] + (b"B" if signed[position : position + 1] == b"A" else b"A") + signed[position + 1 :]
        assert same(place, together({**entries, "checkpoint": forged})) == 1
    for bad in ("", "x", "a+b+c", f"{SIGNER.key}x", str(SIGNER.key).replace("+", "-", 1)):
        (place / "b.zip").write_bytes(good)
        code, text = run(place / "b.zip", "--key", bad, key=None)
        assert code == 2 and text.count("\n") == 1, text


def test_a_key_of_the_other_sort(tmp_path, place):
    store = DirectoryStore(tmp_path / "store")
    small_log(store, sweeps=2, signer=P256)
    data = built(store, tmp_path, hours(0, 13))
    assert same(place, data, key=P256.key) == 0
    assert same(place, data, key=SIGNER.key) == 1


def test_what_the_manifest_says(entries, place):
    manifest = json.loads(entries["manifest.json"])
    for fields in (
        {"ranges": [[1, 300]]}, {"ranges": [[1, 1 << 62]]}, {"ranges": []}, {"ranges": [[1, True]]}, {"ranges": {}}, {"files": 3}, {"period": {}},
        {"period": {"from": "x", "to": "y"}}, {"log": {"origin": "x", "size": 730}}, {"log": {"origin": manifest["log"]["origin"], "size": 9}},
        {"scope": {"resources": ["/subscriptions/none"], "framework": None}}, {"scope": {"resources": [], "framework": None}}, {"v": 9}, {"v": []},
        {"kind": "x"}, {"period": {"from": manifest["period"]["from"], "to": "2026-11-30T00:00:00.000000Z"}},
    ):  # fmt: skip
        same(place, together(entries, **fields), what=fields)
    for raw in (b"", b"null", b"[]", b"[" * 100_000, b"\xff", b'"x"', b"{}"):
        assert same(place, zipped({**entries, "manifest.json": raw}), what=raw[:9]) == 1


@pytest.mark.parametrize("seed", range(3))
def test_lies_that_the_keeper_of_the_key_sealed(tmp_path, place, seed):
    """Records with members of the wrong type, dropped or doubled, sealed as they are: found by both, or by ours alone in what only it looks at."""
    generator = random.Random(seed)
    junk = (None, True, -1, 1 << 70, "x", [], {}, [[]], {"a": []}, "2026-13-01T00:00:00.000000Z")
    tried = 0
    for _ in range(12):
        chosen = generator.randrange(400)
        seen = [0]

        def edit(name, records, chosen=chosen, seen=seen):
            found = []
            for record in records:
                seen[0] += 1
                if seen[0] == chosen:
                    how = generator.randrange(3)
                    if how == 0:
                        continue
                    if how == 1:
                        found.append(record)
                    field = generator.choice(sorted(record))
                    record = {**record, field: generator.choice(junk)}
                found.append(record)
            return found

        root = tmp_path / f"{chosen}-{generator.random()}"
        root.mkdir()
        store = DirectoryStore(root / "store")
        try:
            maker = LogMaker(store, edit=edit).birth()
            for number in range(2):
                maker.sweep([Account("a"), Account("b")], slot=START + timedelta(hours=6 * (number + 1)))
            data = built(store, root, hours(0, 13))
        except Exception:
            continue  # a lie that cannot be sealed, or of which no bundle can be built
        (place / "b.zip").write_bytes(data)
        code, text = run(place / "b.zip")
        tried += 1
        assert code in (0, 1, 3) and "Traceback" not in text
        verdict = verify_bundle(io.BytesIO(data), KEYS)
        sorts = {problem.what for problem in verdict.problems}
        looked_for = sorts & {"plan", "population", "answer", "closing", "period", "body"}
        # The form of each member is for ours alone, and so is what follows from it; what stands where in a sweep with strangers is for neither.
        beyond = "record" in sorts or "not interpreted here" in text
        assert code == 1 if looked_for and not beyond else verdict.exit_code == 1 or code != 1, (verdict.as_lines()[:3], text[:500])
    assert tried > 3


# -- hostile files --------------------------------------------------------------------------------------------------------


def test_bombs_and_other_zips(good, entries, place):
    bomb = io.BytesIO()
    with ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as file:
        for name, data in entries.items():
            file.writestr(name, data)
        file.writestr("body/sha256/00/" + "0" * 64, b"\0" * 50_000_000)
    assert same(place, bomb.getvalue()) == 1
    again = io.BytesIO()
    with ZipFile(again, "w", zipfile.ZIP_DEFLATED) as file:
        for name in reversed(list(entries)):
            file.writestr(name, entries[name])
    assert same(place, again.getvalue()) == 0
    twice = io.BytesIO()
    with ZipFile(twice, "w") as file, pytest.warns(UserWarning, match="Duplicate"):
        for name, data in [*entries.items(), ("checkpoint", b"x")]:
            file.writestr(name, data)
    assert same(place, twice.getvalue()) == 1
    for data in (b"", b"PK", b"PK\x05\x06" + b"\0" * 18, b"PK\x05\x06" + b"\xff" * 18, os.urandom(999)):
        code, text = run_bytes(place, data)
        assert code == 1 and text.count("\n") == 1, text


def run_bytes(place, data):
    (place / "b.zip").write_bytes(data)
    return run(place / "b.zip")


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_bytes_in_any_entry(entries, place, data):
    name = data.draw(st.sampled_from(sorted(set(some(entries)) - {"manifest.json"})))
    content = data.draw(st.one_of(st.binary(max_size=200), st.just(entries[name] * 2), st.just(b"\n" * 3000), st.just(b'{"a":' * 5000)))
    same(place, together({**entries, name: content}), what=name)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_json_as_a_record(entries, place, data):
    """Proven or not, no value makes a traceback."""
    leaf = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
    value = data.draw(st.recursive(leaf, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)))
    report = alone.Report()
    bundle = object.__new__(alone.Bundle)
    bundle.resources, bundle.ranges, bundle.report, bundle.sound, bundle.named, bundle.files = None, [(0, 9)], report, set(), set(), {}
    bundle.period, bundle.origin, bundle.size = ("2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"), "x", 9
    examiner = alone.Examiner(bundle)
    lines = entries[RECORDS][:-1].split(b"\n")
    record = json.loads(lines[data.draw(st.integers(0, len(lines) - 1))])
    record[data.draw(st.sampled_from(sorted(record)))] = value
    for index, each in enumerate((value, record, record)):
        examiner.take(index, canonical(each))
    examiner.finish()


# -- a folder -------------------------------------------------------------------------------------------------------------


def unpacked(good, folder):
    with ZipFile(io.BytesIO(good)) as bundle:
        bundle.extractall(folder)
    return folder


def test_an_unpacked_folder(good, tmp_path):
    folder = unpacked(good, tmp_path / "b")
    assert run(folder)[0] == 0
    (folder / ".DS_Store").write_bytes(b"x")
    assert run(folder)[0] == 0
    (folder / "note.txt").write_text("x")
    assert run(folder)[0] == 1
    (folder / "note.txt").unlink()
    for name in ("checkpoint", "body", "findings.csv"):
        (folder / name).rename(tmp_path / name)
        (folder / name).symlink_to(tmp_path / name)
        code, text = run(folder)
        assert code == 1 and "Traceback" not in text
        (folder / name).unlink()
        (tmp_path / name).rename(folder / name)
    body = next((folder / "body").rglob("*/*/*"))
    body.write_bytes(body.read_bytes()[:-1])
    assert run(folder)[0] == 1


def test_sha256sum_agrees(good, tmp_path):
    folder = unpacked(good, tmp_path / "b")
    done = subprocess.run(["sha256sum", "-c", "--strict", CHECKSUMS], cwd=folder, capture_output=True, text=True, check=False)
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} - {CHECKSUMS, "manifest.json"}
    assert done.returncode == 0 and len(done.stdout.splitlines()) == len(there)
    (folder / "README.txt").write_text("x")
    assert subprocess.run(["sha256sum", "-c", CHECKSUMS], cwd=folder, capture_output=True, check=False).returncode == 1


# -- keys, checkpoints, and what is there to check signatures with ----------------------------------------------------------


def test_no_key_and_no_program_are_no_pass(good, place, monkeypatch):
    (place / "b.zip").write_bytes(good)
    code, text = run(place / "b.zip", key=None)
    assert code == 2 and text.startswith("NOT VERIFIED: no key was given")
    monkeypatch.setattr(alone.Signatures, "__init__", lambda self: setattr(self, "how", None))
    code, text = run(place / "b.zip")
    assert code == 2 and text.startswith("NOT VERIFIED: signature not checked: neither the package cryptography nor openssl is here")
    assert "is signed by" not in text


def test_a_checkpoint_from_earlier(store, tmp_path, place):
    sooner = apart(built(store, tmp_path, hours(0, 7)))["checkpoint"]
    (place / "earlier").write_bytes(sooner)
    grown = DirectoryStore(tmp_path / "grown")
    small_log(grown, sweeps=6)
    (place / "b.zip").write_bytes(built(grown, tmp_path, hours(0, 40), since=sooner))
    code, text = run(place / "b.zip", "--checkpoint", str(place / "earlier"))
    assert code == 0 and "the log extends the checkpoint that you hold" in text
    other = DirectoryStore(tmp_path / "other")
    maker = LogMaker(other).birth()
    maker.sweep([Account("z")], slot=START + timedelta(hours=6))
    (place / "rewritten").write_bytes(built(other, tmp_path, hours(0, 7)) and apart(built(other, tmp_path, hours(0, 7)))["checkpoint"])
    code, text = run(place / "b.zip", "--checkpoint", str(place / "rewritten"))
    assert "Traceback" not in text and (code == 1 or "send it to the keeper" in text)


def test_records_of_a_type_from_later(tmp_path, place):
    """Counted and proven, and said to be not interpreted; where other records stand is then not held against the sweep."""

    def edit(name, records):
        stranger = {**records[-1], "type": "horoscope", "kind": "change"} if name.endswith(".findings") else None
        return [*records, stranger] if stranger else records

    store = DirectoryStore(tmp_path / "store")
    maker = LogMaker(store, edit=edit).birth()
    maker.sweep([Account("a")], slot=START + timedelta(hours=6))
    code, text = run_bytes(place, built(store, tmp_path, hours(0, 7)))
    assert code == 0 and "records of type horoscope say: counted and proven, not interpreted here" in text


def pythons(versions=PYTHONS):
    """Interpreters of each version that are on this machine."""
    found = {}
    for version in versions:
        places = [*Path.home().glob(f".pyenv/versions/{version}.*/bin/python"), Path(f"/usr/bin/python{version}"), Path(f"/usr/local/bin/python{version}")]
        found[version] = next((path for path in places if path.exists()), None)
    return found


@pytest.mark.parametrize("version", PYTHONS)
def test_every_python_and_openssl_alone(version, good, tmp_path):
    python = pythons()[version]
    if python is None:
        pytest.skip(f"no Python {version} is here: verify.py was NOT tried with it")
    (tmp_path / "b.zip").write_bytes(good)
    (tmp_path / "key").write_text(f"{SIGNER.key}\n")
    (tmp_path / "verify.py").write_bytes(apart(good)["verify.py"])

    def said(key, path="b.zip", environment=None):
        command = [python, "-I", "-S", "-W", "error", "verify.py", path, "--key", key]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=environment)

    done = said("key")
    assert done.returncode == 0 and "checked by OpenSSL" in done.stdout and not done.stderr, (done.stdout, done.stderr)
    assert said(str(OTHER.key)).returncode == 1
    nothing = said("key", environment={"PATH": str(tmp_path)})
    assert nothing.returncode == 2 and "neither the package cryptography nor openssl is here" in nothing.stdout
    bad = bytearray(good)
    bad[len(bad) // 2] ^= 1
    (tmp_path / "bad.zip").write_bytes(bytes(bad))
    assert said("key", "bad.zip").returncode == 1
    checkpoint = apart(good)["checkpoint"]
    forged = checkpoint[:-6] + (b"A" if checkpoint[-6:-5] != b"A" else b"B") + checkpoint[-5:]
    (tmp_path / "bad.zip").write_bytes(together({**apart(good), "checkpoint": forged}))
    done = said("key", "bad.zip")
    assert done.returncode == 1 and "does not fit the text" in done.stderr


def test_it_imports_nothing_but_the_standard_library():
    names = set(re.findall(r"^ *(?:import|from) ([a-z_0-9]+)", FILE.read_text(), re.MULTILINE))
    assert names - set(sys.stdlib_module_names) == {"cryptography"}
