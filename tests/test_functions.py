"""The function app on the real runtime: which functions there are, what binds them, and what each does when it is triggered."""

import ast
import json
import logging
import re
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from shared import alarms, layout
from shared.schedule import parse
from tests.fixtures.app import deployed, drain, event, left_over, principal, running, small
from tests.fixtures.estate import estate
from tests.fixtures.host import worker
from tests.fixtures.steps import SCHEDULE

ROOT = Path(__file__).parents[1]
pytestmark = pytest.mark.needs("functions")
STORAGE = pytest.mark.needs("azurite")

TIMERS = {"sweep", "seal", "watch"}
QUEUES = {"collect_unit": "collect-unit", "on_change": "on-change", "build_bundle": "build-bundle"}
ROUTES = {
    ("GET", "status"), ("GET", "findings"), ("GET", "changes"), ("GET", "deletions"), ("GET", "resources"), ("GET", "drift"), ("GET", "checkpoint"),
    ("POST", "bundles"), ("GET", "bundles/{id}"), ("GET", "openapi.json"), ("GET", "live"), ("GET", "portal/{*page}"),
    ("POST", "portal/bundles"),
}  # fmt: skip


def triggers():
    return {name: worker().bindings(name)[0] for name in worker().functions}


# -- what the host is told --------------------------------------------------------------------------------------------------------


def test_there_are_these_functions_and_no_others():
    assert set(worker().functions) == TIMERS | set(QUEUES) | {
        "status", "findings", "changes", "deletions", "resources", "drift", "checkpoint", "request_bundle", "bundle", "openapi", "live", "portal", "order_bundle",
    }  # fmt: skip


def test_every_function_has_one_trigger_and_no_output_binding_but_the_answer():
    for name in worker().functions:
        first, *others = worker().bindings(name)
        assert first["type"] in ("timerTrigger", "queueTrigger", "httpTrigger")
        assert [(other["type"], other["direction"]) for other in others] == ([("http", "OUT")] if first["type"] == "httpTrigger" else []), name


def test_routes_are_these_with_these_methods_and_none_is_kept_by_a_function_key():
    bound = [binding for binding in triggers().values() if binding["type"] == "httpTrigger"]
    assert {(binding["methods"][0], binding["route"]) for binding in bound} == ROUTES
    assert all(len(binding["methods"]) == 1 for binding in bound)
    assert {binding["authLevel"] for binding in bound} == {"ANONYMOUS"}, "who may ask is decided by functions/access.py, on what the platform has checked"


def test_queues_are_those_of_the_layout_and_of_the_infrastructure():
    bound = {name: binding for name, binding in triggers().items() if binding["type"] == "queueTrigger"}
    assert {name: binding["queueName"] for name, binding in bound.items()} == QUEUES
    assert set(QUEUES.values()) == set(layout.QUEUES)
    made = re.search(r"var queues = \[(.*)\]", (ROOT / "infra" / "runtime.bicep").read_text())[1]
    assert set(re.findall(r"'([^']+)'", made)) == set(layout.QUEUES)


def test_connections_and_placeholders_are_settings_that_the_infrastructure_sets():
    wanted = {binding["connection"] for binding in triggers().values() if "connection" in binding}
    placeholders = {name for binding in triggers().values() for name in re.findall(r"%(\w+)%", json.dumps(binding))}
    assert (wanted, placeholders) == ({"EvidenceQueues"}, {"EVIDENCE_SCHEDULE"})
    deployed_settings = set(re.findall(r"^    (\w+):", (ROOT / "infra" / "app.bicep").read_text(), re.MULTILINE))
    local = json.loads((ROOT / "local.settings.json").read_text())["Values"]
    for settings in (deployed_settings, set(local)):
        assert {"EvidenceQueues__queueServiceUri", "EVIDENCE_SCHEDULE"} <= settings
    assert {"EvidenceQueues__credential", "EvidenceQueues__clientId"} <= deployed_settings, "a queue is reached with an identity, never with a key"


def test_timers_have_schedules_that_are_some_and_none_fires_at_start():
    for name in TIMERS:
        binding = triggers()[name]
        assert binding["runOnStartup"] is False, "every instance that starts would fire it"
        if not binding["schedule"].startswith("%"):
            assert parse(binding["schedule"])
    assert triggers()["sweep"]["schedule"] == "%EVIDENCE_SCHEDULE%", "the timer is the schedule that plans declare"
    assert (triggers()["sweep"]["useMonitor"], triggers()["watch"]["useMonitor"]) == (True, True), "an occurrence that was missed is made up for"


