"""Copies of checkpoints into a container of another storage account, which the owner of the store has no rights over but to add.

Guarantees: create-if-absent, under the names that the files have below `evidence/`; what is there already is read and compared, since a
checkpoint of the same size with another root is how a log that was rewritten comes to light. One try each, and short time-outs: what
does not work now is owed. Leaves out: whether the address may be given a token (`shared.service.stores`), and that account's own retention.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.storage.blob import ContentSettings

from shared import layout
from shared.seal.attestor import Asked, Owed, Sort
from shared.seal.blob_calls import code_of
from shared.seal.blobs import content_type

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

TIMEOUTS = (3.0, 5.0)
"""Seconds to connect, and of silence within an answer."""

_TAKEN = frozenset({409, 412})
_MAY_NOT_REPLACE = frozenset({"AuthorizationPermissionMismatch", "UnauthorizedBlobOverwrite"})
"""Said of a name that is taken to whoever may only add."""

_TODO = {
    401: "log in to the tenant that the account is in",
    403: "give this identity the rights to add and to read blobs there, and let its firewall pass this network",
    404: "make the container",
}


@dataclass(frozen=True, slots=True)
class ContainerCopy:
    """One container."""

    name: str
    container: "ContainerClient"
    sort: Sort = "copy"

    def ask(self, asked: Asked) -> bytes:
        """Put the checkpoint there, and what is beside it.

        Raises:
            Owed: not all of it is there now.
        """
        path = layout.checkpoint(asked.size)
        there = self._put(path, asked.checkpoint)
        if there is not None and _text(there) != _text(asked.checkpoint):
            raise Owed(f"it holds another checkpoint of {asked.size} records: the log was rewritten, or another one is copied there", grave=True)
        for name, data in asked.beside.items():
            self._put(layout.CHECKPOINTS + name, data)
        return b""

    def _put(self, path: str, data: bytes) -> bytes | None:
        """Create the blob; what it holds, where it was there already.

        Raises:
            Owed: neither.
        """
        blob = self.container.get_blob_client(path.removeprefix(layout.EVIDENCE))
        settings = ContentSettings(content_type=content_type(path))
        try:
            blob.upload_blob(data, length=len(data), overwrite=False, content_settings=settings)
        except AzureError as error:
            status, code = code_of(error)
            if status not in _TAKEN and code not in _MAY_NOT_REPLACE:
                raise _explained(error) from None
            try:
                return bytes(blob.download_blob(max_concurrency=1).readall())
            except AzureError as second:
                raise _explained(error if code_of(second)[0] == 404 else second) from None
        return None


def _text(signed: bytes) -> bytes:
    """What was signed: ECDSA signs the same text differently each time."""
    return signed.partition(b"\n\n")[0]


def _explained(error: AzureError) -> Owed:
    status, code = code_of(error)
    if isinstance(error, ClientAuthenticationError) and error.response is None:
        return Owed("no login to Azure: run `az login`, or give this machine an identity")
    if status < 400:
        return Owed(f"no answer from the account ({type(error).__name__})")
    todo = f": {_TODO[status]}" if status in _TODO else ""
    return Owed(f"the account refuses the copy ({status} {code}".rstrip() + f"){todo}")
