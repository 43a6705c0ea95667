"""What `verify` makes of logs that are well sealed and say what is not so: each lie is written through the sequencer and signed by the right key."""

import json
from datetime import timedelta

import pytest

from shared.collect.endpoints import BY_KIND
from shared.deliver import rejudge
from shared.deliver.verify import findings as recomputation
from shared.deliver.verify import slots, verify_store
from shared.deliver.verify import verdict as verdicts
from shared.records import timestamp
from shared.seal.log import open_log
from shared.seal.store import DirectoryStore, put_body
from tests.fixtures.records import SIGNER, START, SUBSCRIPTION, Account, LogMaker, account_unit, small_log

KEYS = [SIGNER.key]
PAGED = Account("two", "AIServices", deployments=[["Standard"], ["GlobalStandard"], ["Standard"]], projects=["p1", "p2"])


@pytest.fixture
def store(tmp_path):
    return DirectoryStore(tmp_path)


def sealed(store, edit=None, *, accounts=None, sweeps=1, **options):
    """The verdict on a log that `edit` falsified."""
    maker = LogMaker(store, edit=edit, **options).birth()
    for number in range(sweeps):
        maker.sweep(accounts or [Account("one"), PAGED], slot=START + timedelta(hours=6 * (number + 1)))
    return verify_store(store, KEYS)


def record_at(store, index):
    return json.loads(next(open_log(store).lines(index, index + 1))[1])


def only(found, what, words):
    """The one problem there is (of this sort, with these words)."""
    assert found.exit_code == 1
    matching = [problem for problem in found.problems if problem.what == what and words in problem.reason]
    assert matching, found.problems
    return matching[0]


def in_batch(name, change):
    """An `edit` of the batches whose name contains `name`."""
    return lambda batch, records: change(list(records)) if name in batch else records


def replaced(match, **fields):
    """Change the fields of the first record that matches."""

    def change(records):
        place = next(i for i, value in enumerate(records) if match(value))
        records[place] = {**records[place], **fields}
        return records

    return change


# -- findings -------------------------------------------------------------------------------------------------------------

LOGGING = lambda value: value.get("control") == "content-logging-off"  # noqa: E731


@pytest.mark.parametrize("fields", [{"status": "not-satisfied"}, {"reason": "Because."}, {"resource": None}, {"records": [0]}])
def test_a_finding_that_says_otherwise(store, fields):
    found = sealed(store, in_batch(".findings", lambda records: replaced(LOGGING, **fields)(records) if any(map(LOGGING, records)) else records))
    problem = only(found, "finding", "content-logging-off")
    assert record_at(store, problem.record)["control"] == "content-logging-off"


def test_the_difference_is_told(store):
    edit = in_batch(".findings", lambda r: replaced(LOGGING, status="unknown")(r) if any(map(LOGGING, r)) else r)
    assert "says unknown, the bodies give satisfied" in only(sealed(store, edit), "finding", "content-logging-off").reason


def test_a_finding_left_out(store):
    found = sealed(store, in_batch(".findings", lambda records: [value for value in records if not LOGGING(value)]))
    assert "no finding says so" in only(found, "finding", "content-logging-off").reason


def test_a_finding_too_many(store):
    found = sealed(store, in_batch("account", lambda r: [*r, {**r[-1], "control": "made-up"}] if r[0]["type"] == "finding" else r))
    assert "give no such finding" in only(found, "finding", "made-up").reason


def test_findings_in_another_order_are_the_same_findings(store):
    found = sealed(store, in_batch(".findings", lambda records: records[::-1]), sweeps=2)
    assert found.exit_code == 0
    assert found.counts["findings recomputed"] == found.counts["findings"]


def test_no_findings_at_all(store):
    found = sealed(store, in_batch("account", lambda r: [] if r[0]["type"] == "finding" else r))
    only(found, "finding", "was collected and not judged")


def test_a_lie_about_the_collection(store):
    lie = replaced(lambda value: value["control"] == "collection-complete", status="satisfied", reason="All is fine.")
    found = sealed(store, in_batch("sweep.findings", lie), accounts=[Account("one", fails={"deployments": "forbidden"})])
    only(found, "finding", "collection-complete of the collection")
    assert found.gaps


