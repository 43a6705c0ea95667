"""Controls whose evidence this version does not collect: they exist so that the hole is seen, and say `unknown`."""

from collections.abc import Callable

from shared.judge.case import Case
from shared.judge.verdict import unknown
from shared.model import Judgement

NOT_COLLECTED = {
    "files-inventory": "the account's uploaded files are not listed",
    "vector-stores-inventory": "the account's vector stores are not listed",
    "assistants-inventory": "the account's assistants are not listed",
    "fine-tuned-models-inventory": "the account's fine-tuned models are not listed",
    "fine-tuning-lineage": "fine-tuning jobs, which name their training and validation files, are not listed",
    "batches-inventory": "batch jobs, which name their input and output files, are not listed",
    "safety-evaluation-verdicts": "events of fine-tuning jobs, which hold the verdict, are not read",
    "deletions-reconciled": "resource logs and the Activity Log are not read, so deletions are not reconciled with inventories",
    "stored-completions-in-logs": "resource logs, which name operations on stored completions, are not read",
    "preview-api-versions": "resource logs, which name the versions that callers use, are not read",
}
"""Why each of them is unknown."""

UNOBSERVABLE = {
    "threads-unobservable": "Unobservable: Azure has no list of threads, responses or conversations, so what they hold cannot be shown.",
}
"""What no version can collect."""


def pending(control: str) -> Callable[[Case], list[Judgement]]:
    """The check of a control that has no evidence yet."""
    reason = UNOBSERVABLE.get(control) or f"Not collected: {NOT_COLLECTED[control]}; this comes with a later version."

    def check(case: Case) -> list[Judgement]:
        return [unknown(case.id, reason)]

    return check
