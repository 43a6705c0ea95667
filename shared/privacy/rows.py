"""Cells of log rows that are personal by the name of their column: rows are arrays, so that no key stands beside the value.

A table of Log Analytics: `{"columns":[{"name","type"}…],"rows":[[…]…]}`, within `tables` of an answer.
"""

from collections.abc import Iterator

from shared.canonical import Json
from shared.privacy.fields import Rules, rules
from shared.privacy.listed import Span, spliced
from shared.privacy.patterns import clear, holds_secret
from shared.privacy.recheck import PAIRS, parsed
from shared.privacy.redact import WITHHELD, Commit
from shared.privacy.spans import elements, members

_COMMITS = ("commit", "members")


def cells_committed(body: bytes, kind: str, commit: Commit | None) -> bytes:
    """`body`, an answer of Log Analytics that `listed_only` has passed, with the cells of personal columns committed to.

    Raises:
        ValueError: not such an answer.
        Whatever `commit` raises.
    """
    if commit is None:
        return body
    table = rules(kind, personal=True)
    result = spliced(body, _spans(body, table, commit))
    if any(rule_left(parsed(result, PAIRS), table)):
        raise ValueError("a personal value stands where it cannot be replaced")
    return result


def _spans(body: bytes, table: Rules, commit: Commit) -> Iterator[Span]:
    for name, start, end in _cells(body):
        value = parsed(body[start:end])
        if _personal(name, table) and clear(value):
            yield start, end, WITHHELD if holds_secret(value, table) else commit(value)


def _personal(name: Json, table: Rules) -> bool:
    rule = table[name] if isinstance(name, str) else None
    return rule is not None and rule.does in _COMMITS


def _cells(body: bytes) -> Iterator[tuple[Json, int, int]]:
    """Name of the column, start and end of every cell."""
    start = len(body) - len(body.lstrip())
    for name, tables, _ in members(body, start):
        if parsed(name) == "tables":
            for place, _ in elements(body, tables):
                yield from _cells_of(body, place)


def _cells_of(body: bytes, place: int) -> Iterator[tuple[Json, int, int]]:
    parts = {parsed(name): (start, end) for name, start, end in members(body, place)}
    first, last = parts["columns"]
    names = [column.get("name") for column in parsed(body[first:last])]
    for row, _ in elements(body, parts["rows"][0]):
        for name, (start, end) in zip(names, elements(body, row), strict=True):
            yield name, start, end


def rule_left(tree: Json, table: Rules) -> Iterator[bool]:
    """For each personal cell of a parsed answer, whether it stands in clear."""
    for tables in (value for name, value in tree if name == "tables"):
        for one in tables:
            columns = [dict(column).get("name") for name, value in one if name == "columns" for column in value]
            for row in (row for name, value in one if name == "rows" for row in value):
                yield from (clear(cell) for name, cell in zip(columns, row, strict=True) if _personal(name, table))
