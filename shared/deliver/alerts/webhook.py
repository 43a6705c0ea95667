"""Alerts to a receiver of webhooks, signed as Standard Webhooks 1.0 has it (`shared.seal.webhook` says how).

The body is the alert as canonical JSON. Its `webhook-id` follows from it, so that an alert that is sent again has it again: a receiver that
keeps the ids it saw, or the `key` of the alert, acts on each once. It should refuse what has a `webhook-timestamp` of more than five minutes ago
or ahead. Any 2xx means taken; everything else is tried again. Redirects are not followed.
"""

from dataclasses import dataclass
from datetime import datetime

from shared.canonical import Json, canonical
from shared.seal.post import Post
from shared.seal.webhook import signed_headers, signing_key


@dataclass(frozen=True, slots=True)
class AlertWebhook:
    """One receiver. `name`: its folder in the outbox."""

    name: str
    url: str
    secret: str
    post: Post

    def send(self, alert: Json, now: datetime) -> None:
        """Tell it.

        Raises:
            Owed: it was not taken.
        """
        body = canonical(alert)
        answer = self.post(self.url, body, signed_headers(body, signing_key(self.secret, "EVIDENCE_ALERT_SECRET"), int(now.timestamp())))
        if not 200 <= answer.status < 300:
            raise answer.refused("the alert was not taken")
