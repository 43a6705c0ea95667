"""Who can use the account: keys instead of identities, and the roles that reach data, keys or the handing out of rights."""

from collections import Counter

from shared.judge.case import Case
from shared.judge.data import table
from shared.judge.reading import Node, count, names, verb
from shared.judge.verdict import not_applicable, unknown, verdict
from shared.model import Judgement


def local_auth_disabled(case: Case) -> list[Judgement]:
    """Account keys are disabled. The field is absent by default, and keys work then."""
    properties = case.properties
    disabled = properties.flag("disableLocalAuth")
    point = properties.point("disableLocalAuth") if disabled is not None else properties.point()
    fact = {
        True: "Account keys are disabled: only identities can use the account",
        False: "Account keys are enabled",
        None: "Account keys are not shown as disabled: disableLocalAuth is absent",
    }[disabled]
    if case.expect.word("access.local_auth") != "disabled":
        return [not_applicable(case.id, f"{fact}; the profile expects nothing here.", point)]
    return [verdict(case.id, disabled is True, f"{fact} ({case.expect.because('access.local_auth')}: disabled).", point)]


def role_assignments(case: Case) -> list[Judgement]:
    """Of the roles assigned at the account or above, those that reach data, keys or rights are ones that the profile allows."""
    assignments = [assignment.needed_child("properties") for assignment in case.items("roleAssignments")]
    roles = [(_role(properties), properties) for properties in assignments]
    reaching = Counter(name for (name, reaches), _ in roles if reaches)
    unnamed = sum(name is None for (name, _), _ in roles)
    fact = _fact(len(roles), {str(name): number for name, number in reaching.items()}, unnamed)
    points = [properties.point("roleDefinitionId") for (name, reaches), properties in roles if reaches or name is None]
    points = points[:20] or [case.list_point("roleAssignments")]
    allowed = case.expect.words("access.roles_allowed")
    if allowed is None:
        return [not_applicable(case.id, f"{fact}; the profile names no roles.", *points)]
    because = f"{case.expect.because('access.roles_allowed')}: {names(allowed) or 'none'}"
    folded = {name.casefold() for name in allowed}
    surplus = {str(name) for name in reaching if str(name).casefold() not in folded}
    if surplus:
        return [verdict(case.id, False, f"{fact}; not allowed: {names(surplus)} ({because}).", *points)]
    strangers = [_guid(properties) for (name, _), properties in roles if name is None and _guid(properties) not in folded]
    if strangers:
        return [unknown(case.id, f"{fact}; what these reach is not known ({because}).", *points)]
    return [verdict(case.id, True, f"{fact} ({because}).", *points)]


def _guid(properties: Node) -> str:
    return properties.needed_text("roleDefinitionId").rsplit("/", 1)[-1].casefold()


def _role(properties: Node) -> tuple[str | None, bool]:
    """Name of a built-in role, and whether it reaches more than configuration; no name for any other role."""
    role = table("roles")["roles"].get(_guid(properties))
    return (role["name"], role["reaches"] != ["settings"]) if role else (None, False)


def _fact(total: int, reaching: dict[str, int], unnamed: int) -> str:
    said = names(f"{name} ({number})" for name, number in reaching.items()) or "none"
    strangers = f", and {count(unnamed, 'role')} that {verb(unnamed, 'is', 'are')} not built-in or not known" if unnamed else ""
    applying = f"{count(total, 'role assignment')} {verb(total, 'applies', 'apply')} to the account"
    return f"{applying}; reaching data, keys or rights: {said}{strangers}"
