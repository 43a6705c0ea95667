"""Commands that ask a store: status, findings, changes, resources."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shared.canonical import Json
from shared.commands.context import (
    Control,
    FailOn,
    Framework,
    From,
    Kind,
    Resource,
    Status,
    To,
    check_statuses,
    settings,
    terminal,
    wanted,
    within,
)  # fmt: skip
from shared.errors import Misuse
from shared.terminal import table

if TYPE_CHECKING:
    from shared.service.queries import Reading


def status(fail_on: FailOn = None) -> None:
    """Where things stand: last sweep, coverage, gaps, controls by status, the store's protection."""
    from shared.service.drifted import summary
    from shared.service.queries import reading
    from shared.service.standing import status as ask

    check_statuses(fail_on)
    read = reading(settings())
    value = {**ask(read), "baseline": summary(read)}
    terminal().answer(value, _status_lines(value))
    if fail_on and any(_left(value, name, wanted) for name in value["controls"] for wanted in fail_on):
        raise typer.Exit(1)
    last = value["last_sweep"]
    raise typer.Exit(0 if last and last["complete"] and not value["missed_slots"] else 3)


def _left(value: Json, control: str, status: str) -> int:
    """How many findings of a control have a status, those that are waived left out."""
    count = value["controls"][control].get(status, 0)
    return int(count - value["waived"].get(control, 0) if status == "not-satisfied" else count)


def findings(
    first: From = None, last: To = None, resource: Resource = None, control: Control = None, status: Status = None,
    framework: Framework = None,
) -> None:
    """The findings of the last sweep, or of every sweep in a period."""
    from shared.service.queries import findings as ask
    from shared.service.queries import reading

    found = list(ask(reading(settings()), within(first, last), wanted(resource, control, status, framework)))
    if resource and not found:  # an empty table is no good news of what may only be misspelled
        terminal().note(f"no finding about {resource} is here: `aoai-evidence resources` lists what there is")
    rows = ([f["record"], f["status"], f["control"], _short(f["resource"]), f["reason"] + _waived(f["waived"])] for f in found)
    terminal().answer(found, table(["record", "status", "control", "resource", "reason"], rows))


def _waived(by: Json) -> str:
    """How a finding goes on that is waived."""
    if by is None:
        return ""
    owner = by["owner"] if isinstance(by["owner"], str) else "a name that is withheld"
    return f" Waived until {_minute(by['until'])} by {owner}, because: {by['reason']} (record {by['record']})"


def changes(
    first: From = None,
    last: To = None,
    resource: Resource = None,
    severity: Annotated[list[str] | None, typer.Option(help="high, medium, low or info; may be repeated.")] = None,
) -> None:
    """The changes between consecutive states of each resource: what they mean, and who made them."""
    from shared.model import SEVERITIES
    from shared.service.queries import changes as ask
    from shared.service.queries import reading, who_made

    for name in severity or ():
        if name not in SEVERITIES:
            raise Misuse(f"--severity {name!r}: {', '.join(SEVERITIES)}")
    found = list(ask(reading(settings()), within(first, last), wanted(resource, None, None, None), tuple(severity or ())))
    rows = (
        [change["record"], _minute(change["since"]), _minute(change["until"]), meaning["severity"], meaning["text"], who_made(change, meaning)]
        for change in found
        for meaning in change["means"]
    )
    terminal().answer(found, table(["record", "after", "until", "severity", "what changed (unobserved between these two times)", "who"], rows))


def _minute(time: str | None) -> str:
    return (time or "–")[:16].replace("T", " ")


