"""Who made a change: each rule as a short story, and random histories against what really happened."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.judge.assemble import EVENT, Entry
from shared.judge.attribution import Changed, Ledger, attribute, chain, of_attribution, of_change, question_of
from tests.fixtures.lives import DELETE_ACCOUNT, DELETE_DEPLOYMENT, ONE, PERSON, PURGE, SUBSCRIPTION, Log, arm, at, event

OTHER = "33333333-0000-0000-0000-00000000000b"
CHAT = f"{ONE}/deployments/chat"
SETTING = f"{ONE}/providers/microsoft.insights/diagnosticsettings/all"
PURGED = f"{SUBSCRIPTION}/providers/microsoft.cognitiveservices/locations/swedencentral/resourcegroups/rg/deletedaccounts/one"
GRANT = f"{ONE}/providers/microsoft.authorization/roleassignments/g"
WRITE = "Microsoft.CognitiveServices/accounts/write"
WRITE_DEPLOYMENT = "Microsoft.CognitiveServices/accounts/deployments/write"


def changed(resource=ONE, op="changed", *, kind="account", since=6.0, until=12.0):
    return Changed(kind, resource, op, 1, 2, at(since), at(until))


def ledger(*entries, log=None, start=0.0, end=13.0, failure=None, question="activityLog"):
    """One answer of the Activity Log with these entries, or its failure."""
    log = log or Log()
    if failure:
        log.add(question, end, resource=SUBSCRIPTION, failure=failure)
    else:
        log.add(question, end, [arm(*entries)], resource=SUBSCRIPTION, window=(at(start), at(end), None))
    return Ledger(log.entries, log.shelf)


def who(of, book):
    says = attribute(of, book)
    again = attribute(of_attribution({**json.loads(json.dumps(says.as_json())), "kind": of.kind, "resource": of.resource}), book)
    assert again == says, "what is sealed is enough to say it again"
    return says


def test_one_caller_in_the_interval_is_named_with_operation_and_client():
    told = event(WRITE, ONE.upper(), 8)
    told["claims"] |= {"appid": "app-1", "idtyp": "user"}
    says = who(changed(), ledger(told)).as_json()
    assert (says["status"], says["by"], says["operation"], says["outcome"]) == ("attributed", PERSON, WRITE.lower(), "succeeded")
    assert says["client"] == {"appid": "app-1", "idtyp": "user"} and says["correlation"] == "c-1" and says["complete"]
    assert says["witnesses"] == [{"witness": "activity-log", "record": 100, "page": 0, "pointer": "/value/0", "at": at(8)[:-1] + "Z"}]


def test_several_rows_of_one_operation_are_one():
    rows = [event(WRITE, ONE, 8, status=status, correlation="c") for status in ("Started", "Accepted", "Succeeded")]
    del rows[0]["claims"], rows[0]["caller"]
    says = who(changed(), ledger(*rows))
    assert len(says.candidates) == 1 and len(says.candidates[0].told) == 3 and says.by == PERSON


def test_several_people_are_all_named_and_none_is_chosen():
    says = who(changed(), ledger(event(WRITE, ONE, 8, correlation="a"), event(WRITE, ONE, 9, correlation="b", caller=OTHER)))
    assert (says.status, says.by, says.operation) == ("unattributed", None, None)
    assert PERSON in says.reason and OTHER in says.reason and says.reason.startswith("Several people wrote it")
    assert [operation.by for operation in says.candidates] == [PERSON, OTHER]
    twice = who(changed(), ledger(event(WRITE, ONE, 8, correlation="a"), event(WRITE, ONE, 9, correlation="b")))
    assert (twice.status, twice.by) == ("attributed", PERSON), "one person, two operations"


def test_whoever_is_not_named_is_not_guessed():
    nameless = event(WRITE, ONE, 8, correlation="a")
    del nameless["claims"], nameless["caller"]
    assert "Nobody is named" in who(changed(), ledger(nameless)).reason
    both = who(changed(), ledger(nameless, event(WRITE, ONE, 9, correlation="b")))
    assert both.status == "unattributed" and "somebody whom nothing names" in both.reason
    withheld = {**nameless, "caller": {"committed": "abc="}}
    assert who(changed(), ledger(withheld)).by == {"committed": "abc="}


@pytest.mark.parametrize(
    ("resource", "op", "operation", "fits"),
    [
        (ONE, "changed", WRITE, True), (ONE, "changed", DELETE_ACCOUNT, False), (ONE, "removed", DELETE_ACCOUNT, True), (ONE, "added", WRITE, True),
        (ONE, "removed", WRITE, False), (CHAT, "removed", DELETE_DEPLOYMENT, True), (CHAT, "added", WRITE_DEPLOYMENT, True),
        (CHAT, "changed", WRITE_DEPLOYMENT, True), (ONE, "changed", "Microsoft.CognitiveServices/accounts/listKeys/action", False),
        (ONE, "changed", "Microsoft.Authorization/policies/audit/action", False), (ONE, "removed", PURGE, False),
    ],
)  # fmt: skip
def test_an_operation_must_be_one_that_can_have_made_the_change(resource, op, operation, fits):
    says = who(changed(resource, op), ledger(event(operation, resource, 8)))
    assert (says.status == "attributed") is fits


def test_what_is_in_an_account_goes_with_it():
    assert who(changed(CHAT, "removed"), ledger(event(DELETE_ACCOUNT, ONE, 8))).by == PERSON
    assert who(changed(CHAT, "changed"), ledger(event(WRITE, ONE, 8))).status == "unattributed", "who wrote the account did not write the deployment"
    assert who(changed(f"{ONE}2/deployments/chat", "removed"), ledger(event(DELETE_ACCOUNT, ONE, 8))).status == "unattributed"


def test_a_soft_deleted_account_comes_by_deleting_and_goes_by_purging_or_restoring():
    gone = PURGED
    assert who(changed(gone, "added", kind="deletedAccounts"), ledger(event(DELETE_ACCOUNT, ONE, 8))).by == PERSON
    assert who(changed(gone, "removed", kind="deletedAccounts"), ledger(event(PURGE, gone, 8))).by == PERSON
    assert who(changed(gone, "removed", kind="deletedAccounts"), ledger(event(WRITE, ONE, 8))).by == PERSON
    assert who(changed(gone, "added", kind="deletedAccounts"), ledger(event(PURGE, gone, 8))).status == "unattributed"


def test_a_failed_operation_changed_nothing_and_one_without_end_may_have():
    assert who(changed(), ledger(event(WRITE, ONE, 8, status="Failed"))).candidates == ()
    says = who(changed(), ledger(event(WRITE, ONE, 8, status="Started")))
    assert (says.by, says.as_json()["outcome"]) == (PERSON, "open")


def test_the_very_interval_goes_before_the_difference_of_two_clocks():
    before, within = event(WRITE, ONE, 5.95, correlation="a", caller=OTHER), event(WRITE, ONE, 8, correlation="b")
    assert who(changed(), ledger(before, within)).by == PERSON
    assert who(changed(), ledger(before)).by == OTHER, "three minutes before: two clocks may differ by that"
    assert who(changed(), ledger(event(WRITE, ONE, 5.8))).status == "unattributed"
    assert who(changed(), ledger(event(WRITE, ONE, 12.2))).status == "unattributed"


def test_what_cannot_be_said_is_said_with_its_reason():
    assert "could not be read (forbidden)" in who(changed(), ledger(failure="forbidden")).reason
    assert "no operation on this resource in the interval" in who(changed(), ledger()).reason
    late = who(changed(), ledger(end=12.1))
    assert "entries come late" in late.reason and not late.complete
    narrow = who(changed(), ledger(start=11.0))
    assert f"as read from {at(11)}" in narrow.reason and not narrow.complete
    assert "was not asked" in who(changed(), Ledger((), Log().shelf)).reason


def test_what_no_log_tells_of_rests_on_none():
    of = {"kind": "account", "resource": ONE, "from": 1, "to": 2, "since": at(6), "until": at(12)}
    granted = of_change({**of, "fields": [{"pointer": "/properties/capabilities/3/value", "op": "changed"}]})
    both = of_change({**of, "fields": [{"pointer": "/properties/capabilities/3/value", "op": "changed"}, {"pointer": "/sku/name", "op": "changed"}]})
    assert (granted.op, both.op) == ("provided", "changed")
    says = who(granted, ledger(event(WRITE, ONE, 8)))
    assert says.status == "unattributed" and says.complete and says.records == () and "the provider's" in says.reason
    for resource in (f"{SUBSCRIPTION}/providers/microsoft.authorization/roleassignments/g", f"{ONE}/providers/microsoft.network/x/y", SUBSCRIPTION):
        assert question_of(changed(resource)) is None
    assert [question_of(changed(resource)) for resource in (ONE, CHAT, SETTING, GRANT)] == [
        "activityLog", "activityLog", "activityLogInsights", "activityLogAuthorization",
    ]  # fmt: skip


def test_settings_and_grants_at_an_account_have_their_own_logs():
    setting = ledger(event("Microsoft.Insights/diagnosticSettings/delete", SETTING, 8), question="activityLogInsights")
    assert who(changed(SETTING, "removed"), setting).by == PERSON
    grant = ledger(event("Microsoft.Authorization/roleAssignments/write", GRANT, 8), question="activityLogAuthorization")
    assert who(changed(GRANT, "added"), grant).by == PERSON


def test_an_event_names_who_did_it_before_the_log_does_and_is_the_same_operation_there():
    log = Log()
    data = {"operationName": WRITE_DEPLOYMENT, "resourceUri": CHAT, "correlationId": "C-1", "status": "Succeeded", "claims": event(WRITE, ONE, 8)["claims"]}
    grid = log.add("x", 8, [{"id": "e", "eventType": "Microsoft.Resources.ResourceWriteSuccess", "subject": CHAT, "eventTime": at(8), "data": data}])
    log.entries[-1] = grid = Entry(EVENT, ONE, grid.record, grid.at, grid.digests, None, None)
    at_once = who(changed(CHAT, "added"), ledger(log=log, end=8.1))
    assert (at_once.status, at_once.by, at_once.complete) == ("attributed", PERSON, False)
    later = who(changed(CHAT, "added"), ledger(event(WRITE_DEPLOYMENT, CHAT, 8), log=log, end=13))
    assert later.by == PERSON and later.complete and len(later.candidates) == 1
    assert {told.witness for told in later.candidates[0].told} == {"activity-log", "event"}


def test_answers_are_gone_back_through_until_they_reach_the_change():
    log = Log()
    for hours in (6, 12, 18):
        before = log.entries[-1] if log.entries else None
        log.add("activityLog", hours, [arm()], resource=SUBSCRIPTION, window=(at(hours - 6), at(hours), before and at(hours - 6), before and before.record))
    known = {entry.record: entry for entry in log.entries}
    assert [entry.record for entry in chain(log.entries[-1], at(13), known.get)] == [102]
    assert [entry.record for entry in chain(log.entries[-1], at(12.01), known.get)] == [101, 102]
    assert [entry.record for entry in chain(log.entries[-1], at(0.5), known.get)] == [100, 101, 102]
    assert [entry.record for entry in chain(log.entries[-1], at(0.5), {}.get)] == [102], "what cannot be had"
    reach = Ledger(log.entries, log.shelf).reach()
    assert reach == (at(0), at(18)) and Ledger(log.entries[::2], log.shelf).reach() == (at(12), at(18)), "a hole is no reach"


def test_what_was_undone_in_between_did_not_make_the_change():
    delete, write = DELETE_DEPLOYMENT, WRITE_DEPLOYMENT
    rows = [event(delete, CHAT, 7, correlation="a"), event(write, CHAT, 8, correlation="b"), event(delete, CHAT, 9, correlation="c", caller=OTHER)]
    assert who(changed(CHAT, "removed"), ledger(*rows)).by == OTHER
    assert who(changed(CHAT, "removed"), ledger(*rows[::2])).status == "unattributed", "nothing says that it was made again: one of them did nothing"
    assert who(changed(CHAT, "changed"), ledger(event(write, CHAT, 7, correlation="z", caller=OTHER), rows[0] | {"eventTimestamp": at(7.5)}, rows[1])).by == PERSON
    purged = [event(DELETE_ACCOUNT, ONE, 7, correlation="a"), event(PURGE, PURGED, 8, correlation="b", caller=OTHER)]
    assert who(changed(ONE, "removed"), ledger(*purged)).by == PERSON, "what is purged was gone before"
    assert who(changed(CHAT, "added"), ledger(event(write, CHAT, 7, correlation="z"), event(delete, CHAT, 8, caller=OTHER))).by == PERSON, (
        "it is there, so that deletion had no effect"
    )
    failed = event(write, CHAT, 8, correlation="b", status="Failed")
    assert who(changed(CHAT, "removed"), ledger(rows[0], failed, rows[2])).status == "unattributed"


# -- against what really happened -------------------------------------------------------------------------------------------

HAPPENINGS = st.lists(
    st.tuples(st.sampled_from((ONE, CHAT)), st.sampled_from(("write", "delete")), st.integers(0, 24 * 60), st.sampled_from((PERSON, OTHER)),
              st.sampled_from(("Succeeded", "Failed")), st.booleans()),
    max_size=8,
)  # fmt: skip


@given(HAPPENINGS, st.sampled_from((ONE, CHAT)), st.sampled_from(("added", "removed", "changed")), st.integers(7 * 60, 17 * 60), st.randoms(use_true_random=False))
def test_nobody_is_named_who_did_nothing_and_whoever_alone_did_it_is(happened, resource, op, until, chance):
    rows = []
    for number, (on, verb, minute, by, status, told_twice) in enumerate(happened):
        name = f"Microsoft.CognitiveServices/accounts/{'deployments/' if on == CHAT else ''}{verb}"
        row = event(name, on, minute / 60, status=status, correlation=f"c{number}", caller=by)
        rows += [row] * (1 + told_twice)
    chance.shuffle(rows)
    says = who(changed(resource, op, until=until / 60, since=until / 60 - 6), ledger(*rows, start=-1, end=24))

    def able(allowance, since=0):
        """Whoever can have made the change, give or take so many minutes; not before `since`."""
        return {
            by for on, verb, minute, by, status, _ in happened
            if status == "Succeeded" and max(since, until - 360 - allowance) <= minute <= until + allowance and (verb == "delete") == (op == "removed")
            and (on == resource or (op == "removed" and on == ONE))
        }  # fmt: skip

    undone = max((minute for on, verb, minute, _, status, _ in happened
                  if on == resource and status == "Succeeded" and (verb == "delete") != (op == "removed") and minute <= until), default=0)  # fmt: skip
    allowance = 0 if able(0) else 5
    doers = able(allowance, undone) or able(allowance)
    assert {operation.by for operation in says.candidates} == doers
    assert (says.status == "attributed") == (len(doers) == 1), "several, or none, are never one"
    assert says.by is None or {says.by} == doers
