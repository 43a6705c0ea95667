"""Windows of the logs: each follows what was answered before, fixed by the plan, whatever fails, dies, is lost or comes from another version."""

import itertools
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import faults, log_faults
from infra.local.ids import guid
from infra.local.world import World
from shared import layout
from shared.collect import endpoints
from shared.collect.windows import OVERLAP, REACH, Window, after, previous_of, widest, window_of
from shared.deliver.verify.store import verify_store
from shared.errors import Misuse, Refused
from shared.records import moment, timestamp
from shared.records import whole as whole_record
from shared.seal import note
from shared.service import latest, planning
from shared.service.steps import work
from shared.service.steps.unit import collect_message
from shared.service.steps.work import ForNewerApp
from tests.fixtures.estate import estate
from tests.fixtures.records import old_questions
from tests.fixtures.steps import plant

ACTIVITY = "activityLog"
LOGS = "resourceLogDeletions"


SUBSCRIPTION = guid("test", "windows")
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/Logs/providers/Microsoft.OperationalInsights/workspaces/First"


def small(clock):
    """Two accounts; the logs of one go to a workspace."""
    world = World(clock)
    world.add_subscription(SUBSCRIPTION, "windows")
    claims = world.create_account(SUBSCRIPTION, "rg", "claims")
    world.create_account(SUBSCRIPTION, "rg", "plain", kind="AIServices")
    world.put_diagnostic_setting(claims, "all", ["allLogs"], workspace=WORKSPACE)
    return world


@pytest.fixture
def site(tmp_path):
    with estate(tmp_path, small) as made:
        yield made


def answers(site, kind, *types):
    return [(index, record) for index, record in site.records(*types or ("observation", "failure")) if record["kind"] == kind]


def sound(site):
    found = verify_store(site.store, [note.parse_vkey(site.vkey)])
    assert list(found.problems) == []
    return found


def sweep(site, hours=6, **options):
    done = site.collect(**options)
    site.clock.advance(hours=hours)
    return done


# -- the rule -----------------------------------------------------------------------------------------------------------

TIMES = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 12, 31)).map(lambda at: timestamp(at.replace(tzinfo=UTC)))


@given(st.sampled_from(sorted(OVERLAP)), TIMES, TIMES)
def test_a_window_follows_the_one_before_and_is_never_turned_round(kind, before, at):
    found = after(kind, "/r", {"record": 5, "to": before}, at)
    window = window_of(kind, "/R", [found], widest(at))
    assert window.end == at and window.start <= window.end
    assert window.start >= timestamp(moment(at) - REACH)
    if before <= at and moment(at) - moment(before) < REACH - OVERLAP[kind]:
        assert moment(window.start) == moment(before) - OVERLAP[kind]
    assert window.start <= max(before, widest(at)["from"]), "no hole that Azure could have filled"


def test_what_has_none_before_goes_back_as_far_as_it_can():
    at = "2026-11-01T00:00:00.000000Z"
    assert window_of(ACTIVITY, "/r", [], widest(at)) == Window("2026-08-04T00:00:00.000000Z", at)
    assert window_of("account", "/r", [], widest(at)) is None
    assert window_of(ACTIVITY, "/r", [], None) is None, "a plan of old"
    assert timedelta(days=90) > REACH, "Azure refuses a time that has left its 90 days between planning and asking"


@pytest.mark.parametrize("state", [{}, None, {"to": 5}, {"to": "x", "record": 1}, {"to": "2026-11-01T00:00:00.000000Z"}, {"record": 3, "at": "x"}])
def test_what_is_remembered_wrongly_is_not_followed(state):
    assert previous_of(ACTIVITY, state, "2026-11-01T00:00:00.000000Z") is None


# -- sweeps -------------------------------------------------------------------------------------------------------------


