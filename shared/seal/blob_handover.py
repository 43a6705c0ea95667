"""Bundles in a storage account: a file of any size is uploaded in blocks, and a link that ends soon lets somebody without a login fetch it.

The link is a user-delegation SAS: read, one blob, signed with a key that Azure gives this identity for a while, so that no account key
exists anywhere. Leaves out: who may ask for a link (the service's affair). Source:
learn.microsoft.com/rest/api/storageservices/create-user-delegation-sas.
"""

from datetime import datetime, timedelta
from pathlib import Path

from azure.storage.blob import BlobSasPermissions, ContentSettings, UserDelegationKey, generate_blob_sas

from shared import layout
from shared.errors import Misuse
from shared.seal.blob_account import API_VERSION
from shared.seal.blobs import BlobStore, content_type, split

LONGEST = timedelta(days=1)
"""Azure allows seven days; a link cannot be taken back, and another one is made in a moment."""


def upload(store: BlobStore, path: str, file: Path) -> None:
    """Put a local file at `path`, which must be in `bundles/`; it appears there when all of it is there.

    Raises:
        Misuse: another folder, or the file cannot be read.
        Unreachable: refused, or no answer.
    """
    if not path.startswith(layout.BUNDLES):
        raise Misuse(f"{path}: files are handed over in {layout.BUNDLES} alone")
    settings = ContentSettings(content_type=content_type(path))

    def send() -> None:
        with file.open("rb") as data:
            store.blob(path).upload_blob(data, length=file.stat().st_size, overwrite=True, content_settings=settings, max_concurrency=4)

    try:
        store.call(path, "write to", send)
    except OSError as error:
        raise Misuse(f"cannot read {file}: {error.strerror}") from None


def link(store: BlobStore, path: str, until: datetime) -> str:
    """A URL under which the blob can be read, by whoever has it, until then: a moment that is at most LONGEST away.

    Raises:
        Misuse: another folder than `bundles/`.
        Unreachable: not allowed to, or no answer.
    """
    if not path.startswith(layout.BUNDLES):
        raise Misuse(f"{path}: only what is in {layout.BUNDLES} can be linked to")
    # The key begins well in the past, whatever the difference between our clock and Azure's.
    key = store.call(path, "link to", lambda: store.service.get_user_delegation_key(until - LONGEST, until))
    return signed_link(store, path, key, until)


def signed_link(store: BlobStore, path: str, key: UserDelegationKey, until: datetime) -> str:
    """The URL of the blob with a signature of `key`."""
    container, name = split(path)
    blob = store.blob(path)
    token = generate_blob_sas(
        account_name=str(blob.account_name),
        container_name=container,
        blob_name=name,
        user_delegation_key=key,
        permission=BlobSasPermissions(read=True),
        expiry=until,
        version=API_VERSION,
        protocol="https" if blob.url.startswith("https:") else None,
        content_disposition=f'attachment; filename="{Path(name).name}"',
    )
    return f"{blob.url}?{token}"
