"""A store that fetches what will be asked for next while the caller works: one that reads a sweep batch by batch does not wait for each."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Self

from shared.seal.lease import Lease
from shared.seal.store import Store


class ReadAhead:
    """A store with `paths` on their way, in this order, so many at once. All else goes to the store itself. For one thread, but for `look`."""

    def __init__(self, store: Store, paths: Sequence[str], threads: int) -> None:
        self._store = store
        self._waiting = deque(paths)
        self._coming: dict[str, Future[bytes | None]] = {}
        self._looked: dict[str, bytes | None] = {}
        self._pool = ThreadPoolExecutor(threads, "read-ahead")
        self._most = 2 * threads

    def __enter__(self) -> Self:
        self._fill()
        return self

    def begin(self, paths: Iterable[str]) -> None:
        """Fetch these too, after the others."""
        self._waiting.extend(paths)
        self._fill()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _fill(self) -> None:
        while self._waiting and len(self._coming) < self._most:
            path = self._waiting.popleft()
            self._coming[path] = self._pool.submit(self._store.get, path)

    def look(self, path: str) -> bytes | None:
        """What the next `get` of the path will give, without asking the store again. For any thread."""
        data = self._looked[path] = self._store.get(path)
        return data

    def get(self, path: str) -> bytes | None:
        if path in self._looked:
            return self._looked.pop(path)
        coming = self._coming.pop(path, None)
        if coming is None:
            return self._store.get(path)
        self._fill()
        return coming.result()

    def exists(self, path: str) -> bool:
        coming = self._coming.get(path)
        return coming.result() is not None if coming else self._store.exists(path)

    def put_new(self, path: str, data: bytes) -> bool:
        return self._store.put_new(path, data)

    def list(self, prefix: str) -> Iterator[str]:
        return self._store.list(prefix)

    def put(self, path: str, data: bytes) -> None:
        self._store.put(path, data)

    def delete(self, path: str) -> None:
        self._store.delete(path)

    def flush(self) -> None:
        self._store.flush()

    def retention(self) -> dict[str, str | None]:
        return self._store.retention()

    def lease(self, path: str) -> Lease | None:
        return self._store.lease(path)
