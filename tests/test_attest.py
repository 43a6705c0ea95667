"""Others vouch for what is sealed: asked after every sealing, never waited for, and owed nothing twice, whoever is down and whatever is killed."""

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from shared import alarms, layout
from shared.errors import Misuse
from shared.records import timestamp
from shared.seal import post
from shared.seal.debts import PACE
from shared.seal.log import open_log
from shared.service.attest import attest, read_standing
from shared.service.attestors import attestors
from shared.service.collect import collect
from shared.service.doctor import doctor
from shared.service.standing import status
from tests.fixtures.authority import Authority
from tests.fixtures.azurite import STORE_URL
from tests.fixtures.azurite import again as another_process
from tests.fixtures.faulty import DyingStore, Killed
from tests.fixtures.receiver import Receiver
from tests.fixtures.vouched import SECRET, again, beside, site, standing, verdict
from tests.fixtures.witness import Witness

pytestmark = pytest.mark.needs("openssl")


@pytest.fixture
def authority(tmp_path):
    with Authority(tmp_path / "tsa") as made:
        yield made


@pytest.fixture
def witness():
    with Witness() as made:
        yield made


@pytest.fixture
def receiver():
    with Receiver(SECRET, lambda: 0) as made:
        yield made


@pytest.fixture
def estate_(tmp_path, authority, witness, receiver):
    """Two authorities would be as one; one of each sort."""
    with site(tmp_path, authorities=[authority], witnesses=[witness], copies=[receiver.url]) as made:
        receiver.clock = lambda: made.clock().timestamp()
        yield made


def sizes(made, ending):
    return sorted({int(name[:20]) for name in beside(made, ending)})


def closings(made):
    """Sizes of the checkpoints that end a sweep."""
    return [index + 1 for index, _ in made.records("sweep-closed")]


# -- all is well ----------------------------------------------------------------------------------------------------------


def test_each_sweep_is_stamped_cosigned_and_copied_at_its_end(estate_, receiver):
    for _ in range(2):
        estate_.collect()
        estate_.clock.advance(hours=1 / 60)
    assert sizes(estate_, "tsr") == sizes(estate_, "cosig") == sorted(receiver.kept) == closings(estate_)
    for one in standing(estate_).values():
        assert (one["size"], one["owed"], one["error"]) == (closings(estate_)[-1], 0, None)
    newest = receiver.kept[closings(estate_)[-1]]
    assert sorted(newest["beside"]) == [name for name in beside(estate_) if name.startswith(f"{closings(estate_)[-1]:020d}")]


def test_nobody_is_asked_when_nothing_is_new(estate_, authority, witness, receiver):
    estate_.collect()
    before = authority.asked, len(witness.server.asked), len(receiver.server.asked)
    state = estate_.store.get(layout.ATTESTED)
    for _ in range(5):
        estate_.clock.advance(hours=1)
        assert again(estate_) == []
    assert (authority.asked, len(witness.server.asked), len(receiver.server.asked)) == before
    assert estate_.store.get(layout.ATTESTED) == state


def test_several_authorities_each_have_a_file_of_their_own(tmp_path):
    with Authority(tmp_path, "One") as one, Authority(tmp_path, "Two") as two, site(tmp_path, authorities=[one, two]) as made:
        made.collect()
        assert len(beside(made, "tsr")) == 2
        found = verdict(made, [one, two])
        assert sum("says CN=" in line for line in found.checked) == 2


def test_without_anybody_nothing_is_written(tmp_path):
    with site(tmp_path) as made:
        made.collect()
        assert beside(made) == []
        assert made.store.get(layout.ATTESTED) is None


def test_whoever_is_no_longer_named_owes_nothing(estate_, authority):
    authority.server.stop()
    estate_.collect()
    assert standing(estate_)
    estate_.settings = replace(estate_.settings, timestamp_urls=(), witnesses=(), copies=())
    again(estate_)
    assert standing(estate_) == {}


def test_one_that_is_new_vouches_for_what_comes_and_not_for_the_past(estate_, tmp_path, authority):
    for _ in range(3):
        estate_.collect()
        estate_.clock.advance(minutes=1)
    with Authority(tmp_path, "Newcomer") as late:
        estate_.settings = replace(estate_.settings, timestamp_urls=(authority.url, late.url))
        again(estate_)
        assert late.asked == 1


# -- somebody is down -----------------------------------------------------------------------------------------------------


def test_one_that_is_down_keeps_nobody_else_from_vouching(estate_, authority, receiver):
    authority.server.stop()
    done = estate_.collect()
    assert done.complete is not None
    assert beside(estate_, "tsr") == []
    assert sizes(estate_, "cosig") == sorted(receiver.kept) == closings(estate_)
    [owed] = [one for one in standing(estate_).values() if one["owed"]]
    assert (owed["sort"], owed["owed"], owed["error"]) == ("timestamp", 1, "no connection")


