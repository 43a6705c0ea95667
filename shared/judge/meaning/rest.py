"""What changes of everything else mean: logs, rights, network paths, linked resources, subscriptions, TLS, models, the evidence store."""

from collections.abc import Callable
from typing import Final

from shared.judge.data import table
from shared.judge.expectation import TLS_VERSIONS, Expectation
from shared.judge.meaning.rules import Rule, Said, Seen, fold, note, part, said
from shared.model import Severity

_RECORDS_DELETIONS: Final = frozenset({"requestresponse", "alllogs"})


def _setting(seen: Seen, _: Expectation) -> Said | None:
    if seen.op == "removed":
        return Said("worse", f"diagnostic setting {seen.name} is gone: what it sent of {_subject(seen)} is not logged there any more")
    return Said("better", f"diagnostic setting {seen.name} of {_subject(seen)} is new") if seen.op == "added" else None


def _log(seen: Seen, _: Expectation) -> Said:
    """An entry of `logs`, or whether it is enabled."""
    name = next((word for word in seen.member.split(" / ") if word), seen.member)
    off = seen.op == "removed" or (seen.is_ is not True and part(seen.is_, "enabled") is not True)
    severity: Severity | None = None if name in _RECORDS_DELETIONS else "medium"
    if off:
        more = ": deletions of files and models are not recorded any more" if name in _RECORDS_DELETIONS else ""
        return Said("worse", f"the log {name} of {_subject(seen)} is not kept any more by setting {seen.name}{more}", severity)
    return Said("better", f"the log {name} of {_subject(seen)} is kept by setting {seen.name}")


def _subject(seen: Seen) -> str:
    return f"account {seen.account}" if "/accounts/" in seen.resource else "the subscription"


def _role(seen: Seen, expect: Expectation) -> Said | None:
    value = seen.is_ if seen.op == "added" else seen.was
    if seen.op not in ("added", "removed"):
        return None
    guid = str(part(value, "properties", "roleDefinitionId") or "").rsplit("/", 1)[-1].lower()
    known = table("roles")["roles"].get(guid)
    role = known["name"] if known else f"role {guid or 'unknown'}"
    who = f"{said(part(value, 'properties', 'principalType') or 'principal')} {said(part(value, 'properties', 'principalId'))}"
    scope = said(part(value, "properties", "scope"))
    if seen.op == "removed":
        return Said("better", f"{role} was taken from {who} at {scope}")
    allowed = {fold(name) for name in expect.words("access.roles_allowed") or ()}
    return Said("worse", f"{role} was granted to {who} at {scope}", "low" if {fold(role), guid} & allowed else None)


def _there(noun: str, severity: Severity | None, gone: bool | None) -> Callable[[Seen, Expectation], Said | None]:
    """Says that a thing is new or gone. `gone`: whether its going makes things worse; None: neither is better."""

    def says(seen: Seen, _: Expectation) -> Said | None:
        if seen.op not in ("added", "removed"):
            return None
        text = f"{noun} {seen.name} {'is new' if seen.op == 'added' else 'is gone'}"
        text += f" (account {seen.account})" if "/accounts/" in seen.resource else ""
        if gone is None:
            return Said("neutral", text, severity)
        return Said("worse" if (seen.op == "removed") == gone else "better", text, severity)

    return says


def _deleted(seen: Seen, _: Expectation) -> Said | None:
    if seen.op == "added":
        return Said("neutral", f"account {seen.name} was deleted; it can be restored for 48 hours, and its data is not gone", "high")
    return Said("neutral", f"account {seen.name} is no deleted account any more: purged, or restored", "high") if seen.op == "removed" else None


def _lowest(seen: Seen, expect: Expectation) -> Said:
    was, now = seen.was, seen.is_
    text = f"the endpoint of account {seen.account} accepts {said(now)} as the oldest TLS version (was {said(was)})"
    if was in TLS_VERSIONS and now in TLS_VERSIONS and TLS_VERSIONS.index(now) > TLS_VERSIONS.index(was):
        return Said("better", text)
    least = TLS_VERSIONS.index(expect.word("tls.minimum"))
    return Said("worse", text, "low" if now in TLS_VERSIONS and TLS_VERSIONS.index(now) >= least else None)


def _defender(seen: Seen, _: Expectation) -> Said:
    return Said("neutral", f"threat protection that reads prompts is {said(seen.is_)} for account {seen.account} (was {said(seen.was)})", "medium")


