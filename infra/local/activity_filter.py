"""`$filter` of the Activity Log, read as strictly as Azure documents it: from, to, and at most one of four properties; any other syntax is refused.

Source: the description of `ActivityLogs - List` in azure-mgmt-monitor 7.0.0. That a start more than 90 days ago is refused, and not cut short, is
what users report (azure-cli #4885).
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

from infra.local.activity_log import KEPT, Event
from infra.local.activity_shape import correlation_of, group_of, provider_of
from infra.local.arm_errors import ArmError
from infra.local.wire import Response, json_bytes

_TERM = re.compile(r"\s*(\w+)\s+(ge|le|eq)\s+'([^']*)'\s*", re.IGNORECASE)
_PROPERTIES = ("resourcegroupname", "resourceuri", "resourceprovider", "correlationid")


class FilterError(ArmError):
    """400, in the older shape of Microsoft.Insights: no `error` around it."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "BadRequest", message)

    def response(self) -> Response:
        """The refusal as it goes over the wire."""
        return Response(self.status, json_bytes({"code": self.code, "message": self.message}))


@dataclass(frozen=True, slots=True)
class Filter:
    """What a query asks for. `value` in lower case; `name` empty: everything."""

    since: datetime
    until: datetime
    name: str = ""
    value: str = ""

    def matches(self, event: Event) -> bool:
        """Whether an event is asked for."""
        if not self.since <= event.at <= self.until:
            return False
        resource = event.operation.resource.lower()
        match self.name:
            case "resourcegroupname":
                return group_of(event).lower() == self.value
            case "resourceprovider":
                return provider_of(event).lower() == self.value
            case "correlationid":
                return correlation_of(event) == self.value
            case "resourceuri":
                return resource == self.value or resource.startswith(f"{self.value}/")
        return True


def read_filter(text: str, now: datetime) -> Filter:
    """Read a filter.

    Raises:
        FilterError: Azure would refuse it.
    """
    bounds: dict[str, datetime] = {}
    named: dict[str, str] = {}
    for term in re.split(r"\s+and\s+", text.strip(), flags=re.IGNORECASE) if text.strip() else ():
        match = _TERM.fullmatch(term)
        if match is None:
            raise FilterError("The $filter searching parameters are invalid.")
        name, operator, value = match[1].lower(), match[2].lower(), match[3]
        if name == "eventtimestamp" and operator in ("ge", "le") and operator not in bounds:
            bounds[operator] = _moment(value)
        elif name in _PROPERTIES and operator == "eq" and not named:
            named[name] = value.lower().rstrip("/")
        else:
            raise FilterError(f"The $filter searching parameters are invalid: {match[1]} {match[2]}.")
    if set(bounds) != {"ge", "le"}:
        raise FilterError("The $filter must contain eventTimestamp ge and eventTimestamp le.")
    if bounds["ge"] < now - KEPT:
        raise FilterError("The start time cannot be more than 90 days in the past.")
    if bounds["le"] < bounds["ge"]:
        raise FilterError("The end time cannot be before the start time.")
    name, value = next(iter(named.items()), ("", ""))
    return Filter(bounds["ge"], bounds["le"], name, value)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text))
    except ValueError:
        raise FilterError(f"'{text}' is not a time.") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
