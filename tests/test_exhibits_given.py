"""Exhibits as others are given them: in the period view, the report, the statements and bundles; a file that was swapped is found by all who verify."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest

from shared.deliver.bundle import verify_alone as alone
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.records import timestamp
from shared.seal import note
from shared.service import exhibit, queries
from shared.service.bundle import bundle
from shared.service.period import period
from shared.service.queries import Filter
from shared.service.report import report
from shared.service.statements import filed_in, responsibilities
from tests.fixtures import browser as chromium
from tests.fixtures.bundles import apart, together
from tests.fixtures.exhibits import REPORT, WHO, add, again, site, sound
from tests.test_bundle_page import answered

__all__ = ["site"]


# -- said of a period, and of statements ------------------------------------------------------------------------------------------


def statement(found, name):
    return next(row["documented"] for row in found["statements"] if row["statement"] == name)


def test_a_period_says_how_much_of_it_documents_cover_and_where_none_does(site):
    for _ in range(3):
        again(site, hours=24)  # 2026-11-04
    when = queries.Period(datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 4, 0, 0, 30, tzinfo=UTC))

    def seen():
        return period(site.reading(), when, Filter(), site.clock())

    before = statement(seen(), "S13")
    assert before["exhibits"] == [] and before["covered"] == before["relied_on"] == "0.00" and statement(seen(), "S08") is None
    assert "no exhibit that was filed speaks to it" in next(c["sentence"] for c in seen()["controls"] if c["control"] == "attested-isolation")
    add(site, covers="2025-11-01..2026-11-01", expires="2026-11-02")
    add(site, covers="2026-11-03..2026-11-03", expires="2026-12-31")
    add(site, "product-terms", covers="2020-01-01..2020-12-31", expires=None)
    add(site, covers="2026-01-01..2026-11-03", issuer="withdrawn since")
    exhibit.withdraw(site.settings, 4, now=site.clock, **WHO)
    found, of = seen(), statement(seen(), "S13")
    assert [(row["exhibit"], bool(row["withdrawn"])) for row in found["exhibits"]] == [(1, False), (2, False), (4, True)]
    assert of["exhibits"] == [1, 2] and of["covered"] == "66.65", "two days of three and half a minute"
    assert of["relied_on"] == "100.00"
    assert of["longest_uncovered"]["from"] == "2026-11-02T00:00:00.000000Z" and of["longest_uncovered"]["seconds"] == 86_400
    assert "what speaks to it is exhibit 1" in next(c["sentence"] for c in found["controls"] if c["control"] == "attested-isolation")
    assert statement(found, "S32")["exhibits"] == []


def test_the_period_of_a_bundle_is_the_same_and_is_computed_again(site, tmp_path, monkeypatch):
    add(site)
    again(site)
    again(site)
    when = day_of(site, 1)
    add(site, "product-terms", covers="2026-01-01..2026-12-31")
    path = bundled(site, tmp_path, when)
    assert both(site, path)[0] == []
    inside = json.loads(apart(path.read_bytes())["period.json"])
    assert inside["exhibits"] == period(site.reading(), when, Filter(), site.clock())["exhibits"] and len(inside["exhibits"]) == 2
    assert inside["statements"] == period(site.reading(), when, Filter(), site.clock())["statements"]


def test_the_report_shows_what_was_filed_and_is_not_moved_by_names(site, tmp_path):
    add(site, keep=True, issuer="<script>alert(1)</script> & Co")
    again(site)
    report(site.reading(), None, tmp_path / "r.html", site.clock())
    text = (tmp_path / "r.html").read_text("utf-8")
    section = text[text.index('<div class="exhibits">') :]
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; Co" in section and "<script>alert" not in text
    assert hashlib.sha256(REPORT).hexdigest() in section and "exhibits/000001-soc2.pdf" in section
    assert "30 Sep 2026; relied on until 31 Dec 2026" in section and "relied on for 100.00 %" in section
    assert "a record of another sweep" not in text


def test_statements_say_what_is_on_file(site):
    add(site)
    add(site, "product-terms", covers="2020-01-01..2020-12-31", expires=None)
    filed = filed_in(site.settings)
    rows = {row["id"]: row["provider"]["on_file"] for row in responsibilities(None, filed, timestamp(site.clock()))["statements"]}
    assert [one["exhibit"] for one in rows["S13"]] == [1] and rows["S28"] == []
    assert filed_in(replace(site.settings, store=str(site.root / "nowhere"))) is None
    assert {row["provider"]["on_file"] for row in responsibilities("provider")["statements"]} == {None}


# -- bundles ----------------------------------------------------------------------------------------------------------------------


def bundled(site, tmp_path, when=None, **wanted):
    out = tmp_path / "b.zip"
    bundle(site.reading(), when, out, **wanted)
    return out


def both(site, path):
    """What `verify` and verify.py say: their problems."""
    ours = verify_bundle(path, [note.parse_vkey(site.vkey)])
    report = alone.Report()
    source = alone.Zip(str(path), report)
    alone.verify(source, [alone.Key(site.vkey)], None, report)
    source.close()
    assert bool(ours.problems) == bool(report.problems), (ours.problems, report.problems)
    return [problem.reason for problem in ours.problems], report


def day_of(site, number):
    swept = site.reading().sweeps[number]
    at = datetime.fromisoformat(swept["slot"] or swept["planned_at"])
    return queries.Period(at, at + timedelta(seconds=1))


@pytest.mark.parametrize("resources", [(), ("alpha",)])
def test_a_bundle_brings_what_was_filed_and_the_files_of_its_period(site, tmp_path, resources):
    add(site, keep=True)
    add(site, "product-terms", covers="2020-01-01..2021-01-01", expires=None, keep=True)
    again(site)
    again(site)
    late = tmp_path / "late letter.txt"
    late.write_bytes(b"bridge")
    add(site, file=late, covers="2026-10-01..2026-10-31", expires="2026-12-31", keep=True)
    path = bundled(site, tmp_path, day_of(site, 1), resources=resources)
    problems, report = both(site, path)
    assert problems == []
    with ZipFile(path) as file:
        assert file.read("exhibits/000001-soc2.pdf") == REPORT and file.read("exhibits/000003-late-letter.txt") == b"bridge"
        names = file.namelist()
        assert [name for name in names if name.startswith("exhibits/")] == ["exhibits/000001-soc2.pdf", "exhibits/000003-late-letter.txt"]
        assert json.loads(file.read("manifest.json"))["v"] == 4 and b"exhibits/NUMBER-NAME" in file.read("README.txt")
        assert f"body/sha256/{hashlib.sha256(REPORT).hexdigest()}" not in names
        records = [json.loads(line) for name in names if name.startswith("records/") for line in file.read(name).splitlines()]
    assert sorted(record["exhibit"]["number"] for record in records if record["type"] == "exhibit") == [1, 2, 3], "all acts, whenever they were made"
    assert any("each file of an exhibit (2)" in line for line in report.checked)
    assert any("genuine" in line for line in report.unchecked)


def test_a_digest_alone_keeps_the_file_out_and_is_said_not_to_be_compared(site, tmp_path):
    add(site)
    again(site)
    assert not any(site.store.get(path) == REPORT for path in site.store.list("evidence/body/"))
    path = bundled(site, tmp_path)
    problems, report = both(site, path)
    assert problems == []
    assert any(hashlib.sha256(REPORT).hexdigest() in line for line in report.unchecked)
    with ZipFile(path) as file:
        assert json.loads(file.read("manifest.json"))["v"] == 3


def test_a_file_that_was_swapped_left_out_or_slipped_in_is_found(site, tmp_path):
    add(site, keep=True)
    again(site)
    files = apart(bundled(site, tmp_path).read_bytes())
    name = "exhibits/000001-soc2.pdf"
    cases = {
        "not the one that was filed": {**files, name: b"%PDF-1.7 a nicer report"},
        "is not in the bundle": {each: data for each, data in files.items() if each != name},
        "accounts for the file": {**files, "exhibits/000002-more.pdf": b"more"},
    }
    for hint, changed in cases.items():
        path = tmp_path / "bad.zip"
        path.write_bytes(together(changed, v=4 if any(each.startswith("exhibits/") for each in changed) else 3))
        problems, report = both(site, path)
        assert any(hint in problem for problem in problems), (hint, problems)
        assert any(hint in problem for problem in report.problems), (hint, report.problems)


def test_an_act_that_was_left_out_is_missed(site, tmp_path):
    """Without the key records cannot be altered; but a bundle's ranges can be cut, and its manifest written anew."""
    add(site, "product-terms", covers="2026-01-01..2026-12-31")
    for _ in range(2):
        again(site)
    exhibit.withdraw(site.settings, 1, now=site.clock, **WHO)
    for _ in range(2):
        again(site)
    files = apart(bundled(site, tmp_path, day_of(site, 4)).read_bytes())
    ranges = json.loads(files["manifest.json"])["ranges"]
    acts = [index for index, _ in site.records("exhibit")]
    assert [[index, 1] in ranges for index in acts] == [True, True]
    for gone, hint in ((acts[:1], "1 about an exhibit"), (acts[1:], "finding"), (acts, "")):
        cut = {name: data for name, data in files.items() if name not in {f"records/{index:020d}.jsonl" for index in gone}}
        path = tmp_path / "cut.zip"
        path.write_bytes(together(cut, ranges=[each for each in ranges if each[0] not in gone]))
        found = verify_bundle(path, [note.parse_vkey(site.vkey)]).problems
        if hint:
            assert any(hint in f"{problem.what}: {problem.reason}" for problem in found), (gone, found)
    report = alone.Report()
    cut = {name: data for name, data in files.items() if name != f"records/{acts[0]:020d}.jsonl"}
    path.write_bytes(together(cut, ranges=[each for each in ranges if each[0] != acts[0]]))
    source = alone.Zip(str(path), report)
    alone.verify(source, [alone.Key(site.vkey)], None, report)
    source.close()
    assert any("an act about an exhibit is not here" in problem for problem in report.problems)


