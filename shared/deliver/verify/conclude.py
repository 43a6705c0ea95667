"""Conclusions as they come by: the findings of a unit are judged again when the first of them is seen, since all it rests on came before."""

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.verify.attributions import Attributions
from shared.deliver.verify.bodies import Parsed
from shared.deliver.verify.deletions import Deletions, told
from shared.deliver.verify.findings import Recomputation, Run
from shared.deliver.verify.intake import Intake
from shared.deliver.verify.sweep import SweepState
from shared.deliver.verify.verdict import Tally
from shared.deliver.verify.view import View
from shared.judge.assemble import SWEEP_UNIT

TYPES = frozenset({"finding", "change", "attribution", "deletion"})

KEPT = 1_000
"""Findings about the collection of one sweep, at most: they wait for its closing record."""


class Conclusions:
    """Takes in findings, changes, attributions and deletions."""

    def __init__(self, tally: Tally, bodies: Parsed, view: View, intake: Intake) -> None:
        self._tally = tally
        self._view = view
        self._intake = intake
        self._judge = Recomputation(bodies, tally)
        self.deletions = Deletions(tally, bodies)
        self.attributions = Attributions(tally, bodies, from_start=view.from_start)
        self._cannot: set[str] = set()
        self.named: set[int] = set()
        """In a bundle: the records that attributions rest on, which may lie outside its period."""
        self.run: Run | None = None
        """The unit whose findings are being read."""

    def of_another(self, value: Json) -> bool:
        """Whether a record does not belong to the run that is being read."""
        run = self.run
        return run is not None and (value["type"] not in TYPES or (value["sweep"], value["unit"]) != (run.sweep.name, run.unit))

    def take(self, sweep: SweepState, index: int, value: Json, line: bytes) -> None:
        """Take in a conclusion of a sweep that is open."""
        for record in [value["from"], value["to"]] if value["type"] == "change" else value.get("records", ()):
            if record is not None and record >= index:
                self._tally.problem(value["type"], f"rests on record {record}, which comes later", record=index)
        if value["unit"] == SWEEP_UNIT:
            self._about_collection(sweep, index, value, line)
            return
        if self.run is None:
            self.run = Run(sweep, value["unit"], index, [], self._tally)
        if value["type"] == "deletion":
            self._deletion(self.run, index, value)
        elif not self.run.begun:
            self._judge_again(self.run, index, value)
        self.run.other(index, value, line)
        if value["type"] == "change":
            self.attributions.changed(index, value)
        elif value["type"] == "attribution":
            self.named.update(() if self._view.from_start else value["records"])
            self.attributions.take(sweep, index, value)

    def _about_collection(self, sweep: SweepState, index: int, value: Json, line: bytes) -> None:
        place = sweep.findings.setdefault(SWEEP_UNIT, [index, 0])
        if sum(place) != index:
            self._tally.problem("finding", "the findings about the collection do not stand together", record=index)
        place[1] += 1
        if len(sweep.about_collection) < KEPT:
            sweep.about_collection.append((index, value, line))

    def _deletion(self, run: Run, index: int, value: Json) -> None:
        """What is gone comes before what is judged with it."""
        if run.begun:
            self._tally.problem("deletion", f"stands after the findings of {run.unit}, which are judged with it", record=index)
        run.deletions.append((index, value))
        run.sweep.deletions[value["account"]] += 1
        self.deletions.take(index, value, run.sweep.asked.get(run.unit, {}).get("resource") or "")

    def _judge_again(self, run: Run, index: int, value: Json) -> None:
        """The first conclusion about a unit after what is gone: judge it again."""
        sweep, name = run.sweep, run.unit
        run.begun, run.recomputed = True, self._is_ours(value)
        unit = sweep.units.get(name)
        if name in sweep.findings:
            self._tally.problem("finding", f"{name} was judged already, at record {sweep.findings[name][0]}", record=index)
            run.recomputed = False
        elif unit is None or unit.first < 0 or name not in sweep.asked:
            self._tally.problem("finding", f"is about {name}, which brought no answers", record=index)
            run.recomputed = False
        elif not unit.settled:
            self._intake.settle(sweep, name, unit, index)
            self.deletions.unit(sweep, name, unit, run.deletions, index)
            if run.recomputed:
                gone = [told(deletion) for _, deletion in run.deletions]
                try:
                    run.expected = self._judge.of_unit(sweep, name, unit, value["profile"], value["at"], gone)
                except rejudge.CannotJudgeError as error:
                    self._cannot_judge(error, index)
                    run.recomputed = False
            unit.judged = True
            unit.forget()

    def _is_ours(self, value: Json) -> bool:
        """Whether a finding was made by the catalogue that is here."""
        if value["type"] == "finding" and value["catalogue"] == rejudge.catalogue_version():
            return True
        version = value.get("catalogue", "unknown")
        self._tally.unchecked(f"findings by catalogue {version}: this version has {rejudge.catalogue_version()}; verify with the release that made them")
        return False

    def collection(self, sweep: SweepState, missing: frozenset[str], index: int) -> None:
        """Judge the collection again, now that its closing record at `index` says what was missing."""
        if SWEEP_UNIT not in sweep.findings:
            self._tally.problem("finding", "the collection itself was not judged", record=index)
            return
        first_index, first, _ = sweep.about_collection[0]
        if not self._is_ours(first):
            return
        run = Run(sweep, SWEEP_UNIT, first_index, [], self._tally)
        run.only = None if self._view.whole else rejudge.filed_controls()
        try:
            run.expected = self._judge.of_sweep(sweep, first, missing, whole=self._view.whole)
        except rejudge.CannotJudgeError as error:
            self._cannot_judge(error, first_index)
            return
        for place, value, line in sweep.about_collection:
            run.other(place, value, line)
        self._tally.counts["findings recomputed"] += run.close()

    def _cannot_judge(self, error: rejudge.CannotJudgeError, index: int) -> None:
        if str(error) not in self._cannot:
            self._tally.problem("finding", f"cannot be judged again: {error}", record=index)
            self._cannot.add(str(error))
        self._tally.unchecked(f"findings that cannot be judged again: {error}")

    def end(self) -> None:
        """The run that is being read is over."""
        if self.run is not None:
            run, self.run = self.run, None
            planned = run.sweep.asked.get(run.unit)
            if planned is None or self._view.concerns(planned["resource"]):  # of other units, deletions alone are here
                run.sweep.findings[run.unit] = [run.first, run.count]
            self.attributions.end(run.sweep.plan)
            self._tally.counts["findings"] += run.unread
            self._tally.counts["findings recomputed"] += run.close()
