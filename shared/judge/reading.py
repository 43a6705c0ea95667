"""Reading Azure's JSON without trusting its shape.

A reader gives the value, or `None` where the field is absent (a state of its own: Azure leaves defaults out), or raises
`Unclear` where the field holds anything else than it should: null, another type, a value replaced before sealing. No check touches
a JSON value other than through here, so a shape nobody foresaw becomes `unknown` and never an exception.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass

from shared.canonical import Json
from shared.judge.verdict import Unclear
from shared.model import Answer, Evidence, Point

FAILURES = {
    "unauthenticated": "Azure did not accept the collector's identity (401)",
    "forbidden": "the collector's identity may not read it (403)",
    "not-found": "Azure says there is no such thing (404)",
    "gone": "Azure says it is gone (410)",
    "conflict": "Azure reported a conflict (409)",
    "refused": "Azure refused the question",
    "throttled": "Azure throttled the collector until its budget of retries was spent (429)",
    "server-error": "Azure failed to answer (5xx)",
    "timeout": "no answer came in time",
    "unreachable": "the endpoint could not be reached",
    "redirected": "Azure redirected the question, which the collector does not follow",
    "malformed": "the answer was not of the shape that was due",
    "paging": "a page of the list came twice, or there were too many",
    "foreign-host": "the address is not on a host of the chosen cloud, so nothing was asked",
    "budget": "the retry budget of this resource was spent",
    "skipped": "the question it depends on had failed",
}
"""What each reason of a failure record says to a person."""

_LONGEST = 80


def shown(value: Json) -> str:
    """`value` as a reason may show it: short, on one line, and nothing that was replaced before sealing."""
    if isinstance(value, dict):
        if "committed" in value:
            return "a value withheld as personal"
        return "a value withheld as secret" if "withheld" in value else "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return "a number with too many digits"
    text = json.dumps(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def identical(one: Json, other: Json) -> bool:
    """Whether two values are the same JSON, key order apart. Python's own `==` takes `true` for 1, and 1 for 1.0."""
    if one is other:
        return True
    if type(one) is not type(other):
        return False
    if isinstance(one, str | bool | int | None):
        return bool(one == other)
    try:
        return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)
    except RecursionError:
        return False  # deeper than can be compared: say that it differs rather than that it does not


def names(found: Iterable[str], most: int = 5) -> str:
    """A list in a sentence: sorted, without repetition, and not longer than a person reads."""
    ordered = sorted(set(found))
    more = len(ordered) - most
    return ", ".join(ordered[:most]) + (f" and {more} more" if more > 0 else "")


def count(number: int, noun: str, plural: str = "") -> str:
    """A number with its noun: `1 account`, `3 accounts`."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"


def verb(number: int, singular: str, plural: str) -> str:
    """The form of a verb that goes with `number`."""
    return singular if number == 1 else plural


def token(name: str) -> str:
    """One segment of a JSON Pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1") if "~" in name or "/" in name else name


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON object in an answer, and where it is."""

    value: dict[str, Json]
    record: int
    page: int
    pointer: str

    def point(self, *path: str) -> Point:
        """Where this object is, or the member of it that `path` leads to."""
        pointer = self.pointer
        for name in path:
            pointer += f"/{token(name)}"
        return Point(self.record, self.page, pointer)

    def has(self, name: str) -> bool:
        """Whether there is a member `name`, whatever its value."""
        return name in self.value

    def odd(self, name: str, due: str) -> Unclear:
        """What to raise where member `name` is not `due`."""
        point = self.point(name)
        return Unclear(f"{_place(point.pointer)} is {shown(self.value.get(name))} where {due} is due.", point)

    def missing(self, name: str) -> Unclear:
        """What to raise where member `name` must be there and is not."""
        return Unclear(f"{_place(self.pointer)} has no {name}.", self.point())

    def text(self, name: str) -> str | None:
        """A string, or None where it is absent."""
        value = self.value.get(name)
        if isinstance(value, str):
            return value
        if name in self.value:
            raise self.odd(name, "a string")
        return None

    def word(self, name: str) -> str | None:
        """A string in lower case: Azure's enumerations, names, ids and locations come in any case."""
        value = self.text(name)
        return None if value is None else value.casefold()

    def needed_text(self, name: str) -> str:
        """A string that must be there and not be empty."""
        value = self.text(name)
        if value is None:
            raise self.missing(name)
        if not value:
            raise self.odd(name, "a name")
        return value

    def flag(self, name: str) -> bool | None:
        """A boolean, or None where it is absent. A string that says so is not one."""
        value = self.value.get(name)
        if isinstance(value, bool):
            return value
        if name in self.value:
            raise self.odd(name, "true or false")
        return None

    def child(self, name: str) -> "Node | None":
        """An object, or None where it is absent."""
        value = self.value.get(name)
        if isinstance(value, dict) and not _replaced(value):
            return Node(value, self.record, self.page, f"{self.pointer}/{name}")
        if name in self.value:
            raise self.odd(name, "an object")
        return None

    def needed_child(self, name: str) -> "Node":
        """An object that must be there."""
        found = self.child(name)
        if found is None:
            raise self.missing(name)
        return found

    def children(self, name: str) -> "list[Node] | None":
        """A list of objects, or None where it is absent."""
        value = self.value.get(name)
        if isinstance(value, list):
            at = f"{self.pointer}/{name}"
            if all(isinstance(item, dict) for item in value):
                return [Node(item, self.record, self.page, f"{at}/{i}") for i, item in enumerate(value)]
            raise self.odd(name, "a list of objects")
        if name in self.value:
            raise self.odd(name, "a list")
        return None

    def needed_children(self, name: str) -> "list[Node]":
        """A list of objects that must be there."""
        found = self.children(name)
        if found is None:
            raise self.missing(name)
        return found


def _place(pointer: str) -> str:
    """A pointer at the beginning of a sentence. Names in it are whatever Azure sent, so they are kept short and on one line."""
    return json.dumps(pointer)[1 : _LONGEST + 1].rstrip('"') if pointer else "The answer"


def _replaced(value: dict[str, Json]) -> bool:
    return len(value) == 1 and ("committed" in value or "withheld" in value)


def answered(evidence: Evidence | None, kind: str, resource: str | None = None) -> Answer:
    """The answer to `kind`.

    Raises:
        Unclear: it was not asked, or there is no answer.
    """
    answer = evidence.answer(kind, resource) if evidence is not None else None
    if answer is None:
        raise Unclear(f"Not collected: {kind} was not asked in this sweep.")
    if answer.failure is not None:
        why = FAILURES.get(answer.failure, f"the question failed ({shown(answer.failure)})")
        raise Unclear(f"Not collected ({kind}): {why}.", Point(answer.record))
    if answer.status not in (None, 200) or not answer.pages:
        raise Unclear(f"Azure's answer to {kind} has no body to read (status {answer.status}).", Point(answer.record))
    return answer


def single(answer: Answer) -> Node:
    """The one object that an answer which is not a list consists of."""
    body = answer.pages[0]
    if not isinstance(body, dict) or len(answer.pages) != 1:
        raise Unclear(f"The answer to {answer.kind} is not one object.", Point(answer.record))
    return Node(body, answer.record, 0, "")


def listed(answer: Answer) -> list[Node]:
    """The members of a list answer, over all pages."""
    if not answer.well_formed_list:
        raise Unclear(f"The answer to {answer.kind} is not a list of objects.", Point(answer.record))
    return [Node(value, answer.record, page, pointer) for page, pointer, value in answer.items()]