def test_the_provider_cannot_be_made_to_attest_more(store):
    found = sealed(store, in_batch("sweep.findings", replaced(lambda v: v["status"] == "provider-attested", status="satisfied")))
    only(found, "finding", "the bodies give provider-attested")


def test_findings_of_another_catalogue_are_said_and_not_passed_over(store, monkeypatch):
    small_log(store, sweeps=1)
    monkeypatch.setattr(rejudge, "catalogue_version", lambda: "2031.1")
    found = verify_store(store, KEYS)
    assert found.exit_code == 0 and found.counts["findings recomputed"] == 0
    assert any("this version has 2031.1" in line for line in found.not_checked)


def test_a_finding_by_a_profile_that_is_not_there(store):
    found = sealed(store, in_batch(".findings", lambda r: [{**v, "profile": "0" * 64} for v in r]))
    only(found, "finding", "cannot be judged again")


def test_a_judge_that_fails_is_a_problem_and_no_traceback(store, monkeypatch):
    small_log(store, sweeps=1)
    monkeypatch.setattr(rejudge.engine, "judge_account", lambda *_: 1 / 0)
    only(verify_store(store, KEYS), "finding", "does not cope with the evidence (ZeroDivisionError)")


def test_findings_that_come_before_what_they_rest_on(store):
    found = sealed(store, in_batch(".findings", replaced(LOGGING_OR_ANY, records=[10_000])))
    assert any("which comes later" in problem.reason for problem in found.problems)


LOGGING_OR_ANY = lambda value: True  # noqa: E731


# -- answers and pages ----------------------------------------------------------------------------------------------------


def is_paged(value):
    return value.get("kind") == "deployments" and len(value.get("pages", ())) == 3


def edit_answer(match, change):
    def edit(batch, records):
        return [change(value) if isinstance(value, dict) and match(value) else value for value in records]

    return edit


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        (lambda p: p[:2], "page 3 is missing: page 2 links to it"),
        (lambda p: [p[0], p[2]], "page 2 is not the one that page 1 links to"),
        (lambda p: [p[1], p[2]], "the first page is not the one that was asked for"),
        (lambda p: [p[0], p[1], p[2], p[2]], "page 4 is not the one"),
    ],
)
def test_a_page_left_out_or_put_in(store, pages, words):
    found = sealed(store, edit_answer(is_paged, lambda value: {**value, "pages": pages(value["pages"])}))
    problem = only(found, "answer", words)
    assert record_at(store, problem.record)["kind"] == "deployments"


def test_pages_in_order_are_fine(store):
    assert sealed(store, sweeps=2).exit_code == 0


def test_a_question_without_an_answer(store):
    found = sealed(store, in_batch("account", lambda r: [v for v in r if v["kind"] != "raiPolicies"]))
    assert "has neither an answer nor a failure" in only(found, "answer", "raiPolicies").reason


def test_a_project_passed_over(store):
    found = sealed(store, in_batch("account", lambda r: [v for v in r if not (v["resource"] or "").endswith("/projects/p2")]))
    assert "projects/p2" in only(found, "answer", "projectConnections of").reason


def test_a_question_answered_twice_or_not_asked(store):
    found = sealed(store, in_batch("account", lambda r: [*r, r[0]] if r[0]["type"] == "observation" else r))
    only(found, "answer", "was answered more than once")
    other = DirectoryStore(store.root / "b")
    extra = lambda v: {**v, "kind": "usages", "request": {**v["request"]}}  # noqa: E731
    found = sealed(other, in_batch("account", lambda r: [*r, extra(r[0])] if r[0]["type"] == "observation" else r))
    only(found, "answer", "though the plan does not ask it")


def test_a_question_about_another_resource(store):
    other = Account("elsewhere")

    def change(value):
        url = "https://management.azure.com" + BY_KIND["account"].url(other.id)
        return {**value, "request": {"method": "GET", "url": url}, "pages": [{**value["pages"][0], "url": url}]}

    found = sealed(store, edit_answer(lambda v: v.get("kind") == "account" and "pages" in v, change))
    only(found, "answer", "about another resource")


