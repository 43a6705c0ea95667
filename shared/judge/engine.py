"""Judging: what the service calls when a unit is collected, and the verifier calls again.

Given the same evidence, profile and catalogue version, the result is the same, in the same order. Every judgement points into each
record that its control reads, so that whoever has the records a finding names can judge it again.
"""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Final, TypeVar

from shared.judge.case import Case
from shared.judge.catalogue import Control, catalogue
from shared.judge.checks import ACCOUNT_CHECKS, SUBSCRIPTION_CHECKS, SWEEP_CHECKS
from shared.judge.checks.collection import Collection
from shared.judge.profile import Profile, effective
from shared.judge.verdict import Unclear, unknown
from shared.model import Evidence, Judgement, Point

Judged = tuple[str, Judgement]
"""The id of a control, and one judgement by it."""

T = TypeVar("T")

_MOST_POINTS: Final = 64
"""A finding is one line: it points at no more places than this, besides every record it rests on."""

_OF_SUBSCRIPTION: Final = "subscription:"
"""Before a kind: the account's subscription was asked, not the account."""


def judge_account(evidence: Evidence, profile: Profile, cloud: str) -> list[Judged]:
    """Everything that is judged of one account and its deployments.

    `evidence.context` is that of its subscription, with at least `locations` (and `accounts`, to compare the two answers).
    """
    case = Case(evidence, profile, cloud)
    judged: list[Judged] = []
    for control, check in _account_checks():
        records = [Point(record) for record in _records(control, evidence)]
        judged += ((control.id, _complete(judgement, records)) for judgement in _run(check, case, evidence.resource))
    return judged


def judge_subscription(evidence: Evidence, profile: Profile, _cloud: str) -> list[Judged]:
    """Everything that is judged of one subscription: `evidence` holds its `accounts`, `deletedAccounts` and diagnostic settings.

    Called like `judge_account`, though no control of a subscription depends on the cloud yet.
    """
    expect = effective(profile, evidence.resource)
    judged: list[Judged] = []
    for control in catalogue().of_scope("subscription"):
        check = SUBSCRIPTION_CHECKS[control.id]
        records = [Point(record) for record in _records(control, evidence)]
        found = _run(lambda _: check(evidence, expect), None, evidence.resource)  # noqa: B023 - called at once
        judged += ((control.id, _complete(judgement, records)) for judgement in found)
    return judged


def judge_sweep(sweep: Collection, profile: Profile) -> list[Judged]:
    """Everything that is judged of the collection itself."""
    expect = effective(profile, None)
    judged: list[Judged] = []
    for control in catalogue().of_scope("sweep"):
        check = SWEEP_CHECKS[control.id]
        found = _run(lambda _: check(sweep, expect), None, None)  # noqa: B023 - called at once
        judged += ((control.id, _complete(judgement, [sweep.point])) for judgement in found)
    return judged


def provider_attested() -> list[Judged]:
    """What nobody outside the provider can observe: the same for every sweep, and waiting for an exhibit."""
    return [
        (control.id, Judgement(None, "provider-attested", f"Only the provider can observe this; it needs an exhibit: {control.exhibit}."))
        for control in catalogue().of_scope("provider")
    ]


@cache
def _account_checks() -> tuple[tuple[Control, Callable[[Case], list[Judgement]]], ...]:
    wanted = catalogue().of_scope("account", "deployment")
    return tuple((control, ACCOUNT_CHECKS[control.id]) for control in wanted)


def _run(check: Callable[[T], Iterable[Judgement]], subject: T, resource: str | None) -> list[Judgement]:
    """What `check` concludes. That it fails is our fault, and still no reason to lose the finding."""
    try:
        return list(check(subject))
    except Unclear as unclear:
        return [unclear.judgement(resource)]
    except Exception as failure:  # noqa: BLE001 - see above; a test makes sure that nothing known gets here
        return [unknown(resource, f"This check failed on data it does not expect ({type(failure).__name__}): please report it.")]


def _records(control: Control, evidence: Evidence) -> list[int]:
    """The records that a control reads: those that a verifier needs to judge again."""
    found: list[int] = []
    for kind in control.evidence:
        if kind.startswith(_OF_SUBSCRIPTION):
            answer = evidence.context.answer(kind.removeprefix(_OF_SUBSCRIPTION)) if evidence.context else None
        elif kind.startswith("project"):
            found += (answer.record for answer in evidence.of_kind(kind))
            continue
        else:
            answer = evidence.answer(kind)
        if answer is not None:
            found.append(answer.record)
    return found


def _complete(judgement: Judgement, records: list[Point]) -> Judgement:
    """The same judgement, pointing into every record that its control reads."""
    points = judgement.points[:_MOST_POINTS]
    pointed = {point.record for point in points}
    further = tuple(point for point in records if point.record not in pointed)
    if not further and len(points) == len(judgement.points):
        return judgement
    return Judgement(judgement.resource, judgement.status, judgement.reason, points + further)
