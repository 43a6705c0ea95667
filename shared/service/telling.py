"""What is told of a sweep that was closed, put into the outbox of everybody whom it concerns."""

from collections.abc import Sequence
from datetime import datetime

from shared.canonical import Json
from shared.deliver.alerts.channel import Channel
from shared.deliver.alerts.decide import alerts_of
from shared.deliver.alerts.route import wanted
from shared.seal.log import open_log
from shared.seal.store import Store
from shared.service import outbox, state
from shared.service.compose import store_facts
from shared.service.queries import Filter, Reading, changes


def fill(store: Store, sweep: str, receivers: Sequence[Channel], now: datetime) -> int:
    """Put what a closed sweep gives into the outbox of everybody; how much was not in it yet. Any number of times is as good as once.

    Raises:
        StoreConflict: the log is not what was sealed.
        Unreachable: the store.
    """
    if not receivers:
        return 0
    origin, found = _changed(store, sweep)
    told = ((one, alert) for one in receivers for alert in alerts_of(origin, sweep, wanted(one.route, found)))
    return sum(outbox.put(store, one.name, alert, now) for one, alert in told)


def _changed(store: Store, sweep: str) -> tuple[str, list[Json]]:
    """The log's origin, and the changes of a sweep with what they mean."""
    log, facts = open_log(store), store_facts(store)
    summary = next((one for one in state.summaries(store, log) if one["sweep"] == sweep), None)
    if summary is None or not summary["changes"]:
        return facts["origin"], []
    return facts["origin"], list(changes(Reading(store, log, facts, [summary]), None, Filter()))
