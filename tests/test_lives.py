"""Lives of objects and their end: each rule of reconciliation, as a short story with the status that must come out.

Every statement that comes out of a story is also concluded again from the records that it names (tests/fixtures/lives.py).
"""

import pytest

from shared.judge.lives.fold import UnitSweep, fold
from shared.judge.lives.kinds import spoken_for
from shared.judge.lives.operations import operations
from shared.judge.lives.state import State
from tests.fixtures.lives import (
    DELETE_ACCOUNT,
    DELETE_DEPLOYMENT,
    ONE,
    PERSON,
    PURGE,
    SUBSCRIPTION,
    Log,
    Story,
    account,
    account_id,
    arm,
    at,
    deployment,
    event,
    file,
    job,
    listing,
    model,
    row,
    thing,
)  # fmt: skip

A, B, C = file("file-a"), file("file-b"), file("file-c")


def one(deletions):
    assert len(deletions) == 1, deletions
    return deletions[0].statement


def statuses(deletions):
    return sorted((d.statement.id, d.statement.status) for d in deletions)


# -- the data plane: by count -----------------------------------------------------------------------------------------------


def test_what_vanished_and_was_logged_is_corroborated_with_the_one_who_did_it():
    story = Story()
    assert story.sweep(files=[A, B]) == []
    said = one(story.sweep(files=[B], rows=[row("Files_Delete", 3, correlation="k1")]))
    assert (said.kind, said.id, said.status, said.cause, said.by) == ("file", "file-a", "corroborated", "deleted", PERSON)
    assert (said.resource, said.account) == (f"{ONE}/files/file-a", ONE)
    assert said.after < at(3) < said.before
    assert {witness.witness for witness in said.witnesses} == {"inventory", "resource-log"}
    assert said.created == at(-24)


def test_nothing_is_concluded_from_a_first_inventory_or_from_one_that_is_the_same():
    story = Story()
    assert story.sweep(files=[A]) == [] == story.sweep(files=[A]) == story.sweep(files=[A, B])


def test_what_vanished_without_a_word_is_unlogged_once_logs_were_read_past_it():
    story = Story()
    story.sweep(files=[A])
    first = story.sweep(files=[])
    assert one(first).status == "unobservable"
    assert "arrive late" in one(first).reason
    [second] = story.sweep(files=[])
    assert (second.statement.status, second.statement.cause, second.supersedes) == ("unlogged", "unknown", (("s6.0", 0),))
    for _ in range(20):
        assert story.sweep(files=[]) == []
    assert story.unit.state.said == [] == story.unit.state.kept


def test_a_row_that_comes_late_supersedes_what_was_said_before():
    story = Story()
    story.sweep(files=[A])
    story.sweep(files=[])
    story.sweep(files=[])
    [late] = story.sweep(files=[], rows=[row("deleteFile", 3, correlation="k", ingested=15)])
    assert (late.statement.status, late.statement.by, late.supersedes) == ("corroborated", PERSON, (("s12.0", 0),))
    assert [statement.status for statement in story.unit.standing()] == ["corroborated"]


def test_fewer_rows_than_losses_explain_none_and_say_so():
    story = Story()
    story.sweep(files=[A, B, C])
    story.sweep(files=[], rows=[row("Files_Delete", 2, correlation="k1"), row("Files_Delete", 2.1, correlation="k2")])
    found = story.sweep(files=[])
    assert statuses(found) == [("file-a", "unlogged"), ("file-b", "unlogged"), ("file-c", "unlogged")]
    assert "2 deletions of this kind were logged for 3 that vanished, and which ones cannot be told" in found[0].statement.reason
    assert found[0].statement.by is None
    third = story.sweep(files=[], rows=[row("Files_Delete", 2.2, correlation="k3", ingested=17)])
    assert statuses(third) == [("file-a", "corroborated"), ("file-b", "corroborated"), ("file-c", "corroborated")]


def test_more_rows_than_losses_tell_of_objects_that_nothing_names():
    story = Story()
    story.sweep(files=[A])
    rows = [row("Files_Delete", 2 + n / 10, correlation=f"k{n}", by=by) for n, by in enumerate((PERSON, "other", PERSON))]
    found = story.sweep(files=[], rows=rows)
    assert statuses(d for d in found if d.statement.id) == [("file-a", "corroborated")]
    [extra] = [d.statement for d in found if d.statement.id is None]
    assert (extra.count, extra.status, extra.resource, extra.kind) == (2, "logged", ONE, "file")
    assert "no inventory saw" in extra.reason
    assert found[0].statement.by is None or found[1].statement.by is None  # two callers: which of them is not known


