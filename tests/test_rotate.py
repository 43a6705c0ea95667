"""`key rotate` and `key list`: one step from the old keys to the new ones, whoever is killed where, and never without the old ones' word."""

import threading
from dataclasses import replace

import pytest

from shared import layout
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.seal import note
from shared.seal.keys import read_keys
from shared.seal.signing import load_key_file
from shared.seal.store import DirectoryStore
from shared.service import rotate as rotate_module
from shared.service.compose import sealing
from shared.service.init import init
from shared.service.key_history import key_history
from shared.service.rotate import Wanted, rotate
from shared.settings import Settings
from tests.fixtures.faulty import DyingStore, Killed
from tests.fixtures.keys import STRANGER, AnyPen, put_change
from tests.fixtures.vaults import signed
from tests.test_signers import pem_of

ORIGIN = "example.org/evidence"


@pytest.fixture
def filed(tmp_path):
    """A store with a key file beside it."""
    settings = Settings(store=str(tmp_path / "store"))
    init(settings, origin=ORIGIN)
    return settings


@pytest.fixture
def vaulted(tmp_path, local_vault):
    """A store whose key is in a vault."""
    local_vault.add_key("evidence")
    settings = Settings(store=str(tmp_path / "store"), cloud="loopback", signing_key=f"{local_vault.endpoint}/keys/evidence")
    init(settings, origin=ORIGIN)
    return settings


def store_at(settings):
    return DirectoryStore(rotate_module.store_of(settings).root)


def in_force(settings):
    return read_keys(store_at(settings)).in_force


def signers_of(settings, size):
    keys = dict.fromkeys(key for change in read_keys(store_at(settings)).changes for key in change.list.keys)
    return note.parse_note(store_at(settings).get(layout.checkpoint(size))).signers(list(keys))


# -- from file to file ---------------------------------------------------------------------------------------------------


def test_to_a_file_that_is_made_and_both_sign_the_change(filed, tmp_path):
    old = in_force(filed).keys[0]
    new = tmp_path / "new.pem"
    done = rotate(filed, Wanted(to=str(new), reason="yearly", algorithm="ecdsa-p256"))
    key = load_key_file(new, ORIGIN).key
    assert done.changed
    assert done.settings == {"EVIDENCE_SIGNING_KEY": str(new)}
    assert in_force(filed).keys == (key,)
    assert signers_of(filed, 2) == [old, key]
    assert not list(store_at(filed).list(layout.OPEN_SWEEPS))
    with pytest.raises(Misuse, match=rf"store.key.pem signs no more since record 1 .*set EVIDENCE_SIGNING_KEY to the key in force .*{key.key_id.hex()}"):
        sealing(filed, store_at(filed))
    assert sealing(replace(filed, signing_key=str(new)), store_at(filed)).signers[0].key == key


def test_done_again_it_changes_nothing(filed, tmp_path):
    wanted = Wanted(to=str(tmp_path / "new.pem"))
    rotate(filed, wanted)
    before = sorted(store_at(filed).list(layout.EVIDENCE))
    for settings in (filed, replace(filed, signing_key=wanted.to)):
        assert not rotate(settings, wanted).changed
    assert not rotate(replace(filed, signing_key=wanted.to), Wanted()).changed
    assert sorted(store_at(filed).list(layout.EVIDENCE)) == before


def test_a_key_is_not_used_twice(filed, tmp_path):
    first = tmp_path / "store.key.pem"
    rotate(filed, Wanted(to=str(tmp_path / "new.pem")))
    with pytest.raises(Misuse, match="signed this log until record 1, and a key is not used twice: make a new one"):
        rotate(replace(filed, signing_key=str(tmp_path / "new.pem")), Wanted(to=str(first)))
    with pytest.raises(Misuse, match="signs no more since record 1"):
        rotate(filed, Wanted())


@pytest.mark.parametrize("what", ["a folder", "no key", "p384"])
def test_what_cannot_be_a_key_changes_nothing(filed, tmp_path, what):
    place = tmp_path / "odd.pem"
    if what == "a folder":
        place.mkdir()
    else:
        place.write_text("x" if what == "no key" else pem_of("ed25519").replace("MC4", "MC5"))
    before = sorted(store_at(filed).list(layout.EVIDENCE))
    with pytest.raises(Misuse):
        rotate(filed, Wanted(to=str(place)))
    assert sorted(store_at(filed).list(layout.EVIDENCE)) == before


