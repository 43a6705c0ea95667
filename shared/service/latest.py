"""The latest answers about each unit: what the next sweep's changes are measured against, and what `resources` shows.

They are hints in `state/unit/`. Where one is lost or torn, they are read again from the sweeps that were closed last, so that a loss of
hints hides no change. Leaves out: answers that are older than `LOOK_BACK` sweeps.
"""

import json
import threading
from dataclasses import dataclass, field
from typing import NamedTuple

from shared import layout
from shared.canonical import Json, canonical
from shared.collect.endpoints import UNCOMPARED
from shared.seal.log import Log, open_log
from shared.seal.sequencer import batch_lines
from shared.seal.store import Store, read_hint
from shared.service import state

_WAITING = "changes"
"""Beside the answers: the unit's changes that more may be said about. No question has this name."""

LOOK_BACK = 8
"""Sweeps that are looked through for the answers about a unit of which nothing is remembered: a new one costs as many look-ups."""


class _Closed(NamedTuple):
    """A closed sweep, as far as it is needed to find answers in it."""

    units: dict[str, list[int]]
    planned: dict[str, list[tuple[int, Json]]]
    """Answers of planning, by the unit that they belong to."""


@dataclass(slots=True)
class LatestAnswers:
    """The latest answers in one store. For use during one sweep, or one question."""

    store: Store
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _log: Log | None = None
    _names: list[tuple[str, int]] | None = None
    """The sweeps to look through, the newest first: name, and index of the closing record."""
    _read: dict[int, _Closed] = field(default_factory=dict)

    def of(self, unit: str) -> dict[str, Json]:
        """By question and resource, `{"record","at","pages":[digest…]}`, of one about a window also `to`; empty where there are none.

        Raises:
            StoreConflict: they must be read from the log, and it is not what was sealed.
        """
        return self.kept(unit)[0]

    def kept(self, unit: str) -> tuple[dict[str, Json], Json]:
        """The same, and what was kept with them of changes that more may be said about; None where that was lost."""
        found = read_hint(self.store, layout.unit_state(unit))
        waiting = found.pop(_WAITING, None)
        return found if found and all(map(_is_answer, found.values())) else self._again(unit), waiting

    def remember(self, unit: str, answers: dict[str, Json], waiting: Json = None) -> None:
        """Keep the latest answers about a unit, and what waits of its changes."""
        self.store.put(layout.unit_state(unit), canonical({**answers, **({_WAITING: waiting} if waiting else {})}))

    def _again(self, unit: str) -> dict[str, Json]:
        found: dict[str, Json] = {}
        failed: set[str] = set()
        for sweep, index in self._last_closed():
            path = layout.batch(sweep, unit)
            data = self.store.get(path)
            closed = self._closed(sweep, index) if data is not None else None
            if data is None or closed is None or unit not in closed.units:
                continue
            own = [(closed.units[unit][0] + position, json.loads(line)) for position, line in enumerate(batch_lines(data, path))]
            for record, value in closed.planned.get(unit, []) + own:
                key = answer_key(value["kind"], value["resource"])
                if key in found or value["type"] not in ("observation", "failure") or not _is_kept(value):
                    continue
                if value["type"] == "failure":
                    failed.add(key)
                elif "window" in value:
                    if follows(value):
                        found[key] = answer_until(record, value)
                    else:
                        failed.add(key)
                else:
                    found[key] = answer_state(record, value["at"], [page["sha256"] for page in value["pages"]])
            if not failed - found.keys():
                break  # a question that failed, or was asked about an event alone, may have been answered before
        return found

    def _last_closed(self) -> list[tuple[str, int]]:
        with self._lock:
            if self._names is None:
                self._log = open_log(self.store)
                last = state.summaries(self.store, self._log)[-LOOK_BACK:]
                self._names = [(summary["sweep"], summary["closed_record"]) for summary in reversed(last)]
            return self._names

    def _closed(self, sweep: str, index: int) -> _Closed:
        if index not in self._read:
            assert self._log is not None
            closing = state.read_closing(self.store, self._log, index)
            planned: dict[str, list[tuple[int, Json]]] = {}
            path = layout.batch(sweep, layout.PLAN)
            for position, line in enumerate(batch_lines(self.store.get(path) or b"", path)):
                value = json.loads(line)
                if value["type"] in ("observation", "failure"):
                    planned.setdefault(value["unit"], []).append((closing["units"][layout.PLAN][0] + position, value))
            self._read[index] = _Closed(closing["units"], planned)
        return self._read[index]


def answer_key(kind: str, resource: str | None) -> str:
    """The name under which an answer is remembered."""
    return f"{kind} {resource or ''}"


def answer_state(record: int, at: str, digests: list[str]) -> Json:
    """What is remembered of an answer."""
    return {"record": record, "at": at, "pages": digests}


def follows(observation: Json) -> bool:
    """Whether the next window begins where that of an answer ended: not where that was a narrow one, because of an event."""
    return "window" in observation and "around" not in observation["window"]


def answer_until(record: int, observation: Json) -> Json:
    """What is remembered of an answer about a window of time: how far it goes, since the next one begins there."""
    return {**answer_state(record, observation["at"], []), "to": observation["window"]["to"]}


def _is_kept(value: Json) -> bool:
    return value["kind"] not in UNCOMPARED or "window" in value


def _is_answer(value: Json) -> bool:
    return isinstance(value, dict) and {"record", "at", "pages"} <= value.keys() and isinstance(value["pages"], list)
