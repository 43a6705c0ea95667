"""From a request to ARM to a response: authentication, throttling, the routing table, paging, faults, and the log of requests.

What was rendered is kept by target until the world changes, since a sweep of a thousand accounts asks the same questions again.
"""

import json
from collections.abc import Mapping
from typing import Any

from infra.local import arm_errors
from infra.local.arm_errors import ArmError
from infra.local.data_access import throttled
from infra.local.data_answering import DataAnswerer
from infra.local.faults import Faults
from infra.local.ids import subscription_of
from infra.local.log_query import answer_query, is_query
from infra.local.routes import Answer, Asked, Listing, find
from infra.local.throttle import TokenBuckets
from infra.local.truth import Happening
from infra.local.wire import Request, Response, mark_of, skip_of, skip_token
from infra.local.world import World

Json = Any

DATA_BURST = 30
"""Calls a second of one account, where calls are throttled: what accounts' own `callRateLimit` has for everything not named."""
_KEPT_BYTES = 512 * 1024 * 1024
_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


class Answerer:
    """Answers requests out of a world. Used by one thread, the server's; the world may be changed by any."""

    def __init__(self, world: World, page_sizes: Mapping[str, int], throttle: TokenBuckets | None, keep_requests: bool) -> None:
        self.world = world
        self.faults = Faults(self._note_fault)
        self.throttle = throttle
        self._data_throttle = TokenBuckets(DATA_BURST, float(DATA_BURST)) if throttle else None
        self.requests: list[Request] = []
        self.violations: list[Request] = []
        self.served = 0
        self.endpoint = ""
        self.data = DataAnswerer(world)
        self._page_sizes = dict(page_sizes)
        self._keep_requests = keep_requests
        self._kept: dict[str, Response] = {}
        self._kept_bytes = 0
        self._version = -1

    def page_by(self, kind: str, size: int | None) -> None:
        """Give lists of `kind` in pages of `size`; None for single pages, as Azure does."""
        with self.world.changing():  # what was rendered is out of date
            self._page_sizes.pop(kind, None)
            if size is not None:
                self._page_sizes[kind] = size

    def answer(self, request: Request) -> tuple[Response, int]:
        """The response, and what remains of the read limit of its subscription."""
        self.served += 1
        if self._keep_requests:
            self.requests.append(request)
        if request.account or is_query(request):
            return self._beside_arm(request), 249
        remaining = 249
        self.world.pass_time()
        try:
            if request.method != "GET" and find(request.method, request.path) is None:
                self.violations.append(request)
                raise arm_errors.method_not_allowed(request.method)
            if not request.has_authorization:
                raise arm_errors.unauthenticated(self.world.tenant)
            if self.throttle is not None:
                remaining = self._take_token(self.throttle, request)
            response = self._kept_or_made(request)
        except ArmError as error:
            response = error.response()
        if self.faults:
            response = self.faults.apply(request, response)
        return response, 0 if response.status == 429 else remaining

    def _throttled(self, account: str) -> Response | None:
        """The refusal of whoever asks one account too often; None where there is no limit, or it is not reached."""
        if self._data_throttle is None:
            return None
        _, wait = self._data_throttle.take(account)
        return throttled(int(wait) + 1).response() if wait else None

    def _note_fault(self, where: str, on: bool) -> None:
        with self.world.lock:
            self.world.truth.note(Happening(self.world.moment, "fault-on" if on else "fault-off", "fault", where))

    def _beside_arm(self, request: Request) -> Response:
        """Of the data plane of an account, or of Log Analytics, whose queries are no writes."""
        if request.account:
            if request.method != "GET" or self.data.reads_content(request):
                self.violations.append(request)
            response = self._throttled(request.account) or self.data.answer(request)
        else:
            response = answer_query(self.world, request)
        return self.faults.apply(request, response) if self.faults else response

    def _take_token(self, throttle: TokenBuckets, request: Request) -> int:
        subscription = subscription_of(request.path)
        remaining, wait = throttle.take(subscription)
        if wait:
            raise arm_errors.throttled(subscription, str(int(wait) + 1))
        return remaining

    def _kept_or_made(self, request: Request) -> Response:
        if self._version != self.world.version:
            self._kept, self._kept_bytes = {}, 0
        kept = self._kept.get(request.target)
        if kept is not None:
            return kept
        with self.world.lock:
            self._version = self.world.version
            response = self._made(request)
        if not response.volatile:
            self._keep(request.target, response)
        return response

    def _keep(self, target: str, response: Response) -> None:
        if self._kept_bytes > _KEPT_BYTES:
            self._kept, self._kept_bytes = {}, 0
        self._kept[target] = response
        self._kept_bytes += len(response.body)

    def _made(self, request: Request) -> Response:
        path, query = request.path, request.query
        found = find(request.method, path)
        version = query.get("api-version")
        if not version:
            raise arm_errors.missing_api_version()
        subscription = subscription_of(path)
        if subscription is not None and subscription not in self.world.subscriptions:
            raise arm_errors.subscription_not_found(subscription)
        if found is None:
            raise arm_errors.unknown_path(path)
        route, match = found
        if self.world.is_denied(path):
            raise arm_errors.authorization_failed(route.action, path)
        if version.lower() not in route.versions:
            raise arm_errors.unsupported_api_version(route.kind, version, sorted(route.versions))
        try:
            mark = mark_of(request.target)
        except ValueError:
            raise ArmError(400, "InvalidSkipToken", "The provided skip token is not valid.") from None
        answer = route.handler(self.world, Asked(path, match.groupdict(), query, route.kind, mark))
        return Response(200, self._body(request, route.kind, answer), volatile=route.volatile)

    def _body(self, request: Request, kind: str, answer: Answer) -> bytes:
        if isinstance(answer, bytes):
            return answer
        shown = self._page(request, kind, answer) if isinstance(answer, Listing) else answer
        return _encode(shown).encode("utf-8", "surrogatepass")

    def _page(self, request: Request, kind: str, listing: Listing) -> Json:
        size = self._page_sizes.get(kind, listing.size or len(listing.rows))
        page, offset = skip_of(request.target)
        rows = listing.rows[offset : offset + size]
        body = {"value": [self.world.resources.body(row) if isinstance(row, str) else row for row in rows], **listing.beside}
        if offset + size < len(listing.rows):
            path, _, query = request.target.partition("?")
            kept = [part for part in query.split("&") if not part.lower().startswith(("$skiptoken=", "%24skiptoken="))]
            body["nextLink"] = (
                f"{self.endpoint}{path}?{'&'.join([*kept, f'%24skiptoken={skip_token(page + 1, offset + size, listing.mark)}'])}"
            )
        return body
