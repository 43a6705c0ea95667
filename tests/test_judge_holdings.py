"""Each control about what an account holds, what was deleted from it, and what its logs say."""

from dataclasses import replace
from typing import Any

import pytest

from shared.judge.catalogue import catalogue
from shared.judge.engine import judge_account, judge_subscription
from shared.model import Answer, Evidence, Judgement
from tests.fixtures.lives import DELETE_ACCOUNT, ONE, PERSON, event
from tests.test_judge_samples import (
    ACCOUNT,
    MODEL,
    SUBSCRIPTION,
    WORKSPACE,
    Bodies,
    as_profile,
    bodies,
    evidence,
    held,
    judged,
    log_table,
    only,
    operation,
    subscription_evidence,
)

Json = Any

OLD = 1761955200  # a year before the samples'
NOW = "2026-11-22T18:00:00.000000Z"
EVENTS = f"{ACCOUNT}/finetuningjobs/ftjob-1"
REFUSED = (
    "This model is unable to be deployed. Model evaluation identified that this fine tuned model scores above acceptable thresholds for "
    "[violence]. Please review your training data set and resubmit the job."
)


def _with(**answers: Json) -> Bodies:
    return {**bodies(), **{(kind, ACCOUNT): body for kind, body in answers.items()}}


def _without(*kinds: str) -> Bodies:
    return {key: body for key, body in bodies().items() if key[0] not in kinds}


def _logged(kind: str, *rows: Json) -> Bodies:
    return {**bodies(), (kind, WORKSPACE): log_table(*rows)}


def _events(*messages: Json) -> Bodies:
    return {**bodies(), ("fineTuningEvents", EVENTS): [held(f"e-{n}", message=message) for n, message in enumerate(messages)]}


def _job(**fields: Json) -> dict[str, Json]:
    return held("ftjob-1", **{"status": "succeeded", "fine_tuned_model": MODEL, "training_file": "file-1", "validation_file": None, **fields})


