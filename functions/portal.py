"""Triggers of the portal: its pages, and the form that asks for a bundle. What they show and how is in `shared.service.portal`."""

from dataclasses import replace
from typing import TYPE_CHECKING

import azure.functions as func

from functions.access import OPERATOR, READER, Caller
from functions.deliver import answered
from functions.process import app

if TYPE_CHECKING:
    from shared.service.portal.desk import Reply

blueprint = func.Blueprint()

LOGIN = "/.auth/login/aad?post_login_redirect_uri=/api/portal/"
"""Where the platform lets people log in, and sends them here afterwards."""


def _page(request: func.HttpRequest, who: Caller, path: str) -> func.HttpResponse:
    from shared.service.portal.desk import Asked  # of all functions, these alone need templates

    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = Asked(str(request.method), path, dict(request.params), headers, request.get_body(), who.object_id, who.may(OPERATOR))
    return _sent(app().portal(who.limits).answer(asked))


def _sent(reply: "Reply") -> func.HttpResponse:
    return func.HttpResponse(reply.body, status_code=reply.status, mimetype=reply.kind, headers=dict(reply.headers))


def _problem(status: int, text: str) -> func.HttpResponse:
    """What is wrong, as a page: who looks here is a person with a browser."""
    from shared.service.portal.desk import refusal

    reply = refusal(status, text, LOGIN if status == 401 else None)
    return _sent(replace(reply, headers={**reply.headers, "Retry-After": "60"}) if status == 503 else reply)


@blueprint.route(route="portal/{*page}", methods=["GET"])
def portal(req: func.HttpRequest) -> func.HttpResponse:
    """A page of the portal."""
    return answered(req, READER, lambda who: _page(req, who, req.route_params.get("page") or ""), limited=True, problem=_problem)


@blueprint.route(route="portal/bundles", methods=["POST"])
def order_bundle(req: func.HttpRequest) -> func.HttpResponse:
    """Take the portal's form: a bundle is asked for."""
    return answered(req, OPERATOR, lambda who: _page(req, who, "bundles"), problem=_problem)
