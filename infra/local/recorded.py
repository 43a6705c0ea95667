"""A world made of recorded real answers: `{"request":{"method","uri"},"response":{"status","body"}}`, one a file.

The folder is not part of this repository. What was recorded is served under the recorded addresses, whatever api-version is asked;
what was not recorded is an empty list. An account stands with the body it has in the newest list that shows it. Bodies are parsed and
written again: byte for byte they are not Azure's. Endpoints are left as they were, on openai.azure.com: whoever probes
endpoints points them elsewhere first.
"""

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from infra.local.clock import real_time
from infra.local.ids import subscription_of
from infra.local.world import World

Json = Any

_LISTS = ("deployments", "projects", "connections", "diagnosticsettings", "raipolicies", "capabilityhosts")


class Recording(NamedTuple):
    """One recorded list answer."""

    at: datetime
    path: str
    value: list[Json]


def recorded_world(folder: Path, now: Callable[[], datetime] = real_time) -> World:
    """The world that the recordings in `folder` (and below it) show.

    Raises:
        FileNotFoundError: no recording there.
    """
    recordings = sorted(_recordings(folder), key=lambda recording: (recording.at, recording.path))
    if not recordings:
        raise FileNotFoundError(f"no recorded answers in {folder}")
    world = World(now)
    for recording in recordings:
        subscription = subscription_of(recording.path)
        if subscription is not None and subscription not in world.subscriptions:
            world.add_subscription(subscription, "recorded")
        if recording.path.lower().endswith("/providers/microsoft.cognitiveservices/accounts"):
            _take_accounts(world, recording)
    for recording in recordings:
        if recording.path.lower().rpartition("/")[2] in _LISTS:
            with world.changing():
                for body in recording.value:
                    world.resources.put(f"{recording.path}/{str(body['id']).rpartition('/')[2]}", body)
    _take_locations(world, folder)
    return world


def _recordings(folder: Path) -> Iterator[Recording]:
    for path in folder.rglob("*.json"):
        try:
            held = json.loads(path.read_bytes())
            request, response = held["request"], held["response"]
            value = response["body"]["value"]
        except (ValueError, KeyError, TypeError):
            continue  # the folder holds other examples too
        if request["method"] == "GET" and response["status"] == 200 and isinstance(value, list):
            date = response.get("headers", {}).get("date", ["Thu, 01 Jan 2015 00:00:00 GMT"])[0]
            yield Recording(parsedate_to_datetime(date), unquote(urlsplit(request["uri"]).path).rstrip("/"), value)


def _take_accounts(world: World, recording: Recording) -> None:
    with world.changing():
        for body in recording.value:
            world.adopt_account(body["id"], "recorded", body)


def _take_locations(world: World, folder: Path) -> None:
    """The recorded regions, for any subscription; the stand-in's own where none were recorded."""
    found = sorted(folder.rglob("subscriptions_locations_list_response.json"))
    if found:
        text = found[0].read_text("utf-8")
        guid = subscription_of(json.loads(text)["value"][0]["id"]) or ""
        world.location_rows = lambda subscription: json.loads(text.replace(guid, subscription))["value"]
