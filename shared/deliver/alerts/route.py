"""Whom an alert concerns, and when he wants to be told: severity, controls, scopes, quiet hours, digests. Pure.

What is told is an *item*: `severity`, `resource` (or None), and `means`, each with `severity` and `control`; a change record with what it means
is one. Times of the day are those of a time zone, and of its clock as it is set on that day.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Literal
from zoneinfo import ZoneInfo

from shared.canonical import Json
from shared.model import SEVERITIES, Severity


@dataclass(frozen=True, slots=True)
class Route:
    """What one receiver is told, and when. Minutes are those since midnight."""

    severity: Severity = "medium"
    """The least that is told."""
    controls: tuple[str, ...] = ()
    """Empty: all, and what no control judges."""
    scopes: tuple[str, ...] = ()
    """Lower-cased ARM ids: what they name, and all that lies in it. Empty: everything."""
    alarms: bool = True
    """Whether it is told what the app itself has trouble with."""
    zone: str = "UTC"
    quiet: tuple[int, int] | None = None
    """From when to when nothing is sent, but what `through` lets through; over midnight where the end comes first."""
    through: Severity | None = "high"
    """From which severity on neither quiet hours nor a digest keep an alert back; None: they keep back everything."""
    digest: Literal["hourly", "daily"] | None = None
    digest_at: int = 8 * 60
    """Of a daily digest."""


def at_least(severity: Severity) -> tuple[Severity, ...]:
    """The severities from the worst down to this one."""
    return SEVERITIES[: SEVERITIES.index(severity) + 1]


def wanted(route: Route, items: Sequence[Json]) -> list[Json]:
    """The items that concern whoever has this route."""
    return [item for item in items if _in_scope(route, item["resource"]) and _matters(route, item)]


def _matters(route: Route, item: Json) -> bool:
    severe = at_least(route.severity)
    if not route.controls:
        return item["severity"] in severe
    return any(mean["severity"] in severe and mean["control"] in route.controls for mean in item["means"])


def _in_scope(route: Route, resource: str | None) -> bool:
    about = resource or ""
    return not route.scopes or any(about == scope or about.startswith(f"{scope}/") for scope in route.scopes)


def breaks_through(route: Route, severity: Severity) -> bool:
    """Whether what is so severe is sent at once, whatever the hour."""
    return route.through is not None and severity in at_least(route.through)


def is_quiet(route: Route, now: datetime) -> bool:
    """Whether it is within the quiet hours."""
    if route.quiet is None:
        return False
    local = now.astimezone(_zone(route))
    minute, (start, end) = local.hour * 60 + local.minute, route.quiet
    return start <= minute < end if start < end else minute >= start or minute < end


def last_digest(route: Route, now: datetime) -> datetime:
    """The last moment, up to now, at which a digest was due."""
    if route.digest == "hourly":
        return now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    zone = _zone(route)
    day = now.astimezone(zone).date()
    due = datetime.combine(day, time(route.digest_at // 60, route.digest_at % 60), zone)
    if due > now:
        due = datetime.combine(day - timedelta(days=1), due.time(), zone)
    return due.astimezone(UTC)


def _zone(route: Route) -> tzinfo:
    return UTC if route.zone == "UTC" else ZoneInfo(route.zone)
