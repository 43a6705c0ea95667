"""What a verification comes to: problems, gaps, what was checked, what was not. Plain values, and the tally they are gathered in.

A *problem* is evidence that is not what it should be; a *gap* is evidence that says itself, or shows, that something was not collected.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from shared.canonical import Json

LISTED = 1_000
"""Problems, and gaps, that are listed; more of them are only counted. A question that fails sweep after sweep is listed once, with how often."""

Progress = Callable[[str, int, int], None]
"""Told of (what is being done, how much of it is done, how much there is)."""


def no_progress(_what: str, _done: int, _total: int) -> None:
    """Nobody is watching."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is not what it should be, and where."""

    what: str
    """The sort of thing: batch, entries, tile, commit, checkpoint, body, record, plan, answer, finding, closing, zip, manifest, …"""
    reason: str
    """One sentence."""
    record: int | None = None
    """Index in the log, where it is about a record."""
    file: str | None = None
    """Path in the store or in the bundle, where it is about one."""

    def line(self) -> str:
        """The problem as one line of text."""
        return f"{_place(self.record, self.file)}{self.reason}"


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that was not collected, as the evidence itself says or shows."""

    what: str
    """`slot`, `sweep`, `unit`, `failure`, `item` or `unsigned`."""
    reason: str
    record: int | None = None
    resource: str | None = None
    sweep: str | None = None
    times: int = 1
    """How often the same failure is there; `record` and `sweep` are of the first."""
    last_record: int | None = None
    """Index of the last of them."""

    def line(self) -> str:
        """The gap as one line of text."""
        about = f" ({self.resource})" if self.resource else ""
        if self.times > 1:
            return f"{self.times:,} times, records {self.record} to {self.last_record}: {self.reason}{about}"
        return f"{_place(self.record, None)}{self.reason}{about}"


def _place(record: int | None, file: str | None) -> str:
    places = [f"record {record}"] if record is not None else []
    places += [file] if file is not None else []
    return f"{', '.join(places)}: " if places else ""


UNSCHEDULED = "times without a schedule"
"""Among the counts, where some of the time no schedule was declared, or no sweep is there at all: 1."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome. `as_json` is what `verify --json` prints."""

    source: str
    """`bundle` or `store`."""
    identity: str | None
    """Of a bundle: the SHA-256 of its manifest."""
    origin: str
    size: int
    """Records in the log that the newest checkpoint covers."""
    root: str
    """Root hash of that checkpoint, hexadecimal."""
    period: tuple[str, str] | None
    problems: tuple[Problem, ...]
    gaps: tuple[Gap, ...]
    counts: dict[str, int]
    """How much was looked at: records, bodies, findings, sweeps, …; `problems` and `gaps` with those not listed."""
    checked: tuple[str, ...]
    not_checked: tuple[str, ...]
    notes: tuple[str, ...]
    """What is no problem and no gap, and worth knowing."""

    @property
    def intact(self) -> bool:
        """Whether nothing was changed, cut off or judged otherwise than the bodies say."""
        return not self.problems

    @property
    def complete(self) -> bool:
        """Whether nothing that was due is missing."""
        return not self.gaps

    @property
    def exit_code(self) -> int:
        """That of the command line (DESIGN.md section 8)."""
        return 1 if self.problems else 3 if self.gaps else 0

    def as_json(self) -> Json:
        """One JSON document."""
        value = asdict(self)
        value["period"] = {"from": self.period[0], "to": self.period[1]} if self.period else None
        return {**value, "intact": self.intact, "complete": self.complete, "exit_code": self.exit_code}

    def as_lines(self) -> list[str]:
        """The same for people: the answer first, then problems, gaps (what was missed once before what fails always), what was checked and what was not."""
        lines = [self._answer()]
        lines += _section("Problems", [problem.line() for problem in self.problems], self.counts["problems"])
        lines += _section("Not collected", [gap.line() for gap in sorted(self.gaps, key=lambda gap: gap.times)], self.counts["gaps"], sum(gap.times for gap in self.gaps))
        lines += _section("Checked", self.checked)
        lines += _section("Not checked", self.not_checked)
        lines += _section("Worth knowing", self.notes)
        return lines

    def _answer(self) -> str:
        log = f"log {self.origin}, {self.size} records"
        if self.problems:
            return f"NOT INTACT: {_count(self.counts['problems'], 'problem')} ({log})"
        if self.gaps:
            return f"Intact, but incomplete: {_count(self.counts['gaps'], 'gap')} ({log})"
        if self.counts.get(UNSCHEDULED):
            return f"Intact, and all that was planned is there; that no sweep is missing cannot be said without a schedule ({log})"
        return f"Intact and complete ({log})"


def _section(title: str, lines: "tuple[str, ...] | list[str]", total: int = 0, told: int | None = None) -> list[str]:
    """`told`: for how many of the total the lines stand, where it is not one each."""
    more = total - (len(lines) if told is None else told)
    rest = [f"  … and {more} more"] if more > 0 else []
    return [f"{title}:", *(f"  {line}" for line in lines), *rest] if lines else []


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def shown(value: object) -> str:
    """Text out of the evidence, made safe to print: no control characters, not long."""
    text = "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in str(value)[:301])
    return text if len(text) <= 300 else text[:299] + "…"


@dataclass(slots=True)
class Tally:
    """Where the parts of a verification write down what they find."""

    problems: list[Problem] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    checked: list[str] = field(default_factory=list)
    not_checked: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _failures: dict[tuple[str, str | None], int] = field(default_factory=dict)
    """Of each failure that is listed, by reason and resource: its place among the gaps."""

    def problem(self, what: str, reason: str, *, record: int | None = None, file: str | None = None) -> None:
        """Note a problem."""
        self.counts["problems"] += 1
        found = Problem(what, shown(reason), record, shown(file) if file is not None else None)
        if len(self.problems) < LISTED and self.problems[-1:] != [found]:  # said over and over, it hides what else there is
            self.problems.append(found)

    def gap(self, what: str, reason: str, *, record: int | None = None, resource: str | None = None, sweep: str | None = None) -> None:
        """Note a gap."""
        self.counts["gaps"] += 1
        place = self._failures.get((reason, resource)) if what == "failure" else None
        if place is not None:
            self.gaps[place] = replace(self.gaps[place], times=self.gaps[place].times + 1, last_record=record)
        elif len(self.gaps) < LISTED:
            if what == "failure":
                self._failures[reason, resource] = len(self.gaps)
            safe = shown(resource) if resource else None
            self.gaps.append(Gap(what, shown(reason), record, safe, shown(sweep) if sweep else None))

    def unchecked(self, sentence: str) -> None:
        """Note once that something was not checked."""
        if sentence not in self.not_checked:
            self.not_checked.append(shown(sentence))

    def note(self, sentence: str) -> None:
        """Note once what is worth knowing (the first 100 things)."""
        if sentence not in self.notes and len(self.notes) < 100:
            self.notes.append(shown(sentence))

    def verdict(
        self, source: str, *, origin: str, size: int, root: bytes, identity: str | None = None, period: tuple[str, str] | None = None
    ) -> Verdict:
        """The outcome of what was noted."""
        counts = {name: self.counts[name] for name in sorted({*self.counts, "problems", "gaps"})}
        return Verdict(
            source, identity, shown(origin), size, root.hex(), period, tuple(self.problems), tuple(self.gaps), counts,
            tuple(self.checked), tuple(self.not_checked), tuple(self.notes),
        )  # fmt: skip
