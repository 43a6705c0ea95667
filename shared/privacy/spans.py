"""Where values stand in the bytes of a JSON text: positions only, nothing decoded, no recursion.

Every function is exact for valid JSON. On anything else it may find positions that mean nothing: whoever uses them parses the
result as a whole afterwards. UTF-8 is assumed, in which the bytes of JSON's own characters are never part of another one.
"""

import re
from collections.abc import Iterator

_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_TEXT = re.compile(_STRING, re.DOTALL)
_BRACKET = re.compile(_STRING + rb"|[{}\[\]]", re.DOTALL)
_SCALAR = re.compile(rb"[^\s,:{}\[\]\"]+")
_MEMBER = re.compile(rb"[\s,]*(" + _STRING + rb")\s*:\s*", re.DOTALL)
_COLON = re.compile(rb"\s*:\s*")
_ELEMENT = re.compile(rb"[\s,]*(?=[^\s,\]])")

TOKEN = re.compile(
    rb"[\s,:]*(?:(?P<open>[{\[])|(?P<close>[}\]])|(?P<text>" + _STRING + rb")(?P<colon>\s*:\s*)?|(?P<scalar>[^\s,:{}\[\]\"]+))",
    re.DOTALL,
)
"""The next token of a JSON text; a `text` with a `colon` is a key."""


def value_end(body: bytes, start: int) -> int:
    """The end of the value that starts at `start`.

    Raises:
        ValueError: no value starts there, or it does not end.
    """
    first = body[start : start + 1]
    if first == b'"':
        match = _TEXT.match(body, start)
    elif first in (b"{", b"["):
        return _container_end(body, start)
    else:
        match = _SCALAR.match(body, start)
    if match is None:
        raise ValueError("not JSON: a value is missing or does not end")
    return match.end()


def _container_end(body: bytes, start: int) -> int:
    depth = 0
    for match in _BRACKET.finditer(body, start):
        token = match.group()
        if token in (b"{", b"["):
            depth += 1
        elif token in (b"}", b"]"):
            depth -= 1
            if depth == 0:
                return match.end()
    raise ValueError("not JSON: an object or array does not end")


def members(body: bytes, start: int) -> Iterator[tuple[bytes, int, int]]:
    """The members of the object that starts at `start`: raw key with its quotes, start and end of the value."""
    position = start + 1
    while match := _MEMBER.match(body, position):
        position = value_end(body, match.end())
        yield match.group(1), match.end(), position


def elements(body: bytes, start: int) -> Iterator[tuple[int, int]]:
    """The elements of the array that starts at `start`: start and end of each."""
    position = start + 1
    while match := _ELEMENT.match(body, position):
        position = value_end(body, match.end())
        yield match.end(), position


def values_of(body: bytes, name: str) -> Iterator[int]:
    """Where the values of key `name` start, at any depth: only where it is spelled exactly so, without escapes.

    A quote within a string has a backslash before it and an opening quote never has: so what is found is a whole token, and the
    colon after it makes it a key.
    """
    needle = b'"' + name.encode("ascii") + b'"'
    position = body.find(needle)
    while position >= 0:
        after = position + len(needle)
        colon = _COLON.match(body, after)
        if colon and body[position - 1 : position] != b"\\":
            yield colon.end()
        position = body.find(needle, after)
