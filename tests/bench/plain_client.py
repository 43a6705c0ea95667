"""The plain client to compare with: 16 threads that fetch the URLs in a file and hash what comes, and nothing else.

    python tests/bench/plain_client.py URLS [requests|urllib3]      prints requests a second, seconds, MiB
"""

import hashlib
import resource
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HEADERS = {"Authorization": "Bearer local"}
GONE = 410
"""What an account answers that was asked for assistants: an answer like any other."""
_local = threading.local()


def with_requests(url: str) -> bytes:
    import requests

    session = getattr(_local, "session", None)
    if session is None:
        session = _local.session = requests.Session()
        session.trust_env = False
    answer = session.get(url, headers=HEADERS, timeout=30)
    if answer.status_code != GONE:
        answer.raise_for_status()
    return answer.content


def with_urllib3(url: str) -> bytes:
    import urllib3

    pool = getattr(_local, "pool", None)
    if pool is None:
        pool = _local.pool = urllib3.PoolManager(maxsize=1)
    return pool.request("GET", url, headers=HEADERS, retries=False).data


def main(file: str, client: str = "requests") -> None:
    urls = Path(file).read_text().split()
    fetch = {"requests": with_requests, "urllib3": with_urllib3}[client]
    start = time.perf_counter()
    with ThreadPoolExecutor(16) as pool:
        digests = set(pool.map(lambda url: hashlib.sha256(fetch(url)).hexdigest(), urls))
    seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{len(urls) / seconds:.0f} {seconds:.2f} {peak} {len(digests)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
