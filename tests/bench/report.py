"""How long the view and the report take, and how large they are: `python -m tests.bench.report [accounts]`. Figures, no asserts."""

import resource
import sys
import time

from shared.deliver.report import render
from tests.test_view_sample import Sample, sample
from tests.test_view_world import estate


def measure(name: str, made: Sample) -> None:
    """View and report of `made`, timed."""
    started = time.perf_counter()
    view = made.view()
    built = time.perf_counter()
    text = render(view, written_at=None)
    rendered = time.perf_counter()
    records = len(made.records)
    print(
        f"{name}: {records:,} records, {len(view.findings):,} findings in full | view {built - started:.2f} s"
        f" ({records / (built - started):,.0f} records/s) | render {rendered - built:.2f} s"
        f" | {len(text.encode()) / 1e6:.1f} MB | peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB, sample included"
    )


def main(accounts: int) -> None:
    """A month of eight accounts, one sweep of many, and a month of some."""
    measure("8 accounts, 30 days × 4", sample())
    measure(f"{accounts:,} accounts, 1 sweep", sample(1, estate=estate(accounts), gap=range(1, 4)))
    measure("50 accounts, 7 days × 4", sample(7, estate=estate(50), gap=range(0)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000)
