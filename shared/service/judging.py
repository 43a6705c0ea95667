"""Judging what is sealed: findings and changes of each unit, as soon as its records have their indexes."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import lru_cache

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.endpoints import UNCOMPARED
from shared.judge import drift, engine
from shared.judge.assemble import SWEEP_UNIT, Entry, SweepRecords
from shared.judge.catalogue import catalogue
from shared.judge.collected import collection_of
from shared.judge.profile import Profile
from shared.model import Evidence, Judgement
from shared.recent import Recent
from shared.records import MAX_LINE, line, record, whole
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store, get_body, put_body
from shared.service.attributing import Attributing, after_crash
from shared.service.deletion_events import CommitEvents, commit_events
from shared.service.filed import filed
from shared.service.latest import LatestAnswers, answer_key, answer_state, answer_until, follows
from shared.service.reconciling import Reconciled, Reconciling
from shared.service.remembering import Places
from shared.service.waived import waived

FINDINGS = layout.FINDINGS_SUFFIX

PARSED = 6
"""How much larger JSON is in memory than in its bytes, measured of lists of files and of models."""


class Bodies:
    """Parsed bodies by digest; those used lately are kept, since many accounts share them: empty lists, a region's models."""

    def __init__(self, store: Store, most: int = 8 * 1024 * 1024) -> None:
        self._store = store
        self._kept = Recent[str, Json](most)

    def load(self, digest: str) -> Json:
        """The parsed body.

        Raises:
            StoreConflict: it is not in the store, or not what was sealed.
        """
        value = self._kept.get(digest)
        if value is None:
            data = get_body(self._store, digest)
            value = json.loads(data)
            self._kept.put(digest, value, PARSED * len(data) + 500)
        return value