def test_sizes_of_bodies(store):
    found = sealed(store, edit_answer(lambda v: v.get("kind") == "account", lambda v: {**v, "pages": [{**v["pages"][0], "bytes": 1}]}))
    only(found, "body", "has 1 bytes, and it has")


def test_bodies_that_are_not_json(store):
    digest = put_body(store, b"<html>")
    change = lambda v: {**v, "pages": [{**v["pages"][0], "sha256": digest, "bytes": 6}]}  # noqa: E731
    found = sealed(store, edit_answer(lambda v: v.get("kind") == "raiBlocklists", change), accounts=[Account("one")], sweeps=0)
    assert found.exit_code == 0
    maker = LogMaker(DirectoryStore(store.root / "b"))
    digest = put_body(maker.store, b"<html>")
    maker.edit = edit_answer(lambda v: v.get("kind") == "raiBlocklists", change)
    maker.whole = lambda value: value
    maker.birth()
    with pytest.raises(ValueError, match="Expecting value"):
        maker.sweep([Account("one")])
    maker.sequencer.seal()
    only(verify_store(maker.store, KEYS), "answer", "is not JSON")


# -- the plan -------------------------------------------------------------------------------------------------------------


def is_plan(value):
    return value.get("type") == "sweep-planned"


def test_an_account_without_a_unit(store):
    found = sealed(store, edit_answer(is_plan, lambda v: {**v, "units": [u for u in v["units"] if not u["resource"].endswith("/one")]}), accounts=None)
    assert "accounts/one is in scope" in only(found, "population", "has no unit for it").reason


def test_an_account_of_a_kind_in_any_spelling_counts(store):
    shouting = Account("one", "OPENAI")
    with pytest.raises(KeyError):
        sealed(store, accounts=[shouting])  # our collector would not: it spells the kind as the catalogue of questions does
    hidden = Account("hidden")
    body = {**hidden.body(), "kind": "openai"}

    def edit(batch, records):
        if batch != "plan":
            return records
        for place, value in enumerate(records):
            if value.get("kind") == "accounts":
                kept = json.loads(store2.get(f"evidence/body/sha256/{value['pages'][0]['sha256'][:2]}/{value['pages'][0]['sha256']}"))
                data = json.dumps({"value": [*kept["value"], body]}).encode()
                page = {**value["pages"][0], "sha256": put_body(store2, data), "bytes": len(data)}
                records = [*records[:place], {**value, "pages": [page]}, *records[place + 1 :]]
        return records

    store2 = DirectoryStore(store.root / "b")
    found = sealed(store2, edit, accounts=[Account("one")])
    assert "accounts/hidden is in scope" in only(found, "population", "has no unit for it").reason


def test_a_unit_that_nobody_named(store):
    stray = {"unit": "account-ffff", "resource": Account("ghost").id.lower(), "asked": "account:OpenAI", "id": Account("ghost").id}
    found = sealed(store, edit_answer(is_plan, lambda v: {**v, "units": [*v["units"], stray]}))
    only(found, "population", "neither the scope nor an answer of Azure names")


def test_a_narrow_scope_is_what_it_says(store):
    maker = LogMaker(store).birth()
    maker.sweep([Account("one")], scope_resources=[Account("one").id.lower()])
    found = verify_store(store, KEYS)
    assert found.exit_code == 0
    assert any("outside the scope that sweeps declare" in line for line in found.not_checked)


def test_a_narrow_sweep_fills_no_slot(store):
    maker = LogMaker(store).birth()
    for hours, only_one in ((6, False), (12, True), (18, True), (30, True), (36, False)):
        maker.sweep([Account("one")], slot=START + timedelta(hours=hours), scope_resources=[Account("one").id.lower()] if only_one else None)
    found = verify_store(store, KEYS)
    assert found.exit_code == 3 and found.counts["slots without a sweep"] == 4
    assert [gap.reason for gap in found.gaps] == [
        "no sweep but of named accounts was planned for 2 slots in a row, 2026-11-01T12:00:00.000000Z to 2026-11-01T18:00:00.000000Z",
        "no sweep was planned for the slot 2026-11-02T00:00:00.000000Z",
        "no sweep but of named accounts was planned for the slot 2026-11-02T06:00:00.000000Z",
    ]


