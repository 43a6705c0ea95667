"""Leave out what nobody listed, in place: every value that `shared.privacy.allowed` does not have becomes `{"withheld":"unlisted"}`.

Two readings of the same tables, which share no code: `unlisted` looks at the parsed body (is anything left?), `places` at the bytes (where
does it stand?). What `places` made is looked at by `unlisted` again; what is left then is refused. `null`, `true`, `false`, `""`, `{}` and
`[]` stay under any name: they hold nothing that anybody wrote.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence

from shared.canonical import Json, canonical
from shared.privacy.allowed import COLUMNS, FIGURES, LONGEST, OTHERS, PLAIN, ROWS, WHOLE, WORDS, Leaf, Shape, own_words
from shared.privacy.patterns import clear, replaced
from shared.privacy.recheck import PAIRS, parsed
from shared.privacy.spans import elements, members, value_end

UNLISTED = b'{"withheld":"unlisted"}'

Span = tuple[int, int, bytes]
"""Start and end of a value, and what takes its place."""

Within = Callable[[bytes], bytes]
"""Screens a body that stands within another, as a text: those of log rows."""


def listed_only(body: bytes, shape: Shape, within: Within) -> bytes:
    """`body` with all that `shape` does not list left out.

    Raises:
        ValueError: not JSON, or it cannot be told what is what in it.
    """
    if not unlisted(parsed_pairs(body), shape):
        return body
    result = spliced(body, places(body, 0, shape, within))
    if unlisted(parsed_pairs(result), shape):
        raise ValueError("what is not listed stands where it cannot be replaced")
    return result


def spliced(body: bytes, spans: Iterator[Span]) -> bytes:
    """`body` with `spans`, which come in order and do not overlap, replaced."""
    parts: list[bytes] = []
    done = 0
    for start, end, replacement in spans:
        parts += (body[done:start], replacement)
        done = end
    return b"".join((*parts, body[done:]))


# -- is anything left? (parsed; an object is a tuple of pairs, so that a repeated name is seen each time) -----------------


def parsed_pairs(body: bytes) -> Json:
    """The body, objects as tuples of (name, value).

    Raises:
        ValueError: not JSON.
    """
    return parsed(body, PAIRS)


def unlisted(value: Json, shape: Shape) -> bool:
    """Whether anything stands in `value` that `shape` does not list."""
    if shape is PLAIN and (type(value) is int or (type(value) is str and len(value) <= LONGEST)):
        return False  # nearly everything: a list of files is a hundred thousand of these
    if not clear(value) or shape is WHOLE:
        return False
    if isinstance(shape, Leaf):
        return not _LEAVES[shape](value)
    if isinstance(value, list):
        return any(unlisted(item, shape) for item in value)
    if not isinstance(value, tuple):
        return True
    return any(_member_unlisted(name, member, shape, value) for name, member in value)


def _member_unlisted(name: str, member: Json, shape: Mapping[str, Shape], siblings: Sequence[tuple[str, Json]]) -> bool:
    rule = shape.get(name, shape.get(OTHERS))
    if rule is None:
        return clear(member)
    if rule is ROWS:
        columns = [value for other, value in siblings if other == "columns"]
        names = [dict(column).get("name") for column in columns[0]] if len(columns) == 1 and _objects(columns[0]) else None
        return names is None or not isinstance(member, list) or any(_row_unlisted(row, names) for row in member)
    return unlisted(member, rule)


def _objects(value: Json) -> bool:
    return isinstance(value, list) and all(isinstance(item, tuple) for item in value)


def _row_unlisted(row: Json, names: Sequence[Json]) -> bool:
    if not isinstance(row, list) or len(row) != len(names):
        return True
    return any(_cell_unlisted(name, cell) for name, cell in zip(names, row, strict=True))


def _cell_unlisted(name: Json, cell: Json) -> bool:
    rule = COLUMNS.get(name.lower()) if isinstance(name, str) else None
    if rule is None:
        return clear(cell)
    if isinstance(rule, Mapping) and isinstance(cell, str) and cell:
        try:
            cell = parsed_pairs(cell.encode("utf-8", "surrogatepass"))
        except ValueError:
            return True
    return unlisted(cell, rule)


def _is_plain(value: Json) -> bool:
    if isinstance(value, list):
        return all(not isinstance(item, list) and (not clear(item) or _is_plain(item)) for item in value)
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) <= LONGEST)


def _is_figures(value: Json) -> bool:
    if not isinstance(value, tuple):
        return False
    return all(_is_word(name) and (not clear(item) or isinstance(item, int | float) or _is_figures(item)) for name, item in value)


def _is_word(name: str) -> bool:
    return len(name) <= 64 and name.isascii() and name.replace("_", "").replace("-", "").replace(".", "").isalnum()


_LEAVES: dict[Leaf, Callable[[Json], bool]] = {
    PLAIN: _is_plain,
    FIGURES: _is_figures,
    WORDS: lambda value: isinstance(value, str) and own_words(value),
    ROWS: lambda value: False,  # only a member beside its columns can be judged
}


# -- where does it stand? (bytes) ---------------------------------------------------------------------------------------


def places(body: bytes, start: int, shape: Shape, within: Within) -> Iterator[Span]:
    """What has to be replaced in the value that starts at `start` (or, at 0, after white space), in order."""
    while body[start : start + 1] in (b" ", b"\t", b"\r", b"\n"):
        start += 1
    first = body[start : start + 1]
    if isinstance(shape, Leaf):
        end = value_end(body, start)
        value = parsed(body[start:end], PAIRS)
        if shape is not WHOLE and clear(value) and not _LEAVES[shape](value):
            yield start, end, UNLISTED
    elif first == b"{":
        yield from _in_object(body, start, shape, within)
    elif first == b"[":
        for place, _ in elements(body, start):
            yield from places(body, place, shape, within)
    else:
        end = value_end(body, start)
        if clear(parsed(body[start:end])):
            yield start, end, UNLISTED


def _in_object(body: bytes, start: int, shape: Mapping[str, Shape], within: Within) -> Iterator[Span]:
    found = [(parsed(name), begin, end) for name, begin, end in members(body, start)]
    if len(found) == 1 and replaced(((found[0][0], parsed(body[found[0][1] : found[0][2]])),)):
        return
    for name, begin, end in found:
        rule = shape.get(name, shape.get(OTHERS))
        if rule is ROWS:
            columns = [(first, last) for other, first, last in found if other == "columns"]
            if len(columns) != 1:
                raise ValueError("a table whose columns are not told")
            yield from _in_rows(body, begin, parsed(body[columns[0][0] : columns[0][1]]), within)
        elif rule is not None:
            yield from places(body, begin, rule, within)
        elif clear(parsed(body[begin:end], PAIRS)):
            yield begin, end, UNLISTED


def _in_rows(body: bytes, start: int, columns: Json, within: Within) -> Iterator[Span]:
    names = [column.get("name") for column in columns]
    for row, _ in elements(body, start):
        for name, (begin, end) in zip(names, elements(body, row), strict=True):
            rule = COLUMNS.get(name.lower()) if isinstance(name, str) else None
            if rule is None:
                if clear(parsed(body[begin:end], PAIRS)):
                    yield begin, end, UNLISTED
            elif isinstance(rule, Mapping) and body[begin : begin + 1] == b'"':
                yield from _in_text(body, begin, end, within)
            else:
                yield from places(body, begin, rule, within)


def _in_text(body: bytes, begin: int, end: int, within: Within) -> Iterator[Span]:
    """A text of JSON in a cell: screened as the object it is, and a text again; what is none is left out."""
    text = parsed(body[begin:end])
    if not text:
        return
    inner = text.encode("utf-8", "surrogatepass")
    try:
        screened = within(inner)
    except ValueError:
        yield begin, end, UNLISTED
        return
    if screened != inner:
        yield begin, end, canonical(screened.decode("utf-8", "surrogatepass"))
