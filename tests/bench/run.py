"""`make bench`: speed and size, as figures and ratios. Nothing here is asserted: machines differ, ratios within one run less so.

    python tests/bench/run.py [quick]
"""

import functools
import json
import os
import subprocess
import sys
import tempfile
import time
import traceback
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMMAND = Path(sys.executable).with_name("aoai-evidence")
HERE = Path(__file__).parent
QUERY = "/query"
"""How the one URL ends that is asked with POST: the plain client does not ask it."""


MEASURE = """
import resource, subprocess, sys
done = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE)
sys.stdout.buffer.write(done.stdout)
print()
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024, done.returncode)
"""


def timed(arguments, environment=None):
    """(seconds, MiB at its peak, exit code, stdout) of a whole process."""
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", MEASURE, *map(str, arguments)], env=environment, capture_output=True, text=True, check=True, cwd=ROOT)
    seconds = time.perf_counter() - start
    text, _, tail = done.stdout.rstrip().rpartition("\n")
    peak, code = tail.split()
    return seconds, int(peak), int(code), text


@contextmanager
def stand_in(scenario, *options, data=True):
    """The stand-in in a process of its own. `data`: each account has an endpoint for its data plane, which is a port: not for 100,000 of them."""
    arguments = [sys.executable, "-m", "infra.local", "--scenario", scenario, *(("--data-plane", "http") if data else ()), *options]
    server = subprocess.Popen(arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        yield server.stdout.readline().strip()
    finally:
        server.terminate()
        server.wait()


def sweep(scenario, *options, plain=True, repeat=1):
    with tempfile.TemporaryDirectory() as folder, stand_in(scenario, *options) as endpoint:
        environment = {**os.environ, "EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": endpoint, "EVIDENCE_STORE": f"{folder}/store"}
        subprocess.run([COMMAND, "init", "--quiet"], env=environment, check=True, capture_output=True, cwd=ROOT)
        before = 0
        for turn in range(1 + repeat):
            seconds, peak, _, text = timed([COMMAND, "collect", "--json", "--quiet"], environment)
            done = json.loads(text)
            size = sum(path.stat().st_size for path in Path(folder, "store", "evidence").rglob("*") if path.is_file())
            urls = sorted(asked(folder))
            accounts = done["units"] - len({u.split("/")[4] for u in urls if "/subscriptions/" in u})
            what = "first sweep" if turn == 0 else "unchanged"
            print(
                f"  {scenario:<22} {what:<12} {seconds:6.2f} s  {peak:4d} MiB  {len(urls):6d} requests  {len(urls) / seconds:6.0f} a second  "
                f"{len(urls) / max(accounts, 1):5.1f} an account  {done['records']:6d} records  {(size - before) / max(accounts, 1):8.0f} bytes an account"
            )
            before = size
        if plain:
            compare(folder, urls, seconds)


def asked(folder):
    """The URLs that the last sweep asked, out of its own records: TLS probes apart."""
    from shared.seal.log import open_log
    from shared.seal.store import DirectoryStore

    log = open_log(DirectoryStore(Path(folder, "store")))
    last = None
    for _, record in log.records(0, log.size):
        if record["type"] == "sweep-planned":
            last = record["sweep"]
    for _, record in log.records(0, log.size):
        if record["sweep"] == last and record["type"] == "observation":
            yield from (page["url"] for page in record["pages"] if page["url"].startswith("http://127.0.0.1") and not page["url"].endswith(QUERY))


def compare(folder, urls, seconds):
    file = Path(folder, "urls")
    file.write_text("\n".join(urls))
    for client in ("requests", "urllib3"):
        rate, took, peak, _ = subprocess.run(
            [sys.executable, HERE / "plain_client.py", file, client], capture_output=True, text=True, check=True
        ).stdout.split()
        ratio = len(urls) / seconds / float(rate)
        print(f"    plain client, 16 threads, {client:<9} {float(took):6.2f} s  {peak:>4} MiB  {float(rate):6.0f} a second: we are at {ratio:.2f} of it")


def parts(quick):
    """Title, function and its arguments of each part, in order."""
    yield "start-up", start_up
    yield "a whole sweep, from start to sealed and judged, every row of the table and every control (a second sweep: nothing changed)", sweep, "estate:20x5"
    yield "the same of many accounts", sweep, "estate:100x5" if quick else "estate:1000x5"
    yield "the same with 50 ms for every answer", functools.partial(sweep, repeat=0), "estate:40x5" if quick else "estate:200x5", "--latency-ms", "50"
    yield "the function app: real triggers on the emulator, plans of many, years (docs/scale.md)", run_script, "scale", *(["quick"] if quick else [])
    yield "sealing", run_script, "sealing", *(["100000"] if quick else [])
    yield "verifying", run_script, "verify", "100000" if quick else "1000000"
    for changes in ("1", "7"):
        yield "reconciliation: what is gone, unit by unit", run_script, "lives", *(("20", "20") if quick else ("100", "90")), changes
    yield "an account that holds many files", run_script, "objects", *(["10000"] if quick else [])
    yield "workers of the function app", run_script, "workers", *(["100"] if quick else [])


def start_up():
    print(f"  aoai-evidence --version: {min(timed([COMMAND, '--version'])[0] for _ in range(5)):.2f} s (with a Python to measure it around)")


def run_script(name, *arguments):
    subprocess.run([sys.executable, "-m", f"tests.bench.{name}", *arguments], check=True, cwd=ROOT, stdin=subprocess.DEVNULL)


def main(quick=""):
    """Every part, whatever becomes of the one before."""
    failed = []
    for title, part, *arguments in parts(quick == "quick"):
        print(title, flush=True)
        try:
            part(*arguments)
        except Exception:  # whatever went wrong there, the others are still worth their figures
            traceback.print_exc()
            failed.append(title)
    sys.exit(f"these parts failed: {'; '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    main(*sys.argv[1:])
