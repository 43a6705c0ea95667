"""`init`: a new store or none, and a key that is nobody else's. Whatever ends it half-way, it can be done again."""

import json
import stat

import pytest

from shared import layout
from shared.errors import Misuse
from shared.seal.signing import create_key_file, new_private_key
from shared.seal.store import DirectoryStore
from shared.service import init as init_module
from shared.service.compose import read_log
from shared.service.init import init
from shared.settings import Settings
from tests.fixtures.estate import estate
from tests.fixtures.faulty import DyingStore, Killed

ORIGIN = "example.org/evidence"


class DyingFolder(DyingStore, DirectoryStore):
    """One beside which a key lies."""


@pytest.fixture
def place(tmp_path):
    return tmp_path / "store"


def settings(place, **more):
    return Settings(store=str(place), **more)


def key_of(place):
    return place.with_name("store.key.pem")


def dies(monkeypatch, place, fatal, *, after, **options):
    """Run `init` until its store dies at a write; True where it did not live to see it."""
    with monkeypatch.context() as patch:
        patch.setattr(init_module, "store_of", lambda settings, *, create: DyingFolder(DirectoryStore(place), fatal, after=after))
        try:
            init(settings(place), **options)
        except Killed:
            return True
    return False


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("options", [{}, {"origin": ORIGIN}, {"origin": ORIGIN, "algorithm": "ecdsa-p256"}], ids=["plain", "origin", "p256"])
def test_killed_at_any_write_it_can_be_done_again_or_is_done(tmp_path, monkeypatch, options, after):
    fatal, again = 1, 0
    while dies(monkeypatch, tmp_path / str(fatal) / "store", fatal, after=after, **options):
        place = tmp_path / str(fatal) / "store"
        left = key_of(place).read_bytes() if key_of(place).exists() else None
        try:
            made = init(settings(place), **options)
        except Misuse as error:
            assert "there is a store" in str(error), "from its first commit on it is one"
            assert list((place / layout.COMMITS).iterdir())
        else:
            _, log, facts = read_log(settings(place))
            assert (log.size, facts["keys"], facts["origin"]) == (1, [made.vkey], made.origin)
            assert not list((place / layout.OPEN_SWEEPS).iterdir())
            again += 1
        assert left is None or key_of(place).read_bytes() == left, "a key that is there stays"
        fatal += 1
    assert fatal > again + 4
    assert again >= 2


def test_what_was_committed_but_not_finished_is_finished_by_collect(tmp_path, monkeypatch):
    with estate(tmp_path / "estate") as site:
        fatal = 1
        while dies(monkeypatch, tmp_path / str(fatal), fatal, after=True):
            if (tmp_path / str(fatal) / layout.commit(1)).exists():
                assert site.collect(settings={"store": str(tmp_path / str(fatal))}).missing == []
                assert not list((tmp_path / str(fatal) / layout.OPEN_SWEEPS).iterdir())
            fatal += 1


def test_killed_right_before_or_after_the_key(place, monkeypatch):
    def dying(write):
        def create(path, private):
            if write:
                create_key_file(path, private)
            raise Killed

        return create

    for write in (False, True):
        with monkeypatch.context() as patch:
            patch.setattr(init_module, "create_key_file", dying(write))
            with pytest.raises(Killed):
                init(settings(place), origin=ORIGIN)
    left = key_of(place).read_bytes()
    assert init(settings(place)).origin == ORIGIN, "it goes on where it was"
    assert key_of(place).read_bytes() == left
    assert stat.S_IMODE(key_of(place).stat().st_mode) == 0o600


@pytest.mark.parametrize("left", ["another's", "of a store that was moved away", "of a store that was removed", "garbage"])
def test_a_key_that_somebody_may_use_is_neither_overwritten_nor_used(place, left):
    if left == "another's":
        create_key_file(key_of(place), new_private_key("ed25519"))
    elif left == "garbage":
        key_of(place).write_bytes(b"")
    else:
        init(settings(place), origin=ORIGIN)
        place.rename(place.with_name("moved"))
    before = key_of(place).read_bytes()
    for _ in range(2):
        with pytest.raises(Misuse, match="never overwritten; move it away"):
            init(settings(place), origin=ORIGIN)
        assert key_of(place).read_bytes() == before
        assert not (place / layout.EVIDENCE).exists()
    key_of(place).rename(place.with_name("old.pem"))
    assert init(settings(place), origin=ORIGIN).origin == ORIGIN


def test_the_key_of_another_half_is_not_taken_for_this_one(place, monkeypatch):
    """The marker names one key, and another lies there."""
    assert dies(monkeypatch, place, 1, after=True)
    create_key_file(key_of(place), new_private_key("ed25519"))
    with pytest.raises(Misuse, match="never overwritten"):
        init(settings(place))


@pytest.mark.parametrize("other", [{"origin": "example.org/other"}, {"origin": ORIGIN, "algorithm": "ecdsa-p256"}], ids=str)
def test_another_init_over_a_half_one_is_refused_and_the_same_goes_on(place, monkeypatch, other):
    assert dies(monkeypatch, place, 2, after=True, origin=ORIGIN)
    assert (place / layout.batch("init", layout.PLAN)).exists()
    with pytest.raises(Misuse, match="same options again"):
        init(settings(place), **other)
    with pytest.raises(Misuse, match="same options and settings again"):
        init(settings(place, personal_data="keep"), origin=ORIGIN)
    assert init(settings(place), origin=ORIGIN).origin == ORIGIN


@pytest.mark.parametrize("torn", [b"", b'{"v":1', b"\0" * 300], ids=["empty", "half", "zeros"])
def test_what_a_loss_of_power_tore_is_written_again(place, monkeypatch, torn):
    assert dies(monkeypatch, place, 2, after=True)
    (place / layout.batch("init", layout.PLAN)).write_bytes(torn)
    made = init(settings(place))
    assert read_log(settings(place))[2]["keys"] == [made.vkey]


@pytest.mark.parametrize("marker", [b"", b"[]", b"x", b"\xff", b'{"key":5}', b'{"key":"x"}', b"{}"], ids=repr)
def test_a_marker_that_says_nothing_lets_no_key_be_used(place, monkeypatch, marker):
    assert dies(monkeypatch, place, 2, after=True)
    (place / layout.open_sweep("init")).write_bytes(marker)
    with pytest.raises(Misuse, match="never overwritten"):
        init(settings(place))
    key_of(place).unlink()
    (place / layout.batch("init", layout.PLAN)).unlink()
    assert init(settings(place)).vkey


def test_a_key_that_is_named_is_used_and_made_where_there_is_none(tmp_path, place):
    chosen = tmp_path / "keys" / "mine.pem"
    first = init(settings(place, signing_key=str(chosen)), origin=ORIGIN)
    assert first.key_file == str(chosen)
    assert not key_of(place).exists()
    second = init(settings(tmp_path / "second", signing_key=str(chosen)), origin="example.org/second")
    assert second.vkey.rpartition("+")[2] == first.vkey.rpartition("+")[2]
    assert json.loads((place / layout.batch("init", layout.PLAN)).read_bytes())["store"]["keys"] == [first.vkey]


def test_a_folder_that_holds_something_else_is_left_alone(place):
    place.mkdir()
    (place / "mine.txt").write_text("mine")
    with pytest.raises(Misuse, match="not an empty folder"):
        init(settings(place))
    assert [path.name for path in place.iterdir()] == ["mine.txt"]
    assert not key_of(place).exists()
