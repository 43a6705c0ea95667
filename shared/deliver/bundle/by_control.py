"""The evidence by control, for whoever samples by hand: a folder for each framework, in it one for each of its criteria, in it a table for each control
that supports it, in it a row for each resource and stretch of time in which the conclusion stayed the same, with the numbers of the records that it
rests on. `index.csv` of a framework says which control supports which criterion, why, and what came of it, of those too of which nothing was found.

Derived from the findings and the waivers alone, so that the verifier can derive it again. In memory is one row for each control, resource and stretch.
Why not a file for each resource and date: docs/adr/0017.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.bundle.derived import quoted
from shared.deliver.waived import Waived

FOLDER = "by-control/"

_CALLED = {"soc2": "SOC 2", "gdpr": "GDPR", "iso27001": "ISO 27001"}
_COLUMNS = ("resource", "from", "until", "status", "reason", "findings", "first", "last", "answers", "criteria", "id", "waived", "waivers", "control")
_STATUSES = ("satisfied", "not-satisfied", "unknown", "not-applicable", "provider-attested")
_INDEX = ("criterion", "name", "control", "title", "why", "unsure", "resources", *_STATUSES, "waived", "table")


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
        """(path, content) of every table; a control without findings has none, and is in the index."""
        titles = rejudge.titles()
        for framework, criteria in self._criteria.items():
            folder = f"{FOLDER}{_CALLED[framework]}/"
            tables = {control: self._table(control, "; ".join(criteria[control])) for control in criteria if control in self._stretches}
            rows = [",".join(_INDEX)]
            for ref, name, control, why, unsure in rejudge.references(framework):
                path = f"{ref} {name}/{titles[control]}.csv" if control in tables else ""
                said = map(quoted, (ref, name, control, titles[control], why, "unsure" if unsure else ""))
                rows.append(",".join((*said, *map(str, self._counts(control)), quoted(path))))
                if path:
                    yield f"{folder}{path}", tables[control]
            yield f"{folder}index.csv", _lines(rows)

    def _counts(self, control: str) -> Iterator[int]:
        """How many resources it was judged of; how many findings have each status; how many were waived."""
        of = self._stretches.get(control, {})
        stretches = [each for found in of.values() for each in found]
        yield len(of)
        for status in _STATUSES:
            yield sum(each.findings for each in stretches if each.status == status)
        yield sum(each.waived for each in stretches)

    def _table(self, control: str, criteria: str) -> bytes:
        rows = [",".join(_COLUMNS)]
        for resource, stretches in sorted(self._stretches[control].items()):
            about = quoted(_name(resource)), f"{quoted(criteria)},{quoted(resource)}"
            for each in stretches:
                said = ",".join(map(quoted, (each.since, each.until, each.status, each.reason)))
                answers = " ".join(map(str, each.answers))
                waived = f"{each.waived},{' '.join(map(str, sorted(each.waivers)))}"
                rows.append(f"{about[0]},{said},{each.findings},{each.first},{each.last},{quoted(answers)},{about[1]},{waived},{control}")
        return _lines(rows)


def _lines(rows: list[str]) -> bytes:
    return "".join(f"{row}\r\n" for row in rows).encode("utf-8", "backslashreplace")


def _name(resource: str) -> str:
    """What people call a resource: the account, and what in it; or else the last part of the id."""
    _, _, inside = resource.partition("/accounts/")
    return "/".join(inside.split("/")[::2]) or resource.rpartition("/")[2] or "the collection itself"
