"""What a certificate tells: deletions that stand, the records that they rest on, and what cannot be known, in words. Pure.

It judges nothing: it prints `deletion` records that stand in the log, the lines of the records that they rest on, and the proof that each is in it.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.canonical import Json
from shared.judge.lives.statement import ACTIVITY_LOG, EVENT, INVENTORY, RESOURCE_LOG

NAMES: Final = ("filename", "name", "fine_tuned_model")
"""Members of a listed object by which people know it, besides its id."""

_WITH_ITS_ACCOUNT: Final = ("account-deleted", "expired", "developer-tier")
"""Causes of what went with its account, or before it, where no log of the data plane tells of it."""

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
NAMED: Final = (
    "Whether it had the name that was asked for. What is sealed of a deletion holds ids and no names, and in the lists of the service names of files are "
    "replaced by commitments, as personal data: whoever keeps the log looked this one up, and can open it in a bundle with --disclose."
)


@dataclass(frozen=True, slots=True)
class Proven:
    """A record, as it was sealed."""

    index: int
    line: bytes
    digest: str
    """Of the leaf, as the Merkle tree has it (RFC 6962, section 2.1): hexadecimal."""
    proof: bytes | None
    """c2sp.org/tlog-proof; None where the hashes for it are not here."""

    @property
    def legible(self) -> bool:
        """Whether the line can be shown as it is: nothing in it would hide, or change what is seen."""
        return self.line.isascii() and self.line.decode().isprintable()

    @property
    def exact(self) -> str:
        """The line, whole, so that its leaf can be computed from what is printed: as text, or else in base64."""
        return self.line.decode() if self.legible else base64.b64encode(self.line).decode()


@dataclass(frozen=True, slots=True)
class Certificate:
    """What is printed."""

    asked: str
    origin: str
    size: int
    key: str | None
    """The vkey in force, which a certificate cannot vouch for; None within a bundle, which brings no key."""
    as_of: str | None
    """When the last sweep that closed was planned: up to then nothing has taken the place of what is said here. None within a bundle."""
    written_at: str | None
    """None within a bundle, so that the same records give the same page."""
    deletions: Sequence[Json]
    """As `standing.Standing` gives them."""
    proven: Sequence[Proven]
    command: str | None
    """Builds the bundle in which a verifier concludes all of this again; None within one."""
    period: tuple[str, str] | None = None
    """Within a bundle: the sweeps that it has are from the first of these until before the second."""


def title(deletion: Json) -> str:
    """What is to be said first, by status and by who tells of it; the report and docs/format.md explain the same words."""
    witnesses, cause = {each["witness"] for each in deletion["witnesses"]}, deletion["cause"]
    who = "a log" if witnesses & {RESOURCE_LOG, ACTIVITY_LOG} else "an event of Azure's" if EVENT in witnesses else "Azure's list of deleted accounts"
    with_account = cause in _WITH_ITS_ACCOUNT and RESOURCE_LOG not in witnesses
    match deletion["status"]:
        case "corroborated":
            return f"It is gone, as its account is, and {who} tells of the account's deletion" if with_account else f"It is gone, and {who} tells of its deletion"
        case "logged":
            return f"{who[0].upper()}{who[1:]} tells of its deletion; no inventory can show that it is gone"
        case "unlogged":
            return "It is gone, and no log tells of its deletion"
        case "not-effective" if with_account:
            return "NOT shown to be gone: its account was deleted, and is there again"
        case "not-effective":
            told = "a deletion is told of" if witnesses - {INVENTORY} else "an inventory did not list it"
            return f"NOT shown to be gone: {told}, and it was listed after that"
        case "unobservable":
            return "It is gone, and no log could have told of its deletion"
        case other:
            return str(other)


def is_called(deletion: Json, asked: str) -> bool:
    """Whether an object has this id; names that it had are personal, and stand in no deletion."""
    identifier, wanted = deletion["object"]["id"], asked.casefold()
    return identifier is not None and wanted in (identifier.casefold(), identifier.rpartition("/")[2].casefold(), deletion["resource"])


def unknowable(deletion: Json, asked: str) -> list[str]:
    """What cannot be known of this end, and why: sentences."""
    by, witnesses = deletion["by"], {each["witness"] for each in deletion["witnesses"]}
    found = [COPIES, CONTENT] if deletion["status"] != "not-effective" else [CONTENT]
    if deletion["after"] != deletion["before"] and deletion["status"] != "not-effective" and not witnesses & {RESOURCE_LOG, ACTIVITY_LOG, EVENT}:
        found.append(MOMENT)
    if by is None:
        found.append(NOBODY)
    elif not isinstance(by, str):
        found.append(WITHHELD)
    if RESOURCE_LOG in witnesses and deletion["object"]["id"] is not None:
        found.append(UNNAMED)
    if not is_called(deletion, asked):
        found.append(NAMED)
    return found
