"""Approvals of a state in bundles, reports and before verifiers: all are brought, one that is left out is missed, and one that cannot be is found."""

import json
import re
from datetime import UTC, datetime, timedelta
from zipfile import ZipFile

import pytest

from infra.local import faults
from shared import layout
from shared.deliver.bundle import verify_alone as alone
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.records import line, record, timestamp
from shared.seal import note
from shared.service import baseline, queries, state
from shared.service import bundle as bundle_module
from shared.service.bundle import bundle
from shared.service.report import report
from tests.fixtures import browser as chromium
from tests.fixtures.bundles import apart
from tests.fixtures.estate import estate
from tests.test_baselines import ALPHA, approve, sweep, told
from tests.test_bundle_page import answered
from tests.test_crash import small


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        made.collect()
        yield made


def day_of(site, number):
    swept = site.reading().sweeps[number]
    at = datetime.fromisoformat(swept["slot"] or swept["planned_at"])
    return queries.Period(at, at + timedelta(seconds=1))


def every_verifier(site, path):
    """The problems that `verify` and verify.py find."""
    ours = verify_bundle(path, [note.parse_vkey(site.vkey)])
    report = alone.Report()
    source = alone.Zip(str(path), report)
    alone.verify(source, [alone.Key(site.vkey)], None, report)
    source.close()
    assert ours.counts.get("unknown", 0) == 0 == report.counts["not interpreted"]
    return [problem.reason for problem in ours.problems], [str(problem) for problem in report.problems]


@pytest.mark.parametrize("resources", [(), ("alpha",)])
def test_a_bundle_brings_every_approval_and_verifies(site, tmp_path, resources):
    approve(site, "alpha")
    sweep(site)
    sweep(site)
    approve(site)
    sweep(site)
    approve(site, "beta")
    out = tmp_path / "b.zip"
    bundle(site.reading(), day_of(site, 2), out, resources=resources)
    assert every_verifier(site, out) == ([], [])
    assert verify_bundle(out, [note.parse_vkey(site.vkey)]).counts["baselines"] == 3
    with ZipFile(out) as file:
        records = [json.loads(line) for name in file.namelist() if name.startswith("records/") for line in file.read(name).splitlines()]
    assert [record["baseline"]["number"] for record in records if record["type"] == "baseline"] == [1, 2, 3]


def test_an_approval_that_was_left_out_is_missed(site, tmp_path, monkeypatch):
    approve(site, "alpha")
    approve(site)
    sweep(site)
    sweep(site)
    monkeypatch.setattr(bundle_module, "_baselines", lambda read: [index for index, _ in site.records("baseline")][1:])
    out = tmp_path / "b.zip"
    bundle(site.reading(), day_of(site, 2), out)
    ours, theirs = every_verifier(site, out)
    assert any("approval 1 is not here" in problem for problem in ours) and any("is not here" in problem for problem in theirs)
    monkeypatch.undo()
    bundle(site.reading(), day_of(site, 2), tmp_path / "good.zip")
    (tmp_path / "index.html").write_bytes(apart(out.read_bytes())["index.html"])
    with chromium.running() as browser:
        browser.open(tmp_path / "index.html")
        browser.put("#zip", out)
        kind, _, text = answered(browser, site.vkey)
        assert kind == "bad" and "an approval of a baseline is not here" in text
        browser.put("#zip", tmp_path / "good.zip")
        kind, _, text = answered(browser, site.vkey)
        assert kind in ("good", "gap") and "not interpreted" not in text and browser.complaints == []


@pytest.mark.parametrize(("said", "hint"), [
    ({"size": 10_000}, "not all sealed before"), ({"from": 10_000}, "not all sealed before"), ({"size": 150}, "was closed at record"),
    ({"sweep": "20261101T999999Z"}, "was not closed before"), ({"number": 3}, "is not here"), ({"number": 1}, "has the number 1"),
])  # fmt: skip
def test_an_approval_that_cannot_be_is_found(site, monkeypatch, said, hint):
    approve(site)
    monkeypatch.setattr(baseline, "seal_act", lambda ready, kind, value, now, **more: lying(ready, kind, {**value, **said}, now, **more))
    approve(site, reason="another")
    assert any(hint in problem.reason for problem in verify_store(site.store, [note.parse_vkey(site.vkey)]).problems)


def lying(ready, kind, said, now, **more):
    """Seal an act that says what it should not, its number included."""
    value = record("baseline", timestamp(now()), sweep=None, kind=kind, resource=None, baseline={"number": 2, **said})
    ready.store.put_new(layout.act(kind, 2), line(value, lambda body: "") + b"\n")
    state.mark_open(ready.store, layout.act_sweep(kind, 2), ready.sequencer.seq)
    ready.sequencer.seal()
    return 2


def test_a_report_shows_drift_from_what_was_approved_beside_the_changes(site, tmp_path):
    def text(when=None):
        report(site.reading(), when, tmp_path / "r.html", site.clock())
        return " ".join(re.sub(r"<[^>]*>", " ", (tmp_path / "r.html").read_text().partition('id="approved"')[2].partition("</section>")[0]).split())

    assert "No state was approved" in text()
    approve(site)
    assert "4 of 4 resources were as somebody had approved" in text()
    site.azure.world.put_deployment(site.azure.world.account("alpha"), "burst", model="gpt-4o", sku="GlobalStandard")
    site.azure.faults.add("/beta/deployments", faults.forbidden())
    sweep(site)
    site.clock.advance(hours=1)
    before = site.clock()
    each, = told(site)[ALPHA]["differences"]
    assert "2 of 4 resources were" in text() and "burst" in text() and "could not look: forbidden" in text() and f"{each['approved']} → {each['now']}" in text()
    site.azure.faults.clear()
    sweep(site)
    approve(site)
    assert "4 of 4" in text() and "2 of 4" in text(queries.Period(datetime(2026, 11, 1, tzinfo=UTC), before))
