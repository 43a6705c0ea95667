"""The catalogue as people read it: statements, controls, the criteria they support. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from shared.judge.catalogue import FRAMEWORKS, OBSERVABLE, Catalogue, Control, Statement

FRAMEWORK_NAMES: Final = {"soc2": "SOC 2", "gdpr": "GDPR", "iso27001": "ISO 27001"}


@dataclass(frozen=True, slots=True)
class Reference:
    """A criterion of a framework that a control supports."""

    framework: str
    criterion: str
    why: str = ""
    unsure: bool = False


@dataclass(frozen=True, slots=True)
class StatementWords:
    """A statement of the provider, as the catalogue words it."""

    name: str
    text: str
    section: str = ""
    observed: tuple[str, ...] = ()
    """How it can be observed, in words."""
    exhibits: tuple[str, ...] = ()
    """What a person can add."""
    controls: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ControlWords:
    """A control, as the catalogue words it."""

    name: str
    title: str
    means: str = ""
    scope: str = ""
    severity: str = ""
    remediation: str = ""
    exhibit: str = ""
    collected: bool = True
    """False while this version does not collect the evidence."""
    statements: tuple[str, ...] = ()
    references: tuple[Reference, ...] = ()
    commands: tuple[str, ...] = ()
    """Templates in which NAME, GROUP, SUBSCRIPTION (and others) stand for parts of a resource's id."""


@dataclass(frozen=True, slots=True)
class Words:
    """The catalogue, as far as people read it."""

    version: str
    statements: tuple[StatementWords, ...]
    controls: Mapping[str, ControlWords]
    source: str = ""
    """Which edition of the provider's statements this is about: title, date, digest."""


def words(catalogue: Catalogue) -> Words:
    """The words of `catalogue`."""
    seed = catalogue.seed
    return Words(
        version=catalogue.version,
        statements=tuple(_statement(each) for each in catalogue.statements),
        controls={each.id: _control(each) for each in catalogue.controls},
        source=f"“{seed.title}”, {seed.date}, changes up to {seed.changed}; SHA-256 {seed.sha256}",
    )


def _statement(statement: Statement) -> StatementWords:
    return StatementWords(
        name=statement.id,
        text=statement.text,
        section=statement.section,
        observed=tuple(OBSERVABLE[each] for each in statement.observable),
        exhibits=statement.exhibits,
        controls=statement.controls,
    )


def _control(control: Control) -> ControlWords:
    return ControlWords(
        name=control.id,
        title=control.title,
        means=control.means,
        scope=control.scope,
        severity=control.severity,
        remediation=control.remediation,
        exhibit=control.exhibit,
        collected=control.collected,
        statements=control.statements,
        references=tuple(
            Reference(FRAMEWORK_NAMES[framework], each.ref, each.why, each.unsure)
            for framework in FRAMEWORKS
            for each in control.references(framework)
        ),
        commands=(control.show,) if control.show else (),
    )
