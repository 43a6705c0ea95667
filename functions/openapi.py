"""The description of the HTTP interface (OpenAPI 3.1). Tests hold it against the routes and against what they answer."""

from typing import Any

from functions.access import AUDITOR, OPERATOR, READER
from shared import __version__
from shared.model import SEVERITIES, STATUSES
from shared.service.steps.answers import MOST, PAGE

Described = dict[str, Any]


def _object(required: list[str], **properties: Described) -> Described:
    return {"type": "object", "required": required, "properties": properties}


def _whole(**properties: Described) -> Described:
    """An object that always has all of its members."""
    return _object(list(properties), **properties)


def _ref(name: str) -> Described:
    return {"$ref": f"#/components/schemas/{name}"}


def _or_null(kind: str, text: str = "") -> Described:
    return {"type": [kind, "null"], **({"description": text} if text else {})}


def _list_of(item: Described, text: str = "") -> Described:
    return {"type": "array", "items": item, **({"description": text} if text else {})}


def _answer(text: str, schema: Described, headers: Described | None = None) -> Described:
    return {"description": text, "content": {"application/json": {"schema": schema}}, **({"headers": headers} if headers else {})}


TEXT: Described = {"type": "string"}
COUNT: Described = {"type": "integer", "minimum": 0}
TIME: Described = {"type": "string", "format": "date-time"}
INDEX: Described = {"type": "integer", "minimum": 0, "description": "Index of a record in the log."}
ANYTHING: Described = {"description": "As Azure has it; personal values are commitments."}

REFUSED: Described = {
    "401": _answer("Nobody is logged in.", _ref("Problem")),
    "403": _answer("The app role is missing; or a limited view does not include this, or has expired.", _ref("Problem")),
    "503": _answer("Authentication is not switched on, the app is not set up, or the store cannot be reached.", _ref("Problem"),
                   {"Retry-After": {"schema": TEXT, "description": "Seconds."}}),
}
CONFLICT: Described = {"500": _answer("The store contradicts itself: an alarm.", _ref("Problem"))}
BAD: Described = {"400": _answer("A parameter, or the request, cannot be what it says.", _ref("Problem"))}

_RECORD = {"record": INDEX, "v": {"const": 1}, "type": TEXT, "kind": TEXT, "at": TIME, "sweep": TEXT, "unit": TEXT, "resource": _or_null("string")}

_FIELD = _object(
    ["pointer", "op", "was", "is"],
    pointer=TEXT, op={"enum": ["added", "removed", "changed"]}, was=ANYTHING, of=_list_of(TEXT, "What tells members of lists on the way apart."),
    **{"is": ANYTHING},
)  # fmt: skip

_SEEN = _whole(record=INDEX, at=TIME)
_CLIENT: Described = {"type": ["object", "null"], "description": "What was used: `appid` and `idtyp` of the token's claims."}
_ATTRIBUTION = _whole(
    **_RECORD,
    says={"type": "string", "description": "The record in one line."},
    change=_whole(
        since=_or_null("string"), until=TIME, op={"enum": ["added", "removed", "changed", "provided"]}, to=_or_null("integer"), **{"from": _or_null("integer")},
    ),
    status={"enum": ["attributed", "unattributed"]},
    by=ANYTHING,
    client=_CLIENT,
    operation=_or_null("string"),
    outcome={"enum": ["succeeded", "open", None]},
    correlation=_or_null("string"),
    reason={"type": "string", "description": "One sentence."},
    complete={"type": "boolean", "description": "Whether the Activity Log was read over all of the time, and long enough after."},
    candidates=_list_of(
        _whole(by=ANYTHING, client=_CLIENT, operation=TEXT, outcome=TEXT, correlation=_or_null("string"), to=TIME, **{"from": TIME}),
        "Every operation that can have made it.",
    ),
    witnesses=_list_of(_whole(witness={"enum": ["activity-log", "event"]}, record=INDEX, page=COUNT, pointer=TEXT, at=TIME), "Where they are told of."),
    records=_list_of(INDEX, "What it rests on."),
)  # fmt: skip

