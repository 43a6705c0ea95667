"""Approvals of a state as they come by: whether each is of what was sealed before it, and whether one was left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver.verify.verdict import Tally


@dataclass(slots=True)
class Approvals:
    """Takes in the acts by which states were approved, in the order of the log: there are few."""

    tally: Tally
    numbers: dict[int, int] = field(default_factory=dict)
    """The record of each number."""
    records: set[int] = field(default_factory=set)
    """Where they are: a bundle has all of them, whenever they were sealed."""

    def take(self, index: int, said: Json, closed: Mapping[str, int], *, whole: bool) -> None:
        """Take in one whose fields were checked. `closed`: the closing records, by sweep, that came by; `whole`: all that there are before."""
        sweep, last = said["sweep"], said["size"] - 1
        if not said["from"] <= last < index:
            self.tally.problem("baseline", f"approves the records {said['from']} to {last}, which were not all sealed before it", record=index)
        elif closed.get(sweep, None if whole else last) != last:
            where = f"was closed at record {closed[sweep]}" if sweep in closed else "was not closed before"
            self.tally.problem("baseline", f"approves the state as of sweep {sweep}, closed at record {last}; that sweep {where}", record=index)
        if said["number"] in self.numbers:
            self.tally.problem("baseline", f"has the number {said['number']}, which record {self.numbers[said['number']]} has", record=index)
        self.numbers[said["number"]] = index
        self.records.add(index)

    def finish(self) -> None:
        """There are no more records: their numbers, from 1 on, must have no gap."""
        lacking = sorted(set(range(1, len(self.numbers) + 1)) - self.numbers.keys())
        if lacking:
            self.tally.problem("baseline", f"the approval {lacking[0]} is not here, and a later one is: it was left out", record=max(self.numbers.values()))
        if self.records:
            self.tally.checked.append(f"each approval of a baseline ({len(self.records):,}) is of records sealed before it, and none before the last is missing")
