"""The list of receivers as a person writes it, in TOML; whatever is wrong with it is said with its line and column.

    [receiver.security]
    kind = "teams"                  # webhook, teams, slack, event-grid
    secret = "teams"                # EVIDENCE_ALERT_SECRETS has it: teams=https://…; the address is a secret of its own
    severity = "high"
    scopes = ["00000000-0000-0000-0000-000000000001"]
    zone = "Europe/Berlin"
    quiet = "22:00-07:00"

`KEYS` has every key. Names are folders of the outbox: who is renamed is another receiver.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

from shared.canonical import Json
from shared.deliver.alerts.route import Route
from shared.errors import Misuse
from shared.judge.accept import suggestion
from shared.judge.catalogue import catalogue
from shared.judge.places import Places, read_toml
from shared.judge.reading import shown
from shared.model import SEVERITIES, Severity

Kind = Literal["webhook", "teams", "slack", "event-grid"]
KINDS: Final[tuple[Kind, ...]] = ("webhook", "teams", "slack", "event-grid")

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_SECRET: Final = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,59}")
_ARM_ID: Final = re.compile(r"/subscriptions/[0-9a-f-]{36}(/[^/\s]+/[^/\s]+)*(/providers(/[^/\s]+){3,})?")
_GUID: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIME: Final = r"([01][0-9]|2[0-3]):([0-5][0-9])"


@dataclass(frozen=True, slots=True)
class Declared:
    """One receiver, as it is declared."""

    name: str
    kind: Kind
    address: str | None
    """None: the secret is the address."""
    secret: str | None
    """Its name in EVIDENCE_ALERT_SECRETS; None: none is named."""
    private: bool
    """Whether its address may be one that is not on the internet."""
    route: Route


class _Wrong(Exception):
    """What is wrong with a value, and what would be right."""


def read_receivers(data: bytes, name: str, sound: Callable[[str], bool]) -> list[Declared]:
    """The receivers that a file declares. `sound`: whether an address can be one.

    Raises:
        Misuse: `NAME:LINE:COLUMN: what is wrong, and what would be right`.
    """
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise Misuse(f"{name}:1:1: not UTF-8: save the list of receivers as UTF-8 text") from None
    document, places = read_toml(text, name, "a list of receivers")
    return _Reader(name, places, sound).receivers(document)


@dataclass(frozen=True, slots=True)
class _Reader:
    name: str
    places: Places
    sound: Callable[[str], bool]

    def receivers(self, document: Json) -> list[Declared]:
        for word in document:
            if word != "receiver":
                raise self._wrong(f"unknown section {shown(word)}: a receiver is a section [receiver.NAME]", word)
        tables = document.get("receiver", {})
        if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
            raise self._wrong("a receiver is a section [receiver.NAME]", "receiver")
        return [self._receiver(name, table) for name, table in tables.items()]

    def _receiver(self, name: str, table: Mapping[str, Json]) -> Declared:
        if not _NAME.fullmatch(name):
            raise self._wrong(f"{shown(name)} is no name: write small letters, digits and hyphens, 40 at most", "receiver", name)
        said: dict[str, Json] = {}
        for key, raw in table.items():
            if key not in KEYS:
                raise self._wrong(f"unknown key {shown(key)}{suggestion(key, KEYS)}", "receiver", name, key)
            try:
                said[key] = KEYS[key](raw)
            except _Wrong as wrong:
                raise self._wrong(f"{key}: {wrong}", "receiver", name, key, value=True) from None
        self._check(name, said)
        routed = {key: said[key] for key in said.keys() & set(Route.__dataclass_fields__)}
        routed.setdefault("alarms", not (said.get("controls") or said.get("scopes")))
        return Declared(name, cast(Kind, said["kind"]), said.get("address"), said.get("secret"), said.get("private", False), Route(**routed))

    def _check(self, name: str, said: Mapping[str, Json]) -> None:
        """What keys say together."""
        kind, here = said.get("kind"), ("receiver", name)
        if kind is None:
            raise self._wrong(f"kind is missing: one of {', '.join(KINDS)}", *here)
        if kind in ("teams", "slack"):
            if ("address" in said) == ("secret" in said):
                raise self._wrong("give `secret`, the name of the secret that is the address, or `address`, and not both", *here)
        elif "address" not in said:
            raise self._wrong(f"address is missing: where the {kind} is, https://…", *here)
        if "address" in said and not self.sound(said["address"]):
            raise self._wrong("address: expected https://HOST/PATH, without a user or fragment (on loopback: 127.0.0.1 with a port)", *here, "address", value=True)
        if "digest_at" in said and said.get("digest") != "daily":
            raise self._wrong('digest_at is for digest = "daily" alone', *here, "digest_at")

    def _wrong(self, message: str, *path: str, value: bool = False) -> Misuse:
        line, column = self.places.at(path, value=value)
        return Misuse(f"{self.name}:{line}:{column}: {message}")


def _one_of(*options: str) -> Callable[[Json], Json]:
    def take(raw: Json) -> Json:
        if not isinstance(raw, str):
            raise _Wrong(f"one of {', '.join(options)} is due, in quotation marks")
        if raw not in options:
            raise _Wrong(f"{shown(raw)} is not one of {', '.join(options)}{suggestion(raw, options)}")
        return raw

    return take


def _text(raw: Json) -> str:
    if not isinstance(raw, str):
        raise _Wrong("a text in quotation marks is due")
    return raw


def _flag(raw: Json) -> bool:
    if not isinstance(raw, bool):
        raise _Wrong("true or false is due")
    return raw


def _secret(raw: Json) -> str:
    if not _SECRET.fullmatch(_text(raw)):
        raise _Wrong("a name is due, of letters, digits, - and _: EVIDENCE_ALERT_SECRETS holds the secret itself, NAME=SECRET")
    return _text(raw)


def _several(raw: Json) -> list[str]:
    if not isinstance(raw, list) or not raw or not all(isinstance(item, str) for item in raw):
        raise _Wrong("a list of texts is due, with one at least; leave the key out for all")
    return raw


def _controls(raw: Json) -> tuple[str, ...]:
    known = [control.id for control in catalogue().controls]
    for item in _several(raw):
        if item not in known:
            raise _Wrong(f"there is no control {shown(item)}{suggestion(item, known) or ': docs/controls.md lists them'}")
    return tuple(sorted(set(raw)))


def _scopes(raw: Json) -> tuple[str, ...]:
    found = set()
    for item in _several(raw):
        low = item.lower().rstrip("/")
        low = f"/subscriptions/{low}" if _GUID.fullmatch(low) else low
        if not _ARM_ID.fullmatch(low):
            raise _Wrong(f"{shown(item)} is neither the id of a subscription nor the ARM id of a resource group or resource")
        found.add(low)
    return tuple(sorted(found))


def _zone(raw: Json) -> str:
    try:
        return _text(raw) if raw == "UTC" else ZoneInfo(_text(raw)).key
    except (OSError, ValueError, KeyError):
        raise _Wrong(f"{shown(raw)} is no time zone that this machine knows; write one like Europe/Berlin, or UTC") from None


def _quiet(raw: Json) -> tuple[int, int]:
    found = re.fullmatch(rf"{_TIME}\s*-\s*{_TIME}", _text(raw))
    if found is None:
        raise _Wrong('expected from when to when, such as "22:00-07:00"')
    start, end = int(found[1]) * 60 + int(found[2]), int(found[3]) * 60 + int(found[4])
    if start == end:
        raise _Wrong("it begins when it ends: nothing would ever be quiet, or ever be told; leave it out")
    return start, end


def _minute(raw: Json) -> int:
    found = re.fullmatch(_TIME, _text(raw))
    if found is None:
        raise _Wrong('expected a time of the day, such as "08:00"')
    return int(found[1]) * 60 + int(found[2])


def _through(raw: Json) -> Severity | None:
    return None if raw == "none" else cast(Severity, _one_of(*SEVERITIES, "none")(raw))


KEYS: Final[Mapping[str, Callable[[Json], Json]]] = {
    "kind": _one_of(*KINDS), "address": _text, "secret": _secret, "private": _flag, "severity": _one_of(*SEVERITIES), "controls": _controls,
    "scopes": _scopes, "alarms": _flag, "zone": _zone, "quiet": _quiet, "through": _through, "digest": _one_of("hourly", "daily"), "digest_at": _minute,
}  # fmt: skip
"""Every key, with what accepts its value."""