def test_each_sweep_goes_on_where_the_one_before_ended(site):
    for _ in range(3):
        assert sweep(site).complete
    for kind in OVERLAP:
        by_resource = {}
        for index, record in answers(site, kind):
            by_resource.setdefault(record["resource"], []).append((index, record["window"], record["at"]))
        assert by_resource
        for found in by_resource.values():
            assert len(found) == 3 and found[0][1]["previous"] is None
            assert moment(found[0][1]["to"]) - moment(found[0][1]["from"]) == REACH
            for (index, earlier, _), (_, later, _) in itertools.pairwise(found):
                assert later["previous"] == {"record": index, "to": earlier["to"]}
                assert moment(earlier["to"]) - moment(later["from"]) == OVERLAP[kind]
    sound(site)


def test_the_windows_are_the_plans_and_the_plan_is_their_end(site):
    sweep(site)
    sweep(site)
    plan = whole_record(site.records("sweep-planned")[1][1], site.reading().body)
    assert plan["windows"]["to"] == plan["at"]
    listed = {(one["kind"], one["resource"]): one for unit in plan["units"] for one in unit.get("windows", ())}
    asked = [record for kind in OVERLAP for _, record in answers(site, kind) if record["sweep"] == plan["sweep"]]
    assert {(record["kind"], record["resource"]) for record in asked} == set(listed)
    for record in asked:
        planned = listed[record["kind"], record["resource"]]
        assert record["window"] == {"from": planned["from"], "to": plan["at"], "previous": planned["previous"]}
        if record["request"]["method"] == "GET":
            assert planned["from"] in record["request"]["url"] and plan["at"] in record["request"]["url"]


def test_a_question_that_failed_is_asked_again_from_where_it_was_answered(site):
    sweep(site)
    site.azure.faults.add("eventtypes/management", faults.forbidden())
    site.azure.faults.add("/query", log_faults.log_forbidden())
    assert {failed["kind"] for failed in sweep(site).failures} == set(OVERLAP)
    site.azure.faults.clear()
    sweep(site)
    for kind in OVERLAP:
        first, failed, third = (found[1]["window"] for found in sorted(answers(site, kind)) if found[1]["resource"] == answers(site, kind)[0][1]["resource"])
        assert failed["previous"]["to"] == third["previous"]["to"] == first["to"]
        assert moment(first["to"]) - moment(third["from"]) == OVERLAP[kind]
    assert sound(site).exit_code == 3


def test_a_page_that_fails_leaves_the_watermark_and_keeps_what_came(site):
    sweep(site)
    account = next(a for a in site.azure.world.accounts() if "claims" in a)
    subscription = account.split("/")[2]
    for number in range(260):
        site.azure.world.put_deployment(account, f"d{number}", model="gpt-4o", sku="Standard", capacity=1)
    site.clock.advance(hours=1)
    site.azure.faults.add(f"{subscription}/providers/Microsoft.Insights/eventtypes", faults.server_error(500), page=2)
    sweep(site)
    site.azure.faults.clear()
    record = next(r for _, r in answers(site, ACTIVITY, "failure") if subscription in r["resource"])
    assert len(record["pages"]) == 1 and record["pages"][0]["bytes"] > 10_000
    sweep(site)
    again = answers(site, ACTIVITY, "observation")[-1][1]
    assert again["window"]["previous"]["to"] < record["window"]["to"] and len(again["pages"]) > 1
    sound(site)


def state_of(site):
    """What is remembered of answers about windows, by unit."""
    found = {}
    for path in site.store.list(layout.STATE + "unit/"):
        found[path] = {key: value for key, value in json.loads(site.store.get(path)).items() if key.partition(" ")[0] in OVERLAP}
    return found


def lose_units(site):
    for path in list(site.store.list(layout.STATE + "unit/")):
        site.store.delete(path)


def lose_all(site):
    for path in list(site.store.list(layout.STATE)):
        site.store.delete(path)


def tear(site):
    for path in list(site.store.list(layout.STATE + "unit/")):
        site.store.put(path, site.store.get(path)[:-7])


