"""Tiles and entry bundles: any way of appending gives the same blobs, and proofs come out of them alone."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared import layout
from shared.errors import StoreConflict, VerificationError
from shared.seal import merkle, tiles

LINES = [b'{"i":%d}' % i for i in range(70_000)]
HASHES = [merkle.leaf_hash(line) for line in LINES]


def grown(sizes):
    """Blobs of a log that grew in steps, each with a checkpoint; write-once is checked as they come."""
    blobs, edge, position = {}, tiles.Edge(), 0
    for size in sizes:
        for path, data in [*edge.append(LINES[position : position + size]), *edge.partial()]:
            assert blobs.setdefault(path, data) == data
        position += size
    return blobs, edge


def test_paths_are_those_of_the_specification():
    assert layout.tile(0, 1234067) == "tile/0/x001/x234/067"
    assert layout.tile(1, 0, 17) == "tile/1/000.p/17"
    assert layout.tile("entries", 999) == "tile/entries/999"


def test_a_tree_of_70000_has_the_tiles_that_the_specification_counts():
    blobs, _ = grown([70_000])
    names = set(blobs)
    assert sum(name.startswith("tile/0/") and ".p" not in name for name in names) == 273
    assert {"tile/0/273.p/112", "tile/1/000", "tile/1/001.p/17", "tile/2/000.p/1", "tile/entries/273.p/112"} <= names
    assert set(grown([256])[0]) == {"tile/entries/000", "tile/0/000", "tile/1/000.p/1"}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 700), min_size=1, max_size=12))
def test_growing_in_any_steps_gives_one_log(sizes):
    blobs, edge = grown(sizes)
    size = sum(sizes)
    assert edge.root() == merkle.root_of(HASHES[:size])
    assert tiles.load_edge(size, blobs.get) == edge
    at_once, _ = grown([size])
    assert at_once.items() <= blobs.items()


def test_proofs_come_out_of_the_tiles_alone():
    blobs, edge = grown([30_000, 35_536, 4_464])
    hashes, root = tiles.TileHashes(70_000, blobs.get), edge.root()
    generator = random.Random(7)
    for index in [0, 1, 255, 256, 65_535, 65_536, 69_887, 69_888, 69_999, *(generator.randrange(70_000) for _ in range(60))]:
        assert merkle.verify_inclusion(HASHES[index], index, 70_000, merkle.inclusion_proof(index, 70_000, hashes.subtree), root)
    for old in [1, 2, 255, 256, 257, 65_535, 65_536, 65_537, 69_999, *(generator.randrange(1, 70_000) for _ in range(15))]:
        old_root = merkle.root_of(HASHES[:old])
        assert hashes.subtree(0, old) == old_root
        assert merkle.verify_consistency(old, old_root, 70_000, root, merkle.consistency_proof(old, 70_000, hashes.subtree))


def test_a_missing_or_short_tile_is_said():
    blobs, _ = grown([600])
    for path in list(blobs):
        if path.startswith("tile/entries/00") and ".p" not in path:
            continue
        for broken in ({k: v for k, v in blobs.items() if k != path}, {**blobs, path: blobs[path][:-1]}):
            needed = path in {p for p, _ in tiles.load_edge(600, blobs.get).partial()}
            if needed:
                with pytest.raises((StoreConflict, VerificationError)):
                    tiles.load_edge(600, broken.get)


@given(st.binary(max_size=400))
def test_no_bytes_make_the_bundle_reader_raise_anything_else(data):
    try:
        lines = tiles.decode_bundle(data)
    except VerificationError:
        return
    assert tiles.encode_bundle(lines) == data
