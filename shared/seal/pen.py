"""Who signs a checkpoint: every signer at hand whose key is in force, and nobody else.

A change of keys is a record of the log. The checkpoint that covers it is signed with the keys before and after it, as far as they are at
hand; each later one with the keys after it alone. So whoever trusts the old key is led to the new one, and a process that still holds
the old one stops when it sees the change. Leaves out: where keys are kept (`shared.seal.signing`, `shared.seal.vault`).
"""

import json
from collections.abc import Iterable, Sequence

from shared.errors import Misuse, VerificationError
from shared.seal import note
from shared.seal.key_list import KeyList, sealed_keys
from shared.seal.signing import Signer

TRIAL = b"aoai-evidence: can this key sign? This text is no checkpoint.\n"


class Pen:
    """Signs the checkpoints of one log, with one signature of each signer whose key is in force."""

    def __init__(self, signers: Sequence[Signer], in_force: Sequence[note.VerifierKey] = (), earlier: Iterable[note.VerifierKey] = ()) -> None:
        """`in_force`: the keys that may sign now; none named: those of the signers. `earlier`: those that signed before."""
        self._signers = list(signers)
        self._in_force = list(in_force) or [signer.key for signer in signers]
        self._after: KeyList | None = None
        self._known = list(dict.fromkeys([*self._in_force, *(signer.key for signer in signers), *earlier]))

    @property
    def origin(self) -> str:
        """The name of the log."""
        return self._signers[0].key.name

    def check(self) -> None:
        """See that somebody here may sign the next checkpoint.

        Raises:
            Misuse: the keys were changed since they were read here.
        """
        if not self._allowed():
            new = ", ".join(str(key) for key in self._in_force)
            raise Misuse(f"the signing key was rotated: set EVIDENCE_SIGNING_KEY to the new one ({new}) and run again; nothing is lost")

    def _allowed(self) -> list[Signer]:
        keys = [*self._in_force, *(self._after.keys if self._after else ())]
        return [signer for signer in self._signers if signer.key in keys]

    def signed(self, text: str) -> bytes:
        """The note: the text, and the signatures.

        Raises:
            Misuse: none of the keys here is in force, or one may not sign.
            Unreachable: a key is in a vault that does not answer.
        """
        self.check()
        lines = [note.signature_line(signer.key, signer.sign(text.encode())) for signer in self._allowed()]
        return f"{text}\n{''.join(lines)}".encode()

    def seen(self, record: bytes) -> None:
        """Take note of a record that may change the keys; `settled` is to be called after the checkpoint that covers it."""
        try:
            found = sealed_keys(json.loads(record))
        except (ValueError, RecursionError):
            return
        self._after = found or self._after

    def settled(self) -> None:
        """The checkpoint is there: from here on the new keys sign."""
        if self._after is not None:
            self._known += [key for key in self._after.keys if key not in self._known]
            self._in_force, self._after = list(self._after.keys), None

    def opened(self, data: bytes) -> note.Checkpoint | None:
        """A checkpoint that one of this log's keys signed, now or before; None for anything else."""
        try:
            return note.open_checkpoint(data, self._known)
        except VerificationError:
            return None


def try_out(signer: Signer) -> None:
    """See that a key can sign, before anything rests on it.

    Raises:
        Misuse: it may not.
        Unreachable: it is in a vault that does not answer, or that answers wrongly.
    """
    signer.sign(TRIAL)
