"""A lease: that one process at a time seals, so that others do not work for nothing.

A lease is a courtesy, never what keeps the log right: one that runs out under a process that stalls is taken by another, and then
create-if-absent of the commit decides. In a storage account it is a lease on a blob, which ends by itself after SECONDS without
`renew`; in a directory it is a lock on a file, which ends with the process. Source: learn.microsoft.com/rest/api/storageservices/lease-blob.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from shared.errors import EvidenceError

if TYPE_CHECKING:
    from azure.storage.blob import BlobLeaseClient

    from shared.seal.blobs import BlobStore

SECONDS = 60
"""How long a lease lasts without being renewed: the longest that Azure gives. Renew it every third of that."""


class Lease(Protocol):
    """What was taken. Release it in any case; a process that dies releases it later."""

    def renew(self) -> bool:
        """Hold it for another SECONDS; False where it was lost: stop what it was taken for."""

    def release(self) -> None:
        """Give it back. Nothing is raised: whoever is done does not care any more."""


class Leasing(Protocol):
    """What has leases: every store."""

    def lease(self, path: str) -> Lease | None:
        """Take the lease at `path`; None while another holds it."""


@contextlib.contextmanager
def leased(store: Leasing, path: str) -> Iterator[Lease | None]:
    """Hold the lease at `path` while this goes on; None while another holds it.

    Raises:
        EvidenceError: the store cannot be reached.
    """
    taken = store.lease(path)
    try:
        yield taken
    finally:
        if taken is not None:
            taken.release()


class FileLease:
    """A lock on a file of a local file system."""

    def __init__(self, handle: int) -> None:
        self._handle = handle

    def renew(self) -> bool:
        """A lock is held as long as the process lives."""
        return self._handle >= 0

    def release(self) -> None:
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1


def lease_file(path: str) -> FileLease | None:
    """Lock the file at `path`, whose folder is there; None while another process, or another thread, holds it.

    Where the system has no such locks (Windows) it is always given.

    Raises:
        OSError: the file cannot be opened.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    try:
        import fcntl
    except ImportError:
        return FileLease(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    except BaseException:
        os.close(handle)
        raise
    return FileLease(handle)


class BlobLease:
    """A lease on a blob, of SECONDS."""

    def __init__(self, store: "BlobStore", path: str, client: "BlobLeaseClient") -> None:
        self._store = store
        self._path = path
        self._client = client

    def acquire(self) -> bool:
        """Take it; False while another holds it.

        The id that is proposed stays the same when an answer is lost: Azure then gives the lease again to whom it had given it.

        Raises:
            Unreachable, Misuse: as every call to the store.
        """
        return self._held(lambda: self._client.acquire(lease_duration=SECONDS))

    def renew(self) -> bool:
        return bool(self._client.id) and self._held(self._client.renew)  # the SDK forgets the id of what it released

    def release(self) -> None:
        if not self._client.id:
            return
        with contextlib.suppress(EvidenceError):
            self._held(self._client.release)

    def _held(self, action: Callable[[], object]) -> bool:
        from azure.core.exceptions import HttpResponseError

        from shared.seal.blob_calls import code_of

        def asked() -> bool:
            try:
                action()
            except HttpResponseError as error:
                if code_of(error)[0] in (409, 412):  # LeaseAlreadyPresent, LeaseIdMismatchWithLeaseOperation, LeaseIsBreaking…
                    return False
                raise
            return True

        return self._store.call(self._path, "write to", asked)


def lease_blob(store: "BlobStore", path: str) -> BlobLease | None:
    """Lease the blob at `path`, which is made where it is missing; None while another holds it.

    Raises:
        Unreachable, Misuse: as every call to the store.
    """
    from azure.storage.blob import BlobLeaseClient

    if not store.exists(path):
        store.put_new(path, b"")
    lease = BlobLease(store, path, BlobLeaseClient(store.blob(path)))
    return lease if lease.acquire() else None
