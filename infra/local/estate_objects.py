"""Objects for a generated estate: as many files in each account as is asked for, and what comes with them, made when they are asked for.

For N files an account has N/50 jobs and as many fine-tuned models, N/20 batches and N/50 vector stores. What they are like follows from
their number alone. No log knows of them: they were there before.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from infra.local import data_shapes as shapes
from infra.local.data_plane import STORES
from infra.local.data_training import BATCHES, FILES, JOBS, MODELS
from infra.local.ids import fold, guid
from infra.local.resources import Body
from infra.local.world import World

BASE = "gpt-4o-mini-2024-07-18"
PURPOSES = ("fine-tune", "batch", "assistants", "batch_output")


def fill(world: World, files: int) -> None:
    """Put `files` files, and the rest in proportion, into every account of a world."""
    born = world.now() - timedelta(days=60)
    for account in world.accounts():
        data = world.data
        data.reach(account)  # half of a generated estate is private, and who lists it is within
        data.adopt(account, FILES, ((_id("file-", account, n), partial(_file, account, n, born)) for n in range(files)))
        data.adopt(account, JOBS, ((_id("ftjob-", account, n), partial(_job, account, n, born)) for n in range(files // 50)))
        data.adopt(account, MODELS, _models(account, files // 50, born))
        data.adopt(account, BATCHES, ((_id("batch_", account, n), partial(_batch, account, n, born)) for n in range(files // 20)))
        data.adopt(account, STORES, ((_id("vs_", account, n), partial(_store, account, n, born)) for n in range(files // 50)))


def _id(prefix: str, account: str, number: int) -> str:
    return prefix + guid("bulk", prefix, fold(account), number).replace("-", "")


def _file(account: str, number: int, born: datetime) -> Body:
    at, purpose = born + timedelta(minutes=number), PURPOSES[number % 4]
    name = f"part-{number:06d}.jsonl"
    return shapes.file_body(_id("file-", account, number), at, name, purpose=purpose, size=1000 + number, status="processed")


def _job(account: str, number: int, born: datetime) -> Body:
    job = _id("ftjob-", account, number)
    training = _id("file-", account, number * 4)
    body = shapes.job_body(
        job, born + timedelta(hours=number), model=BASE, training=training, validation=None, suffix=None, metadata={"n": shapes.WORDS}
    )
    return body | {"status": "succeeded", "fine_tuned_model": shapes.tuned_model_id(BASE, job, None), "trained_tokens": 2342}


def _models(account: str, count: int, born: datetime) -> Iterator[tuple[str, Body]]:
    for number in range(count):
        job = _id("ftjob-", account, number)
        model = shapes.tuned_model_id(BASE, job, None)
        yield model, shapes.tuned_model_body(model, born + timedelta(hours=number), base=BASE, job=job)


def _batch(account: str, number: int, born: datetime) -> Body:
    at = born + timedelta(hours=number)
    source = _id("file-", account, number * 4 + 1)
    body = shapes.batch_body(
        _id("batch_", account, number),
        at,
        input_file=source,
        endpoint="/chat/completions",
        metadata=None,
        window_ends=at + timedelta(days=1),
    )
    return body | {"status": "completed", "completed_at": shapes.seconds(at)}


def _store(account: str, number: int, born: datetime) -> Body:
    at = born + timedelta(hours=number)
    return shapes.store_body(
        _id("vs_", account, number), at, f"store {number} {shapes.WORDS}", metadata={"n": shapes.WORDS}, expires_after=None, expires_at=None
    )
