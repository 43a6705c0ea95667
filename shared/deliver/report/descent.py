"""The picture of where fine-tuned models come from: files, the job that read them, the model, what serves it; what is gone is crossed out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from shared.deliver.view_deletion import Descent

MOST: Final = 40
"""Models of the picture; the list beside it has every one."""

_PITCH: Final = 26.0
_GAP: Final = 14.0
_TOP: Final = 26.0
_COLUMNS: Final = (0.0, 250.0, 500.0, 750.0)
WIDE: Final = 210.0
HIGH: Final = 20.0


@dataclass(frozen=True, slots=True)
class Box:
    """One object."""

    x: float
    y: float
    word: str
    """What it is."""
    name: str
    state: str
    """`listed`, `deleted`, `not-listed` or `unknown`."""
    record: int | None
    """The deletion that says so."""


@dataclass(frozen=True, slots=True)
class Line:
    """From one object to what was made of it."""

    x: float
    y: float
    to_x: float
    to_y: float


@dataclass(frozen=True, slots=True)
class Picture:
    """All that the template draws."""

    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]
    left_out: int


def picture(descents: Sequence[Descent]) -> Picture:
    """The picture of these models, one below the other."""
    boxes: list[Box] = []
    lines: list[Line] = []
    top = _TOP
    for each in descents[:MOST]:
        rows = max(1, len(each.uses), len(each.served_by))
        middle = top + (rows - 1) * _PITCH / 2
        model = Box(_COLUMNS[2], middle, "model", each.model, each.model_state, each.model_record)
        job = Box(_COLUMNS[1], middle, "job", each.job, each.job_state, each.job_record) if each.job is not None else None
        files = [
            Box(_COLUMNS[0], top + number * _PITCH, use.role, use.file, use.state, use.deletion[0] if use.deletion else None)
            for number, use in enumerate(each.uses)
        ]
        served = [Box(_COLUMNS[3], top + number * _PITCH, "deployment", name, "listed", None) for number, name in enumerate(each.served_by)]
        boxes += [*files, *([job] if job else []), model, *served]
        if job is not None:
            lines += [*(_line(file, job) for file in files), _line(job, model)]
        lines += (_line(model, deployment) for deployment in served)
        top += rows * _PITCH + _GAP
    return Picture(top, tuple(boxes), tuple(lines), max(0, len(descents) - MOST))


def _line(one: Box, other: Box) -> Line:
    return Line(one.x + WIDE, one.y + HIGH / 2, other.x, other.y + HIGH / 2)
