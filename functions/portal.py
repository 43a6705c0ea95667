"""Triggers of the portal: its pages, and the form that asks for a bundle. What they show and how is in `shared.service.portal`."""

import azure.functions as func

from functions.access import OPERATOR, READER, Caller
from functions.deliver import answered
from functions.process import app

blueprint = func.Blueprint()


def _page(request: func.HttpRequest, who: Caller, path: str) -> func.HttpResponse:
    from shared.service.portal.desk import Asked  # of all functions, these alone need templates

    headers = {name.lower(): value for name, value in request.headers.items()}
    asked = Asked(str(request.method), path, dict(request.params), headers, request.get_body(), who.object_id, who.may(OPERATOR))
    reply = app().portal(who.limits).answer(asked)
    return func.HttpResponse(reply.body, status_code=reply.status, mimetype=reply.kind, headers=dict(reply.headers))


@blueprint.route(route="portal/{*page}", methods=["GET"])
def portal(req: func.HttpRequest) -> func.HttpResponse:
    """A page of the portal."""
    return answered(req, READER, lambda who: _page(req, who, req.route_params.get("page") or ""), limited=True)


@blueprint.route(route="portal/bundles", methods=["POST"])
def order_bundle(req: func.HttpRequest) -> func.HttpResponse:
    """Take the portal's form: a bundle is asked for."""
    return answered(req, OPERATOR, lambda who: _page(req, who, "bundles"))
