"""What `verify` makes of lies about what is gone: each is well sealed, with findings that fit it, and each is found. In a store and in bundles."""

import io
from datetime import timedelta

import pytest

from shared.deliver.bundle.build import build
from shared.deliver.verify import deletions as module
from shared.deliver.verify import verify_bundle, verify_store
from shared.seal.store import DirectoryStore
from tests.fixtures.bundles import apart, verdict, zipped
from tests.fixtures.records import SIGNER, START, SUBSCRIPTION, Account, LogMaker

KEYS = [SIGNER.key]
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Logs/providers/Microsoft.OperationalInsights/workspaces/First"


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path / "store")


def holding(*files, name="full", **fields):
    return Account(name, files=[list(files)], workspaces=[WORKSPACE], **fields)


class Liar(LogMaker):
    """Says of what is gone what `lie` makes of it, and judges by that."""

    lie = staticmethod(lambda gone, unit, records: gone)

    def deletions(self, sweep, records, unit, at):
        return self.lie(super().deletions(sweep, records, unit, at), unit, records)


def history(store, lie=None, held=(("file-1", "file-2"), ("file-1", "file-2"), ("file-2",), ("file-2",), ("file-2",)), **options):
    maker = Liar(store, **options).birth()
    maker.lie = lie or maker.lie
    for number, files in enumerate(held):
        maker.sweep([holding(*files), holding("file-9", name="other")], slot=START + timedelta(hours=6 * (number + 1)))
    return maker


def both(store, tmp_path, first=2, resources=None):
    """The verdict on the store, and on a bundle that begins with the sweep numbered `first`."""
    build(store, tmp_path / "b.zip", period=(START + timedelta(hours=6 * first), START + timedelta(days=9)), resources=resources)
    return verify_store(store, KEYS), verify_bundle(io.BytesIO((tmp_path / "b.zip").read_bytes()), KEYS)


def said(verdict):
    assert {problem.what for problem in verdict.problems} <= {"deletion"}, verdict.problems
    return [problem.reason for problem in verdict.problems]


def of_full(unit, change):
    return lambda gone, there, records: change(gone) if there.resource.endswith(unit) else gone


def test_the_truth_verifies(store, tmp_path):
    history(store)
    for found in both(store, tmp_path):
        assert list(found.problems) == []
        assert found.counts["deletions concluded again"] == found.counts["deletions"] >= 1
        assert any("follow from the records they name" in line for line in found.checked)


def test_a_bundle_brings_what_its_deletions_rest_on(store, tmp_path):
    history(store)
    for resources in (None, [holding().id]):
        whole, part = both(store, tmp_path, first=3, resources=resources)  # the inventory before lies before the period
        assert list(part.problems) == []
        assert any("gone already at the first sweep" in said for said in part.not_checked)
        assert part.counts["deletions concluded again"] == part.counts["deletions"] > 0
        assert part.counts["records"] < whole.counts["records"]


def test_what_is_read_twice_is_counted_and_complained_of_once(store, tmp_path):
    """Records that deletions rest on are read again at the end."""
    history(store)
    _, part = both(store, tmp_path, first=3)
    entries = apart((tmp_path / "b.zip").read_bytes())
    assert part.counts["files"] == len(entries) - 1, "all but the manifest"
    name = max((name for name in entries if name.startswith("records/")), key=lambda name: len(entries[name]))
    found = verdict(zipped({**entries, name: entries[name][:-1]}))
    assert not found.intact
    lines = [problem.line() for problem in found.problems]
    assert len(lines) == len(set(lines)), lines


@pytest.mark.parametrize("field, value", [
    ("status", "corroborated"), ("cause", "expired"), ("by", "somebody"), ("before", "2026-11-01T13:00:00.000000Z"), ("reason", "All is well."),
    ("created", None), ("count", 2), ("witnesses", []),
])  # fmt: skip
def test_a_flattered_deletion_is_found(store, tmp_path, field, value):
    def lie(gone):
        return [{**one, field: value} if one["kind"] == "file" else one for one in gone]

    history(store, of_full("/full", lie))
    for found in both(store, tmp_path):
        reasons = said(found)
        assert reasons and all("give another" in reason and field in reason for reason in reasons), reasons
        assert found.exit_code == 1


def test_a_deletion_that_was_left_out_is_found(store, tmp_path):
    history(store, of_full("/full", lambda gone: []))
    for found in both(store, tmp_path):
        assert any(reason.endswith("/full/files/file-1 was listed and is listed no more, and no deletion says so") for reason in said(found))


