"""Judging again: the findings that the bodies give, rendered as the lines that must have been sealed, and compared with those that were.

Judging is a pure function of what was answered, the profile and the catalogue. So what a unit was judged to be is kept as templates, and a
unit that answers as it did before costs a comparison of bytes.
"""

import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from operator import itemgetter
from typing import Any

from shared.canonical import Json, canonical
from shared.deliver import rejudge
from shared.deliver.shapes import is_digest
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.sweep import SweepState, UnitRecords
from shared.deliver.verify.verdict import Tally
from shared.judge.assemble import Likeness, SweepRecords
from shared.judge.profile import Profile
from shared.model import Judgement

KEPT_UNITS = 4_000
KEPT_TEMPLATES = 50_000

_AT, _SWEEP, _UNIT, _RESOURCE = -1, -2, -3, -4
_MARK = 7_300_000_000_000_000_000
"""Stands for the first record of a unit in a template; the next stands for the second, and so on."""


def finding(control: str, judgement: Judgement, *, at: str, sweep: str, unit: str, profile: str | None) -> Json:
    """The record that seals a judgement (docs/format.md section 2)."""
    points = [{"record": p.record, "page": p.page, "pointer": p.pointer} for p in judgement.points]
    return {
        "v": 1, "type": "finding", "at": at, "sweep": sweep, "resource": judgement.resource, "kind": "finding", "unit": unit,
        "control": control, "catalogue": rejudge.catalogue_version(), "profile": profile, "status": judgement.status,
        "reason": judgement.reason, "records": sorted({p.record for p in judgement.points}), "points": points,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Template:
    """The line of a finding, with places for what differs from sweep to sweep."""

    text: bytes
    pick: Any
    """Takes the values of the places, in their order, out of [record…, resource, unit, sweep, at]."""


@dataclass(frozen=True, slots=True)
class Kept:
    """What a unit was judged to be."""

    order: tuple[int, ...]
    """How its answers stood in the log: a finding lists its records in that order."""
    templates: tuple[Template, ...]


class Recomputation:
    """Judges units again, and remembers."""

    def __init__(self, bodies: Parsed, tally: Tally) -> None:
        self._bodies = bodies
        self._tally = tally
        self._kept: OrderedDict[Any, Kept] = OrderedDict()
        self._templates: dict[Any, Template] = {}
        self._profiles: dict[str, Profile] = {}

    def profile(self, digest: object) -> Profile:
        """The profile with this SHA-256.

        Raises:
            CannotJudgeError: it is missing, or none.
        """
        if not is_digest(digest):
            raise rejudge.CannotJudgeError("the finding names no profile")
        assert isinstance(digest, str)
        if digest not in self._profiles:
            self._bodies.bodies.size_of(digest)  # marks it as named
            try:
                self._profiles[digest] = rejudge.profile_of(self._bodies.load(digest))
            except BodyError as error:
                raise rejudge.CannotJudgeError(f"the profile it was judged by cannot be read: {error}") from None
        return self._profiles[digest]

    def of_unit(self, sweep: SweepState, name: str, unit: UnitRecords, profile: str, at: str, deletions: Sequence[Json] = ()) -> list[bytes]:
        """The lines that the findings of a unit must be, if all were sealed at `at`. `deletions`: what was sealed of it before them.

        Raises:
            CannotJudgeError: a body or the profile is missing, or the judge does not cope.
        """
        resource = sweep.asked[name]["resource"]
        context = sweep.context(resource)
        likes = [*unit.likes, *([context[1]] if context else [])]
        indexes = [*unit.indexes, *([context[0]] if context else [])]
        order = tuple(sorted(range(len(indexes)), key=indexes.__getitem__))
        asked = sweep.asked[name]["asked"] == "subscription"
        planned_at = sweep.plan["at"]
        if deletions:  # they name records by their indexes, and come once: no template
            judged = self._judge(likes, indexes, len(unit.likes), resource, profile, sweep.plan["cloud"], asked, planned_at, deletions)
            about = {"at": at, "sweep": sweep.name, "unit": name, "profile": profile}
            return [canonical(finding(control, judgement, **about)) for control, judgement in judged]
        ages = rejudge.judges_age(self.profile(profile), resource)
        key = (profile, sweep.plan["cloud"], resource, asked, len(unit.likes), tuple(likes), planned_at if ages else "")
        kept = self._kept.get(key)
        if kept is None or kept.order != order:
            marks = range(_MARK, _MARK + len(likes))
            judged = self._judge(likes, marks, len(unit.likes), resource, profile, sweep.plan["cloud"], asked, planned_at)
            kept = Kept(order, tuple(self._template(control, judgement, order, resource, profile) for control, judgement in judged))
            self._kept[key] = kept
            self._tally.counts["units judged again"] += 1
            if len(self._kept) > KEPT_UNITS:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        values = [*indexes, canonical(resource)[1:-1], name.encode(), sweep.name.encode(), at.encode()]
        return [template.text % template.pick(values) for template in kept.templates]

    def _judge(
        self, likes: Sequence[Likeness], indexes: Sequence[int], own: int, resource: str, profile: str, cloud: str, asked: bool, at: str,
        deletions: Sequence[Json] = (),
    ) -> Sequence[rejudge.Judged]:  # fmt: skip
        """Judge, with marks in place of record indexes or with these themselves."""
        records, load = SweepRecords(), self._load
        entries = [like.entry(index) for like, index in zip(likes, indexes, strict=True)]
        context = records.evidence("/".join(resource.split("/")[:3]), entries[own:], load)
        evidence = replace(records.evidence(resource, entries[:own], load, context), deletions=tuple(deletions), at=at)
        return rejudge.unit(evidence, self.profile(profile), cloud, subscription=asked)

    def _load(self, digest: str) -> Json:
        try:
            return self._bodies.load(digest)
        except BodyError as error:
            raise rejudge.CannotJudgeError(str(error)) from None

    def _template(self, control: str, judgement: Judgement, order: tuple[int, ...], resource: str, profile: str) -> Template:
        """The template of a finding. Most accounts of an estate are judged alike: what was made for one serves the next."""
        own = judgement.resource is not None and judgement.resource.startswith(resource)
        about = judgement.resource[len(resource) :] if own and judgement.resource is not None else judgement.resource
        key = (control, judgement.status, judgement.reason, judgement.points, own, about, order, profile)
        found = self._templates.get(key)
        if found is None:
            if len(self._templates) >= KEPT_TEMPLATES:
                self._templates.clear()
            found = self._templates[key] = _template(control, judgement, order, _literal(about), own=own, profile=profile)
        return found


    def of_sweep(self, sweep: SweepState, first: Json, missing: frozenset[str], *, whole: bool) -> list[bytes]:
        """The lines that the findings about the collection itself and the provider's statements must be, given the first of them.

        `whole`: the records of the whole sweep are here; otherwise only what rests on acts of people can be judged again.

        Raises:
            CannotJudgeError: the profile is missing, or the judge does not cope.
        """
        profile = self.profile(first["profile"])
        in_order = [name for name in sweep.asked if name in missing]
        records = sweep.collected(missing)
        judged = list(rejudge.collection(records, in_order, profile, self._load) if whole else rejudge.on_file(records, profile))
        judged += rejudge.provider_attested(records)
        common = {"at": first["at"], "sweep": sweep.name, "unit": first["unit"], "profile": first["profile"]}
        return [canonical(finding(control, judgement, **common)) for control, judgement in judged]


def _template(control: str, judgement: Judgement, order: tuple[int, ...], about: bytes, *, own: bool, profile: str) -> Template:
    """The canonical line of the finding, member by member in their order, with places.

    `about`: what it is about, as canonical JSON; if `own`, without the resource of its unit, with which it begins.
    """
    slots: list[int] = [_AT]

    def record(index: int) -> bytes:
        if not 0 <= index - _MARK < len(order):
            return b"%d" % index
        slots.append(index - _MARK)
        return b"%d"

    points = [
        b'{"page":%d,"pointer":%b,"record":' % (p.page, _literal(p.pointer)) + record(p.record) + b"}" for p in judgement.points
    ]
    place = {position: number for number, position in enumerate(order)}
    named = sorted({p.record for p in judgement.points}, key=lambda index: place.get(index - _MARK, -1))
    records = [record(index) for index in named]
    if own:
        about = b'"%b' + about[1:]
        slots.append(_RESOURCE)
    slots += [_SWEEP, _UNIT]
    text = b"".join([
        b'{"at":"%b","catalogue":', _literal(rejudge.catalogue_version()), b',"control":', _literal(control), b',"kind":"finding","points":[',
        b",".join(points), b'],"profile":', _literal(profile), b',"reason":', _literal(judgement.reason), b',"records":[', b",".join(records),
        b'],"resource":', about, b',"status":', _literal(judgement.status), b',"sweep":"%b","type":"finding","unit":"%b","v":1}',
    ])  # fmt: skip
    return Template(text, itemgetter(*slots))


@lru_cache(maxsize=4096)
def _literal(value: str | None) -> bytes:
    """A value as canonical JSON, safe within a template."""
    return canonical(value).replace(b"%", b"%%")


@dataclass(slots=True)
class Run:
    """The findings of one unit in one sweep: what must come, and what came."""

    sweep: SweepState
    unit: str
    first: int
    expected: list[bytes]
    """Lines that must come and have not, in their order."""
    tally: Tally
    recomputed: bool = True
    only: frozenset[str] | None = None
    """The controls that can be judged again here; None: all."""
    count: int = 0
    """Records of the run, changes included."""
    deletions: list[tuple[int, Json]] = field(default_factory=list)
    """What was said to be gone, before the findings."""
    begun: bool = False
    """Whether anything but deletions came."""
    compared: int = 0
    """Findings among them that could be compared."""
    unread: int = 0
    """Those that were compared as bytes and never parsed."""
    skipped: int = 0
    beside: list[tuple[int, Json]] = field(default_factory=list)
    """Records that were none of the expected lines as they stand."""

    def matched(self, lines: list[bytes], start: int) -> int:
        """How many of `lines`, from `start` on, are those that should come next: as a rule all of them, or none."""
        due = self.expected
        if not due or lines[start] != due[0]:
            return 0
        came = lines[start : start + len(due)]
        differing = (place for place, (line, other) in enumerate(zip(came, due, strict=False)) if line != other)
        same = len(came) if came == due else next(differing, len(came))
        del due[:same]
        self.count += same
        self.compared += same
        self.unread += same
        return same

    def other(self, index: int, record: Json, line: bytes) -> None:
        """Another record of the run came."""
        self.count += 1
        if record["type"] != "finding" or not self.recomputed:
            return
        if self.only is not None and record["control"] not in self.only:
            self.skipped += 1
            return
        self.compared += 1
        if line in self.expected:
            self.expected.remove(line)
        elif len(self.beside) < 1_000:
            self.beside.append((index, record))

    def close(self) -> int:
        """Compare what is left on both sides, by what it says; note what does not agree. Returns how many findings were recomputed."""
        left = [json.loads(line) for line in self.expected]
        for index, record in self.beside:
            same = next((value for value in left if _says(value) == _says(record)), None)
            rival = same or next((value for value in left if _names(value) == _names(record)), None)
            if rival is not None:
                left.remove(rival)
            if same is None:
                why = _difference(record, rival) if rival else f"says {record['status']}, and the bodies give no such finding"
                self.tally.problem("finding", f"{_about(record)}: {why}", record=index)
        for value in left:
            self.tally.problem("finding", f"{_about(value)}: the bodies give {value['status']}, and no finding says so", record=self.first)
        if self.skipped:
            self.tally.unchecked("findings about the collection as a whole: they rest on records that are not in this bundle")
        return self.compared


def _says(value: Json) -> Json:
    points = sorted(canonical(point) for point in value["points"])
    return value["control"], value["resource"], value["status"], value["reason"], sorted(value["records"]), points


def _names(value: Json) -> Json:
    return value["control"], value["resource"]


def _about(value: Json) -> str:
    return f"{value['control']} of {value['resource'] or 'the collection'}"


def _difference(sealed: Json, given: Json) -> str:
    if sealed["status"] != given["status"]:
        return f"says {sealed['status']}, the bodies give {given['status']} ({given['reason']})"
    if sealed["reason"] != given["reason"]:
        return f"gives another reason than the bodies do ({given['reason']})"
    return "points at other records or places than the bodies do"
