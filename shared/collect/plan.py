"""Planning a sweep: which subscriptions, which accounts, which units of work. Pure, given what Azure answered."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from shared.canonical import Json, sha256
from shared.collect.asked import Asked
from shared.collect.endpoints import ACCOUNT_KINDS

_SUBSCRIPTION = re.compile(r"[0-9a-z_-]{1,64}", re.IGNORECASE)
_ACCOUNT_ID = re.compile(
    r"/subscriptions/[0-9a-z_-]{1,64}/resourcegroups/[^/?#%\\\x00-\x20\x7f]{1,90}/providers/microsoft\.cognitiveservices"
    r"/accounts/[a-z0-9][a-z0-9._-]{0,126}",
    re.IGNORECASE,
)
_STORAGE_ID = re.compile(
    r"/subscriptions/[0-9a-z_-]{1,64}/resourcegroups/[^/?#%\\\x00-\x20\x7f]{1,90}/providers/microsoft\.storage/storageaccounts/[a-z0-9]{3,24}",
    re.IGNORECASE,
)
_PROJECT_TAIL = re.compile(r"/projects/[a-z0-9][a-z0-9._-]{0,126}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of work: a subscription, or an account."""

    name: str
    id: str
    """The ARM id as Azure spells it: what is asked for."""
    asked: str
    """The entry of the plan's `questions` that is asked of it."""
    windows: tuple[Json, ...] = field(default=(), compare=False)
    """The windows that follow an answer before: `{"kind","resource","from","previous"}` each; narrow ones, because of an event, have `around`."""

    @property
    def resource(self) -> str:
        """The ARM id as records name it."""
        return self.id.lower()

    def planned(self) -> Json:
        """As the plan's record lists it."""
        windows = {"windows": list(self.windows)} if self.windows else {}
        return {"unit": self.name, "resource": self.resource, "asked": self.asked, "id": self.id, **windows}


def planned_unit(value: Json) -> Unit:
    """The unit that a plan's record lists."""
    return Unit(value["unit"], value["id"], value["asked"], tuple(value.get("windows", ())))


def subscription_unit(subscription: str) -> Unit:
    """The unit of a subscription, by its bare id."""
    return Unit(f"subscription-{subscription.lower()}", f"/subscriptions/{subscription}", "subscription")


def account_unit(account_id: str, kind: str) -> Unit:
    """The unit of an account."""
    return Unit(f"account-{sha256(account_id.lower().encode())[:16]}", account_id, f"account:{kind}")


def visible_subscriptions(asked: Asked) -> tuple[list[str], list[str]]:
    """Bare ids of the subscriptions that the identity sees, as Azure spells them, each once; and what stood for an id and can be none."""
    found: dict[str, str] = {}
    strange: list[str] = []
    for item in asked.items():
        identifier = item.get("subscriptionId") or str(item.get("id", "")).rpartition("/")[2]
        if isinstance(identifier, str) and _SUBSCRIPTION.fullmatch(identifier):
            found.setdefault(identifier.lower(), identifier)
        else:
            strange.append(str(identifier)[:200])
    return [found[key] for key in sorted(found)], strange


def account_units(asked: Asked, only: frozenset[str] | None) -> Iterator[Unit | str]:
    """The units of the accounts in a subscription's list, each once; a str is an id that cannot be one of an account.

    `only`: lower-cased ids to keep (the scope of the sweep); None for all of the kinds that serve Azure OpenAI.
    """
    kinds = {kind.lower(): kind for kind in ACCOUNT_KINDS}
    seen: set[str] = set()
    for item in asked.items():
        identifier, kind = item.get("id"), item.get("kind")
        known = kinds.get(kind.lower()) if isinstance(kind, str) else None
        if known is None and kind is not None and isinstance(kind, str):
            continue
        if known is None or not isinstance(identifier, str) or not _is_account_of(identifier, asked.resource):
            yield str(identifier)[:1000]
        elif identifier.lower() not in seen and (only is None or identifier.lower() in only):
            seen.add(identifier.lower())
            yield account_unit(identifier, known)


def _is_account_of(identifier: str, subscription: str) -> bool:
    return bool(_ACCOUNT_ID.fullmatch(identifier)) and ".." not in identifier and identifier.lower().startswith(subscription.lower() + "/")


def is_storage_id(text: str) -> bool:
    """Whether `text` is the ARM id of a storage account."""
    return _STORAGE_ID.fullmatch(text) is not None


def is_account_id(identifier: str) -> bool:
    """Whether this can be the ARM id of a Cognitive Services account."""
    return bool(_ACCOUNT_ID.fullmatch(identifier)) and ".." not in identifier


def project_ids(projects: Iterable[Json], account_id: str) -> Iterator[str]:
    """Ids of the projects in an account's list, as Azure spells them; what is no project of this account is passed over."""
    seen: set[str] = set()
    for item in projects:
        identifier = item.get("id")
        if not isinstance(identifier, str) or not identifier.lower().startswith(account_id.lower()) or identifier.lower() in seen:
            continue
        if _PROJECT_TAIL.fullmatch(identifier[len(account_id) :]):
            seen.add(identifier.lower())
            yield identifier
