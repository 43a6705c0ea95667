"""The stand-in's data plane: files, jobs, models and the rest of an account, in both generations, as Azure is documented to give them."""

import http.client
import json
import ssl
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.local import data_faults, faults
from infra.local.authorship import Actor, Caller
from infra.local.clock import Clock
from infra.local.data_lists import Style, listed
from infra.local.data_shapes import WORDS, file_body
from infra.local.estate_objects import fill
from infra.local.ids import fold, guid
from infra.local.scenarios import estate
from infra.local.server import StandIn
from infra.local.throttle import TokenBuckets
from infra.local.truth import object_id
from infra.local.world import World
from shared.collect.endpoints import BY_KIND
from tests.test_standin import Answer, ask, run

START = datetime(2026, 5, 4, 8, 0, tzinfo=UTC)
SUBSCRIPTION = guid("test", "data")
DATED = "2024-10-21"
PREVIEW = "2025-04-01-preview"


class Site:
    """A world with one account, and how to ask its data plane."""

    def __init__(self):
        self.clock = Clock(START)
        self.world = World(self.clock)
        self.world.add_subscription(SUBSCRIPTION, "data")
        self.account = self.world.create_account(SUBSCRIPTION, "rg", "one")
        self.data = self.world.data
        self.azure = StandIn(self.world, data_plane="http")

    def ask(self, target, method="GET", body=None, account=None, context=None, **headers):
        parts = urlsplit(self.world.get(account or self.account)["properties"]["endpoint"])
        if parts.scheme == "https":
            connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=5, context=context)
        else:
            connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=5)
        sent = {"Authorization": "Bearer local", **{name.replace("_", "-"): value for name, value in headers.items()}}
        try:
            connection.request(method, target, body, {name: value for name, value in sent.items() if value})
            response = connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        finally:
            connection.close()

    def v1(self, path, *args, **kwargs):
        return self.ask(f"/openai/v1{path}", *args, **kwargs)

    def dated(self, path, *args, version=DATED, **kwargs):
        return self.ask(f"/openai{path}{'&' if '?' in path else '?'}api-version={version}", *args, **kwargs)

    def walk(self, path, limit):
        """All members of a cursored list in `/openai/v1`, page by page."""
        found, after = [], ""
        while True:
            page = self.v1(f"{path}?limit={limit}{after}").json
            found += [row["id"] for row in page["data"]]
            if not page["has_more"]:
                return found
            after = f"&after={page['data'][-1]['id']}"


@pytest.fixture
def site():
    made = Site()
    with made.azure:
        yield made


# addresses


def test_each_account_has_an_address_of_its_own(site):
    other = site.world.create_account(SUBSCRIPTION, "rg", "two")
    site.data.upload_file(site.account, "one.jsonl")
    hosts = {site.world.get(account)["properties"]["endpoint"] for account in (site.account, other)}
    assert len(hosts) == 2 and all(host.startswith("http://127.0.0.1:") for host in hosts)
    assert [row["filename"] for row in site.v1("/files").json["data"]] == ["one.jsonl"]
    assert site.v1("/files", account=other).json["data"] == []
    assert site.azure.requests[0].account == site.account


def test_addresses_speak_tls_where_told():
    site = Site()
    site.azure = StandIn(site.world, data_plane="tls")
    with site.azure:
        context = ssl.create_default_context(cadata=site.azure.certificate_pem.decode())
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        assert site.world.get(site.account)["properties"]["endpoint"].startswith("https://127.0.0.1:")
        assert site.v1("/files", context=context).status == 200


def test_accounts_that_were_given_an_endpoint_keep_it_and_without_a_data_plane_all_are_azures():
    site = Site()
    given_one = site.world.create_account(SUBSCRIPTION, "rg", "given", endpoint="https://127.0.0.1:1/")
    assert site.world.get(site.account)["properties"]["endpoint"] == "https://one.openai.azure.com/"
    for _ in range(2):  # and again after a restart
        with site.azure:
            assert site.world.get(given_one)["properties"]["endpoint"] == "https://127.0.0.1:1/"
            assert site.v1("/models").status == 200
    with StandIn(World()) as azure:
        assert azure.world.create_account(SUBSCRIPTION, "rg", "x") in azure.world.accounts()
        assert azure.world.get(azure.world.account("x"))["properties"]["endpoint"] == "https://x.openai.azure.com/"


