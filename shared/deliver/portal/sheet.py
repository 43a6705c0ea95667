"""What holds now, and how it came to that: findings by control and by resource, on top of the report's page. Pure.

`now` are findings as `shared.service.queries.findings` gives them: of the last sweep, and of what events made the collector look at since.
The pictures and the bytes are those of the period's view.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from shared.canonical import Json
from shared.deliver.report.axis import axis
from shared.deliver.report.drift import ChangeRow
from shared.deliver.report.page import HistoryRow, Page
from shared.deliver.report.strips import WIDTH, Strip, history_strip, in_words, unsteady
from shared.deliver.report.text import status_word
from shared.deliver.view_deletion import Deletion
from shared.deliver.view_model import Account, Finding, Headline
from shared.deliver.view_population import rank, worst
from shared.deliver.view_words import ControlWords, StatementWords
from shared.model import Status


@dataclass(frozen=True, slots=True)
class Tally:
    """How a control, a resource or a statement stands."""

    counts: Mapping[Status, int]
    status: Status | None
    """The worst of them; None where nothing was judged."""
    waived: int


@dataclass(frozen=True, slots=True)
class Told:
    """A finding that holds now, with the bytes it points at where the view has them."""

    said: Json
    shown: Finding | None


@dataclass(frozen=True, slots=True)
class ControlSheet:
    """All about one control."""

    name: str
    words: ControlWords | None
    title: str
    statements: tuple[StatementWords, ...]
    tally: Tally
    strip: Strip | None
    told: tuple[Told, ...]
    """What needs a person first."""
    histories: tuple[HistoryRow, ...]
    """Of resources whose status did not stay."""
    evidenced: Json
    """What the period view says of it; None where nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something in the life of a resource."""

    at: str
    sort: str
    """A word for what it is: `change`, `deletion`, `finding`, `first seen`, `last seen`."""
    about: str
    lines: tuple[str, ...]
    records: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class ResourceSheet:
    """All about one account, subscription or what lies in them."""

    resource: str
    account: Account | None
    tally: Tally
    told: tuple[Told, ...]
    histories: tuple[HistoryRow, ...]
    changes: tuple[ChangeRow, ...]
    events: tuple[Event, ...]
    """The newest first."""
    rows: tuple[tuple[Json, Strip | None], ...]
    """Of the period view: how much of the time each control is evidenced; and how it stood."""


def tally(found: Iterable[Json]) -> Tally:
    """How these findings stand together."""
    counts, waived = Counter[Status](), 0
    for finding in found:
        counts[finding["status"]] += 1
        waived += finding["waived"] is not None
    return Tally(dict(counts), worst(counts), waived)


def by_control(now: Sequence[Json]) -> dict[str, Tally]:
    """How each control stands that was judged."""
    found: dict[str, list[Json]] = {}
    for finding in now:
        found.setdefault(finding["control"], []).append(finding)
    return {name: tally(each) for name, each in found.items()}


def by_owner(now: Sequence[Json], accounts: Iterable[Account]) -> dict[str, Tally]:
    """How each account stands, with what lies in it."""
    found: dict[str, list[Json]] = {account.resource: [] for account in accounts}
    for finding in now:
        account = "/".join((finding["resource"] or "").split("/")[:9])
        if account in found:
            found[account].append(finding)
    return {name: tally(each) for name, each in found.items()}


def statement_status(statement: StatementWords, tallies: Mapping[str, Tally]) -> Status | None:
    """The worst status of the controls that speak to a statement."""
    return worst(status for name in statement.controls if name in tallies and (status := tallies[name].status))


def control_sheet(name: str, page: Page, now: Sequence[Json], evidenced: Json) -> ControlSheet | None:
    """The sheet of a control; None where neither the catalogue nor a finding knows it."""
    headline = page.view.headline(name)
    if headline is None:
        return None
    words = page.view.words.controls.get(name)
    found = [finding for finding in now if finding["control"] == name]
    statements = tuple(each for each in page.view.words.statements if name in each.controls)
    return ControlSheet(
        name, words, headline.title, statements, tally(found), _strip_of(headline, page), _told(found, page),
        _histories(page, lambda control, _: control == name), next((one for one in evidenced["controls"] if one["control"] == name), None),
    )  # fmt: skip


def resource_sheet(resource: str, page: Page, now: Sequence[Json], evidenced: Json) -> ResourceSheet | None:
    """The sheet of a resource, and of what lies in it; None where nothing in the period is about it."""

    def within(other: str | None) -> bool:
        return other is not None and (other == resource or other.startswith(resource + "/"))

    view = page.view
    account = next((each for each in view.accounts if each.resource == resource), None)
    found = [finding for finding in now if within(finding["resource"])]
    changes = tuple(row for row in page.changes if within(row.change.resource))
    deletions = [one for one in view.deletions if within(one.resource) or one.account == resource]
    along = axis(view.period, left=0.0, width=WIDTH)
    strips = {(each.control, each.resource): history_strip(each, view, along) for each in view.histories if within(each.resource)}
    rows = tuple((row, strips.get((row["control"], row["resource"]))) for row in evidenced["rows"] if within(row["resource"]))
    if not (account or found or changes or deletions or rows):
        return None
    histories = _histories(page, lambda _, other: within(other))
    events = [*map(_of_change, changes), *map(_of_deletion, deletions), *_of_histories(histories), *_of_presence(account)]
    newest = tuple(sorted(events, key=lambda event: (event.at, event.records), reverse=True))
    return ResourceSheet(resource, account, tally(found), _told(found, page), histories, changes, newest, rows)


def _told(found: Iterable[Json], page: Page) -> tuple[Told, ...]:
    shown = {finding.record: finding for finding in page.view.findings}
    ordered = sorted(found, key=lambda each: (rank(each["status"]), each["waived"] is not None, each["control"], each["resource"] or ""))
    return tuple(Told(each, shown.get(each["record"])) for each in ordered)


def _strip_of(headline: Headline, page: Page) -> Strip | None:
    rows = [*page.own, *(row for theme in page.themes for statement in theme.statements for row, _ in statement.controls)]
    return next((row.strip for row in rows if row.headline.control == headline.control), None)


def _histories(page: Page, wanted: Callable[[str, str | None], bool]) -> tuple[HistoryRow, ...]:
    along = axis(page.view.period, left=0.0, width=WIDTH)
    return tuple(
        HistoryRow(each, page.titles.get(each.control, each.control), history_strip(each, page.view, along), in_words(each))
        for each in page.view.histories
        if wanted(each.control, each.resource) and unsteady(each)
    )


def _of_change(row: ChangeRow) -> Event:
    change = row.change
    lines = [text for _, text in change.means] or [f"{field.pointer or 'whole'}: {field.op}" for field in change.fields[:6]]
    if change.who:
        lines.append(f"Who: {change.who}")
    name = (change.resource or "").rpartition("/")[2]
    return Event(change.until or "", "change", f"{name} {row.sort}", tuple(lines), (change.record, *(each.record for each in row.also)))


def _of_deletion(one: Deletion) -> Event:
    return Event(one.before, "deletion", f"{one.kind} {(one.id or '').rpartition('/')[2] or 'of unknown name'}: {one.status}", (one.reason,), (one.record,))


def _of_histories(histories: Iterable[HistoryRow]) -> Iterable[Event]:
    for row in histories:
        before: Status | None = None
        for run in row.history.runs:
            if before is not None:
                yield Event(run.since, "finding", row.title, (f"{status_word(before)} before, {status_word(run.status).lower()} from then on",), ())
            before = run.status


def _of_presence(account: Account | None) -> Iterable[Event]:
    if account is not None:
        yield Event(account.first_at, "first seen", account.name, (f"First of {account.sweeps} sweeps of the period that had it in their plan.",), ())
        if account.gone:
            yield Event(account.last_at, "last seen", account.name, ("The last sweep of the period that had it in its plan.",), ())
