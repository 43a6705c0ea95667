"""What is remembered between sweeps under `state/`: hints, none of it evidence, all of it rebuilt from the log where lost."""

import json
from collections.abc import Iterator

from shared import layout
from shared.canonical import Json, canonical
from shared.records import whole
from shared.seal.log import Log
from shared.seal.store import Store


def open_sweeps(store: Store) -> list[str]:
    """The sweeps whose batches are not all sealed, the oldest first."""
    return sorted(path[len(layout.OPEN_SWEEPS) :] for path in store.list(layout.OPEN_SWEEPS))


def mark_open(store: Store, sweep: str, since: int) -> None:
    """Note that batches of `sweep` will come, after the commit numbered `since`."""
    if not store.exists(layout.open_sweep(sweep)):
        store.put(layout.open_sweep(sweep), canonical({"since": since}))


def since(store: Store, sweep: str) -> int:
    """The commit after which the batches of an open sweep are sealed; 0 where nothing says so."""
    return int(json.loads(store.get(layout.open_sweep(sweep)) or b"{}").get("since", 0))


def summaries(store: Store, log: Log) -> list[Json]:
    """What each closed sweep came to, in the order of their closing; read again from the log where summaries are missing.

    Each: sweep, slot, planned_at, closed_at, first and end (its records lie in between), plan_record, closed_record, units, failures,
    missing, complete, findings (by status), changes.
    """
    found = [json.loads(store.get(path) or b"{}") for path in store.list(layout.SWEEP_SUMMARIES)]
    known = sorted((s for s in found if s.get("end", log.size + 1) <= log.size), key=lambda s: int(s["closed_record"]))
    upto = known[-1]["end"] if known else 0
    for summary in _scan(store, log, upto):
        store.put(layout.sweep_summary(summary["sweep"]), canonical(summary))
        known.append(summary)
    return known


def _scan(store: Store, log: Log, first: int) -> Iterator[Json]:
    """The summaries of the sweeps that close at or after the record `first`."""
    tally: dict[str, Json] = {}
    for index, record in log.records(first, log.size):
        sweep = record.get("sweep")
        if not sweep:
            continue
        counted = tally.setdefault(sweep, {"first": index, "findings": {}, "changes": 0})
        if record["type"] == "finding":
            counted["findings"][record["status"]] = counted["findings"].get(record["status"], 0) + 1
        elif record["type"] == "change":
            counted["changes"] += 1
        elif record["type"] == "sweep-planned":
            counted |= {"planned_at": record["at"], "plan_record": index}
        elif record["type"] == "sweep-closed":
            closed = whole(record, lambda digest: json.loads(store.get(layout.body(digest)) or b"null"))
            if "planned_at" in counted:
                yield closing_summary(closed, index, **tally.pop(sweep))


def closing_summary(closed: Json, index: int, *, first: int, planned_at: str, plan_record: int, findings: Json, changes: int) -> Json:
    """The summary of a sweep, given its closing record and the counts of what came before."""
    return {
        "sweep": closed["sweep"],
        "slot": closed["slot"],
        "planned_at": planned_at,
        "closed_at": closed["at"],
        "first": first,
        "end": index + 1,
        "plan_record": plan_record,
        "closed_record": index,
        "units": len(closed["units"].keys() - {layout.PLAN}),
        "missing": closed["missing"],
        "failures": closed["failures"],
        "complete": closed["complete"],
        "findings": findings,
        "changes": changes,
    }


def unit_answers(store: Store, unit: str) -> dict[str, Json]:
    """The latest answers about a unit: by question and resource, `{"record","at","pages":[digest…]}`; of one with a window `to`, its end."""
    found = json.loads(store.get(layout.unit_state(unit)) or b"{}")
    return found if isinstance(found, dict) else {}


def remember_answers(store: Store, unit: str, answers: dict[str, Json]) -> None:
    """Keep the latest answers about a unit."""
    store.put(layout.unit_state(unit), canonical(answers))
