"""The error tree, drawn by who must act.

    EvidenceError            one line for a person: what happened, what to do
    ├── Misuse               bad input or bad settings: the caller changes what was asked (exit 2)
    │   ├── Refused          a message or request that can never be done: it goes aside with this reason
    │   └── Unwritable       a file that was asked for cannot be written there
    ├── Unreachable          Azure or the store could not be reached: try again later (exit 4)
    ├── StoreConflict        a write-once name holds other bytes: alarm, never retried (exit 1)
    └── VerificationError    evidence that is not what it should be; all that verify ever raises (exit 1)
        └── NewerFormat      nothing can be said of it: a later version wrote it (exit 2)

Every message is one line, says what happened and what to do, and never holds a secret or a committed value.
"""


class EvidenceError(Exception):
    """Base of all errors that a person is meant to read. `exit_code` is that of the command line."""

    exit_code = 1


class Misuse(EvidenceError):
    """What was asked cannot be done as asked: bad input, bad settings, a store that is not one."""

    exit_code = 2


class Refused(Misuse):
    """What one message or request asks can never be done, whatever the settings become: set it aside, with this reason."""


class Unwritable(Misuse):
    """A file that was asked for cannot be written where it was to be."""


class Unreachable(EvidenceError):
    """Azure, or the store, could not be reached or used; nothing was lost, the same call may work later."""

    exit_code = 4


class StoreConflict(EvidenceError):
    """A write-once name already holds different bytes. Never retried: somebody wrote what we did not."""


class VerificationError(EvidenceError):
    """Evidence that does not hold: malformed, altered, cut off or signed by another key."""


class NewerFormat(VerificationError):
    """A later version of this software wrote it. That says nothing against it, and nothing for it."""

    exit_code = 2