def deletions(
    first: From = None,
    last: To = None,
    resource: Resource = None,
    object_: Annotated[str | None, typer.Option("--object", help="One object: its id, or the name that its file had.", metavar="ID|NAME")] = None,
    kind: Kind = None,
    since: Annotated[str | None, typer.Option(help="The same as --from.", metavar="DATE")] = None,
    certificate: Annotated[
        Path | None, typer.Option(help="Write a page about the object for whoever asked: witnesses, proofs, what cannot be known.", metavar="FILE.html")
    ] = None,
) -> None:
    """What is gone, or was said to be: between when and when, what witnesses it, who did it and why, as far as they tell."""
    from shared.service.gone import Asked
    from shared.service.gone import deletions as ask
    from shared.service.held import lineages
    from shared.service.queries import reading

    if first and since:
        raise Misuse("--since and --from mean the same: give one of them")
    if certificate and not object_:
        raise Misuse("--certificate is about one object: name it with --object")
    if certificate and (first or since or last):
        raise Misuse("--certificate tells of all that is sealed up to now, since what came later may take the place of what was said before: leave --from and --to out")
    read = reading(settings())
    found = ask(read, within(first or since, last), wanted(resource, None, None, None), Asked(_kinds(kind), object_))
    if certificate and object_:
        _certify(read, found, object_, certificate)
        return
    rows = (
        [d["record"], _minute(d["after"]), _minute(d["before"]), d["status"], _gone(d), _short(d["account"]), d["cause"], _by(d["by"]), _witnesses(d)]
        for d in found
    )
    lines = table(["record", "after", "before", "status", "what", "account", "cause", "by", "witnesses"], rows)
    sentences = [] if object_ or kind else [line["sentence"] for line in lineages(read, wanted(resource, None, None, None)) if line["sentence"]]
    reasons = [f"{d['record']}: {d['reason']}" for d in found] if object_ else []
    asked = object_ if not found and not (first or since or last) and not terminal().as_json else None
    there = _still_there(read, resource, _kinds(kind), asked) if asked else []
    terminal().answer(found, [*(there or lines), *(["", *reasons] if reasons else []), *(["", *sentences] if sentences else [])])


def _still_there(read: "Reading", resource: str | None, kinds: tuple[str, ...], asked: str) -> list[str]:
    """What is to be said where no deletion is sealed of what is asked for: whether it is listed still."""
    from shared.service.held import still_listed

    listed = [
        f"  {one['kind']} {one['id']} of {_short(one['account'])}: last seen {_minute(one['last_seen']['at'])} (record {one['last_seen']['record']})"
        for one in still_listed(read, wanted(resource, None, None, None), kinds, asked)
    ]
    if listed:
        return [f"no deletion of {asked!r} is sealed; it is listed still:", *listed]
    return [f"no deletion of {asked!r} is sealed, and no last inventory lists it: `resources --kind file` tells what was ever seen, `deletions` what is gone"]


def _certify(read: "Reading", found: list[Json], asked: str, out: Path) -> None:
    from shared.service.certificate import certify
    from shared.service.compose import utc_now

    made = certify(read, found, asked, out, utc_now())
    said = {"path": made.path, "bytes": made.bytes, "deletions": made.deletions, "proven": made.proven}
    terminal().answer(said, [f"{made.path}: {made.deletions} of {asked}, {made.proven} records with their proofs"])


def _kinds(names: list[str] | None) -> tuple[str, ...]:
    from shared.service.gone import kinds_of

    try:
        return kinds_of(names or ())
    except ValueError as error:
        raise Misuse(f"--kind {error}") from None


def _gone(deletion: Json) -> str:
    from shared.judge.lives.kinds import plural

    identifier = deletion["object"]["id"]
    if identifier is None:
        return f"{deletion['count']} of {plural(deletion['kind'])}, which ones is not told"
    return f"{deletion['kind']} {identifier.rpartition('/')[2] if deletion['kind'] == 'account' else identifier}"


def _by(actor: Json) -> str:
    return "a name that is withheld" if isinstance(actor, dict) else actor or "–"


def _witnesses(deletion: Json) -> str:
    return ", ".join(dict.fromkeys(witness["witness"] for witness in deletion["witnesses"]))


def resources(resource: Resource = None, kind: Kind = None) -> None:
    """The accounts of the last sweep, and their deployments, as last seen; with --kind, all that was ever seen of it."""
    from shared.service.accounts import resources as ask
    from shared.service.queries import reading

    if kind:
        _objects(resource, _kinds(kind))
        return
    found = list(ask(reading(settings()), wanted(resource, None, None, None)))
    rows = [
        [r["name"], r["kind"], r["location"], d.get("name", ""), d.get("sku", ""), d.get("model", ""), r["last_seen"] or "never"]
        for r in found for d in (r["deployments"] or [{}])
    ]
    terminal().answer(found, table(["account", "kind", "location", "deployment", "type", "model", "last seen"], rows))


def _objects(resource: str | None, kinds: tuple[str, ...]) -> None:
    from shared.service.held import objects
    from shared.service.queries import reading

    found = list(objects(reading(settings()), wanted(resource, None, None, None), kinds))
    rows = (
        [one["kind"], one["id"], _short(one["account"]), _minute((one["first_seen"] or {}).get("at")), _minute((one["last_seen"] or {}).get("at")),
         f"{_minute(one['gone']['before'])} ({one['gone']['status']}, record {one['gone']['record']})" if one["gone"] else "there"]
        for one in found
    )  # fmt: skip
    terminal().answer(found, table(["kind", "id", "account", "first seen", "last seen", "gone"], rows))


