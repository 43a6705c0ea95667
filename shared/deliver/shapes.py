"""What a record must look like: canonical JSON, the common fields, and the fields of its type (docs/format.md section 2).

Nine in ten records are observations in one usual shape. For those one pattern is parser, check of the canonical form and check of the
fields at once; everything else is parsed, and encoded again to be compared with its own bytes.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime

from shared.canonical import Json, canonical
from shared.judge.attribution import OPS
from shared.judge.attribution import STATUSES as ATTRIBUTED
from shared.judge.exhibits import is_file_name
from shared.model import STATUSES
from shared.seal.tiles import MAX_RECORD

_S = rb'"[ !#-\[\]-~]*+"'
_S_OR_NULL = rb"(?:null|" + _S + rb")"
_N = rb"(?:0|[1-9][0-9]{0,17}+)"
_AT = rb"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z"

USUAL = re.compile(
    rb'\{"at":"(' + _AT + rb')","attempts":' + _N
    + rb',"cause":\{"by":' + _S + rb',"ref":' + _S_OR_NULL + rb"\}"
    + rb',"collector":\{"identity":' + _S_OR_NULL + rb',"version":' + _S + rb"\}"
    + rb',"kind":"([A-Za-z]{1,60})"'
    + rb',"pages":\[\{"attempts":' + _N + rb',"bytes":(' + _N + rb'),"date":' + _S_OR_NULL + rb',"request_id":' + _S_OR_NULL
    + rb',"sha256":"([0-9a-f]{64})","url":(' + _S + rb")\}\]"
    + rb',"request":\{"method":("GET"|"TLS"),"url":(' + _S + rb")\}"
    + rb',"resource":(?:null|"([ !#-@\[\]-~]*+)")'
    + rb',"response":(?:null|\{"date":(?:null|"([ !#-\[\]-~]*+)"),"request_id":' + _S_OR_NULL + rb',"status":(' + _N + rb")\})"
    + rb',"storage":\{"policy":' + _S + rb',"until":' + _S_OR_NULL + rb"\}"
    + rb',"sweep":"([A-Za-z0-9._-]{1,128})","type":"observation","unit":"([A-Za-z0-9._-]{1,128})","v":1\}'
).fullmatch  # fmt: skip
"""An observation in the usual shape: at, kind, bytes, sha256, page's url, method, request's url, resource, date, status, sweep, unit."""

_TIME = re.compile(_AT.decode()).fullmatch
_DIGEST = re.compile(r"[0-9a-f]{64}").fullmatch


def is_digest(text: object) -> bool:
    """Whether this is a SHA-256 as we write it."""
    return isinstance(text, str) and _DIGEST(text) is not None




class RecordError(Exception):
    """A line is not a record as it should be; the message is one sentence."""


class NewerError(RecordError):
    """The record was written by a later version of this software."""


def is_time(text: object) -> bool:
    """Whether this is a time as records have it."""
    if not isinstance(text, str) or not _TIME(text):
        return False
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True


def parse(line: bytes) -> Json:
    """The record on a line, its common fields checked; fields that moved to bodies are not looked at yet.

    Raises:
        NewerError: its version is not ours.
        RecordError: it is not one line of canonical JSON, or lacks what every record has.
    """
    try:
        value = json.loads(line.decode())
        same = canonical(value) == line
    except (ValueError, RecursionError):
        raise RecordError("is not JSON in UTF-8") from None
    if not isinstance(value, dict):
        raise RecordError("is not a JSON object")
    if isinstance(value.get("v"), int) and value["v"] > 1:
        raise NewerError(f"was written by a newer version (v {value['v']}): verify it with a later release of aoai-evidence")
    if not same or len(line) > MAX_RECORD:
        raise RecordError("is not in the canonical form of a record")
    for name, good in _COMMON.items():
        if not good(value.get(name, _MISSING)):
            raise RecordError(f"its `{name}` is missing or malformed")
    return value


def check_fields(value: Json) -> None:
    """Check the fields that the record's type has; a type that is not known here has none.

    Raises:
        RecordError: one is missing or malformed.
    """
    for name, good in _FIELDS.get(value["type"], {}).items():
        if not good(value.get(name, _MISSING)):
            raise RecordError(f"its `{name}` is missing or malformed")


_MISSING: Json = object()

Check = Callable[[Json], bool]


def _text(value: Json) -> bool:
    return isinstance(value, str)


def _count(value: Json) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 1 << 63


def _object(value: Json) -> bool:
    return isinstance(value, dict)


def _flag(value: Json) -> bool:
    return isinstance(value, bool)


def _or_null(good: Check) -> Check:
    return lambda value: value is None or good(value)


def _list_of(good: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(good, value))


def _with(**members: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(good(value.get(name, _MISSING)) for name, good in members.items())


def _map_of(good: Check) -> Check:
    return lambda value: isinstance(value, dict) and all(map(good, value.values()))


def _if_there(good: Check) -> Check:
    return lambda value: value is _MISSING or good(value)


def _name(value: Json) -> bool:
    return isinstance(value, str) and re.fullmatch(r"[A-Za-z0-9._-]{1,128}", value) is not None


def _file_name(value: Json) -> bool:
    return isinstance(value, str) and is_file_name(value)


def _lower(value: Json) -> bool:
    return isinstance(value, str) and value == value.lower()


def _place(value: Json) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(map(_count, value))


_COMMON: Mapping[str, Check] = {
    "v": lambda value: value == 1 and value is not True and isinstance(value, int),
    "type": _text,
    "at": is_time,
    "sweep": _or_null(_name),
    "resource": _or_null(_lower),
    "kind": _text,
    "unit": lambda value: value is _MISSING or _name(value),
    "overflow": lambda value: value is _MISSING or _map_of(_with(sha256=is_digest, bytes=_count))(value),
}

_BODY = _with(sha256=is_digest, bytes=_count)
_PAGE = _with(sha256=is_digest, bytes=_count, url=_text)
_PREVIOUS = _with(record=_count, to=is_time)
_STORAGE = _with(policy=_text, until=_or_null(_text))
_ASKED: Mapping[str, Check] = {
    "sweep": _name,
    "unit": _name,
    "request": _with(method=_text, url=_text, body=_if_there(_object)),
    "object": _if_there(_with(kind=_text, id=_or_null(_text))),
    "window": _if_there(_with(**{"from": is_time, "to": is_time, "previous": _or_null(_PREVIOUS), "around": _if_there(is_time)})),
    "served": _if_there(lambda value: value is False),
    "response": _or_null(_with(status=_or_null(_count), date=_or_null(_text))),
    "attempts": _count,
    "cause": _object,
    "collector": _object,
    "storage": _object,
}

_WINDOWS = _list_of(_with(kind=_text, resource=_lower, previous=_or_null(_PREVIOUS), around=_if_there(is_time), **{"from": is_time}))

_DECIDED: Mapping[str, Check] = {"owner": lambda value: _text(value) or _object(value), "reason": _text}
_WAIVED = _with(action=lambda value: value == "add", control=_text, scope=_or_null(_lower), until=is_time, number=_if_there(_count), **_DECIDED)
_ENDED = _with(action=lambda value: value == "end", waiver=_count, number=_if_there(_count), **_DECIDED)

_FILED = _with(
    action=lambda value: value == "add", number=_count, kind=_text, title=_text, issuer=_text, statements=_list_of(_text), expires=_or_null(is_time),
    covers=_with(**{"from": is_time}, to=_or_null(is_time)), file=_with(name=_file_name, bytes=_count, sha256=is_digest, kept=_flag), **_DECIDED,
)  # fmt: skip
_WITHDRAWN = _with(action=lambda value: value == "withdraw", number=_count, exhibit=_count, **_DECIDED)

_APPROVED = _with(
    action=lambda value: value == "approve", number=_count, scope=_or_null(_lower), sweep=_name, size=_count, **{"from": _count}, **_DECIDED,
)  # fmt: skip

_FIELDS: Mapping[str, Mapping[str, Check]] = {
    "observation": {**_ASKED, "pages": lambda value: bool(value) and _list_of(_PAGE)(value)},
    "failure": {**_ASKED, "pages": _list_of(_PAGE), "reason": _text, "detail": _text},
    "finding": {
        "sweep": _name, "unit": _name, "control": _text, "catalogue": _text, "profile": _or_null(_text), "reason": _text,
        "status": lambda value: value in STATUSES, "records": _list_of(_count),
        "points": _list_of(_with(record=_count, page=_count, pointer=_text)),
    },
    "change": {
        "sweep": _name, "unit": _name, "from": _or_null(_count), "to": _or_null(_count), "since": _or_null(is_time), "until": is_time,
        "fields": _list_of(_with(pointer=_text, op=_text)),
    },
    "sweep-planned": {
        "sweep": _name, "slot": _or_null(is_time), "schedule": _or_null(_text), "deadline": is_time, "cloud": _text,
        "scope": _with(subscriptions=_or_null(_list_of(_text)), resources=_or_null(_list_of(_lower)), kinds=_list_of(_text)),
        "seen": lambda value: value is _MISSING or value is None or _list_of(_text)(value),
        "questions": _map_of(_list_of(_text)), "units": _list_of(_with(unit=_name, resource=_lower, asked=_text, windows=_if_there(_WINDOWS))),
        "windows": _if_there(_or_null(_with(**{"from": is_time, "to": is_time}))), "workspace": _if_there(_or_null(_text)),
        "previous": _or_null(_with(record=_count, at=is_time, slot=_or_null(is_time))),
        "log": _with(size=_count, held=_or_null(_count), consistent=_or_null(_flag)),
    },
    "sweep-closed": {
        "sweep": _name, "slot": _or_null(is_time), "planned": _count, "units": _map_of(_place), "findings": _map_of(_place),
        "missing": _list_of(_name), "failures": _count, "complete": _flag, "deletions": _if_there(_map_of(_count)),
    },
    "retention": {"storage": _STORAGE, "source": _text},
    "profile": {"profile": _BODY},
    "erasure": {"commitments": _list_of(_text)},
    "event": {"pages": _if_there(_list_of(_BODY))},
    "exhibit": {"exhibit": lambda value: (_FILED(value) and (value["expires"] or value["covers"]["to"]) is not None) or _WITHDRAWN(value)},
    "baseline": {"baseline": _APPROVED},
    "waiver": {"waiver": lambda value: _WAIVED(value) or _ENDED(value)},
    "deletion": {
        "sweep": _name, "unit": _name, "resource": _text, "account": _lower, "object": _with(kind=_text, id=_or_null(_text)), "count": _count,
        "after": is_time, "before": is_time, "status": _text, "cause": _text, "reason": _text, "records": _list_of(_count),
        "pairs": _list_of(_place), "supersedes": _list_of(_count), "first_seen": _or_null(_with(record=_count, at=is_time)),
        "witnesses": _list_of(_with(witness=_text, record=_count, page=_count, pointer=_text, at=is_time)),
        "counted": _if_there(_list_of(_with(record=_count, page=_count, pointer=_text))),
    },
    "attribution": {
        "sweep": _name, "unit": _name, "status": lambda value: value in ATTRIBUTED, "reason": _text, "records": _list_of(_count),
        "change": _with(**{"from": _or_null(_count)}, to=_or_null(_count), since=_or_null(is_time), until=is_time, op=lambda value: value in OPS),
    },
}  # fmt: skip

KNOWN_TYPES = frozenset(_FIELDS)


def bodies_of(value: Json) -> list[tuple[str, int]]:
    """(digest, bytes) of every body that the fields of the record's type name."""
    if value["type"] in ("observation", "failure") or (value["type"] == "event" and "pages" in value):
        return [(page["sha256"], page["bytes"]) for page in value["pages"]]
    return [(value["profile"]["sha256"], value["profile"]["bytes"])] if value["type"] == "profile" else []
