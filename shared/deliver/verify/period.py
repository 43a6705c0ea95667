"""Whether a bundle has every sweep of its period: what comes before, between and after them must be there to be seen."""

from collections.abc import Collection, Sequence

from shared.deliver.bundle.manifest import NAME, Manifest
from shared.deliver.verify.examine import Examiner
from shared.deliver.verify.slots import check_slots
from shared.deliver.verify.verdict import Tally


def check_period(manifest: Manifest, examiner: Examiner, changes: Collection[int], tally: Tally) -> None:
    """Note what shows that a sweep was left out, and the slots without a sweep.

    Each plan names the closing record of the sweep before it. So a sweep that was closed cannot be left out as long as the plans on both
    sides of it are there, the record before the first is, and after the last comes either a later plan or the end of the log.
    `changes`: indexes of the records that change the signing keys, which are there whatever the period is.
    """
    plans = examiner.plans
    if not plans:
        tally.problem("manifest", "the bundle has no sweep of its period", file=NAME)
        return
    closings = {closed.record: closed for closed in examiner.closings}
    after = next((plan for plan in examiner.beyond if (plan.slot or plan.at) >= manifest.period[1]), None)
    for plan in [*plans, *([after] if after else [])]:
        if plan.previous is not None and plan.previous["record"] not in closings:
            reason = f"the sweep before it, closed at record {plan.previous['record']}, is not in the bundle: it was left out"
            tally.problem("period", reason, record=plan.record)
    runs = _runs(manifest, examiner, changes)
    _check_start(manifest, examiner, runs, tally)
    if after is None:
        _check_end(manifest, examiner, runs[-1], tally)
    check_slots(plans, tally, start=manifest.period[0], end=manifest.period[1])


def _runs(manifest: Manifest, examiner: Examiner, changes: Collection[int]) -> list[tuple[int, int]]:
    """The ranges without those that are there for something else than the period: changes of keys, acts of people, the record before, what conclusions rest on."""
    previous = examiner.plans[0].previous
    acts = {*examiner.waivers.records, *examiner.approvals.records, *examiner.exhibits.records}
    beside = {*changes, *acts, *examiner.named, *([previous["record"]] if previous is not None else [])}
    found = [(first, count) for first, count in manifest.ranges if count > len(beside) or not beside.issuperset(range(first, first + count))]
    return found or [manifest.ranges[-1]]


def _check_start(manifest: Manifest, examiner: Examiner, runs: Sequence[tuple[int, int]], tally: Tally) -> None:
    first = examiner.plans[0]
    previous = first.previous
    if previous is not None and (previous["slot"] or "") >= manifest.period[0]:
        tally.problem("period", "the sweep before it is of the period too, and was left out", record=first.record)
    if manifest.resources is None and len(runs) > 1:
        tally.problem("period", "records between those of the period are left out", record=sum(runs[0]), file=NAME)


def _check_end(manifest: Manifest, examiner: Examiner, last: tuple[int, int], tally: Tally) -> None:
    first, count = last
    if first + count != manifest.size:
        tally.problem(
            "period", f"the bundle ends at record {first + count - 1} and the log at {manifest.size - 1}: nothing shows that what follows is of later time",
            record=first + count - 1,
        )  # fmt: skip
    elif manifest.resources is not None and examiner.closings and examiner.closings[-1].record < first:
        tally.problem("period", "nothing shows that no sweep was planned after the last one", record=examiner.closings[-1].record)
