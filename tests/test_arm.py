"""Asking ARM: every page, the exact bytes, patience within bounds, and a token for nobody else."""

import contextlib
import json
import socket
import threading
import time
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import HeadersPolicy, SansIOHTTPPolicy

from infra.local import faults
from infra.local.scenarios import demo_world
from infra.local.server import StandIn
from shared.collect import fetch, transport
from shared.collect.arm import Arm
from shared.collect.asked import Budget
from shared.collect.endpoints import BY_KIND, ENDPOINTS
from shared.collect.pace import Pace
from shared.collect.transport import CurlTransport, Headers, Response
from shared.collect.windows import OVERLAP, Window

WINDOW = Window(*(f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%S.%fZ}" for days in (80, 0)))


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now = 0.0
        self.slept = []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def client(endpoint, clock, *, per_second=0.0, read_timeout=5.0):
    headers = HeadersPolicy({"Authorization": "Bearer local"})
    transport = CurlTransport(timeouts=(2.0, read_timeout))
    return Arm(endpoint, Pipeline(transport, [headers]), Pace(per_second, lambda: clock.now, clock.sleep), clock.sleep)


@pytest.fixture
def azure(now):
    with StandIn(demo_world(now)) as stand_in:
        yield stand_in


@pytest.fixture
def now():
    from infra.local.clock import real_time

    return real_time


@pytest.fixture
def clock():
    return Clock()


def most_deployed(azure):
    return max(azure.world.accounts(), key=lambda account: len(list(azure.world.children(account, "deployments"))))


def test_every_row_of_the_table_is_answered_and_nothing_but_get_is_sent(azure, clock):
    client_ = client(azure.endpoint, clock)
    account = azure.world.accounts()[0]
    subscription = "/".join(account.split("/")[:3])
    resources = {"tenant": "", "plan": subscription, "subscription": subscription, "account": account}
    for endpoint in ENDPOINTS:
        if endpoint.scope in resources:
            window = WINDOW if endpoint.kind in OVERLAP else None
            asked = client_.ask(endpoint, resources[endpoint.scope], Budget(), window=window)
            assert asked.failed is None, (endpoint.kind, asked.failed)
            assert all(page.request_id and page.date for page in asked.pages)
            assert [json.loads(page.content) for page in asked.pages if window is None] == list(asked.parsed)
    assert azure.violations == []


def test_all_pages_are_fetched_with_their_exact_bytes(now, clock):
    with StandIn(demo_world(now), page_sizes={"deployments": 1}, gzip=True) as azure:
        account = most_deployed(azure)
        asked = client(azure.endpoint, clock).ask(BY_KIND["deployments"], account, Budget())
        assert len(asked.pages) > 2 and asked.failed is None
        links = [json.loads(page.content).get("nextLink") for page in asked.pages]
        assert links[-1] is None
        assert [page.url for page in asked.pages[1:]] == links[:-1]


@pytest.mark.parametrize(
    ("fault", "reason", "detail", "attempts"),
    [
        (faults.forbidden(), "forbidden", "AuthorizationFailed", 1),
        (faults.expired_token(), "unauthenticated", None, 1),
        (faults.not_found(), "not-found", None, 1),
        (faults.gone(), "gone", None, 1),
        (faults.not_registered(), "conflict", "MissingSubscriptionRegistration", 1),
        (faults.server_error(500), "server-error", None, fetch.ATTEMPTS),
        (faults.server_error(503, retry_after=2), "server-error", None, fetch.ATTEMPTS),
        (faults.connection_reset(), "unreachable", None, fetch.ATTEMPTS),
        (faults.truncated(), "unreachable", None, fetch.ATTEMPTS),
        (faults.redirected("http://127.0.0.1:1/"), "redirected", None, 1),
        (faults.html_page(), "malformed", "not JSON", 1),
        (faults.invalid_json(), "malformed", "not JSON", 1),
        (faults.not_an_object(), "malformed", "not a JSON object", 1),
        (faults.replaced(200, b'{"value":[{"properties":{"a":false,"a":true}}]}'), "malformed", "a member stands twice in an object", 1),
        (faults.value_missing(), "malformed", "not a list of resources", 1),
        (faults.value_not_a_list(), "malformed", "not a list of resources", 1),
        (faults.value_not_a_list([1]), "malformed", "not a list of resources", 1),
        (faults.next_link_loops(), "paging", None, 1),
        (faults.next_link("https://evil.example.com/steal"), "foreign-host", None, 0),
        (faults.next_link("//evil.example.com/steal"), "foreign-host", None, 0),
        (faults.next_link("http://[bad"), "malformed", None, None),
        *((faults.next_link(f"/subscriptions/x{odd}y?z=1"), "refused", None, None) for odd in ("é", "\ud800", "\0", " ", "\x1b", "{|}")),
        (faults.replaced(503, b"", headers=(("Retry-After", "nan"),)), "server-error", None, fetch.ATTEMPTS),
    ],
)
def test_every_fault_is_a_failure_with_its_reason(azure, clock, fault, reason, detail, attempts):
    azure.faults.add("/deployments", fault)
    asked = client(azure.endpoint, clock).ask(BY_KIND["deployments"], azure.world.accounts()[0], Budget())
    assert asked.failed is not None
    assert asked.failed.reason == reason
    if detail:
        assert asked.failed.detail == detail
    if attempts is not None:
        assert asked.failed.attempts == attempts
    assert "\n" not in asked.failed.detail and "@" not in asked.failed.detail


def test_a_second_page_that_fails_is_a_failure_not_a_shorter_list(now, clock):
    with StandIn(demo_world(now), page_sizes={"deployments": 1}) as azure:
        azure.faults.add("/deployments", faults.forbidden(), page=2)
        asked = client(azure.endpoint, clock).ask(BY_KIND["deployments"], most_deployed(azure), Budget())
        assert asked.failed.reason == "forbidden"
        assert len(asked.pages) == 1


def test_a_relative_link_is_followed(now, clock):
    with StandIn(demo_world(now), page_sizes={"deployments": 1}) as azure:
        azure.faults.add("/deployments", faults.next_link_relative(), times=1)
        asked = client(azure.endpoint, clock).ask(BY_KIND["deployments"], most_deployed(azure), Budget())
        assert asked.failed is None and len(asked.pages) > 1


def test_no_token_reaches_another_host(azure, clock):
    """A real listener plays the foreign host: it must not even be connected to."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        seen = []

        def listen():
            try:
                connection, _ = trap.accept()
                seen.append(connection.recv(4096))
            except TimeoutError:
                pass

        thread = threading.Thread(target=listen)
        thread.start()
        port = trap.getsockname()[1]
        azure.faults.add("/deployments", faults.next_link(f"http://127.0.0.1:{port}/x"))
        azure.faults.add("/raiPolicies", faults.redirected(f"http://127.0.0.1:{port}/x"))
        asker = client(azure.endpoint, clock)
        account = azure.world.accounts()[0]
        assert asker.ask(BY_KIND["deployments"], account, Budget()).failed.reason == "foreign-host"
        assert asker.ask(BY_KIND["raiPolicies"], account, Budget()).failed.reason == "redirected"
        thread.join()
    assert seen == []


@pytest.mark.parametrize("trouble", [FileNotFoundError(2, "gone", "/var/run/token"), PermissionError(13, "no")])
def test_a_login_that_fails_on_the_way_is_a_failure_of_each_question(azure, clock, trouble):
    """Workload identity reads its token from a file whenever the one before it has expired."""

    class Login(SansIOHTTPPolicy):
        def on_request(self, request):
            raise trouble

    arm = Arm(azure.endpoint, Pipeline(CurlTransport(timeouts=(1, 1)), [Login()]), Pace(0.0, lambda: clock.now, clock.sleep), clock.sleep)
    failed = arm.ask(BY_KIND["subscriptions"], "", Budget()).failed
    assert (failed.reason, failed.detail, failed.attempts) == ("unauthenticated", type(trouble).__name__, 1)


@pytest.mark.parametrize(
    ("link", "asked"),
    [
        ("https://management.azure.com:443/subscriptions?$skiptoken=2", 2), ("HTTPS://Management.Azure.com/subscriptions?$skiptoken=2", 2),
        ("https://management.azure.com:8443/subscriptions?$skiptoken=2", 1), ("http://management.azure.com/subscriptions?$skiptoken=2", 1),
        ("https://management.azure.com@example.com/subscriptions", 1), ("https://management.azure.com:443@example.com/", 1),
        ("https://management.azure.com:443\\@example.com/", 1), ("https://example.com:443/subscriptions", 1),
    ],
)  # fmt: skip
def test_the_next_page_is_on_the_host_of_the_first_however_it_is_written(clock, link, asked):
    class Canned(CurlTransport):
        """Two pages, wherever they are asked for; no socket."""

        def send(self, request, **_kwargs):
            seen.append(request.url)
            body = {"value": [{"subscriptionId": str(len(seen))}]} | ({"nextLink": link} if len(seen) == 1 else {})
            return Response(200, Headers(), json.dumps(body).encode())

    seen = []
    arm = Arm("https://management.azure.com", Pipeline(Canned(timeouts=(1, 1)), []), Pace(0.0, lambda: clock.now, clock.sleep), clock.sleep)
    got = arm.ask(BY_KIND["subscriptions"], "", Budget())
    assert len(seen) == asked
    assert (got.failed and got.failed.reason) == (None if asked == 2 else "foreign-host")


def test_retry_after_is_obeyed_and_everybody_waits(azure, clock):
    azure.faults.add("/deployments", faults.throttled(7), times=2)
    asked = client(azure.endpoint, clock).ask(BY_KIND["deployments"], azure.world.accounts()[0], Budget())
    assert asked.failed is None
    assert asked.pages[0].attempts == 3
    assert sum(clock.slept) >= 14


def test_retry_after_as_a_date_and_in_milliseconds(azure, clock):
    azure.faults.add("/deployments", faults.throttled(1.5, header="retry-after-ms"), times=1)
    client(azure.endpoint, clock).ask(BY_KIND["deployments"], azure.world.accounts()[0], Budget())
    assert 1.4 < sum(clock.slept) < 1.6


def test_patience_ends_with_the_budget(azure, clock):
    azure.faults.add("/deployments", faults.throttled(60))
    budget = Budget(retries=20, seconds=180)
    asked = client(azure.endpoint, clock).ask(BY_KIND["deployments"], azure.world.accounts()[0], budget)
    assert asked.failed.reason == "throttled"
    assert sum(clock.slept) <= 180
    again = client(azure.endpoint, clock).ask(BY_KIND["deployments"], azure.world.accounts()[0], budget)
    assert again.failed.attempts == 1


def test_silence_is_a_timeout_after_two_tries(azure, clock):
    azure.faults.add("/deployments", faults.never_answers())
    asked = client(azure.endpoint, clock, read_timeout=0.2).ask(BY_KIND["deployments"], azure.world.accounts()[0], Budget())
    assert (asked.failed.reason, asked.failed.attempts) == ("timeout", fetch.ATTEMPTS_IN_SILENCE)


def test_an_answer_that_trickles_for_ever_is_a_timeout(clock, monkeypatch):
    monkeypatch.setattr(transport, "LONGEST", 1)

    def trickle(server):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = server.accept()
                with contextlib.suppress(OSError):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
                    while not connection.sendall(b" " * 64):
                        time.sleep(0.02)

    with socket.create_server(("127.0.0.1", 0)) as server:
        threading.Thread(target=trickle, args=(server,), daemon=True).start()
        asked = client(f"http://127.0.0.1:{server.getsockname()[1]}", clock).ask(BY_KIND["subscriptions"], "", Budget())
        server.close()
    assert (asked.failed.reason, asked.failed.attempts) == ("timeout", fetch.ATTEMPTS_IN_SILENCE)


def test_nobody_there(clock):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    asked = client(f"http://127.0.0.1:{port}", clock).ask(BY_KIND["subscriptions"], "", Budget())
    assert asked.failed.reason == "unreachable"


def test_reads_are_paced_before_azure_has_to_say_so(clock):
    pace = Pace(25.0, lambda: clock.now, clock.sleep)
    for _ in range(250):
        pace.wait("s")
    assert clock.now == 0
    for _ in range(100):
        pace.wait("s")
    assert 3.9 < clock.now < 4.1
    pace.wait("other")
    assert clock.now < 4.1


def test_ids_are_encoded_but_not_changed(azure, clock):
    client(azure.endpoint, clock).ask(BY_KIND["account"], "/subscriptions/x/resourceGroups/größe(1)/providers/p/accounts/a", Budget())
    path = urlsplit(azure.requests[-1].path if hasattr(azure.requests[-1], "path") else azure.requests[-1].target).path
    assert "gr%C3%B6%C3%9Fe(1)" in path or "größe(1)" in path
