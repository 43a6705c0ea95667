"""Building a bundle: a deterministic zip of everything that an auditor needs to check a period offline, written aside and then named.

The records are read twice: first to know what they name, then to write them. In memory is one entry bundle of the log, one body, and
32 bytes for each body and proof.
"""

import hashlib
import json
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import IO, BinaryIO

from shared import __version__, layout
from shared.canonical import Json, canonical, sha256
from shared.deliver import rejudge
from shared.deliver.bundle.beside import CHECKSUMS, beside, checksums
from shared.deliver.bundle.by_control import ByControl
from shared.deliver.bundle.certified import certificate_files
from shared.deliver.bundle.choose import choose, merged
from shared.deliver.bundle.connect import tile_of, tiles_for
from shared.deliver.bundle.derived import FindingsTable, readme
from shared.deliver.bundle.manifest import NAME, PERIOD, File, Manifest, body_path, handover_path, proof_path, records_path
from shared.deliver.bundle.runs import run_digest, view_again
from shared.deliver.bundle.sample import FACTS, POPULATION, SELECTION, Sample, Sampler
from shared.deliver.bundle.since import held_size
from shared.deliver.bundle.spooled import measured, spooled_bytes
from shared.deliver.bundle.vouched import Vouched, choose_vouched
from shared.deliver.bundle.zipwriter import ZipWriter
from shared.deliver.certificate.request import Request
from shared.deliver.period.fold import PeriodFold
from shared.deliver.period.summary import encoded as period_view
from shared.deliver.shapes import bodies_of
from shared.deliver.verify.verdict import Progress, no_progress
from shared.deliver.waived import Waived, waived_by
from shared.deliver.whole_file import place_of, whole_file
from shared.errors import Misuse, StoreConflict
from shared.records import timestamp, whole
from shared.seal import note
from shared.seal.keys import read_keys
from shared.seal.log import Log, open_log
from shared.seal.store import Store

Disclose = Callable[[str], Json | None]
"""Gives `{"salt","value"}` behind a commitment, None where it may not be shown or was erased."""

_COMMITTED = re.compile(rb'\{"committed":"([A-Za-z0-9+/]{43}=)"\}')
TABLE = "findings.csv"
_Table = FindingsTable | ByControl | Sampler

Filed = Callable[[int], tuple[Sequence[int], Mapping[str, str]]]
"""Gives the indexes of the records of exhibits among so many first ones, and the digests of files by their entries."""


def nothing_filed(_size: int) -> tuple[Sequence[int], Mapping[str, str]]:
    """No exhibits."""
    return (), {}


RESTING = frozenset({"deletion", "attribution"})
"""Conclusions that rest on answers and events outside their own unit and sweep: a bundle brings these along."""


@dataclass(frozen=True, slots=True)
class BundleInfo:
    """What was built."""

    path: str
    identity: str
    """SHA-256 of the manifest."""
    bytes: int
    size: int
    """Of the log that it is out of."""
    period: tuple[str, str]
    sweeps: tuple[str, ...]
    records: int
    bodies: int
    findings: int


