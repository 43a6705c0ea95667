"""Sealing speed: records a second into a directory, at a log of 10 thousand and of a million records.

    python tests/bench/sealing.py [RECORDS]
"""

import sys
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import ed25519

from shared import layout
from shared.seal.sequencer import Sequencer
from shared.seal.signing import signer_for
from shared.seal.store import DirectoryStore

BATCH, BATCHES = 100, 100
LINE = b'{"at":"2026-11-22T18:00:00.000000Z","kind":"account","n":%07d,"pad":"' + b"x" * 560 + b'"}'


def main(records: int = 1_000_000) -> None:
    print(f"{'log size':>10}  {'records/s':>10}  {'ms a batch of ' + str(BATCH):>18}")
    with tempfile.TemporaryDirectory() as folder:
        store = DirectoryStore(Path(folder))
        sequencer = Sequencer(store, signer_for("bench.example/log", ed25519.Ed25519PrivateKey.generate()))
        store.put(layout.open_sweep("s"), b"{}")
        size = 0
        while size < records:
            for number in range(BATCHES):
                lines = [LINE % (size + number * BATCH + n) for n in range(BATCH)]
                store.put_new(layout.batch("s", f"u{size + number * BATCH:08d}"), b"\n".join(lines) + b"\n")
            start = time.perf_counter()
            size += sequencer.seal()
            seconds = time.perf_counter() - start
            if size in (10_000, 100_000) or size % 500_000 == 0:
                print(f"{size:>10,}  {BATCH * BATCHES / seconds:>10,.0f}  {seconds / BATCHES * 1000:>18.2f}", flush=True)
            if size % 100_000 == 0:  # a sweep ends: in steady state nothing lists the whole store
                store.delete(layout.open_sweep("s"))
                store.put(layout.open_sweep("s"), b'{"since":%d}' % sequencer.seq)
                for path in list(store.list(f"{layout.BATCHES}s/")):
                    (Path(folder) / path).unlink()


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
