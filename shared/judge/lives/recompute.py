"""Whether a deletion follows from the records that it names: what a verifier asks. Pure.

It is concluded again from these records alone, with the same rules; all fields must come out as they were sealed.
"""

from collections.abc import Iterable, Sequence

from shared.canonical import Json
from shared.judge.assemble import Entry
from shared.judge.lives.accounts import accounts
from shared.judge.lives.aftermath import purges, strays
from shared.judge.lives.deployments import deployments
from shared.judge.lives.given import Given
from shared.judge.lives.inventory import Shelf
from shared.judge.lives.statement import Statement
from shared.judge.lives.unnamed import unnamed
from shared.model import Point

FIELDS = (
    "kind", "resource", "object", "account", "count", "after", "before", "status", "cause", "by", "created", "reason", "witnesses", "records",
    "pairs", "counted",
)  # fmt: skip
"""What follows from the records named."""


def concluded(sealed: Json, entries: Iterable[Entry], shelf: Shelf, unit: str) -> list[Statement]:
    """All that follows from the entries that a deletion of a unit names, an account's or a subscription's."""
    counted = frozenset(Point(place["record"], place["page"], place["pointer"]) for place in sealed.get("counted", ()))
    given = Given(entries, shelf, [(was, now) for was, now in sealed["pairs"]], counted=counted)
    if "/accounts/" in unit:
        return [*unnamed(given, unit), *deployments(given, unit)]
    return [*accounts(given, unit), *purges(given, unit), *strays(given, unit)]


def difference(sealed: Json, entries: Iterable[Entry], shelf: Shelf, unit: str) -> str | None:
    """None if a sealed deletion follows from the entries that it names; else a sentence that says how it differs."""
    return compared(sealed, [statement.as_json() for statement in concluded(sealed, entries, shelf, unit)])


def compared(sealed: Json, found: Sequence[Json]) -> str | None:
    """How a sealed deletion differs from everything that follows from the records it names; None if it is among that."""
    own = {name: sealed[name] for name in FIELDS if name in sealed}
    if own in found:
        return None
    alike = [said for said in found if said["object"] == own["object"] and said["resource"] == own["resource"]]
    if not alike:
        return "the records that it names give no such deletion"
    names = min(([name for name in FIELDS if said.get(name) != own.get(name)] for said in alike), key=len)
    status = next((f": they give {said['status']} ({said['reason']})" for said in alike if "status" in names), "")
    return f"the records that it names give another {', '.join(names[:3])}{status}"
