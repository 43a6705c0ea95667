"""The portal in the function app: the same pages on the real runtime, bundles through the queue, nothing but what the roles allow."""

import io
import json
import zipfile
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlsplit

import pytest

from shared import layout
from shared.deliver.certificate.request import PAGE, REQUEST
from shared.deliver.portal import PAGES
from shared.deliver.verify import verify_bundle
from shared.seal import note
from tests.fixtures.app import principal
from tests.fixtures.host import worker
from tests.test_portal import Page

pytestmark = pytest.mark.needs("functions")
READER, OPERATOR = principal("Evidence.Reader"), principal("Evidence.Operator")


@pytest.fixture
def on(answering):
    with answering.running():
        yield answering
    answering.queues.waiting.clear()


class Shown(Page):
    """A page out of an answer of the runtime."""

    def __init__(self, answer):
        self.status, self.headers, self.body = answer
        super().__init__(self)


def get(on, page, headers=READER, **options):
    return on.ask("portal", "GET", f"/api/portal/{page}", headers=headers, params={"page": page}, **options)


@pytest.mark.parametrize("page", [path for path, _ in PAGES] + ["controls/content-logging-off"])
def test_every_page_is_there_with_its_policy(on, page):
    shown = Shown(get(on, page))
    assert (shown.status, shown.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert "frame-ancestors 'none'" in shown.headers["Content-Security-Policy"] and shown.headers["Cache-Control"] == "no-store"
    links = [attributes["href"] for attributes in shown.all("a") + shown.all("link")]
    assert all(link.startswith(("/api/portal/", "#")) for link in links), links


def test_files_parameters_and_what_is_not_there(on):
    for name, kind in (("portal.css", "text/css"), ("portal.js", "text/javascript"), ("verify.js", "text/javascript")):
        status, headers, body = get(on, name)
        assert status == 200 and headers["content-type"].startswith(kind) and len(body) > 500
    account = on.estate.azure.world.accounts()[0].lower()
    assert "publicNetworkAccess" in Shown(get(on, "resource", query={"id": account})).words
    assert (get(on, "nowhere")[0], get(on, "", query={"colour": "red"})[0], get(on, "controls/../../status")[0]) == (404, 400, 404)


def test_a_bundle_is_queued_by_an_operator_and_shown_to_a_reader(on):
    status, headers, _ = on.ask("order_bundle", "POST", "/api/portal/bundles", headers=OPERATOR, body=b"from=2026-11-01&to=2026-11-30&disclose=all")
    name = headers["Location"].removeprefix("/api/portal/bundles/")
    assert status == 303 and len(on.queues.waiting[layout.BUNDLE_QUEUE]) == 1
    waiting = Shown(get(on, f"bundles/{name}"))
    assert "It waits to be built." in waiting.words and waiting.all("progress")[0]["aria-label"]
    assert json.loads(get(on, f"bundles/{name}/state")[2]) == {"state": "queued", "progress": None}
    [message] = on.queues.take(layout.BUNDLE_QUEUE)
    assert worker().queue("build_bundle", message)[0]
    built = Shown(get(on, f"bundles/{name}"))
    assert "It is built." in built.words and "Download the bundle" in built.words
    assert name in Shown(get(on, "bundles")).words
    assert get(on, f"bundles/{name}/file")[0] == 404, "a folder gives no links: the account does"


def test_a_bundle_about_one_object_is_asked_for_by_form_and_by_program(on, tmp_path):
    page = Shown(get(on, "deletions", query={"object": "chat"}))
    link = next(each["href"] for each in page.all("a") if "bundles?object=" in each["href"])
    form = Shown(get(on, "bundles", OPERATOR, query=dict(parse_qsl(urlsplit(link).query))))
    assert [each["value"] for each in form.all("input") if each.get("name") == "object"] == ["chat"], "the form is filled in"
    _, headers, _ = on.ask("order_bundle", "POST", "/api/portal/bundles", headers=OPERATOR, body=b"object=chat")
    asked = [headers["Location"].rpartition("/")[2]]
    asked.append(json.loads(on.ask("request_bundle", "POST", "/api/bundles", headers=OPERATOR, body=b'{"object":"CHAT","resources":["small-one"]}')[2])["id"])
    assert "the end of one object" in Shown(get(on, f"bundles/{asked[0]}")).words and "chat" not in Shown(get(on, f"bundles/{asked[0]}")).words
    for message in on.queues.take(layout.BUNDLE_QUEUE):
        assert worker().queue("build_bundle", message)[0]
    for name in asked:
        assert "It is built." in Shown(get(on, f"bundles/{name}")).words
        with zipfile.ZipFile(io.BytesIO(on.estate.store.get(layout.built_bundle(name)))) as bundle:
            assert json.loads(bundle.read(REQUEST))["asked"].lower() == "chat" and b"deletion" in bundle.read(PAGE)
        data = io.BytesIO(on.estate.store.get(layout.built_bundle(name)))
        assert verify_bundle(data, [note.parse_vkey(on.estate.vkey)]).problems == ()


def test_a_reader_sees_no_form_and_forges_none(on):
    assert Shown(get(on, "bundles")).all("form") == [] and Shown(get(on, "bundles", OPERATOR)).all("form")
    assert on.ask("order_bundle", "POST", "/api/portal/bundles", headers=READER, body=b"")[0] == 403
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert on.ask("order_bundle", "POST", "/api/portal/bundles", headers={**OPERATOR, **headers}, body=b"")[0] == 403
    assert on.queues.waiting.get(layout.BUNDLE_QUEUE, []) == []


def test_who_gets_no_page_gets_one_that_says_why(answering, tmp_path):
    """Not JSON: who opens the portal is a person. It stands alone, since the portal's own files are not for everybody."""
    auditor = principal("Evidence.Auditor")
    cases = (
        ({}, {}, 401, "Log in with Entra ID."), (principal(), {}, 403, "This needs the app role Evidence.Reader"),
        (auditor, {}, 403, "No view is declared for you"), (auditor, {"EVIDENCE_AUDITORS": "nonsense"}, 503, "is not set up as it must be"),
        (READER, {"WEBSITE_AUTH_ENABLED": "False"}, 503, "Authentication is not switched on"),
        (READER, {"EVIDENCE_STORE": str(tmp_path / "nothing")}, 503, "ask its operator"),
    )  # fmt: skip
    for headers, changed, status, said in cases:
        for page in ("", "drift", "bundles", "resource"):
            with answering.running(**changed):
                answer = get(answering, page, headers)
            shown = Page(SimpleNamespace(body=answer[2]))
            if page == "bundles" and "EVIDENCE_STORE" in changed and answer[0] != status:
                continue
            assert (answer[0], answer[1]["content-type"]) == (status, "text/html; charset=utf-8"), (page, changed)
            assert said in shown.words and [len(shown.all(tag)) for tag in ("h1", "main", "script", "link", "style")] == [1, 1, 0, 0, 0]
            assert answer[1]["Content-Security-Policy"].startswith("default-src 'none'") and ("Retry-After" in answer[1]) == (status == 503)
            assert [each["href"] for each in shown.all("a")] == (["/.auth/login/aad?post_login_redirect_uri=/api/portal/"] if status == 401 else [])
    with answering.running():
        assert answering.ask("order_bundle", "POST", "/api/portal/bundles", headers=READER, body=b"")[1]["content-type"].startswith("text/html")
        assert get(answering, "", READER)[0] == 200


def test_what_is_wrong_here_is_told_to_the_log_alone(answering, tmp_path, caplog):
    with answering.running(EVIDENCE_STORE=str(tmp_path / "secret-place")):
        status, _, body = get(answering, "")
    assert status == 503 and b"secret-place" not in body and "secret-place" in caplog.text

