"""Lists of keys: read from any bytes, changed in one step or not at all, and never by who may only write to the store."""

import json
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import layout
from shared.canonical import canonical
from shared.errors import EvidenceError, Misuse, StoreConflict
from shared.seal import note
from shared.seal.key_list import KeyList, broken, change_fields, changed_keys, changes_in, first_fields, first_keys, owed
from shared.seal.keys import read_keys
from shared.seal.pen import Pen
from shared.seal.sequencer import Sequencer
from shared.seal.store import DirectoryStore
from tests.fixtures.azurite import BOTH, again, tamper
from tests.fixtures.faulty import DyingStore, Killed
from tests.fixtures.keys import BESIDE, FIRST, SECOND, STRANGER, THIRD, put_change
from tests.fixtures.records import ORIGIN

SIGNERS = [FIRST, SECOND, THIRD, BESIDE]
KEYS = [signer.key for signer in SIGNERS]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([str(key) for key in KEYS]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["keys", "before", "vaults", "lost", "number", "after"]), inner),
    max_leaves=8,
)


def born(store, *signers):
    """A log with nothing in it but the first record."""
    facts = {"format": 1, "origin": ORIGIN, **first_fields([s.key for s in signers], {}), "personal_data": "commit"}
    value = {"v": 1, "type": "event", "at": "2026-11-01T00:00:00.000000Z", "sweep": None, "resource": None, "kind": "store", "store": facts}
    store.put(layout.open_sweep(layout.BIRTH), b'{"since":0}')
    store.put_new(layout.batch(layout.BIRTH, layout.PLAN), canonical(value) + b"\n")
    Sequencer(store, Pen(signers)).seal()
    store.delete(layout.open_sweep(layout.BIRTH))
    return store


def sequencer(store, *signers, **how):
    return Sequencer(store, Pen(signers, lambda: read_keys(store), **how))


def put_batch(store, name, records=2):
    store.put(layout.open_sweep("s"), b'{"since":0}')
    store.put_new(layout.batch("s", name), b"".join(canonical({"batch": name, "n": n}) + b"\n" for n in range(records)))


def signers_of(store, size, keys=KEYS):
    return note.parse_note(store.get(layout.checkpoint(size))).signers(keys)


def sealed_lines(store):
    """Every record of the log, and the newest size; every checkpoint is of the records before it."""
    from tests.test_sequencer import lines_of

    return lines_of(store)


# -- reading -------------------------------------------------------------------------------------------------------------


@given(JSON, st.sampled_from(["store", "key", "x"]), st.sampled_from(["event", "finding", None]))
def test_no_value_is_too_strange_to_be_read(said, kind, type_):
    record = {"type": type_, "kind": kind, kind: said}
    for reader in (first_keys, changed_keys):
        for value in (record, said):
            assert reader(value) is None or isinstance(reader(value), KeyList)
    assert len(list(changes_in([canonical(record), canonical(said), b"\xff", b'{"kind":"key"']))) == (type_ == "event" and kind == "key")


@given(st.lists(st.sampled_from(KEYS), min_size=1, unique=True), st.lists(st.sampled_from(KEYS), min_size=1, unique=True), st.data())
def test_a_list_is_read_as_it_was_written(keys, before, data):
    vaults = {str(key): f"https://v.vault.azure.net/keys/k/{n:032x}" for n, key in enumerate(keys) if data.draw(st.booleans())}
    lost = tuple(str(key) for key in before if data.draw(st.booleans()))
    reason = data.draw(st.none() | st.text(max_size=20))
    change = KeyList(tuple(keys), vaults, tuple(before), lost, data.draw(st.integers(1, 9)), data.draw(st.integers(0, 9)), "2026", reason)
    assert changed_keys({"type": "event", "kind": "key", "at": "2026", "key": json.loads(canonical(change_fields(change)))}) == change


@given(st.sets(st.sampled_from(KEYS)), st.lists(st.sampled_from(KEYS), min_size=1, unique=True), st.data())
def test_a_change_holds_when_all_sign_that_owe_it_and_never_otherwise(signed_by, before, data):
    changes, previous = [], tuple(before)
    for number in range(1, data.draw(st.integers(1, 3)) + 1):
        after = tuple(data.draw(st.lists(st.sampled_from(KEYS), min_size=1, unique=True)))
        lost = tuple(str(key) for key in before if data.draw(st.booleans()))
        changes.append(KeyList(after, {}, previous, lost, number))
        previous = after
    lost = {vkey for change in changes for vkey in change.lost}
    must = {key for key in before if str(key) not in lost} | set(changes[-1].keys)
    assert set(owed(before, changes)) == must
    assert (broken(signed_by, before, changes) is None) == (must <= signed_by)


