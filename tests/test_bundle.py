"""Building a bundle: the same bytes for the same content, everything in it that proves it and nothing else, and nothing half-written."""

import base64
import csv
import io
import json
import os
import shutil
import subprocess
from datetime import timedelta
from zipfile import ZipFile

import pytest

from shared import layout
from shared.canonical import canonical
from shared.deliver import rejudge, zipform
from shared.deliver.bundle.build import build
from shared.deliver.bundle.choose import merged
from shared.deliver.bundle.derived import cell
from shared.deliver.bundle.manifest import parse_manifest
from shared.deliver.verify import verify_store
from shared.errors import Misuse, StoreConflict, VerificationError
from shared.privacy.disclosures import commitment_of
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore, put_body
from tests.fixtures.bundles import KEYS, apart, built, hours, together, verdict, zipped
from tests.fixtures.records import OTHER, START, Account, LogMaker, small_log


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A log of five sweeps, six hours apart, never changed."""
    made = DirectoryStore(tmp_path_factory.mktemp("log"))
    small_log(made, sweeps=5)
    return made


def manifest_of(data):
    return parse_manifest(apart(data)["manifest.json"])


# -- content --------------------------------------------------------------------------------------------------------------


def test_a_whole_period(store, tmp_path):
    info = build(store, tmp_path / "b.zip", period=hours(0, 240))
    data = (tmp_path / "b.zip").read_bytes()
    manifest = manifest_of(data)
    assert (info.bytes, info.size, len(info.sweeps)) == (len(data), open_log(store).size, 5)
    assert manifest.ranges == ((1, info.size - 1),)
    found = verdict(data)
    assert found.intact and found.identity == info.identity
    assert found.counts["records"] == info.records == info.size - 1
    assert found.counts["findings recomputed"] == info.findings
    entries = apart(data)
    assert [line for _, line in open_log(store).lines(1, info.size)] == entries["records/00000000000000000001.jsonl"][:-1].split(b"\n")
    assert entries["checkpoint"] == store.get(layout.checkpoint(info.size))
    assert all(store.get(f"evidence/{name}") == body for name, body in entries.items() if name.startswith("body/"))
    assert sum(name.startswith("proofs/") for name in entries) == 5


def test_the_same_bundle_has_the_same_bytes(store, tmp_path):
    first = built(store, tmp_path, hours(0, 240))
    os.utime(tmp_path / "bundle.zip", (0, 0))
    copy = tmp_path / "copy"
    shutil.copytree(store.root, copy)
    assert built(DirectoryStore(copy), tmp_path, hours(0, 240)) == first


def test_a_part_of_the_log_shows_what_comes_before_and_after(store, tmp_path):
    data = built(store, tmp_path, hours(12, 24))
    manifest, log = manifest_of(data), open_log(store)
    assert len(manifest.ranges) == 1 and manifest.ranges[0][1] < log.size // 2
    records = [json.loads(line) for line in apart(data)[f"records/{manifest.ranges[0][0]:020d}.jsonl"].splitlines()]
    assert records[0]["type"] == "sweep-closed" and records[-1]["type"] == "sweep-planned"
    assert len({record["sweep"] for record in records}) == 4
    assert verdict(data).exit_code == 0


FIRST = "by-control/SOC 2/C1.1 Confidential information is identified and kept/Storage for abuse monitoring is off.csv"
AGAIN = "by-control/SOC 2/P4.2 Retention of personal information/Storage for abuse monitoring is off.csv"


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode())))


def test_the_evidence_by_control(tmp_path):
    """Framework, criterion, control, resource, time: a line for as long as a conclusion stayed the same, with where it stands."""
    changing = DirectoryStore(tmp_path / "store")
    maker = LogMaker(changing).birth()
    on = [{"name": "VirtualNetworks"}]
    for number, capabilities in enumerate([None, None, on, on, None]):
        estate = [Account("one"), Account("two", deployments=["Standard"], **({"capabilities": capabilities} if capabilities else {}))]
        maker.sweep(estate, slot=START + timedelta(hours=6 * (number + 1)))
    entries = apart(built(changing, tmp_path, hours(0, 240)))
    tables = {name for name in entries if name.startswith("by-control/")}
    assert {name.split("/")[1] for name in tables} == {"SOC 2", "GDPR", "ISO 27001"}
    assert entries[FIRST] == entries[AGAIN], "a control that supports two criteria stands with both"
    rows = rows_of(entries[FIRST])
    assert [(row["resource"], row["status"], row["findings"]) for row in rows] == [
        ("one", "satisfied", "5"), ("two", "satisfied", "2"), ("two", "not-satisfied", "2"), ("two", "satisfied", "1"),
    ]  # fmt: skip
    findings = {row["record"]: row for row in csv.DictReader(io.StringIO(entries["findings.csv"].decode()))}
    for row in rows:
        assert findings[row["first"]]["at"] == row["from"] and findings[row["last"]]["at"] == row["until"]
        assert findings[row["last"]]["records"] == row["answers"] and findings[row["last"]]["resource"] == row["id"]
        assert row["control"] == findings[row["last"]]["control"]
    scope, = (name for name in tables if "CC6.7 " in name and "Deployments process where allowed" in name)
    assert {row["resource"] for row in rows_of(entries[scope])} == {"one/d0", "two/d0"}, "deployments have the same name everywhere"
    only = apart(built(changing, tmp_path, hours(0, 240), framework="gdpr"))
    assert {name.split("/")[1] for name in only if name.startswith("by-control/")} == {"GDPR"}
    for lie in ({**entries, FIRST: entries[FIRST].replace(b"not-satisfied", b"satisfied")}, {k: v for k, v in entries.items() if k != FIRST}):
        assert any(problem.file == FIRST for problem in verdict(together(lie)).problems)
    for name in ("by-control/SOC 2/x.csv", "by-control/SOC 2/C1.1 X/X.csv", "by-control/soc2/x.csv", "by-control/SOC 2/../X.csv", "by-control/SOC 2/C1.1 /X.csv"):
        assert any(problem.file == name for problem in verdict(together({**entries, name: b"x"})).problems)


def test_the_index_of_a_framework_counts_what_came_of_each_control_for_each_criterion(store, tmp_path):
    entries = apart(built(store, tmp_path, hours(0, 240)))
    findings = rows_of(entries["findings.csv"])
    for framework, folder in (("soc2", "SOC 2"), ("gdpr", "GDPR"), ("iso27001", "ISO 27001")):
        index = rows_of(entries[f"by-control/{folder}/index.csv"])
        assert {row["table"] for row in index if row["table"]} == {
            name.removeprefix(f"by-control/{folder}/") for name in entries if name.startswith(f"by-control/{folder}/") and not name.endswith("index.csv")
        }
        assert {(row["criterion"], row["control"]) for row in index} == {
            (ref, control) for control, refs in rejudge.criteria(framework).items() for ref in refs
        }, "also where nothing was found"
        for row in index:
            of = [finding for finding in findings if finding["control"] == row["control"]]
            assert row["why"] and (int(row["resources"]), bool(row["table"])) == (len({one["resource"] for one in of}), bool(of))
            for status in ("satisfied", "not-satisfied", "unknown", "not-applicable", "provider-attested"):
                assert int(row[status]) == sum(one["status"] == status for one in of), row


def test_one_resource(store, tmp_path):
    whole = built(store, tmp_path, hours(12, 36))
    one = built(store, tmp_path, hours(12, 36), resources=[Account("one").id.upper()])
    assert len(one) < len(whole)
    manifest = manifest_of(one)
    assert manifest.resources == (Account("one").id.lower(),) and len(manifest.ranges) > 8
    found = verdict(one)
    assert found.exit_code == 0
    assert any("other resources" in line for line in found.not_checked)
    lines = [line for name, entry in apart(one).items() if name.startswith("records/") for line in entry.splitlines()]
    units = {json.loads(line).get("unit") for line in lines}
    assert len([unit for unit in units if unit and unit.startswith("account-")]) == 1


@pytest.mark.parametrize(
    "resources",
    [
        [Account("two", "AIServices").id],
        [f"{Account('two').id}/deployments/d0"],
        ["/subscriptions/00000000-1111-2222-3333-444444444444"],
        ["/subscriptions/00000000-1111-2222-3333-444444444444/resourceGroups/rg-ai/"],
        [Account("one").id, Account("two").id],
    ],
)
def test_scopes_of_every_level_verify(store, tmp_path, resources):
    assert verdict(built(store, tmp_path, hours(0, 30), resources=resources)).exit_code in (0, 3)
    assert verdict(built(store, tmp_path, hours(6, 30), resources=resources)).intact


def test_a_framework_narrows_the_table_and_not_the_records(store, tmp_path, monkeypatch):
    supporting = {control: refs for control, refs in rejudge.criteria("gdpr").items() if control != "content-logging-off"}
    monkeypatch.setattr(rejudge, "criteria", lambda framework: supporting)
    everything = built(store, tmp_path, hours(12, 18))
    gdpr = built(store, tmp_path, hours(12, 18), framework="gdpr")
    rows = {name: list(csv.DictReader(io.StringIO(apart(data)["findings.csv"].decode()))) for name, data in (("all", everything), ("gdpr", gdpr))}
    assert 0 < len(rows["gdpr"]) < len(rows["all"])
    assert all(row["criteria"] for row in rows["gdpr"]) and not any(row["criteria"] for row in rows["all"])
    assert manifest_of(everything).ranges == manifest_of(gdpr).ranges
    assert verdict(gdpr).exit_code == 0


def test_the_table_has_every_finding_with_its_record(store, tmp_path):
    data = built(store, tmp_path, hours(6, 12))
    rows = list(csv.DictReader(io.StringIO(apart(data)["findings.csv"].decode())))
    log = open_log(store)
    for row in rows[::17]:
        record = next(value for _, value in log.records(int(row["record"]), int(row["record"]) + 1))
        assert (record["control"], record["status"], record["reason"]) == (row["control"], row["status"], row["reason"])


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx", "\nx"])
def test_no_cell_is_a_formula(text):
    assert cell(text) == f"'{text}"
    assert cell("a" + text) == "a" + text


def test_the_readme_says_what_to_do(store, tmp_path):
    text = apart(built(store, tmp_path, hours(6, 12)))["README.txt"].decode()
    for words in (
        "aoai-evidence verify FILE.zip --key VKEY", "az cognitiveservices account show", "JSON View", "ContentLogging", "provider-attested",
        "2026-11-01T06:00:00.000000Z", "example.org/evidence", "exit code 3",
    ):  # fmt: skip
        assert words in text, words
    assert text.isascii() and max(map(len, text.splitlines())) <= 100


def test_a_checkpoint_held_by_the_auditor(store, tmp_path):
    sizes = sorted(int(path.name) for path in (store.root / layout.CHECKPOINTS).iterdir())
    for size in sizes:
        held = store.get(layout.checkpoint(size))
        data = built(store, tmp_path, hours(24, 30), since=held)
        found = verdict(data, held=held)
        assert found.exit_code == 0 and any("extends the checkpoint held" in line for line in found.checked)
    without = verdict(built(store, tmp_path, hours(30, 36)), held=store.get(layout.checkpoint(sizes[2])))
    assert without.exit_code == 0 and any("bundle --since CHECKPOINT" in line for line in without.not_checked)


def test_disclosures_are_those_of_the_bodies_and_no_others(tmp_path):
    salt = bytes(32)
    commitment, withheld = commitment_of(salt, "alice@example.com"), commitment_of(salt, "bob@example.com")

    class Named(Account):
        def body(self):
            named = super().body()
            named["systemData"]["createdBy"] = {"committed": commitment}
            named["systemData"]["lastModifiedBy"] = {"committed": withheld}
            return named

    made = DirectoryStore(tmp_path / "log")
    maker = LogMaker(made)
    maker.keep = lambda value, keep=maker.keep: keep_compact(made, value)
    maker.birth()
    maker.sweep([Named("one")], slot=hours(6, 6)[0])
    salts = {commitment: {"salt": base64.b64encode(salt).decode(), "value": "alice@example.com"}}
    data = built(made, tmp_path, hours(6, 12), disclose=salts.get)
    assert json.loads(apart(data)["disclosures.json"]) == salts
    found = verdict(data)
    assert found.intact and found.counts["disclosures"] == 1
    entries = apart(data)
    entries["disclosures.json"] = entries["disclosures.json"].replace(b"alice", b"carol")
    assert any("not what was committed to" in problem.reason for problem in verdict(together(entries)).problems)


def keep_compact(store, value):
    data = canonical(value)
    return {"sha256": put_body(store, data), "bytes": len(data)}


# -- the zip --------------------------------------------------------------------------------------------------------------


def test_any_zip_program_reads_it(store, tmp_path):
    data = built(store, tmp_path, hours(6, 12))
    with ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        assert bundle.namelist() == sorted(bundle.namelist())
        assert {info.date_time for info in bundle.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    if shutil.which("unzip"):
        assert subprocess.run(["unzip", "-tq", tmp_path / "bundle.zip"], capture_output=True, check=False).returncode == 0


def test_zip64_fields_appear_where_they_are_needed(monkeypatch):
    entries = {"README.txt": b"a" * 1000, "checkpoint": os.urandom(500), "records/00000000000000000000.jsonl": b"b" * 70}
    monkeypatch.setattr(zipform, "WIDE", 100)
    monkeypatch.setattr(zipform, "_LIMIT_16", 2)
    data = zipped(entries)
    monkeypatch.undo()
    with ZipFile(io.BytesIO(data)) as bundle:
        assert bundle.testzip() is None
        assert [info.extract_version for info in bundle.infolist()] == [45, 45, 20]


# -- what cannot be built -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("period", "options", "words"),
    [
        (hours(6, 6), {}, "exchange --from and --to"),
        (hours(12, 6), {}, "exchange --from and --to"),
        (hours(100, 200), {}, "no sweep lies between .*there are sweeps from 2026-11-01T06.* to 2026-11-02T06"),
        (hours(-50, -20), {}, "no sweep lies between"),
        (hours(0, 24), {"resources": ["/subscriptions/x"]}, "was in no sweep of the period"),
        (hours(0, 24), {"framework": "pci"}, "soc2, gdpr, iso27001"),
        (hours(0, 24), {"since": b"nonsense"}, "--since: "),
    ],
)
def test_misuse_is_one_line(store, tmp_path, period, options, words):
    with pytest.raises(Misuse, match=words) as error:
        build(store, tmp_path / "b.zip", period=period, **options)
    assert "\n" not in str(error.value)
    assert list(tmp_path.iterdir()) == []


def test_a_checkpoint_of_another_log_is_refused(store, tmp_path):
    other = DirectoryStore(tmp_path / "other")
    small_log(other, sweeps=6, signer=OTHER)
    later = other.get(layout.checkpoint(open_log(other).size))
    with pytest.raises(Misuse, match="--since: that checkpoint is of the log"):
        build(store, tmp_path / "b.zip", period=hours(0, 24), since=later)


def test_nothing_half_written(store, tmp_path, monkeypatch):
    with pytest.raises(Misuse, match="cannot write"):
        build(store, tmp_path, period=hours(0, 24))
    out = tmp_path / "b.zip"
    out.write_bytes(b"the one of last time")
    copy = tmp_path / "copy"
    shutil.copytree(store.root, copy)
    body = next(path for path in (copy / "evidence/body").rglob("*") if path.is_file())
    body.unlink()
    with pytest.raises(StoreConflict, match="verify --store"):
        build(DirectoryStore(copy), out, period=hours(0, 24))
    monkeypatch.setattr("shared.deliver.whole_file.os.fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(Misuse, match="No space left on device; name another file"):
        build(store, out, period=hours(0, 24))
    assert out.read_bytes() == b"the one of last time"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.zip", "copy"]


def test_an_empty_log_and_one_that_is_not_signed_yet(tmp_path):
    made = DirectoryStore(tmp_path / "log")
    maker = LogMaker(made).birth()
    with pytest.raises(Misuse, match="there are none at all yet"):
        build(made, tmp_path / "b.zip", period=hours(0, 24))
    maker.sweep([Account("one")], slot=hours(6, 6)[0])
    maker.sweep([Account("one")], slot=hours(12, 12)[0])
    (made.root / layout.checkpoint(open_log(made).size)).unlink()
    data = built(made, tmp_path, hours(0, 30))
    found = verdict(data)
    assert found.intact and [gap.what for gap in found.gaps] == ["sweep", "slot"]


def test_sweeps_that_overlap(tmp_path):
    """A sweep that is still open while the next one is planned: its records stand among those of the other."""
    made = DirectoryStore(tmp_path / "log")
    maker = LogMaker(made, schedule=None).birth()
    first = maker.sweep([Account("one")], close=False)
    maker.sweep([Account("two")])
    records = maker.taken(first)
    maker.close(first, records, [])
    maker.sweep([Account("one")])
    assert verify_store(made, KEYS).exit_code == 0
    found = verdict(built(made, tmp_path, hours(0, 48)))
    assert found.exit_code == 0, found.problems


def test_runs_are_joined():
    assert list(merged([(5, 2), (0, 3), (3, 1), (7, 0), (6, 4)])) == [(0, 4), (5, 5)]


def test_manifests_that_are_none():
    for data in (b"", b"{}", b"[]", b'{"kind":"aoai-evidence-bundle","v":1}', b"\xff", b"[" * 100_000):
        with pytest.raises(VerificationError):
            parse_manifest(data)
    with pytest.raises(VerificationError, match="another kind of file"):
        parse_manifest(b'{"kind":"x"}')
    with pytest.raises(VerificationError, match="later release"):
        parse_manifest(b'{"kind":"aoai-evidence-bundle","v":5}')