CASES: list[tuple[str, Bodies, str, str, str]] = [
    ("files-inventory", bodies(), "", "satisfied", "2 files are stored: batch (1), fine-tune (1), 150 bytes; the oldest is of 2026-11-01."),
    ("files-inventory", bodies(), "[storage]\nfiles_max_age_days = 30", "satisfied", "expected by the profile: at most 30 days old"),
    ("files-inventory", bodies(), "[storage]\nfiles_max_age_days = 20", "not-satisfied", "2 are older"),
    ("files-inventory", _with(files=[held("a", OLD), held("b")]), "[storage]\nfiles_max_age_days = 30", "not-satisfied", "1 is older"),
    ("files-inventory", _with(files=[{"id": "a"}]), "[storage]\nfiles_max_age_days = 30", "unknown", "the age of 1 is not known"),
    ("files-inventory", _with(files=[{"id": "a"}]), "", "satisfied", "1 file is stored: not said (1)."),
    ("files-inventory", _with(files=[]), "", "not-applicable", "lists no files"),
    ("files-inventory", _with(files=[held("a", status="deleted")]), "", "not-applicable", "lists no files"),
    ("files-inventory", _with(files="forbidden"), "", "unknown", "give it the role for the data plane on this account"),
    ("files-inventory", _without("files"), "", "unknown", "not asked"),
    ("files-inventory", _with(files=[{"created_at": 5}]), "", "unknown", "has no id"),
    ("vector-stores-inventory", bodies(), "", "satisfied", "1 vector store is stored: completed (1), 5 bytes"),
    ("vector-stores-inventory", bodies(), "[storage]\nvector_stores_max_age_days = 3", "not-satisfied", "1 is older"),
    ("vector-stores-inventory", _with(vectorStores=[]), "", "not-applicable", "lists no vector stores"),
    ("vector-stores-inventory", _with(vectorStores="unreachable"), "", "unknown", "role for the data plane"),
    ("assistants-inventory", _with(assistants=[held("asst", model="gpt-4o")]), "", "satisfied", "1 assistant is stored: gpt-4o (1)"),
    ("assistants-inventory", bodies(), "", "not-applicable", "lists no assistants"),
    ("assistants-inventory", _with(assistants={"data": 5}), "", "unknown", "not a list"),
    ("fine-tuned-models-inventory", bodies(), "", "satisfied", "1 fine-tuned model is stored: gpt-4o-2024-08-06 (1)"),
    ("fine-tuned-models-inventory", _with(servedModels=[held("gpt-4o")]), "", "not-applicable", "lists no fine-tuned models"),
    ("fine-tuned-models-inventory", _with(servedModels="throttled"), "", "unknown", "Not collected (servedModels)"),
    ("batches-inventory", bodies(), "", "satisfied", "1 batch names 2 files; still stored: input (1)."),
    ("batches-inventory", _with(files=[held("file-3", expires_at=1893456000)]), "", "satisfied", "output (1), of which 1 will expire"),
    ("batches-inventory", _with(files="forbidden"), "", "unknown", "which of their files are stored is not known"),
    ("batches-inventory", _with(batches=[]), "", "not-applicable", "lists no batches"),
    ("batches-inventory", _with(batches="timeout"), "", "unknown", "Not collected (batches)"),
    ("fine-tuning-lineage", bodies(), "", "satisfied", "1 fine-tuned model leads to its training data, which is still stored."),
    ("fine-tuning-lineage", _with(files=[]), "", "satisfied", f"Training data of {MODEL} is no longer listed (file-1); the model was not."),
    ("fine-tuning-lineage", _with(files=[]), '[deletions]\nmodels_without_data = "forbidden"', "not-satisfied", "1 of 1 fine-tuned model outlived"),
    ("fine-tuning-lineage", _with(files="forbidden"), "", "satisfied", "whether that data is still stored is not known"),
    ("fine-tuning-lineage", _with(files="forbidden"), '[deletions]\nmodels_without_data = "forbidden"', "unknown", "could not be listed"),
    ("fine-tuning-lineage", _with(fineTuningJobs=[]), "", "not-satisfied", f"leads to no job that names its training data: {MODEL}"),
    ("fine-tuning-lineage", _with(fineTuningJobs=[_job(training_file=None)]), "", "not-satisfied", "leads to no job"),
    ("fine-tuning-lineage", _with(servedModels=[]), "", "not-applicable", "lists no fine-tuned models"),
    ("fine-tuning-lineage", _with(fineTuningJobs="forbidden"), "", "unknown", "Not collected (fineTuningJobs)"),
    ("safety-evaluation-verdicts", bodies(), "", "satisfied", "Of 1 job the safety evaluation found 1 deployable and 0 not."),
    ("safety-evaluation-verdicts", _events(REFUSED), "", "satisfied", "0 deployable and 1 not"),
    ("safety-evaluation-verdicts", _with(fineTuningJobs=[_job(fine_tuned_model=None, error={"code": "safetyEvaluationFailed"})]), "",
     "satisfied", "0 deployable and 1 not"),
    ("safety-evaluation-verdicts", _events("Job succeeded.", {"withheld": "unlisted"}), "", "unknown", "none of its events speaks of it"),
    ("safety-evaluation-verdicts", _without("fineTuningEvents"), "", "unknown", "its events were not asked for"),
    ("safety-evaluation-verdicts", {**bodies(), ("fineTuningEvents", EVENTS): "forbidden"}, "", "unknown", "its events could not be read"),
    ("safety-evaluation-verdicts", _with(fineTuningJobs=[_job(fine_tuned_model=None, status="running")]), "", "not-applicable", "No fine-tuning job"),
    ("safety-evaluation-verdicts", _with(fineTuningJobs="gone"), "", "unknown", "Not collected"),
    ("deletions-reconciled", bodies(), "", "satisfied", "Nothing that was listed is gone, and no deletion was logged"),
    ("deletions-reconciled", bodies(), '[deletions]\nlogged = "any"', "not-applicable", "expects nothing"),
    ("deletions-reconciled", _with(files="forbidden"), "", "unknown", "cannot be seen in full. Not collected (files)"),
    ("deletions-reconciled", _with(files="forbidden", batches="forbidden"), "", "unknown", "And 1 more could not be read."),
    ("resource-logs-continuous", bodies(), "", "satisfied", "were read from where they were read before"),
    ("resource-logs-continuous", _without("resourceLogDeletions", "resourceLogOperations"), "", "not-applicable", "no resource log to read"),
    ("resource-logs-continuous", {**bodies(), ("resourceLogDeletions", WORKSPACE): "partial"}, "", "unknown", "Not collected (resourceLogDeletions)"),
    ("stored-completions-in-logs", bodies(), "", "satisfied", "Resource logs show no operations on stored completions"),
    ("stored-completions-in-logs", _logged("resourceLogOperations", operation("deleteChatCompletion", rows=2)), "", "not-satisfied",
     "show 2 operations on stored completions: deleteChatCompletion (2)"),
    ("stored-completions-in-logs", _logged("resourceLogOperations", operation("ChatCompletions_List")), '[storage]\nstored_completions = "any"',
     "not-applicable", "expects nothing"),
    ("stored-completions-in-logs", _without("resourceLogOperations"), "", "unknown", "no resource log to read"),
    ("preview-api-versions", bodies(), "", "satisfied", "no requests with a preview version"),
    ("preview-api-versions", _logged("resourceLogOperations", operation("Files_List", "2025-04-01-preview", 7)), "", "not-satisfied",
     "show 7 requests with a preview version: 2025-04-01-preview (7)"),
    ("preview-api-versions", _logged("resourceLogOperations", operation("Files_List", "2025-04-01-preview")), '[preview]\nuse = "allowed"',
     "not-applicable", "expects nothing"),
    ("preview-api-versions", {**bodies(), ("resourceLogOperations", WORKSPACE): "forbidden"}, "", "unknown", "Not collected"),
]  # fmt: skip


