"""Reconciliation against what really happened, over random histories: creations, deletions, outages, log gaps, skewed clocks, rows that come
late or twice. No deletion is claimed that did not happen; none that happened between whole inventories, or that a log told of, is left out.
"""

import itertools
import re
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.judge.lives.times import plus
from tests.fixtures.lives import (
    DELETE_DEPLOYMENT,
    ONE,
    SUBSCRIPTION,
    WORKSPACE_RESOURCE,
    Log,
    Unit,
    arm,
    at,
    deployment,
    event,
    file,
    listing,
    row,
    table,
)
from tests.fixtures.lives import settings as diagnostic_settings

SKEW = 4.5 / 60
OVERLAP = 1 / 6


@dataclass(frozen=True)
class Op:
    """Something done between two sweeps, after this part of the time between them."""

    what: str
    part: float
    logged: bool = True
    delay: float = 0.1
    """Hours until the log has it."""
    skew: float = 0.0
    unseen: bool = False
    """Of a deletion: of a file that was made just before."""


@dataclass(frozen=True)
class Step:
    """The time until a sweep, what is done in it, and what the sweep cannot have."""

    gap: float
    ops: tuple[Op, ...]
    out: frozenset[str] = frozenset()
    logging: bool = True
    twice: bool = False
    """Rows come as two, one of them nearly empty."""


