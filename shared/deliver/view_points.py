"""From a finding's points to the bytes they name, and to the command that shows them again. Pure."""

import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from shared.canonical import Json
from shared.deliver.view_model import Excerpt

LONGEST = 400
"""Characters of an excerpt; what is left out is counted."""

Load = Callable[[str], Json]
"""Gives the parsed body with this SHA-256; raises where it is not to be had."""


class _Absent(Exception):  # noqa: N818 - an answer, not an error
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
    try:
        text, absent = compact(resolve(value, pointer)), False
    except _Absent as missing:
        text, absent = _in_place_of(missing), True
    return Excerpt(record, page, pointer, question, digest, text[:LONGEST], max(0, len(text) - LONGEST), absent)


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


_PLACEHOLDER = re.compile(r"(?<![A-Za-z0-9_])(?:SUBSCRIPTION|GROUP|NAME|ACCOUNT|DEPLOYMENT|PROJECT|CHILD|RESOURCE)(?![A-Za-z0-9_])")


def parts(resource: str) -> dict[str, str]:
    """What an ARM id says, by the names that command templates use."""
    pieces = resource.strip("/").split("/")
    named = dict(zip((piece.lower() for piece in pieces[::2]), pieces[1::2], strict=False))
    found = {
        "SUBSCRIPTION": named.get("subscriptions"),
        "GROUP": named.get("resourcegroups"),
        "NAME": named.get("accounts"),
        "ACCOUNT": named.get("accounts"),
        "DEPLOYMENT": named.get("deployments"),
        "PROJECT": named.get("projects"),
        "CHILD": pieces[-1] if len(pieces) > 8 else None,
        "RESOURCE": resource or None,
    }
    return {name: value for name, value in found.items() if value}


def commands(templates: Iterable[str], resource: str | None) -> tuple[str, ...]:
    """The commands for `resource`, its parts filled in and quoted for a shell. A part the id does not have stays as it is."""
    known = {name: shlex.quote(value) for name, value in parts(resource).items()} if resource else {}
    return tuple(_PLACEHOLDER.sub(lambda match: known.get(match[0], match[0]), template) for template in templates)


def children(values: Mapping[str, Json] | None, name: str) -> Json:
    """A member of something that may not be an object."""
    return values.get(name) if isinstance(values, dict) else None
