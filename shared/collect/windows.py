"""Windows of time in which logs are asked for: from where, to when, and after which answer. Pure.

A question with a window goes back a little before where the last answered one ended, since entries come late: Azure Monitor says 3 to 20
minutes of the Activity Log; resource logs are asked for by when they were ingested, so only the clocks have to agree. Without an answer
before, or one too long ago, it goes back as far as Azure keeps the Activity Log: 90 days, less a margin, since Azure refuses a time that
has left its 90 days between planning and asking ("The start time cannot be more than 90 days in the past").
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from shared.canonical import Json
from shared.records import moment, timestamp

REACH = timedelta(days=89)
"""How far the first window goes back."""

OVERLAP = {
    "activityLog": timedelta(hours=6),
    "activityLogInsights": timedelta(hours=6),
    "activityLogAuthorization": timedelta(hours=6),
    "resourceLogDeletions": timedelta(minutes=10),
    "resourceLogOperations": timedelta(minutes=10),
}
"""The questions that have a window, and how far each goes back before the end of the one before."""

ACTIVITY_LOG = ("activityLog", "activityLogInsights", "activityLogAuthorization")
"""Those to the Activity Log."""

BEFORE_EVENT = timedelta(minutes=15)
"""How far before an event a narrow window begins: an operation is begun before Azure tells of its end."""


@dataclass(frozen=True, slots=True)
class Window:
    """From and to, both included, as records write times; and the answer before: `{"record","to"}`, None where none is known."""

    start: str
    end: str
    previous: Json = None
    around: str | None = None
    """The time of the event because of which it is narrow: such a window follows no answer, and none follows it."""

    def as_json(self) -> Json:
        """As records have it."""
        narrow = {"around": self.around} if self.around is not None else {}
        return {"from": self.start, "to": self.end, "previous": self.previous, **narrow}


def widest(planned_at: str) -> Json:
    """`{"from","to"}` of every question with a window that has no answer before: what a plan says once for all of them."""
    return {"from": timestamp(moment(planned_at) - REACH), "to": planned_at}


def after(kind: str, resource: str, previous: Json, planned_at: str) -> Json:
    """The window that follows `previous`, as a plan lists it: `{"kind","resource","from","previous"}`; it ends with the plan."""
    at = moment(planned_at)
    # A clock that was set back must not turn the window round.
    start = max(min(moment(previous["to"]), at) - OVERLAP[kind], at - REACH)
    return {"kind": kind, "resource": resource, "from": timestamp(start), "previous": previous}


def around(kind: str, resource: str, event_at: str, planned_at: str) -> Json:
    """The narrow window because of an event, as a plan lists it: from a little before the event to the plan.

    Azure's Activity Log is minutes late, so it may not have the operation yet; the next sweep of everything goes back hours, past it.
    """
    at = moment(planned_at)
    start = max(min(moment(event_at), at) - BEFORE_EVENT, at - REACH)
    return {"kind": kind, "resource": resource, "from": timestamp(start), "previous": None, "around": event_at}


def window_of(kind: str, resource: str, listed: Iterable[Json], widest: Json) -> Window | None:
    """The window of a question, given what its unit lists in the plan and the plan's widest one; None: it has none."""
    if kind not in OVERLAP or widest is None:
        return None
    for known in listed:
        if known["kind"] == kind and known["resource"] == resource.lower():
            return Window(known["from"], widest["to"], known["previous"], known.get("around"))
    return Window(widest["from"], widest["to"])


def previous_of(kind: str, state: Json, planned_at: str) -> Json:
    """`{"record","to"}` out of what is remembered of an answer; None where there is none that can be followed.

    One that ended long after now was asked for by a clock that ran ahead: how far it reached is not known.
    """
    to, record = (state.get("to"), state.get("record")) if isinstance(state, dict) else (None, None)
    if kind not in OVERLAP or not isinstance(to, str) or not isinstance(record, int):
        return None
    try:
        ahead = moment(to) - moment(planned_at)
    except ValueError:
        return None
    return {"record": record, "to": to} if ahead <= OVERLAP[kind] else None
