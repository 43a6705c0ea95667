"""ARM ids: made in Azure's casing, compared without it.

    /subscriptions/<guid>/resourceGroups/<group>/providers/Microsoft.CognitiveServices/accounts/<name>/deployments/<name>

The same resource is spelled `resourceGroups` by one provider and `resourcegroups` by the next, and callers write names in
any case: every look-up goes through `fold`.
"""

import re
import uuid
from typing import NamedTuple

COGNITIVE = "Microsoft.CognitiveServices"
INSIGHTS = "microsoft.insights"
AUTHORIZATION = "Microsoft.Authorization"

_NAMESPACE = uuid.UUID("5f0a1f0e-5f4e-5d52-9d5e-6a6f616f6169")
ACCOUNT = re.compile(rf"/subscriptions/([^/]+)/resourcegroups/([^/]+)/providers/{re.escape(COGNITIVE)}/accounts/([^/]+)", re.IGNORECASE)


class AccountName(NamedTuple):
    """What names an account, in the casing of the id it was read from."""

    subscription: str
    group: str
    name: str


def fold(resource: str) -> str:
    """The form in which ids are compared: lower case, one leading slash (subscription-level settings come without), none at the end."""
    return "/" + resource.strip("/").lower()


def subscription_id(guid: str) -> str:
    """`/subscriptions/<guid>`."""
    return f"/subscriptions/{guid}"


def account_id(subscription: str, group: str, name: str) -> str:
    """The id of an account, in the casing of most answers."""
    return f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{COGNITIVE}/accounts/{name}"


def deleted_account_id(account: AccountName, location: str) -> str:
    """A soft-deleted account is addressed under its location: outside any resource group, which filters by group therefore miss."""
    return (
        f"/subscriptions/{account.subscription}/providers/{COGNITIVE}/locations/{location.lower()}"
        f"/resourceGroups/{account.group}/deletedAccounts/{account.name}"
    )


def account_name(resource: str) -> AccountName:
    """The account that an id is, or lies under.

    Raises:
        ValueError: not the id of an account or of something in one.
    """
    match = ACCOUNT.match(resource)
    if match is None:
        raise ValueError(f"not the id of a Cognitive Services account: {resource!r}")
    return AccountName(*match.groups())


def subscription_of(resource: str) -> str | None:
    """The lower-cased subscription GUID an id or path belongs to; None outside any subscription."""
    parts = resource.split("/", 3)
    return parts[2].lower() if len(parts) > 2 and parts[1].lower() == "subscriptions" and parts[2] else None


def guid(*parts: object) -> str:
    """A GUID that follows from `parts`: the same world has the same ids in every run."""
    return str(uuid.uuid5(_NAMESPACE, "/".join(str(part) for part in parts)))
