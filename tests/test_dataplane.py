"""Asking an account's own endpoint: both generations, every page once, no loop, no stall, a token for nobody else."""

import contextlib
import json
import socket
import threading
import time
import tracemalloc
from dataclasses import replace

import pytest
from azure.core.pipeline import Pipeline
from azure.core.pipeline.policies import HeadersPolicy
from hypothesis import given, settings
from hypothesis import strategies as st

from infra.local import data_faults, faults
from infra.local.data_shapes import WORDS
from shared.collect import dataplane, fetch
from shared.collect.asked import Budget
from shared.collect.children import MOST, asked_about, usable_id
from shared.collect.clouds import account_base
from shared.collect.endpoints import BY_KIND, DATED, ENDPOINTS, OWN, PREVIEW
from shared.collect.pace import Pace
from shared.collect.paging import after, next_cursor
from shared.collect.transport import CurlTransport
from tests.test_standin_data import Site

LISTS = [endpoint for endpoint in ENDPOINTS if endpoint.scope == "data"]
FILES = BY_KIND["files"]


class Clock:
    """Time that passes only when somebody sleeps."""

    def __init__(self):
        self.now, self.slept = 0.0, []

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.now += seconds


def plane(clock=None, *, cloud="loopback", per_second=0.0, timeouts=(2.0, 5.0)):
    clock = clock or Clock()
    pipeline = Pipeline(CurlTransport(timeouts=timeouts), [HeadersPolicy({"Authorization": "Bearer local"})])
    return dataplane.DataPlane(cloud, pipeline, lambda: Pace(per_second, lambda: clock.now, clock.sleep, 5), clock.sleep)


@pytest.fixture
def site():
    made = Site()
    with made.azure:
        yield made


def own(site, clock=None, **options):
    return plane(clock, **options).of(site.account, site.world.get(site.account)["properties"]["endpoint"])


def ids(asked):
    return [item["id"] for page in asked.pages for item in json.loads(page.content)["data"]]


def upload(site, count):
    return [site.data.upload_file(site.account, f"{number}.jsonl") for number in range(count)]


# -- what is asked ------------------------------------------------------------------------------------------------------


def test_every_list_is_asked_with_the_bytes_kept_and_nothing_but_lists(site):
    file = upload(site, 1)[0]
    job = site.data.start_job(site.account, file)
    site.data.finish_job(site.account, job)
    store = site.data.create_store(site.account, files=(file,))
    site.data.create_assistant(site.account)
    site.data.start_batch(site.account, file)
    endpoint = own(site)
    for row in LISTS:
        asked = endpoint.ask(row)
        assert asked.failed is None, (row.kind, asked.failed)
        assert asked.pages and all(page.request_id and page.date for page in asked.pages)
    for kind, identifier in (("fineTuningEvents", job), ("vectorStoreFiles", store)):
        asked = endpoint.ask(BY_KIND[kind], identifier)
        assert asked.failed is None and ids(asked)
        assert asked.object["id"] == identifier
        assert asked.resource == f"{site.account}/{'finetuningjobs' if kind == 'fineTuningEvents' else 'vectorstores'}/{identifier}"
    assert site.azure.violations == []
    assert {request.method for request in site.azure.requests} == {"GET"}


def test_the_first_generation_is_asked_first_and_the_dated_one_where_it_is_not_served(site):
    files = upload(site, 3)
    assert ids(own(site).ask(FILES)) == files
    assert len(site.azure.requests) == 1
    site.data.refuse(site.account, v1=False)
    for row in LISTS:
        site.azure.requests.clear()
        asked = own(site).ask(row)
        tried = [request.target.partition("?")[0] for request in site.azure.requests]
        assert tried == [path.partition("?")[0] for path in row.addresses("")], row.kind
        if row.kind == "containers":
            assert (asked.failed.reason, asked.failed.status) == ("not-found", 404), "it has no dated generation"
        elif row.kind == "assistants":
            assert asked.failed is None
        else:
            assert (asked.failed is None and DATED in asked.url) or PREVIEW in asked.url
            assert asked.attempts == 1, "the 404 that came before counts"
    assert ids(own(site).ask(FILES)) == files


