"""Forgetting what was sent: markers in `state/outbox/sent/` that are so old that nothing can bring their alerts back.

A marker keeps an alert from being sent again. It is deleted when it is older than KEPT, nothing of its key waits, and it is of one of three sorts.
Why no alert is sent twice, though its marker is gone:

- Of a sweep: an alert enters the outbox by `telling.fill` alone. For a sweep that was closed more than TOLD ago `fill` does nothing, unless a
  note in `state/alert/` says that nobody was told of it; a sweep that has one keeps its markers here. A note is written before the sweep is
  closed and never after (`alerts.owe`), so a sweep that is closed and has none will never have one. A marker is written after its sweep was
  closed; KEPT is TOLD and a day, for clocks that differ: when it goes, its sweep is older than TOLD, and stays so.
- Of an alarm: its key holds the run of `watch` that first found it (`steps.alarmed`). Runs go by the same name only until what they found is
  remembered, and markers are looked at after that: no later run has that name.
- Of a digest: its key follows from those of its members, and a digest is made of what waits. Its members would have to be put into the outbox
  again, which for those of sweeps and alarms cannot be. One of a waiver's expiry keeps its marker, always: there is one for each waiver.

An alert whose marker is gone and which waits again because somebody put it there by hand is sent: that is what he wants.
"""

from datetime import datetime, timedelta

from shared import layout
from shared.records import timestamp
from shared.seal.store import Store, read_hint

TOLD = timedelta(days=30)
"""How long after its closing a sweep may still be told, where nothing says that nobody was told of it."""

KEPT = TOLD + timedelta(days=1)

SORTS = ("sweep", "alarm", "digest")
"""What a marker may say that it is of, to be forgotten."""


def prune(store: Store, now: datetime) -> int:
    """Delete the markers that are old enough; how many. To be called when what `watch` found is remembered.

    Raises:
        Unreachable: the store.
    """
    before, gone = timestamp(now - KEPT), 0
    owed = {path.removeprefix(layout.ALERTS) for path in store.list(layout.ALERTS)}
    for path in list(store.list(f"{layout.OUTBOX}{layout.SENT}/")):
        receiver, key = path.split("/")[-2:]
        marker = read_hint(store, path)
        at, of = marker.get("at"), marker.get("of")
        old = isinstance(at, str) and at < before and of in SORTS and marker.get("sweep") not in owed
        if old and not store.exists(layout.outbox(layout.WAITING, receiver, key)):
            store.delete(path)
            gone += 1
    return gone
