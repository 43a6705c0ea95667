"""From a request to the data plane of an account to its response: generation, rights, the routing table, and the log of calls.

Lists are kept as they were rendered until the world changes, since sweeps ask the same again; the retired API of assistants, whose answer
changes with time alone, is not.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

from infra.local.authorship import Actor, Caller
from infra.local.data_access import DataError, bad_version, check, not_found
from infra.local.data_handlers import Asked
from infra.local.data_operations import OPERATIONS
from infra.local.data_routes import ROUTES, DataRoute
from infra.local.data_shapes import Generation
from infra.local.ids import guid
from infra.local.wire import Request, Response
from infra.local.world import SERVES_MODELS, World

Json = Any

_encode = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
_DATED, _V1 = "/openai", "/openai/v1"


class _Understood(NamedTuple):
    generation: Generation
    route: DataRoute | None
    parts: Mapping[str, str]


class DataAnswerer:
    """Answers for the data planes of all accounts. `caller` is whom a token stands for."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.caller = Actor(guid("collector"), "Application")
        self._kept: dict[tuple[str, str, bool, bool], Response] = {}
        self._version = -1

    def answer(self, request: Request) -> Response:
        """The response; logs know of the call, whatever came of it. An account that is gone has no address: the connection is reset."""
        with self.world.lock:
            self.world.pass_time()
            if request.account not in self.world.resources:
                return Response(404, b"", ending="reset")
            understood = _understand(request)
            try:
                response = self._kept_or_made(request, understood)
            except DataError as error:
                response = error.response()
            caller = Caller(self.caller, request.has_key)
            name = getattr(OPERATIONS[understood.route.operation], understood.generation) if understood.route else "Unknown"
            called = self.world.data.on_call(request.account, name, response.status, caller, understood.generation)
            return replace(response, request_id=called)

    def reads_content(self, request: Request) -> bool:
        """Whether the request asks for what users wrote."""
        route = _understand(request).route
        return route is not None and route.content

    def _kept_or_made(self, request: Request, understood: _Understood) -> Response:
        if self._version != self.world.version:
            self._kept, self._version = {}, self.world.version
        key = (request.account, request.target, request.has_authorization, request.has_key)
        kept = self._kept.get(key) if request.method == "GET" else None
        if kept is not None:
            return kept
        response = self._made(request, understood)
        if request.method == "GET" and understood.route is not None and not understood.route.template.startswith("/assistants"):
            self._kept[key] = response
        return response

    def _made(self, request: Request, understood: _Understood) -> Response:
        data, body = self.world.data, self.world.resources.body(request.account)
        access = data.access(request.account)
        if str(body["kind"]).lower() not in SERVES_MODELS:
            raise not_found()
        generation, route, parts = understood
        template = f"{request.method} {_V1 if generation == 'v1' else _DATED}{route.template if route else request.path}"
        action = OPERATIONS[route.operation].action if route else "openapi/read"
        check(
            body["properties"],
            access,
            token=request.has_authorization,
            key=request.has_key,
            action=action,
            principal=self.caller.name,
            call=template,
        )
        served = access.v1 if generation == "v1" else access.dated
        if not served or route is None:
            raise not_found()
        if generation == "v1" and request.query.get("api-version", "v1") not in ("v1", "preview"):
            raise bad_version()
        caller = Caller(self.caller, request.has_key, over_http=True)
        asked = Asked(
            data, request.account, parts, request.query, generation, caller, self.world.moment, request.body, request.content_type
        )
        try:
            answer = route.handler(asked)
        except KeyError as error:
            raise DataError(400, "invalidPayload", f"Missing or unknown: {error}") from None
        if answer is None:
            return Response(204, b"", content_type="")
        content = answer if isinstance(answer, bytes) else _encode(answer).encode("utf-8", "surrogatepass")
        return Response(route.status, content, content_type="application/json")


def _understand(request: Request) -> _Understood:
    path = request.path
    generation: Generation = "v1" if path == _V1 or path.startswith(f"{_V1}/") else "dated"
    rest = path.removeprefix(_V1 if generation == "v1" else _DATED)
    version = request.query.get("api-version", "")
    for route in ROUTES:
        if route.method == request.method and route.serves(generation, version):
            match = route.pattern.fullmatch(rest)
            if match is not None and path.startswith(_DATED):
                return _Understood(generation, route, match.groupdict())
    return _Understood(generation, None, {})
