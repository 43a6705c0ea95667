"""What an account held that is deleted: what had gone before, by whom, and what comes back when the account is restored."""

from tests.fixtures.lives import (
    DELETE_ACCOUNT,
    DELETE_DEPLOYMENT,
    ONE,
    PERSON,
    Story,
    account,
    account_id,
    at,
    deployment,
    event,
    file,
    seconds,
)

OTHER = "33333333-0000-0000-0000-00000000000b"


def account_event(hours):
    return event(DELETE_ACCOUNT, account_id("one"), hours, correlation=f"acc-{hours}")


def deployment_event(hours, name="d1", **fields):
    return event(DELETE_DEPLOYMENT, f"{ONE}/deployments/{name}", hours, correlation=f"dep-{name}-{hours}", caller=OTHER, **fields)


def gone(held, *events, deleted_at=4):
    """The statements by object id, of an account that held these and was deleted between two sweeps."""
    story = Story()
    story.sweep(0, **held)
    story.list_accounts(0.5, accounts=[account()])
    found = story.list_accounts(
        6, accounts=[], deleted=["one"], events=[account_event(deleted_at), *events], beside=lambda _: list(story.unit.state.last.values())
    )
    return story, {d.statement.id: d.statement for d in found if d.statement.kind != "account"}


def test_a_deployment_that_somebody_else_deleted_before_the_account_is_not_laid_at_the_door_of_who_deleted_that():
    story, said = gone({"deployments": [deployment("d1"), deployment("d2")]}, deployment_event(2), deployment_event(2.5, "d2", status="Failed"))
    assert (said["d1"].cause, said["d1"].status, said["d1"].by) == ("deleted", "corroborated", OTHER)
    assert said["d1"].reason == "Azure's log says that it was deleted, and after that its account was."
    assert (said["d2"].cause, said["d2"].by, said["d2"].reason) == ("account-deleted", PERSON, "It was in an account that was deleted.")
    for _ in range(3):
        assert story.list_accounts(accounts=[], deleted=["one"], events=[deployment_event(2)]) == []


def test_what_was_due_to_end_before_the_account_was_deleted_is_nobodys_deed():
    held = {
        "deployments": [deployment("dev", sku="DeveloperTier", created=-23), deployment("young", sku="DeveloperTier", created=-15),
                        deployment("overdue", sku="DeveloperTier", created=-40)],
        "files": [file("soon", expires_at=seconds(3)), file("late", expires_at=seconds(5)), file("never")],
    }
    _, said = gone(held)
    told = {name: (one.cause, one.by) for name, one in said.items()}
    assert told == {
        "dev": ("developer-tier", None), "young": ("account-deleted", PERSON), "overdue": ("account-deleted", PERSON),
        "soon": ("expired", None), "late": ("account-deleted", PERSON), "never": ("account-deleted", PERSON),
    }  # fmt: skip
    assert said["soon"].reason == f"It was due to expire at {at(3)}, and its account was deleted after that time."
    assert {one.status for one in said.values()} == {"corroborated"}


def test_what_had_gone_before_the_account_does_not_come_back_with_it():
    held = {"deployments": [deployment("d1"), deployment("d2")], "files": [file("soon", expires_at=seconds(3)), file("never")]}
    story, _ = gone(held, deployment_event(2))
    found = story.list_accounts(12, accounts=[account(created=10, first=-240)], beside=lambda _: list(story.unit.state.last.values()))
    assert {d.statement.id: d.statement.status for d in found if d.statement.kind != "account"} == {"d2": "not-effective", "never": "not-effective"}
    standing = {one.id: one.status for one in story.subscription.standing() if one.kind != "account"}
    assert standing == {"d1": "corroborated", "soon": "corroborated", "d2": "not-effective", "never": "not-effective"}


def test_a_deletion_that_the_account_itself_was_judged_with_is_not_told_again_when_the_account_goes():
    story = Story()
    held = lambda _: list(story.unit.state.last.values())  # noqa: E731
    story.list_accounts(0, accounts=[account()])
    story.sweep(0.5, deployments=[deployment("d1")])
    story.list_accounts(6, accounts=[account()], events=[deployment_event(3)])
    [own] = story.sweep(6.5, deployments=[], events=[deployment_event(3)])
    assert (own.statement.status, own.statement.by) == ("corroborated", OTHER)
    story.subscription.state.logs.clear()  # as when a narrow window, because of an event that came late, tells of it anew
    found = story.list_accounts(12, accounts=[], deleted=["one"], events=[account_event(9), deployment_event(3), deployment_event(8, "unseen")], beside=held)
    assert [(d.statement.kind, d.statement.id, d.statement.status) for d in found if d.statement.kind != "account"] == [("deployment", "unseen", "logged")]


def test_a_deletion_of_the_last_minutes_that_the_account_was_judged_with_is_no_stray_either():
    """In the log the records of accounts stand before those of their subscription, though all are of one sweep."""
    story = Story()
    story.sweep(0, deployments=[deployment("d1")])
    story.list_accounts(0.01, accounts=[account()])
    story.sweep(6, deployments=[], events=[deployment_event(5.95)])
    story.list_accounts(6.01, accounts=[account()], events=[deployment_event(5.95)])
    found = story.list_accounts(12, accounts=[], deleted=["one"], events=[account_event(9)], beside=lambda _: list(story.unit.state.last.values()))
    assert [d.statement.kind for d in found] == ["account"]


def test_an_account_that_was_restored_and_deleted_again_was_not_purged_in_between():
    story = Story()
    story.list_accounts(0, accounts=[account()])
    story.list_accounts(6, accounts=[], deleted=["one"], events=[account_event(3)])
    back = account(created=7, first=-240)
    story.list_accounts(12, accounts=[back], deleted=[])
    found = story.list_accounts(18, accounts=[], deleted=["one"], events=[account_event(17)])
    found += [said for _ in range(2) for said in story.list_accounts(accounts=[], deleted=["one"])]
    assert [(d.statement.cause, d.statement.status) for d in found] == [("deleted", "corroborated")]


def test_what_was_made_within_minutes_of_a_deletion_is_not_said_to_have_outlived_it():
    for created, status, word in ((2.9, "not-effective", "still listed"), (2.95, "logged", "which came first"), (3.1, "logged", "made again")):
        story = Story()
        story.sweep(6, deployments=[deployment("d1", created=created)], events=[deployment_event(3)])
        said = story.about("d1")
        assert (said.status, word in said.reason) == (status, True), said.reason
    story = Story()
    story.list_accounts(6, accounts=[account(created=2.95)], events=[account_event(3)])
    [said] = story.subscription.standing()
    assert (said.status, "which came first" in said.reason) == ("logged", True)
