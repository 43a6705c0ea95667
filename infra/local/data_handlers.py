"""What the data plane answers to each question. Writes are for tests and the demo: no collector makes any.

A handler takes what was asked and gives a body, None for 204, or raises DataError. It is called with the world's lock held.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.local import data_shapes as shapes
from infra.local.authorship import Caller
from infra.local.data_access import deployment_not_found, no_such_object, not_found, retired, wrong
from infra.local.data_content import content_of
from infra.local.data_lists import WHOLE, Style, listed
from infra.local.data_plane import ASSISTANTS, STORES, DataPlane
from infra.local.data_training import BATCHES, FILES, JOBS, MODELS
from infra.local.multipart import fields

Json = Any
Body = dict[str, Json]

ASSISTANTS_END = datetime(2026, 8, 26, tzinfo=UTC)
GIVES_BODY_ON_DELETE = "2024-10-21"
"""The dated api-version from which DELETE of a file answers 200 with a body; before it was 204."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, understood: whose data plane, which parts of the path, in which generation, by whom."""

    data: DataPlane
    account: str
    parts: Mapping[str, str]
    query: Mapping[str, str]
    generation: shapes.Generation
    caller: Caller
    moment: datetime
    body: bytes = b""
    content_type: str = ""

    @property
    def json(self) -> Body:
        """The body of a write. Raises DataError where it is no JSON object."""
        try:
            found = json.loads(self.body or b"{}")
        except ValueError:
            raise wrong("The request body is not valid JSON.", "body") from None
        if not isinstance(found, dict):
            raise wrong("The request body is not a JSON object.", "body")
        return found

    def shown(self, collection: str, body: Body) -> Body:
        """What this generation shows of a body."""
        return shapes.shown(collection, body, self.generation, plain_models=self.data.plain_models)

    def page(self, collection: str, style: Style, ids: list[str] | None = None) -> Body:
        """A page of a collection."""
        held = self.data.ids(self.account, collection) if ids is None else ids
        return listed(held, lambda one: self.shown(collection, self.data.body(self.account, collection, one)), self.query, style)

    def one(self, collection: str, kind: str, identity: str) -> Body:
        """One object. Raises DataError where it is not there, or is deleted."""
        try:
            body = self.data.body(self.account, collection, identity)
        except KeyError:
            raise no_such_object(kind, identity) from None
        if body.get("status") == "deleted":
            raise no_such_object(kind, identity)
        return self.shown(collection, body)


Handler = Callable[[Asked], Body | bytes | None]


def files(asked: Asked) -> Body:
    """The files, perhaps of one purpose; the dated generation has no pages."""
    wanted = asked.query.get("purpose")
    ids = asked.data.ids(asked.account, FILES)
    if wanted:
        ids = [one for one in ids if asked.data.body(asked.account, FILES, one)["purpose"] == wanted]
    return asked.page(FILES, Style("cursor", 10_000, 10_000) if asked.generation == "v1" else WHOLE, ids)


def upload(asked: Asked) -> Body:
    """Upload a file (a form), or import one (JSON)."""
    if asked.content_type.startswith("multipart/"):
        form = fields(asked.body, asked.content_type)
        name, size, purpose = form["file"].filename, len(form["file"].value), form["purpose"].value.decode()
        lasts = form["expires_after[seconds]"].value.decode() if "expires_after[seconds]" in form else None
    else:
        name, size, purpose, lasts = asked.json["filename"], None, asked.json["purpose"], None
    if lasts is not None and not (lasts.isdecimal() and 3600 <= int(lasts) <= 2_592_000):
        raise wrong("expires_after[seconds] must be from 3600 to 2592000.", "expires_after[seconds]")
    after = None if lasts is None else timedelta(seconds=int(lasts))
    made = asked.data.upload_file(asked.account, name, purpose=purpose, size=size, expires_after=after, caller=asked.caller)
    return asked.one(FILES, "File", made)


def delete_file(asked: Asked) -> Body | None:
    """Delete a file: 204 without a body before 2024-10-21."""
    identity = asked.parts["id"]
    asked.one(FILES, "File", identity)
    asked.data.delete_file(asked.account, identity, caller=asked.caller)
    if asked.generation == "dated" and asked.query["api-version"][:10] < GIVES_BODY_ON_DELETE:
        return None
    return {"id": identity, "object": "file", "deleted": True}


def start_job(asked: Asked) -> Body:
    """Start a job."""
    body = asked.json
    asked.one(FILES, "File", body["training_file"])
    job = asked.data.start_job(
        asked.account,
        body["training_file"],
        model=body["model"],
        validation=body.get("validation_file"),
        suffix=body.get("suffix"),
        metadata=body.get("metadata"),
        caller=asked.caller,
    )
    return asked.one(JOBS, "FineTuningJob", job)


