"""One receiver, and how it is told: an alert is dressed as its kind wants it, and sent by a POST that is the same for all kinds.

Any 2xx means taken; everything else is tried again. The address is a secret of many kinds, and is in no message.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from shared.canonical import Json
from shared.deliver.alerts.link import linked
from shared.deliver.alerts.route import Route
from shared.seal.attestor import Owed
from shared.seal.post import Post

Dress = Callable[[Json, datetime], tuple[bytes, Mapping[str, str]]]
"""The body and headers of an alert, at a time. Raises Owed: what they need cannot be had now."""

_UNREADABLE = re.compile(r"[^ -~]+")


@dataclass(frozen=True, slots=True)
class Channel:
    """One receiver. `name`: its folder in the outbox."""

    name: str
    kind: str
    url: str = field(repr=False)
    post: Post
    dress: Dress = field(repr=False)
    route: Route = field(default_factory=Route)
    portal: str | None = None
    """Where what it is told of can be looked at."""

    def send(self, alert: Json, now: datetime) -> int:
        """Tell it; the status that it answered.

        Raises:
            Owed: it was not taken.
        """
        body, headers = self.dress(linked(alert, self.portal), now)
        answer = self.post(self.url, body, headers)
        if 200 <= answer.status < 300:
            return answer.status
        owed = answer.refused("the alert was not taken")
        said = _UNREADABLE.sub(" ", answer.body[:120].decode("latin-1")).strip()  # Slack and Event Grid say there what they did not like
        raise Owed(f"{owed}, “{said}”" if said else str(owed), wait=owed.wait)
