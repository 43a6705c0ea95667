"""What is answered over HTTP, member by member (JSON Schema 2020-12): the schemas of `functions.openapi`."""

from typing import Any

from shared.model import SEVERITIES, STATUSES
from shared.service.drifted import AS_APPROVED, DRIFTED, NOT_KNOWN
from shared.service.gone import LONGEST

Described = dict[str, Any]


def object_(required: list[str], **properties: Described) -> Described:
    return {"type": "object", "required": required, "properties": properties}


def whole(**properties: Described) -> Described:
    """An object that always has all of its members."""
    return object_(list(properties), **properties)


def ref(name: str) -> Described:
    return {"$ref": f"#/components/schemas/{name}"}


def or_null(kind: str, text: str = "") -> Described:
    return {"type": [kind, "null"], **({"description": text} if text else {})}


def list_of(item: Described, text: str = "") -> Described:
    return {"type": "array", "items": item, **({"description": text} if text else {})}


TEXT: Described = {"type": "string"}
COUNT: Described = {"type": "integer", "minimum": 0}
TIME: Described = {"type": "string", "format": "date-time"}
INDEX: Described = {"type": "integer", "minimum": 0, "description": "Index of a record in the log."}
ANYTHING: Described = {"description": "As Azure has it; personal values are commitments."}

_RECORD = {"record": INDEX, "v": {"const": 1}, "type": TEXT, "kind": TEXT, "at": TIME, "sweep": TEXT, "unit": TEXT, "resource": or_null("string")}

_FIELD = object_(
    ["pointer", "op", "was", "is"],
    pointer=TEXT, op={"enum": ["added", "removed", "changed"]}, was=ANYTHING, of=list_of(TEXT, "What tells members of lists on the way apart."),
    **{"is": ANYTHING},
)  # fmt: skip

_MEANING = whole(
    severity={"enum": list(SEVERITIES)}, text=TEXT, direction={"enum": ["worse", "better", "neutral"]}, control=or_null("string"), statements=list_of(TEXT), pointer=TEXT,
)  # fmt: skip
_SEEN = whole(record=INDEX, at=TIME)
_CLIENT: Described = {"type": ["object", "null"], "description": "What was used: `appid` and `idtyp` of the token's claims."}
_ATTRIBUTION = whole(
    **_RECORD,
    says={"type": "string", "description": "The record in one line."},
    change=whole(
        since=or_null("string"), until=TIME, op={"enum": ["added", "removed", "changed", "provided"]}, to=or_null("integer"), **{"from": or_null("integer")},
    ),
    status={"enum": ["attributed", "unattributed"]},
    by=ANYTHING,
    client=_CLIENT,
    operation=or_null("string"),
    outcome={"enum": ["succeeded", "open", None]},
    correlation=or_null("string"),
    reason={"type": "string", "description": "One sentence."},
    complete={"type": "boolean", "description": "Whether the Activity Log was read over all of the time, and long enough after."},
    candidates=list_of(
        whole(by=ANYTHING, client=_CLIENT, operation=TEXT, outcome=TEXT, correlation=or_null("string"), to=TIME, **{"from": TIME}),
        "Every operation that can have made it.",
    ),
    witnesses=list_of(whole(witness={"enum": ["activity-log", "event"]}, record=INDEX, page=COUNT, pointer=TEXT, at=TIME), "Where they are told of."),
    records=list_of(INDEX, "What it rests on."),
)  # fmt: skip

