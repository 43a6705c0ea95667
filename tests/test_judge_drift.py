"""Drift: everything that changes is a change, except what is listed with its reason."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.judge.drift import Change, Field, changes
from shared.judge.drift_noise import CASELESS, IDENTITY, NOISE, UNORDERED
from tests.test_judge_fuzz import JSON, _spoiled
from tests.test_judge_samples import ACCOUNT, SINGLE, account, bodies, change, deployment, diagnostic_setting, log, model, policy

Json = Any


def _account_fields(before: Json, after: Json) -> list[tuple[str, str, Json, Json]]:
    """The differences of two account answers."""
    found = changes("account", ACCOUNT, [before], [after])
    assert all((c.resource, c.kind) == (ACCOUNT, "account") for c in found)
    return [(f.pointer, f.op, f.was, f.is_) for c in found for f in c.fields]


def _list(kind: str, before: Json, after: Json) -> list[Change]:
    return changes(kind, ACCOUNT, [{"value": before}], [{"value": after}])


def test_nothing_changed() -> None:
    for (kind, resource), body in bodies().items():
        page = body if kind in SINGLE else {"value": body}
        assert changes(kind, resource, [page], [copy.deepcopy(page)]) == []


def test_a_changed_a_new_and_a_lost_field() -> None:
    before, after = account(), account()
    after["properties"]["publicNetworkAccess"] = "Enabled"
    after["properties"]["newThing"] = {"on": True}
    del after["properties"]["disableLocalAuth"]
    assert _account_fields(before, after) == [
        ("/properties/disableLocalAuth", "removed", True, None),
        ("/properties/newThing", "added", None, {"on": True}),
        ("/properties/publicNetworkAccess", "changed", "Disabled", "Enabled"),
    ]


def test_null_is_not_absent() -> None:
    assert _account_fields(account(), account() | {"tags": None}) == [("/tags", "added", None, None)]


@pytest.mark.parametrize(("was", "is_"), [(True, 1), (0, False), (1, 1.0), ("1", 1), (None, False), ([], {}), ("a", "A"), ([1], [True])])
def test_what_python_takes_for_equal_is_not(was: Json, is_: Json) -> None:
    assert _account_fields(account() | {"x": was}, account() | {"x": is_})


def test_numbers_that_are_none() -> None:
    nan = float("nan")
    assert _account_fields(account() | {"x": nan}, account() | {"x": nan}) == []
    assert _account_fields(account() | {"x": [nan]}, account() | {"x": [float("nan")]}) == []


def test_capabilities_by_name_in_any_order() -> None:
    before, after = account(), account()
    after["properties"]["capabilities"].reverse()
    assert _account_fields(before, after) == []
    after["properties"]["capabilities"] = [c for c in after["properties"]["capabilities"] if c["name"] != "ContentLogging"]
    assert _account_fields(before, after) == [("/properties/capabilities/3", "removed", {"name": "ContentLogging", "value": "false"}, None)]


def test_a_capability_that_changes_is_pointed_at_where_it_is_now() -> None:
    before, after = account(), account()
    after["properties"]["capabilities"].reverse()
    after["properties"]["capabilities"][0]["value"] = "true"
    assert _account_fields(before, after) == [("/properties/capabilities/0/value", "changed", "false", "true")]


def test_a_capability_that_comes_twice_is_a_change() -> None:
    before, after = account(), account()
    after["properties"]["capabilities"].append({"name": "contentlogging", "value": "false"})
    assert [field[:2] for field in _account_fields(before, after)] == [("/properties/capabilities/4", "added")]


def test_deployments_by_id() -> None:
    before = [deployment("a"), deployment("b"), deployment("c")]
    moved = change(deployment("a"), "id", deployment("a")["id"].upper())
    after = [deployment("d"), change(deployment("c"), "sku/name", "GlobalStandard"), moved]
    found = _list("deployments", before, after)
    assert [(c.resource.rsplit("/", 1)[1], c.fields[0].op, c.fields[0].pointer, len(c.fields)) for c in found] == [
        ("b", "removed", "", 1),
        ("c", "changed", "/sku/name", 1),
        ("d", "added", "", 1),
    ]
    assert found[0].fields[0].was == deployment("b")
    assert found[2].fields[0].is_ == deployment("d")
    assert all(c.resource == c.resource.lower() and c.kind == "deployments" for c in found)


def test_over_other_pages_is_the_same_list() -> None:
    items = [deployment("a"), deployment("b"), deployment("c")]
    one = [{"value": items[:2], "nextLink": "https://x"}, {"value": items[2:]}]
    assert changes("deployments", ACCOUNT, one, [{"value": items}]) == []


def test_content_filters_by_name_and_source() -> None:
    before, after = policy(), policy()
    after["properties"]["contentFilters"].reverse()
    assert _list("raiPolicies", [before], [after]) == []
    after["properties"]["contentFilters"][11]["severityThreshold"] = "High"
    (found,) = _list("raiPolicies", [before], [after])
    assert found.fields == (Field("/properties/contentFilters/11/severityThreshold", "changed", "Medium", "High", ("hate / prompt",)),)
    assert (before["properties"]["contentFilters"][0]["name"], before["properties"]["contentFilters"][0]["source"]) == ("Hate", "Prompt")


def test_logs_by_category_or_group() -> None:
    before = diagnostic_setting(log("RequestResponse"), log(group="audit"))
    after = diagnostic_setting(log(group="audit", enabled=False), log("RequestResponse"))
    (found,) = _list("diagnosticSettings", [before], [after])
    assert [(f.pointer, f.was, f.is_) for f in found.fields] == [("/properties/logs/0/enabled", True, False)]


def test_models_have_no_id() -> None:
    before, after = [model("a"), model("b")], [model("b", stage="Deprecated"), model("a")]
    (found,) = _list("models", before, after)
    assert (found.resource, found.fields) == (
        ACCOUNT,
        (Field("/value/0/lifecycleStatus", "changed", "GenerallyAvailable", "Deprecated", ("openai / b / 2024-11-20",)),),
    )
    (gone,) = _list("models", before, before[:1])
    assert [(f.pointer, f.op) for f in gone.fields] == [("/value/1", "removed")]


def test_a_resource_that_appears_or_vanishes_is_one_change() -> None:
    assert changes("account", ACCOUNT, None, [account()]) == [Change(ACCOUNT, "account", (Field("", "added", None, account()),))]
    assert changes("account", ACCOUNT, [account()], None) == [Change(ACCOUNT, "account", (Field("", "removed", account(), None),))]
    assert len(changes("deployments", ACCOUNT, None, [{"value": [deployment("a"), deployment("b")]}])) == 2
    assert changes("deployments", ACCOUNT, None, None) == []
    assert changes("deployments", ACCOUNT, [{"value": []}], None) == []


def test_a_list_that_is_none_any_more() -> None:
    (found,) = changes("deployments", ACCOUNT, [{"value": []}], [{"value": None}])
    assert found.fields == (Field("/value", "changed", [], None),)


def test_what_stands_beside_the_members() -> None:
    (found,) = changes("deployments", ACCOUNT, [{"value": [], "warning": "a"}], [{"value": [], "warning": "b"}])
    assert found == Change(ACCOUNT, "deployments", (Field("/warning", "changed", "a", "b"),))
    before, after = {"value": [model("a")], "warning": "a"}, {"value": [model("a", stage="Legacy")], "warning": "b"}
    (found,) = changes("models", ACCOUNT, [before], [after])
    assert [field.pointer for field in found.fields] == ["/value/0/lifecycleStatus", "/warning"]


def test_a_pseudonym_is_one_value() -> None:
    before = change(account(), "identity/principalId", {"committed": "aaa"})
    after = change(account(), "identity/principalId", {"committed": "bbb"})
    assert _account_fields(before, after) == [("/identity/principalId", "changed", {"committed": "aaa"}, {"committed": "bbb"})]
    withheld = change(account(), "identity/principalId", {"withheld": "secret"})
    assert len(_account_fields(before, withheld)) == 1


def test_names_with_slashes_are_escaped() -> None:
    assert _account_fields({"a/b": {"c~d": 1}}, {"a/b": {"c~d": 2}}) == [("/a~1b/c~0d", "changed", 1, 2)]


NOISY: list[tuple[str, str, Json, Json]] = [
    ("account", "etag", "1", "2"),
    ("account", "systemData/lastModifiedAt", "2026-01-01", "2026-01-02"),
    ("account", "systemData/lastModifiedBy", {"committed": "a"}, {"committed": "b"}),
    ("account", "systemData/lastModifiedByType", "User", "Application"),
    ("roleAssignments", "properties/updatedOn", "a", "b"),
    ("roleAssignments", "properties/updatedBy", "a", "b"),
    ("account", "properties/callRateLimit/count", 1, 2),
    ("account", "properties/callRateLimit/renewalPeriod", 1, 2),
    ("account", "properties/callRateLimit/rules/0/count", 1, 2),
    ("account", "properties/callRateLimit/rules/0/renewalPeriod", 1, 2),
    ("deployments", "properties/model/callRateLimit/rules/0/count", 1, 2),
    ("deployments", "properties/model/callRateLimit/rules/0/renewalPeriod", 1, 2),
    ("usages", "currentValue", 1, 2),
    ("usages", "nextResetTime", "a", "b"),
    ("account", "nextLink", "a", "b"),
    ("account", "properties/provisioningState", "Succeeded", "Updating"),
    ("deployments", "properties/provisioningState", "Creating", "Succeeded"),
    ("account", "id", ACCOUNT, ACCOUNT.upper()),
    ("account", "type", "Microsoft.CognitiveServices/accounts", "microsoft.cognitiveservices/Accounts"),
    ("account", "location", "swedencentral", "Sweden Central"),
    ("account", "properties/userOwnedStorage/0/resourceId", "/subscriptions/A/x", "/SUBSCRIPTIONS/a/X"),
    ("deployments", "properties/model/sourceAccount", "/subscriptions/A/x", "/subscriptions/a/x"),
]


def _built(path: str, value: Json) -> Json:
    """A body with one thing in it; lists have one member, which has an identity."""
    for name in reversed(path.split("/")):
        value = [{"key": "k", "name": "n", **value}] if name == "0" else {name: value}
    return value


@pytest.mark.parametrize(("kind", "path", "was", "is_"), NOISY)
def test_noise(kind: str, path: str, was: Json, is_: Json) -> None:
    before, after = _built(path, was), _built(path, is_)
    assert changes(kind, ACCOUNT, [before], [after]) == []
    member = {"id": f"{ACCOUNT}/x/y"} if path != "id" else {}
    assert _list(kind, [{**member, **before}], [{**member, **after}]) == []


@pytest.mark.parametrize(("kind", "path", "was", "is_"), NOISY)
def test_what_is_near_noise_is_not(kind: str, path: str, was: Json, is_: Json) -> None:
    """The same value elsewhere, the field appearing or vanishing where that means something, and fields of a similar name."""
    assert (
        changes(kind, ACCOUNT, [_built(f"{path}x", was)], [_built(f"{path}x", is_)])
        or path in ("id", "type", "location")
        or "/0/" in path
        or (isinstance(was, str) and was.startswith("/subscriptions/"))
    )
    assert changes(kind, ACCOUNT, [_built(f"other/{path}", 1)], [_built(f"other/{path}", 2)])


def test_every_row_of_noise_is_tested_and_has_a_reason() -> None:
    paths = {tuple("*" if name == "0" else name for name in path.split("/")) for _, path, _, _ in NOISY}
    for row in NOISE:
        assert row.path in paths, row
        assert row.why
    assert {(name,) for name, _ in CASELESS} <= paths
    assert all(why for _, why in CASELESS)
    assert all(UNORDERED.values())


@pytest.mark.parametrize("state", ["Failed", "Deleting", "Disabled", "Canceled", "Something", None])
def test_a_state_that_is_no_step_on_the_way_is_drift(state: Json) -> None:
    before, after = deployment("a"), change(deployment("a"), "properties/provisioningState", state)
    assert len(_list("deployments", [before], [after])) == 1
    assert len(_list("deployments", [after], [before])) == 1


def test_a_restored_account_shows_by_when_it_was_created() -> None:
    before = account() | {"systemData": {"createdAt": "2021-11-28T07:41:40Z", "lastModifiedAt": "x"}}
    after = account() | {"systemData": {"createdAt": "2021-11-28T07:42:19Z", "lastModifiedAt": "y"}}
    assert [field[0] for field in _account_fields(before, after)] == ["/systemData/createdAt"]


@pytest.mark.parametrize("name", sorted(UNORDERED))
def test_sets_of_values(name: str) -> None:
    assert _account_fields({name: ["a", "b", "b"]}, {name: ["b", "a", "b"]}) == []
    assert _account_fields({name: ["a", "b"]}, {name: ["b"]}) == [(f"/{name}/0", "removed", "a", None)]
    changed = _account_fields({name: ["a"]}, {name: ["b"]})
    assert sorted(field[:2] for field in changed) == [(f"/{name}/0", "added"), (f"/{name}/0", "removed")]


def test_an_unknown_list_whose_order_changes_is_a_change() -> None:
    assert _account_fields({"steps": ["a", "b"]}, {"steps": ["b", "a"]})
    assert _account_fields({"steps": [{"x": 1}, {"x": 2}]}, {"steps": [{"x": 2}, {"x": 1}]})


@pytest.mark.parametrize("name", sorted(IDENTITY))
def test_lists_by_what_their_members_are_told_apart(name: str) -> None:
    fields = IDENTITY[name]
    one, two = ({field: f"{field}{number}" for field in fields} | {"more": number} for number in (1, 2))
    assert _account_fields({name: [one, two]}, {name: [two, one]}) == []
    assert _account_fields({name: [one, two]}, {name: [two | {"more": 5}, one]}) == [(f"/{name}/0/more", "changed", 2, 5)]


@pytest.mark.parametrize("field", ["id", "name", "key"])
def test_unknown_lists_by_a_likely_identity(field: str) -> None:
    one, two = {field: "1", "x": 1}, {field: "2", "x": 2}
    assert _account_fields({"list": [one, two]}, {"list": [two, one]}) == []
    assert len(_account_fields({"list": [one, two]}, {"list": [two | {"x": 9}, one]})) == 1


def test_two_answers_as_deep_as_they_come() -> None:
    def buried(end: Json) -> Json:
        for _ in range(600):
            end = {"a": end}
        return end

    assert _account_fields(buried(1), buried(1)) == []
    assert len(_account_fields(buried(1), buried(2))) == 1


@settings(max_examples=80, deadline=None)
@given(JSON, JSON)
def test_any_two_answers(before: Json, after: Json) -> None:
    for kind in ("account", "deployments", "models"):
        found = changes(kind, ACCOUNT, [before], [after])
        assert changes(kind, ACCOUNT, [before], [copy.deepcopy(before)]) == []
        for one in found:
            assert one.fields
            assert len({(field.pointer, field.op) for field in one.fields}) == len(one.fields)
        back = changes(kind, ACCOUNT, [after], [before])
        assert bool(found) == bool(back)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_anything_changed_anywhere_is_a_change(data: st.DataObject) -> None:
    """Beside the noise, no place of an account can change unseen, and the change is told from where it is."""
    before = account()
    del before["etag"]
    pointer = data.draw(st.sampled_from(sorted(_places(before))))
    new = data.draw(JSON)
    after = _spoiled(before, pointer, new)
    if json.dumps(after, sort_keys=True) == json.dumps(before, sort_keys=True) or _only_casing(before, after, pointer):
        return
    found = changes("account", ACCOUNT, [before], [after])
    assert found or isinstance(new, str), pointer
    if found and "/capabilities" not in pointer and "/ipRules" not in pointer and pointer:
        assert any(field.pointer.startswith(pointer) or pointer.startswith(field.pointer) for field in found[0].fields)


def _only_casing(before: Json, after: Json, pointer: str) -> bool:
    return (
        json.dumps(before, sort_keys=True).casefold() == json.dumps(after, sort_keys=True).casefold()
        or pointer == "/properties/provisioningState"
    )


def _places(value: Json, pointer: str = "") -> list[str]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [pointer] * bool(pointer) + [found for name, part in inner for found in _places(part, f"{pointer}/{name}")]
