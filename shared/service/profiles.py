"""The use-case `profile check`: is the file a profile, and what does it expect of one resource, by which of its rules?"""

from dataclasses import dataclass

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.accept import to_json
from shared.judge.expectation import BY_PATH, KEYS
from shared.judge.profile import Override, Profile, effective
from shared.service.compose import ProfileInForce


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides one key for a resource."""

    key: str
    value: Json
    source: str
    """`default`, `profile`, or the override: `subscription ID`, `resource group ID`, `resource ID`."""
    beside: tuple[str, ...]
    """The rules that say something else of the key and lose: the default, the profile, wider overrides."""


def explain(profile: Profile, resource: str) -> list[Rule]:
    """What is expected of a resource, key by key, and which rule decides it.

    Raises:
        Misuse: `resource` is no ARM id.
    """
    target = resource.lower().rstrip("/")
    if not target.startswith("/subscriptions/"):
        raise Misuse(f"--resource {resource!r} is not an ARM id: it begins with /subscriptions/, as `az resource list --query [].id` prints it")
    expect = effective(profile, target)
    covering = [override for override in profile.overrides if override.covers(target)]
    return [_rule(profile, covering, key.path, expect.values[key.path]) for key in KEYS]


def _rule(profile: Profile, covering: list[Override], path: str, value: object) -> Rule:
    said = [("default", BY_PATH[path].default)]
    if path in profile.declared:
        said.append(("profile", dict(profile.values)[path]))
    said += [(f"{override.level.replace('_', ' ')} {override.target}", dict(override.declared)[path]) for override in covering if path in dict(override.declared)]
    source, decided = said[-1]
    assert decided == value
    losing = tuple(f"{name}: {_word(path, other)}" for name, other in said[:-1] if other != decided)
    return Rule(path, to_json(BY_PATH[path], decided), source, losing)


def _word(path: str, value: object) -> str:
    found = to_json(BY_PATH[path], value)  # type: ignore[arg-type]
    return found if isinstance(found, str) else str(found)


def summary(found: ProfileInForce) -> Json:
    """What a profile is, without a resource to ask about."""
    profile = found.profile
    return {
        "source": found.source,
        "sha256": found.digest,
        "declared": list(profile.declared),
        "overrides": [{"level": o.level, "id": o.target, "keys": [path for path, _ in o.declared]} for o in profile.overrides],
        "schedule": found.schedule,
    }
