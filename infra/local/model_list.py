"""The answer to `GET …/accounts/{name}/models`: which models a region offers, in which SKUs, and where they are in their life.

Shape of AccountModel after azure-mgmt-cognitiveservices 14.1.0; capabilities and limits are strings, as in every answer seen.
Names and versions are those of real models, the dates and regions are invented.
"""

import json
from functools import cache
from typing import Any

from infra.local.regions import geographies

Json = Any

# name | version | lifecycle | context tokens, empty for what has none | output tokens | tunable | ability | inference retires | SKUs
_MODELS = """
gpt-35-turbo|0301|Legacy|4096|4096||chatCompletion|2025-02-13|S
gpt-35-turbo|0613|Deprecated|4096|4096|t|chatCompletion|2025-02-13|S
gpt-35-turbo|1106|Deprecated|16385|4096|t|chatCompletion|2026-03-31|S
gpt-35-turbo|0125|Deprecating|16385|4096|t|chatCompletion|2027-01-31|S,B
gpt-35-turbo-instruct|0914|Deprecating|4097|4096||completion|2027-01-31|S
gpt-4|turbo-2024-04-09|Deprecating|128000|4096||chatCompletion|2027-01-31|S,G,P
gpt-4|0613|Deprecated|8192|8192|t|chatCompletion|2026-06-06|S
gpt-4-32k|0613|Deprecated|32768|32768||chatCompletion|2025-06-06|S
gpt-4o|2024-05-13|Deprecating|128000|4096||chatCompletion|2027-03-31|S,G,P
gpt-4o|2024-08-06|GenerallyAvailable|128000|16384|t|chatCompletion|2027-08-06|S,G,D,P,GP,DP,B,DB,T
gpt-4o|2024-11-20|GenerallyAvailable|128000|16384||chatCompletion|2027-11-20|S,G,D,P,GP,DP,B,DB
gpt-4o-mini|2024-07-18|GenerallyAvailable|128000|16384|t|chatCompletion|2027-07-18|S,G,D,P,GP,DP,B,DB,T
gpt-4.1|2025-04-14|GenerallyAvailable|1047576|32768|t|chatCompletion|2027-10-14|S,G,D,P,GP,DP,B,DB,T
gpt-4.1-mini|2025-04-14|GenerallyAvailable|1047576|32768|t|chatCompletion|2027-10-14|S,G,D,GP,DP,B,DB,T
gpt-4.1-nano|2025-04-14|GenerallyAvailable|1047576|32768|t|chatCompletion|2027-10-14|G,D,GP,B,DB,T
gpt-5|2025-08-07|GenerallyAvailable|400000|128000||chatCompletion|2028-02-07|G,D,GP,DP,B
gpt-5-mini|2025-08-07|GenerallyAvailable|400000|128000||chatCompletion|2028-02-07|G,D,GP,DP
gpt-5-nano|2025-08-07|GenerallyAvailable|400000|128000||chatCompletion|2028-02-07|G,D
gpt-5-chat|2025-08-07|Preview|128000|16384||chatCompletion|2027-01-15|G
gpt-5-codex|2025-09-15|GenerallyAvailable|400000|128000||responses|2028-03-15|G
o1|2024-12-17|GenerallyAvailable|200000|100000||chatCompletion|2027-12-17|S,G,D,GP
o1-mini|2024-09-12|Deprecated|128000|65536||chatCompletion|2025-10-27|S,G
o3|2025-04-16|GenerallyAvailable|200000|100000||chatCompletion|2027-10-16|G,D,GP,B
o3-mini|2025-01-31|GenerallyAvailable|200000|100000||chatCompletion|2027-07-31|S,G,D,GP,B,DB
o3-deep-research|2025-06-26|Preview|200000|100000||responses|2027-06-26|G
o4-mini|2025-04-16|GenerallyAvailable|200000|100000|t|chatCompletion|2027-10-16|G,D,GP,B,T
model-router|2025-08-07|GenerallyAvailable|200000|32768||chatCompletion|2027-12-31|G,D
computer-use-preview|2025-03-11|Preview|8192|1024||responses|2027-03-11|G
text-embedding-ada-002|1|Deprecating|8192|||embeddings|2027-04-30|S,G,P
text-embedding-ada-002|2|GenerallyAvailable|8192|||embeddings|2027-10-15|S,G,D,P
text-embedding-3-small|1|GenerallyAvailable|8192|||embeddings|2027-10-15|S,G,D,B
text-embedding-3-large|1|GenerallyAvailable|8192|||embeddings|2027-10-15|S,G,D,P,GP,B
dall-e-3|3.0|Deprecating||||imageGenerations|2027-02-28|S
gpt-image-1|2025-04-15|Preview||||imageGenerations|2027-04-15|G
sora|2025-05-02|Preview||||videoGenerations|2027-02-28|G
whisper|001|GenerallyAvailable||||audio|2027-12-15|S
tts|001|Preview||||audio|2027-12-15|S
tts-hd|001|Preview||||audio|2027-12-15|S
gpt-4o-transcribe|2025-03-20|GenerallyAvailable|16000|2000||audio|2027-03-20|G
gpt-realtime|2025-08-28|GenerallyAvailable|32000|4096||realtime|2027-08-28|G,D
davinci-002|1|Deprecated|16384||t|completion|2025-02-27|S
babbage-002|1|Deprecated|16384||t|completion|2025-02-27|S
"""

