"""Exports for other tools: valid by the others' own models where these are installed, the same for the same content, and never kinder than the evidence."""

import base64
import csv
import hashlib
import importlib
import io
import json
import os
import subprocess
import sys
import uuid
from datetime import UTC, datetime

import pytest

from shared.deliver.period.summary import only
from shared.deliver.standards import intoto, ocsf, oscal
from shared.deliver.standards.criteria import BY_STATEMENT, NAMES, by_statement, mappings, supported
from shared.deliver.standards.names import BASE, uuid5
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.service import standards
from shared.service.bundle import bundle
from shared.service.period import period
from shared.service.queries import Filter, findings
from tests.fixtures.estate import estate

NOW = datetime(2026, 11, 2, tzinfo=UTC)
AT = "2026-11-02T00:00:00.000000Z"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with estate(tmp_path_factory.mktemp("estate")) as made:
        made.collect()
        yield made


@pytest.fixture(scope="module")
def view(site):
    return period(site.reading(), None, Filter(), NOW)


def others(name):
    """A module of somebody else's, by which ours is judged; where it is absent the test is skipped, and fails where CI=true."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI=true, and {error}", pytrace=False)
        return pytest.skip(f"{error}: pip install -r requirements-dev.txt")


def row(**more):
    return {
        "control": "content-logging-off", "resource": "/subscriptions/s/resourcegroups/g/providers/p/accounts/a", "observations": 2, "statuses": {"satisfied": 2},
        "records": [4, 9], "window_seconds": 10, "evidenced": "100.00", "satisfied": "100.00", "longest_between": None, "longest_unobserved": None,
        "unexplained_gaps": [], "intervals": [], **more,
    }  # fmt: skip


# -- names and criteria ---------------------------------------------------------------------------------------------------------


def test_names_are_uuids_of_version_5():
    assert uuid5("a", "bc") == str(uuid.uuid5(uuid.NAMESPACE_URL, BASE + "1:a2:bc"))
    assert uuid5("ab", "c") != uuid5("a", "bc")


def test_every_statement_and_every_control_is_mapped_or_says_why_not():
    for id_ in [statement.id for statement in catalogue().statements] + [control.id for control in catalogue().controls if not control.statements]:
        mapped = mappings()[id_]
        for framework in BY_STATEMENT:
            assert bool(mapped.references[framework]) != bool(mapped.none.get(framework)), (id_, framework)
    for control in catalogue().controls:
        found = supported(control)
        assert set(found) == set(NAMES)
        assert any(found.values()), control.id
        assert all(reference.ref and reference.why.endswith(".") for references in found.values() for reference in references), control.id
    assert set(mappings()) <= {each.id for each in (*catalogue().statements, *catalogue().controls)}
    assert all(by_statement(statement.id)["soc2"] for statement in catalogue().statements)


def test_nothing_claims_to_satisfy_a_criterion():
    reasons = [reference.why for each in mappings().values() for found in each.references.values() for reference in found]
    assert not [why for why in reasons if "satisf" in why.lower() or "complies" in why.lower()]


# -- OSCAL ----------------------------------------------------------------------------------------------------------------------


def documents(view):
    results = oscal.assessment_results(view, origin="example.org/evidence", size=9, at=AT)
    return {"assessment_results.AssessmentResults": results, "catalog.Catalog": oscal.catalog(AT), "component.ComponentDefinition": oscal.component_definition(AT)}


def test_oscal_is_valid_by_the_models_of_trestle(view):
    others("trestle")

    for name, document in documents(view).items():
        module, _, model = name.partition(".")
        ((root, body),) = document.items()
        parsed = getattr(importlib.import_module(f"trestle.oscal.{module}"), model)(**json.loads(json.dumps(body)))
        assert parsed.uuid == body["uuid"], root


def test_exhibits_are_resources_with_their_digests_and_evidence_of_what_they_speak_to(view):
    one = {
        "exhibit": 1, "record": 7, "filed": AT, "kind": "soc-report", "title": "a report", "issuer": "Auditors", "covers": {"from": AT, "to": None}, "until": AT,
        "statements": ["S13"], "file": {"name": "a.pdf", "sha256": "ab" * 32, "bytes": 3, "kept": True}, "withdrawn": None,
    }  # fmt: skip
    filed = {**view, "exhibits": [one, {**one, "exhibit": 2, "file": {**one["file"], "kept": False}}, {**one, "exhibit": 3, "withdrawn": AT}]}
    document = documents(filed)["assessment_results.AssessmentResults"]
    body = document["assessment-results"]
    first, second = body["back-matter"]["resources"]
    assert first["rlinks"] == [{"href": "exhibits/000001-a.pdf", "hashes": [{"algorithm": "SHA-256", "value": "ab" * 32}]}] and "rlinks" not in second
    evidence = {each["title"]: each.get("relevant-evidence") for each in body["results"][0]["observations"]}
    assert [each["href"] for each in evidence["attested-isolation"]] == ["#" + first["uuid"], "#" + second["uuid"]]
    assert evidence["attested-openai"] is None and evidence["content-logging-off"] is None
    others("trestle")
    model = importlib.import_module("trestle.oscal.assessment_results").AssessmentResults
    assert model(**json.loads(json.dumps(body))).back_matter.resources[0].uuid == first["uuid"]


def test_references_within_oscal_lead_somewhere(view):
    results = documents(view)["assessment_results.AssessmentResults"]["assessment-results"]["results"][0]
    observations = {each["uuid"] for each in results["observations"]}
    assert len(observations) == len(view["rows"]) == len(results["observations"])
    subjects = {each["uuid"] for each in results["local-definitions"]["inventory-items"]}
    assert {s["subject-uuid"] for each in results["observations"] for s in each.get("subjects", ())} == subjects
    assert {o["observation-uuid"] for each in results["findings"] for o in each["related-observations"]} <= observations
    parts = {part["id"] for group in oscal.catalog(AT)["catalog"]["groups"] for control in group["controls"] for part in control["parts"]}
    assert {each["target"]["target-id"] for each in results["findings"]} <= parts
    assert documents(view) == documents(json.loads(json.dumps(view)))


@pytest.mark.parametrize(
    ("more", "state"),
    [
        ({}, ("satisfied", "pass")),
        ({"statuses": {"satisfied": 1, "not-applicable": 1}}, ("satisfied", "pass")),
        ({"statuses": {"satisfied": 359, "not-satisfied": 1}}, ("not-satisfied", "fail")),
        ({"statuses": {"satisfied": 359, "unknown": 1}}, ("not-satisfied", "other")),
        ({"unexplained_gaps": [{}]}, ("not-satisfied", "other")),
    ],
)
def test_oscal_is_never_kinder_than_the_period(view, more, state):
    found = oscal.assessment_results({**view, "rows": [row(**more)]}, origin="o", size=1, at=AT)["assessment-results"]["results"][0]["findings"]
    status = found[0]["target"]["status"]
    assert (status["state"], status["reason"]) == state


@pytest.mark.parametrize("status", ["not-applicable", "provider-attested"])
def test_what_did_not_apply_or_nobody_could_see_is_no_oscal_finding(view, status):
    found = oscal.assessment_results({**view, "rows": [row(statuses={status: 2})]}, origin="o", size=1, at=AT)["assessment-results"]["results"][0]
    assert "findings" not in found and len(found["observations"]) == 1


# -- OCSF -----------------------------------------------------------------------------------------------------------------------


def test_ocsf_is_valid_by_its_models(site):
    model = others("py_ocsf_models.events.findings.compliance_finding").ComplianceFinding
    events = [ocsf.event("example.org/evidence", finding["record"], finding) for finding in findings(site.reading(), None, Filter())]
    assert len(events) > 50
    for event in events:
        parsed = model(**event)
        assert parsed.class_uid == 2003 and parsed.type_uid == 200301


def test_ocsf_passes_nothing_that_was_not_satisfied(site):
    seen = set()
    for finding in findings(site.reading(), None, Filter()):
        event = ocsf.event("example.org/evidence", finding["record"], finding)
        seen.add(finding["status"])
        assert (event["compliance"]["status_id"] == 1) == (finding["status"] == "satisfied")
        assert (event["severity_id"] > 1) == (finding["status"] == "not-satisfied")
        assert event["compliance"]["standards"]
    assert {"satisfied", "not-satisfied", "provider-attested"} <= seen


# -- files ----------------------------------------------------------------------------------------------------------------------


def test_no_cell_is_a_formula(view, tmp_path):
    standards.export_period_csv({**view, "rows": [row(resource="=cmd|' /C calc'!A0"), row(resource="@x"), row(resource="-1"), row(resource="+1")]}, tmp_path / "p.csv")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "p.csv").read_text("utf-8-sig"))))
    assert [each["resource"][0] for each in rows] == ["'"] * 4
    assert rows[0]["satisfied"] == "2" and "C1.1" in rows[0]["soc2"]


def test_rows_that_are_asked_for(view):
    some = only(view, Filter(control="content-logging-off").passes)
    assert {each["control"] for each in some["rows"]} == {"content-logging-off"}
    assert some["population"] == view["population"]


# -- in-toto --------------------------------------------------------------------------------------------------------------------

INDEPENDENT = """
import base64, json, sys
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
envelope, vkey = json.load(open(sys.argv[1])), sys.argv[2]
payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
signed = b" ".join([b"DSSEv1", str(len(kind)).encode(), kind.encode(), str(len(payload)).encode(), payload])
key = base64.b64decode(vkey.split("+", 2)[2])
assert key[0] == 1
Ed25519PublicKey.from_public_bytes(key[1:]).verify(base64.b64decode(envelope["signatures"][0]["sig"]), signed)
"""


def test_a_few_lines_without_us_verify_the_statement_about_a_bundle(site, tmp_path):
    zipped, out = tmp_path / "b.zip", tmp_path / "b.intoto.json"
    made = bundle(site.reading(), None, zipped)
    standards.export_intoto(site.settings, zipped, out)
    (tmp_path / "check.py").write_text(INDEPENDENT)
    subprocess.run([sys.executable, "check.py", out, site.vkey], cwd=tmp_path, check=True)
    payload = json.loads(base64.b64decode(json.loads(out.read_text())["payload"]))
    assert payload["_type"] == "https://in-toto.io/Statement/v1" and payload["predicateType"] == intoto.PREDICATE
    digests = {each["name"]: each["digest"]["sha256"] for each in payload["subject"]}
    assert digests == {"b.zip": hashlib.sha256(zipped.read_bytes()).hexdigest(), "manifest.json": made["identity"]}
    spoiled = json.loads(out.read_text())
    spoiled["payload"] = base64.b64encode(base64.b64decode(spoiled["payload"]).replace(b"b.zip", b"c.zip")).decode()
    out.write_text(json.dumps(spoiled))
    assert subprocess.run([sys.executable, "check.py", out, site.vkey], cwd=tmp_path, check=False, capture_output=True).returncode


def test_a_bundle_that_was_altered_is_not_signed(site, tmp_path):
    zipped = tmp_path / "b.zip"
    bundle(site.reading(), None, zipped)
    data = bytearray(zipped.read_bytes())
    data[len(data) // 2] ^= 1
    zipped.write_bytes(data)
    with pytest.raises(Misuse, match="not intact"):
        standards.export_intoto(site.settings, zipped, tmp_path / "out")
    assert not (tmp_path / "out").exists()
