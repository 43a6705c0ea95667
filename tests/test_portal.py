"""The portal: what it says is what the use-cases say, everything from outside is text, and nobody else gets in."""

import re
import threading
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from itertools import chain
from urllib.parse import unquote_plus, urljoin, urlsplit

import pytest

from shared import layout
from shared.deliver.portal import PAGES
from shared.seal.store import DirectoryStore
from shared.service import queries
from shared.service.baseline import approve
from shared.service.drifted import AS_APPROVED, drifted
from shared.service.gone import deletions
from shared.service.portal.bundles import LocalBundles
from shared.service.portal.desk import Asked, Desk
from shared.service.portal.pages import MOST_ACCOUNTS
from shared.service.portal.server import listening
from shared.service.queries import Filter, reading
from shared.service.waiver import add as waive
from shared.settings import Settings
from tests.fixtures.app import small
from tests.fixtures.estate import estate
from tests.fixtures.records import START, Account, LogMaker, account_unit
from tests.fixtures.steps import SCHEDULE

NASTY = "<img src=x onerror='window.owned=1'>"
VOID = {"meta", "link", "input", "img", "br", "rect", "path", "circle", "use"}


def hostile(clock, endpoint=None):
    world = small(clock, endpoint)
    world.put_deployment(world.accounts()[0], NASTY, model="</title><script>window.owned=1</script>")
    return world


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """A store with a drift, a deletion, a gap, hostile names, and a look that an event caused at the end."""
    with estate(tmp_path_factory.mktemp("portal"), hostile) as made:
        made.settings = replace(made.settings, schedule=SCHEDULE)
        world, accounts = made.azure.world, made.azure.world.accounts()
        made.collect(by="schedule")
        approve(made.settings, None, owner=NASTY, reason=f"{NASTY} is as it should be", now=made.clock)
        made.clock.advance(hours=12)  # a slot is missed
        world.delete_deployment(accounts[2], "chat")
        world.set_property(accounts[0], "/properties/publicNetworkAccess", "Disabled")
        made.collect(by="schedule")
        made.clock.advance(hours=1)
        waive(made.settings, "local-auth-disabled", accounts[0], until="2026-12-01", owner=NASTY, reason=f"{NASTY} is being built", now=made.clock)
        yield made


def desk_of(site, base="/x/", folder=None):
    return Desk(site.reading, site.clock, LocalBundles(site.reading, site.clock, folder), base)


@pytest.fixture(scope="module")
def desk(site, tmp_path_factory):
    return desk_of(site, folder=tmp_path_factory.mktemp("bundles"))


@contextmanager
def served(site):
    with listening(lambda base, folder: desk_of(site, base, folder), 0) as (address, server):
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield address
        finally:
            server.shutdown()
            thread.join()


class Page(HTMLParser):
    """Elements of a page, in their order, with what is wrong with it as a document."""

    def __init__(self, reply):
        super().__init__()
        self.elements, self.text, self._open, self.wrong = [], [], [], []
        self.feed(reply.body.decode())
        assert self._open == [], self._open

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self._open and self._open[-1] == tag, (tag, self._open)
            self._open.pop()

    def handle_data(self, data):
        self.text.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def words(self):
        return " ".join("".join(self.text).split())


def get(desk, path, **changed):
    parts = urlsplit(path)
    query = dict(pair.split("=", 1) for pair in parts.query.split("&") if pair)
    return desk.answer(Asked("GET", unquote_plus(parts.path), {name: unquote_plus(value) for name, value in query.items()}, **changed))


@pytest.fixture(scope="module")
def crawled(desk):
    """Every page that can be reached from the overview, by its address, and its reply."""
    found, waiting = {}, [""]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        reply = found[path] = get(desk, path)
        if reply.kind.startswith("text/html") and "Content-Disposition" not in reply.headers:
            for attributes in Page(reply).all("a"):
                target = urlsplit(urljoin(f"http://here/x/{path}", attributes["href"]))
                assert target.netloc == "here" and target.path.startswith("/x/"), attributes
                waiting.append(target.path.removeprefix("/x/") + (f"?{target.query}" if target.query else ""))
    return found


