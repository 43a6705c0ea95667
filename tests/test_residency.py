"""Where deployments stood at a moment: by the nearest look on either side, never by one that is not there; and what stays open is said."""

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import layout
from shared.deliver.moment import Around
from shared.deliver.residency_words import sentences
from shared.errors import Misuse
from shared.judge.case import Case
from shared.judge.profile import DEFAULT
from shared.judge.verdict import Unclear
from shared.judge.whereabouts import whereabouts
from shared.model import Answer, Evidence
from shared.records import timestamp
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore
from shared.service.accounts import resources
from shared.service.queries import Filter, reading
from shared.service.residency import residency
from shared.settings import Settings
from tests.fixtures.estate import estate
from tests.fixtures.records import START, Account, LogMaker, account_unit

OTHER = "99999999-1111-2222-3333-444444444444"
ONE, TWO = Account("one"), Account("two", deployments=["GlobalStandard"])


def hour(number):
    return START + timedelta(hours=number)


class Told:
    def __init__(self, folder):
        self.store, self.folder = DirectoryStore(folder), folder
        self.maker = LogMaker(self.store).birth()

    def sweep(self, *accounts, at, **options):
        return self.maker.sweep(list(accounts), slot=hour(at), **options)

    def ask(self, at, resource=None, now=99):
        return residency(reading(Settings(store=str(self.folder))), hour(at), Filter(resource), hour(now))

    def looks(self, account, kind="deployments"):
        """The indexes and times of the answers about the deployments of an account."""
        log = open_log(self.store)
        answers = (pair for pair in log.records(0, log.size) if pair[1]["type"] == "observation" and pair[1]["kind"] == kind)
        return [(index, value["at"]) for index, value in answers if value["resource"] == account.id.lower()]


@pytest.fixture
def told(tmp_path):
    return Told(tmp_path / "store")


def standings(value):
    return {row["resource"].rpartition("/accounts/")[2]: row["standing"] for row in value["deployments"]}


def test_the_nearest_look_on_either_side_is_told_with_its_record_and_how_far_away_it_is(told):
    for at in (0, 6, 12, 18):
        told.sweep(ONE, TWO, at=at)
    value = told.ask(8)
    assert standings(value) == {"one/deployments/d0": "same", "two/deployments/d0": "same"} and value["complete"] is True
    for row, account in zip(value["deployments"], (ONE, TWO), strict=True):
        looks = told.looks(account)
        before, after = looks[1], looks[2]
        assert (row["before"]["record"], row["before"]["at"], row["after"]["record"], row["after"]["at"]) == (*before, *after)
        assert row["before"]["seconds_away"] in range(7195 - 60, 7200) and row["near"] is True
        assert {before[0], after[0]} <= set(row["records"])
        log = open_log(told.store)
        kinds = {next(log.records(one, one + 1))[1]["kind"] for one in row["records"]}
        assert kinds == {"account", "deployments"}
        assert f"(record {before[0]}), and the same" in row["says"]
    one, two = (row["says"] for row in value["deployments"])
    assert "within the account's geography, Sweden; data rests in Sweden" in one and "Standard" in one
    assert "GlobalStandard, so prompts may be processed in any geography; data rests in Sweden" in two
    assert value["deployments"][0]["before"]["shows"]["sku"] == "Standard"


def test_a_moment_within_a_sweep_belongs_to_the_look_before_it(told):
    told.sweep(ONE, at=0)
    told.sweep(replace(ONE, deployments=["GlobalStandard"]), at=6)
    [row] = told.ask(6)["deployments"]
    assert (row["standing"], row["before"]["record"], row["after"]["record"]) == ("changed", *(index for index, _ in told.looks(ONE)))


def test_what_changed_between_the_looks_is_told_from_both_sides(told):
    told.sweep(ONE, at=0)
    told.sweep(replace(ONE, deployments=["DataZoneStandard"]), at=6)
    value = told.ask(3)
    [row] = value["deployments"]
    assert (row["standing"], value["complete"]) == ("changed", False)
    assert (row["before"]["shows"]["sku"], row["after"]["shows"]["sku"]) == ("Standard", "DataZoneStandard")
    assert "data zone" in row["says"] and "which of the two was so then is not shown" in row["says"]


def test_a_move_to_another_region_is_a_change(told):
    told.sweep(ONE, at=0)
    told.sweep(replace(ONE, location="eastus"), at=6)
    [row] = told.ask(3)["deployments"]
    assert row["standing"] == "changed" and (row["before"]["shows"]["geography"], row["after"]["shows"]["geography"]) == ("Sweden", "United States")


