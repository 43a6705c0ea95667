"""The use-case `bundle`: one zip for a period and a scope, with what the request allows to be opened."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

from shared.canonical import Json
from shared.deliver.bundle.build import build
from shared.deliver.bundle.manifest import exhibit_path
from shared.deliver.bundle.sample import Sample
from shared.deliver.verify.verdict import Progress, no_progress
from shared.errors import Misuse
from shared.privacy.disclosures import Disclosures
from shared.records import timestamp
from shared.service.accounts import resources as accounts
from shared.service.acts import acts, acts_within, records_of
from shared.service.compose import Clock, random_bytes, utc_now
from shared.service.filed import exhibits_said
from shared.service.gone import deletions
from shared.service.inputs import read_input
from shared.service.queries import Filter, Period, Reading
from shared.service.requested import requested

ALL = "all"


def bundle(
    read: Reading,
    when: Period | None,
    out: Path,
    *,
    resources: Sequence[str] = (),
    framework: str | None = None,
    disclose: Sequence[str] = (),
    since: Path | None = None,
    about: str | None = None,
    sample: Sample | None = None,
    progress: Progress = no_progress,
    now: Clock = utc_now,
) -> Json:
    """Build the bundle of a period (default: all there is), as far as it is not ahead: no slot can have been missed yet that is still to come.

    `resources`: ARM ids, or names of accounts. `disclose`: `all`, or the personal values that may be opened to the reader. `sample`: what to draw from the findings.
    `about`: an object that is gone, by id or name: the bundle is about the accounts that held it, in the sweeps that concluded its end, with a certificate.

    Raises:
        Misuse: nothing in the period, no deletion of the object, an unknown resource, a file that cannot be read or written.
    """
    if not read.sweeps and (when is None or about is not None):
        raise Misuse("no closed sweep in this store: run `aoai-evidence collect` first")
    ids: Sequence[str] = [_resource_id(read, name) for name in resources]
    one = requested(read, about, when, ids) if about is not None else None
    if one is not None:
        when, ids = one.period, one.accounts
    when = _so_far(read, when, now()) if when else whole_period(read)
    made = build(
        read.store,
        out,
        period=(when.start, when.end),
        resources=ids or None,
        decisions=[*_waivers(read), *_baselines(read)],
        request=one.request if one is not None else None,
        sightings=one.sightings if one is not None else (),
        filed=partial(_filed, read, when),
        framework=framework,
        disclose=_opener(read, disclose),
        since=read_input(since, "the checkpoint") if since is not None else None,
        sample=sample,
        progress=progress,
    )
    return asdict(made)


def _so_far(read: Reading, when: Period, now: datetime) -> Period:
    """The period without what lies ahead, by this machine's clock and by the sweeps that there are: that of the collector may be ahead of it."""
    newest = whole_period(read).end if read.sweeps else now
    end = min(when.end, max(now, newest))
    return Period(when.start, end) if end > when.start else when


def whole_period(read: Reading) -> Period:
    """From the first sweep to the last."""
    times = [summary["slot"] or summary["planned_at"] for summary in read.sweeps]
    return Period(datetime.fromisoformat(min(times)), datetime.fromisoformat(max(times)) + timedelta(seconds=1))


def _waivers(read: Reading) -> list[int]:
    """The records of every act about a waiver, whenever it was and whatever it is about: so it is seen that none is missing."""
    found = records_of(read.store, "waiver", {act.number for act in acts(read.store, "waiver")})
    return sorted(index for index in found.values() if index < read.log.size)


def _baselines(read: Reading) -> list[int]:
    """The records of every approval of a baseline."""
    return sorted(records_of(read.store, "baseline", {act.number for act in acts(read.store, "baseline")}).values())


def _filed(read: Reading, when: Period, size: int) -> tuple[list[int], dict[str, str]]:
    """The records of every act about an exhibit, and the digests of the files that are kept and about the period, by their entries in a bundle."""
    sealed = acts_within(read.store, "exhibit", size)
    known = exhibits_said(sealed)
    files = {exhibit_path(one.number, one.name): one.sha256 for one in known if one.kept and one.concerns(timestamp(when.start), timestamp(when.end))}
    return sorted(index for index, _ in sealed), files


def _resource_id(read: Reading, name: str) -> str:
    if name.startswith("/"):
        return name
    found = {resource["resource"] for resource in accounts(read, Filter()) if resource["name"].lower() == name.lower()}
    if not found:
        found = {one["account"] for one in deletions(read, None, Filter()) if one["account"].rpartition("/")[2] == name.lower()}
    if len(found) != 1:
        many = "no account" if not found else "more than one account"
        raise Misuse(f"--resource {name!r}: {many} of that name in the last sweep or among what is gone; give its ARM id")
    return str(*found)


def _opener(read: Reading, disclose: Sequence[str]) -> Callable[[str], Json | None] | None:
    """What opens a commitment, as far as the request allows: None where nothing may be opened."""
    if not disclose:
        return None
    disclosures = Disclosures(read.store, random_bytes)
    allowed = {value.casefold() for value in disclose}

    def opened(commitment: str) -> Json | None:
        found = disclosures.disclose(commitment)
        if found is None or ALL in allowed or (isinstance(found["value"], str) and found["value"].casefold() in allowed):
            return found
        return None

    return opened
