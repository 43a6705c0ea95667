"""Faults of the data plane's lists, beside those of `infra.local.faults`: what breaks a client that trusts the cursor.

    azure.faults.add("bw-claims-sdc/openai/v1/files", has_more_for_ever())

The place of a rule is the account's id followed by path and query.
"""

import json
from dataclasses import replace
from typing import Any

from infra.local import data_access
from infra.local.faults import Fault, edited
from infra.local.wire import Request, Response

Json = Any


def has_more_for_ever() -> Fault:
    """The list never ends: `has_more` is true on every page, the last one (or an empty one) included."""
    return edited(lambda body: body.update(has_more=True))


def has_more_missing() -> Fault:
    """A list without `has_more`: nobody says whether it goes on."""
    return edited(lambda body: body.pop("has_more", None))


def has_more_is(value: Json) -> Fault:
    """`has_more` is something else, such as null or a word."""
    return edited(lambda body: body.update(has_more=value))


def last_id_stands_still() -> Fault:
    """`last_id` is that of the first page for ever, and the list goes on."""
    seen: list[Json] = []

    def change(body: dict[str, Json]) -> None:
        seen.append(body.get("last_id"))
        body.update(last_id=seen[0], has_more=True)

    return edited(change)


def last_id_missing() -> Fault:
    """A list with `has_more` that does not say after what it goes on."""
    return edited(lambda body: body.pop("last_id", None))


def first_page_again() -> Fault:
    """The cursor is ignored: every page is the first one, and there is more."""
    first: dict[str, bytes] = {}

    def fault(request: Request, response: Response) -> Response:
        if response.status != 200:
            return response
        body = first.setdefault(request.account + request.path, response.body)
        return replace(response, body=json.dumps(json.loads(body) | {"has_more": True}).encode())

    return fault


def empty_page() -> Fault:
    """No member, and there is more."""
    return edited(lambda body: body.update(data=[], first_id=None, last_id=None, has_more=True))


def members_lost(number: int = 1) -> Fault:
    """The first `number` members of the page are missing, and nothing says so: the cruellest of all."""
    return edited(lambda body: body.update(data=body["data"][number:]))


def data_throttled(retry_after: float = 1) -> Fault:
    """429, as the data plane says it."""
    return lambda request, response: data_access.throttled(retry_after).response()


def data_refused(status: int, code: str, message: str = "Refused.") -> Fault:
    """Any refusal, in the data plane's shape."""
    return lambda request, response: data_access.DataError(status, code, message).response()
