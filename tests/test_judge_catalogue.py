"""The catalogue: nothing of what the provider states is dropped, and every control has a check, reasons and a way to see it again."""

import hashlib
import json
import re
import tomllib
from importlib.resources import files

import pytest

from shared.judge.catalogue import CLASSES, FRAMEWORKS, OBSERVABLE, catalogue
from shared.judge.checks import ACCOUNT_CHECKS, SUBSCRIPTION_CHECKS, SWEEP_CHECKS
from tests.test_judge_samples import EXAMPLES, need

ALL = tuple(f"S{number:02}" for number in range(1, 37))


def test_all_36_statements_are_there_in_order() -> None:
    assert tuple(statement.id for statement in catalogue().statements) == ALL


@pytest.mark.parametrize("statement", catalogue().statements, ids=lambda statement: statement.id)
def test_every_statement_is_judged_or_attested(statement) -> None:  # type: ignore[no-untyped-def]
    controls = [catalogue().control(id_) for id_ in statement.controls]
    assert controls
    assert set(statement.observable) <= set(OBSERVABLE)
    assert statement.class_ in CLASSES
    assert statement.exhibits
    assert statement.text.endswith(".")
    attested = [control for control in controls if control.scope == "provider"]
    if "-" in statement.observable:
        assert attested, "what only the provider can observe needs a control of its own"
    if statement.observable != ("-",):
        assert [control for control in controls if control.scope != "provider"]


def test_every_control_has_a_check_and_every_check_a_control() -> None:
    by_scope = {
        scope: {control.id for control in catalogue().of_scope(*scope)}
        for scope in (("account", "deployment"), ("subscription",), ("sweep",))
    }
    assert by_scope["account", "deployment"] == set(ACCOUNT_CHECKS)
    assert by_scope["subscription",] == set(SUBSCRIPTION_CHECKS)
    assert by_scope["sweep",] == set(SWEEP_CHECKS)
    ids = [control.id for control in catalogue().controls]
    assert len(set(ids)) == len(ids)


def test_checks_are_named_like_their_controls() -> None:
    for id_, check in {**ACCOUNT_CHECKS, **SUBSCRIPTION_CHECKS, **SWEEP_CHECKS}.items():
        assert check.__name__ in (id_.replace("-", "_"), "check")
        assert check.__name__ != "check" or not catalogue().control(id_).collected


@pytest.mark.parametrize("control", catalogue().controls, ids=lambda control: control.id)
def test_every_control_is_complete(control) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", control.id)
    assert control.means.endswith(".")
    assert control.remediation.endswith(".")
    assert control.severity in ("high", "medium", "low")
    assert set(control.statements) <= set(ALL)
    assert bool(control.statements) == (control.scope != "sweep")
    for framework in FRAMEWORKS:
        references = control.references(framework)
        assert references
        assert len({reference.ref for reference in references}) == len(references)
        for reference in references:
            assert reference.why.endswith(".")
            assert not re.search(r"satisf|compl(y|ies) with|fulfil", reference.why, re.IGNORECASE)
    if control.scope == "provider":
        assert control.exhibit
    elif control.collected:
        assert control.show
    assert bool(control.evidence) == (control.scope not in ("sweep", "provider") and control.collected)


