"""Faults on demand: which answers go wrong, when, and how.

    azure.faults.add("/deployments", throttled(retry_after=1), times=2)          # the first two times
    azure.faults.add(re.compile(r"/accounts\\?"), html_page())                     # always
    azure.faults.add("/accounts?", server_error(503), page=2)                     # from the second page on
    azure.faults.add("/locations", slow(0.2)); azure.faults.add("/locations", gone())    # both: one after the other

A fault is a function from the request and the answer it would have had to the answer it gets: write your own where these
do not do. All rules that match a request apply to it, in the order in which they were added.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from infra.local import arm_errors
from infra.local.ids import COGNITIVE, subscription_of
from infra.local.routes import action_of
from infra.local.wire import Request, Response

Json = Any
Fault = Callable[[Request, Response], Response]

_HTML = b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head><body><h2>Our services aren't available right now</h2></body></html>\n"


@dataclass(slots=True)
class Rule:
    """One fault and when it happens. `fired` counts how often it did."""

    where: str | re.Pattern[str]
    """A part of path and query in any case, or an expression searched for in them. Of a data plane the account's id stands before the path."""
    fault: Fault
    times: int | None
    skip: int
    page: int
    seen: int = 0
    fired: int = 0

    def matches(self, request: Request) -> bool:
        """Whether the request is one of those that the rule is about."""
        place = request.account + request.target
        found = self.where.lower() in place.lower() if isinstance(self.where, str) else self.where.search(place) is not None
        return found and (self.page == 1 or request.page >= self.page)

    def due(self) -> bool:
        """Count one more matching request; whether the fault happens to it."""
        self.seen += 1
        happens = self.seen > self.skip and (self.times is None or self.fired < self.times)
        self.fired += happens
        return happens


class Faults:
    """The rules in force. Rules may be added and cleared while the server answers; `told` hears of each (what it is about, and whether it is on)."""

    def __init__(self, told: Callable[[str, bool], None] = lambda where, on: None) -> None:
        self._rules: tuple[Rule, ...] = ()
        self._told = told

    def __bool__(self) -> bool:
        return bool(self._rules)

    def add(self, where: str | re.Pattern[str], fault: Fault, *, times: int | None = None, skip: int = 0, page: int = 1) -> Rule:
        """Let `fault` happen to requests that match `where`: `times` times (None: always), after the first `skip`, from `page` on."""
        rule = Rule(where, fault, times, skip, page)
        self._rules = (*self._rules, rule)
        self._told(where if isinstance(where, str) else where.pattern, True)
        return rule

    def clear(self) -> None:
        """All is well again."""
        gone, self._rules = self._rules, ()
        for rule in gone:
            self._told(rule.where if isinstance(rule.where, str) else rule.where.pattern, False)

    def apply(self, request: Request, response: Response) -> Response:
        """What the request gets instead of `response`."""
        for rule in self._rules:
            if rule.matches(request) and rule.due():
                response = rule.fault(request, response)
        return response


# refusals


def throttled(retry_after: float | None = 1, *, header: str = "Retry-After") -> Fault:
    """429. `header` may be `retry-after-ms` or `x-ms-retry-after-ms`, which then hold milliseconds; None: no such header."""

    def fault(request: Request, response: Response) -> Response:
        refused = arm_errors.throttled(subscription_of(request.path), None).response()
        if retry_after is None:
            return refused
        value = retry_after * 1000 if header.lower().endswith("-ms") else retry_after
        return replace(refused, headers=((header, f"{value:g}"),))

    return fault


def unauthenticated(tenant: str = "common") -> Fault:
    """401: as if no token had come."""
    return lambda request, response: arm_errors.unauthenticated(tenant).response()


def expired_token() -> Fault:
    """401 ExpiredAuthenticationToken."""
    now = f"{datetime.now(UTC):%m/%d/%Y %H:%M:%S}"
    return lambda request, response: arm_errors.expired_token("01/01/2020 00:00:00", now).response()


def forbidden(client: str = arm_errors.CLIENT) -> Fault:
    """403 AuthorizationFailed, with `client` (a person's name) in the message."""
    return lambda request, response: arm_errors.authorization_failed(action_of(request.path), request.path, client).response()


def not_found() -> Fault:
    """404 ResourceNotFound."""
    return lambda request, response: arm_errors.resource_not_found(f"{COGNITIVE}/accounts/gone", "rg").response()