@pytest.mark.parametrize("lose", [lose_units, lose_all, tear])
def test_lost_state_is_read_again_from_the_log(site, lose):
    sweep(site)
    site.azure.faults.add("eventtypes/management", faults.forbidden())
    sweep(site)
    site.azure.faults.clear()
    known = state_of(site)
    assert {key.partition(" ")[0] for answers in known.values() for key in answers} == set(OVERLAP)
    lose(site)
    sweep(site)
    for path, before in known.items():
        plan = whole_record(site.records("sweep-planned")[-1][1], site.reading().body)
        [listed] = [unit.get("windows", []) for unit in plan["units"] if path.endswith(f"/{unit['unit']}.json")]
        assert {f"{w['kind']} {w['resource']}": w["previous"] for w in listed} == {
            key: {"record": value["record"], "to": value["to"]} for key, value in before.items()
        }
    sound(site)


def test_what_cannot_be_read_again_is_asked_for_from_the_beginning(site, monkeypatch):
    sweep(site)
    site.azure.faults.add("eventtypes/management", faults.forbidden())
    sweep(site)
    site.azure.faults.clear()
    lose_all(site)
    monkeypatch.setattr(latest, "LOOK_BACK", 1)
    sweep(site)
    assert [record["window"]["previous"] is None for _, record in answers(site, ACTIVITY)] == [True, False, True]
    assert answers(site, LOGS)[-1][1]["window"]["previous"]["to"] == answers(site, LOGS)[1][1]["window"]["to"]
    sweep(site)
    assert answers(site, ACTIVITY)[-1][1]["window"]["previous"]
    sound(site)


@pytest.mark.parametrize("wrong", [{"record": 10**9}, {"to": "yesterday"}, {"to": None}, {"to": "2036-01-01T00:00:00.000000Z"}, {"record": "3"}])
def test_state_that_is_wrong_is_not_followed(site, wrong):
    sweep(site)
    for path in list(site.store.list(layout.STATE + "unit/")):
        found = json.loads(site.store.get(path))
        changed = {key: {**value, **wrong} if key.partition(" ")[0] in OVERLAP else value for key, value in found.items()}
        site.store.put(path, json.dumps(changed).encode())
    sweep(site)
    assert {record["window"]["previous"] is None for _, record in answers(site, ACTIVITY)} == {True}
    sound(site)


def test_after_a_hundred_days_there_is_a_gap_that_the_window_shows(site):
    sweep(site)
    site.clock.advance(days=100)
    sweep(site)
    window = answers(site, ACTIVITY)[-1][1]["window"]
    assert window["previous"]["to"] < window["from"]
    sound(site)


def test_a_clock_that_was_set_back_leaves_no_gap(site):
    sweep(site)
    site.clock.advance(hours=-12)
    sweep(site)
    sweep(site, hours=30)
    sweep(site)
    reached = ""
    for _, record in answers(site, ACTIVITY):
        if record["resource"] == answers(site, ACTIVITY)[0][1]["resource"]:
            assert not reached or record["window"]["from"] <= reached
            reached = max(reached, record["window"]["to"])
    sound(site)


# -- workspaces ---------------------------------------------------------------------------------------------------------


def where(site):
    return {record["resource"].partition("/workspaces/")[2] for _, record in answers(site, LOGS)}


def test_workspaces_come_from_the_accounts_own_settings(site):
    sweep(site)
    found = {(r["unit"], r["resource"].partition("/workspaces/")[0]) for _, r in answers(site, LOGS)}
    settings = [(r["unit"], r["resource"]) for _, r in site.records("observation") if r["kind"] == "diagnosticSettings"]
    assert 0 < len(found) < len(settings), "some accounts send their logs nowhere, and nothing is asked about them"
    assert all(r["request"]["method"] == "POST" and r["request"]["url"].endswith("/query") for _, r in answers(site, LOGS))
    sound(site)


def test_one_that_is_named_is_asked_about_every_account(site):
    workspace = WORKSPACE.replace("Logs", "Ops").replace("First", "Central")
    sweep(site, settings={"workspace_id": workspace})
    assert where(site) == {f"{SUBSCRIPTION}/ops/central", f"{SUBSCRIPTION}/logs/first"}
    central = [r for _, r in answers(site, LOGS) if r["resource"].endswith("/ops/central")]
    assert len(central) == len({r["unit"] for _, r in answers(site, "account")})
    assert {r.get("reason") for r in central} == {"not-found"}, "the stand-in has none of that name, and says so"
    assert whole_record(site.records("sweep-planned")[0][1], site.reading().body)["workspace"] == workspace
    sound(site)