FORMS = {"soc2": r"(CC\d\.\d|A1\.\d|C1\.\d|PI1\.\d|P\d\.\d)", "gdpr": r"\d{1,2}(\(\d\))?(\([a-z]\))?", "iso27001": r"[5-8]\.\d{1,2}"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_references_are_of_their_framework(framework: str) -> None:
    for control in catalogue().controls:
        for reference in control.references(framework):
            assert re.fullmatch(FORMS[framework], reference.ref), (control.id, reference.ref)


def test_what_the_mapping_is_unsure_of_stays_unsure() -> None:
    """References that the mapping marks everywhere with a question mark."""
    always = {("soc2", "CC6.5"), ("soc2", "P6.1"), ("soc2", "CC6.8"), ("soc2", "PI1.5"), ("iso27001", "8.11"), ("iso27001", "8.15@logging")}
    for control in catalogue().controls:
        for framework in FRAMEWORKS:
            for reference in control.references(framework):
                if (framework, reference.ref) in always:
                    assert reference.unsure, (control.id, reference.ref)


def test_gdpr_breach_notification_is_never_claimed() -> None:
    assert not [control.id for control in catalogue().controls for reference in control.gdpr if reference.ref.startswith(("33", "34"))]


def test_the_kinds_of_evidence_are_questions_that_are_asked() -> None:
    endpoints = pytest.importorskip("shared.collect.endpoints", reason="NOT TESTED: the collector is not there")
    asked = {*endpoints.BY_KIND, endpoints.TLS}
    for control in catalogue().controls:
        assert {kind.removeprefix("subscription:") for kind in control.evidence} <= asked, control.id


def test_the_seed_is_the_one_that_the_catalogue_names() -> None:
    (seed,) = need(EXAMPLES / "seed").glob("*.txt")
    assert hashlib.sha256(seed.read_bytes()).hexdigest() == catalogue().seed.sha256
    text = seed.read_text("utf-8")
    assert "ms.date: 02/23/2024" in text
    assert catalogue().seed.date == "2024-02-23"
    assert "17 December 2024" in text
    assert catalogue().seed.changed == "2024-12-17"


def test_no_sentence_of_the_seed_is_copied() -> None:
    """Six words in a row would be one."""
    (seed,) = need(EXAMPLES / "seed").glob("*.txt")
    words = re.findall(r"[a-z0-9]+", seed.read_text("utf-8").casefold())
    runs = {tuple(words[i : i + 6]) for i in range(len(words) - 5)}
    for statement in catalogue().statements:
        own = re.findall(r"[a-z0-9]+", statement.text.casefold())
        assert not [own[i : i + 6] for i in range(len(own) - 5) if tuple(own[i : i + 6]) in runs], statement.id


def test_the_version_and_the_json_form() -> None:
    assert re.fullmatch(r"20\d\d\.\d{1,2}\.\d+", catalogue().version)
    form = json.loads(json.dumps(catalogue().as_json()))
    assert [statement["id"] for statement in form["statements"]] == list(ALL)
    assert len(form["controls"]) == len(catalogue().controls)
    assert form["controls"][0]["references"]["soc2"][0].keys() == {"ref", "why", "unsure"}


def test_the_data_has_no_key_that_nobody_reads() -> None:
    """A misspelled key would be lost in silence."""
    known = {
        "id",
        "title",
        "means",
        "scope",
        "statements",
        "evidence",
        "severity",
        "remediation",
        "show",
        "exhibit",
        "collected",
        *FRAMEWORKS,
    }
    raw = tomllib.loads(files("shared.judge.catalogue").joinpath("controls.toml").read_text("utf-8"))
    assert {key for row in raw["control"] for key in row} <= known
    raw = tomllib.loads(files("shared.judge.catalogue").joinpath("statements.toml").read_text("utf-8"))
    assert {key for row in raw["statement"] for key in row} == {"id", "section", "observable", "class", "text", "exhibits", "provider_exhibit"}


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_every_criterion_that_is_referred_to_has_a_name_and_no_other(framework) -> None:  # type: ignore[no-untyped-def]
    referred = {reference.ref for control in catalogue().controls for reference in control.references(framework)}
    assert set(catalogue().criteria[framework]) == referred and set(catalogue().criteria) == set(FRAMEWORKS)


def test_names_of_folders_and_tables_are_names_on_every_computer() -> None:
    """Bundles are unpacked on Windows too: no name is refused there, told from another by case alone, or too long (a path has 260 characters)."""
    folders = [f"{ref} {name}" for names in catalogue().criteria.values() for ref, name in names.items()]
    titles = [control.title for control in catalogue().controls]
    for names in (folders, titles):
        assert len({name.lower() for name in names}) == len(names)
        assert all(re.fullmatch(r"[A-Z0-9][A-Za-z0-9 '(),.-]{0,98}[A-Za-z0-9)]", name) for name in names)
    assert max(map(len, folders)) + max(map(len, titles)) < 140
