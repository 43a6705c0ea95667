"""Where things are and where they are processed: region to geography, country and data zone; deployment SKU to processing scope.

Geography is what Azure itself says in its `locations` answer for the subscription; the dated table is the fallback, and whoever
uses a `Place` can say which spoke. Country, EEA and data zones are in no answer of Azure's, so they come from the table alone. A
region or SKU that nothing names is unknown: `None`, never a guess.
"""

from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from shared.canonical import Json
from shared.judge.data import table
from shared.judge.reading import Node
from shared.model import Answer, Point

Scope = Literal["geography", "data-zone", "global"]
SCOPES: Final[tuple[Scope, ...]] = ("geography", "data-zone", "global")

NO_ZONE: Final = "none"
"""The region is in no data zone by that definition."""
ZONES: Final = ("EU", "US", "APAC")
DEFINITIONS: Final = ("2024-12", "2026-08")


@dataclass(frozen=True, slots=True)
class Place:
    """What is known of a region."""

    region: str
    """As Azure writes it in code: `westeurope`."""
    geography: str | None
    said_by: str
    """Whose word the geography is, for a sentence."""
    country: str | None
    """ISO 3166 code; None where the table does not have the region, or Azure's answer contradicts it."""
    zones: tuple[str | None, str | None]
    """Data zone by each of `DEFINITIONS`: a name, `NO_ZONE`, or None where the table cannot say."""
    points: tuple[Point, ...] = ()
    """The bytes of Azure's own answer, where it spoke."""

    @property
    def eea(self) -> bool | None:
        """Whether the region is in the European Economic Area."""
        return None if self.country is None else self.eu is True or self.country in table("regions")["eea_besides"]

    @property
    def eu(self) -> bool | None:
        """Whether the region is in a member state of the European Union."""
        return None if self.country is None else self.country in table("regions")["eu_members"]


def region_key(location: str) -> str:
    """The name of a region in code, whatever the casing or spacing it came in: `West Europe` is `westeurope`."""
    return "".join(location.split()).casefold()


def table_date() -> str:
    """The date of the region table."""
    return str(table("regions")["date"])


def definition_says(definition: str) -> str:
    """What a data zone is, by that definition."""
    return str(table("regions")["zones"][definition]["says"])


def locate(location: str, locations: Answer | None) -> Place:
    """What is known of `location`, with Azure's answer to `locations` where there is one."""
    region = region_key(location)
    said = _regions_of(locations).get(region) if locations is not None else None
    return _place(region, said[0], said[1]) if said else _place(region, None, None)


def _place(region: str, azure: str | None, point: Point | None) -> Place:
    row = table("regions")["regions"].get(region)
    tabled = row["geography"] if row else None
    contradicted = azure is not None and tabled is not None and azure.casefold() != tabled.casefold()
    trusted = row is not None and not contradicted
    zones = (row.get("zone_2024_12", NO_ZONE), row.get("zone_2026_08", NO_ZONE)) if trusted and row else (None, None)
    by_azure = "Azure's own list of locations" + (f", against our table of {table_date()}" if contradicted else "")
    return Place(
        region,
        azure or tabled,
        by_azure if azure else f"our table of {table_date()}",
        row["country"] if trusted and row else None,
        (_zone(zones[0]), _zone(zones[1])),
        (point,) if point else (),
    )


def _zone(name: str | None) -> str | None:
    return None if name == "?" else name


_last: tuple[Answer, dict[str, tuple[str, Point]]] | None = None


def _regions_of(answer: Answer) -> dict[str, tuple[str, Point]]:
    """Region to (geography, where it says so). Every account of a subscription asks this of the same answer, so the last is kept."""
    global _last  # noqa: PLW0603 - a memo of a pure function; racing threads compute the same
    kept = _last
    if kept is None or kept[0] is not answer:
        kept = _last = (answer, _read_regions(answer))
    return kept[1]


def _read_regions(answer: Answer) -> dict[str, tuple[str, Point]]:
    """Rows without a geography (Azure lists logical regions too) and malformed rows say nothing; nor does a region listed twice."""
    found: dict[str, tuple[str, Point]] = {}
    twice: set[str] = set()
    for page, pointer, row in answer.items():
        said = _said(row)
        if said:
            region, geography = said
            if region in found and found[region][0].casefold() != geography.casefold():
                twice.add(region)
            found[region] = (geography, Point(answer.record, page, f"{pointer}/metadata/geography"))
    return {region: said for region, said in found.items() if region not in twice}


def _said(row: Json) -> tuple[str, str] | None:
    metadata = row.get("metadata") if isinstance(row, dict) else None
    geography = metadata.get("geography") if isinstance(metadata, dict) else None
    name = row.get("name") if isinstance(row, dict) else None
    return (region_key(name), geography) if isinstance(name, str) and isinstance(geography, str) and geography else None


@cache
def _scopes() -> dict[str, Scope]:
    return {name.casefold(): scope for name, scope in table("skus")["scopes"].items()}


def sku_date() -> str:
    """The date of the SKU table."""
    return str(table("skus")["date"])


def processing_scope(sku: str) -> Scope | None:
    """Where a deployment of this SKU may be processed; None for a SKU the table does not have."""
    return _scopes().get(sku.casefold())


def is_batch(sku: str) -> bool:
    """Whether the SKU is one of batch processing."""
    return sku.casefold().endswith("batch")


def zone_in_words(place: Place) -> str:
    """Both definitions of the data zone, for a sentence."""
    said = {None: "in a zone not known", NO_ZONE: "in no data zone"}
    pairs = zip(DEFINITIONS, place.zones, strict=True)
    return " and ".join(f"by the definition of {date} it is {said.get(zone, f'in the {zone} zone')}" for date, zone in pairs)


def known_geographies() -> tuple[str, ...]:
    """Every geography in the region table, sorted."""
    return tuple(sorted({row["geography"] for row in table("regions")["regions"].values()}))


def extra_locations(properties: Node) -> list[tuple[str, Point]]:
    """The further regions of an account with multi-region routing (`properties.locations.regions[].name`), and where each is named."""
    routing = properties.child("locations")
    if routing is None:
        return []
    return [(region.needed_text("name"), region.point("name")) for region in routing.needed_children("regions")]
