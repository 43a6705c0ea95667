"""The sequencer: killed at every write, two at once, cut off: records are in the log exactly once, or nothing is signed."""

import json
import threading

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from shared import layout
from shared.errors import Misuse, StoreConflict, VerificationError
from shared.seal import note, tiles
from shared.seal.commits import last_commit, parse_commit
from shared.seal.log import open_log
from shared.seal.sequencer import Sequencer
from shared.seal.signing import signer_for
from tests.fixtures.azurite import BOTH, again, tamper
from tests.fixtures.faulty import DyingStore, Killed

SIGNER = signer_for("example.org/log", ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
P256 = signer_for("example.org/log", ec.derive_private_key(12345, ec.SECP256R1()))


def put_batches(store, sweep, names, records=3):
    if not store.exists(layout.open_sweep(sweep)):
        store.put(layout.open_sweep(sweep), b'{"since":0}')
    for name in names:
        lines = [json.dumps({"sweep": sweep, "batch": name, "n": n}).encode() for n in range(records)]
        store.put_new(layout.batch(sweep, name), b"\n".join(lines) + b"\n")


def lines_of(store):
    log = open_log(store)
    return [line for _, line in log.lines(0, log.size)]


def check_whole(store, signer=SIGNER):
    """The log is what its commits say, its tiles are those of its records, and its checkpoint is signed."""
    lines = lines_of(store)
    edge = tiles.Edge()
    for path, data in [*edge.append(lines), *edge.partial()]:
        assert store.get(layout.LOG + path) == data, path
    checkpoint = note.open_checkpoint(store.get(layout.checkpoint(len(lines))), [signer.key])
    assert (checkpoint.size, checkpoint.root) == (len(lines), edge.root())
    assert len(set(lines)) == len(lines)
    return lines


@BOTH
def test_batches_are_appended_in_their_order(new_store):
    store = new_store()
    put_batches(store, "s1", ["closed", "unit-b", "plan", "unit-a", "unit-a.findings"], records=1)
    assert Sequencer(store, SIGNER).seal() == 5
    assert [json.loads(line)["batch"] for line in check_whole(store)] == ["plan", "unit-a", "unit-b", "unit-a.findings", "closed"]
    assert Sequencer(store, SIGNER).seal() == 0


@pytest.mark.parametrize("signer", [SIGNER, P256], ids=["ed25519", "ecdsa"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@BOTH
def test_killed_at_every_single_write(new_store, signer, after, request):
    if signer is SIGNER and "blobs" in request.node.name:
        pytest.skip("on blobs the signer that signs differently every time is enough: the order of writes is the same")
    fatal = 0
    while True:
        fatal += 1
        store = new_store(f"{fatal}")
        put_batches(store, "s0", ["plan", "u1"], records=200)
        Sequencer(store, signer).seal()
        put_batches(store, "s1", ["plan", *(f"u{n}" for n in range(4))], records=150)  # fills a tile, leaves a partial one
        dying = DyingStore(store, fatal, after=after)
        try:
            Sequencer(dying, signer).seal()
            break
        except Killed:
            pass
        put_batches(store, "s1", ["late"], records=5)
        Sequencer(store, signer).seal()
        assert len(check_whole(store, signer)) == 400 + 750 + 5
    assert fatal > 10


@BOTH
def test_two_sequencers_at_once_append_everything_once(new_store):
    store = new_store()
    turns = 12 if hasattr(store, "root") else 4
    put_batches(store, "s1", ["plan"])
    errors = []

    def work(worker):
        try:
            mine = again(store)
            sequencer = Sequencer(mine, SIGNER)
            for turn in range(turns):
                put_batches(mine, "s1", [f"u{worker}-{turn}"], records=40)
                sequencer.seal()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(worker,)) for worker in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    Sequencer(store, SIGNER).seal()
    assert len(check_whole(store)) == 3 + 4 * turns * 40


@BOTH
def test_a_lost_race_is_taken_up_from_the_winner(new_store):
    store = new_store()
    put_batches(store, "s1", ["plan"])
    slow = Sequencer(store, SIGNER)
    slow.catch_up()
    put_batches(store, "s1", ["u1"])
    assert Sequencer(store, SIGNER).seal() == 6
    put_batches(store, "s1", ["u2"])
    slow.seal()
    assert len(check_whole(store)) == 9


@BOTH
def test_a_log_whose_newest_commits_were_removed_is_not_appended_to(new_store):
    store = new_store()
    for sweep in ("s1", "s2"):
        put_batches(store, sweep, ["plan"])
        Sequencer(store, SIGNER).seal()
    tamper(store, layout.commit(2), lambda data: None)
    put_batches(store, "s3", ["plan"])
    before = {path: store.get(path) for path in store.list(layout.EVIDENCE)}
    with pytest.raises(StoreConflict, match="a checkpoint for 6 was signed"):
        Sequencer(store, SIGNER).seal()
    assert before == {path: store.get(path) for path in store.list(layout.EVIDENCE)}


@BOTH
def test_a_replaced_batch_is_not_signed_for(new_store):
    store = new_store()
    put_batches(store, "s1", ["plan"])
    dying = DyingStore(store, 2, after=False)  # the commit is there, nothing derived yet
    with pytest.raises(Killed):
        Sequencer(dying, SIGNER).seal()
    tamper(store, layout.batch("s1", "plan"), lambda data: data.replace(b'"n": 1', b'"n": 7'))
    with pytest.raises(StoreConflict, match="not what was sealed"):
        Sequencer(store, SIGNER).seal()


@BOTH
def test_a_checkpoint_under_another_root_is_an_alarm(new_store):
    store = new_store()
    put_batches(store, "s1", ["plan"])
    store.put_new(layout.checkpoint(3), b"another log\n3\nAAAA\n\n\xe2\x80\x94 x AAAAAAAA\n")
    with pytest.raises(StoreConflict, match="altered"):
        Sequencer(store, SIGNER).seal()


@BOTH
def test_what_cannot_be_records_is_not_sealed(new_store):
    for number, data in enumerate([b"", b"{}", b"\n", b"{}\n\n", b"x" * 65_536 + b"\n"]):
        store = new_store(str(number))
        store.put(layout.open_sweep("s1"), b"{}")
        store.put_new(layout.batch("s1", "u1"), data)
        with pytest.raises(StoreConflict, match="u1"):
            Sequencer(store, SIGNER).seal()
        assert last_commit(store) == 0


@BOTH
def test_commits_are_canonical_or_nothing(new_store):
    store = new_store()
    put_batches(store, "s1", ["plan"])
    Sequencer(store, SIGNER).seal()
    good = store.get(layout.commit(1))
    assert parse_commit(good).encoded() == good
    for position in range(len(good)):
        for bit in range(8):
            bad = bytearray(good)
            bad[position] ^= 1 << bit
            try:
                found = parse_commit(bytes(bad))
            except (VerificationError, Misuse):
                continue
            assert found != parse_commit(good)
    with pytest.raises(Misuse, match="install a newer"):
        parse_commit(good.replace(b'"v":1', b'"v":2'))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 31])
@BOTH
def test_the_newest_commit_is_found_without_a_hint(new_store, count):
    store = new_store()
    for seq in range(1, count + 1):
        store.put_new(layout.commit(seq), b"x")
    assert last_commit(store) == count
    for hint in range(count + 3):
        store.put(layout.SEQUENCER_HINT, json.dumps({"seq": hint}).encode())
        assert last_commit(store) == count
