"""The description of the HTTP interface: valid OpenAPI, and every route and status that is answered is as it says, to the last member."""

import json
import os
import re
import shutil
from functools import cache

import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from shared import layout
from tests.fixtures.app import principal
from tests.fixtures.host import worker

pytestmark = pytest.mark.needs("functions")

QUESTIONS = ("status", "findings", "changes", "deletions", "resources", "drift")
REQUESTS = {
    **{f"/api/{name}": (name, "get") for name in QUESTIONS},
    "/api/checkpoint": ("checkpoint", "get"), "/api/bundles": ("request_bundle", "post"), "/api/bundles/{id}": ("bundle", "get"),
    "/api/openapi.json": ("openapi", "get"), "/api/live": ("live", "get"),
}  # fmt: skip
"""The function that answers at each path, and its method."""

PAGES = re.compile("portal/")
"""Routes for people, with pages: no part of the interface for programs."""


@cache
def description():
    """As a client gets it: through JSON."""
    from functions.openapi import DESCRIPTION

    return json.loads(json.dumps(DESCRIPTION))


def operations():
    return {(path, method): operation for path, item in description()["paths"].items() for method, operation in item.items()}


class Asking:
    """Asks, and holds what is answered against the description."""

    def __init__(self, answering):
        self.answering = answering

    def __call__(self, path, expected, *, roles=("Evidence.Operator",), bundle=None, query=None, body=b"", **changed):
        function, method = REQUESTS[path]
        options = {"headers": principal(*roles) if roles is not None else {}, "params": {"id": bundle or self.answering.bundle}}
        with self.answering.running(**changed):
            status, answered, data = self.answering.ask(function, method.upper(), path, query=query, body=body, **options)
        assert status == expected, (path, data)
        self.conforms(operations()[path, method]["responses"][str(status)], answered, data)
        return json.loads(data) if data[:1] in b"{[" and data else data

    @staticmethod
    def conforms(response, answered, data):
        answered = {name.lower(): value for name, value in answered.items()}
        for name in response.get("headers", {}):
            assert name.lower() in answered or "while" in response["headers"][name]["description"], name
        if "content" not in response:
            assert data == b""
            return
        [(kind, media)] = response["content"].items()
        assert answered["content-type"].split(";")[0] == kind
        value = json.loads(data) if kind == "application/json" else data.decode()
        schema = {**media["schema"], "components": description()["components"]}
        errors = [f"{error.json_path}: {error.message}" for error in OAS31Validator(schema, format_checker=OAS31Validator.FORMAT_CHECKER).iter_errors(value)]
        assert errors == []
        assert sorted(undescribed(value, media["schema"], "$")) == []


def undescribed(value, schema, place):
    """Members that are answered and not described, of objects whose members are described at all."""
    if "$ref" in schema:
        schema = description()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        options = [option for option in schema["anyOf"] if option.get("type") != "null"]
        yield from min((sorted(undescribed(value, option, place)) for option in options), key=len)
        return
    if isinstance(value, list) and "items" in schema:
        for item in value:
            yield from undescribed(item, schema["items"], f"{place}[]")
    if isinstance(value, dict) and "properties" in schema:
        for name, member in value.items():
            if name not in schema["properties"]:
                yield f"{place}.{name}"
            else:
                yield from undescribed(member, schema["properties"][name], f"{place}.{name}")


@pytest.fixture(scope="module")
def ask(answering):
    return Asking(answering)


# -- by itself --------------------------------------------------------------------------------------------------------------------


def test_it_is_valid_openapi():
    validate(description())


def test_it_names_the_routes_that_there_are():
    bound = [worker().bindings(name)[0] for name in worker().functions]
    there = {(f"/api/{binding['route']}", binding["methods"][0].lower()) for binding in bound if binding["type"] == "httpTrigger" and not PAGES.match(binding["route"])}
    assert set(operations()) == there == {(path, method) for path, (_, method) in REQUESTS.items()}
    for (path, _), operation in operations().items():
        named = [parameter["name"] for parameter in operation.get("parameters", ()) if parameter["in"] == "path"]
        assert named == re.findall(r"\{(\w+)\}", path)


def test_it_names_the_parameters_that_are_read():
    from shared.service.steps.answers import PARAMETERS

    for question in QUESTIONS:
        described = [p["name"] for p in operations()[f"/api/{question}", "get"]["parameters"]]
        assert sorted(described) == sorted(PARAMETERS[question]), question


def test_every_schema_is_used():
    used = set(re.findall(r"#/components/schemas/(\w+)", json.dumps(description())))
    assert used == set(description()["components"]["schemas"])


# -- against what is answered ------------------------------------------------------------------------------------------------------

GUARDED = [path for path in REQUESTS if path != "/api/live"]
ANSWERS = [
    *((path, {"/api/bundles": 202, "/api/live": 204}.get(path, 200), {"body": b"{}" if path == "/api/bundles" else b""}) for path in REQUESTS),
    *((path, 401, {"roles": None}) for path in GUARDED),
    *((path, 403, {"roles": ()}) for path in GUARDED),
    *((path, 503, {"WEBSITE_AUTH_ENABLED": "False"}) for path in GUARDED),
    *((f"/api/{question}", 400, {"query": {"colour": "red"}}) for question in QUESTIONS),
    *((f"/api/{question}", 500, {"EVIDENCE_STORE": "contradicts itself"}) for question in QUESTIONS),
    *((path, 503, {"EVIDENCE_STORE": "is not there"}) for path in GUARDED if path not in ("/api/openapi.json", "/api/bundles")),
    ("/api/bundles", 400, {"body": b'{"from":"soon"}'}),
    ("/api/bundles/{id}", 404, {"bundle": "20260101T000000Z-0000000000000000"}),
    ("/api/checkpoint", 404, {"EVIDENCE_STORE": "has nothing sealed"}),
]
"""Path, status, and how to come by it."""


