"""The store: write-once, whole or not at all; what both kinds promise, and what is a directory's alone (of accounts: test_blobs.py)."""

import errno
import os
import threading

import pytest

from shared import layout
from shared.canonical import sha256
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.seal.lease import leased
from shared.seal.store import DirectoryStore, open_directory, put_body, put_same
from tests.fixtures.azurite import BOTH, again

PATH = layout.batch("s", "u")


@BOTH
def test_the_first_writer_wins_and_nothing_is_ever_replaced(new_store):
    store = new_store()
    assert store.put_new(PATH, b"one\n")
    assert not store.put_new(PATH, b"two\n")
    assert store.get(PATH) == b"one\n"
    put_same(store, PATH, b"one\n")
    with pytest.raises(StoreConflict):
        put_same(store, PATH, b"two\n")
    for verb in (lambda: store.put(PATH, b"x"), lambda: store.delete(PATH)):
        with pytest.raises(StoreConflict, match="evidence"):
            verb()
    assert store.get(PATH) == b"one\n"


@BOTH
def test_of_many_writers_at_once_one_wins(new_store):
    store = new_store()
    for round_ in range(20):
        wins = []
        barrier = threading.Barrier(8)

        def write(number, path=layout.batch("s", f"u{round_}"), barrier=barrier, wins=wins):
            barrier.wait()
            if again(store).put_new(path, b"%d\n" % number):
                wins.append(number)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert len(wins) == 1
        assert again(store).get(layout.batch("s", f"u{round_}")) == b"%d\n" % wins[0]


@BOTH
def test_bodies_are_kept_once_under_their_digest(new_store):
    store = new_store()
    digest = put_body(store, b"{}")
    assert digest == sha256(b"{}") == put_body(store, b"{}")
    assert list(store.list(layout.BODIES)) == [layout.body(digest)]


@BOTH
def test_what_is_not_there_is_absent_and_deleting_it_is_nothing(new_store):
    store = new_store()
    assert store.get(PATH) is None
    assert not store.exists(PATH)
    assert list(store.list(layout.BATCHES)) == list(store.list(layout.STATE)) == []
    store.delete(layout.LATEST_CHECKPOINT)


@BOTH
def test_what_is_mutable_is_replaced_and_deleted(new_store):
    store = new_store()
    for data in (b"one", b"", b"two" * 100_000):
        store.put(layout.LATEST_CHECKPOINT, data)
        assert store.get(layout.LATEST_CHECKPOINT) == data
        assert store.exists(layout.LATEST_CHECKPOINT)
    store.delete(layout.LATEST_CHECKPOINT)
    assert store.get(layout.LATEST_CHECKPOINT) is None


@BOTH
def test_a_listing_is_sorted_and_of_its_folder_alone(new_store):
    store = new_store()
    names = [f"u{number:02d}" for number in (7, 1, 12, 3, 11)]
    for name in names:
        store.put_new(layout.batch("s", name), b"x\n")
        store.put_new(layout.batch("s2", name), b"x\n")
    assert list(store.list(f"{layout.BATCHES}s/")) == [layout.batch("s", name) for name in sorted(names)]
    assert sorted(store.list(layout.EVIDENCE)) == sorted(layout.batch(sweep, name) for sweep in ("s", "s2") for name in names)


@BOTH
def test_a_lease_is_held_by_one_until_it_is_given_back(new_store):
    store = new_store()
    for _ in range(2):
        with leased(store, layout.SEQUENCER_LOCK) as mine:
            assert mine.renew()
            with leased(again(store), layout.SEQUENCER_LOCK) as other:
                assert other is None
            assert store.lease(layout.SEQUENCER_LOCK) is None
            assert mine.renew()
        assert not mine.renew()
        mine.release()


def test_a_body_torn_by_a_loss_of_power_is_made_whole(tmp_path):
    store = DirectoryStore(tmp_path)
    digest = put_body(store, b'{"a":1}')
    (tmp_path / layout.body(digest)).write_bytes(b"")
    assert put_body(store, b'{"a":1}') == digest
    assert store.get(layout.body(digest)) == b'{"a":1}'


def test_a_name_that_vouches_comes_only_after_a_flush(tmp_path, monkeypatch):
    store, events = DirectoryStore(tmp_path), []
    monkeypatch.setattr(store, "flush", lambda: events.append("flush"))
    real = os.link
    monkeypatch.setattr(os, "link", lambda a, b: (events.append(b.rpartition("/")[2]), real(a, b)))
    put_body(store, b"x")
    store.put_new(PATH, b"{}\n")
    store.put_new(layout.commit(1), b"{}")
    store.put_new(layout.checkpoint(1), b"{}")
    assert events == [sha256(b"x"), "u.jsonl", "flush", "000000000001.json", "flush", f"{1:020d}"]


def test_nothing_is_left_aside(tmp_path):
    store = DirectoryStore(tmp_path)
    for number in range(5):
        store.put_new(layout.batch("s", f"u{number}"), b"x\n")
        store.put_new(layout.batch("s", f"u{number}"), b"y\n")
        store.put(layout.LATEST_CHECKPOINT, b"z")
    assert list(store.list("state/tmp/")) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_is_said_in_one_line_and_leaves_nothing(tmp_path, monkeypatch, code):
    store = DirectoryStore(tmp_path)
    store.put(layout.LATEST_CHECKPOINT, b"old")

    def refuse(handle, data):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "write", refuse)
    for verb in (lambda: store.put_new(PATH, b"new\n"), lambda: store.put(layout.LATEST_CHECKPOINT, b"new")):
        with pytest.raises(Unreachable) as caught:
            verb()
        assert "\n" not in str(caught.value)
    monkeypatch.undo()
    assert store.get(PATH) is None
    assert store.get(layout.LATEST_CHECKPOINT) == b"old"
    assert list(store.list("state/tmp/")) == []


def test_without_syncfs_every_file_is_flushed_by_itself(tmp_path, monkeypatch):
    store = DirectoryStore(tmp_path)
    monkeypatch.setattr(store, "_syncfs", None)
    flushed = []
    real = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (flushed.append(os.readlink(f"/proc/self/fd/{handle}")), real(handle)))
    digest = put_body(store, b"body")
    store.put_new(PATH, b"{}\n")
    store.put_new(layout.commit(1), b"{}")
    assert {str(tmp_path / layout.body(digest)), str(tmp_path / PATH)} <= set(flushed)


@pytest.mark.parametrize("name", ["", "..", "a/b", "../x", "a\x00", ".hidden", "x" * 200, "a b"])
def test_names_cannot_climb(name):
    with pytest.raises(ValueError, match="not a name"):
        layout.batch(name, "u")
    with pytest.raises(ValueError, match="not a name"):
        layout.batch("s", name)


def test_a_place_that_is_no_store_is_said(tmp_path):
    with pytest.raises(Misuse, match="init"):
        open_directory(str(tmp_path / "absent"))
    (tmp_path / "something").write_text("x")
    with pytest.raises(Misuse, match="not a store"):
        open_directory(str(tmp_path))
