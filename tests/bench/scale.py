"""Speed and scale of the function app: unit costs measured on real parts, from which scripts/scale writes docs/scale.md.

    python -m tests.bench.scale [quick] [--write]      `make bench` runs it; --write keeps the figures in tests/bench/scale.json

Each part runs in a process of its own, so that its memory is its own. Seconds of a core are of the worker alone: the stand-in for Azure and
the emulator of storage are other processes.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).parents[2]
FIGURES = Path(__file__).with_name("scale.json")
START = datetime(2026, 11, 1, 0, 0, 30, tzinfo=UTC)
SCHEDULE = "0 0 */6 * * *"


def told(text):
    print(f"  {text}", file=sys.stderr, flush=True)


@contextmanager
def app_over(settings):
    """The app of this process with these settings and a clock of its own."""
    from infra.local.clock import Clock
    from tests.fixtures.app import running

    clock = Clock(START)
    with running({"EVIDENCE_CLOUD": "loopback", "EVIDENCE_SCHEDULE": SCHEDULE, **settings}, clock):
        from functions.process import app
        from shared.service.init import init

        init(app().settings, origin="bench.example/evidence")
        yield app(), clock


# -- the real triggers on the emulator ---------------------------------------------------------------------------------------


def triggers(accounts, events=20):
    """Two sweeps and a storm of events through the real runtime, queues and blobs: requests, bytes and seconds of each step."""
    from urllib.parse import urlsplit

    from shared import layout
    from tests.bench.run import stand_in
    from tests.bench.wire import Wire, peak
    from tests.fixtures.app import empty_queues, event
    from tests.fixtures.azurite import STORE_URL, running
    from tests.fixtures.host import Host

    with running() as emulator, stand_in(f"estate:4x{accounts}x5") as azure, tempfile.TemporaryDirectory() as folder:
        queues = empty_queues(emulator)
        settings = {
            "EVIDENCE_ARM_ENDPOINT": azure, "EVIDENCE_STORE": STORE_URL, "EVIDENCE_STORE_ENDPOINT": emulator.blob,
            "EVIDENCE_SIGNING_KEY": f"{folder}/key.pem", "EvidenceQueues__queueServiceUri": emulator.queue,
        }  # fmt: skip
        with app_over(settings) as (app, clock):
            host, wire, store = Host(queues), Wire(urlsplit(emulator.queue).port), app.store
            found, units = {}, accounts + 4
            for name in ("first", "unchanged"):
                steps = found[name] = {}
                before, begun = sizes(store), time.perf_counter()
                with wire.during(steps.setdefault("plan", {})):
                    host.timer("sweep")
                told(f"{name} sweep of {accounts} accounts: {units} units planned and queued in {steps['plan']['seconds']:.1f} s")
                done = 0
                while list(store.list(layout.OPEN_SWEEPS)):
                    with wire.during(steps.setdefault("collect", {})):
                        done += host.pump("collect-unit", most=max(32, units // 8))
                    with wire.during(steps.setdefault("seal", {})):
                        host.timer("seal")
                    told(f"{name} sweep: {done} of {units} collected, {time.perf_counter() - begun:.0f} s, {peak()} MiB at most")
                with wire.during(steps.setdefault("idle", {})):
                    host.timer("seal")
                with wire.during(steps.setdefault("watch", {})):
                    host.timer("watch")
                found[name] |= {"seconds": time.perf_counter() - begun, "kept": {k: v - before.get(k, 0) for k, v in sizes(store).items()}}
                clock.advance(hours=6)
            steps = found["events"] = {"count": events}
            accounts_there = [unit["resource"] for unit in last_plan(store)["units"] if unit["asked"] != "subscription"]
            for number, account in enumerate(accounts_there[:events]):
                host.send("on-change", event(account, number))
            with wire.during(steps.setdefault("change", {})):
                host.pump("on-change")
            time.sleep(11)  # until the window is over and their messages are visible
            with wire.during(steps.setdefault("collect", {})):
                host.pump("collect-unit")
            while list(store.list(layout.OPEN_SWEEPS)):
                with wire.during(steps.setdefault("seal", {})):
                    host.timer("seal")
            told(f"{events} events: their sweeps sealed and judged in {steps['seal']['seconds']:.1f} s")
            assert not host.failures, host.failures[:1]
            return {"accounts": accounts, "peak": peak(), "requests": asked_of_azure(store), **found}


def last_plan(store):
    from shared.service.steps.plan import plan_of

    names = sorted({path.split("/")[2] for path in store.list("evidence/batch/") if path.endswith("/plan.jsonl") and "/init/" not in path})
    return plan_of(store, names[-1])


def sizes(store):
    """Bytes by what they are for, of everything that is kept."""
    found = {}
    for container, client in store._containers.items():
        for blob in client.list_blobs():
            parts = blob.name.split("/")
            place = parts[0] if container == "evidence" and parts[0] != "log" else "bundle" if parts[1:3] == ["tile", "entries"] else container
            found[place] = found.get(place, 0) + blob.size
    return found


def asked_of_azure(store):
    """How many questions the last sweep asked, pages counted; and how many records it has."""
    from urllib.parse import urlsplit

    from shared.seal.log import open_log
    from shared.service import state

    log = open_log(store)
    last = [summary for summary in state.summaries(store, log) if "-event-" not in summary["sweep"]][-1]
    pages = arm = records = lengths = findings = 0
    for _, record in log.records(last["first"], last["end"]):
        records += 1
        lengths += len(json.dumps(record, separators=(",", ":")))
        findings += record["type"] == "finding"
        if record["type"] in ("observation", "failure"):
            pages += len(record["pages"]) or 1
            arm += sum(urlsplit(page["url"]).path.startswith("/subscriptions") for page in record["pages"])  # accounts and workspaces have hosts of their own
    return {"asked": pages, "arm": arm, "records": records, "findings": findings, "bytes": lengths}


# -- one sequencer, with storage as far away as it is on Azure ------------------------------------------------------------------


def distance(accounts, milliseconds):
    """The step `seal` over a folder, with so much added to each call of the store: what it takes when waiting is what takes time."""
    from shared import layout
    from shared.service.steps.advance import advance
    from tests.bench.run import stand_in
    from tests.bench.wire import peak
    from tests.fixtures.counted import CountedStore
    from tests.fixtures.steps import Queues

    with stand_in(f"estate:4x{accounts}x5") as azure, tempfile.TemporaryDirectory() as folder:
        with app_over({"EVIDENCE_ARM_ENDPOINT": azure, "EVIDENCE_STORE": f"{folder}/store"}) as (app, _):
            from shared.service.steps.plan import plan_due
            from shared.service.steps.unit import collect_message

            queues = app.__dict__["queues"] = Queues()
            counted = CountedStore(app.store)
            app.__dict__["store"] = counted
            plan_due(app)
            messages = queues.take(layout.COLLECT_QUEUE)
            for number, message in enumerate(messages, 1):
                collect_message(app, message)
                if number % 200 == 0:
                    told(f"{number} of {len(messages)} collected")
            counted.latency, counted.calls = milliseconds / 1000, type(counted.calls)()
            figures = {}
            began, core = time.perf_counter(), time.process_time()
            while list(app.store._store.list(layout.OPEN_SWEEPS)):
                done = advance(app)
                told(f"sealed {done.sealed} records, judged {done.judged} units, {time.perf_counter() - began:.1f} s")
                figures["sealed"] = figures.get("sealed", 0) + done.sealed
            return {
                **figures, "accounts": accounts, "milliseconds": milliseconds, "seconds": time.perf_counter() - began,
                "core": time.process_time() - core, "calls": dict(counted.calls), "peak": peak(),
            }  # fmt: skip


# -- a plan of many ------------------------------------------------------------------------------------------------------------


def planning(subscriptions, accounts):
    """A plan of that many: made and queued; taken by a worker; looked at by a run of `seal` that has nothing to do, and by one that has."""
    from tests.bench.run import stand_in

    with tempfile.TemporaryDirectory() as folder:
        with stand_in(f"estate:{subscriptions}x{accounts}x1", data=False) as azure:
            found = {"subscriptions": subscriptions, "accounts": accounts, "plan": apart("_plan", folder, azure)}
            for name in ("_worker", "_idle", "_busy"):
                found[name[1:]] = apart(name, folder, azure)
        return found


@contextmanager
def _there(folder, azure):
    from infra.local.clock import Clock
    from tests.fixtures.app import running
    from tests.fixtures.steps import Queues

    queues = Queues()
    settings = {"EVIDENCE_CLOUD": "loopback", "EVIDENCE_SCHEDULE": SCHEDULE, "EVIDENCE_ARM_ENDPOINT": azure, "EVIDENCE_STORE": f"{folder}/store"}
    with running(settings, Clock(START), queues):
        from functions.process import app

        yield app(), queues


def _measured(action):
    """What `action` returned, with the seconds it took and the memory of the process before and at its peak."""
    from tests.bench.wire import peak

    before, began, core = peak(), time.perf_counter(), time.process_time()
    found = action() or {}
    return {**found, "seconds": time.perf_counter() - began, "core": time.process_time() - core, "before": before, "peak": peak()}


def _plan(folder, azure):
    from shared import layout
    from shared.service.init import init
    from shared.service.steps.plan import plan_due

    with _there(folder, azure) as (app, queues):
        init(app.settings, origin="bench.example/evidence")
        found = _measured(lambda: {"units": plan_due(app).queued})
        Path(folder, "messages").write_text("\n".join(queues.waiting[layout.COLLECT_QUEUE][:4]))
        bodies = [path.stat().st_size for path in Path(folder, "store/evidence/body").rglob("*") if path.is_file()]
        told(f"{found['units']} units planned and queued in {found['seconds']:.1f} s, {found['peak']} MiB")
        return {**found, "largest": max(bodies)}


def _worker(folder, azure):
    from shared.service.steps.unit import collect_message

    with _there(folder, azure) as (app, _):
        first, *others = Path(folder, "messages").read_bytes().split(b"\n")
        found = _measured(lambda: collect_message(app, first) and None)
        return {**found, "next": _measured(lambda: [collect_message(app, message) for message in others] and None)["core"] / len(others)}


def _idle(folder, azure):
    from shared.service.steps.advance import advance

    with _there(folder, azure) as (app, _):
        return {"first": _measured(lambda: {"judged": advance(app).judged}), **_measured(lambda: {"judged": advance(app).judged})}


def _busy(folder, azure):
    """One unit more is there."""
    from shared.collect.plan import planned_unit
    from shared.service.steps.advance import advance
    from shared.service.steps.plan import plan_of
    from shared.service.steps.unit import collect_message
    from shared.service.steps.work import CollectUnit

    with _there(folder, azure) as (app, _):
        [sweep] = {path.split("/")[2] for path in app.store.list("evidence/batch/") if "/init/" not in path}
        unit = planned_unit(next(unit for unit in plan_of(app.store, sweep)["units"][9:] if unit["asked"] == "subscription"))
        collect_message(app, CollectUnit(sweep, unit).text().encode())
    with _there(folder, azure) as (app, _):
        return _measured(lambda: {"judged": advance(app).judged})


# -- years ----------------------------------------------------------------------------------------------------------------------


def years(sweeps):
    """What planning and a question cost where that many sweeps are closed: calls of the store, and seconds with 5 ms for each."""
    from shared import layout
    from shared.canonical import canonical
    from shared.seal.log import open_log
    from shared.seal.store import DirectoryStore
    from shared.service import state
    from shared.service.newest import newest_sweep
    from tests.fixtures.counted import CountedStore
    from tests.fixtures.records import Account, LogMaker

    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(Path(folder))
        maker = LogMaker(store).birth()
        maker.sweep([Account("one")], slot=START + timedelta(hours=6))
        log = open_log(store)
        [real] = state.summaries(store, log)
        newest_sweep(store, log)
        for number in range(sweeps):  # of before: as large as real ones, and named like them
            name = f"{START - timedelta(hours=6 * (number + 1)):%Y%m%dT%H%M%SZ}"
            store.put(layout.sweep_summary(name), canonical({**real, "sweep": name, "closed_record": real["closed_record"] - 1 - number, "previous": None}))
        found = {"sweeps": sweeps, "bytes": len(canonical(real))}
        for name, ask in {
            "first question": lambda at: state.summaries(at, log),
            "question": lambda at: state.summaries(at, log),
            "plan": lambda at: newest_sweep(at, log),
        }.items():
            counted = CountedStore(store, latency=0.005)
            began = time.perf_counter()
            ask(counted)
            found[name] = {"seconds": time.perf_counter() - began, "calls": sum(counted.calls.values())}
            told(f"{name} after {sweeps} sweeps: {found[name]['calls']} calls, {found[name]['seconds']:.2f} s")
        return found


# -- all of it ------------------------------------------------------------------------------------------------------------------


def apart(part, *arguments):
    """Run a part in a process of its own; what it measured."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.bench.scale", "--part", part, *map(str, arguments)], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    return json.loads(done.stdout)


def main(arguments):
    if arguments[:1] == ["--part"]:
        values = [int(text) if text.isdigit() else text for text in arguments[2:]]
        print(json.dumps(globals()[arguments[1]](*values)))
        return
    if unknown := set(arguments) - {"quick", "--write"}:
        sys.exit(f"{' '.join(sorted(unknown))}: say `quick` for small figures, `--write` to keep the figures for docs/scale.md, or nothing")
    quick = "quick" in arguments
    found = {}
    for name, part, *values in (
        ("triggers", "triggers", 40 if quick else 1000),
        ("fewer", "triggers", 20 if quick else 250),
        ("near", "distance", 40 if quick else 400, 0),
        ("far", "distance", 40 if quick else 400, 10),
        ("planning", "planning", *((20, 2000) if quick else (1000, 100_000))),
        ("fewer planned", "planning", *((10, 1000) if quick else (100, 10_000))),
        ("years", "years", 500 if quick else 10_220),
    ):
        print(f"{part} {' '.join(map(str, values))}", file=sys.stderr, flush=True)
        found[name] = apart(part, *values)
    print(json.dumps(found, indent=1))
    if "--write" in arguments:
        FIGURES.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
