"""`verify` and what others say: what each thing shows, in plain words; and everything that does not hold is named, in a store and in a bundle."""

import json
import re
import shutil
import sys
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import layout
from shared.deliver.bundle.build import build
from shared.deliver.verify import verify_bundle, verify_store
from shared.deliver.verify.attested import Attested, Marks, Trusted
from shared.deliver.verify.verdict import Tally
from shared.seal import note
from shared.seal.attestor import Asked
from shared.seal.authority import Authority as Asking
from shared.seal.log import open_log
from shared.seal.post import Post
from shared.seal.sequencer import Sequencer
from shared.seal.signing import load_key_file
from shared.seal.store import DirectoryStore
from shared.service.signers import first_place
from tests.fixtures.authority import Authority
from tests.fixtures.bundles import apart, together
from tests.fixtures.vouched import cut, site, trusted
from tests.fixtures.witness import Witness

pytestmark = pytest.mark.needs("openssl")


class World:
    """A store of four sweeps that one authority and one witness vouched for, and others that did not."""

    def __init__(self, folder):
        self.authority, self.stranger = Authority(folder / "tsa"), Authority(folder / "tsa", "Stranger")
        self.witness, self.unknown = Witness(), Witness("unknown.example/w")

    def fill(self, made):
        for _ in range(4):
            made.collect()
            made.clock.advance(hours=6)
        self.vkey, self.root, self.end = made.vkey, made.root, made.clock()
        self.begin = self.end - timedelta(days=2)
        self.closings = [index + 1 for index, _ in made.records("sweep-closed")]
        self.keys = [note.parse_vkey(self.vkey)]
        self.trusted = trusted([self.authority], [self.witness])
        self.signer = load_key_file(first_place(made.settings, made.store).file, "example.org/evidence")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    found = World(folder)
    with found.authority, found.stranger, found.witness, found.unknown:
        with site(folder, authorities=[found.authority], witnesses=[found.witness]) as made:
            found.fill(made)
            yield found


@pytest.fixture
def store(world, tmp_path):
    """A copy of it, to be spoilt."""
    shutil.copytree(world.root, tmp_path / "copy")
    return DirectoryStore(tmp_path / "copy")


def checked(world, store, **options):
    return verify_store(store, world.keys, **{"trusted": world.trusted, **options})


def beside(store, size, ending):
    [path] = [p for p in store.list(layout.CHECKPOINTS) if p.startswith(layout.checkpoint(size) + ".") and p.endswith(ending)]
    return path


def spoil(store, path, data):
    (store.root / path).write_bytes(data)


def packed(world, store, tmp_path, *, first=0, last=4, **options):
    """A bundle of some of the sweeps."""
    path = tmp_path / "bundle.zip"
    start = world.begin if first == 0 else world.end - timedelta(hours=6 * (4 - first), minutes=1)
    end = world.end if last == 4 else world.end - timedelta(hours=6 * (4 - last), minutes=1)
    build(store, path, period=(start, end), **options)
    return path.read_bytes()


def opened(world, data, **options):
    import io

    return verify_bundle(io.BytesIO(data), world.keys, **{"trusted": world.trusted, **options})


def problems(found):
    return [problem.line() for problem in found.problems]


# -- what it says -----------------------------------------------------------------------------------------------------------


def test_it_says_in_plain_words_what_each_of_them_shows(world, store):
    found = checked(world, store)
    assert found.intact
    text = "\n".join(found.checked)
    size = world.closings[-1]
    assert f"the first {size:,} records existed at " in text and "says CN=Test TSA (4 timestamps)" in text
    assert f"{world.witness.name} saw the log at {size:,} records at " in text and "(4 cosignatures)" in text
    assert "no sweep waited longer for a timestamp than " in text
    assert (found.counts["timestamps"], found.counts["cosignatures"]) == (4, 4)
    assert "whether an authority's certificate was revoked, and whether its clock was right" in found.not_checked


def test_without_roots_and_keys_it_says_that_it_did_not_look(world, store):
    found = checked(world, store, trusted=Trusted())
    assert any("4 timestamps: give the root certificates" in line for line in found.not_checked)
    assert any("4 cosignatures: give the keys" in line for line in found.not_checked)
    assert "timestamp" not in "\n".join(found.checked)
    spoil(store, beside(store, world.closings[0], "tsr"), b"nonsense")
    assert checked(world, store, trusted=Trusted()).intact, "what is not looked at is not found, and that is said"