def test_what_went_and_what_came_between_the_looks_is_never_certain(told):
    told.sweep(replace(ONE, deployments=["Standard", "Standard"]), TWO, at=0)
    told.sweep(ONE, Account("three"), at=6)
    value = told.ask(3)
    assert standings(value) == {
        "one/deployments/d0": "same", "one/deployments/d1": "gone", "three/deployments/d0": "appeared", "two/deployments/d0": "gone",
    } and value["complete"] is False  # fmt: skip
    told.sweep(replace(ONE, deployments=["Standard", "Standard"]), Account("three"), at=12)
    assert standings(told.ask(9)) == {"one/deployments/d0": "same", "one/deployments/d1": "appeared", "three/deployments/d0": "same"}, "two was gone"
    rows = {row["account"].rpartition("/")[2]: row for row in value["deployments"]}
    log = open_log(told.store)
    lists = [index for index, record in log.records(0, log.size) if record["kind"] == "accounts"]
    assert rows["two"]["after"]["record"] == lists[1] and "may have been gone by then" in rows["two"]["says"]
    assert rows["three"]["before"]["record"] == lists[0] and "may not have existed yet" in rows["three"]["says"]


def test_a_moment_without_an_observation_near_says_between_which_two_it_lies(told):
    told.sweep(ONE, at=0)
    told.sweep(ONE, at=24)
    value = told.ask(12)
    [row] = value["deployments"]
    (first, _), (second, _) = told.looks(ONE)
    assert (row["near"], row["standing"], value["complete"]) == (False, "same", False)
    between = f"between those of 2026-11-01 00:00 UTC (record {first}) and 2026-11-02 00:00 UTC (record {second})"
    assert f"No observation is near: the moment lies {between}" in row["says"]
    assert told.ask(6)["deployments"][0]["near"] is True, "until the next slot, and an hour"
    assert told.ask(8)["deployments"][0]["near"] is False


def test_after_the_last_look_it_is_said_that_there_is_none(told):
    told.sweep(ONE, at=0)
    value = told.ask(3)
    assert standings(value) == {"one/deployments/d0": "latest"} and value["complete"] is True and value["after"] is None
    assert "nothing newer shows it" in value["deployments"][0]["says"]
    late = told.ask(30)["deployments"][0]
    assert late["near"] is False and "No observation is near: the last is of 2026-11-01 00:00 UTC" in late["says"]


def test_a_question_without_an_answer_leaves_the_look_before_it(told):
    told.sweep(ONE, at=0)
    told.sweep(replace(ONE, fails={"deployments": "forbidden"}), at=6)
    told.sweep(ONE, at=12)
    value = told.ask(9)
    [row] = value["deployments"]
    assert [row["before"]["record"], row["after"]["record"]] == [index for index, _ in told.looks(ONE)]
    assert row["failed"]["reason"] == "forbidden" and (row["near"], value["complete"]) == (False, False)
    assert "without an answer (the collector's identity may not read it (403)" in row["says"]
    assert told.ask(15)["deployments"][0]["failed"] is None


def test_what_was_never_read_is_told_as_unread(told):
    told.sweep(replace(ONE, fails={"deployments": "forbidden"}), replace(TWO, deployments=[]), at=0)
    value = told.ask(1)
    assert standings(value) == {"one": "unread", "two": "none"} and value["complete"] is False
    assert any("account one (group rg-ai): where its deployments stood is not known" in line for line in sentences(value))


@pytest.mark.parametrize(("account", "said"), [
    (Account("one", deployments=["NewType"]), 'does not have the type "NewType"'),
    (Account("one", location="atlantis"), "geography nothing names"),
    (Account("one", fails={"account": "forbidden"}), "where data rests is not known"),
])  # fmt: skip
def test_what_the_tables_or_answers_do_not_say_is_not_known(told, account, said):
    told.sweep(account, at=0)
    value = told.ask(1)
    assert value["complete"] is False and said in value["deployments"][0]["says"]


def test_before_the_first_sweep_nothing_is_known(told):
    value = told.ask(1)
    assert value["complete"] is False and "no sweep was closed yet" in value["says"]
    told.sweep(ONE, at=6)
    value = told.ask(1)
    assert standings(value) == {"one/deployments/d0": "first-seen"} and value["complete"] is False
    assert "before the log's first sweep" in value["says"]


def test_a_moment_that_lies_ahead_is_misuse(told):
    with pytest.raises(Misuse, match="lies ahead"):
        told.ask(9, now=8)


