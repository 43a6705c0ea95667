"""Replace personal values and secrets in Azure's own bytes, in place; every other byte stays exactly as it was.

    redact(body, kind, commit)      what is personal becomes {"committed":"…"}, what is secret {"withheld":"secret"}
    redact(body, kind, None)        secrets alone (mode `keep`)

Two ways find the places: a search for the few keys that stand in nearly every answer, and a walk over every token. What they
made is parsed as a whole and looked through anew (`shared.privacy.recheck`): whatever the search left makes the walk go over the
body; whatever the walk left is refused. So nothing rests on the search being complete, and a text that is not JSON is refused
like one that cannot be cleaned.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.canonical import Json
from shared.privacy.fields import Rule, Rules, rules
from shared.privacy.patterns import clear, holds_secret, key_shaped, marked, names_rate_limit, personal_text, secret_text
from shared.privacy.recheck import anything_left, parsed
from shared.privacy.spans import TOKEN, members, value_end, values_of

WITHHELD = b'{"withheld":"secret"}'
_BOM = b"\xef\xbb\xbf"

Commit = Callable[[Json], bytes]
"""Gives the commitment to a value as the canonical JSON that stands for it; the same for the same value."""


@dataclass(frozen=True, slots=True)
class Redacted:
    """A body that can be sealed, and how many values of it were replaced."""

    body: bytes
    withheld: int
    committed: int


Span = tuple[int, int, bytes]
"""Start and end of a value, and what takes its place."""


def redact(body: bytes, kind: str, commit: Commit | None) -> Redacted:
    """Take personal values (unless `commit` is None) and secrets out of `body`, an answer to `kind`.

    Raises:
        ValueError: `body` is not JSON in UTF-8, or cannot be cleaned. The message holds nothing of it.
        Whatever `commit` raises.
    """
    if body.startswith(_BOM):
        rest = redact(body[len(_BOM) :], kind, commit)
        return Redacted(_BOM + rest.body, rest.withheld, rest.committed)
    personal = commit is not None
    places = Places(body, rules(kind, personal), commit)
    secret_possible = marked(body)
    for search in (places.usual, places.every):
        result = _spliced(body, search())
        if not anything_left(result.body, kind, personal, texts=secret_possible or b"@" in result.body):
            return result
    raise ValueError("a personal value or a secret stands where it cannot be replaced")


def _spliced(body: bytes, spans: list[Span]) -> Redacted:
    """`body` with `spans` replaced; of two that overlap, the outer one."""
    if not spans:
        return Redacted(body, 0, 0)
    parts: list[bytes] = []
    done = withheld = 0
    for start, end, replacement in sorted(spans, key=lambda span: (span[0], -span[1])):
        if start >= done:
            parts += (body[done:start], replacement)
            done = end
            withheld += replacement is WITHHELD
    return Redacted(b"".join((*parts, body[done:])), withheld, len(parts) // 2 - withheld)


class Places:
    """Where the values are that must not stay in `body`."""

    def __init__(self, body: bytes, rules: Rules, commit: Commit | None) -> None:
        self.rules = rules
        self._body = body
        self._commit = commit

    def usual(self) -> list[Span]:
        """The values of the keys that stand in nearly every answer, in their usual spelling. May find one within another."""
        spans: list[Span] = []
        for name in self.rules.usual:
            rule = self.rules[name]
            if rule is not None:
                for start in values_of(self._body, name):
                    spans += self._under(rule, start, value_end(self._body, start), start)
        return spans

    def every(self) -> list[Span]:
        """Every value that a rule replaces, token by token."""
        try:
            return self._walk(0, len(self._body))
        except RecursionError:
            raise ValueError("JSON nested too deeply") from None

    def _walk(self, start: int, end: int) -> list[Span]:
        spans: list[Span] = []
        objects: list[int] = []
        position = start
        while position < end and (match := TOKEN.match(self._body, position)):
            position = match.end()
            if match["open"]:
                objects.append(match.start("open"))
            elif match["close"]:
                if not objects:
                    raise ValueError("not JSON: brackets do not match")
                objects.pop()
            elif match["colon"]:
                rule = self.rules[parsed(match["text"])]
                if rule is not None and objects:
                    until = value_end(self._body, position)
                    found = self._under(rule, position, until, objects[-1])
                    if found:
                        spans += found
                        position = until
            elif match["text"]:
                spans += self._screened(match.start("text"), position)
        return spans

    def _under(self, rule: Rule, start: int, end: int, parent: int) -> list[Span]:
        """What becomes of the value that stands under `rule` in the object that starts at `parent`; nothing where the rule spares it."""
        value = parsed(self._body[start:end])
        if not clear(value):
            return []
        if rule.does == "members" and isinstance(value, dict):
            return self._members(rule, start)
        if rule.does == "like-key" and not key_shaped(value):
            return []
        if rule.does == "key" and names_rate_limit(value, [parsed(name) for name, _, _ in members(self._body, parent)]):
            return []
        if rule.does in ("commit", "members") and not holds_secret(value, self.rules):
            return self._committed(value, start, end)
        return [(start, end, WITHHELD)]

    def _members(self, rule: Rule, parent: int) -> list[Span]:
        spans: list[Span] = []
        for name, start, end in members(self._body, parent):
            of_member = self.rules.member(rule, parsed(name))
            found = self._under(of_member, start, end, parent) if of_member else []
            spans += found or self._walk(start, end)
        return spans

    def _screened(self, start: int, end: int) -> list[Span]:
        """What becomes of a text for what it looks like, under whatever name."""
        text = parsed(self._body[start:end])
        if secret_text(text):
            return [(start, end, WITHHELD)]
        return self._committed(text, start, end) if self._commit and personal_text(text) else []

    def _committed(self, value: Json, start: int, end: int) -> list[Span]:
        return [(start, end, self._commit(value))] if self._commit else []