def test_the_two_are_looked_at_separately(world, store):
    alone = checked(world, store, trusted=Trusted(roots=world.trusted.roots))
    assert (alone.counts["timestamps"], alone.counts["cosignatures"]) == (4, 0)
    assert any("4 cosignatures: give the keys" in line for line in alone.not_checked)
    other = checked(world, store, trusted=Trusted(witnesses=world.trusted.witnesses))
    assert (other.counts["timestamps"], other.counts["cosignatures"]) == (0, 4)


def test_records_that_nothing_covers_are_said_to_be_so(world, store):
    for path in list(store.list(layout.CHECKPOINTS)):
        if path.startswith(layout.checkpoint(world.closings[-1]) + "."):
            (store.root / path).unlink()
    found = checked(world, store)
    uncovered = world.closings[-1] - world.closings[-2]
    assert found.intact
    assert any(f"when the newest {uncovered} records" in line for line in found.not_checked)
    assert any(f"that the newest {uncovered} records" in line for line in found.not_checked)


def test_a_store_that_nobody_vouches_for_says_so_to_whoever_asks(world, store):
    for path in list(store.list(layout.CHECKPOINTS)):
        if "." in path.rpartition("/")[2]:
            (store.root / path).unlink()
    found = checked(world, store)
    assert any("no timestamp is over them" in line for line in found.not_checked)
    assert found.exit_code == checked(world, store, trusted=Trusted()).exit_code


def test_a_witness_whose_key_was_not_given_is_passed_over(world, store):
    [path] = [p for p in store.list(layout.CHECKPOINTS) if p.startswith(layout.checkpoint(world.closings[0])) and p.endswith("cosig")]
    text = note.parse_note(store.get(layout.checkpoint(world.closings[0]))).text
    spoil(store, path, world.unknown.cosign(text))
    found = checked(world, store)
    assert found.intact
    assert any("1 cosignature of witnesses whose keys were not given" in line for line in found.not_checked)


def test_where_the_package_is_not_installed_it_says_that_tokens_were_not_checked(world, store, monkeypatch):
    monkeypatch.setitem(sys.modules, "rfc3161_client", None)
    found = checked(world, store)
    assert found.intact and found.counts["timestamps"] == 0
    assert any("4 timestamps: that needs the package rfc3161-client" in line for line in found.not_checked)
    assert found.counts["cosignatures"] == 4


# -- what does not hold -----------------------------------------------------------------------------------------------------


def test_a_bit_of_a_signed_part_of_any_of_them(world, store):
    for ending, place in (("tsr", -20), ("cosig", -20)):
        path = beside(store, world.closings[1], ending)
        good = store.get(path)
        bad = bytearray(good)
        bad[place] ^= 4
        spoil(store, path, bytes(bad))
        found = checked(world, store)
        assert found.exit_code == 1
        assert [problem.file for problem in found.problems] == [path], problems(found)
        assert "does not hold" in problems(found)[0]
        spoil(store, path, good)


@pytest.mark.parametrize("data", [b"", b"\x00", b"\xe2\x80\x94 x AAAA\n", "\u2014 witness.example/w1 AAAAAAAA\n".encode(), b"\n\n\n", b"x" * 2_000_000])
def test_whatever_lies_in_its_place_is_named(world, store, data):
    for ending in ("tsr", "cosig"):
        path = beside(store, world.closings[1], ending)
        good = store.get(path)
        spoil(store, path, data)
        found = checked(world, store)
        # A line of some other key is a line of somebody who is not trusted: no more than that.
        assert [problem.file for problem in found.problems] == [path] or (ending == "cosig" and b"witness.example" in data and found.intact)
        spoil(store, path, good)


def test_one_that_belongs_to_another_checkpoint(world, store):
    for ending in ("tsr", "cosig"):
        first, second = beside(store, world.closings[0], ending), beside(store, world.closings[1], ending)
        spoil(store, second, store.get(first))
    lines = problems(checked(world, store))
    assert len(lines) == 2
    assert any("it is over other bytes than the checkpoint's" in line for line in lines)
    assert any("does not fit the checkpoint" in line for line in lines)


def test_an_authority_that_is_not_trusted_is_a_problem_that_says_what_to_do(world, store):
    path = beside(store, world.closings[1], "tsr")
    from shared.seal.authority import timestamp_request

    spoil(store, path, world.stranger.reply(timestamp_request(store.get(layout.checkpoint(world.closings[1]))).as_bytes()))
    [line] = problems(checked(world, store))
    assert "no chain leads from its authority to one of the roots given" in line
    assert checked(world, store, trusted=trusted([world.authority, world.stranger], [world.witness])).intact


