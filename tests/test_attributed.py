"""Attributions as they are sealed: in the sweep that finds a change, again when the late log tells more, after events before any sweep; and verified."""

import json
from datetime import timedelta

import pytest

from infra.local import faults
from infra.local.accounts import AZURE
from infra.local.authorship import Actor
from infra.local.history import History
from infra.local.resource_events import resource_events
from shared import layout
from shared.canonical import canonical
from shared.collect.windows import ACTIVITY_LOG, BEFORE_EVENT, OVERLAP
from shared.deliver.bundle.build import build
from shared.deliver.verify import verify_bundle
from shared.deliver.verify.store import verify_store
from shared.judge import attribution
from shared.records import moment
from shared.seal import note
from shared.seal.commits import commit_of
from shared.seal.sequencer import Sequencer
from shared.seal.store import DirectoryStore
from shared.service import attributing, queries, state
from shared.service.report import report
from tests.fixtures.bundles import apart
from tests.fixtures.estate import estate
from tests.fixtures.records import SIGNER
from tests.fixtures.steps import plant
from tests.test_windows import SUBSCRIPTION, answers, small

ADA, BOB = Actor("ada@example.org"), Actor("bob@example.org")


@pytest.fixture
def works(tmp_path):
    with plant(tmp_path, world=small) as made:
        yield made


def world(works):
    return works.estate.azure.world


def account(works):
    return world(works).account("claims")


def sweep(works, hours=6):
    """Let time pass, and sweep."""
    works.estate.clock.advance(hours=hours)
    works.plan()
    works.collect()
    works.settle()


def deliver(works, since, *, cloud=True, minutes=0.5):
    """Deliver what Event Grid has to say, and let the app do what it then does."""
    for message in resource_events(world(works), since, cloud=cloud):
        works.change(json.dumps(message).encode())
    works.estate.clock.advance(seconds=12)
    works.collect()
    works.estate.clock.advance(minutes=minutes)
    return works.settle()


def said(works, kind=None):
    """The attributions so far, in the order of the log."""
    return [record for _, record in works.estate.records("attribution") if kind in (None, record["kind"])]


def changes(works):
    return [record for _, record in works.estate.records("change")]


def sound(works):
    verdict = works.verify()
    assert list(verdict.problems) == []
    assert verdict.counts.get("attributions", 0) == verdict.counts.get("attributions recomputed", 0) == len(said(works))
    return verdict


def test_each_change_is_attributed_in_the_sweep_that_finds_it(works):
    sweep(works)
    works.estate.clock.advance(hours=2)
    world(works).actor = ADA
    world(works).put_deployment(account(works), "glob", sku="GlobalStandard")
    sweep(works, 4)
    [change], [says] = changes(works), said(works)
    assert (says["resource"], says["kind"], says["unit"], says["sweep"]) == tuple(change[name] for name in ("resource", "kind", "unit", "sweep"))
    assert says["change"] == {"from": change["from"], "to": change["to"], "since": change["since"], "until": change["until"], "op": "added"}
    assert (says["status"], says["by"]) == ("attributed", ADA.object_id)
    assert says["operation"] == "microsoft.cognitiveservices/accounts/deployments/write" and says["client"]["appid"]
    [answer] = [index for index, record in answers(works.estate, "activityLog") if record["sweep"] == says["sweep"]]
    assert says["records"] == [answer] == sorted({witness["record"] for witness in says["witnesses"]})
    everything = b"".join(path.read_bytes() for path in (works.estate.root / "evidence").rglob("*") if path.is_file())
    assert ADA.name.encode() not in everything
    sweep(works)
    assert said(works) == [says], "the log was read further and says the same: nothing new is sealed"
    sound(works)


