"""Where a fine-tuned model comes from, and what became of that: model → job → training and validation files → their deletion. Pure.

"Training data of this model was deleted; the model was not" is a sentence of this module, with the records that prove it. The same for
batches and the files that they read and wrote.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from shared.canonical import Json
from shared.judge.lives.inventory import Inventory
from shared.judge.lives.kinds import DEPLOYMENT, FILE, JOB, MODEL
from shared.judge.reading import Node, count, names, verb
from shared.model import Point

Listed = Mapping[str, Node]
"""What an inventory lists, by exact id (of deployments by lower-cased ARM id)."""

Sealed = tuple[int, Json]
"""A deletion record, and its index."""

_OF_JOB = (("training_file", "training"), ("validation_file", "validation"))
_OF_BATCH = (("input_file_id", "input"), ("output_file_id", "output"), ("error_file_id", "error"))


@dataclass(frozen=True, slots=True)
class Use:
    """A file that a job or batch names."""

    role: str
    """training · validation · result · input · output · error"""
    file: str
    named: Point
    """Where it is named."""
    listed: Node | None
    """The file, where the inventory of files lists it."""
    known: bool
    """Whether there was an inventory of files at all."""
    deletion: Sealed | None = None
    """What was said of its end, where that is known."""

    @property
    def state(self) -> str:
        """`listed` · `deleted` (a deletion says so) · `not-listed` · `unknown`."""
        if self.listed is not None:
            return "listed"
        return "deleted" if self.deletion is not None else "not-listed" if self.known else "unknown"

    def as_json(self) -> Json:
        """For machines."""
        return {"role": self.role, "file": self.file, "state": self.state, "deletion": self.deletion[0] if self.deletion else None}


@dataclass(frozen=True, slots=True)
class Lineage:
    """One fine-tuned model, what it was made from, and what serves it."""

    model: str
    listed: Node | None
    """The model, where it is listed."""
    job: Node | None
    uses: tuple[Use, ...]
    served_by: tuple[tuple[str, Node], ...] = ()
    """Deployments, by their lower-cased ARM id."""

    @property
    def without_data(self) -> tuple[Use, ...]:
        """Training and validation files that are no longer there, though the model is."""
        if self.listed is None:
            return ()
        return tuple(use for use in self.uses if use.role in ("training", "validation") and use.state in ("deleted", "not-listed"))

    @property
    def points(self) -> tuple[Point, ...]:
        """The bytes that show it."""
        found = [node.point() for node in (self.listed, self.job) if node is not None]
        found += [point for use in self.uses for point in (use.named, use.listed.point() if use.listed else None) if point is not None]
        return (*found, *(node.point("properties", "model") for _, node in self.served_by))

    @property
    def records(self) -> tuple[int, ...]:
        """The records that prove it, deletions included."""
        deletions = (use.deletion[0] for use in self.uses if use.deletion is not None)
        return tuple(sorted({*(point.record for point in self.points), *deletions}))

    def sentence(self) -> str | None:
        """What is to be said where training data is gone and the model is not; None where it is not so."""
        gone = self.without_data
        if not gone:
            return None
        told = [use.deletion[1] for use in gone if use.deletion is not None]
        when = f"between {min(d['after'] for d in told)} and {max(d['before'] for d in told)}" if told else ""
        serving = f", and {count(len(self.served_by), 'deployment')} {verb(len(self.served_by), 'serves', 'serve')} it" if self.served_by else ""
        files = names(use.file for use in gone)
        if not told:
            return f"Training data of {self.model} is no longer listed ({files}); the model was not{serving}."
        if len(told) == len(gone) and all(d["status"] == "corroborated" and d["cause"] != "expired" for d in told):
            return f"Training data of {self.model} was deleted {when} ({files}); the model was not{serving}."
        return f"Training data of {self.model} is gone, as far as that is known {when} ({files}); the model is listed still{serving}."

    def as_json(self) -> Json:
        """For machines: the statement, and the records that prove it."""
        return {
            "model": self.model, "job": self.job.value.get("id") if self.job else None, "listed": self.listed is not None,
            "files": [use.as_json() for use in self.uses], "served_by": [identifier for identifier, _ in self.served_by],
            "sentence": self.sentence(), "records": list(self.records),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BatchFiles:
    """One batch and the files that it read and wrote."""

    batch: str
    listed: Node
    uses: tuple[Use, ...]


def lineages(
    models: Listed, jobs: Listed, files: Listed | None, deployments: Listed | None, deletions: Iterable[Sealed] = ()
) -> list[Lineage]:
    """The lineage of each fine-tuned model that is listed or that a job names, by name. `files`, `deployments`: None where they are not known."""
    ends = last_ends(deletions)
    made = {job.value["fine_tuned_model"]: job for job in jobs.values() if isinstance(job.value.get("fine_tuned_model"), str)}
    found = []
    for name in sorted({*models, *made}):
        model = models.get(name)
        job = made.get(name) or _job_of(model, jobs)
        uses = _uses(job, _OF_JOB, files, ends) if job is not None else ()
        found.append(Lineage(name, model, job, uses, tuple(_serving(name, deployments or {}))))
    return found


def lineages_in(last: Mapping[str, Inventory], deletions: Sequence[Sealed], gone_jobs: Listed) -> list[Lineage]:
    """The lineage of each fine-tuned model of an account. `last`: its last whole inventories by kind; `gone_jobs`: jobs that are listed no more."""
    known = {kind: nodes(inventory) for kind, inventory in last.items()}
    jobs = {**gone_jobs, **known.get(JOB.name, {})}
    return lineages(known.get(MODEL.name, {}), jobs, known.get(FILE.name), known.get(DEPLOYMENT.name), deletions)


def nodes(inventory: Inventory) -> dict[str, Node]:
    """What an inventory lists, with its places."""
    return {identifier: node_at(inventory.item(identifier), inventory.point(identifier)) for identifier in inventory.places}


def node_at(item: dict[str, Json], point: Point) -> Node:
    """A listed object with its place."""
    return Node(item, point.record, point.page, point.pointer)


def batch_files(batches: Listed, files: Listed | None, deletions: Iterable[Sealed] = ()) -> list[BatchFiles]:
    """Each batch with its files, by id."""
    ends = last_ends(deletions)
    return [BatchFiles(identifier, batches[identifier], _uses(batches[identifier], _OF_BATCH, files, ends)) for identifier in sorted(batches)]


def files_named(by: Iterable[Node]) -> set[str]:
    """The files that jobs and batches name, in whatever role."""
    found = (_named(node, fields) for node in by for fields in (_OF_JOB, _OF_BATCH))
    return {identifier for named in found for _, _, identifier in named}


def last_ends(deletions: Iterable[Sealed]) -> dict[str, Sealed]:
    """Of each file that something was said of, what stands: the newest deletion, unless it says that the file is still there."""
    found: dict[str, Sealed] = {}
    for index, deletion in sorted(deletions, key=lambda sealed: sealed[0]):
        about = deletion["object"]
        if about["kind"] == "file" and about["id"] is not None:
            found[about["id"]] = index, deletion
    return {identifier: sealed for identifier, sealed in found.items() if sealed[1]["status"] != "not-effective"}


def _job_of(model: Node | None, jobs: Listed) -> Node | None:
    """The job that a model names as its own."""
    named = model.value.get("fine_tune") if model is not None else None
    return jobs.get(named) if isinstance(named, str) else None


def _uses(node: Node, fields: Sequence[tuple[str, str]], files: Listed | None, ends: Mapping[str, Sealed]) -> tuple[Use, ...]:
    return tuple(
        Use(role, identifier, node.point(name), files.get(identifier) if files is not None else None, files is not None, ends.get(identifier))
        for name, role, identifier in _named(node, fields)
    )


def _named(node: Node, fields: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str, str]]:
    """(member, role, file) of each file that a job or batch names."""
    for name, role in fields:
        identifier = node.value.get(name)
        if isinstance(identifier, str) and identifier:
            yield name, role, identifier
    results = node.value.get("result_files")
    for identifier in results if isinstance(results, list) else ():
        if isinstance(identifier, str):
            yield "result_files", "result", identifier


def _serving(model: str, deployments: Listed) -> Iterable[tuple[str, Node]]:
    for identifier in sorted(deployments):
        properties = deployments[identifier].value.get("properties")
        served = properties.get("model") if isinstance(properties, dict) else None
        name = served.get("name") if isinstance(served, dict) else None
        if isinstance(name, str) and name.casefold() == model.casefold():
            yield identifier, deployments[identifier]
