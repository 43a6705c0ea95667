"""The collection itself: what was planned and not brought, what failed, when it was due, and what protects what was written.

Judged once for each sweep, from facts that the service reads out of the log; a fact it does not have is None, and unknown.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.judge.exhibits import Exhibit
from shared.judge.expectation import ANY, Expectation
from shared.judge.reading import count, names, shown, verb
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown, verdict
from shared.judge.waivers import Waiver
from shared.model import Evidence, Judgement, Point


@dataclass(frozen=True, slots=True)
class Failed:
    """A question that was asked and not answered."""

    kind: str
    resource: str
    reason: str
    """As in docs/format.md: `forbidden`, `throttled`, …"""
    record: int


@dataclass(frozen=True, slots=True)
class Collection:
    """One sweep, as the collection controls see it."""

    plan_record: int
    """Index of the sweep-planned record."""
    planned_at: str
    """RFC 3339."""
    slot: str | None = None
    schedule: str | None = None
    named_subscriptions: tuple[str, ...] | None = None
    """What the scope names; None: all that the identity sees."""
    named_resources: tuple[str, ...] | None = None
    """The accounts that the scope names; None: every account there is."""
    seen_subscriptions: tuple[str, ...] | None = None
    """What Azure says the identity sees; None where that could not be asked."""
    units: int = 0
    missing_units: tuple[str, ...] = ()
    failures: tuple[Failed, ...] = ()
    previous_slot: str | None = None
    previous_closed_at: str | None = None
    """None where no sweep came before."""
    missed_slots: tuple[str, ...] | None = None
    """Slots due since the previous sweep that no sweep belongs to; None where that cannot be said."""
    storage_policy: str | None = None
    """`locked`, `unlocked`, `none`, as the store itself says of a blob just written."""
    storage_until: str | None = None
    storage_written: str | None = None
    """When the blob that says so was written; None: not told, so while planning."""
    storage_source: str | None = None
    """What said so: `directory`, `storage account`."""
    store: Evidence | None = None
    """What Azure Resource Manager says of that account; None where it was not asked."""
    storage_record: int | None = None
    """Index of the retention record."""
    clock_skew_seconds: float | None = None
    """The largest distance between our clock and Azure's Date headers."""
    log_size: int | None = None
    previous_log_size: int | None = None
    log_consistent: bool | None = None
    """Whether the log as it is now holds the previous checkpoint's records unchanged; None where there is none to compare."""
    exhibits: tuple[Exhibit, ...] | None = None
    """What was on file when the sweep was planned; None where that could not be read."""
    waivers: tuple[Waiver, ...] | None = None
    """What had been waived until then, expired and ended ones too; None where that could not be read."""

    @property
    def point(self) -> Point:
        """The plan."""
        return Point(self.plan_record)


def collection_complete(sweep: Collection, _expect: Expectation) -> list[Judgement]:
    """Everything planned was asked and answered."""
    if sweep.missing_units:
        missing = sweep.missing_units
        part = f"{len(missing)} of {count(sweep.units, 'unit')} of the plan {verb(len(missing), 'was', 'were')}"
        reason = f"{part} not collected in time: {names(map(shown, missing))}."
        return [not_satisfied(None, reason, sweep.point, *_failure_points(sweep))]
    if sweep.failures:
        said = names(f"{failed.kind} {failed.reason}" for failed in sweep.failures)
        reason = f"{count(len(sweep.failures), 'question')} had no answer: {said}."
        return [not_satisfied(None, reason, sweep.point, *_failure_points(sweep))]
    return [satisfied(None, f"All {count(sweep.units, 'unit')} of the plan were collected, and every question answered.", sweep.point)]


def _failure_points(sweep: Collection) -> list[Point]:
    return [Point(failed.record) for failed in sweep.failures]


def collection_scope(sweep: Collection, _expect: Expectation) -> list[Judgement]:
    """Every subscription that the scope names was there to be collected."""
    if sweep.seen_subscriptions is None:
        raise Unclear("Not collected: which subscriptions the identity sees could not be asked.", sweep.point)
    seen = {subscription.casefold() for subscription in sweep.seen_subscriptions}
    if not seen:
        return [not_satisfied(None, "The identity sees no subscription at all, so nothing was looked at.", sweep.point)]
    if sweep.named_resources is not None:
        return [_narrowed(sweep, sweep.named_resources, seen)]
    if sweep.named_subscriptions is None:
        return [satisfied(None, f"The sweep covers all {count(len(seen), 'subscription')} that the identity sees.", sweep.point)]
    named = {subscription.casefold() for subscription in sweep.named_subscriptions}
    unseen = named - seen
    if unseen:
        reason = f"{count(len(unseen), 'subscription')} in scope cannot be seen by the identity: {names(unseen)}."
        return [not_satisfied(None, reason, sweep.point)]
    beside = len(seen - named)
    note = f"; {beside} more {verb(beside, 'is', 'are')} seen and not in scope" if beside else ""
    return [satisfied(None, f"The sweep covers the {count(len(named), 'subscription')} in scope{note}.", sweep.point)]