def test_an_account_that_is_gone_does_not_answer_and_comes_back_with_all_it_held(site):
    file = site.data.upload_file(site.account, "kept.jsonl")
    endpoint = site.world.get(site.account)["properties"]["endpoint"]
    site.world.delete_account(site.account)
    connection = http.client.HTTPConnection(urlsplit(endpoint).netloc, timeout=5)
    with pytest.raises((ConnectionError, http.client.HTTPException)):
        connection.request("GET", "/openai/v1/files", headers={"Authorization": "Bearer local"})
        connection.getresponse()
    site.world.restore_account(site.account)
    assert [row["id"] for row in site.v1("/files").json["data"]] == [file]
    site.world.delete_account(site.account)
    site.world.purge_account(site.account)
    site.world.create_account(SUBSCRIPTION, "rg", "one")
    assert site.v1("/files").json["data"] == []


# lists


def test_the_two_generations_of_files_differ(site):
    made = [site.data.upload_file(site.account, f"{n}.jsonl", expires_after=timedelta(days=n + 1)) for n in range(3)]
    new = site.v1("/files?limit=2").json
    old = site.dated("/files?limit=2&after=" + made[0]).json
    assert [row["id"] for row in new["data"]] == [made[2], made[1]]
    assert (new["has_more"], new["first_id"], new["last_id"]) == (True, made[2], made[1])
    assert set(old) == {"object", "data"}
    assert [row["id"] for row in old["data"]] == made
    assert {row["id"]: row["expires_at"] - row["created_at"] for row in new["data"]} == {made[2]: 3 * 86400, made[1]: 2 * 86400}
    assert all("expires_at" not in row for row in old["data"])


def test_jobs_have_no_last_id_and_states_are_spelled_in_two_ways(site):
    file = site.data.upload_file(site.account)
    job = site.data.start_job(site.account, file, suffix=WORDS, metadata={"for": WORDS})
    new, old = site.v1("/fine_tuning/jobs").json, site.dated("/fine_tuning/jobs").json
    assert set(new) == {"object", "data", "has_more"} == set(old)
    assert (new["data"][0]["status"], old["data"][0]["status"]) == ("queued", "pending")
    assert new["data"][0]["metadata"] == {"for": WORDS}
    assert "metadata" not in old["data"][0]
    model = site.data.finish_job(site.account, job)
    [done] = site.v1("/fine_tuning/jobs").json["data"]
    assert (done["status"], done["fine_tuned_model"], done["training_file"]) == ("succeeded", model, file)
    assert model == f"gpt-4o-mini-2024-07-18.ft-{job.removeprefix('ftjob-')}-{WORDS}"
    assert site.v1(f"/files/{done['result_files'][0]}").json["purpose"] == "fine-tune-results"
    messages = [event["message"] for event in site.v1(f"/fine_tuning/jobs/{job}/events?limit=100").json["data"]]
    assert messages[0] == "Job succeeded." and messages[-1].startswith("Job enqueued.")
    assert any("Safety evaluation" in message for message in messages)
    steps = site.dated(f"/fine_tuning/jobs/{job}/checkpoints").json["data"]
    assert [step["step_number"] for step in steps] == [30, 20, 10]


def test_a_job_that_fails_the_safety_evaluation_makes_no_model(site):
    job = site.data.start_job(site.account, site.data.upload_file(site.account))
    assert site.data.finish_job(site.account, job, safe=False) is None
    [failed] = site.v1("/fine_tuning/jobs").json["data"]
    assert (failed["status"], failed["fine_tuned_model"], failed["error"]["code"]) == ("failed", None, "safetyEvaluationFailed")
    assert site.data.ids(site.account, "finetunedmodels") == []


def test_models_are_base_and_fine_tuned_and_one_id_is_there_twice(site):
    file = site.data.upload_file(site.account)
    job = site.data.start_job(site.account, file)
    model = site.data.finish_job(site.account, job)
    rows = site.dated("/models").json["data"]
    assert set(site.v1("/models").json) == {"data", "object"}
    assert (rows[0]["id"], rows[0]["model"], rows[0]["fine_tune"]) == (model, "gpt-4o-mini-2024-07-18", job)
    ids = [row["id"] for row in rows]
    assert len(ids) - len(set(ids)) == 1
    assert site.v1(f"/models/{model}").json["id"] == model
    site.data.plain_models = True
    with site.world.changing():
        pass
    assert set(site.v1("/models").json["data"][0]) == {"id", "object", "created", "owned_by"}


