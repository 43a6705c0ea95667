"""The use-case `waiver`: somebody accepts that a control is not satisfied somewhere, until a day; by whom and why is sealed.

Findings stay what the evidence says (`shared.judge.waivers`). Ending one, before its time or after it, is an act as well. The same command again adds nothing.
"""

import difflib
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from shared.canonical import Json
from shared.errors import Misuse
from shared.judge.catalogue import catalogue
from shared.judge.checks.waivers import WAIVERS_CURRENT
from shared.judge.waivers import Waiver, unattended
from shared.records import timestamp
from shared.seal.store import Store
from shared.service.acts import personal, ready_to_act, records_of, seal_act
from shared.service.compose import Clock, utc_now
from shared.service.queries import Filter, Reading, findings, reading, waivers_in
from shared.service.stores import store_of
from shared.settings import Settings

LONGEST = timedelta(days=366)
"""What is accepted for longer is a decision about the profile."""

ALL = "all"

_SUBSCRIPTION = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A waiver and where it is sealed."""

    waiver: Waiver
    record: int | None
    """Index of the record that grants it; None while it waits to be sealed."""

    def as_json(self, at: str) -> Json:
        """As it is shown; `state` is `in force`, `expired` or `ended`."""
        one = self.waiver
        return {
            "waiver": one.number, "record": self.record, "control": one.control, "scope": one.scope, "since": one.since, "until": one.until,
            "owner": one.owner, "reason": one.reason, "ended": one.ended,
            "state": "in force" if one.in_force(at) else "ended" if one.ended else "expired",
        }  # fmt: skip


def add(settings: Settings, control: str, scope: str, *, until: str, owner: str, reason: str, now: Clock = utc_now) -> Sealed:
    """Waive `control` in `scope` (`all`, a subscription's id, an ARM id) until the end of a day, or a moment.

    Raises:
        Misuse: no such control, nothing there that it is about, no expiry that can be, or nobody and no reason named.
    """
    end = _expiry(until, now())
    ready = ready_to_act(settings, store_of(settings), "a waiver", owner, reason)
    about = _scope(reading(settings), _known(control), scope)
    said = {"action": "add", "control": control, "scope": about, "until": end, "owner": personal(ready, owner), "reason": reason}
    at = timestamp(now())
    for one in waivers_in(ready.store):
        same = {"action": "add", "control": one.control, "scope": one.scope, "until": one.until, "owner": one.owner, "reason": one.reason}
        if same == said and one.in_force(at):
            return _sealed(ready.store, one)
    number = seal_act(ready, "waiver", said, now, type_="waiver", resource=about)
    return _sealed(ready.store, _numbered(ready.store, number))


def end(settings: Settings, number: int, *, owner: str, reason: str, now: Clock = utc_now) -> Sealed:
    """End a waiver: before its time, or once that is over, to say that it was seen to.

    Raises:
        Misuse: there is no such waiver; nobody and no reason named.
    """
    ready = ready_to_act(settings, store_of(settings), "ending a waiver", owner, reason)
    one = _numbered(ready.store, number)
    if one.ended is None:
        said = {"action": "end", "waiver": number, "owner": personal(ready, owner), "reason": reason}
        seal_act(ready, "waiver", said, now, type_="waiver", resource=one.scope)
    return _sealed(ready.store, _numbered(ready.store, number))


def waivers(read: Reading, at: str, *, over: bool) -> list[Json]:
    """The waivers in force at a time, and those that expired and were neither ended nor renewed; with `over` the others too."""
    known = waivers_in(read.store)
    records = records_of(read.store, "waiver", {one.number for one in known})
    shown = [Sealed(one, records.get(one.number)).as_json(at) for one in known]
    left = {one.number for one in unattended(known, at)}
    return [one for one in shown if over or one["state"] == "in force" or one["waiver"] in left]


def _sealed(store: Store, one: Waiver) -> Sealed:
    return Sealed(one, records_of(store, "waiver", {one.number}).get(one.number))


def _numbered(store: Store, number: int) -> Waiver:
    found = next((one for one in waivers_in(store) if one.number == number), None)
    if found is None:
        raise Misuse(f"there is no waiver {number}: `aoai-evidence waiver list --all` shows them")
    return found


def _known(control: str) -> str:
    if control == WAIVERS_CURRENT:
        raise Misuse(f"{control} is about waivers, and cannot be waived: end the one that expired, or grant it anew")
    names = [one.id for one in catalogue().controls if one.scope != "provider"]
    if control not in names:
        near = difflib.get_close_matches(control, names, 1)
        raise Misuse(f"there is no control {control!r} that can be waived" + (f": did you mean {near[0]}?" if near else ": docs/controls.md lists them"))
    return control


def _scope(read: Reading, control: str, scope: str) -> str | None:
    """The scope as it is sealed, if the control was judged of anything in it."""
    if scope == ALL:
        return None
    wanted = scope.strip().lower().rstrip("/")
    wanted = f"/subscriptions/{wanted}" if _SUBSCRIPTION.fullmatch(wanted) else wanted
    judged = sorted({finding["resource"] for finding in findings(read, None, Filter(control=control)) if finding["resource"]})
    whole = wanted.startswith("/subscriptions/") and len(wanted.split("/")) % 2 == 1  # names and values in pairs
    if not whole or not any(resource == wanted or resource.startswith(wanted + "/") for resource in judged):
        near = difflib.get_close_matches(wanted, judged, 1, 0.0)
        hint = f"the nearest is {near[0]}" if near else "it was judged of no resource; `--scope all` waives it where it is about the collection"
        raise Misuse(f"--scope {scope!r}: {control} was judged of nothing there in the last sweep; {hint}")
    return wanted


def _expiry(until: str, now: datetime) -> str:
    try:
        end = datetime.fromisoformat(until.strip())
    except ValueError:
        raise Misuse(f"--until {until!r} is not a date: write 2026-12-31, which is meant whole, or 2026-12-31T12:00:00Z") from None
    end = end if end.tzinfo else end.replace(tzinfo=UTC)
    try:
        end = end + timedelta(days=1) if end.time() == time() and len(until.strip()) <= len("2026-12-31") else end
        if end <= now:
            raise Misuse(f"--until {until} is over: a waiver is for a time to come")
        if end - now > LONGEST:
            raise Misuse(f"--until {until} is more than {LONGEST.days} days away: waive it for less, or say in the profile what you expect")
    except OverflowError:
        raise Misuse(f"--until {until} is more than {LONGEST.days} days away: waive it for less") from None
    return timestamp(end)
