"""What was waived until a day comes back when that is over; and nobody can leave a waiver out of a bundle without being found."""

import json
from dataclasses import replace

import pytest

from shared import layout
from shared.deliver.bundle.manifest import NAME, records_path
from shared.deliver.shapes import RecordError, check_fields
from shared.deliver.verify.bundle import verify_bundle
from shared.errors import StoreConflict
from shared.judge.waivers import Waiver, numbered_acts, sealed_waivers, unattended
from shared.records import line, record, timestamp
from shared.seal import note
from shared.seal.store import DirectoryStore
from shared.service import state, waiver
from shared.service.acts import ready_to_act
from shared.service.bundle import bundle
from shared.service.stores import store_of
from tests.fixtures import browser as chromium
from tests.fixtures.bundles import apart, built, hours, together, verdict
from tests.fixtures.exhibits import again, judged
from tests.fixtures.records import SUBSCRIPTION as SMALL
from tests.fixtures.records import small_log
from tests.test_bundle_page import answered
from tests.test_exhibits_given import both, day_of
from tests.test_waivers import CONTROL, GOOD, SUBSCRIPTION, WHO, add, found, sealed, site, sound

__all__ = ["site"]
CURRENT = "waivers-current"


def says(site):
    return judged(site, CURRENT)


def end(site, number):
    return waiver.end(site.settings, number, now=site.clock, **WHO)


def test_what_expired_is_a_finding_until_somebody_ends_it(site):
    assert says(site)[:2] == ("not-applicable", "Nothing was ever waived.")
    done = add(site, days=2)
    assert says(site)[0] == "not-applicable", "what was judged stays judged"
    again(site)
    status, reason, records = says(site)
    assert status == "satisfied" and "1 waiver in force" in reason and done.record in records
    again(site, hours=65)  # 2026-11-03T23:00:30Z: the last day is whole
    assert says(site)[0] == "satisfied"
    again(site, hours=1)
    status, reason, records = says(site)
    assert status == "not-satisfied" and f'waiver 1 of "{CONTROL}" (everywhere), until 2026-11-03' in reason and done.record in records
    end(site, 1)
    assert says(site)[0] == "not-satisfied"
    again(site)
    assert says(site)[0] == "satisfied"
    assert [said["waiver"]["number"] for _, said in sealed(site)] == [1, 2]
    assert sound(site)


def test_renewed_it_is_by_one_that_holds_longer_in_all_of_its_scope(site):
    one = sorted(finding["resource"] for finding in found(site))[0]
    add(site, SUBSCRIPTION, days=1)
    site.clock.advance(days=3)
    add(site, one, days=9)
    again(site)
    status, reason, _ = says(site)
    assert status == "not-satisfied" and "1 waiver expired" in reason and f"/subscriptions/{SUBSCRIPTION}" in reason, "one account of it is not all of it"
    add(site, days=9)
    again(site)
    assert says(site)[0] == "satisfied"
    again(site, hours=24 * 12)
    status, reason, _ = says(site)
    assert status == "not-satisfied" and "1 waiver expired" in reason and "waiver 3 of" in reason, "the last of them counts"
    assert sound(site)


def put(site, said):
    """Seal the first act as it is."""
    ready = ready_to_act(site.settings, store_of(site.settings), "a waiver", "x", "y")
    act = record("waiver", timestamp(site.clock()), sweep=None, kind="waiver", resource=None, waiver=said)
    state.mark_open(ready.store, layout.act_sweep("waiver", 1), ready.sequencer.seq)
    assert ready.store.put_new(layout.act("waiver", 1), line(act, lambda _: "") + b"\n")
    ready.sequencer.seal()
    ready.store.delete(layout.open_sweep(layout.act_sweep("waiver", 1)))


def test_an_act_that_is_none_is_one_line_and_no_conclusion(site):
    put(site, {**GOOD, "until": 5})
    site.clock.advance(hours=6)
    with pytest.raises(StoreConflict, match="an act about a waiver is not as it should be: run verify --store"):
        site.collect()


def test_acts_of_old_have_no_number_and_are_read_as_ever(site):
    put(site, {**GOOD, "until": timestamp(site.clock())})
    again(site)
    assert says(site)[0] == "not-satisfied" and "waiver 1 of" in says(site)[1]
    end(site, 1)
    again(site)
    assert says(site)[0] == "satisfied"
    assert sound(site)


