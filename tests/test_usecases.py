"""The use-cases around a store, in this process: questions, report, export, bundle, verify, doctor, demo."""

import csv
import json
import zipfile
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.local import faults
from infra.local.scenarios import drift
from shared import layout
from shared.collect.endpoints import ENDPOINTS
from shared.deliver.verify.verdict import no_progress
from shared.errors import Misuse
from shared.records import timestamp
from shared.service import accounts, queries, standing
from shared.service.bundle import bundle
from shared.service.demo import demo
from shared.service.doctor import doctor
from shared.service.export import export_csv, harmless
from shared.service.report import report
from shared.service.verify import verify
from tests.fixtures.estate import START, estate

SCHEDULE = {"schedule": "0 0 */6 * * *"}


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Four slots: swept, swept, missed, swept after a drift."""
    with estate(tmp_path_factory.mktemp("site")) as made:
        made.collect(settings=SCHEDULE)
        made.clock.advance(hours=6)
        made.collect(settings=SCHEDULE)
        made.clock.advance(hours=12)
        drift(made.azure.world)
        made.collect(settings=SCHEDULE)
        yield made


def whole(site):
    return queries.period("2026-11-01", "2026-11-02", site.clock())


def test_status_names_the_missed_slot_and_counts_controls(site):
    said = standing.status(site.reading(), site.clock)
    assert said["missed_slots"] == ["2026-11-01T12:00:00.000000Z"]
    assert said["sweeps"] == 3
    assert said["last_sweep"]["units"] == len(queries.last_plan(site.reading())["units"])
    assert said["controls"]["content-logging-off"]["not-satisfied"] >= 1
    assert said["store"]["retention"] == {"policy": "none", "until": None}


def test_findings_are_those_of_the_last_sweep_or_of_a_period(site):
    read = site.reading()
    last = list(queries.findings(read, None, queries.Filter()))
    every = list(queries.findings(read, whole(site), queries.Filter()))
    assert {f["sweep"] for f in last} == {read.sweeps[-1]["sweep"]}
    assert len({f["sweep"] for f in every}) == 3
    one = list(queries.findings(read, None, queries.Filter(resource="bw-claims-sdc", status=("not-satisfied",), framework="soc2")))
    assert one and all("bw-claims-sdc" in f["resource"] and f["status"] == "not-satisfied" for f in one)
    assert all(f["record"] in range(read.log.size) for f in one)


def test_changes_and_resources(site):
    read = site.reading()
    assert list(queries.changes(read, queries.period("2026-11-01", "2026-11-01T07:00:00Z", site.clock()), queries.Filter())) == []
    assert any(change["resource"].endswith("/deployments/claims-burst") for change in queries.changes(read, None, queries.Filter()))
    population = {r["name"]: r for r in accounts.resources(read, queries.Filter())}
    assert population["bw-claims-sdc"]["location"] == "swedencentral"
    assert {d["sku"] for d in population["bw-claims-sdc"]["deployments"]} >= {"GlobalStandard"}


def test_summaries_come_back_from_the_log_alone(site):
    before = site.reading().sweeps
    for path in list(site.store.list(layout.SWEEP_SUMMARIES)):
        site.store.delete(path)
    again = site.reading().sweeps
    assert [(s["sweep"], s["closed_record"], s["complete"], s["changes"]) for s in again] == [
        (s["sweep"], s["closed_record"], s["complete"], s["changes"]) for s in before
    ]


@pytest.mark.parametrize(("start", "end"), [("2026-11-02", "2026-11-01"), ("x", None), (None, "2026-13-01"), ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z")])
def test_a_period_that_is_none_is_said(start, end):
    with pytest.raises(Misuse, match="--from|--to"):
        queries.period(start, end, START)


def test_a_day_as_the_end_means_the_whole_day():
    when = queries.period("2026-11-01", "2026-11-01", START)
    assert (when.start, when.end) == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC))


def test_the_report_shows_the_gap_and_the_drift(site, tmp_path):
    made = report(site.reading(), None, tmp_path / "new" / "r.html", site.clock())
    page = (tmp_path / "new" / "r.html").read_text()
    assert made.bytes == len(page.encode())
    assert ("2026-11-01 12:00" in page and "bw-claims-sdc" in page and site.vkey.replace("+", "&#43;") in page) or site.vkey in page
    with pytest.raises(Misuse, match="no closed sweep"):
        report(site.reading(), queries.period("2020-01-01", "2020-01-02", site.clock()), tmp_path / "none.html", site.clock())
    assert not (tmp_path / "none.html").exists()
    with pytest.raises(Misuse, match="cannot write"):
        report(site.reading(), None, tmp_path, site.clock())


def test_the_table_is_safe_for_spreadsheets(site, tmp_path):
    found = list(queries.findings(site.reading(), None, queries.Filter()))
    found[0] = {**found[0], "reason": "=cmd|' /C calc'!A0"}
    assert export_csv(found, tmp_path / "f.csv") == len(found)
    with (tmp_path / "f.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(found)
    assert rows[0]["reason"].startswith("'=")
    assert [harmless(text) for text in ("+1", "-1", "@x", "\tx", "x", "")] == ["'+1", "'-1", "'@x", "'\tx", "x", ""]


def test_a_slot_that_is_still_to_come_was_not_missed(site, tmp_path):
    """Who asks for a bundle "until today" asks before the day is over; what was missed by now is missed all the same."""
    ahead = queries.period("2026-11-01", "2026-12-31", site.clock())
    now = site.clock() + timedelta(hours=7)
    bundle(site.reading(), ahead, tmp_path / "b.zip", now=lambda: now)
    said = verify(tmp_path / "b.zip", None, [site.vkey], None, no_progress)
    slots = [gap.line() for gap in said.gaps if gap.what == "slot"]
    newest = datetime.fromisoformat(site.reading().sweeps[-1]["slot"])
    assert slots == [f"no sweep was planned for the slot {timestamp(moment)}" for moment in (newest - timedelta(hours=6), newest + timedelta(hours=6)) if moment < now]
    assert len(slots) == 2 and datetime.fromisoformat(said.period[1]) == now


def test_a_bundle_of_everything_and_of_one_account(site, tmp_path):
    everything = bundle(site.reading(), None, tmp_path / "all.zip")
    again = bundle(site.reading(), None, tmp_path / "again.zip")
    assert everything["identity"] == again["identity"]
    assert (tmp_path / "all.zip").read_bytes() == (tmp_path / "again.zip").read_bytes()
    one = bundle(site.reading(), whole(site), tmp_path / "one.zip", resources=["bw-claims-sdc"], framework="gdpr")
    assert one["records"] < everything["records"] / 2
    for name in ("all.zip", "one.zip"):
        said = verify(tmp_path / name, None, [site.vkey], None, no_progress)
        assert said.intact, said.problems
        assert said.exit_code == 3
        assert any("2026-11-01T12:00" in gap.line() for gap in said.gaps)
    with pytest.raises(Misuse, match="no account"):
        bundle(site.reading(), None, tmp_path / "x.zip", resources=["nobody"])
    assert not (tmp_path / "x.zip").exists()


def test_what_may_be_opened_is_opened_and_nothing_else(site, tmp_path):
    closed = bundle(site.reading(), None, tmp_path / "closed.zip")
    assert closed
    with zipfile.ZipFile(tmp_path / "closed.zip") as file:
        assert "disclosures.json" not in file.namelist()
        assert not any(b"@" in file.read(name) for name in file.namelist() if name.startswith(("body/", "records/")))
    bundle(site.reading(), None, tmp_path / "open.zip", disclose=["all"])
    with zipfile.ZipFile(tmp_path / "open.zip") as file:
        opened = file.read("disclosures.json").decode()
    assert "@" in opened
    assert verify(tmp_path / "open.zip", None, [site.vkey], None, no_progress).intact
    somebody = next(word for word in opened.replace('"', " ").split() if "@" in word)
    bundle(site.reading(), None, tmp_path / "some.zip", disclose=[somebody])
    with zipfile.ZipFile(tmp_path / "some.zip") as file:
        assert {value["value"] for value in json.loads(file.read("disclosures.json")).values()} == {somebody} if "disclosures.json" in file.namelist() else True


def test_verify_takes_keys_from_a_file_and_refuses_what_is_none(site, tmp_path):
    keys = tmp_path / "keys"
    keys.write_text(f"# ours\n{site.vkey}\n")
    assert verify(None, site.settings, [str(keys)], None, no_progress).intact
    for bad in ([], ["nonsense+x+y"], [str(tmp_path / "absent")]):
        with pytest.raises(Misuse, match="key"):
            verify(None, site.settings, bad, None, no_progress)
    with pytest.raises(Misuse, match="no file"):
        verify(tmp_path / "absent.zip", None, [site.vkey], None, no_progress)


def test_the_doctor_says_what_is_wrong(site):
    checks = {check.name: check for check in doctor(replace(site.settings, **SCHEDULE), site.clock)}
    assert {name for name, check in checks.items() if check.mark == "failed"} == set()
    assert checks["write-once storage"].mark == "warning"
    site.azure.faults.add("/roleAssignments", faults.forbidden())
    try:
        found = doctor(replace(site.settings, **SCHEDULE), lambda: site.clock() + timedelta(minutes=10))
    finally:
        site.azure.faults.clear()
    failed = {(check.name, check.found.partition(":")[0]) for check in found if check.mark == "failed"}
    assert ("right", "Microsoft.Authorization/roleAssignments/read") in failed
    assert any(name == "clock" for name, _ in failed)
    assert [c.mark for c in doctor(replace(site.settings, store="/nowhere/at/all"), site.clock) if c.name == "store"] == ["failed"]


def actions(checks):
    return {check.found.partition(":")[0] for check in checks if check.name == "right"}


def test_the_doctor_tries_every_question_that_a_sweep_will_ask(site):
    """Each on the first that it can be asked of: an account, one that may have projects, a project."""
    site.azure.faults.add("", faults.forbidden(), skip=1)  # the subscriptions are listed
    try:
        nothing = actions(doctor(site.settings, site.clock))
    finally:
        site.azure.faults.clear()
    site.azure.faults.add("/accounts/", faults.forbidden())
    try:
        no_account = actions(doctor(site.settings, site.clock))
    finally:
        site.azure.faults.clear()
    site.azure.faults.add("/projects/", faults.forbidden())
    try:
        no_project = actions(doctor(site.settings, site.clock))
    finally:
        site.azure.faults.clear()
    by_scope = {scope: {e.action for e in ENDPOINTS if e.scope == scope} for scope in ("plan", "subscription", "account", "project")}
    assert nothing == by_scope["plan"] | by_scope["subscription"]
    assert no_account >= by_scope["account"]
    assert no_project == by_scope["project"]
    (said,) = [check.found for check in doctor(site.settings, site.clock) if check.name == "rights"]
    assert said == "every question that was tried is answered"


def only_openai(body):
    body["value"] = [item for item in body["value"] if item["kind"] == "OpenAI"]


def no_account(body):
    body["value"] = []


@pytest.mark.parametrize(("where", "left", "lacking"), [
    ("/accounts?", no_account, "account"), ("/accounts?", only_openai, "account of kind AIServices"), ("/projects?", no_account, "project"),
])  # fmt: skip
def test_the_doctor_says_what_it_had_nothing_to_try_on(site, where, left, lacking):
    site.azure.faults.add(where, faults.edited(left))
    try:
        (said,) = [check.found for check in doctor(site.settings, site.clock) if check.name == "rights"]
    finally:
        site.azure.faults.clear()
    assert said == f"every question that was tried is answered (no {lacking} to try the rest on)"


def test_the_demo_shows_the_whole_job_and_can_be_run_again(tmp_path):
    told = []
    for _ in range(2):
        shown = demo(tmp_path / "demo", told.append)
    assert shown["intact"] and shown["tampering_found"] and shown["gaps"] == 1 + 7 * 14 and shown["changes"] > 5
    assert (tmp_path / "demo" / "report.html").stat().st_size > 100_000
    [command] = [line.partition("verify it")[2].strip() for line in shown["summary"] if "verify it" in line]
    assert command == f"aoai-evidence verify {tmp_path}/demo/bundle.zip --key {tmp_path}/demo/auditor.vkey"
    assert any("ContentLogging is gone (was false)" in line for line in told), "a change is told in the words of who must act"
    (tmp_path / "demo" / "mine.txt").write_text("not ours")
    with pytest.raises(Misuse, match="something else"):
        demo(tmp_path / "demo", told.append)
