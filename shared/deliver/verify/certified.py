"""The certificate in a bundle about one object, made again from the records: every deletion of it that stands is on it, and nothing else."""

import json
from collections.abc import Callable, Mapping

from shared.canonical import Json, sha256
from shared.deliver import shapes
from shared.deliver.bundle.manifest import DERIVED
from shared.deliver.certificate.request import MARK, PAGE, REQUEST, Request, left_out, needed, page, parse_request, unknown
from shared.deliver.certificate.standing import Standing
from shared.deliver.certificate.told import NAMES, is_called
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.deletions import Read
from shared.deliver.verify.package import Package
from shared.deliver.verify.verdict import shown
from shared.errors import VerificationError
from shared.judge.assemble import entry_of
from shared.judge.lives.inventory import Inventory, Shelf
from shared.judge.lives.kinds import BY_NAME
from shared.judge.lives.statement import INVENTORY
from shared.privacy.disclosures import check
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
        self._names(request, lines)

    # -- what is said of the object beside its end ------------------------------------------------------------------------

    def _names(self, request: Request, lines: Mapping[int, bytes]) -> None:
        """Whether it had the name that was asked for: where that is no id, and the lists hold it or a commitment to it that was opened."""
        found = [record for record in self._standing.found.values() if request.covers(record) and not is_called(record, request.asked)]
        if not found:
            return
        if all(self._had_name(record, request.asked.casefold(), lines) for record in found):
            self._package.tally.checked.append(f"what the certificate is about was listed under the name {shown(request.asked)}")
        else:
            self._package.tally.unchecked(
                f"whether what the certificate is about had the name {shown(request.asked)}: names are replaced by commitments; ask for a bundle built with --disclose"
            )

    def _had_name(self, record: Json, wanted: str, lines: Mapping[int, bytes]) -> bool:
        place = next((one["record"] for one in record["witnesses"] if one["witness"] == INVENTORY and one["pointer"]), -1)
        listing = self._listing(record, place, lines[place]) if place in lines else None
        if listing is None or _id_in(record) not in listing:
            return False
        values = [listing.item(_id_in(record)).get(member) for member in NAMES]
        values += [self._opened(value["committed"]) for value in values if isinstance(value, dict) and isinstance(value.get("committed"), str)]
        return any(isinstance(value, str) and value.casefold() == wanted for value in values)

    def _opened(self, commitment: str) -> Json:
        """The value behind a commitment, where the bundle opens it."""
        try:
            value = json.loads(self._package.small("disclosures.json") or b"{}")[commitment]
            return value["value"] if check(commitment, value["salt"], value["value"]) else None
        except (ValueError, KeyError, TypeError, RecursionError):
            return None  # what is wrong with disclosures is said where all of them are checked

    def _sightings(self, request: Request, read: Read) -> None:
        """Whether what is said to have listed an object first did list it; that none did before is what the collector remembered."""
        told = {index: record for index, record in self._standing.found.items() if request.covers(record) and record["first_seen"]}
        lines = dict(read(sorted({record["first_seen"]["record"] for record in told.values()})))
        for index, record in told.items():
            first = record["first_seen"]
            line = lines.get(first["record"])
            if line is None:
                self._package.tally.unchecked(f"when some of what the certificate is about was first listed: record {first['record']} is not here")
                continue
            listing = self._listing(record, first["record"], line)
            if listing is None or listing.at != first["at"] or _id_in(record) not in listing:
                reason = f"says that it was first listed in record {first['record']}, at {first['at']}, and that record does not list it"
                self._package.tally.problem("certificate", reason, record=index)

    def _listing(self, record: Json, index: int, line: bytes) -> Inventory | None:
        """The inventory on a line; None where it is none of what the deletion `record` is about."""
        kind = BY_NAME.get(record["kind"])
        try:
            value = whole(shapes.parse(line), self._bodies.load)
            shapes.check_fields(value)
            if kind is None or (value["type"], value["kind"]) != ("observation", kind.question):
                return None
            return Shelf(self._bodies.load).inventory(kind, entry_of(index, value))
        except (shapes.RecordError, BodyError):
            return None


def _id_in(record: Json) -> str:
    """By which inventories list what a deletion is about."""
    kind = BY_NAME.get(record["kind"])
    return str(record["resource"] if kind is not None and kind.key == "value" else record["object"]["id"])