@pytest.mark.parametrize("resources", [(), ("alpha",)])
def test_a_bundle_from_which_an_act_was_taken_is_found_out(site, tmp_path, resources):
    add(site, days=1)
    again(site, hours=72)
    end(site, 1)
    again(site)
    add(site, days=1)
    again(site)
    again(site, hours=96)
    path = tmp_path / "b.zip"
    bundle(site.reading(), day_of(site, -1), path, resources=resources)
    assert both(site, path)[0] == []
    files = apart(path.read_bytes())
    manifest = json.loads(files[NAME])
    places = [index for index, _ in sealed(site)]
    assert [[index, 1] for index in places] == [entry for entry in manifest["ranges"] if entry[0] in places]
    for number, index, wrong in ((1, places[0], False), (2, places[1], False), (3, places[2], True)):
        kept = {name: data for name, data in files.items() if name != records_path(index)}
        path.write_bytes(together(kept, ranges=[entry for entry in manifest["ranges"] if entry[0] != index]))
        if wrong:  # no number is missing: that the finding rests on it shows it
            problems = [one.reason for one in verify_bundle(path, [note.parse_vkey(site.vkey)]).problems]
            assert any(f"{CURRENT} of the collection: says not-satisfied" in one for one in problems), problems
        else:
            problems, report = both(site, path)
            assert any(f"the act {number} about a waiver is not here" in one for one in problems), problems
            assert any("act about a waiver is not here" in one for one in report.problems), report.problems


@pytest.mark.parametrize("resources", [None, [f"/subscriptions/{SMALL}"]])
def test_a_lie_about_waivers_that_is_well_sealed_is_found_too(tmp_path, resources):
    def lie(_, records):
        return [{**one, "status": "satisfied"} if one.get("control") == CURRENT else one for one in records]

    store = DirectoryStore(tmp_path / "log")
    small_log(store, sweeps=2, edit=lie)
    told = verdict(built(store, tmp_path, hours(0, 7), resources=resources)).problems
    assert [one.reason for one in told] == [f"{CURRENT} of the collection: says satisfied, the bodies give not-applicable (Nothing was ever waived.)"]


def test_the_page_in_a_browser_misses_it_too(site, tmp_path):
    add(site, days=1)
    again(site, hours=72)
    end(site, 1)
    again(site)
    good, bad = tmp_path / "good.zip", tmp_path / "bad.zip"
    bundle(site.reading(), day_of(site, -1), good)
    files, first = apart(good.read_bytes()), sealed(site)[0][0]
    kept = {name: data for name, data in files.items() if name != records_path(first)}
    bad.write_bytes(together(kept, ranges=[entry for entry in json.loads(files[NAME])["ranges"] if entry[0] != first]))
    (tmp_path / "index.html").write_bytes(files["index.html"])
    with chromium.running() as browser:
        browser.open(tmp_path / "index.html")
        browser.put("#zip", good)
        assert answered(browser, site.vkey)[0] in ("good", "gap")
        browser.put("#zip", bad)
        kind, _, text = answered(browser, site.vkey)
        assert kind == "bad" and "an act about a waiver is not here" in text
        assert browser.complaints == []


def test_the_number_must_be_one():
    check_fields({"type": "waiver", "waiver": {**GOOD, "number": 3}})
    for number in ("3", -1, None, True, 1.5):
        with pytest.raises(RecordError):
            check_fields({"type": "waiver", "waiver": {**GOOD, "number": number}})


ONE = Waiver(1, "c", "/a", "2026-01-02", "2026-01-05", "x", "y")


@pytest.mark.parametrize(("other", "left"), [
    ({}, [2]),  # of two that end at once the later one counts
    ({"until": "2026-01-08"}, [2]), ({"until": "2026-01-08", "ended": "2026-01-06"}, []), ({"until": "2026-01-08", "ended": "2026-01-05"}, []),
    ({"until": "2026-01-08", "ended": "2026-01-04"}, [1]), ({"until": "2026-01-08", "ended": "2026-01-09"}, []),
    ({"until": "2026-01-20"}, []), ({"until": "2026-01-20", "scope": None}, []), ({"until": "2026-01-20", "scope": "/"}, [1]),
    ({"until": "2026-01-20", "scope": "/a/b"}, [1]), ({"until": "2026-01-20", "control": "d"}, [1]), ({"until": "2026-01-03", "ended": "2026-01-03"}, [1]),
])  # fmt: skip
def test_which_one_settles_another(other, left):
    both_of = [ONE, replace(ONE, number=2, **other)]
    assert [one.number for one in unattended(both_of, "2026-01-10")] == left
    assert [one.number for one in unattended(both_of[::-1], "2026-01-10")] == left[::-1]
    assert unattended([ONE], "2026-01-04") == [] and unattended([replace(ONE, ended="2026-01-07")], "2026-01-06") != []


def test_numbers_of_old_acts_are_the_first_that_are_free():
    acts = [(7, "t7", {**GOOD, "number": 3}), (2, "t2", GOOD), (5, "t5", {"action": "end", "waiver": 1, "owner": "x", "reason": "y"})]
    assert [(index, number) for index, number, _, _ in numbered_acts(acts)] == [(2, 1), (5, 2), (7, 3)]
    assert [(one.number, one.record, one.ended) for one in sealed_waivers(acts)] == [(1, 2, "t5"), (3, 7, None)]
