"""What signs for the settings: a PEM file, or a key in a vault; and the second key beside it, where one is set.

A key in a vault is named with a version or without. Without one, the version that the log's lists of keys name is the one that signs, so
that a vault which makes new versions by itself stops nothing; only where no list names one is the current version asked for. While a
change of keys is under way, the versions before and after it are both at hand, so that whoever comes by finishes it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from shared.collect.clouds import CLOUDS, VaultAddress, vault_address
from shared.errors import Misuse
from shared.seal import note
from shared.seal.key_list import KeyList
from shared.seal.signing import FileSigner, Signer, load_key, load_key_file
from shared.seal.store import InFolder, Store
from shared.seal.vault import Access, VaultSigner, open_key, read_secret
from shared.settings import Settings, own_path

FIRST = "EVIDENCE_SIGNING_KEY"
SECOND = "EVIDENCE_SECOND_SIGNING_KEY"
_SORTS = {FIRST: "keys", SECOND: "secrets"}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a signing key is: a file, or a vault."""

    setting: str
    """FIRST or SECOND: which of the two keys it is."""
    file: Path | None = None
    vault: VaultAddress | None = None

    def __str__(self) -> str:
        return str(self.file or self.vault)

    @property
    def of_any_version(self) -> "Place":
        """The same without the version that a vault's address may name."""
        return replace(self, vault=replace(self.vault, version=None)) if self.vault else self


def place(text: str, settings: Settings, setting: str, said: str = "") -> Place:
    """Where `text` says that a key is. `setting`: which of the two; `said`: what it was said with, where that is not the setting.

    Raises:
        Misuse: it is an address, and not surely one of a vault of the chosen cloud: no token may go there.
    """
    if not text.lower().startswith(("https:", "http:")):
        return Place(setting, file=own_path(text))
    found, sort = vault_address(text, settings.cloud), _SORTS[setting]
    if found is None or found.sort != sort:
        domain = "127.0.0.1:PORT" if settings.cloud == "loopback" else f"VAULT.{CLOUDS[settings.cloud].vault_domains[0]}"
        scheme = "http" if settings.cloud == "loopback" else "https"
        raise Misuse(
            f"{said or setting} is {text!r}: in the cloud {settings.cloud} (EVIDENCE_CLOUD) it is {scheme}://{domain}/{sort}/NAME, with /VERSION or without, "
            "or a PEM file"
        )
    return Place(setting, vault=found)


def first_place(settings: Settings, store: Store) -> Place:
    """Where the signing key is: EVIDENCE_SIGNING_KEY, else beside the store (never within: copies of the store go to auditors).

    Raises:
        Misuse: it cannot be one, or the store is no folder and the setting is missing.
    """
    if settings.signing_key:
        return place(settings.signing_key, settings, FIRST)
    if not isinstance(store, InFolder):
        raise Misuse("EVIDENCE_SIGNING_KEY is not set: nothing lies beside a storage account, so it must name the key (a PEM file, or a key in a vault)")
    root = store.root.absolute()
    return Place(FIRST, file=root.with_name(root.name + ".key.pem"))


def second_place(settings: Settings) -> Place | None:
    """Where the key is that signs beside the first, for witnesses that take no ECDSA; None where none is set.

    Raises:
        Misuse: it cannot be one.
    """
    return place(settings.second_signing_key, settings, SECOND) if settings.second_signing_key else None


def signers_at(where: Place, settings: Settings, origin: str, lists: Sequence[KeyList] = ()) -> list[Signer]:
    """What signs with the key at a place, for the log called `origin`: each version that one of `lists` names, else the one that is current.

    Raises:
        Misuse: there is no such key, or it is not one that can sign a log.
        Unreachable: its vault does not answer.
    """
    return listed_at(where, settings, origin, lists) or [current(where, settings, origin)]


def listed_at(where: Place, settings: Settings, origin: str, lists: Sequence[KeyList]) -> list[Signer]:
    """Of a key in a vault, what signs with each version that one of `lists` names; nothing where they name none. A file is what it is.

    Raises:
        Misuse: there is no such key, or it is not one that can sign a log.
        Unreachable: its vault does not answer.
    """
    known, access = _named(lists, where, settings.cloud), access_of(settings)
    if where.vault is None:
        return [current(where, settings, origin)]
    if where.setting == FIRST:
        return [VaultSigner(key, identifier, access) for key, identifier in known]
    return [_secret(identifier, origin, access) for _, identifier in known]


def current(where: Place, settings: Settings, origin: str) -> Signer:
    """What signs with the key at a place, in the version that it names or that is current now.

    Raises:
        Misuse: there is no such key, or it is not one that can sign a log.
        Unreachable: its vault does not answer.
    """
    if where.vault is None:
        assert where.file is not None
        found: Signer = load_key_file(where.file, origin, where.setting)
    elif where.setting == FIRST:
        return open_key(str(where.vault), origin, access_of(settings))
    else:
        found = _read(str(where.vault), origin, access_of(settings))
    if where.setting == SECOND and found.key.algorithm != note.ED25519:
        raise Misuse(f"{where} is not an Ed25519 key: the second key ({SECOND}) is for witnesses that take no other sort")
    return found


def _read(identifier: str, origin: str, access: Access) -> FileSigner:
    text, version = read_secret(identifier, access)
    return load_key(text, origin, identifier, version)


@lru_cache(maxsize=8)
def _secret(identifier: str, origin: str, access: Access) -> FileSigner:
    """A key out of a version of a secret, which never changes: read once a process, not at every sealing."""
    return _read(identifier, origin, access)


def _named(lists: Sequence[KeyList], where: Place, cloud: str) -> list[tuple[note.VerifierKey, str]]:
    """The keys of the lists that are versions of the key at `where`. What a list says is not trusted to name the vault: `where` does."""
    found = {}
    for key, text in ((key, keys.vaults.get(str(key), "")) for keys in lists for key in keys.keys):
        known, asked = vault_address(text, cloud), where.vault
        if known is None or asked is None or not known.version or (asked.version or known.version) != known.version:
            continue
        if (known.vault, known.sort, known.name.lower()) == (asked.vault, asked.sort, asked.name.lower()):
            found[key] = str(known)
    return list(found.items())


def signers(settings: Settings, store: Store, origin: str, lists: Sequence[KeyList] = ()) -> tuple[list[Signer], list[Signer]]:
    """All that sign: with the first key, and with the second. `lists`: those in force and under way.

    Raises:
        Misuse: one of them cannot be had.
        Unreachable: a vault does not answer.
    """
    second = second_place(settings)
    found = signers_at(second, settings, origin, lists) if second else []
    return signers_at(first_place(settings, store), settings, origin, lists), found


def vaults_of(found: Sequence[Signer]) -> dict[str, str]:
    """Of signers whose key is in a vault: where, by vkey."""
    return {str(signer.key): signer.identifier for signer in found if signer.identifier}


def access_of(settings: Settings) -> Access:
    """How vaults are reached."""
    return Access(CLOUDS[settings.cloud].authority, settings.ca_file)
