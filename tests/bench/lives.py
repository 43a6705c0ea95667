"""How long reconciliation takes: many accounts over months, as figures. Nothing is asserted here.

    python tests/bench/lives.py [accounts] [days] [changes a week and account]      default: 100 90 7

Each account holds 1,000 objects and is swept four times a day; what is kept of it goes through JSON between two sweeps, as in the service.
Bodies are made when they are read, so that this process holds no more than the service would: writing their text is not counted, parsing it is.
A change is an upload and a logged deletion.
"""

import json
import resource
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))

from shared.judge.assemble import Entry, Window
from shared.judge.lives.fold import UnitSweep, fold
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.state import State, state_of
from shared.recent import Recent
from shared.records import timestamp

START = datetime(2026, 8, 1, tzinfo=UTC)
SUBSCRIPTION = "/subscriptions/11111111-2222-3333-4444-555555555555"
WORKSPACE = f"{SUBSCRIPTION}/resourceGroups/ops/providers/Microsoft.OperationalInsights/workspaces/logs"
FILES, HELD = 700, {"fineTuningJobs": ("ftjob", 100), "servedModels": ("gpt-4o.ft", 50), "batches": ("batch", 100), "vectorStores": ("vs", 50)}
COLUMNS = ("TimeGenerated", "IngestedAt", "OperationName", "Category", "ResultSignature", "CorrelationId", "Properties")


def at(hours):
    return timestamp(START + timedelta(hours=hours))


KEPT = Recent(4 * 1024 * 1024)
WRITING = [0.0]
"""Seconds spent on the text of bodies: what a store would have given."""


def load(digest):
    """A body, the last few of them kept parsed, as many as `shared.service.judging.Bodies` keeps."""
    value = KEPT.get(digest)
    if value is None:
        value, size = made(digest)
        KEPT.put(digest, value, size + 500)
    return value


def made(digest):
    """The body that a digest names, and its size: what it holds is said by the name itself."""
    sort, _, rest = digest.partition("|")
    if sort == "rows":
        return {"tables": [{"name": "PrimaryResult", "columns": [{"name": name} for name in COLUMNS], "rows": json.loads(rest)}]}, 800
    if sort == "settings":
        logs = [{"category": None, "categoryGroup": "allLogs", "enabled": True}]
        return {"value": [{"id": "x", "name": "logs", "properties": {"workspaceId": WORKSPACE, "logs": logs}}]}, 300
    if sort == "arm":
        return {"value": []}, 12
    word, first, count = rest.split("|")
    start = time.perf_counter()
    items = ",".join(
        f'{{"id":"{word}-{number:032x}","object":"file","bytes":140,"created_at":1780000000,"filename":{{"committed":"M4UPT6wpnWZTij0VgxVsLTUCUza0VNSs0lB1dbNKIfw="}},'
        f'"purpose":"fine-tune","status":"processed"}}'
        for number in range(int(first), int(first) + int(count))
    )
    text = f'{{"object":"list","data":[{items}],"has_more":false}}'
    WRITING[0] += time.perf_counter() - start
    return json.loads(text), len(text)


def account(number):
    return f"{SUBSCRIPTION}/resourcegroups/rg/providers/microsoft.cognitiveservices/accounts/account-{number}"


def sweeps(accounts, days, weekly):
    """(day, sweep of one unit), in the order in which they are judged; records number themselves."""
    record = 0
    chance = weekly / 28
    gone, due = [0] * accounts, [number / accounts for number in range(accounts)]
    for sweep in range(days * 4):
        hours = sweep * 6
        for number in range(accounts):
            resource, rows = account(number), []
            due[number] += chance
            if due[number] >= 1 and sweep:
                due[number] -= 1
                gone[number] += 1
                properties = json.dumps({"requestTime": hours, "objectId": "22222222-0000-0000-0000-00000000000a"})
                rows = [[at(hours - 3), at(hours - 2.9), "Files_Delete", "RequestResponse", "200", f"c-{number}-{sweep}", properties]]
            window = Window(at(hours - 6 - 1 / 6), at(hours), at(hours - 6)) if sweep else Window(at(hours - 24), at(hours), None)
            activity = Window(at(hours - 12), at(hours), at(hours - 6)) if sweep else Window(at(-2000), at(hours), None)
            asked = [
                ("activityLog", SUBSCRIPTION, "arm|", activity),
                ("diagnosticSettings", resource, "settings|", None),
                ("deployments", resource, "arm|", None),
                ("files", resource, f"list|{number}-file|{gone[number]}|{FILES}", None),
                *((kind, resource, f"list|{word}|0|{count}", None) for kind, (word, count) in HELD.items()),
                ("resourceLogDeletions", f"{resource}/workspaces/11111111-2222-3333-4444-555555555555/ops/logs", f"rows|{json.dumps(rows)}", window),
            ]
            entries = [
                Entry(kind, about, record + place, at(hours + 0.01), (digest,), None, 200, None, found.reach if found else None, found)
                for place, (kind, about, digest, found) in enumerate(asked)
            ]
            record += len(entries) + 2
            yield sweep // 4, number, UnitSweep(f"s{sweep}", at(hours), resource, entries)


def main(accounts=100, days=90, weekly=7):
    shelf = Shelf(load)
    states = {number: json.dumps(State().as_json()) for number in range(accounts)}
    said, folds, whole = 0, 0, 0.0
    by_day = [0.0] * days
    for day, number, sweep in sweeps(accounts, days, weekly):
        start, before = time.perf_counter(), WRITING[0]
        done = fold(state_of(json.loads(states[number])), sweep, shelf)
        states[number] = json.dumps(done.state.as_json())
        took = time.perf_counter() - start - (WRITING[0] - before)
        by_day[day] += took
        whole += took
        said += len(done.deletions)
        folds += 1
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    kept = sum(map(len, states.values())) / accounts / 1024
    part = max(1, days // 9)
    early, late = sum(by_day[part : 2 * part]) / part, sum(by_day[-part:]) / part
    print(
        f"  {accounts} accounts x 1,000 objects, {days} days of 4 sweeps, {weekly} changes a week and account: {whole:.1f} s, {peak} MiB; "
        f"{folds:,} units folded ({whole / folds * 1e6:.0f} µs each), {said:,} deletions; a day costs {early * 1e3:.0f} ms early and {late * 1e3:.0f} ms late; "
        f"{kept:.1f} KiB kept an account"
    )


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
