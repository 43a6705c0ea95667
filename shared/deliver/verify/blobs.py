"""The blobs of a store as a verifier reads them: what cannot be read is a problem with a place, not the end of the verification."""

from shared.deliver.verify.verdict import Tally
from shared.errors import Unreachable
from shared.seal.store import Store

PATIENCE = 100
"""So many blobs may be unreadable before the store itself is taken to be out of reach."""


class Blobs:
    """Reads a store."""

    def __init__(self, store: Store, tally: Tally) -> None:
        self.store = store
        self._tally = tally
        self._unreadable = 0

    def get(self, path: str) -> bytes | None:
        """The bytes of a blob, None where there is none or it cannot be read (which is noted).

        Raises:
            Unreachable: too many could not be read: the store is not available.
        """
        try:
            return self.store.get(path)
        except Unreachable as error:
            self._unreadable += 1
            if self._unreadable > PATIENCE:
                raise Unreachable(f"{path}: {error}") from None
            self._tally.problem("blob", f"cannot be read: {error}", file=path)
            return None
