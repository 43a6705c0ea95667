"""What a bundle about one object is made of: the deletions of it that stand, the sweeps that concluded them, and what saw it first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.canonical import Json
from shared.deliver.bundle.manifest import selects
from shared.deliver.certificate.request import Request
from shared.errors import Misuse
from shared.service.certificate import MOST
from shared.service.gone import LONGEST, Asked, deletions
from shared.service.queries import Filter, Period, Reading


@dataclass(frozen=True, slots=True)
class Requested:
    """What to build."""

    request: Request
    period: Period
    """Without one that was asked for: from the first sweep that concluded an end of the object to the last."""
    accounts: tuple[str, ...]
    sightings: tuple[int, ...]


def requested(read: Reading, asked: str, when: Period | None, within: Sequence[str]) -> Requested:
    """What a bundle about the object `asked` is made of. `within`: only what was in these resources; none: anywhere.

    Raises:
        Misuse: no deletion of it stands, or too many do. What was asked for may be a personal name: the text does not repeat it.
    """
    if len(asked) > LONGEST:
        raise Misuse(f"--object: an id or a name has at most {LONGEST:,} characters")
    scope = tuple(one.lower().rstrip("/") for one in within)
    times = {sweep["sweep"]: str(sweep["slot"] or sweep["planned_at"]) for sweep in read.sweeps}
    found = [
        one for one in deletions(read, None, Filter(), Asked(object=asked))
        if (not scope or selects(scope, one["account"])) and (when is None or when.holds(times[one["sweep"]]))
    ]  # fmt: skip
    if not found:
        where = "is sealed" if when is None and not scope else "that stands was concluded there and then"
        still, gone = "`aoai-evidence resources --kind file` tells what is listed still", "`aoai-evidence deletions` what is gone"
        raise Misuse(f"no deletion of the object that is asked for {where}: {still}, {gone}")
    if len(found) > MOST:
        raise Misuse(f"{len(found)} deletions are of what is asked for, and a bundle about one object tells of {MOST} at most: give an id, or an account with --resource")
    concluded = sorted(times[one["sweep"]] for one in found)
    span = Period(datetime.fromisoformat(concluded[0]), datetime.fromisoformat(concluded[-1]) + timedelta(seconds=1))
    return Requested(
        Request(asked, tuple(sorted({(one["kind"], one["resource"]) for one in found}))), when or span, tuple(sorted({one["account"] for one in found})),
        tuple(sorted({_first(one) for one in found} - {-1})),
    )  # fmt: skip


def _first(found: Json) -> int:
    return found["first_seen"]["record"] if found["first_seen"] else -1
