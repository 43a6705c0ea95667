"""What is asked and what becomes of it: the values that the three clients share (Resource Manager, the data plane, Log Analytics)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from shared.canonical import Json
from shared.collect.endpoints import Endpoint
from shared.collect.windows import Window


@dataclass(slots=True)
class Budget:
    """What one unit of work may spend on trying again: so that one bad account cannot hold up a sweep."""

    retries: int = 10
    seconds: float = 120.0


@dataclass(frozen=True, slots=True)
class Page:
    """One answer with status 200 (or one that says that nothing is served there)."""

    url: str
    content: bytes
    """Empty once it was taken: `kept` says where its screened form is."""
    request_id: str | None
    date: str | None
    attempts: int
    kept: tuple[str, int] | None = None
    """SHA-256 and length of the body that stands for it in the store."""


Take = Callable[[str, Page], Page]
"""Screens and keeps a page of an answer of this kind, and gives it back without its content, so that no list is ever held whole.

Raises ValueError where it cannot be screened."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Why a request has no usable answer. `detail` is Azure's error code or ours, never a message (they name people)."""

    reason: str
    detail: str
    status: int | None = None
    request_id: str | None = None
    date: str | None = None
    attempts: int = 0
    content: bytes = field(default=b"", compare=False, repr=False)
    """What came with the status: where a 404 is what there is to know, it is kept as the answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What became of a question."""

    endpoint: Endpoint
    resource: str
    """As Azure spells it."""
    url: str
    pages: tuple[Page, ...]
    failed: Failed | None = None
    parsed: tuple[Json, ...] = field(default=(), compare=False)
    """The pages, parsed, of a question of Resource Manager: for those who go on from them, such as to the projects of an account."""
    members: tuple[str, ...] = field(default=(), compare=False)
    """Ids of the members of a list whose members are asked about in turn."""
    object: Json = None
    """`{"kind","id"}` where the question is about an object of the data plane."""
    window: Window | None = None
    body: Json = None
    """What was sent, where the question is not all in its address."""
    served: bool = True
    """False: the answer is that nothing of the kind is served here; its only page is what came with that status."""
    status: int = 200
    attempts: int = 0
    """Requests beside those of the pages and of the failure."""

    def items(self) -> Iterator[Json]:
        """The members of a list of Resource Manager over all pages."""
        for page in self.parsed:
            yield from page["value"]
