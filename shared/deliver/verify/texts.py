"""What is derived in a bundle, derived again: README.txt, findings.csv, catalogue.json, period.json; and the values disclosed, against their commitments."""

import hashlib
import json

from shared import __version__
from shared.canonical import Json, canonical, sha256
from shared.deliver import rejudge
from shared.deliver.bundle.beside import beside, checksums
from shared.deliver.bundle.by_control import FOLDER, ByControl
from shared.deliver.bundle.derived import FindingsTable, readme
from shared.deliver.bundle.manifest import DERIVED, EXHIBITS, HANDOVERS, PERIOD, Manifest
from shared.deliver.bundle.sample import FACTS, POPULATION, SELECTION, Sampler, parse_sample
from shared.deliver.certificate.request import FOLDER as CERTIFICATE
from shared.deliver.period.fold import PeriodFold
from shared.deliver.period.summary import encoded as period_view
from shared.deliver.verify.bodies import BodyError, Parsed
from shared.deliver.verify.package import Package
from shared.deliver.verify.verdict import Tally, shown
from shared.deliver.waived import Waived
from shared.errors import VerificationError
from shared.privacy.disclosures import check
from shared.records import whole

_FINDING, _CLOSED, _WAIVER = b'"type":"finding"', b'"type":"sweep-closed"', b'"type":"waiver"'


class Texts:
    """Reads along with the records."""

    def __init__(self, manifest: Manifest, bodies: Parsed, tally: Tally) -> None:
        self._manifest = manifest
        self._bodies = bodies
        self._tally = tally
        self._digest = hashlib.sha256()
        framework = manifest.framework if manifest.framework in rejudge.frameworks() else None
        self._waived = Waived()
        self._table = FindingsTable(framework, self._digest.update, self._waived)
        self._by_control = ByControl(framework, self._waived)
        self._sampler: Sampler | None = None
        self._framework = framework
        self._view = PeriodFold(*manifest.period, self._load)
        self.closings: dict[str, int] = {}
        """Index of the closing record, by sweep."""

    def take(self, first: int, lines: list[bytes]) -> None:
        """Take in records; what is wrong with them is not said here."""
        for index, line in enumerate(lines, first):
            if _FINDING in line or _CLOSED in line or _WAIVER in line:
                try:
                    stored = json.loads(line)
                    record = whole(stored, self._bodies.load)
                    if not _usable(record):
                        continue
                except (ValueError, RecursionError, KeyError, TypeError, AttributeError, BodyError):
                    continue
                self._view.take(index, record)
                if record["type"] == "finding":
                    self._table.add(index, record)
                    self._by_control.add(index, record)
                    if self._sampler:
                        self._sampler.add(index, record)
                elif record["type"] == "sweep-closed":
                    self.closings[record["sweep"]] = index
                elif record["type"] == "waiver":
                    self._waived.take(index, record)
            else:
                self._view.line(index, line)

    def expect_sample(self, package: Package) -> None:
        """Where the bundle says that a sample was drawn, draw it again. To be called before records are taken."""
        data = package.small(FACTS)
        if data is None:
            return
        for name in (POPULATION, SELECTION):
            package.has(name)
        try:
            self._sampler = Sampler(parse_sample(data), self._framework, lambda _: None)
        except VerificationError as error:
            self._tally.problem("sample", str(error), file=FACTS)

    def _load(self, digest: str) -> Json:
        try:
            return self._bodies.load(digest)
        except BodyError as error:
            raise VerificationError(str(error)) from None

    def compare(self, package: Package) -> None:
        """Compare with what is in the bundle."""
        manifest = self._manifest
        self._compare_programs(package)
        for name in package.names(FOLDER):
            package.has(name)
        has_view = package.has(PERIOD)
        same_catalogue = manifest.catalogue == rejudge.catalogue_version()
        if manifest.derived != DERIVED or not same_catalogue:
            if manifest.software == __version__ and manifest.version > 2:
                said = f"names other rules or another catalogue than aoai-evidence {__version__} has, which it says made it ({DERIVED}, {rejudge.catalogue_version()})"
                self._tally.problem("derived", said, file="manifest.json")
                return
            self._tally.unchecked(
                f"README.txt, findings.csv, catalogue.json, period.json, {FOLDER} and SHA256SUMS: they were made by aoai-evidence {manifest.software} with catalogue "
                f"{manifest.catalogue}, this is another; verify with that release to check them"
            )
            return
        if manifest.framework is not None and manifest.framework not in rejudge.frameworks():
            self._tally.problem("manifest", f"names a framework that there is none of: {shown(manifest.framework)}", file="manifest.json")
        handovers = any(file.path.startswith(HANDOVERS) for file in manifest.files)
        exhibits = any(file.path.startswith(EXHIBITS) for file in manifest.files)
        certified = any(file.path.startswith(CERTIFICATE) for file in manifest.files)
        derived = {
            "README.txt": sha256(readme(manifest, attested=manifest.attested, handovers=handovers, exhibits=exhibits, certified=certified)),
            "catalogue.json": sha256(rejudge.catalogue_json()), "findings.csv": self._digest.hexdigest(),
            "SHA256SUMS": sha256(checksums((file.path, file.sha256) for file in manifest.files)),
            PERIOD: sha256(period_view(self._view)),
        }  # fmt: skip
        if self._sampler:
            derived |= self._drawn(self._sampler, package)
        if not has_view:
            self._tally.problem("file", "every bundle has this file, and this one does not", file=PERIOD)
        tables = {name: sha256(data) for name, data in self._by_control.files()}
        for name in sorted(tables.keys() - set(package.names(FOLDER))):
            self._tally.problem("derived", "the file follows from the findings, and the bundle does not have it", file=name)
        for name, digest in {**derived, **dict.fromkeys(package.names(FOLDER), ""), **tables}.items():
            if package.digest_of(name) not in (None, digest):
                self._tally.problem("derived", "the file does not follow from the rest of the bundle", file=name)

    def _compare_programs(self, package: Package) -> None:
        """What checks a bundle without us must be what this release has: whoever could exchange it could make it say anything."""
        for name, data in beside(self._manifest).items():
            if package.digest_of(name) in (None, sha256(data)):
                continue
            if self._manifest.software == __version__:
                self._tally.problem("derived", f"the file is not that of aoai-evidence {__version__}: do not run it", file=name)
            else:
                said = f"it is said to be that of aoai-evidence {self._manifest.software}, this is {__version__}: take it from that release"
                self._tally.unchecked(f"{name}, and it should not be run from the bundle: {said}")

    def _drawn(self, sampler: Sampler, package: Package) -> dict[str, str]:
        """The files of the sample as they must be."""
        for name in (POPULATION, SELECTION):
            if not package.has(name):
                self._tally.problem("file", "every bundle with a sample has this file, and this one does not", file=name)
        drawn, of = sampler.selection(), sum(sampler.counts.values())
        count = len(drawn.splitlines())
        self._tally.checked.append(
            f"a sample of {count:,} out of {of:,} findings was drawn again by the seed {shown(sampler.sample.seed)}"
        )
        return {FACTS: sha256(sampler.facts()), POPULATION: sampler.population()[0], SELECTION: sha256(drawn)}


