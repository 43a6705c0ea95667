"""The tiles that connect the records of a bundle with its checkpoint."""

from collections.abc import Iterable, Sequence

from shared import layout
from shared.errors import StoreConflict
from shared.seal.log import Log
from shared.seal.tiles import WIDTH


def tiles_for(ranges: Sequence[tuple[int, int]], size: int, edges: Iterable[int]) -> list[tuple[int, int, int]]:
    """(level, number, width) of the tiles for these runs of records in a log of `size`; `edges`: sizes at which others hold checkpoints."""
    numbers = {number for first, count in ranges for number in range(first // WIDTH, (first + count - 1) // WIDTH + 1)}
    numbers |= {one // WIDTH for one in (size, *edges) if one % WIDTH}
    found = [(0, number, min(WIDTH, size - number * WIDTH)) for number in numbers]
    level = 1
    while size >> 8 * level:
        count = size >> 8 * level
        found += [(level, number, min(WIDTH, count - number * WIDTH)) for number in range((count + WIDTH - 1) // WIDTH)]
        level += 1
    return found


def tile_of(log: Log, level: int, number: int, width: int) -> bytes:
    """The bytes of a tile.

    Raises:
        StoreConflict: it is missing or cut short.
    """
    path = layout.tile(level, number, width)
    data = log.tile(path)
    if data is None and width < WIDTH:
        data = log.tile(layout.tile(level, number))
    if data is None or len(data) < 32 * width:
        raise StoreConflict(f"log/{path} is missing or cut short: run verify --store, and restore it from a copy")
    return data[: 32 * width]
