"""The write-once store in a directory: the embedded default, behind the seam that a storage account shares.

Guarantees: `put_new` either creates the whole blob or changes nothing (a kill -9 leaves no half file under a real name); an
evidence blob is never overwritten and there is no way to delete one; a blob that vouches for others (a commit for its batches and
bodies, a checkpoint for its tiles) gets its name only when all that was written before it, and its own bytes, are on stable
storage: a loss of power tears nothing that is sealed. What it may tear, a batch that no commit names yet, is found by the next
run (`shared.service.recovery`), which sets it aside and collects its unit again. Leaves out: who may write at all (the file
system's affair) and retention (a directory has none, and says so).
"""

import contextlib
import ctypes
import errno
import itertools
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Protocol, runtime_checkable

from shared import layout
from shared.canonical import Json, sha256
from shared.errors import Misuse, StoreConflict, Unreachable
from shared.seal.lease import Lease, lease_file
from shared.seal.packed import unpack
from shared.settings import own_path


class Store(Protocol):
    """What the rest of the code asks of a store. Paths are those of `shared.layout`."""

    def put_new(self, path: str, data: bytes) -> bool:
        """Create the blob, whole or not at all; False where the name is taken already.

        Whose bytes are there then is not looked at, but by a store whose answer may get lost on the way: it says True where it
        tried more than once and finds these very bytes (`shared.seal.blobs`).
        """

    def get(self, path: str) -> bytes | None:
        """The bytes of the blob, None where there is none."""

    def exists(self, path: str) -> bool:
        """Whether there is a blob of this name."""

    def list(self, prefix: str) -> Iterator[str]:
        """The paths of all blobs below `prefix` (a folder, ending in `/`), sorted within each folder."""

    def put(self, path: str, data: bytes) -> None:
        """Create or replace a mutable blob (`state/`, `bundles/`), atomically."""

    def delete(self, path: str) -> None:
        """Remove a mutable or erasable blob; nothing happens where there is none."""

    def flush(self) -> None:
        """Return when everything put so far is on stable storage."""

    def retention(self) -> dict[str, str | None]:
        """What protects a blob that was written here, asked of the store, never assumed.

        `{"policy": locked|unlocked|none, "until": …, "written": …, "source": …}`: until when that blob is kept, when it was written,
        and what says so (`directory`, `storage account`).
        """

    def lease(self, path: str) -> Lease | None:
        """Take the lease at `path` (in `state/`); None while another holds it."""


@runtime_checkable
class InFolder(Protocol):
    """A store in a folder: there is a place beside it, and a loss of power can leave a torn batch. A Put Blob is whole, or is not."""

    root: Path

    def set_aside(self, path: str) -> None:
        """Move a batch that no commit names out of the evidence."""


def put_same(store: Store, path: str, data: bytes) -> None:
    """Create a write-once blob, or find that it already holds these very bytes.

    Raises:
        StoreConflict: it holds others.
    """
    if not store.put_new(path, data) and store.get(path) != data:
        raise StoreConflict(f"{path} already holds other bytes than the log says it must: keep a copy and run verify --store")


def put_body(store: Store, data: bytes) -> str:
    """Keep a body under its own digest, and return the digest. A body that is there already is not written again."""
    digest = sha256(data)
    store.put_new(layout.body(digest), data)
    return digest


def get_body(store: Store, digest: str) -> bytes:
    """A body that the log names.

    Raises:
        StoreConflict: it is not in the store, or not what was sealed.
    """
    path = layout.body(digest)
    data = store.get(path)
    if data is None:
        raise StoreConflict(f"{path} is missing: run verify --store, and restore it from a copy")
    if sha256(data) != digest:
        raise StoreConflict(f"{path} is not what was sealed: run verify --store, and restore it from a copy")
    return data


def read_hint(store: Store, path: str) -> dict[str, Json]:
    """What is noted at `path` in `state/`; empty where nothing is, or what a loss of power tore."""
    try:
        found = json.loads(store.get(path) or b"{}")
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def hinted_number(hint: Mapping[str, Json], name: str) -> int:
    """A number from 0 on that a hint gives; 0 where it gives none."""
    value = hint.get(name)
    return value if isinstance(value, int) and value > 0 else 0


_PROBLEMS = {
    errno.ENOSPC: "the disk is full: free some space and run again, nothing sealed is lost",
    errno.EDQUOT: "the disk quota is used up: free some space and run again, nothing sealed is lost",
    errno.EROFS: "the file system is read-only",
    errno.EACCES: "permission denied: give this user write access, or name another store",
    errno.EPERM: "not permitted here (a store needs a file system with hard links)",
    errno.EMLINK: "too many links",
}


_NO_SUCH_NAME = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG, errno.ELOOP)

_VOUCHING = (layout.COMMITS, layout.CHECKPOINTS)


def _unusable(error: OSError, what: str) -> Unreachable:
    reason = _PROBLEMS.get(error.errno or 0, error.strerror or type(error).__name__)
    return Unreachable(f"cannot {what} the store: {reason}")


