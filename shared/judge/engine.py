"""Judging: what the service calls when a unit is collected, and the verifier calls again.

Given the same evidence, profile and catalogue version, the result is the same, in the same order. Every judgement points into each
record that its control reads, so that whoever has the records a finding names can judge it again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache
from operator import itemgetter
from typing import Final, ParamSpec

from shared.errors import EvidenceError
from shared.judge.case import Case
from shared.judge.catalogue import Control, catalogue
from shared.judge.checks import ACCOUNT_CHECKS, SUBSCRIPTION_CHECKS, SWEEP_CHECKS
from shared.judge.checks.collection import Collection
from shared.judge.checks.exhibits import EXHIBIT_CHECKS
from shared.judge.checks.waivers import WAIVERS_CURRENT, waivers_current
from shared.judge.exhibits import Exhibit, last_day, speaking
from shared.judge.profile import Profile, effective
from shared.judge.verdict import Unclear, unknown
from shared.judge.waivers import Waiver
from shared.model import Evidence, Judgement, Point

Judged = tuple[str, Judgement]
"""The id of a control, and one judgement by it."""

P = ParamSpec("P")

FAILED: Final = "This check failed on data it does not expect"
"""How the reason of a finding begins whose check has a bug."""

_MOST_POINTS: Final = 64
"""A finding is one line: it points at no more places than this, besides every record it rests on."""

_MOST_EXHIBITS: Final = 8
"""A finding names no more exhibits than this."""

ACT_CHECKS: Final = {WAIVERS_CURRENT: waivers_current, **EXHIBIT_CHECKS}
"""By control: what rests on nothing but the plan and acts of people."""

_OF_SUBSCRIPTION: Final = "subscription:"
"""Before a kind: the account's subscription was asked, not the account."""


def judge_account(evidence: Evidence, profile: Profile, cloud: str) -> list[Judged]:
    """Everything that is judged of one account and its deployments.

    `evidence.context` is that of its subscription, with at least `locations` (and `accounts`, to compare the two answers).
    """
    case = Case(evidence, profile, cloud)
    read = _Read(evidence)
    judged: list[Judged] = []
    for control, check in _account_checks():
        judged += read.by(control, _run(check, evidence.resource)(case))
    return judged


def judge_subscription(evidence: Evidence, profile: Profile, _cloud: str) -> list[Judged]:
    """Everything that is judged of one subscription: `evidence` holds its `accounts`, `deletedAccounts` and diagnostic settings.

    Called like `judge_account`, though no control of a subscription depends on the cloud yet.
    """
    expect = effective(profile, evidence.resource)
    read = _Read(evidence)
    judged: list[Judged] = []
    for control in catalogue().of_scope("subscription"):
        check = SUBSCRIPTION_CHECKS[control.id]
        judged += read.by(control, _run(check, evidence.resource)(evidence, expect))
    return judged


def judge_sweep(sweep: Collection, profile: Profile) -> list[Judged]:
    """Everything that is judged of the collection itself."""
    expect = effective(profile, None)
    judged: list[Judged] = []
    for control in catalogue().of_scope("sweep"):
        check = SWEEP_CHECKS[control.id]
        found = _run(check, None)(sweep, expect)
        judged += ((control.id, _complete(judgement, (sweep.point,))) for judgement in found)
    return judged


def judge_acts(exhibits: Sequence[Exhibit] | None, waivers: Sequence[Waiver] | None, plan: Point, at: str, profile: Profile) -> list[Judged]:
    """Of all that is judged of the collection, what rests on nothing but the plan and acts of people."""
    filed, waived = None if exhibits is None else tuple(exhibits), None if waivers is None else tuple(waivers)
    sweep, expect = Collection(plan.record, at, exhibits=filed, waivers=waived), effective(profile, None)
    found = [(control, _run(check, None)(sweep, expect)) for control, check in ACT_CHECKS.items()]
    return [(control, _complete(judgement, (plan,))) for control, judgements in found for judgement in judgements]


def provider_attested(exhibits: Sequence[Exhibit] | None, at: str) -> list[Judged]:
    """What nobody outside the provider can observe; each says what speaks to it at the time of the sweep, as far as it was filed."""
    return [(control.id, _attested(control, exhibits, at)) for control in catalogue().of_scope("provider")]


def _attested(control: Control, exhibits: Sequence[Exhibit] | None, at: str) -> Judgement:
    needs = f"Only the provider can observe this; it needs an exhibit: {control.exhibit}."
    if exhibits is None:
        return Judgement(None, "provider-attested", f"{needs} What was on file could not be read.")
    found = speaking(exhibits, control.statements, at)
    said = "; ".join(f"{one.said}, relied on until {last_day(one.until)}" for one in found[:_MOST_EXHIBITS])
    more = f"; and {len(found) - _MOST_EXHIBITS} more" if len(found) > _MOST_EXHIBITS else ""
    points = tuple(Point(one.record) for one in found[:_MOST_POINTS] if one.record is not None)
    return Judgement(None, "provider-attested", f"{needs} On file: {said}{more}." if found else f"{needs} None in force is on file.", points)


@cache
def _account_checks() -> tuple[tuple[Control, Callable[[Case], list[Judgement]]], ...]:
    wanted = catalogue().of_scope("account", "deployment")
    return tuple((control, ACCOUNT_CHECKS[control.id]) for control in wanted)


def _run(check: Callable[P, Iterable[Judgement]], resource: str | None) -> Callable[P, list[Judgement]]:
    """`check`, whose failing loses no finding: it is our fault, and the person who reads has to see that something was not judged."""

    def run(*args: P.args, **kwargs: P.kwargs) -> list[Judgement]:
        try:
            return list(check(*args, **kwargs))
        except Unclear as unclear:
            return [unclear.judgement(resource)]
        except EvidenceError:  # a body cannot be had: nothing is found out by that about the resource
            raise
        except Exception as failure:  # noqa: BLE001 - see above; a test makes sure that nothing known gets here
            return [unknown(resource, f"{FAILED} ({type(failure).__name__}): please report it.")]

    return run


class _Read:
    """Which records the controls of one unit read: those that a verifier needs to judge again."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence
        self._by_kind: dict[str, tuple[Point, ...]] = {}
        for (kind, resource), answer in sorted(evidence.answers.items(), key=itemgetter(0)):
            if resource == evidence.resource or resource.startswith(f"{evidence.resource}/"):
                self._by_kind[kind] = (*self._by_kind.get(kind, ()), Point(answer.record))

    def by(self, control: Control, found: Iterable[Judgement]) -> Iterator[Judged]:
        """What the control's check found, pointing into every record that it reads."""
        points = tuple(point for kind in control.evidence for point in self._of_kind(kind))
        for judgement in found:
            yield control.id, _complete(judgement, points)

    def _of_kind(self, kind: str) -> tuple[Point, ...]:
        if not kind.startswith(_OF_SUBSCRIPTION):
            return self._by_kind.get(kind, ())
        context = self._evidence.context
        answer = context.answer(kind.removeprefix(_OF_SUBSCRIPTION)) if context is not None else None
        return (Point(answer.record),) if answer is not None else ()


def _complete(judgement: Judgement, records: tuple[Point, ...]) -> Judgement:
    """The same judgement, pointing into each of `records`."""
    points = judgement.points[:_MOST_POINTS]
    pointed = {point.record for point in points}
    further = tuple(point for point in records if point.record not in pointed)
    if not further and len(points) == len(judgement.points):
        return judgement
    return Judgement(judgement.resource, judgement.status, judgement.reason, points + further)
