"""How a rule sees one field of a change, and the words that rules share."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from shared.canonical import Json
from shared.judge.expectation import Expectation
from shared.judge.reading import shown
from shared.model import Severity

Direction = Literal["worse", "better", "neutral"]
Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One field that changed."""

    kind: str
    resource: str
    path: Path
    """Names on the way to it. A member of a list is `[what tells it apart]`, in lower case, or `[]`."""
    pointer: str
    op: str
    was: Json
    is_: Json

    @property
    def name(self) -> str:
        """The resource, as people call it: the last part of its id."""
        return self.resource.rsplit("/", 1)[-1]

    @property
    def account(self) -> str:
        """The account that it is, or lies in."""
        parts = self.resource.split("/")
        return parts[parts.index("accounts") + 1] if "accounts" in parts[:-1] else self.name

    @property
    def member(self) -> str:
        """What tells the nearest member of a list on the way apart."""
        return next((part[1:-1] for part in reversed(self.path) if part.startswith("[")), "")


@dataclass(frozen=True, slots=True)
class Said:
    """What a rule says."""

    direction: Direction
    text: str
    severity: Severity | None = None
    """Instead of the control's."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a change of a field means. `path`: a trailing `**` is anything below too, `*` any one segment."""

    kind: str
    path: Path
    says: Callable[[Seen, Expectation], Said | None]
    """None: this rule says nothing of it, and the next is asked."""
    control: str | None = None
    key: str | None = None
    """The expectation of a profile by which it matters."""


def fits(pattern: Path, path: Path) -> bool:
    """Whether a field's path is one that a rule is about."""
    if pattern and pattern[-1] == "**":
        return len(path) >= len(pattern) - 1 and fits(pattern[:-1], path[: len(pattern) - 1])
    return len(pattern) == len(path) and all(wanted in ("*", name) for wanted, name in zip(pattern, path, strict=True))


def seen_fields(change: Mapping[str, Json]) -> Iterator[Seen]:
    """The fields of a change record as rules see them."""
    for field in change["fields"]:
        path = _path(str(field["pointer"]), list(field.get("of") or ()))
        yield Seen(change["kind"], change["resource"] or "", path, field["pointer"], field["op"], field.get("was"), field.get("is"))


def _path(pointer: str, of: list[str]) -> Path:
    """Positions in lists become what tells the members apart: the last positions have it, those before may not."""
    parts = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
    positions = [number for number, part in enumerate(parts) if part.isdecimal()]
    for number, position in enumerate(reversed(positions)):
        parts[position] = f"[{of[-1 - number]}]" if number < len(of) else "[]"
    return tuple(parts)


def said(value: Json) -> str:
    """A value in a sentence: a bare word for a text, `absent` never, since the sentence says that in words."""
    return value if isinstance(value, str) and value.isprintable() and len(value) <= 80 else shown(value)


def part(value: Json, *names: str) -> Json:
    """A part of a value, None where there is none."""
    found: Any = value
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def fold(value: Json) -> str:
    """A text for comparison; empty for anything else."""
    return value.casefold() if isinstance(value, str) else ""


def plain(seen: Seen) -> str:
    """What is said where no rule knows the field: what changed, from what to what."""
    field = "/".join(seen.path)
    if not field:
        return f"{seen.name} ({seen.kind}) {'appeared' if seen.op == 'added' else 'is gone' if seen.op == 'removed' else 'is something else now'}"
    if seen.op == "added":
        return f"{seen.name} ({seen.kind}): {field} is {said(seen.is_)} now (was absent)"
    if seen.op == "removed":
        return f"{seen.name} ({seen.kind}): {field} is absent now (was {said(seen.was)})"
    if said(seen.is_) == said(seen.was):  # two values that were replaced before sealing, or two objects
        return f"{seen.name} ({seen.kind}): {field} is not what it was (both times {said(seen.is_)})"
    return f"{seen.name} ({seen.kind}): {field} is {said(seen.is_)} now (was {said(seen.was)})"


def flag(good: bool, worse: str, better: str) -> Callable[[Seen, Expectation], Said]:
    """A rule for a setting that protects when it is `good`; absent counts as the other. `{}` in the sentences is the account."""

    def says(seen: Seen, _: Expectation) -> Said:
        safe = seen.is_ is good and seen.op != "removed"
        return Said("better", better.format(seen.account)) if safe else Said("worse", worse.format(seen.account))

    return says


def note(text: str, severity: Severity | None = None, direction: Direction = "neutral") -> Callable[[Seen, Expectation], Said]:
    """A rule that says the same whatever the values; in the sentence: `{account}`, `{name}`, `{member}`, `{was}`, `{now}`, `{op}`."""

    def says(seen: Seen, _: Expectation) -> Said:
        return Said(direction, filled(text, seen), severity)

    return says


def filled(text: str, seen: Seen) -> str:
    """A sentence with the values of a field."""
    was = "absent" if seen.op == "added" else said(seen.was)
    now = "absent" if seen.op == "removed" else said(seen.is_)
    return text.format(account=seen.account, name=seen.name, member=seen.member, was=was, now=now, op=seen.op)
