"""The stand-in's Activity Log: asked by the real client and by hand. What is in it, when, for how long, and what is not."""

import json
import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, ContentDecodePolicy, HeadersPolicy
from azure.mgmt.monitor import MonitorManagementClient

from infra.local.activity_filter import FilterError, read_filter
from infra.local.authorship import Actor
from infra.local.clock import Clock
from infra.local.ids import guid
from infra.local.server import StandIn
from infra.local.world import World
from tests.test_standin import HTTP, SEVEN_DIGITS, Credential, ask

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
SUBSCRIPTION = guid("test", "activity")
COGNITIVE, INSIGHTS, AUTHORIZATION = "Microsoft.CognitiveServices", "Microsoft.Insights", "Microsoft.Authorization"
WORKSPACE = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/logs/providers/Microsoft.OperationalInsights/workspaces/ws"
IDA = Actor("ida.holm@brightwater.example")


class Site:
    def __init__(self):
        self.clock = Clock(START)
        self.world = World(self.clock)
        self.world.add_subscription(SUBSCRIPTION, "activity")
        self.world.actor = IDA
        self.azure = StandIn(self.world)

    def target(self, since=None, until=None, **named):
        now = self.clock()
        since, until = since or now - timedelta(days=89), until or now + timedelta(days=1)
        text = f"eventTimestamp ge '{since:%Y-%m-%dT%H:%M:%S.%fZ}' and eventTimestamp le '{until:%Y-%m-%dT%H:%M:%S.%fZ}'"
        text += "".join(f" and {name} eq '{value}'" for name, value in named.items())
        return f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01&$filter={quote(text)}"

    def events(self, *args, **named):
        answer = ask(self.azure, self.target(*args, **named))
        assert answer.status == 200, answer.body
        return answer.json["value"]

    def told(self, *args, **named):
        """Action and status of each event, oldest first."""
        return [(event["operationName"]["value"].partition("/")[2], event["status"]["value"]) for event in reversed(self.events(*args, **named))]


@pytest.fixture
def site():
    made = Site()
    with made.azure:
        yield made


def account_of(site, name="one"):
    return site.world.create_account(SUBSCRIPTION, "rg-One", name)


def test_an_operation_has_two_or_three_events_that_share_their_ids(site):
    account = account_of(site)
    site.world.put_deployment(account, "chat")
    site.clock.advance(minutes=5)
    site.world.delete_deployment(account, "chat")
    site.clock.advance(hours=1)
    assert site.told(resourceProvider=COGNITIVE) == [
        ("accounts/write", "Started"),
        ("accounts/deployments/write", "Started"),
        ("accounts/write", "Accepted"),
        ("accounts/deployments/write", "Accepted"),
        ("accounts/write", "Succeeded"),
        ("accounts/deployments/write", "Succeeded"),
        ("accounts/deployments/delete", "Started"),
        ("accounts/deployments/delete", "Succeeded"),
    ]
    deleted = [event for event in site.events() if event["operationName"]["value"].endswith("deployments/delete")]
    for shared in ("correlationId", "operationId", "caller", "resourceId"):
        assert len({event[shared] for event in deleted}) == 1
    assert len({event["eventDataId"] for event in deleted}) == 2


def test_an_event_is_shaped_as_documented(site):
    account = account_of(site)
    site.world.put_deployment(account, "chat")
    site.clock.advance(hours=1)
    event = site.events(resourceUri=f"{account}/deployments/chat".upper())[0]
    documented = {"authorization", "caller", "channels", "claims", "correlationId", "eventDataId", "eventName", "category", "eventTimestamp", "id",
                  "level", "operationId", "operationName", "resourceGroupName", "resourceProviderName", "resourceType", "resourceId", "status",
                  "subStatus", "submissionTimestamp", "subscriptionId", "properties", "relatedEvents"}  # fmt: skip
    assert documented <= set(event)
    assert SEVEN_DIGITS.fullmatch(event["eventTimestamp"]) and SEVEN_DIGITS.fullmatch(event["submissionTimestamp"])
    assert event["submissionTimestamp"] > event["eventTimestamp"]
    assert all(set(event[name]) == {"value", "localizedValue"} for name in ("operationName", "status", "subStatus", "category", "eventName"))
    assert event["caller"] == IDA.name
    assert event["claims"]["name"] == "Ida Holm"
    assert event["httpRequest"]["clientIpAddress"].startswith("203.0.113.")
    assert event["resourceId"].lower() == f"{account}/deployments/chat".lower()
    assert re.fullmatch(r".*/events/[0-9a-f-]{36}/ticks/\d{18}", event["id"])
    assert event["resourceGroupName"] == "rg-One"


