"""Messages of the queues: what a step is asked to do. Hints only: a lost one costs time, a second one nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.canonical import Json, canonical, sha256
from shared.collect.plan import Unit, account_unit, is_account_id, subscription_unit
from shared.errors import Refused, Unreachable
from shared.layout import checked_name
from shared.records import moment, timestamp

VERSION = 1
"""Of messages: what this app writes, and the newest that it reads."""

LONGEST = 32 * 1024
"""Bytes of a message; a queue takes 48 KB."""

_REQUEST = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}")


class ForNewerApp(Unreachable):
    """During a deployment two versions of the app run at once, and this one has a message for the other: it waits, and is not guessed at."""


@dataclass(frozen=True, slots=True)
class CollectUnit:
    """Collect one unit of a planned sweep."""

    sweep: str
    unit: Unit

    def text(self) -> str:
        """The message."""
        told = {"do": "unit", "sweep": self.sweep, "unit": self.unit.name, "asked": self.unit.asked, "id": self.unit.id}
        whole = _text({**told, "windows": list(self.unit.windows)})
        return whole if len(whole) <= LONGEST else _text(told)


@dataclass(frozen=True, slots=True)
class CollectAccount:
    """Run a sweep of one account, because of an event."""

    sweep: str
    account: str
    """ARM id."""
    event: str
    """Id of the event, for the sweep's cause."""
    around: str | None = None
    """When the event was; None: not known, and the Activity Log is read on from where it was read before."""

    def text(self) -> str:
        """The message."""
        return _text({"do": "account", "sweep": self.sweep, "account": self.account, "event": self.event, "around": self.around})


def _text(value: Mapping[str, Json]) -> str:
    return canonical({"v": VERSION, **value}).decode()


def parse_work(data: bytes) -> CollectUnit | CollectAccount:
    """Read a message of the queue `collect-unit`.

    Raises:
        Refused: it is none of ours; the line says why.
        ForNewerApp: it is of a newer version.
    """
    value = message(data)
    fields = {name: value.get(name) for name in ("do", "sweep", "unit", "asked", "id", "account", "event", "around")}
    if any(not isinstance(field, str | None) for field in fields.values()):
        raise Refused("a field of the message is no text")
    try:
        sweep = checked_name(fields["sweep"] or "")
        if fields["do"] == "unit":
            windows = json.loads(canonical(value.get("windows", [])))  # raises for a number that is none
            told = tuple(windows if isinstance(windows, list) else ())
            unit = Unit(checked_name(fields["unit"] or ""), fields["id"] or "", fields["asked"] or "", told)
            if unit != _unit_of(unit.id, unit.asked):
                raise Refused("the message names no unit of work: its name, its resource and its questions do not belong together")
            return CollectUnit(sweep, unit)
        if fields["do"] == "account" and is_account_id(fields["account"] or ""):
            around = timestamp(moment(fields["around"])) if fields["around"] else None  # raises for what is no time
            return CollectAccount(sweep, fields["account"] or "", fields["event"] or "", around)
    except ValueError as error:
        raise Refused(f"the message names what no sweep has: {error}") from None
    raise Refused("the message asks for nothing that is known here")


def _unit_of(identifier: str, asked: str) -> Unit | None:
    sort, _, kind = asked.partition(":")
    if sort == "account" and kind and is_account_id(identifier):
        return account_unit(identifier, kind)
    bare = identifier.removeprefix("/subscriptions/")
    return subscription_unit(bare) if asked == "subscription" and bare != identifier and "/" not in bare else None


def parse_bundle_request(data: bytes) -> str:
    """Read a message of the queue `build-bundle`: the name of a request.

    Raises:
        Refused: it is none of ours.
        ForNewerApp: it is of a newer version.
    """
    request = message(data).get("request")
    if not isinstance(request, str) or not is_request(request):
        raise Refused("the message names no request for a bundle")
    return request


def is_request(name: str) -> bool:
    """Whether this can be the name of a request for a bundle."""
    return _REQUEST.fullmatch(name) is not None


def bundle_request(name: str) -> str:
    """The message that asks for a bundle to be built."""
    return _text({"request": name})


def message(data: bytes) -> dict[str, Json]:
    """A message of ours, parsed.

    Raises:
        Refused: not JSON, or not an object of ours.
        ForNewerApp: of a newer version.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("the message is not JSON") from None
    if not isinstance(value, dict) or type(value.get("v")) is not int or value["v"] < 1:
        raise Refused("the message is not one of aoai-evidence")
    if value["v"] > VERSION:
        raise ForNewerApp(f"the message has version {value['v']}, this app reads {VERSION}: a newer app must take it")
    return value


def short(text: str) -> str:
    """A name for what may be long or strange: the first 64 bits of its SHA-256."""
    return sha256(text.encode())[:16]
