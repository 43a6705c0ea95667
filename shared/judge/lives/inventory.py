"""Inventories: which objects an answer lists, in either generation of the data plane and in Resource Manager's lists.

An answer is an inventory only if it is whole: answered, every page a list of objects with ids, and nothing said to follow the last page.
Whatever else came is "could not look": nothing may be concluded from what it does not name. Pure; bodies come through a function.
"""

from array import array
from collections.abc import Callable, Iterable, Iterator, KeysView, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any, Final, NamedTuple

from shared.canonical import Json
from shared.judge.assemble import Entry, LoadBody
from shared.judge.lives.kinds import ACCOUNT, DEPLOYMENT, MODEL, Kind
from shared.judge.lives.times import when
from shared.model import Point
from shared.recent import Recent

_ENDS: Final = ("expires_at", "expires_after", "last_active_at")
"""Members of listed objects by which Azure removes them by itself (`causes`)."""

_GONE: Final = ("deleted", "deleting")
"""States of a file that is listed although it is no more (Azure's enumeration has them)."""

_LATEST: Final = 2**62
"""Seconds that fit where moments are kept; what is none of these is kept as it is."""

_ACCOUNT_KINDS: Final = ("openai", "aiservices")


Key = tuple[str, tuple[str, ...]]
"""Equal for two answers that list the same."""


class Brief(NamedTuple):
    """What is read of an object without its list being parsed again: lists are long, and change by one object at a time."""

    page: int
    position: int
    """In the list of that page."""
    made: Json
    """When, as Azure says it; None where it does not."""
    told: tuple[Json, ...] | dict[str, Json] = ()
    """Of an account its identity; of an object of the data plane those of `_ENDS` that it has."""


class Places(Mapping[str, Brief]):
    """What is read of every object, by id: in columns, since an account may list a hundred thousand; ids are shared with other inventories."""

    __slots__ = ("_made", "_pages", "_positions", "_rows", "_told")

    def __init__(self) -> None:
        self._rows: dict[str, int] = {}
        self._pages = array("I")
        self._positions = array("I")
        self._made = array("q")
        self._told: dict[int, tuple[Json, Any]] = {}
        """Of the few rows of which more is to be kept than a moment: (made, told)."""

    def put(self, identifier: str, page: int, position: int, made: Json, told: tuple[Json, ...] | dict[str, Json]) -> None:
        """Take in what a `Brief` says of an object; where an id comes twice, the last stands."""
        row = self._rows[identifier] = len(self._pages)
        self._pages.append(page)
        self._positions.append(position)
        if not told and type(made) is int and 0 <= made < _LATEST:
            self._made.append(made)
        else:
            self._made.append(-1)
            self._told[row] = made, told

    def __getitem__(self, identifier: str) -> Brief:
        row = self._rows[identifier]
        made, told = self._told.get(row) or (self._made[row], ())
        return Brief(self._pages[row], self._positions[row], made, told)

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def keys(self) -> KeysView[str]:
        """The ids; of the dict itself, since its sets are much faster than those of any mapping."""
        return self._rows.keys()


@dataclass(slots=True)
class Inventory:
    """What one whole answer lists. An object goes by its exact id on the data plane, by its lower-cased ARM id elsewhere."""

    kind: Kind
    entry: Entry
    shelf: "Shelf"
    _places: Places | None = None
    """None: not asked for yet. Of most inventories nothing is asked but what the shelf remembers."""

    @property
    def places(self) -> Places:
        """What it lists, and where."""
        if self._places is None:
            self._places = self.shelf.places(self.kind, self.entry) or Places()
        return self._places

    @property
    def at(self) -> str:
        """When it was answered."""
        return self.entry.at

    @property
    def record(self) -> int:
        """Index of the observation."""
        return self.entry.record

    def __contains__(self, identifier: str) -> bool:
        return identifier in self.places

    def item(self, identifier: str) -> dict[str, Json]:
        """The object as it is listed."""
        page, position, *_ = self.places[identifier]
        found: dict[str, Json] = self.shelf.load(self.entry.digests[page])[self.kind.key][position]
        return found

    def point(self, identifier: str) -> Point:
        """Where it is listed."""
        page, position, *_ = self.places[identifier]
        return Point(self.record, page, f"/{self.kind.key}/{position}")

    def object_id(self, identifier: str) -> str:
        """The id as Azure spells it: of a deployment its name."""
        if self.kind is DEPLOYMENT:
            return str(self.item(identifier)["id"]).rpartition("/")[2]
        return str(self.item(identifier)["id"]) if self.kind is ACCOUNT else identifier

    def created(self, identifier: str) -> str | None:
        """When Azure says it was made."""
        return when(self.places[identifier].made)

    def identity(self, identifier: str) -> tuple[Json, ...]:
        """Of an account: by what it is told from another of the same name."""
        return tuple(self.places[identifier].told)

    def ends(self, identifier: str) -> dict[str, Json]:
        """Of an object: what says when Azure removes it; of a deployment the whole of it, since many things do."""
        told = self.places[identifier].told
        return told if isinstance(told, dict) else {} if self.kind.key == "data" else self.item(identifier)


def identity_of(account: Json) -> tuple[Json, Json]:
    """By what an account is told from another of the same name: Azure's own id of it, and when it was first made."""
    properties = account.get("properties") if isinstance(account, dict) else None
    return (properties.get("internalId"), properties.get("dateCreated")) if isinstance(properties, dict) else (None, None)


def _made_and_told(kind: Kind, item: dict[str, Json]) -> tuple[Json, tuple[Json, ...] | dict[str, Json]]:
    """Of a listed object, the last two fields of its `Brief`."""
    if kind.key == "data":
        ends = () if item.keys().isdisjoint(_ENDS) else {name: item[name] for name in _ENDS if item.get(name) is not None} or ()
        return item.get("created_at") or item.get("created"), ends
    data = item.get("systemData")
    return data.get("createdAt") if isinstance(data, dict) else None, identity_of(item) if kind is ACCOUNT else ()


