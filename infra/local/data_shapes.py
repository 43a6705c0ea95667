"""The bodies of what an account holds: files, fine-tuning jobs, models, batches, vector stores, assistants, containers.

Shapes after Microsoft's specifications and examples (authoring 2024-10-21, `/openai/v1`), OpenAI's for what came from there. A body holds what
both generations show; `shown` leaves out what one of them does not have. Kept on purpose: words of users in names, metadata, instructions
and descriptions (`WORDS` marks those that the stand-in makes up, so that a test can look for them in what was sealed), times in whole
seconds, explicit nulls, job states that are spelled otherwise in `/openai/v1`, and a base model that is listed twice under one id, as a real
list of 2023 did.
"""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

from infra.local.model_list import account_models

Json = Any
Body = dict[str, Json]
Generation = Literal["v1", "dated"]

WORDS = "zq7-words-of-a-user"
"""In every text that users write and the stand-in makes up: none of it may ever be found in evidence."""

_V1_ONLY = {
    "files": ("expires_at",),
    "finetuningjobs": ("method", "metadata", "trainingType"),
    "batches": (),
}
_STATES = {"pending": "queued"}
"""States of a job as `/openai/v1` spells them."""

_TWICE = "gpt-35-turbo"


def seconds(moment: datetime) -> int:
    """As the data plane writes times: whole seconds since 1970."""
    return int(moment.timestamp())


def shown(collection: str, body: Body, generation: Generation, *, plain_models: bool = False) -> Body:
    """What a generation shows of a body. `plain_models`: models of `/openai/v1` in OpenAI's shape, without Azure's fields."""
    if generation == "dated":
        left_out = _V1_ONLY.get(collection, ())
        return {key: value for key, value in body.items() if key not in left_out}
    if collection == "finetuningjobs":
        return {**body, "status": _STATES.get(body["status"], body["status"])}
    if collection == "models" and plain_models:
        return {"id": body["id"], "object": "model", "created": body["created_at"], "owned_by": "azure-openai"}
    return body


def file_body(
    identity: str, at: datetime, filename: str, *, purpose: str, size: int | None, status: str, expires_at: datetime | None = None
) -> Body:
    """A file. `expires_at` is there only where it expires."""
    body: Body = {"status": status, "bytes": size, "purpose": purpose, "filename": filename, "id": identity}
    if expires_at is not None:
        body["expires_at"] = seconds(expires_at)
    return body | {"created_at": seconds(at), "object": "file"}


def job_body(
    identity: str,
    at: datetime,
    *,
    model: str,
    training: str,
    validation: str | None,
    suffix: str | None,
    metadata: Mapping[str, str] | None,
) -> Body:
    """A fine-tuning job that waits for its turn."""
    parameters = {"n_epochs": -1, "batch_size": -1, "learning_rate_multiplier": 1}
    return {
        "id": identity,
        "object": "fine_tuning.job",
        "status": "pending",
        "model": model,
        "fine_tuned_model": None,
        "training_file": training,
        "validation_file": validation,
        "result_files": None,
        "hyperparameters": parameters,
        "trained_tokens": None,
        "suffix": suffix,
        "seed": 1234,
        "error": None,
        "estimated_finish": None,
        "created_at": seconds(at),
        "finished_at": None,
        "method": {"type": "supervised", "supervised": {"hyperparameters": parameters}},
        "trainingType": "Standard",
        "metadata": dict(metadata) if metadata else None,
    }


def event_body(identity: str, at: datetime, message: str, *, level: str = "info", data: Json = None) -> Body:
    """An event of a job. Messages are Azure's, and name files."""
    kind = "metrics" if data else "message"
    body = {"id": identity, "created_at": seconds(at), "level": level, "message": message, "type": kind, "object": "fine_tuning.job.event"}
    return body | ({"data": data} if data else {})


def checkpoint_body(identity: str, at: datetime, job: str, model: str, step: int) -> Body:
    """A checkpoint: a model that can be deployed too."""
    return {
        "id": identity,
        "created_at": seconds(at),
        "fine_tuned_model_checkpoint": f"{model}:ckpt-step-{step}",
        "step_number": step,
        "metrics": {"step": step, "train_loss": 0.478, "full_valid_loss": 0.567, "full_valid_mean_token_accuracy": 0.944},
        "fine_tuning_job_id": job,
        "object": "fine_tuning.job.checkpoint",
    }


def _model_body(identity: str, created: int, abilities: Mapping[str, bool], retires: Json, preview: bool = False) -> Body:
    return {
        "capabilities": {
            name: abilities.get(name, False) for name in ("fine_tune", "inference", "completion", "chat_completion", "embeddings")
        },
        "lifecycle_status": "preview" if preview else "generally-available",
        "deprecation": retires,
        "id": identity,
        "status": "succeeded",
        "created_at": created,
        "updated_at": created,
        "object": "model",
    }