def test_messages_are_given_up_when_the_host_gives_them_up():
    from functions.process import ATTEMPTS, LARGEST

    assert json.loads((ROOT / "host.json").read_text())["extensions"]["queues"]["maxDequeueCount"] == ATTEMPTS
    assert -(-LARGEST // 3) * 4 <= 64 * 1024, "what a queue takes, in base64"


def test_a_run_of_seal_ends_before_the_host_ends_it():
    from shared.service.steps.advance import BUDGET
    from shared.service.steps.watch import FORGOTTEN

    hours, minutes, seconds = map(int, json.loads((ROOT / "host.json").read_text())["functionTimeout"].split(":"))
    limit = hours * 3600 + minutes * 60 + seconds
    assert 2 * BUDGET < limit < FORGOTTEN.total_seconds()


def test_entry_points_are_short():
    """They parse, call, answer: whatever decides is in `shared.service`, and tested there."""
    for path in (ROOT / "functions").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef) and any(isinstance(d, ast.Call) and "blueprint" in ast.dump(d) for d in node.decorator_list):
                lines = (node.end_lineno or 0) - node.body[0].lineno
                assert lines <= 12, f"{path.name}: {node.name} has {lines} lines"


def test_a_package_of_our_name_is_refused_in_production_order(tmp_path):
    """The worker puts site-packages before the app: a dependency that ships a `shared` must be an error that says so, not a strange one."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "__init__.py").write_text("")
    code = f"import sys; sys.path.insert(0, {str(tmp_path)!r}); sys.path.append({str(ROOT)!r}); import function_app"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode != 0
    assert "another package called shared was imported" in done.stderr.splitlines()[-1], done.stderr


def test_importing_the_app_reads_nothing_and_asks_nobody(tmp_path):
    """A cold start must not fail, or wait, for what only an invocation needs; and heavy libraries are imported where they are used."""
    code = (
        "import sys, socket\n"
        "def no(*_, **__): raise AssertionError('network')\n"
        "socket.socket.connect = no\n"
        "import function_app\n"
        "print(sorted(name for name in ('azure.storage.blob', 'azure.storage.queue', 'azure.identity', 'azure.keyvault.keys', 'jinja2',\n"
        "    'rich', 'typer', 'requests', 'rfc3161_client', 'azure.mgmt.core') if name in sys.modules))\n"
    )
    environment = {"PATH": "/usr/bin:/bin", "EVIDENCE_CLOUD": "nonsense"}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, env=environment)
    assert (done.returncode, done.stdout.strip()) == (0, "[]"), done.stderr


# -- what each does when it is triggered ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory, azurite):
    with deployed(tmp_path_factory.mktemp("functions"), azurite, in_folder=True) as made:
        made.sweep()
        made.swept = 1
        yield made


@pytest.fixture
def app(site):
    """The app, at the beginning of a slot without a sweep; there is one before."""
    site.clock.advance(hours=6)
    yield site
    if len(site.closings()) == site.swept:
        site.sweep()
    site.swept = len(site.closings())
    assert left_over(site.store) == []


def messages(log):
    return [record.getMessage() for record in log.records if record.name == "aoai-evidence"]


@STORAGE
def test_each_trigger_does_its_part(app, caplog):
    caplog.set_level(logging.INFO, "aoai-evidence")
    name = f"{app.clock():%Y%m%dT%H}0000Z"
    app.host.timer("sweep", past_due=True)
    assert f"sweep {name}: planned, 3 units queued (the timer is late)" in messages(caplog)
    assert len(app.host.waiting(layout.COLLECT_QUEUE)) == 3

    assert app.host.pump(layout.COLLECT_QUEUE) == 3
    app.host.timer("seal")
    closed = app.closings()[-1]
    assert (closed["sweep"], closed["missing"], closed["failures"]) == (name, [], 0)
    assert not [said for said in messages(caplog) if said.startswith(alarms.SWEEP_INCOMPLETE)], "every question has its answer, those of the accounts' own endpoints too"

    account = app.world.accounts()[0]
    app.clock.advance(seconds=9.5)
    app.host.send(layout.CHANGE_QUEUE, event(account))
    assert app.host.pump(layout.CHANGE_QUEUE) == 1
    drain(app)
    app.settle()
    assert [record["resource"] for record in app.records("event")][1:] == [account.lower()]
    assert app.closings()[-1]["slot"] is None, "the sweep of its account"

    caplog.clear()
    app.host.timer("watch")
    assert messages(caplog) == [], "nothing to complain of"

    status, headers, asked = app.http("request_bundle", "POST", "/api/bundles", body=b"{}")
    assert (status, asked["state"], headers["Location"]) == (202, "queued", f"/api/bundles/{asked['id']}")
    assert app.host.pump(layout.BUNDLE_QUEUE) == 1
    assert app.host.failures == []
    assert app.store.get(layout.built_bundle(asked["id"]))[:2] == b"PK"
    app.sound()


@STORAGE
def test_a_sweep_by_messages_is_the_sweep_of_the_command_line(tmp_path, site):
    """The same world, collected by one process: the same answers, the same findings."""
    def said(made, sweep):
        bodies = sorted((r["kind"], r["resource"], r["unit"], r.get("reason", "")) for _, r in made.records("observation", "failure") if r["sweep"] == sweep)
        judged = sorted((r["control"], r["resource"] or "", r["status"], r["reason"]) for _, r in made.records("finding") if r["sweep"] == sweep)
        return bodies, judged

    with estate(tmp_path, small) as one:
        one.settings = replace(one.settings, schedule=SCHEDULE)
        one.collect(by="schedule")
        [by_hand] = [record for _, record in one.records("sweep-closed")]
        assert by_hand["sweep"] == site.closings()[0]["sweep"]
        ours, theirs = said(site.estate, by_hand["sweep"]), said(one, by_hand["sweep"])
    assert ours == theirs


@STORAGE
def test_what_is_asked_over_http_is_answered(site):
    found = {name: site.http(name, "GET", f"/api/{name}") for name in ("status", "findings", "changes", "deletions", "resources", "openapi")}
    assert {name: status for name, (status, _, _) in found.items()} == dict.fromkeys(found, 200)
    assert found["status"][2]["missed_slots"] == []
    assert {item["name"] for item in found["resources"][2]["items"]} == {"small-one", "small-two"}
    held = [(item["control"], item["resource"]) for item in found["findings"][2]["items"]]
    assert len(held) == len(set(held)) > 100
    status, headers, body = site.http("checkpoint", "GET", "/api/checkpoint")
    assert (status, headers["content-type"]) == (200, "text/plain; charset=utf-8")
    assert body.startswith(b"example.org/evidence\n%d\n" % found["status"][2]["store"]["records"])
    for _, headers, _ in found.values():
        assert (headers["Cache-Control"], headers["X-Content-Type-Options"]) == ("no-store", "nosniff")


@STORAGE
def test_pages_follow_each_other_without_a_gap(site):
    whole = site.http("findings", "GET", "/api/findings")[2]["items"]
    pages, after = [], {}
    while True:
        page = site.http("findings", "GET", "/api/findings", query={"limit": "7", **after})[2]
        pages += page["items"]
        assert len(page["items"]) == 7 or page["next"] is None
        if page["next"] is None:
            break
        after = {"after": str(page["next"])}
    assert pages == whole and len(whole) > 14
    names = [site.http("resources", "GET", "/api/resources", query={"limit": "1", "after": str(n)})[2] for n in (0, 1)]
    assert [[item["name"] for item in page["items"]] for page in names] == [["small-two"], []]


@STORAGE
def test_changes_and_deletions_name_what_happened(app):
    account = app.world.accounts()[0]
    app.world.delete_deployment(account, "chat")
    app.world.set_property(account, "/properties/publicNetworkAccess", "Disabled")
    app.sweep()
    _, _, gone = app.http("deletions", "GET", "/api/deletions")
    assert [item["resource"] for item in gone["items"]] == [f"{account}/deployments/chat".lower()]
    assert {item["type"] for item in gone["items"]} == {"deletion"}
    for query, count in (({"kind": "deployment"}, 1), ({"kind": "file,batch"}, 0), ({"object": "chat"}, 1), ({"object": "talk"}, 0)):
        assert len(app.http("deletions", "GET", "/api/deletions", query=query)[2]["items"]) == count, query
    _, _, held = app.http("resources", "GET", "/api/resources", query={"kind": "deployment"})
    assert {(item["id"], item["gone"] is not None) for item in held["items"]} >= {("chat", True)}
    assert app.http("resources", "GET", "/api/resources", query={"kind": "filing"})[0] == 400
    _, _, changed = app.http("changes", "GET", "/api/changes", query={"resource": "small-one"})
    pointers = {field["pointer"] for item in changed["items"] for field in item["fields"]}
    assert "/properties/publicNetworkAccess" in pointers
    assert app.http("changes", "GET", "/api/changes", query={"from": "2031-01-01", "to": "2031-02-01"})[2] == {"items": [], "next": None}


@STORAGE
def test_a_bundle_that_its_lifecycle_deleted_is_expired_and_one_that_nobody_asked_for_is_not_there(site):
    name = site.http("request_bundle", "POST", "/api/bundles", body=json.dumps({"framework": "soc2"}).encode())[2]["id"]
    look = {"params": {"id": name}}
    assert site.http("bundle", "GET", f"/api/bundles/{name}", **look)[2]["state"] == "queued"
    [message] = site.host.waiting(layout.BUNDLE_QUEUE)
    site.host.pump(layout.BUNDLE_QUEUE)
    assert site.http("bundle", "GET", f"/api/bundles/{name}", **look)[2]["state"] == "built"
    site.store.delete(layout.built_bundle(name))
    site.host.send(layout.BUNDLE_QUEUE, message)  # it comes once more, late
    site.host.pump(layout.BUNDLE_QUEUE)
    status, headers, found = site.http("bundle", "GET", f"/api/bundles/{name}", **look)
    assert (status, found["state"], found.get("link"), headers.get("Retry-After")) == (200, "expired", None, None)
    for strange in (name[:-1] + ("0" if name[-1] != "0" else "1"), "..", "x", "", "a" * 10_000, "é"):
        assert site.http("bundle", "GET", "/api/bundles/x", params={"id": strange})[0] == 404


@STORAGE
def test_a_bundle_that_cannot_be_says_why_to_who_asked(site):
    asked = site.http("request_bundle", "POST", "/api/bundles", body=b'{"from":"2031-01-01","to":"2031-01-02"}')[2]["id"]
    site.host.pump(layout.BUNDLE_QUEUE)
    _, headers, found = site.http("bundle", "GET", f"/api/bundles/{asked}", params={"id": asked})
    assert (found["state"], headers.get("Retry-After")) == ("failed", None)
    assert "2031-01-01" in found["reason"]
    assert site.host.poison(layout.BUNDLE_QUEUE) == []


@STORAGE
def test_a_bundle_that_an_instance_has_no_room_for_says_what_to_ask_for_instead(site):
    _, _, asked = site.http("request_bundle", "POST", "/api/bundles", body=b"{}")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, hard))  # of a file: a disk that is full says the same to whoever writes
    try:
        site.host.pump(layout.BUNDLE_QUEUE)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    _, _, found = site.http("bundle", "GET", f"/api/bundles/{asked['id']}", params={"id": asked["id"]})
    assert found["state"] == "failed" and "a shorter period" in found["reason"] and "/" not in found["reason"]
    assert site.host.poison(layout.BUNDLE_QUEUE) == []


@STORAGE
@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"[]", "object"), (b"{", "JSON"), (b"\xff", "JSON"), (b"[" * 20_000, "JSON"), (b'{"since":1}', "object"), (b'{"from":7}', "from is a text"),
        (b'{"from":"yesterday"}', "not a date"), (b'{"from":"2026-02-01","to":"2026-01-01"}', "before it begins"), (b'{"resources":"x"}', "list"),
        (b'{"resources":{}}', "resources is a list"), (b'{"disclose":false}', "disclose is a list"), (b'{"resources":""}', "resources is a list"),
        (b'{"framework":"pci"}', "framework 'pci'"), (b'{"disclose":[1]}', "disclose"), (b'{"resources":["' + b"x" * 40_000 + b'"]}', "bytes"),
    ],
)  # fmt: skip
def test_a_request_that_is_none_is_refused_at_once(site, body, word):
    status, _, found = site.http("request_bundle", "POST", "/api/bundles", body=body)
    assert status == 400 and word in found["error"] and "\n" not in found["error"] and "--" not in found["error"]
    assert site.host.waiting(layout.BUNDLE_QUEUE) == []


@STORAGE
@pytest.mark.parametrize(
    ("question", "query", "word"),
    [
        ("findings", {"limit": "0"}, "limit"), ("findings", {"limit": "10001"}, "limit"), ("findings", {"after": "-1"}, "after"),
        ("findings", {"limit": "١"}, "limit"), ("findings", {"after": "9" * 40}, "after"), ("findings", {"colour": "red"}, "'colour' is no parameter"),
        ("findings", {"status": "satisfied,fine"}, "'fine'"), ("findings", {"control": "x"}, "catalogue"), ("findings", {"framework": "pci"}, "soc2"),
        ("findings", {"from": "soon"}, "not a date"), ("changes", {"from": "2026-02-01", "to": "2026-01-01"}, "before it begins"),
        ("changes", {"control": "tls-version"}, "no parameter"), ("status", {"limit": "1"}, "no parameter"), ("resources", {"from": "2026-01-01"}, "no parameter"),
    ],
)  # fmt: skip
def test_a_parameter_that_is_none_is_refused(site, question, query, word):
    status, _, found = site.http(question, "GET", f"/api/{question}", query=query)
    assert (status, word in found["error"]) == (400, True), found


def test_settings_that_cannot_be_are_told_to_the_log_and_not_to_the_caller(caplog, tmp_path):
    for name, value in (("EVIDENCE_CLOUD", "mars"), ("EVIDENCE_STORE", str(tmp_path / "nothing"))):
        caplog.clear()
        with running({"EVIDENCE_CLOUD": "public", name: value}):
            status, _, body = worker().http("status", "GET", "/api/status", headers=principal("Evidence.Reader"))
            assert (status, "operator" in json.loads(body)["error"], value.encode() in body) == (503, True, False)
            assert value in caplog.text
            worked, _, _, error, _ = worker().timer("seal")
            assert not worked and value in error
