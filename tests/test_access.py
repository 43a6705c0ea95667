"""Who may ask: every route against every sort of caller. What App Service did not check opens nothing."""

import base64
import json
import logging
import re

import pytest

from shared import layout
from tests.fixtures.app import principal
from tests.fixtures.host import worker

pytestmark = pytest.mark.needs("functions")

READER, OPERATOR = "Evidence.Reader", "Evidence.Operator"
ASKED = {
    "status": ("GET", "/api/status", READER), "findings": ("GET", "/api/findings", READER), "changes": ("GET", "/api/changes", READER),
    "deletions": ("GET", "/api/deletions", READER), "resources": ("GET", "/api/resources", READER), "drift": ("GET", "/api/drift", READER),
    "checkpoint": ("GET", "/api/checkpoint", READER),
    "openapi": ("GET", "/api/openapi.json", READER), "bundle": ("GET", "/api/bundles/x", READER), "request_bundle": ("POST", "/api/bundles", OPERATOR),
    "portal": ("GET", "/api/portal/", READER), "order_bundle": ("POST", "/api/portal/bundles", OPERATOR),
}  # fmt: skip
"""Every route but the probe, and the role it needs."""

OPEN = {"live"}


def encoded(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return {"X-MS-CLIENT-PRINCIPAL": base64.b64encode(data).decode()}


CLAIMS = [{"typ": "roles", "val": OPERATOR}]

NOBODY = {
    "no header": {},
    "empty": {"X-MS-CLIENT-PRINCIPAL": ""},
    "other headers": {"X-MS-CLIENT-PRINCIPAL-NAME": "ada", "X-MS-CLIENT-PRINCIPAL-ID": "1", "Authorization": "Bearer x", "X-MS-TOKEN-AAD-ID-TOKEN": "x"},
    "not base64": {"X-MS-CLIENT-PRINCIPAL": "{}"},
    "base64 with a line": {"X-MS-CLIENT-PRINCIPAL": encoded({"auth_typ": "aad", "claims": CLAIMS})["X-MS-CLIENT-PRINCIPAL"] + "\n"},
    "not ASCII": {"X-MS-CLIENT-PRINCIPAL": "é"},
    "not JSON": encoded(b"admin"),
    "not UTF-8": encoded(b"\xff\xfe"),
    "a list": encoded([]),
    "a text": encoded("claims"),
    "null": encoded(None),
    "no claims": encoded({"auth_typ": "aad"}),
    "claims are no list": encoded({"auth_typ": "aad", "claims": 7}),
    "claims are texts": encoded({"auth_typ": "aad", "claims": ["roles"]}),
    "claims lack a value": encoded({"auth_typ": "aad", "claims": [{"typ": "roles"}]}),
    "deep": encoded(b'{"claims":' + b"[" * 50_000),
    "another provider": encoded({"auth_typ": "facebook", "claims": CLAIMS}),
    "no provider": encoded({"claims": CLAIMS}),
}
"""What names nobody: 401."""

WITHOUT_ROLE = {
    "no role": principal(),
    "another role": principal("Evidence.Readers", "evidence.reader", "Owner", "Evidence.*", ""),
    "the role in another claim": encoded({"auth_typ": "aad", "role_typ": "roles", "claims": [{"typ": "groups", "val": OPERATOR}, {"typ": "name", "val": OPERATOR}]}),
    "several in one": principal(f"{READER},{OPERATOR}", f"{READER} {OPERATOR}"),
    "the value is no text": encoded({"auth_typ": "aad", "claims": [{"typ": "roles", "val": [OPERATOR]}]}),
}
"""Who is somebody and has no role of ours: 403."""


def ask(answering, function, headers):
    method, path, _ = ASKED[function]
    status, answered, body = answering.ask(function, method, path, headers=headers, params={"id": answering.bundle}, body=b"{}" if method == "POST" else b"")
    return status, answered, body


@pytest.fixture
def on(answering):
    with answering.running():
        yield answering


@pytest.fixture(params=[None, "", "False", "0", "yes", "Truely"], ids=repr)
def off(request, answering):
    """The platform's authentication is off, or not surely on."""
    import os

    changed = {} if request.param is None else {"WEBSITE_AUTH_ENABLED": request.param}
    with answering.running(**changed):
        if request.param is None:
            del os.environ["WEBSITE_AUTH_ENABLED"]
        yield answering


def test_every_route_is_tried_here():
    bound = {name for name in worker().functions if worker().bindings(name)[0]["type"] == "httpTrigger"}
    assert bound == set(ASKED) | OPEN


def refused(answer, status):
    found, headers, body = answer
    assert found == status, body
    assert headers["Cache-Control"] == "no-store"
    if headers["content-type"].startswith("text/html"):  # the portal's answers are for people
        [said] = re.findall(r'<p role="alert">(.*?)</p>', body.decode())
        return said
    said = json.loads(body)
    assert set(said) == {"error"} and "\n" not in said["error"]
    return said["error"]


@pytest.mark.parametrize("caller", NOBODY)
@pytest.mark.parametrize("function", ASKED)
def test_nobody_gets_nothing(on, function, caller):
    before = len(on.queues.waiting)
    assert "Entra ID" in refused(ask(on, function, NOBODY[caller]), 401)
    assert len(on.queues.waiting) == before


@pytest.mark.parametrize("caller", WITHOUT_ROLE)
@pytest.mark.parametrize("function", ASKED)
def test_somebody_without_the_role_gets_its_name(on, function, caller):
    assert ASKED[function][2] in refused(ask(on, function, WITHOUT_ROLE[caller]), 403)


@pytest.mark.parametrize("role", [READER, OPERATOR])
@pytest.mark.parametrize("function", ASKED)
def test_the_right_role_opens_and_the_one_below_does_not(on, function, role):
    allowed = role == OPERATOR or ASKED[function][2] == READER
    answer = ask(on, function, principal(role))
    if allowed:
        assert answer[0] == {"request_bundle": 202, "order_bundle": 303}.get(function, 200), answer
    else:
        refused(answer, 403)
        assert on.queues.waiting.get(layout.BUNDLE_QUEUE, []) == []
    on.queues.waiting.clear()


@pytest.mark.parametrize("function", ASKED)
def test_with_authentication_off_a_forged_header_opens_nothing(off, function, caplog):
    caplog.set_level(logging.ERROR, "aoai-evidence")
    for headers in (principal(READER, OPERATOR), {}, NOBODY["deep"]):
        assert "operator" in refused(ask(off, function, headers), 503)
    assert "WEBSITE_AUTH_ENABLED" in caplog.text, "the log says why"
    assert off.queues.waiting == {}


def test_the_probe_answers_anybody_and_says_nothing(answering):
    for changed in ({"WEBSITE_AUTH_ENABLED": "True"}, {"WEBSITE_AUTH_ENABLED": "False", "EVIDENCE_CLOUD": "mars", "EVIDENCE_STORE": "/nowhere"}):
        with answering.running(**changed):
            for headers in ({}, principal(OPERATOR), NOBODY["deep"]):
                status, answered, body = answering.ask("live", headers=headers)
                assert (status, body) == (204, b"")
                assert {name.lower() for name in answered} <= {"cache-control", "x-content-type-options", "content-security-policy", "content-type"}


@pytest.mark.parametrize("spelling", ["x-ms-client-principal", "X-MS-CLIENT-PRINCIPAL", "X-Ms-Client-Principal", "x-MS-client-PRINCIPAL"])
def test_names_of_headers_have_no_case(on, spelling):
    [value] = principal(READER).values()
    assert ask(on, "status", {spelling: value})[0] == 200


@pytest.mark.parametrize("claim", ["roles", "http://schemas.microsoft.com/ws/2008/06/identity/claims/role", "custom"])
def test_the_claim_that_holds_roles_is_the_one_that_the_platform_names(on, claim):
    value = {"auth_typ": "aad", "role_typ": "custom", "claims": [{"typ": claim, "val": READER}]}
    assert ask(on, "status", encoded(value))[0] == 200
    value["role_typ"] = "roles"
    assert ask(on, "status", encoded(value))[0] == (403 if claim == "custom" else 200)


def test_who_asked_for_a_bundle_is_noted_and_nothing_else_of_them(on):
    value = {"auth_typ": "aad", "claims": [{"typ": "roles", "val": OPERATOR}, {"typ": "name", "val": "Ada Example"}, {"typ": "oid", "val": "0b1ec7"}]}
    _, _, body = ask(on, "request_bundle", encoded(value))
    noted = on.estate.store.get(layout.bundle_request(json.loads(body)["id"]))
    assert json.loads(noted)["by"] == "0b1ec7"
    assert b"Ada" not in noted
    on.queues.waiting.clear()
