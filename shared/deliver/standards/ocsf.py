"""Compliance findings of the Open Cybersecurity Schema Framework, class 2003, version 1.3.0: one JSON object a line.

https://schema.ocsf.io/1.3.0/classes/compliance_finding. `unknown` is a warning ("did not yield a result due to missing information"), never a
pass; what does not apply and what only the provider attests is `Other`.
"""

from shared import __version__
from shared.canonical import Json
from shared.deliver.period.fold import micros
from shared.deliver.standards.criteria import NAMES, supported
from shared.deliver.standards.names import uuid5
from shared.judge.catalogue import Control, catalogue

VERSION = "1.3.0"
_STATUS = {"satisfied": (1, "Pass"), "unknown": (2, "Warning"), "not-satisfied": (3, "Fail")}
_SEVERITY = {"high": (4, "High"), "medium": (3, "Medium"), "low": (2, "Low")}


def event(origin: str, index: int, finding: Json) -> Json:
    """The event of a finding record at an index of the log called `origin`."""
    known = {control.id: control for control in catalogue().controls}
    control = known.get(finding["control"])
    title = control.title if control else finding["control"]
    status_id, status = _STATUS.get(finding["status"], (99, finding["status"]))
    severity_id, severity = _SEVERITY[control.severity] if control and finding["status"] == "not-satisfied" else (1, "Informational")
    at = micros(finding["at"]) // 1000
    standards, requirements = _criteria(control)
    found = {
        "activity_id": 1, "activity_name": "Create", "category_uid": 2, "category_name": "Findings", "class_uid": 2003,
        "class_name": "Compliance Finding", "type_uid": 200301, "type_name": "Compliance Finding: Create", "time": at, "severity_id": severity_id,
        "severity": severity, "status_id": 1, "status": "New", "message": finding["reason"],
        "metadata": {
            "version": VERSION, "uid": uuid5("ocsf", origin, str(index)), "log_name": origin,
            "product": {"name": "aoai-evidence", "vendor_name": "aoai-evidence", "version": __version__},
        },
        "finding_info": {
            "uid": uuid5("finding", origin, finding["control"], finding["resource"] or ""), "title": title, "desc": finding["reason"],
            "created_time": at, "types": ["Compliance"], "data_sources": [f"record {number}" for number in finding["records"]],
        },
        "compliance": {
            "control": finding["control"], "standards": standards, "requirements": requirements, "status_id": status_id, "status": status,
            "status_detail": finding["reason"],
        },
        "unmapped": {"record": index, "sweep": finding["sweep"], "catalogue": finding["catalogue"], "status": finding["status"]},
    }  # fmt: skip
    if finding["resource"]:
        found["resources"] = [{"uid": finding["resource"], "name": finding["resource"].rpartition("/")[2], "cloud_partition": "Azure"}]
    if control:
        found["remediation"] = {"desc": control.remediation}
    return found


def _criteria(control: Control | None) -> tuple[list[str], list[str]]:
    """Standards and requirements that the control supports; `standards` must not be empty, and our own catalogue is one."""
    references = {NAMES[name]: found for name, found in (supported(control) if control else {}).items() if found}
    return [f"aoai-evidence catalogue {catalogue().version}", *references], [f"{name}: {r.ref}" for name, found in references.items() for r in found]
