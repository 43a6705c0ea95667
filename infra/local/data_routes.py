"""Which path of the data plane is answered by what, in which generation: the routing table."""

import re
from dataclasses import dataclass
from typing import Any

from infra.local import data_handlers as handle
from infra.local import data_shapes as shapes
from infra.local.data_lists import Style
from infra.local.data_plane import CONTAINERS, STORES
from infra.local.data_training import BATCHES, FILES, JOBS, MODELS


@dataclass(frozen=True, slots=True)
class DataRoute:
    """One row. `since`: the first dated api-version that has it; None: `/openai/v1` alone. `v1`: whether `/openai/v1` has it."""

    method: str
    template: str
    pattern: re.Pattern[str]
    operation: str
    handler: handle.Handler
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


def _row(
    method: str,
    template: str,
    operation: str,
    handler: handle.Handler,
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
    _row("GET", "/files", "files.list", handle.files),
    _row("POST", "/files", "files.upload", handle.upload, status=201),
    _row("POST", "/files/import", "files.upload", handle.upload, v1=False, status=201),
    _row("GET", "/files/{id}", "files.get", handle.simple(FILES, "File")),
    _row("DELETE", "/files/{id}", "files.delete", handle.delete_file),
    _row("GET", "/files/{id}/content", "files.content", handle.content, content=True),
    _row("GET", "/fine_tuning/jobs", "jobs.list", handle.simple(JOBS, "FineTuningJob", _JOBS)),
    _row("POST", "/fine_tuning/jobs", "jobs.create", handle.start_job, status=201),
    _row("GET", "/fine_tuning/jobs/{id}", "jobs.get", handle.simple(JOBS, "FineTuningJob")),
    _row("DELETE", "/fine_tuning/jobs/{id}", "jobs.delete", handle.delete_job),
    _row("POST", "/fine_tuning/jobs/{id}/cancel", "jobs.cancel", handle.cancel_job),
    _row("GET", "/fine_tuning/jobs/{id}/events", "jobs.events", handle.of_job("events", _JOBS)),
    _row("GET", "/fine_tuning/jobs/{id}/checkpoints", "jobs.checkpoints", handle.of_job("checkpoints", Style("cursor", 10)), since="2024-06-01"),
    _row("GET", "/models", "models.list", handle.models, since="2022-12-01"),
    _row("GET", "/models/{id}", "models.get", handle.model, since="2022-12-01"),
    _row("DELETE", "/models/{id}", "models.delete", handle.deleted(MODELS, "Model", "model", lambda data: data.delete_model), **_V1),
    _row("GET", "/batches", "batches.list", handle.simple(BATCHES, "Batch", _CURSOR), since="2024-07-01"),
    _row("POST", "/batches", "batches.create", handle.start_batch, since="2024-07-01"),
    _row("GET", "/batches/{id}", "batches.get", handle.simple(BATCHES, "Batch"), since="2024-07-01"),
    _row("POST", "/batches/{id}/cancel", "batches.cancel", handle.cancel_batch, since="2024-07-01"),
    _row("GET", "/vector_stores", "stores.list", handle.simple(STORES, "VectorStore", _CURSOR), **_STORE),
    _row("POST", "/vector_stores", "stores.create", handle.create_store, **_STORE),
    _row("GET", "/vector_stores/{id}", "stores.get", handle.simple(STORES, "VectorStore"), **_STORE),
    _row("DELETE", "/vector_stores/{id}", "stores.delete",
         handle.deleted(STORES, "VectorStore", "vector_store.deleted", lambda data: data.delete_store), **_STORE),
    _row("GET", "/vector_stores/{id}/files", "stores.files", handle.store_files, **_STORE),
    _row("GET", "/vector_stores/{id}/files/{file}/content", "content", handle.content, content=True, **_V1),
    _row("POST", "/vector_stores/{id}/search", "content", handle.content, content=True, **_V1),
    _row("GET", "/assistants", "assistants.list", handle.assistants, v1=False, **_PREVIEW),
    _row("GET", "/assistants/{id}", "assistants.get", handle.assistant, v1=False, **_PREVIEW),
    _row("GET", "/threads/{id}/messages", "content", handle.content, v1=False, content=True, **_PREVIEW),
    _row("GET", "/containers", "containers.list", handle.simple(CONTAINERS, "Container", _CURSOR), **_V1),
    _row("GET", "/containers/{id}", "containers.get", handle.simple(CONTAINERS, "Container"), **_V1),
    _row("DELETE", "/containers/{id}", "containers.delete",
         handle.deleted(CONTAINERS, "Container", "container.deleted", lambda data: data.delete_container), **_V1),
    _row("GET", "/containers/{id}/files", "content", handle.content, content=True, **_V1),
    _row("GET", "/containers/{id}/files/{file}/content", "content", handle.content, content=True, **_V1),
    _row("GET", "/chat/completions", "content", handle.content, content=True, **_V1),
    _row("GET", "/chat/completions/{id}", "content", handle.content, content=True, **_V1),
    _row("GET", "/chat/completions/{id}/messages", "content", handle.content, content=True, **_V1),
    _row("GET", "/responses/{id}", "content", handle.content, content=True, **_V1),
    _row("GET", "/responses/{id}/input_items", "content", handle.content, content=True, **_V1),
    _row("GET", "/conversations/{id}/items", "content", handle.content, content=True, **_V1),
    _row("GET", "/evals", "content", handle.content, content=True, **_V1),
    _row("GET", "/evals/{id}/runs/{run}/output_items", "content", handle.content, content=True, **_V1),
    _row("POST", "/chat/completions", "chat", handle.chat, content=True, **_V1),
    _row("POST", "/deployments/{deployment}/chat/completions", "chat", handle.chat, content=True, v1=False, since="2023-05-15"),
)  # fmt: skip
"""All that is served. The templates follow `/openai/v1` or `/openai`."""