@dataclass
class World:
    """What is there, what was logged, what really happened."""

    log: Log = field(default_factory=Log)
    unit: Unit = None
    hour: float = 0.0
    files: dict = field(default_factory=dict)
    deployments: dict = field(default_factory=dict)
    deleted: dict = field(default_factory=dict)
    """(kind, id, time of making) → (time, whether it was logged)."""
    rows: list = field(default_factory=list)
    """(time of ingestion, row)."""
    events: list = field(default_factory=list)
    """(time it is published, time it tells, event)."""
    delivered: set = field(default_factory=set)
    inventories: dict = field(default_factory=lambda: {"files": [], "deployments": []})
    """By question: (time, {id: time of making}) of each whole inventory."""
    read: dict = field(default_factory=dict)
    serial: int = 0
    logging: bool = True
    ever_off: bool = False

    def __post_init__(self):
        self.unit = self.unit or Unit(self.log)
        self.files = {f"file-{n}": -24.0 for n in range(3)}
        self.deployments = {f"d{n}": -24.0 for n in range(2)}

    def run(self, steps):
        for number, step in enumerate(steps):
            for op in sorted(step.ops, key=lambda op: op.part):
                self.do(op, self.hour + step.gap * op.part)
            self.hour += step.gap
            self.logging = step.logging
            self.ever_off = self.ever_off or not step.logging
            self.sweep(step, f"s{number}")
        for number in range(5):  # quiet days in which whatever is late arrives
            self.hour += 13
            self.sweep(Step(13, (), logging=self.logging), f"quiet{number}")

    def do(self, op, hour):
        self.serial += 1
        if op.what == "create":
            self.files[f"file-new-{self.serial}"] = hour
        elif op.what == "delete":
            if op.unseen:
                self.files[f"file-brief-{self.serial}"] = hour - 1e-6
                name = f"file-brief-{self.serial}"
            elif self.files:
                name = min(self.files)
            else:
                return
            created = self.files.pop(name)
            logged = op.logged and self.logging
            self.deleted["file", name, created] = (hour, logged)
            if logged:
                self.rows.append(
                    (
                        hour + op.delay,
                        row(
                            ("Files_Delete", "deleteFile")[self.serial % 2],
                            hour + op.skew,
                            correlation=f"k{self.serial}",
                            ingested=hour + op.delay,
                        ),
                    )
                )
        elif op.what == "deploy":
            self.deployments.setdefault(f"d{self.serial % 3}", hour)
        elif op.what == "undeploy" and self.deployments:
            name = min(self.deployments)
            created = self.deployments.pop(name)
            self.deleted["deployment", name, created] = (hour, op.logged)
            if op.logged:
                for status, later in (("Started", 0.0), ("Succeeded", 0.01)):
                    told = event(DELETE_DEPLOYMENT, f"{ONE}/deployments/{name}", hour + later + op.skew, status=status, correlation=f"c{self.serial}")
                    self.events.append((hour + min(op.delay, 5.0), hour + later + op.skew, told))
        elif op.what == "fail":
            told = event(DELETE_DEPLOYMENT, f"{ONE}/deployments/d0", hour, status="Failed", correlation=f"c{self.serial}")
            self.events.append((hour, hour, told))

    def window(self, kind, overlap):
        before = self.read.get(kind)
        start = self.hour - 89 * 24 if before is None else before - overlap
        self.read[kind] = self.hour
        return start, (at(start), at(self.hour), at(before) if before is not None else None)

    def sweep(self, step, name):
        entries = []
        if "activity" in step.out:
            entries.append(self.log.add("activityLog", self.hour + 0.001, resource=SUBSCRIPTION, failure="throttled"))
        else:
            start, window = self.window("activityLog", 6)
            told = [e for published, time, e in self.events if published <= self.hour and start <= time <= self.hour]
            self.delivered |= {e["correlationId"] for e in told if e["status"]["value"] == "Succeeded"}
            entries.append(self.log.add("activityLog", self.hour + 0.001, [arm(*told)], resource=SUBSCRIPTION, window=window))
        entries.append(
            self.log.add("diagnosticSettings", self.hour + 0.002, failure="forbidden")
            if "settings" in step.out
            else self.log.add("diagnosticSettings", self.hour + 0.002, [diagnostic_settings(step.logging)])
        )
        entries += [self.inventory("deployments", self.deployments, step), self.inventory("files", self.files, step)]
        resource = ONE + WORKSPACE_RESOURCE
        if "rows" in step.out:
            entries.append(self.log.add("resourceLogDeletions", self.hour + 0.006, resource=resource, failure="partial"))
        elif step.logging:
            start, window = self.window("resourceLogDeletions", OVERLAP)
            told = [r for ingested, r in self.rows if start <= ingested <= self.hour]
            self.delivered |= {r["CorrelationId"] for r in told}
            if step.twice:
                told = [x for r in told for x in (r, {**r, "ResultSignature": "", "ObjectId": "", "Properties": "{}"})]
            entries.append(self.log.add("resourceLogDeletions", self.hour + 0.006, [table(*told)], resource=resource, window=window))
        self.unit.sweep(self.hour, *entries, name=name)

    def inventory(self, question, held, step):
        time = self.hour + 0.004
        if question in step.out:
            return self.log.add(question, time, failure="unreachable")
        self.inventories[question].append((time, dict(held)))
        if question == "files":
            return self.log.add(question, time, [listing(*(file(name, created) for name, created in sorted(held.items())))])
        return self.log.add(question, time, [arm(*(deployment(name, created=created) for name, created in sorted(held.items())))])


OPS = st.builds(
    Op,
    st.sampled_from(["create", "delete", "delete", "delete", "deploy", "undeploy", "undeploy", "fail"]),
    st.floats(0.02, 0.98),
    logged=st.sampled_from([True, True, True, False]),
    delay=st.sampled_from([0.05, 0.1, 1.0, 7.0, 20.0]),
    skew=st.sampled_from([0.0, SKEW, -SKEW]),
    unseen=st.sampled_from([False, False, True]),
)
STEPS = st.builds(
    Step,
    st.sampled_from([6.0, 6.0, 1.0, 0.05]),
    st.lists(OPS, max_size=4).map(tuple),
    st.sets(st.sampled_from(["files", "deployments", "rows", "activity", "settings"]), max_size=2).map(frozenset),
    st.sampled_from([True, True, True, False]),
    st.booleans(),
)
HISTORIES = st.lists(STEPS, min_size=2, max_size=7)
QUICK = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))


def lived(steps, **options):
    world = World(**options)
    world.run(steps)
    return world