def test_pages_follow_each_other_by_cursor_in_both_shapes(site):
    files = upload(site, 7)
    jobs = [site.data.start_job(site.account, files[0]) for _ in range(5)]
    small = replace(FILES, query="limit=2&order=asc")
    asked = own(site).ask(small)
    assert ids(asked) == files and len(asked.pages) == 4
    assert [page.url.partition("&after=")[2] for page in asked.pages] == ["", files[1], files[3], files[5]]
    asked = own(site).ask(replace(BY_KIND["fineTuningJobs"], query="limit=2"))
    assert ids(asked) == jobs[::-1], "a list without last_id goes on after the last member"
    assert list(asked.members) == jobs[::-1]


def test_what_is_new_changes_the_last_page_alone(site):
    upload(site, 5)
    small = replace(FILES, query=FILES.query.replace("limit=1000", "limit=2"))
    before = own(site).ask(small)
    upload(site, 1)
    now = own(site).ask(small)
    assert [page.content for page in before.pages[:2]] == [page.content for page in now.pages[:2]]


# -- lists that do not end, or do not say so ------------------------------------------------------------------------------


@pytest.mark.parametrize(("fault", "reason", "pages"), [
    (data_faults.has_more_for_ever, "paging", 3),
    (data_faults.last_id_stands_still, "paging", None),
    (data_faults.first_page_again, "paging", 1),
    (data_faults.empty_page, "paging", 0),
    (lambda: data_faults.has_more_is(None), "malformed", 0),
    (lambda: data_faults.has_more_is("true"), "malformed", 0),
    (lambda: faults.edited(lambda body: body.update(last_id=7)), "paging", 0),
    (lambda: faults.edited(lambda body: body.update(data=None)), "malformed", 0),
    (lambda: faults.edited(lambda body: body.update(data=["x"])), "malformed", 0),
    (faults.html_page, "malformed", 0),
    (faults.invalid_json, "malformed", 0),
    (lambda: faults.redirected("http://127.0.0.1:1/"), "redirected", 0),
])  # fmt: skip
def test_a_list_that_cannot_be_trusted_ends_as_a_failure(site, fault, reason, pages):
    upload(site, 5)
    site.azure.faults.add("/openai/v1/files", fault())
    asked = own(site).ask(replace(FILES, query="limit=2&order=asc"))
    assert asked.failed is not None and asked.failed.reason == reason, asked.failed
    assert pages is None or len(asked.pages) == pages
    assert len(site.azure.requests) < 10


def test_a_list_without_has_more_has_one_page_and_last_id_may_be_missing(site):
    files = upload(site, 5)
    site.azure.faults.add("/openai/v1/files", data_faults.last_id_missing())
    assert ids(own(site).ask(replace(FILES, query="limit=2&order=asc"))) == files
    site.azure.faults.clear()
    site.azure.faults.add("/openai/v1/files", data_faults.has_more_missing())
    assert ids(own(site).ask(replace(FILES, query="limit=2&order=asc"))) == files[:2]


@given(st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "b", "c", None, 5])), min_size=1, max_size=12))
@settings(max_examples=60, deadline=None)
def test_whatever_a_server_says_of_its_pages_asking_ends(script):
    """A server out of a script that repeats itself for ever: no cursor is followed twice."""
    answers = []

    class Repeating(fetch.Fetcher):
        def __init__(self):
            pass

        def fetch(self, ask, pace, key, budget):
            from shared.collect.asked import Page

            more, last = script[len(answers) % len(script)]
            answers.append(ask().url)
            assert len(answers) < 50, "a loop"
            body = {"data": [{"id": last or "z", "n": len(answers)}], "has_more": more, "last_id": last}
            return Page(answers[-1], json.dumps(body).encode(), None, None, 1)

    endpoint = dataplane.OwnEndpoint("/a", "http://127.0.0.1:1", Repeating(), Pace(0, lambda: 0.0, lambda s: None))
    asked = endpoint.ask(FILES)
    assert asked.failed is None or asked.failed.reason in ("paging", "malformed")
    assert len({page.url for page in asked.pages}) == len(asked.pages)


# -- who does not let us in ---------------------------------------------------------------------------------------------


def kept_out(site, **changed):
    endpoint = own(site)
    return [endpoint.ask(row).failed for row in LISTS], len(site.azure.requests)


@pytest.mark.parametrize(("change", "reason", "detail", "asked"), [
    (lambda s: s.world.set_property(s.account, "/properties/publicNetworkAccess", "Disabled"), "forbidden", "public-access-disabled", 1),
    (lambda s: s.world.set_property(s.account, "/properties/networkAcls", {"defaultAction": "Deny"}), "forbidden", "network-rules", 1),
    (lambda s: s.data.refuse(s.account, keys_only=True), "refused", "no-custom-subdomain", 1),
])  # fmt: skip
def test_an_account_that_lets_nobody_in_is_asked_once(site, change, reason, detail, asked):
    change(site)
    failed, requests = kept_out(site)
    assert (failed[0].reason, failed[0].detail) == (reason, detail)
    assert {one.reason for one in failed[1:]} == {"skipped"}
    assert all(detail in one.detail for one in failed[1:])
    assert requests == asked


