"""The stand-in for Azure behaves as Azure is documented to, its faults included: asked by the real SDK and by hand."""

import contextlib
import gzip
import http.client
import json
import re
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, IncompleteReadError, ResourceNotFoundError
from azure.core.pipeline.policies import BearerTokenCredentialPolicy, ContentDecodePolicy, HeadersPolicy
from azure.mgmt.cognitiveservices import CognitiveServicesManagementClient
from azure.mgmt.core.policies import ARMAutoResourceProviderRegistrationPolicy
from hypothesis import given
from hypothesis import strategies as st

from infra.local import faults
from infra.local.authorship import Actor
from infra.local.child_shapes import content_filters
from infra.local.clock import Clock
from infra.local.endpoints_tls import SilentEndpoint, TlsEndpoint, TlsVersion, can_speak
from infra.local.faults import Fault
from infra.local.ids import account_id, account_name, fold, guid, subscription_of
from infra.local.property_path import remove_at, set_at
from infra.local.recorded import recorded_world
from infra.local.regions import location_rows
from infra.local.scenarios import PROD_EU, SANDBOX, demo_world, drift, estate
from infra.local.server import StandIn
from infra.local.storage_shape import put_evidence_account
from infra.local.throttle import TokenBuckets
from infra.local.wire import MalformedError, parse_head
from infra.local.world import World
from shared.collect.endpoints import BY_KIND, COGNITIVE, ENDPOINTS, Endpoint
from shared.collect.windows import Window
from shared.records import timestamp

Json = Any

START = datetime(2026, 11, 22, 18, 0, tzinfo=UTC)
ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT.parent / "shared" / "examples"
SUBSCRIPTION = guid("test", "subscription")
SEVEN_DIGITS = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z")


class Answer(NamedTuple):
    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def json(self) -> Json:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        return str(self.json["error"]["code"])


class Credential:
    """A credential that knows one token, good for ever."""

    def get_token(self, *scopes: str, **options: Any) -> AccessToken:
        return AccessToken("stand-in", int(time.time()) + 3600)


def ask(azure: StandIn, target: str, method: str = "GET", *, timeout: float = 10, body: bytes | None = None, **headers: str) -> Answer:
    """One request over a connection of its own, with a token unless `Authorization` says otherwise."""
    connection = http.client.HTTPConnection(azure.endpoint.removeprefix("http://"), timeout=timeout)
    sent = {"Authorization": "Bearer stand-in", **{name.replace("_", "-"): value for name, value in headers.items()}}
    try:
        connection.request(method, target, body, {name: value for name, value in sent.items() if value})
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def url(kind: str, resource: str = "") -> str:
    """The collector's own question about a resource."""
    return BY_KIND[kind].url(resource)


def sdk(azure: StandIn, subscription: str = SUBSCRIPTION) -> Any:
    """The real client, without retries and without the policy that registers providers. (Untyped: in its models all may be None.)"""
    policies = [HeadersPolicy(), ContentDecodePolicy(), BearerTokenCredentialPolicy(Credential(), "scope")]
    return CognitiveServicesManagementClient(Credential(), subscription, base_url=azure.endpoint, policies=policies)


HTTP = {"enforce_https": False}


@pytest.fixture
def clock() -> Clock:
    return Clock(START)


@pytest.fixture
def world(clock: Clock) -> World:
    """One subscription with one account of each sort."""
    world = World(clock)
    world.add_subscription(SUBSCRIPTION, "test")
    account = world.create_account(SUBSCRIPTION, "rg-One", "aoai-one", location="swedencentral")
    for number in range(5):
        world.put_deployment(account, f"chat-{number}", sku="GlobalStandard")
    foundry = world.create_account(SUBSCRIPTION, "rg-One", "foundry-one", kind="AIServices", location="EASTUS2")
    project = world.put_project(foundry, "desk", default=True)
    world.put_connection(project, "files", category="AzureStorageAccount", auth="AccountKey", credentials={"key": "s3cret"})
    world.create_account(SUBSCRIPTION, "rg-Two", "forms", kind="FormRecognizer", location="westeurope")
    return world


@pytest.fixture
def azure(world: World) -> Iterator[StandIn]:
    with StandIn(world) as azure:
        yield azure


# every question the collector asks


def questions(azure: StandIn) -> Iterator[tuple[Endpoint, str]]:
    """Every row of the endpoint table about every resource it is asked about, whatever the kind of account."""
    world = azure.world
    for endpoint in ENDPOINTS:
        if endpoint.scope in ("data", "fineTuningJob", "vectorStore", "workspace"):
            continue  # not of Resource Manager: tests/test_dataplane.py, tests/test_logs.py
        if endpoint.scope == "tenant":
            yield endpoint, ""
        elif endpoint.scope in ("plan", "subscription"):
            yield from ((endpoint, row["id"]) for row in world.subscriptions.values())
        elif endpoint.scope == "account":
            yield from ((endpoint, account) for account in world.accounts())
        elif endpoint.scope == "store":
            yield endpoint, put_evidence_account(world, next(iter(world.subscriptions)))
        else:
            projects = [project["id"] for account in world.accounts() for project in world.children(account, "projects")]
            yield from ((endpoint, project) for project in projects)


def test_every_row_of_the_endpoint_table_is_served_for_every_resource(clock: Clock) -> None:
    with StandIn(demo_world(clock)) as azure:
        asked = 0
        for endpoint, resource in questions(azure):
            week = Window(*(f"{clock() - timedelta(days=days):%Y-%m-%dT%H:%M:%S.%fZ}" for days in (7, 0)))
            answer = ask(azure, endpoint.url(resource, week))
            assert answer.status == 200, (endpoint.kind, resource, answer.body)
            assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
            if endpoint.is_list:
                assert all(isinstance(row, dict) for row in answer.json["value"])
            else:
                assert fold(answer.json["id"]) == fold(resource + endpoint.path)
            asked += 1
        assert asked > 8 * len([e for e in ENDPOINTS if e.scope == "account"])
        assert azure.violations == []


