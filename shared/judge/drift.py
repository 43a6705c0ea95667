"""What changed between two states of a resource: two answers to the same question, compared by what their parts are, not where they stand.

A member of a list that appeared or vanished is one change. A field nobody has heard of that changes is a change, never nothing;
what is not drift is listed, with reasons, in `shared.judge.drift_noise`. Pure; what a change means is for others to say.
"""

import json
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.canonical import Json
from shared.judge.drift_noise import IDENTITY, UNORDERED, Path, is_noise, same_but_for_casing
from shared.judge.reading import identical, token

Op = Literal["added", "removed", "changed"]

_DEEPEST: Final = 64
"""Below this depth a part is compared as a whole."""


@dataclass(frozen=True, slots=True)
class Field:
    """One difference."""

    pointer: str
    """RFC 6901: in the later state, or for `removed` in the earlier; of a member of a list with an id, from that member."""
    op: Op
    was: Json
    is_: Json
    of: tuple[str, ...] = ()
    """What the members of lists on the way to it are told apart by, one for each: `("ContentLogging",)` of a capability's value."""


@dataclass(frozen=True, slots=True)
class Change:
    """The differences of one resource."""

    resource: str
    """Lower-cased ARM id."""
    kind: str
    """The question whose answers differ."""
    fields: tuple[Field, ...]


def changes(kind: str, resource: str, before_pages: Sequence[Json] | None, after_pages: Sequence[Json] | None) -> list[Change]:
    """What changed in the answer to `kind` about `resource`, sorted by resource and pointer.

    Pages are parsed bodies of an answered question; None: the resource was not there. A list over several pages is one list, so that
    pointers to its members without an id count through all pages.
    """
    before, after = _members(before_pages), _members(after_pages)
    if before is None or after is None:
        fields = tuple(_Comparison(kind).run(_document(before_pages), _document(after_pages)))
        return [Change(resource, kind, fields)] if fields else []
    found, own = _list_changes(kind, before, after)
    own += _frame_changes(kind, before_pages, after_pages)
    if own:
        found.append(Change(resource, kind, tuple(sorted(own, key=lambda field: (field.pointer, field.op)))))
    return sorted(found, key=lambda change: change.resource)


class _Nothing:
    """Where there is no value: null is one."""


_NOTHING: Final = _Nothing()


def _members(pages: Sequence[Json] | None) -> list[Json] | None:
    """The members of a list answer; None if it is not one. No answer is a list without members."""
    if pages is None:
        return []
    found: list[Json] = []
    for page in pages:
        values = page.get("value") if isinstance(page, dict) else None
        if not isinstance(values, list):
            return None
        found += values
    return found if pages else None


def _document(pages: Sequence[Json] | None) -> Json:
    if not pages:
        return _NOTHING
    return pages[0] if len(pages) == 1 else list(pages)


def _list_changes(kind: str, before: list[Json], after: list[Json]) -> tuple[list[Change], list[Field]]:
    """The changes of members with an id; and the differences of the others, which are their list's."""
    earlier, later = _keyed(kind, before, after)
    found: list[Change] = []
    loose: list[Field] = []
    for key in sorted({*earlier, *later}, key=repr):
        (was_at, was), (is_at, is_) = earlier.get(key, (-1, _NOTHING)), later.get(key, (-1, _NOTHING))
        fields = tuple(_Comparison(kind).run(was, is_))
        id_ = _id(is_ if is_ is not _NOTHING else was)
        if id_ is None:
            place = is_at if is_at >= 0 else was_at
            of = _identity(key)
            loose += (Field(f"/value/{place}{field.pointer}", field.op, field.was, field.is_, of + field.of) for field in fields)
        elif fields:
            found.append(Change(id_, kind, fields))
    return found, loose


def _frame_changes(kind: str, before: Sequence[Json] | None, after: Sequence[Json] | None) -> list[Field]:
    """Whatever stands beside the members."""
    if before is None or after is None:
        return []
    earlier, later = ({name: value for page in pages for name, value in page.items() if name != "value"} for pages in (before, after))
    return list(_Comparison(kind).run(earlier, later))


def _id(member: Json) -> str | None:
    id_ = member.get("id") if isinstance(member, dict) else None
    return id_.lower() if isinstance(id_, str) and id_.startswith(("/", "subscriptions/")) else None


Keyed = dict[tuple[Hashable, ...], tuple[int, Json]]


def _identity(key: tuple[Hashable, ...]) -> tuple[str, ...]:
    """What tells a member apart, as a person reads it; of one that only its position tells apart, nothing. The last part of a key counts repetitions."""
    words = [part for part in key[:-1] if isinstance(part, str) and part != "None" and not part.startswith("{")]
    return (" / ".join(words),) if words else ()


