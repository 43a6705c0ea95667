"""Triggers that deliver: questions and bundles over HTTP, and the queue that builds bundles. docs: GET /api/openapi.json."""

from collections.abc import Callable

import azure.functions as func

from functions import CONNECTION
from functions.access import OPERATOR, READER, Caller, Denied, caller
from functions.openapi import DESCRIPTION
from functions.process import LOG, app, line_of, taken
from shared.canonical import Json, canonical
from shared.errors import EvidenceError, Misuse, Refused, StoreConflict, VerificationError
from shared.layout import BUNDLE_QUEUE
from shared.service.steps import answers
from shared.service.steps.bundle import WAITING, ask, build_message, give_up, look, parse_wanted

blueprint = func.Blueprint()

HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'"}


def _json(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> func.HttpResponse:
    return func.HttpResponse(canonical(value), status_code=status, mimetype="application/json", headers={**HEADERS, **(headers or {})})


def _problem(status: int, text: str) -> func.HttpResponse:
    return _json({"error": text}, status, {"Retry-After": "60"} if status == 503 else None)


def answered(
    request: func.HttpRequest, role: str, reply: Callable[[Caller], func.HttpResponse], *, limited: bool = False,
    problem: Callable[[int, str], func.HttpResponse] = _problem,
) -> func.HttpResponse:  # fmt: skip
    """Reply to a caller who has the role, or, where `reply` keeps to a caller's limits, a limited view.

    Every failure is an answer (`problem`) with one line that says what to do.

    What is wrong with the request is told to the caller; what is wrong here is told to the log, and of it only that much to the caller.
    """
    try:
        return reply(caller(request.headers, role, limited=limited))
    except Denied as denied:
        return problem(denied.status, str(denied))
    except Refused as error:
        return problem(400, str(error))
    except (StoreConflict, VerificationError) as error:
        LOG.error("%s", line_of(error))
        return problem(500, "the store contradicts itself: its operator must run verify --store")
    except Misuse as error:
        LOG.error("%s", error)
        return problem(503, "this app is not set up as it must be: ask its operator, whose log says more")
    except EvidenceError as error:
        LOG.error("%s", error)
        return problem(503, "the store cannot be reached just now: ask again later")


def _asked(question: str, request: func.HttpRequest) -> func.HttpResponse:
    return answered(request, READER, lambda who: _json(answers.answer(app(), question, dict(request.params), who.limits)), limited=True)


@blueprint.route(route="status", methods=["GET"])
def status(req: func.HttpRequest) -> func.HttpResponse:
    """Where things stand."""
    return _asked("status", req)


@blueprint.route(route="findings", methods=["GET"])
def findings(req: func.HttpRequest) -> func.HttpResponse:
    """The findings that hold now, or those of a period."""
    return _asked("findings", req)


@blueprint.route(route="changes", methods=["GET"])
def changes(req: func.HttpRequest) -> func.HttpResponse:
    """The changes between consecutive states."""
    return _asked("changes", req)


@blueprint.route(route="deletions", methods=["GET"])
def deletions(req: func.HttpRequest) -> func.HttpResponse:
    """What is gone."""
    return _asked("deletions", req)


@blueprint.route(route="resources", methods=["GET"])
def resources(req: func.HttpRequest) -> func.HttpResponse:
    """The accounts and their deployments, as last seen."""
    return _asked("resources", req)


@blueprint.route(route="drift", methods=["GET"])
def drift(req: func.HttpRequest) -> func.HttpResponse:
    """What differs now from what was approved."""
    return _asked("drift", req)


@blueprint.route(route="checkpoint", methods=["GET"])
def checkpoint(req: func.HttpRequest) -> func.HttpResponse:
    """The newest signed checkpoint, as C2SP writes it."""

    def reply(_: Caller) -> func.HttpResponse:
        found = answers.checkpoint(app())
        return func.HttpResponse(found, mimetype="text/plain", headers=HEADERS) if found else _problem(404, "nothing is sealed yet")

    return answered(req, READER, reply, limited=True)


@blueprint.route(route="bundles", methods=["POST"])
def request_bundle(req: func.HttpRequest) -> func.HttpResponse:
    """Ask for a bundle: 202, and where to look for it."""

    def reply(who: Caller) -> func.HttpResponse:
        name = ask(app(), parse_wanted(req.get_body()), who.object_id)
        return _json({"id": name, "state": "queued"}, 202, {"Location": f"/api/bundles/{name}", "Retry-After": "10"})

    return answered(req, OPERATOR, reply)


@blueprint.route(route="bundles/{id}", methods=["GET"])
def bundle(req: func.HttpRequest) -> func.HttpResponse:
    """How far a bundle is; a short-lived link where it is built."""

    def reply(_: Caller) -> func.HttpResponse:
        found = look(app(), req.route_params.get("id", ""))
        if found is None:
            return _problem(404, "no bundle of that id was asked for")
        return _json(found, headers={"Retry-After": "10"} if found["state"] in WAITING else None)

    return answered(req, READER, reply)


@blueprint.route(route="openapi.json", methods=["GET"])
def openapi(req: func.HttpRequest) -> func.HttpResponse:
    """The description of all this."""
    return answered(req, READER, lambda _: _json(DESCRIPTION), limited=True)


@blueprint.route(route="live", methods=["GET"])
def live(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001 - says nothing to anybody
    """For probes: the app runs. Says nothing else."""
    return func.HttpResponse(status_code=204, headers=HEADERS)


@blueprint.queue_trigger(arg_name="message", queue_name=BUNDLE_QUEUE, connection=CONNECTION)
def build_bundle(message: func.QueueMessage) -> None:
    """Build a bundle that was asked for."""
    taken(BUNDLE_QUEUE, message, build_message, given_up=give_up)
