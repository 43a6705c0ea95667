"""Who made changes, told again: each attribution follows from the answers of the Activity Log and the events that it names, and none that its
own sweep brought is left out.

Answers and events stream by, and are remembered as far as windows, resource and digests; bodies are read when an attribution names them.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from shared.canonical import Json
from shared.deliver import rejudge
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.sweep import SweepState
from shared.deliver.verify.verdict import Tally
from shared.judge.assemble import Entry, entry_of
from shared.judge.attribution import QUESTIONS, Changed, Ledger, attribute, of_attribution, of_change, question_of
from shared.judge.lives.inventory import Shelf

KEPT: Final = 50_000
"""Answers and events, and changes, that are remembered: the newest."""

LEDGERS: Final = 8

_UNKNOWN: Final = "who made changes, where that rests on records too far back"


class Attributions:
    """Takes in answers, events, changes and attributions, in the order of the log. `from_start`: every record before was read."""

    def __init__(self, tally: Tally, bodies: Parsed, *, from_start: bool) -> None:
        self._tally = tally
        self._bodies = bodies
        self._whole = from_start
        self._forgot = False
        """Whether something that came before is no longer remembered."""
        self._entries: OrderedDict[int, Entry] = OrderedDict()
        self._newest: OrderedDict[tuple[str, str, str], int] = OrderedDict()
        """By sweep, question and subscription: the answer, or the failure."""
        self._changes: OrderedDict[tuple[str, str, int | None], Changed] = OrderedDict()
        self._owed: dict[tuple[str, str, int | None], int] = {}
        """Changes of the run that is read, until their attribution comes."""
        self._ledgers: OrderedDict[tuple[int, ...], Ledger] = OrderedDict()
        self._shelf = Shelf(self._load)

    def _load(self, digest: str) -> Json:
        try:
            return self._bodies.load(digest)
        except BodyError as error:
            raise rejudge.CannotJudgeError(str(error)) from None

    # -- what is remembered -------------------------------------------------------------------------------------------------

    def told(self, index: int, value: Json) -> None:
        """An answer, a failure or an event came by; those that tell nothing of operations are passed over."""
        if value["type"] == "event":
            if value["kind"] != "resource" or not _has_body(value):
                return
        elif value["kind"] not in QUESTIONS or value["sweep"] is None:
            return
        else:
            self._newest[value["sweep"], value["kind"], value["resource"] or ""] = index
        self._entries[index] = entry_of(index, value)
        for kept in (self._entries, self._newest):
            if len(kept) > KEPT:
                kept.popitem(last=False)
                self._forgot = True

    def changed(self, index: int, value: Json) -> None:
        """A change came by."""
        changed = of_change(value)
        if changed.key in self._changes:
            self._tally.problem("change", f"{changed.kind} of {changed.resource}: the same change was sealed before", record=index)
        self._changes[changed.key] = changed
        self._owed[changed.key] = index
        if len(self._changes) > KEPT:
            self._changes.popitem(last=False)
            self._whole = False  # which changes there were is not known to the end

    # -- what is checked ----------------------------------------------------------------------------------------------------

    def take(self, sweep: SweepState, index: int, value: Json) -> None:
        """An attribution: is it about a change, and does it follow?"""
        changed = of_attribution(value)
        self._owed.pop(changed.key, None)
        known = self._changes.get(changed.key)
        if known != changed:
            if known is not None or self._whole:
                self._tally.problem("attribution", f"is about a change of {changed.resource} that no record tells of", record=index)
                return
            self._tally.unchecked("which changes some attributions are about: those were sealed before what is here")
        why = self._wrong(sweep, value, changed)
        if why is not None:
            self._tally.problem("attribution", f"of a change of {changed.resource}: {why}", record=index)

    def _wrong(self, sweep: SweepState, value: Json, changed: Changed) -> str | None:
        named: Sequence[int] = value["records"]
        question = question_of(changed)
        due = self._newest.get((sweep.name, question, "/".join(changed.target.split("/")[:3]))) if question else None
        if due is not None and due not in named:
            return f"it leaves out what the Activity Log came to in its own sweep, record {due}"
        entries = [self._entries[index] for index in named if index in self._entries]
        if len(entries) < len(named):
            if not self._forgot:
                return "it names a record that is not here, or is no answer of the Activity Log and no event"
            self._tally.unchecked(_UNKNOWN)
            return None
        try:
            says = attribute(changed, self._ledger(tuple(named), entries)).as_json()
        except rejudge.CannotJudgeError as error:
            return f"it cannot be made again: {error}"
        self._tally.counts["attributions recomputed"] += 1
        differs = [name for name, is_ in says.items() if value.get(name) != is_]
        return f"the records that it names give another {', '.join(differs[:3])} ({says['status']}: {says['reason']})" if differs else None

    def _ledger(self, key: tuple[int, ...], entries: Sequence[Entry]) -> Ledger:
        found = self._ledgers.pop(key, None) or Ledger(entries, self._shelf)
        self._ledgers[key] = found
        if len(self._ledgers) > LEDGERS:
            self._ledgers.popitem(last=False)
        return found

    def end(self, plan: Json) -> None:
        """The conclusions about a unit are over: was every change attributed, or said why not?"""
        owed, self._owed = self._owed, {}
        if plan is not None and QUESTIONS.isdisjoint(plan["questions"].get("subscription", ())):
            return  # of a version that did not ask
        for (kind, resource, _), index in owed.items():
            self._tally.problem("attribution", f"{kind} of {resource} changed, and no record says who did it, or why that is not known", record=index)


def _has_body(value: Json) -> bool:
    """Whether an event is of the form that attribution reads: one body, whose fields it names."""
    pages = value.get("pages")
    return isinstance(pages, list) and all(isinstance(page, dict) and isinstance(page.get("sha256"), str) for page in pages) and value["resource"] is not None
