"""`verify FILE.zip`: whatever is done to a bundle without the key is found and named, and no bytes whatever raise anything but one error."""

import io
import json
import random
import struct
import zipfile
import zlib
from datetime import timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared import layout
from shared.canonical import canonical, sha256
from shared.deliver import zipform
from shared.deliver.bundle.zipwriter import ZipWriter
from shared.deliver.verify import verify_bundle, verify_store
from shared.errors import VerificationError
from shared.judge.catalogue import catalogue
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore
from tests.fixtures.bundles import KEYS, RECORDS, apart, built, hours, together, verdict, zipped
from tests.fixtures.records import OTHER, START, Account, LogMaker, small_log

LINES = 357 + 2 * len(catalogue().of_scope("sweep", "provider"))
"""Records of that run."""


def refused(data, **options):
    """What is said where nothing can be said, or where problems were found: their lines."""
    try:
        found = verdict(data, **options)
    except VerificationError as error:
        assert "\n" not in str(error)
        return [str(error)]
    assert found.exit_code == 1, found
    return [problem.line() for problem in found.problems]


def said(data, words, **options):
    lines = refused(data, **options)
    assert any(words in line for line in lines), lines
    return lines


# -- single bits ----------------------------------------------------------------------------------------------------------


def test_every_flipped_bit_is_found_and_located(good):
    with ZipFile(io.BytesIO(good)) as bundle:
        spans = [(i.header_offset, i.header_offset + 30 + len(i.filename) + i.compress_size, i.filename) for i in bundle.infolist()]
    generator = random.Random(3)
    headers = [place for start, _, name in spans for place in range(start, start + 30 + len(name))]
    ends = [end - 1 for _, end, _ in spans]
    directory = range(spans[-1][1], len(good))
    chosen = [*generator.sample(headers, 60), *ends, *generator.sample(directory, 60), *generator.sample(range(len(good)), 80)]
    for position in chosen:
        bad = bytearray(good)
        bad[position] ^= 1 << generator.randrange(8)
        lines = refused(bytes(bad))
        where = next((name for start, end, name in spans if start <= position < end), "zip")
        located = where == "zip" or any(where in line or (where.startswith("records/") and line.startswith("record ")) for line in lines)
        assert located, (position, where, lines[:3])


def test_the_bits_that_no_reader_looks_at(good):
    """Deflate leaves a few bits of its last byte unused: they change nothing that is unpacked, and are found all the same."""
    with ZipFile(io.BytesIO(good)) as bundle:
        members = [i for i in bundle.infolist() if i.compress_type == zipfile.ZIP_DEFLATED]
    unread = 0
    for member in members:
        last = member.header_offset + 30 + len(member.filename) + member.compress_size - 1
        for bit in range(8):
            bad = bytearray(good)
            bad[last] ^= 1 << bit
            packed = bytes(bad[last + 1 - member.compress_size : last + 1])
            inflater = zlib.decompressobj(-15)
            try:
                same = zlib.crc32(inflater.decompress(packed)) == member.CRC and inflater.eof
            except zlib.error:
                same = False
            if same:
                unread += 1
                said(bytes(bad), f"{member.filename}: the packed bytes of the entry were altered")
    assert unread > 5


# -- records --------------------------------------------------------------------------------------------------------------


def changed_lines(entries, change):
    lines = entries[RECORDS][:-1].split(b"\n")
    return {**entries, RECORDS: b"\n".join(change(lines)) + b"\n"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda lines: lines[:50] + lines[51:], "record 51"),
        (lambda lines: [*lines[:50], lines[50], *lines[50:]], "record 52"),
        (lambda lines: [*lines[:50], lines[51], lines[50], *lines[52:]], "record 51"),
        (lambda lines: [*lines[:50], b'{"v":1}', *lines[50:]], "record 51"),
        (lambda lines: lines[:-1], f"holds {LINES - 1} records, and the manifest says {LINES}"),
        (lambda lines: [*lines, lines[-1]], f"holds {LINES + 1} records, and the manifest says {LINES}"),
        (lambda lines: [line.replace(b'"status":"satisfied"', b'"status":"unknown"') for line in lines], "the record is not what was sealed"),
        (lambda lines: [*lines, b"x" * 70_000], "holds"),
    ],
)
def test_records_dropped_doubled_swapped_put_in(entries, change, words):
    data = together(changed_lines(entries, change))
    assert len(entries[RECORDS].splitlines()) == LINES
    said(data, words)