@pytest.mark.parametrize("bad", ["central", "/subscriptions/x", "https://portal.azure.com/x", "/subscriptions/a/resourceGroups/b/providers/x/workspaces/../y"])
def test_a_name_that_is_none_is_misuse(site, bad):
    with pytest.raises(Misuse, match="EVIDENCE_WORKSPACE_ID"):
        site.collect(settings={"workspace_id": bad})
    assert site.records("sweep-planned") == []


def test_an_account_with_two_workspaces_has_an_answer_of_each(site):
    account = next(a for a in site.azure.world.accounts() if "claims" in a)
    other = WORKSPACE.replace("First", "second")
    site.azure.world.put_diagnostic_setting(account, "second", ["RequestResponse"], workspace=other)
    sweep(site)
    site.azure.world.logs.deny(other)
    sweep(site)
    site.azure.world.logs.deny(other, False)
    sweep(site)
    own = [(r["resource"].rpartition("/")[2], r["type"], r["window"]) for _, r in answers(site, LOGS) if r["resource"].startswith(account.lower())]
    assert {name for name, *_ in own} > {"second"}
    second = [window for name, _, window in own if name == "second"]
    first = [window for name, _, window in own if name != "second"]
    assert second[2]["previous"]["to"] == second[0]["to"], "one that failed does not move on"
    assert first[2]["previous"]["to"] == first[1]["to"], "and does not hold the other back"
    sound(site)


def test_a_partial_result_is_a_failure_whose_page_is_kept(site):
    site.azure.faults.add("/query", log_faults.partial_result())
    done = sweep(site)
    assert {failed["kind"] for failed in done.failures} == {"resourceLogDeletions", "resourceLogOperations"}
    for _, record in answers(site, LOGS):
        assert (record["type"], record["reason"], record["detail"]) == ("failure", "partial", "PartialError")
        [page] = record["pages"]
        body = json.loads(site.store.get(layout.body(page["sha256"])))
        assert body["error"]["code"] == "PartialError" and body["error"]["message"] == {"withheld": "unlisted"}
    sound(site)


def test_rows_name_nobody_in_clear(site):
    world = site.azure.world
    account = next(a for a in world.accounts() if "claims" in a)
    world.data.delete_file(account, world.data.upload_file(account))
    world.list_keys(account)
    site.clock.advance(hours=1)
    sweep(site)
    record = next(r for _, r in answers(site, LOGS) if r["resource"].startswith(account.lower()))
    table = json.loads(site.store.get(layout.body(record["pages"][0]["sha256"])))["tables"][0]
    names = [column["name"] for column in table["columns"]]
    rows = [dict(zip(names, row, strict=True)) for row in table["rows"]]
    assert {row["OperationName"] for row in rows} >= {"Files_Delete", "ListKey"}
    assert all(row["CallerIPAddress"] == "" or set(row["CallerIPAddress"]) == {"committed"} for row in rows)
    assert any(json.loads(row["Properties"]).get("objectId") for row in rows if row["Properties"])
    activity = [r for _, r in answers(site, ACTIVITY) if r["resource"].split("/")[2] in account.lower()]
    events = json.loads(site.store.get(layout.body(activity[0]["pages"][0]["sha256"])))["value"]
    assert any(event["operationName"]["value"].endswith("listKeys/action") for event in events)
    assert all("committed" in event["caller"] for event in events)


# -- versions -----------------------------------------------------------------------------------------------------------


def test_a_store_of_before_still_verifies_and_goes_on(site, monkeypatch):
    with monkeypatch.context() as old:
        old.setattr(planning, "questions", old_questions)
        old.setattr(planning, "widest", lambda at: None)
        sweep(site)
        plan = whole_record(site.records("sweep-planned")[0][1], site.reading().body)
        assert "files" not in json.dumps(plan["questions"]) and plan["windows"] is None
    assert not [r for _, r in site.records("observation", "failure") if r["kind"] in endpoints.UNCOMPARED]
    sound(site)
    sweep(site)
    sweep(site)
    assert answers(site, "files") and answers(site, ACTIVITY)
    sound(site)