def test_the_sdk_reads_what_the_world_holds(azure: StandIn) -> None:
    client = sdk(azure)
    accounts = list(client.accounts.list(**HTTP))
    assert [(account.name, account.kind) for account in accounts] == [
        ("aoai-one", "OpenAI"),
        ("foundry-one", "AIServices"),
        ("forms", "FormRecognizer"),
    ]
    one = client.accounts.get("rg-one", "AOAI-ONE", **HTTP)
    assert one.properties.endpoint == "https://aoai-one.openai.azure.com/"
    assert one.properties.encryption is None
    assert [d.sku.name for d in client.deployments.list("rg-One", "aoai-one", **HTTP)] == ["GlobalStandard"] * 5
    policies = {p.name: p for p in client.rai_policies.list("rg-One", "aoai-one", **HTTP)}
    assert set(policies) == {"Microsoft.Default", "Microsoft.DefaultV2"}
    assert policies["Microsoft.DefaultV2"].properties.type == "SystemManaged"
    assert [p.name for p in client.projects.list("rg-One", "foundry-one", **HTTP)] == ["foundry-one/desk"]
    connections = client.project_connections.list("rg-One", "foundry-one", "desk", **HTTP)
    assert [c.properties.category for c in connections] == ["AzureStorageAccount"]
    assert len(list(client.accounts.list_models("rg-One", "aoai-one", **HTTP))) > 35
    assert list(client.deleted_accounts.list(**HTTP)) == []
    assert [s.state for s in client.defender_for_ai_settings.list("rg-One", "aoai-one", **HTTP)] == ["Disabled"]
    assert [a.name for a in client.accounts.list_by_resource_group("RG-ONE", **HTTP)] == ["aoai-one", "foundry-one"]
    with pytest.raises(ResourceNotFoundError):
        client.accounts.get("rg-One", "nowhere", **HTTP)
    assert azure.violations == []
    assert all(request.has_authorization and request.host in azure.endpoint for request in azure.requests)


# shapes


def test_defaults_are_absent_and_capabilities_may_have_no_value(azure: StandIn) -> None:
    properties = ask(azure, url("account", azure.world.account("aoai-one"))).json["properties"]
    for name in ("encryption", "networkAcls", "disableLocalAuth", "storedCompletionsDisabled", "abusePenalty"):
        assert name not in properties
    capabilities = {capability["name"]: capability.get("value") for capability in properties["capabilities"]}
    assert {"name": "CustomerManagedKey"} in properties["capabilities"]
    assert capabilities["quotaRefundsEnabled"] == "false"
    assert "ContentLogging" not in capabilities
    assert properties["callRateLimit"]["rules"]


def test_times_have_seven_digits_and_creation_is_dated_twice(azure: StandIn) -> None:
    account = ask(azure, url("account", azure.world.account("foundry-one"))).json
    created, dated = account["systemData"]["createdAt"], account["properties"]["dateCreated"]
    assert SEVEN_DIGITS.fullmatch(created)
    assert SEVEN_DIGITS.fullmatch(dated)
    assert created < dated
    assert "@" in account["systemData"]["createdBy"]
    assert account["location"] == "EASTUS2"
    assert account["properties"]["armFeatures"] == []


def test_locations_are_62_physical_and_40_logical() -> None:
    rows = location_rows(SUBSCRIPTION)
    physical = [row["metadata"] for row in rows if row["metadata"]["regionType"] == "Physical"]
    assert (len(physical), len(rows) - len(physical)) == (62, 40)
    assert all(row["geography"] for row in physical)
    assert sum("geography" not in row["metadata"] for row in rows) == 31


def test_diagnostic_settings_have_explicit_nulls_and_odd_ids(clock: Clock) -> None:
    world = demo_world(clock)
    claims = world.account("bw-claims-sdc")
    with StandIn(world) as azure:
        [setting] = ask(azure, url("diagnosticSettings", claims)).json["value"]
        [export] = ask(azure, url("subscriptionDiagnosticSettings", f"/subscriptions/{PROD_EU}")).json["value"]
    assert setting["id"].startswith(claims.lower())
    assert setting["properties"]["storageAccountId"] is None
    assert setting["properties"]["logs"] == [
        {"category": None, "categoryGroup": "allLogs", "enabled": True, "retentionPolicy": {"enabled": False, "days": 0}}
    ]
    assert export["id"].startswith("subscriptions/")


def test_role_assignments_are_those_at_the_scope_and_above(clock: Clock) -> None:
    world = demo_world(clock)
    claims, assist = world.account("bw-claims-sdc"), world.account("bw-assist-frc")
    with StandIn(world) as azure:
        at = ask(azure, url("roleAssignments", claims)).json["value"]
        below = ask(azure, url("roleAssignments", f"/subscriptions/{PROD_EU}").replace("&$filter=atScope()", "")).json["value"]
        odd = ask(azure, url("roleAssignments", claims).replace("atScope()", "principalId%20eq%20x"))
    assert [row["properties"]["scope"] for row in at] == [claims, f"/subscriptions/{PROD_EU}"]
    assert {row["properties"]["scope"] for row in below} == {claims, assist, f"/subscriptions/{PROD_EU}"}
    assert odd.status == 400


def test_secrets_and_names_are_there_to_be_screened(clock: Clock) -> None:
    world = demo_world(clock)
    [project, _] = world.children(world.account("bw-assist-frc"), "projects")
    with StandIn(world) as azure:
        files, search, threads = ask(azure, url("projectConnections", project["id"])).json["value"]
    assert files["properties"]["credentials"]["key"]
    assert search["properties"]["credentials"]["key"]
    assert "credentials" not in threads["properties"]
    assert files["tags"] is None
    assert "etag" not in files
    assert "AccountKey=" in json.dumps(world.get(world.account("bw-underwriting-scus")))


# Azure's manners