def _status_lines(value: Json) -> list[str]:
    store, last = value["store"], value["last_sweep"]
    lines = [
        f"log {store['origin']}: {store['records']} records, {value['sweeps']} closed sweeps; "
        f"write-once protection of the storage: {(store['retention'] or {}).get('policy', 'not asked yet')}"
    ]
    if store["holds"]:
        lines.append(f"legal holds in force: {', '.join(store['holds'])}")
    if last is None:
        return [*lines, "no sweep was closed yet: run `aoai-evidence collect`"]
    came = f"{last['units']} units, {last['failures']} failures, {len(last['missing'])} missing"
    lines.append(f"last sweep {last['sweep']}, closed {last['closed_at']}: {came}")
    if value["narrowed_to"]:
        lines.append(f"that sweep was narrowed to {len(value['narrowed_to'])} named accounts: what else there is, it did not look at; `collect` does")
    schedule = value["schedule"] or "none declared: completeness over time cannot be shown"
    lines.append(f"schedule {schedule}; slots missed: {len(value['missed_slots'])}")
    lines += [f"  missed {slot}" for slot in value["missed_slots"][-5:]]
    lines += _attested_lines(value["attested"])
    if value["open_sweeps"]:
        lines.append(f"left open: {', '.join(value['open_sweeps'])}; the next `collect` goes on with it")
    if value["waivers_expired"]:
        lines.append(f"{value['waivers_expired']} findings are not satisfied, and their waivers have expired: `aoai-evidence waiver list --all` shows which")
    if any(value["alerts"].values()):
        waiting, dead = (sum(value["alerts"][name].values()) for name in ("waiting", "dead"))
        lines.append(f"alerts that wait to be sent: {waiting}; given up: {dead}; `aoai-evidence alerts list` shows which")
    if value["baseline"]:
        lines.append(_baseline_line(value["baseline"]))
    columns = ("satisfied", "not-satisfied", "unknown", "not-applicable", "provider-attested")
    rows = [[name, *(counts.get(column, "") for column in columns), value["waived"].get(name, "")] for name, counts in value["controls"].items()]
    return [*lines, "", *table(["control", "yes", "no", "unknown", "n/a", "provider", "waived"], rows)]


def _baseline_line(counts: Json) -> str:
    others = f"unknown: {counts['unknown']}, never approved: {counts['never_approved']}, as approved: {counts['as_approved']}"
    return f"resources that drifted from their baseline: {counts['drifted']} ({others}); `aoai-evidence drift` shows which"


def _attested_lines(attested: Json) -> list[str]:
    from shared.service.attest import owed_line

    done = {"timestamp": "timestamped", "cosignature": "cosigned", "copy": "copied"}
    return [owed_line(one) or f"{one['name']}: {done[one['sort']]} {one['size']} records at {one['at']}" for one in attested]


def _short(resource: str | None) -> str:
    parts = (resource or "").split("/")
    return "/".join(parts[8:]).replace("/deployments/", " › ") if len(parts) > 8 else (resource or "–")


def period(first: From = None, last: To = None, resource: Resource = None, control: Control = None, framework: Framework = None) -> None:
    """For how much of a period each control was evidenced, when it was satisfied and when not, and what existed when."""
    from shared.service.compose import utc_now
    from shared.service.period import period as ask
    from shared.service.queries import reading

    view = ask(reading(settings()), within(first, last), wanted(resource, control, None, framework), utc_now())
    terminal().answer(view, [*_period_head(view), *(each["sentence"] for each in view["controls"]), *_period_rows(view, resource, control)])


def _period_head(view: Json) -> list[str]:
    people = view["population"]
    appeared, vanished = (sum(each[name] for each in people) for name in ("appeared", "vanished"))
    return [
        f"{view['period']['from']} to {view['period']['to']}: {view['sweeps']} sweeps; "
        f"{len(people)} accounts, {appeared} appeared and {vanished} vanished within; {len(view['changes'])} changes"
    ]


def _period_rows(view: Json, resource: str | None, control: str | None) -> list[str]:
    """When what was so, where somebody asks for one control or resource."""
    if not resource and not control:
        return []
    rows = (
        [row["control"], _short(row["resource"]), each["status"], _minute(each["from"]), _minute(each["to"]), each["observations"], each["records"][0]]
        for row in view["rows"]
        for each in row["intervals"]
    )
    return table(["control", "resource", "status", "from", "to", "observations", "first record"], rows)
