"""Alarms of `watch` as alerts: each trouble is told once, however many runs find it, and once more when it is over.

What is known of a trouble stands in `state/watch.json`: `alarms`, by its name (id and what it is about), with the run that first found it.
The key of an alert follows from the name and that run. The run is noted before anything is put into the outbox (`run`), and taken away when all
that it found is remembered: a run that is killed in between is followed by one that goes by the same name, so that nothing is told twice.
Where the note is lost or torn, what is in trouble then is told again, once.
"""

from collections.abc import Sequence
from datetime import timedelta

from shared import alarms, layout
from shared.canonical import Json, canonical
from shared.deliver.alerts.decide import bare, key_of
from shared.deliver.alerts.route import at_least
from shared.errors import Misuse
from shared.model import Severity
from shared.records import moment, timestamp
from shared.service import outbox
from shared.service.compose import store_facts
from shared.service.steps.alerts import Alarm
from shared.service.steps.app import App

OVER = timedelta(minutes=12)
"""How long a trouble must be gone until it is over: one that comes and goes is one. Three runs."""

_CLOSING = (alarms.DRIFT, alarms.SWEEP_INCOMPLETE)
"""Of a sweep that was closed: its changes and findings are told by themselves."""

_SEVERITY: dict[int, Severity] = {0: "high", 1: "high", 2: "medium", 3: "low"}
_RULES = {rule.id: rule for rule in alarms.RULES}


def tell_alarms(app: App, before: Json, memory: dict[str, Json], found: Sequence[Alarm], *, whole: bool = True) -> None:
    """Put what began, and what is over, into the outbox of everybody who is told of alarms. `before`: what was remembered when the run began.

    `whole`: everything could be looked at. Where it could not, nothing is over: what nobody saw is not known to be gone.
    """
    try:
        receivers = [one for one in app.receivers if one.route.alarms]
    except Misuse:
        return
    if not receivers:
        return
    known = _known(memory.get("alarms"))
    now, run = timestamp(app.now()), before.get("run") if isinstance(before.get("run"), str) else None
    here = {f"{alarm.id} {alarm.about}": alarm for alarm in found if alarm.id not in _CLOSING}
    kept, over = _kept(known, here, now, whole=whole)
    began = [name for name in here if name not in known]
    if (began or over) and run is None:
        run = now
        app.store.put(layout.WATCH, canonical({**before, "run": run}))
    origin = store_facts(app.store)["origin"]
    told = [_alert(origin, name, here[name].id, here[name].text, run or now, "began") for name in began]
    told += [_alert(origin, name, name.partition(" ")[0], known[name]["text"], known[name]["run"], "over", at=now) for name in over]
    for one in receivers:
        for alert in told:
            if alert["severity"] in at_least(one.route.severity):
                outbox.put(app.store, one.name, alert, app.now())
    memory["alarms"] = kept | {name: {"run": run, "text": here[name].text, "ends": here[name].ends, "gone": None} for name in began}
    memory["run"] = None


def _known(value: Json) -> dict[str, Json]:
    return {name: one for name, one in value.items() if isinstance(one, dict) and one.keys() >= {"run", "text", "ends", "gone"}} if isinstance(value, dict) else {}


def _kept(known: Json, here: dict[str, Alarm], now: str, *, whole: bool) -> tuple[dict[str, Json], list[str]]:
    """What is still remembered, and the names of what is over. What does not end is forgotten without a word."""
    kept, over = {}, []
    for name, one in known.items():
        if name in here:
            kept[name] = {**one, "gone": None}
        elif not whole:
            kept[name] = one
        elif not one["ends"]:
            continue
        elif one["gone"] and moment(now) - moment(one["gone"]) >= OVER:
            over.append(name)
        else:
            kept[name] = {**one, "gone": one["gone"] or now}
    return kept, over


def _alert(origin: str, name: str, id_: str, text: str, run: str, state: str, *, at: str | None = None) -> Json:
    said = f"{id_}: {text}" if state == "began" else f"over, {id_}: {text}"
    rule = _RULES.get(id_)
    alert = bare(origin, key_of(origin, f"alarm {name} {run} {state}", []), at or run, _SEVERITY[rule.severity if rule else 1], said)
    return alert | {"alarm": id_, "state": state}
