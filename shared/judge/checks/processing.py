"""Where things are and where they are processed: the account's geography, each deployment's type, and all that moves a request on."""

from shared.judge.case import Case, Deployment, each_deployment
from shared.judge.expectation import ANY, Expectation
from shared.judge.location import (
    DEFINITIONS,
    NO_ZONE,
    Place,
    Scope,
    definition_says,
    extra_locations,
    is_batch,
    locate,
    processing_scope,
    region_key,
    sku_date,
    table_date,
    zone_in_words,
)
from shared.judge.reading import names, shown
from shared.judge.verdict import Unclear, not_applicable, not_satisfied, satisfied, unknown, verdict
from shared.model import Judgement, Point

_IN_WORDS = {"geography": "within the account's geography", "data-zone": "anywhere in the data zone", "global": "in any geography"}
_INSTANT_REGION = "westus3"
_INSTANT_DATE = "2026-07"
"""When the provider documented inference without a deployment, for Foundry projects in one region."""


def geography_allowed(case: Case) -> list[Judgement]:
    """The account, and every region it routes to, is in a geography that the profile allows."""
    places = [(case.place, case.location_point)]
    places += [(locate(name, case.locations), point) for name, point in extra_locations(case.properties)]
    points = [point for place, where in places for point in (where, *place.points)]
    lost = [place.region for place, _ in places if place.geography is None]
    if lost:
        raise Unclear(f"Neither Azure nor our table of {table_date()} says in which geography {names(map(shown, lost))} is.", *points)
    said = [f"{place.region} (geography {place.geography}, by {place.said_by})" for place, _ in places]
    fact = f"The account is in {said[0]}" + (f" and routes to {names(said[1:])}" if len(said) > 1 else "")
    allowed = case.expect.words("location.geographies")
    if allowed is None:
        return [not_applicable(case.id, f"{fact}; the profile names no geographies.", *points)]
    folded = {name.casefold() for name in allowed}
    fine = all(str(place.geography).casefold() in folded for place, _ in places)
    return [verdict(case.id, fine, f"{fact} ({case.expect.because('location.geographies')}: {names(allowed)}).", *points)]


def eea_location(case: Case) -> list[Judgement]:
    """The account is in the European Economic Area, for which the provider says where its reviewers are."""
    place, points = case.place, (case.location_point, *case.place.points)
    if place.eea is None:
        reason = f"Our table of {table_date()} cannot say whether {shown(place.region)} is in the European Economic Area."
        return [unknown(case.id, reason, *points)]
    side = "in" if place.eea else "outside"
    fact = f"The account is in {place.region} ({place.country}), {side} the European Economic Area by our table of {table_date()}"
    if place.eea:
        return [satisfied(case.id, f"{fact}: what the provider says of reviewers located there applies.", *points)]
    if case.expect.flag("location.eea"):
        return [not_satisfied(case.id, f"{fact} ({case.expect.because('location.eea')}: inside it).", *points)]
    return [not_applicable(case.id, f"{fact}, and the provider's statement speaks only of accounts inside.", *points)]


def processing_scope_allowed(case: Case) -> list[Judgement]:
    """Each deployment's type keeps processing where the profile allows."""
    return list(each_deployment(case, _scope_allowed))


