"""Where the store is: a folder, or a storage account; and how a bundle leaves it.

An address is given a token only where it is surely a storage account of the chosen cloud. In the cloud `loopback` that is the
emulator's account, with the key that Microsoft prints in its documentation.
"""

import logging
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared import layout
from shared.errors import Misuse
from shared.seal.store import Store, open_directory
from shared.settings import Settings

if TYPE_CHECKING:
    from shared.seal.blob_copy import ContainerCopy
    from shared.seal.blobs import BlobStore


def is_account(location: str) -> bool:
    """Whether a store's location names a storage account rather than a folder."""
    return location.lower().startswith(("https://", "http://"))


def store_of(settings: Settings, *, create: bool = False) -> Store:
    """The store that the settings name.

    Raises:
        Misuse: there is none (unless `create`), or the place cannot be one.
        Unreachable: nobody can tell, or it must not be made.
    """
    if not is_account(settings.store):
        return open_directory(settings.store, create=create)
    store = _account_of(settings)
    if create:
        store.create()
    elif not store.exists(layout.commit(1)):
        raise Misuse(f"there is no store at {settings.store}: make one with `aoai-evidence init --store {settings.store}`, or name another")
    return store


def put_file(settings: Settings, path: str, file: Path) -> None:
    """Put a local file into `bundles/`, however large it is.

    Raises:
        Misuse: another folder, or the file cannot be read.
        Unreachable: the store refuses, or cannot be reached.
    """
    if is_account(settings.store):
        from shared.seal.blob_handover import upload

        upload(_account_of(settings), path, file)
    else:
        open_directory(settings.store).put(path, file.read_bytes())


def link(settings: Settings, path: str, until: datetime) -> str | None:
    """A URL under which whoever has it can read what is at `path` (in `bundles/`) until then; None for a folder, which has none.

    Raises:
        Misuse: another folder.
        Unreachable: the store refuses, or cannot be reached.
    """
    if not is_account(settings.store):
        return None
    from shared.seal.blob_handover import link as link_to

    return link_to(_account_of(settings), path, until)


def _account_of(settings: Settings) -> "BlobStore":
    return _account(settings.store, settings.cloud, settings.store_endpoint, settings.ca_file)


@cache
def _account(url: str, cloud: str, endpoint: str | None, ca_file: str | None) -> "BlobStore":
    """One connection for a process, whoever asks."""
    from shared.collect.clouds import CLOUDS, blob_service
    from shared.seal.blobs import BlobStore

    if cloud == "loopback":
        return _emulated(url, endpoint)
    known = blob_service(url, cloud)
    if known is None:
        domain = CLOUDS[cloud].blob_domains[0]
        raise Misuse(
            f"{url.partition('?')[0]!r} is no storage account of the cloud {cloud} (EVIDENCE_CLOUD): it must be https://ACCOUNT.{domain} and nothing more"
        )
    from azure.identity import DefaultAzureCredential

    from shared.seal.blob_account import connect

    logging.getLogger("azure").setLevel(logging.CRITICAL)  # its many lines about ways to log in that it tried: ours is one
    credential = DefaultAzureCredential(authority=CLOUDS[cloud].authority, exclude_interactive_browser_credential=True)
    return BlobStore(connect(known, credential, ca_file=ca_file))


def _emulated(url: str, endpoint: str | None) -> "BlobStore":
    from shared.collect.clouds import LOOPBACK_HOSTS
    from shared.seal.blob_account import EMULATOR_ACCOUNT, connect_to_emulator
    from shared.seal.blobs import BlobStore

    named, asked = urlsplit(url), urlsplit(endpoint or url)
    account = named.path.strip("/") if endpoint is None else (named.hostname or "").partition(".")[0]
    if account != EMULATOR_ACCOUNT or asked.hostname not in LOOPBACK_HOSTS:
        raise Misuse(
            f"EVIDENCE_CLOUD is loopback: the store is a folder, or the emulator's account, https://{EMULATOR_ACCOUNT}.blob.core.windows.net "
            "with its address in EVIDENCE_STORE_ENDPOINT, such as http://127.0.0.1:10000"
        )
    return BlobStore(connect_to_emulator(f"{asked.scheme}://{asked.netloc}"))


def copy_container(name: str, url: str, settings: Settings) -> "ContainerCopy":
    """The container at `url`, in an account that is not the store's, with the rights that this identity has there.

    Raises:
        Misuse: it is not surely in a storage account of the chosen cloud: no token may go there.
    """
    from shared.collect.clouds import CLOUDS, blob_service
    from shared.seal.blob_account import connect, connect_to_emulator
    from shared.seal.blob_copy import TIMEOUTS, ContainerCopy

    account, _, container = url.rstrip("/").rpartition("/")
    if settings.cloud == "loopback":
        return ContainerCopy(name, connect_to_emulator(account.rpartition("/")[0], timeouts=TIMEOUTS).get_container_client(container))
    known = blob_service(account, settings.cloud)
    if known is None:
        raise Misuse(f"EVIDENCE_COPIES: {url!r} is in no storage account of the cloud {settings.cloud} (EVIDENCE_CLOUD)")
    from azure.identity import DefaultAzureCredential

    logging.getLogger("azure").setLevel(logging.CRITICAL)
    credential = DefaultAzureCredential(authority=CLOUDS[settings.cloud].authority, exclude_interactive_browser_credential=True)
    client = connect(known, credential, ca_file=settings.ca_file, timeouts=TIMEOUTS)
    return ContainerCopy(name, client.get_container_client(container))