@pytest.mark.parametrize(("control", "given", "profile", "status", "reason"), CASES)
def test_control(control: str, given: Bodies, profile: str, status: str, reason: str) -> None:
    found = only(j for id_, j in judge_account(replace(evidence(given), at=NOW), as_profile(profile), "public") if id_ == control)
    assert (found.status, found.resource) == (status, ACCOUNT), found.reason
    assert reason in found.reason
    assert found.reason.endswith(".")
    assert found.points or status == "unknown"


@pytest.mark.parametrize(
    ("reason", "detail", "words"),
    [
        ("forbidden", "public-access-disabled", "public network access to the account is off: give the collector a private path to it"),
        ("forbidden", "network-rules", "network rules do not let the collector in"),
        ("refused", "no-custom-subdomain", "give it one"),
        ("forbidden", "PermissionDenied", "give it the role for the data plane"),
        ("forbidden", "403", "give it the role for the data plane, and a path to the account"),
        ("unreachable", "dns", "cannot be reached from where the collector runs"),
        ("skipped", "the account's endpoint: unreachable (dns)", "cannot be reached from where the collector runs"),
        ("skipped", "the account's endpoint: forbidden (public-access-disabled)", "public network access to the account is off"),
        ("skipped", "the account could not be read", "the question it depends on had failed"),
        ("throttled", "429", "Azure throttled the collector"),
        ("something new", "x", 'the question failed ("something new")'),
    ],
)
def test_an_account_that_could_not_be_asked_is_unknown_in_the_words_of_whoever_must_act(reason: str, detail: str, words: str) -> None:
    whole = evidence()
    key = ("files", ACCOUNT)
    failed = {**whole.answers, key: replace(whole.answers[key], pages=(), failure=reason, detail=detail)}
    found = dict(judge_account(replace(whole, answers=failed), as_profile(""), "public"))
    for control in ("files-inventory", "deletions-reconciled"):
        assert found[control].status == "unknown"
        assert words in found[control].reason, found[control].reason


def test_what_an_account_does_not_serve_is_told_from_what_could_not_be_asked() -> None:
    whole = evidence()
    kinds = {"assistants": "assistants-inventory", "vectorStores": "vector-stores-inventory", "batches": "batches-inventory", "files": "files-inventory"}
    for kind, control in kinds.items():
        key = (kind, ACCOUNT)
        answers = {**whole.answers, key: replace(whole.answers[key], pages=({"error": {"code": "404"}},), status=404)}
        found = dict(judge_account(replace(whole, answers=answers), as_profile(""), "public"))
        assert found[control].status == "not-applicable"
        assert "does not serve" in found[control].reason
        assert found["deletions-reconciled"].status == "satisfied"


