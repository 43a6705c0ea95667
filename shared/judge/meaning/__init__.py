"""What a change means: a sentence for the person who must act, how much it matters, and which statements of the provider it touches.

Pure, given a change record and what is expected of its resource. How much it matters comes from the control that judges the field (its
severity in the catalogue) and from the profile: what the profile expects nothing of is low at most, what got better is for information.
A field that no rule knows is a change of low severity, never nothing. Nothing of it is sealed: the change is, and this is read off it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.canonical import Json
from shared.judge.catalogue import catalogue
from shared.judge.expectation import ANY, BY_PATH, Expectation
from shared.judge.meaning import accounts, deployments, filters, rest
from shared.judge.meaning.rules import Direction, Rule, Seen, fits, plain, seen_fields
from shared.model import SEVERITIES, Severity

RULES: Final[tuple[Rule, ...]] = (*accounts.RULES, *deployments.RULES, *filters.RULES, *rest.RULES)
"""In this order: the first one that fits a field says what it means."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one difference means."""

    severity: Severity
    text: str
    """One sentence."""
    direction: Direction
    control: str | None
    """The control that judges it; None where none does."""
    statements: tuple[str, ...]
    pointer: str
    """The field of the change, as the record has it."""


def meanings(change: Mapping[str, Json], expect: Expectation) -> tuple[Meaning, ...]:
    """What a change record says, the most severe first; one for each of its fields that says something of its own.

    `expect`: what is expected of the change's resource.
    """
    found = [_meaning(seen, expect) for seen in seen_fields(change)]
    distinct = {(meaning.text, meaning.severity): meaning for meaning in found}
    return tuple(sorted(distinct.values(), key=lambda meaning: (SEVERITIES.index(meaning.severity), meaning.pointer)))


def worst(found: tuple[Meaning, ...]) -> Severity:
    """The severity of a change: that of the worst it means."""
    return found[0].severity if found else "low"


def _meaning(seen: Seen, expect: Expectation) -> Meaning:
    for rule in RULES:
        if rule.kind == seen.kind and fits(rule.path, seen.path):
            said = rule.says(seen, expect)
            if said is not None:
                return _told(rule, said.direction, said.text, said.severity, seen, expect)
    return Meaning("low", _on_one_line(plain(seen)), "neutral", None, (), seen.pointer)


def _told(rule: Rule, direction: Direction, text: str, own: Severity | None, seen: Seen, expect: Expectation) -> Meaning:
    control = _control(rule.control) if rule.control else None
    severity: Severity = own or (control[0] if control else "medium")
    if direction == "better":
        severity = "info"
    elif (direction == "neutral" and own is None) or (rule.key and _expects_nothing(rule.key, expect)):
        severity = "low"
    return Meaning(severity, _on_one_line(text), direction, rule.control, control[1] if control else (), seen.pointer)


def _on_one_line(text: str) -> str:
    """Without what steers a terminal or breaks a line: names come from Azure, and what is in them from anybody."""
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _expects_nothing(key: str, expect: Expectation) -> bool:
    value, known = expect.values[key], BY_PATH[key]
    nothing_due = value == () and known.may_be_empty and not known.or_any  # where `any` can be said, an empty list allows nothing
    return value in (ANY, "allowed") or nothing_due


def _control(name: str) -> tuple[Severity, tuple[str, ...]]:
    control = next(control for control in catalogue().controls if control.id == name)
    return control.severity, control.statements
