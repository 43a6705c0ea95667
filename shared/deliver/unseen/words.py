"""What could not be seen, as a document: each part with the sentence that says it, and what was looked at even where there is nothing to tell."""

from collections.abc import Collection, Iterable, Sequence

from shared import layout
from shared.canonical import Json
from shared.deliver.unseen.slots import Missed
from shared.deliver.unseen.stretches import LATE, MISSING, LogGap, Place, Stretch, Unknown, Unseen
from shared.deliver.unseen.subscriptions import Absent
from shared.judge.checks.unobservable import UNOBSERVABLE
from shared.judge.reading import FAILURES, count, names, verb

_CONTROLS = 8
"""Names of controls in one sentence; the document has all of them."""

_WHY = {**FAILURES, "partial": "Log Analytics said that what it gave is not the whole answer"}
_SO = {
    "accounts": "which accounts the subscription holds is not known, and those that are not listed were not asked about",
    "subscriptions": "which subscriptions there are is not known",
}
"""What else could not be seen for want of an answer."""


def document(
    *, period: tuple[str, str] | None, sweeps: Sequence[Json], plans: Sequence[tuple[int, Json]], fold: Unseen, stretches: Iterable[Stretch],
    absences: Iterable[Absent], beside: Sequence[str], missed: Iterable[Missed], schedule: bool, begins: str | None, left_open: Collection[str],
) -> Json:  # fmt: skip
    """The whole answer (docs/questions.md has its members). `complete`: nothing was out of sight that the scope and schedule name.

    `period` is None for now; `plans` are those of `sweeps`; `schedule`: whether one is declared; `begins`: when the log's first sweep was planned.
    """
    looked = _looked_at(period, sweeps, plans, fold, beside)
    questions = [_stretch(one) for one in stretches]
    subscriptions = [_absent(one) for one in absences]
    gaps = [*map(_missed, missed), *map(_log_gap, fold.gaps), *map(_left_open, left_open)]
    if period and begins and period[0] < begins:
        gaps.insert(
            0,
            _gap(
                "before-first-sweep",
                period[0],
                begins,
                [],
                f"Before {minute(begins)} nothing was looked at: the log's first sweep was planned then.",
            ),
        )
    if sweeps and not looked["whole"]:
        gaps.append(_gap("narrowed", sweeps[0]["planned_at"], sweeps[-1]["planned_at"], [], _narrowed(plans)))
    controls = _controls([one for one in fold.unknown.values() if one.still or period])
    complete = bool(sweeps) and not (questions or subscriptions or gaps)
    parts = {"looked_at": looked, "unseen": questions, "subscriptions": subscriptions, "gaps": gaps, "controls": controls}
    return {
        "complete": complete,
        **parts,
        "provider_attested": sorted(fold.attested),
        "schedule_declared": schedule,
        "beyond": _beyond(plans, fold),
    }


def sentences(value: Json) -> list[str]:
    """The document in sentences, for a person."""
    looked = value["looked_at"]
    if not looked["sweeps"]:
        return [looked["says"], *(one["says"] for one in value["gaps"])]
    lines = [looked["says"], ""]
    lines += [one["says"] for one in value["unseen"]] or [
        f"Each of the {count(looked['answered'], 'question')} that were asked had an answer."
    ]
    lines += [one["says"] for one in value["subscriptions"]] or [
        "No subscription was out of sight that the scope names or that was seen before."
    ]
    lines += [one["says"] for one in value["gaps"]] or (
        ["No slot of the schedule is without a sweep, and no log has a hole."] if value["schedule_declared"] else []
    )
    if not value["schedule_declared"]:
        lines.append("No schedule is declared, so a sweep that did not happen cannot be seen.")
    lines += ["", *([one["says"] for one in value["controls"]] or ["No control is unknown for any other reason."])]
    return [*lines, "", *value["beyond"]]


def minute(at: str) -> str:
    """A record's time for people."""
    return f"{at[:16].replace('T', ' ')} UTC"


def named(resource: str) -> str:
    """A resource for people: its name, and the group that tells it from another of that name."""
    parts = resource.strip("/").split("/")
    if len(parts) < 8:
        return f"subscription {parts[1]}" if len(parts) > 1 else resource or "the identity"
    sort = "account" if parts[6] == "accounts" else parts[6]
    return " › ".join([f"{sort} {parts[7]} (group {parts[3]})", *("/".join(parts[8:]).split("\n") if len(parts) > 8 else [])])


# -- what was looked at -------------------------------------------------------------------------------------------------


