"""The portal in the function app: the same desk, with bundles that are built by the queue."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared import layout
from shared.canonical import Json
from shared.service.limits import Limits
from shared.service.portal.desk import Desk
from shared.service.queries import reading
from shared.service.steps import bundle as steps
from shared.service.steps.bundle import Wanted

if TYPE_CHECKING:
    from shared.service.steps.app import App

BASE = "/api/portal/"
LISTED = 20
"""Requests that the form lists, the newest."""


@dataclass(slots=True)
class QueuedBundles:
    """What `shared.service.steps.bundle` does, as the portal asks for it."""

    app: "App"

    def ask(self, wanted: Wanted, by: str | None) -> str:
        """Note a request and queue it; return its name."""
        return steps.ask(self.app, wanted, by)

    def look(self, name: str) -> Json | None:
        """How far a request is, with a link where it is built."""
        return steps.look(self.app, name)

    def file(self, name: str) -> Path | None:  # noqa: ARG002 - what is built lies in the account: `look` has a link to it
        """Nothing: it is not on this machine."""
        return None

    def listed(self) -> list[tuple[str, str]]:
        """(name, state) of the newest, as it was noted: whether what was built is still kept, its page says."""
        store = self.app.store
        paths = sorted(store.list(layout.BUNDLE_REQUESTS), reverse=True)[:LISTED]
        found = ((path, json.loads(store.get(path) or b"null")) for path in paths)
        return [(path.removeprefix(layout.BUNDLE_REQUESTS).removesuffix(".json"), str(one["state"])) for path, one in found if one]


def desk_for(app: "App", limits: Limits | None) -> Desk:
    """The desk of this process for callers whose view has these limits."""
    return Desk(app.within(limits) if limits is not None else lambda: reading(app.settings), app.now, QueuedBundles(app), BASE)
