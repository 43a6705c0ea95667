"""The certificate of one deletion request: what is known of an object's end, by which witness, with proofs, and what cannot be known.

It judges nothing: it prints `deletion` records that stand in the log, the lines of the records that they rest on, and the proof that each is in it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup, escape

from shared.canonical import Json
from shared.deliver.report.environment import environment, own, policy, source
from shared.judge.lives.statement import RESOURCE_LOG

TITLES: Final = {
    "corroborated": "It is gone, and a log tells of its deletion",
    "logged": "A log tells of its deletion; no inventory can show that it is gone",
    "unlogged": "It is gone, and no log tells of its deletion",
    "not-effective": "NOT shown to be gone: a deletion is told of, and it was listed after that",
    "unobservable": "It is gone, and no log could have told of its deletion",
}
"""By status; the report and docs/format.md explain the same words."""

CONTENT: Final = "What was in it. Its content was never read, here or anywhere in this log."
COPIES: Final = (
    "Whether the provider erased every copy. Azure's answers tell what it lists, not what lies on its disks: that is the provider's promise, and wants "
    "evidence of the provider's. "
    "Nor whether somebody had copied it elsewhere before."
)
MOMENT: Final = "When exactly. Nobody looked between the two times, and no log tells a moment that was counted for it."
NOBODY: Final = "Who did it. No witness names an actor, or they name different ones."
WITHHELD: Final = "Who did it is known to the log and withheld here, as personal data: a bundle built with --disclose shows it, as far as that is allowed."
UNNAMED: Final = (
    "Whether it was this very object. Azure's resource logs name none: they tell that objects of this kind were deleted, and how many. "
    "Number, kind, account and time fit."
)


@dataclass(frozen=True, slots=True)
class Proven:
    """A record, as it was sealed."""

    index: int
    line: bytes
    digest: str
    """Of the leaf, as the Merkle tree has it (RFC 6962, section 2.1): hexadecimal."""
    proof: bytes
    """c2sp.org/tlog-proof."""

    @property
    def legible(self) -> bool:
        """Whether the line can be shown as it is: nothing in it would hide, or change what is seen."""
        return self.line.isascii() and self.line.decode().isprintable()

    @property
    def exact(self) -> Markup:
        """The line, whole, so that its leaf can be computed from what is printed: as text, or else in base64."""
        return escape(self.line.decode() if self.legible else base64.b64encode(self.line).decode())

    @property
    def exact_proof(self) -> Markup:
        """The proof, whole."""
        return escape(self.proof.decode())


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is printed."""

    asked: str
    origin: str
    size: int
    key: str
    """The vkey in force; a certificate cannot vouch for it."""
    as_of: str
    """When the last sweep that closed was planned: up to then nothing has taken the place of what is said here."""
    written_at: str
    deletions: Sequence[Json]
    """As `gone.deletions` gives them."""
    proven: Sequence[Proven]
    command: str
    """Builds the bundle in which a verifier concludes all of this again."""


def unknowable(deletion: Json) -> list[str]:
    """What cannot be known of this end, and why: sentences."""
    by, witnesses = deletion["by"], {each["witness"] for each in deletion["witnesses"]}
    found = [COPIES, CONTENT] if deletion["status"] != "not-effective" else [CONTENT]
    if deletion["after"] != deletion["before"] and deletion["status"] in ("unlogged", "unobservable"):
        found.append(MOMENT)
    if by is None:
        found.append(NOBODY)
    elif not isinstance(by, str):
        found.append(WITHHELD)
    if RESOURCE_LOG in witnesses and deletion["object"]["id"] is not None:
        found.append(UNNAMED)
    return found


def render(certificate: Certificate) -> str:
    """The certificate as HTML that needs no network and has no script. Same certificate, same bytes."""
    template = environment().get_template("certificate.html.jinja")
    return template.render(
        it=certificate, titles=TITLES, unknowable=unknowable, css=own(source("report.css") + source("certificate.css")), policy=policy("")
    )
