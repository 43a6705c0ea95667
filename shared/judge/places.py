"""A TOML text, and where in it each key and each value stands: `tomllib` gives values, and a person needs the line.

Places are offsets into the text. They are looked for in what `tomllib` has accepted, so the grammar's errors need no care there.
"""

import re
import tomllib
from dataclasses import dataclass, field
from typing import Final

from shared.canonical import Json
from shared.errors import Misuse

Path = tuple[str | int, ...]

_WRONG: Final = re.compile(r"(.*?)\s*\(at (?:line (\d+), column (\d+)|end of document)\)\s*", re.DOTALL)
"""A message of tomllib, whatever this Python's wording of the place is."""

_HUGE: Final = re.compile(r"[0-9A-Fa-f_]{100,}")

_KEY_PART: Final = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)[ \t]*""")
_BLANK: Final = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_STRING: Final = re.compile(r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'', re.DOTALL)
_BARE: Final = re.compile(r"[^,\]}\n#]*")


@dataclass(slots=True)
class Places:
    """Offsets of keys and values by path; items of arrays have numbers in their path."""

    text: str
    keys: dict[Path, int] = field(default_factory=dict)
    values: dict[Path, int] = field(default_factory=dict)

    def at(self, path: Path, *, value: bool = False) -> tuple[int, int]:
        """Line and column, from 1, of the key at `path` (or of its value), or of the nearest thing around it."""
        first, second = (self.values, self.keys) if value else (self.keys, self.values)
        for length in range(len(path), 0, -1):
            part = path[:length]
            offset = first.get(part, second.get(part))
            if offset is not None:
                return line_and_column(self.text, offset)
        return 1, 1


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column, from 1, of an offset."""
    before = text[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def find_places(text: str) -> Places:
    """The places of everything in `text`, which must be valid TOML with `\\n` line ends."""
    return _Finder(text).run()


def read_toml(text: str, name: str, what: str) -> tuple[dict[str, Json], Places]:
    """What a text says, with its places. `name`: of the file; `what` it should be.

    Raises:
        Misuse: `NAME:LINE:COLUMN: what is wrong`.
    """
    try:
        document = tomllib.loads(text)
        return document, find_places(text)
    except tomllib.TOMLDecodeError as wrong:
        match = _WRONG.fullmatch(str(wrong))
        line, column = (int(match[2]), int(match[3])) if match and match[2] else line_and_column(text, len(text))
        raise Misuse(f"{name}:{line}:{column}: not TOML: {' '.join((match[1] if match else str(wrong)).split())}") from None
    except RecursionError:
        raise Misuse(f"{name}:1:1: nested too deep to be {what}") from None
    except ValueError:
        found = _HUGE.search(text)
        line, column = line_and_column(text, found.start() if found else 0)
        raise Misuse(f"{name}:{line}:{column}: a number with too many digits") from None


class _Finder:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found = Places(text)
        self.arrays: dict[Path, int] = {}
        """Tables in each array of tables so far."""

    def run(self) -> Places:
        table: Path = ()
        self._skip_blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip_blank()
        return self.found

    def _skip_blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _key(self, base: Path, *, through_arrays: bool = False) -> Path:
        """Read a dotted key, noting the place of each of its parts."""
        path = base
        while True:
            match = _KEY_PART.match(self.text, self.at)
            if match is None:
                raise ValueError("not a key")  # cannot be: tomllib read it
            raw = match.group(1)
            path = (*path, _plain(raw))
            self.found.keys.setdefault(path, match.start(1))
            self.at = match.end()
            if self.text[self.at : self.at + 1] != ".":
                return path
            self.at += 1
            if through_arrays and path in self.arrays:
                path = (*path, self.arrays[path] - 1)

    def _header(self) -> Path:
        doubled = self.text.startswith("[[", self.at)
        self.at += 2 if doubled else 1
        path = self._key((), through_arrays=True)
        self.at += 2 if doubled else 1
        if not doubled:
            return path
        number = self.arrays.get(path, 0)
        self.arrays[path] = number + 1
        return (*path, number)

    def _pair(self, table: Path) -> None:
        path = self._key(table)
        self.at += 1
        self._skip_spaces()
        self._value(path)

    def _skip_spaces(self) -> None:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1

    def _value(self, path: Path) -> None:
        self.found.values[path] = self.at
        start = self.text[self.at : self.at + 1]
        if start == "[":
            self._array(path)
        elif start == "{":
            self._inline(path)
        else:
            match = (_STRING if start in ('"', "'") else _BARE).match(self.text, self.at)
            self.at = match.end() if match else len(self.text)

    def _array(self, path: Path) -> None:
        self.at += 1
        number = 0
        self._skip_blank()
        while self.text[self.at] != "]":
            self._value((*path, number))
            number += 1
            self._skip_comma()
        self.at += 1

    def _inline(self, path: Path) -> None:
        self.at += 1
        self._skip_blank()
        while self.text[self.at] != "}":
            self._pair(path)
            self._skip_comma()
        self.at += 1

    def _skip_comma(self) -> None:
        self._skip_blank()
        if self.text[self.at] == ",":
            self.at += 1
        self._skip_blank()


_ESCAPE: Final = re.compile(r'\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|[btnfre"\\])')
_SIMPLE: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b", '"': '"', "\\": "\\"}


def _plain(raw: str) -> str:
    """A part of a key without its quotes and escapes."""
    if raw.startswith("'"):
        return raw[1:-1]
    if raw.startswith('"'):
        return _ESCAPE.sub(lambda m: _SIMPLE.get(m[1]) or chr(int(m[1][1:], 16)), raw[1:-1])
    return raw