def test_the_page_in_a_browser_finds_a_swapped_file_too(site, tmp_path):
    add(site, keep=True)
    add(site, "product-terms", covers="2026-01-01..2026-12-31")
    again(site)
    good = bundled(site, tmp_path)
    files = apart(good.read_bytes())
    (tmp_path / "bad.zip").write_bytes(together({**files, "exhibits/000001-soc2.pdf": b"another"}))
    (tmp_path / "index.html").write_bytes(files["index.html"])
    with chromium.running() as browser:
        browser.open(tmp_path / "index.html")
        browser.put("#zip", good)
        kind, _, text = answered(browser, site.vkey)
        assert kind in ("good", "gap") and "1 file of exhibits has the digest" in text and "exhibit 2 against its file" in text and "genuine" in text
        browser.put("#zip", tmp_path / "bad.zip")
        kind, _, text = answered(browser, site.vkey)
        assert kind == "bad" and "not the one that was filed as exhibit 1" in text
        assert browser.complaints == []


def test_the_store_is_not_sound_without_a_file_that_it_keeps(site):
    add(site, keep=True)
    again(site)
    sound(site)
    digest = hashlib.sha256(REPORT).hexdigest()
    place = site.root / f"evidence/body/sha256/{digest[:2]}/{digest}"
    place.write_bytes(REPORT + b"!")
    assert any("not what its name says" in problem.reason for problem in verify_store(site.store, [note.parse_vkey(site.vkey)]).problems)
    place.unlink()
    assert any("missing or altered" in problem.reason for problem in verify_store(site.store, [note.parse_vkey(site.vkey)]).problems)
