"""Keys that sign checkpoints. The embedded default is a PEM file; a key in a vault has the same seam (`shared.seal.vault`)."""

import contextlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from shared.errors import Misuse
from shared.seal import note

PrivateKey = ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey


class Signer(Protocol):
    """What can sign a checkpoint."""

    @property
    def key(self) -> note.VerifierKey:
        """The public side, whose name is the log's origin."""

    @property
    def identifier(self) -> str | None:
        """Where in a vault the key is, version included; None for one that is in none."""

    def sign(self, text: bytes) -> bytes:
        """A signature over `text`, in the encoding of the key's note signature type."""


@dataclass(frozen=True, slots=True)
class FileSigner:
    """A private key held in memory: Ed25519, or ECDSA P-256."""

    key: note.VerifierKey
    private: PrivateKey
    identifier: str | None = None
    """Of a key that was read from a secret in a vault: `https://HOST/secrets/NAME/VERSION`."""

    def sign(self, text: bytes) -> bytes:
        if isinstance(self.private, ed25519.Ed25519PrivateKey):
            return self.private.sign(text)
        return self.private.sign(text, ec.ECDSA(hashes.SHA256()))


def signer_for(origin: str, private: PrivateKey) -> FileSigner:
    """A signer for the log called `origin`."""
    if isinstance(private, ed25519.Ed25519PrivateKey):
        public = private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        return FileSigner(note.ed25519_key(origin, public), private)
    spki = private.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return FileSigner(note.ecdsa_key(origin, spki), private)


def new_private_key(algorithm: str) -> PrivateKey:
    """A key that nobody has. `algorithm`: `ed25519` or `ecdsa-p256`."""
    return ed25519.Ed25519PrivateKey.generate() if algorithm == "ed25519" else ec.generate_private_key(ec.SECP256R1())


def create_key_file(path: Path, private: PrivateKey) -> None:
    """Write a private key, readable by its owner alone, or nothing.

    Raises:
        Misuse: the file exists (a signing key is never overwritten) or cannot be written.
    """
    pem = private.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    try:
        with contextlib.suppress(FileExistsError):
            path.parent.mkdir(parents=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pem)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            path.unlink()
            raise
    except FileExistsError:
        raise Misuse(f"{path} exists: a signing key is never overwritten; name another, or move it away") from None
    except OSError as error:
        raise Misuse(f"cannot write the signing key to {path}: {error.strerror}") from None


def load_key_file(path: Path, origin: str, setting: str = "EVIDENCE_SIGNING_KEY") -> FileSigner:
    """Read a private key in PEM, for the log called `origin`. `setting`: what names its place.

    Raises:
        Misuse: it cannot be read, or is neither Ed25519 nor ECDSA P-256.
    """
    try:
        pem = path.read_bytes()
    except OSError as error:
        raise Misuse(f"cannot read the signing key {path}: {error.strerror}; set {setting} to its place") from None
    return load_key(pem, origin, str(path))


def load_key(pem: bytes, origin: str, name: str, identifier: str | None = None) -> FileSigner:
    """A private key in PEM, for the log called `origin`. `name`: what to call it to people; `identifier`: of the secret that it was in.

    Raises:
        Misuse: it is neither Ed25519 nor ECDSA P-256.
    """
    try:
        private = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Misuse(f"{name} is not an unencrypted private key in PEM") from None
    if isinstance(private, ed25519.Ed25519PrivateKey) or (isinstance(private, ec.EllipticCurvePrivateKey) and private.curve.name == "secp256r1"):
        return replace(signer_for(origin, private), identifier=identifier)
    raise Misuse(f"{name} is neither an Ed25519 nor an ECDSA P-256 key: those are what checkpoints are signed with")