def test_the_history_tells_when_which_key_signed(filed, tmp_path):
    rotate(filed, Wanted(to=str(tmp_path / "new.pem"), reason="yearly"))
    put_change(store_at(filed), [STRANGER])
    found = key_history(filed)
    assert [(each["number"], each["record"], each["state"], each["reason"]) for each in found] == [
        (0, 0, "past", None), (1, 1, "in force", "yearly"), (2, None, "begun", None),
    ]  # fmt: skip
    assert [each["keys"][0]["vault"] for each in found] == [None] * 3


# -- killed, two at once -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_write_the_same_command_finishes_it(tmp_path, monkeypatch, after):
    fatal = 0
    alive = False
    while not alive:
        fatal += 1
        settings = Settings(store=str(tmp_path / f"{fatal}" / "store"))
        init(settings, origin=ORIGIN)
        store = store_at(settings)
        new = settings.store + ".new.pem"
        with monkeypatch.context() as patch:
            patch.setattr(rotate_module, "store_of", lambda _, store=store, fatal=fatal: DyingStore(store, fatal, after=after))
            try:
                rotate(settings, Wanted(to=new))
                alive = True
            except Killed:
                pass
        old = sealing(settings, store) if not read_keys(store).changes[-1].in_force or len(read_keys(store).changes) == 1 else None
        if old is not None:  # whoever has the old key alone goes on, or is told in one line
            store.put_new(layout.batch("s", "u1"), b'{"a":1}\n')
            store.put(layout.open_sweep("s"), b'{"since":0}')
            try:
                old.sequencer.seal()
            except Misuse as error:
                assert "key rotate" in str(error)
                assert "nothing is lost" in str(error)
        rotate(settings, Wanted(to=new))
        keys = read_keys(store)
        assert keys.in_force.keys == (load_key_file(tmp_path / f"{fatal}" / "store.new.pem", ORIGIN).key,)
        assert len(keys.changes) == 2
        assert len(signers_of(settings, keys.changes[1].size)) == 2
        sealing(replace(settings, signing_key=new), store).sequencer.seal()
    assert fatal > 6


