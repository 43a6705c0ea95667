"""What questions are asked of: a store opened for reading, a period, a filter; and two of them, findings and changes. Read-only; ranges of the log, never all of it."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from datetime import UTC, date, datetime, timedelta

from shared import layout
from shared.canonical import Json
from shared.deliver import rejudge
from shared.errors import EvidenceError, Misuse
from shared.judge.attribution import said_of
from shared.judge.catalogue import catalogue
from shared.judge.meaning import meanings, worst
from shared.judge.profile import DEFAULT, Profile, effective, from_canonical
from shared.judge.waivers import Waiver, waiver_of, waivers_of
from shared.records import timestamp, whole
from shared.seal.log import Log
from shared.seal.store import Store, get_body
from shared.service import state
from shared.service.acts import acts, records_of
from shared.service.compose import Clock, read_log, utc_now
from shared.service.current import collected_since, last_sweep
from shared.service.waived import waived_then
from shared.settings import Settings


@dataclass(frozen=True, slots=True)
class Period:
    """From (inclusive) to (exclusive), UTC."""

    start: datetime
    end: datetime

    def holds(self, at: str) -> bool:
        """Whether a record's time lies in the period."""
        return timestamp(self.start) <= at < timestamp(self.end)


def period(start: str | None, end: str | None, now: datetime) -> Period:
    """The period between two dates or times; a date as its end means the whole of that day. Without a start: everything.

    Raises:
        Misuse: one is no date, or the period ends before it begins.
    """
    first = instant(start, "--from") if start else datetime(1970, 1, 1, tzinfo=UTC)
    last = instant(end, "--to", _length(end)) if end else now + timedelta(days=1)
    if last <= first:
        raise Misuse(f"the period ends ({end or 'today'}) before it begins ({start}): exchange --from and --to")
    return Period(first, last)


def instant(text: str, option: str, later: timedelta = timedelta(0)) -> datetime:
    """The moment that a person wrote for `option`."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        raise Misuse(f"{option} {text!r} is not a date: write 2026-11-01, or 2026-11-01T12:00:00Z") from None
    try:
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC) + later
    except OverflowError:  # `--to 9999-12-31` is how some say "all"
        return datetime.max.replace(tzinfo=UTC) if found.year > 1 else datetime.min.replace(tzinfo=UTC)


def _length(end: str) -> timedelta:
    """A day that is named as an end is meant whole, a moment is not."""
    try:
        date.fromisoformat(end.strip())
    except ValueError:
        return timedelta(0)
    return timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reading:
    """A store opened for reading."""

    store: Store
    log: Log
    facts: Json
    sweeps: list[Json]

    def body(self, digest: str) -> Json:
        """A parsed body.

        Raises:
            StoreConflict: it is not there, or not what was sealed.
        """
        return json.loads(get_body(self.store, digest))

    def records(self, sweeps: Iterable[Json], types: frozenset[str]) -> Iterator[tuple[int, Json]]:
        """(index, record) of these types in the ranges of these sweeps."""
        names = {sweep["sweep"] for sweep in sweeps}
        seen = -1
        for sweep in sweeps:
            for index, record in self.log.records(max(sweep["first"], seen + 1), sweep["end"]):
                if record["type"] in types and record["sweep"] in names:
                    yield index, whole(record, self.body)
            seen = max(seen, sweep["end"] - 1)

    def holds(self, resource: str) -> bool:  # noqa: ARG002 - a limited view needs it
        """Whether all that is sealed of a resource (empty: of the collection itself) is here: a limited view has less of what lies above its own."""
        return True

    def log_afresh(self) -> Log:
        """The log for one reader alone, which keeps the place where it reads."""
        return Log(self.store, self.log.size)

    def within(self, when: Period) -> list[Json]:
        """The closed sweeps that were planned in the period."""
        return [sweep for sweep in self.sweeps if when.holds(sweep["planned_at"])]


def reading(settings: Settings) -> Reading:
    """Open the store that the settings name.

    Raises:
        Misuse: no store there.
    """
    store, log, facts = read_log(settings)
    return Reading(store, log, facts, state.summaries(store, log))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which findings, changes or resources are asked for; None and empty mean all."""

    resource: str | None = None
    control: str | None = None
    status: tuple[str, ...] = ()
    framework: str | None = None

    def passes(self, record: Json) -> bool:
        """Whether a finding or change is one of them."""
        about = record.get("resource") or ""
        if self.resource and not (
            about == self.resource.lower() or about.startswith(self.resource.lower() + "/") or about.endswith("/" + self.resource.lower())
        ):
            return False
        if self.control and record.get("control") != self.control:
            return False
        if self.status and record.get("status") not in self.status:
            return False
        return not self.framework or bool(catalogue().control(record["control"]).references(self.framework))