@given(
    st.lists(st.booleans(), min_size=200, max_size=200), st.sampled_from(["account", "deployments", "raiPolicies", "diagnosticSettings"])
)
def test_ids_are_matched_without_regard_to_case(upper: list[bool], kind: str) -> None:
    target = url(kind, PLAIN.world.account("aoai-one"))
    path, _, query = target.partition("?")
    odd = "".join(letter.upper() if up else letter.lower() for letter, up in zip(path, upper, strict=False)) + path[len(upper) :]
    assert ask(PLAIN, f"{odd}?{query}").body == ask(PLAIN, target).body


PLAIN = StandIn(World(lambda: START))
"""One server for property tests, which may not use fixtures of a single test."""


@pytest.fixture(autouse=True, scope="module")
def _plain() -> Iterator[None]:
    PLAIN.world.add_subscription(SUBSCRIPTION, "plain")
    PLAIN.world.put_deployment(PLAIN.world.create_account(SUBSCRIPTION, "rg-Plain", "aoai-one"), "chat")
    with PLAIN:
        yield


@pytest.mark.parametrize(
    ("target", "status", "code"),
    [
        ("/subscriptions", 400, "MissingApiVersionParameter"),
        ("/subscriptions?api-version=", 400, "MissingApiVersionParameter"),
        ("/subscriptions?api-version=2099-01-01", 400, "NoRegisteredProviderFound"),
        ("/nothing/here?api-version=2022-12-01", 404, "InvalidResourceType"),
        (f"/subscriptions/{guid('other')}/locations?api-version=2022-12-01", 404, "SubscriptionNotFound"),
        (url("account", account_id(SUBSCRIPTION, "rg-One", "nowhere")), 404, "ResourceNotFound"),
        (url("account", account_id(SUBSCRIPTION, "rg-Nowhere", "aoai-one")), 404, "ResourceGroupNotFound"),
        (url("deployments", account_id(SUBSCRIPTION, "rg-One", "nowhere")), 404, "ParentResourceNotFound"),
        (url("models", account_id(SUBSCRIPTION, "rg-One", "nowhere")), 404, "ParentResourceNotFound"),
        (url("diagnosticSettings", account_id(SUBSCRIPTION, "rg-One", "nowhere")), 404, "ResourceNotFound"),
        (f"{account_id(SUBSCRIPTION, 'rg-One', 'aoai-one')}/deployments/none?api-version={COGNITIVE}", 404, "ResourceNotFound"),
        (f"{account_id(SUBSCRIPTION, 'rg-One', 'aoai-one')}/projects?api-version=2024-10-01", 400, "NoRegisteredProviderFound"),
        (f"{account_id(SUBSCRIPTION, 'rg-One', 'aoai-one')}/secrets?api-version={COGNITIVE}", 404, "InvalidResourceType"),
        (url("accounts", f"/subscriptions/{SUBSCRIPTION}") + "&$skipToken=x", 400, "InvalidSkipToken"),
    ],
)
def test_refusals_are_azures(azure: StandIn, target: str, status: int, code: str) -> None:
    answer = ask(azure, target)
    assert (answer.status, answer.code) == (status, code)
    assert answer.json["error"]["message"]


def test_without_a_token_there_is_a_challenge(azure: StandIn) -> None:
    for token in ("", "Basic abc", "Bearer "):
        answer = ask(azure, url("subscriptions"), Authorization=token)
        assert (answer.status, answer.code) == (401, "AuthenticationFailed")
        assert answer.headers["WWW-Authenticate"].startswith("Bearer authorization_uri=")
    assert not azure.requests[-1].has_authorization


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])
def test_anything_but_get_is_refused_and_remembered(azure: StandIn, method: str) -> None:
    target = f"{azure.world.account('aoai-one')}/listKeys?api-version={COGNITIVE}"
    before = azure.world.version
    answer = ask(azure, target, method, body=b"{}" if method in ("POST", "PUT", "PATCH") else None)
    assert answer.status == 405
    assert answer.headers["Allow"] == "GET"
    assert [(v.method, v.target) for v in azure.violations] == [(method, target)]
    assert azure.world.version == before


def test_a_chunked_post_is_remembered_too(azure: StandIn) -> None:
    host = azure.endpoint.removeprefix("http://")
    with socket.create_connection(("127.0.0.1", int(host.partition(":")[2])), timeout=5) as raw:
        raw.sendall(b"POST /x HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n")
        assert raw.recv(65536).startswith(b"HTTP/1.1 405 ")
    assert len(azure.violations) == 1


def test_the_sdk_that_registers_providers_is_caught(azure: StandIn) -> None:
    azure.faults.add("/accounts", faults.not_registered())
    policies = [ARMAutoResourceProviderRegistrationPolicy(), HeadersPolicy({"Authorization": "Bearer stand-in"}), ContentDecodePolicy()]
    client = CognitiveServicesManagementClient(Credential(), SUBSCRIPTION, base_url=azure.endpoint, policies=policies)
    with pytest.raises(HttpResponseError):
        list(client.accounts.list())
    assert [violation.method for violation in azure.violations] == ["POST"]
    assert "/register" in azure.violations[0].target


def test_headers_are_those_of_real_answers(azure: StandIn, clock: Clock) -> None:
    one, two = ask(azure, url("subscriptions")), ask(azure, url("subscriptions"))
    assert one.headers["Date"] == "Sun, 22 Nov 2026 18:00:00 GMT"
    assert one.headers["x-ms-request-id"] != two.headers["x-ms-request-id"]
    assert one.headers["x-ms-correlation-request-id"]
    assert one.headers["x-ms-ratelimit-remaining-subscription-reads"] == "249"
    clock.advance(days=1, seconds=5)
    assert ask(azure, url("subscriptions")).headers["Date"] == "Mon, 23 Nov 2026 18:00:05 GMT"


