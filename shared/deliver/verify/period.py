"""Whether a bundle has every sweep of its period: what comes before, between and after them must be there to be seen."""

from shared.deliver.bundle.manifest import NAME, Manifest
from shared.deliver.verify.examine import Examiner
from shared.deliver.verify.slots import check_slots
from shared.deliver.verify.verdict import Tally


def check_period(manifest: Manifest, examiner: Examiner, tally: Tally) -> None:
    """Note what shows that a sweep was left out, and the slots without a sweep.

    Each plan names the closing record of the sweep before it. So a sweep that was closed cannot be left out as long as the plans on both
    sides of it are there, the record before the first is, and after the last comes either a later plan or the end of the log.
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
    _check_start(manifest, examiner, tally)
    _check_end(manifest, examiner, tally, shown_after=after is not None)
    check_slots(plans, tally, start=manifest.period[0], end=manifest.period[1])


def _check_start(manifest: Manifest, examiner: Examiner, tally: Tally) -> None:
    first = examiner.plans[0]
    previous = first.previous
    if previous is not None and (previous["slot"] or "") >= manifest.period[0]:
        tally.problem("period", "the sweep before it is of the period too, and was left out", record=first.record)
    if manifest.resources is None and not (
        len(manifest.ranges) == 1 or (len(manifest.ranges) == 2 and previous is not None and manifest.ranges[0] == (previous["record"], 1))
    ):
        tally.problem("period", "records between those of the period are left out", record=sum(manifest.ranges[0]), file=NAME)


def _check_end(manifest: Manifest, examiner: Examiner, tally: Tally, *, shown_after: bool) -> None:
    if shown_after:
        return
    first, count = manifest.ranges[-1]
    if first + count != manifest.size:
        tally.problem(
            "period", f"the bundle ends at record {first + count - 1} and the log at {manifest.size - 1}: nothing shows that what follows is of later time",
            record=first + count - 1,
        )  # fmt: skip
    elif manifest.resources is not None and examiner.closings and examiner.closings[-1].record < first:
        tally.problem("period", "nothing shows that no sweep was planned after the last one", record=examiner.closings[-1].record)