@BOTH
def test_the_lists_of_a_store_and_when_they_were_in_force(new_store):
    store = born(new_store(), FIRST)
    put_batch(store, "u1")
    sequencer(store, FIRST).seal()
    put_change(store, [SECOND, BESIDE])
    keys = read_keys(store)
    assert (keys.in_force.keys, [change.number for change in keys.pending], keys.changes[1].record) == ((FIRST.key,), [1], None)
    sequencer(store, FIRST, SECOND, BESIDE).seal()
    put_change(store, [SECOND])
    sequencer(store, SECOND, BESIDE).seal()
    keys = read_keys(store)
    assert keys.in_force.keys == (SECOND.key,)
    assert keys.pending == ()
    assert [(change.number, change.record, change.size) for change in keys.changes] == [(0, 0, 1), (1, 3, 4), (2, 4, 5)]
    assert keys.ever == [FIRST.key, SECOND.key, BESIDE.key]
    assert [keys.retired_by(key) and keys.retired_by(key).number for key in KEYS] == [1, None, None, 2]


@BOTH
@pytest.mark.parametrize("bad", [b"", b"{}\n", b"x\n", b'{"kind":"key","type":"event","key":{"keys":[],"before":[],"number":1}}\n'])
def test_what_is_no_list_stops_who_would_seal_unless_a_loss_of_power_tore_it(new_store, bad):
    store = born(new_store(), FIRST)
    store.put_new(layout.key_change(1), bad)
    if isinstance(store, DirectoryStore):
        assert read_keys(store).pending == (), "it is set aside before anything is sealed"
    else:
        with pytest.raises(StoreConflict, match="holds no change of keys"):
            read_keys(store)


@BOTH
@pytest.mark.parametrize("fields", [{"number": 2}, {"before": (THIRD.key,)}, {"number": 7}], ids=str)
def test_a_list_that_does_not_follow_is_not_believed(new_store, fields):
    store = born(new_store(), FIRST)
    put_change(store, [SECOND], **fields)
    with pytest.raises(StoreConflict, match="does not follow from the list of keys before it"):
        read_keys(store)


# -- changing ------------------------------------------------------------------------------------------------------------


@BOTH
def test_both_sign_the_change_and_the_new_one_alone_what_follows(new_store):
    store = born(new_store(), FIRST)
    put_batch(store, "u1")
    put_change(store, [SECOND])
    put_batch(store, "u2")
    assert sequencer(store, FIRST, SECOND).seal() == 5
    assert signers_of(store, 1) == [FIRST.key]
    assert signers_of(store, 2) == [FIRST.key, SECOND.key], "a commit of its own, before all that waits"
    assert signers_of(store, 6) == [SECOND.key]


@BOTH
@pytest.mark.parametrize("at_hand", [[FIRST], [FIRST, THIRD], [FIRST, BESIDE]], ids=["old", "old and another", "old and one of the new"])
def test_a_change_waits_for_who_has_all_keys_and_holds_nothing_up(new_store, at_hand):
    store = born(new_store(), FIRST)
    put_change(store, [SECOND, BESIDE])
    put_batch(store, "u1")
    assert sequencer(store, *at_hand).seal() == 2
    assert signers_of(store, 3) == [FIRST.key]
    put_batch(store, "u2")
    assert sequencer(store, FIRST, SECOND, BESIDE).seal() == 3
    assert read_keys(store).in_force.keys == (SECOND.key, BESIDE.key)


class Mute:
    """A key whose vault does not answer."""

    def __init__(self, signer, error):
        self.key, self.identifier, self.error = signer.key, None, error

    def sign(self, text):
        raise self.error


@BOTH
@pytest.mark.parametrize("error", [Misuse("disabled"), StoreConflict("odd")], ids=["refuses", "fails"])
def test_a_change_to_a_key_that_does_not_sign_is_not_begun(new_store, error):
    """A commit whose checkpoint nobody can sign would be the end of the log."""
    store = born(new_store(), FIRST)
    put_change(store, [SECOND])
    put_batch(store, "u1")
    assert sequencer(store, FIRST, Mute(SECOND, error)).seal() == 2
    assert read_keys(store).pending


