"""What accounts hold and held, object by object: first seen, last seen, gone. Read-only; out of what is kept in mind, else out of the log."""

from collections.abc import Iterator

from shared.canonical import Json
from shared.deliver.certificate.told import NAMES
from shared.judge.lives.inventory import Inventory, Shelf
from shared.judge.lives.kinds import ACCOUNT, BY_NAME, BY_QUESTION, JOB
from shared.judge.lives.lineage import lineages_in, node_at
from shared.judge.reading import Node
from shared.privacy.disclosures import Disclosures
from shared.service.accounts import last_units
from shared.service.gone import Asked, concerns, deletions, listed_item
from shared.service.latest import LatestAnswers
from shared.service.queries import Filter, Reading
from shared.service.reconciling import Mind, Reconciling

STILL_THERE = ("not-effective",)
"""Deletions of what is still there."""


def objects(read: Reading, wanted: Filter, kinds: tuple[str, ...]) -> Iterator[Json]:
    """Everything of these kinds that was ever in an inventory, by account: what is there, then what is gone.

    Each: kind, id, resource, account, first_seen and last_seen `{"record","at"}`, gone: null, or the deletion that stands.
    """
    gone = [one for one in deletions(read, None, wanted, Asked(kinds)) if one["object"]["id"] is not None and one["status"] not in STILL_THERE]
    for unit, resource, mind in minds(read):
        for life in mind.alive.lives(resource, mind.state) if mind.alive is not None else ():
            account = life.resource if life.kind == ACCOUNT.name else resource
            if life.kind in kinds and concerns(wanted, {"resource": life.resource, "account": account}):
                identifier = life.id.rpartition("/")[2] if BY_NAME[life.kind].key == "value" else life.id
                yield {
                    "kind": life.kind, "id": identifier, "resource": life.resource, "account": account,
                    "unit": unit, "first_seen": _seen(*life.first_seen), "last_seen": _seen(*life.last_seen), "gone": None,
                }  # fmt: skip
    for one in gone:
        last = one["pairs"][-1][0] if one["pairs"] else None
        yield {
            "kind": one["kind"], "id": one["object"]["id"], "resource": one["resource"], "account": one["account"], "unit": one["unit"],
            "first_seen": one["first_seen"], "last_seen": _seen(last, one["after"]) if last is not None else None,
            "gone": {name: one[name] for name in ("record", "after", "before", "status", "cause", "by")},
        }  # fmt: skip


def still_listed(read: Reading, wanted: Filter, kinds: tuple[str, ...], asked: str) -> Iterator[Json]:
    """What the last whole inventories list under an id or a name, spelled as it was: kind, id, account, last_seen `{"record","at"}`.

    `kinds`: only these; empty for all.
    """
    committed = Disclosures(read.store, lambda size: b"\0" * size).known(asked)
    names: tuple[Json, ...] = (asked, {"committed": committed}) if committed is not None else (asked,)
    shelf = Shelf(read.body)
    for _, resource, mind in minds(read):
        last = mind.state.last.items() if wanted.passes({"resource": resource}) else ()
        own = ((BY_QUESTION[question], entry) for question, entry in sorted(last) if question in BY_QUESTION)
        for inventory in filter(None, (shelf.inventory(kind, entry) for kind, entry in own if not kinds or kind.name in kinds)):
            for identifier in _called(inventory, asked, names):
                yield {"kind": inventory.kind.name, "id": identifier, "account": resource, "last_seen": _seen(inventory.record, inventory.at)}


def _called(inventory: Inventory, asked: str, names: tuple[Json, ...]) -> Iterator[str]:
    """The ids of the objects that an inventory lists under this id or one of these names; page by page, since lists are long."""
    of_arm = inventory.kind.key == "value"
    for digest in inventory.entry.digests:
        for item in inventory.shelf.load(digest)[inventory.kind.key]:
            whole = str(item["id"])
            identifier = whole.rpartition("/")[2] if of_arm else whole
            called = asked.casefold() in (identifier.casefold(), whole.casefold()) or any(item.get(name) in names for name in NAMES)
            if called and (whole.lower() if of_arm else whole) in inventory:
                yield identifier


def lineages(read: Reading, wanted: Filter) -> list[Json]:
    """Of each fine-tuned model that is there, or whose job is known: where it comes from, and what became of that, as `Lineage.as_json` with its account."""
    found: list[Json] = []
    said: dict[str, list[tuple[int, Json]]] = {}
    for one in deletions(read, None, wanted):
        said.setdefault(one["account"], []).append((one["record"], one))
    shelf = Shelf(read.body)
    for _, resource, mind in minds(read):
        if "/accounts/" in resource and wanted.passes({"resource": resource}):
            own = said.get(resource, [])
            listed = ((BY_QUESTION[question], entry) for question, entry in mind.state.last.items() if question in BY_QUESTION)
            last = {kind.name: inventory for kind, entry in listed if (inventory := shelf.inventory(kind, entry)) is not None}
            jobs = {one["object"]["id"]: node for _, one in own if one["kind"] == JOB.name and (node := _last_listed(read, one)) is not None}
            found += ({"account": resource, **line.as_json()} for line in lineages_in(last, own, jobs))
    return found


def _last_listed(read: Reading, deletion: Json) -> Node | None:
    """What is gone, as it was listed last; None where that cannot be had."""
    found = listed_item(read, deletion)
    return node_at(*found) if found is not None else None


def minds(read: Reading) -> Iterator[tuple[str, str, Mind]]:
    """(unit, resource, what is kept of it) of every unit of the last sweep, and of those that events told of since."""
    reconciling = Reconciling(read.store, "", read.body, LatestAnswers(read.store), lambda _: {}, list)
    for unit in last_units(read):
        yield unit["unit"], unit["resource"], reconciling.known(unit["unit"], unit["resource"])


def _seen(record: int, at: str) -> Json:
    return {"record": record, "at": at}