def test_a_row_before_the_loss_is_seen_is_told_at_once_and_counted_later():
    """Deleted between the inventory of a sweep and its look at the log."""
    story = Story()
    story.sweep(files=[A, B])
    early = one(story.sweep(files=[A, B], rows=[row("Files_Delete", 6.025, correlation="k", ingested=6.026)]))
    assert (early.id, early.status, early.count) == (None, "logged", 1)
    [later] = story.sweep(files=[B], rows=[])
    assert (later.statement.id, later.statement.status, later.supersedes) == ("file-a", "corroborated", (("s6.0", 0),))


def test_rows_that_waited_are_counted_one_by_one():
    story = Story()
    story.sweep(files=[A, B])
    rows = [row("Files_Delete", 6.025, correlation=f"k{n}", ingested=6.026) for n in range(3)]
    assert one(story.sweep(files=[A, B], rows=rows)).count == 3
    found = story.sweep(files=[B], rows=[])
    assert sorted((d.statement.id or "", d.statement.count, d.supersedes) for d in found) == [
        ("", 2, (("s6.0", 0),)), ("file-a", 1, (("s6.0", 0),)),
    ]  # fmt: skip
    assert story.sweep(files=[B]) == []


def test_the_same_row_in_two_answers_counts_once():
    story = Story()
    told = row("Files_Delete", 2, correlation="k", ingested=5.9)
    story.sweep(files=[A, B])
    story.sweep(files=[B], rows=[told])
    assert story.sweep(files=[B], rows=[told]) == []
    found = story.sweep(files=[], rows=[told])
    assert one(found).status == "unobservable", "the row was counted for another file"


def test_two_rows_of_one_call_are_one_call():
    story = Story()
    story.sweep(files=[A, B])
    call = [row("Files_Delete", 2, correlation="k"), row("Files_Delete", 2, correlation="K", empty=True)]
    assert statuses(story.sweep(files=[B], rows=call)) == [("file-a", "corroborated")]


def test_a_nearly_empty_row_alone_corroborates_and_tells_nothing_else():
    story = Story()
    story.sweep(files=[A])
    assert statuses(story.sweep(files=[], rows=[row("Files_Delete", 2, correlation="k", empty=True)])) == [("file-a", "corroborated")]
    story = Story()
    story.sweep(files=[A])
    assert story.sweep(files=[A], rows=[row("Files_Delete", 2, correlation="k", empty=True)]) == []


@pytest.mark.parametrize("result", ["404", "403", "500", "429"])
def test_a_call_that_failed_deleted_nothing(result):
    story = Story()
    story.sweep(files=[A])
    assert story.sweep(files=[A], rows=[row("Files_Delete", 2, correlation="k", result=result)]) == []
    story.sweep(files=[], rows=[])
    assert one(story.sweep(files=[])).status == "unlogged"


def test_a_row_of_another_kind_explains_nothing():
    story = Story()
    story.sweep(files=[A], vectorStores=[thing("vs_1")])
    found = story.sweep(files=[A], vectorStores=[], rows=[row("Files_Delete", 2, correlation="k")])
    assert sorted((d.statement.kind, d.statement.id, d.statement.status) for d in found) == [
        ("file", None, "logged"), ("vector-store", "vs_1", "unobservable"),
    ] or sorted((d.statement.kind, str(d.statement.id), d.statement.status) for d in found) == [
        ("file", "None", "logged"), ("vector-store", "vs_1", "unobservable"),
    ]  # fmt: skip


def test_properties_as_text_or_object_and_a_key_instead_of_an_identity():
    for text, by in ((True, ""), (False, "")):
        story = Story()
        story.sweep(files=[A])
        said = one(story.sweep(files=[], rows=[row("Files_Delete", 2, correlation="k", as_text=text, by=by)]))
        assert (said.status, said.by) == ("corroborated", None)
        assert "with a key or without saying by whom" in said.reason


def test_an_identity_that_was_committed_stays_what_it_is():
    story = Story()
    told = {**row("Files_Delete", 2, correlation="k"), "ObjectId": {"committed": "c29tZWJvZHk="}}
    told["Properties"] = {"withheld": "unlisted"}
    story.sweep(files=[A])
    assert one(story.sweep(files=[], rows=[told])).by == {"committed": "c29tZWJvZHk="}


# -- what could have seen it -------------------------------------------------------------------------------------------------


def test_without_logging_nothing_could_have_seen_it():
    story = Story()
    story.sweep(files=[A], logging=False)
    said = one(story.sweep(files=[], logging=False))
    assert said.status == "unobservable"
    assert "no diagnostic setting sent logs of RequestResponse to a workspace" in said.reason
    for _ in range(12):
        assert story.sweep(files=[], logging=False) == []


