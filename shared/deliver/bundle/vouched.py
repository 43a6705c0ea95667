"""Which of the things that others say of checkpoints go into a bundle: of each of them, for each sweep, the first that covers its end; and the last."""

import contextlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from shared import layout
from shared.deliver.bundle.manifest import CHECKPOINTS, checkpoint_entry
from shared.seal.store import Store


@dataclass(frozen=True, slots=True)
class Vouched:
    """What was chosen."""

    names: tuple[str, ...] = ()
    """Of the files beside checkpoints, sorted."""
    sizes: tuple[int, ...] = ()
    """Of their checkpoints, ascending."""

    def entries(self, size: int) -> list[tuple[str, str]]:
        """(entry of the bundle, path in the store) of all that belongs to it, sorted; the checkpoint of `size` is the bundle's own."""
        found = [(CHECKPOINTS + name, layout.CHECKPOINTS + name) for name in self.names]
        found += [(checkpoint_entry(one), layout.checkpoint(one)) for one in self.sizes if one != size]
        return sorted(found)


def choose_vouched(store: Store, closings: Iterable[int], size: int) -> Vouched:
    """Choose for a log of `size` records, and sweeps that were closed by these records.

    The names of all checkpoints are listed once, however long the log: a name costs less than a thousandth of a request.
    """
    by_whom: dict[str, list[int]] = {}
    for path in store.list(layout.CHECKPOINTS):
        with contextlib.suppress(ValueError):
            one, who, ending = layout.attestation_parts(path.removeprefix(layout.CHECKPOINTS))
            if 0 < one <= size:
                by_whom.setdefault(f"{who}.{ending}", []).append(one)
    chosen = set()
    ends = sorted(closings)
    for who, sizes in by_whom.items():
        sizes.sort()
        covering = (bisect_right(sizes, closing) for closing in ends)
        chosen |= {(sizes[place], who) for place in covering if place < len(sizes)}
        chosen.add((sizes[-1], who))
    return Vouched(tuple(sorted(f"{one:020d}.{who}" for one, who in chosen)), tuple(sorted({one for one, _ in chosen})))
