"""What goes between this process and a storage account: requests by what they are charged as, bytes, and the time that a step takes."""

import resource
import time
from collections import Counter
from contextlib import contextmanager
from urllib.parse import parse_qs, urlsplit

from azure.core.pipeline.transport import RequestsTransport

_BLOB = {"GET": "read", "HEAD": "read", "PUT": "write", "DELETE": "delete"}
_PLACES = (
    ("evidence/body/", "body"), ("evidence/batch/", "batch"), ("evidence/log/tile/entries/", "bundle"), ("evidence/log/", "log"),
    ("state/", "state"), ("personal/", "personal"),
)  # fmt: skip


class Wire:
    """Counts every request of the storage SDK in this process, once it is there."""

    def __init__(self, queue_port):
        self.counts, self.places, self.sent, self.received = Counter(), Counter(), 0, 0
        self._queue_port = queue_port
        self._send = RequestsTransport.send
        wire = self

        def send(transport, request, **options):
            response = wire._send(transport, request, **options)
            wire._count(request, response)
            return response

        RequestsTransport.send = send

    def _count(self, request, response):
        url = urlsplit(request.url)
        asked = parse_qs(url.query)
        kind = "queue" if url.port == self._queue_port else _BLOB[request.method]
        if kind != "queue" and "comp" in asked:
            kind = {"list": "list", "lease": "lease"}.get(asked["comp"][0], kind)
        self.counts[kind] += 1
        path = url.path.removeprefix("/devstoreaccount1/")
        place = next((name for start, name in _PLACES if path.startswith(start)), "other")
        self.places[f"{kind} {place}"] += kind in ("read", "write")
        self.sent += int(request.headers.get("Content-Length") or 0)
        self.received += int(response.headers.get("Content-Length") or 0)

    @contextmanager
    def during(self, figures):
        """Add to `figures` what is done meanwhile: requests, bytes, seconds, seconds of this process on a core."""
        before, places, sent, received = self.counts.copy(), self.places.copy(), self.sent, self.received
        wall, core = time.perf_counter(), time.process_time()
        yield
        figures["runs"] = figures.get("runs", 0) + 1
        figures["seconds"] = figures.get("seconds", 0) + time.perf_counter() - wall
        figures["core"] = figures.get("core", 0) + time.process_time() - core
        figures["sent"] = figures.get("sent", 0) + self.sent - sent
        figures["received"] = figures.get("received", 0) + self.received - received
        figures["slowest"] = max(figures.get("slowest", 0), time.perf_counter() - wall)
        for kind, count in (self.counts - before).items():
            figures[kind] = figures.get(kind, 0) + count
        for place, count in (self.places - places).items():
            figures[place] = figures.get(place, 0) + count


def peak():
    """MiB of memory that this process had at most."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