def test_logging_that_was_off_for_a_while_could_have_missed_it():
    story = Story()
    story.sweep(files=[A])
    story.sweep(files=None, logging=False)
    said = one(story.sweep(files=[]))
    assert (said.status, "RequestResponse" in said.reason) == ("unobservable", True)


@pytest.mark.parametrize("category", ["Audit", "Trace"])
def test_other_categories_do_not_hold_deletions(category):
    story = Story()
    from tests.fixtures.lives import settings

    weak = story.log.add("diagnosticSettings", 0.01, [settings(True, category=category)])
    story.sweep(files=[A], logging=None, extra=[weak])
    said = one(story.sweep(files=[], logging=None))
    assert (said.status, "RequestResponse" in said.reason) == ("unobservable", True)


def test_settings_that_were_never_read_leave_it_open():
    story = Story()
    story.sweep(files=[A], logging=None)
    assert "settings that decide it could not be read" in one(story.sweep(files=[], logging=None)).reason


def test_a_log_that_was_not_read_is_no_silence():
    story = Story()
    story.sweep(files=[A])
    said = one(story.sweep(files=[], rows=None))
    assert said.status == "unobservable"
    assert story.sweep(files=[], rows=None) == []
    assert statuses(story.sweep(files=[], rows=[row("Files_Delete", 3, correlation="k")])) == [("file-a", "corroborated")]


def test_a_log_that_was_never_read_far_enough_is_forgotten_in_the_end():
    story = Story()
    story.sweep(files=[A])
    story.sweep(files=[], rows=None)
    for _ in range(4 * 95):
        assert story.sweep(files=[], rows=None) == []
    assert story.unit.state.kept == [] == story.unit.state.said
    assert len(story.unit.state.logs) < 4 * 92


# -- inventories that are not there --------------------------------------------------------------------------------------------


def test_a_failed_inventory_in_the_middle_widens_the_interval_and_concludes_nothing():
    story = Story()
    story.sweep(files=[A, B])
    assert story.sweep(files=None, rows=[row("Files_Delete", 3, correlation="k")]) != []  # told as one of objects unknown
    assert story.sweep(files=None) == []
    found = story.sweep(files=[B])
    said = one(found)
    assert (said.id, said.status, said.after < at(1), said.before > at(18)) == ("file-a", "corroborated", True, True)
    assert found[0].supersedes == (("s6.0", 0),)


def test_what_is_not_the_whole_of_a_list_is_no_inventory():
    for broken in (listing(more=True), {"data": [{"object": "file"}]}, {"data": "x"}, [], {}):
        story = Story()
        story.sweep(files=[A])
        bad = story.log.add("files", 6, [broken])
        assert story.unit.sweep(6, bad) == []
        assert story.sweep(12, files=[A]) == []


def test_a_list_over_several_pages_is_one_list():
    story = Story()
    story.sweep(files=[A, B])
    pages = story.log.add("files", 6.02, [listing(B, more=True), listing(A)])
    assert story.unit.sweep(6, pages) == []


def test_a_file_that_is_listed_as_deleted_is_gone():
    story = Story()
    story.sweep(files=[A])
    assert one(story.sweep(files=[file("file-a", status="deleted")], rows=[row("deleteFile", 3, correlation="k")])).status == "corroborated"


def test_what_is_no_longer_served_says_nothing_of_what_was_there():
    story = Story()
    story.sweep(assistants=[thing("asst_1")])
    gone = story.log.add("assistants", 6.02, [{"error": {"code": "404"}}], status=404)
    assert story.unit.sweep(6, gone) == []
    assert story.sweep(12, assistants=[]) == []


def test_an_object_that_was_missing_once_was_not_deleted():
    story = Story()
    story.sweep(files=[A, B])
    story.sweep(files=[B])
    story.sweep(files=[B])
    [again] = story.sweep(files=[A, B])
    assert (again.statement.id, again.statement.status, again.supersedes) == ("file-a", "not-effective", (("s12.0", 0),))


def test_an_older_inventory_that_is_judged_later_is_passed_over():
    story = Story()
    old = story.log.add("files", 5.9, [listing(A)])
    story.sweep(6, files=[B])
    assert story.unit.sweep(5, old, name="late") == []
    assert story.unit.notes
    assert story.unit.state.last["files"].at == at(6.02)


def test_folding_a_sweep_again_adds_nothing():
    story = Story()
    story.sweep(files=[A, B])
    story.sweep(files=[B], rows=[row("Files_Delete", 3, correlation="k")])
    state = story.unit.state.as_json()
    for sweep in list(story.unit.folded):
        assert story.unit.sweep(0, *sweep.entries, name=sweep.name) == []
    assert story.unit.state.as_json() == state