def test_one_resource_and_one_that_never_was(told):
    told.sweep(ONE, TWO, at=0)
    assert list(standings(told.ask(1, "two"))) == ["two/deployments/d0"]
    assert list(standings(told.ask(1, f"{ONE.id}/deployments/D0"))) == ["one/deployments/d0"]
    value = told.ask(1, "three")
    assert value["deployments"] == [] and "nothing that is named three was seen on either side, among 2 accounts" in value["says"]


def test_a_subscription_out_of_sight_stays_open_until_it_is_seen(told):
    told.sweep(ONE, Account("far", subscription=OTHER), at=0)
    told.sweep(ONE, at=6)
    value = told.ask(7)
    assert value["complete"] is False and f"subscription {OTHER} was out of sight then" in value["open"][0]
    assert told.ask(1)["open"] == []
    told.sweep(ONE, Account("far", subscription=OTHER), at=12)
    assert told.ask(13)["open"] == [] and told.ask(7)["open"] != []


def test_a_look_because_of_an_event_counts(told):
    told.sweep(ONE, TWO, at=0)
    told.maker.now = hour(2)
    unit = account_unit(ONE.id, ONE.kind).name.removeprefix("account-")
    changed = replace(ONE, deployments=["GlobalStandard"])
    told.maker.sweep([changed], name=f"{hour(2):%Y%m%dT%H%M%SZ}{layout.BY_EVENT}{unit}", scope_resources=[ONE.id.lower()])
    told.sweep(changed, TWO, at=6)
    value = told.ask(3, "one")
    [row] = value["deployments"]
    assert (row["standing"], row["before"]["shows"]["sku"], row["before"]["record"]) == ("same", "GlobalStandard", told.looks(ONE)[1][0])
    assert told.ask(1, "one")["deployments"][0]["standing"] == "changed"


def without_list(told):
    """From now on the list of accounts has no answer."""

    def edit(name, records):
        refused = {"type": "failure", "reason": "forbidden", "detail": "AuthorizationFailed"}
        return [{**value, **refused} if name == layout.PLAN and value["kind"] == "accounts" else value for value in records]

    told.maker.edit = edit


def test_what_an_older_look_showed_is_not_there_where_a_newer_list_has_it_no_more(told):
    others = [Account(name) for name in "abcdef"]  # some of which lie before two in the log, so that it is read that far
    told.sweep(TWO, *others, at=0)
    told.sweep(*(replace(one, fails={"deployments": "timeout"}) for one in others), at=6)
    told.sweep(*others, at=12)
    assert standings(told.ask(9)) == {f"{one.name}/deployments/d0": "same" for one in others}
    told.sweep(ONE, at=13)
    without_list(told)
    told.sweep(ONE, TWO, at=18)
    value = told.ask(19)
    assert standings(value) == {"one/deployments/d0": "latest", "two/deployments/d0": "latest"}, "an answer of its own is newer than the list"
    assert value["complete"] is False and "which accounts it held was not answered" in value["open"][0]


def test_where_list_and_account_had_no_answer_the_newest_of_each_is_looked_for(told):
    told.sweep(ONE, TWO, at=0)
    told.sweep(ONE, TWO, at=6, missing=("two",))
    without_list(told)
    told.sweep(ONE, TWO, at=12, missing=("two",))
    [row] = told.ask(13, "two")["deployments"]
    assert (row["before"]["record"], row["near"]) == (told.looks(TWO)[0][0], False)


# -- what one look shows ------------------------------------------------------------------------------------------------


def looked(*, deployments, properties=None):
    body = ONE.body()
    body["properties"] |= properties or {}
    id_ = ONE.id.lower()
    pages = {"account": body, "deployments": {"value": deployments}}
    answers = {(kind, id_): Answer(kind, id_, number, (page,), None, 200) for number, (kind, page) in enumerate(pages.items())}
    return whereabouts(Case(Evidence(id_, answers), DEFAULT, "public"))


def deployment(sku="Standard", number=0, model="gpt-4o", **properties):
    made = ONE.deployment(sku, number)
    made["properties"] |= properties
    made["properties"]["model"] = {**made["properties"]["model"], "name": model}
    return made


@pytest.mark.parametrize(("made", "said"), [
    (deployment("GlobalStandard", model="gpt-4o.ft-1"), ["Weights of a fine-tuned model may be stored outside the geography"]),
    (deployment("Standard", model="gpt-4o.ft-1"), []),
    (deployment("GlobalStandard"), []),
    (deployment(spilloverDeploymentName="d1"), ['Requests may be handed on to "d1", of type GlobalStandard.']),
    (deployment(parentDeploymentName="d9"), ['Requests may be handed on to "d9", which the account does not list once.']),
    (deployment(routing={}), ["Requests are routed to other models"]),
    (deployment(spilloverDeploymentName=5), ["where a string is due"]),
])  # fmt: skip
def test_what_moves_requests_or_data_on_is_noted(made, said):
    shown = looked(deployments=[made, deployment("GlobalStandard", 1)])[0]
    assert len(shown.notes) == len(said) and all(part in note for part, note in zip(said, shown.notes, strict=True))
    assert shown.scope == ("global" if made["sku"]["name"] == "GlobalStandard" else "geography")


