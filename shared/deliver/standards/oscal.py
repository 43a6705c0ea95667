"""OSCAL 1.1.3 of NIST: the catalogue, how it is implemented, and the results of a period. https://pages.nist.gov/OSCAL/reference/1.1.3/

OSCAL knows a finding as satisfied or not. Satisfied is what every observation of the period said so of, without an unexplained gap; all
else that was observed is not, with the reason `fail` where an observation said so and `other` where nobody could see. What did not apply and what only
the provider attests has an observation and no finding.
"""

from shared import __version__
from shared.canonical import Json
from shared.deliver.bundle.manifest import exhibit_path
from shared.deliver.period.documented import speaking
from shared.deliver.standards.criteria import NAMES, supported
from shared.deliver.standards.names import BASE, uuid5
from shared.judge.catalogue import Control, catalogue

VERSION = "1.1.3"
NS = BASE + "ns/oscal"


def catalog(at: str) -> Json:
    """Our catalogue as an OSCAL catalog. `at`: when the document was made."""
    scopes = dict.fromkeys(control.scope for control in catalogue().controls)
    groups = [
        {"id": f"scope-{scope}", "title": f"Of each {scope}", "controls": [_control(each) for each in catalogue().of_scope(scope)]} for scope in scopes
    ]
    return {"catalog": {"uuid": uuid5("catalog", catalogue().version), "metadata": _metadata("Controls of aoai-evidence", at), "groups": groups}}


def _control(control: Control) -> Json:
    references = [
        _prop("supports", f"{NAMES[name]}: {r.ref}", "unsure" if r.unsure else "", r.why) for name, found in supported(control).items() for r in found
    ]
    props = [_prop("severity", control.severity), *(_prop("statement", statement) for statement in control.statements), *references]
    parts = [
        {"id": f"{control.id}_smt", "name": "statement", "prose": control.means},
        {"id": f"{control.id}_gdn", "name": "guidance", "prose": control.remediation},
    ]
    return {"id": control.id, "title": control.title, "props": props, "parts": parts}


def component_definition(at: str) -> Json:
    """How the controls are looked at: by this program, with which questions."""
    implemented = [
        {
            "uuid": uuid5("implemented", catalogue().version, control.id), "control-id": control.id,
            "description": f"Judged in every sweep from: {', '.join(control.evidence) or 'nothing that can be observed'}. {control.means}",
        }
        for control in catalogue().controls
    ]  # fmt: skip
    implementation = {
        "uuid": uuid5("implementation", catalogue().version), "source": "#" + uuid5("catalog", catalogue().version),
        "description": "What aoai-evidence observes; the customer implements what is judged.", "implemented-requirements": implemented,
    }  # fmt: skip
    component = {
        "uuid": uuid5("component"), "type": "software", "title": "aoai-evidence", "description": "Collects, seals and judges what Azure answers.",
        "control-implementations": [implementation],
    }  # fmt: skip
    metadata = _metadata("aoai-evidence as a component", at)
    return {"component-definition": {"uuid": uuid5("component-definition", catalogue().version), "metadata": metadata, "components": [component]}}


def assessment_results(view: Json, *, origin: str, size: int, at: str) -> Json:
    """The period view (docs/period.md) of a log at a size."""
    key = (origin, str(size), view["period"]["from"], view["period"]["to"])
    subjects = sorted({row["resource"] for row in view["rows"] if row["resource"]})
    filed = [one for one in view["exhibits"] if one["withdrawn"] is None]
    observations = [_observation(row, key, view["period"]["from"]) | _evidence(row, filed, origin) for row in view["rows"]]
    findings = [_finding(row, key) for row in view["rows"] if {"satisfied", "not-satisfied", "unknown"} & set(row["statuses"])]
    result = {
        "uuid": uuid5("result", *key), "title": f"{view['period']['from']} to {view['period']['to']}",
        "description": f"Computed from the records of {view['sweeps']} sweeps in the log {origin}.",
        "start": view["period"]["from"], "end": view["period"]["to"], "props": [_prop("log-origin", origin), _prop("log-size", str(size))],
        "reviewed-controls": {"control-selections": [_selection(view)]},
    }  # fmt: skip
    if subjects:
        items = [{"uuid": uuid5("subject", each), "description": each, "props": [_prop("resource-id", each)]} for each in subjects]
        result["local-definitions"] = {"inventory-items": items}
    result |= {name: found for name, found in (("observations", observations), ("findings", findings)) if found}
    return {
        "assessment-results": {
            "uuid": uuid5("assessment-results", *key, at), "metadata": _metadata("Evidence for Azure OpenAI", at),
            "import-ap": {"href": "#" + uuid5("catalog", catalogue().version), "remarks": "There is no plan apart from the catalogue: all of it is assessed."},
            "results": [result], **({"back-matter": {"resources": [_resource(one, origin) for one in filed]}} if filed else {}),
        }
    }  # fmt: skip


