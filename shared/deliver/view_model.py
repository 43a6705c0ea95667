"""What a period looks like: plain frozen values that the report, the command line and the exports read.

Times are those of the records (RFC 3339, UTC). Nothing here is evidence: every value is derived from records and bodies, and
names the record it comes from, so that whoever doubts it can look.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from shared.canonical import Json
from shared.deliver.view_accepted import Accepted
from shared.deliver.view_deletion import Deletion, Descent
from shared.deliver.view_sweeps import Coverage, Period, Sweep
from shared.deliver.view_words import Reference, Words
from shared.judge.waivers import Waiver
from shared.model import Status

ProcessingScope = Literal["geography", "data-zone", "global", "unknown"]


@dataclass(frozen=True, slots=True)
class LogIdentity:
    """Which log this was read from, and at which size."""

    origin: str
    size: int
    vkey: str
    checkpoint: str | None = None
    """The signed checkpoint of that size, as text."""


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
    waived: Waiver | None = None
    """What waived it when it was made."""


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
    means: tuple[tuple[str, str], ...] = ()
    """(severity, sentence), the most severe first, by the profile that was in force last."""
    who: str | None = None
    """Who made it, by the last attribution of it, or why that is not known; None where no record says either."""
    attribution: int | None = None
    """That record."""


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
    deletions: tuple[Deletion, ...] = ()
    descents: tuple[Descent, ...] = ()
    """Fine-tuned models and what they come from, in the sweep shown in full."""
    accepted: tuple[Accepted, ...] = ()
    other_records: Mapping[str, int] = field(default_factory=dict)
    """Records of the period that no part of this view describes, by type."""
    stray_records: int = 0
    """Records of sweeps whose plan was not among the records given."""
    records: int = 0
    """Records of the period that were read."""

    def headline(self, control: str) -> Headline | None:
        """The headline of `control`."""
        return next((headline for headline in self.headlines if headline.control == control), None)
