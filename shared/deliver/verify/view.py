"""Which part of a log is read, and what is remembered of each sweep that was planned."""

from dataclasses import dataclass

from shared.canonical import Json
from shared.deliver.bundle.manifest import selects
from shared.deliver.verify.sweep import SweepState


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
    """What is remembered of a sweep."""

    name: str
    record: int
    at: str
    slot: str | None
    schedule: str | None
    previous: Json
    narrowed: bool = False
    """Whether it was to look at named accounts alone."""

    @property
    def time(self) -> str:
        """The time by which it belongs to a period."""
        return self.slot or self.at
