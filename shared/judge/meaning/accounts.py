"""What changes of an account mean: content logging, keys, network, logins, storage."""

from typing import Final

from shared.judge.expectation import Expectation
from shared.judge.meaning.rules import Rule, Said, Seen, filled, flag, fold, note, part, said

LOGGING: Final = "[contentlogging]"
_VAULT: Final = "microsoft.keyvault"


def _content_logging(seen: Seen, _: Expectation) -> Said:
    """The capability as a whole, or its value: `false` in any casing means off, absent means not shown as off."""
    value = seen.is_ if seen.path[-1] == "value" else part(seen.is_, "value")
    if seen.op != "removed" and fold(value) == "false":
        return Said("better", f"data storage for abuse monitoring is off for account {seen.account} (ContentLogging is false)")
    if seen.op == "removed" and seen.path[-1] != "value":
        return Said("worse", f"data storage for abuse monitoring is on again for account {seen.account}: ContentLogging is gone (was {_was(seen)})")
    return Said("worse", f"account {seen.account} no longer shows that data storage for abuse monitoring is off: ContentLogging is {said(value)}")


def _was(seen: Seen) -> str:
    return said(part(seen.was, "value") if isinstance(seen.was, dict) else seen.was)


def _encryption(seen: Seen, _: Expectation) -> Said | None:
    """The block as a whole, or its key source."""
    whole = seen.path[-1] == "encryption"
    was, now = ((part(value, "keySource") if whole else value) for value in (seen.was, seen.is_))
    had, has = fold(was) == _VAULT, fold(now) == _VAULT
    if had and not has:
        key = part(seen.was, "keyVaultProperties", "keyName")
        return Said("worse", f"the customer's key{f' {said(key)}' if key else ''} was replaced by the provider's key for account {seen.account}")
    if has and not had:
        return Said("better", f"a customer's key encrypts account {seen.account} now (was the provider's)")
    return None


def _key_version(seen: Seen, _: Expectation) -> Said:
    if seen.op == "removed" or not seen.is_:
        return Said("neutral", f"the key of account {seen.account} rotates by itself now (was pinned to version {said(seen.was)})", "medium")
    if seen.op == "added" or not seen.was:
        return Said("neutral", f"the key of account {seen.account} is pinned to version {said(seen.is_)} now (it rotated by itself)", "medium")
    return Said("neutral", filled("the key of account {account} is pinned to version {now} now (was {was})", seen), "medium")


def _public_network(seen: Seen, _: Expectation) -> Said:
    if seen.op != "removed" and fold(seen.is_) == "disabled":
        return Said("better", f"account {seen.account} cannot be reached from public networks any more")
    return Said("worse", filled("account {account} can be reached from public networks (publicNetworkAccess is {now}, was {was})", seen))


def _default_action(seen: Seen, _: Expectation) -> Said:
    value = seen.is_ if seen.path[-1] == "defaultAction" else part(seen.is_, "defaultAction")
    if seen.op != "removed" and fold(value) == "deny":
        return Said("better", f"account {seen.account} refuses networks that no rule names")
    return Said("worse", f"account {seen.account} lets in networks that no rule names (defaultAction is {'absent' if value is None else said(value)})")


def _network_rule(seen: Seen, _: Expectation) -> Said:
    value = seen.is_ if seen.op == "added" else seen.was
    who = said(part(value, "value") or part(value, "id") or seen.member)
    if seen.op == "removed":
        return Said("better", f"{who} may not reach account {seen.account} any more")
    return Said("worse", f"{who} may reach account {seen.account}", "medium")


def _penalty(seen: Seen, _: Expectation) -> Said:
    if seen.op == "removed" and seen.path == ("properties", "abusePenalty"):
        return Said("better", f"the provider's penalty for abuse on account {seen.account} is over")
    action = seen.is_ if seen.path[-1] == "action" else part(seen.is_, "action")
    return Said("worse", f"the provider has a penalty for abuse on account {seen.account}{f' ({said(action)})' if action else ''}")


def _monitor_copy(seen: Seen, _: Expectation) -> Said:
    if seen.op == "removed":
        return Said("better", f"account {seen.account} sends no copy of monitoring data to storage any more")
    return Said("worse", f"account {seen.account} sends a copy of monitoring data, prompts included, to {said(part(seen.is_, 'adxStorageResourceId') or seen.is_)}")


def _instant(seen: Seen, _: Expectation) -> Said:
    return Said("worse", filled("inference without a deployment changed for account {account}: {was} to {now}", seen))


