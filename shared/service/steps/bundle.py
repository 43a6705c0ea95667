"""Bundles on request: what was asked for and how far it is lies in `state/bundle/`, what was built in `bundles/`."""

import hashlib
import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from shared import layout
from shared.canonical import Json, canonical
from shared.deliver.rejudge import frameworks
from shared.errors import EvidenceError, Misuse, Refused, StoreConflict, Unreachable, Unwritable
from shared.records import moment, timestamp
from shared.service.compose import random_bytes
from shared.service.gone import LONGEST
from shared.service.queries import Period, period, reading
from shared.service.steps.app import App
from shared.service.steps.work import bundle_request, is_request, parse_bundle_request
from shared.service.stores import link, put_file

LINK = timedelta(minutes=15)
"""How long a link to a bundle is good for: long enough to begin a download, too short to be passed around."""

MOST = 32_768
"""Bytes of a request."""

WAITING = ("queued", "building")
"""States of a request that end by themselves."""

PERSONAL: dict[str, Json] = {"disclose": [], "object": None}
"""What may be names of people, with what stands for nothing: neither shown, nor kept for longer than it is needed."""

FIELDS = ("from", "to", "resources", "framework", *PERSONAL)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a bundle is asked to be."""

    start: str | None
    end: str | None
    resources: tuple[str, ...]
    framework: str | None
    disclose: tuple[str, ...]
    object: str | None = None
    """Id or name of one object that is gone."""

    def as_json(self) -> Json:
        """As it was asked."""
        found = (self.start, self.end, list(self.resources), self.framework, list(self.disclose), self.object)
        return dict(zip(FIELDS, found, strict=True))


def parse_wanted(body: bytes) -> Wanted:
    """Read the body of a request: a JSON object of FIELDS, each optional.

    Raises:
        Refused: it is none, or names what is not known.
    """
    if len(body) > MOST:
        raise Refused(f"the request has {len(body)} bytes: {MOST} are the most")
    try:
        value = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Refused("the request is not JSON") from None
    if not isinstance(value, dict) or set(value) - set(FIELDS):
        raise Refused(f"a request is an object with some of: {', '.join(FIELDS)}")
    texts = {name: _text(value, name) for name in ("from", "to", "framework", "object")}
    if texts["object"] is not None and not 1 <= len(texts["object"]) <= LONGEST:
        raise Refused(f"object is an id or a name: 1 to {LONGEST} characters")
    if texts["framework"] is not None and texts["framework"] not in frameworks():
        raise Refused(f"framework {texts['framework']!r} is none of {', '.join(frameworks())}")
    return Wanted(texts["from"], texts["to"], _texts(value, "resources"), texts["framework"], _texts(value, "disclose"), texts["object"])


def _text(value: Mapping[str, Json], name: str) -> str | None:
    found = value.get(name)
    if found is not None and not isinstance(found, str):
        raise Refused(f"{name} is a text")
    return found


def _texts(value: Mapping[str, Json], name: str) -> tuple[str, ...]:
    found = [] if value.get(name) is None else value[name]  # nothing else that is false: who asks for no resources gets no bundle of all
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise Refused(f"{name} is a list of texts")
    return tuple(found)


def ask(app: App, wanted: Wanted, by: str | None) -> str:
    """Note a request and queue it; return its name. `by`: object id of who asks.

    Raises:
        Refused: the period is none.
        Misuse, Unreachable: the store or the queue cannot be used.
    """
    now = app.now()
    period_of(wanted.start, wanted.end, now)
    name = f"{now:%Y%m%dT%H%M%SZ}-{random_bytes(8).hex()}"
    _note(app, name, {"state": "queued", "asked": timestamp(now), "by": by, "wanted": wanted.as_json()})
    app.queues.send(layout.BUNDLE_QUEUE, bundle_request(name))
    return name


def look(app: App, name: str) -> Json | None:
    """How far a request is, with a link where the bundle is there; None where nothing of that name was asked."""
    if not is_request(name):
        return None
    found = _request(app, name)
    if found is None:
        return None
    if found["state"] == "built" and not app.store.exists(layout.built_bundle(name)):
        found["state"] = "expired"
    if found["state"] == "built":
        found["link"] = link(app.settings, layout.built_bundle(name), app.now() + LINK)
    return {"id": name, **told(found)}


def told(request: Json) -> Json:
    """A request without what may be names of people: that something of the kind was asked for, and not what."""
    wanted = request["wanted"]
    about = {"disclosed": len(wanted["disclose"]), "one_object": wanted.get("object") is not None}  # one that is over says it itself
    return {**about, **request, "wanted": {field: value for field, value in wanted.items() if field not in PERSONAL}}


def build_message(app: App, message: bytes) -> str:
    """Build what a message asks for; return a line that says what was done.

    Raises:
        Refused: the message is none of ours.
        Unreachable: the store: the host delivers the message again.
    """
    name = parse_bundle_request(message)
    request = _request(app, name)
    if request is None:
        raise Refused(f"no bundle {name} was asked for here")
    if request["state"] not in WAITING:
        return f"bundle {name} was {request['state']} before"
    asked = request["wanted"]
    wanted = Wanted(asked["from"], asked["to"], tuple(asked["resources"]), asked["framework"], tuple(asked["disclose"]), asked.get("object"))
    _note(app, name, {**request, "state": "building"})
    try:
        made = _build(app, name, wanted, moment(request["asked"]))
    except (Unreachable, StoreConflict):
        raise
    except EvidenceError as error:  # what was asked cannot be had: said to who asked, not tried again
        _note(app, name, _ended(request, "failed", reason=str(error)))
        return f"bundle {name} cannot be built: {error}"
    _note(app, name, _ended(request, "built", built=timestamp(app.now()), **made))
    return f"bundle {name}: {made['bytes']} bytes"


def give_up(app: App, message: bytes, reason: str) -> None:
    """Tell who asked that it was tried too often; nothing where the message names no request of ours."""
    try:
        name = parse_bundle_request(message)
    except EvidenceError:
        return
    request = _request(app, name)
    if request is not None and request["state"] in WAITING:
        _note(app, name, _ended(request, "failed", reason=reason))


def _ended(request: Json, state: str, **facts: Json) -> Json:
    """A request that needs nothing more."""
    return {**told(request), "state": state, "wanted": {**request["wanted"], **PERSONAL}, **facts}


def _build(app: App, name: str, wanted: Wanted, asked: datetime) -> dict[str, Json]:
    """Built at the second attempt, it is the same period as at the first: it ends by when it was asked for."""
    from shared.service.bundle import bundle  # of all functions, one alone needs it

    when = period_of(wanted.start, wanted.end, asked)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bundle.zip"
        try:
            info = bundle(
                reading(app.settings), when, file, resources=wanted.resources, framework=wanted.framework, disclose=wanted.disclose, about=wanted.object,
                now=lambda: asked,
            )  # fmt: skip
        except Unwritable:
            raise Misuse("it does not fit on the disk that an instance of this app has: ask for a shorter period, or for some resources, "
                         "or have its operator build it on another machine (aoai-evidence bundle)") from None  # fmt: skip
        put_file(app.settings, layout.built_bundle(name), file)
        with file.open("rb") as data:
            digest = hashlib.file_digest(data, "sha256").hexdigest()
        return {"bytes": info["bytes"], "sha256": digest, "records": info["records"], "sweeps": len(info["sweeps"])}


def period_of(start: str | None, end: str | None, now: datetime) -> Period | None:
    """The period that a request over HTTP names; None: all there is.

    Raises:
        Refused: it is none.
    """
    if not (start or end):
        return None
    try:
        return period(start, end, now)
    except Misuse as error:
        raise Refused(str(error).replace("--", "")) from None


def _request(app: App, name: str) -> dict[str, Json] | None:
    value: dict[str, Json] | None = json.loads(app.store.get(layout.bundle_request(name)) or b"null")
    return value


def _note(app: App, name: str, value: Json) -> None:
    app.store.put(layout.bundle_request(name), canonical(value))
