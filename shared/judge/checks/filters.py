"""Content filters of each deployment, through the policy that it names.

Names of filters differ between api-versions (`hate`, `Hate`; `Protected Material Text`, `protected_material_text`) and are compared
without casing and punctuation. `severityThreshold` is where blocking starts, so Low is the strictest. A filter that is not enabled, or not
blocking, lets text pass. In the modes Asynchronous_filter and Deferred text is released before it is filtered.
"""

from dataclasses import dataclass, field
from functools import cache
from typing import NamedTuple

from shared.judge.case import Case, Deployment, FilterPolicy, each_deployment, normal
from shared.judge.expectation import ANY, THRESHOLDS, Expectation
from shared.judge.reading import Node, names, shown
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown, verdict
from shared.model import Judgement, Point

_SOURCES = ("prompt", "completion")
_MODES = {"blocking": True, "default": True, "asynchronous_filter": False, "deferred": False}
"""Whether text is filtered before it is released."""


@dataclass(slots=True)
class _Tally:
    """What the filters that are due turned out to be."""

    wrong: dict[str, Point] = field(default_factory=dict)
    doubtful: dict[str, Point] = field(default_factory=dict)

    def judgement(self, deployment: Deployment, policy: FilterPolicy, what: str, because: str) -> Judgement:
        """One filter that is wrong decides; then one that cannot be told."""
        named = deployment.node.point("properties", "raiPolicyName")
        if self.wrong:
            reason = f"The policy {shown(policy.name)} does not {what}: {names(self.wrong, 8)} ({because})."
            return not_satisfied(deployment.id, reason, named, *self.wrong.values())
        if self.doubtful:
            reason = f"Whether the policy {shown(policy.name)} will {what} cannot be told: {names(self.doubtful, 8)} ({because})."
            return unknown(deployment.id, reason, named, *self.doubtful.values())
        return satisfied(
            deployment.id,
            f"The policy {shown(policy.name)} will {what}, as expected ({because}).",
            named,
            policy.node.point("contentFilters"),
        )


def _find(policy: FilterPolicy, name: str, source: str, label: str, tally: _Tally) -> Node | None:
    """The one filter of this name and source. A filter not listed is off, unless the policy is based on another that may supply it."""
    found = policy.filters.get((name, source), [])
    if len(found) == 1:
        return found[0]
    if found:
        tally.doubtful[f"{label} is listed twice"] = found[1].point()
    elif policy.base is None:
        tally.wrong[f"{label} is not listed"] = policy.node.point("contentFilters")
    else:
        tally.doubtful[f"{label} is not listed and the policy is based on {shown(policy.base)}"] = policy.node.point("contentFilters")
    return None


def _blocks(entry: Node, label: str, tally: _Tally) -> bool:
    """Whether the filter is enabled and blocking; anything else goes to the tally."""
    for name, when_false in (("enabled", "is off"), ("blocking", "does not block")):
        try:
            value = entry.flag(name)
        except Unclear as unclear:
            tally.doubtful[f"{label}: {unclear.reason.rstrip('.')}"] = entry.point(name)
            return False
        if value is None:
            tally.doubtful[f"{label} has no {name}"] = entry.point()
            return False
        if not value:
            tally.wrong[f"{label} {when_false}"] = entry.point(name)
            return False
    return True


class _Due(NamedTuple):
    """A filter that must be there, enabled and blocking."""

    label: str
    name: str
    """Normalised."""
    source: str
    limit: str | None = None
    """The severity from which it must block, at the latest."""


def _tally(policy: FilterPolicy, due: tuple[_Due, ...]) -> _Tally:
    """What is due against what the policy has. Deployments share policies, so the policy keeps it."""
    kept = policy.kept.get(due)
    if isinstance(kept, _Tally):
        return kept
    tally = policy.kept[due] = _Tally()
    for label, name, source, limit in due:
        entry = _find(policy, name, source, label, tally)
        if entry is not None and _blocks(entry, label, tally) and limit is not None:
            _starts_by(entry, label, limit, tally)
    return tally


def _starts_by(entry: Node, label: str, limit: str, tally: _Tally) -> None:
    """Whether blocking starts at the severity `limit`, or below; anything else goes to the tally."""
    severity = entry.value.get("severityThreshold")
    known = severity.casefold() if isinstance(severity, str) else None
    if known not in THRESHOLDS:
        point = entry.point("severityThreshold") if entry.has("severityThreshold") else entry.point()
        tally.doubtful[f"{label} starts at {shown(severity)}"] = point
    elif THRESHOLDS.index(known) > THRESHOLDS.index(limit):
        tally.wrong[f"{label} starts at {known}"] = entry.point("severityThreshold")


