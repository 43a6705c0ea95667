"""The use-case `residency`: where the deployments of a moment may have processed prompts, and where data rested, by the looks before and after it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared import layout
from shared.canonical import Json
from shared.collect.endpoints import ACCOUNT_KINDS
from shared.deliver.moment import ACCOUNT, ACCOUNTS, DEPLOYMENTS, KINDS, LOCATIONS, Around, Key
from shared.deliver.period.fold import UNDECLARED, micros, valid_for
from shared.deliver.residency_words import Look, Row, document
from shared.deliver.unseen.subscriptions import Sight
from shared.errors import Misuse
from shared.judge.assemble import Entry
from shared.judge.case import Case
from shared.judge.profile import DEFAULT
from shared.judge.verdict import Unclear
from shared.judge.whereabouts import whereabouts
from shared.model import Evidence
from shared.records import timestamp
from shared.service.gone import concerns
from shared.service.looking import backwards, forwards, plans_of
from shared.service.queries import Filter, Reading

_MARKS = tuple(f'"kind":"{kind}"'.encode() for kind in KINDS)
_SERVED = frozenset(kind.casefold() for kind in ACCOUNT_KINDS)


def residency(read: Reading, at: datetime, wanted: Filter, now: datetime) -> Json:
    """Where deployments stood at a moment (docs/questions.md).

    Raises:
        Misuse: the moment lies ahead.
        StoreConflict: the log is not what was sealed.
    """
    if at > now:
        raise Misuse(f"--at {timestamp(at)} lies ahead: nothing can have been seen of it")
    moment = timestamp(at)
    plans = plans_of(read)
    scan = _Scan(read, Around(moment))
    scan.look(plans)
    sight = Sight()
    for index, plan in plans:
        if plan["at"] <= moment:
            sight.take(index, plan)
    rows = [row for account in scan.accounts() for row in _rows(scan, account, {plan["sweep"]: plan for _, plan in plans})]
    kept = [row for row in rows if concerns(wanted, {"resource": row.resource, "account": row.account})]
    absent = [one.subscription for one in sight.absences if not one.ended]
    unlisted = [entry for key, entry in sorted(scan.around.failed.items()) if key[0] == ACCOUNTS and scan.around.unanswered(key)]
    whole = [(index, plan["at"]) for index, plan in plans if _is_whole(plan)]
    return document(
        moment=moment,
        rows=kept,
        asked=wanted.resource,
        accounts=len(scan.accounts()),
        before=max((place for place in whole if place[1] <= moment), default=None),
        after=min((place for place in whole if place[1] > moment), default=None),
        absent=absent,
        unlisted=unlisted,
    )


def _is_whole(plan: Json) -> bool:
    return layout.BY_EVENT not in plan["sweep"] and (plan.get("scope") or {}).get("resources") is None


@dataclass(slots=True)
class _Scan:
    """Reads the log outwards from the moment, as far as it takes to know each account from both sides."""

    read: Reading
    around: Around
    _ids: dict[int, frozenset[str]] = field(default_factory=dict)

    def look(self, plans: Iterable[tuple[int, Json]]) -> None:
        """Read backwards from the end of what was planned by then, and on from there."""
        at, ranges = self.around.at, {sweep["sweep"]: sweep for sweep in self.read.sweeps}
        whole = [ranges[plan["sweep"]] for _, plan in plans if _is_whole(plan)]
        pivot = max((sweep["end"] for sweep in self.read.sweeps if sweep["planned_at"] <= at), default=0)
        # The last look at everything names every subscription; after it, what is still missing is looked for.
        floor = max((sweep["first"] for sweep in whole if sweep["planned_at"] <= at), default=0)
        ceiling = min((sweep["end"] for sweep in whole if sweep["planned_at"] > at), default=self.read.log.size)
        self._until_known(backwards(self.read, pivot, _MARKS), lambda index: index < floor, self._lacking_before)
        self._until_known(forwards(self.read, pivot, self.read.log.size, _MARKS), lambda index: index >= ceiling, self._lacking_after)

    def _until_known(self, records: Iterator[tuple[int, Json]], passed: Callable[[int], bool], lacking: Callable[[], set[Key]]) -> None:
        waiting: set[Key] | None = None
        for index, record in records:
            if waiting is None and passed(index):
                waiting = lacking()
            if waiting is not None and not waiting:
                return
            found = self.around.take(index, record)
            if waiting is not None and found is not None:
                waiting = lacking() if found[0] == ACCOUNTS else waiting - {found}

    def _lacking_before(self) -> set[Key]:
        around = self.around
        lists = {key for keys in (around.before, around.after, around.failed) for key in keys if key[0] == ACCOUNTS}
        wanted = lists | {
            (kind, account) for key in lists for account in self.listed(around.before.get(key)) for kind in (ACCOUNT, DEPLOYMENTS)
        }
        return wanted - around.before.keys()

    def _lacking_after(self) -> set[Key]:
        around = self.around
        lists = {key for key in around.before if key[0] == ACCOUNTS}
        still = {account for key in lists for account in self.listed(around.before[key]) & self.listed(around.after.get(key))}
        return (lists | {(kind, account) for account in still for kind in (ACCOUNT, DEPLOYMENTS)}) - around.after.keys()

    def listed(self, entry: Entry | None) -> frozenset[str]:
        """The accounts in an answer to `accounts`, by their ids."""
        if entry is None:
            return frozenset()
        if entry.record not in self._ids:
            items = (item for _, _, item in entry.answer(self.read.body).items() if isinstance(item, dict))
            self._ids[entry.record] = frozenset(
                str(item.get("id")).lower() for item in items if str(item.get("kind")).casefold() in _SERVED
            )
        return self._ids[entry.record]

    def accounts(self) -> list[str]:
        """Every account that was listed or answered on either side."""
        found: set[str] = set()
        for side in (self.around.before, self.around.after):
            for (kind, resource), entry in side.items():
                found |= self.listed(entry) if kind == ACCOUNTS else {resource} if kind in (ACCOUNT, DEPLOYMENTS) else set()
        return sorted(found)

    def side(self, account: str, side: Mapping[Key, Entry], *, newer: bool) -> Look | None:
        """What one side shows of an account; None where it shows nothing."""
        subscription = "/".join(account.split("/")[:3])
        deployments, listed = side.get((DEPLOYMENTS, account)), side.get((ACCOUNTS, subscription))
        nearer = listed is not None and (deployments is None or (listed.at > deployments.at if newer else listed.at < deployments.at))
        if listed is not None and nearer and account not in self.listed(listed):
            return Look((listed.record, listed.at), {}, (), gone=True)
        if deployments is None:
            return None
        entries = [entry for key in ((ACCOUNT, account), (DEPLOYMENTS, account)) if (entry := side.get(key)) is not None]
        locations = (
            side.get((LOCATIONS, subscription))
            or self.around.before.get((LOCATIONS, subscription))
            or self.around.after.get((LOCATIONS, subscription))
        )
        load = self.read.body
        context = Evidence(subscription, {(LOCATIONS, subscription): locations.answer(load)} if locations else {})
        evidence = Evidence(account, {(entry.kind, entry.resource): entry.answer(load) for entry in entries}, context)
        place = (deployments.record, deployments.at)
        records = tuple(sorted({entry.record for entry in entries}))
        try:
            return Look(place, {one.resource: one for one in whereabouts(Case(evidence, DEFAULT, "public"))}, records)
        except Unclear as unclear:
            return Look(place, {}, records, unread=unclear.reason)


def _rows(scan: _Scan, account: str, plans: Mapping[str, Json]) -> Iterator[Row]:
    """One row for each deployment that either side shows; one for the account where neither shows any."""
    around = scan.around
    before, after = scan.side(account, around.before, newer=True), scan.side(account, around.after, newer=False)
    failed = around.unanswered((DEPLOYMENTS, account))
    if before is not None and before.gone and (after is None or after.gone):
        return
    near = before is not None and micros(around.at) <= micros(before.place[1]) + _valid(plans.get(around.sweeps[before.place[0]]))
    found = {**(after.shows if after else {}), **(before.shows if before else {})}
    for resource in sorted(found) or [account]:
        yield Row(resource, account, before, after, failed, near)


def _valid(plan: Json) -> int:
    """For how long an observation stands, as in the period view (docs/period.md). Microseconds."""
    return valid_for(plan["schedule"], plan["slot"] or plan["at"]) if plan else UNDECLARED
