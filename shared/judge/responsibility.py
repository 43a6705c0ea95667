"""Who must show that a statement of the provider holds: the provider, the customer, or both, each a share. Pure.

The customer has a share where a control looks at something of the customer's own; the provider has one where a control of scope
`provider` waits for its word, or where the catalogue names an exhibit of it. A statement that nobody has to show would be one that is
passed over: there is none, or the catalogue is wrong.
"""

from dataclasses import dataclass
from typing import Final, Literal

from shared.judge.catalogue import Catalogue, Control, Statement

Who = Literal["provider", "customer", "both"]
WHO: Final[tuple[Who, ...]] = ("provider", "customer", "both")


@dataclass(frozen=True, slots=True)
class Responsibility:
    """One row of the matrix."""

    statement: Statement
    who: Who
    customer: tuple[Control, ...]
    """The controls that look at the customer's share; empty where it has none."""
    provider: tuple[Control, ...]
    """The controls that wait for the provider's word; empty too where no control does, and `exhibits` still names what would show it."""
    exhibits: tuple[str, ...]
    """What shows the provider's share; empty where it has none."""


def matrix(catalogue: Catalogue) -> tuple[Responsibility, ...]:
    """A row for each statement, in order.

    Raises:
        ValueError: the catalogue has a statement that nobody would have to show.
    """
    return tuple(_row(statement, catalogue) for statement in catalogue.statements)


def _row(statement: Statement, catalogue: Catalogue) -> Responsibility:
    controls = [catalogue.control(id_) for id_ in statement.controls]
    customer = tuple(control for control in controls if control.scope != "provider")
    provider = tuple(control for control in controls if control.scope == "provider")
    wanted = [*(control.exhibit for control in provider), statement.provider_exhibit]
    exhibits = tuple(dict.fromkeys(exhibit for exhibit in wanted if exhibit))
    if not customer and not exhibits:
        raise ValueError(f"{statement.id}: neither a control nor an exhibit, so nobody would have to show it")
    who: Who = "both" if customer and exhibits else "customer" if customer else "provider"
    return Responsibility(statement, who, customer, provider, exhibits)