def cancel_job(asked: Asked) -> Body:
    """Stop a job."""
    asked.one(JOBS, "FineTuningJob", asked.parts["id"])
    asked.data.cancel_job(asked.account, asked.parts["id"], caller=asked.caller)
    return asked.one(JOBS, "FineTuningJob", asked.parts["id"])


def delete_job(asked: Asked) -> None:
    """Delete a job and its model: 204."""
    asked.one(JOBS, "FineTuningJob", asked.parts["id"])
    asked.data.delete_job(asked.account, asked.parts["id"], caller=asked.caller)


def of_job(name: str, style: Style) -> Handler:
    """The list of a job's events or checkpoints."""

    def handler(asked: Asked) -> Body:
        asked.one(JOBS, "FineTuningJob", asked.parts["id"])
        return asked.page(f"{JOBS}/{asked.parts['id']}/{name}", style)

    return handler


def models(asked: Asked) -> Body:
    """All models, fine-tuned ones first, in one piece."""
    location = str(asked.data.world.resources.body(asked.account)["location"])
    held = [asked.data.body(asked.account, MODELS, one) for one in asked.data.ids(asked.account, MODELS)]
    rows = [asked.shown("models", body) for body in (*reversed(held), *shapes.base_models(location))]
    return {"data": rows, "object": "list"}


def model(asked: Asked) -> Body:
    """One model."""
    found = [row for row in models(asked)["data"] if row["id"] == asked.parts["id"]]
    if not found:
        raise no_such_object("Model", asked.parts["id"])
    return dict(found[0])


def start_batch(asked: Asked) -> Body:
    """Start a batch."""
    body = asked.json
    asked.one(FILES, "File", body["input_file_id"])
    made = asked.data.start_batch(
        asked.account, body["input_file_id"], endpoint=body["endpoint"], metadata=body.get("metadata"), caller=asked.caller
    )
    return asked.one(BATCHES, "Batch", made)


def cancel_batch(asked: Asked) -> Body:
    """Stop a batch."""
    asked.one(BATCHES, "Batch", asked.parts["id"])
    asked.data.cancel_batch(asked.account, asked.parts["id"], caller=asked.caller)
    return asked.one(BATCHES, "Batch", asked.parts["id"])


def store_files(asked: Asked) -> Body:
    """The files in a vector store."""
    asked.one(STORES, "VectorStore", asked.parts["id"])
    return asked.page(f"{STORES}/{asked.parts['id']}/files", Style("cursor"))


def create_store(asked: Asked) -> Body:
    """Make a vector store."""
    body = asked.json
    days = (body.get("expires_after") or {}).get("days")
    made = asked.data.create_store(
        asked.account,
        body.get("name"),
        files=tuple(body.get("file_ids", ())),
        days=days,
        metadata=body.get("metadata"),
        caller=asked.caller,
    )
    return asked.one(STORES, "VectorStore", made)


def assistants(asked: Asked) -> Body:
    """The assistants, until their API ended."""
    _require_assistants(asked)
    return asked.page(ASSISTANTS, Style("cursor"))


def assistant(asked: Asked) -> Body:
    """One assistant, until their API ended."""
    _require_assistants(asked)
    return asked.one(ASSISTANTS, "Assistant", asked.parts["id"])


def chat(asked: Asked) -> bytes:
    """A completion, or the refusal where there is no such deployment."""
    name = asked.parts.get("deployment") or asked.json.get("model", "")
    if f"{asked.account}/deployments/{name}" not in asked.data.world.resources:
        raise deployment_not_found()
    return content_of("chat")


def content(asked: Asked) -> bytes:
    """What users wrote, or what was written to them: nobody is to ask for it."""
    return content_of(asked.parts.get("id", ""))


def simple(collection: str, kind: str, style: Style | None = None) -> Handler:
    """The list of a collection, or (without a style) one of its objects."""
    if style is None:
        return lambda asked: asked.one(collection, kind, asked.parts["id"])
    return lambda asked: asked.page(collection, style)


def deleted(collection: str, kind: str, said: str, verb: Callable[[DataPlane], Callable[..., None]]) -> Handler:
    """Delete an object: 200 with `{"id","object","deleted"}`."""

    def handler(asked: Asked) -> Body:
        identity = asked.parts["id"]
        asked.one(collection, kind, identity)
        verb(asked.data)(asked.account, identity, caller=asked.caller)
        return {"id": identity, "object": said, "deleted": True}

    return handler


def _require_assistants(asked: Asked) -> None:
    if asked.moment >= ASSISTANTS_END:
        raise retired(asked.data.retired_status) if asked.data.retired_status != 404 else not_found()
