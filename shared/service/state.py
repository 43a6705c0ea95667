"""What is remembered between sweeps under `state/`: hints, none of it evidence, all of it read again from the log where lost or torn."""

import contextlib
import json
from collections import Counter
from collections.abc import Callable, Iterator

from shared import layout
from shared.canonical import Json, canonical
from shared.errors import Unreachable
from shared.records import whole
from shared.seal.commits import last_commit, read_commit
from shared.seal.log import Log
from shared.seal.store import Store, get_body, hinted_number, read_hint
from shared.service.summary_index import stored_summaries


def open_sweeps(store: Store) -> list[str]:
    """The sweeps whose batches are not all sealed, the oldest first."""
    return sorted(filter(layout.is_name, (path[len(layout.OPEN_SWEEPS) :] for path in store.list(layout.OPEN_SWEEPS))))


def mark_open(store: Store, sweep: str, since: int) -> None:
    """Note that batches of `sweep` will come, after the commit numbered `since`."""
    if not store.exists(layout.open_sweep(sweep)):
        store.put(layout.open_sweep(sweep), canonical({"since": since}))


def forget(store: Store, sweep: str, waits: Callable[[], bool]) -> None:
    """Take the marker of a sweep away, unless a batch of it waits, or comes in the moment of looking."""
    if waits():
        return
    after = since(store, sweep)
    store.delete(layout.open_sweep(sweep))
    if waits():  # whoever wrote it saw the marker and did not put it again
        mark_open(store, sweep, after)


def since(store: Store, sweep: str) -> int:
    """The commit after which the batches of an open sweep are sealed; 0 where nothing says so."""
    return hinted_number(read_hint(store, layout.open_sweep(sweep)), "since")


def summaries(store: Store, log: Log) -> list[Json]:
    """What each closed sweep came to, in the order of their closing; read again from the log where summaries are missing.

    Each: sweep, slot, planned_at, closed_at, first and end (its records lie in between), plan_record, closed_record, previous (closing
    record of the sweep before, as its plan has it), units, failures, missing, complete, findings (by status), changes.

    Raises:
        StoreConflict: the log is not what was sealed.
    """
    stored = stored_summaries(store, _is_summary)
    read = list(filter(_is_summary, stored))
    known = {summary["closed_record"]: summary for summary in read if summary["end"] <= log.size}
    gone = len(read) < len(stored) or any(summary["previous"] not in (None, *known) for summary in known.values())
    after = 0 if gone else max((summary["end"] for summary in known.values()), default=0)
    for index in _closings(store, log, after):
        if index not in known:
            known[index] = summary = _read_again(store, log, index)
            with contextlib.suppress(Unreachable):  # of those who may only read
                store.put(layout.sweep_summary(summary["sweep"]), canonical(summary))
    return [known[index] for index in sorted(known)]


def _is_summary(value: Json) -> bool:
    numbers = all(isinstance(value.get(name), int) for name in ("first", "end", "plan_record", "closed_record"))
    return numbers and "changes" in value and isinstance(value.get("previous", ""), int | None)


def _closings(store: Store, log: Log, after: int) -> list[int]:
    """The indexes, from `after` on, of the records that close a sweep, as the commits have them."""
    found: list[int] = []
    for seq in range(last_commit(store), 0, -1):
        commit = read_commit(store, seq)
        if commit.size <= after:
            break
        closing = (first for batch, first in commit.places() if layout.batch_parts(batch.path)[1] == layout.CLOSED)
        found += [index for index in closing if after <= index < log.size]
    return sorted(found)


def _read_again(store: Store, log: Log, index: int) -> Json:
    closed = read_closing(store, log, index)
    plan = _record(store, log, closed["planned"])
    findings, changes = Counter[str](), 0
    for record in _concluded(log, closed):
        if record["type"] == "finding":
            findings[record["status"]] += 1
        else:
            changes += record["type"] == "change"
    first = min(place[0] for place in closed["units"].values())
    return closing_summary(closed, index, plan, first=first, findings=dict(findings), changes=changes)


def _concluded(log: Log, closed: Json) -> Iterator[Json]:
    for first, count in sorted(closed["findings"].values()):
        for _, record in log.records(first, first + count):
            yield record


def read_closing(store: Store, log: Log, index: int) -> Json:
    """The closing record at an index."""
    return _record(store, log, index)


def _record(store: Store, log: Log, index: int) -> Json:
    return whole(next(log.records(index, index + 1))[1], lambda digest: json.loads(get_body(store, digest)))


def closing_summary(closed: Json, index: int, plan: Json, *, first: int, findings: Json, changes: int) -> Json:
    """The summary of a sweep, given its closing record, its plan, and the counts of what came between."""
    return {
        "sweep": closed["sweep"],
        "slot": closed["slot"],
        "planned_at": plan["at"],
        "closed_at": closed["at"],
        "first": first,
        "end": index + 1,
        "plan_record": closed["planned"],
        "closed_record": index,
        "previous": plan["previous"]["record"] if plan["previous"] else None,
        "units": len(closed["units"].keys() - {layout.PLAN}),
        "missing": closed["missing"],
        "failures": closed["failures"],
        "complete": closed["complete"],
        "findings": findings,
        "changes": changes,
    }