SCHEMAS: Described = {
    "Problem": _whole(error={"type": "string", "description": "One line: what happened, what to do."}),
    "Finding": _whole(
        **_RECORD,
        control=TEXT,
        status={"enum": list(STATUSES)},
        reason={"type": "string", "description": "One sentence."},
        records=_list_of(INDEX, "What it rests on."),
        points=_list_of(_whole(record=INDEX, page=COUNT, pointer=TEXT), "Where in their bodies (RFC 6901)."),
        catalogue={"type": "string", "description": "Version of the catalogue that it was judged by."},
        profile={"type": "string", "description": "SHA-256 of the profile that it was judged by."},
        waived={
            "anyOf": [_whole(waiver=COUNT, record=_or_null("integer", "What grants it."), until=TIME, owner=ANYTHING, reason=TEXT), {"type": "null"}],
            "description": "What waives it, where it is not satisfied; the status is what the evidence says.",
        },
    ),
    "Change": _whole(
        **_RECORD,
        fields=_list_of(_FIELD),
        severity={"enum": list(SEVERITIES)},
        means=_list_of(
            _whole(severity={"enum": list(SEVERITIES)}, text=TEXT, direction={"enum": ["worse", "better", "neutral"]}, control=_or_null("string"),
                   statements=_list_of(TEXT), pointer=TEXT),
            "What it means, the worst first.",
        ),
        attribution={"oneOf": [_ATTRIBUTION, {"type": "null"}], "description": "Who made it, as the last record about that says; null: no record does."},
        since={**TIME, "description": "It was as before at this time …"},
        until={**TIME, "description": "… and as after at this."},
        **{"from": _or_null("integer", "The record before; null where it appeared."), "to": _or_null("integer", "The record after; null where it is gone.")},
    ),
    "Deletion": _object(
        [*_RECORD, "object", "account", "count", "after", "before", "status", "cause", "by", "created", "reason", "witnesses", "records", "pairs",
         "supersedes", "superseded", "first_seen"],
        **_RECORD,
        object=_whole(kind=TEXT, id=_or_null("string", "As Azure spells it; null where the log that tells of it names none.")),
        account=TEXT,
        count=COUNT,
        after={**TIME, "description": "It went after this time …"},
        before={**TIME, "description": "… and before this."},
        status={"enum": ["corroborated", "logged", "unlogged", "not-effective", "unobservable"]},
        cause=TEXT,
        by=ANYTHING,
        created=_or_null("string", "When Azure says that it was made."),
        reason={"type": "string", "description": "One sentence."},
        witnesses=_list_of(_whole(witness=TEXT, record=INDEX, page=COUNT, pointer=TEXT, at=TIME)),
        records=_list_of(INDEX, "What it rests on."),
        pairs=_list_of(_list_of(INDEX), "Inventories that follow each other, and between which something is gone."),
        counted=_list_of(_whole(record=INDEX, page=COUNT, pointer=TEXT), "What those records tell beside, and was counted before."),
        supersedes=_list_of(INDEX),
        superseded=_list_of(INDEX, "All earlier deletions whose place it takes."),
        first_seen={"anyOf": [_SEEN, {"type": "null"}]},
    ),
    "Object": _whole(
        kind=TEXT,
        id=TEXT,
        resource=TEXT,
        account=TEXT,
        unit=TEXT,
        first_seen={"anyOf": [_SEEN, {"type": "null"}]},
        last_seen={"anyOf": [_SEEN, {"type": "null"}]},
        gone={"anyOf": [_whole(record=INDEX, after=TIME, before=TIME, status=TEXT, cause=TEXT, by=ANYTHING), {"type": "null"}]},
    ),
    "Resource": _whole(
        resource=TEXT,
        name=TEXT,
        kind=TEXT,
        location=_or_null("string"),
        subscription=TEXT,
        last_seen=_or_null("string"),
        deployments=_list_of(
            _whole(name=_or_null("string"), sku=_or_null("string"), model=_or_null("string"), version=_or_null("string"), rai_policy=_or_null("string"))
        ),
    ),
    "Sweep": _whole(
        sweep=TEXT,
        slot=_or_null("string", "The slot of the schedule that it belongs to."),
        planned_at=TIME,
        closed_at=TIME,
        first=INDEX,
        end={**COUNT, "description": "One more than the index of its last record."},
        plan_record=INDEX,
        closed_record=INDEX,
        previous=_or_null("integer", "Closing record of the sweep before."),
        units=COUNT,
        missing=_list_of(TEXT, "Units that were planned and not collected."),
        failures={**COUNT, "description": "Questions without an answer."},
        complete={"type": "boolean"},
        findings={"type": "object", "additionalProperties": COUNT, "description": "How many, by status."},
        changes=COUNT,
    ),
    "Status": _whole(
        store=_whole(
            origin=TEXT,
            keys=_list_of(TEXT, "Verifier keys."),
            records=COUNT,
            retention={"anyOf": [_whole(policy={"enum": ["locked", "unlocked", "none"]}, until=_or_null("string")), {"type": "null"}]},
            holds=_list_of(TEXT, "Legal holds in force."),
        ),
        last_sweep={"anyOf": [_ref("Sweep"), {"type": "null"}]},
        open_sweeps=_list_of(TEXT),
        sweeps=COUNT,
        schedule=_or_null("string", "NCRONTAB, UTC."),
        missed_slots=_list_of(TIME),
        controls={"type": "object", "additionalProperties": {"type": "object", "additionalProperties": COUNT}},
        waived={"type": "object", "additionalProperties": COUNT, "description": "Of those not satisfied, how many are waived, by control."},
        waivers_expired={**COUNT, "description": "Findings that are not satisfied, and whose waiver is over."},
        catalogue=TEXT,
        alerts=_whole(waiting={"type": "object", "additionalProperties": COUNT}, dead={"type": "object", "additionalProperties": COUNT}),
        attested=_list_of(_ref("Attested"), "Who vouches for checkpoints, or keeps copies, and what is owed."),
    ),
    "Attested": _whole(
        name=TEXT,
        sort={"enum": ["timestamp", "cosignature", "copy"]},
        size=COUNT,
        at=_or_null("string"),
        owed=COUNT,
        since=_or_null("string"),
        error=_or_null("string"),
        grave={"type": "boolean"},
    ),
    "BundleRequest": {
        **_object(
            [],
            **{"from": _or_null("string", "Date or time, UTC; inclusive.")},
            to=_or_null("string", "Date (the whole day) or time."),
            resources=_list_of(TEXT, "ARM ids, or names of accounts."),
            framework=_or_null("string", "soc2, gdpr or iso27001."),
            disclose=_list_of(TEXT, "`all`, or the personal values that may be opened."),
        ),
        "additionalProperties": False,
    },
    "Queued": _whole(id=TEXT, state={"const": "queued"}),
    "Bundle": _object(
        ["id", "state", "asked", "by", "wanted", "disclosed"],
        id=TEXT,
        state={"enum": ["queued", "building", "built", "expired", "failed"]},
        asked=TIME,
        by=_or_null("string", "Object id of who asked."),
        wanted=_whole(**{"from": _or_null("string")}, to=_or_null("string"), resources=_list_of(TEXT), framework=_or_null("string")),
        disclosed={**COUNT, "description": "How many personal values were asked to be opened; which ones is not kept."},
        reason={"type": "string", "description": "Why it failed."},
        built=TIME,
        bytes=COUNT,
        sha256=TEXT,
        records=COUNT,
        sweeps=COUNT,
        link=_or_null("string", "Good for a quarter of an hour; ask again for another."),
    ),
}


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
    items = {"anyOf": [_ref(item), _ref(other)]} if other else _ref(item)
    page = _whole(items=_list_of(items), next=_or_null("integer", "What to pass as `after` for the next page."))
    return _get(summary, _answer("A page.", page), {**BAD, **CONFLICT}, *parameters, *PAGING)


