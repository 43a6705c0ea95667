"""What `verify` makes of lies about the data plane and the logs: each is well sealed, and each is found."""

import json
from datetime import timedelta

import pytest

from shared.collect.children import MOST
from shared.deliver.verify import verify_store
from shared.seal.store import DirectoryStore
from tests.fixtures.records import SIGNER, START, SUBSCRIPTION, Account, LogMaker, old_questions
from tests.test_verify_sweeps import in_batch, only, replaced

KEYS = [SIGNER.key]
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Logs/providers/Microsoft.OperationalInsights/workspaces/First"
OTHER = WORKSPACE.replace("First", "Second")
FULL = Account("full", files=[["file-1", "file-2"], ["file-3"]], jobs=["ftjob-1", "ftjob-B"], stores=["vs_1"], workspaces=[WORKSPACE, OTHER])


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path)


def sealed(store, edit=None, *, accounts=None, sweeps=2, **options):
    maker = LogMaker(store, edit=edit, **options).birth()
    for number in range(sweeps):
        maker.sweep(accounts or [FULL], slot=START + timedelta(hours=6 * (number + 1)))
    return verify_store(store, KEYS)


def dropped(match):
    return in_batch("account", lambda records: [value for value in records if not match(value)])


def of(kind, resource=""):
    return lambda value: value["kind"] == kind and resource in (value["resource"] or "")


def changed(kind, **fields):
    return in_batch("account", lambda records: replaced(of(kind), **fields)(records) if any(map(of(kind), records)) else records)


def request_changed(kind, change):
    def edit(records):
        for place, value in enumerate(records):
            if of(kind)(value):
                records[place] = {**value, "request": change(value["request"])}
                break
        return records

    return in_batch("", edit)


def test_a_truthful_log_verifies(store):
    found = sealed(store, sweeps=3)
    assert (found.exit_code, list(found.problems)) == (0, [])


def test_one_of_before_the_data_plane_was_asked_verifies_too(store):
    maker = LogMaker(store, asks=old_questions()).birth()
    maker.sweep([FULL], slot=START + timedelta(hours=6))
    assert verify_store(store, KEYS).exit_code == 0
    from shared.collect.endpoints import questions

    maker.asks = questions()
    maker.sweep([FULL], slot=START + timedelta(hours=12))
    maker.sweep([FULL], slot=START + timedelta(hours=18))
    assert (verify_store(store, KEYS).exit_code, maker.windows[""]["to"] > "2026") == (0, True)


# -- what was left out --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("match", [
    of("files"), of("servedModels"), of("fineTuningEvents", "/ftjob-b"), of("vectorStoreFiles"), of("resourceLogDeletions", "/second"),
    of("resourceLogOperations", "/first"),
])  # fmt: skip
def test_an_answer_left_out(store, match):
    assert "neither an answer nor a failure" in only(sealed(store, dropped(match)), "answer", "was planned").reason


def test_a_list_of_the_activity_log_left_out(store):
    edit = in_batch("subscription", lambda records: [value for value in records if not of("activityLogInsights")(value)])
    only(sealed(store, edit), "answer", "activityLogInsights of")


@pytest.mark.parametrize("kind", ["fineTuningEvents", "resourceLogDeletions"])
def test_an_answer_about_what_nobody_named(store, kind):
    def edit(records):
        place = next((i for i, value in enumerate(records) if of(kind)(value)), None)
        if place is not None:
            old = records[place]
            other = old["resource"].replace("ftjob-1", "ftjob-9").replace("first", "ninth")
            records.append({**old, "resource": other})
        return records

    only(sealed(store, in_batch("account", edit)), "answer", "though the plan does not ask it")


def test_children_of_a_list_that_failed_are_not_due(store):
    account = Account("full", jobs=[], stores=[], fails={"fineTuningJobs": "forbidden", "vectorStores": "forbidden"})
    found = sealed(store, accounts=[account])
    assert found.exit_code == 3 and list(found.problems) == []


