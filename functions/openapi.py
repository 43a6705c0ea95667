"""The description of the HTTP interface (OpenAPI 3.1): its routes. Tests hold it against the routes and against what they answer."""

from functions.access import AUDITOR, OPERATOR, READER
from functions.openapi_schemas import COUNT, SCHEMAS, TEXT, Described, list_of, or_null, ref, whole
from shared import __version__
from shared.model import STATUSES
from shared.service.steps.answers import MOST, PAGE


def _answer(text: str, schema: Described, headers: Described | None = None) -> Described:
    return {"description": text, "content": {"application/json": {"schema": schema}}, **({"headers": headers} if headers else {})}


REFUSED: Described = {
    "401": _answer("Nobody is logged in.", ref("Problem")),
    "403": _answer("The app role is missing; or a limited view does not include this, or has expired.", ref("Problem")),
    "503": _answer("Authentication is not switched on, the app is not set up, or the store cannot be reached.", ref("Problem"),
                   {"Retry-After": {"schema": TEXT, "description": "Seconds."}}),
}
CONFLICT: Described = {"500": _answer("The store contradicts itself: an alarm.", ref("Problem"))}
BAD: Described = {"400": _answer("A parameter, or the request, cannot be what it says.", ref("Problem"))}


def _parameter(name: str, text: str, schema: Described) -> Described:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


PERIOD = [_parameter("from", "Date or time, UTC.", TEXT), _parameter("to", "Date (the whole day) or time, UTC.", TEXT)]
ONE_RESOURCE = _parameter("resource", "ARM id, or the name of an account.", TEXT)
ONE_OBJECT = _parameter("object", "Id of one object.", TEXT)
KINDS = _parameter("kind", "Kinds of object, with commas between: file, fine-tuning-job, fine-tuned-model, batch, vector-store, …", TEXT)
PAGING = [
    _parameter("limit", "Items of a page.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE}),
    _parameter("after", "`next` of the page before.", COUNT),
]
FINDING_FILTER = [
    _parameter("control", "Id of a control (docs/controls.md).", TEXT),
    _parameter("status", f"One or more, with commas: {', '.join(STATUSES)}.", TEXT),
    _parameter("framework", "soc2, gdpr or iso27001.", TEXT),
]


def _get(summary: str, answer: Described, others: Described, *parameters: Described) -> Described:
    responses = {"200": answer, **others, **REFUSED}
    return {"get": {"summary": summary, "parameters": list(parameters), "responses": responses, "security": [{"entra": [READER]}]}}


def _pages(summary: str, item: str, *parameters: Described, other: str | None = None) -> Described:
    items = {"anyOf": [ref(item), ref(other)]} if other else ref(item)
    page = whole(items=list_of(items), next=or_null("integer", "What to pass as `after` for the next page."))
    return _get(summary, _answer("A page.", page), {**BAD, **CONFLICT}, *parameters, *PAGING)


def _absent(text: str) -> Described:
    return {"404": _answer(text, ref("Problem"))}


_ID = {"name": "id", "in": "path", "required": True, "schema": TEXT}
_LATER = {"Retry-After": {"schema": TEXT, "description": "Seconds, while it is not built."}}
_WHERE = {"Location": {"schema": TEXT, "description": "Where to look."}, **_LATER}

PATHS: Described = {
    "/api/status": _get("Where things stand", _answer("Status.", ref("Status")), {**BAD, **CONFLICT}),
    "/api/findings": _pages(
        "The findings that hold now: of the last sweep, and of what was collected since; or those of a period",
        "Finding",
        *PERIOD,
        ONE_RESOURCE,
        *FINDING_FILTER,
    ),
    "/api/changes": _pages("Changes between consecutive states", "Change", *PERIOD, ONE_RESOURCE),
    "/api/deletions": _pages("What is gone, or was said to be: the deletions that stand", "Deletion", *PERIOD, ONE_RESOURCE, ONE_OBJECT, KINDS),
    "/api/resources": _pages(
        "Accounts and their deployments, as last seen; with `kind`, all objects of these kinds that were ever seen", "Resource", ONE_RESOURCE, KINDS, other="Object"
    ),
    "/api/drift": _pages(
        "What differs from what was approved, by the last closed sweep: each resource that sweeps ask about, those that are as approved too",
        "Drift",
        ONE_RESOURCE,
    ),
    "/api/checkpoint": _get(
        "The newest signed checkpoint (c2sp.org/tlog-checkpoint)",
        {"description": "The checkpoint.", "content": {"text/plain": {"schema": TEXT}}},
        _absent("Nothing is sealed yet."),
    ),
    "/api/bundles": {
        "post": {
            "summary": "Ask for a bundle",
            "requestBody": {"required": False, "content": {"application/json": {"schema": ref("BundleRequest")}}},
            "responses": {"202": _answer("Queued.", ref("Queued"), _WHERE), **BAD, **REFUSED},
            "security": [{"entra": [OPERATOR]}],
        }
    },
    "/api/bundles/{id}": _get(
        "How far a bundle is; a link where it is built",
        _answer("The request.", ref("Bundle"), _LATER),
        _absent("No such bundle was asked for."),
        _ID,
    ),
    "/api/openapi.json": {
        "get": {
            "summary": "This description",
            "responses": {"200": _answer("OpenAPI.", {"type": "object"}), **REFUSED},
            "security": [{"entra": [READER]}],
        }
    },
    "/api/live": {"get": {"summary": "Liveness, for anybody", "security": [], "responses": {"204": {"description": "The app runs."}}}},
}

DESCRIPTION: Described = {
    "openapi": "3.1.0",
    "info": {"title": "aoai-evidence", "version": __version__, "description": "Evidence of what was true of Azure OpenAI resources."},
    "security": [{"entra": []}],
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {
            "entra": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                      "description": f"Entra ID. {OPERATOR} may do all that {READER} may; {AUDITOR} reads within limits."}
        },
    },
}
