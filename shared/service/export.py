"""The use-case `export`: findings for a spreadsheet."""

import csv
import io
from collections.abc import Iterable
from pathlib import Path

from shared.canonical import Json
from shared.deliver.whole_file import place_of, whole_file
from shared.judge.catalogue import catalogue

COLUMNS = (
    "record",
    "at",
    "sweep",
    "control",
    "title",
    "status",
    "severity",
    "resource",
    "reason",
    "soc2",
    "gdpr",
    "iso27001",
    "records",
    "catalogue",
    "waived_until",
    "waiver",
)


def export_csv(findings: Iterable[Json], out: Path) -> int:
    """Write findings as CSV (RFC 4180, UTF-8 with a mark, so that spreadsheets read it); return how many.

    Raises:
        Misuse: the file cannot be written.
    """
    place_of(out)
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    written = 0
    known = {control.id: control for control in catalogue().controls}
    for finding in findings:
        control = known.get(finding["control"])
        references = {name: " ".join(r.ref for r in control.references(name)) if control else "" for name in ("soc2", "gdpr", "iso27001")}
        row = {
            **finding,
            **references,
            "title": control.title if control else "",
            "severity": control.severity if control else "",
            "records": " ".join(map(str, finding["records"])),
            "resource": finding["resource"] or "",
            "waived_until": (finding.get("waived") or {}).get("until", ""),
            "waiver": (finding.get("waived") or {}).get("waiver", ""),
        }
        written += 1
        writer.writerow([harmless(str(row[column])) for column in COLUMNS])
    with whole_file(out) as file:
        file.write(("\ufeff" + text.getvalue()).encode("utf-8", "backslashreplace"))
    return written


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection)."""
    return "'" + cell if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
