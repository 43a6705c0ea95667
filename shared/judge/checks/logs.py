"""What logs say, and whether they were read without a gap: the Activity Log of a subscription, the resource logs of an account."""

from collections import Counter
from collections.abc import Callable, Iterator

from shared.judge.assemble import Entry
from shared.judge.case import Case
from shared.judge.checks.holdings import why
from shared.judge.expectation import ANY, Expectation
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.kinds import letters
from shared.judge.lives.operations import LIST_KEYS, operations
from shared.judge.lives.rows import Row, rows, tables
from shared.judge.reading import answered, count, listed, names, shown
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown
from shared.model import Answer, Evidence, Judgement, Point

_ACTIVITY = ("activityLog", "activityLogInsights", "activityLogAuthorization")
_RESOURCE = ("resourceLogDeletions", "resourceLogOperations")
_MOST_POINTS = 20
_NOWHERE = "No diagnostic setting sends the account's logs to a workspace, and none was named, so there is no resource log to read."


# -- continuity -------------------------------------------------------------------------------------------------------------


def activity_log_continuous(evidence: Evidence, _expect: Expectation) -> list[Judgement]:
    """The subscription's Activity Log was read from where it was read before."""
    return [_continuous(evidence.resource, [answered(evidence, kind) for kind in _ACTIVITY], singular=True)]


def resource_logs_continuous(case: Case) -> list[Judgement]:
    """The account's resource logs were read from where they were read before, in every workspace that has them."""
    found = [answer for kind in _RESOURCE for answer in _of_workspaces(case, kind)]
    if not found:
        return [not_applicable(case.id, _NOWHERE, case.list_point("diagnosticSettings"))]
    for answer in found:
        if answer.failure is not None:
            raise Unclear(f"Not collected ({answer.kind}): {why(answer)}.", Point(answer.record))
    return [_continuous(case.id, found, singular=False)]


def _continuous(resource: str, answers: list[Answer], *, singular: bool) -> Judgement:
    what, was, is_, it = ("The Activity Log", "was", "is", "it was") if singular else ("The resource logs", "were", "are", "they were")
    points = [Point(answer.record) for answer in answers]
    reaches = {answer.reach for answer in answers}
    if None in reaches:
        return unknown(resource, f"{what} {was} read, and of which time is not shown.", *points)
    if "around" in reaches:
        return not_applicable(resource, f"{what} {was} read around an event alone: whether there is a gap is for sweeps of everything to say.", *points)
    words = sorted(reach.split(" ") for reach in reaches if reach is not None)
    gap = next((word for word in words if word[0] == "gap"), None)
    if gap is not None:
        reason = f"{what} {was} read up to {gap[1]} before and {is_} read from {gap[2]} now: what was logged in between was not looked at."
        return not_satisfied(resource, reason, *points)
    first = next((word for word in words if word[0] == "first"), None)
    if first is not None:
        return satisfied(resource, f"{what} {was} read for the first time, back to {first[1]}.", *points)
    return satisfied(resource, f"{what} {was} read from where {it} read before, without a gap.", *points)


# -- operations -------------------------------------------------------------------------------------------------------------


def stored_completions_in_logs(case: Case) -> list[Judgement]:
    """Resource logs show no operation on stored completions, unless the profile allows them."""
    return _operations(case, "storage.stored_completions", _on_stored_completions, "operations on stored completions",
                       "storing itself is part of ordinary calls and is not told by a log")  # fmt: skip


def _on_stored_completions(row: Row) -> str | None:
    name = letters(row.operation)
    if "storedcompletion" in name or ("chatcompletion" in name and "create" not in name):
        return row.operation
    return None


def preview_api_versions(case: Case) -> list[Judgement]:
    """Resource logs show no request with a preview version of an interface, unless the profile allows it."""
    return _operations(case, "preview.use", _preview_version, "requests with a preview version", "as far as logs name the version")


def _preview_version(row: Row) -> str | None:
    version = row.first("apiversion")
    return version if isinstance(version, str) and "preview" in version.casefold() else None