def test_batches_and_vector_stores_and_containers(site):
    file = site.data.upload_file(site.account, purpose="batch")
    batch = site.data.start_batch(site.account, file, metadata={"why": WORDS})
    out, errors = site.data.finish_batch(site.account, batch)
    [row] = site.v1("/batches").json["data"]
    assert (row["status"], row["output_file_id"], row["error_file_id"]) == ("completed", out, errors)
    store = site.data.create_store(site.account, files=(file,), days=7)
    [row] = site.dated("/vector_stores", version=PREVIEW).json["data"]
    assert (row["id"], row["expires_after"], row["file_counts"]["total"]) == (store, {"anchor": "last_active_at", "days": 7}, 1)
    assert [row["id"] for row in site.v1(f"/vector_stores/{store}/files").json["data"]] == [file]
    assert site.dated("/vector_stores").status == 404  # never in a stable version
    container = site.data.create_container(site.account)
    assert [row["id"] for row in site.v1("/containers").json["data"]] == [container]
    assert site.dated("/containers", version=PREVIEW).status == 404


def test_assistants_are_served_until_their_api_ended(site):
    assistant = site.data.create_assistant(site.account)
    [row] = site.dated("/assistants", version=PREVIEW).json["data"]
    assert row["id"] == assistant
    assert all(WORDS in str(row[field]) for field in ("name", "instructions", "description", "metadata", "tools"))
    assert site.v1("/assistants").status == 404
    site.clock.jump_to(datetime(2026, 8, 26, tzinfo=UTC))
    gone = site.dated("/assistants", version=PREVIEW)
    assert gone.status == 410
    assert "ENDPOINT RETIRED" in gone.json["error"]["message"]
    site.data.retired_status = 404
    assert site.dated("/assistants", version=PREVIEW).status == 404
    assert site.v1("/files").status == 200