@pytest.mark.parametrize("fault", ["slow", "garbage", "wrong imprint", "wrong nonce", "rejecting", "no eku", "closed"])
def test_an_answer_that_is_wrong_leaves_nothing_in_the_evidence(estate_, authority, monkeypatch, fault):
    monkeypatch.setattr(post, "SECONDS", 0.5)
    authority.fault = fault
    estate_.collect()
    assert beside(estate_, "tsr") == []
    assert standing(estate_)[attestors(estate_.settings)[0].name]["error"]
    authority.fault = None
    estate_.clock.advance(hours=1)
    again(estate_)
    assert sizes(estate_, "tsr") == closings(estate_)


def test_an_authority_whose_clock_is_behind_leaves_nothing_that_contradicts_the_records(estate_, authority, witness, receiver):
    estate_.collect()
    given = len(beside(estate_, "tsr"))
    estate_.clock.advance(days=11)  # a day ahead of the authority, which has the real time
    estate_.collect()
    assert len(beside(estate_, "tsr")) == given
    [said] = [one for one in standing(estate_).values() if one["sort"] == "timestamp"]
    assert "one of the clocks is wrong" in said["error"] and not said["grave"]
    assert list(verdict(estate_, [authority], [witness]).problems) == []


def test_down_for_days_and_back_every_sweep_gets_its_timestamp_the_newest_first(estate_, authority, witness, receiver):
    estate_.collect()
    authority.server.stop()
    witness.fault = receiver.fault = 503
    for _ in range(5):
        estate_.clock.advance(hours=6)
        estate_.collect()
    assert sizes(estate_, "tsr") == closings(estate_)[:1]
    assert [one["owed"] for one in standing(estate_).values()] == [5, 5, 1], standing(estate_)  # a witness owes the newest alone
    authority.server.start()
    witness.fault = receiver.fault = None
    estate_.clock.advance(hours=6)
    given = again(estate_)
    order = [one.size for one in given if one.name == attestors(estate_.settings)[0].name]
    assert order == sorted(order, reverse=True)
    assert sizes(estate_, "tsr") == sorted(receiver.kept) == closings(estate_)
    assert sizes(estate_, "cosig") == [closings(estate_)[0], closings(estate_)[-1]]
    assert all(one["owed"] == 0 and one["since"] is None for one in standing(estate_).values())
    found = verdict(estate_, [authority], [witness])
    assert found.intact


def test_a_token_that_comes_late_reaches_the_copies_too(estate_, authority, receiver):
    authority.server.stop()
    estate_.collect()
    [size] = closings(estate_)
    assert [name for name in receiver.kept[size]["beside"] if name.endswith(".tsr")] == []
    authority.server.start()
    estate_.clock.advance(hours=1)
    again(estate_)
    assert len([name for name in receiver.kept[size]["beside"] if name.endswith(".tsr")]) == 1


def test_a_run_takes_so_long_and_no_longer(estate_, authority, witness, receiver, monkeypatch):
    """All of them hang: the run is over after one time-out, and the next ones do not try again at once."""
    import time

    monkeypatch.setattr(post, "SECONDS", 0.5)
    estate_.collect()
    estate_.clock.advance(hours=1)
    authority.fault = "slow"
    asked = authority.asked
    collect(replace(estate_.settings, timestamp_urls=(), witnesses=(), copies=()), now=estate_.clock)
    begun = time.monotonic()
    again(estate_)
    assert time.monotonic() - begun < 2.5
    for _ in range(5):
        estate_.clock.advance(seconds=5)
        again(estate_)
    assert authority.asked == asked + 1


def test_the_newest_of_a_busy_log_is_asked_for_now_and_then(estate_, authority):
    """Checkpoints that close no sweep: an erasure each minute."""
    from shared.seal.sequencer import Sequencer
    from shared.seal.signing import load_key_file
    from shared.service.signers import first_place

    estate_.collect()
    before = authority.asked
    signer = load_key_file(first_place(estate_.settings, estate_.store).file, "example.org/evidence")
    for number in range(30):
        estate_.clock.advance(minutes=1)
        estate_.store.put(layout.open_sweep("busy"), b'{"since":0}')
        estate_.store.put_new(layout.batch("busy", f"b{number}"), b'{"v":1,"n":%d}\n' % number)
        Sequencer(estate_.store, signer).seal()
        again(estate_)
    assert authority.asked - before == 30 * 60 // PACE.seconds
    assert sizes(estate_, "tsr")[-1] >= open_log(estate_.store).size - PACE.seconds // 60