def test_subscriptions_that_were_seen(store):
    for number, seen in enumerate(([], None, [SUBSCRIPTION, "another"])):
        made = DirectoryStore(store.root / str(number))
        found = sealed(made, edit_answer(is_plan, lambda v, seen=seen: {**v, "seen": seen}))
        only(found, "plan", "does not name the subscriptions")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"previous": None}, "names as the sweep before it the one closed at none"),
        ({"log": {"size": 10**6, "held": None, "consistent": None}}, "says that the log had 1000000 records"),
        ({"log": {"size": 100, "held": 90, "consistent": False}}, "did not extend"),
        ({"deadline": timestamp(START)}, "deadline is before"),
    ],
)
def test_what_a_plan_says_of_the_log(store, fields, words):
    maker = LogMaker(store).birth()
    maker.sweep([Account("one")], slot=START + timedelta(hours=6))
    maker.edit = edit_answer(is_plan, lambda value: {**value, **fields})
    maker.sweep([Account("one")], slot=START + timedelta(hours=12))
    only(verify_store(store, KEYS), "plan", words)


# -- the closing record ---------------------------------------------------------------------------------------------------


def closing(**fields):
    return in_batch("closed", lambda records: [{**records[0], **{k: v(records[0]) if callable(v) else v for k, v in fields.items()}}])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"complete": False}, "says incomplete, and it is the opposite"),
        ({"failures": 7}, "says that 7 questions failed, and 0 did"),
        ({"missing": ["account-aaaa"]}, "wrong about which units are missing"),
        ({"planned": 3}, "names another plan"),
        ({"slot": None}, "names another plan or slot"),
        ({"units": lambda v: {k: p for k, p in v["units"].items() if k != "plan"}}, "says that plan is at no place"),
        ({"findings": lambda v: {k: [p[0], p[1] + 1] for k, p in v["findings"].items()}}, "findings is at records"),
        ({"units": lambda v: {**v["units"], "account-zz": [1, 2]}}, "says that account-zz is at records 1 to 2"),
    ],
)
def test_what_a_closing_record_says(store, fields, words):
    problem = only(sealed(store, closing(**fields)), "closing", words)
    assert record_at(store, problem.record)["type"] == "sweep-closed"


def test_a_unit_that_was_not_collected_is_a_gap(store):
    maker = LogMaker(store).birth()
    maker.sweep([Account("one"), Account("two")], slot=START + timedelta(hours=6), missing=("two",))
    found = verify_store(store, KEYS)
    assert found.exit_code == 3
    assert [(gap.what, gap.resource) for gap in found.gaps] == [("unit", Account("two").id.lower())]


def test_a_missing_unit_that_is_not_confessed(store):
    maker = LogMaker(store, edit=closing(missing=[], complete=True)).birth()
    maker.sweep([Account("one"), Account("two")], slot=START + timedelta(hours=6), missing=("two",))
    only(verify_store(store, KEYS), "closing", "wrong about which units are missing")


def test_failures_are_gaps_with_their_reason(store):
    found = sealed(store, accounts=[Account("one", fails={"deployments": "forbidden", "models": "throttled"})])
    assert found.exit_code == 3 and found.intact and not found.complete
    assert sorted(gap.reason for gap in found.gaps) == ["deployments: forbidden (AuthorizationFailed)", "models: throttled (AuthorizationFailed)"]
    assert found.gaps[0].line().startswith(f"record {found.gaps[0].record}: ")


def test_a_failure_of_every_sweep_is_listed_once_and_hides_no_other(store):
    """What is refused for a quarter must not push what was missed once off the list."""
    maker = LogMaker(store).birth()
    for number in range(6):
        once = {"models": "throttled"} if number == 4 else {}
        maker.sweep([Account("one", fails={"deployments": "forbidden", **once})], slot=START + timedelta(hours=6 * (number + 1)))
    found = verify_store(store, KEYS)
    assert found.counts["gaps"] == 7 and sorted(gap.times for gap in found.gaps) == [1, 6]
    often = next(gap for gap in found.gaps if gap.times == 6)
    failures = [index for index, record in open_log(store).records(0, found.size) if record["type"] == "failure" and record["kind"] == "deployments"]
    assert (often.record, often.last_record) == (failures[0], failures[-1])
    shown = [line for line in found.as_lines() if "Failed)" in line]
    assert "models: throttled" in shown[0] and shown[1].strip() == often.line(), "what was missed once comes first"
    assert often.line().startswith(f"6 times, records {failures[0]} to {failures[-1]}: deployments: forbidden")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(verdicts, "LISTED", 1)
        lines = verify_store(store, KEYS).as_lines()
    assert lines[0].startswith("Intact, but incomplete: 7 gaps") and "  … and 1 more" in lines


