"""Bundles that a portal is asked for: on this machine one after another in a thread, into a folder that ends with the portal."""

import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from shared.canonical import Json
from shared.errors import EvidenceError, Refused
from shared.records import timestamp
from shared.service.bundle import bundle
from shared.service.compose import Clock, random_bytes
from shared.service.queries import Reading
from shared.service.steps.bundle import WAITING, Wanted, period_of, told

MOST_WAITING = 4
"""Bundles that may wait at once: a form that is sent again and again fills no disk."""


class Bundles(Protocol):
    """What a portal needs of whatever builds bundles."""

    def ask(self, wanted: Wanted, by: str | None) -> str:
        """Note a request; return its name."""

    def look(self, name: str) -> Json | None:
        """How far a request is, as `steps.bundle.look` has it, perhaps with `progress`; None where there is none."""

    def file(self, name: str) -> Path | None:
        """What was built, where it is on this machine."""

    def listed(self) -> list[tuple[str, str]]:
        """(name, state) of those that were asked for here, the newest first."""


@dataclass(slots=True)
class LocalBundles:
    """Builds into `folder`, which its owner takes away."""

    opened: Callable[[], Reading]
    now: Clock
    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _building: threading.Lock = field(default_factory=threading.Lock)
    _requests: dict[str, dict[str, Json]] = field(default_factory=dict)

    def ask(self, wanted: Wanted, by: str | None) -> str:
        """Note a request and begin to build it.

        Raises:
            Refused: the period is none, or too many wait.
        """
        now = self.now()
        period_of(wanted.start, wanted.end, now)
        name = f"{now:%Y%m%dT%H%M%SZ}-{random_bytes(8).hex()}"
        with self._lock:
            if sum(one["state"] in WAITING for one in self._requests.values()) >= MOST_WAITING:
                raise Refused(f"{MOST_WAITING} bundles are waiting to be built: wait until one is")
            self._requests[name] = {"id": name, **told({"state": "queued", "asked": timestamp(now), "by": by, "wanted": wanted.as_json()})}
        threading.Thread(target=self._build, args=(name, wanted), daemon=True).start()
        return name

    def look(self, name: str) -> Json | None:
        """How far a request is."""
        with self._lock:
            found = self._requests.get(name)
            return dict(found) if found is not None else None

    def file(self, name: str) -> Path | None:
        """The bundle, where it is built."""
        found = self.look(name)
        return self._path(name) if found is not None and found["state"] == "built" else None

    def listed(self) -> list[tuple[str, str]]:
        """Those that were asked for since the portal began."""
        with self._lock:
            return [(name, str(one["state"])) for name, one in reversed(self._requests.items())]

    def _path(self, name: str) -> Path:
        return self.folder / f"{name}.zip"

    def _note(self, name: str, **facts: Json) -> None:
        with self._lock:
            self._requests[name] |= facts

    def _build(self, name: str, wanted: Wanted) -> None:
        def progress(step: str, done: int, total: int) -> None:
            self._note(name, progress={"step": step, "done": done, "total": total})

        with self._building:
            self._note(name, state="building")
            try:
                when = period_of(wanted.start, wanted.end, self.now())
                made = bundle(
                    self.opened(), when, self._path(name), resources=wanted.resources, framework=wanted.framework, disclose=wanted.disclose,
                    about=wanted.object, progress=progress, now=self.now,
                )  # fmt: skip
                with self._path(name).open("rb") as data:
                    digest = hashlib.file_digest(data, "sha256").hexdigest()
            except (EvidenceError, OSError) as error:
                self._note(name, state="failed", reason=str(error))
                return
            self._note(name, state="built", bytes=made["bytes"], sha256=digest, records=made["records"], sweeps=len(made["sweeps"]))
