"""The part of Kusto's query language that questions about resource logs are put in, read into a tree. Anything else is a syntax error.

    let name = expression;
    union [isfuzzy=true] [kind=outer] [withsource=Name] T1, T2, T*    T1        (T1 | where …)
    | where e   | extend n = e, …   | project [n =] e, …   | project-away n, …   | summarize [n =] f(e), … [by [n =] e, …]
    | order by e [asc|desc], …   | sort by …   | take n   | limit n   | distinct e, …

Expressions: `or`, `and`, `== != =~ !~ < <= > >=`, `contains has startswith endswith in in~` (each with `!` before it), calls, `.name` and `["name"]`,
strings, numbers, `datetime(…)`, `true`, `false`, `null`. Precedence and spelling as in the language's reference. For a table may stand
`datatable(name: type, …)[]`, without rows: a leg of a union that is always there.
"""

import re
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeVar

Item = TypeVar("Item")

_TOKENS = re.compile(
    r"""(?P<space>\s+|//[^\n]*)
    |(?P<colon>:)
    |(?P<text>@"(?:[^"]|"")*"|@'(?:[^']|'')*'|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    |(?P<time>datetime\s*\(\s*[^)"']*\))
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<word>!?(?:in~|contains_cs|contains|has|startswith|endswith|in)(?![\w-])|project-away|[A-Za-z_$][\w]*\*?)
    |(?P<sign>==|!=|=~|!~|<=|>=|[|(),;=<>.\[\]-])""",
    re.VERBOSE,
)
_EITHER = ("contains", "has", "startswith", "endswith", "in", "in~")
COMPARISONS = frozenset(("==", "!=", "=~", "!~", "<", "<=", ">", ">=", "contains_cs", *_EITHER, *(f"!{word}" for word in _EITHER)))


