"""Keys in an Azure Key Vault or Managed HSM: the private half never leaves it, and we may do two things with it, `sign` and `get`.

Key Vault signs with ECDSA P-256 (ES256) and gives `r ‖ s`, 64 bytes; a signed note wants DER. What it gives is verified here, with the
public key that the log names, before anybody uses it: a checkpoint is written once, and a wrong signature in it would stay. Leaves out:
which addresses a token may go to (`shared.collect.clouds.vault_address`); those given here are taken to be such.

Source: learn.microsoft.com/rest/api/keyvault/keys (Sign, Get Key) and /secrets (Get Secret).
"""

import hashlib
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from shared.errors import Misuse, Unreachable
from shared.seal import note

_WIDTH = 32
"""Bytes of each half of a P-256 signature, and of each coordinate of its key."""


@dataclass(frozen=True, slots=True)
class Access:
    """How vaults are reached from here."""

    authority: str
    """Host that logs in; empty on loopback, where there is a stand-in."""
    ca_file: str | None = None

    def client(self, kind: Any, of: Any) -> Any:
        """A client of the SDK of a kind, for what its first argument is to be: a vault, or a key."""
        from shared.seal import vault_calls

        loopback = not self.authority
        credential = vault_calls.LocalCredential() if loopback else vault_calls.login(self.authority)
        return kind(of, credential, **vault_calls.client_options(loopback=loopback, ca_file=self.ca_file))


def _told(address: str) -> str:
    """An address as the SDK is told it: it gives tokens to https alone (`vault_calls.LoopbackTransport`)."""
    return address.replace("http://127.0.0.1:", "https://127.0.0.1:", 1)


def _parts(identifier: str) -> tuple[str, str, str | None]:
    """Vault, name, version of `https://HOST/keys/NAME[/VERSION]`."""
    scheme, _, host, _, name, *version = identifier.split("/")
    return f"{scheme}//{host}", name, version[0] if version else None


@dataclass(frozen=True, slots=True)
class VaultSigner:
    """One version of a key in a vault."""

    key: note.VerifierKey
    identifier: str
    """`https://HOST/keys/NAME/VERSION`."""
    access: Access = field(repr=False)

    def sign(self, text: bytes) -> bytes:
        """A signature over `text`, in DER, that was found to verify.

        Raises:
            Misuse: the key is gone, disabled, expired, of another sort, or this identity may not sign with it.
            Unreachable: the vault does not answer, is throttled, or gave a signature that is not the key's.
        """
        from shared.seal import vault_calls

        with vault_calls.explained(self.identifier, "sign"):
            raw = _signing(self.identifier, self.key.material, self.access).sign("ES256", hashlib.sha256(text).digest(), **vault_calls.CALL).signature
        if len(raw) == 2 * _WIDTH:
            signature = encode_dss_signature(int.from_bytes(raw[:_WIDTH]), int.from_bytes(raw[_WIDTH:]))
            if self.key.verifies(text, signature):
                return signature
        raise Unreachable(
            f"{self.identifier}: the vault gave a signature that is not this key's, so nothing was signed; run again, and if it stays so, "
            "ask who keeps the vault"
        )


@lru_cache(maxsize=8)
def _signing(identifier: str, spki: bytes, access: Access) -> Any:
    """The client that signs with a key, once a process: it keeps its connection and its token.

    Given the public key, the SDK does not ask for it, and leaves signing to the vault.
    """
    from azure.keyvault.keys import KeyVaultKey
    from azure.keyvault.keys.crypto import CryptographyClient

    public = serialization.load_der_public_key(spki)
    assert isinstance(public, ec.EllipticCurvePublicKey)
    numbers = public.public_numbers()
    jwk = {"kty": "EC", "crv": "P-256", "x": numbers.x.to_bytes(_WIDTH), "y": numbers.y.to_bytes(_WIDTH), "key_ops": ["sign", "verify"]}
    return access.client(CryptographyClient, KeyVaultKey(_told(identifier), jwk))


def open_key(identifier: str, origin: str, access: Access) -> VaultSigner:
    """Get the public half of a key; without a version in `identifier`, of the version that is current.

    Raises:
        Misuse: there is no such key, it is disabled or not P-256, or this identity may not get it.
        Unreachable: the vault does not answer.
    """
    from azure.keyvault.keys import KeyClient

    from shared.seal import vault_calls

    vault, name, version = _parts(identifier)
    with vault_calls.explained(identifier, "get"):
        found = access.client(KeyClient, _told(vault)).get_key(name, version, **vault_calls.CALL)
    if found.key.kty not in ("EC", "EC-HSM") or found.key.crv != "P-256":
        raise Misuse(f"{identifier} is not an EC key with the curve P-256 ({_sort(found.key)}): make one, `az keyvault key create --kty EC --curve P-256`")
    if found.properties.enabled is False:  # getting it is allowed all the same
        raise Misuse(f"{identifier} is disabled: enable it in the vault, or name another version")
    try:
        point = ec.EllipticCurvePublicNumbers(int.from_bytes(found.key.x), int.from_bytes(found.key.y), ec.SECP256R1())
        spki = point.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    except (ValueError, TypeError):
        raise Unreachable(f"{identifier}: the vault gave a public key that is none: is it a Key Vault?") from None
    return VaultSigner(note.ecdsa_key(origin, spki), f"{vault}/keys/{name}/{found.properties.version}", access)


def _sort(key: Any) -> str:
    return ", ".join(str(getattr(part, "value", part)) for part in (key.kty, key.crv) if part)


def read_secret(identifier: str, access: Access) -> tuple[bytes, str]:
    """The text of a secret, of the version named, else of the current one; and its identifier, `https://HOST/secrets/NAME/VERSION`.

    Raises:
        Misuse: there is no such secret, it is disabled or empty, or this identity may not read it.
        Unreachable: the vault does not answer.
    """
    from azure.keyvault.secrets import SecretClient

    from shared.seal import vault_calls

    vault, name, version = _parts(identifier)
    with vault_calls.explained(identifier, "read"):
        found = access.client(SecretClient, _told(vault)).get_secret(name, version, **vault_calls.CALL)
    if not found.value:
        raise Misuse(f"{identifier} is empty: put the private key there, as PEM")
    return str(found.value).encode(), f"{vault}/secrets/{name}/{found.properties.version}"