def test_a_problem_that_is_said_over_and_over_is_counted_and_listed_once():
    tally = verdicts.Tally()
    for reason in ("a line is too long", "a line is too long", "a line is too long", "a record is missing", "a line is too long"):
        tally.problem("record", reason, file="records/1.jsonl")
    assert [problem.reason for problem in tally.problems] == ["a line is too long", "a record is missing", "a line is too long"]
    assert tally.counts["problems"] == 5


def test_a_sweep_that_was_never_closed_is_a_gap(store):
    maker = LogMaker(store).birth()
    maker.sweep([Account("one")], slot=START + timedelta(hours=6), close=False)
    found = verify_store(store, KEYS)
    assert [gap.what for gap in found.gaps] == ["sweep"] and found.exit_code == 3


def test_what_comes_after_the_closing_record(store):
    maker = LogMaker(store).birth()
    name = maker.sweep([Account("one"), Account("two")], slot=START + timedelta(hours=6), missing=("two",))
    maker.put(name, "account-late", maker.unit_answers(name, Account("two")))
    maker.seal(name)
    found = verify_store(store, KEYS)
    assert found.exit_code == 3
    assert any("arrived after the sweep was closed" in line for line in found.notes)
    maker.put(name, "account-later", maker.unit_answers(name, Account("one")))
    maker.seal(name)
    only(verify_store(store, KEYS), "record", "comes after the closing record")


def test_a_unit_that_arrives_while_the_sweep_is_being_closed(store):
    """Another worker was slow: its batch is sealed after the collection was judged without it, and before the closing record."""
    maker = LogMaker(store).birth()
    accounts = [Account("one"), Account("two", fails={"models": "throttled"})]
    name = maker.sweep(accounts, slot=START + timedelta(hours=6), missing=("two",), close=False)
    records, unit = maker.taken(name), account_unit(Account("two").id, "OpenAI").name
    maker.put(name, unit, maker.unit_answers(name, accounts[1]))
    maker.seal(name, done=False)
    maker.close(name, records, [unit])
    found = verify_store(store, KEYS)
    assert found.exit_code == 3 and found.intact, found.problems
    assert any("arrived while the sweep was being closed" in line for line in found.notes)


def test_a_project_that_cannot_be_one_is_a_gap(store):
    class Odd(Account):
        def pages(self, kind):
            odd = [{"id": "/subscriptions/x"}, {"name": "nameless"}, {"id": f"{self.id}/projects/../up"}]
            return [{"value": [*super().pages(kind)[0]["value"], *odd]}] if kind == "projects" else super().pages(kind)

    found = sealed(store, accounts=[Odd("two", "AIServices", projects=["p1"])])
    assert found.exit_code == 3
    assert [(gap.what, gap.reason) for gap in found.gaps] == [("item", "the list of projects names what is no project of this account")]


def test_answers_of_one_unit_in_two_places(store):
    maker = LogMaker(store).birth()
    name = maker.sweep([Account("one")], slot=START + timedelta(hours=6), close=False)
    unit = account_unit(Account("one").id, "OpenAI").name
    maker.put(name, "account-again", [{**value, "unit": unit} for value in maker.unit_answers(name, Account("one"))])
    maker.seal(name)
    only(verify_store(store, KEYS), "answer", "do not stand together")


def test_a_unit_judged_twice_or_never_collected(store):
    maker = LogMaker(store).birth()
    name = maker.sweep([Account("one")], slot=START + timedelta(hours=6), close=False)
    records, unit = maker.taken(name), account_unit(Account("one").id, "OpenAI")
    maker.put(name, "again.findings", maker.findings(name, records, unit)[:2])
    maker.put(name, "ghost.findings", [{**value, "unit": "account-ghost"} for value in maker.findings(name, records, unit)[:2]])
    maker.seal(name)
    found = verify_store(store, KEYS)
    only(found, "finding", "was judged already")
    only(found, "finding", "is about account-ghost, which brought no answers")


