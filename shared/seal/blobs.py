"""The write-once store in a storage account: `evidence`, `state`, `personal` and `bundles` are four containers of one account.

Guarantees: `put_new` is one Put Blob with `If-None-Match: *`, which creates the whole blob or changes nothing, and whose answer means
that the blob is on several disks: nothing is ever torn, and there is nothing to flush. An evidence blob is never overwritten and
there is no way to delete one, here; that nobody else can either is the account's retention policy, which is read back from a blob that
was written, never assumed. One object serves all threads. Leaves out: rights and retention themselves (infra/), leases
(`shared.seal.lease`), files larger than memory (`shared.seal.blob_handover`).
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, TypeVar

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import ContentSettings

from shared import layout
from shared.errors import Misuse, StoreConflict
from shared.records import timestamp
from shared.seal.blob_account import LARGEST
from shared.seal.blob_calls import Attempts, Sleep, code_of, explained
from shared.seal.commits import last_commit
from shared.seal.packed import ENCODING, is_packed, pack, unpack

if TYPE_CHECKING:
    from azure.storage.blob import BlobClient, BlobProperties, BlobServiceClient

    from shared.seal.lease import Lease

T = TypeVar("T")

CONTAINERS = tuple(folder.rstrip("/") for folder in (layout.EVIDENCE, layout.STATE, layout.PERSONAL, layout.BUNDLES))

_TAKEN = frozenset({"BlobAlreadyExists", "ConditionNotMet", "BlobImmutableDueToPolicy", "BlobImmutableDueToLegalHold"})
"""Said of a name that is taken. Which of them, where a policy protects the blob too, is nowhere documented."""

_MAY_NOT_REPLACE = frozenset({"AuthorizationPermissionMismatch", "UnauthorizedBlobOverwrite"})

_CONTENT_TYPES = (
    (layout.CHECKPOINTS, "", "text/plain; charset=utf-8"),
    (layout.LATEST_CHECKPOINT, "", "text/plain; charset=utf-8"),
    (layout.LOG, ".json", "application/json"),
    (layout.LOG, "", "application/octet-stream"),
    ("", ".json", "application/json"),
    ("", ".jsonl", "application/jsonl"),
    ("", ".zip", "application/zip"),
)


def content_type(path: str) -> str:
    """Of a blob, by its path: of tiles and checkpoints what c2sp.org/tlog-tiles asks for."""
    found = (kind for start, end, kind in _CONTENT_TYPES if path.startswith(start) and path.endswith(end))
    return next(found, "application/octet-stream")


def split(path: str) -> tuple[str, str]:
    """Container and name of the blob at a path of `shared.layout`.

    Raises:
        ValueError: the path is in none of the four folders.
    """
    container, _, name = path.partition("/")
    if container not in CONTAINERS:
        raise ValueError(f"not a path of the store: {path!r}")
    return container, name


class BlobStore:
    """A store in a storage account. Safe for several threads, several processes and several machines at once."""

    def __init__(self, service: "BlobServiceClient", sleep: Sleep = time.sleep) -> None:
        self.service = service
        self.account = str(service.primary_hostname).partition("/")[0]
        self._containers = {name: service.get_container_client(name) for name in CONTAINERS}
        self._sleep = sleep
        self._newest: str | None = None

    def blob(self, path: str) -> "BlobClient":
        """The SDK's client for one blob."""
        container, name = split(path)
        return self._containers[container].get_blob_client(name)

    def call(self, path: str, doing: str, action: Callable[[], T]) -> T:
        """The result of `action`, tried again where that can help.

        Raises:
            Unreachable, Misuse: it was refused; the line says what to do.
        """
        with self._explained(path, doing):
            return Attempts(self._sleep).run(action)

    def _explained(self, path: str, doing: str) -> AbstractContextManager[None]:
        return explained(self.account, split(path)[0], doing)

    def create(self) -> None:
        """Make the containers that are missing.

        Raises:
            Unreachable: not allowed to, or no answer.
        """
        for name, container in self._containers.items():
            attempts = Attempts(self._sleep)
            with explained(self.account, name, "create"):
                if not attempts.run(container.exists):
                    try:
                        attempts.run(container.create_container)
                    except HttpResponseError as error:
                        if code_of(error)[1] != "ContainerAlreadyExists":
                            raise

    # -- writing --------------------------------------------------------------------------------------------------------

    def put_new(self, path: str, data: bytes) -> bool:
        """Create the blob; False where the name is taken.

        A try whose answer is lost may have created it: where the name is taken at a later try and holds these very bytes, the answer
        is True. Two writers of the same bytes may then both be told True; that can happen to a commit and to what is derived from
        one, which are the same whoever wrote them.

        Raises:
            Misuse: more bytes than one Put Blob of ours takes; or there is no such container.
            Unreachable: refused, or no answer.
        """
        if path.startswith(layout.BODIES) and self.exists(path):
            return False  # most bodies are unchanged, and a look costs a twelfth of a write
        attempts = Attempts(self._sleep)
        with self._explained(path, "add to"):
            try:
                attempts.run(lambda: self._upload(path, data, overwrite=False))
            except HttpResponseError as error:
                if not self._is_taken(path, error):
                    raise
                return attempts.repeated and self.get(path) == data
        if path.startswith(layout.EVIDENCE):
            self._newest = path
        return True

    def _upload(self, path: str, data: bytes, *, overwrite: bool) -> None:
        if len(data) > LARGEST:
            raise Misuse(f"{path} has {len(data):,} bytes: a blob of the store holds {LARGEST:,} at most")
        kept = pack(path, data)
        encoding = ENCODING if is_packed(path, kept) else None
        settings = ContentSettings(content_type=content_type(path), content_encoding=encoding)
        self.blob(path).upload_blob(kept, length=len(kept), overwrite=overwrite, content_settings=settings)

    def _is_taken(self, path: str, error: HttpResponseError) -> bool:
        code = code_of(error)[1]
        # A role that may only add is refused where the blob is there already: what it may not do then is replace it.
        return code in _TAKEN or (code in _MAY_NOT_REPLACE and self.exists(path))

    def put(self, path: str, data: bytes) -> None:
        """Create or replace a blob outside the evidence."""
        if path.startswith(layout.EVIDENCE):
            raise StoreConflict(f"{path} is evidence: it is written once and never replaced")
        self.call(path, "write to", lambda: self._upload(path, data, overwrite=True))

    def delete(self, path: str) -> None:
        """Remove a blob outside the evidence; nothing happens where there is none."""
        if path.startswith(layout.EVIDENCE):
            raise StoreConflict(f"{path} is evidence: it is never deleted")
        with self._explained(path, "delete from"):
            try:
                Attempts(self._sleep).run(lambda: self.blob(path).delete_blob(delete_snapshots="include"))
            except ResourceNotFoundError as error:
                _only_absent(error)

    def flush(self) -> None:
        """Nothing to do: the answer to a Put Blob means that the blob is stored."""

    # -- reading --------------------------------------------------------------------------------------------------------

    def get(self, path: str) -> bytes | None:
        """The bytes of the blob, read in one request, unpacked where it was packed; None where there is none."""
        with self._explained(path, "read"):
            try:
                kept = Attempts(self._sleep).run(lambda: self.blob(path).download_blob(max_concurrency=1, decompress=False).readall())
                return unpack(path, kept)
            except ResourceNotFoundError as error:
                _only_absent(error)
                return None

    def exists(self, path: str) -> bool:
        """Whether there is a blob of this name."""
        return self._properties(path) is not None

    def _properties(self, path: str) -> "BlobProperties | None":
        with self._explained(path, "read"):
            try:
                return Attempts(self._sleep).run(lambda: self.blob(path).get_blob_properties())
            except ResourceNotFoundError as error:
                _only_absent(error)
                return None

    def list(self, prefix: str) -> Iterator[str]:
        """The paths of all blobs below `prefix`, in the order of their names, which is how Azure lists them; page by page."""
        container, start = split(prefix)
        pages = self._containers[container].list_blob_names(name_starts_with=start or None).by_page()
        while (page := self.call(prefix, "read", lambda: next(pages, None))) is not None:
            for name in page:
                yield f"{container}/{name}"

    # -- what protects it -----------------------------------------------------------------------------------------------

    def retention(self) -> dict[str, str | None]:
        """What Azure says of an evidence blob that was written: the newest of this process, else the newest commit.

        `policy` is that of the blob itself (version-level immutability). Where it has none, a policy or legal hold of the container
        counts as `unlocked`: the blob service does not say whether that one is locked, and a hold can be taken off. `written`: when
        the blob was, so that `until` can be measured from there.
        """
        found = self._properties(self._newest) if self._newest else None
        found = found or self._properties(layout.commit(max(last_commit(self), 1)))
        if found is None:
            return _protected("none", None, None)
        written = timestamp(found.creation_time) if found.creation_time else None
        own = found.immutability_policy
        if own is not None and own.policy_mode:
            until = timestamp(own.expiry_time) if own.expiry_time else None
            return _protected("locked" if str(own.policy_mode).lower() == "locked" else "unlocked", until, written)
        held = bool(found.has_legal_hold) or self._container_is_held()
        return _protected("unlocked" if held else "none", None, written)

    def _container_is_held(self) -> bool:
        evidence = self._containers[layout.EVIDENCE.rstrip("/")]
        with self._explained(layout.EVIDENCE, "read"):
            try:
                found = Attempts(self._sleep).run(evidence.get_container_properties)
            except HttpResponseError as error:
                if code_of(error)[0] == 403:
                    return False  # who may read blobs need not see containers: nothing is shown, so nothing is claimed
                raise
        return bool(found.has_immutability_policy or found.has_legal_hold)

    def lease(self, path: str) -> "Lease | None":
        """A lease on a blob outside the evidence; None while another holds it."""
        from shared.seal.lease import lease_blob

        return lease_blob(self, path)


def _protected(policy: str, until: str | None, written: str | None) -> dict[str, str | None]:
    return {"policy": policy, "until": until, "written": written, "source": "storage account"}


def _only_absent(error: ResourceNotFoundError) -> None:
    """Let pass that a blob is not there; a container or an account that is not there is an error, never an empty store."""
    if code_of(error)[1] != "BlobNotFound":
        raise error