def tuned_model_id(base: str, job: str, suffix: str | None) -> str:
    """The id of the model that a job makes."""
    return f"{base}.ft-{job.removeprefix('ftjob-')}" + (f"-{suffix}" if suffix else "")


def tuned_model_body(identity: str, at: datetime, *, base: str, job: str) -> Body:
    """A fine-tuned model, as the list of models shows it."""
    retires = {"inference": seconds(at) + 2 * 365 * 86400}
    body = _model_body(identity, seconds(at), {"inference": True, "chat_completion": True}, retires)
    return body | {"model": base, "fine_tune": job}


def base_models(location: str) -> list[Body]:
    """The base models of a region, as the list of models shows them: one id is there twice."""
    rows = [_base_model(row) for row in account_models(location.lower())]
    twice = next(row for row in rows if row["id"].startswith(_TWICE))
    return [*rows, {**twice, "id": _TWICE}, {**twice, "id": _TWICE, "deprecation": {"inference": 1705276800}}]


def _base_model(row: Json) -> Body:
    abilities = {"inference": True, "fine_tune": "fineTune" in row["capabilities"]}
    abilities |= {"chat_completion": "chatCompletion" in row["capabilities"], "embeddings": "embeddings" in row["capabilities"]}
    abilities["completion"] = "completion" in row["capabilities"]
    retires = {("fine_tune" if use == "fineTune" else use): _midnight(day) for use, day in row["deprecation"].items()}
    return _model_body(f"{row['name']}-{row['version']}", 1691712000, abilities, retires, row["lifecycleStatus"] == "Preview")


def _midnight(day: str) -> int:
    found = date.fromisoformat(day[:10])
    return seconds(datetime(found.year, found.month, found.day, tzinfo=UTC))


def batch_body(
    identity: str, at: datetime, *, input_file: str, endpoint: str, metadata: Mapping[str, str] | None, window_ends: datetime
) -> Body:
    """A batch whose input is looked at."""
    times = dict.fromkeys(
        ("in_progress_at", "finalizing_at", "completed_at", "failed_at", "expired_at", "cancelling_at", "cancelled_at"), None
    )
    return {
        "object": "batch",
        "id": identity,
        "endpoint": endpoint,
        "errors": None,
        "input_file_id": input_file,
        "completion_window": "24h",
        "status": "validating",
        "output_file_id": "",
        "error_file_id": "",
        "created_at": seconds(at),
        "expires_at": seconds(window_ends),
        **times,
        "request_counts": {"total": 0, "completed": 0, "failed": 0},
        "metadata": dict(metadata) if metadata else None,
    }


def store_body(
    identity: str, at: datetime, name: str | None, *, metadata: Mapping[str, str] | None, expires_after: Json, expires_at: datetime | None
) -> Body:
    """A vector store."""
    counts = dict.fromkeys(("in_progress", "completed", "failed", "cancelled", "total"), 0)
    return {
        "id": identity,
        "object": "vector_store",
        "created_at": seconds(at),
        "name": name,
        "usage_bytes": 0,
        "file_counts": counts,
        "status": "completed",
        "expires_after": expires_after,
        "expires_at": None if expires_at is None else seconds(expires_at),
        "last_active_at": seconds(at),
        "metadata": dict(metadata or {}),
    }


def store_file_body(file: str, at: datetime, store: str, size: int, attributes: Mapping[str, Json] | None) -> Body:
    """A file in a vector store: its id is that of the file."""
    return {
        "id": file,
        "object": "vector_store.file",
        "usage_bytes": size,
        "created_at": seconds(at),
        "vector_store_id": store,
        "status": "completed",
        "last_error": None,
        "chunking_strategy": {"type": "static", "static": {"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400}},
        "attributes": dict(attributes or {}),
    }


def assistant_body(identity: str, at: datetime, name: str, *, model: str, instructions: str, description: str, store: str | None) -> Body:
    """An assistant: most of it is what somebody wrote."""
    function = {"name": f"look_up_{WORDS}", "description": f"Looks up {WORDS}", "parameters": {"type": "object", "properties": {}}}
    return {
        "id": identity,
        "object": "assistant",
        "created_at": seconds(at),
        "name": name,
        "description": description,
        "model": model,
        "instructions": instructions,
        "tools": [{"type": "file_search"}, {"type": "function", "function": function}],
        "tool_resources": {"file_search": {"vector_store_ids": [store]}} if store else {},
        "temperature": 1.0,
        "top_p": 1.0,
        "response_format": "auto",
        "metadata": {"owner": f"Käthe Brändle {WORDS}"},
    }


def container_body(identity: str, at: datetime, name: str, minutes: int) -> Body:
    """A container of the code interpreter; it goes when it was idle for `minutes`."""
    return {
        "id": identity,
        "object": "container",
        "created_at": seconds(at),
        "status": "running",
        "expires_after": {"anchor": "last_active_at", "minutes": minutes},
        "last_active_at": seconds(at),
        "memory_limit": "1g",
        "name": name,
    }