class KqlError(Exception):
    """A query that is refused; `code` as Kusto counts."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class Node(NamedTuple):
    """An expression: `name` (a column), `text`, `number`, `time`, `constant`, `call`, `member`, `and`, `or`, or a comparison."""

    kind: str
    value: str = ""
    parts: tuple["Node", ...] = ()


Named = tuple[str, Node]


class Step(NamedTuple):
    """One operator of a pipe. `by` of summarize: the keys; of order: expressions with `asc` or `desc` for a name."""

    kind: Literal["where", "extend", "project", "project-away", "summarize", "order", "take", "distinct"]
    items: tuple[Named, ...]
    by: tuple[Named, ...] = ()


class Source(NamedTuple):
    """A table with what is done to it."""

    table: str
    steps: tuple[Step, ...] = ()
    columns: tuple[tuple[str, str], ...] | None = None
    """Names and types, of a table that the query makes itself, without rows."""


class Query(NamedTuple):
    """A whole query: names that were let, sources (several of a union), and what is done to them together."""

    lets: dict[str, Node]
    sources: tuple[Source, ...]
    fuzzy: bool
    named: str
    """Of a union: the column that names the table of a row; empty: none."""
    steps: tuple[Step, ...]


def read_query(text: str) -> Query:
    """Read a query. Raises KqlError."""
    return _Reader(text).query()


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text):
            match = _TOKENS.match(text, at)
            if match is None:
                raise KqlError("SYN0002", f"Query could not be parsed at '{text[at : at + 20]}'")
            at = match.end()
            if match.lastgroup != "space":
                self._tokens.append((str(match.lastgroup), match[0]))
        self._at = 0

    def query(self) -> Query:
        lets = {}
        while self._take_if("let"):
            name = self._word()
            self._take("=")
            lets[name] = self._expression()
            self._take(";")
        fuzzy, named = self._union() if self._take_if("union") else (False, "")
        sources = tuple(self._several(self._source))
        found = Query(lets, sources, fuzzy, named, self._steps())
        self._take_if(";")
        if self._peek():
            raise self._unexpected()
        return found

    def _union(self) -> tuple[bool, str]:
        """Whether a union may lack tables, and which column names them."""
        fuzzy, named = False, ""
        while self._peek() in ("isfuzzy", "kind", "withsource") and self._peek(1) == "=":
            option = self._word()
            self._take("=")
            value = self._word()
            fuzzy |= option == "isfuzzy" and value == "true"
            named = value if option == "withsource" else named
        return fuzzy, named

    def _source(self) -> Source:
        if not self._take_if("("):
            return self._table()
        table = self._table()
        steps = self._steps()
        self._take(")")
        return table._replace(steps=steps)

    def _table(self) -> Source:
        name = self._word()
        if name != "datatable":
            return Source(name)
        self._take("(")
        columns = tuple(self._several(self._column))
        for sign in (")", "[", "]"):
            self._take(sign)
        return Source(name, (), columns)

    def _column(self) -> tuple[str, str]:
        name = self._word()
        self._take(":")
        return name, self._word()

    def _steps(self) -> tuple[Step, ...]:
        found = []
        while self._take_if("|"):
            found.append(self._step())
        return tuple(found)

    def _step(self) -> Step:
        word = self._word()
        match word:
            case "where" | "filter":
                return Step("where", (("", self._expression()),))
            case "extend" | "project" | "distinct":
                return Step(word, tuple(self._several(self._named)))
            case "project-away":
                return Step(word, tuple((name, Node("name", name)) for name in self._several(self._word)))
            case "summarize":
                items = tuple(self._several(self._named)) if self._peek() != "by" else ()
                by = tuple(self._several(self._named)) if self._take_if("by") else ()
                return Step(word, items, by)
            case "order" | "sort":
                self._take("by")
                return Step("order", (), tuple(self._several(self._ordered)))
            case "take" | "limit":
                return Step("take", (("", self._primary()),))
        raise KqlError("SYN0002", f"The operator '{word}' is not known here.")

    def _several(self, one: Callable[[], Item]) -> list[Item]:
        found = [one()]
        while self._take_if(","):
            found.append(one())
        return found

    def _named(self) -> Named:
        if self._peek(1) == "=":
            name = self._word()
            self._take("=")
            return name, self._expression()
        return "", self._expression()

    def _ordered(self) -> Named:
        node = self._expression()
        way = self._word() if self._peek() in ("asc", "desc") else "desc"
        return way, node

    def _expression(self) -> Node:
        return self._chain("or", lambda: self._chain("and", self._comparison))

    def _chain(self, word: str, one: Callable[[], Node]) -> Node:
        parts = [one()]
        while self._take_if(word):
            parts.append(one())
        return parts[0] if len(parts) == 1 else Node(word, "", tuple(parts))

    def _comparison(self) -> Node:
        left = self._primary()
        sign = self._peek()
        if sign not in COMPARISONS:
            return left
        self._at += 1
        if sign.lstrip("!").startswith("in"):
            self._take("(")
            options = tuple(self._several(self._expression))
            self._take(")")
            return Node(sign, "", (left, *options))
        return Node(sign, "", (left, self._primary()))

    def _primary(self) -> Node:
        kind, token = self._next()
        found = self._atom(kind, token)
        while self._peek() in (".", "["):
            if self._take_if("."):
                found = Node("member", self._word(), (found,))
            else:
                self._take("[")
                found = Node("member", self._literal(), (found,))
                self._take("]")
        return found

    def _atom(self, kind: str, token: str) -> Node:
        if kind == "text":
            return Node("text", unquoted(token))
        if kind == "number":
            return Node("number", token)
        if kind == "time":
            return Node("time", token.partition("(")[2].rstrip(") ").strip())
        if token == "(":
            found = self._expression()
            self._take(")")
            return found
        if kind != "word":
            self._at -= 1
            raise self._unexpected()
        if token in ("true", "false", "null"):
            return Node("constant", token)
        if not self._take_if("("):
            return Node("name", token)
        arguments = tuple(self._several(self._expression)) if self._peek() != ")" else ()
        self._take(")")
        return Node("call", token, arguments)

    def _literal(self) -> str:
        kind, token = self._next()
        if kind != "text":
            raise KqlError("SYN0002", f"A string is expected, not '{token}'.")
        return unquoted(token)

    def _word(self) -> str:
        kind, token = self._next()
        if kind != "word":
            self._at -= 1
            raise self._unexpected()
        return token

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise self._unexpected()
        self._at += 1
        return self._tokens[self._at - 1]

    def _peek(self, ahead: int = 0) -> str:
        at = self._at + ahead
        return self._tokens[at][1] if at < len(self._tokens) and self._tokens[at][0] != "text" else ("\0" if at < len(self._tokens) else "")

    def _take_if(self, token: str) -> bool:
        found = self._peek() == token
        self._at += found
        return found

    def _take(self, token: str) -> None:
        if not self._take_if(token):
            raise KqlError("SYN0002", f"Query could not be parsed at '{self._peek() or 'its end'}': '{token}' is expected.")

    def _unexpected(self) -> KqlError:
        return KqlError("SYN0002", f"Query could not be parsed at '{self._peek() or 'its end'}'")


def unquoted(token: str) -> str:
    """What a string literal says. After `@` a backslash is a backslash, and a quote is doubled."""
    if token.startswith("@"):
        return token[2:-1].replace(token[1] * 2, token[1])
    return re.sub(r"\\(.)", lambda match: {"n": "\n", "t": "\t", "r": "\r"}.get(match[1], match[1]), token[1:-1])