def subscription_not_found() -> Fault:
    """404 SubscriptionNotFound."""
    return lambda request, response: arm_errors.subscription_not_found(subscription_of(request.path) or "").response()


def not_registered(namespace: str = COGNITIVE) -> Fault:
    """409 MissingSubscriptionRegistration: what tempts SDKs to register the provider."""
    return lambda request, response: arm_errors.not_registered(namespace).response()


def gone() -> Fault:
    """410."""
    return lambda request, response: arm_errors.gone(request.path).response()


def server_error(status: int = 500, *, retry_after: float | None = None) -> Fault:
    """500, 502, 503, 504; a 502 comes from the gateway before Azure, as HTML."""
    wait = None if retry_after is None else f"{retry_after:g}"
    refused = arm_errors.server_error(status, wait).response()
    if status == 502:
        refused = replace(refused, body=_HTML, content_type="text/html")
    return lambda request, response: refused


# the way there


def slow(seconds: float) -> Fault:
    """The answer comes `seconds` later."""
    return lambda request, response: replace(response, delay=response.delay + seconds)


def never_answers() -> Fault:
    """The connection stays open and nothing comes, until the client gives up or the server stops."""
    return lambda request, response: replace(response, ending="silent")


def connection_reset() -> Fault:
    """The connection is reset instead of an answer."""
    return lambda request, response: replace(response, ending="reset")


def truncated() -> Fault:
    """Half the body, with the Content-Length of all of it; then the connection closes."""
    return lambda request, response: replace(response, ending="truncated")


def redirected(to: str, status: int = 302) -> Fault:
    """A redirect. A client must not take its token there."""
    moved = Response(status, b"", (("Location", to),))
    return lambda request, response: moved


def missing_date() -> Fault:
    """No Date header."""
    return lambda request, response: replace(response, dated=False)


# the body


def replaced(
    status: int, body: bytes, content_type: str = "application/json; charset=utf-8", headers: tuple[tuple[str, str], ...] = ()
) -> Fault:
    """Any answer you like."""
    other = Response(status, body, headers, content_type=content_type)
    return lambda request, response: other


def html_page() -> Fault:
    """200 with a page of HTML: a proxy, a sign-in page, a captive portal."""
    return replaced(200, _HTML, "text/html; charset=utf-8")


def invalid_json() -> Fault:
    """200 with what begins like JSON."""
    return lambda request, response: replace(response, body=response.body[:-1] + b",")


def not_an_object() -> Fault:
    """200 with JSON that is a list."""
    return replaced(200, b'["value"]')


def edited(change: Callable[[dict[str, Json]], None]) -> Fault:
    """Change the body of an answer of status 200; `change` gets it parsed and changes it in place."""

    def fault(request: Request, response: Response) -> Response:
        if response.status != 200:
            return response
        body = json.loads(response.body)
        change(body)
        return replace(response, body=json.dumps(body, separators=(",", ":")).encode())

    return fault


def value_missing() -> Fault:
    """A list answer without `value`."""
    return edited(lambda body: body.pop("value", None))


def value_not_a_list(value: Json = None) -> Fault:
    """A list answer whose `value` is something else: null unless told."""
    return edited(lambda body: body.update(value=value))


def next_link(url: str) -> Fault:
    """A list answer that goes on at `url`: another host, for instance."""
    return edited(lambda body: body.update(nextLink=url))


def next_link_loops() -> Fault:
    """A list answer whose next page is itself."""
    return lambda request, response: edited(lambda body: body.update(nextLink=f"http://{request.host}{request.target}"))(request, response)


def next_link_relative() -> Fault:
    """A next page without scheme and host: after the answer's own nextLink, or its own address."""

    def change(body: dict[str, Json], target: str) -> None:
        absolute = str(body.get("nextLink", f"//here{target}"))
        body["nextLink"] = "/" + absolute.partition("//")[2].partition("/")[2]

    return lambda request, response: edited(lambda body: change(body, request.target))(request, response)


def duplicated_items() -> Fault:
    """Every member of the list twice."""
    return edited(lambda body: body.update(value=[*body["value"], *body["value"]]))


def huge_page(size: int = 32 * 1024 * 1024) -> Fault:
    """An answer of at least `size` bytes: a member nobody asked for, full of padding."""
    return edited(lambda body: body.update(padding="x" * size))
