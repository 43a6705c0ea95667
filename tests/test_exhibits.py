"""Exhibits: filed once, in force as long as they say, judged by what was on file, given with bundles, and refused where they cannot be."""

import hashlib
import json
import os
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest

from shared.deliver.bundle import verify_alone as alone
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.records import RecordError, check_fields
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.judge.catalogue.exhibits import exhibit_kinds
from shared.privacy.disclosures import Disclosures
from shared.records import timestamp
from shared.seal import note
from shared.service import acts, erase, exhibit, queries
from shared.service.bundle import bundle
from shared.service.compose import random_bytes
from shared.service.exhibit import Asked
from shared.service.queries import Filter
from tests.fixtures import browser as chromium
from tests.fixtures.bundles import apart, together
from tests.fixtures.commandline import office
from tests.fixtures.estate import estate
from tests.fixtures.faulty import DyingStore, Killed
from tests.test_bundle_page import answered
from tests.test_crash import small

WHO = {"owner": "Head of Compliance", "reason": "vendor review"}
REPORT = b"%PDF-1.7 an auditor's report"
CONTROL = "exhibit-soc-report"


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        (tmp_path / "soc2.pdf").write_bytes(REPORT)
        made.file = tmp_path / "soc2.pdf"
        made.collect()
        yield made


def add(site, kind="soc-report", file=None, covers="2025-10-01..2026-09-30", expires="2026-12-31", who=None, **more):
    asked = Asked(file or site.file, more.pop("issuer", "Example Auditors LLP"), covers, expires, **more)
    return exhibit.add(site.settings, kind, asked, now=site.clock, **(who or WHO))


def judged(site, control=CONTROL):
    """Status and sentence of the last sweep."""
    one, = queries.findings(site.reading(), None, Filter(control=control), site.clock)
    return one["status"], one["reason"], one["records"]


def again(site, hours=6):
    site.clock.advance(hours=hours)
    site.collect()


def sealed(site):
    return [record["exhibit"] for _, record in site.records("exhibit")]


def sound(site):
    said = verify_store(site.store, [note.parse_vkey(site.vkey)])
    assert said.problems == () and said.intact
    return said


def test_what_nobody_filed_is_a_finding_and_what_was_filed_is_none_from_the_next_sweep_on(site):
    assert judged(site)[0] == "not-satisfied" and "No exhibit of this kind is on file" in judged(site)[1]
    done = add(site)
    assert judged(site)[0] == "not-satisfied", "what was judged stays judged"
    again(site)
    status, reason, records = judged(site)
    assert status == "satisfied" and done.record in records
    assert "Exhibit 1 (SOC 2 Type II report on the provider, by Example Auditors LLP, covers 2025-10-01 to 2026-09-30)" in reason
    assert "until 2026-12-31" in reason
    assert judged(site, "exhibit-product-terms")[0] == "not-satisfied"
    sound(site)


def test_what_only_the_provider_can_observe_says_what_speaks_to_it_and_stays_attested(site):
    add(site)
    add(site, "other", covers="2026-01-01..", statements=("S36",), title="the page, saved")
    again(site)
    for control, named in (("attested-isolation", ["exhibit 1"]), ("attested-statement-versions", ["exhibit 2"]), ("attested-openai", [])):
        status, reason, _ = judged(site, control)
        assert status == "provider-attested"
        assert [word for word in ("exhibit 1", "exhibit 2") if f"{word} (" in reason] == named
        assert ("None in force is on file" in reason) == (not named)
    sound(site)


def test_expired_yesterday_is_not_satisfied_and_the_last_day_is_whole(site):
    add(site, expires="2026-11-02")
    site.clock.advance(hours=47)  # 2026-11-02T23:00:30Z
    site.collect()
    assert judged(site)[0] == "satisfied"
    again(site, hours=1)
    status, reason, _ = judged(site)
    assert status == "not-satisfied" and "until 2026-11-02 only, which is past" in reason
    assert "None in force is on file" in judged(site, "attested-isolation")[1]
    sound(site)


def test_without_an_expiry_nothing_is_added_to_what_it_covers(site):
    add(site, expires=None)
    again(site)
    assert judged(site)[0] == "not-satisfied" and "until 2026-09-30 only" in judged(site)[1]


def test_of_two_of_a_kind_the_one_that_lasts_counts_and_withdrawn_it_does_not(site):
    add(site, expires="2026-11-30")
    add(site, covers="2025-10-01..2026-10-31", expires="2027-01-31", issuer="Others")
    again(site)
    assert "Exhibit 2" in judged(site)[1]
    done = exhibit.withdraw(site.settings, 2, now=site.clock, **WHO)
    assert done.as_json(timestamp(site.clock()))["state"] == "withdrawn"
    exhibit.withdraw(site.settings, 2, now=site.clock, **WHO)
    assert [said["number"] for said in sealed(site)] == [1, 2, 3]
    again(site)
    assert judged(site)[0] == "satisfied" and "Exhibit 1" in judged(site)[1]
    exhibit.withdraw(site.settings, 1, now=site.clock, **WHO)
    again(site)
    assert judged(site)[0] == "not-satisfied" and "No exhibit of this kind" in judged(site)[1]
    sound(site)