def build(
    store: Store, out_path: str | Path, *, period: tuple[datetime, datetime], resources: Sequence[str] | None = None,
    framework: str | None = None, disclose: Disclose | None = None, since: bytes | None = None, sample: Sample | None = None, decisions: Sequence[int] = (),
    request: Request | None = None, sightings: Sequence[int] = (), filed: Filed = nothing_filed, progress: Progress = no_progress,
) -> BundleInfo:
    """Write the bundle for the sweeps whose slot (or else plan) lies in [from, to).

    `resources`: only what concerns these ARM ids (an account, something in one, a resource group or a subscription); `framework` narrows
    findings.csv, never the records. `since`: a checkpoint that the auditor holds; its tiles are added, so that he can check that the log extends it.
    `sample`: what to draw from the findings; records are never left out for it. `decisions`: records of waivers and baselines that come along, wherever they are.
    `request`: what a certificate is written about; `sightings`: records that show when it was there, which come along as these do.
    `filed`: the records of exhibits, and digests of files by their entries, given the size of the log.

    Raises:
        Misuse: the period ends before it begins or holds no sweep, a resource was in none, `since` is no checkpoint of this log, or
            the file cannot be written there.
        StoreConflict: the store contradicts itself.
        Unreachable: the store cannot be read.
    """
    start, end = (timestamp(moment) for moment in period)
    if end <= start:
        raise Misuse(f"the period ends ({end}) before it begins ({start}): exchange --from and --to")
    if framework and framework not in rejudge.frameworks():
        raise Misuse(f"--framework {framework!r}: {', '.join(rejudge.frameworks())}")
    place_of(Path(out_path))
    log = open_log(store)
    held = held_size(since, log) if since is not None else 0
    lowered = tuple(sorted({resource.lower().rstrip("/") for resource in resources})) if resources else None
    job = _Job(store, log, (start, end), lowered, framework, disclose, held, progress, sample, request)
    records, job.exhibits = filed(log.size)
    job.named.update(record for record in (*decisions, *sightings, *records) if record < log.size)
    job.plan()
    with whole_file(Path(out_path)) as file:
        return job.write(file, str(out_path))


