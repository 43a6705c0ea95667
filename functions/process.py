"""What the functions of one process share: the settings and what is built of them, and how a failure is told."""

import logging
import os
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Protocol, TypeVar

from shared import settings
from shared.alarms import STORE_CONFLICT
from shared.canonical import canonical
from shared.errors import EvidenceError, Refused, StoreConflict
from shared.layout import POISON_SUFFIX
from shared.service.steps.app import App

LOG = logging.getLogger("aoai-evidence")

ATTEMPTS = 5
"""How often the host delivers a message before it gives it up (host.json, `maxDequeueCount`): the last one says why."""

LARGEST = 45_000
"""Bytes of a message that we send: base64 makes of them 60,000, and a queue takes 65,536."""

T = TypeVar("T")
Step = Callable[[App, bytes], str]


class Message(Protocol):
    """What is asked of a queue message."""

    @property
    def dequeue_count(self) -> int | None:
        """The how-manieth delivery this is."""

    def get_body(self) -> bytes:
        """What was sent."""


@lru_cache(maxsize=1)
def app() -> App:
    """The parts of this process; settings that cannot be are an error of every invocation, not of the import."""
    return App(settings.read(os.environ))


def environment() -> Mapping[str, str]:
    """What the platform says of itself; our own settings are read by `app`."""
    return os.environ


def told(step: Callable[[], T]) -> T:
    """Run a step; what a person must know of its failure becomes one line of the log, and the invocation fails.

    Raises:
        EvidenceError: as the step did. The host runs it again, by its own rules.
    """
    try:
        return step()
    except Refused:
        raise  # of a message: whoever sets it aside tells it
    except EvidenceError as error:
        LOG.error("%s", line_of(error))  # noqa: TRY400 - the host logs the traceback of what fails
        raise


def line_of(error: EvidenceError) -> str:
    """The error as a line of the log; a store that contradicts itself is an alarm."""
    return f"{STORE_CONFLICT} {error}" if isinstance(error, StoreConflict) else str(error)


def taken(queue: str, message: Message, step: Step, *, given_up: Callable[[App, bytes, str], None] | None = None) -> None:
    """Run a step on a message. One that can never be done is set aside at once, one that failed ATTEMPTS times then, with the reason.

    `given_up` is told of it before. A worker that is killed at the last attempt leaves it to the host, which knows no reason.

    Raises:
        EvidenceError: it may work later: the host delivers the message again.
    """
    body = message.get_body()
    try:
        LOG.info("%s", told(lambda: step(app(), body)))
    except Refused as error:
        reason = str(error)
    except Exception as error:
        if (message.dequeue_count or 0) < ATTEMPTS:
            raise
        reason = f"given up after {ATTEMPTS} attempts: {error}"
        if not isinstance(error, EvidenceError):
            LOG.exception("a fault of this app")
            reason = f"given up after {ATTEMPTS} attempts: a fault of this app, {type(error).__name__}; its log tells more"
    else:
        return
    if given_up is not None:
        given_up(app(), body, reason)
    told(lambda: app().queues.send(queue + POISON_SUFFIX, set_aside(body, reason)))
    LOG.warning("%s: a message was set aside: %s", queue, reason)


def set_aside(body: bytes, reason: str) -> str:
    """What is put into the poison queue: the reason, and as much of the message as a queue takes."""
    text, reason = body[:LARGEST].decode("utf-8", "replace"), reason[:1000]
    while len(made := canonical({"reason": reason, "message": text, "bytes": len(body)})) > LARGEST:
        text = text[: len(text) * LARGEST // len(made) - 1]
    return made.decode()