def _absent(text: str) -> Described:
    return {"404": _answer(text, _ref("Problem"))}


_ID = {"name": "id", "in": "path", "required": True, "schema": TEXT}
_LATER = {"Retry-After": {"schema": TEXT, "description": "Seconds, while it is not built."}}
_WHERE = {"Location": {"schema": TEXT, "description": "Where to look."}, **_LATER}

PATHS: Described = {
    "/api/status": _get("Where things stand", _answer("Status.", _ref("Status")), {**BAD, **CONFLICT}),
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
    "/api/checkpoint": _get(
        "The newest signed checkpoint (c2sp.org/tlog-checkpoint)",
        {"description": "The checkpoint.", "content": {"text/plain": {"schema": TEXT}}},
        _absent("Nothing is sealed yet."),
    ),
    "/api/bundles": {
        "post": {
            "summary": "Ask for a bundle",
            "requestBody": {"required": False, "content": {"application/json": {"schema": _ref("BundleRequest")}}},
            "responses": {"202": _answer("Queued.", _ref("Queued"), _WHERE), **BAD, **REFUSED},
            "security": [{"entra": [OPERATOR]}],
        }
    },
    "/api/bundles/{id}": _get(
        "How far a bundle is; a link where it is built",
        _answer("The request.", _ref("Bundle"), _LATER),
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