def _keyed(name: str, before: list[Json], after: list[Json]) -> tuple[Keyed, Keyed]:
    """The members of both lists by what identifies them: what the table says for `name`, else `id`, `name`, `key`, else their position."""
    known = IDENTITY.get(name)
    for fields in [known] if known else [("id",), ("name",), ("key",)]:
        if all(_identified(member, fields) for member in (*before, *after)):
            return _by(fields, before), _by(fields, after)
    return _by_position(before), _by_position(after)


def _identified(member: Json, fields: Path) -> bool:
    return isinstance(member, dict) and any(isinstance(member.get(field), str) for field in fields)


def _by(fields: Path, members: list[Json]) -> Keyed:
    """A member that comes twice is told apart by which time it is."""
    found: Keyed = {}
    for position, member in enumerate(members):
        identity = tuple(_folded(member.get(field)) for field in fields)
        time = 0
        while (*identity, time) in found:
            time += 1
        found[(*identity, time)] = (position, member)
    return found


def _folded(value: Json) -> str:
    return value.casefold() if isinstance(value, str) else repr(value)


def _by_position(members: list[Json]) -> Keyed:
    return {(position,): (position, member) for position, member in enumerate(members)}


class _Comparison:
    """Walks two values at once; `path` has the names that a noise row would use, `pointer` the place in the bytes."""

    def __init__(self, kind: str) -> None:
        self.kind = kind

    def run(self, was: Json, is_: Json) -> Iterator[Field]:
        yield from self._compare((), "", (), was, is_)

    def _compare(self, path: Path, pointer: str, of: tuple[str, ...], was: Json, is_: Json) -> Iterator[Field]:
        if was is is_ or (len(path) > 1 and _written_alike(was, is_)) or is_noise(self.kind, path, was, is_):
            return
        if isinstance(was, _Nothing):
            yield Field(pointer, "added", None, is_, of)
        elif isinstance(is_, _Nothing):
            yield Field(pointer, "removed", was, None, of)
        elif isinstance(was, dict) and isinstance(is_, dict) and len(path) < _DEEPEST and not _replaced(was) and not _replaced(is_):
            for name in sorted({*was, *is_}):
                yield from self._compare((*path, name), f"{pointer}/{token(name)}", of, was.get(name, _NOTHING), is_.get(name, _NOTHING))
        elif isinstance(was, list) and isinstance(is_, list) and len(path) < _DEEPEST:
            yield from self._compare_lists(path, pointer, of, was, is_)
        elif not identical(was, is_) and not _same_text(path, was, is_):
            yield Field(pointer, "changed", was, is_, of)

    def _compare_lists(self, path: Path, pointer: str, of: tuple[str, ...], was: list[Json], is_: list[Json]) -> Iterator[Field]:
        name = path[-1] if path else ""
        earlier, later = _as_sets(was, is_) if name in UNORDERED else _keyed(name, was, is_)
        for key in sorted({*earlier, *later}, key=lambda key: (later.get(key, earlier.get(key, (0, None)))[0], repr(key))):
            (was_at, old), (is_at, new) = earlier.get(key, (-1, _NOTHING)), later.get(key, (-1, _NOTHING))
            place = str(is_at if is_at >= 0 else was_at)
            yield from self._compare((*path, place), f"{pointer}/{place}", of + _identity(key), old, new)


def _as_sets(was: list[Json], is_: list[Json]) -> tuple[Keyed, Keyed]:
    """Members by their value, told apart by which time it comes."""
    wrapped = [[{"name": value if isinstance(value, str) else repr(value)} for value in values] for values in (was, is_)]
    earlier, later = _by(("name",), wrapped[0]), _by(("name",), wrapped[1])
    return {key: (at, was[at]) for key, (at, _) in earlier.items()}, {key: (at, is_[at]) for key, (at, _) in later.items()}


def _written_alike(was: Json, is_: Json) -> bool:
    """Whether two objects or lists are the same, key order included: almost all are, and this sees it at the speed of C."""
    try:
        return isinstance(was, dict | list) and type(was) is type(is_) and json.dumps(was) == json.dumps(is_)
    except RecursionError:
        return False


def _replaced(value: dict[str, Json]) -> bool:
    """Whether a value was replaced before sealing: then it is one thing, not an object."""
    return len(value) == 1 and ("committed" in value or "withheld" in value)


def _same_text(path: Path, was: Json, is_: Json) -> bool:
    return isinstance(was, str) and isinstance(is_, str) and same_but_for_casing(path, was, is_)