def _usable(record: Json) -> bool:
    """Whether what is derived can be derived from it. Whether it is all that a record must be is checked where it is examined."""
    if record["type"] == "sweep-closed":
        return isinstance(record["sweep"], str)
    if record["type"] == "waiver":
        return True
    texts = (record["control"], record["status"], record["reason"], record["at"], record["sweep"], record["resource"] or "")
    numbers = record["records"]
    return record["type"] == "finding" and set(map(type, texts)) == {str} and isinstance(numbers, list) and set(map(type, numbers)) <= {int}


def check_disclosures(package: Package, tally: Tally) -> None:
    """Check every disclosed value against the commitment that stands for it in the bodies."""
    name = "disclosures.json"
    data = package.small(name)
    if data is None:
        return
    try:
        disclosed: Json = json.loads(data)
        sound = canonical(disclosed) == data and isinstance(disclosed, dict)
    except (ValueError, RecursionError):
        sound = False
    if not sound:
        tally.problem("disclosure", "is not canonical JSON", file=name)
        return
    for commitment, value in disclosed.items():
        salt = value.get("salt") if isinstance(value, dict) else None
        if not isinstance(salt, str) or set(value) != {"salt", "value"} or not check(commitment, salt, value["value"]):
            tally.problem("disclosure", f"the value disclosed for {commitment} is not what was committed to", file=name)
    tally.counts["disclosures"] = len(disclosed)
    tally.checked.append(f"{len(disclosed):,} disclosed values are those that were committed to")
