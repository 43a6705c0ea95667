"""A month of evidence, made up: records as the service seals them, judged by the real catalogue. What view and report are tested on.

30 days of 4 slots, two days without a sweep, eight accounts in three subscriptions that change, appear and go; questions that fail.
Also estates of any size for measuring. Nothing is random and nothing reads a clock.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.canonical import canonical, sha256
from shared.deliver.view_model import LogIdentity, PeriodView
from shared.deliver.view_sweeps import Period
from shared.deliver.view_words import words
from shared.judge import drift, engine
from shared.judge.assemble import SweepRecords
from shared.judge.catalogue import catalogue
from shared.judge.checks.collection import Collection, Failed
from shared.judge.profile import DEFAULT, Profile, canonical_profile
from shared.records import record, timestamp
from tests.test_view_world import Estate, month

Json = Any
ORIGIN = "evidence.contoso.example/aoai"
VKEY = f"{ORIGIN}+8b1f2c3d+AVb3sJv0o7cE1m2q9kQm5m8l0J2yZ0m0kZC9c1b5o3yM"
CHECKPOINT = f"{ORIGIN}\n{{size}}\n4v3o1m0Q9bT2kq7yYw1S0t9bJ8s6rX5dW4c3V2b1N0M=\n\n— {ORIGIN} ix8sPQ9m3…\n"
START = datetime(2026, 11, 1, tzinfo=UTC)
SCHEDULE = "0 0 */6 * * *"


@dataclass
class Sample:
    """Records and bodies, with what else a view is built from."""

    records: list[tuple[int, Json]] = field(default_factory=list)
    bodies: dict[str, bytes] = field(default_factory=dict)
    expected: list[str] = field(default_factory=list)
    period: Period = field(default_factory=lambda: Period("2026-11-01T00:00:00.000000Z", "2026-12-01T00:00:00.000000Z"))

    def load(self, digest: str) -> Json:
        return json.loads(self.bodies[digest])

    def keep(self, body: Json) -> str:
        data = json.dumps(body, separators=(",", ":")).encode()
        digest = sha256(data)
        self.bodies[digest] = data
        return digest

    def add(self, value: Json) -> int:
        self.records.append((len(self.records), value))
        return len(self.records) - 1

    @property
    def log(self) -> LogIdentity:
        return LogIdentity(ORIGIN, len(self.records), VKEY, CHECKPOINT.format(size=len(self.records)))

    def view(self, **changed: Any) -> PeriodView:
        from shared.deliver.view import build

        given: dict[str, Any] = {"period": self.period, "log": self.log, "expected": self.expected} | changed
        return build(iter(self.records), self.load, words(catalogue()), **given)


def sample(days: int = 30, *, estate: Estate | None = None, profile: Profile = DEFAULT, gap: range = range(44, 52)) -> Sample:
    """`days` of four sweeps a day of `estate`, without the slots in `gap`."""
    estate = month() if estate is None else estate
    made = Sample()
    facts = {"format": 1, "origin": ORIGIN, "keys": [VKEY], "personal_data": "commit"}
    made.add(record("event", _at(START - timedelta(days=3)), sweep=None, kind="store", store=facts))
    writer = _Writer(made, estate, profile)
    for number in range(days * 4):
        slot = START + timedelta(hours=6 * number)
        made.expected.append(timestamp(slot))
        if number in gap:
            continue
        writer.sweep(number, slot, slot=timestamp(slot))
        if number == 75:
            writer.sweep(
                number, slot + timedelta(hours=2), slot=None, only=estate.names(number)[:1], cause={"by": "manual", "ref": "after the fix"}
            )
    made.period = Period(_at(START), _at(START + timedelta(days=days)))
    return made


def _at(moment: datetime) -> str:
    return timestamp(moment)


class _Writer:
    """Writes sweeps as the service does: plan, units, findings and changes, closing."""

    def __init__(self, made: Sample, estate: Estate, profile: Profile) -> None:
        self.made, self.estate, self.profile = made, estate, profile
        self.latest: dict[tuple[str, str], tuple[int, str, tuple[str, ...]]] = {}
        self.profile_digest: str | None = None
        self.slots: list[str] = []
        self.closed_at: str | None = None

    def sweep(self, number: int, moment: datetime, *, slot: str | None, only: list[str] | None = None, cause: Json = None) -> None:
        self.number, self.moment = number, moment
        self.name = f"{moment:%Y%m%dT%H%M%S}-{number:04d}"
        self.cause = cause or {"by": "schedule", "ref": None}
        self.seen = SweepRecords()
        policy = "unlocked" if number < 20 else "locked"
        self.storage = {"policy": policy, "until": _at(START + timedelta(days=2557))}
        plan = self._plan(slot, only)
        units: dict[str, list[int]] = {}
        missing = []
        for unit in plan["units"]:
            if self.estate.is_missing(unit["resource"], number):
                missing.append(unit["unit"])
                continue
            units[unit["unit"]] = self._unit(unit)
        findings = {}
        for unit in plan["units"]:
            if unit["unit"] in units:
                first = len(self.made.records)
                self._judge(unit)
                findings[f"{unit['unit']}.findings"] = [first, len(self.made.records) - first]
        self._judge_sweep(plan, missing)
        failures = len(self.seen.failures)
        closed = _at(moment + timedelta(minutes=4, seconds=11))
        self.made.add(record(
            "sweep-closed", closed, sweep=self.name, kind="sweep", slot=slot, planned=self.plan_record, units=units, findings=findings,
            missing=missing, failures=failures, complete=not missing and not failures,
        ))  # fmt: skip
        self.closed_at = closed
        if slot:
            self.slots.append(slot)

    def _plan(self, slot: str | None, only: list[str] | None) -> Json:
        at = _at(self.moment + timedelta(seconds=12))
        for subscription in self.estate.subscriptions():
            self._answer(f"subscription-{subscription[15:]}", "accounts", subscription, self.estate.account_list(subscription, self.number))
        self.retention = self.made.add(
            record("retention", at, sweep=self.name, kind="store", storage=self.storage, source="blob properties after a write")
        )
        if self.profile_digest is None:
            body = canonical_profile(self.profile)
            self.profile_digest = self.made.keep(body)
            size = {"sha256": self.profile_digest, "bytes": len(canonical(body))}
            self.made.add(record("profile", at, sweep=self.name, kind="profile", profile=size, source="profile.toml"))
        accounts = self.estate.names(self.number) if only is None else only
        units = (
            []
            if only
            else [{"unit": f"subscription-{s[15:]}", "resource": s, "asked": "subscription"} for s in self.estate.subscriptions()]
        )
        units += [
            {"unit": f"account-{sha256(name.encode())[:16]}", "resource": name, "asked": f"account:{self.estate.kind(name)}"}
            for name in accounts
        ]
        plan = record(
            "sweep-planned", at, sweep=self.name, kind="sweep", slot=slot, schedule=SCHEDULE,
            deadline=_at(self.moment + timedelta(hours=1)), cloud="public",
            scope={"subscriptions": None, "resources": only, "kinds": ["OpenAI", "AIServices"]}, questions={}, units=units,
            cause=self.cause, collector={"version": "0.1.0", "identity": "5e0b"}, previous=None, log={"size": len(self.made.records)},
        )  # fmt: skip
        self.plan_record = self.made.add(plan)
        self.seen.add(self.plan_record, plan)
        return plan

    def _unit(self, unit: Json) -> list[int]:
        first = len(self.made.records)
        if unit["asked"] == "subscription":
            answers = self.estate.subscription_answers(unit["resource"], self.number)
        else:
            answers = self.estate.account_answers(unit["resource"], self.number)
        for kind, body in answers:
            self._answer(unit["unit"], kind, unit["resource"], body)
        return [first, len(self.made.records) - first]

    def _answer(self, unit: str, kind: str, resource: str, body: Json) -> None:
        at = _at(self.moment + timedelta(minutes=1, milliseconds=len(self.made.records) % 999))
        failed = body if isinstance(body, tuple) else None
        url = f"https://management.azure.com{resource}/{kind}?api-version=2025-09-01"
        pages = [] if failed else [{"sha256": self.made.keep(body), "bytes": 1, "url": url, "request_id": "r", "date": None, "attempts": 1}]
        common: dict[str, Json] = {
            "sweep": self.name, "kind": kind, "resource": resource, "unit": unit, "request": {"method": "GET", "url": url}, "pages": pages,
            "attempts": 1, "cause": self.cause, "collector": {"version": "0.1.0", "identity": "5e0b"}, "storage": self.storage,
        }  # fmt: skip
        if failed:
            reason, status, detail = failed
            response = {"status": status, "request_id": "r", "date": None} if status else None
            value = record("failure", at, **common, response=response, reason=reason, detail=detail)
        else:
            value = record("observation", at, **common, response={"status": 200, "request_id": "r", "date": None})
        self.seen.add(self.made.add(value), value)

    def _judge(self, unit: Json) -> None:
        resource = unit["resource"]
        entries = self.seen.units.get(unit["unit"], {})
        context = self.seen.evidence("/".join(resource.split("/")[:3]), self.seen.context_entries(resource), self.made.load)
        evidence = self.seen.evidence(resource, entries.values(), self.made.load, context)
        judge = engine.judge_account if "/accounts/" in resource else engine.judge_subscription
        self._findings(unit["unit"], judge(evidence, self.profile, "public"))
        for entry in entries.values():
            self._changes(unit["unit"], entry)

    def _changes(self, unit: str, entry: Any) -> None:
        if entry.failure:
            return
        key, at = (entry.kind, entry.resource), _at(self.moment + timedelta(minutes=1))
        before = self.latest.get(key)
        if before and before[2] != entry.digests:
            was, now = ([self.made.load(digest) for digest in digests] for digests in (before[2], entry.digests))
            for change in drift.changes(entry.kind, entry.resource, was, now):
                fields = [{"pointer": f.pointer, "op": f.op, "was": f.was, "is": f.is_} for f in change.fields]
                self.made.add(record(
                    "change", at, sweep=self.name, kind=change.kind, resource=change.resource, unit=unit, fields=fields, since=before[1],
                    until=at, **{"from": before[0], "to": entry.record},
                ))  # fmt: skip
        self.latest[key] = (entry.record, at, entry.digests)

    def _judge_sweep(self, plan: Json, missing: list[str]) -> None:
        previous = self.slots[-1] if self.slots else None
        failures = tuple(Failed(e.kind, e.resource, str(e.failure), e.record) for e in self.seen.failures)
        missed = tuple(slot for slot in self.made.expected[:-1] if previous and slot > previous) if plan["slot"] else None
        collection = Collection(
            plan_record=self.plan_record, planned_at=plan["at"], slot=plan["slot"], schedule=SCHEDULE,
            seen_subscriptions=tuple(s[15:] for s in self.estate.subscriptions()), units=len(plan["units"]), missing_units=tuple(missing),
            failures=failures, previous_slot=previous, previous_closed_at=self.closed_at, missed_slots=missed,
            storage_policy=self.storage["policy"], storage_until=self.storage["until"], storage_record=self.retention,
            clock_skew_seconds=0.4, log_size=len(self.made.records), previous_log_size=len(self.made.records) - 10, log_consistent=True, exhibits=(), waivers=(),
        )  # fmt: skip
        self._findings("sweep", [*engine.judge_sweep(collection, self.profile), *engine.provider_attested((), plan["at"])])

    def _findings(self, unit: str, judged: Iterable[tuple[str, Any]]) -> None:
        at = _at(self.moment + timedelta(minutes=2))
        for control, judgement in judged:
            self.made.add(record(
                "finding", at, sweep=self.name, kind="finding", resource=judgement.resource, unit=unit, control=control,
                catalogue=catalogue().version, profile=self.profile_digest, status=judgement.status, reason=judgement.reason,
                records=sorted({p.record for p in judgement.points}),
                points=[{"record": p.record, "page": p.page, "pointer": p.pointer} for p in judgement.points],
            ))  # fmt: skip


def of_type(made: Sample, name: str) -> Iterator[tuple[int, Json]]:
    """The records of one type."""
    return ((index, value) for index, value in made.records if value["type"] == name)


def test_the_sample_is_what_it_says() -> None:
    made = sample(2, gap=range(3, 5))
    assert len(list(of_type(made, "sweep-planned"))) == 6
    assert len(made.expected) == 8
    assert [index for index, _ in made.records] == list(range(len(made.records)))
