"""What an auditor's view is limited to: resources, a period, and until when it is given. Values, and how people write them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from shared.canonical import Json
from shared.errors import Misuse
from shared.records import timestamp
from shared.service.queries import instant, period

ALWAYS = datetime.max.replace(tzinfo=UTC)
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

_ID = re.compile(r"/subscriptions/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}(?:/[^\s/;,]+)*")
_OBJECT = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PARTS = frozenset(("resources", "from", "to", "expires"))


@dataclass(frozen=True, slots=True)
class Limits:
    """All that a view shows."""

    resources: tuple[str, ...] | None
    """Lower-cased ARM ids of subscriptions, resource groups or resources, each with all that lies in it; None: every one."""
    start: datetime
    end: datetime
    """Sweeps planned from `start` on and before `end`."""
    expires: datetime
    """From then on it shows nothing."""

    def holds(self, resource: Json) -> bool:
        """Whether a resource, an id or none, is within."""
        if self.resources is None:
            return True
        return isinstance(resource, str) and any(resource.lower() == one or resource.lower().startswith(f"{one}/") for one in self.resources)

    def above(self, resource: Json) -> bool:
        """Whether it is a subscription that something within lies in."""
        return self.resources is not None and any(one == resource or one.startswith(f"{resource}/") for one in self.resources)

    def expired(self, now: datetime) -> str | None:
        """The sentence that refuses, once it has expired."""
        if now < self.expires:
            return None
        return f"This access expired on {_minute(self.expires)} UTC: ask whoever gave it to you for another."

    def words(self) -> str:
        """What the view is limited to, for people."""
        what = ", ".join(self.resources) if self.resources is not None else "everything"
        since = f" from {_minute(self.start)} on" if self.start > BEGINNING else ""
        before = f"{' and' if since else ''} before {_minute(self.end)}" if self.end < ALWAYS else ""
        when = f", in sweeps planned{since}{before} (UTC)" if since or before else ""
        until = f" It ends on {_minute(self.expires)} UTC." if self.expires < ALWAYS else ""
        return f"It shows {what}{when}, and nothing of anything else.{until}"


def limits(resources: Sequence[str], start: str | None, end: str | None, expires: str | None, now: datetime) -> Limits:
    """Limits as people write them; None and nothing limit nothing.

    Raises:
        Misuse: an id, a time or the period is none.
    """
    for one in resources:
        if not _ID.fullmatch(one.lower().rstrip("/")):
            raise Misuse(f"{one!r} is no ARM id: write /subscriptions/ID, with /resourceGroups/NAME and so on where it is less than that")
    when = period(start, end, now) if start or end else None
    return Limits(
        tuple(dict.fromkeys(one.lower().rstrip("/") for one in resources)) or None,
        when.start if when and start else BEGINNING,
        when.end if when and end else ALWAYS,
        instant(expires, "expires") if expires else ALWAYS,
    )


def declared(text: str, object_id: str | None, now: datetime) -> Limits | None:
    """What the setting EVIDENCE_AUDITORS declares for somebody; None where it names them not.

    An entry is `OBJECT-ID resources=ID,ID from=DATE to=DATE expires=DATE`, each part needed; entries are separated by `;` or lines.

    Raises:
        Misuse: an entry is not as it must be. Then nobody has a limited view.
    """
    found: dict[str, Limits] = {}
    for entry in filter(None, (part.strip() for part in re.split(r"[;\n]", text))):
        name, *rest = entry.split()
        parts = dict(part.split("=", 1) for part in rest if "=" in part)
        if not _OBJECT.fullmatch(name.lower()) or parts.keys() != _PARTS or not all(parts.values()) or len(rest) != len(_PARTS) or name.lower() in found:
            raise Misuse(
                f"EVIDENCE_AUDITORS: {entry[:60]!r} is not OBJECT-ID resources=ID,ID from=DATE to=DATE expires=DATE, each person once, separated by semicolons"
            )
        found[name.lower()] = limits(parts["resources"].split(","), parts["from"], parts["to"], parts["expires"], now)
    return found.get((object_id or "").lower())


def _minute(moment: datetime) -> str:
    return timestamp(moment)[:16].replace("T", " ")
