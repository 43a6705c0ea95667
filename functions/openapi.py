"""The description of the HTTP interface (OpenAPI 3.1). Tests hold it against the routes and against what they answer."""

from typing import Any

from shared import __version__
from shared.model import STATUSES
from shared.service.steps.answers import MOST, PAGE

Described = dict[str, Any]


def _object(required: list[str], **properties: Described) -> Described:
    return {"type": "object", "required": required, "properties": properties}


def _ref(name: str) -> Described:
    return {"$ref": f"#/components/schemas/{name}"}


def _answer(text: str, schema: Described) -> Described:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


TEXT: Described = {"type": "string"}
TEXT_OR_NULL: Described = {"type": ["string", "null"]}
COUNT: Described = {"type": "integer", "minimum": 0}
TIME: Described = {"type": "string", "format": "date-time"}

REFUSALS: Described = {
    "400": _answer("A parameter cannot be what it says.", _ref("Problem")),
    "401": _answer("Nobody is logged in.", _ref("Problem")),
    "403": _answer("The app role is missing.", _ref("Problem")),
    "503": _answer("Authentication is not switched on, or the store cannot be reached.", _ref("Problem")),
}

SCHEMAS: Described = {
    "Problem": _object(["error"], error={"type": "string", "description": "One line: what happened, what to do."}),
    "Finding": _object(
        ["record", "control", "resource", "status", "reason", "records", "sweep", "at", "catalogue", "profile"],
        record={"type": "integer", "description": "Index of the record in the log."},
        control=TEXT, resource=TEXT_OR_NULL, status={"enum": list(STATUSES)}, reason=TEXT,
        records={"type": "array", "items": COUNT}, sweep=TEXT, at=TIME, catalogue=TEXT, profile=TEXT,
    ),
    "Change": _object(
        ["record", "resource", "fields", "since", "until", "from", "to"],
        record=COUNT, resource=TEXT, since=TIME, until=TIME, **{"from": {"type": ["integer", "null"]}, "to": {"type": ["integer", "null"]}},
        fields={"type": "array", "items": _object(["pointer", "op"], pointer=TEXT, op={"enum": ["added", "removed", "changed"]})},
    ),
    "Resource": _object(
        ["resource", "name", "kind", "location", "subscription", "last_seen", "deployments"],
        resource=TEXT, name=TEXT, kind=TEXT, location=TEXT_OR_NULL, subscription=TEXT, last_seen=TEXT_OR_NULL,
        deployments={"type": "array", "items": {"type": "object"}},
    ),
    "Status": _object(
        ["store", "last_sweep", "open_sweeps", "sweeps", "schedule", "missed_slots", "controls", "catalogue", "attested"],
        store=_object(["origin", "keys", "records", "retention"], origin=TEXT, keys={"type": "array", "items": TEXT}, records=COUNT),
        last_sweep={"type": ["object", "null"]}, open_sweeps={"type": "array", "items": TEXT}, sweeps=COUNT, schedule=TEXT_OR_NULL,
        missed_slots={"type": "array", "items": TIME}, controls={"type": "object"}, catalogue=TEXT,
        attested={"type": "array", "items": _ref("Attested")},
    ),
    "Attested": _object(
        ["name", "sort", "size", "at", "owed", "since", "error", "grave"],
        name=TEXT, sort={"enum": ["timestamp", "cosignature", "copy"]}, size=COUNT, at=TEXT_OR_NULL, owed=COUNT, since=TEXT_OR_NULL,
        error=TEXT_OR_NULL, grave={"type": "boolean"},
    ),
    "BundleRequest": {
        **_object(
            [], **{"from": {"type": ["string", "null"], "description": "Date or time, UTC; inclusive."}},
            to={"type": ["string", "null"], "description": "Date (the whole day) or time."},
            resources={"type": "array", "items": TEXT}, framework=TEXT_OR_NULL, disclose={"type": "array", "items": TEXT},
        ),
        "additionalProperties": False,
    },
    "Bundle": _object(
        ["id", "state"],
        id=TEXT, state={"enum": ["queued", "building", "built", "failed"]}, asked=TIME, by=TEXT_OR_NULL, reason=TEXT, bytes=COUNT,
        sha256=TEXT, link={"type": ["string", "null"], "description": "Good for a quarter of an hour."},
    ),
}