def test_gzip_is_used_where_it_is_switched_on_and_accepted(world: World) -> None:
    target = url("accounts", f"/subscriptions/{SUBSCRIPTION}")
    with StandIn(world, gzip=True) as azure:
        plain, packed = ask(azure, target), ask(azure, target, Accept_Encoding="gzip, deflate")
        assert "Content-Encoding" not in plain.headers
        assert packed.headers["Content-Encoding"] == "gzip"
        assert gzip.decompress(packed.body) == plain.body
        assert len(packed.body) < len(plain.body) / 4
        assert len(list(sdk(azure).accounts.list(**HTTP))) == 3


def test_many_requests_share_a_connection_and_may_be_sent_ahead(azure: StandIn) -> None:
    request = f"GET {url('subscriptions')} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer t\r\n\r\n".encode()
    port = int(azure.endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port), timeout=5) as raw:
        whole = request * 3 + request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        for start in range(0, len(whole), 37):  # the head of a request arrives in pieces
            raw.sendall(whole[start : start + 37])
        received = b""
        while chunk := raw.recv(65536):
            received += chunk
    assert received.count(b"HTTP/1.1 200 OK") == 4
    assert len(azure.requests) == 4


def test_who_speaks_tls_to_plain_http_is_refused_before_its_hello_is_whole(azure: StandIn) -> None:
    with socket.create_connection(("127.0.0.1", int(azure.endpoint.rpartition(":")[2])), timeout=5) as raw:
        raw.sendall(b"\x16\x03\x01\x02\x00\x01")
        assert raw.recv(100).startswith(b"HTTP/1.1 400 ")
    with socket.create_connection(("127.0.0.1", int(azure.endpoint.rpartition(":")[2])), timeout=0.2) as raw, pytest.raises(TimeoutError):
        raw.sendall(b"GET / HTTP/1.1\r\n")  # any other beginning is waited for
        raw.recv(100)


@given(st.binary(max_size=300))
def test_nonsense_on_the_wire_is_refused_and_harms_nobody(nonsense: bytes) -> None:
    try:
        parse_head(nonsense)
    except MalformedError:
        with socket.create_connection(("127.0.0.1", int(PLAIN.endpoint.rpartition(":")[2])), timeout=5) as raw:
            raw.sendall(nonsense.replace(b"\r\n\r\n", b"") + b"\r\n\r\n")
            assert raw.recv(100).startswith(b"HTTP/1.1 4")
    assert ask(PLAIN, url("subscriptions")).status == 200


def test_a_denied_scope_is_listed_and_answers_403_with_a_name(azure: StandIn) -> None:
    azure.world.deny(f"/subscriptions/{SUBSCRIPTION.upper()}")
    assert [row["subscriptionId"] for row in ask(azure, url("subscriptions")).json["value"]] == [SUBSCRIPTION]
    answer = ask(azure, url("deployments", azure.world.account("aoai-one")))
    assert (answer.status, answer.code) == (403, "AuthorizationFailed")
    assert "Microsoft.CognitiveServices/accounts/deployments/read" in answer.json["error"]["message"]
    assert "@" in answer.json["error"]["message"]
    azure.world.allow(f"/subscriptions/{SUBSCRIPTION}")
    assert ask(azure, url("deployments", azure.world.account("aoai-one"))).status == 200


# paging


def test_lists_come_in_one_page_unless_told(azure: StandIn) -> None:
    target = url("deployments", azure.world.account("aoai-one"))
    assert "nextLink" not in ask(azure, target).json
    azure.page_by("deployments", 2)
    names, pages, client = [], 0, sdk(azure)
    for page in client.deployments.list("rg-One", "aoai-one", **HTTP).by_page():
        names += [deployment.name for deployment in page]
        pages += 1
    assert (names, pages) == ([f"chat-{n}" for n in range(5)], 3)
    link = ask(azure, target).json["nextLink"]
    assert link.startswith(f"{azure.endpoint}/subscriptions/")
    assert "skiptoken=" in link.lower()
    assert len(ask(azure, link.removeprefix(azure.endpoint)).json["value"]) == 2
    azure.page_by("deployments", None)
    assert "nextLink" not in ask(azure, target).json


@given(st.integers(1, 7), st.integers(0, 12))
def test_pages_hold_every_member_once(size: int, members: int) -> None:
    world = PLAIN.world
    account = world.create_account(SUBSCRIPTION, "rg-Pages", f"pages-{world.version}")
    for number in range(members):
        world.put_deployment(account, f"d{number}")
    PLAIN.page_by("deployments", size)
    seen, target = [], url("deployments", account)
    while target:
        page = ask(PLAIN, target).json
        assert len(page["value"]) <= size
        seen += [row["name"] for row in page["value"]]
        target = page.get("nextLink", "").removeprefix(PLAIN.endpoint)
    PLAIN.page_by("deployments", None)
    assert seen == [f"d{number}" for number in range(members)]


# the world changes


def test_a_change_shows_at_once_and_marks_what_it_touched(azure: StandIn, clock: Clock) -> None:
    world, account = azure.world, azure.world.account("aoai-one")
    before = ask(azure, url("account", account)).json
    deployments = ask(azure, url("deployments", account)).body
    clock.advance(hours=3)
    world.actor = Actor("kim.ravn@brightwater.example")
    world.set_property(account.upper(), "/properties/publicNetworkAccess", "Disabled")
    after = ask(azure, url("account", account)).json
    assert after["properties"]["publicNetworkAccess"] == "Disabled"
    assert after["etag"] != before["etag"]
    assert after["systemData"]["lastModifiedBy"] == "kim.ravn@brightwater.example"
    assert after["systemData"]["lastModifiedAt"].startswith("2026-11-22T21:00:00.")
    assert after["systemData"]["createdAt"] == before["systemData"]["createdAt"]
    assert ask(azure, url("deployments", account)).body == deployments
    world.remove_property(account, "properties.publicNetworkAccess")
    assert "publicNetworkAccess" not in ask(azure, url("account", account)).json["properties"]