class DirectoryStore:
    """A store in a folder of a local file system. Safe for several threads and several processes at once."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._folders: set[str] = set()
        self._names = itertools.count()
        self._unflushed: list[str] = []
        self._syncfs = getattr(ctypes.CDLL(None), "syncfs", None) if os.name == "posix" else None

    def _path(self, path: str) -> str:
        return f"{self.root}/{path}"

    def _folder_of(self, path: str) -> None:
        folder = path.rpartition("/")[0]
        if folder not in self._folders:
            os.makedirs(self._path(folder), exist_ok=True)
            self._folders.add(folder)

    def _write_aside(self, data: bytes) -> str:
        self._folder_of("state/tmp/x")
        name = self._path(f"state/tmp/{os.getpid()}-{id(self):x}-{next(self._names)}")
        handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(handle, view) :]
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)
            raise
        finally:
            os.close(handle)
        if self._syncfs is None:
            self._unflushed.append(name)
        return name

    def put_new(self, path: str, data: bytes) -> bool:
        target = self._path(path)
        try:
            found = os.stat(target)
        except OSError:
            found = None
        try:
            if found is not None:
                return self._repair_body(path, target, found.st_size, data)
            self._folder_of(path)
            aside = self._write_aside(data)
            try:
                if path.startswith(_VOUCHING):
                    self.flush()
                # A link fails where the name is taken: unlike a rename it can never replace what is there.
                os.link(aside, target)
            except FileExistsError:
                return False
            finally:
                os.unlink(aside)
        except OSError as error:
            raise _unusable(error, "write to") from None
        if self._syncfs is None:
            self._unflushed.append(target)
        return True

    def _repair_body(self, path: str, target: str, size: int, data: bytes) -> bool:
        # After a loss of power a body that no commit names yet may be a torn file. Its name says what it must hold.
        if path.startswith(layout.BODIES) and size != len(data) and path.endswith(sha256(data)):
            os.replace(self._write_aside(data), target)
            return True
        return False

    def get(self, path: str) -> bytes | None:
        try:
            with open(self._path(path), "rb", buffering=0) as file:
                return unpack(path, file.read())  # a copy of a storage account's blobs
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise _unusable(error, "read") from None

    def exists(self, path: str) -> bool:
        return os.path.exists(self._path(path))

    def list(self, prefix: str) -> Iterator[str]:
        try:
            with os.scandir(self._path(prefix)) as entries:
                found = sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise _unusable(error, "read") from None
        for name, is_folder in found:
            if is_folder:
                yield from self.list(f"{prefix}{name}/")
            else:
                yield prefix + name

    def put(self, path: str, data: bytes) -> None:
        if path.startswith(layout.EVIDENCE):
            raise StoreConflict(f"{path} is evidence: it is written once and never replaced")
        try:
            self._folder_of(path)
            os.replace(self._write_aside(data), self._path(path))
        except OSError as error:
            raise _unusable(error, "write to") from None

    def delete(self, path: str) -> None:
        if path.startswith(layout.EVIDENCE):
            raise StoreConflict(f"{path} is evidence: it is never deleted")
        try:
            os.unlink(self._path(path))
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(error, "delete from") from None

    def flush(self) -> None:
        try:
            if self._syncfs is None:
                self._flush_one_by_one()
                return
            handle = os.open(self.root, os.O_RDONLY)
            try:
                if self._syncfs(handle) != 0:
                    raise OSError(errno.EIO, "the disk reports a write error")
            finally:
                os.close(handle)
        except OSError as error:
            raise _unusable(error, "write to") from None

    def _flush_one_by_one(self) -> None:
        waiting, self._unflushed = self._unflushed, []
        for name in [*waiting, *sorted({os.path.dirname(name) for name in waiting})]:
            with contextlib.suppress(FileNotFoundError):  # put aside, linked and unlinked since
                handle = os.open(name, os.O_RDONLY)
                try:
                    os.fsync(handle)
                finally:
                    os.close(handle)

    def set_aside(self, path: str) -> None:
        """Move a batch that a loss of power tore, and that no commit names, out of the evidence: nothing was sealed of it."""
        self._folder_of("state/torn/x")
        os.replace(self._path(path), self._path(f"state/torn/{path.replace('/', '_')}"))

    def retention(self) -> dict[str, str | None]:
        return {"policy": "none", "until": None, "written": None, "source": "directory"}

    def lease(self, path: str) -> Lease | None:
        try:
            self._folder_of(path)
            return lease_file(self._path(path))
        except OSError as error:
            raise _unusable(error, "write to") from None


def open_directory(location: str, *, create: bool = False) -> DirectoryStore:
    """Open the store in the folder `location` (a path, or `file:` and a path).

    Raises:
        Misuse: there is no store there (unless `create`), or something that is none.
    """
    root = own_path(location.removeprefix("file://").removeprefix("file:"))
    if create:
        return DirectoryStore(root)
    if not _is_there(root):
        raise Misuse(f"there is no store at {root}: make one with `aoai-evidence init --store {root}`, or name another")
    if not _is_there(root / layout.COMMITS):
        raise Misuse(f"{root} is not a store (it has no {layout.COMMITS}): name another, or make one with `aoai-evidence init`")
    return DirectoryStore(root)


def _is_there(path: Path) -> bool:
    """Whether something has this name. A folder that may not be looked into is not one without a store.

    Raises:
        Unreachable: nobody can tell.
    """
    try:
        path.stat()
    except OSError as error:
        if error.errno in _NO_SUCH_NAME:
            return False
        raise _unusable(error, "read") from None
    return True
