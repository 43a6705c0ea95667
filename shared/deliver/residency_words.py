"""Where the deployments of a moment stood, as a document: what both sides of the moment show, how far away they are, and what that leaves open."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from shared.canonical import Json
from shared.deliver.unseen.stretches import Place
from shared.deliver.unseen.words import minute, named
from shared.deliver.view_coverage import duration, instant
from shared.judge.assemble import Entry
from shared.judge.reading import FAILURES, count, verb
from shared.judge.whereabouts import Where

Standing = Literal["same", "latest", "changed", "gone", "appeared", "first-seen", "none", "unread"]
CERTAIN: Final = frozenset(("same", "latest", "none"))
"""Standings that leave nothing open, where the look before is near."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one answer about the deployments of an account shows."""

    place: Place
    shows: Mapping[str, Where]
    records: tuple[int, ...]
    gone: bool = False
    """Whether it shows that the account is not there: the answer is then the list of accounts."""
    unread: str | None = None
    """Why nothing can be read from it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One deployment, or an account of which neither side shows any."""

    resource: str
    account: str
    before: Look | None
    after: Look | None
    failed: Entry | None
    """A question about it that had no answer, between the look before and the moment."""
    near: bool
    """Whether the look before still stood at that moment."""

    @property
    def was(self) -> Where | None:
        """What the look before shows."""
        return self.before.shows.get(self.resource) if self.before else None

    @property
    def became(self) -> Where | None:
        """What the look after shows."""
        return self.after.shows.get(self.resource) if self.after else None

    @property
    def standing(self) -> Standing:
        """What the two sides say together."""
        before, after = (look if look is not None and look.unread is None else None for look in (self.before, self.after))
        if before is None and after is None:
            return "unread"
        if self.resource == self.account:
            return "none" if before is not None else "unread"
        if self.was is None:
            return "appeared" if before is not None else "first-seen"
        if after is None:
            return "latest"
        if self.became is None:
            return "gone"
        return "same" if self.was == self.became else "changed"


def document(
    *, moment: str, rows: Sequence[Row], asked: str | None, accounts: int, before: Place | None, after: Place | None, absent: Sequence[str],
    unlisted: Sequence[Entry],
) -> Json:  # fmt: skip
    """The whole answer (docs/questions.md has its members). `complete`: of everything that could have been there it is said where it stood.

    `before` and `after` are the plans of the sweeps of everything on either side; `accounts`: how many were seen on either; `absent`:
    subscriptions that were out of sight; `unlisted`: lists of accounts that had no answer.
    """
    deployments = [_row(row, moment) for row in rows]
    open_ = [
        *(f"subscription {name} was out of sight then: what it held is not told here." for name in absent),
        *(
            f"{named(entry.resource)}: which accounts it held was not answered ({_why(entry)}; record {entry.record})."
            for entry in unlisted
        ),
    ]
    complete = (
        before is not None
        and not open_
        and all(row.standing in CERTAIN and (row.near or row.standing == "none") and _known(row) for row in rows)
    )
    return {
        "at": moment, "complete": complete, "before": _place(before), "after": _place(after), "accounts": accounts, "deployments": deployments,
        "open": open_, "says": _says(moment, rows, asked, accounts, before, after),
    }  # fmt: skip


def sentences(value: Json) -> list[str]:
    """The document in sentences, for a person."""
    return [
        value["says"],
        "",
        *(row["says"] for row in value["deployments"]),
        *value["open"],
        "",
        "Nobody outside the provider sees where a prompt was processed: the type of a deployment says where it may be.",
        "That data rests in the account's geography is the provider's word (statements S17 and S19).",
        "That nothing else was so between two looks is for the Activity Log to show: `aoai-evidence changes`.",
    ]


def _known(row: Row) -> bool:
    return row.was is None or row.was.known


def _says(moment: str, rows: Sequence[Row], asked: str | None, accounts: int, before: Place | None, after: Place | None) -> str:
    at = f"At {minute(moment)}"
    if before is None and after is None:
        return f"{at}: nothing can be said, since no sweep was closed yet: run `aoai-evidence collect`."
    sides = [f"{_away(before, moment)} after the sweep planned {minute(before[1])} (record {before[0]})"] if before else []
    sides += [f"{_away(after, moment)} before the one planned {minute(after[1])} (record {after[0]})"] if after else []
    where = f"{at}, {' and '.join(sides)}" if before else f"{at}, before the log's first sweep: {' and '.join(sides)}"
    found = sum(row.resource != row.account for row in rows)
    if asked and not rows:
        return f"{where}: nothing that is named {asked} was seen on either side, among {count(accounts, 'account')}."
    return f"{where}: {count(found, 'deployment')} of {count(len({row.account for row in rows}), 'account')} that {verb(found, 'was', 'were')} seen on either side."


