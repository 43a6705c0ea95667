"""Answers as they come by: each is checked by itself, kept in its unit, and the unit is checked as a whole once it is all there.

Nine in ten answers are what the same question brought in the sweep before. What does not depend on the time is then checked by one look-up.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from shared.canonical import Json
from shared.collect.windows import OVERLAP
from shared.deliver.verify.answers import Remark, about, asked_elsewhere, page_remark, unit_remarks
from shared.deliver.verify.bodies import Parsed
from shared.deliver.verify.sweep import SweepState, UnitRecords
from shared.deliver.verify.verdict import Tally
from shared.deliver.verify.view import View
from shared.deliver.verify.windows import Windows
from shared.judge.assemble import Likeness, entry_of

KEPT_ANSWERS = 40_000
"""Answers remembered as checked."""

KEPT_UNITS = 100_000

Known = tuple[Likeness, bytes, bytes, str]
"""An answer that was checked: its likeness, the size of its body, its address; that again as `UnitRecords.addresses` has it."""

_DATE = re.compile(r"[A-Z][a-z]{2}, ([0-9]{2}) ([A-Z][a-z]{2}) ([1-9][0-9]{3}) ([0-9]{2}):([0-9]{2}):([0-9]{2}) GMT", re.ASCII).fullmatch
_MONTHS = {name: number for number, name in enumerate(["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"], 1)}


class Intake:
    """Takes in observations and failures."""

    def __init__(self, tally: Tally, bodies: Parsed, view: View) -> None:
        self._tally = tally
        self._bodies = bodies
        self._view = view
        self._whole = view.whole
        self._answers: dict[tuple[bytes, ...], Known] = {}
        self._texts: dict[bytes, str] = {}
        self._chains: set[int] = set()
        self._settled: set[int] = set()
        self._without_body: dict[str, int] = {}
        self._windows = Windows(tally, from_start=view.from_start)
        self.last_at = ""
        """The latest time that was seen."""

    def planned(self, index: int, plan: Json) -> None:
        """A plan was read: check the windows that it gives its questions."""
        self._windows.planned(index, plan)

    # -- in the usual shape ---------------------------------------------------------------------------------------------

    def usual(self, sweep: SweepState, index: int, found: tuple[bytes, ...]) -> bool:
        """Take in an observation that `records.USUAL` took apart; False, and nothing was done, where it needs a closer look."""
        at, kind, size, digest, page_url, method, url, resource, date, status, _, unit_name = found
        if sweep.plan is None or page_url != url or sweep.outside or not self._whole:
            return False
        known = self._answers.get((kind, resource, digest, status))
        if known is None or known[1] != size or known[2] != url:
            checked = self._checked(kind, resource, digest, size, url, method, status)
            if checked is None:
                return False
            known = checked
        name = self._text(unit_name)
        unit = sweep.units.get(name)
        if unit is None:
            unit = sweep.units[name] = UnitRecords()
        self._add(sweep, name, unit, index, known[0], known[3])
        self._clock(sweep, unit, index, at.decode(), date.decode() if date else None)
        self._tally.counts["observations"] += 1
        return True

    def _checked(self, kind: bytes, resource: bytes, digest: bytes, size: bytes, url: bytes, method: bytes, status: bytes) -> Known | None:
        """Check all of an answer that does not depend on when it came; None where something is wrong with it."""
        like = Likeness(self._text(kind), self._text(resource or b""), (digest.decode(),), None, int(status) if status else None)
        page = {"sha256": digest.decode(), "url": url[1:-1].decode()}
        if self._bodies.bodies.size_of(page["sha256"]) != int(size) or (method == b'"GET"' and not about(like.kind, like.resource, page["url"])):
            return None
        if like.kind in OVERLAP:  # without a window, or it had another shape
            return None
        if page_remark(like.kind, page["url"], [page], self._bodies, whole=True) is not None:
            return None
        if len(self._answers) >= KEPT_ANSWERS:
            self._answers.clear()
        known = self._answers[kind, resource, digest, status] = (like, size, url, _address(like, page["url"]))
        return known

    def _text(self, data: bytes) -> str:
        text = self._texts.get(data)
        if text is None:
            if len(self._texts) >= KEPT_ANSWERS:
                self._texts.clear()
            text = self._texts[data] = data.decode()
        return text

    # -- in any shape ---------------------------------------------------------------------------------------------------

    def check(self, sweep: SweepState, index: int, value: Json) -> None:
        """Check an answer or failure by itself; a failure is a gap."""
        pages = value["pages"]
        failed = value["type"] == "failure"
        url = value["request"]["url"]
        chain = hash((value["kind"], url, failed, tuple((page["sha256"], page["url"]) for page in pages)))
        if chain not in self._chains:
            remark = page_remark(value["kind"], url, pages, self._bodies, whole=not failed) if pages else None
            if url and value["request"]["method"] == "GET" and not about(value["kind"], value["resource"] or "", url):
                remark = "the question is about another resource than the record"
            if remark is not None:
                self._tally.problem("answer", f"{value['kind']}: {remark}", record=index)
            elif len(self._chains) < KEPT_UNITS:
                self._chains.add(chain)
        self._windows.answered(sweep, index, value)
        if failed:
            reason = f"{value['kind']}: {value['reason']} ({value['detail']})"
            self._tally.gap("failure", reason, record=index, resource=value["resource"], sweep=sweep.name)

    def keep(self, sweep: SweepState, index: int, value: Json) -> None:
        """Keep an answer or failure in its unit, which the plan must have."""
        failed, name = value["type"] == "failure", value["unit"]
        response = value["response"] or {}
        like = entry_of(index, value).likeness
        if name not in sweep.asked:
            self._tally.problem("answer", f"the plan has no unit {name}", record=index)
        elif not self._view.concerns(sweep.asked[name]["resource"]):
            if like.kind == "locations":  # of a subscription, there for what its accounts are judged with
                sweep.located[like.resource] = (index, like)
            return
        unit = sweep.units.setdefault(name, UnitRecords())
        self._add(sweep, name, unit, index, like, _address(like, value["request"]["url"] if value.get("reason") != "foreign-host" else ""))
        if failed:
            sweep.failed.append((name, like.entry(index)))
        self._clock(sweep, unit, index, value["at"], response.get("date"))

    def body(self, index: int, digest: str, size: int) -> None:
        """Check that a body which a record names is there."""
        held = self._bodies.bodies.size_of(digest)
        if held is None:
            self._without_body[digest] = self._without_body.get(digest, 0) + 1
            if self._without_body[digest] == 1:
                self._tally.problem("body", f"the body {digest} that it names is missing or altered", record=index)
        elif held != size:
            self._tally.problem("body", f"says that the body {digest} has {size} bytes, and it has {held}", record=index)

    # -- units ----------------------------------------------------------------------------------------------------------

    def _add(self, sweep: SweepState, name: str, unit: UnitRecords, index: int, like: Likeness, address: str) -> None:
        if not unit.add(index, like, address):
            self._tally.problem("answer", f"the answers of {name} do not stand together", record=index)
        if like.kind == "locations":
            sweep.located[like.resource] = (index, like)

    def _clock(self, sweep: SweepState, unit: UnitRecords, index: int, at: str, date: str | None) -> None:
        if at < sweep.plan["at"]:
            sweep.early += 1
        self.last_at = max(self.last_at, at)
        try:
            ours = datetime.fromisoformat(at)
        except ValueError:
            self._tally.problem("record", "its `at` is missing or malformed", record=index)
            return
        azures = _moment(date) if date else None
        if azures is not None:
            unit.skew = max(unit.skew or 0.0, abs((ours - azures).total_seconds()))

    def settle(self, sweep: SweepState, name: str, unit: UnitRecords, index: int) -> None:
        """All answers of a unit are there: check that they are those that were planned."""
        planned = sweep.asked.get(name)
        if planned is None or unit.first < 0:
            return
        key = hash((sweep.questions_key, planned["asked"], planned["resource"], unit.planned, tuple(unit.likes), tuple(unit.addresses)))
        if key in self._settled:
            return
        remarks = unit_remarks(sweep.plan, planned, unit, self._bodies)
        for remark in remarks:
            self.remark(remark, unit.indexes[remark.answer] if remark.answer >= 0 else index, planned["resource"], sweep.name)
        if not remarks and len(self._settled) < KEPT_UNITS:
            self._settled.add(key)

    def remark(self, remark: Remark, index: int, resource: str | None = None, sweep: str | None = None) -> None:
        """Write a remark down."""
        if remark.sort == "gap":
            self._tally.gap(remark.what, remark.reason, record=index, resource=resource, sweep=sweep)
        else:
            self._tally.problem(remark.what, remark.reason, record=index)

    def finish(self) -> None:
        """There are no more records."""
        for digest, records in self._without_body.items():
            if records > 1:
                self._tally.note(f"{records} records name the body {digest}, which is missing or altered")


def _address(like: Likeness, url: str) -> str:
    return url if asked_elsewhere(like.kind) else ""


@lru_cache(maxsize=4096)
def _moment(date: str) -> datetime | None:
    """What a `Date` header says; None for what cannot be read. The form that every server uses costs a tenth of the others."""
    usual = _DATE(date)
    try:
        if usual is not None and usual[2] in _MONTHS:
            return datetime(int(usual[3]), _MONTHS[usual[2]], int(usual[1]), int(usual[4]), int(usual[5]), int(usual[6]), tzinfo=UTC)
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return moment if moment.tzinfo else None
