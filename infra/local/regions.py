"""The regions as `GET /subscriptions/{id}/locations?api-version=2022-12-01` gives them: 62 Physical rows and 40 Logical ones.

Shape and facts after the public answer cached in Azure/terraform-azurerm-avm-utl-regions (August 2026); coordinates rounded.
Traps kept: most Logical rows have no geography at all and the staging ones an odd one; canary regions have no place; a pair
may lie in another geography (brazilsouth) or be missing; geographyGroup "Europe" holds Norway and Switzerland and no United Kingdom.
"""

from functools import cache
from typing import Any

Json = Any

# name | display name | geography | group | place | category: Recommended, Other | paired with | zones | latitude | longitude
_PHYSICAL = """
australiacentral|Australia Central|Australia|Asia Pacific|Canberra|O|australiacentral2|0|-35.3|149.1
australiacentral2|Australia Central 2|Australia|Asia Pacific|Canberra|O|australiacentral|0|-35.3|149.1
australiaeast|Australia East|Australia|Asia Pacific|New South Wales|R|australiasoutheast|3|-33.9|151.2
australiasoutheast|Australia Southeast|Australia|Asia Pacific|Victoria|O|australiaeast|0|-37.8|145.0
austriaeast|Austria East|Austria|Europe|Vienna|R||3|48.2|16.4
belgiumcentral|Belgium Central|Belgium|Europe|Brussels|R||3|50.8|4.4
brazilsouth|Brazil South|Brazil|South America|Sao Paulo State|R|southcentralus|3|-23.6|-46.6
brazilsoutheast|Brazil Southeast|Brazil|South America|Rio|O|brazilsouth|0|-22.9|-43.2
canadacentral|Canada Central|Canada|Canada|Toronto|R|canadaeast|3|43.7|-79.4
canadaeast|Canada East|Canada|Canada|Quebec|O|canadacentral|0|46.8|-71.2
centralindia|Central India|India|Asia Pacific|Pune|R|southindia|3|18.6|73.9
centralus|Central US|United States|US|Iowa|R|eastus2|3|41.6|-93.6
centraluseuap|Central US EUAP|Canary (US)|US||O|eastus2euap|0|41.6|-93.6
chilecentral|Chile Central|Chile|South America|Santiago|R||3|-33.4|-70.7
denmarkeast|Denmark East|Denmark|Europe|Copenhagen|R||3|55.7|12.6
eastasia|East Asia|Asia Pacific|Asia Pacific|Hong Kong|R|southeastasia|3|22.3|114.2
eastus|East US|United States|US|Virginia|R|westus|3|37.4|-79.8
eastus2|East US 2|United States|US|Virginia|O|centralus|3|36.7|-78.4
eastus2euap|East US 2 EUAP|Canary (US)|US||R|centraluseuap|4|36.7|-78.4
eastusstg|East US STG|Stage (US)|US|Virginia|O|southcentralusstg|0|37.4|-79.8
francecentral|France Central|France|Europe|Paris|R|francesouth|3|46.4|2.4
francesouth|France South|France|Europe|Marseille|O|francecentral|0|43.8|2.2
germanynorth|Germany North|Germany|Europe|Berlin|O|germanywestcentral|0|53.1|8.8
germanywestcentral|Germany West Central|Germany|Europe|Frankfurt|R|germanynorth|3|50.1|8.7
indonesiacentral|Indonesia Central|Indonesia|Asia Pacific|Jakarta|R||3|-6.2|106.8
israelcentral|Israel Central|Israel|Middle East|Israel|R||3|31.3|33.5
italynorth|Italy North|Italy|Europe|Milan|R||3|45.5|9.2
japaneast|Japan East|Japan|Asia Pacific|Tokyo, Saitama|R|japanwest|3|35.7|139.8
japanwest|Japan West|Japan|Asia Pacific|Osaka|R|japaneast|3|34.7|135.5
jioindiacentral|Jio India Central|India|Asia Pacific|Nagpur|O|jioindiawest|0|21.1|79.1
jioindiawest|Jio India West|India|Asia Pacific|Jamnagar|O|jioindiacentral|0|22.5|70.1
koreacentral|Korea Central|Korea|Asia Pacific|Seoul|R|koreasouth|3|37.6|127.0
koreasouth|Korea South|Korea|Asia Pacific|Busan|O|koreacentral|0|35.2|129.1
malaysiawest|Malaysia West|Malaysia|Asia Pacific|Kuala Lumpur|R||3|3.1|101.7
mexicocentral|Mexico Central|Mexico|Mexico|Querétaro State|R||3|20.6|-100.4
newzealandnorth|New Zealand North|New Zealand|Asia Pacific|Auckland|R||3|-36.8|174.8
northcentralus|North Central US|United States|US|Illinois|O|southcentralus|0|41.9|-87.6
northeurope|North Europe|Europe|Europe|Ireland|R|westeurope|3|53.3|-6.3
norwayeast|Norway East|Norway|Europe|Norway|R|norwaywest|3|59.9|10.8
norwaywest|Norway West|Norway|Europe|Norway|O|norwayeast|0|59.0|5.7
polandcentral|Poland Central|Poland|Europe|Warsaw|R||3|52.2|21.0
qatarcentral|Qatar Central|Qatar|Middle East|Doha|R||3|25.6|51.4
southafricanorth|South Africa North|South Africa|Africa|Johannesburg|R|southafricawest|3|-25.7|28.2
southafricawest|South Africa West|South Africa|Africa|Cape Town|O|southafricanorth|0|-34.1|18.8
southcentralus|South Central US|United States|US|Texas|O|northcentralus|3|29.4|-98.5
southcentralusstg|South Central US STG|Stage (US)|US|Texas|O|eastusstg|0|29.4|-98.5
southeastasia|Southeast Asia|Asia Pacific|Asia Pacific|Singapore|R|eastasia|3|1.3|103.8
southindia|South India|India|Asia Pacific|Chennai|O|centralindia|0|13.0|80.2
spaincentral|Spain Central|Spain|Europe|Madrid|R||3|40.4|3.4
swedencentral|Sweden Central|Sweden|Europe|Gävle|R|swedensouth|3|60.7|17.1
switzerlandnorth|Switzerland North|Switzerland|Europe|Zurich|R|switzerlandwest|3|47.5|8.6
switzerlandwest|Switzerland West|Switzerland|Europe|Geneva|O|switzerlandnorth|0|46.2|6.1
uaecentral|UAE Central|UAE|Middle East|Abu Dhabi|O|uaenorth|0|24.5|54.4
uaenorth|UAE North|UAE|Middle East|Dubai|R|uaecentral|3|25.3|55.3
uksouth|UK South|United Kingdom|UK|London|R|ukwest|3|50.9|-0.8
ukwest|UK West|United Kingdom|UK|Cardiff|O|uksouth|0|53.4|-3.1
westcentralus|West Central US|United States|US|Wyoming|O|westus2|0|40.9|-110.2
westeurope|West Europe|Europe|Europe|Netherlands|R|northeurope|3|52.4|4.9
westindia|West India|India|Asia Pacific|Mumbai|O|southindia|0|19.1|72.9
westus|West US|United States|US|California|O|eastus|0|37.8|-122.4
westus2|West US 2|United States|US|Washington|R|westcentralus|3|47.2|-119.9
westus3|West US 3|United States|US|Phoenix|O|eastus|3|33.4|-112.1
"""