@cache
def _harms(limits: tuple[tuple[str, str | None], ...]) -> tuple[_Due, ...]:
    return tuple(_Due(f"{harm} in {source}s", normal(harm), source, limit) for harm, limit in limits for source in _SOURCES)


def content_filter_blocking(case: Case) -> list[Judgement]:
    """Each expected harm is filtered, and blocked, in prompts and in completions."""
    return list(each_deployment(case, _blocking))


def _blocking(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    categories = expect.words("filters.categories") or ()
    if not categories:
        return not_applicable(deployment.id, "The profile expects no harms to be filtered.", deployment.node.point())
    policy = case.policy(deployment)
    tally = _tally(policy, _harms(tuple((category, None) for category in categories)))
    because = f"{expect.because('filters.categories')}: {names(categories)}"
    return tally.judgement(deployment, policy, "block every harm in prompts and completions", because)


def content_filter_thresholds(case: Case) -> list[Judgement]:
    """Blocking of each expected harm starts at the expected severity or below."""
    return list(each_deployment(case, _thresholds))


def _thresholds(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    categories = expect.words("filters.categories") or ()
    if not categories:
        return not_applicable(deployment.id, "The profile expects no harms to be filtered.", deployment.node.point())
    policy = case.policy(deployment)
    limits = tuple((category, expect.threshold(category)) for category in categories)
    source = "filters.thresholds" if expect.words("filters.thresholds") else "filters.threshold"
    because = f"{expect.because(source)}: {names(f'{category} {limit}' for category, limit in limits)}"
    return _tally(policy, _harms(limits)).judgement(deployment, policy, "block from the expected severity on", because)


def content_filter_mode(case: Case) -> list[Judgement]:
    """Text is filtered before it is released."""
    return list(each_deployment(case, _mode))


def _mode(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    policy = case.policy(deployment)
    mode = policy.node.needed_text("mode")
    before = _MODES.get(mode.casefold())
    points = (deployment.node.point("properties", "raiPolicyName"), policy.node.point("mode"))
    if before is None:
        raise Unclear(f"The policy {shown(policy.name)} has the mode {shown(mode)}, which is not known.", *points)
    order = "filtered before it is released" if before else "released before it is filtered"
    fact = f"By the mode {mode} of policy {shown(policy.name)} text is {order}"
    if expect.word("filters.mode") == ANY:
        return not_applicable(deployment.id, f"{fact}; the profile expects nothing here.", *points)
    return verdict(deployment.id, before, f"{fact} ({expect.because('filters.mode')}: filtered first).", *points)


def prompt_shields(case: Case) -> list[Judgement]:
    """Prompts are screened for the expected attacks, and blocked."""
    return list(each_deployment(case, _shields))


def _shields(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    return _screened(case, deployment, expect, _SHIELDS)


def protected_material(case: Case) -> list[Judgement]:
    """Completions are screened for the expected protected material, and blocked."""
    return list(each_deployment(case, _material))


def _material(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    return _screened(case, deployment, expect, _MATERIAL)


class _Screen(NamedTuple):
    """Filters without severities that the profile names one by one."""

    path: str
    source: str
    what: str
    filters: dict[str, str]
    """Normalised name of the filter by the profile's word for it."""


_SHIELDS = _Screen(
    "filters.prompt_shields", "prompt", "block attacks in prompts", {"jailbreak": "jailbreak", "indirect-attack": "indirectattack"}
)
_MATERIAL = _Screen(
    "filters.protected_material",
    "completion",
    "block protected material in completions",
    {"text": "protectedmaterialtext", "code": "protectedmaterialcode"},
)


def _screened(case: Case, deployment: Deployment, expect: Expectation, screen: _Screen) -> Judgement:
    wanted = expect.words(screen.path) or ()
    if not wanted:
        return not_applicable(deployment.id, "The profile expects nothing here.", deployment.node.point())
    policy = case.policy(deployment)
    tally = _tally(policy, tuple(_Due(label, screen.filters[label], screen.source) for label in wanted))
    return tally.judgement(deployment, policy, screen.what, f"{expect.because(screen.path)}: {names(wanted)}")
