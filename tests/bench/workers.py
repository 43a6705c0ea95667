"""The function app: how long a cold start takes, and how much memory a worker has after a sweep. Figures, no asserts.

    python tests/bench/workers.py [ACCOUNTS]

A worker here is what one is on Azure: the real runtime with the app loaded. One plans and collects, six messages at a time, as host.json
has it; another one seals and judges. Blobs and queues are the emulator's where it is installed, else a folder and a list.
"""

import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.run import COMMAND, ROOT, stand_in
from tests.fixtures import azurite
from tests.fixtures.steps import Queues

IMPORT = "import time; s, c = time.perf_counter(), time.process_time(); import function_app; print(time.perf_counter() - s, time.process_time() - c)"
INDEX = "import time; s = time.perf_counter(); from tests.fixtures.host import worker; print(len(worker().functions), time.perf_counter() - s)"
AT_ONCE = 6


def python(code, environment=None):
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout.split()


def cold_start():
    runs = [tuple(map(float, python(IMPORT))) for _ in range(5)]
    print(f"  importing function_app: {min(run[0] for run in runs):.2f} s, {min(run[1] for run in runs):.2f} s of it processor time (best of {len(runs)})")
    functions, seconds = min((python(INDEX) for _ in range(3)), key=lambda found: float(found[1]))
    print(f"  the runtime with its {functions} functions indexed: {float(seconds):.2f} s (best of 3)")
    done = subprocess.run([sys.executable, "-X", "importtime", "-c", "import function_app"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line.removeprefix("import time:").split("|") for line in done.stderr.splitlines() if line.startswith("import time:") and "self" not in line]
    own = sorted(((int(self), name.strip()) for self, _, name in lines), reverse=True)[:5]
    print("  slowest modules by themselves: " + ", ".join(f"{name} {micros / 1000:.0f} ms" for micros, name in own))


def worker(role, shared):
    """In a process of its own: do a part of a sweep, say what it took."""
    from functions import process
    from shared import layout
    from tests.fixtures.host import worker as loaded

    queues, file, start = Queues(), Path(shared, "messages.json"), time.perf_counter()
    process.app().__dict__["queues"] = queues
    if role == "collect":
        assert loaded().timer("sweep")[0]
        messages = queues.take(layout.COLLECT_QUEUE)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            assert all(done[0] for done in pool.map(lambda message: loaded().queue("collect_unit", message), messages))
        file.write_text(json.dumps(len(messages)))
    else:
        while list(process.app().store.list(layout.OPEN_SWEEPS)):
            assert loaded().timer("seal")[0]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"  {role:<8} {json.loads(file.read_text()):6d} units  {time.perf_counter() - start:7.2f} s  {peak:4d} MiB at its peak")


def memory(accounts):
    emulator = azurite.running() if azurite.command() else contextlib.nullcontext()
    with tempfile.TemporaryDirectory() as folder, stand_in(f"estate:{accounts}x5") as endpoint, emulator as storage:
        where = {"EVIDENCE_STORE": azurite.STORE_URL, "EVIDENCE_STORE_ENDPOINT": storage.blob} if storage else {"EVIDENCE_STORE": f"{folder}/store"}
        settings = {"EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": endpoint, "EVIDENCE_SIGNING_KEY": f"{folder}/key.pem", "EVIDENCE_SCHEDULE": "0 0 */6 * * *"}
        environment = {**os.environ, **settings, **where, "PYTHONPATH": f"{ROOT}:{ROOT}/tests/bench"}
        subprocess.run([COMMAND, "init", "--quiet"], env=environment, check=True, capture_output=True, cwd=ROOT)
        print(f"  a sweep of {accounts} accounts with 5 deployments each, in {'the emulator' if storage else 'a folder'}")
        for role in ("collect", "seal"):
            subprocess.run([sys.executable, __file__, role, folder], env=environment, check=True, cwd=ROOT)


if __name__ == "__main__":
    if sys.argv[1:2] in (["collect"], ["seal"]):
        worker(*sys.argv[1:])
    else:
        print("cold start of the function app")
        cold_start()
        print("memory of its workers")
        sys.stdout.flush()
        memory(int(sys.argv[1]) if len(sys.argv) > 1 else 500)