def test_further_regions_are_noted_and_places_point_to_the_bytes():
    [shown] = looked(deployments=[deployment()], properties={"locations": {"routingMethod": "Priority", "regions": [{"name": "eastus"}]}})
    assert shown.notes == ("The account routes to further regions: eastus (United States).",)
    assert [(point.record, point.pointer) for point in shown.points] == [(0, "/location"), (1, "/value/0/sku/name")]


def test_a_deployment_that_is_listed_twice_and_what_is_none_say_nothing():
    assert {(shown.scope, shown.known) for shown in looked(deployments=[deployment(), deployment("GlobalStandard")])} == {(None, False)}
    with pytest.raises(Unclear, match="not a deployment of this account"):
        looked(deployments=[deployment(), {"id": "elsewhere"}])


# -- the two sides ------------------------------------------------------------------------------------------------------

moments = st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=12)


@given(moments, st.integers(0, 9), st.randoms())
def test_the_order_of_reading_does_not_matter(found, at, chance):
    records = [
        (index, {
            "type": "observation" if ok else "failure", "kind": "deployments", "resource": "/r", "at": timestamp(hour(when)), "sweep": "s", "pages": [],
            "reason": "forbidden", "detail": None,
        })
        for index, (when, ok) in enumerate(sorted(found))
    ]  # fmt: skip
    shuffled = list(records)
    chance.shuffle(shuffled)
    around = Around(timestamp(hour(at)))
    for index, value in shuffled:
        around.take(index, value)
    key, moment = ("deployments", "/r"), timestamp(hour(at))
    answers = [index for index, value in records if value["type"] == "observation"]
    before = [index for index in answers if records[index][1]["at"] <= moment]
    after = [index for index in answers if records[index][1]["at"] > moment]
    failed = [i for i, v in records if v["type"] == "failure" and v["at"] <= moment and (v["at"], i) > max(((records[b][1]["at"], b) for b in before), default=("", -1))]
    assert [around.before[key].record if key in around.before else None, around.after[key].record if key in around.after else None] == [
        before[-1] if before else None, after[0] if after else None,
    ]  # fmt: skip
    unanswered = around.unanswered(key)
    assert (unanswered.record if unanswered else None) == (failed[-1] if failed else None)


def test_of_a_whole_company_each_deployment_is_told_as_resources_tells_it(tmp_path):
    """Another way through the same evidence; and what moves requests on is told."""
    with estate(tmp_path) as site:
        site.collect()
        read = site.reading()
        value = residency(read, site.clock(), Filter(), site.clock())
        known = list(resources(read, Filter()))
    rows = {row["resource"]: row for row in value["deployments"]}
    expected = {f"{one['resource']}/deployments/{each['name'].lower()}": (one, each) for one in known for each in one["deployments"]}
    assert {name for name, row in rows.items() if row["standing"] != "none"} == set(expected) and len(expected) > 10
    for name, (account, each) in expected.items():
        shown = rows[name]["before"]["shows"]
        assert (shown["sku"], shown["region"]) == (each["sku"], account["location"].lower()), name
        assert rows[name]["standing"] == "latest"
    told = "\n".join(sentences(value))
    assert re.search(r'policy-chat: .*Requests may be handed on to "policy-chat-spill", of type ', told)
    assert "Requests are routed to other models" in told and "in any geography" in told and "EU zone" in told


def test_the_command(desk):
    now = desk("status", "--json").json["last_sweep"]["closed_at"]
    fine = desk("residency", "--at", now)
    assert (fine.code, fine.err) == (0, "") and "account alpha (group rg) › deployments/chat: Standard, so prompts may be processed within" in fine.out
    one = desk("residency", "--at", now, "--resource", "beta", "--json")
    assert [row["account"].rpartition("/")[2] for row in one.json["deployments"]] == ["beta"]
    assert desk("residency", "--at", "2001-01-01").code == 3
    assert "--at 'soon' is not a date" in desk("residency", "--at", "soon").error
    assert "lies ahead" in desk("residency", "--at", "2999-01-01").error
    assert desk("residency").code == 2