def test_the_world_may_change_while_it_is_read(azure: StandIn) -> None:
    world, account = azure.world, azure.world.account("aoai-one")
    target = url("deployments", account)

    def read(_: int) -> tuple[int, int]:
        answer = ask(azure, target)
        return answer.status, len(answer.json["value"])

    with ThreadPoolExecutor(8) as pool:
        reads = pool.map(read, range(200))
        for number in range(100):
            world.put_deployment(account, f"more-{number}")
            world.delete_deployment(account, f"more-{number}")
        assert {status for status, count in reads if count in (5, 6)} == {200}
    assert len(ask(azure, target).json["value"]) == 5


def test_putting_again_keeps_the_creation(azure: StandIn, clock: Clock) -> None:
    account = azure.world.account("aoai-one")
    first = azure.world.get(f"{account}/deployments/chat-0")
    clock.advance(days=2)
    azure.world.actor = Actor("pipeline", "Application")
    azure.world.put_deployment(account, "chat-0", sku="Standard")
    second = azure.world.get(f"{account}/deployments/chat-0")
    assert second["systemData"]["createdAt"] == first["systemData"]["createdAt"]
    assert second["systemData"]["lastModifiedByType"] == "Application"
    assert (second["etag"] != first["etag"], second["sku"]["name"]) == (True, "Standard")
    assert azure.world.children(account, "deployments")[0]["name"] == "chat-0"


@pytest.mark.parametrize("value", ["false", "FALSE", "true", ""])
def test_content_logging_comes_and_goes(world: World, value: str) -> None:
    account = world.account("aoai-one")

    def shown() -> list[Json]:
        return [c for c in world.get(account)["properties"]["capabilities"] if c["name"] == "ContentLogging"]

    world.set_content_logging(account, value)
    world.set_content_logging(account, value)
    assert shown() == [{"name": "ContentLogging", "value": value}]
    world.set_content_logging(account, None)
    assert shown() == []


def test_soft_delete_restore_and_purge(azure: StandIn, clock: Clock) -> None:
    world, account = azure.world, azure.world.account("foundry-one")
    subscription = f"/subscriptions/{SUBSCRIPTION}"
    before, client = world.get(account), sdk(azure)
    clock.advance(hours=1)
    world.delete_account(account)
    assert ask(azure, url("account", account)).code == "ResourceNotFound"
    assert [row["name"] for row in ask(azure, url("accounts", subscription)).json["value"]] == ["aoai-one", "forms"]
    [gone] = ask(azure, url("deletedAccounts", subscription)).json["value"]
    assert gone["type"] == "Microsoft.CognitiveServices/deletedAccounts"
    assert "/locations/eastus2/resourceGroups/rg-One/deletedAccounts/foundry-one" in gone["id"]
    assert gone["systemData"] == before["systemData"]
    assert "deletionDate" not in gone["properties"]
    assert client.deleted_accounts.get("eastus2", "rg-One", "foundry-one", **HTTP).kind == "AIServices"
    with pytest.raises(ValueError, match="FlagMustBeSetForRestore"):
        world.create_account(SUBSCRIPTION, "RG-ONE", "Foundry-One")

    clock.advance(hours=1)
    world.restore_account(account)
    after = ask(azure, url("account", account)).json
    assert after["systemData"]["createdAt"].startswith("2026-11-22T20:00:00")
    assert after["properties"]["dateCreated"] == before["properties"]["dateCreated"]
    assert after["properties"]["internalId"] == before["properties"]["internalId"]
    assert len(ask(azure, url("projects", account)).json["value"]) == 1
    assert ask(azure, url("deletedAccounts", subscription)).json["value"] == []

    world.delete_account(account)
    world.purge_account(account)
    assert ask(azure, url("deletedAccounts", subscription)).json["value"] == []
    with pytest.raises(KeyError):
        world.restore_account(account)


def test_a_soft_deleted_account_is_purged_after_48_hours(azure: StandIn, clock: Clock) -> None:
    azure.world.delete_account(azure.world.account("forms"))
    clock.advance(hours=47)
    target = url("deletedAccounts", f"/subscriptions/{SUBSCRIPTION}")
    assert len(ask(azure, target).json["value"]) == 1
    clock.advance(hours=1)
    assert ask(azure, target).json["value"] == []
    azure.world.create_account(SUBSCRIPTION, "rg-Two", "forms", kind="FormRecognizer")


def test_deletion_dates_can_be_shown(world: World) -> None:
    world.shows_deletion_dates = True
    world.delete_account(world.account("forms"))
    [gone] = world.deleted_accounts(SUBSCRIPTION)
    assert gone["properties"]["scheduledPurgeDate"].startswith("2026-11-24T18:00:00")


def test_every_sort_of_child_is_listed_where_it_was_put(azure: StandIn) -> None:
    world, account, foundry = azure.world, azure.world.account("aoai-one"), azure.world.account("foundry-one")
    world.put_policy(account, "strict", content_filters("Low"), blocklists=["words"])
    world.put_blocklist(account, "words", "no swearing")
    world.put_encryption_scope(account, "scope", vault="https://kv.vault.azure.net/", key="k")
    world.put_private_endpoint(account, "pe")
    world.put_perimeter(account, "nsp")
    world.set_defender(account, "Enabled")
    world.put_connection(foundry, "shared", shared=True)
    world.put_capability_host(foundry, "agents", storageConnections=["shared"])
    for kind, count in (
        ("raiPolicies", 3), ("raiBlocklists", 1), ("encryptionScopes", 1), ("privateEndpointConnections", 1),
        ("networkSecurityPerimeterConfigurations", 1), ("defenderForAISettings", 1),
    ):  # fmt: skip
        rows = ask(azure, url(kind, account)).json["value"]
        assert len(rows) == count, kind
        assert ask(azure, f"{rows[-1]['id']}?api-version={COGNITIVE}").json == rows[-1]
    assert len(ask(azure, url("connections", foundry)).json["value"]) == 1
    assert len(ask(azure, url("capabilityHosts", foundry)).json["value"]) == 1
    assert len(world.get(account)["properties"]["privateEndpointConnections"]) == 1
    world.delete_deployment(account, "CHAT-3")
    assert [row["name"] for row in world.children(account, "deployments")] == ["chat-0", "chat-1", "chat-2", "chat-4"]
    world.delete_project(foundry, "desk")
    assert world.get(foundry)["properties"]["associatedProjects"] == []
    with pytest.raises(KeyError):
        world.delete_deployment(account, "chat-3")


