"""Waivers: sealed once, said beside findings and never instead of them, over when they are over, and refused where they cannot be."""

import json
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.commands.asking import _left
from shared.deliver.shapes import RecordError, check_fields
from shared.deliver.verify.bundle import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse
from shared.judge.waivers import Waiver, lapsed, waiver_of, waivers_of
from shared.privacy.disclosures import Disclosures
from shared.records import timestamp
from shared.seal import note
from shared.service import acts, queries, standing, waiver
from shared.service.bundle import bundle
from shared.service.compose import random_bytes
from shared.service.queries import Filter
from shared.service.report import report
from tests.fixtures.estate import estate
from tests.fixtures.faulty import killed_at_each_write
from tests.test_crash import small

CONTROL = "public-network-access"
WHO = {"owner": "Head of Platform", "reason": "private link is being built"}
SUBSCRIPTION = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        made.collect()
        yield made


def add(site, scope="all", control=CONTROL, days=30, **more):
    until = more.pop("until", (site.clock() + timedelta(days=days)).date().isoformat())
    return waiver.add(site.settings, control, scope, until=until, now=site.clock, **{**WHO, **more})


def found(site, control=CONTROL):
    return list(queries.findings(site.reading(), None, Filter(control=control, status=("not-satisfied",)), site.clock))


def sealed(site):
    return [(index, record) for index, record in site.records("waiver")]


def sound(site):
    said = verify_store(site.store, [note.parse_vkey(site.vkey)])
    assert said.problems == ()
    return said.intact


def test_a_waiver_is_said_beside_findings_and_changes_none(site):
    before = found(site)
    assert len(before) == 2 and all(finding["waived"] is None for finding in before)
    one = before[0]["resource"]
    done = add(site, one)
    after = found(site)
    assert [{**finding, "waived": None} for finding in after] == before
    waived = [finding for finding in after if finding["waived"]]
    assert [finding["resource"] for finding in waived] == [one]
    (index, record), = sealed(site)
    assert waived[0]["waived"]["record"] == index == done.record and record["waiver"]["reason"] == WHO["reason"]
    assert record["resource"] == one
    said = standing.status(site.reading(), site.clock)
    assert said["controls"][CONTROL]["not-satisfied"] == 2 and said["waived"] == {CONTROL: 1}
    assert sound(site)