def test_a_shorter_range_in_the_manifest(entries):
    fewer = changed_lines(entries, lambda lines: lines[:-20])
    said(together(fewer, ranges=[[1, 393]]), "nothing shows that what follows is of later time")


def test_the_first_sweep_left_out(store, entries, tmp_path):
    later = apart(built(store, tmp_path, hours(12, 13)))
    manifest = json.loads(entries["manifest.json"])
    said(together(later, period=manifest["period"]), "the sweep before it is of the period too, and was left out")


def test_the_last_sweep_left_out(store, entries, tmp_path):
    sooner = apart(built(store, tmp_path, hours(0, 7)))
    said(together(sooner, period=json.loads(entries["manifest.json"])["period"]), "nothing shows that what follows is of later time")


def test_a_sweep_in_between_left_out(store, tmp_path):
    data = built(store, tmp_path, hours(0, 25))
    both = apart(data)
    log = open_log(store)
    lines = dict(log.lines(0, log.size))
    closings = [i for i, line in lines.items() if b'"type":"sweep-closed"' in line]
    first, second = closings[0] + 1, closings[1] + 1
    kept = {name: entry for name, entry in both.items() if not name.startswith("records/")}
    for start, end in ((1, first), (second, log.size)):
        kept[f"records/{start:020d}.jsonl"] = b"".join(lines[i] + b"\n" for i in range(start, end))
    forged = together(kept, ranges=[[1, first - 1], [second, log.size - second]])
    lines_said = said(forged, "is not in the bundle: it was left out")
    assert any("records between those of the period are left out" in line for line in lines_said)
    assert any("no sweep was planned for the slot" in gap.reason for gap in verdict(forged).gaps)


def test_a_longer_period_than_the_log_shows_its_slots(store, tmp_path):
    found = verdict(built(store, tmp_path, hours(0, 49)))
    assert found.exit_code == 3 and "4 slots in a row" in found.gaps[0].reason


def test_a_scope_that_was_narrowed_afterwards(entries):
    lines = refused(together(entries, scope={"resources": ["/subscriptions/none"], "framework": None}))
    assert lines


# -- files ----------------------------------------------------------------------------------------------------------------


def test_a_bundle_from_before_verify_py_still_verifies(entries):
    old = {name: data for name, data in entries.items() if name not in ("verify.py", "index.html", "SHA256SUMS", "period.json")}
    found = verdict(together(old, v=1, derived=1))
    assert found.exit_code == 0 and any(line.startswith("README.txt, findings.csv") for line in found.not_checked)
    said(together(old, derived=1), "malformed")
    said(together({**entries, "verify.py": entries["verify.py"] + b"#"}), "verify.py: the file is not that of aoai-evidence")
    said(together({**entries, "index.html": entries["index.html"] + b" "}), "index.html: the file is not that of aoai-evidence")
    other = verdict(together({**entries, "verify.py": b"pass"}, software="9.9"))
    assert any(line.startswith("verify.py, and it should not be run from the bundle") for line in other.not_checked)


@pytest.mark.parametrize("fields", [{"derived": 3}, {"derived": 99}, {"catalogue": "2020.1.1"}])
def test_a_table_that_lies_is_not_passed_over_because_the_manifest_names_other_rules(entries, fields):
    lie = {**entries, "findings.csv": entries["findings.csv"].replace(b"not-satisfied", b"satisfied")}
    said(together(lie, **fields), "manifest.json: names other rules or another catalogue than aoai-evidence")
    older = verdict(together(lie, software="0.0.1", **fields))
    assert any(line.startswith("README.txt, findings.csv") and "0.0.1" in line for line in older.not_checked), "of another release nothing can be said, and that is said"


@pytest.mark.parametrize("name", ["README.txt", "catalogue.json", "findings.csv", "period.json"])
def test_derived_files_must_follow(entries, name):
    said(together({**entries, name: entries[name] + b"P.S. all is well\r\n"}), f"{name}: the file does not follow from the rest")


@pytest.mark.parametrize(
    ("forget", "words"),
    [
        ("README.txt", "every bundle has this file"),
        ("findings.csv", "every bundle has this file"),
        ("period.json", "every bundle has this file"),
        ("checkpoint", "the zip has no checkpoint"),
        ("manifest.json", "the zip has no manifest.json"),
        (RECORDS, "lists the file, and the zip does not have it"),
        ("tile/0/000", "there is no tile to prove the records"),
        ("tile/1/000.p/", "the tiles do not reach the root"),
        ("proofs/20261101T060000Z.tlog-proof", "the proof of the closing record of sweep 20261101T060000Z is missing"),
    ],
)
def test_a_file_left_out(entries, forget, words):
    kept = {name: data for name, data in entries.items() if name != forget and not (forget[-1] == "/" and name.startswith(forget))}
    assert len(kept) == len(entries) - 1
    if words.startswith("the zip has no") or "lists the file" in words:
        said(zipped(kept), words)
    else:
        said(together(kept), words)