# -- killed anywhere ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_every_write(estate_, authority, receiver, after):
    """Whatever a kill leaves, the next run ends with one of each, and with copies that have all of it."""
    unvouched = replace(estate_.settings, timestamp_urls=(), witnesses=(), copies=())
    collect(unvouched, now=estate_.clock)
    fatal = 0
    while True:
        fatal += 1
        estate_.clock.advance(hours=1)
        collect(unvouched, now=estate_.clock)
        dying = DyingStore(estate_.store, fatal, after=after)
        try:
            again(estate_, dying)
        except Killed:
            pass
        else:
            break
        estate_.clock.advance(hours=1)
        again(estate_)
        newest = closings(estate_)[-1]
        names = [name for name in beside(estate_) if name.startswith(f"{newest:020d}")]
        assert [name.rpartition(".")[2] for name in names] == ["tsr", "cosig"]
        assert sorted(receiver.kept[newest]["beside"]) == names
        assert all(one["owed"] == 0 and one["error"] is None for one in standing(estate_).values())
    assert fatal == 4, "a timestamp, a cosignature, the state; and the run that was not killed"
    assert verdict(estate_, [authority]).intact


@pytest.mark.parametrize("torn", [None, b"", b"{", b"[]", b'{"seen":-4,"debts":{"x":1}}', b'{"seen":99999,"debts":{}}', b"\xff"])
def test_the_hint_may_be_lost_or_be_nonsense(estate_, authority, witness, receiver, torn):
    estate_.collect()
    if torn is None:
        estate_.store.delete(layout.ATTESTED)
    else:
        estate_.store.put(layout.ATTESTED, torn)
    asked = authority.asked
    assert read_standing(estate_.store).debts in ({}, read_standing(estate_.store).debts)
    again(estate_)
    assert authority.asked == asked, "its token is there"
    estate_.clock.advance(hours=1)
    estate_.collect()
    assert sizes(estate_, "tsr") == sizes(estate_, "cosig") == sorted(receiver.kept) == closings(estate_)


def test_two_at_once_ask_once(estate_, authority):
    from shared.seal.lease import leased

    unvouched = replace(estate_.settings, timestamp_urls=(), witnesses=(), copies=())
    collect(unvouched, now=estate_.clock)
    with leased(estate_.store, layout.ATTESTING_LOCK):
        assert attest(estate_.store, attestors(estate_.settings), estate_.clock) == []
    assert authority.asked == 0
    assert again(estate_)


# -- the log is not the one that they saw ---------------------------------------------------------------------------------


def roll_back(made, commits):
    """Put the store back to what it was some commits ago, hints and all: what restoring an old backup does."""
    root = made.root
    paths = sorted((root / layout.COMMITS).iterdir())
    size = json.loads(paths[-commits - 1].read_text())["size"]
    for path in paths[-commits:]:
        for batch in json.loads(path.read_text())["batches"]:
            (root / batch["path"]).unlink()
        path.unlink()
    for path in (root / layout.CHECKPOINTS).iterdir():
        if int(path.name[:20]) > size:
            path.unlink()
    for path in (layout.LATEST_CHECKPOINT, layout.SEQUENCER_HINT, layout.ATTESTED):
        (root / path).unlink()
    return size


def test_a_log_that_was_cut_off_is_an_alarm_at_the_witness(estate_, witness):
    estate_.collect()
    estate_.clock.advance(hours=1)
    estate_.collect()
    kept = roll_back(estate_, 3)
    again(estate_)
    [one] = [one for one in standing(estate_).values() if one["sort"] == "cosignature"]
    assert one["grave"] and f"and here it has {kept}" in one["error"]
    [check] = [check for check in doctor(estate_.settings, estate_.clock) if check.name == "cosignature"]
    assert check.mark == "failed"


def test_a_log_that_was_written_anew_is_an_alarm_at_the_copy(estate_, receiver):
    estate_.collect()
    size = closings(estate_)[-1]
    text = receiver.kept[size]["checkpoint"].replace("evidence\n", "evidence\n", 1)
    receiver.kept[size]["checkpoint"] = text.replace(text.split("\n")[2], "A" * 43 + "=", 1)
    estate_.store.delete(layout.ATTESTED)
    again(estate_)
    [one] = [one for one in standing(estate_).values() if one["sort"] == "copy"]
    assert one["grave"] and "holds another checkpoint" in one["error"]


# -- who is told ----------------------------------------------------------------------------------------------------------


def test_status_and_doctor_say_what_is_owed_and_why(estate_, authority):
    authority.server.stop()
    estate_.collect()
    shown = {one["sort"]: one for one in status(estate_.reading(), estate_.clock)["attested"]}
    assert shown["timestamp"]["error"] == "no connection" and shown["timestamp"]["owed"] == 1
    assert shown["copy"]["owed"] == shown["cosignature"]["owed"] == 0
    checks = {check.name: check for check in doctor(estate_.settings, estate_.clock)}
    assert checks["timestamp"].mark == "warning" and "no connection" in checks["timestamp"].found
    assert checks["cosignature"].mark == checks["copy"].mark == "ok"