_LOGICAL = """
asia|Asia
asiapacific|Asia Pacific
australia|Australia
brazil|Brazil
canada|Canada
europe|Europe
france|France
germany|Germany
global|Global
india|India
indonesia|Indonesia
israel|Israel
italy|Italy
japan|Japan
korea|Korea
malaysia|Malaysia
mexico|Mexico
newzealand|New Zealand
norway|Norway
poland|Poland
qatar|Qatar
singapore|Singapore
southafrica|South Africa
spain|Spain
sweden|Sweden
switzerland|Switzerland
taiwan|Taiwan
uae|United Arab Emirates
uk|United Kingdom
unitedstates|United States
unitedstateseuap|United States EUAP
"""

# name | display name | geography | group
_STAGING = """
centralusstage|Central US (Stage)|usa|US
eastasiastage|East Asia (Stage)|asia|Asia Pacific
eastus2stage|East US 2 (Stage)|usa|US
eastusstage|East US (Stage)|usa|US
northcentralusstage|North Central US (Stage)|usa|US
southcentralusstage|South Central US (Stage)|usa|US
southeastasiastage|Southeast Asia (Stage)|asia|Asia Pacific
westus2stage|West US 2 (Stage)|usa|US
westusstage|West US (Stage)|usa|US
"""


def _zones(name: str, count: int) -> list[Json]:
    """Logical to physical zones. The mapping differs per subscription; here it is turned by one."""
    return [{"logicalZone": str(n), "physicalZone": f"{name}-az{n % count + 1}"} for n in range(1, count + 1)]


def _physical(subscription: str, line: str) -> Json:
    name, display, geography, group, place, category, pair, zones, latitude, longitude = line.split("|")
    metadata: dict[str, Json] = {
        "regionType": "Physical",
        "regionCategory": {"R": "Recommended", "O": "Other"}[category],
        "geography": geography,
        "geographyGroup": group,
        "longitude": longitude,
        "latitude": latitude,
        "physicalLocation": place,
        "pairedRegion": [{"name": pair, "id": f"/subscriptions/{subscription}/locations/{pair}"}] if pair else [],
    }
    row: dict[str, Json] = {
        "id": f"/subscriptions/{subscription}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": display,
        "regionalDisplayName": f"({group}) {display}",
        "metadata": metadata,
    }
    if int(zones):
        row["availabilityZoneMappings"] = _zones(name, int(zones))
    return row


def _logical(subscription: str, line: str) -> Json:
    name, display, *where = line.split("|")
    metadata = {"regionType": "Logical", "regionCategory": "Other"}
    regional = display
    if where:
        metadata |= {"geography": where[0], "geographyGroup": where[1]}
        regional = f"({where[1]}) {display}"
    return {
        "id": f"/subscriptions/{subscription}/locations/{name}",
        "name": name,
        "type": "Region",
        "displayName": display,
        "regionalDisplayName": regional,
        "metadata": metadata,
    }


def location_rows(subscription: str) -> list[Json]:
    """The `value` list for one subscription (its GUID), in an order nobody should rely on."""
    physical = [_physical(subscription, line) for line in _PHYSICAL.strip().splitlines()]
    logical = [_logical(subscription, line) for line in (_LOGICAL.strip() + _STAGING.rstrip()).splitlines()]
    return physical + logical


@cache
def geographies() -> dict[str, str]:
    """Region to geography, the physical ones."""
    return {name: geography for name, _, geography, *_ in (line.split("|") for line in _PHYSICAL.strip().splitlines())}