def _policy_state(seen: Seen, _: Expectation) -> Said:
    if fold(seen.is_) == "locked":
        return Said("better", "the retention policy of the evidence is locked now")
    return Said("worse", f"the retention policy of the evidence is {said(seen.is_)} (was {said(seen.was)})")


def _models(seen: Seen, _: Expectation) -> Said | None:
    model = seen.member.replace(" / ", " ")
    if seen.path[-1:] == ("lifecycleStatus",):
        return Said("neutral", f"model {model} is {said(seen.is_)} (was {said(seen.was)})", "low")
    if seen.path and seen.path[-1].startswith("[") and len(seen.path) == 2:
        return Said("neutral", f"model {model} {'is offered' if seen.op == 'added' else 'is not offered any more'} to account {seen.account}", "info")
    return Said("neutral", f"what Azure says of model {model} changed at {'/'.join(seen.path[2:])}", "info") if len(seen.path) > 2 else None


_LOGS = ("properties", "logs", "*")

RULES: Final[tuple[Rule, ...]] = (
    *(
        rule
        for kind, control, key in (
            ("diagnosticSettings", "data-plane-logging", "logging.categories"),
            ("subscriptionDiagnosticSettings", "activity-log-exported", "logging.activity_log_export"),
        )
        for rule in (
            Rule(kind, (), _setting, control, key),
            Rule(kind, _LOGS, _log, control, key),
            Rule(kind, (*_LOGS, "enabled"), _log, control, key),
            Rule(kind, ("properties", "workspaceId"), note("setting {name} sends logs to workspace {now} (was {was})", "medium"), control),
            Rule(kind, ("properties", "storageAccountId"), note("setting {name} sends logs to storage {now} (was {was})", "medium"), control),
        )
    ),
    Rule("roleAssignments", (), _role, "role-assignments", "access.roles_allowed"),
    Rule("privateEndpointConnections", (), _there("private endpoint connection", None, gone=True), "private-endpoints", "network.private_endpoint"),
    Rule("privateEndpointConnections", ("properties", "privateLinkServiceConnectionState", "status"),
         note("private endpoint connection {name} of account {account} is {now} (was {was})", "medium"), "private-endpoints"),
    Rule("networkSecurityPerimeterConfigurations", (), _there("network security perimeter", None, gone=True), "network-perimeter", "network.perimeter"),
    Rule("networkSecurityPerimeterConfigurations", ("properties", "resourceAssociation", "accessMode"),
         note("the perimeter of account {account} is in the mode {now} (was {was})", "medium"), "network-perimeter"),
    Rule("defenderForAISettings", ("properties", "state"), _defender, "defender-for-ai"),
    Rule("encryptionScopes", (), _there("encryption scope", "medium", gone=None), "encryption-scopes"),
    Rule("projects", (), _there("project", "low", gone=None), "linked-resources"),
    Rule("connections", (), _there("connection", "medium", gone=None), "linked-resources"),
    Rule("projectConnections", (), _there("connection", "medium", gone=None), "linked-resources"),
    Rule("capabilityHosts", (), _there("capability host", "medium", gone=None), "agent-storage"),
    Rule("projectCapabilityHosts", (), _there("capability host", "medium", gone=None), "agent-storage"),
    Rule("deletedAccounts", (), _deleted, "deleted-accounts-purged"),
    Rule("subscriptions", (), _there("subscription", "high", gone=True), "collection-scope"),
    Rule("locations", ("**",), note("what Azure says of its regions changed", "info")),
    Rule("tls", ("lowest",), _lowest, "tls-minimum"),
    Rule("tls", ("trusted",), note("whether the certificate of account {account} is trusted: {now} (was {was})", "high"), "tls-certificate"),
    Rule("tls", ("chain", "**"), note("the endpoint of account {account} shows another certificate", "info"), "tls-certificate"),
    Rule("models", ("**",), _models),
    Rule("evidenceImmutability", ("properties", "state"), _policy_state, "store-configuration"),
    Rule("evidenceImmutability", ("properties", "immutabilityPeriodSinceCreationInDays"),
         note("evidence is kept for {now} days (was {was})", "high"), "store-configuration"),
    Rule("storageAccount", ("properties", "allowSharedKeyAccess"),
         lambda seen, _: Said("better", "the evidence account takes no shared keys any more") if seen.is_ is False
         else Said("worse", "the evidence account takes shared keys"), "store-configuration"),
)  # fmt: skip
"""Of every other answer."""