def test_events_come_late_each_in_its_own_time_and_are_forgotten_after_90_days(site):
    account = account_of(site)
    assert site.events() == []
    site.clock.advance(minutes=2)
    assert site.events() == []
    seen = []
    for _ in range(20):
        site.clock.advance(minutes=1)
        seen.append(len(site.events()))
    assert seen[-1] == 3 and len(set(seen)) > 2
    assert seen == sorted(seen)
    site.clock.advance(days=89)
    assert len(site.events(START - timedelta(seconds=1))) == 3
    site.clock.advance(days=1)
    assert site.events(site.clock() - timedelta(days=90)) == site.world.activity.events(SUBSCRIPTION, site.clock()) == []
    assert account in site.world.accounts()


def test_a_purge_is_outside_any_resource_group(site):
    account = account_of(site)
    site.world.delete_account(account)
    site.world.purge_account(account)
    site.clock.advance(hours=1)
    in_group = site.told(resourceGroupName="rg-one")
    assert ("accounts/delete", "Succeeded") in in_group
    assert not any("deletedAccounts" in action for action, _ in in_group)
    assert not any("deletedAccounts" in action for action, _ in site.told(resourceUri=account))
    [purge, *_] = site.events(resourceProvider=COGNITIVE)
    assert purge["operationName"]["value"] == f"{COGNITIVE}/locations/resourceGroups/deletedAccounts/delete"
    assert purge["resourceGroupName"] == ""
    assert purge["resourceId"].lower().endswith("/locations/swedencentral/resourcegroups/rg-one/deletedaccounts/one")


def test_other_providers_are_asked_for_by_their_names(site):
    account = account_of(site)
    setting = site.world.put_diagnostic_setting(account, "all", ["allLogs"], workspace=WORKSPACE)
    site.world.delete(setting)
    site.world.put_activity_export(SUBSCRIPTION, "export", ["Administrative"], workspace=WORKSPACE)
    site.world.put_role_assignment(account, "Cognitive Services OpenAI User", guid("group"))
    site.clock.advance(hours=1)
    assert [action for action, status in site.told(resourceProvider=INSIGHTS) if status == "Succeeded"] == [
        "diagnosticSettings/write", "diagnosticSettings/delete", "diagnosticSettings/write",
    ]  # fmt: skip
    assert [action for action, status in site.told(resourceProvider=AUTHORIZATION) if status == "Succeeded"] == ["roleAssignments/write"]
    assert sum("/accounts/" in event["resourceId"] for event in site.events(resourceProvider=INSIGHTS)) == 4
    started = site.events(resourceProvider=AUTHORIZATION)[-1]
    assert json.loads(started["properties"]["requestbody"])["properties"]["principalId"] == guid("group")
    assert {event["resourceProviderName"]["value"].lower() for event in site.events()} == {
        COGNITIVE.lower(), INSIGHTS.lower(), AUTHORIZATION.lower()
    }  # fmt: skip


def test_a_policy_that_finds_fault_is_filed_under_the_provider_of_the_resource(site):
    account = account_of(site)
    site.world.activity.record_policy(site.clock(), account, IDA)
    site.clock.advance(hours=1)
    [found] = [event for event in site.events(resourceProvider=COGNITIVE) if event["category"]["value"] == "Policy"]
    assert found["operationName"]["value"] == "Microsoft.Authorization/policies/audit/action"
    assert (found["level"], found["resourceType"]["value"], found["resourceId"].lower()) == ("Warning", f"{COGNITIVE}/accounts", account.lower())
    assert site.events(resourceProvider=AUTHORIZATION) == []


def test_what_belongs_to_one_operation_is_told_once_and_what_microsoft_does_is_not(site):
    account = site.world.create_account(SUBSCRIPTION, "rg", "foundry", kind="AIServices")
    site.world.put_project(account, "desk", default=True)
    site.world.set_content_logging(account, "false")
    site.world.put_private_endpoint(account, "pe")
    site.world.delete_project(account, "desk")
    site.clock.advance(hours=1)
    assert [action for action, status in site.told() if status == "Succeeded"] == [
        "accounts/projects/write", "accounts/privateEndpointConnections/write", "accounts/projects/delete", "accounts/write",
    ]  # fmt: skip