_SKUS = {
    "S": "Standard",
    "G": "GlobalStandard",
    "D": "DataZoneStandard",
    "P": "ProvisionedManaged",
    "GP": "GlobalProvisionedManaged",
    "DP": "DataZoneProvisionedManaged",
    "B": "GlobalBatch",
    "DB": "DataZoneBatch",
    "T": "DeveloperTier",
}
_ZONE_GEOGRAPHIES = frozenset(
    ("United States", "Europe", "France", "Germany", "Italy", "Poland", "Spain", "Sweden", "Norway", "Switzerland")
)


def area(location: str) -> str:
    """The `area` that deployments and models name in their capabilities: `US` was seen in real answers, the rest follows it."""
    geography = geographies().get(location.lower(), "")
    if geography in ("United States", "Canada", "Brazil", "Mexico", "Chile"):
        return "US"
    return "EUR" if geography in _ZONE_GEOGRAPHIES | {"United Kingdom", "Austria", "Belgium", "Denmark"} else "APAC"


def _sku(code: str, model: str, retires: str) -> Json:
    name = _SKUS[code]
    provisioned, batch = "Provisioned" in name, "Batch" in name
    row: dict[str, Json] = {
        "name": name,
        "usageName": f"OpenAI.{name}.{model}",
        "deprecationDate": f"{retires}T00:00:00Z",
        "capacity": {"minimum": 15, "maximum": 100000, "step": 5, "default": 50} if provisioned else {"maximum": 10000, "default": 10},
    }
    if not provisioned:
        row["rateLimits"] = [{"key": "token", "renewalPeriod": 60, "count": 1000}]
        if not batch:
            row["rateLimits"].insert(0, {"key": "request", "renewalPeriod": 60, "count": 10})
    return row


def _model(line: str, location: str) -> Json:
    name, version, lifecycle, context, output, tunable, ability, retires, skus = line.split("|")
    capabilities = {"area": area(location), ability: "true"}
    if context:
        capabilities["maxContextToken"] = context
    if output:
        capabilities |= {"maxOutputToken": output, "assistants": "true", "responses": "true"}
    if tunable:
        capabilities["fineTune"] = "true"
    in_zone = geographies().get(location.lower()) in _ZONE_GEOGRAPHIES
    deprecation = {"inference": f"{retires}T00:00:00Z"}
    if tunable:
        deprecation["fineTune"] = f"{retires}T00:00:00Z"
    return {
        "format": "OpenAI",
        "name": name,
        "version": version,
        "isDefaultVersion": lifecycle == "GenerallyAvailable",
        "maxCapacity": 3,
        "capabilities": capabilities,
        "finetuneCapabilities": None,
        "deprecation": deprecation,
        "lifecycleStatus": lifecycle,
        "skus": [_sku(code, name, retires) for code in skus.split(",") if in_zone or not code.startswith("D")],
        "systemData": {
            "createdBy": "Microsoft",
            "createdByType": "Application",
            "createdAt": "2024-01-09T00:00:00Z",
            "lastModifiedBy": "Microsoft",
            "lastModifiedByType": "Application",
            "lastModifiedAt": "2026-10-07T00:00:00Z",
        },
    }


@cache
def account_models(location: str) -> tuple[Json, ...]:
    """The models that an account in `location` can deploy (shared between accounts: not to be changed)."""
    return tuple(_model(line, location) for line in _MODELS.strip().splitlines())


@cache
def account_models_body(location: str) -> bytes:
    """The same as a list answer, encoded once for all accounts of the region: it is the largest answer there is."""
    return json.dumps({"value": account_models(location)}, separators=(",", ":")).encode()