def test_killed_right_after_the_new_key_file_the_same_command_takes_it(filed, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(rotate_module, "create_key_file", lambda path, private: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            rotate(filed, Wanted(to=str(tmp_path / "new.pem")))
    rotate(filed, Wanted(to=str(tmp_path / "new.pem")))
    assert len(key_history(filed)) == 2


def test_what_a_loss_of_power_tore_is_begun_again(filed, tmp_path):
    """The batch was named before its bytes were on the disk."""
    store = store_at(filed)
    put_change(store, [STRANGER])
    for torn in (b"", b'{"v":1', b"\0" * 300):
        (store.root / layout.key_change(1)).write_bytes(torn)
        sealing(filed, store).sequencer.seal()
    rotate(filed, Wanted(to=str(tmp_path / "new.pem")))
    assert in_force(filed).keys == (load_key_file(tmp_path / "new.pem", ORIGIN).key,)


def test_two_at_once_make_one_change(filed, tmp_path):
    new = tmp_path / "new.pem"
    outcomes = []

    def work():
        try:
            outcomes.append(rotate(filed, Wanted(to=str(new))).changed)
        except Misuse as error:  # the other one was just writing the file
            outcomes.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert len(outcomes) == 4
    assert all(isinstance(outcome, bool) or "not an unencrypted private key" in str(outcome) for outcome in outcomes), outcomes
    rotate(filed, Wanted(to=str(new)))
    assert len(key_history(filed)) == 2
    assert len(signers_of(filed, 2)) == 2


def test_two_different_changes_at_once_end_in_one_of_them(filed, tmp_path):
    outcomes = {}

    def work(name):
        try:
            outcomes[name] = rotate(filed, Wanted(to=str(tmp_path / f"{name}.pem")))
        except (Misuse, StoreConflict) as error:
            outcomes[name] = error

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    keys = read_keys(store_at(filed))
    made = [name for name in ("a", "b") if (tmp_path / f"{name}.pem").exists()]
    assert all(isinstance(outcomes[name], Misuse) for name in {"a", "b"} - set(made)), "who came when all was over is refused, and makes no key"
    by_key = {load_key_file(tmp_path / f"{name}.pem", ORIGIN).key: name for name in made}
    winner = by_key[keys.in_force.keys[0]]
    assert all(name == winner or isinstance(found, Misuse) or not keys.pending for name, found in outcomes.items())
    sealing(replace(filed, signing_key=str(tmp_path / f"{winner}.pem")), store_at(filed)).sequencer.seal()


def test_a_change_after_another_one_is_refused_and_leaves_no_key_behind(filed, tmp_path):
    """What two at once come to where one of them is done before the other begins: the settings still name the old key."""
    rotate(filed, Wanted(to=str(tmp_path / "a.pem")))
    with pytest.raises(Misuse, match="is in force and must sign the change"):
        rotate(filed, Wanted(to=str(tmp_path / "b.pem")))
    assert not (tmp_path / "b.pem").exists()
    assert in_force(filed).keys == (load_key_file(tmp_path / "a.pem", ORIGIN).key,)


def test_a_change_whose_new_key_is_gone_is_given_up_for_another(filed, tmp_path):
    put_change(store_at(filed), [STRANGER])
    sealing(filed, store_at(filed)).sequencer.seal()
    rotate(filed, Wanted(to=str(tmp_path / "other.pem")))
    assert [each["state"] for each in key_history(filed)] == ["past", "past", "in force"]
    assert signers_of(filed, 3) == [load_key_file(tmp_path / name, ORIGIN).key for name in ("store.key.pem", "other.pem")]


def test_a_change_that_was_begun_can_be_taken_back(filed):
    put_change(store_at(filed), [STRANGER])
    assert rotate(filed, Wanted()).changed
    assert in_force(filed).keys[0] == load_key_file(rotate_module.store_of(filed).root.with_name("store.key.pem"), ORIGIN).key
    assert not rotate(filed, Wanted()).changed
    sealing(filed, store_at(filed)).sequencer.seal()


# -- a vault -------------------------------------------------------------------------------------------------------------


def test_to_the_version_that_is_current_in_the_vault(vaulted, local_vault):
    old = in_force(vaulted)
    assert old.vaults[str(old.keys[0])].startswith(f"{local_vault.endpoint}/keys/evidence/")
    assert not rotate(vaulted, Wanted()).changed
    version = local_vault.add_key("evidence")
    done = rotate(vaulted, Wanted())
    assert done.changed
    assert done.settings == {}
    assert in_force(vaulted).place(in_force(vaulted).keys[0]).endswith(version)
    assert signers_of(vaulted, 2) == [old.keys[0], in_force(vaulted).keys[0]]
    assert sealing(vaulted, store_at(vaulted)).signers[0].identifier.endswith(version), "without a version in the setting nothing is to be set"


def test_a_new_version_in_the_vault_stops_nothing(vaulted, local_vault):
    local_vault.add_key("evidence")
    ready = sealing(vaulted, store_at(vaulted))
    assert ready.signers[0].key == in_force(vaulted).keys[0]
    ready.sequencer.seal()


def test_a_pinned_version_is_rotated_by_pinning_the_next(vaulted, local_vault):
    versions = list(local_vault.held["keys"]["evidence"])
    versions.append(local_vault.add_key("evidence"))
    pinned = [replace(vaulted, signing_key=f"{vaulted.signing_key}/{version}") for version in versions]
    sealing(pinned[0], store_at(vaulted)).sequencer.seal()
    with pytest.raises(Misuse, match=r"is not the key of this store .*`aoai-evidence key rotate` makes it the key of this log"):
        sealing(pinned[1], store_at(vaulted))
    assert rotate(pinned[1], Wanted()).changed
    sealing(pinned[1], store_at(vaulted)).sequencer.seal()
    with pytest.raises(Misuse, match="signs no more since record 1"):
        sealing(pinned[0], store_at(vaulted))


def test_whoever_has_the_vault_finishes_what_another_began(vaulted, local_vault, monkeypatch):
    """The app seals every half minute: a `key rotate` that was killed is finished by it."""
    local_vault.add_key("evidence")
    store = store_at(vaulted)
    with monkeypatch.context() as patch:
        patch.setattr(rotate_module, "store_of", lambda _: DyingStore(store, 3, after=False))
        with pytest.raises(Killed):
            rotate(vaulted, Wanted())
    assert read_keys(store).pending
    sealing(vaulted, store).sequencer.seal()
    assert not read_keys(store).pending
    assert len(signers_of(vaulted, 2)) == 2


def test_from_a_file_into_a_vault(filed, local_vault):
    local_vault.add_key("evidence")
    settings = replace(filed, cloud="loopback")
    place = f"{local_vault.endpoint}/keys/evidence"
    done = rotate(settings, Wanted(to=place))
    assert done.settings == {"EVIDENCE_SIGNING_KEY": place}
    assert in_force(settings).vaults
    sealing(replace(settings, signing_key=place), store_at(settings)).sequencer.seal()
    with pytest.raises(Misuse, match="set EVIDENCE_SIGNING_KEY to the key in force .http://127"):
        sealing(settings, store_at(settings))


def test_the_vaults_weather_delays_a_change_and_loses_nothing(vaulted, local_vault):
    local_vault.add_key("evidence")
    local_vault.throttle(9)
    with pytest.raises(Unreachable, match="throttled"):
        rotate(vaulted, Wanted())
    assert len(key_history(vaulted)) == 1
    local_vault.faults.clear()
    local_vault.permissions = frozenset({"keys/get"})
    with pytest.raises(Misuse, match="not allowed to sign"):
        rotate(vaulted, Wanted())
    assert len(key_history(vaulted)) == 1
    local_vault.permissions = frozenset({"keys/get", "keys/sign"})
    assert rotate(vaulted, Wanted()).changed


def test_a_vault_that_fails_between_commit_and_checkpoint_is_waited_for(vaulted, local_vault, monkeypatch):
    local_vault.add_key("evidence")
    before = signed(local_vault)
    monkeypatch.setattr(local_vault, "spoil", lambda raw: raw if signed(local_vault) - before < 4 else raw[::-1])
    with pytest.raises(Unreachable, match="nothing was signed"):
        rotate(vaulted, Wanted())
    assert [each["state"] for each in key_history(vaulted)] == ["in force", "begun"]
    monkeypatch.setattr(local_vault, "spoil", lambda raw: raw)
    sealing(vaulted, store_at(vaulted)).sequencer.seal()
    assert [each["state"] for each in key_history(vaulted)] == ["past", "in force"]


# -- the second key ------------------------------------------------------------------------------------------------------


def test_a_second_key_joins_changes_and_leaves(vaulted, local_vault, tmp_path):
    local_vault.add_secret("second", pem_of("ed25519"))
    both = replace(vaulted, second_signing_key=f"{local_vault.endpoint}/secrets/second")
    ready = sealing(both, store_at(both))
    assert len(ready.signers) == 1, "it signs nothing before it is one of the keys"
    rotate(both, Wanted())
    first, second = in_force(both).keys
    assert [key.algorithm for key in (first, second)] == [note.ECDSA, note.ED25519]
    assert "/secrets/second/" in in_force(both).vaults[str(second)]
    assert signers_of(both, 2) == [first, second]
    local_vault.add_secret("second", pem_of("ed25519"))
    assert [signer.key for signer in sealing(both, store_at(both)).signers] == [first, second], "the version that was sealed"
    rotate(both, Wanted())
    assert in_force(both).keys[0] == first
    assert in_force(both).keys[1] != second
    assert set(signers_of(both, 3)) == {first, second, in_force(both).keys[1]}
    with pytest.raises(Misuse, match="is in force and must sign the change, and cannot .it is at no place that EVIDENCE_SIGNING_KEY"):
        rotate(vaulted, Wanted())
    done = rotate(both, Wanted(second="none"))
    assert done.settings == {"EVIDENCE_SECOND_SIGNING_KEY": ""}
    assert in_force(both).keys == (first,)


def test_a_log_with_two_keys_goes_on_where_the_second_is_not_set(vaulted, local_vault):
    local_vault.add_secret("second", pem_of("ed25519"))
    rotate(replace(vaulted, second_signing_key=f"{local_vault.endpoint}/secrets/second"), Wanted())
    sealing(vaulted, store_at(vaulted)).sequencer.seal()


def test_the_same_key_twice_is_refused(filed, tmp_path):
    file = tmp_path / "one.pem"
    file.write_text(pem_of("ed25519"))
    with pytest.raises(Misuse, match="hold the same key"):
        rotate(filed, Wanted(to=str(file), second=str(file)))


# -- lost ----------------------------------------------------------------------------------------------------------------


def test_a_key_that_cannot_sign_is_not_passed_over_unless_it_is_said_to_be_lost(vaulted, local_vault):
    old = in_force(vaulted).keys[0]
    next(iter(local_vault.held["keys"]["evidence"].values())).enabled = False
    local_vault.add_key("evidence")
    with pytest.raises(Misuse, match=rf"{old.key_id.hex()} is in force and must sign the change, and cannot .*is disabled.*--lost"):
        rotate(vaulted, Wanted())
    assert len(key_history(vaulted)) == 1
    done = rotate(vaulted, Wanted(lost=True, reason="the version was purged"))
    assert done.changed
    assert key_history(vaulted)[1]["lost"] == [str(old)]
    assert signers_of(vaulted, 2) == [in_force(vaulted).keys[0]]
    assert not rotate(vaulted, Wanted(lost=True)).changed
    sealing(vaulted, store_at(vaulted)).sequencer.seal()


def test_a_key_that_signs_is_not_lost(filed, tmp_path):
    with pytest.raises(Misuse, match="all keys in force can sign: none is lost, leave --lost out"):
        rotate(filed, Wanted(to=str(tmp_path / "new.pem"), lost=True))
    assert len(key_history(filed)) == 1
    assert not (tmp_path / "new.pem").exists()


def test_a_vault_that_does_not_answer_is_no_loss(vaulted, local_vault, tmp_path):
    def away():
        raise ConnectionResetError

    local_vault.faults.extend([away] * 9)
    with pytest.raises(Unreachable, match="no answer from the vault"):
        rotate(vaulted, Wanted(to=str(tmp_path / "new.pem"), lost=True))
    local_vault.faults.clear()
    assert len(key_history(vaulted)) == 1


def test_what_the_lost_key_still_owed_stays_unsigned(filed, tmp_path):
    """It was lost between a commit and its checkpoint: the most likely moment."""
    store, file = store_at(filed), tmp_path / "store.key.pem"
    store.put_new(layout.batch("s", "u1"), b'{"a":1}\n')
    store.put(layout.open_sweep("s"), b'{"since":0}')
    fatal = 0
    while not store.exists(layout.commit(2)):
        fatal += 1
        with pytest.raises(Killed):
            sealing(filed, DyingStore(store, fatal, after=True)).sequencer.seal()
    assert not store.exists(layout.checkpoint(2))
    file.unlink()
    with pytest.raises(Misuse, match="cannot read the signing key .*--lost"):
        rotate(filed, Wanted(to=str(tmp_path / "new.pem")))
    rotate(filed, Wanted(to=str(tmp_path / "new.pem"), lost=True))
    assert not store.exists(layout.checkpoint(2))
    assert len(signers_of(filed, 3)) == 1
    sealing(replace(filed, signing_key=str(tmp_path / "new.pem")), store).sequencer.seal()


def test_a_key_that_is_called_lost_and_is_found_is_told_loudly(filed, tmp_path):
    file, away = tmp_path / "store.key.pem", tmp_path / "away.pem"
    file.rename(away)
    rotate(filed, Wanted(to=str(tmp_path / "new.pem"), lost=True))
    away.rename(file)
    with pytest.raises(Misuse, match=r"was given up as lost in record 1 .*somebody else has changed the keys, so run verify --store"):
        sealing(filed, store_at(filed))


def test_lost_after_a_change_was_begun(filed, tmp_path):
    put_change(store_at(filed), [STRANGER])
    (tmp_path / "store.key.pem").unlink()
    rotate(filed, Wanted(to=str(tmp_path / "new.pem"), lost=True))
    assert [each["state"] for each in key_history(filed)] == ["past", "past", "in force"]


def test_what_somebody_else_wrote_is_not_gone_on_with(filed, tmp_path):
    from shared.seal.sequencer import Sequencer

    put_change(store_at(filed), [STRANGER])
    Sequencer(store_at(filed), AnyPen([STRANGER])).seal()
    with pytest.raises(StoreConflict, match="somebody else wrote it"):
        rotate(filed, Wanted(to=str(tmp_path / "new.pem")))
