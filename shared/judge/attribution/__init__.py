"""Who changed something: a change, joined with what the Activity Log and events of Event Grid tell of operations on its resource. Pure.

    attribute(changed, ledger) → Attribution

A change is *attributed* where exactly one caller is named for the operations that can have made it in its time, and *unattributed* with the
reason otherwise: several callers (all are named, none is chosen), nobody named, no operation told, no log that tells of it, a log that could
not be read. Whoever wrote a resource in that time is who is named: that the very field was his is for the log's own entry to show.

Leaves out: what is done on the data plane (the Activity Log never tells of it) and what the provider moves by itself.
"""

from shared.judge.attribution.attribute import STATUSES, Attribution, attribute, essence
from shared.judge.attribution.changed import OPS, QUESTIONS, Changed, is_provided, of_attribution, of_change, question_of
from shared.judge.attribution.ledger import Ledger, chain
from shared.judge.attribution.words import said, said_of, said_of_all

__all__ = [
    "OPS", "QUESTIONS", "STATUSES", "Attribution", "Changed", "Ledger", "attribute", "chain", "essence", "is_provided", "of_attribution", "of_change", "question_of",
    "said", "said_of", "said_of_all",
]  # fmt: skip
