"""RFC 6962 hashes and proofs, against a tree written down straight from the definition."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.seal import merkle


def tree_hash(leaves):
    """MTH as RFC 6962 section 2.1 defines it, and nothing cleverer."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + tree_hash(leaves[:k]) + tree_hash(leaves[k:])).digest()


LEAVES = [hashlib.sha256(b"\x00" + bytes([i])).digest() for i in range(80)]


def subtree(start, end):
    return tree_hash(LEAVES[start:end])


def test_known_roots_of_rfc_6962_test_data():
    # The test vectors of certificate-transparency's reference implementations.
    data = [b"", b"\x00", b"\x10", b"\x20\x21", b"\x30\x31", b"\x40\x41\x42\x43", bytes(range(0x50, 0x58)), bytes(range(0x60, 0x70))]
    hashes = [merkle.leaf_hash(item) for item in data]
    assert merkle.root_of(hashes[:1]).hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert merkle.root_of(hashes).hex() == "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"


@pytest.mark.parametrize("size", range(80))
def test_every_record_is_proved_and_nothing_else_is(size):
    root = tree_hash(LEAVES[:size])
    assert merkle.root_of(LEAVES[:size]) == root
    for index in range(size):
        proof = merkle.inclusion_proof(index, size, subtree)
        assert merkle.verify_inclusion(LEAVES[index], index, size, proof, root)
        assert not merkle.verify_inclusion(LEAVES[index], index, size, [*proof, root], root)
        assert not merkle.verify_inclusion(LEAVES[index], index, size + 1, proof, tree_hash(LEAVES[: size + 1])) or size == 0
        for other in (index - 1, index + 1):
            assert not merkle.verify_inclusion(LEAVES[index], other, size, proof, root)
        for position in range(len(proof)):
            assert not merkle.verify_inclusion(LEAVES[index], index, size, proof[:position] + proof[position + 1 :], root)


@pytest.mark.parametrize("new", range(40))
def test_consistency_holds_for_every_pair_and_breaks_with_every_hash(new):
    for old in range(new + 1):
        old_root, new_root = tree_hash(LEAVES[:old]), tree_hash(LEAVES[:new])
        proof = merkle.consistency_proof(old, new, subtree)
        assert merkle.verify_consistency(old, old_root, new, new_root, proof)
        if 0 < old < new:
            assert not merkle.verify_consistency(old, LEAVES[79], new, new_root, proof)
            assert not merkle.verify_consistency(old, old_root, new, LEAVES[79], proof)
            assert not merkle.verify_consistency(old, old_root, new, new_root, proof[:-1])
            for position in range(len(proof)):
                assert not merkle.verify_consistency(old, old_root, new, new_root, [*proof[:position], LEAVES[78], *proof[position + 1 :]])


@given(st.integers(-3, 40), st.integers(-3, 40), st.lists(st.binary(min_size=32, max_size=32), max_size=8))
def test_no_input_raises(index, size, proof):
    assert not merkle.verify_inclusion(LEAVES[0], index, size, proof, b"\x07" * 32)
    merkle.verify_consistency(index, LEAVES[0], size, LEAVES[1], proof)


def test_there_is_no_proof_of_what_is_not_there():
    with pytest.raises(ValueError, match="not in a log"):
        merkle.inclusion_proof(5, 5, subtree)
    with pytest.raises(ValueError, match="cannot extend"):
        merkle.consistency_proof(6, 5, subtree)
