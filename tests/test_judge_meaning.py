"""What changes mean: each incident in the words of the person who must act, with the severity that the catalogue and the profile give."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.judge.catalogue import catalogue
from shared.judge.drift import changes
from shared.judge.meaning import RULES, meanings, worst
from shared.judge.meaning.rules import seen_fields
from shared.judge.profile import DEFAULT, effective
from shared.judge.profile_text import read_profile
from shared.model import SEVERITIES
from tests.test_judge_fuzz import JSON
from tests.test_judge_samples import ACCOUNT, SUBSCRIPTION, account, change, deployment, diagnostic_setting, log, model, policy, tls

Json = Any


def records(kind: str, before: Json, after: Json, resource: str = ACCOUNT) -> list[Json]:
    """Change records as the collector seals them."""
    return [
        {"kind": c.kind, "resource": c.resource, "fields": [{"pointer": f.pointer, "op": f.op, "was": f.was, "is": f.is_, "of": list(f.of)} for f in c.fields]}
        for c in changes(kind, resource, before, after)
    ]


def told(kind: str, before: Json, after: Json, profile: str = "", resource: str = ACCOUNT) -> list[tuple[str, str]]:
    expect = effective(read_profile(profile.encode(), "p.toml") if profile else DEFAULT, resource)
    return [(found.severity, found.text) for record in records(kind, before, after, resource) for found in meanings(record, expect)]


def of_account(path: str, value: Json, before: Json = None) -> list[tuple[str, str]]:
    was = before or account()
    return told("account", [was], [change(was, path, value)])


def of_list(kind: str, before: list[Json], after: list[Json], profile: str = "", resource: str = ACCOUNT) -> list[tuple[str, str]]:
    return told(kind, [{"value": before}], [{"value": after}], profile, resource)


def without(value: Json, *path: Any) -> Json:
    copy = change(value, path[0], value[path[0]]) if len(path) == 1 else change(value, "/".join(map(str, path[:-1])), None)
    found = copy
    original = value
    for name in path[:-1]:
        original = original[name]
    kept = [item for number, item in enumerate(original) if number != path[-1]] if isinstance(original, list) else {k: v for k, v in original.items() if k != path[-1]}
    return change(found, "/".join(map(str, path[:-1])), kept) if len(path) > 1 else kept


OFF = without(account(), "properties", "capabilities", 3)
"""ContentLogging is gone."""


def test_storage_for_abuse_monitoring_is_back_on() -> None:
    assert told("account", [account()], [OFF]) == [
        ("high", "data storage for abuse monitoring is on again for account chat-eu: ContentLogging is gone (was false)")
    ]
    assert told("account", [OFF], [account()]) == [("info", "data storage for abuse monitoring is off for account chat-eu (ContentLogging is false)")]
    assert told("account", [account()], [OFF], '[monitoring]\ncontent_logging = "any"') == [
        ("low", "data storage for abuse monitoring is on again for account chat-eu: ContentLogging is gone (was false)")
    ]


@pytest.mark.parametrize("value", ["true", "", "maybe", None, True])
def test_any_other_value_of_content_logging_is_not_off(value: Json) -> None:
    ((severity, text),) = of_account("properties/capabilities/3/value", value)
    assert severity == "high" and "no longer shows" in text


@pytest.mark.parametrize("value", ["FALSE", "False"])
def test_false_in_another_casing_is_still_off(value: str) -> None:
    assert all(severity in ("info", "low") for severity, _ in of_account("properties/capabilities/3/value", value))


MMK = without(account(), "properties", "encryption")


def test_customer_key_removed_replaced_and_pinned() -> None:
    assert told("account", [account()], [MMK]) == [("medium", "the customer's key chat was replaced by the provider's key for account chat-eu")]
    assert told("account", [MMK], [account()]) == [("info", "a customer's key encrypts account chat-eu now (was the provider's)")]
    version = "properties/encryption/keyVaultProperties/keyVersion"
    assert of_account(version, "0124") == [("medium", "the key of account chat-eu is pinned to version 0124 now (was 0123)")]
    rotating = without(account(), "properties", "encryption", "keyVaultProperties", "keyVersion")
    assert told("account", [account()], [rotating]) == [("medium", "the key of account chat-eu rotates by itself now (was pinned to version 0123)")]
    assert of_account("properties/encryption/keyVaultProperties/keyName", "other")[0] == ("high", "another key encrypts account chat-eu: other (was chat)")


@pytest.mark.parametrize(("path", "value", "severity", "says"), [
    ("properties/publicNetworkAccess", "Enabled", "high", "can be reached from public networks"),
    ("properties/networkAcls/defaultAction", "Allow", "high", "lets in networks that no rule names"),
    ("properties/networkAcls/ipRules", [{"value": "198.51.100.7"}, {"value": "0.0.0.0/0"}], "medium", "0.0.0.0/0 may reach account chat-eu"),
    ("properties/networkAcls/ipRules", [], "info", "198.51.100.7 may not reach account chat-eu any more"),
    ("properties/disableLocalAuth", False, "high", "accepts its keys again"),
    ("properties/storedCompletionsDisabled", False, "medium", "may store completions again"),
    ("properties/restrictOutboundNetworkAccess", False, "low", "may open connections to anywhere"),
    ("location", "eastus", "high", "is in eastus (was in swedencentral)"),
    ("kind", "OpenAI", "low", "kind is OpenAI now (was AIServices)"),
    ("properties/armFeatures", ["x"], "low", "properties/armFeatures"),
])  # fmt: skip
def test_fields_of_an_account(path: str, value: Json, severity: str, says: str) -> None:
    ((found, text),) = of_account(path, value)
    assert says in text
    assert found == severity, text


def test_a_penalty_for_abuse() -> None:
    after = change(account(), "properties", {**account()["properties"], "abusePenalty": {"action": "Block"}})
    ((severity, text),) = told("account", [account()], [after])
    assert severity == "medium" and text == "the provider has a penalty for abuse on account chat-eu (Block)"
    assert told("account", [after], [account()]) == [("info", "the provider's penalty for abuse on account chat-eu is over")]


def test_a_deployment_moves_where_it_processes() -> None:
    zone, world = deployment("gpt", "DataZoneStandard"), deployment("gpt", "GlobalStandard")
    assert of_list("deployments", [zone], [world]) == [
        ("high", "deployment gpt now processes in any geography (GlobalStandard; was: anywhere in the data zone, DataZoneStandard)")
    ]
    ((severity, _),) = of_list("deployments", [world], [zone])
    assert severity == "info"
    ((severity, text),) = of_list("deployments", [zone], [deployment("gpt", "Marvellous")])
    assert severity == "high" and "nobody knows where" in text


def test_a_deployment_comes_and_goes() -> None:
    ((severity, text),) = of_list("deployments", [], [deployment("night", "GlobalStandard")])
    assert (severity, text) == ("high", "deployment night of account chat-eu is new: model gpt-4o 2024-11-20, processed in any geography (GlobalStandard)")
    ((severity, _),) = of_list("deployments", [], [deployment("night", "GlobalStandard")], '[location]\nprocessing_scopes = ["global"]')
    assert severity == "medium"
    ((severity, text),) = of_list("deployments", [deployment("night", "GlobalStandard")], [])
    assert severity == "medium" and "is gone" in text


@pytest.mark.parametrize(("sku", "scopes", "severity"), [
    ("GlobalStandard", 'processing_scopes = ["global", "data-zone"]', "medium"), ("GlobalStandard", 'batch_scopes = ["global"]', "high"),
    ("GlobalBatch", 'processing_scopes = ["global"]', "high"), ("GlobalBatch", 'processing_scopes = ["global"]\nbatch_scopes = ["global"]', "medium"),
    ("Marvellous", 'processing_scopes = ["geography", "global", "data-zone"]', "high"),
])  # fmt: skip
def test_where_a_deployment_moves_to_matters_by_what_the_profile_allows(sku: str, scopes: str, severity: str) -> None:
    for before in ([deployment("gpt", "Standard")], []):
        ((found, _),) = of_list("deployments", before, [deployment("gpt", sku)], f"[location]\n{scopes}")
        assert found == severity, before


def test_what_is_looser_but_not_more_than_the_profile_allows_matters_less() -> None:
    def loosened(profile: str, threshold: str = "Medium") -> str:
        before, after = policy(), policy()
        before["properties"]["contentFilters"][4]["severityThreshold"] = "Low"
        after["properties"]["contentFilters"][4]["severityThreshold"] = threshold
        return of_list("raiPolicies", [before], [after], profile)[0][0]

    assert (loosened(""), loosened("", "High")) == ("low", "medium"), "the default is medium"
    assert loosened('[filters]\nthresholds = {violence = "low"}') == "medium" and loosened('[filters]\nthresholds = {violence = "high"}', "High") == "low"
    lower = [tls() | {"lowest": "TLSv1.3"}], [tls() | {"lowest": "TLSv1.2"}]
    assert [told("tls", *lower, profile)[0][0] for profile in ("", '[tls]\nminimum = "TLSv1.3"')] == ["low", "high"]


def test_a_filter_is_loosened() -> None:
    def entry(**values: Json) -> Json:
        after = policy()
        after["properties"]["contentFilters"][4] |= values  # violence in prompts
        return after

    assert of_list("raiPolicies", [policy()], [entry(blocking=False)]) == [("high", "filter strict of account chat-eu no longer blocks violence in prompts")]
    assert of_list("raiPolicies", [policy()], [entry(enabled=False)])[0][0] == "high"
    ((severity, text),) = of_list("raiPolicies", [policy()], [entry(severityThreshold="High")])
    assert severity in ("high", "medium") and text == "filter strict blocks violence in prompts from severity High on (was Medium)"
    assert of_list("raiPolicies", [policy()], [entry(severityThreshold="Low")])[0][0] == "info"
    ((severity, text),) = of_list("raiPolicies", [policy()], [policy(mode="Asynchronous_filter")])
    assert severity != "info" and "releases text before it is filtered" in text
    gone = policy()
    del gone["properties"]["contentFilters"][4]
    assert of_list("raiPolicies", [policy()], [gone]) == [("high", "filter strict of account chat-eu has no entry for violence in prompts any more")]


def test_logging_is_switched_off() -> None:
    on, off = diagnostic_setting(log("RequestResponse"), log("Trace")), diagnostic_setting(log("RequestResponse", enabled=False), log("Trace"))
    ((severity, text),) = of_list("diagnosticSettings", [on], [off])
    assert severity == "high" and "deletions of files and models are not recorded any more" in text
    ((severity, text),) = of_list("diagnosticSettings", [on], [])
    assert severity == "high" and "is gone" in text
    ((severity, _),) = of_list("diagnosticSettings", [on], [diagnostic_setting(log("RequestResponse"), log("Trace", enabled=False))])
    assert severity == "medium"


def test_a_role_is_granted() -> None:
    granted = {"id": f"{ACCOUNT}/providers/Microsoft.Authorization/roleAssignments/1", "properties": {
        "roleDefinitionId": f"{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/a97b65f3-24c7-4388-baec-2e87135dc908",
        "principalId": "0a0a0a0a-0000-0000-0000-000000000001", "principalType": "User", "scope": ACCOUNT}}  # fmt: skip
    ((severity, text),) = of_list("roleAssignments", [], [granted])
    assert text.startswith("Cognitive Services User was granted to User 0a0a0a0a-0000-0000-0000-000000000001")
    ((back, _),) = of_list("roleAssignments", [granted], [])
    assert severity != "info" and back == "info"
    roles = {profile: of_list("roleAssignments", [], [granted], f"[access]\nroles_allowed = {profile}")[0][0] for profile in ("[]", '["Cognitive Services User"]')}
    assert set(roles.values()) == {"high", "low"} and roles["[]"] == "high"


def test_accounts_go_come_and_are_restored() -> None:
    row = {"id": ACCOUNT, "name": "chat-eu", "location": "swedencentral"}
    ((severity, text),) = of_list("accounts", [row], [], resource=SUBSCRIPTION)
    assert severity == "high" and "gone from the list" in text
    assert of_list("accounts", [], [row], resource=SUBSCRIPTION) == [("medium", "account chat-eu is new, in swedencentral")]
    dated = account() | {"systemData": {"createdAt": "2026-01-01T00:00:00Z"}}
    ((severity, text),) = told("account", [dated], [change(dated, "systemData/createdAt", "2026-02-01T00:00:00Z")])
    assert severity == "high" and "deleted and restored" in text


def test_tls_and_models() -> None:
    ((severity, text),) = told("tls", [tls()], [tls() | {"lowest": "TLSv1"}])
    assert severity == "high" and "TLSv1" in text
    assert told("tls", [tls() | {"lowest": "TLSv1"}], [tls()])[0][0] == "info"
    ((severity, text),) = of_list("models", [model("a")], [model("a", stage="Deprecated")])
    assert severity == "low" and "is Deprecated" in text


def test_a_field_nobody_has_heard_of_is_low_and_never_nothing() -> None:
    after = account()
    after["properties"]["brandNew"] = {"on": True}
    assert told("account", [account()], [after]) == [("low", "chat-eu (account): properties/brandNew is an object now (was absent)")]
    assert told("account", [after], [account()]) == [("low", "chat-eu (account): properties/brandNew is absent now (was an object)")]
    one, other = account(), account()
    one["properties"]["by"], other["properties"]["by"] = {"committed": "a" * 64}, {"committed": "b" * 64}
    assert told("account", [one], [other]) == [("low", "chat-eu (account): properties/by is not what it was (both times a value withheld as personal)")]


def test_what_was_replaced_before_sealing_is_not_shown() -> None:
    ((_, text),) = of_account("identity/principalId", {"committed": "SECRETDIGEST"})
    assert "SECRETDIGEST" not in text and "personal" in text


def test_every_rule_names_a_control_and_a_key_that_there_are() -> None:
    from shared.judge.expectation import BY_PATH

    known = {control.id for control in catalogue().controls}
    assert not [rule for rule in RULES if rule.control and rule.control not in known]
    assert not [rule for rule in RULES if rule.key and rule.key not in BY_PATH]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted({rule.kind for rule in RULES})), JSON, JSON, st.booleans())
def test_whatever_changes_means_something_and_raises_nothing(kind: str, before: Json, after: Json, as_list: bool) -> None:
    pages = ([{"value": [before]}], [{"value": [after]}]) if as_list else ([before], [after])
    for record in records(kind, *pages):
        found = meanings(record, effective(DEFAULT, ACCOUNT))
        assert found and worst(found) in SEVERITIES
        assert all(one.text and one.text.isprintable() for one in found)
        assert len(list(seen_fields(record))) == len(record["fields"])


SPOILABLE = [rule for rule in RULES if rule.kind == "account" and "*" not in "".join(rule.path)]


@pytest.mark.parametrize("rule", SPOILABLE, ids=lambda rule: "/".join(rule.path))
@settings(max_examples=25, deadline=None)
@given(was=JSON, now=JSON, op=st.sampled_from(["added", "removed", "changed"]))
def test_no_rule_stumbles_over_a_value(rule: Any, was: Json, now: Json, op: str) -> None:
    of = [part[1:-1] for part in rule.path if part.startswith("[")]
    pointer = "/" + "/".join("3" if part.startswith("[") else part for part in rule.path)
    field = {"pointer": pointer, "op": op, "was": None if op == "added" else was, "is": None if op == "removed" else now, "of": of}
    (found,) = meanings({"kind": "account", "resource": ACCOUNT, "fields": [field]}, effective(DEFAULT, ACCOUNT))
    assert found.severity in SEVERITIES and found.text.isprintable()