@pytest.mark.parametrize("scope", ["all", SUBSCRIPTION, f"/subscriptions/{SUBSCRIPTION}", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/"])
def test_what_lies_in_the_scope_is_waived(site, scope):
    add(site, scope)
    assert [bool(finding["waived"]) for finding in found(site)] == [True, True]


def test_when_it_is_over_the_findings_are_as_before_and_it_is_said_to_have_expired(site):
    add(site, days=2)
    assert standing.status(site.reading(), site.clock)["waivers_expired"] == 0
    site.clock.advance(days=3)
    assert [finding["waived"] for finding in found(site)] == [None, None]
    assert standing.status(site.reading(), site.clock)["waivers_expired"] == 2
    shown, = waiver.waivers(site.reading(), timestamp(site.clock()), over=False)
    assert shown["state"] == "expired" and shown["record"] == sealed(site)[0][0]
    done = waiver.end(site.settings, 1, now=site.clock, **WHO)
    assert done.as_json(timestamp(site.clock()))["state"] == "ended"
    assert standing.status(site.reading(), site.clock)["waivers_expired"] == 0, "who ended it has seen to it"
    assert waiver.waivers(site.reading(), timestamp(site.clock()), over=False) == []
    assert len(waiver.waivers(site.reading(), timestamp(site.clock()), over=True)) == 1


def test_in_a_period_what_counts_is_what_was_in_force_when_it_was_found(site):
    site.clock.advance(hours=1)
    add(site)
    site.clock.advance(hours=5)
    site.collect()
    every = queries.period(None, None, site.clock())
    waived = [bool(finding["waived"]) for finding in queries.findings(site.reading(), every, Filter(control=CONTROL), site.clock)]
    assert waived == [False, False, True, True]


def test_in_a_period_neither_a_waiver_nor_its_end_counts_backwards(site):
    first = site.clock()
    site.clock.advance(hours=6)
    site.collect()
    waiver.add(site.settings, CONTROL, "all", until="2026-11-20", now=lambda: first, **WHO)
    site.clock.advance(hours=6)
    site.collect()
    waiver.end(site.settings, 1, now=lambda: first, **WHO)
    site.clock.advance(hours=6)
    site.collect()
    every = queries.period(None, None, site.clock())
    said = [finding["waived"] for finding in queries.findings(site.reading(), every, Filter(control=CONTROL), site.clock)]
    assert [one and one["record"] for one in said] == [None] * 4 + [sealed(site)[0][0]] * 2 + [None] * 2


def test_ended_before_its_time_once(site):
    add(site)
    site.clock.advance(hours=1)
    done = waiver.end(site.settings, 1, now=site.clock, **WHO)
    assert done.as_json(timestamp(site.clock()))["state"] == "ended"
    assert [finding["waived"] for finding in found(site)] == [None, None]
    waiver.end(site.settings, 1, now=site.clock, **WHO)
    assert len(sealed(site)) == 2
    site.clock.advance(days=60)
    assert standing.status(site.reading(), site.clock)["waivers_expired"] == 0, "who ended it decided"
    assert sound(site)


def test_the_same_again_adds_nothing_and_another_does(site):
    first, again = add(site), add(site)
    assert again == first and len(sealed(site)) == 1
    add(site, reason="another")
    assert len(sealed(site)) == 2


@pytest.mark.parametrize(("more", "hint"), [
    ({"control": "public-network-acces"}, "did you mean public-network-access"),
    ({"control": "attested-approval"}, "no control"), ({"control": "waivers-current"}, "cannot be waived"),
    ({"scope": f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.cognitiveservices/accounts/alpah"}, "accounts/alpha"),
    ({"scope": "22222222-2222-3333-4444-555555555555"}, "nearest"),
    ({"scope": ""}, "nearest"), ({"scope": "/"}, "nearest"), ({"scope": "/subscriptions"}, "nearest"),
    ({"scope": f"/subscriptions/{SUBSCRIPTION}/resourceGroups"}, "nearest"),
    ({"days": 367}, "366 days"), ({"days": -1}, "over"), ({"until": ""}, "not a date"), ({"until": "soon"}, "not a date"),
    ({"until": "9999-12-31"}, "366"), ({"until": "0001-01-01T00:00:00+23:00"}, "over"),
    ({"owner": " "}, "--owner"), ({"reason": ""}, "--reason"), ({"reason": "a\nb"}, "--reason must be one line"), ({"reason": "x" * 2001}, "--reason .* 2,000"),
    ({"owner": "x" * 2001}, "--owner .* 2,000"),
])  # fmt: skip
def test_what_cannot_be_waived_is_refused_and_nothing_is_sealed(site, more, hint):
    with pytest.raises(Misuse, match=hint):
        add(site, **more)
    assert sealed(site) == []


def test_no_waiver_of_that_number(site):
    with pytest.raises(Misuse, match="no waiver 7"):
        waiver.end(site.settings, 7, now=site.clock, **WHO)


def test_who_accepted_it_stands_nowhere_in_clear(site):
    add(site)
    committed = sealed(site)[0][1]["waiver"]["owner"]["committed"]
    assert Disclosures(site.store, random_bytes).disclose(committed)["value"] == WHO["owner"]
    assert not any(WHO["owner"].encode() in site.store.get(path) for path in site.store.list("evidence/"))


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_write_the_same_command_goes_on(site, monkeypatch, when):
    for number in killed_at_each_write(monkeypatch, waiver, site.store, lambda n: add(site, reason=f"reason {n}"), after=when == "after"):
        reason = f"reason {number}"
        assert add(site, reason=reason).record is not None
        assert [record["waiver"]["reason"] for _, record in sealed(site)].count(reason) == 1
    assert sound(site)


GOOD = {"action": "add", "control": CONTROL, "scope": None, "until": "2026-12-01T00:00:00.000000Z", "owner": "x", "reason": "y"}


def test_the_verifier_knows_the_shape():
    check_fields({"type": "waiver", "waiver": GOOD})
    check_fields({"type": "waiver", "waiver": {"action": "end", "waiver": 1, "owner": {"committed": "x"}, "reason": "y"}})
    for broken in ({**GOOD, "until": "soon"}, {**GOOD, "scope": "/Subscriptions"}, {**GOOD, "action": "end"}, {**GOOD, "reason": None}, None):
        with pytest.raises(RecordError):
            check_fields({"type": "waiver", "waiver": broken})


ONE = Waiver(1, CONTROL, "/a", "2026-01-02", "2026-01-05", "x", "y")
STATUSES = ["satisfied", "unknown", "not-applicable", "provider-attested"]


def finding(**more):
    return {"control": CONTROL, "resource": "/a/b", "status": "not-satisfied", **more}


@pytest.mark.parametrize("status", STATUSES)
def test_only_what_is_not_satisfied_is_waived_or_lapses(status):
    assert waiver_of([ONE], finding(status=status), "2026-01-03") is None
    assert lapsed([ONE], [finding(status=status)], "2026-01-06") == []


def test_from_when_until_when_and_where():
    at = ["2026-01-01", "2026-01-02", "2026-01-04", "2026-01-05"]
    assert [waiver_of([ONE], finding(), each) for each in at] == [None, ONE, ONE, None]
    assert waiver_of([ONE], finding(resource="/ab"), at[1]) is None and waiver_of([ONE], finding(resource="/a"), at[1]) == ONE
    assert waiver_of([ONE], finding(resource=None), at[1]) is None
    assert waiver_of([replace(ONE, scope=None)], finding(resource=None), at[1])
    assert waiver_of([ONE], finding(control="other"), at[1]) is None
    longer = replace(ONE, number=2, until="2026-01-09")
    assert waiver_of([longer, ONE], finding(), at[1]) == longer == waiver_of([ONE, longer], finding(), at[1])
    assert lapsed([ONE], [finding()], "2026-01-05") == [(ONE, finding())]
    assert lapsed([ONE, longer], [finding()], "2026-01-05") == []


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 5)), max_size=12))
def test_any_order_of_acts_is_read_and_the_first_end_counts(order):
    acts = [
        (number, f"t{number:02d}", GOOD if adds else {"action": "end", "waiver": target, "owner": "x", "reason": "y"})
        for number, (adds, target) in enumerate(order, 1)
    ]
    for one in waivers_of(acts):
        ends = [at for number, at, said in acts if said.get("waiver") == one.number and number > one.number]
        assert one.ended == min(ends, default=None)