def _evidence(row: Json, filed: list[Json], origin: str) -> Json:
    """Of what only the provider can observe: the documents that speak to it."""
    if set(row["statuses"]) != {"provider-attested"}:
        return {}
    said = "filed by whoever keeps the log; that it is genuine is not shown"
    found = [
        {"href": "#" + uuid5("exhibit", origin, str(one["exhibit"])), "description": f"{one['title']}, by {one['issuer']}: {said}."}
        for one in speaking(filed, catalogue().control(row["control"]).statements)
    ]
    return {"relevant-evidence": found} if found else {}


def _resource(one: Json, origin: str) -> Json:
    """An exhibit; its file is linked as a bundle has it, where it is kept."""
    file, covers = one["file"], one["covers"]
    props = [
        _prop("exhibit", str(one["exhibit"])), _prop("kind", one["kind"]), _prop("issuer", one["issuer"]), _prop("record", str(one["record"])),
        _prop("covers-from", covers["from"]), *([_prop("covers-before", covers["to"])] if covers["to"] else []), _prop("relied-on-before", one["until"]),
        _prop("sha-256", file["sha256"]), *(_prop("statement", statement) for statement in one["statements"]),
    ]  # fmt: skip
    links = [{"href": exhibit_path(one["exhibit"], file["name"]), "hashes": [{"algorithm": "SHA-256", "value": file["sha256"]}]}]
    about = f"Exhibit {one['exhibit']}, by {one['issuer']}."
    found = {"uuid": uuid5("exhibit", origin, str(one["exhibit"])), "title": one["title"], "description": about, "props": props}
    return {**found, "rlinks": links} if file["kept"] else found


def _selection(view: Json) -> Json:
    selected = [{"control-id": each["control"]} for each in view["controls"]]
    return {"include-controls": selected} if selected else {"include-all": {}}


def _observation(row: Json, key: tuple[str, ...], start: str) -> Json:
    collected = row["intervals"][-1]["from"] if row["intervals"] else start
    props = [
        _prop("observations", str(row["observations"])), _prop("evidenced-percent", row["evidenced"]), _prop("satisfied-percent", row["satisfied"]),
        _prop("unexplained-gaps", str(len(row["unexplained_gaps"]))), _prop("first-record", str(row["records"][0])), _prop("last-record", str(row["records"][1])),
        *(_prop(f"count-{status}", str(count)) for status, count in row["statuses"].items()),
    ]  # fmt: skip
    said = ", ".join(f"{count} × {status}" for status, count in row["statuses"].items())
    found = {
        "uuid": _id("observation", row, key), "title": row["control"], "description": f"{row['control']} of {row['resource'] or 'the collection'}: {said}.",
        "props": props, "methods": ["EXAMINE"], "collected": collected,
    }  # fmt: skip
    if row["resource"]:
        found["subjects"] = [{"subject-uuid": uuid5("subject", row["resource"]), "type": "inventory-item"}]
    return found


def _finding(row: Json, key: tuple[str, ...]) -> Json:
    state, reason = _state(row)
    return {
        "uuid": _id("oscal-finding", row, key), "title": row["control"], "description": f"{row['control']} of {row['resource'] or 'the collection'}.",
        "target": {"type": "statement-id", "target-id": f"{row['control']}_smt", "status": {"state": state, "reason": reason}},
        "related-observations": [{"observation-uuid": _id("observation", row, key)}],
    }  # fmt: skip


def _state(row: Json) -> tuple[str, str]:
    statuses = set(row["statuses"])
    if statuses <= {"satisfied", "not-applicable"} and not row["unexplained_gaps"]:
        return "satisfied", "pass"
    return "not-satisfied", "fail" if "not-satisfied" in statuses else "other"


def _id(kind: str, row: Json, key: tuple[str, ...]) -> str:
    return uuid5(kind, *key, row["control"], row["resource"] or "")


def _metadata(title: str, at: str) -> Json:
    return {"title": title, "last-modified": at, "version": f"{__version__}, catalogue {catalogue().version}", "oscal-version": VERSION}


def _prop(name: str, value: str, class_: str = "", remarks: str = "") -> Json:
    return {"name": name, "ns": NS, "value": value, **({"class": class_} if class_ else {}), **({"remarks": remarks} if remarks else {})}
