"""Each control of an account: what satisfies it, what does not, what leaves it unknown, and when it does not apply."""

from typing import Any

import pytest

from tests.test_judge_samples import (
    ACCOUNT,
    PROJECT,
    SUBSCRIPTION,
    Bodies,
    account,
    as_profile,
    bodies,
    capability_host,
    change,
    changed,
    connection,
    diagnostic_setting,
    evidence,
    judged,
    log,
    only,
    perimeter,
    policy,
    private_endpoint,
    region,
    role_assignment,
)

Json = Any
COMMITTED = {"committed": "3q2+7w=="}
OWN = {"keyName": "k", "keyVaultUri": "https://v", "keyVersion": "1"}


def _account(path: str, new: Json) -> Bodies:
    """The sample with one thing of the account changed, in its own answer and in the subscription's list."""
    given = changed("account", path, new)
    return {**given, ("accounts", SUBSCRIPTION): [given["account", ACCOUNT]]}


def _capabilities(*entries: Json) -> Bodies:
    return _account("properties/capabilities", [{"name": "VirtualNetworks"}, *entries])


def _openai() -> Bodies:
    """The sample as kind OpenAI, of which projects and connections are not asked."""
    given = _account("kind", "OpenAI")
    foundry = ("projects", "connections", "capabilityHosts", "projectConnections", "projectCapabilityHosts")
    return {key: body for key, body in given.items() if key[0] not in foundry}


def _lists(**given: Json) -> Bodies:
    """The sample with other answers about the account."""
    return {**bodies(), **{(kind, ACCOUNT): body for kind, body in given.items()}}


def _monitoring_copy(target: Json) -> Bodies:
    return _account("properties/raiMonitorConfig", {"adxStorageResourceId": target})


OFF = {"name": "ContentLogging", "value": "false"}

