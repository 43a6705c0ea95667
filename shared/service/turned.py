"""Which findings of a closed sweep turned: `not-satisfied` or `unknown`, and something else when they were made last. Read from the log alone.

What was before is looked up in the sweep before that judged the same unit, so that the answer is the same however often, and in whatever order,
sweeps are asked about. The first sweep of a log turns nothing: it says how things stand. In a later one, what is not satisfied of something that
was never judged before has turned. What somebody waived when it was found has not.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared import layout
from shared.canonical import Json
from shared.judge.catalogue import catalogue
from shared.judge.checks.waivers import WAIVERS_CURRENT
from shared.judge.waivers import Waiver, waiver_of
from shared.model import Severity
from shared.records import whole
from shared.service import state
from shared.service.queries import Reading, waivers_in

LOOK_BACK = 8
"""Sweeps of everything that are looked through for the finding before: a sweep may have been narrowed by hand."""

LARGE = 250_000
"""Findings of a sweep that are compared one by one, at most; of more, how many there are is compared."""

_BAD = ("not-satisfied", "unknown")
_NOBODY_KNOWS: Severity = "medium"
"""What is unknown matters no more than this, whatever its control: an hour in which Azure throttles is no incident."""

_SWEEP = f"sweep{layout.FINDINGS_SUFFIX}"
"""The findings about the collection itself; those of a sweep that an event caused are about that one account's collection."""


@dataclass(slots=True)
class _Before:
    """The sweeps before one, and where the findings of their units are."""

    read: Reading
    sweeps: Sequence[Json]
    """The newest first."""
    closings: dict[int, Mapping[str, Sequence[int]]] = field(default_factory=dict)

    def findings(self, name: str) -> Iterator[Json]:
        """The findings that were made last in a batch of this name."""
        looked = 0
        for sweep in self.sweeps:
            _, caused, account = sweep["sweep"].partition(layout.BY_EVENT)
            if caused and name != f"account-{account}{layout.FINDINGS_SUFFIX}":
                continue
            looked += not caused
            if looked > LOOK_BACK:
                return
            place = self._places(sweep).get(name)
            if place:
                yield from (record for _, record in _findings(self.read, place))
                return

    def _places(self, sweep: Json) -> Mapping[str, Sequence[int]]:
        index = sweep["closed_record"]
        if index not in self.closings:
            self.closings[index] = state.read_closing(self.read.store, self.read.log, index)["findings"]
        return self.closings[index]


def turned(read: Reading, summary: Json) -> list[Json]:
    """The findings of a closed sweep that turned, as items for a route: `record`, `at`, `resource`, `severity`, `means`, `control`, `unit`, `status`,
    `was`.

    Raises:
        StoreConflict: the log is not what was sealed.
    """
    earlier = [sweep for sweep in reversed(read.sweeps) if sweep["closed_record"] < summary["closed_record"]]
    whole_before = next((sweep for sweep in earlier if layout.BY_EVENT not in sweep["sweep"]), None)
    if whole_before is None or not any(summary["findings"].get(status) for status in _BAD):
        return []
    if sum(summary["findings"].values()) > LARGE:
        return _by_count(summary, whole_before)
    before, waivers, found = _Before(read, earlier), waivers_in(read.store), []
    for name, place in state.read_closing(read.store, read.log, summary["closed_record"])["findings"].items():
        if name == _SWEEP and layout.BY_EVENT in summary["sweep"]:
            continue
        bad = [(index, record) for index, record in _findings(read, place) if record["status"] in _BAD and not _said_otherwise(waivers, record)]
        if bad:
            was = {(record["control"], record["resource"]): record["status"] for record in before.findings(name)}
            found += [_item(index, one, known) for index, one in bad if (known := was.get((one["control"], one["resource"]))) != one["status"]]
    return found


def _said_otherwise(waivers: Sequence[Waiver], finding: Json) -> bool:
    """Whether somebody knows: it is waived; or it is about waivers that expired, each of which is told by itself (`telling.expired`)."""
    about_waivers = (finding["control"], finding["status"]) == (WAIVERS_CURRENT, "not-satisfied")
    return about_waivers or waiver_of(waivers, finding, finding["at"]) is not None


def _findings(read: Reading, place: Sequence[int]) -> Iterator[tuple[int, Json]]:
    first, count = place
    for index, record in read.log.records(first, first + count):
        if record["type"] == "finding":
            yield index, whole(record, read.body)


def severity_of(control: str) -> Severity:
    """How much it matters that a control is not satisfied; of one that this version does not know (another one judged it), as most do."""
    return next((known.severity for known in catalogue().controls if known.id == control), "medium")


def _item(index: int, finding: Json, was: str | None) -> Json:
    severity = severity_of(finding["control"])
    if finding["status"] == "unknown" and severity == "high":
        severity = _NOBODY_KNOWS
    text = f"{finding['control']} is {finding['status']} ({f'it was {was}' if was else 'judged for the first time'}): {finding['reason']}"
    return {
        "record": index,
        "at": finding["at"],
        "resource": finding["resource"],
        "severity": severity,
        "means": [{"severity": severity, "text": text, "control": finding["control"], "pointer": None}],
        "control": finding["control"],
        "unit": finding["unit"],
        "status": finding["status"],
        "was": was,
    }


def _by_count(summary: Json, before: Json) -> list[Json]:
    """Of a sweep with very many findings: one item, where more of them are bad than in the sweep before."""
    if layout.BY_EVENT in summary["sweep"]:
        return []
    grown = [(status, summary["findings"].get(status, 0), before["findings"].get(status, 0)) for status in _BAD]
    said = ", ".join(f"{count} {status} (there were {was})" for status, count, was in grown if count > was)
    if not said:
        return []
    severity = "high" if grown[0][1] > grown[0][2] else _NOBODY_KNOWS
    text = f"more findings are bad: {said}; too many to be compared one by one"
    means = [{"severity": severity, "text": text, "control": None, "pointer": None}]
    return [{"record": summary["closed_record"], "at": summary["closed_at"], "resource": None, "severity": severity, "means": means,
             "control": None, "unit": None, "status": None, "was": None}]  # fmt: skip
