"""Waivers as they come by: what had been waived when a sweep was planned, and whether an act about one was left out."""

from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver.verify.verdict import Tally
from shared.judge.waivers import Waiver, numbered_acts, sealed_waivers


@dataclass(slots=True)
class Waivers:
    """Takes in the acts by which waivers were granted and ended, in the order of the log: there are few."""

    tally: Tally
    acts: list[tuple[int, str, Json]] = field(default_factory=list)
    """Index, time, and what it says."""
    _known: tuple[int, tuple[Waiver, ...]] = (0, ())
    """What so many of them amount to: there are thousands of sweeps, and few acts."""

    @property
    def records(self) -> set[int]:
        """Where they are: a bundle has all of them, whenever they were sealed."""
        return {index for index, _, _ in self.acts}

    def take(self, index: int, value: Json) -> None:
        """Take in one whose fields were checked."""
        self.acts.append((index, value["at"], value["waiver"]))

    def among(self, size: int) -> tuple[Waiver, ...]:
        """What was waived among the first `size` records of the log, which must have been taken in."""
        within = [act for act in self.acts if act[0] < size]
        if len(within) != self._known[0]:
            self._known = (len(within), tuple(sealed_waivers(within)))
        return self._known[1]

    def finish(self) -> None:
        """There are no more records: their numbers, from 1 on, must have no gap, and none twice. Old ones that say none have those that are free."""
        numbers: dict[int, int] = {}
        for index, number, _, _ in numbered_acts(self.acts):
            if number in numbers:
                self.tally.problem("waiver", f"has the number {number}, which record {numbers[number]} has", record=index)
            numbers[number] = index
        lacking = sorted(set(range(1, len(numbers) + 1)) - numbers.keys())
        if lacking:
            self.tally.problem("waiver", f"the act {lacking[0]} about a waiver is not here, and a later one is: it was left out", record=max(numbers.values()))
