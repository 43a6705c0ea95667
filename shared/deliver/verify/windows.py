"""Whether logs were asked for without a hole: each answer for the window that its plan has, and each plan's windows after an answer that is there.

A plan's window begins no later than the answer before ended, or as far back as Azure keeps; so a hole between two answers is one that Azure
would not have filled. Whether there is one is a control's affair. Told of records, it writes down problems.
"""

from collections.abc import Iterator
from urllib.parse import urlsplit

from shared.canonical import Json
from shared.collect.endpoints import BY_KIND
from shared.collect.kql import is_known
from shared.collect.windows import OVERLAP, Window, window_of
from shared.deliver.verify.sweep import SweepState
from shared.deliver.verify.verdict import Tally

KEPT = 16
"""Answers of one question whose ends are remembered: a plan follows one of the newest, or state was lost and it follows none."""


def _wrongly_narrow(plan: Json, known: Json) -> Iterator[str]:
    """What is wrong with a window that says that it is narrow because of an event."""
    cause = plan.get("cause")
    if not isinstance(cause, dict) or cause.get("by") != "event":
        yield "is narrow, and no event caused the sweep"
    if known["previous"] is not None or not known["from"] <= min(known["around"], plan["at"]):
        yield "is said to be around an event, and is not"


class Windows:
    """Takes in plans and answers in the order of the log. `from_start`: every record before was read."""

    def __init__(self, tally: Tally, *, from_start: bool) -> None:
        self._tally = tally
        self._from_start = from_start
        self._ends: dict[tuple[str, str], dict[int, str]] = {}

    def planned(self, index: int, plan: Json) -> None:
        """A plan: do its windows follow answers, and leave no hole that they need not?"""
        widest = plan.get("windows")
        if widest is None:
            return
        if widest["to"] != plan["at"]:
            self._tally.problem("plan", "its windows end at another time than that of the plan", record=index)
        for unit in plan["units"]:
            for known in unit.get("windows", ()):
                wrong = self._wrong(index, known, widest) if "around" not in known else _wrongly_narrow(plan, known)
                for reason in wrong:
                    self._tally.problem("plan", f"the window of {known['kind']} of {known['resource']} {reason}", record=index)

    def _wrong(self, index: int, known: Json, widest: Json) -> Iterator[str]:
        previous = known["previous"]
        if previous is None:
            yield "follows no answer, and no event made it narrow"
            return
        if known["from"] > max(previous["to"], widest["from"]):
            yield "begins later than the answer before it ended"
        ends = self._ends.get((known["kind"], known["resource"]), {})
        if previous["record"] >= index or (self._from_start and ends.get(previous["record"]) != previous["to"]):
            yield f"follows record {previous['record']}, which is no answer that ended then"

    def answered(self, sweep: SweepState, index: int, value: Json) -> None:
        """An answer or failure: was it asked for the window that its plan has?"""
        kind, window = value["kind"], value.get("window")
        if window is None:
            planned = sweep.plan is not None and sweep.plan.get("windows") is not None
            if kind in OVERLAP and planned and value.get("reason") != "skipped":
                self._tally.problem("answer", f"{kind}: does not say which time was asked for", record=index)
            return
        if sweep.plan is not None and value["unit"] in sweep.asked:
            listed = sweep.asked[value["unit"]].get("windows", ())
            due = window_of(kind, value["resource"] or "", listed, sweep.plan.get("windows"))
            if due is None or window != due.as_json():
                self._tally.problem("answer", f"{kind}: was asked for another time than the plan has", record=index)
            self._check_question(sweep, index, value, Window(window["from"], window["to"]))
        if value["type"] == "observation" and "around" not in window:
            ends = self._ends.setdefault((kind, value["resource"] or ""), {})
            ends[index] = window["to"]
            if len(ends) > KEPT:
                del ends[next(iter(ends))]

    def _check_question(self, sweep: SweepState, index: int, value: Json, window: Window) -> None:
        """Whether the window is what was really asked for."""
        kind, asked = value["kind"], value["request"]
        if kind not in BY_KIND:
            return
        if asked["method"] == "GET":
            if urlsplit(BY_KIND[kind].url("", window)).query != urlsplit(asked["url"]).query:
                self._tally.problem("answer", f"{kind}: its address asks for another time than the record says", record=index)
            return
        account = sweep.asked[value["unit"]]["resource"]
        if is_known(kind, account, window, asked.get("body")):
            return
        text = str((asked.get("body") or {}).get("query"))
        if not all(part in text for part in (account, window.start, window.end)):
            self._tally.problem("answer", f"{kind}: the query is about another account or time than the record says", record=index)
        self._tally.unchecked(f"what {kind} asked: the text of the query is not one that this version knows")
