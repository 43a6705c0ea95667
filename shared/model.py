"""The values that flow from collect to seal, judge and deliver. Plain data: no I/O, no clock.

Words are those of docs/format.md. A *question* is one row of the endpoint table asked about one resource; an *answer* is
what it came to within one sweep: either pages of bytes, or a failure with its reason. "Could not look" is a value.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.canonical import Json

Status = Literal["satisfied", "not-satisfied", "not-applicable", "unknown", "provider-attested"]
STATUSES: tuple[Status, ...] = ("satisfied", "not-satisfied", "not-applicable", "unknown", "provider-attested")

Severity = Literal["high", "medium", "low", "info"]
SEVERITIES: tuple[Severity, ...] = ("high", "medium", "low", "info")
"""How much a change matters, the most severe first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What one question came to in one sweep, as the judge sees it."""

    kind: str
    """The question: a row of the endpoint table, such as `account` or `deployments`."""
    resource: str
    """Lower-cased ARM id that the question was about (of a list: the resource the list belongs to)."""
    record: int
    """Index in the log of the observation or failure."""
    pages: Sequence[Json] = ()
    """The parsed bodies, one per page; empty for a failure."""
    failure: str | None = None
    """Why there is no answer: `forbidden`, `not-found`, `throttled`, … (docs/format.md); None for an observation."""
    status: int | None = None
    """HTTP status of the final answer, None where none came."""
    detail: str | None = None
    """Of a failure: Azure's error code, or a word of the collector's."""
    reach: str | None = None
    """Of a log: `on` where it follows the answer before without a gap, `first FROM` where there was none, else `gap TO FROM`;
    `around` of a narrow one, because of an event."""

    @property
    def body(self) -> Json:
        """The first page: all there is of an answer that is not a list. None for a failure."""
        return self.pages[0] if self.pages else None

    def items(self) -> Iterator[tuple[int, str, Json]]:
        """The members of a list of Resource Manager over all pages: (page number, JSON Pointer within that page, value).

        A page whose `value` is not a list gives nothing: `well_formed_list` says so.
        """
        for number, page in enumerate(self.pages):
            values = page.get("value") if isinstance(page, dict) else None
            if isinstance(values, list):
                for position, value in enumerate(values):
                    yield number, f"/value/{position}", value

    @property
    def well_formed_list(self) -> bool:
        """Whether every page is an object with a `value` list of objects, as ARM lists are."""
        return bool(self.pages) and all(
            isinstance(page, dict) and isinstance(page.get("value"), list) and all(isinstance(value, dict) for value in page["value"])
            for page in self.pages
        )


@dataclass(frozen=True, slots=True)
class Point:
    """A place in the bytes: which record, which page of it, and the JSON Pointer (RFC 6901) within that page."""

    record: int
    page: int = 0
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a check concludes about one resource, before it becomes a finding record."""

    resource: str | None
    status: Status
    reason: str
    """One sentence, in the words of the person who must act."""
    points: tuple[Point, ...] = ()
    """The bytes the conclusion rests on. Never empty for `satisfied` and `not-satisfied`."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that one sweep brought for one unit of work (one account, or one subscription)."""

    resource: str
    """Lower-cased ARM id of the account or subscription."""
    answers: Mapping[tuple[str, str], Answer] = field(default_factory=dict)
    """By (kind, lower-cased resource). A question that was not asked has no entry."""
    context: "Evidence | None" = None
    """For an account: the evidence of its subscription (locations, the list of accounts), from the same sweep."""
    deletions: tuple[Json, ...] = ()
    """What reconciliation says of this unit in this sweep: the fields of its `deletion` records that follow from the records they name."""
    at: str | None = None
    """When the sweep was planned: for the age of things."""

    def answer(self, kind: str, resource: str | None = None) -> Answer | None:
        """The answer to `kind` about `resource` (default: the unit's own resource); None where it was not asked."""
        return self.answers.get((kind, self.resource if resource is None else resource.lower()))

    def of_kind(self, kind: str) -> list[Answer]:
        """Every answer to `kind`, whatever the resource (of projects, for instance), in order of resource."""
        return [self.answers[key] for key in sorted(self.answers) if key[0] == kind]