def _appeared(seen: Seen, _: Expectation) -> Said | None:
    if seen.op == "removed":
        return Said("worse", f"account {seen.name} is gone from the list of accounts, with all it held", "high")
    if seen.op == "added":
        region = part(seen.is_, "location")
        return Said("neutral", f"account {seen.name} is new{f', in {said(region)}' if region else ''}", "medium")
    return None


def _restored(seen: Seen, _: Expectation) -> Said | None:
    if seen.op == "changed":
        return Said("neutral", f"account {seen.account} was deleted and restored in between (its createdAt moved)", "high")
    return None


def _property(*path: str) -> tuple[str, ...]:
    return ("properties", *path)


RULES: Final[tuple[Rule, ...]] = (
    Rule("account", _property("capabilities", LOGGING), _content_logging, "content-logging-off", "monitoring.content_logging"),
    Rule("account", _property("capabilities", LOGGING, "value"), _content_logging, "content-logging-off", "monitoring.content_logging"),
    Rule("account", _property("capabilities"), lambda seen, _: Said("worse", f"account {seen.account} shows no capabilities that can be read"),
         "content-logging-off", "monitoring.content_logging"),
    Rule("account", _property("encryption"), _encryption, "encryption-key-source"),
    Rule("account", _property("encryption", "keySource"), _encryption, "encryption-key-source"),
    Rule("account", _property("encryption", "keyVaultProperties", "keyVersion"), _key_version, "encryption-key-version"),
    Rule("account", _property("encryption", "keyVaultProperties", "keyName"), note("another key encrypts account {account}: {now} (was {was})", "high"),
         "encryption-key-source"),
    Rule("account", _property("encryption", "keyVaultProperties", "keyVaultUri"),
         note("the key of account {account} is in another vault: {now} (was {was})", "high"), "encryption-key-source"),
    Rule("account", _property("publicNetworkAccess"), _public_network, "public-network-access", "network.public_access"),
    Rule("account", _property("networkAcls"), _default_action, "public-network-access", "network.public_access"),
    Rule("account", _property("networkAcls", "defaultAction"), _default_action, "public-network-access", "network.public_access"),
    Rule("account", _property("networkAcls", "ipRules", "*"), _network_rule, "public-network-access", "network.public_access"),
    Rule("account", _property("networkAcls", "virtualNetworkRules", "*"), _network_rule, "public-network-access", "network.public_access"),
    Rule("account", _property("networkAcls", "bypass"), note("which services pass the firewall of account {account}: {now} (was {was})", "medium"),
         "public-network-access", "network.public_access"),
    Rule("account", _property("disableLocalAuth"), flag(True, "account {} accepts its keys again", "account {} accepts identities alone, no keys"),
         "local-auth-disabled", "access.local_auth"),
    Rule("account", _property("storedCompletionsDisabled"),
         flag(True, "account {} may store completions again", "account {} stores no completions any more"), "stored-completions-off", "storage.stored_completions"),
    Rule("account", _property("restrictOutboundNetworkAccess"),
         flag(True, "account {} may open connections to anywhere", "account {} opens connections to named hosts alone"), "outbound-restricted", "network.outbound"),
    Rule("account", _property("allowedFqdnList", "**"), note("the hosts that account {account} may connect to changed: {was} to {now}", "medium"), "outbound-restricted"),
    Rule("account", _property("abusePenalty", "**"), _penalty, "abuse-penalty-absent"),
    Rule("account", _property("raiMonitorConfig", "**"), _monitor_copy, "monitoring-copy-off", "monitoring.monitoring_copy"),
    Rule("account", _property("instant", "**"), _instant, "deploymentless-inference", "location.deploymentless_inference"),
    Rule("account", _property("locations", "**"), note("the regions that account {account} routes to changed: {was} to {now}", "high"), "geography-allowed"),
    Rule("account", _property("userOwnedStorage", "**"), note("the storage that account {account} keeps its data in changed: {was} to {now}", "medium"),
         "linked-resources"),
    Rule("account", _property("endpoint"), note("the endpoint of account {account} is {now} (was {was})", "high"), "endpoint-host"),
    Rule("account", ("location",), note("account {account} is in {now} (was in {was})", "high"), "geography-allowed"),
    Rule("account", ("systemData", "createdAt"), _restored),
    Rule("account", ("identity", "**"), note("the identity of account {account} changed: {was} to {now}", "medium"), None),
    Rule("account", _property("provisioningState"), note("account {account} is {now} (was {was})", "medium"), None),
    Rule("accounts", (), _appeared, None),
)  # fmt: skip
"""Of the answers `account` and `accounts`."""
