"""What of a change matters for who made it: where, when, and whether something came, went or became another. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from shared.canonical import Json
from shared.judge.lives.operations import account_of_deleted

Op = Literal["added", "removed", "changed", "provided"]

OPS: Final[tuple[Op, ...]] = ("added", "removed", "changed", "provided")

_ACCOUNTS: Final = "/providers/microsoft.cognitiveservices/accounts/"

_LOGS: Final = {
    "microsoft.cognitiveservices": "activityLog",
    "microsoft.insights": "activityLogInsights",
    "microsoft.authorization": "activityLogAuthorization",
}
"""By the provider of a resource: the question to the Activity Log that tells of operations on it."""

QUESTIONS: Final = frozenset(_LOGS.values())
"""The questions to the Activity Log."""

_PROVIDED_KINDS: Final = frozenset(("models", "locations", "tls", "networkSecurityPerimeterConfigurations"))
"""Answers that no operation on the resource itself changes: what the provider offers, how its endpoint answers, a perimeter's own affairs."""

_PROVIDED_FIELDS: Final = ("/properties/capabilities", "/properties/callRateLimit", "/properties/isMigrated")
"""In these an account holds what the provider sets: content logging, for one, is a capability that is granted, not written."""


@dataclass(frozen=True, slots=True)
class Changed:
    """A change, as far as attribution needs it."""

    kind: str
    """The question whose answers differ."""
    resource: str
    """Lower-cased ARM id."""
    op: Op
    """`provided`: nothing but what the provider sets."""
    before: int | None
    after: int | None
    """Records of the two answers."""
    since: str | None
    until: str

    @property
    def key(self) -> tuple[str, str, int | None]:
        """No other change has the same: an answer is compared with one before, once."""
        return self.kind, self.resource, self.after

    @property
    def target(self) -> str:
        """What operations were on: of a deleted account, the account that it was."""
        return account_of_deleted(self.resource) or self.resource

    def as_json(self) -> Json:
        """As an `attribution` record names it."""
        return {"from": self.before, "to": self.after, "since": self.since, "until": self.until, "op": self.op}


def of_change(record: Mapping[str, Json]) -> Changed:
    """Of a `change` record."""
    return Changed(record["kind"], record["resource"] or "", _op(record), record["from"], record["to"], record["since"], record["until"])


def of_attribution(record: Mapping[str, Json]) -> Changed:
    """Of an `attribution` record: the change that it is about."""
    of = record["change"]
    return Changed(record["kind"], record["resource"] or "", of["op"], of["from"], of["to"], of["since"], of["until"])


def _op(record: Mapping[str, Json]) -> Op:
    fields = record["fields"]
    if record["kind"] in _PROVIDED_KINDS or (fields and all(is_provided(str(field["pointer"])) for field in fields)):
        return "provided"
    if len(fields) == 1 and fields[0]["pointer"] == "":
        return "added" if fields[0]["op"] == "added" else "removed" if fields[0]["op"] == "removed" else "changed"
    return "changed"


def is_provided(pointer: str) -> bool:
    """Whether the provider sets this field of an account, whoever else wrote the account in the same time."""
    return any(pointer == field or pointer.startswith(f"{field}/") for field in _PROVIDED_FIELDS)


def question_of(changed: Changed) -> str | None:
    """The question to the Activity Log whose answers tell of operations on the resource; None where none does.

    Of Microsoft.Insights and Microsoft.Authorization only entries about accounts of Cognitive Services are kept.
    """
    if changed.op == "provided":
        return None
    target = changed.target
    _, found, tail = target.rpartition("/providers/")
    question = _LOGS.get(tail.partition("/")[0]) if found else None
    return question if question is not None and (question == "activityLog" or _ACCOUNTS in target) else None
