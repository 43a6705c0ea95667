"""What a period looks like: plain frozen values that the report, the command line and the exports read.

Times are those of the records (RFC 3339, UTC). Nothing here is evidence: every value is derived from records and bodies, and
names the record it comes from, so that whoever doubts it can look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.canonical import Json
from shared.model import Status

SlotState = Literal["complete", "failures", "missing-units", "not-closed", "gap"]
"""What became of a slot of the schedule; `gap`: no sweep at all."""

ProcessingScope = Literal["geography", "data-zone", "global", "unknown"]


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, included, to `end`, not included."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Which log this was read from, and at which size."""

    origin: str
    size: int
    vkey: str
    checkpoint: str | None = None
    """The signed checkpoint of that size, as text."""


@dataclass(frozen=True, slots=True)
class Reference:
    """A criterion of a framework that a control supports."""

    framework: str
    criterion: str
    why: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class StatementWords:
    """A statement of the provider, as the catalogue words it."""

    name: str
    text: str
    section: str = ""
    observed: tuple[str, ...] = ()
    """How it can be observed, in words."""
    exhibits: tuple[str, ...] = ()
    """What a person can add."""
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlWords:
    """A control, as the catalogue words it."""

    name: str
    title: str
    means: str = ""
    scope: str = ""
    severity: str = ""
    remediation: str = ""
    exhibit: str = ""
    collected: bool = True
    """False while this version does not collect the evidence."""
    statements: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    commands: tuple[str, ...] = ()
    """Templates in which NAME, GROUP, SUBSCRIPTION (and others) stand for parts of a resource's id."""


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue, as far as people read it."""

    version: str
    statements: tuple[StatementWords, ...]
    controls: Mapping[str, ControlWords]
    source: str = ""
    """Which edition of the provider's statements this is about: title, date, digest."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over the scope."""

    name: str
    number: int
    """Its place among the sweeps of the period, from 0, in the order of planning."""
    slot: str | None
    planned_at: str
    closed_at: str | None
    schedule: str | None
    cause: str
    narrowed: bool
    """Whether it was limited to some resources: it says nothing about the others."""
    units: int
    missing: tuple[str, ...]
    """Resources of the units that were planned and brought nothing."""
    failures: int
    complete: bool
    plan_record: int
    closed_record: int | None
    findings: Mapping[Status, int]
    changes: int
    plan_unread: bool = False
    """The list of planned units could not be loaded."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of the declared schedule."""

    time: str
    state: SlotState
    sweep: str | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time; `slots` of the schedule lie in it."""

    start: str
    end: str
    seconds: float
    slots: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of the period."""

    date: str
    expected: int
    swept: int
    """Slots of the day with a sweep."""
    complete: int
    besides: int
    """Sweeps outside the schedule."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the period was looked at."""

    declared: bool
    """Whether a schedule was declared: without one, no absence of a sweep can be shown."""
    schedules: tuple[str, ...]
    slots: tuple[Slot, ...]
    days: tuple[Day, ...]
    gaps: tuple[Stretch, ...]
    """Runs of slots without a sweep: from the first such slot to the next slot that has one, or the period's end."""
    longest: Stretch | None
    """The longest time between two sweeps that closed, the period's borders included."""
    besides: int
    """Sweeps outside the schedule."""

    def count(self, *states: SlotState) -> int:
        """How many slots are in one of these states."""
        return sum(slot.state in states for slot in self.slots)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The bytes that a finding points at."""

    record: int
    page: int
    pointer: str
    question: str
    digest: str | None
    """SHA-256 of the body; None where the point is in the record itself."""
    text: str
    cut: int = 0
    """Characters that were left out at the end of `text`."""
    absent: bool = False
    """There is no such member: `text` shows what there is in its place."""
    members: tuple[str, ...] = ()
    """Of an object that was cut: the names of all its members, since what matters may be that one is not there."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A finding of the sweep that the view shows in full."""

    control: str
    resource: str | None
    status: Status
    reason: str
    record: int
    catalogue: str
    profile: str | None
    excerpts: tuple[Excerpt, ...] = ()
    commands: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CountRun:
    """Consecutive sweeps in which a control came to the same counts."""

    first: int
    last: int
    counts: Mapping[Status, int]