@dataclass(slots=True)
class Judge:
    """Judges the units of one sweep, one after another, and counts what came of it."""

    store: Store
    sweep: str
    profile: Profile
    profile_digest: str
    cloud: str
    now: Callable[[], str]
    places: Places = lambda _: {}
    """Where the batches of an open sweep are, whatever waits of it being sealed before."""
    commits: CommitEvents = field(default_factory=commit_events)
    """Events of deletions in commits that were read; a process that judges many sweeps shares them."""
    records: SweepRecords = field(default_factory=SweepRecords)
    statuses: Counter[str] = field(default_factory=Counter)
    changes: int = 0
    deletions: Counter[str] = field(default_factory=Counter)
    """How many were concluded, by account."""
    bodies: Bodies = field(init=False)
    latest: LatestAnswers = field(init=False)
    reconciling: Reconciling = field(init=False)
    attributing: Attributing = field(init=False)
    _contexts: dict[str, Evidence] = field(default_factory=dict)
    _ends: dict[str, dict[str, Json]] = field(default_factory=dict)
    """Of units that were taken in: to when their questions with a window were answered."""
    _writer: ThreadPoolExecutor = field(init=False)
    _writes: list[Future[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.bodies = Bodies(self.store)
        self.latest = LatestAnswers(self.store)
        self.reconciling = Reconciling(self.store, self.sweep, self.bodies.load, self.latest, self.places, lambda: self.records.plan["units"], self.commits)
        self.attributing = Attributing(self.store, self.sweep, self.bodies.load)
        # Waiting for the disk is not judging: a few threads do it.
        self._writer = ThreadPoolExecutor(4, "findings")

    def take(self, name: str, first: int) -> None:
        """Take in the records of a sealed batch that begins at the index `first`."""
        path = layout.batch(self.sweep, name)
        for position, data in enumerate(batch_lines(self.store.get(path) or b"", path)):
            value = json.loads(data)
            self.records.add(first + position, value)
            self.reconciling.take(first + position, value)
            self.attributing.take(first + position, value)
            if value["type"] == "observation" and follows(value):
                self._ends.setdefault(name, {})[answer_key(value["kind"], value["resource"])] = answer_until(first + position, value)

    def judge_unit(self, unit: str, resource: str) -> None:
        """Write the findings and changes of a unit whose records were taken in, and let go of the records."""
        entries = self.records.units.get(unit, {})
        context = self._context("/".join(resource.split("/")[:3]))
        planned_at = self.records.plan["at"]
        gone = self.reconciling.fold(unit, resource, entries.values(), planned_at)
        evidence = self.records.evidence(resource, entries.values(), self.bodies.load, context)
        evidence = replace(evidence, deletions=gone.deletions, at=planned_at)
        judge = engine.judge_account if "/accounts/" in resource else engine.judge_subscription
        lines = [line(value, self._keep) for value in self.reconciling.records(unit, self.now(), gone)]
        self.deletions.update(said["account"] for said in gone.deletions)
        lines += self._findings(unit, judge(evidence, self.profile, self.cloud))
        latest, waiting = self.latest.kept(unit)
        changes = self._changes(unit, list(entries.values()), latest)
        attributions, waiting = self.attributing.lines(unit, self.now(), changes, waiting)
        lines += [line(value, self._keep) for value in (*changes, *attributions)]
        latest |= self._ends.pop(unit, {})
        self._writes.append(self._writer.submit(self._keep_unit, unit, lines, latest, waiting, gone))
        self.records.units[unit] = {}

    def _context(self, subscription: str) -> Evidence:
        """What the accounts of a subscription are judged with; read once."""
        if subscription not in self._contexts:
            entries = self.records.context_entries(subscription)
            evidence = self.records.evidence(subscription, entries, self.bodies.load)
            if not entries:
                return evidence
            self._contexts[subscription] = evidence
        return self._contexts[subscription]

    def _keep_unit(self, unit: str, lines: list[bytes], latest: dict[str, Json], waiting: Json, gone: Reconciled) -> None:
        self._write(unit, lines)
        # Only now: a crash before this compares with the same state again, and loses no change and no deletion.
        self.latest.remember(unit, latest, waiting)
        self.reconciling.keep(unit, gone)

    def settle(self) -> None:
        """Return when everything judged so far is written.

        Raises:
            Unreachable: something could not be.
        """
        waiting, self._writes = self._writes, []
        for write in waiting:
            write.result()

    def stop(self) -> None:
        """Return when what was begun to be written is written, or could not be: nobody waits for it but to be gone."""
        self._writer.shutdown()

    def judge_sweep(self, missing: Sequence[str]) -> None:
        """Write the findings about the collection itself, and the statements that only the provider can attest."""
        size = self.records.plan["log"]["size"]
        self.records.exhibits, self.records.waivers = filed(self.store, size), waived(self.store, size)
        collection = collection_of(self.records, missing, self.bodies.load)
        attested = engine.provider_attested(collection.exhibits, collection.planned_at)
        judged = [*engine.judge_sweep(collection, self.profile), *attested]
        self._write(SWEEP_UNIT, self._findings(SWEEP_UNIT, judged))

    def recount(self, unit: str) -> None:
        """Take up what an earlier run has written about a unit: count its findings, and remember the answers if that was not reached."""
        path = layout.batch(self.sweep, unit + FINDINGS)
        attributions: list[Json] = []
        for data in batch_lines(self.store.get(path) or b"", path):
            value = json.loads(data)
            self.changes += value["type"] == "change"
            if value["type"] == "attribution":
                attributions.append(whole(value, self.bodies.load))
            if value["type"] == "finding":
                self.statuses[value["status"]] += 1
            if value["type"] == "deletion":
                self.deletions[whole(value, self.bodies.load)["account"]] += 1
        entries = self.records.units.get(unit, {})
        if entries:
            latest, waiting = self.latest.kept(unit)
            latest |= {_key(entry): _state(entry) for entry in entries.values() if not entry.failure and entry.kind not in UNCOMPARED}
            latest |= self._ends.pop(unit, {})
            self.latest.remember(unit, latest, after_crash(waiting, attributions))
            self.reconciling.again(unit, self.records.unit_resource(unit), entries.values(), self.records.plan["at"])
        self.records.units[unit] = {}

    def _keep(self, data: bytes) -> str:
        return put_body(self.store, data)

    def _write(self, unit: str, lines: list[bytes]) -> None:
        if lines:
            self.store.put_new(layout.batch(self.sweep, unit + FINDINGS), b"\n".join(lines) + b"\n")

    def _findings(self, unit: str, judged: Iterable[tuple[str, Judgement]]) -> list[bytes]:
        at, lines = self.now(), []
        for control, judgement in judged:
            self.statuses[judgement.status] += 1
            written = finding_line(control, judgement, at, self.sweep, unit, self.profile_digest)
            if len(written) > MAX_LINE:
                written = line(finding(control, judgement, at, self.sweep, unit, self.profile_digest), self._keep)
            lines.append(written)
        return lines

    def _changes(self, unit: str, entries: list[Entry], latest: dict[str, Json]) -> list[Json]:
        """Compare with the latest answers, and bring these up to date. A failure changes nothing: the state before stays the latest."""
        found, at = [], self.now()
        for entry in entries:
            before = latest.get(_key(entry))
            if entry.failure or entry.kind in UNCOMPARED:
                continue
            if before and tuple(before["pages"]) != entry.digests:
                was = [self.bodies.load(digest) for digest in before["pages"]]
                now = [self.bodies.load(digest) for digest in entry.digests]
                for change in drift.changes(entry.kind, entry.resource, was, now):
                    if entry.kind == "accounts" and any(f.pointer for f in change.fields):
                        continue  # what changed within an account is said by the answer about that account
                    self.changes += 1
                    fields = [difference(field) for field in change.fields]
                    value = record(
                        "change",
                        at,
                        sweep=self.sweep,
                        kind=change.kind,
                        resource=change.resource,
                        unit=unit,
                        fields=fields,
                        since=before["at"],
                        until=entry.at,
                        **{"from": before["record"], "to": entry.record},
                    )
                    found.append(value)
            latest[_key(entry)] = _state(entry)
        return found


def difference(field: drift.Field) -> Json:
    """A field that changed, as records have it."""
    of = {"of": list(field.of)} if field.of else {}
    return {"pointer": field.pointer, "op": field.op, "was": field.was, "is": field.is_, **of}


def _key(entry: Entry) -> str:
    return answer_key(entry.kind, entry.resource)


def _state(entry: Entry) -> Json:
    return answer_state(entry.record, entry.at, list(entry.digests))


def finding(control: str, judgement: Judgement, at: str, sweep: str, unit: str, profile: str) -> Json:
    """The record of one judgement (docs/format.md section 2)."""
    points = [{"record": p.record, "page": p.page, "pointer": p.pointer} for p in judgement.points]
    return record(
        "finding",
        at,
        sweep=sweep,
        kind="finding",
        resource=judgement.resource,
        unit=unit,
        control=control,
        catalogue=catalogue().version,
        profile=profile,
        status=judgement.status,
        reason=judgement.reason,
        records=sorted({p.record for p in judgement.points}),
        points=points,
    )


def finding_line(control: str, judgement: Judgement, at: str, sweep: str, unit: str, profile: str) -> bytes:
    """`finding` in canonical JSON, however long: member by member, since six in seven records are findings and the encoder takes three times as long."""
    points = b",".join([b'{"page":%d,"pointer":%b,"record":%d}' % (p.page, _literal(p.pointer), p.record) for p in judgement.points])
    records = b",".join([b"%d" % index for index in sorted({p.record for p in judgement.points})])
    return (
        b'{"at":%b,"catalogue":%b,"control":%b,"kind":"finding","points":[%b],"profile":%b,"reason":%b,"records":[%b],"resource":%b,'
        b'"status":%b,"sweep":%b,"type":"finding","unit":%b,"v":1}'
    ) % (
        _literal(at), _literal(catalogue().version), _literal(control), points, _literal(profile), _literal(judgement.reason), records,
        _literal(judgement.resource), _literal(judgement.status), _literal(sweep), _literal(unit),
    )  # fmt: skip


@lru_cache(maxsize=4096)
def _literal(text: str | None) -> bytes:
    """A value as canonical JSON. Most come again and again: names of controls, pointers, a unit's resource, sentences."""
    return canonical(text)
