"""What a refusal of the data plane means, where Azure's error code alone does not say it: a word that a control can turn into a sentence.

Azure's messages name people and are not kept. They are only looked at for phrases of Azure's own, and what is kept is our word for one.
Sources: messages as they are quoted in public repositories and in Microsoft's documents (`The principal … lacks the required data action …`
with the code PermissionDenied and status 401, `Public access is disabled. Please configure private endpoint.` with the code 403, …).
"""

import json
from dataclasses import replace

from shared.collect.asked import Failed

PHRASES = (
    ("public access is disabled", "public-access-disabled"),
    ("virtual network/firewall rules", "network-rules"),
    ("not from an approved private endpoint", "network-rules"),
    ("custom subdomain", "no-custom-subdomain"),
    ("lacks the required data action", "PermissionDenied"),
)
"""A phrase of Azure's, in lower case, and the detail that stands for it."""

CLOSED = frozenset(("public-access-disabled", "network-rules", "no-custom-subdomain"))
"""Details that hold for the account as a whole: to ask it anything more is of no use."""

CLOSING = frozenset(("unreachable", "timeout", "foreign-host", "redirected"))
"""Reasons that do: nobody is there, or it is not there that one should ask."""


def explained(failed: Failed) -> Failed:
    """The same failure, with the detail that its message stands for. A missing right is `forbidden`, though Azure says 401."""
    message = _message(failed.content)
    detail = next((detail for phrase, detail in PHRASES if phrase in message), failed.detail)
    if detail == "PermissionDenied" and failed.reason == "unauthenticated":
        return replace(failed, reason="forbidden", detail=detail)
    return replace(failed, detail=detail)


def closes(failed: Failed) -> bool:
    """Whether the account's own endpoint will answer nothing else either."""
    return failed.reason in CLOSING or failed.detail in CLOSED or failed.reason == "unauthenticated"


def _message(content: bytes) -> str:
    try:
        error = json.loads(content)
        error = error.get("error", error)
        message = error.get("message") if isinstance(error, dict) else None
    except (ValueError, AttributeError, RecursionError):
        return ""
    return message.casefold() if isinstance(message, str) else ""
