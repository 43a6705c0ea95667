"""An attribution as people read it: one line, out of a sealed record. Pure."""

from collections.abc import Iterable, Mapping
from typing import Final

from shared.canonical import Json
from shared.judge.attribution.changed import is_provided

CLIENTS: Final = {
    "04b07795-8ddb-461a-bbee-02f9e1bf7b46": "Azure CLI",
    "1950a258-227b-4e31-a9cf-717495945fc2": "Azure PowerShell",
    "872cd9fa-d31f-45e0-9eab-6e460a02d1f1": "Visual Studio",
    "aebc6443-996d-45c2-90f0-388ff96faa56": "Visual Studio Code",
    "c44b4083-3bb0-49c1-b47d-974e53cbdf3c": "Azure portal",
}
"""Microsoft's own applications by their ids (learn.microsoft.com/troubleshoot/entra/entra-id/governance/verify-first-party-apps-sign-in)."""


PROVIDED: Final = "not known: what the provider sets is changed by no operation"


def said(record: Mapping[str, Json]) -> str:
    """Who made a change and with what, as far as it is known; else why it is not."""
    if record["status"] != "attributed":
        return f"not known: {record['reason']}"
    client, outcome = _client(record.get("client")), record.get("outcome")
    ended = "" if outcome == "succeeded" else f" ({'its end is not known' if outcome == 'open' else outcome})"
    return f"{name(record.get('by'))}{f' with {client}' if client else ''}: {record.get('operation')}{ended}"


def said_of(record: Mapping[str, Json], pointer: str) -> str:
    """The same for one field of the change: what the provider sets, somebody who wrote the resource did not."""
    return PROVIDED if is_provided(pointer) else said(record)


def said_of_all(record: Mapping[str, Json], pointers: Iterable[str]) -> str:
    """The same for all fields of the change."""
    provided = record["change"]["op"] != "provided" and any(map(is_provided, pointers))
    return f"{said(record).rstrip('.')}. Of what the provider sets among it, nobody is named." if provided else said(record)


def name(by: Json) -> str:
    """Whoever is named: an object id, or that the name is withheld and what stands for it."""
    if isinstance(by, str):
        return by
    committed = by.get("committed") if isinstance(by, dict) else None
    return f"a name that is withheld ({committed})" if isinstance(committed, str) else "nobody"


def _client(client: Json) -> str:
    identifier = client.get("appid") if isinstance(client, dict) else None
    return CLIENTS.get(identifier.lower(), f"application {identifier}") if isinstance(identifier, str) else ""
