"""Rows of resource logs as the tables of a workspace hold them: columns, their types, and values as JSON.

AzureDiagnostics is "created … the first time an Azure resource begins sending logs", and further columns when they are first filled: a workspace
that never got a row has no such table (learn.microsoft.com, tables/azurediagnostics). Columns after those that public queries name; their shape
is what azure-monitor-query 2.0.0 takes. Kept on purpose: ids in upper case beside `_ResourceId` in lower, an address without its end,
`properties_s` as text or as an object, objectId of older records and callerObjectId of newer ones. The table of type Dedicated is the
stand-in's invention: Azure documents none for these accounts.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from infra.local.activity_shape import ticks
from infra.local.clock import stamp
from infra.local.ids import account_name, guid
from infra.local.resource_log import Ever, ResourceLog, Row

Json = Any

DIAGNOSTICS = "AzureDiagnostics"


class Table(NamedTuple):
    """A table: its columns by name, and rows that are objects, `ingestion_time()` under the name `$ingested`."""

    columns: Mapping[str, str]
    rows: list[dict[str, Json]]


_DIAGNOSTICS = {
    "TenantId": "string", "TimeGenerated": "datetime", "ResourceId": "string", "Category": "string", "ResourceGroup": "string",
    "SubscriptionId": "string", "ResourceProvider": "string", "Resource": "string", "ResourceType": "string", "OperationName": "string",
    "ResultType": "string", "ResultSignature": "string", "ResultDescription": "string", "DurationMs": "real",
    "CallerIPAddress": "string", "CorrelationId": "string", "event_s": "string", "location_s": "string", "properties_s": "string",
    "AssetIdentity_g": "string", "Type": "string", "_ResourceId": "string",
}  # fmt: skip
_SPECIFIC = {
    "TenantId": "string", "TimeGenerated": "datetime", "Category": "string", "OperationName": "string", "ResultSignature": "string",
    "DurationMs": "real", "CallerIpAddress": "string", "CorrelationId": "string", "Location": "string", "Properties": "dynamic",
    "Type": "string", "_ResourceId": "string", "_SubscriptionId": "string",
}  # fmt: skip
_INGESTED = "$ingested"
_OF_CALLS = ("event_s", "location_s")
_OF_AUDITS = ("AssetIdentity_g",)


def tables(log: ResourceLog, workspace: str, rows: list[Row], ever: Ever) -> dict[str, Table]:
    """The tables of a workspace: each exists since its first row, and a column of AzureDiagnostics that few services have since it was filled."""
    tenant = guid("workspace", workspace)
    held: dict[str, Table] = {}
    if ever.calls or ever.audits:
        missing = {*(() if ever.calls else _OF_CALLS), *(() if ever.audits else _OF_AUDITS)}
        held[DIAGNOSTICS] = Table({name: kind for name, kind in _DIAGNOSTICS.items() if name not in missing}, [])
    if ever.specific:
        held[log.specific_table] = Table(_SPECIFIC, [])
    for number, row in enumerate(rows):
        name = log.specific_table if row.specific else DIAGNOSTICS
        shown = _specific(row, name, number) if row.specific else _diagnostics(row, number, log.properties_as == "object")
        held[name].rows.append({**shown, "TenantId": tenant, _INGESTED: stamp(row.ingested, number)})
    return held


def _diagnostics(row: Row, number: int, as_object: bool) -> dict[str, Json]:
    named = account_name(row.account)
    properties = _properties(row)
    call = row.category == "RequestResponse"
    return {
        "TimeGenerated": stamp(row.at, number),
        "ResourceId": row.account.upper(),
        "Category": row.category,
        "ResourceGroup": named.group.upper(),
        "SubscriptionId": named.subscription,
        "ResourceProvider": "MICROSOFT.COGNITIVESERVICES",
        "Resource": named.name.upper(),
        "ResourceType": "ACCOUNTS",
        "OperationName": row.operation,
        "ResultType": "",
        "ResultSignature": "" if row.status is None else str(row.status),
        "ResultDescription": "",
        "DurationMs": float(row.milliseconds) if call else None,
        "CallerIPAddress": _masked(row.address),
        "CorrelationId": row.correlation if call else "",
        "event_s": "ShoeboxCallResult" if call else "",
        "location_s": row.location if call else "",
        "properties_s": properties if as_object else json.dumps(properties, separators=(",", ":")),
        "AssetIdentity_g": "" if call else guid("asset", row.account),
        "Type": DIAGNOSTICS,
        "_ResourceId": row.account.lower(),
    }


def _specific(row: Row, table: str, number: int) -> dict[str, Json]:
    return {
        "TimeGenerated": stamp(row.at, number),
        "Category": row.category,
        "OperationName": row.operation,
        "ResultSignature": "" if row.status is None else str(row.status),
        "DurationMs": float(row.milliseconds),
        "CallerIpAddress": _masked(row.address),
        "CorrelationId": row.correlation,
        "Location": row.location,
        "Properties": _properties(row),
        "Type": table,
        "_ResourceId": row.account.lower(),
        "_SubscriptionId": account_name(row.account).subscription,
    }


def _properties(row: Row) -> dict[str, Json]:
    if row.category == "Audit":
        return {"objectId": row.object_id}
    if row.bare:
        return {}
    began = ticks(row.at)
    who = "callerObjectId" if row.generation == "v1" else "objectId"
    return {
        "apiName": row.api,
        "requestTime": began,
        "requestLength": 0,
        "responseTime": began + row.milliseconds * 10_000,
        "responseLength": 77,
        who: row.object_id,
    }


def _masked(address: str) -> str:
    return f"{address.rpartition('.')[0]}.***" if address else ""