# -- clocks -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("hours", "status"), [(0.02 - 4 / 60, "corroborated"), (6.02 + 4 / 60, "corroborated"), (0.02 - 6 / 60, "unlogged"), (6.2, "unlogged")])
def test_clocks_of_two_witnesses_may_differ_by_five_minutes(hours, status):
    story = Story()
    story.sweep(files=[A, B])
    story.sweep(files=[B])
    story.sweep(files=[B], rows=[row("Files_Delete", hours, correlation="k", ingested=11)])
    assert story.about("file-a").status == status


def test_a_row_on_the_border_of_two_losses_is_counted_once():
    story = Story()
    story.sweep(files=[A, B, C])
    story.sweep(files=[B, C], rows=[])
    found = story.sweep(files=[C], rows=[row("Files_Delete", 6.03, correlation="k", ingested=6.1)])
    by_status = {d.statement.id: d.statement.status for d in found}
    assert sorted(by_status.values()).count("corroborated") == 1


def test_two_rows_near_a_border_explain_both_losses_whatever_the_order():
    story = Story()
    story.sweep(files=[A, B, C])
    story.sweep(files=[B, C], rows=[])
    found = story.sweep(files=[C], rows=[row("Files_Delete", 6.03, correlation="k1", ingested=6.1), row("Files_Delete", 6.05, correlation="k2", ingested=6.1)])
    assert statuses(found) == [("file-a", "corroborated"), ("file-b", "corroborated")]


# -- causes -----------------------------------------------------------------------------------------------------------------


def test_a_file_that_was_due_to_expire():
    story = Story()
    story.sweep(files=[file("file-x", expires_at=1793491200 + 3 * 3600)])
    said = one(story.sweep(files=[]))
    assert said.cause == "expired"
    story.sweep(files=[])
    assert (story.about("file-x").status, story.about("file-x").cause) == ("unlogged", "expired")
    assert "was due to expire at" in story.about("file-x").reason


def test_a_file_that_was_deleted_before_it_expired():
    story = Story()
    story.sweep(files=[file("file-x", expires_at=1793491200 + 3 * 3600)])
    said = one(story.sweep(files=[], rows=[row("Files_Delete", 2, correlation="k")]))
    assert (said.status, said.cause) == ("corroborated", "deleted")


def test_a_file_that_expires_needs_no_row_and_takes_none_from_others():
    story = Story()
    story.sweep(files=[A, file("file-x", expires_at=1793491200 + 3 * 3600)])
    found = story.sweep(files=[], rows=[row("Files_Delete", 2, correlation="k")])
    assert {d.statement.id: (d.statement.status, d.statement.cause) for d in found}["file-a"] == ("corroborated", "deleted")


def test_a_batch_that_names_the_end_of_its_window_does_not_expire_by_it():
    story = Story()
    story.sweep(batches=[thing("batch_1", expires_at=1793491200)])
    assert one(story.sweep(batches=[])).cause == "unknown"


@pytest.mark.parametrize(
    "item",
    [
        thing("x", expires_at=1793491200 + 3600),
        thing("x", expires_after={"anchor": "last_active_at", "days": 1}, last_active_at=1793491200 - 23 * 3600),
        thing("x", expires_after={"anchor": "last_active_at", "minutes": 20}, last_active_at=1793491200),
    ],
)
def test_vector_stores_and_containers_expire_after_their_last_use(item):
    for question in ("vectorStores", "containers"):
        story = Story()
        story.sweep(**{question: [item]})
        assert one(story.sweep(**{question: []})).cause == "expired"


def test_a_vector_store_that_was_not_due_did_not_expire():
    story = Story()
    story.sweep(vectorStores=[thing("x", expires_at=1793491200 + 30 * 3600)])
    assert one(story.sweep(vectorStores=[])).cause == "unknown"


# -- fine-tuning -------------------------------------------------------------------------------------------------------------


MODEL = "gpt-4o-mini-2024-07-18.ft-1"


def test_one_call_deletes_a_job_and_the_model_that_it_made():
    story = Story()
    story.sweep(fineTuningJobs=[job("ftjob-1", model=MODEL)], servedModels=[model(MODEL, fine_tune="ftjob-1"), model("gpt-4o")])
    found = story.sweep(fineTuningJobs=[], servedModels=[model("gpt-4o")], rows=[row("FineTuning_Delete", 2, correlation="k")])
    assert sorted((d.statement.kind, d.statement.status) for d in found) == [("fine-tuned-model", "corroborated"), ("fine-tuning-job", "corroborated")]