def test_one_of_two_that_was_left_out_is_found(store):
    history(store, of_full("/full", lambda gone: [one for one in gone if one["object"]["id"] != "file-2"]), held=(("file-1", "file-2", "file-3"), ("file-3",)))
    assert [reason for reason in said(verify_store(store, KEYS)) if "file-2 was listed" in reason]


def test_an_account_that_is_gone_without_a_word_is_found(store):
    maker = Liar(store).birth()
    maker.lie = lambda gone, unit, records: []
    maker.sweep([holding("file-1"), holding("file-9", name="other")], slot=START + timedelta(hours=6))
    maker.sweep([holding("file-1")], slot=START + timedelta(hours=12))
    assert any("/accounts/other was listed" in reason for reason in said(verify_store(store, KEYS)))


class Movable(Account):
    def body(self):
        body = super().body()
        return {**body, "properties": {**body["properties"], "internalId": f"internal-{self.name}"}}


def test_an_account_that_was_moved_is_not_gone(store):
    maker = LogMaker(store).birth()
    for number, group in enumerate(("rg-old", "rg-new")):
        maker.sweep([Movable("one", group=group)], slot=START + timedelta(hours=6 * (number + 1)))
    found = verify_store(store, KEYS)
    assert (list(found.problems), found.counts.get("deletions", 0)) == ([], 0)


def invented(gone, unit, records):
    """File-2 is still there: its deletion is made out of that of file-1."""
    like = [one for one in gone if one["kind"] == "file"]
    return [*gone, *({**one, "object": {"kind": "file", "id": "file-2"}, "resource": one["resource"].replace("file-1", "file-2")} for one in like)]


def test_an_invented_deletion_is_found(store, tmp_path):
    history(store, invented)
    for found in both(store, tmp_path):
        assert any("file-2" in reason and "give no such deletion" in reason for reason in said(found))


def test_a_deletion_in_a_unit_that_it_is_not_of_is_found(store):
    def lie(gone, unit, records):
        return [{**one, "account": one["account"] + "x", "resource": one["resource"].replace("/full/", "/fullx/")} for one in gone]

    history(store, lie)
    assert any("is not of its unit" in reason for reason in said(verify_store(store, KEYS)))


def test_what_rests_on_records_that_are_none_of_answers_is_found(store):
    history(store, lambda gone, unit, records: [{**one, "records": [0, *one["records"]]} for one in gone])
    assert any("record 0, which it rests on, is not here or is no answer" in reason for reason in said(verify_store(store, KEYS)))


def test_what_supersedes_nothing_is_found(store):
    history(store, lambda gone, unit, records: [{**one, "supersedes": [1]} for one in gone])
    assert any("supersedes record 1" in reason for reason in said(verify_store(store, KEYS)))


def test_a_deletion_after_the_findings_is_found(store):
    def edit(name, records):
        gone = [value for value in records if value["type"] == "deletion"]
        return [*(value for value in records if value["type"] != "deletion"), *gone]

    history(store, edit=edit)
    problems = verify_store(store, KEYS).problems
    assert any(problem.what == "deletion" and "stands after the findings" in problem.reason for problem in problems)


def test_findings_that_leave_deletions_out_are_found(store):
    def edit(name, records):
        return [value for value in records if not (value["type"] == "finding" and value["control"] == "deletions-reconciled" and "Gone" in value["reason"])]

    history(store, edit=edit)
    assert {problem.what for problem in verify_store(store, KEYS).problems} == {"finding"}


@pytest.mark.parametrize("field, value", [("records", "x"), ("pairs", [[1]]), ("object", None), ("witnesses", [{}]), ("supersedes", None), ("after", "now")])
def test_a_deletion_that_is_malformed_is_a_problem_and_no_crash(store, field, value):
    def edit(name, records):
        return [{**one, field: value} if one["type"] == "deletion" else one for one in records]

    history(store, edit=edit)
    assert any(f"`{field}` is missing or malformed" in problem.reason for problem in verify_store(store, KEYS).problems)


def test_deletions_are_concluded_in_portions(store, monkeypatch):
    monkeypatch.setattr(module, "PORTION", 2)
    history(store, held=(tuple(f"file-{n}" for n in range(7)), ("file-0",), ()))
    found = verify_store(store, KEYS)
    assert list(found.problems) == []
    assert found.counts["deletions concluded again"] == found.counts["deletions"] >= 7


def test_nothing_is_asked_of_a_log_whose_version_did_not_reconcile(store):
    from tests.fixtures.records import old_questions

    maker = LogMaker(store, asks=old_questions()).birth()
    for number, there in enumerate(([Account("one"), Account("two")], [Account("one")])):
        maker.sweep(there, slot=START + timedelta(hours=6 * (number + 1)))
    found = verify_store(store, KEYS)
    assert (found.exit_code, list(found.problems)) == (0, [])


