"""Storage queues: where work waits. Messages are base64, as the Functions host reads them (host.json: messageEncoding).

Source: https://learn.microsoft.com/rest/api/storageservices/queue-service-rest-api
"""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from azure.core.exceptions import AzureError, HttpResponseError, ResourceNotFoundError
from azure.storage.queue import ExponentialRetry, QueueClient, QueueServiceClient, TextBase64EncodePolicy

from shared.errors import Misuse, Unreachable

T = TypeVar("T")

WEEK = 7 * 24 * 3600
"""Seconds that a message is kept: a unit that waits longer belongs to a sweep that is long closed."""


class Queues(Protocol):
    """What the rest of the code asks of queues."""

    def send(self, queue: str, text: str, *, delay: int = 0) -> None:
        """Put a message; nobody sees it before `delay` seconds are over."""

    def length(self, queue: str) -> int:
        """About how many messages wait."""


class StorageQueues:
    """The queues of one storage account. Safe for several threads."""

    def __init__(self, url: str, credential: Any) -> None:
        self._service = QueueServiceClient(
            url,
            credential=credential,
            # A step that cannot queue fails as a whole and is run again: a few quick tries, then let the host decide.
            retry_policy=ExponentialRetry(initial_backoff=1, increment_base=2, retry_total=4, random_jitter_range=1),
            connection_timeout=5,
            read_timeout=20,
        )
        self._clients: dict[str, QueueClient] = {}

    def _client(self, queue: str) -> QueueClient:
        if queue not in self._clients:
            # Not of the service's client: it does not hand its policies down.
            client = self._service.get_queue_client(queue, message_encode_policy=TextBase64EncodePolicy())
            self._clients[queue] = client
        return self._clients[queue]

    def send(self, queue: str, text: str, *, delay: int = 0) -> None:
        _told(queue, lambda: self._client(queue).send_message(text, visibility_timeout=delay or None, time_to_live=WEEK))

    def length(self, queue: str) -> int:
        try:
            found = _told(queue, lambda: self._client(queue).get_queue_properties().approximate_message_count)
        except Misuse:
            if queue.endswith("-poison"):  # the host makes it when there is something to put there
                return 0
            raise
        return int(found or 0)


def emulated_queues(url: str) -> StorageQueues:
    """The queues of the emulator, whose one account and key are public (storage-use-azurite)."""
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    return StorageQueues(f"{url.rstrip('/')}/devstoreaccount1", {"account_name": "devstoreaccount1", "account_key": key})


def _told(queue: str, ask: Callable[[], T]) -> T:
    try:
        return ask()
    except ResourceNotFoundError:
        raise Misuse(f"there is no queue {queue}: deploy the infrastructure (infra/main.bicep makes it)") from None
    except HttpResponseError as error:
        if error.status_code in (401, 403):
            raise Unreachable(f"queue {queue}: access denied; give the app's identity the role Storage Queue Data Contributor there") from None
        raise Unreachable(f"queue {queue}: the service answered {error.status_code}; the step is run again later") from None
    except AzureError as error:
        raise Unreachable(f"queue {queue}: cannot be reached ({type(error).__name__}); the step is run again later") from None
