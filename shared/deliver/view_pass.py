"""What is kept of one sweep while its records stream by."""

from collections import Counter
from dataclasses import dataclass, field
from sys import intern

from shared.canonical import Json
from shared.deliver.view_sweeps import Sweep
from shared.judge.waivers import Waiver
from shared.model import Status


@dataclass(frozen=True, slots=True)
class Seen:
    """What is kept of an observation or failure."""

    kind: str
    resource: str
    url: str
    digests: tuple[str, ...]
    failure: str | None
    status: int | None


@dataclass(frozen=True, slots=True)
class Judged:
    """What is kept of a finding until it is known whether it is shown."""

    record: int
    control: str
    resource: str | None
    status: Status
    reason: str
    catalogue: str
    profile: str | None
    points: tuple[tuple[int, int, str], ...]
    waived: Waiver | None = None


@dataclass(slots=True)
class Pass:
    """A sweep while its records stream by."""

    name: str
    number: int = -1
    """-1 until its plan came."""
    kept: bool = True
    """Whether answers and findings are kept: it may still be the one that is shown in full."""
    plan: Json = None
    plan_record: int = -1
    closed: Json = None
    closed_record: int | None = None
    counts: Counter[Status] = field(default_factory=Counter)
    by_control: dict[str, Counter[Status]] = field(default_factory=dict)
    changes: int = 0
    failed: int = 0
    records: int = 0
    seen: dict[int, Seen] = field(default_factory=dict)
    findings: list[Judged] = field(default_factory=list)
    raw: dict[int, Json] = field(default_factory=dict)
    """Records that points may name themselves: the plan, the retention, failures, the closing."""

    @property
    def narrowed(self) -> bool:
        """Whether it was limited to some resources."""
        return bool(((self.plan or {}).get("scope") or {}).get("resources"))

    def forget(self) -> None:
        """Let go of all but the numbers."""
        self.kept = False
        self.seen, self.findings, self.raw = {}, [], {}

    def units(self) -> list[Json]:
        """The planned units; none where their list could not be loaded."""
        return list((self.plan or {}).get("units") or ())

    def summary(self) -> Sweep:
        """The numbers."""
        plan, closed = self.plan, self.closed or {}
        units = self.units()
        by_name = {unit["unit"]: unit["resource"] for unit in units}
        missing = tuple(sorted(by_name.get(unit) or unit for unit in closed.get("missing") or ()))
        return Sweep(
            name=self.name,
            number=self.number,
            slot=plan.get("slot"),
            planned_at=plan["at"],
            closed_at=closed.get("at"),
            schedule=plan.get("schedule"),
            cause=_cause(plan.get("cause")),
            narrowed=self.narrowed,
            units=len(units),
            missing=missing,
            failures=int(closed.get("failures", self.failed)),
            complete=bool(closed.get("complete")),
            plan_record=self.plan_record,
            closed_record=self.closed_record,
            findings=dict(self.counts),
            changes=self.changes,
            plan_unread="units" not in plan,
        )


def seen(record: Json) -> Seen:
    """What is kept of an observation or failure record."""
    return Seen(
        intern(record["kind"]),
        intern(record.get("resource") or ""),
        (record.get("request") or {}).get("url") or "",
        tuple(page["sha256"] for page in record.get("pages") or ()),
        record.get("reason") if record["type"] == "failure" else None,
        (record.get("response") or {}).get("status"),
    )


def judged(index: int, record: Json, waived: Waiver | None = None) -> Judged:
    """What is kept of a finding record. `waived`: what waived it."""
    return Judged(
        index,
        intern(record["control"]),
        intern(record["resource"]) if record.get("resource") else None,
        record["status"],
        record.get("reason") or "",
        record.get("catalogue") or "",
        record.get("profile"),
        tuple((point["record"], point.get("page", 0), point.get("pointer", "")) for point in record.get("points") or ()),
        waived,
    )


def _cause(cause: Json) -> str:
    if not isinstance(cause, dict):
        return str(cause or "")
    return str(cause.get("by") or "") + (f": {cause['ref']}" if cause.get("ref") else "")
