"""The pages of a period: which template, and what it needs."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from shared.canonical import Json
from shared.deliver.portal import sheet
from shared.deliver.report.text import last_part
from shared.deliver.report.timeline import timeline
from shared.deliver.residency_words import sentences
from shared.deliver.view_coverage import duration
from shared.errors import Misuse, Refused
from shared.model import SEVERITIES
from shared.records import timestamp
from shared.service import queries
from shared.service.baseline import baselines
from shared.service.current import collected_since
from shared.service.drifted import AS_APPROVED, DRIFTED, NOT_KNOWN
from shared.service.exhibit import exhibits
from shared.service.gone import Asked, deletions
from shared.service.portal.shown import Shown
from shared.service.residency import residency
from shared.service.waiver import waivers

Values = dict[str, Json]

MOST_ACCOUNTS = 250
"""Accounts that one page lists."""
MOST_FOUND = 50
"""Deletions that one answer about an object shows."""


@dataclass(frozen=True, slots=True)
class Told:
    """A page: its template, its title, what the template needs."""

    template: str
    title: str
    values: Values


class Missing(Exception):
    """There is no such page; the text is for the reader."""


def overview(shown: Shown, _: Mapping[str, str]) -> Told:
    """What is true now."""
    page, now = shown.page, shown.findings
    tallies = sheet.by_control(now)
    titles = page.titles
    bad = [(titles.get(name, name), name, each, _gravest(now, name)) for name, each in tallies.items() if each.status == "not-satisfied"]
    ranks = {row.headline.control: place for place, row in enumerate(page.urgent)}
    last = shown.standing["last_sweep"]
    return Told("overview", "Overview", {
        "standing": shown.standing, "blind": shown.unseen(period=False), "since": len(collected_since(shown.read.sweeps)),
        "statements": [(each, sheet.statement_status(each, tallies)) for each in page.view.words.statements],
        "not_satisfied": sorted(bad, key=lambda each: (ranks.get(each[1], len(ranks)), each[1])),
        "unknown": sum(each.status == "unknown" for each in tallies.values()),
        "ago": duration((shown.at - datetime.fromisoformat(last["planned_at"])).total_seconds()) if last else "–",
    })  # fmt: skip


def _gravest(now: list[Json], control: str) -> Json:
    """A finding that is not satisfied, one that nobody waived if there is one."""
    found = [each for each in now if each["control"] == control and each["status"] == "not-satisfied"]
    return min(found, key=lambda each: (each["waived"] is not None, each["record"]))


def controls(shown: Shown, _: Mapping[str, str]) -> Told:
    """Every statement with its controls."""
    page = shown.page
    rows = [*page.own, *(row for theme in page.themes for statement in theme.statements for row, _ in statement.controls)]
    return Told("controls", "Statements and controls", {
        "tallies": sheet.by_control(shown.findings), "rows": {row.headline.control: row for row in rows}, "titles": page.titles,
    })  # fmt: skip


def control(shown: Shown, name: str) -> Told:
    """One control."""
    found = sheet.control_sheet(name, shown.page, shown.findings, shown.evidenced)
    if found is None:
        raise Missing(f"No control is called {name!r}.")
    return Told("control", found.title, {"sheet": found, "titles": shown.page.titles})


def resources(shown: Shown, asked: Mapping[str, str]) -> Told:
    """The accounts, and how each stands; those alone whose id holds what was asked for, so many at a time."""
    wanted = asked.get("name", "").strip()
    accounts = shown.page.view.accounts
    found = [account for account in accounts if wanted.lower() in account.resource]
    part, parts = _part(asked.get("part")), max(1, -(-len(found) // MOST_ACCOUNTS))
    if part > parts:
        raise Missing(f"There are {parts} parts of this list.")
    first = (part - 1) * MOST_ACCOUNTS
    known = {account.resource for account in accounts}
    rest: dict[str | None, list[Json]] = {}
    for finding in shown.findings:
        if "/".join((finding["resource"] or "").split("/")[:9]) not in known and finding["status"] != "provider-attested":
            rest.setdefault(finding["resource"], []).append(finding)
    others = [(resource, sheet.tally(each)) for resource, each in sorted(rest.items(), key=lambda pair: pair[0] or "")]
    return Told("resources", "Resources", {
        "owners": sheet.by_owner(shown.findings, accounts), "others": others, "wanted": wanted,
        "accounts": found[first : first + MOST_ACCOUNTS], "matching": len(found), "first": first, "part": part, "parts": parts,
        "asked_beside": [("name", wanted)] if wanted else [],
    })  # fmt: skip


def _part(text: str | None) -> int:
    if text is None:
        return 1
    if not text.isascii() or not text.isdigit() or not 0 < len(text) < 8 or int(text) < 1:
        raise Refused(f"part is {text!r}: it must be a number from 1 on")
    return int(text)


def resource(shown: Shown, asked: Mapping[str, str]) -> Told:
    """One account or subscription, or what lies in one."""
    wanted = asked.get("id", "").strip().rstrip("/").lower()
    found = sheet.resource_sheet(wanted, shown.page, shown.findings, shown.evidenced) if wanted else None
    if found is None:
        raise Missing("Nothing of this period is about that resource.")
    title = found.account.name if found.account else last_part(wanted)
    drawn = timeline(found.changes, shown.page.view.period)
    return Told("resource", title, {"sheet": found, "titles": shown.page.titles, "drawn": drawn, "asked_beside": [("id", wanted)]})


def drift(shown: Shown, asked: Mapping[str, str]) -> Told:
    """What differed at the end of the period from what was approved; of those alone whose id holds what was asked for."""
    wanted, found = asked.get("name", "").strip(), shown.drift()
    approved = None if found is None else [one for one in found if wanted.lower() in (one["resource"] or "")]
    off = [one for one in approved or () if one["state"] != AS_APPROVED]
    off.sort(key=lambda one: (SEVERITIES.index(one["severity"]) if one["severity"] else len(SEVERITIES), one["resource"] or ""))
    states = Counter(one["state"] for one in off)
    end = max(shown.sweeps, key=lambda sweep: int(sweep["end"]))
    return Told("drift", "Drift from what was approved", {
        "approved": approved, "off": off, "states": [(state, states[state]) for state in (*DRIFTED, *NOT_KNOWN) if states[state]], "wanted": wanted,
        "as_seen": end["slot"] or end["planned_at"], "baselines": [one for one in baselines(shown.read) if one["size"] <= end["end"]],
        "asked_beside": [("name", wanted)] if wanted else [],
    })  # fmt: skip


def moment(shown: Shown, asked: Mapping[str, str]) -> Told:
    """Where data is processed; where it was at a moment."""
    at, of = asked.get("at", "").strip(), asked.get("resource", "").strip()
    lines, problem = None, None
    if at:
        try:
            lines = sentences(residency(shown.read, queries.instant(at, "the time"), queries.Filter(of or None), shown.at))
        except Misuse as error:
            problem = str(error).replace("--at ", "")
    return Told("residency", "Where data is processed", {"at": at, "of": of, "moment": lines, "problem": problem})


def gone(shown: Shown, asked: Mapping[str, str]) -> Told:
    """What was deleted; what became of one object, by its id: its name is personal, and who asks may not be one who may look it up."""
    wanted = asked.get("object", "").strip()
    found = deletions(shown.read, None, queries.Filter(), Asked(object=wanted), by_name=False) if wanted else []
    return Told("deletions", "What was deleted", {"object": wanted, "found": found[:MOST_FOUND], "asked_beside": [("object", wanted)] if wanted else []})


def accepted(shown: Shown, _: Mapping[str, str]) -> Told:
    """What people accept for a time, and the documents that they filed."""
    at = timestamp(shown.at)
    there = {"waivers": waivers(shown.read, at, over=True), "exhibits": exhibits(shown.read, at, over=True)}
    return Told("accepted", "Waivers and exhibits", {**there, "titles": shown.page.titles})


def unseen(shown: Shown, asked: Mapping[str, str]) -> Told:
    """What could not be seen."""
    whole = asked.get("of") == "period"
    beside = [("of", "period")] if whole else []
    return Told("unseen", "What could not be seen", {
        "blind": shown.unseen(period=whole), "asked_period": whole, "titles": shown.page.titles, "asked_beside": beside,
    })  # fmt: skip


Maker = Callable[[Shown, Mapping[str, str]], Told]
"""Makes a page of what is shown and of what was asked."""

PAGES: Mapping[str, tuple[Maker, tuple[str, ...]]] = {
    "": (overview, ()),
    "controls": (controls, ()),
    "resources": (resources, ("name", "part")),
    "resource": (resource, ("id",)),
    "changes": (lambda _shown, _asked: Told("changes", "Changes", {}), ()),
    "drift": (drift, ("name",)),
    "residency": (moment, ("at", "resource")),
    "deletions": (gone, ("object",)),
    "calendar": (lambda _shown, _asked: Told("calendar", "Coverage of the period", {}), ()),
    "accepted": (accepted, ()),
    "unseen": (unseen, ("of",)),
}
"""By path: what makes the page, and what may be asked of it beside the period."""