def test_a_member_that_can_be_no_object_is_a_gap(store):
    class Odd(Account):
        def pages(self, kind):
            return [{"object": "list", "data": [{"id": "a/../b"}, {"name": "nameless"}]}] if kind == "fineTuningJobs" else super().pages(kind)

    found = sealed(store, accounts=[Odd("odd")], sweeps=1)
    assert (found.exit_code, [gap.what for gap in found.gaps]) == (3, ["item", "item"]) or {gap.what for gap in found.gaps} == {"item"}


def test_more_children_than_are_asked_about_are_one_failure(store):
    class Many(Account):
        def pages(self, kind):
            ids = [{"id": f"vs_{number}"} for number in range(MOST + 5)]
            return [{"object": "list", "data": ids}] if kind == "vectorStores" else super().pages(kind)

    def edit(name, records):
        """The fixture answers for none: what the collector would have written is put in."""
        if name.startswith("account") and not name.endswith("findings"):
            like = next(value for value in records if value["kind"] == "vectorStores")
            skipped = {"type": "failure", "reason": "skipped", "detail": "more", "response": None, "pages": [], "kind": "vectorStoreFiles"}
            children = [{**like, "kind": "vectorStoreFiles", "resource": f"{like['resource']}/vectorstores/vs_{number}",
                         "request": {"method": "GET", "url": f"https://many.openai.azure.com/openai/v1/vector_stores/vs_{number}/files?limit=100&order=asc"},
                         "pages": [{**like["pages"][0], "url": f"https://many.openai.azure.com/openai/v1/vector_stores/vs_{number}/files?limit=100&order=asc"}]}
                        for number in range(MOST)]  # fmt: skip
            return [*records, *children, {**like, **skipped, "request": {"method": "GET", "url": ""}}]
        return records

    found = sealed(store, edit, accounts=[Many("many")], sweeps=1)
    assert list(found.problems) == [] and [gap.what for gap in found.gaps] == ["failure"]


# -- pages --------------------------------------------------------------------------------------------------------------


def test_the_last_page_of_an_inventory_left_out(store):
    def edit(records):
        for place, value in enumerate(records):
            if of("files")(value):
                records[place] = {**value, "pages": value["pages"][:-1]}
        return records

    assert "page 2 is missing" in only(sealed(store, in_batch("account", edit)), "answer", "files").reason


def test_a_page_of_another_cursor(store):
    def edit(records):
        for place, value in enumerate(records):
            if of("files")(value):
                second = {**value["pages"][1], "url": value["pages"][1]["url"].replace("file-2", "file-1")}
                records[place] = {**value, "pages": [value["pages"][0], second]}
        return records

    only(sealed(store, in_batch("account", edit)), "answer", "not the one that page 1 links to")


# -- where it was asked -------------------------------------------------------------------------------------------------


def moved(kind, old, new):
    def edit(records):
        return [json.loads(json.dumps(value).replace(old, new)) if of(kind)(value) else value for value in records]

    return in_batch("account", edit)


@pytest.mark.parametrize(("kind", "old", "new"), [
    ("servedModels", "full.openai.azure.com", "other.openai.azure.com"),
    ("servedModels", "/openai/v1/models", "/openai/v1/batches"),
    ("fineTuningEvents", "jobs/ftjob-1/", "jobs/ftjob-B/"),
    ("resourceLogDeletions", "api.loganalytics.io", "api.loganalytics.us"),
    ("resourceLogOperations", "/workspaces/Second/query", "/workspaces/First/query"),
])  # fmt: skip
def test_a_question_that_was_asked_elsewhere(store, kind, old, new):
    only(sealed(store, moved(kind, old, new)), "answer", "was not asked where it had to be")


# -- windows ------------------------------------------------------------------------------------------------------------


def shifted(kind, **fields):
    def edit(records):
        for place, value in enumerate(records):
            if of(kind)(value) and "window" in value:
                records[place] = {**value, "window": {**value["window"], **fields}}
        return records

    return in_batch("", edit)