def findings(read: Reading, when: Period | None, wanted: Filter, now: Clock = utc_now) -> Iterator[Json]:
    """The findings that hold now, or those of every sweep in a period, with their indexes.

    `waived` says what waives one that is not satisfied: now, or, in a period, when it was found. The status is what the evidence says.
    """
    waivers, at = waivers_in(read.store), timestamp(now())
    records = records_of(read.store, "waiver", {one.number for one in waivers}) if waivers else {}
    then = waived_then(read) if when else None
    for index, record in read.records(read.within(when), frozenset({"finding"})) if when else findings_now(read):
        if wanted.passes(record):
            by = then.of(index, record) if then is not None else waiver_of(waivers, record, at)
            waived = {"waiver": by.number, "record": records.get(by.number), "until": by.until, "owner": by.owner, "reason": by.reason} if by else None
            yield {"record": index, **record, "waived": waived}


def waivers_in(store: Store) -> list[Waiver]:
    """Every waiver there ever was, sealed or about to be.

    Raises:
        StoreConflict: what is at the path of one is none.
    """
    return waivers_of((act.number, act.at, act.said) for act in acts(store, "waiver"))


def findings_now(read: Reading) -> Iterator[tuple[int, Json]]:
    """The findings of the last sweep; of accounts that were collected since because of an event, the newest."""
    finding, since = frozenset({"finding"}), collected_since(read.sweeps)
    last = last_sweep(read.sweeps)
    yield from (pair for pair in read.records([last] if last else [], finding) if pair[1]["unit"] not in since)
    for unit, sweep in sorted(since.items(), key=lambda pair: int(pair[1]["first"])):
        yield from (pair for pair in read.records([sweep], finding) if pair[1]["unit"] == unit)


def changes(read: Reading, when: Period | None, wanted: Filter, severities: tuple[str, ...] = ()) -> Iterator[Json]:
    """The changes in a period (default: all there are), with their indexes, what they mean by the profile that is in force now, and who made them.

    `attribution`: the last record about who it was, with its index; null where there is none.
    """
    profile = profile_in_force(read)
    found: list[Json] = []
    who: dict[tuple[Json, ...], Json] = {}
    names = {sweep["sweep"] for sweep in (read.within(when) if when else read.sweeps)}
    later = replace(when, end=_later(when.end)) if when else None
    for index, record in read.records(read.within(later) if later else read.sweeps, frozenset({"change", "attribution"})):
        if record["type"] == "attribution":
            who[rejudge.change_key(record)] = {"record": index, **record}
        elif record["sweep"] in names and wanted.passes(record):
            means = meanings(record, effective(profile, record["resource"]))
            if not severities or worst(means) in severities:
                found.append({"record": index, **record, "severity": worst(means), "means": [asdict(meaning) for meaning in means]})
    for change in found:
        told = who.get(rejudge.change_key(change))
        yield {**change, "attribution": {**told, "says": rejudge.who(told, change)} if told else None}


def who_made(change: Json, meaning: Json) -> str:
    """Who made that part of a change which means this, or why that is not known."""
    return said_of(change["attribution"], meaning["pointer"]) if change["attribution"] else "–"


def _later(end: datetime) -> datetime:
    """Until when a sweep may say more of who made a change: the Activity Log is minutes late, and is read again in the next sweep."""
    try:
        return end + timedelta(days=2)
    except OverflowError:
        return end


def profile_in_force(read: Reading) -> Profile:
    """The profile that was sealed last; the defaults where none can be read."""
    try:
        place = json.loads(read.store.get(layout.PROFILE_IN_FORCE) or b"null")
        return from_canonical(read.body(place["sha256"]))
    except (EvidenceError, ValueError, TypeError, KeyError):
        return DEFAULT


def last_plan(read: Reading) -> Json:
    """The plan of the last closed sweep that no event caused, null where there is none."""
    last = last_sweep(read.sweeps)
    return plan_of(read, last) if last else None


def plan_of(read: Reading, sweep: Json) -> Json:
    """The plan of a closed sweep, out of `read.sweeps`."""
    place = sweep["plan_record"]
    return whole(next(read.log.records(place, place + 1))[1], read.body)
