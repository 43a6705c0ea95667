"""Operations of Resource Manager, as the Activity Log and events of Event Grid tell of them: who did what to which resource, and how it ended.

One operation has several entries (Started, Accepted, Succeeded or Failed), which share a correlation; an event of Event Grid shares it too.
They are folded into one. Entries come late, twice and in any casing; those that were withheld as out of scope say nothing. Pure.

Sources: Azure Monitor, activity-log-schema; Event Grid, event-schema-subscriptions; samples in both schemas.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from shared.canonical import Json
from shared.judge.assemble import EVENT, Entry, LoadBody
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.times import MEMORY, plus, when
from shared.model import Point

Outcome = Literal["succeeded", "failed", "open"]

DELETE_ACCOUNT: Final = "microsoft.cognitiveservices/accounts/delete"
DELETE_DEPLOYMENT: Final = "microsoft.cognitiveservices/accounts/deployments/delete"
PURGE_ACCOUNT: Final = "microsoft.cognitiveservices/locations/resourcegroups/deletedaccounts/delete"
DELETIONS: Final = frozenset({DELETE_ACCOUNT, DELETE_DEPLOYMENT, PURGE_ACCOUNT})
LIST_KEYS: Final = "microsoft.cognitiveservices/accounts/listkeys/action"

_OBJECT_ID: Final = "http://schemas.microsoft.com/identity/claims/objectidentifier"
_DONE: Final = {"succeeded": "succeeded", "success": "succeeded", "failed": "failed", "failure": "failed", "canceled": "failed", "cancelled": "failed"}
_DELETED: Final = re.compile(
    r"(/subscriptions/[^/]+)/providers/microsoft\.cognitiveservices/locations/[^/]+/resourcegroups/([^/]+)/deletedaccounts/([^/]+)"
)


@dataclass(frozen=True, slots=True)
class Told:
    """Where one witness speaks of an operation."""

    witness: Literal["activity-log", "event"]
    point: Point
    at: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation."""

    key: str
    resource: str
    """Lower-cased ARM id; of a purge, that of the account."""
    name: str
    """Lower-cased: `microsoft.cognitiveservices/accounts/delete`."""
    start: str
    end: str
    outcome: Outcome
    """`open`: begun or accepted, and no end is known."""
    by: Json
    """The object id of whoever did it, else what stands for the name; None where neither is told."""
    told: tuple[Told, ...]
    """Each entry once, where it came first."""
    places: tuple[Point, ...]
    """Everywhere that it is told."""
    client: Json = None
    """What was used for it, by the claims of the token: `{"appid","idtyp"}`; None where neither is told."""
    correlation: str | None = None


@dataclass(frozen=True, slots=True)
class _Line:
    identity: str
    key: str
    resource: str
    name: str
    at: str
    status: str
    by: Json
    told: Told
    client: Json = None
    correlation: str = ""


def operations(entries: Iterable[Entry], shelf: Shelf, names: frozenset[str] | None = None) -> list[Operation]:
    """The operations that answers and events tell of, each once, by time. `names`: only these; None for all.

    Answers are taken in the order of the log. What is much older than where the answer before it ended was told by that one.
    """
    seen: dict[str, list[Point]] = {}
    lines: dict[str, list[_Line]] = {}
    read: dict[str, str] = {}
    for entry in sorted(entries, key=lambda entry: entry.record):
        if entry.failure is not None:
            continue
        before = read.get(entry.resource) if entry.window is not None else None
        oldest = plus(before, -MEMORY) if before is not None else ""
        for line in shelf.lines(entry, _event if entry.kind == EVENT else _entries):
            if line.at < oldest or (names is not None and line.name not in names):
                continue
            if line.identity not in seen:
                lines.setdefault(line.key, []).append(line)
            seen.setdefault(line.identity, []).append(line.told.point)
        if entry.window is not None and not entry.window.around:
            read[entry.resource] = max(before or "", entry.window.end)
    return sorted((_folded(key, found, seen) for key, found in lines.items()), key=lambda operation: (operation.start, operation.key))


def concerns(entry: Entry, shelf: Shelf, resource: str) -> bool:
    """Whether an answer, or an event, tells of something deleted in an account, or a subscription."""
    lines = shelf.lines(entry, _event if entry.kind == EVENT else _entries)
    return any(line.name in DELETIONS and line.resource.startswith(f"{resource}/") for line in lines)