def test_a_model_can_be_deleted_and_leave_its_job():
    story = Story()
    story.sweep(fineTuningJobs=[job("ftjob-1", model=MODEL)], servedModels=[model(MODEL)])
    assert statuses(
        story.sweep(fineTuningJobs=[job("ftjob-1", model=MODEL)], servedModels=[], rows=[row("deleteModel", 2, correlation="k")])
    ) == [(MODEL, "corroborated")]


def test_a_base_model_that_is_retired_is_no_deletion():
    story = Story()
    story.sweep(servedModels=[model("gpt-4"), model("gpt-4o")])
    assert story.sweep(servedModels=[model("gpt-4o")]) == []


def test_a_copy_of_a_model_that_is_served_elsewhere_is_told_where_its_deletion_is():
    story = Story()
    story.sweep(servedModels=[model(MODEL)])
    other = account_id("two")
    copy = story.log.add("deployments", 3, [{"value": [deployment("there", account=other, served=MODEL, sourceAccount=ONE.upper())]}], resource=other)
    said = one(story.sweep(servedModels=[], rows=[row("deleteModel", 5, correlation="k")], beside=lambda _: [copy]))
    assert said.reason.endswith(f"A copy of it is served elsewhere: {other}/deployments/there.")
    assert copy.record in said.records


# -- kinds that nothing lists -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "kinds"),
    [
        ("Files_Delete", ("file",)), ("deleteFile", ("file",)), ("FILES_DELETE", ("file",)), ("Delete_File", ("file",)),
        ("FineTuning_Delete", ("fine-tuning-job", "fine-tuned-model")), ("FineTunes_Delete", ("fine-tuning-job", "fine-tuned-model")),
        ("deleteFineTuningJob", ("fine-tuning-job", "fine-tuned-model")), ("Models_Delete", ("fine-tuned-model",)), ("deleteModel", ("fine-tuned-model",)),
        ("Delete_VectorStore", ("vector-store",)), ("deleteVectorStoreFile", ("vector-store-file",)), ("Delete_Assistant", ("assistant",)),
        ("Delete_AssistantFile", ("assistant-file",)), ("Delete_Thread", ("thread",)), ("Delete_Message", ("message",)),
        ("deleteThreadMessage", ("message",)), ("Delete_Response", ("response",)), ("deleteConversation", ("conversation",)),
        ("deleteChatCompletion", ("stored-completion",)), ("Delete_Container", ("container",)), ("deleteContainerFile", ("container-file",)),
        ("Evals_Delete", ("evaluation",)), ("Something_Delete", ("other",)), ("Batch_Cancel", ()), ("Files_List", ()), ("ListKey", ()),
    ],
)  # fmt: skip
def test_operations_are_read_by_the_nouns_in_their_names(operation, kinds):
    assert spoken_for(operation) == kinds


def test_deletions_of_kinds_that_azure_cannot_list_are_told():
    story = Story()
    story.sweep(files=[])
    rows = [row("Delete_Thread", 2, correlation="k1"), row("Delete_Thread", 3, correlation="k2"), row("Frobnicate_Delete", 3, correlation="k3")]
    found = {d.statement.kind: d.statement for d in story.sweep(files=[], rows=rows)}
    assert (found["thread"].count, found["thread"].status, found["thread"].id) == (2, "logged", None)
    assert "Azure has no inventory of these" in found["thread"].reason
    assert '"Frobnicate_Delete"' in found["other"].reason
    assert story.sweep(files=[]) == []
    assert all(not said.waits for said in story.unit.state.said)


def test_deletions_that_were_logged_before_the_first_inventory_are_told():
    story = Story()
    said = one(story.sweep(files=[A], rows=[row("Files_Delete", -500, correlation="k", ingested=-499)]))
    assert (said.id, said.status, said.count) == (None, "logged", 1)


def test_rows_of_an_account_that_cannot_be_asked_are_told():
    story = Story()
    story.sweep(files=None)
    assert one(story.sweep(files=None, rows=[row("Files_Delete", 3, correlation="k")])).status == "logged"
    assert story.sweep(files=None) == []


def test_two_rows_of_one_call_one_of_them_without_properties_are_one_deletion():
    story = Story()
    story.sweep(files=[file("file-1"), file("file-2")])
    full = row("Files_Delete", 3, correlation="c-1")
    bare = {**full, "Properties": "{}", "ObjectId": ""}
    story.sweep(files=[file("file-2")], rows=(full, bare))
    assert [(one.status, one.count) for one in story.unit.standing()] == [("corroborated", 1)]
    assert story.about("file-1").by == PERSON