names = st.text("abc/~. ", min_size=1, max_size=4)


@given(st.lists(names, min_size=1, max_size=4), st.integers())
def test_what_is_set_at_a_path_is_there_until_it_is_removed(steps: list[str], value: int) -> None:
    body: dict[str, Json] = {}
    path = "".join("/" + step.replace("~", "~0").replace("/", "~1") for step in steps)
    set_at(body, path, value)
    held: Json = body
    for step in steps:
        held = held[step]
    assert held == value
    remove_at(body, path)
    held = body
    for step in steps[:-1]:
        held = held[step]
    assert held == {}


def test_paths_go_through_lists() -> None:
    body = {"rules": [{"count": 1}]}
    set_at(body, "/rules/0/count", 2)
    set_at(body, "rules.-", {"count": 3})
    remove_at(body, "/rules/0")
    assert body == {"rules": [{"count": 3}]}


# the demo and the estates


def test_the_demo_drifts_as_it_says(clock: Clock) -> None:
    world = demo_world(clock)
    assert len(world.accounts()) == 9
    assert len(world.deleted_accounts(SANDBOX)) == 1
    claims, swiss = world.account("bw-claims-sdc"), world.account("bw-lab-chn")
    before = {account: world.get(account) for account in world.accounts()}
    clock.advance(days=1)
    told = drift(world)
    assert len(told) == 10
    assert world.deleted_accounts(SANDBOX)[-1]["name"] == "bw-lab-ncus"
    after = {account: world.get(account) for account in world.accounts()}
    changed = {account_name(account).name for account in after if after[account] != before[account]}
    assert changed == {"bw-claims-sdc", "bw-assist-frc", "bw-lab-chn"}
    assert not any(c["name"] == "ContentLogging" for c in after[claims]["properties"]["capabilities"])
    assert after[swiss]["properties"] == before[swiss]["properties"]
    assert after[swiss]["systemData"]["createdAt"] > before[swiss]["systemData"]["createdAt"]
    assert {d["sku"]["name"] for d in world.children(claims, "deployments")} == {"DataZoneStandard", "Standard", "GlobalStandard"}


def test_the_demo_is_the_same_in_every_run(clock: Clock) -> None:
    one, two = demo_world(clock), demo_world(clock)
    assert [one.get(account) for account in one.accounts()] == [two.get(account) for account in two.accounts()]


def test_demo_endpoints_can_be_given(clock: Clock) -> None:
    some = demo_world(clock, {"bw-claims-sdc": "https://127.0.0.1:1/"})
    assert some.get(some.account("bw-claims-sdc"))["properties"]["endpoint"] == "https://127.0.0.1:1/"
    assert some.get(some.account("bw-assist-frc"))["properties"]["endpoint"] == "https://bw-assist-frc.cognitiveservices.azure.com/"
    every = demo_world(clock, "https://127.0.0.1:1/")
    assert {every.get(account)["properties"]["endpoint"] for account in every.accounts()} == {"https://127.0.0.1:1/"}


def test_an_estate_has_the_size_asked_for_and_starts_quickly(clock: Clock) -> None:
    begun = time.process_time()
    world = estate(4, 1000, 5, clock)
    assert time.process_time() - begun < 1.0
    assert [len(world.accounts(subscription)) for subscription in world.subscriptions] == [250] * 4
    with StandIn(world) as azure:
        for account in world.accounts()[:8]:
            assert len(ask(azure, url("deployments", account)).json["value"]) == 5
            assert 3000 < len(ask(azure, url("account", account)).body) < 7000
        listed = ask(azure, url("accounts", f"/subscriptions/{subscription_of(world.accounts()[0])}")).json["value"]
        assert len(listed) == 250
        assert listed[0] == ask(azure, url("account", world.accounts()[0])).json


# faults


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (faults.throttled(3), 429, "SubscriptionRequestsThrottled"),
        (faults.unauthenticated(), 401, "AuthenticationFailed"),
        (faults.expired_token(), 401, "ExpiredAuthenticationToken"),
        (faults.forbidden("jo.doe@brightwater.example"), 403, "AuthorizationFailed"),
        (faults.not_found(), 404, "ResourceNotFound"),
        (faults.subscription_not_found(), 404, "SubscriptionNotFound"),
        (faults.not_registered(), 409, "MissingSubscriptionRegistration"),
        (faults.gone(), 410, "ResourceGone"),
        (faults.server_error(), 500, "InternalServerError"),
        (faults.server_error(503, retry_after=2), 503, "ServiceUnavailable"),
    ],
)
def test_faults_that_are_refusals(azure: StandIn, fault: Fault, status: int, code: str) -> None:
    azure.faults.add("/accounts?", fault)
    answer = ask(azure, url("accounts", f"/subscriptions/{SUBSCRIPTION}"))
    assert (answer.status, answer.code) == (status, code)
    assert answer.headers["Retry-After"] == {429: "3", 503: "2"}.get(status)
    if status == 403:
        assert "jo.doe@brightwater.example" in answer.json["error"]["message"]
    if status == 401:
        assert answer.headers["WWW-Authenticate"]