def _scope_allowed(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    path, what = "location.processing_scopes", "Prompts and completions"
    scope, allowed, routed = _scope(deployment), expect.words(path) or (), extra_locations(case.properties)
    away = _outside(case, scope, routed) if scope in allowed else []
    if not away:
        return _judge_scope(deployment, expect, path, what)
    said = names(f"{place.region} ({place.geography})" for place, _ in away)
    left = "the account's geography" if scope == "geography" else "the account's data zone"
    reason = f"{what} of this {deployment.sku} deployment may leave {left}, since the account routes to {said}"
    points = [point for place, where in away for point in (where, *place.points)]
    because = f"{expect.because(path)}: {names(allowed)}"
    return verdict(deployment.id, "global" in allowed, f"{reason} ({because}).", deployment.sku_point, *points)


def batch_scope(case: Case) -> list[Judgement]:
    """Each batch deployment's type keeps processing where the profile allows batches."""
    otherwise = "No deployment is of a batch type."
    return list(each_deployment(case, _batch_allowed, applies=lambda d: is_batch(d.sku) or processing_scope(d.sku) is None, otherwise=otherwise))


def _batch_allowed(_case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    return _judge_scope(deployment, expect, "location.batch_scopes", "Batches")


def _judge_scope(deployment: Deployment, expect: Expectation, path: str, what: str) -> Judgement:
    scope = _scope(deployment)
    allowed = expect.words(path) or ()
    reason = f"{what} of this {deployment.sku} deployment may be processed {_IN_WORDS[scope]} ({expect.because(path)}: {names(allowed)})."
    return verdict(deployment.id, scope in allowed, reason, deployment.sku_point)


def _outside(case: Case, scope: Scope, routed: list[tuple[str, Point]]) -> list[tuple[Place, Point]]:
    """The regions that the account routes to (multi-region routing) which are not in its own geography, or data zone.

    Raises:
        Unclear: where one of them is, or the account, is not known.
    """
    if scope == "global" or not routed:
        return []

    def area(place: Place) -> tuple[str | None, ...]:
        return place.zones if scope == "data-zone" else (place.geography and place.geography.casefold(),)

    places = [(locate(name, case.locations), point) for name, point in routed]
    lost = [(place, point) for place, point in [(case.place, case.location_point), *places] if None in area(place)]
    if lost:
        said = names(shown(place.region) for place, _ in lost)
        raise Unclear(f"The account routes to several regions, and in which {scope.replace('-', ' ')} {said} is, is not known.", *(p for _, p in lost))
    return [(place, point) for place, point in places if area(place) != area(case.place)]


def _scope(deployment: Deployment) -> Scope:
    scope = processing_scope(deployment.sku)
    if scope is None:
        reason = f"Our table of {sku_date()} does not say where a deployment of type {shown(deployment.sku)} is processed."
        raise Unclear(reason, deployment.sku_point)
    return scope


def data_zone(case: Case) -> list[Judgement]:
    """Each data zone deployment is in a zone that is known and allowed; the provider has defined its zones in two ways."""
    otherwise = "No deployment is of a data zone type."
    # A type that the table does not have may be one of these: what it is, is then not known.
    return list(each_deployment(case, _zone_allowed, applies=lambda d: processing_scope(d.sku) in ("data-zone", None), otherwise=otherwise))


def _zone_allowed(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    _scope(deployment)
    place = case.place
    points = (deployment.sku_point, case.location_point, *place.points)
    where = f"The account's region is {place.region}: {zone_in_words(place)}"
    zone = _zone(place, expect.word("location.data_zone_definition"))
    if zone is None:
        raise Unclear(f"{where}; {_advice(place)}.", *points)
    if zone == NO_ZONE:
        raise Unclear(f"{where}; where a data zone deployment is processed then is not documented.", *points)
    note = "; since 2026 the zone includes EFTA countries, so not only member states of the EU" if zone == "EU" else ""
    allowed = expect.words("location.data_zones")
    because = f"{expect.because('location.data_zones')}: {names(allowed) if allowed else 'any zone'}"
    return verdict(deployment.id, allowed is None or zone in allowed, f"{where}{note} ({because}).", *points)


def _advice(place: Place) -> str:
    if None in place.zones:
        return "which zone applies is not known"
    said = "; ".join(f"{date}: {definition_says(date)}" for date in DEFINITIONS)
    return f"say in the profile which definition counts ({said})"


def _zone(place: Place, definition: str) -> str | None:
    if definition == "both":
        return place.zones[0] if place.zones[0] == place.zones[1] else None
    return place.zones[DEFINITIONS.index(definition)]


def spillover_scope(case: Case) -> list[Judgement]:
    """Where a deployment hands requests on (spillover, parent, router), the target is processed where the profile allows too."""
    otherwise = "No deployment names another that takes over its requests."
    return list(each_deployment(case, _target_allowed, applies=_hands_on, otherwise=otherwise))


_HANDS_ON = ("spilloverDeploymentName", "parentDeploymentName")


def _hands_on(deployment: Deployment) -> bool:
    properties = deployment.properties
    return any(properties.has(name) for name in (*_HANDS_ON, "routing"))


def _target_allowed(case: Case, deployment: Deployment, expect: Expectation) -> Judgement:
    properties = deployment.properties
    if properties.has("routing"):
        reason = "The deployment routes requests to other models by a router, and where these are processed is not shown."
        raise Unclear(reason, properties.point("routing"))
    targets = [(name, properties.needed_text(name)) for name in _HANDS_ON if properties.has(name)]
    said: list[str] = []
    points: list[Point] = []
    fine = True
    allowed = expect.words("location.processing_scopes") or ()
    for field, name in targets:
        points.append(properties.point(field))
        target = case.deployment_named(name)
        if target is None or target.twice:
            raise Unclear(f"Requests are handed on to the deployment {shown(name)}, which the account does not list once.", *points)
        scope = _scope(target)
        fine = fine and scope in allowed
        points.append(target.sku_point)
        said.append(f"{shown(name)} ({target.sku}, {_IN_WORDS[scope]})")
    reason = f"Requests may be handed on to {' and '.join(said)} ({expect.because('location.processing_scopes')}: {names(allowed)})."
    return verdict(deployment.id, fine, reason, *points)


def deploymentless_inference(case: Case) -> list[Judgement]:
    """Whether models can be used without any deployment, which has no place of processing at all."""
    points = (case.account.point("kind"), case.location_point)
    if not case.is_foundry:
        return [not_applicable(case.id, "An account of this kind has no projects, so no inference without a deployment.", *points)]
    if case.properties.has("instant"):
        reason = "Inference without a deployment is configured, and what the setting allows is not documented at this api-version."
        raise Unclear(reason, case.properties.point("instant"))
    if case.expect.word("location.deploymentless_inference") == ANY:
        return [not_applicable(case.id, "The profile expects nothing of inference without a deployment.", *points)]
    if region_key(case.location) != _INSTANT_REGION:
        reason = (
            f"As documented in {_INSTANT_DATE}, inference without a deployment exists only in {_INSTANT_REGION}; this account is elsewhere."
        )
        return [not_applicable(case.id, reason, *points)]
    projects = case.items("projects")
    if not projects:
        reason = "Inference without a deployment goes through a project, and the account has none."
        return [not_applicable(case.id, reason, case.list_point("projects"))]
    reason = f"In {_INSTANT_REGION} projects may use models without a deployment; whether that is off is not shown at this api-version."
    return [unknown(case.id, reason, *points, case.list_point("projects"))]
