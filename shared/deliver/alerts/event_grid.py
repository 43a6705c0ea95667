"""Alerts for an Azure Event Grid custom topic, as CloudEvents 1.0: the topic's input schema must be `CloudEventSchemaV1_0`.

A plain POST of our own rather than azure-eventgrid: docs/adr/0014-event-grid-by-post.md says why. `id` is the alert's key, so that subscribers
can tell what came twice; `data` is the alert as webhooks get it.

Sources: learn.microsoft.com/azure/event-grid/post-to-custom-topic (address, aeg-sas-key), .../authenticate-with-microsoft-entra-id (role, token),
azure-eventgrid's publisher client (content type, scope of the token), CloudEvents 1.0 spec and JSON format.
"""

import re
from collections.abc import Callable
from datetime import datetime
from functools import cache

from shared.canonical import Json, canonical
from shared.deliver.alerts.channel import Dress
from shared.seal.attestor import Owed

API_VERSION = "2018-01-01"
SCOPE = "https://eventgrid.azure.net/.default"
"""Of tokens, in the public cloud; elsewhere topics are sent to with their key."""

_TOPIC = re.compile(r"https://[a-z0-9-]{3,50}\.[a-z0-9-]+\.eventgrid\.azure\.(net|us|cn)/api/events", re.IGNORECASE)


def is_topic(url: str) -> bool:
    """Whether an address is that of a custom topic, where a key or a token may be sent."""
    return _TOPIC.fullmatch(url) is not None


def endpoint(url: str) -> str:
    """Where events are sent."""
    return f"{url}?api-version={API_VERSION}"


def event(credential: Callable[[], dict[str, str]]) -> Dress:
    """Alerts as events. `credential`: the header that says who sends."""

    def dress(alert: Json, _now: datetime) -> tuple[bytes, dict[str, str]]:
        value = {
            "specversion": "1.0",
            "id": alert["key"],
            "source": alert["origin"],
            "type": "aoai-evidence.alert",
            "subject": alert["resource"] or alert["sweep"] or alert["origin"],
            "time": alert["at"],
            "datacontenttype": "application/json",
            "data": alert,
        }
        return canonical([value]), {"Content-Type": "application/cloudevents-batch+json; charset=utf-8", **credential()}

    return dress


def token(authority: str) -> dict[str, str]:
    """The header with a token of this identity, which needs the role EventGrid Data Sender at the topic.

    Raises:
        Owed: none is given.
    """
    from azure.core.exceptions import AzureError

    try:
        return {"Authorization": f"Bearer {_credential(authority).get_token(SCOPE).token}"}
    except (AzureError, ValueError) as error:
        raise Owed(f"no login to Azure for the topic ({type(error).__name__})") from None


@cache
def _credential(authority: str) -> Json:
    """One for a process: it keeps its tokens."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(authority=authority, exclude_interactive_browser_credential=True)
