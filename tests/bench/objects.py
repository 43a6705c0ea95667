"""One account that holds many files: what collecting and judging it takes, the first time, unchanged, and with one file deleted.

    python -m tests.bench.objects 100000
"""

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tests.bench.run import COMMAND, ROOT, stand_in, timed

SMALL = 1000
"""Files of the account that the large one is compared with."""


def delete_one(store):
    """Delete a file at the stand-in, where the last sweep found it."""
    records = [json.loads(line) for path in store.glob("evidence/batch/**/*.jsonl") for line in path.open() if '"files"' in line]
    url = next(record["request"]["url"] for record in records if record["type"] == "observation" and record["kind"] == "files")
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Authorization": "Bearer x"})) as answer:
        first = json.load(answer)["data"][0]["id"]
    place = url.partition("?")[0] + f"/{first}"
    urllib.request.urlopen(urllib.request.Request(place, method="DELETE", headers={"Authorization": "Bearer x"})).close()


def measure(files):
    with tempfile.TemporaryDirectory() as folder, stand_in("estate:1x1", "--objects", str(files)) as endpoint:
        store = Path(folder, "store")
        environment = {**os.environ, "EVIDENCE_CLOUD": "loopback", "EVIDENCE_ARM_ENDPOINT": endpoint, "EVIDENCE_STORE": str(store)}
        subprocess.run([COMMAND, "init", "--quiet"], env=environment, check=True, capture_output=True, cwd=ROOT)
        peaks, size, bodies = {}, 0, 0
        for turn in ("first sweep", "unchanged", "one deleted"):
            if turn == "one deleted":
                delete_one(store)
            seconds, peak, _, text = timed([COMMAND, "collect", "--json", "--quiet"], environment)
            before, known = size, bodies
            size = sum(path.stat().st_size for path in store.glob("evidence/**/*") if path.is_file())
            bodies = sum(1 for path in store.glob("evidence/body/**/*") if path.is_file())
            print(f"  {files:>7,} files  {turn:<12} {seconds:6.2f} s  {peak:4d} MiB  {json.loads(text)['records']:6d} records  "
                  f"{bodies - known:5d} new bodies  {(size - before) / 1e6:6.1f} MB", flush=True)  # fmt: skip
            peaks[turn] = peak
        return peaks


def main(files="100000"):
    few, many = measure(SMALL), measure(int(files))
    for turn, peak in many.items():
        print(f"    {turn:<12} {peak - few[turn]:+d} MiB for {int(files) / SMALL:.0f} times as many: {(peak - few[turn]) * 1024 / int(files):.2f} KiB a file")


if __name__ == "__main__":
    main(*sys.argv[1:])
