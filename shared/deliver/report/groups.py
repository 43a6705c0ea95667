"""Findings as they are read: by account, what needs a person first and in full, the rest folded away but all there."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from shared.deliver.report.text import status_word, within
from shared.deliver.view_model import Account, Finding, PeriodView
from shared.model import Status

OPEN: Final[tuple[Status, ...]] = ("not-satisfied", "unknown")
"""What needs a person: shown in full, save what this version does not collect at all."""
STATUS_ORDER: Final[tuple[Status, ...]] = ("not-satisfied", "unknown", "satisfied", "provider-attested", "not-applicable")


@dataclass(frozen=True, slots=True)
class QuietFinding:
    """A finding in a folded table; its commands are numbers into the group's list."""

    finding: Finding
    within: str
    commands: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class OpenFinding:
    """A finding in full."""

    finding: Finding
    within: str


@dataclass(frozen=True, slots=True)
class Fold:
    """Findings of one sort, folded away."""

    name: str
    status: Status
    findings: tuple[QuietFinding, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The findings about one account and what lies in it, about a subscription, or about the collection."""

    title: str
    sort: str
    resource: str
    account: Account | None
    counts: tuple[tuple[Status, int], ...]
    open: tuple[OpenFinding, ...]
    folds: tuple[Fold, ...]
    commands: tuple[str, ...]
    """That show the bytes of the folded findings again."""


def groups(view: PeriodView, leave_out: frozenset[int]) -> tuple[Group, ...]:
    """Every finding of the view but those whose records are in `leave_out`: the collection, subscriptions, then accounts."""
    accounts = {account.resource: account for account in view.accounts}
    by_owner: dict[str, list[Finding]] = {}
    for finding in view.findings:
        if finding.record not in leave_out:
            by_owner.setdefault(_owner(finding.resource, accounts), []).append(finding)
    order = {resource: position for position, resource in enumerate(accounts)}
    owners = sorted(by_owner, key=lambda owner: (bool(owner), owner in order, order.get(owner, 0), owner))
    pending = frozenset(name for name, control in view.words.controls.items() if not control.collected)
    return tuple(_group(owner, by_owner[owner], accounts.get(owner), pending) for owner in owners)


def _owner(resource: str | None, accounts: dict[str, Account]) -> str:
    """The account that a resource lies in, else the resource itself; empty for the collection."""
    if resource is None or resource in accounts:
        return resource or ""
    pieces = resource.split("/")
    account = "/".join(pieces[:9])
    return account if account in accounts else resource


def _group(owner: str, findings: Sequence[Finding], account: Account | None, pending: frozenset[str]) -> Group:
    counts = Counter(finding.status for finding in findings)
    open_ = [finding for finding in findings if _is_open(finding, pending)]
    shown = {finding.record for finding in open_}
    quiet = [finding for finding in findings if finding.record not in shown]
    commands = tuple(dict.fromkeys(command for finding in quiet for command in finding.commands))
    number = {command: position for position, command in enumerate(commands, start=1)}
    title, sort = (account.name, "account") if account else _named(owner)
    return Group(
        title=title,
        sort=sort,
        resource=owner,
        account=account,
        counts=tuple((status, counts[status]) for status in dict.fromkeys((*STATUS_ORDER, *counts)) if counts[status]),
        open=tuple(OpenFinding(finding, within(finding.resource, owner)) for finding in open_),
        folds=tuple(_folds(quiet, owner, number)),
        commands=commands,
    )


def _is_open(finding: Finding, pending: frozenset[str]) -> bool:
    """Whether it needs a person; a status that this version does not know does."""
    if finding.status in OPEN:
        return finding.status != "unknown" or finding.control not in pending
    return finding.status not in STATUS_ORDER


def _folds(quiet: Sequence[Finding], owner: str, number: dict[str, int]) -> Iterable[Fold]:
    for status in STATUS_ORDER:
        rows = tuple(
            QuietFinding(finding, within(finding.resource, owner), tuple(number[command] for command in finding.commands))
            for finding in quiet
            if finding.status == status
        )
        if rows:
            yield Fold("Not collected by this version" if status == "unknown" else status_word(status), status, rows)


def _named(owner: str) -> tuple[str, str]:
    if not owner:
        return "The collection itself", ""
    pieces = owner.strip("/").split("/")
    if len(pieces) == 2:
        return pieces[-1], "subscription"
    return pieces[-1], pieces[-2] if len(pieces) > 1 else ""
