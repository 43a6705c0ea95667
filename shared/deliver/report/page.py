"""Everything the template needs, worked out beforehand: the template decides nothing but how it looks."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared.deliver.report.axis import Axis, Span, axis
from shared.deliver.report.calendar import Calendar, calendar
from shared.deliver.report.descent import Picture, picture
from shared.deliver.report.drift import ChangeRow
from shared.deliver.report.drift import rows as change_rows
from shared.deliver.report.groups import Group, groups
from shared.deliver.report.residency import Residency, residency
from shared.deliver.report.strips import WIDTH, Strip, control_strip, history_strip, in_words, unsteady
from shared.deliver.report.timeline import Timeline, timeline
from shared.deliver.view_model import Finding, Headline, History, PeriodView
from shared.deliver.view_population import worst
from shared.deliver.view_words import ControlWords, StatementWords
from shared.model import Status


@dataclass(frozen=True, slots=True)
class ControlRow:
    """A control under a statement."""

    headline: Headline
    words: ControlWords | None
    strip: Strip
    example: Finding | None
    """A finding that is unknown."""


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement with what answers it."""

    words: StatementWords
    status: Status | None
    """The worst of its controls."""
    controls: tuple[tuple[ControlRow, str | None], ...]
    """With the statement under which a control was shown in full before; None where this is the place."""


@dataclass(frozen=True, slots=True)
class Theme:
    """Statements of one section of the provider's page."""

    name: str
    statements: tuple[StatementRow, ...]


@dataclass(frozen=True, slots=True)
class HistoryRow:
    """A control × resource whose status did not stay."""

    history: History
    title: str
    strip: Strip
    said: str


@dataclass(frozen=True, slots=True)
class Attested:
    """A statement that only the provider can speak for."""

    finding: Finding
    words: ControlWords | None
    statements: tuple[StatementWords, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The report, before it is HTML."""

    view: PeriodView
    written_at: str | None
    gaps: tuple[Span, ...]
    """Stretches without a sweep, on the axis of the strips."""
    titles: Mapping[str, str]
    """Of controls, by name."""
    statements_of: Mapping[str, tuple[str, ...]]
    judged: int
    """Controls with a finding."""
    present: int
    """Accounts in the population of the sweep shown in full."""
    departed: int
    failures: int
    themes: tuple[Theme, ...]
    own: tuple[ControlRow, ...]
    """Controls of the collection itself: they serve no statement."""
    by_status: Counter[Status | None]
    """Controls by their worst status."""
    urgent: tuple[ControlRow, ...]
    """Controls that are not satisfied, the gravest first."""
    calendar: Calendar
    residency: Residency
    changes: tuple[ChangeRow, ...]
    timeline: Timeline
    descent: Picture
    unsteady: tuple[HistoryRow, ...]
    steady: int
    interrupted: int
    """Of the steady ones: not judged in some complete pass in between."""
    groups: tuple[Group, ...]
    attested: tuple[Attested, ...]
    unknown: tuple[ControlRow, ...]
    """Controls that could not be judged somewhere."""


def page(view: PeriodView, written_at: str | None) -> Page:
    """Work out the page of `view`."""
    along = axis(view.period, left=0.0, width=WIDTH)
    rows = {row.headline.control: row for row in _controls(view, along)}
    attested = [finding for finding in view.findings if finding.status == "provider-attested" and finding.resource is None]
    changes = change_rows(view)
    histories = [history for history in view.histories if unsteady(history)]
    return Page(
        view=view,
        written_at=written_at,
        gaps=along.gaps(view.coverage.gaps),
        titles={each.control: each.title for each in view.headlines},
        statements_of={each.control: each.statements for each in view.headlines},
        judged=sum(headline.status is not None for headline in view.headlines),
        present=sum(not account.gone for account in view.accounts),
        departed=sum(account.gone for account in view.accounts),
        failures=sum(group.count for group in view.failures),
        themes=_themes(view, rows),
        own=tuple(row for row in rows.values() if not row.headline.statements),
        by_status=Counter(row.headline.status for row in rows.values()),
        urgent=tuple(sorted((row for row in rows.values() if row.headline.status == "not-satisfied"), key=_gravity)),
        calendar=calendar(view.coverage),
        residency=residency(view),
        changes=changes,
        timeline=timeline(changes, view.period),
        descent=picture(view.descents),
        unsteady=tuple(_history(history, view, along) for history in histories),
        steady=len(view.histories) - len(histories),
        interrupted=sum(len(each.runs) > 1 for each in view.histories) - len(histories),
        groups=groups(view, frozenset(finding.record for finding in attested)),
        attested=tuple(sorted((_attested(finding, view) for finding in attested), key=lambda each: [row.name for row in each.statements])),
        unknown=tuple(row for row in rows.values() if row.headline.counts.get("unknown")),
    )


def _controls(view: PeriodView, along: Axis) -> Iterator[ControlRow]:
    unknown: dict[str, Finding] = {}
    for finding in view.findings:
        if finding.status == "unknown":
            unknown.setdefault(finding.control, finding)
    for each in view.headlines:
        yield ControlRow(each, view.words.controls.get(each.control), control_strip(each, view, along), unknown.get(each.control))


def _gravity(row: ControlRow) -> tuple[int, int, str]:
    severity = row.words.severity if row.words else ""
    rank = ("high", "medium", "low").index(severity) if severity in ("high", "medium", "low") else 3
    return rank, -row.headline.counts.get("not-satisfied", 0), row.headline.control


def _themes(view: PeriodView, rows: dict[str, ControlRow]) -> tuple[Theme, ...]:
    """Statements by the section that they come from, in the order of the provider's page."""
    found: dict[str, list[StatementRow]] = {}
    before: dict[str, str] = {}
    for statement in view.words.statements:
        named = [rows[name] for name in statement.controls if name in rows]
        status = worst(row.headline.status for row in named if row.headline.status)
        controls = tuple((row, before.get(row.headline.control)) for row in named)
        before = {**dict.fromkeys(statement.controls, statement.name), **before}
        found.setdefault(theme_of(statement.section), []).append(StatementRow(statement, status, controls))
    return tuple(Theme(name, tuple(statements)) for name, statements in found.items())


def theme_of(section: str) -> str:
    """The section of the provider's page under which a statement is listed: the first it comes from."""
    return section.partition(";")[0].removesuffix("(note)").strip() or "Statements"


def _history(history: History, view: PeriodView, along: Axis) -> HistoryRow:
    words = view.words.controls.get(history.control)
    return HistoryRow(history, words.title if words else history.control, history_strip(history, view, along), in_words(history))


def _attested(finding: Finding, view: PeriodView) -> Attested:
    words = view.words.controls.get(finding.control)
    named = frozenset(words.statements if words else ())
    return Attested(finding, words, tuple(each for each in view.words.statements if each.name in named))
