"""Which criteria of which framework a statement or control supports. Supports: nothing here satisfies one.

SOC 2 is the Trust Services Criteria of 2017 with the points of focus of 2022, GDPR and the EU AI Act are numbered by articles, ISO/IEC 27001:2022 and
ISO/IEC 42001:2023 by their Annex A.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Final

from shared.judge.catalogue import FRAMEWORKS, Control, Reference, catalogue

NAMES: Final = {
    "soc2": "SOC 2 (TSC 2017, points of focus 2022)",
    "gdpr": "GDPR",
    "iso27001": "ISO/IEC 27001:2022",
    "iso42001": "ISO/IEC 42001:2023",
    "euaiact": "EU AI Act (2024/1689)",
}
BY_STATEMENT: Final = ("iso42001", "euaiact")
"""Frameworks whose references stand with statements."""


@dataclass(frozen=True, slots=True)
class Support:
    """What one statement, or one control that serves none, supports."""

    references: Mapping[str, tuple[Reference, ...]]
    none: Mapping[str, str] = field(default_factory=dict)
    """Why there is none, by framework."""


@cache
def mappings() -> Mapping[str, Support]:
    """By id of a statement or control."""
    table = tomllib.loads(files(__package__).joinpath("mappings.toml").read_text("utf-8"))
    rows = {**table["statement"], **table["control"]}
    return {
        id_: Support({name: tuple(Reference(**each) for each in row.get(name, ())) for name in BY_STATEMENT}, row.get("none", {}))
        for id_, row in rows.items()
    }


def supported(control: Control) -> dict[str, tuple[Reference, ...]]:
    """The references of a control to each of `NAMES`."""
    found = {framework: control.references(framework) for framework in FRAMEWORKS}
    rows = [mappings()[id_] for id_ in (control.statements or (control.id,)) if id_ in mappings()]
    for framework in BY_STATEMENT:
        unique = {reference.ref: reference for row in rows for reference in row.references[framework]}
        found[framework] = tuple(unique[ref] for ref in sorted(unique))
    return found


def by_statement(id_: str) -> dict[str, list[str]]:
    """The criteria of each framework that a statement's controls and itself support."""
    controls = [control for control in catalogue().controls if id_ in control.statements]
    found = {framework: sorted({r.ref for control in controls for r in control.references(framework)}) for framework in FRAMEWORKS}
    return found | {framework: [r.ref for r in mappings()[id_].references[framework]] for framework in BY_STATEMENT}
