"""Keys that sign checkpoints. The embedded default is a PEM file; a Key Vault key comes with the same seam."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from shared.errors import Misuse
from shared.seal import note


class Signer(Protocol):
    """What can sign a checkpoint."""

    @property
    def key(self) -> note.VerifierKey:
        """The public side, whose name is the log's origin."""

    def sign(self, text: bytes) -> bytes:
        """A signature over `text`, in the encoding of the key's note signature type."""


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A private key held in memory: Ed25519, or ECDSA P-256."""

    key: note.VerifierKey
    private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey

    def sign(self, text: bytes) -> bytes:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(text)
        return self.private.sign(text, ec.ECDSA(hashes.SHA256()))


def signer_for(origin: str, private: ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> FileSigner:
    """A signer for the log called `origin`."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return FileSigner(note.ed25519_key(origin, public), private)
    spki = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return FileSigner(note.ecdsa_key(origin, spki), private)


def create_key_file(path: Path, algorithm: str) -> None:
    """Write a new private key, readable by its owner alone. `algorithm`: `ed25519` or `ecdsa-p256`.

    Raises:
        Misuse: the file exists (a signing key is never overwritten) or cannot be written.
    """
    private = ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519" else ec.generate_private_key(ec.SECP256R1())
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Misuse(f"{path} exists: a signing key is never overwritten; name another, or move it away") from None
    except OSError as error:
        raise Misuse(f"cannot write the signing key to {path}: {error.strerror}") from None
    with os.fdopen(handle, "wb") as file:
        file.write(pem)
        file.flush()
        os.fsync(file.fileno())


def load_key_file(path: Path, origin: str) -> FileSigner:
    """Read a private key in PEM, for the log called `origin`.

    Raises:
        Misuse: it cannot be read, or is neither Ed25519 nor ECDSA P-256.
    """
    try:
        private = serialization.load_pem_private_key(path.read_bytes(), None)
    except OSError as error:
        raise Misuse(f"cannot read the signing key {path}: {error.strerror}; set EVIDENCE_SIGNING_KEY to its place") from None
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Misuse(f"{path} is not an unencrypted private key in PEM") from None
    if isinstance(private, ed25519.Ed25519PrivateKey):
        return signer_for(origin, private)
    if isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == "secp256r1":
        return signer_for(origin, private)
    raise Misuse(f"{path} is neither an Ed25519 nor an ECDSA P-256 key: those are what checkpoints are signed with")
