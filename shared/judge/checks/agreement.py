"""Whether the accounts of a subscription agree with each other.

The provider approves modified abuse monitoring for a subscription, so all its accounts should show the same.
"""

from typing import Final

from shared.judge.checks.monitoring import content_logging
from shared.judge.expectation import Expectation
from shared.judge.reading import answered, count, listed, names, verb
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown
from shared.model import Evidence, Judgement, Point

_KINDS: Final = ("openai", "aiservices")

Shown = tuple[str, Point]
"""The name of an account, and where it shows what is said of it."""


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
    on: list[Shown] = []
    unclear: list[Shown] = []
    for account in accounts:
        name = account.needed_text("name")  # not unique: another group of the subscription may have the same
        try:
            shows = content_logging(account.needed_child("properties"))
        except Unclear as doubt:
            unclear.append((name, doubt.points[0] if doubt.points else account.point()))
            continue
        if shows.state == "off":
            off.append(shows.point)
        else:
            on.append((name, shows.point))
    return [_agreement(resource, off, on, unclear)]


def _agreement(resource: str, off: list[Point], on: list[Shown], unclear: list[Shown]) -> Judgement:
    if off and on:
        total = len(off) + len(on) + len(unclear)
        some = f"{count(len(on), 'account')} of {total} {verb(len(on), 'does', 'do')} not show storage for abuse monitoring off"
        return not_satisfied(resource, f"{some} while others do: {_named(on)}.", *_places(on), *off[:1])
    if unclear:
        reason = (
            f"What {count(len(unclear), 'account')} {verb(len(unclear), 'shows', 'show')} of storage for abuse monitoring cannot be told"
        )
        return unknown(resource, f"{reason}: {_named(unclear)}.", *_places(unclear))
    if off:
        number = count(len(off), "account")
        return satisfied(resource, f"Storage for abuse monitoring is shown as off by every account of the subscription ({number}).", *off)
    none = f"None of {count(len(on), 'account')} shows storage for abuse monitoring off"
    return not_applicable(resource, f"{none}: nothing here speaks of an approval for the subscription.", *_places(on))


def _named(accounts: list[Shown]) -> str:
    return names(name for name, _ in accounts)


def _places(accounts: list[Shown]) -> list[Point]:
    return [point for _, point in accounts]


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