def test_doctor_says_that_nobody_vouches_and_who_was_not_asked_yet(estate_):
    unvouched = replace(estate_.settings, timestamp_urls=(), witnesses=(), copies=())
    assert [check.mark for check in doctor(unvouched, estate_.clock) if check.name == "attestations"] == ["warning"]
    found = [check for check in doctor(estate_.settings, estate_.clock) if "not asked yet" in check.found]
    assert [check.name for check in found] == ["timestamp", "cosignature", "copy"]


def test_watch_raises_an_alarm_after_a_while_and_not_before(estate_, authority, witness):
    from shared.service.steps.app import App
    from shared.service.steps.watch import PATIENCE, watch
    from tests.fixtures.steps import Queues

    def told():
        app = App(replace(estate_.settings, schedule="0 0 0 1 1 *"), estate_.clock)
        app.__dict__["queues"] = Queues()
        return [alarm for alarm in watch(app) if alarm.id in (alarms.ATTESTATION_OWED, alarms.VERIFICATION_FAILED)]

    authority.server.stop()
    estate_.collect()
    assert told() == []
    estate_.clock.advance(seconds=PATIENCE.total_seconds() + 1)
    [alarm] = told()
    assert alarm.id == alarms.ATTESTATION_OWED
    assert "no connection" in alarm.text and "\n" not in alarm.text
    authority.server.start()
    estate_.clock.advance(hours=1)
    again(estate_)
    assert told() == []
    estate_.collect()
    roll_back(estate_, 3)
    again(estate_)
    assert [alarm.id for alarm in told()] == [alarms.VERIFICATION_FAILED]


def test_settings_that_cannot_be_are_said_before_anything_is_collected(estate_):
    vkey, url = estate_.settings.witnesses[0].split()
    for line in (f"{vkey.replace('w1', 'w2')} {url}", f"example.org/evidence+00000000+{'A' * 44} {url}"):
        size = open_log(estate_.store).size
        with pytest.raises(Misuse, match="EVIDENCE_WITNESSES"):
            collect(replace(estate_.settings, witnesses=(line,)), now=estate_.clock)
        assert open_log(estate_.store).size == size


def test_names_follow_from_address_and_key_alone(estate_):
    names = [one.name for one in attestors(estate_.settings)]
    turned = replace(
        estate_.settings, timestamp_urls=("http://127.0.0.1:1/other", *estate_.settings.timestamp_urls), copies=(*estate_.settings.copies,)
    )
    assert set(names) < {one.name for one in attestors(turned)}
    assert all(layout.checked_name(name) == name for name in names)
    assert len(set(names)) == len(names)


# -- in a storage account, in steps ---------------------------------------------------------------------------------------


@pytest.mark.needs("azurite")
def test_a_function_app_over_a_storage_account_with_a_copy_in_a_container(tmp_path, azurite, authority, witness):
    from shared.seal.blob_account import connect_to_emulator
    from tests.fixtures.steps import Plant, Queues

    azurite.fresh()
    service = connect_to_emulator(azurite.blob)
    with site(tmp_path, authorities=[authority], witnesses=[witness], account=azurite.blob) as made:
        container = service.create_container("second-domain")
        try:
            made.settings = replace(made.settings, schedule="0 0 * * * *", copies=(f"{azurite.blob}/devstoreaccount1/second-domain",))
            assert made.settings.store == STORE_URL
            works = Plant(made, Queues())
            works.plan()
            works.collect()
            works.settle()
            app = works.app()
            given = attest(app.store, app.attestors, app.now)
            size = closings(made)[-1]
            assert {(one.size) for one in given} == {size} and len(given) == 3
            copied = sorted(container.list_blob_names())
            assert copied == [f"log/checkpoint/{size:020d}", *(f"log/checkpoint/{name}" for name in beside(made))]
            assert container.get_blob_client(copied[0]).download_blob().readall() == another_process(made.store).get(layout.checkpoint(size))
            assert verdict(made, [authority], [witness]).intact
        finally:
            container.delete_container()


def test_the_time_it_has_been_owed_for_is_that_of_the_first_failure(estate_, authority):
    authority.server.stop()
    begun = estate_.clock()
    estate_.collect()
    for _ in range(4):
        estate_.clock.advance(hours=2)
        again(estate_)
    [one] = [one for one in standing(estate_).values() if one["sort"] == "timestamp"]
    assert timestamp(begun) <= one["since"] <= timestamp(begun + timedelta(minutes=1))
