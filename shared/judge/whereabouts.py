"""Where each deployment of an account may process what it is sent, and where its data rests: what the answers show, without any expectation.

Nobody outside the provider sees where a prompt was processed. What can be seen is the deployment's type, which says where it may be, and the
account's region, in whose geography data rests by the provider's word (statements S17 and S19).
"""

from dataclasses import dataclass, field

from shared.judge.case import Case, Deployment
from shared.judge.location import Place, Scope, extra_locations, locate, processing_scope, sku_date, zone_in_words
from shared.judge.reading import names, shown
from shared.judge.verdict import Unclear
from shared.model import Point

_HANDS_ON = ("spilloverDeploymentName", "parentDeploymentName")


@dataclass(frozen=True, slots=True)
class Where:
    """One deployment, as one look showed it. Equal for two looks exactly when they show the same."""

    resource: str
    name: str
    sku: str | None
    """The deployment type; None where it cannot be read."""
    scope: Scope | None
    region: str | None
    geography: str | None
    processed: str
    """Where prompts may be processed, or why that is not known: a clause."""
    rests: str
    """The same of data at rest."""
    notes: tuple[str, ...] = ()
    """Sentences about what else moves a request or data."""
    points: tuple[Point, ...] = field(default=(), compare=False)

    @property
    def known(self) -> bool:
        """Whether both can be said."""
        return self.scope is not None and self.geography is not None


def whereabouts(case: Case) -> list[Where]:
    """Every deployment of an account.

    Raises:
        Unclear: the deployments could not be listed, or not all of them can be told apart.
    """
    if case.nameless:
        reason = "The list of deployments holds an entry that is not a deployment of this account."
        raise Unclear(reason, *(node.point() for node in case.nameless))
    return [_where(case, deployment) for deployment in case.deployments]


def _where(case: Case, deployment: Deployment) -> Where:
    place, rests, points = _place(case)
    sku, scope, notes = None, None, _further_regions(case) if place else []
    try:
        if deployment.twice:
            raise Unclear("The list of deployments holds it more than once.")
        sku = deployment.sku
        points.append(deployment.sku_point)
        scope = processing_scope(sku)
        if scope is None:
            raise Unclear(f"Our table of {sku_date()} does not have the type {shown(sku)}.")
        processed = f"prompts may be processed {_area(scope, place)}"
        notes += _handed_on(case, deployment)
        if scope != "geography" and deployment.is_fine_tuned:
            notes.append(
                "Weights of a fine-tuned model may be stored outside the geography for a time, as the provider says of such types."
            )
    except Unclear as unclear:
        if scope is None:
            processed = f"where prompts are processed is not known ({unclear.reason.rstrip('.')})"
        else:
            notes.append(unclear.reason)
    geography, region = (place.geography, place.region) if place else (None, None)
    return Where(deployment.id, deployment.name, sku, scope, region, geography, processed, rests, tuple(notes), tuple(points))


def _place(case: Case) -> tuple[Place | None, str, list[Point]]:
    """Where the account is, the clause on data at rest, and the bytes that say so."""
    try:
        place = case.place
    except Unclear as unclear:
        return None, f"where data rests is not known ({unclear.reason.rstrip('.')})", list(unclear.points)
    points = [case.location_point, *place.points]
    if place.geography is None:
        return place, f"data rests in {shown(place.region)}, whose geography nothing names", points
    return place, f"data rests in {place.geography} ({place.region}, by {place.said_by})", points


def _area(scope: Scope, place: Place | None) -> str:
    if scope == "global":
        return "in any geography"
    if scope == "data-zone":
        return f"anywhere in the data zone of the account's region: {zone_in_words(place) if place else 'which region is not known'}"
    return f"within the account's geography, {place.geography if place and place.geography else 'which is not known'}"


def _handed_on(case: Case, deployment: Deployment) -> list[str]:
    """Where requests go that it hands on."""
    properties, found = deployment.properties, []
    for target in (properties.needed_text(name) for name in _HANDS_ON if properties.has(name)):
        other = case.deployment_named(target)
        known = f"of type {other.sku}" if other is not None and not other.twice else "which the account does not list once"
        found.append(f"Requests may be handed on to {shown(target)}, {known}.")
    if properties.has("routing"):
        found.append("Requests are routed to other models, and where these are processed is not shown.")
    return found


def _further_regions(case: Case) -> list[str]:
    try:
        further = [locate(name, case.locations) for name, _ in extra_locations(case.properties)]
    except Unclear as unclear:
        return [unclear.reason]
    listed = names(f"{one.region} ({one.geography or 'geography not known'})" for one in further)
    return [f"The account routes to further regions: {listed}."] if further else []
