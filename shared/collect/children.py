"""Questions that follow from answers: the jobs and stores that a list names, and the workspaces that hold an account's logs. Pure.

Collector and verifier take them from here, so that what was asked can be counted against what was due.

    {account}/finetuningjobs/ftjob-1      of each fine-tuning job of the list: its events
    {account}/vectorstores/vs_1           of each vector store: its files
    {account}/workspaces/{subscription}/{group}/{name}      of each workspace: the account's resource logs in it
    {account}/workspaces/{customer id}                      the same of one that is named by its customer id
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.canonical import Json

PARENTS = {"fineTuningJobs": "fineTuningJob", "vectorStores": "vectorStore"}
"""Lists whose members are asked about: kind of the list, and the entry of a plan's `questions` that is asked of each."""

COLLECTIONS = {"fineTuningJob": ("finetuningjobs", "fine-tuning-job"), "vectorStore": ("vectorstores", "vector-store")}
"""Of each entry: where the object stands under its account, and what it is called."""

MOST = 2_000
"""So many members of a list are asked about. Of more, one failure says so: a unit of work has to end."""

WORKSPACE = "workspace"

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,199}")
_WORKSPACE_ID = re.compile(
    r"/subscriptions/([0-9a-z_-]{1,64})/resourcegroups/([^/?#%\\\"'\x00-\x20\x7f]{1,90})/providers/microsoft\.operationalinsights"
    r"/workspaces/([a-z0-9][a-z0-9-]{1,61}[a-z0-9])",
    re.IGNORECASE,
)
_CUSTOMER_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)


# -- objects of the data plane ------------------------------------------------------------------------------------------


def usable_id(item: Json) -> str | None:
    """The id of a member of a list, where it can be one."""
    identifier = item.get("id") if isinstance(item, dict) else None
    return identifier if isinstance(identifier, str) and _ID.fullmatch(identifier) else None


def child_resource(account_id: str, entry: str, identifier: str) -> str:
    """What records name as the resource of a question about an object; in lower case there."""
    return f"{account_id}/{COLLECTIONS[entry][0]}/{identifier}"


def child_object(entry: str, identifier: str) -> Json:
    """The field `object` of such a record: the id as Azure spells it."""
    return {"kind": COLLECTIONS[entry][1], "id": identifier}


def asked_about(members: Iterable[str]) -> tuple[list[str], bool]:
    """The members of a list that are asked about, each once, in their order; and whether there are more."""
    found: dict[str, str] = {}
    for identifier in members:
        if identifier.lower() not in found:
            if len(found) == MOST:
                return list(found.values()), True
            found[identifier.lower()] = identifier
    return list(found.values()), False


# -- workspaces ---------------------------------------------------------------------------------------------------------


class Workspace(NamedTuple):
    """A Log Analytics workspace that holds an account's logs."""

    path: str
    """Where its queries are sent: `/subscriptions/…` (its ARM id) or `/workspaces/{customer id}`."""
    name: str
    """What stands for it in the resource of a record: lower case, unique."""

    def resource(self, account_id: str) -> str:
        """The resource of a record about the account's logs in it."""
        return f"{account_id}/workspaces/{self.name}"


def workspace(text: Json) -> Workspace | None:
    """The workspace that an ARM id or a customer id names; None for what can be neither."""
    if not isinstance(text, str):
        return None
    if _CUSTOMER_ID.fullmatch(text):
        return Workspace(f"/workspaces/{text.lower()}", text.lower())
    found = _WORKSPACE_ID.fullmatch(text)
    return Workspace(text, "/".join(found.groups()).lower()) if found and ".." not in text else None


def workspaces(settings: Iterable[Json], named: str | None) -> Iterator[Workspace]:
    """The workspaces that an account's diagnostic settings send an enabled log to, and the one that is named; each once, by name."""
    found: dict[str, Workspace] = {}
    for text in (*(_destination(setting) for setting in settings), named):
        known = workspace(text)
        if known is not None:
            found.setdefault(known.name, known)
    yield from (found[name] for name in sorted(found))


def _destination(setting: Json) -> Json:
    """Where a diagnostic setting sends logs; null where it sends none to a workspace."""
    properties = setting.get("properties") if isinstance(setting, dict) else None
    logs = properties.get("logs") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(logs, list):
        return None
    enabled = any(isinstance(entry, dict) and entry.get("enabled") is not False for entry in logs)
    return properties.get("workspaceId") if enabled else None
