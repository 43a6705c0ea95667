"""Who signs a checkpoint: every signer at hand whose key is in force, and nobody else.

A change of keys is a record of the log. The checkpoint that covers it is signed with all keys before it, those apart that it names as
lost, and with all keys after it; each later one with the keys after it alone. So whoever trusts an old key is led to the new ones, and a
process that still holds the old one stops when it sees the change. Leaves out: where keys are kept (`shared.seal.signing`,
`shared.seal.vault`), and how they are changed (`shared.service.rotate`).
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from shared.errors import EvidenceError, Misuse, StoreConflict, VerificationError
from shared.seal import note
from shared.seal.key_list import KeyList, broken, owed
from shared.seal.signing import Signer

if TYPE_CHECKING:
    from shared.seal.keys import Keys

TRIAL = b"aoai-evidence: can this key sign? This text is no checkpoint.\n"


class Pen:
    """Signs the checkpoints of one log, with one signature of each signer whose key is in force."""

    def __init__(self, signers: Sequence[Signer], keys: "Callable[[], Keys] | None" = None, *, given_up: bool = False) -> None:
        """`keys`: reads the lists of keys of the log; None: those of the signers are in force, and there was no other.

        `given_up`: those in force are lost, and a change that says so comes next: checkpoints that they still owe stay unsigned.
        """
        self._signers = {signer.key: signer for signer in signers}
        self._in_force = KeyList(tuple(self._signers), {})
        self._known = list(self._signers)
        self._keys = keys
        self._given_up = given_up
        self.origin = signers[0].key.name
        """The name of the log."""

    @property
    def number(self) -> int | None:
        """The number of the change by which the keys in force came to be so, 0: none; None where nothing was said of changes."""
        return self._in_force.number if self._keys is not None else None

    def renew(self) -> None:
        """Read the lists of keys. To be called whenever the log was read: a change that was sealed before that is then known here.

        Raises:
            StoreConflict: they are not as we write them.
        """
        if self._keys is not None:
            keys = self._keys()
            self._in_force = keys.in_force
            self._known = list(dict.fromkeys([*self._known, *keys.ever]))

    @property
    def _hands(self) -> list[note.VerifierKey]:
        """The keys in force that are here."""
        return [key for key in self._in_force.keys if key in self._signers]

    def check(self) -> None:
        """See that somebody here may sign the next checkpoint.

        Raises:
            Misuse: the keys were changed since they were read here.
        """
        if not self._hands:
            new = self._in_force.place(self._in_force.keys[0])
            raise Misuse(f"the signing key was changed: set EVIDENCE_SIGNING_KEY to the new one ({new}) and run again; nothing is lost")

    def can_hand_over(self, changes: Sequence[KeyList]) -> bool:
        """Whether all that must sign the checkpoint which covers these changes are here, and the new ones among them do sign.

        A change that is in the log and cannot be signed for would stop the log; one that waits stops nothing.
        """
        needed = owed(self._in_force.keys, changes)
        if not all(key in self._signers for key in needed):
            return False
        try:
            for key in needed:
                if key not in self._in_force.keys:
                    try_out(self._signers[key])
        except EvidenceError:
            return False
        return True

    def signed(self, text: str, changes: Sequence[KeyList] = ()) -> bytes | None:
        """The note: the text, and the signatures; None where it is to stay unsigned. `changes`: of keys, that it is the first to cover.

        Raises:
            Misuse: none of the keys here is in force, one that must sign is not here, or one may not sign.
            Unreachable: a key is in a vault that does not answer.
        """
        if changes:
            keys = owed(self._in_force.keys, changes)
            missing = [key.short for key in keys if key not in self._signers]
            if missing:
                raise Misuse(
                    f"a change of the signing keys was begun and not finished: run the same `aoai-evidence key rotate` again, with {missing[0]} at hand "
                    "(`aoai-evidence key list` tells more); nothing is lost"
                )
        elif self._given_up and not self._hands:
            return None
        else:
            self.check()
            keys = self._hands
        lines = [note.signature_line(key, self._signers[key].sign(text.encode())) for key in keys]
        return f"{text}\n{''.join(lines)}".encode()

    def settle(self, checkpoint: bytes, changes: Sequence[KeyList]) -> None:
        """The checkpoint that covers `changes` is there, whoever signed it: from here on the new keys sign.

        Raises:
            StoreConflict: the keys before did not hand over, or are called lost and are not.
            Unreachable: a key that is called lost is in a vault that does not answer.
        """
        if all(change.number <= self._in_force.number for change in changes):
            return
        self._known = list(dict.fromkeys([*self._known, *(key for change in changes for key in change.keys)]))
        try:
            why = broken(note.parse_note(checkpoint).signers(self._known), self._in_force.keys, changes)
        except VerificationError as error:
            why = f"does not hold ({error})"
        if why is not None:
            raise StoreConflict(
                f"the keys of this log were changed, and the checkpoint that covers the change {why}: somebody else wrote it; "
                "nothing is appended. Run verify --store"
            )
        self._refuse_false_loss({vkey for change in changes for vkey in change.lost})
        self._in_force = changes[-1]

    def _refuse_false_loss(self, lost: set[str]) -> None:
        for key in self._in_force.keys:
            if str(key) in lost and key in self._signers:
                try:
                    try_out(self._signers[key])
                except Misuse:
                    continue
                raise StoreConflict(
                    f"a change of keys names {key.short} as lost, and it signs here: if nobody of yours did that, somebody else did; "
                    "nothing is appended here. Run verify --store, and see docs/deploy.md, Keys"
                )

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