def test_where_the_profile_wants_none_nothing_is_missing(site, tmp_path):
    (tmp_path / "profile.toml").write_text('[exhibits]\nwanted = ["product-terms"]\n')
    site.collect(settings={"profile": str(tmp_path / "profile.toml")})
    assert judged(site)[0] == "not-applicable"
    assert judged(site, "exhibit-product-terms")[0] == "not-satisfied" and "expected by the profile" in judged(site, "exhibit-product-terms")[1]
    sound(site)


def test_the_same_again_adds_nothing_even_when_who_filed_it_was_erased(site):
    first, second = add(site), add(site)
    assert second == first and len(sealed(site)) == 1
    committed = sealed(site)[0]["owner"]["committed"]
    assert Disclosures(site.store, random_bytes).disclose(committed)["value"] == WHO["owner"]
    assert not any(WHO["owner"].encode() in site.store.get(path) for path in site.store.list("evidence/"))
    assert committed in erase.erase(site.settings, WHO["owner"], now=site.clock)
    assert Disclosures(site.store, random_bytes).disclose(committed) is None
    assert add(site).record == first.record and len(sealed(site)) == 1
    exhibit.withdraw(site.settings, 1, now=site.clock, **WHO)
    assert add(site).exhibit.number == 3, "what was withdrawn can be filed again"
    again(site)
    sound(site)


@pytest.mark.parametrize(("more", "hint"), [
    ({"kind": "soc2-report"}, "did you mean soc-report"), ({"kind": "x"}, "no kind of exhibit"), ({"kind": "S03"}, "several kinds"),
    ({"covers": "2026-12-01.."}, "time to come"), ({"covers": "2026-02-01..2026-01-31"}, "ends before it begins"), ({"covers": "2026"}, "no period"),
    ({"covers": "2025-10-01..2026-11-01"}, "a time that is over"), ({"covers": "2025-10-01.."}, "a time that is over"),
    ({"covers": "..2026-01-01"}, "no period"), ({"covers": "soon..2026-01-01"}, "not a date"), ({"covers": "2026-01-01..9999-12-31"}, "too far"),
    ({"expires": "2027-10-02"}, "366 days"), ({"expires": "2025-09-29"}, "before what it covers"), ({"expires": "never"}, "not a date"),
    ({"kind": "product-terms", "covers": "2026-01-01..", "expires": None}, "names no end"),
    ({"kind": "other"}, "--statements is needed"), ({"statements": ("S37",)}, "did you mean S"), ({"statements": ("x",)}, "S01 to S36"),
    ({"title": " "}, "--title"), ({"title": "a\x1bb"}, "--title"), ({"issuer": "x" * 501}, "--issuer"),
    ({"who": {"owner": " ", "reason": "x"}}, "--owner"), ({"who": {"owner": "x", "reason": ""}}, "--reason"),
])  # fmt: skip
def test_what_cannot_be_filed_is_refused_and_nothing_is_sealed(site, more, hint):
    with pytest.raises(Misuse, match=hint):
        add(site, **more)
    assert sealed(site) == [] and not list(site.store.list("evidence/batch/exhibit-000001/"))


def test_what_is_no_document_is_refused(site, tmp_path, monkeypatch):
    (tmp_path / "empty").touch()
    with pytest.raises(Misuse, match="is empty"):
        add(site, file=tmp_path / "empty")
    with pytest.raises(Misuse, match="cannot read the exhibit"):
        add(site, file=tmp_path)
    monkeypatch.setattr(exhibit, "LARGEST_KEPT", len(REPORT) - 1)
    with pytest.raises(Misuse, match="without --keep-file"):
        add(site, keep=True)
    assert add(site).exhibit.bytes == len(REPORT)
    with pytest.raises(Misuse, match="no exhibit 7"):
        exhibit.withdraw(site.settings, 7, now=site.clock, **WHO)


def test_a_kind_is_named_by_what_wants_just_one(site):
    assert add(site, "attested-approval", covers="2026-01-01..").exhibit.kind == "approval-letter"
    assert add(site, "s36", covers="2026-01-01..").exhibit.kind == "provider-page"


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_write_the_same_command_goes_on(site, monkeypatch, when):
    for number in range(1, 40):
        title, faulty = f"title {number}", DyingStore(site.store, number, after=when == "after")
        monkeypatch.setattr(exhibit, "store_of", lambda settings, faulty=faulty: faulty)
        try:
            add(site, title=title, keep=True)
        except Killed:
            pass
        else:
            break
        monkeypatch.undo()
        assert add(site, title=title, keep=True).record is not None
        assert [said.get("title") for said in sealed(site)].count(title) == 1
    else:
        raise AssertionError("it never ended")
    assert number > 5
    assert [said["number"] for said in sealed(site)] == list(range(1, len(sealed(site)) + 1))
    again(site)
    sound(site)


