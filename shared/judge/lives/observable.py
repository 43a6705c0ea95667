"""Whether a log could have seen a deletion: was it written, was it read, over the whole of the time in question. Pure.

Only then does the silence of a log mean something. Deletions on the data plane are in resource logs of the category RequestResponse
(group allLogs) and nowhere else; the Activity Log cannot be switched off, but it can be left unread.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from shared.canonical import Json
from shared.judge.assemble import Entry, LoadBody
from shared.judge.lives.times import CLOCKS, LATENCY, plus

UNREAD: Final = "it is not known whether the deletion was logged, since the settings that decide it could not be read"
SILENT: Final = "no diagnostic setting sent logs of RequestResponse to a workspace, so nothing that could be read recorded it"
NOT_ASKED: Final = "the log of that time was not read"
IN_PART: Final = "the log of that time was read in part only"
TOO_EARLY: Final = "logs arrive late, and none was read far enough past that time yet"


def written(settings: Sequence[Entry], load: LoadBody) -> tuple[frozenset[str], str | None]:
    """The workspaces to which all of these diagnostic settings send the logs of deletions; where there are none, why."""
    common: frozenset[str] | None = None
    for entry in settings:
        found = _workspaces(entry, load)
        if found is None:
            return frozenset(), UNREAD
        common = found if common is None else common & found
    if common is None:
        return frozenset(), UNREAD
    return common, None if common else SILENT


def _workspaces(entry: Entry, load: LoadBody) -> frozenset[str] | None:
    """Names of the workspaces that one answer sends RequestResponse to; None where it cannot be read."""
    if entry.failure is not None or entry.status not in (None, 200):
        return None
    found: set[str] = set()
    for digest in entry.digests:
        page = load(digest)
        values = page.get("value") if isinstance(page, dict) else None
        if not isinstance(values, list):
            return None
        for setting in values:
            properties = setting.get("properties") if isinstance(setting, dict) else None
            if isinstance(properties, dict) and _sends(properties.get("logs")) and isinstance(properties.get("workspaceId"), str):
                found.add(workspace_name(properties["workspaceId"]))
    return frozenset(found)


def _sends(logs: Json) -> bool:
    return isinstance(logs, list) and any(
        isinstance(log, dict)
        and log.get("enabled") is True
        and ("requestresponse" in str(log.get("category")).casefold() or str(log.get("categoryGroup")).casefold() == "alllogs")
        for log in logs
    )


def workspace_name(identifier: str) -> str:
    """What stands for a workspace in the resource of a record: subscription, group and name, in lower case."""
    parts = identifier.lower().strip("/").split("/")
    return "/".join((parts[1], parts[3], parts[7])) if len(parts) == 8 else identifier.lower()


def logs_between(logs: Iterable[Entry], after: str, before: str) -> list[Entry]:
    """The answers, of those given, that could tell of something between two times."""
    start, end = plus(after, -CLOCKS), plus(before, LATENCY)
    return [log for log in logs if log.window is not None and log.window.end >= start and log.window.start <= end]


def read(logs: Iterable[Entry], after: str, before: str) -> str | None:
    """None if the answers together reach over the whole time, late arrivals included; else why they do not."""
    windows = sorted((log.window.start, log.window.end) for log in logs if log.window is not None and log.failure is None)
    if not windows:
        return NOT_ASKED
    reached = after
    for start, end in windows:
        if start <= reached:
            reached = max(reached, end)
    if reached >= plus(before, LATENCY):
        return None
    return IN_PART if any(start > reached for start, _ in windows) else TOO_EARLY


def resource_log(settings: Sequence[Entry], logs: Sequence[Entry], account: str, load: LoadBody, after: str, before: str) -> str | None:
    """None if the account's resource logs could have told of a deletion between two times; else why not, as half a sentence."""
    workspaces, why = written(settings, load)
    if why is not None:
        return why
    reasons = []
    for name in sorted(workspaces):
        own = [log for log in logs if log.resource in (account, f"{account}/workspaces/{name}")]
        why = read(own, after, before)
        if why is None:
            return None
        reasons.append(why)
    return reasons[0]


def settings_for(settings: Iterable[Entry], after: str, before: str) -> list[Entry]:
    """Of the answers about diagnostic settings: from the one in force at the beginning of a time to the one in force at its end.

    That one was asked for shortly before the inventory with which the time ends.
    """
    ordered = sorted((entry for entry in settings if entry.failure is None), key=lambda entry: entry.record)
    end = plus(before, -CLOCKS)
    first = max((i for i, entry in enumerate(ordered) if entry.at <= after), default=0)
    last = next((i for i, entry in enumerate(ordered) if entry.at >= end), len(ordered) - 1)
    return ordered[first : last + 1]