def test_what_vouches_for_a_checkpoint_that_is_gone(world, store):
    """Whoever cuts the newest records off must find every one of these files, too."""
    size = world.closings[-1]
    later = f"{layout.checkpoint(size + 100)}.someone.tsr"
    spoil(store, later, store.get(beside(store, size, "tsr")))
    [line] = problems(checked(world, store, trusted=Trusted()))
    assert f"vouches for a checkpoint of {size + 100} records that is not here" in line


@pytest.mark.parametrize("name", ["x.tsr", f"{7:020d}.a..b.tsr", f"{7:020d}..tsr", f"{7:020d}.a.txt", f"{7:020d}.{'a' * 200}.tsr"])
def test_a_file_that_is_none_of_them_belongs_to_nothing(world, store, name):
    spoil(store, layout.CHECKPOINTS + name, b"x")
    assert any("belongs to nothing" in line for line in problems(checked(world, store)))


def test_a_record_that_is_younger_than_what_was_said_of_it(tmp_path, world):
    """The collector's clock is an hour ahead of everybody's: its times are false, and the authority's shows it."""
    from datetime import UTC

    with site(tmp_path, authorities=[world.authority], witnesses=[]) as made:
        made.clock.jump_to(datetime.now(UTC) + timedelta(hours=1))
        made.collect(settings={"timestamp_urls": ()})
        # A collector that asks refuses such a token; this one was put there all the same.
        size = open_log(made.store).size
        there = Asked("example.org/evidence", size, made.store.get(layout.checkpoint(size)), 0, lambda _: [], {}, made.clock())
        made.store.put_new(layout.attestation(size, "someone", "tsr"), Asking("someone", world.authority.url, Post(proxies=False)).ask(there))
        found = verify_store(made.store, [note.parse_vkey(made.vkey)], trusted=trusted([world.authority]))
        assert found.exit_code == 1
        [line] = problems(found)
        assert "the collector's clock was ahead, or that time is false" in line and ".tsr" in line


def test_clocks_that_are_a_little_apart_are_no_problem(tmp_path, world):
    from datetime import UTC

    with site(tmp_path, authorities=[world.authority]) as made:
        made.clock.jump_to(datetime.now(UTC) + timedelta(seconds=30))
        made.collect()
        assert verify_store(made.store, [note.parse_vkey(made.vkey)], trusted=trusted([world.authority])).intact


def test_the_longest_wait_for_a_timestamp_is_said(world, store):
    """Sweeps of days ago, stamped now: the evidence shows how long nobody else's clock was over them."""
    [line] = [line for line in checked(world, store).checked if "no sweep waited longer" in line]
    assert re.search(r"\b(9|10) days", line), "ten, less what the clocks of this machine are late"
    assert f"record {world.closings[0] - 1}" in line


# -- bundles ----------------------------------------------------------------------------------------------------------------


def test_a_bundle_carries_what_covers_each_of_its_sweeps(world, store, tmp_path):
    entries = apart(packed(world, store, tmp_path))
    named = sorted(name for name in entries if name.startswith("checkpoints/"))
    sizes = sorted({int(name.split("/")[1][:20]) for name in named})
    assert sizes == world.closings
    assert [name for name in named if "." not in name] == [f"checkpoints/{size:020d}" for size in world.closings[:-1]], "the newest is `checkpoint`"
    found = opened(world, packed(world, store, tmp_path))
    assert found.intact
    assert (found.counts["timestamps"], found.counts["cosignatures"]) == (4, 4)
    assert "says CN=Test TSA" in "\n".join(found.checked)
    assert b"checkpoints/" in entries["README.txt"]
    assert json.loads(entries["manifest.json"])["v"] == 3


def test_a_bundle_of_an_earlier_time_has_what_belongs_to_it_and_the_last(world, store, tmp_path):
    data = packed(world, store, tmp_path, first=1, last=2)
    sizes = sorted({int(name.split("/")[1][:20]) for name in apart(data) if name.startswith("checkpoints/")})
    # The sweep before it closes what it follows; the newest is there as in every bundle.
    assert sizes == [world.closings[0], world.closings[1], world.closings[-1]]
    assert opened(world, data).intact


def test_a_bundle_about_one_resource_has_them_too(world, store, tmp_path):
    data = packed(world, store, tmp_path, resources=["/subscriptions/11111111-2222-3333-4444-555555555555"])
    found = opened(world, data)
    assert found.intact and found.counts["timestamps"] == 4


