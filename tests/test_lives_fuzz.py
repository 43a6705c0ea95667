"""Whatever answers hold, reconciliation neither fails nor claims more than whole inventories and readable logs give."""

import copy
import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.lives import (
    DELETE_ACCOUNT,
    DELETE_DEPLOYMENT,
    ONE,
    PURGE,
    SUBSCRIPTION,
    WORKSPACE_RESOURCE,
    Log,
    Unit,
    account,
    account_id,
    arm,
    at,
    deleted_account,
    deployment,
    event,
    file,
    job,
    listing,
    model,
    row,
    table,
    thing,
)  # fmt: skip
from tests.fixtures.lives import (
    settings as diagnostic_settings,
)

Json = Any
JUNK = [None, True, 0, -1, 1.5, "", "junk", "x" * 300, [], {}, [[]], [None], [{}], {"value": 5}, {"committed": "x"}, {"withheld": "unlisted"}, 10**30, "2026-13-01", ...]
TEXT = st.text(max_size=8)
ANY = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda i: st.lists(i, max_size=3) | st.dictionaries(TEXT, i, max_size=3),
    max_leaves=6,
)


def bodies(hour: float, gone: bool) -> dict[str, Json]:
    """What one sweep of the account brings, by question."""
    keep = not gone
    tuned = "gpt-4o.ft-1"
    grid = {"id": "e", "eventType": "Microsoft.Resources.ResourceDeleteSuccess", "eventTime": at(hour), "subject": f"{ONE}/deployments/d1",
            "data": {"operationName": DELETE_DEPLOYMENT, "correlationId": "c-1", "resourceUri": f"{ONE}/deployments/d1", "claims": {}}}  # fmt: skip
    rows = [row("Files_Delete", hour - 1, correlation="k1"), row("FineTuning_Delete", hour - 1, correlation="k2", as_text=False), row("Delete_Thread", hour - 1)]
    events = [event(DELETE_DEPLOYMENT, f"{ONE}/deployments/d1", hour - 1), event(DELETE_ACCOUNT, ONE, hour - 1, correlation="c-2"),
              event(PURGE, deleted_account()["id"], hour - 1, correlation="c-3")]  # fmt: skip
    return {
        "account": account(), "diagnosticSettings": diagnostic_settings(),
        "files": listing(*([file("file-1", expires_at=1), file("file-2")] if keep else [])),
        "fineTuningJobs": listing(*([job("ftjob-1", model=tuned)] if keep else [])),
        "servedModels": listing(model("gpt-4o"), *([model(tuned, fine_tune="ftjob-1")] if keep else [])),
        "vectorStores": listing(*([thing("vs", expires_after={"days": 1}, last_active_at=5)] if keep else [])),
        "deployments": arm(deployment("d2"), *([deployment("d1", sku="DeveloperTier")] if keep else [])),
        "accounts": arm(account("two"), *([account()] if keep else [])),
        "deletedAccounts": arm(*([] if keep else [deleted_account()]), *([deleted_account("three")] if keep else [])),
        "resourceLogDeletions": table(*rows), "activityLog": arm(*events), "event": grid,
    }  # fmt: skip


def places(value: Json, pointer: tuple = ()) -> list[tuple]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [pointer, *(found for name, part in inner for found in places(part, (*pointer, name)))]


def spoiled(page: Json, pointer: tuple, new: Json) -> Json:
    if not pointer:
        return {} if new is ... else new
    page = copy.deepcopy(page)
    at_ = page
    for name in pointer[:-1]:
        at_ = at_[name]
    if new is ...:
        del at_[pointer[-1]]
    else:
        at_[pointer[-1]] = new
    return page


def add(log: Log, kind: str, hour: float, body: Json):
    if kind in ("accounts", "deletedAccounts", "activityLog"):
        window = (at(hour - 12), at(hour), at(hour - 6)) if kind == "activityLog" else None
        return log.add(kind, hour, [body], resource=SUBSCRIPTION, window=window)
    if kind == "resourceLogDeletions":
        return log.add(kind, hour, [body], resource=ONE + WORKSPACE_RESOURCE, window=(at(hour - 7), at(hour), at(hour - 6)))
    return log.add(kind, hour, [body])


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_anything_anywhere(data):
    log = Log()
    one, whole = Unit(log), Unit(log, SUBSCRIPTION)
    which = data.draw(st.integers(0, 3))
    kind = data.draw(st.sampled_from(sorted(bodies(0, False))))
    for number in range(4):
        found = bodies(number * 6.0, number in (1, 2))
        if number == which:
            pointer = data.draw(st.sampled_from(places(found[kind])))
            found[kind] = spoiled(found[kind], pointer, data.draw(st.sampled_from(JUNK) | ANY))
        entries = [add(log, question, number * 6.0, json.loads(json.dumps(body))) for question, body in found.items()]
        one.sweep(number * 6.0, *entries, name=f"s{number}")
        held = list(one.state.last.values())
        whole.sweep(number * 6.0, *entries, name=f"s{number}", beside=lambda resource, held=held: held if resource == ONE else [])
    for statement in [*one.standing(), *whole.standing()]:
        assert statement.reason.endswith(".")
        assert "\n" not in statement.reason
        json.dumps(statement.as_json())


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.sampled_from(["files", "vectorStores", "deployments"]), st.data())
def test_no_loss_is_claimed_from_what_is_no_inventory(kind, data):
    """A page that is anything but a list of objects with ids says nothing of what is gone."""
    log, unit = Log(), Unit(Log())
    unit.log = log
    unit.sweep(0, add(log, kind, 0.0, bodies(0, False)[kind]))
    broken = data.draw(
        st.sampled_from(
            [
                {},
                {"data": None, "value": None},
                {"data": [{}], "value": [{}]},
                {"data": [5], "value": [5]},
                [],
                "x",
                {"data": [], "value": [], "has_more": True},
            ]
        )
    )
    assert unit.sweep(6, add(log, kind, 6.0, broken)) == []
    assert account_id() == ONE
