"""Sweeps, and how much of a period they cover: plain frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from shared.model import Status

SlotState = Literal["complete", "failures", "missing-units", "not-closed", "gap"]
"""What became of a slot of the schedule; `gap`: no sweep at all."""


@dataclass(frozen=True, slots=True)
class Period:
    """From `start`, included, to `end`, not included."""

    start: str
    end: str


@dataclass(frozen=True, slots=True)
class Sweep:
    """One pass over the scope."""

    name: str
    number: int
    """Its place among the sweeps of the period, from 0, in the order of planning."""
    slot: str | None
    planned_at: str
    closed_at: str | None
    schedule: str | None
    cause: str
    narrowed: bool
    """Whether it was limited to some resources: it says nothing about the others."""
    units: int
    missing: tuple[str, ...]
    """Resources of the units that were planned and brought nothing."""
    failures: int
    complete: bool
    plan_record: int
    closed_record: int | None
    findings: Mapping[Status, int]
    changes: int
    plan_unread: bool = False
    """The list of planned units could not be loaded."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One slot of the declared schedule."""

    time: str
    state: SlotState
    sweep: str | None


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of time; `slots` of the schedule lie in it."""

    start: str
    end: str
    seconds: float
    slots: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of the period."""

    date: str
    expected: int
    swept: int
    """Slots of the day with a sweep."""
    complete: int
    besides: int
    """Sweeps outside the schedule."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of the period was looked at."""

    declared: bool
    """Whether a schedule was declared: without one, no absence of a sweep can be shown."""
    schedules: tuple[str, ...]
    slots: tuple[Slot, ...]
    days: tuple[Day, ...]
    gaps: tuple[Stretch, ...]
    """Runs of slots without a sweep: from the first such slot to the next slot that has one, or the period's end."""
    longest: Stretch | None
    """The longest time between two sweeps that closed, the period's borders included."""
    besides: int
    """Sweeps outside the schedule."""

    def count(self, *states: SlotState) -> int:
        """How many slots are in one of these states."""
        return sum(slot.state in states for slot in self.slots)