def test_the_data_plane_is_never_in_it_but_readings_of_keys_are(site):
    account = account_of(site)
    file = site.world.data.upload_file(account)
    site.world.data.delete_file(account, file)
    site.world.list_keys(account)
    site.world.regenerate_key(account)
    site.clock.advance(hours=1)
    assert sorted(action for action, status in site.told() if status == "Succeeded") == [
        "accounts/listKeys/action", "accounts/regenerateKey/action", "accounts/write",
    ]  # fmt: skip
    [keys] = [event for event in site.events() if "listKeys" in event["operationName"]["value"] and event["status"]["value"] == "Succeeded"]
    assert (keys["resourceType"]["value"], keys["httpRequest"]["method"]) == (f"{COGNITIVE}/accounts", "POST")
    assert [one.event for one in site.world.truth.happenings if one.event == "keys-listed"] == ["keys-listed"]


def test_refusals_and_promises_are_told_too(site):
    account = account_of(site)
    chat = site.world.put_deployment(account, "chat")
    site.clock.advance(hours=1)
    site.world.attempt("delete", chat)
    site.world.promise_deletion(chat)
    site.clock.advance(hours=1)
    since = site.clock() - timedelta(minutes=70)
    assert site.told(since) == [
        ("accounts/deployments/delete", "Started"),
        ("accounts/deployments/delete", "Started"),
        ("accounts/deployments/delete", "Failed"),
        ("accounts/deployments/delete", "Accepted"),
        ("accounts/deployments/delete", "Succeeded"),
    ]
    [failed] = [event for event in site.events() if event["status"]["value"] == "Failed"]
    assert failed["level"] == "Error"
    assert json.loads(failed["properties"]["statusMessage"])["error"]["code"] == "ScopeLocked"
    assert chat.lower() in site.world.truth.alive(site.clock(), "deployment")


def test_pages_show_what_was_there_when_the_first_was_asked_for(site):
    for number in range(30):
        account_of(site, f"account-{number}")
    site.clock.advance(minutes=10)
    site.azure.page_by("activityLog", 7)
    first = ask(site.azure, site.target())
    ids, link = [event["eventDataId"] for event in first.json["value"]], first.json["nextLink"]
    site.azure.page_by("activityLog", 7)
    visible = len(site.world.activity.events(SUBSCRIPTION, site.clock()))
    while link:
        site.clock.advance(minutes=1)  # more becomes visible meanwhile
        page = ask(site.azure, link.removeprefix(site.azure.endpoint)).json
        ids += [event["eventDataId"] for event in page["value"]]
        link = page.get("nextLink")
    assert len(ids) == len(set(ids)) == visible
    assert len(site.world.activity.events(SUBSCRIPTION, site.clock())) > visible
    bad = ask(site.azure, site.target() + "&%24skiptoken=MTowOng")
    assert (bad.status, bad.code) == (400, "InvalidSkipToken")


def test_the_real_client_reads_it(site):
    account = account_of(site)
    site.world.list_keys(account)
    site.clock.advance(hours=1)
    site.azure.page_by("activityLog", 2)
    policies = [HeadersPolicy(), ContentDecodePolicy(), BearerTokenCredentialPolicy(Credential(), "scope")]
    client = MonitorManagementClient(Credential(), SUBSCRIPTION, base_url=site.azure.endpoint, policies=policies)
    text = f"eventTimestamp ge '{START - timedelta(days=1):%Y-%m-%dT%H:%M:%SZ}' and eventTimestamp le '{site.clock():%Y-%m-%dT%H:%M:%SZ}'"
    events = list(client.activity_logs.list(filter=f"{text} and resourceProvider eq '{COGNITIVE}'", **HTTP))
    assert len(events) == 5
    assert {event.status.value for event in events} == {"Started", "Accepted", "Succeeded"}
    assert all(event.event_timestamp.date() == START.date() and event.caller == IDA.name for event in events)