def _parameter(name: str, text: str, schema: Described) -> Described:
    return {"name": name, "in": "query", "required": False, "description": text, "schema": schema}


PERIOD = [
    _parameter("from", "Date or time, UTC.", TEXT),
    _parameter("to", "Date (the whole day) or time, UTC.", TEXT),
]
ONE_RESOURCE = _parameter("resource", "ARM id, or the name of an account.", TEXT)
PAGING = [
    _parameter("limit", "Items of a page.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": PAGE}),
    _parameter("after", "`next` of the page before.", COUNT),
]
FINDING_FILTER = [
    _parameter("control", "Id of a control (docs/controls.md).", TEXT),
    _parameter("status", "One or more, with commas.", TEXT),
    _parameter("framework", "soc2, gdpr or iso27001.", TEXT),
]


def _list(summary: str, item: str, parameters: list[Described]) -> Described:
    page = _object(["items", "next"], items={"type": "array", "items": _ref(item)}, next={"type": ["integer", "null"]})
    return {"get": {"summary": summary, "parameters": parameters, "responses": {"200": _answer("A page.", page), **REFUSALS}}}


PATHS: Described = {
    "/api/status": {"get": {"summary": "Where things stand", "responses": {"200": _answer("Status.", _ref("Status")), **REFUSALS}}},
    "/api/findings": _list("Findings of the last sweep, or of a period", "Finding", [*PERIOD, ONE_RESOURCE, *FINDING_FILTER, *PAGING]),
    "/api/changes": _list("Changes between consecutive states", "Change", [*PERIOD, ONE_RESOURCE, *PAGING]),
    "/api/deletions": _list("What is gone", "Change", [*PERIOD, ONE_RESOURCE, *PAGING]),
    "/api/resources": _list("Accounts and their deployments", "Resource", [ONE_RESOURCE, *PAGING]),
    "/api/checkpoint": {
        "get": {
            "summary": "The newest signed checkpoint (c2sp.org/tlog-checkpoint)",
            "responses": {
                "200": {"description": "The checkpoint.", "content": {"text/plain": {"schema": TEXT}}},
                "404": _answer("Nothing is sealed yet.", _ref("Problem")),
                **REFUSALS,
            },
        }
    },
    "/api/bundles": {
        "post": {
            "summary": "Ask for a bundle (role Evidence.Operator)",
            "requestBody": {"required": False, "content": {"application/json": {"schema": _ref("BundleRequest")}}},
            "responses": {"202": _answer("Queued; Location says where to look.", _ref("Bundle")), **REFUSALS},
        }
    },
    "/api/bundles/{id}": {
        "get": {
            "summary": "How far a bundle is; a link where it is built",
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": TEXT}],
            "responses": {"200": _answer("The request.", _ref("Bundle")), "404": _answer("Unknown.", _ref("Problem")), **REFUSALS},
        }
    },
    "/api/openapi.json": {"get": {"summary": "This description", "responses": {"200": _answer("OpenAPI.", {"type": "object"}), **REFUSALS}}},
    "/api/live": {"get": {"summary": "Liveness, for anybody", "security": [], "responses": {"204": {"description": "The app runs."}}}},
}

DESCRIPTION: Described = {
    "openapi": "3.1.0",
    "info": {"title": "aoai-evidence", "version": __version__, "description": "Evidence of what was true of Azure OpenAI resources."},
    "security": [{"entra": []}],
    "paths": PATHS,
    "components": {
        "schemas": SCHEMAS,
        "securitySchemes": {"entra": {"type": "http", "scheme": "bearer", "description": "Entra ID, app role Evidence.Reader."}},
    },
}
