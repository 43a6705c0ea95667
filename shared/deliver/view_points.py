"""From a finding's points to the bytes they name. Pure."""

import json
import re
from collections.abc import Callable

from shared.canonical import Json
from shared.deliver.view_model import Excerpt

LONGEST = 400
"""Characters of an excerpt; what is left out is counted."""

Load = Callable[[str], Json]
"""Gives the parsed body with this SHA-256; raises where it is not to be had."""


class _Absent(Exception):
    def __init__(self, parent: Json, pointer: str, token: str) -> None:
        super().__init__(pointer)
        self.parent, self.pointer, self.token = parent, pointer, token


def resolve(value: Json, pointer: str) -> Json:
    """The value at an RFC 6901 pointer within `value`."""
    walked = ""
    for raw in pointer.split("/")[1:]:
        token = raw.replace("~1", "/").replace("~0", "~")
        if isinstance(value, dict) and token in value:
            value = value[token]
        elif isinstance(value, list) and re.fullmatch(r"0|[1-9][0-9]{0,9}", token) and int(token) < len(value):
            value = value[int(token)]
        else:
            raise _Absent(value, walked, token)
        walked += f"/{raw}"
    return value


def excerpt(value: Json, *, record: int, page: int, pointer: str, question: str, digest: str | None) -> Excerpt:
    """What stands at `pointer` in a body, as compact JSON; where nothing does, what there is in its place."""
    members: tuple[str, ...] = ()
    try:
        found = resolve(value, pointer)
        text, absent = compact(found), False
        if isinstance(found, dict) and len(text) > LONGEST:
            members = tuple(found)
    except _Absent as missing:
        text, absent = _in_place_of(missing), True
    return Excerpt(record, page, pointer, question, digest, text[:LONGEST], max(0, len(text) - LONGEST), absent, members)


def without_body(why: str, *, record: int, page: int, pointer: str, question: str, digest: str | None) -> Excerpt:
    """An excerpt of what cannot be shown."""
    return Excerpt(record, page, pointer, question, digest, why, 0, absent=True)


def compact(value: Json) -> str:
    """JSON without spaces, members in the order in which they came."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _in_place_of(missing: _Absent) -> str:
    where = missing.pointer or "the body"
    if isinstance(missing.parent, dict):
        keys = ", ".join(missing.parent) or "nothing"
        return f"no member {json.dumps(missing.token, ensure_ascii=False)}; {where} has: {keys}"
    if isinstance(missing.parent, list):
        return f"no item {missing.token}; {where} is a list of {len(missing.parent)}"
    return f"no member {json.dumps(missing.token, ensure_ascii=False)}; {where} is {compact(missing.parent)}"
