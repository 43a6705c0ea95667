"""A newer edition of the provider's page, compared with the one that the catalogue was made from, statement by statement. Pure.

The catalogue holds no sentence of the provider's: of each sentence of its edition it has a fingerprint, and which statements the sentence
carries (`catalogue/edition.toml`). Words are what is compared: markup, targets of links, kinds of quotes and line ends are not.
A statement is `same` while every sentence that carries it is in the newer edition, wherever; `gone` where all that carry it alone left and
nothing stands in their place; else `changed`. What takes the place of a sentence cannot be known without its words, so it is everything new
between the nearest sentences that stayed: rather too much than a word too few.
"""

import hashlib
import re
import tomllib
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from shared.judge.catalogue import Statement, catalogue

_PLAIN: Final = {
    "â€™": "'", "â€˜": "'", "â€œ": '"', "â€\x9d": '"', "â€“": "-",  # UTF-8 that was once read as Windows-1252: the page has some
    "’": "'", "‘": "'", "“": '"', "”": '"', "–": "-", "\xa0": " ",
}  # fmt: skip
_LINK: Final = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
_FRONT: Final = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)
_DATE: Final = re.compile(r"^ms\.date: *(\S+)", re.MULTILINE)
_FEWEST: Final = 3
"""Sentences that carry a statement, of which a page must have so many to be an edition: another page may share a heading."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, a heading or an item of a page."""

    section: str
    words: str


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of one statement. `old`: places in the catalogue's edition of the sentences that left; `new`: what stands there now."""

    statement: Statement
    state: Literal["same", "changed", "gone"]
    old: tuple[int, ...] = ()
    new: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Comparison:
    """The whole answer."""

    statements: tuple[Compared, ...]
    new: tuple[Sentence, ...]
    """Sentences that stand in the place of no statement's."""
    beside: int
    """Sentences that carried no statement and left."""
    dated: str | None
    """The date that the newer edition gives itself, as it writes it."""

    @property
    def same(self) -> bool:
        """Whether not a word differs."""
        return not self.new and not self.beside and all(each.state == "same" for each in self.statements)


@cache
def known_edition() -> tuple[tuple[str, frozenset[str]], ...]:
    """Of each sentence of the catalogue's edition, in order: its fingerprint, and the statements that it carries."""
    table = tomllib.loads(files("shared.judge.catalogue").joinpath("edition.toml").read_text("utf-8"))
    return tuple((digest, frozenset(carries.split())) for digest, carries in table["sentences"])


def fingerprint(words: str) -> str:
    """Of a sentence: 32 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def sentences(page: str) -> list[Sentence]:
    """The sentences of a page in Markdown, in order, headings among them."""
    found: list[Sentence] = []
    section = ""
    for block, heading in _blocks(_body(page)):
        words = _words(block)
        section = words if heading else section
        parts = [words] if heading else re.split(r"(?<=[.!?;:]) (?=[A-Z(\"])", words)
        found += [Sentence(section, part) for part in parts if part]
    return found


def compare(page: str) -> Comparison | None:
    """The page against the catalogue's edition; None where too few of the sentences that carry a statement are in it: it is another page."""
    old, new = known_edition(), sentences(page)
    before, after = [digest for digest, _ in old], [fingerprint(sentence.words) for sentence in new]
    if len({digest for digest, carries in old if carries} & set(after)) < _FEWEST:
        return None
    left = {place for place, digest in enumerate(before) if digest not in set(after)}
    came = {place for place, digest in enumerate(after) if digest not in set(before)}
    instead: dict[int, list[int]] = {place: [] for place in left}
    for _, i, k, j, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        places, here = [place for place in range(i, k) if place in left], [place for place in range(j, m) if place in came]
        for number, place in enumerate(places):
            instead[place] = [here[number]] if len(places) == len(here) else here
    statements = tuple(_compared(statement, instead, new) for statement in catalogue().statements)
    told = {place for origin, places in instead.items() if old[origin][1] for place in places}
    front = _FRONT.match(_newlines(page))
    dated = _DATE.search(front[1]) if front else None
    return Comparison(
        statements, tuple(new[place] for place in sorted(came - told)), sum(not old[place][1] for place in left), dated[1] if dated else None
    )


def _compared(statement: Statement, instead: dict[int, list[int]], new: list[Sentence]) -> Compared:
    carriers = [place for place, (_, carries) in enumerate(known_edition()) if statement.id in carries]
    lost = tuple(place for place in carriers if place in instead)
    if not lost:
        return Compared(statement, "same")
    there = tuple(new[place] for place in sorted({place for origin in lost for place in instead[origin]}))
    # What several statements share, such as the words before a list, does not keep one alive whose own words left.
    own = [place for place in carriers if known_edition()[place][1] == {statement.id}] or carriers
    return Compared(statement, "changed" if there or not set(own) <= set(lost) else "gone", lost, there)


def _newlines(page: str) -> str:
    return page.removeprefix("\ufeff").replace("\r\n", "\n")


def _body(page: str) -> str:
    """Without what is no text of the page: its header and its comments."""
    first, *others = _FRONT.sub("", _newlines(page), count=1).split("<!--")
    return first + "".join(other.partition("-->")[2] for other in others)


def _blocks(body: str) -> list[tuple[str, bool]]:
    """Paragraphs, items and rows of tables, each on one line; and whether it is a heading."""
    found: list[tuple[str, bool]] = []
    lines: list[str] = []
    for raw in [*body.split("\n"), ""]:
        line = re.sub(r"^[\s>]+", "", raw).strip()
        begun = re.match(r"#+ +|[-*] +|\d+\. +|\|", line)
        if lines and (not line or begun):
            found.append((" ".join(lines), False))
            lines = []
        if begun and begun[0][0] == "#":
            found.append((line[begun.end() :], True))
        elif line:
            lines.append(line[begun.end() :] if begun else line)
    return found


def _words(block: str) -> str:
    for strange, plain in _PLAIN.items():
        block = block.replace(strange, plain)
    block = _LINK.sub(r"\1", _LINK.sub(r"\1", block))
    return " ".join(re.sub(r"[*`\\|]", " " if "|" in block else "", block).split())
