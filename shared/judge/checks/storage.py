"""What the service stores, and where: stored completions, agents' threads and files, linked resources, blocklists."""

import re
from typing import Final

from shared.judge.case import Case
from shared.judge.expectation import ANY
from shared.judge.reading import Node, answered, count, listed, names, shown, verb
from shared.judge.verdict import not_applicable, not_satisfied, satisfied, unknown, verdict
from shared.model import Judgement, Point

_RELEASED: Final = re.compile(r"\d{4}-\d{2}-\d{2}|v\d+")
"""The version of an interface that is generally available: a date alone, or a number."""
_NO_PROJECTS = "An account of this kind has no projects, connections or capability hosts."
_AGENT_STORES = ("threadStorageConnections", "storageConnections", "vectorStoreConnections")


def stored_completions_off(case: Case) -> list[Judgement]:
    """The account keeps no input and output pairs. The field is absent by default, and storing is possible then."""
    properties = case.properties
    disabled = properties.flag("storedCompletionsDisabled")
    point = properties.point("storedCompletionsDisabled") if disabled is not None else properties.point()
    fact = {
        True: "Stored completions are disabled",
        False: "Stored completions are enabled",
        None: "Stored completions are not shown as disabled: storedCompletionsDisabled is absent",
    }[disabled]
    if case.expect.word("storage.stored_completions") == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", point)]
    return [verdict(case.id, disabled is True, f"{fact} ({case.expect.because('storage.stored_completions')}: disabled).", point)]


def _of_projects(case: Case, kind: str) -> list[Node]:
    """The members of a list that was asked of every project."""
    found: list[Node] = []
    for project in case.items("projects"):
        found += listed(answered(case.evidence, kind, project.needed_text("id")))
    return found


def agent_storage(case: Case) -> list[Judgement]:
    """Threads, files and vectors of agents lie in storage of the customer's own, where the profile expects it."""
    if not case.is_foundry:
        return [not_applicable(case.id, _NO_PROJECTS, case.account.point("kind"))]
    projects = case.items("projects")
    if not projects:
        return [not_applicable(case.id, "The account has no projects, so no agents.", case.list_point("projects"))]
    hosts = [host.needed_child("properties") for host in case.items("capabilityHosts") + _of_projects(case, "projectCapabilityHosts")]
    lacking = {name for host in hosts for name in _AGENT_STORES if not host.value.get(name)}
    for host in hosts:
        for name in _AGENT_STORES:
            if host.has(name) and not isinstance(host.value[name], list):
                raise host.odd(name, "a list")
    fact = f"The account has {count(len(projects), 'project')} and {count(len(hosts), 'capability host')}"
    points = [host.point() for host in hosts] or [case.list_point("capabilityHosts")]
    if case.expect.word("storage.agent_storage") == ANY:
        return [not_applicable(case.id, f"{fact}; the profile expects nothing of where agents store.", *points)]
    because = f"{case.expect.because('storage.agent_storage')}: own"
    if not hosts:
        return [unknown(case.id, f"{fact}: agents then use storage of the provider's, if there are any ({because}).", *points)]
    if lacking:
        return [not_satisfied(case.id, f"{fact}, and not each names storage of your own: {names(lacking)} ({because}).", *points)]
    return [satisfied(case.id, f"{fact}, and each names storage of your own for threads, files and vectors ({because}).", *points)]


def linked_resources(case: Case) -> list[Judgement]:
    """Storage, search and other resources that the account is linked to: data lies there too, and where that is, is theirs to show."""
    properties = case.properties
    stores = properties.children("userOwnedStorage") or []
    found = [("storage", store.point("resourceId")) for store in stores if store.needed_text("resourceId")]
    workspace = properties.child("amlWorkspace")
    if workspace is not None:
        found.append(("workspace", workspace.point()))
    for connection in _connections(case):
        held = connection.needed_child("properties")
        found.append((held.needed_text("category"), held.point("target")))
    if not found:
        return [not_applicable(case.id, "The account shows no linked storage, workspace or connection.", properties.point())]
    said = names((sort for sort, _ in found), 8)
    number = len(found)
    reason = f"{count(number, 'linked resource')} ({said}) may hold data; the place of {verb(number, 'it', 'them')} is not collected."
    return [unknown(case.id, reason, *(point for _, point in found))]


def _connections(case: Case) -> list[Node]:
    """Connections of the account and of its projects."""
    return case.items("connections") + _of_projects(case, "projectConnections") if case.is_foundry else []


def preview_connections(case: Case) -> list[Judgement]:
    """No connection is made with a preview version of an interface, unless the profile allows it."""
    if not case.is_foundry:
        return [not_applicable(case.id, _NO_PROJECTS, case.account.point("kind"))]
    versions = [version for connection in _connections(case) for version in _versions(connection)]
    if not versions:
        return [not_applicable(case.id, "No connection names the version of an interface.", case.list_point("connections"))]
    previews = [(version, point) for version, point in versions if "preview" in version.casefold()]
    fact = f"Connections name {count(len(versions), 'version')} of interfaces, {len(previews)} in preview"
    points = [point for _, point in previews or versions]
    if case.expect.word("preview.use") == "allowed":
        return [not_applicable(case.id, f"{fact}; the profile allows preview.", *points)]
    strange = [(version, point) for version, point in versions if not _RELEASED.fullmatch(version)]
    if strange and not previews:
        reason = (
            f"Connections name versions of interfaces that cannot be told from previews: {names(shown(version) for version, _ in strange)}."
        )
        return [unknown(case.id, reason, *(point for _, point in strange))]
    said = f": {names(shown(version) for version, _ in previews)}" if previews else ""
    return [verdict(case.id, not previews, f"{fact}{said} ({case.expect.because('preview.use')}: no preview).", *points)]


def _versions(connection: Node) -> list[tuple[str, Point]]:
    metadata = connection.needed_child("properties").child("metadata")
    if metadata is None:
        return []
    return [(metadata.needed_text(name), metadata.point(name)) for name in sorted(metadata.value) if "apiversion" in name.casefold()]


def blocklists_present(case: Case) -> list[Judgement]:
    """Every blocklist that a content filter policy refers to is there, and blocks."""
    lists = {item.needed_text("name").casefold() for item in case.items("raiBlocklists")}
    wanted = [reference for nodes in case.policies.values() for node in nodes for reference in _references(node)]
    if not wanted:
        return [not_applicable(case.id, "No content filter policy refers to a blocklist.", case.list_point("raiPolicies"))]
    absent = [reference for reference in wanted if reference.needed_text("blocklistName").casefold() not in lists]
    idle = [reference for reference in wanted if _blocks(reference) is False]
    if absent or idle:
        said = [f"{shown(r.text('blocklistName'))} does not exist" for r in absent] + [
            f"{shown(r.text('blocklistName'))} does not block" for r in idle
        ]
        return [not_satisfied(case.id, f"Blocklists that policies refer to: {names(said)}.", *(r.point() for r in absent + idle))]
    named = names(shown(reference.text("blocklistName")) for reference in wanted)
    return [satisfied(case.id, f"The blocklists that policies refer to exist and block: {named}.", *(r.point() for r in wanted))]


def _references(policy: Node) -> list[Node]:
    return policy.needed_child("properties").children("customBlocklists") or []


def _blocks(reference: Node) -> bool:
    blocking = reference.flag("blocking")
    if blocking is None:
        raise reference.missing("blocking")
    return blocking
