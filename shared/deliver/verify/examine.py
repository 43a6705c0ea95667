"""Reading every record in the order of the log, and asking of each sweep what an auditor would: was everything that was planned collected,
is everything that was collected here, does everything that was concluded follow?

Told of lines, it writes down problems and gaps; it never raises on any line. That the lines are those of the log is for others to see to.
"""

from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.bundle.manifest import selects
from shared.deliver.verify import records as shapes
from shared.deliver.verify.answers import Remark, about, page_remark, population_remarks, unit_remarks
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.closing import Closed, closing_remarks, plan_remarks
from shared.deliver.verify.findings import Recomputation, Run
from shared.deliver.verify.sweep import Likeness, SweepState, UnitRecords
from shared.deliver.verify.verdict import Tally
from shared.judge.assemble import PLAN_UNIT, SWEEP_UNIT
from shared.records import whole

KEPT_ANSWERS = 40_000
"""Answers remembered as checked: what an unchanged resource answers again costs one look-up."""

KEPT_UNITS = 100_000
KEPT_CONCLUSIONS = 1_000
CONCLUSIONS = frozenset({"finding", "change", "deletion"})


@dataclass(frozen=True, slots=True)
class View:
    """Which part of a log is read."""

    from_start: bool = True
    """Every record from the first is there."""
    resources: tuple[str, ...] | None = None
    """Of each sweep only what concerns these resources is there; None: everything."""
    period: tuple[str, str] | None = None
    """Sweeps of other times only show where the period ends."""

    @property
    def whole(self) -> bool:
        """Whether all records of a sweep are there."""
        return self.resources is None

    def outside(self, sweep: SweepState) -> bool:
        """Whether a sweep belongs to another time."""
        return self.period is not None and not self.period[0] <= sweep.time < self.period[1]

    def concerns(self, resource: str) -> bool:
        """Whether the records of the unit for `resource` must be there."""
        return self.resources is None or selects(self.resources, resource)


@dataclass(slots=True)
class Plan:
    """What is remembered of each sweep of the period."""

    name: str
    record: int
    at: str
    slot: str | None
    schedule: str | None
    previous: Json
    closed: bool = False