def _looked_at(
    period: tuple[str, str] | None, sweeps: Sequence[Json], plans: Sequence[tuple[int, Json]], fold: Unseen, beside: Sequence[str]
) -> Json:
    full = [sweep for sweep in sweeps if layout.BY_EVENT not in sweep["sweep"]]
    narrowed = {plan["sweep"] for _, plan in plans if (plan.get("scope") or {}).get("resources") is not None}
    subscriptions = sorted(unit.removeprefix("subscription-") for unit in fold.units if unit.startswith("subscription-"))
    found = {
        "period": {"from": period[0], "to": period[1]} if period else None,
        "sweeps": [sweep["sweep"] for sweep in sweeps],
        "whole": any(sweep["sweep"] not in narrowed for sweep in full),
        "records": [min(sweep["first"] for sweep in sweeps), max(sweep["end"] for sweep in sweeps) - 1] if sweeps else None,
        "subscriptions": subscriptions,
        "out_of_scope": list(beside),
        "accounts": len(fold.units) - len(subscriptions),
        "answered": fold.answered,
        "failed": fold.failed,
        "findings": fold.findings,
    }
    return {**found, "says": _looked_says(found, period, sweeps, len(full))}


def _looked_says(found: Json, period: tuple[str, str] | None, sweeps: Sequence[Json], full: int) -> str:
    when = f"from {minute(period[0])} to {minute(period[1])}" if period else ""
    if not sweeps:
        return (
            f"Nothing was seen {when}: no sweep of that time was closed."
            if period
            else "Nothing was seen: no sweep was closed yet, run `aoai-evidence collect`."
        )
    if period:
        what = f"{count(len(sweeps), 'sweep')} planned {when}"
    elif full:
        what = f"the last sweep, {sweeps[0]['sweep']}, planned {minute(sweeps[0]['planned_at'])}"
        what += f", and {count(len(sweeps) - 1, 'collection')} that events caused since" if len(sweeps) > 1 else ""
    else:
        what = f"{count(len(sweeps), 'collection')} that {verb(len(sweeps), 'an event', 'events')} caused: there was no sweep of everything yet"
    beside = f"; {count(len(found['out_of_scope']), 'subscription')} that the identity sees {verb(len(found['out_of_scope']), 'is', 'are')} not in the scope"
    return (
        f"Looked at {what}: records {found['records'][0]} to {found['records'][1]}, {count(len(found['subscriptions']), 'subscription')}, "
        f"{count(found['accounts'], 'account')}, {count(found['answered'] + found['failed'], 'question')} of which {found['answered']} had an answer, "
        f"{count(found['findings'], 'finding')}{beside if found['out_of_scope'] else ''}."
    )


def _narrowed(plans: Sequence[tuple[int, Json]]) -> str:
    only = sorted({resource for _, plan in plans for resource in (plan.get("scope") or {}).get("resources") or ()})
    return f"What was looked at was narrowed to {count(len(only), 'resource')} ({names(map(named, only))}): nothing else was looked at."


def _beyond(plans: Sequence[tuple[int, Json]], fold: Unseen) -> list[str]:
    """What no sweep of ours can see."""
    kinds = names(kind for _, plan in plans for kind in (plan.get("scope") or {}).get("kinds") or ())
    found = [f"Accounts of other kinds than {kinds} were not asked about."] if kinds else []
    if fold.attested:
        found.append(
            f"Of {count(len(fold.attested), 'control')} nobody outside the provider can see anything (provider-attested): {names(fold.attested, _CONTROLS)}."
        )
    return found


# -- what was not seen --------------------------------------------------------------------------------------------------


def _stretch(one: Stretch) -> Json:
    whole = not one.key[0]
    return {
        "question": one.key[0] or None, "resource": one.resource or None, "unit": one.unit, "reason": one.reason, "detail": one.detail,
        "record": one.last[0], "at": one.last[1], "sweep": one.sweep, "since": _place(one.since), "times": one.reasons.total(), "reasons": dict(one.reasons),
        "last_seen": _place(one.seen_before), "seen_again": _place(one.seen_again), "caught_up": one.caught_up, "controls": sorted(one.controls),
        "says": " ".join([_what(one, whole=whole), _since(one), *_again(one), *_unknown(one)]),
    }  # fmt: skip


def _what(one: Stretch, *, whole: bool) -> str:
    if whole:
        late = "its answers came too late to be judged, so none of its controls was"
        return f"{named(one.resource)}: {late if one.reason == LATE else 'nothing of it was collected in time, and none of its controls was judged'}."
    why = _WHY.get(one.reason, f"the question failed ({one.reason})")
    so = f", so {_SO[one.key[0]]}" if one.key[0] in _SO else ""
    return f"{named(one.resource)}: {one.key[0]} could not be seen: {why}{so}."


