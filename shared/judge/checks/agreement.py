"""Whether what should agree does: the accounts of a subscription with each other, and two answers about the same account.

The provider approves modified abuse monitoring for a subscription, so all its accounts should show the same.
"""

from typing import Final

from shared.canonical import Json
from shared.judge.case import Case
from shared.judge.checks.monitoring import content_logging
from shared.judge.expectation import Expectation
from shared.judge.reading import Node, answered, count, identical, listed, names, verb
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown
from shared.model import Answer, Evidence, Judgement, Point

_KINDS: Final = ("openai", "aiservices")
_COMPARED: Final = (
    "capabilities", "encryption", "publicNetworkAccess", "networkAcls", "disableLocalAuth", "storedCompletionsDisabled",
    "restrictOutboundNetworkAccess", "abusePenalty", "userOwnedStorage", "endpoint",
)  # fmt: skip


def content_logging_agrees(evidence: Evidence, _expect: Expectation) -> list[Judgement]:
    """All accounts of the subscription that serve these models show storage for abuse monitoring off, or none does."""
    resource = evidence.resource
    answer = answered(evidence, "accounts")
    accounts = [node for node in listed(answer) if node.needed_text("kind").casefold() in _KINDS]
    if not accounts:
        return [
            not_applicable(resource, "The subscription has no accounts of kind OpenAI or AIServices.", Point(answer.record, 0, "/value"))
        ]
    off: list[Point] = []
    on: dict[str, Point] = {}
    unclear: dict[str, Point] = {}
    for account in accounts:
        name = account.needed_text("name")
        try:
            shows = content_logging(account.needed_child("properties"))
        except Unclear as doubt:
            unclear[name] = doubt.points[0] if doubt.points else account.point()
            continue
        if shows.state == "off":
            off.append(shows.point)
        else:
            on[name] = shows.point
    return [_agreement(resource, off, on, unclear)]


def _agreement(resource: str, off: list[Point], on: dict[str, Point], unclear: dict[str, Point]) -> Judgement:
    if off and on:
        total = len(off) + len(on) + len(unclear)
        some = f"{count(len(on), 'account')} of {total} {verb(len(on), 'does', 'do')} not show storage for abuse monitoring off"
        return not_satisfied(resource, f"{some} while others do: {names(on)}.", *on.values(), *off[:1])
    if unclear:
        reason = (
            f"What {count(len(unclear), 'account')} {verb(len(unclear), 'shows', 'show')} of storage for abuse monitoring cannot be told"
        )
        return unknown(resource, f"{reason}: {names(unclear)}.", *unclear.values())
    if off:
        number = count(len(off), "account")
        return satisfied(resource, f"Storage for abuse monitoring is shown as off by every account of the subscription ({number}).", *off)
    none = f"None of {count(len(on), 'account')} shows storage for abuse monitoring off"
    return not_applicable(resource, f"{none}: nothing here speaks of an approval for the subscription.", *on.values())


def deleted_accounts_purged(evidence: Evidence, _expect: Expectation) -> list[Judgement]:
    """No account is deleted without being gone: until it is purged it can be restored, with what it holds."""
    resource = evidence.resource
    answer = answered(evidence, "deletedAccounts")
    waiting = [node for node in listed(answer) if node.needed_text("kind").casefold() in _KINDS]
    if not waiting:
        return [satisfied(resource, "No account is deleted and waiting to be purged.", Point(answer.record, 0, "/value"))]
    named = names(node.needed_text("name") for node in waiting)
    reason = (
        f"{count(len(waiting), 'deleted account')} can still be restored, with what {verb(len(waiting), 'it holds', 'they hold')}: {named}."
    )
    return [not_satisfied(resource, reason, *(node.point() for node in waiting))]


def list_and_account_agree(case: Case) -> list[Judgement]:
    """The subscription's list of accounts and the account's own answer say the same of what is judged."""
    answer = answered(case.evidence.context, "accounts")
    properties = case.properties
    rows = _rows_of(answer).get(case.id, [])
    if len(rows) != 1:
        reason = f"The subscription's list of accounts holds this account {'not at all' if not rows else 'more than once'}."
        return [unknown(case.id, reason, Point(answer.record, 0, "/value"))]
    listed_properties = rows[0].needed_child("properties")
    differing = [name for name in ("location", "kind") if _folded(rows[0].value.get(name)) != _folded(case.account.value.get(name))]
    differing += [name for name in _COMPARED if _differs(listed_properties, properties, name)]
    points = (properties.point(), rows[0].point())
    if differing:
        return [not_satisfied(case.id, f"The list of accounts and the account itself disagree on {names(differing, 10)}.", *points)]
    return [satisfied(case.id, "The list of accounts and the account itself agree on everything judged here.", *points)]


def _differs(one: Node, other: Node, name: str) -> bool:
    return one.has(name) != other.has(name) or (one.has(name) and not identical(one.value[name], other.value[name]))


def _folded(value: Json) -> Json:
    return value.casefold() if isinstance(value, str) else value


_last: tuple[Answer, dict[str, list[Node]]] | None = None


def _rows_of(answer: Answer) -> dict[str, list[Node]]:
    """Rows by id. Every account of a subscription asks this of the same answer, so the last is kept."""
    global _last  # noqa: PLW0603 - a memo of a pure function; racing threads compute the same
    kept = _last
    if kept is None or kept[0] is not answer:
        rows: dict[str, list[Node]] = {}
        for node in listed(answer):
            id_ = node.value.get("id")
            if isinstance(id_, str):
                rows.setdefault(id_.lower(), []).append(node)
        kept = _last = (answer, rows)
    return kept[1]
