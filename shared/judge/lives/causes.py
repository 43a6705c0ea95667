"""Why Azure may have removed an object by itself: rules of the service, and whether one of them was due. Pure.

Sources (Microsoft Learn, read for 2026): files and batches, `expires_after`; vector stores and containers, inactivity; DeveloperTier, 24
hours; deployments of customised models, 15 days without use. Whether any log tells of these removals is documented nowhere.
"""

from datetime import timedelta
from typing import Final, NamedTuple

from shared.canonical import Json
from shared.judge.lives.kinds import CONTAINER, DEPLOYMENT, FILE, STORE, Kind
from shared.judge.lives.times import CLOCKS, plus, when

DEVELOPER_TIER: Final = timedelta(hours=24)
IDLE: Final = timedelta(days=15)
SOFT_DELETED: Final = timedelta(hours=48)
"""How long a deleted account can be restored."""

SENTENCES: Final = {
    "expired": "it was due to expire",
    "developer-tier": "Azure removes deployments of the type DeveloperTier 24 hours after they were made",
    "idle": "Azure may have removed it after 15 days without use, which cannot be seen",
}


class Expiry(NamedTuple):
    """A rule that was due."""

    cause: str
    at: str
    """From when on."""


def expiry(kind: Kind, item: dict[str, Json], created: str | None, before: str) -> Expiry | None:
    """The rule by which Azure may have removed a listed object by `before`; None where none was due."""
    if kind is DEPLOYMENT:
        return _deployment(item, created, before)
    at = when(item.get("expires_at"))
    after = item.get("expires_after")
    if at is None and kind in (STORE, CONTAINER) and isinstance(after, dict):
        active, left = when(item.get("last_active_at")), _length(after)
        at = plus(active, left) if active is not None and left is not None else None
    if kind not in (FILE, STORE, CONTAINER) or at is None or at > plus(before, CLOCKS):
        return None  # a batch has expires_at too: the end of its window, not of itself
    return Expiry("expired", at)


def _length(after: dict[str, Json]) -> timedelta | None:
    for unit in ("days", "minutes", "seconds"):
        value = after.get(unit)
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9:
            return timedelta(**{unit: value})
    return None


def _deployment(item: dict[str, Json], created: str | None, before: str) -> Expiry | None:
    if created is None:
        return None
    sku = item.get("sku")
    name = sku.get("name") if isinstance(sku, dict) else None
    if isinstance(name, str) and name.casefold() == "developertier":
        due = plus(created, DEVELOPER_TIER)
        return Expiry("developer-tier", due) if due <= plus(before, CLOCKS) else None
    properties = item.get("properties")
    model = properties.get("model") if isinstance(properties, dict) else None
    tuned = isinstance(model, dict) and (".ft-" in str(model.get("name")).casefold() or "source" in model or "sourceAccount" in model)
    due = plus(created, IDLE)
    return Expiry("idle", due) if tuned and due <= plus(before, CLOCKS) else None
