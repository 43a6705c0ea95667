"""Reading every record in the order of the log, and asking of each sweep what an auditor would: was everything that was planned collected,
is everything that was collected here, does everything that was concluded follow?

Told of lines, it writes down problems and gaps; it never raises on any line. That the lines are those of the log is for others to see to.
"""

from shared.canonical import Json
from shared.deliver import shapes
from shared.deliver.verify.answers import population_remarks
from shared.deliver.verify.baselines import Approvals
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.closing import Closed, closing_remarks, deletion_remarks, plan_remarks
from shared.deliver.verify.conclude import TYPES as CONCLUSIONS
from shared.deliver.verify.conclude import Conclusions
from shared.deliver.verify.deletions import Read
from shared.deliver.verify.exhibits import Exhibits, kept_file
from shared.deliver.verify.intake import Intake
from shared.deliver.verify.sweep import SweepState
from shared.deliver.verify.trust import Trust
from shared.deliver.verify.verdict import Tally
from shared.deliver.verify.view import Plan, View
from shared.deliver.verify.waivers import Waivers
from shared.judge.assemble import PLAN_UNIT
from shared.records import whole

UNCOUNTED = "whether a deletion was left out that was concluded with a subscription's answers: closing records of an older version do not count them"


class Examiner:
    """Takes in records; what it leaves is `plans`, `beyond`, `closings` and what it wrote into the tally."""

    def __init__(self, tally: Tally, bodies: Parsed, view: View, trust: Trust) -> None:
        """`trust` is told of every record that may change the keys: of all but findings and answers whose every byte is accounted for."""
        self.tally = tally
        self.bodies = bodies
        self.view = view
        self._trust = trust
        self.plans: list[Plan] = []
        self.beyond: list[Plan] = []
        """Sweeps of other times than the view's period."""
        self.closings: list[Closed] = []
        self.origin: str | None = None
        """What the first record says the log is called."""
        self.exhibits = Exhibits(tally)
        self.waivers = Waivers(tally)
        self.approvals = Approvals(tally)
        self.format: Json = None
        """Its format, as the first record says."""
        self._sweeps: dict[bytes, SweepState] = {}
        self._done: dict[str, tuple[int, frozenset[str]]] = {}
        """Sweeps that were closed: index of the closing record, and the units it calls missing."""
        self._intake = Intake(tally, bodies, view)
        self._conclusions = Conclusions(tally, bodies, view, self._intake)

    @property
    def last_at(self) -> str:
        """The latest time of any record."""
        return self._intake.last_at

    @property
    def named(self) -> set[int]:
        """The records that conclusions rest on, wherever they are: of attributions only in a bundle."""
        return self._conclusions.deletions.named | self._conclusions.named

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take in the records from the index `first` on."""
        usual, sweeps, intake, conclusions = shapes.USUAL, self._sweeps, self._intake, self._conclusions
        position, end = 0, len(lines)
        while position < end:
            if conclusions.run is not None and (came := conclusions.run.matched(lines, position)):
                position += came
                continue
            line = lines[position]
            found = usual(line)
            sweep = sweeps.get(found[11]) if found else None
            if found is not None and sweep is not None and intake.usual(sweep, first + position, found.groups()):
                if conclusions.run is not None:
                    conclusions.end()
            else:
                self._other(first + position, line)
            position += 1

    def _other(self, index: int, line: bytes) -> None:
        """A record that is neither an awaited finding nor an observation in the usual shape."""
        self._trust.take(index, [line])
        try:
            stored = shapes.parse(line)
            for place in stored.get("overflow", {}).values():
                self._intake.body(index, place["sha256"], place["bytes"])
            value = whole(stored, self.bodies.load) if "overflow" in stored else stored
            shapes.check_fields(value)
        except (shapes.RecordError, BodyError) as error:
            self._conclusions.end()
            self.tally.problem("record", str(error), record=index)
            return
        for digest, size in shapes.bodies_of(value):
            self._intake.body(index, digest, size)
        if self._conclusions.of_another(value):
            self._conclusions.end()
        self.tally.counts[f"{value['type']}s" if value["type"] in shapes.KNOWN_TYPES else "unknown"] += 1
        self._intake.last_at = max(self._intake.last_at, value["at"])
        if value["type"] in ("waiver", "baseline", "exhibit"):
            self._act(index, value)
        if index == 0:
            self._first(value)
        if value["type"] in ("observation", "failure", "event"):
            self._conclusions.attributions.told(index, value)
        if value["type"] not in shapes.KNOWN_TYPES:
            self.tally.unchecked(f"what records of type {value['type']} say: this version does not know them")
        if value["sweep"] is not None:
            self._of_sweep(index, value, line)

    def _act(self, index: int, value: Json) -> None:
        """What somebody decided."""
        if value["type"] == "waiver":
            self.waivers.take(index, value)
        elif value["type"] == "baseline":
            closed = {name: record for name, (record, _) in self._done.items()}
            self.approvals.take(index, value["baseline"], closed, whole=self.view.period is None)
        else:
            self.exhibits.take(index, value)
            for digest, size in kept_file(value["exhibit"]) if self.view.period is None else ():  # of a bundle, its file is looked for there
                self._intake.body(index, digest, size)

    def _first(self, value: Json) -> None:
        store = value.get("store")
        if value["type"] != "event" or not isinstance(store, dict) or not isinstance(store.get("origin"), str):
            self.tally.problem("record", "the first record of a log says what store it is of, and this one does not", record=0)
            return
        self.origin, self.format = store["origin"], store.get("format")

    # -- sweeps ---------------------------------------------------------------------------------------------------------

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
                self._intake.check(sweep, index, value)
            sweep.records.add(index, value)
        elif sweep.outside:
            return
        elif kind in ("observation", "failure"):
            self._intake.check(sweep, index, value)
            self._intake.keep(sweep, index, value)
        elif kind in CONCLUSIONS:
            self._conclusions.take(sweep, index, value, line)
        elif kind == "sweep-closed":
            self._closed(index, sweep, value)

    def _begins(self, index: int, value: Json) -> bool:
        """Whether this is the first record of a sweep; otherwise it is of one that began before what is read."""
        if value["type"] in ("retention", "sweep-planned") or value.get("unit") == PLAN_UNIT or self.view.from_start:
            return True
        if value["type"] == "sweep-closed":
            self._note_closing(index, value)
        self.tally.counts["records of sweeps that began before"] += 1
        return False

    def _note_closing(self, index: int, value: Json) -> None:
        slots = [slot for slot in (value["slot"], self.closings[-1].slot if self.closings else None) if slot]
        self.closings.append(Closed(index, value["at"], max(slots, default=None)))

    def _late(self, index: int, value: Json) -> None:
        closed, missing = self._done[value["sweep"]]
        if value.get("unit") in missing and value["type"] in ("observation", "failure"):
            self.tally.counts["late records"] += 1
            self.tally.note(f"sweep {value['sweep']}: {value['unit']} arrived after the sweep was closed; it was not judged")
        else:
            self.tally.problem("record", f"comes after the closing record of its sweep, at {closed}", record=index)

    def _planned(self, index: int, sweep: SweepState, value: Json) -> None:
        if sweep.plan is not None:
            self.tally.problem("plan", f"the sweep was planned already, at record {sweep.records.plan_record}", record=index)
            return
        sweep.planned(index, value)
        sweep.records.exhibits = self.exhibits.among(value["log"]["size"])
        sweep.records.waivers = self.waivers.among(value["log"]["size"])
        sweep.outside = self.view.outside(sweep)
        plan = Plan(sweep.name, index, value["at"], value["slot"], value["schedule"], value["previous"], value["scope"]["resources"] is not None)
        (self.beyond if sweep.outside else self.plans).append(plan)
        if sweep.outside:
            return
        self._intake.planned(index, value)
        remarks = list(plan_remarks(sweep, index, self.closings, from_start=self.view.from_start))
        if self.view.whole:
            remarks += population_remarks(sweep, self.bodies)
        for remark in remarks:
            self._intake.remark(remark, index)
        if value["scope"]["subscriptions"] is not None or value["scope"]["resources"] is not None:
            self.tally.unchecked("what lies outside the scope that sweeps declare in their plans (some name subscriptions or resources)")
        if len(self.plans) > 1 and value["at"] < self.plans[-2].at:
            self.tally.note(f"sweep {sweep.name} has an earlier time than the one planned before it: the collector's clock was set back")

    def _closed(self, index: int, sweep: SweepState, value: Json) -> None:
        missing = frozenset(value["missing"])
        for name, unit in sweep.units.items():
            if unit.first < 0:
                continue
            if not unit.settled:
                self._intake.settle(sweep, name, unit, index)
            if name in missing:
                self.tally.note(f"sweep {sweep.name}: {name} arrived while the sweep was being closed; it was not judged")
            elif not unit.judged:
                self.tally.problem("finding", f"{name} was collected and not judged", record=index)
        self._conclusions.collection(sweep, missing, index)
        for remark in (*closing_remarks(sweep, value, whole=self.view.whole), *deletion_remarks(sweep, value, self.view)):
            self._intake.remark(remark, index)
        if "deletions" not in value and not self.view.whole:
            self.tally.unchecked(UNCOUNTED)
        self._missing(index, sweep, missing)
        if sweep.early:
            self.tally.note(f"sweep {sweep.name}: {sweep.early} records have a time before that of their plan")
        self._note_closing(index, value)
        self._done[sweep.name] = (index, missing)
        del self._sweeps[sweep.name.encode()]

    def _missing(self, index: int, sweep: SweepState, missing: frozenset[str]) -> None:
        """Gaps for the units that were not collected; of a bundle about some resources, what should be here and is not."""
        for name in sorted(missing):
            resource = sweep.asked.get(name, {}).get("resource")
            if self.view.concerns(resource or ""):
                self.tally.gap("unit", f"{name} was planned and not collected", record=index, resource=resource, sweep=sweep.name)
        for name, planned in sweep.asked.items() if not self.view.whole else ():
            if self.view.concerns(planned["resource"]) and name not in sweep.units and name not in missing:
                self.tally.problem("closing", f"the records of {name} are not in the bundle", record=index)

    def finish(self, read: Read) -> None:
        """There are no more records. `read`: gives those that deletions rest on a second time."""
        self._conclusions.end()
        self._conclusions.deletions.finish(read)
        self._intake.finish()
        self.exhibits.finish()
        self.waivers.finish()
        self.approvals.finish()
        for sweep in self._sweeps.values():
            if sweep.plan is None:
                self.tally.problem("plan", f"sweep {sweep.name} has records and no plan", record=sweep.first)
            elif not sweep.outside:
                if sweep.about_collection:
                    self.tally.unchecked(f"the findings about the collection of sweep {sweep.name}: it was not closed")
                self.tally.gap("sweep", "the sweep was planned and never closed", record=sweep.records.plan_record, sweep=sweep.name)