def test_a_watermark_that_was_lost_tells_nothing_twice():
    story = Story()
    told = [row("Files_Delete", 2, correlation="k1"), row("Delete_Thread", 3, correlation="k2")]
    story.sweep(files=[A])
    story.sweep(files=[A], rows=told)
    for _ in range(12):
        story.sweep(files=[A])
    story.read.clear()  # asked for 90 days again
    assert story.sweep(files=[A], rows=told) == []


# -- deployments: by name -----------------------------------------------------------------------------------------------------


D = deployment("d1")


def deleted_event(hours, name="d1", **fields):
    return event(DELETE_DEPLOYMENT, f"{ONE}/deployments/{name}".replace("/accounts/", "/Accounts/"), hours, **fields)


def test_a_deployment_that_the_activity_log_says_was_deleted():
    story = Story()
    story.sweep(deployments=[D])
    events = [deleted_event(3, status="Succeeded"), deleted_event(2.99, status="Accepted"), deleted_event(2.98, status="Started")]
    said = one(story.sweep(deployments=[], events=events))
    assert (said.id, said.status, said.cause, said.by) == ("d1", "corroborated", "deleted", PERSON)
    assert [w.witness for w in said.witnesses] == ["inventory", "inventory", "activity-log", "activity-log", "activity-log"]


def test_events_that_come_again_count_once_and_say_nothing_new():
    story = Story()
    story.sweep(deployments=[D])
    story.sweep(deployments=[], events=[deleted_event(3)])
    assert story.sweep(deployments=[], events=[deleted_event(3)]) == []
    for _ in range(14):
        assert story.sweep(deployments=[]) == []


def test_a_deletion_that_failed_is_none():
    story = Story()
    story.sweep(deployments=[D])
    assert story.sweep(deployments=[D], events=[deleted_event(3, status="Failed"), deleted_event(2.9, status="Started")]) == []


def test_a_deployment_that_vanished_without_a_word():
    story = Story()
    story.sweep(deployments=[D])
    story.sweep(deployments=[])
    story.sweep(deployments=[])
    assert (story.about("d1").status, story.about("d1").cause) == ("unlogged", "unknown")


def test_an_event_that_comes_late_supersedes():
    story = Story()
    story.sweep(deployments=[D])
    story.sweep(deployments=[])
    story.sweep(deployments=[])
    [late] = story.sweep(deployments=[], events=[deleted_event(3)])
    assert (late.statement.status, late.supersedes) == ("corroborated", (("s12.0", 0),))


def test_a_deletion_that_had_no_effect():
    story = Story()
    story.sweep(deployments=[D])
    first = one(story.sweep(deployments=[D], events=[deleted_event(5.999)]))
    assert (first.status, "no inventory since" in first.reason) == ("logged", True)
    [said] = story.sweep(deployments=[D])
    assert (said.statement.status, said.supersedes) == ("not-effective", (("s6.0", 0),))
    for _ in range(14):
        assert story.sweep(deployments=[D]) == []


def test_deleted_and_made_again_between_two_inventories():
    story = Story()
    story.sweep(deployments=[D])
    said = one(story.sweep(deployments=[deployment("d1", created=4)], events=[deleted_event(3)]))
    assert (said.status, said.cause) == ("corroborated", "recreated")
    story = Story()
    story.sweep(deployments=[D])
    story.sweep(deployments=[deployment("d1", created=4)])
    story.sweep(deployments=[deployment("d1", created=4)])
    assert (story.about("d1").status, story.about("d1").cause) == ("unlogged", "recreated")


def test_made_again_and_deleted_again_are_two_deletions():
    story = Story()
    story.sweep(deployments=[D])
    story.sweep(deployments=[deployment("d1", created=4)], events=[deleted_event(3)])
    said = one(story.sweep(deployments=[], events=[deleted_event(9, correlation="c-2")]))
    assert (said.status, said.cause) == ("corroborated", "deleted")
    assert len([s for s in story.unit.standing() if s.id == "d1"]) == 2


def test_made_and_deleted_between_two_inventories():
    story = Story()
    story.sweep(deployments=[])
    said = one(story.sweep(deployments=[], events=[deleted_event(3, "short-lived")]))
    assert (said.id, said.status, "no inventory saw it before" in said.reason) == ("short-lived", "logged", True)
    assert story.sweep(deployments=[]) == []


def test_a_deployment_that_was_missing_once():
    story = Story()
    story.sweep(deployments=[D])
    story.sweep(deployments=[])
    [said] = story.sweep(deployments=[D])
    assert said.statement.status == "not-effective"


