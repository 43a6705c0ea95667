"""The catalogue as people read it: statements, controls, the criteria they support. Pure."""

from typing import Final

from shared.deliver.view_model import ControlWords, Reference, StatementWords, Words
from shared.judge.catalogue import FRAMEWORKS, OBSERVABLE, Catalogue, Control, Statement

FRAMEWORK_NAMES: Final = {"soc2": "SOC 2", "gdpr": "GDPR", "iso27001": "ISO 27001"}


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
