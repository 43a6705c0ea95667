"""Planning a sweep: name it, ask what there is, and write the plan as its first batch."""

import itertools
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.asked import Asked, Budget, Failed
from shared.collect.endpoints import ACCOUNT_KINDS, BY_KIND, ENDPOINTS, Endpoint, questions
from shared.collect.plan import Unit, account_unit, account_units, subscription_unit, visible_subscriptions
from shared.collect.windows import ACTIVITY_LOG, after, around, previous_of, widest
from shared.judge.assemble import PLAN_UNIT
from shared.records import Origin, line, record, timestamp
from shared.schedule import Schedule
from shared.seal.commits import last_commit
from shared.seal.log import open_log
from shared.service import state
from shared.service.collector import Collector
from shared.service.continuity import continuity, previous_sweep
from shared.service.latest import LatestAnswers
from shared.service.newest import newest_sweep

UNSCHEDULED_DEADLINE = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is asked for: bare subscription ids and account ids, lower-cased; None for all that the identity sees."""

    subscriptions: tuple[str, ...] | None
    resources: tuple[str, ...] | None

    def as_json(self) -> Json:
        """As the plan's record has it."""
        return {
            "subscriptions": list(self.subscriptions) if self.subscriptions is not None else None,
            "resources": list(self.resources) if self.resources is not None else None,
            "kinds": list(ACCOUNT_KINDS),
        }


@dataclass(frozen=True, slots=True)
class SweepName:
    """Which sweep this is: the slot names it where a schedule is declared, the clock otherwise."""

    name: str
    slot: datetime | None
    deadline: datetime


def slot_sweep(schedule: Schedule, now: datetime) -> SweepName:
    """The sweep of the latest slot."""
    slot = schedule.latest(now)
    return SweepName(slot.strftime("%Y%m%dT%H%M%SZ"), slot, max(schedule.next(slot), now + timedelta(minutes=10)))


def name_sweep(schedule: Schedule | None, now: datetime, taken: Callable[[str], bool]) -> SweepName:
    """The sweep that is due: that of the latest slot, unless it was planned already (then one outside the schedule)."""
    if schedule is not None and not taken((due := slot_sweep(schedule, now)).name):
        return due
    name = now.strftime("%Y%m%dT%H%M%S%fZ")
    # A clock that was set back may come by the same moment again.
    names = itertools.chain([name], (f"{name}-{number}" for number in itertools.count(2)))
    return SweepName(next(free for free in names if not taken(free)), None, now + UNSCHEDULED_DEADLINE)


