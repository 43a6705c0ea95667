"""The doctor's look at what accounts hold and at their logs: a few accounts are tried, since each has an endpoint of its own."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from shared.canonical import Json
from shared.collect.asked import Asked, Budget
from shared.collect.children import Workspace, workspaces
from shared.collect.endpoints import BY_KIND, ENDPOINTS, UNVERIFIED
from shared.collect.plan import Unit
from shared.collect.unit import Clients
from shared.collect.windows import Window

Mark = Literal["ok", "warning", "failed"]

SAMPLED = 5
"""Accounts that are tried."""

_TODO = {
    "public-access-disabled": "collect from within its network (docs/deploy.md): until then what it holds is not shown",
    "network-rules": "let the collector's address in, or collect from within its network",
    "no-custom-subdomain": "give the account a custom subdomain: without one it takes keys alone",
}
_UNREACHED = "check DNS, private endpoint and proxy from here: until then what it holds is not shown"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at."""

    name: str
    mark: Mark
    found: str
    todo: str = ""


def data_and_logs(clients: Clients, accounts: Sequence[Unit], named: str | None, window: Window) -> Iterator[Check]:
    """Every question to the data plane, and to the workspaces, of the first few accounts: what is missing for them."""
    if not accounts:
        return
    missing: dict[str, list[str]] = {}
    found: dict[str, Workspace] = {}
    answered = 0
    for unit in accounts[:SAMPLED]:
        account = clients.arm.ask(BY_KIND["account"], unit.id, Budget(retries=1, seconds=5))
        refused = list(_data_plane(clients, unit, account, missing))
        yield from refused
        answered += not refused
        settings = clients.arm.ask(BY_KIND["diagnosticSettings"], unit.id, Budget(retries=1, seconds=5))
        listed: Sequence[Json] = list(settings.items()) if not settings.failed else ()
        found |= {where.name: where for where in workspaces(listed, named)}
    for action, names in sorted(missing.items()):
        unverified = " (its name is not verified: docs/deploy.md)" if action in UNVERIFIED else ""
        todo = f"give the identity a role with the data action {action}{unverified}"
        yield Check("data right", "warning" if action in UNVERIFIED else "failed", f"{action}: refused by {', '.join(names)}", todo)
    yield Check("data plane", "ok" if answered else "warning", f"{answered} of {min(len(accounts), SAMPLED)} accounts tried let this identity in",
                "" if answered else "what accounts hold will not be shown")  # fmt: skip
    yield from _logs(clients, accounts[0], found, window)


def _data_plane(clients: Clients, unit: Unit, account: Asked, missing: dict[str, list[str]]) -> Iterator[Check]:
    """A check where nothing can be asked at all; single rights that are missing go to `missing`."""
    name = unit.id.rpartition("/")[2]
    properties = account.parsed[0].get("properties") if account.parsed else None
    url = properties.get("endpoint") if isinstance(properties, dict) else None
    own = clients.data.of(unit.id, url if isinstance(url, str) else None, "the account names no endpoint")
    for endpoint in ENDPOINTS:
        if endpoint.scope == "data":
            asked = own.ask(endpoint)
            if asked.failed and own.closed:
                todo = _TODO.get(asked.failed.detail, _UNREACHED)
                yield Check("data plane", "warning", f"{name}: {asked.failed.reason} ({asked.failed.detail})", todo)
                return
            if asked.failed and asked.failed.reason == "forbidden":
                missing.setdefault(endpoint.action, []).append(name)


def _logs(clients: Clients, unit: Unit, found: dict[str, Workspace], window: Window) -> Iterator[Check]:
    """Whether each workspace can be queried."""
    if not found:
        yield Check("resource logs", "warning", "no account tried sends logs to a workspace, and EVIDENCE_WORKSPACE_ID names none",
                    "send RequestResponse to a Log Analytics workspace: without it nobody can say who deleted a file or a model")  # fmt: skip
    for where in found.values():
        asked = clients.logs.ask(BY_KIND["resourceLogDeletions"], unit.id, where, window, Budget(retries=1, seconds=5))
        if asked.failed:
            todo = "give the identity Log Analytics Data Reader at the workspace"
            yield Check("resource logs", "failed", f"{where.name}: {asked.failed.reason} ({asked.failed.detail})", todo)
        else:
            yield Check("resource logs", "ok", f"{where.name} can be queried")