def test_a_body_left_out_or_altered(entries):
    name = next(name for name, data in entries.items() if name.startswith("body/") and b"ContentLogging" in data)
    without = {n: data for n, data in entries.items() if n != name}
    digest = name.rpartition("/")[2]
    said(together(without), f"the body {digest} that it names is missing")
    lied = {**entries, name: entries[name].replace(b'"false"', b'"fals3"')}
    said(together(lied), f"{name}: the body is not what its name says")


def test_a_body_too_many(entries):
    stray = b'{"harmless":true}'
    name = f"body/sha256/{sha256(stray)[:2]}/{sha256(stray)}"
    said(together({**entries, name: stray}), f"{name}: nothing in the bundle accounts for the file")


def test_a_file_that_the_manifest_does_not_list(entries):
    said(zipped({**entries, "tile/0/077": b"x" * 8192}), "the manifest does not list it")


def test_a_tile_too_many_or_of_another_log(entries):
    said(together({**entries, "tile/5/000": b"x" * 8192}), "has no such tile")
    said(together({**entries, "tile/0/000": bytes(8192)}), "tile/0/000: the tile does not hash to its place")
    said(together({**entries, "tile/0/000": entries["tile/0/000"][:-32]}), "has not the length of 256 hashes")


def test_proofs_must_prove(entries):
    name = "proofs/20261101T060000Z.tlog-proof"
    said(together({**entries, name: entries["proofs/20261101T120000Z.tlog-proof"]}), f"{name}: is not the proof")


def test_disclosures_must_be_of_commitments(entries):
    for disclosed in (b"{}x", b"[]", b'{ "a":1}', canonical({"a": {"salt": "x", "value": 1}}), canonical({"a": 3}), b"\xff"):
        said(together({**entries, "disclosures.json": disclosed}), "disclosures.json: ")
    assert verdict(together({**entries, "disclosures.json": b"{}"})).exit_code == 0


# -- keys and checkpoints -------------------------------------------------------------------------------------------------


def test_a_wrong_key_is_one_line_that_says_what_to_do(good):
    with pytest.raises(VerificationError, match="not signed by the key given: use the verifier key"):
        verdict(good, [OTHER.key])
    with pytest.raises(VerificationError, match="no key was given"):
        verdict(good, [])


def test_a_log_made_up_and_signed_by_another(tmp_path):
    other = DirectoryStore(tmp_path / "log")
    small_log(other, sweeps=2, signer=OTHER)
    said(built(other, tmp_path, hours(0, 13)), "not signed by the key given")


def test_a_finding_rewritten_with_the_whole_log(tmp_path, store):
    """Whoever has the key can sign a lie: the bodies still contradict it, and so does a checkpoint held."""

    def lie(_batch, records):
        return [{**v, "status": "not-satisfied"} if v.get("control") == "content-logging-off" else v for v in records]

    other = DirectoryStore(tmp_path / "log")
    small_log(other, sweeps=2, edit=lie)
    data = built(other, tmp_path, hours(0, 13))
    said(data, "content-logging-off")
    held = next(path.read_bytes() for path in sorted((Path(store.root) / layout.CHECKPOINTS).iterdir()) if int(path.name) > 150)
    said(data, "the log was rewritten", held=held)


def test_a_checkpoint_held_that_is_later_or_earlier(store, good, tmp_path):
    sizes = sorted(int(path.name) for path in (Path(store.root) / layout.CHECKPOINTS).iterdir())
    small = DirectoryStore(tmp_path / "log")
    small_log(small, sweeps=2)
    early = built(small, tmp_path, hours(0, 13))
    said(early, "the newest", held=store.get(layout.checkpoint(sizes[-1])))
    assert any("extends the checkpoint held" in line for line in verdict(good, held=apart(good)["checkpoint"]).checked)
    with pytest.raises(VerificationError, match="the checkpoint held cannot be used"):
        verdict(good, held=b"\x00")


def test_the_manifest_must_agree_with_the_checkpoint(entries):
    log = json.loads(entries["manifest.json"])["log"]
    said(together(entries, log={**log, "size": log["size"] + 1}), "another size, than the checkpoint")


