"""RFC 6962 Merkle tree: hashes, inclusion proofs, consistency proofs. Pure; nothing here knows of files or records.

Bytes in, hashes out. `verify_*` return a bool and never raise on any bytes; the others raise ValueError on misuse.
"""

import hashlib
from collections.abc import Callable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()

_sha256 = hashlib.sha256

SubtreeHash = Callable[[int, int], bytes]
"""Gives the Merkle tree hash of the leaves [start, end), a full subtree or the right edge of the tree."""


def leaf_hash(line: bytes) -> bytes:
    """Hash of one leaf (RFC 6962 section 2.1)."""
    return _sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node (RFC 6962 section 2.1)."""
    return _sha256(b"\x01" + left + right).digest()


def root_of(hashes: Sequence[bytes]) -> bytes:
    """Merkle tree hash over `hashes`, each standing for a leaf or for a subtree of one common size.

    The last one may stand for a smaller subtree: RFC 6962 splits at the largest power of two below the size, which keeps
    whole subtrees together and leaves the remainder rightmost.
    """
    if not hashes:
        return EMPTY_ROOT
    level = list(hashes)
    sha = _sha256
    while len(level) > 1:
        odd = level.pop() if len(level) % 2 else None
        level = [sha(b"\x01" + level[i] + level[i + 1]).digest() for i in range(0, len(level), 2)]
        if odd is not None:
            level.append(odd)
    return level[0]


def split_point(size: int) -> int:
    """The largest power of two below `size` (size ≥ 2)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(index: int, size: int, subtree: SubtreeHash) -> list[bytes]:
    """The hashes from the sibling of leaf `index` up to the root's child (RFC 6962 section 2.1.1).

    Raises:
        ValueError: there is no such leaf in a tree of that size.
    """
    if not 0 <= index < size:
        raise ValueError(f"record {index} is not in a log of {size}")
    start, end, proof = 0, size, []
    while end - start > 1:
        middle = start + split_point(end - start)
        if index < middle:
            proof.append(subtree(middle, end))
            end = middle
        else:
            proof.append(subtree(start, middle))
            start = middle
    proof.reverse()
    return proof


def root_from_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that `proof` leads to, or None where it has the wrong length (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return None
    node, last, value = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            return None
        if node % 2 or node == last:
            value = node_hash(sibling, value)
            while node and not node % 2:  # the right edge: the levels between have no sibling
                node, last = node // 2, last // 2
        else:
            value = node_hash(value, sibling)
        node, last = node // 2, last // 2
    return value if last == 0 else None


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether `proof` shows that `leaf` is the record `index` of the tree with this size and root."""
    return root_from_inclusion(leaf, index, size, proof) == root


def consistency_proof(old: int, new: int, subtree: SubtreeHash) -> list[bytes]:
    """The hashes which show that the tree of size `new` extends the one of size `old` (RFC 6962 section 2.1.2).

    Raises:
        ValueError: the old tree is not the smaller one.
    """
    if not 0 <= old <= new:
        raise ValueError(f"a log of {new} cannot extend one of {old}")
    if old in (0, new):
        return []
    start, end, proof, complete = 0, new, [], True
    size = old
    while size != end - start:
        middle = split_point(end - start)
        if size <= middle:
            proof.append(subtree(start + middle, end))
            end = start + middle
        else:
            proof.append(subtree(start, start + middle))
            start, size, complete = start + middle, size - middle, False
    if not complete:
        proof.append(subtree(start, end))
    proof.reverse()
    return proof


def verify_consistency(old: int, old_root: bytes, new: int, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether `proof` shows that the tree (new, new_root) extends (old, old_root) (RFC 9162 section 2.1.4.2)."""
    if not 0 <= old <= new:
        return False
    if old == 0:
        return not proof and old_root == EMPTY_ROOT
    if old == new:
        return not proof and old_root == new_root
    path = list(proof)
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    if not path:
        return False
    node, last = old - 1, new - 1
    while node % 2:
        node, last = node // 2, last // 2
    first = second = path[0]
    for value in path[1:]:
        if last == 0:
            return False
        if node % 2 or node == last:
            first, second = node_hash(value, first), node_hash(value, second)
            while node and not node % 2:
                node, last = node // 2, last // 2
        else:
            second = node_hash(second, value)
        node, last = node // 2, last // 2
    return last == 0 and first == old_root and second == new_root