def bundled(site, tmp_path, **wanted):
    """The waivers in a bundle of the last sweep, which must verify."""
    planned = site.reading().sweeps[-1]
    at = datetime.fromisoformat(planned["slot"] or planned["planned_at"])
    out = tmp_path / "b.zip"
    bundle(site.reading(), queries.Period(at, at + timedelta(seconds=1)), out, **wanted)
    said = verify_bundle(out, [note.parse_vkey(site.vkey)])
    assert said.problems == () and said.intact
    with ZipFile(out) as file:
        lines = [json.loads(line) for name in file.namelist() if name.startswith("records/") for line in file.read(name).splitlines()]
    return [line.get("waiver") for line in lines if line["type"] == "waiver"]


@pytest.mark.parametrize("resources", [(), ("alpha",)])
def test_a_bundle_brings_all_acts_about_waivers_and_verifies(site, tmp_path, resources):
    add(site, days=1, reason="over before")
    alpha, beta = sorted(finding["resource"] for finding in found(site))
    add(site, alpha, reason="of alpha")
    add(site, beta, reason="of beta")
    for _ in range(2):
        site.clock.advance(hours=48)
        site.collect()
    site.clock.advance(hours=1)
    waiver.end(site.settings, 2, now=site.clock, owner="x", reason="ended")
    add(site, reason="later")
    have = [(said["action"], said["reason"]) for said in bundled(site, tmp_path, resources=resources)]
    assert have == [("add", "over before"), ("add", "of alpha"), ("add", "of beta"), ("end", "ended"), ("add", "later")], "all acts, so that none can be missing"


def test_a_reason_that_moved_to_a_body_as_it_once_could_is_read_from_there(site, tmp_path, monkeypatch):
    monkeypatch.setattr(acts, "LONGEST", 100_000)
    long = "because " * 10_000
    done = add(site, reason=long)
    assert add(site, reason=long).waiver == done.waiver and "overflow" in dict(site.records())[done.record]
    for noted in ("looked for", "noted"):
        site.clock.advance(hours=6)
        site.collect()
        assert {finding["waived"]["reason"] for finding in found(site)} == {long}, noted
    assert [one["reason"] for one in waiver.waivers(site.reading(), timestamp(site.clock()), over=True)] == [long]
    assert [said for said in bundled(site, tmp_path) if said] == [] and sound(site), "a body of the bundle has it"
    report(site.reading(), None, tmp_path / "r.html", site.clock())
    assert "because because" in (tmp_path / "r.html").read_text()


def test_on_the_command_line(site):
    def run(*words):
        done = subprocess.run(
            [sys.executable, "-m", "shared", "--store", str(site.root), *words], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[1]
        )
        assert "Traceback" not in done.stderr
        return done

    day = (datetime.now(UTC) + timedelta(days=30)).date().isoformat()
    who = ("--owner", "Head of Platform", "--reason", "private link is being built")
    assert run("waiver", "add", "nothing-such", "--scope", "all", "--until", day, *who).returncode == 2
    assert run("waiver", "add", CONTROL, "--scope", "all", *who).returncode == 2, "no waiver without an end"
    added = json.loads(run("waiver", "add", CONTROL, "--scope", "all", "--until", day, *who, "--json").stdout)
    assert added["state"] == "in force" and isinstance(added["record"], int)
    shown = " ".join(run("findings", "--control", CONTROL).stdout.split())
    assert f"(record {added['record']})" in shown and "private link is being built" in shown
    assert CONTROL in run("waiver", "list").stdout
    assert run("waiver", "end", "1", *who).returncode == 0
    assert CONTROL not in run("waiver", "list").stdout and "ended" in run("waiver", "list", "--all").stdout


def test_what_is_waived_does_not_fail_a_status_that_is_asked_to():
    said = {"controls": {"a": {"not-satisfied": 2, "unknown": 1}}, "waived": {"a": 2}}
    assert _left(said, "a", "not-satisfied") == 0 and _left(said, "a", "unknown") == 1
    assert _left({**said, "waived": {"a": 1}}, "a", "not-satisfied") == 1 == _left({**said, "waived": {}}, "a", "unknown")
