"""Signed notes, checkpoints, vkeys and offline proofs: C2SP's own examples, and bytes that are nearly one."""

import base64
import hashlib

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import VerificationError
from shared.seal import note
from shared.seal.signing import signer_for

EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE_NOTE = (
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
EXAMPLE_CHECKPOINT = (
    "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
    "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
).encode()
ED = signer_for("example.org/log", ed25519.Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
P256 = signer_for("example.org/log", ec.derive_private_key(12345, ec.SECP256R1()))


def signed(signer, size=3, root=b"\x05" * 32, origin="example.org/log"):
    text = note.Checkpoint(origin, size, root).text()
    return text.encode() + b"\n" + note.signature_line(signer.key, signer.sign(text.encode())).encode()


def test_the_example_of_the_specification_verifies():
    key = note.parse_vkey(EXAMPLE_KEY)
    assert str(key) == EXAMPLE_KEY
    assert note.parse_note(EXAMPLE_NOTE).signers([key]) == [key]


def test_the_checkpoint_of_the_specification_is_read():
    parsed = note.parse_checkpoint(note.parse_note(EXAMPLE_CHECKPOINT).text)
    assert (parsed.origin, parsed.size) == ("example.com/behind-the-sofa", 20852163)


def test_key_ids_are_as_specified():
    public = ED.key.material
    assert ED.key.key_id == hashlib.sha256(b"example.org/log\n\x01" + public).digest()[:4]
    assert P256.key.key_id == hashlib.sha256(P256.key.material).digest()[:4]  # SPKI alone, for type 0x02
    assert base64.b64decode(str(P256.key).split("+", 2)[2])[0] == 2


@pytest.mark.parametrize("signer", [ED, P256], ids=["ed25519", "ecdsa"])
def test_every_single_bit_of_a_checkpoint_counts(signer):
    good = signed(signer)
    assert note.open_checkpoint(good, [signer.key]).size == 3
    for position in range(len(good)):
        for bit in range(8):
            bad = bytearray(good)
            bad[position] ^= 1 << bit
            with pytest.raises(VerificationError):
                note.open_checkpoint(bytes(bad), [signer.key])


def test_a_checkpoint_of_another_log_or_key_is_refused():
    with pytest.raises(VerificationError, match="not signed by the key"):
        note.open_checkpoint(signed(ED), [P256.key])
    with pytest.raises(VerificationError, match="is for"):
        note.open_checkpoint(signed(ED, origin="example.org/other"), [ED.key])


def test_unknown_signatures_are_passed_over_and_a_rotated_key_still_opens():
    text = note.Checkpoint("example.org/log", 3, b"\x05" * 32).text()
    both = text + "\n" + note.signature_line(P256.key, P256.sign(text.encode())) + note.signature_line(ED.key, ED.sign(text.encode()))
    assert note.open_checkpoint(both.encode(), [ED.key]).size == 3
    assert note.open_checkpoint(both.encode(), [ED.key, P256.key]).size == 3


@pytest.mark.parametrize(
    "text",
    ["", "x", "a\n1\n", "a\n01\n" + "A" * 43 + "=\n", "a\n-1\n" + "A" * 43 + "=\n", "a\n1\nAAAA\n", "\n1\n" + "A" * 43 + "=\n", "a\n\u0661\n" + "A" * 43 + "=\n"],
)
def test_what_is_nearly_a_checkpoint_is_none(text):
    with pytest.raises(VerificationError):
        note.parse_checkpoint(text)


NEARLY = ["", "a+b", "a+530d903a+AAAA", EXAMPLE_KEY.replace(".com", " com"), EXAMPLE_KEY[:-2], EXAMPLE_KEY.replace("530d", "530e")]


@pytest.mark.parametrize("vkey", NEARLY)
def test_what_is_nearly_a_key_is_none(vkey):
    with pytest.raises(VerificationError):
        note.parse_vkey(vkey)


@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_else(data):
    for reader in (note.parse_note, note.parse_proof, lambda d: note.open_checkpoint(d, [ED.key]), lambda d: note.parse_vkey(d.decode("latin1"))):
        with pytest.raises(VerificationError):
            reader(data)


def test_offline_proofs_read_back():
    checkpoint = signed(ED)
    data = note.proof_text(2, [b"\x01" * 32, b"\x02" * 32], checkpoint)
    assert data.startswith(b"c2sp.org/tlog-proof@v1\nindex 2\n")
    assert note.parse_proof(data) == (2, [b"\x01" * 32, b"\x02" * 32], checkpoint)
    assert note.parse_proof(note.proof_text(0, [], checkpoint)) == (0, [], checkpoint)
    assert note.parse_proof(data.replace(b"index", b"extra AAAA\nindex"))[0] == 2
