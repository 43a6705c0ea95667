"""Which documents speak to what nobody outside the provider can observe, and for how much of a period. Follows from the records of exhibits alone. Pure.

All exhibits count that were filed by the end of what is read, and are not withdrawn: a report on a time that is over is filed after it.
"""

from collections.abc import Iterable, Sequence

from shared.canonical import Json
from shared.deliver.period.fold import PeriodFold, micros, stamp
from shared.deliver.period.timeline import Window, clip, holes, longest, share, total
from shared.deliver.shapes import RecordError, check_fields
from shared.judge.exhibits import Exhibit, exhibits_of, last_day

SECOND = 1_000_000


def exhibit_rows(fold: PeriodFold) -> list[Json]:
    """The exhibits that cover or are in force at any time of the period, in the order of their numbers; those withdrawn say when."""
    known = exhibits_of((index, at, said) for index, (at, said) in fold.acts.items() if _sound(said))
    return [_row(one) for one in known if one.start < fold.end and fold.start < max(one.until, one.end or one.until)]


def _sound(said: Json) -> bool:
    """Whether an act has the shape that it must have; whoever verifies says elsewhere that it has not."""
    try:
        check_fields({"type": "exhibit", "exhibit": said})
    except RecordError:
        return False
    return True


def _row(one: Exhibit) -> Json:
    return {
        "exhibit": one.number, "record": one.record, "filed": one.at, "kind": one.kind, "title": one.title, "issuer": one.issuer,
        "covers": {"from": one.start, "to": one.end}, "until": one.until, "statements": list(one.statements),
        "file": {"name": one.name, "sha256": one.sha256, "bytes": one.bytes, "kept": one.kept}, "withdrawn": one.withdrawn,
    }  # fmt: skip


def speaking(rows: Iterable[Json], statements: Iterable[str]) -> list[Json]:
    """Those that speak to any of these statements."""
    wanted = frozenset(statements)
    return [row for row in rows if row["withdrawn"] is None and not wanted.isdisjoint(row["statements"])]


def documented(rows: Sequence[Json], statement: str, period: Json) -> Json:
    """For how much of the period documents that speak to a statement cover it, or are relied on."""
    found, whole = speaking(rows, [statement]), [(micros(period["from"]), micros(period["to"]))]
    covered = _joined((row["covers"]["from"], row["covers"]["to"] or row["until"]) for row in found)
    relied_on = _joined((row["covers"]["from"], row["until"]) for row in found)
    open_ = longest(holes(covered, whole))
    return {
        "exhibits": [row["exhibit"] for row in found],
        "covered": share(total(clip(covered, whole)), total(whole)),
        "relied_on": share(total(clip(relied_on, whole)), total(whole)),
        "longest_uncovered": {"from": stamp(open_[0]), "to": stamp(open_[1]), "seconds": (open_[1] - open_[0]) // SECOND} if open_ else None,
    }


def _joined(pieces: Iterable[tuple[str, str]]) -> list[Window]:
    """Ascending, without overlap."""
    found: list[Window] = []
    for start, end in sorted((micros(start), micros(end)) for start, end in pieces):
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(found[-1][1], end))
        else:
            found.append((start, end))
    return found


def said_of(rows: Sequence[Json]) -> str:
    """What speaks to something, for the end of a sentence."""
    if not rows:
        return "no exhibit that was filed speaks to it for any of the period"
    named = "; ".join(f"exhibit {row['exhibit']} ({row['title']}, by {row['issuer']}), relied on until {last_day(row['until'])}" for row in rows[:8])
    return f"what speaks to it is {named}" + (f"; and {len(rows) - 8} more" if len(rows) > 8 else "")
