"""What the command line shows: progress on stderr, one answer on stdout. On a terminal with a bar, plain lines otherwise."""

import io
import json
import os
import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from shared.canonical import Json
from shared.errors import Misuse

if TYPE_CHECKING:
    from rich.console import Console

_STEPS = {
    "plan": "planning", "collect": "collecting", "judge": "judging", "seal": "sealing", "bundle": "bundling", "verify": "verifying",
    "hold": "holding blobs", "release": "releasing blobs", "verify files": "verifying files", "verify bodies": "verifying bodies",
}  # fmt: skip

_ROOM_FOR_A_BAR = 40
"""Columns of a terminal, below which a bar has no room beside what it tells."""


class Terminal:
    """Where output goes, and how. `as_json`: one JSON document on stdout and nothing else there."""

    def __init__(self, *, as_json: bool = False, quiet: bool = False) -> None:
        self.as_json = as_json
        self.quiet = quiet

    def note(self, text: str) -> None:
        """Lines for people, on stderr; not shown with --quiet."""
        if not self.quiet:
            _write(sys.stderr, "".join(f"{printable(line)}\n" for line in text.split("\n")))

    def answer(self, value: Json, lines: Iterable[str]) -> None:
        """The answer: the JSON document, or the lines. Who stops reading it (`| head`) changes nothing about the exit code.

        Raises:
            Misuse: it cannot be written to where stdout leads.
        """
        if self.as_json:
            _write(sys.stdout, _document(value, 2))
        else:
            _write(sys.stdout, "".join(f"{printable(line)}\n" for line in lines))

    def show(self, text: str) -> None:
        """What was asked to be explained, as it is: on stdout, whatever else goes there."""
        _write(sys.stdout, text.replace("\b\n", "") + "\n")

    def problem(self, message: str) -> None:
        """One line on stderr, beside an answer, that says what to do."""
        _write(sys.stderr, f"aoai-evidence: {printable(message)}\n")

    def error(self, message: str, code: int) -> None:
        """One line on stderr that says what to do, instead of an answer."""
        if self.as_json:
            _write(sys.stdout, _document({"error": message, "exit_code": code}, None))
        self.problem(message)

    def progress(self) -> "Bar | Lines":
        """Progress of long work: a context manager that gives a function (step, done, total)."""
        if self.quiet:
            return Lines(lambda text: None)
        if sys.stderr is not None and sys.stderr.isatty():
            from rich.console import Console

            console = Console(stderr=True)
            if console.width >= _ROOM_FOR_A_BAR and not console.is_dumb_terminal:
                return Bar(console)
        return Lines(self.note)


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
            self._say(f"{_STEPS.get(step, step)} {done:,} of {total:,}" if total > 1 else f"{_STEPS.get(step, step)} …")


class Bar:
    """Progress as a bar, of one step at a time; it is gone at the end."""

    def __init__(self, console: "Console") -> None:
        self._console = console
        self._step = ""

    def __enter__(self) -> Callable[[str, int, int], None]:
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description:<10}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeRemainingColumn(compact=True))
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._task = self._bar.add_task("", total=None, visible=False, count="")
        self._bar.start()
        return self._show

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def _show(self, step: str, done: int, total: int) -> None:
        # What has no parts, or nobody knows how many, has a bar that only shows that something is going on.
        # A count of one width: the bar stays where it is.
        whole = f"{total:,}"
        parts, count = (total, f"{done:>{len(whole)},} of {whole}") if total > 1 else (None, f"{done:,}" if done else "")
        if step != self._step:
            self._step = step
            self._bar.remove_task(self._task)  # a task that is begun again keeps its parts where the next step has none
            self._task = self._bar.add_task(_STEPS.get(step, step), total=parts, completed=done, count=count)
        else:
            self._bar.update(self._task, total=parts, completed=done, count=count)


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> list[str]:
    """Lines of a table, columns as wide as they need to be; control characters of hostile names are shown, not obeyed.

    A cell that is longer than any name of Azure's is cut, but for the last of its row: the JSON has all of it.
    """
    cells = [[*(_cut(printable(str(cell))) for cell in row[:-1]), printable(str(row[-1]))] for row in [header, *rows]]
    widths = [max(len(row[column]) for row in cells) for column in range(len(header) - 1)]
    return ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip() for row in cells]


def _cut(text: str, most: int = 140) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def printable(text: str) -> str:
    """`text` on one line, without characters that steer a terminal or reverse its direction: they are shown as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


_NOT_ASCII = re.compile(r"[^\n\x20-\x7e]+")


def _document(value: Json, indent: int | None) -> str:
    """A JSON document for stdout, which may be a terminal: what steers one stays an escape, and so does what its encoding has not."""
    text = json.dumps(value, indent=indent, ensure_ascii=not _speaks_unicode(sys.stdout))
    return _NOT_ASCII.sub(lambda found: found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1], text) + "\n"


def _speaks_unicode(stream: TextIO | None) -> bool:
    return (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "").replace("_", "") in ("utf8", "utf16", "utf32")


def prepare_streams() -> None:
    """Let nothing that is to be shown fail for an encoding that has no word for it: it is shown as an escape."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def close_streams() -> None:
    """Write out what waits; where nobody reads any more, nobody is told."""
    for stream in (sys.stdout, sys.stderr):
        _write(stream, "")


def _write(stream: TextIO | None, text: str) -> None:
    """Write and flush. Nothing happens where the reader has left, or there never was one.

    Raises:
        Misuse: what stdout leads to cannot be written.
    """
    if stream is None:
        return
    try:
        stream.write(text)
        stream.flush()
    except OSError as error:
        # What is still in the buffer must go somewhere, or the interpreter complains of it at the very end.
        if isinstance(stream, io.TextIOWrapper):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if stream is sys.stdout and not isinstance(error, BrokenPipeError):
            raise Misuse(f"cannot write the answer to standard output: {error.strerror}") from None
