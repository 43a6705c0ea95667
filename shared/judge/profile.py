"""What an organisation expects of its resources: values that are sealed, and by which the verifier judges again.

A profile holds a value for every key (defaults filled in), which of them were declared, and overrides for a subscription, a
resource group or a resource with all that lies in it. The nearer override wins. `shared.judge.profile_text` reads it from TOML.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.accept import NotAcceptedError, accept, to_json
from shared.judge.expectation import BY_PATH, DEFAULTS, Expectation, Value

LEVELS: Final = ("subscription", "resource_group", "resource")
"""From the widest to the nearest."""

Pairs = tuple[tuple[str, Value], ...]


@dataclass(frozen=True, slots=True, order=True)
class Override:
    """Values for everything at and below one ARM id."""

    rank: int
    """Position of its level in `LEVELS`."""
    target: str
    """Lower-cased ARM id."""
    declared: Pairs = field(compare=True)

    @property
    def level(self) -> str:
        """What sort of thing it is for."""
        return LEVELS[self.rank]

    def covers(self, resource: str) -> bool:
        """Whether `resource` is the target or lies in it."""
        return resource == self.target or resource.startswith(f"{self.target}/")


@dataclass(frozen=True, slots=True)
class Profile:
    """A whole profile. Equal profiles have equal canonical forms."""

    values: Pairs = tuple(sorted(DEFAULTS.items()))
    """Every key's value in force, sorted by path."""
    declared: tuple[str, ...] = ()
    """Paths that the profile itself states, sorted."""
    overrides: tuple[Override, ...] = ()
    """Sorted: of two that cover the same resource, the nearer comes later."""


DEFAULT: Final = Profile()
"""What holds where no profile is given."""


def effective(profile: Profile, resource: str | None) -> Expectation:
    """What is expected of `resource` (a lower-cased ARM id; None for the sweep itself)."""
    if not profile.overrides or resource is None:
        return _merged(profile, ())
    return _merged(profile, tuple(i for i, override in enumerate(profile.overrides) if override.covers(resource)))


@lru_cache(maxsize=1024)
def _merged(profile: Profile, matching: tuple[int, ...]) -> Expectation:
    values = dict(profile.values)
    sources = dict.fromkeys(profile.declared, "profile")
    for number in matching:
        override = profile.overrides[number]
        for path, value in override.declared:
            values[path] = value
            sources[path] = override.level.replace("_", " ")
    return Expectation(values, sources)


def canonical_profile(profile: Profile) -> dict[str, Json]:
    """The profile as JSON, defaults filled in: what is sealed, and what `from_canonical` gives back."""
    return {
        "v": 1,
        "expect": _as_json(profile.values),
        "declared": list(profile.declared),
        "overrides": [{"level": o.level, "id": o.target, "expect": _as_json(o.declared)} for o in profile.overrides],
    }


def _as_json(pairs: Pairs) -> dict[str, Json]:
    return {path: to_json(BY_PATH[path], value) for path, value in pairs}


def from_canonical(sealed: Json) -> Profile:
    """The profile that `canonical_profile` wrote.

    Raises:
        Misuse: it is not one, or of a later version of this program.
    """
    if not isinstance(sealed, dict) or sealed.get("v") != 1:
        raise Misuse("the sealed profile is of a version that this program does not know: use a later one")
    declared, overrides = sealed.get("declared"), sealed.get("overrides")
    if not isinstance(declared, list) or not isinstance(overrides, list) or not all(isinstance(path, str) for path in declared):
        raise Misuse("the sealed profile is malformed: `declared` and `overrides` must be lists")
    values = {**DEFAULTS, **dict(_from_json(sealed.get("expect")))}
    return Profile(
        tuple(sorted(values.items())),
        tuple(sorted(set(declared) & set(BY_PATH))),
        tuple(sorted(_sealed_override(override) for override in overrides)),
    )


def _sealed_override(sealed: Json) -> Override:
    level = sealed.get("level") if isinstance(sealed, dict) else None
    target = sealed.get("id") if isinstance(sealed, dict) else None
    if level not in LEVELS or not isinstance(target, str):
        raise Misuse("the sealed profile is malformed: an override names no level or id")
    return Override(LEVELS.index(level), target, tuple(sorted(_from_json(sealed.get("expect")))))


def _from_json(expect: Json) -> Pairs:
    if not isinstance(expect, Mapping):
        raise Misuse("the sealed profile is malformed: `expect` must be an object")
    found: list[tuple[str, Value]] = []
    for path, raw in expect.items():
        if path not in BY_PATH:
            raise Misuse(f"the sealed profile has the key {path!r}, which this version does not know: use a later one")
        try:
            found.append((path, accept(BY_PATH[path], raw)))
        except NotAcceptedError as wrong:
            raise Misuse(f"the sealed profile is malformed at {path}: {wrong.message}") from wrong
    return tuple(found)
