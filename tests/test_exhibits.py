"""Exhibits: filed once, in force as long as they say, judged by what was on file, given with bundles, and refused where they cannot be."""

import hashlib
import io
import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from shared.deliver.bundle import verify_alone as alone
from shared.deliver.shapes import RecordError, check_fields
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse, StoreConflict
from shared.judge.catalogue import catalogue
from shared.judge.catalogue.exhibits import exhibit_kinds
from shared.judge.checks.collection import Collection
from shared.judge.checks.exhibits import on_file
from shared.judge.engine import judge_acts
from shared.judge.exhibits import Exhibit
from shared.judge.profile import DEFAULT, effective
from shared.model import Point
from shared.privacy.disclosures import Disclosures
from shared.records import record, timestamp
from shared.seal.store import DirectoryStore
from shared.service import acts, erase, exhibit
from shared.service.compose import random_bytes
from tests.fixtures.bundles import built
from tests.fixtures.commandline import office
from tests.fixtures.exhibits import REPORT, WHO, add, again, judged, sealed, site, sound
from tests.fixtures.faulty import killed_at_each_write
from tests.fixtures.records import SIGNER, START, Account, LogMaker

__all__ = ["site"]


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
    for number in killed_at_each_write(monkeypatch, exhibit, site.store, lambda n: add(site, title=f"title {n}", keep=True), after=when == "after"):
        title = f"title {number}"
        assert add(site, title=title, keep=True).record is not None
        assert [said.get("title") for said in sealed(site)].count(title) == 1
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


def test_an_act_that_is_none_is_one_line_and_no_traceback(site):
    add(site)
    path = site.root / "evidence/batch/exhibit-000001/exhibit.jsonl"
    for broken in ('"statements":[["S13"]]', '"statements":7'):
        whole = path.read_text()
        path.write_text(re.sub(r'"statements":\[[^]]*\]', broken, whole))
        with pytest.raises(StoreConflict, match="run verify --store"):
            exhibit.exhibits(site.reading(), timestamp(site.clock()), over=True)
        path.write_text(whole)


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


@pytest.mark.parametrize("said", [
    None, 7, [], {"action": "withdraw", "number": 1, "exhibit": 9, "owner": "x", "reason": "y", "file": "x"}, {**GOOD, "number": 0}, {**GOOD, "number": 2**62},
    {**GOOD, "covers": {"from": "2027-01-01T00:00:00.000000Z", "to": "2020-01-01T00:00:00.000000Z"}}, {**GOOD, "file": {**GOOD["file"], "kept": True}},
    {**GOOD, "covers": {"from": "1", "to": None}, "expires": "3"}, {**GOOD, "statements": [["S13"]], "expires": "2027-01-01T00:00:00.000000Z"},
    {**GOOD, "expires": 7}, {**GOOD, "issuer": None},
    {**GOOD, "kind": "\u202e", "title": "%d%s{0}", "statements": ["S13"] * 3, "expires": "2027-01-01T00:00:00.000000Z"},
])  # fmt: skip
def test_whatever_is_filed_by_a_log_that_lies_is_a_problem_and_never_a_crash(tmp_path, said):
    store = DirectoryStore(tmp_path / "log")
    maker = LogMaker(store, SIGNER).birth()
    maker.put("exhibit-000001", "exhibit", [record("exhibit", maker.stamp(), sweep=None, kind="exhibit", exhibit=said)])
    maker.seal("exhibit-000001")
    maker.sweep([Account("one")], slot=START + timedelta(hours=6))
    harmless = isinstance(said, dict) and said.get("action") == "withdraw"
    assert bool(verify_store(store, [SIGNER.key]).problems) != harmless
    data = built(store, tmp_path, (START, START + timedelta(hours=7)), filed=lambda _size: ([1], {}))
    assert bool(verify_bundle(io.BytesIO(data), [SIGNER.key]).problems) != harmless
    report = alone.Report()
    source = alone.Zip(str(tmp_path / "bundle.zip"), report)
    alone.verify(source, [alone.Key(str(SIGNER.key))], None, report)
    source.close()
    assert not (report.problems and harmless)


def test_the_page_that_the_catalogue_was_made_from_is_known_by_its_digest(site):
    add(site, "provider-page", covers="2026-01-01..2026-12-31", expires=None)
    again(site)
    assert "another file than the one that the catalogue was made from" in judged(site, "exhibit-provider-page")[1]
    kind = next(kind for kind in exhibit_kinds() if kind.kind == "provider-page")
    same = Exhibit(1, 5, "", kind.kind, "t", "i", "2026-01-01", None, "2027-01-01", (), "n", 1, catalogue().seed.sha256, False, "o", "r")
    one, = on_file(kind)(Collection(7, "2026-02-01", exhibits=(same,)), effective(DEFAULT, None))
    assert one.status == "satisfied" and "the edition that the catalogue was made from." in one.reason
    nobody, = (judgement for control, judgement in judge_acts(None, None, Point(7), "2026-02-01", DEFAULT) if control == "exhibit-soc-report")
    assert nobody.status == "unknown", "what could not be read is not said to be missing"


def test_every_statement_that_waits_for_the_provider_has_a_kind_that_speaks_to_it():
    spoken = {statement for kind in exhibit_kinds() for statement in kind.statements}
    known = catalogue()
    waiting = {statement for control in known.of_scope("provider") for statement in control.statements}
    waiting |= {statement.id for statement in known.statements if statement.provider_exhibit}
    assert waiting <= spoken
    assert {kind.control for kind in exhibit_kinds()} - {None} <= {control.id for control in known.of_scope("sweep")}
    assert spoken <= {statement.id for statement in known.statements}


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