def _entries(entry: Entry, load: LoadBody) -> Iterator[_Line]:
    """Of an answer of the Activity Log."""
    for number, digest in enumerate(entry.digests):
        page = load(digest)
        values = page.get("value") if isinstance(page, dict) else None
        for position, value in enumerate(values if isinstance(values, list) else ()):
            if isinstance(value, dict):
                line = _line(value, Told("activity-log", Point(entry.record, number, f"/value/{position}"), ""))
                if line is not None:
                    yield line


def _line(value: Json, told: Told) -> _Line | None:
    name, resource, at = _word(value.get("operationName")), _word(value.get("resourceId")), when(value.get("eventTimestamp"))
    if not name or not resource or at is None:
        return None
    resource = _target(resource)
    correlation = _word(value.get("correlationId")) or _word(value.get("operationId"))
    identity = _word(value.get("eventDataId")) or f"{told.point.record} {told.point.pointer}"
    status = _word(value.get("status")) or _word(value.get("resultType"))
    key = f"{correlation or identity} {name} {resource}"
    return _Line(identity, key, resource, name, at, status, _actor(value), Told(told.witness, told.point, at), _client(value), correlation)


def _event(entry: Entry, load: LoadBody) -> Iterator[_Line]:
    """Of an event of Event Grid, in either of its schemas."""
    value = load(entry.digests[0]) if entry.digests else None
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(value, dict) or not isinstance(data, dict):
        return
    kind = _word(value.get("eventType")) or _word(value.get("type"))
    at = when(value.get("eventTime") or value.get("time"))
    name = _word(data.get("operationName"))
    resource = _word(data.get("resourceUri")) or _word(value.get("subject"))
    if at is None or not name or not resource:
        return
    status = next((word for word in ("success", "failure", "cancel") if kind.endswith(word)), _word(data.get("status")))
    status = {"cancel": "canceled"}.get(status, status)
    resource, identity = _target(resource), _word(value.get("id"))
    correlation = _word(data.get("correlationId"))
    told = Told("event", Point(entry.record), at)
    yield _Line(
        f"event {identity}", f"{correlation or identity} {name} {resource}", resource, name, at, status, _actor(data), told, _client(data), correlation
    )


def _folded(key: str, lines: list[_Line], seen: dict[str, list[Point]]) -> Operation:
    lines.sort(key=lambda line: (line.at, line.told.point.record, line.told.point.pointer))
    ended = [line for line in lines if line.status in _DONE]
    outcome: Outcome = "open"
    if ended:
        outcome = "succeeded" if _DONE[ended[-1].status] == "succeeded" else "failed"
    by = next((line.by for line in reversed(lines) if line.by is not None), None)
    client = next((line.client for line in reversed(lines) if line.client is not None), None)
    end = ended[-1].at if ended else lines[-1].at
    places = tuple(point for line in lines for point in seen[line.identity])
    first, told = lines[0], tuple(line.told for line in lines)
    return Operation(key, first.resource, first.name, first.at, end, outcome, by, told, places, client, first.correlation or None)


def _word(value: Json) -> str:
    """Text in lower case, also where it is wrapped as `{"value","localizedValue"}`; empty for anything else."""
    if isinstance(value, dict):
        value = value.get("value")
    return value.casefold() if isinstance(value, str) else ""


def _actor(value: Json) -> Json:
    claims = value.get("claims")
    named = claims.get(_OBJECT_ID) if isinstance(claims, dict) else None
    return named or value.get("caller") or None


def _client(value: Json) -> Json:
    """What a token was issued to: the application, and whether it acted for itself (`app`) or for somebody (`user`)."""
    claims = value.get("claims")
    found = {name: claims[name] for name in ("appid", "idtyp") if isinstance(claims.get(name), str)} if isinstance(claims, dict) else {}
    return found or None


def _target(resource: str) -> str:
    """The resource; of a deleted account, the id that it had."""
    found = _DELETED.fullmatch(resource)
    return f"{found[1]}/resourcegroups/{found[2]}/providers/microsoft.cognitiveservices/accounts/{found[3]}" if found else resource


def account_of_deleted(identifier: str) -> str | None:
    """The id that a deleted account had, lower-cased, out of its id among the deleted ones; None for what is none."""
    found = _DELETED.fullmatch(identifier.lower())
    return _target(identifier.lower()) if found else None
