"""Which path of the data plane is answered by what, in which generation. Writes are for tests and the demo: no collector makes any.

A handler takes what was asked and gives a body, None for 204, or raises DataError. It is called with the world's lock held.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from infra.local import data_shapes as shapes
from infra.local.authorship import Caller
from infra.local.data_access import deployment_not_found, no_such_object, not_found, retired, wrong
from infra.local.data_content import content_of
from infra.local.data_lists import WHOLE, Style, listed
from infra.local.data_plane import ASSISTANTS, CONTAINERS, STORES, DataPlane
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


@dataclass(frozen=True, slots=True)
class DataRoute:
    """One row. `since`: the first dated api-version that has it; None: `/openai/v1` alone. `v1`: whether `/openai/v1` has it."""

    method: str
    template: str
    pattern: re.Pattern[str]
    operation: str
    handler: Handler
    since: str | None
    v1: bool
    previews_only: bool
    content: bool
    status: int

    def serves(self, generation: shapes.Generation, version: str) -> bool:
        """Whether the row is there in a generation, at an api-version."""
        if generation == "v1":
            return self.v1
        return self.since is not None and version[:10] >= self.since and (version.endswith("-preview") or not self.previews_only)


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
    else:
        name, size, purpose = asked.json["filename"], None, asked.json["purpose"]
    made = asked.data.upload_file(asked.account, name, purpose=purpose, size=size, caller=asked.caller)
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


def _row(
    method: str,
    template: str,
    operation: str,
    handler: Handler,
    *,
    since: str | None = "2023-10-01",
    v1: bool = True,
    previews_only: bool = False,
    content: bool = False,
    status: int = 200,
) -> DataRoute:
    pattern = re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(template)))
    return DataRoute(method, template, pattern, operation, handler, since, v1, previews_only, content, status)


_PREVIEW: dict[str, Any] = {"since": "2024-02-15", "previews_only": True}
_STORE: dict[str, Any] = {"since": "2024-05-01", "previews_only": True}
_V1: dict[str, Any] = {"since": None}
_CURSOR, _JOBS = Style("cursor"), Style("jobs")

ROUTES: tuple[DataRoute, ...] = (
    _row("GET", "/files", "files.list", files),
    _row("POST", "/files", "files.upload", upload, status=201),
    _row("POST", "/files/import", "files.upload", upload, v1=False, status=201),
    _row("GET", "/files/{id}", "files.get", simple(FILES, "File")),
    _row("DELETE", "/files/{id}", "files.delete", delete_file),
    _row("GET", "/files/{id}/content", "files.content", content, content=True),
    _row("GET", "/fine_tuning/jobs", "jobs.list", simple(JOBS, "FineTuningJob", _JOBS)),
    _row("POST", "/fine_tuning/jobs", "jobs.create", start_job, status=201),
    _row("GET", "/fine_tuning/jobs/{id}", "jobs.get", simple(JOBS, "FineTuningJob")),
    _row("DELETE", "/fine_tuning/jobs/{id}", "jobs.delete", delete_job),
    _row("POST", "/fine_tuning/jobs/{id}/cancel", "jobs.cancel", cancel_job),
    _row("GET", "/fine_tuning/jobs/{id}/events", "jobs.events", of_job("events", _JOBS)),
    _row("GET", "/fine_tuning/jobs/{id}/checkpoints", "jobs.checkpoints", of_job("checkpoints", Style("cursor", 10)), since="2024-06-01"),
    _row("GET", "/models", "models.list", models, since="2022-12-01"),
    _row("GET", "/models/{id}", "models.get", model, since="2022-12-01"),
    _row("DELETE", "/models/{id}", "models.delete", deleted(MODELS, "Model", "model", lambda data: data.delete_model), **_V1),
    _row("GET", "/batches", "batches.list", simple(BATCHES, "Batch", _CURSOR), since="2024-07-01"),
    _row("POST", "/batches", "batches.create", start_batch, since="2024-07-01"),
    _row("GET", "/batches/{id}", "batches.get", simple(BATCHES, "Batch"), since="2024-07-01"),
    _row("POST", "/batches/{id}/cancel", "batches.cancel", cancel_batch, since="2024-07-01"),
    _row("GET", "/vector_stores", "stores.list", simple(STORES, "VectorStore", _CURSOR), **_STORE),
    _row("POST", "/vector_stores", "stores.create", create_store, **_STORE),
    _row("GET", "/vector_stores/{id}", "stores.get", simple(STORES, "VectorStore"), **_STORE),
    _row("DELETE", "/vector_stores/{id}", "stores.delete",
         deleted(STORES, "VectorStore", "vector_store.deleted", lambda data: data.delete_store), **_STORE),
    _row("GET", "/vector_stores/{id}/files", "stores.files", store_files, **_STORE),
    _row("GET", "/vector_stores/{id}/files/{file}/content", "content", content, content=True, **_V1),
    _row("POST", "/vector_stores/{id}/search", "content", content, content=True, **_V1),
    _row("GET", "/assistants", "assistants.list", assistants, v1=False, **_PREVIEW),
    _row("GET", "/assistants/{id}", "assistants.get", assistant, v1=False, **_PREVIEW),
    _row("GET", "/threads/{id}/messages", "content", content, v1=False, content=True, **_PREVIEW),
    _row("GET", "/containers", "containers.list", simple(CONTAINERS, "Container", _CURSOR), **_V1),
    _row("GET", "/containers/{id}", "containers.get", simple(CONTAINERS, "Container"), **_V1),
    _row("DELETE", "/containers/{id}", "containers.delete",
         deleted(CONTAINERS, "Container", "container.deleted", lambda data: data.delete_container), **_V1),
    _row("GET", "/containers/{id}/files", "content", content, content=True, **_V1),
    _row("GET", "/containers/{id}/files/{file}/content", "content", content, content=True, **_V1),
    _row("GET", "/chat/completions", "content", content, content=True, **_V1),
    _row("GET", "/chat/completions/{id}", "content", content, content=True, **_V1),
    _row("GET", "/chat/completions/{id}/messages", "content", content, content=True, **_V1),
    _row("GET", "/responses/{id}", "content", content, content=True, **_V1),
    _row("GET", "/responses/{id}/input_items", "content", content, content=True, **_V1),
    _row("GET", "/conversations/{id}/items", "content", content, content=True, **_V1),
    _row("GET", "/evals", "content", content, content=True, **_V1),
    _row("GET", "/evals/{id}/runs/{run}/output_items", "content", content, content=True, **_V1),
    _row("POST", "/chat/completions", "chat", chat, content=True, **_V1),
    _row("POST", "/deployments/{deployment}/chat/completions", "chat", chat, content=True, v1=False, since="2023-05-15"),
)  # fmt: skip
"""All that is served. The templates follow `/openai/v1` or `/openai`."""
