"""Ids of the lines that alert rules look for. `scripts/write-infra` writes infra/alarms.json from this, which infra/alerts.bicep reads.

A line of the log begins with the id. Only warnings and errors leave the app (host.json): log an alarm as one of them.
"""

from dataclasses import dataclass

SLOT_MISSED = "EVIDENCE-SLOT-MISSED"
SWEEP_INCOMPLETE = "EVIDENCE-SWEEP-INCOMPLETE"
BATCH_UNSEALED = "EVIDENCE-BATCH-UNSEALED"
POISON = "EVIDENCE-POISON"
RETENTION_CHANGED = "EVIDENCE-RETENTION-CHANGED"
ATTESTATION_OWED = "EVIDENCE-ATTESTATION-OWED"
ALERT_UNDELIVERED = "EVIDENCE-ALERT-UNDELIVERED"
LOG_STILL = "EVIDENCE-LOG-STILL"
DRIFT = "EVIDENCE-DRIFT"
VERIFICATION_FAILED = "EVIDENCE-VERIFICATION-FAILED"
STORE_CONFLICT = "EVIDENCE-STORE-CONFLICT"


@dataclass(frozen=True, slots=True)
class Rule:
    """What an alert rule says when it finds a line."""

    id: str
    severity: int
    """As Azure counts: 0 critical, 1 error, 2 warning, 3 informational."""
    meaning: str


RULES = (
    Rule(STORE_CONFLICT, 0, "A write-once name holds other bytes: somebody wrote what we did not. Nothing is appended."),
    Rule(VERIFICATION_FAILED, 0, "Evidence is not what was sealed."),
    Rule(RETENTION_CHANGED, 0, "What protects the evidence is not what it was."),
    Rule(SLOT_MISSED, 1, "A slot of the schedule has no sweep."),
    Rule(LOG_STILL, 1, "The log did not grow for a whole interval of the schedule."),
    Rule(BATCH_UNSEALED, 1, "Records wait to be sealed for longer than they should."),
    Rule(SWEEP_INCOMPLETE, 1, "A sweep closed with units missing, or with questions that were not answered."),
    Rule(POISON, 1, "Messages were given up."),
    Rule(ATTESTATION_OWED, 2, "Checkpoints wait for timestamps, cosignatures or copies."),
    Rule(ALERT_UNDELIVERED, 1, "Alerts were given up: a receiver has not taken them for three days."),
    Rule(DRIFT, 3, "A resource changed between two sweeps."),
)
"""The most urgent first."""