def test_a_sweep_planned_before_is_finished_as_it_was_planned(tmp_path, monkeypatch):
    """The plan is the older version's, the workers are this one's."""
    with plant(tmp_path, world=small) as works:
        with monkeypatch.context() as old:
            old.setattr(planning, "questions", old_questions)
            old.setattr(planning, "widest", lambda at: None)
            works.plan()
        works.collect()
        works.settle()
        assert list(works.verify().problems) == []
        assert not [r for _, r in works.estate.records("observation", "failure") if r["kind"] in endpoints.UNCOMPARED]


@pytest.mark.parametrize("longest", [10**6, 10], ids=["told", "not told"])
def test_the_windows_are_those_of_the_plan(tmp_path, monkeypatch, longest):
    """Not told: too many for a message, or it is of an app that knew of none."""
    monkeypatch.setattr(work, "LONGEST", longest)
    with plant(tmp_path, world=small) as works:
        for turn in range(2):
            works.plan()
            told = [json.loads(message).get("windows") for message in works.queues.waiting[layout.COLLECT_QUEUE]]
            assert any(told) == (longest > 100 and turn == 1)
            works.collect()
            works.settle()
            works.estate.clock.advance(hours=6)
        assert list(works.verify().problems) == []
        assert [r["window"]["previous"] is None for _, r in answers(works.estate, ACTIVITY)] == [True, False]


def test_windows_that_no_plan_has_are_not_asked_for(tmp_path):
    with plant(tmp_path, world=small) as works:
        works.plan()
        works.collect()
        works.settle()
        works.estate.clock.advance(hours=6)
        works.plan()
        [honest] = [m for m in works.queues.waiting[layout.COLLECT_QUEUE] if json.loads(m)["asked"] == "subscription"]
        message = json.loads(honest)
        for change in ({"from": "2026-11-02T00:00:00.000000Z"}, {"resource": "/subscriptions/x"}, {"more": 1}):
            windows = [{**message["windows"][0], **change}, *message["windows"][1:]]
            with pytest.raises(Refused, match="no unit"):
                collect_message(works.app(), json.dumps({**message, "windows": windows}).encode())
        for windows in ([5], [{}], message["windows"][:1]):
            with pytest.raises(Refused, match="no unit"):
                collect_message(works.app(), json.dumps({**message, "windows": windows}).encode())
        with pytest.raises(Refused, match="names what no sweep has"):
            collect_message(works.app(), json.dumps({**message, "windows": [float("nan")]}).encode())
        assert "collected" in collect_message(works.app(), honest if isinstance(honest, bytes) else honest.encode())


def later_questions():
    return {**endpoints.questions(), "account:OpenAI": ["account", "tomorrowsQuestion"]}


def test_a_sweep_of_a_later_version_is_left_to_it(tmp_path, monkeypatch):
    with plant(tmp_path, world=small) as works:
        with monkeypatch.context() as later:
            later.setattr(planning, "questions", later_questions)
            works.plan()
        with pytest.raises(ForNewerApp, match="tomorrowsQuestion"):
            works.collect()
        assert not [r for _, r in works.estate.records("observation") if r["kind"] == "deployments"]


def test_on_a_command_line_it_is_said(site, monkeypatch):
    with monkeypatch.context() as later:
        later.setattr(planning, "questions", later_questions)
        with pytest.raises(Misuse, match="later version .*tomorrowsQuestion"):
            sweep(site)


def test_a_clock_that_ran_ahead_heals(site):
    sweep(site)
    site.clock.advance(days=400)
    sweep(site)
    site.clock.advance(days=-399)
    sweep(site)
    sweep(site)
    windows = [r["window"] for _, r in answers(site, ACTIVITY)]
    assert [window["previous"] is None for window in windows] == [True, False, True, False]
    assert windows[3]["previous"]["to"] == windows[2]["to"]
    sound(site)