def _operations(case: Case, key: str, concerns: Callable[[Row], str | None], what: str, limit: str) -> list[Judgement]:
    answers = _of_workspaces(case, "resourceLogOperations")
    if not answers:
        return [unknown(case.id, _NOWHERE, case.list_point("diagnosticSettings"))]
    found: Counter[str] = Counter()
    points: list[Point] = []
    for answer in answers:
        if answer.failure is not None:
            raise Unclear(f"Not collected ({answer.kind}): {why(answer)}.", Point(answer.record))
        for row in _rows(answer):
            name = concerns(row)
            if name is not None:
                found[name] += _count(row)
                points.append(row.point)
    fact = f"Resource logs show {sum(found.values())} {what}" if found else f"Resource logs show no {what} ({limit})"
    said = f": {names(f'{shown(name)[1:-1]} ({number})' for name, number in found.items())}" if found else ""
    wanted = case.expect.word(key)
    where = points[:_MOST_POINTS] or [Point(answer.record) for answer in answers]
    if wanted in (ANY, "allowed"):
        return [not_applicable(case.id, f"{fact}{said}; the profile expects nothing here.", *where)]
    because = f"{case.expect.because(key)}: {wanted}"
    if found:
        return [not_satisfied(case.id, f"{fact}{said} ({because}).", *where)]
    return [satisfied(case.id, f"{fact} ({because}).", *where)]


def _count(row: Row) -> int:
    number = row.first("rows", "count")
    return int(number) if isinstance(number, int | float) or (isinstance(number, str) and number.isdigit()) else 1


# -- keys -------------------------------------------------------------------------------------------------------------------


def key_listings(evidence: Evidence, expect: Expectation) -> list[Judgement]:
    """Nobody had the keys of an account listed, unless the profile expects nothing here."""
    answer = answered(evidence, "activityLog")
    listed(answer)
    entry, shelf = _as_entry(answer)
    by_account: dict[str, list[tuple[str, Point]]] = {}
    for operation in operations([entry], shelf, frozenset({LIST_KEYS})):
        if operation.outcome != "failed":
            actor = "a person or program whose name is withheld" if isinstance(operation.by, dict) else str(operation.by or "somebody unknown")
            by_account.setdefault(operation.resource, []).append((actor, operation.told[-1].point))
    wanted = expect.word("access.key_listings")
    because = f"{expect.because('access.key_listings')}: {wanted}"
    if not by_account:
        reason = "The Activity Log tells of no listing of an account's keys"
        if wanted == ANY:
            return [not_applicable(evidence.resource, f"{reason}; the profile expects nothing here.", Point(answer.record))]
        return [satisfied(evidence.resource, f"{reason} ({because}).", Point(answer.record))]
    return [_listings(account, told, wanted, because) for account, told in sorted(by_account.items())]


def _listings(account: str, told: list[tuple[str, Point]], wanted: str, because: str) -> Judgement:
    people = Counter(actor for actor, _ in told)
    fact = f"The account's keys were listed {count(len(told), 'time')}, by {names(f'{actor} ({number})' for actor, number in people.items())}"
    points = [point for _, point in told][:_MOST_POINTS]
    if wanted == ANY:
        return not_applicable(account, f"{fact}; the profile expects nothing here.", *points)
    return not_satisfied(account, f"{fact} ({because}).", *points)


# -- reading ----------------------------------------------------------------------------------------------------------------


def _of_workspaces(case: Case, kind: str) -> list[Answer]:
    """The answers to a question that is asked of every workspace with the account's logs."""
    prefix = f"{case.id}/"
    return [answer for answer in case.evidence.of_kind(kind) if answer.resource == case.id or answer.resource.startswith(prefix)]


def _rows(answer: Answer) -> Iterator[Row]:
    if not answer.pages or any(tables(page) is None for page in answer.pages):
        raise Unclear(f"The answer to {answer.kind} is not what Log Analytics answers with.", Point(answer.record))
    entry, shelf = _as_entry(answer)
    return rows(entry, shelf.load)


def _as_entry(answer: Answer) -> tuple[Entry, Shelf]:
    """The answer as reconciliation reads it: its pages stand for themselves."""
    places = tuple(str(number) for number in range(len(answer.pages)))
    entry = Entry(answer.kind, answer.resource, answer.record, "", places, answer.failure, answer.status)
    return entry, Shelf(lambda place: answer.pages[int(place)])