def test_what_the_log_tells_late_is_sealed_in_the_next_sweep(works):
    sweep(works)
    works.estate.clock.advance(hours=5.95)
    world(works).actor = BOB
    world(works).put_diagnostic_setting(account(works), "all", ["audit"], storage="/x")
    sweep(works, 0.05)
    [first] = said(works)
    assert (first["status"], first["complete"]) == ("unattributed", False) and "entries come late" in first["reason"]
    sweep(works)
    [_, second] = said(works)
    assert (second["status"], second["by"], second["complete"]) == ("attributed", BOB.object_id, True)
    assert second["change"] == first["change"] and (second["kind"], second["resource"]) == (first["kind"], first["resource"])
    assert second["operation"] == "microsoft.insights/diagnosticsettings/write"
    for _ in range(2):
        sweep(works)
    assert len(said(works)) == 2
    sound(works)


def test_a_log_that_cannot_be_read_is_the_reason_until_it_can(works):
    sweep(works)
    world(works).set_property(account(works), "/properties/disableLocalAuth", True)
    works.estate.azure.faults.add(f"{SUBSCRIPTION}/providers/Microsoft.Insights/eventtypes", faults.forbidden())
    for _ in range(2):
        sweep(works)
    [first] = said(works, "account")
    assert first["status"] == "unattributed" and "could not be read (forbidden)" in first["reason"]
    works.estate.azure.faults.clear()
    sweep(works)
    [_, second] = said(works, "account")
    assert second["status"] == "attributed" and second["complete"]
    sound(works)


def test_what_the_provider_sets_is_nobodys(works):
    sweep(works)
    world(works).set_content_logging(account(works), "false")
    sweep(works)
    [says] = said(works)
    assert says["change"]["op"] == "provided" and says["complete"] and says["records"] == []
    sound(works)


def test_a_hint_that_is_lost_leaves_the_first_word(works):
    sweep(works)
    works.estate.clock.advance(hours=5.95)
    world(works).put_deployment(account(works), "late")
    sweep(works, 0.05)
    for path in list(works.estate.store.list(layout.STATE + "unit/")):
        works.estate.store.delete(path)
    sweep(works)
    assert [says["status"] for says in said(works)] == ["unattributed"]
    sound(works)


