"""The use-case `key list`: which keys could sign the log, from which record on, and what is under way. Asks the store alone."""

from shared.canonical import Json
from shared.seal.keys import Change, Keys, read_keys
from shared.seal.store import Store
from shared.service.compose import store_facts
from shared.service.stores import store_of
from shared.settings import Settings


def key_history(settings: Settings) -> list[Json]:
    """Every list of keys, the first one first.

    Each: number, record (null while it waits to be sealed), at, state (`past`, `in force`, `begun`), keys (vkey, vault), lost, reason.

    Raises:
        Misuse: no store there.
        StoreConflict: the lists of keys are not as we write them.
    """
    store: Store = store_of(settings)
    store_facts(store)
    return history_of(read_keys(store))


def history_of(keys: Keys) -> list[Json]:
    """The same of lists that were read."""
    return [_shown(change, keys) for change in keys.changes]


def _shown(change: Change, keys: Keys) -> Json:
    state = "begun"
    if change.in_force:
        state = "in force" if change.list is keys.in_force else "past"
    listed = [{"vkey": str(key), "vault": change.list.vaults.get(str(key))} for key in change.list.keys]
    return {
        "number": change.number, "record": change.record, "at": change.list.at, "state": state, "keys": listed,
        "lost": list(change.list.lost), "reason": change.list.reason,
    }  # fmt: skip
