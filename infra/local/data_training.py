"""Verbs of an account's data plane, first half: files, fine-tuning, batches. Each is a change, with what Azure makes of it by itself.

A job is trained when `finish_job` says so or, where `minutes` were given, by itself; it leaves a fine-tuned model and a file of results.
A file goes when it is deleted or has expired, and out of every vector store that held it. What is not there raises KeyError.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from infra.local import data_shapes as shapes
from infra.local.authorship import Caller
from infra.local.data_store import DataStore
from infra.local.truth import COLLECTIONS, Cause

Json = Any

FILES, JOBS, MODELS, BATCHES = "files", "finetuningjobs", "finetunedmodels", "batches"


class Training(DataStore):
    """Files, jobs, models and batches of all accounts."""

    def upload_file(
        self,
        account: str,
        filename: str = f"{shapes.WORDS}.jsonl",
        *,
        purpose: str = "fine-tune",
        size: int | None = 140,
        status: str = "processed",
        expires_after: timedelta | None = None,
        caller: Caller | None = None,
    ) -> str:
        """Upload a file; its id. `expires_after` counts from now, and only `/openai/v1` shows it."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            made = self._file(account, moment, filename, purpose, size, status, caller, expires_after)
            self.called(account, "files.upload", 201, caller)
        return made

    def delete_file(self, account: str, file: str, *, caller: Caller | None = None) -> None:
        """Delete a file."""
        caller = self.caller(caller)
        with self._changing(account):
            self._drop(account, "file", file, "deleted", caller)
            self.called(account, "files.delete", 200, caller)

    def start_job(
        self,
        account: str,
        training: str,
        *,
        model: str = "gpt-4o-mini-2024-07-18",
        validation: str | None = None,
        suffix: str | None = None,
        metadata: Mapping[str, str] | None = None,
        minutes: float | None = None,
        caller: Caller | None = None,
    ) -> str:
        """Start fine-tuning `model` with a file; the job's id. With `minutes` it is trained by itself after so many."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            for file in (training, validation):
                if file is not None:
                    self.body(account, FILES, file)
            job = self.identity("ftjob-", account)
            body = shapes.job_body(job, moment, model=model, training=training, validation=validation, suffix=suffix, metadata=metadata)
            self._put(account, "fine-tuning-job", body, caller)
            self._say(account, job, moment, "Job enqueued. Waiting for jobs ahead to complete.")
            if minutes is not None:
                self.world.due.add(moment + timedelta(minutes=minutes), lambda: self._finish_in_time(account, job))
            self.called(account, "jobs.create", 201, caller)
        return job

    def run_job(self, account: str, job: str) -> None:
        """It is the job's turn."""
        with self._changing(account) as moment:
            body = self._kept(account, JOBS, job)
            body["status"] = "running"
            body["estimated_finish"] = shapes.seconds(moment) + 3600
            for message in ("Job started.", f"Preprocessing completed for file {body['training_file']}.", "Training started."):
                self._say(account, job, moment, message)

    def finish_job(self, account: str, job: str, *, safe: bool = True) -> str | None:
        """The job is trained, and its safety evaluation says whether the model may be used; the model's id, or None where it may not."""
        with self._changing(account) as moment:
            body = self._kept(account, JOBS, job)
            if body["status"] == "pending":
                self.run_job(account, job)
            self._say(account, job, moment, "Training completed.", data={"step": 30, "train_loss": 0.155})
            if not safe:
                self._unsafe(account, job, body, moment)
                return None
            self._say(account, job, moment, "Safety evaluation completed: the model passed in all categories of harm.")
            result = self._file(account, moment, "results.csv", "fine-tune-results", 32423, "processed", None)
            model = shapes.tuned_model_id(body["model"], job, body["suffix"])
            body.update(
                status="succeeded", fine_tuned_model=model, finished_at=shapes.seconds(moment), trained_tokens=2342, result_files=[result]
            )
            body["estimated_finish"] = None
            self._put(account, "fine-tuned-model", shapes.tuned_model_body(model, moment, base=body["model"], job=job))
            checkpoints = self._within(account, f"{JOBS}/{job}/checkpoints")
            for step in (10, 20, 30):
                identity = self.identity("ftchkpt-", account)
                checkpoints[identity] = shapes.checkpoint_body(identity, moment, job, model, step)
            self._say(account, job, moment, f"Completed results file: {result}")
            self._say(account, job, moment, "Job succeeded.")
        return model

    def cancel_job(self, account: str, job: str, *, caller: Caller | None = None) -> None:
        """Stop a job."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            self._kept(account, JOBS, job).update(status="cancelled", finished_at=shapes.seconds(moment))
            self._say(account, job, moment, "Job cancelled.", level="warning")
            self.called(account, "jobs.cancel", 200, caller)

    def delete_job(self, account: str, job: str, *, caller: Caller | None = None) -> None:
        """Delete a job, and with it the model it made: the one way that Azure documents to be rid of a fine-tuned model."""
        caller = self.caller(caller)
        with self._changing(account):
            model = self.body(account, JOBS, job)["fine_tuned_model"]
            self._remove(account, "fine-tuning-job", job, "deleted", caller)
            if model in self.objects(account, MODELS):
                self._remove(account, "fine-tuned-model", model, "deleted", caller)
            self.called(account, "jobs.delete", 204, caller)

    def delete_model(self, account: str, model: str, *, caller: Caller | None = None) -> None:
        """Delete a fine-tuned model and leave its job: OpenAI's API has it, whether Azure's does is not known."""
        caller = self.caller(caller)
        with self._changing(account):
            self._remove(account, "fine-tuned-model", model, "deleted", caller)
            self.called(account, "models.delete", 200, caller)

    def start_batch(
        self,
        account: str,
        input_file: str,
        *,
        endpoint: str = "/chat/completions",
        metadata: Mapping[str, str] | None = None,
        caller: Caller | None = None,
    ) -> str:
        """Start a batch over a file; its id."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            self.body(account, FILES, input_file)
            identity = self.identity("batch_", account, dashed=True)
            ends = moment + timedelta(days=1)
            body = shapes.batch_body(identity, moment, input_file=input_file, endpoint=endpoint, metadata=metadata, window_ends=ends)
            self._put(account, "batch", body, caller)
            self.called(account, "batches.create", 200, caller)
        return identity

    def finish_batch(self, account: str, batch: str, *, expires_after: timedelta | None = None) -> tuple[str, str]:
        """The batch is done; the ids of its output and error file, which may expire by themselves."""
        with self._changing(account) as moment:
            size, made = 5120, []
            for name in ("output.jsonl", "errors.jsonl"):
                made.append(self._file(account, moment, name, "batch_output", size, "processed", None, expires_after))
            at = shapes.seconds(moment)
            body = self._kept(account, BATCHES, batch)
            body.update(status="completed", in_progress_at=at, finalizing_at=at, completed_at=at)
            body.update(output_file_id=made[0], error_file_id=made[1], request_counts={"total": 500, "completed": 400, "failed": 100})
        return made[0], made[1]

    def cancel_batch(self, account: str, batch: str, *, caller: Caller | None = None) -> None:
        """Stop a batch: it stays in the list, for there is no way to delete one."""
        caller = self.caller(caller)
        with self._changing(account) as moment:
            at = shapes.seconds(moment)
            self._kept(account, BATCHES, batch).update(status="cancelled", cancelling_at=at, cancelled_at=at)
            self.called(account, "batches.cancel", 200, caller)

    def _file(
        self,
        account: str,
        moment: datetime,
        filename: str,
        purpose: str,
        size: int | None,
        status: str,
        caller: Caller | None,
        expires_after: timedelta | None = None,
    ) -> str:
        identity = self.identity("file-", account)
        expires = None if expires_after is None else moment + expires_after
        body = shapes.file_body(identity, moment, filename, purpose=purpose, size=size, status=status, expires_at=expires)
        self._put(account, "file", body, caller)
        if expires is not None:
            self._expires(account, "file", identity, expires)
        return identity

    def _drop(self, account: str, kind: str, identity: str, cause: Cause, caller: Caller | None) -> None:
        body = self.body(account, COLLECTIONS[kind], identity)
        if kind == "file" and body["status"] == "deleted":
            raise KeyError(identity)
        super()._drop(account, kind, identity, cause, caller)
        if kind == "file":
            self._forget_file(account, identity, body)

    def _forget_file(self, account: str, identity: str, body: shapes.Body) -> None:
        for store in self.objects(account, "vectorstores"):
            self._within(account, f"vectorstores/{store}/files").pop(identity, None)
        if self.keeps_deleted:
            self._within(account, FILES)[identity] = {**body, "status": "deleted"}

    def _finish_in_time(self, account: str, job: str) -> None:
        body = self.objects(account, JOBS).get(job)
        if isinstance(body, dict) and body["status"] in ("pending", "running"):
            self.finish_job(account, job)

    def _unsafe(self, account: str, job: str, body: Json, moment: datetime) -> None:
        said = "The job failed due to a violation of the safety evaluation: the model was scored High in Violence."
        body.update(status="failed", finished_at=shapes.seconds(moment), estimated_finish=None)
        body["error"] = {"code": "safetyEvaluationFailed", "message": said, "param": "training_file"}
        self._say(account, job, moment, said, level="error")

    def _say(self, account: str, job: str, moment: datetime, message: str, *, level: str = "info", data: Json = None) -> None:
        identity = self.identity("ftevent-", account)
        event = shapes.event_body(identity, moment, message, level=level, data=data)
        self._within(account, f"{JOBS}/{job}/events")[identity] = event