def test_records_of_a_sweep_without_a_plan(store):
    maker = LogMaker(store).birth()
    maker.put("20261101T060000Z", "account-x", maker.unit_answers("20261101T060000Z", Account("one")))
    maker.seal("20261101T060000Z")
    only(verify_store(store, KEYS), "plan", "has records and no plan")


# -- slots and clocks -----------------------------------------------------------------------------------------------------


def test_slots_without_a_sweep(store):
    maker = LogMaker(store).birth()
    for hours in (6, 12, 30, 42):
        maker.sweep([Account("one")], slot=START + timedelta(hours=hours))
    found = verify_store(store, KEYS)
    assert found.exit_code == 3
    assert [gap.reason for gap in found.gaps] == [
        "no sweep was planned for 2 slots in a row, 2026-11-01T18:00:00.000000Z to 2026-11-02T00:00:00.000000Z",
        "no sweep was planned for the slot 2026-11-02T12:00:00.000000Z",
    ]
    assert found.counts["slots without a sweep"] == 3


def test_without_a_schedule_completeness_is_not_claimed(store):
    maker = LogMaker(store, schedule=None).birth()
    maker.sweep([Account("one")])
    found = verify_store(store, KEYS)
    assert found.exit_code == 0
    assert any("no schedule was declared" in line for line in found.not_checked)
    assert found.as_lines()[0].startswith("Intact, and all that was planned is there; that no sweep is missing cannot be said without a schedule (log")
    maker = LogMaker(DirectoryStore(store.root / "half")).birth()
    maker.sweep([Account("one")], slot=START + timedelta(hours=6))
    assert verify_store(maker.store, KEYS).as_lines()[0].startswith("Intact and complete (log")
    maker.schedule = None
    maker.sweep([Account("one")])
    assert "cannot be said without a schedule" in verify_store(maker.store, KEYS).as_lines()[0]


def test_a_schedule_of_every_second_ends(store, monkeypatch):
    monkeypatch.setattr(slots, "MOST", 20_000)
    maker = LogMaker(store, schedule="* * * * * *").birth()
    maker.sweep([Account("one")], slot=START + timedelta(hours=6))
    maker.sweep([Account("one")], slot=START + timedelta(days=7))
    found = verify_store(store, KEYS)
    assert found.exit_code == 3 and any("there are too many" in line for line in found.not_checked)


def test_a_schedule_that_is_none(store):
    only(sealed(store, schedule="often"), "plan", "the schedule often is none")


def test_a_clock_that_was_set_back_is_worth_knowing(store):
    maker = LogMaker(store, schedule=None).birth()
    maker.sweep([Account("one")], name="first")
    maker.now -= timedelta(hours=3)
    maker.sweep([Account("one")], name="second")
    found = verify_store(store, KEYS)
    assert any("clock was set back" in line for line in found.notes)


# -- records --------------------------------------------------------------------------------------------------------------