# -- deletions --------------------------------------------------------------------------------------------------------------


def deletion(status: str, cause: str = "deleted", kind: str = "file", identifier: str | None = "file-9", witness: str = "inventory") -> Json:
    witnesses = [{"witness": witness, "record": 50, "page": 0, "pointer": "/data/0", "at": NOW}]
    return {
        "kind": kind, "object": {"kind": kind, "id": identifier}, "status": status, "cause": cause, "count": 1, "reason": "It is gone; nothing told.",
        "witnesses": witnesses, "records": [40, 50],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("deletions", "profile", "status", "words"),
    [
        ([deletion("corroborated")], "", "satisfied", "Gone, or said to be: 1 file corroborated"),
        ([deletion("logged", identifier=None)], "", "satisfied", "1 file logged"),
        ([deletion("unlogged", "unknown")], "", "not-satisfied", "1 object went without a log telling of it, though logs were kept and read: file-9"),
        ([deletion("unlogged", "unknown")], '[deletions]\nlogged = "any"', "not-applicable", "1 file unlogged"),
        ([deletion("unlogged", "expired")], "", "satisfied", "1 file unlogged"),
        ([deletion("unlogged", "developer-tier", "deployment")], "", "satisfied", "1 deployment unlogged"),
        ([deletion("unobservable", "unknown")], "", "unknown", "Of 1 no log could have told: It is gone; nothing told."),
        ([deletion("not-effective", "deleted", "deployment", witness="activity-log")], "", "not-satisfied", "still listed after a deletion"),
        ([deletion("not-effective", "unknown")], "", "satisfied", "1 file not-effective"),
    ],
)
def test_deletions_of_an_account(deletions: list[Json], profile: str, status: str, words: str) -> None:
    found = dict(judge_account(replace(evidence(), deletions=tuple(deletions)), as_profile(profile), "public"))["deletions-reconciled"]
    assert (found.status, words in found.reason) == (status, True), found.reason
    assert {40, 50} <= {point.record for point in found.points}, "every record that a deletion rests on is named"


def test_a_deletion_without_a_word_weighs_more_than_an_inventory_that_failed() -> None:
    given = replace(evidence(_with(files="forbidden")), deletions=(deletion("unlogged", "unknown", "deployment", "d"),))
    found = dict(judge_account(given, as_profile(""), "public"))["deletions-reconciled"]
    assert found.status == "not-satisfied"


# -- subscriptions ----------------------------------------------------------------------------------------------------------


ACTIVITY: dict[str, Json] = {"activityLog": [], "activityLogInsights": [], "activityLogAuthorization": []}


def of(control: str, given: dict[str, Json], profile: str = "", **fields: Any) -> list[Judgement]:
    return [j for id_, j in judge_subscription(replace(subscription_evidence(**given), **fields), as_profile(profile), "public") if id_ == control]


def listed_keys(hours: float, **fields: Json) -> Json:
    return event("Microsoft.CognitiveServices/accounts/listKeys/action", ONE, hours, **fields)


def test_listings_of_keys_are_told_by_account() -> None:
    found = only(of("key-listings", {"activityLog": [listed_keys(1), listed_keys(2, correlation="c-2"), listed_keys(2, status="Started", correlation="c-2")]}))
    assert (found.status, found.resource) == ("not-satisfied", ONE)
    assert f"listed 2 times, by {PERSON} (2)" in found.reason
    assert found.points
    assert only(of("key-listings", {"activityLog": [listed_keys(1)]}, '[access]\nkey_listings = "any"')).status == "not-applicable"
    assert only(of("key-listings", ACTIVITY)).status == "satisfied"
    assert only(of("key-listings", ACTIVITY, '[access]\nkey_listings = "any"')).status == "not-applicable"
    assert only(of("key-listings", {"activityLog": "forbidden"})).status == "unknown"
    assert only(of("key-listings", {"activityLog": [event(DELETE_ACCOUNT, ONE, 1), listed_keys(1, status="Failed")]})).status == "satisfied"
    committed = listed_keys(1, caller={"committed": "abc"})
    assert "whose name is withheld" in only(of("key-listings", {"activityLog": [committed]})).reason