def test_who_was_killed_before_remembering_goes_on(works, monkeypatch):
    from shared.service.latest import LatestAnswers

    sweep(works)
    works.estate.clock.advance(hours=5.95)
    world(works).put_deployment(account(works), "late")
    works.estate.clock.advance(hours=0.05)
    works.plan()
    works.collect()
    kept = LatestAnswers.remember
    monkeypatch.setattr(LatestAnswers, "remember", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        works.seal()
    monkeypatch.setattr(LatestAnswers, "remember", kept)
    works.settle()
    assert [says["status"] for says in said(works)] == ["unattributed"]
    sweep(works)
    assert [says["status"] for says in said(works)] == ["unattributed", "attributed"]
    sound(works)


# -- events -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cloud", [True, False], ids=["CloudEvents", "EventGridSchema"])
def test_a_deployment_that_is_added_at_night_and_gone_before_the_next_sweep_has_its_people(works, cloud):
    sweep(works)
    night = works.estate.clock.advance(hours=2)
    world(works).actor = ADA
    world(works).put_deployment(account(works), "glob", sku="GlobalStandard")
    [added] = deliver(works, night, cloud=cloud)
    later = works.estate.clock.advance(hours=1)
    world(works).actor = BOB
    world(works).delete_deployment(account(works), "glob")
    [removed] = deliver(works, later, cloud=cloud)
    assert layout.BY_EVENT in added.sweep and layout.BY_EVENT in removed.sweep
    assert [(change["kind"], change["fields"][0]["op"], change["sweep"]) for change in changes(works)] == [
        ("deployments", "added", added.sweep), ("deployments", "removed", removed.sweep),
    ]  # fmt: skip
    first, second = said(works)
    assert (first["status"], first["by"], first["outcome"], first["change"]["op"]) == ("attributed", ADA.object_id, "succeeded", "added")
    assert (second["status"], second["by"], second["outcome"], second["change"]["op"]) == ("attributed", BOB.object_id, "succeeded", "removed")
    assert {witness["witness"] for witness in (*first["witnesses"], *second["witnesses"])} == {"event"}, "the Activity Log has nothing yet"
    events = dict(works.estate.records("event"))
    assert {events[witness["record"]]["event"]["operation"].rpartition("/")[2] for witness in (*first["witnesses"], *second["witnesses"])} == {"write", "delete"}
    assert list(works.estate.store.list(layout.EVENTS)) == [], "no note of an event stays behind"
    sweep(works, 3)
    assert said(works) == [first, second], "the Activity Log says the same, later"
    everything = b"".join(path.read_bytes() for path in (works.estate.root / "evidence").rglob("*") if path.is_file())
    assert not any(text.encode() in everything for text in (ADA.name, BOB.name, ADA.address))
    sound(works)


def test_after_an_event_the_activity_log_is_asked_around_it_and_no_watermark_moves(works):
    sweep(works)
    before = {kind: answers(works.estate, kind)[-1] for kind in ACTIVITY_LOG}
    night = works.estate.clock.advance(hours=2)
    world(works).put_deployment(account(works), "glob", sku="GlobalStandard")
    works.estate.clock.advance(minutes=21)  # Event Grid is late for once, so the log has it
    [done] = deliver(works, night)
    for kind in ACTIVITY_LOG:
        _, narrow = answers(works.estate, kind)[-1]
        assert narrow["sweep"] == done.sweep and narrow["window"]["previous"] is None
        assert moment(narrow["window"]["from"]) >= night - BEFORE_EVENT
        assert moment(narrow["window"]["around"]) >= night
    assert {told["witness"] for told in said(works)[0]["witnesses"]} == {"event", "activity-log"}
    continuity = [f for _, f in works.estate.records("finding") if f["sweep"] == done.sweep and f["control"] == "activity-log-continuous"]
    assert [finding["status"] for finding in continuity] == ["not-applicable"]
    sweep(works, 4)
    for kind in ACTIVITY_LOG:
        index, window = before[kind][0], answers(works.estate, kind)[-1][1]["window"]
        assert window["previous"] == {"record": index, "to": before[kind][1]["window"]["to"]}, "as if there had been no event"
        assert moment(before[kind][1]["window"]["to"]) - moment(window["from"]) == OVERLAP[kind]
    another = works.estate.clock.advance(hours=1)
    world(works).set_property(account(works), "/properties/disableLocalAuth", True)
    deliver(works, another)
    for path in list(works.estate.store.list(layout.STATE + "unit/")):
        works.estate.store.delete(path)
    regular, narrow = answers(works.estate, "activityLog")[-2:]
    assert "around" in narrow[1]["window"]
    sweep(works, 5)
    assert answers(works.estate, "activityLog")[-1][1]["window"]["previous"]["record"] == regular[0], "what is read again from the log follows none either"
    sound(works)


def test_a_second_person_whom_only_the_log_knows_is_not_passed_over(works):
    sweep(works)
    night = works.estate.clock.advance(hours=2)
    world(works).actor = BOB
    world(works).set_property(account(works), "/properties/disableLocalAuth", True)  # of which no event came
    works.estate.clock.advance(hours=1)
    since = works.estate.clock()
    world(works).actor = ADA
    world(works).set_property(account(works), "/properties/publicNetworkAccess", "Disabled")
    assert night < since
    deliver(works, since)
    [first] = said(works, "account")
    assert (first["by"], first["complete"]) == (ADA.object_id, False)
    sweep(works, 3.5)
    [_, second] = said(works, "account")
    assert (second["status"], second["by"], second["complete"]) == ("unattributed", None, True)
    assert {candidate["by"] for candidate in second["candidates"]} == {ADA.object_id, BOB.object_id}
    assert set(first["records"]) < set(second["records"])
    sound(works)


def test_no_note_of_an_event_stays_behind(works):
    sweep(works)
    since = works.estate.clock.advance(hours=1)
    speech = world(works).create_account(SUBSCRIPTION, "rg", "speech", kind="SpeechServices")
    [message] = [json.dumps(told).encode() for told in resource_events(world(works), since)]
    works.change(message)
    assert len(list(works.estate.store.list(layout.EVENTS))) == 1
    works.estate.clock.advance(seconds=12)
    assert ["not collected" in line for line in works.collect()] == [True], speech
    assert list(works.estate.store.list(layout.EVENTS)) == []
    works.settle()
    world(works).set_property(account(works), "/properties/disableLocalAuth", True)
    messages = [json.dumps(told).encode() for told in resource_events(world(works), works.estate.clock())]
    works.change(*messages)
    works.estate.clock.advance(seconds=12)
    works.collect()
    works.settle()
    works.change(*messages)
    works.collect()
    works.settle()
    assert list(works.estate.store.list(layout.EVENTS)) == [] and len(said(works, "account")) == 1
    sound(works)


def test_the_account_itself_is_deleted_and_the_event_says_by_whom(works):
    sweep(works)
    night = works.estate.clock.advance(hours=2)
    world(works).actor = BOB
    gone = account(works).lower()
    world(works).delete_account(account(works))
    deliver(works, night)
    [says] = said(works, "accounts")
    assert (says["resource"], says["change"]["op"], says["by"], says["outcome"]) == (gone, "removed", BOB.object_id, "succeeded")
    [listed] = said(works, "deletedAccounts")
    assert listed["by"] == BOB.object_id
    sound(works)


# -- who asks -----------------------------------------------------------------------------------------------------------


def test_changes_say_who_in_a_period_too_though_the_log_told_later(works, tmp_path):
    sweep(works)
    works.estate.clock.advance(hours=5.95)
    world(works).actor = BOB
    world(works).put_deployment(account(works), "late")
    sweep(works, 0.05)
    now = works.estate.clock()
    sweep(works)
    when = queries.Period(now - timedelta(hours=1), now + timedelta(hours=1))
    [change] = queries.changes(works.estate.reading(), when, queries.Filter())
    who = change["attribution"]
    assert (who["by"], who["type"], who["status"]) == (BOB.object_id, "attribution", "attributed")
    assert who["says"] == f"{BOB.object_id} with application {who['client']['appid']}: microsoft.cognitiveservices/accounts/deployments/write"
    report(works.estate.reading(), None, tmp_path / "report.html", works.estate.clock())
    page = (tmp_path / "report.html").read_text()
    assert f"Who: {BOB.object_id} with application" in page and f"record {who['record']}" in page and "not known: " not in page


@pytest.mark.parametrize(
    ("told", "line"),
    [
        ({"status": "unattributed", "reason": "Because."}, "not known: Because."),
        ({"status": "attributed", "by": "o", "client": {"appid": "04B07795-8ddb-461a-bbee-02f9e1bf7b46"}, "operation": "x/write", "outcome": "succeeded"},
         "o with Azure CLI: x/write"),
        ({"status": "attributed", "by": {"committed": "abc="}, "client": None, "operation": "x/write", "outcome": "open"},
         "a name that is withheld (abc=): x/write (its end is not known)"),
    ],
)  # fmt: skip
def test_an_attribution_in_one_line(told, line):
    assert attribution.said(told) == line


def test_what_the_provider_did_is_not_laid_at_the_door_of_whoever_wrote_meanwhile(works):
    sweep(works)
    world(works).actor = ADA
    world(works).set_property(account(works), "/properties/publicNetworkAccess", "Disabled")
    world(works).set_content_logging(account(works), "false")
    sweep(works)
    [change] = queries.changes(works.estate.reading(), None, queries.Filter())
    who = {meaning["control"]: queries.who_made(change, meaning) for meaning in change["means"]}
    assert who["public-network-access"].startswith(ADA.object_id) and "the provider" in who["content-logging-off"]
    assert change["attribution"]["says"].endswith("Of what the provider sets among it, nobody is named.")


# -- bundles ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("narrow", [False, True], ids=["everything", "one account"])
def test_a_bundle_brings_what_its_attributions_rest_on(works, tmp_path, narrow):
    sweep(works)
    night = works.estate.clock.advance(hours=3)
    world(works).set_property(account(works), "/properties/disableLocalAuth", True)
    deliver(works, night)
    works.estate.clock.advance(hours=2.9)
    world(works).put_deployment(account(works), "late")
    sweep(works, 0.1)
    sweep(works)
    start = works.estate.clock() - timedelta(hours=1)
    resources = [account(works).lower()] if narrow else None
    file = tmp_path / "bundle.zip"
    build(works.estate.store, file, period=(start, start + timedelta(hours=2)), resources=resources)
    keys = [note.parse_vkey(works.estate.vkey)]
    verdict = verify_bundle(file, keys)
    assert list(verdict.problems) == [] and verdict.counts["attributions recomputed"] == verdict.counts["attributions"] == 1
    [late] = [r for r in said(works) if r["status"] == "attributed" and r["resource"].endswith("/late")]
    entries = apart(file.read_bytes())
    ranges = json.loads(entries["manifest.json"])["ranges"]
    assert all(any(first <= index < first + count for first, count in ranges) for index in late["records"])
    assert any(first <= late["records"][0] < first + count for first, count in ranges[:1]), "of the sweep before"
    file = tmp_path / "before.zip"
    build(works.estate.store, file, period=(start - timedelta(hours=20), start + timedelta(hours=2)), resources=resources)
    verdict = verify_bundle(file, keys)
    assert list(verdict.problems) == [] and verdict.counts["attributions recomputed"] == len(said(works)) == 3


# -- what lies is found -------------------------------------------------------------------------------------------------


def resealed(estate, folder, edit):
    """The same log, sealed with another key by somebody who changes what he likes: `edit` gives the record instead, or None to leave it out."""
    store, old = DirectoryStore(folder), estate.store
    for path in old.list(layout.BODIES):
        store.put_new(path, old.get(path))
    sequencer = Sequencer(store, SIGNER)
    seq = 0
    while (data := old.get(layout.commit(seq := seq + 1))) is not None:
        for ref, _ in commit_of(data, seq).places():
            records = [json.loads(line) for line in old.get(ref.path).splitlines()]
            if seq == 1:
                records[0]["store"]["keys"] = [str(SIGNER.key)]
            lines = [canonical(value) for value in map(edit, records) if value is not None]
            state.mark_open(store, layout.batch_parts(ref.path)[0], 0)
            store.put_new(ref.path, b"".join(line + b"\n" for line in lines))
            sequencer.seal()
    return store, SIGNER.key


LIES = {
    "another person": (lambda r: {**r, "by": BOB.object_id}, "give another by"),
    "nobody": (lambda r: {**r, "status": "unattributed", "by": None, "operation": None}, "give another status"),
    "another operation": (lambda r: {**r, "operation": "x/write"}, "give another operation"),
    "another time": (lambda r: {**r, "change": {**r["change"], "since": r["change"]["until"]}}, "about a change of"),
    "no record": (lambda r: {**r, "records": []}, "leaves out what the Activity Log came to"),
    "not there": (lambda r: None, "no record says who did it"),
}  # fmt: skip


@pytest.fixture(scope="module")
def attributed(tmp_path_factory):
    with plant(tmp_path_factory.mktemp("lies"), world=small) as made:
        sweep(made)
        made.estate.clock.advance(hours=2)
        made.estate.azure.world.actor = ADA
        made.estate.azure.world.put_deployment(account(made), "glob")
        sweep(made, 4)
        yield made


@pytest.mark.parametrize("lie", LIES)
def test_an_attribution_that_lies_is_found(attributed, tmp_path, lie):
    change, word = LIES[lie]
    store, key = resealed(attributed.estate, tmp_path, lambda r: change(r) if r["type"] == "attribution" else r)
    verdict = verify_store(store, [key])
    assert any(problem.what == "attribution" and word in problem.reason for problem in verdict.problems), [p.line() for p in verdict.problems]


def test_torn_hints_of_what_waits_are_nothing():
    for torn in (None, [], {}, [{}], [{"change": 5}], "x", [{"kind": "a", "resource": "r", "essence": "e", "records": ["x"]}]):
        assert attributing.waiting_of(torn) == []


def test_sealed_again_without_a_lie_it_is_sound(attributed, tmp_path):
    store, key = resealed(attributed.estate, tmp_path, lambda r: r)
    assert list(verify_store(store, [key]).problems) == []


NARROW = {
    "no event": (lambda known: {**known, "previous": None, "around": known["from"]}, "is narrow, and no event caused the sweep"),
    "no answer": (lambda known: {**known, "previous": None}, "follows no answer"),
}


@pytest.mark.parametrize("lie", NARROW)
def test_a_window_that_is_narrow_without_an_event_is_found(attributed, tmp_path, lie):
    change, word = NARROW[lie]

    def edit(value):
        for unit in value.get("units", ()) if value["type"] == "sweep-planned" else ():
            unit["windows"] = [change(known) for known in unit.get("windows", ())]
        return value

    store, key = resealed(attributed.estate, tmp_path, edit)
    found = verify_store(store, [key]).problems
    assert any(problem.what == "plan" and word in problem.reason for problem in found), [p.line() for p in found]


# -- against what really happened -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [3, 11, 29, 64])
def test_in_a_random_history_nobody_is_named_who_did_not_do_it(tmp_path, seed):
    history = History(seed, sweeps_may_fail=False)
    with estate(tmp_path, lambda _: history.world, start=history.clock()) as site:
        site.clock = history.clock
        site.collect()
        for _ in range(4):
            history.pass_hours(6, busy=6)
            site.collect()
        site.clock.advance(hours=6)
        site.collect()
        assert list(verify_store(site.store, [note.parse_vkey(site.vkey)]).problems) == []
        found = list(queries.changes(site.reading(), None, queries.Filter()))
        named = 0
        for change in found:
            who = change["attribution"]
            if who["change"]["op"] == "provided" or "/accounts/" not in change["resource"]:
                assert who["status"] == "unattributed" or change["kind"] == "deletedAccounts"
                continue
            wide, narrow = (_doers(history.world, change, slack) for slack in (timedelta(minutes=10), timedelta(0)))
            if who["status"] == "attributed":
                assert who["by"] in wide, (change["resource"], who["reason"])
                named += 1
            elif len(wide) == 1 == len(narrow):  # nobody is named, although one person did it: only where the log says so itself
                by_azure = "no operation on this resource" in who["reason"] and AZURE.object_id in wide
                promised = who["reason"].startswith("Several people") and who["change"]["op"] == "removed"  # a deletion that had no effect
                assert by_azure or promised, (change["resource"], who["reason"], wide)
        assert named >= 3 and len(found) > 8


def _doers(world, change, slack):
    """Object ids of those who can have made a change, by what really happened."""
    gone = change["attribution"]["change"]["op"] == "removed"
    start, end = moment(change["since"]) - slack, moment(change["until"]) + slack
    about = {change["resource"], "/".join(change["resource"].split("/")[:9])} if gone else {change["resource"]}
    return {
        Actor(happened.by).object_id if happened.by else AZURE.object_id
        for happened in world.truth.happenings
        if happened.resource in about and start <= happened.at <= end and (happened.event in ("deleted", "purged")) == gone
    }