SCHEMAS: Described = {
    "Problem": whole(error={"type": "string", "description": "One line: what happened, what to do."}),
    "Finding": whole(
        **_RECORD,
        control=TEXT,
        status={"enum": list(STATUSES)},
        reason={"type": "string", "description": "One sentence."},
        records=list_of(INDEX, "What it rests on."),
        points=list_of(whole(record=INDEX, page=COUNT, pointer=TEXT), "Where in their bodies (RFC 6901)."),
        catalogue={"type": "string", "description": "Version of the catalogue that it was judged by."},
        profile={"type": "string", "description": "SHA-256 of the profile that it was judged by."},
        waived={
            "anyOf": [whole(waiver=COUNT, record=or_null("integer", "What grants it."), until=TIME, owner=ANYTHING, reason=TEXT), {"type": "null"}],
            "description": "What waives it, where it is not satisfied; the status is what the evidence says.",
        },
    ),
    "Change": whole(
        **_RECORD,
        fields=list_of(_FIELD),
        severity={"enum": list(SEVERITIES)},
        means=list_of(_MEANING, "What it means, the worst first."),
        attribution={"oneOf": [_ATTRIBUTION, {"type": "null"}], "description": "Who made it, as the last record about that says; null: no record does."},
        since={**TIME, "description": "It was as before at this time …"},
        until={**TIME, "description": "… and as after at this."},
        **{"from": or_null("integer", "The record before; null where it appeared."), "to": or_null("integer", "The record after; null where it is gone.")},
    ),
    "Deletion": object_(
        [*_RECORD, "object", "account", "count", "after", "before", "status", "cause", "by", "created", "reason", "witnesses", "records", "pairs",
         "supersedes", "superseded", "first_seen"],
        **_RECORD,
        object=whole(kind=TEXT, id=or_null("string", "As Azure spells it; null where the log that tells of it names none.")),
        account=TEXT,
        count=COUNT,
        after={**TIME, "description": "It went after this time …"},
        before={**TIME, "description": "… and before this."},
        status={"enum": ["corroborated", "logged", "unlogged", "not-effective", "unobservable"]},
        cause=TEXT,
        by=ANYTHING,
        created=or_null("string", "When Azure says that it was made."),
        reason={"type": "string", "description": "One sentence."},
        witnesses=list_of(whole(witness=TEXT, record=INDEX, page=COUNT, pointer=TEXT, at=TIME)),
        records=list_of(INDEX, "What it rests on."),
        pairs=list_of(list_of(INDEX), "Inventories that follow each other, and between which something is gone."),
        counted=list_of(whole(record=INDEX, page=COUNT, pointer=TEXT), "What those records tell beside, and was counted before."),
        supersedes=list_of(INDEX),
        superseded=list_of(INDEX, "All earlier deletions whose place it takes."),
        first_seen={"anyOf": [_SEEN, {"type": "null"}]},
    ),
    "Object": whole(
        kind=TEXT,
        id=TEXT,
        resource=TEXT,
        account=TEXT,
        unit=TEXT,
        first_seen={"anyOf": [_SEEN, {"type": "null"}]},
        last_seen={"anyOf": [_SEEN, {"type": "null"}]},
        gone={"anyOf": [whole(record=INDEX, after=TIME, before=TIME, status=TEXT, cause=TEXT, by=ANYTHING), {"type": "null"}]},
    ),
    "Drift": whole(
        resource=or_null("string", "Null: the collection itself."),
        baseline=or_null("integer", "Number of the baseline that covers it; null where none does."),
        state={"enum": [AS_APPROVED, *DRIFTED, *NOT_KNOWN], "description": "Where nobody could look, then or now, it is unknown, never as approved."},
        severity={"enum": [*SEVERITIES, None], "description": "The worst of what differs."},
        differences=list_of(
            whole(kind=TEXT, resource=TEXT, fields=list_of(_FIELD), severity={"enum": list(SEVERITIES)}, means=list_of(_MEANING, "What it means, the worst first."),
                  approved=or_null("integer", "The record of what was approved."), approved_at=or_null("string"),
                  now=or_null("integer", "The record of what is."), now_at=or_null("string"), sweep=or_null("string")),
        ),
        unknown=list_of(whole(kind=TEXT, resource=TEXT, why={"type": "string", "description": "Why nobody knows."}), "Questions of which it is not known."),
    ),
    "Resource": whole(
        resource=TEXT,
        name=TEXT,
        kind=TEXT,
        location=or_null("string"),
        subscription=TEXT,
        last_seen=or_null("string"),
        deployments=list_of(
            whole(name=or_null("string"), sku=or_null("string"), model=or_null("string"), version=or_null("string"), rai_policy=or_null("string"))
        ),
    ),
    "Sweep": whole(
        sweep=TEXT,
        slot=or_null("string", "The slot of the schedule that it belongs to."),
        planned_at=TIME,
        closed_at=TIME,
        first=INDEX,
        end={**COUNT, "description": "One more than the index of its last record."},
        plan_record=INDEX,
        closed_record=INDEX,
        previous=or_null("integer", "Closing record of the sweep before."),
        units=COUNT,
        missing=list_of(TEXT, "Units that were planned and not collected."),
        failures={**COUNT, "description": "Questions without an answer."},
        complete={"type": "boolean"},
        findings={"type": "object", "additionalProperties": COUNT, "description": "How many, by status."},
        changes=COUNT,
    ),
    "Status": whole(
        store=whole(
            origin=TEXT,
            keys=list_of(TEXT, "Verifier keys."),
            records=COUNT,
            retention={"anyOf": [whole(policy={"enum": ["locked", "unlocked", "none"]}, until=or_null("string")), {"type": "null"}]},
            holds=list_of(TEXT, "Legal holds in force."),
        ),
        last_sweep={"anyOf": [ref("Sweep"), {"type": "null"}]},
        narrowed_to={"anyOf": [list_of(TEXT, "Accounts that the last sweep was narrowed to."), {"type": "null"}]},
        open_sweeps=list_of(TEXT),
        sweeps=COUNT,
        schedule=or_null("string", "NCRONTAB, UTC."),
        missed_slots=list_of(TIME),
        controls={"type": "object", "additionalProperties": {"type": "object", "additionalProperties": COUNT}},
        waived={"type": "object", "additionalProperties": COUNT, "description": "Of those not satisfied, how many are waived, by control."},
        waivers_expired={**COUNT, "description": "Findings that are not satisfied, and whose waiver is over."},
        catalogue=TEXT,
        alerts=whole(waiting={"type": "object", "additionalProperties": COUNT}, dead={"type": "object", "additionalProperties": COUNT}),
        attested=list_of(ref("Attested"), "Who vouches for checkpoints, or keeps copies, and what is owed."),
    ),
    "Attested": whole(
        name=TEXT,
        sort={"enum": ["timestamp", "cosignature", "copy"]},
        size=COUNT,
        at=or_null("string"),
        owed=COUNT,
        since=or_null("string"),
        error=or_null("string"),
        grave={"type": "boolean"},
    ),
    "BundleRequest": {
        **object_(
            [],
            **{"from": or_null("string", "Date or time, UTC; inclusive.")},
            to=or_null("string", "Date (the whole day) or time."),
            resources=list_of(TEXT, "ARM ids, or names of accounts."),
            framework=or_null("string", "soc2, gdpr or iso27001."),
            disclose=list_of(TEXT, "`all`, or the personal values that may be opened."),
            object={**or_null("string", "Id or name of one object that is gone: the bundle is about its end, in the accounts that held it, with a certificate."),
                    "minLength": 1, "maxLength": LONGEST},
        ),
        "additionalProperties": False,
    },
    "Queued": whole(id=TEXT, state={"const": "queued"}),
    "Bundle": object_(
        ["id", "state", "asked", "by", "wanted", "disclosed", "one_object"],
        id=TEXT,
        state={"enum": ["queued", "building", "built", "expired", "failed"]},
        asked=TIME,
        by=or_null("string", "Object id of who asked."),
        wanted=whole(**{"from": or_null("string")}, to=or_null("string"), resources=list_of(TEXT), framework=or_null("string")),
        disclosed={**COUNT, "description": "How many personal values were asked to be opened; which ones is not kept."},
        one_object={"type": "boolean", "description": "Whether it is about one object that is gone; which one is not kept."},
        reason={"type": "string", "description": "Why it failed."},
        built=TIME,
        bytes=COUNT,
        sha256=TEXT,
        records=COUNT,
        sweeps=COUNT,
        link=or_null("string", "Good for a quarter of an hour; ask again for another."),
    ),
}
