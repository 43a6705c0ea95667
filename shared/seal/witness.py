"""Asking a witness to cosign a checkpoint: the `add-checkpoint` call of c2sp.org/tlog-witness.

A witness keeps the newest state of a log that it saw and cosigns another one only with a proof that it extends that one. What it saw last is
remembered here as a hint; where the hint is wrong the witness says so (409), and is asked again with the size that it names. What it
answers is checked with its key before anybody keeps it; whatever it says of other keys is not kept.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.errors import VerificationError
from shared.seal import cosignature, note
from shared.seal.attestor import Asked, Owed, Sort
from shared.seal.post import Answer, Post

AHEAD = timedelta(minutes=5)
"""How far a witness's clock may be ahead of ours: what it gives is kept for years."""

_SIZE = 20
"""Characters of a size, at most, with its newline."""


def add_checkpoint(old: int, proof: Sequence[bytes], checkpoint: bytes) -> bytes:
    """The body of the request."""
    lines = [f"old {old}", *(base64.b64encode(value).decode() for value in proof)]
    return "\n".join(lines).encode() + b"\n\n" + checkpoint


@dataclass(frozen=True, slots=True)
class Witness:
    """One witness, at the address below which it takes checkpoints."""

    name: str
    key: cosignature.WitnessKey
    url: str
    post: Post
    sort: Sort = "cosignature"

    def ask(self, asked: Asked) -> bytes:
        """The line of its cosignature.

        Raises:
            Owed: it did not give one. `seen` is set where it saw more of this log than there is.
        """
        old = asked.seen if asked.seen <= asked.size else 0
        answer = self._add(asked, old)
        if answer.status == 409:
            said = _size(answer)
            if said > asked.size:
                raise Owed(f"it cosigned this log at {said} records, and here it has {asked.size}", seen=said)
            if said == old:
                raise Owed("it answers 409, and names the very size that it was told")
            answer = self._add(asked, said)
        if answer.status != 200:
            raise _refusal(answer, asked)
        return self._checked(asked, answer)

    def _add(self, asked: Asked, old: int) -> Answer:
        body = add_checkpoint(old, asked.consistency(old), asked.checkpoint)
        return self.post(f"{self.url.rstrip('/')}/add-checkpoint", body, {"Content-Type": "text/plain; charset=utf-8"})

    def _checked(self, asked: Asked, answer: Answer) -> bytes:
        try:
            # Only what it answered: the checkpoint's own signatures are looked at by those who know their keys.
            text = note.parse_note(asked.checkpoint).text.encode() + b"\n"
            found = cosignature.cosignatures(cosignature.beside(text, answer.body), (self.key,))
        except VerificationError as error:
            raise Owed(f"its answer is not what it must be: {error}") from None
        if not found:
            raise Owed(f"its answer has no cosignature of the key {self.key.name}+{self.key.key_id.hex()}")
        if found[0].at > asked.now + AHEAD:
            raise Owed(f"its cosignature is of {found[0].at:%Y-%m-%d %H:%M:%S} UTC, which is still to come: one of the clocks is wrong")
        asked.refuse_the_past("cosignature", found[0].at)
        return found[0].line


def _size(answer: Answer) -> int:
    """The size that a 409 names."""
    text = answer.body[:_SIZE].decode("latin-1").removesuffix("\n")
    if len(answer.body) > _SIZE or not (text.isascii() and text.isdigit()) or str(int(text)) != text:
        raise Owed("it answers 409 without a size")
    return int(text)


def _refusal(answer: Answer, asked: Asked) -> Owed:
    if answer.status == 404:
        return Owed(f"it does not know the log {asked.origin}: ask its operator to add it, with the verifier key", wait=answer.retry_after)
    if answer.status == 403:
        return Owed(
            "it trusts none of the keys that signed: give its operator the verifier key (one that takes no ECDSA needs an Ed25519 key beside it)",
            wait=answer.retry_after,
        )
    if answer.status == 422:
        return Owed("it says that this log does not extend what it saw: the log was rewritten, or the witness is wrong", grave=True)
    return answer.refused("add-checkpoint")
