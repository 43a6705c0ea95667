"""What is to be told of a sweep that was closed, told at least once: a note in `state/alert/` stands from before the closing until then.

Two may tell the same sweep, the step that closed it and `watch`; nobody's death leaves it untold.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from shared import alarms, layout
from shared.canonical import Json
from shared.seal.log import open_log
from shared.seal.store import Store
from shared.service import state


@dataclass(frozen=True, slots=True)
class Alarm:
    """One line for the log; alert rules look for its id."""

    id: str
    text: str
    about: str = ""
    """What is in trouble: with the id, this says which trouble it is, however its text may change."""
    ends: bool = True
    """Whether it is over when it is not found any more. A slot that was missed stays missed."""


def closing_alarms(sweep: str, *, missing: int, failures: int, changes: int) -> Iterator[Alarm]:
    """What a person should know of a sweep that was closed."""
    if missing or failures:
        yield Alarm(alarms.SWEEP_INCOMPLETE, f"{sweep}: {missing} units missing, {failures} questions without an answer")
    if changes:
        yield Alarm(alarms.DRIFT, f"{sweep}: {changes} changes; GET /api/changes names them")


def owe(store: Store, sweep: str) -> None:
    """Note that a sweep is about to be closed of which nobody was told. One that is closed already has its note, or was told."""
    if not store.exists(layout.batch(sweep, layout.CLOSED)):
        store.put(layout.alert(sweep), b"{}")


def settle(store: Store, sweep: str) -> None:
    """Note that it was told."""
    store.delete(layout.alert(sweep))


def owed(store: Store) -> Iterator[tuple[str, list[Alarm]]]:
    """The sweeps that were closed by somebody who did not live to tell it. Those that are not closed yet are left out."""
    names = [path.removeprefix(layout.ALERTS) for path in store.list(layout.ALERTS)]
    closed = [name for name in names if store.exists(layout.batch(name, layout.CLOSED)) and not store.exists(layout.open_sweep(name))]
    if closed:
        known: Mapping[str, Json] = {summary["sweep"]: summary for summary in state.summaries(store, open_log(store))}
        for name in closed:
            said = known.get(name)
            if said is not None:
                counts = {"missing": len(said["missing"]), "failures": said["failures"], "changes": said["changes"]}
                yield name, list(closing_alarms(name, **counts))
