"""What is packed unpacks to the same bytes; what was done to it is seen, whatever it was; and a copy of the blobs is a store."""

import json
import random
import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import layout
from shared.deliver.verify.store import verify_store
from shared.seal import note, tiles
from shared.seal.packed import ENCODING, HEADER, LEAST, MOST, is_packed, pack, unpack
from shared.seal.store import DirectoryStore
from tests.fixtures.azurite import tamper
from tests.fixtures.estate import estate
from tests.test_crash import tiny

BATCH = layout.batch("20261101T000000Z", "account-x")
BUNDLE = layout.LOG + layout.tile("entries", 3)
RAW = b'{"at":"2026-11-01T06:00:30.000000Z","kind":"account","resource":"/subscriptions/x"}\n' * 40


@given(st.binary(max_size=3000), st.sampled_from([BATCH, BUNDLE, layout.body("ab" * 32), layout.commit(1), layout.LOG + layout.tile(0, 3)]))
def test_any_bytes_come_back(data, path):
    kept = pack(path, data)
    assert is_packed(path, kept) == (path in (BATCH, BUNDLE) and len(data) >= LEAST)
    assert unpack(path, kept) == data
    assert pack(path, data) == kept


def test_text_takes_a_tenth_and_other_tools_unpack_it():
    kept = pack(BATCH, RAW)
    assert len(kept) < len(RAW) / 10
    assert zlib.decompress(kept, 31) == RAW


def test_every_turned_bit_is_seen_but_those_that_no_reader_looks_at():
    noise = random.Random(5).randbytes(600).hex().encode()
    data = RAW + noise
    kept = pack(BATCH, data)
    unseen = []
    for bit in range(len(kept) * 8):
        bad = bytearray(kept)
        bad[bit // 8] ^= 1 << bit % 8
        if unpack(BATCH, bytes(bad)) == data:
            unseen.append(bit // 8)
    assert len(unseen) < 8 and set(unseen) <= {len(kept) - 9}, "only what deflate leaves unused of its last byte"


def test_what_is_cut_or_longer_is_not_what_was_packed():
    kept = pack(BUNDLE, RAW)
    for end in range(len(kept)):
        assert unpack(BUNDLE, kept[:end]) == kept[:end]
    for more in (b"\0", kept, b"x" * 100):
        assert unpack(BUNDLE, kept + more) == kept + more


def test_nothing_unpacks_to_more_than_anything_of_ours():
    packing = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join([HEADER, *(packing.compress(b"\0" * 2**20) for _ in range(2 * MOST // 2**20)), packing.flush()])
    began = time.monotonic()
    assert unpack(BATCH, bomb) == bomb
    assert time.monotonic() - began < 20


@given(st.lists(st.dictionaries(st.text(max_size=4), st.text(max_size=4), min_size=1), min_size=1, max_size=3))
def test_no_batch_and_no_bundle_looks_packed(records):
    lines = [json.dumps(record).encode() for record in records]
    assert not is_packed(BATCH, b"\n".join(lines) + b"\n")
    assert not is_packed(BUNDLE, tiles.encode_bundle(lines))
    assert not is_packed(BUNDLE, tiles.encode_bundle([b"{" + b" " * (0x1F8B - 2) + b"}"]))


@pytest.mark.needs("azurite")
def test_an_account_keeps_them_packed_and_a_copy_of_its_blobs_is_a_store(azurite, tmp_path):
    azurite.fresh()
    with estate(tmp_path, tiny, account=azurite.blob) as site:
        site.collect()
        store, key = site.store, note.parse_vkey(site.vkey)
        packed = 0
        for name in store._containers["evidence"].list_blob_names():
            path = f"{layout.EVIDENCE}{name}"
            found = store.blob(path).get_blob_properties()
            kept = store.blob(path).download_blob(decompress=False).readall()
            assert (found.content_settings.content_encoding == ENCODING) == is_packed(path, kept) == kept.startswith(HEADER)
            packed += is_packed(path, kept)
            (tmp_path / "copy" / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "copy" / path).write_bytes(kept)
        assert packed >= 4
        assert verify_store(store, [key]).as_json() == verify_store(DirectoryStore(tmp_path / "copy"), [key]).as_json()
        victim = next(path for path in store.list(layout.BATCHES) if path.endswith(layout.FINDINGS_SUFFIX + ".jsonl"))
        tamper(store, victim, lambda data: data.replace(b'"status":"satisfied"', b'"status":"satisfiEd"', 1))
        assert any(problem.file == victim for problem in verify_store(store, [key]).problems)
        flipped = bytearray((tmp_path / "copy" / victim).read_bytes())
        flipped[len(flipped) // 2] ^= 4
        (tmp_path / "copy" / victim).write_bytes(flipped)
        assert any(problem.file == victim for problem in verify_store(DirectoryStore(tmp_path / "copy"), [key]).problems)
