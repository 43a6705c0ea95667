"""Status over the period as a strip: one small picture per control, or per control and resource, all on the same axis.

Status is told by height and texture as well as by colour: satisfied is low, unknown is half and hatched, not satisfied is full.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.deliver.report.axis import Axis, Span
from shared.deliver.report.text import status_word, when
from shared.deliver.view_model import Headline, History, PeriodView, Run
from shared.deliver.view_population import worst
from shared.deliver.view_sweeps import Sweep
from shared.model import Status

WIDTH: Final = 240.0
MOST_SAID: Final = 8
"""Runs that the text alternative names; the rest is counted."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of one status."""

    status: str
    span: Span


@dataclass(frozen=True, slots=True)
class Strip:
    """What the template draws, and says to those who do not see it."""

    segments: tuple[Segment, ...]
    said: str


def control_strip(headline: Headline, view: PeriodView, axis: Axis) -> Strip:
    """The worst status of a control, pass after pass."""
    runs: list[Run] = []
    for each in headline.runs:
        status = worst(status for status, count in each.counts.items() if count)
        if status is None:
            continue
        if runs and runs[-1].status == status:
            runs[-1] = _run(status, runs[-1].first, each.last, view.sweeps)
        else:
            runs.append(_run(status, each.first, each.last, view.sweeps))
    return strip(runs, view, axis)


def _run(status: Status, first: int, last: int, sweeps: Sequence[Sweep]) -> Run:
    return Run(status, first, last, 0, sweeps[first].planned_at, sweeps[last].planned_at)


def history_strip(history: History, view: PeriodView, axis: Axis) -> Strip:
    """The status of a control for one resource."""
    return strip(history.runs, view, axis)


def strip(runs: Sequence[Run], view: PeriodView, axis: Axis) -> Strip:
    """Runs as segments; each lasts until the next complete pass after it, since nobody looked before."""
    segments = tuple(Segment(run.status, axis.span(run.since, _until(run, view.sweeps), least=2)) for run in runs)
    said = [f"{status_word(run.status).lower()} {when(run.since)} to {when(run.until)}" for run in runs[:MOST_SAID]]
    more = len(runs) - MOST_SAID
    return Strip(segments, "; ".join(said) + (f"; and {more} more" if more > 0 else ""))


def _until(run: Run, sweeps: Sequence[Sweep]) -> str:
    following = run.last + 1
    while following < len(sweeps) and sweeps[following].narrowed:
        following += 1
    return sweeps[following].planned_at if following < len(sweeps) else run.until


def in_words(history: History) -> str:
    """How a status went, for a table: `satisfied → not satisfied (2026-11-09 06:00) → satisfied (2026-11-21 06:00)`."""
    first, *rest = history.runs
    said = [status_word(first.status).lower(), *(f"{status_word(run.status).lower()} ({when(run.since)})" for run in rest[:MOST_SAID])]
    more = len(rest) - MOST_SAID
    return " → ".join(said) + (f" … and {more} more times" if more > 0 else "")


def unsteady(history: History) -> bool:
    """Whether it had more than one status."""
    return len({run.status for run in history.runs}) > 1
