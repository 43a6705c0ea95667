"""Controls that nobody can judge from outside, because Azure shows nothing to judge by; they say so."""

from collections.abc import Callable

from shared.judge.case import Case
from shared.judge.verdict import unknown
from shared.model import Judgement

UNOBSERVABLE = {
    "threads-unobservable": "Unobservable: Azure has no list of threads, responses or conversations, so what they hold cannot be shown.",
}
"""What no version can collect, and why."""


def unobservable(control: str) -> Callable[[Case], list[Judgement]]:
    """The check of a control for which there is no evidence."""

    def check(case: Case) -> list[Judgement]:
        return [unknown(case.id, UNOBSERVABLE[control])]

    return check