NOW = START
SPAN = "eventTimestamp ge '2026-11-01T00:00:00Z' and eventTimestamp le '2026-11-22T00:00:00Z'"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eventTimestamp ge '2026-11-01T00:00:00Z'",
        "eventTimestamp le '2026-11-01T00:00:00Z'",
        SPAN.replace(" and ", " or "),
        SPAN + " and operationName eq 'x'",
        SPAN + " and resourceProvider eq 'x' and resourceGroupName eq 'y'",
        SPAN + " and resourceProvider ne 'x'",
        SPAN + " and resourceProvider eq x",
        SPAN + " and eventTimestamp ge '2026-11-02T00:00:00Z'",
        SPAN.replace("2026-11-01", "2026-08-01"),
        SPAN.replace("2026-11-22", "2026-10-22"),
        SPAN.replace("'2026-11-01T00:00:00Z'", "'yesterday'"),
        SPAN.replace("ge ", "gt "),
        SPAN + " and",
    ],
)
def test_a_filter_that_azure_would_refuse_is_refused(site, text):
    with pytest.raises(FilterError):
        read_filter(text, NOW)
    target = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes/management/values?api-version=2015-04-01"
    answer = ask(site.azure, f"{target}&$filter={quote(text)}")
    assert (answer.status, answer.json["code"]) == (400, "BadRequest")


def test_a_filter_may_be_written_in_any_case_and_with_seven_digits():
    text = "EVENTTIMESTAMP GE '2026-11-01T00:00:00.1234567Z' AND eventTimestamp le '2026-11-22T00:00:00' and RESOURCEPROVIDER eq 'Microsoft.X'"
    found = read_filter(text, NOW)
    assert found.since == datetime(2026, 11, 1, 0, 0, 0, 123456, tzinfo=UTC)
    assert (found.until.tzinfo, found.name, found.value) == (UTC, "resourceprovider", "microsoft.x")


def test_clocks_of_witnesses_may_differ(site):
    site.world.activity.skew = timedelta(minutes=-4)
    account_of(site)
    site.clock.advance(hours=1)
    assert site.events()[-1]["eventTimestamp"] < f"{START:%Y-%m-%dT%H:%M:%S}"


def test_what_azure_deletes_by_itself(site):
    site.world.automatic_deletions = True
    account = account_of(site)
    site.world.put_deployment(account, "trial", sku="DeveloperTier")
    site.world.put_deployment(account, "tuned", model="gpt-4o-mini-2024-07-18.ft-1-x")
    site.world.put_deployment(account, "chat")
    site.clock.advance(days=10)
    site.world.use(account, "tuned")
    assert [row["name"] for row in site.world.children(account, "deployments")] == ["tuned", "chat"]
    site.clock.advance(days=14)
    site.world.pass_time()
    assert len(site.world.children(account, "deployments")) == 2
    site.clock.advance(days=2)
    gone = [(one.object, one.cause, one.by, one.at - START) for one in site.world.truth.deletions("deployment")]
    assert gone == [("trial", "developer-tier", None, timedelta(hours=24)), ("tuned", "idle", None, timedelta(days=25))]
    assert not any("deployments/delete" in action for action, _ in site.told())
    site.world.logs_automatic_deletions = True
    site.world.put_deployment(account, "again", sku="DeveloperTier")
    site.clock.advance(days=1, hours=1)
    assert site.told()[-1] == ("accounts/deployments/delete", "Succeeded")


def test_a_deployment_that_was_made_anew_does_not_age_with_the_old_one(site):
    site.world.automatic_deletions = True
    account = account_of(site)
    for hours in (0, 20):
        site.clock.advance(hours=hours)
        site.world.put_deployment(account, "trial", sku="DeveloperTier")
        if not hours:
            site.world.delete_deployment(account, "trial")
    site.clock.advance(hours=10)
    site.world.pass_time()
    assert len(site.world.children(account, "deployments")) == 1
    site.clock.advance(hours=20)
    site.world.pass_time()
    assert site.world.children(account, "deployments") == []


def test_a_soft_deleted_account_is_purged_by_itself(site):
    account = account_of(site)
    site.world.put_deployment(account, "chat")
    site.world.delete_account(account)
    site.clock.advance(hours=47)
    site.world.restore_account(account)
    site.world.delete_account(account)
    site.clock.advance(hours=48)
    assert site.world.deleted_accounts(SUBSCRIPTION) == []
    told = [(one.kind, one.event, one.by) for one in site.world.truth.happenings if one.event in ("deleted", "restored", "purged")]
    assert told == [
        ("deployment", "deleted", IDA.name), ("account", "deleted", IDA.name), ("account", "restored", IDA.name),
        ("deployment", "restored", IDA.name), ("deployment", "deleted", IDA.name), ("account", "deleted", IDA.name), ("account", "purged", None),
    ]  # fmt: skip