@pytest.mark.parametrize(
    ("reach", "status", "words"),
    [
        ("on", "satisfied", "was read from where it was read before, without a gap"),
        ("first 2026-08-25T00:00:00.000000Z", "satisfied", "for the first time, back to 2026-08-25"),
        ("gap 2026-08-01T00:00:00.000000Z 2026-08-25T00:00:00.000000Z", "not-satisfied", "was read up to 2026-08-01T00:00:00.000000Z before and is read from 2026-08-25"),
        (None, "unknown", "of which time is not shown"),
    ],
)
def test_the_activity_log_without_a_gap(reach: str | None, status: str, words: str) -> None:
    whole = subscription_evidence(**ACTIVITY)
    answers = {key: replace(answer, reach=reach) if key[0] == "activityLog" else answer for key, answer in whole.answers.items()}
    found = dict(judge_subscription(replace(whole, answers=answers), as_profile(""), "public"))["activity-log-continuous"]
    assert (found.status, words in found.reason) == (status, True), found.reason


def test_an_activity_log_that_was_not_read_is_unknown() -> None:
    assert only(of("activity-log-continuous", {**ACTIVITY, "activityLogInsights": "throttled"})).status == "unknown"


def test_resource_logs_with_a_gap() -> None:
    whole = evidence()
    key = ("resourceLogDeletions", WORKSPACE)
    answers = {**whole.answers, key: replace(whole.answers[key], reach="gap 2026-08-01T00:00:00.000000Z 2026-08-25T00:00:00.000000Z")}
    found = dict(judge_account(replace(whole, answers=answers), as_profile(""), "public"))["resource-logs-continuous"]
    assert (found.status, "were read up to 2026-08-01" in found.reason) == ("not-satisfied", True)


@pytest.mark.parametrize(
    ("deletions", "given", "status"),
    [
        ((), {"accounts": [], "deletedAccounts": []}, "satisfied"),
        ((deletion("corroborated", kind="account"), deletion("corroborated", "account-deleted")), {"accounts": [], "deletedAccounts": []}, "satisfied"),
        ((deletion("unlogged", "unknown", "account"),), {"accounts": [], "deletedAccounts": []}, "not-satisfied"),
        ((deletion("unlogged", "account-purged", "account"),), {"accounts": [], "deletedAccounts": []}, "satisfied"),
        ((deletion("not-effective", "deleted", "account", witness="activity-log"),), {"accounts": [], "deletedAccounts": []}, "satisfied"),
        ((), {"accounts": "forbidden", "deletedAccounts": []}, "unknown"),
        ((), {}, "unknown"),
    ],
)  # fmt: skip
def test_deletions_of_accounts(deletions: tuple[Json, ...], given: dict[str, Json], status: str) -> None:
    found = only(of("account-deletions-reconciled", given, deletions=deletions))
    assert (found.status, found.resource) == (status, SUBSCRIPTION), found.reason


def test_the_new_controls_read_no_more_than_their_rows_name() -> None:
    """A verifier has the answers that a control names as evidence, and no others: taking away any other answer changes nothing."""
    whole = evidence()
    for control in (c for c in catalogue().controls if c.id in {case[0] for case in CASES}):
        own = {key: answer for key, answer in whole.answers.items() if key[0] in control.evidence}
        assert only(judged(control.id)) == only(j for id_, j in judge_account(replace(whole, answers=own), as_profile(""), "public") if id_ == control.id)


def test_a_job_whose_events_are_another_s() -> None:
    other = {**bodies(), ("fineTuningEvents", f"{ACCOUNT}/finetuningjobs/ftjob-2"): [held("e", message="Safety evaluation completed.")]}
    del other["fineTuningEvents", EVENTS]
    assert only(judged("safety-evaluation-verdicts", other)).status == "unknown"


def test_an_answer_in_pages_is_one_list() -> None:
    whole = evidence()
    key = ("files", ACCOUNT)
    pages = ({"data": [held("a", bytes=1)], "has_more": True}, {"data": [held("b", bytes=2)]})
    found = dict(judge_account(Evidence(ACCOUNT, {**whole.answers, key: Answer(*key, 5, pages, None, 200)}), as_profile(""), "public"))
    assert found["files-inventory"].reason.startswith("2 files are stored: not said (2), 3 bytes")
