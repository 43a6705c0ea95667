"""Regions, geographies, data zones and deployment types; against the table they were taken from, where that is at hand."""

import csv
import json
from typing import Any

import pytest

from shared.judge.data import table
from shared.judge.location import NO_ZONE, is_batch, locate, processing_scope, region_key
from shared.model import Answer
from tests.test_judge_samples import EXAMPLES, need, region

Json = Any


def _locations(*rows: Json) -> Answer:
    return Answer("locations", "/subscriptions/1", 3, ({"value": list(rows)},), None, 200)


@pytest.mark.parametrize("written", ["westeurope", "WestEurope", "West Europe", " west  europe ", "WESTEUROPE"])
def test_a_region_in_any_spelling(written: str) -> None:
    assert region_key(written) == "westeurope"
    assert locate(written, None).geography == "Europe"


def test_azures_own_answer_wins() -> None:
    place = locate("westeurope", _locations(region("westeurope", "Europe")))
    assert (place.geography, place.said_by, place.country) == ("Europe", "Azure's own list of locations", "NL")
    assert [(point.record, point.pointer) for point in place.points] == [(3, "/value/0/metadata/geography")]


def test_the_table_is_the_fallback_and_names_its_date() -> None:
    place = locate("westeurope", _locations({"name": "westeurope", "metadata": {"regionType": "Logical"}}))
    assert (place.geography, place.said_by, place.points) == ("Europe", "our table of 2026-08", ())


def test_a_region_newer_than_the_table() -> None:
    place = locate("finlandcentral", _locations(region("finlandcentral", "Finland")))
    assert (place.geography, place.country, place.eea, place.eu, place.zones) == ("Finland", None, None, None, (None, None))
    assert locate("finlandcentral", None).geography is None


def test_where_azure_contradicts_the_table_nothing_else_of_it_counts() -> None:
    place = locate("westeurope", _locations(region("westeurope", "Brazil")))
    assert (place.geography, place.eea, place.zones) == ("Brazil", None, (None, None))
    assert "against our table" in place.said_by


def test_a_region_listed_with_two_geographies_says_nothing() -> None:
    assert locate("westeurope", _locations(region("westeurope", "Brazil"), region("westeurope", "Chile"))).said_by == "our table of 2026-08"


@pytest.mark.parametrize("odd", [5, None, {}, {"name": 5}, {"name": "westeurope"}, {"name": "westeurope", "metadata": {"geography": 5}}])
def test_malformed_rows_say_nothing(odd: Json) -> None:
    assert locate("westeurope", _locations(odd)).said_by == "our table of 2026-08"


@pytest.mark.parametrize(
    ("name", "eea", "eu", "zones"),
    [
        ("swedencentral", True, True, ("EU", "EU")),
        ("norwayeast", True, False, (NO_ZONE, "EU")),
        ("switzerlandnorth", False, False, (NO_ZONE, "EU")),
        ("uksouth", False, False, (NO_ZONE, NO_ZONE)),
        ("eastus", False, False, ("US", "US")),
        ("japaneast", False, False, (NO_ZONE, None)),
    ],
)
def test_both_definitions_of_a_data_zone(name: str, eea: bool, eu: bool, zones: tuple[str | None, str | None]) -> None:
    place = locate(name, None)
    assert (place.eea, place.eu, place.zones) == (eea, eu, zones)


@pytest.mark.parametrize(
    ("sku", "scope"),
    [
        ("Standard", "geography"), ("standard", "geography"), ("ProvisionedManaged", "geography"), ("GlobalStandard", "global"),
        ("GlobalProvisionedManaged", "global"), ("GlobalBatch", "global"), ("DataZoneStandard", "data-zone"), ("DATAZONEBATCH",
         "data-zone"),
        ("DataZoneProvisionedManaged", "data-zone"), ("DeveloperTier", "global"), ("Manual", None), ("", None), ("GlobalStandard ", None),
    ],
)  # fmt: skip
def test_processing_scope(sku: str, scope: str | None) -> None:
    assert processing_scope(sku) == scope


def test_batch_types() -> None:
    assert [sku for sku in table("skus")["scopes"] if is_batch(sku)] == ["DataZoneBatch", "GlobalBatch"]


def test_tables_are_dated_and_name_their_source() -> None:
    for name in ("regions", "skus", "hosts", "roles"):
        assert table(name)["date"]
        assert table(name)["source"]


def test_the_union_has_27_members() -> None:
    assert len(set(table("regions")["eu_members"])) == 27


def test_the_region_table_is_the_one_it_was_taken_from() -> None:
    path = need(EXAMPLES / "data" / "region_geography_datazone.csv")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    ours = table("regions")["regions"]
    assert set(ours) == {row["region"] for row in rows}
    for row in rows:
        mine = ours[row["region"]]
        assert mine["geography"] == row["geography(ARM)"]
        assert mine.get("zone_2024_12", "") == row["dataZone_by_seed_2024-12"]
        latest = row["dataZone_by_docs_2026-08"]
        assert mine.get("zone_2026_08", "") == ("?" if latest.startswith("APAC?") else latest)


def test_azures_recorded_answer_names_every_geography_as_we_do() -> None:
    recorded = json.loads(need(EXAMPLES / "examples" / "locations" / "subscriptions_locations_list_response.json").read_text("utf-8"))
    answer = Answer("locations", "/subscriptions/1", 3, (recorded,), None, 200)
    for name, row in table("regions")["regions"].items():
        place = locate(name, answer)
        assert (place.geography, place.country) == (row["geography"], row["country"])
