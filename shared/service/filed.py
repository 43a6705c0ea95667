"""Which exhibits are on file: read from the acts of people that the store holds."""

from collections.abc import Iterable

from shared.errors import StoreConflict
from shared.judge.exhibits import Exhibit, exhibits_of
from shared.seal.store import Store
from shared.service.acts import Act, acts, acts_within


def filed(store: Store, size: int) -> tuple[Exhibit, ...]:
    """What was filed, and not only waits for it, among the first `size` records of the log.

    Raises:
        StoreConflict: what is at the path of an act is none.
    """
    return tuple(exhibits_said(acts_within(store, "exhibit", size)))


def every_exhibit(store: Store) -> list[Exhibit]:
    """Every exhibit there ever was, sealed or about to be, without where it is sealed.

    Raises:
        StoreConflict: as `filed`.
    """
    return exhibits_said((None, act) for act in acts(store, "exhibit"))


def exhibits_said(found: Iterable[tuple[int | None, Act]]) -> list[Exhibit]:
    """What acts, each with its index in the log, amount to.

    Raises:
        StoreConflict: one is not as it should be.
    """
    try:
        return exhibits_of((index, act.at, act.said) for index, act in found)
    except (KeyError, TypeError, ValueError):
        raise StoreConflict("an act about an exhibit is not as it should be: run verify --store") from None