@pytest.mark.parametrize("status", [401, 403])
def test_a_right_that_is_missing_is_missing_for_its_own_questions_alone(site, status):
    site.data.refuse(site.account, lacks=("files/read", "vector-stores/read"), lacking_status=status)
    failed, _ = kept_out(site)
    found = {row.kind: one and (one.reason, one.detail, one.status) for row, one in zip(LISTS, failed, strict=True)}
    assert found["files"] == found["vectorStores"] == ("forbidden", "PermissionDenied", status)
    assert found["batches"] is None and found["fineTuningJobs"] is None


def test_what_azure_says_is_not_repeated(site):
    site.data.refuse(site.account, lacks=("*",))
    failed, _ = kept_out(site)
    assert all("principal" not in one.detail and len(one.detail) <= 200 for one in failed)


def test_a_host_that_is_not_there_costs_two_tries_once():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    clock = Clock()
    endpoint = plane(clock).of("/a", f"http://127.0.0.1:{port}/")
    failed = [endpoint.ask(row).failed for row in LISTS]
    assert (failed[0].reason, failed[0].detail, failed[0].attempts) == ("unreachable", "no connection", 2)
    assert {(one.reason, one.attempts) for one in failed[1:]} == {("skipped", 0)}
    assert sum(clock.slept) < 2


def test_a_host_that_says_nothing_is_waited_for_once(site):
    site.azure.faults.add("/openai", faults.never_answers())
    start = time.monotonic()
    endpoint = own(site, timeouts=(1.0, 0.2))
    failed = [endpoint.ask(row).failed for row in LISTS]
    assert (failed[0].reason, failed[0].detail, failed[0].attempts) == ("timeout", "no whole answer in time", 1)
    assert {one.reason for one in failed[1:]} == {"skipped"}
    assert time.monotonic() - start < 3


def test_a_service_that_is_down_does_not_stall_a_sweep(site):
    site.data.refuse(site.account, dead=True)
    clock = Clock()
    endpoint = own(site, clock)
    assert {endpoint.ask(row).failed.reason for row in LISTS} == {"server-error"}
    assert sum(clock.slept) < 20


def test_patience_is_asked_for_and_given(site):
    upload(site, 1)
    site.azure.faults.add("/openai/v1/files", data_faults.data_throttled(7), times=2)
    clock = Clock()
    asked = own(site, clock).ask(FILES)
    assert asked.failed is None and asked.pages[0].attempts == 3
    assert sum(clock.slept) >= 14


def test_reads_of_an_account_are_paced():
    site = Site()
    with site.azure:
        clock = Clock()
        endpoint = own(site, clock, per_second=2.0)
        for _ in range(9):
            endpoint.ask(FILES)
    assert 1.9 < clock.now < 2.1, "five at once, then two a second"


# -- where a token goes -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [
    "https://evil.example.com/", "https://x.openai.azure.com.evil.com/", "https://x.openai.azure.com@evil.com/", "http://x.openai.azure.com/",
    "https://x.openai.azure.com:444/", "https://x.openai.azure.com/elsewhere", "https://x.openai.azure.com/?y=1", "https://127.0.0.1/",
    "https://x.openai.azure.us/", "file:///etc/passwd", "", "https://",
])  # fmt: skip
def test_an_endpoint_elsewhere_is_not_asked(url):
    """The transport would say so: it is none."""
    endpoint = dataplane.DataPlane("public", None, lambda: None, None).of("/a", url)
    failed = [endpoint.ask(row) for row in LISTS]
    assert (failed[0].failed.reason, failed[0].url) == ("foreign-host", url)
    assert {one.failed.reason for one in failed[1:]} == {"skipped"}


@pytest.mark.parametrize(("url", "base"), [
    ("https://X.openai.azure.com/", "https://x.openai.azure.com"), ("https://x.services.ai.azure.com", "https://x.services.ai.azure.com"),
    ("https://x.cognitiveservices.azure.com:443/", "https://x.cognitiveservices.azure.com:443"),
])  # fmt: skip
def test_the_base_of_an_account(url, base):
    assert account_base(url, "public") == base
    assert account_base(url, "usgov") is None


