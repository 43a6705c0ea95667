"""Alerts for a receiver of webhooks, signed as Standard Webhooks 1.0 has it (`shared.seal.webhook` says how).

The body is the alert as canonical JSON. Its `webhook-id` follows from it, so that an alert that is sent again has it again: a receiver that
keeps the ids it saw, or the `key` of the alert, acts on each once. It should refuse what has a `webhook-timestamp` of more than five minutes ago
or ahead.
"""

from datetime import datetime

from shared.canonical import Json, canonical
from shared.deliver.alerts.channel import Dress
from shared.seal.webhook import signed_headers, signing_key


def signed(secret: str, setting: str) -> Dress:
    """Alerts signed with `secret`, which is that of `setting`."""

    def dress(alert: Json, now: datetime) -> tuple[bytes, dict[str, str]]:
        body = canonical(alert)
        return body, signed_headers(body, signing_key(secret, setting), int(now.timestamp()))

    return dress