def _narrowed(sweep: Collection, resources: tuple[str, ...], seen: set[str]) -> Judgement:
    """A sweep of single accounts says nothing of the others, however well it went."""
    unseen = {resource.casefold().split("/")[2] for resource in resources if resource.count("/") > 2} - seen
    if unseen:
        reason = f"{count(len(unseen), 'subscription')} of accounts in scope cannot be seen by the identity: {names(unseen)}."
        return not_satisfied(None, reason, sweep.point)
    reason = f"The sweep was narrowed to {count(len(resources), 'account')}: whatever else there is, was not looked at."
    return not_applicable(None, reason, sweep.point)


def schedule_kept(sweep: Collection, expect: Expectation) -> list[Judgement]:
    """No slot of the schedule since the previous sweep is without a sweep."""
    wanted = expect.word("collection.schedule")
    if wanted and sweep.schedule != wanted:
        because = expect.because("collection.schedule")
        return [not_satisfied(None, f"The sweep follows the schedule {shown(sweep.schedule)} ({because}: {shown(wanted)}).", sweep.point)]
    if sweep.schedule is None:
        raise Unclear("No schedule is declared, so a sweep that did not happen cannot be seen.", sweep.point)
    if sweep.previous_closed_at is None:
        return [not_applicable(None, "This is the first sweep, so none can have been missed since the one before.", sweep.point)]
    if sweep.missed_slots is None:
        raise Unclear("Which slots were due since the previous sweep cannot be said.", sweep.point)
    if sweep.missed_slots:
        missed = sweep.missed_slots
        reason = f"{count(len(missed), 'slot')} of the schedule {verb(len(missed), 'has', 'have')} no sweep: {names(missed)}."
        return [not_satisfied(None, reason, sweep.point)]
    return [
        satisfied(None, f"Every slot of the schedule since {sweep.previous_slot or sweep.previous_closed_at} has its sweep.", sweep.point)
    ]


def store_worm(sweep: Collection, expect: Expectation) -> list[Judgement]:
    """The store itself says that what it was just given cannot be changed or deleted before its time."""
    policy = sweep.storage_policy
    if policy not in ("locked", "unlocked", "none") or sweep.storage_record is None:
        raise Unclear(f"What protects the evidence could not be asked of the store ({shown(policy)}).", sweep.point)
    point = Point(sweep.storage_record)
    fact = {
        "locked": f"The evidence is write-protected by a locked policy{f' until {sweep.storage_until}' if sweep.storage_until else ''}",
        "unlocked": "The evidence is under a policy that is not locked, so whoever may change it can remove the protection",
        "none": "Nothing protects the evidence from being changed or deleted",
    }[policy]
    if expect.word("collection.worm") == ANY:
        return [not_applicable(None, f"{fact}; the profile expects nothing here.", point)]
    if policy != "locked":
        return [not_satisfied(None, f"{fact} ({expect.because('collection.worm')}: locked).", point)]
    days = expect.number("collection.retention_days")
    left = _days_between(sweep.planned_at, sweep.storage_until)
    if left is not None and left <= 0:
        return [not_satisfied(None, f"{fact}, which is past ({expect.because('collection.worm')}: locked).", point, sweep.point)]
    if not days:
        return [satisfied(None, f"{fact} ({expect.because('collection.worm')}: locked).", point)]
    protected = _days_between(sweep.storage_written or sweep.planned_at, sweep.storage_until)
    because = f"{expect.because('collection.retention_days')}: {count(days, 'day')}"
    if protected is None:
        return [unknown(None, f"{fact}, and for how long is not shown ({because}).", point)]
    return [verdict(None, round(protected, 2) >= days, f"{fact} ({because}).", point, sweep.point)]


def _days_between(start: str, end: str | None) -> float | None:
    try:
        return (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 86_400 if end else None
    except (ValueError, TypeError):
        return None


def log_continuity(sweep: Collection, _expect: Expectation) -> list[Judgement]:
    """The log still holds, unchanged, everything that the previous checkpoint covered."""
    if sweep.log_consistent is None:
        if sweep.previous_log_size is None:
            return [not_applicable(None, "There is no earlier checkpoint to compare the log with.", sweep.point)]
        raise Unclear("Whether the log continues the previous checkpoint could not be checked.", sweep.point)
    sizes = f"{sweep.previous_log_size} records then, {sweep.log_size} now"
    shrunk = sweep.previous_log_size is not None and sweep.log_size is not None and sweep.log_size < sweep.previous_log_size
    if not sweep.log_consistent or shrunk:
        return [not_satisfied(None, f"The log is not a continuation of its previous checkpoint: {sizes}.", sweep.point)]
    return [satisfied(None, f"The log continues its previous checkpoint unchanged: {sizes}.", sweep.point)]


def clock(sweep: Collection, expect: Expectation) -> list[Judgement]:
    """Our clock, by which records are dated, is near the one that Azure's answers show."""
    skew = sweep.clock_skew_seconds
    if skew is None:
        raise Unclear("No answer of Azure's carried a date to compare our clock with.", sweep.point)
    limit = expect.number("collection.clock_skew_seconds")
    because = f"{expect.because('collection.clock_skew_seconds')}: {count(limit, 'second')}"
    reason = f"Our clock was at most {skew:.0f} seconds from Azure's ({because})."
    return [verdict(None, skew <= limit, reason, sweep.point)]
