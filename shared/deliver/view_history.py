"""Status over time, run-length encoded while records stream by: what is kept does not grow with the number of sweeps.

Two statuses of a control and resource join into one run when no complete pass lies between them that judged it otherwise or not at
all; a sweep narrowed to some resources says nothing about the others, so it interrupts no run.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.deliver.view_model import CountRun, History, Run
from shared.model import Status

Key = tuple[str, str | None]
"""Control and resource."""


@dataclass(slots=True)
class _Open:
    status: Status
    first: int
    last: int
    sweeps: int


@dataclass(slots=True)
class Passes:
    """The sweeps in the order of planning: which were complete passes, and when they were planned."""

    planned_at: list[str] = field(default_factory=list)
    narrowed: list[bool] = field(default_factory=list)
    _before: list[int] = field(default_factory=list)

    def add(self, planned_at: str, *, narrowed: bool) -> int:
        """Note a sweep; return its number."""
        number = len(self.planned_at)
        self._before.append(self._before[-1] + (not self.narrowed[-1]) if number else 0)
        self.planned_at.append(planned_at)
        self.narrowed.append(narrowed)
        return number

    def skipped(self, last: int, now: int) -> int:
        """How many complete passes lie strictly between the sweeps `last` and `now`."""
        return self._before[now] - self._before[last] - (not self.narrowed[last])


@dataclass(slots=True)
class StatusRuns:
    """The runs of every control × resource."""

    passes: Passes
    _runs: dict[Key, list[_Open]] = field(default_factory=dict)

    def add(self, control: str, resource: str | None, status: Status, sweep: int) -> None:
        """Note the status that the sweep numbered `sweep` came to."""
        runs = self._runs.setdefault((control, resource), [])
        run = runs[-1] if runs else None
        if run is not None and run.status == status and run.last <= sweep and self.passes.skipped(run.last, sweep) <= 0:
            run.sweeps += run.last != sweep
            run.last = sweep
        else:
            runs.append(_Open(status, sweep, sweep, 1))

    def histories(self) -> tuple[History, ...]:
        """Every history, by control and resource."""
        at = self.passes.planned_at
        ordered = sorted(self._runs.items(), key=lambda item: (item[0][0], item[0][1] or ""))
        return tuple(
            History(control, resource, tuple(Run(r.status, r.first, r.last, r.sweeps, at[r.first], at[r.last]) for r in runs))
            for (control, resource), runs in ordered
        )


@dataclass(slots=True)
class CountRuns:
    """Of every control: how many resources had which status, over the complete passes."""

    _runs: dict[str, list[CountRun]] = field(default_factory=dict)

    def add(self, control: str, counts: Mapping[Status, int], sweep: int) -> None:
        """Note the counts of the sweep numbered `sweep`."""
        runs = self._runs.setdefault(control, [])
        if runs and runs[-1].counts == counts:
            runs[-1] = CountRun(runs[-1].first, sweep, runs[-1].counts)
        else:
            runs.append(CountRun(sweep, sweep, dict(counts)))

    def of(self, control: str) -> tuple[CountRun, ...]:
        """The runs of `control`."""
        return tuple(self._runs.get(control, ()))
