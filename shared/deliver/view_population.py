"""Who was there: the accounts of a period with their deployments, and where each deployment may process what it is sent.

Names, kinds and deployments are read from the bodies of the sweep shown in full; regions, data zones and scopes come from the judge's
dated tables (`shared.judge.location`), so that a picture here and a finding there cannot disagree.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.canonical import Json
from shared.deliver.view_commands import parts
from shared.deliver.view_fold import Presence
from shared.deliver.view_model import Account, Deployment, ProcessingScope
from shared.deliver.view_pass import Pass, Seen
from shared.deliver.view_points import Load
from shared.judge.location import locate, processing_scope
from shared.model import Answer, Status

WORST: Final[tuple[Status, ...]] = ("not-satisfied", "unknown", "provider-attested", "satisfied", "not-applicable")
"""From what needs a person most to what needs nobody."""


def rank(status: Status) -> int:
    """Its place in `WORST`; one that this version does not know counts as unknown."""
    return WORST.index(status) if status in WORST else WORST.index("unknown")


def worst(statuses: Iterable[Status]) -> Status | None:
    """The one that needs a person most; None of nothing."""
    return min(statuses, key=rank, default=None)


@dataclass(slots=True)
class Population:
    """The answers of one sweep, looked up by question and resource."""

    shown: Pass | None
    load: Load
    status_of: Mapping[str, Status]
    """The worst status of the findings about each resource."""
    _by: dict[tuple[str, str], tuple[int, Seen]] = field(init=False)
    _locations: dict[str, Answer | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        seen = self.shown.seen if self.shown else {}
        self._by = {(each.kind, each.resource): (index, each) for index, each in seen.items()}

    def accounts(self, presence: Mapping[str, Presence], planned_at: list[str]) -> tuple[Account, ...]:
        """Every account of the period, those that are gone included, by subscription, group and name."""
        number = self.shown.number if self.shown else -1
        planned = {unit["resource"] for unit in self.shown.units()} if self.shown else set()
        found = [
            self._account(resource, seen, planned_at, gone=resource not in planned and seen.last < number)
            for resource, seen in presence.items()
        ]
        return tuple(sorted(found, key=lambda a: (a.gone, a.subscription, a.group, a.name)))

    def other_accounts(self) -> int:
        """Accounts that were listed and are of kinds that are not asked about."""
        listed = {key[1] for key in self._by if key[0] == "accounts"}
        planned = {unit["resource"] for unit in self.shown.units()} if self.shown else set()
        ids = {str(item.get("id", "")).lower() for resource in listed for item in self._items("accounts", resource)[0]}
        return len(ids - planned) if not self.shown or not self.shown.narrowed else 0

    def _account(self, resource: str, presence: Presence, planned_at: list[str], *, gone: bool) -> Account:
        named = parts(resource)
        body, unread = self._body("account", resource)
        location = _text(body, "location")
        place = locate(location, self._locations_of(named.get("SUBSCRIPTION", ""))) if location else None
        deployments, deployments_unread = self._deployments(resource)
        return Account(
            resource=resource,
            name=_text(body, "name") or named.get("NAME", resource),
            group=named.get("GROUP", ""),
            subscription=named.get("SUBSCRIPTION", ""),
            kind=_text(body, "kind"),
            location=location,
            geography=place.geography if place else None,
            zone=place.zones[-1] if place else None,
            unread=None if gone else unread,
            deployments=deployments,
            deployments_unread=None if gone else deployments_unread,
            first_at=planned_at[presence.first],
            last_at=planned_at[presence.last],
            sweeps=presence.sweeps,
            gone=gone,
        )

    def _deployments(self, account: str) -> tuple[tuple[Deployment, ...], str | None]:
        items, unread = self._items("deployments", account)
        skus = {_text(item, "name").casefold(): _text(_child(item, "sku"), "name") for item in items}
        found = [self._deployment(account, item, skus) for item in items]
        return tuple(sorted(found, key=lambda deployment: deployment.name)), unread

    def _deployment(self, account: str, item: Json, skus: Mapping[str, str]) -> Deployment:
        name = _text(item, "name")
        sku = _text(_child(item, "sku"), "name")
        properties = _child(item, "properties")
        model = _child(properties, "model")
        spillover = _text(properties, "spilloverDeploymentName") or None
        resource = f"{account}/deployments/{name.lower()}"
        return Deployment(
            resource=resource,
            name=name,
            sku=sku,
            model=_text(model, "name"),
            version=_text(model, "version"),
            scope=scope_of(sku),
            spillover=spillover,
            spillover_scope=scope_of(skus.get(spillover.casefold(), "")) if spillover else None,
            status=self.status_of.get(resource),
        )

    def _locations_of(self, subscription: str) -> Answer | None:
        if subscription not in self._locations:
            index, seen = self._by.get(("locations", f"/subscriptions/{subscription}"), (-1, None))
            pages = tuple(body for body in map(self._loaded, seen.digests) if body is not None) if seen and not seen.failure else ()
            answer = Answer("locations", f"/subscriptions/{subscription}", index, pages) if pages else None
            self._locations[subscription] = answer
        return self._locations[subscription]

    def _body(self, kind: str, resource: str) -> tuple[Json, str | None]:
        """The first page of an answer, or why there is none."""
        _, seen = self._by.get((kind, resource), (-1, None))
        if seen is None:
            return None, "not asked"
        if seen.failure or not seen.digests:
            return None, seen.failure or "no body"
        body = self._loaded(seen.digests[0])
        return body, None if isinstance(body, dict) else "body not available"

    def _items(self, kind: str, resource: str) -> tuple[list[Json], str | None]:
        """The members of a list answer that are objects, or why there are none."""
        _, seen = self._by.get((kind, resource), (-1, None))
        if seen is None:
            return [], "not asked"
        if seen.failure:
            return [], seen.failure
        pages = [self._loaded(digest) for digest in seen.digests]
        items = [item for page in pages for item in (_child(page, "value") or ()) if isinstance(item, dict)]
        return items, None if all(isinstance(page, dict) for page in pages) else "body not available"

    def _loaded(self, digest: str) -> Json:
        try:
            return self.load(digest)
        except Exception:  # noqa: BLE001 - whatever `load` raises, the page says that the body is not to be had
            return None


def scope_of(sku: str) -> ProcessingScope:
    """Where a deployment of this SKU may be processed."""
    return processing_scope(sku) or "unknown"


def _child(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def _text(value: Json, name: str) -> str:
    found = _child(value, name)
    return found if isinstance(found, str) else ""
