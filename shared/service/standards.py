"""The use-case `export` in the words of others: OSCAL, OCSF, in-toto, and the period view as a table."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path

from shared.canonical import Json, sha256
from shared.deliver.bundle.manifest import NAME, parse_manifest
from shared.deliver.standards import intoto, ocsf, oscal
from shared.deliver.standards.criteria import NAMES, supported
from shared.deliver.verify import verify_bundle
from shared.deliver.verify.archive import Archive
from shared.deliver.verify.package import MAX_MANIFEST
from shared.deliver.verify.verdict import Tally
from shared.deliver.whole_file import place_of, whole_file
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.records import timestamp
from shared.service.compose import sealing
from shared.service.export import harmless
from shared.service.queries import Reading
from shared.service.stores import store_of
from shared.settings import Settings

PERIOD_COLUMNS = (
    "control", "title", "resource", "observations", "satisfied", "not-satisfied", "unknown", "not-applicable", "provider-attested", "evidenced_percent",
    "satisfied_percent", "longest_between_seconds", "longest_unobserved_seconds", "unexplained_gaps", "first_record", "last_record", *NAMES,
)  # fmt: skip


def export_oscal(view: Json, read: Reading, out: Path, now: datetime, which: str) -> int:
    """Write the results of a period, or the catalogue or component that they rest on; `which`: `oscal`, `oscal-catalog`, `oscal-component`.

    Raises:
        Misuse: the file cannot be written.
    """
    at = timestamp(now)
    document = {
        "oscal": lambda: oscal.assessment_results(view, origin=read.facts["origin"], size=read.log.size, at=at),
        "oscal-catalog": lambda: oscal.catalog(at),
        "oscal-component": lambda: oscal.component_definition(at),
    }[which]()
    _write(out, [json.dumps(document, indent=1, ensure_ascii=False)])
    return len(view["rows"]) if which == "oscal" else len(catalogue().controls)


def export_ocsf(findings: Iterable[Json], read: Reading, out: Path) -> int:
    """Write findings as OCSF events, one a line.

    Raises:
        Misuse: the file cannot be written.
    """
    lines = [json.dumps(ocsf.event(read.facts["origin"], finding["record"], finding), ensure_ascii=False) for finding in findings]
    _write(out, lines)
    return len(lines)


def export_period_csv(view: Json, out: Path) -> int:
    """Write the rows of a period view as CSV (RFC 4180, UTF-8 with a mark); no cell is a formula.

    Raises:
        Misuse: the file cannot be written.
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(PERIOD_COLUMNS)
    known = {control.id: control for control in catalogue().controls}
    for row in view["rows"]:
        control = known.get(row["control"])
        references = supported(control) if control else {}
        values = {
            **{status: row["statuses"].get(status, 0) for status in PERIOD_COLUMNS[4:9]}, "control": row["control"],
            "title": control.title if control else "", "resource": row["resource"] or "", "observations": row["observations"],
            "evidenced_percent": row["evidenced"], "satisfied_percent": row["satisfied"],
            "longest_between_seconds": (row["longest_between"] or {}).get("seconds", ""),
            "longest_unobserved_seconds": (row["longest_unobserved"] or {}).get("seconds", 0), "unexplained_gaps": len(row["unexplained_gaps"]),
            "first_record": row["records"][0], "last_record": row["records"][1],
            **{name: " ".join(r.ref for r in references.get(name, ())) for name in NAMES},
        }  # fmt: skip
        writer.writerow([harmless(str(values[column])) for column in PERIOD_COLUMNS])
    _write(out, ["\ufeff" + text.getvalue()], end="")
    return len(view["rows"])


def export_intoto(settings: Settings, bundle: Path, out: Path) -> int:
    """Write a signed statement over a bundle, for which it must verify against this log's own keys; return how many signed.

    Raises:
        Misuse: the bundle does not verify, or is of another log; no key; the file cannot be written.
        Unreachable: a vault does not answer.
    """
    place_of(out)
    opened = sealing(settings, store_of(settings))
    verdict = verify_bundle(bundle, [signer.key for signer in opened.signers])
    if not verdict.intact:
        raise Misuse(f"{bundle} is not intact, so it is not signed: `aoai-evidence verify` says why")
    data = bundle.read_bytes()
    manifest = parse_manifest(Archive(io.BytesIO(data), Tally()).read(NAME, MAX_MANIFEST))
    payload = intoto.statement(manifest, (bundle.name, sha256(data)))
    _write(out, [intoto.envelope(payload, str(opened.signers[0].key), opened.signers[0].sign).decode()])
    return 1


def _write(out: Path, lines: Iterable[str], end: str = "\n") -> None:
    place_of(out)
    with whole_file(out) as file:
        for line in lines:
            file.write((line + end).encode("utf-8", "backslashreplace"))
