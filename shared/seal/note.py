"""Signed notes, checkpoints and offline proofs, byte for byte as c2sp.org/signed-note, tlog-checkpoint and tlog-proof say.

Pure apart from the arithmetic of signatures. Whatever is wrong with bytes from outside is one `VerificationError`.
"""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from shared.errors import VerificationError

ED25519 = 0x01
ECDSA = 0x02

MAX_NOTE = 1_000_000
"""Bytes of a note that are looked at; C2SP asks for a limit, and for at least 16 signatures."""

_DASH = "\u2014 "
_PROOF_HEAD = "c2sp.org/tlog-proof@v1"


def decode_base64(text: str) -> bytes:
    """Decode standard base64, refusing every spelling but the one an encoder gives.

    Raises:
        VerificationError: not base64, or spelled in another way (which would let a bit flip pass unseen).
    """
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise VerificationError("malformed base64") from None
    if base64.b64encode(data).decode() != text:
        raise VerificationError("malformed base64")
    return data


def _decimal(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 19) or str(int(text)) != text:
        raise VerificationError(f"malformed number {text[:30]!r}")
    return int(text)


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key by which notes are trusted; `str()` of it is the vkey to hand to an auditor."""

    name: str
    key_id: bytes
    algorithm: int
    material: bytes
    """32 bytes for Ed25519, SPKI DER for ECDSA P-256."""

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.algorithm]) + self.material).decode()}"

    @property
    def short(self) -> str:
        """What tells it from the other keys of its log, for sentences: name and id."""
        return f"{self.name}+{self.key_id.hex()}"

    def verifies(self, text: bytes, signature: bytes) -> bool:
        """Whether `signature` over `text` was made with this key."""
        try:
            if self.algorithm == ED25519:
                ed25519.Ed25519PublicKey.from_public_bytes(self.material).verify(signature, text)
            else:
                _p256(self.material).verify(signature, text, ec.ECDSA(hashes.SHA256()))
        except (InvalidSignature, ValueError):
            return False
        return True


def _p256(spki: bytes) -> ec.EllipticCurvePublicKey:
    key = serialization.load_der_public_key(spki)
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
        raise ValueError("not a P-256 key")
    return key


def ed25519_key(name: str, public: bytes) -> VerifierKey:
    """The vkey of a raw Ed25519 public key (32 bytes)."""
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([ED25519]) + public).digest()[:4]
    return VerifierKey(name, key_id, ED25519, public)


def ecdsa_key(name: str, spki: bytes) -> VerifierKey:
    """The vkey of a P-256 public key in SPKI DER; its key id is that of the DER alone (signed-note, type 0x02)."""
    return VerifierKey(name, hashlib.sha256(spki).digest()[:4], ECDSA, spki)


def parse_vkey(text: str) -> VerifierKey:
    """Read a vkey, `<name>+<hex id>+<base64>`.

    Raises:
        VerificationError: it is none, its id does not fit its key, or the key is of a sort that is not known here.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not good_key_name(parts[0]):
        raise VerificationError("not a verifier key: expected NAME+8 HEX DIGITS+BASE64, one line")
    name, hex_id, encoded = parts
    blob = decode_base64(encoded)
    if len(blob) == 33 and blob[0] == ED25519:
        key = ed25519_key(name, blob[1:])
    elif blob[:1] == bytes([ECDSA]):
        try:
            _p256(blob[1:])
        except ValueError:
            raise VerificationError("verifier key: not an ECDSA P-256 public key") from None
        key = ecdsa_key(name, blob[1:])
    else:
        raise VerificationError("verifier key: neither Ed25519 (type 1) nor ECDSA P-256 (type 2)")
    if key.key_id.hex() != hex_id:
        raise VerificationError("verifier key: its id does not belong to its key; copy the whole line again")
    return key


def good_key_name(name: str) -> bool:
    """Whether a key may be called so: not empty, no white space, no plus sign (signed-note, Format)."""
    return bool(name) and "+" not in name and not any(c.isspace() or ord(c) < 0x20 for c in name)


def signature_line(key: VerifierKey, signature: bytes) -> str:
    """The line that a signature adds to a note, with its newline."""
    return f"{_DASH}{key.name} {base64.b64encode(key.key_id + signature).decode()}\n"