@dataclass(slots=True)
class Examiner:
    """Takes in records; `plans`, `closings` and the tally are what it leaves."""

    tally: Tally
    bodies: Parsed
    view: View
    plans: list[Plan] = field(default_factory=list)
    beyond: list[Plan] = field(default_factory=list)
    """Sweeps of other times."""
    closings: list[Closed] = field(default_factory=list)
    origin: str | None = None
    """What the first record says the log is called."""
    last_at: str = ""
    _sweeps: dict[bytes, SweepState] = field(default_factory=dict)
    _done: dict[str, tuple[int, frozenset[str]]] = field(default_factory=dict)
    _answers: dict[tuple[bytes, ...], tuple[Likeness, bytes, bytes]] = field(default_factory=dict)
    _texts: dict[bytes, str] = field(default_factory=dict)
    _chains: set[int] = field(default_factory=set)
    _without_body: dict[str, int] = field(default_factory=dict)
    """Bodies that are missing or altered, and how many records name each."""
    _cannot: set[str] = field(default_factory=set)
    _settled: set[int] = field(default_factory=set)
    _run: Run | None = None
    _judge: Recomputation = field(init=False)

    def __post_init__(self) -> None:
        self._judge = Recomputation(self.bodies, self.tally)

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take in the records from the index `first` on."""
        usual = shapes.USUAL
        awaited = self._run.awaited() if self._run else None
        for index, line in enumerate(lines, first):
            if line == awaited:
                assert self._run is not None
                awaited = self._run.matched()
                continue
            found = usual(line)
            if found is None or not self._usual(index, found.groups()):
                self._other(index, line)
            awaited = self._run.awaited() if self._run else None

    # -- the usual observation ------------------------------------------------------------------------------------------

    def _usual(self, index: int, found: tuple[bytes, ...]) -> bool:
        """Take in an observation of the usual shape; False where it needs a closer look."""
        at, kind, size, digest, page_url, method, url, resource, date, status, name, unit_name = found
        sweep = self._sweeps.get(name)
        if sweep is None or sweep.plan is None or page_url != url or sweep.outside or self.view.resources is not None:
            return False
        unit = sweep.units.get(self._text(unit_name))
        known = self._answers.get((kind, resource, digest, status))
        if unit is None or known is None or known[1] != size or known[2] != url:
            known = self._checked(kind, resource, digest, size, url, method, status)
            unit = sweep.units.setdefault(self._text(unit_name), UnitRecords())
            if known is None:
                return False
        if self._run is not None:
            self._end_run()
        if not unit.add(index, known[0]):
            self._remark(Remark("problem", "answer", f"the answers of {self._text(unit_name)} do not stand together"), index)
        if kind == b"locations":
            sweep.located[known[0].resource] = (index, known[0])
        self._clock(index, sweep, unit, at.decode(), date.decode() if date else None)
        self.tally.counts["observations"] += 1
        return True

    def _checked(
        self, kind: bytes, resource: bytes, digest: bytes, size: bytes, url: bytes, method: bytes, status: bytes
    ) -> tuple[Likeness, bytes, bytes] | None:
        """Check all of an answer that does not depend on when it came; None where something is wrong with it."""
        like = Likeness(self._text(kind), self._text(resource or b""), (digest.decode(),), None, int(status) if status else None)
        page = {"sha256": digest.decode(), "url": url[1:-1].decode()}
        if self.bodies.bodies.size_of(page["sha256"]) != int(size) or (method == b'"GET"' and not about(like.resource, page["url"])):
            return None
        if page_remark(like.kind, page["url"], [page], self.bodies, whole=True) is not None:
            return None
        if len(self._answers) >= KEPT_ANSWERS:
            self._answers.clear()
        self._answers[kind, resource, digest, status] = (like, size, url)
        return like, size, url

    def _text(self, data: bytes) -> str:
        text = self._texts.get(data)
        if text is None:
            if len(self._texts) >= KEPT_ANSWERS:
                self._texts.clear()
            text = self._texts[data] = data.decode()
        return text

    def _clock(self, index: int, sweep: SweepState, unit: UnitRecords, at: str, date: str | None) -> None:
        if at < sweep.plan["at"]:
            sweep.early += 1
        self.last_at = max(self.last_at, at)
        try:
            ours = datetime.fromisoformat(at)
        except ValueError:
            self.tally.problem("record", "its `at` is missing or malformed", record=index)
            return
        azures = _moment(date) if date else None
        if azures is not None:
            unit.skew = max(unit.skew or 0.0, abs((ours - azures).total_seconds()))

    # -- every other record ---------------------------------------------------------------------------------------------

    def _other(self, index: int, line: bytes) -> None:
        try:
            stored = shapes.parse(line)
            for place in stored.get("overflow", {}).values():
                self._body(index, place["sha256"], place["bytes"])
            value = whole(stored, self.bodies.load) if "overflow" in stored else stored
            shapes.check_fields(value)
        except (shapes.RecordError, BodyError) as error:
            self._end_run()
            self.tally.problem("record", str(error), record=index)
            return
        kind = value["type"]
        for digest, size in shapes.bodies_of(value):
            self._body(index, digest, size)
        if self._run is not None and (kind not in CONCLUSIONS or (value["sweep"], value.get("unit")) != (self._run.sweep.name, self._run.unit)):
            self._end_run()
        self.tally.counts[f"{kind}s"] += 1
        self.last_at = max(self.last_at, value["at"])
        if index == 0:
            self._first(value)
        if kind not in shapes.KNOWN_TYPES:
            self.tally.unchecked(f"what records of type {kind} say: this version does not know them")
        if value["sweep"] is not None:
            self._of_sweep(index, value, line)

    def _body(self, index: int, digest: str, size: int) -> None:
        held = self.bodies.bodies.size_of(digest)
        if held is None:
            self._without_body[digest] = self._without_body.get(digest, 0) + 1
            if self._without_body[digest] == 1:
                self.tally.problem("body", f"the body {digest} that it names is missing or altered", record=index)
        elif held != size:
            self.tally.problem("body", f"says that the body {digest} has {size} bytes, and it has {held}", record=index)

    def _first(self, value: Json) -> None:
        store = value.get("store")
        if value["type"] != "event" or not isinstance(store, dict) or not isinstance(store.get("origin"), str):
            self.tally.problem("record", "the first record of a log says what store it is of, and this one does not", record=0)
            return
        self.origin = store["origin"]

    def _of_sweep(self, index: int, value: Json, line: bytes) -> None:
        name, kind = value["sweep"], value["type"]
        if name in self._done:
            self._late(index, value)
            return
        sweep = self._sweeps.get(name.encode())
        if sweep is None:
            if not self._begins(index, value):
                return
            sweep = self._sweeps[name.encode()] = SweepState(name, index)
        if kind == "sweep-planned":
            self._planned(index, sweep, value)
        elif sweep.plan is None:
            sweep.before += 1
            if kind in ("observation", "failure"):
                self._answer(index, sweep, value)
                sweep.records.add(index, value)
            elif kind in ("retention", "profile"):
                sweep.records.add(index, value)
        elif sweep.outside:
            return
        elif kind in ("observation", "failure"):
            self._answer(index, sweep, value)
            self._take_answer(index, sweep, value)
        elif kind in CONCLUSIONS:
            self._conclusion(index, sweep, value, line)
        elif kind == "sweep-closed":
            self._closed(index, sweep, value)

    def _begins(self, index: int, value: Json) -> bool:
        """Whether this can be the first record of a sweep; where it is not, it says so, or it is known to be of an earlier one."""
        if value["type"] == "sweep-closed":
            self.closings.append(Closed(index, value["at"], value["slot"]))
        if value["type"] in ("retention", "sweep-planned") or value.get("unit") == PLAN_UNIT or self.view.from_start:
            return True
        self.tally.counts["records of sweeps that began before"] += 1
        return False

    def _late(self, index: int, value: Json) -> None:
        closed, missing = self._done[value["sweep"]]
        if value.get("unit") in missing and value["type"] in ("observation", "failure"):
            self.tally.counts["late records"] += 1
            self.tally.note(f"sweep {value['sweep']}: {value['unit']} arrived after the sweep was closed; it was not judged")
        else:
            self.tally.problem("record", f"comes after the closing record of its sweep, at {closed}", record=index)

    # -- answers --------------------------------------------------------------------------------------------------------

    def _answer(self, index: int, sweep: SweepState, value: Json) -> None:
        """Check an answer or failure that is not in the usual shape."""
        pages = value.get("pages", ())
        failed = value["type"] == "failure"
        url = value["request"]["url"]
        chain = hash((value["kind"], url, failed, tuple((page["sha256"], page["url"]) for page in pages)))
        if chain not in self._chains:
            remark = page_remark(value["kind"], url, pages, self.bodies, whole=not failed) if pages else None
            if url and value["request"]["method"] == "GET" and not about(value["resource"] or "", url):
                remark = "the question is about another resource than the record"
            if remark is not None:
                self.tally.problem("answer", f"{value['kind']}: {remark}", record=index)
            elif len(self._chains) < KEPT_UNITS:
                self._chains.add(chain)
        if failed:
            reason = f"{value['kind']}: {value['reason']} ({value['detail']})"
            self.tally.gap("failure", reason, record=index, resource=value["resource"], sweep=sweep.name)

    def _take_answer(self, index: int, sweep: SweepState, value: Json) -> None:
        failed = value["type"] == "failure"
        response = value["response"] or {}
        like = Likeness(
            value["kind"], value["resource"] or "", () if failed else tuple(page["sha256"] for page in value["pages"]),
            value["reason"] if failed else None, response.get("status"),
        )  # fmt: skip
        if like.kind == "locations":
            sweep.located[like.resource] = (index, like)
        if value["unit"] not in sweep.asked:
            self.tally.problem("answer", f"the plan has no unit {value['unit']}", record=index)
        elif not self.view.concerns(sweep.asked[value["unit"]]["resource"]):
            return  # of a subscription, there for what its accounts are judged with
        unit = sweep.units.setdefault(value["unit"], UnitRecords())
        if not unit.add(index, like):
            self._remark(Remark("problem", "answer", f"the answers of {value['unit']} do not stand together"), index)
        if failed:
            sweep.failed.append((value["unit"], like.entry(index)))
        self._clock(index, sweep, unit, value["at"], response.get("date"))

    def _settle(self, sweep: SweepState, name: str, unit: UnitRecords, index: int) -> None:
        """All answers of a unit are there: whether they are those that were planned."""
        planned = sweep.asked.get(name)
        if planned is None or unit.first < 0:
            return
        key = hash((sweep.questions_key, planned["asked"], planned["resource"], unit.planned, tuple(unit.likes)))
        if key in self._settled:
            return
        remarks = unit_remarks(sweep.plan, planned, unit.likes, unit.planned, self.bodies)
        for remark in remarks:
            self._remark(remark, unit.indexes[remark.answer] if remark.answer >= 0 else index, planned["resource"], sweep.name)
        if not remarks and len(self._settled) < KEPT_UNITS:
            self._settled.add(key)

    def _remark(self, remark: Remark, index: int, resource: str | None = None, sweep: str | None = None) -> None:
        if remark.sort == "gap":
            self.tally.gap(remark.what, remark.reason, record=index, resource=resource, sweep=sweep)
        else:
            self.tally.problem(remark.what, remark.reason, record=index)

    # -- conclusions ----------------------------------------------------------------------------------------------------

    def _conclusion(self, index: int, sweep: SweepState, value: Json, line: bytes) -> None:
        for record in [value["from"], value["to"]] if value["type"] == "change" else value.get("records", ()):
            if record is not None and record >= index:
                self.tally.problem(value["type"], f"rests on record {record}, which comes later", record=index)
        if value["unit"] == SWEEP_UNIT:
            first, count = sweep.findings.setdefault(SWEEP_UNIT, [index, 0])
            if first + count != index:
                self.tally.problem("finding", "the findings about the collection do not stand together", record=index)
            sweep.findings[SWEEP_UNIT][1] += 1
            if len(sweep.about_collection) < KEPT_CONCLUSIONS:
                sweep.about_collection.append((index, value, line))
            return
        if self._run is None:
            self._run = self._begin_run(index, sweep, value)
        self._run.other(index, value, line)

    def _begin_run(self, index: int, sweep: SweepState, value: Json) -> Run:
        """The first conclusion about a unit: its answers are all there, so judge it again."""
        name = value["unit"]
        run = Run(sweep, name, index, [], self.tally, recomputed=self._is_ours(value))
        unit = sweep.units.get(name)
        if name in sweep.findings:
            self.tally.problem("finding", f"{name} was judged already, at record {sweep.findings[name][0]}", record=index)
            run.recomputed = False
        elif unit is None or unit.first < 0 or name not in sweep.asked:
            self.tally.problem("finding", f"is about {name}, which brought no answers", record=index)
            run.recomputed = False
        elif not unit.settled:
            self._settle(sweep, name, unit, index)
            if run.recomputed:
                try:
                    run.expected = self._judge.of_unit(sweep, name, unit, value["profile"], value["at"])[::-1]
                except rejudge.CannotJudgeError as error:
                    self._cannot_judge(error, index)
                    run.recomputed = False
            unit.judged = True
            unit.forget()
        return run

    def _is_ours(self, value: Json) -> bool:
        """Whether a finding was made by the catalogue that is here."""
        if value["type"] == "finding" and value["catalogue"] == rejudge.catalogue_version():
            return True
        version = value.get("catalogue", "unknown")
        self.tally.unchecked(f"findings by catalogue {version}: this version has {rejudge.catalogue_version()}; verify with the release that made them")
        return False

    def _collection(self, sweep: SweepState, missing: frozenset[str]) -> None:
        """Judge the collection again, now that it is known what was missing."""
        if not sweep.about_collection:
            return
        index, first, _ = sweep.about_collection[0]
        if not self._is_ours(first):
            return
        run = Run(sweep, SWEEP_UNIT, index, [], self.tally)
        run.only = None if self.view.whole else frozenset(control for control, _ in rejudge.provider_attested())
        try:
            run.expected = self._judge.of_sweep(sweep, first, missing, whole=self.view.whole)[::-1]
        except rejudge.CannotJudgeError as error:
            self._cannot_judge(error, index)
            return
        for place, value, line in sweep.about_collection:
            run.other(place, value, line)
        self.tally.counts["findings recomputed"] += run.close()

    def _cannot_judge(self, error: rejudge.CannotJudgeError, index: int) -> None:
        if str(error) not in self._cannot:
            self.tally.problem("finding", f"cannot be judged again: {error}", record=index)
            self._cannot.add(str(error)[:300])
        self.tally.unchecked(f"findings that cannot be judged again: {error}")

    def _end_run(self) -> None:
        if self._run is not None:
            run, self._run = self._run, None
            run.sweep.findings[run.unit] = [run.first, run.count]
            self.tally.counts["findings"] += run.unread
            self.tally.counts["findings recomputed"] += run.close()

    # -- the plan and the end of a sweep --------------------------------------------------------------------------------

    def _planned(self, index: int, sweep: SweepState, value: Json) -> None:
        if sweep.plan is not None:
            self.tally.problem("plan", f"the sweep was planned already, at record {sweep.records.plan_record}", record=index)
            return
        sweep.planned(index, value)
        sweep.outside = self.view.outside(sweep)
        plan = Plan(sweep.name, index, value["at"], value["slot"], value["schedule"], value["previous"])
        (self.beyond if sweep.outside else self.plans).append(plan)
        if sweep.outside:
            return
        remarks = list(plan_remarks(sweep, index, self.closings, from_start=self.view.from_start))
        if self.view.whole:
            remarks += population_remarks(sweep, self.bodies)
        for remark in remarks:
            self._remark(remark, index)
        if len(self.plans) > 1 and value["at"] < self.plans[-2].at:
            self.tally.note(f"sweep {sweep.name} has an earlier time than the one planned before it: the collector's clock was set back")

    def _closed(self, index: int, sweep: SweepState, value: Json) -> None:
        missing = frozenset(value["missing"])
        for name, unit in sweep.units.items():
            if unit.first < 0:
                continue
            if not unit.settled:
                self._settle(sweep, name, unit, index)
            if name in missing:
                self.tally.note(f"sweep {sweep.name}: {name} arrived while the sweep was being closed; it was not judged")
            elif not unit.judged:
                self.tally.problem("finding", f"{name} was collected and not judged", record=index)
        self._collection(sweep, missing)
        if SWEEP_UNIT not in sweep.findings:
            self.tally.problem("finding", "the collection itself was not judged", record=index)
        for remark in closing_remarks(sweep, value, whole=self.view.whole):
            self._remark(remark, index)
        for name in value["missing"]:
            resource = sweep.asked.get(name, {}).get("resource")
            if self.view.concerns(resource or ""):
                self.tally.gap("unit", f"{name} was planned and not collected", record=index, resource=resource, sweep=sweep.name)
        for name, planned in sweep.asked.items() if not self.view.whole else ():
            if self.view.concerns(planned["resource"]) and name not in sweep.units and name not in value["missing"]:
                self.tally.problem("closing", f"the records of {name} are not in the bundle", record=index)
        if sweep.early:
            self.tally.note(f"sweep {sweep.name}: {sweep.early} records have a time before that of their plan")
        self._finish_sweep(index, sweep, value)

    def _finish_sweep(self, index: int, sweep: SweepState, value: Json) -> None:
        self.closings.append(Closed(index, value["at"], value["slot"]))
        self._done[sweep.name] = (index, frozenset(value["missing"]))
        del self._sweeps[sweep.name.encode()]
        for plan in reversed(self.plans):
            if plan.name == sweep.name:
                plan.closed = True
                break

    def finish(self) -> None:
        """There are no more records."""
        self._end_run()
        for digest, records in self._without_body.items():
            if records > 1:
                self.tally.note(f"{records} records name the body {digest}, which is missing or altered")
        for sweep in self._sweeps.values():
            if sweep.plan is None:
                self.tally.problem("plan", f"sweep {sweep.name} has records and no plan", record=sweep.first)
            elif not sweep.outside:
                if sweep.about_collection:
                    self.tally.unchecked(f"the findings about the collection of sweep {sweep.name}: it was not closed")
                self.tally.gap("sweep", "the sweep was planned and never closed", record=sweep.records.plan_record, sweep=sweep.name)


@lru_cache(maxsize=4096)
def _moment(date: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(date)
    except (ValueError, TypeError):
        return None
    return moment if moment.tzinfo else None
