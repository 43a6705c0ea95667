"""Deletions and lineage as people look at them: plain frozen values, made in `view_gone`."""

from dataclasses import dataclass

from shared.judge.lives.lineage import Use


@dataclass(frozen=True, slots=True)
class Deletion:
    """Something that is gone, or was said to be."""

    record: int
    sweep: str
    kind: str
    id: str | None
    account: str
    resource: str
    count: int
    after: str
    before: str
    status: str
    cause: str
    by: str | None
    """Object id; `withheld` where a name stands behind a commitment; None where no witness tells."""
    reason: str
    witnesses: tuple[tuple[str, int], ...]
    """What says so, and the record; each once."""
    superseded: tuple[int, ...]
    first_seen: str | None


@dataclass(frozen=True, slots=True)
class Descent:
    """A fine-tuned model: what it was made of, and what became of all that."""

    account: str
    model: str
    model_state: str
    """`listed`, `deleted` or `not-listed`."""
    model_record: int | None
    """The deletion that says so."""
    job: str | None
    job_state: str
    job_record: int | None
    uses: tuple[Use, ...]
    served_by: tuple[str, ...]
    """Names of deployments."""
    sentence: str | None
    records: tuple[int, ...]
    """That prove it."""