def raw(change):
    """Put a line of bytes in place of the retention record."""
    from shared.canonical import canonical

    return in_batch("plan", lambda records: [change(v, canonical(v)) if v.get("type") == "retention" else v for v in records])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda v, line: line.replace(b":", b": ", 1), "not in the canonical form"),
        (lambda v, line: line.replace(b'"kind":"store"', b'"kind":"store","kind":"store"'), "not in the canonical form"),
        (lambda v, line: b"not json at all", "is not JSON"),
        (lambda v, line: b"\xff\xfe\x00", "is not JSON"),
        (lambda v, line: b"[1,2]", "is not a JSON object"),
        (lambda v, line: b"[" * 60_000, "is not JSON"),
        (lambda v, line: {**v, "v": 2}, "written by a newer version (v 2)"),
        (lambda v, line: {**v, "v": True}, "its `v` is missing or malformed"),
        (lambda v, line: {**v, "at": "2026-13-45T00:00:00.000000Z"}, "its `at` is missing or malformed"),
        (lambda v, line: {**v, "at": "yesterday"}, "its `at`"),
        (lambda v, line: {**v, "sweep": "../../etc"}, "its `sweep`"),
        (lambda v, line: {**v, "resource": "/Subscriptions/X"}, "its `resource`"),
        (lambda v, line: {k: x for k, x in v.items() if k != "storage"}, "its `storage`"),
        (lambda v, line: {**v, "storage": {"policy": 1}}, "its `storage`"),
        (lambda v, line: {**v, "overflow": {"storage": {"sha256": "x", "bytes": 1}}}, "its `overflow`"),
        (lambda v, line: {**v, "overflow": {"storage": {"sha256": "0" * 64, "bytes": 1}}}, "missing or altered"),
        (lambda v, line: line.replace(b'"v":1', b'"v":1' + b"0" * 5000), "is not JSON"),
    ],
)
def test_records_that_are_none(store, change, words):
    maker = LogMaker(store, edit=raw(change)).birth()
    try:
        maker.sweep([Account("one")])
    except Exception:  # the pen stumbles over its own lie; what it sealed so far is what is verified
        maker.sequencer.seal()
    found = verify_store(store, KEYS)
    assert found.exit_code == 1
    assert any(words in problem.reason and problem.record is not None for problem in found.problems), found.problems


def test_a_type_that_is_not_known_yet_is_said(store):
    found = sealed(store, in_batch("plan", lambda r: [r[0], {**r[0], "type": "prophecy", "extra": {"x": [1]}}, *r[1:]]))
    assert found.exit_code == 0
    assert any("records of type prophecy" in line for line in found.not_checked)


def test_unknown_fields_are_kept_and_mean_nothing(store):
    found = sealed(store, edit_answer(lambda v: v.get("type") == "observation", lambda v: {**v, "zeal": {"b": 1}}), sweeps=2)
    assert found.exit_code == 0 and found.counts["observations"] > 50


def test_plans_too_large_for_a_line_are_read_from_their_body(store):
    estate = [Account(f"account-number-{n:03d}") for n in range(260)]
    found = sealed(store, accounts=estate)
    assert found.exit_code == 0
    plan = next(value for _, value in open_log(store).records(0, open_log(store).size) if value["type"] == "sweep-planned")
    assert "units" in plan["overflow"]


def test_an_answer_that_repeats_costs_a_comparison(store):
    found = sealed(store, sweeps=4)
    assert found.counts["units judged again"] == 4, "each of three units; that of the subscription again, whose logs are asked after an answer from then on"


def test_the_memo_forgets_and_nothing_changes(store, monkeypatch):
    monkeypatch.setattr(recomputation, "KEPT_UNITS", 1)
    monkeypatch.setattr(recomputation, "KEPT_TEMPLATES", 5)
    found = sealed(store, sweeps=3)
    assert found.exit_code == 0 and found.counts["units judged again"] > 3


def test_accounts_of_several_subscriptions(store):
    other = "11111111-2222-3333-4444-555555555555"
    found = sealed(store, accounts=[Account("one"), Account("two", subscription=other), Account("three", subscription=other)], sweeps=2)
    assert found.exit_code == 0
    assert other != SUBSCRIPTION


def test_the_first_record_names_the_log(store):
    maker = LogMaker(store, edit=in_batch("plan", lambda r: [{**r[0], "store": {**r[0]["store"], "origin": "other.example/log"}}]))
    maker.birth()
    only(verify_store(store, KEYS), "record", "says that the log is other.example/log")
    maker = LogMaker(DirectoryStore(store.root / "b"), edit=in_batch("plan", lambda r: [{**r[0], "store": None}])).birth()
    only(verify_store(maker.store, KEYS), "record", "the first record of a log says what store it is of")


def test_a_subscription_without_a_usable_id_is_no_unit(store):
    """Our collector seals a failure for it: the plan need not, and cannot, have a unit for it."""

    def edit(batch, records):
        for value in records if batch == "plan" else ():
            if value.get("kind") == "subscriptions":
                data = json.dumps({"value": [{"id": f"/subscriptions/{SUBSCRIPTION.upper()}"}, {"subscriptionId": "not an id"}, {}]}).encode()
                value["pages"][0] |= {"sha256": put_body(store, data), "bytes": len(data)}
        return records

    assert sealed(store, edit).exit_code == 0
