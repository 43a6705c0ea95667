"""The certificate of a bundle about one object, as the builder writes it; `shared.deliver.verify.certified` makes it again."""

import json
from collections.abc import Callable

from shared.canonical import Json
from shared.deliver.bundle.manifest import Manifest
from shared.deliver.certificate.request import MARK, PAGE, REQUEST, Request, needed, page
from shared.records import whole
from shared.seal.log import Log


def certificate_files(request: Request, manifest: Manifest, log: Log, load: Callable[[str], Json]) -> dict[str, bytes]:
    """The request and the page, by the names that they have in the bundle with this manifest, whose list of files is not looked at."""
    standing = request.standing()
    for first, count in manifest.ranges:
        for index, line in log.lines(first, first + count):
            if MARK in line and (record := whole(json.loads(line), load))["type"] == "deletion":
                standing.take(index, record)
    told = [index for index in needed(request, standing) if any(first <= index < first + count for first, count in manifest.ranges)]
    lines = {index: next(iter(log.lines(index, index + 1)))[1] for index in told}
    made = page(request, standing, lines, log.inclusion, origin=manifest.origin, size=manifest.size, period=manifest.period)
    return {REQUEST: request.encoded(), PAGE: made}