# -- the container --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "the file is empty"),
        (b"hello", "not a zip, so not a bundle"),
        (b"%PDF-1.7\n" + b"x" * 1000, "not a zip, so not a bundle"),
        (b"PK\x03\x04" + bytes(500), "cut short"),
    ],
)
def test_what_is_no_bundle(data, words):
    with pytest.raises(VerificationError, match=words):
        verdict(data)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(VerificationError, match="cannot be read"):
        verify_bundle(tmp_path / "none.zip", KEYS)
    with pytest.raises(VerificationError, match="cannot be read"):
        verify_bundle(tmp_path, KEYS)


def test_truncated_at_every_4_kb(good):
    for length in range(0, len(good), 4096):
        assert refused(good[:length])


def test_another_zip_is_refused():
    file = io.BytesIO()
    with ZipFile(file, "w") as other:
        other.writestr("hello.txt", "hello")
    assert refused(file.getvalue())


def test_bytes_before_between_and_after(good):
    for bad in (b"MZ\x90" + good, good + b"\n", good + good, good[:-1]):
        assert refused(bad)
    assert refused(good[:40] + b"x" + good[40:])


def test_an_entry_that_is_there_twice(entries):
    file = io.BytesIO()
    writer = ZipWriter(file)
    for name in sorted(entries):
        writer.add(name, len(entries[name]), lambda name=name: [entries[name]])
        if name == "README.txt":
            twin, _ = writer._write(name, 3, zipform.STORED, lambda: [b"lie"])
            writer._members.append(twin)
            writer._position = twin.end
    writer.close()
    said(file.getvalue(), "README.txt: the entry is there twice")


@pytest.mark.parametrize("name", ["../../etc/passwd", "/etc/passwd", "..\\evil", "C:evil", "body/../../x", "records/", "a\x00b", "tile/0/../../x", "README.txt/x"])
def test_names_that_climb_or_are_none_of_ours(entries, name, tmp_path):
    assert refused(together({**entries, name: b"x"}))
    assert list(tmp_path.iterdir()) == []


def test_links_encryption_and_lies_in_the_headers(good):
    with ZipFile(io.BytesIO(good)) as bundle:
        directory = bundle.start_dir
    for offset, value in ((8, b"\x01\0"), (38, struct.pack("<L", 0o120777 << 16)), (12, b"\x34\x12"), (4, b"\x00\x00"), (36, b"\x01\x00")):
        bad = bytearray(good)
        bad[directory + offset : directory + offset + len(value)] = value
        said(bytes(bad), "README.txt: the entry's place in the zip's directory is not as a bundle's is")


def bomb(name: str, size: int, packed: bytes, entries: dict[str, bytes]) -> bytes:
    """A zip in our shape in which one entry claims a size."""
    out, members = io.BytesIO(), []
    for entry in sorted({**entries, name: b""}):
        data, claims, method = (packed, size, zipform.DEFLATED) if entry == name else (entries[entry], len(entries[entry]), zipform.STORED)
        member = zipform.Member(entry, method, zlib.crc32(data), len(data), claims, out.tell())
        members.append(member)
        out.write(zipform.local_header(member) + data)
    directory = b"".join(zipform.central_header(member) for member in members)
    out.write(directory + zipform.end_record(len(members), len(directory), out.tell()))
    data = out.getvalue()
    return data + zipform.COMMENT_HEAD + sha256(data[:-22]).encode()


def test_bombs_are_not_unpacked(entries):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    thousandfold = packer.compress(bytes(50_000_000)) + packer.flush()
    assert len(thousandfold) < 60_000
    lines = said(bomb("README.txt", 50_000_000, thousandfold, entries), "zip bomb")
    assert len(lines) < 10
    said(bomb("findings.csv", 10 * 1024**3, thousandfold, entries), "zip bomb")
    said(bomb("findings.csv", 1000, thousandfold, entries), "unpacks to more than it declares")
    with pytest.raises(VerificationError, match="zip bomb|larger than"):
        verdict(bomb("manifest.json", 10 * 1024**3, thousandfold, entries))


def test_a_million_entries_are_refused_at_once():
    directory = b"".join(zipform.central_header(zipform.Member(f"body/sha256/aa/{n:064d}", 0, 0, 0, 0, 0)) for n in range(1000)) * 1000
    data = directory + zipform.end_record(1_000_000, len(directory), 0)
    data += zipform.COMMENT_HEAD + sha256(data[:-22]).encode()
    with pytest.raises(VerificationError, match="1000000 entries"):
        verdict(b"PK\x03\x04" + data)


