"""Values of Kusto's language: how they compare, the functions of one value or more, and what many come to."""

import json
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

Json = Any


def moment(text: Json) -> datetime | None:
    if isinstance(text, datetime):
        return text
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", str(text)))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def compare(sign: str, left: Json, *right: Json) -> bool:
    negated, sign = sign.startswith("!") and sign not in ("!=", "!~"), sign.removeprefix("!") if sign not in ("!=", "!~") else sign
    if sign in ("!=", "!~"):
        return not compare({"!=": "==", "!~": "=~"}[sign], left, *right)
    return _compared(sign, left, right) is not negated


def _compared(sign: str, left: Json, right: Sequence[Json]) -> bool:
    first = right[0]
    if sign in ("==", "in"):
        return any(left == one and left is not None for one in right)
    if sign in ("<", "<=", ">", ">="):
        try:
            return bool({"<": left < first, "<=": left <= first, ">": left > first, ">=": left >= first}[sign])
        except TypeError:
            return False
    folded, options = text(left).casefold(), [text(one).casefold() for one in right]
    match sign:
        case "=~" | "in~":
            return folded in options
        case "contains":
            return options[0] in folded
        case "contains_cs":
            return text(first) in text(left)
        case "startswith":
            return folded.startswith(options[0])
        case "endswith":
            return folded.endswith(options[0])
    return re.search(rf"(?<![^\W_]){re.escape(options[0])}(?![^\W_])", folded) is not None  # has


def text(value: Json) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), default=str)


def parsed(value: Json) -> Json:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def number(value: Json) -> Json:
    try:
        return int(float(value))
    except (TypeError, ValueError):
        return None


def order(value: Json) -> tuple[int, Json]:
    return (0, 0) if value is None else (1, text(value) if isinstance(value, str | dict | list) else value)


def present(values: Sequence[Json]) -> list[Json]:
    return [value for value in values if value is not None]


LAZY = ("ingestion_time", "now", "column_ifexists", "iff", "iif")
FUNCTIONS: dict[str, Callable[..., Json]] = {
    "tostring": text,
    "tolower": lambda value: text(value).lower(),
    "toupper": lambda value: text(value).upper(),
    "tolong": number,
    "toint": number,
    "todatetime": moment,
    "parse_json": parsed,
    "todynamic": parsed,
    "isempty": lambda value: text(value) == "",
    "isnotempty": lambda value: text(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
    "coalesce": lambda *values: next((value for value in values if value not in (None, "")), None),
    "strcat": lambda *values: "".join(map(text, values)),
    "not": lambda value: value is not True,
}
AGGREGATES: dict[str, tuple[str, Callable[[list[Json]], Json]]] = {
    "count": ("long", len),
    "countif": ("long", lambda values: sum(value is True for value in values)),
    "dcount": ("long", lambda values: len({text(value) for value in present(values)})),
    "min": ("", lambda values: min(present(values), default=None)),
    "max": ("", lambda values: max(present(values), default=None)),
    "sum": ("real", lambda values: sum(present(values))),
    "any": ("", lambda values: next(iter(present(values)), None)),
    "take_any": ("", lambda values: next(iter(present(values)), None)),
    "make_set": ("dynamic", lambda values: list({text(value): value for value in present(values)}.values())),
}
