"""A legal hold: nobody deletes evidence while it is in force, holds overlap, and by whom and why is sealed."""

from dataclasses import replace

import pytest
from azure.core.exceptions import HttpResponseError

from infra.local.worm import Fault
from shared import layout
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse, Unreachable
from shared.privacy.disclosures import Disclosures
from shared.seal import note
from shared.service import hold
from shared.service.compose import random_bytes
from shared.service.standing import status
from tests.fixtures.estate import estate
from tests.fixtures.faulty import killed_at_each_write
from tests.test_crash import small

WHO = {"owner": "General Counsel", "reason": "letter of 2026-11-20", "progress": lambda *_: None}


@pytest.fixture
def folder(tmp_path):
    with estate(tmp_path, small) as site:
        site.collect()
        yield site


@pytest.fixture
def site(azurite, worm, tmp_path):
    azurite.fresh()
    with estate(tmp_path, small, account=worm.endpoint) as made:
        made.collect()
        yield made


def acts(site):
    return [record["hold"] for _, record in site.records("event") if record["kind"] == "hold"]


def deleted(site, path):
    """Whether somebody with every right but that to lift holds can delete the blob."""
    try:
        site.store.blob(path).delete_blob()
    except HttpResponseError as error:
        assert error.response.headers["x-ms-error-code"] == "BlobImmutableDueToLegalHold"
        return False
    return True


def sound(site):
    found = verify_store(site.store, [note.parse_vkey(site.vkey)])
    assert found.problems == ()
    return found.intact


@pytest.mark.needs("azurite")
def test_nothing_is_deleted_while_any_hold_is_in_force(site):
    done = hold.add(site.settings, "case-17", now=site.clock, **WHO)
    evidence = list(site.store.list(layout.EVIDENCE))
    assert done.enforced and done.blobs == len(evidence) > 10
    assert layout.hold(1) in evidence and not any(deleted(site, path) for path in evidence)
    hold.add(site.settings, "audit-3", now=site.clock, **WHO)
    left = hold.release(site.settings, "case-17", now=site.clock, **WHO)
    assert (left.in_force, left.blobs) == (("audit-3",), 0)
    assert not deleted(site, layout.commit(1))
    last = hold.release(site.settings, "audit-3", now=site.clock, **WHO)
    assert last.in_force == () and last.blobs == len(list(site.store.list(layout.EVIDENCE)))
    assert sound(site)
    assert [(act["action"], act["tag"]) for act in acts(site)] == [("add", "case-17"), ("add", "audit-3"), ("release", "case-17"), ("release", "audit-3")]
    assert deleted(site, layout.commit(1))


@pytest.mark.needs("azurite")
def test_what_is_written_later_is_held_by_the_same_hold_again_and_sealed_once(site):
    hold.add(site.settings, "case-17", now=site.clock, **WHO)
    site.clock.advance(hours=6)
    site.collect()
    newest = layout.checkpoint(site.sweeps[-1].size)
    again = hold.add(site.settings, "case-17", now=site.clock, **WHO)
    assert not deleted(site, newest)
    assert again.in_force == ("case-17",) and len(acts(site)) == 1


@pytest.mark.needs("azurite")
def test_who_may_not_hold_is_told_before_anything_is_sealed(site, worm):
    worm.add_only, before = True, len(site.records())
    with pytest.raises(Unreachable, match="Storage Blob Data Owner"):
        hold.add(site.settings, "case-17", now=site.clock, **WHO)
    assert len(site.records()) == before and not worm.holds


@pytest.mark.needs("azurite")
@pytest.mark.parametrize("act", ["add", "release"])
def test_one_that_stopped_half_way_is_gone_on_with(site, worm, act):
    if act == "release":
        hold.add(site.settings, "case-17", now=site.clock, **WHO)
    worm.faults.append(Fault("PUT", "comp=legalhold", status=403, code="AuthorizationPermissionMismatch", skip=7, times=None))
    with pytest.raises(Unreachable):
        getattr(hold, act)(site.settings, "case-17", now=site.clock, **WHO)
    worm.faults.clear()
    done = getattr(hold, act)(site.settings, "case-17", now=site.clock, **WHO)
    evidence = {path.removeprefix(layout.EVIDENCE) for path in site.store.list(layout.EVIDENCE)}
    assert done.blobs == len(evidence)
    assert worm.holds == (evidence if act == "add" else set())
    assert [found["action"] for found in acts(site)] == (["add"] if act == "add" else ["add", "release"])
    assert sound(site)


def test_a_folder_records_a_hold_and_says_that_nothing_enforces_it(folder):
    done = hold.add(folder.settings, "case-17", now=folder.clock, **WHO)
    assert (done.enforced, done.blobs, done.in_force) == (False, 0, ("case-17",))
    assert status(folder.reading(), folder.clock)["store"]["holds"] == ["case-17"]
    assert sound(folder)


def test_who_ordered_it_can_be_erased_and_stands_nowhere_in_clear(folder):
    hold.add(folder.settings, "case-17", now=folder.clock, **WHO)
    committed = acts(folder)[0]["owner"]
    assert Disclosures(folder.store, random_bytes).disclose(committed["committed"])["value"] == "General Counsel"
    assert not any(b"General Counsel" in folder.store.get(path) for path in folder.store.list(layout.EVIDENCE))


@pytest.mark.parametrize("tag", ["", "x", "Case-17", "-case", "case 17", "../x", "a" * 41, "case-17\n"])
def test_names_that_cannot_be(folder, tag):
    with pytest.raises(Misuse):
        hold.add(folder.settings, tag, now=folder.clock, **WHO)


@pytest.mark.parametrize("missing", ["owner", "reason"])
def test_nobody_holds_without_saying_who_and_why(folder, missing):
    with pytest.raises(Misuse, match="--owner"):
        hold.add(folder.settings, "case-17", now=folder.clock, **{**WHO, missing: " "})


def test_only_what_is_held_is_released(folder):
    with pytest.raises(Misuse, match="there is none"):
        hold.release(folder.settings, "case-17", now=folder.clock, **WHO)
    hold.add(folder.settings, "audit-3", now=folder.clock, **WHO)
    with pytest.raises(Misuse, match="audit-3"):
        hold.release(folder.settings, "case-17", now=folder.clock, **WHO)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_at_every_write_the_same_command_goes_on(tmp_path, monkeypatch, when):
    """Whatever write it dies at: then it is in force and sealed once, and the store is sound."""
    with estate(tmp_path, small) as site:
        site.collect()
        died = killed_at_each_write(monkeypatch, hold, site.store, lambda n: hold.add(site.settings, f"case-{n}", now=site.clock, **WHO), after=when == "after")
        for number in died:
            tag = f"case-{number}"
            done = hold.add(site.settings, tag, now=site.clock, **WHO)
            assert done.in_force.count(tag) == 1
            assert [act["tag"] for act in acts(site)].count(tag) == 1
        assert sound(site)


def test_another_process_that_holds_at_once_loses_nothing(folder):
    from threading import Thread

    settings = replace(folder.settings)
    threads = [Thread(target=hold.add, args=(settings, f"case-{number}"), kwargs={"now": folder.clock, **WHO}) for number in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    folder.collect()
    assert {act["tag"] for act in acts(folder)} == {f"case-{number}" for number in range(4)}
    assert sorted(hold.in_force(folder.store)) == [f"case-{number}" for number in range(4)]
    assert sound(folder)