def gone(world, kind):
    """Ids that vanished between two whole inventories that follow each other: id → (last seen, first not seen, time of making)."""
    question = {"file": "files", "deployment": "deployments"}[kind]
    found = []
    listed = world.inventories[question]
    for (seen, was), (unseen, now) in itertools.pairwise(listed):
        found += [(name, seen, unseen, created) for name, created in was.items() if now.get(name) != created]
    return found


@QUICK
@given(HISTORIES)
def test_what_is_said_is_what_happened(steps):
    world = lived(steps)
    nothing_is_claimed_that_did_not_happen(world)
    nothing_that_vanished_goes_unreported(world)
    nothing_that_a_log_told_goes_unreported(world)
    statuses_are_those_that_the_witnesses_give(world, steps)


def nothing_is_claimed_that_did_not_happen(world):
    for statement in world.unit.standing():
        if statement.id is None:
            assert 0 < statement.count <= sum(1 for _, r in world.rows if r["CorrelationId"] in world.delivered)
            continue
        assert statement.status in ("corroborated", "unlogged", "unobservable", "logged"), statement
        times = [when for (kind, name, _), (when, _) in world.deleted.items() if (kind, name) == (statement.kind, statement.id)]
        low, high = plus(statement.after, -_hours(SKEW)), plus(statement.before, _hours(SKEW))
        assert any(low <= at(time) <= high for time in times), (statement, times)


def nothing_that_vanished_goes_unreported(world):
    for kind in ("file", "deployment"):
        for name, seen, unseen, _ in gone(world, kind):
            said = [s for s in world.unit.standing() if s.id == name and s.kind == kind and s.after == at(seen) and s.before == at(unseen)]
            assert len(said) == 1, (name, seen, unseen, said)


def nothing_that_a_log_told_goes_unreported(world):
    told = sum(1 for _, r in world.rows if r["CorrelationId"] in world.delivered)
    files = [s for s in world.unit.standing() if s.kind == "file"]
    partly = {(s.after, s.before): int(k[1]) for s in files if (k := re.search(r"(\d+) deletions? of this kind", s.reason)) and s.status != "logged"}
    said = sum(s.count for s in files if s.id is None) + sum(1 for s in files if s.status == "corroborated") + sum(partly.values())
    assert said == told
    for _, _, e in world.events:
        if e["correlationId"] in world.delivered and e["status"]["value"] == "Succeeded":
            name = e["resourceId"].rpartition("/")[2]
            about = [s for s in world.unit.standing() if s.id == name and any(w.point.pointer and w.witness == "activity-log" for w in s.witnesses)]
            assert about, e


def statuses_are_those_that_the_witnesses_give(world, steps):
    for name, seen, unseen, created in gone(world, "deployment"):
        [said] = [s for s in world.unit.standing() if s.id == name and s.kind == "deployment" and s.after == at(seen) and s.before == at(unseen)]
        when, logged = world.deleted["deployment", name, created]
        others = [k for k in world.deleted if k[:2] == ("deployment", name) and k[2] != created]
        if others:
            continue  # a name that is used again within minutes: whose deletion a skewed clock tells of cannot be known
        if logged and _published(world, name, when):
            assert said.status == "corroborated", said
        else:
            assert said.status in ("unlogged", "unobservable"), said
    by_interval = {}
    for name, seen, unseen, created in gone(world, "file"):
        by_interval.setdefault((seen, unseen), []).append((name, *world.deleted["file", name, created]))
    for (seen, unseen), lost in by_interval.items():
        said = {s.status for s in world.unit.standing() if s.kind == "file" and s.after == at(seen) and s.before == at(unseen) and s.id}
        assert len(said) == 1
        near = [r for _, r in world.rows if r["CorrelationId"] in world.delivered and at(seen - 0.1) <= plus(r["TimeGenerated"], _hours(0)) <= at(unseen + 0.1)]
        if not near:
            assert said <= {"unlogged", "unobservable"}, (said, lost)
        if not world.ever_off and not any({"rows", "settings"} & step.out for step in steps) and not near:
            assert said == {"unlogged"}, (said, lost)


