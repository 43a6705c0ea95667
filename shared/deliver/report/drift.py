"""Changes as rows of a table: what two answers say of the same thing at the same time is one row."""

from dataclasses import dataclass

from shared.deliver.view_model import Account, Change, PeriodView
from shared.deliver.view_tables import lies_in


@dataclass(frozen=True, slots=True)
class ChangeRow:
    """One change, from one or more answers: an account shows in the list of accounts and in an answer of its own."""

    change: Change
    also: tuple[Change, ...]
    owner: str
    """The account or subscription that it belongs to: its lane."""
    sort: str
    """`appeared`, `gone` or `changed`."""


def rows(view: PeriodView) -> tuple[ChangeRow, ...]:
    """The changes of `view`, in the order in which they were seen."""
    found: dict[tuple[object, ...], list[Change]] = {}
    for change in view.changes:
        found.setdefault((change.sweep, change.resource, change.fields), []).append(change)
    return tuple(ChangeRow(first, tuple(also), owner(first.resource, view.accounts), sort_of(first)) for first, *also in found.values())


def owner(resource: str | None, accounts: tuple[Account, ...]) -> str:
    """The account that a resource belongs to, by name; else what the resource is called."""
    if resource is None:
        return "the collection"
    pieces = resource.split("/")
    if "accounts" in pieces[:-1]:
        return pieces[pieces.index("accounts") + 1]
    return next((account.name for account in accounts if lies_in(resource, account.resource)), pieces[-1])


def sort_of(change: Change) -> str:
    """What sort of change it is. A member of a list that came or went is one change of the whole member."""
    whole = {field.op for field in change.fields if not field.pointer}
    if change.before is None or whole == {"added"}:
        return "appeared"
    return "gone" if change.after is None or whole == {"removed"} else "changed"
