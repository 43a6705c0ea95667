"""What an account holds, as its own endpoint lists it: read for several controls. Not asked, not let in and not served are told apart.

An account whose endpoint could not be asked is never empty: what is raised says why, in the words of the person who must act.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace
from typing import Final

from shared.canonical import Json
from shared.judge.case import Case
from shared.judge.lives.fold import NOT_SERVED
from shared.judge.lives.inventory import is_fine_tuned
from shared.judge.lives.times import when
from shared.judge.reading import FAILURES, Node, shown
from shared.judge.verdict import Unclear
from shared.model import Answer, Point

_ACT: Final = {
    "public-access-disabled": "public network access to the account is off: give the collector a private path to it",
    "network-rules": "the account's network rules do not let the collector in: admit its network, or give it a private path",
    "no-custom-subdomain": "the account has no subdomain of its own and takes keys only: give it one",
    "PermissionDenied": "the collector's identity may not read it: give it the role for the data plane on this account",
    "forbidden": "the collector's identity, or its network, is not let in (403): give it the role for the data plane, and a path to the account",
    "unauthenticated": "the account did not accept the collector's identity (401)",
    "unreachable": "the account's endpoint cannot be reached from where the collector runs: give it a network path",
    "timeout": "the account's endpoint did not answer in time: look at the network path from the collector",
}
"""What a detail or a reason means, and who must do what."""

_OF_ENDPOINT: Final = re.compile(r"the account's endpoint: ([a-z-]+) \((.*)\)")

_GONE: Final = ("deleted", "deleting")

MODEL_MEMBERS: Final = ("id", "fine_tune", "model", "created_at", "created")
JOB_MEMBERS: Final = ("id", "training_file", "validation_file", "result_files", "fine_tuned_model", "error")
BATCH_MEMBERS: Final = ("id", "input_file_id", "output_file_id", "error_file_id", "result_files")
FILE_MEMBERS: Final = ("id", "expires_at")
"""What is read of an object that others name, or that names others: the rest of it is let go of with its page."""


def held(case: Case, kind: str) -> Iterator[Node] | None:
    """The objects that an answer lists, page by page; None where the account does not serve such objects (any more).

    Raises:
        Unclear: it was not asked, not answered, or not with a list of objects.
    """
    answer = answered_list(case, kind)
    return _objects(answer) if answer is not None else None


def answered_list(case: Case, kind: str) -> Answer | None:
    """The answer, as `held` has it."""
    answer = case.evidence.answer(kind)
    if answer is None:
        raise Unclear(f"Not collected: {kind} was not asked in this sweep.")
    if answer.failure is not None:
        raise Unclear(f"Not collected ({kind}): {why(answer)}.", Point(answer.record))
    if answer.status in NOT_SERVED:
        return None
    return answer


def why(answer: Answer) -> str:
    """Why there is no answer, as half a sentence for the person who must act."""
    reason, detail = answer.failure or "", answer.detail or ""
    found = _OF_ENDPOINT.match(detail)
    if reason == "skipped" and found:
        reason, detail = found[1], found[2]
    return _ACT.get(detail) or _ACT.get(reason) or FAILURES.get(reason, f"the question failed ({shown(reason)})")


def by_id(case: Case, kind: str, members: Collection[str]) -> dict[str, Node]:
    """The objects that are listed, by id, each with those of its `members` that are read; none where such objects are not served."""
    return {node.needed_text("id"): _with(node, members) for node in held(case, kind) or ()}


def listed_of(case: Case, kind: str, identifiers: Collection[str], members: Collection[str]) -> dict[str, Node]:
    """Which of the objects `identifiers` are listed, as `by_id` has them: the others pass, and there may be a hundred thousand."""
    return {name: _with(node, members) for node in held(case, kind) or () if (name := node.needed_text("id")) in identifiers}


def _with(node: Node, members: Collection[str]) -> Node:
    return replace(node, value={name: value for name, value in node.value.items() if name in members})


def models_of_its_own(case: Case) -> dict[str, Node]:
    """The fine-tuned models that the account lists, by name."""
    listed = held(case, "servedModels") or ()
    return {name: _with(node, MODEL_MEMBERS) for node in listed if (name := node.needed_text("id")) and is_fine_tuned(node.value)}


def list_place(case: Case, kind: str) -> Point:
    """Where the objects of an answer are listed."""
    answer = case.evidence.answer(kind)
    assert answer is not None
    return Point(answer.record, 0, "/data" if answer.status not in NOT_SERVED else "")


def created(node: Node) -> str | None:
    """When Azure says that an object was made."""
    value: Json = node.value.get("created_at", node.value.get("created"))
    return when(value)


def _objects(answer: Answer) -> Iterator[Node]:
    for number, page in enumerate(answer.pages):
        values = page.get("data") if isinstance(page, dict) else None
        if not isinstance(values, list):
            raise Unclear(f"The answer to {answer.kind} is not a list of objects.", Point(answer.record, number))
        for position, value in enumerate(values):
            if not isinstance(value, dict):
                raise Unclear(f"The answer to {answer.kind} is not a list of objects.", Point(answer.record, number, f"/data/{position}"))
            if str(value.get("status")).casefold() not in _GONE:
                yield Node(value, answer.record, number, f"/data/{position}")