def test_without_attestations_a_bundle_is_what_it_was(world, store, tmp_path):
    for path in list(store.list(layout.CHECKPOINTS)):
        if "." in path.rpartition("/")[2]:
            (store.root / path).unlink()
    entries = apart(packed(world, store, tmp_path))
    assert json.loads(entries["manifest.json"])["v"] == 3
    assert not [name for name in entries if name.startswith("checkpoints/")]
    assert b"checkpoints/" not in entries["README.txt"]


def test_a_bundle_says_what_it_did_not_check(world, store, tmp_path):
    found = opened(world, packed(world, store, tmp_path), trusted=Trusted())
    assert any("4 timestamps: give the root" in line for line in found.not_checked)


def spoilt(entries, **changed):
    """The bundle with some entries changed and a manifest that fits: what somebody without a key can make."""
    return together({**entries, **{name: data for name, data in changed.items() if data is not None}})


def test_every_entry_of_them_is_checked_in_a_bundle_with_a_manifest_that_fits(world, store, tmp_path):
    entries = apart(packed(world, store, tmp_path))
    for name in [name for name in entries if name.startswith("checkpoints/")]:
        bad = bytearray(entries[name])
        bad[-30] ^= 1
        found = opened(world, spoilt(entries, **{name: bytes(bad)}))
        assert found.exit_code == 1
        assert any(name in line for line in problems(found)), (name, problems(found))


def test_a_checkpoint_of_another_log_or_with_another_root_in_a_bundle(world, store, tmp_path):
    entries = apart(packed(world, store, tmp_path))
    size = world.closings[0]
    name = f"checkpoints/{size:020d}"
    for origin, at, root in (("example.org/evidence", size, b"x" * 32), ("example.org/evidence", size + 1, bytes(32)), ("other.org/log", size, bytes(32))):
        signer = replace(world.signer, key=replace(world.signer.key, name=origin))
        text = note.Checkpoint(origin, at, root).text()
        forged = f"{text}\n{note.signature_line(signer.key, signer.sign(text.encode()))}".encode()
        found = opened(world, spoilt(entries, **{name: forged}))
        assert any(name in line and "does not hold" in line for line in problems(found)), problems(found)


def test_what_is_taken_out_of_a_bundle_or_put_in(world, store, tmp_path):
    entries = apart(packed(world, store, tmp_path))
    first = f"checkpoints/{world.closings[0]:020d}"
    without = {name: data for name, data in entries.items() if name != first}
    assert any("that is not here" in line for line in problems(opened(world, together(without))))
    for name in (f"checkpoints/{5:020d}", f"checkpoints/{world.closings[0]:020d}.a..b.tsr"):
        assert opened(world, together({**entries, name: b"x"})).exit_code == 1
    alone = {name: data for name, data in entries.items() if "." not in name or not name.startswith(first)}
    assert any("nothing in the bundle accounts for the file" in line for line in problems(opened(world, together(alone))))


def test_a_bundle_that_says_it_is_of_the_older_sort_and_is_not(world, store, tmp_path):
    from shared.errors import VerificationError

    entries = apart(packed(world, store, tmp_path))
    with pytest.raises(VerificationError, match="malformed"):
        opened(world, together(entries, v=1))


# -- cut off ----------------------------------------------------------------------------------------------------------------


def test_alone_a_store_that_was_cut_off_looks_like_any_other(world, store):
    cut(store, 8)
    found = checked(world, store)
    assert found.intact, problems(found)
    assert any("that the newest records were not cut off" in line for line in found.not_checked)


def test_the_witness_shows_that_the_newest_records_are_cut_off(world, store):
    import urllib.request
    from hashlib import sha256

    kept = cut(store, 8)
    address = f"{world.witness.url}/{sha256(b'example.org/evidence').hexdigest()}/checkpoint"
    with urllib.request.urlopen(address) as answer:
        held = answer.read()
    found = checked(world, store, held=held)
    assert found.exit_code == 1
    assert any(f"the newest {world.closings[-1] - kept} records are cut off" in line for line in problems(found))
    assert any("the checkpoint held was cosigned by witness.example/w1" in line for line in found.checked)


def test_a_cosignature_that_was_left_behind_shows_it_without_anything_else(world, store):
    path = beside(store, world.closings[-1], "cosig")
    data = store.get(path)
    cut(store, 8)
    spoil(store, path, data)
    assert any("the newest records were cut off" in line for line in problems(checked(world, store)))


