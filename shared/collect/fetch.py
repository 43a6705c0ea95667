"""One request until it is answered, or the patience for it is over: what is tried again, how often, after how long.

Guarantees: a token goes to the addresses it is given and nowhere else (callers check hosts, nothing follows a redirect); what a status
means is told in one place. Leaves out: what the bytes say, and which address comes next.
"""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from azure.core.exceptions import AzureError, ClientAuthenticationError, ServiceRequestError, ServiceResponseError
from azure.core.pipeline import Pipeline
from azure.core.rest import HttpRequest

from shared.collect.asked import Budget, Failed, Page
from shared.collect.pace import Pace
from shared.collect.transport import AnswerTimeout, BodyTooLarge, Response

ATTEMPTS = 5
"""Tries of one request at most, throttling apart: that may take as many as the budget has."""

ATTEMPTS_IN_SILENCE = 2
"""Tries of a request that is not answered at all: each costs the whole time-out."""

_REASONS = {400: "refused", 401: "unauthenticated", 403: "forbidden", 404: "not-found", 409: "conflict", 410: "gone", 429: "throttled"}
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})

Ask = Callable[[], HttpRequest]
"""Makes the request anew for each try: policies write into it."""

Explain = Callable[[Failed], Failed]
"""Says more exactly what an answer with an error means, from its content."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How often a request is tried: where it is answered, where nothing answers in time, and where nobody is there."""

    answered: int = ATTEMPTS
    silence: int = ATTEMPTS_IN_SILENCE
    nobody: int = ATTEMPTS


class Fetcher:
    """Sends requests through one pipeline. Safe for several threads."""

    def __init__(
        self,
        pipeline: Pipeline[HttpRequest, Response],
        sleep: Callable[[float], None],
        *,
        patience: Patience = Patience(),
        explain: Explain = lambda failed: failed,
    ) -> None:
        self._pipeline = pipeline
        self._sleep = sleep
        self._patience = patience
        self._explain = explain

    def fetch(self, ask: Ask, pace: Pace, key: str, budget: Budget) -> Page | Failed:
        """Send what `ask` makes until there is an answer, or `budget` or patience is spent; `key` is what `pace` counts by."""
        attempts = 0
        while True:
            pace.wait(key)
            attempts += 1
            got, wait, tries = self._once(ask(), attempts)
            if isinstance(got, Page) or wait is None:
                return got
            throttled = got.reason == "throttled"
            if attempts >= tries and not throttled:
                return got
            wait = wait or min(0.5 * 2.0 ** (attempts - 1), 8.0)
            if budget.retries <= 0 or budget.seconds < wait:
                return got
            budget.retries -= 1
            budget.seconds -= wait
            if throttled:
                pace.hold(key, wait)
            else:
                self._sleep(wait)

    def _once(self, request: HttpRequest, attempts: int) -> tuple[Page | Failed, float | None, int]:
        """One try: what came of it, how long to wait before another (0: as we think; None: no use), and how many tries it is worth."""
        patience = self._patience
        try:
            response = self._pipeline.run(request).http_response
        except ClientAuthenticationError as error:
            return Failed("unauthenticated", type(error).__name__, attempts=attempts), None, 1
        except AnswerTimeout as error:
            return Failed("timeout", _one_line(error.message), attempts=attempts), 0.0, patience.silence
        except BodyTooLarge:
            return Failed("malformed", "the answer is too large", attempts=attempts), None, 1
        except (ServiceRequestError, ServiceResponseError) as error:
            tries = patience.nobody if isinstance(error, ServiceRequestError) else patience.answered
            return Failed("unreachable", _one_line(error.message), attempts=attempts), 0.0, tries
        except AzureError as error:
            return Failed("unreachable", type(error).__name__, attempts=attempts), None, 1
        except OSError as error:  # of the login, which reads files (a token that is put there) and runs programs: our transport raises none
            return Failed("unauthenticated", type(error).__name__, attempts=attempts), None, 1
        headers = response.headers
        facts = headers.get("x-ms-request-id") or headers.get("x-ms-correlation-request-id") or headers.get("apim-request-id"), headers.get("Date")
        status = response.status_code
        if status == 200:
            return Page(request.url, response.content, *facts, attempts), None, 1
        failed = Failed(_reason(status), error_code(response.content), status, *facts, attempts, response.content)
        return self._explain(failed), _retry_after(response) if status in _AGAIN else None, patience.answered


def _reason(status: int) -> str:
    if 300 <= status < 400:
        return "redirected"
    if status in (200, 201, 202, 204) or status < 300:
        return "malformed"
    return _REASONS.get(status, "server-error" if status >= 500 else "timeout" if status == 408 else "refused")


def _retry_after(response: Response) -> float:
    """Seconds that Azure asks for: `Retry-After` in seconds or as a date, or the millisecond headers; 0 where it says nothing that is a time."""
    for header, unit in (("retry-after-ms", 0.001), ("x-ms-retry-after-ms", 0.001), ("Retry-After", 1.0)):
        value = response.headers.get(header)
        if value is not None:
            try:
                seconds = float(value) * unit
                if math.isnan(seconds):  # a number to Python, and no time to wait for
                    continue
                return max(seconds, 0.0)
            except ValueError:
                try:
                    asked_at = parsedate_to_datetime(response.headers.get("Date", value))
                    return max((parsedate_to_datetime(value) - asked_at).total_seconds(), 0.0)
                except (ValueError, TypeError):
                    continue
    return 0.0


def error_code(content: bytes) -> str:
    """Azure's error code, such as `AuthorizationFailed`; what is no such word is not repeated."""
    try:
        error = json.loads(content)
        error = error.get("error", error)
        code = error.get("code") if isinstance(error, dict) else None
    except (ValueError, AttributeError, RecursionError):
        return "no error code"
    return code if isinstance(code, str) and code.replace(".", "").replace("_", "").isalnum() and len(code) <= 80 else "no error code"


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
