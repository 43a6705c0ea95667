"""How fast `verify --store` is: make a store of about N records with a realistic mix, verify it, and hash the same bytes for comparison.

    python -m tests.bench.verify [RECORDS] [--accounts 1000] [--store FOLDER] [--bundle] [--noise KB]

A store that is there already is verified again. Making one takes longer than verifying it. `--bundle`: a bundle of all of it is built
and verified instead, each in a process of its own, so that its memory can be told. `--noise`: every account answers each time with so
much that nothing can pack: 180000 records of 100 accounts with 200 KB each make a bundle of 1 GB.
"""

import argparse
import base64
import hashlib
import os
import random
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from shared.deliver.bundle.build import build
from shared.deliver.verify import verify_bundle, verify_store
from shared.model import Judgement, Point
from shared.seal.store import DirectoryStore
from tests.fixtures.records import SIGNER, START, Account, LogMaker


class FastMaker(LogMaker):
    """Judges a unit that answers as before by moving its findings to their new records."""

    def concluded(self, sweep, records, unit, at, gone):
        entries = [*records.units[unit.name].values(), *records.context_entries(unit.resource)]
        indexes = [entry.record for entry in entries]
        key = (unit.name, tuple(entry.likeness for entry in entries))
        if gone or key not in self.judged:
            made = super().concluded(sweep, records, unit, at, gone)
            if not gone:
                self.judged[key] = (indexes, made)
            return made
        before, made = self.judged[key]
        moved = dict(zip(before, indexes, strict=True))
        found = []
        for value in made:
            points = tuple(Point(moved[p["record"]], p["page"], p["pointer"]) for p in value["points"])
            found.append(self.finding(value["control"], Judgement(value["resource"], value["status"], value["reason"], points), at, sweep, unit.name))
        return found

    def put(self, sweep, name, records):
        super().put(sweep, name, list(records))


def make(store: DirectoryStore, records: int, accounts: int, noise: int) -> None:
    """Write sweeps until there are enough records; in each, one account in two hundred has changed, or every one by `noise` KB."""
    chance = random.Random(1)
    maker = FastMaker(store, SIGNER).birth()
    estate = [Account(f"openai-prod-{n:04d}", "OpenAI" if n % 4 else "AIServices", deployments=["Standard", "GlobalStandard"]) for n in range(accounts)]
    number = 0
    while maker.size() < records:
        number += 1
        for n in range(number % 7, accounts, 200):
            skus = ["Standard"] * (1 + (number + n) % 3)
            estate[n] = replace(estate[n], deployments=skus)
        for n in range(accounts if noise else 0):
            told = base64.b64encode(chance.randbytes(noise * 1000)).decode()
            estate[n] = replace(estate[n], capabilities=[{"name": "ContentLogging", "value": "false"}, {"name": "Noise", "value": told}])
        maker.sweep(estate, slot=START + timedelta(hours=6 * number))
        print(f"  {maker.size():,} records", file=sys.stderr)


def plain_hash(root: Path) -> tuple[int, float]:
    """Bytes of the batches, and the seconds that SHA-256 of each file takes."""
    total, start = 0, time.perf_counter()
    for folder, _, names in os.walk(root / "evidence/batch"):
        for name in names:
            data = (Path(folder) / name).read_bytes()
            hashlib.sha256(data).digest()
            total += len(data)
    return total, time.perf_counter() - start


def in_process(name: str, work: Callable[[], int]) -> None:
    """Do it in a child, and print how long it took, and how much memory."""
    sys.stdout.flush()
    if os.fork() == 0:
        start = time.perf_counter()
        records = work()
        seconds, peak = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{name}: {records:,} records in {seconds:.1f} s, {records / seconds:,.0f} a second, peak {peak:.0f} MiB", flush=True)
        os._exit(0)
    if os.wait()[1]:
        sys.exit(f"{name} failed")


def bundle(store: DirectoryStore) -> None:
    """Build a bundle of everything, and verify it."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "whole.zip")
        period = (START - timedelta(days=1), START + timedelta(days=3650))
        in_process("bundle", lambda: build(store, file, period=period).records)
        in_process("verify", lambda: verify_bundle(file, [SIGNER.key]).counts["records"])
        print(f"the bundle has {file.stat().st_size / 1e6:,.0f} MB")


def main() -> None:
    """Make, verify, report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("records", nargs="?", type=int, default=100_000)
    parser.add_argument("--accounts", type=int, default=1_000)
    parser.add_argument("--store")
    parser.add_argument("--bundle", action="store_true")
    parser.add_argument("--noise", type=int, default=0)
    options = parser.parse_args()
    root = Path(options.store or tempfile.mkdtemp())
    store = DirectoryStore(root)
    if not (root / "evidence").exists():
        if os.fork() == 0:  # so that the memory it takes is not counted
            make(store, options.records, options.accounts, options.noise)
            os._exit(0)
        os.wait()
    if options.bundle:
        bundle(store)
        return
    total, hashing = plain_hash(root)
    start, cpu = time.perf_counter(), time.process_time()
    verdict = verify_store(store, [SIGNER.key])
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{verdict.size:,} records, {total / 1e6:,.0f} MB of batches: exit {verdict.exit_code}, {verdict.counts}")
    for problem in verdict.problems[:3]:
        print(f"  a problem, so the figure is of another path than it should be: {problem.line()}")
    print(
        f"verify: {seconds:.1f} s ({cpu:.1f} s of one core), {verdict.size / seconds:,.0f} records/s ({verdict.size / cpu:,.0f} a second of the core), "
        f"peak {peak:.0f} MiB; plain SHA-256 of the batches: {hashing:.2f} s"
    )


if __name__ == "__main__":
    main()