@dataclass(frozen=True, slots=True)
class Headline:
    """A control in one glance."""

    control: str
    title: str
    statements: tuple[str, ...]
    references: tuple[Reference, ...]
    scope: str
    """What it is judged of: `account`, `deployment`, `subscription`, `sweep`, or the `provider`'s word."""
    counts: Mapping[Status, int]
    """In the sweep shown in full."""
    status: Status | None
    """The worst of them; None where the control was not judged."""
    worst: Finding | None
    runs: tuple[CountRun, ...]
    """Over the complete passes of the period."""


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive sweeps with one status."""

    status: Status
    first: int
    last: int
    """Numbers of the first and last sweep."""
    sweeps: int
    since: str
    until: str
    """When these two were planned."""


@dataclass(frozen=True, slots=True)
class History:
    """A control × resource over the period."""

    control: str
    resource: str | None
    runs: tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class ChangedField:
    """One place that changed."""

    pointer: str
    op: str
    was: str | None
    now: str | None


@dataclass(frozen=True, slots=True)
class Change:
    """A difference between two consecutive states of a resource."""

    record: int
    sweep: str
    resource: str | None
    kind: str
    since: str | None
    until: str | None
    before: int | None
    after: int | None
    fields: tuple[ChangedField, ...]


@dataclass(frozen=True, slots=True)
class FailureGroup:
    """Questions that failed in the same way."""

    kind: str
    reason: str
    status: int | None
    count: int
    in_last: int
    """Of these, in the sweep shown in full."""
    resources: tuple[str, ...]
    details: tuple[str, ...]
    first_at: str
    last_at: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """A deployment as the last sweep saw it."""

    resource: str
    name: str
    sku: str
    model: str
    version: str
    scope: ProcessingScope
    spillover: str | None
    spillover_scope: ProcessingScope | None
    status: Status | None
    """The worst finding about it."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the period's population."""

    resource: str
    name: str
    group: str
    subscription: str
    kind: str
    location: str
    geography: str | None
    zone: str | None
    """The data zone its region is in by the provider's latest definition; `none`; None where it is not known."""
    unread: str | None
    """Why the account itself could not be read in the last sweep; None where it was read."""
    deployments: tuple[Deployment, ...]
    deployments_unread: str | None
    first_at: str
    last_at: str
    """Planned times of the first and last sweep that had it in its population."""
    sweeps: int
    gone: bool
    """No longer in the population of the sweep shown in full."""


@dataclass(frozen=True, slots=True)
class StorageRun:
    """Sweeps over which the store said the same about what protects a blob just written."""

    policy: str
    until: str | None
    source: str
    first: int
    last: int
    record: int


@dataclass(frozen=True, slots=True)
class ProfileInForce:
    """Expectations that findings of the period were measured against."""

    sha256: str
    source: str
    record: int | None
    at: str | None
    values: Json = None
    """None where the profile's body could not be loaded."""


@dataclass(frozen=True, slots=True)
class PeriodView:
    """All that people look at, for one period."""

    period: Period
    log: LogIdentity
    words: Words
    sweeps: tuple[Sweep, ...]
    shown: Sweep | None
    """The sweep whose findings are shown in full: the last one that closed and was not narrowed to some resources."""
    coverage: Coverage
    accounts: tuple[Account, ...]
    other_accounts: int
    """Accounts in the same subscriptions of kinds that do not serve these models."""
    headlines: tuple[Headline, ...]
    findings: tuple[Finding, ...]
    histories: tuple[History, ...]
    changes: tuple[Change, ...]
    failures: tuple[FailureGroup, ...]
    storage: tuple[StorageRun, ...]
    profiles: tuple[ProfileInForce, ...]
    personal_data: str | None
    """The mode the store was made with: `commit` or `keep`."""
    other_records: Mapping[str, int] = field(default_factory=dict)
    """Records of the period that no part of this view describes, by type."""
    stray_records: int = 0
    """Records of sweeps whose plan was not among the records given."""
    records: int = 0
    """Records of the period that were read."""

    def headline(self, control: str) -> Headline | None:
        """The headline of `control`."""
        return next((headline for headline in self.headlines if headline.control == control), None)
