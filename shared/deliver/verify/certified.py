"""The certificate in a bundle about one object, made again from the records: every deletion of it that stands is on it, and nothing else."""

import json
from collections.abc import Callable

from shared.canonical import Json, sha256
from shared.deliver.bundle.manifest import DERIVED
from shared.deliver.certificate.request import MARK, PAGE, REQUEST, Request, left_out, needed, page, parse_request, unknown
from shared.deliver.certificate.standing import Standing
from shared.deliver.certificate.told import is_called
from shared.deliver.verify import records as shapes
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.deletions import Read
from shared.deliver.verify.package import Package
from shared.deliver.verify.verdict import shown
from shared.errors import VerificationError
from shared.judge.assemble import entry_of
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.kinds import BY_NAME
from shared.records import whole


class Certified:
    """Reads along with the records. Of a bundle without a certificate it does nothing."""

    def __init__(self, package: Package, bodies: Parsed) -> None:
        """To be made when the files were compared with the manifest."""
        self._package = package
        self._bodies = bodies
        self._request: Request | None = None
        self._standing = Standing()
        data = package.small(REQUEST)
        if data is None:
            return
        package.has(PAGE)
        try:
            self._request = parse_request(data)
            self._standing = self._request.standing()
        except VerificationError as error:
            package.tally.problem("certificate", str(error), file=REQUEST)

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take in records that were proven; what is wrong with their form is said where they are examined."""
        for index, line in enumerate(lines, first) if self._request is not None else ():
            if MARK in line:
                try:
                    record = whole(json.loads(line), self._bodies.load)
                    if record["type"] == "deletion":
                        shapes.check_fields(record)
                        self._standing.take(index, record)
                except (shapes.RecordError, BodyError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    continue

    def compare(self, read: Read, prove: Callable[[int], bytes | None]) -> None:
        """Make the page again. `read`: the lines of records; `prove`: the proof of one."""
        if self._request is None:
            return
        request, tally, manifest = self._request, self._package.tally, self._package.manifest
        if manifest.derived != DERIVED:
            tally.unchecked(f"{PAGE}: another release made it; verify with aoai-evidence {manifest.software}")
            return
        for index in left_out(request, self._standing):
            tally.problem("certificate", f"a deletion of what was asked for ({shown(request.asked)}) is left out of it", record=index, file=PAGE)
        for resource in unknown(request, self._standing):
            tally.problem("certificate", f"is about {shown(resource)}, of which no deletion is here", file=REQUEST)
        self._sightings(request, read)
        try:
            lines = dict(read(needed(request, self._standing)))
            made = page(request, self._standing, lines, prove, origin=manifest.origin, size=manifest.size, period=manifest.period)
        except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
            tally.problem("certificate", f"cannot be made again from the records ({type(error).__name__})", file=PAGE)
            return
        if not self._package.has(PAGE):
            tally.problem("file", "a bundle about one object has this file, and this one does not", file=PAGE)
        elif self._package.digest_of(PAGE) not in (None, sha256(made)):
            tally.problem("derived", "the file does not follow from the rest of the bundle", file=PAGE)
        else:
            tally.checked.append(f"the certificate of {shown(request.asked)} was made again from {len(lines):,} records, and tells all that is sealed here of it")
        if not all(is_called(record, request.asked) for record in self._standing.found.values()):
            tally.unchecked(f"whether what the certificate is about had the name {shown(request.asked)}: names are no part of what is sealed of a deletion")

    def _sightings(self, request: Request, read: Read) -> None:
        """Whether what is said to have listed an object first did list it; that none did before is what the collector remembered."""
        told = {index: record for index, record in self._standing.found.items() if request.covers(record) and record["first_seen"]}
        lines = dict(read(sorted({record["first_seen"]["record"] for record in told.values()})))
        for index, record in told.items():
            first = record["first_seen"]
            line = lines.get(first["record"])
            if line is None:
                self._package.tally.unchecked(f"when some of what the certificate is about was first listed: record {first['record']} is not here")
            elif not self._lists(first, line, record):
                reason = f"says that it was first listed in record {first['record']}, at {first['at']}, and that record does not list it"
                self._package.tally.problem("certificate", reason, record=index)

    def _lists(self, first: Json, line: bytes, record: Json) -> bool:
        kind = BY_NAME.get(record["kind"])
        try:
            value = whole(shapes.parse(line), self._bodies.load)
            shapes.check_fields(value)
            if kind is None or value["type"] != "observation" or (value["kind"], value["at"]) != (kind.question, first["at"]):
                return False
            inventory = Shelf(self._bodies.load).inventory(kind, entry_of(first["record"], value))
        except (shapes.RecordError, BodyError):
            return False
        return inventory is not None and (record["resource"] if kind.key == "value" else record["object"]["id"]) in inventory
