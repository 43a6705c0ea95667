"""What the command line shows: progress on stderr, one answer on stdout. On a terminal with bars and tables, plain lines otherwise."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import Any

from shared.canonical import Json

_STEPS = {"plan": "planning", "collect": "collecting", "judge": "judging", "seal": "sealing", "bundle": "bundling", "verify": "verifying"}


class Terminal:
    """Where output goes, and how. `as_json`: one JSON document on stdout and nothing else there."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def note(self, text: str) -> None:
        """A line for people, on stderr; not shown with --quiet."""
        if not self.quiet:
            print(text, file=sys.stderr, flush=True)

    def answer(self, value: Json, lines: Iterable[str]) -> None:
        """The answer: the JSON document, or the lines."""
        if self.as_json:
            print(json.dumps(value, indent=2, ensure_ascii=False))
        else:
            for text in lines:
                print(text)

    def error(self, message: str, code: int) -> None:
        """One line that says what to do."""
        if self.as_json:
            print(json.dumps({"error": message, "exit_code": code}, ensure_ascii=False))
        print(f"aoai-evidence: {message}", file=sys.stderr)

    def progress(self) -> "Bars | Lines":
        """Progress of long work: a context manager that gives a function (step, done, total)."""
        if self.quiet or not sys.stderr.isatty():
            return Lines(self.note if not self.quiet else lambda text: None)
        return Bars()


class Lines:
    """Progress as plain lines: at each new step, and every ten seconds."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._step = ""
        self._said = 0.0

    def __enter__(self) -> Callable[[str, int, int], None]:
        return self._show

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        return None

    def _show(self, step: str, done: int, total: int) -> None:
        if step != self._step or time.monotonic() - self._said > 10:
            self._step, self._said = step, time.monotonic()
            self._say(f"{_STEPS.get(step, step)} {done} of {total}" if total > 1 else f"{_STEPS.get(step, step)} …")


class Bars:
    """Progress as bars."""

    def __enter__(self) -> Callable[[str, int, int], None]:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description:>12}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        self._bars = Progress(*columns, console=Console(stderr=True), transient=True)
        self._tasks: dict[str, Any] = {}
        self._bars.start()
        return self._show

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bars.stop()

    def _show(self, step: str, done: int, total: int) -> None:
        if step not in self._tasks:
            self._tasks[step] = self._bars.add_task(_STEPS.get(step, step), total=total)
        self._bars.update(self._tasks[step], completed=done, total=total)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table, columns as wide as they need to be; control characters of hostile names are shown, not obeyed."""
    cells = [[printable(str(cell)) for cell in row] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells]


def printable(text: str) -> str:
    """`text` without characters that steer a terminal or reverse its direction."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)
