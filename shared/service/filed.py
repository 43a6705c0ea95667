"""Which exhibits are on file: read from the acts of people that the store holds."""

from collections.abc import Iterable, Iterator

from shared.canonical import Json
from shared.deliver.shapes import RecordError, check_fields
from shared.errors import StoreConflict
from shared.judge.exhibits import Exhibit, exhibits_of
from shared.seal.store import Store
from shared.service.acts import Act, acts, acts_within
from shared.service.queries import Reading


def filed(store: Store, size: int) -> tuple[Exhibit, ...]:
    """What was filed, and not only waits for it, among the first `size` records of the log. Where the acts are is noted for the next time.

    Raises:
        StoreConflict: what is at the path of an act is none.
    """
    return tuple(exhibits_said(acts_within(store, "exhibit", size, note=True)))


def every_exhibit(store: Store) -> list[Exhibit]:
    """Every exhibit there ever was, sealed or about to be, without where it is sealed.

    Raises:
        StoreConflict: as `filed`.
    """
    return exhibits_said((None, act) for act in acts(store, "exhibit"))


def exhibit_records(read: Reading) -> Iterator[tuple[int, Json]]:
    """The records of all acts about exhibits, in the order of the log."""
    for index in sorted(index for index, _ in acts_within(read.store, "exhibit", read.log.size)):
        yield from read.log.records(index, index + 1)


def exhibits_said(found: Iterable[tuple[int | None, Act]]) -> list[Exhibit]:
    """What acts, each with its index in the log, amount to.

    Raises:
        StoreConflict: one is not as it should be.
    """
    read = list(found)
    try:
        for _, act in read:
            check_fields({"type": "exhibit", "exhibit": act.said})
    except RecordError:
        raise StoreConflict("an act about an exhibit is not as it should be: run verify --store") from None
    return exhibits_of((index, act.at, act.said) for index, act in read)
