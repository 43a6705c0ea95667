"""A bundle about an account has the deletions of what it held, and its own, though its subscription's answers concluded them; what was taken out is found."""

import json
from datetime import timedelta

import pytest

from shared.deliver.bundle.manifest import records_path
from shared.deliver.verify import verify_store
from shared.errors import Misuse
from shared.seal.store import DirectoryStore
from tests.fixtures.bundles import KEYS, apart, built, hours, together, verdict
from tests.fixtures.records import START, SUBSCRIPTION, Account, LogMaker
from tests.test_verify_alone import run
from tests.test_verify_deletions import holding

GONE, STAYS, ALSO = holding("file-1", "file-2", name="gone"), holding("file-8", name="stays"), holding("file-9", name="also")
ESTATES = ([GONE, STAYS, ALSO], [GONE, STAYS, ALSO], [STAYS], [STAYS])
"""Two accounts go, with what they held, between 12 and 18 o'clock."""


class Deleting(LogMaker):
    """Its Azure lists among the deleted accounts those that are gone."""

    def answer(self, sweep, unit, kind, id_, pages, reason=None, **more):
        if kind == "deletedAccounts" and self.plans > 2:
            where = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/swedencentral/resourceGroups/rg-ai/deletedAccounts"
            pages = [{"value": [{"id": f"{where}/{one.name}"} for one in (GONE, ALSO)]}]
        return super().answer(sweep, unit, kind, id_, pages, reason, **more)


def history(store, estates=ESTATES, **options):
    maker = Deleting(store, **options).birth()
    for number, estate in enumerate(estates):
        maker.sweep(estate, slot=START + timedelta(hours=6 * (number + 1)))
    return maker


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    made = DirectoryStore(tmp_path_factory.mktemp("log"))
    history(made)
    return made


def records(entries):
    """(index, record) of all that is in a bundle."""
    for name in entries:
        if name.startswith("records/"):
            yield from enumerate(map(json.loads, entries[name].splitlines()), int(name[8:28]))


def deletions(entries):
    return {index: record for index, record in records(entries) if record["type"] == "deletion"}


def without(entries, gone):
    """The bundle without some records, in a manifest that fits: what somebody without the key can do."""
    lines = {index: line for name in entries if name.startswith("records/") for index, line in enumerate(entries[name].splitlines(True), int(name[8:28]))}
    kept = sorted(lines.keys() - set(gone))
    runs = []
    for index in kept:
        if runs and sum(runs[-1]) == index:
            runs[-1][1] += 1
        else:
            runs.append([index, 1])
    rest = {name: data for name, data in entries.items() if not name.startswith("records/")}
    rest |= {records_path(first): b"".join(lines[first + place] for place in range(count)) for first, count in runs}
    return together(rest, ranges=runs)


def about(gone, account):
    return [one for one in gone.values() if one["account"] == account.id.lower()]


@pytest.mark.parametrize("period", [hours(0, 30), hours(15, 30), hours(15, 20)], ids=["all", "it was never asked in the period", "one sweep"])
def test_what_went_with_an_account_is_in_its_bundle_and_nothing_of_its_neighbour(store, tmp_path, period):
    entries = apart(data := built(store, tmp_path, period, resources=[GONE.id]))
    found = deletions(entries)
    assert {(one["kind"], one["object"]["id"]) for one in found.values()} >= {("file", "file-1"), ("file", "file-2")}
    assert [one["resource"] for one in found.values() if one["kind"] == "account"] == [GONE.id.lower()]
    assert all(one["unit"].startswith("subscription-") for one in found.values())
    assert about(found, ALSO) == about(found, STAYS) == []
    said = verdict(data)
    assert (list(said.problems), said.counts["deletions concluded again"]) == ([], len(found))
    assert not any("deletion was left out" in line for line in said.not_checked)
    (tmp_path / "b.zip").write_bytes(data)
    assert run(tmp_path / "b.zip")[0] == said.exit_code


def test_something_in_an_account_selects_the_account_and_a_group_all_that_it_held(store, tmp_path):
    whole = deletions(apart(built(store, tmp_path, hours(0, 30), resources=[GONE.id])))
    assert deletions(apart(built(store, tmp_path, hours(15, 30), resources=[f"{GONE.id}/files/file-1"]))).keys() == whole.keys()
    both = deletions(apart(built(store, tmp_path, hours(0, 30), resources=[GONE.id.partition("/providers/")[0]])))
    assert about(both, GONE) and about(both, ALSO) and not about(both, STAYS)
    assert deletions(apart(built(store, tmp_path, hours(0, 30), resources=[STAYS.id]))) == {}


def test_one_that_was_taken_out_is_found_by_all(store, tmp_path):
    entries = apart(built(store, tmp_path, hours(0, 30), resources=[GONE.id]))
    found = deletions(entries)
    for taken in (list(found)[:1], list(found)[-1:], list(found)):
        data = without(entries, taken)
        said = verdict(data)
        assert any(f"{len(found)} deletions of {GONE.id.lower()} were concluded, and {len(found) - len(taken)} are here" in one.reason for one in said.problems)
        (tmp_path / "b.zip").write_bytes(data)
        code, text = run(tmp_path / "b.zip")
        assert code == 1 and f"and {len(found) - len(taken)} are here" in text


def test_what_one_of_them_rests_on_cannot_be_taken_out_unseen(store, tmp_path):
    entries = apart(built(store, tmp_path, hours(15, 30), resources=[GONE.id]))
    [account] = [one for one in deletions(entries).values() if one["kind"] == "account"]
    said = verdict(without(entries, account["records"][:1]))
    assert any("which it rests on, is not here" in one.reason for one in said.problems)


def test_a_closing_record_that_counts_wrong_is_found_and_one_that_does_not_count_is_said(tmp_path):
    def edit(count):
        def edited(name, records):
            return [count(dict(one)) if one["type"] == "sweep-closed" else one for one in records]

        return edited

    def older(closed):
        del closed["deletions"]
        return closed

    def more(closed):
        return {**closed, "deletions": {**closed["deletions"], STAYS.id.lower(): 1}}

    made = {}
    for name, count in (("more", more), ("none", lambda closed: {**closed, "deletions": {}}), ("older", older)):
        log = DirectoryStore(tmp_path / name)
        history(log, edit=edit(count))
        data = built(log, tmp_path, hours(0, 30), resources=[STAYS.id if name == "more" else GONE.id])
        (tmp_path / "b.zip").write_bytes(data)
        made[name] = (verdict(data), run(tmp_path / "b.zip"))
        assert {one.what for one in verify_store(log, KEYS).problems} == (set() if name == "older" else {"closing"})
    for name in ("more", "none"):
        said, (code, text) = made[name]
        assert {one.what for one in said.problems} == {"closing"} and code == 1 and "deletions of" in text
    said, (code, text) = made["older"]
    assert list(said.problems) == [] and code == said.exit_code
    assert any("do not count them" in line for line in said.not_checked) and "do not count them" in text


def test_what_was_never_listed_and_never_deleted_is_refused(store, tmp_path):
    with pytest.raises(Misuse, match="was in no sweep of the period"):
        built(store, tmp_path, hours(15, 30), resources=[Account("nobody").id])
    with pytest.raises(Misuse, match="was in no sweep of the period"):
        built(store, tmp_path, hours(21, 30), resources=[GONE.id])