def test_where_the_acts_are_is_noted_and_a_note_that_lies_is_seen_through(site):
    add(site)
    again(site)
    noted = "state/acts/exhibit.json"
    good = site.store.get(noted)
    assert json.loads(good) == {"1": site.records("exhibit")[0][0]}
    for lie in (b'{"1":0}', b'{"1":99999}', b'{"1":"x"}', b"torn{", b"[]"):
        site.store.put(noted, lie)
        again(site)
        assert judged(site)[0] == "satisfied" and site.store.get(noted) == good
    assert acts.acts_within(site.store, "exhibit", site.records("exhibit")[0][0]) == [], "not yet there"
    sound(site)


GOOD = {
    "action": "add", "number": 1, "kind": "soc-report", "title": "t", "issuer": "i", "covers": {"from": "2025-10-01T00:00:00.000000Z", "to": None},
    "expires": "2026-10-01T00:00:00.000000Z", "statements": ["S01"], "owner": {"committed": "x"}, "reason": "r",
    "file": {"name": "a.pdf", "bytes": 1, "sha256": "0" * 64, "kept": False},
}  # fmt: skip


def test_the_verifier_knows_the_shape():
    check_fields({"type": "exhibit", "exhibit": GOOD})
    check_fields({"type": "exhibit", "exhibit": {"action": "withdraw", "number": 2, "exhibit": 1, "owner": "x", "reason": "y"}})
    file, covers = GOOD["file"], GOOD["covers"]
    names = ("../a", "a/b", "", ".a", "a.", "a b", "é", "a" * 101, None)
    for broken in (
        None, {}, {**GOOD, "action": "withdraw"}, {**GOOD, "number": "1"}, {**GOOD, "covers": {**covers, "from": None}}, {**GOOD, "expires": "soon"},
        {**GOOD, "expires": None}, {**GOOD, "file": {**file, "sha256": "A" * 64}}, {**GOOD, "file": {**file, "kept": 1}}, {**GOOD, "statements": "S01"},
        *({**GOOD, "file": {**file, "name": name}} for name in names),
    ):  # fmt: skip
        with pytest.raises(RecordError):
            check_fields({"type": "exhibit", "exhibit": broken})


def test_every_statement_that_waits_for_the_provider_has_a_kind_that_speaks_to_it():
    spoken = {statement for kind in exhibit_kinds() for statement in kind.statements}
    known = catalogue()
    waiting = {statement for control in known.of_scope("provider") for statement in control.statements}
    waiting |= {statement.id for statement in known.statements if statement.provider_exhibit}
    assert waiting <= spoken
    assert {kind.control for kind in exhibit_kinds()} - {None} <= {control.id for control in known.of_scope("sweep")}
    assert spoken <= {statement.id for statement in known.statements}


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
    assert any("2 files of exhibits" in line for line in report.checked)
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


def test_the_page_in_a_browser_finds_a_swapped_file_too(site, tmp_path):
    if chromium.BINARY is None:
        reason = "no Chromium is here: index.html was NOT tried in a browser"
        pytest.fail(reason) if os.environ.get("CI") == "true" else pytest.skip(reason)
    add(site, keep=True)
    add(site, "product-terms", covers="2026-01-01..2026-12-31")
    again(site)
    good = bundled(site, tmp_path)
    files = apart(good.read_bytes())
    (tmp_path / "bad.zip").write_bytes(together({**files, "exhibits/000001-soc2.pdf": b"another"}))
    (tmp_path / "index.html").write_bytes(files["index.html"])
    browser = chromium.Browser(tmp_path / "profile")
    try:
        browser.open(tmp_path / "index.html")
        browser.put("#zip", good)
        kind, _, text = answered(browser, site.vkey)
        assert kind in ("good", "gap") and "1 file of exhibits has the digest" in text and "exhibit 2 against its file" in text and "genuine" in text
        browser.put("#zip", tmp_path / "bad.zip")
        kind, _, text = answered(browser, site.vkey)
        assert kind == "bad" and "not the one that was filed as exhibit 1" in text
        assert browser.complaints == []
    finally:
        browser.close()


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


def test_on_the_command_line(tmp_path):
    with office(tmp_path / "desk") as desk:
        assert desk("init", "--origin", "example.org/evidence").code == 0
        (desk.folder / "terms.txt").write_text("terms")
        today = datetime.now(UTC).date()
        who = ("--owner", "Head of Compliance", "--reason", "vendor review")
        what = ("--file", "terms.txt", "--issuer", "Provider", "--covers", "2026-01-01..", "--expires", str(today + timedelta(days=90)), *who)
        assert "did you mean product-terms" in desk("exhibit", "add", "product-term", *what).error
        done = desk("exhibit", "add", "product-terms", *what, "--json").json
        assert (done["state"], done["exhibit"], done["file"]["kept"]) == ("in force", 1, False) and isinstance(done["record"], int)
        assert desk("exhibit", "add", "product-terms", *what, "--json").json == done
        assert hashlib.sha256(b"terms").hexdigest() in desk("exhibit", "add", "product-terms", *what).out
        assert "product-terms" in desk("exhibit", "list").out
        assert desk("exhibit", "withdraw", "1", *who).code == 0
        assert "product-terms" not in desk("exhibit", "list").out and "withdrawn" in desk("exhibit", "list", "--all").out