@dataclass(slots=True)
class _Job:
    store: Store
    log: Log
    period: tuple[str, str]
    resources: tuple[str, ...] | None
    framework: str | None
    disclose: Disclose | None
    held: int
    progress: Progress
    sample: Sample | None = None
    request: Request | None = None
    exhibits: Mapping[str, str] = field(default_factory=dict)
    sweeps: tuple[str, ...] = ()
    ranges: tuple[tuple[int, int], ...] = ()
    bodies: set[bytes] = field(default_factory=set)
    closings: dict[str, int] = field(default_factory=dict)
    """Index of the closing record, by sweep."""
    handovers: tuple[int, ...] = ()
    """Sizes of the log whose checkpoints cover changes of the signing keys; that of this bundle not among them."""
    named: set[int] = field(default_factory=set)
    """Records that conclusions here rest on, and acts of people."""
    runs: dict[int, tuple[int, str]] = field(default_factory=dict)
    """Bytes and digest of the run of records that begins at an index."""
    vouched: Vouched = field(default_factory=Vouched)
    table: IO[bytes] = field(default_factory=lambda: tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115 - goes with the job
    view: bytes = b""
    """period.json."""
    sampler: Sampler | None = None
    population: IO[bytes] = field(default_factory=lambda: tempfile.SpooledTemporaryFile(max_size=8 << 20))  # noqa: SIM115 - goes with the job
    findings: int = 0
    by_control: ByControl = field(init=False)

    # -- first reading --------------------------------------------------------------------------------------------------

    def plan(self) -> None:
        """Choose the records, and read them for what they name."""
        changes = [each for each in read_keys(self.store).changes[1:] if each.in_force and (each.size or 0) <= self.log.size]
        self.handovers = tuple(sorted({each.size for each in changes if each.size is not None} - {self.log.size}))
        chosen = choose(
            self.store, self.log, self.record_at, self.period, self.resources, [each.record for each in changes if each.record is not None]
        )
        self.sweeps, self.ranges = chosen.sweeps, chosen.ranges
        waived = waived_by(self.record_at, self.named)
        self.by_control = ByControl(self.framework, waived)
        view = PeriodFold(*self.period, self.body)
        self.sampler = Sampler(self.sample, self.framework, self.population.write) if self.sample else None
        tables: Sequence[_Table] = [FindingsTable(self.framework, self.table.write, waived), self.by_control, *([self.sampler] if self.sampler else [])]
        total = done = sum(count for _, count in self.ranges)
        for first, count in self.ranges:
            digest, length = hashlib.sha256(), 0
            for index, line in self.log.lines(first, first + count):
                digest.update(line + b"\n")
                length += len(line) + 1
                view.take(index, self._take(index, json.loads(line), waived, tables))
                done -= 1
                if done % 10_000 == 0:
                    self.progress("bundle", (total - done) // 2, total)
            self.runs[first] = (length, digest.hexdigest())
        self.view = period_view(view_again(self.log, self.ranges, *self.period, self.body) if self._add_named() else view)
        self.vouched = choose_vouched(self.store, self.closings.values(), self.log.size)

    def _add_named(self) -> bool:
        """Answers and events that conclusions here rest on, and that lie outside: of the sweep before, or of the subscription. Whether there are any."""
        read = frozenset(self.ranges)
        beside = sorted(index for index in self.named if not any(first <= index < first + count for first, count in self.ranges))
        for index in beside:
            stored = next(self.log.records(index, index + 1))[1]
            self.bodies.update(bytes.fromhex(place["sha256"]) for place in stored.get("overflow", {}).values())
            self.bodies.update(bytes.fromhex(digest) for digest, _ in bodies_of(whole(stored, self.body)))
        self.ranges = tuple(merged([*self.ranges, *((index, 1) for index in beside)]))
        self.runs = {first: self.runs[first] if (first, count) in read else run_digest(self.log, first, count) for first, count in self.ranges}
        return bool(beside)

    def _take(self, index: int, stored: Json, waived: Waived, tables: Sequence[_Table]) -> Json:
        for place in stored.get("overflow", {}).values():
            self.bodies.add(bytes.fromhex(place["sha256"]))
        record = whole(stored, self.body)
        self.bodies.update(bytes.fromhex(digest) for digest, _ in bodies_of(record))
        if record["type"] == "finding":
            self.findings += 1
            self.bodies.update({bytes.fromhex(record["profile"])} if record["profile"] else ())
            for table in tables:
                table.add(index, record)
        elif record["type"] == "waiver":
            waived.take(index, record)
        elif record["type"] in RESTING:
            self.named.update([*record["records"], *record.get("supersedes", ())])
        elif record["type"] == "sweep-closed":
            self.closings[record["sweep"]] = index
        return record

    def record_at(self, index: int) -> Json:
        """The record at an index, whole."""
        _, stored = next(self.log.records(index, index + 1))
        return whole(stored, self.body)

    def body(self, digest: str) -> Json:
        """A parsed body."""
        return json.loads(self._body(digest))

    def _body(self, digest: str) -> bytes:
        data = self.store.get(layout.body(digest))
        if data is None or sha256(data) != digest:
            raise StoreConflict(f"{layout.body(digest)} is missing or altered: run verify --store, and restore it from a copy")
        return data

    # -- writing --------------------------------------------------------------------------------------------------------

    def write(self, file: BinaryIO, path: str) -> BundleInfo:
        """Write everything, in the order of the names."""
        checkpoint = self.log.checkpoint()
        origin = note.parse_checkpoint(note.parse_note(checkpoint).text).origin
        manifest = Manifest(
            __version__, rejudge.catalogue_version(), self.period, self.resources, self.framework, origin, self.log.size, self.ranges, (),
        )  # fmt: skip
        contents = self._contents(manifest, checkpoint)
        known = {name: File(name, sha256(content()), len(content())) for name, content in contents.items()}
        known |= {records_path(first): File(records_path(first), digest, length) for first, (length, digest) in self.runs.items()}
        spooled = {TABLE: self.table, **({POPULATION: self.population} if self.sampler else {})}
        known |= {name: File(name, *measured(content)) for name, content in spooled.items()}
        bodies = {body_path(digest.hex()): digest.hex() for digest in self.bodies} | dict(self.exhibits)
        sums = checksums([*((name, each.sha256) for name, each in known.items()), *bodies.items()])
        contents[CHECKSUMS] = lambda: sums
        known[CHECKSUMS] = File(CHECKSUMS, sha256(sums), len(sums))
        firsts = {records_path(first): first for first in self.runs}
        zipped, identity = ZipWriter(file), ""
        for name in sorted({*known, *bodies, NAME}):
            if name in bodies:
                data = self._body(bodies[name])
                known[name] = File(name, bodies[name], len(data))
            elif name == NAME:  # its name comes after those of the bodies, whose sizes are known by then
                data = replace(manifest, files=tuple(known[each] for each in sorted(known))).encoded()
                identity = sha256(data)
            elif name in contents:
                data = contents[name]()
            else:
                held = spooled.get(name)
                zipped.add(name, known[name].bytes, lambda name=name, held=held: spooled_bytes(held) if held else self._run(firsts[name]))  # type: ignore[misc]
                continue
            zipped.add(name, len(data), lambda data=data: [data])  # type: ignore[misc]
        zipped.close()
        records = sum(count for _, count in self.ranges)
        return BundleInfo(path, identity, file.seek(0, 2), self.log.size, self.period, self.sweeps, records, len(self.bodies), self.findings)

    def _contents(self, manifest: Manifest, checkpoint: bytes) -> dict[str, Callable[[], bytes]]:
        """What gives each file, the bodies, the records and the table of findings apart."""
        text = readme(manifest, attested=bool(self.vouched.names), handovers=bool(self.handovers), exhibits=bool(self.exhibits), certified=self.request is not None)
        found: dict[str, Callable[[], bytes]] = {"README.txt": lambda: text, "checkpoint": lambda: checkpoint}
        found |= {"catalogue.json": rejudge.catalogue_json, PERIOD: lambda: self.view}
        if self.sampler:
            found |= {FACTS: self.sampler.facts, SELECTION: self.sampler.selection}
        certified = certificate_files(self.request, manifest, self.log, self.body) if self.request else {}
        for name, data in (*beside(manifest).items(), *self.by_control.files(), *certified.items()):
            found[name] = lambda data=data: data  # type: ignore[misc]
        found |= {name: lambda place=place: self._there(place) for name, place in self.vouched.entries(self.log.size)}  # type: ignore[misc]
        if self.disclose is not None:
            disclosed = canonical(self._disclosed(self.disclose))
            found["disclosures.json"] = lambda: disclosed
        for size in self.handovers:
            found[handover_path(size)] = lambda size=size: self._handover(size)  # type: ignore[misc]
        for sweep, index in self.closings.items():
            found[proof_path(sweep)] = lambda index=index: self.log.inclusion(index)  # type: ignore[misc]
        for key in tiles_for(self.ranges, self.log.size, (self.held, *self.handovers, *self.vouched.sizes)):
            found[layout.tile(*key)] = lambda key=key: tile_of(self.log, *key)  # type: ignore[misc]
        return found

    def _there(self, path: str) -> bytes:
        data = self.store.get(path)
        if data is None:
            raise StoreConflict(f"{path} is missing, and others vouch for it: run verify --store, and restore it from a copy")
        return data

    def _handover(self, size: int) -> bytes:
        data = self.store.get(layout.checkpoint(size))
        if data is None:
            raise StoreConflict(f"{layout.checkpoint(size)} is missing: run verify --store, and restore it from a copy")
        return data

    def _disclosed(self, disclose: Disclose) -> Json:
        commitments = {found.decode() for digest in self.bodies for found in _COMMITTED.findall(self._body(digest.hex()))}
        shown = {commitment: disclose(commitment) for commitment in sorted(commitments)}
        return {commitment: {"salt": value["salt"], "value": value["value"]} for commitment, value in shown.items() if value is not None}

    def _run(self, first: int) -> Iterator[bytes]:
        count = dict(self.ranges)[first]
        total = sum(count for _, count in self.ranges)
        before = total + sum(count for begin, count in self.ranges if begin < first)
        for index, line in self.log.lines(first, first + count):
            if (index - first) % 10_000 == 0:
                self.progress("bundle", (before + index - first) // 2, total)
            yield line + b"\n"