def test_retry_after_in_milliseconds_and_a_gateways_502(azure: StandIn) -> None:
    azure.faults.add("/subscriptions?", faults.throttled(0.25, header="x-ms-retry-after-ms"), times=1)
    azure.faults.add("/subscriptions?", faults.server_error(502), skip=1)
    assert ask(azure, url("subscriptions")).headers["x-ms-retry-after-ms"] == "250"
    answer = ask(azure, url("subscriptions"))
    assert (answer.status, answer.headers["Content-Type"]) == (502, "text/html")


def test_rules_count_compose_and_can_be_cleared(azure: StandIn) -> None:
    target = url("subscriptions")
    rule = azure.faults.add("/SUBSCRIPTIONS?", faults.server_error(), times=2, skip=1)
    assert [ask(azure, target).status for _ in range(5)] == [200, 500, 500, 200, 200]
    assert (rule.seen, rule.fired) == (5, 2)
    azure.faults.add(re.compile(r"^/subscriptions\?"), faults.slow(0.2))
    azure.faults.add(re.compile(r"^/subscriptions\?"), faults.missing_date())
    begun = time.monotonic()
    answer = ask(azure, target)
    assert time.monotonic() - begun >= 0.2
    assert answer.status == 200
    assert "Date" not in answer.headers
    assert ask(azure, url("locations", f"/subscriptions/{SUBSCRIPTION}")).headers["Date"]
    azure.faults.clear()
    assert ask(azure, target).headers["Date"]


def test_a_fault_of_the_second_page(azure: StandIn) -> None:
    azure.page_by("accounts", 1)
    azure.faults.add("/accounts?", faults.server_error(503), page=2)
    pages = sdk(azure).accounts.list(**HTTP).by_page()
    assert [account.name for account in next(pages)] == ["aoai-one"]
    with pytest.raises(HttpResponseError):
        next(pages)


def test_faults_of_the_connection(azure: StandIn) -> None:
    target = url("subscriptions")
    azure.faults.add(target, faults.never_answers(), times=1)
    with pytest.raises(TimeoutError):
        ask(azure, target, timeout=0.3)
    azure.faults.add(target, faults.connection_reset(), times=1)
    with pytest.raises(ConnectionError):
        ask(azure, target)
    azure.faults.add(target, faults.truncated(), times=1)
    with pytest.raises(http.client.IncompleteRead):
        ask(azure, target)
    assert ask(azure, target).status == 200
    azure.faults.add("/accounts?", faults.truncated())
    with pytest.raises(IncompleteReadError):
        list(sdk(azure).accounts.list(**HTTP))


def body_of(azure: StandIn, fault: Fault) -> bytes:
    azure.faults.clear()
    azure.faults.add("/accounts?", fault)
    answer = ask(azure, url("accounts", f"/subscriptions/{SUBSCRIPTION}"))
    assert answer.status == 200
    assert int(answer.headers["Content-Length"]) == len(answer.body)
    return answer.body


def test_faults_of_the_body(azure: StandIn) -> None:
    assert body_of(azure, faults.html_page()).startswith(b"<!DOCTYPE html>")
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(body_of(azure, faults.invalid_json()))
    assert isinstance(json.loads(body_of(azure, faults.not_an_object())), list)
    assert "value" not in json.loads(body_of(azure, faults.value_missing()))
    assert json.loads(body_of(azure, faults.value_not_a_list()))["value"] is None
    assert json.loads(body_of(azure, faults.value_not_a_list({"a": 1})))["value"] == {"a": 1}
    twice = json.loads(body_of(azure, faults.duplicated_items()))["value"]
    assert twice[:3] == twice[3:]
    assert len(body_of(azure, faults.huge_page(5_000_000))) > 5_000_000
    assert body_of(azure, faults.replaced(200, b"{}")) == b"{}"


def test_faults_of_the_next_link(azure: StandIn) -> None:
    target = url("accounts", f"/subscriptions/{SUBSCRIPTION}")
    loop = json.loads(body_of(azure, faults.next_link_loops()))
    assert loop["nextLink"] == azure.endpoint + target
    foreign = json.loads(body_of(azure, faults.next_link("https://management.azure.com.evil.example/next")))
    assert foreign["nextLink"] == "https://management.azure.com.evil.example/next"
    assert json.loads(body_of(azure, faults.next_link_relative()))["nextLink"] == target
    azure.page_by("accounts", 2)
    relative = json.loads(body_of(azure, faults.next_link_relative()))["nextLink"]
    azure.faults.clear()
    assert [row["name"] for row in ask(azure, relative).json["value"]] == ["forms"]


def test_a_redirect_names_another_host(azure: StandIn) -> None:
    azure.faults.add("/accounts?", faults.redirected("https://elsewhere.example/x"))
    answer = ask(azure, url("accounts", f"/subscriptions/{SUBSCRIPTION}"))
    assert (answer.status, answer.headers["Location"], answer.body) == (302, "https://elsewhere.example/x", b"")


def test_the_read_limit_is_a_bucket_for_each_subscription(world: World) -> None:
    seconds = [0.0]
    other = world.add_subscription(guid("test", "other"), "other")
    with StandIn(world, throttle=TokenBuckets(burst=3, per_second=2, clock=lambda: seconds[0])) as azure:
        target = url("accounts", f"/subscriptions/{SUBSCRIPTION}")
        left = [ask(azure, target).headers["x-ms-ratelimit-remaining-subscription-reads"] for _ in range(3)]
        assert left == ["2", "1", "0"]
        refused = ask(azure, target)
        assert (refused.status, refused.code, refused.headers["Retry-After"]) == (429, "SubscriptionRequestsThrottled", "1")
        assert refused.headers["x-ms-ratelimit-remaining-subscription-reads"] == "0"
        assert ask(azure, url("accounts", f"/subscriptions/{other}")).status == 200
        seconds[0] += 0.5
        assert [ask(azure, target).status for _ in range(2)] == [200, 429]


