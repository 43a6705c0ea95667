"""What the functions of one process share: the settings and what is built of them, and how a failure is told."""

import logging
import os
from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar

from shared import settings
from shared.alarms import STORE_CONFLICT
from shared.errors import EvidenceError, Refused, StoreConflict
from shared.layout import POISON_SUFFIX
from shared.service.steps.app import App

LOG = logging.getLogger("aoai-evidence")

T = TypeVar("T")


@lru_cache(maxsize=1)
def app() -> App:
    """The parts of this process; settings that cannot be are an error of every invocation, not of the import."""
    return App(settings.read(os.environ))


def told(step: Callable[[], T]) -> T:
    """Run a step; what a person must know of its failure becomes one line of the log, and the invocation fails.

    Raises:
        EvidenceError: as the step did. The host runs it again, by its own rules.
    """
    try:
        return step()
    except StoreConflict as error:
        LOG.error("%s %s", STORE_CONFLICT, error)  # noqa: TRY400 - the host logs the traceback of what fails
        raise
    except EvidenceError as error:
        LOG.error("%s", error)  # noqa: TRY400
        raise


def taken(queue: str, body: bytes, step: Callable[[App, bytes], str]) -> None:
    """Run a step on a message. What can never be done goes to the poison queue at once, with the reason, instead of five times round.

    Raises:
        EvidenceError: it may work later: the host delivers the message again.
    """

    def run() -> str:
        try:
            return step(app(), body)
        except Refused as error:
            app().queues.send(queue + POISON_SUFFIX, refused(body, str(error)))
            return f"{queue}: refused: {error}"

    LOG.info("%s", told(run))


def refused(body: bytes, reason: str) -> str:
    """What is put into the poison queue: the reason, and the message as far as it fits."""
    from shared.canonical import canonical

    return canonical({"reason": reason, "message": body[:30_000].decode("utf-8", "replace")}).decode()