@pytest.mark.parametrize("kind", ["activityLog", "resourceLogDeletions"])
@pytest.mark.parametrize("fields", [
    {"from": "2026-10-31T23:00:00.000000Z"}, {"to": "2026-11-30T00:00:00.000000Z"}, {"previous": {"record": 1, "to": "2026-11-01T00:00:00.000000Z"}},
])
def test_a_window_that_is_not_the_plans(store, kind, fields):
    only(sealed(store, shifted(kind, **fields)), "answer", f"{kind}: was asked for another time than the plan has")


def test_a_window_that_is_not_told(store):
    def edit(records):
        return [{name: field for name, field in value.items() if name != "window"} for value in records]

    only(sealed(store, in_batch("subscription", edit)), "answer", "does not say which time was asked for")


def test_an_address_that_asks_for_another_time(store):
    edit = request_changed("activityLog", lambda request: {**request, "url": request["url"].replace("2026-08", "2026-09")})
    found = sealed(store, edit)
    only(found, "answer", "its address asks for another time than the record says")


@pytest.mark.parametrize(("change", "words"), [
    (lambda body: {**body, "query": body["query"].replace("accounts/full", "accounts/other")}, "another account or time"),
    (lambda body: {**body, "query": body["query"].replace("2026-08", "2026-09")}, "another account or time"),
    (lambda body: {**body, "query": "AzureDiagnostics | take 1"}, "another account or time"),
])  # fmt: skip
def test_a_query_that_asks_something_else(store, change, words):
    edit = request_changed("resourceLogDeletions", lambda request: {**request, "body": change(request["body"])})
    only(sealed(store, edit), "answer", words)


def test_a_query_of_a_later_version_is_said_to_be_unchecked(store):
    def later(request):
        return {**request, "body": {**request["body"], "query": request["body"]["query"] + "| take 5"}}

    found = sealed(store, request_changed("resourceLogDeletions", later))
    assert found.exit_code == 0 and any("the text of the query" in text for text in found.not_checked)


def windows_of_plan(change):
    def edit(records):
        if records[-1]["type"] == "sweep-planned":
            plan = json.loads(json.dumps(records[-1]))
            change(plan)
            records[-1] = plan
        return records

    return in_batch("plan", edit)


def each_window(change):
    def on_plan(plan):
        for unit in plan["units"]:
            for window in unit.get("windows", ()):
                change(window)

    return windows_of_plan(on_plan)


@pytest.mark.parametrize(("change", "words"), [
    (lambda window: window.update({"from": "2026-11-01T11:59:00.000000Z"}), "begins later than the answer before it ended"),
    (lambda window: window["previous"].update(record=window["previous"]["record"] + 1), "is no answer that ended then"),
    (lambda window: window["previous"].update(record=10_000), "is no answer that ended then"),
    (lambda window: window["previous"].update(to="2026-11-01T07:00:00.000000Z"), "is no answer that ended then"),
])  # fmt: skip
def test_a_plan_whose_windows_leave_a_hole_or_follow_nothing(store, change, words):
    only(sealed(store, each_window(change)), "plan", words)


def test_a_plan_whose_windows_end_before_it(store):
    edit = windows_of_plan(lambda plan: plan["windows"].update(to="2026-11-01T00:00:00.000000Z"))
    only(sealed(store, edit), "plan", "its windows end at another time")


# -- shapes -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "fields"), [
    ("files", {"object": 5}), ("files", {"served": True}), ("files", {"window": {"to": "x"}}), ("fineTuningEvents", {"object": {"kind": "x"}}),
    ("resourceLogDeletions", {"request": {"method": "POST", "url": "x", "body": "text"}}),
])  # fmt: skip
def test_fields_that_cannot_be(store, kind, fields):
    only(sealed(store, changed(kind, **fields), sweeps=1), "record", "is missing or malformed")


def test_an_api_that_is_not_served_is_an_answer(store):
    class Retired(Account):
        def pages(self, kind):
            return [{"error": {"code": "EndpointRetired"}}] if kind == "assistants" else super().pages(kind)

    edit = changed("assistants", served=False, response={"status": 410, "request_id": "r", "date": None})
    found = sealed(store, edit, accounts=[Retired("one")])
    assert (found.exit_code, list(found.problems)) == (0, [])