def test_latency_delays_every_answer_and_not_each_other(world: World) -> None:
    with StandIn(world, latency=0.1) as azure:
        begun = time.monotonic()
        connections = [http.client.HTTPConnection(azure.endpoint.removeprefix("http://")) for _ in range(10)]
        for connection in connections:
            connection.request("GET", url("subscriptions"), headers={"Authorization": "Bearer t"})
        assert [connection.getresponse().status for connection in connections] == [200] * 10
        assert 0.1 <= time.monotonic() - begun < 0.9
        for connection in connections:
            connection.close()


# recorded answers


@pytest.mark.skipif(not EXAMPLES.is_dir(), reason="the recorded answers are not part of the repository")
def test_recorded_answers_are_served_under_their_addresses(clock: Clock) -> None:
    world = recorded_world(EXAMPLES, clock)
    with StandIn(world) as azure:
        listed = [row for s in world.subscriptions for row in ask(azure, url("accounts", f"/subscriptions/{s}")).json["value"]]
        assert {"OpenAI", "AIServices"} <= {account["kind"] for account in listed}
        for endpoint, resource in questions(azure):
            window = Window(timestamp(clock() - timedelta(days=1)), timestamp(clock()))
            assert ask(azure, endpoint.url(resource, window)).status == 200, (endpoint.kind, resource)
        for path in sorted((EXAMPLES / "real_c7n_responses").glob("GET_accounts_*.json")):
            held = json.loads(path.read_bytes())
            target = held["request"]["uri"].removeprefix("https://management.azure.com")
            assert ask(azure, target).json == held["response"]["body"]
        rows = ask(azure, url("locations", next(iter(world.subscriptions.values()))["id"])).json["value"]
        assert len(rows) == 102


def test_a_folder_without_recordings_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text("[]")
    with pytest.raises(FileNotFoundError):
        recorded_world(tmp_path)


# endpoints of accounts


def shake(port: int, highest: TlsVersion = "TLSv1.3") -> str | None:
    """The version that a handshake with a client of at most `highest` ends in."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    versions = {"TLSv1": ssl.TLSVersion.TLSv1, "TLSv1.1": ssl.TLSVersion.TLSv1_1, "TLSv1.2": ssl.TLSVersion.TLSv1_2}
    if highest in versions:
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, versions[highest]
    with socket.create_connection(("127.0.0.1", port), timeout=1) as raw, context.wrap_socket(raw) as secure:
        return secure.version()


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_an_endpoint_speaks_the_versions_it_was_told() -> None:
    with TlsEndpoint() as good:
        assert good.url == f"https://127.0.0.1:{good.port}/"
        assert shake(good.port) == "TLSv1.3"
        assert shake(good.port, "TLSv1.2") == "TLSv1.2"
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(good.port, "TLSv1.1")
    with TlsEndpoint(maximum="TLSv1.2") as middle:
        assert shake(middle.port) == "TLSv1.2"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.skipif(not can_speak("TLSv1"), reason="the local OpenSSL has no TLS 1.0")
def test_an_old_endpoint_speaks_tls_1_0() -> None:
    with TlsEndpoint(minimum="TLSv1") as old:
        assert shake(old.port, "TLSv1") == "TLSv1"
        assert shake(old.port) == "TLSv1.3"


def test_certificates_verify_for_loopback_until_they_expire() -> None:
    with TlsEndpoint() as good, TlsEndpoint(days=-1) as expired:
        for endpoint, fine in ((good, True), (expired, False)):
            context = ssl.create_default_context(cadata=endpoint.certificate_pem.decode())
            context.verify_flags &= ~ssl.VERIFY_X509_STRICT
            connection = http.client.HTTPSConnection("127.0.0.1", endpoint.port, timeout=5, context=context)
            if fine:
                connection.request("GET", "/")
                assert connection.getresponse().status == 404
            else:
                with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
                    connection.request("GET", "/")
            connection.close()


def test_a_silent_endpoint_accepts_and_says_nothing() -> None:
    with SilentEndpoint() as mute, pytest.raises(TimeoutError):
        shake(mute.port)


def test_endpoints_close_what_is_still_open() -> None:
    with TlsEndpoint() as good, SilentEndpoint() as mute:
        left = [socket.create_connection(("127.0.0.1", endpoint.port), timeout=5) for endpoint in (good, mute)]
        left[1].sendall(b"hello?")
        context = ssl.create_default_context(cadata=good.certificate_pem.decode())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        left[0] = context.wrap_socket(left[0], server_hostname="127.0.0.1")
    for connection in left:
        with contextlib.suppress(OSError):
            assert connection.recv(10) == b""
        connection.close()


# a process of its own


def run(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "infra.local", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_process_prints_its_endpoint_and_ends_cleanly(number: signal.Signals) -> None:
    with run("--scenario", "estate:2x6x3", "--page-size", "accounts=2", "--gzip", "--throttle") as process:
        assert process.stdout is not None
        azure = StandIn(World())
        azure._answerer.endpoint = process.stdout.readline().strip()
        assert azure.endpoint.startswith("http://127.0.0.1:")
        assert len(ask(azure, url("subscriptions")).json["value"]) == 2
        ask(azure, "/x", "POST")
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (0, "")
    assert err.strip() == "2 requests answered, 1 of them no GET"


def test_the_process_says_what_is_wrong_with_its_arguments() -> None:
    for arguments in (["--scenario", "nonsense"], ["--page-size", "accounts"], ["--scenario", "recorded:/nowhere/at/all"]):
        with run(*arguments) as process:
            out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err.count("\n")) == (2, "", 1)
    with run("--help") as process:
        out, _ = process.communicate(timeout=10)
    assert "estate:AxD" in out


def test_the_server_starts_again_and_refuses_a_port_that_is_taken(world: World) -> None:
    azure = StandIn(world)
    for _ in range(2):
        with azure:
            assert ask(azure, url("subscriptions")).status == 200
            taken = StandIn(world, port=int(azure.endpoint.rpartition(":")[2]))
            with pytest.raises(OSError, match="in use"):
                taken.start()
    with pytest.raises(ConnectionError):
        ask(azure, url("subscriptions"))