@QUICK
@given(
    st.lists(
        STEPS.map(lambda step: Step(6.0, tuple(Op(o.what, o.part, True, 0.1, o.skew) for o in step.ops), step.out - {"rows", "activity"})),
        min_size=2,
        max_size=7,
    )
)
def test_where_every_deletion_is_logged_in_time_every_one_is_corroborated(steps):
    world = lived(steps)
    for kind in ("file", "deployment"):
        for name, seen, unseen, _ in gone(world, kind):
            said = [s.status for s in world.unit.standing() if s.id == name and s.kind == kind and s.after == at(seen) and s.before == at(unseen)]
            assert said == ["corroborated"], (name, seen, unseen, said)


@QUICK
@given(HISTORIES)
def test_a_state_that_lives_through_json_changes_nothing(steps):
    world, other = lived(steps), World()
    other.unit.lossy = False
    other.run(steps)
    assert [d for _, _, d in world.unit.said] == [d for _, _, d in other.unit.said]
    assert world.unit.state.as_json() == other.unit.state.as_json()


@QUICK
@given(HISTORIES, st.integers(0, 30))
def test_a_state_that_was_lost_is_rebuilt_from_the_log(steps, after):
    """Folding all sweeps from the beginning gives the state that was lost, and the same is said from there on."""
    world = lived(steps)
    again = Unit(world.log, lossy=False)
    for number, sweep in enumerate(world.unit.folded):
        if number == after:
            rebuilt = Unit(world.log, lossy=False)
            for earlier in world.unit.folded[:number]:
                rebuilt.fold(earlier)
            again.state = rebuilt.state
        again.fold(sweep)
    assert [d for _, _, d in again.said] == [d for _, _, d in world.unit.said]


@QUICK
@given(HISTORIES, st.data())
def test_a_sweep_that_is_folded_again_adds_nothing(steps, data):
    world = lived(steps)
    state = world.unit.state.as_json()
    again = data.draw(st.sampled_from(world.unit.folded))
    assert world.unit.fold(again) == []
    assert world.unit.state.as_json() == state


@QUICK
@given(HISTORIES)
def test_what_is_kept_in_mind_is_bounded(steps):
    world = lived(steps)
    for number in range(16):
        world.hour += 6
        world.sweep(Step(6, (), logging=True), f"later{number}")
    assert len(world.unit.state.logs) <= 8
    assert world.unit.state.said == [] == world.unit.state.kept
    assert len(world.unit.state.facts) <= 8


def _published(world, name, when):
    return any(
        e["correlationId"] in world.delivered and e["resourceId"].endswith(f"/{name}") and abs(time - when) < 0.2
        for _, time, e in world.events
        if e["status"]["value"] == "Succeeded"
    )


def _hours(number):
    from datetime import timedelta

    return timedelta(hours=number)


@pytest.mark.parametrize("seed", range(2))
def test_a_long_and_busy_history(seed):
    """Forty sweeps with many deletions each: what is said stays right, and what is kept in mind stays small."""
    import random

    chance = random.Random(seed)
    steps = []
    for _ in range(40):
        ops = tuple(
            Op(
                chance.choice(["create", "create", "delete"]),
                chance.random() * 0.96 + 0.02,
                chance.random() > 0.1,
                0.1,
                chance.choice([0, SKEW, -SKEW]),
            )
            for _ in range(12)
        )
        steps.append(Step(6.0, ops, frozenset(chance.sample(["files", "rows", "settings"], 1)) if chance.random() < 0.1 else frozenset()))
    world = lived(steps)
    told = sum(1 for _, r in world.rows if r["CorrelationId"] in world.delivered)
    files = [s for s in world.unit.standing() if s.kind == "file"]
    partly = {(s.after, s.before): int(k[1]) for s in files if s.status != "logged" and (k := re.search(r"(\d+) deletions? of this kind", s.reason))}
    assert sum(s.count for s in files if s.id is None) + sum(1 for s in files if s.status == "corroborated") + sum(partly.values()) == told
    assert len(gone(world, "file")) == sum(1 for s in files if s.id is not None)
