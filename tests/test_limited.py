"""A limited view: no page, route or parameter names anything outside its resources and its period, and what lies inside is all there."""

import html
import json
import re
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from infra.local.ids import guid
from shared.errors import Misuse, Refused
from shared.service import accounts, queries, standing
from shared.service.baseline import approve, baselines
from shared.service.drifted import BEFORE, at_the_end, drifted
from shared.service.gone import deletions
from shared.service.limited import Within, limited
from shared.service.limits import ALWAYS, BEGINNING, Limits, declared, limits
from shared.service.portal.bundles import LocalBundles
from shared.service.portal.desk import Asked, Desk
from shared.service.queries import Filter, Period
from shared.service.unseen import unseen
from tests.fixtures.app import SUBSCRIPTION, principal, running, small
from tests.fixtures.estate import START, estate
from tests.fixtures.host import worker
from tests.fixtures.records import account_unit
from tests.fixtures.steps import SCHEDULE, Queues
from tests.test_portal import Page, get

FAR = guid("subscription", "far")
AUDITOR = principal("Evidence.Auditor")


def wide(clock, endpoint=None):
    world = small(clock, endpoint)
    world.add_subscription(FAR, "far")
    world.put_deployment(world.create_account(FAR, "rg-far", "far-away", location="eastus2"), "far-chat", sku="GlobalStandard")
    world.put_deployment(world.create_account(SUBSCRIPTION, "rg-doomed", "doomed-one"), "doomed-chat")
    return world


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Seven sweeps: three before the period, two in it, two after; with changes and deletions inside, outside, beside and too late."""
    folder = tmp_path_factory.mktemp("limited")
    with estate(folder, wide) as made:
        profile = folder / "profile.toml"
        made.settings = replace(made.settings, schedule=SCHEDULE, profile=str(profile))
        world = made.azure.world
        one, two, far, doomed = (next(each for each in world.accounts() if each.endswith(name)) for name in ("small-one", "small-two", "far-away", "doomed-one"))
        overrides = [f'[resource."{each}".monitoring]\ncontent_logging = "any"' for each in (two, far)] + [f'[resource."{one}".network]\npublic_access = "any"']
        profile.write_text("\n".join(overrides))
        steps = (
            lambda: world.put_deployment(one, "too-early"),
            lambda: world.delete_deployment(one, "too-early"),
            lambda: None,
            lambda: (world.delete_account(doomed), world.put_deployment(one, "in-time"), world.put_deployment(two, "next-door")),
            lambda: (world.delete_deployment(one, "chat"), world.set_property(far, "/properties/publicNetworkAccess", "Disabled")),
            lambda: (world.put_deployment(one, "too-late"), world.delete_deployment(two, "chat")),
            lambda: None,
        )
        approvals = {0: ("small-two", "next to far-away"), 2: (None, "as is far-away"), 3: (one, "as is in-time"), 5: (one, "too-late, and after that")}
        for number, step in enumerate(steps):
            step()
            made.collect(by="schedule", cause=f"about {far}")
            if number in approvals:
                scope, reason = approvals[number]
                approve(made.settings, scope, owner="Ada Example", reason=reason, now=made.clock)
            if number == 3:  # somebody looks at the neighbour alone
                made.clock.advance(hours=1)
                made.collect(resources=[two], by="manual")
            made.clock.advance(hours=5 if number == 3 else 6)
        made.one, made.two, made.far = one.lower(), two.lower(), far.lower()
        yield made


def bounds(site, **changed):
    """small-one, in the fourth and fifth sweep."""
    values = {"resources": (site.one,), "start": START + timedelta(hours=17), "end": START + timedelta(hours=29), "expires": ALWAYS}
    return Limits(**{**values, **changed})


OUTSIDE = ("small-two", "small-speech", "far-away", "rg-far", "far-chat", FAR, "doomed", "next-door", "too-early", "too-late")


def tainted(body, site):
    """What of the outside is named in an answer."""
    text = (body if isinstance(body, str) else body.decode("utf-8", "replace")).casefold()
    hashes = [account_unit(one, "OpenAI").name.removeprefix("account-") for one in (site.two, site.far)]
    return [word for word in (*OUTSIDE, *hashes) if word.casefold() in text]


def desk_of(site, folder, within=None):
    return Desk(Within(site.reading, within) if within else site.reading, site.clock, LocalBundles(site.reading, site.clock, folder), "/x/")


def crawl(desk):
    from urllib.parse import urljoin, urlsplit

    found, waiting = {}, ["", "bundles", "certificate?record=1", "accepted"]
    while waiting:
        path = waiting.pop()
        if path in found:
            continue
        reply = found[path] = get(desk, path)
        if reply.kind == "text/html" and "Content-Disposition" not in reply.headers:
            targets = [urlsplit(urljoin(f"http://here/x/{path}", each["href"])) for each in Page(reply).all("a")]
            waiting += [each.path.removeprefix("/x/") + (f"?{each.query}" if each.query else "") for each in targets]
    return found


def test_the_whole_view_names_all_of_it(site, tmp_path):
    """Else what follows would show nothing."""
    everything = "".join(reply.body.decode() for reply in crawl(desk_of(site, tmp_path)).values())
    assert set(tainted(everything, site)) >= {*OUTSIDE} - {"small-speech"}


@pytest.mark.parametrize("scope", ["account", "group"])
def test_no_page_names_anything_outside(site, tmp_path, scope):
    within = bounds(site) if scope == "account" else bounds(site, resources=(f"{site.one}/deployments/chat", site.one))
    found = crawl(desk_of(site, tmp_path, within))
    assert len(found) > 50 and sum(path.startswith("resource?") for path in found) >= 2
    for path, reply in found.items():
        assert tainted(reply.body, site) == [], path
        assert reply.status == (404 if path.startswith(("certificate", "accepted")) else 200), path
    everything = "".join(reply.body.decode() for reply in found.values())
    assert "in-time" in everything and "small-one" in everything and "Limited view." in everything
    assert "What held at the end of the period" in everything and "holds now" not in everything, "now is another time"


OTHERS = ("small-two", "far-away", "small-speech", "doomed-one", "/subscriptions/" + FAR, "/subscriptions/" + SUBSCRIPTION, "", "/", "%", "small-one/../small-two")


def test_no_parameter_leads_outside(site, tmp_path):
    desk = desk_of(site, tmp_path, bounds(site))
    asked = [("resource", {"id": other}) for other in (*OTHERS, site.two, f"{site.one}/../{site.two}")]
    asked += [("residency", {"at": at, "resource": other}) for other in (*OTHERS, site.two) for at in ("2026-11-01T00:30", "2026-11-01T20:00", "2026-11-02T15:00")]
    asked += [(page, {"from": "2026-11-01", "to": "2026-11-30"}) for page in ("", "resources", "changes", "drift", "deletions", "calendar", "controls", "residency")]
    asked += [("drift", {"name": other}) for other in OTHERS]
    asked += [("unseen", {"of": "period", "from": "1970-01-01", "to": "9999-12-31"}), ("resources", {"from": "2026-11-03", "to": "2026-11-30"})]
    asked += [(f"controls/{name}", {}) for name in ("small-two", "../../status", "content-logging-off")]
    answers = [desk.answer(Asked("GET", path, query)) for path, query in asked]
    for (path, query), reply in zip(asked, answers, strict=True):
        echoed = " ".join(query.values())
        words = [word for word in tainted(reply.body, site) if word not in echoed and word not in path]
        assert words == [], (path, query)
        if path == "resource" and "small-one/" not in echoed and SUBSCRIPTION not in query["id"].removesuffix(f"/{SUBSCRIPTION}"):
            assert reply.status == (200 if SUBSCRIPTION in echoed else 404), query
    for at in ("2026-11-01T20:00", "2026-11-02T02:00"):
        there, nowhere = (desk.answer(Asked("GET", "residency", {"at": at, "resource": name})).body.decode() for name in ("small-two", "no-where-x"))
        assert there.replace("small-two", "no-where-x") == nowhere, "what lies outside is as if it were not there"


def test_no_bundle_is_built_shown_or_listed(site, tmp_path):
    whole = desk_of(site, tmp_path)
    name = whole.answer(Asked("POST", "bundles", body=b"resources=small-two")).headers["Location"].rpartition("/")[2]
    desk = Desk(Within(site.reading, bounds(site)), site.clock, whole.bundles, "/x/")
    for body in (b"", b"object=chat", b"object=chat&resources=small-one"):
        assert desk.answer(Asked("POST", "bundles", body=body)).status == 403
    assert b"<form" not in get(desk, "bundles?object=chat").body
    for path in (f"bundles/{name}", f"bundles/{name}/state", f"bundles/{name}/file"):
        assert desk.answer(Asked("GET", path)).status == 404
    assert name not in desk.answer(Asked("GET", "bundles")).body.decode()


def test_it_ends(site, tmp_path):
    for over, status in ((site.clock() + timedelta(seconds=1), 200), (site.clock(), 403), (START, 403)):
        desk = desk_of(site, tmp_path, bounds(site, expires=over))
        for path in ("", "controls", "verify", "bundles", f"resource?id={site.one}", "nowhere"):
            reply = get(desk, path)
            assert reply.status == status or (status == 200 and path == "nowhere"), (over, path)
            if status == 403:
                page = Page(reply)
                assert "This access expired on 2026-11" in page.words and tainted(reply.body, site) == [] and page.all("form") == []
        assert get(desk, "portal.css").status == 200


# -- what lies inside is all there --------------------------------------------------------------------------------------------------


def test_what_lies_inside_is_what_the_whole_store_has_of_it(site):
    read, within = site.reading(), bounds(site)
    few, when = limited(read, within), Period(within.start, within.end)
    mine = [one for one in queries.findings(read, when, Filter(), site.clock) if within.holds(one["resource"])]
    last = [one for one in queries.findings(few, None, Filter(), lambda: within.end) if one["resource"]]
    assert last == [one for one in mine if one["sweep"] == few.sweeps[-1]["sweep"]]
    assert [one for one in queries.findings(few, when, Filter(), site.clock) if one["resource"]] == mine and len(mine) > 50
    for ask, about in ((queries.changes, "resource"), (deletions, "account")):
        found = [one["record"] for one in ask(few, None, Filter())]
        assert found == [one["record"] for one in ask(read, when, Filter()) if within.holds(one[about])] != []
    [account] = accounts.resources(few, Filter())
    assert {one["name"] for one in account["deployments"]} == {"in-time"}, "as it was at the end of the period, not as it is now"
    assert standing.status(few, lambda: within.end)["missed_slots"] == []


def test_drift_is_told_of_what_lies_inside_and_of_what_can_be_seen(site, tmp_path):
    """Four baselines: of a neighbour, of everything, of small-one, and that again after the period."""
    since = bounds(site, start=BEGINNING)
    read, few = site.reading(), limited(site.reading(), since)
    [mine] = drifted(few, Filter())
    assert mine == next(one for one in at_the_end(read, read.within(Period(BEGINNING, since.end))) if one["resource"] == site.one)
    assert mine["state"] == "drifted" and mine["baseline"] == 3 and [one["resource"] for one in mine["differences"]] == [f"{site.one}/deployments/chat"]
    told = [(one["baseline"], one["scope"], one["reason"]) for one in baselines(few)]
    assert told == [(2, None, ""), (3, site.one, "as is in-time")]
    words = Page(get(desk_of(site, tmp_path, since), "drift")).words
    assert "0 of 1 resource were as somebody had approved; 1 drifted." in words and "Baseline 4" not in words and "Ada" not in words
    assert "Baseline 2everything2026-11-01 " in words and "not shown: it is about more than this view" in words
    [cut] = drifted(limited(read, bounds(site)), Filter())
    assert (cut["state"], cut["differences"], [one["why"] for one in cut["unknown"]]) == ("unknown", [], [BEFORE]), "what was approved is not to be seen: not as approved"


def test_limits_that_limit_nothing_change_nothing(site):
    read = site.reading()
    same = limited(read, Limits(None, BEGINNING, ALWAYS, ALWAYS))
    for ask in (
        lambda read: standing.status(read, site.clock), lambda read: list(queries.findings(read, None, Filter(), site.clock)),
        lambda read: list(queries.changes(read, None, Filter())),
        lambda read: deletions(read, None, Filter()), lambda read: list(accounts.resources(read, Filter())), lambda read: unseen(read, None, site.clock()),
        lambda read: list(drifted(read, Filter())), baselines,
    ):  # fmt: skip
        assert ask(same) == ask(read)


def test_it_reads_nothing_else_and_writes_nothing(site):
    read = limited(site.reading(), bounds(site))
    digests, mine, refused = set(), set(), 0
    for _, record in site.records("observation"):
        own = bounds(site).holds(record["resource"]) or record["kind"] == "locations"
        (mine if own else digests).update(page["sha256"] for page in record["pages"])
    for digest in digests - mine:
        try:
            assert tainted(json.dumps(read.body(digest)), site) == []
        except Refused:
            refused += 1
    assert refused > 5
    [profile] = {record["profile"] for _, record in read.log.records(0, read.log.size) if record["type"] == "finding"}
    assert [one["id"] for one in read.body(profile)["overrides"]] == [site.one], "by what it is judged, and by what its neighbours are not"
    lines = list(read.log.lines(0, read.log.size))
    assert len(lines) > 100 and [line for _, line in lines if tainted(line, site)] == []
    assert len(read.sweeps) == 2, "a look at others alone is none at this"
    for path in site.store.list("evidence/"):
        data = read.store.get(path) if not path.startswith(("evidence/log/commit/", "evidence/log/checkpoint/")) else b""
        assert data is None or tainted(data, site) == [], path
    for path in (*site.store.list("state/"), *site.store.list("personal/")):
        assert tainted(read.store.get(path) or b"", site) == [], path
    assert read.store.get("evidence/log/commit/../../personal/x") is None
    for verb, *arguments in (("put", "state/x", b""), ("put_new", "evidence/x", b""), ("delete", "state/x"), ("lease", "state/x"), ("retention",)):
        with pytest.raises(Refused):
            getattr(read.store, verb)(*arguments)


# -- how limits are written -------------------------------------------------------------------------------------------------------

NOW = datetime(2026, 11, 20, tzinfo=UTC)
ENTRY = f"{guid('caller')} resources=/subscriptions/{SUBSCRIPTION}/resourceGroups/RG from=2026-10-01 to=2026-12-31 expires=2027-01-31"


def test_what_is_declared(site):
    found = declared(f" {ENTRY} ;\n{ENTRY.replace(guid('caller'), FAR.upper())};", guid("caller"), NOW)
    times = (datetime(2026, 10, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC), datetime(2027, 1, 31, tzinfo=UTC))
    assert found == Limits((f"/subscriptions/{SUBSCRIPTION}/resourcegroups/rg",), *times)
    assert declared(ENTRY, None, NOW) is declared(ENTRY, "", NOW) is declared(ENTRY, FAR, NOW) is declared("", guid("caller"), NOW) is None
    assert found.holds(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/x")
    for other in (f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg2", f"/subscriptions/{SUBSCRIPTION}", None, "", 7):
        assert not found.holds(other)
    assert not bounds(site).holds(site.one + "x") and not bounds(site).holds(site.one.rpartition("/")[0])


def scoped(ids):
    return re.sub("resources=[^ ]+", f"resources={ids}", ENTRY)


@pytest.mark.parametrize("wrong", [
    "x", guid("caller"), ENTRY.replace("expires", "until"), ENTRY.replace(" to=2026-12-31", ""), ENTRY + " more=1", ENTRY.replace("2027-01-31", "soon"),
    f"{ENTRY};{ENTRY}", ENTRY.replace("from=2026-10-01", "from=2027-10-01"), ENTRY.replace("from=2026-10-01", "from="), ENTRY.replace("=2027-01-31", "="),
    scoped(""), scoped("small-one"), scoped("/"), scoped("/subscriptions/"), scoped(f"/subscriptions/{SUBSCRIPTION}//x"), scoped(f"/subscriptions/{SUBSCRIPTION},"),
    ENTRY.replace(guid("caller"), "*"), ENTRY.replace(" expires", ",expires"), ENTRY + " expires=2040-01-01",
])  # fmt: skip
def test_a_declaration_that_is_wrong_gives_nobody_a_view(wrong):
    with pytest.raises(Misuse):
        declared(wrong, guid("caller"), NOW)


def test_limits_of_the_command_line():
    assert limits((), None, None, None, NOW) == Limits(None, BEGINNING, ALWAYS, ALWAYS)
    assert limits((), "2026-11-01", None, None, NOW).end == ALWAYS and limits((), None, "2026-11-01", None, NOW).start == BEGINNING
    for wrong in (
        (("small-one",), None, None, None), ((), "x", None, None), ((), "2026-11-02", "2026-11-01", None), ((), None, None, "x"), (("",), None, None, None),
    ):  # fmt: skip
        with pytest.raises(Misuse):
            limits(*wrong, NOW)


# -- in the function app ----------------------------------------------------------------------------------------------------------


@contextmanager
def app(site, text):
    environment = {"EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": site.settings.arm_endpoint, "EVIDENCE_STORE": site.settings.store}
    with running({**environment, "EVIDENCE_SCHEDULE": SCHEDULE, "EVIDENCE_AUDITORS": text}, site.clock, Queues()):
        yield worker().http


def entry(site, **changed):
    parts = {"resources": site.one, "from": "2026-11-01T17:00:00Z", "to": "2026-11-02T05:00:00Z", "expires": "2030-01-01", **changed}
    return f"{guid('caller')} " + " ".join(f"{name}={value}" for name, value in parts.items())


ROUTES = ("status", "findings", "changes", "deletions", "resources", "drift", "checkpoint", "openapi")


def queries_of(function):
    yield {}
    if function in ("findings", "changes", "deletions", "resources", "drift"):
        yield from ({"resource": other} for other in OTHERS if other)
        yield {"limit": "10000"}
    if function in ("findings", "changes", "deletions"):
        yield {"from": "2026-11-01", "to": "2026-11-30"}
    if function == "deletions":
        yield from ({"object": other} for other in ("doomed-one", "too-early", "chat"))
        yield {"kind": "account,deployment"}
    if function == "findings":
        yield from ({"framework": "soc2"}, {"control": "content-logging-off"}, {"status": "not-satisfied,unknown"})


@pytest.mark.needs("functions")
@pytest.mark.parametrize("function", ROUTES)
@pytest.mark.parametrize("roles", [("Evidence.Auditor",), ("Evidence.Auditor", "Evidence.Reader", "Evidence.Operator")], ids=len)
def test_no_route_names_anything_outside(site, function, roles):
    with app(site, entry(site)) as http:
        for query in queries_of(function):
            status, _, body = http(function, "GET", f"/api/{function}", headers=principal(*roles), query=query)
            assert status == 200, body
            assert tainted(body, site) == [], (function, query)
            if function in ("resources", "drift") and query.get("resource") in OTHERS[:4]:
                assert json.loads(body)["items"] == []
        if function in ("findings", "changes", "deletions", "resources", "drift"):
            _, _, body = http(function, "GET", f"/api/{function}", headers=principal(*roles))
            assert "small-one" in body.decode()
        if function == "resources":
            assert http(function, "GET", "/api/resources", headers=AUDITOR, query={"kind": "deployment"})[0] == 400


@pytest.mark.needs("functions")
def test_pages_of_the_app_keep_to_the_limits_and_bundles_are_not_for_an_auditor(site):
    both = principal("Evidence.Auditor", "Evidence.Operator")
    with app(site, entry(site)) as http:
        for page in ("", "controls", "resources", "changes", "drift", "deletions", "calendar", "residency", "unseen"):
            status, _, body = http("portal", "GET", f"/api/portal/{page}", headers=both, params={"page": page})
            assert status == 200 and tainted(body, site) == [] and b"Limited view." in body, page
        for function, method in (("request_bundle", "POST"), ("bundle", "GET"), ("order_bundle", "POST")):
            for headers in (AUDITOR, both):
                assert http(function, method, "/api/bundles", headers=headers, params={"id": "x"}, body=b'{"object":"chat"}')[0] == 403
        whole = http("findings", "GET", "/api/findings", headers=principal("Evidence.Reader"))[2]
        assert tainted(whole, site) != [], "who has no limits sees all, in the same process"


@pytest.mark.needs("functions")
@pytest.mark.parametrize("function", [*ROUTES, "portal"])
def test_who_is_not_declared_or_comes_too_late_sees_nothing(site, function, caplog):
    def ask(text, headers=AUDITOR):
        with app(site, text) as http:
            status, _, body = http(function, "GET", f"/api/{function}", headers=headers)
        assert tainted(body, site) == []
        return status, json.loads(body)["error"] if function != "portal" else html.unescape(re.search(r'role="alert">(.*?)</p>', body.decode())[1])

    status, said = ask(entry(site, expires="2026-11-01T12:00:00Z"))
    assert status == 403 and said.startswith("This access expired on 2026-11-01 12:00 UTC")
    for text in ("", entry(site).replace(guid("caller"), FAR)):
        assert ask(text)[0] == 403 and "EVIDENCE_AUDITORS" in ask(text)[1]
    assert ask("nonsense")[0] == 503 and "EVIDENCE_AUDITORS" in caplog.text
    nameless = principal("Evidence.Auditor", claims=[{"typ": "roles", "val": "Evidence.Auditor"}])
    assert ask(entry(site), nameless)[0] == 403