def test_every_link_leads_somewhere_and_every_page_is_reached(crawled):
    assert {path for path, reply in crawled.items() if reply.status != 200} == set()
    assert {path for path, _ in PAGES} <= set(crawled)
    assert sum(path.startswith("controls/") for path in crawled) > 40 and sum(path.startswith("resource?") for path in crawled) >= 5
    assert any(path.startswith("certificate?") for path in crawled)


def test_each_page_is_strict_and_fit_to_be_read_aloud(crawled):
    for path, reply in crawled.items():
        policy = reply.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; ") and "frame-ancestors 'none'" in policy and "unsafe" not in policy and "*" not in policy
        assert (reply.headers["Cache-Control"], reply.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        if "Content-Disposition" in reply.headers:
            continue
        page = Page(reply)
        for tag, attributes in page.elements:
            assert "style" not in attributes and not [name for name in attributes if name.startswith("on")], (path, tag, attributes)
            assert not re.match(r"(?:https?:)?//|javascript:|data:", attributes.get("href") or attributes.get("src") or ""), (path, attributes)
            assert tag != "script" or (attributes.get("src") or "").startswith("/x/"), path
            assert tag not in ("style", "iframe", "object", "base"), path
        assert [len(page.all(tag)) for tag in ("h1", "main", "nav", "header", "footer")] == [1] * 5, path
        assert page.all("html") == [{"lang": "en"}] and page.all("nav")[0]["aria-label"]
        ids = [attributes["id"] for _, attributes in page.elements if attributes.get("id")]
        assert len(ids) == len(set(ids)), (path, [one for one in ids if ids.count(one) > 1])
        named = {attributes.get("for") for attributes in page.all("label")}
        for tag, attributes in page.elements:
            if tag in ("input", "select", "textarea") and attributes.get("type") != "hidden" and attributes.get("id"):
                assert attributes["id"] in named, (path, attributes)


def test_names_from_outside_are_text_wherever_they_come(site, desk, crawled):
    resource = f"{site.azure.world.accounts()[0].lower()}/deployments/{NASTY.lower()}"
    seen = 0
    for path, reply in crawled.items():
        text = reply.body.decode()
        assert "<img" not in text and "<script>" not in text, path
        seen += "&lt;img src=x" in text
    assert seen >= 3
    asked = (
        Asked("GET", "resource", {"id": NASTY}), Asked("GET", "resource", {"id": resource}), Asked("GET", NASTY), Asked("GET", f"controls/{NASTY}"),
        Asked("GET", "residency", {"at": NASTY, "resource": NASTY}), Asked("GET", "", {"from": NASTY}), Asked("GET", "", {NASTY: "x"}),
        Asked("GET", f"bundles/{NASTY}"), Asked("GET", "certificate", {"record": NASTY}),
        Asked("POST", "bundles", body=b"resources=" + NASTY.encode() + b"&framework=" + NASTY.encode()),
        Asked("GET", "residency", {"at": "2026-11-01T06:00", "resource": resource}),
    )  # fmt: skip
    for one in asked:
        reply = desk.answer(one)
        assert reply.status in (200, 400, 404) and b"<img" not in reply.body and b"<script>" not in reply.body, one
        Page(reply)


def test_what_it_says_is_what_the_use_cases_say(site, desk):
    read = site.reading()
    now = list(queries.findings(read, None, Filter(), site.clock))
    bad = {finding["control"] for finding in now if finding["status"] == "not-satisfied"}
    words = Page(get(desk, "")).words
    assert f"{len(bad)} controls are not satisfied somewhere" in words
    assert "1 slot of the schedule has no sweep, the last 2026-11-01 06:00" in words
    shown = Page(get(desk, "controls"))
    for name in bad:
        told = Page(get(desk, f"controls/{name}"))
        count = sum(finding["control"] == name and finding["status"] == "not-satisfied" for finding in now)
        assert sum("s-not-satisfied" in (a.get("class") or "") for a in told.all("article")) == count > 0
        assert f"/x/controls/{name}" in {a["href"] for a in shown.all("a")}
    account = site.azure.world.accounts()[0].lower()
    words = Page(get(desk, f"resource?id={account}")).words
    assert "publicNetworkAccess" in words and "The account is closed to the public network" in words
    gone = Page(get(desk, "deletions")).words
    assert all(one["status"] in gone and one["reason"] in gone for one in deletions(read, None, Filter())) and "small-two" in gone
    assert "1 without a sweep" in Page(get(desk, "calendar")).words
    assert "2026-11-01 06:00" in Page(get(desk, "unseen?of=period")).words


def test_what_drifted_is_told_with_both_records_and_narrowed_by_name(site, desk):
    found = list(drifted(site.reading(), Filter()))
    off = [one for one in found if one["state"] != AS_APPROVED]
    assert [one["state"] for one in off] == ["drifted", "drifted"] and len(found) > len(off)
    shown = Page(get(desk, "drift"))
    assert f"{len(found) - len(off)} of {len(found)} resources were as somebody had approved; 2 drifted." in shown.words
    for one in off:
        assert f"/x/resource?id={one['resource'].replace('/', '%2F')}" in {each["href"] for each in shown.all("a")}
        for each in one["differences"]:
            assert f"{each['approved']} → {each['now']}" in shown.words and all(meaning["text"] in shown.words for meaning in each["means"])
    assert f"Baseline 1everything2026-11-01 00:00{site.reading().sweeps[0]['sweep']}a name that is withheld: {NASTY} is as it should be" in shown.words
    narrowed = {name: Page(get(desk, f"drift?name={name}")).words for name in ("SMALL-T", "nothing-like-it")}
    assert "0 of 1 resource whose id holds that were as somebody had approved; 1 drifted." in narrowed["SMALL-T"]
    assert "No resource whose id holds that is one that sweeps ask about." in narrowed["nothing-like-it"]
    then = Page(get(desk, "drift?to=2026-11-01T06:00:00Z")).words
    assert f"{len(found)} of {len(found)} resources were as somebody had approved." in then and "As of 2026-11-01 00:00" in then, "at the end of the period, not now"


def test_what_is_waived_says_so_and_stays_what_it_is(site, desk):
    words = Page(get(desk, "accepted")).words
    assert f"{NASTY} is being built" in words and "in force" in words and "None is filed." in words
    told = Page(get(desk, "controls/local-auth-disabled"))
    assert f"waived until 2026-12-02 00:00, by a name that is withheld: {NASTY} is being built" in told.words
    assert sum("s-not-satisfied" in (each.get("class") or "") for each in told.all("article")) == 2 and "1 waived" in told.words


def test_accounts_are_found_by_what_their_id_holds(desk):
    rows = {word: Page(get(desk, f"resources?name={word}")) for word in ("SMALL-T", "small", "rg", "nothing-like-it")}
    found = {word: sum("resource?id=" in each["href"] for each in page.all("a")) for word, page in rows.items()}
    assert (found["SMALL-T"], found["small"], found["rg"], found["nothing-like-it"]) == (1, 2, 2, 0)
    assert "whose id holds that" in rows["nothing-like-it"].words


def test_thousands_of_accounts_are_listed_in_parts_and_none_is_left_out(tmp_path):
    maker = LogMaker(DirectoryStore(tmp_path / "store")).birth()
    long = "n" * 600
    accounts = [Account(f"many-{number:03d}") for number in range(MOST_ACCOUNTS + 2)] + [Account(long)]
    maker.sweep(accounts, slot=START)
    settings, clock = Settings(store=str(tmp_path / "store")), lambda: START + timedelta(hours=3)
    made = Desk(lambda: reading(settings), clock, LocalBundles(None, clock, tmp_path), "/x/")
    listed, path = [], "resources?name=rg-ai"
    while path:
        page = Page(get(made, path))
        listed.append([each["href"] for each in page.all("a") if "resource?id=" in each["href"]])
        path = next((each["href"].removeprefix("/x/") for each in page.all("a") if each.get("rel") == "next"), None)
    assert [len(part) for part in listed] == [MOST_ACCOUNTS, 3] and len(set(chain(*listed))) == len(accounts)
    assert "rel" not in "".join(map(str, Page(get(made, "resources?name=many-00")).all("a"))), "what fits is in one part"
    assert [get(made, f"resources?part={part}").status for part in ("1", "2", "3", "0", "x", "", "9" * 9, "²")] == [200, 200, 404, 400, 400, 400, 400, 400]
    shown = Page(get(made, "controls/content-logging-off"))
    assert sum("resource?id=" in each["href"] for each in shown.all("a")) >= len(accounts)


def test_one_object_is_looked_for_by_its_id(site, desk):
    [one] = deletions(site.reading(), None, Filter())
    page = Page(get(desk, "deletions?object=chat&from=2026-11-01"))
    assert one["reason"] in page.words and f"/x/certificate?from=2026-11-01&record={one['record']}" in {each["href"] for each in page.all("a")}
    assert "No deletion of an object with this id is sealed" in Page(get(desk, "deletions?object=nothing")).words
    certificate = get(desk, f"certificate?record={one['record']}")
    assert certificate.headers["Content-Disposition"].startswith("attachment") and b"small-two" in certificate.body


def test_a_look_that_an_event_caused_counts_now(tmp_path):
    maker = LogMaker(DirectoryStore(tmp_path / "store")).birth()
    strange, plain = Account("one", capabilities=[{"name": "ContentLogging", "value": "strange"}]), Account("one")
    maker.sweep([strange], slot=START)
    unit = account_unit(plain.id, plain.kind).name.removeprefix("account-")

    def told():
        settings, clock = Settings(store=str(tmp_path / "store")), lambda: START + timedelta(hours=3)
        return Page(get(Desk(lambda: reading(settings), clock, LocalBundles(None, clock, tmp_path), "/x/"), "controls/content-logging-off")).words

    assert "Now: Unknown" in told()
    maker.now = START + timedelta(hours=2)
    maker.sweep([plain], name=f"{maker.now:%Y%m%dT%H%M%SZ}{layout.BY_EVENT}{unit}", scope_resources=[plain.id.lower()])
    assert "Now: Unknown" not in told()


def test_a_period_is_chosen_kept_and_refused(desk):
    page = Page(get(desk, "resources?from=2026-11-01&to=2026-11-01"))
    assert all("from=2026-11-01" in a["href"] for a in page.all("a") if "resource?" in a["href"])
    assert "2026-11-01 00:00 to 2026-11-01" in page.words
    for query, status, said in (
        ("from=2031-01-01&to=2031-02-01", 404, "No sweep of this period"), ("from=soon", 400, "is not a date"),
        ("from=2026-11-03&to=2026-11-01", 400, "before it begins"),
        ("colour=red", 400, "nothing that can be asked"),
    ):  # fmt: skip
        reply = get(desk, f"?{query}")
        assert reply.status == status and said in Page(reply).words, query


def test_before_the_first_sweep_it_says_so(tmp_path):
    with estate(tmp_path, small) as made:
        for path, _ in PAGES:
            reply = get(desk_of(made), path)
            assert reply.status == (200 if path in ("bundles", "verify") else 404)
            assert reply.status == 200 or "Nothing is sealed yet" in Page(reply).words
