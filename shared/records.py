"""Records as they are written: one line of canonical JSON each (docs/format.md section 2). Pure, given the clock's reading."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.canonical import Json, canonical

MAX_LINE = 65_535
"""Bytes of a record: what an entry bundle of the log has room for."""

KeepBody = Callable[[bytes], str]
"""Puts bytes into the store's bodies and gives their SHA-256."""


def timestamp(moment: datetime) -> str:
    """RFC 3339, UTC, microseconds: `2026-11-22T18:00:00.000000Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def moment(text: str) -> datetime:
    """The time that `timestamp` wrote.

    Raises:
        ValueError: it is none.
    """
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Origin:
    """What the records of one sweep have in common: why it runs, who collects, what protects what is written."""

    sweep: str | None
    cause: Json
    collector: Json
    storage: Json


def record(
    type_: str, at: str, *, sweep: str | None, kind: str, resource: str | None = None, unit: str | None = None, **fields: Json
) -> Json:
    """A record with the common fields."""
    common: dict[str, Json] = {"v": 1, "type": type_, "at": at, "sweep": sweep, "resource": resource, "kind": kind}
    if unit is not None:
        common["unit"] = unit
    return {**common, **fields}


def line(value: Json, keep_body: KeepBody) -> bytes:
    """The record's line, without its newline. Fields too large for it move to bodies, the largest first."""
    encoded = canonical(value)
    while len(encoded) > MAX_LINE:
        name = max((n for n in value if n not in ("overflow", "type", "sweep", "unit")), key=lambda n: len(canonical(value[n])))
        large = canonical(value[name])
        moved = {"bytes": len(large), "sha256": keep_body(large)}
        rest = {n: v for n, v in value.items() if n != name}
        value = {**rest, "overflow": {**value.get("overflow", {}), name: moved}}
        encoded = canonical(value)
    return encoded


def whole(value: Json, load: Callable[[str], Json]) -> Json:
    """The record with the fields that had moved to bodies."""
    if "overflow" not in value:
        return value
    moved = {name: load(place["sha256"]) for name, place in value["overflow"].items()}
    return {**{n: v for n, v in value.items() if n != "overflow"}, **moved}