@BOTH
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_killed_at_every_write_of_a_change(new_store, after):
    fatal, stride = 0, 1
    while True:
        fatal += stride
        store = born(new_store(f"{fatal}"), FIRST)
        stride = 1 if isinstance(store, DirectoryStore) else 7  # a write takes the emulator a hundred times as long
        put_batch(store, "u1", records=250)
        put_change(store, [SECOND])
        put_batch(store, "u2", records=20)
        try:
            sequencer(DyingStore(store, fatal, after=after), FIRST, SECOND).seal()
            break
        except Killed:
            pass
        old = sequencer(store, FIRST)
        try:
            old.seal()
        except Misuse as error:
            assert "nothing is lost" in str(error)  # one line; or it goes on
        sequencer(store, FIRST, SECOND).seal()
        assert read_keys(store).in_force.keys == (SECOND.key,)
        assert not read_keys(store).pending
        lines = sealed_lines(store)
        assert (len(lines), len(set(lines))) == (272, 272)
        size = read_keys(store).changes[1].size
        assert signers_of(store, size) == [FIRST.key, SECOND.key]
        put_batch(store, "late")
        with pytest.raises(Misuse, match="the signing key was changed"):
            sequencer(store, FIRST).seal()
    assert fatal > 8


@BOTH
def test_two_who_change_the_keys_at_once_make_one_change(new_store):
    store = born(new_store(), FIRST)
    put_batch(store, "u1", records=30)
    put_change(store, [SECOND])
    errors = []

    def work(worker):
        try:
            mine = again(store)
            for turn in range(4):
                sequencer(mine, FIRST, SECOND).seal()
                put_batch(mine, f"w{worker}-{turn}", records=10)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(3)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    sequencer(store, SECOND).seal()
    assert not errors
    assert len(sealed_lines(store)) == 1 + 1 + 30 + 3 * 4 * 10
    assert signers_of(store, read_keys(store).changes[1].size) == [FIRST.key, SECOND.key]


@BOTH
def test_a_running_collector_with_the_old_key_stops_with_one_line(new_store):
    store = born(new_store(), FIRST)
    running = sequencer(store, FIRST)
    put_batch(store, "u1")
    running.seal()
    put_change(store, [SECOND])
    sequencer(again(store), FIRST, SECOND).seal()
    put_batch(store, "u2")
    before = set(store.list(layout.EVIDENCE))
    with pytest.raises(Misuse, match=r"the signing key was changed: set EVIDENCE_SIGNING_KEY to the new one .*; nothing is lost") as stopped:
        running.seal()
    assert str(SECOND.key) in str(stopped.value)
    assert set(store.list(layout.EVIDENCE)) == before
    assert sequencer(store, SECOND).seal() == 2


@BOTH
def test_a_change_between_reading_the_keys_and_reading_the_log_is_not_missed(new_store):
    """The keys are read again whenever the log is: else a retired key would sign what comes next."""
    store = born(new_store(), FIRST)
    put_change(store, [SECOND])

    class Late:
        """Reads the log when another has just finished a change."""

        def __getattr__(self, name):
            return getattr(store, name)

        def exists(self, path):
            if path == layout.commit(1) and not store.exists(layout.commit(2)):
                sequencer(again(store), FIRST, SECOND).seal()
                put_batch(store, "u1")
            return store.exists(path)

    with pytest.raises(Misuse, match="the signing key was changed"):
        sequencer(Late(), FIRST).seal()
    assert all(SECOND.key in signers_of(store, size) for size in (2, 4) if store.exists(layout.checkpoint(size)))


@BOTH
def test_one_that_was_given_up_is_followed_by_another_in_the_same_step(new_store):
    store = born(new_store(), FIRST)
    put_change(store, [SECOND])
    put_change(store, [THIRD])
    sequencer(store, FIRST, THIRD).seal()
    keys = read_keys(store)
    assert keys.in_force.keys == (THIRD.key,)
    assert {change.size for change in keys.changes[1:]} == {3}
    assert signers_of(store, 3) == [FIRST.key, THIRD.key]


# -- by who may not ------------------------------------------------------------------------------------------------------