CASES: list[tuple[str, Bodies, str, str, str]] = [
    # control, evidence, profile, status, part of the reason
    ("content-logging-off", bodies(), "", "satisfied", "default expectation: off"),
    ("content-logging-off", _capabilities({"name": "contentlogging", "value": "FALSE"}), "", "satisfied", "off"),
    ("content-logging-off", _capabilities(), "", "not-satisfied", "is absent"),
    ("content-logging-off", _account("properties/capabilities", []), "", "not-satisfied", "is absent"),
    ("content-logging-off", _capabilities(OFF, OFF), "", "unknown", "more than once"),
    ("content-logging-off", _capabilities({"name": "ContentLogging", "value": "true"}), "", "unknown", '"true"'),
    ("content-logging-off", _capabilities({"name": "ContentLogging", "value": " false"}), "", "unknown", "only"),
    ("content-logging-off", _capabilities({"name": "ContentLogging", "value": False}), "", "unknown", "false"),
    ("content-logging-off", _capabilities({"name": "ContentLogging", "value": None}), "", "unknown", "null"),
    ("content-logging-off", _capabilities({"name": "ContentLogging"}), "", "unknown", "without a value"),
    ("content-logging-off", _capabilities(OFF, 5), "", "unknown", "list of objects"),
    ("content-logging-off", _capabilities(OFF, {"name": None}), "", "unknown", "name is null"),
    ("content-logging-off", _account("properties/capabilities", ...), "", "unknown", "no capabilities"),
    ("content-logging-off", _account("properties/capabilities", None), "", "unknown", "null"),
    ("content-logging-off", _account("properties/capabilities", OFF), "", "unknown", "an object where a list is due"),
    ("content-logging-off", _account("properties", ...), "", "unknown", "no properties"),
    ("content-logging-off", _account("id", f"{ACCOUNT}x"), "", "unknown", "about this account"),
    ("content-logging-off", _account("id", ...), "", "unknown", "about this account"),
    ("content-logging-off", _lists(account="forbidden"), "", "unknown", "may not read it (403)"),
    ("content-logging-off", _lists(account="throttled"), "", "unknown", "throttled"),
    ("content-logging-off", _lists(account="a-reason-of-later"), "", "unknown", "a-reason-of-later"),
    ("content-logging-off", bodies(), '[monitoring]\ncontent_logging = "any"', "not-applicable", "is off; the profile expects nothing"),
    ("abuse-penalty-absent", bodies(), "", "satisfied", "no penalty"),
    ("abuse-penalty-absent", _account("properties/abusePenalty", {"action": "Throttle"}), "", "not-satisfied", "Throttle"),
    ("abuse-penalty-absent", _account("properties/abusePenalty", {"action": "Warn"}), "", "unknown", "unknown sort"),
    ("abuse-penalty-absent", _account("properties/abusePenalty", {}), "", "unknown", "no action"),
    ("abuse-penalty-absent", _account("properties/abusePenalty", None), "", "unknown", "null"),
    ("monitoring-copy-off", bodies(), "", "satisfied", "absent"),
    ("monitoring-copy-off", _monitoring_copy("/subscriptions/1/x"), "", "not-satisfied", "is copied to"),
    ("monitoring-copy-off", _monitoring_copy(COMMITTED), "", "unknown", "withheld as personal"),
    ("monitoring-copy-off", bodies(), '[monitoring]\nmonitoring_copy = "any"', "not-applicable", "expects nothing"),
    ("defender-for-ai", bodies(), "", "not-applicable", "is enabled"),
    ("defender-for-ai", bodies(), '[monitoring]\ndefender_for_ai = "enabled"', "satisfied", "expected by the profile: enabled"),
    ("defender-for-ai", bodies(), '[monitoring]\ndefender_for_ai = "disabled"', "not-satisfied", "is enabled"),
    ("defender-for-ai", _lists(defenderForAISettings=[]), '[monitoring]\ndefender_for_ai = "disabled"', "unknown", "not documented"),
    ("defender-for-ai", _lists(defenderForAISettings=[{"properties": {"state": "Half"}}]), "", "unknown", "not known"),
    ("geography-allowed", bodies(), "", "not-applicable", "geography Sweden, by Azure's own list"),
    ("geography-allowed", bodies(), '[location]\ngeographies = ["Sweden", "France"]', "satisfied",
     "expected by the profile: France, Sweden"),
    ("geography-allowed", _account("location", "West Europe"), '[location]\ngeographies = ["sweden"]', "not-satisfied", "Europe"),
    ("geography-allowed", _account("location", "atlantis"), '[location]\ngeographies = ["Sweden"]', "unknown", "atlantis"),
    ("geography-allowed", _account("location", ...), "", "unknown", "no location"),
    ("geography-allowed", _account("location", 7), "", "unknown", "7 where a string"),
    ("geography-allowed", _account("location", "uksouth"), '[location]\ngeographies = ["United Kingdom"]', "satisfied",
     "our table of 2026-08"),
    ("geography-allowed", _account("properties/locations", {"regions": [{"name": "eastus"}]}), '[location]\ngeographies = ["Sweden"]',
     "not-satisfied",
     "routes to eastus"),
    ("geography-allowed", _account("properties/locations", {"regions": None}), '[location]\ngeographies = ["Sweden"]', "unknown", "null"),
    ("eea-location", bodies(), "", "satisfied", "(SE), in the European Economic Area by our table of 2026-08"),
    ("eea-location", _account("location", "norwayeast"), "", "satisfied", "(NO)"),
    ("eea-location", _account("location", "switzerlandnorth"), "", "not-applicable", "outside"),
    ("eea-location", _account("location", "uksouth"), "[location]\neea = true", "not-satisfied", "expected by the profile: inside it"),
    ("eea-location", _account("location", "atlantis"), "", "unknown", "cannot say"),
    ("eea-location", {**bodies(), ("locations", SUBSCRIPTION): [region("swedencentral", "United States")]}, "", "unknown", "cannot say"),
    ("deploymentless-inference", bodies(), "", "not-applicable", "elsewhere"),
    ("deploymentless-inference", bodies(), '[location]\ndeploymentless_inference = "any"', "not-applicable", "expects nothing"),
    ("deploymentless-inference", _openai(), "", "not-applicable", "no projects"),
    ("deploymentless-inference", _account("location", "westus3"), "", "unknown", "not shown at this api-version"),
    ("deploymentless-inference", _account("properties/instant", {"modelAllowList": []}), "", "unknown", "not documented"),
    ("deploymentless-inference", {**_account("location", "West US 3"), ("projects", ACCOUNT): []}, "", "not-applicable", "has none"),
    ("encryption-key-source", bodies(), "", "satisfied", "customer's key"),
    ("encryption-key-source", _account("properties/encryption", ...), "", "satisfied", "as the provider documents where nothing is set"),
    ("encryption-key-source", _account("properties/encryption", ...), '[encryption]\nkey_source = "customer"', "not-satisfied",
     "provider's keys"),
    ("encryption-key-source", _account("properties/encryption", {"keySource": "microsoft.cognitiveservices"}), "", "satisfied",
     "provider's keys"),
    ("encryption-key-source", bodies(), '[encryption]\nkey_source = "microsoft"', "not-satisfied", "customer's key"),
    ("encryption-key-source", _account("properties/encryption", {}), "", "unknown", "no keySource"),
    ("encryption-key-source", _account("properties/encryption", None), "", "unknown", "null"),
    ("encryption-key-source", _account("properties/encryption/keySource", "Elsewhere"), "", "unknown", "not known"),
    ("encryption-key-source", _account("properties/encryption/keyVaultProperties", ...), "", "unknown", "no keyVaultProperties"),
    ("encryption-key-source", _account("properties/encryption/keyVaultProperties/keyName", ""), "", "unknown", "a name is due"),
    ("encryption-key-version", bodies(), "", "not-applicable", "pinned"),
    ("encryption-key-version", bodies(), '[encryption]\nkey_version = "pinned"', "satisfied", "pinned"),
    ("encryption-key-version", bodies(), '[encryption]\nkey_version = "rotating"', "not-satisfied", "pinned"),
    ("encryption-key-version", _account("properties/encryption/keyVaultProperties/keyVersion", ...),
     '[encryption]\nkey_version = "rotating"',
     "satisfied", "newest"),
    ("encryption-key-version", _account("properties/encryption/keyVaultProperties/keyVersion", ""), '[encryption]\nkey_version = "pinned"',
     "not-satisfied", "newest"),
    ("encryption-key-version", _account("properties/encryption/keyVaultProperties/keyVersion", 1), "", "unknown", "string"),
    ("encryption-key-version", _account("properties/encryption", ...), '[encryption]\nkey_version = "pinned"', "not-applicable",
     "no version"),
    ("encryption-coverage", bodies(), "", "unknown", "hosted agents"),
    ("encryption-coverage", _account("properties/encryption", ...), "", "not-applicable", "provider's keys"),
    ("encryption-scopes", bodies(), "", "not-applicable", "no encryption scopes"),
    ("encryption-scopes", _lists(encryptionScopes=[{"name": "s", "properties": {"keySource": "Microsoft.KeyVault",
     "keyVaultProperties": OWN}}]),
     '[encryption]\nkey_source = "customer"', "satisfied", "1 encryption scope"),
    ("encryption-scopes", _lists(encryptionScopes=[{"name": "s", "properties": {"keySource": "Microsoft.CognitiveServices"}}]),
     '[encryption]\nkey_source = "customer"', "not-satisfied", '"s" differ'),
    ("encryption-scopes", _lists(encryptionScopes=[{"name": "s"}]), "", "unknown", "no properties"),
    ("encryption-scopes", _lists(encryptionScopes=[{"name": "s", "properties": {"keySource": "Microsoft.CognitiveServices"}}]), "",
     "not-applicable", "expects nothing"),
    ("tls-minimum", bodies(), "", "satisfied", "TLSv1.2 (default expectation: TLSv1.2 or later)"),
    ("tls-minimum", bodies(), '[tls]\nminimum = "TLSv1.3"', "not-satisfied", "accepted TLSv1.2"),
    ("tls-minimum", changed("tls", "versions/TLSv1.1", "accepted"), "", "not-satisfied", "accepted TLSv1.1"),
    ("tls-minimum", changed("tls", "versions/TLSv1", "not-offered"), "", "unknown", "could not be tried"),
    ("tls-minimum", changed("tls", "versions/TLSv1", "no-answer"), "", "unknown", "could not be tried"),
    ("tls-minimum", changed("tls", "versions/TLSv1", "perhaps"), "", "unknown", "not known"),
    ("tls-minimum", changed("tls", "versions/TLSv1", ...), "", "unknown", "no TLSv1"),
    ("tls-minimum", changed("tls", "lowest", "TLSv1.3"), "", "unknown", "no version"),
    ("tls-minimum", changed("tls", "host", "elsewhere.openai.azure.com"), "", "unknown", "does not name"),
    ("tls-minimum", changed("tls", "", "unreachable"), "", "unknown", "could not be reached"),
    ("tls-certificate", bodies(), "", "satisfied", "trusted"),
    ("tls-certificate", {**bodies(), ("tls", ACCOUNT): bodies()["tls", ACCOUNT] | {"trusted": False, "trust_error": "self-signed"}}, "",
     "not-satisfied", "self-signed"),
    ("tls-certificate", changed("tls", "trusted", "true"), "", "unknown", "true or false"),
    ("tls-certificate", changed("tls", "trusted", ...), "", "unknown", "no trusted"),
    ("tls-certificate", changed("tls", "chain", []), "", "unknown", "without showing"),
    ("tls-certificate", changed("tls", "chain/0/sha256", None), "", "unknown", "null"),
    ("public-network-access", bodies(), "", "satisfied", "disabled"),
    ("public-network-access", _account("properties/publicNetworkAccess", "Enabled"), "", "satisfied",
     "1 address rule and 0 subnets, and trusted services"),
    ("public-network-access", _account("properties/publicNetworkAccess", "Enabled"), '[network]\npublic_access = "disabled"',
     "not-satisfied", "denied but"),
    ("public-network-access", _account("properties", {"publicNetworkAccess": "Enabled"}), "", "not-satisfied", "no rule denies"),
    ("public-network-access", _account("properties", {}), "", "not-satisfied", "not shown as disabled"),
    *(("public-network-access", _account("properties", {"networkAcls": {"defaultAction": "deny", "ipRules": [{"value": v} for v in rules]}}), "",
       status, word) for *rules, status, word in (
        ("0.0.0.0/0", "not-satisfied", "lets everybody in"), ("::/1", "not-satisfied", "lets everybody in"),
        ("0.0.0.0/2", "64.0.0.0/3", "96.0.0.0/3", "not-satisfied", "lets everybody in"), ("0.0.0.0/2", "64.0.0.0/3", "64.0.0.0/3", "satisfied", "3 address"),
        ("198.51.100.7", "203.0.113.9/24", "satisfied", "2 address rules"), ("0.0.0.0-255.255.255.255", "unknown", "cannot be read"))),
    ("public-network-access", _account("properties", {"networkAcls": {"defaultAction": "Deny", "ipRules": {}}}), "", "unknown",
     "a list is due"),
    ("public-network-access", _account("properties/publicNetworkAccess", "SecuredByPerimeter"), "", "unknown", "perimeter"),
    ("public-network-access", _account("properties/publicNetworkAccess", "Sometimes"), "", "unknown", "not known"),
    ("public-network-access", _account("properties/publicNetworkAccess", None), "", "unknown", "null"),
    ("public-network-access", bodies(), '[network]\npublic_access = "any"', "not-applicable", "expects nothing"),
    ("private-endpoints", bodies(), "", "not-applicable", "1 private endpoint is connected, 1 approved"),
    ("private-endpoints", bodies(), '[network]\nprivate_endpoint = "required"', "satisfied", "1 approved"),
    ("private-endpoints", _lists(privateEndpointConnections=[private_endpoint("Pending")]), '[network]\nprivate_endpoint = "required"',
     "not-satisfied", "0 approved"),
    ("private-endpoints", _lists(privateEndpointConnections=[{"properties": {}}]), "", "unknown", "no privateLinkServiceConnectionState"),
    ("network-perimeter", bodies(), "", "not-applicable", "enforced"),
    ("network-perimeter", bodies(), '[network]\nperimeter = "enforced"', "satisfied", "enforced"),
    ("network-perimeter", _lists(networkSecurityPerimeterConfigurations=[perimeter("Learning")]), '[network]\nperimeter = "enforced"',
     "not-satisfied", "learning"),
    ("network-perimeter", _lists(networkSecurityPerimeterConfigurations=[]), '[network]\nperimeter = "enforced"', "not-satisfied",
     "no network"),
    ("network-perimeter", _lists(networkSecurityPerimeterConfigurations="forbidden"), "", "unknown", "403"),
    ("outbound-restricted", bodies(), "", "not-applicable", "restricted to a list"),
    ("outbound-restricted", bodies(), '[network]\noutbound = "restricted"', "satisfied", "restricted"),
    ("outbound-restricted", _account("properties/restrictOutboundNetworkAccess", ...), '[network]\noutbound = "restricted"',
     "not-satisfied", "not shown"),
    ("outbound-restricted", _account("properties/restrictOutboundNetworkAccess", "True"), "", "unknown", '"True"'),
    ("local-auth-disabled", bodies(), "", "satisfied", "disabled"),
    ("local-auth-disabled", _account("properties/disableLocalAuth", ...), "", "not-satisfied", "absent"),
    ("local-auth-disabled", _account("properties/disableLocalAuth", False), "", "not-satisfied", "enabled"),
    ("local-auth-disabled", _account("properties/disableLocalAuth", "true"), "", "unknown", "true or false is due"),
    ("local-auth-disabled", _account("properties/disableLocalAuth", 1), "", "unknown", "1 where"),
    ("local-auth-disabled", bodies(), '[access]\nlocal_auth = "any"', "not-applicable", "expects nothing"),
    ("role-assignments", bodies(), "", "not-applicable", "Cognitive Services OpenAI User (1)"),
    ("role-assignments", bodies(), '[access]\nroles_allowed = ["Cognitive Services OpenAI User"]', "satisfied", "2 role assignments apply"),
    ("role-assignments", bodies(), "[access]\nroles_allowed = []", "not-satisfied", "not allowed: Cognitive Services OpenAI User"),
    ("role-assignments", _lists(roleAssignments=[role_assignment("1111")]), "[access]\nroles_allowed = []", "unknown", "not built-in"),
    ("role-assignments", _lists(roleAssignments=[role_assignment("1111")]), '[access]\nroles_allowed = ["1111"]', "satisfied", "1 role"),
    ("role-assignments", _lists(roleAssignments=[]), "[access]\nroles_allowed = []", "satisfied", "0 role assignments"),
    ("role-assignments", _lists(roleAssignments=[{"properties": {"roleDefinitionId": COMMITTED}}]), "", "unknown", "withheld"),
    ("data-plane-logging", bodies(), "", "satisfied", "default expectation: RequestResponse"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log("requestresponse"))]), "", "satisfied", "sent"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log(group="audit"))]), "", "not-satisfied", "the group audit"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log(group="audit"))]), '[logging]\ncategories = ["Audit"]',
     "satisfied", "Audit"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log(group="allLogs", enabled=False))]), "", "not-satisfied",
     "none sends"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log(group="allLogs"), workspace=None)]), "", "not-satisfied",
     "none sends"),
    ("data-plane-logging", _lists(diagnosticSettings=[]), "", "not-satisfied", "no diagnostic setting"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log(group="allLogs", enabled="true"))]), "", "unknown",
     "cannot be read"),
    ("data-plane-logging", _lists(diagnosticSettings=[diagnostic_setting(log("RequestResponse", "audit"))]), "", "unknown",
     "cannot be read"),
    ("data-plane-logging", _lists(diagnosticSettings=[{"properties": None}]), "", "unknown", "cannot be read"),
    ("data-plane-logging", _lists(diagnosticSettings=[{"properties": None}, diagnostic_setting(log(group="allLogs"))]), "", "satisfied",
     "sent"),
    ("data-plane-logging", bodies(), "[logging]\ncategories = []", "not-applicable", "no category"),
    ("stored-completions-off", bodies(), "", "satisfied", "disabled"),
    ("stored-completions-off", _account("properties/storedCompletionsDisabled", ...), "", "not-satisfied", "absent"),
    ("stored-completions-off", _account("properties/storedCompletionsDisabled", None), "", "unknown", "null"),
    ("stored-completions-off", bodies(), '[storage]\nstored_completions = "any"', "not-applicable", "expects nothing"),
    ("agent-storage", bodies(), "", "not-applicable", "1 project and 2 capability hosts"),
    ("agent-storage", bodies(), '[storage]\nagent_storage = "own"', "satisfied", "each names storage of your own"),
    ("agent-storage", _lists(capabilityHosts=[capability_host(threadStorageConnections=[])]), '[storage]\nagent_storage = "own"',
     "not-satisfied", "threadStorageConnections"),
    ("agent-storage", {**_lists(capabilityHosts=[]), ("projectCapabilityHosts", PROJECT): []}, '[storage]\nagent_storage = "own"',
     "unknown", "provider's"),
    ("agent-storage", _lists(capabilityHosts=[capability_host(storageConnections="c")]), "", "unknown", "a list is due"),
    ("agent-storage", {key: body for key, body in bodies().items() if key[0] != "projectCapabilityHosts"}, "", "unknown", "not asked"),
    ("agent-storage", {**bodies(), ("projectCapabilityHosts", PROJECT): "forbidden"}, "", "unknown", "403"),
    ("agent-storage", _lists(projects=[]), "", "not-applicable", "no projects"),
    ("agent-storage", _openai(), "", "not-applicable", "of this kind"),
    ("linked-resources", bodies(), "", "unknown", "1 linked resource (AzureOpenAI)"),
    ("linked-resources", _openai(), "", "not-applicable", "no linked"),
    ("linked-resources", {**_openai(), ("account", ACCOUNT): change(account() | {"kind": "OpenAI"}, "properties/userOwnedStorage",
     [{"resourceId": "/x"}])},
     "", "unknown", "storage"),
    ("linked-resources", _account("properties/amlWorkspace", {"resourceId": "/x"}), "", "unknown", "2 linked resources (AzureOpenAI, workspace)"),
    ("linked-resources", _account("properties/userOwnedStorage", "no"), "", "unknown", "a list is due"),
    ("preview-connections", bodies(), "", "satisfied", "0 in preview"),
    ("preview-connections", _lists(connections=[connection({"ApiVersion": "2023-07-01-preview"})]), "", "not-satisfied",
     "2023-07-01-preview"),
    ("preview-connections", _lists(connections=[connection({"ApiVersion": "2023-07-01-preview"})]), '[preview]\nuse = "allowed"',
     "not-applicable", "allows"),
    ("preview-connections", {**bodies(), ("projectConnections", PROJECT): [connection()]}, "", "not-applicable", "names the version"),
    ("preview-connections", _lists(connections=[connection({"ApiVersion": None})]), "", "unknown", "null"),
    ("preview-connections", _lists(connections=[connection({"ApiVersion": "latest"})]), "", "unknown", '"latest"'),
    ("preview-connections", _openai(), "", "not-applicable", "of this kind"),
    ("model-inventory", bodies(), "", "satisfied", "5 deployments serve gpt-4o 2024-11-20 (5)"),
    ("model-inventory", _lists(deployments=[]), "", "not-applicable", "no deployments"),
    ("model-inventory", changed("deployments", "0/properties/model/version", ...), "", "unknown", "no version"),
    ("model-inventory", changed("deployments", "0/id", "elsewhere"), "", "unknown", "cannot be counted"),
    ("blocklists-present", bodies(), "", "not-applicable", "refers to a blocklist"),
    ("blocklists-present", _lists(raiPolicies=[policy(customBlocklists=[{"blocklistName": "words", "blocking": True,
     "source": "Prompt"}])]), "",
     "satisfied", "exist and block"),
    ("blocklists-present", _lists(raiPolicies=[policy(customBlocklists=[{"blocklistName": "gone", "blocking": True}])]), "",
     "not-satisfied", "does not exist"),
    ("blocklists-present", _lists(raiPolicies=[policy(customBlocklists=[{"blocklistName": "words", "blocking": False}])]), "",
     "not-satisfied",
     "does not block"),
    ("blocklists-present", _lists(raiPolicies=[policy(customBlocklists=[{"blocklistName": "words"}])]), "", "unknown", "no blocking"),
    ("blocklists-present", _lists(raiPolicies=[policy(customBlocklists=None)]), "", "unknown", "null"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("control", "given", "profile", "status", "reason"), CASES, ids=[f"{c[0]}-{c[3]}-{i}" for i, c in enumerate(CASES)]
)
def test_control(control: str, given: Bodies, profile: str, status: str, reason: str) -> None:
    found = only(judged(control, given, profile))
    assert (found.status, found.resource) == (status, ACCOUNT), found.reason
    assert reason in found.reason
    assert found.reason.endswith(".")
    assert "\n" not in found.reason
    if status in ("satisfied", "not-satisfied"):
        assert found.points