def test_a_log_that_goes_on_after_it_was_cut_off_is_another_log(world, store):
    """The keeper cuts, and writes other records in their place, signed with the log's own key: the checkpoint held shows that too."""
    held = store.get(layout.checkpoint(world.closings[-1]))
    cut(store, 8)
    store.put(layout.open_sweep("x"), b'{"since":0}')
    lines = b"".join(b'{"at":"2026-11-25T00:00:00.000000Z","kind":"x","resource":null,"sweep":null,"type":"note","v":1,"n":%d}\n' % i for i in range(400))
    store.put_new(layout.batch("x", "b"), lines)
    Sequencer(store, world.signer).seal()
    assert open_log(store).size > world.closings[-1]
    assert any("the log was rewritten" in line for line in problems(checked(world, store, held=held)))


def test_a_checkpoint_held_with_a_false_cosignature_is_of_no_use(world, store):
    from shared.errors import VerificationError

    held = store.get(layout.checkpoint(world.closings[-1]))
    line = bytearray(store.get(beside(store, world.closings[-1], "cosig")))
    line[-20] ^= 1
    with pytest.raises(VerificationError, match="the checkpoint held cannot be used"):
        checked(world, store, held=held + bytes(line))


# -- parts ------------------------------------------------------------------------------------------------------------------


@given(st.lists(st.integers(1, 60), max_size=8), st.lists(st.integers(1, 20), max_size=12), st.randoms())
def test_marks_note_the_latest_time_before_each_size(sizes, chunks, random):
    """However records come in, and wherever the sizes lie."""
    hours = [random.randrange(1000) for _ in range(sum(chunks))]
    seen, latest = [], ""

    def take(first, lines):
        nonlocal latest
        assert first == len(seen) and lines
        seen.extend(lines)
        latest = max([latest, *(line.decode() for line in lines)])

    marks = Marks(sizes, take, lambda: latest)
    texts = [f"2026-01-01T00:00:00.{hour:06d}Z" for hour in hours]
    first = 0
    for count in chunks:
        marks.take(first, [text.encode() for text in texts[first : first + count]])
        first += count
    assert [line.decode() for line in seen] == texts
    for size in sizes:
        expected = max(texts[:size], default=None)
        assert marks.latest(size) == (datetime.fromisoformat(expected) if expected else None)


@given(st.text(max_size=60) | st.from_regex(r"[0-9]{20}\.[A-Za-z0-9._-]{1,20}\.(tsr|cosig)", fullmatch=True))
def test_any_name_is_one_of_them_or_is_not(name):
    found = Attested("", Trusted(), Tally())
    if found.add(name):
        size, who, ending = layout.attestation_parts(name)
        assert layout.attestation(size, who, ending) == layout.CHECKPOINTS + name
        assert found.sizes == [size]


# -- keys that change -------------------------------------------------------------------------------------------------------


def test_checkpoints_that_an_earlier_key_signed_are_vouched_for_all_the_same(world, tmp_path):
    """A bundle after a change of keys, for an auditor who has the old key alone, or the new one alone."""
    import io

    from shared.service.rotate import Wanted, rotate

    with site(tmp_path, authorities=[world.authority]) as made:
        for _ in range(2):
            made.collect()
            made.clock.advance(hours=6)
        new = tmp_path / "new.pem"
        rotate(made.settings, Wanted(to=str(new)), now=made.clock)
        made.settings = replace(made.settings, signing_key=str(new))
        made.clock.advance(hours=6)
        made.collect()
        build(made.store, tmp_path / "bundle.zip", period=(made.clock() - timedelta(days=2), made.clock() + timedelta(hours=1)))
        data = (tmp_path / "bundle.zip").read_bytes()
        for key in (note.parse_vkey(made.vkey), load_key_file(new, "example.org/evidence").key):
            for found in (verify_bundle(io.BytesIO(data), [key], trusted=world.trusted), verify_store(made.store, [key], trusted=world.trusted)):
                assert found.intact, problems(found)
                assert found.counts["timestamps"] == 3
        later = made.clock() - timedelta(hours=7), made.clock() + timedelta(hours=1)
        build(made.store, tmp_path / "later.zip", period=later)
        found = verify_bundle(tmp_path / "later.zip", [load_key_file(new, "example.org/evidence").key], trusted=world.trusted)
        assert found.intact, problems(found)
        assert found.counts["timestamps"] == 2, "the sweep before it, signed by the key before it, and the last"
