"""The catalogue: what the provider states, what is judged of it, and which criteria that supports. Data, with a version.

A statement is one row of what the provider says, in our words; a control is one thing judged, and names the statements it
serves. References *support* a criterion; none claims to satisfy one. What is marked `unsure` waits for somebody who audits for a living.
"""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final, Literal

from shared.canonical import Json

ControlScope = Literal["account", "deployment", "subscription", "sweep", "provider"]
FRAMEWORKS: Final = ("soc2", "gdpr", "iso27001")
OBSERVABLE: Final = {
    "A": "in an answer of the management plane",
    "D": "in an answer of the data plane",
    "L": "in a log",
    "P": "by a probe of our own",
    "-": "by the provider only",
}
"""How a statement can be observed."""

CLASSES: Final = {
    "configuration": "the customer's configuration, observable",
    "records": "observable through logs or inventories",
    "promise": "a promise of the provider: evidence is its own documents and an auditor's report on it",
}


@dataclass(frozen=True, slots=True)
class Reference:
    """A criterion that a control supports."""

    ref: str
    """As the framework numbers it: `CC6.1`, `32(1)(a)`, `8.24`."""
    why: str
    unsure: bool = False
    """Whether the mapping waits for a practitioner."""


@dataclass(frozen=True, slots=True)
class Control:
    """One thing that is judged."""

    id: str
    title: str
    means: str
    """What it is for the control to be satisfied, in one sentence."""
    scope: ControlScope
    statements: tuple[str, ...]
    """What it serves; empty for controls of the collection itself."""
    evidence: tuple[str, ...]
    """Kinds of answer that its check reads; `subscription:` before those of the account's subscription."""
    severity: Literal["high", "medium", "low"]
    remediation: str
    show: str
    """The command that shows it again; empty where there is none."""
    exhibit: str
    """What a person can add; of controls that only the provider can observe, what is needed."""
    collected: bool
    """False while this version does not collect the evidence."""
    soc2: tuple[Reference, ...] = ()
    gdpr: tuple[Reference, ...] = ()
    iso27001: tuple[Reference, ...] = ()

    def references(self, framework: str) -> tuple[Reference, ...]:
        """The references to one of `FRAMEWORKS`."""
        return {"soc2": self.soc2, "gdpr": self.gdpr, "iso27001": self.iso27001}[framework]


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement of the provider, in our words."""

    id: str
    section: str
    """Of the seed document."""
    text: str
    observable: tuple[str, ...]
    """Keys of `OBSERVABLE`."""
    class_: Literal["configuration", "records", "promise"]
    controls: tuple[str, ...]
    """The controls that serve it, in the catalogue's order: derived from them, so that the two cannot disagree."""
    exhibits: tuple[str, ...]
    """What a person can add."""
    provider_exhibit: str = ""
    """What would show the provider's share, where it has one and no control of scope `provider` waits for it."""


@dataclass(frozen=True, slots=True)
class Seed:
    """The document that the statements come from."""

    title: str
    date: str
    changed: str
    """The last entry of its change log."""
    sha256: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything, in a fixed order."""

    version: str
    seed: Seed
    statements: tuple[Statement, ...]
    controls: tuple[Control, ...]
    _by_id: dict[str, Control] = field(repr=False, compare=False)
    criteria: dict[str, dict[str, str]] = field(default_factory=dict)
    """What the criteria that controls refer to are called, in our words: by framework and `ref`."""

    def control(self, id_: str) -> Control:
        """The control with this id.

        Raises:
            KeyError: there is none.
        """
        return self._by_id[id_]

    def of_scope(self, *scopes: str) -> tuple[Control, ...]:
        """The controls of these scopes, in order."""
        return tuple(control for control in self.controls if control.scope in scopes)

    def as_json(self) -> dict[str, Json]:
        """The whole catalogue as JSON, for a bundle."""
        return {
            "version": self.version,
            "seed": {"title": self.seed.title, "date": self.seed.date, "changed": self.seed.changed, "sha256": self.seed.sha256},
            "statements": [_statement_json(statement) for statement in self.statements],
            "controls": [_control_json(control) for control in self.controls],
            "criteria": self.criteria,
        }


@cache
def catalogue() -> Catalogue:
    """The catalogue of this version of the program."""
    head = _toml("statements")
    controls = tuple(_control(row) for row in (*_toml("controls")["control"], *_toml("exhibits")["control"]))
    statements = tuple(_statement(row, controls) for row in head["statement"])
    return Catalogue(head["version"], Seed(**head["seed"]), statements, controls, {control.id: control for control in controls}, _toml("criteria"))


def _toml(name: str) -> dict[str, Any]:
    return tomllib.loads(files(__name__).joinpath(f"{name}.toml").read_text("utf-8"))


def _control(row: dict[str, Any]) -> Control:
    references = {framework: tuple(Reference(**reference) for reference in row.get(framework, ())) for framework in FRAMEWORKS}
    return Control(
        id=row["id"],
        title=row["title"],
        means=row["means"],
        scope=row["scope"],
        severity=row["severity"],
        remediation=row["remediation"],
        statements=tuple(row.get("statements", ())),
        evidence=tuple(row.get("evidence", ())),
        show=row.get("show", ""),
        exhibit=row.get("exhibit", ""),
        collected=row.get("collected", True),
        soc2=references["soc2"],
        gdpr=references["gdpr"],
        iso27001=references["iso27001"],
    )


def _statement(row: dict[str, Any], controls: tuple[Control, ...]) -> Statement:
    return Statement(
        row["id"], row["section"], row["text"], tuple(row["observable"]), row["class"],
        tuple(control.id for control in controls if row["id"] in control.statements), tuple(row.get("exhibits", ())),
        row.get("provider_exhibit", ""),
    )  # fmt: skip


def _statement_json(statement: Statement) -> dict[str, Json]:
    return {
        "id": statement.id, "section": statement.section, "text": statement.text, "observable": list(statement.observable),
        "class": statement.class_, "controls": list(statement.controls), "exhibits": list(statement.exhibits),
        "provider_exhibit": statement.provider_exhibit,
    }  # fmt: skip


def _control_json(control: Control) -> dict[str, Json]:
    return {
        "id": control.id, "title": control.title, "means": control.means, "scope": control.scope, "statements": list(control.statements),
        "evidence": list(control.evidence), "severity": control.severity, "remediation": control.remediation, "show": control.show,
        "exhibit": control.exhibit, "collected": control.collected,
        "references": {
            framework: [{"ref": r.ref, "why": r.why, "unsure": r.unsure} for r in control.references(framework)] for framework in FRAMEWORKS
        },
    }  # fmt: skip