def test_no_token_reaches_another_host(site):
    """A real listener plays the foreign host: a redirect there, or a cursor that looks like an address, must not even connect."""
    with socket.create_server(("127.0.0.1", 0)) as trap:
        trap.settimeout(0.3)
        seen = []

        def listen():
            with contextlib.suppress(TimeoutError):
                seen.append(trap.accept()[0].recv(4096))

        thread = threading.Thread(target=listen)
        thread.start()
        address = f"http://127.0.0.1:{trap.getsockname()[1]}/x"
        site.azure.faults.add("/openai/v1/models", faults.redirected(address))
        site.azure.faults.add("/openai/v1/files", faults.edited(lambda body: body.update(last_id=address, data=[{"id": "a"}], has_more=True)))
        own(site).ask(FILES)
        own(site).ask(BY_KIND["servedModels"])
        thread.join()
    assert seen == []
    assert all(request.target.startswith("/openai/") for request in site.azure.requests)


def test_an_account_without_an_endpoint_is_skipped():
    endpoint = plane().of("/a", None, "the account names no endpoint")
    assert {(endpoint.ask(row).failed.reason, endpoint.ask(row).failed.detail) for row in LISTS} == {("skipped", "the account names no endpoint")}


# -- memory -------------------------------------------------------------------------------------------------------------


def test_a_hundred_thousand_files_pass_through_flat_memory():
    """The server is a generator of pages, so that what is measured is the client."""

    class Endless(fetch.Fetcher):
        def __init__(self):
            self.asked = 0

        def fetch(self, ask, pace, key, budget):
            from shared.collect.asked import Page

            url, number = ask().url, self.asked
            self.asked += 1
            rows = [{"id": f"file-{number:05}-{row:05}", "object": "file", "filename": f"{row}.jsonl", "bytes": row} for row in range(1000)]
            body = {"object": "list", "data": rows, "has_more": number < 99, "last_id": rows[-1]["id"]}
            return Page(url, json.dumps(body).encode(), None, None, 1)

    held = []

    def take(kind, page):
        held.append(len(page.content))
        return replace(page, content=b"", kept=("0" * 64, held[-1]))

    endpoint = dataplane.OwnEndpoint("/a", "http://127.0.0.1:1", Endless(), Pace(0, lambda: 0.0, lambda s: None))
    tracemalloc.start()
    asked = endpoint.ask(FILES, take=take)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert asked.failed is None and len(asked.pages) == 100 and sum(held) > 7_000_000
    assert peak < 5_000_000, f"{peak:,} bytes: more than a page or two"


# -- the words of it ----------------------------------------------------------------------------------------------------


def test_cursors_and_addresses():
    assert next_cursor({"data": [], "has_more": False}) is None
    assert next_cursor({"data": [{"id": "x"}]}) is None
    assert next_cursor({"data": [{"id": "x"}], "has_more": True}) == "x"
    assert next_cursor({"data": [{"id": "x"}], "has_more": True, "last_id": "y"}) == "y"
    assert after("http://h/files?limit=2", "a&b=c/d") == "http://h/files?limit=2&after=a%26b%3Dc%2Fd"
    assert after("http://h/models", "a") == "http://h/models?after=a"


def test_ids_that_can_be_asked_about():
    assert [usable_id(item) for item in ({"id": "ftjob-1"}, {"id": "vs_1"}, {"id": ""}, {"id": 5}, {}, None, {"id": "a/../b"}, {"id": "a b"})] == [
        "ftjob-1", "vs_1", None, None, None, None, None, None,
    ]  # fmt: skip
    found, more = asked_about(f"vs_{number}" for number in range(MOST + 1))
    assert len(found) == MOST and more
    assert asked_about(["a", "A", "b"]) == (["a", "b"], False)


def test_every_row_of_the_data_plane_says_what_right_it_needs():
    for endpoint in ENDPOINTS:
        if endpoint.kind in OWN:
            assert endpoint.action.startswith("Microsoft.CognitiveServices/accounts/OpenAI/") and endpoint.action.endswith("/read")
            assert endpoint.serves and endpoint.why
            assert all(address.startswith(("http://h/openai/v1/", "http://h/openai/")) for address in endpoint.addresses("http://h", "id"))


def test_a_budget_is_one_accounts_own(site):
    assert own(site).budget is not own(site).budget
    assert own(site).budget == Budget(8, 60.0)
    assert WORDS
