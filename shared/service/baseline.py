"""The use-case `baseline`: somebody approves the state in which resources were, as the sweeps that are closed saw it; by whom and why is sealed.

What is sealed is small, however many resources it is about: which records of the log to look at (`shared.service.looked`). What was approved
of each is in these records, where anybody can look it up. The same again adds nothing; another approval takes the place of one before.
"""

import difflib
import re
from dataclasses import dataclass

from shared.canonical import Json
from shared.errors import Misuse, StoreConflict
from shared.judge.baselines import Baseline, baselines_of
from shared.seal.store import Store
from shared.service.acts import acts, personal, ready_to_act, records_of, seal_act
from shared.service.compose import Clock, utc_now
from shared.service.looked import Looked, reach
from shared.service.queries import Reading, reading
from shared.service.stores import store_of
from shared.settings import Settings

_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A baseline and where it is sealed."""

    baseline: Baseline
    record: int | None
    """Index of the record of the approval; None while it waits to be sealed."""

    def as_json(self) -> Json:
        """As it is shown."""
        one = self.baseline
        return {
            "baseline": one.number, "record": self.record, "approved": one.at, "scope": one.scope, "sweep": one.sweep, "from": one.start,
            "size": one.size, "owner": one.owner, "reason": one.reason,
        }  # fmt: skip


def approve(settings: Settings, resource: str | None, *, owner: str, reason: str, now: Clock = utc_now) -> Sealed:
    """Approve the state in which a resource and all that lies in it was, as of the last closed sweep; None: everything.

    `resource`: an ARM id of an account or of what it lies in, a subscription's id, or the name of an account.

    Raises:
        Misuse: no sweep was closed, nothing is there that it is about, or nobody and no reason named.
    """
    why = reason.strip()
    ready = ready_to_act(settings, store_of(settings), "a baseline", owner, why)
    read = reading(settings)
    if not read.sweeps:
        raise Misuse("no sweep was closed yet, so there is nothing to approve: run `aoai-evidence collect`")
    last = max(read.sweeps, key=lambda sweep: int(sweep["end"]))
    start, size = reach(read.sweeps, last["end"]), int(last["end"])
    scope = _scope(Looked(read, start, size), resource) if resource is not None else None
    said = {
        "action": "approve", "scope": scope, "from": start, "size": size, "sweep": last["sweep"], "owner": personal(ready, owner), "reason": why,
    }  # fmt: skip
    for one in baselines_in(ready.store):
        if (one.scope, one.start, one.size, one.owner, one.reason) == (scope, start, size, said["owner"], why):
            return _sealed(ready.store, one)
    number = seal_act(ready, "baseline", said, now, type_="baseline", resource=scope)
    return _sealed(ready.store, next(one for one in baselines_in(ready.store) if one.number == number))


def baselines_in(store: Store) -> list[Baseline]:
    """Every baseline there ever was, sealed or about to be.

    Raises:
        StoreConflict: what is at the path of one is none.
    """
    try:
        return baselines_of((act.number, act.at, act.said) for act in acts(store, "baseline"))
    except (KeyError, TypeError):
        raise StoreConflict("an act about a baseline is not as it should be: run verify --store") from None


def baselines(read: Reading) -> list[Json]:
    """Every baseline, in the order in which they were approved."""
    known = baselines_in(read.store)
    records = records_of(read.store, "baseline", {one.number for one in known})
    return [Sealed(one, records.get(one.number)).as_json() for one in known]


def _sealed(store: Store, one: Baseline) -> Sealed:
    return Sealed(one, records_of(store, "baseline", {one.number}).get(one.number))


def _scope(looked: Looked, asked: str) -> str:
    """The scope as it is sealed, if something that was there lies in it."""
    wanted = asked.strip().lower().rstrip("/")
    wanted = f"/subscriptions/{wanted}" if _SUBSCRIPTION.fullmatch(wanted) else wanted
    there = sorted(unit["resource"] for unit in looked.units().values() if unit["resource"])
    named = [resource for resource in there if "/accounts/" in resource and resource.rpartition("/")[2] == wanted]
    if len(named) > 1:
        raise Misuse(f"--resource {asked!r}: {len(named)} accounts have this name; give the ARM id of one")
    found = named[0] if named else wanted
    whole = found.startswith("/subscriptions/") and len(found.split("/")) % 2 == 1  # names and values in pairs
    inside = [unit for unit in looked.units().values() if unit["resource"] == found or unit["resource"].startswith(found + "/")] if whole else []
    if not any(looked.presence(unit).state != "gone" for unit in inside):
        near = difflib.get_close_matches(wanted, there, 1, 0.0)
        raise Misuse(f"--resource {asked!r}: nothing was seen there in the last sweep{f'; the nearest is {near[0]}' if near else ''}; --all approves everything")
    return found