@pytest.mark.parametrize(
    ("item", "cause"),
    [
        (deployment("d1", sku="DeveloperTier", created=-23), "developer-tier"),
        (deployment("d1", sku="DeveloperTier", created=-10), "unknown"),
        (deployment("d1", served="gpt-4o.ft-1", created=-16 * 24), "idle"),
        (deployment("d1", served="gpt-4o.ft-1", created=-3 * 24), "unknown"),
        (deployment("d1", created=-100 * 24), "unknown"),
    ],
)
def test_rules_by_which_azure_removes_deployments(item, cause):
    story = Story()
    story.sweep(deployments=[item])
    assert one(story.sweep(deployments=[])).cause == cause


def test_the_activity_log_that_was_not_read_is_no_silence():
    story = Story()
    story.sweep(deployments=[D], events=None)
    story.sweep(deployments=[], events=None)
    assert story.about("d1").status == "unobservable"
    assert "log of that time was not read" in story.about("d1").reason


def test_an_event_of_event_grid_is_a_witness_of_its_own():
    story = Story()
    for schema in ("grid", "cloud"):
        story = Story()
        story.sweep(deployments=[D], events=None)
        data = {"operationName": DELETE_DEPLOYMENT, "correlationId": "c-9", "status": "Succeeded", "resourceUri": f"{ONE}/deployments/d1",
                "claims": {"http://schemas.microsoft.com/identity/claims/objectidentifier": PERSON}}  # fmt: skip
        body = {"id": "e1", "subject": f"{ONE}/deployments/d1", "data": data}
        body |= {"eventType": "Microsoft.Resources.ResourceDeleteSuccess", "eventTime": at(3)} if schema == "grid" else {
            "specversion": "1.0", "type": "Microsoft.Resources.ResourceDeleteSuccess", "time": at(3)}  # fmt: skip
        told = story.log.add("event", 3, [body])
        said = one(story.sweep(deployments=[], events=None, extra=[told]))
        assert (said.status, said.by, said.witnesses[-1].witness) == ("corroborated", PERSON, "event")


# -- accounts -----------------------------------------------------------------------------------------------------------------


def account_event(hours, name="one", **fields):
    return event(DELETE_ACCOUNT, account_id(name), hours, **{"correlation": f"acc-{hours}", **fields})


def purge_event(hours, name="one", **fields):
    resource = f"{SUBSCRIPTION}/providers/Microsoft.CognitiveServices/locations/swedencentral/resourceGroups/RG/deletedAccounts/{name}"
    return event(PURGE, resource, hours, **{"correlation": f"purge-{hours}", **fields})


def holdings(story):
    """What the account's own unit knows of it."""
    return lambda resource: list(story.unit.state.last.values()) if resource == ONE else []


def test_an_account_that_is_gone_and_all_that_it_held():
    story = Story()
    story.sweep(0, files=[A], servedModels=[model(MODEL)], deployments=[D])
    story.list_accounts(0.5, accounts=[account(), account("two")])
    found = story.list_accounts(6, accounts=[account("two")], deleted=["one"], events=[account_event(3)], beside=holdings(story))
    said = {d.statement.kind: d.statement for d in found}
    assert sorted(said) == ["account", "deployment", "file", "fine-tuned-model"]
    assert (said["account"].status, said["account"].by, said["account"].resource) == ("corroborated", PERSON, ONE)
    assert {w.witness for w in said["account"].witnesses} == {"inventory", "activity-log", "deleted-accounts"}
    assert (said["file"].cause, said["file"].status, said["file"].after, said["file"].id) == ("account-deleted", "corroborated", at(0.02), "file-a")
    assert said["deployment"].id == "d1"


def test_a_restored_account_brings_back_what_it_held():
    story = Story()
    story.sweep(0, files=[A])
    story.list_accounts(0.5, accounts=[account()])
    story.list_accounts(6, accounts=[], deleted=["one"], events=[account_event(3)], beside=holdings(story))
    found = story.list_accounts(12, accounts=[account(created=10, first=-240)])
    assert sorted((d.statement.kind, d.statement.status) for d in found) == [("account", "not-effective"), ("file", "not-effective")]
    assert all(d.supersedes for d in found)
    assert [s.status for s in story.subscription.standing()] == ["not-effective", "not-effective"]


def test_an_account_deleted_and_restored_between_two_inventories():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    said = one(story.list_accounts(6, accounts=[account(created=4, first=-240)], events=[account_event(3)]))
    assert (said.status, "restored at" in said.reason) == ("not-effective", True)


def test_an_account_of_the_same_name_that_is_another_one():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    said = one(story.list_accounts(6, accounts=[account(created=4, internal="new")], events=[account_event(2)]))
    assert (said.status, said.cause) == ("corroborated", "recreated")


