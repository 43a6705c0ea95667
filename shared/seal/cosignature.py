"""Cosignatures of witnesses, as c2sp.org/tlog-cosignature has them: who has seen a checkpoint, when, and that the log only grew until then.

Both sorts: Ed25519 (0x04, `cosignature/v1`) and ML-DSA-44 (0x06, `subtree/v1` of the whole tree). Pure. A witness's key is never taken for
the key of a log, or the reverse: a cosignature says what somebody saw, not that the log is the one it claims to be.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed25519, mldsa

from shared.errors import VerificationError
from shared.seal import note

ED25519 = 0x04
MLDSA44 = 0x06
_SIZES = {ED25519: (32, 64), MLDSA44: (1312, 2420)}
"""Bytes of the public key, and of a signature without its time."""

_LATEST = 253402300799
"""The last second of the year 9999: later ones are no time."""


@dataclass(frozen=True, slots=True)
class WitnessKey:
    """A public key by which cosignatures are trusted; `str()` of it is the vkey."""

    name: str
    key_id: bytes
    algorithm: int
    material: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{base64.b64encode(bytes([self.algorithm]) + self.material).decode()}"


def witness_key(name: str, algorithm: int, material: bytes) -> WitnessKey:
    """The key with its id."""
    key_id = hashlib.sha256(name.encode() + b"\n" + bytes([algorithm]) + material).digest()[:4]
    return WitnessKey(name, key_id, algorithm, material)


def parse_witness_key(text: str) -> WitnessKey:
    """Read a witness's vkey, `<name>+<hex id>+<base64>`.

    Raises:
        VerificationError: it is none, its id does not fit its key, or it is not the key of a witness.
    """
    parts = text.strip().split("+", 2)
    if len(parts) != 3 or not note.good_key_name(parts[0]):
        raise VerificationError("not a witness's key: expected NAME+8 HEX DIGITS+BASE64, one line")
    blob = note.decode_base64(parts[2])
    if blob[:1] not in (bytes([ED25519]), bytes([MLDSA44])):
        raise VerificationError("not a witness's key: its type is neither 4 (Ed25519 cosignatures) nor 6 (ML-DSA-44)")
    if len(blob) != 1 + _SIZES[blob[0]][0]:
        raise VerificationError("not a witness's key: its length does not fit its type")
    key = witness_key(parts[0], blob[0], blob[1:])
    if key.key_id.hex() != parts[1]:
        raise VerificationError("a witness's key: its id does not belong to its key; copy the whole line again")
    return key


@dataclass(frozen=True, slots=True)
class Cosignature:
    """What a witness said, and its signature fits."""

    key: WitnessKey
    at: datetime
    """When, by its own clock; UTC."""
    line: bytes
    """The line that it adds to the note, with its newline."""


def cosignatures(signed: bytes, keys: "tuple[WitnessKey, ...]") -> list[Cosignature]:
    """The cosignatures of `keys` in a signed note; signatures of others are passed over.

    Raises:
        VerificationError: it is no note of a checkpoint, or a signature says that it is of one of the keys, and it does not fit.
    """
    taken = note.parse_note(signed)
    checkpoint = note.parse_checkpoint(taken.text)
    found = []
    for name, key_id, signature in taken.signatures:
        for key in keys:
            if (key.name, key.key_id) == (name, key_id):
                at = _opened(taken.text, checkpoint, key, signature)
                found.append(Cosignature(key, at, _line(name, key_id + signature)))
    return found


def beside(checkpoint: bytes, lines: bytes) -> bytes:
    """A signed checkpoint with the signature lines of a witness added to it: one note.

    Raises:
        VerificationError: what is to be added is not lines of signatures.
    """
    if not lines.startswith("\u2014 ".encode()) or not lines.endswith(b"\n") or b"\n\n" in lines:
        raise VerificationError("not the signature lines of a witness")
    return checkpoint + lines


def _line(name: str, blob: bytes) -> bytes:
    return f"\u2014 {name} {base64.b64encode(blob).decode()}\n".encode()


def _opened(text: str, checkpoint: note.Checkpoint, key: WitnessKey, blob: bytes) -> datetime:
    """The time of a cosignature.

    Raises:
        VerificationError: it does not fit, or has no time.
    """
    seconds = int.from_bytes(blob[:8], "big")
    if len(blob) != 8 + _SIZES[key.algorithm][1] or not 0 < seconds <= _LATEST:
        raise VerificationError(f"the cosignature of {key.name} is malformed")
    try:
        if key.algorithm == ED25519:
            message = f"cosignature/v1\ntime {seconds}\n{text}".encode()
            ed25519.Ed25519PublicKey.from_public_bytes(key.material).verify(blob[8:], message)
        else:
            mldsa.MLDSA44PublicKey.from_public_bytes(key.material).verify(blob[8:], whole_tree(key.name, seconds, checkpoint))
    except (InvalidSignature, ValueError):
        raise VerificationError(f"the cosignature of {key.name} does not fit the checkpoint") from None
    except UnsupportedAlgorithm:
        raise VerificationError(f"the cosignature of {key.name} is ML-DSA-44, which this build of `cryptography` cannot verify") from None
    return datetime.fromtimestamp(seconds, UTC)


def whole_tree(name: str, seconds: int, checkpoint: note.Checkpoint) -> bytes:
    """The message that an ML-DSA-44 cosignature of a whole checkpoint signs.

    Raises:
        ValueError: a name is longer than the format has room for.
    """
    fields = [b"subtree/v1\n\x00"]
    for text, after in ((name, seconds.to_bytes(8, "big")), (checkpoint.origin, bytes(8) + checkpoint.size.to_bytes(8, "big"))):
        encoded = text.encode()
        if not 0 < len(encoded) < 256:
            raise ValueError("not a name of 1 to 255 bytes")
        fields += [bytes([len(encoded)]), encoded, after]
    return b"".join(fields) + checkpoint.root