def test_what_nobody_can_observe_is_unknown() -> None:
    found = only(judged("threads-unobservable"))
    assert found.status == "unknown"
    assert found.reason.startswith("Unobservable: ")


def test_every_account_control_has_rows_for_each_status_it_can_have() -> None:
    """The table above leaves out only what lies in other tables."""
    rows: dict[str, set[str]] = {}
    for control, _, _, status, _ in CASES:
        rows.setdefault(control, set()).add(status)
    never = {
        "encryption-coverage": {"satisfied", "not-satisfied"},  # what is not covered may not be used
        "linked-resources": {"satisfied", "not-satisfied"},  # where they are is not collected
        "deploymentless-inference": {"satisfied", "not-satisfied"},  # no api-version in use shows it
        "abuse-penalty-absent": {"not-applicable"},
        "encryption-key-source": {"not-applicable"},
        "tls-minimum": {"not-applicable"},
        "tls-certificate": {"not-applicable"},
        "model-inventory": {"not-satisfied"},
    }
    for control, seen in rows.items():
        assert seen | never.get(control, set()) == {"satisfied", "not-satisfied", "unknown", "not-applicable"}, (control, seen)


HOSTS = [
    ("https://x.openai.azure.com/", "public", True),
    ("https://x.openai.azure.com:443", "public", True),
    ("HTTPS://X.OpenAI.Azure.com/path?q#f", "public", True),
    ("https://eastus.api.cognitive.microsoft.com/", "public", True),
    ("https://x.services.ai.azure.com/api/projects/p", "public", True),
    ("https://eastus.stt.speech.microsoft.com", "public", True),
    ("https://x.openai.azure.us/", "usgov", True),
    ("https://x.openai.azure.cn/", "china", True),
    ("https://x.openai.azure.us/", "public", False),
    ("https://x.openai.azure.com/", "china", False),
    ("https://x.openai.azure.com/", "atlantis", False),
    ("http://x.openai.azure.com/", "public", False),
    ("https://evilopenai.azure.com/", "public", False),
    ("https://openai.azure.com/", "public", False),
    ("https://x.openai.azure.com.evil.example/", "public", False),
    ("https://x.openai.azure.com@evil.example/", "public", False),
    ("https://evil.example#@x.openai.azure.com", "public", False),
    ("https://evil.example?x.openai.azure.com", "public", False),
    ("https://evil.example\\.openai.azure.com/", "public", False),
    ("https://user:p@x.openai.azure.com/", "public", False),
    ("https://x.openai.azure.com:8443/", "public", False),
    ("https://x.openai.azure.com./", "public", False),
    ("https://x..openai.azure.com/", "public", False),
    ("https://-x.openai.azure.com/", "public", False),
    ("https://x\t.openai.azure.com/", "public", False),
    ("https://x\n.openai.azure.com/", "public", False),
    (" https://x.openai.azure.com/", "public", False),
    ("https://%78.openai.azure.com/", "public", False),
    ("https://ⅹ.openai.azure.com/", "public", False),
    ("https:///x.openai.azure.com/", "public", False),
    ("x.openai.azure.com", "public", False),
    ("", "public", False),
    ("https://127.0.0.1:8443/", "public", False),
    ("http://127.0.0.1:8443/a", "loopback", True),
    ("http://[::1]:1/", "loopback", True),
    ("http://localhost", "loopback", True),
    ("http://127.0.0.1.evil.example/", "loopback", False),
    ("http://127.0.0.1@evil.example/", "loopback", False),
    ("http://x.openai.azure.com/", "loopback", False),
    ("https://x.openai.azure.com/", "loopback", True),
]


