"""The question `status`: where things stand."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from shared import layout
from shared.canonical import Json
from shared.judge.catalogue import catalogue
from shared.judge.waivers import lapsed, waiver_of
from shared.records import timestamp
from shared.schedule import parse
from shared.seal.keys import read_keys
from shared.service import outbox, state
from shared.service.attest import read_standing
from shared.service.compose import Clock, utc_now
from shared.service.current import last_sweep
from shared.service.hold import in_force
from shared.service.queries import Reading, findings_now, last_plan, waivers_in


def status(read: Reading, now: Clock = utc_now, current: Sequence[Json] | None = None) -> Json:
    """Where things stand: last sweep, coverage and gaps, controls by status, the store and its log. `current`: the findings that hold now, if they were read before."""
    last, plan = last_sweep(read.sweeps), last_plan(read)
    by_control: dict[str, Counter[str]] = {}
    waived, waivers, at = Counter[str](), waivers_in(read.store), timestamp(now())
    current = [record for _, record in findings_now(read)] if current is None else current
    for record in current:
        by_control.setdefault(record["control"], Counter())[record["status"]] += 1
        waived[record["control"]] += waiver_of(waivers, record, at) is not None
    planning = read.log.records(last["first"], last["plan_record"]) if last else ()
    retention = next((record["storage"] for _, record in planning if record["type"] == "retention"), None)
    return {
        "store": {
            "origin": read.facts["origin"],
            "keys": [str(key) for key in read_keys(read.store).in_force.keys],
            "records": read.log.size,
            "retention": retention,
            "holds": list(in_force(read.store)),
        },
        "last_sweep": last,
        "narrowed_to": plan["scope"]["resources"] if plan else None,
        "open_sweeps": state.open_sweeps(read.store),
        "sweeps": len(read.sweeps),
        "schedule": plan["schedule"] if plan else None,
        "missed_slots": missed_slots(read, plan, now()) if plan else [],
        "controls": {name: dict(counts) for name, counts in sorted(by_control.items())},
        "waived": {name: count for name, count in sorted(waived.items()) if count},
        "waivers_expired": len(lapsed(waivers, current, at)),
        "catalogue": catalogue().version,
        "attested": read_standing(read.store).of(read.log.size),
        "alerts": {"waiting": outbox.counted(read.store, layout.WAITING), "dead": outbox.counted(read.store, layout.DEAD)},
    }


def missed_slots(read: Reading, plan: Json, until: datetime) -> list[str]:
    """The slots of the schedule in force, since the first sweep, that have no closed sweep (at most the last 1,000)."""
    if not plan["schedule"] or not read.sweeps:
        return []
    done = {sweep["slot"] for sweep in read.sweeps}
    since = datetime.fromisoformat(read.sweeps[0]["planned_at"])
    slots = (timestamp(slot) for slot in parse(plan["schedule"]).slots(since, until))
    return [slot for slot in slots if slot not in done][-1000:]
