"""Which waivers were sealed by when: read from the acts of people that the store holds."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from shared.canonical import Json
from shared.deliver.shapes import RecordError, check_fields
from shared.deliver.waived import Waived
from shared.errors import StoreConflict
from shared.judge.waivers import Waiver, sealed_waivers
from shared.records import whole
from shared.seal.store import Store
from shared.service.acts import acts_within

if TYPE_CHECKING:
    from shared.service.queries import Reading


def waived(store: Store, size: int) -> tuple[Waiver, ...]:
    """What was waived among the first `size` records of the log, expired and ended ones too. Where the acts are is noted for the next time.

    Raises:
        StoreConflict: an act about a waiver is not as it should be.
    """
    within = acts_within(store, "waiver", size, note=True)
    try:
        for _, act in within:
            check_fields({"type": "waiver", "waiver": act.said})
    except RecordError:
        raise StoreConflict("an act about a waiver is not as it should be: run verify --store") from None
    return tuple(sealed_waivers((index, act.at, act.said) for index, act in within))


def waiver_records(read: "Reading") -> Iterator[tuple[int, Json]]:
    """The records of all acts about waivers, in the order of the log."""
    for place in sorted(index for index, _ in acts_within(read.store, "waiver", read.log.size)):
        yield from ((index, whole(record, read.body)) for index, record in read.log.records(place, place + 1))


def waived_then(read: "Reading") -> Waived:
    """What waived each finding when it was made: by the acts before it in the log, as the tables of a bundle have it."""
    found = Waived()
    for index, record in waiver_records(read):
        found.take(index, record)
    return found
