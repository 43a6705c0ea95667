"""Requests to the blob service and answers from it, as the layer in front of the emulator sees them; and faults on demand."""

from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

Headers = list[tuple[str, str]]


@dataclass
class Fault:
    """Something that goes wrong. `times`: how often (None: always), after the first `skip` requests that match, at each `every`-th."""

    method: str
    where: str
    """A part of the decoded path and query."""
    status: int = 0
    """0: the connection is cut instead of an answer."""
    code: str = "InternalError"
    retry_after: int | None = None
    after: bool = False
    """The request takes effect first: only its answer is lost."""
    slow: float = 0.0
    """Seconds before anything; with no status and no cut, all there is to it."""
    cut: bool = False
    times: int | None = 1
    skip: int = 0
    every: int = 1
    seen: int = 0
    fired: int = 0

    def due(self, method: str, target: str) -> bool:
        """Whether it happens to this request; counts."""
        if method != self.method or self.where not in target:
            return False
        self.seen += 1
        late = self.seen - self.skip - 1
        if late < 0 or late % self.every or (self.times is not None and self.fired >= self.times):
            return False
        self.fired += 1
        return True


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, header fields and body as they go out."""

    status: int
    headers: Headers
    body: bytes = b""

    def field(self, name: str) -> str:
        """The value of a header field, empty where there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")


def refusal(status: int, code: str, *more: tuple[str, str]) -> Answer:
    """An error as the blob service words it."""
    body = f'\ufeff<?xml version="1.0" encoding="utf-8"?><Error><Code>{code}</Code><Message>{code}\nRequestId:0\nTime:0</Message></Error>'
    return Answer(status, [("x-ms-error-code", code), ("Content-Type", "application/xml"), *more], body.encode())


@dataclass(frozen=True, slots=True)
class Call:
    """One request."""

    method: str
    target: str
    headers: Headers
    body: bytes

    @property
    def query(self) -> dict[str, str]:
        """Its parameters, each once."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query, keep_blank_values=True).items()}

    @property
    def place(self) -> tuple[str, str]:
        """Container and blob; either may be empty."""
        parts = unquote(urlsplit(self.target).path).split("/", 3)
        return (parts[2] if len(parts) > 2 else ""), (parts[3] if len(parts) > 3 else "")

    def field(self, name: str) -> str:
        """The value of a header field, empty where there is none."""
        return next((value for known, value in self.headers if known.lower() == name), "")
