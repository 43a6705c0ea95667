"""A profile as a person writes it, in TOML; whatever is wrong with it is said with its line and column.

    [monitoring]
    content_logging = "off"

    [location]
    geographies = ["France", "Germany"]

    [subscription."00000000-0000-0000-0000-000000000001".location]
    geographies = ["United States"]

    [resource_group."/subscriptions/…/resourceGroups/sandbox".preview]
    use = "allowed"

    [resource."/subscriptions/…/providers/Microsoft.CognitiveServices/accounts/chat".network]
    public_access = "disabled"

Keys, types and defaults are those of `shared.judge.expectation`.
"""

import re
from collections.abc import Iterator
from typing import Final

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.accept import NotAcceptedError, accept, suggestion
from shared.judge.expectation import BY_PATH, DEFAULTS, KEYS, SECTIONS, Value
from shared.judge.places import Path, Places, line_and_column, read_toml
from shared.judge.profile import LEVELS, Override, Pairs, Profile
from shared.judge.reading import shown

_ID: Final = {
    "subscription": (re.compile(r"(?:/subscriptions/)?([a-z0-9-]{1,64})"), "a subscription id"),
    "resource_group": (
        re.compile(r"(/subscriptions/[a-z0-9-]{1,64}/resourcegroups/[^/\s]{1,90})"),
        "/subscriptions/ID/resourceGroups/NAME",
    ),
    "resource": (
        re.compile(r"(/subscriptions/[a-z0-9-]{1,64}/resourcegroups/[^/\s]{1,90}/providers(?:/[^/\s]+){3,})"),
        "the ARM id of a resource",
    ),
}


def read_profile(text: str | bytes, name: str = "profile") -> Profile:
    """The profile that `text` describes. `name` is what the messages call the file.

    Raises:
        Misuse: `NAME:LINE:COLUMN: what is wrong, and what would be right`.
    """
    return _Reader(_decoded(text, name), name).read()


def _decoded(text: str | bytes, name: str) -> str:
    if isinstance(text, str):
        return _normal(text)
    try:
        return _normal(text.decode("utf-8-sig"))
    except UnicodeDecodeError as wrong:
        before = text[: wrong.start].decode("utf-8", "replace")
        line, column = line_and_column(before, len(before))
        raise Misuse(f"{name}:{line}:{column}: not UTF-8: save the profile as UTF-8 text") from wrong


def _normal(text: str) -> str:
    return text.removeprefix("\ufeff").replace("\r\n", "\n")


class _Reader:
    def __init__(self, text: str, name: str) -> None:
        self.text = text
        self.name = name
        self.places = Places(text)

    def read(self) -> Profile:
        document = self._parsed()
        declared = dict(self._sections(document, ()))
        overrides = [override for rank, level in enumerate(LEVELS) for override in self._overrides(document, rank, level)]
        return Profile(tuple(sorted({**DEFAULTS, **declared}.items())), tuple(sorted(declared)), tuple(sorted(overrides)))

    def _parsed(self) -> dict[str, Json]:
        document, self.places = read_toml(self.text, self.name, "a profile")
        for word in document:
            if word == "waiver":
                raise self._wrong("a waiver is no part of a profile: `aoai-evidence waiver add` grants one", (word,))
            if word not in SECTIONS and word not in LEVELS:
                raise self._wrong(f"unknown section {shown(word)}{suggestion(word, (*SECTIONS, *LEVELS))}", (word,))
        return document

    def _wrong(self, message: str, path: Path, *, value: bool = False) -> Misuse:
        line, column = self.places.at(path, value=value)
        return Misuse(f"{self.name}:{line}:{column}: {message}")

    def _sections(self, tables: dict[str, Json], base: Path) -> Iterator[tuple[str, Value]]:
        for section in SECTIONS:
            if section in tables:
                yield from self._keys(tables[section], (*base, section), section)

    def _keys(self, table: Json, base: Path, section: str) -> Iterator[tuple[str, Value]]:
        if not isinstance(table, dict):
            raise self._wrong(f"[{section}] must be a table of keys", base)
        for name, raw in table.items():
            key = BY_PATH.get(f"{section}.{name}")
            if key is None:
                known = [k.name for k in KEYS if k.section == section]
                raise self._wrong(f"unknown key {shown(name)} in [{section}]{suggestion(name, known)}", (*base, name))
            if key.everywhere and len(base) > 1:
                raise self._wrong(f"{key.path} holds for the whole sweep and cannot differ by resource", (*base, name))
            try:
                yield key.path, accept(key, raw)
            except NotAcceptedError as wrong:
                raise self._wrong(f"{key.path}: {wrong.message}", (*base, name, *wrong.item), value=True) from wrong

    def _overrides(self, document: dict[str, Json], rank: int, level: str) -> Iterator[Override]:
        tables = document.get(level, {})
        if not isinstance(tables, dict):
            raise self._wrong(f'[{level}."ID".SECTION] is how an override is written', (level,))
        seen: set[str] = set()
        for name, sections in tables.items():
            target = self._target(level, name)
            if target in seen:
                raise self._wrong(f"{shown(name)} is there twice, in different casing", (level, name))
            seen.add(target)
            yield Override(rank, target, self._override_values(sections, (level, name)))

    def _target(self, level: str, name: str) -> str:
        pattern, due = _ID[level]
        match = pattern.fullmatch(name.lower().rstrip("/"))
        if match is None:
            raise self._wrong(f"{shown(name)} is not {due}", (level, name))
        return f"/subscriptions/{match[1]}" if level == "subscription" else match[1]

    def _override_values(self, sections: Json, base: Path) -> Pairs:
        if not isinstance(sections, dict):
            raise self._wrong(f'[{base[0]}."ID".SECTION] is how an override is written', base)
        for word in sections:
            if word not in SECTIONS:
                raise self._wrong(f"unknown section {shown(word)}{suggestion(word, SECTIONS)}", (*base, word))
        return tuple(sorted(self._sections(sections, base)))
