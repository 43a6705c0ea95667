"""What is not drift: differences between two answers that nobody made, field by field, each with its reason. Anything not listed is drift.

Also by what the members of a list are told apart, so that a list in another order is the same list.
"""

from dataclasses import dataclass
from typing import Final

from shared.canonical import Json
from shared.judge.location import region_key

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Noise:
    """A field whose change means nothing. `kind` is that of the question, or `*`; in `path`, `*` stands for any one segment."""

    kind: str
    path: Path
    why: str
    between: frozenset[str] = frozenset()
    """If not empty: noise only where both values are among these."""


_BY_PROVIDER: Final = "a limit that the provider moves by load and region; nobody configures it"
_TOUCHED: Final = "moves with every write, also one that changes nothing; what changed is a field of its own"
_SETTLING: Final = frozenset({"accepted", "creating", "moving", "resolvingdns", "running", "succeeded", "updating"})

NOISE: Final[tuple[Noise, ...]] = (
    Noise("*", ("etag",), "a new one comes with every write, also one that changes nothing"),
    Noise("*", ("systemData", "lastModifiedAt"), _TOUCHED),
    Noise("*", ("systemData", "lastModifiedBy"), _TOUCHED),
    Noise("*", ("systemData", "lastModifiedByType"), _TOUCHED),
    Noise("roleAssignments", ("properties", "updatedOn"), _TOUCHED),
    Noise("roleAssignments", ("properties", "updatedBy"), _TOUCHED),
    Noise("*", ("properties", "callRateLimit", "count"), _BY_PROVIDER),
    Noise("*", ("properties", "callRateLimit", "renewalPeriod"), _BY_PROVIDER),
    Noise("*", ("properties", "callRateLimit", "rules", "*", "count"), _BY_PROVIDER),
    Noise("*", ("properties", "callRateLimit", "rules", "*", "renewalPeriod"), _BY_PROVIDER),
    Noise("*", ("properties", "model", "callRateLimit", "rules", "*", "count"), _BY_PROVIDER),
    Noise("*", ("properties", "model", "callRateLimit", "rules", "*", "renewalPeriod"), _BY_PROVIDER),
    Noise("*", ("currentValue",), "a counter of use"),
    Noise("*", ("nextResetTime",), "moves with the clock"),
    Noise("*", ("nextLink",), "where the next page was, which is a matter of paging"),
    Noise(
        "*",
        ("properties", "provisioningState"),
        "on the way between two settled states; failed, disabled and deleting are drift",
        _SETTLING,
    ),
)

CASELESS: Final[tuple[tuple[str, str], ...]] = (
    ("id", "Azure echoes ids in the casing of whoever asked or wrote"),
    ("type", "the casing of resource types differs between api-versions"),
    ("location", "Azure echoes a location in the casing, and with the spaces, that it was given in"),
)
"""Fields compared without regard to casing, and why; so is every value that is an ARM id, wherever it stands."""

IDENTITY: Final[dict[str, Path]] = {
    "capabilities": ("name",),
    "contentFilters": ("name", "source"),
    "customBlocklists": ("blocklistName", "source"),
    "ipRules": ("value",),
    "virtualNetworkRules": ("id",),
    "logs": ("category", "categoryGroup"),
    "metrics": ("category", "categoryGroup"),
    "rules": ("key",),
    "matchPatterns": ("path", "method"),
    "rateLimits": ("key",),
    "userOwnedStorage": ("resourceId",),
    "networkInjections": ("scenario",),
    "regions": ("name",),
    "commitmentPlanAssociations": ("commitmentPlanId",),
    "pairedRegion": ("name",),
    "availabilityZoneMappings": ("logicalZone",),
    "skus": ("name", "usageName"),
    "models": ("format", "name", "version"),
    "chain": ("sha256",),
}
"""By what members of a list are told apart: by the list's field or, of a whole answer, its kind. Others: `id`, `name`, `key`, position."""

UNORDERED: Final[dict[str, str]] = {
    "allowedFqdnList": "a set of hosts",
    "associatedProjects": "a set of projects",
    "groupIds": "a set of groups",
    "sharedUserList": "a set of users",
    "modelAllowList": "a set of models",
    "threadStorageConnections": "a set of connections",
    "storageConnections": "a set of connections",
    "vectorStoreConnections": "a set of connections",
    "aiServicesConnections": "a set of connections",
    "managedByTenants": "a set of tenants",
}
"""Lists of plain values in which the order means nothing, and why."""


def is_noise(kind: str, path: Path, was: Json, is_: Json) -> bool:
    """Whether a difference at `path`, within an answer or a member of a list, means nothing."""
    return any(row.kind in ("*", kind) and _fits(row.path, path) and (not row.between or _between(row.between, was, is_)) for row in NOISE)


def _fits(pattern: Path, path: Path) -> bool:
    return len(pattern) == len(path) and all(wanted in ("*", name) for wanted, name in zip(pattern, path, strict=True))


def _between(states: frozenset[str], was: Json, is_: Json) -> bool:
    return isinstance(was, str) and isinstance(is_, str) and was.casefold() in states and is_.casefold() in states


_FOLDED_FIELDS: Final = frozenset(name for name, _ in CASELESS)


def same_but_for_casing(path: Path, was: str, is_: str) -> bool:
    """Whether two strings differ only in casing where casing means nothing."""
    if path and path[-1] == "location":
        return region_key(was) == region_key(is_)
    caseless = bool(path) and path[-1] in _FOLDED_FIELDS
    return (caseless or was.casefold().startswith("/subscriptions/")) and was.casefold() == is_.casefold()