def test_every_answer_that_is_described_is_given_below():
    described = {(path, int(status)) for (path, _), operation in operations().items() for status in operation["responses"]}
    assert described == {(path, status) for path, status, _ in ANSWERS}


@pytest.mark.parametrize(("path", "status", "options"), ANSWERS, ids=lambda value: str(value) if not isinstance(value, dict) else "-".join(map(str, value.values())))
def test_what_is_answered_is_as_described(ask, stores, path, status, options):
    if "EVIDENCE_STORE" in options:
        options = {**options, "EVIDENCE_STORE": str(stores[options["EVIDENCE_STORE"]])}
    found = ask(path, status, **options)
    if isinstance(found, dict) and "items" in found:
        assert found["items"], "nothing to hold against the description"
    ask.answering.queues.waiting.clear()


@pytest.mark.parametrize("path", GUARDED)
def test_a_reader_is_refused_exactly_where_an_operator_is_asked_for(ask, path):
    [role] = operations()[path, REQUESTS[path][1]]["security"][0]["entra"]
    ask(path, 403 if role == "Evidence.Operator" else 200, roles=("Evidence.Reader",))


def test_the_newest_checkpoint_is_found_without_its_hint(ask, stores):
    assert ask("/api/checkpoint", 200, EVIDENCE_STORE=str(stores["has no hints"])) == ask("/api/checkpoint", 200)


@pytest.fixture(scope="module")
def stores(answering, tmp_path_factory):
    """Copies of the store, each with something wrong."""
    folder = tmp_path_factory.mktemp("stores")
    made = {name: folder / name.replace(" ", "-") for name in ("contradicts itself", "has nothing sealed", "has no hints", "is not there")}
    for name in ("contradicts itself", "has nothing sealed", "has no hints"):
        shutil.copytree(answering.estate.root, made[name])
        shutil.copy(f"{answering.estate.root}.key.pem", f"{made[name]}.key.pem")
    for entry in (made["contradicts itself"] / "evidence" / "log" / "tile" / "entries").rglob("*"):
        if entry.is_file():
            entry.write_bytes(entry.read_bytes()[:100])
    shutil.rmtree(made["contradicts itself"] / "state" / "sweep")
    for name in ("has nothing sealed", "has no hints"):
        os.unlink(made[name] / layout.LATEST_CHECKPOINT)
    shutil.rmtree(made["has nothing sealed"] / layout.CHECKPOINTS)
    return made


def test_every_state_of_a_bundle_is_described(ask, answering):
    states = description()["components"]["schemas"]["Bundle"]["properties"]["state"]["enum"]
    queued = ask("/api/bundles", 202, body=b'{"from":"2031-01-01","to":"2031-02-01","disclose":["ada@example.org"],"object":"cv-of-ada.pdf"}')["id"]
    store, path = answering.estate.store, layout.bundle_request(queued)
    seen = {ask("/api/bundles/{id}", 200, bundle=queued)["state"]}
    noted = json.loads(store.get(path))
    store.put(path, json.dumps({**noted, "state": "building"}).encode())
    seen.add(ask("/api/bundles/{id}", 200, bundle=queued)["state"])
    with answering.running():
        for message in answering.queues.take(layout.BUNDLE_QUEUE):
            worker().queue("build_bundle", message)
    failed = ask("/api/bundles/{id}", 200, bundle=queued)
    assert (failed["disclosed"], failed["one_object"], "no deletion of the object" in failed["reason"]) == (1, True, True)
    assert b"ada" not in store.get(path), "neither whose values were to be opened nor which object was meant is kept"
    store.put(path, json.dumps({**noted, "state": "built"}).encode())
    seen |= {failed["state"], ask("/api/bundles/{id}", 200, bundle=queued)["state"], ask("/api/bundles/{id}", 200)["state"]}
    assert seen == set(states)


# -- what is sent -----------------------------------------------------------------------------------------------------------------

BODIES = [
    {}, {"from": None, "to": None, "framework": None, "resources": [], "disclose": []}, {"from": "2026-11-01"}, {"to": "2026-11-01T00:00:00Z"},
    {"framework": "soc2"}, {"resources": ["small-one"], "disclose": ["all"]}, [], "x", 7, {"since": 1}, {"from": 1}, {"to": []}, {"framework": False},
    {"object": None}, {"object": "file-1"}, {"object": "é" * 1000, "resources": ["small-one"]}, {"object": ""}, {"object": "x" * 1001}, {"object": ["file-1"]},
    {"resources": "all"}, {"resources": [1]}, {"disclose": {"all": True}}, {"disclose": [None]},
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES, ids=json.dumps)
def test_a_request_is_taken_exactly_where_the_description_allows_it(body):
    from shared.errors import Refused
    from shared.service.steps.bundle import parse_wanted

    schema = {**description()["components"]["schemas"]["BundleRequest"], "components": description()["components"]}
    try:
        parse_wanted(json.dumps(body).encode())
        taken = True
    except Refused:
        taken = False
    assert taken == OAS31Validator(schema).is_valid(body)
