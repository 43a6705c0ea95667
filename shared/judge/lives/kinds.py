"""What can be stored in an account and deleted from it: the kinds, where they are listed, and what operations on them are called.

Names of operations in resource logs are observed and not contracted: the operationIds of three specifications, in two word orders and any
casing (`Files_Delete`, `deleteFile`, `Delete_VectorStore`). So they are read by the nouns in them; a name that says nothing known is of
the kind `other`, and is never passed over.
"""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of object that an inventory lists."""

    name: str
    """As deletions and findings say it, singular."""
    question: str
    """The kind of the answer that lists it."""
    collection: str
    """In the ids of objects: `<account id>/<collection>/<object id>`."""
    plural: str
    """In a sentence."""
    key: str = "data"
    """The member of a page that holds the list."""


FILE: Final = Kind("file", "files", "files", "files")
JOB: Final = Kind("fine-tuning-job", "fineTuningJobs", "finetuningjobs", "fine-tuning jobs")
MODEL: Final = Kind("fine-tuned-model", "servedModels", "finetunedmodels", "fine-tuned models")
BATCH: Final = Kind("batch", "batches", "batches", "batches")
STORE: Final = Kind("vector-store", "vectorStores", "vectorstores", "vector stores")
ASSISTANT: Final = Kind("assistant", "assistants", "assistants", "assistants")
CONTAINER: Final = Kind("container", "containers", "containers", "containers")
DEPLOYMENT: Final = Kind("deployment", "deployments", "deployments", "deployments", key="value")
ACCOUNT: Final = Kind("account", "accounts", "accounts", "accounts", key="value")

KINDS: Final = (FILE, JOB, MODEL, BATCH, STORE, ASSISTANT, CONTAINER, DEPLOYMENT)
"""What lies in an account, in the order in which it is told."""

FAMILIES: Final = ((FILE,), (JOB, MODEL), (BATCH,), (STORE,), (ASSISTANT,), (CONTAINER,))
"""Kinds of the data plane, together where one call can delete both: Azure deletes a fine-tuned model through the job that made it."""

BY_NAME: Final = {kind.name: kind for kind in (*KINDS, ACCOUNT)}
BY_QUESTION: Final = {kind.question: kind for kind in (*KINDS, ACCOUNT)}

OTHER: Final = "other"
"""What an operation deletes whose name says nothing known."""

UNLISTED: Final = {
    "thread": "threads",
    "message": "messages of threads",
    "run": "runs of threads",
    "response": "responses",
    "conversation": "conversations",
    "stored-completion": "stored completions",
    "evaluation": "evaluations",
    "vector-store-file": "files in vector stores",
    "assistant-file": "files of assistants",
    "container-file": "files in containers",
    OTHER: "objects of a kind that is not known",
}
"""Kinds that no inventory lists, or not as objects of their own: their deletion is known from logs alone."""

_SPOKEN: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("vectorstorefile", ("vector-store-file",)),
    ("assistantfile", ("assistant-file",)),
    ("containerfile", ("container-file",)),
    ("vectorstore", (STORE.name,)),
    ("threadmessage", ("message",)),
    ("message", ("message",)),
    ("threadrun", ("run",)),
    ("thread", ("thread",)),
    ("conversation", ("conversation",)),
    ("response", ("response",)),
    ("chatcompletion", ("stored-completion",)),
    ("storedcompletion", ("stored-completion",)),
    ("eval", ("evaluation",)),
    ("finetun", (JOB.name, MODEL.name)),
    ("container", (CONTAINER.name,)),
    ("assistant", (ASSISTANT.name,)),
    ("batch", (BATCH.name,)),
    ("deployment", (OTHER,)),
    ("model", (MODEL.name,)),
    ("file", (FILE.name,)),
)
"""A noun in the name of a deletion, and the kinds that it can speak for. The first that is in the name counts."""


@lru_cache(maxsize=1024)
def letters(name: str) -> str:
    """The name of an operation without casing and punctuation."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@lru_cache(maxsize=1024)
def spoken_for(operation: str) -> tuple[str, ...]:
    """The kinds of object that an operation may have deleted; empty where it is no deletion."""
    plain = letters(operation)
    if "delete" not in plain:
        return ()
    return next((kinds for noun, kinds in _SPOKEN if noun in plain), (OTHER,))


def lists_keys(operation: str) -> bool:
    """Whether an operation gives out an account's keys."""
    return "listkey" in letters(operation)


def plural(name: str) -> str:
    """A kind in a sentence."""
    return BY_NAME[name].plural if name in BY_NAME else UNLISTED.get(name, name)


def object_resource(account: str, kind: str, identifier: str) -> str:
    """The id by which records name an object of an account (lower-cased; the exact id is in the field `object`)."""
    if kind == ACCOUNT.name:
        return account
    return f"{account}/{BY_NAME[kind].collection}/{identifier}".lower()
