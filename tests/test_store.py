"""The directory store: write-once, whole or not at all, and clear about what it cannot do."""

import errno
import os
import threading

import pytest

from shared import layout
from shared.canonical import sha256
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.seal.store import DirectoryStore, open_directory, put_body, put_same

PATH = layout.batch("s", "u")


def test_the_first_writer_wins_and_nothing_is_ever_replaced(tmp_path):
    store = DirectoryStore(tmp_path)
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


def test_of_many_writers_at_once_one_wins(tmp_path):
    for round_ in range(20):
        wins = []
        barrier = threading.Barrier(8)

        def write(number, path=layout.batch("s", f"u{round_}"), barrier=barrier, wins=wins):
            barrier.wait()
            if DirectoryStore(tmp_path).put_new(path, b"%d\n" % number):
                wins.append(number)

        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        [t.start() for t in threads]
        [t.join() for t in threads]
        assert len(wins) == 1
        assert DirectoryStore(tmp_path).get(layout.batch("s", f"u{round_}")) == b"%d\n" % wins[0]


def test_bodies_are_kept_once_under_their_digest(tmp_path):
    store = DirectoryStore(tmp_path)
    digest = put_body(store, b"{}")
    assert digest == sha256(b"{}") == put_body(store, b"{}")
    assert list(store.list(layout.BODIES)) == [layout.body(digest)]


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
