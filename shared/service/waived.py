"""Which waivers were sealed by when: read from the acts of people that the store holds."""

from shared.errors import StoreConflict
from shared.judge.waivers import Waiver, sealed_waivers
from shared.seal.store import Store
from shared.service.acts import acts_within


def waived(store: Store, size: int) -> tuple[Waiver, ...]:
    """What was waived among the first `size` records of the log, expired and ended ones too.

    Raises:
        StoreConflict: an act about a waiver is not as it should be.
    """
    try:
        return tuple(sealed_waivers((index, act.at, act.said) for index, act in acts_within(store, "waiver", size)))
    except (KeyError, TypeError, ValueError):
        raise StoreConflict("an act about a waiver is not as it should be: run verify --store") from None