@given(st.integers(0, 9), st.integers(1, 5), st.sampled_from(["asc", "desc"]))
def test_a_list_walked_by_its_cursor_is_whole(size, limit, order):
    ids = [f"id-{n}" for n in range(size)]
    found, after, pages = [], None, 0
    while True:
        query = {"limit": str(limit), "order": order} | ({"after": after} if after else {})
        page = listed(ids, lambda one: {"id": one}, query, Style("cursor"))
        found += [row["id"] for row in page["data"]]
        pages += 1
        assert page["last_id"] == (found[-1] if page["data"] else None)
        if not page["has_more"]:
            break
        after = page["last_id"]
    assert found == (ids if order == "asc" else ids[::-1])
    assert pages == max(1, -(-size // limit))


def test_a_limit_above_the_most_and_a_cursor_that_names_nothing_are_refused(site):
    assert site.v1("/files?limit=10000").status == 200
    for path, code in (
        ("/files?limit=10001", "integer_above_max_value"),
        ("/batches?limit=101", "integer_above_max_value"),
        ("/vector_stores?limit=1000", "integer_above_max_value"),
        ("/files?limit=0", "invalid_type"),
        ("/files?after=file-none", "invalidPayload"),
        ("/files?order=up", "invalidPayload"),
    ):
        answer = site.v1(path)
        assert (answer.status, answer.code) == (400, code), path


def test_a_hundred_thousand_files_stream_by(site):
    rows = (
        (f"file-{n:06d}", lambda n=n: file_body(f"file-{n:06d}", START, f"{n}", purpose="batch", size=1, status="processed"))
        for n in range(100_000)
    )
    site.data.adopt(site.account, "files", rows)
    assert site.v1("/files?limit=1000&after=file-001000").json["last_id"] == "file-000000"
    page = site.v1("/files?limit=1000").json
    assert (page["first_id"], page["last_id"], page["has_more"]) == ("file-099999", "file-099000", True)


# who gets in


def test_refusals_are_azures(site):
    site.data.upload_file(site.account)
    answer = site.v1("/files", Authorization="")
    assert (answer.status, answer.code) == (401, "401")
    assert "Access denied due to invalid subscription key" in answer.json["error"]["message"]
    assert site.v1("/files", Authorization="", api_key="secret").status == 200
    site.world.set_property(site.account, "/properties/disableLocalAuth", True)
    answer = site.v1("/files", Authorization="", api_key="secret")
    assert (answer.status, answer.code) == (403, "AuthenticationTypeDisabled")
    for path in ("/nothing", "/files/x/y"):
        assert (site.v1(path).status, site.v1(path).code) == (404, "404")
    assert site.ask("/openai/files").status == 404  # no api-version
    assert site.ask("/elsewhere").status == 404
    answer = site.v1("/files?api-version=2024-10-21")
    assert (answer.status, answer.code) == (400, "BadRequest")
    answer = site.v1("/files/file-none")
    assert (answer.status, answer.code) == (404, "notFound")
    answer = site.dated("/deployments/none/chat/completions", "POST", b"{}")
    assert (answer.status, answer.code) == (404, "DeploymentNotFound")


def test_a_private_account_says_that_it_is(site):
    site.world.set_property(site.account, "/properties/publicNetworkAccess", "Disabled")
    answer = site.v1("/files")
    assert (answer.status, answer.code) == (403, "403")
    assert answer.json["error"]["message"] == "Public access is disabled. Please configure private endpoint."
    site.world.set_property(site.account, "/properties/publicNetworkAccess", "Enabled")
    site.world.set_property(site.account, "/properties/networkAcls", {"defaultAction": "Deny"})
    assert "Firewall" in site.v1("/files").json["error"]["message"]
    site.data.refuse(site.account, inside=True)  # the collector has a private endpoint
    assert site.v1("/files").status == 200


def test_what_keeps_a_caller_out(site):
    site.data.refuse(site.account, lacks=("files/read",))
    answer = site.v1("/files")
    assert (answer.status, answer.code) == (401, "PermissionDenied")
    assert "accounts/OpenAI/files/read" in answer.json["error"]["message"]
    assert site.v1("/models").status == 200
    site.data.refuse(site.account, lacks=("*",), lacking_status=403)
    assert site.v1("/models").status == 403
    site.data.admit(site.account)
    site.data.refuse(site.account, keys_only=True)
    answer = site.v1("/files")
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert "custom subdomain" in answer.json["error"]["message"]
    site.data.admit(site.account)
    site.data.refuse(site.account, v1=False)
    assert (site.v1("/files").status, site.dated("/files").status) == (404, 200)
    site.data.admit(site.account)
    site.data.refuse(site.account, dead=True)
    assert site.v1("/files").status == 503
    site.data.admit(site.account)
    assert site.v1("/files").status == 200
    other = site.world.create_account(SUBSCRIPTION, "rg", "forms", kind="FormRecognizer")
    assert site.v1("/files", account=other).status == 404


# faults


def test_lists_that_do_not_end(site):
    made = [site.data.upload_file(site.account, f"{n}") for n in range(5)]
    rule = site.azure.faults.add("/one/openai/v1/files", data_faults.has_more_for_ever())
    assert site.v1(f"/files?limit=2&after={made[0]}").json == {
        "object": "list",
        "data": [],
        "first_id": None,
        "last_id": None,
        "has_more": True,
    }
    assert rule.fired == 1
    site.azure.faults.clear()
    site.azure.faults.add("/files", data_faults.first_page_again())
    first, again = site.v1("/files?limit=2").json, site.v1(f"/files?limit=2&after={made[3]}").json
    assert first == again and first["has_more"]
    site.azure.faults.clear()
    site.azure.faults.add("/files", data_faults.last_id_stands_still())
    assert {site.v1("/files?limit=2").json["last_id"], site.v1(f"/files?limit=2&after={made[3]}").json["last_id"]} == {made[3]}
    site.azure.faults.clear()
    site.azure.faults.add("/files", data_faults.has_more_missing(), page=2)
    assert "has_more" in site.v1("/files?limit=2").json
    assert "has_more" not in site.v1(f"/files?limit=2&after={made[3]}").json
    site.azure.faults.clear()
    site.azure.faults.add("/files", data_faults.data_throttled(7), times=1)
    site.azure.faults.add("/files", faults.server_error(502), times=1, skip=1)
    assert site.v1("/files").headers["Retry-After"] == "7"
    assert site.v1("/files").status == 502
    assert len(site.v1("/files").json["data"]) == 5


def test_an_account_is_throttled_where_calls_are():
    site = Site()
    site.azure = StandIn(site.world, data_plane="http", throttle=TokenBuckets())
    assert (site.azure._answerer._data_throttle.burst, site.azure._answerer._data_throttle.per_second) == (30, 30.0)
    site.azure._answerer._data_throttle = TokenBuckets(2, 0.001)  # slow, so that the test need not be fast
    other = site.world.create_account(SUBSCRIPTION, "rg", "two")
    with site.azure:
        assert [site.v1("/files").status for _ in range(3)] == [200, 200, 429]
        assert site.v1("/files", account=other).status == 200
        assert int(site.v1("/files").headers["Retry-After"]) > 1


# changes


def test_a_file_is_uploaded_trained_with_and_deleted_over_http(site):
    form = (
        b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="t.jsonl"\r\nContent-Type: application/json\r\n\r\n{"a":1}\r\n--x--\r\n'
    )
    made = site.v1("/files", "POST", form, Content_Type="multipart/form-data; boundary=x")
    assert (made.status, made.json["filename"], made.json["bytes"]) == (201, "t.jsonl", 7)
    file = made.json["id"]
    job = site.dated("/fine_tuning/jobs", "POST", json.dumps({"model": "gpt-4o-mini", "training_file": file}).encode())
    assert job.status == 201
    batch = site.v1(
        "/batches", "POST", json.dumps({"input_file_id": file, "endpoint": "/chat/completions", "completion_window": "24h"}).encode()
    )
    assert batch.json["status"] == "validating"
    assert site.v1(f"/batches/{batch.json['id']}/cancel", "POST").json["status"] == "cancelled"
    assert site.dated(f"/files/{file}", "DELETE").json == {"id": file, "object": "file", "deleted": True}
    assert site.dated(f"/files/{file}").status == site.dated(f"/files/{file}", "DELETE").status == 404
    part = b'--x\r\nContent-Disposition: form-data; name="expires_after[seconds]"\r\n\r\n%d\r\n'
    lasting = site.v1("/files", "POST", part % 7200 + form, Content_Type="multipart/form-data; boundary=x").json
    assert lasting["expires_at"] - lasting["created_at"] == 7200
    assert site.v1("/files", "POST", part % 60 + form, Content_Type="multipart/form-data; boundary=x").status == 400
    second = site.data.upload_file(site.account)
    gone = site.dated(f"/files/{second}", "DELETE", version="2024-06-01")
    assert (gone.status, gone.body) == (204, b"")
    gone = site.dated(f"/fine_tuning/jobs/{job.json['id']}", "DELETE")
    assert (gone.status, gone.body) == (204, b"")
    assert [(one.kind, one.by) for one in site.world.truth.deletions()] == [
        ("file", guid("collector")), ("file", guid("collector")), ("fine-tuning-job", guid("collector")),
    ]  # fmt: skip
    assert [request.method for request in site.azure.violations].count("DELETE") == 4
    assert site.v1("/batches", "POST", b"nonsense").status == 400
    assert site.v1("/batches", "POST", b"[]").status == 400
    assert site.v1("/files", "POST", b"x", Content_Type="multipart/form-data; boundary=x").status == 400


def test_content_is_given_and_remembered(site):
    file = site.data.upload_file(site.account)
    for path in (f"/files/{file}/content", "/chat/completions", "/responses/resp_1", "/evals", "/containers/c/files"):
        assert WORDS in site.v1(path).body.decode()
    assert len(site.azure.violations) == 5
    assert site.v1("/files").status == 200
    assert len(site.azure.violations) == 5


def test_deletions_have_their_causes(site):
    kept = site.data.upload_file(site.account, "kept")
    short = site.data.upload_file(site.account, "short", expires_after=timedelta(hours=2))
    store = site.data.create_store(site.account, files=(kept, short), days=1)
    container = site.data.create_container(site.account, minutes=20)
    job = site.data.start_job(site.account, kept, minutes=30)
    site.clock.advance(hours=3)
    assert [row["id"] for row in site.v1(f"/vector_stores/{store}/files").json["data"]] == [kept]
    [row] = site.v1("/fine_tuning/jobs").json["data"]
    assert (row["status"], row["finished_at"]) == ("succeeded", int(START.timestamp()) + 1800)
    site.world.actor = Actor("ida@brightwater.example")
    site.data.delete_file(site.account, kept)
    site.clock.advance(days=1)
    assert site.v1("/vector_stores").json["data"] == []
    site.data.delete_job(site.account, job, caller=Caller(site.world.actor, keyed=True))
    told = [(one.kind, one.object, one.cause, one.by, one.at - START) for one in site.world.truth.deletions()]
    assert told == [
        ("container", container, "expired", None, timedelta(minutes=20)),
        ("file", short, "expired", None, timedelta(hours=2)),
        ("file", kept, "deleted", "ida@brightwater.example", timedelta(hours=3)),
        ("vector-store", store, "expired", None, timedelta(days=1)),
        ("fine-tuning-job", job, "deleted", "ida@brightwater.example", timedelta(hours=27)),
        ("fine-tuned-model", row["fine_tuned_model"], "deleted", "ida@brightwater.example", timedelta(hours=27)),
    ]
    assert object_id(site.account, "file", kept) in site.world.truth.alive(START + timedelta(hours=2))
    assert object_id(site.account, "file", kept) not in site.world.truth.alive(START + timedelta(hours=4))


def test_an_account_takes_what_it_holds_and_what_expired_meanwhile_does_not_stay(site):
    file = site.data.upload_file(site.account, expires_after=timedelta(hours=2))
    other = site.data.upload_file(site.account)
    site.world.delete_account(site.account)
    assert {one.cause for one in site.world.truth.deletions("file")} == {"account-deleted"}
    site.clock.advance(hours=5)
    site.world.restore_account(site.account)
    assert [row["id"] for row in site.v1("/files").json["data"]] == [other]
    assert site.world.truth.deletions("file")[-1].object == file
    assert site.world.truth.alive(site.clock(), "file") == {object_id(site.account, "file", other)}


def test_a_deleted_file_may_stay_in_the_list_as_deleted(site):
    site.data.keeps_deleted = True
    file = site.data.upload_file(site.account)
    site.data.delete_file(site.account, file)
    [row] = site.v1("/files").json["data"]
    assert (row["id"], row["status"]) == (file, "deleted")
    assert site.v1(f"/files/{file}").status == 404
    with pytest.raises(KeyError):
        site.data.delete_file(site.account, file)
    assert site.world.truth.alive(site.clock(), "file") == set()
    site.world.delete_account(site.account)
    assert len(site.world.truth.deletions("file")) == 1


def test_what_is_not_there_cannot_be_changed(site):
    for change in (site.data.delete_file, site.data.delete_job, site.data.delete_store, site.data.delete_assistant, site.data.cancel_batch):
        with pytest.raises(KeyError):
            change(site.account, "nothing")
    with pytest.raises(KeyError):
        site.data.start_job(site.account, "file-nothing")
    with pytest.raises(KeyError):
        site.data.upload_file(fold(site.account) + "x")
    assert site.world.truth.deletions() == []


# a process of its own, and estates


def test_the_process_serves_data_planes_by_tls_and_writes_its_certificate(tmp_path):
    pem = tmp_path / "ca.pem"
    with run("--scenario", "estate:2x1", "--objects", "120", "--data-plane", "tls", "--certificate", str(pem)) as process:
        site = Site()
        site.azure._answerer.endpoint = process.stdout.readline().strip()
        [one, _] = ask(site.azure, BY_KIND["accounts"].url(f"/subscriptions/{guid('estate', 0)}")).json["value"]
        context = ssl.create_default_context(cafile=str(pem))
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        connection = http.client.HTTPSConnection(urlsplit(one["properties"]["endpoint"]).netloc, timeout=5, context=context)
        connection.request("GET", "/openai/v1/files?limit=100", headers={"Authorization": "Bearer local"})
        page = json.loads(connection.getresponse().read())
        connection.close()
        assert (len(page["data"]), page["has_more"]) == (100, True)
        process.terminate()
        process.communicate(timeout=10)
    assert process.returncode == 0


@pytest.mark.parametrize("arguments", [["--certificate", "x.pem"], ["--data-plane", "udp"], ["--objects", "many"], ["--tls", "--certificate", "/nowhere/x"]])
def test_the_process_says_what_is_wrong_with_these_options(arguments):
    with run(*arguments) as process:
        out, err = process.communicate(timeout=10)
    assert (process.returncode, out) == (2, "")
    assert "Traceback" not in err and err.strip()


def test_a_generated_estate_may_hold_objects():
    world = estate(1, 2, 1, lambda: START)
    fill(world, 200)
    one, other = world.accounts()
    assert world.data.access(other).inside
    assert [len(world.data.ids(one, kind)) for kind in ("files", "finetuningjobs", "finetunedmodels", "batches", "vectorstores")] == [200, 4, 4, 10, 4]
    job = world.data.body(one, "finetuningjobs", world.data.ids(one, "finetuningjobs")[1])
    assert job["training_file"] in world.data.ids(one, "files")
    assert job["fine_tuned_model"] in world.data.ids(one, "finetunedmodels")
    assert not set(world.data.ids(one, "files")) & set(world.data.ids(other, "files"))
    for collection in ("files", "batches", "vectorstores"):
        assert all(world.data.body(one, collection, key)["id"] == key for key in world.data.ids(one, collection))
    world.data.delete_file(one, world.data.ids(one, "files")[0])
    assert len(world.data.ids(one, "files")) == 199