@BOTH
def test_a_change_hidden_in_another_batch_is_not_sealed(new_store):
    """Whoever may write batches could else name his own key, and have it signed for."""
    store = born(new_store(), FIRST)
    put_change(store, [STRANGER])
    hidden = store.get(layout.key_change(1))
    store = born(new_store("another"), FIRST)
    store.put(layout.open_sweep("s"), b'{"since":0}')
    store.put_new(layout.batch("s", "u1"), b'{"a":1}\n' + hidden + b'{"b":2}\n')
    before = set(store.list(layout.EVIDENCE))
    with pytest.raises(StoreConflict, match="a change of keys that `key rotate` did not write"):
        sequencer(store, FIRST).seal()
    assert set(store.list(layout.EVIDENCE)) == before


@BOTH
def test_a_marker_makes_no_ordinary_batch_of_a_change(new_store):
    store = born(new_store(), FIRST)
    put_change(store, [STRANGER])
    store.put(layout.open_sweep(layout.KEY_CHANGES), b'{"since":0}')
    assert sequencer(store, FIRST).seal() == 0


@BOTH
def test_a_change_is_sealed_once(new_store):
    store = born(new_store(), FIRST)
    for after in ([SECOND], [THIRD], [BESIDE]):
        put_change(store, after)
        sequencer(store, FIRST, SECOND, THIRD, BESIDE).seal()
        assert sequencer(store, *after).seal() == 0
    assert [change.record for change in read_keys(store).changes] == [0, 1, 2, 3]
    assert len(sealed_lines(store)) == 4


@BOTH
def test_what_only_looks_like_a_change_is_sealed(new_store):
    store = born(new_store(), FIRST)
    store.put(layout.open_sweep("s"), b'{"since":0}')
    store.put_new(layout.batch("s", "u1"), canonical({"type": "change", "fields": [{"was": {"kind": "key"}}]}) + b"\n")
    assert sequencer(store, FIRST).seal() == 1


@BOTH
@pytest.mark.parametrize("by", [[STRANGER], [FIRST], []], ids=["the new key alone", "the old key alone", "nobody"])
def test_a_change_that_was_not_handed_over_stops_everybody(new_store, by):
    from tests.fixtures.keys import AnyPen

    store = born(new_store(), FIRST)
    running = sequencer(store, FIRST)
    running.catch_up()
    put_change(store, [STRANGER])
    pen = AnyPen(by or [FIRST])
    pen._signers = {signer.key: signer for signer in by}
    Sequencer(again(store), pen).seal()
    put_batch(store, "u1")
    for work in (running.seal, lambda: read_keys(store), lambda: sequencer(store, FIRST).seal()):
        with pytest.raises(StoreConflict, match=r"keys of this log|not signed|does not hold"):
            work()


@BOTH
def test_a_key_that_is_called_lost_and_signs_is_an_alarm(new_store):
    """Somebody has the store, and not the key: he says that it is lost."""
    store = born(new_store(), FIRST)
    running = sequencer(store, FIRST)
    running.catch_up()
    put_change(store, [STRANGER], lost=[FIRST])
    sequencer(again(store), STRANGER, given_up=True).seal()
    put_batch(store, "u1")
    with pytest.raises(StoreConflict, match="names .* as lost, and it signs here"):
        running.seal()
    assert read_keys(store).in_force.keys == (STRANGER.key,)


@BOTH
def test_what_a_lost_key_owed_stays_unsigned_and_the_log_goes_on(new_store):
    store = born(new_store(), FIRST)
    put_batch(store, "u1")
    with pytest.raises(Misuse):
        sequencer(store, Mute(FIRST, Misuse("gone"))).seal()
    assert store.exists(layout.commit(2))
    put_change(store, [SECOND], lost=[FIRST])
    with pytest.raises(Misuse):
        sequencer(store, SECOND).seal()
    sequencer(store, SECOND, given_up=True).seal()
    assert not store.exists(layout.checkpoint(3))
    assert signers_of(store, 4) == [SECOND.key]
    put_batch(store, "u2")
    assert sequencer(store, SECOND).seal() == 2


@BOTH
def test_an_altered_handover_is_not_believed(new_store):
    store = born(new_store(), FIRST)
    put_change(store, [SECOND])
    sequencer(store, FIRST, SECOND).seal()
    good = store.get(layout.checkpoint(2))
    for bad in (good[:-3] + b"=\n", good.replace(b"\n2\n", b"\n3\n"), b"", b"x", good.rpartition(b"\xe2\x80\x94")[0]):
        tamper(store, layout.checkpoint(2), lambda data, bad=bad: bad)
        with pytest.raises(EvidenceError):
            read_keys(store)