class Shelf:
    """What bodies say, the last few of them kept: most answers are what the one before was, and many accounts share a log."""

    def __init__(self, load: LoadBody, most: int = 48 * 1024 * 1024) -> None:
        """`most`: bytes, roughly, of what is kept."""
        self.load = load
        self._kept = Recent[Key, Places](most)
        self._lines = Recent[tuple[str, int], list[Json]](most)
        self._whole = Recent[Key, bool](most // 16)
        self._lost = Recent[tuple[Key, ...], tuple[str, ...]](most // 16)

    def lines(self, entry: Entry, parse: Callable[[Entry, LoadBody], Iterable[Any]]) -> list[Any]:
        """What `parse` makes of an answer about a log."""
        found = self._lines.get((entry.kind, entry.record))
        if found is None:
            found = list(parse(entry, self.load))
            self._lines.put((entry.kind, entry.record), found, 500 + 800 * len(found))
        return found

    def inventory(self, kind: Kind, entry: Entry) -> Inventory | None:
        """What an answer lists; None where it is no inventory."""
        if entry.failure is not None or entry.status not in (None, 200) or not entry.digests:
            return None
        key = _key(kind, entry)
        whole = self._whole.get(key)
        if whole is not None:
            return Inventory(kind, entry, self) if whole else None
        places = self.places(kind, entry)
        self._whole.put(key, places is not None, 300)
        return Inventory(kind, entry, self, places) if places is not None else None

    def places(self, kind: Kind, entry: Entry) -> Places | None:
        """What an answer lists, and where; None where that is not the whole of a list."""
        key = _key(kind, entry)
        places = self._kept.get(key)
        if places is None:
            places = listed(kind, entry.resource, map(self.load, entry.digests))
            if places is not None:
                self._kept.put(key, places, 1000 + 200 * len(places))
        return places

    def lost(self, was: Inventory, now: Inventory) -> tuple[str, ...]:
        """What the first inventory lists and the second does not."""
        if was.entry.digests == now.entry.digests:
            return ()
        return self._remembered((_key(was.kind, was.entry), _key(now.kind, now.entry)), lambda: tuple(sorted(was.places.keys() - now.places.keys())))

    def listed_again(self, was: Inventory, now: Inventory, later: Inventory) -> tuple[str, ...]:
        """What the first inventory lists, the second does not, and a later one does."""
        keys = (_key(was.kind, was.entry), _key(now.kind, now.entry), _key(later.kind, later.entry))
        return self._remembered(keys, lambda: tuple(identifier for identifier in self.lost(was, now) if identifier in later))

    def _remembered(self, keys: tuple[Key, ...], find: Callable[[], tuple[str, ...]]) -> tuple[str, ...]:
        """What came of comparing inventories: few ids, asked for in every sweep for days, while the lists themselves are long."""
        found = self._lost.get(keys)
        if found is None:
            found = find()
            self._lost.put(keys, found, 1000 + 100 * len(found))
        return found


def _key(kind: Kind, entry: Entry) -> Key:
    return kind.question, (*entry.digests, "" if kind.key == "data" else entry.resource)


def listed(kind: Kind, account: str, pages: Iterable[Json]) -> Places | None:
    """Where each object stands; None where the pages are not the whole of a list of objects with ids."""
    found = Places()
    plain, more = kind.key == "data", True
    for number, page in enumerate(pages):
        values = page.get(kind.key) if isinstance(page, dict) else None
        if not isinstance(values, list):
            return None
        for position, item in enumerate(values):
            identifier = item.get("id") if isinstance(item, dict) else None
            if not isinstance(identifier, str):
                return None
            name = identifier if plain else _arm_key(kind, account, identifier, item)
            # `processed` is what nearly every file is: asked first, since a list may be long.
            if name and ((plain and kind is not MODEL and item.get("status") == "processed") or _counts(kind, item)):
                found.put(intern(name), number, position, *_made_and_told(kind, item))
        more = page.get("has_more") is True
    return None if more else found


def _arm_key(kind: Kind, parent: str, identifier: str, item: dict[str, Json]) -> str:
    """The id in lower case; empty for what is none of these."""
    lowered = identifier.lower()
    if kind is ACCOUNT:
        word = item.get("kind")
        return lowered if isinstance(word, str) and word.casefold() in _ACCOUNT_KINDS else ""
    return lowered if lowered.startswith(f"{parent}/deployments/") else ""


def every_id(entry: Entry, load: LoadBody) -> set[str]:
    """Lower-cased ids of all that a list of Resource Manager's holds, of whatever kind."""
    found: set[str] = set()
    for digest in entry.digests if entry.failure is None else ():
        page = load(digest)
        values = page.get("value") if isinstance(page, dict) else None
        for item in values if isinstance(values, list) else ():
            identifier = item.get("id") if isinstance(item, dict) else None
            if isinstance(identifier, str):
                found.add(identifier.lower())
    return found


def _counts(kind: Kind, item: dict[str, Json]) -> bool:
    """Whether a listed object is one that can be deleted, and is still there."""
    if kind is MODEL:
        return is_fine_tuned(item)
    state = item.get("status")
    return not (isinstance(state, str) and state.casefold() in _GONE)


def is_fine_tuned(item: dict[str, Json]) -> bool:
    """Whether a served model is one of the account's own: it names its job, or its name says so. Base models are the provider's."""
    name = str(item.get("id")).casefold()
    return isinstance(item.get("fine_tune"), str) or ".ft-" in name or name.startswith("ft:")
