"""Whose signatures count: those of the keys that the auditor holds, and of the keys that these lead to.

A change of keys is a record. Where the checkpoint that covers it is signed by all keys before it and after it, whoever trusts one of those
before is led to those after. A key that the change names as lost did not sign it: nothing leads from there, and that is said. Checkpoints
are looked at in the order of their sizes; an older one may be signed by keys that the auditor does not hold, as long as the log itself
names them: the later one that he trusts vouches for every record before it. That a checkpoint has the root of the records is for others
to see to.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

from shared.deliver.verify.verdict import Tally
from shared.errors import VerificationError
from shared.seal import note
from shared.seal.key_list import KeyList, broken, changes_in, first_keys

NOT_SIGNED = "the checkpoint is not signed by the key given"

MOST = 1_000
"""Changes of keys that are looked at: more of them is a log nobody keeps."""


@dataclass(frozen=True, slots=True)
class Change:
    """A change of keys that was read."""

    record: int
    list: KeyList


@dataclass(frozen=True, slots=True)
class Lead:
    """Why a key is trusted that the auditor does not hold."""

    record: int
    by: note.VerifierKey


class Trust:
    """The keys of one log, as its records and checkpoints are read."""

    def __init__(self, held: Sequence[note.VerifierKey], tally: Tally) -> None:
        self.held = tuple(held)
        self.voucher: note.VerifierKey | None = None
        """A trusted key that signed the last checkpoint; None where none did."""
        self.records: set[int] = set()
        """Where the changes of keys are that were read."""
        self.covered = 0
        """How many changes the checkpoints cover that were looked at."""
        self.gave_up = False
        """Whether the last checkpoint covers a change that names keys as lost."""
        self._tally = tally
        self._led: dict[note.VerifierKey, Lead | None] = dict.fromkeys(held)
        self._known = dict.fromkeys(held)
        self._listed: set[note.VerifierKey] = set()
        self._in_force: tuple[note.VerifierKey, ...] = ()
        self._number = 0
        self._waiting: list[Change] = []
        self._last: Change | None = None
        """The last change that a checkpoint covers."""
        self._broken: str | None = None
        self._losses: list[Change] = []
        self._astray: Change | None = None
        """The change in which all that was trusted was given up as lost; None where something trusted signed again since."""
        self._signed_by: list[note.VerifierKey] = []

    @property
    def known(self) -> list[note.VerifierKey]:
        """Every key that the auditor holds, or that the log names."""
        return list(self._known)

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take in the records from the index `first` on."""
        if first == 0 and lines and not self._in_force:
            self._first(lines[0])
        for position, change in changes_in(lines):
            if len(self.records) >= MOST:
                self._tally.unchecked(f"changes of the signing keys after the first {MOST}: there are too many")
                return
            self.records.add(first + position)
            if change is None:
                self._tally.problem("key", "changes the keys, and to which cannot be read", record=first + position)
                continue
            self._waiting.append(Change(first + position, change))
            self._list(*change.before, *change.keys)

    def _first(self, line: bytes) -> None:
        try:
            found = first_keys(json.loads(line))
        except (ValueError, RecursionError):
            found = None
        if found is not None:  # where it is none, it is said where the record is looked at
            self._in_force = found.keys
            self._list(*found.keys)

    def _list(self, *keys: note.VerifierKey) -> None:
        self._listed.update(keys)
        self._known.update(dict.fromkeys(keys))

    # -- checkpoints ----------------------------------------------------------------------------------------------------

    def checkpoint(self, data: bytes) -> note.Checkpoint:
        """Open the next larger checkpoint; the changes of keys before it were taken in.

        Raises:
            VerificationError: it is none, or is not signed by a key that could sign it. `pass_over` is to be called then.
        """
        parsed = note.parse_note(data)
        found = note.parse_checkpoint(parsed.text)
        signed_by = parsed.signers(self.known)
        covered = self._covered(found.size)
        self._check(covered, signed_by)
        if not signed_by:
            raise VerificationError(NOT_SIGNED)
        if all(key.name != found.origin for key in signed_by):
            raise VerificationError(f"the checkpoint is of the log {found.origin}, the key given is for {signed_by[0].name}")
        entitled = any(key in self._in_force or key not in self._listed for key in signed_by)
        if self._in_force and not covered and not entitled:
            raise VerificationError(f"it is signed by {signed_by[0].short} alone, which signed no more when the log was so long")
        if len(signed_by) < len(parsed.signatures):
            self._tally.unchecked("further signatures on checkpoints: no key was given for them")
        self._signed_by = signed_by
        self.voucher = next((key for key in signed_by if key in self.held), None) or next((key for key in signed_by if key in self._led), None)
        if self.voucher is not None:
            self._astray = None
        elif self.gave_up and self._astray is None:
            self._astray = self._last
        if self.voucher is not None and self._broken is None:
            for key in self._in_force:
                self._led.setdefault(key, Lead(self._last.record if self._last else 0, self.voucher))
        return found

    def pass_over(self, size: int) -> None:
        """The checkpoint of this size is missing or does not hold, which is said elsewhere: nothing leads over a change that it covers."""
        self._covered(size)

    def _covered(self, size: int) -> list[Change]:
        """The changes that the checkpoint of this size is the first to cover: their keys are in force from here on."""
        covered = [change for change in self._waiting if change.record < size]
        self._waiting = self._waiting[len(covered) :]
        self.covered += len(covered)
        self._losses += [change for change in covered if change.list.lost]
        self.gave_up = any(change.list.lost for change in covered)
        for change in covered:
            if change.list.number != self._number + 1 or (self._in_force and change.list.before != self._in_force):
                self._tally.problem("key", "changes the keys, and does not follow from the change before it: one is left out, or was put in", record=change.record)
            self._number, self._in_force, self._last = change.list.number, change.list.keys, change
        return covered

    def _check(self, covered: Sequence[Change], signed_by: Sequence[note.VerifierKey]) -> None:
        why = broken(signed_by, covered[0].list.before, [change.list for change in covered]) if covered else None
        if why is not None:
            record = covered[-1].record
            reason = (
                f"changes the keys to {_names(self._in_force)}, and the checkpoint that covers it {why}: whoever wrote it did not have that key, "
                "and what follows is signed by keys that nothing leads to"
            )
            self._tally.problem("key", reason, record=record)
            self._broken = f"record {record} {reason}"

    # -- what it comes to -----------------------------------------------------------------------------------------------

    def refusal(self) -> str | None:
        """Why nothing leads from the keys held to the last checkpoint; None where something does."""
        if self.voucher is not None and self._broken is None:
            return None
        if self._broken is not None:
            return self._broken
        if self._astray is not None:
            return f"record {self._astray.record} {self._given_up(self._astray)}"
        if self._signed_by:
            return f"{NOT_SIGNED}: {_names(self._signed_by)} signed it, and is not led to by the key you hold"
        return NOT_SIGNED

    def _given_up(self, change: Change) -> str:
        return (
            f"gives up {_lost(change)} as lost, and {_names(self._signed_by)}, which signed the newest checkpoint, is not led to by the key you hold: "
            "ask the keeper why, have the new key from him by another way than the evidence, and give both"
        )

    def conclude(self) -> None:
        """Every checkpoint was looked at: say who signed the last one, and what leads to him, or that nothing does."""
        refusal = self.refusal()
        if refusal is None:
            self._say()
        elif self._astray is not None:
            self._tally.problem("key", self._given_up(self._astray), record=self._astray.record)
        elif self._broken is None:
            self._tally.problem("key", refusal)
        for change in self._losses:
            if change is not self._astray:
                who = _names(change.list.keys)
                self._tally.note(f"record {change.record} gave up {_lost(change)} as lost: it did not sign the change, so only the keeper's word leads from it to {who}")

    def _say(self) -> None:
        key, steps = self.voucher, list[str]()
        while key is not None and (lead := self._led.get(key)) is not None:
            who = f"{lead.by.short} (the key you hold)" if lead.by in self.held else lead.by.short
            steps.append(f"to which {who} handed over in record {lead.record}" if lead.record else f"which record 0 names beside {who}")
            key = lead.by
        if steps and self.voucher is not None:
            self._tally.checked.append(f"the newest checkpoint is signed by {', '.join([self.voucher.short, *steps])}")


def _lost(change: Change) -> str:
    return _names([key for key in change.list.before if str(key) in change.list.lost]) or "a key"


def _names(keys: Sequence[note.VerifierKey]) -> str:
    return ", ".join(key.short for key in keys)
