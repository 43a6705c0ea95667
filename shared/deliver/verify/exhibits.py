"""Exhibits as they come by: what was on file when a sweep was planned, and whether an act about one was left out."""

from dataclasses import dataclass, field

from shared.canonical import Json
from shared.deliver.bundle.manifest import EXHIBITS, exhibit_path
from shared.deliver.verify.package import Package
from shared.deliver.verify.verdict import Tally
from shared.judge.exhibits import Exhibit, exhibits_of


def kept_file(said: Json) -> list[tuple[str, int]]:
    """Digest and size of the file that the store has of it, where it has one."""
    return [(said["file"]["sha256"], said["file"]["bytes"])] if said["action"] == "add" and said["file"]["kept"] else []


@dataclass(slots=True)
class Exhibits:
    """Takes in the acts by which documents were filed and withdrawn, in the order of the log: there are few."""

    tally: Tally
    acts: list[tuple[int, str, Json]] = field(default_factory=list)
    """Index, time, and what it says."""

    @property
    def records(self) -> set[int]:
        """Where they are: a bundle has all of them, whenever they were sealed."""
        return {index for index, _, _ in self.acts}

    def take(self, index: int, value: Json) -> None:
        """Take in one whose fields were checked."""
        self.acts.append((index, value["at"], value["exhibit"]))

    def among(self, size: int) -> tuple[Exhibit, ...]:
        """What was filed among the first `size` records of the log, which must have been taken in."""
        return tuple(exhibits_of(act for act in self.acts if act[0] < size))

    def finish(self) -> None:
        """There are no more records: their numbers, from 1 on, must have no gap, and none twice."""
        numbers: dict[int, int] = {}
        for index, _, said in self.acts:
            if said["number"] in numbers:
                self.tally.problem("exhibit", f"has the number {said['number']}, which record {numbers[said['number']]} has", record=index)
            numbers[said["number"]] = index
        lacking = sorted(set(range(1, len(numbers) + 1)) - numbers.keys())
        if lacking:
            self.tally.problem("exhibit", f"the act {lacking[0]} about an exhibit is not here, and a later one is: it was left out", record=max(numbers.values()))
        if self.acts:
            self.tally.unchecked("whether the exhibits are genuine, and say what they were filed for: what is sealed is that somebody filed documents with these digests")

    def check_files(self, package: Package) -> None:
        """Of a bundle: the file of each exhibit that is kept and about the period is there, and is what was filed."""
        found = 0
        for one in exhibits_of(self.acts):
            name = exhibit_path(one.number, one.name)
            if not one.concerns(*package.manifest.period):
                continue
            if not one.kept:
                self.tally.unchecked(f"exhibit {one.number} against its file, which is not in the evidence: the document must have the SHA-256 {one.sha256}")
            elif not package.has(name):
                self.tally.problem("exhibit", f"the file of exhibit {one.number} is not in the bundle", record=one.record, file=name)
            elif (digest := package.digest_of(name)) is not None and (digest, package.size_of(name)) != (one.sha256, one.bytes):
                self.tally.problem("exhibit", f"the file is not the one that was filed as exhibit {one.number}", record=one.record, file=name)
            else:
                found += 1
        if package.names(EXHIBITS):
            self.tally.checked.append(f"each file of an exhibit ({found:,}) has the digest that was sealed when it was filed")
