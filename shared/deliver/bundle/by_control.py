"""The evidence by control, for whoever samples by hand: a folder for each framework, in it a table for each control, in it a row for each
resource and stretch of time in which the conclusion stayed the same, with the numbers of the records that it rests on.

Derived from the findings and the waivers alone, so that the verifier can derive it again. In memory is one row for each control, resource and stretch.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.bundle.derived import cell
from shared.deliver.waived import Waived

FOLDER = "by-control/"

_COLUMNS = ("resource", "from", "until", "status", "reason", "findings", "first", "last", "answers", "criteria", "id", "waived", "waivers")


@dataclass(slots=True)
class _Stretch:
    """Findings of one control about one resource, one after another, that came to the same status."""

    status: str
    reason: str
    """Of the last of them."""
    since: str
    until: str
    findings: int
    first: int
    last: int
    answers: tuple[int, ...]
    """The records that the last of them rests on."""
    waived: int = 0
    """How many of them were."""
    waivers: set[int] = field(default_factory=set)
    """By which."""


class ByControl:
    """Takes in findings in the order of the log; gives the tables."""

    def __init__(self, framework: str | None, waived: Waived) -> None:
        self._waived = waived
        names = (framework,) if framework else rejudge.frameworks()
        self._criteria = {name: rejudge.criteria(name) for name in names}
        self._wanted = {control for controls in self._criteria.values() for control in controls}
        self._stretches: dict[str, dict[str, list[_Stretch]]] = {}

    def add(self, index: int, finding: Json) -> None:
        """Take in a finding."""
        control = finding["control"]
        if control not in self._wanted:
            return
        found = self._stretches.setdefault(control, {}).setdefault(finding["resource"] or "", [])
        if not found or found[-1].status != finding["status"]:
            found.append(_Stretch(finding["status"], "", finding["at"], "", 0, index, index, ()))
        last = found[-1]
        last.reason, last.until, last.last, last.answers = finding["reason"], finding["at"], index, tuple(finding["records"])
        last.findings += 1
        by = self._waived.of(index, finding)
        if by is not None:
            last.waived += 1
            last.waivers.add(by.number)

    def files(self) -> Iterator[tuple[str, bytes]]:
        """(path, content) of every table; a control without findings has none."""
        for framework, criteria in self._criteria.items():
            for control in criteria:
                if control in self._stretches:
                    yield f"{FOLDER}{framework}/{control}.csv", self._table(control, "; ".join(criteria[control]))

    def _table(self, control: str, criteria: str) -> bytes:
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow(_COLUMNS)
        for resource, stretches in sorted(self._stretches[control].items()):
            for each in stretches:
                answers = " ".join(map(str, each.answers))
                row = (
                    _name(resource), each.since, each.until, each.status, each.reason, str(each.findings), str(each.first), str(each.last),
                    answers, criteria, resource, str(each.waived), " ".join(map(str, sorted(each.waivers))),
                )  # fmt: skip
                writer.writerow(map(cell, row))
        return text.getvalue().encode("utf-8", "backslashreplace")


def _name(resource: str) -> str:
    """What people call a resource: the last part of its id."""
    return resource.rpartition("/")[2] or "the collection itself"