def test_a_zip_packed_again_is_checked_by_its_content(entries):
    file = io.BytesIO()
    with ZipFile(file, "w", zipfile.ZIP_DEFLATED) as again:
        for name in sorted(entries, reverse=True):
            again.writestr(name, entries[name])
    found = verdict(file.getvalue())
    assert found.exit_code == 0
    assert any("packed again" in line for line in found.notes)


# -- any bytes at all -----------------------------------------------------------------------------------------------------


@given(st.binary(max_size=400))
def test_no_bytes_raise_anything_else(data):
    with pytest.raises(VerificationError):
        verdict(data)


@given(st.binary(max_size=200), st.binary(max_size=200))
def test_nothing_that_begins_and_ends_like_a_zip_raises_anything_else(middle, more):
    data = b"PK\x03\x04" + middle + zipform.end_record(1, len(more), 4 + len(middle)) + zipform.COMMENT_HEAD + b"0" * 64
    with pytest.raises(VerificationError):
        verdict(data)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_mutated_bundles_raise_nothing_else(good, data):
    bad = bytearray(good)
    for _ in range(data.draw(st.integers(1, 6))):
        position = data.draw(st.integers(0, len(bad) - 1))
        length = data.draw(st.integers(0, 64))
        bad[position : position + length] = data.draw(st.binary(max_size=64))
    if bytes(bad) != good:
        assert refused(bytes(bad))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_manifests_that_lie_raise_nothing_else(entries, data):
    manifest = json.loads(entries["manifest.json"])
    name = data.draw(st.sampled_from(sorted(manifest)))
    value = data.draw(JSON)
    if value != manifest[name]:
        refused_or_gaps(zipped({**entries, "manifest.json": canonical({**manifest, name: value})}))


def refused_or_gaps(data):
    try:
        verdict(data)
    except VerificationError as error:
        assert "\n" not in str(error)


RESEALED = ("plan", "account", "closed", "subscription", "sweep.findings")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_records_of_any_content_raise_nothing_else(tmp_path_factory, data):
    """Well sealed, well signed, and nonsense inside."""
    batch = data.draw(st.sampled_from(RESEALED))
    place, value = data.draw(st.integers(0, 30)), data.draw(JSON)
    path = data.draw(st.lists(st.integers(0, 30), min_size=1, max_size=4))

    def edit(name, records):
        if batch not in name or place >= len(records) or not isinstance(records[place], dict):
            return records
        changed = json.loads(canonical(records[place]))
        target = changed
        for step in path[:-1]:
            members = list(target.values()) if isinstance(target, dict) else target
            inner = members[step % len(members)]
            if not isinstance(inner, dict | list) or not inner:
                break
            target = inner
        if isinstance(target, dict) and target:
            target[sorted(target)[path[-1] % len(target)]] = value
        elif isinstance(target, list):
            target[path[-1] % len(target)] = value
        return [*records[:place], changed, *records[place + 1 :]]

    made = DirectoryStore(tmp_path_factory.mktemp("nonsense"))
    maker = LogMaker(made, edit=edit).birth()
    try:
        maker.sweep([Account("two", "AIServices", deployments=[["Standard"], ["Standard"]], projects=["p"])], slot=START + timedelta(hours=6))
    except Exception:
        maker.sequencer.seal()
    found = verify_store(made, KEYS)
    assert found.exit_code in (0, 1, 3)
    canonical(found.as_json())


@settings(max_examples=30, deadline=None)
@given(body=JSON, kind=st.sampled_from(["account", "accounts", "deployments", "projects", "subscriptions", "locations", "raiPolicies", "tls"]))
def test_bodies_of_any_content_raise_nothing_else(tmp_path_factory, body, kind):
    """What Azure might send one day: the verifier says what it makes of it."""

    class Strange(LogMaker):
        def keep(self, value):
            return super().keep(body if self.kind == kind else value)

        def answer(self, sweep, unit, kind, *rest, **options):
            self.kind = kind
            return super().answer(sweep, unit, kind, *rest, **options)

    made = DirectoryStore(tmp_path_factory.mktemp("strange"))
    maker = Strange(made).birth()
    maker.sweep([Account("two", "AIServices", projects=["p"])], slot=START + timedelta(hours=6))
    found = verify_store(made, KEYS)
    assert all(problem.what in ("answer", "population", "plan") for problem in found.problems), found.problems