@pytest.mark.parametrize(("url", "cloud", "fine"), HOSTS)
def test_endpoint_host(url: str, cloud: str, fine: bool) -> None:
    """In `endpoint` and among `endpoints` alike: no user, suffix, port, dot, scheme or character makes another host pass."""
    given = _account("properties", {"endpoint": url})
    status = only(judged("endpoint-host", given, cloud=cloud)).status
    assert status == ("satisfied" if fine else "not-satisfied" if url else "unknown")
    own = "https://chat-eu.openai.azure.com" if cloud in ("public", "loopback") else "https://a.openai.azure.us"
    among = only(judged("endpoint-host", _account("properties", {"endpoint": own, "endpoints": {"A": own, "B": url or "x"}}), cloud=cloud))
    assert (among.status == "satisfied") == (fine and cloud != "china")


@pytest.mark.parametrize("odd", [None, 5, [], {"A": 1}, {"A": None}, {"A": COMMITTED}])
def test_endpoints_of_another_shape_are_unknown(odd: Json) -> None:
    assert only(judged("endpoint-host", _account("properties/endpoints", odd))).status == "unknown"
    assert only(judged("endpoint-host", _account("properties/endpoint", odd))).status == "unknown"


def test_hosts_are_those_that_the_collector_talks_to() -> None:
    """The collector sends nothing to a host that the judge would call foreign."""
    clouds = pytest.importorskip("shared.collect.clouds", reason="NOT TESTED: the collector is not there")
    from shared.judge.data import table

    for name, domains in table("hosts")["domains"].items():
        assert set(clouds.CLOUDS[name].account_domains) <= set(domains)


def test_an_override_reaches_what_it_covers() -> None:
    text = f'[network]\npublic_access = "any"\n[resource."{ACCOUNT}".network]\npublic_access = "disabled"'
    found = only(judged("public-network-access", bodies(), text))
    assert (found.status, "expected by the profile for this resource: disabled" in found.reason) == ("satisfied", True)
    other = text.replace("chat-eu", "another")
    assert only(judged("public-network-access", bodies(), other)).status == "not-applicable"
    assert as_profile(text) != as_profile(other)
    assert evidence().resource == ACCOUNT
