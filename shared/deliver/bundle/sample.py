"""A sample of a bundle's findings that whoever has the bundle draws again, with sha256sum and sort. Pure.

The population is every finding of the bundle that rests on something observed, one a line, in the order of the log: record, month, control, resource, with tabs
between. Its status is not in the line, so that the choice cannot depend on it. Each line is given the SHA-256 of the seed, a tab and the line;
the lines with the smallest digests are the sample: so many in all, or of each stratum. All records stay in the bundle:
that the population is complete is proven as always.
"""

import hashlib
import heapq
import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass, field

from shared.canonical import Json, canonical, sha256
from shared.deliver import rejudge
from shared.errors import Misuse, VerificationError

FOLDER = "sample/"
FACTS, POPULATION, SELECTION = f"{FOLDER}sample.json", f"{FOLDER}population.txt", f"{FOLDER}selection.txt"
STRATA = {"month": 2, "control": 3, "resource": 4}
"""What can be stratified by, and which field of a line that is, from 1."""
MOST = 100_000


@dataclass(frozen=True, slots=True)
class Sample:
    """What to draw: `count` in all, or of each stratum."""

    count: int
    seed: str
    stratify: str | None = None

    def __post_init__(self) -> None:
        """Raises:
        Misuse: it cannot be drawn.
        """
        if not 1 <= self.count <= MOST:
            raise Misuse(f"--sample {self.count}: draw from 1 to {MOST:,} findings")
        if not (self.seed.isascii() and self.seed.isprintable() and 1 <= len(self.seed) <= 200):
            raise Misuse("--seed: take printable ASCII, at most 200 characters; let the auditor choose it")
        if self.stratify is not None and self.stratify not in STRATA:
            raise Misuse(f"--stratify {self.stratify!r}: {', '.join(STRATA)}")

    def commands(self) -> str:
        """How to draw the sample again with a shell, in the folder `sample`."""
        take = f"awk -F'\\t' 'seen[${STRATA[self.stratify] + 1}]++ < {self.count}'" if self.stratify else f"sed {self.count}q"
        digest = f"\"$(printf '%s\\t%s' {shlex.quote(self.seed)} \"$line\" | sha256sum | cut -c1-64)\""
        return f"while IFS= read -r line; do printf '%s\\t%s\\n' {digest} \"$line\"; done < population.txt | LC_ALL=C sort | {take}"


def parse_sample(data: bytes) -> Sample:
    """What `sample.json` says is to be drawn.

    Raises:
        VerificationError: it says nothing of the kind.
    """
    try:
        value = json.loads(data)
        count, seed, stratify = value["count"], value["seed"], value["stratify"]
        if isinstance(count, int) and not isinstance(count, bool) and isinstance(seed, str) and isinstance(stratify, str | None):
            return Sample(count, seed, stratify)
    except (ValueError, KeyError, TypeError, RecursionError, Misuse):
        pass
    raise VerificationError("it does not say what was drawn, and how")


@dataclass(slots=True)
class Sampler:
    """Takes findings in, in the order of the log, and writes the population to wherever its bytes should go."""

    sample: Sample
    framework: str | None
    write: Callable[[bytes], object]
    counts: dict[str, int] = field(default_factory=dict)
    """Of the population, by stratum."""
    _controls: dict[str, list[str]] | None = None
    _digest: "hashlib._Hash" = field(default_factory=hashlib.sha256)
    _length: int = 0
    _smallest: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._controls = rejudge.criteria(self.framework) if self.framework else None

    def add(self, index: int, finding: Json) -> None:
        """Take in a finding; none of a control that the framework does not ask for, nor the provider's word."""
        if finding["status"] == "provider-attested" or (self._controls is not None and finding["control"] not in self._controls):
            return
        fields = [str(index), _plain(finding["at"][:7]), _plain(finding["control"]), _plain(finding["resource"] or "-")]
        line = "\t".join(fields)
        data = line.encode() + b"\n"
        self.write(data)
        self._digest.update(data)
        self._length += len(data)
        stratum = fields[STRATA[self.sample.stratify] - 1] if self.sample.stratify else "all"
        self.counts[stratum] = self.counts.get(stratum, 0) + 1
        rank = sha256(f"{self.sample.seed}\t{line}".encode())
        kept = self._smallest.setdefault(stratum, [])
        # The heap has the largest digest first, so that it is the one to go.
        entry = (-int(rank, 16), line)
        if len(kept) < self.sample.count:
            heapq.heappush(kept, entry)
        elif entry > kept[0]:
            heapq.heapreplace(kept, entry)

    def population(self) -> tuple[str, int]:
        """SHA-256 and length of population.txt."""
        return self._digest.hexdigest(), self._length

    def selection(self) -> bytes:
        """selection.txt: digest and line, by digest."""
        drawn = sorted((-negative, line) for kept in self._smallest.values() for negative, line in kept)
        return b"".join(f"{rank:064x}\t{line}\n".encode() for rank, line in drawn)

    def facts(self) -> bytes:
        """sample.json."""
        drawn = {stratum: len(kept) for stratum, kept in self._smallest.items()}
        return canonical({
            "v": 1, "count": self.sample.count, "seed": self.sample.seed, "stratify": self.sample.stratify, "framework": self.framework,
            "method": "SHA-256 of seed, tab and line; the smallest digests" + (f", of each {self.sample.stratify}" if self.sample.stratify else ""),
            "fields": ["record", "month", "control", "resource"], "reproduce": self.sample.commands(),
            "population": {"count": sum(self.counts.values()), "sha256": self._digest.hexdigest()},
            "strata": {stratum: {"population": count, "drawn": drawn[stratum]} for stratum, count in self.counts.items()},
        })  # fmt: skip


def _plain(text: str) -> str:
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
