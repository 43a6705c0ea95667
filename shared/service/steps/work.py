"""Messages of the queues: what a step is asked to do. Hints only: a lost one costs time, a second one nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from shared.canonical import Json, canonical, sha256
from shared.collect.plan import Unit, is_account_id
from shared.errors import Refused
from shared.layout import checked_name

VERSION = 1
"""Of messages. During a deployment two versions of the app run at once: a newer one's messages are refused, not guessed at."""

_REQUEST = re.compile(r"[0-9]{8}T[0-9]{6}Z-[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class CollectUnit:
    """Collect one unit of a planned sweep."""

    sweep: str
    unit: Unit
    whole: bool = True
    """False: the message is of an earlier version of the app, and does not tell the unit's windows."""

    def text(self) -> str:
        """The message."""
        unit = self.unit
        fields = {"sweep": self.sweep, "unit": unit.name, "asked": unit.asked, "id": unit.id, "windows": list(unit.windows)}
        return _text({"do": "unit", **fields})


@dataclass(frozen=True, slots=True)
class CollectAccount:
    """Run a sweep of one account, because of an event."""

    sweep: str
    account: str
    """ARM id."""
    event: str
    """Id of the event, for the sweep's cause."""

    def text(self) -> str:
        """The message."""
        return _text({"do": "account", "sweep": self.sweep, "account": self.account, "event": self.event})


def _text(value: Mapping[str, Json]) -> str:
    return canonical({"v": VERSION, **value}).decode()


def parse_work(data: bytes) -> CollectUnit | CollectAccount:
    """Read a message of the queue `collect-unit`.

    Raises:
        Refused: it is none of ours; the line says why.
    """
    value = message(data)
    fields = {name: value.get(name) for name in ("do", "sweep", "unit", "asked", "id", "account", "event")}
    if any(not isinstance(field, str | None) for field in fields.values()):
        raise Refused("a field of the message is no text")
    try:
        sweep = checked_name(fields["sweep"] or "")
        if fields["do"] == "unit":
            unit = Unit(checked_name(fields["unit"] or ""), fields["id"] or "", fields["asked"] or "", _windows(value.get("windows", [])))
            if not unit.asked or not unit.id.lower().startswith("/subscriptions/"):
                raise Refused("the message names no unit of work")
            return CollectUnit(sweep, unit, "windows" in value)
        if fields["do"] == "account" and is_account_id(fields["account"] or ""):
            return CollectAccount(sweep, fields["account"] or "", fields["event"] or "")
    except ValueError as error:
        raise Refused(f"the message names what no sweep has: {error}") from None
    raise Refused("the message asks for nothing that is known here")


def _windows(value: Json) -> tuple[Json, ...]:
    """The windows of a unit, as its plan lists them."""
    texts = ("kind", "resource", "from")
    if not isinstance(value, list) or not all(isinstance(one, dict) and all(isinstance(one.get(name), str) for name in texts) for one in value):
        raise Refused("the windows of the message are none")
    if not all(isinstance(one.get("previous"), dict) and isinstance(one["previous"].get("to"), str) for one in value):
        raise Refused("a window of the message does not say what it follows")
    return tuple(value)


def parse_bundle_request(data: bytes) -> str:
    """Read a message of the queue `build-bundle`: the name of a request.

    Raises:
        Refused: it is none of ours.
    """
    request = message(data).get("request")
    if not isinstance(request, str) or not _REQUEST.fullmatch(request):
        raise Refused("the message names no request for a bundle")
    return request


def bundle_request(name: str) -> str:
    """The message that asks for a bundle to be built."""
    return _text({"request": name})


def message(data: bytes) -> dict[str, Json]:
    """A message of ours, parsed.

    Raises:
        Refused: not JSON, not an object, or of a newer version.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise Refused("the message is not JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("v"), int):
        raise Refused("the message is not one of aoai-evidence")
    if value["v"] != VERSION:
        raise Refused(f"the message has version {value['v']}, this app reads {VERSION}: a newer app must take it")
    return value


def short(text: str) -> str:
    """A name for what may be long or strange: the first 64 bits of its SHA-256."""
    return sha256(text.encode())[:16]
