"""What signs for the settings: a PEM file, or a key in a vault; and the second key beside it, where one is set.

A key in a vault is named with a version or without. Without one, the version that the log's newest list of keys names is the one that
signs, so that a vault which makes new versions by itself stops nothing; only where the list names none is the current version asked for.
"""

from dataclasses import dataclass
from pathlib import Path

from shared.collect.clouds import CLOUDS, VaultAddress, vault_address
from shared.errors import Misuse
from shared.seal import note
from shared.seal.key_list import KeyList
from shared.seal.signing import Signer, load_key, load_key_file
from shared.seal.store import InFolder, Store
from shared.seal.vault import Access, VaultSigner, open_key, read_secret
from shared.settings import Settings, own_path


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signing key is: a file, or a vault."""

    file: Path | None = None
    vault: VaultAddress | None = None

    def __str__(self) -> str:
        return str(self.file or self.vault)


def is_address(text: str) -> bool:
    """Whether a place is on a network rather than on this machine."""
    return text.lower().startswith(("https://", "http://"))


def place(text: str, settings: Settings, where: str = "EVIDENCE_SIGNING_KEY", sort: str = "keys") -> Place:
    """Where `text` says that a key is.

    Raises:
        Misuse: it is an address, and not surely one of a vault of the chosen cloud: no token may go there.
    """
    if not is_address(text):
        return Place(file=own_path(text))
    found = vault_address(text, settings.cloud)
    if found is None or found.sort != sort:
        domain = "127.0.0.1:PORT" if settings.cloud == "loopback" else f"VAULT.{CLOUDS[settings.cloud].vault_domains[0]}"
        scheme = "http" if settings.cloud == "loopback" else "https"
        raise Misuse(
            f"{where} is {text!r}: in the cloud {settings.cloud} (EVIDENCE_CLOUD) it is {scheme}://{domain}/{sort}/NAME, with /VERSION or without, "
            "or a PEM file"
        )
    return Place(vault=found)


def key_place(settings: Settings, store: Store) -> Place:
    """Where the signing key is: EVIDENCE_SIGNING_KEY, else beside the store (never within: copies of the store go to auditors).

    Raises:
        Misuse: it cannot be one, or the store is no folder and the setting is missing.
    """
    if settings.signing_key:
        return place(settings.signing_key, settings)
    if not isinstance(store, InFolder):
        raise Misuse("EVIDENCE_SIGNING_KEY is not set: nothing lies beside a storage account, so it must name the key (a PEM file, or a key in a vault)")
    root = store.root.absolute()
    return Place(file=root.with_name(root.name + ".key.pem"))


def signer_at(where: Place, settings: Settings, origin: str, keys: KeyList | None = None) -> Signer:
    """What signs with the key at a place, for the log called `origin`. `keys`: the list in force, where there is one.

    Raises:
        Misuse: there is no such key, or it is not one that can sign a log.
        Unreachable: its vault does not answer.
    """
    if where.file is not None:
        return load_key_file(where.file, origin)
    assert where.vault is not None
    access = _access(settings)
    for key, identifier in _in_vault(keys, where.vault, settings.cloud):
        return VaultSigner(key, identifier, access)
    return open_key(str(where.vault), origin, access)


def _in_vault(keys: KeyList | None, where: VaultAddress, cloud: str) -> list[tuple[note.VerifierKey, str]]:
    """The keys of a list that are versions of the key at `where`. What the list says is not trusted to name the vault: `where` does."""
    found = []
    for key in keys.keys if keys else ():
        known = vault_address(keys.vaults.get(str(key), "") if keys else "", cloud)
        same = known is not None and (known.vault, known.sort, known.name) == (where.vault, where.sort, where.name)
        if known is not None and same and known.version and where.version in (None, known.version) and key.algorithm == note.ECDSA:
            found.append((key, str(known)))
    return found


def second_signer(settings: Settings, origin: str) -> Signer | None:
    """The key that signs beside the first, for witnesses that take no ECDSA; None where none is set.

    Raises:
        Misuse: it cannot be had, or is not Ed25519.
        Unreachable: its vault does not answer.
    """
    if not settings.second_signing_key:
        return None
    where = place(settings.second_signing_key, settings, "EVIDENCE_SECOND_SIGNING_KEY", "secrets")
    if where.file is not None:
        found = load_key_file(where.file, origin, "EVIDENCE_SECOND_SIGNING_KEY")
    else:
        found = load_key(read_secret(str(where.vault), _access(settings)), origin, str(where))
    if found.key.algorithm != note.ED25519:
        raise Misuse(f"{where} is not an Ed25519 key: the second key (EVIDENCE_SECOND_SIGNING_KEY) is for witnesses that take no other sort")
    return found


def signers(settings: Settings, store: Store, origin: str, keys: KeyList | None = None) -> list[Signer]:
    """All that sign, the first key first.

    Raises:
        Misuse: one of them cannot be had.
        Unreachable: a vault does not answer.
    """
    second = second_signer(settings, origin)
    first = signer_at(key_place(settings, store), settings, origin, keys)
    return [first, *([second] if second else [])]


def vaults_of(found: list[Signer]) -> dict[str, str]:
    """Of signers whose key is in a vault: where, by vkey."""
    return {str(signer.key): signer.identifier for signer in found if isinstance(signer, VaultSigner)}


def _access(settings: Settings) -> Access:
    return Access(CLOUDS[settings.cloud].authority, settings.ca_file)
