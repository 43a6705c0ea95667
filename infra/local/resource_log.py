"""Resource logs: calls of the data plane, and readings of keys, as the diagnostic settings of the moment send them to workspaces.

A call is logged where a setting with a workspace has an enabled entry for category RequestResponse or group allLogs; a reading of keys where
it is Audit, audit or allLogs. What no setting asked for is nowhere. Rows arrive minutes later, and a workspace forgets them after its
retention. Which object was deleted is in no row. How a row looks is in `infra.local.log_tables`.
"""

import zlib
from bisect import bisect_right, insort
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple

from infra.local.authorship import Actor, Caller
from infra.local.data_shapes import Generation
from infra.local.ids import fold, guid
from infra.local.resources import Body
from infra.local.state import State

Json = Any

GROUPS = {"RequestResponse": ("alllogs",), "Audit": ("alllogs", "audit")}
"""Category groups that each category is in."""
WORKSPACES = "Microsoft.OperationalInsights/workspaces"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a workspace, before it has columns."""

    at: datetime
    ingested: datetime
    account: str
    """Its id as Azure spells it."""
    location: str
    category: Literal["RequestResponse", "Audit"]
    operation: str
    status: int | None
    milliseconds: int
    address: str
    correlation: str
    api: str
    object_id: str
    """Of the caller; empty where a key was used."""
    generation: Generation
    bare: bool
    """The second row of a call: it has nearly nothing."""
    specific: bool
    """Sent to a table of its own instead of AzureDiagnostics."""


class Ever(NamedTuple):
    """Which sorts of rows a workspace ever got: its tables are there since."""

    calls: bool = False
    audits: bool = False
    specific: bool = False


class ResourceLog:
    """All workspaces. Held under the world's lock."""

    def __init__(self, world: State) -> None:
        self._world = world
        self.latency = (3.0, 10.0)
        """Minutes from a call to its row, at least and at most."""
        self.skew = timedelta(0)
        """How far the clock of this witness is ahead."""
        self.retention = timedelta(days=30)
        """How long workspaces keep rows: Log Analytics' own default."""
        self.twice = True
        """Every call has two rows, one of them nearly empty, as an operator reports."""
        self.properties_as: Literal["text", "object"] = "text"
        """How `properties_s` comes: real records have both."""
        self.specific_table = "CognitiveServicesLogs"
        """Name of the table of settings of type Dedicated. Invented: for these accounts Azure documents AzureDiagnostics alone."""
        self.tables_from_start = False
        """Whether workspaces have their tables before their first row. Azure's do not."""
        self.most_rows = 500_000
        """Rows of one answer, before it is partial."""
        self._lost: set[str] = set()
        self._denied: set[str] = set()
        self._rows: dict[str, list[Row]] = {}
        self._serial = 0

    def lose(self, account: str, lost: bool = True) -> None:
        """From now on rows of an account are lost on the way, though its settings ask for them; or not any more."""
        with self._world.lock:
            (self._lost.add if lost else self._lost.discard)(fold(account))

    def deny(self, workspace: str, denied: bool = True) -> None:
        """Whether queries of a workspace are refused."""
        with self._world.lock:
            (self._denied.add if denied else self._denied.discard)(fold(workspace))

    def is_denied(self, workspace: str) -> bool:
        """Whether queries of a workspace are refused."""
        return fold(workspace) in self._denied

    def record_call(self, account: str, operation: str, status: int, caller: Caller, generation: Generation) -> str:
        """A call of the data plane; its correlation id, which the caller gets as `apim-request-id`."""
        self._serial += 1
        correlation = guid("call", self._serial)
        address = "" if caller.keyed and caller.over_http else caller.actor.address
        identity = "" if caller.keyed else caller.actor.object_id
        self._send(account, "RequestResponse", operation, status, address, correlation, identity, generation)
        return correlation

    def record_audit(self, account: str, operation: str, actor: Actor) -> None:
        """A reading of keys."""
        self._serial += 1
        self._send(account, "Audit", operation, None, "", guid("audit", self._serial), actor.object_id, "dated")

    def would_record(self, account: str, category: Literal["RequestResponse", "Audit"]) -> set[str]:
        """The workspaces (folded ids) that a record of a category would go to now."""
        return {fold(str(setting["properties"]["workspaceId"])) for setting in self._settings(account, category)}

    def is_logged(self, account: str) -> bool:
        """Whether a call made now has a row in some workspace, sooner or later."""
        return fold(account) not in self._lost and bool(self._settings(account, "RequestResponse"))

    def workspaces(self) -> set[str]:
        """The folded ids of all workspaces: those that ever got a row, and those that a setting names."""
        named = set(self._rows)
        for key in self._world.resources.under("/subscriptions"):
            if "/diagnosticsettings/" in key:
                workspace = self._world.resources.body(key)["properties"].get("workspaceId")
                named |= {fold(str(workspace))} if workspace else set()
        return named

    def rows(self, workspace: str, now: datetime) -> list[Row]:
        """What a workspace holds now, in order of arrival."""
        held = self._rows.get(fold(workspace), [])
        arrived = held[: bisect_right(held, now, key=lambda row: row.ingested)]
        return [row for row in arrived if now - row.at < self.retention]

    def open_workspace(self, workspace: str) -> None:
        """There is a workspace of this ARM id, whether a setting names it or not."""
        with self._world.lock:
            self._rows.setdefault(fold(workspace), [])

    def ever(self, workspace: str, now: datetime) -> Ever:
        """Which sorts of rows a workspace has ever got, forgotten ones included."""
        if self.tables_from_start:
            return Ever(True, True, True)
        held = self._rows.get(fold(workspace), [])
        arrived = held[: bisect_right(held, now, key=lambda row: row.ingested)]
        return Ever(
            any(row.category == "RequestResponse" and not row.specific for row in arrived),
            any(row.category == "Audit" and not row.specific for row in arrived),
            any(row.specific for row in arrived),
        )

    def _send(
        self,
        account: str,
        category: Literal["RequestResponse", "Audit"],
        operation: str,
        status: int | None,
        address: str,
        correlation: str,
        identity: str,
        generation: Generation,
    ) -> None:
        settings = self._settings(account, category)
        if not settings or fold(account) in self._lost:
            return
        body, moment = self._world.resources.body(account), self._world.moment
        share = zlib.crc32(correlation.encode()) % 1000 / 1000
        low, high = self.latency
        sent = {(str(s["properties"]["workspaceId"]), s["properties"].get("logAnalyticsDestinationType") == "Dedicated") for s in settings}
        for workspace, specific in sorted(sent):
            for bare in (False, True) if self.twice and category == "RequestResponse" else (False,):
                row = Row(
                    moment + self.skew,
                    moment + timedelta(minutes=low + (high - low) * share),
                    str(body["id"]),
                    str(body["location"]).lower(),
                    category,
                    operation,
                    status,
                    20 + zlib.crc32(correlation.encode()) % 400,
                    address,
                    correlation,
                    "Azure OpenAI API version " + ("v1" if generation == "v1" else "2024-10-21"),
                    identity,
                    generation,
                    bare,
                    specific,
                )
                insort(self._rows.setdefault(fold(workspace), []), row, key=lambda row: row.ingested)

    def _settings(self, account: str, category: str) -> list[Body]:
        held = self._world.resources.members(f"{account}/providers/microsoft.insights/diagnosticSettings")
        bodies = (self._world.resources.body(key) for key in held)
        return [body for body in bodies if body["properties"].get("workspaceId") and _asks_for(body, category)]


def _asks_for(setting: Body, category: str) -> bool:
    for entry in setting["properties"].get("logs") or ():
        wanted = entry.get("category") == category or str(entry.get("categoryGroup")).lower() in GROUPS[category]
        if wanted and entry.get("enabled") is True:
            return True
    return False