def _since(one: Stretch) -> str:
    times = one.reasons.total()
    if times == 1:
        said = f"So at {minute(one.last[1])} (record {one.last[0]})"
    else:
        said = f"So since {minute(one.since[1])} (record {one.since[0]}), {times} times up to {minute(one.last[1])} (record {one.last[0]})"
        if len(one.reasons) > 1:
            said += f", for different reasons ({names(f'{number} {reason}' for reason, number in one.reasons.items())})"
    return f"{said}; {f'last seen {minute(one.seen_before[1])} (record {one.seen_before[0]})' if one.seen_before else 'never seen before'}."


def _again(one: Stretch) -> list[str]:
    if one.seen_again is None:
        return []
    more = ", an answer that reaches back to where the one before had ended" if one.caught_up else ""
    return [f"Seen again {minute(one.seen_again[1])} (record {one.seen_again[0]}){more}."]


def _unknown(one: Stretch) -> list[str]:
    if not one.controls:
        return [] if one.reason in (MISSING, LATE) else ["No control is unknown because of it."]
    return [f"Unknown because of it: {names(one.controls, _CONTROLS)}."]


def _absent(one: Absent) -> Json:
    why = "is in the scope, and the identity does not see it" if one.named else "was seen before, and the identity does not see it any more"
    seen = f"last seen {minute(one.seen_before[1])} (record {one.seen_before[0]})" if one.seen_before else "never seen before"
    return {
        "subscription": one.subscription, "reason": "not-visible" if one.named else "no-longer-visible", "record": one.last[0], "at": one.last[1],
        "since": _place(one.since), "times": one.times, "last_seen": _place(one.seen_before), "ended": one.ended,
        "says": f"subscription {one.subscription} {why}: nothing in it was looked at from {minute(one.since[1])} (record {one.since[0]}) "
        f"to {minute(one.last[1])} (record {one.last[0]}), {count(one.times, 'sweep')}; {seen}.",
    }  # fmt: skip


# -- when nobody looked -------------------------------------------------------------------------------------------------


def _missed(one: Missed) -> Json:
    slots = f"the slot {minute(one.first)} has" if one.slots == 1 else f"{one.slots} slots, {minute(one.first)} to {minute(one.last)}, have"
    before = f"the sweep planned {minute(one.before[1])} (record {one.before[0]})" if one.before else "the log's beginning"
    after = f"that planned {minute(one.after[1])} (record {one.after[0]})" if one.after else "now"
    text = f"Of the schedule {slots} no sweep: between {before} and {after} nobody looked."
    return {**_gap("slots", one.first, one.last, [place[0] for place in (one.before, one.after) if place], text), "slots": one.slots}


def _log_gap(one: LogGap) -> Json:
    text = f"{named(one.resource)}: {one.kind} was never read for the time from {minute(one.start)} to {minute(one.end)} (record {one.record})."
    return {**_gap("log", one.start, one.end, [one.record], text), "question": one.kind, "resource": one.resource}


def _left_open(sweep: str) -> Json:
    text = f"Sweep {sweep} was left open: what it looked at is not judged yet; the next `aoai-evidence collect` goes on with it."
    return {**_gap("open-sweep", None, None, [], text), "sweep": sweep}


def _gap(sort: str, start: str | None, end: str | None, records: list[int], says: str) -> Json:
    return {"sort": sort, "from": start, "to": end, "records": records, "says": says}


# -- controls -----------------------------------------------------------------------------------------------------------


def _controls(found: Iterable[Unknown]) -> list[Json]:
    """By control, the resources of which it is unknown though every question was answered."""
    by: dict[str, list[Unknown]] = {}
    for one in found:
        by.setdefault(one.control, []).append(one)
    return [_control(control, sorted(by[control], key=lambda one: one.resource or "")) for control in sorted(by)]


def _control(control: str, found: list[Unknown]) -> Json:
    reasons = list(dict.fromkeys(one.reason for one in found))
    of = f"of {count(len(found), 'resource')}" if found[0].resource else "of the collection"
    more = f" ({count(len(reasons) - 1, 'other reason')} besides: --json has each)" if len(reasons) > 1 else ""
    return {
        "control": control, "unobservable": control in UNOBSERVABLE,
        "resources": [{"resource": one.resource, "reason": one.reason, "record": one.last, "first": one.first, "times": one.times} for one in found],
        "says": f"{control} is unknown {of}: {reasons[0]}{more}",
    }  # fmt: skip


def _place(place: Place | None) -> Json:
    return {"record": place[0], "at": place[1]} if place else None
