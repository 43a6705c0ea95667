"""What a bundle holds for people to read, all of it derived from the rest: the builder writes it, the verifier derives it again.

findings.csv is safe to open in a spreadsheet: text that would be taken for a formula is quoted with an apostrophe.
"""

import csv
import io
from collections.abc import Callable
from functools import lru_cache

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.bundle.manifest import Manifest
from shared.deliver.bundle.readme import ATTESTED, CERTIFIED, EXHIBITS, HANDOVERS, TEMPLATE
from shared.deliver.waived import Waived

_COLUMNS = ("record", "at", "sweep", "resource", "control", "title", "status", "reason", "criteria", "records", "waiver", "waived_until")
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def cell(text: str) -> str:
    """Text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


@lru_cache(maxsize=1 << 14)
def _quoted(*texts: str) -> str:
    """Cells of a row as CSV has them. A sweep says of most resources what the one before said: few are new."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(map(cell, texts))
    return line.getvalue()


class FindingsTable:
    """Writes findings.csv, one finding at a time, to wherever its bytes should go."""

    def __init__(self, framework: str | None, write: Callable[[bytes], object], waived: Waived) -> None:
        self._write = write
        self._waived = waived
        self._titles = rejudge.titles()
        self._criteria = rejudge.criteria(framework) if framework else None
        self._row(",".join(_COLUMNS))

    def _row(self, row: str) -> None:
        self._write(f"{row}\r\n".encode("utf-8", "backslashreplace"))

    def add(self, index: int, finding: Json) -> None:
        """Add a finding, unless it is of a control that the framework does not ask for."""
        control = finding["control"]
        if self._criteria is not None and control not in self._criteria:
            return
        criteria = "; ".join(self._criteria[control]) if self._criteria is not None else ""
        said = _quoted(finding["resource"] or "", control, self._titles.get(control, ""), finding["status"], finding["reason"], criteria)
        records = " ".join(map(str, finding["records"]))
        by = self._waived.of(index, finding)
        self._row(f"{index},{_quoted(finding['at'], finding['sweep'])},{said},{records},{f'{by.number},{by.until}' if by else ','}")


def readme(manifest: Manifest, *, attested: bool, handovers: bool, exhibits: bool = False, certified: bool = False) -> bytes:
    """README.txt of the bundle with this manifest; its list of files is not looked at.

    `attested`: whether others vouch for checkpoints in it; `handovers`: whether it has checkpoints of new keys; `exhibits`: whether it has files of some.
    """
    scope = "everything that the collector looked at" if manifest.resources is None else ", ".join(map(_plain, manifest.resources))
    return TEMPLATE.format(
        origin=_plain(manifest.origin), size=manifest.size, records=sum(count for _, count in manifest.ranges), start=manifest.period[0],
        end=manifest.period[1], scope=scope, catalogue=_plain(manifest.catalogue), software=_plain(manifest.software),
        framework=_plain(manifest.framework) if manifest.framework else "all", attested=ATTESTED if attested else "",
        handovers=HANDOVERS if handovers else "", exhibits=EXHIBITS if exhibits else "", certified=CERTIFIED if certified else "",
    ).encode()  # fmt: skip


def _plain(text: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in text)