# -- one deployment -----------------------------------------------------------------------------------------------------


def _row(row: Row, moment: str) -> Json:
    standing, shown = row.standing, row.was or row.became
    records = sorted({record for look in (row.before, row.after) if look is not None for record in (*look.records, look.place[0])})
    return {
        "resource": row.resource, "account": row.account, "standing": standing, "near": row.near,
        "before": _side(row.before, row.was, moment), "after": _side(row.after, row.became, moment),
        "failed": {"record": row.failed.record, "at": row.failed.at, "reason": row.failed.failure} if row.failed else None,
        "records": records, "says": " ".join(_sentences(row, standing, shown, moment)),
    }  # fmt: skip


def _side(look: Look | None, shown: Where | None, moment: str) -> Json:
    if look is None:
        return None
    found = {
        "name": shown.name, "sku": shown.sku, "scope": shown.scope, "region": shown.region, "geography": shown.geography, "notes": list(shown.notes),
        "points": [{"record": p.record, "page": p.page, "pointer": p.pointer} for p in shown.points],
    } if shown else None  # fmt: skip
    return {
        "record": look.place[0],
        "at": look.place[1],
        "seconds_away": _seconds(look.place, moment),
        "shows": found,
        "unread": look.unread,
    }


def _sentences(row: Row, standing: Standing, shown: Where | None, moment: str) -> list[str]:
    found = [_head(row, standing, shown), _seen(row, standing, moment)]
    if not row.near and row.before is not None and standing not in ("none", "unread"):
        found.append(f"No observation is near: {_between(row.before.place, row.after.place if row.after else None)}.")
    if row.failed is not None:
        found.append(f"Asked again {minute(row.failed.at)} without an answer ({_why(row.failed)}; record {row.failed.record}).")
    return [*found, *(shown.notes if shown else ())]


def _head(row: Row, standing: Standing, shown: Where | None) -> str:
    if shown is None:
        return f"{named(row.account)}: {'no deployment was there' if standing == 'none' else 'where its deployments stood is not known'}."
    said = f"{named(row.resource)}: {_clause(shown)}"
    if standing == "changed" and row.became is not None:
        return f"{said}, before; and after, {_clause(row.became)}: which of the two was so then is not shown."
    return f"{said}."


def _clause(shown: Where) -> str:
    return f"{shown.sku or 'type not known'}, so {shown.processed}; {shown.rests}" if shown.scope else f"{shown.processed}; {shown.rests}"


def _seen(row: Row, standing: Standing, moment: str) -> str:
    before, after = _look(row.before, moment, "before"), _look(row.after, moment, "after")
    reasons = [look.unread for look in (row.before, row.after) if look is not None and look.unread]
    return {
        "same": f"So {before}, and the same {after}.",
        "changed": f"Changed between {before} and {after}.",
        "latest": f"So {before}; nothing newer shows it.",
        "gone": f"So {before}; {after} it was there no more, so it may have been gone by then.",
        "appeared": f"Not there {before}, and there {after}: it may not have existed yet.",
        "first-seen": f"First seen {after}: whether it existed then, and as what, no record says.",
        "none": f"So {before}.",
        "unread": f"{reasons[0] if reasons else 'Nothing was read of it on either side.'}",
    }[standing]


def _between(before: Place, after: Place | None) -> str:
    first = f"{minute(before[1])} (record {before[0]})"
    return f"the moment lies between those of {first} and {minute(after[1])} (record {after[0]})" if after else f"the last is of {first}"


def _look(look: Look | None, moment: str, side: str) -> str:
    return f"{_away(look.place, moment)} {side} (record {look.place[0]})" if look else f"never {side}"


def _away(place: Place, moment: str) -> str:
    return duration(_seconds(place, moment))


def _seconds(place: Place, moment: str) -> int:
    return round(abs((instant(moment) - instant(place[1])).total_seconds()))


def _why(entry: Entry) -> str:
    return FAILURES.get(str(entry.failure), f"the question failed ({entry.failure})")


def _place(place: Place | None) -> Json:
    return {"record": place[0], "at": place[1]} if place else None