@dataclass(frozen=True, slots=True)
class SignedNote:
    """A note taken apart. Nothing in it is trusted until `signers` has named a key that is."""

    text: str
    """With its final newline."""
    signatures: tuple[tuple[str, bytes, bytes], ...]
    """Key name, key id (4 bytes), signature."""

    def signers(self, keys: Sequence[VerifierKey]) -> list[VerifierKey]:
        """Those of `keys` that signed this note.

        Raises:
            VerificationError: a signature says that it is of one of the keys, and it is not.
        """
        named: dict[tuple[str, bytes], list[VerifierKey]] = {}
        for key in keys:
            named.setdefault((key.name, key.key_id), []).append(key)
        found = []
        for name, key_id, signature in self.signatures:
            for key in named.get((name, key_id), ()):
                if not key.verifies(self.text.encode(), signature):
                    raise VerificationError(f"the signature of {name} does not fit the text")
                found.append(key)
        return found


def parse_note(data: bytes) -> SignedNote:
    """Take a signed note apart.

    Raises:
        VerificationError: it is not one, byte for byte.
    """
    if len(data) > MAX_NOTE:
        raise VerificationError("malformed note: too large")
    try:
        whole = data.decode("utf-8")
    except UnicodeDecodeError:
        raise VerificationError("malformed note: not UTF-8") from None
    if any(ord(c) < 0x20 and c != "\n" for c in whole):
        raise VerificationError("malformed note: control characters")
    text, blank, tail = whole.rpartition("\n\n")
    if not blank or not tail.endswith("\n"):
        raise VerificationError("malformed note: no signatures")
    return SignedNote(text + "\n", tuple(_signature(line) for line in tail[:-1].split("\n")))


def _signature(line: str) -> tuple[str, bytes, bytes]:
    name, space, encoded = line.removeprefix(_DASH).partition(" ")
    if not line.startswith(_DASH) or not space or not good_key_name(name):
        raise VerificationError("malformed note: a signature line is not one")
    blob = decode_base64(encoded)
    if len(blob) < 5:
        raise VerificationError("malformed note: a signature is too short")
    return name, blob[:4], blob[4:]


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The state of a log: who keeps it, how many records it has, and their root hash."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The note text (c2sp.org/tlog-checkpoint)."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint note.

    Raises:
        VerificationError: it is not one. Extension lines are allowed and mean nothing here.
    """
    lines = text.split("\n")
    if len(lines) < 4 or lines[-1] or not all(lines[:-1]):
        raise VerificationError("malformed checkpoint")
    root = decode_base64(lines[2])
    if len(root) != 32:
        raise VerificationError("malformed checkpoint: the root hash is not 32 bytes")
    return Checkpoint(lines[0], _decimal(lines[1]), root)


def open_checkpoint(data: bytes, keys: Sequence[VerifierKey]) -> Checkpoint:
    """Read a checkpoint that one of `keys` signed under the log's own name.

    Raises:
        VerificationError: malformed, signed by none of them, or for another log than the key is for.
    """
    note = parse_note(data)
    signers = note.signers(keys)
    if not signers:
        raise VerificationError("the checkpoint is not signed by the key given")
    checkpoint = parse_checkpoint(note.text)
    if all(key.name != checkpoint.origin for key in signers):
        raise VerificationError(f"the checkpoint is of the log {checkpoint.origin}, the key given is for {signers[0].name}")
    return checkpoint


def proof_text(index: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """An offline proof that the record `index` is in the log of `checkpoint` (c2sp.org/tlog-proof)."""
    lines = [_PROOF_HEAD, f"index {index}", *(base64.b64encode(value).decode() for value in proof)]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


def parse_proof(data: bytes) -> tuple[int, list[bytes], bytes]:
    """Take an offline proof apart: index, hashes, the checkpoint's bytes.

    Raises:
        VerificationError: it is not one.
    """
    head, blank, checkpoint = data.partition(b"\n\n")
    lines = head.decode("utf-8", "replace").split("\n")
    if not blank or lines[0] != _PROOF_HEAD:
        raise VerificationError("malformed proof")
    rest = lines[1:]
    if rest and rest[0].startswith("extra "):
        decode_base64(rest.pop(0)[len("extra ") :])
    if not rest or not rest[0].startswith("index "):
        raise VerificationError("malformed proof: no index")
    hashes_ = [decode_base64(line) for line in rest[1:]]
    if any(len(value) != 32 for value in hashes_):
        raise VerificationError("malformed proof: a hash is not 32 bytes")
    return _decimal(rest[0][len("index ") :]), hashes_, checkpoint