def test_what_was_in_an_account_that_is_another_one_now():
    story = Story()
    before, after = story.log.add("account", 0.01, [account()]), story.log.add("account", 6.01, [account(internal="new")])
    story.sweep(0, files=[A], extra=[before])
    said = one(story.sweep(6, files=[], extra=[after]))
    assert said.cause == "account-deleted"


def test_an_account_that_was_moved_is_not_deleted():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    moved = {**account(), "id": account_id("one").replace("/rg/", "/other/")}
    assert story.list_accounts(6, accounts=[moved]) == []


def test_an_account_that_is_not_listed_any_more_may_only_be_out_of_sight():
    story = Story()
    story.sweep(0, files=[A])
    story.list_accounts(0.5, accounts=[account()])
    story.list_accounts(6, accounts=[], beside=holdings(story))
    found = story.list_accounts(12, accounts=[])
    said = one(found)
    assert (said.kind, said.status, "may no longer be seen" in said.reason) == ("account", "unlogged", True)


def test_an_account_that_could_not_be_listed_is_not_gone():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    assert story.list_accounts(6, accounts=None) == []
    assert story.list_accounts(12, accounts=[account()]) == []


def test_a_purge_by_somebody():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    story.list_accounts(6, accounts=[], deleted=["one"], events=[account_event(3)])
    said = one(story.list_accounts(12, accounts=[], deleted=[], events=[purge_event(8)]))
    assert (said.status, said.cause, said.by, "gone for good" in said.reason) == ("corroborated", "account-purged", PERSON, True)


def test_a_purge_by_azure_is_told_when_it_is_sure_that_the_account_was_not_restored():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    story.list_accounts(6, accounts=[], deleted=["one"], events=[account_event(3)])
    assert story.list_accounts(54, accounts=[], deleted=[]) == []
    said = one(story.list_accounts(60, accounts=[], deleted=[]))
    assert (said.status, said.cause) == ("unlogged", "account-purged")
    story = Story()
    story.list_accounts(0, accounts=[account()])
    story.list_accounts(6, accounts=[], deleted=["one"], events=[account_event(3)])
    story.list_accounts(12, accounts=[], deleted=[])
    found = story.list_accounts(18, accounts=[account(created=11.99, first=-240)], deleted=[])
    assert [(d.statement.cause, d.statement.status) for d in found] == [("deleted", "not-effective")]


def test_an_account_made_and_deleted_between_two_sweeps():
    story = Story()
    story.list_accounts(0, accounts=[])
    said = one(story.list_accounts(6, accounts=[], events=[account_event(3, "brief")]))
    assert (said.resource, said.status) == (account_id("brief"), "logged")


def test_an_account_of_another_kind_is_no_concern():
    story = Story()
    story.list_accounts(0, accounts=[account("speech", kind="SpeechServices")])
    assert story.list_accounts(6, accounts=[], events=[account_event(3, "speech")]) == []


def test_deployments_deleted_in_an_account_that_is_no_longer_listed_are_told():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    found = story.list_accounts(6, accounts=[], deleted=["one"], events=[account_event(3), deleted_event(2, "unseen", correlation="c-7")])
    assert sorted((d.statement.kind, d.statement.id, d.statement.status) for d in found) == [
        ("account", ONE, "corroborated"), ("deployment", "unseen", "logged"),
    ]  # fmt: skip
    assert story.list_accounts(12, accounts=[], deleted=["one"]) == []


def test_other_entries_of_the_activity_log_say_nothing():
    story = Story()
    story.sweep(deployments=[D])
    noise = [{"withheld": "out-of-scope"}, event("Microsoft.CognitiveServices/accounts/listKeys/action", ONE, 2), {}, {"operationName": 5}]
    assert story.sweep(deployments=[D], events=noise) == []


def test_an_answer_around_an_event_does_not_hide_what_the_next_one_tells_of():
    log = Log()
    log.add("activityLog", 100, [arm()], resource=SUBSCRIPTION, window=(at(99), at(100), None, None, True))
    log.add("activityLog", 101, [arm(event(DELETE_DEPLOYMENT, f"{ONE}/deployments/chat", 10))], resource=SUBSCRIPTION, window=(at(0), at(101), at(6), 5))
    [told] = operations(log.entries, log.shelf)
    assert (told.resource, told.by) == (f"{ONE}/deployments/chat", PERSON)
    unit = UnitSweep("s", at(100), ONE, log.entries[:1])
    assert fold(State(), unit, log.shelf).state.read == {}, "the log was not read to there"