@dataclass(slots=True)
class Planner:
    """Writes the plan of one sweep."""

    collector: Collector
    sweep: SweepName
    scope: Scope
    schedule: str | None
    cause: Json
    around: str | None = None
    """When the event was that causes this sweep: of the Activity Log only the time around it is asked for, which costs little."""

    def plan(self) -> bool:
        """Ask, and write the plan's batch; False where another run has planned this sweep meanwhile."""
        collector, store = self.collector, self.collector.store
        since = last_commit(store)
        state.mark_open(store, self.sweep.name, since)
        log = open_log(store)
        known = newest_sweep(store, log)
        kept = store.retention()
        storage = {"policy": kept["policy"], "until": kept["until"]}
        lines = [line(value, collector.keep_body) for value in self._store_records(kept, storage)]
        asked, units, seen = self._discover(Origin(self.sweep.name, self.cause, collector.identity, storage))
        lines += asked
        at = collector.stamp()
        plan = record(
            "sweep-planned",
            at,
            sweep=self.sweep.name,
            kind="sweep",
            schedule=self.schedule,
            slot=timestamp(self.sweep.slot) if self.sweep.slot else None,
            deadline=timestamp(self.sweep.deadline),
            cloud=collector.cloud,
            scope=self.scope.as_json(),
            seen=seen,
            questions=questions(),
            windows=widest(at),
            workspace=collector.workspace,
            units=[unit.planned() for unit in self._with_windows(units, at, log.size)],
            cause=self.cause,
            collector=collector.identity,
            storage=storage,
            previous=previous_sweep(known),
            log=continuity(store, log, known),
        )
        lines.append(line(plan, collector.keep_body))
        planned = store.put_new(layout.batch(self.sweep.name, layout.PLAN), b"\n".join(lines) + b"\n")
        state.mark_open(store, self.sweep.name, since)  # taken meanwhile, where it seemed to be of nothing
        if planned:  # a hint: lost, the same profile is sealed once more
            store.put(layout.PROFILE_IN_FORCE, canonical({"sha256": collector.profile.digest, "bytes": len(collector.profile.body)}))
        return planned

    # -- what there is --------------------------------------------------------------------------------------------------

    def _discover(self, origin: Origin) -> tuple[list[bytes], list[Unit], list[str] | None]:
        """The records of all that planning asks; the units of work; the subscriptions that the identity sees."""
        budget = Budget()
        listed = self._ask(BY_KIND["subscriptions"], "", budget)
        asked = [listed]
        if self.collector.store_id is not None:
            asked += [self._ask(endpoint, self.collector.store_id, budget) for endpoint in ENDPOINTS if endpoint.scope == "store"]
        seen, strange = visible_subscriptions(listed) if listed.failed is None else ([], [])
        for name in strange:
            malformed = Failed("malformed", "the list of subscriptions names what cannot be one")
            asked.append(Asked(BY_KIND["accounts"], name, "", (), malformed))
        lines = self._recorded(PLAN_UNIT, asked, origin)
        units: list[Unit] = []
        with ThreadPoolExecutor(self.collector.threads, "plan") as pool:
            # The lists together hold every account: each is let go of when its record and its units are made.
            for found, more in pool.map(lambda subscription: self._listed(subscription, origin), self._subscriptions(seen)):
                units += found
                lines += more
        # Subscriptions first: their answers are what accounts are judged with.
        units.sort(key=lambda unit: unit.asked != "subscription")
        return lines, units, [subscription.lower() for subscription in seen] if listed.failed is None else None

    def _listed(self, subscription: str, origin: Origin) -> tuple[list[Unit], list[bytes]]:
        """The units of one subscription, and the records of asking for them."""
        unit = subscription_unit(subscription)
        asked = [self._ask(BY_KIND["accounts"], f"/subscriptions/{subscription}", Budget())]
        units = [unit, *self._accounts(subscription, asked[0], asked)]
        return units, self._recorded(unit.name, asked, origin)

    def _recorded(self, unit: str, asked: Sequence[Asked], origin: Origin) -> list[bytes]:
        collector = self.collector
        return [line(collector.keeper.record(answer, unit, origin, collector.stamp()), collector.keep_body) for answer in asked]

    def _ask(self, endpoint: Endpoint, resource: str, budget: Budget) -> Asked:
        return self.collector.arm.ask(endpoint, resource, budget, take=self.collector.keeper.take)

    def _subscriptions(self, seen: Sequence[str]) -> Sequence[str]:
        if self.scope.resources is not None:
            return sorted({resource.split("/")[2] for resource in self.scope.resources})
        if self.scope.subscriptions is not None:
            spelled = {subscription.lower(): subscription for subscription in seen}
            return [spelled.get(subscription, subscription) for subscription in self.scope.subscriptions]
        return seen

    def _accounts(self, subscription: str, accounts: Asked, asked: list[Asked]) -> list[Unit]:
        only = frozenset(self.scope.resources) if self.scope.resources is not None else None
        found: list[Unit] = []
        for unit in account_units(accounts, only) if accounts.failed is None else ():
            if isinstance(unit, Unit):
                found.append(unit)
            else:
                strange = Failed("malformed", "the list of accounts names what cannot be one")
                asked.append(Asked(BY_KIND["account"], unit, "", (), strange))
        if only is not None:
            known = {unit.resource for unit in found}
            own = [resource for resource in sorted(only) if resource.startswith(f"/subscriptions/{subscription}/")]
            # Named but not listed: asked for all the same, so that the evidence says what Azure answers about it.
            found += [account_unit(resource, ACCOUNT_KINDS[0]) for resource in own if resource not in known]
        return found

    def _with_windows(self, units: list[Unit], at: str, size: int) -> list[Unit]:
        """The units, each with the windows that follow what was answered about it before, as far as that is remembered, and sealed."""
        latest = LatestAnswers(self.collector.store)
        with ThreadPoolExecutor(self.collector.threads, "windows") as pool:
            return list(pool.map(lambda unit: replace(unit, windows=self._windows_of(unit, latest, at, size)), units))

    def _windows_of(self, unit: Unit, latest: LatestAnswers, at: str, size: int) -> tuple[Json, ...]:
        if self.around is not None and unit.asked == "subscription":
            return tuple(around(kind, unit.resource, self.around, at) for kind in ACTIVITY_LOG)
        return self._windows(latest.of(unit.name), at, size)

    @staticmethod
    def _windows(answers: dict[str, Json], at: str, size: int) -> tuple[Json, ...]:
        found = []
        for key, known in sorted(answers.items()):
            kind, _, resource = key.partition(" ")
            previous = previous_of(kind, known, at)
            if previous is not None and previous["record"] < size:
                found.append(after(kind, resource, previous, at))
        return tuple(found)

    # -- the store and the profile --------------------------------------------------------------------------------------

    def _store_records(self, kept: Json, storage: Json) -> list[Json]:
        """What protects the store, asked of it; and the profile, where it is not the one that was sealed last."""
        collector, store = self.collector, self.collector.store
        common = {"sweep": self.sweep.name}
        measured = {"written": kept["written"]} if kept["written"] else {}
        records = [record("retention", collector.stamp(), kind="store", storage=storage, source=kept["source"], **measured, **common)]
        body = collector.profile.body
        place = {"sha256": collector.keep_body(body), "bytes": len(body)}
        in_force = canonical(place)
        if store.get(layout.PROFILE_IN_FORCE) != in_force:
            records.append(record("profile", collector.stamp(), kind="profile", profile=place, source=collector.profile.source, **common))
        return records
